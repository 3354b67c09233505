-- Which rule placed each message, Outlook's conversation ids, how far stored mail has been read again, and ids
-- compared without case.

-- Messages of before this version keep the word for what nobody wrote down.
ALTER TABLE messages ADD COLUMN placed_by TEXT NOT NULL DEFAULT 'unknown'
    CHECK (placed_by IN ('unknown', 'written', 'own_id', 'our_id', 'in_reply_to', 'references', 'report', 'thread_index', 'subject', 'new_subject', 'new', 'moved'));
ALTER TABLE messages ADD COLUMN thread_guid BLOB;
-- 0: derived by a version older than any that counts, so that all stored mail is read again once.
ALTER TABLE messages ADD COLUMN derived_version INTEGER NOT NULL DEFAULT 0;
CREATE INDEX messages_by_thread_guid ON messages (mailbox_id, thread_guid, id) WHERE thread_guid IS NOT NULL;
CREATE INDEX messages_by_derived_version ON messages (derived_version, id);

ALTER TABLE mailboxes ADD COLUMN new_subject_splits INTEGER NOT NULL DEFAULT 1 CHECK (new_subject_splits IN (0, 1));

-- Ties a report without an id to the one reply it can mean.
CREATE INDEX deliveries_by_end ON deliveries (mailbox_id, finished_at) WHERE finished_at IS NOT NULL;

-- New kinds of events. Nothing points to this table, so the old one can make way first.
DROP INDEX events_of_conversation;
DROP INDEX events_of_agent;
ALTER TABLE events RENAME TO events_before;
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    agent_id INTEGER REFERENCES agents (id) ON DELETE SET NULL,
    kind TEXT NOT NULL CHECK (kind IN ('assigned', 'unassigned', 'closed', 'reopened', 'waiting', 'bounced', 'delayed', 'moved_in', 'moved_out')),
    detail TEXT NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL
) STRICT;
INSERT INTO events (id, conversation_id, agent_id, kind, detail, created_at)
    SELECT id, conversation_id, agent_id, kind, detail, created_at FROM events_before;
DROP TABLE events_before;
CREATE INDEX events_of_conversation ON events (conversation_id, created_at, id);
CREATE INDEX events_of_agent ON events (agent_id);

-- Message-IDs are compared without case: Outlook.com writes the host of one id now in upper, now in lower case. Nothing points
-- to this table either.
DROP INDEX thread_ids_of_conversation;
DROP INDEX thread_ids_of_message;
ALTER TABLE thread_ids RENAME TO thread_ids_before;
CREATE TABLE thread_ids (
    mailbox_id INTEGER NOT NULL REFERENCES mailboxes (id) ON DELETE CASCADE,
    internet_message_id TEXT NOT NULL COLLATE NOCASE,
    conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    message_id INTEGER REFERENCES messages (id) ON DELETE CASCADE,
    PRIMARY KEY (mailbox_id, internet_message_id)
) STRICT, WITHOUT ROWID;
-- Of two ids that differ in case alone, the one that a stored message has counts.
INSERT OR IGNORE INTO thread_ids (mailbox_id, internet_message_id, conversation_id, message_id)
    SELECT mailbox_id, internet_message_id, conversation_id, message_id FROM thread_ids_before
    ORDER BY message_id IS NULL, message_id;
DROP TABLE thread_ids_before;
CREATE INDEX thread_ids_of_conversation ON thread_ids (conversation_id);
CREATE INDEX thread_ids_of_message ON thread_ids (message_id);
