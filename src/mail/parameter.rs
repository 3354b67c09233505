//! `value; name=value` fields: Content-Type and Content-Disposition (RFC 2045 section 5.1, RFC 2183),
//! with parameters in pieces and with a character set (RFC 2231), and as they are written in spite of
//! both: raw 8-bit names, encoded words, missing quotes and semicolons.

use super::{charset, transfer, words};

/// Bytes read of one field.
const FIELD_BYTES_MAX: usize = 64 * 1024;
/// Parameters and pieces of parameters read of one field.
const PARAMETERS_MAX: usize = 500;

/// A field taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Structured {
    /// What stands before the first semicolon, in lower case and without white space.
    pub(crate) value: String,
    /// The parameters, names in lower case, each name once.
    pub(crate) parameters: Vec<(String, String)>,
}

impl Structured {
    /// The value of a parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// A parameter, or one piece of it, as it stands.
struct Piece {
    name: String,
    /// The number of a piece of a parameter in pieces.
    number: Option<u32>,
    /// Whether the value is percent-encoded, perhaps with its character set before it.
    extended: bool,
    value: Vec<u8>,
}

/// Reads a field; `charset` is the best guess for raw 8-bit text.
pub(crate) fn read(raw: Option<&[u8]>, charset: Option<&str>) -> Structured {
    let Some(raw) = raw else {
        return Structured::default();
    };
    let raw = words::unfold(raw.get(..FIELD_BYTES_MAX).unwrap_or(raw));
    let (value, rest) = main_value(&raw);
    let pieces = pieces(rest);
    let mut parameters: Vec<(String, String)> = Vec::new();
    for piece in &pieces {
        if parameters.iter().any(|(name, _)| *name == piece.name) {
            continue;
        }
        let text = put_together(&piece.name, &pieces, charset);
        parameters.push((piece.name.clone(), text));
    }
    Structured { value, parameters }
}

/// The value before the parameters. A space and a parameter's name may stand where a semicolon should.
fn main_value(raw: &[u8]) -> (String, &[u8]) {
    let end = raw.iter().position(|b| *b == b';').unwrap_or(raw.len());
    let head = raw.get(..end).unwrap_or(raw);
    let equals = head.iter().position(|b| *b == b'=').unwrap_or(end);
    let end = if equals < end {
        // `text/plain charset=utf-8`, but `charset=utf-8` alone is no value.
        let before = head.get(..equals).unwrap_or_default().trim_ascii_end();
        before
            .iter()
            .rposition(u8::is_ascii_whitespace)
            .map_or(0, |at| at + 1)
    } else {
        end
    };
    let value = String::from_utf8_lossy(raw.get(..end).unwrap_or_default());
    let value = value.split(['(', ',']).next().unwrap_or_default();
    let value: String = value
        .chars()
        .filter(|c| !c.is_whitespace() && !c.is_control() && *c != '"')
        .collect();
    (
        value.to_ascii_lowercase(),
        raw.get(end..).unwrap_or_default(),
    )
}

fn pieces(raw: &[u8]) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut rest = raw;
    while pieces.len() < PARAMETERS_MAX {
        while let Some((b';' | b',' | b' ' | b'\t', after)) = rest.split_first() {
            rest = after;
        }
        let Some(end) = rest.iter().position(|b| matches!(b, b'=' | b';')) else {
            break;
        };
        let (name, after) = rest.split_at(end);
        let Some(after) = after.strip_prefix(b"=") else {
            rest = after;
            continue;
        };
        let name = String::from_utf8_lossy(name).trim().to_ascii_lowercase();
        let is_name = name.starts_with("filename") || name.starts_with("name");
        let (value, after) = value(after.trim_ascii_start(), is_name);
        rest = after;
        if let Some(piece) = piece(&name, value) {
            pieces.push(piece);
        }
    }
    pieces
}

