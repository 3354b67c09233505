//! Senders whose pictures on other servers are shown without asking.

use super::{Db, Result, Tx};
use crate::model::AgentId;

/// Whether pictures of this sender are shown without asking.
///
/// # Errors
/// Those of SQLite.
pub fn is_chosen(db: &Db, address: &str) -> Result<bool> {
    Ok(db
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM picture_senders WHERE address = ?1)")?
        .query_row([address], |row| row.get(0))?)
}

/// Chooses a sender; a second time changes nothing.
///
/// # Errors
/// Those of SQLite.
pub fn insert(tx: &Tx<'_>, address: &str, agent_id: AgentId, now: i64) -> Result<()> {
    tx.execute(
        "INSERT INTO picture_senders (address, agent_id, created_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (address) DO NOTHING",
        (address, agent_id.0, now),
    )?;
    Ok(())
}

/// Asks again for pictures of this sender.
///
/// # Errors
/// Those of SQLite.
pub fn delete(tx: &Tx<'_>, address: &str) -> Result<()> {
    tx.execute("DELETE FROM picture_senders WHERE address = ?1", [address])?;
    Ok(())
}
