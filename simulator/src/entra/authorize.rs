//! `/{T}/oauth2/v2.0/authorize`: from the request over account, second factor and consent to the
//! code.
//!
//! Every step is a form that posts to the address it stands at, so the request itself carries the
//! state. Errors that make the redirect URI doubtful stay on Entra's own page; all others go back
//! to the application (RFC 6749 §4.1.2.1).

use super::app::App;
use super::consent::is_consumer;
use super::errors::AadError;
use super::mint::{Code, new_code};
use super::pages::{self, Links};
use super::scopes::Scope;
use super::tenant::Authority;
use super::{Entra, random};
use crate::http::{Method, Request, Response, encode_pairs};
use crate::world::User;

/// The cookie that remembers who is signed in to the pretend Entra.
pub(super) const SESSION_COOKIE: &str = "pretend_microsoft_session";

/// How the answer travels back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// In the query of the redirect URI.
    Query,
    /// Behind `#`; never reaches a server.
    Fragment,
    /// As a form the browser posts.
    FormPost,
}

/// An answer to the application.
#[derive(Debug)]
pub(super) struct Back {
    pub(super) redirect_uri: String,
    pub(super) mode: Mode,
    pub(super) params: Vec<(String, String)>,
}

impl Back {
    /// The redirect, or the page with the form.
    pub(super) fn respond(&self) -> Response {
        match self.mode {
            Mode::FormPost => pages::form_post(&self.redirect_uri, &self.params),
            Mode::Query | Mode::Fragment => {
                let Ok(mut url) = url::Url::parse(&self.redirect_uri) else {
                    return Response::text_page(
                        500,
                        "the registered redirect URI is not an address",
                    );
                };
                if self.mode == Mode::Fragment {
                    url.set_fragment(Some(&encode_pairs(&self.params)));
                } else {
                    url.query_pairs_mut().extend_pairs(&self.params);
                }
                Response::redirect(url.as_str())
            }
        }
    }
}

/// A request whose client and redirect URI are sound.
struct Asked {
    authority: Authority,
    app: App,
    back_to: Return,
    scopes: Vec<Scope>,
    prompt: Option<Prompt>,
    login_hint: Option<String>,
    nonce: Option<String>,
    challenge: Option<(String, bool)>,
}

/// Where the answer goes.
pub(super) struct Return {
    redirect_uri: String,
    mode: Mode,
    state: Option<String>,
    login_url: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prompt {
    None,
    Login,
    Consent,
    SelectAccount,
}

impl Return {
    fn with(&self, mut params: Vec<(String, String)>) -> Response {
        if let Some(state) = &self.state {
            params.push(("state".to_owned(), state.clone()));
        }
        Back {
            redirect_uri: self.redirect_uri.clone(),
            mode: self.mode,
            params,
        }
        .respond()
    }

    pub(super) fn error(&self, error: &AadError, subcode: Option<&str>, now: i64) -> Response {
        let mut params = vec![("error".to_owned(), error.error.clone())];
        if let Some(subcode) = subcode {
            params.push(("error_subcode".to_owned(), subcode.to_owned()));
        }
        params.push(("error_description".to_owned(), error.description(now)));
        params.push(("error_uri".to_owned(), error.uri(&self.login_url)));
        self.with(params)
    }

    /// The user clicked Cancel, or went back from "Need admin approval".
    fn cancelled(&self, now: i64) -> Response {
        let text = "User declined to consent to access the app.";
        self.error(
            &AadError::new(400, "access_denied", 65004, text),
            Some("cancel"),
            now,
        )
    }
}

impl Entra {
    /// One step of the browser's way.
    pub(super) fn authorize(&self, tenant: &str, request: &Request) -> Response {
        let now = self.clock.now();
        let (authority, app, back_to) = match self.trusted_part(tenant, request) {
            Ok(parts) => parts,
            Err(error) => return pages::error(&error, now),
        };
        match asked(authority, app, back_to, request) {
            Ok(asked) => self.step(&asked, request),
            Err(refusal) => {
                let (error, back_to) = *refusal;
                back_to.error(&error, None, now)
            }
        }
    }

    /// The parts whose errors must not be sent anywhere.
    pub(super) fn trusted_part(
        &self,
        tenant: &str,
        request: &Request,
    ) -> Result<(Authority, App, Return), AadError> {
        let query = &request.query;
        let authority = Authority::parse(tenant, &self.tenants())?;
        let client_id = query
            .get("client_id")
            .ok_or_else(|| AadError::missing("client_id"))?;
        let app = self.app_for(&authority, client_id)?;
        let redirect_uri = checked_redirect(&app, query.get("redirect_uri"))?;
        let mode = match query.get("response_mode") {
            Some("form_post") => Mode::FormPost,
            Some("fragment") => Mode::Fragment,
            _ => Mode::Query,
        };
        let state = query.get("state").map(without_markup);
        let login_url = self.state().login_url.clone();
        Ok((
            authority,
            app,
            Return {
                redirect_uri,
                mode,
                state,
                login_url,
            },
        ))
    }

