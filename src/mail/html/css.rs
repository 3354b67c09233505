//! The style sheets of a stranger's mail: plain rules and rules for narrow screens. Selectors are bound
//! to the mail's own part of its page, so that no rule reaches what we put around it.

use cssparser::{
    AtRuleParser, CowRcStr, ParseError, Parser, ParserState, QualifiedRuleParser, StyleSheetParser,
    ToCss as _, Token,
};

use super::declarations::{self, Paint, is_harmless, is_plain};

/// Bytes of style text read of one message.
const SHEET_BYTES_MAX: usize = 256 * 1024;
/// Longest selector, in bytes.
const SELECTOR_BYTES_MAX: usize = 600;
/// The element that stands for the mail's `<body>`.
pub(super) const ROOT: &str = ".mailhatch-mail";
/// Put before ids of the mail: none can be one of ours.
pub(super) const ID_PREFIX: &str = "m-";

/// Filters the text of a `<style>` element.
pub(super) fn filter_sheet(sheet: &str, paint: &mut Paint<'_>) -> String {
    let end = sheet.floor_char_boundary(SHEET_BYTES_MAX);
    let mut input = Parser::new(sheet.get(..end).unwrap_or_default());
    let mut rules = Rules {
        paint,
        inside_media: false,
    };
    let mut out = String::new();
    for rule in StyleSheetParser::new(&mut input, &mut rules).flatten() {
        out.push_str(&rule);
    }
    out
}

struct Rules<'r, 'p> {
    paint: &'r mut Paint<'p>,
    inside_media: bool,
}

type Outcome<T> = Result<T, ParseError<()>>;

fn no<T>() -> Outcome<T> {
    Err(ParseError::custom(()))
}

impl<'i> QualifiedRuleParser<'i> for Rules<'_, '_> {
    type Prelude = String;
    type QualifiedRule = String;
    type Error = ();

    fn parse_prelude(&mut self, input: &mut Parser<'i>) -> Outcome<String> {
        let selectors: Vec<String> = input.parse_comma_separated_ignoring_errors(|input| {
            let mut text = String::new();
            selector(input, &mut text, 0)?;
            let text = text.trim();
            if text.is_empty() || text.len() > SELECTOR_BYTES_MAX {
                return no();
            }
            Ok::<_, ParseError<()>>(bound(text))
        });
        if selectors.is_empty() {
            return no();
        }
        Ok(selectors.join(","))
    }

    fn parse_block(
        &mut self,
        selectors: String,
        _start: &ParserState,
        input: &mut Parser<'i>,
    ) -> Outcome<String> {
        let kept = declarations::filter_in(input, self.paint);
        if kept.is_empty() {
            return no();
        }
        Ok(format!("{selectors}{{{kept}}}\n"))
    }
}

impl<'i> AtRuleParser<'i> for Rules<'_, '_> {
    type Prelude = String;
    type AtRule = String;
    type Error = ();

    fn parse_prelude(&mut self, name: CowRcStr<'i>, input: &mut Parser<'i>) -> Outcome<String> {
        if self.inside_media || !name.eq_ignore_ascii_case("media") {
            return no();
        }
        let mut query = String::new();
        media_query(input, &mut query, 0)?;
        Ok(query.trim().to_owned())
    }

    fn parse_block(
        &mut self,
        query: String,
        _start: &ParserState,
        input: &mut Parser<'i>,
    ) -> Outcome<String> {
        let mut rules = Rules {
            paint: &mut *self.paint,
            inside_media: true,
        };
        let mut inner = String::new();
        for rule in StyleSheetParser::new(input, &mut rules).flatten() {
            inner.push_str(&rule);
        }
        if inner.is_empty() {
            return no();
        }
        Ok(format!("@media {query}{{{inner}}}\n"))
    }
}

