//! Receives the mail of one mailbox: a session that stays in IDLE between polls, so that new mail
//! shows within a second, and a poll at every instant of the mailbox's cron text, which catches what
//! IDLE missed.

use std::time::{Duration, Instant};

use super::pace::Pace;
use super::refind::{self, Found};
use super::status::{Health, Line, LoopName};
use super::sync;
use super::wake::Wake;
use super::{Services, dial, schedule};
use crate::imap::{self, IdleEnd};
use crate::model::{Folder, FolderRole, Mailbox, MailboxId, MailboxStatus, Word as _};
use crate::net::Closer;
use crate::problem::{Disposition, Problem};
use crate::secret::random_bytes;
use crate::store;

/// IDLE is renewed well before the 29 minutes of RFC 2177 §3; Exchange ends quiet sessions sooner.
const IDLE_MAX: Duration = Duration::from_secs(9 * 60);
/// An IDLE that the server ends sooner than this was not quiet too long: something is wrong there.
const IDLE_MIN: Duration = Duration::from_secs(60);
/// Longest pause after failures that pass by themselves.
const PAUSE_MAX_SECONDS: i64 = 15 * 60;
/// Pause while a person must act; the cause may go away without anyone telling us.
const PERSON_PAUSE_SECONDS: i64 = 30 * 60;
/// Code of the problem of a mailbox that the server will not open for a user who has signed in.
const NOT_CONNECTED: &str = "imap_not_connected";
/// How long a mailbox that does not receive waits before it looks at its status again.
const RESTING_SECONDS: i64 = 3_600;

/// What a poller remembers between steps.
#[derive(Debug, Default)]
pub struct Poller {
    session: Option<imap::Session>,
    failures: u32,
    /// How often in a row the server ended IDLE at once.
    hang_ups: u32,
    /// A folder that could not be read this time, in words.
    left_out: Option<String>,
    pace: Pace,
}

/// What a step came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The mailbox does not receive now.
    Resting,
    /// All folders were read to their end; so many messages are new.
    Synced(u64),
    /// The stop came in between.
    CutShort,
    /// It failed; the mailbox says why.
    Failed(Problem),
}

/// Reads all watched folders of a mailbox once.
pub fn step(services: &Services, poller: &mut Poller, id: MailboxId, wake: &Wake) -> Step {
    let found = services.store.read(|db| store::mailboxes::find(db, id));
    let mailbox = match found {
        Ok(Some(mailbox)) if receives(&mailbox) => mailbox,
        Ok(_) => {
            poller.hang_up();
            return Step::Resting;
        }
        Err(error) => return poller.failed(error.to_problem()),
    };
    let _at_work = services.work.receive(id);
    match sync_all(services, poller, &mailbox, wake) {
        Ok(passed) if passed.cut_short => Step::CutShort,
        Ok(passed) => {
            poller.failures = 0;
            match note_synced(services, &mailbox, passed.received) {
                Ok(()) => Step::Synced(passed.received),
                Err(error) => {
                    tracing::error!(mailbox.id = id.0, %error,
                        "the mailbox's state could not be stored");
                    poller.failed(error.to_problem())
                }
            }
        }
        Err(problem) => {
            let problem = no_longer_passing(problem, poller.failures);
            note_failed(services, &mailbox, &problem);
            poller.failed(problem)
        }
    }
}

pub(super) fn receives(mailbox: &Mailbox) -> bool {
    !matches!(
        mailbox.status,
        MailboxStatus::Paused | MailboxStatus::Choosing
    )
}

impl Poller {
    fn hang_up(&mut self) {
        if let Some(session) = self.session.take() {
            // A server that has hung up already has said goodbye in its way.
            let _ = session.logout();
        }
    }

    fn failed(&mut self, problem: Problem) -> Step {
        // Whatever state the session is in, it is not worth a guess.
        self.session = None;
        self.failures = self.failures.saturating_add(1);
        Step::Failed(problem)
    }
}

