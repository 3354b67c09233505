//! Between the press of the button and the server: a reply is taken back, planned, or overtaken by the customer, at
//! the wrong moment.

use mailhatch::clock::Clock;
use mailhatch::mail;
use mailhatch::model::{
    ConversationId, DeliveryState, Leaves, Message, Status, StoppedBy, View, WayOut,
};
use mailhatch::reply::Queued;
use mailhatch::store::{self, deliveries};
use mailhatch::work::{SendStep, Sender, send_step};
use mailhatch_simulator::faults::{Action, Point};

use super::field::Field;
use crate::support::stage::{NOW, mail as write, until};

const HOUR: i64 = 3_600;
const YEAR: i64 = 365 * 86_400;

/// A question received, and its conversation.
fn question(field: &Field) -> ConversationId {
    field.deliver(1);
    field.stage.receives(field.id, 1);
    field.stage.conversations(View::Open)[0]
}

fn with_window(field: &Field, number: ConversationId) -> (Queued, i64) {
    let until_ms = field.stage.clock.now_ms() + 10_000;
    let leaves = Leaves::AfterUndo { until_ms };
    let stage = &field.stage;
    let queued = stage.reply_to_leave(number, "Try the other switch.", leaves, |_| {});
    (queued, until_ms)
}

fn planned(field: &Field, number: ConversationId, at: i64) -> Queued {
    let leaves = Leaves::At {
        at,
        unless_answered: true,
    };
    let stage = &field.stage;
    stage.reply_to_leave(number, "Try the other switch.", leaves, |_| {})
}

/// The customer of the first question writes again.
fn customer_writes(field: &Field, id: &str, more: &str, text: &str) {
    let more = format!("In-Reply-To: <message-0@shop.example>\r\n{more}");
    let from = "Customer 0 <customer0@shop.example>";
    let raw = write(from, "Re: Lamp 0", id, &more, text);
    let world = field.stage.simulator.world();
    assert!(world.deliver(field.address(), &raw));
}

fn message(field: &Field, queued: Queued) -> Message {
    let store = &field.stage.services.store;
    let found = store.read(|db| store::messages::find(db, queued.message_id));
    found.unwrap().unwrap()
}

fn left(field: &Field) -> usize {
    field.stage.simulator.world().submissions().len()
}

#[test]
fn a_reply_leaves_when_its_undo_window_ends_and_not_before() {
    let field = Field::new();
    let number = question(&field);
    let (queued, until_ms) = with_window(&field, number);
    // It sleeps to the very millisecond.
    assert_eq!(field.send_step(), SendStep::Nothing(Some(until_ms)));
    field.stage.clock.advance(9);
    assert_eq!(field.send_step(), SendStep::Nothing(Some(until_ms)));
    assert_eq!(left(&field), 0);
    field.stage.clock.advance(1);
    assert_eq!(field.send_step(), SendStep::Worked);
    assert_eq!(field.stage.state(queued), DeliveryState::Sent);
    field.everything_once();
}

#[test]
fn a_running_sender_wakes_by_itself_when_an_undo_window_ends() {
    let field = Field::on(Clock::System);
    let number = question(&field);
    let running = field.stage.run();
    let until_ms = field.stage.clock.now_ms() + 1_500;
    let leaves = Leaves::AfterUndo { until_ms };
    let queued = field.stage.reply_to_leave(number, "Soon.", leaves, |_| {});
    field.stage.services.work.wake_sender(field.id);
    until("the reply has left", || left(&field) > 0);
    let late_ms = field.stage.clock.now_ms() - until_ms;
    assert!(late_ms >= 0, "it left {late_ms} ms too early");
    until("it is written down", || {
        field.stage.state(queued) == DeliveryState::Sent
    });
    running.stop();
    field.everything_once();
}

#[test]
fn a_reply_taken_back_in_its_window_does_not_leave_and_the_conversation_stands_as_before() {
    let field = Field::new();
    let number = question(&field);
    let (queued, _) = with_window(&field, number);
    let stage = &field.stage;
    assert_eq!(stage.conversation(number).status, Status::Waiting);
    let (services, agent) = (&stage.services, &stage.admin.agent);
    let work = &services.work;
    for _ in 0..2 {
        work.withdraw_delivery(services, queued.delivery_id, agent)
            .unwrap();
    }
    assert_eq!(stage.conversation(number).status, Status::Open);
    stage.clock.advance(HOUR);
    stage.send_all(field.id);
    assert_eq!(left(&field), 0);
    let delivery = field.delivery(queued);
    assert_eq!(
        (delivery.state, delivery.stopped_by),
        (DeliveryState::Cancelled, StoppedBy::Undo)
    );
    // What was taken back is quoted to nobody.
    stage.reply(number, "The right answer.");
    stage.send_all(field.id);
    let (sent, _) = mail::parse(&stage.simulator.world().submissions()[0].raw);
    assert!(!sent.text.contains("other switch"), "{}", sent.text);
    assert_eq!(sent.references, ["message-0@shop.example"]);
}

