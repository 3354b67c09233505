//! Messages: what pages show of them, and their bytes as received or sent.

use rusqlite::{OptionalExtension as _, Row};

use super::attachments::NewAttachment;
use super::derived::Derived;
pub use super::packed::Packed;
use super::rows::{json, to_json, word};
use super::{Db, Error, Result, Tx, attachments, deliveries, packed};
use crate::model::{
    Address, AgentId, ContactId, ConversationId, Direction, MailboxId, Message, MessageId,
    PlacedBy, Word as _,
};

/// A message about to be stored.
#[derive(Debug, Clone)]
pub struct NewMessage<'a> {
    /// The mailbox it belongs to.
    pub mailbox_id: MailboxId,
    /// Its conversation.
    pub conversation_id: ConversationId,
    /// Which way it went.
    pub direction: Direction,
    /// The agent who wrote it here.
    pub agent_id: Option<AgentId>,
    /// The rule that placed it.
    pub placed_by: PlacedBy,
    /// What its bytes say.
    pub derived: Derived<'a>,
    /// Its Date, or when it arrived.
    pub sent_at: i64,
}

const SELECT: &str = "SELECT m.id, m.mailbox_id, m.conversation_id, m.direction, m.kind, a.name,
        m.internet_message_id, m.from_name, m.from_address, m.recipients, m.subject, m.text,
        m.reply_text, m.has_html, m.quoted, m.defects, m.sent_at, m.created_at, m.placed_by
     FROM messages m LEFT JOIN agents a ON a.id = m.agent_id";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Message> {
    Ok(Message {
        id: MessageId(row.get(0)?),
        mailbox_id: MailboxId(row.get(1)?),
        conversation_id: ConversationId(row.get(2)?),
        direction: word(row, 3)?,
        kind: word(row, 4)?,
        agent_name: row.get(5)?,
        internet_message_id: row.get(6)?,
        from: Address {
            name: row.get(7)?,
            address: row.get(8)?,
        },
        recipients: json(row, 9)?,
        subject: row.get(10)?,
        text: row.get(11)?,
        reply_text: row.get(12)?,
        has_html: row.get(13)?,
        quoted: row.get(14)?,
        defects: json(row, 15)?,
        sent_at: row.get(16)?,
        created_at: row.get(17)?,
        attachments: Vec::new(),
        delivery: None,
        placed_by: word(row, 18)?,
    })
}

fn with_parts(db: &Db, mut message: Message) -> Result<Message> {
    message.attachments = attachments::list(db, message.id)?;
    if message.direction == Direction::Outgoing {
        message.delivery = deliveries::find_by_message(db, message.id)?;
    }
    Ok(message)
}

/// Whether something left in a conversation at this time or later.
///
/// # Errors
/// Those of SQLite.
pub fn is_answered_since(db: &Db, id: ConversationId, at: i64) -> Result<bool> {
    Ok(db
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM messages
             WHERE conversation_id = ?1 AND sent_at >= ?2 AND direction = 'outgoing')",
        )?
        .query_row((id.0, at), |row| row.get(0))?)
}

/// Finds a message with its attachments and delivery.
///
/// # Errors
/// Those of SQLite.
pub fn find(db: &Db, id: MessageId) -> Result<Option<Message>> {
    let sql = format!("{SELECT} WHERE m.id = ?1");
    let found = db
        .prepare_cached(&sql)?
        .query_row([id.0], from_row)
        .optional()?;
    found.map(|message| with_parts(db, message)).transpose()
}

/// The messages of a conversation, oldest first, with attachments and deliveries.
///
/// # Errors
/// Those of SQLite.
pub fn list(db: &Db, conversation_id: ConversationId) -> Result<Vec<Message>> {
    let sql = format!("{SELECT} WHERE m.conversation_id = ?1 ORDER BY m.sent_at, m.id");
    let rows: Vec<Message> = db
        .prepare_cached(&sql)?
        .query_map([conversation_id.0], from_row)?
        .collect::<rusqlite::Result<_>>()?;
    rows.into_iter()
        .map(|message| with_parts(db, message))
        .collect()
}

/// Puts a message into another conversation. Both must be refreshed afterwards.
///
/// # Errors
/// Those of SQLite.
pub fn update_conversation(
    tx: &Tx<'_>,
    id: MessageId,
    conversation_id: ConversationId,
    placed_by: PlacedBy,
) -> Result<()> {
    tx.prepare_cached("UPDATE messages SET conversation_id = ?2, placed_by = ?3 WHERE id = ?1")?
        .execute((id.0, conversation_id.0, placed_by.word()))?;
    Ok(())
}

/// Finds a message of a mailbox by its identity.
///
/// # Errors
/// Those of SQLite.
pub fn find_by_identity(
    db: &Db,
    mailbox_id: MailboxId,
    identity: &[u8; 32],
) -> Result<Option<MessageId>> {
    Ok(db
        .prepare_cached("SELECT id FROM messages WHERE mailbox_id = ?1 AND identity = ?2")?
        .query_row((mailbox_id.0, identity), |row| row.get(0).map(MessageId))
        .optional()?)
}

