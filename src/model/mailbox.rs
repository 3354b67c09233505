//! An address we serve, and what we keep to authenticate it.

use super::ids::MailboxId;
use super::words::words;
use crate::problem::Problem;

words! {
    /// Whether a mailbox works.
    MailboxStatus {
        /// Connected; the administrator has yet to choose what mail to take.
        Choosing = "choosing",
        /// Receives and sends.
        Active = "active",
        /// Its owner must sign in again.
        NeedsSignIn = "needs_sign_in",
        /// An administrator must change something (see the problem).
        NeedsAdmin = "needs_admin",
        /// Stopped by an administrator.
        Paused = "paused",
    }
}

words! {
    /// How replies leave.
    WayOut {
        /// SMTP client submission with XOAUTH2.
        Smtp = "smtp",
        /// Microsoft Graph sendMail.
        Graph = "graph",
    }
}

words! {
    /// Which mail of before the connection is taken.
    TakeFrom {
        /// Only what arrives from now on.
        New = "new",
        /// What arrived since `take_since_at`.
        Days = "days",
        /// Everything in the folder.
        All = "all",
    }
}

/// One address we serve.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Mailbox {
    /// Row id.
    pub id: MailboxId,
    /// The address customers write to.
    pub address: String,
    /// Name shown in lists and in From.
    pub name: String,
    /// Reached as a delegate: the person who signed in is not the mailbox itself.
    pub shared: bool,
    /// Whether it works.
    pub status: MailboxStatus,
    /// Which older mail is taken.
    pub take_from: TakeFrom,
    /// With [`TakeFrom::Days`]: the earliest arrival taken.
    pub take_since_at: Option<i64>,
    /// When to look for mail even if nothing was pushed: six-field cron text.
    pub poll_cron: String,
    /// How replies leave.
    pub way_out: WayOut,
    /// SMTP signs in as the person (UPN) rather than as the mailbox.
    pub send_as_upn: bool,
    /// Put under every reply; sanitised HTML.
    pub signature_html: String,
    /// When the last sync ended well.
    pub last_sync_at: Option<i64>,
    /// Messages received by the last sync that found any.
    pub last_sync_count: i64,
    /// What keeps it from receiving.
    pub problem: Option<Problem>,
    /// Since when.
    pub problem_at: Option<i64>,
    /// What keeps it from sending.
    pub send_problem: Option<Problem>,
    /// Since when.
    pub send_problem_at: Option<i64>,
    /// No message is handed over before this time (the provider's rate limits, a block).
    pub send_after_at: i64,
    /// When it was connected first.
    pub created_at: i64,
    /// An answer under another subject in an old conversation begins a new one.
    pub new_subject_splits: bool,
    /// Largest message its SMTP server said it takes.
    pub smtp_size_bytes: Option<i64>,
    /// Since when nothing leaves because the server refused again and again; a person ends it.
    pub sending_stopped_at: Option<i64>,
    /// Tenant of the person who signed in.
    pub tenant_id: String,
    /// Sign-in name of that person.
    pub upn: String,
    /// Display name of that person.
    pub person_name: String,
}

impl Mailbox {
    /// The user named in XOAUTH2 for IMAP: the mailbox itself when shared, else the person's
    /// sign-in name, which can differ from the address.
    #[must_use]
    pub fn imap_user(&self) -> &str {
        if self.shared {
            &self.address
        } else {
            &self.upn
        }
    }

    /// The user named in XOAUTH2 for SMTP.
    #[must_use]
    pub fn smtp_user(&self) -> &str {
        if self.shared && !self.send_as_upn {
            &self.address
        } else {
            &self.upn
        }
    }
}

/// What we keep to authenticate a mailbox. Tokens are in the clear here and sealed in the database.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// The mailbox it belongs to.
    pub mailbox_id: MailboxId,
    /// Tenant of the person; with the object id, the only identity that counts.
    pub tenant_id: String,
    /// The person's object id in that tenant.
    pub object_id: String,
    /// Sign-in name; may change.
    pub upn: String,
    /// Display name; may change.
    pub person_name: String,
    /// Newest refresh token.
    pub refresh_token: String,
    /// When it was given to us.
    pub refreshed_at: i64,
    /// Access token for IMAP and SMTP.
    pub exchange_token: Option<String>,
    /// When that ends.
    pub exchange_expires_at: i64,
    /// Access token for Graph.
    pub graph_token: Option<String>,
    /// When that ends.
    pub graph_expires_at: i64,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credential")
            .field("mailbox_id", &self.mailbox_id)
            .finish_non_exhaustive()
    }
}
