//! Conversations: one row each, with what lists need derived from their messages.

use rusqlite::{OptionalExtension as _, Row};

use super::rows::word;
use super::{Db, Result, Tx};
use crate::model::{
    AgentId, Beginning, Contact, ContactId, Conversation, ConversationId, MailboxId, Status,
    Word as _,
};

const SELECT: &str =
    "SELECT c.id, c.mailbox_id, m.name, k.id, k.address, k.name, c.subject, c.status,
        c.assignee_id, a.name, c.message_count, c.active_at, c.created_at, c.revision,
        k.bounced_at
     FROM conversations c
     JOIN mailboxes m ON m.id = c.mailbox_id
     JOIN contacts k ON k.id = c.contact_id
     LEFT JOIN agents a ON a.id = c.assignee_id";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Conversation> {
    Ok(Conversation {
        id: ConversationId(row.get(0)?),
        mailbox_id: MailboxId(row.get(1)?),
        mailbox_name: row.get(2)?,
        contact: Contact {
            id: ContactId(row.get(3)?),
            address: row.get(4)?,
            name: row.get(5)?,
            bounced_at: row.get(14)?,
        },
        subject: row.get(6)?,
        status: word(row, 7)?,
        assignee_id: row.get::<_, Option<i64>>(8)?.map(AgentId),
        assignee_name: row.get(9)?,
        message_count: row.get(10)?,
        active_at: row.get(11)?,
        created_at: row.get(12)?,
        revision: row.get(13)?,
    })
}

/// Finds a conversation by number.
///
/// # Errors
/// Those of SQLite.
pub fn find(db: &Db, id: ConversationId) -> Result<Option<Conversation>> {
    let sql = format!("{SELECT} WHERE c.id = ?1");
    Ok(db
        .prepare_cached(&sql)?
        .query_row([id.0], from_row)
        .optional()?)
}

/// Earlier and later conversations with the same contact, newest first.
///
/// # Errors
/// Those of SQLite.
pub fn list_of_contact(
    db: &Db,
    contact_id: ContactId,
    except: ConversationId,
    limit: u32,
) -> Result<Vec<Conversation>> {
    let sql = format!(
        "{SELECT} WHERE c.contact_id = ?1 AND c.id <> ?2 ORDER BY c.active_at DESC, c.id DESC LIMIT ?3"
    );
    let rows = db
        .prepare_cached(&sql)?
        .query_map((contact_id.0, except.0, limit), from_row)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

/// Conversations of a mailbox with the contact of this address that were going on in this time, newest
/// first, at most fifty.
///
/// # Errors
/// Those of SQLite.
pub fn list_lately_with(
    db: &Db,
    mailbox_id: MailboxId,
    address: &str,
    since_at: i64,
    until_at: i64,
) -> Result<Vec<Conversation>> {
    // `+` keeps SQLite on the index of the contact, whose conversations are few.
    let sql = format!(
        "{SELECT} WHERE c.contact_id = (SELECT id FROM contacts WHERE address = ?2)
            AND +c.mailbox_id = ?1 AND c.active_at >= ?3 AND c.created_at <= ?4
         ORDER BY c.active_at DESC, c.id DESC LIMIT 50"
    );
    let rows = db
        .prepare_cached(&sql)?
        .query_map((mailbox_id.0, address, since_at, until_at), from_row)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

/// Begins a conversation.
///
/// # Errors
/// Those of SQLite.
pub fn insert(
    tx: &Tx<'_>,
    mailbox_id: MailboxId,
    contact_id: ContactId,
    subject: &str,
    status: Status,
    now: i64,
) -> Result<ConversationId> {
    tx.prepare_cached(
        "INSERT INTO conversations (mailbox_id, contact_id, subject, status, active_at, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
    )?
    .execute((mailbox_id.0, contact_id.0, subject, status.word(), now))?;
    let id = ConversationId(tx.last_insert_rowid());
    touch(tx, id)?;
    Ok(id)
}

/// Whether nobody has done anything with a conversation: not given it to anyone, answered, noted or changed
/// anything.
///
/// # Errors
/// Those of SQLite.
pub fn is_untouched(db: &Db, id: ConversationId) -> Result<bool> {
    Ok(db
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM conversations WHERE id = ?1 AND assignee_id IS NULL
                    AND status IN ('open', 'waiting', 'closed'))
                AND NOT EXISTS (SELECT 1 FROM notes WHERE conversation_id = ?1)
                AND NOT EXISTS (SELECT 1 FROM deliveries WHERE conversation_id = ?1)
                AND NOT EXISTS (SELECT 1 FROM events WHERE conversation_id = ?1
                    AND (agent_id IS NOT NULL OR kind = 'assigned'))
                AND NOT EXISTS (SELECT 1 FROM messages WHERE conversation_id = ?1
                    AND placed_by = 'written')",
        )?
        .query_row([id.0], |row| row.get(0))?)
}

