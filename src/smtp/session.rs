//! One authenticated submission connection, and the messages handed over on it.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lettre::Address;
use lettre::transport::smtp::commands::{Data, Ehlo, Mail, Quit, Rcpt, Rset, Starttls};
use lettre::transport::smtp::extension::{ClientId, MailBodyParameter, MailParameter};

use super::explain::{self, About};
use super::line::{Dialogue, Reply, data_of};
use super::{Access, Envelope, Outcome, Refusal, Security, SignIn, Stage, Suggestion, Timeouts};
use crate::net::xoauth2::{Login, challenge_words};
use crate::net::{self, Closer, Deadlines, Server, Trust};
use crate::problem::Problem;

/// What the server said it can do (EHLO).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Features {
    starttls: bool,
    xoauth2: bool,
    plain: bool,
    login: bool,
    eight_bit: bool,
    utf8: bool,
    /// SIZE (RFC 1870): offered, and the limit when there is one.
    size: Option<Option<u64>>,
}

/// One authenticated connection. Access tokens expire, so it is made for the messages at hand and not kept.
#[derive(Debug)]
pub struct Session {
    talk: Dialogue,
    features: Features,
    user: String,
    timeouts: Timeouts,
    usable: bool,
}

/// Hands over one message on a connection of its own.
#[must_use]
pub fn send(
    server: &Server,
    trust: &Trust,
    login: &Login,
    hello_name: &str,
    envelope: &Envelope,
    raw: &[u8],
    timeouts: Timeouts,
) -> Outcome {
    match Session::open(server, trust, login, hello_name, timeouts) {
        Ok(mut session) => {
            let outcome = session.send(envelope, raw);
            session.quit();
            outcome
        }
        Err(refusal) => Outcome::Refused(refusal),
    }
}

/// Connects, encrypts, signs in and leaves again: whether sending would be possible.
///
/// # Errors
/// The refusal, as sending would meet it.
pub fn verify(
    server: &Server,
    trust: &Trust,
    login: &Login,
    hello_name: &str,
    timeouts: Timeouts,
) -> Result<(), Refusal> {
    Session::open(server, trust, login, hello_name, timeouts).map(Session::quit)
}

impl Session {
    /// Connects, demands TLS by STARTTLS with a trusted certificate, and signs in by XOAUTH2.
    ///
    /// # Errors
    /// When any of it fails; nothing has been sent then.
    pub fn open(
        server: &Server,
        trust: &Trust,
        login: &Login,
        hello_name: &str,
        timeouts: Timeouts,
    ) -> Result<Self, Refusal> {
        let access = Access {
            security: Security::StartTls,
            sign_in: SignIn::Token(login),
        };
        Self::open_as(server, trust, &access, hello_name, timeouts)
    }

    /// As [`Session::open`], encrypted and signed in as `access` says.
    ///
    /// # Errors
    /// When any of it fails; nothing has been sent then.
    pub fn open_as(
        server: &Server,
        trust: &Trust,
        access: &Access<'_>,
        hello_name: &str,
        timeouts: Timeouts,
    ) -> Result<Self, Refusal> {
        let deadlines = Deadlines {
            connect: timeouts.connect,
            read: timeouts.command,
            write: timeouts.command,
        };
        let stream = match access.security {
            Security::Tls => net::connect_tls(server, trust, deadlines),
            Security::StartTls | Security::None => net::connect(server, deadlines),
        };
        let stream = stream.map_err(|p| plain(Stage::Connect, p))?;
        let hello = hello_id(hello_name, &stream);
        let mut session = Self {
            talk: Dialogue::new(stream, timeouts.command),
            features: Features::default(),
            user: access.sign_in.user().to_owned(),
            timeouts,
            usable: true,
        };
        let greeting = session.talk.reply(timeouts.command);
        session.expect(greeting, 220, Stage::Connect, "")?;
        session.hello(&hello)?;
        if access.security == Security::StartTls {
            session = session.encrypt(trust)?;
            session.hello(&hello)?;
        }
        match access.sign_in {
            SignIn::Token(login) => session.sign_in(login)?,
            SignIn::Password { .. } if access.security == Security::None => {
                let problem = explain::password_in_clear(session.talk.server());
                return Err(plain(Stage::SignIn, problem));
            }
            SignIn::Password { user, password } => session.sign_in_by(user, password)?,
            SignIn::Nobody => {}
        }
        Ok(session)
    }

    /// The handle that ends this connection from another thread. A message whose upload is cut is not sent; one
    /// whose answer is cut is [`Outcome::Unknown`].
    #[must_use]
    pub fn closer(&self) -> Closer {
        self.talk.stream().closer()
    }

