-- The schema of mailhatch.db with every column explained: what all migrations together make. A test
-- compares this file with a migrated database, and another that nothing in it is left without a comment.
--
-- Reading it: an `_at` column is unix seconds UTC, a `_bytes` column is a size before compression, `id`
-- is never used a second time. Enumerations are words; the words are explained in src/model/. Where two
-- rows belong together the foreign key says what happens to the one when the other goes:
-- CASCADE, the row means nothing without it; RESTRICT, the row must not lose it, so the deletion is
-- refused; SET NULL, the row goes on without it. The table refinery_schema_history, which keeps the
-- migrations that have run, belongs to the library that runs them.

-- What an administrator entered on pages, and the check of the sealing key.
CREATE TABLE settings (
    -- What it is: entra_client_id, key_check …; one row each.
    key TEXT PRIMARY KEY,
    -- UTF-8 text, or bytes sealed under the key's name.
    value BLOB NOT NULL,
    -- When it was set last.
    updated_at INTEGER NOT NULL
) STRICT;

-- The people who sign in.
CREATE TABLE agents (
    -- Row id.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- What they sign in with; the case of letters does not matter.
    email TEXT NOT NULL COLLATE NOCASE UNIQUE,
    -- Shown to colleagues, and to customers in From.
    name TEXT NOT NULL,
    -- Argon2id in PHC notation, with its own salt and costs.
    password_hash TEXT NOT NULL,
    -- agent: reads and answers. admin: also connects mailboxes and manages people.
    role TEXT NOT NULL CHECK (role IN ('agent', 'admin')),
    -- When the account was made.
    created_at INTEGER NOT NULL,
    -- When it was disabled. Agents are never deleted, for what they did keeps their name.
    disabled_at INTEGER
) STRICT;

-- Signed-in browsers.
CREATE TABLE sessions (
    -- Row id.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- SHA-256 of the cookie's token: who reads the database cannot sign in with it.
    token_hash BLOB NOT NULL UNIQUE,
    -- What every form of this browser must carry; worth nothing without the cookie.
    csrf_token TEXT NOT NULL,
    -- Whose it is. CASCADE: a session is its agent's presence.
    agent_id INTEGER NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
    -- When the agent signed in.
    created_at INTEGER NOT NULL,
    -- When it was used last, to the hour.
    last_seen_at INTEGER NOT NULL,
    -- When it ends unless it is used before.
    expires_at INTEGER NOT NULL
) STRICT;
-- Ends all sessions of an agent whose password changed or who was disabled.
CREATE INDEX sessions_of_agent ON sessions (agent_id);

-- Failed sign-ins of the last day, counted so that guessing is slow.
CREATE TABLE sign_in_failures (
    -- Row id.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- The address that was tried, whether there is such an agent or not.
    email TEXT NOT NULL COLLATE NOCASE,
    -- The network address it came from, as text.
    client TEXT NOT NULL,
    -- When.
    failed_at INTEGER NOT NULL
) STRICT;
-- Counts the failures for one address.
CREATE INDEX sign_in_failures_by_email ON sign_in_failures (email, failed_at);
-- Counts the failures from one client.
CREATE INDEX sign_in_failures_by_client ON sign_in_failures (client, failed_at);

