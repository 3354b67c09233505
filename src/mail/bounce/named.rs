//! The recipients that a report's words name, and the last resorts for reports that name them at no usual
//! place.

use super::super::parse::Parsed;
use super::anchor::bare_address;
use super::words::{self, fold};
use super::{BouncedRecipient, DIAGNOSTIC_MAX, RECIPIENTS_MAX, status};

/// Lines in which any address is taken when no other way finds one.
const LOOSE_LINES_MAX: usize = 80;

/// The recipients found so far.
pub(super) struct Found {
    pub(super) list: Vec<BouncedRecipient>,
    pub(super) action: &'static str,
}

impl Found {
    /// Where others are named, whoever gets the report is its sender and not a failed recipient.
    pub(super) fn drop_addressees(&mut self, message: &Parsed) {
        let is_addressee = |one: &BouncedRecipient| {
            let mut to = message.to.iter();
            to.any(|to| to.address.eq_ignore_ascii_case(&one.address))
        };
        if self.list.iter().any(|one| !is_addressee(one)) {
            self.list.retain(|one| !is_addressee(one));
        }
    }

    /// Adds an address; a later reason is taken where the first mention had none, or no code.
    pub(super) fn add(&mut self, address: &str, reason: &str) {
        let Some(address) = bare_address(address) else {
            return;
        };
        let reason: String = reason.trim().chars().take(DIAGNOSTIC_MAX).collect();
        let known = self
            .list
            .iter_mut()
            .find(|r| r.address.eq_ignore_ascii_case(address));
        if let Some(known) = known {
            let better = status::first_code(&known.diagnostic).is_none()
                && (known.diagnostic.is_empty() || status::first_code(&reason).is_some());
            if better && !reason.is_empty() {
                known.diagnostic = reason;
            }
        } else if self.list.len() < RECIPIENTS_MAX {
            self.list.push(BouncedRecipient {
                address: address.to_owned(),
                action: self.action.to_owned(),
                diagnostic: reason,
                ..BouncedRecipient::default()
            });
        }
    }
}

/// Recipients by the SMTP dialogue a report quotes.
pub(super) fn transcript(lines: &[&str], found: &mut Found) {
    for (at, line) in lines.iter().enumerate() {
        let lower = line.to_ascii_lowercase();
        let Some((_, after)) = lower
            .find("rcpt to:")
            .and_then(|start| line.split_at_checked(start + "rcpt to:".len()))
        else {
            continue;
        };
        let word = after.split_whitespace().next().unwrap_or_default();
        let answer = lines.get(at + 1..).unwrap_or_default().iter();
        let answer = answer
            .map(|line| line.trim())
            .find(|line| status::reply_code(line).is_some());
        found.add(word, answer.unwrap_or_default());
    }
}

/// The last resort: any address in the report's own words that is neither a sender's nor a server's.
pub(super) fn loose(message: &Parsed, lines: &[&str], found: &mut Found) {
    const FIELDS: [&str; 6] = ["to", "from", "cc", "reply-to", "sender", "mail from"];
    let people = message
        .from
        .iter()
        .chain(&message.to)
        .chain(&message.reply_to);
    let own: Vec<String> = people.map(|a| a.address.to_ascii_lowercase()).collect();
    for line in lines.iter().take(LOOSE_LINES_MAX) {
        // A line of the returned message's header names its recipients, not the failed ones.
        let field = line.split_once(':').map(|(name, _)| name.trim());
        if field.is_some_and(|name| FIELDS.iter().any(|field| name.eq_ignore_ascii_case(field))) {
            continue;
        }
        let parts = line.split(|c: char| {
            c.is_whitespace() || matches!(c, '<' | '>' | ';' | ',' | '"' | '=' | '(' | '[' | ']')
        });
        for part in parts {
            let part = part
                .trim_start_matches("mailto:")
                .trim_start_matches("rfc822:");
            let Some(address) = bare_address(part) else {
                continue;
            };
            let lower = address.to_ascii_lowercase();
            let server = words::SYSTEM_ADDRESSES
                .iter()
                .any(|start| lower.starts_with(start));
            if !server && !own.contains(&lower) && found.list.len() < 10 {
                found.add(address, line.trim());
            }
        }
    }
}

/// Names without a domain under a line such as `… to the following recipients:`: they are local to the
/// server that reports (AOL, Domino).
pub(super) fn local_names(message: &Parsed, lines: &[&str], found: &mut Found) {
    let Some((_, domain)) = message
        .from
        .first()
        .and_then(|from| from.address.split_once('@'))
    else {
        return;
    };
    let introduces = |line: &&&str| {
        let line = fold(line, 200);
        line.ends_with(':') && words::holds(&line, words::LABELS)
    };
    let Some(at) = lines.iter().position(|line| introduces(&line)) else {
        return;
    };
    let following = lines.get(at + 1..).unwrap_or_default().iter();
    let names = following
        .map(|line| line.trim())
        .skip_while(|line| line.is_empty())
        .take_while(|line| !line.is_empty());
    let is_name = |name: &&str| {
        name.len() <= 64
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
    };
    for name in names.take_while(is_name) {
        found.add(&format!("{name}@{domain}"), "");
    }
}
