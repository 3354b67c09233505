//! One pass over one folder: from the cursor to the newest message, in bounded batches, each stored
//! with its fates and the cursor in one transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

use super::mill::{Batch, Mill};
use super::pace::{Advice, Pace};
use super::status::{Health, Line, LoopName};
use super::wake::Wake;
use super::{Services, compare, labels};
use crate::imap::cursor::{self, Plan, Resync};
use crate::imap::{self, Selected};
use crate::intake::{self, Fetched, Ready, Source};
use crate::model::{BackfillId, Fate, Folder, Mailbox, MailboxId};
use crate::net;
use crate::problem::{Disposition, Problem};
use crate::store;
use crate::store::fates::Verdict;

/// Most messages fetched at once.
const BATCH_MESSAGES: usize = 50;
/// Most bytes fetched at once, by the server's estimates, which can be far off; a message larger
/// than this is fetched alone.
const BATCH_BYTES: u64 = 2 * 1024 * 1024;
/// Most bytes that a batch of several may really bring, whatever was estimated: memory is bounded by it.
/// When a batch brings more, its messages are fetched one by one.
const BATCH_ANSWER_MAX: u64 = 16 * 1024 * 1024;
/// As above for older mail, which comes beside new mail.
const OLDER_ANSWER_MAX: u64 = 8 * 1024 * 1024;
/// Most bytes that one message may bring: Exchange Online takes messages up to 150 MB.
const MESSAGE_ANSWER_MAX: u64 = 200 * 1024 * 1024;
/// Pause after a session that broke while messages were fetched: the server can be reached, after all.
const BROKEN_PAUSE_SECONDS: u64 = 5;

/// What a pass came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Passed {
    /// Stored as new messages.
    pub(super) received: u64,
    /// It was cut short by the stop; the rest comes next time.
    pub(super) cut_short: bool,
}

/// Reads a folder from its cursor to its end.
pub(super) fn folder(
    services: &Services,
    session: &mut imap::Session,
    mailbox: &Mailbox,
    folder: &Folder,
    wake: &Wake,
    pace: &mut Pace,
) -> Result<Passed, Problem> {
    let selected = session.examine(&folder.raw_name)?;
    let first_uid = start(services, session, mailbox, folder, &selected)?;
    let mut pass = Pass {
        services,
        mailbox,
        folder,
        uid_validity: selected.uid_validity,
        backfill: None,
        wake,
        pace,
    };
    let mut passed = Passed::default();
    if let Some(first_uid) = first_uid {
        let uids = session.uids_from(first_uid)?;
        if !uids.is_empty() {
            pass.fetch_all(session, &uids, &mut passed)?;
        }
    }
    // What failed before must not keep what is new.
    if !passed.cut_short {
        pass.retry_due(session, &mut passed)?;
    }
    if !passed.cut_short {
        labels::ask(&pass, session)?;
        compare::if_due(&mut pass, session, &mut passed)?;
    }
    if !passed.cut_short {
        let now = services.clock.now();
        let count = i64::from(selected.exists);
        services
            .store
            .write(|tx| store::folders::update_synced(tx, folder.id, count, now))
            .map_err(|error| error.to_problem())?;
    }
    Ok(passed)
}

/// Where to read from; `None` when the server says that nothing is new. Begins the folder, or begins
/// it anew when its UIDs have changed meaning.
fn start(
    services: &Services,
    session: &mut imap::Session,
    mailbox: &Mailbox,
    folder: &Folder,
    selected: &Selected,
) -> Result<Option<u32>, Problem> {
    let cursor = folder.cursor.map(|cursor| cursor::Cursor {
        uid_validity: cursor.uid_validity,
        next_uid: cursor.next_uid,
    });
    match cursor::plan(cursor, selected) {
        Plan::Nothing => Ok(None),
        Plan::From(uid) => Ok(Some(uid)),
        Plan::ResyncAll { why } => {
            let since_at = folder.take_since_at(mailbox);
            let first = first_wanted(session, since_at, selected)?;
            let began_uid = selected.uid_next.filter(|_| why == Resync::FirstTime);
            services
                .store
                .write(|tx| {
                    store::folders::update_start(tx, folder.id, selected.uid_validity, first)?;
                    store::folders::update_began(tx, folder.id, began_uid)
                })
                .map_err(|error: store::Error| error.to_problem())?;
            tracing::info!(
                mailbox.id = mailbox.id.0,
                folder.id = folder.id.0,
                uid_validity = selected.uid_validity,
                first_uid = first,
                "the folder is read anew"
            );
            Ok(Some(first))
        }
    }
}

