//! The addresses we serve.

use rusqlite::{OptionalExtension as _, Row};

use super::rows::{optional_json, to_optional_json, word};
use super::{Db, Result, Tx};
use crate::model::{Mailbox, MailboxId, MailboxStatus, TakeFrom, WayOut, Word as _};
use crate::problem::Problem;

const SELECT: &str =
    "SELECT m.id, m.address, m.name, m.shared, m.status, m.take_from, m.take_since_at,
        m.poll_cron, m.way_out, m.send_user, m.signature_html, m.last_sync_at, m.last_sync_count,
        m.problem, m.problem_at, m.send_problem, m.send_problem_at, m.send_after_at, m.created_at,
        c.tenant_id, c.upn, c.person_name, m.new_subject_splits, m.smtp_size_bytes, m.sending_stopped_at
     FROM mailboxes m JOIN credentials c ON c.mailbox_id = m.id";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Mailbox> {
    Ok(Mailbox {
        id: MailboxId(row.get(0)?),
        address: row.get(1)?,
        name: row.get(2)?,
        shared: row.get(3)?,
        status: word(row, 4)?,
        take_from: word(row, 5)?,
        take_since_at: row.get(6)?,
        poll_cron: row.get(7)?,
        way_out: word(row, 8)?,
        send_as_upn: row.get::<_, String>(9)? == "upn",
        signature_html: row.get(10)?,
        last_sync_at: row.get(11)?,
        last_sync_count: row.get(12)?,
        problem: optional_json(row, 13)?,
        problem_at: row.get(14)?,
        send_problem: optional_json(row, 15)?,
        send_problem_at: row.get(16)?,
        send_after_at: row.get(17)?,
        created_at: row.get(18)?,
        tenant_id: row.get(19)?,
        upn: row.get(20)?,
        person_name: row.get(21)?,
        new_subject_splits: row.get(22)?,
        smtp_size_bytes: row.get(23)?,
        sending_stopped_at: row.get(24)?,
    })
}

/// Finds a mailbox.
///
/// # Errors
/// Those of SQLite.
pub fn find(db: &Db, id: MailboxId) -> Result<Option<Mailbox>> {
    let sql = format!("{SELECT} WHERE m.id = ?1");
    Ok(db
        .prepare_cached(&sql)?
        .query_row([id.0], from_row)
        .optional()?)
}

/// Finds a mailbox by address, without regard to case.
///
/// # Errors
/// Those of SQLite.
pub fn find_by_address(db: &Db, address: &str) -> Result<Option<Mailbox>> {
    let sql = format!("{SELECT} WHERE m.address = ?1");
    Ok(db
        .prepare_cached(&sql)?
        .query_row([address.trim()], from_row)
        .optional()?)
}

