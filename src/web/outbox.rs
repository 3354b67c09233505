//! The outbox: every delivery that is not finished, and what a person may do about one.

use actix_web::HttpResponse;
use actix_web::web::Path;
use askama::Template;

use super::context::Shared;
use super::conversations;
use super::error::Error;
use super::flash::Flash;
use super::forms::Posted;
use super::page::{self, Here, Page, go_saying, local_path};
use super::session::Visitor;
use crate::model::{Agent, Attempt, Delivery, DeliveryId, DeliveryState, OutboxRow, WayOut};
use crate::problem::Problem;
use crate::store;
use crate::work::Services;

/// Most rows shown; more than this is one trouble of a mailbox, told above the list.
const ROWS: u32 = 200;

#[derive(Template)]
#[template(path = "outbox/index.html")]
struct Index {
    page: Page,
    rows: Vec<OutboxRow>,
}

fn can_retry(delivery: &Delivery) -> bool {
    delivery.can_retry() && delivery.state != DeliveryState::Uncertain
}

fn way(attempt: &Attempt) -> &'static str {
    match attempt.way_out {
        WayOut::Smtp => "by SMTP",
        WayOut::Graph => "by Microsoft Graph",
    }
}

fn outcome(attempt: &Attempt) -> &'static str {
    match attempt.outcome.as_str() {
        "accepted" => "the server took it",
        "refused" => "refused",
        "unknown" => "the connection was lost before the answer",
        _ => "interrupted",
    }
}

/// `GET /outbox`
///
/// # Errors
/// Those of the store.
pub(super) async fn index(context: Shared, visitor: Visitor) -> Result<HttpResponse, Error> {
    let shared = context.clone();
    let index = context
        .read(move |db| {
            let page = Page::load(db, &shared, &visitor, "Outbox", Here::section("outbox"))?;
            Ok(Index {
                page,
                rows: store::deliveries::list_outbox(db, ROWS)?,
            })
        })
        .await?;
    page::show(&index)
}

type Decision = Box<dyn FnOnce(&Services, DeliveryId, &Agent) -> Result<Delivery, Problem> + Send>;

async fn decide(
    context: Shared,
    visitor: Visitor,
    path: Path<String>,
    form: Posted,
    decision: Decision,
    sentence: &str,
) -> Result<HttpResponse, Error> {
    let id = DeliveryId(path.parse().map_err(|_| Error::NotFound("delivery"))?);
    let found = context
        .read(move |db| store::deliveries::find(db, id)?.ok_or(Error::NotFound("delivery")))
        .await?;
    let outcome = context
        .services(move |services| decision(services, id, &visitor.agent))
        .await?;
    let home = format!(
        "{}#message-{}",
        conversations::url(found.conversation_id),
        found.message_id
    );
    let back = local_path(form.fields.get("back"), &home);
    let flash = match outcome {
        Ok(delivery) => {
            context.services.work.wake_sender(delivery.mailbox_id);
            Flash::good(sentence)
        }
        Err(problem) => Flash::bad(format!("{} {}", problem.sentence, problem.remedy)),
    };
    Ok(go_saying(&context, back, &flash))
}

/// `POST /deliveries/{id}/retry`
///
/// # Errors
/// When there is no such delivery, or the store fails.
pub(super) async fn retry(
    context: Shared,
    visitor: Visitor,
    path: Path<String>,
    form: Posted,
) -> Result<HttpResponse, Error> {
    let decision: Decision =
        Box::new(|services, id, actor| services.work.retry_delivery(services, id, actor));
    decide(
        context,
        visitor,
        path,
        form,
        decision,
        "It is tried again now.",
    )
    .await
}

/// `POST /deliveries/{id}/cancellation`
///
/// # Errors
/// When there is no such delivery, or the store fails.
pub(super) async fn cancel(
    context: Shared,
    visitor: Visitor,
    path: Path<String>,
    form: Posted,
) -> Result<HttpResponse, Error> {
    let decision: Decision =
        Box::new(|services, id, actor| services.work.cancel_delivery(services, id, actor));
    decide(
        context,
        visitor,
        path,
        form,
        decision,
        "Stopped. It does not leave; its text stays in the conversation.",
    )
    .await
}

/// `POST /deliveries/{id}/settlement`
///
/// # Errors
/// When there is no such delivery, or the store fails.
pub(super) async fn settle(
    context: Shared,
    visitor: Visitor,
    path: Path<String>,
    form: Posted,
) -> Result<HttpResponse, Error> {
    let was_sent = match form.fields.get("was_sent") {
        "yes" => true,
        "no" => false,
        _ => return Err(Error::BadRequest("Say whether it was sent.".to_owned())),
    };
    let decision: Decision = Box::new(move |services, id, actor| {
        services.work.settle_delivery(services, id, was_sent, actor)
    });
    let sentence = if was_sent {
        "Noted: it was sent."
    } else {
        "It is sent again now."
    };
    decide(context, visitor, path, form, decision, sentence).await
}