/// The first UID that may be wanted: of the day mail is taken from, a day early for time zones.
fn first_wanted(
    session: &mut imap::Session,
    since_at: Option<i64>,
    selected: &Selected,
) -> Result<u32, Problem> {
    let Some(since_at) = since_at else {
        return Ok(1);
    };
    let uids = session.uids_since(since_at.saturating_sub(86_400))?;
    let none_wanted = selected.uid_next.unwrap_or(1);
    Ok(uids.into_iter().min().unwrap_or(none_wanted).max(1))
}

/// The folder that is read, and the store it is read into.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    services: &'a Services,
    pub(super) source: Source<'a>,
}

impl Target<'_> {
    /// Stores a batch; how many messages of it are new.
    pub(super) fn store(&self, ready: &Ready) -> Result<u64, Problem> {
        let (store, now) = (&self.services.store, self.services.clock.now());
        let report = intake::receive(store, &self.services.ids(), self.source, ready, now)
            .map_err(|error| error.to_problem())?;
        if report.stale {
            return Err(read_anew());
        }
        Ok(report.received)
    }
}

/// A batch that could not be fetched, and why. Without a batch no message is to blame.
struct Broken {
    batch: Vec<u32>,
    problem: Problem,
}

impl From<Problem> for Broken {
    fn from(problem: Problem) -> Self {
        Self {
            batch: Vec::new(),
            problem,
        }
    }
}

/// What fetches and stores messages of one folder, for a sync or for a backfill.
pub(super) struct Pass<'a> {
    pub(super) services: &'a Services,
    pub(super) mailbox: &'a Mailbox,
    /// As it was when the pass began.
    pub(super) folder: &'a Folder,
    pub(super) uid_validity: u32,
    /// The backfill it is for.
    pub(super) backfill: Option<BackfillId>,
    pub(super) wake: &'a Wake,
    pub(super) pace: &'a mut Pace,
}

