//! The invariants of the database, in words. An empty answer means all hold.

use super::{Db, Result};

/// Each invariant: what is broken when the query finds rows, and the query, which names them.
const INVARIANTS: &[(&str, &str)] = &[
    (
        "a message has no raw bytes",
        "SELECT m.id FROM messages m LEFT JOIN raw_messages r ON r.message_id = m.id
         WHERE r.message_id IS NULL",
    ),
    (
        "a message is in a conversation of another mailbox",
        "SELECT m.id FROM messages m JOIN conversations c ON c.id = m.conversation_id
         WHERE m.mailbox_id <> c.mailbox_id",
    ),
    (
        "a message with a Message-ID cannot be found by it",
        "SELECT m.id FROM messages m LEFT JOIN thread_ids t
            ON t.mailbox_id = m.mailbox_id AND t.internet_message_id = m.internet_message_id
         WHERE m.internet_message_id <> '' AND t.message_id IS NULL",
    ),
    (
        "an id leads to another conversation than its message is in",
        "SELECT t.internet_message_id FROM thread_ids t JOIN messages m ON m.id = t.message_id
         WHERE m.conversation_id <> t.conversation_id OR m.mailbox_id <> t.mailbox_id",
    ),
    (
        "a conversation has no message, and none was moved away",
        "SELECT c.id FROM conversations c LEFT JOIN messages m ON m.conversation_id = c.id
         WHERE m.id IS NULL AND NOT EXISTS (
            SELECT 1 FROM events e WHERE e.conversation_id = c.id AND e.kind = 'moved_out')",
    ),
    (
        "a conversation's count of messages is wrong",
        "SELECT c.id FROM conversations c WHERE c.message_count <>
            (SELECT COUNT(*) FROM messages m WHERE m.conversation_id = c.id)",
    ),
    (
        "a conversation's count of failed replies is wrong",
        "SELECT c.id FROM conversations c WHERE c.failed_count <>
            (SELECT COUNT(*) FROM deliveries d
             WHERE d.conversation_id = c.id AND d.state IN ('failed', 'uncertain'))",
    ),
    (
        "a fate says received but its message is gone",
        "SELECT folder_id || ':' || uid FROM fates
         WHERE fate IN ('received', 'duplicate', 'own_copy') AND message_id IS NULL",
    ),
    (
        "two fates of one folder claim to have received the same message",
        "SELECT folder_id || ':' || message_id FROM fates WHERE fate = 'received'
         GROUP BY folder_id, message_id HAVING COUNT(*) > 1",
    ),
    (
        "a fate lies beyond its folder's cursor",
        "SELECT f.id || ':' || t.uid FROM fates t JOIN folders f ON f.id = t.folder_id
         WHERE t.uid_validity = f.uid_validity AND t.uid >= f.next_uid",
    ),
    (
        "a folder's comparison with its server contradicts itself",
        "SELECT folder_id FROM ledger_checks WHERE checked_at IS NOT NULL
           AND (differs_since_at IS NULL) <> (missing_count = 0 AND unlisted_count = 0)",
    ),
    (
        "a message came by a backfill of another mailbox",
        "SELECT b.message_id FROM backfilled_messages b JOIN messages m ON m.id = b.message_id
         JOIN backfills f ON f.id = b.backfill_id WHERE m.mailbox_id <> f.mailbox_id",
    ),
    (
        "a backfill is done and has messages left to fetch",
        "SELECT b.id FROM backfills b JOIN backfill_folders f ON f.backfill_id = b.id
         WHERE b.state = 'done' AND (f.left_count > 0 OR f.state <> 'done')",
    ),
    (
        "a conversation with nothing but what came by backfills is new to somebody",
        "SELECT c.id FROM conversations c WHERE c.last_message_id > 0 AND NOT EXISTS (
            SELECT 1 FROM messages m LEFT JOIN backfilled_messages b ON b.message_id = m.id
            WHERE m.conversation_id = c.id AND b.message_id IS NULL)
         AND EXISTS (SELECT 1 FROM messages m WHERE m.conversation_id = c.id)",
    ),
    (
        "a delivery's message is not outgoing",
        "SELECT d.id FROM deliveries d JOIN messages m ON m.id = d.message_id
         WHERE m.direction <> 'outgoing'",
    ),
    (
        "a delivery is not of its message's conversation",
        "SELECT d.id FROM deliveries d JOIN messages m ON m.id = d.message_id
         WHERE m.conversation_id <> d.conversation_id OR m.mailbox_id <> d.mailbox_id",
    ),
    (
        "a delivery was sent without an attempt",
        "SELECT d.id FROM deliveries d LEFT JOIN attempts t ON t.delivery_id = d.id
         WHERE d.state IN ('sending', 'sent', 'uncertain') AND t.id IS NULL",
    ),
    (
        "a delivery has two accepted attempts",
        "SELECT delivery_id FROM attempts WHERE outcome = 'accepted'
         GROUP BY delivery_id HAVING COUNT(*) > 1",
    ),
    (
        "stored content belongs to no attachment",
        "SELECT hex(b.sha256) FROM blobs b LEFT JOIN attachments a ON a.sha256 = b.sha256
         WHERE a.id IS NULL",
    ),
    (
        // The layout of `store::packed`: four letters, a count, and for each file 52 bytes, its hash first.
        "a message's bytes rest on a file that it does not have",
        "WITH RECURSIVE heads (id, head, count) AS (
            SELECT message_id, substr(zstd, 1, 5208), unicode(substr(zstd, 5, 1)) FROM raw_messages
            WHERE substr(zstd, 1, 4) = CAST('cut1' AS BLOB)),
         cuts (id, head, count, n) AS (
            SELECT id, head, count, 0 FROM heads
            UNION ALL SELECT id, head, count, n + 1 FROM cuts WHERE n + 1 < count)
         SELECT id FROM cuts WHERE NOT EXISTS (
            SELECT 1 FROM attachments a WHERE a.message_id = cuts.id
               AND a.sha256 = substr(cuts.head, 9 + 52 * n, 32))",
    ),
    (
        // Version 2 of the reading is the first that indexes; older mail is indexed when it is read again.
        "a message is not in the index of the search",
        "SELECT m.id FROM messages m LEFT JOIN message_search_docsize d ON d.id = m.id
         WHERE d.id IS NULL AND m.derived_version >= 2",
    ),
    (
        "the index of the search has a message that is gone",
        "SELECT d.id FROM message_search_docsize d LEFT JOIN messages m ON m.id = d.id WHERE m.id IS NULL",
    ),
    (
        "a note is not in the index of the search",
        "SELECT n.id FROM notes n LEFT JOIN note_search_docsize d ON d.id = n.id
         WHERE d.id IS NULL AND n.indexed = 1",
    ),
    (
        "the index of the search has a note that is gone",
        "SELECT d.id FROM note_search_docsize d LEFT JOIN notes n ON n.id = d.id WHERE n.id IS NULL",
    ),
    (
        "an alert that is over is still to be told to have begun",
        "SELECT a.id FROM alerts a JOIN alert_notices n ON n.alert_id = a.id
         WHERE a.closed_at IS NOT NULL AND n.phase = 'opened' AND n.state = 'due'",
    ),
    (
        "an alert is told to be over while it is open",
        "SELECT a.id FROM alerts a JOIN alert_notices n ON n.alert_id = a.id
         WHERE a.closed_at IS NULL AND n.phase = 'over'",
    ),
    (
        "a mailbox has no credential",
        "SELECT m.id FROM mailboxes m LEFT JOIN credentials c ON c.mailbox_id = m.id
         WHERE c.mailbox_id IS NULL",
    ),
];

