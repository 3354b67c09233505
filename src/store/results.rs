//! Conversations that a question finds.
//!
//! However common a word is, the work is bounded: hits are read newest first and only so many, first those in
//! subjects, senders and file names, then the words as typed, then their other forms. What was read is ranked
//! by `model::search::rank`. A row of the index is looked up by its id alone, so nothing is scanned.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{CachedStatement, OptionalExtension as _, Row};

use super::rows::word;
use super::{Db, Result, inbox};
use crate::model::search::expression::{self, Scope};
use crate::model::search::query::{Query, Wanted, Width};
use crate::model::search::rank::{Judge, Seen};
use crate::model::{
    AgentId, ConversationId, ConversationRow, MailboxId, MessageId, Status, Word as _,
};

/// Hits ranked of each kind, the newest.
const HEAD_HITS: usize = 200;
const HITS: usize = 400;
const NOTE_HITS: usize = 100;
/// Hits looked at for those that also fit the conversation's state or the exact time.
const LOOKED_AT: usize = 20_000;
/// Conversations listed of each state, when nothing but states is asked for.
const LISTED: u32 = 400;
/// What each further message that fits adds to a conversation's worth, by its logarithm.
const MORE: f64 = 0.1;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Ask<'a> {
    /// The words and wishes.
    pub query: &'a Query,
    /// Which mailboxes, and the present day.
    pub scope: &'a Scope,
    /// Who may have the conversation; `None` is nobody.
    pub assignees: Vec<Wanted<Option<AgentId>>>,
    /// Only what was sent at this time or later.
    pub after_at: Option<i64>,
    /// Only what was sent before this time.
    pub before_at: Option<i64>,
    /// Who asks.
    pub agent_id: AgentId,
    /// The present time.
    pub now: i64,
    /// Results passed by.
    pub skip: usize,
    /// Results given.
    pub limit: usize,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Results {
    /// The best, in their order.
    pub found: Vec<Found>,
    /// How many conversations there are to page through.
    pub total: usize,
    /// There may be more, of older mail.
    pub is_cut: bool,
}

/// One conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// As lists show it.
    pub row: ConversationRow,
    /// The message or note that fits best.
    pub best: Option<Best>,
    /// How many of its messages and notes fit, of those that were read.
    pub count: u32,
}

/// The message or note of a conversation that fits best.
#[derive(Debug, Clone, PartialEq)]
pub struct Best {
    /// The message; `None` for a note.
    pub message_id: Option<MessageId>,
    /// Who wrote it.
    pub who: String,
    /// What was newly written.
    pub new_text: String,
    /// All its text.
    pub text: String,
    /// When.
    pub at: i64,
}

/// A row of one of the indexes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Message(i64),
    Note(i64),
}

/// What is known of a hit before its texts are read.
struct Hit {
    conversation_id: ConversationId,
    subject: String,
    people: String,
    status: Status,
    assignee_id: Option<AgentId>,
    active_at: i64,
    at: i64,
}

/// A conversation on the way to its rank.
struct Candidate {
    worth: f64,
    best: Place,
    count: u32,
    active_at: i64,
}

/// Finds conversations, the best first.
///
/// # Errors
/// Those of SQLite.
pub fn find(db: &Db, ask: &Ask<'_>) -> Result<Results> {
    let (order, is_cut) = if asks_for_states_only(ask) {
        by_state(db, ask)?
    } else {
        by_words(db, ask)?
    };
    let total = order.len();
    let mut found = Vec::new();
    for (id, best, count) in order.into_iter().skip(ask.skip).take(ask.limit) {
        if let Some(row) = inbox::find_row(db, ask.agent_id, id)? {
            let best = best.map(|place| texts(db, place)).transpose()?.flatten();
            found.push(Found { row, best, count });
        }
    }
    Ok(Results {
        found,
        total,
        is_cut,
    })
}

