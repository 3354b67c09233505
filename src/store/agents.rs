//! The people who sign in.

use rusqlite::{OptionalExtension as _, Row};

use super::rows::word;
use super::{Db, Result, Tx};
use crate::model::{Agent, AgentId, Role, Word as _};

const COLUMNS: &str = "id, email, name, role, created_at, disabled_at";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Agent> {
    Ok(Agent {
        id: AgentId(row.get(0)?),
        email: row.get(1)?,
        name: row.get(2)?,
        role: word(row, 3)?,
        created_at: row.get(4)?,
        disabled_at: row.get(5)?,
    })
}

/// How many agents there are, disabled ones included; 0 means the program has just been installed.
///
/// # Errors
/// Those of SQLite.
pub fn count(db: &Db) -> Result<i64> {
    Ok(db.query_row("SELECT COUNT(*) FROM agents", [], |row| row.get(0))?)
}

/// All agents by name.
///
/// # Errors
/// Those of SQLite.
pub fn list(db: &Db) -> Result<Vec<Agent>> {
    let sql = format!("SELECT {COLUMNS} FROM agents ORDER BY name, id");
    let rows = db
        .prepare_cached(&sql)?
        .query_map([], from_row)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

/// Finds an agent.
///
/// # Errors
/// Those of SQLite.
pub fn find(db: &Db, id: AgentId) -> Result<Option<Agent>> {
    let sql = format!("SELECT {COLUMNS} FROM agents WHERE id = ?1");
    Ok(db
        .prepare_cached(&sql)?
        .query_row([id.0], from_row)
        .optional()?)
}

/// Finds an agent and the password's hash by address, without regard to case.
///
/// # Errors
/// Those of SQLite.
pub fn find_by_email(db: &Db, email: &str) -> Result<Option<(Agent, String)>> {
    let sql = format!("SELECT {COLUMNS}, password_hash FROM agents WHERE email = ?1");
    let found = db
        .prepare_cached(&sql)?
        .query_row([email.trim()], |row| Ok((from_row(row)?, row.get(6)?)))
        .optional()?;
    Ok(found)
}

/// Adds an agent. The address must be free (a constraint error says it is not).
///
/// # Errors
/// Those of SQLite.
pub fn insert(
    tx: &Tx<'_>,
    email: &str,
    name: &str,
    role: Role,
    password_hash: &str,
    now: i64,
) -> Result<AgentId> {
    tx.prepare_cached(
        "INSERT INTO agents (email, name, role, password_hash, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute((email.trim(), name.trim(), role.word(), password_hash, now))?;
    Ok(AgentId(tx.last_insert_rowid()))
}

/// Sets a new password and ends all sessions of the agent.
///
/// # Errors
/// Those of SQLite.
pub fn update_password(tx: &Tx<'_>, id: AgentId, password_hash: &str) -> Result<()> {
    tx.execute(
        "UPDATE agents SET password_hash = ?2 WHERE id = ?1",
        (id.0, password_hash),
    )?;
    tx.execute("DELETE FROM sessions WHERE agent_id = ?1", [id.0])?;
    Ok(())
}

/// Disables or enables an agent; disabling ends all sessions.
///
/// # Errors
/// Those of SQLite.
pub fn update_disabled(tx: &Tx<'_>, id: AgentId, disabled_at: Option<i64>) -> Result<()> {
    tx.execute(
        "UPDATE agents SET disabled_at = ?2 WHERE id = ?1",
        (id.0, disabled_at),
    )?;
    if disabled_at.is_some() {
        tx.execute("DELETE FROM sessions WHERE agent_id = ?1", [id.0])?;
    }
    Ok(())
}

/// How many admins can sign in.
///
/// # Errors
/// Those of SQLite.
pub fn count_active_admins(db: &Db) -> Result<i64> {
    let sql = "SELECT COUNT(*) FROM agents WHERE role = 'admin' AND disabled_at IS NULL";
    Ok(db.query_row(sql, [], |row| row.get(0))?)
}
