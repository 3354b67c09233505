//! What pages show of a message beside its text, read from its bytes when it is shown. It is not stored: a
//! better reading after an upgrade is seen at once. What was shown lately is kept in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::error::Error;
use crate::mail::calendar::{self, Calendar};
use crate::mail::{self, Protection, protected, trust};
use crate::model::{Direction, Kind, Message, MessageId};
use crate::store::{self, Db};

/// Messages kept; they are small.
const KEPT_MAX: usize = 1_000;
/// Larger messages are read only as far as their header fields go.
const WHOLE_MAX_BYTES: i64 = 2 * 1024 * 1024;
/// What is read of those.
const HEAD_BYTES: usize = 256 * 1024;
/// Bytes of one page's messages that are read whole; of the others the head is enough.
const PAGE_MAX_BYTES: i64 = 12 * 1024 * 1024;
/// Calendars are small; a larger file is not one.
const CALENDAR_MAX_BYTES: i64 = 1024 * 1024;
/// Newest conversations that say whom we write with.
const PARTNER_CONVERSATIONS: u32 = 3_000;
/// So many of them with one domain make it known.
const PARTNER_MIN: u32 = 3;
/// How long what is known is good for, in seconds.
const KNOWN_SECONDS: i64 = 60;

/// What was read from a message's bytes.
#[derive(Debug, Clone, Default)]
pub(super) struct Reading {
    /// What it says of its sender.
    pub(super) evidence: trust::Evidence,
    /// The event it is about.
    pub(super) calendar: Option<Calendar>,
    /// How it is signed or encrypted.
    pub(super) protection: Option<Protection>,
    /// Where its sender lets it be read.
    pub(super) reading_page: Option<String>,
}

impl Reading {
    /// Reads a whole message.
    #[must_use]
    pub(super) fn of(parsed: &mail::Parsed) -> Self {
        Self {
            evidence: trust::evidence(parsed, trust::EXCHANGE),
            calendar: parsed.calendar.clone(),
            protection: parsed.protection,
            reading_page: protected::reading_page(parsed),
        }
    }
}

/// What was read lately.
#[derive(Debug, Default)]
pub(super) struct Readings {
    kept: Mutex<HashMap<MessageId, Arc<Reading>>>,
    known: Mutex<Option<(i64, Arc<trust::Known>)>>,
}

impl Readings {
    /// The readings of messages, in their order.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) fn list(&self, db: &Db, messages: &[Message]) -> Result<Vec<Arc<Reading>>, Error> {
        let mut budget = PAGE_MAX_BYTES;
        messages
            .iter()
            .map(|message| self.find(db, message, &mut budget))
            .collect()
    }

    fn find(&self, db: &Db, message: &Message, budget: &mut i64) -> Result<Arc<Reading>, Error> {
        let lock = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = lock().get(&message.id) {
            return Ok(Arc::clone(kept));
        }
        let reading = Arc::new(read(db, message, budget)?);
        let mut kept = lock();
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(message.id, Arc::clone(&reading));
        Ok(reading)
    }

    /// Our addresses, our people, and whom we write with.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) fn known(&self, db: &Db, now: i64) -> Result<Arc<trust::Known>, Error> {
        let lock = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, known)) = lock().as_ref()
            && (*at..*at + KNOWN_SECONDS).contains(&now)
        {
            return Ok(Arc::clone(known));
        }
        let known = Arc::new(ask(db)?);
        *lock() = Some((now, Arc::clone(&known)));
        Ok(known)
    }
}

fn read(db: &Db, message: &Message, budget: &mut i64) -> Result<Reading, Error> {
    let Some((size_bytes, head)) = store::messages::find_head(db, message.id, HEAD_BYTES)? else {
        return Ok(Reading::default());
    };
    let is_whole = i64::try_from(head.len()).is_ok_and(|length| length == size_bytes);
    let affordable = size_bytes <= WHOLE_MAX_BYTES && size_bytes <= *budget;
    let raw = if !is_whole && affordable {
        *budget -= size_bytes;
        store::messages::find_raw(db, message.id)?.unwrap_or_default()
    } else {
        head
    };
    let mut reading = Reading::of(&mail::parse(&raw).0);
    if reading.calendar.is_none() && !is_whole && !affordable {
        reading.calendar = calendar_file(db, message)?;
    }
    Ok(reading)
}

/// The event in a file of a message too large to be read whole.
fn calendar_file(db: &Db, message: &Message) -> Result<Option<Calendar>, Error> {
    let file = message
        .attachments
        .iter()
        .find(|file| super::files::is_calendar(file) && file.size_bytes <= CALENDAR_MAX_BYTES);
    let Some(file) = file else {
        return Ok(None);
    };
    let found = store::attachments::find(db, file.id)?;
    Ok(found.and_then(|(_, _, bytes)| calendar::read(&String::from_utf8_lossy(&bytes))))
}

fn ask(db: &Db) -> Result<trust::Known, Error> {
    let mailboxes = store::mailboxes::list(db)?;
    let own_domains: Vec<String> = mailboxes
        .iter()
        .map(|mailbox| trust::domain_of(&mailbox.address))
        .collect();
    let agents = store::agents::list(db)?;
    let colleagues = agents
        .into_iter()
        .map(|agent| agent.name)
        .chain(mailboxes.into_iter().map(|mailbox| mailbox.name))
        .collect();
    let mut counts: HashMap<String, u32> = HashMap::new();
    for address in store::contacts::list_of_newest(db, PARTNER_CONVERSATIONS)? {
        *counts.entry(trust::domain_of(&address)).or_default() += 1;
    }
    let mut partners: Vec<String> = counts
        .into_iter()
        .filter(|(domain, count)| *count >= PARTNER_MIN && !domain.is_empty())
        .map(|(domain, _)| domain)
        .collect();
    partners.sort();
    Ok(trust::Known {
        own_domains,
        colleagues,
        partners,
    })
}

/// What there is to say of a message's sender; nothing of our own messages.
///
/// # Errors
/// Those of the store.
pub(super) fn assess(
    db: &Db,
    message: &Message,
    contact: &crate::model::Contact,
    reading: &Reading,
    known: &trust::Known,
) -> Result<trust::Assessment, Error> {
    if message.direction == Direction::Outgoing {
        return Ok(trust::Assessment::default());
    }
    let is_contact = |address: &str| address.eq_ignore_ascii_case(&contact.address);
    let by_contact = is_contact(&message.from.address)
        || message
            .recipients
            .reply_to
            .iter()
            .any(|who| is_contact(&who.address));
    // Machines write for the first time every day.
    let is_first = message.kind == Kind::Message
        && by_contact
        && store::messages::is_first_of_contact(db, contact.id, message)?;
    Ok(trust::assess(&reading.evidence, known, is_first))
}
