//! A light reader of HTML: tags, text and comments in their order, with their byte positions.
//!
//! Used where a document tree would cost too much or loses the positions: text for search, the place
//! where a quotation begins, the cost of a hostile page. It decides nothing about safety: what is
//! shown goes through the sanitiser, which builds a real tree.

use mail_parser::decoders::html::add_html_token;

/// One piece of HTML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// Text between tags, entities not yet decoded.
    Text(&'a str),
    /// A start tag.
    Open(Tag<'a>),
    /// An end tag's name in lower case.
    Close(String),
    /// A comment, a declaration or a processing instruction.
    Comment(&'a str),
    /// The content of an element whose content is not markup (script, style, title …).
    Raw(String, &'a str),
}

/// A start tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tag<'a> {
    /// The name in lower case.
    pub(crate) name: String,
    attributes: &'a str,
}

impl<'a> Tag<'a> {
    /// The value of an attribute, entities decoded; the first of a name counts.
    pub(crate) fn attribute(&self, wanted: &str) -> Option<String> {
        let found = self
            .attributes()
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| decode_entities(value))
    }

    /// All attributes as they stand: names as written, entities in values not decoded.
    pub(crate) const fn attributes(&self) -> Attributes<'a> {
        Attributes {
            rest: self.attributes,
        }
    }

    /// Whether one of the element's classes is `wanted`, also with the `x_` that Outlook on the web
    /// puts before names in quoted HTML.
    pub(crate) fn has_class(&self, wanted: &str) -> bool {
        self.attribute("class").is_some_and(|classes| {
            classes
                .split_ascii_whitespace()
                .any(|class| without_x(class) == wanted)
        })
    }
}

/// The attributes of a tag, one by one.
pub(crate) struct Attributes<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self
            .rest
            .trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if rest.is_empty() {
            return None;
        }
        let end = rest
            .find(|c: char| c.is_ascii_whitespace() || matches!(c, '=' | '/'))
            .filter(|end| *end > 0)
            .or_else(|| rest.char_indices().nth(1).map(|(at, _)| at))
            .unwrap_or(rest.len());
        let (name, after) = rest.split_at_checked(end)?;
        let after = after.trim_start();
        let (value, next) = match after.strip_prefix('=') {
            Some(after) => attribute_value(after.trim_start()),
            None => ("", after),
        };
        self.rest = next;
        Some((name, value))
    }
}

fn without_x(name: &str) -> &str {
    let mut name = name;
    while let Some(rest) = name.strip_prefix("x_") {
        name = rest;
    }
    name
}

fn attribute_value(input: &str) -> (&str, &str) {
    for quote in ['"', '\''] {
        if let Some(inside) = input.strip_prefix(quote) {
            return inside.split_once(quote).unwrap_or((inside, ""));
        }
    }
    let end = input
        .find(|c: char| c.is_ascii_whitespace())
        .unwrap_or(input.len());
    input.split_at_checked(end).unwrap_or((input, ""))
}

/// Reads HTML piece by piece.
pub(crate) struct Scanner<'a> {
    html: &'a str,
    at: usize,
    raw: Option<String>,
}

impl<'a> Scanner<'a> {
    /// A scanner at the start of `html`.
    pub(crate) const fn new(html: &'a str) -> Self {
        Self {
            html,
            at: 0,
            raw: None,
        }
    }

    fn rest(&self) -> &'a str {
        self.html.get(self.at..).unwrap_or_default()
    }

    fn markup(&mut self, rest: &'a str) -> Token<'a> {
        if let Some(inside) = rest.strip_prefix("<!--") {
            let end = inside.find("-->").map_or(inside.len(), |end| end);
            let closed = if inside.starts_with('>') {
                Some(0)
            } else {
                None
            };
            let length = closed.map_or(4 + end + 3, |_| 5);
            return self.take_comment(rest, length);
        }
        let mut bytes = rest.bytes().skip(1);
        match (bytes.next(), bytes.next()) {
            (Some(b'/'), Some(c)) if c.is_ascii_alphabetic() => {
                let (inside, length) = tag_extent(rest, 2);
                self.at += length;
                Token::Close(tag_name(inside))
            }
            (Some(b'!' | b'?' | b'/'), _) => {
                let length = rest.find('>').map_or(rest.len(), |end| end + 1);
                self.take_comment(rest, length)
            }
            _ => {
                let (inside, length) = tag_extent(rest, 1);
                self.at += length;
                let name = tag_name(inside);
                if is_raw(&name) {
                    self.raw = Some(name.clone());
                }
                let attributes = inside.get(name.len()..).unwrap_or_default();
                Token::Open(Tag { name, attributes })
            }
        }
    }

    fn take_comment(&mut self, rest: &'a str, length: usize) -> Token<'a> {
        let length = length.min(rest.len());
        self.at += length;
        Token::Comment(rest.get(..length).unwrap_or(rest))
    }

    fn raw_text(&mut self, name: String) -> Token<'a> {
        let rest = self.rest();
        let end = find_close(rest, &name).unwrap_or(rest.len());
        self.at += end;
        Token::Raw(name, rest.get(..end).unwrap_or(rest))
    }
}

