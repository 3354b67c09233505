//! Folders held against their servers: what was found last, and when they are compared next.

use rusqlite::{OptionalExtension as _, Row};

use super::rows::{json, to_json};
use super::{Db, Result, Tx};
use crate::model::{Comparison, Differing, FolderId, LedgerCheck, MailboxId, Recovered};

/// Most UIDs kept by name of one difference.
const NAMES_MAX: usize = 100;

const COLUMNS: &str =
    "k.folder_id, k.due_at, k.uid_validity, k.checked_at, k.first_uid, k.next_uid,
        k.server_count, k.outside_count, k.unlisted_count, k.gone_count, k.missing_count, k.missing,
        k.differs_since_at, k.recovered_count, k.recovered, k.recovered_at";

fn from_row(row: &Row<'_>) -> rusqlite::Result<LedgerCheck> {
    let uid_validity: Option<u32> = row.get(2)?;
    let checked_at: Option<i64> = row.get(3)?;
    let last = match checked_at.zip(uid_validity) {
        None => None,
        Some((at, uid_validity)) => Some((
            at,
            Comparison {
                uid_validity,
                first_uid: row.get(4)?,
                next_uid: row.get(5)?,
                server_count: row.get(6)?,
                outside_count: row.get(7)?,
                unlisted_count: row.get(8)?,
                gone_count: row.get(9)?,
                missing_count: row.get(10)?,
                missing: json(row, 11)?,
            },
        )),
    };
    let recovered = match row.get(15)? {
        None => None,
        Some(at) => Some(Recovered {
            count: row.get(13)?,
            uids: json(row, 14)?,
            at,
        }),
    };
    Ok(LedgerCheck {
        folder_id: FolderId(row.get(0)?),
        due_at: row.get(1)?,
        last,
        differs_since_at: row.get(12)?,
        recovered,
    })
}

/// How a folder stands; `None` before its first sync has ended.
///
/// # Errors
/// Those of SQLite.
pub fn find(db: &Db, folder_id: FolderId) -> Result<Option<LedgerCheck>> {
    let sql = format!("SELECT {COLUMNS} FROM ledger_checks k WHERE k.folder_id = ?1");
    Ok(db
        .prepare_cached(&sql)?
        .query_row([folder_id.0], from_row)
        .optional()?)
}

/// Watched folders that differ from their servers, the longest first. A difference that is being mended stands here
/// for a moment; one that stays is for a person.
///
/// # Errors
/// Those of SQLite.
pub fn list_differing(db: &Db) -> Result<Vec<Differing>> {
    let sql = format!(
        "SELECT {COLUMNS}, f.mailbox_id, m.address, f.name
         FROM ledger_checks k JOIN folders f ON f.id = k.folder_id JOIN mailboxes m ON m.id = f.mailbox_id
         WHERE k.differs_since_at IS NOT NULL AND f.watched = 1 ORDER BY k.differs_since_at, k.folder_id"
    );
    let rows = db
        .prepare_cached(&sql)?
        .query_map([], |row| {
            Ok(Differing {
                check: from_row(row)?,
                mailbox_id: MailboxId(row.get(16)?),
                mailbox: row.get(17)?,
                folder: row.get(18)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

/// Says when a folder is to be compared next.
///
/// # Errors
/// Those of SQLite.
pub fn upsert_due(tx: &Tx<'_>, folder_id: FolderId, due_at: i64) -> Result<()> {
    tx.execute(
        "INSERT INTO ledger_checks (folder_id, due_at) VALUES (?1, ?2)
         ON CONFLICT (folder_id) DO UPDATE SET due_at = excluded.due_at",
        (folder_id.0, due_at),
    )?;
    Ok(())
}

/// Writes down what a comparison found.
///
/// # Errors
/// Those of SQLite.
pub fn update_last(
    tx: &Tx<'_>,
    folder_id: FolderId,
    found: &Comparison,
    due_at: i64,
    now: i64,
) -> Result<()> {
    let names = found.missing.get(..NAMES_MAX).unwrap_or(&found.missing);
    tx.prepare_cached(
        "UPDATE ledger_checks SET due_at = ?2, uid_validity = ?3, checked_at = ?4, first_uid = ?5,
                next_uid = ?6, server_count = ?7, outside_count = ?8, unlisted_count = ?9, gone_count = ?10,
                missing_count = ?11, missing = ?12,
                differs_since_at = CASE WHEN ?13 THEN NULL ELSE COALESCE(differs_since_at, ?4) END
         WHERE folder_id = ?1",
    )?
    .execute(rusqlite::params![
        folder_id.0,
        due_at,
        found.uid_validity,
        now,
        found.first_uid,
        found.next_uid,
        found.server_count,
        found.outside_count,
        found.unlisted_count,
        found.gone_count,
        found.missing_count,
        to_json(&names),
        found.agrees(),
    ])?;
    Ok(())
}

/// Writes down which messages without a fate were taken, beside those taken before because of the same
/// difference.
///
/// # Errors
/// Those of SQLite.
pub fn update_recovered(
    tx: &Tx<'_>,
    folder_id: FolderId,
    taken: &[u32],
    same_difference: bool,
    now: i64,
) -> Result<()> {
    let before = find(tx, folder_id)?
        .and_then(|check| check.recovered)
        .filter(|_| same_difference);
    let (mut uids, count) = before.map_or((Vec::new(), 0), |before| (before.uids, before.count));
    uids.extend(taken);
    uids.truncate(NAMES_MAX);
    let count = count.saturating_add(i64::try_from(taken.len()).unwrap_or(i64::MAX));
    tx.prepare_cached(
        "UPDATE ledger_checks SET recovered_count = ?2, recovered = ?3, recovered_at = ?4
         WHERE folder_id = ?1",
    )?
    .execute((folder_id.0, count, to_json(&uids), now))?;
    Ok(())
}
