//! The whole of it: set up, storm, closing, verdict.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use mailhatch::clock::Clock;
use mailhatch_simulator::{Options, Simulator};

use crate::book::{Book, pause};
use crate::closing;
use crate::judge::{Verdict, judge, prove};
use crate::office::Office;
use crate::people;
use crate::random::Random;
use crate::side::{self, Side};
use crate::storm::Storm;

/// How long, how many, and which.
#[derive(Debug, Clone, Copy)]
struct Wish {
    seconds: u64,
    mailboxes: usize,
    seed: u64,
    /// Messages a minute to each mailbox.
    rate: usize,
    /// Something goes wrong this often, on average.
    fault_every_millis: usize,
}

/// How long the running program may take to come to rest.
const REST: Duration = Duration::from_secs(480);

fn say(sentence: &str) {
    let _ = writeln!(std::io::stderr(), "{sentence}");
}

#[test]
fn a_short_soak_loses_and_doubles_nothing() {
    let wish = Wish {
        seconds: 20,
        mailboxes: 8,
        seed: 4,
        rate: 40,
        fault_every_millis: 1_000,
    };
    soak(wish, Duration::from_secs(3));
}

#[test]
#[ignore = "run by `just soak`"]
fn a_long_soak_loses_and_doubles_nothing() {
    let words = std::env::var("TEST_SOAK").unwrap_or_default();
    let words: Vec<u64> = words
        .split_whitespace()
        .map(|word| word.parse().unwrap())
        .collect();
    let word = |at: usize| words.get(at).copied();
    let wish = Wish {
        seconds: word(0).unwrap_or(600),
        mailboxes: usize::try_from(word(1).unwrap_or(50)).unwrap(),
        seed: word(2).unwrap_or_else(|| Clock::System.now().unsigned_abs()),
        rate: usize::try_from(word(3).unwrap_or(6)).unwrap(),
        fault_every_millis: 2_500,
    };
    let rest = word(4).map_or(REST, Duration::from_secs);
    soak(wish, rest.min(Duration::from_secs(wish.seconds)));
}

/// Ends everybody's work also when something panics.
struct Finish<'a>(&'a Book);

impl Drop for Finish<'_> {
    fn drop(&mut self) {
        self.0.finish();
    }
}

fn soak(wish: Wish, rest: Duration) {
    say(&format!("{wish:?}"));
    let mut random = Random::new(wish.seed);
    let simulator = Arc::new(Simulator::start(Options::default()).unwrap());
    let offices = set_up(&simulator, wish.mailboxes);
    let book = Book::default();
    let struck = storm(wish, &mut random, &simulator, &offices, &book);
    let mut verdict = Verdict::default();
    let mut left = 0;
    for (found, late) in close(&offices, &book, rest) {
        verdict.add(found);
        left += late;
    }
    let kills: usize = offices
        .iter()
        .map(|office| office.kills.load(Ordering::SeqCst))
        .sum();
    report(wish, &book, &verdict, &format!("{struck:?}"), (kills, left));
    assert!(
        verdict.is_good(),
        "not as it must be with {wish:?}: {verdict:#?}"
    );
}

fn set_up(simulator: &Arc<Simulator>, mailboxes: usize) -> Vec<Office> {
    let demo = simulator.populate("http://localhost:8025/microsoft/callback");
    let consented = |app: &mut mailhatch_simulator::entra::App| app.admin_consented = true;
    assert!(simulator.entra().update_app(&demo.client_id, consented));
    let many = mailboxes * 2 / 5;
    let pretended = side::pretend(simulator, &demo.tenant_id, mailboxes - many);
    let (servers, real) = side::real(simulator, &demo.tenant_id, many);
    let offices = vec![
        Office::new(
            "Microsoft",
            simulator,
            &demo,
            Side::Pretend(Arc::clone(simulator)),
            pretended,
        ),
        Office::new("Dovecot", simulator, &demo, servers, real),
    ];
    say(&format!("connecting {mailboxes} mailboxes"));
    std::thread::scope(|scope| {
        for office in &offices {
            scope.spawn(|| {
                office.start();
                office.connect_all(simulator);
            });
        }
    });
    offices
}

