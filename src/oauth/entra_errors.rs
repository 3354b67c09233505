//! Entra's errors as told to a person.
//!
//! Microsoft asks clients to decide by the OAuth `error` name and warns that numbers and texts may change
//! ("Microsoft Entra authentication and authorization error codes"). So the name decides what the program does, and
//! the AADSTS number only chooses the words, from `entra_errors/table.txt`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::{AppCredential, EntraApp, admin_consent_url, is_guid};
use crate::http::HttpAnswer;
use crate::problem::{Disposition, Problem};

/// An error as Entra gave it, at the token endpoint or in the browser's way back.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct EntraError {
    /// The OAuth name of the error (RFC 6749 §4.1.2.1 and §5.2, OpenID Connect Core §3.1.2.6).
    pub error: String,
    /// Entra's own words, which begin with the number.
    pub error_description: String,
    /// The AADSTS numbers.
    pub error_codes: Vec<u32>,
    /// What Microsoft's support asks for.
    pub trace_id: String,
    /// What Microsoft's support asks for.
    pub correlation_id: String,
    /// Further words some errors carry.
    pub suberror: String,
    /// The HTTP status; 0 for an error that came through the browser.
    #[serde(skip)]
    pub status: u16,
    /// Seconds Entra asked us to wait.
    #[serde(skip)]
    pub retry_after_seconds: Option<u64>,
}

impl EntraError {
    /// Reads an answer of Entra that is not a success. An answer that is not Entra's JSON gives an error
    /// without a name, which the status then explains.
    #[must_use]
    pub fn from_answer(answer: &HttpAnswer, now: i64) -> Self {
        let mut error: Self = serde_json::from_slice(&answer.body).unwrap_or_else(|_| Self {
            error_description: String::from_utf8_lossy(&answer.body).into_owned(),
            ..Self::default()
        });
        error.status = answer.status;
        error.retry_after_seconds = answer.retry_after_seconds(now);
        error
    }

    /// All numbers, those in the words included.
    #[must_use]
    pub fn numbers(&self) -> Vec<u32> {
        let in_words = self.error_description.split("AADSTS").skip(1);
        let in_words = in_words.filter_map(|rest| {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            digits.parse().ok()
        });
        self.error_codes.iter().copied().chain(in_words).collect()
    }
}

/// Tells an error of Entra to a person.
#[must_use]
pub fn explain(error: &EntraError, app: &EntraApp) -> Problem {
    let numbers = error.numbers();
    let known = numbers
        .iter()
        .find_map(|number| TABLE.get(number).map(|row| (*number, row)));
    let disposition = disposition(error, known.map(|(_, row)| row.class));
    let problem = if let Some((number, row)) = known {
        let mut remedy = fill(row.remedy, app);
        if pasted_secret_id(number, app) {
            "What is entered as the secret has the form of a Secret ID. Enter the column \"Value\" instead; it is shown only once, so make a new secret under Certificates & secrets if it was not kept."
                .clone_into(&mut remedy);
        }
        Problem::new(
            format!("AADSTS{number}"),
            disposition,
            fill(row.sentence, app),
            remedy,
        )
        .with_link(link(row.place, number, app))
    } else {
        let (sentence, remedy) = general(error, disposition);
        match numbers.first() {
            Some(number) => Problem::new(format!("AADSTS{number}"), disposition, sentence, remedy)
                .with_link(link(Place::Page, *number, app)),
            None => Problem::new(general_code(error), disposition, sentence, remedy),
        }
    };
    problem.with_detail(detail(error))
}

/// What the program does: by status, then by the error's name, and only when Entra gave none that we know
/// by what the number means.
fn disposition(error: &EntraError, class: Option<Class>) -> Disposition {
    let retry = Disposition::RetryAfter {
        seconds: error.retry_after_seconds.unwrap_or(0),
    };
    if error.status == 429 || error.status >= 500 {
        return retry;
    }
    match error.error.as_str() {
        "temporarily_unavailable" | "server_error" => retry,
        "invalid_grant"
        | "interaction_required"
        | "consent_required"
        | "login_required"
        | "account_selection_required"
        | "access_denied" => Disposition::NeedsSignIn,
        "invalid_client"
        | "unauthorized_client"
        | "invalid_request"
        | "invalid_scope"
        | "invalid_resource"
        | "invalid_tenant" => Disposition::NeedsAdmin,
        name if name.starts_with("unsupported_") => Disposition::NeedsAdmin,
        _ => match class {
            Some(Class::Passing) => retry,
            Some(Class::Owner) => Disposition::NeedsSignIn,
            Some(Class::Admin | Class::Setup) | None => Disposition::NeedsAdmin,
        },
    }
}

