//! Content-Transfer-Encoding (RFC 2045 section 6), read with tolerance: damage costs the damaged
//! characters, never the rest.

/// Marks in [`BASE64`] for what is no digit.
const SPACE: u8 = 64;
const PADDING: u8 = 65;
const FOREIGN: u8 = 66;

/// The value of each byte as a base64 digit, of the plain and of the URL-safe alphabet.
const BASE64: [u8; 256] = {
    let mut table = [FOREIGN; 256];
    let mut byte = 0u8;
    loop {
        #[expect(clippy::indexing_slicing, reason = "a byte is always within the table")]
        {
            table[byte as usize] = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'+' | b'-' => 62,
                b'/' | b'_' => 63,
                b'=' => PADDING,
                b' ' | b'\t' | b'\r' | b'\n' => SPACE,
                _ => FOREIGN,
            };
        }
        if byte == 255 {
            break;
        }
        byte += 1;
    }
    table
};

fn digit(byte: u8) -> u8 {
    BASE64.get(usize::from(byte)).copied().unwrap_or(FOREIGN)
}

/// Decodes base64, skipping foreign characters. The flag is false when there was damage.
///
/// Padding in the middle is allowed: some gateways join separately encoded pieces.
pub(crate) fn base64(input: &[u8]) -> (Vec<u8>, bool) {
    let mut out = Vec::with_capacity(input.len() / 4 * 3 + 3);
    let mut chunk: u32 = 0;
    let mut count = 0u8;
    let mut clean = true;
    let mut rest = input;
    // A line is tried as a whole once; what is left of a broken one is read digit by digit.
    let mut fresh = true;
    loop {
        if fresh && count == 0 {
            rest = base64_line(rest, &mut out);
        }
        fresh = false;
        let Some((&byte, after)) = rest.split_first() else {
            break;
        };
        rest = after;
        match digit(byte) {
            SPACE => fresh = byte == b'\n',
            PADDING => {
                flush(&mut out, chunk, count);
                chunk = 0;
                count = 0;
            }
            FOREIGN => clean = false,
            value => {
                chunk = (chunk << 6) | u32::from(value);
                count += 1;
                if count == 4 {
                    let [_, a, b, c] = chunk.to_be_bytes();
                    out.extend_from_slice(&[a, b, c]);
                    chunk = 0;
                    count = 0;
                }
            }
        }
    }
    clean &= count != 1;
    flush(&mut out, chunk, count);
    (out, clean)
}

/// Decodes the start of `input`, up to its line's end, as long as there are four digits at once; gives back
/// the rest.
fn base64_line<'i>(input: &'i [u8], out: &mut Vec<u8>) -> &'i [u8] {
    let end = memchr::memchr2(b'\n', b'\r', input).unwrap_or(input.len());
    let line = input.get(..end).unwrap_or(input);
    let start = out.len();
    out.resize(start + line.len() / 4 * 3, 0);
    let mut done = 0usize;
    let room = out.get_mut(start..).unwrap_or_default();
    for (to, from) in room.chunks_exact_mut(3).zip(line.chunks_exact(4)) {
        let ([a, b, c], [w, x, y, z]) = (to, from) else {
            break;
        };
        let (w, x, y, z) = (digit(*w), digit(*x), digit(*y), digit(*z));
        if w | x | y | z >= SPACE {
            break;
        }
        *a = w << 2 | x >> 4;
        *b = x << 4 | y >> 2;
        *c = y << 6 | z;
        done += 1;
    }
    out.truncate(start + done * 3);
    input.get(done * 4..).unwrap_or_default()
}

fn flush(out: &mut Vec<u8>, chunk: u32, count: u8) {
    match count {
        2 => {
            let [.., a] = (chunk >> 4).to_be_bytes();
            out.push(a);
        }
        3 => {
            let [.., a, b] = (chunk >> 2).to_be_bytes();
            out.extend_from_slice(&[a, b]);
        }
        _ => {}
    }
}

/// Decodes quoted-printable. Broken escapes stay as they stand and the flag is false.
pub(crate) fn quoted_printable(input: &[u8]) -> (Vec<u8>, bool) {
    let mut out = Vec::with_capacity(input.len());
    let mut clean = true;
    let mut rest = input;
    while !rest.is_empty() {
        let (line, after) = super::header::take_line(rest);
        rest = after;
        let (content, ending) = split_ending(line);
        let soft = quoted_printable_line(trim_end(content), &mut out, &mut clean);
        if !soft {
            out.extend_from_slice(ending);
        }
    }
    (out, clean)
}

/// Decodes one line; true when it goes on in the next one.
fn quoted_printable_line(line: &[u8], out: &mut Vec<u8>, clean: &mut bool) -> bool {
    let mut rest = line;
    while let Some(at) = memchr::memchr(b'=', rest) {
        let (before, escape) = rest.split_at(at);
        out.extend_from_slice(before);
        match escape {
            [_] => return true,
            [_, high, low, after @ ..] => {
                if let (Some(high), Some(low)) = (hex(*high), hex(*low)) {
                    out.push(high << 4 | low);
                    rest = after;
                    continue;
                }
            }
            _ => {}
        }
        *clean = false;
        out.push(b'=');
        rest = escape.get(1..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    false
}

/// The value of one hexadecimal digit.
pub(crate) const fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

fn split_ending(line: &[u8]) -> (&[u8], &[u8]) {
    let content = line
        .strip_suffix(b"\r\n")
        .or_else(|| line.strip_suffix(b"\n"))
        .unwrap_or(line);
    let ending = line.get(content.len()..).unwrap_or_default();
    (content, ending)
}

/// White space before a line's end was added on the way and must go (RFC 2045 section 6.7 rule 3).
fn trim_end(mut line: &[u8]) -> &[u8] {
    while let Some((b' ' | b'\t' | b'\r', rest)) = line.split_last() {
        line = rest;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_survives_line_breaks_garbage_and_joined_pieces() {
        assert_eq!(base64(b"SGVs\r\nbG8="), (b"Hello".to_vec(), true));
        assert_eq!(base64(b"SGVs!bG8"), (b"Hello".to_vec(), false));
        assert_eq!(base64(b"SGk=SGk="), (b"HiHi".to_vec(), true));
        assert_eq!(base64(b"S"), (vec![], false));
    }

    #[test]
    fn quoted_printable_keeps_what_it_cannot_read() {
        assert_eq!(
            quoted_printable(b"a=3Db=\r\nc \r\nd"),
            (b"a=bc\r\nd".to_vec(), true)
        );
        assert_eq!(
            quoted_printable(b"50=% off="),
            (b"50=% off".to_vec(), false)
        );
    }
}
