//! Files under `static/`, embedded in the program and served under an address that changes with them,
//! so that browsers may keep them for ever.

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::Path;

use super::context::Shared;
use super::error::Error;
use crate::secret::sha256;

#[derive(rust_embed::RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/static"]
struct Files;

/// Where the embedded files are served.
#[derive(Debug, Clone)]
pub struct Assets {
    base: String,
}

impl Assets {
    pub(super) fn new() -> Self {
        let mut names: Vec<_> = Files::iter().collect();
        names.sort();
        let hashes: Vec<u8> = names
            .iter()
            .filter_map(|name| Files::get(name))
            .flat_map(|file| file.metadata.sha256_hash())
            .collect();
        let hash: String = sha256(&hashes)
            .iter()
            .take(6)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self {
            base: format!("/static/{hash}"),
        }
    }

    /// The address of a file.
    #[must_use]
    pub fn url(&self, name: &str) -> String {
        format!("{}/{name}", self.base)
    }
}

/// `GET /static/{hash}/{name}`
///
/// # Errors
/// When there is no such file.
pub(super) async fn show(
    context: Shared,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Error> {
    let (hash, name) = path.into_inner();
    let file = Files::get(&name).ok_or(Error::NotFound("file"))?;
    let kind = mime_guess::from_path(&name).first_or_octet_stream();
    let kind = if kind.type_() == mime_guess::mime::TEXT {
        format!("{kind}; charset=utf-8")
    } else {
        kind.to_string()
    };
    // A page of another version may ask while the program is being replaced: served, but not kept.
    let current = context.assets.base.ends_with(&hash);
    let keep = if current {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    Ok(HttpResponse::Ok()
        .content_type(kind)
        .insert_header((CACHE_CONTROL, keep))
        .body(file.data.into_owned()))
}
