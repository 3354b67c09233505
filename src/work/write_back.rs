//! Writes back to a mailbox what its administrator wants: answered and closed mail marked as read, mail of closed
//! conversations moved. A loop and a session of its own, from a queue in the store; nothing here touches reception,
//! and this is the only place that changes anything in a mailbox.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::status::{Health, Line, LoopName};
use super::wake::Wake;
use super::{Services, dial, schedule};
use crate::imap::{self, write::CANNOT_MOVE, write::Writable};
use crate::intake;
use crate::model::{
    Folder, FolderId, Mailbox, MailboxId, MailboxStatus, MoveTarget, WriteBack, WriteBackAct,
    WriteBackSettings,
};
use crate::net::Closer;
use crate::problem::{Disposition, Problem};
use crate::secret::random_bytes;
use crate::store::{self, write_backs};

/// Most acts carried out in one session.
const ACTS_MAX: u32 = 200;
/// After so many refusals in a row the others of a folder are not tried one by one.
const REFUSALS_MAX: u32 = 3;
/// How often the queue is looked at.
const LOOK_EVERY_SECONDS: i64 = 60;
/// Longest pause after failures.
const PAUSE_MAX_SECONDS: i64 = 30 * 60;
/// Tries to find a message again in a folder whose UIDs have changed meaning.
const FINDING_TRIES: i64 = 3;

/// What a step came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing is wanted, or the mailbox does not work now.
    Resting,
    /// Nothing is due; the next act is at this time.
    Nothing(Option<i64>),
    /// So many acts were settled: done, needed no more, or put off.
    Worked(usize),
    /// The mailbox could not be worked with; the acts stay as they were, or say why.
    Failed(Problem),
}

/// Carries out what is due in a mailbox.
///
/// # Errors
/// Those of the store.
pub fn step(services: &Services, id: MailboxId, wake: &Wake) -> store::Result<Step> {
    let now = services.clock.now();
    let (mailbox, settings, due, next) = services.store.read(|db| {
        Ok::<_, store::Error>((
            store::mailboxes::find(db, id)?,
            write_backs::find_settings(db, id)?,
            write_backs::list_due(db, id, now, ACTS_MAX)?,
            write_backs::next_due(db, id)?,
        ))
    })?;
    let Some(mailbox) = mailbox.filter(|found| found.status == MailboxStatus::Active) else {
        return Ok(Step::Resting);
    };
    if !settings.is_on() {
        return Ok(Step::Resting);
    }
    if due.is_empty() {
        return Ok(Step::Nothing(next));
    }
    let count = due.len();
    let round = Round {
        services,
        mailbox: &mailbox,
        settings: &settings,
        now,
    };
    match round.carry_out(due, wake)? {
        Ok(()) => {
            services
                .store
                .write(|tx| write_backs::delete_old(tx, id, now))?;
            Ok(Step::Worked(count))
        }
        Err(problem) => {
            if problem.wait_seconds() > 0 {
                let wait = i64::try_from(problem.wait_seconds()).unwrap_or(PAUSE_MAX_SECONDS);
                let until = now.saturating_add(wait);
                services
                    .store
                    .write(|tx| write_backs::update_postponed(tx, id, until))?;
            }
            tracing::warn!(mailbox.id = id.0, code = %problem.code, "writing back failed");
            Ok(Step::Failed(problem))
        }
    }
}

/// What is done to messages of an open folder.
type Work<'a> = &'a dyn Fn(&mut Writable<'_>, &[WriteBack]) -> Result<(), Problem>;

/// One visit to a mailbox.
struct Round<'a> {
    services: &'a Services,
    mailbox: &'a Mailbox,
    settings: &'a WriteBackSettings,
    now: i64,
}

/// The store's failure outside, the mailbox's inside.
type Outcome<T = ()> = store::Result<Result<T, Problem>>;

