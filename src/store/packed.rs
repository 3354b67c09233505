//! The bytes of mail as they are kept: zstd-compressed, and a message without the files it carries, which are
//! stored by themselves once for each content. Base64 makes a file a third longer and hides it from
//! compression, so that a message kept whole would cost more than twice its files.
//!
//! What is cut out of a message is only what its file, put into base64 again in lines of the same length, gives
//! back byte by byte; that is compared before anything is left out.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memchr::{memchr, memmem};

use super::{Error, Result};

/// What a message begins with that has files cut out. A zstd frame begins otherwise (RFC 8878 §3.1.1).
const CUT: &[u8; 4] = b"cut1";
/// Smaller files are not worth it.
const CUT_BYTES_MIN: usize = 1024;
/// Most files cut out of one message. `store::check` reads the count as a letter of ASCII.
const CUTS_MAX: usize = 100;
/// Bytes of each cut in the list: hash, place, size, length of a line.
const ENTRY_BYTES: usize = 32 + 8 + 8 + 4;
/// Bytes of a file by whose base64 it is looked for; a multiple of three, and less than a line of it.
const BEGIN_BYTES: usize = 30;
/// Compression: levels above cost much more time than they save space on mail.
const LEVEL: i32 = 3;

/// Bytes ready to be stored.
#[derive(Debug, Clone)]
pub struct Packed {
    size_bytes: usize,
    stored: Vec<u8>,
}

/// A file that was cut out of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut {
    /// Hash of its content.
    pub(super) sha256: [u8; 32],
    /// Where its base64 begins in the message.
    at: usize,
    /// Size of its content.
    size_bytes: usize,
    /// Characters in a line of its base64.
    line: usize,
}

impl Packed {
    /// Compresses; done before a transaction, so that the writer is not held meanwhile.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn pack(bytes: &[u8]) -> Result<Self> {
        Ok(Self {
            size_bytes: bytes.len(),
            stored: compress(bytes)?,
        })
    }

    /// Packs a message without its files, given as hash and content in the order they stand in it. They must
    /// be stored as attachments of the same message.
    ///
    /// # Errors
    /// As [`Packed::pack`].
    pub fn pack_message<'a>(
        raw: &[u8],
        files: impl Iterator<Item = ([u8; 32], &'a [u8])>,
    ) -> Result<Self> {
        let mut cuts: Vec<Cut> = Vec::new();
        let mut rest: Vec<u8> = Vec::new();
        let mut from = 0;
        for (sha256, content) in files.take(CUTS_MAX) {
            let Some((at, line)) = find(raw, from, content) else {
                continue;
            };
            rest.extend_from_slice(raw.get(from..at).unwrap_or_default());
            from = at.saturating_add(encoded_bytes(content.len(), line));
            cuts.push(Cut {
                sha256,
                at,
                size_bytes: content.len(),
                line,
            });
        }
        if cuts.is_empty() {
            return Self::pack(raw);
        }
        rest.extend_from_slice(raw.get(from..).unwrap_or_default());
        let mut stored = head_of(&cuts);
        stored.extend(compress(&rest)?);
        Ok(Self {
            size_bytes: raw.len(),
            stored,
        })
    }

    /// Size before compression.
    #[must_use]
    pub fn size_bytes(&self) -> i64 {
        i64::try_from(self.size_bytes).unwrap_or(i64::MAX)
    }

    /// Size before compression, for comparing in memory.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.size_bytes
    }

    /// What is stored.
    #[must_use]
    pub fn as_stored(&self) -> &[u8] {
        &self.stored
    }
}

/// Opens what [`Packed::pack`] made.
pub(super) fn unpack(size_bytes: i64, zstd: &[u8]) -> Result<Vec<u8>> {
    let size = usize::try_from(size_bytes).unwrap_or(0);
    zstd::bulk::decompress(zstd, size).map_err(damaged)
}

/// Opens a message, or as much of it as `stored` holds, up to its first `most` bytes. `content` gives a file by
/// its hash.
pub(super) fn unpack_message(
    most: usize,
    stored: &[u8],
    mut content: impl FnMut(&[u8; 32]) -> Result<Vec<u8>>,
) -> Result<Vec<u8>> {
    let (cuts, frame) = parts(stored)?;
    let mut rest = zstd::Decoder::new(frame).map_err(damaged)?;
    let mut bytes = Vec::new();
    for cut in cuts {
        if cut.at >= most {
            break;
        }
        read(&mut rest, cut.at.saturating_sub(bytes.len()), &mut bytes)?;
        if bytes.len() != cut.at {
            // The frame was cut off on purpose, or the list is not of this frame.
            return Ok(bytes);
        }
        let file = content(&cut.sha256)?;
        if file.len() != cut.size_bytes || cut.line == 0 {
            return Err(damaged(std::io::ErrorKind::InvalidData.into()));
        }
        encode(&file, cut.line, |line| {
            bytes.extend_from_slice(line);
            true
        });
    }
    read(&mut rest, most.saturating_sub(bytes.len()), &mut bytes)?;
    bytes.truncate(most);
    Ok(bytes)
}

