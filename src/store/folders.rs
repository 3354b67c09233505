//! Watched folders and how far they have been read.

use rusqlite::{OptionalExtension as _, Row};

use super::rows::{optional_json, to_optional_json, word};
use super::{Db, Result, Tx, mailboxes};
use crate::model::{Cursor, Folder, FolderId, FolderRole, MailboxId, Word as _};
use crate::problem::Problem;

const SELECT: &str =
    "SELECT id, mailbox_id, raw_name, name, role, uid_validity, next_uid, first_uid,
        server_count, synced_at, watched, chosen, junk, take_since_at, began_at, began_uid,
        problem, problem_at FROM folders";

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
        watched: row.get(10)?,
        chosen: row.get(11)?,
        junk: row.get(12)?,
        take_since_at: row.get(13)?,
        began_at: row.get(14)?,
        began_uid: row.get(15)?,
        problem: optional_json(row, 16)?,
        problem_at: row.get(17)?,
    })
}

/// The folders of a mailbox that are watched or have been, INBOX first.
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

/// Finds a folder.
///
/// # Errors
/// Those of SQLite.
pub fn find(db: &Db, id: FolderId) -> Result<Option<Folder>> {
    let sql = format!("{SELECT} WHERE id = ?1");
    Ok(db
        .prepare_cached(&sql)?
        .query_row([id.0], from_row)
        .optional()?)
}

/// Finds the folder of a mailbox with this role.
///
/// # Errors
/// Those of SQLite.
pub fn find_by_role(db: &Db, mailbox_id: MailboxId, role: FolderRole) -> Result<Option<Folder>> {
    let sql =
        format!("{SELECT} WHERE mailbox_id = ?1 AND role = ?2 ORDER BY watched DESC, id LIMIT 1");
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
         ON CONFLICT (mailbox_id, raw_name) DO UPDATE SET
            role = excluded.role, name = excluded.name, watched = 1",
        (mailbox_id.0, raw_name, name, role.word()),
    )?;
    Ok(())
}

/// Reads this folder for what was sent from now on, as an administrator chose; the one before is left alone.
///
/// # Errors
/// Those of SQLite.
pub fn update_sent(tx: &Tx<'_>, mailbox_id: MailboxId, raw_name: &str, name: &str) -> Result<()> {
    delete_sent_choice(tx, mailbox_id, raw_name)?;
    tx.execute(
        "INSERT INTO folders (mailbox_id, raw_name, name, role, chosen) VALUES (?1, ?2, ?3, 'sent', 1)
         ON CONFLICT (mailbox_id, raw_name) DO UPDATE SET
            role = 'sent', chosen = 1, watched = 1, junk = 0, problem = NULL, problem_at = NULL",
        (mailbox_id.0, raw_name, name),
    )?;
    mailboxes::touch(tx, mailbox_id)
}

/// Leaves the folder for sent mail to be found by itself again, unless it is this one.
///
/// # Errors
/// Those of SQLite.
pub fn delete_sent_choice(tx: &Tx<'_>, mailbox_id: MailboxId, except: &str) -> Result<()> {
    tx.execute(
        "UPDATE folders SET role = 'other', chosen = 0, watched = 0, problem = NULL, problem_at = NULL
         WHERE mailbox_id = ?1 AND role = 'sent' AND raw_name <> ?2",
        (mailbox_id.0, except),
    )?;
    mailboxes::touch(tx, mailbox_id)
}

/// What is said of a folder that is watched from now on.
#[derive(Debug, Clone, Copy)]
pub struct Watch<'a> {
    /// The name as the server spells it.
    pub raw_name: &'a str,
    /// The name as people read it.
    pub name: &'a str,
    /// It holds what the provider took for spam.
    pub junk: bool,
    /// What arrived before is not taken; 0 takes all.
    pub take_since_at: i64,
}

/// Watches a further folder. One that was watched before is read anew; what it brought is recognised.
///
/// # Errors
/// Those of SQLite.
pub fn insert_watched(
    tx: &Tx<'_>,
    mailbox_id: MailboxId,
    watch: Watch<'_>,
    now: i64,
) -> Result<()> {
    tx.execute(
        "INSERT INTO folders (mailbox_id, raw_name, name, role, chosen, junk, take_since_at, began_at)
         VALUES (?1, ?2, ?3, 'other', 1, ?4, ?5, ?6)
         ON CONFLICT (mailbox_id, raw_name) DO UPDATE SET
            role = 'other', chosen = 1, watched = 1, name = excluded.name, junk = excluded.junk,
            take_since_at = excluded.take_since_at, began_at = excluded.began_at, began_uid = NULL,
            uid_validity = NULL, next_uid = 1, first_uid = 1, server_count = NULL, synced_at = NULL,
            problem = NULL, problem_at = NULL",
        (
            mailbox_id.0,
            watch.raw_name,
            watch.name,
            watch.junk,
            watch.take_since_at,
            now,
        ),
    )?;
    mailboxes::touch(tx, mailbox_id)
}

/// Watches a further folder no more; what was received from it stays.
///
/// # Errors
/// Those of SQLite.
pub fn update_unwatched(tx: &Tx<'_>, mailbox_id: MailboxId, id: FolderId) -> Result<()> {
    tx.execute(
        "UPDATE folders SET watched = 0, problem = NULL, problem_at = NULL
         WHERE id = ?2 AND mailbox_id = ?1 AND role = 'other'",
        (mailbox_id.0, id.0),
    )?;
    mailboxes::touch(tx, mailbox_id)
}

/// Sets or clears what keeps a folder from being read.
///
/// # Errors
/// Those of SQLite.
pub fn update_problem(
    tx: &Tx<'_>,
    folder: &Folder,
    problem: Option<&Problem>,
    now: i64,
) -> Result<()> {
    let at = problem.map(|_| now);
    tx.execute(
        "UPDATE folders SET problem = ?2, problem_at = ?3 WHERE id = ?1",
        (folder.id.0, to_optional_json(problem), at),
    )?;
    mailboxes::touch(tx, folder.mailbox_id)
}

/// Writes down where the folder ended when it was first read after it was chosen; `None` where its UIDs have
/// changed meaning since.
///
/// # Errors
/// Those of SQLite.
pub fn update_began(tx: &Tx<'_>, id: FolderId, began_uid: Option<u32>) -> Result<()> {
    tx.execute(
        "UPDATE folders SET began_uid = ?2 WHERE id = ?1 AND began_at IS NOT NULL",
        (id.0, began_uid),
    )?;
    Ok(())
}

/// Forgets a folder of this name that is not watched any more, so that one which is may take its name.
///
/// # Errors
/// Those of SQLite.
pub fn delete_unwatched(tx: &Tx<'_>, mailbox_id: MailboxId, raw_name: &str) -> Result<()> {
    tx.execute(
        "DELETE FROM folders WHERE mailbox_id = ?1 AND raw_name = ?2 AND watched = 0",
        (mailbox_id.0, raw_name),
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