/// `filename*1*` is an extended second piece (RFC 2231 section 4.1).
fn piece(name: &str, value: Vec<u8>) -> Option<Piece> {
    let (name, extended) = match name.strip_suffix('*') {
        Some(name) => (name, true),
        None => (name, false),
    };
    let (name, number) = match name.rsplit_once('*') {
        Some((base, digits)) => match digits.parse() {
            Ok(number) => (base, Some(number)),
            Err(_) => (name, None),
        },
        None => (name, None),
    };
    // Some programs put a comment or a second word before the name.
    let name = name.rsplit([' ', '\t']).next().unwrap_or(name);
    (!name.is_empty() && name.len() < 100).then(|| Piece {
        name: name.to_owned(),
        number,
        extended,
        value,
    })
}

/// A value and what follows it.
fn value(input: &[u8], is_name: bool) -> (Vec<u8>, &[u8]) {
    if let Some(inside) = input.strip_prefix(b"\"") {
        return quoted(inside);
    }
    let mut end = 0;
    while let Some(&byte) = input.get(end) {
        if byte == b';' {
            break;
        }
        // A name may have spaces, quoted or not; anything else ends at one.
        if !is_name && byte.is_ascii_whitespace() {
            break;
        }
        let word = input.get(end..).and_then(words::word_length);
        end += word.unwrap_or(1);
    }
    let (value, rest) = input.split_at(end.min(input.len()));
    (value.trim_ascii_end().to_vec(), rest)
}

/// A value in quotes. A quote inside a name that its writer did not escape ends nothing: the closing one
/// is followed by a semicolon, by nothing, or by the next parameter.
fn quoted(input: &[u8]) -> (Vec<u8>, &[u8]) {
    let mut out = Vec::new();
    let mut rest = input;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'\\' => match after.split_first() {
                // Only what had to be escaped was: `C:\temp` is a path.
                Some((&escaped @ (b'"' | b'\\'), after)) => {
                    out.push(escaped);
                    rest = after;
                }
                _ => out.push(byte),
            },
            b'"' if ends_value(after) => return (out, after),
            _ => out.push(byte),
        }
    }
    // No closing quote: the value ends where the next parameter could begin.
    let end = input.iter().position(|b| *b == b';').unwrap_or(input.len());
    let (value, rest) = input.split_at(end);
    (value.trim_ascii_end().to_vec(), rest)
}

fn ends_value(after: &[u8]) -> bool {
    let next = after.trim_ascii_start();
    match next.first() {
        None | Some(b';' | b',') => true,
        Some(b'(') => true,
        Some(_) => {
            let head = next.get(..40).unwrap_or(next);
            let token = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'*' | b'_');
            let length = head.iter().take_while(|b| token(b)).count();
            length > 0 && head.get(length) == Some(&b'=') && next.len() < after.len()
        }
    }
}

/// All pieces of one parameter as text. The extended form is preferred to the plain one, which is there
/// for programs that do not know it.
fn put_together(name: &str, pieces: &[Piece], charset: Option<&str>) -> String {
    let own = || pieces.iter().filter(|piece| piece.name == name);
    let whole = own().find(|piece| piece.number.is_none() && piece.extended);
    if let Some(piece) = whole {
        return extended(&[piece]);
    }
    let mut numbered: Vec<&Piece> = own().filter(|piece| piece.number.is_some()).collect();
    if !numbered.is_empty() {
        numbered.sort_by_key(|piece| piece.number);
        numbered.dedup_by_key(|piece| piece.number);
        return if numbered.iter().any(|piece| piece.extended) {
            extended(&numbered)
        } else {
            let joined: Vec<u8> = numbered
                .iter()
                .flat_map(|piece| piece.value.clone())
                .collect();
            plain(name, &joined, charset)
        };
    }
    own()
        .next()
        .map_or_else(String::new, |piece| plain(name, &piece.value, charset))
}

fn plain(name: &str, value: &[u8], charset: Option<&str>) -> String {
    if matches!(name, "filename" | "name" | "file") {
        words::decode(value, charset)
    } else {
        charset::guess(value)
    }
}

