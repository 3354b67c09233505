//! In charge of one connection: greeting, one command after another, goodbye.

use std::io;
use std::sync::Arc;

use imap_codec::imap_types::command::{Command, CommandBody};

use super::command::{self, Incoming};
use super::select::Selected;
use crate::entra::Entra;
use crate::faults::{Action, Faults, Point};
use crate::world::wire::Wire;
use crate::world::{Greeting, Stop, World, take_fault};

/// What a session may ask.
pub(super) struct Service {
    pub(super) world: Arc<World>,
    pub(super) entra: Arc<Entra>,
    pub(super) faults: Arc<Faults>,
    pub(super) stop: Stop,
}

/// Who is signed in.
pub(super) struct Login {
    /// The mailbox's name as the world finds it: its owner's sign-in name.
    pub(super) mailbox: String,
    /// Names under which faults may be aimed at this session.
    pub(super) names: Vec<String>,
    /// When the access token ends, unix seconds UTC.
    pub(super) expires_at: i64,
    /// False when authentication passed and the mailbox could not be opened.
    pub(super) connected: bool,
    /// The mailbox's session epoch at sign-in.
    pub(super) epoch: u64,
}

/// One connection.
pub(super) struct Session {
    pub(super) service: Service,
    pub(super) wire: Wire,
    pub(super) login: Option<Login>,
    pub(super) selected: Option<Selected>,
    pub(super) rev2: bool,
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
    /// No fault, or only noise: do the command.
    No,
    /// It has been answered.
    Answered(Next),
}

/// Serves a connection to its end.
pub(super) fn run(service: Service, wire: Wire) {
    let mut session = Session {
        service,
        wire,
        login: None,
        selected: None,
        rev2: false,
    };
    match session.serve() {
        Ok(Next::Drop) => {}
        Ok(_) => session.wire.finish(),
        Err(error) => tracing::debug!(%error, "IMAP session ended"),
    }
}

impl Session {
    fn serve(&mut self) -> io::Result<Next> {
        match self.strike(Point::ImapGreeting, "*")? {
            Struck::Answered(Next::Go) => {}
            Struck::Answered(next) => return Ok(next),
            Struck::No => self.greet()?,
        }
        loop {
            let incoming = command::read(&mut self.wire)?;
            if let Some(bye) = self.ended() {
                self.line(&bye)?;
                return Ok(Next::End);
            }
            let next = match incoming {
                Incoming::Bad(answer) => {
                    self.line(&answer)?;
                    Next::Go
                }
                Incoming::Command(command) => self.command(*command)?,
            };
            if next != Next::Go {
                return Ok(next);
            }
        }
    }

    fn greet(&mut self) -> io::Result<()> {
        let text = match self.service.world.quirks().greeting {
            Greeting::Classic => {
                "* OK The Microsoft Exchange IMAP4 service is ready. \
                 [QQBNADcAUABSADAANQBDAEEAMAAwADMAMgAuAGUAdQByAHAAcgBkADAANQAuAHAAcgBvAGQALgBvAHUAdABsAG8AbwBrAC4AYwBvAG0A]"
            }
            Greeting::Proxy => {
                "* OK Microsoft Exchange IMAP4 service ready. \
                 5f1c7c0e-53a2-4a5e-9d0e-0c3a8f1b2d47 (tcpproxy/15.21.0117.014 BACKENDAUTHENTICATE) \
                 [AM7PR05CA0032.eurprd05.prod.outlook.com]"
            }
        };
        self.line(text)
    }

    /// Sends one line.
    pub(super) fn line(&mut self, text: &str) -> io::Result<()> {
        self.wire.write(format!("{text}\r\n").as_bytes())
    }

    /// The goodbye, when the session is over whatever the client says: its token expired and is
    /// minded, or somebody ended all sessions of the mailbox.
    pub(super) fn ended(&self) -> Option<String> {
        let login = self.login.as_ref()?;
        let world = &self.service.world;
        let expired = world.quirks().cut_at_expiry && world.clock().now() >= login.expires_at;
        let epoch = world.read_mailbox(&login.mailbox, |mailbox| mailbox.session_epoch);
        let ended = login.connected && epoch != Some(login.epoch);
        (expired || ended).then(|| "* BYE Connection is closed. 13".to_owned())
    }

