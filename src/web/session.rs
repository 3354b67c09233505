//! Who makes a request: the session cookie, the visit around it, and what signing in and out change.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::cookie::{Cookie, SameSite, time::Duration};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, web};
use std::future::{Ready, ready};
use std::ops::Deref;

use super::context::Context;
use super::error::Error;
use super::flash::{self, Flash};
use super::page::Theme;
use super::zone::Zone;
use crate::model::SignedIn;
use crate::secret::{random_token, sha256};
use crate::store;

/// How one browser comes to us; made for each request before its handler runs.
#[derive(Debug, Clone)]
pub(super) struct Visit {
    /// Who is signed in.
    pub signed: Option<SignedIn>,
    /// What every unsafe form of this browser must carry.
    pub csrf: String,
    /// Light, dark, or as the system says.
    pub theme: Theme,
    /// The time zone of who looks.
    pub zone: Zone,
    /// A sentence left by the request before.
    pub flash: Option<Flash>,
    /// Path and query of this request.
    pub path: String,
}

impl Visit {
    /// The visit of a request, put there by [`recognise`].
    #[must_use]
    pub(super) fn of(request: &HttpRequest) -> Option<Self> {
        request.extensions().get::<Self>().cloned()
    }
}

/// The signed-in agent of a request; without one the browser is sent to sign in.
#[derive(Debug, Clone)]
pub(super) struct Visitor {
    /// Who it is.
    pub signed: SignedIn,
    /// The rest of the visit.
    pub visit: Visit,
}

impl Deref for Visitor {
    type Target = SignedIn;

    fn deref(&self) -> &SignedIn {
        &self.signed
    }
}

impl FromRequest for Visitor {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let visit = Visit::of(request);
        let signed = visit.as_ref().and_then(|visit| visit.signed.clone());
        ready(match (signed, visit) {
            (Some(signed), Some(visit)) => Ok(Self { signed, visit }),
            // Only a page can be come back to; a form is sent again by hand.
            _ if request.method() == actix_web::http::Method::GET => Err(Error::SignIn(
                request
                    .uri()
                    .path_and_query()
                    .map_or_else(String::new, ToString::to_string),
            )),
            _ => Err(Error::SignIn(String::new())),
        })
    }
}

/// The signed-in administrator of a request; other agents are refused.
#[derive(Debug, Clone)]
pub(super) struct Admin(pub Visitor);

impl Deref for Admin {
    type Target = Visitor;

    fn deref(&self) -> &Visitor {
        &self.0
    }
}

impl FromRequest for Admin {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(
            Visitor::from_request(request, payload)
                .into_inner()
                .and_then(|visitor| {
                    if visitor.agent.is_admin() {
                        Ok(Self(visitor))
                    } else {
                        Err(Error::Forbidden("This page is for administrators."))
                    }
                }),
        )
    }
}

/// The session cookie's name: `__Host-` binds it to this host over TLS (RFC 6265bis §4.1.3.2).
#[must_use]
pub(super) fn cookie_name(https: bool) -> &'static str {
    if https {
        "__Host-mailhatch_session"
    } else {
        "mailhatch_session"
    }
}

fn visit_cookie_name(https: bool) -> &'static str {
    if https {
        "__Host-mailhatch_visit"
    } else {
        "mailhatch_visit"
    }
}

/// A cookie of ours: for the whole site, not for scripts, not sent along from other sites' forms.
#[must_use]
pub(super) fn cookie(name: &str, value: &str, https: bool, seconds: i64) -> Cookie<'static> {
    Cookie::build(name.to_owned(), value.to_owned())
        .path("/")
        .http_only(true)
        .secure(https)
        .same_site(SameSite::Lax)
        .max_age(Duration::seconds(seconds))
        .finish()
}

/// The cookie that proves a session from now on.
#[must_use]
pub(super) fn session_cookie(token: &str, https: bool) -> Cookie<'static> {
    cookie(
        cookie_name(https),
        token,
        https,
        store::sessions::IDLE_SECONDS,
    )
}

/// The cookie that ends it in the browser.
#[must_use]
pub(super) fn ended_cookie(https: bool) -> Cookie<'static> {
    cookie(cookie_name(https), "", https, 0)
}

/// The token for forms of a browser that is not signed in: derived from a cookie only it has.
fn visit_csrf(cookie: &str) -> String {
    use base64::Engine as _;
    let text = format!("form:{cookie}");
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(sha256(text.as_bytes()))
}

/// Finds out who makes a request before its handler runs, and keeps used sessions alive.
///
/// # Errors
/// When the store fails.
pub(super) async fn recognise<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let Some(context) = request.app_data::<web::Data<Context>>().cloned() else {
        return Ok(request.error_response(Error::Internal("the pages have no context".to_owned())));
    };
    let https = context.config().is_https();
    let path = request
        .uri()
        .path_and_query()
        .map_or_else(|| "/".to_owned(), ToString::to_string);
    let mut visit = Visit {
        signed: None,
        csrf: String::new(),
        theme: Theme::of(request.request()),
        zone: Zone::of(request.request()),
        flash: flash::take(request.request()),
        path,
    };
    let flashed = visit.flash.is_some();
    // Known before the store is asked, so that its failure can be shown too.
    request.extensions_mut().insert(visit.clone());
    if is_for_anyone(request.path()) {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let token = request
        .cookie(cookie_name(https))
        .map(|cookie| cookie.value().to_owned());
    let mut lengthened = None;
    if let Some(token) = token.filter(|token| !token.is_empty()) {
        match find(&context, token.clone()).await {
            Ok(Some((signed, touched))) => {
                visit.csrf.clone_from(&signed.csrf_token);
                visit.signed = Some(signed);
                lengthened = touched.then(|| session_cookie(&token, https));
            }
            Ok(None) => {}
            Err(error) => return Ok(request.error_response(error)),
        }
    }
    let mut begun = None;
    if visit.signed.is_none() {
        let name = visit_cookie_name(https);
        let known = request.cookie(name).map(|cookie| cookie.value().to_owned());
        let value = known.filter(|value| !value.is_empty()).unwrap_or_else(|| {
            let fresh = random_token();
            begun = Some(cookie(name, &fresh, https, 24 * 3600));
            fresh
        });
        visit.csrf = visit_csrf(&value);
    }
    request.extensions_mut().insert(visit);
    let mut response = next.call(request).await?.map_into_boxed_body();
    let page = response
        .headers()
        .get("content-type")
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let shown = (flashed && page).then(|| flash::shown(https));
    for cookie in [lengthened, begun.filter(|_| page), shown]
        .into_iter()
        .flatten()
    {
        response.response_mut().add_cookie(&cookie)?;
    }
    Ok(response)
}

/// Addresses that answer everyone alike: the store need not be asked who comes.
fn is_for_anyone(path: &str) -> bool {
    path.starts_with("/static/") || matches!(path, "/healthz" | "/readyz" | "/metrics")
}

/// The agent behind a token, and whether the session has just been lengthened.
async fn find(context: &Context, token: String) -> Result<Option<(SignedIn, bool)>, Error> {
    let now = context.now();
    context
        .store(move |store| -> store::Result<_> {
            let found = store.read(|db| match store::sessions::find(db, &token, now)? {
                Some(signed) => {
                    let touch = store::sessions::needs_touch(db, signed.session_id, now)?;
                    Ok::<_, store::Error>(Some((signed, touch)))
                }
                None => Ok(None),
            })?;
            if let Some((signed, true)) = &found {
                let id = signed.session_id;
                store.write(|tx| store::sessions::update_seen(tx, id, now))?;
            }
            Ok(found)
        })
        .await
}
