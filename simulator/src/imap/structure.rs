//! In charge of what FETCH says about the inside of a message: ENVELOPE, BODYSTRUCTURE, single
//! sections, and the substitute Exchange serves for a message it could not convert.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use imap_codec::imap_types::core::{AString, Vec1};
use imap_codec::imap_types::fetch::{Part, Section};
use mail_parser::{Address, Message, MessageParser, MessagePart, MimeHeaders, PartType};

use crate::world::{Stored, headers};

/// What stands in place of a message whose conversion failed.
pub(super) fn stub(stored: &Stored) -> Vec<u8> {
    let title = format!(
        "Retrieval using the IMAP4 protocol failed for the following message: {}",
        stored.uid
    );
    let field = |name| headers::get(&stored.raw, name).unwrap_or_default();
    let date = mail_parser::DateTime::from_timestamp(stored.internal_date_at).to_rfc822();
    format!(
        "From: \"Microsoft Exchange Server\" <MicrosoftExchange@exchange.example>\r\n\
         Subject: {title}\r\nDate: {date}\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=\"utf-8\"\r\n\r\n\
         {title}\r\n\r\nSubject: {}\r\nFrom: {}\r\nSent: {}\r\n",
        field("Subject"),
        field("From"),
        field("Date")
    )
    .into_bytes()
}

/// A string, quoted where it can be, as a literal where not.
fn text(value: &str) -> String {
    if value
        .chars()
        .any(|letter| letter.is_control() || !letter.is_ascii())
    {
        format!("{{{}}}\r\n{value}", value.len())
    } else {
        format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

/// A string or NIL.
fn maybe(value: Option<&str>) -> String {
    value.map_or_else(|| "NIL".to_owned(), text)
}

/// A display name, as an encoded word where it is not ASCII (RFC 2047).
fn name(value: Option<&str>) -> String {
    match value {
        Some(value) if !value.is_ascii() => {
            text(&format!("=?utf-8?B?{}?=", STANDARD.encode(value)))
        }
        other => maybe(other),
    }
}

fn addresses(list: Option<&Address<'_>>) -> String {
    let entries: Vec<String> = list
        .map(|list| {
            list.iter()
                .filter_map(|one| {
                    let (local, host) = one.address()?.rsplit_once('@')?;
                    Some(format!(
                        "({} NIL {} {})",
                        name(one.name()),
                        text(local),
                        text(host)
                    ))
                })
                .collect()
        })
        .unwrap_or_default();
    if entries.is_empty() {
        "NIL".to_owned()
    } else {
        format!("({})", entries.concat())
    }
}

/// ENVELOPE.
pub(super) fn envelope(raw: &[u8]) -> String {
    let message = MessageParser::default()
        .parse_headers(raw)
        .unwrap_or_default();
    let field = |name| maybe(headers::get(raw, name).as_deref());
    let from = addresses(message.from());
    let or_from = |list: Option<&Address<'_>>| {
        if list.is_some() {
            addresses(list)
        } else {
            from.clone()
        }
    };
    format!(
        "({} {} {from} {} {} {} {} {} {} {})",
        field("Date"),
        field("Subject"),
        or_from(message.sender()),
        or_from(message.reply_to()),
        addresses(message.to()),
        addresses(message.cc()),
        addresses(message.bcc()),
        field("In-Reply-To"),
        field("Message-ID"),
    )
}

/// BODY and BODYSTRUCTURE.
pub(super) fn body(raw: &[u8], extended: bool) -> String {
    let Some(message) = MessageParser::default().parse(raw) else {
        return "(\"text\" \"plain\" NIL NIL NIL \"7bit\" 0 0)".to_owned();
    };
    part(raw, &message, message.root_part(), extended)
}

fn part(raw: &[u8], message: &Message<'_>, one: &MessagePart<'_>, extended: bool) -> String {
    let kind = one.content_type();
    let params = parameters(kind);
    if let Some(children) = one.sub_parts() {
        let inner: String = children
            .iter()
            .filter_map(|id| message.part(*id))
            .map(|child| part(raw, message, child, extended))
            .collect();
        let subtype = text(
            kind.and_then(mail_parser::ContentType::subtype)
                .unwrap_or("mixed"),
        );
        let more = if extended {
            format!(" {params} NIL NIL NIL")
        } else {
            String::new()
        };
        return format!("({inner} {subtype}{more})");
    }
    let content = bytes(raw, one.offset_body, one.offset_end);
    let (main, sub) = kind.map_or(("text", "plain"), |kind| {
        (kind.ctype(), kind.subtype().unwrap_or("plain"))
    });
    let mut out = format!(
        "({} {} {params} {} {} {} {}",
        text(main),
        text(sub),
        maybe(one.content_id().map(|id| format!("<{id}>")).as_deref()),
        maybe(one.content_description()),
        text(one.content_transfer_encoding().unwrap_or("7bit")),
        content.len()
    );
    let lines = content.iter().filter(|byte| **byte == b'\n').count();
    if matches!(one.body, PartType::Message(_)) {
        out.push_str(&format!(
            " {} {} {lines}",
            envelope(content),
            body(content, extended)
        ));
    } else if main.eq_ignore_ascii_case("text") {
        out.push_str(&format!(" {lines}"));
    }
    if extended {
        let disposition = one.content_disposition().map_or_else(
            || "NIL".to_owned(),
            |kind| format!("({} {})", text(kind.ctype()), parameters(Some(kind))),
        );
        out.push_str(&format!(" NIL {disposition} NIL NIL"));
    }
    out.push(')');
    out
}

fn parameters(kind: Option<&mail_parser::ContentType<'_>>) -> String {
    let list: Vec<String> = kind
        .and_then(mail_parser::ContentType::attributes)
        .unwrap_or_default()
        .iter()
        .map(|one| format!("{} {}", text(&one.name), name(Some(&one.value))))
        .collect();
    if list.is_empty() {
        "NIL".to_owned()
    } else {
        format!("({})", list.join(" "))
    }
}

fn bytes(raw: &[u8], from: u32, to: u32) -> &[u8] {
    let place = |offset| usize::try_from(offset).unwrap_or(usize::MAX);
    raw.get(place(from)..place(to)).unwrap_or_default()
}

/// A section's name as echoed and its content; none where the message has no such part.
pub(super) fn section(raw: &[u8], wanted: &Section<'_>) -> (String, Option<Vec<u8>>) {
    match wanted {
        Section::Part(path) => {
            let found = find(raw, path).map(|(_, body)| body.to_vec());
            (format!("BODY[{}]", digits(path)), found)
        }
        Section::Mime(path) => {
            let found = find(raw, path).map(|(head, _)| head.to_vec());
            (format!("BODY[{}.MIME]", digits(path)), found)
        }
        Section::Header(path) => {
            let found = inner(raw, path.as_ref());
            (
                format!("BODY[{}HEADER]", prefix(path.as_ref())),
                found.map(|raw| head(raw).to_vec()),
            )
        }
        Section::Text(path) => {
            let found = inner(raw, path.as_ref());
            let text = found.and_then(|raw| raw.get(headers::header_length(raw)..));
            (
                format!("BODY[{}TEXT]", prefix(path.as_ref())),
                text.map(<[u8]>::to_vec),
            )
        }
        Section::HeaderFields(path, names) => {
            let label = format!("HEADER.FIELDS ({})", listed(names));
            let found = inner(raw, path.as_ref()).map(|raw| some_fields(raw, names, true));
            (format!("BODY[{}{label}]", prefix(path.as_ref())), found)
        }
        Section::HeaderFieldsNot(path, names) => {
            let label = format!("HEADER.FIELDS.NOT ({})", listed(names));
            let found = inner(raw, path.as_ref()).map(|raw| some_fields(raw, names, false));
            (format!("BODY[{}{label}]", prefix(path.as_ref())), found)
        }
    }
}

fn head(raw: &[u8]) -> &[u8] {
    raw.get(..headers::header_length(raw)).unwrap_or_default()
}

fn listed(names: &Vec1<AString<'_>>) -> String {
    let names: Vec<_> = names
        .as_ref()
        .iter()
        .map(|name| String::from_utf8_lossy(name.as_ref()).to_uppercase())
        .collect();
    names.join(" ")
}

fn some_fields(raw: &[u8], names: &Vec1<AString<'_>>, keep: bool) -> Vec<u8> {
    let mut out: Vec<u8> = headers::fields(raw)
        .into_iter()
        .filter(|field| {
            let named = names
                .as_ref()
                .iter()
                .any(|name| headers::is_named(field, &String::from_utf8_lossy(name.as_ref())));
            named == keep
        })
        .flatten()
        .copied()
        .collect();
    out.extend_from_slice(b"\r\n");
    out
}

fn digits(path: &Part) -> String {
    let numbers: Vec<String> = path.0.as_ref().iter().map(ToString::to_string).collect();
    numbers.join(".")
}

fn prefix(path: Option<&Part>) -> String {
    path.map(|path| format!("{}.", digits(path)))
        .unwrap_or_default()
}

/// The message itself, or the one enclosed at a part.
fn inner<'raw>(raw: &'raw [u8], path: Option<&Part>) -> Option<&'raw [u8]> {
    match path {
        None => Some(raw),
        Some(path) => find(raw, path).map(|(_, body)| body),
    }
}

