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
    new_subject_splits INTEGER NOT NULL DEFAULT 1 CHECK (new_subject_splits IN (0, 1)),
    -- Largest message its SMTP server said it takes (RFC 1870); NULL when it has not said.
    smtp_size_bytes INTEGER,
    -- Since when nothing leaves because the server refused again and again; a person ends it. NULL: it sends.
    sending_stopped_at INTEGER,
    -- When a person ended that last; refusals before it no longer count.
    sending_resumed_at INTEGER NOT NULL DEFAULT 0
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
    -- 0: not read any more; what was received from it stays.
    watched INTEGER NOT NULL DEFAULT 1 CHECK (watched IN (0, 1)),
    -- 1: an administrator chose it; nothing found by itself takes its place.
    chosen INTEGER NOT NULL DEFAULT 0 CHECK (chosen IN (0, 1)),
    -- 1: it holds what the provider took for spam; conversations that begin here are spam until a person says otherwise.
    junk INTEGER NOT NULL DEFAULT 0 CHECK (junk IN (0, 1)),
    -- What arrived before is not taken; 0 takes all, NULL what the mailbox takes.
    take_since_at INTEGER,
    -- When it was chosen to be watched; NULL for a folder watched since the mailbox was connected.
    began_at INTEGER,
    -- With began_at: UIDNEXT then. What stands below was there before and is history; what came after is news whatever
    -- its date, for people drag old mail into a folder. NULL before the first sync, and after UIDVALIDITY changed.
    began_uid INTEGER,
    -- What keeps it from being read: a Problem as JSON.
    problem TEXT,
    -- When that was found, or looked into last.
    problem_at INTEGER,
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
    -- Its highest message id that did not come by a backfill, compared with what an agent has seen. Not a
    -- key: 0 means none yet.
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
    -- Its Message-ID without angle brackets, where no message is stored and it could be read.
    internet_message_id TEXT NOT NULL DEFAULT '' COLLATE NOCASE,
    -- Who sent it, where no message is stored.
    sender TEXT NOT NULL DEFAULT '',
    -- Its subject, where no message is stored.
    subject TEXT NOT NULL DEFAULT '',
    -- Its Date, where no message is stored.
    sent_at INTEGER,
    -- When the server was asked for these, of a message too big to be taken; once.
    asked_at INTEGER,
    -- When a person said that it is fine so: it is not tried again and leaves the list.
    dismissed_at INTEGER,
    PRIMARY KEY (folder_id, uid_validity, uid)
) STRICT, WITHOUT ROWID;
-- Where a message was seen; lets a message go without reading the ledger.
CREATE INDEX fates_of_message ON fates (message_id);
-- What is to be asked for again.
CREATE INDEX fates_to_retry ON fates (folder_id, retry_at) WHERE retry_at IS NOT NULL;
-- What became of a mail that was not stored.
CREATE INDEX fates_by_internet_message_id ON fates (internet_message_id) WHERE internet_message_id <> '';
-- What a person must look at.
CREATE INDEX fates_needing_person ON fates (folder_id, uid_validity, uid) WHERE fate IN ('unreadable', 'too_big', 'absent', 'stub');
-- What the alerts count each half minute.
CREATE INDEX fates_for_person ON fates (folder_id, seen_at) WHERE fate IN ('unreadable', 'too_big', 'absent', 'stub');

-- What comparing each folder with its server came to last, and when it is compared next.
CREATE TABLE ledger_checks (
    -- Which folder. CASCADE: it speaks of the folder's UIDs.
    folder_id INTEGER PRIMARY KEY REFERENCES folders (id) ON DELETE CASCADE,
    -- When it is compared next: once a day, or now when somebody asks.
    due_at INTEGER NOT NULL,
    -- UIDVALIDITY of the last comparison; NULL before the first.
    uid_validity INTEGER,
    -- When that was.
    checked_at INTEGER,
    -- The first UID that was compared.
    first_uid INTEGER NOT NULL DEFAULT 1,
    -- The first UID that was not compared any more: the cursor then.
    next_uid INTEGER NOT NULL DEFAULT 1,
    -- Messages the server listed between the two.
    server_count INTEGER NOT NULL DEFAULT 0,
    -- Messages it listed before them: not wanted.
    outside_count INTEGER NOT NULL DEFAULT 0,
    -- Messages it counted and did not list.
    unlisted_count INTEGER NOT NULL DEFAULT 0,
    -- Fates whose message is no longer there; nothing to worry about.
    gone_count INTEGER NOT NULL DEFAULT 0,
    -- Messages there without a fate: lost, until they are fetched.
    missing_count INTEGER NOT NULL DEFAULT 0,
    -- Their first hundred UIDs as a JSON array.
    missing TEXT NOT NULL DEFAULT '[]',
    -- Since when the folder differs; NULL while it agrees.
    differs_since_at INTEGER,
    -- How many messages the last difference brought to light and were taken.
    recovered_count INTEGER NOT NULL DEFAULT 0,
    -- Their first hundred UIDs as a JSON array.
    recovered TEXT NOT NULL DEFAULT '[]',
    -- When the last of them was taken.
    recovered_at INTEGER
) STRICT;