    /// Whether another message may be handed over on this connection.
    #[must_use]
    pub const fn is_usable(&self) -> bool {
        self.usable
    }

    /// Largest message the server said it takes (RFC 1870); `None` when it did not say.
    #[must_use]
    pub fn max_bytes(&self) -> Option<u64> {
        self.features.size.flatten()
    }

    /// Hands over one message. `raw` is sent as it is, but for line ends.
    pub fn send(&mut self, envelope: &Envelope, raw: &[u8]) -> Outcome {
        if !self.usable {
            let problem = net::closed(self.talk.server());
            return Outcome::Refused(plain(Stage::Connect, problem));
        }
        match self.transact(envelope, raw) {
            Ok(outcome) => outcome,
            Err(refusal) => {
                self.reset();
                Outcome::Refused(refusal)
            }
        }
    }

    /// Says goodbye. What the server answers no longer matters.
    pub fn quit(mut self) {
        if self.usable {
            let _ = self.talk.say_last(&Quit.to_string());
        }
    }

    fn hello(&mut self, hello: &ClientId) -> Result<(), Refusal> {
        let reply = self.talk.ask(&Ehlo::new(hello.clone()).to_string());
        let reply = self.expect(reply, 250, Stage::Connect, "")?;
        self.features = features(&reply);
        Ok(())
    }

    fn encrypt(mut self, trust: &Trust) -> Result<Self, Refusal> {
        let server = self.talk.server().clone();
        if !self.features.starttls {
            return Err(plain(Stage::Encrypt, explain::no_starttls(&server)));
        }
        let reply = self.talk.ask(&Starttls.to_string());
        self.expect(reply, 220, Stage::Encrypt, "")?;
        if self.talk.has_unasked() {
            return Err(plain(Stage::Encrypt, explain::tampered(&server)));
        }
        let talk = self
            .talk
            .encrypt(trust)
            .map_err(|p| plain(Stage::Encrypt, p))?;
        Ok(Self { talk, ..self })
    }

    /// AUTH XOAUTH2 in two steps, so that a long token stands on a line of its own (RFC 4954 §4).
    fn sign_in(&mut self, login: &Login) -> Result<(), Refusal> {
        if !self.features.xoauth2 {
            return Err(Refusal {
                stage: Stage::SignIn,
                problem: explain::no_xoauth2(self.talk.server()),
                suggests: Some(Suggestion::UseGraph),
            });
        }
        let reply = self.talk.ask("AUTH XOAUTH2\r\n");
        self.expect(reply, 334, Stage::SignIn, "")?;
        let mut reply = self.talk.ask(&format!("{}\r\n", login.payload_base64()));
        let mut reason = None;
        if let Ok(challenge) = &reply
            && challenge.code == 334
        {
            // The reason of a refusal, as JSON. An empty line makes the server go on to its 535.
            reason = Some(challenge_words(&challenge.text()));
            reply = self.talk.ask("\r\n");
        }
        self.expect(reply, 235, Stage::SignIn, "")
            .map(|_| ())
            .map_err(|mut refusal| {
                if let Some(reason) = reason {
                    let detail = format!("{} {reason}", refusal.problem.detail);
                    refusal.problem = refusal.problem.with_detail(detail);
                }
                refusal
            })
    }

    /// AUTH PLAIN (RFC 4616), or LOGIN where the server knows only that.
    fn sign_in_by(&mut self, user: &str, password: &str) -> Result<(), Refusal> {
        let line = |text: &str| format!("{}\r\n", STANDARD.encode(text));
        let reply = if self.features.plain {
            let proof = line(&format!("\0{user}\0{password}"));
            self.talk.ask(&format!("AUTH PLAIN {proof}"))
        } else if self.features.login {
            let mut reply = self.talk.ask("AUTH LOGIN\r\n");
            for word in [user, password] {
                self.expect(reply, 334, Stage::SignIn, "")?;
                reply = self.talk.ask(&line(word));
            }
            reply
        } else {
            let problem = explain::no_password_sign_in(self.talk.server());
            return Err(plain(Stage::SignIn, problem));
        };
        self.expect(reply, 235, Stage::SignIn, "").map(|_| ())
    }

    fn transact(&mut self, envelope: &Envelope, raw: &[u8]) -> Result<Outcome, Refusal> {
        let data = data_of(raw);
        let mail = self.mail_command(envelope, &data)?;
        let reply = self.talk.ask(&mail);
        let from = envelope.mail_from.as_str();
        self.expect(reply, 250, Stage::Sender, from)?;
        let refused_recipients = self.name_recipients(envelope)?;
        let reply = self.talk.ask(&Data.to_string());
        self.expect(reply, 354, Stage::Content, from)?;
        self.upload(&data, from)?;
        Ok(self.finish(from, refused_recipients))
    }

