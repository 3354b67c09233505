//! The addresses a browser is sent to: a mailbox's owner to sign in and agree, an administrator to agree
//! for the whole organisation.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth2::basic::BasicClient;
use oauth2::{
    AuthUrl, ClientId, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope,
};
use url::Url;

use super::EntraApp;
use crate::problem::{Disposition, Problem};

/// What is known about the sign-in to be made.
#[derive(Debug, Clone, Default)]
pub struct ConsentRequest {
    /// The sign-in name to fill in, when the mailbox is known.
    pub login_hint: Option<String>,
    /// Whether a mailbox already connected signs in again.
    pub reconnect: bool,
}

/// A sign-in that was begun. All but the address must be kept until the browser comes back, bound to the browser's
/// session, and used once.
#[derive(Clone)]
pub struct ConsentStart {
    /// Where to send the browser.
    pub url: String,
    /// Comes back unchanged and tells which sign-in it was.
    pub state: String,
    /// Comes back inside the ID token.
    pub nonce: String,
    /// Proves at redemption that the sign-in was begun here (PKCE, RFC 7636).
    pub pkce_verifier: String,
}

impl std::fmt::Debug for ConsentStart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConsentStart").finish_non_exhaustive()
    }
}

/// Begins a sign-in that asks for everything Mailhatch ever needs, of Exchange and of Graph.
///
/// A first connection lets the owner choose the account, for an agent is often signed in as somebody else already;
/// a reconnection fills in the known name instead. Microsoft documents that the two cannot be combined
/// ("OpenID Connect on the Microsoft identity platform", `login_hint`).
///
/// # Errors
/// When `random` gives nothing, or an address in the settings is not a URL.
pub fn start(
    app: &EntraApp,
    request: &ConsentRequest,
    random: &mut dyn FnMut() -> Result<[u8; 32], Problem>,
) -> Result<ConsentStart, Problem> {
    let mut text = || random().map(|bytes| URL_SAFE_NO_PAD.encode(bytes));
    let (state, nonce, verifier) = (text()?, text()?, text()?);
    let challenge =
        PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(verifier.clone()));
    let authorize = AuthUrl::new(app.tenant_url("/oauth2/v2.0/authorize"))
        .map_err(|error| bad_address("MAILHATCH_MICROSOFT_LOGIN_URL", &error.to_string()))?;
    let client = BasicClient::new(ClientId::new(app.client_id.clone()))
        .set_auth_uri(authorize)
        .set_redirect_uri(redirect_url(app)?);
    let hint = request.login_hint.as_deref().map(str::trim);
    let hint = hint.filter(|hint| request.reconnect && !hint.is_empty());
    let choice = match hint {
        Some(name) => ("login_hint", name),
        None => ("prompt", "select_account"),
    };
    let (url, _) = client
        .authorize_url(|| CsrfToken::new(state.clone()))
        .add_scopes(app.endpoints.consent_scopes().into_iter().map(Scope::new))
        .set_pkce_challenge(challenge)
        .add_extra_param("response_mode", "query")
        .add_extra_param("nonce", nonce.as_str())
        .add_extra_param(choice.0, choice.1)
        .url();
    Ok(ConsentStart {
        url: url.into(),
        state,
        nonce,
        pkce_verifier: verifier,
    })
}

/// The page on which an administrator agrees for all of an organisation to everything listed in the
/// app registration. `tenant` is the organisation's id or domain; where it names none, Microsoft takes that of the
/// administrator who signs in (`common` is not allowed there).
///
/// Source: Microsoft, "Admin consent URI"; `.default` of Graph covers every permission of the registration,
/// those for IMAP and SMTP included ("Scopes and permissions").
#[must_use]
pub fn admin_consent_url(app: &EntraApp, tenant: &str, state: &str) -> String {
    let open = ["", "common", "consumers"]
        .iter()
        .any(|name| tenant.trim().eq_ignore_ascii_case(name));
    let tenant = if open { "organizations" } else { tenant };
    let scope = format!("{}.default", app.endpoints.graph_scope_prefix);
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query
        .append_pair("client_id", &app.client_id)
        .append_pair("scope", &scope)
        .append_pair("redirect_uri", &app.redirect_uri);
    if !state.is_empty() {
        query.append_pair("state", state);
    }
    format!(
        "{}?{}",
        app.url_of(tenant, "/v2.0/adminconsent"),
        query.finish()
    )
}

/// Why Entra will not take an address as a redirect URI, if so: plain `http` is allowed for `localhost` only, and an
/// address has at most 256 characters (Microsoft, "Redirect URI restrictions"). Worth saying before an
/// administrator goes to Entra.
#[must_use]
pub fn redirect_uri_obstacle(redirect_uri: &str) -> Option<Problem> {
    let needs = |sentence: String| {
        Problem::new(
            "redirect_uri",
            Disposition::NeedsAdmin,
            sentence,
            "Whoever runs Mailhatch gives it an address with https and sets MAILHATCH_URL to it: set MAILHATCH_TLS_CERT and MAILHATCH_TLS_KEY, or put a proxy with a certificate before it. For a trial use http://localhost.",
        )
        .with_detail(redirect_uri)
    };
    let Ok(url) = Url::parse(redirect_uri) else {
        return Some(needs(
            "The public address of Mailhatch is not a valid URL.".to_owned(),
        ));
    };
    if url.scheme() != "https" && url.host_str() != Some("localhost") {
        return Some(needs(format!(
            "Microsoft will not accept {redirect_uri}: a sign-in may only come back to an https address, or to http://localhost."
        )));
    }
    if redirect_uri.chars().count() > 256 {
        return Some(needs(
            "The public address of Mailhatch is longer than the 256 characters Microsoft accepts."
                .to_owned(),
        ));
    }
    None
}

pub(super) fn redirect_url(app: &EntraApp) -> Result<RedirectUrl, Problem> {
    RedirectUrl::new(app.redirect_uri.clone())
        .map_err(|error| bad_address("MAILHATCH_URL", &error.to_string()))
}

pub(super) fn bad_address(setting: &str, detail: &str) -> Problem {
    Problem::new(
        "bad_setting",
        Disposition::NeedsAdmin,
        format!("{setting} is not a valid URL."),
        format!("Whoever runs Mailhatch corrects {setting}; an address begins with https://."),
    )
    .with_detail(detail)
}
