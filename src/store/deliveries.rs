//! Deliveries and the attempts at them. An attempt is written down before the server is dialled.

pub mod leaving;

use rusqlite::{OptionalExtension as _, Row};

use super::rows::{json, optional_json, to_json, to_optional_json, word};
use super::{Db, Result, Tx, conversations};
use crate::model::{
    Attempt, ConversationId, Delivery, DeliveryId, DeliveryState, MailboxId, MessageId, OutboxRow,
    Recipients, RefusedRecipient, WayOut, Word as _,
};
use crate::problem::Problem;

const COLUMNS: &str = "d.id, d.message_id, d.mailbox_id, d.conversation_id, d.state, d.attempts,
        d.next_attempt_at, d.problem, d.way_out, d.server_reply, d.refused, d.created_at, d.finished_at,
        d.undo_until_ms, d.scheduled_at, d.unless_answered, d.stopped_by, d.replaced_at IS NOT NULL";
/// How many columns those are.
const WIDTH: usize = 18;

fn from_row(row: &Row<'_>) -> rusqlite::Result<Delivery> {
    let way_out: Option<String> = row.get(8)?;
    Ok(Delivery {
        id: DeliveryId(row.get(0)?),
        message_id: MessageId(row.get(1)?),
        mailbox_id: MailboxId(row.get(2)?),
        conversation_id: ConversationId(row.get(3)?),
        state: word(row, 4)?,
        attempts: row.get(5)?,
        next_attempt_at: row.get(6)?,
        problem: optional_json(row, 7)?,
        way_out: way_out.as_deref().and_then(WayOut::from_word),
        server_reply: row.get(9)?,
        refused: json(row, 10)?,
        created_at: row.get(11)?,
        finished_at: row.get(12)?,
        undo_until_ms: row.get(13)?,
        scheduled_at: row.get(14)?,
        unless_answered: row.get(15)?,
        stopped_by: word(row, 16)?,
        replaced: row.get(17)?,
    })
}

/// Finds a delivery.
///
/// # Errors
/// Those of SQLite.
pub fn find(db: &Db, id: DeliveryId) -> Result<Option<Delivery>> {
    let sql = format!("SELECT {COLUMNS} FROM deliveries d WHERE d.id = ?1");
    Ok(db
        .prepare_cached(&sql)?
        .query_row([id.0], from_row)
        .optional()?)
}

/// Finds the delivery of a message.
///
/// # Errors
/// Those of SQLite.
pub fn find_by_message(db: &Db, message_id: MessageId) -> Result<Option<Delivery>> {
    let sql = format!("SELECT {COLUMNS} FROM deliveries d WHERE d.message_id = ?1");
    Ok(db
        .prepare_cached(&sql)?
        .query_row([message_id.0], from_row)
        .optional()?)
}

/// Finds the delivery that a form with this key made: a second press of the button finds the first.
///
/// # Errors
/// Those of SQLite.
pub fn find_by_idempotency_key(db: &Db, key: &str) -> Result<Option<Delivery>> {
    let sql = format!("SELECT {COLUMNS} FROM deliveries d WHERE d.idempotency_key = ?1");
    Ok(db
        .prepare_cached(&sql)?
        .query_row([key], from_row)
        .optional()?)
}

/// Queues the delivery of a message.
///
/// # Errors
/// Those of SQLite; a constraint error when the key has been used.
pub fn insert(
    tx: &Tx<'_>,
    message_id: MessageId,
    idempotency_key: &str,
    next_attempt_at: i64,
    now: i64,
) -> Result<DeliveryId> {
    tx.execute(
        "INSERT INTO deliveries (message_id, mailbox_id, conversation_id, idempotency_key, state,
                next_attempt_at, created_at)
         SELECT id, mailbox_id, conversation_id, ?2, 'queued', ?3, ?4 FROM messages WHERE id = ?1",
        (message_id.0, idempotency_key, next_attempt_at, now),
    )?;
    Ok(DeliveryId(tx.last_insert_rowid()))
}

// The queries below repeat `state IN ('queued', 'sending', 'uncertain')` so that SQLite may use the
// partial index `deliveries_due`.

