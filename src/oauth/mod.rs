//! Signing in at Microsoft's Entra: the consent address, the answer that comes back, tokens and their
//! renewal, and what Entra's errors mean.
//!
//! The only module that knows the `oauth2` crate. It takes values and returns values or a
//! [`Problem`]; what must be remembered between two steps is the caller's to keep.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::problem::{Disposition, Problem};
use crate::providers::microsoft::Endpoints;

mod assertion;
pub mod callback;
pub mod check;
pub mod consent;
pub mod entra_errors;
pub mod id_token;
mod keys;
pub mod profile;
pub mod token;

pub use callback::{CallbackQuery, Returned, SignedIn, finish};
pub use check::{AppCheck, CredentialCheck, check_app};
pub use consent::{ConsentRequest, ConsentStart, admin_consent_url, start};
pub use id_token::{Identity, KeyCache};
pub use profile::{Profile, profile};
pub use token::{TokenSet, redeem, refresh};

/// How the app proves to Entra that it is the app.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppCredential {
    /// The Value of a client secret.
    Secret(String),
    /// A certificate and its private key (RSA), as PEM.
    Certificate {
        /// Both PEM blocks, in any order.
        pem: String,
    },
}

impl fmt::Debug for AppCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Secret(_) => "Secret(…)",
            Self::Certificate { .. } => "Certificate(…)",
        })
    }
}

/// The app registration this program signs people in with.
#[derive(Debug, Clone)]
pub struct EntraApp {
    /// Application (client) ID.
    pub client_id: String,
    /// Secret or certificate.
    pub credential: AppCredential,
    /// Tenant id, a domain of the tenant, `common`, `organizations` or `consumers`.
    pub tenant: String,
    /// The cloud's addresses.
    pub endpoints: Endpoints,
    /// Where Entra sends the browser back: `<MAILHATCH_URL>/microsoft/callback`.
    pub redirect_uri: String,
}

impl EntraApp {
    /// An address of this app's tenant at Entra, `path` beginning with a slash.
    pub(crate) fn tenant_url(&self, path: &str) -> String {
        self.url_of(&self.tenant, path)
    }

    /// The same for another tenant. A tenant is set by a person, so it is encoded as one path segment.
    pub(crate) fn url_of(&self, tenant: &str, path: &str) -> String {
        let segment: String =
            url::form_urlencoded::byte_serialize(tenant.trim().as_bytes()).collect();
        format!("{}/{segment}{path}", self.endpoints.login_url)
    }

    /// Where tokens are had.
    pub(crate) fn token_url(&self) -> String {
        self.tenant_url("/oauth2/v2.0/token")
    }

    /// Whether the tenant names one organisation, and not `common` and its like.
    pub(crate) fn has_concrete_tenant(&self) -> bool {
        !["common", "organizations", "consumers"]
            .iter()
            .any(|name| self.tenant.trim().eq_ignore_ascii_case(name))
    }
}

/// Thirty-two random bytes from the operating system.
///
/// # Errors
/// When the operating system gives none.
pub fn system_random() -> Result<[u8; 32], Problem> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| {
        Problem::new(
            "no_randomness",
            Disposition::RetryAfter { seconds: 0 },
            "The operating system gave no random numbers, without which nothing can be signed in safely.",
            "Whoever runs Mailhatch checks that it may use the getrandom system call.",
        )
        .with_detail(error.to_string())
    })?;
    Ok(bytes)
}

/// Whether a text has the form of a GUID (RFC 9562 §4), as tenant, app and user ids have.
#[must_use]
pub fn is_guid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    lengths == [8, 4, 4, 4, 12]
        && groups
            .iter()
            .all(|group| group.chars().all(|c| c.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests;
