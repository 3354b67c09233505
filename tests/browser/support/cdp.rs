//! Commands of the Chrome `DevTools` protocol, which chromedriver passes on (its `goog/cdp/execute`):
//! the size of the screen and the colours the system asks for are not part of `WebDriver`.

use fantoccini::wd::WebDriverCompatibleCommand;
use serde_json::{Value, json};
use ureq::http::Method;
use url::{ParseError, Url};

/// One command with its parameters.
#[derive(Debug)]
pub(crate) struct Cdp {
    pub(crate) name: &'static str,
    pub(crate) parameters: Value,
}

impl WebDriverCompatibleCommand for Cdp {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!(
            "session/{}/goog/cdp/execute",
            session.unwrap_or_default()
        ))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        let body = json!({ "cmd": self.name, "params": self.parameters });
        (Method::POST, Some(body.to_string()))
    }
}
