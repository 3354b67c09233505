//! What an administrator does with a mailbox by one button: sign in again, look now, pause, resume.

use actix_web::HttpResponse;
use actix_web::web::Path;

use super::context::Shared;
use super::error::Error;
use super::flash::Flash;
use super::forms::Posted;
use super::mailboxes::find;
use super::page::{go, go_saying};
use super::session::Admin;
use crate::model::{MailboxId, MailboxStatus};
use crate::store;
use crate::work::connect::{self, Begin, BeginError};

fn back(context: &Shared, id: MailboxId, flash: &Flash) -> HttpResponse {
    go_saying(context, &format!("/mailboxes/{id}"), flash)
}

/// `POST /mailboxes/{id}/sign-in`: off to Microsoft, to renew what was given before.
///
/// # Errors
/// Those of the store, and why nobody can be sent to Microsoft.
pub(super) async fn sign_in(
    context: Shared,
    admin: Admin,
    id: Path<i64>,
    _form: Posted,
) -> Result<HttpResponse, Error> {
    let id = MailboxId(id.into_inner());
    context.read(move |db| find(db, id)).await?;
    let signed = admin.signed.clone();
    let begun = context
        .services(move |services| connect::begin(services, &signed, &Begin::Reconnect(id)))
        .await?;
    match begun {
        Ok(url) => Ok(go(&url)),
        Err(BeginError::Problem(problem)) => Err(problem.into()),
        Err(BeginError::Field(error)) => Err(Error::BadRequest(error.sentence)),
    }
}

/// `POST /mailboxes/{id}/sync`: look for mail now.
///
/// # Errors
/// Those of the store.
pub(super) async fn sync(
    context: Shared,
    _admin: Admin,
    id: Path<i64>,
    _form: Posted,
) -> Result<HttpResponse, Error> {
    let id = MailboxId(id.into_inner());
    let mailbox = context.read(move |db| find(db, id)).await?;
    let flash = match mailbox.status {
        MailboxStatus::Paused => Flash::bad("This mailbox is paused. Resume it first."),
        MailboxStatus::Choosing => Flash::bad("Choose first which mail to take."),
        _ => {
            context.services.work.wake_poller(id);
            context.services.work.wake_sender(id);
            Flash::good("Looking for mail now.")
        }
    };
    Ok(back(&context, id, &flash))
}

/// `POST /mailboxes/{id}/pause`: neither receive nor send until resumed.
///
/// # Errors
/// Those of the store.
pub(super) async fn pause(
    context: Shared,
    _admin: Admin,
    id: Path<i64>,
    _form: Posted,
) -> Result<HttpResponse, Error> {
    let id = MailboxId(id.into_inner());
    let mailbox = context.read(move |db| find(db, id)).await?;
    if mailbox.status == MailboxStatus::Choosing {
        let flash = Flash::bad("Nothing is received yet: choose first which mail to take.");
        return Ok(back(&context, id, &flash));
    }
    set_status(&context, id, MailboxStatus::Paused).await?;
    tracing::info!(mailbox.id = id.0, "the mailbox was paused");
    let flash = Flash::good(
        "Paused. Mail waits at the provider, and replies wait in the outbox, until you resume.",
    );
    Ok(back(&context, id, &flash))
}

/// `POST /mailboxes/{id}/resumption`
///
/// # Errors
/// Those of the store.
pub(super) async fn resume(
    context: Shared,
    _admin: Admin,
    id: Path<i64>,
    _form: Posted,
) -> Result<HttpResponse, Error> {
    let id = MailboxId(id.into_inner());
    let mailbox = context.read(move |db| find(db, id)).await?;
    if mailbox.status != MailboxStatus::Paused {
        return Ok(back(
            &context,
            id,
            &Flash::bad("This mailbox is not paused."),
        ));
    }
    set_status(&context, id, MailboxStatus::Active).await?;
    tracing::info!(mailbox.id = id.0, "the mailbox was resumed");
    Ok(back(
        &context,
        id,
        &Flash::good("Resumed. Mailhatch looks for mail now."),
    ))
}

/// `POST /mailboxes/{id}/sending`: send again after repeated refusals.
///
/// # Errors
/// Those of the store.
pub(super) async fn send_again(
    context: Shared,
    _admin: Admin,
    id: Path<i64>,
    _form: Posted,
) -> Result<HttpResponse, Error> {
    let id = MailboxId(id.into_inner());
    let mailbox = context.read(move |db| find(db, id)).await?;
    if mailbox.sending_stopped_at.is_none() {
        let flash = Flash::bad("Sending from this mailbox is not stopped.");
        return Ok(back(&context, id, &flash));
    }
    context
        .services(move |services| services.work.resume_sending(services, id))
        .await??;
    let flash = Flash::good("Replies of this mailbox leave again.");
    Ok(back(&context, id, &flash))
}

async fn set_status(context: &Shared, id: MailboxId, status: MailboxStatus) -> Result<(), Error> {
    let now = context.now();
    context
        .store(move |store| {
            store.write(|tx| store::mailboxes::update_status(tx, id, status, None, now))
        })
        .await?;
    context.services.work.wake_poller(id);
    context.services.work.wake_sender(id);
    Ok(())
}
