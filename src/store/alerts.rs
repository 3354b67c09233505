//! What administrators must know of, and the duties to tell them.

use rusqlite::{OptionalExtension as _, Row};

use super::rows::{json, optional_json, to_json, to_optional_json, word};
use super::{Db, Result, Tx};
use crate::model::{
    Alert, AlertCause, AlertChannel, AlertId, AlertPhase, DeliveryId, DeliveryState, FolderId,
    MailboxId, Notice, NoticeState, Word as _,
};
use crate::problem::Problem;

const COLUMNS: &str = "a.id, a.public_id, a.kind, a.key, a.mailbox_id, a.title, a.problem, a.place,
        a.opened_at, a.closed_at";
const NOTICE_COLUMNS: &str = "n.alert_id, n.phase, n.channel, n.state, n.attempts,
        n.next_attempt_at, n.told_at, n.way, n.problem, n.created_at";
/// Most alerts that are open at a time: what would be more is one trouble, told by those that are.
pub const OPEN_MAX: u32 = 200;
/// A try further away than this was planned by a clock that has been set back since.
const FUTURE_SECONDS: i64 = 2 * 3_600;

fn from_row(row: &Row<'_>) -> rusqlite::Result<Alert> {
    Ok(Alert {
        id: AlertId(row.get(0)?),
        public_id: row.get(1)?,
        cause: AlertCause {
            kind: word(row, 2)?,
            key: row.get(3)?,
            mailbox_id: row.get::<_, Option<i64>>(4)?.map(MailboxId),
            title: row.get(5)?,
            problem: json(row, 6)?,
            place: row.get(7)?,
        },
        opened_at: row.get(8)?,
        closed_at: row.get(9)?,
    })
}

fn notice_from_row(row: &Row<'_>) -> rusqlite::Result<Notice> {
    Ok(Notice {
        alert_id: AlertId(row.get(0)?),
        phase: word(row, 1)?,
        channel: word(row, 2)?,
        state: word(row, 3)?,
        attempts: row.get(4)?,
        next_attempt_at: row.get(5)?,
        told_at: row.get(6)?,
        way: row.get(7)?,
        problem: optional_json(row, 8)?,
        created_at: row.get(9)?,
    })
}

/// Finds an alert.
///
/// # Errors
/// Those of SQLite.
pub fn find(db: &Db, id: AlertId) -> Result<Option<Alert>> {
    let sql = format!("SELECT {COLUMNS} FROM alerts a WHERE a.id = ?1");
    Ok(db
        .prepare_cached(&sql)?
        .query_row([id.0], from_row)
        .optional()?)
}

/// The open alerts, by key.
///
/// # Errors
/// Those of SQLite.
pub fn list_open(db: &Db) -> Result<Vec<Alert>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM alerts a INDEXED BY alerts_open
         WHERE a.closed_at IS NULL ORDER BY a.key LIMIT ?1"
    );
    let rows = db
        .prepare_cached(&sql)?
        .query_map([OPEN_MAX], from_row)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

/// Alerts that are over, the last to end first; those that come after `after`, an end and an id.
///
/// # Errors
/// Those of SQLite.
pub fn list_closed(db: &Db, after: Option<(i64, AlertId)>, limit: u32) -> Result<Vec<Alert>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM alerts a
         WHERE a.closed_at IS NOT NULL AND (a.closed_at, a.id) < (?1, ?2)
         ORDER BY a.closed_at DESC, a.id DESC LIMIT ?3"
    );
    let (at, id) = after.map_or((i64::MAX, i64::MAX), |(at, id)| (at, id.0));
    let rows = db
        .prepare_cached(&sql)?
        .query_map((at, id, limit), from_row)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

/// Opens an alert and the duty to tell of it by these channels.
///
/// # Errors
/// Those of SQLite; a constraint error when one is open for its key.
pub fn insert(
    tx: &Tx<'_>,
    cause: &AlertCause,
    public_id: &str,
    channels: &[AlertChannel],
    now: i64,
) -> Result<AlertId> {
    tx.prepare_cached(
        "INSERT INTO alerts (public_id, kind, key, mailbox_id, title, problem, place, opened_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute((
        public_id,
        cause.kind.word(),
        &cause.key,
        cause.mailbox_id.map(|id| id.0),
        &cause.title,
        to_json(&cause.problem),
        &cause.place,
        now,
    ))?;
    let id = AlertId(tx.last_insert_rowid());
    for channel in channels {
        insert_notice(tx, id, AlertPhase::Opened, *channel, now)?;
    }
    Ok(id)
}

