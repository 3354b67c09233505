//! `GET /messages/{id}/source`: what a message really looks like.

use actix_web::HttpResponse;
use actix_web::web::Path;
use askama::Template;

use super::id;
use crate::mail::{self, Piece};
use crate::model::Message;
use crate::store;
use crate::web::context::Shared;
use crate::web::conversations;
use crate::web::error::Error;
use crate::web::format;
use crate::web::page::{self, Here, Page};
use crate::web::session::Visitor;

/// Bytes of source shown on the page; the file has all of them.
const SHOWN_BYTES: usize = 256 * 1024;
/// Larger messages are not read whole for the list of their parts.
const OUTLINE_MAX_BYTES: i64 = 64 * 1024 * 1024;
/// Header fields shown.
const FIELDS_MAX: usize = 400;
/// Characters shown of one.
const VALUE_CHARS: usize = 4_000;

#[derive(Template)]
#[template(path = "messages/source.html")]
struct Source {
    page: Page,
    message: Message,
    fields: Vec<(String, String)>,
    pieces: Vec<Piece>,
    text: String,
    size_bytes: i64,
    is_cut: bool,
}

/// What is computed from the bytes.
struct Read {
    fields: Vec<(String, String)>,
    pieces: Vec<Piece>,
    text: String,
    is_cut: bool,
}

/// Shows header fields, parts and source of a message.
///
/// # Errors
/// When there is none, or the store fails.
pub(in crate::web) async fn source(
    context: Shared,
    visitor: Visitor,
    path: Path<String>,
) -> Result<HttpResponse, Error> {
    let id = id(&path)?;
    let shared = context.clone();
    let (page, message, size_bytes, raw) = context
        .read(move |db| {
            let missing = Error::NotFound("message");
            let message = store::messages::find(db, id)?.ok_or(missing)?;
            let page = Page::load(
                db,
                &shared,
                &visitor,
                "Source of a message",
                Here::default(),
            )?;
            let head = store::messages::find_head(db, id, SHOWN_BYTES)?;
            let (size_bytes, head) = head.ok_or(Error::NotFound("message"))?;
            let raw = if size_bytes <= OUTLINE_MAX_BYTES {
                store::messages::find_raw(db, id)?.unwrap_or(head)
            } else {
                head
            };
            Ok((page, message, size_bytes, raw))
        })
        .await?;
    let read = context.compute(move || read(&raw, size_bytes)).await?;
    page::show(&Source {
        page,
        message,
        fields: read.fields,
        pieces: read.pieces,
        text: read.text,
        size_bytes,
        is_cut: read.is_cut,
    })
}

fn read(raw: &[u8], size_bytes: i64) -> Read {
    let shown = raw.get(..SHOWN_BYTES).unwrap_or(raw);
    let (parsed, _) = mail::parse(shown);
    let headers = &parsed.headers;
    let fields = headers
        .fields
        .iter()
        .take(FIELDS_MAX)
        .map(|field| {
            let value = headers.decode(&field.raw);
            let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
            (field_name(&field.name), cut(&value))
        })
        .collect();
    Read {
        fields,
        pieces: mail::outline(raw),
        text: String::from_utf8_lossy(shown).replace('\0', "\u{fffd}"),
        is_cut: i64::try_from(shown.len()).is_ok_and(|length| length < size_bytes),
    }
}

fn cut(text: &str) -> String {
    let mut cut: String = text.chars().take(VALUE_CHARS).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut
}

/// A field's name as it is usually written: `x-ms-exchange-organization-scl` is `X-MS-Exchange-Organization-SCL`.
fn field_name(name: &str) -> String {
    let words: Vec<String> = name
        .split('-')
        .map(|word| match word {
            "arc" | "bcl" | "dkim" | "id" | "ip" | "mime" | "ms" | "pcl" | "scl" | "spf"
            | "tnef" => word.to_uppercase(),
            _ => {
                let mut chars = word.chars();
                let first = chars.next().map(|first| first.to_ascii_uppercase());
                first.into_iter().chain(chars).collect()
            }
        })
        .collect();
    words.join("-")
}

impl Source {
    fn back_url(&self) -> String {
        format!(
            "{}#message-{}",
            conversations::url(self.message.conversation_id),
            self.message.id
        )
    }

    fn size(&self) -> String {
        format::size(self.size_bytes)
    }
}

/// What a part is, in a line.
fn about(piece: &Piece) -> String {
    let size = piece
        .size_bytes
        .map(|size| format::size(i64::try_from(size).unwrap_or(i64::MAX)));
    let charset = Some(&piece.charset).filter(|charset| !charset.is_empty());
    let disposition = Some(&piece.disposition).filter(|word| !word.is_empty());
    [charset, disposition, size.as_ref()]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}

/// The indentation of a part, as a word for the style sheet.
fn level(piece: &Piece) -> usize {
    piece.depth.min(8)
}

#[cfg(test)]
mod tests {
    use super::field_name;

    #[test]
    fn names_of_fields_are_written_as_usual() {
        for (name, written) in [
            ("message-id", "Message-ID"),
            ("mime-version", "MIME-Version"),
            (
                "x-ms-exchange-organization-scl",
                "X-MS-Exchange-Organization-SCL",
            ),
            ("authentication-results", "Authentication-Results"),
            ("", ""),
        ] {
            assert_eq!(field_name(name), written);
        }
    }
}
