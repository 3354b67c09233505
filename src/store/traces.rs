//! What became of a mail: all that is known of a Message-ID, in every mailbox.

use rusqlite::OptionalExtension as _;

use super::rows::word;
use super::{Db, Result, fates, folders, mailboxes, threads};
use crate::model::{
    DeliveryId, Direction, Folder, Mailbox, MessageId, Sighting, Trace, Traced, TracedDelivery,
    TracedMessage, WayOut, Word as _,
};

/// Most messages, and most sightings of each, that one mailbox answers with.
const ROWS_MAX: u32 = 20;

/// All that is known of a Message-ID (without angle brackets, in whatever case).
///
/// # Errors
/// Those of SQLite.
pub fn list(db: &Db, internet_message_id: &str) -> Result<Vec<Trace>> {
    let mut all = Vec::new();
    let set_aside = fates::list_by_internet_message_id(db, internet_message_id, ROWS_MAX)?;
    for mailbox in mailboxes::list(db)? {
        let folders = folders::list(db, mailbox.id)?;
        let mut found = in_mailbox(db, &mailbox, &folders, internet_message_id)?;
        for row in &set_aside {
            if let Some(folder) = folders.iter().find(|folder| folder.id == row.folder_id) {
                found.push(Traced::Fate {
                    folder: folder.name.clone(),
                    row: row.clone(),
                });
            }
        }
        all.extend(found.into_iter().map(|what| Trace {
            mailbox: mailbox.address.clone(),
            what,
        }));
    }
    Ok(all)
}

fn in_mailbox(db: &Db, mailbox: &Mailbox, folders: &[Folder], id: &str) -> Result<Vec<Traced>> {
    let known = threads::find(db, mailbox.id, id)?;
    let mut messages = with_id(db, mailbox, id)?;
    if let Some(own) = known.as_ref().and_then(|known| known.message_id)
        && let Some(spelled) = spelling(db, own)?
    {
        // Found under another id of its own, or in another case.
        messages.push(own);
        messages.extend(with_id(db, mailbox, &spelled)?);
    }
    messages.sort_unstable();
    messages.dedup();
    let mut found = Vec::new();
    for message_id in &messages {
        found.extend(message(db, folders, *message_id)?.map(Traced::Message));
    }
    if let Some(known) = known.filter(|_| messages.is_empty()) {
        found.push(Traced::Mentioned {
            conversation_id: known.conversation_id,
        });
    }
    Ok(found)
}

/// Messages with just this id; some programs give one id to many.
fn with_id(db: &Db, mailbox: &Mailbox, id: &str) -> Result<Vec<MessageId>> {
    if id.is_empty() {
        return Ok(Vec::new());
    }
    let rows = db
        .prepare_cached(
            "SELECT id FROM messages WHERE mailbox_id = ?1 AND internet_message_id = ?2 LIMIT ?3",
        )?
        .query_map((mailbox.id.0, id, ROWS_MAX), |row| {
            row.get(0).map(MessageId)
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

fn spelling(db: &Db, id: MessageId) -> Result<Option<String>> {
    Ok(db
        .prepare_cached("SELECT internet_message_id FROM messages WHERE id = ?1")?
        .query_row([id.0], |row| row.get(0))
        .optional()?)
}

fn message(db: &Db, folders: &[Folder], id: MessageId) -> Result<Option<TracedMessage>> {
    let found = db
        .prepare_cached(
            "SELECT conversation_id, internet_message_id, direction, subject, sent_at, created_at
             FROM messages WHERE id = ?1",
        )?
        .query_row([id.0], |row| {
            Ok(TracedMessage {
                id,
                conversation_id: crate::model::ConversationId(row.get(0)?),
                internet_message_id: row.get(1)?,
                direction: word(row, 2)?,
                subject: row.get(3)?,
                sent_at: row.get(4)?,
                created_at: row.get(5)?,
                delivery: None,
                sightings: Vec::new(),
            })
        })
        .optional()?;
    let Some(mut message) = found else {
        return Ok(None);
    };
    if message.direction == Direction::Outgoing {
        message.delivery = delivery(db, id)?;
    }
    message.sightings = fates::list_of_message(db, id, ROWS_MAX)?
        .into_iter()
        .filter_map(|row| {
            let folder = folders.iter().find(|folder| folder.id == row.folder_id)?;
            Some(Sighting {
                fate: row.fate,
                folder: folder.name.clone(),
                uid_validity: row.uid_validity,
                uid: row.uid,
                seen_at: row.seen_at,
            })
        })
        .collect();
    Ok(Some(message))
}

fn delivery(db: &Db, id: MessageId) -> Result<Option<TracedDelivery>> {
    Ok(db
        .prepare_cached(
            "SELECT id, state, way_out, effective_message_id, finished_at FROM deliveries
             WHERE message_id = ?1",
        )?
        .query_row([id.0], |row| {
            let way_out: Option<String> = row.get(2)?;
            Ok(TracedDelivery {
                id: DeliveryId(row.get(0)?),
                state: word(row, 1)?,
                way_out: way_out.as_deref().and_then(WayOut::from_word),
                effective_message_id: row.get(3)?,
                finished_at: row.get(4)?,
            })
        })
        .optional()?)
}
