//! Headers that every response carries: what a page may load, who may frame it, what may be kept.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web;

use super::context::Context;

/// What our own pages may load: only from here; no inline script or style.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; frame-src 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// Sign-in pages of Microsoft's clouds. A form that redirects there needs them in `form-action`, for
/// browsers apply it to redirects too (CSP Level 3 §6.4.2.1).
const SIGN_IN_PAGES: &str = "https://login.microsoftonline.com https://login.microsoftonline.us https://login.partner.microsoftonline.cn";

/// Adds the headers that a handler has not set itself.
///
/// # Errors
/// Those of the connection.
pub(super) async fn add<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    let mut response = next.call(request).await?;
    let policy = page_policy(response.request());
    let https = response
        .request()
        .app_data::<web::Data<Context>>()
        .is_some_and(|context| context.config().is_https());
    let mut set = |name: HeaderName, value: HeaderValue| {
        if !response.headers().contains_key(&name) {
            response.headers_mut().insert(name, value);
        }
    };
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        set(header::CONTENT_SECURITY_POLICY, policy);
    }
    set(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    set(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    set(
        header::REFERRER_POLICY,
        HeaderValue::from_static("same-origin"),
    );
    // Pages hold mail: neither a proxy nor the browser's disk keeps them.
    set(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    set(
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    );
    set(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    );
    set(
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
    );
    if https {
        set(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000"),
        );
    }
    Ok(response)
}

fn page_policy(request: &actix_web::HttpRequest) -> String {
    let starts_sign_in = ["/mailboxes", "/admin", "/microsoft"]
        .iter()
        .any(|prefix| request.path().starts_with(prefix));
    if !starts_sign_in {
        return format!("{PAGE_POLICY}; form-action 'self'");
    }
    let own = request
        .app_data::<web::Data<Context>>()
        .and_then(|context| context.config().endpoints.login_url.clone())
        .and_then(|text| url::Url::parse(&text).ok())
        .map(|url| url.origin().ascii_serialization())
        .unwrap_or_default();
    format!("{PAGE_POLICY}; form-action 'self' {SIGN_IN_PAGES} {own}")
}
