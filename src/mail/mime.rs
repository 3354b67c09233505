//! The tree of parts (RFC 2046): splits multiparts at their boundaries and undoes transfer encodings.
//!
//! Depth and number of parts are bounded, so a hostile message costs no more than its length.

use mail_parser::parsers::MessageStream;
use mail_parser::{ContentType as ParsedContentType, HeaderValue};

use super::defect::Defect;
use super::header::{self, Headers};
use super::{transfer, words};

/// Multiparts inside multiparts that are followed.
const DEPTH_MAX: usize = 24;
/// Leaf parts read of one message.
const PARTS_MAX: usize = 1_000;

/// A part with its content, or with parts in it.
#[derive(Debug)]
pub(crate) struct Part {
    /// `type/subtype` in lower case.
    pub(crate) content_type: String,
    /// The header fields of this part.
    pub(crate) headers: Headers,
    /// Parameters of Content-Type, names in lower case.
    pub(crate) parameters: Vec<(String, String)>,
    /// Content-Disposition in lower case, empty when absent.
    pub(crate) disposition: String,
    /// Parameters of Content-Disposition, names in lower case.
    pub(crate) disposition_parameters: Vec<(String, String)>,
    /// What is inside.
    pub(crate) body: Body,
}

/// What is inside a part.
#[derive(Debug)]
pub(crate) enum Body {
    /// A leaf's content with its transfer encoding undone.
    Leaf(Vec<u8>),
    /// The parts of a multipart.
    Multi(Vec<Part>),
}

impl Part {
    /// A parameter of Content-Type.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        parameter(&self.parameters, name)
    }

    /// The file name as the sender gave it, whichever field holds it.
    pub(crate) fn filename(&self) -> Option<String> {
        parameter(&self.disposition_parameters, "filename")
            .or_else(|| self.parameter("name"))
            .map(words::decode_str)
            .filter(|name| !name.trim().is_empty())
    }

    /// Whether the disposition itself names a file.
    pub(crate) fn has_disposition_filename(&self) -> bool {
        parameter(&self.disposition_parameters, "filename").is_some()
    }

    /// Content-ID without its brackets.
    pub(crate) fn content_id(&self) -> Option<String> {
        let text = self.headers.text("content-id")?;
        let id = text
            .trim()
            .trim_start_matches('<')
            .trim_end_matches('>')
            .trim();
        (!id.is_empty()).then(|| id.to_owned())
    }
}

fn parameter<'a>(list: &'a [(String, String)], name: &str) -> Option<&'a str> {
    list.iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
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
    pub(crate) fn part(
        &mut self,
        headers: Headers,
        body: &[u8],
        depth: usize,
        digest: bool,
    ) -> Part {
        let (mut content_type, parameters) = structured(headers.raw("content-type"));
        let (disposition, disposition_parameters) = structured(headers.raw("content-disposition"));
        if !content_type.contains('/') {
            content_type = match content_type.as_str() {
                "text" => "text/plain",
                _ if digest => "message/rfc822",
                "" => "text/plain",
                _ => "application/octet-stream",
            }
            .to_owned();
        }
        let mut part = Part {
            content_type,
            headers,
            parameters,
            disposition,
            disposition_parameters,
            body: Body::Leaf(Vec::new()),
        };
        part.body = if part.content_type.starts_with("multipart/") {
            self.multipart(&mut part, body, depth)
        } else {
            self.parts += 1;
            Body::Leaf(self.decoded(&part.headers, body))
        };
        part
    }

    fn multipart(&mut self, part: &mut Part, body: &[u8], depth: usize) -> Body {
        if depth >= DEPTH_MAX {
            self.note(Defect::TooDeep);
            part.content_type = "application/octet-stream".to_owned();
            self.parts += 1;
            return Body::Leaf(body.to_vec());
        }
        // A multipart must not be encoded (RFC 2045 section 6.4), but some are.
        let decoded;
        let body = match encoding(&part.headers).as_str() {
            "base64" | "quoted-printable" => {
                decoded = self.decoded(&part.headers, body);
                decoded.as_slice()
            }
            _ => body,
        };
        let declared = part
            .parameter("boundary")
            .unwrap_or_default()
            .trim()
            .to_owned();
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
                    return Body::Leaf(self.decoded(&part.headers, body));
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
            parts.push(self.part(headers, inner, depth + 1, digest));
        }
        Body::Multi(parts)
    }

    fn decoded(&mut self, headers: &Headers, body: &[u8]) -> Vec<u8> {
        match encoding(headers).as_str() {
            "" | "7bit" | "8bit" | "binary" | "7-bit" | "8-bit" | "none" | "plain" | "utf-8" => {
                body.to_vec()
            }
            "base64" => {
                let (bytes, clean) = transfer::base64(body);
                if !clean {
                    self.note(Defect::BadBase64);
                }
                bytes
            }
            "quoted-printable" => {
                let (bytes, clean) = transfer::quoted_printable(body);
                if !clean {
                    self.note(Defect::BadQuotedPrintable);
                }
                bytes
            }
            "uuencode" | "x-uuencode" | "x-uue" | "uue" => transfer::uuencode(body),
            other => {
                self.note(Defect::UnknownEncoding(other.chars().take(40).collect()));
                body.to_vec()
            }
        }
    }

    fn note(&mut self, defect: Defect) {
        if !self.defects.contains(&defect) && self.defects.len() < 100 {
            self.defects.push(defect);
        }
    }
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

