//! The wall clock jumps, forward or back, at the wrong moment.

use mailhatch::model::{DeliveryState, Fate};
use mailhatch::reply::Queued;
use mailhatch_simulator::faults::{Action, Point};

use super::field::Field;

const YEAR: i64 = 365 * 86_400;

/// One step notices the clock, the next one sends.
fn leaves_now(field: &Field, queued: Queued) {
    let _ = field.send_step();
    let _ = field.send_step();
    assert_eq!(field.delivery(queued).state, DeliveryState::Sent);
    field.everything_once();
}

#[test]
fn a_clock_set_forward_makes_no_reply_absent_that_had_left() {
    let field = Field::new();
    let queued = field.asked();
    let world = field.stage.simulator.world();
    // Exchange has taken it and is slow to file its copy.
    world.update_user(&field.stage.demo.support_upn, |user| {
        user.smtp_sent_copy = false;
    });
    field.once(Point::SmtpAccepted, Action::Close);
    let uncertain = DeliveryState::Uncertain;
    field.tries(queued, uncertain, "smtp_outcome_unknown", "Sent Items");
    field.stage.clock.jump(3_600);
    let _ = field.send_step();
    field.stage.clock.jump(3_600);
    let _ = field.send_step();
    assert_eq!(
        field.delivery(queued).state,
        uncertain,
        "no time has passed"
    );
    let raw = world.submissions()[0].raw.clone();
    world
        .append(field.address(), "Sent Items", &raw, true)
        .unwrap();
    field.all_leave();
    field.everything_once();
}

#[test]
fn a_clock_set_back_does_not_keep_a_reply_for_a_year() {
    let field = Field::new();
    field.stage.clock.jump(YEAR);
    let queued = field.asked();
    field.stage.clock.jump(-YEAR);
    leaves_now(&field, queued);
}

#[test]
fn a_pause_begun_before_the_clock_was_set_back_does_not_last_a_year() {
    let field = Field::new();
    field.stage.clock.jump(YEAR);
    let queued = field.asked();
    field.says(Point::SmtpGreeting, "421 4.3.2 Service not available");
    let _ = field.send_step();
    assert!(field.stage.mailbox(field.id).send_problem.is_some());
    field.stage.clock.jump(-YEAR);
    leaves_now(&field, queued);
}

#[test]
fn attempts_dated_in_the_future_do_not_use_up_the_limit_of_this_minute() {
    let field = Field::new();
    field.stage.clock.jump(YEAR);
    for _ in 0..30 {
        field.deliver(1);
        field.stage.receives(field.id, 1);
        field.answer();
        let _ = field.send_step();
    }
    field.stage.clock.jump(-YEAR);
    field.deliver(1);
    field.stage.receives(field.id, 1);
    let queued = field.answer();
    let _ = field.send_step();
    assert_eq!(field.delivery(queued).state, DeliveryState::Sent);
    field.everything_once();
}

#[test]
fn a_clock_set_forward_fails_no_reply_for_its_age() {
    let field = Field::new();
    let queued = field.asked();
    field.stage.clock.jump(YEAR);
    field.says(Point::SmtpRcpt, "450 4.2.0 Try again later");
    let _ = field.send_step();
    assert_eq!(field.delivery(queued).state, DeliveryState::Queued);
    field.all_leave();
    field.everything_once();
}

#[test]
fn what_is_asked_for_again_does_not_wait_for_a_year_when_the_clock_is_set_back() {
    let field = Field::new();
    field.stage.clock.jump(YEAR);
    field.deliver(2);
    let world = field.stage.simulator.world();
    let uid = world.folder(field.address(), "INBOX")[0].uid;
    world.set_unfetchable(field.address(), "INBOX", uid, true);
    field.stage.receives(field.id, 1);
    assert_eq!(field.stage.fates(field.id, Fate::Absent), 1);
    world.set_unfetchable(field.address(), "INBOX", uid, false);
    field.stage.clock.jump(-YEAR);
    field.stage.receives(field.id, 1);
    field.everything_once();
}

#[test]
fn tokens_outlive_a_clock_that_jumps_both_ways() {
    let field = Field::new();
    for jump in [YEAR / 6, -YEAR / 6, -YEAR / 6, YEAR / 6] {
        field.stage.clock.jump(jump);
        field.deliver(1);
        field.recovers(1);
    }
    field.everything_once();
}