fn insert_notice(
    tx: &Tx<'_>,
    id: AlertId,
    phase: AlertPhase,
    channel: AlertChannel,
    now: i64,
) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO alert_notices (alert_id, phase, channel, next_attempt_at, created_at)
         VALUES (?1, ?2, ?3, ?4, ?4)",
    )?
    .execute((id.0, phase.word(), channel.word(), now))?;
    Ok(())
}

/// Writes down that the cause of an open alert has changed; nobody is told again.
///
/// # Errors
/// Those of SQLite.
pub fn update_cause(tx: &Tx<'_>, id: AlertId, cause: &AlertCause) -> Result<()> {
    tx.prepare_cached("UPDATE alerts SET title = ?2, problem = ?3, place = ?4 WHERE id = ?1")?
        .execute((id.0, &cause.title, to_json(&cause.problem), &cause.place))?;
    Ok(())
}

/// Ends an alert. Who was to be told of it is told that it is over, and no more that it began; where it was
/// `replaced` by another alert, nobody is told anything more.
///
/// # Errors
/// Those of SQLite.
pub fn update_closed(tx: &Tx<'_>, id: AlertId, replaced: bool, now: i64) -> Result<()> {
    tx.prepare_cached("UPDATE alerts SET closed_at = ?2 WHERE id = ?1 AND closed_at IS NULL")?
        .execute((id.0, now))?;
    tx.prepare_cached(
        "UPDATE alert_notices SET state = 'dropped' WHERE alert_id = ?1 AND state = 'due'",
    )?
    .execute([id.0])?;
    if !replaced {
        for notice in list_notices(tx, id)? {
            insert_notice(tx, id, AlertPhase::Over, notice.channel, now)?;
        }
    }
    Ok(())
}

