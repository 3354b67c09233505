//! Tokens: Entra does not answer, answers in vain, or says no for good; its answer is lost; two ask at
//! once.

use std::time::Duration;

use mailhatch::model::{MailboxStatus, TakeFrom};
use mailhatch::problem::Disposition;
use mailhatch::providers::microsoft::Resource;
use mailhatch::store::{self, Store, Tx};
use mailhatch::work::credentials::{Freshness, access_token};
use mailhatch::work::{PollStep, connect};
use mailhatch_simulator::faults::{Action, Point};
use mailhatch_simulator::world::User;

use super::field::Field;
use crate::support::stage::until;

/// A message waits, and the access token has ended.
fn ended() -> Field {
    let field = Field::new();
    field.stage.clear_tokens(field.id);
    field.deliver(1);
    field
}

/// A passing failure of Entra's: nobody has to act, and it goes on by itself.
fn passing(field: &Field, point: Point, action: Action, code: &str, words: &str) {
    field.once(point, action);
    let problem = field.fails(code, words);
    assert!(problem.is_transient(), "{problem}");
    assert_eq!(field.stage.mailbox(field.id).status, MailboxStatus::Active);
    field.recovers(1);
    field.everything_once();
}

/// A refusal for good: the mailbox stops with its cause, and goes on when the cause goes.
fn lasting(action: Action, code: &str, status: MailboxStatus) {
    let field = ended();
    field
        .stage
        .simulator
        .faults()
        .always(Point::TokenRefresh, action);
    let problem = field.fails(code, "");
    assert!(!problem.is_transient(), "{problem}");
    assert_eq!(field.stage.mailbox(field.id).status, status);
    field.stage.simulator.faults().clear();
    field.recovers(1);
    assert_eq!(field.stage.mailbox(field.id).status, MailboxStatus::Active);
    field.everything_once();
}

fn entra(status: u16, error: &str, code: u32) -> Action {
    Action::Entra(
        status,
        error.to_owned(),
        code,
        "as told by Entra".to_owned(),
    )
}

#[test]
fn a_refresh_that_entra_is_too_busy_for_is_tried_again() {
    let busy = entra(503, "temporarily_unavailable", 90033);
    let words = "tries again";
    passing(&ended(), Point::TokenRefresh, busy, "AADSTS90033", words);
}

#[test]
fn a_hang_up_by_entra_is_tried_again() {
    let words = "broke off";
    let close = Action::Close;
    passing(
        &ended(),
        Point::TokenRefresh,
        close,
        "http_broken_off",
        words,
    );
}

#[test]
fn silence_of_entra_is_given_up_and_tried_again() {
    let words = "did not answer";
    let field = ended().hurried();
    passing(
        &field,
        Point::TokenRefresh,
        Action::Hang,
        "http_timeout",
        words,
    );
}

#[test]
fn an_error_page_in_place_of_entras_answer_is_tried_again() {
    let page = Action::Http(502, Vec::new(), "<html>Bad Gateway</html>".to_owned());
    let field = ended();
    field.once(Point::TokenRefresh, page);
    let step = field.stage.poll(field.id);
    let PollStep::Failed(problem) = step else {
        panic!("{step:?}");
    };
    assert!(problem.is_transient(), "{problem}");
    field.recovers(1);
    field.everything_once();
}

#[test]
fn an_answer_of_entras_that_was_lost_costs_no_sign_in() {
    let words = "broke off";
    let close = Action::Close;
    passing(
        &ended(),
        Point::TokenIssued,
        close,
        "http_broken_off",
        words,
    );
}

#[test]
fn a_revoked_sign_in_stops_the_mailbox_at_once_and_names_the_cause() {
    let revoked = entra(400, "invalid_grant", 50173);
    lasting(revoked, "AADSTS50173", MailboxStatus::NeedsSignIn);
}

#[test]
fn a_secret_that_has_ended_is_a_matter_for_an_administrator() {
    let ended = entra(401, "invalid_client", 7_000_222);
    lasting(ended, "AADSTS7000222", MailboxStatus::NeedsAdmin);
}

