//! The lists of conversations: keyset pages and counts, each answered from an index.

use rusqlite::types::Value;
use rusqlite::{OptionalExtension as _, Row, params_from_iter};

use super::rows::word;
use super::{Db, Result};
use crate::model::{
    AgentId, ConversationId, ConversationRow, InboxCounts, InboxPage, InboxQuery, MailboxId, View,
};

/// What a line of a list shows.
const COLUMNS: &str =
    "SELECT c.id, c.mailbox_id, m.name, CASE WHEN k.name = '' THEN k.address ELSE k.name END,
            c.subject, c.preview, c.status, a.name, c.message_count, c.attachment_count,
            c.last_direction, c.failed_count, c.active_at,
            c.last_message_id > COALESCE(v.seen_message_id, 0)";

/// The query and its values, so that a test can ask SQLite how it would run.
pub(super) fn page_sql(query: &InboxQuery) -> (String, Vec<Value>) {
    let (index, view) = match query.view {
        View::Open => ("conversations_by_status", "c.status = 'open'"),
        View::Mine => (
            "conversations_by_assignee",
            "c.assignee_id = ?1 AND c.status = 'open'",
        ),
        View::Unassigned => (
            "conversations_by_assignee",
            "c.assignee_id IS NULL AND c.status = 'open'",
        ),
        View::Waiting => ("conversations_by_status", "c.status = 'waiting'"),
        View::Closed => ("conversations_by_status", "c.status = 'closed'"),
        View::Spam => ("conversations_by_status", "c.status = 'spam'"),
    };
    let mut index = index;
    let mut filter = view.to_owned();
    let mut values = vec![
        Value::from(query.agent_id.0),
        Value::from(i64::from(query.limit).saturating_add(1)),
    ];
    if let Some((active_at, id)) = query.after {
        values.extend([Value::from(active_at), Value::from(id.0)]);
        filter.push_str(" AND (c.active_at, c.id) < (?3, ?4)");
    }
    if let Some(mailbox_id) = query.mailbox_id {
        values.push(Value::from(mailbox_id.0));
        filter.push_str(&format!(" AND c.mailbox_id = ?{}", values.len()));
        if index == "conversations_by_status" {
            index = "conversations_by_mailbox";
        }
    }
    let sql = format!(
        "{COLUMNS}
         FROM conversations c INDEXED BY {index}
         JOIN mailboxes m ON m.id = c.mailbox_id
         JOIN contacts k ON k.id = c.contact_id
         LEFT JOIN agents a ON a.id = c.assignee_id
         LEFT JOIN views v ON v.agent_id = ?1 AND v.conversation_id = c.id
         WHERE {filter}
         ORDER BY c.active_at DESC, c.id DESC LIMIT ?2"
    );
    (sql, values)
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<ConversationRow> {
    Ok(ConversationRow {
        id: ConversationId(row.get(0)?),
        mailbox_id: MailboxId(row.get(1)?),
        mailbox_name: row.get(2)?,
        contact_label: row.get(3)?,
        subject: row.get(4)?,
        preview: row.get(5)?,
        status: word(row, 6)?,
        assignee_name: row.get(7)?,
        message_count: row.get(8)?,
        attachment_count: row.get(9)?,
        last_direction: word(row, 10)?,
        failed_count: row.get(11)?,
        active_at: row.get(12)?,
        unread: row.get(13)?,
    })
}

/// One conversation as lists show it to an agent.
///
/// # Errors
/// Those of SQLite.
pub fn find_row(db: &Db, agent_id: AgentId, id: ConversationId) -> Result<Option<ConversationRow>> {
    let sql = format!(
        "{COLUMNS}
         FROM conversations c
         JOIN mailboxes m ON m.id = c.mailbox_id
         JOIN contacts k ON k.id = c.contact_id
         LEFT JOIN agents a ON a.id = c.assignee_id
         LEFT JOIN views v ON v.agent_id = ?1 AND v.conversation_id = c.id
         WHERE c.id = ?2"
    );
    Ok(db
        .prepare_cached(&sql)?
        .query_row((agent_id.0, id.0), from_row)
        .optional()?)
}

/// One page of a list, newest first.
///
/// # Errors
/// Those of SQLite.
pub fn page(db: &Db, query: &InboxQuery) -> Result<InboxPage> {
    let (sql, values) = page_sql(query);
    let mut rows: Vec<ConversationRow> = db
        .prepare_cached(&sql)?
        .query_map(params_from_iter(values), from_row)?
        .collect::<rusqlite::Result<_>>()?;
    let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows
        .last()
        .filter(|_| more)
        .map(|row| (row.active_at, row.id));
    Ok(InboxPage { rows, next })
}

/// How many conversations each view holds, of one mailbox or all.
///
/// # Errors
/// Those of SQLite.
pub fn counts(db: &Db, agent_id: AgentId, mailbox_id: Option<MailboxId>) -> Result<InboxCounts> {
    let mailbox = mailbox_id.map(|id| id.0);
    let status = |word: &str| -> Result<i64> {
        let count = match mailbox {
            None => db
                .prepare_cached("SELECT COUNT(*) FROM conversations WHERE status = ?1")?
                .query_row([word], |row| row.get(0)),
            Some(id) => db
                .prepare_cached(
                    "SELECT COUNT(*) FROM conversations WHERE mailbox_id = ?1 AND status = ?2",
                )?
                .query_row((id, word), |row| row.get(0)),
        };
        Ok(count?)
    };
    let assigned = |assignee: Option<i64>| -> Result<i64> {
        Ok(db
            .prepare_cached(
                "SELECT COUNT(*) FROM conversations
                 WHERE assignee_id IS ?1 AND status = 'open' AND (?2 IS NULL OR mailbox_id = ?2)",
            )?
            .query_row((assignee, mailbox), |row| row.get(0))?)
    };
    Ok(InboxCounts {
        open: status("open")?,
        waiting: status("waiting")?,
        spam: status("spam")?,
        mine: assigned(Some(agent_id.0))?,
        unassigned: assigned(None)?,
    })
}
