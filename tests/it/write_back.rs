//! What is written back to a mailbox where an administrator wants it: read marks, and mail of closed
//! conversations moved. A failure there touches nothing else.

use std::time::Duration;

use mailhatch::desk;
use mailhatch::model::{
    ConversationId, Fate, Leaves, MailboxId, MailboxStatus, MoveTarget, Status, View,
    WriteBackState,
};
use mailhatch::problem::Problem;
use mailhatch::store;
use mailhatch::work::wake::Wake;
use mailhatch::work::{WriteBackStep, write_back_step};
use mailhatch_simulator::faults::{Action, Point};
use mailhatch_simulator::world::{Flag, Stored};

use crate::support::stage::{Stage, mail as write, until};

const DONE: &str = "Erledigt/Größeres";

/// A mailbox with a folder to move to, whose mail has been received.
struct Desk {
    stage: Stage,
    id: MailboxId,
}

impl Desk {
    /// With so many questions, each a conversation.
    fn with(questions: usize) -> Self {
        let stage = Stage::new();
        let id = stage.connect();
        stage.receives(id, 0);
        let desk = Self { stage, id };
        let world = desk.stage.simulator.world();
        assert!(world.create_folder(desk.address(), DONE));
        for n in 0..questions {
            desk.ask(n);
        }
        desk.stage.receives(id, questions as u64);
        desk
    }

    fn address(&self) -> &str {
        &self.stage.demo.support_address
    }

    fn ask(&self, n: usize) {
        let from = format!("Mia {n} <mia{n}@shop.example>");
        let id = format!("question-{n}@shop.example");
        let raw = write(&from, &format!("Lamp {n}"), &id, "", "Does it burn?");
        let world = self.stage.simulator.world();
        assert!(world.deliver(self.address(), &raw));
    }

    fn set(&self, mark_read: bool, moving: bool) {
        let services = &self.stage.services;
        // As the server spells it.
        let target = MoveTarget {
            raw_name: "Erledigt/Gr&APYA3w-eres".to_owned(),
            name: DONE.to_owned(),
        };
        let target = moving.then_some(target);
        let set = |tx: &store::Tx<'_>| {
            store::write_backs::update_settings(tx, self.id, mark_read, target.as_ref())
        };
        services.store.write(set).unwrap();
    }

    /// Conversations in the order they were asked in.
    fn open(&self) -> Vec<ConversationId> {
        let mut open = self.stage.conversations(View::Open);
        open.sort();
        open
    }

    fn close(&self, id: ConversationId) {
        let (now, actor) = (self.stage.clock.now(), &self.stage.admin.agent);
        desk::close(&self.stage.services.store, now, actor, id).unwrap();
    }

    fn reopen(&self, id: ConversationId) {
        let (now, actor) = (self.stage.clock.now(), &self.stage.admin.agent);
        desk::reopen(&self.stage.services.store, now, actor, id).unwrap();
    }

    fn step(&self) -> WriteBackStep {
        write_back_step(&self.stage.services, self.id, &Wake::default()).unwrap()
    }

    /// As [`Desk::step`], after the pause in which people may think again.
    fn later(&self) -> WriteBackStep {
        self.stage
            .clock
            .advance(store::write_backs::GRACE_SECONDS + 1);
        self.step()
    }

    fn state(&self) -> WriteBackState {
        self.stage
            .services
            .store
            .read(|db| store::write_backs::find_state(db, self.id))
            .unwrap()
    }

    fn problem(&self) -> Option<Problem> {
        self.stage
            .services
            .store
            .read(|db| store::write_backs::find_settings(db, self.id))
            .unwrap()
            .problem
    }

    fn inbox(&self) -> Vec<Stored> {
        self.folder("INBOX")
    }

    fn folder(&self, name: &str) -> Vec<Stored> {
        self.stage.simulator.world().folder(self.address(), name)
    }

    fn says(&self, point: Point, words: &str) {
        let faults = self.stage.simulator.faults();
        faults.once(point, Action::Reply(words.to_owned()));
    }

    /// The mailbox receives and is well, whatever was refused.
    fn receives_on(&self, n: usize) {
        self.ask(n);
        self.stage.receives(self.id, 1);
        let mailbox = self.stage.mailbox(self.id);
        assert_eq!(
            (mailbox.status, mailbox.problem),
            (MailboxStatus::Active, None)
        );
    }
}

