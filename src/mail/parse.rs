//! One message: bytes in, [`Parsed`] and its defects out. Never fails and never panics.

use std::borrow::Cow;

use super::body::{self, Attachment};
use super::calendar::{self, Calendar};
use super::date;
use super::defect::Defect;
use super::header::{self, Headers};
use super::mime::Walker;
use super::protected::{self, Protection};
use super::words;
use crate::model::Address;

/// Fields that may stand once (RFC 5322 section 3.6).
const SINGLE_FIELDS: [&str; 6] = [
    "from",
    "sender",
    "reply-to",
    "date",
    "subject",
    "message-id",
];

/// A message as far as it could be read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parsed {
    /// The header fields, for what reads more of them than stands here.
    pub headers: Headers,
    /// The Subject, decoded, on one line; empty when there is none.
    pub subject: String,
    /// From; may name several, or none.
    pub from: Vec<Address>,
    /// Sender: who really sent it on behalf of From.
    pub sender: Vec<Address>,
    /// To.
    pub to: Vec<Address>,
    /// Cc.
    pub cc: Vec<Address>,
    /// Bcc, seen in copies of what we sent.
    pub bcc: Vec<Address>,
    /// Reply-To.
    pub reply_to: Vec<Address>,
    /// The Date field, unix seconds UTC.
    pub date_at: Option<i64>,
    /// Message-ID without angle brackets.
    pub message_id: Option<String>,
    /// Ids this message had before Microsoft replaced them (`X-Microsoft-Original-Message-ID`).
    pub original_message_ids: Vec<String>,
    /// In-Reply-To without angle brackets.
    pub in_reply_to: Vec<String>,
    /// References without angle brackets, oldest first.
    pub references: Vec<String>,
    /// Outlook's Thread-Topic.
    pub thread_topic: Option<String>,
    /// Outlook's Thread-Index (base64).
    pub thread_index: Option<String>,
    /// The plain text to show and to search; made from the HTML when there is no plain text.
    pub text: String,
    /// The HTML as it came. Never show it without [`super::html::sanitize`].
    pub html: Option<String>,
    /// The files, in their order.
    pub attachments: Vec<Attachment>,
    /// What Outlook calls it inside a winmail.dat (`PidTagMessageClass`); empty without one.
    pub outlook_class: String,
    /// The first calendar event, when the message carries one.
    pub calendar: Option<Calendar>,
    /// How it is signed or encrypted, when it is.
    pub protection: Option<Protection>,
}

/// Reads a message. Whatever is wrong with it is named in the defects, and the rest is read on.
#[must_use]
pub fn parse(raw: &[u8]) -> (Parsed, Vec<Defect>) {
    let mut defects = Vec::new();
    let converted;
    let raw = if needs_line_feeds(raw) {
        converted = raw
            .iter()
            .map(|b| if *b == b'\r' { b'\n' } else { *b })
            .collect::<Vec<u8>>();
        converted.as_slice()
    } else {
        raw
    };
    let raw = skip_leading_noise(raw);
    let (mut headers, body, notes) = header::split(raw);
    if headers.charset.is_none() {
        headers.charset = header::nearby_charset(body);
    }
    if headers.fields.is_empty() {
        defects.push(Defect::NoHeaders);
    } else if notes.no_blank_line {
        defects.push(Defect::NoBlankLine);
    }
    if notes.too_long {
        defects.push(Defect::HeadersTooLong);
    }
    let mut parsed = fields(&headers, &mut defects);
    let root = Walker {
        defects: &mut defects,
        parts: 0,
    }
    .part(&headers, Cow::Borrowed(body), 0, false);
    let content = body::collect(root, &mut defects);
    parsed.headers = headers;
    parsed.text = content.text;
    parsed.html = content.html;
    parsed.attachments = content.attachments;
    parsed.outlook_class = content.class;
    parsed.calendar = content
        .calendar
        .or_else(|| calendar_file(&parsed.attachments))
        .and_then(|text| calendar::read(&text))
        .or(content.event);
    parsed.protection = protected::of(&parsed, content.was_signed);
    (parsed, defects)
}

