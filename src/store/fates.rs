//! The ledger: what became of each message seen in a folder.

use rusqlite::Row;

use super::rows::word;
use super::{Db, Result, Tx};
use crate::model::{Fate, FateCount, FateRow, FolderId, MessageId, Word as _};

const SELECT: &str =
    "SELECT folder_id, uid_validity, uid, fate, message_id, detail, seen_at, retry_at,
        attempts FROM fates";

fn from_row(row: &Row<'_>) -> rusqlite::Result<FateRow> {
    Ok(FateRow {
        folder_id: FolderId(row.get(0)?),
        uid_validity: row.get(1)?,
        uid: row.get(2)?,
        fate: word(row, 3)?,
        message_id: row.get::<_, Option<i64>>(4)?.map(MessageId),
        detail: row.get(5)?,
        seen_at: row.get(6)?,
        retry_at: row.get(7)?,
        attempts: row.get(8)?,
    })
}

/// What a fate says of one UID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What became of it.
    pub fate: Fate,
    /// The message it is or repeats.
    pub message_id: Option<MessageId>,
    /// The reason, in words.
    pub detail: String,
    /// When it is to be tried again.
    pub retry_at: Option<i64>,
}

/// Writes a fate down; a second verdict on the same UID replaces the first and counts the attempt.
///
/// # Errors
/// Those of SQLite.
pub fn upsert(
    tx: &Tx<'_>,
    folder_id: FolderId,
    uid_validity: u32,
    uid: u32,
    verdict: &Verdict,
    now: i64,
) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO fates (folder_id, uid_validity, uid, fate, message_id, detail, seen_at, retry_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (folder_id, uid_validity, uid) DO UPDATE SET
                fate = excluded.fate, message_id = excluded.message_id, detail = excluded.detail,
                seen_at = excluded.seen_at, retry_at = excluded.retry_at, attempts = attempts + 1",
    )?
    .execute((
        folder_id.0,
        uid_validity,
        uid,
        verdict.fate.word(),
        verdict.message_id.map(|id| id.0),
        &verdict.detail,
        now,
        verdict.retry_at,
    ))?;
    Ok(())
}

/// Whether this UID has a fate already, and how often it was tried.
///
/// # Errors
/// Those of SQLite.
pub fn find(db: &Db, folder_id: FolderId, uid_validity: u32, uid: u32) -> Result<Option<FateRow>> {
    use rusqlite::OptionalExtension as _;
    let sql = format!("{SELECT} WHERE folder_id = ?1 AND uid_validity = ?2 AND uid = ?3");
    Ok(db
        .prepare_cached(&sql)?
        .query_row((folder_id.0, uid_validity, uid), from_row)
        .optional()?)
}

/// Rows whose time to be tried again has come; also those whose time was set by a clock that has been set
/// back since.
///
/// # Errors
/// Those of SQLite.
pub fn list_due(db: &Db, folder_id: FolderId, uid_validity: u32, now: i64) -> Result<Vec<FateRow>> {
    let sql = format!(
        "{SELECT} WHERE folder_id = ?1 AND uid_validity = ?2 AND retry_at IS NOT NULL
           AND (retry_at <= ?3 OR seen_at > ?3) ORDER BY uid LIMIT 100"
    );
    let rows = db
        .prepare_cached(&sql)?
        .query_map((folder_id.0, uid_validity, now), from_row)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

/// How many messages of a folder met which fate, under its present UIDVALIDITY.
///
/// # Errors
/// Those of SQLite.
pub fn count(db: &Db, folder_id: FolderId) -> Result<Vec<FateCount>> {
    let rows = db
        .prepare_cached(
            "SELECT t.fate, COUNT(*) FROM fates t JOIN folders f ON f.id = t.folder_id
             WHERE t.folder_id = ?1 AND t.uid_validity = f.uid_validity GROUP BY t.fate ORDER BY t.fate",
        )?
        .query_map([folder_id.0], |row| {
            Ok(FateCount { fate: word(row, 0)?, count: row.get(1)? })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

/// Whether a message has been seen in folders of spam and nowhere else.
///
/// # Errors
/// Those of SQLite.
pub fn is_only_in_junk(db: &Db, message_id: MessageId) -> Result<bool> {
    Ok(db
        .prepare_cached(
            "SELECT COALESCE(MIN(f.junk), 0) FROM fates t JOIN folders f ON f.id = t.folder_id
             WHERE t.message_id = ?1",
        )?
        .query_row([message_id.0], |row| row.get(0))?)
}

/// The newest messages of a folder that we have: UID and Message-ID.
///
/// # Errors
/// Those of SQLite.
pub fn list_newest(
    db: &Db,
    folder_id: FolderId,
    uid_validity: u32,
    limit: u32,
) -> Result<Vec<(u32, String)>> {
    let rows = db
        .prepare_cached(
            "SELECT t.uid, m.internet_message_id FROM fates t JOIN messages m ON m.id = t.message_id
             WHERE t.folder_id = ?1 AND t.uid_validity = ?2 AND m.internet_message_id <> ''
             ORDER BY t.uid DESC LIMIT ?3",
        )?
        .query_map((folder_id.0, uid_validity, limit), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

/// Rows that need a person: unreadable, too big, absent, or still a stub.
///
/// # Errors
/// Those of SQLite.
pub fn list_needing_person(db: &Db, folder_id: FolderId, limit: u32) -> Result<Vec<FateRow>> {
    let sql = format!(
        "{SELECT} WHERE folder_id = ?1 AND fate IN ('unreadable', 'too_big', 'absent', 'stub')
         ORDER BY uid_validity DESC, uid DESC LIMIT ?2"
    );
    let rows = db
        .prepare_cached(&sql)?
        .query_map((folder_id.0, limit), from_row)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

/// Asks for another try of one row now.
///
/// # Errors
/// Those of SQLite.
pub fn update_retry(
    tx: &Tx<'_>,
    folder_id: FolderId,
    uid_validity: u32,
    uid: u32,
    retry_at: i64,
) -> Result<()> {
    tx.execute(
        "UPDATE fates SET retry_at = ?4 WHERE folder_id = ?1 AND uid_validity = ?2 AND uid = ?3",
        (folder_id.0, uid_validity, uid, retry_at),
    )?;
    Ok(())
}
