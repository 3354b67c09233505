//! The line to the SMTP server fails, or the server refuses, before the message is complete: nothing has
//! left, and it leaves later, once.

use std::time::Duration;

use mailhatch::model::DeliveryState;
use mailhatch::problem::Disposition;
use mailhatch_simulator::faults::{Action, Point};

use super::field::Field;
use crate::interop::proxy::{End, Plan, Way};

const QUEUED: DeliveryState = DeliveryState::Queued;

/// The mailbox cannot send through this line; the reply waits unblamed and leaves once.
fn closed_by_plan(field: &Field, plan: Plan, code: &str, words: &str) {
    let queued = field.asked();
    field.smtp.set(plan);
    let problem = field.way_out_closed(queued, code, words);
    assert!(problem.is_transient(), "{problem}");
    field.all_leave();
    field.everything_once();
}

/// The mailbox cannot send because of a fault before the message is begun.
fn closed_by_fault(field: &Field, point: Point, action: Action, code: &str, words: &str) {
    let queued = field.asked();
    field.once(point, action);
    let problem = field.way_out_closed(queued, code, words);
    assert!(problem.is_transient(), "{problem}");
    field.all_leave();
    assert_eq!(field.stage.mailbox(field.id).send_problem, None);
    field.everything_once();
}

/// The message is refused, or its line fails, before its last byte; it leaves later, once.
fn refused(field: &Field, point: Point, action: Action, code: &str, words: &str) {
    let queued = field.asked();
    field.once(point, action);
    let problem = field.tries(queued, QUEUED, code, words);
    assert!(problem.is_transient(), "{problem}");
    field.all_leave();
    assert_eq!(field.stage.mailbox(field.id).send_problem, None);
    field.everything_once();
}

fn reply(words: &str) -> Action {
    Action::Reply(words.to_owned())
}

#[test]
fn a_submission_server_whose_name_is_not_found_holds_the_queue() {
    let mut field = Field::new();
    let queued = field.asked();
    let good = field.smtp.address();
    field.stage.reconfigure(|config| {
        config.endpoints.smtp = Some("no-such-server.invalid:587".to_owned());
    });
    field.way_out_closed(queued, "dns_failed", "no-such-server.invalid");
    field
        .stage
        .reconfigure(|config| config.endpoints.smtp = Some(good));
    field.all_leave();
    field.everything_once();
}

#[test]
fn a_submission_server_that_refuses_connections_holds_the_queue() {
    let field = Field::new();
    closed_by_plan(&field, Plan::REFUSE, "connect_refused", "nothing listens");
}

#[test]
fn a_submission_server_that_says_nothing_holds_the_queue() {
    let field = Field::new().hurried();
    closed_by_plan(&field, Plan::SILENCE, "answer_timeout", "stopped answering");
}

#[test]
fn a_submission_server_that_resets_holds_the_queue() {
    let field = Field::new();
    closed_by_plan(&field, Plan::RESET, "connection_closed", "closed the");
}

#[test]
fn a_greeting_of_too_many_connections_holds_the_queue() {
    let field = Field::new();
    let words = "421 4.3.2 Service not available, too many connections";
    let code = "smtp_service_unavailable";
    closed_by_fault(&field, Point::SmtpGreeting, reply(words), code, "");
}

#[test]
fn a_hang_up_in_ehlo_holds_the_queue() {
    let field = Field::new();
    let words = "closed the connection";
    closed_by_fault(
        &field,
        Point::SmtpHello,
        Action::Close,
        "connection_closed",
        words,
    );
}

#[test]
fn a_hang_up_at_starttls_holds_the_queue() {
    let field = Field::new();
    let words = "closed the connection";
    closed_by_fault(
        &field,
        Point::SmtpStartTls,
        Action::Close,
        "connection_closed",
        words,
    );
}

#[test]
fn a_refused_starttls_sends_nothing_in_the_clear() {
    let field = Field::new();
    let words = "454 4.7.0 TLS not available due to temporary reason";
    let queued = field.asked();
    field.says(Point::SmtpStartTls, words);
    let problem = field.send_step_closed(queued);
    assert!(problem.is_transient(), "{problem}");
    field.all_leave();
    field.everything_once();
}

#[test]
fn a_tls_handshake_cut_in_submission_holds_the_queue() {
    // Greeting, EHLO's answer and that to STARTTLS have some 300 bytes.
    let field = Field::new();
    let plan = Plan::cut(Way::ToClient, 450, End::Close);
    closed_by_plan(
        &field,
        plan,
        "tls_failed",
        "while encryption was being set up",
    );
}

#[test]
fn a_tls_handshake_that_stalls_in_submission_holds_the_queue() {
    let field = Field::new().hurried();
    let plan = Plan::cut(Way::ToClient, 450, End::Stall);
    closed_by_plan(&field, plan, "tls_timeout", "did not begin encryption");
}