/// Words for an error whose number is not in the table.
fn general(error: &EntraError, disposition: Disposition) -> (&'static str, &'static str) {
    const RETRY: &str =
        "Nothing needs to be done unless it lasts; Mailhatch tries again by itself.";
    const SETTINGS: &str = "Whoever runs Mailhatch compares app id, secret, tenant and cloud with the app registration; Microsoft's own words are below.";
    match (error.error.as_str(), disposition) {
        ("invalid_grant", _) => (
            "Microsoft no longer accepts the stored sign-in of this mailbox.",
            "The mailbox's owner connects the mailbox again; if that does not help, Microsoft's own words below tell more.",
        ),
        ("interaction_required" | "login_required" | "account_selection_required", _) => (
            "Microsoft wants the mailbox's owner to sign in again.",
            "The mailbox's owner connects the mailbox again.",
        ),
        ("consent_required", _) => (
            "Microsoft wants somebody to agree again that the app may do what it asks for.",
            "The mailbox's owner connects the mailbox again and agrees, or an administrator grants consent for the organisation.",
        ),
        ("access_denied", _) => (
            "The sign-in was refused, by the person who signed in or by a rule of the organisation.",
            "Connect the mailbox again and accept; if Microsoft's page did not offer that, an administrator of Microsoft 365 must allow the app.",
        ),
        ("invalid_client", _) => (
            "Microsoft does not accept the app's id, secret or certificate.",
            SETTINGS,
        ),
        ("unauthorized_client", _) => (
            "Microsoft does not allow the app to sign people in this way.",
            SETTINGS,
        ),
        ("invalid_scope" | "invalid_resource", _) => (
            "Microsoft does not know the permissions the app asks for in this organisation or cloud.",
            SETTINGS,
        ),
        (_, Disposition::RetryAfter { .. }) if error.status == 429 => {
            ("Microsoft's sign-in service asks us to wait.", RETRY)
        }
        (_, Disposition::RetryAfter { .. }) => {
            ("Microsoft's sign-in service has a passing fault.", RETRY)
        }
        ("", _) => (
            "The answer did not come from Microsoft's sign-in service as it should.",
            "Check whether a proxy answers in its place, and MAILHATCH_MICROSOFT_LOGIN_URL.",
        ),
        _ => ("Microsoft refused the request as not valid.", SETTINGS),
    }
}

fn general_code(error: &EntraError) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c == '_';
    if !error.error.is_empty() && error.error.len() <= 40 && error.error.chars().all(plain) {
        format!("entra_{}", error.error)
    } else {
        format!("entra_http_{}", error.status)
    }
}

/// The ids Microsoft's support asks for come first, so that they are never cut off.
fn detail(error: &EntraError) -> String {
    let mut parts = Vec::new();
    for (name, value) in [
        ("trace", &error.trace_id),
        ("correlation", &error.correlation_id),
    ] {
        if !value.is_empty() {
            parts.push(format!("{name} {value}"));
        }
    }
    if error.status != 0 {
        parts.push(format!("HTTP {}", error.status));
    }
    for text in [&error.error, &error.suberror, &error.error_description] {
        if !text.is_empty() {
            parts.push(text.clone());
        }
    }
    parts.join("; ")
}

/// The commonest mistake with a wrong secret: its id was pasted in place of its value.
fn pasted_secret_id(number: u32, app: &EntraApp) -> bool {
    matches!(number, 7_000_215 | 70_002 | 50_012)
        && matches!(&app.credential, AppCredential::Secret(secret) if is_guid(secret.trim()))
}

fn fill(text: &str, app: &EntraApp) -> String {
    text.replace("{redirect_uri}", &app.redirect_uri)
        .replace("{client_id}", &app.client_id)
        .replace("{tenant}", &app.tenant)
}

fn link(place: Place, number: u32, app: &EntraApp) -> String {
    let portal = &app.endpoints.portal_url;
    let blade = |name: &str| {
        let id = &app.client_id;
        format!(
            "{portal}/#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/{name}/appId/{id}"
        )
    };
    match place {
        Place::Overview => blade("Overview"),
        Place::Authentication => blade("Authentication"),
        Place::Credentials => blade("Credentials"),
        Place::Permissions => blade("CallAnAPI"),
        Place::Portal => portal.clone(),
        Place::Consent => admin_consent_url(app, &app.tenant, ""),
        Place::Page => format!("https://login.microsoftonline.com/error?code={number}"),
    }
}

/// What the number means for the program; see the head of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Owner,
    Admin,
    Setup,
    Passing,
}

/// Where the remedy is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Overview,
    Authentication,
    Credentials,
    Permissions,
    Portal,
    Consent,
    Page,
}

/// One meaning.
#[derive(Debug, Clone, Copy)]
struct Row {
    class: Class,
    place: Place,
    sentence: &'static str,
    remedy: &'static str,
}

/// Every number and its meaning.
static TABLE: LazyLock<BTreeMap<u32, Row>> =
    LazyLock::new(|| blocks().filter_map(read_block).flatten().collect());

/// The blocks of the table's text, without the comments at its head.
fn blocks() -> impl Iterator<Item = &'static str> {
    include_str!("entra_errors/table.txt")
        .split("\n\n")
        .filter(|block| !block.starts_with('#') && !block.trim().is_empty())
}

/// One block; `None` when it is not written as the head of the table says, which a test excludes.
fn read_block(block: &'static str) -> Option<Vec<(u32, Row)>> {
    let mut lines = block.lines();
    let mut head = lines.next()?.split('|').map(str::trim);
    let numbers = head.next()?;
    let class = match head.next()? {
        "owner" => Class::Owner,
        "admin" => Class::Admin,
        "setup" => Class::Setup,
        "passing" => Class::Passing,
        _ => return None,
    };
    let place = match head.next()? {
        "overview" => Place::Overview,
        "authentication" => Place::Authentication,
        "credentials" => Place::Credentials,
        "permissions" => Place::Permissions,
        "portal" => Place::Portal,
        "consent" => Place::Consent,
        "page" => Place::Page,
        _ => return None,
    };
    let row = Row {
        class,
        place,
        sentence: lines.next()?,
        remedy: lines.next()?,
    };
    numbers
        .split_whitespace()
        .map(|number| number.parse().ok().map(|number| (number, row)))
        .collect()
}

#[cfg(test)]
mod tests;
