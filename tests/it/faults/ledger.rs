//! Messages that slipped through, whatever the reason, are found by holding the ledger against the server.

use mailhatch::model::{Fate, FolderId, FolderRole, LedgerCheck, TakeFrom};
use mailhatch::store::{self, check, ledger_checks};
use mailhatch::work::{PollStep, Poller, connect, poll_step, wake::Wake};
use mailhatch_simulator::faults::{Action, Point};

use super::field::Field;
use crate::support::stage::{Stage, mail as write};

const DAY: i64 = 86_400;

fn inbox(stage: &Stage, id: mailhatch::model::MailboxId) -> FolderId {
    let found = stage
        .services
        .store
        .read(|db| store::folders::find_by_role(db, id, FolderRole::Inbox));
    found.unwrap().unwrap().id
}

fn look(field: &Field) -> LedgerCheck {
    let id = inbox(&field.stage, field.id);
    let found = field
        .stage
        .services
        .store
        .read(|db| ledger_checks::find(db, id));
    found.unwrap().unwrap()
}

/// Somebody asks for a comparison.
fn ask(field: &Field) {
    let (id, now) = (inbox(&field.stage, field.id), field.stage.clock.now());
    field
        .stage
        .services
        .store
        .write(|tx| ledger_checks::upsert_due(tx, id, now))
        .unwrap();
}

fn execute(field: &Field, sql: &str) {
    let changed = field
        .stage
        .services
        .store
        .write(|tx| Ok::<_, store::Error>(tx.execute(sql, [])?));
    assert!(changed.unwrap() > 0, "{sql}");
}

/// Delivers so many messages and lets the cursor jump over them, as no part of the program would.
fn slip_through(field: &Field, count: usize) -> Vec<u32> {
    let uids: Vec<u32> = (0..count).map(|_| field.deliver_sized(40)).collect();
    let next = uids.last().unwrap() + 1;
    execute(
        field,
        &format!("UPDATE folders SET next_uid = {next} WHERE role = 'inbox'"),
    );
    field.stage.receives(field.id, 0);
    uids
}

fn differing(field: &Field) -> usize {
    let found = field
        .stage
        .services
        .store
        .read(ledger_checks::list_differing);
    found.unwrap().len()
}

#[test]
fn messages_that_slipped_through_are_named_and_fetched_within_a_day() {
    let field = Field::new();
    field.deliver(2);
    field.stage.receives(field.id, 2);
    let lost = slip_through(&field, 3);
    assert_eq!(look(&field).last, None, "it is not compared at every poll");
    field.stage.clock.advance(DAY);
    field.stage.receives(field.id, 3);
    let check = look(&field);
    let (_, found) = check.last.unwrap();
    assert!(found.agrees(), "{found:?}");
    assert_eq!((found.server_count, found.gone_count), (5, 0));
    let recovered = check.recovered.unwrap();
    assert_eq!((recovered.count, recovered.uids), (3, lost));
    assert_eq!((check.differs_since_at, differing(&field)), (None, 0));
    assert_eq!(field.stage.fates(field.id, Fate::Received), 5);
    field.everything_once();
}

#[test]
fn a_thousand_and_more_that_slipped_through_are_fetched_in_turns_with_new_mail_between() {
    let field = Field::new();
    slip_through(&field, 1_010);
    ask(&field);
    field.stage.receives(field.id, 1_000);
    let check = look(&field);
    let (_, found) = check.last.clone().unwrap();
    assert_eq!((found.missing_count, found.missing.len()), (10, 10));
    assert!(check.differs_since_at.is_some());
    field.deliver(1);
    field.stage.receives(field.id, 11);
    let check = look(&field);
    assert!(check.last.unwrap().1.agrees());
    let recovered = check.recovered.unwrap();
    assert_eq!((recovered.count, recovered.uids.len()), (1_010, 100));
    field.everything_once();
}

#[test]
fn rows_deleted_from_the_ledger_by_hand_are_written_again_and_nothing_comes_twice() {
    let field = Field::new();
    field.deliver(4);
    field.stage.receives(field.id, 4);
    execute(
        &field,
        "DELETE FROM fates WHERE uid IN (SELECT uid FROM fates ORDER BY uid LIMIT 2)",
    );
    ask(&field);
    field.stage.receives(field.id, 0);
    let check = look(&field);
    assert!(check.last.unwrap().1.agrees());
    assert_eq!(check.recovered.unwrap().count, 2);
    assert_eq!(field.stage.fates(field.id, Fate::Duplicate), 2);
    field.everything_once();
}