/// Stores a message. Its conversation must be refreshed afterwards.
///
/// # Errors
/// Those of SQLite; a constraint error when the mailbox has it already.
pub fn insert(tx: &Tx<'_>, new: &NewMessage<'_>, now: i64) -> Result<MessageId> {
    let derived = &new.derived;
    tx.prepare_cached(
        "INSERT INTO messages (mailbox_id, conversation_id, direction, kind, agent_id,
                internet_message_id, identity, from_name, from_address, recipients, subject, preview,
                text, reply_text, has_html, quoted, defects, sent_at, created_at, placed_by, thread_guid,
                derived_version)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20,
                ?21, ?22)",
    )?
    .execute(rusqlite::params![
        new.mailbox_id.0,
        new.conversation_id.0,
        new.direction.word(),
        derived.kind.word(),
        new.agent_id.map(|id| id.0),
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
        new.sent_at,
        now,
        new.placed_by.word(),
        derived.thread_guid,
        derived.version,
    ])?;
    Ok(MessageId(tx.last_insert_rowid()))
}

/// Stores the bytes of a message.
///
/// # Errors
/// Those of SQLite.
pub fn insert_raw(tx: &Tx<'_>, id: MessageId, packed: &Packed) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO raw_messages (message_id, size_bytes, zstd) VALUES (?1, ?2, ?3)",
    )?
    .execute((id.0, packed.size_bytes(), packed.as_stored()))?;
    Ok(())
}

/// Stores a message of ours anew, as it leaves at another time than it was composed for.
///
/// # Errors
/// Those of SQLite.
pub fn update_sent(
    tx: &Tx<'_>,
    id: MessageId,
    identity: &[u8; 32],
    packed: &Packed,
    sent_at: i64,
) -> Result<()> {
    tx.prepare_cached("UPDATE messages SET identity = ?2, sent_at = ?3 WHERE id = ?1")?
        .execute((id.0, identity, sent_at))?;
    tx.prepare_cached("UPDATE raw_messages SET size_bytes = ?2, zstd = ?3 WHERE message_id = ?1")?
        .execute((id.0, packed.size_bytes(), packed.as_stored()))?;
    Ok(())
}

/// Reads the bytes of a message as it was received or sent.
///
/// # Errors
/// Those of SQLite, and when the stored bytes are damaged.
pub fn find_raw(db: &Db, id: MessageId) -> Result<Option<Vec<u8>>> {
    let found = db
        .prepare_cached("SELECT size_bytes, zstd FROM raw_messages WHERE message_id = ?1")?
        .query_row([id.0], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))
        })
        .optional()?;
    let Some((size_bytes, stored)) = found else {
        return Ok(None);
    };
    let size = usize::try_from(size_bytes).unwrap_or(0);
    let raw = packed::unpack_message(size, &stored, |hash| attachments::find_content(db, hash))?;
    if raw.len() == size {
        Ok(Some(raw))
    } else {
        Err(Error::Value(format!(
            "the bytes of message {id} are cut off"
        )))
    }
}

/// The size of a message in bytes, and its first bytes, at most `most`.
///
/// # Errors
/// Those of SQLite, and when the stored bytes are damaged.
pub fn find_head(db: &Db, id: MessageId, most: usize) -> Result<Option<(i64, Vec<u8>)>> {
    // What does not compress grows a little.
    let packed_most = i64::try_from(most)
        .unwrap_or(i64::MAX)
        .saturating_add(64 * 1024);
    let found = db
        .prepare_cached(
            "SELECT size_bytes, substr(zstd, 1, ?2) FROM raw_messages WHERE message_id = ?1",
        )?
        .query_row((id.0, packed_most), |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))
        })
        .optional()?;
    let Some((size_bytes, stored)) = found else {
        return Ok(None);
    };
    let head = packed::unpack_message(most, &stored, |hash| attachments::find_content(db, hash))?;
    Ok(Some((size_bytes, head)))
}

/// Before a message is given other files: puts back into its bytes what was cut out as a file that is none of
/// them, so that the bytes never rest on content that nothing else holds.
///
/// # Errors
/// Those of SQLite, and when the stored bytes are damaged.
pub(super) fn keep_whole(tx: &Tx<'_>, id: MessageId, files: &[NewAttachment]) -> Result<()> {
    let stored: Option<Vec<u8>> = tx
        .prepare_cached("SELECT zstd FROM raw_messages WHERE message_id = ?1")?
        .query_row([id.0], |row| row.get(0))
        .optional()?;
    let cuts = packed::cuts(&stored.unwrap_or_default())?;
    let stays = |cut: &packed::Cut| files.iter().any(|file| file.sha256 == cut.sha256);
    if cuts.iter().all(stays) {
        return Ok(());
    }
    if let Some(raw) = find_raw(tx, id)? {
        let packed = Packed::pack(&raw)?;
        tx.prepare_cached("UPDATE raw_messages SET zstd = ?2 WHERE message_id = ?1")?
            .execute((id.0, packed.as_stored()))?;
    }
    Ok(())
}

/// Whether nothing came in from this contact before this message.
///
/// # Errors
/// Those of SQLite.
pub fn is_first_of_contact(db: &Db, contact_id: ContactId, message: &Message) -> Result<bool> {
    Ok(db
        .prepare_cached(
            "SELECT NOT EXISTS (
                SELECT 1 FROM conversations c JOIN messages m ON m.conversation_id = c.id
                WHERE c.contact_id = ?1 AND m.direction = 'incoming' AND (m.sent_at, m.id) < (?2, ?3))",
        )?
        .query_row((contact_id.0, message.sent_at, message.id.0), |row| row.get(0))?)
}