-- The addresses we serve.
CREATE TABLE mailboxes (
    -- Row id.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- The address customers write to.
    address TEXT NOT NULL COLLATE NOCASE UNIQUE,
    -- Shown in lists and, after the agent's name, in From.
    name TEXT NOT NULL,
    -- Whose table in src/providers/ says where its servers are and how they behave.
    provider TEXT NOT NULL CHECK (provider IN ('microsoft')),
    -- 1: reached as a delegate; the person who signed in is not the mailbox itself.
    shared INTEGER NOT NULL DEFAULT 0 CHECK (shared IN (0, 1)),
    -- Whether it works, and if not, who can mend it.
    status TEXT NOT NULL CHECK (status IN ('choosing', 'active', 'needs_sign_in', 'needs_admin', 'paused')),
    -- Which mail of before the connection was asked for.
    take_from TEXT NOT NULL DEFAULT 'new' CHECK (take_from IN ('new', 'days', 'all')),
    -- What arrived before is not taken; NULL takes all.
    take_since_at INTEGER,
    -- When to look for mail even if nothing was pushed: cron text of six fields, seconds first, in UTC.
    poll_cron TEXT NOT NULL DEFAULT '0 * * * * *',
    -- How replies leave.
    way_out TEXT NOT NULL DEFAULT 'smtp' CHECK (way_out IN ('smtp', 'graph')),
    -- Whether SMTP signs in to a shared mailbox by the mailbox's address or by the person's name.
    send_user TEXT NOT NULL DEFAULT 'mailbox' CHECK (send_user IN ('mailbox', 'upn')),
    -- Put under every reply; sanitised HTML.
    signature_html TEXT NOT NULL DEFAULT '',
    -- When the last sync ended well.
    last_sync_at INTEGER,
    -- How many messages the last sync that found any received.
    last_sync_count INTEGER NOT NULL DEFAULT 0,
    -- What keeps it from receiving: a Problem as JSON (src/problem.rs).
    problem TEXT,
    -- Since when.
    problem_at INTEGER,
    -- What keeps it from sending: a Problem as JSON.
    send_problem TEXT,
    -- Since when.
    send_problem_at INTEGER,
    -- Nothing is handed over before this time, as the provider asked or after a refusal.
    send_after_at INTEGER NOT NULL DEFAULT 0,
    -- When it was connected first; what arrived before is history and opens nothing.
    created_at INTEGER NOT NULL,
    -- Grows with every change of any mailbox: open pages ask what is newer than they are.
    revision INTEGER NOT NULL DEFAULT 0,
    -- 1: an answer under another subject, in a conversation that was quiet for a week, begins a new one.
    new_subject_splits INTEGER NOT NULL DEFAULT 1 CHECK (new_subject_splits IN (0, 1))
) STRICT;

