//! Which conversation a message joins: the rules of [`mail::thread::place`] over what the store knows.
//!
//! [`mail::thread::place`]: crate::mail::thread::place

use super::prepare::Mail;
use super::{Source, joining};
use crate::mail::thread::{self, Bound, Clues, Hit, IdKey, Lookup, Placement, base_subject};
use crate::model::{
    Address, Beginning, ContactId, Conversation, ConversationId, Delivery, Direction, MailboxId,
    MessageId, PlacedBy, Status,
};
use crate::store::{self, Tx};

/// What the store knows of one mailbox.
struct Known<'a> {
    tx: &'a Tx<'a>,
    ids: &'a IdKey,
    mailbox_id: MailboxId,
}

impl Known<'_> {
    /// An id of ours that is not stored, after a backup was put back or a message was lost: it is believed
    /// when its hash says that we gave it to this conversation.
    fn by_hash(&self, id: &str) -> store::Result<Option<Hit>> {
        let Some(named) = IdKey::conversation_named(id) else {
            return Ok(None);
        };
        let found = store::conversations::find(self.tx, named)?;
        let hit = found
            .filter(|found| found.mailbox_id == self.mailbox_id)
            .filter(|found| self.ids.verify(id, &bound(found)));
        Ok(hit.map(|conversation| Hit {
            conversation_id: conversation.id,
            subject: None,
            ours: true,
        }))
    }
}

impl Lookup for Known<'_> {
    type Error = store::Error;

    fn by_id(&self, id: &str) -> store::Result<Option<Hit>> {
        let Some(known) = store::threads::find(self.tx, self.mailbox_id, id)? else {
            return self.by_hash(id);
        };
        Ok(Some(Hit {
            conversation_id: known.conversation_id,
            subject: known.subject,
            ours: known.ours,
        }))
    }

    fn conversation(&self, id: ConversationId) -> store::Result<Option<Conversation>> {
        store::conversations::find(self.tx, id)
    }

    fn by_thread_guid(&self, guid: &[u8; 16]) -> store::Result<Vec<Conversation>> {
        let mut found = Vec::new();
        for id in store::threads::list_by_guid(self.tx, self.mailbox_id, guid)? {
            found.extend(self.conversation(id)?);
        }
        Ok(found)
    }

    fn with_contact(
        &self,
        address: &str,
        since: i64,
        until: i64,
    ) -> store::Result<Vec<Conversation>> {
        store::conversations::list_lately_with(self.tx, self.mailbox_id, address, since, until)
    }

    fn beginning(&self, id: ConversationId) -> store::Result<Option<Beginning>> {
        store::conversations::find_beginning(self.tx, id)
    }
}

/// What the ids of a conversation's messages are bound to.
#[must_use]
pub(crate) const fn bound(conversation: &Conversation) -> Bound {
    Bound {
        mailbox_id: conversation.mailbox_id,
        conversation_id: conversation.id,
        begun_at: conversation.created_at,
    }
}

/// The person outside that a message came from or went to.
fn contact(mail: &Mail, direction: Direction) -> Address {
    let who = match direction {
        Direction::Incoming => Some(&mail.sender_to_answer),
        Direction::Outgoing => mail
            .recipients
            .to
            .first()
            .or_else(|| mail.recipients.cc.first()),
    };
    who.filter(|who| !who.address.is_empty())
        .cloned()
        .unwrap_or_else(|| Address::new("Unknown sender", "unknown@invalid"))
}

/// Where a message was put.
pub(super) struct Placed {
    pub(super) conversation_id: ConversationId,
    pub(super) by: PlacedBy,
    /// The conversation begins with it.
    pub(super) is_new: bool,
    /// Ids that led elsewhere and lead here from now on.
    parted: Vec<(String, ConversationId)>,
}

/// A message about to be placed.
#[derive(Clone, Copy)]
pub(super) struct Arrival<'a> {
    pub(super) mail: &'a Mail,
    pub(super) direction: Direction,
    pub(super) sent_at: i64,
    /// With a delivery report: the reply it is about.
    pub(super) reported: Option<&'a Delivery>,
    /// Where a conversation that begins with it stands.
    pub(super) status: Status,
    /// It is older than what was wanted at first.
    pub(super) is_history: bool,
}

