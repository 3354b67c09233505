//! What a queued reply waits for, as a page shows it.

use crate::model::{Delivery, Mailbox, MailboxStatus};
use crate::problem::Problem;

/// What a queued reply waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Waiting {
    /// The end of its undo window, in so many milliseconds.
    Undo {
        /// Milliseconds.
        left_ms: i64,
    },
    /// A time that a person set.
    Time {
        /// The time.
        at: i64,
    },
    /// Its mailbox to be let send again.
    Held {
        /// Why it was stopped.
        problem: Option<Problem>,
    },
    /// Its mailbox to be resumed.
    Paused,
    /// The provider's limits, or a way out that is closed.
    Rest {
        /// Why.
        problem: Problem,
        /// Until when.
        until: i64,
    },
    /// Another try.
    Again,
    /// Its turn.
    Soon,
}

impl Waiting {
    /// What a queued delivery of this mailbox waits for at this moment.
    #[must_use]
    pub(super) fn of(delivery: &Delivery, mailbox: Option<&Mailbox>, now_ms: i64) -> Self {
        let now = now_ms.div_euclid(1_000);
        let untried = delivery.attempts == 0;
        if let Some(until_ms) = delivery.undo_until_ms
            && untried
            && until_ms > now_ms
        {
            return Self::Undo {
                left_ms: until_ms - now_ms,
            };
        }
        if let Some(at) = delivery.scheduled_at
            && at > now
        {
            return Self::Time { at };
        }
        if let Some(mailbox) = mailbox {
            if mailbox.sending_stopped_at.is_some() {
                return Self::Held {
                    problem: mailbox.send_problem.clone(),
                };
            }
            if mailbox.status == MailboxStatus::Paused {
                return Self::Paused;
            }
            if let Some(problem) = &mailbox.send_problem
                && mailbox.send_after_at > now
            {
                return Self::Rest {
                    problem: problem.clone(),
                    until: mailbox.send_after_at,
                };
            }
        }
        match &delivery.problem {
            Some(problem) if untried && delivery.next_attempt_at > now => Self::Rest {
                problem: problem.clone(),
                until: delivery.next_attempt_at,
            },
            Some(_) => Self::Again,
            None => Self::Soon,
        }
    }

    /// A word that changes when what is shown must be drawn again.
    #[must_use]
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Undo { .. } => "undo",
            Self::Time { .. } => "time",
            Self::Held { .. } => "held",
            Self::Paused => "paused",
            Self::Rest { .. } => "rest",
            Self::Again => "again",
            Self::Soon => "soon",
        }
    }

    /// As a label beside the reply.
    #[must_use]
    pub(super) const fn label(&self) -> &'static str {
        match self {
            Self::Undo { .. } => "Leaving",
            Self::Time { .. } => "Planned",
            Self::Held { .. } => "Held",
            Self::Paused | Self::Rest { .. } => "Waits",
            Self::Again | Self::Soon => "Queued",
        }
    }

    /// Whether a person may ask that it leave at once.
    #[must_use]
    pub(super) const fn can_hurry(&self) -> bool {
        matches!(self, Self::Time { .. } | Self::Rest { .. } | Self::Again)
    }

    /// Whole seconds left of the undo window, rounded up.
    #[must_use]
    pub(super) const fn seconds_left(left_ms: &i64) -> i64 {
        (*left_ms + 999) / 1_000
    }
}