-- Older mail that is fetched by date range, on an administrator's word.
CREATE TABLE backfills (
    -- Row id.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Of which mailbox. CASCADE: without its mailbox there is nothing to fetch.
    mailbox_id INTEGER NOT NULL REFERENCES mailboxes (id) ON DELETE CASCADE,
    -- Who asked for it. SET NULL: it was asked for all the same.
    agent_id INTEGER REFERENCES agents (id) ON DELETE SET NULL,
    -- First second of the first day that is wanted; with until_at NULL where everything is.
    from_at INTEGER,
    -- First second that is no longer wanted.
    until_at INTEGER,
    -- running: its loop works on it, or waits. paused: until a person continues it. The others are ends.
    state TEXT NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'paused', 'done', 'failed', 'cancelled')),
    -- What holds it up, or why it failed: a Problem as JSON.
    problem TEXT,
    -- When it was asked for.
    created_at INTEGER NOT NULL,
    -- When it ended.
    finished_at INTEGER,
    CHECK ((from_at IS NULL) = (until_at IS NULL))
) STRICT;
-- One at a time for each mailbox, and which loops are to run.
CREATE UNIQUE INDEX backfills_under_way ON backfills (mailbox_id) WHERE state IN ('running', 'paused');
-- The newest of a mailbox.
CREATE INDEX backfills_of_mailbox ON backfills (mailbox_id, id);
-- Lets an agent go without reading all of them.
CREATE INDEX backfills_of_agent ON backfills (agent_id);

-- How far a backfill is in each of its folders. What is still to be fetched is not kept: it is what the
-- server lists in the range and has no fate.
CREATE TABLE backfill_folders (
    -- Of which. CASCADE: it is a part of it.
    backfill_id INTEGER NOT NULL REFERENCES backfills (id) ON DELETE CASCADE,
    -- Where. CASCADE: nothing can be fetched from a folder that is not watched any more.
    folder_id INTEGER NOT NULL REFERENCES folders (id) ON DELETE CASCADE,
    -- gone: the folder is not on the server any more.
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'gone')),
    -- UIDVALIDITY it was counted under; NULL before it was listed.
    uid_validity INTEGER,
    -- Messages of the range.
    total_count INTEGER NOT NULL DEFAULT 0,
    -- How many of them had a fate before.
    known_count INTEGER NOT NULL DEFAULT 0,
    -- How many are still to be fetched.
    left_count INTEGER NOT NULL DEFAULT 0,
    -- How many were stored as new messages.
    received_count INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (backfill_id, folder_id)
) STRICT, WITHOUT ROWID;
-- Lets a folder go without reading all of them.
CREATE INDEX backfill_folders_of_folder ON backfill_folders (folder_id);

