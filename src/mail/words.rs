//! Encoded words (RFC 2047) and raw 8-bit text in header fields.
//!
//! Many programs cut a multi-byte character between two encoded words, which the RFC forbids. So
//! neighbouring words of one character set are joined as bytes before they are decoded.

use super::{charset, transfer};

/// Bytes of one field that are decoded; a subject has hundreds, an attack has millions.
const VALUE_BYTES_MAX: usize = 128 * 1024;
/// Bytes of one encoded word; the RFC allows 75, some programs put a whole subject into one.
const WORD_BYTES_MAX: usize = 8 * 1024;

/// Decodes an unstructured header value: folding removed, encoded words and 8-bit bytes read.
///
/// `charset` is the best guess for raw 8-bit bytes that are not UTF-8.
pub(crate) fn decode(value: &[u8], charset: Option<&str>) -> String {
    let value = value.get(..VALUE_BYTES_MAX).unwrap_or(value);
    if let Some(text) = plain(value, charset) {
        return text;
    }
    let value = unfold(value);
    if let Some(text) = plain(&value, charset) {
        return text;
    }
    let mut text = String::with_capacity(value.len());
    for piece in pieces(&value) {
        match piece {
            Piece::Raw(bytes) => text.push_str(&raw_text(bytes, charset)),
            Piece::Words(words) => text.push_str(&words),
        }
    }
    text.retain(|c| c != '\0');
    text
}

/// A value of nothing but plain characters, as most are.
fn plain(value: &[u8], charset: Option<&str>) -> Option<String> {
    let value = value.trim_ascii();
    let is_plain = value.iter().all(|b| (b' '..=b'~').contains(b))
        && find(value, b"=?").is_none()
        && charset.is_none_or(|name| !name.starts_with("utf-7"));
    if !is_plain {
        return None;
    }
    std::str::from_utf8(value).ok().map(str::to_owned)
}

/// Decodes encoded words inside a text that was decoded otherwise before (a MIME parameter).
pub(crate) fn decode_str(value: &str) -> String {
    if value.contains("=?") {
        decode(value.as_bytes(), None)
    } else {
        value.to_owned()
    }
}

fn raw_text(bytes: &[u8], charset: Option<&str>) -> String {
    charset::guess_near(bytes, charset)
}

/// Removes folding (RFC 5322 section 2.2.3): a line break before white space goes.
pub(crate) fn unfold(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    for byte in value.trim_ascii() {
        match byte {
            b'\r' | b'\n' => {}
            b'\t' => out.push(b' '),
            other => out.push(*other),
        }
    }
    out
}

enum Piece<'a> {
    Raw(&'a [u8]),
    Words(String),
}

struct Word<'a> {
    charset: String,
    base64: bool,
    data: &'a [u8],
}

/// Splits into raw stretches and runs of encoded words; white space between two words vanishes
/// (RFC 2047 section 6.2).
fn pieces(value: &[u8]) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut run: Vec<Word<'_>> = Vec::new();
    let mut rest = value;
    while !rest.is_empty() {
        let Some(start) = find(rest, b"=?") else {
            break;
        };
        let (before, at) = rest.split_at(start);
        let Some((word, after)) = word(at) else {
            // Not an encoded word: keep both characters and look further.
            let upto = start + 2;
            end_run(&mut run, &mut pieces);
            pieces.push(Piece::Raw(rest.get(..upto).unwrap_or_default()));
            rest = rest.get(upto..).unwrap_or_default();
            continue;
        };
        let gap = before.iter().all(|b| *b == b' ');
        if !before.is_empty() && (!gap || run.is_empty()) {
            end_run(&mut run, &mut pieces);
            pieces.push(Piece::Raw(before));
        }
        run.push(word);
        rest = after;
    }
    end_run(&mut run, &mut pieces);
    if !rest.is_empty() {
        pieces.push(Piece::Raw(rest));
    }
    pieces
}

fn end_run(run: &mut Vec<Word<'_>>, pieces: &mut Vec<Piece<'_>>) {
    if run.is_empty() {
        return;
    }
    let mut text = String::new();
    let mut pending: Option<(String, Vec<u8>)> = None;
    for word in run.drain(..) {
        let bytes = if word.base64 {
            transfer::base64(word.data).0
        } else {
            q_decode(word.data)
        };
        pending = Some(match pending.take() {
            Some((charset, mut joined))
                if charset == word.charset && !starts_afresh(&charset, &bytes) =>
            {
                joined.extend_from_slice(&bytes);
                (charset, joined)
            }
            other => {
                if let Some((charset, joined)) = other {
                    text.push_str(&charset::decode(&joined, Some(&charset)).0);
                }
                (word.charset, bytes)
            }
        });
    }
    if let Some((charset, joined)) = pending {
        text.push_str(&charset::decode(&joined, Some(&charset)).0);
    }
    pieces.push(Piece::Words(text));
}