fn sync_all(
    services: &Services,
    poller: &mut Poller,
    mailbox: &Mailbox,
    wake: &Wake,
) -> Result<sync::Passed, Problem> {
    let session = match &mut poller.session {
        Some(session) => session,
        empty => {
            say(services, mailbox.id, Health::Busy, "Connecting.");
            let hang_up = |closer: Closer| {
                wake.on_stop(Some(Box::new(move || closer.close())));
            };
            empty.insert(dial::imap(
                services,
                mailbox,
                mailbox.imap_user(),
                &hang_up,
            )?)
        }
    };
    let folders = folders(services, session, mailbox)?;
    let mut total = sync::Passed::default();
    let pace = &mut poller.pace;
    poller.left_out = None;
    for folder in in_order(&folders) {
        // As it is now: INBOX may come a second time.
        let found = services
            .store
            .read(|db| store::folders::find(db, folder.id))
            .map_err(|error| error.to_problem())?;
        let Some(folder) = found.as_ref().filter(|folder| folder.watched) else {
            continue;
        };
        let passed = match sync::folder(services, session, mailbox, folder, wake, pace) {
            Err(problem) if folder.role != FolderRole::Inbox => {
                let found = left_out(services, session, &folders, folder, problem)?;
                let passed = found.and_then(|folder| {
                    sync::folder(services, session, mailbox, &folder, wake, pace)
                });
                note_folder(services, folder, passed.as_ref().err());
                passed.or_else(|problem| {
                    if imap::explain::asks_for_pause(&problem) || session.noop().is_err() {
                        return Err(problem);
                    }
                    poller.left_out = Some(format!(
                        "{} is left out for now: {}",
                        folder.name, problem.sentence
                    ));
                    Ok(sync::Passed::default())
                })?
            }
            Ok(passed) => {
                note_folder(services, folder, None);
                passed
            }
            failed => failed?,
        };
        total.received += passed.received;
        total.cut_short |= passed.cut_short;
        if total.cut_short {
            break;
        }
    }
    Ok(total)
}

/// A folder other than INBOX that could not be read: looked for under another name, or left out for now, which
/// its page says. INBOX is what people wait for: no other folder holds it up while the session lives.
fn left_out(
    services: &Services,
    session: &mut imap::Session,
    folders: &[Folder],
    folder: &Folder,
    problem: Problem,
) -> Result<Result<Folder, Problem>, Problem> {
    if imap::explain::asks_for_pause(&problem) {
        return Err(problem);
    }
    let problem = match refind::find(services, session, folders, folder) {
        Ok(Found::Renamed(renamed)) => return Ok(Ok(renamed)),
        Ok(Found::StillThere) => problem,
        Ok(Found::Gone(gone)) => gone,
        // The session is what failed.
        Err(_) => return Err(problem),
    };
    if session.noop().is_err() {
        return Err(problem);
    }
    Ok(Err(problem))
}

/// Writes down what keeps a folder from being read, or that nothing does any more.
fn note_folder(services: &Services, folder: &Folder, problem: Option<&Problem>) {
    if folder.problem.as_ref() == problem && (problem.is_none() || !is_old(services, folder)) {
        return;
    }
    if let Some(problem) = problem {
        tracing::warn!(mailbox.id = folder.mailbox_id.0, folder.id = folder.id.0,
            code = %problem.code, "a folder is left out");
    }
    let now = services.clock.now();
    let stored = services
        .store
        .write(|tx| store::folders::update_problem(tx, folder, problem, now));
    if let Err(error) = stored {
        tracing::error!(folder.id = folder.id.0, %error, "a folder's state could not be stored");
    }
}

/// Whether what is wrong with a folder was found an hour ago or more.
fn is_old(services: &Services, folder: &Folder) -> bool {
    let now = services.clock.now();
    folder
        .problem_at
        .is_none_or(|at| !(0..3_600).contains(&now.saturating_sub(at)))
}

/// The order in which folders are read. INBOX comes last, so that IDLE waits on it; where further folders are
/// watched it comes first as well, for new mail must not wait until all of them have been looked into.
fn in_order(folders: &[Folder]) -> Vec<&Folder> {
    let of = |role: FolderRole| folders.iter().filter(move |folder| folder.role == role);
    let mut order = Vec::new();
    if of(FolderRole::Other).next().is_some() {
        order.extend(of(FolderRole::Inbox));
        order.extend(of(FolderRole::Other));
    }
    order.extend(of(FolderRole::Sent));
    order.extend(of(FolderRole::Inbox));
    order
}

