//! How SQLite would run every query of the store: by an index, and without sorting a table that grows.

use std::sync::{Arc, Mutex};

use rusqlite::trace::{TraceEvent, TraceEventCodes};
use rusqlite::{Connection, TransactionBehavior, params_from_iter};

use super::{folder, rows};
use crate::model::{
    Address, AgentId, AttachmentId, ContactId, ConversationId, Cursor, DeliveryId, EventKind, Fate,
    FolderId, FolderRole, InboxQuery, Kind, MailboxId, MessageId, PlacedBy, Recipients, SessionId,
    Status, View, WayOut,
};
use crate::secret::Sealer;
use crate::store::fates::Verdict;
use crate::store::{
    Tx, agents, attachments, contacts, conversations, credentials, deliveries, derived, events,
    fates, folders, inbox, mailboxes, messages, notes, oauth_flows, picture_senders, sessions,
    settings, sign_in_failures, threads, views,
};

/// Tables that hold a few rows however much mail there is; reading or sorting them whole is nothing.
const SMALL: &[&str] = &[
    "agents",
    "mailboxes",
    "folders",
    "credentials",
    "settings",
    "sessions",
    "oauth_flows",
];

/// Tables that grow with the mail.
const GROWING: &[&str] = &[
    "attachments",
    "attempts",
    "blobs",
    "contacts",
    "conversations",
    "deliveries",
    "events",
    "fates",
    "messages",
    "notes",
    "picture_senders",
    "raw_messages",
    "sign_in_failures",
    "thread_ids",
    "views",
];

/// Steps over a single row.
const HARMLESS: &[&str] = &["SCAN newest", "SCAN CONSTANT ROW"];

/// What may be in a plan besides, and why.
const ALLOWED: &[(&str, &str)] = &[
    // Lists at most a hundred due rows of one folder, found by the index on retry_at.
    (
        "FROM fates WHERE folder_id = ?1 AND uid_validity = ?2 AND retry_at",
        "USE TEMP B-TREE FOR ORDER BY",
    ),
    // Counts all fates of a folder: the number is the sum of rows, and only the ledger asks.
    (
        "SELECT t.fate, COUNT(*) FROM fates",
        "USE TEMP B-TREE FOR GROUP BY",
    ),
    // Counts all messages: only a command that reads all of them asks, and once.
    ("SELECT COUNT(*) FROM messages", "SCAN messages"),
    // Forgets failures of more than a day: the table holds no more than a day's.
    ("DELETE FROM sign_in_failures", "SCAN sign_in_failures"),
];

const VIEWS: [View; 5] = [
    View::Open,
    View::Mine,
    View::Unassigned,
    View::Waiting,
    View::Closed,
];

fn database() -> (tempfile::TempDir, Connection) {
    let (folder, path) = folder();
    crate::store::migrate::migrate(&path).unwrap();
    let db = Connection::open(&path).unwrap();
    for version in 1..=crate::store::migrate::known_version() {
        rows::insert(&db, version);
    }
    (folder, db)
}

/// The steps of the plan for a query.
fn plan(db: &Connection, sql: &str) -> Vec<String> {
    let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let mut found = statement.raw_query();
    let mut steps = Vec::new();
    while let Some(row) = found.next().unwrap() {
        steps.push(row.get::<_, String>(3).unwrap());
    }
    steps
}

/// What in a plan grows with the mail.
fn costly(sql: &str, steps: &[String]) -> Option<String> {
    let sql = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    let names = |table: &str| {
        sql.split(|sign: char| !sign.is_alphanumeric() && sign != '_')
            .any(|word| word == table)
    };
    if !GROWING.iter().any(|table| names(table)) {
        return None;
    }
    let is_costly = |step: &&String| {
        let is_small = SMALL
            .iter()
            .any(|table| step.split(' ').any(|word| word == *table));
        let is_allowed = ALLOWED
            .iter()
            .any(|(part, what)| sql.contains(part) && step.starts_with(what));
        let reads_all =
            step.starts_with("SCAN ") && !is_small && !HARMLESS.contains(&step.as_str());
        // The index holds only what is not finished.
        let reads_all = reads_all && !step.ends_with("USING INDEX deliveries_unfinished");
        (reads_all || step.starts_with("USE TEMP B-TREE")) && !is_allowed
    };
    let step = steps.iter().find(is_costly)?;
    Some(format!("{step}: {sql}\n    {}", steps.join("\n    ")))
}