type Order = Vec<(ConversationId, Option<Place>, u32)>;

fn by_words(db: &Db, ask: &Ask<'_>) -> Result<(Order, bool)> {
    let judge = Judge::new(&ask.query.patterns(), ask.now);
    let mut gathered = Gathered {
        ask,
        judge,
        seen: BTreeSet::new(),
        candidates: BTreeMap::new(),
    };
    let of = |width| expression::of(ask.query, ask.scope, width);
    let (exact, forms) = (of(Width::Exact), of(Width::Forms));
    let head = of(Width::Head).filter(|_| ask.query.has_free_words());
    let mut is_cut = false;
    if let Some(head) = head {
        gathered.read(db, &MESSAGES, &head, false, HEAD_HITS)?;
    }
    if let Some(exact) = &exact {
        is_cut = gathered.read(db, &MESSAGES, exact, true, HITS)?;
        gathered.read(db, &NOTES, exact, true, NOTE_HITS)?;
    }
    if let Some(forms) = forms.filter(|forms| !is_cut && Some(forms) != exact.as_ref()) {
        is_cut = gathered.read(db, &MESSAGES, &forms, false, HITS)?;
        gathered.read(db, &NOTES, &forms, false, NOTE_HITS)?;
    }
    let mut ranked: Vec<(f64, i64, ConversationId, Candidate)> = gathered
        .candidates
        .into_iter()
        .map(|(id, one)| {
            let worth = one.worth + MORE * f64::from(one.count).ln();
            (worth, one.active_at, id, one)
        })
        .collect();
    ranked.sort_by(|one, other| {
        other
            .0
            .total_cmp(&one.0)
            .then(other.1.cmp(&one.1))
            .then(other.2.cmp(&one.2))
    });
    let order = ranked
        .into_iter()
        .map(|(_, _, id, one)| (id, Some(one.best), one.count));
    Ok((order.collect(), is_cut))
}

/// An index, and how its rows are looked up.
struct Index {
    hits: &'static str,
    row: &'static str,
    /// The same with the time, which lies behind the text of a message and costs reading past it.
    row_with_time: &'static str,
    place: fn(i64) -> Place,
}

const MESSAGES: Index = Index {
    hits: "SELECT rowid FROM message_search WHERE message_search MATCH ?1 ORDER BY rowid DESC",
    row: "SELECT c.id, m.subject, m.from_name || ' ' || m.from_address, c.status, c.assignee_id, c.active_at, 0
          FROM messages m JOIN conversations c ON c.id = m.conversation_id WHERE m.id = ?1",
    row_with_time:
        "SELECT c.id, m.subject, m.from_name || ' ' || m.from_address, c.status, c.assignee_id, c.active_at, m.sent_at
         FROM messages m JOIN conversations c ON c.id = m.conversation_id WHERE m.id = ?1",
    place: Place::Message,
};
const NOTES: Index = Index {
    hits: "SELECT rowid FROM note_search WHERE note_search MATCH ?1 ORDER BY rowid DESC",
    row: NOTE_ROW,
    row_with_time: NOTE_ROW,
    place: Place::Note,
};
const NOTE_ROW: &str =
    "SELECT c.id, '', COALESCE(a.name, ''), c.status, c.assignee_id, c.active_at, n.created_at
     FROM notes n JOIN conversations c ON c.id = n.conversation_id
     LEFT JOIN agents a ON a.id = n.agent_id WHERE n.id = ?1";

fn hit(row: &Row<'_>) -> rusqlite::Result<Hit> {
    Ok(Hit {
        conversation_id: ConversationId(row.get(0)?),
        subject: row.get(1)?,
        people: row.get(2)?,
        status: word(row, 3)?,
        assignee_id: row.get::<_, Option<i64>>(4)?.map(AgentId),
        active_at: row.get(5)?,
        at: row.get(6)?,
    })
}

