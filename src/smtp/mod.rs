//! Handing mail to a submission server; the only place that knows lettre's SMTP commands.
//!
//! [`Session`] is one authenticated connection for one or several messages, [`send`] a connection for one
//! message, [`verify`] a connection for none. [`explain`] turns a refusal into a [`Problem`].
//!
//! lettre composes the mail (elsewhere), and writes the commands and reads the list of extensions here. The dialogue
//! itself runs over [`crate::net::Stream`] instead of lettre's `SmtpConnection`, which cannot tell or bound what
//! must be: it reports an answer that never came after the final dot and a broken upload as the same error, so a
//! message could not be called uncertain; it gives up XOAUTH2 at a 334 that carries the reason of a refusal, so the
//! server's 535 is never read; it keeps what arrived in clear behind the answer to STARTTLS and reads it as an
//! answer under TLS; it does not tell the server's SIZE; its lines have no limit in memory, and no other
//! thread can close it.

pub mod explain;
mod line;
mod refusals;
mod session;

use std::time::Duration;

pub use session::{Session, send, verify};

use crate::net::xoauth2::Login;
use crate::problem::Problem;

/// How long each kind of waiting may last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Resolving, connecting and the TLS handshake, each.
    pub connect: Duration,
    /// The answer to a command, and the server taking the next piece of a message.
    pub command: Duration,
    /// The answer to the final dot. RFC 5321 §4.5.3.2.6 asks for 10 minutes: who waits less sends twice.
    pub final_answer: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            command: Duration::from_secs(60),
            final_answer: Duration::from_secs(600),
        }
    }
}

/// How a connection is kept private.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// In clear first, then TLS by STARTTLS, which is demanded (port 587).
    StartTls,
    /// TLS from the first byte (port 465, RFC 8314 §3.3).
    Tls,
    /// In clear: for a server on the same machine. No password is sent over it.
    None,
}

/// How one signs in.
#[derive(Clone, Copy)]
pub enum SignIn<'a> {
    /// By XOAUTH2, as a mailbox does.
    Token(&'a Login),
    /// By name and password.
    Password {
        /// The name.
        user: &'a str,
        /// The password.
        password: &'a str,
    },
    /// Not at all: the server knows us by our address.
    Nobody,
}

impl SignIn<'_> {
    fn user(&self) -> &str {
        match self {
            Self::Token(login) => &login.user,
            Self::Password { user, .. } => user,
            Self::Nobody => "",
        }
    }
}

/// How a server is entered.
#[derive(Clone, Copy)]
pub struct Access<'a> {
    /// How the connection is kept private.
    pub security: Security,
    /// How one signs in.
    pub sign_in: SignIn<'a>,
}

/// Who sends, and who shall get it; Bcc recipients stand only here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The address that bounces go to; empty for a message that must not bounce.
    pub mail_from: String,
    /// All recipients' addresses.
    pub recipients: Vec<String>,
    /// Give the message to nobody yet while the server asks for one of them to be tried later: what was
    /// taken for some cannot be sent to the others again without a second copy to those.
    pub together: bool,
}

/// Where in the dialogue something failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Reaching the server, its greeting, EHLO.
    Connect,
    /// STARTTLS and the certificate.
    Encrypt,
    /// AUTH.
    SignIn,
    /// MAIL FROM.
    Sender,
    /// RCPT TO.
    Recipients,
    /// DATA and the message itself.
    Content,
}

/// What the caller could try by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suggestion {
    /// Send this mailbox's mail by Microsoft Graph.
    UseGraph,
    /// Get a new access token and try once more.
    RefreshToken,
    /// Sign in with the sign-in name (UPN) in place of the address.
    TryUpn,
}

impl Suggestion {
    /// What to try when this did not help: a refusal at sign-in never says which of the three it needs.
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        match self {
            Self::RefreshToken => Some(Self::TryUpn),
            Self::TryUpn => Some(Self::UseGraph),
            Self::UseGraph => None,
        }
    }
}

/// The server did not take the message; it may be sent again without fear of a second copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Where it ended.
    pub stage: Stage,
    /// Why, and what to do.
    pub problem: Problem,
    /// What the caller could try by itself.
    pub suggests: Option<Suggestion>,
}

impl From<Problem> for Refusal {
    /// What keeps a message from being handed over before any server was spoken to.
    fn from(problem: Problem) -> Self {
        Self {
            stage: Stage::Connect,
            problem,
            suggests: None,
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        refusal.problem
    }
}

/// How handing over one message ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The server has taken responsibility for the message, for all recipients but those refused.
    Accepted {
        /// The server's final words.
        reply: String,
        /// The Message-ID the message has now, with angle brackets, when the server tells it: Outlook.com
        /// replaces ours.
        effective_message_id: Option<String>,
        /// Recipients the server did not take, each with the reason.
        refused_recipients: Vec<(String, Problem)>,
    },
    /// The server did not take the message.
    Refused(Refusal),
    /// The message was handed over to its last byte, but no answer came: it may or may not have been sent.
    Unknown {
        /// What happened.
        problem: Problem,
    },
}

#[cfg(test)]
mod tests;
