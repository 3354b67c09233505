//! One authenticated IMAP connection: values in, values or a [`Problem`] out.

mod idle;
mod ledger;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use imap::types::Flag;

use super::answers;
use super::explain;
use super::folders::{self, Folder};
use super::wire::{Heard, Wire};
use crate::net::xoauth2::Login;
use crate::net::{self, Budget, Closer, Deadlines, Server, Trust};
use crate::problem::Problem;

/// Most an answer may hold that carries no messages. A listing of a million UIDs has 8 MB.
const ANSWER_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// Longest time a whole such answer may take.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(300);
/// Most a FETCH may bring unless told otherwise: Exchange Online takes messages up to 150 MB.
const FETCH_BYTES_MAX: u64 = 200 * 1024 * 1024;
/// Longest time a FETCH may take.
const FETCH_TIME_MAX: Duration = Duration::from_secs(1800);
/// Longest SASL initial response put on the command line; a longer one goes on a line of its own.
const INITIAL_RESPONSE_MAX: usize = 7000;

/// What a folder holds, as EXAMINE tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selected {
    /// The UIDVALIDITY under which all UIDs hold.
    pub uid_validity: u32,
    /// The UID the next message will get; some servers do not say.
    pub uid_next: Option<u32>,
    /// How many messages there are.
    pub exists: u32,
}

/// One message as the server gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Its UID in the open folder.
    pub uid: u32,
    /// Its bytes.
    pub raw: Vec<u8>,
    /// When it reached the mailbox (INTERNALDATE).
    pub internal_date_at: Option<i64>,
    /// Whether someone has read it.
    pub seen: bool,
}

/// How a wait for new mail ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdleEnd {
    /// The open folder has more messages than before.
    NewMail,
    /// The time is over and nothing came.
    Nothing,
}

/// One authenticated connection. Dropping it closes the socket; [`Session::logout`] is the polite way.
pub struct Session {
    inner: imap::Session<Wire>,
    talk: Talk,
    capabilities: BTreeSet<String>,
    fetch_bytes_max: u64,
    interrupter: net::Interrupter,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("server", &self.talk.server)
            .field("capabilities", &self.capabilities)
            .finish_non_exhaustive()
    }
}

/// What is needed to run one exchange safely and to tell its failure.
struct Talk {
    server: Server,
    user: String,
    budget: Budget,
    heard: Heard,
}

impl Talk {
    /// Runs a call into the crate: with a fresh budget, and with its panics caught, for some answers it did
    /// not expect end in `unreachable!` there.
    fn run<T>(
        &self,
        bytes: u64,
        within: Duration,
        work: impl FnOnce() -> imap::Result<T>,
    ) -> Result<T, Problem> {
        {
            let mut notes = self.heard.notes();
            notes.aside.clear();
            notes.bodies.clear();
            notes.tagged = None;
        }
        self.budget.set(bytes, within);
        match catch_unwind(AssertUnwindSafe(work)) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(self.failed(&error)),
            Err(_) => Err(explain::unexpected(&self.server)
                .with_detail("the answer does not fit the command")),
        }
    }

    fn answer<T>(&self, work: impl FnOnce() -> imap::Result<T>) -> Result<T, Problem> {
        self.run(ANSWER_BYTES_MAX, ANSWER_TIME_MAX, work)
    }

    fn failed(&self, error: &imap::Error) -> Problem {
        let notes = self.heard.notes();
        // A bare line is sometimes all the server says before it falls silent or hangs up.
        let aside = notes
            .aside
            .iter()
            .find_map(|line| explain::known(line, &self.user));
        match (error, &notes.tagged, &notes.bye) {
            (imap::Error::No(_) | imap::Error::Bad(_) | imap::Error::Append, Some(said), _)
            | (imap::Error::Bye(_) | imap::Error::ConnectionLost, _, Some(said)) => {
                explain::refusal(said, &self.user)
            }
            (imap::Error::Io(e), ..) => aside.unwrap_or_else(|| net::problem(e, &self.server)),
            (imap::Error::ConnectionLost, ..) => aside.unwrap_or_else(|| net::closed(&self.server)),
            (other, ..) => aside
                .unwrap_or_else(|| explain::unexpected(&self.server).with_detail(words_of(other))),
        }
    }

    /// The server's goodbye, when it has said it.
    fn goodbye(&self) -> Result<(), Problem> {
        match &self.heard.notes().bye {
            Some(said) => Err(explain::refusal(said, &self.user)),
            None => Ok(()),
        }
    }
}

