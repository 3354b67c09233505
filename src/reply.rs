//! An agent's reply: message and delivery in one transaction. Its Message-ID is fixed here, before
//! anything is sent, so that it can be recognised wherever it is met again.

mod check;

use crate::intake::{DERIVED_VERSION, bound, identity};
use crate::mail::compose::{self, Outgoing, OutgoingFile, Quoted, quote_history};
use crate::mail::thread::{self, IdKey};
use crate::mail::{self, html};
use crate::model::{
    Address, Agent, Conversation, ConversationId, Delivery, DeliveryId, Direction, Kind, Leaves,
    Mailbox, MailboxId, Message, MessageId, PlacedBy, Recipients, SendLimits, Status,
};
use crate::secret::random_bytes;
use crate::store::attachments::NewAttachment;
use crate::store::deliveries::leaving;
use crate::store::derived::Derived;
use crate::store::messages::{NewMessage, Packed};
use crate::store::{self, Db, Store, Tx};

/// A file to send along.
#[derive(Debug, Clone)]
pub struct ReplyFile {
    /// Its name.
    pub filename: String,
    /// Its media type.
    pub content_type: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// A reply as an agent wrote it.
#[derive(Debug, Clone)]
pub struct ReplyDraft {
    /// The conversation it belongs to.
    pub conversation_id: ConversationId,
    /// To.
    pub to: Vec<Address>,
    /// Cc.
    pub cc: Vec<Address>,
    /// Bcc.
    pub bcc: Vec<Address>,
    /// Subject; empty takes the conversation's.
    pub subject: String,
    /// What was written in the rich editor, not yet sanitised.
    pub html: Option<String>,
    /// What was written as plain text; used when there is no HTML.
    pub text: String,
    /// Files.
    pub attachments: Vec<ReplyFile>,
    /// Quote the newest message under the reply.
    pub quote: bool,
    /// One per shown form: a second press of the button finds the first reply.
    pub idempotency_key: String,
    /// Where the conversation stands afterwards.
    pub then: Status,
}

/// When a reply leaves, and what its way out takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// When it leaves.
    pub leaves: Leaves,
    /// What the mailbox's way out takes.
    pub limits: SendLimits,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            leaves: Leaves::AtOnce,
            limits: check::USUAL,
        }
    }
}

/// A reply that is queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queued {
    /// Its delivery.
    pub delivery_id: DeliveryId,
    /// Its message.
    pub message_id: MessageId,
    /// Its conversation.
    pub conversation_id: ConversationId,
    /// The mailbox it leaves from.
    pub mailbox_id: MailboxId,
}

/// Why a reply was not queued.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A field cannot be taken as it is.
    #[error("{sentence}")]
    Invalid {
        /// `to`, `cc`, `bcc`, `text`, `attachments` or `subject`.
        field: &'static str,
        /// What is wrong and what to do.
        sentence: String,
    },
    /// The conversation is not there.
    #[error("there is no conversation with this number")]
    NoConversation,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

fn invalid(field: &'static str, sentence: impl Into<String>) -> Error {
    Error::Invalid {
        field,
        sentence: sentence.into(),
    }
}

/// What a reply form starts with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Defaults {
    /// To.
    pub to: Vec<Address>,
    /// Cc.
    pub cc: Vec<Address>,
    /// Subject.
    pub subject: String,
}

/// What a reply form starts with: the newest incoming message's sender, and with `all` its other
/// recipients, our own addresses left out.
///
/// # Errors
/// When the conversation is not there, or the store fails.
pub fn defaults(db: &Db, id: ConversationId, all: bool) -> Result<Defaults, Error> {
    let (conversation, _) = load(db, id)?;
    let messages = store::messages::list(db, id)?;
    let person = |m: &&Message| m.direction == Direction::Incoming && m.kind != Kind::Bounce;
    let newest = messages.iter().rev().find(person);
    let served = store::mailboxes::list(db)?;
    let own = |who: &Address| {
        // The person behind a shared mailbox is somebody else and may be meant.
        served.iter().any(|mailbox| {
            who.address.eq_ignore_ascii_case(&mailbox.address)
                || (!mailbox.shared && who.address.eq_ignore_ascii_case(&mailbox.upn))
        })
    };
    let contact = Address::new(&conversation.contact.name, &conversation.contact.address);
    let Some(message) = newest else {
        // Nothing came in yet: we wrote first.
        return Ok(Defaults {
            to: vec![contact],
            cc: Vec::new(),
            subject: re(&conversation.subject),
        });
    };
    let mut to: Vec<Address> = match message.recipients.reply_to.as_slice() {
        [] => vec![message.from.clone()],
        asked => asked.to_vec(),
    };
    to.retain(|who| !own(who) && !who.address.is_empty());
    if to.is_empty() {
        to.push(contact);
    }
    let mut cc = Vec::new();
    if all {
        let others = message.recipients.to.iter().chain(&message.recipients.cc);
        for who in others.filter(|who| !own(who) && !who.address.is_empty()) {
            let known = to
                .iter()
                .chain(&cc)
                .any(|k| k.address.eq_ignore_ascii_case(&who.address));
            if !known {
                cc.push(who.clone());
            }
        }
    }
    Ok(Defaults {
        to,
        cc,
        subject: re(&message.subject),
    })
}

