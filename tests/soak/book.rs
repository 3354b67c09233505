//! What was really done: which messages were put into which mailbox, which replies were asked for.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

/// A message that was put into a watched folder.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    /// The mailbox's address.
    pub(crate) mailbox: String,
    /// Stands in its subject.
    pub(crate) token: String,
    /// Its Message-ID without brackets; empty when it has none.
    pub(crate) id: String,
    /// Written in Outlook and filed in Sent Items, not by a customer.
    pub(crate) outlook: bool,
}

/// A reply that an agent wrote on the page.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    /// The mailbox it was written in.
    pub(crate) mailbox: String,
    /// Stands first in its text.
    pub(crate) token: String,
    /// The form's key.
    pub(crate) key: String,
    /// To and Cc.
    pub(crate) recipients: Vec<String>,
    /// The page said that it is on its way.
    pub(crate) accepted: bool,
}

/// What was done, as it is being done.
#[derive(Debug, Default)]
pub(crate) struct Book {
    letters: Mutex<Vec<Letter>>,
    replies: Mutex<Vec<Reply>>,
    /// Messages given to servers a second time, byte for byte.
    pub(crate) repeated: AtomicUsize,
    /// Messages that were moved out of the inbox and back.
    pub(crate) moved: AtomicUsize,
    /// Presses of the button beyond the first.
    pub(crate) pressed_again: AtomicUsize,
    /// Requests cut off on purpose.
    pub(crate) cut: AtomicUsize,
    over: AtomicBool,
    number: AtomicUsize,
}

fn lock<T>(list: &Mutex<T>) -> MutexGuard<'_, T> {
    list.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Book {
    /// A number nobody had before.
    pub(crate) fn number(&self) -> usize {
        self.number.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Notes a message before it is delivered.
    pub(crate) fn letter(&self, letter: Letter) {
        lock(&self.letters).push(letter);
    }

    /// Notes a reply before the form is sent.
    pub(crate) fn reply(&self, reply: Reply) {
        lock(&self.replies).push(reply);
    }

    /// Notes that the page took a reply.
    pub(crate) fn accepted(&self, token: &str) {
        let mut replies = lock(&self.replies);
        if let Some(reply) = replies.iter_mut().find(|reply| reply.token == token) {
            reply.accepted = true;
        }
    }

    /// All messages.
    pub(crate) fn letters(&self) -> Vec<Letter> {
        lock(&self.letters).clone()
    }

    /// All replies.
    pub(crate) fn replies(&self) -> Vec<Reply> {
        lock(&self.replies).clone()
    }

    /// How many messages, replies, and replies that the page took.
    pub(crate) fn counts(&self) -> (usize, usize, usize) {
        let replies = lock(&self.replies);
        let accepted = replies.iter().filter(|reply| reply.accepted).count();
        (lock(&self.letters).len(), replies.len(), accepted)
    }

    /// An earlier message to this mailbox.
    pub(crate) fn earlier(&self, mailbox: &str, choose: usize) -> Option<Letter> {
        let letters = lock(&self.letters);
        let fits = |letter: &&Letter| letter.mailbox == mailbox && !letter.id.is_empty();
        let some: Vec<&Letter> = letters.iter().rev().filter(fits).take(20).collect();
        Some((*some.get(choose % some.len().max(1))?).clone())
    }

    /// Everybody goes home.
    pub(crate) fn finish(&self) {
        self.over.store(true, Ordering::SeqCst);
    }

    /// Whether everybody goes home.
    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// Waits, and wakes up when everybody goes home.
    pub(crate) fn rest(&self, mut time: Duration) {
        let tick = Duration::from_millis(100);
        while !self.is_over() && !time.is_zero() {
            pause(time.min(tick));
            time = time.saturating_sub(tick);
        }
    }
}

/// Waits this long.
pub(crate) fn pause(time: Duration) {
    let (_keep, never) = mpsc::channel::<()>();
    let _ = never.recv_timeout(time);
}
