//! Which fate a message meets, and what it does to the conversation it joins.

use super::placement::{self, Arrival};
use super::prepare::{Content, Mail, Prepared};
use super::{Source, bounces, retry_at};
use crate::desk;
use crate::mail::thread::{ALERTS, IdKey};
use crate::model::{
    BackfillId, ConversationId, DeliveryState, Direction, Fate, FolderRole, Kind, MessageId,
    PlacedBy, Status, StoppedBy,
};
use crate::store::deliveries::{self, Change, leaving};
use crate::store::fates::Verdict;
use crate::store::messages::NewMessage;
use crate::store::{self, Tx};

/// Detail of the fate `ignored` of a message that is older than what was chosen; a backfill takes it yet.
pub const BEFORE_WANTED: &str = "It arrived before the date mail is taken from.";
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
    let since_at = source.folder.take_since_at(source.mailbox);
    let came_later = source.folder.began_uid.is_some_and(|at| message.uid >= at);
    let is_before = |at: i64| !came_later && since_at.is_some_and(|since_at| at < since_at);
    let backfill = match (source.backfill, arrived_at) {
        (None, Some(at)) if is_before(at) => {
            // One that a backfill asked for and the server did not give may be asked for again.
            let asked_for = store::backfills::find_covering(tx, source.mailbox.id, at)?;
            if asked_for.is_none() {
                return Ok(verdict(Fate::Ignored, None, BEFORE_WANTED));
            }
            asked_for
        }
        (backfill, _) => backfill,
    };
    if source.folder.role == FolderRole::Sent
        && mail.own_ids.iter().any(|id| ids.verify(id, &ALERTS))
    {
        return Ok(verdict(
            Fate::Ignored,
            None,
            "Our own mail to administrators.",
        ));
    }
    if let Some(ours) = own_message(tx, source, mail)? {
        learn(tx, source, mail, ours, now)?;
        return Ok(verdict(Fate::OwnCopy, Some(ours), ""));
    }
    if let Some(known) = store::messages::find_by_identity(tx, source.mailbox.id, &mail.identity)? {
        if !source.folder.junk {
            taken_out_of_junk(tx, known, now)?;
        }
        return Ok(verdict(Fate::Duplicate, Some(known), ""));
    }
    let arrived = Arrived {
        at: arrived_at.unwrap_or(now),
        uid: message.uid,
        backfill,
    };
    let id = store_message(tx, ids, source, mail, arrived, now)?;
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
    let effective = mail.own_ids.first().map(String::as_str);
    if delivery.state == DeliveryState::Uncertain && source.folder.role == FolderRole::Sent {
        let change = Change {
            server_reply: "Found in Sent Items.",
            refused: &delivery.refused,
            effective_message_id: effective,
            ..Change::default()
        };
        deliveries::update_state(tx, &delivery, DeliveryState::Sent, &change, now)?;
    }
    Ok(())
}

/// When a message reached the folder, and as what.
#[derive(Clone, Copy)]
struct Arrived {
    at: i64,
    uid: u32,
    /// The fetching of older mail that asked for it.
    backfill: Option<BackfillId>,
}

fn store_message(
    tx: &Tx<'_>,
    ids: &IdKey,
    source: Source<'_>,
    mail: &Mail,
    arrived: Arrived,
    now: i64,
) -> store::Result<MessageId> {
    let (arrived_at, backfill) = (arrived.at, arrived.backfill);
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
        status: match backfill {
            Some(_) => Status::Closed,
            None => first_status(source, direction, sent_at, arrived.uid, now),
        },
        is_history: backfill.is_some(),
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
    store::search::upsert(tx, id, &mail.document)?;
    placement::write_ids(tx, ids, source, mail, &placed, id)?;
    let is_history = source
        .folder
        .is_history(source.mailbox, arrived.uid, arrived_at);
    // Answered in Outlook before it was read here: the answer, read first, names it.
    let is_answered = direction == Direction::Incoming
        && placed.by == PlacedBy::OwnId
        && store::messages::is_answered_since(tx, placed.conversation_id, arrived_at)?;
    if let Some(backfill) = backfill {
        store::backfills::insert_message(tx, backfill, id)?;
    } else if !placed.is_new && !is_history && !is_answered && moves_on(mail) {
        move_on(tx, placed.conversation_id, direction, now)?;
        if direction == Direction::Incoming && mail.kind != Kind::Bounce {
            stop_replies(tx, placed.conversation_id, now)?;
        }
    }
    // That an address refused mail years ago says nothing about it now.
    if let Some(bounce) = &mail.bounce
        && (backfill.is_none() || reply.is_some())
    {
        bounces::note(tx, bounce, reply.as_ref(), now)?;
    }
    store::conversations::refresh(tx, placed.conversation_id)?;
    Ok(id)
}

/// Where a conversation stands that begins with this message.
fn first_status(
    source: Source<'_>,
    direction: Direction,
    sent_at: i64,
    uid: u32,
    now: i64,
) -> Status {
    if source.folder.junk {
        return Status::Spam;
    }
    let is_history = source.folder.is_history(source.mailbox, uid, sent_at);
    if is_history && sent_at < now - HISTORY_SECONDS {
        return Status::Closed;
    }
    match direction {
        Direction::Incoming => Status::Open,
        Direction::Outgoing => Status::Waiting,
    }
}

/// Somebody who moves a message out of Junk says that it is none: its conversation is opened.
fn taken_out_of_junk(tx: &Tx<'_>, known: MessageId, now: i64) -> store::Result<()> {
    if !store::fates::is_only_in_junk(tx, known)? {
        return Ok(());
    }
    let message = store::messages::find(tx, known)?;
    let conversation = match message {
        Some(message) => store::conversations::find(tx, message.conversation_id)?,
        None => None,
    };
    match conversation.filter(|found| found.status == Status::Spam) {
        Some(found) => desk::change_status(tx, now, None, &found, Status::Open),
        None => Ok(()),
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

/// Cancels the replies of a conversation that were not to leave if mail came first. One that is being handed over is
/// past stopping.
fn stop_replies(tx: &Tx<'_>, id: ConversationId, now: i64) -> store::Result<()> {
    for delivery in leaving::list_unless_answered(tx, id)? {
        if let Some(delivery) = deliveries::find(tx, delivery)? {
            let words = "New mail came into the conversation first.";
            leaving::update_cancelled(tx, &delivery, StoppedBy::Answer, words, now)?;
        }
    }
    Ok(())
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
