//! From the tree of parts to what a person sees: the text, the HTML, and the attachments.
//!
//! A message is a row of segments (a letter, a footer a list added, a second text after a picture).
//! Each segment has plain text, HTML or both; the whole text and the whole HTML are their sequence, so
//! nothing that was meant to be read disappears whichever form is shown.

mod wrapped;

use std::borrow::Cow;
use std::collections::HashSet;

use sha2::{Digest as _, Sha256};

use super::calendar::Calendar;
use super::defect::Defect;
use super::header;
use super::mime::{Body, Part};
use super::{charset, filename, flowed, html, uuencode};

/// Different `cid:` links looked for in one message.
const IDS_MAX: usize = 5_000;

/// A file that came with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// A safe name to show and to save under; never empty.
    pub filename: String,
    /// `type/subtype` in lower case, as declared.
    pub content_type: String,
    /// The content, transfer encoding undone.
    pub bytes: Vec<u8>,
    /// Whether it is shown inside the text (a picture the HTML refers to) rather than beside it.
    pub inline: bool,
    /// Content-ID without brackets, by which HTML refers to it.
    pub content_id: Option<String>,
}

impl Attachment {
    /// SHA-256 of the content in lower-case hexadecimal.
    #[must_use]
    pub fn sha256(&self) -> String {
        Sha256::digest(&self.bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

/// What a message's parts amount to.
#[derive(Debug, Default)]
pub(crate) struct Content {
    /// The plain text.
    pub(crate) text: String,
    /// The raw HTML, when any segment has it.
    pub(crate) html: Option<String>,
    /// All files.
    pub(crate) attachments: Vec<Attachment>,
    /// The first text/calendar part.
    pub(crate) calendar: Option<String>,
    /// The event that a winmail.dat was about.
    pub(crate) event: Option<Calendar>,
    /// What a winmail.dat calls its message; empty when there was none.
    pub(crate) class: String,
    /// Whether a signed S/MIME content was taken out of its file.
    pub(crate) was_signed: bool,
}

#[derive(Debug, Default)]
struct Segment {
    text: Option<String>,
    html: Option<String>,
}

/// Which container a part stands in, as far as it decides what the part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// On its own or in multipart/mixed.
    Plain,
    /// One of several forms of the same content.
    Alternative,
    /// The first part of multipart/related.
    Root,
    /// A further part of multipart/related: belongs to the root.
    Related,
    /// A part of a delivery or receipt report behind its explanation.
    Report,
}

struct Collector<'d> {
    segments: Vec<Segment>,
    attachments: Vec<Attachment>,
    calendar: Option<String>,
    /// Text and event of a winmail.dat, for a message that has none of its own.
    winmail: (Segment, Option<Calendar>),
    /// The rich bodies of a winmail.dat as files, which no HTML mentions.
    bodies: Vec<Attachment>,
    /// What a winmail.dat calls its message.
    class: String,
    /// Signed S/MIME files opened so far.
    signed: usize,
    defects: &'d mut Vec<Defect>,
    leaves: usize,
}

/// Sorts the parts of a message into text, HTML and attachments.
pub(crate) fn collect(root: Part<'_>, defects: &mut Vec<Defect>) -> Content {
    let mut collector = Collector {
        segments: Vec::new(),
        attachments: Vec::new(),
        calendar: None,
        winmail: Default::default(),
        bodies: Vec::new(),
        class: String::new(),
        signed: 0,
        defects,
        leaves: 0,
    };
    collector.visit(root, Place::Plain);
    collector.finish()
}

impl Collector<'_> {
    fn visit(&mut self, part: Part<'_>, place: Place) {
        let Part {
            body: Body::Multi(_),
            ..
        } = &part
        else {
            self.leaf(part, place);
            return;
        };
        let kind = part.content_type.clone();
        let Body::Multi(parts) = part.body else {
            return;
        };
        match kind.as_str() {
            "multipart/alternative" => self.alternative(parts),
            "multipart/related" => {
                let start = part.fields.parameter("start");
                let start = start.map(|id| id.trim_matches(['<', '>', ' ']).to_owned());
                let root = parts
                    .iter()
                    .position(|p| start.is_some() && p.content_id == start)
                    .unwrap_or(0);
                for (position, child) in parts.into_iter().enumerate() {
                    let place = if position == root {
                        Place::Root
                    } else {
                        Place::Related
                    };
                    self.visit(child, place);
                }
            }
            "multipart/report" => {
                for (position, child) in parts.into_iter().enumerate() {
                    let place = if position == 0 {
                        Place::Plain
                    } else {
                        Place::Report
                    };
                    self.visit(child, place);
                }
            }
            _ => {
                for child in parts {
                    self.visit(child, place);
                }
            }
        }
    }

