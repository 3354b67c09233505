//! The tree of parts (RFC 2046): splits multiparts at their boundaries and undoes transfer encodings.
//!
//! Depth and number of parts are bounded, so a hostile message costs no more than its length.

use std::borrow::Cow;

use super::defect::Defect;
use super::header::{self, Headers};
use super::parameter::{self, Structured};
use super::{transfer, uuencode};

/// Multiparts inside multiparts that are followed.
const DEPTH_MAX: usize = 24;
/// Leaf parts read of one message.
const PARTS_MAX: usize = 1_000;

/// A part with its content, or with parts in it.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    /// `type/subtype` in lower case.
    pub(crate) content_type: String,
    /// Content-Type with its parameters.
    pub(crate) fields: Structured,
    /// Content-Disposition with its parameters; its value is empty when there is none.
    pub(crate) disposition: Structured,
    /// Content-ID without its brackets.
    pub(crate) content_id: Option<String>,
    /// Content-Location: the address its sender gave it.
    pub(crate) content_location: Option<String>,
    /// What is inside.
    pub(crate) body: Body<'a>,
}

/// What is inside a part.
#[derive(Debug)]
pub(crate) enum Body<'a> {
    /// A leaf's content with its transfer encoding undone.
    Leaf(Cow<'a, [u8]>),
    /// The parts of a multipart.
    Multi(Vec<Part<'a>>),
}

impl Part<'_> {
    /// A parameter of Content-Type.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.fields.parameter(name)
    }

    /// The file name as the sender gave it, whichever field holds it.
    pub(crate) fn filename(&self) -> Option<&str> {
        [
            self.disposition.parameter("filename"),
            self.parameter("name"),
            self.disposition.parameter("name"),
            self.parameter("filename"),
            self.parameter("file"),
        ]
        .into_iter()
        .flatten()
        .find(|name| !name.trim().is_empty())
    }

    /// Whether the disposition itself names a file.
    pub(crate) fn has_disposition_filename(&self) -> bool {
        self.disposition.parameter("filename").is_some()
    }
}

fn content_id(headers: &Headers) -> Option<String> {
    let text = headers.text("content-id")?;
    let id = text.trim().trim_matches(['<', '>', ' ']);
    (!id.is_empty()).then(|| id.to_owned())
}

/// Walks the parts of a message whose header fields were already split off.
pub(crate) struct Walker<'d> {
    /// Defects found so far.
    pub(crate) defects: &'d mut Vec<Defect>,
    /// Leaf parts read so far.
    pub(crate) parts: usize,
}