fn is_read(stored: &Stored) -> bool {
    stored.flags.contains(&Flag::Seen)
}

#[test]
fn nothing_is_written_back_unless_somebody_wants_it() {
    let desk = Desk::with(1);
    let number = desk.open()[0];
    desk.stage.reply(number, "Yes.");
    desk.close(number);
    assert_eq!(desk.later(), WriteBackStep::Resting);
    assert_eq!(desk.state(), WriteBackState::default());
    assert!(desk.inbox()[0].flags.is_empty());
    assert!(desk.folder(DONE).is_empty());
}

#[test]
fn answered_mail_is_marked_as_read_and_other_flags_stay() {
    let desk = Desk::with(2);
    desk.set(true, false);
    let world = desk.stage.simulator.world();
    let uid = desk.inbox()[0].uid;
    world.set_flag(desk.address(), "INBOX", uid, Flag::Flagged, true);
    desk.stage.reply(desk.open()[0], "Yes.");
    // An answer that is taken back at once has marked nothing yet.
    assert!(matches!(desk.step(), WriteBackStep::Nothing(Some(_))));
    assert_eq!(desk.later(), WriteBackStep::Worked(1));
    let inbox = desk.inbox();
    assert!(is_read(&inbox[0]) && inbox[0].flags.contains(&Flag::Flagged));
    assert!(inbox[1].flags.is_empty(), "nobody answered the other");
    assert_eq!(desk.state(), WriteBackState::default());
    // A reader who marks it as unread again is not contradicted by the next answer.
    world.set_flag(desk.address(), "INBOX", uid, Flag::Seen, false);
    desk.stage
        .reply(desk.stage.conversations(View::Waiting)[0], "Really.");
    desk.later();
    assert!(!is_read(&desk.inbox()[0]));
}

#[test]
fn an_answer_that_is_taken_back_leaves_the_mail_unread() {
    let desk = Desk::with(1);
    desk.set(true, false);
    let stage = &desk.stage;
    let until_ms = stage.clock.now_ms() + 10_000;
    let leaves = Leaves::AfterUndo { until_ms };
    let queued = stage.reply_to_leave(desk.open()[0], "Yes.", leaves, |_| {});
    let (services, agent) = (&stage.services, &stage.admin.agent);
    let work = &services.work;
    work.withdraw_delivery(services, queued.delivery_id, agent)
        .unwrap();
    assert_eq!(desk.later(), WriteBackStep::Nothing(None));
    assert!(!is_read(&desk.inbox()[0]));
}

#[test]
fn mail_of_a_closed_conversation_is_moved_and_nothing_is_doubled() {
    let desk = Desk::with(2);
    desk.set(true, true);
    desk.close(desk.open()[0]);
    assert_eq!(desk.later(), WriteBackStep::Worked(2));
    let (inbox, done) = (desk.inbox(), desk.folder(DONE));
    assert_eq!((inbox.len(), done.len()), (1, 1));
    assert!(is_read(&done[0]), "closing marks it as read, too");
    desk.stage.receives(desk.id, 0);
    assert_eq!(
        desk.stage.fates(desk.id, Fate::Received),
        2,
        "it is still known"
    );
    // Watched, the other folder brings what is known already.
    let watch = |tx: &store::Tx<'_>| {
        let watch = store::folders::Watch {
            raw_name: "Erledigt/Gr&APYA3w-eres",
            name: DONE,
            junk: false,
            take_since_at: 0,
        };
        store::folders::insert_watched(tx, desk.id, watch, desk.stage.clock.now())
    };
    desk.stage.services.store.write(watch).unwrap();
    desk.stage.receives(desk.id, 0);
    // What lies there already is moved nowhere when it is closed again.
    let closed = desk.stage.conversations(View::Closed)[0];
    desk.reopen(closed);
    desk.close(closed);
    assert_eq!(desk.later(), WriteBackStep::Worked(1), "marked, not moved");
    assert_eq!(desk.folder(DONE).len(), 1);
}