/// Takes the next due delivery of a mailbox: it is `sending`, its attempt is written down, and would
/// be tried again at `retry_at` should nothing more be heard of it. Returns it with the attempt's id.
///
/// # Errors
/// Those of SQLite.
pub fn claim_next(
    tx: &Tx<'_>,
    mailbox_id: MailboxId,
    way_out: WayOut,
    now: i64,
) -> Result<Option<(Delivery, i64)>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM deliveries d
         WHERE d.mailbox_id = ?1 AND d.state IN ('queued', 'sending', 'uncertain') AND d.state = 'queued'
           AND d.next_attempt_at <= ?2
         ORDER BY d.next_attempt_at, d.id LIMIT 1"
    );
    let found = tx
        .prepare_cached(&sql)?
        .query_row((mailbox_id.0, now), from_row)
        .optional()?;
    let Some(mut delivery) = found else {
        return Ok(None);
    };
    tx.prepare_cached(
        "UPDATE deliveries SET state = 'sending', attempts = attempts + 1, way_out = ?2,
                next_attempt_at = ?3 WHERE id = ?1",
    )?
    .execute((delivery.id.0, way_out.word(), now))?;
    tx.prepare_cached(
        "INSERT INTO attempts (delivery_id, way_out, started_at) VALUES (?1, ?2, ?3)",
    )?
    .execute((delivery.id.0, way_out.word(), now))?;
    let attempt_id = tx.last_insert_rowid();
    conversations::touch(tx, delivery.conversation_id)?;
    delivery.state = DeliveryState::Sending;
    delivery.attempts += 1;
    delivery.way_out = Some(way_out);
    Ok(Some((delivery, attempt_id)))
}

/// The oldest due delivery of a mailbox of which it is not known whether it left.
///
/// # Errors
/// Those of SQLite.
pub fn find_due_uncertain(db: &Db, mailbox_id: MailboxId, now: i64) -> Result<Option<Delivery>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM deliveries d
         WHERE d.mailbox_id = ?1 AND d.state IN ('queued', 'sending', 'uncertain') AND d.state = 'uncertain'
           AND d.next_attempt_at <= ?2
         ORDER BY d.next_attempt_at, d.id LIMIT 1"
    );
    Ok(db
        .prepare_cached(&sql)?
        .query_row((mailbox_id.0, now), from_row)
        .optional()?)
}

/// When the next delivery of a mailbox is due, unix milliseconds: an undo window ends to the millisecond.
///
/// # Errors
/// Those of SQLite.
pub fn next_due_ms(db: &Db, mailbox_id: MailboxId) -> Result<Option<i64>> {
    Ok(db
        .prepare_cached(
            "SELECT MAX(next_attempt_at * 1000, CASE attempts WHEN 0 THEN COALESCE(undo_until_ms, 0) ELSE 0 END)
             FROM deliveries
             WHERE mailbox_id = ?1 AND state IN ('queued', 'sending', 'uncertain')
               AND state <> 'sending'
             ORDER BY next_attempt_at, id LIMIT 1",
        )?
        .query_row([mailbox_id.0], |row| row.get(0))
        .optional()?)
}

/// How an attempt ended, as written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptEnd {
    /// The server took the message.
    Accepted,
    /// The server, or the way to it, said no.
    Refused,
    /// The connection was lost between the data and the answer.
    Unknown,
}

/// Writes down how an attempt ended.
///
/// # Errors
/// Those of SQLite.
pub fn finish_attempt(
    tx: &Tx<'_>,
    attempt_id: i64,
    end: AttemptEnd,
    detail: &str,
    now: i64,
) -> Result<()> {
    let outcome = match end {
        AttemptEnd::Accepted => "accepted",
        AttemptEnd::Refused => "refused",
        AttemptEnd::Unknown => "unknown",
    };
    tx.prepare_cached(
        "UPDATE attempts SET outcome = ?2, detail = ?3, finished_at = ?4 WHERE id = ?1",
    )?
    .execute((attempt_id, outcome, detail, now))?;
    Ok(())
}

