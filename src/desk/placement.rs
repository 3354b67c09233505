//! Moving a message to another conversation, or to one of its own.

use super::{Error, existing};
use crate::model::{
    Address, Agent, Conversation, ConversationId, Direction, EventKind, Message, MessageId,
    PlacedBy, Status,
};
use crate::store::{self, Store, Tx};

/// A message that was moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// Where it was.
    pub from: ConversationId,
    /// Where it is.
    pub to: ConversationId,
}

/// Moves a message to the conversation `to`, or to a new one with this `subject` when there is none. Its
/// ids go with it, so that later answers follow it too. Moving it back undoes it.
///
/// # Errors
/// When the message or the conversation is not there, the conversation is another mailbox's, or the
/// message would be alone as it is already.
pub fn move_message(
    store: &Store,
    now: i64,
    actor: &Agent,
    id: MessageId,
    to: Option<ConversationId>,
    subject: &str,
) -> Result<Moved, Error> {
    store.write(|tx| {
        let message = store::messages::find(tx, id)?.ok_or(Error::NoMessage)?;
        let from = existing(tx, message.conversation_id)?;
        if to == Some(from.id) {
            return Ok(Moved {
                from: from.id,
                to: from.id,
            });
        }
        let target = match to {
            Some(to) => store::conversations::find(tx, to)?.ok_or(Error::NoTarget)?,
            None if from.message_count < 2 => return Err(Error::OnlyMessage),
            None => begin(tx, now, &message, &from, subject)?,
        };
        if target.mailbox_id != from.mailbox_id {
            return Err(Error::OtherMailbox);
        }
        store::messages::update_conversation(tx, id, target.id, PlacedBy::Moved)?;
        store::deliveries::update_conversation(tx, id, target.id)?;
        store::threads::update_of_message(tx, id, target.id)?;
        let detail = |other: ConversationId| other.to_string();
        let actor = Some(actor.id);
        store::events::insert(
            tx,
            from.id,
            actor,
            EventKind::MovedOut,
            &detail(target.id),
            now,
        )?;
        store::events::insert(
            tx,
            target.id,
            actor,
            EventKind::MovedIn,
            &detail(from.id),
            now,
        )?;
        if from.message_count < 2 {
            // Nothing is left there: what its messages spoke of is spoken of in the other one now.
            store::threads::update_mentioned(tx, from.id, target.id)?;
            super::change_status(tx, now, actor, &from, Status::Closed)?;
        }
        if target.message_count == 0 && message.direction == Direction::Incoming {
            super::change_status(tx, now, actor, &target, Status::Open)?;
        }
        store::conversations::refresh(tx, from.id)?;
        store::conversations::refresh(tx, target.id)?;
        Ok(Moved {
            from: from.id,
            to: target.id,
        })
    })
}

/// Begins the conversation that a message moves to by itself: open for news from outside, otherwise as the
/// old one stands; whose the old one is, it is too.
fn begin(
    tx: &Tx<'_>,
    now: i64,
    message: &Message,
    from: &Conversation,
    subject: &str,
) -> Result<Conversation, Error> {
    let who = &message.recipients;
    let outside = match message.direction {
        Direction::Incoming => who.reply_to.first().or(Some(&message.from)),
        Direction::Outgoing => who.to.first().or_else(|| who.cc.first()),
    };
    let contact_id = match outside.filter(|who| !who.address.is_empty()) {
        Some(who) => store::contacts::upsert(tx, &Address::new(&who.name, &who.address), now)?,
        None => from.contact.id,
    };
    let status = match message.direction {
        Direction::Incoming => Status::Open,
        Direction::Outgoing => from.status,
    };
    let id = store::conversations::insert(
        tx,
        from.mailbox_id,
        contact_id,
        subject,
        status,
        message.sent_at,
    )?;
    if from.assignee_id.is_some() {
        store::conversations::update_assignee(tx, id, from.assignee_id)?;
    }
    existing(tx, id)
}
