//! How fast replies leave one mailbox over one connection when its provider sets no limit: queued, handed over to
//! real Postfix by STARTTLS and XOAUTH2, each attempt written down durably before and after. Beside it, to the
//! same Postfix: a bare loop that says lettre's commands over one connection, and smtplib; neither writes
//! anything down.

use std::time::{Duration, Instant};

use crate::common::desk::{CUSTOMER, Desk};
use crate::common::rival::Rival;
use crate::common::table::{Table, progress};
use crate::common::{mixture, rate};
use crate::interop::client::{Client, xoauth2};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use mailhatch::model::{Address, Direction, View};
use mailhatch::store;
use mailhatch::work::{SendStep, Sender, send_step};
use serde_json::{Value, json};

const REPLIES: usize = 500;
/// Text of a reply; with its head and its HTML form it has about 5 KB.
const TEXT_BYTES: usize = 2_000;
/// The rivals take turns with us, so that what else the machine does meets all.
const ROUNDS: usize = 3;

/// A reply as it leaves.
struct Letter {
    from: String,
    to: Vec<String>,
    raw: Vec<u8>,
}

/// Prints the table.
pub(crate) fn run() {
    let columns = [
        "500 replies of 5 KB to Postfix, one connection",
        "messages a second",
        "beside the bare loop",
    ];
    let mut table = Table::new("send", &columns);
    let mut desk = Desk::real(1);
    desk.stage
        .reconfigure(|config| config.messages_per_minute = Some(u32::MAX));
    // All at once: what Postfix says later of the rivals' mail is not to be taken for a question.
    let (id, address) = &desk.mailboxes[0];
    let questions = REPLIES * ROUNDS;
    desk.deliver(address, (0..questions).map(|n| mixture::message(n * 120)));
    desk.stage.receives(*id, questions as u64);
    let (mut ours, mut bare, mut smtplib) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        progress(&format!("round {} of {ROUNDS}", round + 1));
        let letters = queue(&desk);
        bare.push(bare_loop(&desk, &letters));
        ours.push(mailhatch(&desk));
        smtplib.push(python(&desk, &letters));
    }
    let best = |times: &[Duration]| *times.iter().min().unwrap();
    let limit = best(&bare);
    let mut row = |name: &str, times: &[Duration]| {
        let time = best(times);
        let share = format!("{:.0} %", limit.as_secs_f64() / time.as_secs_f64() * 100.0);
        table.row(&[name, &rate(REPLIES, time), &share]);
    };
    row("Mailhatch, each durable before and after", &ours);
    row("a bare loop with lettre's commands", &bare);
    row("smtplib", &smtplib);
    table.print();
}

/// Questions are answered; gives the answers.
fn queue(desk: &Desk) -> Vec<Letter> {
    let text = "Thank you for writing. It leaves today. ".repeat(TEXT_BYTES / 40);
    let mut letters = Vec::new();
    for conversation in desk
        .stage
        .conversations(View::Open)
        .into_iter()
        .take(REPLIES)
    {
        desk.stage.reply_with(conversation, &text, |draft| {
            draft.quote = false;
            draft.to = vec![Address::new("", CUSTOMER)];
        });
        let messages = desk.stage.messages(conversation);
        let reply = messages
            .iter()
            .find(|message| message.direction == Direction::Outgoing)
            .unwrap();
        let store = &desk.stage.services.store;
        let raw = store.read(|db| store::messages::find_raw(db, reply.id));
        let to = reply.recipients.to.iter();
        letters.push(Letter {
            from: reply.from.address.clone(),
            to: to.map(|who| who.address.clone()).collect(),
            raw: raw.unwrap().unwrap(),
        });
    }
    assert_eq!(letters.len(), REPLIES);
    let bytes: usize = letters.iter().map(|letter| letter.raw.len()).sum();
    progress(&format!("{} bytes each", bytes / REPLIES));
    letters
}

/// From the sender's first look to the last reply accepted, sign-in included.
fn mailhatch(desk: &Desk) -> Duration {
    let sent = || desk.count("SELECT COUNT(*) FROM deliveries WHERE state = 'sent'");
    let before = sent();
    let (services, id) = (&desk.stage.services, desk.mailboxes[0].0);
    let began = Instant::now();
    let mut sender = Sender::default();
    while send_step(services, &mut sender, id).unwrap() == SendStep::Worked {}
    let time = began.elapsed();
    assert_eq!(sent(), before + REPLIES);
    time
}

/// What every client must say, and nothing else; sign-in included.
fn bare_loop(desk: &Desk, letters: &[Letter]) -> Duration {
    let servers = desk.servers.as_ref().unwrap();
    let sign_ins = desk.sign_ins();
    let account = &sign_ins["accounts"][0];
    let word = |name: &str| account[name].as_str().unwrap();
    let began = Instant::now();
    let mut server = Client::tcp(servers.smtp_port()).unwrap();
    assert_eq!(server.reply().code, 220);
    assert_eq!(server.smtp("EHLO localhost").code, 250);
    assert_eq!(server.smtp("STARTTLS").code, 220);
    server.start_tls(servers.ca_pem()).unwrap();
    assert_eq!(server.smtp("EHLO localhost").code, 250);
    let login = xoauth2(word("user"), word("token"));
    assert_eq!(server.smtp("AUTH XOAUTH2").code, 334);
    assert_eq!(server.smtp(&login).code, 235);
    for letter in letters {
        let from = letter.from.parse().unwrap();
        let mut say = |command: &str, code: u16| {
            let reply = server.smtp(command.trim_end());
            assert_eq!(reply.code, code, "{command}{}", reply.text);
        };
        say(&Mail::new(Some(from), Vec::new()).to_string(), 250);
        for to in &letter.to {
            say(&Rcpt::new(to.parse().unwrap(), Vec::new()).to_string(), 250);
        }
        say(&Data.to_string(), 354);
        server.send_data(&letter.raw);
        assert_eq!(server.reply().code, 250);
    }
    assert_eq!(server.smtp("QUIT").code, 221);
    began.elapsed()
}

fn python(desk: &Desk, letters: &[Letter]) -> Duration {
    let mut mail = desk.sign_ins();
    let messages = letters.iter().map(|letter| {
        json!({ "from": letter.from, "to": letter.to, "raw": STANDARD.encode(&letter.raw) })
    });
    mail["messages"] = messages.collect();
    mail["connection_each"] = json!(false);
    let answer: Value = serde_json::from_str(&Rival::start("submit", &mail).line()).unwrap();
    Duration::from_secs_f64(answer["seconds"].as_f64().unwrap())
}