#[test]
fn every_list_of_the_inbox_comes_from_an_index_in_its_order() {
    let (_folder, db) = database();
    for view in VIEWS {
        for mailbox_id in [None, Some(MailboxId(1))] {
            for after in [None, Some((5, ConversationId(3)))] {
                let query = InboxQuery {
                    view,
                    mailbox_id,
                    agent_id: AgentId(1),
                    after,
                    limit: 50,
                };
                let (sql, values) = inbox::page_sql(&query);
                let steps = plan(&db, &sql);
                assert_eq!(costly(&sql, &steps), None);
                let list = steps
                    .iter()
                    .find(|step| step.contains("conversations_by_"))
                    .unwrap();
                // A later page begins at its row rather than counting to it.
                assert!(
                    after.is_none() || list.contains("active_at"),
                    "{query:?}: {list}"
                );
                let mut statement = db.prepare(&sql).unwrap();
                assert!(
                    statement
                        .query(params_from_iter(values))
                        .unwrap()
                        .next()
                        .is_ok()
                );
            }
        }
    }
}

/// Calls every function that reads.
fn read_everything(db: &Connection, sealer: &Sealer) {
    let (agent, mailbox, folder) = (AgentId(1), MailboxId(1), FolderId(1));
    let (conversation, message) = (ConversationId(1), MessageId(1));
    agents::count(db).unwrap();
    agents::list(db).unwrap();
    agents::find(db, agent).unwrap();
    agents::find_by_email(db, "ada@example.com").unwrap();
    agents::count_active_admins(db).unwrap();
    attachments::list(db, message).unwrap();
    let _ = attachments::find(db, AttachmentId(1));
    conversations::find(db, conversation).unwrap();
    conversations::list_of_contact(db, ContactId(1), conversation, 5).unwrap();
    conversations::revision(db).unwrap();
    conversations::list_changed(db, 0).unwrap();
    let _ = credentials::find(db, sealer, mailbox);
    credentials::list_stale(db, 9).unwrap();
    conversations::list_lately_with(db, mailbox, "customer@example.org", 0).unwrap();
    conversations::is_untouched(db, conversation).unwrap();
    conversations::is_set_apart(db, conversation).unwrap();
    read_deliveries(db);
    derived::list_stale(db, 1, 20).unwrap();
    derived::count_stale(db, 1).unwrap();
    derived::is_stale(db, message, 1).unwrap();
    derived::count(db).unwrap();
    events::list(db, conversation).unwrap();
    fates::find(db, folder, 7, 1).unwrap();
    fates::list_due(db, folder, 7, 9).unwrap();
    fates::count(db, folder).unwrap();
    fates::list_needing_person(db, folder, 50).unwrap();
    folders::list(db, mailbox).unwrap();
    folders::find_by_role(db, mailbox, FolderRole::Inbox).unwrap();
    for mailbox in [None, Some(mailbox)] {
        inbox::counts(db, agent, mailbox).unwrap();
    }
    for view in VIEWS {
        let query = InboxQuery {
            view,
            mailbox_id: None,
            agent_id: agent,
            after: None,
            limit: 50,
        };
        inbox::page(db, &query).unwrap();
    }
    mailboxes::find(db, mailbox).unwrap();
    mailboxes::find_by_address(db, "support@example.com").unwrap();
    mailboxes::list(db).unwrap();
    mailboxes::revision(db).unwrap();
    messages::find(db, message).unwrap();
    messages::list(db, conversation).unwrap();
    messages::find_by_identity(db, mailbox, &[1; 32]).unwrap();
    let _ = messages::find_raw(db, message);
    let _ = messages::find_head(db, message, 100);
    let known = messages::find(db, message).unwrap().unwrap();
    messages::is_first_of_contact(db, ContactId(1), &known).unwrap();
    contacts::list_of_newest(db, 100).unwrap();
    notes::list(db, conversation).unwrap();
    let _ = oauth_flows::find(db, sealer, "state");
    picture_senders::is_chosen(db, "customer@example.org").unwrap();
    sessions::find(db, "token", 1).unwrap();
    sessions::needs_touch(db, SessionId(1), 1).unwrap();
    sessions::count_expired(db, 1).unwrap();
    settings::find_text(db, "entra_client_id").unwrap();
    settings::find_secret(db, sealer, "none").unwrap();
    sign_in_failures::count(db, "ada@example.com", "127.0.0.1", 0).unwrap();
    threads::find(db, mailbox, "a@x").unwrap();
    threads::list_by_guid(db, mailbox, &[1; 16]).unwrap();
    threads::list_references(db, conversation).unwrap();
    views::is_unread(db, agent, conversation).unwrap();
    views::find_seen(db, agent, conversation).unwrap();
}

