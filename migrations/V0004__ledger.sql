-- The ledger held against the server by UID, what messages without a row of their own are, and what people have seen to.

-- What comparing each folder with its server came to last, and when it is compared next.
CREATE TABLE ledger_checks (
    -- CASCADE: it speaks of the folder's UIDs.
    folder_id INTEGER PRIMARY KEY REFERENCES folders (id) ON DELETE CASCADE,
    due_at INTEGER NOT NULL,
    uid_validity INTEGER,
    checked_at INTEGER,
    first_uid INTEGER NOT NULL DEFAULT 1,
    next_uid INTEGER NOT NULL DEFAULT 1,
    server_count INTEGER NOT NULL DEFAULT 0,
    outside_count INTEGER NOT NULL DEFAULT 0,
    unlisted_count INTEGER NOT NULL DEFAULT 0,
    gone_count INTEGER NOT NULL DEFAULT 0,
    missing_count INTEGER NOT NULL DEFAULT 0,
    missing TEXT NOT NULL DEFAULT '[]',
    differs_since_at INTEGER,
    recovered_count INTEGER NOT NULL DEFAULT 0,
    recovered TEXT NOT NULL DEFAULT '[]',
    recovered_at INTEGER
) STRICT;

-- What a message is that has a fate and no row among the messages.
ALTER TABLE fates ADD COLUMN internet_message_id TEXT NOT NULL DEFAULT '' COLLATE NOCASE;
ALTER TABLE fates ADD COLUMN sender TEXT NOT NULL DEFAULT '';
ALTER TABLE fates ADD COLUMN subject TEXT NOT NULL DEFAULT '';
ALTER TABLE fates ADD COLUMN sent_at INTEGER;
ALTER TABLE fates ADD COLUMN asked_at INTEGER;
-- A person has said that it is fine so.
ALTER TABLE fates ADD COLUMN dismissed_at INTEGER;
CREATE INDEX fates_by_internet_message_id ON fates (internet_message_id) WHERE internet_message_id <> '';
CREATE INDEX fates_needing_person ON fates (folder_id, uid_validity, uid) WHERE fate IN ('unreadable', 'too_big', 'absent', 'stub');