    fn step(&self, asked: &Asked, request: &Request) -> Response {
        let now = self.clock.now();
        let form = &request.form;
        let decision = form.get("decision");
        if decision == Some("cancel") {
            return asked.back_to.cancelled(now);
        }
        let links = Links::of(request);
        let posted = (request.method == Method::Post)
            .then(|| form.get("account"))
            .flatten();
        let Some(name) = posted
            .map(str::to_owned)
            .or_else(|| self.remembered(asked, request))
        else {
            if asked.prompt == Some(Prompt::None) {
                let text = "Session information is not sufficient for single-sign-on.";
                return asked.back_to.error(
                    &AadError::new(400, "login_required", 50058, text),
                    None,
                    now,
                );
            }
            let hint = asked
                .login_hint
                .as_deref()
                .filter(|_| asked.prompt != Some(Prompt::SelectAccount));
            return pages::picker(
                &links,
                &asked.app.name,
                &self.pickable(&asked.authority),
                hint,
                None,
            );
        };
        let user = match self.sign_in(&asked.authority, &asked.app, &name) {
            Ok(user) => user,
            Err(error) if asked.prompt == Some(Prompt::None) => {
                return asked.back_to.error(
                    &AadError {
                        error: "interaction_required".into(),
                        ..error
                    },
                    None,
                    now,
                );
            }
            Err(error) => {
                let users = self.pickable(&asked.authority);
                return pages::picker(&links, &asked.app.name, &users, None, Some(&(error, now)));
            }
        };
        if posted.is_some() && user.needs_mfa && form.get("approve").is_none() {
            return pages::second_factor(&links, &user);
        }
        let response = self.consent_step(asked, &links, &user, decision);
        let session = random::text(43);
        self.state().sessions.insert(session.clone(), user.upn);
        response.with_cookie(SESSION_COOKIE, &session)
    }

    fn consent_step(
        &self,
        asked: &Asked,
        links: &Links,
        user: &User,
        decision: Option<&str>,
    ) -> Response {
        let now = self.clock.now();
        let missing = self.missing_consent(&asked.app, user, &asked.scopes);
        let must_ask = !missing.is_empty() || asked.prompt == Some(Prompt::Consent);
        if must_ask && asked.prompt == Some(Prompt::None) {
            let text = super::errors::sentence(65001);
            return asked.back_to.error(
                &AadError::new(400, "consent_required", 65001, text),
                None,
                now,
            );
        }
        if must_ask && !self.may_consent(&asked.app, user, &missing) {
            return pages::needs_admin(links, &asked.app, user, &asked.scopes, true);
        }
        match decision {
            Some("accept") if must_ask => self.record_consent(&asked.app, user, &asked.scopes),
            Some("accept_for_all") if must_ask && self.is_admin(user) => {
                self.record_tenant_consent(&asked.app, &user.tenant_id, &asked.scopes);
            }
            _ if must_ask => {
                return pages::consent(links, &asked.app, user, &asked.scopes, self.is_admin(user));
            }
            _ => {}
        }
        self.finish(asked, user)
    }

    /// The answer with a fresh code.
    fn finish(&self, asked: &Asked, user: &User) -> Response {
        let code = new_code(user);
        let remembered = Code {
            authority: asked.authority.clone(),
            client_id: asked.app.client_id.clone(),
            upn: user.upn.clone(),
            redirect_uri: asked.back_to.redirect_uri.clone(),
            scopes: asked.scopes.clone(),
            nonce: asked.nonce.clone(),
            challenge: asked.challenge.clone(),
            issued_at: self.clock.now(),
            redeemed: false,
        };
        self.state().codes.insert(code.clone(), remembered);
        let mut params = vec![("code".to_owned(), code)];
        if !is_consumer(user) {
            params.push(("session_state".to_owned(), random::guid()));
        }
        asked.back_to.with(params)
    }

