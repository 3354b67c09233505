//! The standard part of a report: groups of fields, the first about the message, each further one
//! about a recipient (RFC 3464 section 2.1; RFC 6533 for addresses that are not ASCII).

use super::super::body::Attachment;
use super::super::header::{self, Headers};
use super::super::parse::Parsed;
use super::anchor::is_address;
use super::{BouncedRecipient, DIAGNOSTIC_MAX, RECIPIENTS_MAX, status};

/// Whether a part is the standard part of a report.
pub(super) fn is_status_part(part: &Attachment) -> bool {
    matches!(
        part.content_type.as_str(),
        "message/delivery-status" | "message/global-delivery-status"
    )
}

/// The recipients and the envelope id of all standard parts.
pub(super) fn in_parts(message: &Parsed) -> (Vec<BouncedRecipient>, Option<String>) {
    let mut recipients = Vec::new();
    let mut envelope_id = None;
    // A refusal by a recipient's filter rule has the form of a receipt (RFC 5429 section 2.1.1).
    let parts = message.attachments.iter().filter(|part| {
        is_status_part(part) || part.content_type == "message/disposition-notification"
    });
    for part in parts {
        let text = String::from_utf8_lossy(&part.bytes);
        envelope_id = groups(&text, &mut recipients).or(envelope_id);
    }
    (recipients, envelope_id)
}

/// The same fields in the text itself, as some servers and gateways leave them.
pub(super) fn in_text(own: &str) -> Vec<BouncedRecipient> {
    let mut recipients = Vec::new();
    let mut at = 0;
    for line in own.split_inclusive('\n') {
        let name = line.split(':').next().unwrap_or_default().trim();
        let starts = ["reporting-mta", "final-recipient", "original-recipient"]
            .iter()
            .any(|field| name.eq_ignore_ascii_case(field));
        if starts {
            groups(own.get(at..).unwrap_or_default(), &mut recipients);
            break;
        }
        at += line.len();
    }
    recipients
}

/// Reads the groups of `text` into `recipients`; gives the Original-Envelope-Id.
fn groups(text: &str, recipients: &mut Vec<BouncedRecipient>) -> Option<String> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut envelope_id = None;
    for group in text.split("\n\n").take(RECIPIENTS_MAX * 2) {
        let (fields, _, _) = header::split(group.trim_start_matches(['\n', ' ']).as_bytes());
        for fields in by_recipient(fields) {
            envelope_id = envelope_id.or_else(|| {
                fields
                    .text("original-envelope-id")
                    .map(|id| id.trim().to_owned())
                    .filter(|id| !id.is_empty())
            });
            match recipient(&fields) {
                Some(new) => add(new, recipients),
                None => belated(&fields, recipients),
            }
        }
    }
    envelope_id
}

/// Cuts a group where a recipient begins without an empty line before it.
fn by_recipient(fields: Headers) -> Vec<Headers> {
    let starts = |name: &str| matches!(name, "final-recipient" | "original-recipient");
    let mut groups = vec![Headers::default()];
    for field in fields.fields {
        let repeats =
            starts(&field.name) && groups.last().is_some_and(|last| last.has(&field.name));
        if repeats {
            groups.push(Headers::default());
        }
        if let Some(last) = groups.last_mut() {
            last.fields.push(field);
        }
    }
    groups
}

fn recipient(fields: &Headers) -> Option<BouncedRecipient> {
    let typed = |name: &str| fields.text(name).map(|value| typed_address(&value));
    let final_one = typed("final-recipient").filter(|address| !address.is_empty());
    let original = typed("original-recipient").filter(|address| is_address(address));
    let address = original.or_else(|| final_one.clone())?;
    let status = fields.text("status").unwrap_or_default();
    let status = status::first_code(&status).unwrap_or_default();
    let action = action(&fields.text("action").unwrap_or_default(), &status);
    let diagnostic = fields.text("diagnostic-code").unwrap_or_default();
    let diagnostic = header::visible(&typed_value(&diagnostic));
    Some(BouncedRecipient {
        final_address: final_one
            .filter(|other| is_address(other) && !other.eq_ignore_ascii_case(&address)),
        address,
        action: action.to_owned(),
        status,
        diagnostic: diagnostic.chars().take(DIAGNOSTIC_MAX).collect(),
    })
}

fn add(new: BouncedRecipient, recipients: &mut Vec<BouncedRecipient>) {
    let known = recipients
        .iter()
        .any(|known| known.address == new.address && known.action == new.action);
    if !known && recipients.len() < RECIPIENTS_MAX {
        recipients.push(new);
    }
}

/// Fields of the last recipient that stand behind a stray empty line.
fn belated(fields: &Headers, recipients: &mut [BouncedRecipient]) {
    let Some(last) = recipients.last_mut() else {
        return;
    };
    if last.status.is_empty() {
        let status = fields.text("status").unwrap_or_default();
        last.status = status::first_code(&status).unwrap_or_default();
    }
    if last.diagnostic.is_empty() {
        let diagnostic = fields.text("diagnostic-code").unwrap_or_default();
        last.diagnostic = header::visible(&typed_value(&diagnostic));
    }
}

/// The action in the words of RFC 3464 section 2.3.3; some servers have words of their own.
fn action(given: &str, status: &str) -> &'static str {
    const WORDS: [(&str, &str); 8] = [
        ("delay", "delayed"),
        ("deliver", "delivered"),
        ("relay", "relayed"),
        ("expand", "expanded"),
        ("fail", "failed"),
        ("undeliver", "failed"),
        ("error", "failed"),
        ("reject", "failed"),
    ];
    let given = given.trim().to_ascii_lowercase();
    let known = WORDS.iter().find(|(start, _)| given.starts_with(start));
    known.map_or_else(
        || {
            if status.starts_with('2') {
                "delivered"
            } else {
                "failed"
            }
        },
        |(_, action)| action,
    )
}

/// `rfc822; ada@example.com` without its type.
fn typed_value(value: &str) -> String {
    let value = value.trim();
    let (kind, rest) = value.split_once(';').unwrap_or(("", value));
    let typed = kind.len() < 30
        && kind
            .trim()
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    let value = if typed { rest } else { value };
    value.trim().to_owned()
}

fn typed_address(value: &str) -> String {
    let mut value = typed_value(value);
    // `RFC822; rfc822;ada@example.com` is seen.
    if value.contains(';') {
        value = typed_value(&value);
    }
    let bare = |text: &str| {
        text.trim_matches(['<', '>', '"', '\'', ' ', ','])
            .to_owned()
    };
    let address = bare(&value);
    if is_address(&address) {
        return address;
    }
    value
        .split([' ', '\t', '<', '>', '('])
        .map(bare)
        .find(|word| is_address(word))
        .unwrap_or(address)
}
