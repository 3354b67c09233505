//! What is to be done in a mailbox after an answer or a closure: a queue, and the settings that fill it.

use rusqlite::{OptionalExtension as _, Row};

use super::rows::{optional_json, to_optional_json, word};
use super::{Db, Result, Tx, mailboxes};
use crate::model::{
    ConversationId, FolderId, MailboxId, MessageId, MoveTarget, Word as _, WriteBack, WriteBackAct,
    WriteBackSettings, WriteBackState,
};
use crate::problem::Problem;

/// An answer that is taken back at once, or a conversation that is opened again at once, changes nothing in the
/// mailbox: nothing is done before so many seconds have passed.
pub const GRACE_SECONDS: i64 = 30;
/// How long finished acts are remembered.
const KEEP_SECONDS: i64 = 30 * 86_400;

/// What an administrator wants written back.
///
/// # Errors
/// Those of SQLite.
pub fn find_settings(db: &Db, mailbox_id: MailboxId) -> Result<WriteBackSettings> {
    let found = db
        .prepare_cached(
            "SELECT mark_read, move_raw_name, move_name, problem, problem_at
             FROM write_back_settings WHERE mailbox_id = ?1",
        )?
        .query_row([mailbox_id.0], |row| {
            let raw_name: Option<String> = row.get(1)?;
            let name: String = row.get(2)?;
            Ok(WriteBackSettings {
                mark_read: row.get(0)?,
                move_to: raw_name.map(|raw_name| MoveTarget { raw_name, name }),
                problem: optional_json(row, 3)?,
                problem_at: row.get(4)?,
            })
        })
        .optional()?;
    Ok(found.unwrap_or_default())
}

/// The mailboxes that have something written back.
///
/// # Errors
/// Those of SQLite.
pub fn list_on(db: &Db) -> Result<Vec<MailboxId>> {
    let rows = db
        .prepare_cached(
            "SELECT mailbox_id FROM write_back_settings
             WHERE mark_read = 1 OR move_raw_name IS NOT NULL ORDER BY mailbox_id",
        )?
        .query_map([], |row| row.get(0).map(MailboxId))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

/// Sets what is written back, from now on. What was asked for and is not wanted any more is dropped.
///
/// # Errors
/// Those of SQLite.
pub fn update_settings(
    tx: &Tx<'_>,
    mailbox_id: MailboxId,
    mark_read: bool,
    move_to: Option<&MoveTarget>,
) -> Result<()> {
    tx.execute(
        "INSERT INTO write_back_settings (mailbox_id, mark_read, move_raw_name, move_name)
         VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (mailbox_id) DO UPDATE SET mark_read = excluded.mark_read,
            move_raw_name = excluded.move_raw_name, move_name = excluded.move_name,
            problem = NULL, problem_at = NULL",
        (
            mailbox_id.0,
            mark_read,
            move_to.map(|target| target.raw_name.as_str()),
            move_to.map_or("", |target| target.name.as_str()),
        ),
    )?;
    for (act, wanted) in [
        (WriteBackAct::Seen, mark_read),
        (WriteBackAct::Move, move_to.is_some()),
    ] {
        if !wanted {
            delete_waiting(tx, mailbox_id, act)?;
        }
    }
    mailboxes::touch(tx, mailbox_id)
}

fn delete_waiting(tx: &Tx<'_>, mailbox_id: MailboxId, act: WriteBackAct) -> Result<()> {
    tx.execute(
        "DELETE FROM write_backs WHERE mailbox_id = ?1 AND act = ?2 AND due_at IS NOT NULL",
        (mailbox_id.0, act.word()),
    )?;
    Ok(())
}

/// The server cannot move messages: none are any more, and the reason is shown.
///
/// # Errors
/// Those of SQLite.
pub fn update_unable(
    tx: &Tx<'_>,
    mailbox_id: MailboxId,
    problem: &Problem,
    now: i64,
) -> Result<()> {
    tx.execute(
        "UPDATE write_back_settings SET move_raw_name = NULL, move_name = '', problem = ?2,
            problem_at = ?3 WHERE mailbox_id = ?1",
        (mailbox_id.0, to_optional_json(Some(problem)), now),
    )?;
    delete_waiting(tx, mailbox_id, WriteBackAct::Move)?;
    mailboxes::touch(tx, mailbox_id)
}

/// Sets or clears what stops all acts at the moment.
///
/// # Errors
/// Those of SQLite.
pub fn update_problem(
    tx: &Tx<'_>,
    mailbox_id: MailboxId,
    problem: Option<&Problem>,
    now: i64,
) -> Result<()> {
    let at = problem.map(|_| now);
    let changed = tx.execute(
        "UPDATE write_back_settings SET problem = ?2, problem_at = ?3
         WHERE mailbox_id = ?1 AND problem IS NOT ?2",
        (mailbox_id.0, to_optional_json(problem), at),
    )?;
    if changed > 0 {
        mailboxes::touch(tx, mailbox_id)?;
    }
    Ok(())
}

/// The act was wanted before: one that is waiting or done stays, one that was given up is tried again.
const ASK: &str = "INSERT INTO write_backs (mailbox_id, folder_id, uid_validity, uid, message_id, act,
        due_at, created_at)
     SELECT m.mailbox_id, f.id, t.uid_validity, t.uid, m.id, ?2, ?3 + ?4, ?3
     FROM messages m
     JOIN fates t ON t.message_id = m.id AND t.fate IN ('received', 'duplicate')
     JOIN folders f ON f.id = t.folder_id AND f.uid_validity = t.uid_validity
     JOIN write_back_settings s ON s.mailbox_id = m.mailbox_id
     WHERE m.conversation_id = ?1 AND m.direction = 'incoming' AND f.role <> 'sent' AND f.watched = 1";

