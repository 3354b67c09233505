//! Delivery reports: who did not get a message and why. Reads the standard form (RFC 3464), which
//! Exchange uses too, and falls back on the words of older servers.

mod words;

use serde::Serialize;

use super::body::Attachment;
use super::header;
use super::parse::Parsed;
use crate::model::Address;

/// Recipients read of one report.
const RECIPIENTS_MAX: usize = 200;
/// Longest diagnostic kept, in characters.
const DIAGNOSTIC_MAX: usize = 1_000;

/// A delivery report.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Bounce {
    /// What became of each recipient.
    pub recipients: Vec<BouncedRecipient>,
    /// The Message-ID of the message the report is about.
    pub original_message_id: Option<String>,
}

/// One recipient of a report.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct BouncedRecipient {
    /// The address.
    pub address: String,
    /// `failed`, `delayed`, `delivered`, `relayed` or `expanded`.
    pub action: String,
    /// The status code, e.g. `5.1.1` (RFC 3463); empty when not given.
    pub status: String,
    /// The refusing server's words; empty when not given.
    pub diagnostic: String,
}

impl Bounce {
    /// Whether some recipient did not get the message, or not yet.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        self.recipients.is_empty()
            || self
                .recipients
                .iter()
                .any(|r| matches!(r.action.as_str(), "failed" | "delayed"))
    }
}

/// Reads a delivery report; `None` when the message is none.
#[must_use]
pub fn read(message: &Parsed) -> Option<Bounce> {
    let mut recipients = Vec::new();
    let mut standard = false;
    for part in &message.attachments {
        if matches!(
            part.content_type.as_str(),
            "message/delivery-status" | "message/global-delivery-status"
        ) {
            standard = true;
            status_groups(part, &mut recipients);
        }
    }
    if !standard && !looks_like_report(message) {
        return None;
    }
    if recipients.is_empty() {
        recipients = from_words(message);
    }
    if !standard
        && recipients.is_empty()
        && !has_returned_message(message)
        && !is_sure_sender(message)
    {
        return None;
    }
    for recipient in &mut recipients {
        if recipient.status.is_empty() {
            recipient.status = status_in(&recipient.diagnostic).unwrap_or_default();
        }
    }
    recipients.truncate(RECIPIENTS_MAX);
    Some(Bounce {
        recipients,
        original_message_id: original_message_id(message),
    })
}

/// The groups of fields of a message/delivery-status part: the first is about the message, each
/// further one about a recipient (RFC 3464 section 2.1).
fn status_groups(part: &Attachment, recipients: &mut Vec<BouncedRecipient>) {
    let text = String::from_utf8_lossy(&part.bytes)
        .replace("\r\n", "\n")
        .replace('\r', "\n");
    for group in text.split("\n\n").take(RECIPIENTS_MAX * 2) {
        let group = group.trim_start_matches('\n');
        let (fields, _, _) = header::split(group.as_bytes());
        let address = fields
            .text("final-recipient")
            .or_else(|| fields.text("original-recipient"))
            .map(|value| typed_value(&value));
        let Some(address) = address.filter(|address| !address.is_empty()) else {
            continue;
        };
        let original = fields
            .text("original-recipient")
            .map(|value| typed_value(&value));
        let address = if address.contains('@') {
            address
        } else {
            original.unwrap_or(address)
        };
        let action = fields.text("action").unwrap_or_default();
        let action = action
            .split(|c: char| c.is_whitespace() || c == '(')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let status = fields.text("status").unwrap_or_default();
        let mut diagnostic = fields
            .text("diagnostic-code")
            .map(|value| typed_value(&value))
            .unwrap_or_default();
        if diagnostic.is_empty() {
            diagnostic = fields
                .text("x-display-name")
                .map(|_| String::new())
                .unwrap_or_default();
        }
        let recipient = BouncedRecipient {
            address: address.trim_matches(['<', '>', ' ']).to_owned(),
            action: if action.is_empty() {
                "failed".to_owned()
            } else {
                action
            },
            status: status_in(&status).unwrap_or_default(),
            diagnostic: diagnostic.chars().take(DIAGNOSTIC_MAX).collect(),
        };
        if !recipients
            .iter()
            .any(|known| known.address == recipient.address && known.action == recipient.action)
        {
            recipients.push(recipient);
        }
    }
}