-- Messages that came by a backfill: news for nobody, so they make no conversation unread.
CREATE TABLE backfilled_messages (
    -- Which. CASCADE: it says something about the message.
    message_id INTEGER PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
    -- By which. RESTRICT: as long as the message is there, it is known how it came.
    backfill_id INTEGER NOT NULL REFERENCES backfills (id) ON DELETE RESTRICT
) STRICT;
-- What came by one of them.
CREATE INDEX backfilled_messages_of_backfill ON backfilled_messages (backfill_id);

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
    finished_at INTEGER,
    -- Until when it can be taken back, unix milliseconds: it leaves at that very moment. NULL: it had no undo window.
    undo_until_ms INTEGER,
    -- When a person asked that it leave; its Date too. NULL: at once.
    scheduled_at INTEGER,
    -- 1: mail that comes into its conversation before it left cancels it.
    unless_answered INTEGER NOT NULL DEFAULT 0 CHECK (unless_answered IN (0, 1)),
    -- What cancelled it: taken back to be written again, a person's word, or mail that came first.
    stopped_by TEXT NOT NULL DEFAULT '' CHECK (stopped_by IN ('', 'undo', 'person', 'answer')),
    -- When another reply was sent in its place; it is not shown any more. NULL: none was.
    replaced_at INTEGER,
    -- Where the conversation stood before it, to be put back when it does not leave; '' for unknown.
    status_before TEXT NOT NULL DEFAULT '',
    -- Where it put the conversation: only there is it put back.
    status_after TEXT NOT NULL DEFAULT '',
    -- How many recipients; the provider limits them in a day.
    recipient_count INTEGER NOT NULL DEFAULT 0,
    -- When the server took it; stays when it comes back. NULL: not yet.
    accepted_at INTEGER,
    -- What was written in the rich editor, sanitised, for writing on; emptied when it was sent.
    draft_html TEXT NOT NULL DEFAULT ''
) STRICT;
-- The next one of a mailbox.
CREATE INDEX deliveries_due ON deliveries (mailbox_id, next_attempt_at, id) WHERE state IN ('queued', 'sending', 'uncertain');
-- The outbox.
CREATE INDEX deliveries_unfinished ON deliveries (id) WHERE state NOT IN ('sent', 'cancelled');
-- What in a conversation failed.
CREATE INDEX deliveries_of_conversation ON deliveries (conversation_id);
-- The replies that left lately, for a report that names no message.
CREATE INDEX deliveries_by_end ON deliveries (mailbox_id, finished_at) WHERE finished_at IS NOT NULL;
-- How many recipients a mailbox has written to in a day, without reading the rows.
CREATE INDEX deliveries_by_acceptance ON deliveries (mailbox_id, accepted_at, recipient_count) WHERE accepted_at IS NOT NULL;

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
    detail TEXT NOT NULL DEFAULT '',
    -- Code of the Problem it met: refusals of one kind in a row stop a mailbox.
    code TEXT NOT NULL DEFAULT ''
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
    created_at INTEGER NOT NULL,
    -- 1: it is in note_search; those of before the search are put in by and by.
    indexed INTEGER NOT NULL DEFAULT 0 CHECK (indexed IN (0, 1))
) STRICT;
-- The notes of a conversation in their order.
CREATE INDEX notes_of_conversation ON notes (conversation_id, created_at, id);
-- Lets an agent go without reading all notes.
CREATE INDEX notes_of_agent ON notes (agent_id);

-- Those that are not in the index of the search.
CREATE INDEX notes_to_index ON notes (id) WHERE indexed = 0;

-- What messages are found by. FTS5 keeps the words and their places; the texts stand in messages. The tables
-- message_search_* and note_search_* belong to it.
CREATE VIRTUAL TABLE message_search USING fts5 (
    -- The words of the message with the id of the row, made by model::search::document, with spaces between;
    -- `s=`, `f=`, `t=`, `a=` before a word say where it stands, `m=`, `y=`, `d=`, `h=` are mailbox, year,
    -- month and files. SQLite has nothing to split but spaces, so its plainest tokenizer does.
    words, content = '', contentless_delete = 1, tokenize = "ascii tokenchars '='"
);
-- A message that is deleted is found no more.
CREATE TRIGGER messages_leave_search AFTER DELETE ON messages BEGIN
    -- Nothing happens where it was not indexed yet.
    DELETE FROM message_search WHERE rowid = old.id;
END;

-- The same for notes.
CREATE VIRTUAL TABLE note_search USING fts5 (
    -- The words of the note with the id of the row.
    words, content = '', contentless_delete = 1, tokenize = "ascii tokenchars '='"
);
-- A note that is deleted is found no more.
CREATE TRIGGER notes_leave_search AFTER DELETE ON notes BEGIN
    -- As above.
    DELETE FROM note_search WHERE rowid = old.id;
END;

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

-- What administrators must know of.
CREATE TABLE alerts (
    -- Row id.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Its name for the outside: in the webhook, and in the Message-ID of mail about it.
    public_id TEXT NOT NULL UNIQUE,
    -- What it is about.
    kind TEXT NOT NULL CHECK (kind IN ('receiving', 'sending', 'delivery', 'ledger', 'backup', 'disk', 'app_secret')),
    -- The one thing it is about, such as `mailbox:3:receive`.
    key TEXT NOT NULL,
    -- The mailbox concerned, if it is one. CASCADE: it is of no use without its mailbox.
    mailbox_id INTEGER REFERENCES mailboxes (id) ON DELETE CASCADE,
    -- In a few words, without anything of customers.
    title TEXT NOT NULL,
    -- Cause and remedy as they were last: a Problem as JSON.
    problem TEXT NOT NULL,
    -- The path of the page where it is mended.
    place TEXT NOT NULL,
    -- When it began.
    opened_at INTEGER NOT NULL,
    -- When it was over; NULL while it is open.
    closed_at INTEGER
) STRICT;
-- One thing has one open alert, so it is told once.
CREATE UNIQUE INDEX alerts_open ON alerts (key) WHERE closed_at IS NULL;
-- Those of the past, page by page.
CREATE INDEX alerts_closed ON alerts (closed_at, id) WHERE closed_at IS NOT NULL;
-- Lets a mailbox go without reading all alerts.
CREATE INDEX alerts_of_mailbox ON alerts (mailbox_id);

