//! What building a page's tree would cost. Some pages are made to cost hours: thousands of elements
//! inside each other, or formatting that the HTML rules repeat in each paragraph. Those are shown as
//! text.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::scan::{Scanner, Token};

/// Longest page that is shown as HTML, in bytes.
const BYTES_MAX: usize = 6 * 1024 * 1024;
/// Signs that begin a tag or a character reference; the tree builder takes its time at each.
const SIGNS_MAX: usize = 400_000;
/// Sum over all tags of the elements open at that point.
const DEPTH_SUM_MAX: usize = 30_000_000;
/// Sum over all blocks of the formatting elements open at that point, which the tree builder opens
/// anew there (HTML standard, "reconstruct the active formatting elements").
const REOPENED_MAX: usize = 400_000;

/// Character references in one stretch of text beyond which it is cut in pieces.
const REFERENCES_MAX: usize = 200;

/// Cuts long stretches of text with many character references by empty comments, which the sanitiser
/// takes out again. The tree builder copies the stretch at each reference, so that a long one would
/// cost the square of its length.
pub(super) fn with_short_texts(html: &str) -> Cow<'_, str> {
    if html.matches('&').count() <= REFERENCES_MAX * 5 {
        return Cow::Borrowed(html);
    }
    let mut out = String::with_capacity(html.len() + html.len() / 64);
    let mut copied = 0;
    for (start, token) in Scanner::new(html) {
        let Token::Text(text) = token else {
            continue;
        };
        for (count, (at, _)) in text.match_indices('&').enumerate() {
            if count > 0 && count.is_multiple_of(REFERENCES_MAX) {
                out.push_str(html.get(copied..start + at).unwrap_or_default());
                out.push_str("<!---->");
                copied = start + at;
            }
        }
    }
    out.push_str(html.get(copied..).unwrap_or_default());
    Cow::Owned(out)
}

/// Whether a page can be turned into a tree at a sane price.
pub(super) fn is_affordable(html: &str) -> bool {
    let signs = html
        .bytes()
        .filter(|byte| matches!(byte, b'<' | b'&'))
        .count();
    if html.len() > BYTES_MAX || signs > SIGNS_MAX {
        return false;
    }
    let mut open: BTreeMap<String, usize> = BTreeMap::new();
    let (mut depth, mut formatting) = (0usize, 0usize);
    let (mut depth_sum, mut reopened) = (0usize, 0usize);
    // Inside CDATA of foreign content our reading and the tree builder's may differ: there, end
    // tags do not count.
    let mut doubtful = false;
    for (_, token) in Scanner::new(html) {
        match token {
            Token::Open(tag) => {
                if is_formatting(&tag.name) {
                    formatting += 1;
                } else if !is_void(&tag.name) {
                    reopened += formatting;
                }
                if !is_void(&tag.name) && !ends_by_itself(&tag.name) {
                    depth += 1;
                    *open.entry(tag.name).or_default() += 1;
                }
                depth_sum += depth;
            }
            Token::Close(name) if !doubtful => {
                depth_sum += depth;
                if let Some(count) = open.get_mut(&name).filter(|count| **count > 0) {
                    *count -= 1;
                    depth -= 1;
                    formatting = formatting.saturating_sub(usize::from(is_formatting(&name)));
                }
            }
            Token::Comment(text) => doubtful |= text.starts_with("<![CDATA["),
            Token::Close(_) | Token::Text(_) | Token::Raw(..) => {}
        }
        if depth_sum > DEPTH_SUM_MAX || reopened > REOPENED_MAX {
            return false;
        }
    }
    true
}

fn is_formatting(name: &str) -> bool {
    matches!(
        name,
        "a" | "b"
            | "big"
            | "code"
            | "em"
            | "font"
            | "i"
            | "nobr"
            | "s"
            | "small"
            | "strike"
            | "strong"
            | "tt"
            | "u"
    )
}

fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "br"
            | "col"
            | "embed"
            | "hr"
            | "img"
            | "input"
            | "link"
            | "meta"
            | "source"
            | "track"
            | "wbr"
    )
}

/// Elements whose end tag may be left out and that close their own kind.
fn ends_by_itself(name: &str) -> bool {
    matches!(
        name,
        "p" | "li"
            | "td"
            | "th"
            | "tr"
            | "dt"
            | "dd"
            | "option"
            | "tbody"
            | "thead"
            | "tfoot"
            | "html"
            | "head"
            | "body"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tower_of_elements_is_refused() {
        assert!(!is_affordable(&"<div>".repeat(100_000)));
        assert!(!is_affordable(&"<div><![CDATA[></div>]]>".repeat(50_000)));
    }

    #[test]
    fn repeated_formatting_is_refused() {
        let fonts: String = (0..300).map(|n| format!("<font size={n}>")).collect();
        assert!(!is_affordable(&format!("{fonts}{}", "<p>x".repeat(5_000))));
    }

    #[test]
    fn long_stretches_of_references_are_cut() {
        let html = format!("<p>{}</p>", "&nbsp;".repeat(2_001));
        let cut = with_short_texts(&html);
        assert_eq!(cut.matches("<!---->").count(), 10);
        assert_eq!(cut.replace("<!---->", ""), html);
        assert!(matches!(
            with_short_texts("<p>a &amp; b</p>"),
            Cow::Borrowed(_)
        ));
    }

    #[test]
    fn a_long_ordinary_page_is_accepted() {
        let row = "<tr><td><font color=red><b>x</b></font></td><td><p>y</td></tr>";
        assert!(is_affordable(&format!(
            "<table>{}</table>",
            row.repeat(20_000)
        )));
    }
}
