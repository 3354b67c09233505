//! Why a message was not delivered, as far as codes and words tell.

mod table;

use super::words;
use table::WORDS;

/// The common causes; each has a sentence in `explain`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    UnknownUser,
    UnknownHost,
    Moved,
    Disabled,
    Full,
    TooBig,
    BadSender,
    NoAnswer,
    Loop,
    Expired,
    Greylisted,
    Throttled,
    Authentication,
    Relaying,
    NotAllowed,
    Spam,
    Content,
    ServerFault,
}

impl Cause {
    /// The cause that a server's words name.
    pub(super) fn by_words(text: &str) -> Option<Self> {
        let text = words::fold(text, 4_000);
        let named = |(_, list): &&(Self, &[&str])| words::holds(&text, list);
        WORDS.iter().find(named).map(|(cause, _)| *cause)
    }

    /// The cause that a code names, and whether it surely means that: Exchange Online answers `5.7.1`,
    /// `5.4.1` and others for many causes.
    pub(super) fn by_code(status: &str) -> Option<(Self, bool)> {
        let mut pieces = status.split('.').skip(1);
        let code = (pieces.next()?.parse().ok()?, pieces.next()?.parse().ok()?);
        let found: (Self, bool) = match code {
            (1_u16, 1 | 3 | 10_u16) | (2, 5) => (Self::UnknownUser, true),
            (1, 0 | 4) => (Self::UnknownUser, false),
            (1, 2) | (4, 4 | 3 | 310) => (Self::UnknownHost, true),
            (1, 6) => (Self::Moved, false),
            (1, 7 | 8) => (Self::BadSender, true),
            (1, 9) => (Self::BadSender, false),
            (1, 100..) => (Self::UnknownUser, false),
            (2, 1) => (Self::Disabled, false),
            (2, 2) => (Self::Full, true),
            (2, 3) | (3, 4) => (Self::TooBig, true),
            (2, 4) | (7, 2) => (Self::NotAllowed, false),
            (3, 1) => (Self::Full, false),
            (3, _) => (Self::ServerFault, false),
            (4, 1 | 2) => (Self::NoAnswer, false),
            (4, 5) => (Self::Throttled, false),
            (4, 6 | 14) => (Self::Loop, true),
            (4, 7) => (Self::Expired, false),
            (4, 316) => (Self::NoAnswer, true),
            (6, _) => (Self::Content, false),
            (7, 20..=29 | 9 | 509) => (Self::Authentication, true),
            (7, 64) => (Self::Relaying, true),
            (7, 117..=136 | 193) => (Self::NotAllowed, true),
            (7, 12..=17) => (Self::NotAllowed, false),
            (7, 500..=599) => (Self::Spam, true),
            (7, _) => (Self::Spam, false),
            _ => return None,
        };
        Some(found)
    }

    /// The cause by both: an exact code first, then words, then a vague code.
    pub(super) fn of(status: &str, diagnostic: &str) -> Option<Self> {
        match Self::by_code(status) {
            Some((cause, true)) => Some(cause),
            vague => Self::by_words(diagnostic).or(vague.map(|(cause, _)| cause)),
        }
    }

    /// Subject and detail of the status code that stands for the cause (RFC 3463 section 3, RFC 7372).
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::UnknownUser => "1.1",
            Self::UnknownHost => "1.2",
            Self::Moved => "1.6",
            Self::BadSender => "1.8",
            Self::Disabled => "2.1",
            Self::Full => "2.2",
            Self::TooBig => "3.4",
            Self::NoAnswer => "4.1",
            Self::Throttled => "4.5",
            Self::Loop => "4.6",
            Self::Expired => "4.7",
            Self::Authentication => "7.26",
            Self::NotAllowed => "7.2",
            Self::Relaying | Self::Spam | Self::Content | Self::Greylisted => "7.1",
            Self::ServerFault => "3.0",
        }
    }
}
