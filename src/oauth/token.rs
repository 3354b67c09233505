//! Tokens: redeeming the code of a sign-in, renewing, and how the app authenticates while doing so.
//!
//! One access token is for one resource; the refresh token serves both and changes at every use
//! (Microsoft, "Refresh tokens"). The caller stores the newest one before it uses an access token, and
//! refreshes one mailbox at a time.

use std::cell::RefCell;
use std::fmt;

use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse,
    BasicTokenType,
};
use oauth2::{
    AuthType, AuthorizationCode, Client, ClientId, ClientSecret, EndpointNotSet, EndpointSet,
    ExtraTokenFields, HttpRequest, HttpResponse, PkceCodeVerifier, RefreshToken, RequestTokenError,
    Scope, StandardRevocableToken, StandardTokenResponse, SyncHttpClient, TokenResponse, TokenUrl,
};
use serde::{Deserialize, Serialize};

use super::consent::{bad_address, redirect_url};
use super::entra_errors::{self, EntraError};
use super::{AppCredential, EntraApp, assertion};
use crate::http::{Http, HttpAnswer};
use crate::problem::{Disposition, Problem};
use crate::providers::microsoft::{Resource, grants, openid_scopes};

/// Lifetime taken when an answer names none, which Entra's never do: short, so that it is asked again.
const LIFETIME_UNSTATED_SECONDS: i64 = 300;

/// What the token endpoint gave.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenSet {
    /// What IMAP, SMTP or Graph are shown. Opaque to us.
    pub access_token: String,
    /// When the access token runs out, unix seconds; Entra chooses 60 to 90 minutes at random.
    pub expires_at: i64,
    /// Takes the place of the refresh token we had.
    pub refresh_token: Option<String>,
    /// What was granted, as Entra writes it.
    pub scopes: Vec<String>,
    /// Who signed in; only on redemption.
    pub id_token: Option<String>,
}

impl TokenSet {
    /// Whether a permission such as `SMTP.Send` was granted.
    #[must_use]
    pub fn allows(&self, permission: &str) -> bool {
        self.scopes.iter().any(|scope| grants(scope, permission))
    }
}

impl fmt::Debug for TokenSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSet")
            .field("expires_at", &self.expires_at)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

/// Redeems the code of a sign-in for a token for Exchange, a refresh token and an ID token.
///
/// # Errors
/// Entra's refusal, explained, or the network's failure.
pub fn redeem(
    http: &Http,
    app: &EntraApp,
    code: &str,
    pkce_verifier: &str,
    now: i64,
) -> Result<TokenSet, Problem> {
    let mut scopes = openid_scopes();
    scopes.extend(app.endpoints.scopes(Resource::Exchange));
    let scope = scopes.join(" ");
    let client = client(app)?.set_redirect_uri(redirect_url(app)?);
    let mut request = client
        .exchange_code(AuthorizationCode::new(code.to_owned()))
        .set_pkce_verifier(PkceCodeVerifier::new(pkce_verifier.to_owned()))
        .add_extra_param("scope", scope);
    for (name, value) in proof(app, now)? {
        request = request.add_extra_param(name, value);
    }
    let wire = Wire::new(http);
    wire.settle(request.request(&wire), app, &scopes, now)
}

/// Renews: an access token for `resource`, and the refresh token that takes the place of the old one.
///
/// # Errors
/// Entra's refusal, explained: most often that the mailbox's owner must sign in again. Or the network's failure.
pub fn refresh(
    http: &Http,
    app: &EntraApp,
    refresh_token: &str,
    resource: Resource,
    now: i64,
) -> Result<TokenSet, Problem> {
    let scopes = app.endpoints.scopes(resource);
    let client = client(app)?;
    let token = RefreshToken::new(refresh_token.to_owned());
    let mut request = client
        .exchange_refresh_token(&token)
        .add_scopes(scopes.iter().cloned().map(Scope::new))
        .add_scope(Scope::new("offline_access".to_owned()));
    for (name, value) in proof(app, now)? {
        request = request.add_extra_param(name, value);
    }
    let wire = Wire::new(http);
    wire.settle(request.request(&wire), app, &scopes, now)
}

/// A token for the app itself, without a user: nothing is done with it, but getting it proves the credentials.
pub(super) fn as_app(http: &Http, app: &EntraApp, now: i64) -> Result<TokenSet, Problem> {
    let scopes = vec![format!("{}.default", app.endpoints.graph_scope_prefix)];
    let client = client(app)?;
    let mut request = client
        .exchange_client_credentials()
        .add_scopes(scopes.iter().cloned().map(Scope::new));
    for (name, value) in proof(app, now)? {
        request = request.add_extra_param(name, value);
    }
    let wire = Wire::new(http);
    wire.settle(request.request(&wire), app, &scopes, now)
}