    /// Takes a fault scripted for this point, trying every name this session has.
    pub(super) fn fault(&self, point: Point) -> Option<Action> {
        let names = self
            .login
            .as_ref()
            .map(|login| login.names.as_slice())
            .unwrap_or_default();
        take_fault(&self.service.faults, point, names)
    }

    /// Lets a scripted fault act in place of a command.
    pub(super) fn strike(&mut self, point: Point, tag: &str) -> io::Result<Struck> {
        match self.fault(point) {
            None => Ok(Struck::No),
            Some(action) => self.act(action, tag),
        }
    }

    /// Does what a fault says. Lines of a reply go out in order: `* …` untagged, a status with the
    /// tag, anything else bare. Without a status or a BYE among them the command goes on as usual.
    pub(super) fn act(&mut self, action: Action, tag: &str) -> io::Result<Struck> {
        match action {
            Action::Close => Ok(Struck::Answered(Next::Drop)),
            Action::Hang => {
                self.wire.hang();
                Ok(Struck::Answered(Next::Drop))
            }
            Action::Delay(time) => {
                let stopped = self.service.stop.wait(time);
                Ok(if stopped {
                    Struck::Answered(Next::Drop)
                } else {
                    Struck::No
                })
            }
            Action::Reply(text) => {
                let (mut status, mut bye) = (false, false);
                for line in text.lines() {
                    let upper = line.to_uppercase();
                    if ["OK ", "NO ", "BAD "]
                        .iter()
                        .any(|word| upper.starts_with(word))
                    {
                        status = true;
                        self.line(&format!("{tag} {line}"))?;
                    } else {
                        bye |= upper.starts_with("* BYE");
                        // A greeting is a status by itself.
                        status |= tag == "*" && upper.starts_with("* ");
                        self.line(line)?;
                    }
                }
                Ok(match (bye, status) {
                    (true, _) => Struck::Answered(Next::End),
                    (false, true) => Struck::Answered(Next::Go),
                    (false, false) => Struck::No,
                })
            }
            Action::Http(..) | Action::Entra(..) => Ok(Struck::No),
        }
    }

    fn command(&mut self, command: Command<'static>) -> io::Result<Next> {
        let tag = command.tag.as_ref().to_owned();
        match command.body {
            CommandBody::Capability => {
                let list = self.capabilities();
                self.line(&format!("* CAPABILITY {list}"))?;
                self.ok(&tag, "CAPABILITY")
            }
            CommandBody::Noop if self.login.is_none() => self.ok(&tag, "NOOP"),
            CommandBody::Logout => {
                self.line("* BYE Microsoft Exchange Server IMAP4 server signing off.")?;
                self.ok(&tag, "LOGOUT")?;
                Ok(Next::End)
            }
            CommandBody::Id { .. } => {
                self.line("* ID (\"name\" \"Microsoft.Exchange.Imap4.Imap4Server\" \"version\" \"15.20\")")?;
                self.ok(&tag, "ID")
            }
            CommandBody::StartTLS => self
                .line(&format!("{tag} BAD Command received in Invalid state."))
                .map(go),
            CommandBody::Login { .. } => match self.strike(Point::ImapAuthenticate, &tag)? {
                Struck::Answered(next) => Ok(next),
                // Passwords have not worked since 2023.
                Struck::No => self.line(&format!("{tag} NO LOGIN failed.")).map(go),
            },
            CommandBody::Authenticate {
                mechanism,
                initial_response,
            } => {
                let initial = initial_response.map(|data| data.declassify().to_vec());
                self.authenticate(&tag, &mechanism, initial)
            }
            body => self.authenticated(&tag, body),
        }
    }

