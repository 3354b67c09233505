//! What the columns of a message say of its bytes, and how it is written anew after an upgrade that
//! reads better.

use super::rows::to_json;
use super::{Db, Result, Tx};
use crate::model::{Address, Kind, MessageId, Recipients, Word as _};

/// What is read out of a message's bytes.
#[derive(Debug, Clone)]
pub struct Derived<'a> {
    /// What wrote it.
    pub kind: Kind,
    /// The Message-ID header without angle brackets; empty when it has none.
    pub internet_message_id: &'a str,
    /// What makes it the same message wherever it is met again (see [`crate::intake`]).
    pub identity: [u8; 32],
    /// From.
    pub from: &'a Address,
    /// To whom.
    pub recipients: &'a Recipients,
    /// Subject.
    pub subject: &'a str,
    /// First words.
    pub preview: &'a str,
    /// The text to read.
    pub text: &'a str,
    /// What the writer newly wrote.
    pub reply_text: &'a str,
    /// There is an HTML form.
    pub has_html: bool,
    /// It carries quoted history.
    pub quoted: bool,
    /// What is wrong with it, in words.
    pub defects: &'a [String],
    /// What all messages of an Outlook thread share.
    pub thread_guid: Option<[u8; 16]>,
    /// The version of the reading.
    pub version: i64,
}

/// A message whose columns come from an older version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stale {
    /// Which.
    pub id: MessageId,
    /// Size of its bytes.
    pub size_bytes: i64,
}

/// Messages that an older version read, the oldest version and message first.
///
/// # Errors
/// Those of SQLite.
pub fn list_stale(db: &Db, version: i64, limit: u32) -> Result<Vec<Stale>> {
    let rows = db
        .prepare_cached(
            "SELECT m.id, COALESCE(r.size_bytes, 0)
             FROM messages m LEFT JOIN raw_messages r ON r.message_id = m.id
             WHERE m.derived_version < ?1 ORDER BY m.derived_version, m.id LIMIT ?2",
        )?
        .query_map((version, limit), |row| {
            Ok(Stale {
                id: MessageId(row.get(0)?),
                size_bytes: row.get(1)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

/// How many messages an older version read.
///
/// # Errors
/// Those of SQLite.
pub fn count_stale(db: &Db, version: i64) -> Result<i64> {
    let sql = "SELECT COUNT(*) FROM messages WHERE derived_version < ?1";
    Ok(db
        .prepare_cached(sql)?
        .query_row([version], |row| row.get(0))?)
}

/// Whether any version but this one read a message: asked again where it is written.
///
/// # Errors
/// Those of SQLite.
pub fn is_stale(db: &Db, id: MessageId, version: i64) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM messages WHERE id = ?1 AND derived_version < ?2)";
    Ok(db
        .prepare_cached(sql)?
        .query_row((id.0, version), |row| row.get(0))?)
}

/// How many messages there are.
///
/// # Errors
/// Those of SQLite.
pub fn count(db: &Db) -> Result<i64> {
    let sql = "SELECT COUNT(*) FROM messages";
    Ok(db.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

/// Marks up to `limit` messages behind `after` as read by no version that counts. Returns the last of
/// them.
///
/// # Errors
/// Those of SQLite.
pub fn update_stale(tx: &Tx<'_>, after: MessageId, limit: u32) -> Result<Option<MessageId>> {
    let last: Option<i64> = tx
        .prepare_cached(
            "SELECT MAX(id) FROM (SELECT id FROM messages WHERE id > ?1 ORDER BY id LIMIT ?2)",
        )?
        .query_row((after.0, limit), |row| row.get(0))?;
    let Some(last) = last else {
        return Ok(None);
    };
    tx.prepare_cached("UPDATE messages SET derived_version = 0 WHERE id > ?1 AND id <= ?2")?
        .execute((after.0, last))?;
    Ok(Some(MessageId(last)))
}

/// Writes down that a message needs nothing of this version.
///
/// # Errors
/// Those of SQLite.
pub fn update_version(tx: &Tx<'_>, id: MessageId, version: i64) -> Result<()> {
    tx.prepare_cached("UPDATE messages SET derived_version = ?2 WHERE id = ?1")?
        .execute((id.0, version))?;
    Ok(())
}

/// Writes the columns of a message anew. Where its identity would become that of another message it
/// keeps the one it has.
///
/// # Errors
/// Those of SQLite.
pub fn update(tx: &Tx<'_>, id: MessageId, derived: &Derived<'_>) -> Result<()> {
    tx.prepare_cached(
        "UPDATE messages SET kind = ?2, internet_message_id = ?3, from_name = ?5, from_address = ?6,
                recipients = ?7, subject = ?8, preview = ?9, text = ?10, reply_text = ?11, has_html = ?12,
                quoted = ?13, defects = ?14, thread_guid = ?15, derived_version = ?16,
                identity = CASE WHEN EXISTS (
                    SELECT 1 FROM messages o WHERE o.mailbox_id = messages.mailbox_id
                       AND o.identity = ?4 AND o.id <> ?1) THEN identity ELSE ?4 END
         WHERE id = ?1",
    )?
    .execute(rusqlite::params![
        id.0,
        derived.kind.word(),
        derived.internet_message_id,
        derived.identity,
        derived.from.name,
        derived.from.address,
        to_json(derived.recipients),
        derived.subject,
        derived.preview,
        derived.text,
        derived.reply_text,
        derived.has_html,
        derived.quoted,
        to_json(&derived.defects),
        derived.thread_guid,
        derived.version,
    ])?;
    Ok(())
}