type EntraClient<Token> = Client<
    BasicErrorResponse,
    EntraTokens,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    Token,
>;
type EntraTokens = StandardTokenResponse<IdTokenField, BasicTokenType>;

/// What Entra's token answer holds beyond RFC 6749 (OpenID Connect Core §3.1.3.3).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct IdTokenField {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
}

impl ExtraTokenFields for IdTokenField {}

/// Id and secret go in the body (`client_secret_post`), which Entra documents for every grant.
fn client(app: &EntraApp) -> Result<EntraClient<EndpointSet>, Problem> {
    let token_url = TokenUrl::new(app.token_url())
        .map_err(|error| bad_address("MAILHATCH_MICROSOFT_LOGIN_URL", &error.to_string()))?;
    let client = Client::new(ClientId::new(app.client_id.trim().to_owned()))
        .set_auth_type(AuthType::RequestBody);
    let client: EntraClient<EndpointNotSet> = match &app.credential {
        AppCredential::Secret(secret) => {
            client.set_client_secret(ClientSecret::new(secret.trim().to_owned()))
        }
        AppCredential::Certificate { .. } => client,
    };
    Ok(client.set_token_uri(token_url))
}

/// The fields that prove who the app is when it has a certificate.
fn proof(app: &EntraApp, now: i64) -> Result<Vec<(&'static str, String)>, Problem> {
    match &app.credential {
        AppCredential::Secret(_) => Ok(Vec::new()),
        AppCredential::Certificate { pem } => Ok(vec![
            (
                "client_assertion_type",
                assertion::ASSERTION_TYPE.to_owned(),
            ),
            ("client_assertion", assertion::sign(app, pem, now)?),
        ]),
    }
}

/// Carries the library's requests over our client, and keeps the answer: an error's status, waiting time and
/// Entra's own fields are lost in the library's view of it.
struct Wire<'a> {
    http: &'a Http,
    answer: RefCell<Option<HttpAnswer>>,
}

impl<'a> Wire<'a> {
    const fn new(http: &'a Http) -> Self {
        Self {
            http,
            answer: RefCell::new(None),
        }
    }

    fn settle(
        &self,
        result: Result<EntraTokens, RequestTokenError<Problem, BasicErrorResponse>>,
        app: &EntraApp,
        asked: &[String],
        now: i64,
    ) -> Result<TokenSet, Problem> {
        let tokens = match result {
            Ok(tokens) => tokens,
            Err(RequestTokenError::Request(problem)) => return Err(problem),
            Err(other) => {
                return Err(match self.answer.borrow().as_ref() {
                    Some(answer) if !answer.is_success() => {
                        entra_errors::explain(&EntraError::from_answer(answer, now), app)
                    }
                    _ => not_tokens(&other.to_string()),
                });
            }
        };
        let lifetime = tokens
            .expires_in()
            .map_or(LIFETIME_UNSTATED_SECONDS, |lifetime| {
                i64::try_from(lifetime.as_secs()).unwrap_or(LIFETIME_UNSTATED_SECONDS)
            });
        Ok(TokenSet {
            access_token: tokens.access_token().secret().clone(),
            expires_at: now.saturating_add(lifetime),
            refresh_token: tokens.refresh_token().map(|token| token.secret().clone()),
            // RFC 6749 §5.1: an answer without scopes grants what was asked for.
            scopes: tokens.scopes().map_or_else(
                || asked.to_vec(),
                |scopes| scopes.iter().map(|scope| scope.to_string()).collect(),
            ),
            id_token: tokens.extra_fields().id_token.clone(),
        })
    }
}

impl SyncHttpClient for Wire<'_> {
    type Error = Problem;

    fn call(&self, request: HttpRequest) -> Result<HttpResponse, Problem> {
        let headers: Vec<(&str, &str)> = request
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
            .collect();
        let answer = self
            .http
            .post(&request.uri().to_string(), &headers, request.body())?;
        let mut response = oauth2::http::Response::builder().status(answer.status);
        if let Some(content_type) = answer.header("content-type") {
            response = response.header("content-type", content_type);
        }
        let response = response
            .body(answer.body.clone())
            .map_err(|error| not_tokens(&error.to_string()));
        self.answer.replace(Some(answer));
        response
    }
}

fn not_tokens(detail: &str) -> Problem {
    Problem::new(
        "entra_unreadable",
        Disposition::RetryAfter { seconds: 0 },
        "What Microsoft's sign-in service answered cannot be read as tokens.",
        "Check whether a proxy answers in its place, and MAILHATCH_MICROSOFT_LOGIN_URL. Mailhatch tries again by itself.",
    )
    .with_detail(detail)
}
