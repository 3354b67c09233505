//! Writes a message: from values to the exact bytes to send, by lettre's builder.
//!
//! What is said twice must be the same twice: date, id and boundaries are given or follow from the id,
//! so composing the same [`Outgoing`] again yields the same bytes.

mod date;
mod history;

use lettre::message::header::{
    ContentDisposition, ContentId, ContentTransferEncoding, ContentType, Date, HeaderName,
    HeaderValue,
};
use lettre::message::{Body, Mailbox, Mailboxes, Message, MultiPart, SinglePart, header};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::header::visible;
use crate::model::Address;

pub use date::with_date;
pub use history::{History, Quoted, quote_history, with_signature};

/// Longest References value; Outlook's servers refuse a header field above 32,768 bytes.
const REFERENCES_BYTES_MAX: usize = 16 * 1024;
/// Longest name or text in one of our own header fields, in characters.
const TEXT_MAX: usize = 1_000;

/// A message to send.
#[derive(Debug, Clone, Default)]
pub struct Outgoing {
    /// Who sends.
    pub from: Address,
    /// Where answers should go, when not to `from`.
    pub reply_to: Option<Address>,
    /// Recipients.
    pub to: Vec<Address>,
    /// Recipients of a copy.
    pub cc: Vec<Address>,
    /// Hidden recipients; in the bytes only with `keep_bcc`.
    pub bcc: Vec<Address>,
    /// Whether to write the Bcc field: Graph takes the recipients from the message, SMTP must not show them.
    pub keep_bcc: bool,
    /// The subject.
    pub subject: String,
    /// The Date field, unix seconds UTC.
    pub date_at: i64,
    /// The Message-ID without angle brackets, see [`new_message_id`].
    pub message_id: String,
    /// The message this answers, without angle brackets.
    pub in_reply_to: Option<String>,
    /// The ancestors, oldest first, without angle brackets.
    pub references: Vec<String>,
    /// Outlook's name of the conversation.
    pub thread_topic: Option<String>,
    /// Outlook's position in the conversation, see [`super::thread::make_thread_index`].
    pub thread_index: Option<String>,
    /// The plain text.
    pub text: String,
    /// The same as HTML.
    pub html: Option<String>,
    /// Files; one with a Content-ID is a picture inside the HTML.
    pub attachments: Vec<OutgoingFile>,
    /// Further fields, e.g. `Auto-Submitted`.
    pub headers: Vec<(String, String)>,
}

/// A file to send along.
#[derive(Debug, Clone, Default)]
pub struct OutgoingFile {
    /// The name the recipient sees.
    pub filename: String,
    /// `type/subtype`; `application/octet-stream` when it cannot be read.
    pub content_type: String,
    /// The content.
    pub bytes: Vec<u8>,
    /// Content-ID without angle brackets, for a picture the HTML refers to.
    pub content_id: Option<String>,
}

/// Why a message cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    /// An address that no mail server would take.
    #[error("“{address}” is not a mail address")]
    BadAddress {
        /// The address as given.
        address: String,
    },
    /// Nobody to send to.
    #[error("the message has no recipient")]
    NoRecipients,
    /// The Message-ID, or an id it refers to, cannot stand in a header.
    #[error("“{id}” is not a usable message id")]
    BadId {
        /// The id as given.
        id: String,
    },
    /// A further header field has an unusable name.
    #[error("“{name}” is not a usable header field name")]
    BadHeader {
        /// The name as given.
        name: String,
    },
    /// The library refused the message.
    #[error("the message cannot be written: {0}")]
    Refused(String),
}

/// A new Message-ID, without angle brackets: `local` (see [`super::thread::IdKey::make`]) in the given domain.
#[must_use]
pub fn new_message_id(domain: &str, local: &str) -> String {
    let domain: String = domain
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))
        .collect();
    let domain = domain.trim_matches(['.', '-']);
    let domain = if domain.is_empty() {
        "localhost.invalid"
    } else {
        domain
    };
    format!("{local}@{domain}")
}

