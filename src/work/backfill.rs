//! Fetches older mail of one mailbox by date range: newest first, in small batches, over a connection of
//! its own, and only while the poller has nothing to do.
//!
//! What is left to do is not written down: it is what the server lists in the range and the ledger has no
//! fate for. So it goes on after a restart, a lost session or another UIDVALIDITY by listing again.

mod listing;
mod preview;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::pace::Pace;
use super::poller::{pause_seconds, receives, span};
use super::refind::{self, Found};
use super::status::{Health, Line, LoopName};
use super::sync::{self, Pass};
use super::wake::{Wake, Woken};
use super::{Services, dial};
use crate::imap;
use crate::model::{
    Backfill, BackfillFolder, BackfillFolderState, BackfillState, Folder, FolderId, Mailbox,
    MailboxId,
};
use crate::net::Closer;
use crate::problem::{Disposition, Problem};
use crate::store;
use listing::Listing;
pub use preview::{Preview, preview};

/// Most messages fetched at once: a batch is what new mail may have to wait for.
const BATCH_MESSAGES: usize = 25;
/// Most bytes fetched at once, by the server's estimates.
const BATCH_BYTES: u64 = 1024 * 1024;
/// Sizes are asked for so many messages at a time.
const STRETCH: usize = 250;
/// It rests after each batch as long as that took, within these bounds: half of the time is others'.
const BREATH_MIN: Duration = Duration::from_millis(20);
const BREATH_MAX: Duration = Duration::from_secs(2);
/// How soon it looks again whether the poller is done.
const GIVE_WAY: Duration = Duration::from_secs(1);
/// How soon it looks again whether a mailbox that does not receive does again.
const WAIT: Duration = Duration::from_secs(30);
/// Longest pause after failures that pass by themselves.
const FAULT_PAUSE: Duration = Duration::from_secs(120);

/// What a loop remembers between steps.
#[derive(Debug, Default)]
pub struct Backfiller {
    session: Option<imap::Session>,
    open: Option<Open>,
    failures: u32,
    pace: Pace,
}

/// The folder being read.
#[derive(Debug)]
struct Open {
    folder: Folder,
    uid_validity: u32,
    /// What has not been cut into batches yet, oldest first.
    wanted: Vec<u32>,
    batches: VecDeque<Vec<u32>>,
}

/// What a step came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing is asked for (any more).
    Nothing,
    /// A batch was stored, or a folder begun or ended; so many messages are new.
    Fetched(u64),
    /// Something else comes first.
    GivesWay(&'static str),
    /// It is over.
    Ended,
    /// The stop came in between.
    CutShort,
    /// It failed and is tried again; the backfill says why.
    Failed(Problem),
}

/// Fetches one batch of what is asked for in a mailbox.
pub fn step(services: &Services, backfiller: &mut Backfiller, id: MailboxId, wake: &Wake) -> Step {
    let found = services.store.read(|db| {
        let backfill = store::backfills::find_newest(db, id)?;
        Ok::<_, store::Error>(backfill.zip(store::mailboxes::find(db, id)?))
    });
    let (backfill, mailbox) = match found {
        Ok(Some((backfill, mailbox))) if backfill.state == BackfillState::Running => {
            (backfill, mailbox)
        }
        Ok(_) => {
            backfiller.hang_up();
            return Step::Nothing;
        }
        Err(error) => return backfiller.failed(error.to_problem()),
    };
    if let Some(reason) = comes_first(services, &mailbox) {
        if reason != NEW_MAIL {
            // The server counts connections.
            backfiller.hang_up();
        }
        return Step::GivesWay(reason);
    }
    match backfiller.work_on(services, &mailbox, &backfill, wake) {
        Ok(step) => {
            backfiller.failures = 0;
            if backfill.problem.is_some() && step != Step::Ended {
                note(services, &backfill, None);
            }
            step
        }
        Err(_) if wake.is_stopped() => {
            backfiller.session = None;
            backfiller.open = None;
            Step::CutShort
        }
        Err(problem) if problem.disposition == Disposition::GiveUp => {
            backfiller.hang_up();
            end(services, &backfill, BackfillState::Failed, Some(&problem))
        }
        Err(problem) => {
            tracing::warn!(mailbox.id = id.0, backfill.id = backfill.id.0, code = %problem.code,
                "fetching older mail failed");
            note(services, &backfill, Some(&problem));
            backfiller.failed(problem)
        }
    }
}

