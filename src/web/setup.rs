//! The first administrator, made on an empty database. Whoever opens a new installation first owns it.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::context::Shared;
use super::error::Error;
use super::forms::Posted;
use super::page::{self, Page, go};
use super::session::{Visit, session_cookie};
use crate::model::{AgentId, Role};
use crate::password;
use crate::secret::random_token;
use crate::store;

/// Longest name of an agent, in characters.
pub(super) const NAME_CHARS: usize = 100;

#[derive(Template)]
#[template(path = "setup/new.html")]
struct New {
    page: Page,
    name: String,
    email: String,
    mistakes: Mistakes,
}

/// What is wrong with a person's fields; empty texts are fine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Mistakes {
    /// About the name.
    pub name: &'static str,
    /// About the address.
    pub email: &'static str,
    /// About the password.
    pub password: &'static str,
    /// About its repetition.
    pub again: &'static str,
}

impl Mistakes {
    /// Checks a person's fields; `again` is the password's repetition.
    #[must_use]
    pub(super) fn of(name: &str, email: &str, password: &str, again: &str) -> Self {
        let mut mistakes = Self::default();
        if name.is_empty() {
            mistakes.name =
                "Say how colleagues and customers should see you, such as Ada Lovelace.";
        } else if name.chars().count() > NAME_CHARS || name.chars().any(char::is_control) {
            mistakes.name = "Use up to 100 characters on one line.";
        }
        if !super::addresses::is_address(email) {
            mistakes.email = "Write a whole address, such as ada@example.com.";
        }
        if let Some(mistake) = password::mistake(password) {
            mistakes.password = mistake;
        } else if password != again {
            mistakes.again = "This is not the same password; type it again.";
        }
        mistakes
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// `GET /setup`
///
/// # Errors
/// Those of the store.
pub(super) async fn new(context: Shared, request: HttpRequest) -> Result<HttpResponse, Error> {
    if context.read(|db| Ok(store::agents::count(db)?)).await? > 0 {
        return Ok(go("/sign-in"));
    }
    let page = bare(&context, &request)?;
    page::show(&New {
        page,
        name: String::new(),
        email: String::new(),
        mistakes: Mistakes::default(),
    })
}

/// `POST /setup`
///
/// # Errors
/// Those of the store.
pub(super) async fn create(
    context: Shared,
    request: HttpRequest,
    form: Posted,
) -> Result<HttpResponse, Error> {
    // Asked before the costly hash, and again inside the transaction.
    if context.read(|db| Ok(store::agents::count(db)?)).await? > 0 {
        return Ok(go("/sign-in"));
    }
    let (name, email) = (
        form.fields.get("name").to_owned(),
        form.fields.get("email").to_owned(),
    );
    let password = form.fields.raw("password").to_owned();
    let mistakes = Mistakes::of(&name, &email, &password, form.fields.raw("password_again"));
    if !mistakes.is_empty() {
        let page = bare(&context, &request)?;
        return page::show_as(
            StatusCode::UNPROCESSABLE_ENTITY,
            &New {
                page,
                name,
                email,
                mistakes,
            },
        );
    }
    let hash = context
        .hashing(move || password::hash(&password))
        .await?
        .map_err(|error| Error::Internal(format!("a password could not be hashed: {error}")))?;
    let (now, token) = (context.now(), random_token());
    let fresh = token.clone();
    let made = context
        .store(move |store| {
            store.write(|tx| -> store::Result<Option<AgentId>> {
                // Of two that come at the same time, one is first.
                if store::agents::count(tx)? > 0 {
                    return Ok(None);
                }
                let id = store::agents::insert(tx, &email, &name, Role::Admin, &hash, now)?;
                store::sessions::insert(tx, id, &fresh, &random_token(), now)?;
                Ok(Some(id))
            })
        })
        .await?;
    let Some(agent_id) = made else {
        return Ok(go("/sign-in"));
    };
    tracing::info!(agent.id = agent_id.0, "the first administrator was made");
    let mut response = go("/");
    add_session(&mut response, &token, context.config().is_https())?;
    Ok(response)
}

fn bare(context: &Shared, request: &HttpRequest) -> Result<Page, Error> {
    let visit =
        Visit::of(request).ok_or_else(|| Error::Internal("a request has no visit".to_owned()))?;
    Ok(Page::bare(context, &visit, "Welcome"))
}

/// Puts the cookie of a new session on an answer.
///
/// # Errors
/// When the cookie cannot be written.
pub(super) fn add_session(
    response: &mut HttpResponse,
    token: &str,
    https: bool,
) -> Result<(), Error> {
    response
        .add_cookie(&session_cookie(token, https))
        .map_err(|error| Error::Internal(format!("a cookie could not be written: {error}")))
}
