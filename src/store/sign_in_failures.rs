//! Failed sign-ins, counted so that guessing is slow.

use super::{Db, Result, Tx};

/// Failures since `since_at` for this address from anywhere, and from this client for any address.
///
/// # Errors
/// Those of SQLite.
pub fn count(db: &Db, email: &str, client: &str, since_at: i64) -> Result<(i64, i64)> {
    let by_email = db
        .prepare_cached(
            "SELECT COUNT(*) FROM sign_in_failures WHERE email = ?1 AND failed_at > ?2",
        )?
        .query_row((email, since_at), |row| row.get(0))?;
    let by_client = db
        .prepare_cached(
            "SELECT COUNT(*) FROM sign_in_failures WHERE client = ?1 AND failed_at > ?2",
        )?
        .query_row((client, since_at), |row| row.get(0))?;
    Ok((by_email, by_client))
}

/// Writes a failure down.
///
/// # Errors
/// Those of SQLite.
pub fn insert(tx: &Tx<'_>, email: &str, client: &str, now: i64) -> Result<()> {
    tx.execute(
        "INSERT INTO sign_in_failures (email, client, failed_at) VALUES (?1, ?2, ?3)",
        (email, client, now),
    )?;
    Ok(())
}

/// Forgets the failures of an address that signed in, and all that are older than a day.
///
/// # Errors
/// Those of SQLite.
pub fn delete_for(tx: &Tx<'_>, email: &str, now: i64) -> Result<()> {
    tx.execute(
        "DELETE FROM sign_in_failures WHERE email = ?1 OR failed_at < ?2",
        (email, now - 24 * 3600),
    )?;
    Ok(())
}