impl<'a> Iterator for Scanner<'a> {
    type Item = (usize, Token<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.at;
        if let Some(name) = self.raw.take() {
            let token = self.raw_text(name);
            return Some((start, token));
        }
        let rest = self.rest();
        if rest.is_empty() {
            return None;
        }
        if starts_markup(rest) {
            let token = self.markup(rest);
            return Some((start, token));
        }
        let mut end = rest.len();
        for (position, _) in rest.match_indices('<') {
            if position > 0 && rest.get(position..).is_some_and(starts_markup) {
                end = position;
                break;
            }
        }
        self.at += end;
        Some((start, Token::Text(rest.get(..end).unwrap_or(rest))))
    }
}

fn starts_markup(rest: &str) -> bool {
    let mut bytes = rest.bytes();
    bytes.next() == Some(b'<')
        && bytes
            .next()
            .is_some_and(|c| c.is_ascii_alphabetic() || matches!(c, b'/' | b'!' | b'?'))
}

fn is_raw(name: &str) -> bool {
    matches!(
        name,
        "script" | "style" | "title" | "textarea" | "xmp" | "iframe" | "noembed" | "noframes"
    )
}

/// The inside of a tag that begins `skip` bytes into `rest`, and the tag's whole length; a `>` in
/// quotes does not end it.
fn tag_extent(rest: &str, skip: usize) -> (&str, usize) {
    let mut quote: Option<u8> = None;
    let mut after_equals = false;
    for (position, byte) in rest.bytes().enumerate().skip(skip) {
        match (quote, byte) {
            (Some(open), _) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, b'>') => return (rest.get(skip..position).unwrap_or_default(), position + 1),
            (None, b'"' | b'\'') if after_equals => quote = Some(byte),
            (None, _) => {}
        }
        if !byte.is_ascii_whitespace() {
            after_equals = byte == b'=' && quote.is_none();
        }
    }
    (rest.get(skip..).unwrap_or_default(), rest.len())
}

fn tag_name(inside: &str) -> String {
    let end = inside
        .find(|c: char| c.is_ascii_whitespace() || c == '/')
        .unwrap_or(inside.len());
    inside.get(..end).unwrap_or_default().to_ascii_lowercase()
}

fn find_close(rest: &str, name: &str) -> Option<usize> {
    rest.match_indices("</").map(|(at, _)| at).find(|at| {
        let start = at + 2;
        rest.get(start..start + name.len())
            .is_some_and(|found| found.eq_ignore_ascii_case(name))
    })
}

/// Decodes character references.
pub(crate) fn decode_entities(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let end = after.bytes().take(33).position(|b| b == b';');
        let name = end.and_then(|end| after.get(..end));
        let is_name = |name: &str| {
            let name = name.strip_prefix('#').unwrap_or(name);
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric())
        };
        match name {
            Some(name) if is_name(name) => {
                push_entity(&mut out, name);
                rest = after.get(name.len() + 1..).unwrap_or_default();
            }
            _ => {
                let bare = ["nbsp", "amp", "lt", "gt", "quot"];
                match bare.iter().find(|name| after.starts_with(**name)) {
                    Some(name) => {
                        push_entity(&mut out, name);
                        rest = after.get(name.len()..).unwrap_or_default();
                    }
                    None => {
                        out.push('&');
                        rest = after;
                    }
                }
            }
        }
    }
    out.push_str(rest);
    out
}

fn push_entity(out: &mut String, name: &str) {
    // Numbers 128 to 159 mean Windows-1252 (HTML standard, numeric character reference end state).
    let number = name
        .strip_prefix('#')
        .and_then(|digits| match digits.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16).ok(),
            None => digits.parse().ok(),
        });
    if let Some(byte) = number
        .and_then(|n| u8::try_from(n).ok())
        .filter(|b| (128..160).contains(b))
    {
        out.push_str(&crate::mail::charset::decode(&[byte], Some("windows-1252")).0);
        return;
    }
    if number == Some(0) {
        out.push('\u{fffd}');
        return;
    }
    add_html_token(out, format!("&{name};").as_bytes(), false);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(html: &str) -> Vec<Token<'_>> {
        Scanner::new(html).map(|(_, token)| token).collect()
    }

    #[test]
    fn a_greater_sign_in_quotes_does_not_end_a_tag() {
        let found = tokens("<a title='x>y' href=\"z\">t</a>");
        assert!(
            matches!(&found[0], Token::Open(tag) if tag.attribute("href").as_deref() == Some("z"))
        );
        assert_eq!(found[1..], [Token::Text("t"), Token::Close("a".to_owned())]);
    }

    #[test]
    fn a_less_sign_that_starts_no_tag_is_text() {
        assert_eq!(tokens("1 < 2 <3"), [Token::Text("1 < 2 <3")]);
    }

    #[test]
    fn style_content_is_not_markup() {
        let found = tokens("<style>a > b</style>x");
        assert_eq!(found[1], Token::Raw("style".to_owned(), "a > b"));
        assert_eq!(found[3], Token::Text("x"));
    }

    #[test]
    fn entities_are_decoded() {
        assert_eq!(
            decode_entities("a&nbsp;&amp;&#8364;&#x80;&bogus;&"),
            "a\u{a0}&€€&bogus;&"
        );
    }

    #[test]
    fn quoted_class_names_of_outlook_on_the_web_are_recognised() {
        let found = tokens("<div class='x_x_gmail_quote y'>");
        assert!(matches!(&found[0], Token::Open(tag) if tag.has_class("gmail_quote")));
    }
}
