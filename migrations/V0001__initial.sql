-- The first schema. docs/schema.sql is the commented form of what all migrations together make.

CREATE TABLE settings (
    key TEXT PRIMARY KEY,
    value BLOB NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE agents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    email TEXT NOT NULL COLLATE NOCASE UNIQUE,
    name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('agent', 'admin')),
    created_at INTEGER NOT NULL,
    disabled_at INTEGER
) STRICT;

CREATE TABLE sessions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    token_hash BLOB NOT NULL UNIQUE,
    csrf_token TEXT NOT NULL,
    agent_id INTEGER NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_of_agent ON sessions (agent_id);

CREATE TABLE sign_in_failures (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    email TEXT NOT NULL COLLATE NOCASE,
    client TEXT NOT NULL,
    failed_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sign_in_failures_by_email ON sign_in_failures (email, failed_at);
CREATE INDEX sign_in_failures_by_client ON sign_in_failures (client, failed_at);

CREATE TABLE mailboxes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    address TEXT NOT NULL COLLATE NOCASE UNIQUE,
    name TEXT NOT NULL,
    provider TEXT NOT NULL CHECK (provider IN ('microsoft')),
    shared INTEGER NOT NULL DEFAULT 0 CHECK (shared IN (0, 1)),
    status TEXT NOT NULL CHECK (status IN ('choosing', 'active', 'needs_sign_in', 'needs_admin', 'paused')),
    take_from TEXT NOT NULL DEFAULT 'new' CHECK (take_from IN ('new', 'days', 'all')),
    take_since_at INTEGER,
    poll_cron TEXT NOT NULL DEFAULT '0 * * * * *',
    way_out TEXT NOT NULL DEFAULT 'smtp' CHECK (way_out IN ('smtp', 'graph')),
    send_user TEXT NOT NULL DEFAULT 'mailbox' CHECK (send_user IN ('mailbox', 'upn')),
    signature_html TEXT NOT NULL DEFAULT '',
    last_sync_at INTEGER,
    last_sync_count INTEGER NOT NULL DEFAULT 0,
    problem TEXT,
    problem_at INTEGER,
    send_problem TEXT,
    send_problem_at INTEGER,
    send_after_at INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    revision INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE credentials (
    mailbox_id INTEGER PRIMARY KEY REFERENCES mailboxes (id) ON DELETE CASCADE,
    tenant_id TEXT NOT NULL,
    object_id TEXT NOT NULL,
    upn TEXT NOT NULL,
    person_name TEXT NOT NULL DEFAULT '',
    refresh_token BLOB NOT NULL,
    refreshed_at INTEGER NOT NULL,
    exchange_token BLOB,
    exchange_expires_at INTEGER NOT NULL DEFAULT 0,
    graph_token BLOB,
    graph_expires_at INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE oauth_flows (
    state_hash BLOB PRIMARY KEY,
    session_id INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    purpose TEXT NOT NULL CHECK (purpose IN ('connect', 'reconnect', 'admin_consent')),
    mailbox_id INTEGER REFERENCES mailboxes (id) ON DELETE CASCADE,
    mailbox_address TEXT NOT NULL DEFAULT '',
    secrets BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    result_mailbox_id INTEGER REFERENCES mailboxes (id) ON DELETE SET NULL
) STRICT;
CREATE INDEX oauth_flows_of_session ON oauth_flows (session_id);
CREATE INDEX oauth_flows_of_mailbox ON oauth_flows (mailbox_id);
CREATE INDEX oauth_flows_by_result ON oauth_flows (result_mailbox_id);

CREATE TABLE folders (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    mailbox_id INTEGER NOT NULL REFERENCES mailboxes (id) ON DELETE CASCADE,
    raw_name TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('inbox', 'sent', 'other')),
    uid_validity INTEGER,
    first_uid INTEGER NOT NULL DEFAULT 1,
    next_uid INTEGER NOT NULL DEFAULT 1,
    server_count INTEGER,
    synced_at INTEGER,
    UNIQUE (mailbox_id, raw_name)
) STRICT;

CREATE TABLE contacts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    address TEXT NOT NULL COLLATE NOCASE UNIQUE,
    name TEXT NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL,
    bounced_at INTEGER
) STRICT;

