//! What is in the mailbox is not as it should be: uids come again or mean something else, messages are
//! listed and not given, folders have other names, sizes are wrong.

use mailhatch::clock::Clock;
use mailhatch::model::{DeliveryState, Fate, FolderRole};
use mailhatch::store;
use mailhatch::work::wake::Wake;
use mailhatch::work::{PollStep, Poller, poll_step};
use mailhatch_simulator::faults::Point;
use mailhatch_simulator::world::{Flag, Role, WrongSize};

use super::field::Field;
use crate::support::stage::{NOW, mail as write};

const DAY: i64 = 86_400;

fn sent_folder(field: &Field) -> Option<String> {
    let found = field
        .stage
        .services
        .store
        .read(|db| store::folders::find_by_role(db, field.id, FolderRole::Sent));
    found.unwrap().map(|folder| folder.raw_name)
}

#[test]
fn another_uidvalidity_brings_no_message_twice_and_loses_none() {
    let field = Field::new();
    field.deliver(10);
    field.stage.receives(field.id, 10);
    let world = field.stage.simulator.world();
    field.deliver(1);
    world.change_uid_validity(field.address(), "INBOX");
    field.deliver(1);
    field.stage.receives(field.id, 2);
    assert_eq!(field.stage.fates(field.id, Fate::Duplicate), 10);
    field.everything_once();
}

#[test]
fn uids_that_a_restored_mailbox_gives_a_second_time_are_new_messages() {
    let field = Field::new();
    field.deliver(10);
    field.stage.receives(field.id, 10);
    let world = field.stage.simulator.world();
    let sixth = world.folder(field.address(), "INBOX")[5].uid;
    world.restore_folder(field.address(), "INBOX", sixth);
    field.deliver(3);
    field.stage.receives(field.id, 3);
    assert_eq!(field.stage.fates(field.id, Fate::Duplicate), 5);
    field.everything_once();
}

#[test]
fn a_message_that_is_listed_and_not_given_is_asked_for_again() {
    let field = Field::new();
    field.deliver(3);
    let world = field.stage.simulator.world();
    let uid = world.folder(field.address(), "INBOX")[1].uid;
    world.set_unfetchable(field.address(), "INBOX", uid, true);
    field.stage.receives(field.id, 2);
    assert_eq!(field.stage.fates(field.id, Fate::Absent), 1);
    world.set_unfetchable(field.address(), "INBOX", uid, false);
    field.stage.clock.advance(61);
    field.stage.receives(field.id, 1);
    field.everything_once();
}

#[test]
fn a_message_that_was_deleted_before_it_was_read_needs_no_person() {
    let field = Field::new();
    field.deliver(1);
    field.stage.receives(field.id, 1);
    let world = field.stage.simulator.world();
    let raw = write("mia@shop.example", "Gone", "gone@shop.example", "", "Gone");
    world.deliver(field.address(), &raw);
    let uid = world.folder(field.address(), "INBOX")[1].uid;
    world.set_unfetchable(field.address(), "INBOX", uid, true);
    field.stage.receives(field.id, 0);
    assert_eq!(field.stage.fates(field.id, Fate::Absent), 1);
    world.remove(field.address(), "INBOX", uid);
    field.stage.clock.advance(61);
    field.stage.receives(field.id, 0);
    assert_eq!(field.stage.fates(field.id, Fate::Absent), 0);
    assert_eq!(field.stage.fates(field.id, Fate::Ignored), 1);
    field.everything_once();
}

#[test]
fn a_stand_in_is_not_taken_for_the_message() {
    let field = Field::new();
    field.deliver(3);
    let world = field.stage.simulator.world();
    let uid = world.folder(field.address(), "INBOX")[1].uid;
    world.set_stub(field.address(), "INBOX", uid, true);
    field.stage.receives(field.id, 2);
    assert_eq!(field.stage.fates(field.id, Fate::Stub), 1);
    world.set_stub(field.address(), "INBOX", uid, false);
    field.stage.clock.advance(61);
    field.stage.receives(field.id, 1);
    field.everything_once();
}

#[test]
fn a_message_moved_away_and_back_is_there_once() {
    let field = Field::new();
    field.deliver(2);
    field.stage.receives(field.id, 2);
    let world = field.stage.simulator.world();
    let stored = world.folder(field.address(), "INBOX")[0].clone();
    world.remove(field.address(), "INBOX", stored.uid);
    field.stage.receives(field.id, 0);
    world.append(field.address(), "INBOX", &stored.raw, true);
    field.stage.receives(field.id, 0);
    assert_eq!(field.stage.fates(field.id, Fate::Duplicate), 1);
    field.everything_once();
}

#[test]
fn a_message_moved_away_before_it_was_read_is_received_when_it_comes_back() {
    let field = Field::new();
    field.deliver(2);
    let world = field.stage.simulator.world();
    let stored = world.folder(field.address(), "INBOX")[0].clone();
    world.remove(field.address(), "INBOX", stored.uid);
    field.stage.receives(field.id, 1);
    world.append(field.address(), "INBOX", &stored.raw, true);
    field.stage.receives(field.id, 1);
    field.everything_once();
}

#[test]
fn what_another_program_has_marked_as_read_is_received_all_the_same() {
    let field = Field::new();
    field.deliver(2);
    let world = field.stage.simulator.world();
    let uid = world.folder(field.address(), "INBOX")[0].uid;
    world.set_flag(field.address(), "INBOX", uid, Flag::Seen, true);
    field.stage.receives(field.id, 2);
    let flags = world.folder(field.address(), "INBOX")[1].flags.clone();
    assert!(flags.is_empty(), "and nothing is marked by us: {flags:?}");
    field.everything_once();
}

