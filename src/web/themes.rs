//! Choosing light or dark; kept in the browser, so that it works before signing in.

use actix_web::HttpResponse;

use super::context::Shared;
use super::error::Error;
use super::forms::Posted;
use super::page::{THEME_COOKIE, Theme, local_path};
use super::session::cookie;

/// A year.
const KEPT_SECONDS: i64 = 365 * 24 * 3600;

/// `POST /theme`
///
/// # Errors
/// None of its own.
pub(super) async fn update(context: Shared, form: Posted) -> Result<HttpResponse, Error> {
    let theme = Theme::from_word(form.fields.get("theme"));
    let https = context.config().is_https();
    Ok(HttpResponse::SeeOther()
        .insert_header(("location", local_path(form.fields.get("back"), "/")))
        .cookie(cookie(THEME_COOKIE, theme.word(), https, KEPT_SECONDS))
        .finish())
}
