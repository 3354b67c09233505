-- Folders that people choose, and what is written back to the mailbox.

ALTER TABLE folders ADD COLUMN watched INTEGER NOT NULL DEFAULT 1 CHECK (watched IN (0, 1));
ALTER TABLE folders ADD COLUMN chosen INTEGER NOT NULL DEFAULT 0 CHECK (chosen IN (0, 1));
ALTER TABLE folders ADD COLUMN junk INTEGER NOT NULL DEFAULT 0 CHECK (junk IN (0, 1));
ALTER TABLE folders ADD COLUMN take_since_at INTEGER;
ALTER TABLE folders ADD COLUMN began_at INTEGER;
ALTER TABLE folders ADD COLUMN began_uid INTEGER;
ALTER TABLE folders ADD COLUMN problem TEXT;
ALTER TABLE folders ADD COLUMN problem_at INTEGER;

CREATE TABLE write_back_settings (
    -- CASCADE: settings without their mailbox mean nothing.
    mailbox_id INTEGER PRIMARY KEY REFERENCES mailboxes (id) ON DELETE CASCADE,
    mark_read INTEGER NOT NULL DEFAULT 0 CHECK (mark_read IN (0, 1)),
    move_raw_name TEXT,
    move_name TEXT NOT NULL DEFAULT '',
    problem TEXT,
    problem_at INTEGER
) STRICT;

CREATE TABLE write_backs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- CASCADE: there is nothing left to write to.
    mailbox_id INTEGER NOT NULL REFERENCES mailboxes (id) ON DELETE CASCADE,
    -- CASCADE: a UID means nothing without its folder.
    folder_id INTEGER NOT NULL REFERENCES folders (id) ON DELETE CASCADE,
    uid_validity INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    -- CASCADE: the act is about it.
    message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    act TEXT NOT NULL CHECK (act IN ('seen', 'move')),
    due_at INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0,
    problem TEXT,
    created_at INTEGER NOT NULL,
    finished_at INTEGER,
    UNIQUE (folder_id, uid_validity, uid, act),
    CHECK ((due_at IS NULL) = (finished_at IS NOT NULL))
) STRICT;
CREATE INDEX write_backs_due ON write_backs (mailbox_id, due_at);
CREATE INDEX write_backs_finished ON write_backs (mailbox_id, finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX write_backs_given_up ON write_backs (mailbox_id, id) WHERE problem IS NOT NULL AND finished_at IS NOT NULL;
CREATE INDEX write_backs_of_message ON write_backs (message_id);