impl Round<'_> {
    fn carry_out(&self, due: Vec<WriteBack>, wake: &Wake) -> Outcome {
        let due = self.without_reopened(due)?;
        if due.is_empty() {
            return Ok(Ok(()));
        }
        let folders: BTreeMap<FolderId, Folder> = self
            .services
            .store
            .read(|db| store::folders::list(db, self.mailbox.id))?
            .into_iter()
            .map(|folder| (folder.id, folder))
            .collect();
        let mut by_folder: BTreeMap<FolderId, Vec<WriteBack>> = BTreeMap::new();
        for act in due {
            by_folder.entry(act.folder_id).or_default().push(act);
        }
        let hang_up = |closer: Closer| wake.on_stop(Some(Box::new(move || closer.close())));
        let user = self.mailbox.imap_user();
        let mut session = match dial::imap(self.services, self.mailbox, user, &hang_up) {
            Ok(session) => session,
            Err(problem) => return Ok(Err(problem)),
        };
        let mut all_well = true;
        for (id, acts) in by_folder {
            let Some(folder) = folders.get(&id) else {
                continue;
            };
            match self.in_folder(&mut session, folder, &acts)? {
                Ok(well) => all_well &= well,
                Err(problem) => {
                    wake.on_stop(None);
                    return Ok(Err(problem));
                }
            }
        }
        let _ = session.logout();
        wake.on_stop(None);
        let switched_off = self.settings.problem.as_ref();
        if all_well && switched_off.is_none_or(|problem| problem.code != CANNOT_MOVE) {
            let id = self.mailbox.id;
            self.services
                .store
                .write(|tx| write_backs::update_problem(tx, id, None, self.now))?;
        }
        Ok(Ok(()))
    }

    /// A move whose conversation was opened again is dropped; closed again, it is asked for again.
    fn without_reopened(&self, due: Vec<WriteBack>) -> store::Result<Vec<WriteBack>> {
        let (reopened, due): (Vec<_>, Vec<_>) = due
            .into_iter()
            .partition(|act| act.act == WriteBackAct::Move && !act.is_closed);
        if !reopened.is_empty() {
            self.services.store.write(|tx| {
                reopened
                    .iter()
                    .try_for_each(|act| write_backs::delete(tx, act.id))
            })?;
        }
        Ok(due)
    }

    /// Does what is to be done in one folder; says whether all went well.
    fn in_folder(
        &self,
        session: &mut imap::Session,
        folder: &Folder,
        acts: &[WriteBack],
    ) -> Outcome<bool> {
        let known = folder.cursor.map(|cursor| cursor.uid_validity);
        let looked = session.select(&folder.raw_name).and_then(|mut opened| {
            let listed = opened.still_listed(&uids(acts))?;
            Ok((opened.selected.uid_validity, listed))
        });
        let (now_valid, listed) = match looked {
            Ok(looked) => looked,
            Err(problem) => return self.refused(session, acts, &problem),
        };
        let (acts, renumbered): (Vec<_>, Vec<_>) = acts
            .iter()
            .cloned()
            .partition(|act| act.uid_validity == now_valid);
        self.follow(&renumbered, known.filter(|known| *known == now_valid))?;
        // Messages that somebody else has moved or deleted need nothing more.
        let (acts, gone): (Vec<_>, Vec<_>) =
            acts.into_iter().partition(|act| listed.contains(&act.uid));
        self.finish(&gone)?;
        let (moves, seen): (Vec<_>, Vec<_>) = acts
            .into_iter()
            .partition(|act| act.act == WriteBackAct::Move);
        let raw_name = folder.raw_name.as_str();
        let mark = |opened: &mut Writable<'_>, acts: &[WriteBack]| opened.mark_seen(&uids(acts));
        let well = match self.each(session, raw_name, &seen, &mark)? {
            Ok(well) => well,
            Err(problem) => return Ok(Err(problem)),
        };
        let moved = self.moves(session, folder, moves)?;
        Ok(moved.map(|moved| moved && well))
    }

    /// The folder's UIDs have changed meaning. Where it has been read anew the messages are found under their
    /// new ones; else they wait for that, and one that is not found then is not there any more.
    fn follow(&self, acts: &[WriteBack], read_anew: Option<u32>) -> store::Result<()> {
        if acts.is_empty() {
            return Ok(());
        }
        let problem = Problem::new(
            "folder_renumbered",
            Disposition::RetryAfter { seconds: 60 },
            "The mail server has numbered the messages of the folder anew.",
            "Nothing to do. It goes on when the folder has been read again.",
        );
        self.services.store.write(|tx| {
            for act in acts {
                if let Some(validity) = read_anew
                    && write_backs::update_uid(tx, act, validity)?
                {
                    continue;
                }
                if act.attempts >= FINDING_TRIES {
                    write_backs::update_finished(tx, act.id, self.now)?;
                } else {
                    let due_at = intake::retry_at(act.attempts + 1, self.now);
                    write_backs::update_failed(tx, act.id, &problem, due_at, self.now)?;
                }
            }
            Ok(())
        })
    }

    fn moves(
        &self,
        session: &mut imap::Session,
        folder: &Folder,
        moves: Vec<WriteBack>,
    ) -> Outcome<bool> {
        let Some(target) = &self.settings.move_to else {
            return Ok(Ok(true));
        };
        if target.raw_name == folder.raw_name {
            self.finish(&moves)?;
            return Ok(Ok(true));
        }
        let moves = self.still_closed(moves)?;
        let (fresh, retried): (Vec<_>, Vec<_>) =
            moves.into_iter().partition(|act| act.attempts == 0);
        let (raw_name, to) = (folder.raw_name.as_str(), target.raw_name.as_str());
        let go = |copied: bool| {
            move |opened: &mut Writable<'_>, acts: &[WriteBack]| {
                opened
                    .move_to(&uids(acts), to, copied)
                    .map_err(|problem| about_target(problem, target))
            }
        };
        let mut well = match self.each(session, raw_name, &fresh, &go(false))? {
            Ok(well) => well,
            Err(problem) => return Ok(Err(problem)),
        };
        for act in retried {
            // Without MOVE the copy may be there already, from a try that was cut off before its answer came.
            let copied = !session.has_move() && is_in(session, to, &act);
            match self.each(session, raw_name, std::slice::from_ref(&act), &go(copied))? {
                Ok(one) => well &= one,
                Err(problem) => return Ok(Err(problem)),
            }
        }
        Ok(Ok(well))
    }

    /// Connecting took its time: conversations opened again meanwhile keep their mail where it is.
    fn still_closed(&self, moves: Vec<WriteBack>) -> store::Result<Vec<WriteBack>> {
        if moves.is_empty() {
            return Ok(moves);
        }
        let due = self
            .services
            .store
            .read(|db| write_backs::list_due(db, self.mailbox.id, self.now, ACTS_MAX))?;
        let closed: BTreeSet<i64> = due
            .iter()
            .filter(|act| act.is_closed)
            .map(|act| act.id)
            .collect();
        Ok(moves
            .into_iter()
            .filter(|act| closed.contains(&act.id))
            .collect())
    }

    /// Does the same to many messages at once; where the server refuses, to each by itself, so that one does
    /// not keep the others.
    fn each(
        &self,
        session: &mut imap::Session,
        raw_name: &str,
        acts: &[WriteBack],
        work: Work<'_>,
    ) -> Outcome<bool> {
        if acts.is_empty() {
            return Ok(Ok(true));
        }
        let run = |session: &mut imap::Session, acts: &[WriteBack]| {
            session
                .select(raw_name)
                .and_then(|mut opened| work(&mut opened, acts))
        };
        let problem = match run(session, acts) {
            Ok(()) => {
                self.finish(acts)?;
                return Ok(Ok(true));
            }
            Err(problem) => problem,
        };
        let alone = acts.len() < 2 || problem.code == CANNOT_MOVE || session.noop().is_err();
        if alone || imap::explain::asks_for_pause(&problem) {
            return self.refused(session, acts, &problem);
        }
        let (mut refusals, mut well, mut last) = (0, true, problem);
        for act in acts {
            let one = std::slice::from_ref(act);
            if refusals >= REFUSALS_MAX {
                self.blame(one, &last)?;
                continue;
            }
            match run(session, one) {
                Ok(()) => {
                    refusals = 0;
                    self.finish(one)?;
                }
                Err(problem) => {
                    (refusals, well) = (refusals + 1, false);
                    if let Err(problem) = self.refused(session, one, &problem)? {
                        return Ok(Err(problem));
                    }
                    last = problem;
                }
            }
        }
        Ok(Ok(well))
    }

    /// What a refusal means for these acts; ends the visit where it is the session that failed, or the server
    /// asks for a pause.
    fn refused(
        &self,
        session: &mut imap::Session,
        acts: &[WriteBack],
        problem: &Problem,
    ) -> Outcome<bool> {
        if imap::explain::asks_for_pause(problem) {
            return Ok(Err(problem.clone()));
        }
        if problem.code == CANNOT_MOVE {
            let id = self.mailbox.id;
            self.services
                .store
                .write(|tx| write_backs::update_unable(tx, id, problem, self.now))?;
            return Ok(Ok(false));
        }
        self.blame(acts, problem)?;
        if session.noop().is_err() {
            return Ok(Err(problem.clone()));
        }
        Ok(Ok(false))
    }

    fn finish(&self, acts: &[WriteBack]) -> store::Result<()> {
        if acts.is_empty() {
            return Ok(());
        }
        self.services.store.write(|tx| {
            acts.iter()
                .try_for_each(|act| write_backs::update_finished(tx, act.id, self.now))
        })
    }

    fn blame(&self, acts: &[WriteBack], problem: &Problem) -> store::Result<()> {
        tracing::warn!(mailbox.id = self.mailbox.id.0, code = %problem.code, count = acts.len(),
            "messages could not be marked or moved");
        let id = self.mailbox.id;
        self.services.store.write(|tx| {
            for act in acts {
                let due_at = intake::retry_at(act.attempts + 1, self.now);
                write_backs::update_failed(tx, act.id, problem, due_at, self.now)?;
            }
            write_backs::update_problem(tx, id, Some(problem), self.now)
        })
    }
}

