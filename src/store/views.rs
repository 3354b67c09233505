//! How far each agent has seen each conversation.

use super::{Db, Result, Tx};
use crate::model::{AgentId, ConversationId};

/// Whether the conversation holds a message this agent has not seen.
///
/// # Errors
/// Those of SQLite.
pub fn is_unread(db: &Db, agent_id: AgentId, conversation_id: ConversationId) -> Result<bool> {
    Ok(db
        .prepare_cached(
            "SELECT c.last_message_id > COALESCE(v.seen_message_id, 0) FROM conversations c
             LEFT JOIN views v ON v.conversation_id = c.id AND v.agent_id = ?1 WHERE c.id = ?2",
        )?
        .query_row((agent_id.0, conversation_id.0), |row| row.get(0))?)
}

/// The newest message of a conversation that this agent has seen, by row id; 0 when none.
///
/// # Errors
/// Those of SQLite.
pub fn find_seen(db: &Db, agent_id: AgentId, conversation_id: ConversationId) -> Result<i64> {
    Ok(db
        .prepare_cached(
            "SELECT COALESCE(MAX(seen_message_id), 0) FROM views
             WHERE agent_id = ?1 AND conversation_id = ?2",
        )?
        .query_row((agent_id.0, conversation_id.0), |row| row.get(0))?)
}

/// Writes down that this agent has seen all messages of the conversation.
///
/// # Errors
/// Those of SQLite.
pub fn upsert(tx: &Tx<'_>, agent_id: AgentId, conversation_id: ConversationId) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO views (agent_id, conversation_id, seen_message_id)
         SELECT ?1, id, last_message_id FROM conversations WHERE id = ?2
         ON CONFLICT (agent_id, conversation_id) DO UPDATE SET
                seen_message_id = MAX(seen_message_id, excluded.seen_message_id)",
    )?
    .execute((agent_id.0, conversation_id.0))?;
    Ok(())
}