fn re(subject: &str) -> String {
    format!("Re: {}", thread::base_subject(subject))
        .trim_end()
        .to_owned()
}

fn load(db: &Db, id: ConversationId) -> Result<(Conversation, Mailbox), Error> {
    let conversation = store::conversations::find(db, id)?.ok_or(Error::NoConversation)?;
    let mailbox =
        store::mailboxes::find(db, conversation.mailbox_id)?.ok_or(Error::NoConversation)?;
    Ok((conversation, mailbox))
}

/// Stores a reply and queues its delivery, to leave at once by the usual limits; see [`queue_to_leave`].
///
/// # Errors
/// A field that cannot be taken, or the store's failure; nothing is stored then.
pub fn queue(
    store: &Store,
    ids: &IdKey,
    now: i64,
    actor: &Agent,
    draft: &ReplyDraft,
) -> Result<Queued, Error> {
    queue_to_leave(store, ids, now, actor, draft, Terms::default())
}

/// Stores a reply and queues its delivery; the conversation then stands where the draft says. Its id is
/// made with `ids`. The caller wakes the sender.
///
/// The bytes are composed now, so that what was shown is what leaves; the Date of one that is to leave later is
/// set when it does ([`compose::with_date`]).
///
/// # Errors
/// A field that cannot be taken, or the store's failure; nothing is stored then.
pub fn queue_to_leave(
    store: &Store,
    ids: &IdKey,
    now: i64,
    actor: &Agent,
    draft: &ReplyDraft,
    terms: Terms,
) -> Result<Queued, Error> {
    check::draft(draft, terms.limits)?;
    let made = store.read(|db| {
        if let Some(done) = already_queued(db, draft)? {
            return Ok(Err(done));
        }
        let (conversation, mailbox) = load(db, draft.conversation_id)?;
        compose_reply(db, ids, now, actor, draft, (conversation, mailbox)).map(Ok)
    })?;
    match made {
        Err(done) => Ok(done),
        Ok(made) => {
            check::size(made.packed.size(), terms.limits)?;
            store.write(|tx| file(tx, now, actor, draft, &made, terms.leaves))
        }
    }
}

fn already_queued(db: &Db, draft: &ReplyDraft) -> Result<Option<Queued>, Error> {
    let found = store::deliveries::find_by_idempotency_key(db, &draft.idempotency_key)?;
    Ok(found.map(|delivery| Queued {
        delivery_id: delivery.id,
        message_id: delivery.message_id,
        conversation_id: delivery.conversation_id,
        mailbox_id: delivery.mailbox_id,
    }))
}

/// A composed reply and what is stored with it.
struct Made {
    conversation: Conversation,
    mailbox: Mailbox,
    from: Address,
    recipients: Recipients,
    subject: String,
    message_id: String,
    thread_guid: Option<[u8; 16]>,
    new_text: String,
    whole_text: String,
    has_html: bool,
    draft_html: String,
    packed: Packed,
    files: Vec<NewAttachment>,
}

