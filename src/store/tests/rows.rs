//! Rows for every table, as each schema version wants them.

use rusqlite::Connection;

/// Which schema version the rows are for, and the rows: a migration that adds a table adds an entry here.
const ROWS: &[(i64, &str)] = &[(
    1,
    "INSERT INTO settings VALUES ('entra_client_id', x'61', 1);
     INSERT INTO agents (id, email, name, password_hash, role, created_at)
        VALUES (1, 'ada@example.com', 'Ada', '', 'admin', 1), (2, 'bob@example.com', 'Bob', '', 'agent', 1);
     INSERT INTO sessions (id, token_hash, csrf_token, agent_id, created_at, last_seen_at, expires_at)
        VALUES (1, x'01', '', 1, 1, 1, 9);
     INSERT INTO sign_in_failures (email, client, failed_at) VALUES ('ada@example.com', '127.0.0.1', 1);
     INSERT INTO mailboxes (id, address, name, provider, status, created_at)
        VALUES (1, 'support@example.com', 'Support', 'microsoft', 'active', 1);
     INSERT INTO credentials (mailbox_id, tenant_id, object_id, upn, refresh_token, refreshed_at)
        VALUES (1, 't', 'o', 'support@example.com', x'00', 1);
     INSERT INTO oauth_flows (state_hash, session_id, purpose, mailbox_id, secrets, created_at, expires_at)
        VALUES (x'01', 1, 'reconnect', 1, x'00', 1, 9);
     INSERT INTO folders (id, mailbox_id, raw_name, name, role, uid_validity, next_uid)
        VALUES (1, 1, 'INBOX', 'Inbox', 'inbox', 7, 3);
     INSERT INTO contacts (id, address, created_at) VALUES (1, 'customer@example.org', 1);
     INSERT INTO conversations (id, mailbox_id, contact_id, subject, status, assignee_id, message_count,
            attachment_count, last_message_id, active_at, created_at, revision)
        VALUES (1, 1, 1, 'Hello', 'open', 1, 2, 1, 2, 2, 1, 1);
     INSERT INTO messages (id, mailbox_id, conversation_id, direction, kind, agent_id,
            internet_message_id, identity, sent_at, created_at)
        VALUES (1, 1, 1, 'incoming', 'message', NULL, 'a@x', x'01', 1, 1),
               (2, 1, 1, 'outgoing', 'message', 1, 'b@x', x'02', 2, 2);
     INSERT INTO raw_messages VALUES (1, 0, x'00'), (2, 0, x'00');
     INSERT INTO thread_ids VALUES (1, 'a@x', 1, 1), (1, 'b@x', 1, 2), (1, 'c@x', 1, NULL);
     INSERT INTO blobs VALUES (x'0a', 0, x'00');
     INSERT INTO attachments (message_id, position, filename, content_type, size_bytes, inline, sha256)
        VALUES (1, 0, 'a.txt', 'text/plain', 0, 0, x'0a');
     INSERT INTO fates (folder_id, uid_validity, uid, fate, message_id, seen_at, retry_at)
        VALUES (1, 7, 1, 'received', 1, 1, NULL), (1, 7, 2, 'stub', NULL, 1, 5);
     INSERT INTO deliveries (id, message_id, mailbox_id, conversation_id, idempotency_key, state,
            next_attempt_at, created_at)
        VALUES (1, 2, 1, 1, 'k', 'queued', 1, 1);
     INSERT INTO attempts (delivery_id, way_out, started_at) VALUES (1, 'smtp', 1);
     INSERT INTO notes (conversation_id, agent_id, text, created_at) VALUES (1, 1, 'Note', 1);
     INSERT INTO events (conversation_id, agent_id, kind, created_at) VALUES (1, 1, 'assigned', 1);
     INSERT INTO views VALUES (1, 1, 1);",
), (
    3,
    "INSERT INTO picture_senders VALUES ('customer@example.org', 1, 1);",
), (
    4,
    "INSERT INTO ledger_checks (folder_id, due_at, uid_validity, checked_at, missing, missing_count, differs_since_at)
        VALUES (1, 9, 7, 1, '[2]', 1, 1);",
), (
    9,
    "INSERT INTO message_search (rowid, words) VALUES (1, 'm=1 y=1970 d=197001 s=hello hello');
     INSERT INTO note_search (rowid, words) VALUES (1, 'm=1 y=1970 d=197001 f=ada note');",
), (
    8,
    "INSERT INTO alerts (id, public_id, kind, key, mailbox_id, title, problem, place, opened_at, closed_at)
        VALUES (1, 'p1', 'receiving', 'mailbox:1:receive', 1, 'T',
            '{\"code\":\"x\",\"sentence\":\"\",\"remedy\":\"\",\"detail\":\"\",\"disposition\":\"give_up\"}',
            '/mailboxes/1', 1, NULL),
            (2, 'p2', 'backup', 'backup', NULL, 'T',
            '{\"code\":\"x\",\"sentence\":\"\",\"remedy\":\"\",\"detail\":\"\",\"disposition\":\"give_up\"}',
            '/admin/health', 1, 2);
     INSERT INTO alert_notices (alert_id, phase, channel, state, next_attempt_at, told_at, created_at)
        VALUES (1, 'opened', 'mail', 'due', 1, NULL, 1), (2, 'opened', 'mail', 'told', 1, 1, 1);",
), (
    5,
    "INSERT INTO backfills (id, mailbox_id, agent_id, from_at, until_at, created_at) VALUES (1, 1, 1, 0, 9, 1);
     INSERT INTO backfill_folders (backfill_id, folder_id, uid_validity, total_count) VALUES (1, 1, 7, 3);
     INSERT INTO backfilled_messages VALUES (1, 1);",
), (
    6,
    "INSERT INTO write_back_settings (mailbox_id, mark_read, move_raw_name, move_name) VALUES (1, 1, 'Done', 'Done');
     INSERT INTO write_backs (mailbox_id, folder_id, uid_validity, uid, message_id, act, due_at, created_at)
        VALUES (1, 1, 7, 1, 1, 'seen', 1, 1);",
)];

/// Puts the rows of one schema version into a database that has it.
pub(super) fn insert(db: &Connection, version: i64) {
    for (_, sql) in ROWS.iter().filter(|(of, _)| *of == version) {
        db.execute_batch(sql).unwrap();
    }
}
