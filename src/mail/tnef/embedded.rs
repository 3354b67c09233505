//! A message inside winmail.dat, written as a message of its own that any program opens.

use chrono::Datelike as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::event;
use super::message::{Message, Person};
use crate::mail::body::Attachment;

/// Octets of base64 in a line (RFC 2045 section 6.8).
const LINE: usize = 57;
/// Octets of text in an encoded word, so that it stays below 75 characters (RFC 2047 section 2).
const WORD: usize = 42;

/// The bytes of the message. Always the same for the same input: files are known by their hash.
pub(super) fn write(message: &Message<'_>, files: &[Attachment], depth: usize) -> Vec<u8> {
    let mut out = String::new();
    let senders = std::slice::from_ref(&message.from);
    field(&mut out, "From", &people(senders.iter()));
    for (name, role) in [("To", 1), ("Cc", 2), ("Bcc", 3)] {
        let of_role = message.recipients.iter().filter(|who| who.role == role);
        field(&mut out, name, &people(of_role));
    }
    field(&mut out, "Subject", &words(&message.subject));
    if let Some(sent) = message
        .sent_at
        .and_then(|at| chrono::DateTime::from_timestamp(at, 0))
        // The field holds four digits of a year, and chrono panics at more.
        .filter(|sent| (1_900..=9_999).contains(&sent.year()))
    {
        field(&mut out, "Date", &sent.to_rfc2822());
    }
    let id: String = message.message_id.split_whitespace().collect();
    if id.is_ascii() {
        field(&mut out, "Message-ID", &id);
    }
    out.push_str("MIME-Version: 1.0\r\n");
    let (text, html) = message.bodies();
    // Nothing inside is anything but base64, which holds no "=_".
    let outer = format!("=_winmail_{depth}");
    let inner = format!("=_winmail_{depth}_text");
    out.push_str(&format!(
        "Content-Type: multipart/mixed; boundary=\"{outer}\"\r\n\r\n--{outer}\r\n\
         Content-Type: multipart/alternative; boundary=\"{inner}\"\r\n\r\n"
    ));
    let plain = text.or_else(|| html.is_none().then(String::new));
    let event = event::of(message).map(|event| event::as_calendar(&event));
    let event = event.filter(|calendar| !calendar.is_empty());
    for (kind, body) in [("plain", plain), ("html", html), ("calendar", event)] {
        if let Some(body) = body {
            out.push_str(&format!(
                "--{inner}\r\nContent-Type: text/{kind}; charset=utf-8\r\n"
            ));
            encode(&mut out, body.as_bytes());
        }
    }
    out.push_str(&format!("--{inner}--\r\n"));
    for file in files {
        out.push_str(&format!("--{outer}\r\n"));
        part(&mut out, file);
    }
    out.push_str(&format!("--{outer}--\r\n"));
    out.into_bytes()
}

fn part(out: &mut String, file: &Attachment) {
    field(out, "Content-Type", &one_line(&file.content_type));
    let disposition = if file.inline { "inline" } else { "attachment" };
    // RFC 2231: every octet but letters and digits as %xx.
    let name: String = file
        .filename
        .bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || byte == b'.' {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect();
    field(
        out,
        "Content-Disposition",
        &format!("{disposition};\r\n filename*=utf-8''{name}"),
    );
    if let Some(id) = &file.content_id {
        field(out, "Content-ID", &format!("<{}>", one_line(id)));
    }
    // A message may not be base64 (RFC 2046 section 5.2.1); ours is ASCII and has short lines.
    if file.content_type == "message/rfc822" {
        out.push_str("\r\n");
        out.push_str(&String::from_utf8_lossy(&file.bytes));
        out.push_str("\r\n");
    } else {
        encode(out, &file.bytes);
    }
}

fn encode(out: &mut String, bytes: &[u8]) {
    out.push_str("Content-Transfer-Encoding: base64\r\n\r\n");
    for line in bytes.chunks(LINE) {
        STANDARD.encode_string(line, out);
        out.push_str("\r\n");
    }
}

fn field(out: &mut String, name: &str, value: &str) {
    if !value.trim().is_empty() {
        out.push_str(&format!("{name}: {value}\r\n"));
    }
}

fn one_line(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_ascii() && !c.is_ascii_control())
        .collect()
}

/// People of whom only a name is known become a group with nobody in it (RFC 5322 section 3.4).
fn people<'p>(list: impl Iterator<Item = &'p Person>) -> String {
    let written = list.filter_map(|who| {
        let address = one_line(&who.address).replace(['<', '>', ' ', ','], "");
        match (who.name.is_empty(), address.contains('@')) {
            (true, false) => None,
            (true, true) => Some(format!("<{address}>")),
            (false, true) => Some(format!("{} <{address}>", words(&who.name))),
            (false, false) => Some(format!("{}:;", words(&who.name))),
        }
    });
    written.collect::<Vec<_>>().join(",\r\n ")
}

/// Encoded words (RFC 2047), folded.
fn words(text: &str) -> String {
    let mut pieces: Vec<String> = Vec::new();
    let mut piece = String::new();
    for c in text.chars() {
        if piece.len() + c.len_utf8() > WORD {
            pieces.push(std::mem::take(&mut piece));
        }
        piece.push(if c.is_control() { ' ' } else { c });
    }
    if !piece.is_empty() {
        pieces.push(piece);
    }
    let coded = pieces
        .iter()
        .map(|piece| format!("=?utf-8?B?{}?=", STANDARD.encode(piece)));
    coded.collect::<Vec<_>>().join("\r\n ")
}
