//! The ledger: what became of each message seen in a folder.

use rusqlite::Row;

use super::rows::word;
use super::{Db, Result, Tx};
use crate::model::{Fate, FateCount, FateRow, FolderId, Label, MessageId, Word as _};

const SELECT: &str =
    "SELECT folder_id, uid_validity, uid, fate, message_id, detail, seen_at, retry_at, attempts,
        internet_message_id, sender, subject, sent_at, dismissed_at FROM fates";

/// What a person must look at, spelt as the partial index `fates_needing_person` has it.
const NEEDING_PERSON: &str = "fate IN ('unreadable', 'too_big', 'absent', 'stub')";

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
        label: Label {
            internet_message_id: row.get(9)?,
            sender: row.get(10)?,
            subject: row.get(11)?,
            sent_at: row.get(12)?,
        },
        dismissed_at: row.get(13)?,
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
                seen_at = excluded.seen_at, retry_at = excluded.retry_at, attempts = attempts + 1,
                dismissed_at = NULL",
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

/// The UIDs of a folder that have a fate, sorted; those left out whose fate is `ignored` for this reason.
///
/// # Errors
/// Those of SQLite.
pub fn list_uids(
    db: &Db,
    folder_id: FolderId,
    uid_validity: u32,
    except: &str,
) -> Result<Vec<u32>> {
    let rows = db
        .prepare_cached(
            "SELECT uid FROM fates WHERE folder_id = ?1 AND uid_validity = ?2
                AND NOT (fate = 'ignored' AND detail = ?3) ORDER BY uid",
        )?
        .query_map((folder_id.0, uid_validity, except), |row| row.get(0))?
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

/// Which rows that need a person are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Needing {
    /// Those of which a person has said that they are fine, rather than those that wait for one.
    pub dismissed: bool,
    /// Only those below this UID: the next page.
    pub below_uid: Option<u32>,
}

