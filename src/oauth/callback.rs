//! What the browser brings back from Entra, up to a mailbox that can be served.
//!
//! Whether the `state` is one of ours, unused and of this browser is the caller's to check before anything here is
//! called, for the caller keeps it.

use std::fmt;

use serde::Deserialize;

use super::EntraApp;
use super::entra_errors::{self, EntraError};
use super::id_token::{self, Identity, KeyCache};
use super::profile::{Profile, profile};
use super::token::{TokenSet, redeem, refresh};
use crate::http::Http;
use crate::problem::{Disposition, Problem};
use crate::providers::microsoft::Resource;

/// The query of `/microsoft/callback` (RFC 6749 §4.1.2; Microsoft, "Admin consent URI").
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct CallbackQuery {
    /// What is redeemed for tokens, once.
    pub code: Option<String>,
    /// Our own text, unchanged.
    pub state: Option<String>,
    /// The name of an error.
    pub error: Option<String>,
    /// Entra's words about it.
    pub error_description: Option<String>,
    /// Further words some errors carry.
    pub error_subcode: Option<String>,
    /// `True` when an administrator comes back from the consent page; present with an error too.
    pub admin_consent: Option<String>,
    /// The tenant an administrator consented for. Not signed by anyone: good for a sentence, not for a decision.
    pub tenant: Option<String>,
}

impl fmt::Debug for CallbackQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallbackQuery")
            .field("has_code", &self.code.is_some())
            .field("error", &self.error)
            .field("admin_consent", &self.admin_consent)
            .finish_non_exhaustive()
    }
}

/// What a callback means.
#[derive(Debug)]
pub enum Returned {
    /// Somebody signed in; [`finish`] goes on from here.
    Code(String),
    /// An administrator agreed for the organisation.
    AdminConsent,
    /// It failed or was refused.
    Failed(Problem),
}

impl CallbackQuery {
    /// Tells the outcomes apart. An error counts before all else, for Entra sends `admin_consent=True`
    /// with errors as well.
    #[must_use]
    pub fn returned(&self, app: &EntraApp) -> Returned {
        let text = |field: &Option<String>| field.clone().filter(|text| !text.is_empty());
        if let Some(name) = text(&self.error) {
            let error = EntraError {
                error: name,
                error_description: text(&self.error_description).unwrap_or_default(),
                suberror: text(&self.error_subcode).unwrap_or_default(),
                ..EntraError::default()
            };
            return Returned::Failed(entra_errors::explain(&error, app));
        }
        if let Some(code) = text(&self.code) {
            return Returned::Code(code);
        }
        if text(&self.admin_consent).is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Returned::AdminConsent;
        }
        Returned::Failed(Problem::new(
            "callback_empty",
            Disposition::NeedsSignIn,
            "The browser came back from Microsoft without an answer.",
            "Connect the mailbox again, beginning in Mailhatch.",
        ))
    }
}

/// A mailbox whose owner has signed in.
#[derive(Clone)]
pub struct SignedIn {
    /// Who it was.
    pub identity: Identity,
    /// The first access token for IMAP and SMTP.
    pub exchange: TokenSet,
    /// The newest refresh token: the one to store.
    pub refresh_token: String,
    /// What Graph knows about the user, when it could be asked.
    pub profile: Option<Profile>,
    /// Why Graph could not be asked; the mailbox works without, but cannot send through Graph.
    pub graph_problem: Option<Problem>,
}

impl fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedIn")
            .field("tenant_id", &self.identity.tenant_id)
            .field("object_id", &self.identity.object_id)
            .field("exchange", &self.exchange)
            .finish_non_exhaustive()
    }
}

impl SignedIn {
    /// The name IMAP and SMTP are to be told: the sign-in name. With the mailbox's address in its place reading may
    /// work and sending fail, where the two differ.
    #[must_use]
    pub fn auth_user(&self) -> &str {
        match &self.profile {
            Some(profile) if !self.identity.personal && !profile.upn.is_empty() => &profile.upn,
            _ => &self.identity.upn,
        }
    }

