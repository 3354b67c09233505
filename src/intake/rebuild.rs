//! Reads stored mail again after an upgrade that reads better: text, new words, preview, kind, defects,
//! files, names and thread ids. What people did stays: where a message is, how a conversation stands,
//! whose it is. A step is small and each message is written by itself, so it may stop anywhere, run
//! beside the service, and run twice.

use super::DERIVED_VERSION;
use super::prepare::{self, Content, Mail};
use crate::mail::thread::base_subject;
use crate::model::{Message, MessageId};
use crate::store::derived::{self, Stale};
use crate::store::{self, Store, Tx};

/// Messages read again in one step.
const STEP_MESSAGES: u32 = 20;
/// Notes indexed in one step.
const NOTES: u32 = 200;
/// Bytes of raw mail read again in one step; a larger message is a step of its own.
const STEP_BYTES: i64 = 8 * 1024 * 1024;

/// How far it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Step {
    /// Messages looked at.
    pub done: u64,
    /// Of them, those that now read otherwise.
    pub changed: u64,
}

/// How many messages an older version has read.
///
/// # Errors
/// Those of the store.
pub fn left(store: &Store) -> store::Result<i64> {
    store.read(|db| derived::count_stale(db, DERIVED_VERSION))
}

/// Marks all stored mail to be read again, in short transactions.
///
/// # Errors
/// Those of the store.
pub fn mark_all(store: &Store) -> store::Result<()> {
    let mut after = MessageId(0);
    while let Some(last) = store.write(|tx| derived::update_stale(tx, after, 2_000))? {
        after = last;
    }
    Ok(())
}

/// Reads the next few messages again. Nothing done means that nothing is left.
///
/// # Errors
/// Those of the store; what was done until then stays done.
pub fn step(store: &Store) -> store::Result<Step> {
    let stale = store.read(|db| derived::list_stale(db, DERIVED_VERSION, STEP_MESSAGES))?;
    let mut step = Step::default();
    let mut bytes = 0;
    for Stale { id, size_bytes } in stale {
        bytes += size_bytes;
        if step.done > 0 && bytes > STEP_BYTES {
            break;
        }
        step.changed += u64::from(one(store, id)?);
        step.done += 1;
    }
    Ok(step)
}

/// Puts the next few notes that are not yet found by the search into its index; whether there were any.
///
/// # Errors
/// Those of the store.
pub fn notes(store: &Store) -> store::Result<bool> {
    let ids = store.read(|db| store::search::list_notes_to_index(db, NOTES))?;
    if ids.is_empty() {
        return Ok(false);
    }
    store.write(|tx| {
        ids.iter()
            .try_for_each(|id| store::search::upsert_note(tx, *id))
    })?;
    Ok(true)
}

/// Reads one message again; whether it reads otherwise. One that cannot be read keeps what it has.
fn one(store: &Store, id: MessageId) -> store::Result<bool> {
    let found = store.read(|db| {
        let raw = match store::messages::find_raw(db, id) {
            Err(error) if error.is_outage() => return Err(error),
            other => other.ok().flatten(),
        };
        let Some(message) = store::messages::find(db, id)? else {
            return Ok(None);
        };
        let mailbox = store::mailboxes::find(db, message.mailbox_id)?;
        Ok(mailbox.map(|mailbox| (message, mailbox.address, raw)))
    })?;
    let Some((before, own_address, raw)) = found else {
        return Ok(false);
    };
    // What was written here is known better than any reading of it.
    let content = match raw {
        Some(raw) if before.delivery.is_none() => prepare::guarded(&raw, &own_address),
        _ => None,
    };
    let mail = match content {
        Some(Content::Mail(mail)) => Some(mail),
        _ => None,
    };
    if mail.is_none() && before.delivery.is_none() {
        tracing::warn!(
            message.id = id.0,
            "a stored message could not be read again; it stays as it was"
        );
    }
    store.write(|tx| {
        if !derived::is_stale(tx, id, DERIVED_VERSION)? {
            return Ok(false);
        }
        match &mail {
            Some(mail) => write(tx, &before, mail),
            None => {
                store::search::upsert_stored(tx, id)?;
                derived::update_version(tx, id, DERIVED_VERSION)?;
                Ok(false)
            }
        }
    })
}

fn write(tx: &Tx<'_>, before: &Message, mail: &Mail) -> store::Result<bool> {
    let id = before.id;
    let files_changed = store::attachments::replace_all(tx, id, &mail.attachments)?;
    derived::update(tx, id, &mail.derived())?;
    store::search::upsert(tx, id, &mail.document)?;
    // The message may have been moved since it was read.
    let Some(now) = store::messages::find(tx, id)? else {
        return Ok(false);
    };
    for own in &mail.own_ids {
        store::threads::insert_own(tx, now.mailbox_id, own, now.conversation_id, id)?;
    }
    for mentioned in &mail.thread_ids {
        let is_stored = store::threads::find(tx, now.mailbox_id, mentioned)?.is_some();
        if !is_stored && !is_made_up(tx, &now, mentioned)? {
            store::threads::insert_mentioned(tx, now.mailbox_id, mentioned, now.conversation_id)?;
        }
    }
    if !files_changed && is_same(before, &now) {
        return Ok(false);
    }
    rename(tx, before, &now)?;
    store::conversations::refresh(tx, now.conversation_id)?;
    Ok(true)
}

/// An id of our form that is not stored: whether we gave it was judged when the message came, with the key
/// at hand.
fn is_made_up(tx: &Tx<'_>, message: &Message, id: &str) -> store::Result<bool> {
    let mailbox = store::mailboxes::find(tx, message.mailbox_id)?;
    Ok(mailbox.is_some_and(|mailbox| crate::mail::thread::claims_to_be_ours(id, &mailbox.address)))
}

fn is_same(before: &Message, now: &Message) -> bool {
    let shown = |message: &Message| {
        let message = message.clone();
        (
            (
                message.kind,
                message.from,
                message.recipients,
                message.subject,
            ),
            (message.text, message.reply_text, message.defects),
            (
                message.has_html,
                message.quoted,
                message.internet_message_id,
            ),
        )
    };
    shown(before) == shown(now)
}

/// Corrects what others took from the message: the conversation's subject and the contact's name, where
/// they still are what the message said before.
fn rename(tx: &Tx<'_>, before: &Message, now: &Message) -> store::Result<()> {
    if before.from.name != now.from.name && !now.from.name.is_empty() {
        let (address, old) = (&now.from.address, &before.from.name);
        store::contacts::update_name(tx, address, old, &now.from.name)?;
    }
    let (old, new) = (base_subject(&before.subject), base_subject(&now.subject));
    if old == new {
        return Ok(());
    }
    let conversation = store::conversations::find(tx, now.conversation_id)?;
    if conversation.is_some_and(|conversation| conversation.subject == old) {
        store::conversations::update_subject(tx, now.conversation_id, &new)?;
    }
    Ok(())
}
