//! What a report returns of the message it is about: a part of its own, or a copy in the text.

use super::super::body::Attachment;
use super::super::header::{self, Headers};
use super::super::parse::Parsed;
use super::Original;
use super::words;

/// Lines of a copy in the text that are searched for its header fields.
const COPY_LINES_MAX: usize = 400;

/// A report, cut into its own words and what it returned.
#[derive(Debug, Default)]
pub(super) struct Returned<'a> {
    /// The report's own words.
    pub(super) own: &'a str,
    /// Whether anything of the original is there.
    pub(super) is_there: bool,
    /// Whether it is a part of its own.
    is_part: bool,
    /// Header fields of the original, as far as they were returned.
    pub(super) fields: Headers,
}

impl Returned<'_> {
    /// Whether it surely is a returned message, and not one that a person quotes.
    pub(super) fn is_certain(&self) -> bool {
        let by_server = ["received", "return-path", "message-id"];
        self.is_part || by_server.iter().any(|name| self.fields.has(name))
    }
}

/// Finds what was returned.
pub(super) fn find(message: &Parsed) -> Returned<'_> {
    let (own, copy) = match copy_in_text(&message.text) {
        Some((own, copy)) if !own.trim().is_empty() => (own, Some(copy)),
        _ => (message.text.as_str(), None),
    };
    let part = message.attachments.iter().find(|part| holds_original(part));
    let mut fields = part
        .map(|part| header::split(part.bytes.trim_ascii_start()).0)
        .unwrap_or_default();
    if fields.fields.is_empty()
        && let Some(copy) = copy
    {
        fields = fields_of_copy(copy);
    }
    Returned {
        own,
        is_there: part.is_some() || copy.is_some(),
        is_part: part.is_some(),
        fields,
    }
}

fn holds_original(part: &Attachment) -> bool {
    matches!(
        part.content_type.as_str(),
        "message/rfc822"
            | "message/global"
            | "message/global-headers"
            | "text/rfc822-headers"
            | "message/rfc822-headers"
            | "text/rfc822"
    )
}

/// The Message-ID of the original: returned, or referred to by the report itself (Exchange).
pub(super) fn message_id(message: &Parsed, returned: &Returned<'_>) -> Option<String> {
    returned
        .fields
        .ids("message-id")
        .into_iter()
        .next()
        .or_else(|| message.in_reply_to.first().cloned())
        .or_else(|| message.references.last().cloned())
}

/// What else the returned fields tell.
pub(super) fn original(message: &Parsed, returned: &Returned<'_>) -> Original {
    let fields = &returned.fields;
    let mut thread_ids: Vec<String> = fields.ids("x-microsoft-original-message-id");
    let newest_first = fields.ids("references").into_iter().rev();
    let further = message
        .in_reply_to
        .iter()
        .cloned()
        .chain(message.references.iter().rev().cloned())
        .chain(fields.ids("in-reply-to"))
        .chain(newest_first);
    for id in further {
        if !thread_ids.contains(&id) && thread_ids.len() < super::RECIPIENTS_MAX {
            thread_ids.push(id);
        }
    }
    Original {
        envelope_id: None,
        subject: fields
            .text("subject")
            .map(|subject| header::visible(&subject))
            .filter(|subject| !subject.is_empty()),
        to: fields.addresses("to"),
        thread_ids,
    }
}

/// Splits a report's text before the copy of the returned message, which begins with header fields.
fn copy_in_text(text: &str) -> Option<(&str, &str)> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let bare = line.trim_start_matches(['-', ' ', '=', '*', '|', '>', '\t', '_', '#']);
        let lower: String = bare.chars().take(60).flat_map(char::to_lowercase).collect();
        let begins = |list: &[&str]| list.iter().any(|start| lower.starts_with(start));
        if begins(words::COPY_FIELDS) || begins(words::COPY_MARKS) {
            return text.split_at_checked(at);
        }
        at += line.len();
    }
    None
}

/// The first block of header fields in a copy, whatever marks and quote signs stand before it.
fn fields_of_copy(copy: &str) -> Headers {
    let mut block = String::new();
    for line in copy.lines().take(COPY_LINES_MAX) {
        let line = line.trim_end();
        let plain = line.trim_start_matches(['>', '|']);
        let plain = if plain.len() == line.len() {
            plain
        } else {
            plain.strip_prefix(' ').unwrap_or(plain)
        };
        let is_field = plain.split_once(':').is_some_and(|(name, _)| {
            !name.is_empty()
                && name.len() < 60
                && name
                    .trim()
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        });
        if block.is_empty() {
            if is_field {
                block.push_str(plain.trim_start());
                block.push('\n');
            }
        } else if plain.trim().is_empty() {
            if has_name(&block) {
                break;
            }
            block.clear();
        } else if is_field && !plain.starts_with([' ', '\t']) {
            block.push_str(plain);
            block.push('\n');
        } else {
            block.push(' ');
            block.push_str(plain.trim_start());
            block.push('\n');
        }
    }
    header::split(block.as_bytes()).0
}

/// Whether a block of lines has a field that every message has: one without is a remark.
fn has_name(block: &str) -> bool {
    block.lines().any(|line| {
        let name = line.split(':').next().unwrap_or_default();
        ["message-id", "from", "received", "subject", "to"]
            .iter()
            .any(|known| name.trim().eq_ignore_ascii_case(known))
    })
}
