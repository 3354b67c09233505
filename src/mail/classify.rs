//! What kind of message it is: written by a person, or by a machine, and which machine.

mod auto_reply;

use super::bounce;
use super::parse::Parsed;
use crate::model::Kind;

/// Tells what kind of message it is.
#[must_use]
pub fn kind(message: &Parsed) -> Kind {
    if let Some(report) = bounce::read(message) {
        // A report that all went well is no bounce.
        return if report.is_failure() {
            Kind::Bounce
        } else {
            Kind::Notification
        };
    }
    if bounce::is_complaint(message) || bounce::is_receipt(message) {
        return Kind::Notification;
    }
    if auto_reply::is_one(message) {
        return Kind::AutoReply;
    }
    if is_list(message) {
        return Kind::List;
    }
    if is_notification(message) {
        return Kind::Notification;
    }
    Kind::Message
}

fn is_list(message: &Parsed) -> bool {
    let headers = &message.headers;
    let marks = [
        "list-id",
        "list-post",
        "list-unsubscribe",
        "x-mailing-list",
        "mailing-list",
        "x-mailman-version",
        "x-list-id",
        "x-campaignid",
        "x-listserver",
    ];
    marks.iter().any(|name| headers.has(name))
        || matches!(word(message, "precedence").as_str(), "list" | "bulk")
}

fn is_notification(message: &Parsed) -> bool {
    let submitted = word(message, "auto-submitted");
    if !submitted.is_empty() && submitted != "no" {
        return true;
    }
    if message.headers.text("content-type").is_some_and(|kind| {
        kind.trim_start()
            .to_ascii_lowercase()
            .starts_with("multipart/report")
    }) {
        return true;
    }
    if word(message, "precedence") == "junk" {
        return true;
    }
    // An empty return path says that nobody wants an answer (RFC 5321 section 4.5.5).
    message
        .headers
        .text("return-path")
        .is_some_and(|path| path.trim() == "<>")
}

/// The first word of a field, lower case, without parameters and comments.
fn word(message: &Parsed, name: &str) -> String {
    let text = message.headers.text(name).unwrap_or_default();
    text.split(|c: char| c == ';' || c == '(' || c.is_whitespace())
        .find(|word| !word.is_empty())
        .unwrap_or_default()
        .to_ascii_lowercase()
}

/// Whether this is the substitute Exchange serves over IMAP when it could not convert the real
/// message: to be fetched again later, never shown.
#[must_use]
pub fn is_retrieval_stub(message: &Parsed) -> bool {
    const WORDS: &str = "retrieval using the imap4 protocol failed for the following message";
    let by_server = message.from.iter().any(|from| {
        let name = from.name.to_ascii_lowercase();
        name.contains("microsoft exchange")
            || from
                .address
                .to_ascii_lowercase()
                .starts_with("microsoftexchange")
    });
    let subject = message.subject.to_ascii_lowercase();
    let head: String = message
        .text
        .chars()
        .take(500)
        .collect::<String>()
        .to_ascii_lowercase();
    (by_server || message.from.is_empty())
        && (subject.starts_with(WORDS) || head.trim_start().contains(WORDS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::parse;

    fn kind_of(fields: &str) -> Kind {
        kind(&parse(format!("From: a@x.org\r\n{fields}\r\n\r\nbody").as_bytes()).0)
    }

    #[test]
    fn the_fields_of_machines_tell_their_kind() {
        assert_eq!(kind_of("Subject: hi"), Kind::Message);
        assert_eq!(kind_of("Auto-Submitted: no"), Kind::Message);
        assert_eq!(
            kind_of("Auto-Submitted: auto-replied (vacation)"),
            Kind::AutoReply
        );
        assert_eq!(
            kind_of("Subject: Automatische Antwort: Drucker\r\nAuto-Submitted: auto-generated"),
            Kind::AutoReply
        );
        assert_eq!(
            kind_of("Subject: Auto reply settings do not work"),
            Kind::Message
        );
        assert_eq!(kind_of("List-Id: <x.y>\r\nPrecedence: list"), Kind::List);
        assert_eq!(
            kind_of("Auto-Submitted: auto-generated"),
            Kind::Notification
        );
    }

    #[test]
    fn exchanges_retrieval_stub_is_recognised() {
        let raw = b"From: \"Microsoft Exchange Server\" <x@y>\r\nSubject: Retrieval using the IMAP4 protocol failed for the following message: 17\r\n\r\n\
                    The server couldn't retrieve the following message";
        assert!(is_retrieval_stub(&parse(raw).0));
        let raw = b"From: ada@x.org\r\nSubject: Retrieval using the IMAP4 protocol failed for the following message: 17\r\n\r\nwhat is this?";
        assert!(!is_retrieval_stub(&parse(raw).0));
    }
}
