//! Forms as they arrive: fields and files, read within limits and only with the right token.

use std::collections::BTreeMap;
use std::time::Duration;

use actix_multipart::Multipart;
use actix_web::dev::Payload;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest};
use futures_util::StreamExt as _;
use futures_util::future::LocalBoxFuture;

use super::csrf;
use super::error::Error;

/// Largest form without files, and largest field of a form with files.
const FORM_BYTES: usize = 2 * 1024 * 1024;
/// Largest sum of the files of one form.
pub(super) const FILES_BYTES: usize = 25 * 1000 * 1000;
/// Beyond this an upload is not even read to its end to keep the rest of the form.
const READ_BYTES: usize = 100 * 1024 * 1024;
/// How long a form may take to arrive.
const FORM_TIME: Duration = Duration::from_secs(30);
/// How long a form with files may take to arrive.
const UPLOAD_TIME: Duration = Duration::from_secs(600);

/// The fields of a form.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields(BTreeMap<String, Vec<String>>);

impl Fields {
    /// A field's first value without the space around it; empty when there is none.
    #[must_use]
    pub(super) fn get(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// A field's first value as it was sent.
    #[must_use]
    pub(super) fn raw(&self, name: &str) -> &str {
        self.0
            .get(name)
            .and_then(|values| values.first())
            .map_or("", String::as_str)
    }

    /// All values of a field that may be there several times.
    #[must_use]
    pub(super) fn all(&self, name: &str) -> &[String] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// Whether a box was ticked.
    #[must_use]
    pub(super) fn is_on(&self, name: &str) -> bool {
        !self.get(name).is_empty()
    }

    fn push(&mut self, name: &str, value: String) {
        self.0.entry(name.to_owned()).or_default().push(value);
    }

    /// Reads the fields of a form as they are sent, or of a query.
    #[must_use]
    pub(super) fn parse(body: &[u8]) -> Self {
        let mut fields = Self::default();
        for (name, value) in url::form_urlencoded::parse(body) {
            // Browsers send line breaks in text areas as CR LF.
            fields.push(&name, value.replace("\r\n", "\n"));
        }
        fields
    }
}

/// A form without files; its token was right.
#[derive(Debug, Clone)]
pub(super) struct Posted {
    /// What it said.
    pub fields: Fields,
}

impl FromRequest for Posted {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self, Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            let body = tokio::time::timeout(FORM_TIME, read(payload))
                .await
                .map_err(|_| too_slow())??;
            let fields = Fields::parse(&body);
            csrf::check(&request, fields.raw(csrf::FIELD))?;
            Ok(Self { fields })
        })
    }
}

fn too_slow() -> Error {
    Error::BadRequest("The form took too long to arrive; perhaps the connection is bad.".to_owned())
}

fn broken() -> Error {
    Error::BadRequest("The form arrived incomplete.".to_owned())
}

async fn read(mut payload: Payload) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk: Bytes = chunk.map_err(|_| broken())?;
        if body.len().saturating_add(chunk.len()) > FORM_BYTES {
            return Err(Error::TooLarge(
                "The text in this form is too long; up to 2 MB are taken.".to_owned(),
            ));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// A file that came with a form.
#[derive(Debug, Clone)]
pub(super) struct File {
    /// Its name as the browser gave it.
    pub filename: String,
    /// Its media type as the browser gave it.
    pub content_type: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// A form with files; its token was right.
#[derive(Debug, Clone, Default)]
pub(super) struct Uploaded {
    /// What it said.
    pub fields: Fields,
    /// The files; none when they were too large together.
    pub files: Vec<File>,
    /// The files were more than [`FILES_BYTES`] together and were not kept.
    pub files_too_large: bool,
}

impl FromRequest for Uploaded {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self, Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let mut payload = payload.take();
        Box::pin(async move {
            let multipart = Multipart::from_request(&request, &mut payload)
                .await
                .map_err(|_| {
                    Error::BadRequest("This form must be sent as multipart/form-data.".to_owned())
                })?;
            let form = tokio::time::timeout(UPLOAD_TIME, read_parts(multipart))
                .await
                .map_err(|_| too_slow())??;
            csrf::check(&request, form.fields.raw(csrf::FIELD))?;
            Ok(form)
        })
    }
}

async fn read_parts(mut multipart: Multipart) -> Result<Uploaded, Error> {
    let mut form = Uploaded::default();
    let mut file_bytes = 0_usize;
    let mut all_bytes = 0_usize;
    while let Some(part) = multipart.next().await {
        let mut part = part.map_err(|_| broken())?;
        let disposition = part.content_disposition();
        let name = disposition
            .and_then(|found| found.get_name())
            .unwrap_or_default()
            .to_owned();
        let filename = disposition
            .and_then(|found| found.get_filename())
            .map(str::to_owned);
        let content_type = part
            .content_type()
            .map_or_else(String::new, ToString::to_string);
        let mut bytes = Vec::new();
        while let Some(chunk) = part.next().await {
            let chunk = chunk.map_err(|_| broken())?;
            all_bytes = all_bytes.saturating_add(chunk.len());
            if all_bytes > READ_BYTES {
                return Err(Error::TooLarge(
                    "Files of up to 25 MB together can be sent with a reply.".to_owned(),
                ));
            }
            if filename.is_some() {
                file_bytes = file_bytes.saturating_add(chunk.len());
                form.files_too_large |= file_bytes > FILES_BYTES;
                if form.files_too_large {
                    continue;
                }
            } else if bytes.len().saturating_add(chunk.len()) > FORM_BYTES {
                return Err(Error::TooLarge(
                    "The text in this form is too long; up to 2 MB are taken.".to_owned(),
                ));
            }
            bytes.extend_from_slice(&chunk);
        }
        match filename {
            // A file input left empty is sent as a part without name and content.
            Some(filename) if filename.is_empty() && bytes.is_empty() => {}
            Some(filename) => form.files.push(File {
                filename,
                content_type,
                bytes,
            }),
            None => {
                let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
                form.fields.push(&name, text);
            }
        }
    }
    if form.files_too_large {
        form.files.clear();
    }
    Ok(form)
}
