//! Internal remarks.

use super::{Db, Result, Tx, conversations, search};
use crate::model::{AgentId, ConversationId, Note};

/// The notes of a conversation, oldest first.
///
/// # Errors
/// Those of SQLite.
pub fn list(db: &Db, conversation_id: ConversationId) -> Result<Vec<Note>> {
    let rows = db
        .prepare_cached(
            "SELECT n.id, COALESCE(a.name, ''), n.text, n.created_at
             FROM notes n LEFT JOIN agents a ON a.id = n.agent_id
             WHERE n.conversation_id = ?1 ORDER BY n.created_at, n.id",
        )?
        .query_map([conversation_id.0], |row| {
            Ok(Note {
                id: row.get(0)?,
                agent_name: row.get(1)?,
                text: row.get(2)?,
                created_at: row.get(3)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

/// Adds a note.
///
/// # Errors
/// Those of SQLite.
pub fn insert(
    tx: &Tx<'_>,
    conversation_id: ConversationId,
    agent_id: AgentId,
    text: &str,
    now: i64,
) -> Result<()> {
    tx.execute(
        "INSERT INTO notes (conversation_id, agent_id, text, created_at) VALUES (?1, ?2, ?3, ?4)",
        (conversation_id.0, agent_id.0, text, now),
    )?;
    search::upsert_note(tx, tx.last_insert_rowid())?;
    conversations::touch(tx, conversation_id)
}
