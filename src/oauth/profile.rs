//! The user's own entry in Graph: which sign-in name, which mailbox address, which other addresses.
//!
//! A sign-in name can differ from the mailbox's address, and Exchange wants the former to authenticate and the
//! latter in From.

use serde::Deserialize;

use super::EntraApp;
use crate::http::{Http, HttpAnswer};
use crate::problem::{Disposition, Problem};

/// What Graph knows about the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The mailbox's primary address; absent for users without a mailbox and for some personal accounts.
    pub mail: Option<String>,
    /// The sign-in name.
    pub upn: String,
    /// Further addresses of the mailbox, without the primary one.
    pub aliases: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Me {
    #[serde(default)]
    mail: Option<String>,
    #[serde(default)]
    user_principal_name: Option<String>,
    #[serde(default)]
    proxy_addresses: Vec<String>,
}

#[derive(Default, Deserialize)]
struct GraphFailure {
    error: GraphError,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct GraphError {
    code: String,
    message: String,
}

/// Asks Graph for the signed-in user's entry (`GET /me`, Microsoft Graph reference "Get user").
///
/// # Errors
/// Graph's refusal, explained, or the network's failure.
pub fn profile(
    http: &Http,
    app: &EntraApp,
    graph_token: &str,
    now: i64,
) -> Result<Profile, Problem> {
    let mut answer = ask(
        http,
        app,
        graph_token,
        "mail,userPrincipalName,proxyAddresses",
    )?;
    if answer.status == 400 {
        // Personal accounts have no proxyAddresses, and Graph may refuse to be asked for what is not there.
        answer = ask(http, app, graph_token, "mail,userPrincipalName")?;
    }
    if !answer.is_success() {
        return Err(explain(&answer, now));
    }
    let me: Me = serde_json::from_slice(&answer.body).map_err(|error| {
        unexpected("What Microsoft Graph answered cannot be read.").with_detail(error.to_string())
    })?;
    let mail = me.mail.filter(|mail| !mail.trim().is_empty());
    let upn = me.user_principal_name.unwrap_or_default();
    let primary = mail.clone().unwrap_or_default();
    let aliases = me
        .proxy_addresses
        .iter()
        .filter_map(|address| address.split_once(':'))
        .filter(|(kind, address)| {
            kind.eq_ignore_ascii_case("smtp") && !address.eq_ignore_ascii_case(&primary)
        })
        .map(|(_, address)| address.to_owned())
        .collect();
    Ok(Profile { mail, upn, aliases })
}

fn ask(http: &Http, app: &EntraApp, token: &str, fields: &str) -> Result<HttpAnswer, Problem> {
    let url = format!("{}/v1.0/me?$select={fields}", app.endpoints.graph_url);
    let bearer = format!("Bearer {token}");
    http.get(
        &url,
        &[("Authorization", &bearer), ("Accept", "application/json")],
    )
}

fn explain(answer: &HttpAnswer, now: i64) -> Problem {
    let failure: GraphFailure = serde_json::from_slice(&answer.body).unwrap_or_default();
    let problem = match answer.status {
        429 | 500..=599 => Problem::new(
            "graph_busy",
            Disposition::RetryAfter {
                seconds: answer.retry_after_seconds(now).unwrap_or(0),
            },
            "Microsoft Graph is busy or has a passing fault.",
            "Nothing needs to be done unless it lasts; Mailhatch tries again by itself.",
        ),
        401 => Problem::new(
            "graph_unauthorized",
            Disposition::NeedsSignIn,
            "Microsoft Graph does not accept the sign-in of this mailbox.",
            "The mailbox's owner connects the mailbox again.",
        ),
        403 => Problem::new(
            "graph_forbidden",
            Disposition::NeedsAdmin,
            "Microsoft Graph does not let the app read who the user is.",
            "An administrator adds the delegated permission User.Read to the app registration and grants consent.",
        ),
        _ => unexpected("Microsoft Graph gave an answer Mailhatch did not expect."),
    };
    problem.with_detail(format!(
        "HTTP {}; {} {}",
        answer.status, failure.error.code, failure.error.message
    ))
}

fn unexpected(sentence: &str) -> Problem {
    Problem::new(
        "graph_unexpected",
        Disposition::RetryAfter { seconds: 0 },
        sentence,
        "Check AZURE_CLOUD and MAILHATCH_MICROSOFT_GRAPH_URL, and whether a proxy answers in its place.",
    )
}
