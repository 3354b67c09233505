//! In charge of IDLE (RFC 2177): telling at once what changes while the client waits.

use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use super::command::IDLE_DEADLINE;
use super::select::Tell;
use super::session::{Next, Session, Struck};
use crate::faults::Point;
use crate::world::wire::Line;

/// How often the world is looked at while nothing comes from the client.
const TICK: Duration = Duration::from_millis(30);

impl Session {
    /// IDLE until DONE.
    pub(super) fn idle(&mut self, tag: &str) -> io::Result<Next> {
        if let Struck::Answered(next) = self.strike(Point::ImapIdle, tag)? {
            return Ok(next);
        }
        self.line("+ IDLE accepted, awaiting DONE command.")?;
        let until = Instant::now() + IDLE_DEADLINE;
        // Behind by one, so that what came before IDLE is told at its start.
        let mut seen = self.service.world.generation().wrapping_sub(1);
        loop {
            let generation = self.service.world.generation();
            if generation != seen {
                seen = generation;
                let next = self.catch_up(Tell::All)?;
                if next != Next::Go {
                    return Ok(next);
                }
            }
            if let Some(bye) = self.ended() {
                self.line(&bye)?;
                return Ok(Next::End);
            }
            if let Struck::Answered(next) = self.strike(Point::ImapIdle, tag)?
                && next != Next::Go
            {
                return Ok(next);
            }
            if Instant::now() >= until {
                self.line("* BYE Connection is closed. 13")?;
                return Ok(Next::End);
            }
            match self.wire.line(64, TICK) {
                Ok(Line::Whole(line)) if line.trim_ascii().eq_ignore_ascii_case(b"DONE") => {
                    return self.ok(tag, "IDLE");
                }
                Ok(_) => return self.answer(tag, "BAD Command Error. 10"),
                Err(error) if error.kind() == ErrorKind::TimedOut => {}
                Err(error) => return Err(error),
            }
        }
    }
}