#[test]
fn a_refused_refresh_of_one_mailbox_leaves_the_others_alone() {
    let field = ended();
    let stage = &field.stage;
    let other = "other@harbourlights.example";
    stage
        .simulator
        .world()
        .add_user(User::work(&stage.demo.tenant_id, other, "Other"));
    let other_id = stage.consent("", other);
    connect::choose(&stage.services, other_id, TakeFrom::All, 0).unwrap();
    stage.simulator.entra().revoke(other, 50173);
    stage.clear_tokens(other_id);
    let _ = stage.poll(other_id);
    assert_eq!(stage.mailbox(other_id).status, MailboxStatus::NeedsSignIn);
    stage.receives(field.id, 1);
    field.everything_once();
}

#[test]
fn a_passing_failure_does_not_hide_why_a_person_must_act() {
    let field = ended();
    let faults = field.stage.simulator.faults();
    faults.always(Point::TokenRefresh, entra(400, "invalid_grant", 50173));
    field.fails("AADSTS50173", "");
    faults.clear();
    faults.once(Point::TokenRefresh, Action::Close);
    let _ = field.stage.poll(field.id);
    let mailbox = field.stage.mailbox(field.id);
    assert_eq!(mailbox.status, MailboxStatus::NeedsSignIn);
    let shown = mailbox.problem.unwrap();
    assert_eq!(shown.disposition, Disposition::NeedsSignIn, "{shown}");
    field.recovers(1);
    field.everything_once();
}

#[test]
fn a_new_token_that_cannot_be_stored_is_not_used() {
    let field = ended();
    let services = &field.stage.services;
    let wait = |tx: &Tx<'_>| store::Result::Ok(tx.execute_batch("PRAGMA busy_timeout = 100")?);
    services.store.write(wait).unwrap();
    let other = Store::open(services.store.path()).unwrap();
    let before = field.imap.connections();
    // Another program holds the database.
    let step = other.write(|_| store::Result::Ok(field.stage.poll(field.id)));
    let PollStep::Failed(problem) = step.unwrap() else {
        panic!("it did not fail");
    };
    assert_eq!(problem.code, "database_busy");
    assert_eq!(field.imap.connections(), before, "no server was spoken to");
    field.recovers(1);
    field.everything_once();
}

#[test]
fn two_who_need_a_token_at_once_refresh_it_once() {
    let field = ended();
    let faults = field.stage.simulator.faults();
    let slow = Action::Delay(Duration::from_millis(300));
    faults.once(Point::TokenRefresh, slow);
    // A second refresh would meet this.
    faults.always(Point::TokenRefresh, entra(400, "invalid_grant", 50173));
    let services = &field.stage.services;
    let ask = || access_token(services, field.id, Resource::Exchange, Freshness::Stored);
    let tokens: Vec<String> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
        all.into_iter()
            .map(|thread| thread.join().unwrap().unwrap().token)
            .collect()
    });
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    faults.clear();
    field.stage.receives(field.id, 1);
    field.everything_once();
}

#[test]
fn a_new_sign_in_made_during_a_refresh_is_kept() {
    let field = ended();
    let slow = Action::Delay(Duration::from_millis(500));
    field.once(Point::TokenRefresh, slow);
    let stored = || {
        let services = &field.stage.services;
        let find = |db: &store::Db| store::credentials::find(db, &services.sealer, field.id);
        let found = services.store.read(find).unwrap();
        found.unwrap().refresh_token
    };
    let signed_in = std::thread::scope(|scope| {
        let (stage, id) = (&field.stage, field.id);
        let polling = scope.spawn(move || stage.poll(id));
        until("it refreshes", || stage.simulator.faults().count() == 0);
        let before = stored();
        let begin = connect::Begin::Reconnect(id);
        let url = connect::begin(&stage.services, &stage.admin, &begin).unwrap();
        stage.come_back(&url, &stage.demo.support_upn).unwrap();
        let signed_in = stored();
        assert_ne!(signed_in, before);
        let _ = polling.join().unwrap();
        signed_in
    });
    assert_eq!(stored(), signed_in);
    field.recovers(u64::from(field.stored("incoming").is_empty()));
    field.everything_once();
}