/// `rfc822; ada@example.com` without its type.
fn typed_value(value: &str) -> String {
    let value = value.trim();
    let (kind, rest) = value.split_once(';').unwrap_or(("", value));
    let typed = !kind.contains('@') && !kind.contains(' ') && kind.len() < 30;
    let value = if typed { rest } else { value };
    value.trim().trim_matches(['<', '>', '"']).to_owned()
}

/// An enhanced status code such as `5.1.1` in a text.
fn status_in(text: &str) -> Option<String> {
    text.split(|c: char| !(c.is_ascii_digit() || c == '.'))
        .find_map(|word| {
            let word = word.trim_matches('.');
            let mut pieces = word.split('.');
            let class = pieces.next()?;
            let (subject, detail) = (pieces.next()?, pieces.next()?);
            let short = |piece: &str| !piece.is_empty() && piece.len() <= 3;
            let valid = matches!(class, "2" | "4" | "5")
                && short(subject)
                && short(detail)
                && pieces.next().is_none();
            valid.then(|| word.to_owned())
        })
}

fn is_sure_sender(message: &Parsed) -> bool {
    message.headers.has("x-failed-recipients")
        || message.headers.has("x-ms-exchange-message-is-ndr")
}

fn has_returned_message(message: &Parsed) -> bool {
    let returned = |a: &Attachment| {
        matches!(
            a.content_type.as_str(),
            "message/rfc822" | "text/rfc822-headers" | "message/rfc822-headers"
        )
    };
    message.attachments.iter().any(returned) || copy_in_text(&message.text).is_some()
}

/// Reports without the standard part: from a mail system, and with the words of a report.
fn looks_like_report(message: &Parsed) -> bool {
    if is_sure_sender(message) {
        return true;
    }
    let sender = message
        .from
        .iter()
        .chain(&message.sender)
        .any(is_mail_system);
    let empty_path = message
        .headers
        .text("return-path")
        .is_some_and(|path| path.trim() == "<>");
    let subject = message.subject.to_lowercase();
    let by_subject = words::SUBJECTS.iter().any(|words| subject.contains(words));
    let head: String = message
        .text
        .chars()
        .take(4_000)
        .collect::<String>()
        .to_lowercase();
    let head = head.split_whitespace().collect::<Vec<_>>().join(" ");
    let by_text = words::TEXTS.iter().any(|words| head.contains(words));
    (by_subject && (sender || (empty_path && by_text))) || (sender && by_text)
}

fn is_mail_system(from: &Address) -> bool {
    let local = from
        .address
        .split('@')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let name = from.name.to_ascii_lowercase();
    words::SYSTEM_ADDRESSES
        .iter()
        .any(|word| local.starts_with(word) || name.starts_with(word))
        || words::SYSTEM_NAMES.iter().any(|word| name.contains(word))
}