/// The watched folders; found on the server the first time.
fn folders(
    services: &Services,
    session: &mut imap::Session,
    mailbox: &Mailbox,
) -> Result<Vec<Folder>, Problem> {
    let list = || {
        services
            .store
            .read(|db| store::folders::list(db, mailbox.id))
            .map(|mut all| {
                all.retain(|folder| folder.watched);
                all
            })
            .map_err(|error| error.to_problem())
    };
    let known = list()?;
    let complete = known.iter().any(|folder| folder.role == FolderRole::Sent);
    if !known.is_empty() && complete {
        return Ok(known);
    }
    let on_server = session.list_folders()?;
    let sent = on_server
        .into_iter()
        .find(|folder| folder.role == Some(imap::FolderRole::Sent));
    services
        .store
        .write(|tx| {
            store::folders::insert(tx, mailbox.id, "INBOX", "Inbox", FolderRole::Inbox)?;
            if let Some(sent) = &sent {
                let (raw, name) = (&sent.raw_name, &sent.name);
                store::folders::insert(tx, mailbox.id, raw, name, FolderRole::Sent)?;
            }
            Ok::<_, store::Error>(())
        })
        .map_err(|error| error.to_problem())?;
    list()
}

fn note_synced(services: &Services, mailbox: &Mailbox, received: u64) -> store::Result<()> {
    let now = services.clock.now();
    let received = i64::try_from(received).unwrap_or(i64::MAX);
    let recovered = mailbox.problem.is_some();
    // A quiet poll each minute writes nothing but the time; pages show it from the board.
    // A time ahead of now is of a clock that has been set back.
    let old = mailbox
        .last_sync_at
        .is_none_or(|at| !(0..60).contains(&(now - at)));
    if recovered || received > 0 || old {
        services
            .store
            .write(|tx| store::mailboxes::update_synced(tx, mailbox.id, received, now))?;
    }
    if recovered {
        tracing::info!(mailbox.id = mailbox.id.0, "the mailbox receives again");
        services.work.wake_alerts();
    }
    Ok(())
}

/// A mailbox that cannot be opened may be a passing trouble of Exchange's; the third time in a row it is
/// a right or a setting that is missing.
fn no_longer_passing(problem: Problem, failures: u32) -> Problem {
    if problem.code == NOT_CONNECTED && failures >= 2 {
        Problem {
            disposition: Disposition::NeedsAdmin,
            ..problem
        }
    } else {
        problem
    }
}

fn note_failed(services: &Services, mailbox: &Mailbox, problem: &Problem) {
    let needs = match problem.disposition {
        Disposition::RetryAfter { .. } => None,
        Disposition::NeedsSignIn => Some(MailboxStatus::NeedsSignIn),
        Disposition::NeedsAdmin | Disposition::GiveUp => Some(MailboxStatus::NeedsAdmin),
    };
    tracing::warn!(mailbox.id = mailbox.id.0, code = %problem.code,
        status = needs.unwrap_or(mailbox.status).word(), "receiving failed");
    let now = services.clock.now();
    let stored = services
        .store
        .write(|tx| store::mailboxes::update_failed(tx, mailbox.id, needs, problem, now));
    if let Err(error) = stored {
        tracing::error!(mailbox.id = mailbox.id.0, %error, "the mailbox's state could not be stored");
    }
    services.work.wake_alerts();
}

fn say(services: &Services, id: MailboxId, health: Health, sentence: impl Into<String>) {
    services
        .work
        .board()
        .set(LoopName::Poll(id), Line::new(health, sentence));
}

/// Runs until the stop: step, then IDLE or wait, then step again.
pub(super) fn run(services: &Services, id: MailboxId, wake: &Wake) {
    let mut poller = Poller::default();
    let jitter = jitter(id);
    while !wake.is_stopped() {
        let stepped = super::supervisor::guarded(services, LoopName::Poll(id), || {
            step(services, &mut poller, id, wake)
        });
        let now = services.clock.now();
        match stepped {
            Ok(Step::Synced(_)) => wait_for_mail(services, &mut poller, id, jitter, wake),
            Ok(Step::CutShort) => {}
            Ok(Step::Resting) => {
                say(
                    services,
                    id,
                    Health::Good,
                    "Not receiving: the mailbox is paused or not set up yet.",
                );
                rest(wake, RESTING_SECONDS);
            }
            Ok(Step::Failed(problem)) => {
                let pause = pause_seconds(&problem, poller.failures);
                say(
                    services,
                    id,
                    Health::Trouble,
                    format!("{} Next try in {}.", problem.sentence, span(pause)),
                );
                rest(wake, pause);
            }
            Err(()) => {
                poller = Poller::default();
                rest(wake, schedule::back_off(3, PAUSE_MAX_SECONDS, 0));
            }
        }
        tracing::trace!(mailbox.id = id.0, now, "the poller goes on");
    }
    wake.on_stop(None);
    poller.hang_up();
}

