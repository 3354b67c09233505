//! One sentence carried over a redirect, in a cookie that is taken away when it has been shown.

use actix_web::HttpRequest;
use actix_web::cookie::Cookie;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::session::cookie;

const NAME: &str = "mailhatch_flash";
/// Longest sentence shown, in characters.
const MAX_CHARS: usize = 400;

/// A sentence about what was just done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flash {
    /// It tells of a failure.
    pub bad: bool,
    /// The sentence.
    pub sentence: String,
}

impl Flash {
    /// Something was done.
    pub(super) fn good(sentence: impl Into<String>) -> Self {
        Self {
            bad: false,
            sentence: sentence.into(),
        }
    }

    /// Something was not done.
    pub(super) fn bad(sentence: impl Into<String>) -> Self {
        Self {
            bad: true,
            sentence: sentence.into(),
        }
    }

    /// As a cookie for the next page.
    #[must_use]
    pub(super) fn to_cookie(&self, https: bool) -> Cookie<'static> {
        let mark = if self.bad { '!' } else { '.' };
        let short: String = self.sentence.chars().take(MAX_CHARS).collect();
        cookie(
            NAME,
            &URL_SAFE_NO_PAD.encode(format!("{mark}{short}")),
            https,
            60,
        )
    }
}

/// The sentence a request brings, if any.
#[must_use]
pub(super) fn take(request: &HttpRequest) -> Option<Flash> {
    let cookie = request.cookie(NAME)?;
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cookie.value()).ok()?).ok()?;
    let bad = text.starts_with('!');
    let sentence: String = text.chars().skip(1).take(MAX_CHARS).collect();
    (!sentence.is_empty()).then_some(Flash { bad, sentence })
}

/// The cookie that takes the sentence away.
#[must_use]
pub(super) fn shown(https: bool) -> Cookie<'static> {
    cookie(NAME, "", https, 0)
}
