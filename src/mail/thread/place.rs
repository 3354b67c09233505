//! The rules that place a message in a conversation, in their order.
//!
//! 1. The message is known already by one of its own ids, or earlier ones speak of it.
//! 2. A delivery report belongs to the reply it is about.
//! 3. The ids it names, nearest first: In-Reply-To, then References from the end. One of ours counts
//!    even when it is not stored any more, if its keyed hash names the conversation.
//! 4. Outlook's Thread-Index, where subject or contact agree: some programs copy it into new matters.
//! 5. The same contact and subject behind a `Re:` within a month; never for lists and machines.
//!
//! Ids that lead to several conversations show them to be one thread; [`Placement::others`] names them.
//! That happens when mail comes out of its order.
//!
//! An answer under another subject in a conversation that has been quiet for a week begins a new one,
//! where the mailbox says so: customers take the newest mail they find to write about something else.

use crate::model::{Conversation, ConversationId, Kind, PlacedBy, Status};

use super::subject::{base_subject, folded, is_generic, is_marked_subject};

/// How long a conversation must have been quiet before a new subject in it begins another.
const QUIET_SECONDS: i64 = 7 * 86_400;
/// How far apart two messages may be that only their subject joins.
const SUBJECT_SECONDS: i64 = 30 * 86_400;

/// What a message says about where it belongs.
#[derive(Debug, Clone, Copy)]
pub struct Clues<'a> {
    /// See [`super::own_ids`].
    pub own_ids: &'a [String],
    /// See [`super::candidate_ids`].
    pub named_ids: &'a [String],
    /// How many of the named ids In-Reply-To has.
    pub in_reply_to: usize,
    /// With a delivery report: the conversation of the reply it is about.
    pub reported: Option<ConversationId>,
    /// See [`super::thread_guid`].
    pub thread_guid: Option<&'a [u8; 16]>,
    /// Its subject.
    pub subject: &'a str,
    /// What wrote it.
    pub kind: Kind,
    /// The address of the person outside.
    pub contact: &'a str,
    /// When it was sent.
    pub sent_at: i64,
    /// Whether a new subject in an old conversation begins another.
    pub new_subject_splits: bool,
}

/// What is known of an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Where it leads.
    pub conversation_id: ConversationId,
    /// The subject of the message that has it, when that is stored.
    pub subject: Option<String>,
    /// We wrote that message.
    pub ours: bool,
}

/// What is known, asked one thing at a time.
pub trait Lookup {
    /// What can go wrong in asking.
    type Error;

    /// What is stored under an id; an id of ours that is not stored is believed if its hash is right.
    ///
    /// # Errors
    /// Those of asking.
    fn by_id(&self, id: &str) -> Result<Option<Hit>, Self::Error>;

    /// A conversation.
    ///
    /// # Errors
    /// Those of asking.
    fn conversation(&self, id: ConversationId) -> Result<Option<Conversation>, Self::Error>;

    /// Conversations with messages of this Outlook thread, newest first.
    ///
    /// # Errors
    /// Those of asking.
    fn by_thread_guid(&self, guid: &[u8; 16]) -> Result<Vec<Conversation>, Self::Error>;

    /// Conversations with a contact in which something happened since then, newest first.
    ///
    /// # Errors
    /// Those of asking.
    fn with_contact(&self, address: &str, since: i64) -> Result<Vec<Conversation>, Self::Error>;
}

/// Where a message goes, and by which rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// The conversation; `None` begins one.
    pub conversation_id: Option<ConversationId>,
    /// The rule.
    pub by: PlacedBy,
    /// Further conversations that its ids lead to.
    pub others: Vec<ConversationId>,
}

/// Decides where a message goes.
///
/// # Errors
/// Those of the look-ups.
pub fn place<L: Lookup>(clues: &Clues<'_>, known: &L) -> Result<Placement, L::Error> {
    if let Some(placement) = by_ids(clues, known)? {
        return Ok(placement);
    }
    if let Some(guid) = clues.thread_guid {
        let found = known.by_thread_guid(guid)?;
        if let Some(one) = found.iter().find(|one| is_same_outlook_thread(clues, one)) {
            return Ok(join(one.id, PlacedBy::ThreadIndex));
        }
    }
    if may_join_by_subject(clues) {
        let since = clues.sent_at.saturating_sub(SUBJECT_SECONDS);
        let found = known.with_contact(clues.contact, since)?;
        if let Some(one) = found.iter().find(|one| has_same_subject_lately(clues, one)) {
            return Ok(join(one.id, PlacedBy::Subject));
        }
    }
    Ok(begin(PlacedBy::New))
}