/// The pieces are decoded as one: a character may be cut between two of them.
fn extended(pieces: &[&Piece]) -> String {
    let mut bytes = Vec::new();
    let mut label: Option<String> = None;
    for (position, piece) in pieces.iter().enumerate() {
        let mut value = piece.value.as_slice();
        if position == 0 && piece.extended {
            let mut parts = value.splitn(3, |b| *b == b'\'');
            if let (Some(set), Some(_), Some(text)) = (parts.next(), parts.next(), parts.next()) {
                label = Some(String::from_utf8_lossy(set).into_owned());
                value = text;
            }
        }
        if piece.extended {
            percent_decode(value, &mut bytes);
        } else {
            bytes.extend_from_slice(value);
        }
    }
    let text = charset::decode(&bytes, label.as_deref()).0;
    words::decode_str(&text)
}

fn percent_decode(value: &[u8], out: &mut Vec<u8>) {
    let mut rest = value;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'%'
            && let [high, low, after @ ..] = after
            && let (Some(high), Some(low)) = (transfer::hex(*high), transfer::hex(*low))
        {
            out.push(high << 4 | low);
            rest = after;
            continue;
        }
        out.push(byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter(raw: &str, name: &str) -> String {
        read(Some(raw.as_bytes()), None)
            .parameter(name)
            .unwrap_or_default()
            .to_owned()
    }

    #[test]
    fn pieces_with_a_character_set_are_put_together_even_inside_a_character() {
        let raw = "attachment; filename*0*=UTF-8''Gr%C3; filename*1*=%BC%C3%9Fe; filename*2=.txt";
        assert_eq!(parameter(raw, "filename"), "Grüße.txt");
        let unsorted = "attachment; filename*1=b.txt; filename*0=a";
        assert_eq!(parameter(unsorted, "filename"), "ab.txt");
        let both = "attachment; filename=\"x.txt\"; filename*=iso-8859-1'de'%FCber.txt";
        assert_eq!(parameter(both, "filename"), "über.txt");
    }

    #[test]
    fn encoded_words_are_read_although_they_must_not_stand_there() {
        let raw = "x/y; name=\"=?utf-8?B?R3LDvA==?=\r\n =?utf-8?Q?=C3=9Fe.txt?=\"";
        assert_eq!(parameter(raw, "name"), "Grüße.txt");
        assert_eq!(
            parameter("x/y; name==?utf-8?Q?a;b=20c.txt?=; q=1", "name"),
            "a;b c.txt"
        );
    }

    #[test]
    fn what_lacks_its_quotes_or_semicolons_is_still_understood() {
        let raw = "text/plain charset=utf-8 format=flowed";
        let found = read(Some(raw.as_bytes()), None);
        assert_eq!(found.value, "text/plain");
        assert_eq!(found.parameter("charset"), Some("utf-8"));
        assert_eq!(found.parameter("format"), Some("flowed"));
        assert_eq!(
            parameter("x/y; name=my file.pdf; size=1", "name"),
            "my file.pdf"
        );
        assert_eq!(
            parameter("x/y; name=\"a\" charset=utf-8", "charset"),
            "utf-8"
        );
        assert_eq!(parameter("x/y; name=\"cut.pdf; size=1", "name"), "cut.pdf");
    }

    #[test]
    fn quotes_and_backslashes_inside_a_name_stay() {
        assert_eq!(
            parameter(r#"x/y; name="the "new" one.pdf""#, "name"),
            "the \"new\" one.pdf"
        );
        assert_eq!(
            parameter(r#"x/y; name="C:\temp\a.pdf""#, "name"),
            r"C:\temp\a.pdf"
        );
        assert_eq!(parameter(r#"x/y; name="a\"b.pdf""#, "name"), "a\"b.pdf");
    }

    #[test]
    fn the_value_is_read_without_spaces_and_comments() {
        assert_eq!(read(Some(b" Text / HTML (web)"), None).value, "text/html");
        assert_eq!(read(Some(b"; charset=x"), None).value, "");
        assert_eq!(read(Some(b"charset=utf-8"), None).value, "");
        assert_eq!(
            read(Some(b"multipart/mixed boundary=\"a;b\""), None).parameter("boundary"),
            Some("a;b")
        );
    }
}