    /// All forms of one content become one segment: the first plain text and the last HTML count
    /// (RFC 2046 section 5.1.4: the last form is the richest).
    fn alternative(&mut self, parts: Vec<Part<'_>>) {
        let first = self.segments.len();
        for part in parts {
            // Forms for special readers (AMP, watches) hold nothing the others do not.
            if matches!(
                part.content_type.as_str(),
                "text/x-amp-html" | "text/watch-html"
            ) {
                continue;
            }
            self.visit(part, Place::Alternative);
        }
        let forms = self.segments.split_off(first.min(self.segments.len()));
        let mut merged = Segment::default();
        let (plain, rich): (Vec<_>, Vec<_>) = forms.into_iter().partition(|s| s.html.is_none());
        for form in plain {
            if merged
                .text
                .as_ref()
                .is_none_or(|text| text.trim().is_empty())
            {
                merged.text = form.text;
            }
        }
        let mut html = String::new();
        for form in rich {
            html.push_str(form.html.as_deref().unwrap_or_default());
        }
        if !html.is_empty() {
            merged.html = Some(html);
        }
        if merged.text.is_some() || merged.html.is_some() {
            self.segments.push(merged);
        }
    }

    fn leaf(&mut self, part: Part<'_>, place: Place) {
        let part = match self.signed_content(part) {
            Ok(inner) => {
                self.visit(inner, place);
                return;
            }
            Err(part) => part,
        };
        self.leaves += 1;
        let text = matches!(part.content_type.as_str(), "text/plain" | "text/html");
        if text && self.is_body(&part, place) {
            self.add_text(&part);
            return;
        }
        if part.content_type == "text/calendar" && self.calendar.is_none() {
            self.calendar = Some(self.decode(&part));
        }
        self.add_attachment(part, place);
    }

    fn is_body(&self, part: &Part<'_>, place: Place) -> bool {
        if part.disposition.value == "attachment" {
            return false;
        }
        match place {
            Place::Related | Place::Report => false,
            Place::Alternative | Place::Root => true,
            // A text with a file name is a file, unless it is all there is to read.
            Place::Plain => {
                let first = self.segments.is_empty() && self.leaves == 1;
                part.filename().is_none() || (first && !part.has_disposition_filename())
            }
        }
    }

    fn decode(&mut self, part: &Part<'_>) -> String {
        let Body::Leaf(bytes) = &part.body else {
            return String::new();
        };
        let declared = part.parameter("charset").map(str::to_owned);
        let label = declared.or_else(|| {
            let html = part.content_type == "text/html";
            html.then(|| html::declared_charset(bytes)).flatten()
        });
        let (text, defect) = charset::decode_body(bytes, label.as_deref());
        if let Some(defect) = defect {
            self.note(defect);
        }
        plain_lines(text)
    }

    fn add_text(&mut self, part: &Part<'_>) {
        let text = self.decode(part);
        let mut segment = Segment::default();
        if part.content_type == "text/html" {
            segment.html = Some(text);
        } else {
            let text = self.without_uuencoded(text);
            let is_flowed = part
                .parameter("format")
                .is_some_and(|format| format.eq_ignore_ascii_case("flowed"));
            let deletes_space = part
                .parameter("delsp")
                .is_some_and(|value| value.eq_ignore_ascii_case("yes"));
            segment.text = Some(if is_flowed {
                flowed::join(&text, deletes_space)
            } else {
                text
            });
        }
        self.segments.push(segment);
    }

    /// Takes out the files that stand in a text between `begin` and `end`.
    fn without_uuencoded(&mut self, text: String) -> String {
        let Some((text, files)) = uuencode::extract(&text) else {
            return text;
        };
        for file in files {
            let (name, is_unsafe) = filename::safe(&file.name);
            if is_unsafe {
                self.note(Defect::UnsafeFilename);
            }
            let content_type = "application/octet-stream".to_owned();
            let name = if name.is_empty() {
                filename::default_name(&content_type, self.attachments.len() + 1)
            } else {
                name
            };
            self.attachments.push(Attachment {
                filename: name,
                content_type,
                bytes: file.bytes,
                inline: false,
                content_id: None,
            });
        }
        text
    }

    fn note(&mut self, defect: Defect) {
        if !self.defects.contains(&defect) {
            self.defects.push(defect);
        }
    }

    fn add_attachment(&mut self, part: Part<'_>, place: Place) {
        if self.unpack(&part) {
            return;
        }
        let (mut name, is_unsafe) = filename::safe(part.filename().unwrap_or_default());
        if is_unsafe {
            self.note(Defect::UnsafeFilename);
        }
        let picture = part.content_type.starts_with("image/");
        let inline = part.disposition.value != "attachment"
            && (place == Place::Related
                || (picture && part.content_id.is_some())
                || (picture && part.disposition.value == "inline")
                || (picture && part.filename().is_none()));
        let Part {
            content_type,
            content_id,
            content_location,
            body: Body::Leaf(bytes),
            ..
        } = part
        else {
            return;
        };
        // HTML may also name a picture by the address its sender gave it (RFC 2557 section 5).
        let location = content_location.filter(|_| picture && place == Place::Related);
        let content_id = content_id.or(location);
        if name.is_empty() {
            name = match content_type.as_str() {
                "message/rfc822" | "message/global" => inner_subject(&bytes),
                other => filename::default_name(other, self.attachments.len() + 1),
            };
        }
        self.attachments.push(Attachment {
            filename: name,
            content_type,
            bytes: bytes.into_owned(),
            inline,
            content_id,
        });
    }

