//! `GET /attachments/{id}/message/{at}`: a message that came as a file, shown like one, only to read. It may
//! hold others: `0` is the message itself, `0.2` the third file of it, `0.2.0` the first file of that.

use actix_web::web::{Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::inert;
use crate::mail::{self, Parsed};
use crate::model::{Address, Attachment, AttachmentId, ConversationId};
use crate::store;
use crate::web::context::Shared;
use crate::web::conversations;
use crate::web::error::Error;
use crate::web::events::Card;
use crate::web::files::{self, File};
use crate::web::format;
use crate::web::messages::{PictureWish, frame, show_frame};
use crate::web::page::{self, Here, Html, Page, Theme};
use crate::web::session::Visitor;

/// Messages within messages that are opened.
const DEPTH_MAX: usize = 8;

/// What the addresses may carry.
#[derive(Debug, Default, serde::Deserialize)]
pub(in crate::web) struct Wish {
    /// `1` lets remote pictures in.
    #[serde(default)]
    images: String,
}

#[derive(Template)]
#[template(path = "attachments/message.html")]
struct Letter {
    page: Page,
    back_url: String,
    /// The message around it, when that came as a file too.
    outer_url: Option<String>,
    body_url: String,
    raw_url: String,
    subject: String,
    from: Vec<Address>,
    to: Vec<Address>,
    cc: Vec<Address>,
    date_at: Option<i64>,
    /// The text, when there is no HTML.
    text: Option<Html>,
    event: Option<Card>,
    files: Vec<File>,
    defects: Vec<String>,
}

/// A message found in a file.
struct Found {
    file: Attachment,
    conversation_id: ConversationId,
    parsed: Parsed,
    defects: Vec<mail::Defect>,
    raw: Vec<u8>,
}

/// Where the message itself stands.
pub(in crate::web) const ITSELF: &str = "0";

/// The numbers in `at` after the first.
fn steps(at: &str) -> Result<Vec<usize>, Error> {
    let mut steps = at.split('.');
    let inner: Result<Vec<usize>, _> = match steps.next() {
        Some(ITSELF) => steps.map(str::parse).collect(),
        _ => return Err(Error::NotFound("message")),
    };
    inner
        .ok()
        .filter(|inner| inner.len() < DEPTH_MAX)
        .ok_or(Error::NotFound("message"))
}

async fn find(context: &Shared, id: &str, at: &str) -> Result<Found, Error> {
    let id = AttachmentId(id.parse().map_err(|_| Error::NotFound("file"))?);
    let steps = steps(at)?;
    let (file, conversation_id, bytes) = context
        .read(move |db| store::attachments::find(db, id)?.ok_or(Error::NotFound("file")))
        .await?;
    if !files::is_message(&file.filename, &file.content_type) {
        return Err(Error::NotFound("message"));
    }
    let found = context
        .compute(move || {
            let mut raw = bytes;
            let (mut parsed, mut defects) = mail::parse(&raw);
            for step in steps {
                let inner = parsed.attachments.get(step)?;
                if !files::is_message(&inner.filename, &inner.content_type) {
                    return None;
                }
                raw = inner.bytes.clone();
                (parsed, defects) = mail::parse(&raw);
            }
            Some((parsed, defects, raw))
        })
        .await?;
    let (parsed, defects, raw) = found.ok_or(Error::NotFound("message"))?;
    Ok(Found {
        file,
        conversation_id,
        parsed,
        defects,
        raw,
    })
}

/// An address of this message: `at` is which, `noun` what of it.
fn url(id: AttachmentId, at: &str, noun: &str) -> String {
    format!("/attachments/{id}/message/{at}{noun}")
}

/// Shows the message.
///
/// # Errors
/// When there is none, or the store fails.
pub(in crate::web) async fn show(
    context: Shared,
    visitor: Visitor,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Error> {
    let (id, at) = path.into_inner();
    let found = find(&context, &id, &at).await?;
    let id = found.file.id;
    let shared = context.clone();
    let mut page = context
        .read(move |db| Page::load(db, &shared, &visitor, "Attached message", Here::default()))
        .await?;
    page.path = url(id, &at, "");
    let parsed = found.parsed;
    let files = parsed
        .attachments
        .iter()
        .enumerate()
        .filter(|(_, file)| !file.inline || parsed.html.is_none())
        .map(|(number, file)| {
            File::new(
                &file.filename,
                &file.content_type,
                i64::try_from(file.bytes.len()).unwrap_or(i64::MAX),
                url(id, &at, &format!("/files/{number}")),
                url(id, &format!("{at}.{number}"), ""),
            )
        })
        .collect();
    let event = parsed
        .calendar
        .as_ref()
        .map(|calendar| Card::new(calendar, &parsed.text, None));
    let outer = at.rsplit_once('.');
    page::show(&Letter {
        page,
        back_url: conversations::url(found.conversation_id),
        outer_url: outer.map(|(outer, _)| url(id, outer, "")),
        body_url: url(id, &at, "/body"),
        raw_url: url(id, &at, "/raw"),
        text: parsed.html.is_none().then(|| Html::of_mail(&parsed.text)),
        subject: parsed.subject,
        from: parsed.from,
        to: parsed.to,
        cc: parsed.cc,
        date_at: parsed.date_at,
        event,
        files,
        defects: found.defects.iter().map(ToString::to_string).collect(),
    })
}

/// The message's own HTML, for its frame.
///
/// # Errors
/// When there is none, or the store fails.
pub(in crate::web) async fn body(
    context: Shared,
    _visitor: Visitor,
    path: Path<(String, String)>,
    wish: Query<Wish>,
    request: HttpRequest,
) -> Result<HttpResponse, Error> {
    let (id, at) = path.into_inner();
    let found = find(&context, &id, &at).await?;
    let wish = PictureWish {
        asked: wish.images == "1",
        chosen: false,
    };
    let theme = Theme::of(&request);
    let id = found.file.id;
    let parsed = found.parsed;
    let stylesheet = context.assets.url("mail.css");
    let body = context
        .compute(move || {
            let cid_url = |cid: &str| {
                find_picture(&parsed, cid)?;
                let cid: String = url::form_urlencoded::byte_serialize(cid.as_bytes()).collect();
                let noun = format!("/cid/{}", cid.replace('+', "%20"));
                Some(url(id, &at, &noun))
            };
            frame(&parsed, wish, stylesheet, theme, &cid_url)
        })
        .await?;
    show_frame(&body)
}

fn find_picture<'p>(parsed: &'p Parsed, cid: &str) -> Option<&'p mail::Attachment> {
    parsed.attachments.iter().find(|file| {
        file.content_id
            .as_deref()
            .is_some_and(|known| known.eq_ignore_ascii_case(cid))
    })
}