    /// MAIL FROM with what this message needs, or the reason why this server cannot take it.
    fn mail_command(&self, envelope: &Envelope, data: &[u8]) -> Result<String, Refusal> {
        let refuse = |problem| plain(Stage::Sender, problem);
        let server = self.talk.server();
        let sender = match envelope.mail_from.as_str() {
            "" => None,
            text => Some(
                text.parse::<Address>()
                    .map_err(|_| refuse(explain::bad_address(text)))?,
            ),
        };
        let bytes = data.len();
        if let Some(Some(max_bytes)) = self.features.size
            && u64::try_from(bytes).unwrap_or(u64::MAX) > max_bytes
        {
            return Err(refuse(explain::too_big(bytes, max_bytes)));
        }
        let mut parameters = Vec::new();
        if self.features.size.is_some() {
            parameters.push(MailParameter::Size(bytes));
        }
        let all_ascii =
            envelope.mail_from.is_ascii() && envelope.recipients.iter().all(|r| r.is_ascii());
        if !all_ascii {
            if !self.features.utf8 {
                return Err(refuse(explain::no_smtputf8(server)));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        if !data.is_ascii() {
            if !self.features.eight_bit {
                return Err(refuse(explain::no_eight_bit(server)));
            }
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        Ok(Mail::new(sender, parameters).to_string())
    }

    /// Names each recipient; those refused come back, and it is a refusal when none is left.
    fn name_recipients(&mut self, envelope: &Envelope) -> Result<Vec<(String, Problem)>, Refusal> {
        let mut refused: Vec<(String, Refusal)> = Vec::new();
        for recipient in &envelope.recipients {
            let Ok(address) = recipient.parse::<Address>() else {
                let problem = explain::bad_address(recipient);
                refused.push((recipient.clone(), plain(Stage::Recipients, problem)));
                continue;
            };
            let reply = self.talk.ask(&Rcpt::new(address, vec![]).to_string());
            let reply = self.heard(reply, Stage::Recipients)?;
            if reply.code == 421 {
                return Err(self.refuse(&reply, Stage::Recipients, &envelope.mail_from));
            }
            if !reply.is_positive() {
                let refusal = self.refuse(&reply, Stage::Recipients, &envelope.mail_from);
                refused.push((recipient.clone(), refusal));
            }
        }
        let passing = refused
            .iter()
            .position(|(_, refusal)| refusal.problem.is_transient());
        let some_left = refused.len() < envelope.recipients.len();
        if some_left && (passing.is_none() || !envelope.together) {
            let told = |(recipient, refusal): (String, Refusal)| (recipient, refusal.problem);
            return Ok(refused.into_iter().map(told).collect());
        }
        // If one of them may be reached later, so may the message be sent later.
        let (_, refusal) = refused
            .into_iter()
            .nth(passing.unwrap_or(0))
            .unwrap_or_else(|| {
                let problem = explain::no_recipients();
                (String::new(), plain(Stage::Recipients, problem))
            });
        Err(refusal)
    }

    /// Everything up to the final dot. Until that is written the message cannot have been accepted.
    fn upload(&mut self, data: &[u8], from: &str) -> Result<(), Refusal> {
        let Err(error) = self.talk.write(data) else {
            return Ok(());
        };
        self.usable = false;
        // A server that hangs up in the middle has often said why.
        match self.talk.reply(self.timeouts.connect) {
            Ok(reply) if reply.code >= 400 => Err(self.refuse(&reply, Stage::Content, from)),
            _ => Err(plain(
                Stage::Content,
                net::problem(&error, self.talk.server()),
            )),
        }
    }

    /// The final dot and its answer. From here on a failure of the line leaves the outcome open.
    fn finish(&mut self, from: &str, refused_recipients: Vec<(String, Problem)>) -> Outcome {
        let answer = self
            .talk
            .write(b".\r\n")
            .and_then(|()| self.talk.reply(self.timeouts.final_answer));
        match answer {
            Ok(reply) if reply.is_positive() => Outcome::Accepted {
                effective_message_id: effective_message_id(&reply.text()),
                reply: reply.words(),
                refused_recipients,
            },
            Ok(reply) if reply.code >= 400 => {
                let refusal = self.refuse(&reply, Stage::Content, from);
                self.reset();
                Outcome::Refused(refusal)
            }
            Ok(reply) => self.unknown(&reply.words()),
            Err(error) => self.unknown(&error.to_string()),
        }
    }

    fn unknown(&mut self, detail: &str) -> Outcome {
        self.usable = false;
        Outcome::Unknown {
            problem: explain::unknown_outcome(self.talk.server(), detail),
        }
    }

    /// The reply, if there is one; else the connection is done for.
    fn heard(&mut self, reply: io::Result<Reply>, stage: Stage) -> Result<Reply, Refusal> {
        reply.map_err(|error| {
            self.usable = false;
            let problem = if error.kind() == io::ErrorKind::InvalidData {
                explain::unexpected(self.talk.server(), &error.to_string())
            } else {
                net::problem(&error, self.talk.server())
            };
            plain(stage, problem)
        })
    }

    fn expect(
        &mut self,
        reply: io::Result<Reply>,
        code: u16,
        stage: Stage,
        from: &str,
    ) -> Result<Reply, Refusal> {
        let reply = self.heard(reply, stage)?;
        if reply.code == code {
            Ok(reply)
        } else {
            Err(self.refuse(&reply, stage, from))
        }
    }

    fn refuse(&mut self, reply: &Reply, stage: Stage, from: &str) -> Refusal {
        if reply.code < 400 {
            // Out of step: whatever comes next cannot be trusted to belong to what we ask.
            self.usable = false;
            return plain(
                stage,
                explain::unexpected(self.talk.server(), &reply.words()),
            );
        }
        // 421 announces that the server closes the connection (RFC 5321 §3.8).
        self.usable &= reply.code != 421;
        let about = About {
            stage,
            user: &self.user,
            mail_from: from,
        };
        let (problem, suggests) = explain::refusal(reply.code, &reply.text(), &about);
        Refusal {
            stage,
            problem,
            suggests,
        }
    }

    /// Forgets the message at hand, so that the next one starts clean.
    fn reset(&mut self) {
        if self.usable {
            let reply = self.talk.ask(&Rset.to_string());
            self.usable = reply.is_ok_and(|reply| reply.is_positive());
        }
    }
}

const fn plain(stage: Stage, problem: Problem) -> Refusal {
    Refusal {
        stage,
        problem,
        suggests: None,
    }
}

fn features(reply: &Reply) -> Features {
    let mut features = Features::default();
    // The first line is the server's own name.
    for line in reply.lines.iter().skip(1) {
        let mut words = line.split_ascii_whitespace();
        match words
            .next()
            .unwrap_or_default()
            .to_ascii_uppercase()
            .as_str()
        {
            "STARTTLS" => features.starttls = true,
            "8BITMIME" => features.eight_bit = true,
            "SMTPUTF8" => features.utf8 = true,
            "AUTH" => {
                for way in words {
                    features.xoauth2 |= way.eq_ignore_ascii_case("XOAUTH2");
                    features.plain |= way.eq_ignore_ascii_case("PLAIN");
                    features.login |= way.eq_ignore_ascii_case("LOGIN");
                }
            }
            // 0 means that no limit is told (RFC 1870 §4).
            "SIZE" => {
                let told = words.next().and_then(|w| w.parse().ok());
                features.size = Some(told.filter(|&bytes| bytes > 0));
            }
            _ => {}
        }
    }
    features
}

/// The name for EHLO: a proper host name, else our address (RFC 5321 §4.1.4). Exchange Online refuses the odd
/// names that containers have.
fn hello_id(hello_name: &str, stream: &net::Stream) -> ClientId {
    let proper = hello_name.len() <= 253
        && hello_name.contains('.')
        && hello_name.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-')
        });
    if proper {
        return ClientId::Domain(hello_name.to_owned());
    }
    match stream.local_ip() {
        Some(std::net::IpAddr::V4(ip)) => ClientId::Ipv4(ip),
        Some(std::net::IpAddr::V6(ip)) => ClientId::Ipv6(ip),
        None => ClientId::default(),
    }
}

/// The id in `2.0.0 OK <id> [Hostname=…]`, as Exchange Online tells it; the case of its host varies.
pub(super) fn effective_message_id(text: &str) -> Option<String> {
    let mut words = text.split_ascii_whitespace().peekable();
    // The enhanced status (RFC 3463), if there is one.
    words.next_if(|word| word.starts_with("2.") && word.split('.').count() == 3);
    words.next_if(|word| word.eq_ignore_ascii_case("OK"))?;
    let id = words.next()?;
    let inner = id.strip_prefix('<')?.strip_suffix('>')?;
    let fits = inner.contains('@') && !inner.contains(['<', '>']);
    fits.then(|| id.to_owned())
}
