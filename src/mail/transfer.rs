//! Content-Transfer-Encoding (RFC 2045 section 6), read with tolerance: damage costs the damaged
//! characters, never the rest.

/// Decodes base64, skipping foreign characters. The flag is false when there was damage.
///
/// Padding in the middle is allowed: some gateways join separately encoded pieces.
pub(crate) fn base64(input: &[u8]) -> (Vec<u8>, bool) {
    let mut out = Vec::with_capacity(input.len() / 4 * 3 + 3);
    let mut chunk: u32 = 0;
    let mut count = 0u8;
    let mut clean = true;
    for &byte in input {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => {
                flush(&mut out, chunk, count);
                chunk = 0;
                count = 0;
                continue;
            }
            b' ' | b'\t' | b'\r' | b'\n' => continue,
            _ => {
                clean = false;
                continue;
            }
        };
        chunk = (chunk << 6) | u32::from(value);
        count += 1;
        if count == 4 {
            let [_, a, b, c] = chunk.to_be_bytes();
            out.extend_from_slice(&[a, b, c]);
            chunk = 0;
            count = 0;
        }
    }
    clean &= count != 1;
    flush(&mut out, chunk, count);
    (out, clean)
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
    for line in input.split_inclusive(|b| *b == b'\n') {
        let (content, ending) = split_ending(line);
        let content = trim_end(content);
        let mut rest = content;
        let mut soft = false;
        while let Some((&byte, tail)) = rest.split_first() {
            if byte != b'=' {
                out.push(byte);
                rest = tail;
                continue;
            }
            match tail {
                [] => {
                    soft = true;
                    rest = tail;
                }
                [high, low, after @ ..] => match (hex(*high), hex(*low)) {
                    (Some(high), Some(low)) => {
                        out.push(high << 4 | low);
                        rest = after;
                    }
                    _ => {
                        clean = false;
                        out.push(byte);
                        rest = tail;
                    }
                },
                [_] => {
                    clean = false;
                    out.push(byte);
                    rest = tail;
                }
            }
        }
        if !soft {
            out.extend_from_slice(ending);
        }
    }
    (out, clean)
}

/// Decodes uuencoded content (`begin 644 name` … `end`); lines outside are ignored.
pub(crate) fn uuencode(input: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(input.len() / 4 * 3);
    let mut inside = false;
    for line in input.split(|b| *b == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.starts_with(b"begin ") {
            inside = true;
            continue;
        }
        if line == b"end" {
            break;
        }
        let (true, Some((&length, data))) = (inside, line.split_first()) else {
            continue;
        };
        let wanted = usize::from(length.wrapping_sub(32) & 63);
        let mut got = Vec::with_capacity(48);
        for group in data.chunks(4) {
            let mut chunk = 0u32;
            for position in 0..4 {
                let value = group.get(position).map_or(0, |b| b.wrapping_sub(32) & 63);
                chunk = (chunk << 6) | u32::from(value);
            }
            let [_, a, b, c] = chunk.to_be_bytes();
            got.extend_from_slice(&[a, b, c]);
        }
        got.truncate(wanted);
        out.extend_from_slice(&got);
    }
    out
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

    #[test]
    fn uuencoded_content_is_decoded() {
        assert_eq!(uuencode(b"begin 644 a.txt\n#0V%T\n`\nend\n"), b"Cat");
    }
}
