//! What can be done with a message before the database is asked: parse, classify, compress.

use std::panic::{AssertUnwindSafe, catch_unwind};

use sha2::{Digest as _, Sha256};

use super::{Fetched, Source};
use crate::mail::bounce::Bounce;
use crate::mail::{self, Parsed};
use crate::model::search::document::{self, Document};
use crate::model::{Address, Kind, Label, Recipients};
use crate::store;
use crate::store::attachments::NewAttachment;
use crate::store::derived::Derived;
use crate::store::messages::Packed;

/// Longest text kept for reading and search; the raw message holds all of it.
const TEXT_MAX_CHARS: usize = 500_000;
/// Characters of the first words shown in lists.
const PREVIEW_CHARS: usize = 160;

/// Longest head read for a label, and longest subject in one.
const HEAD_BYTES_MAX: usize = 64 * 1024;
const SUBJECT_CHARS_MAX: usize = 200;
/// Parts of a report that are searched for ids of ours.
const RETURNED_PARTS_MAX: usize = 8;

/// A message ready to be filed.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) uid: u32,
    pub(super) internal_date_at: Option<i64>,
    pub(super) content: Content,
    /// What a message is that broke something, as far as its head tells.
    pub(super) label: Label,
}

impl Prepared {
    /// What to write beside a fate for which no message is stored.
    pub(super) fn label(&self) -> Label {
        match &self.content {
            Content::Mail(mail) => Label {
                internet_message_id: mail.own_ids.first().map_or("", String::as_str).to_owned(),
                sender: mail.from.address.clone(),
                subject: words(&mail.subject),
                sent_at: mail.sent_at,
            },
            _ => self.label.clone(),
        }
    }
}

/// What there is of it.
#[derive(Debug)]
pub(super) enum Content {
    /// The server gave nothing for it.
    Absent,
    /// The server gave a stand-in (Exchange, "Retrieval using the IMAP4 protocol failed").
    Stub,
    /// It broke something; the reason.
    Broken(String),
    /// It was read.
    Mail(Box<Mail>),
}

/// A message that was read.
#[derive(Debug)]
pub(super) struct Mail {
    pub(super) from: Address,
    pub(super) sender_to_answer: Address,
    pub(super) recipients: Recipients,
    pub(super) kind: Kind,
    pub(super) bounce: Option<Bounce>,
    /// Ids of ours that a delivery report returned.
    pub(super) returned_ids: Vec<String>,
    pub(super) subject: String,
    pub(super) preview: String,
    pub(super) text: String,
    pub(super) reply_text: String,
    pub(super) has_html: bool,
    pub(super) quoted: bool,
    pub(super) defects: Vec<String>,
    pub(super) sent_at: Option<i64>,
    pub(super) own_ids: Vec<String>,
    pub(super) thread_ids: Vec<String>,
    /// How many of them In-Reply-To has.
    pub(super) in_reply_to: usize,
    pub(super) thread_guid: Option<[u8; 16]>,
    pub(super) identity: [u8; 32],
    pub(super) packed: Packed,
    pub(super) attachments: Vec<NewAttachment>,
    /// What it is found by.
    pub(super) document: Document,
}

impl Mail {
    /// What is stored of it.
    pub(super) fn derived(&self) -> Derived<'_> {
        Derived {
            kind: self.kind,
            internet_message_id: self.own_ids.first().map_or("", String::as_str),
            identity: self.identity,
            from: &self.from,
            recipients: &self.recipients,
            subject: &self.subject,
            preview: &self.preview,
            text: &self.text,
            reply_text: &self.reply_text,
            has_html: self.has_html,
            quoted: self.quoted,
            defects: &self.defects,
            thread_guid: self.thread_guid,
            version: super::DERIVED_VERSION,
        }
    }
}