/// The files cut out of a message as stored.
pub(super) fn cuts(stored: &[u8]) -> Result<Vec<Cut>> {
    parts(stored).map(|(cuts, _)| cuts)
}

fn parts(stored: &[u8]) -> Result<(Vec<Cut>, &[u8])> {
    let Some(list) = stored.strip_prefix(CUT) else {
        return Ok((Vec::new(), stored));
    };
    let bad = || damaged(std::io::ErrorKind::InvalidData.into());
    let (count, list) = list.split_first_chunk::<4>().ok_or_else(bad)?;
    let count = usize::try_from(u32::from_le_bytes(*count)).map_err(|_| bad())?;
    let length = count.checked_mul(ENTRY_BYTES).ok_or_else(bad)?;
    let (list, frame) = list.split_at_checked(length).ok_or_else(bad)?;
    let cuts: Option<Vec<Cut>> = list.chunks_exact(ENTRY_BYTES).map(entry).collect();
    Ok((cuts.ok_or_else(bad)?, frame))
}

fn head_of(cuts: &[Cut]) -> Vec<u8> {
    let number = |number: usize| u64::try_from(number).unwrap_or(u64::MAX).to_le_bytes();
    let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes();
    let mut head = CUT.to_vec();
    head.extend(small(cuts.len()));
    for cut in cuts {
        head.extend(cut.sha256);
        head.extend(number(cut.at));
        head.extend(number(cut.size_bytes));
        head.extend(small(cut.line));
    }
    head
}

fn entry(bytes: &[u8]) -> Option<Cut> {
    let (sha256, rest) = bytes.split_first_chunk::<32>()?;
    let (at, rest) = rest.split_first_chunk::<8>()?;
    let (size_bytes, rest) = rest.split_first_chunk::<8>()?;
    let line = rest.first_chunk::<4>()?;
    let number = |bytes: &[u8; 8]| usize::try_from(u64::from_le_bytes(*bytes)).ok();
    Some(Cut {
        sha256: *sha256,
        at: number(at)?,
        size_bytes: number(size_bytes)?,
        line: usize::try_from(u32::from_le_bytes(*line)).ok()?,
    })
}

/// Where the base64 of `content` stands in a message, from `from` on, and how long its lines are; only when it
/// comes out of `content` exactly as it stands there.
fn find(raw: &[u8], from: usize, content: &[u8]) -> Option<(usize, usize)> {
    if content.len() < CUT_BYTES_MIN {
        return None;
    }
    let begin = STANDARD.encode(content.get(..BEGIN_BYTES)?);
    let at = from.checked_add(memmem::find(raw.get(from..)?, begin.as_bytes())?)?;
    let there = raw.get(at..)?;
    let length = content.len().div_ceil(3).checked_mul(4)?;
    let line = memchr(b'\r', there).unwrap_or(there.len()).min(length);
    if line % 4 != 0 || u32::try_from(line).is_err() {
        return None;
    }
    let mut left = there;
    let same = encode(content, line, |line| match left.strip_prefix(line) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    });
    same.then_some((at, line))
}

/// Length of so many bytes in base64, in lines of so many characters.
fn encoded_bytes(size_bytes: usize, line: usize) -> usize {
    let length = size_bytes.div_ceil(3).saturating_mul(4);
    let breaks = length.saturating_sub(1).checked_div(line).unwrap_or(0);
    length.saturating_add(breaks.saturating_mul(2))
}

/// Gives the base64 of `content` piece by piece: lines of `line` characters (a multiple of four), with CRLF
/// between them and none at the end. Ends when `piece` says no; says whether all was taken.
fn encode(content: &[u8], line: usize, mut piece: impl FnMut(&[u8]) -> bool) -> bool {
    let mut text = vec![0; line];
    let mut is_first = true;
    for part in content.chunks((line / 4).saturating_mul(3).max(3)) {
        if !is_first && !piece(b"\r\n") {
            return false;
        }
        is_first = false;
        let Ok(written) = STANDARD.encode_slice(part, &mut text) else {
            return false;
        };
        if !text.get(..written).is_some_and(&mut piece) {
            return false;
        }
    }
    true
}

fn compress(bytes: &[u8]) -> Result<Vec<u8>> {
    zstd::bulk::compress(bytes, LEVEL).map_err(|source| Error::Io {
        what: "compress a message".to_owned(),
        source,
    })
}

