//! How long a reply can be taken back before it leaves: one setting for all, on the outbox's page.

use actix_web::HttpResponse;

use super::context::Shared;
use super::error::Error;
use super::flash::Flash;
use super::forms::Posted;
use super::page::go_saying;
use super::session::Admin;
use crate::store::settings::{self, UNDO_SECONDS_MAX};

/// `POST /admin/undo-window`
///
/// # Errors
/// Those of the store.
pub(super) async fn update(
    context: Shared,
    _admin: Admin,
    form: Posted,
) -> Result<HttpResponse, Error> {
    let wanted = form.fields.get("seconds").parse::<i64>();
    let flash = match wanted {
        Ok(seconds) if (0..=UNDO_SECONDS_MAX).contains(&seconds) => {
            let now = context.now();
            context
                .store(move |store| {
                    store.write(|tx| settings::update_undo_seconds(tx, seconds, now))
                })
                .await?;
            Flash::good(match seconds {
                0 => "Saved. Replies leave at once from now on.".to_owned(),
                _ => format!("Saved. From now on replies can be taken back for {seconds} seconds."),
            })
        }
        _ => Flash::bad(format!(
            "Enter a number of seconds from 0 to {UNDO_SECONDS_MAX}; 0 sends at once. Nothing was changed."
        )),
    };
    Ok(go_saying(&context, "/outbox#settings", &flash))
}
