//! The message is complete and the answer does not come, or comes and is followed by trouble: it may
//! have left, so it is looked for before anything is sent again.

use mailhatch::model::{DeliveryState, View};
use mailhatch::work::{SendStep, Sender, send_step};
use mailhatch_simulator::faults::{Action, Fault, Point};

use super::field::Field;
use crate::interop::proxy::{End, Plan, Way};
use crate::support::stage::until;

const UNCERTAIN: DeliveryState = DeliveryState::Uncertain;
const CODE: &str = "smtp_outcome_unknown";
const WORDS: &str = "Sent Items";

/// The answer to the final dot is lost; the message had left.
fn lost(field: &Field, action: Action) {
    let queued = field.asked();
    field.once(Point::SmtpAccepted, action);
    field.tries(queued, UNCERTAIN, CODE, WORDS);
    assert_eq!(field.left().len(), 1, "it had left");
    field.all_leave();
    field.everything_once();
}

#[test]
fn a_hang_up_after_the_final_dot_is_settled_through_sent_items() {
    lost(&Field::new(), Action::Close);
}

#[test]
fn silence_after_the_final_dot_is_settled_through_sent_items() {
    lost(&Field::new().hurried(), Action::Hang);
}

#[test]
fn an_answer_that_is_no_smtp_after_the_final_dot_is_settled_through_sent_items() {
    lost(
        &Field::new(),
        Action::Reply("Server Unavailable.".to_owned()),
    );
}

/// The last bytes of a message are lost in this way. Which are the last is measured with another reply.
fn tail_lost(end: End) {
    let field = Field::new();
    field.asked();
    let before = field.smtp.passed(Way::ToServer);
    let mut sender = Sender::default();
    let _ = send_step(&field.stage.services, &mut sender, field.id).unwrap();
    let whole = field.smtp.passed(Way::ToServer) - before;
    let queued = field.answer_to(field.stage.conversations(View::Waiting)[0]);
    field.smtp.set(Plan::cut(Way::ToServer, whole - 20, end));
    let field = field.hurried();
    field.tries(queued, UNCERTAIN, CODE, WORDS);
    assert_eq!(field.left().len(), 1, "only the other one had left");
    field.stage.clock.advance(20);
    let _ = field.send_step();
    assert_eq!(field.delivery(queued).state, UNCERTAIN, "too soon to know");
    field.all_leave();
    field.everything_once();
}

#[test]
fn a_line_cut_with_the_last_bytes_on_it_is_sent_again_only_when_surely_absent() {
    tail_lost(End::Close);
}

#[test]
fn a_line_that_stalls_with_the_last_bytes_on_it_is_sent_again_only_when_surely_absent() {
    tail_lost(End::Stall);
}

#[test]
fn where_no_copies_are_filed_a_missing_one_says_nothing_and_a_person_decides() {
    let field = Field::new();
    let world = field.stage.simulator.world();
    world.update_user(&field.stage.demo.support_upn, |user| {
        user.smtp_sent_copy = false;
    });
    let first = field.asked();
    let _ = field.send_step();
    assert_eq!(field.delivery(first).state, DeliveryState::Sent);
    let queued = field.asked();
    field.once(Point::SmtpAccepted, Action::Close);
    field.tries(queued, UNCERTAIN, CODE, WORDS);
    for _ in 0..200 {
        field.stage.clock.advance(30);
        let _ = field.send_step();
    }
    let delivery = field.delivery(queued);
    assert_eq!(delivery.state, UNCERTAIN, "{delivery:?}");
    assert!(delivery.server_reply.contains("a person"), "{delivery:?}");
    assert_eq!(world.submissions().len(), 2, "nothing left twice");
}

#[test]
fn a_refusal_after_the_final_dot_is_no_uncertainty() {
    let field = Field::new();
    let queued = field.asked();
    // Refused at the end of the message and not taken: no copy is filed.
    field.stage.simulator.world().set_quirks(|quirks| {
        quirks.messages_per_minute = Some(0);
    });
    field.tries(
        queued,
        DeliveryState::Queued,
        "smtp_too_many_connections",
        "tried again by itself",
    );
    field.stage.simulator.world().set_quirks(|quirks| {
        quirks.messages_per_minute = None;
    });
    field.all_leave();
    field.everything_once();
}

