//! In charge of what is counted per mailbox across connections: open connections, messages per
//! minute, and refused senders up to the block.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How long a block lasts, in seconds. Microsoft gives no number; it lifts by itself.
const BLOCK_SECONDS: i64 = 3600;

/// The counts of all mailboxes, by sign-in name in lower case.
#[derive(Debug, Default)]
pub(super) struct Limits {
    mailboxes: Mutex<BTreeMap<String, Counts>>,
}

#[derive(Debug, Default)]
struct Counts {
    connections: u32,
    sent_at: Vec<i64>,
    send_as_errors: u32,
    blocked_until: Option<i64>,
}

/// One counted connection; dropping it gives the place back.
#[derive(Debug)]
pub(super) struct Place {
    limits: Arc<Limits>,
    mailbox: String,
}

impl Limits {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Counts>> {
        self.mailboxes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place among the mailbox's connections; none when `most` are open.
    pub(super) fn connect(self: &Arc<Self>, mailbox: &str, most: u32) -> Option<Place> {
        let mailbox = mailbox.to_lowercase();
        let mut counts = self.lock();
        let entry = counts.entry(mailbox.clone()).or_default();
        if entry.connections >= most {
            return None;
        }
        entry.connections += 1;
        Some(Place {
            limits: Arc::clone(self),
            mailbox,
        })
    }

    /// Counts a message; false when `most` went out within the last minute.
    pub(super) fn message(&self, mailbox: &str, most: Option<u32>, now: i64) -> bool {
        let mut counts = self.lock();
        let entry = counts.entry(mailbox.to_lowercase()).or_default();
        entry.sent_at.retain(|at| *at > now - 60);
        let sent = u32::try_from(entry.sent_at.len()).unwrap_or(u32::MAX);
        if most.is_some_and(|most| sent >= most) {
            return false;
        }
        entry.sent_at.push(now);
        true
    }

    /// Counts a message from a sender the mailbox may not use.
    pub(super) fn send_as_error(&self, mailbox: &str, block_after: Option<u32>, now: i64) {
        let mut counts = self.lock();
        let entry = counts.entry(mailbox.to_lowercase()).or_default();
        entry.send_as_errors = entry.send_as_errors.saturating_add(1);
        if block_after.is_some_and(|most| entry.send_as_errors >= most) {
            entry.blocked_until = Some(now + BLOCK_SECONDS);
            entry.send_as_errors = 0;
        }
    }

    /// Whether the mailbox is blocked from submission.
    pub(super) fn is_blocked(&self, mailbox: &str, now: i64) -> bool {
        let counts = self.lock();
        let entry = counts.get(&mailbox.to_lowercase());
        entry
            .and_then(|entry| entry.blocked_until)
            .is_some_and(|until| now < until)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(entry) = self.limits.lock().get_mut(&self.mailbox) {
            entry.connections = entry.connections.saturating_sub(1);
        }
    }
}
