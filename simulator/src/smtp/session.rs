//! In charge of one connection: greeting, EHLO, STARTTLS, and which command goes where.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use super::limits::{Limits, Place};
use crate::entra::Entra;
use crate::faults::{Action, Faults, Point};
use crate::world::wire::{Line, Wire};
use crate::world::{Stop, World, take_fault};

/// The name this server goes by.
pub(super) const HOST: &str = "AM7PR05CA0032.outlook.office365.com";

/// How long a client may be silent between commands.
pub(super) const COMMAND_DEADLINE: Duration = Duration::from_secs(300);

/// Longest command line in bytes; AUTH with an access token needs the most.
pub(super) const LINE_LIMIT: usize = 16 * 1024;

/// What a session may ask.
pub(super) struct Service {
    pub(super) world: Arc<World>,
    pub(super) entra: Arc<Entra>,
    pub(super) faults: Arc<Faults>,
    pub(super) limits: Arc<Limits>,
    pub(super) tls: Arc<rustls::ServerConfig>,
    pub(super) stop: Stop,
}

/// Who is signed in.
pub(super) struct Login {
    /// The owner's sign-in name of the mailbox that sends.
    pub(super) mailbox: String,
    /// Held while the connection counts against the mailbox.
    pub(super) _place: Place,
}

/// The envelope so far.
#[derive(Default)]
pub(super) struct Envelope {
    /// The sender; empty for `<>`.
    pub(super) from: String,
    pub(super) recipients: Vec<String>,
    /// What came by BDAT so far.
    pub(super) chunks: Vec<u8>,
}

/// One connection.
pub(super) struct Session {
    pub(super) service: Service,
    pub(super) wire: Wire,
    pub(super) secure: bool,
    pub(super) greeted: bool,
    pub(super) login: Option<Login>,
    /// Names under which faults may be aimed at this session.
    pub(super) names: Vec<String>,
    pub(super) envelope: Option<Envelope>,
}

/// What happens after a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Read the next command.
    Go,
    /// Close in good order.
    End,
    /// Drop the connection without a word.
    Drop,
}

/// How a command was met by a scripted fault.
pub(super) enum Struck {
    /// No fault: do the command.
    No,
    /// It has been answered.
    Answered(Next),
}

/// Serves a connection to its end.
pub(super) fn run(service: Service, wire: Wire) {
    let mut session = Session {
        service,
        wire,
        secure: false,
        greeted: false,
        login: None,
        names: Vec::new(),
        envelope: None,
    };
    match session.serve() {
        Ok(Next::Drop) => {}
        Ok(_) => {
            // The mailbox has its place back before the other side is waited for.
            session.login = None;
            session.wire.finish();
        }
        Err(error) => tracing::debug!(%error, "SMTP session ended"),
    }
}

impl Session {
    fn serve(&mut self) -> io::Result<Next> {
        match self.strike(Point::SmtpGreeting)? {
            Struck::Answered(Next::Go) => {}
            Struck::Answered(next) => return Ok(next),
            Struck::No => {
                let now = self.service.world.clock().now();
                let date = mail_parser::DateTime::from_timestamp(now).to_rfc822();
                self.say(&format!(
                    "220 {HOST} Microsoft ESMTP MAIL Service ready at {date}"
                ))?;
            }
        }
        loop {
            let line = match self.wire.line(LINE_LIMIT, COMMAND_DEADLINE) {
                Ok(Line::Whole(line)) => line,
                Ok(Line::TooLong(_)) => {
                    self.say("500 5.5.2 Line too long")?;
                    continue;
                }
                Err(error) if error.kind() == ErrorKind::TimedOut => {
                    self.say("421 4.4.2 Connection timed out")?;
                    return Ok(Next::End);
                }
                Err(error) => return Err(error),
            };
            let next = self.command(&String::from_utf8_lossy(&line))?;
            if next != Next::Go {
                return Ok(next);
            }
        }
    }

    /// Sends a reply as it stands.
    pub(super) fn say(&mut self, reply: &str) -> io::Result<Next> {
        let lines = reply.lines().collect::<Vec<_>>().join("\r\n");
        self.wire.write(format!("{lines}\r\n").as_bytes())?;
        Ok(Next::Go)
    }

