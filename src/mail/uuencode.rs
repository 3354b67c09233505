//! Uuencoded files (`begin 644 name` … `end`, POSIX uuencode): as a transfer encoding, and as they stand in
//! plain texts of old programs and of some scanners and devices.

/// Files taken out of one text.
const FILES_MAX: usize = 100;

/// A file found in a text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct File {
    /// The name behind `begin`.
    pub(crate) name: String,
    /// Its content.
    pub(crate) bytes: Vec<u8>,
}

/// Decodes a part whose transfer encoding is uuencode; lines outside are ignored.
pub(crate) fn decode(input: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(input.len() / 4 * 3);
    let mut inside = false;
    for line in input.split(|b| *b == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.starts_with(b"begin ") {
            inside = true;
        } else if line == b"end" {
            break;
        } else if inside {
            let _ = decode_line(line, &mut out);
        }
    }
    out
}

/// Takes the files out of a text; `None` when there are none. A line that only begins with `begin` is no
/// file: what follows has to be encoded lines up to `end`, or up to where the text was cut off.
pub(crate) fn extract(text: &str) -> Option<(String, Vec<File>)> {
    let finder = memchr::memmem::Finder::new("begin ");
    let mut files = Vec::new();
    let mut out = String::new();
    // What stands before `kept` was copied or decoded.
    let (mut kept, mut from) = (0, 0);
    while files.len() < FILES_MAX {
        let Some(found) = text
            .get(from..)
            .and_then(|rest| finder.find(rest.as_bytes()))
        else {
            break;
        };
        let at = from + found;
        from = at + 6;
        let before = text.get(..at).unwrap_or_default();
        if !(before.is_empty() || before.ends_with('\n')) {
            continue;
        }
        if let Some((file, length)) = text.get(at..).and_then(file) {
            out.push_str(text.get(kept..at).unwrap_or_default());
            files.push(file);
            from = at + length;
            kept = from;
        }
    }
    if files.is_empty() {
        return None;
    }
    out.push_str(text.get(kept..).unwrap_or_default());
    Some((out, files))
}

/// A file at the start of `text`, and how much of the text it takes.
fn file(text: &str) -> Option<(File, usize)> {
    let mut lines = text.split_inclusive('\n');
    let first = lines.next()?;
    let (mode, name) = first.strip_prefix("begin ")?.trim_end().split_once(' ')?;
    let is_mode = (3..=4).contains(&mode.len()) && mode.bytes().all(|b| (b'0'..=b'7').contains(&b));
    let name = name.trim();
    if !is_mode || name.is_empty() || name.len() > 500 {
        return None;
    }
    let mut bytes = Vec::new();
    let mut length = first.len();
    let mut count = 0usize;
    let mut ended = false;
    for line in lines {
        let content = line.trim_end_matches(['\r', '\n']);
        if content == "end" {
            length += line.len();
            ended = true;
            break;
        }
        if decode_line(content.as_bytes(), &mut bytes).is_none() {
            break;
        }
        length += line.len();
        count += 1;
    }
    let cut_off = length >= text.len() && count > 1;
    if bytes.is_empty() && !ended || !(ended || cut_off || count > 20) {
        return None;
    }
    let name = name.to_owned();
    Some((File { name, bytes }, length))
}

/// Adds one line's content; `None` when it is no encoded line. Spaces at its end may have got lost.
fn decode_line(line: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let (&length, data) = match line.split_first() {
        Some(split) => split,
        None => return Some(()),
    };
    if !(b' '..=b'`').contains(&length) || !data.iter().all(|b| (b' '..=b'`').contains(b)) {
        return None;
    }
    let wanted = usize::from(length.wrapping_sub(b' ') & 63);
    let digits = wanted.div_ceil(3) * 4;
    if data.len() > digits + 4 || data.len() + 8 < digits {
        return None;
    }
    let start = out.len();
    for group in data.chunks(4) {
        let mut chunk = 0u32;
        for position in 0..4 {
            let value = group.get(position).map_or(0, |b| b.wrapping_sub(b' ') & 63);
            chunk = (chunk << 6) | u32::from(value);
        }
        let [_, a, b, c] = chunk.to_be_bytes();
        out.extend_from_slice(&[a, b, c]);
    }
    out.resize(start + wanted, 0);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_decoded() {
        assert_eq!(decode(b"begin 644 a.txt\n#0V%T\n`\nend\n"), b"Cat");
    }

    #[test]
    fn files_in_a_text_become_files_and_the_text_stays() {
        let text =
            "Dear all,\n\nbegin 644 my cat.txt\n#0V%T\n`\nend\n\nbegin 755 b\n#0V%T\nend\nBye\n";
        let (rest, files) = extract(text).expect("files");
        assert_eq!(rest, "Dear all,\n\n\nBye\n");
        let found: Vec<_> = files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(found, ["my cat.txt", "b"]);
        assert!(files.iter().all(|file| file.bytes == b"Cat"));
    }

    #[test]
    fn words_about_a_beginning_are_no_file() {
        assert_eq!(extract("begin 644 times\nand then it ended\nend\n"), None);
        assert_eq!(extract("we begin 644 a.txt\n#0V%T\nend\n"), None);
        assert_eq!(extract("begin transaction now\nend\n"), None);
        assert_eq!(extract("begin 100 days\n"), None);
    }
}
