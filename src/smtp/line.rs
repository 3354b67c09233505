//! SMTP's lines over a [`Stream`]: commands out, replies in, a message's text made fit for DATA.

use std::io::{self, Read, Write};
use std::time::Duration;

use crate::net::{Server, Stream, Trust};
use crate::problem::Problem;

/// Most a reply may hold, all its lines together.
const REPLY_BYTES_MAX: usize = 64 * 1024;
/// How long the answer to QUIT is waited for; it changes nothing any more.
const GOODBYE_DEADLINE: Duration = Duration::from_secs(2);
/// A message is written in pieces of this size, so that the write deadline bounds each.
const PIECE_BYTES: usize = 64 * 1024;

/// What the server said: a code and its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) code: u16,
    pub(super) lines: Vec<String>,
}

impl Reply {
    pub(super) const fn is_positive(&self) -> bool {
        self.code >= 200 && self.code < 300
    }

    /// The lines as one text, without the code.
    pub(super) fn text(&self) -> String {
        self.lines.join(" ")
    }

    /// The whole reply as one text.
    pub(super) fn words(&self) -> String {
        format!("{} {}", self.code, self.text())
    }
}

/// One side of the dialogue.
#[derive(Debug)]
pub(super) struct Dialogue {
    stream: Stream,
    /// Bytes that came behind the last reply.
    pending: Vec<u8>,
    command_deadline: Duration,
}

impl Dialogue {
    pub(super) fn new(stream: Stream, command_deadline: Duration) -> Self {
        Self {
            stream,
            pending: Vec::new(),
            command_deadline,
        }
    }

    pub(super) const fn stream(&self) -> &Stream {
        &self.stream
    }

    pub(super) const fn server(&self) -> &Server {
        self.stream.server()
    }

    /// Whether something lies unread that nobody asked for.
    pub(super) fn has_unasked(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Goes on under TLS. Nothing heard before counts afterwards (RFC 3207 §4.2).
    pub(super) fn encrypt(self, trust: &Trust) -> Result<Self, Problem> {
        Ok(Self {
            stream: self.stream.start_tls(trust)?,
            pending: Vec::new(),
            command_deadline: self.command_deadline,
        })
    }

    /// Sends a command (with its line end) and reads the reply.
    pub(super) fn ask(&mut self, command: &str) -> io::Result<Reply> {
        self.stream.write_all(command.as_bytes())?;
        self.stream.flush()?;
        self.reply(self.command_deadline)
    }

    /// Says goodbye; the answer is not waited for long.
    pub(super) fn say_last(&mut self, command: &str) -> io::Result<Reply> {
        self.stream.write_all(command.as_bytes())?;
        self.stream.flush()?;
        self.reply(GOODBYE_DEADLINE.min(self.command_deadline))
    }

    /// Writes bytes in pieces and makes sure they have left.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        for piece in bytes.chunks(PIECE_BYTES) {
            self.stream.write_all(piece)?;
        }
        self.stream.flush()
    }

    /// Reads one reply, all its lines, within `deadline`.
    pub(super) fn reply(&mut self, deadline: Duration) -> io::Result<Reply> {
        self.stream.set_read_deadline(Some(deadline))?;
        self.stream
            .set_budget(u64::try_from(REPLY_BYTES_MAX).unwrap_or(u64::MAX), deadline);
        let mut lines = Vec::new();
        loop {
            let line = self.line()?;
            let (code, last, text) = parse(&line).ok_or_else(|| {
                io::Error::new(
                    io::ErrorKind::InvalidData,
                    "what the server said is no SMTP reply",
                )
            })?;
            lines.push(text);
            if last {
                return Ok(Reply { code, lines });
            }
        }
    }

    fn line(&mut self) -> io::Result<String> {
        let mut chunk = vec![0_u8; 4096];
        loop {
            if let Some(at) = self.pending.iter().position(|&b| b == b'\n') {
                let rest = self.pending.split_off(at.saturating_add(1));
                let line = std::mem::replace(&mut self.pending, rest);
                return Ok(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
            let count = self.stream.read(&mut chunk)?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.pending
                .extend_from_slice(chunk.get(..count).unwrap_or_default());
        }
    }
}

/// Code, whether this is the last line, and text (RFC 5321 §4.2.1).
fn parse(line: &str) -> Option<(u16, bool, String)> {
    let (code, rest) = line.split_at_checked(3)?;
    if !code.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let code = code.parse().ok()?;
    let (last, text) = match rest.strip_prefix('-') {
        Some(text) => (false, text),
        None => (true, rest.strip_prefix(' ').unwrap_or(rest)),
    };
    (200..600)
        .contains(&code)
        .then(|| (code, last, text.to_owned()))
}

/// The text of a message as DATA wants it, without the final dot: every line ends with CRLF and a dot at the
/// beginning of a line is doubled (RFC 5321 §2.3.8, §4.5.2). Exchange Online refuses bare line feeds (5.6.11).
pub(super) fn data_of(raw: &[u8]) -> Vec<u8> {
    let mut data = Vec::with_capacity(raw.len().saturating_add(raw.len() / 32));
    let mut at_start = true;
    let mut after_cr = false;
    for &byte in raw {
        match byte {
            b'\n' if after_cr => {}
            b'\n' | b'\r' => data.extend_from_slice(b"\r\n"),
            b'.' if at_start => data.extend_from_slice(b".."),
            other => data.push(other),
        }
        at_start = byte == b'\n' || byte == b'\r';
        after_cr = byte == b'\r';
    }
    if !at_start {
        data.extend_from_slice(b"\r\n");
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_ends_with_crlf_and_leading_dots_are_doubled() {
        let cases: [(&[u8], &[u8]); 9] = [
            (b"a\r\nb\r\n", b"a\r\nb\r\n"),
            (b"a\nb", b"a\r\nb\r\n"),
            (b"a\rb\r", b"a\r\nb\r\n"),
            (b"a\n\nb", b"a\r\n\r\nb\r\n"),
            (b"a\r\r\nb", b"a\r\n\r\nb\r\n"),
            (b".\r\n", b"..\r\n"),
            (b"a\n.b\n..c", b"a\r\n..b\r\n...c\r\n"),
            (b"a.b", b"a.b\r\n"),
            (b"", b""),
        ];
        for (raw, data) in cases {
            assert_eq!(data_of(raw), data, "{raw:?}");
        }
    }

    #[test]
    fn nothing_in_a_message_can_end_it_early() {
        // Every short text over the alphabet that matters.
        let alphabet = *b"a.\r\n";
        for number in 0..4_usize.pow(7) {
            let raw: Vec<u8> = (0..7)
                .map(|i| alphabet[number / 4_usize.pow(i) % 4])
                .collect();
            let mut data = b"\r\n".to_vec();
            data.extend(data_of(&raw));
            assert!(!data.windows(5).any(|w| w == b"\r\n.\r\n"), "{raw:?}");
            let bare = data.windows(2).any(|w| (w[1] == b'\n') != (w[0] == b'\r'));
            assert!(!bare, "{raw:?} left a bare CR or LF");
        }
    }

    #[test]
    fn reply_lines_are_read_strictly() {
        assert_eq!(parse("250-SIZE 5"), Some((250, false, "SIZE 5".to_owned())));
        assert_eq!(parse("250"), Some((250, true, String::new())));
        for odd in ["", "25", "2x0 a", "099 a", "600 a", "ä50 x"] {
            assert_eq!(parse(odd), None, "{odd}");
        }
    }
}