CREATE TABLE conversations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    mailbox_id INTEGER NOT NULL REFERENCES mailboxes (id) ON DELETE RESTRICT,
    contact_id INTEGER NOT NULL REFERENCES contacts (id) ON DELETE RESTRICT,
    subject TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('open', 'waiting', 'snoozed', 'closed', 'spam')),
    assignee_id INTEGER REFERENCES agents (id) ON DELETE SET NULL,
    preview TEXT NOT NULL DEFAULT '',
    message_count INTEGER NOT NULL DEFAULT 0,
    attachment_count INTEGER NOT NULL DEFAULT 0,
    last_message_id INTEGER NOT NULL DEFAULT 0,
    last_direction TEXT NOT NULL DEFAULT 'incoming' CHECK (last_direction IN ('incoming', 'outgoing')),
    failed_count INTEGER NOT NULL DEFAULT 0,
    active_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    closed_at INTEGER,
    revision INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX conversations_by_status ON conversations (status, active_at, id);
CREATE INDEX conversations_by_mailbox ON conversations (mailbox_id, status, active_at, id);
CREATE INDEX conversations_by_assignee ON conversations (assignee_id, status, active_at, id);
CREATE INDEX conversations_by_contact ON conversations (contact_id, active_at, id);
CREATE INDEX conversations_by_revision ON conversations (revision);

CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    mailbox_id INTEGER NOT NULL REFERENCES mailboxes (id) ON DELETE RESTRICT,
    conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE RESTRICT,
    direction TEXT NOT NULL CHECK (direction IN ('incoming', 'outgoing')),
    kind TEXT NOT NULL CHECK (kind IN ('message', 'auto_reply', 'bounce', 'list', 'notification')),
    agent_id INTEGER REFERENCES agents (id) ON DELETE SET NULL,
    internet_message_id TEXT NOT NULL,
    identity BLOB NOT NULL,
    from_name TEXT NOT NULL DEFAULT '',
    from_address TEXT NOT NULL DEFAULT '',
    recipients TEXT NOT NULL DEFAULT '{}',
    subject TEXT NOT NULL DEFAULT '',
    preview TEXT NOT NULL DEFAULT '',
    text TEXT NOT NULL DEFAULT '',
    reply_text TEXT NOT NULL DEFAULT '',
    has_html INTEGER NOT NULL DEFAULT 0 CHECK (has_html IN (0, 1)),
    quoted INTEGER NOT NULL DEFAULT 0 CHECK (quoted IN (0, 1)),
    defects TEXT NOT NULL DEFAULT '[]',
    sent_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (mailbox_id, identity)
) STRICT;
CREATE INDEX messages_of_conversation ON messages (conversation_id, sent_at, id);
CREATE INDEX messages_by_internet_message_id ON messages (mailbox_id, internet_message_id);
CREATE INDEX messages_of_agent ON messages (agent_id);

CREATE TABLE raw_messages (
    message_id INTEGER PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
    size_bytes INTEGER NOT NULL,
    zstd BLOB NOT NULL
) STRICT;

