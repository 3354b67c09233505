//! From the tree of parts to what a person sees: the text, the HTML, and the attachments.
//!
//! A message is a row of segments (a letter, a footer a list added, a second text after a picture).
//! Each segment has plain text, HTML or both; the whole text and the whole HTML are their sequence, so
//! nothing that was meant to be read disappears whichever form is shown.

mod wrapped;

use sha2::{Digest as _, Sha256};

use super::calendar::Calendar;
use super::defect::Defect;
use super::header;
use super::mime::{Body, Part};
use super::{charset, filename, flowed, html};

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
    /// Signed S/MIME files opened so far.
    signed: usize,
    defects: &'d mut Vec<Defect>,
    leaves: usize,
}

/// Sorts the parts of a message into text, HTML and attachments.
pub(crate) fn collect(root: Part, defects: &mut Vec<Defect>) -> Content {
    let mut collector = Collector {
        segments: Vec::new(),
        attachments: Vec::new(),
        calendar: None,
        winmail: Default::default(),
        signed: 0,
        defects,
        leaves: 0,
    };
    collector.visit(root, Place::Plain);
    collector.finish()
}

impl Collector<'_> {
    fn visit(&mut self, part: Part, place: Place) {
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
                let start = part.parameters.iter().find(|(name, _)| name == "start");
                let start = start.map(|(_, id)| id.trim_matches(['<', '>', ' ']).to_owned());
                let root = parts
                    .iter()
                    .position(|p| start.is_some() && p.content_id() == start)
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
    fn alternative(&mut self, parts: Vec<Part>) {
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

    fn leaf(&mut self, part: Part, place: Place) {
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

    fn is_body(&self, part: &Part, place: Place) -> bool {
        if part.disposition == "attachment" {
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

    fn decode(&mut self, part: &Part) -> String {
        let Body::Leaf(bytes) = &part.body else {
            return String::new();
        };
        let declared = part.parameter("charset").map(str::to_owned);
        let label = declared.or_else(|| {
            let html = part.content_type == "text/html";
            html.then(|| html::declared_charset(bytes)).flatten()
        });
        let (text, defect) = charset::decode(bytes, label.as_deref());
        if let Some(defect) = defect
            && !self.defects.contains(&defect)
        {
            self.defects.push(defect);
        }
        text.replace("\r\n", "\n")
            .replace(['\r', '\u{2028}'], "\n")
            .replace('\0', "")
    }

    fn add_text(&mut self, part: &Part) {
        let text = self.decode(part);
        let mut segment = Segment::default();
        if part.content_type == "text/html" {
            segment.html = Some(text);
        } else {
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

    fn add_attachment(&mut self, part: Part, place: Place) {
        if self.unpack(&part) {
            return;
        }
        let picture = part.content_type.starts_with("image/");
        // HTML may also name a picture by the address the sender gave it (RFC 2557, Content-Location).
        let location = || part.headers.text("content-location");
        let located = || location().filter(|_| picture && place == Place::Related);
        let content_id = part.content_id().or_else(located);
        let given = part.filename().unwrap_or_default();
        let (mut name, is_unsafe) = filename::safe(&given);
        if is_unsafe && !self.defects.contains(&Defect::UnsafeFilename) {
            self.defects.push(Defect::UnsafeFilename);
        }
        let inline = part.disposition != "attachment"
            && (place == Place::Related
                || (content_id.is_some() && picture)
                || (part.disposition == "inline" && picture));
        let Part {
            content_type,
            body: Body::Leaf(bytes),
            ..
        } = part
        else {
            return;
        };
        if name.is_empty() {
            name = match content_type.as_str() {
                "message/rfc822" | "message/global" => inner_subject(&bytes),
                other => filename::default_name(other, self.attachments.len() + 1),
            };
        }
        self.attachments.push(Attachment {
            filename: name,
            content_type,
            bytes,
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
        for segment in &self.segments {
            let plain = match (&segment.text, &segment.html) {
                (Some(plain), _) if !plain.trim().is_empty() => plain.clone(),
                (_, Some(rich)) => html::to_text(rich),
                (Some(plain), None) => plain.clone(),
                (None, None) => String::new(),
            };
            if !text.is_empty() && !plain.is_empty() {
                text.push_str(if text.ends_with('\n') { "\n" } else { "\n\n" });
            }
            text.push_str(&plain);
            if rich {
                match (&segment.html, &segment.text) {
                    (Some(own), _) => html.push_str(own),
                    (None, Some(plain)) => html.push_str(&html::text_to_html(plain)),
                    (None, None) => {}
                }
            }
        }
        if rich {
            self.settle_inline(&html);
        }
        Content {
            text,
            html: rich.then_some(html),
            attachments: self.attachments,
            calendar: self.calendar,
            event,
            was_signed: self.signed > 0,
        }
    }

    /// A related file the HTML never mentions would be invisible: it becomes an ordinary attachment.
    fn settle_inline(&mut self, html: &str) {
        for attachment in &mut self.attachments {
            let Some(id) = attachment.content_id.as_deref() else {
                continue;
            };
            let mentioned = html.contains(id) || html.contains(&id.replace('@', "%40"));
            if attachment.inline && !mentioned && !attachment.content_type.starts_with("image/") {
                attachment.inline = false;
            }
            if mentioned && attachment.content_type.starts_with("image/") {
                attachment.inline = true;
            }
        }
    }
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