/// Whether a conversation was parted from another on purpose: by hand, or by a new subject.
///
/// # Errors
/// Those of SQLite.
pub fn is_set_apart(db: &Db, id: ConversationId) -> Result<bool> {
    Ok(db
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM messages WHERE conversation_id = ?1
                    AND placed_by IN ('moved', 'new_subject'))
                OR EXISTS (SELECT 1 FROM events WHERE conversation_id = ?1
                    AND kind IN ('moved_in', 'moved_out'))",
        )?
        .query_row([id.0], |row| row.get(0))?)
}

/// Puts all messages of an untouched conversation into another, which takes its beginning where that was
/// earlier and `may_rename` says so. The emptied one is deleted; its number is not given again.
///
/// # Errors
/// Those of SQLite.
pub fn absorb(
    tx: &Tx<'_>,
    into: ConversationId,
    from: ConversationId,
    may_rename: bool,
) -> Result<()> {
    for sql in [
        "UPDATE messages SET conversation_id = ?1 WHERE conversation_id = ?2",
        "UPDATE thread_ids SET conversation_id = ?1 WHERE conversation_id = ?2",
    ] {
        tx.prepare_cached(sql)?.execute((into.0, from.0))?;
    }
    if may_rename {
        tx.prepare_cached(
            "UPDATE conversations SET (subject, contact_id, created_at) = (
                SELECT subject, contact_id, created_at FROM conversations WHERE id = ?2)
             WHERE id = ?1
               AND created_at > (SELECT created_at FROM conversations WHERE id = ?2)",
        )?
        .execute((into.0, from.0))?;
    }
    tx.prepare_cached("DELETE FROM conversations WHERE id = ?1")?
        .execute([from.0])?;
    refresh(tx, into)
}

/// Finds what a conversation began with.
///
/// # Errors
/// Those of SQLite.
pub fn find_beginning(db: &Db, id: ConversationId) -> Result<Option<Beginning>> {
    Ok(db
        .prepare_cached(
            "SELECT subject, kind, EXISTS (SELECT 1 FROM thread_ids t
                    WHERE t.conversation_id = ?1 AND t.message_id IS NULL)
             FROM messages WHERE conversation_id = ?1 ORDER BY sent_at, id LIMIT 1",
        )?
        .query_row([id.0], |row| {
            Ok(Beginning {
                subject: row.get(0)?,
                kind: word(row, 1)?,
                names_others: row.get(2)?,
            })
        })
        .optional()?)
}

/// Gives a conversation the beginning that an older message turned out to be.
///
/// # Errors
/// Those of SQLite.
pub fn update_beginning(
    tx: &Tx<'_>,
    id: ConversationId,
    contact_id: ContactId,
    subject: &str,
    created_at: i64,
) -> Result<()> {
    tx.prepare_cached(
        "UPDATE conversations SET contact_id = ?2, subject = ?3, created_at = ?4 WHERE id = ?1",
    )?
    .execute((id.0, contact_id.0, subject, created_at))?;
    Ok(())
}

/// Writes down that a conversation began with a new subject, as an older message has shown.
///
/// # Errors
/// Those of SQLite.
pub fn update_set_apart(tx: &Tx<'_>, id: ConversationId) -> Result<()> {
    tx.prepare_cached(
        "UPDATE messages SET placed_by = 'new_subject' WHERE placed_by = 'new' AND id = (
            SELECT id FROM messages WHERE conversation_id = ?1 ORDER BY sent_at, id LIMIT 1)",
    )?
    .execute([id.0])?;
    Ok(())
}

