//! What is written back to a mailbox: marking as read, moving. Off unless an administrator wants it.

use super::ids::{FolderId, MailboxId, MessageId};
use super::words::words;
use crate::problem::Problem;

words! {
    /// What is done to a message in its mailbox.
    WriteBackAct {
        /// It is marked as read.
        Seen = "seen",
        /// It is moved to the folder of the settings.
        Move = "move",
    }
}

/// What an administrator wants written back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WriteBackSettings {
    /// Mark incoming mail as read when its conversation is answered or closed.
    pub mark_read: bool,
    /// Move mail of closed conversations to this folder.
    pub move_to: Option<MoveTarget>,
    /// What stopped it, or why the server cannot do it.
    pub problem: Option<Problem>,
    /// Since when.
    pub problem_at: Option<i64>,
}

impl WriteBackSettings {
    /// Whether anything is written back.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.mark_read || self.move_to.is_some()
    }
}

/// A folder that mail is moved to; it need not be watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoveTarget {
    /// The name as the server spells it (modified UTF-7).
    pub raw_name: String,
    /// The name as people read it.
    pub name: String,
}

/// One act to be done, in the queue that survives restarts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteBack {
    /// Row id.
    pub id: i64,
    /// In which mailbox.
    pub mailbox_id: MailboxId,
    /// In which folder.
    pub folder_id: FolderId,
    /// UIDVALIDITY the UID counts under.
    pub uid_validity: u32,
    /// The message's UID there.
    pub uid: u32,
    /// The message.
    pub message_id: MessageId,
    /// What is done.
    pub act: WriteBackAct,
    /// How often it was tried in vain.
    pub attempts: i64,
    /// The conversation of the message is closed.
    pub is_closed: bool,
    /// The Message-ID of the message; empty when it has none.
    pub internet_message_id: String,
}

/// How the queue of a mailbox stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WriteBackState {
    /// Acts still to be done.
    pub waiting: i64,
    /// Acts given up.
    pub given_up: i64,
    /// Why the last of those was given up.
    pub problem: Option<Problem>,
}