fn compose_reply(
    db: &Db,
    ids: &IdKey,
    now: i64,
    actor: &Agent,
    draft: &ReplyDraft,
    (conversation, mailbox): (Conversation, Mailbox),
) -> Result<Made, Error> {
    let mut messages = store::messages::list(db, conversation.id)?;
    // What did not leave, or not yet, is nothing to quote: nobody has it, and it may have been taken back for a reason.
    messages.retain(|message| {
        let delivery = message.delivery.as_ref();
        delivery.is_none_or(Delivery::counts_as_said)
    });
    let body = body(db, draft, &mailbox, messages.last())?;
    let subject = match draft
        .subject
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
    {
        empty if empty.is_empty() => re(&conversation.subject),
        given => given,
    };
    let references = store::threads::list_references(db, conversation.id)?;
    let domain = mailbox
        .address
        .rsplit_once('@')
        .map_or("localhost", |(_, domain)| domain);
    let local = ids.make(&bound(&conversation), random_bytes());
    let message_id = compose::new_message_id(domain, &local);
    let parent_index = parent_thread_index(db, &messages)?;
    let thread_index = thread::make_thread_index(parent_index.as_deref(), now, &message_id);
    let from = Address::new(from_name(actor, &mailbox), &mailbox.address);
    let recipients = Recipients {
        to: draft.to.clone(),
        cc: draft.cc.clone(),
        bcc: draft.bcc.clone(),
        reply_to: Vec::new(),
    };
    let outgoing = Outgoing {
        from: from.clone(),
        reply_to: None,
        to: recipients.to.clone(),
        cc: recipients.cc.clone(),
        bcc: recipients.bcc.clone(),
        // Bcc is in the envelope only; what goes through Graph gets its field there.
        keep_bcc: false,
        subject: subject.clone(),
        date_at: now,
        message_id: message_id.clone(),
        in_reply_to: references.last().cloned(),
        references,
        thread_topic: Some(thread::thread_topic(&subject)),
        thread_index: Some(thread_index.clone()),
        text: body.whole_text.clone(),
        html: Some(body.html),
        attachments: draft.attachments.iter().map(to_outgoing_file).collect(),
        headers: Vec::new(),
    };
    let raw = compose::compose(&outgoing).map_err(|error| field_of(&error))?;
    let files = draft
        .attachments
        .iter()
        .map(|file| {
            let name = file.filename.clone();
            NewAttachment::new(name, file.content_type.clone(), false, None, &file.bytes)
        })
        .collect::<store::Result<Vec<_>>>()?;
    Ok(Made {
        conversation,
        mailbox,
        from,
        recipients,
        subject,
        message_id,
        thread_guid: thread::thread_guid(&thread_index),
        new_text: body.new_text,
        whole_text: body.whole_text,
        has_html: true,
        draft_html: body.draft_html,
        packed: Packed::pack(&raw)?,
        files,
    })
}

fn field_of(error: &compose::ComposeError) -> Error {
    let field = match error {
        compose::ComposeError::BadAddress { .. } | compose::ComposeError::NoRecipients => "to",
        _ => "text",
    };
    invalid(field, format!("The message cannot be written: {error}."))
}

fn from_name(actor: &Agent, mailbox: &Mailbox) -> String {
    if actor.name.is_empty() {
        mailbox.name.clone()
    } else {
        format!("{}, {}", actor.name, mailbox.name)
    }
}

fn to_outgoing_file(file: &ReplyFile) -> OutgoingFile {
    OutgoingFile {
        filename: file.filename.clone(),
        content_type: file.content_type.clone(),
        bytes: file.bytes.clone(),
        content_id: None,
    }
}

/// The texts of a reply.
struct Body {
    new_text: String,
    whole_text: String,
    html: String,
    /// What was written in the rich editor, without what is put around it.
    draft_html: String,
}

fn body(
    db: &Db,
    draft: &ReplyDraft,
    mailbox: &Mailbox,
    newest: Option<&Message>,
) -> Result<Body, Error> {
    let written = draft.html.as_deref().map(html::sanitize_outgoing);
    let new_text = written
        .as_deref()
        .map_or_else(|| draft.text.clone(), html::to_text);
    let new_text = new_text.trim().to_owned();
    let draft_html = written.clone().unwrap_or_default();
    let new_html = written.unwrap_or_else(|| html::text_to_html(&draft.text));
    let signature_text = html::to_text(&mailbox.signature_html);
    let mut whole_text = compose::with_signature(&new_text, &signature_text);
    let mut whole_html = format!("<div>{new_html}</div>");
    if !mailbox.signature_html.trim().is_empty() {
        whole_html.push_str("\n<div><br>-- <br></div>\n<div>");
        whole_html.push_str(&mailbox.signature_html);
        whole_html.push_str("</div>");
    }
    if let Some(newest) = newest.filter(|_| draft.quote) {
        let history = history(db, newest)?;
        whole_text.push_str("\n\n");
        whole_text.push_str(&history.text);
        whole_html.push('\n');
        whole_html.push_str(&history.html);
    }
    Ok(Body {
        new_text,
        whole_text,
        html: whole_html,
        draft_html,
    })
}

