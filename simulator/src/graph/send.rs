//! `sendMail`: a whole message as base64 MIME, or Graph's JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::json_message;
use super::{Caller, GraphError, check_mailbox};
use crate::http::{Request, Response};
use crate::server::Services;
use crate::world::{Submission, User, Via, headers};

/// Graph takes requests up to 4 MB.
const LIMIT_BYTES: usize = 4 * 1024 * 1024;

/// A message ready to go.
pub(super) struct Outgoing {
    pub(super) raw: Vec<u8>,
    pub(super) recipients: Vec<String>,
    /// The address in `from`, when the caller chose one.
    pub(super) from: Option<String>,
    pub(super) save_to_sent: bool,
}

/// Sends from `target`'s mailbox.
pub(super) fn send_mail(
    services: &Services,
    caller: &Caller,
    target: &User,
    own: bool,
    request: &Request,
) -> Result<Response, GraphError> {
    if request.body.len() > LIMIT_BYTES {
        return Err(GraphError::new(
            413,
            "ErrorMessageSizeExceeded",
            "The message exceeds the maximum supported size.",
        ));
    }
    check_rights(services, caller, target, own)?;
    check_mailbox(target)?;
    let kind = request
        .header("content-type")
        .unwrap_or_default()
        .to_lowercase();
    let outgoing = if kind.starts_with("text/plain") {
        from_mime(&request.body)?
    } else if kind.starts_with("application/json") {
        json_message::read(&request.body)?
    } else {
        return Err(GraphError::new(
            415,
            "UnsupportedMediaType",
            "The media type of the request is not supported.",
        ));
    };
    let sender = sender(services, caller, target, outgoing.from.as_deref())?;
    if outgoing.recipients.is_empty()
        || outgoing
            .recipients
            .iter()
            .any(|address| !address.contains('@'))
    {
        return Err(GraphError::new(
            400,
            "ErrorInvalidRecipients",
            "At least one recipient is not valid., Cannot submit message.",
        ));
    }
    let now = services.world.clock().now();
    let raw = finished(&outgoing.raw, &sender, now);
    let submission = Submission {
        mailbox: target.address.clone(),
        mail_from: sender.address,
        recipients: outgoing.recipients,
        raw,
        via: Via::Graph,
        save_to_sent: outgoing.save_to_sent,
        at: now,
        effective_message_id: String::new(),
    };
    match services.world.submit(submission) {
        // Accepted, not delivered; no id is given back.
        Ok(_) => Ok(Response {
            status: 202,
            headers: Vec::new(),
            body: Vec::new(),
        }),
        Err(reason) => Err(GraphError::new(500, "ErrorInternalServerError", reason)),
    }
}

/// `Mail.Send` for one's own mailbox, `Mail.Send.Shared` and Exchange's Send As for another.
fn check_rights(
    services: &Services,
    caller: &Caller,
    target: &User,
    own: bool,
) -> Result<(), GraphError> {
    let scope = caller.grant.has("Mail.Send.Shared") || own && caller.grant.has("Mail.Send");
    if !scope {
        return Err(GraphError::access_denied());
    }
    if own
        || services
            .world
            .may_send_as(&caller.grant.upn, &target.address)
    {
        Ok(())
    } else {
        Err(send_as_denied())
    }
}

fn send_as_denied() -> GraphError {
    GraphError::new(
        403,
        "ErrorSendAsDenied",
        "The user account which was used to submit this request does not have the right to send \
         mail on behalf of the specified sending account., Cannot submit message.",
    )
}

/// Whose name stands in From: the mailbox's, or the one chosen in JSON if the caller may send as
/// it.
fn sender(
    services: &Services,
    caller: &Caller,
    target: &User,
    chosen: Option<&str>,
) -> Result<User, GraphError> {
    let Some(address) = chosen.filter(|address| !target.is_called(address)) else {
        return Ok(target.clone());
    };
    let other = services.world.user(address).ok_or_else(send_as_denied)?;
    if services
        .world
        .may_send_as(&caller.grant.upn, &other.address)
        && caller.grant.has("Mail.Send.Shared")
    {
        Ok(other)
    } else {
        Err(send_as_denied())
    }
}

fn from_mime(body: &[u8]) -> Result<Outgoing, GraphError> {
    let base64: Vec<u8> = body
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    let raw = STANDARD.decode(base64).map_err(|_| {
        GraphError::new(
            400,
            "ErrorMimeContentInvalidBase64String",
            "Invalid base64 string for MIME content.",
        )
    })?;
    let mut recipients: Vec<String> = Vec::new();
    for name in ["To", "Cc", "Bcc"] {
        for address in headers::addresses(&raw, name) {
            if !recipients
                .iter()
                .any(|known| known.eq_ignore_ascii_case(&address))
            {
                recipients.push(address);
            }
        }
    }
    Ok(Outgoing {
        raw,
        recipients,
        from: None,
        save_to_sent: true,
    })
}

/// The message as Exchange sends it: From is the mailbox's own whatever stood there; Date if there
/// was none.
fn finished(raw: &[u8], sender: &User, now: i64) -> Vec<u8> {
    let raw = headers::without(raw, "From");
    let raw = headers::without(&raw, "Sender");
    let raw = headers::with_first(
        &raw,
        "From",
        &mailbox_text(&sender.display_name, &sender.address),
    );
    if headers::get(&raw, "Date").is_some() {
        return raw;
    }
    headers::with_first(
        &raw,
        "Date",
        &mail_parser::DateTime::from_timestamp(now).to_rfc822(),
    )
}

/// A name and address for a header (RFC 5322 §3.4, RFC 2047 for names beyond ASCII).
pub(crate) fn mailbox_text(name: &str, address: &str) -> String {
    if name.is_empty() {
        return address.to_owned();
    }
    format!("{} <{address}>", phrase(name))
}

fn phrase(name: &str) -> String {
    if name.is_ascii() {
        return format!(
            "\"{}\"",
            name.replace('\\', "\\\\")
                .replace('"', "\\\"")
                .replace(['\r', '\n'], " ")
        );
    }
    encoded_words(name)
}

/// Text for a header field; plain when it is ASCII.
pub(crate) fn header_text(text: &str) -> String {
    let line = text.replace(['\r', '\n'], " ");
    if line.is_ascii() {
        line
    } else {
        encoded_words(&line)
    }
}

/// RFC 2047 words of at most 75 characters, never splitting a character.
fn encoded_words(text: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut chunk = String::new();
    for letter in text.chars() {
        if chunk.len() + letter.len_utf8() > 42 {
            words.push(std::mem::take(&mut chunk));
        }
        chunk.push(letter);
    }
    words.push(chunk);
    let encoded = words
        .iter()
        .map(|word| format!("=?utf-8?B?{}?=", STANDARD.encode(word)));
    encoded.collect::<Vec<_>>().join("\r\n ")
}