/// The References of an answer: the parent's references, then the parent itself.
#[must_use]
pub fn references_for_reply(parent_references: &[String], parent_id: &str) -> Vec<String> {
    let mut references: Vec<String> = parent_references
        .iter()
        .filter(|id| *id != parent_id)
        .cloned()
        .collect();
    references.push(parent_id.to_owned());
    references
}

/// Writes the message.
///
/// # Errors
///
/// When an address, an id or a header name cannot be written, or there is nobody to send to.
pub fn compose(outgoing: &Outgoing) -> Result<Vec<u8>, ComposeError> {
    if !is_safe_id(&outgoing.message_id) {
        return Err(ComposeError::BadId {
            id: outgoing.message_id.clone(),
        });
    }
    let from = mailbox(&outgoing.from)?;
    let recipients = [&outgoing.to, &outgoing.cc, &outgoing.bcc];
    let mut envelope = Vec::new();
    for list in recipients {
        for address in list {
            envelope.push(mailbox(address)?.email);
        }
    }
    if envelope.is_empty() {
        return Err(ComposeError::NoRecipients);
    }
    let envelope = lettre::address::Envelope::new(Some(from.email.clone()), envelope)
        .map_err(|error| ComposeError::Refused(error.to_string()))?;
    let mut builder = Message::builder()
        .envelope(envelope)
        .header(Date::from(system_time(outgoing.date_at)))
        .mailbox(header::From::from(Mailboxes::from(from)));
    if let Some(reply_to) = &outgoing.reply_to {
        builder = builder.mailbox(header::ReplyTo::from(Mailboxes::from(mailbox(reply_to)?)));
    }
    if !outgoing.to.is_empty() {
        builder = builder.mailbox(header::To::from(mailboxes(&outgoing.to)?));
    }
    if !outgoing.cc.is_empty() {
        builder = builder.mailbox(header::Cc::from(mailboxes(&outgoing.cc)?));
    }
    if outgoing.keep_bcc && !outgoing.bcc.is_empty() {
        builder = builder
            .keep_bcc()
            .mailbox(header::Bcc::from(mailboxes(&outgoing.bcc)?));
    }
    builder = builder
        .subject(one_line(&outgoing.subject))
        .raw_header(plain_header(
            "Message-ID",
            &[format!("<{}>", outgoing.message_id)],
        )?);
    for field in thread_fields(outgoing)? {
        builder = builder.raw_header(field);
    }
    for (name, value) in &outgoing.headers {
        builder = builder.raw_header(HeaderValue::new(header_name(name)?, one_line(value)));
    }
    let boundaries = Boundaries {
        seed: &outgoing.message_id,
    };
    let message = match body(outgoing, &boundaries)? {
        Content::Single(part) => builder.singlepart(part),
        Content::Multi(parts) => builder.multipart(parts),
    };
    message
        .map(|message| message.formatted())
        .map_err(|error| ComposeError::Refused(error.to_string()))
}

/// The message with a Bcc field in front, for a way out that reads the recipients from the header
/// (Microsoft Graph) instead of an envelope. Addresses only: nobody is shown this field.
///
/// # Errors
///
/// When an address cannot be written.
pub fn with_bcc(raw: &[u8], bcc: &[String]) -> Result<Vec<u8>, ComposeError> {
    let mut addresses = Vec::new();
    for address in bcc {
        let name = String::new();
        addresses.push(
            mailbox(&Address {
                name,
                address: address.clone(),
            })?
            .email
            .to_string(),
        );
    }
    let mut with = Vec::with_capacity(raw.len() + 64);
    if !addresses.is_empty() {
        with.extend_from_slice(format!("Bcc: {}\r\n", addresses.join(",\r\n ")).as_bytes());
    }
    with.extend_from_slice(raw);
    Ok(with)
}

