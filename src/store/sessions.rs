//! Signed-in browsers. Only a hash of the cookie's token is kept.

use rusqlite::OptionalExtension as _;

use super::rows::word;
use super::{Db, Result, Tx};
use crate::model::{Agent, AgentId, SessionId, SignedIn};
use crate::secret::sha256;

/// How long a session lasts without being used.
pub const IDLE_SECONDS: i64 = 14 * 24 * 3600;
/// The last use is written down at most this often.
const TOUCH_SECONDS: i64 = 3600;

/// Finds the signed-in agent behind a cookie's token; expired sessions and disabled agents are none.
///
/// # Errors
/// Those of SQLite.
pub fn find(db: &Db, token: &str, now: i64) -> Result<Option<SignedIn>> {
    let found = db
        .prepare_cached(
            "SELECT s.id, s.csrf_token, a.id, a.email, a.name, a.role, a.created_at, a.disabled_at
             FROM sessions s JOIN agents a ON a.id = s.agent_id
             WHERE s.token_hash = ?1 AND s.expires_at > ?2 AND a.disabled_at IS NULL",
        )?
        .query_row((sha256(token.as_bytes()), now), |row| {
            Ok(SignedIn {
                session_id: SessionId(row.get(0)?),
                csrf_token: row.get(1)?,
                agent: Agent {
                    id: AgentId(row.get(2)?),
                    email: row.get(3)?,
                    name: row.get(4)?,
                    role: word(row, 5)?,
                    created_at: row.get(6)?,
                    disabled_at: row.get(7)?,
                },
            })
        })
        .optional()?;
    Ok(found)
}

/// Whether the last use is old enough to be written down again.
///
/// # Errors
/// Those of SQLite.
pub fn needs_touch(db: &Db, id: SessionId, now: i64) -> Result<bool> {
    let seen: Option<i64> = db
        .prepare_cached("SELECT last_seen_at FROM sessions WHERE id = ?1")?
        .query_row([id.0], |row| row.get(0))
        .optional()?;
    Ok(seen.is_some_and(|seen| now - seen >= TOUCH_SECONDS))
}

/// Writes down that a session was used, which lengthens it.
///
/// # Errors
/// Those of SQLite.
pub fn update_seen(tx: &Tx<'_>, id: SessionId, now: i64) -> Result<()> {
    tx.execute(
        "UPDATE sessions SET last_seen_at = ?2, expires_at = ?3 WHERE id = ?1",
        (id.0, now, now + IDLE_SECONDS),
    )?;
    Ok(())
}

/// Starts a session.
///
/// # Errors
/// Those of SQLite.
pub fn insert(
    tx: &Tx<'_>,
    agent_id: AgentId,
    token: &str,
    csrf_token: &str,
    now: i64,
) -> Result<SessionId> {
    tx.execute(
        "INSERT INTO sessions (token_hash, csrf_token, agent_id, created_at, last_seen_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?4, ?5)",
        (sha256(token.as_bytes()), csrf_token, agent_id.0, now, now + IDLE_SECONDS),
    )?;
    Ok(SessionId(tx.last_insert_rowid()))
}

/// Ends a session.
///
/// # Errors
/// Those of SQLite.
pub fn delete(tx: &Tx<'_>, id: SessionId) -> Result<()> {
    tx.execute("DELETE FROM sessions WHERE id = ?1", [id.0])?;
    Ok(())
}

/// Ends all sessions that have expired.
///
/// # Errors
/// Those of SQLite.
pub fn delete_expired(tx: &Tx<'_>, now: i64) -> Result<usize> {
    Ok(tx.execute("DELETE FROM sessions WHERE expires_at <= ?1", [now])?)
}

/// How many sessions have expired.
///
/// # Errors
/// Those of SQLite.
pub fn count_expired(db: &Db, now: i64) -> Result<i64> {
    let sql = "SELECT COUNT(*) FROM sessions WHERE expires_at <= ?1";
    Ok(db.prepare_cached(sql)?.query_row([now], |row| row.get(0))?)
}
