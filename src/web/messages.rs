//! One message: its page's frame, its pictures, and its bytes as received.
//!
//! What a stranger wrote is shown only in a sandboxed frame from an address of its own, under a policy
//! of its own: no script, no form, nothing from elsewhere. Pictures from elsewhere are let in for one
//! answer, when asked.

mod source;

use actix_web::http::header;
use actix_web::web::{Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::attachments::inert;
use super::context::Shared;
use super::conversations;
use super::error::Error;
use super::page::{Theme, go};
use super::session::Visitor;
use crate::mail::html::{Display, sanitize, text_to_html};
use crate::mail::{self, Parsed, quote, trust};
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
    /// What it is, when it is shown only on request: a signature, quoted history.
    folded: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "messages/body.html")]
pub(super) struct Body {
    subject: String,
    stylesheet: String,
    theme: Theme,
    class: String,
    parts: Vec<Part>,
    /// Its colours are right on white paper only.
    paper: bool,
    pictures: Pictures,
}

/// What there is to say of a message's pictures.
#[derive(Default)]
struct Pictures {
    /// Those of other servers are let in.
    shown: bool,
    /// How many were left out, tracking pixels among them.
    blocked: usize,
    trackers: usize,
    /// The sender, when the message is proven to be theirs.
    sender: Option<String>,
    /// Pictures of this sender shall be shown, but nothing proves that the message is theirs.
    doubtful: bool,
}

impl Pictures {
    /// Pictures a person would see if they asked.
    fn waiting(&self) -> usize {
        self.blocked - self.trackers.min(self.blocked)
    }

    fn sentence(&self) -> String {
        let (few, many) = match self.trackers {
            1 => (
                "A tracking pixel was kept out.".to_owned(),
                "a tracking pixel",
            ),
            some => (
                format!("{some} tracking pixels were kept out."),
                "tracking pixels",
            ),
        };
        if self.waiting() == 0 {
            return few;
        }
        let pictures = match self.blocked {
            1 => "1 picture from another server is not shown".to_owned(),
            some => format!("{some} pictures from other servers are not shown"),
        };
        match self.trackers {
            0 => format!("{pictures}."),
            some => format!("{pictures}, {some} of them {many}."),
        }
    }
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
    request: HttpRequest,
) -> Result<HttpResponse, Error> {
    let id = id(&path)?;
    let (message, raw) = load(&context, id).await?;
    let sender = message.from.address.clone();
    let chosen = context
        .read(move |db| Ok(store::picture_senders::is_chosen(db, &sender)?))
        .await?;
    let wish = PictureWish {
        asked: wish.images == "1",
        chosen,
    };
    let (stylesheet, theme) = (context.assets.url("mail.css"), Theme::of(&request));
    // Mail can be costly to read: not on a thread that serves others.
    let body = context
        .compute(move || make_body(&message, &raw, wish, stylesheet, theme))
        .await?;
    show_frame(&body)
}

/// The content of a frame as the answer, under a policy of its own.
///
/// # Errors
/// When the template fails.
pub(super) fn show_frame(body: &Body) -> Result<HttpResponse, Error> {
    let pictures = if body.pictures.shown {
        "https: http: "
    } else {
        ""
    };
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

/// Why pictures of other servers may be shown.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PictureWish {
    /// A person asked for them, now.
    pub(super) asked: bool,
    /// A person asked for all of this sender's.
    pub(super) chosen: bool,
}

fn make_body(
    message: &Message,
    raw: &[u8],
    wish: PictureWish,
    stylesheet: String,
    theme: Theme,
) -> Body {
    let cid_url = |cid: &str| own_picture(message, cid);
    frame(&mail::parse(raw).0, wish, stylesheet, theme, &cid_url)
}

