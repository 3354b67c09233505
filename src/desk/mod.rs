//! What people do with a conversation: assign, close, reopen, wait, note, see, move a message. Each act is one
//! transaction that changes the conversation and logs an event, and none when nothing would change.

mod placement;

pub use placement::{Moved, move_message};

use crate::model::{Agent, AgentId, Conversation, ConversationId, EventKind, Status};
use crate::store::{self, Store, Tx};

/// Why an act was refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such conversation.
    #[error("there is no conversation with this number")]
    NoConversation,
    /// The agent it should go to does not exist or is disabled.
    #[error("this agent cannot be given conversations; choose another")]
    NoAgent,
    /// A note without text.
    #[error("a note needs some text")]
    EmptyNote,
    /// A note longer than [`NOTE_MAX_BYTES`].
    #[error("a note can be up to 100,000 characters; shorten it or attach it to a reply")]
    LongNote,
    /// There is no such message.
    #[error("there is no such message")]
    NoMessage,
    /// The conversation a message should go to is not there.
    #[error(
        "there is no conversation with this number; look for it in the inbox and enter its number"
    )]
    NoTarget,
    /// The conversation a message should go to is in another mailbox.
    #[error(
        "that conversation belongs to another mailbox; a message stays in the mailbox it came to"
    )]
    OtherMailbox,
    /// A message that is alone already should get a conversation of its own.
    #[error("this message is the only one here; it has a conversation of its own already")]
    OnlyMessage,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Longest note.
pub const NOTE_MAX_BYTES: usize = 100_000;

fn existing(tx: &Tx<'_>, id: ConversationId) -> Result<Conversation, Error> {
    store::conversations::find(tx, id)?.ok_or(Error::NoConversation)
}

/// Gives a conversation to an agent, or takes it from everyone.
///
/// # Errors
/// When the conversation or the agent is not there.
pub fn assign(
    store: &Store,
    now: i64,
    actor: &Agent,
    id: ConversationId,
    assignee: Option<AgentId>,
) -> Result<(), Error> {
    store.write(|tx| {
        let conversation = existing(tx, id)?;
        if conversation.assignee_id == assignee {
            return Ok(());
        }
        let (kind, name) = match assignee {
            None => (EventKind::Unassigned, String::new()),
            Some(agent_id) => {
                let agent = store::agents::find(tx, agent_id)?
                    .filter(|agent| agent.disabled_at.is_none())
                    .ok_or(Error::NoAgent)?;
                (EventKind::Assigned, agent.name)
            }
        };
        store::conversations::update_assignee(tx, id, assignee)?;
        store::events::insert(tx, id, Some(actor.id), kind, &name, now)?;
        Ok(())
    })
}

/// Closes a conversation: nothing is left to do.
///
/// # Errors
/// When it is not there.
pub fn close(store: &Store, now: i64, actor: &Agent, id: ConversationId) -> Result<(), Error> {
    set_status(store, now, actor, id, Status::Closed)
}

/// Opens a conversation again: someone should answer.
///
/// # Errors
/// When it is not there.
pub fn reopen(store: &Store, now: i64, actor: &Agent, id: ConversationId) -> Result<(), Error> {
    set_status(store, now, actor, id, Status::Open)
}

/// Sets a conversation to waiting: the contact is to write next.
///
/// # Errors
/// When it is not there.
pub fn wait(store: &Store, now: i64, actor: &Agent, id: ConversationId) -> Result<(), Error> {
    set_status(store, now, actor, id, Status::Waiting)
}

fn set_status(
    store: &Store,
    now: i64,
    actor: &Agent,
    id: ConversationId,
    status: Status,
) -> Result<(), Error> {
    store.write(|tx| {
        let conversation = existing(tx, id)?;
        Ok(change_status(
            tx,
            now,
            Some(actor.id),
            &conversation,
            status,
        )?)
    })
}

/// Sets where a conversation stands and logs it, inside a transaction that does more; nothing happens
/// when it stands there already.
///
/// # Errors
/// Those of the store.
pub fn change_status(
    tx: &Tx<'_>,
    now: i64,
    actor: Option<AgentId>,
    conversation: &Conversation,
    status: Status,
) -> store::Result<()> {
    if conversation.status == status {
        return Ok(());
    }
    let kind = match status {
        Status::Closed | Status::Spam => EventKind::Closed,
        Status::Waiting | Status::Snoozed => EventKind::Waiting,
        Status::Open => EventKind::Reopened,
    };
    store::conversations::update_status(tx, conversation.id, status, now)?;
    if status == Status::Closed {
        store::write_backs::insert_seen(tx, conversation.id, now)?;
        store::write_backs::insert_moves(tx, conversation.id, now)?;
    }
    store::events::insert(tx, conversation.id, actor, kind, "", now)
}

/// Adds an internal remark.
///
/// # Errors
/// When it is empty or too long, or the conversation is not there.
pub fn note(
    store: &Store,
    now: i64,
    actor: &Agent,
    id: ConversationId,
    text: &str,
) -> Result<(), Error> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::EmptyNote);
    }
    if text.len() > NOTE_MAX_BYTES {
        return Err(Error::LongNote);
    }
    store.write(|tx| {
        existing(tx, id)?;
        Ok(store::notes::insert(tx, id, actor.id, text, now)?)
    })
}

/// Writes down that this agent has seen the conversation as it is now. Does not touch the writer when
/// there was nothing new to see.
///
/// # Errors
/// Those of the store.
pub fn see(store: &Store, actor: &Agent, id: ConversationId) -> Result<(), Error> {
    if store.read(|db| store::views::is_unread(db, actor.id, id))? {
        store.write(|tx| store::views::upsert(tx, actor.id, id))?;
    }
    Ok(())
}
