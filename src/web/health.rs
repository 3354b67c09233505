//! What machines ask: whether the process serves, whether every part works, and the numbers.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use super::client;
use super::context::{Context, Shared};
use super::error::Error;
use crate::model::MailboxId;
use crate::secret::same_secret;
use crate::store;
use crate::work::metrics;
use crate::work::status::Health;

/// `GET /healthz`
///
/// # Errors
/// When the store does not answer.
pub(super) async fn live(context: Shared) -> Result<HttpResponse, Error> {
    context.read(|db| Ok(store::agents::count(db)?)).await?;
    Ok(HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .body("ok"))
}

/// `GET /readyz`: each part with its state, 503 when one has stopped. What the parts say, and addresses,
/// only with the token.
///
/// # Errors
/// None of its own; a store that fails is told in the answer.
pub(super) async fn ready(context: Shared, request: HttpRequest) -> Result<HttpResponse, Error> {
    let told = has_token(&context, &request);
    let addresses = context
        .read(|db| {
            let mailboxes = store::mailboxes::list(db)?;
            Ok(mailboxes
                .into_iter()
                .map(|mailbox| (mailbox.id, mailbox.address))
                .collect::<Vec<_>>())
        })
        .await;
    let mut healthy = addresses.is_ok();
    let state = if healthy {
        Health::Good
    } else {
        Health::Stopped
    };
    let mut parts = vec![json!({ "name": "store", "state": state })];
    let addresses = addresses.unwrap_or_default();
    for part in context.services.work.parts() {
        healthy &= part.health != Health::Stopped;
        let mut entry = json!({ "name": part.name, "state": part.health });
        if told && let Some(fields) = entry.as_object_mut() {
            fields.insert("sentence".to_owned(), json!(part.sentence));
            let id = part
                .name
                .split_once(':')
                .and_then(|(_, id)| id.parse().ok())
                .map(MailboxId);
            if let Some((_, address)) = addresses.iter().find(|(known, _)| Some(*known) == id) {
                fields.insert("mailbox".to_owned(), json!(address));
            }
        }
        parts.push(entry);
    }
    let status = if healthy {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    Ok(HttpResponse::build(status).json(json!({ "ready": healthy, "parts": parts })))
}

/// `GET /metrics`: from this machine, or with the token.
///
/// # Errors
/// [`Error::NotFound`] for anyone else.
pub(super) async fn metrics(context: Shared, request: HttpRequest) -> Result<HttpResponse, Error> {
    if !client::is_local(&request) && !has_token(&context, &request) {
        return Err(Error::NotFound("page"));
    }
    let text = context.services(metrics::render).await??;
    Ok(HttpResponse::Ok()
        .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
        .body(text))
}

fn has_token(context: &Context, request: &HttpRequest) -> bool {
    let given = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    match (&context.config().metrics_token, given) {
        (Some(token), Some(given)) => same_secret(&token.0, given.trim()),
        _ => false,
    }
}
