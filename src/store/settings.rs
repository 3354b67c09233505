//! Settings entered on pages, among them the sealed Entra app.

use rusqlite::OptionalExtension as _;

use super::{Db, Result, Tx};
use crate::secret::Sealer;

/// Finds a setting that is plain text.
///
/// # Errors
/// Those of SQLite.
pub fn find_text(db: &Db, key: &str) -> Result<Option<String>> {
    let bytes = find(db, key)?;
    Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

/// Finds a sealed setting and opens it.
///
/// # Errors
/// Those of SQLite, and when it does not open with this key.
pub fn find_secret(db: &Db, sealer: &Sealer, key: &str) -> Result<Option<String>> {
    find(db, key)?
        .map(|sealed| sealer.open_text(&purpose(key), &sealed))
        .transpose()
        .map_err(Into::into)
}

/// Seconds in which a reply can be taken back, unless an administrator set others.
const UNDO_SECONDS: i64 = 10;
/// Longest undo window; a customer waits for it each time.
pub const UNDO_SECONDS_MAX: i64 = 60;
const UNDO: &str = "undo_seconds";

/// Seconds in which a reply can be taken back before it leaves.
///
/// # Errors
/// Those of SQLite.
pub fn find_undo_seconds(db: &Db) -> Result<i64> {
    let text = find_text(db, UNDO)?;
    let set = text.and_then(|text| text.parse().ok());
    Ok(set.unwrap_or(UNDO_SECONDS).clamp(0, UNDO_SECONDS_MAX))
}

/// Sets in how many seconds a reply can be taken back; 0 for none.
///
/// # Errors
/// Those of SQLite.
pub fn update_undo_seconds(tx: &Tx<'_>, seconds: i64, now: i64) -> Result<()> {
    update_text(tx, UNDO, &seconds.to_string(), now)
}

/// Sets or replaces a plain setting.
///
/// # Errors
/// Those of SQLite.
pub fn update_text(tx: &Tx<'_>, key: &str, value: &str, now: i64) -> Result<()> {
    update(tx, key, value.as_bytes(), now)
}

/// Sets or replaces a sealed setting.
///
/// # Errors
/// Those of SQLite.
pub fn update_secret(tx: &Tx<'_>, sealer: &Sealer, key: &str, value: &str, now: i64) -> Result<()> {
    update(tx, key, &sealer.seal(&purpose(key), value.as_bytes()), now)
}

/// Removes a setting.
///
/// # Errors
/// Those of SQLite.
pub fn delete(tx: &Tx<'_>, key: &str) -> Result<()> {
    tx.prepare_cached("DELETE FROM settings WHERE key = ?1")?
        .execute([key])?;
    Ok(())
}

/// Proves that this sealing key is the one the database was begun with; on a new database it
/// becomes that key.
///
/// # Errors
/// [`super::Error::Secret`] with a wrong key.
pub fn check_key(tx: &Tx<'_>, sealer: &Sealer, now: i64) -> Result<()> {
    if find_secret(tx, sealer, KEY_CHECK)?.is_none() {
        update_secret(tx, sealer, KEY_CHECK, "mailhatch", now)?;
    }
    Ok(())
}

const KEY_CHECK: &str = "key_check";

fn purpose(key: &str) -> String {
    format!("setting:{key}")
}

fn find(db: &Db, key: &str) -> Result<Option<Vec<u8>>> {
    Ok(db
        .prepare_cached("SELECT value FROM settings WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()?)
}

fn update(tx: &Tx<'_>, key: &str, value: &[u8], now: i64) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO settings (key, value, updated_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
    )?
    .execute((key, value, now))?;
    Ok(())
}
