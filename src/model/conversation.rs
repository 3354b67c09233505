//! All messages about one matter with a contact, and what people do with them.

use super::ids::{AgentId, ContactId, ConversationId, MailboxId};
use super::message::{Direction, Kind};
use super::words::words;

words! {
    /// Where a conversation stands.
    Status {
        /// Someone should answer.
        Open = "open",
        /// Answered; the contact is to write next.
        Waiting = "waiting",
        /// Put off until a time.
        Snoozed = "snoozed",
        /// Done.
        Closed = "closed",
        /// Unwanted.
        Spam = "spam",
    }
}

/// An outside person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Row id.
    pub id: ContactId,
    /// Address, compared without case.
    pub address: String,
    /// Name, as the newest message gave it.
    pub name: String,
    /// When mail to the address came back last.
    pub bounced_at: Option<i64>,
}

impl Contact {
    /// The name, or the address where there is no name.
    #[must_use]
    pub fn label(&self) -> &str {
        if self.name.is_empty() {
            &self.address
        } else {
            &self.name
        }
    }
}

/// One conversation with what its page shows at the top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// Row id and number.
    pub id: ConversationId,
    /// The mailbox it came to.
    pub mailbox_id: MailboxId,
    /// That mailbox's name.
    pub mailbox_name: String,
    /// The person it is with.
    pub contact: Contact,
    /// Subject of its first message, without Re: and the like.
    pub subject: String,
    /// Where it stands.
    pub status: Status,
    /// Who has it.
    pub assignee_id: Option<AgentId>,
    /// That agent's name.
    pub assignee_name: Option<String>,
    /// How many messages.
    pub message_count: i64,
    /// When something last came or went.
    pub active_at: i64,
    /// When it began.
    pub created_at: i64,
    /// Grows with every change, over all conversations.
    pub revision: i64,
}

/// What a conversation began with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beginning {
    /// Subject of its first message, as written.
    pub subject: String,
    /// What wrote that message.
    pub kind: Kind,
    /// The conversation speaks of messages that are not here.
    pub names_others: bool,
}

/// A line of the inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationRow {
    /// Row id and number.
    pub id: ConversationId,
    /// The mailbox it came to.
    pub mailbox_id: MailboxId,
    /// That mailbox's name.
    pub mailbox_name: String,
    /// Name of the contact, or the address.
    pub contact_label: String,
    /// Subject.
    pub subject: String,
    /// First words of the newest message.
    pub preview: String,
    /// Where it stands.
    pub status: Status,
    /// Who has it.
    pub assignee_name: Option<String>,
    /// How many messages.
    pub message_count: i64,
    /// How many files in all its messages.
    pub attachment_count: i64,
    /// Who wrote last.
    pub last_direction: Direction,
    /// How many of its replies have failed or are uncertain.
    pub failed_count: i64,
    /// When something last came or went.
    pub active_at: i64,
    /// This agent has not seen the newest message.
    pub unread: bool,
}

words! {
    /// Which conversations a list shows.
    View {
        /// Open, whoever has them.
        Open = "open",
        /// Open and assigned to the agent who looks.
        Mine = "mine",
        /// Open and assigned to nobody.
        Unassigned = "unassigned",
        /// Answered, the contact is to write next.
        Waiting = "waiting",
        /// Done.
        Closed = "closed",
        /// What the provider took for spam, from a Junk folder that is watched.
        Spam = "spam",
    }
}

/// What an inbox page asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InboxQuery {
    /// Which conversations.
    pub view: View,
    /// Only this mailbox.
    pub mailbox_id: Option<MailboxId>,
    /// Who looks.
    pub agent_id: AgentId,
    /// Continue after this row (`active_at`, id) of the page before.
    pub after: Option<(i64, ConversationId)>,
    /// At most so many rows.
    pub limit: u32,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxPage {
    /// The rows, newest first.
    pub rows: Vec<ConversationRow>,
    /// Where the next page starts, if there is one.
    pub next: Option<(i64, ConversationId)>,
}

/// How many conversations each view holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InboxCounts {
    /// Open.
    pub open: i64,
    /// Open and assigned to the agent who looks.
    pub mine: i64,
    /// Open and assigned to nobody.
    pub unassigned: i64,
    /// Waiting.
    pub waiting: i64,
    /// Spam.
    pub spam: i64,
}

/// An internal remark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Row id.
    pub id: i64,
    /// Who wrote it.
    pub agent_name: String,
    /// What it says.
    pub text: String,
    /// When.
    pub created_at: i64,
}

words! {
    /// A logged change.
    EventKind {
        /// Given to an agent (named in the detail).
        Assigned = "assigned",
        /// Taken from everyone.
        Unassigned = "unassigned",
        /// Closed.
        Closed = "closed",
        /// Opened again, by a person or by new mail.
        Reopened = "reopened",
        /// Set to waiting.
        Waiting = "waiting",
        /// A reply came back as undeliverable (address and reason in the detail).
        Bounced = "bounced",
        /// A reply is held up on its way, the server goes on trying (addresses in the detail).
        Delayed = "delayed",
        /// A message was moved here (from the conversation in the detail).
        MovedIn = "moved_in",
        /// A message was moved away (to the conversation in the detail).
        MovedOut = "moved_out",
    }
}

/// A logged change of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Row id.
    pub id: i64,
    /// What happened.
    pub kind: EventKind,
    /// Who did it; `None` when mail did.
    pub agent_name: Option<String>,
    /// To whom or why.
    pub detail: String,
    /// When.
    pub created_at: i64,
}