-- What we keep to authenticate a mailbox. Tokens are sealed under its id and their kind.
CREATE TABLE credentials (
    -- Whose; one each. CASCADE: a token without its mailbox must not linger.
    mailbox_id INTEGER PRIMARY KEY REFERENCES mailboxes (id) ON DELETE CASCADE,
    -- Entra tenant of the person who signed in.
    tenant_id TEXT NOT NULL,
    -- The person's object id there; with the tenant, the only identity that stays.
    object_id TEXT NOT NULL,
    -- The person's sign-in name, as of the last sign-in.
    upn TEXT NOT NULL,
    -- The person's display name, as of the last sign-in.
    person_name TEXT NOT NULL DEFAULT '',
    -- The newest refresh token, sealed.
    refresh_token BLOB NOT NULL,
    -- When it was given to us; unused for 90 days it dies.
    refreshed_at INTEGER NOT NULL,
    -- Access token for IMAP and SMTP, sealed.
    exchange_token BLOB,
    -- When that ends.
    exchange_expires_at INTEGER NOT NULL DEFAULT 0,
    -- Access token for Graph, sealed.
    graph_token BLOB,
    -- When that ends.
    graph_expires_at INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Sign-ins at Microsoft that have been begun; good once and for ten minutes, kept for a day.
CREATE TABLE oauth_flows (
    -- SHA-256 of the `state` that must come back.
    state_hash BLOB PRIMARY KEY,
    -- The browser that began it and must end it. CASCADE: nobody else may.
    session_id INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    -- Why the person was sent there.
    purpose TEXT NOT NULL CHECK (purpose IN ('connect', 'reconnect', 'admin_consent')),
    -- With reconnect: the mailbox. CASCADE: there is nothing left to connect.
    mailbox_id INTEGER REFERENCES mailboxes (id) ON DELETE CASCADE,
    -- With connect: the shared mailbox's address; empty for the person's own.
    mailbox_address TEXT NOT NULL DEFAULT '',
    -- The nonce and the PKCE verifier, sealed.
    secrets BLOB NOT NULL,
    -- When it began.
    created_at INTEGER NOT NULL,
    -- When it stops being good.
    expires_at INTEGER NOT NULL,
    -- When it came back.
    used_at INTEGER,
    -- What it led to, so that a reloaded callback goes there. SET NULL: it happened all the same.
    result_mailbox_id INTEGER REFERENCES mailboxes (id) ON DELETE SET NULL
) STRICT;
-- Lets a session go without reading all flows.
CREATE INDEX oauth_flows_of_session ON oauth_flows (session_id);
-- Lets a mailbox go without reading all flows.
CREATE INDEX oauth_flows_of_mailbox ON oauth_flows (mailbox_id);
-- The same for the mailbox a flow led to.
CREATE INDEX oauth_flows_by_result ON oauth_flows (result_mailbox_id);

-- The watched folders (IMAP calls them mailboxes) and how far each has been read.
CREATE TABLE folders (
    -- Row id.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Whose. CASCADE: a cursor into a mailbox that is gone points nowhere.
    mailbox_id INTEGER NOT NULL REFERENCES mailboxes (id) ON DELETE CASCADE,
    -- The name as the server spells it, in modified UTF-7.
    raw_name TEXT NOT NULL,
    -- The name as people read it.
    name TEXT NOT NULL,
    -- What it is for.
    role TEXT NOT NULL CHECK (role IN ('inbox', 'sent', 'other')),
    -- UIDVALIDITY under which the UIDs count; NULL before the first sync.
    uid_validity INTEGER,
    -- Messages below this UID were there before and are not wanted.
    first_uid INTEGER NOT NULL DEFAULT 1,
    -- The cursor: the first UID not seen yet. It only grows under one UIDVALIDITY.
    next_uid INTEGER NOT NULL DEFAULT 1,
    -- How many messages the server said it holds, when the last sync ended.
    server_count INTEGER,
    -- When that was.
    synced_at INTEGER,
    UNIQUE (mailbox_id, raw_name)
) STRICT;

-- The people outside, one row for each address.
CREATE TABLE contacts (
    -- Row id.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Their address.
    address TEXT NOT NULL COLLATE NOCASE UNIQUE,
    -- The name that came with their newest message that had one.
    name TEXT NOT NULL DEFAULT '',
    -- When they were met first.
    created_at INTEGER NOT NULL,
    -- When mail to them came back last.
    bounced_at INTEGER
) STRICT;

-- Senders whose pictures on other servers are shown without asking; believed only of messages whose
-- DMARC result is pass.
CREATE TABLE picture_senders (
    -- Their address.
    address TEXT PRIMARY KEY COLLATE NOCASE,
    -- Who chose. SET NULL: the choice outlives the account of whoever made it.
    agent_id INTEGER REFERENCES agents (id) ON DELETE SET NULL,
    -- When.
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- Lets an agent go without reading all senders.
CREATE INDEX picture_senders_of_agent ON picture_senders (agent_id);

-- All messages about one matter with a contact: the unit of assignment.
CREATE TABLE conversations (
    -- Row id; the number that people see.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Where it takes place. RESTRICT: mail is never lost with a setting.
    mailbox_id INTEGER NOT NULL REFERENCES mailboxes (id) ON DELETE RESTRICT,
    -- With whom. RESTRICT: a conversation has somebody at its other end.
    contact_id INTEGER NOT NULL REFERENCES contacts (id) ON DELETE RESTRICT,
    -- Subject of its first message, without Re: and Fwd:.
    subject TEXT NOT NULL,
    -- Where it stands.
    status TEXT NOT NULL CHECK (status IN ('open', 'waiting', 'snoozed', 'closed', 'spam')),
    -- Who looks after it. SET NULL: it then belongs to nobody, and shows as such.
    assignee_id INTEGER REFERENCES agents (id) ON DELETE SET NULL,
    -- First words of its newest message. Derived, as are the next five columns and active_at.
    preview TEXT NOT NULL DEFAULT '',
    -- How many messages it holds.
    message_count INTEGER NOT NULL DEFAULT 0,
    -- How many files they hold, pictures within the text not counted.
    attachment_count INTEGER NOT NULL DEFAULT 0,
    -- Its highest message id, compared with what an agent has seen. Not a key: 0 means none yet.
    last_message_id INTEGER NOT NULL DEFAULT 0,
    -- Which way its newest message went.
    last_direction TEXT NOT NULL DEFAULT 'incoming' CHECK (last_direction IN ('incoming', 'outgoing')),
    -- How many of its replies failed or are uncertain.
    failed_count INTEGER NOT NULL DEFAULT 0,
    -- When its newest message was sent; lists are ordered by it.
    active_at INTEGER NOT NULL,
    -- When its first message was sent.
    created_at INTEGER NOT NULL,
    -- When it was closed last; NULL while it is not closed.
    closed_at INTEGER,
    -- Grows with every change of any conversation: open pages ask what is newer than they are.
    revision INTEGER NOT NULL DEFAULT 0
) STRICT;
-- The inbox by status, all mailboxes.
CREATE INDEX conversations_by_status ON conversations (status, active_at, id);
-- The inbox by status, one mailbox.
CREATE INDEX conversations_by_mailbox ON conversations (mailbox_id, status, active_at, id);
-- What is mine, and what is nobody's.
CREATE INDEX conversations_by_assignee ON conversations (assignee_id, status, active_at, id);
-- What else a contact wrote about.
CREATE INDEX conversations_by_contact ON conversations (contact_id, active_at, id);
-- What changed since a page looked.
CREATE INDEX conversations_by_revision ON conversations (revision);

-- One RFC 5322 e-mail each; what is derived from its bytes can be derived again.
CREATE TABLE messages (
    -- Row id.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Where it was received or sent. RESTRICT: mail is never lost with a setting.
    mailbox_id INTEGER NOT NULL REFERENCES mailboxes (id) ON DELETE RESTRICT,
    -- What it is part of. RESTRICT: no message without a conversation.
    conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE RESTRICT,
    -- Which way it went.
    direction TEXT NOT NULL CHECK (direction IN ('incoming', 'outgoing')),
    -- What wrote it: a person, or which sort of machine.
    kind TEXT NOT NULL CHECK (kind IN ('message', 'auto_reply', 'bounce', 'list', 'notification')),
    -- Who wrote it here; NULL for received mail and what was sent in Outlook. SET NULL: it was sent all the same.
    agent_id INTEGER REFERENCES agents (id) ON DELETE SET NULL,
    -- Message-ID without angle brackets; empty when it has none.
    internet_message_id TEXT NOT NULL,
    -- SHA-256 of what makes it the same wherever it is met again (intake::identity).
    identity BLOB NOT NULL,
    -- Name in From.
    from_name TEXT NOT NULL DEFAULT '',
    -- Address in From.
    from_address TEXT NOT NULL DEFAULT '',
    -- To, Cc, Bcc and Reply-To as JSON.
    recipients TEXT NOT NULL DEFAULT '{}',
    -- Subject as written.
    subject TEXT NOT NULL DEFAULT '',
    -- First words.
    preview TEXT NOT NULL DEFAULT '',
    -- All its text, at most 500,000 characters.
    text TEXT NOT NULL DEFAULT '',
    -- What its writer newly wrote, without quoted history and signature.
    reply_text TEXT NOT NULL DEFAULT '',
    -- 1: it has an HTML form, made from the bytes when it is shown.
    has_html INTEGER NOT NULL DEFAULT 0 CHECK (has_html IN (0, 1)),
    -- 1: it carries quoted history.
    quoted INTEGER NOT NULL DEFAULT 0 CHECK (quoted IN (0, 1)),
    -- What is wrong with it, in words, as a JSON array.
    defects TEXT NOT NULL DEFAULT '[]',
    -- Its Date, kept within the week before it arrived.
    sent_at INTEGER NOT NULL,
    -- When the row was made.
    created_at INTEGER NOT NULL,
    -- The rule that placed it in its conversation (mail::thread::place), or the hand that moved it.
    placed_by TEXT NOT NULL DEFAULT 'unknown'
        CHECK (placed_by IN ('unknown', 'written', 'own_id', 'our_id', 'in_reply_to', 'references', 'report', 'thread_index', 'subject', 'new_subject', 'new', 'moved')),
    -- The 16 bytes of Outlook's Thread-Index that all messages of a thread share; NULL when it has none.
    thread_guid BLOB,
    -- The version of the reading that its derived columns come from (intake::DERIVED_VERSION).
    derived_version INTEGER NOT NULL DEFAULT 0,
    UNIQUE (mailbox_id, identity)
) STRICT;
-- A conversation in its order.
CREATE INDEX messages_of_conversation ON messages (conversation_id, sent_at, id);
-- A message by its Message-ID.
CREATE INDEX messages_by_internet_message_id ON messages (mailbox_id, internet_message_id);
-- Lets an agent go without reading all messages.
CREATE INDEX messages_of_agent ON messages (agent_id);
-- The messages of one Outlook thread.
CREATE INDEX messages_by_thread_guid ON messages (mailbox_id, thread_guid, id) WHERE thread_guid IS NOT NULL;
-- What an older version of the program read, to be read again.
CREATE INDEX messages_by_derived_version ON messages (derived_version, id);

-- The bytes of each message as received or sent.
CREATE TABLE raw_messages (
    -- Whose. CASCADE: they are the message.
    message_id INTEGER PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
    -- Size before compression.
    size_bytes INTEGER NOT NULL,
    -- The bytes, zstd-compressed; files in base64 cut out and listed at the head, to be put back (store::packed).
    zstd BLOB NOT NULL
) STRICT;

-- Which conversation a Message-ID belongs to: ids of stored messages and those they mention.
CREATE TABLE thread_ids (
    -- Where it counts: two mailboxes may hold the same message. CASCADE: it is only a pointer.
    mailbox_id INTEGER NOT NULL REFERENCES mailboxes (id) ON DELETE CASCADE,
    -- Message-ID without angle brackets; servers change the case of its host.
    internet_message_id TEXT NOT NULL COLLATE NOCASE,
    -- Where an answer to it goes. CASCADE: it is only a pointer.
    conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    -- The stored message that has this id; NULL when it was only mentioned. CASCADE: as above.
    message_id INTEGER REFERENCES messages (id) ON DELETE CASCADE,
    PRIMARY KEY (mailbox_id, internet_message_id)
) STRICT, WITHOUT ROWID;
-- Lets a conversation go without reading all ids.
CREATE INDEX thread_ids_of_conversation ON thread_ids (conversation_id);
-- Lets a message go without reading all ids.
CREATE INDEX thread_ids_of_message ON thread_ids (message_id);

-- Contents of files, each stored once however often it was sent.
CREATE TABLE blobs (
    -- SHA-256 of the content.
    sha256 BLOB PRIMARY KEY,
    -- Size before compression.
    size_bytes INTEGER NOT NULL,
    -- The content, zstd-compressed.
    zstd BLOB NOT NULL
) STRICT;

-- The files in messages.
CREATE TABLE attachments (
    -- Row id.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Whose. CASCADE: it is part of the message.
    message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    -- Its place among the message's files, from 0.
    position INTEGER NOT NULL,
    -- A name that is safe to save under.
    filename TEXT NOT NULL,
    -- Media type as the sender named it; never believed.
    content_type TEXT NOT NULL,
    -- Size of the content.
    size_bytes INTEGER NOT NULL,
    -- 1: shown within the text rather than below it.
    inline INTEGER NOT NULL CHECK (inline IN (0, 1)),
    -- Content-ID without angle brackets, by which the HTML names it.
    content_id TEXT,
    -- Its content. RESTRICT: content goes only when nothing points to it.
    sha256 BLOB NOT NULL REFERENCES blobs (sha256) ON DELETE RESTRICT
) STRICT;
-- The files of a message in their order.
CREATE INDEX attachments_of_message ON attachments (message_id, position);
-- Whether a content is still pointed to.
CREATE INDEX attachments_by_content ON attachments (sha256);

-- The ledger: what became of each message seen in a folder.
CREATE TABLE fates (
    -- Where it was seen. CASCADE: a UID means nothing without its folder.
    folder_id INTEGER NOT NULL REFERENCES folders (id) ON DELETE CASCADE,
    -- UIDVALIDITY it was seen under.
    uid_validity INTEGER NOT NULL,
    -- Its UID.
    uid INTEGER NOT NULL,
    -- What became of it.
    fate TEXT NOT NULL CHECK (fate IN ('received', 'duplicate', 'own_copy', 'ignored', 'too_big', 'unreadable', 'stub', 'absent')),
    -- The message it is or repeats. SET NULL: that it was seen stays true.
    message_id INTEGER REFERENCES messages (id) ON DELETE SET NULL,
    -- The reason, in words.
    detail TEXT NOT NULL DEFAULT '',
    -- When that was decided last.
    seen_at INTEGER NOT NULL,
    -- When it is asked for again; NULL when it is settled or a person must look.
    retry_at INTEGER,
    -- How often it has been tried.
    attempts INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (folder_id, uid_validity, uid)
) STRICT, WITHOUT ROWID;
-- Where a message was seen; lets a message go without reading the ledger.
CREATE INDEX fates_of_message ON fates (message_id);
-- What is to be asked for again.
CREATE INDEX fates_to_retry ON fates (folder_id, retry_at) WHERE retry_at IS NOT NULL;

-- The duty to hand one message over.
CREATE TABLE deliveries (
    -- Row id.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- What; one delivery each. RESTRICT: a duty is not forgotten by deleting.
    message_id INTEGER NOT NULL UNIQUE REFERENCES messages (id) ON DELETE RESTRICT,
    -- From where; that of the message. RESTRICT: as above.
    mailbox_id INTEGER NOT NULL REFERENCES mailboxes (id) ON DELETE RESTRICT,
    -- In which conversation; that of the message. RESTRICT: as above.
    conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE RESTRICT,
    -- One per shown form, so that a button pressed twice sends once.
    idempotency_key TEXT NOT NULL UNIQUE,
    -- Where it stands.
    state TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'sent', 'failed', 'uncertain', 'cancelled')),
    -- How often it was tried; counted before the server is dialled.
    attempts INTEGER NOT NULL DEFAULT 0,
    -- When it is tried, or looked for in Sent Items, next.
    next_attempt_at INTEGER NOT NULL,
    -- What stopped it: a Problem as JSON.
    problem TEXT,
    -- How it left or was tried last.
    way_out TEXT CHECK (way_out IN ('smtp', 'graph')),
    -- The server's last words, or who decided.
    server_reply TEXT NOT NULL DEFAULT '',
    -- Recipients refused while the others were taken: JSON array of address and Problem.
    refused TEXT NOT NULL DEFAULT '[]',
    -- The Message-ID the provider gave it, when not ours.
    effective_message_id TEXT,
    -- When it was queued.
    created_at INTEGER NOT NULL,
    -- When it was sent, failed or cancelled.
    finished_at INTEGER
) STRICT;
-- The next one of a mailbox.
CREATE INDEX deliveries_due ON deliveries (mailbox_id, next_attempt_at, id) WHERE state IN ('queued', 'sending', 'uncertain');
-- The outbox.
CREATE INDEX deliveries_unfinished ON deliveries (id) WHERE state NOT IN ('sent', 'cancelled');
-- What in a conversation failed.
CREATE INDEX deliveries_of_conversation ON deliveries (conversation_id);
-- The replies that left lately, for a report that names no message.
CREATE INDEX deliveries_by_end ON deliveries (mailbox_id, finished_at) WHERE finished_at IS NOT NULL;

