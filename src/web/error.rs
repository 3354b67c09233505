//! What a request can fail with, and the one page that says so, with a reference that is in the log too.

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{StatusCode, header};
use actix_web::middleware::Next;
use actix_web::{HttpResponse, ResponseError, web};
use askama::Template;

use super::context::Context;
use super::page::Page;
use super::session::Visit;
use crate::desk;
use crate::problem::Problem;
use crate::reply;
use crate::secret::random_token;
use crate::store;

/// Why a request was not answered as asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing; the text names it: "conversation".
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// Signing in comes first; holds where to go afterwards.
    #[error("sign in first")]
    SignIn(String),
    /// Go elsewhere instead.
    #[error("see {0}")]
    SeeOther(String),
    /// This agent may not do this.
    #[error("{0}")]
    Forbidden(&'static str),
    /// The form cannot be trusted: no or a wrong token, or sent from another site.
    #[error("the form was not accepted: {0}")]
    Untrusted(&'static str),
    /// The request makes no sense.
    #[error("{0}")]
    BadRequest(String),
    /// More bytes than are taken.
    #[error("{0}")]
    TooLarge(String),
    /// A failure outside, told to a person.
    #[error("{0}")]
    Problem(Box<Problem>),
    /// The database failed.
    #[error(transparent)]
    Store(store::Error),
    /// The program is about to end.
    #[error("the program is stopping")]
    Stopping,
    /// A mistake of ours.
    #[error("{0}")]
    Internal(String),
}

impl From<askama::Error> for Error {
    fn from(error: askama::Error) -> Self {
        Self::Internal(format!("a page could not be written: {error}"))
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

impl From<desk::Error> for Error {
    fn from(error: desk::Error) -> Self {
        match error {
            desk::Error::NoConversation => Self::NotFound("conversation"),
            desk::Error::NoMessage => Self::NotFound("message"),
            desk::Error::Store(error) => Self::Store(error),
            other => Self::BadRequest(format!("{other}.")),
        }
    }
}

impl From<reply::Error> for Error {
    fn from(error: reply::Error) -> Self {
        match error {
            reply::Error::NoConversation => Self::NotFound("conversation"),
            reply::Error::Store(error) => Self::Store(error),
            reply::Error::Invalid { sentence, .. } => Self::BadRequest(sentence),
        }
    }
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::SignIn(_) | Self::SeeOther(_) => StatusCode::SEE_OTHER,
            Self::Forbidden(_) | Self::Untrusted(_) => StatusCode::FORBIDDEN,
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Problem(_) => StatusCode::BAD_GATEWAY,
            Self::Store(_) | Self::Stopping => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        let mut response = HttpResponse::build(self.status_code());
        match self {
            Self::SignIn(next) => {
                let to = if next.is_empty() || next == "/" {
                    "/sign-in".to_owned()
                } else {
                    let query: String =
                        url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
                    format!("/sign-in?next={query}")
                };
                response.insert_header((header::LOCATION, to)).finish()
            }
            Self::SeeOther(to) => response
                .insert_header((header::LOCATION, to.as_str()))
                .finish(),
            _ => response.finish(),
        }
    }
}

/// What the page says.
struct Words {
    title: String,
    sentence: String,
    remedy: String,
    detail: String,
    link: Option<String>,
    command: Option<String>,
}

impl Words {
    fn new(title: &str, sentence: &str, remedy: &str) -> Self {
        Self {
            title: title.to_owned(),
            sentence: sentence.to_owned(),
            remedy: remedy.to_owned(),
            detail: String::new(),
            link: None,
            command: None,
        }
    }

    fn of_problem(title: &str, problem: &Problem) -> Self {
        Self {
            title: title.to_owned(),
            sentence: problem.sentence.clone(),
            remedy: problem.remedy.clone(),
            detail: problem.detail.clone(),
            link: problem.link.clone(),
            command: problem.command.clone(),
        }
    }

    fn of(error: &Error) -> Self {
        match error {
            Error::NotFound(what) => Self::new(
                "Not found",
                &format!("There is no such {what}."),
                "Check the address, or go back to the inbox.",
            ),
            Error::Forbidden(sentence) => Self::new(
                "Not allowed",
                sentence,
                "Ask an administrator of this installation.",
            ),
            Error::Untrusted(why) => Self::new(
                "The form was not accepted",
                &format!("Nothing was changed: {why}."),
                "Go back, reload the page and try again. What you typed is usually still there.",
            ),
            Error::BadRequest(sentence) => Self::new(
                "That cannot be done",
                sentence,
                "Go back and correct it; nothing was changed.",
            ),
            Error::TooLarge(sentence) => Self::new(
                "Too large",
                sentence,
                "Go back and send less at once; nothing was changed.",
            ),
            Error::Problem(problem) => Self::of_problem("That did not work", problem),
            Error::Store(error) => {
                Self::of_problem("The database did not answer", &error.to_problem())
            }
            Error::Stopping => Self::new(
                "Mailhatch is stopping",
                "It is being stopped or restarted; nothing is lost.",
                "Try again in a minute.",
            ),
            Error::Internal(_) | Error::SignIn(_) | Error::SeeOther(_) => Self::new(
                "Something went wrong",
                "This is a mistake in the program; what you had saved is safe.",
                "Try again. If it stays, give the reference below to whoever runs this installation: the log says more.",
            ),
        }
    }

    fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::of(&Error::NotFound("page")),
            StatusCode::METHOD_NOT_ALLOWED => Self::new(
                "Not found",
                "This address takes forms; there is no page to show.",
                "Go back to the inbox.",
            ),
            _ => Self::new(
                "That request was not understood",
                "The address or the form holds something unexpected.",
                "Go back and try again; nothing was changed.",
            ),
        }
    }
}

#[derive(Template)]
#[template(path = "error/show.html")]
struct Show {
    page: Page,
    words: Words,
    reference: String,
}

/// Gives every failure its page, and those that need looking into a reference in the log.
///
/// # Errors
/// Those of the connection.
pub(super) async fn render<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    let response = next.call(request).await?;
    let status = response.status();
    let failed = response.response().error().is_some();
    let bare = response.response().body().size() == actix_web::body::BodySize::Sized(0)
        || response.response().body().size() == actix_web::body::BodySize::None;
    if !(status.is_client_error() || status.is_server_error()) || !(failed || bare) {
        return Ok(response.map_into_left_body());
    }
    let (request, response) = response.into_parts();
    let error = response.error().and_then(|error| error.as_error::<Error>());
    let words = error.map_or_else(|| Words::of_status(status), Words::of);
    let reference: String = random_token()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(8)
        .collect();
    if status.is_server_error() {
        let cause = error.map_or_else(|| status.to_string(), ToString::to_string);
        tracing::error!(request.reference = %reference, path = request.path(), cause, "a request failed");
    } else {
        tracing::debug!(request.reference = %reference, path = request.path(), status = status.as_u16(), "a request was refused");
    }
    let mut answer = HttpResponse::build(status);
    let body = match (
        request.app_data::<web::Data<Context>>(),
        Visit::of(&request),
    ) {
        (Some(context), Some(visit)) => {
            let page = Page::bare(context, &visit, &words.title);
            Show {
                page,
                words,
                reference,
            }
            .render()
            .ok()
        }
        _ => None,
    };
    let body = body.unwrap_or_else(|| "Something went wrong. Try again.".to_owned());
    let fresh = answer.content_type("text/html; charset=utf-8").body(body);
    Ok(ServiceResponse::new(request, fresh).map_into_right_body())
}
