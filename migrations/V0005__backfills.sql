-- Older mail that is fetched by date range: what was asked for, how far it is, and what came by it.

CREATE TABLE backfills (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- CASCADE: without its mailbox there is nothing to fetch.
    mailbox_id INTEGER NOT NULL REFERENCES mailboxes (id) ON DELETE CASCADE,
    -- SET NULL: it was asked for all the same.
    agent_id INTEGER REFERENCES agents (id) ON DELETE SET NULL,
    from_at INTEGER,
    until_at INTEGER,
    state TEXT NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'paused', 'done', 'failed', 'cancelled')),
    problem TEXT,
    created_at INTEGER NOT NULL,
    finished_at INTEGER,
    CHECK ((from_at IS NULL) = (until_at IS NULL))
) STRICT;
CREATE UNIQUE INDEX backfills_under_way ON backfills (mailbox_id) WHERE state IN ('running', 'paused');
CREATE INDEX backfills_of_mailbox ON backfills (mailbox_id, id);
CREATE INDEX backfills_of_agent ON backfills (agent_id);

CREATE TABLE backfill_folders (
    -- CASCADE: it is a part of it.
    backfill_id INTEGER NOT NULL REFERENCES backfills (id) ON DELETE CASCADE,
    -- CASCADE: nothing can be fetched from a folder that is not watched any more.
    folder_id INTEGER NOT NULL REFERENCES folders (id) ON DELETE CASCADE,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'gone')),
    uid_validity INTEGER,
    total_count INTEGER NOT NULL DEFAULT 0,
    known_count INTEGER NOT NULL DEFAULT 0,
    left_count INTEGER NOT NULL DEFAULT 0,
    received_count INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (backfill_id, folder_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX backfill_folders_of_folder ON backfill_folders (folder_id);

CREATE TABLE backfilled_messages (
    -- CASCADE: it says something about the message.
    message_id INTEGER PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
    -- RESTRICT: as long as the message is there, it is known how it came.
    backfill_id INTEGER NOT NULL REFERENCES backfills (id) ON DELETE RESTRICT
) STRICT;
CREATE INDEX backfilled_messages_of_backfill ON backfilled_messages (backfill_id);