/// Sets the subject, read better than before.
///
/// # Errors
/// Those of SQLite.
pub fn update_subject(tx: &Tx<'_>, id: ConversationId, subject: &str) -> Result<()> {
    tx.prepare_cached("UPDATE conversations SET subject = ?2 WHERE id = ?1")?
        .execute((id.0, subject))?;
    Ok(())
}

/// Marks a conversation as changed, so that open pages show it.
///
/// # Errors
/// Those of SQLite.
pub fn touch(tx: &Tx<'_>, id: ConversationId) -> Result<()> {
    tx.prepare_cached(
        "UPDATE conversations
         SET revision = (SELECT MAX(revision) + 1 FROM conversations) WHERE id = ?1",
    )?
    .execute([id.0])?;
    Ok(())
}

/// Derives again what lists show (counts, newest message, failed replies) from the messages and
/// deliveries, and marks the conversation as changed. A reply that was stopped is not its newest message.
///
/// # Errors
/// Those of SQLite.
pub fn refresh(tx: &Tx<'_>, id: ConversationId) -> Result<()> {
    tx.prepare_cached(
        "WITH newest AS (
            SELECT id, preview, direction, sent_at FROM messages m WHERE conversation_id = ?1
                AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.message_id = m.id AND d.state = 'cancelled')
            ORDER BY sent_at DESC, id DESC LIMIT 1)
         UPDATE conversations SET
            message_count = (SELECT COUNT(*) FROM messages WHERE conversation_id = ?1),
            attachment_count = (SELECT COUNT(*) FROM messages m JOIN attachments a ON a.message_id = m.id
                                WHERE m.conversation_id = ?1 AND a.inline = 0),
            failed_count = (SELECT COUNT(*) FROM deliveries
                            WHERE conversation_id = ?1 AND state IN ('failed', 'uncertain')),
            last_message_id = COALESCE((SELECT MAX(m.id) FROM messages m WHERE m.conversation_id = ?1
                AND NOT EXISTS (SELECT 1 FROM backfilled_messages b WHERE b.message_id = m.id)), 0),
            preview = COALESCE((SELECT preview FROM newest), preview),
            last_direction = COALESCE((SELECT direction FROM newest), last_direction),
            active_at = COALESCE((SELECT sent_at FROM newest), active_at)
         WHERE id = ?1",
    )?
    .execute([id.0])?;
    touch(tx, id)
}

/// Sets where a conversation stands.
///
/// # Errors
/// Those of SQLite.
pub fn update_status(tx: &Tx<'_>, id: ConversationId, status: Status, now: i64) -> Result<()> {
    let closed_at = (status == Status::Closed).then_some(now);
    tx.prepare_cached("UPDATE conversations SET status = ?2, closed_at = ?3 WHERE id = ?1")?
        .execute((id.0, status.word(), closed_at))?;
    touch(tx, id)
}

/// Gives a conversation to an agent, or takes it from everyone.
///
/// # Errors
/// Those of SQLite.
pub fn update_assignee(tx: &Tx<'_>, id: ConversationId, agent: Option<AgentId>) -> Result<()> {
    tx.prepare_cached("UPDATE conversations SET assignee_id = ?2 WHERE id = ?1")?
        .execute((id.0, agent.map(|agent| agent.0)))?;
    touch(tx, id)
}

/// The newest change of any conversation; grows with each.
///
/// # Errors
/// Those of SQLite.
pub fn revision(db: &Db) -> Result<i64> {
    let sql = "SELECT COALESCE(MAX(revision), 0) FROM conversations";
    Ok(db.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

/// Conversations changed after `revision`, at most 200 of them.
///
/// # Errors
/// Those of SQLite.
pub fn list_changed(db: &Db, revision: i64) -> Result<Vec<ConversationId>> {
    let rows = db
        .prepare_cached(
            "SELECT id FROM conversations WHERE revision > ?1 ORDER BY revision LIMIT 200",
        )?
        .query_map([revision], |row| row.get(0).map(ConversationId))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}