    /// Who is signed in to this browser and may go on without being asked.
    fn remembered(&self, asked: &Asked, request: &Request) -> Option<String> {
        if matches!(asked.prompt, Some(Prompt::Login | Prompt::SelectAccount)) {
            return None;
        }
        let session = request.cookie(SESSION_COOKIE)?;
        let upn = self.state().sessions.get(session).cloned()?;
        let fits = asked
            .login_hint
            .as_ref()
            .is_none_or(|hint| hint.eq_ignore_ascii_case(&upn));
        (fits
            && self
                .pickable(&asked.authority)
                .iter()
                .any(|user| user.upn == upn))
        .then_some(upn)
    }
}

/// The redirect URI of a request, if it is registered.
pub(super) fn checked_redirect(app: &App, asked: Option<&str>) -> Result<String, AadError> {
    let Some(uri) = asked else {
        return app.redirect_uris.first().cloned().ok_or_else(|| {
            AadError::new(
                400,
                "invalid_client",
                500_113,
                "No reply address is registered for the application.",
            )
        });
    };
    if app.allows_redirect(uri) {
        return Ok(uri.to_owned());
    }
    Err(AadError::new(
        400,
        "invalid_request",
        50011,
        format!(
            "The redirect URI '{uri}' specified in the request does not match the redirect URIs \
             configured for the application '{}'. Make sure the redirect URI sent in the request \
             matches one added to your application in the Azure portal. Navigate to \
             https://aka.ms/redirectUriMismatchError to learn more about how to troubleshoot this \
             error.",
            app.client_id
        ),
    ))
}

/// The whole request, or the error to send back.
fn asked(
    authority: Authority,
    app: App,
    back_to: Return,
    request: &Request,
) -> Result<Asked, Box<(AadError, Return)>> {
    match parse_rest(&app, request) {
        Ok((scopes, prompt, challenge)) => {
            let text = |name: &str| request.query.get(name).map(str::to_owned);
            let (login_hint, nonce) = (text("login_hint"), text("nonce"));
            Ok(Asked {
                authority,
                app,
                back_to,
                scopes,
                prompt,
                login_hint,
                nonce,
                challenge,
            })
        }
        Err(error) => Err(Box::new((error, back_to))),
    }
}

type Rest = (Vec<Scope>, Option<Prompt>, Option<(String, bool)>);

/// The parts whose errors go back to the application.
fn parse_rest(app: &App, request: &Request) -> Result<Rest, AadError> {
    let query = &request.query;
    match query.get("response_type") {
        Some("code") => {}
        None => return Err(AadError::missing("response_type")),
        Some(kind) if kind.split(' ').any(|word| word == "id_token") => {
            return Err(AadError::new(
                400,
                "unsupported_response_type",
                700_054,
                "response_type 'id_token' is not enabled for the application.",
            ));
        }
        Some(kind) => {
            return Err(AadError::new(
                400,
                "unsupported_response_type",
                700_051,
                format!("response_type '{kind}' is not enabled for the application."),
            ));
        }
    }
    if let Some(mode) = query.get("response_mode")
        && !matches!(mode, "query" | "fragment" | "form_post")
    {
        return Err(AadError::new(
            400,
            "invalid_request",
            70007,
            format!(
                "'{mode}' is not a supported value of 'response_mode' when requesting a token."
            ),
        ));
    }
    let scope = query
        .get("scope")
        .ok_or_else(|| AadError::missing("scope"))?;
    let scopes = Scope::parse_list(scope, &app.name)?;
    let prompt = match query.get("prompt") {
        None => None,
        Some("none") => Some(Prompt::None),
        Some("login") => Some(Prompt::Login),
        Some("consent") => Some(Prompt::Consent),
        Some("select_account") => Some(Prompt::SelectAccount),
        Some(_) => {
            return Err(AadError::new(
                400,
                "invalid_request",
                90023,
                "Unsupported 'prompt' value.",
            ));
        }
    };
    Ok((scopes, prompt, challenge(request)?))
}

/// RFC 7636 §4.2 and §4.3: a challenge is 43 to 128 characters, an absent method means `plain`.
fn challenge(request: &Request) -> Result<Option<(String, bool)>, AadError> {
    let Some(challenge) = request.query.get("code_challenge") else {
        return Ok(None);
    };
    let s256 = match request.query.get("code_challenge_method") {
        None | Some("plain") => false,
        Some("S256") => true,
        Some(_) => {
            return Err(AadError::new(
                400,
                "invalid_request",
                501_491,
                "The code_challenge_method is not supported.",
            ));
        }
    };
    let fits = if s256 {
        challenge.len() == 43
    } else {
        (43..=128).contains(&challenge.len())
    };
    if !fits {
        return Err(AadError::new(
            400,
            "invalid_request",
            501_491,
            "Invalid size of Code_Challenge parameter.",
        ));
    }
    Ok(Some((challenge.to_owned(), s256)))
}

/// Entra strips HTML from `state` (Microsoft, "Redirect URI restrictions").
pub(super) fn without_markup(state: &str) -> String {
    let mut out = String::with_capacity(state.len());
    let mut rest = state;
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        match after.split_once('>') {
            Some((_, behind)) => rest = behind,
            None => return out,
        }
    }
    out + rest
}
