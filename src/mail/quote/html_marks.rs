//! The marks mail programs leave in HTML around quotations and signatures.

use crate::mail::html::scan::Tag;

/// How a mark lies to what it marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// The element holds the quotation.
    Holds,
    /// All after the element belongs to the quotation.
    Heads,
    /// A line above the quoting element that follows.
    Above,
    /// A border as Outlook draws it: it heads a quotation when a header block follows.
    Border,
    /// The element holds the signature.
    Signature,
}

/// Whether elements of this name carry marks.
pub(super) fn may_carry(name: &str) -> bool {
    matches!(
        name,
        "div" | "blockquote" | "span" | "table" | "hr" | "p" | "section" | "body" | "td" | "a"
    )
}

const HEADS: [&str; 7] = [
    "divRplyFwdMsg",
    "appendonsend",
    "OLK_SRC_BODY_SECTION",
    "stopSpelling",
    "reply-intro",
    "isReplyContent",
    "zwchr",
];
const HOLDER_CLASSES: [&str; 14] = [
    "gmail_quote",
    "yahoo_quoted",
    "protonmail_quote",
    "tutanota_quote",
    "zmail_extra",
    "nylas-quote",
    "mailspring-quote",
    "front-blockquote",
    "hs_reply",
    "sh-quoted-content",
    "AppleOriginalContents",
    "ms-outlook-mobile-reference-message",
    "moz-cite",
    "quoted-message",
];
const SIGNATURE_CLASSES: [&str; 7] = [
    "gmail_signature",
    "gmail_signature_prefix",
    "moz-signature",
    "protonmail_signature_block",
    "ms-outlook-mobile-signature",
    "sh-signature",
    "yahoo-signature",
];

/// Reads a tag as a mark.
pub(super) fn read(tag: &Tag<'_>) -> Option<Mark> {
    let name = tag.name.as_str();
    tag.attributes().find_map(|(attribute, value)| {
        let is = |wanted: &str| attribute.eq_ignore_ascii_case(wanted);
        match () {
            () if is("id") => id_mark(value),
            () if is("class") => value.split_ascii_whitespace().find_map(class_mark),
            () if is("style") && name == "blockquote" => {
                // The bar at its side.
                holds(value, "border-left").then_some(Mark::Holds)
            }
            () if is("style") && matches!(name, "div" | "p" | "td") => border(value),
            () if name == "blockquote" && is("type") => {
                value.eq_ignore_ascii_case("cite").then_some(Mark::Holds)
            }
            () if name == "blockquote" && is("cite") => Some(Mark::Holds),
            () if name == "div" && is("name") => (value == "quote").then_some(Mark::Holds),
            () => None,
        }
    })
}

fn holds(text: &str, word: &str) -> bool {
    text.as_bytes()
        .windows(word.len())
        .any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
}

fn id_mark(id: &str) -> Option<Mark> {
    let id = id.trim_start_matches("x_");
    match id {
        "mail-editor-reference-message-container" | "ms-outlook-mobile-body-separator-line" => {
            Some(Mark::Holds)
        }
        "Signature" | "ms-outlook-mobile-signature" | "AppleMailSignature" => Some(Mark::Signature),
        _ if HEADS.contains(&id) => Some(Mark::Heads),
        _ => id.starts_with("yahoo_quoted").then_some(Mark::Holds),
    }
}

fn class_mark(class: &str) -> Option<Mark> {
    let class = class.trim_start_matches("x_");
    if HOLDER_CLASSES.contains(&class) {
        Some(Mark::Holds)
    } else if SIGNATURE_CLASSES.contains(&class) {
        Some(Mark::Signature)
    } else if matches!(class, "moz-cite-prefix" | "gmail_attr") {
        Some(Mark::Above)
    } else {
        (class == "OutlookMessageHeader").then_some(Mark::Heads)
    }
}

/// Outlook draws the line above its header block as the upper border of an element.
fn border(style: &str) -> Option<Mark> {
    if !holds(style, "border-top:") {
        return None;
    }
    let style = style.to_ascii_lowercase();
    let (_, border) = style.split_once("border-top:")?;
    let (border, rest) = border.split_once(';').unwrap_or((border, ""));
    let thin = ["1.0pt", "1pt", "1px"]
        .iter()
        .any(|width| border.contains(width));
    if !thin || !border.contains("solid") {
        return None;
    }
    // With just this padding the desktop program draws nothing else.
    let exact = rest.trim_start().starts_with("padding:3.0pt 0")
        || rest.trim_start().starts_with("padding:3pt 0");
    Some(if exact { Mark::Heads } else { Mark::Border })
}
