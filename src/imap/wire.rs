//! The stream as the `imap` crate sees it: a line it cannot read never reaches it.
//!
//! The crate takes any line its parser does not know for the end of the connection and forgets what the line
//! said. Exchange Online sends such lines: a bare `Server Unavailable.`, an `ESEARCH` answer nobody asked for.
//! So answers pass through here line by line; what cannot be read is set aside for [`super::session`] to
//! look at, and the server's last words are kept, for the crate's errors lose them.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use imap::extensions::idle::SetReadTimeout;
use imap_proto::{MailboxDatum, Response};

use crate::net::Stream;

/// Lines kept aside between two commands, and the longest of them.
const ASIDE_LINES_MAX: usize = 64;
const ASIDE_BYTES_MAX: usize = 1024 * 1024;
/// Most read at once: messages by whole TLS records, everything else by little, for a session in IDLE holds on to
/// the room.
const CHUNK_BYTES: usize = 16 * 1024;
const QUIET_CHUNK_BYTES: usize = 4 * 1024;
/// What stands before a whole message in the answer to FETCH.
const BODY: &[u8] = b"BODY[] ";
/// Most that is set apart for a message because its server says it is so long; the rest when it comes.
const BODY_BYTES_AT_FIRST: usize = 1024 * 1024;

/// What was heard besides what the crate is given; shared with the session.
#[derive(Debug, Clone, Default)]
pub(super) struct Heard(Arc<Mutex<Notes>>);

/// See [`Heard`].
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// Lines that are no IMAP answer we know.
    pub(super) aside: Vec<String>,
    /// The tagged answer to the last command, without its tag.
    pub(super) tagged: Option<String>,
    /// The server's BYE, without the star. It often follows right behind the refusal that is the reason.
    pub(super) bye: Option<String>,
    /// How many messages the open folder has.
    pub(super) exists: u32,
    /// Whether `exists` has grown since this was last looked at. Kept here because the crate drops what comes
    /// between its DONE and the end of IDLE.
    pub(super) grown: bool,
    /// While set, untagged answers wait until the continuation (`+`) or the tagged answer has come: the crate
    /// expects it as the very next line after IDLE and APPEND, which RFC 3501 §7 does not promise.
    pub(super) continuation_first: bool,
    /// While set, the bodies of messages are kept in `bodies`, and the crate is given the number of each in
    /// its stead: it would look at every line of them from the answer's beginning, and copy them twice.
    pub(super) keep_bodies: bool,
    /// The bodies kept since the last command.
    pub(super) bodies: Vec<Vec<u8>>,
}

impl Heard {
    pub(super) fn notes(&self) -> MutexGuard<'_, Notes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where in the server's answer we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A new answer begins.
    Start,
    /// So many bytes of a literal are still to come.
    Literal(u64),
    /// So many bytes of a message's body, which is kept.
    Body(u64),
    /// After a literal, in the rest of the same answer.
    Middle,
}

/// The filter around a [`Stream`].
#[derive(Debug)]
pub(super) struct Wire {
    stream: Stream,
    heard: Heard,
    place: Place,
    line: Vec<u8>,
    /// The body that is coming in.
    body: Vec<u8>,
    ready: VecDeque<u8>,
    /// Untagged answers waiting for the continuation, in order.
    waiting: Vec<u8>,
    /// The answer now being read goes to `waiting`.
    to_waiting: bool,
    /// The greeting has come.
    greeted: bool,
}

impl Wire {
    pub(super) fn new(stream: Stream, heard: Heard) -> Self {
        Self {
            stream,
            heard,
            place: Place::Start,
            line: Vec::new(),
            body: Vec::new(),
            ready: VecDeque::new(),
            waiting: Vec::new(),
            to_waiting: false,
            greeted: false,
        }
    }