/// All mailboxes by name.
///
/// # Errors
/// Those of SQLite.
pub fn list(db: &Db) -> Result<Vec<Mailbox>> {
    let sql = format!("{SELECT} ORDER BY m.name, m.id");
    let rows = db
        .prepare_cached(&sql)?
        .query_map([], from_row)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

/// Adds a mailbox that still needs its administrator's choice of what to take.
///
/// # Errors
/// Those of SQLite; a constraint error when the address is served already.
pub fn insert(tx: &Tx<'_>, address: &str, name: &str, shared: bool, now: i64) -> Result<MailboxId> {
    tx.execute(
        "INSERT INTO mailboxes (address, name, provider, shared, status, created_at, revision)
         VALUES (?1, ?2, 'microsoft', ?3, 'choosing', ?4, 0)",
        (address, name, shared, now),
    )?;
    let id = MailboxId(tx.last_insert_rowid());
    touch(tx, id)?;
    Ok(id)
}

/// Marks a mailbox as changed, so that open pages show it.
///
/// # Errors
/// Those of SQLite.
pub fn touch(tx: &Tx<'_>, id: MailboxId) -> Result<()> {
    tx.prepare_cached(
        "UPDATE mailboxes SET revision = (SELECT MAX(revision) + 1 FROM mailboxes) WHERE id = ?1",
    )?
    .execute([id.0])?;
    Ok(())
}

/// The newest change of any mailbox; grows with each.
///
/// # Errors
/// Those of SQLite.
pub fn revision(db: &Db) -> Result<i64> {
    let sql = "SELECT COALESCE(MAX(revision), 0) FROM mailboxes";
    Ok(db.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

/// Sets the status and, with it, what keeps the mailbox from receiving.
///
/// # Errors
/// Those of SQLite.
pub fn update_status(
    tx: &Tx<'_>,
    id: MailboxId,
    status: MailboxStatus,
    problem: Option<&Problem>,
    now: i64,
) -> Result<()> {
    tx.prepare_cached(
        "UPDATE mailboxes SET status = ?2, problem = ?3,
                problem_at = CASE WHEN ?3 IS NULL THEN NULL
                                  WHEN problem IS NULL THEN ?4 ELSE problem_at END
         WHERE id = ?1",
    )?
    .execute((id.0, status.word(), to_optional_json(problem), now))?;
    touch(tx, id)
}

/// Writes down why receiving failed. `needs` is the status where a person must act, none where it passes by
/// itself. What passes does not hide why a person must act, and who paused the mailbox meanwhile finds it
/// paused.
///
/// # Errors
/// Those of SQLite.
pub fn update_failed(
    tx: &Tx<'_>,
    id: MailboxId,
    needs: Option<MailboxStatus>,
    problem: &Problem,
    now: i64,
) -> Result<()> {
    let changed = tx
        .prepare_cached(
            "UPDATE mailboxes SET
                status = CASE WHEN ?2 IS NULL OR status = 'paused' THEN status ELSE ?2 END,
                problem = ?3, problem_at = CASE WHEN problem IS NULL THEN ?4 ELSE problem_at END
             WHERE id = ?1 AND NOT (?2 IS NULL AND (status = 'paused'
                OR (problem IS NOT NULL AND status IN ('needs_sign_in', 'needs_admin'))))",
        )?
        .execute((
            id.0,
            needs.map(MailboxStatus::word),
            to_optional_json(Some(problem)),
            now,
        ))?;
    if changed > 0 {
        touch(tx, id)?;
    }
    Ok(())
}

/// Writes a sync down that ended well: the mailbox is active and has no problem.
///
/// # Errors
/// Those of SQLite.
pub fn update_synced(tx: &Tx<'_>, id: MailboxId, received: i64, now: i64) -> Result<()> {
    tx.prepare_cached(
        "UPDATE mailboxes SET last_sync_at = ?2,
                last_sync_count = CASE WHEN ?3 > 0 THEN ?3 ELSE last_sync_count END,
                status = CASE WHEN status IN ('needs_sign_in', 'needs_admin') THEN 'active' ELSE status END,
                problem = NULL, problem_at = NULL
         WHERE id = ?1",
    )?
    .execute((id.0, now, received))?;
    touch(tx, id)
}

/// Sets or clears what keeps the mailbox from sending, and until when it pauses. Where sending was stopped the
/// reason for that stays, until a person ends it.
///
/// # Errors
/// Those of SQLite.
pub fn update_sending(
    tx: &Tx<'_>,
    id: MailboxId,
    problem: Option<&Problem>,
    send_after_at: i64,
    now: i64,
) -> Result<()> {
    tx.prepare_cached(
        "UPDATE mailboxes SET send_problem = ?2, send_after_at = ?3,
                send_problem_at = CASE WHEN ?2 IS NULL THEN NULL
                                       WHEN send_problem IS NULL THEN ?4 ELSE send_problem_at END
         WHERE id = ?1 AND sending_stopped_at IS NULL",
    )?
    .execute((id.0, to_optional_json(problem), send_after_at, now))?;
    touch(tx, id)
}

/// Stops sending from a mailbox until a person lets it go on.
///
/// # Errors
/// Those of SQLite.
pub fn update_stopped(tx: &Tx<'_>, id: MailboxId, problem: &Problem, now: i64) -> Result<()> {
    tx.prepare_cached(
        "UPDATE mailboxes SET send_problem = ?2, send_after_at = 0, send_problem_at = ?3,
                sending_stopped_at = ?3
         WHERE id = ?1",
    )?
    .execute((id.0, to_optional_json(Some(problem)), now))?;
    touch(tx, id)
}

/// Lets a mailbox send again; what was refused before no longer counts.
///
/// # Errors
/// Those of SQLite.
pub fn update_resumed(tx: &Tx<'_>, id: MailboxId, now: i64) -> Result<()> {
    tx.prepare_cached(
        "UPDATE mailboxes SET send_problem = NULL, send_after_at = 0, send_problem_at = NULL,
                sending_stopped_at = NULL, sending_resumed_at = ?2
         WHERE id = ?1",
    )?
    .execute((id.0, now))?;
    touch(tx, id)
}

/// Writes down how large a message the SMTP server takes, as it said.
///
/// # Errors
/// Those of SQLite.
pub fn update_smtp_size(tx: &Tx<'_>, id: MailboxId, bytes: Option<i64>) -> Result<()> {
    tx.prepare_cached("UPDATE mailboxes SET smtp_size_bytes = ?2 WHERE id = ?1")?
        .execute((id.0, bytes))?;
    Ok(())
}

/// Sets how replies leave.
///
/// # Errors
/// Those of SQLite.
pub fn update_way_out(
    tx: &Tx<'_>,
    id: MailboxId,
    way_out: WayOut,
    send_as_upn: bool,
) -> Result<()> {
    let user = if send_as_upn { "upn" } else { "mailbox" };
    tx.execute(
        "UPDATE mailboxes SET way_out = ?2, send_user = ?3 WHERE id = ?1",
        (id.0, way_out.word(), user),
    )?;
    touch(tx, id)
}

/// Sets which older mail is taken; the mailbox begins to receive.
///
/// # Errors
/// Those of SQLite.
pub fn update_choice(
    tx: &Tx<'_>,
    id: MailboxId,
    take_from: TakeFrom,
    take_since_at: Option<i64>,
) -> Result<()> {
    tx.execute(
        "UPDATE mailboxes SET take_from = ?2, take_since_at = ?3, status = 'active' WHERE id = ?1",
        (id.0, take_from.word(), take_since_at),
    )?;
    touch(tx, id)
}

/// Sets what an administrator edits: name, signature, poll schedule, and whether a new subject begins
/// a new conversation.
///
/// # Errors
/// Those of SQLite.
pub fn update_settings(
    tx: &Tx<'_>,
    id: MailboxId,
    name: &str,
    signature_html: &str,
    poll_cron: &str,
    new_subject_splits: bool,
) -> Result<()> {
    tx.execute(
        "UPDATE mailboxes SET name = ?2, signature_html = ?3, poll_cron = ?4, new_subject_splits = ?5
         WHERE id = ?1",
        (id.0, name, signature_html, poll_cron, new_subject_splits),
    )?;
    touch(tx, id)
}