-- Each try at a delivery, written down before the server is dialled.
CREATE TABLE attempts (
    -- Row id; tries follow each other by it.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- At what. CASCADE: it is the delivery's story.
    delivery_id INTEGER NOT NULL REFERENCES deliveries (id) ON DELETE CASCADE,
    -- How.
    way_out TEXT NOT NULL CHECK (way_out IN ('smtp', 'graph')),
    -- When it began; a mailbox's rate is counted by it.
    started_at INTEGER NOT NULL,
    -- When it ended; NULL while it lasts, and for ever when the program died in it.
    finished_at INTEGER,
    -- How it ended; interrupted until more is known.
    outcome TEXT NOT NULL DEFAULT 'interrupted' CHECK (outcome IN ('interrupted', 'accepted', 'refused', 'unknown')),
    -- The server's words.
    detail TEXT NOT NULL DEFAULT ''
) STRICT;
-- The tries at a delivery in their order.
CREATE INDEX attempts_of_delivery ON attempts (delivery_id, id);

-- Internal remarks.
CREATE TABLE notes (
    -- Row id.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- On what. CASCADE: it is part of the conversation.
    conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    -- Who wrote it. SET NULL: the remark stays.
    agent_id INTEGER REFERENCES agents (id) ON DELETE SET NULL,
    -- Plain text.
    text TEXT NOT NULL,
    -- When.
    created_at INTEGER NOT NULL
) STRICT;
-- The notes of a conversation in their order.
CREATE INDEX notes_of_conversation ON notes (conversation_id, created_at, id);
-- Lets an agent go without reading all notes.
CREATE INDEX notes_of_agent ON notes (agent_id);