/// Finds the conversation of a message, or begins it.
pub(super) fn place(
    tx: &Tx<'_>,
    ids: &IdKey,
    source: Source<'_>,
    arrival: Arrival<'_>,
    now: i64,
) -> store::Result<Placed> {
    let mail = arrival.mail;
    let contact = contact(mail, arrival.direction);
    let known = Known {
        tx,
        ids,
        mailbox_id: source.mailbox.id,
    };
    let clues = Clues {
        own_ids: &mail.own_ids,
        named_ids: &mail.thread_ids,
        in_reply_to: mail.in_reply_to,
        reported: arrival.reported.map(|delivery| delivery.conversation_id),
        thread_guid: mail.thread_guid.as_ref(),
        subject: &mail.subject,
        kind: mail.kind,
        contact: &contact.address,
        sent_at: arrival.sent_at,
        new_subject_splits: source.mailbox.new_subject_splits,
    };
    let Placement {
        conversation_id,
        by,
        others,
        parted,
    } = thread::place(&clues, &known)?;
    for (_, later) in &parted {
        store::conversations::update_set_apart(tx, *later)?;
    }
    if let Some(found) = conversation_id {
        let conversation_id = joining::join(tx, found, &others)?;
        begin_earlier(tx, conversation_id, arrival, &contact, now)?;
        return Ok(Placed {
            conversation_id,
            by,
            is_new: false,
            parted,
        });
    }
    let contact_id = met(tx, arrival, &contact, now)?;
    let subject = base_subject(&mail.subject);
    let conversation_id = store::conversations::insert(
        tx,
        source.mailbox.id,
        contact_id,
        &subject,
        arrival.status,
        arrival.sent_at,
    )?;
    Ok(Placed {
        conversation_id,
        by,
        is_new: true,
        parted,
    })
}

fn met(tx: &Tx<'_>, arrival: Arrival<'_>, who: &Address, now: i64) -> store::Result<ContactId> {
    if arrival.is_history {
        store::contacts::upsert_older(tx, who, now)
    } else {
        store::contacts::upsert(tx, who, now)
    }
}

/// A conversation whose first message comes after later ones takes its beginning from it, as if it had come
/// first, unless people have worked with it and know it as it is.
fn begin_earlier(
    tx: &Tx<'_>,
    id: ConversationId,
    arrival: Arrival<'_>,
    contact: &Address,
    now: i64,
) -> store::Result<()> {
    let is_first = store::conversations::find(tx, id)?
        .is_some_and(|conversation| arrival.sent_at < conversation.created_at);
    if !is_first || !store::conversations::is_untouched(tx, id)? {
        return Ok(());
    }
    let contact_id = met(tx, arrival, contact, now)?;
    let subject = base_subject(&arrival.mail.subject);
    store::conversations::update_beginning(tx, id, contact_id, &subject, arrival.sent_at)
}

/// Writes down under which ids a message is found, and which it speaks of. An id of our form that we never
/// gave is not written down, or whoever made it up could lead later mail astray.
pub(super) fn write_ids(
    tx: &Tx<'_>,
    ids: &IdKey,
    source: Source<'_>,
    mail: &Mail,
    placed: &Placed,
    message_id: MessageId,
) -> store::Result<()> {
    let conversation_id = placed.conversation_id;
    let known = Known {
        tx,
        ids,
        mailbox_id: source.mailbox.id,
    };
    for (id, _) in &placed.parted {
        store::threads::update_mention(tx, source.mailbox.id, id, conversation_id)?;
    }
    for own in &mail.own_ids {
        store::threads::insert_own(tx, source.mailbox.id, own, conversation_id, message_id)?;
    }
    for mentioned in &mail.thread_ids {
        if thread::claims_to_be_ours(mentioned, &source.mailbox.address)
            && known.by_hash(mentioned)?.is_none()
        {
            continue;
        }
        store::threads::insert_mentioned(tx, source.mailbox.id, mentioned, conversation_id)?;
    }
    Ok(())
}
