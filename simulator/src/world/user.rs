//! In charge of who exists: users and shared mailboxes, and what each may do.

use sha2::{Digest, Sha256};

use super::Language;

/// The tenant of all personal accounts.
/// Source: "OpenID Connect on the Microsoft identity platform", value of `consumers`.
pub const PERSONAL_TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// What kind of account a user is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountKind {
    /// A work or school account with its own mailbox.
    Work,
    /// An Outlook.com account.
    Personal,
    /// A shared mailbox: nobody signs in as it.
    Shared,
    /// Someone from another tenant; has no mailbox here.
    Guest,
}

/// The switch "Authenticated SMTP".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpAuth {
    /// Submission works.
    Enabled,
    /// Off for this mailbox.
    DisabledForMailbox,
    /// Off for the tenant and not switched on for this mailbox.
    DisabledForTenant,
}

/// A user or shared mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The home tenant's GUID.
    pub tenant_id: String,
    /// The GUID in the tenant.
    pub object_id: String,
    /// The sign-in name; may differ from the address.
    pub upn: String,
    /// The primary SMTP address.
    pub address: String,
    /// Further addresses that deliver here.
    pub aliases: Vec<String>,
    /// The name people see.
    pub display_name: String,
    /// What kind of account this is.
    pub kind: AccountKind,
    /// The language of the folder names, fixed when the mailbox is made.
    pub language: Language,
    /// Addresses of other mailboxes this user may open.
    pub full_access: Vec<String>,
    /// Addresses of other mailboxes this user may send as.
    pub send_as: Vec<String>,
    /// Whether IMAP may open the mailbox.
    pub imap_enabled: bool,
    /// Whether SMTP AUTH works.
    pub smtp_auth: SmtpAuth,
    /// Whether the mailbox has a licence.
    pub licensed: bool,
    /// Whether sign-in is blocked.
    pub disabled: bool,
    /// Whether sign-in asks for a second factor.
    pub needs_mfa: bool,
    /// Whether LIST shows `\Sent`, `\Drafts`, `\Trash` and `\Junk`; seen on personal accounts.
    pub list_flags: bool,
    /// Whether mail submitted by SMTP is filed in Sent Items
    /// (`MessageCopyForSMTPClientSubmissionEnabled`).
    pub smtp_sent_copy: bool,
}

impl User {
    /// A licensed user of a tenant, whose address is the sign-in name.
    #[must_use]
    pub fn work(tenant_id: &str, upn: &str, display_name: &str) -> Self {
        Self {
            tenant_id: tenant_id.to_owned(),
            object_id: object_id(tenant_id, upn),
            upn: upn.to_owned(),
            address: upn.to_owned(),
            aliases: Vec::new(),
            display_name: display_name.to_owned(),
            kind: AccountKind::Work,
            language: Language::En,
            full_access: Vec::new(),
            send_as: Vec::new(),
            imap_enabled: true,
            smtp_auth: SmtpAuth::Enabled,
            licensed: true,
            disabled: false,
            needs_mfa: false,
            list_flags: false,
            smtp_sent_copy: true,
        }
    }

    /// An Outlook.com account.
    #[must_use]
    pub fn personal(address: &str, display_name: &str) -> Self {
        Self {
            kind: AccountKind::Personal,
            list_flags: true,
            ..Self::work(PERSONAL_TENANT, address, display_name)
        }
    }

    /// A shared mailbox of a tenant. Exchange keeps the account behind it disabled.
    #[must_use]
    pub fn shared(tenant_id: &str, address: &str, display_name: &str) -> Self {
        Self {
            kind: AccountKind::Shared,
            disabled: true,
            ..Self::work(tenant_id, address, display_name)
        }
    }

    /// A guest in a tenant, with no mailbox there.
    #[must_use]
    pub fn guest(tenant_id: &str, upn: &str, display_name: &str) -> Self {
        Self {
            kind: AccountKind::Guest,
            licensed: false,
            ..Self::work(tenant_id, upn, display_name)
        }
    }

    /// Sets the primary address when it differs from the sign-in name.
    #[must_use]
    pub fn with_address(mut self, address: &str) -> Self {
        address.clone_into(&mut self.address);
        self
    }

    /// Adds a further address.
    #[must_use]
    pub fn with_alias(mut self, alias: &str) -> Self {
        self.aliases.push(alias.to_owned());
        self
    }

    /// Sets the language of the folder names.
    #[must_use]
    pub fn with_language(mut self, language: Language) -> Self {
        self.language = language;
        self
    }

    /// Gives Full Access and Send As on another mailbox.
    #[must_use]
    pub fn with_access_to(mut self, address: &str) -> Self {
        self.full_access.push(address.to_owned());
        self.send_as.push(address.to_owned());
        self
    }

    /// Whether `address` is this user's primary address, an alias or the sign-in name.
    #[must_use]
    pub fn is_called(&self, address: &str) -> bool {
        self.address.eq_ignore_ascii_case(address)
            || self.upn.eq_ignore_ascii_case(address)
            || self
                .aliases
                .iter()
                .any(|alias| alias.eq_ignore_ascii_case(address))
    }

    /// Whether one of this user's names stands in `list`.
    pub(super) fn listed_in(&self, list: &[String]) -> bool {
        list.iter().any(|entry| self.is_called(entry))
    }
}

/// A GUID that is always the same for the same user, so that tests and restarts agree.
fn object_id(tenant_id: &str, upn: &str) -> String {
    let digest = Sha256::digest(format!("{tenant_id}/{}", upn.to_lowercase()));
    let hex: String = digest
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    [
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32),
    ]
    .join("-")
}