#[test]
fn the_daily_comparison_keeps_its_time_over_a_restart_and_comes_once_a_day() {
    let mut field = Field::new();
    let due = look(&field).due_at - field.stage.clock.now();
    assert!((3_600..=DAY).contains(&due), "{due}");
    field.stage.restart();
    field.stage.receives(field.id, 0);
    assert_eq!(look(&field).due_at - field.stage.clock.now(), due);
    field.stage.clock.advance(due - 1);
    field.stage.receives(field.id, 0);
    assert_eq!(look(&field).last, None);
    field.stage.clock.advance(1);
    field.stage.receives(field.id, 0);
    let check = look(&field);
    let (at, found) = check.last.unwrap();
    assert_eq!(at, field.stage.clock.now());
    assert!(found.agrees());
    let next = check.due_at - at;
    assert!((DAY - 3_600..=DAY).contains(&next), "{next}");
    // A clock that was set back must not put it off.
    field.stage.clock.jump(-90 * DAY);
    field.stage.receives(field.id, 0);
    assert_eq!(look(&field).last.unwrap().0, field.stage.clock.now());
}

#[test]
fn a_session_that_breaks_while_slipped_messages_are_fetched_leaves_them_named_and_due() {
    let field = Field::new();
    let lost = slip_through(&field, 3);
    ask(&field);
    field.once(Point::ImapBody, Action::Close);
    field.fails("connection_closed", "closed");
    let check = look(&field);
    let (_, found) = check.last.clone().unwrap();
    assert_eq!((found.missing_count, found.missing.clone()), (3, lost));
    assert!(
        found
            .verdict()
            .contains("3 messages at the server have no fate")
    );
    assert_eq!(differing(&field), 1, "the alert can see it");
    assert!(check.is_due(field.stage.clock.now()), "it is not over");
    field.recovers(3);
    assert_eq!(differing(&field), 0);
    field.everything_once();
}

#[test]
fn a_comparison_cut_off_in_the_middle_is_made_again() {
    let field = Field::new();
    slip_through(&field, 1);
    ask(&field);
    field.once(Point::ImapSearch, Action::Close);
    // Sent Items lists nothing new, so that the only listing is the comparison's.
    field.fails("connection_closed", "closed");
    assert_eq!(look(&field).last, None);
    field.recovers(1);
    assert!(look(&field).last.unwrap().1.agrees());
    field.everything_once();
}

#[test]
fn what_was_deleted_on_the_server_is_counted_and_alarms_nobody() {
    let field = Field::new();
    field.deliver(3);
    field.stage.receives(field.id, 3);
    let world = field.stage.simulator.world();
    let uid = world.folder(field.address(), "INBOX")[1].uid;
    assert!(world.remove(field.address(), "INBOX", uid));
    ask(&field);
    field.stage.receives(field.id, 0);
    let (_, found) = look(&field).last.unwrap();
    assert!(found.agrees());
    assert_eq!((found.server_count, found.gone_count), (2, 1));
    assert!(
        found
            .besides()
            .contains("1 message seen earlier has since been moved")
    );
    assert_eq!(differing(&field), 0);
}

#[test]
fn a_server_that_counts_more_than_it_lists_differs_and_no_uid_is_made_up() {
    let field = Field::new();
    field.deliver(3);
    field.stage.receives(field.id, 3);
    ask(&field);
    // The listing of the comparison comes back empty.
    field.says(Point::ImapSearch, "OK SEARCH completed.");
    field.stage.receives(field.id, 0);
    let check = look(&field);
    let (_, found) = check.last.clone().unwrap();
    assert_eq!((found.unlisted_count, found.missing_count), (3, 0));
    assert!(
        found
            .verdict()
            .contains("counts 3 messages more than it lists"),
        "{found:?}"
    );
    assert_eq!(check.differs_since_at, Some(field.stage.clock.now()));
    assert_eq!(differing(&field), 1);
    field.stage.clock.advance(DAY);
    field.stage.receives(field.id, 0);
    assert_eq!(differing(&field), 0, "the next one is complete");
    field.everything_once();
}

#[test]
fn mail_that_arrives_during_a_comparison_is_received_and_no_difference() {
    let field = Field::new();
    field.deliver(1);
    field.stage.receives(field.id, 1);
    ask(&field);
    let mut poller = Poller::default();
    // While the listing is on its way another message arrives.
    let wait = std::time::Duration::from_millis(700);
    field.once(Point::ImapSearch, Action::Delay(wait));
    std::thread::scope(|scope| {
        let services = &field.stage.services;
        let (id, poller) = (field.id, &mut poller);
        let polled = scope.spawn(move || poll_step(services, poller, id, &Wake::default()));
        crate::support::stage::until("the listing is asked for", || {
            field.stage.simulator.faults().count() == 0
        });
        field.deliver(1);
        let step = polled.join().unwrap();
        assert!(matches!(step, PollStep::Synced(_)), "{step:?}");
    });
    let _ = field.stage.poll(field.id);
    let (_, found) = look(&field).last.unwrap();
    assert!(found.agrees(), "{found:?}");
    field.everything_once();
}

