//! A person's visit without a browser, and refusals that a test scripted for the authorize page.

use super::errors::AadError;
use super::{Entra, pages};
use crate::faults::{Action, Point};
use crate::http::{Request, Response};

impl Entra {
    /// A scripted refusal: status 3xx sends it back to the application, any other shows it as a
    /// page.
    pub(crate) fn scripted_refusal(
        &self,
        request: &Request,
        refusal: (u16, &str, u32, &str),
    ) -> Response {
        let (status, error, code, text) = refusal;
        let error = AadError::new(status, error, code, text);
        let now = self.clock.now();
        if !request.path.ends_with("/oauth2/v2.0/authorize") {
            let body = error.body(now, &self.state().login_url);
            return Response::json(status, &body);
        }
        let tenant = request
            .path
            .trim_start_matches('/')
            .split('/')
            .next()
            .unwrap_or_default();
        match self.trusted_part(tenant, request) {
            Ok((_, _, back_to)) if (300..400).contains(&status) => back_to.error(&error, None, now),
            _ => pages::error(&error, now),
        }
    }

    /// Does at an authorize address what a person would who picks the account `upn`, approves a
    /// second factor and accepts. Gives the address the browser is sent to, with
    /// `response_mode=form_post` too, where the fields stand in its query.
    ///
    /// # Errors
    /// The text of the page that was shown instead.
    pub fn consent(&self, authorize_url: &str, upn: &str) -> Result<String, String> {
        self.visit(
            authorize_url,
            &[("account", upn), ("approve", "yes"), ("decision", "accept")],
        )
    }

    /// The same for a person who clicks Cancel.
    ///
    /// # Errors
    /// The text of the page that was shown instead.
    pub fn decline(&self, authorize_url: &str, upn: &str) -> Result<String, String> {
        self.visit(authorize_url, &[("account", upn), ("decision", "cancel")])
    }

    fn visit(&self, authorize_url: &str, form: &[(&str, &str)]) -> Result<String, String> {
        let request = Request::posted_to(authorize_url, form).ok_or("not an address")?;
        let who = request.query.get("login_hint");
        let response = match self.faults.take(Point::Authorize, who) {
            None | Some(Action::Delay(_)) => self.answer(&request).ok_or("no such page")?,
            Some(Action::Entra(status, error, code, text)) => {
                self.scripted_refusal(&request, (status, &error, code, &text))
            }
            Some(Action::Http(status, _, body)) => return Err(format!("HTTP {status}: {body}")),
            Some(Action::Reply(text)) => return Err(text),
            Some(Action::Close | Action::Hang) => return Err("no answer".to_owned()),
        };
        response
            .location()
            .or_else(|| response.form_target())
            .ok_or_else(|| response.text())
    }
}
