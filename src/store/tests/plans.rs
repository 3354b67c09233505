//! How SQLite would run every query of the store: by an index, and without sorting a table that grows.

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

/// Calls every function that reads alerts or finds their causes.
fn read_alerts(db: &Connection) {
    alerts::find(db, AlertId(1)).unwrap();
    alerts::list_open(db).unwrap();
    alerts::list_closed(db, None, 20).unwrap();
    alerts::list_notices(db, AlertId(1)).unwrap();
    alerts::find_last_told(db, AlertChannel::Mail).unwrap();
    alerts::count_due(db, AlertChannel::Mail).unwrap();
    alerts::list_ledger_trouble(db, 9).unwrap();
    alerts::list_delivery_trouble(db, 9, 50).unwrap();
}

/// Calls every function that reads of folders that are chosen and of what is written back.
fn read_folders(db: &Connection) {
    let (mailbox, folder) = (MailboxId(1), FolderId(1));
    let (conversation, message) = (ConversationId(1), MessageId(1));
    fates::is_only_in_junk(db, message).unwrap();
    fates::list_newest(db, folder, 7, 5).unwrap();
    messages::is_answered_since(db, conversation, 1).unwrap();
    write_backs::find_settings(db, mailbox).unwrap();
    write_backs::list_on(db).unwrap();
    write_backs::list_due(db, mailbox, 9, 100).unwrap();
    write_backs::next_due(db, mailbox).unwrap();
    write_backs::find_state(db, mailbox).unwrap();
    folders::find(db, folder).unwrap();
    folders::list(db, mailbox).unwrap();
    folders::find_by_role(db, mailbox, FolderRole::Inbox).unwrap();
}

/// Calls every function that reads.
fn read_everything(db: &Connection, sealer: &Sealer) {
    read_folders(db);
    let (agent, mailbox, folder) = (AgentId(1), MailboxId(1), FolderId(1));
    let (conversation, message, delivery) = (ConversationId(1), MessageId(1), DeliveryId(1));
    agents::count(db).unwrap();
    agents::list(db).unwrap();
    agents::find(db, agent).unwrap();
    agents::find_by_email(db, "ada@example.com").unwrap();
    agents::count_active_admins(db).unwrap();
    attachments::list(db, message).unwrap();
    let _ = attachments::find(db, AttachmentId(1));
    read_backfills(db, mailbox, conversation, folder);
    conversations::find(db, conversation).unwrap();
    conversations::list_of_contact(db, ContactId(1), conversation, 5).unwrap();
    conversations::revision(db).unwrap();
    conversations::list_changed(db, 0).unwrap();
    let _ = credentials::find(db, sealer, mailbox);
    credentials::list_stale(db, 9).unwrap();
    conversations::list_lately_with(db, mailbox, "customer@example.org", 0, 9).unwrap();
    conversations::is_untouched(db, conversation).unwrap();
    deliveries::find(db, delivery).unwrap();
    deliveries::list_sent_to(db, mailbox, "customer@example.org", 0, 9).unwrap();
    derived::list_stale(db, 1, 20).unwrap();
    derived::count_stale(db, 1).unwrap();
    derived::is_stale(db, message, 1).unwrap();
    derived::count(db).unwrap();
    deliveries::find_by_message(db, message).unwrap();
    deliveries::find_by_idempotency_key(db, "k").unwrap();
    deliveries::find_due_uncertain(db, mailbox, 9).unwrap();
    read_leaving(db, conversation, message, delivery);
    deliveries::list_outbox(db, 50).unwrap();
    deliveries::list_attempts(db, delivery).unwrap();
    deliveries::count_unfinished(db).unwrap();
    events::list(db, conversation).unwrap();
    fates::find(db, folder, 7, 1).unwrap();
    fates::list_due(db, folder, 7, 9).unwrap();
    fates::count(db, folder).unwrap();
    read_ledger(db, folder, message);
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
    settings::find_undo_seconds(db).unwrap();
    settings::find_secret(db, sealer, "none").unwrap();
    sign_in_failures::count(db, "ada@example.com", "127.0.0.1", 0).unwrap();
    threads::find(db, mailbox, "a@x").unwrap();
    threads::list_by_guid(db, mailbox, &[1; 16]).unwrap();
    threads::list_references(db, conversation).unwrap();
    views::is_unread(db, agent, conversation).unwrap();
    views::find_seen(db, agent, conversation).unwrap();
}

/// Calls every function that the ledger reads with.
fn read_ledger(db: &Connection, folder: FolderId, message: MessageId) {
    for dismissed in [false, true] {
        let which = fates::Needing {
            dismissed,
            below_uid: Some(9),
        };
        fates::list_needing_person(db, folder, 7, which, 50).unwrap();
    }
    fates::count_needing_person(db, folder).unwrap();
    fates::list_unnamed(db, folder, 7).unwrap();
    fates::list_of_message(db, message, 20).unwrap();
    fates::list_by_internet_message_id(db, "a@x", 20).unwrap();
    fates::find_differences(db, folder, 7, 1..9, &[1, 3]).unwrap();
    ledger_checks::find(db, folder).unwrap();
    ledger_checks::list_differing(db).unwrap();
    traces::list(db, "a@x").unwrap();
    traces::list(db, "b@x").unwrap();
}

