//! In charge of the people outside: who answers, who bounces, who is away.
//!
//! A correspondent's habit stands at the start of the address, at any outside domain:
//! `answers…@` answers after two seconds, `bounce…@` cannot be delivered to, `delay…@` is reported
//! late and answers after twenty seconds, `away…@` sends an automatic reply, `refuse…@` is refused
//! while the mail is handed in, `busy…@` is put off twice. Others stay silent unless
//! [`Options::answer_all`] is set.

mod answers;
mod bounce;
mod compose;
mod odd;
mod seed;
mod texts;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

pub use odd::seed_odd;
pub use seed::seed;

use crate::world::{Outgoing, Stop, World};

/// The reply for a recipient that does not exist.
pub(crate) const NOT_FOUND: &str = "550 5.1.10 RESOLVER.ADR.RecipientNotFound; \
     Recipient not found by SMTP address lookup";

/// The longest wait before the stop is looked at.
const TICK: Duration = Duration::from_millis(100);

/// How the correspondents behave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Everyone answers, not only `answers…@`; no-reply addresses stay silent.
    pub answer_all: bool,
    /// Time until an answer, a bounce or an automatic reply.
    pub answer_after: Duration,
    /// Time until `delay…@` answers.
    pub late_after: Duration,
    /// Somebody writes to this address of their own accord; see the next two fields.
    pub writes_to: Option<String>,
    /// Time between two such mails.
    pub writes_every: Duration,
    /// The most such mails.
    pub writes_most: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            answer_all: false,
            answer_after: Duration::from_secs(2),
            late_after: Duration::from_secs(20),
            writes_to: None,
            writes_every: Duration::from_secs(90),
            writes_most: 40,
        }
    }
}

/// The correspondents' thread, made by [`People::start`].
#[derive(Debug)]
pub struct People {
    world: Arc<World>,
    options: Options,
    /// What is to be done, by the time it is due and a number that keeps equal times apart.
    queue: BTreeMap<(Instant, u64), Job>,
    written: u32,
}

/// Something to be done later.
#[derive(Debug)]
enum Job {
    Answer(Outgoing, String),
    Away(Outgoing, String),
    Notice(Outgoing, String, bounce::Fate),
    Write,
}

/// What the server of an outside recipient says at RCPT; none lets the mail through.
pub(crate) fn verdict(world: &World, address: &str) -> Option<&'static str> {
    let local = address.split('@').next().unwrap_or_default().to_lowercase();
    if local.starts_with("refuse") {
        return Some(NOT_FOUND);
    }
    let busy = local.starts_with("busy") && world.count_try(address) < 2;
    busy.then_some("451 4.7.500 Server busy. Please try again later")
}

impl People {
    /// Lets the correspondents read mail from now on, until `stop`.
    pub fn start(world: Arc<World>, stop: Stop, options: Options) -> JoinHandle<()> {
        let (sender, receiver) = mpsc::channel();
        world.attach_outside(sender);
        let mut people = Self {
            world,
            options,
            queue: BTreeMap::new(),
            written: 0,
        };
        if people.options.writes_to.is_some() && people.options.writes_most > 0 {
            people.later(people.options.writes_every, Job::Write);
        }
        std::thread::spawn(move || people.live(&receiver, &stop))
    }

    fn live(&mut self, mail: &Receiver<Outgoing>, stop: &Stop) {
        while !stop.is_stopped() {
            let due = self.queue.first_key_value().map(|((due, _), _)| *due);
            let wait = due.map_or(TICK, |due| {
                due.saturating_duration_since(Instant::now()).min(TICK)
            });
            match mail.recv_timeout(wait) {
                Ok(outgoing) => self.read(&outgoing),
                Err(RecvTimeoutError::Timeout) => {}
                // Other correspondents took our place.
                Err(RecvTimeoutError::Disconnected) if self.queue.is_empty() => return,
                Err(RecvTimeoutError::Disconnected) => {
                    stop.wait(wait);
                }
            }
            while let Some(job) = self.next_due() {
                self.act(job);
            }
        }
    }

    fn next_due(&mut self) -> Option<Job> {
        let entry = self.queue.first_entry()?;
        (entry.key().0 <= Instant::now()).then(|| entry.remove())
    }

    fn later(&mut self, after: Duration, job: Job) {
        let number = self.world.next_serial();
        self.queue.insert((Instant::now() + after, number), job);
    }

    /// Decides what each recipient will do about a mail.
    fn read(&mut self, outgoing: &Outgoing) {
        let automatic = answers::is_automatic(&outgoing.raw);
        let (soon, late) = (self.options.answer_after, self.options.late_after);
        for recipient in &outgoing.recipients {
            let copy = || (outgoing.clone(), recipient.clone());
            let local = recipient
                .split('@')
                .next()
                .unwrap_or_default()
                .to_lowercase();
            let is = |start: &str| local.starts_with(start);
            let nobody = is("bounce") || is("refuse") || self.world.is_local_domain(recipient);
            if nobody {
                let (mail, by) = copy();
                self.later(soon, Job::Notice(mail, by, bounce::Fate::Failed));
            } else if is("delay") {
                let (mail, by) = copy();
                self.later(soon, Job::Notice(mail, by, bounce::Fate::Delayed));
                if !automatic {
                    let (mail, by) = copy();
                    self.later(late, Job::Answer(mail, by));
                }
            } else if automatic {
                // Nobody answers a machine (RFC 3834 section 2).
            } else if is("away") {
                let (mail, by) = copy();
                self.later(soon, Job::Away(mail, by));
            } else if is("answers")
                || (self.options.answer_all && !is("no-reply") && !is("noreply"))
            {
                let (mail, by) = copy();
                self.later(soon, Job::Answer(mail, by));
            }
        }
    }

    fn act(&mut self, job: Job) {
        let now = self.world.clock().now();
        let serial = self.world.next_serial();
        let (from, done) = match job {
            Job::Answer(mail, by) => {
                let done = answers::answer(&mail, &by, now, serial);
                (by, done)
            }
            Job::Away(mail, by) => {
                let done = answers::away(&mail, &by, now, serial);
                (by, done)
            }
            Job::Notice(mail, to, fate) => {
                // Exchange writes these itself; nothing arrives from outside.
                if let Some((address, raw)) = bounce::notice(&mail, &to, fate, now, serial) {
                    self.world.deliver(&address, &raw);
                }
                return;
            }
            Job::Write => {
                self.write(now, serial);
                return;
            }
        };
        if let Some((address, raw)) = done {
            self.world
                .deliver(&address, &compose::arrived(&raw, &from, now));
        }
    }

    /// Somebody writes of their own accord.
    fn write(&mut self, now: i64, serial: u64) {
        let Some(address) = self.options.writes_to.clone() else {
            return;
        };
        let (from, raw) = texts::fresh(self.written, &address, now, serial);
        self.world
            .deliver(&address, &compose::arrived(&raw, &from, now));
        self.written += 1;
        if self.written < self.options.writes_most {
            self.later(self.options.writes_every, Job::Write);
        }
    }
}

/// A number that is always the same for the same text.
fn number_of(text: &str) -> u32 {
    Sha256::digest(text)
        .iter()
        .take(4)
        .fold(0, |number: u32, byte| {
            number.wrapping_shl(8) | u32::from(*byte)
        })
}