    /// The address of the mailbox, for From: what Graph says, else the sign-in name.
    #[must_use]
    pub fn mailbox_address(&self) -> &str {
        self.profile
            .as_ref()
            .and_then(|profile| profile.mail.as_deref())
            .unwrap_or(&self.identity.upn)
    }
}

/// Ends a sign-in: redeems the code, verifies who signed in, and looks up the mailbox's address. Makes up to five
/// requests, each with the client's deadline.
///
/// # Errors
/// Entra's refusal, explained; a proof that does not hold; a guest; a permission that is missing.
pub fn finish(
    http: &Http,
    app: &EntraApp,
    query: &CallbackQuery,
    pkce_verifier: &str,
    nonce: &str,
    keys: &KeyCache,
    now: i64,
) -> Result<SignedIn, Problem> {
    let code = match query.returned(app) {
        Returned::Code(code) => code,
        Returned::Failed(problem) => return Err(problem),
        Returned::AdminConsent => return Err(only_admin_consent()),
    };
    let exchange = redeem(http, app, &code, pkce_verifier, now)?;
    let token = exchange.id_token.as_deref().ok_or_else(no_id_token)?;
    let identity = id_token::verify(http, app, token, nonce, keys, now)?;
    if !exchange.allows("IMAP.AccessAsUser.All") {
        return Err(no_mail_permission(&exchange));
    }
    let mut refresh_token = exchange
        .refresh_token
        .clone()
        .ok_or_else(no_refresh_token)?;
    let (profile, graph_problem) = match look_up(http, app, &mut refresh_token, now) {
        Ok(profile) => (Some(profile), None),
        Err(problem) => (None, Some(problem)),
    };
    let signed_in = SignedIn {
        identity,
        exchange,
        refresh_token,
        profile,
        graph_problem,
    };
    // In the tenant they visit, guests have a name with #EXT# in it and no mailbox (Microsoft,
    // "Properties of a B2B collaboration user").
    if signed_in.auth_user().to_ascii_uppercase().contains("#EXT#") {
        return Err(guest(signed_in.auth_user()));
    }
    Ok(signed_in)
}

/// Asks Graph about the user, and keeps the refresh token that this gives.
fn look_up(
    http: &Http,
    app: &EntraApp,
    refresh_token: &mut String,
    now: i64,
) -> Result<Profile, Problem> {
    let graph = refresh(http, app, refresh_token, Resource::Graph, now)?;
    if let Some(newer) = graph.refresh_token {
        *refresh_token = newer;
    }
    profile(http, app, &graph.access_token, now)
}

fn only_admin_consent() -> Problem {
    Problem::new(
        "admin_consent_only",
        Disposition::NeedsSignIn,
        "An administrator has agreed for the organisation, but no mailbox signed in.",
        "Connect the mailbox now.",
    )
}

fn no_id_token() -> Problem {
    Problem::new(
        "no_id_token",
        Disposition::NeedsAdmin,
        "Microsoft gave tokens but did not say who signed in.",
        "An administrator adds the delegated permissions openid and profile to the app registration; then the mailbox is connected again.",
    )
}

fn no_refresh_token() -> Problem {
    Problem::new(
        "no_refresh_token",
        Disposition::NeedsAdmin,
        "Microsoft let the sign-in pass for an hour only and gave nothing to renew it with.",
        "An administrator adds the delegated permission offline_access to the app registration and grants consent; then the mailbox is connected again.",
    )
}

fn no_mail_permission(tokens: &TokenSet) -> Problem {
    Problem::new(
        "no_imap_permission",
        Disposition::NeedsAdmin,
        "Microsoft did not grant the permission to read the mailbox (IMAP.AccessAsUser.All).",
        "An administrator adds it to the app registration under API permissions, Microsoft Graph, Delegated, and grants consent; then the mailbox is connected again.",
    )
    .with_detail(tokens.scopes.join(" "))
}

fn guest(user: &str) -> Problem {
    Problem::new(
        "guest_account",
        Disposition::NeedsSignIn,
        "The account that signed in is a guest of this organisation and has no mailbox in it.",
        "Sign in with an account that has its mailbox in this organisation. To serve a mailbox of the guest's own organisation, register the app as multi-tenant and set AZURE_TENANT_ID to organizations.",
    )
    .with_detail(user)
}
