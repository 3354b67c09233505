//! Signing in and out. Guessing is slowed per address and per client, and an address that nobody has
//! takes as long to refuse as a wrong password.

use actix_web::http::StatusCode;
use actix_web::web::Query;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::client;
use super::context::Shared;
use super::error::Error;
use super::forms::Posted;
use super::page::{self, Page, go, local_path};
use super::session::{Visit, Visitor, ended_cookie};
use super::setup::add_session;
use crate::model::SessionId;
use crate::password;
use crate::secret::random_token;
use crate::store;

/// Failures are counted over this time.
const WINDOW_SECONDS: i64 = 15 * 60;
/// Failures after which an address must wait.
const PER_ADDRESS: i64 = 5;
/// Failures after which a client must wait.
const PER_CLIENT: i64 = 20;

const WRONG: &str = "This address and password do not belong together. Check both; an administrator can set a new password.";
const WAIT: &str = "There were too many failed tries. Wait 15 minutes, then try again; an administrator can set a new password meanwhile.";

#[derive(Template)]
#[template(path = "sign_in/new.html")]
struct New {
    page: Page,
    email: String,
    next: String,
    mistake: &'static str,
}

/// What the address of the form may carry.
#[derive(Debug, serde::Deserialize)]
pub(super) struct Wish {
    #[serde(default)]
    next: String,
}

/// `GET /sign-in`
///
/// # Errors
/// Those of the store.
pub(super) async fn new(
    context: Shared,
    request: HttpRequest,
    wish: Query<Wish>,
) -> Result<HttpResponse, Error> {
    let visit = visit(&request)?;
    let next = local_path(&wish.next, "/").to_owned();
    if visit.signed.is_some() {
        return Ok(go(&next));
    }
    if context.read(|db| Ok(store::agents::count(db)?)).await? == 0 {
        return Ok(go("/setup"));
    }
    let page = Page::bare(&context, &visit, "Sign in");
    page::show(&New {
        page,
        email: String::new(),
        next,
        mistake: "",
    })
}

fn visit(request: &HttpRequest) -> Result<Visit, Error> {
    Visit::of(request).ok_or_else(|| Error::Internal("a request has no visit".to_owned()))
}

/// `POST /sign-in`
///
/// # Errors
/// Those of the store.
pub(super) async fn create(
    context: Shared,
    request: HttpRequest,
    form: Posted,
) -> Result<HttpResponse, Error> {
    let visit = visit(&request)?;
    let client = client::address(&request, &context.config().trusted_proxies)
        .map_or_else(String::new, |address| address.to_string());
    let email: String = form.fields.get("email").chars().take(320).collect();
    let next = local_path(form.fields.get("next"), "/").to_owned();
    let password = form.fields.raw("password").to_owned();
    let old = visit.signed.as_ref().map(|signed| signed.session_id);
    let outcome = attempt(&context, email.clone(), password, client, old).await?;
    let (status, mistake) = match outcome {
        Outcome::Welcome(token) => {
            let mut response = go(&next);
            add_session(&mut response, &token, context.config().is_https())?;
            return Ok(response);
        }
        Outcome::Wrong => (StatusCode::UNPROCESSABLE_ENTITY, WRONG),
        Outcome::Wait => (StatusCode::TOO_MANY_REQUESTS, WAIT),
    };
    let page = Page::bare(&context, &visit, "Sign in");
    page::show_as(
        status,
        &New {
            page,
            email,
            next,
            mistake,
        },
    )
}

enum Outcome {
    Welcome(String),
    Wrong,
    Wait,
}

async fn attempt(
    context: &Shared,
    email: String,
    password: String,
    client: String,
    old: Option<SessionId>,
) -> Result<Outcome, Error> {
    let now = context.now();
    let sought = email.clone();
    // The try is counted before it is made, so that many at once cannot slip through.
    let found = context
        .store(move |store| {
            store.write(|tx| -> store::Result<_> {
                let (by_address, by_client) =
                    store::sign_in_failures::count(tx, &sought, &client, now - WINDOW_SECONDS)?;
                if by_address >= PER_ADDRESS || by_client >= PER_CLIENT {
                    return Ok(None);
                }
                store::sign_in_failures::insert(tx, &sought, &client, now)?;
                Ok(Some(store::agents::find_by_email(tx, &sought)?))
            })
        })
        .await?;
    let Some(found) = found else {
        tracing::warn!("sign-in was refused after too many failures");
        return Ok(Outcome::Wait);
    };
    let (agent, hash) = found.unzip();
    let right = context
        .hashing(move || password::verify(&password, hash.as_deref()))
        .await?;
    let Some(agent) = agent.filter(|agent| right && agent.disabled_at.is_none()) else {
        return Ok(Outcome::Wrong);
    };
    let token = random_token();
    let fresh = token.clone();
    context
        .store(move |store| {
            store.write(|tx| -> store::Result<()> {
                store::sign_in_failures::delete_for(tx, &email, now)?;
                if let Some(old) = old {
                    store::sessions::delete(tx, old)?;
                }
                store::sessions::insert(tx, agent.id, &fresh, &random_token(), now)?;
                Ok(())
            })
        })
        .await?;
    Ok(Outcome::Welcome(token))
}

/// `POST /sign-out`
///
/// # Errors
/// Those of the store.
pub(super) async fn delete(
    context: Shared,
    visitor: Visitor,
    _form: Posted,
) -> Result<HttpResponse, Error> {
    let id = visitor.session_id;
    context
        .store(move |store| store.write(|tx| store::sessions::delete(tx, id)))
        .await?;
    let mut response = go("/sign-in");
    response
        .add_cookie(&ended_cookie(context.config().is_https()))
        .map_err(|error| Error::Internal(format!("a cookie could not be written: {error}")))?;
    Ok(response)
}