const ASKED: &str = "ON CONFLICT (folder_id, uid_validity, uid, act) DO UPDATE SET
        due_at = excluded.due_at, attempts = 0, problem = NULL, finished_at = NULL
     WHERE problem IS NOT NULL AND finished_at IS NOT NULL";

/// Asks for the incoming mail of a conversation to be marked as read, where that is wanted.
///
/// # Errors
/// Those of SQLite.
pub fn insert_seen(tx: &Tx<'_>, id: ConversationId, now: i64) -> Result<()> {
    let sql = format!("{ASK} AND s.mark_read = 1 {ASKED}");
    tx.prepare_cached(&sql)?
        .execute((id.0, WriteBackAct::Seen.word(), now, GRACE_SECONDS))?;
    Ok(())
}

/// Forgets read marks of a conversation that were asked for since then and are not set yet: the answer that they
/// were for was taken back.
///
/// # Errors
/// Those of SQLite.
pub fn delete_seen_since(tx: &Tx<'_>, id: ConversationId, since_at: i64) -> Result<()> {
    tx.prepare_cached(
        "DELETE FROM write_backs WHERE act = ?2 AND due_at IS NOT NULL AND created_at >= ?3
           AND message_id IN (SELECT m.id FROM messages m WHERE m.conversation_id = ?1)",
    )?
    .execute((id.0, WriteBackAct::Seen.word(), since_at))?;
    Ok(())
}

/// Asks for the incoming mail of a conversation to be moved, where that is wanted. It is carried out only
/// while the conversation is closed.
///
/// # Errors
/// Those of SQLite.
pub fn insert_moves(tx: &Tx<'_>, id: ConversationId, now: i64) -> Result<()> {
    let sql =
        format!("{ASK} AND s.move_raw_name IS NOT NULL AND f.raw_name <> s.move_raw_name {ASKED}");
    tx.prepare_cached(&sql)?
        .execute((id.0, WriteBackAct::Move.word(), now, GRACE_SECONDS))?;
    Ok(())
}

/// Acts whose time has come; also those that were asked for by a clock that has been set back since.
///
/// # Errors
/// Those of SQLite.
pub fn list_due(db: &Db, mailbox_id: MailboxId, now: i64, limit: u32) -> Result<Vec<WriteBack>> {
    let rows = db
        .prepare_cached(
            "SELECT w.id, w.mailbox_id, w.folder_id, w.uid_validity, w.uid, w.message_id, w.act,
                    w.attempts, c.status = 'closed', m.internet_message_id
             FROM write_backs w
             JOIN messages m ON m.id = w.message_id
             JOIN conversations c ON c.id = m.conversation_id
             WHERE w.mailbox_id = ?1 AND w.due_at IS NOT NULL
               AND (w.due_at <= ?2 OR w.created_at > ?2)
             ORDER BY w.due_at LIMIT ?3",
        )?
        .query_map((mailbox_id.0, now, limit), from_row)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<WriteBack> {
    Ok(WriteBack {
        id: row.get(0)?,
        mailbox_id: MailboxId(row.get(1)?),
        folder_id: FolderId(row.get(2)?),
        uid_validity: row.get(3)?,
        uid: row.get(4)?,
        message_id: MessageId(row.get(5)?),
        act: word(row, 6)?,
        attempts: row.get(7)?,
        is_closed: row.get(8)?,
        internet_message_id: row.get(9)?,
    })
}

/// When the next act of a mailbox is due.
///
/// # Errors
/// Those of SQLite.
pub fn next_due(db: &Db, mailbox_id: MailboxId) -> Result<Option<i64>> {
    Ok(db
        .prepare_cached(
            "SELECT MIN(due_at) FROM write_backs WHERE mailbox_id = ?1 AND due_at IS NOT NULL",
        )?
        .query_row([mailbox_id.0], |row| row.get(0))?)
}

/// The act is done, or there is nothing left to do it to.
///
/// # Errors
/// Those of SQLite.
pub fn update_finished(tx: &Tx<'_>, id: i64, now: i64) -> Result<()> {
    tx.prepare_cached(
        "UPDATE write_backs SET due_at = NULL, problem = NULL, finished_at = ?2
         WHERE id = ?1 AND due_at IS NOT NULL",
    )?
    .execute((id, now))?;
    Ok(())
}

/// The act is not wanted any more; asked for again, it is done.
///
/// # Errors
/// Those of SQLite.
pub fn delete(tx: &Tx<'_>, id: i64) -> Result<()> {
    tx.prepare_cached("DELETE FROM write_backs WHERE id = ?1 AND due_at IS NOT NULL")?
        .execute([id])?;
    Ok(())
}

/// The act failed: it is tried again at `due_at`, or given up where there is none.
///
/// # Errors
/// Those of SQLite.
pub fn update_failed(
    tx: &Tx<'_>,
    id: i64,
    problem: &Problem,
    due_at: Option<i64>,
    now: i64,
) -> Result<()> {
    tx.prepare_cached(
        "UPDATE write_backs SET attempts = attempts + 1, problem = ?2, due_at = ?3,
            finished_at = CASE WHEN ?3 IS NULL THEN ?4 END
         WHERE id = ?1 AND due_at IS NOT NULL",
    )?
    .execute((id, to_optional_json(Some(problem)), due_at, now))?;
    Ok(())
}

/// The folder's UIDs have changed meaning: the act is done to the message under its new UID, where the folder
/// has been read anew and it was found again. Says whether it was.
///
/// # Errors
/// Those of SQLite.
pub fn update_uid(tx: &Tx<'_>, act: &WriteBack, uid_validity: u32) -> Result<bool> {
    let changed = tx
        .prepare_cached(
            "UPDATE OR REPLACE write_backs SET (uid_validity, uid) = (
                SELECT uid_validity, uid FROM fates WHERE message_id = ?2 AND folder_id = ?3
                    AND uid_validity = ?4 ORDER BY uid LIMIT 1)
             WHERE id = ?1 AND EXISTS (SELECT 1 FROM fates WHERE message_id = ?2 AND folder_id = ?3
                    AND uid_validity = ?4)",
        )?
        .execute((act.id, act.message_id.0, act.folder_id.0, uid_validity))?;
    Ok(changed > 0)
}