#[test]
fn a_reply_taken_back_while_it_is_handed_over_has_left_and_says_so() {
    let field = Field::new();
    let number = question(&field);
    let (queued, _) = with_window(&field, number);
    let stage = &field.stage;
    stage.clock.advance(10);
    let now = stage.clock.now();
    let claim = |tx: &store::Tx<'_>| deliveries::claim_next(tx, field.id, WayOut::Smtp, now);
    assert!(stage.services.store.write(claim).unwrap().is_some());
    let (services, agent) = (&stage.services, &stage.admin.agent);
    let refused = services
        .work
        .withdraw_delivery(services, queued.delivery_id, agent)
        .unwrap_err();
    assert!(refused.sentence.contains("It had left already"));
    assert_eq!(stage.state(queued), DeliveryState::Sending);
    assert_eq!(stage.conversation(number).status, Status::Waiting);
    // It had not come to the server, which is found out before it is sent once more.
    stage.send_all(field.id);
    stage.clock.advance(400);
    stage.send_all(field.id);
    assert_eq!(stage.state(queued), DeliveryState::Sent);
    field.everything_once();
}

#[test]
fn killed_in_the_undo_window_a_reply_leaves_after_the_restart_once() {
    let mut field = Field::new();
    let number = question(&field);
    let (queued, until_ms) = with_window(&field, number);
    field.stage.restart();
    assert_eq!(field.send_step(), SendStep::Nothing(Some(until_ms)));
    field.stage.clock.advance(10);
    field.stage.send_all(field.id);
    assert_eq!(field.stage.state(queued), DeliveryState::Sent);
    field.everything_once();
}

#[test]
fn a_clock_set_back_in_the_undo_window_gives_the_whole_window_again() {
    let field = Field::new();
    let number = question(&field);
    field.stage.clock.jump(YEAR);
    let (queued, until_ms) = with_window(&field, number);
    field.stage.clock.jump(-YEAR);
    let mut sender = Sender::default();
    let mut step = || send_step(&field.stage.services, &mut sender, field.id).unwrap();
    assert_eq!(step(), SendStep::Worked, "it notices");
    let again_ms = until_ms - YEAR * 1_000;
    assert_eq!(step(), SendStep::Nothing(Some(again_ms)));
    field.stage.clock.advance(10);
    assert_eq!(step(), SendStep::Worked);
    assert_eq!(field.stage.state(queued), DeliveryState::Sent);
    field.everything_once();
}

#[test]
fn a_planned_reply_leaves_at_its_time_and_is_dated_so() {
    let field = Field::new();
    let number = question(&field);
    let queued = planned(&field, number, NOW + 20 * HOUR);
    field.stage.clock.advance(20 * HOUR - 1);
    field.stage.send_all(field.id);
    assert_eq!(left(&field), 0);
    field.stage.clock.advance(1);
    field.stage.send_all(field.id);
    let raw = field.stage.simulator.world().submissions()[0].raw.clone();
    assert_eq!(mail::parse(&raw).0.date_at, Some(NOW + 20 * HOUR));
    let sent = message(&field, queued);
    assert_eq!(sent.sent_at, NOW + 20 * HOUR);
    let store = &field.stage.services.store;
    let stored = store.read(|db| store::messages::find_raw(db, sent.id));
    assert_eq!(
        mail::parse(&stored.unwrap().unwrap()).0.date_at,
        Some(NOW + 20 * HOUR)
    );
    field.everything_once();
}

#[test]
fn a_planned_reply_that_is_tried_twice_keeps_the_date_of_the_first_try() {
    let field = Field::new();
    let number = question(&field);
    let queued = planned(&field, number, NOW + HOUR);
    field.once(Point::SmtpAccepted, Action::Close);
    field.stage.clock.advance(HOUR);
    let _ = field.send_step();
    assert_eq!(field.stage.state(queued), DeliveryState::Uncertain);
    field.stage.clock.advance(30);
    field.stage.send_all(field.id);
    assert_eq!(field.stage.state(queued), DeliveryState::Sent);
    assert_eq!(message(&field, queued).sent_at, NOW + HOUR);
    field.everything_once();
}

#[test]
fn a_customer_who_writes_first_keeps_a_planned_reply_from_leaving() {
    let mut field = Field::new();
    let number = question(&field);
    let queued = planned(&field, number, NOW + HOUR);
    customer_writes(&field, "more@shop.example", "", "It works again!");
    field.stage.receives(field.id, 1);
    let delivery = field.delivery(queued);
    assert_eq!(
        (delivery.state, delivery.stopped_by),
        (DeliveryState::Cancelled, StoppedBy::Answer)
    );
    assert_eq!(field.stage.conversation(number).status, Status::Open);
    field.stage.restart();
    field.stage.clock.advance(YEAR);
    field.stage.send_all(field.id);
    assert_eq!(left(&field), 0);
}

