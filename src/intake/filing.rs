//! Which fate a message meets, and which conversation it joins.

use super::prepare::{Content, Mail, Prepared};
use super::{Source, retry_at};
use crate::desk;
use crate::mail::thread::base_subject;
use crate::model::{
    Address, Conversation, ConversationId, DeliveryState, Direction, EventKind, Fate, FolderRole,
    Kind, MessageId, Status,
};
use crate::problem::{Disposition, Problem};
use crate::store::deliveries::{self, Change};
use crate::store::fates::Verdict;
use crate::store::messages::NewMessage;
use crate::store::{self, Tx};

/// Older history than this is taken as closed: nobody is waiting for an answer to it.
const HISTORY_SECONDS: i64 = 14 * 24 * 3600;

/// Decides on one message and stores it if it is new.
pub(super) fn judge(
    tx: &Tx<'_>,
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
    let id = store_message(tx, source, mail, arrived_at.unwrap_or(now), now)?;
    Ok(verdict(Fate::Received, Some(id), ""))
}

/// The message of ours that this is a copy of, known by any of its ids.
fn own_message(tx: &Tx<'_>, source: Source<'_>, mail: &Mail) -> store::Result<Option<MessageId>> {
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

fn store_message(
    tx: &Tx<'_>,
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
    let (conversation_id, is_new) = conversation_of(tx, source, mail, direction, sent_at, now)?;
    let new = NewMessage {
        mailbox_id: source.mailbox.id,
        conversation_id,
        direction,
        kind: mail.kind,
        agent_id: None,
        internet_message_id: mail.own_ids.first().map_or("", String::as_str),
        identity: mail.identity,
        from: &mail.from,
        recipients: &mail.recipients,
        subject: &mail.subject,
        preview: &mail.preview,
        text: &mail.text,
        reply_text: &mail.reply_text,
        has_html: mail.has_html,
        quoted: mail.quoted,
        defects: &mail.defects,
        sent_at,
    };
    let id = store::messages::insert(tx, &new, now)?;
    store::messages::insert_raw(tx, id, &mail.packed)?;
    store::attachments::insert_all(tx, id, &mail.attachments)?;
    for own in &mail.own_ids {
        store::threads::insert_own(tx, source.mailbox.id, own, conversation_id, id)?;
    }
    for mentioned in &mail.thread_ids {
        store::threads::insert_mentioned(tx, source.mailbox.id, mentioned, conversation_id)?;
    }
    if !is_new {
        let history = is_history(source, arrived_at);
        move_on(tx, conversation_id, mail, direction, history, now)?;
    }
    if let Some(bounce) = &mail.bounce {
        note_bounce(tx, source, bounce, now)?;
    }
    store::conversations::refresh(tx, conversation_id)?;
    Ok(id)
}

/// Whether the message was there before the mailbox was connected.
fn is_history(source: Source<'_>, arrived_at: i64) -> bool {
    arrived_at < source.mailbox.created_at
}

fn conversation_of(
    tx: &Tx<'_>,
    source: Source<'_>,
    mail: &Mail,
    direction: Direction,
    sent_at: i64,
    now: i64,
) -> store::Result<(ConversationId, bool)> {
    let bounced = mail
        .bounce
        .as_ref()
        .and_then(|bounce| bounce.original_message_id.as_ref());
    let ids = mail.own_ids.iter().chain(&mail.thread_ids).chain(bounced);
    for id in ids {
        if let Some(known) = store::threads::find(tx, source.mailbox.id, id)? {
            return Ok((known.conversation_id, false));
        }
    }
    let nobody = Address::new("Unknown sender", "unknown@invalid");
    let contact = match direction {
        Direction::Incoming => Some(&mail.sender_to_answer),
        Direction::Outgoing => mail
            .recipients
            .to
            .first()
            .or_else(|| mail.recipients.cc.first()),
    };
    let contact = contact
        .filter(|who| !who.address.is_empty())
        .unwrap_or(&nobody);
    let contact_id = store::contacts::upsert(tx, contact, now)?;
    let old = is_history(source, sent_at) && sent_at < now - HISTORY_SECONDS;
    let status = match direction {
        _ if old => Status::Closed,
        Direction::Incoming => Status::Open,
        Direction::Outgoing => Status::Waiting,
    };
    let subject = base_subject(&mail.subject);
    let id =
        store::conversations::insert(tx, source.mailbox.id, contact_id, &subject, status, sent_at)?;
    Ok((id, true))
}

/// What a further message does to a conversation: a person's mail opens it again, a reply from Outlook
/// makes it wait. Machines and history move nothing.
fn move_on(
    tx: &Tx<'_>,
    id: ConversationId,
    mail: &Mail,
    direction: Direction,
    history: bool,
    now: i64,
) -> store::Result<()> {
    let Some(conversation): Option<Conversation> = store::conversations::find(tx, id)? else {
        return Ok(());
    };
    let by_machine = matches!(mail.kind, Kind::AutoReply | Kind::Notification | Kind::List);
    if history || by_machine || conversation.status == Status::Spam {
        return Ok(());
    }
    match direction {
        Direction::Incoming => desk::change_status(tx, now, None, &conversation, Status::Open),
        Direction::Outgoing if conversation.status == Status::Open => {
            desk::change_status(tx, now, None, &conversation, Status::Waiting)
        }
        Direction::Outgoing => Ok(()),
    }
}

/// Ties a bounce to the reply it speaks of: that reply then shows as failed, with the reason.
fn note_bounce(
    tx: &Tx<'_>,
    source: Source<'_>,
    bounce: &crate::mail::bounce::Bounce,
    now: i64,
) -> store::Result<()> {
    let failed: Vec<_> = bounce
        .recipients
        .iter()
        .filter(|who| who.action.eq_ignore_ascii_case("failed"))
        .collect();
    for who in &failed {
        store::contacts::update_bounced(tx, &who.address, now)?;
    }
    let Some(original) = &bounce.original_message_id else {
        return Ok(());
    };
    let known = store::threads::find(tx, source.mailbox.id, original)?;
    let Some(message_id) = known.and_then(|known| known.message_id) else {
        return Ok(());
    };
    let Some(delivery) = deliveries::find_by_message(tx, message_id)? else {
        return Ok(());
    };
    if failed.is_empty() {
        return Ok(());
    }
    let addresses: Vec<&str> = failed.iter().map(|who| who.address.as_str()).collect();
    let reasons: Vec<String> = failed
        .iter()
        .map(|who| format!("{} {}", who.status, who.diagnostic))
        .collect();
    let problem = Problem::new(
        "bounced",
        Disposition::GiveUp,
        format!(
            "The reply was accepted, but came back: it could not be delivered to {}.",
            addresses.join(", ")
        ),
        "Check the address with the customer, correct it, and send again.",
    )
    .with_detail(reasons.join("; "));
    let change = Change {
        problem: Some(&problem),
        server_reply: &delivery.server_reply,
        refused: &delivery.refused,
        ..Change::default()
    };
    deliveries::update_state(tx, &delivery, DeliveryState::Failed, &change, now)?;
    store::events::insert(
        tx,
        delivery.conversation_id,
        None,
        EventKind::Bounced,
        &addresses.join(", "),
        now,
    )
}
