//! Commands of the Chrome `DevTools` protocol, which chromedriver passes on (its `goog/cdp/execute`):
//! the size of the screen and the colours the system asks for are not part of `WebDriver`.

use std::collections::BTreeSet;

use fantoccini::wd::WebDriverCompatibleCommand;
use serde_json::{Value, json};
use ureq::http::Method;
use url::{ParseError, Url};

use crate::support::browser::Browser;

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

/// The browser's own log of what it asked for; reading empties it.
#[derive(Debug)]
struct Log;

impl WebDriverCompatibleCommand for Log {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (
            Method::POST,
            Some(json!({ "type": "performance" }).to_string()),
        )
    }
}

impl Browser {
    /// What was asked for since the last look, by any frame: kind and address. `data:` is not asked for.
    pub(crate) async fn requests(&self) -> BTreeSet<(String, String)> {
        let log = self.client.issue_cmd(Log).await.unwrap();
        let mut found = BTreeSet::new();
        for entry in log.as_array().unwrap() {
            let entry: Value = serde_json::from_str(entry["message"].as_str().unwrap()).unwrap();
            let event = &entry["message"];
            if event["method"] != "Network.requestWillBeSent" {
                continue;
            }
            let parameters = &event["params"];
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let address = text(&parameters["request"]["url"]);
            if !address.starts_with("data:") {
                found.insert((text(&parameters["type"]), address));
            }
        }
        found
    }
}