/// The kind of an error of the crate, without the server's bytes, which may hold mail.
fn words_of(error: &imap::Error) -> &'static str {
    match error {
        imap::Error::Parse(_) => "an answer could not be read",
        imap::Error::TagMismatch(_) => "an answer belongs to another command",
        imap::Error::Validate(_) => "a command holds a line break",
        imap::Error::Bye(_) => "an answer could not be read to its end",
        _ => "an answer does not fit the command",
    }
}

/// The SASL side of XOAUTH2: the payload for an empty challenge, an empty line for one that holds the
/// reason of a refusal, so that the server goes on to its tagged NO.
struct Xoauth2<'a> {
    login: &'a Login,
    payload_sent: Cell<bool>,
    reason: RefCell<Option<String>>,
}

impl imap::Authenticator for Xoauth2<'_> {
    type Response = String;

    fn process(&self, challenge: &[u8]) -> String {
        if challenge.is_empty() {
            return if self.payload_sent.replace(true) {
                String::new()
            } else {
                self.login.payload()
            };
        }
        *self.reason.borrow_mut() = Some(String::from_utf8_lossy(challenge).into_owned());
        String::new()
    }
}

impl Session {
    /// Connects with TLS, signs in by XOAUTH2 and makes sure the mailbox is really open. `on_closer` gets the
    /// handle that ends the connection from another thread, as soon as there is a connection.
    ///
    /// # Errors
    /// When the server cannot be reached, refuses the sign-in or does not open the mailbox.
    pub fn connect(
        server: &Server,
        trust: &Trust,
        login: &Login,
        on_closer: impl FnOnce(Closer),
    ) -> Result<Self, Problem> {
        Self::connect_within(server, trust, login, Deadlines::default(), on_closer)
    }

    /// As [`Session::connect`], with deadlines of the caller's choice.
    ///
    /// # Errors
    /// As [`Session::connect`].
    pub fn connect_within(
        server: &Server,
        trust: &Trust,
        login: &Login,
        deadlines: Deadlines,
        on_closer: impl FnOnce(Closer),
    ) -> Result<Self, Problem> {
        let stream = net::connect(server, deadlines)?;
        on_closer(stream.closer());
        let stream = stream.start_tls(trust)?;
        let talk = Talk {
            server: server.clone(),
            user: login.user.clone(),
            budget: stream.budget(),
            heard: Heard::default(),
        };
        let interrupter = stream.interrupter();
        let mut client = imap::Client::new(Wire::new(stream, talk.heard.clone()));
        greet(&talk, &mut client)?;
        let offered = talk.answer(|| client.capabilities())?;
        let offered: BTreeSet<String> = offered.iter().map(answers::capability).collect();
        if !offered.contains("AUTH=XOAUTH2") {
            return Err(explain::no_xoauth2(&talk.server));
        }
        let inner = sign_in(&talk, client, login, offered.contains("SASL-IR"))?;
        let mut session = Self {
            inner,
            talk,
            capabilities: BTreeSet::new(),
            fetch_bytes_max: FETCH_BYTES_MAX,
            interrupter,
        };
        // The list changes at sign-in.
        let answer = session.command("CAPABILITY")?;
        session.capabilities = answers::capabilities(&answer);
        // Exchange Online says only at the first command that needs the mailbox when it cannot be opened; this
        // one asks for nothing but the hierarchy delimiter (RFC 3501 §6.3.8).
        session.command("LIST \"\" \"\"")?;
        Ok(session)
    }