    /// Commands that need a login.
    fn authenticated(&mut self, tag: &str, body: CommandBody<'static>) -> io::Result<Next> {
        let Some(login) = &self.login else {
            return self.invalid_state(tag);
        };
        if !login.connected {
            self.line(&format!(
                "{tag} BAD User is authenticated but not connected."
            ))?;
            self.line("* BYE Connection closed. 14")?;
            return Ok(Next::End);
        }
        match body {
            CommandBody::Noop => self.noop(tag, "NOOP"),
            CommandBody::Namespace => {
                self.line("* NAMESPACE ((\"\" \"/\")) NIL NIL")?;
                self.ok(tag, "NAMESPACE")
            }
            CommandBody::Enable { capabilities } => self.enable(tag, &capabilities),
            CommandBody::List {
                reference,
                mailbox_wildcard,
            } => self.list(tag, "LIST", &reference, &mailbox_wildcard),
            // Broken where IMAP4rev2 is advertised.
            CommandBody::Lsub { .. } if self.service.world.quirks().imap4rev2 => {
                self.line(&format!("{tag} BAD Command Error. 10")).map(go)
            }
            CommandBody::Lsub {
                reference,
                mailbox_wildcard,
            } => self.list(tag, "LSUB", &reference, &mailbox_wildcard),
            CommandBody::Status {
                mailbox,
                item_names,
            } => self.status(tag, &mailbox, &item_names),
            CommandBody::Create { mailbox } => self.create(tag, &mailbox),
            CommandBody::Delete { mailbox } => self.delete(tag, &mailbox),
            CommandBody::Rename { from, to } => self.rename(tag, &from, &to),
            CommandBody::Subscribe { mailbox } => self.subscribe(tag, &mailbox, true),
            CommandBody::Unsubscribe { mailbox } => self.subscribe(tag, &mailbox, false),
            CommandBody::Append {
                mailbox,
                flags,
                date,
                message,
            } => self.append(tag, &mailbox, &flags, date.as_ref(), &message),
            CommandBody::Select { mailbox } => self.select(tag, &mailbox, false),
            CommandBody::Examine { mailbox } => self.select(tag, &mailbox, true),
            CommandBody::Idle => self.idle(tag),
            body if self.selected.is_some() => self.in_folder(tag, body),
            _ => self.invalid_state(tag),
        }
    }

    /// Commands that need a folder.
    fn in_folder(&mut self, tag: &str, body: CommandBody<'static>) -> io::Result<Next> {
        match body {
            CommandBody::Check => self.noop(tag, "CHECK"),
            CommandBody::Close => self.close(tag),
            CommandBody::Unselect => {
                self.selected = None;
                self.ok(tag, "UNSELECT")
            }
            CommandBody::Search {
                charset,
                criteria,
                uid,
            } => self.search(tag, charset.as_ref(), &criteria, uid),
            CommandBody::Fetch {
                sequence_set,
                macro_or_item_names,
                uid,
            } => self.fetch(tag, &sequence_set, macro_or_item_names, uid),
            CommandBody::Store {
                sequence_set,
                kind,
                response,
                flags,
                uid,
            } => self.store(tag, &sequence_set, &kind, &response, &flags, uid),
            CommandBody::Copy {
                sequence_set,
                mailbox,
                uid,
            } => self.copy(tag, &sequence_set, &mailbox, uid, false),
            CommandBody::Move {
                sequence_set,
                mailbox,
                uid,
            } => self.copy(tag, &sequence_set, &mailbox, uid, true),
            CommandBody::Expunge => self.expunge(tag, None),
            CommandBody::ExpungeUid { sequence_set } => self.expunge(tag, Some(&sequence_set)),
            _ => self.line(&format!("{tag} BAD Command Error. 10")).map(go),
        }
    }

    /// The tagged completion Exchange writes.
    pub(super) fn ok(&mut self, tag: &str, verb: &str) -> io::Result<Next> {
        self.line(&format!("{tag} OK {verb} completed.")).map(go)
    }

    /// A tagged answer of another kind.
    pub(super) fn answer(&mut self, tag: &str, text: &str) -> io::Result<Next> {
        self.line(&format!("{tag} {text}")).map(go)
    }

    fn invalid_state(&mut self, tag: &str) -> io::Result<Next> {
        self.line(&format!("{tag} BAD Command received in Invalid state."))
            .map(go)
    }
}

/// For `map`: after sending a line, read on.
fn go((): ()) -> Next {
    Next::Go
}