const NEW_MAIL: &str = "Gives way to new mail.";

/// What comes before older mail.
fn comes_first(services: &Services, mailbox: &Mailbox) -> Option<&'static str> {
    if !receives(mailbox) {
        return Some("Waits, for the mailbox is paused or not set up yet.");
    }
    if mailbox.problem.is_some() {
        return Some("Waits until the mailbox receives again.");
    }
    services.work.is_receiving(mailbox.id).then_some(NEW_MAIL)
}

fn no_mailbox() -> Problem {
    Problem::new(
        "no_mailbox",
        Disposition::GiveUp,
        "There is no such mailbox any more.",
        "Choose one in the list of mailboxes.",
    )
}

/// Writes down what holds a backfill up, or that nothing does.
fn note(services: &Services, backfill: &Backfill, problem: Option<&Problem>) {
    let stored = services
        .store
        .write(|tx| store::backfills::update_problem(tx, backfill, problem));
    if let Err(error) = stored {
        tracing::error!(backfill.id = backfill.id.0, %error, "a backfill's state could not be stored");
    }
}

/// Ends a backfill.
fn end(
    services: &Services,
    backfill: &Backfill,
    state: BackfillState,
    problem: Option<&Problem>,
) -> Step {
    let now = services.clock.now();
    let running = [BackfillState::Running];
    let stored = services
        .store
        .write(|tx| store::backfills::update_state(tx, backfill, &running, state, problem, now));
    match stored {
        Ok(_) => {
            tracing::info!(mailbox.id = backfill.mailbox_id.0, backfill.id = backfill.id.0,
                received = backfill.received(), state = %state, "fetching older mail has ended");
            Step::Ended
        }
        Err(error) => Step::Failed(error.to_problem()),
    }
}

impl Backfiller {
    fn hang_up(&mut self) {
        self.open = None;
        if let Some(session) = self.session.take() {
            // A server that has hung up already has said goodbye in its way.
            let _ = session.logout();
        }
    }

    fn failed(&mut self, problem: Problem) -> Step {
        self.session = None;
        self.open = None;
        self.failures = self.failures.saturating_add(1);
        Step::Failed(problem)
    }

    fn work_on(
        &mut self,
        services: &Services,
        mailbox: &Mailbox,
        backfill: &Backfill,
        wake: &Wake,
    ) -> Result<Step, Problem> {
        let waiting = |folder: &&BackfillFolder| folder.state == BackfillFolderState::Waiting;
        let Some(part) = backfill.folders.iter().find(waiting) else {
            self.hang_up();
            return Ok(finish(services, backfill));
        };
        let mut session = match self.session.take() {
            Some(session) => session,
            None => connect(services, mailbox, wake)?,
        };
        let open = match self
            .open
            .take()
            .filter(|open| open.folder.id == part.folder_id)
        {
            Some(open) => open,
            None => match open(services, &mut session, backfill, part.folder_id)? {
                Opened::Folder(open) => open,
                Opened::Later => {
                    services.work.wake_poller(mailbox.id);
                    return Err(sync::read_anew());
                }
                Opened::Gone => {
                    self.session = Some(session);
                    end_folder(
                        services,
                        backfill,
                        part.folder_id,
                        BackfillFolderState::Gone,
                    )?;
                    return Ok(Step::Fetched(0));
                }
            },
        };
        let (step, open) = self.read(services, mailbox, backfill, &mut session, open, wake)?;
        self.session = Some(session);
        self.open = open;
        Ok(step)
    }

