//! Which fate a message meets, and what it does to the conversation it joins.

use super::placement::{self, Arrival};
use super::prepare::{Content, Mail, Prepared};
use super::{Source, bounces, retry_at};
use crate::desk;
use crate::mail::thread::IdKey;
use crate::model::{
    ConversationId, DeliveryState, Direction, Fate, FolderRole, Kind, MessageId, Status,
};
use crate::store::deliveries::{self, Change};
use crate::store::fates::Verdict;
use crate::store::messages::NewMessage;
use crate::store::{self, Tx};

/// Older history than this is taken as closed: nobody is waiting for an answer to it.
const HISTORY_SECONDS: i64 = 14 * 24 * 3600;

/// Decides on one message and stores it if it is new.
pub(super) fn judge(
    tx: &Tx<'_>,
    ids: &IdKey,
    source: Source<'_>,
    message: &Prepared,
    attempts: i64,
    now: i64,
) -> store::Result<Verdict> {
    let verdict = |fate, message_id, detail: &str| Verdict {
        fate,
        message_id,
        detail: detail.to_owned(),
        retry_at: None,
    };
    let again = |fate, detail: &str| Verdict {
        retry_at: retry_at(attempts, now),
        ..verdict(fate, None, detail)
    };
    let mail = match &message.content {
        Content::Absent => {
            return Ok(again(
                Fate::Absent,
                "The server lists it but gives nothing for it.",
            ));
        }
        Content::Stub => {
            return Ok(again(
                Fate::Stub,
                "Exchange could not convert it and served a stand-in; the message is asked for again.",
            ));
        }
        Content::Broken(reason) => return Ok(again(Fate::Unreadable, reason)),
        Content::Mail(mail) => mail,
    };
    let arrived_at = message.internal_date_at.or(mail.sent_at);
    if let (Some(since_at), Some(arrived_at)) = (source.mailbox.take_since_at, arrived_at)
        && arrived_at < since_at
    {
        return Ok(verdict(
            Fate::Ignored,
            None,
            "It arrived before the date mail is taken from.",
        ));
    }
    if let Some(ours) = own_message(tx, source, mail)? {
        learn(tx, source, mail, ours, now)?;
        return Ok(verdict(Fate::OwnCopy, Some(ours), ""));
    }
    if let Some(known) = store::messages::find_by_identity(tx, source.mailbox.id, &mail.identity)? {
        return Ok(verdict(Fate::Duplicate, Some(known), ""));
    }
    let id = store_message(tx, ids, source, mail, arrived_at.unwrap_or(now), now)?;
    Ok(verdict(Fate::Received, Some(id), ""))
}

/// The message of ours that this is a copy of, known by any of its ids. Who got a reply of ours knows its
/// id too: outside Sent Items the copy must also come from us, or it is a message that wears our id.
fn own_message(tx: &Tx<'_>, source: Source<'_>, mail: &Mail) -> store::Result<Option<MessageId>> {
    let mailbox = source.mailbox;
    let is_us = |address: &str| mail.from.address.eq_ignore_ascii_case(address);
    if source.folder.role != FolderRole::Sent && !is_us(&mailbox.address) && !is_us(&mailbox.upn) {
        return Ok(None);
    }
    for id in &mail.own_ids {
        if let Some(known) = store::threads::find(tx, source.mailbox.id, id)?
            && let Some(message_id) = known.message_id
            && deliveries::find_by_message(tx, message_id)?.is_some()
        {
            return Ok(Some(message_id));
        }
    }
    Ok(None)
}

/// Learns from the provider's copy of a reply: under which ids the other side knows it, and, where
/// that was not known, that it left.
fn learn(
    tx: &Tx<'_>,
    source: Source<'_>,
    mail: &Mail,
    ours: MessageId,
    now: i64,
) -> store::Result<()> {
    let Some(delivery) = deliveries::find_by_message(tx, ours)? else {
        return Ok(());
    };
    for id in &mail.own_ids {
        store::threads::insert_own(tx, source.mailbox.id, id, delivery.conversation_id, ours)?;
    }
    if source.folder.role != FolderRole::Sent {
        return Ok(());
    }
    // Also where looking for the copy has settled the matter already: that tells no id.
    if let Some(effective) = mail.own_ids.first() {
        deliveries::update_effective_id(tx, delivery.id, effective)?;
    }
    if delivery.state == DeliveryState::Uncertain {
        let change = Change {
            server_reply: "Found in Sent Items.",
            refused: &delivery.refused,
            ..Change::default()
        };
        deliveries::update_state(tx, &delivery, DeliveryState::Sent, &change, now)?;
    }
    Ok(())
}