    fn take(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let rest = match self.place {
                Place::Literal(left) => {
                    let (now, rest, left) = split(bytes, left);
                    self.pass(now);
                    self.place = after_head(left);
                    rest
                }
                Place::Body(left) => {
                    let (now, rest, left) = split(bytes, left);
                    self.body.extend_from_slice(now);
                    self.place = Place::Body(left);
                    if left == 0 {
                        self.finish_body();
                    }
                    rest
                }
                Place::Start | Place::Middle => {
                    let end = bytes
                        .iter()
                        .position(|&b| b == b'\n')
                        .map_or(bytes.len(), |at| at.saturating_add(1));
                    let (now, rest) = bytes.split_at(end);
                    self.line.extend_from_slice(now);
                    if now.ends_with(b"\n") {
                        self.finish_line();
                    }
                    rest
                }
            };
            bytes = rest;
        }
    }

    fn finish_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        if self.place == Place::Middle {
            match literal_of(&line) {
                Some(bytes) => self.begin_literal(&line, bytes),
                None => {
                    self.place = Place::Start;
                    self.pass(&line);
                }
            }
            return;
        }
        if line.starts_with(b"+") {
            self.continuation(&line);
        } else if let Some(words) = untagged(&line) {
            self.untagged(&line, words);
        } else {
            self.tagged_or_odd(line);
        }
    }

    /// `line` announces a literal of so many bytes.
    fn begin_literal(&mut self, line: &[u8], bytes: u64) {
        match body_head(line).filter(|_| self.heard.notes().keep_bodies) {
            Some(head) => {
                self.pass(head);
                let expected = usize::try_from(bytes).unwrap_or(usize::MAX);
                self.body = Vec::with_capacity(expected.min(BODY_BYTES_AT_FIRST));
                self.place = Place::Body(bytes);
                if bytes == 0 {
                    self.finish_body();
                }
            }
            None => {
                self.place = after_head(bytes);
                self.pass(line);
            }
        }
    }

    fn finish_body(&mut self) {
        let body = std::mem::take(&mut self.body);
        let number = {
            let mut notes = self.heard.notes();
            notes.bodies.push(body);
            notes.bodies.len().saturating_sub(1).to_string()
        };
        self.pass(format!("{{{}}}\r\n{number}", number.len()).as_bytes());
        self.place = Place::Middle;
    }

    fn continuation(&mut self, line: &[u8]) {
        self.to_waiting = false;
        self.pass(line);
        self.release();
    }

    fn untagged(&mut self, line: &[u8], words: &[u8]) {
        let bye = words
            .get(..3)
            .is_some_and(|head| head.eq_ignore_ascii_case(b"BYE"));
        if bye {
            self.heard.notes().bye = Some(text(words));
        }
        self.to_waiting = self.heard.notes().continuation_first;
        match imap_proto::parser::parse_response(line) {
            Ok((_, answer)) => {
                self.count(&answer);
                self.pass(line);
            }
            Err(error) => match literal_of(line).filter(|_| error.is_incomplete()) {
                Some(bytes) => self.begin_literal(line, bytes),
                None if bye => self.pass(b"* BYE closing\r\n"),
                None => self.set_aside(line),
            },
        }
    }

    fn count(&self, answer: &Response<'_>) {
        let mut notes = self.heard.notes();
        match answer {
            Response::MailboxData(MailboxDatum::Exists(now)) => {
                notes.grown |= *now > notes.exists;
                notes.exists = *now;
            }
            Response::Expunge(_) => notes.exists = notes.exists.saturating_sub(1),
            _ => {}
        }
    }

    fn tagged_or_odd(&mut self, line: Vec<u8>) {
        let Some(words) = tagged(&line) else {
            self.set_aside(&line);
            return;
        };
        self.heard.notes().tagged = Some(text(words));
        self.to_waiting = false;
        // The parser knows only ASCII here; a localised text must not look like a broken connection.
        let readable = if imap_proto::parser::parse_response(&line).is_ok() {
            line
        } else {
            line.into_iter()
                .map(|b| if b.is_ascii() && b != 0 { b } else { b'?' })
                .collect()
        };
        if self.heard.notes().continuation_first && says_ok(&readable) {
            // OK to IDLE or APPEND without asking for the rest first: the crate panics at it.
            self.pass(&refused(&readable));
        } else {
            self.pass(&readable);
        }
        self.release();
    }

    fn set_aside(&self, line: &[u8]) {
        let mut notes = self.heard.notes();
        if notes.aside.len() < ASIDE_LINES_MAX && line.len() < ASIDE_BYTES_MAX {
            notes.aside.push(text(line));
        }
    }

    fn pass(&mut self, bytes: &[u8]) {
        if self.to_waiting {
            self.waiting.extend_from_slice(bytes);
        } else {
            self.ready.extend(bytes);
        }
    }

    fn release(&mut self) {
        self.heard.notes().continuation_first = false;
        self.ready.extend(self.waiting.drain(..));
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = if self.heard.notes().keep_bodies {
            CHUNK_BYTES
        } else {
            QUIET_CHUNK_BYTES
        };
        let mut chunk = vec![0_u8; size];
        while self.ready.is_empty() {
            let count = self.stream.read(&mut chunk)?;
            if count == 0 {
                return Ok(0);
            }
            self.take(chunk.get(..count).unwrap_or_default());
            if !self.greeted && self.ready.is_empty() && !self.heard.notes().aside.is_empty() {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "the greeting is not one of an IMAP server",
                ));
            }
        }
        self.greeted = true;
        self.ready.read(buffer)
    }
}

