//! In charge of one message: MAIL, RCPT, DATA and BDAT.

use std::io;
use std::time::Duration;

use super::session::{Envelope, Next, Session, Struck};
use crate::faults::Point;
use crate::people;
use crate::world::wire::Line;
use crate::world::{Submission, Via, headers};

/// The largest message announced, in bytes.
const SIZE_LIMIT: usize = 157_286_400;

/// The most recipients of one message (default `RecipientLimits`).
const RECIPIENT_LIMIT: usize = 500;

/// The longest header value accepted, in bytes.
const HEADER_LIMIT: usize = 32_768;

/// How long one line of a message may take.
const DATA_DEADLINE: Duration = Duration::from_secs(180);

/// Where a message was handled, as the last reply names it.
const HOSTNAME: &str = "AM7PR05MB6742.eurprd05.prod.outlook.com";

/// The refusal of a sender, at the end of the message.
const SEND_AS_DENIED: &str = "554 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException.\
     MapiExceptionSendAsDenied; Failed to process message due to a permanent exception";

impl Session {
    /// MAIL FROM.
    pub(super) fn mail(&mut self, rest: &str) -> io::Result<Next> {
        if let Struck::Answered(next) = self.strike(Point::SmtpMail)? {
            return Ok(next);
        }
        let Some(login) = &self.login else {
            return self.say(
                "530 5.7.57 Client was not authenticated to send anonymous mail during MAIL FROM",
            );
        };
        let mailbox = login.mailbox.clone();
        if self.envelope.is_some() {
            return self.say("503 5.5.2 Sender already specified");
        }
        let Some((from, parameters)) = path(rest, "FROM:") else {
            return self.say("501 5.1.7 Invalid address");
        };
        if let Some(complaint) = complaint(&parameters) {
            return self.say(complaint);
        }
        let world = &self.service.world;
        let (now, quirks) = (world.clock().now(), world.quirks());
        if self.service.limits.is_blocked(&mailbox, now) {
            return self.say(
                "550 5.2.252 Submission is blocked for this mailbox after repeated attempts to \
                 send as a sender it may not use",
            );
        }
        let denied = !from.is_empty() && !world.may_send_as(&mailbox, &from);
        if denied && !quirks.send_as_denied_late {
            let block_after = quirks.block_after_send_as_errors;
            self.service
                .limits
                .send_as_error(&mailbox, block_after, now);
            return self
                .say("550 5.7.60 SMTP; Client does not have permissions to send as this sender");
        }
        self.envelope = Some(Envelope {
            from,
            ..Envelope::default()
        });
        self.say("250 2.1.0 Sender OK")
    }

    /// RCPT TO.
    pub(super) fn rcpt(&mut self, rest: &str) -> io::Result<Next> {
        if let Struck::Answered(next) = self.strike(Point::SmtpRcpt)? {
            return Ok(next);
        }
        let world = &self.service.world;
        let Some(envelope) = &mut self.envelope else {
            return self.say("503 5.5.2 Need mail command");
        };
        let Some((to, _)) = path(rest, "TO:").filter(|(to, _)| to.contains('@')) else {
            return self.say("501 5.1.3 Invalid address");
        };
        if envelope.recipients.len() >= RECIPIENT_LIMIT {
            return self.say("452 4.5.3 Too many recipients");
        }
        let refused = if world.user(&to).is_some() {
            None
        } else if world.is_local_domain(&to) {
            Some(people::NOT_FOUND)
        } else {
            people::verdict(world, &to)
        };
        if let Some(reply) = refused {
            return self.say(reply);
        }
        envelope.recipients.push(to);
        self.say("250 2.1.5 Recipient OK")
    }

    /// DATA.
    pub(super) fn data(&mut self) -> io::Result<Next> {
        if let Struck::Answered(next) = self.strike(Point::SmtpData)? {
            return Ok(next);
        }
        if self
            .envelope
            .as_ref()
            .is_none_or(|envelope| envelope.recipients.is_empty())
        {
            return self.say("503 5.5.2 Need rcpt command");
        }
        self.say("354 Start mail input; end with <CRLF>.<CRLF>")?;
        let (mut raw, mut size, mut starts_line, mut bare) = (Vec::new(), 0_usize, true, false);
        loop {
            // Lines longer than the limit come in pieces that belong together; `TooLong` would lose
            // the rest, so the limit here is the whole message's.
            let line = match self.wire.line(SIZE_LIMIT, DATA_DEADLINE)? {
                Line::Whole(line) => line,
                Line::TooLong(_) => {
                    size = SIZE_LIMIT.saturating_add(1);
                    continue;
                }
            };
            if starts_line && line == b".\r\n" {
                break;
            }
            size = size.saturating_add(line.len());
            let content = match line.split_first() {
                Some((b'.', rest)) if starts_line => rest,
                _ => line.as_slice(),
            };
            starts_line = line.ends_with(b"\r\n");
            bare |= !starts_line;
            if size <= SIZE_LIMIT {
                raw.extend_from_slice(content);
            }
        }
        let envelope = self.envelope.take().unwrap_or_default();
        if size > SIZE_LIMIT {
            return self.say("552 5.3.4 Message size exceeds fixed maximum message size");
        }
        if bare {
            return self.say("550 5.6.11 Invalid characters: the message contains bare line feeds");
        }
        self.accept(envelope, raw)
    }