#[test]
fn a_hang_up_after_the_answer_costs_nothing() {
    let field = Field::new();
    let first = field.asked();
    field.deliver(1);
    field.stage.receives(field.id, 1);
    let mut sender = Sender::default();
    let step = |sender: &mut Sender| send_step(&field.stage.services, sender, field.id).unwrap();
    assert_eq!(step(&mut sender), SendStep::Worked);
    assert_eq!(field.delivery(first).state, DeliveryState::Sent);
    let second = field.answer();
    field.smtp.end_all(End::Close);
    assert_eq!(step(&mut sender), SendStep::Worked);
    let delivery = field.delivery(second);
    assert_eq!(delivery.state, DeliveryState::Sent, "{delivery:?}");
    field.everything_once();
}

#[test]
fn silence_at_quit_holds_up_no_further_reply() {
    let field = Field::new();
    field.asked();
    field.stage.simulator.faults().add(Fault {
        point: Point::SmtpQuit,
        who: None,
        action: Action::Hang,
        times: None,
    });
    let mut sender = Sender::default();
    let step = |sender: &mut Sender| send_step(&field.stage.services, sender, field.id).unwrap();
    assert_eq!(step(&mut sender), SendStep::Worked);
    let began = std::time::Instant::now();
    assert_eq!(step(&mut sender), SendStep::Nothing(None));
    assert!(began.elapsed().as_secs() < 5, "QUIT is not waited for long");
    field.everything_once();
}

#[test]
fn where_sent_items_cannot_be_looked_into_nothing_is_sent_again() {
    let field = Field::new();
    let queued = field.asked();
    field.once(Point::SmtpAccepted, Action::Close);
    field.tries(queued, UNCERTAIN, CODE, WORDS);
    field.imap.set(Plan::REFUSE);
    for _ in 0..20 {
        field.stage.clock.advance(3_600);
        let _ = field.send_step();
    }
    assert_eq!(field.delivery(queued).state, UNCERTAIN);
    assert_eq!(field.left().len(), 1);
    field.all_leave();
    field.everything_once();
}

#[test]
fn sent_items_that_cannot_be_looked_into_is_not_stormed_with_sign_ins() {
    let field = Field::new();
    let queued = field.asked();
    field.once(Point::SmtpAccepted, Action::Close);
    field.tries(queued, UNCERTAIN, CODE, WORDS);
    let no = Action::Reply("NO AUTHENTICATE failed.".to_owned());
    let faults = field.stage.simulator.faults();
    faults.always(Point::ImapAuthenticate, no);
    let before = field.imap.connections();
    for _ in 0..240 {
        field.stage.clock.advance(15);
        let _ = field.send_step();
    }
    let sign_ins = field.imap.connections() - before;
    assert!(sign_ins < 40, "{sign_ins} sign-ins in an hour");
    faults.clear();
    field.stage.clock.advance(3_600);
    field.all_leave();
    field.everything_once();
}

#[test]
fn two_recipients_of_whom_one_is_refused_for_now_get_the_reply_once_each() {
    let field = Field::new();
    let queued = field.asked_by_two();
    let later = Action::Reply("450 4.2.0 Greylisted, try again later".to_owned());
    field.once(Point::SmtpRcpt, later);
    let _ = field.send_step();
    field.all_leave();
    assert_eq!(field.delivery(queued).refused, []);
    let submissions = field.stage.simulator.world().submissions();
    assert_eq!(submissions.len(), 1);
    assert_eq!(submissions[0].recipients.len(), 2);
    field.everything_once();
}

#[test]
fn what_a_person_decides_while_sent_items_is_looked_into_stands() {
    let field = Field::new();
    let queued = field.asked();
    // Not accepted by Exchange at all, says the person who asked there.
    field.once(Point::SmtpAccepted, Action::Close);
    field.tries(queued, UNCERTAIN, CODE, WORDS);
    let world = field.stage.simulator.world();
    let sent = world.folder(field.address(), "Sent Items")[0].uid;
    world.remove(field.address(), "Sent Items", sent);
    let _ = field.send_step();
    field.stage.clock.advance(400);
    // The look that would find it surely absent.
    let slow = Action::Delay(std::time::Duration::from_millis(400));
    field.once(Point::ImapSearch, slow);
    std::thread::scope(|scope| {
        let (services, id) = (&field.stage.services, field.id);
        let looking = scope.spawn(move || send_step(services, &mut Sender::default(), id));
        until("it looks", || field.stage.simulator.faults().count() == 0);
        let agent = &field.stage.admin.agent;
        let work = &services.work;
        work.settle_delivery(services, queued.delivery_id, true, agent)
            .unwrap();
        looking.join().unwrap().unwrap();
    });
    assert_eq!(field.delivery(queued).state, DeliveryState::Sent);
    field.all_leave();
    field.everything_once();
}
