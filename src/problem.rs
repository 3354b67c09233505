//! A failure as told to a person: what happened, what to do, who can do it, and what the program
//! does meanwhile. The same value is logged, stored, shown on a page and sent in an alert.

use serde::{Deserialize, Serialize};

/// What the program does about a problem until a person acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// Passing: try again, not before this many seconds (0: the caller's own back-off decides).
    RetryAfter {
        /// Seconds the other side asked us to wait.
        seconds: u64,
    },
    /// The mailbox's owner must sign in again ("reconnect").
    NeedsSignIn,
    /// An administrator of Microsoft 365 or of Mailhatch must change something.
    NeedsAdmin,
    /// Trying again cannot help; this one thing has failed for good.
    GiveUp,
}

/// A failure as told to a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Stable name of the kind, e.g. `AADSTS50173`, `smtp_auth_disabled`, `connect_timeout`.
    pub code: String,
    /// What happened and what it means, one or two sentences.
    pub sentence: String,
    /// What to do next, and who can do it.
    pub remedy: String,
    /// Where to do it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// A command to paste (Exchange Online PowerShell unless it says otherwise).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The other side's own words, cut to a sane length; never a secret or mail text.
    pub detail: String,
    /// What the program does meanwhile.
    pub disposition: Disposition,
}

/// Longest `detail` kept, in characters.
const DETAIL_MAX: usize = 600;

impl Problem {
    /// A problem with its code, sentence, remedy and disposition; the rest is added by the `with_` methods.
    pub fn new(
        code: impl Into<String>,
        disposition: Disposition,
        sentence: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            code: code.into(),
            sentence: sentence.into(),
            remedy: remedy.into(),
            link: None,
            command: None,
            detail: String::new(),
            disposition,
        }
    }

    /// Adds the other side's own words, without control characters and cut to 600 characters.
    #[must_use]
    pub fn with_detail(mut self, detail: impl AsRef<str>) -> Self {
        self.detail = detail
            .as_ref()
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(DETAIL_MAX)
            .collect::<String>()
            .trim()
            .to_owned();
        self
    }

    /// Adds where to do the remedy.
    #[must_use]
    pub fn with_link(mut self, link: impl Into<String>) -> Self {
        self.link = Some(link.into());
        self
    }

    /// Adds a command to paste.
    #[must_use]
    pub fn with_command(mut self, command: impl Into<String>) -> Self {
        self.command = Some(command.into());
        self
    }

    /// Whether trying again later can help without a person acting.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self.disposition, Disposition::RetryAfter { .. })
    }

    /// Seconds the other side asked us to wait; 0 when it did not say or the problem is permanent.
    #[must_use]
    pub const fn wait_seconds(&self) -> u64 {
        match self.disposition {
            Disposition::RetryAfter { seconds } => seconds,
            _ => 0,
        }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} [{}]", self.sentence, self.remedy, self.code)?;
        if self.detail.is_empty() {
            Ok(())
        } else {
            write!(f, " ({})", self.detail)
        }
    }
}

impl std::error::Error for Problem {}