    /// Fetches the next batch of the open folder, or ends the folder.
    fn read(
        &mut self,
        services: &Services,
        mailbox: &Mailbox,
        backfill: &Backfill,
        session: &mut imap::Session,
        mut open: Open,
        wake: &Wake,
    ) -> Result<(Step, Option<Open>), Problem> {
        let mut pass = Pass {
            services,
            mailbox,
            folder: &open.folder,
            uid_validity: open.uid_validity,
            backfill: Some(backfill.id),
            wake,
            pace: &mut self.pace,
        };
        if open.batches.is_empty() {
            let at = open.wanted.len().saturating_sub(STRETCH);
            let mut stretch = open.wanted.split_off(at);
            if stretch.is_empty() {
                finish_folder(services, session, backfill, &open)?;
                return Ok((Step::Fetched(0), None));
            }
            stretch.reverse();
            let sizes = sync::known_sizes(&stretch, &session.sizes(&stretch)?);
            open.batches = pass.batches_of(&sizes, BATCH_MESSAGES, BATCH_BYTES).into();
        }
        let batch = open.batches.pop_front().unwrap_or_default();
        let received = pass.fetch_batch(session, &batch)?;
        Ok((Step::Fetched(received), Some(open)))
    }
}

fn connect(services: &Services, mailbox: &Mailbox, wake: &Wake) -> Result<imap::Session, Problem> {
    let hang_up = |closer: Closer| {
        wake.on_stop(Some(Box::new(move || closer.close())));
    };
    dial::imap(services, mailbox, mailbox.imap_user(), &hang_up)
}

enum Opened {
    Folder(Open),
    /// The poller must read it first.
    Later,
    /// It is not on the server any more.
    Gone,
}

/// Lists a folder anew, and counts what is to be done in it.
fn open(
    services: &Services,
    session: &mut imap::Session,
    backfill: &Backfill,
    id: FolderId,
) -> Result<Opened, Problem> {
    let Some(mut folder) = listing::folder(services, backfill.mailbox_id, id)? else {
        return Ok(Opened::Gone);
    };
    let listed = match listing::list(services, session, &folder, backfill.days) {
        Err(problem) => match renamed(services, session, &folder, problem)? {
            None => return Ok(Opened::Gone),
            Some(now) => {
                folder = now;
                listing::list(services, session, &folder, backfill.days)?
            }
        },
        Ok(listed) => listed,
    };
    let Some(Listing {
        uid_validity,
        total,
        wanted,
    }) = listed
    else {
        return Ok(Opened::Later);
    };
    let left = wanted.len();
    services
        .store
        .write(|tx| store::backfills::update_listed(tx, backfill.id, id, uid_validity, total, left))
        .map_err(|error: store::Error| error.to_problem())?;
    Ok(Opened::Folder(Open {
        folder,
        uid_validity,
        wanted,
        batches: VecDeque::new(),
    }))
}

/// A folder that could not be listed, by the name it has now; `None` when the server has none of its name
/// and it was not found under another.
fn renamed(
    services: &Services,
    session: &mut imap::Session,
    folder: &Folder,
    problem: Problem,
) -> Result<Option<Folder>, Problem> {
    if imap::explain::asks_for_pause(&problem) {
        return Err(problem);
    }
    let watched = services
        .store
        .read(|db| store::folders::list(db, folder.mailbox_id))
        .map_err(|error: store::Error| error.to_problem())?;
    match refind::find(services, session, &watched, folder) {
        Ok(Found::Renamed(now)) => Ok(Some(now)),
        Ok(Found::Gone(_)) => Ok(None),
        Ok(Found::StillThere) | Err(_) => Err(problem),
    }
}

