//! What is written back to a mailbox: the settings, and what was given up.

use actix_web::HttpResponse;
use actix_web::web::Path;

use super::Listings;
use super::choose::url;
use crate::model::{MailboxId, MoveTarget};
use crate::store;
use crate::web::context::Shared;
use crate::web::error::Error;
use crate::web::flash::Flash;
use crate::web::forms::Posted;
use crate::web::mailboxes::find;
use crate::web::page::go_saying;
use crate::web::session::Admin;
use crate::work::folders::{Listed, Purpose};

/// `POST /mailboxes/{id}/write-back`
///
/// # Errors
/// Those of the store.
pub(crate) async fn update_write_back(
    context: Shared,
    admin: Admin,
    id: Path<i64>,
    form: Posted,
) -> Result<HttpResponse, Error> {
    let id = MailboxId(id.into_inner());
    let before = context
        .read(move |db| {
            find(db, id)?;
            Ok(store::write_backs::find_settings(db, id)?)
        })
        .await?;
    let mark_read = form.fields.is_on("mark_read");
    let raw_name = form.fields.raw("move_to").to_owned();
    let same = |target: &MoveTarget| target.raw_name == raw_name;
    let move_to = if raw_name.is_empty() {
        None
    } else if let Some(target) = before.move_to.filter(same) {
        Some(target)
    } else {
        let listed = Listings::shown(&context, id).await?.unwrap_or_default();
        let is_one = |folder: &Listed| folder.raw_name == raw_name && is_target(folder);
        let Some(folder) = listed.into_iter().find(is_one) else {
            let said = "Mail cannot be moved to that folder. Look at the list again.";
            return Ok(go_saying(&context, &url(id), &Flash::bad(said)));
        };
        Some(MoveTarget {
            raw_name: folder.raw_name,
            name: folder.name,
        })
    };
    tracing::info!(
        mailbox.id = id.0,
        agent.id = admin.agent.id.0,
        mark_read,
        moves = move_to.is_some(),
        "what is written back was set"
    );
    context
        .store(move |store| {
            store.write(|tx| {
                store::write_backs::update_settings(tx, id, mark_read, move_to.as_ref())
            })
        })
        .await?;
    context.services.work.wake_write_back(id);
    let said = Flash::good("Saved. It holds for what is answered and closed from now on.");
    Ok(go_saying(&context, &url(id), &said))
}

/// Whether mail may be moved there.
pub(super) const fn is_target(folder: &Listed) -> bool {
    matches!(
        folder.purpose,
        Purpose::Plain | Purpose::Trash | Purpose::Junk
    )
}

/// `POST /mailboxes/{id}/write-back/retries`: tries again what was given up.
///
/// # Errors
/// Those of the store.
pub(crate) async fn retry(
    context: Shared,
    _admin: Admin,
    id: Path<i64>,
    _form: Posted,
) -> Result<HttpResponse, Error> {
    let id = MailboxId(id.into_inner());
    context.read(move |db| find(db, id).map(drop)).await?;
    let now = context.now();
    context
        .store(move |store| store.write(|tx| store::write_backs::update_given_up(tx, id, now)))
        .await?;
    context.services.work.wake_write_back(id);
    Ok(go_saying(
        &context,
        &url(id),
        &Flash::good("It is tried again now."),
    ))
}

/// `POST /mailboxes/{id}/write-back/removal`: forgets what was given up; the mail stays as it is.
///
/// # Errors
/// Those of the store.
pub(crate) async fn forget(
    context: Shared,
    _admin: Admin,
    id: Path<i64>,
    _form: Posted,
) -> Result<HttpResponse, Error> {
    let id = MailboxId(id.into_inner());
    context.read(move |db| find(db, id).map(drop)).await?;
    context
        .store(move |store| store.write(|tx| store::write_backs::delete_given_up(tx, id)))
        .await?;
    let said = Flash::good("Forgotten. The mail stays as it is in the mailbox.");
    Ok(go_saying(&context, &url(id), &said))
}