#[test]
fn mail_older_than_what_was_chosen_is_outside_and_said_to_be() {
    let stage = Stage::new();
    let world = stage.simulator.world();
    let old = write("a@shop.example", "Old", "old@shop.example", "", "old");
    let at = stage.clock.now() - 90 * DAY;
    for _ in 0..2 {
        world.deliver_at(&stage.demo.support_address, &old, at);
    }
    let id = stage.consent("", &stage.demo.support_upn);
    connect::choose(&stage.services, id, TakeFrom::New, 0).unwrap();
    stage.clock.advance(60);
    let new = write("a@shop.example", "New", "new@shop.example", "", "new");
    world.deliver(&stage.demo.support_address, &new);
    stage.receives(id, 1);
    stage.clock.advance(DAY);
    stage.receives(id, 0);
    let folder = inbox(&stage, id);
    let check = stage
        .services
        .store
        .read(|db| ledger_checks::find(db, folder));
    let (_, found) = check.unwrap().unwrap().last.unwrap();
    assert_eq!((found.outside_count, found.server_count), (2, 1));
    assert!(found.agrees());
    assert!(
        found.besides().contains("2 messages are older"),
        "{}",
        found.besides()
    );
}

#[test]
fn what_stops_messages_stored_one_by_one_leaves_no_fate_beyond_the_cursor() {
    let field = Field::new();
    field.deliver(3);
    let uids: Vec<u32> = field
        .stage
        .simulator
        .world()
        .folder(field.address(), "INBOX")
        .iter()
        .map(|stored| stored.uid)
        .collect();
    // The second message cannot be stored, and not even that it cannot.
    for sql in [
        "CREATE TRIGGER no_message BEFORE INSERT ON messages WHEN NEW.subject = 'Lamp 1'
         BEGIN SELECT RAISE(ABORT, 'not this one'); END"
            .to_owned(),
        format!(
            "CREATE TRIGGER no_fate BEFORE INSERT ON fates WHEN NEW.uid = {}
             BEGIN SELECT RAISE(ABORT, 'not this one'); END",
            uids[1]
        ),
    ] {
        let store = &field.stage.services.store;
        store
            .write(|tx| Ok::<_, store::Error>(tx.execute_batch(&sql)?))
            .unwrap();
    }
    field.fails("database_error", "refused");
    assert_eq!(field.stored("incoming").len(), 1, "the first is stored");
    let broken = field.stage.services.store.read(check::run).unwrap();
    assert_eq!(broken, Vec::<String>::new());
    field
        .stage
        .services
        .store
        .write(|tx| {
            Ok::<_, store::Error>(
                tx.execute_batch("DROP TRIGGER no_message; DROP TRIGGER no_fate;")?,
            )
        })
        .unwrap();
    field.recovers(2);
    field.everything_once();
}

#[test]
fn a_message_too_big_to_be_taken_says_what_it_is() {
    let field = Field::new();
    field.deliver(1);
    field.stage.receives(field.id, 1);
    execute(
        &field,
        "UPDATE fates SET fate = 'too_big', message_id = NULL",
    );
    let asked = |field: &Field| {
        let id = inbox(&field.stage, field.id);
        let found = field.stage.services.store.read(|db| {
            let validity = store::folders::list(db, field.id)?[0]
                .cursor
                .unwrap()
                .uid_validity;
            store::fates::list_needing_person(db, id, validity, store::fates::Needing::default(), 9)
        });
        found.unwrap().remove(0)
    };
    // The session breaks at the question: it is not asked again and again.
    field.once(Point::ImapBody, Action::Close);
    field.fails("connection_closed", "closed");
    field.stage.receives(field.id, 0);
    assert!(asked(&field).label.is_empty());
    execute(&field, "UPDATE fates SET asked_at = NULL");
    field.stage.receives(field.id, 0);
    let label = asked(&field).label;
    assert_eq!(label.internet_message_id, "message-0@shop.example");
    assert_eq!(label.subject, "Lamp 0");
    assert_eq!(label.sender, "customer0@shop.example");
    assert_eq!(label.sent_at, Some(1_800_000_000));
}