struct Gathered<'a> {
    ask: &'a Ask<'a>,
    judge: Judge,
    seen: BTreeSet<Place>,
    candidates: BTreeMap<ConversationId, Candidate>,
}

impl Gathered<'_> {
    /// Reads the newest hits of an expression; whether there may be more.
    fn read(
        &mut self,
        db: &Db,
        index: &Index,
        asked: &str,
        exact: bool,
        most: usize,
    ) -> Result<bool> {
        let has_times = self.ask.after_at.is_some() || self.ask.before_at.is_some();
        let mut lookup = db.prepare_cached(if has_times {
            index.row_with_time
        } else {
            index.row
        })?;
        let mut hits = db.prepare_cached(index.hits)?;
        let mut rows = hits.query([asked])?;
        let (mut taken, mut looked_at) = (0, 0);
        while let Some(row) = rows.next()? {
            if taken == most || looked_at == LOOKED_AT {
                return Ok(true);
            }
            looked_at += 1;
            let id = row.get(0)?;
            taken += usize::from(self.take(&mut lookup, (index.place)(id), id, exact)?);
        }
        Ok(false)
    }

    /// Takes a hit; whether it fits what else is asked.
    fn take(
        &mut self,
        lookup: &mut CachedStatement<'_>,
        place: Place,
        id: i64,
        exact: bool,
    ) -> Result<bool> {
        if self.seen.contains(&place) {
            return Ok(true);
        }
        let Some(hit) = lookup.query_row([id], hit).optional()? else {
            return Ok(false);
        };
        if !fits_state(self.ask, hit.status, hit.assignee_id) || !self.fits_time(hit.at) {
            return Ok(false);
        }
        self.seen.insert(place);
        let worth = self.judge.worth(&Seen {
            subject: &hit.subject,
            people: &hit.people,
            exact,
            active_at: hit.active_at,
        });
        let new = Candidate {
            worth,
            best: place,
            count: 0,
            active_at: hit.active_at,
        };
        let one = self.candidates.entry(hit.conversation_id).or_insert(new);
        one.count += 1;
        if worth > one.worth {
            (one.worth, one.best) = (worth, place);
        }
        Ok(true)
    }

    fn fits_time(&self, at: i64) -> bool {
        self.ask.after_at.is_none_or(|from| at >= from)
            && self.ask.before_at.is_none_or(|end| at < end)
    }
}

fn fits_state(ask: &Ask<'_>, status: Status, assignee_id: Option<AgentId>) -> bool {
    fits(&ask.query.statuses, &status) && fits(&ask.assignees, &assignee_id)
}

/// Whether a value is one of those wanted, where any are, and none of those unwanted.
fn fits<T: PartialEq>(wishes: &[Wanted<T>], value: &T) -> bool {
    let wanted = wishes.iter().any(|wish| !wish.not && wish.value == *value);
    let unwanted = wishes.iter().any(|wish| wish.not && wish.value == *value);
    !unwanted && (wanted || wishes.iter().all(|wish| wish.not))
}

fn asks_for_states_only(ask: &Ask<'_>) -> bool {
    let query = ask.query;
    query.terms.is_empty()
        && query.has_attachment.is_none()
        && query.after.is_none()
        && query.before.is_none()
}

