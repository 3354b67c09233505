//! While the loops listen: silence, goodbye, an ended token, a server that keeps hanging up.

use mailhatch::clock::Clock;
use mailhatch::model::{MailboxId, MailboxStatus};
use mailhatch::store;
use mailhatch::work::Running;
use mailhatch_simulator::faults::{Action, Fault, Point};
use mailhatch_simulator::world::User;

use super::field::Field;
use crate::interop::proxy::{End, Plan, Way};
use crate::support::stage::until;

/// A mailbox whose loops listen; the real clock runs.
fn listening(field: &Field) -> Running {
    let running = field.stage.run();
    until("it listens", || sentence(field).starts_with("Listening"));
    running
}

fn sentence(field: &Field) -> String {
    let work = &field.stage.services.work;
    work.activity(field.id).receiving.sentence
}

fn comes(field: &Field, count: usize) {
    until("the mail has come", || {
        field.stored("incoming").len() == count
    });
}

/// Asks the poller each second rather than each minute.
fn poll_each_second(field: &Field) {
    let mailbox = field.stage.mailbox(field.id);
    let (name, signature) = (&mailbox.name, &mailbox.signature_html);
    field
        .stage
        .services
        .store
        .write(|tx| {
            store::mailboxes::update_settings(tx, field.id, name, signature, "* * * * * *", true)
        })
        .unwrap();
}

#[test]
fn a_half_open_line_is_noticed_while_idle_and_the_mail_behind_it_comes() {
    let field = Field::on(Clock::System).hurried();
    poll_each_second(&field);
    let running = listening(&field);
    let before = field.imap.connections();
    field.imap.set(Plan::cut(Way::ToClient, 0, End::Stall));
    field.deliver(1);
    until("it hangs up by itself", || {
        !sentence(&field).starts_with("Listening")
    });
    field.imap.set(Plan::PASS);
    comes(&field, 1);
    assert!(field.imap.connections() > before);
    running.stop();
    field.everything_once();
}

#[test]
fn a_server_that_falls_silent_while_idle_is_left_for_a_new_session() {
    let field = Field::on(Clock::System).hurried();
    poll_each_second(&field);
    field.once(Point::ImapIdle, Action::Hang);
    let running = field.stage.run();
    until("the silence began", || {
        field.stage.simulator.faults().count() == 0
    });
    field.deliver(1);
    comes(&field, 1);
    running.stop();
    field.everything_once();
}

#[test]
fn a_goodbye_while_idle_starts_a_new_session_at_once() {
    let field = Field::on(Clock::System);
    let running = listening(&field);
    let before = field.imap.connections();
    let world = field.stage.simulator.world();
    world.end_sessions(field.address());
    field.deliver(1);
    comes(&field, 1);
    assert_eq!(field.imap.connections(), before + 1);
    running.stop();
    field.everything_once();
}

#[test]
fn a_reset_while_idle_starts_a_new_session_at_once() {
    let field = Field::on(Clock::System);
    let running = listening(&field);
    field.imap.end_all(End::Reset);
    field.deliver(1);
    comes(&field, 1);
    running.stop();
    field.everything_once();
}

#[test]
fn a_token_that_ends_in_an_open_session_is_renewed_without_a_word() {
    let field = Field::on(Clock::System);
    let running = listening(&field);
    let simulator = &field.stage.simulator;
    simulator.entra().expire_access_tokens();
    simulator.world().end_sessions(field.address());
    field.deliver(1);
    comes(&field, 1);
    let mailbox = field.stage.mailbox(field.id);
    assert_eq!(mailbox.status, MailboxStatus::Active);
    assert_eq!(mailbox.problem, None);
    running.stop();
    field.everything_once();
}

#[test]
fn a_server_that_always_hangs_up_on_idle_is_not_stormed_with_sign_ins() {
    let field = Field::on(Clock::System);
    let bye = Action::Reply("* BYE Connection is closed. 13".to_owned());
    let faults = field.stage.simulator.faults();
    faults.always(Point::ImapIdle, bye);
    let running = field.stage.run();
    until("it takes its time", || {
        sentence(&field).contains("keeps ending")
    });
    assert!(
        field.imap.connections() <= 4,
        "{} sign-ins",
        field.imap.connections()
    );
    faults.clear();
    field.deliver(1);
    // A person who looks is not made to wait.
    field.stage.services.work.wake_poller(field.id);
    comes(&field, 1);
    running.stop();
    field.everything_once();
}

#[test]
fn a_server_that_refuses_idle_is_polled() {
    let field = Field::on(Clock::System);
    poll_each_second(&field);
    let no = Action::Reply("NO Server Unavailable. 15".to_owned());
    let faults = field.stage.simulator.faults();
    faults.always(Point::ImapIdle, no);
    let running = field.stage.run();
    field.deliver(1);
    comes(&field, 1);
    running.stop();
    field.everything_once();
}

#[test]
fn a_server_that_chats_while_idle_is_listened_to() {
    let field = Field::on(Clock::System);
    let running = listening(&field);
    let chat = "* OK Still here".to_owned();
    field.stage.simulator.faults().add(Fault {
        point: Point::ImapIdle,
        who: None,
        action: Action::Reply(chat),
        times: Some(20),
    });
    field.deliver(1);
    comes(&field, 1);
    running.stop();
    field.everything_once();
}

#[test]
fn one_sick_mailbox_does_not_slow_another() {
    let field = Field::on(Clock::System);
    let stage = &field.stage;
    let (world, sick) = (stage.simulator.world(), "sick@harbourlights.example");
    world.add_user(User::work(&stage.demo.tenant_id, sick, "Sick"));
    let other: MailboxId = stage.consent("", sick);
    mailhatch::work::connect::choose(&stage.services, other, mailhatch::model::TakeFrom::All, 0)
        .unwrap();
    for point in [Point::ImapSelect, Point::SmtpMail] {
        stage.simulator.faults().add(Fault {
            point,
            who: Some(sick.to_owned()),
            action: Action::Hang,
            times: None,
        });
    }
    let running = stage.run();
    until("the sick one hangs", || {
        let line = stage.services.work.activity(other).receiving;
        line.sentence == "Connecting."
    });
    field.deliver(1);
    comes(&field, 1);
    let queued = field.answer();
    stage.services.work.wake_sender(field.id);
    until("the reply has left", || {
        stage.state(queued) == mailhatch::model::DeliveryState::Sent
    });
    running.stop();
    field.everything_once();
}