#[test]
fn machines_and_reports_do_not_keep_a_planned_reply_from_leaving() {
    let field = Field::new();
    let number = question(&field);
    let queued = planned(&field, number, NOW + HOUR);
    let away = "Auto-Submitted: auto-replied\r\n";
    customer_writes(&field, "away@shop.example", away, "I am away.");
    field.stage.receives(field.id, 1);
    field.stage.clock.advance(HOUR);
    field.stage.send_all(field.id);
    assert_eq!(field.stage.state(queued), DeliveryState::Sent);
}

#[test]
fn mail_of_before_the_mailbox_was_connected_does_not_keep_a_planned_reply_from_leaving() {
    let field = Field::new();
    let number = question(&field);
    let queued = planned(&field, number, NOW + HOUR);
    let raw = write(
        "Customer 0 <customer0@shop.example>",
        "Re: Lamp 0",
        "old@shop.example",
        "In-Reply-To: <message-0@shop.example>\r\n",
        "Old.",
    );
    let world = field.stage.simulator.world();
    assert!(world.deliver_at(field.address(), &raw, NOW - 30 * 86_400));
    field.stage.receives(field.id, 1);
    assert_eq!(message(&field, queued).conversation_id, number);
    assert_eq!(field.stage.messages(number).len(), 3, "it joined");
    assert_eq!(field.stage.state(queued), DeliveryState::Queued);
}

#[test]
fn mail_that_comes_while_a_planned_reply_is_handed_over_is_too_late() {
    let field = Field::new();
    let number = question(&field);
    let queued = planned(&field, number, NOW + HOUR);
    field.stage.clock.advance(HOUR);
    let now = field.stage.clock.now();
    let claim = |tx: &store::Tx<'_>| deliveries::claim_next(tx, field.id, WayOut::Smtp, now);
    assert!(field.stage.services.store.write(claim).unwrap().is_some());
    customer_writes(&field, "more@shop.example", "", "It works again!");
    field.stage.receives(field.id, 1);
    assert_eq!(field.stage.state(queued), DeliveryState::Sending);
    field.stage.clock.advance(HOUR);
    field.stage.send_all(field.id);
    field.stage.clock.advance(HOUR);
    field.stage.send_all(field.id);
    assert_eq!(field.stage.state(queued), DeliveryState::Sent);
    assert_eq!(left(&field), 1);
}

#[test]
fn a_planned_reply_that_waits_for_a_closed_way_out_is_still_overtaken_by_the_customer() {
    let field = Field::new();
    let number = question(&field);
    let queued = planned(&field, number, NOW + HOUR);
    field.stage.clock.advance(HOUR);
    field.says(Point::SmtpMail, "451 4.3.0 Try again later");
    let _ = field.send_step();
    assert_eq!(field.delivery(queued).attempts, 1);
    customer_writes(&field, "more@shop.example", "", "It works again!");
    field.stage.receives(field.id, 1);
    assert_eq!(field.stage.state(queued), DeliveryState::Cancelled);
    field.stage.clock.advance(HOUR);
    field.stage.send_all(field.id);
    assert_eq!(left(&field), 0);
}

#[test]
fn a_planned_reply_goes_by_the_wall_clock_whichever_way_it_jumps() {
    let field = Field::new();
    let number = question(&field);
    let queued = planned(&field, number, NOW + HOUR);
    field.stage.clock.jump(-YEAR);
    let _ = field.send_step();
    let waits = SendStep::Nothing(Some((NOW + HOUR) * 1_000));
    assert_eq!(field.send_step(), waits, "its time is still to come");
    field.stage.clock.jump(YEAR + HOUR);
    field.stage.send_all(field.id);
    assert_eq!(field.stage.state(queued), DeliveryState::Sent);
    field.everything_once();
}

#[test]
fn a_planned_reply_in_a_restored_backup_still_leaves_at_its_time_and_not_before() {
    let field = Field::new();
    let number = question(&field);
    let queued = planned(&field, number, NOW + 20 * HOUR);
    let problem = mailhatch::problem::Problem::new(
        "restored",
        mailhatch::problem::Disposition::RetryAfter { seconds: 0 },
        "Restored.",
        "Nothing to do.",
    );
    let stage = &field.stage;
    let restored = |tx: &store::Tx<'_>| deliveries::update_restored(tx, &problem, NOW);
    stage.services.store.write(restored).unwrap();
    stage.send_all(field.id);
    stage.clock.advance(HOUR);
    stage.send_all(field.id);
    let waits = field.delivery(queued);
    assert_eq!(waits.state, DeliveryState::Queued, "it is surely absent");
    assert_eq!(waits.next_attempt_at, NOW + 20 * HOUR);
    assert_eq!(left(&field), 0);
    stage.clock.advance(19 * HOUR);
    stage.send_all(field.id);
    assert_eq!(stage.state(queued), DeliveryState::Sent);
    field.everything_once();
}