#[test]
fn messages_that_vanish_while_they_are_fetched_do_not_keep_the_others() {
    let field = Field::new();
    field.deliver(3);
    field.says(
        Point::ImapBody,
        "NO Some of the requested messages no longer exist.",
    );
    field.stage.receives(field.id, 3);
    field.everything_once();
}

#[test]
fn a_renamed_sent_folder_is_found_again_and_holds_up_no_mail() {
    let field = Field::new();
    let queued = field.asked();
    field.all_leave();
    field.stage.receives(field.id, 0);
    let world = field.stage.simulator.world();
    let sent = world.folder_name(field.address(), Role::Sent).unwrap();
    world.rename_folder(field.address(), &sent, "Gesendete Elemente");
    field.deliver(1);
    field.stage.receives(field.id, 1);
    assert_eq!(sent_folder(&field).as_deref(), Some("Gesendete Elemente"));
    assert_eq!(field.delivery(queued).state, DeliveryState::Sent);
    field.everything_once();
}

#[test]
fn a_sent_folder_that_cannot_be_opened_holds_up_no_mail() {
    let field = Field::new();
    field.deliver(1);
    // The first EXAMINE is that of Sent Items.
    field.says(Point::ImapSelect, "NO Server Unavailable. 15");
    field.stage.receives(field.id, 1);
    field.everything_once();
}

#[test]
fn a_message_at_which_the_server_hangs_up_is_set_aside_and_the_others_come() {
    let field = Field::new();
    field.deliver(5);
    let world = field.stage.simulator.world();
    let uid = world.folder(field.address(), "INBOX")[2].uid;
    world.set_breaks(field.address(), "INBOX", uid, true);
    let mut poller = Poller::default();
    for _ in 0..6 {
        let (services, wake) = (
            &field.stage.services,
            mailhatch::work::wake::Wake::default(),
        );
        let _ = mailhatch::work::poll_step(services, &mut poller, field.id, &wake);
    }
    assert_eq!(field.stored("incoming").len(), 4, "the others have come");
    assert_eq!(field.stage.fates(field.id, Fate::Unreadable), 1);
    let rows = field.stage.services.store.read(|db| {
        let inbox = store::folders::find_by_role(db, field.id, FolderRole::Inbox)?.unwrap();
        let validity = inbox.cursor.unwrap().uid_validity;
        store::fates::list_needing_person(db, inbox.id, validity, Default::default(), 10)
    });
    let row = rows.unwrap().remove(0);
    assert_eq!(row.uid, uid);
    assert!(row.detail.contains("closed the connection"), "{row:?}");
    world.set_breaks(field.address(), "INBOX", uid, false);
    field.stage.clock.advance(61);
    field.stage.receives(field.id, 1);
    field.everything_once();
}

#[test]
fn sizes_told_far_too_small_are_not_believed() {
    let field = Field::new();
    let world = field.stage.simulator.world();
    world.set_quirks(|quirks| {
        quirks.wrong_size = WrongSize::All {
            times: 1,
            by: 1_000,
        }
    });
    for _ in 0..12 {
        field.deliver_attachment(1_000_000);
    }
    field.stage.receives(field.id, 12);
    field.everything_once();
}

#[test]
fn a_batch_that_is_far_larger_than_was_told_is_fetched_message_by_message() {
    let field = Field::new();
    let world = field.stage.simulator.world();
    world.set_quirks(|quirks| {
        quirks.wrong_size = WrongSize::All {
            times: 1,
            by: 1_000,
        }
    });
    for _ in 0..5 {
        field.deliver_attachment(4_000_000);
    }
    let mut poller = Poller::default();
    let mut poll = || {
        poll_step(
            &field.stage.services,
            &mut poller,
            field.id,
            &Wake::default(),
        )
    };
    match poll() {
        PollStep::Failed(problem) => {
            assert_eq!(
                (problem.code.as_str(), problem.wait_seconds()),
                ("answer_too_big", 1)
            );
        }
        other => panic!("20 MB in one answer: {other:?}"),
    }
    assert_eq!(poll(), PollStep::Synced(5));
    field.everything_once();
}

#[test]
fn sizes_told_far_too_large_are_not_believed() {
    let field = Field::new();
    field.deliver(30);
    let world = field.stage.simulator.world();
    for stored in world.folder(field.address(), "INBOX") {
        world.set_reported_size(field.address(), "INBOX", stored.uid, u32::MAX);
    }
    field.stage.receives(field.id, 30);
    field.everything_once();
}

#[test]
fn a_huge_message_comes_whole_and_the_small_ones_around_it_too() {
    let field = Field::new();
    field.deliver(2);
    field.deliver_attachment(20_000_000);
    field.deliver(2);
    field.stage.receives(field.id, 5);
    field.everything_once();
}

#[test]
fn mail_of_an_outage_of_weeks_comes_whole() {
    let field = Field::new();
    field.deliver(1);
    field.stage.receives(field.id, 1);
    for _ in 0..4 {
        field.stage.clock.advance(7 * DAY);
        field.deliver(60);
    }
    field.stage.receives(field.id, 240);
    field.everything_once();
}

#[test]
fn a_mailbox_first_read_after_weeks_takes_what_came_since_it_was_connected() {
    let field = Field::unread(Clock::hand(NOW));
    field.deliver(20);
    field.stage.clock.advance(30 * DAY);
    field.deliver(20);
    field.stage.receives(field.id, 40);
    field.everything_once();
}
