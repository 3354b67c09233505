//! What goes wrong on demand: scripted faults, taken once or several times at a named point.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A place in a conversation where a fault can be scripted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// Entra's discovery document.
    Discovery,
    /// Entra's signing keys.
    Keys,
    /// Entra's authorize endpoint, before any page is shown.
    Authorize,
    /// Entra's token endpoint, code redemption.
    TokenCode,
    /// Entra's token endpoint, refresh.
    TokenRefresh,
    /// Entra's token endpoint, `client_credentials` (used to check an app's secret).
    TokenClient,
    /// Entra's token endpoint, refresh, once the new tokens are made: their answer is lost.
    TokenIssued,
    /// Graph sendMail and `/me`.
    Graph,
    /// The answer of Graph sendMail: the message has been accepted when the fault strikes.
    GraphAccepted,
    /// IMAP greeting.
    ImapGreeting,
    /// IMAP AUTHENTICATE.
    ImapAuthenticate,
    /// IMAP LIST and LSUB.
    ImapList,
    /// IMAP SELECT or EXAMINE.
    ImapSelect,
    /// IMAP UID SEARCH and UID FETCH.
    ImapFetch,
    /// IMAP SEARCH alone.
    ImapSearch,
    /// IMAP FETCH of anything but messages: sizes, flags.
    ImapSizes,
    /// IMAP FETCH of messages.
    ImapBody,
    /// IMAP STORE.
    ImapStore,
    /// IMAP MOVE and COPY.
    ImapMove,
    /// The answer to MOVE and COPY: the messages are in the other folder when the fault strikes.
    ImapMoved,
    /// IMAP IDLE.
    ImapIdle,
    /// SMTP greeting.
    SmtpGreeting,
    /// SMTP EHLO.
    SmtpHello,
    /// SMTP STARTTLS.
    SmtpStartTls,
    /// SMTP AUTH.
    SmtpAuth,
    /// SMTP MAIL FROM.
    SmtpMail,
    /// SMTP RCPT TO.
    SmtpRcpt,
    /// SMTP DATA command.
    SmtpData,
    /// The answer to the final dot: the message has been accepted when the fault strikes.
    SmtpAccepted,
    /// SMTP QUIT.
    SmtpQuit,
}

/// What happens at the point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Answer with this text instead. IMAP: the text after the tag (`NO AUTHENTICATE failed.`); lines
    /// starting with `* ` go out untagged first. SMTP: the whole reply (`535 5.7.3 …`).
    Reply(String),
    /// HTTP answer: status, headers, body.
    Http(u16, Vec<(String, String)>, String),
    /// An OAuth error body as Entra writes it: status, `error`, AADSTS number, description without the number.
    Entra(u16, String, u32, String),
    /// Close the connection without a word.
    Close,
    /// Go on as usual after this time.
    Delay(Duration),
    /// Never answer; hold the connection until it is closed from the other side or the simulator stops.
    Hang,
}

/// One scripted fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where it strikes.
    pub point: Point,
    /// Only for this mailbox address or sign-in name (lower case); `None` strikes everyone.
    pub who: Option<String>,
    /// What happens.
    pub action: Action,
    /// How many times; `None` until removed.
    pub times: Option<u32>,
}

/// The list of scripted faults.
#[derive(Debug, Default)]
pub struct Faults {
    list: Mutex<Vec<Fault>>,
}

impl Faults {
    /// Adds a fault; earlier ones at the same point strike first.
    pub fn add(&self, fault: Fault) {
        self.list
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(fault);
    }

    /// Adds a fault that strikes everyone once.
    pub fn once(&self, point: Point, action: Action) {
        self.add(Fault {
            point,
            who: None,
            action,
            times: Some(1),
        });
    }

    /// Adds a fault that strikes everyone until [`Faults::clear`].
    pub fn always(&self, point: Point, action: Action) {
        self.add(Fault {
            point,
            who: None,
            action,
            times: None,
        });
    }

    /// How many faults are still to strike.
    pub fn count(&self) -> usize {
        self.list
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }

    /// Removes all faults.
    pub fn clear(&self) {
        self.list
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// Takes the first fault at `point` that concerns `who`, counting it down.
    pub fn take(&self, point: Point, who: Option<&str>) -> Option<Action> {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        let who = who.map(str::to_lowercase);
        let found = list
            .iter()
            .position(|fault| fault.point == point && (fault.who.is_none() || fault.who == who))?;
        let fault = list.get_mut(found)?;
        let action = fault.action.clone();
        if let Some(times) = fault.times.as_mut() {
            *times = times.saturating_sub(1);
            if *times == 0 {
                list.remove(found);
            }
        }
        Some(action)
    }
}