/// What makes a message the same wherever it is met again: its Message-ID with sender, date and
/// subject. Not its bytes, for Exchange writes the same message differently from time to time, and not
/// the Message-ID alone, for some programs give one id to many messages.
#[must_use]
pub fn identity(
    message_id: &str,
    from: &str,
    date_at: Option<i64>,
    subject: &str,
    text: &str,
) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [message_id, &from.to_lowercase(), subject.trim()] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.update(date_at.unwrap_or(i64::MIN).to_be_bytes());
    if message_id.is_empty() {
        // Nothing else tells two such messages apart.
        for word in text.split_whitespace() {
            hash.update(word.as_bytes());
            hash.update([0]);
        }
    }
    hash.finalize().into()
}

/// Reads a message; whatever happens in there, an answer comes back.
pub(super) fn prepare(source: Source<'_>, fetched: Fetched) -> Prepared {
    let Fetched {
        uid,
        raw,
        internal_date_at,
    } = fetched;
    let raw = raw.unwrap_or_default();
    let content = if raw.is_empty() {
        Content::Absent
    } else {
        guarded(&raw, &source.mailbox.address).unwrap_or_else(|| {
            tracing::error!(
                mailbox.id = source.mailbox.id.0,
                uid,
                "reading a message panicked"
            );
            Content::Broken(
                "Reading it made the program stumble; the original is still in the mailbox."
                    .to_owned(),
            )
        })
    };
    let label = match &content {
        Content::Broken(_) => label(&raw),
        _ => Label::default(),
    };
    Prepared {
        uid,
        internal_date_at,
        content,
        label,
    }
}

/// What a message is, by its head alone; empty when that cannot be read either.
#[must_use]
pub fn label(raw: &[u8]) -> Label {
    let end = raw.windows(4).position(|end| end == b"\r\n\r\n");
    let end = end.unwrap_or(raw.len()).min(HEAD_BYTES_MAX);
    let head = raw.get(..end).unwrap_or_default();
    catch_unwind(AssertUnwindSafe(|| {
        let (parsed, _) = mail::parse(head);
        let from = first(&parsed.from).or_else(|| first(&parsed.sender));
        Label {
            internet_message_id: parsed.message_id.unwrap_or_default(),
            sender: from.unwrap_or_default().address,
            subject: words(&parsed.subject),
            sent_at: parsed.date_at,
        }
    }))
    .unwrap_or_default()
}

/// So much of a subject as the ledger needs.
fn words(subject: &str) -> String {
    subject.chars().take(SUBJECT_CHARS_MAX).collect()
}

/// Reads; `None` when that panicked.
pub(super) fn guarded(raw: &[u8], own_address: &str) -> Option<Content> {
    catch_unwind(AssertUnwindSafe(|| read(raw, own_address))).ok()
}

fn read(raw: &[u8], own_address: &str) -> Content {
    let (parsed, defects) = mail::parse(raw);
    if mail::classify::is_retrieval_stub(&parsed) {
        return Content::Stub;
    }
    match mail_of(raw, parsed, &defects, own_address) {
        Ok(mail) => Content::Mail(Box::new(mail)),
        Err(error) => Content::Broken(format!("It could not be packed: {error}")),
    }
}