    /// Lets a scripted fault act in place of a command.
    pub(super) fn strike(&mut self, point: Point) -> io::Result<Struck> {
        let action = take_fault(&self.service.faults, point, &self.names);
        match action {
            None | Some(Action::Http(..) | Action::Entra(..)) => Ok(Struck::No),
            Some(Action::Close) => Ok(Struck::Answered(Next::Drop)),
            Some(Action::Hang) => {
                self.wire.hang();
                Ok(Struck::Answered(Next::Drop))
            }
            Some(Action::Delay(time)) => {
                let stopped = self.service.stop.wait(time);
                Ok(if stopped {
                    Struck::Answered(Next::Drop)
                } else {
                    Struck::No
                })
            }
            Some(Action::Reply(text)) => {
                self.say(&text)?;
                let over = text.starts_with("421") || text.starts_with("554 5.3.2");
                Ok(Struck::Answered(if over { Next::End } else { Next::Go }))
            }
        }
    }

    fn command(&mut self, line: &str) -> io::Result<Next> {
        let line = line.trim_end();
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" | "HELO" => match self.strike(Point::SmtpHello)? {
                Struck::Answered(next) => Ok(next),
                Struck::No => self.hello(verb, rest.trim()),
            },
            "STARTTLS" => match self.strike(Point::SmtpStartTls)? {
                Struck::Answered(next) => Ok(next),
                Struck::No => self.start_tls(),
            },
            "AUTH" => self.auth(rest.trim()),
            "MAIL" => self.mail(rest),
            "RCPT" => self.rcpt(rest),
            "DATA" => self.data(),
            "BDAT" => self.bdat(rest),
            "RSET" => {
                self.envelope = None;
                self.say("250 2.0.0 Resetting")
            }
            "NOOP" => self.say("250 2.0.0 OK"),
            "VRFY" => self.say("252 2.1.5 Cannot VRFY user"),
            "QUIT" => match self.strike(Point::SmtpQuit)? {
                Struck::Answered(next) => Ok(next),
                Struck::No => {
                    self.say("221 2.0.0 Service closing transmission channel")?;
                    Ok(Next::End)
                }
            },
            _ => self.say("500 5.3.3 Unrecognized command"),
        }
    }

    fn hello(&mut self, verb: &str, name: &str) -> io::Result<Next> {
        if !is_host(name) {
            return self.say("501 5.5.4 Invalid domain name");
        }
        self.greeted = true;
        self.envelope = None;
        if verb.eq_ignore_ascii_case("HELO") {
            return self.say(&format!("250 {HOST} Hello [127.0.0.1]"));
        }
        let offer = if self.secure {
            "AUTH LOGIN XOAUTH2"
        } else {
            "STARTTLS"
        };
        self.say(&format!(
            "250-{HOST} Hello [127.0.0.1]\n250-SIZE 157286400\n250-PIPELINING\n250-DSN\n\
             250-ENHANCEDSTATUSCODES\n250-{offer}\n250-8BITMIME\n250-BINARYMIME\n250-CHUNKING\n\
             250 SMTPUTF8"
        ))
    }

    fn start_tls(&mut self) -> io::Result<Next> {
        if self.secure || !self.greeted {
            return self.say("503 5.5.2 Send hello first");
        }
        self.say("220 2.0.0 SMTP server ready")?;
        self.wire.start_tls(Arc::clone(&self.service.tls))?;
        // The session starts anew (RFC 3207 section 4.2).
        self.secure = true;
        self.greeted = false;
        self.envelope = None;
        Ok(Next::Go)
    }
}

/// Whether an EHLO argument looks like a host name or an address literal.
fn is_host(name: &str) -> bool {
    if let Some(literal) = name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        let literal = literal.strip_prefix("IPv6:").unwrap_or(literal);
        return literal.parse::<std::net::IpAddr>().is_ok();
    }
    !name.is_empty()
        && name.split('.').all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
}

#[cfg(test)]
mod tests {
    use super::is_host;

    #[test]
    fn odd_names_are_not_taken_for_hosts() {
        assert!(is_host("desk.example.org") && is_host("[127.0.0.1]") && is_host("[IPv6:::1]"));
        assert!(!is_host("") && !is_host("my_container") && !is_host("a b") && !is_host("[x]"));
    }
}
