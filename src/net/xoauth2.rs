//! XOAUTH2: what we say to prove who we are to an IMAP or SMTP server, and what a refusal says.
//!
//! Microsoft, "Authenticate an IMAP, POP or SMTP connection using OAuth", section "SASL XOAUTH2"; Google, "The
//! SASL XOAUTH2 Mechanism", for the challenge that carries the reason of a refusal.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Whose mailbox is opened, and the proof that we may. Its `Debug` shows no token.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The sign-in name (UPN), or the address of the shared mailbox to be opened.
    pub user: String,
    /// The OAuth access token for the mail servers; opaque to us.
    pub access_token: String,
}

impl Login {
    /// A login for `user` with `access_token`.
    pub fn new(user: impl Into<String>, access_token: impl Into<String>) -> Self {
        Self {
            user: user.into(),
            access_token: access_token.into(),
        }
    }

    /// What is sent, before base64. Control characters in the user's name are left out, so that a name cannot
    /// smuggle in a field of its own.
    #[must_use]
    pub fn payload(&self) -> String {
        let clean = |text: &str| text.chars().filter(|c| !c.is_control()).collect::<String>();
        format!(
            "user={}\x01auth=Bearer {}\x01\x01",
            clean(&self.user),
            clean(&self.access_token)
        )
    }

    /// What is sent, as one line of base64.
    #[must_use]
    pub fn payload_base64(&self) -> String {
        STANDARD.encode(self.payload())
    }
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// The words of a refusing challenge: base64 of a small JSON, shown as it is when it is neither.
#[must_use]
pub fn challenge_words(challenge_base64: &str) -> String {
    let trimmed = challenge_base64.trim();
    STANDARD.decode(trimmed).map_or_else(
        |_| trimmed.to_owned(),
        |bytes| String::from_utf8_lossy(&bytes).into_owned(),
    )
}
