//! Forms are taken only from our own pages: a token in the form, and where browsers say from which
//! site a request comes, that site must be ours.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::middleware::Next;
use actix_web::{HttpRequest, web};
use url::Url;

use super::context::Context;
use super::error::Error;
use super::session::Visit;
use crate::secret::same_secret;

/// The form field that carries the token.
pub(super) const FIELD: &str = "csrf";

/// Checks the token that a form carried.
///
/// # Errors
/// [`Error::Untrusted`] without the right one.
pub(super) fn check(request: &HttpRequest, token: &str) -> Result<(), Error> {
    let visit = Visit::of(request);
    let right =
        visit.is_some_and(|visit| !visit.csrf.is_empty() && same_secret(&visit.csrf, token));
    if right {
        Ok(())
    } else {
        Err(Error::Untrusted(
            "it does not carry this session's mark, perhaps because you signed in or out since the page was loaded",
        ))
    }
}

/// Refuses unsafe requests that a browser says come from elsewhere.
///
/// # Errors
/// [`Error::Untrusted`] for those.
pub(super) async fn guard<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    if !request.method().is_safe() && !comes_from_us(request.request()) {
        return Ok(request.error_response(Error::Untrusted("it came from another site")));
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

fn comes_from_us(request: &HttpRequest) -> bool {
    let text = |name: &str| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    // Fetch Metadata: set by the browser, not by a page.
    if let Some(site) = text("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    let Some(origin) = text(header::ORIGIN.as_str()) else {
        // Old browsers and programs send neither; the token decides.
        return true;
    };
    let Ok(origin) = Url::parse(origin) else {
        return false;
    };
    let ours = request
        .app_data::<web::Data<Context>>()
        .is_some_and(|context| context.config().url.origin() == origin.origin());
    let host = match (origin.host_str(), origin.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => return false,
    };
    ours || text(header::HOST.as_str()) == Some(host.as_str())
}
