//! Logged changes of conversations.

use super::rows::word;
use super::{Db, Result, Tx};
use crate::model::{AgentId, ConversationId, Event, EventKind, Word as _};

/// The events of a conversation, oldest first.
///
/// # Errors
/// Those of SQLite.
pub fn list(db: &Db, conversation_id: ConversationId) -> Result<Vec<Event>> {
    let rows = db
        .prepare_cached(
            "SELECT e.id, e.kind, a.name, e.detail, e.created_at
             FROM events e LEFT JOIN agents a ON a.id = e.agent_id
             WHERE e.conversation_id = ?1 ORDER BY e.created_at, e.id",
        )?
        .query_map([conversation_id.0], |row| {
            Ok(Event {
                id: row.get(0)?,
                kind: word(row, 1)?,
                agent_name: row.get(2)?,
                detail: row.get(3)?,
                created_at: row.get(4)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

/// Logs a change.
///
/// # Errors
/// Those of SQLite.
pub fn insert(
    tx: &Tx<'_>,
    conversation_id: ConversationId,
    agent_id: Option<AgentId>,
    kind: EventKind,
    detail: &str,
    now: i64,
) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO events (conversation_id, agent_id, kind, detail, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute((
        conversation_id.0,
        agent_id.map(|id| id.0),
        kind.word(),
        detail,
        now,
    ))?;
    Ok(())
}