/// Ends a folder that has been read to its end. When every message in it has its fate now, the ledger
/// answers for all of it.
fn finish_folder(
    services: &Services,
    session: &mut imap::Session,
    backfill: &Backfill,
    open: &Open,
) -> Result<(), Problem> {
    let (folder, uid_validity) = (&open.folder, open.uid_validity);
    let is_whole =
        folder.first_uid > 1 && listing::is_whole(services, session, folder, uid_validity)?;
    services
        .store
        .write(|tx| {
            if is_whole {
                store::folders::update_whole(tx, folder.id, uid_validity)?;
            }
            store::backfills::update_folder(tx, backfill.id, folder.id, BackfillFolderState::Done)
        })
        .map_err(|error: store::Error| error.to_problem())
}

fn end_folder(
    services: &Services,
    backfill: &Backfill,
    folder: FolderId,
    state: BackfillFolderState,
) -> Result<(), Problem> {
    services
        .store
        .write(|tx| store::backfills::update_folder(tx, backfill.id, folder, state))
        .map_err(|error: store::Error| error.to_problem())
}

/// Ends a backfill whose folders are all read, or gone.
fn finish(services: &Services, backfill: &Backfill) -> Step {
    let gone = |folder: &&BackfillFolder| folder.state == BackfillFolderState::Gone;
    let names: Vec<&str> = backfill
        .folders
        .iter()
        .filter(gone)
        .map(|folder| folder.name.as_str())
        .collect();
    if names.is_empty() {
        return end(services, backfill, BackfillState::Done, None);
    }
    let problem = Problem::new(
        "folder_gone",
        Disposition::GiveUp,
        format!(
            "The mailbox has no folder “{}” any more; it was deleted, or renamed. What was fetched before stays, and the other folders were read to their end.",
            names.join("”, “")
        ),
        "Give the folder its name back in Outlook and fetch older mail again: what is known is not fetched twice.",
    );
    end(services, backfill, BackfillState::Failed, Some(&problem))
}

/// Runs while older mail is asked for.
pub(super) fn run(services: &Services, id: MailboxId, wake: &Wake) {
    let mut backfiller = Backfiller::default();
    while !wake.is_stopped() {
        let began = Instant::now();
        let stepped = super::supervisor::guarded(services, LoopName::Backfill(id), || {
            step(services, &mut backfiller, id, wake)
        });
        let pause = match stepped {
            Ok(Step::Nothing) => break,
            Ok(Step::Fetched(_) | Step::Ended) => {
                show_progress(services, id);
                began.elapsed().clamp(BREATH_MIN, BREATH_MAX)
            }
            Ok(Step::CutShort) => Duration::ZERO,
            Ok(Step::GivesWay(reason)) => {
                say(services, id, Health::Good, reason);
                if reason == NEW_MAIL { GIVE_WAY } else { WAIT }
            }
            Ok(Step::Failed(problem)) => {
                let pause = pause_seconds(&problem, backfiller.failures);
                let sentence = format!("{} Next try in {}.", problem.sentence, span(pause));
                say(services, id, Health::Trouble, sentence);
                Duration::from_secs(u64::try_from(pause).unwrap_or(1))
            }
            Err(()) => {
                backfiller = Backfiller::default();
                FAULT_PAUSE
            }
        };
        if wake.wait(pause) == Woken::Stop {
            break;
        }
    }
    wake.on_stop(None);
    backfiller.hang_up();
}

fn say(services: &Services, id: MailboxId, health: Health, sentence: impl Into<String>) {
    let line = Line::new(health, sentence);
    services.work.board().set(LoopName::Backfill(id), line);
}

fn show_progress(services: &Services, id: MailboxId) {
    let found = services
        .store
        .read(|db| store::backfills::find_newest(db, id));
    let Ok(Some(backfill)) = found else {
        return;
    };
    let number = |count: i64| u64::try_from(count).unwrap_or(0);
    let (total, left) = (number(backfill.total()), number(backfill.left()));
    let line = Line {
        health: Health::Busy,
        sentence: "Fetching, the newest first.".to_owned(),
        progress: Some((total.saturating_sub(left), total)),
    };
    services.work.board().set(LoopName::Backfill(id), line);
}