/// The message as a file of its own.
///
/// # Errors
/// When there is none, or the store fails.
pub(in crate::web) async fn raw(
    context: Shared,
    _visitor: Visitor,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Error> {
    let (id, at) = path.into_inner();
    let found = find(&context, &id, &at).await?;
    Ok(inert("message.eml", "message/rfc822", false, found.raw))
}

/// A file in the message.
///
/// # Errors
/// When there is none, or the store fails.
pub(in crate::web) async fn file(
    context: Shared,
    _visitor: Visitor,
    path: Path<(String, String, usize)>,
) -> Result<HttpResponse, Error> {
    let (id, at, number) = path.into_inner();
    let found = find(&context, &id, &at).await?;
    let file = found.parsed.attachments.into_iter().nth(number);
    let file = file.ok_or(Error::NotFound("file"))?;
    Ok(inert(&file.filename, &file.content_type, false, file.bytes))
}

/// A picture in the message's HTML.
///
/// # Errors
/// When there is none, or the store fails.
pub(in crate::web) async fn picture(
    context: Shared,
    _visitor: Visitor,
    path: Path<(String, String, String)>,
) -> Result<HttpResponse, Error> {
    let (id, at, cid) = path.into_inner();
    let found = find(&context, &id, &at).await?;
    let file = find_picture(&found.parsed, &cid).ok_or(Error::NotFound("picture"))?;
    Ok(inert(
        &file.filename,
        &file.content_type,
        true,
        file.bytes.clone(),
    ))
}
