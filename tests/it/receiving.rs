//! Mail that arrives becomes conversations, once, whatever happens on the way.

use mailhatch::model::{Fate, MailboxStatus, Status, TakeFrom, View};
use mailhatch::problem::Disposition;
use mailhatch::work::{PollStep, connect};
use mailhatch_simulator::faults::{Action, Point};

use crate::support::stage::{Stage, mail, until};

fn deliver(stage: &Stage, n: usize, more: &str) {
    let raw = mail(
        "Mia Brandt <mia@shop.example>",
        &format!("Order {n}"),
        &format!("order-{n}@shop.example"),
        more,
        &format!("Where is order {n}?"),
    );
    assert!(
        stage
            .simulator
            .world()
            .deliver(&stage.demo.support_address, &raw)
    );
}

#[test]
fn what_is_in_the_inbox_becomes_conversations_and_only_once() {
    let stage = Stage::new();
    for n in 0..3 {
        deliver(&stage, n, "");
    }
    let id = stage.connect();
    stage.receives(id, 3);
    stage.receives(id, 0);
    let open = stage.conversations(View::Open);
    assert_eq!(open.len(), 3);
    let newest = stage.conversation(open[0]);
    assert_eq!(newest.contact.name, "Mia Brandt");
    assert_eq!(
        stage.messages(open[0])[0].reply_text.trim(),
        "Where is order 2?"
    );
    assert_eq!(stage.fates(id, Fate::Received), 3);
}

#[test]
fn an_answer_joins_the_conversation_it_refers_to_and_opens_it_again() {
    let stage = Stage::new();
    deliver(&stage, 1, "");
    let id = stage.connect();
    stage.receives(id, 1);
    let number = stage.conversations(View::Open)[0];
    let now = stage.clock.now();
    mailhatch::desk::close(&stage.services.store, now, &stage.admin.agent, number).unwrap();
    deliver(&stage, 2, "In-Reply-To: <order-1@shop.example>\r\n");
    stage.receives(id, 1);
    assert_eq!(stage.messages(number).len(), 2);
    assert_eq!(stage.conversation(number).status, Status::Open);
}

#[test]
fn two_answers_to_a_message_we_never_saw_join_each_other() {
    let stage = Stage::new();
    deliver(&stage, 1, "References: <lost@shop.example>\r\n");
    deliver(&stage, 2, "References: <lost@shop.example>\r\n");
    let id = stage.connect();
    stage.receives(id, 2);
    assert_eq!(stage.conversations(View::Open).len(), 1);
}

#[test]
fn only_new_mail_is_taken_when_that_was_chosen() {
    let stage = Stage::new();
    let world = stage.simulator.world();
    let old = mail("a@shop.example", "Old", "old@shop.example", "", "old");
    world.deliver_at(
        &stage.demo.support_address,
        &old,
        stage.clock.now() - 90 * 86_400,
    );
    let id = stage.consent("", &stage.demo.support_upn);
    connect::choose(&stage.services, id, TakeFrom::New, 0).unwrap();
    stage.clock.advance(60);
    deliver(&stage, 1, "");
    stage.receives(id, 1);
    assert_eq!(stage.conversations(View::Open).len(), 1);
}

#[test]
fn new_uids_for_the_same_mail_bring_no_duplicates() {
    let stage = Stage::new();
    for n in 0..5 {
        deliver(&stage, n, "");
    }
    let id = stage.connect();
    stage.receives(id, 5);
    stage
        .simulator
        .world()
        .change_uid_validity(&stage.demo.support_address, "INBOX");
    deliver(&stage, 9, "");
    stage.receives(id, 1);
    assert_eq!(stage.fates(id, Fate::Duplicate), 5);
    assert_eq!(stage.conversations(View::Open).len(), 6);
}

#[test]
fn what_the_server_will_not_give_is_asked_for_again_and_blocks_nothing() {
    let stage = Stage::new();
    for n in 0..3 {
        deliver(&stage, n, "");
    }
    let world = stage.simulator.world();
    let address = &stage.demo.support_address;
    let uids: Vec<u32> = world
        .folder(address, "INBOX")
        .iter()
        .map(|stored| stored.uid)
        .collect();
    world.set_unfetchable(address, "INBOX", uids[0], true);
    world.set_stub(address, "INBOX", uids[1], true);
    let id = stage.connect();
    stage.receives(id, 1);
    assert_eq!(stage.fates(id, Fate::Absent), 1);
    assert_eq!(stage.fates(id, Fate::Stub), 1);
    world.set_unfetchable(address, "INBOX", uids[0], false);
    world.set_stub(address, "INBOX", uids[1], false);
    stage.receives(id, 0);
    stage.clock.advance(61);
    stage.receives(id, 2);
    assert_eq!(stage.fates(id, Fate::Received), 3);
}

#[test]
fn a_revoked_sign_in_stops_the_mailbox_with_its_cause_and_signing_in_again_mends_it() {
    let stage = Stage::new();
    let id = stage.connect();
    stage.receives(id, 0);
    stage
        .simulator
        .entra()
        .revoke(&stage.demo.support_upn, 50173);
    match stage.poll(id) {
        PollStep::Failed(problem) => {
            assert_eq!(problem.code, "AADSTS50173");
            assert_eq!(problem.disposition, Disposition::NeedsSignIn);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(stage.mailbox(id).status, MailboxStatus::NeedsSignIn);
    let url = connect::begin(
        &stage.services,
        &stage.admin,
        &connect::Begin::Reconnect(id),
    )
    .unwrap();
    stage.come_back(&url, &stage.demo.support_upn).unwrap();
    deliver(&stage, 1, "");
    stage.receives(id, 1);
    assert_eq!(stage.mailbox(id).status, MailboxStatus::Active);
    assert_eq!(stage.mailbox(id).problem, None);
}

#[test]
fn an_expired_token_is_renewed_without_a_word() {
    let stage = Stage::new();
    let id = stage.connect();
    stage.simulator.entra().expire_access_tokens();
    deliver(&stage, 1, "");
    stage.receives(id, 1);
}

#[test]
fn throttling_is_waited_out_for_as_long_as_the_server_asks() {
    let stage = Stage::new();
    let id = stage.connect();
    deliver(&stage, 1, "");
    let words = "NO Request is throttled. Suggested Backoff Time: 120000 milliseconds".to_owned();
    stage
        .simulator
        .faults()
        .once(Point::ImapSelect, Action::Reply(words));
    match stage.poll(id) {
        PollStep::Failed(problem) => assert_eq!(problem.wait_seconds(), 120),
        other => panic!("{other:?}"),
    }
    stage.receives(id, 1);
}

#[test]
fn new_mail_shows_while_the_loops_listen_and_they_stop_at_once() {
    let stage = Stage::with(mailhatch::clock::Clock::System, &[]);
    let id = stage.connect();
    let running = stage.run();
    until("the first sync", || {
        stage.mailbox(id).last_sync_at.is_some()
    });
    deliver(&stage, 1, "");
    until("the mail is there", || {
        stage.conversations(View::Open).len() == 1
    });
    let began = std::time::Instant::now();
    running.stop();
    assert!(
        began.elapsed() < std::time::Duration::from_secs(5),
        "the loops hang"
    );
}
