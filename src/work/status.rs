//! What each loop is doing right now, as a sentence for people. Kept in memory; the store holds what
//! must survive.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use crate::model::MailboxId;

/// How a loop fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// Waits for work, all well.
    Good,
    /// Does something that takes a while.
    Busy,
    /// The last try failed. It goes on trying, rarely where a person must act first.
    Trouble,
    /// Has ended, or never begun.
    Stopped,
}

/// What one loop is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// How it fares.
    pub health: Health,
    /// What it does, in words.
    pub sentence: String,
    /// How far it is: done and total.
    pub progress: Option<(u64, u64)>,
}

impl Line {
    /// A line without progress.
    pub fn new(health: Health, sentence: impl Into<String>) -> Self {
        Self {
            health,
            sentence: sentence.into(),
            progress: None,
        }
    }
}

/// What the loops of a mailbox are doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// Its poller.
    pub receiving: Line,
    /// Its sender.
    pub sending: Line,
}

/// A part of the program for `/readyz` and the health page.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Part {
    /// `store`, `poll:3`, `send:3`, `backfill:3`, `write-back:3`, `janitor`, `alerts`.
    pub name: String,
    /// How it fares.
    pub health: Health,
    /// In words.
    pub sentence: String,
}

/// The name of a loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LoopName {
    /// Receives the mail of a mailbox.
    Poll(MailboxId),
    /// Sends the mail of a mailbox.
    Send(MailboxId),
    /// Fetches older mail of a mailbox, while that is asked for.
    Backfill(MailboxId),
    /// Marks as read and moves in a mailbox, where that is wanted.
    WriteBack(MailboxId),
    /// Cleans up, makes backups, keeps idle tokens alive.
    Janitor,
    /// Finds what administrators must know of, and tells them.
    Alerts,
}

impl std::fmt::Display for LoopName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Poll(id) => write!(f, "poll:{id}"),
            Self::Send(id) => write!(f, "send:{id}"),
            Self::Backfill(id) => write!(f, "backfill:{id}"),
            Self::WriteBack(id) => write!(f, "write-back:{id}"),
            Self::Janitor => f.write_str("janitor"),
            Self::Alerts => f.write_str("alerts"),
        }
    }
}

/// The board all loops write to.
#[derive(Debug)]
pub struct Board {
    lines: Mutex<BTreeMap<LoopName, Line>>,
    changes: watch::Sender<u64>,
}

impl Default for Board {
    fn default() -> Self {
        Self {
            lines: Mutex::default(),
            changes: watch::Sender::new(0),
        }
    }
}

impl Board {
    /// Says what a loop is doing.
    pub fn set(&self, name: LoopName, line: Line) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.get(&name) != Some(&line) {
            lines.insert(name, line);
            drop(lines);
            self.changes
                .send_modify(|count| *count = count.wrapping_add(1));
        }
    }

    /// Takes a loop off the board.
    pub fn remove(&self, name: LoopName) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.remove(&name).is_some() {
            drop(lines);
            self.changes
                .send_modify(|count| *count = count.wrapping_add(1));
        }
    }

    /// What a loop is doing, if it has begun.
    #[must_use]
    pub fn find(&self, name: LoopName) -> Option<Line> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.get(&name).cloned()
    }

    /// What a loop is doing.
    #[must_use]
    pub fn line(&self, name: LoopName) -> Line {
        self.find(name)
            .unwrap_or_else(|| Line::new(Health::Stopped, "Not started."))
    }

    /// All loops.
    #[must_use]
    pub fn parts(&self) -> Vec<Part> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines
            .iter()
            .map(|(name, line)| Part {
                name: name.to_string(),
                health: line.health,
                sentence: line.sentence.clone(),
            })
            .collect()
    }

    /// Rings when a line changes.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}