/// A word with its own byte-order mark, or its own escape into a Japanese set, stands alone.
fn starts_afresh(charset: &str, bytes: &[u8]) -> bool {
    charset == "utf-16" || (charset.starts_with("iso-2022") && bytes.first() == Some(&0x1b))
}

/// The length of the encoded word that `input` begins with.
pub(crate) fn word_length(input: &[u8]) -> Option<usize> {
    let (_, rest) = word(input)?;
    Some(input.len() - rest.len())
}

/// Reads one `=?charset?B or Q?data?=` at the start of `input`.
fn word(input: &[u8]) -> Option<(Word<'_>, &[u8])> {
    let rest = input.strip_prefix(b"=?")?;
    let end = rest.iter().take(60).position(|b| *b == b'?')?;
    let (charset, rest) = (rest.get(..end)?, rest.get(end + 1..)?);
    let [encoding, b'?', rest @ ..] = rest else {
        return None;
    };
    let base64 = match encoding {
        b'B' | b'b' => true,
        b'Q' | b'q' => false,
        _ => return None,
    };
    let end = find(rest.get(..WORD_BYTES_MAX).unwrap_or(rest), b"?=")?;
    let mut data = rest.get(..end)?;
    let mut after = rest.get(end + 2..)?;
    // `?=` may belong to the data: `=?utf-8?Q?what?=3F?=` is seen in the wild.
    if !base64 && let Some([high, low, tail @ ..]) = Some(after) {
        let escaped = transfer::hex(*high).is_some() && transfer::hex(*low).is_some();
        let near = tail.get(..WORD_BYTES_MAX).unwrap_or(tail);
        if escaped && let Some(next) = find(near, b"?=") {
            let longer = end + 2 + 2 + next;
            let candidate = rest.get(..longer)?;
            if !candidate.contains(&b' ') {
                data = candidate;
                after = rest.get(longer + 2..)?;
            }
        }
    }
    let charset = charset.split(|b| *b == b'*').next().unwrap_or_default();
    if charset.is_empty() || charset.contains(&b' ') {
        return None;
    }
    let charset = String::from_utf8_lossy(charset).to_ascii_lowercase();
    Some((
        Word {
            charset,
            base64,
            data,
        },
        after,
    ))
}

fn q_decode(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len());
    let mut rest = data;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match (byte, tail) {
            (b'_', _) => out.push(b' '),
            (b'=', [high, low, after @ ..]) => match (transfer::hex(*high), transfer::hex(*low)) {
                (Some(high), Some(low)) => {
                    out.push(high << 4 | low);
                    rest = after;
                }
                _ => out.push(byte),
            },
            _ => out.push(byte),
        }
    }
    out
}

/// Position of `needle` in `haystack`.
pub(crate) fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::find(haystack, needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_between_encoded_words_vanishes() {
        assert_eq!(decode(b"=?utf-8?Q?a?= =?utf-8?Q?b?= c", None), "ab c");
        assert_eq!(
            decode(b"Re: =?iso-8859-1?q?Gr=FC=DFe_aus?=\r\n Wien", None),
            "Re: Grüße aus Wien"
        );
    }

    #[test]
    fn a_character_cut_between_two_words_is_put_together() {
        assert_eq!(
            decode(b"=?utf-8?B?R3LD?=\r\n =?utf-8?B?vMOf?=", None),
            "Grüß"
        );
    }

    #[test]
    fn japanese_words_are_read_whether_they_escape_anew_or_not() {
        let (first, second) = (
            "=?iso-2022-jp?B?GyRCJUslYyE8GyhC?=",
            "=?iso-2022-jp?B?GyRCJXMbKEI=?=",
        );
        assert_eq!(
            decode(format!("{first} {second}").as_bytes(), None),
            "ニャーン"
        );
    }

    #[test]
    fn raw_eight_bit_text_is_read() {
        assert_eq!(decode("Grüße".as_bytes(), None), "Grüße");
        assert_eq!(decode(b"Gr\xfc\xdfe", None), "Grüße");
    }

    #[test]
    fn raw_text_follows_the_charset_of_the_body() {
        assert_eq!(decode(b"\xd7\xaa\xb7\xa2", Some("gb2312")), "转发");
        assert_eq!(decode("Grüße".as_bytes(), Some("gb2312")), "Grüße");
    }

    #[test]
    fn what_only_looks_like_an_encoded_word_stays() {
        assert_eq!(
            decode(b"if a =?b then =?x?z?q?=", None),
            "if a =?b then =?x?z?q?="
        );
    }

    #[test]
    fn a_question_mark_escape_after_a_question_mark_belongs_to_the_word() {
        assert_eq!(decode(b"=?utf-8?Q?what?=3F?=", None), "what??");
    }
}