/// Whether a folder holds a copy of the message.
fn is_in(session: &mut imap::Session, raw_name: &str, act: &WriteBack) -> bool {
    !act.internet_message_id.is_empty()
        && session.examine(raw_name).is_ok()
        && session
            .find_message_id(&act.internet_message_id)
            .is_ok_and(|found| !found.is_empty())
}

fn uids(acts: &[WriteBack]) -> Vec<u32> {
    acts.iter().map(|act| act.uid).collect()
}

/// A refusal that is about the folder moved to names it.
fn about_target(problem: Problem, target: &MoveTarget) -> Problem {
    if !imap::explain::is_no_folder(&problem) {
        return problem;
    }
    Problem::new(
        "move_target_gone",
        Disposition::NeedsAdmin,
        format!(
            "The folder “{}”, where mail of closed conversations is moved to, is not in the mailbox any more.",
            target.name
        ),
        "Choose another on the mailbox's folder page, or make the folder again in the mailbox. The mail stays where it is until then.",
    )
    .with_detail(problem.detail)
}

fn say(services: &Services, id: MailboxId, health: Health, sentence: impl Into<String>) {
    services
        .work
        .board()
        .set(LoopName::WriteBack(id), Line::new(health, sentence));
}

/// Runs until the stop.
pub(super) fn run(services: &Services, id: MailboxId, wake: &Wake) {
    let mut failures = 0_u32;
    while !wake.is_stopped() {
        let name = LoopName::WriteBack(id);
        let stepped = super::supervisor::guarded(services, name, || step(services, id, wake));
        let now = services.clock.now();
        let pause = match stepped {
            Ok(Ok(Step::Resting)) => {
                let words = "Nothing is written back, or the mailbox does not work now.";
                say(services, id, Health::Good, words);
                LOOK_EVERY_SECONDS
            }
            Ok(Ok(Step::Nothing(next))) => {
                failures = 0;
                say(services, id, Health::Good, "Nothing to write back now.");
                next.map_or(LOOK_EVERY_SECONDS, |at| {
                    (at - now).clamp(1, LOOK_EVERY_SECONDS)
                })
            }
            Ok(Ok(Step::Worked(_))) => {
                failures = 0;
                1
            }
            Ok(Ok(Step::Failed(problem))) => {
                failures = failures.saturating_add(1);
                let [random] = random_bytes::<1>();
                let own = schedule::back_off(failures, PAUSE_MAX_SECONDS, random);
                let asked = i64::try_from(problem.wait_seconds()).unwrap_or(PAUSE_MAX_SECONDS);
                say(services, id, Health::Trouble, problem.sentence);
                own.max(asked)
            }
            Ok(Err(error)) => {
                tracing::error!(mailbox.id = id.0, %error, "the queue of what is written back cannot be used");
                say(services, id, Health::Trouble, error.to_problem().sentence);
                30
            }
            Err(()) => 120,
        };
        let _ = wake.wait(Duration::from_secs(u64::try_from(pause).unwrap_or(1)));
    }
    wake.on_stop(None);
}