fn store_message(
    tx: &Tx<'_>,
    ids: &IdKey,
    source: Source<'_>,
    mail: &Mail,
    arrived_at: i64,
    now: i64,
) -> store::Result<MessageId> {
    let direction = match source.folder.role {
        FolderRole::Sent => Direction::Outgoing,
        FolderRole::Inbox | FolderRole::Other => Direction::Incoming,
    };
    // A wrong clock at the sender must not put a message into the future or the far past.
    let sent_at = mail.sent_at.map_or(arrived_at, |at| {
        at.clamp(arrived_at - 7 * 86_400, arrived_at)
    });
    let reply = bounces::find_reply(tx, source, mail, arrived_at)?;
    let arrival = Arrival {
        mail,
        direction,
        sent_at,
        reported: reply.as_ref(),
        status: first_status(source, direction, sent_at, now),
    };
    let placed = placement::place(tx, ids, source, arrival, now)?;
    let new = NewMessage {
        mailbox_id: source.mailbox.id,
        conversation_id: placed.conversation_id,
        direction,
        agent_id: None,
        placed_by: placed.by,
        derived: mail.derived(),
        sent_at,
    };
    let id = store::messages::insert(tx, &new, now)?;
    store::messages::insert_raw(tx, id, &mail.packed)?;
    store::attachments::insert_all(tx, id, &mail.attachments)?;
    placement::write_ids(tx, ids, source, mail, placed.conversation_id, id)?;
    if !placed.is_new && !is_history(source, arrived_at) && moves_on(mail) {
        move_on(tx, placed.conversation_id, direction, now)?;
    }
    if let Some(bounce) = &mail.bounce {
        bounces::note(tx, bounce, reply.as_ref(), now)?;
    }
    store::conversations::refresh(tx, placed.conversation_id)?;
    Ok(id)
}

/// Whether the message was there before the mailbox was connected.
fn is_history(source: Source<'_>, arrived_at: i64) -> bool {
    arrived_at < source.mailbox.created_at
}

/// Where a conversation stands that begins with this message.
fn first_status(source: Source<'_>, direction: Direction, sent_at: i64, now: i64) -> Status {
    if is_history(source, sent_at) && sent_at < now - HISTORY_SECONDS {
        return Status::Closed;
    }
    match direction {
        Direction::Incoming => Status::Open,
        Direction::Outgoing => Status::Waiting,
    }
}

/// Whether a message is news for people. A machine's answer, a receipt, and word that a server goes on
/// trying are not: they open nothing, and nothing is answered to them. What comes through a list is, for
/// some teams are reached by one; so is a reply that came back.
fn moves_on(mail: &Mail) -> bool {
    match mail.kind {
        Kind::Message | Kind::List => true,
        Kind::Bounce => !mail.bounce.as_ref().is_some_and(bounces::is_only_delay),
        Kind::AutoReply | Kind::Notification => false,
    }
}

/// What news does to a conversation: mail from outside opens it again, an answer from Outlook makes it
/// wait.
fn move_on(tx: &Tx<'_>, id: ConversationId, direction: Direction, now: i64) -> store::Result<()> {
    let Some(conversation) = store::conversations::find(tx, id)? else {
        return Ok(());
    };
    match (direction, conversation.status) {
        (_, Status::Spam) => Ok(()),
        (Direction::Incoming, _) => desk::change_status(tx, now, None, &conversation, Status::Open),
        (Direction::Outgoing, Status::Open) => {
            desk::change_status(tx, now, None, &conversation, Status::Waiting)
        }
        (Direction::Outgoing, _) => Ok(()),
    }
}