    fn finish(mut self) -> Content {
        let (wrapped, event) = std::mem::take(&mut self.winmail);
        let is_blank = |text: &Option<String>| text.as_ref().is_none_or(|t| t.trim().is_empty());
        let mut segments = self.segments.iter();
        if segments.all(|segment| is_blank(&segment.text) && is_blank(&segment.html)) {
            self.segments = vec![wrapped];
        }
        let rich = self.segments.iter().any(|segment| segment.html.is_some());
        let mut text = String::new();
        let mut html = String::new();
        for segment in std::mem::take(&mut self.segments) {
            if rich {
                match (&segment.html, &segment.text) {
                    (Some(own), _) => append(&mut html, own),
                    (None, Some(plain)) => append(&mut html, html::text_to_html(plain)),
                    (None, None) => {}
                }
            }
            let plain = match segment {
                Segment {
                    text: Some(plain), ..
                } if !plain.trim().is_empty() => plain,
                Segment {
                    html: Some(rich), ..
                } => html::to_text(&rich),
                Segment { text, .. } => text.unwrap_or_default(),
            };
            if !text.is_empty() && !plain.is_empty() {
                text.push_str(if text.ends_with('\n') { "\n" } else { "\n\n" });
            }
            append(&mut text, plain);
        }
        if rich {
            self.settle_inline(&html);
        }
        self.attachments.append(&mut self.bodies);
        Content {
            text,
            html: rich.then_some(html),
            attachments: self.attachments,
            calendar: self.calendar,
            event,
            class: self.class,
            was_signed: self.signed > 0,
        }
    }

    /// Where there is HTML, what it mentions is shown inside it; anything else would be invisible, and stands
    /// beside it.
    fn settle_inline(&mut self, html: &str) {
        let any = self.attachments.iter().any(|a| a.content_id.is_some());
        let mentioned = if any {
            mentioned_ids(html)
        } else {
            HashSet::new()
        };
        for attachment in &mut self.attachments {
            let id = attachment.content_id.as_deref();
            let shown = id.is_some_and(|id| mentioned.contains(id));
            let picture = attachment.content_type.starts_with("image/");
            attachment.inline = shown && (picture || attachment.inline);
        }
    }
}

/// Adds to a text; the first piece is taken over without a copy.
fn append<'s>(all: &mut String, piece: impl Into<Cow<'s, str>>) {
    let piece = piece.into();
    if all.is_empty() {
        *all = piece.into_owned();
    } else {
        all.push_str(&piece);
    }
}

/// The ids in `cid:` links.
fn mentioned_ids(html: &str) -> HashSet<String> {
    let mut ids = HashSet::new();
    let mut rest = html;
    while ids.len() < IDS_MAX
        && let Some(at) = memchr::memmem::find(rest.as_bytes(), b"cid:")
    {
        rest = rest.get(at + 4..).unwrap_or_default();
        let end = rest
            .bytes()
            .take(200)
            .position(|b| matches!(b, b'"' | b'\'' | b'>' | b'<' | b' ' | b')' | b'&'));
        if let Some(id) = end.and_then(|end| rest.get(..end)) {
            ids.insert(id.replace("%40", "@").replace("%24", "$"));
        }
    }
    ids
}

/// Line ends as `\n` alone, and no NUL characters.
fn plain_lines(text: String) -> String {
    let bytes = text.as_bytes();
    let separator = memchr::memmem::find(bytes, "\u{2028}".as_bytes()).is_some();
    if !separator && memchr::memchr2(b'\r', b'\0', bytes).is_none() {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = memchr::memchr2(b'\r', b'\0', rest.as_bytes()) {
        let (before, mark) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(before);
        rest = mark.get(1..).unwrap_or_default();
        if mark.starts_with('\r') && !rest.starts_with('\n') {
            out.push('\n');
        }
    }
    out.push_str(rest);
    if separator {
        out = out.replace('\u{2028}', "\n");
    }
    out
}

/// `Subject.eml` for a forwarded message.
fn inner_subject(bytes: &[u8]) -> String {
    let (headers, _, _) = header::split(bytes);
    let subject = headers.text("subject").unwrap_or_default();
    let (name, _) = filename::safe(&subject.replace(['/', '\\'], "-"));
    if name.is_empty() {
        "message.eml".to_owned()
    } else {
        format!("{name}.eml")
    }
}
