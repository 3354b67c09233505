//! The duty to hand one message over, and each try at it.

use serde::{Deserialize, Serialize};

use super::ids::{ConversationId, DeliveryId, MailboxId, MessageId};
use super::mailbox::WayOut;
use super::words::words;
use crate::problem::Problem;

words! {
    /// Where a delivery stands.
    DeliveryState {
        /// To be handed over when its time comes.
        Queued = "queued",
        /// Being handed over.
        Sending = "sending",
        /// Accepted by the server.
        Sent = "sent",
        /// Will not be tried again by itself.
        Failed = "failed",
        /// We lost the connection, or died, between the data and the answer.
        Uncertain = "uncertain",
        /// Stopped by a person before it left.
        Cancelled = "cancelled",
    }
}

words! {
    /// What cancelled a delivery.
    StoppedBy {
        /// Nothing did, or it was not written down.
        Nothing = "",
        /// It was taken back, to be written again.
        Undo = "undo",
        /// A person decided that it does not leave.
        Person = "person",
        /// Mail came into the conversation first.
        Answer = "answer",
    }
}

/// When a reply leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Leaves {
    /// At once.
    #[default]
    AtOnce,
    /// When its undo window ends, unix milliseconds.
    AfterUndo {
        /// The end of the window.
        until_ms: i64,
    },
    /// At a time that a person set.
    At {
        /// The time.
        at: i64,
        /// Not at all when mail comes into the conversation before.
        unless_answered: bool,
    },
}

/// Most of what one mailbox's way out takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SendLimits {
    /// Recipients of one message.
    pub recipients: usize,
    /// Size of one message as it is sent, files encoded.
    pub message_bytes: u64,
}

/// A recipient that the server refused while it took the message for the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedRecipient {
    /// Who.
    pub address: String,
    /// Why.
    pub problem: Problem,
}

/// The duty to hand one message over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Row id.
    pub id: DeliveryId,
    /// The message.
    pub message_id: MessageId,
    /// The mailbox it leaves from.
    pub mailbox_id: MailboxId,
    /// Its conversation.
    pub conversation_id: ConversationId,
    /// Where it stands.
    pub state: DeliveryState,
    /// How often it has been tried.
    pub attempts: i64,
    /// When it is tried next.
    pub next_attempt_at: i64,
    /// What stopped the last try.
    pub problem: Option<Problem>,
    /// How it left or was last tried.
    pub way_out: Option<WayOut>,
    /// The server's last words.
    pub server_reply: String,
    /// Recipients the server refused.
    pub refused: Vec<RefusedRecipient>,
    /// When it was queued.
    pub created_at: i64,
    /// When it was sent, failed or cancelled.
    pub finished_at: Option<i64>,
    /// Until when it can be taken back, unix milliseconds; `None` when it had no undo window.
    pub undo_until_ms: Option<i64>,
    /// When a person asked that it leave; `None` for at once.
    pub scheduled_at: Option<i64>,
    /// Mail that comes into its conversation before it left cancels it.
    pub unless_answered: bool,
    /// What cancelled it.
    pub stopped_by: StoppedBy,
    /// Another reply was sent in its place.
    pub replaced: bool,
}

impl Delivery {
    /// A person may ask for another try, or that it leave now.
    #[must_use]
    pub fn can_retry(&self) -> bool {
        matches!(
            self.state,
            DeliveryState::Failed | DeliveryState::Uncertain | DeliveryState::Queued
        )
    }

    /// Whether it waits, untried, for a time that a person set.
    #[must_use]
    pub fn is_scheduled(&self) -> bool {
        self.state == DeliveryState::Queued && self.attempts == 0 && self.scheduled_at.is_some()
    }

    /// Whether the other side has it, or is about to: not while it waits for a set time, nor when it did not leave.
    #[must_use]
    pub fn counts_as_said(&self) -> bool {
        match self.state {
            DeliveryState::Sent | DeliveryState::Sending | DeliveryState::Uncertain => true,
            DeliveryState::Queued => !self.is_scheduled(),
            DeliveryState::Failed => self.has_come_back(),
            DeliveryState::Cancelled => false,
        }
    }

    /// The server took it, and it came back as undeliverable.
    #[must_use]
    pub fn has_come_back(&self) -> bool {
        self.problem
            .as_ref()
            .is_some_and(|problem| problem.code == "bounced")
    }

    /// A person may still stop it.
    #[must_use]
    pub fn can_cancel(&self) -> bool {
        matches!(self.state, DeliveryState::Queued | DeliveryState::Failed)
    }
}

/// One transaction with the server for a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// How.
    pub way_out: WayOut,
    /// When it began.
    pub started_at: i64,
    /// When it ended; `None` if we died in it.
    pub finished_at: Option<i64>,
    /// `interrupted`, `accepted`, `refused` or `unknown`.
    pub outcome: String,
    /// The server's words.
    pub detail: String,
}

/// A line of the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    /// The delivery.
    pub delivery: Delivery,
    /// From which mailbox.
    pub mailbox_address: String,
    /// Subject of the message.
    pub subject: String,
    /// All its tries, oldest first.
    pub tries: Vec<Attempt>,
}
