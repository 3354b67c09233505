//! Intake: raw messages of a folder into rows. Message, contact, conversation, fate and cursor are
//! written in one transaction; parsing and compressing happen before it.
//!
//! Every message gets a fate. One that breaks something is set aside as `unreadable` with its reason,
//! and those around it go on.

mod bounces;
mod filing;
mod joining;
mod placement;
mod prepare;
pub mod rebuild;

use crate::mail::thread::IdKey;
use crate::model::{BackfillId, Cursor, Fate, Folder, Mailbox};
use crate::store::fates::Verdict;
use crate::store::{self, Store, Tx};

pub use filing::BEFORE_WANTED;
pub(crate) use placement::bound;
use prepare::Prepared;
pub use prepare::{identity, label};

/// The version of what is read out of a message's bytes. It grows with every change of `mail` or of this
/// module by which stored columns or the words of the search would come out otherwise; what older versions read
/// is then read again ([`rebuild`]).
pub const DERIVED_VERSION: i64 = 2;

/// A message as fetched from a folder.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// Its UID.
    pub uid: u32,
    /// Its bytes; `None` when the server listed it but gave nothing.
    pub raw: Option<Vec<u8>>,
    /// When the server received it.
    pub internal_date_at: Option<i64>,
}

/// Where messages were fetched from.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The mailbox.
    pub mailbox: &'a Mailbox,
    /// Its folder.
    pub folder: &'a Folder,
    /// The UIDVALIDITY their UIDs count under.
    pub uid_validity: u32,
    /// The backfill that fetches them: history, behind the cursor. `None` for mail as it arrives.
    pub backfill: Option<BackfillId>,
}

/// What a batch came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Stored as new messages.
    pub received: u64,
    /// Given another fate.
    pub other: u64,
    /// Nothing was stored, for the folder is read anew meanwhile and the UIDs mean nothing any more.
    pub stale: bool,
}

/// How often what the server will not give is asked for again, and when: after a minute, ten minutes,
/// an hour, six hours, a day. After the last a person must look.
const RETRY_SECONDS: [i64; 5] = [60, 600, 3_600, 21_600, 86_400];

/// When to try again a message that has been tried `attempts` times; `None` when it was enough.
#[must_use]
pub fn retry_at(attempts: i64, now: i64) -> Option<i64> {
    let index = usize::try_from(attempts.checked_sub(1)?).ok()?;
    RETRY_SECONDS
        .get(index)
        .map(|seconds| now.saturating_add(*seconds))
}

/// A batch of one folder that has been read and compressed, ready to be stored.
#[derive(Debug)]
pub struct Ready {
    messages: Vec<Prepared>,
    next_uid: u32,
}

/// Reads and compresses a batch of one folder, of which `next_uid` is the first UID behind it. This takes the
/// most time, and no database.
#[must_use]
pub fn read(source: Source<'_>, batch: Vec<Fetched>, next_uid: u32) -> Ready {
    let messages = batch.into_iter();
    Ready {
        messages: messages
            .map(|fetched| prepare::prepare(source, fetched))
            .collect(),
        next_uid,
    }
}

/// Stores a batch of one folder and moves the cursor past it, all or nothing. If the batch as a whole
/// cannot be stored, its messages are stored one by one, and one that still fails is set aside. `ids` knows
/// the Message-IDs that we gave.
///
/// # Errors
/// When the database itself cannot be written to; nothing has been stored then and the cursor stands.
pub fn receive(
    store: &Store,
    ids: &IdKey,
    source: Source<'_>,
    batch: &Ready,
    now: i64,
) -> store::Result<Report> {
    let whole = store.write(|tx| {
        let mut report = Report::default();
        if is_stale(tx, source, &batch.messages)? {
            report.stale = true;
            return Ok(report);
        }
        for message in &batch.messages {
            report.count(file(tx, ids, source, message, now)?);
        }
        advance(tx, source, batch.next_uid, report)?;
        Ok::<_, store::Error>(report)
    });
    match whole {
        Err(error) if is_about_the_message(&error) => {
            one_by_one(store, ids, source, &batch.messages, now)
        }
        other => other,
    }
}

/// Whether the UIDs of a backfill's batch mean something else by now.
fn is_stale(tx: &Tx<'_>, source: Source<'_>, batch: &[Prepared]) -> store::Result<bool> {
    let newest = batch.iter().map(|message| message.uid).max();
    match (source.backfill, newest) {
        (Some(_), Some(uid)) => {
            let (folder, uid_validity) = (source.folder.id, source.uid_validity);
            Ok(!store::folders::has_passed(tx, folder, uid_validity, uid)?)
        }
        _ => Ok(false),
    }
}

