//! How soon new mail shows: from its delivery to the row in the store and to the event at an open page.
//! Beside it, on the same server and for the same messages: a bare client in IDLE that only hears of them.

use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use crate::common::desk::Desk;
use crate::common::http::Connection;
use crate::common::rival::Rival;
use crate::common::table::{Table, progress};
use crate::common::{millis, mixture, pause, percentile, wait_until};

const MESSAGES: usize = 100;

/// Times from delivery, one of each for every message.
#[derive(Default)]
struct Times {
    bare: Vec<Duration>,
    stored: Vec<Duration>,
    shown: Vec<Duration>,
}

/// Prints the table.
pub(crate) fn run() {
    let columns = ["from delivery, 100 messages", "median", "99 of 100 within"];
    let mut table = Table::new("push", &columns);
    for (name, desk) in [
        ("Dovecot", Desk::real(1)),
        ("the simulator", Desk::pretend(1)),
    ] {
        progress(name);
        let times = measure(&desk);
        let mut row = |what: &str, times: &[Duration]| {
            let at = |share: usize| millis(percentile(times, share));
            table.row(&[format!("{name}: {what}"), at(50), at(99)]);
        };
        row("bare IDLE client hears of it", &times.bare);
        row("Mailhatch has it in the store", &times.stored);
        row("Mailhatch's open page is told", &times.shown);
        let both = times.shown.iter().zip(&times.bare);
        let over: Vec<Duration> = both
            .map(|(shown, bare)| shown.saturating_sub(*bare))
            .collect();
        row("… after the bare client, message by message", &over);
    }
    table.print();
}

fn measure(desk: &Desk) -> Times {
    let (_, address) = &desk.mailboxes[0];
    let mut rival = Rival::start("idle", &desk.sign_ins());
    assert_eq!(rival.line(), "listening");
    let heard = stamps(rival.take_lines());
    let program = desk.serve();
    let shown = events(program.port, &desk.cookie());
    let mut times = Times::default();
    for n in 0..MESSAGES {
        wait_until("it listens", || program.listening() == 1);
        // Not always at the same distance from anybody's ticks.
        pause(Duration::from_millis(400 + (n as u64 * 37) % 200));
        while heard.try_recv().is_ok() || shown.try_recv().is_ok() {}
        let began = Instant::now();
        // Short texts, each the start of a conversation.
        desk.deliver(address, std::iter::once(mixture::message(n * 120)));
        wait_until("it is stored", || {
            desk.count("SELECT COUNT(*) FROM messages") == n + 1
        });
        times.stored.push(began.elapsed());
        let patience = Duration::from_secs(30);
        let at = shown.recv_timeout(patience).expect("the page is told");
        times.shown.push(at - began);
        let at = heard
            .recv_timeout(patience)
            .expect("the bare client hears of it");
        times.bare.push(at - began);
    }
    program.stop();
    times
}

/// When each of these lines came.
fn stamps(lines: impl Iterator<Item = String> + Send + 'static) -> Receiver<Instant> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for _ in lines {
            let _ = sender.send(Instant::now());
        }
    });
    receiver
}

/// When each event that the list has changed came to an open page.
fn events(port: u16, cookie: &str) -> Receiver<Instant> {
    let mut page = Connection::open(port, cookie).unwrap();
    let (status, _) = page.ask("/live").unwrap();
    assert_eq!(status, 200);
    let lines = std::iter::from_fn(move || page.line().ok());
    stamps(lines.filter(|line| line == "event: list"))
}