#[test]
fn a_reply_that_closes_marks_and_moves() {
    let desk = Desk::with(1);
    desk.set(true, true);
    desk.stage
        .reply_with(desk.open()[0], "Yes.", |draft| draft.then = Status::Closed);
    assert_eq!(desk.later(), WriteBackStep::Worked(2));
    assert!(desk.inbox().is_empty());
    assert!(is_read(&desk.folder(DONE)[0]));
}

#[test]
fn a_conversation_opened_again_in_time_keeps_its_mail_where_it_is() {
    let desk = Desk::with(1);
    desk.set(false, true);
    let number = desk.open()[0];
    desk.close(number);
    desk.reopen(number);
    assert_eq!(desk.later(), WriteBackStep::Worked(1), "dropped");
    assert_eq!(desk.inbox().len(), 1);
    desk.close(number);
    assert_eq!(desk.later(), WriteBackStep::Worked(1));
    assert_eq!((desk.inbox().len(), desk.folder(DONE).len()), (0, 1));
}

#[test]
fn what_somebody_else_moved_or_deleted_needs_nothing_more() {
    let desk = Desk::with(2);
    desk.set(true, true);
    for number in desk.open() {
        desk.close(number);
    }
    let world = desk.stage.simulator.world();
    let uids: Vec<u32> = desk.inbox().iter().map(|stored| stored.uid).collect();
    world.remove(desk.address(), "INBOX", uids[0]);
    world.move_message(desk.address(), "INBOX", uids[1], "Archive");
    assert_eq!(desk.later(), WriteBackStep::Worked(4));
    assert_eq!(desk.state(), WriteBackState::default());
    assert!(desk.folder(DONE).is_empty());
    desk.receives_on(9);
}

#[test]
fn a_refused_read_mark_is_tried_again_and_given_up_in_the_end_while_mail_comes() {
    let desk = Desk::with(1);
    desk.set(true, false);
    let no = Action::Reply("NO [NOPERM] You may not.".to_owned());
    desk.stage.simulator.faults().always(Point::ImapStore, no);
    desk.stage.reply(desk.open()[0], "Yes.");
    desk.later();
    assert_eq!(desk.state().waiting, 1);
    assert_eq!(desk.problem().unwrap().code, "imap_no_permission");
    for n in 1..7 {
        desk.receives_on(n);
        desk.stage.clock.advance(90_000);
        desk.step();
    }
    let state = desk.state();
    assert_eq!((state.waiting, state.given_up), (0, 1));
    assert_eq!(state.problem.unwrap().code, "imap_no_permission");
    // Tried again by hand, once the cause is gone.
    desk.stage.simulator.faults().clear();
    let now = desk.stage.clock.now();
    let again = |tx: &store::Tx<'_>| store::write_backs::update_given_up(tx, desk.id, now);
    assert_eq!(desk.stage.services.store.write(again).unwrap(), 1);
    assert_eq!(desk.step(), WriteBackStep::Worked(1));
    assert!(is_read(&desk.inbox()[0]));
    assert_eq!(
        (desk.state(), desk.problem()),
        (WriteBackState::default(), None)
    );
}

#[test]
fn one_message_that_cannot_be_moved_does_not_keep_the_others() {
    let desk = Desk::with(3);
    desk.set(false, true);
    for number in desk.open() {
        desk.close(number);
    }
    let full = "NO [OVERQUOTA] The mailbox is full.";
    // Refused for all, then for the first by itself.
    desk.says(Point::ImapMove, full);
    desk.says(Point::ImapMove, full);
    desk.later();
    assert_eq!((desk.inbox().len(), desk.folder(DONE).len()), (1, 2));
    assert_eq!(desk.problem().unwrap().code, "imap_over_quota");
    desk.receives_on(9);
    desk.stage.clock.advance(61);
    assert_eq!(desk.step(), WriteBackStep::Worked(1));
    assert_eq!((desk.inbox().len(), desk.folder(DONE).len()), (1, 3));
    assert_eq!(desk.problem(), None);
}

