//! One message: its page's frame, its pictures, and its bytes as received.
//!
//! What a stranger wrote is shown only in a sandboxed frame from an address of its own, under a policy
//! of its own: no script, no form, nothing from elsewhere. Pictures from elsewhere are let in for one
//! answer, when asked.

mod source;

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{Path, Query};
use askama::Template;

use super::attachments::inert;
use super::context::Shared;
use super::conversations;
use super::error::Error;
use super::page::go;
use super::session::Visitor;
use crate::mail::html::{Display, sanitize, text_to_html};
use crate::mail::{self, Parsed, quote};
use crate::model::{Message, MessageId};
use crate::store;

pub(super) use source::source;

/// What the frame's content may do. `allow-same-origin` without `allow-scripts`: the page around it may
/// measure it, and pictures by Content-ID come with the session; nothing in it runs.
const SANDBOX: &str = "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox";

/// What the address of the frame may carry.
#[derive(Debug, Default, serde::Deserialize)]
pub(super) struct Wish {
    /// `1` lets remote pictures in.
    #[serde(default)]
    images: String,
}

/// A piece of a message's HTML.
struct Part {
    html: String,
    /// Quoted history: shown when asked.
    folded: bool,
}

#[derive(Template)]
#[template(path = "messages/body.html")]
pub(super) struct Body {
    subject: String,
    stylesheet: String,
    parts: Vec<Part>,
    blocked: usize,
}

fn id(text: &str) -> Result<MessageId, Error> {
    text.parse()
        .map(MessageId)
        .map_err(|_| Error::NotFound("message"))
}

async fn load(context: &Shared, id: MessageId) -> Result<(Message, Vec<u8>), Error> {
    context
        .read(move |db| {
            let message = store::messages::find(db, id)?.ok_or(Error::NotFound("message"))?;
            let raw = store::messages::find_raw(db, id)?.ok_or(Error::NotFound("message"))?;
            Ok((message, raw))
        })
        .await
}

/// `GET /messages/{id}`: the lasting address of a message leads to its place in its conversation.
///
/// # Errors
/// When there is none, or the store fails.
pub(super) async fn show(
    context: Shared,
    _visitor: Visitor,
    path: Path<String>,
) -> Result<HttpResponse, Error> {
    let id = id(&path)?;
    let message = context
        .read(move |db| store::messages::find(db, id)?.ok_or(Error::NotFound("message")))
        .await?;
    Ok(go(&format!(
        "{}#message-{id}",
        conversations::url(message.conversation_id)
    )))
}

/// `GET /messages/{id}/body`
///
/// # Errors
/// When there is none, or the store fails.
pub(super) async fn body(
    context: Shared,
    _visitor: Visitor,
    path: Path<String>,
    wish: Query<Wish>,
) -> Result<HttpResponse, Error> {
    let id = id(&path)?;
    let images = wish.images == "1";
    let (message, raw) = load(&context, id).await?;
    let stylesheet = context.assets.url("mail.css");
    // Mail can be costly to read: not on a thread that serves others.
    let body = context
        .compute(move || make_body(&message, &raw, images, stylesheet))
        .await?;
    show_frame(&body, images)
}

/// The content of a frame as the answer, under a policy of its own.
///
/// # Errors
/// When the template fails.
pub(super) fn show_frame(body: &Body, images: bool) -> Result<HttpResponse, Error> {
    let pictures = if images { "https: http: " } else { "" };
    let policy = format!(
        "default-src 'none'; img-src 'self' {pictures}data:; style-src 'self' 'unsafe-inline'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'self'; {SANDBOX}"
    );
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, policy))
        .insert_header((header::X_FRAME_OPTIONS, "SAMEORIGIN"))
        // Whoever serves a remote picture does not learn from where it is shown.
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .body(body.render()?))
}

fn make_body(message: &Message, raw: &[u8], images: bool, stylesheet: String) -> Body {
    let cid_url = |cid: &str| {
        let known = message.attachments.iter().any(|file| {
            file.content_id
                .as_deref()
                .is_some_and(|known| known.eq_ignore_ascii_case(cid))
        });
        let encoded: String = url::form_urlencoded::byte_serialize(cid.as_bytes()).collect();
        known.then(|| {
            format!(
                "/messages/{}/cid/{}",
                message.id,
                encoded.replace('+', "%20")
            )
        })
    };
    frame(&mail::parse(raw).0, images, stylesheet, &cid_url)
}

/// A message's HTML for a frame; `cid_url` says where its pictures are.
pub(super) fn frame(
    parsed: &Parsed,
    images: bool,
    stylesheet: String,
    cid_url: &dyn Fn(&str) -> Option<String>,
) -> Body {
    let subject = parsed.subject.clone();
    let Some(html) = parsed.html.as_deref() else {
        let part = Part {
            html: text_to_html(&parsed.text),
            folded: false,
        };
        return Body {
            subject,
            stylesheet,
            parts: vec![part],
            blocked: 0,
        };
    };
    let display = Display {
        remote_images: images,
        cid_url,
    };
    let split = quote::split(&parsed.text, Some(html)).html_split;
    let (new, old) = split
        .and_then(|at| html.split_at_checked(at))
        .unwrap_or((html, ""));
    let mut parts = Vec::new();
    let mut blocked = 0;
    for (piece, folded) in [(new, false), (old, true)] {
        if piece.trim().is_empty() {
            continue;
        }
        let clean = sanitize(piece, &display);
        blocked += clean.remote_images_blocked;
        parts.push(Part {
            html: clean.html,
            folded,
        });
    }
    Body {
        subject,
        stylesheet,
        parts,
        blocked,
    }
}

/// `GET /messages/{id}/raw`
///
/// # Errors
/// When there is none, or the store fails.
pub(super) async fn raw(
    context: Shared,
    _visitor: Visitor,
    path: Path<String>,
) -> Result<HttpResponse, Error> {
    let id = id(&path)?;
    let (_, raw) = load(&context, id).await?;
    Ok(inert(
        &format!("message-{id}.eml"),
        "message/rfc822",
        false,
        raw,
    ))
}

/// `GET /messages/{id}/cid/{cid}`
///
/// # Errors
/// When there is no such picture, or the store fails.
pub(super) async fn picture(
    context: Shared,
    _visitor: Visitor,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Error> {
    let (message, cid) = path.into_inner();
    let id = id(&message)?;
    let (file, bytes) = context
        .read(move |db| {
            let files = store::attachments::list(db, id)?;
            let file = files
                .iter()
                .find(|file| {
                    file.content_id
                        .as_deref()
                        .is_some_and(|known| known.eq_ignore_ascii_case(&cid))
                })
                .ok_or(Error::NotFound("picture"))?;
            let (file, _, bytes) =
                store::attachments::find(db, file.id)?.ok_or(Error::NotFound("picture"))?;
            Ok((file, bytes))
        })
        .await?;
    Ok(inert(&file.filename, &file.content_type, true, bytes))
}