fn read_deliveries(db: &Connection) {
    let (mailbox, message, delivery) = (MailboxId(1), MessageId(1), DeliveryId(1));
    deliveries::find(db, delivery).unwrap();
    deliveries::list_sent_to(db, mailbox, "customer@example.org", 0, 9).unwrap();
    deliveries::find_by_message(db, message).unwrap();
    deliveries::find_by_idempotency_key(db, "k").unwrap();
    deliveries::find_due_uncertain(db, mailbox, 9).unwrap();
    deliveries::next_due(db, mailbox).unwrap();
    deliveries::has_orphan(db, mailbox).unwrap();
    deliveries::count_attempts(db, mailbox, 0, 9).unwrap();
    deliveries::has_from_future(db, mailbox, 9).unwrap();
    deliveries::list_outbox(db, 50).unwrap();
    deliveries::list_attempts(db, delivery).unwrap();
    deliveries::find_accepted_before(db, mailbox, 9).unwrap();
    deliveries::count_unfinished(db).unwrap();
}

/// Calls every function that changes rows while mail comes and goes.
fn write_everything(tx: &Tx<'_>, sealer: &Sealer) {
    let (agent, mailbox, folder) = (AgentId(1), MailboxId(1), FolderId(1));
    let (conversation, message) = (ConversationId(1), MessageId(1));
    let verdict = Verdict {
        fate: Fate::Stub,
        message_id: None,
        detail: String::new(),
        retry_at: Some(9),
    };
    contacts::upsert(tx, &Address::new("C", "customer@example.org"), 3).unwrap();
    contacts::update_bounced(tx, "customer@example.org", 3).unwrap();
    picture_senders::insert(tx, "a@example.org", agent, 3).unwrap();
    picture_senders::delete(tx, "a@example.org").unwrap();
    conversations::touch(tx, conversation).unwrap();
    conversations::refresh(tx, conversation).unwrap();
    conversations::update_status(tx, conversation, Status::Closed, 3).unwrap();
    conversations::update_assignee(tx, conversation, Some(agent)).unwrap();
    let (delivery, attempt) = deliveries::claim_next(tx, mailbox, WayOut::Smtp, 9)
        .unwrap()
        .unwrap();
    deliveries::finish_attempt(tx, attempt, deliveries::AttemptEnd::Accepted, "", 9).unwrap();
    let change = deliveries::Change::default();
    deliveries::update_state(
        tx,
        &delivery,
        crate::model::DeliveryState::Sending,
        &change,
        9,
    )
    .unwrap();
    deliveries::update_effective_id(tx, delivery.id, "given@example.org").unwrap();
    let problem = crate::store::Error::Busy.to_problem();
    for of in [None, Some(mailbox)] {
        deliveries::update_interrupted(tx, of, &problem, 9).unwrap();
    }
    events::insert(tx, conversation, None, EventKind::Closed, "", 3).unwrap();
    fates::upsert(tx, folder, 7, 2, &verdict, 3).unwrap();
    fates::update_retry(tx, folder, 7, 2, 9).unwrap();
    folders::update_cursor(
        tx,
        folder,
        Cursor {
            uid_validity: 7,
            next_uid: 4,
        },
    )
    .unwrap();
    folders::update_start(tx, folder, 8, 1).unwrap();
    folders::update_synced(tx, folder, 3, 3).unwrap();
    mailboxes::touch(tx, mailbox).unwrap();
    notes::insert(tx, conversation, agent, "Note", 3).unwrap();
    settings::check_key(tx, sealer, 3).unwrap();
    sessions::delete_expired(tx, 3).unwrap();
    oauth_flows::delete_old(tx, 3).unwrap();
    sign_in_failures::delete_for(tx, "ada@example.com", 3).unwrap();
    threads::insert_own(tx, mailbox, "d@x", conversation, message).unwrap();
    threads::insert_mentioned(tx, mailbox, "e@x", conversation).unwrap();
    views::upsert(tx, agent, conversation).unwrap();
    write_anew(tx, mailbox, conversation, message);
}

