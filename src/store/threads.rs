//! Which conversation a Message-ID belongs to: those of stored messages and those they mention.

use rusqlite::OptionalExtension as _;

use super::{Db, Result, Tx};
use crate::model::{ConversationId, MailboxId, MessageId};

/// What is known of a Message-ID in a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The conversation it belongs to.
    pub conversation_id: ConversationId,
    /// The stored message that has it; `None` when it was only mentioned.
    pub message_id: Option<MessageId>,
}

/// Finds what is known of a Message-ID.
///
/// # Errors
/// Those of SQLite.
pub fn find(db: &Db, mailbox_id: MailboxId, internet_message_id: &str) -> Result<Option<Known>> {
    Ok(db
        .prepare_cached(
            "SELECT conversation_id, message_id FROM thread_ids
             WHERE mailbox_id = ?1 AND internet_message_id = ?2",
        )?
        .query_row((mailbox_id.0, internet_message_id), |row| {
            Ok(Known {
                conversation_id: ConversationId(row.get(0)?),
                message_id: row.get::<_, Option<i64>>(1)?.map(MessageId),
            })
        })
        .optional()?)
}

/// Writes down that a stored message has this Message-ID (its own, one the provider gave it, or one
/// it had before).
///
/// # Errors
/// Those of SQLite.
pub fn insert_own(
    tx: &Tx<'_>,
    mailbox_id: MailboxId,
    internet_message_id: &str,
    conversation_id: ConversationId,
    message_id: MessageId,
) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO thread_ids (mailbox_id, internet_message_id, conversation_id, message_id)
         VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (mailbox_id, internet_message_id) DO UPDATE SET
                conversation_id = excluded.conversation_id, message_id = excluded.message_id
         WHERE message_id IS NULL",
    )?
    .execute((
        mailbox_id.0,
        internet_message_id,
        conversation_id.0,
        message_id.0,
    ))?;
    Ok(())
}

/// Writes down that a conversation mentions a Message-ID whose message we do not have.
///
/// # Errors
/// Those of SQLite.
pub fn insert_mentioned(
    tx: &Tx<'_>,
    mailbox_id: MailboxId,
    internet_message_id: &str,
    conversation_id: ConversationId,
) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO thread_ids (mailbox_id, internet_message_id, conversation_id)
         VALUES (?1, ?2, ?3) ON CONFLICT (mailbox_id, internet_message_id) DO NOTHING",
    )?
    .execute((mailbox_id.0, internet_message_id, conversation_id.0))?;
    Ok(())
}

/// The Message-IDs of a conversation's messages as the other side knows them, oldest first: what
/// References of the next reply is made of.
///
/// # Errors
/// Those of SQLite.
pub fn list_references(db: &Db, conversation_id: ConversationId) -> Result<Vec<String>> {
    let rows = db
        .prepare_cached(
            "SELECT COALESCE(d.effective_message_id, m.internet_message_id)
             FROM messages m LEFT JOIN deliveries d ON d.message_id = m.id
             WHERE m.conversation_id = ?1 AND m.internet_message_id <> ''
             ORDER BY m.sent_at, m.id",
        )?
        .query_map([conversation_id.0], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}
