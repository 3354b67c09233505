//! What a reply must be before it is queued: someone to go to, something to say, and small enough for its way out.

use super::{Error, ReplyDraft, invalid};
use crate::mail::html;
use crate::model::SendLimits;

/// What holds where nothing is known of the way out. Exchange Online's defaults: 500 recipients, and 35 MB with
/// files encoded (Microsoft, "Exchange Online limits").
pub(super) const USUAL: SendLimits = SendLimits {
    recipients: 500,
    message_bytes: 35 * 1024 * 1024,
};

/// Checks what can be known before the message is composed.
pub(super) fn draft(draft: &ReplyDraft, limits: SendLimits) -> Result<(), Error> {
    let count = draft.to.len() + draft.cc.len() + draft.bcc.len();
    if count == 0 {
        return Err(invalid("to", "Enter at least one recipient."));
    }
    if count > limits.recipients {
        let most = limits.recipients;
        return Err(invalid(
            "to",
            format!(
                "A message can go to {most} recipients at most; this one has {count}. Send it in several messages."
            ),
        ));
    }
    let html_text = draft.html.as_deref().map(html::to_text);
    let nothing = html_text
        .as_deref()
        .unwrap_or(&draft.text)
        .trim()
        .is_empty();
    if nothing && draft.attachments.is_empty() {
        return Err(invalid("text", "Write something, or attach a file."));
    }
    let files: usize = draft.attachments.iter().map(|file| file.bytes.len()).sum();
    // Base64 makes four bytes of three, and a line end for each 76 (RFC 2045 §6.8).
    size(files / 3 * 4 + files / 57 * 2, limits)?;
    if draft.idempotency_key.is_empty() || draft.idempotency_key.len() > 200 {
        return Err(invalid(
            "text",
            "The form was incomplete. Reload the page and send again.",
        ));
    }
    Ok(())
}

/// Checks the size of a message as it is sent.
pub(super) fn size(bytes: usize, limits: SendLimits) -> Result<(), Error> {
    let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
    let Some(over) = bytes.checked_sub(limits.message_bytes).filter(|&n| n > 0) else {
        return Ok(());
    };
    Err(invalid(
        "attachments",
        format!(
            "With its files, encoded as mail needs them, the message is {}: {} more than this mailbox can send ({}). Leave out files, or send a link to them.",
            megabytes(bytes),
            megabytes(over),
            megabytes(limits.message_bytes)
        ),
    ))
}

/// In tenths of a megabyte, never less than one.
fn megabytes(bytes: u64) -> String {
    let tenths = bytes.div_ceil(100_000).max(1);
    format!("{}.{} MB", tenths / 10, tenths % 10)
}
