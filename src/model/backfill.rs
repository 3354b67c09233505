//! Older mail that is fetched by date range, and how far that is.

use super::ids::{BackfillId, FolderId, MailboxId};
use super::words::words;
use crate::problem::Problem;

words! {
    /// Where a backfill stands.
    BackfillState {
        /// Its loop works on it, or waits for the server or for new mail.
        Running = "running",
        /// Stopped by a person, who may continue it.
        Paused = "paused",
        /// Everything that was asked for has its fate.
        Done = "done",
        /// It ended before that; the problem says why.
        Failed = "failed",
        /// Ended by a person. What was fetched stays.
        Cancelled = "cancelled",
    }
}

words! {
    /// Where a backfill stands in one folder.
    BackfillFolderState {
        /// Its turn comes, or it is being read.
        Waiting = "waiting",
        /// Read to its end.
        Done = "done",
        /// The folder is not on the server any more.
        Gone = "gone",
    }
}

/// A range of days, as the mail server counts days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Days {
    /// First second of the first day, unix seconds UTC.
    pub from_at: i64,
    /// First second after the last day.
    pub until_at: i64,
}

/// One fetching of older mail.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Backfill {
    /// Row id.
    pub id: BackfillId,
    /// Whose mail.
    pub mailbox_id: MailboxId,
    /// Where it stands.
    pub state: BackfillState,
    /// Which days; `None` for everything.
    pub days: Option<Days>,
    /// What holds it up, or why it failed.
    pub problem: Option<Problem>,
    /// When it was asked for.
    pub created_at: i64,
    /// When it ended.
    pub finished_at: Option<i64>,
    /// Its folders in the order they are read.
    pub folders: Vec<BackfillFolder>,
}

/// A backfill's part in one folder.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct BackfillFolder {
    /// Which.
    pub folder_id: FolderId,
    /// Its name as people read it.
    pub name: String,
    /// Where it stands.
    pub state: BackfillFolderState,
    /// UIDVALIDITY it was counted under; `None` before that.
    pub uid_validity: Option<u32>,
    /// Messages of the range.
    pub total: i64,
    /// How many of them had a fate before.
    pub known: i64,
    /// How many are still to be fetched.
    pub left: i64,
    /// How many were stored as new messages.
    pub received: i64,
}

impl Backfill {
    /// Whether it may still bring something.
    #[must_use]
    pub const fn is_under_way(&self) -> bool {
        matches!(self.state, BackfillState::Running | BackfillState::Paused)
    }

    /// Messages of the range in the folders counted so far.
    #[must_use]
    pub fn total(&self) -> i64 {
        self.folders.iter().map(|folder| folder.total).sum()
    }

    /// How many had a fate before.
    #[must_use]
    pub fn known(&self) -> i64 {
        self.folders.iter().map(|folder| folder.known).sum()
    }

    /// How many are still to be fetched.
    #[must_use]
    pub fn left(&self) -> i64 {
        self.folders.iter().map(|folder| folder.left).sum()
    }

    /// How many were stored as new messages.
    #[must_use]
    pub fn received(&self) -> i64 {
        self.folders.iter().map(|folder| folder.received).sum()
    }
}
