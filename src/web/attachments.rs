//! Files in messages, handed out so that they cannot act as pages of ours.

pub(super) mod message;

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Path;

use super::context::Shared;
use super::error::Error;
use super::session::Visitor;
use crate::model::AttachmentId;
use crate::store;

/// Pictures a browser may show in a message; everything else is only saved. Not SVG, which is a
/// document that can hold scripts.
const PICTURES: [&str; 7] = [
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "image/avif",
    "image/bmp",
    "image/x-icon",
];

/// `GET /attachments/{id}`
///
/// # Errors
/// When there is none, or the store fails.
pub(super) async fn show(
    context: Shared,
    _visitor: Visitor,
    path: Path<String>,
) -> Result<HttpResponse, Error> {
    let id = AttachmentId(path.parse().map_err(|_| Error::NotFound("file"))?);
    let (file, _, bytes) = context
        .read(move |db| store::attachments::find(db, id)?.ok_or(Error::NotFound("file")))
        .await?;
    Ok(inert(&file.filename, &file.content_type, false, bytes))
}

/// A stranger's bytes as an answer that runs nothing: saved rather than shown, never guessed at, and in
/// a sandbox should a browser show it all the same. Pictures may be `shown` inside a message.
#[must_use]
pub(super) fn inert(
    filename: &str,
    content_type: &str,
    shown: bool,
    bytes: Vec<u8>,
) -> HttpResponse {
    let kind = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let picture = shown && PICTURES.contains(&kind.as_str());
    let kind = if picture || is_plain_type(&kind) {
        kind
    } else {
        "application/octet-stream".to_owned()
    };
    let disposition = if picture {
        "inline".to_owned()
    } else {
        saved_as(filename)
    };
    HttpResponse::Ok()
        .content_type(kind)
        .insert_header((header::CONTENT_DISPOSITION, disposition))
        .insert_header((
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'; sandbox",
        ))
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        .body(bytes)
}

/// `type/subtype` of the letters RFC 6838 §4.2 allows, and nothing a browser would open as a page.
fn is_plain_type(kind: &str) -> bool {
    let letters = |text: &str| {
        !text.is_empty()
            && text.len() <= 127
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c))
    };
    let page = ["html", "xml", "svg", "javascript", "ecmascript", "xslt"]
        .iter()
        .any(|word| kind.contains(word));
    !page
        && kind
            .split_once('/')
            .is_some_and(|(top, sub)| letters(top) && letters(sub))
}

/// `Content-Disposition` with the name in full (RFC 6266 §4.1, RFC 8187) and in ASCII for old browsers.
fn saved_as(filename: &str) -> String {
    let plain: String = filename
        .chars()
        .map(|c| {
            if c.is_ascii_graphic() && !"\"\\%;/".contains(c) || c == ' ' {
                c
            } else {
                '_'
            }
        })
        .collect();
    let mut full = String::new();
    for byte in filename.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            full.push(char::from(byte));
        } else {
            full.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{full}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_header() {
        let header = saved_as("a\"; x=\"b\r\nSet-Cookie: y.pdf");
        assert!(!header.contains('\r') && !header.contains('\n'));
        assert_eq!(header.matches('"').count(), 2);
        assert!(saved_as("Größe.pdf").ends_with("filename*=UTF-8''Gr%C3%B6%C3%9Fe.pdf"));
    }

    #[test]
    fn only_pictures_are_shown_and_pages_lose_their_type() {
        let kind = |kind: &str, shown: bool| {
            let answer = inert("x", kind, shown, Vec::new());
            let text = |name: header::HeaderName| {
                answer
                    .headers()
                    .get(name)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned()
            };
            (
                text(header::CONTENT_TYPE),
                text(header::CONTENT_DISPOSITION),
            )
        };
        assert_eq!(
            kind("image/png", true),
            ("image/png".to_owned(), "inline".to_owned())
        );
        assert!(kind("image/png", false).1.starts_with("attachment"));
        for page in [
            "text/html",
            "image/svg+xml",
            "application/xhtml+xml",
            "text/html; charset=x",
            "evil\r\n",
        ] {
            let (kind, disposition) = kind(page, true);
            assert_eq!(kind, "application/octet-stream");
            assert!(disposition.starts_with("attachment"), "{page}");
        }
    }
}