-- The duties to tell of an alert, one for each moment and channel.
CREATE TABLE alert_notices (
    -- Of which alert. CASCADE: it is the alert's story.
    alert_id INTEGER NOT NULL REFERENCES alerts (id) ON DELETE CASCADE,
    -- Which moment is told.
    phase TEXT NOT NULL CHECK (phase IN ('opened', 'over')),
    -- How.
    channel TEXT NOT NULL CHECK (channel IN ('mail', 'webhook')),
    -- Where the duty stands.
    state TEXT NOT NULL DEFAULT 'due' CHECK (state IN ('due', 'told', 'dropped', 'given_up')),
    -- How often it was tried; counted before anything is dialled.
    attempts INTEGER NOT NULL DEFAULT 0,
    -- When it is tried next.
    next_attempt_at INTEGER NOT NULL,
    -- When it was told.
    told_at INTEGER,
    -- How it was told, in words.
    way TEXT NOT NULL DEFAULT '',
    -- What stopped the last try: a Problem as JSON.
    problem TEXT,
    -- When the duty began; it is given up some time after.
    created_at INTEGER NOT NULL,
    PRIMARY KEY (alert_id, phase, channel)
) STRICT, WITHOUT ROWID;
-- What is to be told.
CREATE INDEX alert_notices_due ON alert_notices (next_attempt_at) WHERE state = 'due';
-- What a channel has told last.
CREATE INDEX alert_notices_told ON alert_notices (channel, told_at) WHERE told_at IS NOT NULL;

-- What a mailbox's administrator wants written back; a mailbox without a row wants nothing.
CREATE TABLE write_back_settings (
    -- Whose. CASCADE: settings without their mailbox mean nothing.
    mailbox_id INTEGER PRIMARY KEY REFERENCES mailboxes (id) ON DELETE CASCADE,
    -- 1: incoming mail is marked as read when its conversation is answered or closed.
    mark_read INTEGER NOT NULL DEFAULT 0 CHECK (mark_read IN (0, 1)),
    -- Where mail of closed conversations is moved, as the server spells it; NULL moves nothing.
    move_raw_name TEXT,
    -- The same as people read it.
    move_name TEXT NOT NULL DEFAULT '',
    -- What stopped it, or why the server cannot do it: a Problem as JSON.
    problem TEXT,
    -- Since when.
    problem_at INTEGER
) STRICT;

-- Acts to be done in the mailbox: marking as read, moving. Done ones are kept for a month, so that nothing is done twice.
CREATE TABLE write_backs (
    -- Row id.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- In which mailbox. CASCADE: there is nothing left to write to.
    mailbox_id INTEGER NOT NULL REFERENCES mailboxes (id) ON DELETE CASCADE,
    -- In which folder. CASCADE: a UID means nothing without its folder.
    folder_id INTEGER NOT NULL REFERENCES folders (id) ON DELETE CASCADE,
    -- UIDVALIDITY the UID counts under; compared with the server's before anything is done.
    uid_validity INTEGER NOT NULL,
    -- The message's UID there.
    uid INTEGER NOT NULL,
    -- The message. CASCADE: the act is about it.
    message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    -- seen: marked as read. move: moved to the folder of the settings.
    act TEXT NOT NULL CHECK (act IN ('seen', 'move')),
    -- When it is done or tried next; NULL once it is finished.
    due_at INTEGER,
    -- How often it was tried in vain.
    attempts INTEGER NOT NULL DEFAULT 0,
    -- What stopped it last: a Problem as JSON. With finished_at: it was given up.
    problem TEXT,
    -- When it was asked for.
    created_at INTEGER NOT NULL,
    -- When it was done, needed no more, or given up.
    finished_at INTEGER,
    UNIQUE (folder_id, uid_validity, uid, act),
    CHECK ((due_at IS NULL) = (finished_at IS NOT NULL))
) STRICT;
-- What a mailbox has to do next; lets a mailbox go without reading all acts.
CREATE INDEX write_backs_due ON write_backs (mailbox_id, due_at);
-- What was finished long ago.
CREATE INDEX write_backs_finished ON write_backs (mailbox_id, finished_at) WHERE finished_at IS NOT NULL;
-- What was given up, for the mailbox's page.
CREATE INDEX write_backs_given_up ON write_backs (mailbox_id, id) WHERE problem IS NOT NULL AND finished_at IS NOT NULL;
-- Lets a message go without reading all acts.
CREATE INDEX write_backs_of_message ON write_backs (message_id);
