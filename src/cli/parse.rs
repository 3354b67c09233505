//! `mailhatch parse FILE.eml`: how the program reads one message, as JSON. Needs no database.

use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use serde::Serialize;

use crate::mail::{self, Authentication, Bounce, Calendar, Parsed, Protection};
use crate::model::{Address, Kind};

/// Prints how the program reads the message in `file`.
///
/// # Errors
///
/// When the file cannot be read or the output not be written; a message is never refused.
pub(super) fn run(file: &Path) -> anyhow::Result<()> {
    let raw = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{:#}", reading_as_json(&raw)).context("cannot write to standard output")?;
    Ok(())
}

/// The reading of a message as one JSON document, with the names that the command prints.
#[must_use]
pub fn reading_as_json(raw: &[u8]) -> serde_json::Value {
    let (parsed, defects) = mail::parse(raw);
    let split = mail::quote::split(&parsed.subject, &parsed.text, parsed.html.as_deref());
    let reading = Reading {
        subject: &parsed.subject,
        from: people(&parsed.from),
        sender: people(&parsed.sender),
        to: people(&parsed.to),
        cc: people(&parsed.cc),
        bcc: people(&parsed.bcc),
        reply_to: people(&parsed.reply_to),
        date: parsed.date_at.and_then(rfc3339),
        message_id: parsed.message_id.as_deref(),
        in_reply_to: &parsed.in_reply_to,
        references: &parsed.references,
        text: &parsed.text,
        html: sanitized(&parsed),
        reply_text: &split.reply_text,
        quoted: split.quoted,
        signature: &split.signature,
        attachments: files(&parsed),
        kind: mail::classify::kind(&parsed),
        bounce: mail::bounce::read(&parsed),
        calendar: parsed.calendar.as_ref(),
        authentication: mail::trust::authentication(&parsed),
        protection: parsed.protection,
        defects: defects.iter().map(ToString::to_string).collect(),
    };
    serde_json::json!(reading)
}

#[derive(Serialize)]
struct Reading<'a> {
    subject: &'a str,
    from: Vec<Person<'a>>,
    sender: Vec<Person<'a>>,
    to: Vec<Person<'a>>,
    cc: Vec<Person<'a>>,
    bcc: Vec<Person<'a>>,
    reply_to: Vec<Person<'a>>,
    date: Option<String>,
    message_id: Option<&'a str>,
    in_reply_to: &'a [String],
    references: &'a [String],
    text: &'a str,
    html: Option<String>,
    reply_text: &'a str,
    quoted: bool,
    signature: &'a str,
    attachments: Vec<File<'a>>,
    kind: Kind,
    bounce: Option<Bounce>,
    calendar: Option<&'a Calendar>,
    authentication: Option<Authentication>,
    protection: Option<Protection>,
    defects: Vec<String>,
}

#[derive(Serialize)]
struct Person<'a> {
    name: &'a str,
    address: &'a str,
}

#[derive(Serialize)]
struct File<'a> {
    filename: &'a str,
    content_type: &'a str,
    size_bytes: usize,
    inline: bool,
    content_id: Option<&'a str>,
    sha256: String,
}

fn people(list: &[Address]) -> Vec<Person<'_>> {
    list.iter()
        .map(|a| Person {
            name: &a.name,
            address: &a.address,
        })
        .collect()
}

fn files(parsed: &Parsed) -> Vec<File<'_>> {
    let file = |a| -> File<'_> {
        let a: &mail::Attachment = a;
        File {
            filename: &a.filename,
            content_type: &a.content_type,
            size_bytes: a.bytes.len(),
            inline: a.inline,
            content_id: a.content_id.as_deref(),
            sha256: a.sha256(),
        }
    };
    parsed.attachments.iter().map(file).collect()
}

/// The HTML as a page would show it before remote pictures are allowed; own pictures keep their `cid:`.
fn sanitized(parsed: &Parsed) -> Option<String> {
    let known = |id: &str| {
        let mut ids = parsed
            .attachments
            .iter()
            .filter_map(|a| a.content_id.as_deref());
        ids.any(|known| known == id).then(|| format!("cid:{id}"))
    };
    let display = mail::html::Display {
        remote_images: false,
        cid_url: &known,
    };
    parsed
        .html
        .as_deref()
        .map(|html| mail::html::sanitize(html, &display).html)
}

fn rfc3339(at: i64) -> Option<String> {
    let moment = chrono::DateTime::from_timestamp(at, 0)?;
    Some(moment.to_rfc3339_opts(chrono::SecondsFormat::Secs, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_printed_with_all_the_names_the_contract_gives() {
        let raw = b"From: Ada <ada@x.org>\r\nTo: b@x.org\r\nDate: Wed, 1 May 2024 14:00:00 +0200\r\nMessage-ID: <m@x>\r\n\
                    Subject: Re: x\r\nContent-Type: text/html\r\n\r\n<p onclick=x>new</p>";
        let json = reading_as_json(raw);
        assert_eq!(json["from"][0]["name"], "Ada");
        assert_eq!(json["date"], "2024-05-01T12:00:00Z");
        assert_eq!(json["html"], "<p>new</p>");
        assert_eq!(json["reply_text"], "new");
        assert_eq!(json["kind"], "message");
        for name in [
            "sender",
            "cc",
            "bcc",
            "reply_to",
            "in_reply_to",
            "references",
            "attachments",
            "defects",
        ] {
            assert!(json[name].is_array(), "{name}");
        }
        for name in ["bounce", "calendar", "authentication", "protection"] {
            assert!(json[name].is_null(), "{name}");
        }
    }
}