/// Checks the file and all invariants; each line of the answer names one breach.
///
/// # Errors
/// Those of SQLite.
pub fn run(db: &Db) -> Result<Vec<String>> {
    let mut broken = Vec::new();
    // FTS5 remembers how its index is divided, and looks whether that still holds when it is asked for a row,
    // but not when the file is checked: a long-lived reader would miss pieces that were merged since.
    for index in ["message_search", "note_search"] {
        db.prepare(&format!("SELECT rowid FROM {index} WHERE rowid = 0"))?
            .exists([])?;
    }
    let verdict: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        broken.push(format!("the database file is damaged: {verdict}"));
    }
    let mut keys = db.prepare("PRAGMA foreign_key_check")?;
    let tables = keys.query_map([], |row| row.get::<_, String>(0))?;
    for table in tables.take(5) {
        broken.push(format!("a row of {} points to a row that is gone", table?));
    }
    for (what, sql) in INVARIANTS {
        let mut statement = db.prepare(sql)?;
        let rows = statement
            .query_map([], |row| row.get_ref(0).map(|value| format!("{value:?}")))?
            .take(5)
            .collect::<rusqlite::Result<Vec<_>>>()?;
        if !rows.is_empty() {
            broken.push(format!("{what}: {}", rows.join(", ")));
        }
    }
    Ok(broken)
}