/// What a delivery comes to after an attempt or a person's decision.
#[derive(Debug, Clone, Default)]
pub struct Change<'a> {
    /// What stopped it.
    pub problem: Option<&'a Problem>,
    /// When it is tried or looked into next.
    pub next_attempt_at: i64,
    /// The server's words.
    pub server_reply: &'a str,
    /// Recipients the server refused.
    pub refused: &'a [RefusedRecipient],
    /// The Message-ID that the provider gave the message, when it is not ours.
    pub effective_message_id: Option<&'a str>,
}

/// Sets a delivery's state and what goes with it, and shows it in its conversation.
///
/// # Errors
/// Those of SQLite.
pub fn update_state(
    tx: &Tx<'_>,
    delivery: &Delivery,
    state: DeliveryState,
    change: &Change<'_>,
    now: i64,
) -> Result<()> {
    let finished = matches!(
        state,
        DeliveryState::Sent | DeliveryState::Failed | DeliveryState::Cancelled
    );
    tx.prepare_cached(
        "UPDATE deliveries SET state = ?2, problem = ?3, next_attempt_at = ?4, server_reply = ?5,
                refused = ?6, effective_message_id = COALESCE(?7, effective_message_id),
                finished_at = ?8,
                accepted_at = CASE ?2 WHEN 'sent' THEN COALESCE(accepted_at, ?9) ELSE accepted_at END,
                draft_html = CASE ?2 WHEN 'sent' THEN '' ELSE draft_html END
         WHERE id = ?1",
    )?
    .execute((
        delivery.id.0,
        state.word(),
        to_optional_json(change.problem),
        change.next_attempt_at,
        change.server_reply,
        to_json(&change.refused),
        change.effective_message_id,
        finished.then_some(now),
        now,
    ))?;
    conversations::refresh(tx, delivery.conversation_id)
}

/// Writes down what a report said of a delivery that the server took: it stays as it is.
///
/// # Errors
/// Those of SQLite.
pub fn update_report(
    tx: &Tx<'_>,
    delivery: &Delivery,
    problem: Option<&Problem>,
    refused: &[RefusedRecipient],
) -> Result<()> {
    tx.prepare_cached("UPDATE deliveries SET problem = ?2, refused = ?3 WHERE id = ?1")?
        .execute((delivery.id.0, to_optional_json(problem), to_json(&refused)))?;
    conversations::refresh(tx, delivery.conversation_id)
}

/// Moves the delivery of a message to the message's new conversation.
///
/// # Errors
/// Those of SQLite.
pub fn update_conversation(
    tx: &Tx<'_>,
    message_id: MessageId,
    conversation: ConversationId,
) -> Result<()> {
    tx.prepare_cached("UPDATE deliveries SET conversation_id = ?2 WHERE message_id = ?1")?
        .execute((message_id.0, conversation.0))?;
    Ok(())
}

