//! What it costs to have the program run: size, time to the first page, memory, threads and processor
//! time with twenty mailboxes in IDLE. Beside it: Python's web server, and a Python program that only
//! holds the same twenty IDLE connections.

use std::time::Duration;

use crate::common::desk::Desk;
use crate::common::process::{Memory, memory, processor_time};
use crate::common::program::Program;
use crate::common::rival::{self, Rival};
use crate::common::table::{Table, progress};
use crate::common::{megabytes, millis, mixture, pause, percentile, wait_until};

const MAILBOXES: usize = 20;
const MESSAGES_EACH: usize = 50;
const STARTS: usize = 10;
/// One poll of every mailbox falls into it.
const IDLE: Duration = Duration::from_secs(60);

/// What idling costs.
struct Idle {
    memory: Memory,
    processor: Duration,
}

/// Prints the table.
pub(crate) fn run() {
    let columns = ["with 20 mailboxes", "Mailhatch", "limit", "beside it"];
    let mut table = Table::new("appliance", &columns);
    let size = std::fs::metadata(Program::file()).unwrap().len();
    let size = format!("{:.1} MB", megabytes(size));
    table.row(&["the program, one stripped file", &size, "30 MB", ""]);
    let desk = Desk::pretend(MAILBOXES);
    for (number, (_, address)) in desk.mailboxes.iter().enumerate() {
        let numbers = (0..MESSAGES_EACH).map(|n| number * MESSAGES_EACH + n);
        desk.deliver(address, numbers.map(mixture::message));
    }
    progress("first sync");
    let synced = idle(&desk, "after the first sync");
    let started = idle(&desk, "after a restart");
    let rival = idle_rival(&desk);
    idle_rows(&mut table, &synced, &started, &rival);
    starts(&desk, &mut table);
    table.print();
}

/// Serves until every mailbox is in sync and listens, then watches it do nothing.
fn idle(desk: &Desk, when: &str) -> Idle {
    let program = desk.serve();
    wait_until("the mail is there", || {
        desk.count("SELECT COUNT(*) FROM messages") == MAILBOXES * MESSAGES_EACH
    });
    wait_until("all listen", || program.listening() == MAILBOXES);
    progress(&format!("idle {when}: {:?}", memory(program.pid())));
    let idle = watch(program.pid());
    assert_eq!(program.listening(), MAILBOXES);
    program.stop();
    idle
}

fn watch(pid: u32) -> Idle {
    let before = processor_time(pid);
    pause(IDLE);
    Idle {
        memory: memory(pid),
        processor: processor_time(pid) - before,
    }
}

fn idle_rival(desk: &Desk) -> Idle {
    progress("the rival idles");
    let mut rival = Rival::start("idle", &desk.sign_ins());
    assert_eq!(rival.line(), "listening");
    watch(rival.pid())
}

fn idle_rows(table: &mut Table, synced: &Idle, started: &Idle, rival: &Idle) {
    let bytes = |bytes: u64| format!("{:.1} MB", megabytes(bytes));
    let who = "Python with the same 20 connections";
    let mut row = |name: &str, mine: String, limit: &str, other: String| {
        table.row(&[name, &mine, limit, &other]);
    };
    row(
        "resident memory (RSS), idle after taking 1,000 messages",
        bytes(synced.memory.rss_bytes),
        "60 MB",
        format!("{} {who}", bytes(rival.memory.rss_bytes)),
    );
    row(
        "… of it heap and stacks",
        bytes(synced.memory.anonymous_bytes),
        "",
        bytes(rival.memory.anonymous_bytes),
    );
    row(
        "… at its highest",
        bytes(synced.memory.peak_bytes),
        "",
        bytes(rival.memory.peak_bytes),
    );
    row(
        "resident memory (RSS), idle after a restart",
        bytes(started.memory.rss_bytes),
        "60 MB",
        String::new(),
    );
    row(
        "… its proportional share (PSS)",
        bytes(started.memory.pss_bytes),
        "",
        bytes(rival.memory.pss_bytes),
    );
    row(
        "threads",
        started.memory.threads.to_string(),
        "",
        rival.memory.threads.to_string(),
    );
    row(
        "processor time in 60 s of idling, a poll of each mailbox included",
        format!("{:.2} s", started.processor.as_secs_f64()),
        "",
        format!("{:.2} s without any poll", rival.processor.as_secs_f64()),
    );
}

/// Starts both in turn, so that what else the machine does meets both.
fn starts(desk: &Desk, table: &mut Table) {
    let python = rival::python();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("page.html"), "hello").unwrap();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let program = desk.serve();
        ours.push(program.started_in);
        program.stop();
        theirs.push(Rival::web_server(&python, folder.path()).2);
    }
    progress(&format!("starts: {ours:?}, python: {theirs:?}"));
    let median = |times: &[Duration]| millis(percentile(times, 50));
    let most = |times: &[Duration]| millis(percentile(times, 100));
    table.row(&[
        "start to first page, median of 10",
        &median(&ours),
        "200 ms",
        &format!("{} `python3 -m http.server`", median(&theirs)),
    ]);
    table.row(&["… slowest", &most(&ours), "200 ms", &most(&theirs)]);
}