    /// BDAT (RFC 3030).
    pub(super) fn bdat(&mut self, rest: &str) -> io::Result<Next> {
        let mut words = rest.split_ascii_whitespace();
        let count = words.next().and_then(|word| word.parse::<usize>().ok());
        let last = words
            .next()
            .is_some_and(|word| word.eq_ignore_ascii_case("LAST"));
        let Some(count) = count.filter(|count| *count <= SIZE_LIMIT) else {
            return self.say("501 5.5.4 Invalid arguments");
        };
        let chunk = self.wire.bytes(count, DATA_DEADLINE)?;
        if let Struck::Answered(next) = self.strike(Point::SmtpData)? {
            return Ok(next);
        }
        let Some(envelope) = self
            .envelope
            .as_mut()
            .filter(|one| !one.recipients.is_empty())
        else {
            return self.say("503 5.5.2 Need rcpt command");
        };
        envelope.chunks.extend(chunk);
        if envelope.chunks.len() > SIZE_LIMIT {
            self.envelope = None;
            return self.say("552 5.3.4 Message size exceeds fixed maximum message size");
        }
        if !last {
            return self.say(&format!("250 2.6.0 CHUNK received OK, {count} octets"));
        }
        let mut envelope = self.envelope.take().unwrap_or_default();
        let raw = std::mem::take(&mut envelope.chunks);
        self.accept(envelope, raw)
    }

    /// Judges a whole message and sends it.
    fn accept(&mut self, envelope: Envelope, raw: Vec<u8>) -> io::Result<Next> {
        let Some(login) = &self.login else {
            return self.say("503 5.5.2 Need mail command");
        };
        let mailbox = login.mailbox.clone();
        let world = &self.service.world;
        let (now, quirks) = (world.clock().now(), world.quirks());
        let senders = headers::addresses(&raw, "From");
        if senders.is_empty() {
            return self.say(
                "550 5.7.512 Access denied, message must be RFC 5322 section 3.6.2 compliant: \
                 include a valid From address",
            );
        }
        if headers::fields(&raw)
            .iter()
            .any(|field| field.len() > HEADER_LIMIT)
        {
            return self.say("552 5.3.4 Header size exceeds fixed maximum size");
        }
        let mut used = senders
            .iter()
            .chain(Some(&envelope.from).filter(|from| !from.is_empty()));
        if used.any(|sender| !world.may_send_as(&mailbox, sender)) {
            let block_after = quirks.block_after_send_as_errors;
            self.service
                .limits
                .send_as_error(&mailbox, block_after, now);
            return self.say(SEND_AS_DENIED);
        }
        if !self
            .service
            .limits
            .message(&mailbox, quirks.messages_per_minute, now)
        {
            return self.say("432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded");
        }
        let submitted = world.submit(Submission {
            save_to_sent: world.user(&mailbox).is_some_and(|user| user.smtp_sent_copy),
            mailbox,
            mail_from: envelope.from,
            recipients: envelope.recipients,
            raw,
            via: Via::Smtp,
            at: now,
            effective_message_id: String::new(),
        });
        let Ok(submitted) = submitted else {
            return self.say("451 4.7.0 Temporary server error. Please try again later. PRX2");
        };
        if let Struck::Answered(next) = self.strike(Point::SmtpAccepted)? {
            return Ok(next);
        }
        let id = submitted.effective_message_id;
        self.say(&format!("250 2.0.0 OK {id} [Hostname={HOSTNAME}]"))
    }
}

/// The address and parameters of `FROM:<a@b> SIZE=1` or `TO:<a@b>`.
fn path(rest: &str, word: &str) -> Option<(String, Vec<String>)> {
    let rest = rest.trim();
    let start = rest
        .get(..word.len())
        .filter(|start| start.eq_ignore_ascii_case(word))?;
    let inside = rest.strip_prefix(start)?.trim_start().strip_prefix('<')?;
    let (address, parameters) = inside.split_once('>')?;
    let sound = address.is_empty() || (address.contains('@') && !address.contains([' ', '\t']));
    let parameters = parameters
        .split_ascii_whitespace()
        .map(str::to_owned)
        .collect();
    sound.then(|| (address.to_owned(), parameters))
}

/// What is wrong with the parameters of MAIL FROM.
fn complaint(parameters: &[String]) -> Option<&'static str> {
    parameters.iter().find_map(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match name.to_ascii_uppercase().as_str() {
            "SIZE" => match value.parse::<usize>() {
                Ok(size) if size <= SIZE_LIMIT => None,
                Ok(_) => Some("552 5.3.4 Message size exceeds fixed maximum message size"),
                Err(_) => Some("501 5.5.4 Invalid arguments"),
            },
            "BODY" => {
                let known = ["7BIT", "8BITMIME", "BINARYMIME"];
                let fine = known.iter().any(|word| word.eq_ignore_ascii_case(value));
                (!fine).then_some("501 5.5.4 Invalid arguments")
            }
            "SMTPUTF8" | "RET" | "ENVID" | "AUTH" => None,
            _ => Some("501 5.5.4 Unrecognized parameter"),
        }
    })
}