impl Write for Wire {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.stream.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

impl SetReadTimeout for Wire {
    /// The crate sets `None` after IDLE, which would mean to wait for ever: here it means our own deadline.
    fn set_read_timeout(&mut self, timeout: Option<Duration>) -> imap::Result<()> {
        self.stream
            .set_read_deadline(timeout)
            .map_err(imap::Error::Io)
    }
}

/// What of `bytes` belongs to something of which `left` bytes are still to come, what does not, and how many
/// are to come then.
fn split(bytes: &[u8], left: u64) -> (&[u8], &[u8], u64) {
    let want = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
    let (now, rest) = bytes.split_at(want);
    let left = left.saturating_sub(u64::try_from(want).unwrap_or(u64::MAX));
    (now, rest, left)
}

/// What stands before the size of a literal, when that is the whole of a message.
fn body_head(line: &[u8]) -> Option<&[u8]> {
    let open = line.iter().rposition(|&b| b == b'{')?;
    let head = line.get(..open)?;
    let end = head.get(head.len().checked_sub(BODY.len())?..)?;
    end.eq_ignore_ascii_case(BODY).then_some(head)
}

fn after_head(literal_bytes: u64) -> Place {
    if literal_bytes == 0 {
        Place::Middle
    } else {
        Place::Literal(literal_bytes)
    }
}

/// The size of the literal this line announces at its end: `{123}` (RFC 3501 §4.3).
fn literal_of(line: &[u8]) -> Option<u64> {
    let line = line.strip_suffix(b"\n")?;
    let line = line
        .strip_suffix(b"\r")
        .unwrap_or(line)
        .strip_suffix(b"}")?;
    let open = line.iter().rposition(|&b| b == b'{')?;
    let digits = std::str::from_utf8(line.get(open.saturating_add(1)..)?).ok()?;
    digits.parse().ok()
}

fn untagged(line: &[u8]) -> Option<&[u8]> {
    line.strip_prefix(b"* ")
}

/// What follows the tag, when the line begins with one of the crate's tags (`a` and a number).
fn tagged(line: &[u8]) -> Option<&[u8]> {
    let rest = line.strip_prefix(b"a")?;
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    rest.get(digits..)
        .filter(|_| digits > 0)?
        .strip_prefix(b" ")
}

fn says_ok(line: &[u8]) -> bool {
    tagged(line)
        .and_then(|words| words.get(..2))
        .is_some_and(|status| status.eq_ignore_ascii_case(b"OK"))
}

/// The same tag with NO for an answer.
fn refused(line: &[u8]) -> Vec<u8> {
    let tag = line.iter().take_while(|&&b| b != b' ').copied();
    tag.chain(*b" NO unexpected OK\r\n").collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}