/// Recipients by the words of the text: `<ada@x.org>: reason` (Postfix, qmail), `X-Failed-Recipients`
/// (Exim), addresses on lines of their own (Sendmail, Exchange).
fn from_words(message: &Parsed) -> Vec<BouncedRecipient> {
    let text = copy_in_text(&message.text).map_or(message.text.as_str(), |(before, _)| before);
    let delayed = is_delay(message, text);
    let action = if delayed { "delayed" } else { "failed" };
    let mut found: Vec<BouncedRecipient> = Vec::new();
    let mut add = |address: &str, diagnostic: &str| {
        let address = address.trim_matches(['<', '>', '"', '\'', ' ', ':', ',']);
        let known = found
            .iter()
            .any(|r| r.address.eq_ignore_ascii_case(address));
        if is_address(address) && !known && found.len() < RECIPIENTS_MAX {
            found.push(BouncedRecipient {
                address: address.to_owned(),
                action: action.to_owned(),
                status: String::new(),
                diagnostic: diagnostic.trim().chars().take(DIAGNOSTIC_MAX).collect(),
            });
        }
    };
    let lines: Vec<&str> = text.lines().take(2_000).collect();
    for list in message.headers.texts("x-failed-recipients") {
        for address in list.split([',', ' ']) {
            add(address, "");
        }
    }
    for (at, line) in lines.iter().enumerate() {
        let trimmed = line.trim();
        let reason = || {
            lines
                .get(at + 1..)
                .unwrap_or_default()
                .iter()
                .take(3)
                .map(|l| l.trim())
                .collect::<Vec<_>>()
                .join(" ")
        };
        if let Some((address, rest)) = trimmed
            .strip_prefix('<')
            .and_then(|inside| inside.split_once('>'))
        {
            let rest = rest.trim_start_matches([':', ' ', '.']);
            if trimmed.contains(">:") || rest.is_empty() || rest.starts_with('(') {
                let reason = format!("{rest} {}", reason());
                add(address, &reason);
            }
        } else if is_address(trimmed.trim_end_matches([':', ','])) {
            add(trimmed, &reason());
        } else if let Some((head, rest)) = trimmed.split_once(": ")
            && is_address(head)
        {
            add(head, rest);
        }
    }
    if found.is_empty() {
        add_any_address(message, text, action, &mut found);
    }
    let overall = status_in(text).unwrap_or_default();
    for recipient in &mut found {
        recipient.status = status_in(&recipient.diagnostic).unwrap_or_else(|| overall.clone());
    }
    found
}

/// The last resort: any address in the report's own words that is neither the sender's nor a server's.
fn add_any_address(message: &Parsed, text: &str, action: &str, found: &mut Vec<BouncedRecipient>) {
    let people = message
        .from
        .iter()
        .chain(&message.to)
        .chain(&message.reply_to);
    let own: Vec<String> = people.map(|a| a.address.to_ascii_lowercase()).collect();
    for line in text.lines().take(80) {
        // A line of the returned message's header names its recipients, not the failed ones.
        let field = line
            .split_once(':')
            .map(|(name, _)| name.trim().to_ascii_lowercase());
        if field.is_some_and(|name| {
            matches!(name.as_str(), "to" | "from" | "cc" | "reply-to" | "sender")
        }) {
            continue;
        }
        let edges = |c: char| {
            matches!(
                c,
                '<' | '>'
                    | '('
                    | ')'
                    | '"'
                    | '\''
                    | ','
                    | ';'
                    | ':'
                    | '['
                    | ']'
                    | '.'
                    | '!'
                    | '*'
                    | '`'
            )
        };
        let words = line
            .split(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | ';' | ',' | '"' | '='));
        for word in words {
            let word = word
                .trim_matches(edges)
                .trim_start_matches("mailto:")
                .trim_start_matches("rfc822:");
            let lower = word.to_ascii_lowercase();
            let server = words::SYSTEM_ADDRESSES
                .iter()
                .any(|start| lower.starts_with(start));
            let known = found.iter().any(|r| r.address.eq_ignore_ascii_case(word));
            if is_address(word) && !server && !known && !own.contains(&lower) && found.len() < 10 {
                found.push(BouncedRecipient {
                    address: word.to_owned(),
                    action: action.to_owned(),
                    status: String::new(),
                    diagnostic: line.trim().chars().take(DIAGNOSTIC_MAX).collect(),
                });
            }
        }
    }
}

fn is_delay(message: &Parsed, text: &str) -> bool {
    let subject = message.subject.to_lowercase();
    let text: String = text.chars().take(3_000).collect::<String>().to_lowercase();
    let words = [
        "delayed",
        "warning",
        "will retry",
        "will be retried",
        "still trying",
        "not yet been delivered",
        "will keep trying",
    ];
    let delayed = words.iter().any(|word| subject.contains(word))
        || words.iter().skip(2).any(|word| text.contains(word));
    delayed && !subject.contains("failure") && !subject.contains("undeliver")
}

fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let plain = |c: char| {
        !c.is_whitespace() && !matches!(c, '<' | '>' | '(' | ')' | '"' | ',' | ';' | ':' | '/')
    };
    !local.is_empty()
        && domain.contains('.')
        && !domain.contains('@')
        && text.len() <= 254
        && text.chars().all(plain)
        && domain
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '.' | '-'))
}

/// The Message-ID of the returned message: from the part that holds it, or from its copy in the text.
fn original_message_id(message: &Parsed) -> Option<String> {
    let in_part = message.attachments.iter().find_map(|part| {
        let holds = part.content_type.starts_with("message/rfc822")
            || part.content_type.starts_with("message/global")
            || part.content_type == "text/rfc822-headers";
        if !holds || part.content_type.ends_with("delivery-status") {
            return None;
        }
        let (fields, _, _) = header::split(part.bytes.trim_ascii_start());
        fields.ids("message-id").into_iter().next()
    });
    let in_text = || {
        let (_, copy) = copy_in_text(&message.text)?;
        copy.lines().take(200).find_map(|line| {
            let (name, value) = line.trim_start_matches(['>', ' ', '|']).split_once(':')?;
            let is_id = name.trim().eq_ignore_ascii_case("message-id");
            is_id
                .then(|| header::message_ids(value.as_bytes()).into_iter().next())
                .flatten()
        })
    };
    in_part
        .or_else(in_text)
        .or_else(|| message.in_reply_to.first().cloned())
        .or_else(|| message.references.last().cloned())
}

/// Splits a report's text before the copy of the returned message, which begins with header fields.
fn copy_in_text(text: &str) -> Option<(&str, &str)> {
    const MARKS: [&str; 14] = [
        "below this line is a copy",
        "--- original message",
        "original message follows",
        "message header follows",
        "this is a copy of the message",
        "returned message",
        "unsent message below",
        "original mail header",
        "original message headers",
        "----- original message",
        "headers of the original",
        "the header of the original",
        "message headers follow",
        "start of returned message",
    ];
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let lower = line
            .trim_start_matches(['-', ' ', '=', '*', '|', '>'])
            .to_lowercase();
        let field = lower.starts_with("received:")
            || lower.starts_with("return-path:")
            || lower.starts_with("message-id:");
        if field
            || MARKS
                .iter()
                .any(|mark| lower.starts_with(mark.trim_start_matches(['-', ' '])))
        {
            return text.split_at_checked(at);
        }
        at += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::parse;

    #[test]
    fn status_codes_are_found_and_addresses_of_servers_are_not_taken_for_them() {
        assert_eq!(
            status_in("smtp; 550 5.1.1 user unknown").as_deref(),
            Some("5.1.1")
        );
        assert_eq!(
            status_in("connect to 10.0.0.5: refused 4.4.1").as_deref(),
            Some("4.4.1")
        );
        assert_eq!(status_in("host 5.1.1.9"), None);
    }

    #[test]
    fn an_ordinary_message_is_no_report() {
        let raw =
            b"From: ada@x.org\r\nSubject: Delivery failure of my parcel\r\n\r\nwhere is it?\r\n";
        assert_eq!(read(&parse(raw).0), None);
    }

    #[test]
    fn qmails_words_are_read() {
        let raw = b"From: MAILER-DAEMON@x.org\r\nSubject: failure notice\r\n\r\nHi. This is the qmail-send program.\r\n\r\n<a@y.org>:\r\n\
                    1.2.3.4 does not like recipient.\r\nRemote host said: 550 5.1.1 no such user\r\n\r\n\
                    --- Below this line is a copy of the message.\r\n\r\nReceived: x\r\nMessage-ID: <o@x.org>\r\n";
        let bounce = read(&parse(raw).0).unwrap();
        assert_eq!(bounce.original_message_id.as_deref(), Some("o@x.org"));
        assert_eq!(
            (
                bounce.recipients[0].address.as_str(),
                bounce.recipients[0].status.as_str()
            ),
            ("a@y.org", "5.1.1")
        );
        assert_eq!(bounce.recipients.len(), 1);
    }
}
