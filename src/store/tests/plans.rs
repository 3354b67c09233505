//! How SQLite would run every query of the store: by an index, and without sorting a table that grows.

mod reads;
mod writes;

use reads::{read_alerts, read_everything, search_everything};
use writes::write_everything;

use std::sync::{Arc, Mutex};

use rusqlite::trace::{TraceEvent, TraceEventCodes};
use rusqlite::{Connection, TransactionBehavior, params_from_iter};

use super::{folder, rows};
use crate::model::search::document::Document;
use crate::model::search::expression::Scope;
use crate::model::search::query::{Wanted, parse};
use crate::model::{
    Address, AgentId, AlertChannel, AlertId, AttachmentId, BackfillId, Comparison, ContactId,
    ConversationId, Cursor, Delivery, DeliveryId, EventKind, Fate, FolderId, FolderRole,
    InboxQuery, Kind, Label, MailboxId, MessageId, MoveTarget, PlacedBy, Recipients, SessionId,
    Status, StoppedBy, View, WayOut,
};
use crate::problem::{Disposition, Problem};
use crate::secret::Sealer;
use crate::store::deliveries::leaving;
use crate::store::fates::Verdict;
use crate::store::{
    Tx, agents, alerts, attachments, backfills, contacts, conversations, credentials, deliveries,
    derived, events, fates, folders, inbox, ledger_checks, mailboxes, messages, notes, oauth_flows,
    picture_senders, results, search, sessions, settings, sign_in_failures, threads, traces, views,
    write_backs,
};

/// Tables that hold a few rows however much mail there is; reading or sorting them whole is nothing.
const SMALL: &[&str] = &[
    "agents",
    "backfills",
    "backfill_folders",
    "mailboxes",
    "folders",
    "ledger_checks",
    "credentials",
    "settings",
    "sessions",
    "oauth_flows",
    "write_back_settings",
];

/// Tables that grow with the mail.
const GROWING: &[&str] = &[
    "alert_notices",
    "alerts",
    "attachments",
    "attempts",
    "backfilled_messages",
    "blobs",
    "contacts",
    "conversations",
    "deliveries",
    "events",
    "fates",
    "message_search",
    "messages",
    "note_search",
    "notes",
    "picture_senders",
    "raw_messages",
    "sign_in_failures",
    "thread_ids",
    "views",
    "write_backs",
];

/// Indexes that hold only what is not finished: reading one whole is reading a few rows.
const UNFINISHED: &[&str] = &[
    "USING INDEX deliveries_unfinished",
    "USING INDEX alerts_open",
    "USING INDEX alert_notices_due",
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

const VIEWS: [View; 6] = [
    View::Open,
    View::Mine,
    View::Unassigned,
    View::Waiting,
    View::Closed,
    View::Spam,
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
        // These indexes hold only what is not finished.
        let reads_all = reads_all && !UNFINISHED.iter().any(|index| step.ends_with(index));
        // FTS5 asked for words (M) or a row (=): what it reads it finds.
        let is_found =
            step.contains(" VIRTUAL TABLE INDEX ") && (step.contains(":M") || step.contains(":="));
        let reads_all = reads_all && !is_found && !step.ends_with("INDEX notes_to_index");
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
    search_everything(&db);
    read_alerts(&db);
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
    let this = include_str!("plans/reads.rs");
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