impl Walker<'_> {
    /// Reads one part from its header fields and the raw bytes after them.
    pub(crate) fn part<'a>(
        &mut self,
        headers: &Headers,
        body: Cow<'a, [u8]>,
        depth: usize,
        digest: bool,
    ) -> Part<'a> {
        let hint = headers.charset.as_deref();
        let fields = parameter::read(headers.raw("content-type"), hint);
        let disposition = parameter::read(headers.raw("content-disposition"), hint);
        let mut part = Part {
            content_type: fields.value.clone(),
            fields,
            disposition,
            content_id: content_id(headers),
            content_location: headers.text("content-location"),
            body: Body::Leaf(Cow::Borrowed(&[])),
        };
        if !part.content_type.contains('/') {
            let is_file = part.disposition.value == "attachment" || part.filename().is_some();
            part.content_type = match part.content_type.as_str() {
                "text" | "text/" => "text/plain",
                "html" => "text/html",
                _ if digest => "message/rfc822",
                "" => "text/plain",
                // What cannot be understood is text (RFC 2045 section 5.2), unless it is a file.
                _ if is_file => "application/octet-stream",
                _ => "text/plain",
            }
            .to_owned();
        }
        let encoding = encoding(headers);
        part.body = if part.content_type.starts_with("multipart/") {
            self.multipart(&mut part, &encoding, body, depth)
        } else {
            self.parts += 1;
            let is_text = part.content_type.starts_with("text/");
            Body::Leaf(self.decoded(&encoding, body, is_text))
        };
        part
    }

    fn multipart<'a>(
        &mut self,
        part: &mut Part<'a>,
        encoding: &str,
        body: Cow<'a, [u8]>,
        depth: usize,
    ) -> Body<'a> {
        if depth >= DEPTH_MAX {
            self.note(Defect::TooDeep);
            part.content_type = "application/octet-stream".to_owned();
            self.parts += 1;
            return Body::Leaf(body);
        }
        // A multipart must not be encoded (RFC 2045 section 6.4), but some are.
        let body = match encoding {
            "base64" | "quoted-printable" if !has_boundary_line(&body) => {
                self.decoded(encoding, body, false)
            }
            _ => body,
        };
        match body {
            Cow::Borrowed(body) => self.split(part, encoding, body, depth),
            Cow::Owned(body) => match self.split(part, encoding, &body, depth) {
                Body::Leaf(content) => Body::Leaf(Cow::Owned(content.into_owned())),
                Body::Multi(parts) => Body::Multi(parts.into_iter().map(Part::owned).collect()),
            },
        }
    }

    fn split<'a>(
        &mut self,
        part: &mut Part<'_>,
        encoding: &str,
        body: &'a [u8],
        depth: usize,
    ) -> Body<'a> {
        let declared = part.parameter("boundary").unwrap_or_default().trim();
        let mut pieces = Vec::new();
        let mut terminated = false;
        if !declared.is_empty() {
            (pieces, terminated) = split_at_boundary(body, declared.as_bytes());
        }
        if pieces.is_empty() {
            self.note(Defect::NoBoundary);
            match guess_boundary(body) {
                Some(boundary) => (pieces, terminated) = split_at_boundary(body, boundary),
                None => {
                    part.content_type = "text/plain".to_owned();
                    self.parts += 1;
                    return Body::Leaf(self.decoded(encoding, Cow::Borrowed(body), true));
                }
            }
        }
        if !terminated {
            self.note(Defect::Unterminated);
        }
        let digest = part.content_type == "multipart/digest";
        let mut parts = Vec::with_capacity(pieces.len().min(16));
        for piece in pieces {
            if self.parts >= PARTS_MAX {
                self.note(Defect::TooManyParts);
                break;
            }
            let (headers, inner, _) = header::split(piece);
            parts.push(self.part(&headers, Cow::Borrowed(inner), depth + 1, digest));
        }
        Body::Multi(parts)
    }

    fn decoded<'a>(&mut self, encoding: &str, body: Cow<'a, [u8]>, is_text: bool) -> Cow<'a, [u8]> {
        match encoding {
            "" | "7bit" | "8bit" | "binary" | "7-bit" | "8-bit" | "8bits" | "7bits" | "none"
            | "plain" | "utf-8" | "ascii" => body,
            "base64" if is_text && is_prose(&body) => {
                self.note(Defect::BadBase64);
                body
            }
            "base64" => {
                let (bytes, clean) = transfer::base64(&body);
                if !clean {
                    self.note(Defect::BadBase64);
                }
                Cow::Owned(bytes)
            }
            "quoted-printable" | "quotedprintable" => {
                let (bytes, clean) = transfer::quoted_printable(&body);
                if !clean {
                    self.note(Defect::BadQuotedPrintable);
                }
                Cow::Owned(bytes)
            }
            "uuencode" | "x-uuencode" | "x-uue" | "uue" => Cow::Owned(uuencode::decode(&body)),
            other => {
                self.note(Defect::UnknownEncoding(other.chars().take(40).collect()));
                body
            }
        }
    }

    fn note(&mut self, defect: Defect) {
        if !self.defects.contains(&defect) && self.defects.len() < 100 {
            self.defects.push(defect);
        }
    }
}

impl Part<'_> {
    /// The same part with its content copied.
    fn owned<'b>(self) -> Part<'b> {
        Part {
            content_type: self.content_type,
            fields: self.fields,
            disposition: self.disposition,
            content_id: self.content_id,
            content_location: self.content_location,
            body: match self.body {
                Body::Leaf(content) => Body::Leaf(Cow::Owned(content.into_owned())),
                Body::Multi(parts) => Body::Multi(parts.into_iter().map(Part::owned).collect()),
            },
        }
    }
}