/// Writes down how far a folder has been read: the cursor, or what a backfill still has to do. A backfill
/// never moves the cursor.
///
/// # Errors
/// Those of the store.
pub(crate) fn advance(
    tx: &Tx<'_>,
    source: Source<'_>,
    next_uid: u32,
    report: Report,
) -> store::Result<()> {
    let folder = source.folder.id;
    match source.backfill {
        None => {
            let cursor = Cursor {
                uid_validity: source.uid_validity,
                next_uid,
            };
            store::folders::update_cursor(tx, folder, cursor)
        }
        Some(id) => {
            let done = report.received.saturating_add(report.other);
            store::backfills::update_progress(tx, id, folder, done, report.received)
        }
    }
}

/// Whether an error may lie in one message rather than in the database or its disk.
fn is_about_the_message(error: &store::Error) -> bool {
    !error.is_outage()
}

/// Stores messages each in a transaction of its own, which moves the cursor past it: whatever stops the program
/// in between, no message has a fate the cursor does not know of.
fn one_by_one(
    store: &Store,
    ids: &IdKey,
    source: Source<'_>,
    prepared: &[Prepared],
    now: i64,
) -> store::Result<Report> {
    let mut report = Report::default();
    for message in prepared {
        let filed = store.write(|tx| {
            let fate = file(tx, ids, source, message, now)?;
            advance(tx, source, message.uid.saturating_add(1), Report::of(fate))?;
            Ok::<_, store::Error>(fate)
        });
        let fate = match filed {
            Ok(fate) => fate,
            Err(error) if is_about_the_message(&error) => {
                tracing::warn!(mailbox.id = source.mailbox.id.0, uid = message.uid, %error,
                    "a message could not be stored and was set aside");
                let verdict = Verdict {
                    fate: Fate::Unreadable,
                    message_id: None,
                    detail: format!("It could not be stored: {error}"),
                    retry_at: retry_at(1, now),
                };
                store.write(|tx| {
                    let fate = write_fate(tx, source, message.uid, &verdict, now)?;
                    write_label(tx, source, message)?;
                    advance(tx, source, message.uid.saturating_add(1), Report::of(fate))?;
                    Ok::<_, store::Error>(fate)
                })?
            }
            Err(error) => return Err(error),
        };
        report.count(fate);
    }
    Ok(report)
}

impl Report {
    fn of(fate: Fate) -> Self {
        let mut report = Self::default();
        report.count(fate);
        report
    }

    fn count(&mut self, fate: Fate) {
        if fate == Fate::Received {
            self.received += 1;
        } else {
            self.other += 1;
        }
    }
}

/// Gives one message its fate.
fn file(
    tx: &Tx<'_>,
    ids: &IdKey,
    source: Source<'_>,
    message: &Prepared,
    now: i64,
) -> store::Result<Fate> {
    let known = store::fates::find(tx, source.folder.id, source.uid_validity, message.uid)?;
    // A batch that was cut off after its commit may be fetched again.
    if let Some(known) = &known
        && (matches!(known.fate, Fate::Received | Fate::Duplicate | Fate::OwnCopy)
            || (known.fate == Fate::Ignored && source.backfill.is_none()))
    {
        return Ok(known.fate);
    }
    let attempts = known.map_or(1, |row| row.attempts + 1);
    let verdict = filing::judge(tx, ids, source, message, attempts, now)?;
    let fate = write_fate(tx, source, message.uid, &verdict, now)?;
    if verdict.message_id.is_none() {
        write_label(tx, source, message)?;
    }
    Ok(fate)
}

/// Writes down what a message is for which none is stored, so that it can be found by its Message-ID.
fn write_label(tx: &Tx<'_>, source: Source<'_>, message: &Prepared) -> store::Result<()> {
    let label = message.label();
    if label.is_empty() {
        return Ok(());
    }
    store::fates::update_label(
        tx,
        source.folder.id,
        source.uid_validity,
        message.uid,
        &label,
    )
}

fn write_fate(
    tx: &Tx<'_>,
    source: Source<'_>,
    uid: u32,
    verdict: &Verdict,
    now: i64,
) -> store::Result<Fate> {
    store::fates::upsert(tx, source.folder.id, source.uid_validity, uid, verdict, now)?;
    Ok(verdict.fate)
}

/// Writes down that a message is larger than can be taken, without having it.
///
/// # Errors
/// Those of the store.
pub fn too_big(
    store: &Store,
    source: Source<'_>,
    uid: u32,
    detail: &str,
    now: i64,
) -> store::Result<()> {
    let verdict = Verdict {
        fate: Fate::TooBig,
        message_id: None,
        detail: detail.to_owned(),
        retry_at: None,
    };
    store.write(|tx| {
        write_fate(tx, source, uid, &verdict, now)?;
        advance(tx, source, uid.saturating_add(1), Report::of(Fate::TooBig))
    })
}
