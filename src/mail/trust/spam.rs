//! What filters wrote into the message. Exchange's fields cannot come from outside: its servers remove them
//! at the border ("header firewall"). Those of other filters are believed only where they speak against the
//! message, for a sender would hardly invent that.
//!
//! Exchange: <https://learn.microsoft.com/defender-office-365/message-headers-eop-mdo>.

use super::{Evidence, Finding, Severity};
use crate::mail::header::Headers;

/// A filter's verdict that speaks against a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spam {
    /// Sent to many who did not ask, but no crime.
    Bulk,
    /// Unwanted.
    Spam,
    /// The sender pretends to be somebody else.
    Impersonation,
    /// Wants passwords or money by deceit.
    Phishing,
    /// Carries harmful software.
    Malware,
}

/// Reads the filters' fields; the worst verdict counts.
#[must_use]
pub fn spam(headers: &Headers) -> Option<Spam> {
    let report = headers
        .text("x-forefront-antispam-report")
        .unwrap_or_default();
    [
        value(&report, "CAT").and_then(by_category),
        value(&report, "SFV").and_then(by_filter),
        by_level(headers.text("x-ms-exchange-organization-scl").as_deref()),
        by_level(value(&report, "SCL")),
        headers
            .text("x-microsoft-antispam")
            .as_deref()
            .and_then(|text| value(text, "BCL"))
            .and_then(|level| level.parse::<i32>().ok())
            // The threshold of Exchange's standard policy.
            .filter(|level| *level >= 7)
            .map(|_| Spam::Bulk),
        by_others(headers),
    ]
    .into_iter()
    .flatten()
    .max()
}

/// The value of `KEY:value;` in Exchange's reports.
fn value<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    text.split(';').find_map(|piece| {
        let (name, value) = piece.trim().split_once(':')?;
        name.trim()
            .eq_ignore_ascii_case(key)
            .then_some(value.trim())
    })
}

fn by_category(word: &str) -> Option<Spam> {
    match word.to_ascii_uppercase().as_str() {
        "MALW" | "AMP" | "SAP" | "FTBP" => Some(Spam::Malware),
        "PHSH" | "HPHSH" | "HPHISH" => Some(Spam::Phishing),
        "SPOOF" | "INTOS" | "BIMP" | "DIMP" | "GIMP" | "UIMP" => Some(Spam::Impersonation),
        "SPM" | "HSPM" | "OSPM" => Some(Spam::Spam),
        "BULK" => Some(Spam::Bulk),
        _ => None,
    }
}

/// `SPM`: the filter's own verdict; `SKS`: a rule of the organisation said so; `SKB`: on its block list.
fn by_filter(word: &str) -> Option<Spam> {
    matches!(word.to_ascii_uppercase().as_str(), "SPM" | "SKS" | "SKB").then_some(Spam::Spam)
}

/// The spam confidence level: 5 and above is spam.
fn by_level(level: Option<&str>) -> Option<Spam> {
    let level: i32 = level?.trim().parse().ok()?;
    (level >= 5).then_some(Spam::Spam)
}

/// `SpamAssassin`, rspamd, Barracuda and those that write like them.
fn by_others(headers: &Headers) -> Option<Spam> {
    let says_yes = [
        "x-spam-flag",
        "x-spam-status",
        "x-spam",
        "x-barracuda-spam-flag",
    ]
    .iter()
    .filter_map(|name| headers.text(name))
    .any(|text| {
        let word: String = text
            .trim()
            .chars()
            .take_while(char::is_ascii_alphabetic)
            .collect();
        word.eq_ignore_ascii_case("yes") || word.eq_ignore_ascii_case("true")
    });
    let virus = headers.text("x-virus-status").is_some_and(|text| {
        matches!(
            text.trim().to_ascii_lowercase().as_str(),
            "yes" | "infected"
        )
    });
    if virus {
        return Some(Spam::Malware);
    }
    says_yes.then_some(Spam::Spam)
}

pub(super) fn finding(evidence: &Evidence) -> Option<Finding> {
    let (severity, what, meaning, advice) = match evidence.spam? {
        Spam::Bulk => (
            Severity::Info,
            "Bulk mail",
            "The mail filter knows its sender for writing to many people who did not ask.",
            "",
        ),
        Spam::Spam => (
            Severity::Warn,
            "Marked as spam",
            "The mail filter took this message for spam, yet it was delivered.",
            "If it is from a customer after all, answer as usual.",
        ),
        Spam::Impersonation => (
            Severity::Danger,
            "May pretend to be somebody else",
            "The mail filter found that the sender looks like somebody you know, but is not.",
            "Do not answer, open files or follow links before you have asked that person another way.",
        ),
        Spam::Phishing => (
            Severity::Danger,
            "Marked as phishing",
            "The mail filter found that this message tries to get passwords or money by deceit.",
            "Follow no link, open no file and do not answer. Close it, or tell your administrator.",
        ),
        Spam::Malware => (
            Severity::Danger,
            "Marked as harmful",
            "The mail filter found harmful software in this message.",
            "Open no file of it. Tell your administrator.",
        ),
    };
    Some(Finding::new(severity, what, meaning, advice))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::parse;

    fn of(fields: &str) -> Option<Spam> {
        spam(&parse(format!("{fields}\r\n\r\nx").as_bytes()).0.headers)
    }

    #[test]
    fn exchanges_category_level_and_filter_verdict_are_read() {
        let report = |words: &str| {
            of(&format!(
                "X-Forefront-Antispam-Report: CIP:192.0.2.1;\r\n {words};DIR:INB;"
            ))
        };
        assert_eq!(report("SCL:1;SFV:NSPM;CAT:NONE"), None);
        assert_eq!(report("SCL:5;SFV:SPM;CAT:SPM"), Some(Spam::Spam));
        assert_eq!(report("SCL:8;SFV:SPM;CAT:HPHISH"), Some(Spam::Phishing));
        assert_eq!(report("SCL:1;SFV:NSPM;CAT:UIMP"), Some(Spam::Impersonation));
        assert_eq!(of("X-MS-Exchange-Organization-SCL: 9"), Some(Spam::Spam));
        assert_eq!(of("X-MS-Exchange-Organization-SCL: -1"), None);
        assert_eq!(of("X-Microsoft-Antispam: BCL:8;PCL:0;"), Some(Spam::Bulk));
        assert_eq!(of("X-Microsoft-Antispam: BCL:3;"), None);
    }

    #[test]
    fn other_filters_are_believed_when_they_speak_against_the_message() {
        assert_eq!(
            of("X-Spam-Status: Yes, score=12.1 required=5.0"),
            Some(Spam::Spam)
        );
        assert_eq!(of("X-Spam-Status: No, score=-1"), None);
        assert_eq!(of("X-Spam-Flag: YES"), Some(Spam::Spam));
    }
}
