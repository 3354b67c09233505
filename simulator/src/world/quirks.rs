//! In charge of which of Exchange Online's recorded oddities are switched on.
//!
//! The defaults are what a tenant most often shows; the rest can be switched on one by one.

/// Which IMAP greeting is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Greeting {
    /// `The Microsoft Exchange IMAP4 service is ready. [base64]`
    #[default]
    Classic,
    /// The newer front end's, with a GUID and `tcpproxy`.
    Proxy,
}

/// How a mailbox with IMAP switched off shows itself. Both were recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ImapDisabled {
    /// Authentication succeeds, then nothing works.
    #[default]
    NotConnected,
    /// `NO AUTHENTICATE failed.`
    AuthenticateFailed,
}

/// How far RFC822.SIZE is from the truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WrongSize {
    /// Every third message is reported three times as large as it is.
    #[default]
    EveryThird,
    /// Every message is reported as `times / by` of its size.
    All {
        /// Multiplied by this.
        times: u32,
        /// Divided by this.
        by: u32,
    },
    /// Sizes are exact.
    Never,
}

/// The switches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quirks {
    /// IMAP greeting.
    pub greeting: Greeting,
    /// Before authentication offer `AUTH=XOAUTH2 LOGINDISABLED` instead of `AUTH=PLAIN AUTH=XOAUTH2`.
    pub login_disabled: bool,
    /// Advertise `ENABLE IMAP4rev2` after authentication, as some tenants do since 2026; LSUB is
    /// then answered BAD and SEARCH answers with ESEARCH once rev2 was enabled.
    pub imap4rev2: bool,
    /// Offer MOVE (RFC 6851), as Exchange Online does.
    pub offers_move: bool,
    /// Offer UIDPLUS (RFC 4315), as Exchange Online does.
    pub offers_uidplus: bool,
    /// Refuse XOAUTH2 with the base64 JSON challenge first, instead of at once.
    pub json_challenge: bool,
    /// How IMAP shows that it is switched off for a mailbox.
    pub imap_disabled: ImapDisabled,
    /// End an open IMAP session when its access token expires.
    pub cut_at_expiry: bool,
    /// FETCH answers with RFC822.SIZE before UID.
    pub size_before_uid: bool,
    /// RFC822.SIZE.
    pub wrong_size: WrongSize,
    /// Messages a mailbox may submit per minute; `None` for no limit. Microsoft's number is 30.
    pub messages_per_minute: Option<u32>,
    /// SMTP connections a mailbox may have at once. Microsoft's number is 3.
    pub smtp_connections: u32,
    /// Block a mailbox from SMTP after this many messages it had no right to send as.
    pub block_after_send_as_errors: Option<u32>,
    /// Refuse an envelope sender that is not permitted only at the end of DATA, with
    /// `554 … SendAsDenied`, instead of `550 5.7.60` at MAIL FROM. The From header is always looked
    /// at there.
    pub send_as_denied_late: bool,
    /// SMTP takes only the sign-in name in `user=`, as some tenants do where the primary address
    /// differs from it.
    pub smtp_needs_upn: bool,
    /// Graph gives mail a new Message-ID for personal accounts, as SMTP does. Not known to happen.
    pub graph_rewrites_message_id: bool,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            greeting: Greeting::default(),
            login_disabled: false,
            imap4rev2: false,
            offers_move: true,
            offers_uidplus: true,
            json_challenge: false,
            imap_disabled: ImapDisabled::default(),
            cut_at_expiry: false,
            size_before_uid: true,
            wrong_size: WrongSize::default(),
            messages_per_minute: None,
            smtp_connections: 3,
            block_after_send_as_errors: Some(5),
            send_as_denied_late: false,
            smtp_needs_upn: true,
            graph_rewrites_message_id: false,
        }
    }
}
