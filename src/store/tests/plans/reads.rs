//! Every function of the store that reads, called once.

use super::*;

/// Calls every function that reads alerts or finds their causes.
pub(super) fn read_alerts(db: &Connection) {
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
pub(super) fn read_folders(db: &Connection) {
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
pub(super) fn read_everything(db: &Connection, sealer: &Sealer) {
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
    deliveries::find_accepted_before(db, mailbox, 9).unwrap();
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
pub(super) fn read_ledger(db: &Connection, folder: FolderId, message: MessageId) {
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
pub(super) fn search_everything(db: &Connection) {
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
pub(super) fn read_leaving(
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
pub(super) fn read_backfills(
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
