//! Every function of the store that changes rows, called once.

use super::*;

/// Calls every function that changes rows while mail comes and goes.
pub(super) fn write_everything(tx: &Tx<'_>, sealer: &Sealer) {
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
    deliveries::update_effective_id(tx, delivery.id, "given@example.org").unwrap();
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
pub(super) fn write_alerts(tx: &Tx<'_>) {
    let mut cause = alerts::find(tx, AlertId(1)).unwrap().unwrap().cause;
    "disk".clone_into(&mut cause.key);
    let id = alerts::insert(tx, &cause, "p3", &[AlertChannel::Webhook], 3).unwrap();
    alerts::update_cause(tx, id, &cause).unwrap();
    assert_eq!(alerts::claim_due(tx, 3, 9, |_| 9).unwrap().len(), 2);
    alerts::update_closed(tx, id, false, 4).unwrap();
    alerts::update_dropped(tx, AlertChannel::Webhook).unwrap();
}

/// Calls every function that the ledger writes with.
pub(super) fn write_ledger(tx: &Tx<'_>, folder: FolderId) {
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
pub(super) fn write_leaving(tx: &Tx<'_>, delivery: &Delivery, message: MessageId) {
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
    deliveries::update_effective_id(tx, delivery.id, "f@x").unwrap();
    deliveries::update_from_future(tx, delivery.mailbox_id, 9).unwrap();
    let packed = messages::Packed::pack(b"x").unwrap();
    messages::update_sent(tx, message, &[9; 32], &packed, 9).unwrap();
    mailboxes::update_smtp_size(tx, delivery.mailbox_id, Some(9)).unwrap();
    mailboxes::update_resumed(tx, delivery.mailbox_id, 9).unwrap();
}

/// Calls every function that changes rows while older mail comes.
pub(super) fn write_older(
    tx: &Tx<'_>,
    mailbox: MailboxId,
    conversation: ConversationId,
    folder: FolderId,
) {
    contacts::upsert_older(tx, &Address::new("C", "customer@example.org"), 3).unwrap();
    threads::update_mention(tx, mailbox, "e@x", conversation).unwrap();
    conversations::update_set_apart(tx, conversation).unwrap();
    let (contact, begun_at) = (ContactId(1), 1);
    conversations::update_beginning(tx, conversation, contact, "Hello", begun_at).unwrap();
    backfills::update_progress(tx, BackfillId(1), folder, 1, 1).unwrap();
    backfills::insert_message(tx, BackfillId(1), MessageId(2)).unwrap();
}

/// Calls every function of folders that are chosen, and of what is written back.
pub(super) fn write_back(tx: &Tx<'_>, mailbox: MailboxId, conversation: ConversationId) {
    let problem = Problem::new("x", Disposition::GiveUp, "x", "x");
    let target = MoveTarget {
        raw_name: "Done".to_owned(),
        name: "Done".to_owned(),
    };
    write_backs::update_settings(tx, mailbox, true, Some(&target)).unwrap();
    write_backs::delete_seen_since(tx, conversation, 9).unwrap();
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
pub(super) fn write_anew(
    tx: &Tx<'_>,
    mailbox: MailboxId,
    conversation: ConversationId,
    message: MessageId,
) {
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