/// Reads up to `count` more bytes; fewer when the frame was cut off.
fn read(frame: &mut impl std::io::Read, count: usize, into: &mut Vec<u8>) -> Result<()> {
    let limit = u64::try_from(count).unwrap_or(u64::MAX);
    match frame.take(limit).read_to_end(into) {
        Err(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => Err(damaged(error)),
        _ => Ok(()),
    }
}

fn damaged(source: std::io::Error) -> Error {
    Error::Io {
        what: "decompress stored bytes".to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that do not compress.
    fn noise(size: usize, seed: u64) -> Vec<u8> {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        (0..size)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state.to_le_bytes()[3]
            })
            .collect()
    }

    fn base64_lines(content: &[u8], line: usize) -> String {
        let text = STANDARD.encode(content);
        let lines: Vec<&str> = text
            .as_bytes()
            .chunks(line)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect();
        lines.join("\r\n")
    }

    /// Packs, opens again, compares; how many files were cut out.
    fn round(raw: &[u8], files: &[Vec<u8>]) -> usize {
        let hash = |file: &[u8]| crate::secret::sha256(file);
        let given = files.iter().map(|file| (hash(file), file.as_slice()));
        let packed = Packed::pack_message(raw, given).unwrap();
        let content = |wanted: &[u8; 32]| {
            let found = files.iter().find(|file| hash(file) == *wanted);
            Ok(found.unwrap().clone())
        };
        let opened = unpack_message(raw.len(), packed.as_stored(), content).unwrap();
        assert!(opened == raw, "not the same bytes");
        for most in [0, 1, 50, 200, raw.len() / 2, raw.len().saturating_sub(1)] {
            let head = unpack_message(most, packed.as_stored(), content).unwrap();
            let most = most.min(raw.len());
            assert!(head == raw[..most], "not the first {most} bytes");
        }
        assert_eq!(packed.size_bytes(), i64::try_from(raw.len()).unwrap());
        cuts(packed.as_stored()).unwrap().len()
    }

    #[test]
    fn a_message_comes_back_byte_by_byte_whatever_the_sizes_of_its_files_and_lines() {
        for line in [40, 60, 64, 72, 76, 996, 100_000] {
            for size in (1_024..1_100).chain([4_096, 9_999, 65_537]) {
                let files = [noise(size, 1), noise(size + 1, 2), noise(size, 1)];
                let [one, two, three] = files.each_ref().map(|file| base64_lines(file, line));
                let raw =
                    format!("A: b\r\n\r\n{one}\r\n--x\r\n\r\n{two}\r\n\r\n--x\r\n\r\n{three}");
                assert_eq!(
                    round(raw.as_bytes(), &files),
                    3,
                    "{size} in lines of {line}"
                );
            }
        }
    }

    #[test]
    fn what_cannot_be_made_again_exactly_stays_in_the_message() {
        let file = noise(5_000, 7);
        let good = base64_lines(&file, 76);
        let head = |text: &str, end: usize| text.get(..end).unwrap_or_default().to_owned();
        let odd = [
            good.replace("\r\n", "\n"),
            good.replacen("\r\n", " \r\n", 3),
            good.replacen("\r\n", "\r\n\r\n", 1),
            good.trim_end_matches('=').to_owned(),
            base64_lines(&file, 75),
            good.replacen(&head(&good, 39), &format!("{}\r\n", head(&good, 39)), 1),
            head(&good, good.len() / 2),
            String::new(),
        ];
        for body in odd {
            let raw = format!("Subject: x\r\n\r\n{body}\r\n");
            assert_eq!(round(raw.as_bytes(), std::slice::from_ref(&file)), 0);
        }
        assert_eq!(
            round(good.as_bytes(), &[noise(5_000, 8)]),
            0,
            "another file"
        );
        assert_eq!(round(b"", &[]), 0);
    }

    #[test]
    fn files_named_in_another_order_than_they_stand_are_cut_as_far_as_they_follow() {
        let files = [noise(3_000, 1), noise(3_000, 2)];
        let [one, two] = files.each_ref().map(|file| base64_lines(file, 76));
        let raw = format!("x\r\n{two}\r\n{one}\r\n");
        assert_eq!(round(raw.as_bytes(), &files), 1);
    }

    #[test]
    fn a_message_with_files_takes_little_more_than_its_text() {
        let file = noise(100_000, 3);
        let raw = format!("A: b\r\n\r\n{}\r\n", base64_lines(&file, 76));
        let given = [(crate::secret::sha256(&file), file.as_slice())];
        let packed = Packed::pack_message(raw.as_bytes(), given.into_iter()).unwrap();
        assert!(packed.as_stored().len() < 200);
    }

    #[test]
    fn a_damaged_list_is_an_error_and_not_another_message() {
        let file = noise(3_000, 3);
        let raw = format!("A: b\r\n\r\n{}\r\n", base64_lines(&file, 76));
        let given = [(crate::secret::sha256(&file), file.as_slice())];
        let packed = Packed::pack_message(raw.as_bytes(), given.into_iter()).unwrap();
        let content = |_: &[u8; 32]| Ok(file.clone());
        for end in 4..CUT.len() + 4 + ENTRY_BYTES {
            let cut_off = &packed.as_stored()[..end];
            assert!(
                unpack_message(raw.len(), cut_off, content).is_err(),
                "{end}"
            );
        }
        let shorter = |_: &[u8; 32]| Ok(file[1..].to_vec());
        assert!(unpack_message(raw.len(), packed.as_stored(), shorter).is_err());
    }
}