/// The first three rules.
fn by_ids<L: Lookup>(clues: &Clues<'_>, known: &L) -> Result<Option<Placement>, L::Error> {
    let mut placement: Option<Placement> = None;
    let mut lead = |id, by| match &mut placement {
        None => placement = Some(join(id, by)),
        Some(first) => {
            if first.conversation_id != Some(id) && !first.others.contains(&id) {
                first.others.push(id);
            }
        }
    };
    let mut is_placed = false;
    for id in clues.own_ids {
        if let Some(hit) = known.by_id(id)? {
            lead(hit.conversation_id, PlacedBy::OwnId);
            is_placed = true;
        }
    }
    if let (Some(id), false) = (clues.reported, is_placed) {
        return Ok(Some(join(id, PlacedBy::Report)));
    }
    for (number, id) in clues.named_ids.iter().enumerate() {
        let Some(hit) = known.by_id(id)? else {
            continue;
        };
        if !is_placed && is_new_matter(clues, &hit, known)? {
            return Ok(Some(begin(PlacedBy::NewSubject)));
        }
        is_placed = true;
        let by = if hit.ours {
            PlacedBy::OurId
        } else if number < clues.in_reply_to {
            PlacedBy::InReplyTo
        } else {
            PlacedBy::References
        };
        lead(hit.conversation_id, by);
    }
    Ok(placement)
}

const fn join(conversation_id: ConversationId, by: PlacedBy) -> Placement {
    Placement {
        conversation_id: Some(conversation_id),
        by,
        others: Vec::new(),
    }
}

const fn begin(by: PlacedBy) -> Placement {
    Placement {
        conversation_id: None,
        by,
        others: Vec::new(),
    }
}

/// An old conversation, and a person who writes under a subject that neither it nor the answered message
/// has. Tags and notices that servers add do not make a subject new.
fn is_new_matter<L: Lookup>(clues: &Clues<'_>, hit: &Hit, known: &L) -> Result<bool, L::Error> {
    if !clues.new_subject_splits || clues.kind != Kind::Message {
        return Ok(false);
    }
    let Some(old) = known.conversation(hit.conversation_id)? else {
        return Ok(false);
    };
    let quiet = clues.sent_at.saturating_sub(old.active_at) > QUIET_SECONDS;
    // Whole words: “Hi” is not in “Shipping”.
    let words = |subject: &str| format!(" {} ", folded(subject)).replace("  ", " ");
    let ours = words(clues.subject);
    let is_kin = |other: &str| {
        let other = words(other);
        other.contains(&ours) || ours.contains(&other)
    };
    Ok(quiet && !is_kin(&old.subject) && !hit.subject.as_deref().is_some_and(is_kin))
}

fn is_same_contact(clues: &Clues<'_>, conversation: &Conversation) -> bool {
    !clues.contact.is_empty()
        && conversation
            .contact
            .address
            .eq_ignore_ascii_case(clues.contact)
}

fn has_same_subject(clues: &Clues<'_>, conversation: &Conversation) -> bool {
    let subject = folded(clues.subject);
    !subject.is_empty() && subject == folded(&conversation.subject)
}

fn is_same_outlook_thread(clues: &Clues<'_>, conversation: &Conversation) -> bool {
    let person = clues.kind == Kind::Message && is_marked_subject(clues.subject);
    has_same_subject(clues, conversation) || (person && is_same_contact(clues, conversation))
}

fn may_join_by_subject(clues: &Clues<'_>) -> bool {
    clues.kind == Kind::Message
        && !clues.contact.is_empty()
        && is_marked_subject(clues.subject)
        && !is_generic(&base_subject(clues.subject))
}

fn has_same_subject_lately(clues: &Clues<'_>, conversation: &Conversation) -> bool {
    let apart = clues.sent_at.saturating_sub(conversation.active_at);
    apart.saturating_abs() <= SUBJECT_SECONDS
        && conversation.status != Status::Spam
        && has_same_subject(clues, conversation)
}

#[cfg(test)]
mod tests;