/// The duties to tell of an alert.
///
/// # Errors
/// Those of SQLite.
pub fn list_notices(db: &Db, id: AlertId) -> Result<Vec<Notice>> {
    let sql = format!(
        "SELECT {NOTICE_COLUMNS} FROM alert_notices n WHERE n.alert_id = ?1
         ORDER BY n.phase, n.channel"
    );
    let rows = db
        .prepare_cached(&sql)?
        .query_map([id.0], notice_from_row)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

/// Takes the duties that are due, the longest waiting first: each is counted as tried, and comes again at
/// the time that `again_at` gives for its number of tries, should nothing more be heard of it.
///
/// # Errors
/// Those of SQLite.
pub fn claim_due(
    tx: &Tx<'_>,
    now: i64,
    limit: u32,
    again_at: impl Fn(i64) -> i64,
) -> Result<Vec<(Alert, Notice)>> {
    let sql = format!(
        "SELECT {NOTICE_COLUMNS} FROM alert_notices n INDEXED BY alert_notices_due
         WHERE n.state = 'due' AND (n.next_attempt_at <= ?1 OR n.next_attempt_at > ?1 + ?3)
         ORDER BY n.next_attempt_at LIMIT ?2"
    );
    let due: Vec<Notice> = tx
        .prepare_cached(&sql)?
        .query_map((now, limit, FUTURE_SECONDS), notice_from_row)?
        .collect::<rusqlite::Result<_>>()?;
    let mut claimed = Vec::new();
    for mut notice in due {
        notice.attempts += 1;
        notice.next_attempt_at = again_at(notice.attempts);
        update_notice(tx, &notice)?;
        if let Some(alert) = find(tx, notice.alert_id)? {
            claimed.push((alert, notice));
        }
    }
    Ok(claimed)
}

/// Writes down where a duty stands, unless it was dropped meanwhile.
///
/// # Errors
/// Those of SQLite.
pub fn update_notice(tx: &Tx<'_>, notice: &Notice) -> Result<()> {
    tx.prepare_cached(
        "UPDATE alert_notices SET attempts = ?4, next_attempt_at = ?5, told_at = ?6, way = ?7,
                problem = ?8, state = CASE WHEN state = 'due' OR ?9 = 'told' THEN ?9 ELSE state END
         WHERE alert_id = ?1 AND phase = ?2 AND channel = ?3",
    )?
    .execute((
        notice.alert_id.0,
        notice.phase.word(),
        notice.channel.word(),
        notice.attempts,
        notice.next_attempt_at,
        notice.told_at,
        &notice.way,
        to_optional_json(notice.problem.as_ref()),
        notice.state.word(),
    ))?;
    Ok(())
}

/// Lets duties of a channel go that has been switched off.
///
/// # Errors
/// Those of SQLite.
pub fn update_dropped(tx: &Tx<'_>, channel: AlertChannel) -> Result<()> {
    tx.execute(
        "UPDATE alert_notices INDEXED BY alert_notices_due SET state = ?2
         WHERE state = 'due' AND channel = ?1",
        (channel.word(), NoticeState::Dropped.word()),
    )?;
    Ok(())
}

/// The last notice that a channel has told.
///
/// # Errors
/// Those of SQLite.
pub fn find_last_told(db: &Db, channel: AlertChannel) -> Result<Option<Notice>> {
    let sql = format!(
        "SELECT {NOTICE_COLUMNS} FROM alert_notices n
         WHERE n.channel = ?1 AND n.told_at IS NOT NULL ORDER BY n.told_at DESC LIMIT 1"
    );
    Ok(db
        .prepare_cached(&sql)?
        .query_row([channel.word()], notice_from_row)
        .optional()?)
}

/// How many notices a channel still has to tell, and what stopped the last try at any.
///
/// # Errors
/// Those of SQLite.
pub fn count_due(db: &Db, channel: AlertChannel) -> Result<(i64, Option<Problem>)> {
    let waiting: Vec<Option<Problem>> = db
        .prepare_cached(
            "SELECT problem FROM alert_notices INDEXED BY alert_notices_due
             WHERE state = 'due' AND channel = ?1",
        )?
        .query_map([channel.word()], |row| optional_json(row, 0))?
        .collect::<rusqlite::Result<_>>()?;
    let count = i64::try_from(waiting.len()).unwrap_or(i64::MAX);
    Ok((count, waiting.into_iter().flatten().next_back()))
}

/// What the ledger has against each watched folder: its id, its name, its mailbox, and how many rows wait for a person:
/// those that were asked for again for more than an hour, or are settled since `since_at`.
///
/// # Errors
/// Those of SQLite.
pub fn list_ledger_trouble(
    db: &Db,
    since_at: i64,
) -> Result<Vec<(FolderId, String, MailboxId, i64)>> {
    let rows = db
        .prepare_cached(
            "SELECT folders.id, folders.name, folders.mailbox_id,
                    (SELECT COUNT(*) FROM fates t INDEXED BY fates_for_person
                     WHERE t.folder_id = folders.id AND t.uid_validity = folders.uid_validity
                       AND t.fate IN ('unreadable', 'too_big', 'absent', 'stub')
                       AND t.dismissed_at IS NULL
                       AND (t.attempts >= 4 OR (t.retry_at IS NULL AND t.seen_at <= ?1))) AS waiting
             FROM folders WHERE folders.watched = 1 AND waiting > 0 ORDER BY folders.id",
        )?
        .query_map([since_at], |row| {
            let (folder, mailbox) = (FolderId(row.get(0)?), MailboxId(row.get(2)?));
            Ok((folder, row.get(1)?, mailbox, row.get(3)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

/// A reply that needs a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryTrouble {
    /// Which.
    pub id: DeliveryId,
    /// From which mailbox.
    pub mailbox_id: MailboxId,
    /// Failed, or not known whether it left.
    pub state: DeliveryState,
    /// Why.
    pub problem: Option<Problem>,
}

/// Replies that have failed for good, and those of which since `since_at` it could not be told whether they
/// left, oldest first.
///
/// # Errors
/// Those of SQLite.
pub fn list_delivery_trouble(db: &Db, since_at: i64, limit: u32) -> Result<Vec<DeliveryTrouble>> {
    let rows = db
        .prepare_cached(
            "SELECT d.id, d.mailbox_id, d.state, d.problem
             FROM deliveries d INDEXED BY deliveries_unfinished
             WHERE d.state NOT IN ('sent', 'cancelled') AND (d.state = 'failed' OR (d.state = 'uncertain'
                AND ?1 >= (SELECT MAX(t.started_at) FROM attempts t WHERE t.delivery_id = d.id)))
             ORDER BY d.id LIMIT ?2",
        )?
        .query_map((since_at, limit), |row| {
            Ok(DeliveryTrouble {
                id: DeliveryId(row.get(0)?),
                mailbox_id: MailboxId(row.get(1)?),
                state: word(row, 2)?,
                problem: optional_json(row, 3)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}