/// A message's HTML for a frame; `cid_url` says where its pictures are.
pub(super) fn frame(
    parsed: &Parsed,
    wish: PictureWish,
    stylesheet: String,
    theme: Theme,
    cid_url: &dyn Fn(&str) -> Option<String>,
) -> Body {
    let mut body = Body {
        subject: parsed.subject.clone(),
        stylesheet,
        theme,
        class: String::new(),
        parts: Vec::new(),
        paper: false,
        pictures: Pictures::default(),
    };
    let Some(html) = parsed.html.as_deref() else {
        body.parts.push(Part {
            html: text_to_html(&parsed.text),
            folded: None,
        });
        return body;
    };
    let sender = proven_sender(parsed);
    body.pictures = Pictures {
        shown: wish.asked || (wish.chosen && sender.is_some()),
        doubtful: wish.chosen && sender.is_none(),
        sender,
        ..Pictures::default()
    };
    let display = Display {
        remote_images: body.pictures.shown,
        cid_url,
    };
    for (piece, folded) in pieces(parsed, html) {
        if piece.trim().is_empty() {
            continue;
        }
        let clean = sanitize(piece, &display);
        body.pictures.blocked += clean.remote_images_blocked;
        body.pictures.trackers += clean.tracking_pixels;
        body.paper |= clean.needs_paper;
        if folded.is_none() {
            body.class = clean.body_class;
        }
        body.parts.push(Part {
            html: clean.html,
            folded,
        });
    }
    body
}

/// A message's HTML taken apart: what is new, the signature under it, and what it quotes.
fn pieces<'h>(parsed: &Parsed, html: &'h str) -> Vec<(&'h str, Option<&'static str>)> {
    let split = quote::split(&parsed.subject, &parsed.text, Some(html));
    let cut = |text: &'h str, at: Option<usize>| {
        at.and_then(|at| text.split_at_checked(at))
            .unwrap_or((text, ""))
    };
    let (upper, history) = cut(html, split.html_split);
    let (new, signature) = cut(upper, split.signature_split);
    vec![
        (new, None),
        (signature, Some("Signature")),
        (history, Some("Quoted history")),
    ]
}

/// The address of a picture that came with the message, by its Content-ID.
fn own_picture(message: &Message, cid: &str) -> Option<String> {
    let mut ids = message
        .attachments
        .iter()
        .filter_map(|file| file.content_id.as_deref());
    ids.any(|known| known.eq_ignore_ascii_case(cid))
        .then(|| picture_url(message.id, cid))
}

/// A Content-ID may hold any sign, also those that mean something in an address.
fn picture_url(id: MessageId, cid: &str) -> String {
    let encoded: String = url::form_urlencoded::byte_serialize(cid.as_bytes()).collect();
    format!("/messages/{id}/cid/{}", encoded.replace('+', "%20"))
}

/// Who wrote the message, if the receiving server found that the visible sender's domain stands for it
/// (DMARC, RFC 7489). Without that anybody can write in a known sender's name.
fn proven_sender(parsed: &Parsed) -> Option<String> {
    let [from] = parsed.from.as_slice() else {
        return None;
    };
    let found = trust::verdicts(&parsed.headers, trust::EXCHANGE)?;
    (found.authentication.dmarc.as_deref() == Some("pass")).then(|| from.address.clone())
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
    request: HttpRequest,
) -> Result<HttpResponse, Error> {
    let id = id(&path.0)?;
    // Compared as written: some signs are left encoded when a path is taken apart.
    let asked = request.uri().path().to_owned();
    let (file, bytes) = context
        .read(move |db| {
            let is_asked = |cid: &str| picture_url(id, cid).eq_ignore_ascii_case(&asked);
            let files = store::attachments::list(db, id)?;
            let file = files
                .iter()
                .find(|file| file.content_id.as_deref().is_some_and(is_asked))
                .ok_or(Error::NotFound("picture"))?;
            let (file, _, bytes) =
                store::attachments::find(db, file.id)?.ok_or(Error::NotFound("picture"))?;
            Ok((file, bytes))
        })
        .await?;
    Ok(inert(&file.filename, &file.content_type, true, bytes))
}
