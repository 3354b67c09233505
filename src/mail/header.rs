//! The header section: fields split, unfolded and decoded, with a bound on their size.

use mail_parser::parsers::MessageStream;
use mail_parser::{Addr, Address as ParsedAddress, HeaderValue};

use crate::model::Address;

use super::words;

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
            .flat_map(|raw| addresses(raw, self.charset.as_deref()))
            .take(LIST_MAX)
            .collect()
    }

    /// The addresses of the first field of this name: a second From is a forgery's favourite.
    #[must_use]
    pub fn first_addresses(&self, name: &str) -> Vec<Address> {
        self.raw(name)
            .map(|raw| addresses(raw, self.charset.as_deref()))
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

/// The `charset` parameter of a Content-Type value, as far as it is needed before that is parsed.
fn declared_charset(raw: &[u8]) -> Option<String> {
    let value = String::from_utf8_lossy(raw.get(..2_000).unwrap_or(raw)).to_ascii_lowercase();
    let (_, after) = value.split_once("charset=")?;
    let name = after.trim_start_matches(['"', ' ']);
    let name: String = name
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
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
        } else if looks_like_field(after) || (headers.fields.is_empty() && is_mbox_line(content)) {
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

/// The next line with its ending, and what follows.
pub(crate) fn take_line(input: &[u8]) -> (&[u8], &[u8]) {
    let end = input
        .iter()
        .position(|b| *b == b'\n')
        .map_or(input.len(), |at| at + 1);
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
    let name = String::from_utf8_lossy(name).to_ascii_lowercase();
    Some((name, line.get(colon + 1..)?))
}

/// Reads an address list (RFC 5322 section 3.4), groups opened.
pub(crate) fn addresses(raw: &[u8], charset: Option<&str>) -> Vec<Address> {
    let raw = raw.get(..FIELD_BYTES_MAX).unwrap_or(raw);
    let mut value = words::normalise(raw, charset);
    value.push(b'\n');
    let parsed = match MessageStream::new(&value).parse_address() {
        HeaderValue::Address(parsed) => parsed,
        _ => return Vec::new(),
    };
    let list: Vec<Addr<'_>> = match parsed {
        ParsedAddress::List(list) => list,
        ParsedAddress::Group(groups) => groups.into_iter().flat_map(|g| g.addresses).collect(),
    };
    list.into_iter()
        .filter_map(|parsed| address(&parsed))
        .take(LIST_MAX)
        .collect()
}

fn address(parsed: &Addr<'_>) -> Option<Address> {
    let address: String = parsed
        .address
        .as_deref()
        .unwrap_or_default()
        .chars()
        .filter(|c| !c.is_control() && !c.is_whitespace() && !is_bidi_control(*c))
        .collect();
    let address = address.trim_matches(['<', '>', '\'', '"']).to_owned();
    let name = visible(parsed.name.as_deref().unwrap_or_default());
    if address.is_empty() && name.is_empty() {
        return None;
    }
    if address.is_empty() && name.contains('@') && !name.contains(' ') {
        return Some(Address {
            name: String::new(),
            address: name,
        });
    }
    let name = if name == address { String::new() } else { name };
    Some(Address { name, address })
}

/// A text for one line: control and direction-changing characters gone, white space collapsed.
pub(crate) fn visible(text: &str) -> String {
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
        let bare = |word: &&str| word.contains('@') && !word.contains(['<', '>', '(', '"']);
        ids.extend(
            text.split([' ', ','])
                .filter(bare)
                .map(str::to_owned)
                .take(LIST_MAX),
        );
    }
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(name: &str, address: &str) -> Address {
        Address {
            name: name.to_owned(),
            address: address.to_owned(),
        }
    }

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
    fn addresses_are_read_in_all_their_forms() {
        let list = addresses(
            b" \"Doe, Jane\" <jane@x.org>, =?utf-8?Q?J=C3=B6rg?= <j@x.org>, plain@x.org",
            None,
        );
        assert_eq!(
            list,
            [
                pair("Doe, Jane", "jane@x.org"),
                pair("Jörg", "j@x.org"),
                pair("", "plain@x.org")
            ]
        );
        assert_eq!(addresses(b"undisclosed-recipients:;", None), []);
        assert_eq!(
            addresses(b"Team: a@x.org, B <b@x.org>;", None),
            [pair("", "a@x.org"), pair("B", "b@x.org")]
        );
    }

    #[test]
    fn a_body_without_an_empty_line_before_it_is_not_lost() {
        let (headers, body, notes) = split(b"Subject: x\r\nDear all,\r\nhello\r\n");
        assert_eq!(headers.text("subject").as_deref(), Some("x"));
        assert_eq!(body, b"Dear all,\r\nhello\r\n");
        assert!(notes.no_blank_line);
    }

    #[test]
    fn an_mbox_line_before_the_fields_is_skipped() {
        let (headers, body, _) = split(b"From a@x Mon Jan 1\nSubject: x\n\nbody");
        assert_eq!(headers.fields.len(), 1);
        assert_eq!(body, b"body");
    }
}