/// Rows that need a person under a UIDVALIDITY: unreadable, too big, absent, or still a stub; newest first.
/// After its UIDs have changed meaning, a folder cannot be asked for the old ones.
///
/// # Errors
/// Those of SQLite.
pub fn list_needing_person(
    db: &Db,
    folder_id: FolderId,
    uid_validity: u32,
    which: Needing,
    limit: u32,
) -> Result<Vec<FateRow>> {
    let dismissed = if which.dismissed { "NOT NULL" } else { "NULL" };
    let sql = format!(
        "{SELECT} WHERE folder_id = ?1 AND uid_validity = ?2 AND uid < ?3 AND {NEEDING_PERSON}
           AND dismissed_at IS {dismissed} ORDER BY uid DESC LIMIT ?4"
    );
    let below = which.below_uid.map_or(i64::MAX, i64::from);
    let rows = db
        .prepare_cached(&sql)?
        .query_map((folder_id.0, uid_validity, below, limit), from_row)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

/// How many rows of a folder wait for a person, and of how many one has said that they are fine.
///
/// # Errors
/// Those of SQLite.
pub fn count_needing_person(db: &Db, folder_id: FolderId) -> Result<(i64, i64)> {
    let sql = format!(
        "SELECT COUNT(*), COUNT(dismissed_at) FROM fates
         WHERE folder_id = ?1 AND {NEEDING_PERSON}
           AND uid_validity = (SELECT uid_validity FROM folders WHERE id = ?1)"
    );
    Ok(db.prepare_cached(&sql)?.query_row([folder_id.0], |row| {
        let (all, dismissed): (i64, i64) = (row.get(0)?, row.get(1)?);
        Ok((all - dismissed, dismissed))
    })?)
}

/// Asks for another try now of one row that needs a person, or of all that wait for one; says of how many.
///
/// # Errors
/// Those of SQLite.
pub fn update_retry(
    tx: &Tx<'_>,
    folder_id: FolderId,
    uid_validity: u32,
    uid: Option<u32>,
    now: i64,
) -> Result<usize> {
    let sql = format!(
        "UPDATE fates SET retry_at = ?4, dismissed_at = NULL
         WHERE folder_id = ?1 AND uid_validity = ?2 AND {NEEDING_PERSON}
           AND (uid = ?3 OR ?3 IS NULL AND dismissed_at IS NULL)"
    );
    Ok(tx
        .prepare_cached(&sql)?
        .execute((folder_id.0, uid_validity, uid, now))?)
}

/// A person says of one row, or of all that wait for one, that it is fine so: it is not tried again and leaves
/// the list. Says of how many.
///
/// # Errors
/// Those of SQLite.
pub fn update_dismissed(
    tx: &Tx<'_>,
    folder_id: FolderId,
    uid_validity: u32,
    uid: Option<u32>,
    now: i64,
) -> Result<usize> {
    let sql = format!(
        "UPDATE fates SET retry_at = NULL, dismissed_at = ?4
         WHERE folder_id = ?1 AND uid_validity = ?2 AND {NEEDING_PERSON} AND dismissed_at IS NULL
           AND (uid = ?3 OR ?3 IS NULL)"
    );
    Ok(tx
        .prepare_cached(&sql)?
        .execute((folder_id.0, uid_validity, uid, now))?)
}

/// Messages too big to be taken of which the server has not been asked yet what they are.
///
/// # Errors
/// Those of SQLite.
pub fn list_unnamed(db: &Db, folder_id: FolderId, uid_validity: u32) -> Result<Vec<u32>> {
    let sql = format!(
        "SELECT uid FROM fates
         WHERE folder_id = ?1 AND uid_validity = ?2 AND {NEEDING_PERSON}
           AND fate = 'too_big' AND asked_at IS NULL LIMIT 20"
    );
    let rows = db
        .prepare_cached(&sql)?
        .query_map((folder_id.0, uid_validity), |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

/// Writes down, before it is done, that the server is asked what a message is.
///
/// # Errors
/// Those of SQLite.
pub fn update_asked(
    tx: &Tx<'_>,
    folder_id: FolderId,
    uid_validity: u32,
    uid: u32,
    now: i64,
) -> Result<()> {
    tx.prepare_cached(
        "UPDATE fates SET asked_at = ?4 WHERE folder_id = ?1 AND uid_validity = ?2 AND uid = ?3",
    )?
    .execute((folder_id.0, uid_validity, uid, now))?;
    Ok(())
}

/// Writes down what a message is for which none is stored.
///
/// # Errors
/// Those of SQLite.
pub fn update_label(
    tx: &Tx<'_>,
    folder_id: FolderId,
    uid_validity: u32,
    uid: u32,
    label: &Label,
) -> Result<()> {
    tx.prepare_cached(
        "UPDATE fates SET internet_message_id = ?4, sender = ?5, subject = ?6, sent_at = ?7
         WHERE folder_id = ?1 AND uid_validity = ?2 AND uid = ?3",
    )?
    .execute((
        folder_id.0,
        uid_validity,
        uid,
        &label.internet_message_id,
        &label.sender,
        &label.subject,
        label.sent_at,
    ))?;
    Ok(())
}

/// Where a message was seen.
///
/// # Errors
/// Those of SQLite.
pub fn list_of_message(db: &Db, id: MessageId, limit: u32) -> Result<Vec<FateRow>> {
    let sql = format!("{SELECT} WHERE message_id = ?1 LIMIT ?2");
    let rows = db
        .prepare_cached(&sql)?
        .query_map((id.0, limit), from_row)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

/// Rows for which no message is stored, by the Message-ID that their header fields had.
///
/// # Errors
/// Those of SQLite.
pub fn list_by_internet_message_id(db: &Db, id: &str, limit: u32) -> Result<Vec<FateRow>> {
    let sql = format!(
        "{SELECT} WHERE internet_message_id = ?1 AND internet_message_id <> '' AND message_id IS NULL
         LIMIT ?2"
    );
    let rows = db
        .prepare_cached(&sql)?
        .query_map((id, limit), from_row)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

/// How fates and a listing of the server differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Differences {
    /// Listed UIDs without a fate.
    pub missing: Vec<u32>,
    /// Fates whose UID is not listed.
    pub gone_count: i64,
}

/// Holds the fates of a stretch of UIDs against what the server lists there, which must be sorted.
///
/// # Errors
/// Those of SQLite.
pub fn find_differences(
    db: &Db,
    folder_id: FolderId,
    uid_validity: u32,
    stretch: std::ops::Range<u32>,
    listed: &[u32],
) -> Result<Differences> {
    let mut statement = db.prepare_cached(
        "SELECT uid FROM fates WHERE folder_id = ?1 AND uid_validity = ?2 AND uid >= ?3 AND uid < ?4
         ORDER BY uid",
    )?;
    let known = statement.query_map(
        (folder_id.0, uid_validity, stretch.start, stretch.end),
        |row| row.get::<_, u32>(0),
    )?;
    let mut found = Differences::default();
    let mut listed = listed.iter().copied().peekable();
    for uid in known {
        let uid = uid?;
        while let Some(missing) = listed.next_if(|listed| *listed < uid) {
            found.missing.push(missing);
        }
        if listed.next_if_eq(&uid).is_none() {
            found.gone_count += 1;
        }
    }
    found.missing.extend(listed);
    Ok(found)
}
