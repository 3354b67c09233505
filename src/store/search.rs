//! The index of the search: which words each message and note has. It is written in the transaction that
//! writes them; what is deleted leaves it by triggers. [`super::results`] asks it.
//!
//! FTS5 keeps words and their places and not the texts (`content = ''`), which stand in `messages` and
//! `notes` already. Its own merging is left as it is: each commit adds a small piece, and merging goes on in
//! bounded steps with the writing, never all at once.

use super::{Db, Result, Tx, mailboxes, messages};
use crate::model::search::document::{Document, Source};
use crate::model::{MailboxId, Message, MessageId};

/// Indexes a message, or indexes it anew.
///
/// # Errors
/// Those of SQLite.
pub fn upsert(tx: &Tx<'_>, id: MessageId, document: &Document) -> Result<()> {
    let place: (i64, i64, bool) = tx
        .prepare_cached(
            "SELECT m.mailbox_id, m.sent_at, m.quoted = 0 OR NOT EXISTS (
                SELECT 1 FROM messages o WHERE o.conversation_id = m.conversation_id
                    AND (o.sent_at, o.id) < (m.sent_at, m.id))
             FROM messages m WHERE m.id = ?1",
        )?
        .query_row([id.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    // Of the first message of a conversation the history is kept too: what it quotes never came here.
    let (mailbox_id, sent_at, whole) = place;
    let words = document.words(MailboxId(mailbox_id), sent_at, whole);
    tx.prepare_cached("INSERT OR REPLACE INTO message_search (rowid, words) VALUES (?1, ?2)")?
        .execute((id.0, words))?;
    Ok(())
}

/// Indexes a message by what is stored of it.
///
/// # Errors
/// Those of SQLite.
pub fn upsert_stored(tx: &Tx<'_>, id: MessageId) -> Result<()> {
    let Some(message) = messages::find(tx, id)? else {
        return Ok(());
    };
    let mailbox = mailboxes::find(tx, message.mailbox_id)?;
    let own_address = mailbox.map_or_else(String::new, |mailbox| mailbox.address);
    upsert(tx, id, &document(&own_address, &message))
}

fn document(own_address: &str, message: &Message) -> Document {
    let source = Source {
        own_address,
        subject: &message.subject,
        from: &message.from,
        recipients: &message.recipients,
        text: &message.text,
        new_text: &message.reply_text,
        quoted: message.quoted,
    };
    let files = message.attachments.iter();
    Document::of_message(
        source,
        files.map(|file| (file.filename.as_str(), file.inline)),
    )
}

/// Indexes a note.
///
/// # Errors
/// Those of SQLite.
pub fn upsert_note(tx: &Tx<'_>, id: i64) -> Result<()> {
    let found: (i64, i64, String, String) = tx
        .prepare_cached(
            "SELECT c.mailbox_id, n.created_at, COALESCE(a.name, ''), n.text
             FROM notes n JOIN conversations c ON c.id = n.conversation_id
             LEFT JOIN agents a ON a.id = n.agent_id WHERE n.id = ?1",
        )?
        .query_row([id], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?;
    let (mailbox_id, created_at, writer, text) = found;
    let words = Document::of_note(&writer, &text).words(MailboxId(mailbox_id), created_at, false);
    tx.prepare_cached("INSERT OR REPLACE INTO note_search (rowid, words) VALUES (?1, ?2)")?
        .execute((id, words))?;
    tx.prepare_cached("UPDATE notes SET indexed = 1 WHERE id = ?1")?
        .execute([id])?;
    Ok(())
}

/// Notes that are not in the index, the oldest first.
///
/// # Errors
/// Those of SQLite.
pub fn list_notes_to_index(db: &Db, limit: u32) -> Result<Vec<i64>> {
    let rows = db
        .prepare_cached("SELECT id FROM notes WHERE indexed = 0 ORDER BY id LIMIT ?1")?
        .query_map([limit], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}
