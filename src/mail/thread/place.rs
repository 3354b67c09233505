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
//! Older mail may be fetched after newer: what would have joined an older message, had it been there, then
//! draws the older message to it, and what would have begun a conversation of its own ([`Placement::parted`])
//! lets it go. The conversations come out the same, whichever way the mail was read.
//!
//! An answer under another subject in a conversation that has been quiet for a week begins a new one,
//! where the mailbox says so: customers take the newest mail they find to write about something else.

use crate::model::{Beginning, Conversation, ConversationId, Kind, PlacedBy, Status};

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

    /// Conversations with a contact that were going on between these times, newest first.
    ///
    /// # Errors
    /// Those of asking.
    fn with_contact(
        &self,
        address: &str,
        since: i64,
        until: i64,
    ) -> Result<Vec<Conversation>, Self::Error>;

    /// What a conversation began with.
    ///
    /// # Errors
    /// Those of asking.
    fn beginning(&self, id: ConversationId) -> Result<Option<Beginning>, Self::Error>;
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
    /// Ids that lead to conversations which began later, under a subject of their own, and are to lead here.
    pub parted: Vec<(String, ConversationId)>,
}

/// Decides where a message goes.
///
/// # Errors
/// Those of the look-ups.
pub fn place<L: Lookup>(clues: &Clues<'_>, known: &L) -> Result<Placement, L::Error> {
    let mut parted = Vec::new();
    if let Some(placement) = by_ids(clues, known, &mut parted)? {
        return Ok(Placement {
            parted,
            ..placement
        });
    }
    let placement = match by_thread_index(clues, known)? {
        Some(placement) => placement,
        None => by_subject(clues, known)?
            .map_or_else(|| begin(PlacedBy::New), |id| join(id, PlacedBy::Subject)),
    };
    Ok(Placement {
        parted,
        ..placement
    })
}

/// The fourth rule. Conversations that began later and belong to this message are one thread with it.
fn by_thread_index<L: Lookup>(clues: &Clues<'_>, known: &L) -> Result<Option<Placement>, L::Error> {
    let mut placement: Option<Placement> = None;
    let Some(guid) = clues.thread_guid else {
        return Ok(None);
    };
    for one in known.by_thread_guid(guid)? {
        if !is_same_outlook_thread(clues, &one, known)? {
            continue;
        }
        match &mut placement {
            None => placement = Some(join(one.id, PlacedBy::ThreadIndex)),
            Some(first) if clues.sent_at < one.created_at => first.others.push(one.id),
            Some(_) => {}
        }
    }
    Ok(placement)
}

/// The last rule.
fn by_subject<L: Lookup>(clues: &Clues<'_>, known: &L) -> Result<Option<ConversationId>, L::Error> {
    if clues.contact.is_empty() || is_generic(&base_subject(clues.subject)) {
        return Ok(None);
    }
    let since = clues.sent_at.saturating_sub(SUBJECT_SECONDS);
    let until = clues.sent_at.saturating_add(SUBJECT_SECONDS);
    let mut found = known.with_contact(clues.contact, since, until)?;
    found.sort_by_key(|one| apart(clues, one));
    for one in found {
        if has_same_subject_lately(clues, &one)
            && (may_join_by_subject(clues) || would_follow(clues, &one, known)?)
        {
            return Ok(Some(one.id));
        }
    }
    Ok(None)
}

/// The first three rules.
fn by_ids<L: Lookup>(
    clues: &Clues<'_>,
    known: &L,
    parted: &mut Vec<(String, ConversationId)>,
) -> Result<Option<Placement>, L::Error> {
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
            if began_later_apart(clues, &hit, known)? {
                parted.push((id.clone(), hit.conversation_id));
                continue;
            }
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
        if began_later_apart(clues, &hit, known)? {
            parted.push((id.clone(), hit.conversation_id));
            continue;
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
        parted: Vec::new(),
    }
}

const fn begin(by: PlacedBy) -> Placement {
    Placement {
        conversation_id: None,
        by,
        others: Vec::new(),
        parted: Vec::new(),
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
    let is_kin = |other: &str| is_kin(clues.subject, other);
    Ok(quiet && !is_kin(&old.subject) && !hit.subject.as_deref().is_some_and(is_kin))
}

/// The same seen from the other end: the conversation began long after this message, with a person who
/// wrote under another subject, and only speaks of it.
fn began_later_apart<L: Lookup>(clues: &Clues<'_>, hit: &Hit, known: &L) -> Result<bool, L::Error> {
    if !clues.new_subject_splits || hit.ours || hit.subject.is_some() {
        return Ok(false);
    }
    let Some(later) = known.conversation(hit.conversation_id)? else {
        return Ok(false);
    };
    let quiet = later.created_at.saturating_sub(clues.sent_at) > QUIET_SECONDS;
    if !quiet || is_kin(&later.subject, clues.subject) {
        return Ok(false);
    }
    let beginning = known.beginning(later.id)?;
    Ok(beginning.is_some_and(|first| first.kind == Kind::Message))
}

/// Whether one subject holds the other, in whole words: “Hi” is not in “Shipping”.
fn is_kin(one: &str, other: &str) -> bool {
    let words = |subject: &str| format!(" {} ", folded(subject)).replace("  ", " ");
    let (one, other) = (words(one), words(other));
    other.contains(&one) || one.contains(&other)
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

fn is_same_outlook_thread<L: Lookup>(
    clues: &Clues<'_>,
    conversation: &Conversation,
    known: &L,
) -> Result<bool, L::Error> {
    if has_same_subject(clues, conversation) {
        return Ok(true);
    }
    if !is_same_contact(clues, conversation) {
        return Ok(false);
    }
    if clues.kind == Kind::Message && is_marked_subject(clues.subject) {
        return Ok(true);
    }
    Ok(first_after(clues, conversation, known)?.is_some_and(|first| is_answer(&first)))
}

/// What a conversation began with, if that was sent after this message.
fn first_after<L: Lookup>(
    clues: &Clues<'_>,
    conversation: &Conversation,
    known: &L,
) -> Result<Option<Beginning>, L::Error> {
    if clues.sent_at >= conversation.created_at {
        return Ok(None);
    }
    known.beginning(conversation.id)
}

fn is_answer(first: &Beginning) -> bool {
    first.kind == Kind::Message && is_marked_subject(&first.subject)
}

fn may_join_by_subject(clues: &Clues<'_>) -> bool {
    clues.kind == Kind::Message && is_marked_subject(clues.subject)
}

/// Whether the conversation began with an answer that would have joined this message by its subject. One
/// that names messages may yet find them.
fn would_follow<L: Lookup>(
    clues: &Clues<'_>,
    conversation: &Conversation,
    known: &L,
) -> Result<bool, L::Error> {
    let first = first_after(clues, conversation, known)?;
    Ok(first.is_some_and(|first| is_answer(&first) && !first.names_others))
}

/// Seconds between the message and the nearest end of the conversation.
fn apart(clues: &Clues<'_>, conversation: &Conversation) -> i64 {
    let after = clues.sent_at.saturating_sub(conversation.active_at);
    let before = conversation.created_at.saturating_sub(clues.sent_at);
    after.max(before).max(0)
}

fn has_same_subject_lately(clues: &Clues<'_>, conversation: &Conversation) -> bool {
    apart(clues, conversation) <= SUBJECT_SECONDS
        && conversation.status != Status::Spam
        && has_same_subject(clues, conversation)
}

#[cfg(test)]
mod tests;
