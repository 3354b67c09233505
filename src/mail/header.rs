//! The header section: fields split, unfolded and decoded, with a bound on their size.

use crate::model::Address;

use super::{address, words};

/// Header bytes read of one part; Exchange itself refuses far less.
const HEADER_BYTES_MAX: usize = 1024 * 1024;
/// Fields read of one part.
const FIELDS_MAX: usize = 2_000;
/// Bytes read of one address or identifier field.
const FIELD_BYTES_MAX: usize = 256 * 1024;
/// Addresses or identifiers read of one field.
const LIST_MAX: usize = 2_000;

/// One header field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The name in lower case.
    pub name: String,
    /// The bytes after the colon, still folded.
    pub raw: Vec<u8>,
}

/// The fields of one part in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers {
    /// All fields.
    pub fields: Vec<Field>,
    /// The character set the body declares: the best guess for fields with raw 8-bit text.
    pub(crate) charset: Option<String>,
}

/// What was noticed while the header section was split.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct SplitNotes {
    /// The body began without an empty line.
    pub(crate) no_blank_line: bool,
    /// The section was longer than the bound.
    pub(crate) too_long: bool,
}

impl Headers {
    /// The raw bytes of the first field of this name (lower case).
    #[must_use]
    pub fn raw(&self, name: &str) -> Option<&[u8]> {
        self.fields
            .iter()
            .find(|field| field.name == name)
            .map(|field| field.raw.as_slice())
    }

    /// The first field of this name (lower case) as decoded text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        self.raw(name).map(|raw| self.decode(raw))
    }

    /// All fields of this name (lower case) as decoded text.
    #[must_use]
    pub fn texts(&self, name: &str) -> Vec<String> {
        self.all(name).map(|raw| self.decode(raw)).collect()
    }

    /// A field of these as decoded text.
    #[must_use]
    pub fn decode(&self, raw: &[u8]) -> String {
        words::decode(raw, self.charset.as_deref())
    }

    /// Whether a field of this name (lower case) is there.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    /// How often a field of this name (lower case) is there.
    #[must_use]
    pub fn count(&self, name: &str) -> usize {
        self.all(name).count()
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.fields
            .iter()
            .filter(move |field| field.name == name)
            .map(|field| field.raw.as_slice())
    }

    /// The addresses of all fields of this name, groups opened, at most 2,000.
    #[must_use]
    pub fn addresses(&self, name: &str) -> Vec<Address> {
        self.all(name)
            .flat_map(|raw| address::read(raw, self.charset.as_deref()))
            .take(LIST_MAX)
            .collect()
    }

    /// The addresses of each field of this name by itself.
    pub(crate) fn each_addresses(&self, name: &str) -> Vec<Vec<Address>> {
        self.all(name)
            .take(10)
            .map(|raw| address::read(raw, self.charset.as_deref()))
            .collect()
    }

    /// The addresses of the first field of this name: a second From is a forgery's favourite.
    #[must_use]
    pub fn first_addresses(&self, name: &str) -> Vec<Address> {
        self.raw(name)
            .map(|raw| address::read(raw, self.charset.as_deref()))
            .unwrap_or_default()
    }

    /// The identifiers in angle brackets of all fields of this name, without the brackets and
    /// without repeats.
    #[must_use]
    pub fn ids(&self, name: &str) -> Vec<String> {
        let mut ids: Vec<String> = Vec::new();
        for raw in self.all(name) {
            for id in message_ids(raw) {
                if ids.len() < LIST_MAX && !ids.contains(&id) {
                    ids.push(id);
                }
            }
        }
        ids
    }
}

/// Splits `raw` into its header fields and its body.
pub(crate) fn split(raw: &[u8]) -> (Headers, &[u8], SplitNotes) {
    let (mut headers, body, notes) = split_fields(raw);
    headers.charset = headers.raw("content-type").and_then(declared_charset);
    (headers, body, notes)
}

/// The first character set declared near the beginning of a multipart's body: the best guess for raw 8-bit
/// text in the header fields above it.
pub(crate) fn nearby_charset(body: &[u8]) -> Option<String> {
    let head = body.get(..8 * 1024).unwrap_or(body);
    let at = memchr::memmem::find(head, b"charset=")?;
    declared_charset(head.get(at..)?)
}

