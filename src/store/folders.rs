//! Watched folders and how far they have been read.

use rusqlite::{OptionalExtension as _, Row};

use super::rows::word;
use super::{Db, Result, Tx};
use crate::model::{Cursor, Folder, FolderId, FolderRole, MailboxId, Word as _};

const SELECT: &str =
    "SELECT id, mailbox_id, raw_name, name, role, uid_validity, next_uid, first_uid,
        server_count, synced_at FROM folders";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Folder> {
    let uid_validity: Option<u32> = row.get(5)?;
    let next_uid: u32 = row.get(6)?;
    Ok(Folder {
        id: FolderId(row.get(0)?),
        mailbox_id: MailboxId(row.get(1)?),
        raw_name: row.get(2)?,
        name: row.get(3)?,
        role: word(row, 4)?,
        cursor: uid_validity.map(|uid_validity| Cursor {
            uid_validity,
            next_uid,
        }),
        first_uid: row.get(7)?,
        server_count: row.get(8)?,
        synced_at: row.get(9)?,
    })
}

/// The watched folders of a mailbox, INBOX first.
///
/// # Errors
/// Those of SQLite.
pub fn list(db: &Db, mailbox_id: MailboxId) -> Result<Vec<Folder>> {
    let sql = format!("{SELECT} WHERE mailbox_id = ?1 ORDER BY role <> 'inbox', id");
    let rows = db
        .prepare_cached(&sql)?
        .query_map([mailbox_id.0], from_row)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

/// Finds the folder of a mailbox with this role.
///
/// # Errors
/// Those of SQLite.
pub fn find_by_role(db: &Db, mailbox_id: MailboxId, role: FolderRole) -> Result<Option<Folder>> {
    let sql = format!("{SELECT} WHERE mailbox_id = ?1 AND role = ?2 ORDER BY id LIMIT 1");
    Ok(db
        .prepare_cached(&sql)?
        .query_row((mailbox_id.0, role.word()), from_row)
        .optional()?)
}

/// Watches a folder; harmless when it is watched already.
///
/// # Errors
/// Those of SQLite.
pub fn insert(
    tx: &Tx<'_>,
    mailbox_id: MailboxId,
    raw_name: &str,
    name: &str,
    role: FolderRole,
) -> Result<()> {
    tx.execute(
        "INSERT INTO folders (mailbox_id, raw_name, name, role) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (mailbox_id, raw_name) DO UPDATE SET role = excluded.role, name = excluded.name",
        (mailbox_id.0, raw_name, name, role.word()),
    )?;
    Ok(())
}

/// A folder goes by another name now.
///
/// # Errors
/// Those of SQLite; a constraint error when another folder of the mailbox has that name.
pub fn update_name(tx: &Tx<'_>, id: FolderId, raw_name: &str, name: &str) -> Result<()> {
    tx.execute(
        "UPDATE folders SET raw_name = ?2, name = ?3 WHERE id = ?1",
        (id.0, raw_name, name),
    )?;
    Ok(())
}

/// Begins to read a folder, or begins anew after its UIDs changed: nothing below `first_uid` is wanted.
///
/// # Errors
/// Those of SQLite.
pub fn update_start(tx: &Tx<'_>, id: FolderId, uid_validity: u32, first_uid: u32) -> Result<()> {
    // Fates written under this UIDVALIDITY before a restore may speak of other messages.
    tx.execute(
        "DELETE FROM fates WHERE folder_id = ?1 AND uid_validity = ?2",
        (id.0, uid_validity),
    )?;
    tx.execute(
        "UPDATE folders SET uid_validity = ?2, first_uid = ?3, next_uid = ?3 WHERE id = ?1",
        (id.0, uid_validity, first_uid),
    )?;
    Ok(())
}

/// Moves the cursor forward, in the transaction that stores what was read. It never moves back.
///
/// # Errors
/// Those of SQLite.
pub fn update_cursor(tx: &Tx<'_>, id: FolderId, cursor: Cursor) -> Result<()> {
    tx.prepare_cached(
        "UPDATE folders SET next_uid = MAX(next_uid, ?3) WHERE id = ?1 AND uid_validity = ?2",
    )?
    .execute((id.0, cursor.uid_validity, cursor.next_uid))?;
    Ok(())
}

/// Whether this UID still means what it meant, and has been passed by the cursor.
///
/// # Errors
/// Those of SQLite.
pub fn has_passed(db: &Db, id: FolderId, uid_validity: u32, uid: u32) -> Result<bool> {
    Ok(db
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM folders
                WHERE id = ?1 AND uid_validity = ?2 AND next_uid > ?3)",
        )?
        .query_row((id.0, uid_validity, uid), |row| row.get(0))?)
}

/// Writes down that each message of a folder has its fate, also those that were there before.
///
/// # Errors
/// Those of SQLite.
pub fn update_whole(tx: &Tx<'_>, id: FolderId, uid_validity: u32) -> Result<()> {
    tx.execute(
        "UPDATE folders SET first_uid = 1 WHERE id = ?1 AND uid_validity = ?2",
        (id.0, uid_validity),
    )?;
    Ok(())
}

/// Writes down what the server counted when a sync ended.
///
/// # Errors
/// Those of SQLite.
pub fn update_synced(tx: &Tx<'_>, id: FolderId, server_count: i64, now: i64) -> Result<()> {
    tx.prepare_cached("UPDATE folders SET server_count = ?2, synced_at = ?3 WHERE id = ?1")?
        .execute((id.0, server_count, now))?;
    Ok(())
}
