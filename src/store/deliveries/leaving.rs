//! When a reply leaves, what stops it before, and what it counts towards the provider's limits.

use rusqlite::OptionalExtension as _;

use super::{Change, update_state};
use crate::model::{
    ConversationId, Delivery, DeliveryId, DeliveryState, MailboxId, MessageId, Status, StoppedBy,
    Word as _,
};
use crate::store::{Db, Result, Tx};

/// What is known of a reply when it is queued, beside its message.
#[derive(Debug, Clone, Copy)]
pub struct Plan<'a> {
    /// Until when it can be taken back, unix milliseconds.
    pub undo_until_ms: Option<i64>,
    /// When a person asked that it leave.
    pub scheduled_at: Option<i64>,
    /// Mail that comes before cancels it.
    pub unless_answered: bool,
    /// Where its conversation stood before it.
    pub status_before: Status,
    /// Where its conversation stands with it.
    pub status_after: Status,
    /// How many recipients it has.
    pub recipients: usize,
    /// What was written in the rich editor, sanitised.
    pub draft_html: &'a str,
}

/// Writes down when a reply that was just queued leaves, and what is put back when it does not.
///
/// # Errors
/// Those of SQLite.
pub fn update_plan(tx: &Tx<'_>, id: DeliveryId, plan: &Plan<'_>) -> Result<()> {
    tx.prepare_cached(
        "UPDATE deliveries SET undo_until_ms = ?2, scheduled_at = ?3, unless_answered = ?4,
                status_before = ?5, status_after = ?6, recipient_count = ?7, draft_html = ?8
         WHERE id = ?1",
    )?
    .execute((
        id.0,
        plan.undo_until_ms,
        plan.scheduled_at,
        plan.unless_answered,
        plan.status_before.word(),
        plan.status_after.word(),
        i64::try_from(plan.recipients).unwrap_or(i64::MAX),
        plan.draft_html,
    ))?;
    Ok(())
}

/// Makes a queued reply leave at another time: at `scheduled_at`, which has come where it is to leave at once.
///
/// # Errors
/// Those of SQLite.
pub fn update_time(
    tx: &Tx<'_>,
    delivery: &Delivery,
    scheduled_at: Option<i64>,
    next_attempt_at: i64,
    unless_answered: bool,
) -> Result<()> {
    tx.prepare_cached(
        "UPDATE deliveries SET undo_until_ms = NULL, scheduled_at = ?2, next_attempt_at = ?3,
                unless_answered = ?4
         WHERE id = ?1",
    )?
    .execute((
        delivery.id.0,
        scheduled_at,
        next_attempt_at,
        unless_answered,
    ))?;
    crate::store::conversations::touch(tx, delivery.conversation_id)
}

/// Cancels a delivery and writes down what did it.
///
/// # Errors
/// Those of SQLite.
pub fn update_cancelled(
    tx: &Tx<'_>,
    delivery: &Delivery,
    by: StoppedBy,
    words: &str,
    now: i64,
) -> Result<()> {
    tx.prepare_cached("UPDATE deliveries SET stopped_by = ?2 WHERE id = ?1")?
        .execute((delivery.id.0, by.word()))?;
    let change = Change {
        next_attempt_at: now,
        server_reply: words,
        refused: &delivery.refused,
        ..Change::default()
    };
    update_state(tx, delivery, DeliveryState::Cancelled, &change, now)
}

/// Writes down that another reply was sent in place of this one.
///
/// # Errors
/// Those of SQLite.
pub fn update_replaced(tx: &Tx<'_>, delivery: &Delivery, now: i64) -> Result<()> {
    tx.prepare_cached("UPDATE deliveries SET replaced_at = ?2 WHERE id = ?1")?
        .execute((delivery.id.0, now))?;
    crate::store::conversations::touch(tx, delivery.conversation_id)
}

/// What was written in the rich editor for a message of ours; empty when it was plain text or has left.
///
/// # Errors
/// Those of SQLite.
pub fn find_draft_html(db: &Db, message_id: MessageId) -> Result<String> {
    Ok(db
        .prepare_cached("SELECT draft_html FROM deliveries WHERE message_id = ?1")?
        .query_row([message_id.0], |row| row.get(0))
        .optional()?
        .unwrap_or_default())
}

/// The status a conversation goes back to when this reply does not leave: what it was before, as long as it
/// stands where the reply put it and no other reply came after.
///
/// # Errors
/// Those of SQLite.
pub fn find_status_to_restore(db: &Db, id: DeliveryId) -> Result<Option<Status>> {
    let found: Option<String> = db
        .prepare_cached(
            "SELECT d.status_before FROM deliveries d JOIN conversations c ON c.id = d.conversation_id
             WHERE d.id = ?1 AND c.status = d.status_after AND d.status_before <> d.status_after
               AND NOT EXISTS (SELECT 1 FROM deliveries o WHERE o.conversation_id = d.conversation_id
                    AND o.id > d.id AND o.state <> 'cancelled')",
        )?
        .query_row([id.0], |row| row.get(0))
        .optional()?;
    Ok(found.as_deref().and_then(Status::from_word))
}