#[test]
fn a_folder_to_move_to_that_is_gone_is_named_and_the_mail_stays() {
    let desk = Desk::with(1);
    desk.set(false, true);
    desk.close(desk.open()[0]);
    desk.stage
        .simulator
        .world()
        .delete_folder(desk.address(), DONE);
    desk.later();
    let problem = desk.problem().unwrap();
    assert_eq!(problem.code, "move_target_gone");
    assert!(problem.sentence.contains(DONE), "{problem}");
    assert_eq!(desk.inbox().len(), 1);
    desk.receives_on(9);
}

#[test]
fn throttling_puts_everything_off_as_long_as_the_server_says() {
    let desk = Desk::with(1);
    desk.set(true, true);
    desk.close(desk.open()[0]);
    let words = "NO Request is throttled. Suggested Backoff Time: 120000 milliseconds";
    desk.says(Point::ImapStore, words);
    match desk.later() {
        WriteBackStep::Failed(problem) => assert_eq!(problem.wait_seconds(), 120),
        other => panic!("{other:?}"),
    }
    desk.receives_on(9);
    assert!(matches!(desk.step(), WriteBackStep::Nothing(Some(_))));
    desk.stage.clock.advance(121);
    assert_eq!(desk.step(), WriteBackStep::Worked(2));
    assert_eq!(desk.folder(DONE).len(), 1);
}

#[test]
fn a_session_cut_before_and_after_the_move_moves_once() {
    for point in [Point::ImapMove, Point::ImapMoved, Point::ImapStore] {
        let desk = Desk::with(2);
        desk.set(true, true);
        desk.close(desk.open()[0]);
        desk.stage.simulator.faults().once(point, Action::Close);
        assert!(
            matches!(desk.later(), WriteBackStep::Failed(_)),
            "{point:?}"
        );
        desk.receives_on(9);
        desk.stage.clock.advance(61);
        assert!(matches!(desk.step(), WriteBackStep::Worked(_)));
        assert_eq!(desk.folder(DONE).len(), 1, "{point:?}");
        assert_eq!(desk.inbox().len(), 2, "{point:?}");
        assert_eq!(desk.state(), WriteBackState::default());
    }
}

#[test]
fn a_server_that_cannot_be_reached_costs_no_act_a_try() {
    let mut desk = Desk::with(1);
    desk.set(true, false);
    desk.close(desk.open()[0]);
    let good = desk.stage.services.config.endpoints.imap.clone();
    let nowhere = Some("127.0.0.1:9".to_owned());
    desk.stage
        .reconfigure(|config| config.endpoints.imap = nowhere);
    for _ in 0..8 {
        desk.stage.clock.advance(90_000);
        assert!(matches!(desk.step(), WriteBackStep::Failed(_)));
    }
    desk.stage
        .reconfigure(|config| config.endpoints.imap = good);
    desk.stage.clock.advance(3_600);
    assert_eq!(desk.step(), WriteBackStep::Worked(1));
    assert!(is_read(&desk.inbox()[0]));
}

#[test]
fn without_move_a_message_is_copied_once_and_no_other_is_expunged() {
    let desk = Desk::with(2);
    let world = desk.stage.simulator.world();
    world.set_quirks(|quirks| quirks.offers_move = false);
    desk.set(false, true);
    let (first, second) = (desk.open()[0], desk.inbox()[1].uid);
    // Somebody else has marked another message as deleted and not expunged it.
    world.set_flag(desk.address(), "INBOX", second, Flag::Deleted, true);
    desk.close(first);
    // The copy is made, and its answer lost.
    let faults = desk.stage.simulator.faults();
    faults.once(Point::ImapMoved, Action::Close);
    assert!(matches!(desk.later(), WriteBackStep::Failed(_)));
    assert_eq!((desk.inbox().len(), desk.folder(DONE).len()), (2, 1));
    desk.stage.clock.advance(61);
    assert_eq!(desk.step(), WriteBackStep::Worked(1));
    let inbox = desk.inbox();
    assert_eq!((inbox.len(), inbox[0].uid), (1, second), "the other stays");
    assert_eq!(desk.folder(DONE).len(), 1, "one copy");
}