/// Words with spaces between them are no base64: the label is wrong, not the text.
fn is_prose(body: &[u8]) -> bool {
    let head = body.trim_ascii();
    let head = head.get(..1_000).unwrap_or(head);
    let spaces = head.iter().filter(|b| **b == b' ').count();
    spaces >= 3 && spaces * 20 > head.len()
}

fn has_boundary_line(body: &[u8]) -> bool {
    guess_boundary(body).is_some()
}

fn encoding(headers: &Headers) -> String {
    let text = headers
        .text("content-transfer-encoding")
        .unwrap_or_default();
    text.split(|c: char| c == ';' || c == '(' || c.is_whitespace())
        .find(|word| !word.is_empty())
        .unwrap_or_default()
        .trim_matches('"')
        .to_ascii_lowercase()
}

/// Cuts a body at the lines that are the boundary (RFC 2046 section 5.1.1). Says too whether the
/// closing line was there.
fn split_at_boundary<'a>(body: &'a [u8], boundary: &[u8]) -> (Vec<&'a [u8]>, bool) {
    let mut pieces = Vec::new();
    let mut start: Option<usize> = None;
    let finder = memchr::memmem::Finder::new(boundary);
    let mut from = 0usize;
    while let Some(found) = body.get(from..).and_then(|rest| finder.find(rest)) {
        let at = from + found;
        from = at + boundary.len();
        let before = body.get(..at).unwrap_or_default();
        let Some(before) = before.strip_suffix(b"--") else {
            continue;
        };
        if !(before.is_empty() || before.ends_with(b"\n")) {
            continue;
        }
        let (tail, _) = header::take_line(body.get(from..).unwrap_or_default());
        let line_end = from + tail.len();
        let tail = tail.trim_ascii();
        if !(tail.is_empty() || tail == b"--") {
            continue;
        }
        if let Some(start) = start {
            let piece = body.get(start..before.len()).unwrap_or_default();
            pieces.push(without_last_break(piece));
        }
        if tail == b"--" {
            return (pieces, true);
        }
        start = Some(line_end);
        from = line_end;
        if pieces.len() > PARTS_MAX {
            return (pieces, false);
        }
    }
    if let Some(from) = start {
        let last = body.get(from..).unwrap_or_default();
        if !last.trim_ascii().is_empty() || pieces.is_empty() {
            pieces.push(last);
        }
    }
    (pieces, false)
}

/// The line break before a boundary belongs to the boundary.
fn without_last_break(piece: &[u8]) -> &[u8] {
    let piece = piece.strip_suffix(b"\n").unwrap_or(piece);
    piece.strip_suffix(b"\r").unwrap_or(piece)
}

/// The first line that begins with two hyphens and is followed by a Content- field.
fn guess_boundary(body: &[u8]) -> Option<&[u8]> {
    let mut rest = body;
    while !rest.is_empty() {
        let (line, after) = header::take_line(rest);
        if let Some(boundary) = header::trim_line_end(line).strip_prefix(b"--") {
            let boundary = boundary.trim_ascii_end();
            let next = after.get(..8).unwrap_or_default();
            if !boundary.is_empty() && next.eq_ignore_ascii_case(b"content-") {
                return Some(boundary);
            }
        }
        rest = after;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boundary_that_begins_like_another_does_not_end_it() {
        let body = b"--a\r\n\r\none\r\n--ab\r\n\r\ninner\r\n--a\r\n\r\ntwo\r\n--a--\r\n";
        let (pieces, terminated) = split_at_boundary(body, b"a");
        assert_eq!(
            pieces,
            [&b"\r\none\r\n--ab\r\n\r\ninner"[..], &b"\r\ntwo"[..]]
        );
        assert!(terminated);
    }

    #[test]
    fn nesting_beyond_the_bound_ends_as_one_attachment() {
        let mut raw = Vec::new();
        for level in 0..100 {
            raw.extend_from_slice(
                format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n")
                    .as_bytes(),
            );
        }
        let mut defects = Vec::new();
        let (headers, body, _) = header::split(&raw);
        Walker {
            defects: &mut defects,
            parts: 0,
        }
        .part(&headers, Cow::Borrowed(body), 0, false);
        assert!(defects.contains(&Defect::TooDeep));
    }
}
