//! The provider's limits, kept before the provider has to say so.

use mailhatch::model::{Address, DeliveryState, View};
use mailhatch::reply::Queued;
use mailhatch::store;
use mailhatch::work::SendStep;
use mailhatch_simulator::faults::{Action, Point};
use mailhatch_simulator::world::{SmtpAuth, Via};

use super::field::Field;
use crate::support::stage::NOW;

const DAY: i64 = 86_400;
/// What Exchange Online allows a mailbox.
const A_DAY: i64 = 10_000;

/// Makes a sent reply count as one to so many recipients.
fn counts_as(field: &Field, queued: Queued, recipients: i64) {
    let changed = field.stage.services.store.write(|tx| {
        Ok::<_, store::Error>(tx.execute(
            "UPDATE deliveries SET recipient_count = ?2 WHERE id = ?1",
            (queued.delivery_id.0, recipients),
        )?)
    });
    assert_eq!(changed.unwrap(), 1);
}

fn sends(field: &Field, recipients: i64) {
    let queued = field.asked();
    field.stage.send_all(field.id);
    assert_eq!(field.stage.state(queued), DeliveryState::Sent);
    counts_as(field, queued, recipients);
}

fn to_many(field: &Field, count: usize) -> Queued {
    field.deliver(1);
    field.stage.receives(field.id, 1);
    let number = field.stage.conversations(View::Open)[0];
    field.stage.reply_with(number, "To all of you.", |draft| {
        draft
            .cc
            .extend((1..count).map(|n| Address::new("", format!("reader{n}@shop.example"))));
    })
}

#[test]
fn a_reply_over_the_recipients_of_a_day_waits_until_it_fits_and_smaller_ones_go_before_it() {
    let field = Field::new();
    sends(&field, A_DAY - 10);
    let large = to_many(&field, 20);
    let small = field.asked();
    field.stage.send_all(field.id);
    assert_eq!(field.stage.state(small), DeliveryState::Sent);
    let waits = field.delivery(large);
    assert_eq!((waits.state, waits.attempts), (DeliveryState::Queued, 0));
    assert_eq!(
        waits.next_attempt_at,
        NOW + DAY,
        "when the first ones no longer count"
    );
    let problem = waits.problem.unwrap();
    assert_eq!(problem.code, "recipients_per_day");
    assert!(problem.sentence.contains("10000 recipients"), "{problem}");
    field.stage.clock.advance(DAY - 1);
    field.stage.send_all(field.id);
    assert_eq!(field.stage.state(large), DeliveryState::Queued);
    field.stage.clock.advance(1);
    field.stage.send_all(field.id);
    let sent = field.delivery(large);
    assert_eq!((sent.state, sent.problem), (DeliveryState::Sent, None));
}

#[test]
fn with_the_recipients_of_a_day_used_up_the_mailbox_waits_and_says_until_when() {
    let field = Field::new();
    sends(&field, A_DAY / 2);
    field.stage.clock.advance(100);
    sends(&field, A_DAY / 2);
    let queued = [field.asked(), field.asked()];
    let until = NOW + DAY;
    assert_eq!(field.send_step(), SendStep::Nothing(Some(until * 1_000)));
    let mailbox = field.stage.mailbox(field.id);
    assert_eq!(mailbox.send_after_at, until);
    let problem = mailbox.send_problem.unwrap();
    assert_eq!(problem.code, "recipients_per_day");
    assert!(problem.is_transient(), "nobody has to do anything");
    for one in queued {
        assert_eq!(field.delivery(one).attempts, 0, "no reply is blamed");
    }
    field.stage.clock.advance(DAY - 100);
    field.stage.send_all(field.id);
    assert_eq!(field.stage.mailbox(field.id).send_problem, None);
    field.all_leave();
    field.everything_once();
}

#[test]
fn a_clock_set_back_does_not_keep_a_reply_over_the_day_s_limit_for_a_year() {
    let field = Field::new();
    field.stage.clock.jump(365 * DAY);
    sends(&field, A_DAY);
    let queued = field.asked();
    let _ = field.send_step();
    assert!(field.stage.mailbox(field.id).send_problem.is_some());
    field.stage.clock.jump(-365 * DAY);
    field.stage.send_all(field.id);
    assert_eq!(field.stage.state(queued), DeliveryState::Sent);
    field.everything_once();
}

