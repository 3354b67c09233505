-- What an administrator must know of, who has been told, and who has been told that it is over.

CREATE TABLE alerts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    public_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('receiving', 'sending', 'delivery', 'ledger', 'backup', 'disk', 'app_secret')),
    key TEXT NOT NULL,
    -- CASCADE: it is of no use without its mailbox.
    mailbox_id INTEGER REFERENCES mailboxes (id) ON DELETE CASCADE,
    title TEXT NOT NULL,
    problem TEXT NOT NULL,
    place TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    closed_at INTEGER
) STRICT;
CREATE UNIQUE INDEX alerts_open ON alerts (key) WHERE closed_at IS NULL;
CREATE INDEX alerts_closed ON alerts (closed_at, id) WHERE closed_at IS NOT NULL;
CREATE INDEX alerts_of_mailbox ON alerts (mailbox_id);

CREATE TABLE alert_notices (
    -- CASCADE: it is the alert's story.
    alert_id INTEGER NOT NULL REFERENCES alerts (id) ON DELETE CASCADE,
    phase TEXT NOT NULL CHECK (phase IN ('opened', 'over')),
    channel TEXT NOT NULL CHECK (channel IN ('mail', 'webhook')),
    state TEXT NOT NULL DEFAULT 'due' CHECK (state IN ('due', 'told', 'dropped', 'given_up')),
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt_at INTEGER NOT NULL,
    told_at INTEGER,
    way TEXT NOT NULL DEFAULT '',
    problem TEXT,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (alert_id, phase, channel)
) STRICT, WITHOUT ROWID;
CREATE INDEX alert_notices_due ON alert_notices (next_attempt_at) WHERE state = 'due';
CREATE INDEX alert_notices_told ON alert_notices (channel, told_at) WHERE told_at IS NOT NULL;

-- What alerts ask of the ledger each minute.
CREATE INDEX fates_for_person ON fates (folder_id, seen_at) WHERE fate IN ('unreadable', 'too_big', 'absent', 'stub');
