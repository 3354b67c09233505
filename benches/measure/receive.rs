//! How fast a full mailbox comes in: ten thousand mixed messages from real Dovecot into the store, each
//! parsed, filed and durable. Beside it: imaplib, which fetches the same mailbox and throws it away.

use std::time::{Duration, Instant};

use crate::common::desk::Desk;
use crate::common::process::{memory, processor_time};
use crate::common::rival::Rival;
use crate::common::table::{Table, progress};
use crate::common::{megabytes, mixture, rate, wait_until};

const MESSAGES: usize = 10_000;

struct Taken {
    bytes: u64,
    time: Duration,
    processor: Duration,
    peak_bytes: u64,
}

/// Prints the table.
pub(crate) fn run() {
    let columns = [
        "10,000 mixed messages from Dovecot over TLS",
        "Mailhatch",
        "imaplib, thrown away",
    ];
    let mut table = Table::new("receive", &columns);
    let desk = Desk::real(1);
    let (_, address) = &desk.mailboxes[0];
    progress("delivering");
    desk.deliver(address, (0..MESSAGES).map(mixture::message));
    progress("the rival fetches");
    let rivals = [imaplib(&desk), imaplib(&desk)];
    let rival = rivals.iter().min_by_key(|taken| taken.time).unwrap();
    progress("the program fetches");
    let ours = mailhatch(&desk, rival.bytes);
    let mut row = |name: &str, of: &dyn Fn(&Taken) -> String| {
        table.row(&[name.to_owned(), of(&ours), of(rival)]);
    };
    row("messages a second", &|taken| rate(MESSAGES, taken.time));
    row("megabytes a second", &|taken| {
        format!("{:.1}", megabytes(taken.bytes) / taken.time.as_secs_f64())
    });
    row("time in all", &|taken| {
        format!("{:.1} s", taken.time.as_secs_f64())
    });
    row("processor time", &|taken| {
        format!("{:.1} s", taken.processor.as_secs_f64())
    });
    row("memory at its highest (RSS)", &|taken| {
        format!("{:.0} MB", megabytes(taken.peak_bytes))
    });
    let stored = desk.stage.services.store.size_bytes();
    let (stored, fetched) = (megabytes(stored), megabytes(rival.bytes));
    table.row(&[
        "on the disk",
        &format!("{stored:.0} MB for {fetched:.0} MB"),
        "nothing",
    ]);
    table.print();
}

/// From the start of the program to the last message's fate.
fn mailhatch(desk: &Desk, bytes: u64) -> Taken {
    let began = Instant::now();
    let program = desk.serve();
    wait_until("every message has a fate", || {
        desk.count("SELECT COUNT(*) FROM fates") == MESSAGES
    });
    let time = began.elapsed();
    let taken = Taken {
        bytes,
        time,
        processor: processor_time(program.pid()),
        peak_bytes: memory(program.pid()).peak_bytes,
    };
    program.stop();
    let received = desk.count("SELECT COUNT(*) FROM messages");
    assert_eq!(received, MESSAGES, "each is another message");
    taken
}

fn imaplib(desk: &Desk) -> Taken {
    let mut rival = Rival::start("fetch", &desk.sign_ins());
    let answer: serde_json::Value = serde_json::from_str(&rival.line()).unwrap();
    assert_eq!(answer["messages"], MESSAGES);
    Taken {
        bytes: answer["bytes"].as_u64().unwrap(),
        time: Duration::from_secs_f64(answer["seconds"].as_f64().unwrap()),
        processor: Duration::from_secs_f64(answer["processor_seconds"].as_f64().unwrap()),
        peak_bytes: answer["peak_bytes"].as_u64().unwrap(),
    }
}
