//! Older mail that is fetched by date range: what was asked for, how far it is, and what came by it.

use rusqlite::{OptionalExtension as _, Row};

use super::rows::{optional_json, to_optional_json, word};
use super::{Db, Error, Result, Tx, mailboxes};
use crate::model::{
    AgentId, Backfill, BackfillFolder, BackfillFolderState, BackfillId, BackfillState,
    ConversationId, Days, FolderId, MailboxId, MessageId, Word as _,
};
use crate::problem::Problem;

/// The server counts days in its own time zone, which may be a day off ours at the edges.
const EDGE_SECONDS: i64 = 86_400;

const SELECT: &str =
    "SELECT id, mailbox_id, state, from_at, until_at, problem, created_at, finished_at
     FROM backfills";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Backfill> {
    let (from_at, until_at): (Option<i64>, Option<i64>) = (row.get(3)?, row.get(4)?);
    Ok(Backfill {
        id: BackfillId(row.get(0)?),
        mailbox_id: MailboxId(row.get(1)?),
        state: word(row, 2)?,
        days: from_at
            .zip(until_at)
            .map(|(from_at, until_at)| Days { from_at, until_at }),
        problem: optional_json(row, 5)?,
        created_at: row.get(6)?,
        finished_at: row.get(7)?,
        folders: Vec::new(),
    })
}

