//! How fast replies leave: five hundred, queued in twenty mailboxes, so that Exchange's limit of thirty a
//! minute and mailbox is not in the way, handed over to real Postfix by STARTTLS and XOAUTH2. Each attempt
//! is written down durably before and after. Beside it: smtplib with the same mail and as many threads,
//! which writes nothing down.

use std::time::{Duration, Instant};

use crate::common::desk::Desk;
use crate::common::rival::Rival;
use crate::common::table::{Table, progress};
use crate::common::{mixture, rate, wait_until};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mailhatch::model::{Direction, View};
use mailhatch::store;
use serde_json::{Value, json};

const MAILBOXES: usize = 20;
const REPLIES_EACH: usize = 25;
const REPLIES: usize = MAILBOXES * REPLIES_EACH;

/// Prints the table.
pub(crate) fn run() {
    let columns = ["500 replies to Postfix", "replies a second", "time in all"];
    let mut table = Table::new("send", &columns);
    let desk = Desk::real(MAILBOXES);
    progress("questions");
    for (number, (id, address)) in desk.mailboxes.iter().enumerate() {
        // Short texts, none an answer to another.
        let numbers = (0..REPLIES_EACH).map(|n| (number * REPLIES_EACH + n) * 120);
        desk.deliver(address, numbers.map(mixture::message));
        desk.stage.receives(*id, REPLIES_EACH as u64);
    }
    for conversation in desk.stage.conversations(View::Open) {
        desk.stage
            .reply(conversation, "Thank you for writing. It leaves today.");
    }
    let mut mail = desk.sign_ins();
    mail["messages"] = replies(&desk);
    progress("sending");
    let kept = smtplib(&mut mail, false);
    let each = smtplib(&mut mail, true);
    let ours = mailhatch(&desk);
    let mut row = |name: &str, time: Duration| {
        let seconds = format!("{:.2} s", time.as_secs_f64());
        table.row(&[name, &rate(REPLIES, time), &seconds]);
    };
    row("Mailhatch, from its start", ours);
    row("smtplib, 20 threads, one connection each", kept);
    row("smtplib, 20 threads, one connection a message", each);
    table.print();
}

/// From the start of the program to the last reply accepted.
fn mailhatch(desk: &Desk) -> Duration {
    let began = Instant::now();
    let program = desk.serve();
    wait_until("all replies have left", || {
        desk.count("SELECT COUNT(*) FROM deliveries WHERE state = 'sent'") == REPLIES
    });
    let time = began.elapsed();
    program.stop();
    time
}

fn smtplib(mail: &mut Value, connection_each: bool) -> Duration {
    mail["connection_each"] = json!(connection_each);
    let answer: Value = serde_json::from_str(&Rival::start("submit", mail).line()).unwrap();
    Duration::from_secs_f64(answer["seconds"].as_f64().unwrap())
}

/// The queued replies as they will leave.
fn replies(desk: &Desk) -> Value {
    let stage = &desk.stage;
    let mut all = Vec::new();
    for conversation in stage.conversations(View::Waiting) {
        let messages = stage.messages(conversation);
        let reply = messages
            .iter()
            .find(|message| message.direction == Direction::Outgoing);
        let reply = reply.unwrap();
        let raw = stage
            .services
            .store
            .read(|db| store::messages::find_raw(db, reply.id));
        let to: Vec<&str> = reply
            .recipients
            .to
            .iter()
            .map(|who| who.address.as_str())
            .collect();
        let raw = STANDARD.encode(raw.unwrap().unwrap());
        all.push(json!({ "from": reply.from.address, "to": to, "raw": raw }));
    }
    assert_eq!(all.len(), REPLIES);
    Value::from(all)
}