/// Puts all due acts of a mailbox off, as its server asked.
///
/// # Errors
/// Those of SQLite.
pub fn update_postponed(tx: &Tx<'_>, mailbox_id: MailboxId, until_at: i64) -> Result<()> {
    tx.prepare_cached(
        "UPDATE write_backs SET due_at = ?2
         WHERE mailbox_id = ?1 AND due_at IS NOT NULL AND due_at < ?2",
    )?
    .execute((mailbox_id.0, until_at))?;
    Ok(())
}

/// How the queue of a mailbox stands.
///
/// # Errors
/// Those of SQLite.
pub fn find_state(db: &Db, mailbox_id: MailboxId) -> Result<WriteBackState> {
    let waiting = db
        .prepare_cached(
            "SELECT COUNT(*) FROM write_backs WHERE mailbox_id = ?1 AND due_at IS NOT NULL",
        )?
        .query_row([mailbox_id.0], |row| row.get(0))?;
    let given_up = db
        .prepare_cached(
            "SELECT COUNT(*) FROM write_backs
             WHERE mailbox_id = ?1 AND problem IS NOT NULL AND finished_at IS NOT NULL",
        )?
        .query_row([mailbox_id.0], |row| row.get(0))?;
    let problem = db
        .prepare_cached(
            "SELECT problem FROM write_backs
             WHERE mailbox_id = ?1 AND problem IS NOT NULL AND finished_at IS NOT NULL
             ORDER BY id DESC LIMIT 1",
        )?
        .query_row([mailbox_id.0], |row| optional_json(row, 0))
        .optional()?
        .flatten();
    Ok(WriteBackState {
        waiting,
        given_up,
        problem,
    })
}

/// Tries again what was given up.
///
/// # Errors
/// Those of SQLite.
pub fn update_given_up(tx: &Tx<'_>, mailbox_id: MailboxId, now: i64) -> Result<usize> {
    let changed = tx.execute(
        "UPDATE write_backs SET due_at = ?2, attempts = 0, problem = NULL, finished_at = NULL
         WHERE mailbox_id = ?1 AND problem IS NOT NULL AND finished_at IS NOT NULL",
        (mailbox_id.0, now),
    )?;
    mailboxes::touch(tx, mailbox_id)?;
    Ok(changed)
}

/// Forgets what was given up.
///
/// # Errors
/// Those of SQLite.
pub fn delete_given_up(tx: &Tx<'_>, mailbox_id: MailboxId) -> Result<usize> {
    let changed = tx.execute(
        "DELETE FROM write_backs
         WHERE mailbox_id = ?1 AND problem IS NOT NULL AND finished_at IS NOT NULL",
        [mailbox_id.0],
    )?;
    mailboxes::touch(tx, mailbox_id)?;
    Ok(changed)
}

/// Forgets acts finished long ago.
///
/// # Errors
/// Those of SQLite.
pub fn delete_old(tx: &Tx<'_>, mailbox_id: MailboxId, now: i64) -> Result<()> {
    tx.prepare_cached(
        "DELETE FROM write_backs
         WHERE mailbox_id = ?1 AND finished_at IS NOT NULL AND finished_at < ?2",
    )?
    .execute((mailbox_id.0, now.saturating_sub(KEEP_SECONDS)))?;
    Ok(())
}
