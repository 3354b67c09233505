//! Where the quotation lies in HTML, by the marks mail programs leave.

use crate::mail::html::scan::{Scanner, Tag, Token};

/// A quotation in HTML, in bytes from the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) start: usize,
    pub(super) end: usize,
}

/// How a mark lies to what it marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// The element holds the quotation.
    Holds,
    /// All after the element belongs to the quotation.
    Heads,
    /// A line above the quoting element that follows.
    Above,
}

/// Finds the first quotation.
pub(super) fn find(html: &str) -> Option<Extent> {
    let mut start = None;
    let mut rule = None;
    let mut open: Option<(String, usize)> = None;
    for (at, token) in Scanner::new(html) {
        match token {
            Token::Open(tag) => {
                if let Some((name, depth)) = &mut open {
                    *depth += usize::from(*name == tag.name);
                    continue;
                }
                match mark(&tag) {
                    Some(Mark::Heads) => {
                        let from = start.or(rule).unwrap_or(at);
                        return Some(Extent {
                            start: from,
                            end: html.len(),
                        });
                    }
                    Some(Mark::Above) => start = start.or(Some(at)),
                    Some(Mark::Holds) => {
                        start = start.or(Some(at));
                        open = Some((tag.name.clone(), 1));
                    }
                    None => {}
                }
                // Outlook on the web draws a rule right above its header block.
                rule = match tag.name.as_str() {
                    "hr" => Some(at),
                    "div" | "br" | "p" | "span" => rule,
                    _ => None,
                };
            }
            Token::Close(name) => {
                if let (Some((open_name, depth)), Some(from)) = (&mut open, start)
                    && *open_name == name
                {
                    *depth -= 1;
                    if *depth == 0 {
                        return Some(Extent {
                            start: from,
                            end: at,
                        });
                    }
                }
            }
            Token::Text(text) if !text.trim().is_empty() => rule = None,
            _ => {}
        }
    }
    // A holder that is never closed holds all that follows.
    match (start, open) {
        (Some(from), Some(_)) => Some(Extent {
            start: from,
            end: html.len(),
        }),
        _ => None,
    }
}

fn mark(tag: &Tag<'_>) -> Option<Mark> {
    let id = tag.id().unwrap_or_default();
    match id.as_str() {
        "divRplyFwdMsg"
        | "appendonsend"
        | "OLK_SRC_BODY_SECTION"
        | "stopSpelling"
        | "reply-intro"
        | "isForwardContent" => {
            return Some(Mark::Heads);
        }
        "mail-editor-reference-message-container" | "ms-outlook-mobile-body-separator-line" => {
            return Some(Mark::Holds);
        }
        _ => {}
    }
    if id.starts_with("yahoo_quoted") {
        return Some(Mark::Holds);
    }
    let holders = [
        "gmail_quote",
        "gmail_extra",
        "yahoo_quoted",
        "protonmail_quote",
        "tutanota_quote",
        "zmail_extra",
        "moz-forward-container",
    ];
    if holders.iter().any(|class| tag.has_class(class)) {
        return Some(Mark::Holds);
    }
    if tag.has_class("moz-cite-prefix") || tag.has_class("gmail_attr") {
        return Some(Mark::Above);
    }
    if tag.has_class("OutlookMessageHeader") {
        return Some(Mark::Heads);
    }
    match tag.name.as_str() {
        "blockquote" => {
            let cite = tag
                .attribute("type")
                .is_some_and(|kind| kind.eq_ignore_ascii_case("cite"));
            cite.then_some(Mark::Holds)
        }
        "div" => is_outlook_border(tag).then_some(Mark::Heads),
        _ => None,
    }
}

/// Outlook's desktop program draws the line above its header block as a border.
fn is_outlook_border(tag: &Tag<'_>) -> bool {
    let Some(style) = tag.attribute("style") else {
        return false;
    };
    let style: String = style
        .to_ascii_lowercase()
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect();
    [
        "border-top:solid#e1e1e11.0pt",
        "border-top:solid#b5c4df1.0pt",
        "border-top:solidwindowtext1.0pt",
        "border-top:1ptsolid#e1e1e1",
        "border-top:#b5c4df1ptsolid",
        "border-top:1pxsolid#b5c4df",
    ]
    .iter()
    .any(|border| style.contains(border))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn before(html: &str) -> &str {
        html.get(..find(html).unwrap().start).unwrap()
    }

    #[test]
    fn the_marks_of_the_common_programs_are_found() {
        assert_eq!(
            before("<p>new</p><hr tabindex=-1><div id=\"x_divRplyFwdMsg\"><b>From:</b>"),
            "<p>new</p>"
        );
        assert_eq!(
            before("a<div class=\"gmail_quote gmail_quote_container\">On …</div>"),
            "a"
        );
        assert_eq!(
            before("a<div class=moz-cite-prefix>On</div><blockquote type=cite>b</blockquote>"),
            "a"
        );
        assert_eq!(
            before(
                "a<div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0in 0in 0in'>"
            ),
            "a"
        );
    }

    #[test]
    fn a_quotation_that_ends_has_an_end() {
        let html = "a<blockquote type=cite>b<blockquote>c</blockquote></blockquote>d";
        assert_eq!(html.get(find(html).unwrap().end..), Some("</blockquote>d"));
    }

    #[test]
    fn a_quotation_somebody_typed_is_none() {
        assert_eq!(find("<p>He said</p><blockquote>so</blockquote>"), None);
    }
}