#[test]
fn where_the_server_cannot_move_it_is_switched_off_and_said() {
    let desk = Desk::with(1);
    let world = desk.stage.simulator.world();
    world.set_quirks(|quirks| (quirks.offers_move, quirks.offers_uidplus) = (false, false));
    desk.set(true, true);
    desk.close(desk.open()[0]);
    desk.later();
    assert_eq!(desk.problem().unwrap().code, "imap_cannot_move");
    let settings = desk
        .stage
        .services
        .store
        .read(|db| store::write_backs::find_settings(db, desk.id))
        .unwrap();
    assert!(settings.mark_read && settings.move_to.is_none());
    assert!(is_read(&desk.inbox()[0]), "marking goes on");
    assert_eq!(desk.inbox().len(), 1);
    desk.receives_on(9);
}

#[test]
fn after_another_uidvalidity_the_right_message_is_marked() {
    let desk = Desk::with(3);
    desk.set(true, true);
    desk.close(desk.open()[1]);
    let world = desk.stage.simulator.world();
    world.change_uid_validity(desk.address(), "INBOX");
    // The folder has not been read anew yet: nothing is touched.
    desk.later();
    assert!(desk.inbox().iter().all(|stored| !is_read(stored)));
    desk.stage.receives(desk.id, 0);
    desk.stage.clock.advance(61);
    desk.step();
    desk.step();
    let (inbox, done) = (desk.inbox(), desk.folder(DONE));
    assert_eq!((inbox.len(), done.len()), (2, 1));
    assert!(String::from_utf8_lossy(&done[0].raw).contains("question-1@"));
    assert!(is_read(&done[0]) && inbox.iter().all(|stored| !is_read(stored)));
    assert_eq!(desk.state(), WriteBackState::default());
}

#[test]
fn what_is_not_wanted_any_more_is_dropped() {
    let desk = Desk::with(1);
    desk.set(true, true);
    desk.close(desk.open()[0]);
    desk.set(false, false);
    desk.set(true, true);
    assert!(matches!(desk.later(), WriteBackStep::Nothing(None)));
    assert_eq!(desk.inbox().len(), 1);
}

#[test]
fn a_paused_mailbox_is_not_written_to() {
    let desk = Desk::with(1);
    desk.set(true, false);
    desk.close(desk.open()[0]);
    let now = desk.stage.clock.now();
    let set = |status: MailboxStatus| {
        let store = &desk.stage.services.store;
        let change =
            |tx: &store::Tx<'_>| store::mailboxes::update_status(tx, desk.id, status, None, now);
        store.write(change).unwrap();
    };
    set(MailboxStatus::Paused);
    assert_eq!(desk.later(), WriteBackStep::Resting);
    set(MailboxStatus::Active);
    assert_eq!(desk.step(), WriteBackStep::Worked(1));
}

#[test]
fn the_loops_write_back_by_themselves_and_stop_at_once_when_a_server_hangs() {
    let stage = Stage::with(mailhatch::clock::Clock::System, &[]);
    let id = stage.connect();
    stage.receives(id, 0);
    let desk = Desk { stage, id };
    assert!(
        desk.stage
            .simulator
            .world()
            .create_folder(desk.address(), DONE)
    );
    desk.ask(1);
    desk.ask(2);
    desk.stage.receives(desk.id, 2);
    desk.set(true, true);
    // Closed a while ago, as far as the queue can tell.
    let past = desk.stage.clock.now() - 600;
    let actor = &desk.stage.admin.agent;
    let open = desk.open();
    mailhatch::desk::close(&desk.stage.services.store, past, actor, open[0]).unwrap();
    let running = desk.stage.run();
    until("it is moved", || desk.folder(DONE).len() == 1);
    let faults = desk.stage.simulator.faults();
    faults.once(Point::ImapMove, Action::Hang);
    mailhatch::desk::close(&desk.stage.services.store, past, actor, open[1]).unwrap();
    desk.stage.services.work.wake_write_back(desk.id);
    until("it hangs", || desk.stage.simulator.faults().count() == 0);
    let began = std::time::Instant::now();
    running.stop();
    assert!(began.elapsed() < Duration::from_secs(10), "the loops hang");
}