impl<'a> Pass<'a> {
    const fn target(&self) -> Target<'a> {
        Target {
            services: self.services,
            source: self.source(),
        }
    }

    const fn source(&self) -> Source<'a> {
        Source {
            mailbox: self.mailbox,
            folder: self.folder,
            uid_validity: self.uid_validity,
            backfill: self.backfill,
        }
    }

    /// Fetches all, each of which has a fate afterwards, and stores what has come while it fetches on. What
    /// breaks it is treated as by [`Pass::fetch_batch`].
    pub(super) fn fetch_all(
        &mut self,
        session: &mut imap::Session,
        uids: &[u32],
        passed: &mut Passed,
    ) -> Result<(), Problem> {
        let (received, fetched) = std::thread::scope(|scope| {
            let (mut mill, target) = (None, self.target());
            let start = || Mill::start(scope, target);
            let fetched = self.fetch_batches(session, uids, passed, &mut mill, &start);
            // What broke lies behind what has come before it, which is stored first.
            (mill.map_or(Ok(0), Mill::finish), fetched)
        });
        passed.received += received?;
        match fetched {
            Err(Broken { batch, problem }) if batch.is_empty() => Err(problem),
            Err(Broken { batch, problem }) => self.failed(&batch, problem).map(|_| ()),
            Ok(()) => Ok(()),
        }
    }

    /// Fetches batch after batch. A single one is stored here, several are given to the mill.
    fn fetch_batches<'scope>(
        &mut self,
        session: &mut imap::Session,
        uids: &[u32],
        passed: &mut Passed,
        mill: &mut Option<Mill<'scope, 'a>>,
        start: &dyn Fn() -> Result<Mill<'scope, 'a>, Problem>,
    ) -> Result<(), Broken> {
        let total = u64::try_from(uids.len()).unwrap_or(u64::MAX);
        let mut done: u64 = 0;
        // Sizes are asked for a stretch at a time, so that a mailbox of a million starts at once.
        for stretch in uids.chunks(1_000) {
            let sizes = known_sizes(stretch, &session.sizes(stretch)?);
            for batch in self.batches(&sizes) {
                if self.wake.is_stopped() {
                    passed.cut_short = true;
                    return Ok(());
                }
                show_progress(self.services, self.mailbox.id, done, total);
                let place = self.services.work.room.take(bytes_of(&batch, &sizes));
                let found = match self.fetch(session, &batch) {
                    Ok(found) => found,
                    Err(problem) => return Err(Broken { batch, problem }),
                };
                done += u64::try_from(batch.len()).unwrap_or(0);
                if batch.len() == uids.len() {
                    passed.received += self.store_batch(&batch, found)?;
                    return Ok(());
                }
                if mill.is_none() {
                    *mill = Some(start()?);
                }
                let given = Batch {
                    messages: messages(&batch, found),
                    next_uid: next_uid(&batch),
                    place,
                };
                if !mill.as_ref().is_some_and(|mill| mill.give(given)) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn batches(&self, sizes: &[(u32, u64)]) -> Vec<Vec<u32>> {
        self.batches_of(sizes, BATCH_MESSAGES, BATCH_BYTES)
    }

    /// Batches of at most so many messages and, by the server's word, bytes; where care is needed, of one.
    pub(super) fn batches_of(
        &self,
        sizes: &[(u32, u64)],
        messages: usize,
        bytes: u64,
    ) -> Vec<Vec<u32>> {
        let careful = |(uid, _): &(u32, u64)| self.pace.is_careful(self.folder.id, *uid);
        let (careful, bold): (Vec<_>, Vec<_>) = sizes.iter().copied().partition(careful);
        let mut batches = cursor::batches(&careful, 1, bytes);
        batches.extend(cursor::batches(&bold, messages, bytes));
        batches
    }

    /// Fetches and stores one batch. When it is larger than the memory allows or the session breaks at
    /// it, its messages are fetched one by one; one that is too large by itself, or at which the
    /// session breaks again and again, is written down as such and passed by.
    pub(super) fn fetch_batch(
        &mut self,
        session: &mut imap::Session,
        batch: &[u32],
    ) -> Result<u64, Problem> {
        match self.fetch(session, batch) {
            Ok(found) => self.store_batch(batch, found),
            Err(problem) => self.failed(batch, problem),
        }
    }

    /// Fetches one batch, of no more bytes than there is memory for.
    fn fetch(
        &mut self,
        session: &mut imap::Session,
        batch: &[u32],
    ) -> Result<Vec<imap::Fetched>, Problem> {
        session.set_fetch_bytes_max(match (batch, self.backfill) {
            ([_], _) => MESSAGE_ANSWER_MAX,
            (_, None) => BATCH_ANSWER_MAX,
            (_, Some(_)) => OLDER_ANSWER_MAX,
        });
        let found = session.fetch(batch)?;
        self.pace.went_well();
        Ok(found)
    }

    fn failed(&mut self, batch: &[u32], problem: Problem) -> Result<u64, Problem> {
        // Nothing the messages could be blamed for.
        if self.wake.is_stopped()
            || imap::explain::asks_for_pause(&problem)
            || problem.disposition == Disposition::NeedsSignIn
        {
            return Err(problem);
        }
        // The session is unusable after a response that was cut off; the next one goes on.
        let seconds = if problem.code == net::ANSWER_TOO_BIG {
            match batch {
                [uid] => self.too_big(*uid, &problem)?,
                _ => {
                    let _ = self.pace.broke(self.folder.id, batch);
                }
            }
            1
        } else {
            if let Advice::PassBy(uid) = self.pace.broke(self.folder.id, batch) {
                self.set_aside(uid, &problem)?;
            }
            problem.wait_seconds().max(BROKEN_PAUSE_SECONDS)
        };
        Err(Problem {
            disposition: Disposition::RetryAfter { seconds },
            ..problem
        })
    }

    /// Writes down that a message has left the folder before it could be read; elsewhere it has a UID, and
    /// comes back under another.
    fn gone(&self, uid: u32) -> Result<(), Problem> {
        let now = self.services.clock.now();
        let verdict = Verdict {
            fate: Fate::Ignored,
            message_id: None,
            detail: "It was deleted or moved before it could be read.".to_owned(),
            retry_at: None,
        };
        let (folder, uid_validity) = (self.folder.id, self.uid_validity);
        self.services
            .store
            .write(|tx| store::fates::upsert(tx, folder, uid_validity, uid, &verdict, now))
            .map_err(|error| error.to_problem())
    }

    /// Writes down that a message cannot be fetched, and when it is tried again.
    fn set_aside(&self, uid: u32, problem: &Problem) -> Result<(), Problem> {
        let now = self.services.clock.now();
        let (folder, uid_validity) = (self.folder.id, self.uid_validity);
        let passed = intake::Report {
            other: 1,
            ..intake::Report::default()
        };
        tracing::warn!(mailbox.id = self.mailbox.id.0, folder.id = folder.0, uid, code = %problem.code,
            "a message cannot be fetched and is set aside");
        self.services
            .store
            .write(|tx| {
                let known = store::fates::find(tx, folder, uid_validity, uid)?;
                let attempts = known.map_or(1, |row| row.attempts + 1);
                let verdict = Verdict {
                    fate: Fate::Unreadable,
                    message_id: None,
                    detail: format!(
                        "Each time it was asked for: {} {}",
                        problem.sentence, problem.detail
                    ),
                    retry_at: intake::retry_at(attempts, now),
                };
                store::fates::upsert(tx, folder, uid_validity, uid, &verdict, now)?;
                intake::advance(tx, self.source(), uid.saturating_add(1), passed)
            })
            .map_err(|error: store::Error| error.to_problem())
    }

    fn too_big(&self, uid: u32, problem: &Problem) -> Result<(), Problem> {
        let now = self.services.clock.now();
        intake::too_big(
            &self.services.store,
            self.source(),
            uid,
            &problem.sentence,
            now,
        )
        .map_err(|error| error.to_problem())
    }

    fn store_batch(&self, batch: &[u32], found: Vec<imap::Fetched>) -> Result<u64, Problem> {
        // Backfills store one after the other, so that many of them cost the live path no more than one.
        let turn = &self.services.work.backfill_turn;
        let _turn = self
            .backfill
            .map(|_| turn.lock().unwrap_or_else(PoisonError::into_inner));
        let messages = messages(batch, found);
        let ready = intake::read(self.source(), messages, next_uid(batch));
        self.target().store(&ready)
    }

    /// Asks again for what the server would not give before.
    fn retry_due(
        &mut self,
        session: &mut imap::Session,
        passed: &mut Passed,
    ) -> Result<(), Problem> {
        let now = self.services.clock.now();
        let due = self
            .services
            .store
            .read(|db| store::fates::list_due(db, self.folder.id, self.uid_validity, now))
            .map_err(|error| error.to_problem())?;
        let uids: Vec<u32> = due.iter().map(|row| row.uid).collect();
        let listed = if uids.is_empty() {
            BTreeSet::new()
        } else {
            session.still_listed(&uids)?
        };
        for row in due {
            if !listed.contains(&row.uid) {
                self.gone(row.uid)?;
                continue;
            }
            session.set_fetch_bytes_max(MESSAGE_ANSWER_MAX);
            // One that broke the session before is set aside at once when it does so again.
            let fetched = match session.fetch(&[row.uid]) {
                Err(problem) if row.fate == Fate::Unreadable && !self.wake.is_stopped() => {
                    self.set_aside(row.uid, &problem)?;
                    return Err(problem);
                }
                Err(problem) => self.failed(&[row.uid], problem),
                Ok(found) => self.store_batch(&[row.uid], found),
            };
            passed.received += fetched?;
        }
        Ok(())
    }
}

/// Each message that was asked for, with what the server gave for it.
fn messages(batch: &[u32], found: Vec<imap::Fetched>) -> Vec<Fetched> {
    let mut found: BTreeMap<u32, imap::Fetched> = found
        .into_iter()
        .map(|message| (message.uid, message))
        .collect();
    let asked = batch.iter();
    asked
        .map(|uid| {
            let message = found.remove(uid);
            let internal_date_at = message.as_ref().and_then(|found| found.internal_date_at);
            Fetched {
                uid: *uid,
                raw: message.map(|found| found.raw),
                internal_date_at,
            }
        })
        .collect()
}

/// The first UID behind a batch.
fn next_uid(batch: &[u32]) -> u32 {
    batch.iter().max().map_or(1, |uid| uid.saturating_add(1))
}

fn bytes_of(batch: &[u32], sizes: &[(u32, u64)]) -> u64 {
    let of_batch = |(uid, _): &&(u32, u64)| batch.contains(uid);
    sizes.iter().filter(of_batch).map(|(_, bytes)| bytes).sum()
}

/// The numbers of a folder's messages have changed their meaning while a backfill was fetching.
pub(super) fn read_anew() -> Problem {
    Problem::new(
        "folder_read_anew",
        Disposition::RetryAfter { seconds: 5 },
        "The server has numbered the messages of this folder anew.",
        "Nothing to do. New mail comes first; then older mail is listed again, and what is known stays as it is.",
    )
}

/// Every UID of a stretch with its size; one the server kept silent about counts as small.
pub(super) fn known_sizes(stretch: &[u32], sizes: &[(u32, u64)]) -> Vec<(u32, u64)> {
    let sizes: BTreeMap<u32, u64> = sizes.iter().copied().collect();
    stretch
        .iter()
        .map(|uid| (*uid, sizes.get(uid).copied().unwrap_or(0)))
        .collect()
}

fn show_progress(services: &Services, id: MailboxId, done: u64, total: u64) {
    let sentence = format!("Receiving message {} of {total}.", done + 1);
    let line = Line {
        health: Health::Busy,
        sentence,
        progress: Some((done, total)),
    };
    services.work.board().set(LoopName::Poll(id), line);
}