/// The deliveries of a mailbox that were sent between two times and had this address among their
/// recipients, newest first; the last two hundred are looked at.
///
/// # Errors
/// Those of SQLite.
pub fn list_sent_to(
    db: &Db,
    mailbox_id: MailboxId,
    address: &str,
    from_at: i64,
    to_at: i64,
) -> Result<Vec<Delivery>> {
    let sql = format!(
        "SELECT {COLUMNS}, m.recipients FROM deliveries d JOIN messages m ON m.id = d.message_id
         WHERE d.mailbox_id = ?1 AND d.finished_at IS NOT NULL AND d.finished_at BETWEEN ?2 AND ?3
           AND d.state = 'sent'
         ORDER BY d.finished_at DESC LIMIT 200"
    );
    let rows: Vec<(Delivery, Recipients)> = db
        .prepare_cached(&sql)?
        .query_map((mailbox_id.0, from_at, to_at), |row| {
            Ok((from_row(row)?, json(row, WIDTH)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    let was_sent = |who: &Recipients| {
        let mut all = who.to.iter().chain(&who.cc).chain(&who.bcc);
        all.any(|one| one.address.eq_ignore_ascii_case(address))
    };
    let found = rows.into_iter().filter(|(_, who)| was_sent(who));
    Ok(found.map(|(delivery, _)| delivery).collect())
}

/// Whether a mailbox has a delivery that is being sent: asked by its only sender between two sends, it
/// is one whose end was never written down.
///
/// # Errors
/// Those of SQLite.
pub fn has_orphan(db: &Db, mailbox_id: MailboxId) -> Result<bool> {
    Ok(db
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM deliveries WHERE mailbox_id = ?1
                AND state IN ('queued', 'sending', 'uncertain') AND state = 'sending')",
        )?
        .query_row([mailbox_id.0], |row| row.get(0))?)
}

/// Marks what was being sent when the program died or stumbled as uncertain, to be looked into at
/// `look_at`; of one mailbox or of all. Returns how many.
///
/// # Errors
/// Those of SQLite.
pub fn update_interrupted(
    tx: &Tx<'_>,
    mailbox_id: Option<MailboxId>,
    problem: &Problem,
    look_at: i64,
) -> Result<usize> {
    let sql = format!(
        "SELECT {COLUMNS} FROM deliveries d
         WHERE d.state NOT IN ('sent', 'cancelled') AND d.state = 'sending'
           AND (?1 IS NULL OR d.mailbox_id = ?1)"
    );
    let interrupted: Vec<Delivery> = tx
        .prepare(&sql)?
        .query_map([mailbox_id.map(|id| id.0)], from_row)?
        .collect::<rusqlite::Result<_>>()?;
    for delivery in &interrupted {
        let change = Change {
            problem: Some(problem),
            next_attempt_at: look_at,
            ..Change::default()
        };
        update_state(tx, delivery, DeliveryState::Uncertain, &change, look_at)?;
    }
    Ok(interrupted.len())
}

/// Marks what waits in a restored backup as uncertain, with an attempt of which nothing is known.
///
/// # Errors
/// Those of SQLite.
pub fn update_restored(tx: &Tx<'_>, problem: &Problem, now: i64) -> Result<()> {
    let sql = format!(
        "SELECT {COLUMNS} FROM deliveries d
         WHERE d.state NOT IN ('sent', 'cancelled') AND d.state IN ('queued', 'sending')"
    );
    let waiting: Vec<Delivery> = tx
        .prepare(&sql)?
        .query_map([], from_row)?
        .collect::<rusqlite::Result<_>>()?;
    for delivery in &waiting {
        let way_out = delivery.way_out.unwrap_or(WayOut::Smtp);
        tx.execute(
            "INSERT INTO attempts (delivery_id, way_out, started_at) VALUES (?1, ?2, ?3)",
            (delivery.id.0, way_out.word(), now),
        )?;
        tx.execute(
            "UPDATE deliveries SET attempts = attempts + 1 WHERE id = ?1",
            [delivery.id.0],
        )?;
        let change = Change {
            problem: Some(problem),
            next_attempt_at: now,
            ..Change::default()
        };
        update_state(tx, delivery, DeliveryState::Uncertain, &change, now)?;
    }
    Ok(())
}

/// An untried delivery that was queued by a clock ahead of now, unless a person set its time; one that waits longer
/// than any limit of ours asks for; one tried by a clock ahead of now.
const FROM_FUTURE: &str = "mailbox_id = ?1 AND state IN ('queued', 'sending', 'uncertain')
           AND state <> 'sending' AND next_attempt_at > ?2
           AND ((attempts = 0 AND scheduled_at IS NULL
                    AND (created_at > ?2 OR next_attempt_at > ?2 + 90000))
                OR ?2 < (SELECT MAX(t.started_at) FROM attempts t WHERE t.delivery_id = deliveries.id))";

/// Whether a delivery waits for a time that was set, at its beginning or its last attempt, by a clock ahead
/// of `now`. One that a person has asked to leave later is none.
///
/// # Errors
/// Those of SQLite.
pub fn has_from_future(db: &Db, mailbox_id: MailboxId, now: i64) -> Result<bool> {
    let sql = format!("SELECT EXISTS (SELECT 1 FROM deliveries WHERE {FROM_FUTURE})");
    Ok(db
        .prepare_cached(&sql)?
        .query_row((mailbox_id.0, now), |row| row.get(0))?)
}

/// Makes those of [`has_from_future`] due now; who can still be taken back has the whole undo window again.
///
/// # Errors
/// Those of SQLite.
pub fn update_from_future(tx: &Tx<'_>, mailbox_id: MailboxId, now: i64) -> Result<()> {
    let sql = format!(
        "WITH late AS (SELECT id, CASE WHEN attempts = 0
                    THEN MAX(0, MIN(61000, COALESCE(undo_until_ms - created_at * 1000, 0)))
                    ELSE 0 END AS window_ms FROM deliveries WHERE {FROM_FUTURE})
         UPDATE deliveries SET next_attempt_at = ?2 + late.window_ms / 1000,
                undo_until_ms = CASE late.window_ms WHEN 0 THEN undo_until_ms
                                ELSE ?2 * 1000 + late.window_ms END,
                created_at = MIN(created_at, ?2)
         FROM late WHERE deliveries.id = late.id"
    );
    tx.execute(&sql, (mailbox_id.0, now))?;
    Ok(())
}

/// Attempts begun by a mailbox after `since_at` and until `now`: what its rate is counted by.
///
/// # Errors
/// Those of SQLite.
pub fn count_attempts(db: &Db, mailbox_id: MailboxId, since_at: i64, now: i64) -> Result<i64> {
    Ok(db
        .prepare_cached(
            "SELECT COUNT(*) FROM attempts t JOIN deliveries d ON d.id = t.delivery_id
             WHERE t.id > (SELECT COALESCE(MAX(id), 0) - 1000 FROM attempts)
               AND t.started_at > ?2 AND t.started_at <= ?3 AND d.mailbox_id = ?1",
        )?
        .query_row((mailbox_id.0, since_at, now), |row| row.get(0))?)
}

/// All deliveries not finished, and the failed ones, newest first, with their attempts.
///
/// # Errors
/// Those of SQLite.
pub fn list_outbox(db: &Db, limit: u32) -> Result<Vec<OutboxRow>> {
    let sql = format!(
        "SELECT {COLUMNS}, b.address, m.subject
         FROM deliveries d JOIN mailboxes b ON b.id = d.mailbox_id JOIN messages m ON m.id = d.message_id
         WHERE d.state NOT IN ('sent', 'cancelled') ORDER BY d.id DESC LIMIT ?1"
    );
    let rows: Vec<(Delivery, String, String)> = db
        .prepare_cached(&sql)?
        .query_map([limit], |row| {
            Ok((from_row(row)?, row.get(WIDTH)?, row.get(WIDTH + 1)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    rows.into_iter()
        .map(|(delivery, mailbox_address, subject)| {
            let tries = list_attempts(db, delivery.id)?;
            Ok(OutboxRow {
                delivery,
                mailbox_address,
                subject,
                tries,
            })
        })
        .collect()
}

/// The attempts at a delivery, oldest first.
///
/// # Errors
/// Those of SQLite.
pub fn list_attempts(db: &Db, id: DeliveryId) -> Result<Vec<Attempt>> {
    let rows = db
        .prepare_cached(
            "SELECT way_out, started_at, finished_at, outcome, detail FROM attempts
             WHERE delivery_id = ?1 ORDER BY id",
        )?
        .query_map([id.0], |row| {
            Ok(Attempt {
                way_out: word(row, 0)?,
                started_at: row.get(1)?,
                finished_at: row.get(2)?,
                outcome: row.get(3)?,
                detail: row.get(4)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

/// How many deliveries are in each unfinished state: queued or sending, failed, uncertain.
///
/// # Errors
/// Those of SQLite.
pub fn count_unfinished(db: &Db) -> Result<(i64, i64, i64)> {
    Ok(db
        .prepare_cached(
            "SELECT COUNT(*) FILTER (WHERE state IN ('queued', 'sending')),
                    COUNT(*) FILTER (WHERE state = 'failed'),
                    COUNT(*) FILTER (WHERE state = 'uncertain')
             FROM deliveries INDEXED BY deliveries_unfinished
             WHERE state NOT IN ('sent', 'cancelled')",
        )?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?)
}