fn history(db: &Db, message: &Message) -> Result<compose::History, Error> {
    let html = match store::messages::find_raw(db, message.id)? {
        Some(raw) if message.has_html => mail::parse(&raw).0.html,
        _ => None,
    };
    let list = |people: &[Address]| {
        people
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("; ")
    };
    let sent = chrono::DateTime::from_timestamp(message.sent_at, 0)
        .map(|at| at.format("%A, %-d %B %Y %H:%M UTC").to_string())
        .unwrap_or_default();
    Ok(quote_history(&Quoted {
        from: &message.from.to_string(),
        sent: &sent,
        to: &list(&message.recipients.to),
        cc: &list(&message.recipients.cc),
        subject: &message.subject,
        text: &message.text,
        html: html.as_deref().map(html::sanitize_outgoing).as_deref(),
    }))
}

/// The Thread-Index of the newest message that has one, so that Outlook keeps its own threads.
fn parent_thread_index(db: &Db, messages: &[Message]) -> Result<Option<String>, Error> {
    let Some(newest) = messages.last() else {
        return Ok(None);
    };
    let raw = store::messages::find_raw(db, newest.id)?;
    Ok(raw.and_then(|raw| mail::parse(&raw).0.thread_index))
}

fn file(
    tx: &Tx<'_>,
    now: i64,
    actor: &Agent,
    draft: &ReplyDraft,
    made: &Made,
    leaves: Leaves,
) -> Result<Queued, Error> {
    // Pressed twice at the same moment: the second one waits here and finds the first.
    if let Some(done) = already_queued(tx, draft)? {
        return Ok(done);
    }
    let conversation_id = made.conversation.id;
    let mailbox_id = made.mailbox.id;
    let preview = html::preview(&made.new_text, 160);
    let derived = Derived {
        kind: Kind::Message,
        internet_message_id: &made.message_id,
        identity: identity(
            &made.message_id,
            &made.from.address,
            Some(now),
            &made.subject,
            &made.whole_text,
        ),
        from: &made.from,
        recipients: &made.recipients,
        subject: &made.subject,
        preview: &preview,
        text: &made.whole_text,
        reply_text: &made.new_text,
        has_html: made.has_html,
        quoted: draft.quote,
        defects: &[],
        thread_guid: made.thread_guid,
        version: DERIVED_VERSION,
    };
    let message = NewMessage {
        mailbox_id,
        conversation_id,
        direction: Direction::Outgoing,
        agent_id: Some(actor.id),
        placed_by: PlacedBy::Written,
        derived,
        sent_at: now,
    };
    let id = store::messages::insert(tx, &message, now)?;
    store::messages::insert_raw(tx, id, &made.packed)?;
    store::attachments::insert_all(tx, id, &made.files)?;
    store::search::upsert_stored(tx, id)?;
    store::threads::insert_own(tx, mailbox_id, &made.message_id, conversation_id, id)?;
    let current = store::conversations::find(tx, conversation_id)?.ok_or(Error::NoConversation)?;
    let (at, undo_until_ms, scheduled_at, unless_answered) = match leaves {
        Leaves::AtOnce => (now, None, None, false),
        Leaves::AfterUndo { until_ms } => (until_ms.div_euclid(1_000), Some(until_ms), None, false),
        Leaves::At {
            at,
            unless_answered,
        } => (at, None, Some(at), unless_answered),
    };
    let delivery_id = store::deliveries::insert(tx, id, &draft.idempotency_key, at, now)?;
    let who = &made.recipients;
    let plan = leaving::Plan {
        undo_until_ms,
        scheduled_at,
        unless_answered,
        status_before: current.status,
        status_after: draft.then,
        recipients: who.to.len() + who.cc.len() + who.bcc.len(),
        draft_html: &made.draft_html,
    };
    leaving::update_plan(tx, delivery_id, &plan)?;
    crate::desk::change_status(tx, now, Some(actor.id), &current, draft.then)?;
    store::write_backs::insert_seen(tx, conversation_id, now)?;
    store::conversations::refresh(tx, conversation_id)?;
    store::views::upsert(tx, actor.id, conversation_id)?;
    Ok(Queued {
        delivery_id,
        message_id: id,
        conversation_id,
        mailbox_id,
    })
}
