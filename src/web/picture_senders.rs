//! Senders whose pictures on other servers are shown without asking.

use actix_web::HttpResponse;

use super::addresses::is_address;
use super::context::Shared;
use super::error::Error;
use super::flash::Flash;
use super::forms::Posted;
use super::page::{go_saying, local_path};
use super::session::Visitor;
use crate::store;

/// `POST /picture-senders`
///
/// # Errors
/// When the address is none, or the store fails.
pub(super) async fn create(
    context: Shared,
    visitor: Visitor,
    form: Posted,
) -> Result<HttpResponse, Error> {
    let address = form.fields.get("address").to_owned();
    if !is_address(&address) {
        return Err(Error::BadRequest(
            "The sender has no address for which this could be remembered.".to_owned(),
        ));
    }
    let (now, agent, chosen) = (context.now(), visitor.agent.id, address.clone());
    context
        .store(move |store| {
            Ok::<_, Error>(
                store.write(|tx| store::picture_senders::insert(tx, &chosen, agent, now))?,
            )
        })
        .await?;
    let sentence = format!(
        "Pictures in mail from {address} are shown from now on, where the mail is proven to be theirs."
    );
    let back = local_path(form.fields.get("back"), "/");
    Ok(go_saying(&context, back, &Flash::good(sentence)))
}

/// `POST /picture-senders/removal`
///
/// # Errors
/// When the store fails.
pub(super) async fn delete(
    context: Shared,
    _visitor: Visitor,
    form: Posted,
) -> Result<HttpResponse, Error> {
    let address = form.fields.get("address").to_owned();
    let gone = address.clone();
    context
        .store(move |store| {
            Ok::<_, Error>(store.write(|tx| store::picture_senders::delete(tx, &gone))?)
        })
        .await?;
    let sentence = format!("Pictures in mail from {address} wait until somebody asks for them.");
    let back = local_path(form.fields.get("back"), "/");
    Ok(go_saying(&context, back, &Flash::good(sentence)))
}
