//! Folders of a mailbox, how far we have read them, and what became of each message in them.

use super::ids::{FolderId, MailboxId, MessageId};
use super::ledger::Label;
use super::mailbox::Mailbox;
use super::words::words;
use crate::problem::Problem;

words! {
    /// What a folder is for.
    FolderRole {
        /// INBOX.
        Inbox = "inbox",
        /// Sent Items in whatever language.
        Sent = "sent",
        /// Another folder the administrator chose.
        Other = "other",
    }
}

/// How far a folder has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// UIDVALIDITY under which the UIDs count (RFC 9051 §2.3.1.1).
    pub uid_validity: u32,
    /// The first UID not yet seen.
    pub next_uid: u32,
}

/// A watched folder (IMAP calls this a mailbox).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Row id.
    pub id: FolderId,
    /// Whose folder it is.
    pub mailbox_id: MailboxId,
    /// The name as the server spells it (modified UTF-7).
    pub raw_name: String,
    /// The name as people read it.
    pub name: String,
    /// What it is for.
    pub role: FolderRole,
    /// How far it has been read; `None` before the first sync.
    pub cursor: Option<Cursor>,
    /// Messages below this UID were there before and were not wanted.
    pub first_uid: u32,
    /// How many messages the server said it holds, at the last sync.
    pub server_count: Option<i64>,
    /// When the last sync ended.
    pub synced_at: Option<i64>,
    /// It is read. One that is not any more keeps what was received from it.
    pub watched: bool,
    /// An administrator chose it; nothing found by itself takes its place.
    pub chosen: bool,
    /// It holds what the provider took for spam.
    pub junk: bool,
    /// What arrived before is not taken; 0 takes all, `None` what the mailbox takes.
    pub take_since_at: Option<i64>,
    /// When it was chosen to be watched; `None` when it is watched since the mailbox was connected.
    pub began_at: Option<i64>,
    /// UIDNEXT when it was first read after that.
    pub began_uid: Option<u32>,
    /// What keeps it from being read.
    pub problem: Option<Problem>,
    /// When that was found, or looked into last.
    pub problem_at: Option<i64>,
}

impl Folder {
    /// What arrived before this is not taken from it.
    #[must_use]
    pub fn take_since_at(&self, mailbox: &Mailbox) -> Option<i64> {
        match self.take_since_at {
            None => mailbox.take_since_at,
            Some(0) => None,
            since => since,
        }
    }

    /// Whether a message stood in the folder before it was watched. Of a folder chosen later its UID tells, for
    /// people drag old mail into folders; else its arrival does.
    #[must_use]
    pub fn is_history(&self, mailbox: &Mailbox, uid: u32, arrived_at: i64) -> bool {
        match self.began_uid {
            Some(began_uid) => uid < began_uid,
            None => arrived_at < self.began_at.unwrap_or(mailbox.created_at),
        }
    }
}

words! {
    /// What became of one message seen in a folder.
    Fate {
        /// Stored as a message.
        Received = "received",
        /// Stored before, under another UID or in another folder.
        Duplicate = "duplicate",
        /// The provider's copy of a reply that we sent.
        OwnCopy = "own_copy",
        /// Not wanted, for the reason in the detail.
        Ignored = "ignored",
        /// Larger than the limit; not fetched.
        TooBig = "too_big",
        /// Could not be fetched or stored; the reason is in the detail.
        Unreadable = "unreadable",
        /// Exchange served a stand-in for the message; it is fetched again later.
        Stub = "stub",
        /// The server lists it but gives nothing for it.
        Absent = "absent",
    }
}

/// One row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FateRow {
    /// The folder it was seen in.
    pub folder_id: FolderId,
    /// UIDVALIDITY it was seen under.
    pub uid_validity: u32,
    /// Its UID.
    pub uid: u32,
    /// What became of it.
    pub fate: Fate,
    /// The message it is or repeats.
    pub message_id: Option<MessageId>,
    /// The reason, in words.
    pub detail: String,
    /// When that was decided.
    pub seen_at: i64,
    /// When it is tried again.
    pub retry_at: Option<i64>,
    /// How often it has been tried.
    pub attempts: i64,
    /// What it is, where no message is stored for it.
    pub label: Label,
    /// When a person said that it is fine so.
    pub dismissed_at: Option<i64>,
}

/// How many messages of a folder met a fate.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FateCount {
    /// The fate.
    pub fate: Fate,
    /// How many rows.
    pub count: i64,
}