/// How long to wait after a failure.
pub(super) fn pause_seconds(problem: &Problem, failures: u32) -> i64 {
    let asked = i64::try_from(problem.wait_seconds()).unwrap_or(PERSON_PAUSE_SECONDS);
    let [random] = random_bytes::<1>();
    match problem.disposition {
        Disposition::RetryAfter { .. } => {
            let own = schedule::back_off(failures.max(1), PAUSE_MAX_SECONDS, random);
            // Who names a time, however short, has thought about it.
            if asked > 0 {
                asked + i64::from(random) * asked / 1024
            } else {
                own
            }
        }
        // The first refusals may yet be a passing fault on the other side: soon, then rarely.
        _ => schedule::back_off(
            failures.max(1).saturating_add(1),
            PERSON_PAUSE_SECONDS,
            random,
        ),
    }
}

pub(super) fn span(seconds: i64) -> String {
    if seconds < 90 {
        format!("{seconds} seconds")
    } else {
        format!("{} minutes", seconds / 60)
    }
}

fn rest(wake: &Wake, seconds: i64) {
    let _ = wake.wait(Duration::from_secs(u64::try_from(seconds).unwrap_or(1)));
}

/// A few seconds that differ between mailboxes and stay the same for one.
fn jitter(id: MailboxId) -> i64 {
    id.0.rem_euclid(20)
}

/// Waits until there is something to fetch: in IDLE where the server can, until the next poll.
fn wait_for_mail(
    services: &Services,
    poller: &mut Poller,
    id: MailboxId,
    jitter: i64,
    wake: &Wake,
) {
    let now = services.clock.now();
    let cron = match services.store.read(|db| store::mailboxes::find(db, id)) {
        Ok(Some(mailbox)) => mailbox.poll_cron,
        _ => return,
    };
    let next = schedule::next(&cron, jitter, now).unwrap_or(now + 60);
    let wait = Duration::from_secs(u64::try_from(next.saturating_sub(now)).unwrap_or(60).max(1));
    let Some(session) = poller.session.as_mut().filter(|session| session.has_idle()) else {
        say(services, id, Health::Good, "Waiting for the next poll.");
        let _ = wake.wait(wait);
        return;
    };
    let listening = "Listening: new mail shows within a second.";
    match &poller.left_out {
        None => say(services, id, Health::Good, listening),
        Some(words) => say(
            services,
            id,
            Health::Trouble,
            format!("{listening} {words}"),
        ),
    }
    let interrupt = session.interrupter();
    wake.on_wake(Some(Box::new(move || interrupt.interrupt())));
    let began = Instant::now();
    let ended = session.idle(wait.min(IDLE_MAX));
    wake.on_wake(None);
    // A ring that cut the IDLE short has been answered by ending it.
    let _ = wake.take();
    match ended {
        Ok(IdleEnd::NewMail | IdleEnd::Nothing) => poller.hang_ups = 0,
        Err(problem) => {
            // Quiet sessions are ended by servers now and then; only a failed step is worth a word.
            tracing::debug!(mailbox.id = id.0, code = %problem.code, "IDLE ended");
            poller.session = None;
            if began.elapsed() >= IDLE_MIN {
                poller.hang_ups = 0;
            } else {
                hung_up_on(services, poller, id, wait, wake);
            }
        }
    }
}

/// After a session that was ended soon a new one begins at once; where that happens again and again,
/// signing in each time would only make the server angry.
fn hung_up_on(
    services: &Services,
    poller: &mut Poller,
    id: MailboxId,
    until_poll: Duration,
    wake: &Wake,
) {
    poller.hang_ups = poller.hang_ups.saturating_add(1);
    let Some(times @ 1..) = poller.hang_ups.checked_sub(1) else {
        return;
    };
    let [random] = random_bytes::<1>();
    let pause = schedule::back_off(times, PAUSE_MAX_SECONDS, random);
    // The poll of the cron text comes in any case.
    let until_poll = i64::try_from(until_poll.as_secs()).unwrap_or(pause);
    let pause = pause.min(until_poll.max(1));
    say(
        services,
        id,
        Health::Good,
        format!(
            "The server keeps ending the connection that listens for new mail. Next look in {}.",
            span(pause)
        ),
    );
    rest(wake, pause);
}
