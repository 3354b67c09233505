//! How far a message's sender can be believed.
//!
//! Two things go in: the [`Evidence`] that the message and its receiving server give, and what is
//! [`Known`] here (our addresses, our people, whom we write with). What comes out is an [`Assessment`]: findings,
//! each with what was found, what it means and what to do. Most mail has none. A rule that speaks of
//! honest mail every week is worse than none, for then nobody reads the one that matters.

mod files;
mod lookalike;
mod names;
mod results;
mod sender;
mod spam;

use super::parse::Parsed;
use crate::model::Address;

pub use files::{Risk, risk};
pub use lookalike::organisation;
pub use results::{Authentication, EXCHANGE, Verdicts, authentication, verdicts};
pub use spam::{Spam, spam};

/// How loud a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know; nothing is wrong.
    Info,
    /// Look twice.
    Warn,
    /// Believe nothing until it is confirmed another way.
    Danger,
}

/// Something worth saying about a sender or a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How loud it is.
    pub severity: Severity,
    /// What was found, in a few words.
    pub what: String,
    /// What it means.
    pub meaning: String,
    /// What to do; empty when there is nothing to do.
    pub advice: &'static str,
}

impl Finding {
    fn new(
        severity: Severity,
        what: impl Into<String>,
        meaning: impl Into<String>,
        advice: &'static str,
    ) -> Self {
        Self {
            severity,
            what: what.into(),
            meaning: meaning.into(),
            advice,
        }
    }
}

/// What a message says of its sender, and what its receiving server wrote down.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// From; the first counts.
    pub from: Address,
    /// Where answers are asked to go.
    pub reply_to: Vec<Address>,
    /// The receiving server's checks; none when it wrote none.
    pub verdicts: Option<Verdicts>,
    /// The filter's verdict, when it speaks against the message.
    pub spam: Option<Spam>,
    /// Handed in by somebody who had signed in at our own organisation.
    pub internal: bool,
    /// A mailing list or a forwarding stood between: its checks may fail although all is honest.
    pub relayed: bool,
}

/// What is known here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Domains of our own mailboxes, lower case.
    pub own_domains: Vec<String>,
    /// Names of our agents and mailboxes.
    pub colleagues: Vec<String>,
    /// Domains with which there are several conversations, lower case.
    pub partners: Vec<String>,
}

/// What can be said about a sender.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Assessment {
    /// Findings, the loudest first.
    pub findings: Vec<Finding>,
    /// The domain that confirmed the sender.
    pub confirmed: Option<String>,
}

/// Collects the evidence of a message as received by one of `receivers` (see [`verdicts`]).
#[must_use]
pub fn evidence(message: &Parsed, receivers: &[&str]) -> Evidence {
    let headers = &message.headers;
    let relayed = [
        "list-id",
        "list-post",
        "resent-from",
        "x-forwarded-to",
        "x-forwarded-for",
    ]
    .iter()
    .any(|name| headers.has(name));
    let internal = headers
        .text("x-ms-exchange-organization-authas")
        .is_some_and(|word| word.trim().eq_ignore_ascii_case("internal"));
    Evidence {
        from: message.from.first().cloned().unwrap_or_default(),
        reply_to: message.reply_to.clone(),
        verdicts: verdicts(headers, receivers),
        spam: spam(headers),
        internal,
        relayed,
    }
}

/// Weighs the evidence. `is_first`: it is the first message of its sender here.
#[must_use]
pub fn assess(evidence: &Evidence, known: &Known, is_first: bool) -> Assessment {
    let domain = domain_of(&evidence.from.address);
    let confirmed = sender::confirmed(evidence, &domain);
    let mut findings: Vec<Finding> = [
        spam::finding(evidence),
        sender::unconfirmed(evidence, known, &domain, confirmed.is_some()),
        names::finding(evidence, known, &domain),
        lookalike::finding(&domain, known),
        sender::answers_elsewhere(evidence, known, &domain),
    ]
    .into_iter()
    .flatten()
    .collect();
    if is_first {
        findings.push(sender::first());
    }
    // A stable sort: among equals the order above stays.
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    Assessment {
        findings,
        confirmed,
    }
}

/// The domain of an address in lower case; empty when it has none.
#[must_use]
pub fn domain_of(address: &str) -> String {
    address
        .rsplit_once('@')
        .map(|(_, domain)| domain.trim_matches(['[', ']', '.', ' ']).to_lowercase())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