/// The `charset` parameter of a Content-Type value, as far as it is needed before that is parsed.
fn declared_charset(raw: &[u8]) -> Option<String> {
    const NAME: &[u8] = b"charset=";
    let head = raw.get(..2_000).unwrap_or(raw);
    let at = head
        .windows(NAME.len())
        .position(|window| window.eq_ignore_ascii_case(NAME))?;
    let name: String = head
        .get(at + NAME.len()..)?
        .iter()
        .skip_while(|b| matches!(b, b'"' | b' '))
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        .map(|b| char::from(b.to_ascii_lowercase()))
        .collect();
    (!name.is_empty()).then_some(name)
}

fn split_fields(raw: &[u8]) -> (Headers, &[u8], SplitNotes) {
    let mut headers = Headers::default();
    let mut notes = SplitNotes::default();
    let mut rest = raw;
    let mut used = 0usize;
    while !rest.is_empty() {
        let (line, after) = take_line(rest);
        let content = trim_line_end(line);
        if content.is_empty() {
            return (headers, after, notes);
        }
        let keep = used <= HEADER_BYTES_MAX && headers.fields.len() < FIELDS_MAX;
        notes.too_long |= !keep;
        used += line.len();
        let continues = matches!(content.first(), Some(b' ' | b'\t'));
        if continues && !headers.fields.is_empty() {
            // A line of nothing but white space ends the section when no field follows it.
            if content.iter().all(u8::is_ascii_whitespace) && !goes_on(after) {
                return (headers, after, notes);
            }
            if keep && let Some(field) = headers.fields.last_mut() {
                field.raw.extend_from_slice(line);
            }
        } else if let Some((name, value)) = field_of(content) {
            if keep {
                headers.fields.push(Field {
                    name,
                    raw: value.to_vec(),
                });
            }
        } else if looks_like_field(after)
            || (headers.fields.is_empty() && is_mbox_line(content))
            || (!headers.fields.is_empty() && section_goes_on(after))
        {
            // A stray line among the fields: a broken fold or an mbox separator.
            if keep
                && !is_mbox_line(content)
                && let Some(field) = headers.fields.last_mut()
            {
                field.raw.push(b' ');
                field.raw.extend_from_slice(line);
            }
        } else {
            notes.no_blank_line = true;
            return (headers, rest, notes);
        }
        rest = after;
    }
    (headers, rest, notes)
}

/// A field's text without the comments in brackets (RFC 5322 section 3.2.2).
pub(crate) fn without_comments(text: &str) -> String {
    let mut depth = 0usize;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out
}

/// The next line with its ending, and what follows.
pub(crate) fn take_line(input: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memchr(b'\n', input).map_or(input.len(), |at| at + 1);
    input.split_at(end)
}

/// A line without its ending.
pub(crate) fn trim_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn is_mbox_line(line: &[u8]) -> bool {
    line.starts_with(b"From ") || line.starts_with(b">From ")
}

/// Whether a field follows, perhaps behind more lines of a badly folded one.
fn goes_on(rest: &[u8]) -> bool {
    let mut rest = rest;
    for _ in 0..10 {
        let (line, after) = take_line(rest);
        if trim_line_end(line).is_empty() {
            return false;
        }
        if !matches!(line.first(), Some(b' ' | b'\t')) {
            return looks_like_field(rest);
        }
        rest = after;
    }
    false
}

/// Whether a field that every program writes stands before the next empty line: what stands here is then a
/// folded line that lost its indentation, not the body.
fn section_goes_on(rest: &[u8]) -> bool {
    const COMMON: [&str; 14] = [
        "received",
        "from",
        "to",
        "cc",
        "subject",
        "date",
        "message-id",
        "mime-version",
        "content-type",
        "content-transfer-encoding",
        "reply-to",
        "return-path",
        "in-reply-to",
        "references",
    ];
    let mut rest = rest;
    for _ in 0..40 {
        let (line, after) = take_line(rest);
        let line = trim_line_end(line);
        if line.is_empty() {
            return false;
        }
        let common = field_of(line).is_some_and(|(name, value)| {
            COMMON.contains(&name.as_str()) && value.starts_with(b" ")
        });
        if common {
            return true;
        }
        rest = after;
    }
    false
}

fn looks_like_field(rest: &[u8]) -> bool {
    let (line, _) = take_line(rest);
    let line = trim_line_end(line);
    field_of(line).is_some_and(|(_, value)| value.is_empty() || value.starts_with(b" "))
}