    /// Whether the server offers IDLE.
    #[must_use]
    pub fn has_idle(&self) -> bool {
        self.capabilities.contains("IDLE")
    }

    /// What the server offers since the sign-in, in capitals.
    #[must_use]
    pub const fn capabilities(&self) -> &BTreeSet<String> {
        &self.capabilities
    }

    /// Sets how many bytes one FETCH may bring before the connection is given up.
    pub fn set_fetch_bytes_max(&mut self, bytes: u64) {
        self.fetch_bytes_max = bytes;
    }

    /// All folders, with what each is for.
    ///
    /// # Errors
    /// When the server refuses or the connection fails.
    pub fn list_folders(&mut self) -> Result<Vec<Folder>, Problem> {
        let answer = self.command("LIST \"\" \"*\"")?;
        Ok(folders::from_list(answers::listed(&answer)))
    }

    /// Opens a folder for reading only (EXAMINE).
    ///
    /// # Errors
    /// When the folder does not exist or the server gives its messages no lasting numbers.
    pub fn examine(&mut self, raw_name: &str) -> Result<Selected, Problem> {
        self.open("EXAMINE", raw_name)
    }

    /// Opens a folder by this command.
    pub(super) fn open(&mut self, verb: &str, raw_name: &str) -> Result<Selected, Problem> {
        let command = format!("{verb} {}", self.quoted(raw_name)?);
        self.talk.heard.notes().exists = 0;
        let answer = self.command(&command)?;
        self.talk.heard.notes().grown = false;
        answers::selected(&answer).ok_or_else(|| explain::no_uids(&self.talk.server, raw_name))
    }

    /// The UIDs of the open folder from `first_uid` on, sorted. (`n:*` also returns the last message when it
    /// lies below `n`, RFC 3501 §6.4.8; that one is left out.)
    ///
    /// # Errors
    /// When the server refuses or the connection fails.
    pub fn uids_from(&mut self, first_uid: u32) -> Result<Vec<u32>, Problem> {
        let mut uids = self.search(&format!("UID {first_uid}:*"))?;
        uids.retain(|uid| *uid >= first_uid);
        Ok(uids)
    }

    /// Which of these UIDs the open folder still lists.
    ///
    /// # Errors
    /// When the server refuses or the connection fails.
    pub fn still_listed(&mut self, uids: &[u32]) -> Result<BTreeSet<u32>, Problem> {
        let mut listed = BTreeSet::new();
        for (set, _) in answers::uid_sets(uids) {
            listed.extend(self.search(&format!("UID {set}"))?);
        }
        Ok(listed)
    }

    /// The UIDs of messages that reached the open folder on the day of `since_at` (unix seconds UTC) or later.
    ///
    /// # Errors
    /// When the server refuses or the connection fails.
    pub fn uids_since(&mut self, since_at: i64) -> Result<Vec<u32>, Problem> {
        // SEARCH knows days only, in the server's own zone: one day more loses nothing at the edge.
        let day = day_of(since_at.saturating_sub(86_400));
        self.search(&format!("SINCE {day}"))
    }

    /// The UIDs of messages that reached the open folder from the day of `from_at` up to the day before that
    /// of `until_at` (unix seconds UTC), sorted, as the server counts days in its own zone.
    ///
    /// # Errors
    /// When the server refuses or the connection fails.
    pub fn uids_between(&mut self, from_at: i64, until_at: i64) -> Result<Vec<u32>, Problem> {
        let (from, until) = (day_of(from_at), day_of(until_at));
        self.search(&format!("SINCE {from} BEFORE {until}"))
    }

    /// How many messages the open folder has.
    #[must_use]
    pub fn count_all(&self) -> u32 {
        self.talk.heard.notes().exists
    }