#[test]
fn a_full_mailbox_is_stopped_after_the_second_refusal_and_its_replies_wait() {
    let field = Field::new();
    let full = "554 5.2.2 mailbox full; STOREDRV.Submission.Exception:QuotaExceededException";
    let refuse = Action::Reply(full.to_owned());
    let first = field.asked();
    let others = [field.asked(), field.asked()];
    field.once(Point::SmtpMail, refuse.clone());
    field.tries(first, DeliveryState::Failed, "smtp_mailbox_full", "full");
    field.stage.clock.advance(15 * 60);
    field.once(Point::SmtpMail, refuse);
    let _ = field.send_step();
    let mailbox = field.stage.mailbox(field.id);
    assert!(mailbox.sending_stopped_at.is_some());
    let problem = mailbox.send_problem.unwrap();
    assert_eq!(problem.code, "sending_stopped");
    assert!(
        problem
            .sentence
            .contains("2 times in a row because the mailbox is full")
    );
    assert!(problem.remedy.contains("Send again"), "{problem}");
    // Nothing is tried any more, whatever time passes, nor is a reply failed.
    field.stage.clock.advance(DAY);
    assert_eq!(field.send_step(), SendStep::Nothing(None));
    for one in others {
        assert_eq!(field.stage.state(one), DeliveryState::Queued);
    }
    let (services, agent) = (&field.stage.services, &field.stage.admin.agent);
    let work = &services.work;
    work.retry_delivery(services, first.delivery_id, agent)
        .unwrap();
    assert_eq!(field.send_step(), SendStep::Nothing(None));
    let shown = field.stage.mailbox(field.id).send_problem;
    assert_eq!(
        shown.unwrap().code,
        "sending_stopped",
        "it stays to be seen"
    );
    work.resume_sending(services, field.id).unwrap();
    field.all_leave();
    assert_eq!(field.stage.mailbox(field.id).send_problem, None);
    field.everything_once();
}

#[test]
fn a_stopped_mailbox_stays_stopped_over_a_restart_and_stops_again_if_nothing_was_mended() {
    let mut field = Field::new();
    let denied = Action::Reply(
        "550 5.7.60 Client does not have permissions to send as this sender".to_owned(),
    );
    for _ in 0..6 {
        field.asked();
    }
    for _ in 0..2 {
        field.once(Point::SmtpMail, denied.clone());
        let _ = field.send_step();
        field.stage.clock.advance(15 * 60);
    }
    assert!(field.stage.mailbox(field.id).sending_stopped_at.is_some());
    field.stage.restart();
    assert_eq!(field.send_step(), SendStep::Nothing(None));
    let services = field.stage.services.clone();
    for _ in 0..2 {
        services.work.resume_sending(&services, field.id).unwrap();
        assert_eq!(field.stage.mailbox(field.id).sending_stopped_at, None);
        for _ in 0..2 {
            field.stage.clock.advance(15 * 60);
            field.once(Point::SmtpMail, denied.clone());
            let _ = field.send_step();
        }
        assert!(field.stage.mailbox(field.id).sending_stopped_at.is_some());
    }
    assert!(field.left().is_empty());
}

#[test]
fn five_wrong_addresses_in_a_row_stop_a_mailbox_and_an_acceptance_between_does_not() {
    let unknown = Action::Reply("550 5.1.10 RESOLVER.ADR.RecipientNotFound".to_owned());
    let field = Field::new();
    let fails = || {
        let queued = field.asked();
        field.once(Point::SmtpRcpt, unknown.clone());
        field.tries(
            queued,
            DeliveryState::Failed,
            "smtp_recipient_unknown",
            "address",
        );
    };
    for _ in 0..4 {
        fails();
    }
    let good = field.asked();
    let _ = field.send_step();
    assert_eq!(field.stage.state(good), DeliveryState::Sent);
    for _ in 0..4 {
        fails();
        assert_eq!(field.stage.mailbox(field.id).send_problem, None);
    }
    fails();
    let mailbox = field.stage.mailbox(field.id);
    assert_eq!(mailbox.send_problem.unwrap().code, "sending_stopped");
    let held = field.asked();
    assert_eq!(field.send_step(), SendStep::Nothing(None));
    assert_eq!(field.delivery(held).attempts, 0);
}

#[test]
fn the_size_a_server_announces_is_learnt_when_it_is_met() {
    let field = Field::new();
    let size = || {
        let limits = mailhatch::work::limits::of;
        let mailbox = field.stage.mailbox(field.id);
        limits(&field.stage.services, &mailbox)
            .unwrap()
            .message_bytes
    };
    let default = size();
    assert_eq!(default, 35 * 1024 * 1024, "Exchange's default");
    field.asked();
    let _ = field.send_step();
    let told = field.stage.mailbox(field.id).smtp_size_bytes;
    assert_eq!(told, Some(157_286_400), "what the server said");
    assert_eq!(size(), default, "a mailbox's own limit is lower");
    let upn = field.stage.demo.support_upn.clone();
    let world = field.stage.simulator.world();
    world.update_user(&upn, |user| user.smtp_auth = SmtpAuth::DisabledForTenant);
    field.asked();
    field.all_leave();
    assert_eq!(world.submissions().last().unwrap().via, Via::Graph);
    assert_eq!(size(), 3_000_000, "Graph takes less");
}
