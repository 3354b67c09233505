//! Rich Text that wraps HTML or text, and Rich Text alone.

use super::*;

fn text(rtf: &str) -> String {
    match read(rtf.as_bytes()) {
        Document::Text(text) => text,
        Document::Html(html) => panic!("HTML: {html}"),
    }
}

fn html(body: &str) -> String {
    let rtf =
        format!("{{\\rtf1\\ansi\\ansicpg1252\\fromhtml1 {{\\fonttbl{{\\f0 Arial;}}}}\r\n{body}}}");
    match read(rtf.as_bytes()) {
        Document::Html(html) => html,
        Document::Text(text) => panic!("text: {text}"),
    }
}

#[test]
fn the_html_that_outlook_wrapped_comes_out_as_it_was() {
    let body = "{\\*\\htmltag18 <html>}{\\*\\htmltag50 <body>}\\htmlrtf {\\b\\htmlrtf0 {\\*\\htmltag84 <b>}Hello {\\*\\htmltag84 &amp;}\
                \\htmlrtf &\\htmlrtf0  you\\htmlrtf }\\htmlrtf0 {\\*\\htmltag92 </b>}{\\*\\mhtmltag84 <img src=\"x\">}\\par {\\*\\htmltag58 </body>}";
    assert_eq!(html(body), "<html><body><b>Hello &amp; you</b>\r\n</body>");
}

#[test]
fn tags_may_hold_escapes_and_line_ends() {
    assert_eq!(
        html("{\\*\\htmltag84 <style>\\par a \\{ b: \\'e4\\tab \\}</style>}"),
        "<style>\r\na { b: ä\t}</style>"
    );
}

#[test]
fn an_angle_bracket_between_tags_is_text() {
    assert_eq!(html("{\\*\\htmltag <p>}1 < 2 &lt; 3"), "<p>1 &lt; 2 &lt; 3");
}

#[test]
fn fonts_bring_their_character_sets() {
    let rtf = "{\\rtf1\\ansi\\ansicpg1252{\\fonttbl{\\f0\\fcharset0 Arial;}{\\f1\\fcharset204 Arial Cyr;}{\\f2\\fcharset128 MS PGothic;}}\
               \\f1 \\'cf\\'f0\\'e8\\f0 \\'e4\\f2 \\'83\\'6e\\'83\\'8d}";
    assert_eq!(text(rtf), "Приäハロ");
}

#[test]
fn unicode_characters_replace_their_fallback() {
    assert_eq!(text("{\\rtf1\\uc1 \\u8364?5\\u-10179?\\u-8704?.}"), "€5😀.");
    assert_eq!(text("{\\rtf1{\\uc0\\u228 b}\\u228\\'61 c}"), "äbä c");
}

#[test]
fn rich_text_becomes_its_text_without_what_is_not_shown() {
    let rtf = "{\\rtf1\\ansi{\\fonttbl{\\f0 Arial;}}{\\colortbl;\\red0\\green0\\blue0;}{\\*\\generator Riched20;}{\\info{\\author A}}\
               \\pard\\f0 One\\par\r\nTwo\\tab 2\\line {\\v hidden}{\\pict\\wmetafile8 0102}\\ldblquote x\\rdblquote\\par}";
    assert_eq!(text(rtf), "One\nTwo\t2\n“x”");
}

#[test]
fn a_link_is_shown_behind_a_text_that_does_not_say_it() {
    let rtf = "{\\rtf1 {\\field{\\*\\fldinst {HYPERLINK \"https://example.org/a\"}}{\\fldrslt {\\ul here}}} and \
               {\\field{\\*\\fldinst HYPERLINK \"https://example.org\"}{\\fldrslt https://example.org}}}";
    assert_eq!(
        text(rtf),
        "here <https://example.org/a> and https://example.org"
    );
}

#[test]
fn wrapped_plain_text_keeps_its_lines() {
    assert_eq!(
        text("{\\rtf1\\ansi\\fromtext \\fbidi {\\fonttbl{\\f0 x;}}\\f0 a\\par\\par b\\par}"),
        "a\n\nb"
    );
}

#[test]
fn hostile_documents_end() {
    let deep = format!("{}x", "{".repeat(200_000));
    assert_eq!(text(&deep), "x");
    assert_eq!(text(&"}".repeat(1_000)), "");
    assert_eq!(text("{\\rtf1\\bin99999999999 a\\u99999999999 \\'"), "a");
    assert_eq!(text("\\"), "");
}