fn storm(
    wish: Wish,
    random: &mut Random,
    simulator: &Simulator,
    offices: &[Office],
    book: &Book,
) -> std::collections::BTreeMap<&'static str, usize> {
    std::thread::scope(|scope| {
        let finish = Finish(book);
        for office in offices {
            let per_minute = wish.rate * office.desks.len();
            let [first, second] = [random.branch(), random.branch()];
            scope.spawn(move || people::customers(office, book, first, per_minute));
            scope.spawn(move || people::colleagues(office, book, second));
            for _ in 0..3 {
                let own = random.branch();
                // Three agents answer half of what comes.
                let between = Duration::from_secs_f64(60.0 * 3.0 * 2.0 / per_minute as f64);
                scope.spawn(move || people::agent(office, book, own, between));
            }
        }
        let mut storm = Storm::new(offices, simulator, random.branch());
        let (began, mut next, mut told) = (Instant::now(), Duration::from_secs(2), Duration::ZERO);
        while began.elapsed().as_secs() < wish.seconds {
            pause(Duration::from_millis(100));
            storm.mend_due();
            if began.elapsed() >= next {
                let words = storm.strike();
                say(&format!(
                    "{:>5.1} s  {words}",
                    began.elapsed().as_secs_f64()
                ));
                let wait =
                    random.between(wish.fault_every_millis / 3, wish.fault_every_millis * 5 / 3);
                next = began.elapsed() + Duration::from_millis(wait as u64);
            }
            for office in offices {
                assert!(!office.has_died(), "{} ended by itself", office.name);
            }
            if began.elapsed() >= told {
                let (letters, replies, accepted) = book.counts();
                say(&format!(
                    "{:>5.1} s of {}: {letters} messages, {replies} replies written, {accepted} on their way",
                    began.elapsed().as_secs_f64(),
                    wish.seconds
                ));
                told = began.elapsed() + Duration::from_secs(5);
            }
        }
        drop(finish);
        storm.end()
    })
}

/// Brings every office to rest and judges it; with how many replies were left to the moved clock.
fn close(offices: &[Office], book: &Book, rest: Duration) -> Vec<(Verdict, usize)> {
    let (letters, replies) = (book.letters(), book.replies());
    std::thread::scope(|scope| {
        let all: Vec<_> = offices
            .iter()
            .map(|office| {
                let (letters, replies) = (&letters, &replies);
                scope.spawn(move || {
                    office.stop_in_order();
                    office.start();
                    say(&format!(
                        "{}: coming to rest, {} s at most",
                        office.name,
                        rest.as_secs()
                    ));
                    let late = closing::wait(office, rest);
                    office.stop_in_order();
                    say(&format!(
                        "{}: {late} replies left to the moved clock",
                        office.name
                    ));
                    let services = closing::finish(office);
                    let verdict = judge(office, &services, letters, replies);
                    if verdict.is_good() {
                        prove(office, &services, letters, replies);
                    }
                    (verdict, late)
                })
            })
            .collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

fn report(wish: Wish, book: &Book, verdict: &Verdict, struck: &str, (kills, left): (usize, usize)) {
    let (letters, replies, _) = book.counts();
    let count = |number: &std::sync::atomic::AtomicUsize| number.load(Ordering::SeqCst);
    let rows = [
        ("messages put into watched folders", letters),
        ("of these given to the server twice", count(&book.repeated)),
        ("moved away and back", count(&book.moved)),
        ("stored once", verdict.received),
        ("lost", verdict.lost_in.len()),
        ("doubled in", verdict.doubled_in.len()),
        ("UIDs on the servers with their fate", verdict.uids),
        ("replies written", replies),
        ("taken by the page", verdict.accepted),
        ("stored", verdict.stored),
        ("given up before they were stored", verdict.never),
        ("requests cut off", count(&book.cut)),
        ("presses beyond the first", count(&book.pressed_again)),
        ("copies that customers have", verdict.arrived),
        ("lost", verdict.lost_out.len()),
        ("doubled out", verdict.doubled_out.len()),
        (
            "left to a person, for nobody can know",
            verdict.unknown.len(),
        ),
        (
            "settled by the moved clock",
            left.saturating_sub(verdict.unknown.len()),
        ),
        ("SIGKILL", kills),
    ];
    let mut text = format!(
        "\n| seed {} | {} mailboxes, {} s |\n|---|---|\n",
        wish.seed, wish.mailboxes, wish.seconds
    );
    for (what, number) in rows {
        text.push_str(&format!("| {what} | {number} |\n"));
    }
    text.push_str(&format!("\nfaults: {struck}\n"));
    for line in &verdict.unknown {
        text.push_str(&format!("a person decides: {line}\n"));
    }
    std::io::stdout().write_all(text.as_bytes()).unwrap();
}