    /// How many messages [`Session::uids_since`] would list.
    ///
    /// # Errors
    /// As [`Session::uids_since`].
    pub fn count_since(&mut self, since_at: i64) -> Result<u32, Problem> {
        let count = self.uids_since(since_at)?.len();
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// The UIDs of messages in the open folder with this Message-ID, or with it as the id that Outlook.com
    /// replaced when the message was sent.
    ///
    /// # Errors
    /// When the server refuses or the connection fails.
    pub fn find_message_id(&mut self, internet_message_id: &str) -> Result<Vec<u32>, Problem> {
        let bare = internet_message_id
            .trim()
            .trim_start_matches('<')
            .trim_end_matches('>');
        let quoted = self.quoted(&format!("<{bare}>"))?;
        let found = self.search(&format!("HEADER Message-ID {quoted}"))?;
        if !found.is_empty() {
            return Ok(found);
        }
        self.search(&format!("HEADER X-Microsoft-Original-Message-ID {quoted}"))
    }

    /// The messages with these UIDs, without marking them read. A message the server lists but does not
    /// give (Exchange Online has such) is absent from the result.
    ///
    /// # Errors
    /// When the server refuses, the connection fails or the answer exceeds the byte budget.
    pub fn fetch(&mut self, uids: &[u32]) -> Result<Vec<Fetched>, Problem> {
        let mut all = Vec::new();
        for (set, members) in answers::uid_sets(uids) {
            match self.fetch_set(&set) {
                Ok(found) => all.extend(found),
                // "Some of the requested messages no longer exist": ask for each by itself.
                Err(problem) if problem.code == explain::MESSAGES_GONE => {
                    all.extend(self.fetch_each(&members)?);
                }
                Err(problem) => return Err(problem),
            }
        }
        let asked: BTreeSet<u32> = uids.iter().copied().collect();
        all.retain(|message| asked.contains(&message.uid));
        all.sort_by_key(|message| message.uid);
        Ok(all)
    }

    fn fetch_each(&mut self, uids: &[u32]) -> Result<Vec<Fetched>, Problem> {
        let mut all = Vec::new();
        for uid in uids {
            match self.fetch_set(&uid.to_string()) {
                Ok(found) => all.extend(found),
                Err(problem) if problem.code == explain::MESSAGES_GONE => {}
                Err(problem) => return Err(problem),
            }
        }
        Ok(all)
    }

    fn fetch_set(&mut self, set: &str) -> Result<Vec<Fetched>, Problem> {
        let command = format!("UID FETCH {set} (UID FLAGS INTERNALDATE BODY.PEEK[])");
        let inner = &mut self.inner;
        self.talk.heard.notes().keep_bodies = true;
        let answer = self.talk.run(self.fetch_bytes_max, FETCH_TIME_MAX, || {
            inner.run_command_and_read_response(&command)
        });
        let mut notes = self.talk.heard.notes();
        notes.keep_bodies = false;
        let bodies = std::mem::take(&mut notes.bodies);
        drop(notes);
        Ok(answers::fetched(&answer?, bodies))
    }

    /// The sizes the server gives for these UIDs: estimates on Exchange Online, fit for planning only.
    ///
    /// # Errors
    /// When the server refuses or the connection fails.
    pub fn sizes(&mut self, uids: &[u32]) -> Result<Vec<(u32, u64)>, Problem> {
        let asked: BTreeSet<u32> = uids.iter().copied().collect();
        let mut all = Vec::new();
        for (set, _) in answers::uid_sets(uids) {
            let answer = self.command(&format!("UID FETCH {set} (UID RFC822.SIZE)"))?;
            all.extend(answers::sizes(&answer));
        }
        all.retain(|(uid, _)| asked.contains(uid));
        all.sort_unstable();
        all.dedup_by_key(|(uid, _)| *uid);
        Ok(all)
    }

    /// Files a message in a folder, read or unread.
    ///
    /// # Errors
    /// When the server refuses the folder or the message, or the connection fails.
    pub fn append(&mut self, raw_name: &str, raw: &[u8], seen: bool) -> Result<(), Problem> {
        let quoted = self.quoted(raw_name)?;
        // The crate puts the quotes itself, but does not escape what is between them.
        let name = quoted.trim_start_matches('"');
        let name = name.strip_suffix('"').unwrap_or(name);
        self.talk.heard.notes().continuation_first = true;
        let inner = &mut self.inner;
        self.talk
            .run(ANSWER_BYTES_MAX, FETCH_TIME_MAX, || {
                let mut command = inner.append(name, raw);
                if seen {
                    command.flag(Flag::Seen);
                }
                command.finish()
            })
            .map(|_| ())
    }

    /// Asks for news; says whether the open folder has more messages than before.
    ///
    /// # Errors
    /// When the server does not answer or has ended the session.
    pub fn noop(&mut self) -> Result<bool, Problem> {
        self.command("NOOP")?;
        Ok(std::mem::take(&mut self.talk.heard.notes().grown))
    }

    /// Ends the session in order.
    ///
    /// # Errors
    /// When the connection fails before the server has said goodbye; there is nothing to be done about it.
    pub fn logout(mut self) -> Result<(), Problem> {
        let inner = &mut self.inner;
        self.talk.answer(|| inner.logout())
    }

    fn search(&mut self, criteria: &str) -> Result<Vec<u32>, Problem> {
        let answer = self.command(&format!("UID SEARCH {criteria}"))?;
        Ok(answers::found(&answer, &self.talk.heard.notes().aside))
    }

    pub(super) fn command(&mut self, command: &str) -> Result<Vec<u8>, Problem> {
        let inner = &mut self.inner;
        self.talk
            .answer(|| inner.run_command_and_read_response(command))
    }

    /// A quoted string (RFC 3501 §9); what cannot stand in one is refused.
    pub(super) fn quoted(&self, text: &str) -> Result<String, Problem> {
        if text.chars().any(char::is_control) {
            return Err(explain::bad_name(&self.talk.server));
        }
        Ok(format!(
            "\"{}\"",
            text.replace('\\', "\\\\").replace('"', "\\\"")
        ))
    }
}

/// A day as SEARCH writes it (RFC 3501 §9 `date`).
fn day_of(at: i64) -> String {
    let time = chrono::DateTime::from_timestamp(at, 0).unwrap_or_default();
    time.format("%-d-%b-%Y").to_string()
}

fn greet(talk: &Talk, client: &mut imap::Client<Wire>) -> Result<(), Problem> {
    let greeting = talk.answer(|| client.read_greeting())?;
    talk.goodbye()?;
    let is_ok = greeting
        .get(..4)
        .is_some_and(|head| head.eq_ignore_ascii_case(b"* OK"));
    if is_ok {
        Ok(())
    } else {
        Err(explain::unexpected(&talk.server)
            .with_detail(String::from_utf8_lossy(&greeting).as_ref()))
    }
}

fn sign_in(
    talk: &Talk,
    client: imap::Client<Wire>,
    login: &Login,
    initial_response: bool,
) -> Result<imap::Session<Wire>, Problem> {
    let sasl = Xoauth2 {
        login,
        payload_sent: Cell::new(false),
        reason: RefCell::new(None),
    };
    let payload = login.payload_base64();
    let command = if initial_response && payload.len() < INITIAL_RESPONSE_MAX {
        format!("XOAUTH2 {payload}")
    } else {
        "XOAUTH2".to_owned()
    };
    talk.answer(|| {
        client
            .authenticate(command, &sasl)
            .map_err(|(error, _client)| error)
    })
    .map_err(|problem| match sasl.reason.borrow().as_deref() {
        Some(reason) => {
            let detail = format!("{} {}", problem.detail, reason);
            problem.with_detail(detail)
        }
        None => problem,
    })
}