/// Takes one selector, or what stands in the brackets of `:not()` and its like.
fn selector(input: &mut Parser<'_>, out: &mut String, depth: usize) -> Outcome<()> {
    while let Ok(token) = input.next_including_whitespace().cloned() {
        match &token {
            Token::WhiteSpace(_) => out.push(' '),
            Token::Delim('.' | '>' | '+' | '~' | '*') | Token::Colon => push(&token, out),
            Token::Comma | Token::Number { .. } | Token::Dimension { .. } if depth > 0 => {
                push(&token, out);
            }
            Token::Ident(word) if is_plain(word) => push(&token, out),
            Token::IDHash(word) if is_plain(word) => {
                out.push('#');
                out.push_str(ID_PREFIX);
                out.push_str(&Token::Ident(word.clone()).to_css_string());
            }
            Token::Function(name) if depth < 3 && is_known_function(name) => {
                push(&token, out);
                input.parse_nested_block(|input| selector(input, out, depth + 1))?;
                out.push(')');
            }
            Token::SquareBracketBlock => {
                out.push('[');
                input.parse_nested_block(|input| attribute(input, out))?;
                out.push(']');
            }
            _ => return no(),
        }
    }
    Ok(())
}

fn attribute(input: &mut Parser<'_>, out: &mut String) -> Outcome<()> {
    while let Ok(token) = input.next().cloned() {
        match &token {
            Token::Ident(word) if is_plain(word) => push(&token, out),
            Token::QuotedString(text) if is_harmless(text) => push(&token, out),
            Token::Delim('=')
            | Token::IncludeMatch
            | Token::DashMatch
            | Token::PrefixMatch
            | Token::SuffixMatch
            | Token::SubstringMatch => push(&token, out),
            _ => return no(),
        }
    }
    Ok(())
}

/// Not `:has()`, which looks through the whole page for each element.
fn is_known_function(name: &str) -> bool {
    matches!(
        name.to_ascii_lowercase().as_str(),
        "not" | "is" | "where" | "lang" | "nth-child" | "nth-last-child" | "nth-of-type"
    )
}

fn push(token: &Token<'_>, out: &mut String) {
    out.push_str(&token.to_css_string());
}

/// Binds a selector to the mail: its `html` and `body` are our element, all others stand inside.
fn bound(selector: &str) -> String {
    let mut rest = selector;
    let mut is_root = false;
    for name in ["html", ":root", "body"] {
        let Some(after) = without_name(rest, name) else {
            continue;
        };
        is_root = true;
        rest = after;
        let inner = after.trim_start_matches([' ', '>']);
        if inner.len() < after.len() && without_name(inner, "body").is_some() {
            rest = inner;
        }
    }
    if !is_root {
        return format!("{ROOT} {rest}");
    }
    // Between the body and its children stands a part of ours.
    match rest.trim_start().strip_prefix('>') {
        Some(child) => format!("{ROOT} {}", child.trim_start()),
        None => format!("{ROOT}{rest}"),
    }
}

/// What follows the name of an element at the start of a selector.
fn without_name<'s>(selector: &'s str, name: &str) -> Option<&'s str> {
    let (start, rest) = selector.split_at_checked(name.len())?;
    let ends = !rest.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '-' | '_'));
    (start.eq_ignore_ascii_case(name) && ends).then_some(rest)
}

/// Takes the question of `@media`: kind and width of the screen. Not its height, which is ours to set,
/// and not its colours: a mail's own dark dress would meet a page that is light.
fn media_query(input: &mut Parser<'_>, out: &mut String, depth: usize) -> Outcome<()> {
    while let Ok(token) = input.next_including_whitespace().cloned() {
        match &token {
            Token::WhiteSpace(_) => out.push(' '),
            Token::Ident(word) if is_media_word(word) => push(&token, out),
            Token::Comma
            | Token::Colon
            | Token::Number { .. }
            | Token::Dimension { .. }
            | Token::Delim('<' | '>' | '=' | '/') => push(&token, out),
            Token::ParenthesisBlock if depth < 3 => {
                out.push('(');
                input.parse_nested_block(|input| media_query(input, out, depth + 1))?;
                out.push(')');
            }
            _ => return no(),
        }
    }
    Ok(())
}

