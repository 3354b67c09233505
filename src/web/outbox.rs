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
use super::waiting::Waiting;
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
    /// How long replies can be taken back.
    undo_seconds: i64,
}

fn is_failed(delivery: &Delivery) -> bool {
    delivery.state == DeliveryState::Failed
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
                undo_seconds: store::settings::find_undo_seconds(db)?,
            })
        })
        .await?;
    page::show(&index)
}

async fn find(context: &Shared, id: &str) -> Result<Delivery, Error> {
    let id = DeliveryId(id.parse().map_err(|_| Error::NotFound("delivery"))?);
    context
        .read(move |db| store::deliveries::find(db, id)?.ok_or(Error::NotFound("delivery")))
        .await
}

/// Where the reply stands in its conversation.
fn home(delivery: &Delivery) -> String {
    let conversation = conversations::url(delivery.conversation_id);
    format!("{conversation}#message-{}", delivery.message_id)
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
    let found = find(&context, &path).await?;
    let id = found.id;
    let outcome = context
        .services(move |services| decision(services, id, &visitor.agent))
        .await?;
    let home = home(&found);
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
    let found = find(&context, &path).await?;
    let mailbox = found.mailbox_id;
    let mailbox = context
        .read(move |db| Ok(store::mailboxes::find(db, mailbox)?))
        .await?;
    let sentence = if mailbox.is_some_and(|mailbox| mailbox.sending_stopped_at.is_some()) {
        "It leaves as soon as an administrator lets its mailbox send again."
    } else if found.attempts == 0 {
        "It leaves now."
    } else {
        "It is tried again now."
    };
    decide(context, visitor, path, form, decision, sentence).await
}

/// `POST /deliveries/{id}/withdrawal`: back into the form it was written in.
///
/// # Errors
/// When there is no such delivery, or the store fails.
pub(super) async fn withdraw(
    context: Shared,
    visitor: Visitor,
    path: Path<String>,
    _form: Posted,
) -> Result<HttpResponse, Error> {
    let found = find(&context, &path).await?;
    let id = found.id;
    let outcome = context
        .services(move |services| {
            let actor = &visitor.agent;
            services.work.withdraw_delivery(services, id, actor)
        })
        .await?;
    Ok(match outcome {
        Ok(_) => {
            let form = format!(
                "{}?edit={}#write",
                conversations::url(found.conversation_id),
                found.message_id
            );
            let flash = Flash::good("Taken back: it has not left. Change it, or send it again.");
            go_saying(&context, &form, &flash)
        }
        Err(problem) => {
            let flash = Flash::bad(format!("{} {}", problem.sentence, problem.remedy));
            go_saying(&context, &home(&found), &flash)
        }
    })
}

/// `POST /deliveries/{id}/time`: another time to leave at.
///
/// # Errors
/// When there is no such delivery, or the store fails.
pub(super) async fn reschedule(
    context: Shared,
    visitor: Visitor,
    path: Path<String>,
    form: Posted,
) -> Result<HttpResponse, Error> {
    let zone = visitor.visit.zone;
    let at = match zone.read_plan(form.fields.get("leave_at"), context.now()) {
        Ok(at) => at,
        Err(sentence) => {
            let found = find(&context, &path).await?;
            let home = home(&found);
            let back = local_path(form.fields.get("back"), &home);
            let flash = Flash::bad(format!("{sentence} Nothing was changed."));
            return Ok(go_saying(&context, back, &flash));
        }
    };
    let unless_answered = form.fields.is_on("unless_answered");
    let decision: Decision = Box::new(move |services, id, _| {
        services
            .work
            .reschedule_delivery(services, id, at, unless_answered)
    });
    let sentence = format!("It leaves {}.", zone.words(at));
    decide(context, visitor, path, form, decision, &sentence).await
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
