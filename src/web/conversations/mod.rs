//! One conversation: its page, and what is done with it.

mod acts;
mod entries;
mod letter;
mod replies;
mod reply_form;
mod show;

pub(super) use acts::{assign, close, note, place, reopen, wait};
pub(super) use entries::state_label;
pub(super) use replies::create as reply;
pub(super) use show::show;

use super::error::Error;
use crate::model::ConversationId;

/// The address of a conversation.
#[must_use]
pub(super) fn url(id: ConversationId) -> String {
    format!("/conversations/{id}")
}

/// Reads the number in an address.
///
/// # Errors
/// When it is not one.
fn number(text: &str) -> Result<ConversationId, Error> {
    text.parse()
        .map(ConversationId)
        .map_err(|_| Error::NotFound("conversation"))
}