/// Header and body of a part.
fn find<'raw>(raw: &'raw [u8], path: &Part) -> Option<(&'raw [u8], &'raw [u8])> {
    let numbers: Vec<u32> = path.0.as_ref().iter().map(|number| number.get()).collect();
    walk(raw, &numbers)
}

fn walk<'raw>(raw: &'raw [u8], path: &[u32]) -> Option<(&'raw [u8], &'raw [u8])> {
    let message = MessageParser::default().parse(raw)?;
    let mut at = message.root_part();
    let mut rest = path;
    while let Some((number, more)) = rest.split_first() {
        rest = more;
        match &at.body {
            PartType::Multipart(children) => {
                let id = children.get(usize::try_from(*number).ok()?.checked_sub(1)?)?;
                at = message.part(*id)?;
            }
            PartType::Message(_) => {
                let content = bytes(raw, at.offset_body, at.offset_end);
                let mut path = vec![*number];
                path.extend_from_slice(more);
                return walk(content, &path);
            }
            // A message without parts has its text as part 1 (RFC 3501 section 6.4.5).
            _ if *number == 1 && more.is_empty() => {}
            _ => return None,
        }
    }
    Some((
        bytes(raw, at.offset_header, at.offset_body),
        bytes(raw, at.offset_body, at.offset_end),
    ))
}