/// `value; name=value` fields, with RFC 2231 continuations and character sets put together.
pub(crate) fn structured(raw: Option<&[u8]>) -> (String, Vec<(String, String)>) {
    let Some(raw) = raw else {
        return (String::new(), Vec::new());
    };
    let raw = raw.get(..64 * 1024).unwrap_or(raw);
    let mut value = words::normalise_bytes(raw);
    value.push(b'\n');
    match MessageStream::new(&value).parse_content_type() {
        HeaderValue::ContentType(parsed) => from_parsed(&parsed),
        _ => {
            let text = words::decode(raw, None);
            let name = text.split(';').next().unwrap_or_default();
            (name.trim().to_ascii_lowercase(), Vec::new())
        }
    }
}

fn from_parsed(parsed: &ParsedContentType<'_>) -> (String, Vec<(String, String)>) {
    let mut name = parsed.ctype().trim().to_ascii_lowercase();
    if let Some(subtype) = parsed.subtype() {
        name.push('/');
        name.push_str(subtype.trim().to_ascii_lowercase().as_str());
    }
    let parameters = parsed
        .attributes()
        .unwrap_or_default()
        .iter()
        .map(|attribute| {
            (
                attribute.name.to_ascii_lowercase(),
                attribute.value.to_string(),
            )
        })
        .collect();
    (name, parameters)
}

/// Cuts a body at the lines that are the boundary (RFC 2046 section 5.1.1). Says too whether the
/// closing line was there.
fn split_at_boundary<'a>(body: &'a [u8], boundary: &[u8]) -> (Vec<&'a [u8]>, bool) {
    let mut pieces = Vec::new();
    let mut start: Option<usize> = None;
    let mut position = 0usize;
    let mut rest = body;
    while !rest.is_empty() {
        let (line, after) = header::take_line(rest);
        if let Some(tail) = line
            .strip_prefix(b"--")
            .and_then(|l| l.strip_prefix(boundary))
        {
            let tail = tail.trim_ascii();
            if tail.is_empty() || tail == b"--" {
                if let Some(from) = start {
                    pieces.push(without_last_break(
                        body.get(from..position).unwrap_or_default(),
                    ));
                }
                if tail == b"--" {
                    return (pieces, true);
                }
                start = Some(position + line.len());
                if pieces.len() > PARTS_MAX {
                    return (pieces, false);
                }
            }
        }
        position += line.len();
        rest = after;
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
    fn parameters_in_pieces_and_with_a_character_set_are_put_together() {
        let raw = b"attachment; filename*0*=UTF-8''Gr%C3%BC; filename*1*=%C3%9Fe; filename*2=.txt";
        let (name, parameters) = structured(Some(raw));
        assert_eq!(name, "attachment");
        assert_eq!(
            parameters,
            [("filename".to_owned(), "Grüße.txt".to_owned())]
        );
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
        .part(headers, body, 0, false);
        assert!(defects.contains(&Defect::TooDeep));
    }
}