#[test]
fn a_submission_refused_at_sign_in_once_is_mended_by_a_new_token() {
    let field = Field::new();
    let queued = field.asked();
    let words = "535 5.7.3 Authentication unsuccessful";
    field.says(Point::SmtpAuth, words);
    let _ = field.send_step();
    assert_eq!(field.delivery(queued).state, DeliveryState::Sent);
    assert_eq!(field.delivery(queued).attempts, 1);
    field.everything_once();
}

#[test]
fn a_hang_up_at_sign_in_holds_the_queue() {
    let field = Field::new();
    let words = "closed the connection";
    closed_by_fault(
        &field,
        Point::SmtpAuth,
        Action::Close,
        "connection_closed",
        words,
    );
}

#[test]
fn throttling_at_mail_from_is_waited_out() {
    let field = Field::new();
    let words = "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded";
    let code = "smtp_too_many_connections";
    refused(
        &field,
        Point::SmtpMail,
        reply(words),
        code,
        "at the same time",
    );
}

#[test]
fn a_hang_up_at_mail_from_is_tried_again() {
    let field = Field::new();
    let words = "closed the connection";
    refused(
        &field,
        Point::SmtpMail,
        Action::Close,
        "connection_closed",
        words,
    );
}

#[test]
fn a_passing_refusal_of_the_only_recipient_is_tried_again() {
    let field = Field::new();
    let words = "451 4.7.0 Temporary server error. Please try again later. PRX2";
    let code = "smtp_proxy_trouble";
    refused(&field, Point::SmtpRcpt, reply(words), code, "front door");
}

#[test]
fn a_lasting_refusal_of_the_only_recipient_fails_the_reply_and_no_other() {
    let field = Field::new();
    let queued = field.asked();
    field.says(Point::SmtpRcpt, "550 5.1.10 RESOLVER.ADR.RecipientNotFound");
    let told = "address";
    let failed = DeliveryState::Failed;
    let problem = field.tries(queued, failed, "smtp_recipient_unknown", told);
    assert_eq!(problem.disposition, Disposition::GiveUp);
    // Mended by a person, it leaves once.
    let (services, agent) = (&field.stage.services, &field.stage.admin.agent);
    let retried = services
        .work
        .retry_delivery(services, queued.delivery_id, agent);
    retried.unwrap();
    field.all_leave();
    field.everything_once();
}

#[test]
fn silence_at_rcpt_is_tried_again() {
    let field = Field::new().hurried();
    let words = "stopped answering";
    refused(
        &field,
        Point::SmtpRcpt,
        Action::Hang,
        "answer_timeout",
        words,
    );
}

#[test]
fn a_hang_up_at_data_is_tried_again() {
    let field = Field::new();
    let words = "closed the connection";
    refused(
        &field,
        Point::SmtpData,
        Action::Close,
        "connection_closed",
        words,
    );
}

#[test]
fn a_refusal_at_data_is_told_in_words() {
    let field = Field::new();
    let words = "452 4.3.1 Insufficient system resources";
    refused(
        &field,
        Point::SmtpData,
        reply(words),
        "smtp_later",
        "at the moment",
    );
}

/// A reply of 2 MB whose upload is interrupted in the middle.
fn interrupted(field: &Field, end: End) {
    field.deliver(1);
    field.stage.receives(field.id, 1);
    let queued = field.answer_large(2_000_000);
    field.smtp.set(Plan::cut(Way::ToServer, 500_000, end));
    let _ = field.send_step();
    let delivery = field.delivery(queued);
    let problem = delivery.problem.unwrap();
    // What the network had taken already counts as handed over: then it is looked for first.
    match delivery.state {
        QUEUED => assert_eq!(problem.code, "connection_closed"),
        other => assert_eq!(other, DeliveryState::Uncertain, "{problem}"),
    }
    assert_eq!(field.left(), Vec::<String>::new());
    field.all_leave();
    field.everything_once();
}

#[test]
fn an_upload_cut_in_the_middle_of_the_body_has_not_left_and_leaves_once() {
    interrupted(&Field::new(), End::Close);
}

#[test]
fn an_upload_reset_in_the_middle_of_the_body_has_not_left_and_leaves_once() {
    interrupted(&Field::new(), End::Reset);
}

#[test]
fn an_upload_on_a_slow_line_leaves_once() {
    let field = Field::new();
    field.asked();
    field.smtp.set(Plan::throttle(Way::ToServer, 20_000));
    let _ = field.send_step();
    field.all_leave();
    field.everything_once();
}

#[test]
fn a_long_way_to_the_submission_server_only_takes_longer() {
    let field = Field::new();
    field.asked();
    field.smtp.set(Plan::delay(Duration::from_millis(30)));
    let _ = field.send_step();
    field.all_leave();
    field.everything_once();
}