fn fields(headers: &Headers, defects: &mut Vec<Defect>) -> Parsed {
    let line = |name: &str| headers.text(name).map(|text| header::visible(&text));
    let parsed = Parsed {
        subject: line("subject").unwrap_or_default(),
        from: from(headers, defects),
        sender: headers.first_addresses("sender"),
        to: headers.addresses("to"),
        cc: headers.addresses("cc"),
        bcc: headers.addresses("bcc"),
        reply_to: headers.first_addresses("reply-to"),
        date_at: headers
            .texts("date")
            .iter()
            .find_map(|text| date::read(text)),
        message_id: message_id(headers),
        original_message_ids: headers.ids("x-microsoft-original-message-id"),
        in_reply_to: headers.ids("in-reply-to"),
        references: headers.ids("references"),
        thread_topic: line("thread-topic").filter(|topic| !topic.is_empty()),
        thread_index: headers
            .text("thread-index")
            .map(|index| {
                index
                    .chars()
                    .filter(|c| !c.is_whitespace())
                    .collect::<String>()
            })
            .filter(|index| !index.is_empty()),
        ..Parsed::default()
    };
    for name in SINGLE_FIELDS {
        if headers.count(name) > 1 {
            defects.push(Defect::RepeatedField(name));
        }
    }
    if parsed.date_at.is_none() {
        defects.push(Defect::BadDate);
    }
    if parsed.message_id.is_none() {
        defects.push(Defect::NoMessageId);
    }
    parsed
}

/// The first From that holds an address. When none does, the name that stands there with the address of
/// Sender or Reply-To: those people have to be answered too.
fn from(headers: &Headers, defects: &mut Vec<Defect>) -> Vec<Address> {
    let usable = |list: &Vec<Address>| list.iter().any(|who| !who.address.is_empty());
    let mut lists = headers.each_addresses("from");
    let first = lists.first().map(Vec::as_slice).unwrap_or_default();
    if !first.iter().any(|from| from.address.contains('@')) {
        defects.push(Defect::NoFrom);
    }
    if let Some(at) = lists.iter().position(usable) {
        return lists.swap_remove(at);
    }
    let named = lists.into_iter().next().unwrap_or_default();
    let other = ["sender", "reply-to"]
        .iter()
        .map(|name| headers.first_addresses(name))
        .find(usable);
    let Some(mut other) = other else {
        return named;
    };
    other.truncate(1);
    if let (Some(who), Some(name)) = (other.first_mut(), named.into_iter().next()) {
        who.name = name.name;
    }
    other
}

fn message_id(headers: &Headers) -> Option<String> {
    let raw = headers.raw("message-id")?;
    header::message_ids(raw).into_iter().next().or_else(|| {
        let text = words::decode(raw, None);
        let bare: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        (!bare.is_empty() && bare.len() < 500).then_some(bare)
    })
}

fn calendar_file(attachments: &[Attachment]) -> Option<String> {
    let is_calendar = |a: &&Attachment| {
        matches!(a.content_type.as_str(), "application/ics" | "text/calendar")
            || std::path::Path::new(&a.filename)
                .extension()
                .is_some_and(|ending| ending.eq_ignore_ascii_case("ics"))
    };
    let file = attachments.iter().find(is_calendar)?;
    Some(super::charset::guess(&file.bytes))
}

/// Old Macintosh programs end lines with a carriage return alone.
fn needs_line_feeds(raw: &[u8]) -> bool {
    let head = raw.get(..16 * 1024).unwrap_or(raw);
    head.contains(&b'\r') && !head.contains(&b'\n')
}

/// A byte-order mark or empty lines before the first field.
fn skip_leading_noise(raw: &[u8]) -> &[u8] {
    let mut raw = raw.strip_prefix(b"\xef\xbb\xbf").unwrap_or(raw);
    while let Some(rest) = raw
        .strip_prefix(b"\n")
        .or_else(|| raw.strip_prefix(b"\r\n"))
    {
        raw = rest;
    }
    raw
}