-- Logged changes of conversations.
CREATE TABLE events (
    -- Row id.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Of what. CASCADE: it is the conversation's story.
    conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    -- Who did it; NULL for what happened by itself. SET NULL: it happened all the same.
    agent_id INTEGER REFERENCES agents (id) ON DELETE SET NULL,
    -- What happened.
    kind TEXT NOT NULL CHECK (kind IN ('assigned', 'unassigned', 'closed', 'reopened', 'waiting', 'bounced', 'delayed', 'moved_in', 'moved_out')),
    -- To whom it was assigned, which addresses a report was about, or the other conversation's number.
    detail TEXT NOT NULL DEFAULT '',
    -- When.
    created_at INTEGER NOT NULL
) STRICT;
-- The events of a conversation in their order.
CREATE INDEX events_of_conversation ON events (conversation_id, created_at, id);
-- Lets an agent go without reading all events.
CREATE INDEX events_of_agent ON events (agent_id);

-- How far each agent has seen each conversation.
CREATE TABLE views (
    -- Who. CASCADE: it is of use to nobody else.
    agent_id INTEGER NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
    -- What. CASCADE: there is nothing left to see.
    conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    -- The conversation's highest message id when it was looked at. Not a key: only compared.
    seen_message_id INTEGER NOT NULL,
    PRIMARY KEY (agent_id, conversation_id)
) STRICT, WITHOUT ROWID;
-- Lets a conversation go without reading all views.
CREATE INDEX views_of_conversation ON views (conversation_id);
