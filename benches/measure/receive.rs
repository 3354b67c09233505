//! How fast a full mailbox comes in: ten thousand mixed messages from real Dovecot into the store, each
//! parsed, filed and durable. Beside it, from the same server: mbsync, which copies the mailbox into a Maildir,
//! and notmuch, which indexes it; and imaplib, which fetches and throws away.

use std::time::Instant;

use mailhatch::work::wake::Wake;
use mailhatch::work::{PollStep, Poller, poll_step};

use crate::common::archive::{self, Archive, Taken, disk_bytes};
use crate::common::desk::Desk;
use crate::common::process::{memory, processor_time};
use crate::common::rival::Rival;
use crate::common::table::{Table, progress};
use crate::common::{megabytes, millis, mixture, rate, wait_until};
use crate::support::child;

const MESSAGES: usize = 10_000;
/// An incremental sync is measured so often, and the best of them counts.
const TIMES: usize = 5;

/// Prints the tables.
pub(crate) fn run() {
    let desk = Desk::real(1);
    let (_, address) = &desk.mailboxes[0];
    progress("delivering");
    desk.deliver(address, (0..MESSAGES).map(mixture::message));
    let imap_port = desk.servers.as_ref().unwrap().imap_port();
    let archive = Archive::prepare(imap_port, address, &desk.ca_file());
    full(&desk, archive.as_ref());
    incremental(&desk, archive.as_ref());
    if let Err(sentence) = archive {
        progress(&sentence);
    }
}

fn full(desk: &Desk, archive: Result<&Archive, &String>) {
    let mut table = Table::new(
        "receive",
        &[
            "10,000 mixed messages from Dovecot over TLS",
            "time",
            "messages a second",
            "processor time",
            "memory at its highest",
            "on the disk",
        ],
    );
    progress("imaplib fetches");
    let (bare, bytes) = imaplib(desk);
    let mut rows: Vec<(&str, Taken, String)> = Vec::new();
    if let Ok(archive) = archive {
        progress("mbsync copies");
        let copied = archive.copy();
        assert_eq!(archive.messages(), MESSAGES);
        progress("notmuch indexes");
        let indexed = archive.index();
        let (mail, index) = archive.disk_bytes();
        let disk = |bytes: u64| format!("{:.0} MB", megabytes(bytes));
        rows.push(("mbsync: copied", copied, disk(mail)));
        rows.push(("notmuch new: indexed", indexed, disk(index)));
        rows.push((
            "mbsync, then notmuch new",
            copied.then(indexed),
            disk(mail + index),
        ));
    }
    progress("the program receives");
    let ours = mailhatch(desk);
    let stored = disk_bytes(desk.stage.services.store.path());
    let stored = format!("{:.0} MB", megabytes(stored));
    rows.insert(0, ("Mailhatch: parsed, threaded, durable", ours, stored));
    rows.push(("imaplib: thrown away", bare, "nothing".to_owned()));
    for (name, taken, disk) in rows {
        table.row(&[
            name.to_owned(),
            format!("{:.1} s", taken.time.as_secs_f64()),
            rate(MESSAGES, taken.time),
            format!("{:.1} s", taken.processor.as_secs_f64()),
            format!("{:.0} MB", megabytes(taken.peak_bytes)),
            disk,
        ]);
    }
    progress(&format!("{:.0} MB of mail", megabytes(bytes)));
    table.print();
}

/// From the start of the program to the last message's fate.
fn mailhatch(desk: &Desk) -> Taken {
    let began = Instant::now();
    let program = desk.serve();
    wait_until("every message has a fate", || {
        desk.count("SELECT COUNT(*) FROM fates") == MESSAGES
    });
    let taken = Taken {
        time: began.elapsed(),
        processor: processor_time(program.pid()),
        peak_bytes: memory(program.pid()).peak_bytes,
    };
    program.stop();
    let received = desk.count("SELECT COUNT(*) FROM messages");
    assert_eq!(received, MESSAGES, "each is another message");
    taken
}

/// What a bare client takes, and how many bytes of mail there are; the better of two runs.
fn imaplib(desk: &Desk) -> (Taken, u64) {
    let run = || {
        let mut rival = Rival::start("fetch", &desk.sign_ins());
        let answer: serde_json::Value = serde_json::from_str(&rival.line()).unwrap();
        assert_eq!(answer["messages"], MESSAGES);
        (Taken::told(&answer), answer["bytes"].as_u64().unwrap())
    };
    let runs = [run(), run()];
    runs.into_iter()
        .min_by_key(|(taken, _)| taken.time)
        .unwrap()
}

/// A sync that finds nothing new, the best of a few.
fn incremental(desk: &Desk, archive: Result<&Archive, &String>) {
    let mut table = Table::new(
        "receive",
        &["a sync of these with nothing new", "time", "processor time"],
    );
    let mut row = |name: &str, taken: Taken| {
        let processor = millis(taken.processor);
        table.row(&[name, &millis(taken.time), &processor]);
    };
    let best = |run: &dyn Fn() -> Taken| {
        (0..TIMES)
            .map(|_| run())
            .min_by_key(|taken| taken.time)
            .unwrap()
    };
    row("Mailhatch: the poll, in its open session", poll(desk));
    let (_, address) = &desk.mailboxes[0];
    let sync = || {
        let mut command = child::command(&desk.stage, &["mailbox", "sync", address]);
        archive::run(command.envs(desk.settings()))
    };
    row(
        "Mailhatch: `mailhatch mailbox sync`, with its start and sign-in",
        best(&sync),
    );
    if let Ok(archive) = archive {
        row("mbsync", best(&|| archive.copy()));
        row(
            "mbsync, then notmuch new",
            best(&|| archive.copy().then(archive.index())),
        );
    }
    table.print();
}

/// A poll of this very process, which has done one already.
fn poll(desk: &Desk) -> Taken {
    let (services, id) = (&desk.stage.services, desk.mailboxes[0].0);
    let (mut poller, wake) = (Poller::default(), Wake::default());
    let mut poll = || {
        let (began, used) = (Instant::now(), processor_time(std::process::id()));
        assert_eq!(
            poll_step(services, &mut poller, id, &wake),
            PollStep::Synced(0)
        );
        let processor = processor_time(std::process::id()) - used;
        Taken {
            time: began.elapsed(),
            processor,
            peak_bytes: 0,
        }
    };
    let _connects = poll();
    (0..TIMES)
        .map(|_| poll())
        .min_by_key(|taken| taken.time)
        .unwrap()
}