/// Deliveries of a conversation that have not left and are not to leave when mail comes first.
///
/// # Errors
/// Those of SQLite.
pub fn list_unless_answered(db: &Db, conversation_id: ConversationId) -> Result<Vec<DeliveryId>> {
    let rows = db
        .prepare_cached(
            "SELECT id FROM deliveries
             WHERE conversation_id = ?1 AND unless_answered = 1 AND state = 'queued' ORDER BY id",
        )?
        .query_map([conversation_id.0], |row| row.get(0).map(DeliveryId))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

/// How many recipients the next due delivery of a mailbox has, and which it is.
///
/// # Errors
/// Those of SQLite.
pub fn find_next_size(
    db: &Db,
    mailbox_id: MailboxId,
    now: i64,
) -> Result<Option<(DeliveryId, i64)>> {
    Ok(db
        .prepare_cached(
            "SELECT id, recipient_count FROM deliveries
             WHERE mailbox_id = ?1 AND state IN ('queued', 'sending', 'uncertain') AND state = 'queued'
               AND next_attempt_at <= ?2
             ORDER BY next_attempt_at, id LIMIT 1",
        )?
        .query_row((mailbox_id.0, now), |row| {
            Ok((DeliveryId(row.get(0)?), row.get(1)?))
        })
        .optional()?)
}

/// To how many recipients a mailbox has written after `since_at` and until `now`.
///
/// # Errors
/// Those of SQLite.
pub fn count_recipients(db: &Db, mailbox_id: MailboxId, since_at: i64, now: i64) -> Result<i64> {
    Ok(db
        .prepare_cached(
            "SELECT COALESCE(SUM(recipient_count), 0) FROM deliveries
             WHERE mailbox_id = ?1 AND accepted_at IS NOT NULL AND accepted_at > ?2 AND accepted_at <= ?3",
        )?
        .query_row((mailbox_id.0, since_at, now), |row| row.get(0))?)
}

/// When the oldest of those were accepted by which, taken together, at least `count` recipients are counted.
///
/// # Errors
/// Those of SQLite.
pub fn find_accepted_at(
    db: &Db,
    mailbox_id: MailboxId,
    since_at: i64,
    now: i64,
    count: i64,
) -> Result<Option<i64>> {
    let mut query = db.prepare_cached(
        "SELECT accepted_at, recipient_count FROM deliveries
         WHERE mailbox_id = ?1 AND accepted_at IS NOT NULL AND accepted_at > ?2 AND accepted_at <= ?3
         ORDER BY accepted_at",
    )?;
    let mut rows = query.query((mailbox_id.0, since_at, now))?;
    let mut sum = 0_i64;
    while let Some(row) = rows.next()? {
        sum = sum.saturating_add(row.get(1)?);
        if sum >= count {
            return Ok(Some(row.get(0)?));
        }
    }
    Ok(None)
}

/// The codes of a mailbox's latest attempts, newest first: refusals since the last acceptance, since `since_at`, and
/// since a person let it send again.
///
/// # Errors
/// Those of SQLite.
pub fn list_refusals(
    db: &Db,
    mailbox_id: MailboxId,
    since_at: i64,
    now: i64,
) -> Result<Vec<String>> {
    let rows: Vec<(String, String)> = db
        .prepare_cached(
            "SELECT t.outcome, t.code FROM attempts t JOIN deliveries d ON d.id = t.delivery_id
                JOIN mailboxes m ON m.id = d.mailbox_id
             WHERE t.id > (SELECT COALESCE(MAX(id), 0) - 1000 FROM attempts)
               AND t.finished_at >= ?2 AND t.finished_at <= ?3 AND t.finished_at > m.sending_resumed_at
               AND d.mailbox_id = ?1
               AND t.outcome IN ('accepted', 'refused')
             ORDER BY t.id DESC LIMIT 50",
        )?
        .query_map((mailbox_id.0, since_at, now), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    let refused = rows
        .into_iter()
        .take_while(|(outcome, _)| outcome == "refused");
    Ok(refused.map(|(_, code)| code).collect())
}

/// Writes down which Problem an attempt met.
///
/// # Errors
/// Those of SQLite.
pub fn update_attempt_code(tx: &Tx<'_>, attempt_id: i64, code: &str) -> Result<()> {
    tx.prepare_cached("UPDATE attempts SET code = ?2 WHERE id = ?1")?
        .execute((attempt_id, code))?;
    Ok(())
}