fn thread_fields(outgoing: &Outgoing) -> Result<Vec<HeaderValue>, ComposeError> {
    let mut fields = Vec::new();
    if let Some(id) = outgoing.in_reply_to.as_ref().filter(|id| is_safe_id(id)) {
        fields.push(plain_header("In-Reply-To", &[format!("<{id}>")])?);
    }
    let references = trimmed_references(&outgoing.references);
    if !references.is_empty() {
        fields.push(plain_header("References", &references)?);
    }
    if let Some(topic) = &outgoing.thread_topic {
        fields.push(HeaderValue::new(
            header_name("Thread-Topic")?,
            one_line(topic),
        ));
    }
    if let Some(index) = &outgoing.thread_index {
        let index: String = index
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '='))
            .collect();
        // Base64 may be cut anywhere: readers take the folding's white space out.
        let lines: Vec<String> = index
            .as_bytes()
            .chunks(60)
            .map(|line| String::from_utf8_lossy(line).into_owned())
            .collect();
        fields.push(plain_header("Thread-Index", &lines)?);
    }
    Ok(fields)
}

/// Ids in angle brackets. When they are too many, the first stays (it names the conversation) and the
/// oldest after it go.
fn trimmed_references(references: &[String]) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for id in references.iter().filter(|id| is_safe_id(id)) {
        let id = format!("<{id}>");
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    let mut total: usize = ids.iter().map(|id| id.len() + 3).sum();
    while total > REFERENCES_BYTES_MAX && ids.len() > 2 {
        total -= ids.remove(1).len() + 3;
    }
    ids
}

/// Whether an id can stand in a header as it is: printable ASCII without brackets, short enough for a
/// line (RFC 5322 section 2.1.1). Anything else would need an encoded word, which Exchange drops.
fn is_safe_id(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= 900
        && id
            .bytes()
            .all(|b| (33..=126).contains(&b) && !matches!(b, b'<' | b'>'))
}

/// A header of plain words, one to a line, never encoded.
fn plain_header(name: &str, words: &[String]) -> Result<HeaderValue, ComposeError> {
    let raw = words.join(" ");
    let folded = words.join("\r\n ");
    Ok(HeaderValue::dangerous_new_pre_encoded(
        header_name(name)?,
        raw,
        folded,
    ))
}

fn header_name(name: &str) -> Result<HeaderName, ComposeError> {
    let bad = || ComposeError::BadHeader {
        name: one_line(name),
    };
    if name.is_empty() || !name.bytes().all(|b| (33..=126).contains(&b) && b != b':') {
        return Err(bad());
    }
    HeaderName::new_from_ascii(name.to_owned()).map_err(|_| bad())
}

fn one_line(text: &str) -> String {
    visible(text).chars().take(TEXT_MAX).collect()
}

fn mailboxes(list: &[Address]) -> Result<Mailboxes, ComposeError> {
    list.iter().try_fold(Mailboxes::new(), |all, address| {
        Ok(all.with(mailbox(address)?))
    })
}

fn mailbox(address: &Address) -> Result<Mailbox, ComposeError> {
    let bad = || ComposeError::BadAddress {
        address: one_line(&address.address),
    };
    let text = address.address.trim();
    let (local, domain) = text.rsplit_once('@').ok_or_else(bad)?;
    // A domain in another script goes as its ASCII form (RFC 5891), which every server takes.
    let domain = if domain.is_ascii() {
        domain.to_owned()
    } else {
        match url::Host::parse(domain) {
            Ok(url::Host::Domain(domain)) => domain,
            _ => return Err(bad()),
        }
    };
    let email = lettre::Address::new(local, domain).map_err(|_| bad())?;
    let name = one_line(&address.name);
    Ok(Mailbox::new((!name.is_empty()).then_some(name), email))
}

fn system_time(at: i64) -> SystemTime {
    let seconds = u64::try_from(at).unwrap_or(0);
    UNIX_EPOCH
        .checked_add(Duration::from_secs(seconds))
        .unwrap_or(UNIX_EPOCH)
}

