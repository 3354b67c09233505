//! In charge of reading one command, literals included.

use std::io;
use std::time::Duration;

use imap_codec::CommandCodec;
use imap_codec::decode::{CommandDecodeError, Decoder};
use imap_codec::imap_types::command::Command;
use imap_codec::imap_types::core::LiteralMode;

use crate::world::wire::{Line, Wire};

/// How long a client may be silent. Exchange's default for an authenticated session is 30 minutes.
pub(super) const IDLE_DEADLINE: Duration = Duration::from_secs(30 * 60);

/// Longer command lines are refused (default `MaxCommandSize`, `Set-ImapSettings`).
pub(super) const LINE_LIMIT: usize = 10_240;

/// How long a literal may take to arrive.
const LITERAL_DEADLINE: Duration = Duration::from_secs(120);

/// The largest literal accepted, in bytes.
const LITERAL_LIMIT: u32 = 150 * 1024 * 1024;

/// What came in.
pub(super) enum Incoming {
    /// A command.
    Command(Box<Command<'static>>),
    /// Something wrong; the text answers it, tag included.
    Bad(String),
}

/// Reads the next command.
pub(super) fn read(wire: &mut Wire) -> io::Result<Incoming> {
    let mut input = Vec::new();
    loop {
        match wire.line(LINE_LIMIT, IDLE_DEADLINE)? {
            Line::Whole(line) => input.extend_from_slice(&line),
            Line::TooLong(start) => {
                input.extend_from_slice(&start);
                return Ok(Incoming::Bad(format!(
                    "{} BAD Command Error. 10",
                    tag(&input)
                )));
            }
        }
        match CommandCodec::default().decode_static(&input) {
            Ok((_, command)) => return Ok(Incoming::Command(Box::new(command))),
            Err(CommandDecodeError::LiteralFound { length, mode, .. }) => {
                if length > LITERAL_LIMIT {
                    let text = "BAD Maximum size of appendable message has been exceeded.";
                    return Ok(Incoming::Bad(format!("{} {text}", tag(&input))));
                }
                if mode == LiteralMode::Sync {
                    wire.write(b"+ Ready for additional command text.\r\n")?;
                }
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                input.extend(wire.bytes(length, LITERAL_DEADLINE)?);
            }
            Err(CommandDecodeError::Incomplete | CommandDecodeError::Failed) => {
                return Ok(Incoming::Bad(format!(
                    "{} {}",
                    tag(&input),
                    complaint(&input)
                )));
            }
        }
    }
}

/// The tag of a line that may be nonsense, `*` when there is none.
fn tag(input: &[u8]) -> String {
    let word = input
        .split(|byte| byte.is_ascii_whitespace())
        .next()
        .unwrap_or_default();
    let fine = !word.is_empty() && word.len() < 64 && word.iter().all(u8::is_ascii_alphanumeric);
    if fine {
        String::from_utf8_lossy(word).into_owned()
    } else {
        "*".to_owned()
    }
}

/// Exchange numbers its complaints: 10 for the command, 11 for an argument, 12 for an option.
fn complaint(input: &[u8]) -> &'static str {
    let line = String::from_utf8_lossy(input).to_uppercase();
    let mut words = line.split_ascii_whitespace().skip(1);
    let first = words.next().unwrap_or_default();
    let verb = if first == "UID" {
        words.next().unwrap_or_default()
    } else {
        first
    };
    match verb {
        "LIST" | "LSUB" | "STATUS" => "BAD Command Argument Error. 12",
        "SELECT" | "EXAMINE" | "SEARCH" | "FETCH" | "STORE" | "COPY" | "MOVE" | "APPEND"
        | "CREATE" | "DELETE" | "RENAME" | "ENABLE" | "AUTHENTICATE" => {
            "BAD Command Argument Error. 11"
        }
        _ => "BAD Command Error. 10",
    }
}
