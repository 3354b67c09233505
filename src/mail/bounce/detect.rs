//! Whether a message is a report at all. The first tests look at header fields only, so ordinary mail
//! costs next to nothing; the text is read when they raise a suspicion.

use super::super::parse::Parsed;
use super::cause::Cause;
use super::report;
use super::returned::Returned;
use super::words::{self, begins, fold, holds};
use crate::model::Address;

/// Characters of the text that are searched for the sentences of a report.
const HEAD_MAX: usize = 4_000;
/// Bytes of a Content-Type that are looked at.
const CONTENT_TYPE_MAX: usize = 1_000;

/// How sure the header fields make it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Suspicion {
    /// A form that only reports have.
    Sure,
    /// It must also read like one.
    Signs(Signs),
}

/// What the header fields show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Signs {
    /// Sent by a mail system.
    system: bool,
    /// Sent so that nobody answers (RFC 5321 section 4.5.5, RFC 3834).
    automatic: bool,
    /// A subject that reports have.
    subject: bool,
}

/// Looks at the header fields and the kinds of parts.
pub(super) fn suspicion(message: &Parsed) -> Option<Suspicion> {
    let is_standard = declares(message, "multipart/report");
    if is_standard && declares(message, "delivery-status") {
        return Some(Suspicion::Sure);
    }
    if is_refusal_by_rule(message) {
        return Some(Suspicion::Sure);
    }
    if is_complaint(message) || is_receipt(message) {
        return None;
    }
    let has_status = message.attachments.iter().any(report::is_status_part);
    let by_field = message.headers.has("x-failed-recipients")
        || message.headers.has("x-ms-exchange-message-is-ndr");
    let system = is_from_mail_system(message);
    let subject = fold(&message.subject, 300);
    // A person may forward a report or ask about one.
    let by_person = !system && !is_standard && is_answer_or_forward(&subject);
    if (has_status || by_field) && !by_person {
        return Some(Suspicion::Sure);
    }
    let signs = Signs {
        system: system || is_standard,
        automatic: is_automatic(message),
        subject: holds(&subject, words::SUBJECTS),
    };
    let any = signs.system || signs.automatic || signs.subject;
    (any && !by_person).then_some(Suspicion::Signs(signs))
}

/// Whether the text bears a suspicion out.
pub(super) fn confirmed(
    suspicion: Suspicion,
    message: &Parsed,
    returned: &Returned<'_>,
    names_recipient: bool,
) -> bool {
    let Suspicion::Signs(signs) = suspicion else {
        return true;
    };
    if signs.system && signs.automatic && (signs.subject || returned.is_certain()) {
        return true;
    }
    // A postmaster may be a person who answers: their program writes both fields.
    let answers = !message.in_reply_to.is_empty() && !message.references.is_empty();
    if answers && !signs.automatic && !returned.is_certain() {
        return false;
    }
    let head = fold(returned.own, HEAD_MAX);
    let sentence = holds(&head, words::SENTENCES);
    if signs.system {
        let cause = sentence || Cause::by_words(&head).is_some();
        let reads_like_one = sentence || (cause && has_reply(&head));
        let evidence = returned.is_there || names_recipient;
        return (signs.subject && cause) || ((signs.subject || reads_like_one) && evidence);
    }
    // Anybody may write that something was not delivered: without a mail system's address, the report
    // must show what only a mail server knows, or speak of "your message".
    let returned = returned.is_certain();
    let by_machine = signs.automatic || returned || has_reply(&head);
    sentence
        && (signs.subject || returned)
        && (names_recipient || (signs.automatic && returned))
        && (by_machine || holds(&head, words::YOUR_MESSAGE))
}

fn has_reply(head: &str) -> bool {
    super::status::reply_code(head).is_some() || super::status::first_code(head).is_some()
}

/// Whether a word stands in the Content-Type.
fn declares(message: &Parsed, word: &str) -> bool {
    let raw = message.headers.raw("content-type").unwrap_or_default();
    let raw = raw.get(..CONTENT_TYPE_MAX).unwrap_or(raw);
    raw.windows(word.len())
        .any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
}

/// A complaint: somebody pressed "this is spam" on a message of ours (RFC 5965, and Hotmail's own form).
#[must_use]
pub fn is_complaint(message: &Parsed) -> bool {
    declares(message, "feedback-report")
        || message.headers.has("x-hmxmroriginalrecipient")
        || message.attachments.iter().any(|part| {
            part.content_type == "message/feedback-report"
                || (part.content_type == "message/rfc822"
                    && part.bytes.trim_ascii_start().get(..25).is_some_and(|head| {
                        head.eq_ignore_ascii_case(b"x-hmxmroriginalrecipient:")
                    }))
        })
}

/// A receipt: somebody's program says that a message of ours was shown, or deleted (RFC 8098).
#[must_use]
pub fn is_receipt(message: &Parsed) -> bool {
    declares(message, "disposition-notification")
        || message
            .attachments
            .iter()
            .any(|part| part.content_type == "message/disposition-notification")
        || is_outlook_receipt(&message.outlook_class.to_ascii_lowercase())
}

/// Outlook's receipts, as its own wrapping names them: read, or deleted unread (MS-OXTNEF section 2.1.3.5,
/// with the older names that stand beside them).
fn is_outlook_receipt(class: &str) -> bool {
    class.ends_with(".ipnrn")
        || class.ends_with(".ipnnrn")
        || class.contains("read receipt")
        || class.contains("non-read")
}

/// A recipient's filter rule refused the message: in the form of a receipt (RFC 5429 section 2.1.1),
/// marked by those who send it.
fn is_refusal_by_rule(message: &Parsed) -> bool {
    let submitted = message.headers.text("auto-submitted").unwrap_or_default();
    submitted.contains("(rejected)") && is_receipt(message)
}

fn is_automatic(message: &Parsed) -> bool {
    let path = message.headers.text("return-path").unwrap_or_default();
    let path = path.trim().to_ascii_lowercase();
    let submitted = message.headers.text("auto-submitted").unwrap_or_default();
    let submitted = submitted.trim().to_ascii_lowercase();
    path == "<>" || path.starts_with("<mailer-daemon") || submitted.starts_with("auto-")
}

fn is_from_mail_system(message: &Parsed) -> bool {
    // A list manager that answers by itself says so.
    message.headers.has("x-mlserver")
        || message
            .from
            .iter()
            .chain(&message.sender)
            .any(is_mail_system)
}

fn is_mail_system(from: &Address) -> bool {
    let local = from.address.split('@').next().unwrap_or_default();
    let local = fold(local, 100);
    let name = fold(&from.name, 100);
    words::SYSTEM_ADDRESSES
        .iter()
        .any(|word| local.starts_with(word) || name.trim_start_matches('"').starts_with(word))
        || words::SYSTEM_NAMES.iter().any(|word| name.contains(word))
}

/// `Re: Undeliverable …`, `Fwd: Returned mail …`: the words of a report right behind the prefix.
fn is_answer_or_forward(subject: &str) -> bool {
    let mut rest = subject.trim_start();
    let mut found = false;
    while let Some(after) = words::ANSWER_PREFIXES
        .iter()
        .find_map(|prefix| rest.strip_prefix(prefix))
    {
        found = true;
        rest = after.trim_start();
    }
    // A prefix before other words: `Re: order 17: delivery failed` says it of the order.
    found && (begins(rest, words::SUBJECTS) || !holds(rest, words::SUBJECTS))
}
