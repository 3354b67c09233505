//! Killed at any instant and started again: every message is there once, every reply left once.

use std::collections::BTreeSet;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use mailhatch::clock::Clock;
use mailhatch::mail;
use mailhatch::model::{ConversationId, DeliveryState, MailboxId, TakeFrom, View};
use mailhatch::secret::random_bytes;
use mailhatch::store;
use mailhatch::work::connect;
use mailhatch_simulator::world::User;

use crate::support::child::Serve;
use crate::support::stage::{Stage, mail as write};

const MAILBOXES: usize = 10;
const REPLIES_EACH: usize = 20;
const MESSAGES_EACH: usize = 200;
const KILLS: usize = 10;

struct Desk {
    address: String,
    id: MailboxId,
}

/// Ten mailboxes, each with conversations whose answers are queued and with mail still to be fetched.
fn prepare(stage: &Stage) -> Vec<Desk> {
    let world = stage.simulator.world();
    (0..MAILBOXES)
        .map(|box_number| {
            let address = format!("desk{box_number}@harbourlights.example");
            world.add_user(User::work(&stage.demo.tenant_id, &address, "Desk"));
            for n in 0..REPLIES_EACH {
                deliver(stage, &address, box_number, n);
            }
            let id = stage.consent("", &address);
            connect::choose(&stage.services, id, TakeFrom::All, 0).unwrap();
            stage.receives(id, REPLIES_EACH as u64);
            Desk { address, id }
        })
        .collect()
}

fn deliver(stage: &Stage, address: &str, box_number: usize, n: usize) {
    // Sizes from one to sixty kilobytes.
    let text = "A question about a lamp. ".repeat(40 + (n % 60) * 40);
    let raw = write(
        &format!("Customer {n} <customer{n}@shop{box_number}.example>"),
        &format!("Question {n}"),
        &format!("q{n}@shop{box_number}.example"),
        "",
        &text,
    );
    assert!(stage.simulator.world().deliver(address, &raw));
}

fn queue_replies(stage: &Stage) -> usize {
    let numbers: Vec<ConversationId> = stage.conversations(View::Open);
    for number in &numbers {
        stage.reply(*number, "Here is the answer.");
    }
    numbers.len()
}

fn pause(millis: u64) {
    let (_keep, never) = mpsc::channel::<()>();
    let _ = never.recv_timeout(Duration::from_millis(millis));
}

#[test]
fn killed_ten_times_while_receiving_and_sending_it_loses_and_doubles_nothing() {
    let mut stage = Stage::with(Clock::System, &[]);
    let desks = prepare(&stage);
    assert_eq!(queue_replies(&stage), MAILBOXES * REPLIES_EACH);
    for (box_number, desk) in desks.iter().enumerate() {
        for n in REPLIES_EACH..REPLIES_EACH + MESSAGES_EACH {
            deliver(&stage, &desk.address, box_number, n);
        }
    }
    for _ in 0..KILLS {
        let serving = Serve::start(&stage);
        let [random] = random_bytes::<1>();
        pause(20 + u64::from(random) * 3);
        serving.kill();
    }
    // The rest of the way in this process, where time can be moved past the wait for Sent Items.
    let began = Instant::now();
    let clock = Clock::hand(stage.clock.now());
    stage.clock = clock.clone();
    stage.restart();
    while unfinished(&stage) > 0 {
        assert!(
            began.elapsed() < Duration::from_secs(120),
            "some replies never left"
        );
        for desk in &desks {
            stage.send_all(desk.id);
        }
        clock.advance(120);
    }
    for desk in &desks {
        let _ = stage.poll(desk.id);
    }
    everything_is_there_once(&stage, &desks);
}

fn unfinished(stage: &Stage) -> usize {
    let rows = stage
        .services
        .store
        .read(|db| store::deliveries::list_outbox(db, 1_000))
        .unwrap();
    assert!(
        rows.iter()
            .all(|row| row.delivery.state != DeliveryState::Failed),
        "a reply failed"
    );
    rows.len()
}

fn everything_is_there_once(stage: &Stage, desks: &[Desk]) {
    let submissions = stage.simulator.world().submissions();
    let ids: BTreeSet<String> = submissions
        .iter()
        .map(|submission| mail::parse(&submission.raw).0.message_id.unwrap())
        .collect();
    assert_eq!(submissions.len(), MAILBOXES * REPLIES_EACH, "replies left");
    assert_eq!(ids.len(), submissions.len(), "a reply left twice");
    let mut incoming = 0;
    for number in stage
        .conversations(View::Waiting)
        .into_iter()
        .chain(stage.conversations(View::Open))
    {
        let messages = stage.messages(number);
        let kinds: Vec<_> = messages.iter().map(|message| message.direction).collect();
        incoming += kinds
            .iter()
            .filter(|way| **way == mailhatch::model::Direction::Incoming)
            .count();
        assert!(kinds.len() <= 2, "conversation {number} holds {kinds:?}");
    }
    assert_eq!(
        incoming,
        desks.len() * (REPLIES_EACH + MESSAGES_EACH),
        "messages received"
    );
}