CREATE TABLE thread_ids (
    mailbox_id INTEGER NOT NULL REFERENCES mailboxes (id) ON DELETE CASCADE,
    internet_message_id TEXT NOT NULL,
    conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    message_id INTEGER REFERENCES messages (id) ON DELETE CASCADE,
    PRIMARY KEY (mailbox_id, internet_message_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX thread_ids_of_conversation ON thread_ids (conversation_id);
CREATE INDEX thread_ids_of_message ON thread_ids (message_id);

CREATE TABLE blobs (
    sha256 BLOB PRIMARY KEY,
    size_bytes INTEGER NOT NULL,
    zstd BLOB NOT NULL
) STRICT;

CREATE TABLE attachments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    filename TEXT NOT NULL,
    content_type TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    inline INTEGER NOT NULL CHECK (inline IN (0, 1)),
    content_id TEXT,
    sha256 BLOB NOT NULL REFERENCES blobs (sha256) ON DELETE RESTRICT
) STRICT;
CREATE INDEX attachments_of_message ON attachments (message_id, position);
CREATE INDEX attachments_by_content ON attachments (sha256);

CREATE TABLE fates (
    folder_id INTEGER NOT NULL REFERENCES folders (id) ON DELETE CASCADE,
    uid_validity INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    fate TEXT NOT NULL CHECK (fate IN ('received', 'duplicate', 'own_copy', 'ignored', 'too_big', 'unreadable', 'stub', 'absent')),
    message_id INTEGER REFERENCES messages (id) ON DELETE SET NULL,
    detail TEXT NOT NULL DEFAULT '',
    seen_at INTEGER NOT NULL,
    retry_at INTEGER,
    attempts INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (folder_id, uid_validity, uid)
) STRICT, WITHOUT ROWID;
CREATE INDEX fates_of_message ON fates (message_id);
CREATE INDEX fates_to_retry ON fates (folder_id, retry_at) WHERE retry_at IS NOT NULL;

CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id INTEGER NOT NULL UNIQUE REFERENCES messages (id) ON DELETE RESTRICT,
    mailbox_id INTEGER NOT NULL REFERENCES mailboxes (id) ON DELETE RESTRICT,
    conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE RESTRICT,
    idempotency_key TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'sent', 'failed', 'uncertain', 'cancelled')),
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt_at INTEGER NOT NULL,
    problem TEXT,
    way_out TEXT CHECK (way_out IN ('smtp', 'graph')),
    server_reply TEXT NOT NULL DEFAULT '',
    refused TEXT NOT NULL DEFAULT '[]',
    effective_message_id TEXT,
    created_at INTEGER NOT NULL,
    finished_at INTEGER
) STRICT;
CREATE INDEX deliveries_due ON deliveries (mailbox_id, next_attempt_at, id) WHERE state IN ('queued', 'sending', 'uncertain');
CREATE INDEX deliveries_unfinished ON deliveries (id) WHERE state NOT IN ('sent', 'cancelled');
CREATE INDEX deliveries_of_conversation ON deliveries (conversation_id);

CREATE TABLE attempts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    delivery_id INTEGER NOT NULL REFERENCES deliveries (id) ON DELETE CASCADE,
    way_out TEXT NOT NULL CHECK (way_out IN ('smtp', 'graph')),
    started_at INTEGER NOT NULL,
    finished_at INTEGER,
    outcome TEXT NOT NULL DEFAULT 'interrupted' CHECK (outcome IN ('interrupted', 'accepted', 'refused', 'unknown')),
    detail TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX attempts_of_delivery ON attempts (delivery_id, id);

CREATE TABLE notes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    agent_id INTEGER REFERENCES agents (id) ON DELETE SET NULL,
    text TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX notes_of_conversation ON notes (conversation_id, created_at, id);
CREATE INDEX notes_of_agent ON notes (agent_id);

CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    agent_id INTEGER REFERENCES agents (id) ON DELETE SET NULL,
    kind TEXT NOT NULL CHECK (kind IN ('assigned', 'unassigned', 'closed', 'reopened', 'waiting', 'bounced')),
    detail TEXT NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX events_of_conversation ON events (conversation_id, created_at, id);
CREATE INDEX events_of_agent ON events (agent_id);

CREATE TABLE views (
    agent_id INTEGER NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
    conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    seen_message_id INTEGER NOT NULL,
    PRIMARY KEY (agent_id, conversation_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX views_of_conversation ON views (conversation_id);