/// Asks for conversations in every way there is.
fn search_everything(db: &Connection) {
    search::list_notes_to_index(db, 10).unwrap();
    inbox::find_row(db, AgentId(1), ConversationId(1)).unwrap();
    results::find_by_internet_message_id(db, &[MailboxId(1)], "a@x").unwrap();
    let today = chrono::NaiveDate::default();
    for question in [
        "hello -there note",
        "hello after:1970",
        "is:x status:open",
        "assignee:me",
        "status:open",
    ] {
        for all in [true, false] {
            let scope = Scope {
                mailboxes: vec![MailboxId(1)],
                all,
                today,
            };
            let wanted = |value| Wanted { value, not: false };
            let assignees = question
                .contains("assignee")
                .then(|| wanted(Some(AgentId(1))));
            let query = parse(question, today);
            let ask = results::Ask {
                query: &query,
                scope: &scope,
                assignees: assignees.into_iter().collect(),
                after_at: query.after.map(|_| 0),
                before_at: None,
                agent_id: AgentId(1),
                now: 9,
                skip: 0,
                limit: 10,
            };
            results::find(db, &ask).unwrap();
        }
    }
}

/// Calls every function that reads when and whether a reply leaves.
fn read_leaving(
    db: &Connection,
    conversation: ConversationId,
    message: MessageId,
    delivery: DeliveryId,
) {
    let mailbox = MailboxId(1);
    deliveries::has_from_future(db, mailbox, 9).unwrap();
    deliveries::count_attempts(db, mailbox, 0, 9).unwrap();
    deliveries::next_due_ms(db, mailbox).unwrap();
    deliveries::has_orphan(db, mailbox).unwrap();
    leaving::find_draft_html(db, message).unwrap();
    leaving::find_status_to_restore(db, delivery).unwrap();
    leaving::list_unless_answered(db, conversation).unwrap();
    leaving::find_next_size(db, mailbox, 9).unwrap();
    leaving::count_recipients(db, mailbox, 0, 9).unwrap();
    leaving::find_accepted_at(db, mailbox, 0, 9, 1).unwrap();
    leaving::list_refusals(db, mailbox, 0, 9).unwrap();
}

/// Calls every function that reads for a backfill.
fn read_backfills(
    db: &Connection,
    mailbox: MailboxId,
    conversation: ConversationId,
    folder: FolderId,
) {
    backfills::find(db, BackfillId(1)).unwrap();
    backfills::find_newest(db, mailbox).unwrap();
    backfills::find_covering(db, mailbox, 3).unwrap();
    backfills::list_running(db).unwrap();
    backfills::list_messages(db, conversation).unwrap();
    conversations::find_beginning(db, conversation).unwrap();
    conversations::is_set_apart(db, conversation).unwrap();
    fates::list_uids(db, folder, 7, "").unwrap();
    folders::has_passed(db, folder, 7, 1).unwrap();
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
    leaving::update_attempt_code(tx, attempt, "code").unwrap();
    write_leaving(tx, &delivery, message);
    let change = deliveries::Change::default();
    deliveries::update_state(
        tx,
        &delivery,
        crate::model::DeliveryState::Sending,
        &change,
        9,
    )
    .unwrap();
    let problem = crate::store::Error::Busy.to_problem();
    for of in [None, Some(mailbox)] {
        deliveries::update_interrupted(tx, of, &problem, 9).unwrap();
    }
    events::insert(tx, conversation, None, EventKind::Closed, "", 3).unwrap();
    fates::upsert(tx, folder, 7, 2, &verdict, 3).unwrap();
    write_ledger(tx, folder);
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
    write_older(tx, mailbox, conversation, folder);
    write_anew(tx, mailbox, conversation, message);
    write_alerts(tx);
    write_back(tx, mailbox, conversation);
}

/// Calls every function that opens, tells or ends an alert.
fn write_alerts(tx: &Tx<'_>) {
    let mut cause = alerts::find(tx, AlertId(1)).unwrap().unwrap().cause;
    "disk".clone_into(&mut cause.key);
    let id = alerts::insert(tx, &cause, "p3", &[AlertChannel::Webhook], 3).unwrap();
    alerts::update_cause(tx, id, &cause).unwrap();
    assert_eq!(alerts::claim_due(tx, 3, 9, |_| 9).unwrap().len(), 2);
    alerts::update_closed(tx, id, false, 4).unwrap();
    alerts::update_dropped(tx, AlertChannel::Webhook).unwrap();
}