/// The newest conversations of the states asked for, each read from an index in its order.
fn by_state(db: &Db, ask: &Ask<'_>) -> Result<(Order, bool)> {
    let statuses = [
        Status::Open,
        Status::Waiting,
        Status::Snoozed,
        Status::Closed,
        Status::Spam,
    ];
    let statuses = statuses
        .into_iter()
        .filter(|status| fits(&ask.query.statuses, status));
    let assignees: Vec<Option<AgentId>> = ask
        .assignees
        .iter()
        .filter(|one| !one.not)
        .map(|one| one.value)
        .collect();
    let mut found: BTreeSet<(i64, i64)> = BTreeSet::new();
    let mut is_cut = false;
    for status in statuses {
        let mut list = |sql: &str, of: Option<i64>| -> Result<()> {
            let mut statement = db.prepare_cached(sql)?;
            let rows = statement.query_map((status.word(), of, LISTED), |row| {
                let assignee: Option<i64> = row.get(3)?;
                Ok((
                    row.get(0)?,
                    row.get(1)?,
                    MailboxId(row.get(2)?),
                    assignee.map(AgentId),
                ))
            })?;
            let rows: Vec<(i64, i64, MailboxId, Option<AgentId>)> =
                rows.collect::<rusqlite::Result<_>>()?;
            is_cut |= rows.len() >= usize::try_from(LISTED).unwrap_or(usize::MAX);
            let fitting = rows.into_iter().filter(|(_, _, mailbox_id, assignee_id)| {
                ask.scope.mailboxes.contains(mailbox_id) && fits_state(ask, status, *assignee_id)
            });
            found.extend(fitting.map(|(active_at, id, _, _)| (active_at, id)));
            Ok(())
        };
        if !assignees.is_empty() {
            for who in &assignees {
                list(OF_ASSIGNEE, who.map(|id| id.0))?;
            }
        } else if ask.scope.all {
            list(OF_ALL, None)?;
        } else {
            for id in &ask.scope.mailboxes {
                list(OF_MAILBOX, Some(id.0))?;
            }
        }
    }
    let order = found
        .into_iter()
        .rev()
        .map(|(_, id)| (ConversationId(id), None, 0));
    Ok((order.collect(), is_cut))
}

const OF_ASSIGNEE: &str = "SELECT active_at, id, mailbox_id, assignee_id FROM conversations
     WHERE status = ?1 AND assignee_id IS ?2 ORDER BY active_at DESC, id DESC LIMIT ?3";
const OF_MAILBOX: &str = "SELECT active_at, id, mailbox_id, assignee_id FROM conversations
     WHERE status = ?1 AND mailbox_id = ?2 ORDER BY active_at DESC, id DESC LIMIT ?3";
const OF_ALL: &str = "SELECT active_at, id, mailbox_id, assignee_id FROM conversations
     WHERE status = ?1 AND ?2 IS NULL ORDER BY active_at DESC, id DESC LIMIT ?3";

fn texts(db: &Db, place: Place) -> Result<Option<Best>> {
    let (sql, id) = match place {
        Place::Message(id) => (
            "SELECT CASE WHEN from_name = '' THEN from_address ELSE from_name END, reply_text, text, sent_at
             FROM messages WHERE id = ?1",
            id,
        ),
        Place::Note(id) => (
            "SELECT COALESCE(a.name, ''), n.text, '', n.created_at
             FROM notes n LEFT JOIN agents a ON a.id = n.agent_id WHERE n.id = ?1",
            id,
        ),
    };
    let message_id = match place {
        Place::Message(id) => Some(MessageId(id)),
        Place::Note(_) => None,
    };
    Ok(db
        .prepare_cached(sql)?
        .query_row([id], |row| {
            Ok(Best {
                message_id,
                who: row.get(0)?,
                new_text: row.get(1)?,
                text: row.get(2)?,
                at: row.get(3)?,
            })
        })
        .optional()?)
}

/// Finds the stored message that has a Message-ID, in any mailbox: its conversation and itself.
///
/// # Errors
/// Those of SQLite.
pub fn find_by_internet_message_id(
    db: &Db,
    mailboxes: &[MailboxId],
    internet_message_id: &str,
) -> Result<Option<(ConversationId, MessageId)>> {
    for id in mailboxes {
        let known = super::threads::find(db, *id, internet_message_id)?;
        if let Some((conversation_id, message_id)) =
            known.and_then(|known| Some((known.conversation_id, known.message_id?)))
        {
            return Ok(Some((conversation_id, message_id)));
        }
    }
    Ok(None)
}