fn mail_of(
    raw: &[u8],
    parsed: Parsed,
    defects: &[mail::Defect],
    own_address: &str,
) -> store::Result<Mail> {
    let kind = mail::classify::kind(&parsed);
    let bounce = (kind == Kind::Bounce)
        .then(|| mail::bounce::read(&parsed))
        .flatten();
    let split = mail::quote::split(&parsed.subject, &parsed.text, parsed.html.as_deref());
    let reply_text = cut(&split.reply_text);
    let shown = if reply_text.trim().is_empty() {
        &parsed.text
    } else {
        &reply_text
    };
    let preview = mail::html::preview(shown, PREVIEW_CHARS);
    let own_ids = mail::thread::own_ids(&parsed);
    let thread_ids = mail::thread::candidate_ids(&parsed);
    let is_answered = |id: &&String| parsed.in_reply_to.contains(id);
    let in_reply_to = thread_ids.iter().take_while(is_answered).count();
    let thread_guid = parsed
        .thread_index
        .as_deref()
        .and_then(mail::thread::thread_guid);
    let returned_ids = bounce.as_ref().map_or_else(Vec::new, |_| returned(&parsed));
    let from = first(&parsed.from)
        .or_else(|| first(&parsed.sender))
        .unwrap_or_default();
    let sender_to_answer = first(&parsed.reply_to).unwrap_or_else(|| from.clone());
    let message_id = parsed.message_id.as_deref().unwrap_or_default();
    let identity = identity(
        message_id,
        &from.address,
        parsed.date_at,
        &parsed.subject,
        &parsed.text,
    );
    let recipients = recipients(&parsed);
    let (packed, attachments) = pack(raw, &parsed.attachments)?;
    let text = cut(&parsed.text);
    let found_by = document::Source {
        own_address,
        subject: &parsed.subject,
        from: &from,
        recipients: &recipients,
        text: &text,
        // Telephone numbers stand in signatures.
        new_text: &format!("{reply_text}\n{}", split.signature),
        quoted: split.quoted,
    };
    let names = attachments.iter().map(NewAttachment::name_and_place);
    let document = Document::of_message(found_by, names);
    Ok(Mail {
        from,
        sender_to_answer,
        recipients,
        kind,
        bounce,
        returned_ids,
        preview,
        reply_text,
        quoted: split.quoted,
        text,
        has_html: parsed.html.is_some(),
        subject: parsed.subject,
        defects: defects.iter().map(ToString::to_string).collect(),
        sent_at: parsed.date_at,
        own_ids,
        thread_ids,
        in_reply_to,
        thread_guid,
        identity,
        packed,
        attachments,
        document,
    })
}

fn recipients(parsed: &Parsed) -> Recipients {
    Recipients {
        to: named(&parsed.to),
        cc: named(&parsed.cc),
        bcc: named(&parsed.bcc),
        reply_to: named(&parsed.reply_to),
    }
}

/// Packs the bytes of a message and its files.
fn pack(raw: &[u8], files: &[mail::Attachment]) -> store::Result<(Packed, Vec<NewAttachment>)> {
    let attachments = files
        .iter()
        .map(|file| {
            NewAttachment::new(
                file.filename.clone(),
                file.content_type.clone(),
                file.inline,
                file.content_id.clone(),
                &file.bytes,
            )
        })
        .collect::<store::Result<Vec<_>>>()?;
    let contents = attachments.iter().zip(files);
    let contents = contents.map(|(stored, file)| (stored.sha256, file.bytes.as_slice()));
    let packed = Packed::pack_message(raw, contents)?;
    Ok((packed, attachments))
}

/// Ids of ours in the text and the parts of a report.
fn returned(parsed: &Parsed) -> Vec<String> {
    let mut ids = mail::thread::marked_ids_in(parsed.text.as_bytes());
    for part in parsed.attachments.iter().take(RETURNED_PARTS_MAX) {
        ids.extend(mail::thread::marked_ids_in(&part.bytes));
    }
    ids
}

fn cut(text: &str) -> String {
    text.char_indices().nth(TEXT_MAX_CHARS).map_or_else(
        || text.to_owned(),
        |(at, _)| text.get(..at).unwrap_or_default().to_owned(),
    )
}

fn named(addresses: &[Address]) -> Vec<Address> {
    let has_either = |who: &&Address| !who.address.is_empty() || !who.name.is_empty();
    addresses.iter().filter(has_either).map(once).collect()
}

fn first(addresses: &[Address]) -> Option<Address> {
    addresses
        .iter()
        .find(|who| !who.address.is_empty())
        .map(once)
}

/// An address whose name only repeats it needs none.
fn once(who: &Address) -> Address {
    let mut who = who.clone();
    if who.name == who.address {
        who.name.clear();
    }
    who
}
