//! What a mailbox, its loops and its schedule do, in words for people.

use crate::model::{Fate, Mailbox, MailboxStatus, TakeFrom, WayOut, WriteBackSettings};
use crate::work::schedule;
use crate::work::status::Health;

/// A word with its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Label {
    /// The word.
    pub(super) text: &'static str,
    /// The class that colours it.
    pub(super) class: &'static str,
    /// The icon before it.
    pub(super) icon: &'static str,
}

const GOOD: &str = "chip chip-good";
const WARN: &str = "chip chip-warn";
const BAD: &str = "chip chip-bad";
const QUIET: &str = "chip";

/// How a mailbox is, in a word or two.
#[must_use]
pub(super) fn status(mailbox: &Mailbox) -> Label {
    let label = |text, class, icon| Label { text, class, icon };
    match mailbox.status {
        MailboxStatus::Choosing => label("Not finished", WARN, "hourglass"),
        MailboxStatus::NeedsSignIn => label("Sign in again", BAD, "key-round"),
        MailboxStatus::NeedsAdmin => label("Needs an administrator", BAD, "triangle-alert"),
        MailboxStatus::Paused => label("Paused", QUIET, "hourglass"),
        MailboxStatus::Active => {
            let sends = mailbox.send_problem.as_ref();
            if mailbox.problem.is_some() {
                label("Trying again", WARN, "refresh-cw")
            } else if sends.is_some_and(|problem| !problem.is_transient()) {
                label("Does not send", BAD, "triangle-alert")
            } else if mailbox.last_sync_at.is_none() {
                label("Starting", QUIET, "hourglass")
            } else {
                label("Works", GOOD, "circle-check")
            }
        }
    }
}

/// How a loop fares: the icon and its colour, with a word for those who do not see them.
#[must_use]
pub(super) const fn health(health: &Health) -> Label {
    match health {
        Health::Good => Label {
            text: "Good",
            class: "state state-good",
            icon: "circle-check",
        },
        Health::Busy => Label {
            text: "Busy",
            class: "state state-busy",
            icon: "refresh-cw",
        },
        Health::Trouble => Label {
            text: "Trouble",
            class: "state state-trouble",
            icon: "triangle-alert",
        },
        Health::Stopped => Label {
            text: "Stopped",
            class: "state state-stopped",
            icon: "hourglass",
        },
    }
}

/// How replies leave.
#[must_use]
pub(super) fn way_out(mailbox: &Mailbox) -> String {
    match mailbox.way_out {
        WayOut::Smtp if mailbox.shared && mailbox.send_as_upn => {
            format!("Replies leave through SMTP, signed in as {}.", mailbox.upn)
        }
        WayOut::Smtp => "Replies leave through SMTP.".to_owned(),
        WayOut::Graph => {
            "Replies leave through Microsoft Graph, for SMTP is switched off for this mailbox. Messages over about 3 MB need SMTP.".to_owned()
        }
    }
}

/// What is written back.
#[must_use]
pub(super) fn written_back(settings: &WriteBackSettings) -> String {
    match (settings.mark_read, &settings.move_to) {
        (false, None) => "Nothing".to_owned(),
        (true, None) => "Read marks".to_owned(),
        (false, Some(target)) => format!("Closed mail moves to {}", target.name),
        (true, Some(target)) => format!("Read marks; closed mail moves to {}", target.name),
    }
}

/// Which older mail is taken.
#[must_use]
pub(super) const fn take_from(take_from: &TakeFrom) -> &'static str {
    match take_from {
        TakeFrom::New => "Only mail that arrived after it was connected.",
        TakeFrom::Days => "Mail since a day that was chosen when it was connected.",
        TakeFrom::All => "All mail in its inbox.",
    }
}

/// A fate, to follow a number.
#[must_use]
pub(super) const fn fate(fate: &Fate) -> &'static str {
    match fate {
        Fate::Received => "received",
        Fate::Duplicate => "known already from elsewhere",
        Fate::OwnCopy => "copies of our own replies",
        Fate::Ignored => "left alone",
        Fate::TooBig => "too big",
        Fate::Unreadable => "unreadable",
        Fate::Stub => "not given out by Exchange yet",
        Fate::Absent => "listed, but not given out",
    }
}

/// Whether a person should look at messages with this fate.
#[must_use]
pub(super) const fn needs_person(fate: &Fate) -> bool {
    matches!(
        fate,
        Fate::TooBig | Fate::Unreadable | Fate::Stub | Fate::Absent
    )
}

/// A schedule in words; `None` for what is not cron.
#[must_use]
pub(super) fn schedule(cron: &str) -> Option<String> {
    if !schedule::is_cron(cron) {
        return None;
    }
    let fields: Vec<&str> = cron.split_whitespace().collect();
    let whole = |text: &str| text.parse::<u32>().ok();
    let step = |text: &str| {
        text.strip_prefix("*/")
            .or_else(|| text.strip_prefix("0/"))
            .and_then(whole)
    };
    let words = match fields.as_slice() {
        [second, "*", "*", "*", "*", "*", ..] if whole(second).is_some() => {
            "Every minute.".to_owned()
        }
        [second, minute, "*", "*", "*", "*", ..] if whole(second).is_some() => {
            match (step(minute), whole(minute)) {
                (Some(1), _) => "Every minute.".to_owned(),
                (Some(minutes), _) => format!("Every {minutes} minutes."),
                (None, Some(minute)) => format!("Every hour, {minute} minutes past."),
                (None, None) => return Some(OWN.to_owned()),
            }
        }
        [second, minute, hour, "*", "*", "*", ..] if whole(second).is_some() => {
            match (whole(minute), whole(hour), step(hour)) {
                (Some(minute), Some(hour), _) => format!("Every day at {hour:02}:{minute:02} UTC."),
                (Some(_), None, Some(hours)) => format!("Every {hours} hours."),
                _ => return Some(OWN.to_owned()),
            }
        }
        _ => OWN.to_owned(),
    };
    Some(words)
}

const OWN: &str = "On a schedule of its own.";

/// The next instants of a schedule, unix seconds UTC.
#[must_use]
pub(super) fn next_times(cron: &str, now: i64, count: usize) -> Vec<i64> {
    std::iter::successors(schedule::next(cron, 0, now), |at| {
        schedule::next(cron, 0, *at)
    })
    .take(count)
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_are_told_in_words() {
        for (cron, words) in [
            ("0 * * * * *", "Every minute."),
            ("0 */5 * * * *", "Every 5 minutes."),
            ("0 0 * * * *", "Every hour, 0 minutes past."),
            ("0 30 6 * * *", "Every day at 06:30 UTC."),
            ("0 0 */4 * * *", "Every 4 hours."),
            ("0 0 8-18 * * Mon-Fri", "On a schedule of its own."),
        ] {
            assert_eq!(schedule(cron).as_deref(), Some(words), "{cron}");
        }
        assert_eq!(schedule("every minute"), None);
    }

    #[test]
    fn the_next_instants_follow_each_other() {
        assert_eq!(next_times("0 * * * * *", 100, 3), [120, 180, 240]);
        assert!(next_times("never", 100, 3).is_empty());
    }
}
