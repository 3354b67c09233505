//! Folders of a mailbox, how far we have read them, and what became of each message in them.

use super::ids::{FolderId, MailboxId, MessageId};
use super::ledger::Label;
use super::words::words;

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
