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
}

impl Delivery {
    /// A person may ask for another try.
    #[must_use]
    pub fn can_retry(&self) -> bool {
        matches!(self.state, DeliveryState::Failed | DeliveryState::Uncertain)
            || (self.state == DeliveryState::Queued && self.attempts > 0)
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