/// Calls every function that the ledger writes with.
fn write_ledger(tx: &Tx<'_>, folder: FolderId) {
    for uid in [None, Some(2)] {
        fates::update_retry(tx, folder, 7, uid, 9).unwrap();
        fates::update_dismissed(tx, folder, 7, uid, 9).unwrap();
    }
    fates::update_asked(tx, folder, 7, 2, 9).unwrap();
    fates::update_label(tx, folder, 7, 2, &Label::default()).unwrap();
    let found = Comparison {
        uid_validity: 7,
        first_uid: 1,
        next_uid: 3,
        server_count: 2,
        outside_count: 0,
        unlisted_count: 0,
        gone_count: 0,
        missing_count: 1,
        missing: vec![2],
    };
    ledger_checks::upsert_due(tx, folder, 9).unwrap();
    ledger_checks::update_last(tx, folder, &found, 9, 3).unwrap();
    ledger_checks::update_recovered(tx, folder, &[2], true, 3).unwrap();
}

/// Calls every function that changes when and whether a reply leaves.
fn write_leaving(tx: &Tx<'_>, delivery: &Delivery, message: MessageId) {
    let plan = leaving::Plan {
        undo_until_ms: Some(9),
        scheduled_at: None,
        unless_answered: true,
        status_before: Status::Open,
        status_after: Status::Waiting,
        recipients: 1,
        draft_html: "",
    };
    leaving::update_plan(tx, delivery.id, &plan).unwrap();
    leaving::update_time(tx, delivery, Some(9), 9, true).unwrap();
    leaving::update_cancelled(tx, delivery, StoppedBy::Undo, "", 9).unwrap();
    leaving::update_replaced(tx, delivery, 9).unwrap();
    deliveries::update_from_future(tx, delivery.mailbox_id, 9).unwrap();
    let packed = messages::Packed::pack(b"x").unwrap();
    messages::update_sent(tx, message, &[9; 32], &packed, 9).unwrap();
    mailboxes::update_smtp_size(tx, delivery.mailbox_id, Some(9)).unwrap();
    mailboxes::update_resumed(tx, delivery.mailbox_id, 9).unwrap();
}

/// Calls every function that changes rows while older mail comes.
fn write_older(tx: &Tx<'_>, mailbox: MailboxId, conversation: ConversationId, folder: FolderId) {
    contacts::upsert_older(tx, &Address::new("C", "customer@example.org"), 3).unwrap();
    threads::update_mention(tx, mailbox, "e@x", conversation).unwrap();
    conversations::update_set_apart(tx, conversation).unwrap();
    let (contact, begun_at) = (ContactId(1), 1);
    conversations::update_beginning(tx, conversation, contact, "Hello", begun_at).unwrap();
    backfills::update_progress(tx, BackfillId(1), folder, 1, 1).unwrap();
    backfills::insert_message(tx, BackfillId(1), MessageId(2)).unwrap();
}

/// Calls every function of folders that are chosen, and of what is written back.
fn write_back(tx: &Tx<'_>, mailbox: MailboxId, conversation: ConversationId) {
    let problem = Problem::new("x", Disposition::GiveUp, "x", "x");
    let target = MoveTarget {
        raw_name: "Done".to_owned(),
        name: "Done".to_owned(),
    };
    write_backs::update_settings(tx, mailbox, true, Some(&target)).unwrap();
    write_backs::insert_seen(tx, conversation, 1).unwrap();
    write_backs::insert_moves(tx, conversation, 1).unwrap();
    let due = write_backs::list_due(tx, mailbox, 99, 10).unwrap();
    let act = due.first().unwrap();
    write_backs::update_uid(tx, act, 7).unwrap();
    write_backs::update_postponed(tx, mailbox, 100).unwrap();
    write_backs::update_failed(tx, act.id, &problem, Some(5), 3).unwrap();
    write_backs::update_failed(tx, act.id, &problem, None, 3).unwrap();
    write_backs::update_given_up(tx, mailbox, 3).unwrap();
    write_backs::update_finished(tx, act.id, 3).unwrap();
    write_backs::delete(tx, act.id).unwrap();
    write_backs::delete_given_up(tx, mailbox).unwrap();
    write_backs::delete_old(tx, mailbox, 3).unwrap();
    write_backs::update_problem(tx, mailbox, Some(&problem), 3).unwrap();
    write_backs::update_unable(tx, mailbox, &problem, 3).unwrap();
    let watched = folders::Watch {
        raw_name: "Orders",
        name: "Orders",
        junk: false,
        take_since_at: 0,
    };
    folders::insert_watched(tx, mailbox, watched, 3).unwrap();
    folders::update_sent(tx, mailbox, "Sent", "Sent").unwrap();
    folders::delete_sent_choice(tx, mailbox, "").unwrap();
    let all = folders::list(tx, mailbox).unwrap();
    let folder = all.last().unwrap();
    folders::update_problem(tx, folder, Some(&problem), 3).unwrap();
    folders::update_began(tx, folder.id, Some(3)).unwrap();
    folders::update_unwatched(tx, mailbox, folder.id).unwrap();
    folders::delete_unwatched(tx, mailbox, &folder.raw_name).unwrap();
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
    search::upsert(tx, message, &Document::of_note("Ada", "Hello")).unwrap();
    search::upsert_stored(tx, message).unwrap();
    search::upsert_note(tx, 1).unwrap();
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