fn is_media_word(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    let width = word
        .strip_prefix("max-")
        .or_else(|| word.strip_prefix("min-"));
    matches!(
        width.unwrap_or(&word),
        "width" | "device-width" | "resolution"
    ) || matches!(
        word.as_str(),
        "all" | "screen" | "only" | "and" | "or" | "hover" | "none" | "pointer" | "fine" | "coarse"
    ) || word.ends_with("device-pixel-ratio")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(sheet: &str) -> String {
        let mut none = |_: &str| None;
        let mut paint = Paint {
            picture: &mut none,
            adapts: false,
            needs_paper: false,
        };
        filter_sheet(sheet, &mut paint)
    }

    #[test]
    fn sheets_keep_plain_rules_and_questions_for_the_width() {
        let sheet = "@import url(x); <!-- p.MsoNormal{margin:0cm;mso-x:1} --> @font-face{src:url(x)} \
                     @media only screen and (max-width:600px){.a{width:100% !important;position:absolute}} \
                     a[href^=\"x\"]{color:red}";
        assert_eq!(
            filter(sheet),
            ".mailhatch-mail p.MsoNormal{margin:0cm}\n\
             @media only screen and (max-width:600px){.mailhatch-mail .a{width:100%!important}\n}\n\
             .mailhatch-mail a[href^=\"x\"]{color:red}\n"
        );
    }

    #[test]
    fn rules_are_bound_to_the_mail() {
        for (selector, bound) in [
            ("body", ".mailhatch-mail"),
            ("html, BODY.x td", ".mailhatch-mail,.mailhatch-mail.x td"),
            ("html body > table", ".mailhatch-mail table"),
            (":root p", ".mailhatch-mail p"),
            ("bodytext", ".mailhatch-mail bodytext"),
            ("*", ".mailhatch-mail *"),
            (
                "#top:not(.a, b) > i",
                ".mailhatch-mail #m-top:not(.a, b) > i",
            ),
            ("a:hover, a:has(b)", ".mailhatch-mail a:hover"),
            ("b:nth-child(2n+1)", ".mailhatch-mail b:nth-child(2n+1)"),
        ] {
            assert_eq!(
                filter(&format!("{selector}{{color:red}}")),
                format!("{bound}{{color:red}}\n"),
                "{selector}"
            );
        }
    }

    #[test]
    fn rules_for_other_screens_and_other_inks_go() {
        for sheet in [
            "@media (prefers-color-scheme: dark){p{color:white}}",
            "@media (min-height:1px){p{color:red}}",
            "@media (orientation:portrait){p{color:red}}",
            "@media print{p{color:red}}",
            "@supports (color:red){p{color:red}}",
            "@keyframes x{from{color:red}}",
            "@layer x{p{color:red}}",
            "@\\69mport 'x';",
            "@charset 'x';@namespace url(x);",
        ] {
            assert_eq!(filter(sheet), "", "{sheet}");
        }
    }

    #[test]
    fn a_sheet_cannot_end_its_element() {
        assert_eq!(
            filter("a{color:red}</style><script>x{y:z}</script>b{color:blue}"),
            ".mailhatch-mail a{color:red}\n"
        );
        assert!(
            !filter("a[title=\"</style>\"]{color:red} \\3c/style\\3e {color:red}").contains('<')
        );
    }

    #[test]
    fn broken_sheets_are_read_as_far_as_they_go() {
        assert_eq!(filter("p{color:red"), ".mailhatch-mail p{color:red}\n");
        assert_eq!(filter(&"a{".repeat(10_000)), "");
        assert_eq!(filter(&"(".repeat(10_000)), "");
    }
}