/// Boundaries that follow from the message's id: long, unguessable and always the same.
struct Boundaries<'a> {
    seed: &'a str,
}

impl Boundaries<'_> {
    fn get(&self, kind: &str) -> String {
        use sha2::{Digest as _, Sha256};
        let digest = Sha256::digest(format!("{kind}:{}", self.seed).as_bytes());
        let hex: String = digest
            .iter()
            .take(15)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("=_{kind}_{hex}")
    }
}

enum Content {
    Single(SinglePart),
    Multi(MultiPart),
}

/// mixed( related( alternative( text, html ), pictures ), files ), each layer only when needed.
fn body(outgoing: &Outgoing, boundaries: &Boundaries<'_>) -> Result<Content, ComposeError> {
    let text = text_part(ContentType::TEXT_PLAIN, &outgoing.text);
    let mut content = match &outgoing.html {
        None => Content::Single(text),
        Some(html) => Content::Multi(
            MultiPart::alternative()
                .boundary(boundaries.get("alt"))
                .singlepart(text)
                .singlepart(text_part(ContentType::TEXT_HTML, html)),
        ),
    };
    let is_picture = |file: &&OutgoingFile| file.content_id.is_some() && outgoing.html.is_some();
    let pictures: Vec<_> = outgoing.attachments.iter().filter(is_picture).collect();
    let files: Vec<_> = outgoing
        .attachments
        .iter()
        .filter(|file| !is_picture(file))
        .collect();
    for (list, multipart, kind) in [
        (pictures, MultiPart::related(), "rel"),
        (files, MultiPart::mixed(), "mix"),
    ] {
        if list.is_empty() {
            continue;
        }
        let mut outer = match (multipart.boundary(boundaries.get(kind)), content) {
            (outer, Content::Single(part)) => outer.singlepart(part),
            (outer, Content::Multi(parts)) => outer.multipart(parts),
        };
        for file in list {
            outer = outer.singlepart(file_part(file, kind == "rel")?);
        }
        content = Content::Multi(outer);
    }
    Ok(content)
}

fn text_part(kind: ContentType, text: &str) -> SinglePart {
    let text = text
        .replace('\0', "")
        .replace("\r\n", "\n")
        .replace('\r', "\n")
        .replace('\n', "\r\n");
    SinglePart::builder().header(kind).body(text)
}

fn file_part(file: &OutgoingFile, inline: bool) -> Result<SinglePart, ComposeError> {
    let (mut name, _) = super::filename::safe(&file.filename);
    if name.is_empty() {
        name = super::filename::default_name(&file.content_type, 1);
    }
    let content_type = file.content_type.to_ascii_lowercase();
    // Only a message may be a message part, and it must not be encoded: sent on as a plain file.
    let unusual = content_type.starts_with("multipart/") || content_type.starts_with("message/");
    let content_type = if unusual {
        "application/octet-stream"
    } else {
        content_type.as_str()
    };
    let content_type = ContentType::parse(content_type)
        .or_else(|_| ContentType::parse("application/octet-stream"))
        .map_err(|error| ComposeError::Refused(error.to_string()))?;
    let mut part = SinglePart::builder().header(content_type);
    if let (true, Some(id)) = (inline, &file.content_id) {
        if !is_safe_id(id) {
            return Err(ComposeError::BadId { id: one_line(id) });
        }
        part = part
            .header(ContentId::from(format!("<{id}>")))
            .header(ContentDisposition::inline_with_name(&name));
    } else {
        part = part.header(ContentDisposition::attachment(&name));
    }
    let body = Body::new_with_encoding(file.bytes.clone(), ContentTransferEncoding::Base64)
        .map_err(|_| ComposeError::Refused("a file could not be encoded".to_owned()))?;
    Ok(part.body(body))
}

#[cfg(test)]
mod tests;
