//! Where Microsoft sends the browser back to: a mailbox is connected, or the page says why not.

use actix_web::http::StatusCode;
use actix_web::web::Query;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::checks::Checks;
use super::context::Shared;
use super::error::Error;
use super::flash::Flash;
use super::page::{self, Here, Page, go, go_saying};
use super::session::{Visit, Visitor};
use crate::model::MailboxId;
use crate::oauth::{CallbackQuery, Returned};
use crate::problem::Problem;
use crate::work::connect::{self, Finished, Refused};
use crate::work::entra_app;

/// Where one starts again.
enum Again {
    /// Signing in to Mailhatch comes first.
    SignIn,
    /// The consent of an organisation.
    Consent,
    /// A mailbox that was to be connected again.
    Mailbox(MailboxId),
    /// A new mailbox.
    New,
}

#[derive(Template)]
#[template(path = "microsoft/refused.html")]
struct RefusedPage {
    page: Page,
    problem: Problem,
    again: Again,
}

impl RefusedPage {
    fn wants_sign_in(&self) -> bool {
        matches!(self.again, Again::SignIn)
    }

    fn wants_consent(&self) -> bool {
        matches!(self.again, Again::Consent)
    }

    fn mailbox_id(&self) -> Option<MailboxId> {
        match self.again {
            Again::Mailbox(id) => Some(id),
            _ => None,
        }
    }

    fn link_words(&self) -> &'static str {
        if self
            .problem
            .link
            .as_deref()
            .is_some_and(|link| link.contains("/error?code="))
        {
            "Read what Microsoft says about it"
        } else {
            "Open the page for it"
        }
    }

    /// A link of Entra's consent page is for somebody else, who has to be sent it.
    fn is_for_administrator(&self) -> bool {
        self.problem
            .link
            .as_deref()
            .is_some_and(|link| link.contains("/adminconsent"))
    }
}

/// `GET /microsoft/callback`
///
/// # Errors
/// Those of the store.
pub(super) async fn show(
    context: Shared,
    request: HttpRequest,
    visitor: Option<Visitor>,
    query: Query<CallbackQuery>,
) -> Result<HttpResponse, Error> {
    let query = query.into_inner();
    let consenting = query.admin_consent.is_some();
    if consenting && query.state.as_deref().unwrap_or_default().is_empty() {
        return consented_by_link(&context, &request, visitor, query).await;
    }
    let signed = visitor.as_ref().map(|visitor| visitor.signed.clone());
    let finished = context
        .services(move |services| connect::finish(services, signed.as_ref(), &query))
        .await?;
    match finished {
        Ok(Finished::Mailbox { id, first: true }) => {
            if context.checks.find(id).is_none() {
                Checks::begin(&context, id);
            }
            Ok(go(&format!("/mailboxes/{id}/checks")))
        }
        Ok(Finished::Mailbox { id, first: false }) => {
            let flash = Flash::good("Signed in again. Mailhatch looks for mail now.");
            Ok(go_saying(&context, &format!("/mailboxes/{id}"), &flash))
        }
        Ok(Finished::AdminConsented) => Ok(consented(&context)),
        Err(refused) => refuse(&context, &request, visitor, refused, consenting).await,
    }
}

#[derive(Template)]
#[template(path = "microsoft/consented.html")]
struct Consented {
    page: Page,
}

/// An administrator followed the consent link by itself, perhaps without being anybody here. Nothing is
/// decided by it: what Microsoft has been told counts at the next sign-in.
async fn consented_by_link(
    context: &Shared,
    request: &HttpRequest,
    visitor: Option<Visitor>,
    query: CallbackQuery,
) -> Result<HttpResponse, Error> {
    let returned = context
        .services(move |services| entra_app::find(services).map(|app| query.returned(&app)))
        .await??;
    match (returned, visitor) {
        (Returned::Failed(problem), visitor) => {
            let page = surround(context, request, visitor).await?;
            page::show(&RefusedPage {
                page,
                problem,
                again: Again::Consent,
            })
        }
        (_, Some(visitor)) if visitor.agent.is_admin() => Ok(consented(context)),
        (_, visitor) => {
            let page = surround(context, request, visitor).await?;
            page::show(&Consented { page })
        }
    }
}

fn consented(context: &Shared) -> HttpResponse {
    let flash = Flash::good(
        "The organisation's administrator has agreed. Mailboxes of this organisation can be connected now.",
    );
    go_saying(context, "/mailboxes/new", &flash)
}

/// The page around the words: with the side bar for who is signed in.
async fn surround(
    context: &Shared,
    request: &HttpRequest,
    visitor: Option<Visitor>,
) -> Result<Page, Error> {
    const TITLE: &str = "Back from Microsoft";
    let Some(visitor) = visitor else {
        let visit = Visit::of(request)
            .ok_or_else(|| Error::Internal("a request has no visit".to_owned()))?;
        return Ok(Page::bare(context, &visit, TITLE));
    };
    let shared = context.clone();
    context
        .read(move |db| Page::load(db, &shared, &visitor, TITLE, Here::section("mailboxes")))
        .await
}

async fn refuse(
    context: &Shared,
    request: &HttpRequest,
    visitor: Option<Visitor>,
    refused: Refused,
    consenting: bool,
) -> Result<HttpResponse, Error> {
    let Refused {
        bad_state,
        mut problem,
        mailbox_id,
    } = refused;
    tracing::warn!(code = %problem.code, mailbox.id = mailbox_id.map(|id| id.0), "a sign-in at Microsoft came to nothing");
    let again = match (&visitor, mailbox_id) {
        (None, _) => Again::SignIn,
        (Some(_), Some(id)) => Again::Mailbox(id),
        (Some(_), None) if consenting => Again::Consent,
        (Some(_), None) => Again::New,
    };
    if visitor.is_none() {
        "You came back from Microsoft, but in this browser you are not signed in to Mailhatch, so nothing was connected."
            .clone_into(&mut problem.sentence);
        "Sign in to Mailhatch, then start again. Do both in the same browser, at the address this installation is known by."
            .clone_into(&mut problem.remedy);
    }
    let page = surround(context, request, visitor).await?;
    let status = if bad_state {
        StatusCode::BAD_REQUEST
    } else {
        StatusCode::OK
    };
    page::show_as(
        status,
        &RefusedPage {
            page,
            problem,
            again,
        },
    )
}