/// Calls every function that moves a message or writes again what was read of it.
fn write_anew(tx: &Tx<'_>, mailbox: MailboxId, conversation: ConversationId, message: MessageId) {
    threads::update_of_message(tx, message, conversation).unwrap();
    threads::update_mentioned(tx, conversation, conversation).unwrap();
    messages::update_conversation(tx, message, conversation, PlacedBy::Moved).unwrap();
    deliveries::update_conversation(tx, message, conversation).unwrap();
    conversations::update_subject(tx, conversation, "Hello").unwrap();
    contacts::update_name(tx, "customer@example.org", "C", "D").unwrap();
    derived::update_stale(tx, MessageId(0), 10).unwrap();
    derived::update_version(tx, message, 1).unwrap();
    attachments::replace_all(tx, message, &[]).unwrap();
    let derived = derived::Derived {
        kind: Kind::Message,
        internet_message_id: "a@x",
        identity: [1; 32],
        from: &Address::default(),
        recipients: &Recipients::default(),
        subject: "",
        preview: "",
        text: "",
        reply_text: "",
        has_html: false,
        quoted: false,
        defects: &[],
        thread_guid: None,
        version: 1,
    };
    derived::update(tx, message, &derived).unwrap();
    let (contact, status) = (ContactId(1), Status::Open);
    let other = conversations::insert(tx, mailbox, contact, "", status, 9).unwrap();
    conversations::absorb(tx, conversation, other, true).unwrap();
}

#[test]
fn no_query_of_the_store_reads_or_sorts_a_table_that_grows() {
    let (_folder, mut db) = database();
    let sealer = Sealer::from_base64(
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "in the test",
    )
    .unwrap();
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let note = Arc::clone(&seen);
    let codes = TraceEventCodes::SQLITE_TRACE_STMT;
    let tracer = move |event: TraceEvent<'_>| {
        if let TraceEvent::Stmt(statement, _) = event {
            note.lock().unwrap().push(statement.sql().into_owned());
        }
    };
    db.trace_v2(codes, Some(tracer)).unwrap();
    read_everything(&db, &sealer);
    let tx = db
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .unwrap();
    write_everything(&tx, &sealer);
    tx.rollback().unwrap();
    db.trace_v2(TraceEventCodes::empty(), None::<fn(TraceEvent<'_>)>)
        .unwrap();

    let mut queries = std::mem::take(&mut *seen.lock().unwrap());
    queries.retain(|sql| {
        !["BEGIN", "ROLLBACK", "--"]
            .iter()
            .any(|start| sql.starts_with(start))
    });
    queries.sort();
    queries.dedup();
    assert!(
        queries.len() > 80,
        "only {} queries were seen",
        queries.len()
    );
    let found: Vec<String> = queries
        .iter()
        .filter_map(|sql| costly(sql, &plan(&db, sql)))
        .collect();
    assert!(
        found.is_empty(),
        "\n{}\nGive the query an index, or say in ALLOWED why it may.",
        found.join("\n")
    );
}

#[test]
fn every_function_that_reads_is_among_those_whose_plans_are_looked_at() {
    let this = include_str!("plans.rs");
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/store")).unwrap() {
        let path = entry.unwrap().path();
        let module = path.file_stem().unwrap().to_string_lossy().into_owned();
        if path.is_dir()
            || ["check", "migrate", "backup", "mod", "tests"].contains(&module.as_str())
        {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for part in text.split("\npub fn ").skip(1) {
            let (name, rest) = part.split_once('(').unwrap();
            let name = name.split('<').next().unwrap();
            assert!(
                !rest.trim_start().starts_with("db: &Db")
                    || this.contains(&format!("{module}::{name}(")),
                "call {module}::{name} in read_everything"
            );
        }
    }
}
