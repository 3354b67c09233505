//! Delivery reports: who did not get a message and why.
//!
//! [`read`] asks in turn: is it a report (`detect`; `notice` for Amazon's JSON), what did it return of our
//! message (`returned`), who is named in its standard part (`report`, RFC 3464, which Exchange uses too)
//! or by its words (`text`, with `anchor` and `named`), and what do codes and words say (`status`,
//! `cause`). [`explain`] turns the answer into a sentence for the person who wrote the message.

mod anchor;
mod cause;
mod detect;
mod explain;
mod named;
mod notice;
mod report;
mod returned;
mod status;
mod text;
mod words;

use serde::Serialize;

use super::parse::{self, Parsed};
use crate::model::Address;
use returned::Returned;
use text::Words;

pub use detect::{is_complaint, is_receipt};
pub use explain::explain;

/// Recipients read of one report.
const RECIPIENTS_MAX: usize = 200;
/// Longest diagnostic kept, in characters.
const DIAGNOSTIC_MAX: usize = 1_000;
/// A virus scanner wraps a report into another one; how many such wraps are opened.
const WRAPS_MAX: usize = 2;

/// A delivery report.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Bounce {
    /// What became of each recipient.
    pub recipients: Vec<BouncedRecipient>,
    /// The Message-ID of the message the report is about.
    pub original_message_id: Option<String>,
    /// What else ties the report to a message, where its Message-ID is missing or was replaced.
    #[serde(skip)]
    pub original: Original,
}

/// What a report tells of the message it is about, beside its Message-ID.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Original {
    /// The ENVID given when it was handed over (RFC 3461 section 4.4).
    pub envelope_id: Option<String>,
    /// Its subject.
    pub subject: Option<String>,
    /// Its To.
    pub to: Vec<Address>,
    /// Ids of the message and of its conversation, the likeliest first: former ids, then In-Reply-To and References
    /// of the report and of the returned message.
    pub thread_ids: Vec<String>,
}

/// One recipient of a report.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct BouncedRecipient {
    /// The address as it was written to (RFC 3464 section 2.3.1), when the report states it; else the
    /// final one.
    pub address: String,
    /// `failed`, `delayed`, `delivered`, `relayed` or `expanded`.
    pub action: String,
    /// The status code, e.g. `5.1.1` (RFC 3463): the refusing server's own, else the reporting
    /// server's, else one that its words stand for; empty when nothing tells.
    pub status: String,
    /// The refusing server's words; empty when not given.
    pub diagnostic: String,
    /// Where the address was forwarded to, when the report is about that.
    #[serde(skip)]
    pub final_address: Option<String>,
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

impl BouncedRecipient {
    /// What happened, what it means and what to do, in plain words.
    #[must_use]
    pub fn explanation(&self) -> &'static str {
        match self.action.as_str() {
            "delayed" => explain::DELAYED,
            "delivered" | "relayed" | "expanded" => explain::DELIVERED,
            _ => explain(&self.status, &self.diagnostic),
        }
    }
}

/// Reads a delivery report; `None` when the message is none.
#[must_use]
pub fn read(message: &Parsed) -> Option<Bounce> {
    read_wrapped(message, WRAPS_MAX)
}

fn read_wrapped(message: &Parsed, wraps: usize) -> Option<Bounce> {
    if let Some(bounce) = notice::read(message) {
        return Some(bounce);
    }
    let suspicion = detect::suspicion(message)?;
    let returned = returned::find(message);
    let own = returned.own;
    let (mut recipients, envelope_id) = report::in_parts(message);
    if recipients.is_empty() {
        recipients = report::in_text(own);
    }
    let in_report = !recipients.is_empty();
    let words = Words::read(own);
    let action = text::action(message, own);
    if !in_report {
        recipients = words.recipients(message, action);
    } else if let [only] = recipients.as_mut_slice()
        && !only.address.trim_start_matches('@').contains('@')
        && let [named] = words.recipients(message, action).as_slice()
    {
        // A local name, or nothing that can be written to.
        only.address.clone_from(&named.address);
    }
    let own_address = |one: &BouncedRecipient| {
        let from = message.from.iter();
        from.map(|from| &from.address)
            .any(|from| from.eq_ignore_ascii_case(&one.address))
    };
    let names_recipient = recipients.iter().any(|one| !own_address(one));
    if !in_report && !detect::confirmed(suspicion, message, &returned, names_recipient) {
        return None;
    }
    if recipients.is_empty()
        && let Some(inner) = wrapped_report(message, wraps)
    {
        return Some(inner);
    }
    if recipients.is_empty() {
        recipients = only_recipient(&returned, action);
    }
    recipients.truncate(RECIPIENTS_MAX);
    let alone = recipients.len() == 1;
    for recipient in &mut recipients {
        complete(recipient, &words, alone);
    }
    let mut bounce = Bounce {
        recipients,
        original_message_id: returned::message_id(message, &returned),
        original: returned::original(message, &returned),
    };
    bounce.original.envelope_id = envelope_id;
    Some(bounce)
}

/// Fills in from the report's own words what its standard part lacks.
fn complete(recipient: &mut BouncedRecipient, words: &Words<'_>, alone: bool) {
    let reason = words.reason(&recipient.address, alone);
    if recipient.diagnostic.is_empty() && recipient.action != "delivered" {
        reason.clone_into(&mut recipient.diagnostic);
    }
    recipient.diagnostic = recipient.diagnostic.chars().take(DIAGNOSTIC_MAX).collect();
    recipient.status = status::settle(recipient, reason);
}

/// The report inside a report that names nobody itself.
fn wrapped_report(message: &Parsed, wraps: usize) -> Option<Bounce> {
    let wraps = wraps.checked_sub(1)?;
    let inner = message
        .attachments
        .iter()
        .find(|part| part.content_type == "message/rfc822")?;
    let (inner, _) = parse::parse(&inner.bytes);
    let bounce = read_wrapped(&inner, wraps)?;
    (!bounce.recipients.is_empty()).then_some(bounce)
}

/// The one addressee of the returned message: when a report names nobody, it can only mean them.
fn only_recipient(returned: &Returned<'_>, action: &str) -> Vec<BouncedRecipient> {
    let to = returned.fields.addresses("to");
    match to.as_slice() {
        [only] if anchor::is_address(&only.address) => vec![BouncedRecipient {
            address: only.address.clone(),
            action: action.to_owned(),
            ..BouncedRecipient::default()
        }],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
