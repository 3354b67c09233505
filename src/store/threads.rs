//! Which conversation a Message-ID belongs to: those of stored messages and those they mention. The
//! column compares without case, for servers change the case of the host.

use rusqlite::OptionalExtension as _;

use super::{Db, Result, Tx};
use crate::model::{ConversationId, MailboxId, MessageId};

/// What is known of a Message-ID in a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The conversation it belongs to.
    pub conversation_id: ConversationId,
    /// The stored message that has it; `None` when it was only mentioned.
    pub message_id: Option<MessageId>,
    /// That message's subject.
    pub subject: Option<String>,
    /// We wrote it.
    pub ours: bool,
}

/// Finds what is known of a Message-ID.
///
/// # Errors
/// Those of SQLite.
pub fn find(db: &Db, mailbox_id: MailboxId, internet_message_id: &str) -> Result<Option<Known>> {
    Ok(db
        .prepare_cached(
            "SELECT t.conversation_id, t.message_id, m.subject, COALESCE(m.direction = 'outgoing', 0)
             FROM thread_ids t LEFT JOIN messages m ON m.id = t.message_id
             WHERE t.mailbox_id = ?1 AND t.internet_message_id = ?2",
        )?
        .query_row((mailbox_id.0, internet_message_id), |row| {
            Ok(Known {
                conversation_id: ConversationId(row.get(0)?),
                message_id: row.get::<_, Option<i64>>(1)?.map(MessageId),
                subject: row.get(2)?,
                ours: row.get(3)?,
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

/// Makes an id that was only mentioned lead to another conversation, which has the better claim to it.
///
/// # Errors
/// Those of SQLite.
pub fn update_mention(
    tx: &Tx<'_>,
    mailbox_id: MailboxId,
    internet_message_id: &str,
    to: ConversationId,
) -> Result<()> {
    tx.prepare_cached(
        "UPDATE thread_ids SET conversation_id = ?3
         WHERE mailbox_id = ?1 AND internet_message_id = ?2 AND message_id IS NULL",
    )?
    .execute((mailbox_id.0, internet_message_id, to.0))?;
    Ok(())
}

/// The conversations with messages of one Outlook thread, newest first, each once.
///
/// # Errors
/// Those of SQLite.
pub fn list_by_guid(
    db: &Db,
    mailbox_id: MailboxId,
    guid: &[u8; 16],
) -> Result<Vec<ConversationId>> {
    let rows: Vec<ConversationId> = db
        .prepare_cached(
            "SELECT conversation_id FROM messages
             WHERE mailbox_id = ?1 AND thread_guid = ?2 ORDER BY id DESC LIMIT 50",
        )?
        .query_map((mailbox_id.0, guid), |row| row.get(0).map(ConversationId))?
        .collect::<rusqlite::Result<_>>()?;
    let mut found = Vec::new();
    for id in rows {
        if !found.contains(&id) {
            found.push(id);
        }
    }
    Ok(found)
}

/// Makes all ids of a message lead to the conversation it was moved to.
///
/// # Errors
/// Those of SQLite.
pub fn update_of_message(tx: &Tx<'_>, id: MessageId, conversation: ConversationId) -> Result<()> {
    tx.prepare_cached("UPDATE thread_ids SET conversation_id = ?2 WHERE message_id = ?1")?
        .execute((id.0, conversation.0))?;
    Ok(())
}

/// Makes the ids that an emptied conversation only mentioned lead to another.
///
/// # Errors
/// Those of SQLite.
pub fn update_mentioned(tx: &Tx<'_>, from: ConversationId, to: ConversationId) -> Result<()> {
    tx.prepare_cached(
        "UPDATE thread_ids SET conversation_id = ?2 WHERE conversation_id = ?1 AND message_id IS NULL",
    )?
    .execute((from.0, to.0))?;
    Ok(())
}

/// The Message-IDs of a conversation's messages as the other side knows them, oldest first: what
/// References of the next reply is made of. What was stopped, or waits for its time, the other side does not have.
///
/// # Errors
/// Those of SQLite.
pub fn list_references(db: &Db, conversation_id: ConversationId) -> Result<Vec<String>> {
    let rows = db
        .prepare_cached(
            "SELECT COALESCE(d.effective_message_id, m.internet_message_id)
             FROM messages m LEFT JOIN deliveries d ON d.message_id = m.id
             WHERE m.conversation_id = ?1 AND m.internet_message_id <> ''
               AND (d.id IS NULL OR NOT (d.state = 'cancelled'
                    OR (d.state = 'queued' AND d.attempts = 0 AND d.scheduled_at IS NOT NULL)))
             ORDER BY m.sent_at, m.id",
        )?
        .query_map([conversation_id.0], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}