fn with_folders(db: &Db, backfill: Option<Backfill>) -> Result<Option<Backfill>> {
    let Some(mut backfill) = backfill else {
        return Ok(None);
    };
    backfill.folders = db
        .prepare_cached(
            "SELECT b.folder_id, f.name, b.state, b.uid_validity, b.total_count, b.known_count,
                    b.left_count, b.received_count
             FROM backfill_folders b JOIN folders f ON f.id = b.folder_id
             WHERE b.backfill_id = ?1 ORDER BY f.role <> 'inbox', f.role <> 'sent', f.id",
        )?
        .query_map([backfill.id.0], |row| {
            Ok(BackfillFolder {
                folder_id: FolderId(row.get(0)?),
                name: row.get(1)?,
                state: word(row, 2)?,
                uid_validity: row.get(3)?,
                total: row.get(4)?,
                known: row.get(5)?,
                left: row.get(6)?,
                received: row.get(7)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Some(backfill))
}

/// Finds a backfill.
///
/// # Errors
/// Those of SQLite.
pub fn find(db: &Db, id: BackfillId) -> Result<Option<Backfill>> {
    let sql = format!("{SELECT} WHERE id = ?1");
    let found = db
        .prepare_cached(&sql)?
        .query_row([id.0], from_row)
        .optional()?;
    with_folders(db, found)
}

/// The newest backfill of a mailbox; one that is under way is always the newest.
///
/// # Errors
/// Those of SQLite.
pub fn find_newest(db: &Db, mailbox_id: MailboxId) -> Result<Option<Backfill>> {
    let sql = format!("{SELECT} WHERE mailbox_id = ?1 ORDER BY id DESC LIMIT 1");
    let found = db
        .prepare_cached(&sql)?
        .query_row([mailbox_id.0], from_row)
        .optional()?;
    with_folders(db, found)
}

/// The mailboxes of which older mail is to be fetched now.
///
/// # Errors
/// Those of SQLite.
pub fn list_running(db: &Db) -> Result<Vec<MailboxId>> {
    let rows = db
        .prepare_cached(
            "SELECT mailbox_id FROM backfills
             WHERE state IN ('running', 'paused') AND +state = 'running'",
        )?
        .query_map([], |row| row.get(0).map(MailboxId))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

/// The newest backfill that asked for what arrived at this time, if any did; one that was cancelled asks
/// for nothing.
///
/// # Errors
/// Those of SQLite.
pub fn find_covering(db: &Db, mailbox_id: MailboxId, at: i64) -> Result<Option<BackfillId>> {
    Ok(db
        .prepare_cached(
            "SELECT id FROM backfills WHERE mailbox_id = ?1 AND state <> 'cancelled'
                AND COALESCE(from_at - ?3 <= ?2, 1) AND COALESCE(?2 < until_at + ?3, 1)
             ORDER BY id DESC LIMIT 1",
        )?
        .query_row((mailbox_id.0, at, EDGE_SECONDS), |row| {
            row.get(0).map(BackfillId)
        })
        .optional()?)
}

/// Asks for older mail of these folders.
///
/// # Errors
/// Those of SQLite; a constraint error when one is under way for the mailbox.
pub fn insert(
    tx: &Tx<'_>,
    mailbox_id: MailboxId,
    agent_id: AgentId,
    days: Option<Days>,
    folders: &[FolderId],
    now: i64,
) -> Result<BackfillId> {
    tx.execute(
        "INSERT INTO backfills (mailbox_id, agent_id, from_at, until_at, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        (
            mailbox_id.0,
            agent_id.0,
            days.map(|days| days.from_at),
            days.map(|days| days.until_at),
            now,
        ),
    )?;
    let id = BackfillId(tx.last_insert_rowid());
    for folder in folders {
        tx.execute(
            "INSERT INTO backfill_folders (backfill_id, folder_id) VALUES (?1, ?2)",
            (id.0, folder.0),
        )?;
    }
    mailboxes::touch(tx, mailbox_id)?;
    Ok(id)
}

/// Moves a backfill from one of these states to another; says whether it stood in one of them.
///
/// # Errors
/// Those of SQLite.
pub fn update_state(
    tx: &Tx<'_>,
    backfill: &Backfill,
    from: &[BackfillState],
    to: BackfillState,
    problem: Option<&Problem>,
    now: i64,
) -> Result<bool> {
    let state: Option<String> = tx
        .prepare_cached("SELECT state FROM backfills WHERE id = ?1")?
        .query_row([backfill.id.0], |row| row.get(0))
        .optional()?;
    let stands = state.as_deref().and_then(BackfillState::from_word);
    if stands.is_none_or(|state| !from.contains(&state)) {
        return Ok(false);
    }
    let is_over = !matches!(to, BackfillState::Running | BackfillState::Paused);
    tx.execute(
        "UPDATE backfills SET state = ?2, problem = ?3, finished_at = ?4 WHERE id = ?1",
        (
            backfill.id.0,
            to.word(),
            to_optional_json(problem),
            is_over.then_some(now),
        ),
    )?;
    mailboxes::touch(tx, backfill.mailbox_id)?;
    Ok(true)
}

/// Writes down what holds a running backfill up, or that nothing does any more.
///
/// # Errors
/// Those of SQLite.
pub fn update_problem(tx: &Tx<'_>, backfill: &Backfill, problem: Option<&Problem>) -> Result<()> {
    tx.execute(
        "UPDATE backfills SET problem = ?2 WHERE id = ?1 AND state IN ('running', 'paused')",
        (backfill.id.0, to_optional_json(problem)),
    )?;
    mailboxes::touch(tx, backfill.mailbox_id)
}

/// Writes down how much a folder holds of the range. What was known before is counted once under each
/// UIDVALIDITY: later listings find known what this backfill itself has brought.
///
/// # Errors
/// Those of SQLite.
pub fn update_listed(
    tx: &Tx<'_>,
    id: BackfillId,
    folder_id: FolderId,
    uid_validity: u32,
    total: usize,
    left: usize,
) -> Result<()> {
    let number = |count: usize| i64::try_from(count).map_err(|_| too_many());
    let (total, left) = (number(total)?, number(left)?);
    tx.execute(
        "UPDATE backfill_folders SET
                known_count = CASE WHEN uid_validity IS ?3 THEN known_count ELSE ?4 - ?5 END,
                total_count = CASE WHEN uid_validity IS ?3 THEN MAX(total_count, ?4) ELSE ?4 END,
                uid_validity = ?3, left_count = ?5
         WHERE backfill_id = ?1 AND folder_id = ?2",
        (id.0, folder_id.0, uid_validity, total, left),
    )?;
    Ok(())
}

fn too_many() -> Error {
    Error::Value("more messages than can be counted".to_owned())
}

/// Counts messages that have met their fate, in the transaction that stores it.
///
/// # Errors
/// Those of SQLite.
pub fn update_progress(
    tx: &Tx<'_>,
    id: BackfillId,
    folder_id: FolderId,
    done: u64,
    received: u64,
) -> Result<()> {
    tx.prepare_cached(
        "UPDATE backfill_folders SET left_count = MAX(left_count - ?3, 0),
                received_count = received_count + ?4
         WHERE backfill_id = ?1 AND folder_id = ?2",
    )?
    .execute((
        id.0,
        folder_id.0,
        i64::try_from(done).unwrap_or(i64::MAX),
        i64::try_from(received).unwrap_or(i64::MAX),
    ))?;
    Ok(())
}

/// Ends the part of one folder.
///
/// # Errors
/// Those of SQLite.
pub fn update_folder(
    tx: &Tx<'_>,
    id: BackfillId,
    folder_id: FolderId,
    state: BackfillFolderState,
) -> Result<()> {
    tx.execute(
        "UPDATE backfill_folders SET state = ?3, left_count = 0
         WHERE backfill_id = ?1 AND folder_id = ?2",
        (id.0, folder_id.0, state.word()),
    )?;
    Ok(())
}

/// Writes down that a message came by a backfill. Its conversation must be refreshed afterwards.
///
/// # Errors
/// Those of SQLite.
pub fn insert_message(tx: &Tx<'_>, id: BackfillId, message_id: MessageId) -> Result<()> {
    tx.prepare_cached("INSERT INTO backfilled_messages (message_id, backfill_id) VALUES (?1, ?2)")?
        .execute((message_id.0, id.0))?;
    Ok(())
}

/// The messages of a conversation that came by a backfill.
///
/// # Errors
/// Those of SQLite.
pub fn list_messages(db: &Db, conversation_id: ConversationId) -> Result<Vec<MessageId>> {
    let rows = db
        .prepare_cached(
            "SELECT m.id FROM messages m JOIN backfilled_messages b ON b.message_id = m.id
             WHERE m.conversation_id = ?1",
        )?
        .query_map([conversation_id.0], |row| row.get(0).map(MessageId))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}