/// `Name: value`, where the name is printable ASCII without space (RFC 5322 section 2.2); white
/// space before the colon is obsolete but seen (section 4.5).
fn field_of(line: &[u8]) -> Option<(String, &[u8])> {
    let colon = line.iter().take(200).position(|b| *b == b':')?;
    let name = line.get(..colon)?.trim_ascii_end();
    let valid = !name.is_empty() && name.iter().all(|b| (33..=126).contains(b));
    if !valid {
        return None;
    }
    let name = name
        .iter()
        .map(|b| char::from(b.to_ascii_lowercase()))
        .collect();
    Some((name, line.get(colon + 1..)?))
}

/// A text for one line: control and direction-changing characters gone, white space collapsed.
pub(crate) fn visible(text: &str) -> String {
    let mut last = b' ';
    let plain = text.bytes().all(|byte| {
        let double = byte == b' ' && last == b' ';
        last = byte;
        (b' '..=b'~').contains(&byte) && !double
    });
    if plain && !text.ends_with(' ') {
        return text.to_owned();
    }
    let cleaned: String = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !c.is_control() && !is_bidi_control(*c))
        .collect();
    let mut out = String::with_capacity(cleaned.len());
    for word in cleaned.split(' ').filter(|word| !word.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// Characters that turn the reading direction of what follows (Unicode TR 9), and with it the end
/// of a file name or the look of an address.
pub(crate) const fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Identifiers by their angle brackets: Outlook.com separates References by commas or by nothing,
/// so the pattern is the only safe way. A bare identifier without brackets is taken too.
pub(crate) fn message_ids(raw: &[u8]) -> Vec<String> {
    let raw = raw.get(..FIELD_BYTES_MAX).unwrap_or(raw);
    let text = words::decode(raw, None);
    let mut ids = Vec::new();
    let mut rest = text.as_str();
    while let Some((_, after)) = rest.split_once('<') {
        let Some((inside, tail)) = after.split_once('>') else {
            break;
        };
        // `<a <b@c>`: the innermost bracket counts.
        let inside = inside.rsplit('<').next().unwrap_or(inside);
        let id: String = inside.chars().filter(|c| !c.is_whitespace()).collect();
        if !id.is_empty() && ids.len() < LIST_MAX {
            ids.push(id);
        }
        rest = tail;
    }
    if ids.is_empty() {
        // Without brackets only where nothing but identifiers stands: the old form is a sentence.
        let bare = |word: &str| word.contains('@') && !word.contains(['<', '>', '(', '"']);
        let words = || text.split([' ', ',']).filter(|word| !word.is_empty());
        if words().all(bare) {
            ids.extend(words().map(str::to_owned).take(LIST_MAX));
        }
    }
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_found_without_spaces_and_with_commas() {
        assert_eq!(message_ids(b"<a@x><b@x>,\r\n <c@x>"), ["a@x", "b@x", "c@x"]);
        assert_eq!(message_ids(b"bare@x"), ["bare@x"]);
        assert_eq!(message_ids(b"Your message of Tue"), Vec::<String>::new());
    }

    #[test]
    fn repeated_fields_give_each_id_once() {
        let (headers, _, _) = split(b"References: <a@x>\r\nReferences: <a@x> <b@x>\r\n\r\n");
        assert_eq!(headers.ids("references"), ["a@x", "b@x"]);
    }

    #[test]
    fn a_body_without_an_empty_line_before_it_is_not_lost() {
        let (headers, body, notes) = split(b"Subject: x\r\nDear all,\r\nhello\r\n");
        assert_eq!(headers.text("subject").as_deref(), Some("x"));
        assert_eq!(body, b"Dear all,\r\nhello\r\n");
        assert!(notes.no_blank_line);
    }

    #[test]
    fn a_fold_without_its_indentation_ends_no_header_section() {
        let raw =
            b"DKIM-Signature: v=1; b=gm7U\r\nabc\r\ndef==\r\nX-Other: 1\r\nSubject: x\r\n\r\nbody";
        let (headers, body, notes) = split(raw);
        assert_eq!(headers.text("subject").as_deref(), Some("x"));
        assert_eq!((body, notes.no_blank_line), (&b"body"[..], false));
    }

    #[test]
    fn an_mbox_line_before_the_fields_is_skipped() {
        let (headers, body, _) = split(b"From a@x Mon Jan 1\nSubject: x\n\nbody");
        assert_eq!(headers.fields.len(), 1);
        assert_eq!(body, b"body");
    }
}
