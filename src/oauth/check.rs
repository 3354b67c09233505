//! Whether the app registration works, asked of Entra without signing anyone in.
//!
//! Two questions. The first is whether there is such a tenant: its discovery document answers, or Entra refuses with
//! AADSTS90002. The second is whether id and secret (or certificate) are right:
//!
//! - Where the tenant is a concrete one, the app asks for a token for itself (`client_credentials`). That needs no
//!   permission of its own, so a token comes exactly when the credentials are right.
//! - At `common`, `organizations` and `consumers` there is no such grant, for an app is a member of a tenant. There
//!   the app presents a refresh token that cannot be one. A refusal of the *app* (`invalid_client`,
//!   `unauthorized_client`, or one of the numbers below) shows wrong credentials for certain. A refusal of the *token*
//!   (`invalid_grant`: AADSTS70000, 9002313 and the like) shows that Entra did not object to the credentials. Entra
//!   checks them before it redeems, but it may turn away a malformed token even earlier and promises no order, so this
//!   is reported as "not refused" and not as proof: the first sign-in is the proof.

use super::keys::discover;
use super::token::{as_app, refresh};
use super::{EntraApp, is_guid};
use crate::http::Http;
use crate::problem::{Disposition, Problem};
use crate::providers::microsoft::Resource;

/// Looks like nothing Entra ever gave out.
const NOT_A_TOKEN: &str = "mailhatch-checks-its-credentials";

/// Problems that are about the app, whatever `error` they come with.
const ABOUT_THE_APP: [&str; 17] = [
    "AADSTS50012",
    "AADSTS50013",
    "AADSTS50027",
    "AADSTS500133",
    "AADSTS70001",
    "AADSTS70002",
    "AADSTS700011",
    "AADSTS700016",
    "AADSTS700021",
    "AADSTS700024",
    "AADSTS700025",
    "AADSTS700027",
    "AADSTS7000112",
    "AADSTS7000215",
    "AADSTS7000218",
    "AADSTS7000222",
    "AADSTS5002738",
];

/// Problems that are about the token presented, even where Entra calls them `invalid_request`.
const ABOUT_THE_TOKEN: [&str; 3] = ["AADSTS90013", "AADSTS90023", "AADSTS9002313"];

/// How sure the credentials are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialCheck {
    /// Entra gave the app a token: id, secret or certificate and tenant are right.
    Proven,
    /// Entra refused the made-up token and not the app; the first sign-in will prove the rest.
    NotRefused,
}

/// What is known about the app registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppCheck {
    /// The tenant's id, where the tenant is a concrete one.
    pub tenant_id: Option<String>,
    /// How sure the credentials are.
    pub credentials: CredentialCheck,
    /// The same for a person.
    pub sentence: String,
}

/// Asks Entra whether tenant, id and secret or certificate are valid.
///
/// # Errors
/// What Entra refuses, explained, or the network's failure.
pub fn check_app(http: &Http, app: &EntraApp, now: i64) -> Result<AppCheck, Problem> {
    let metadata = discover(http, app, now)?;
    let tenant = app.tenant.trim();
    if app.has_concrete_tenant() {
        as_app(http, app, now)?;
        let tenant_id = metadata.issuer.split('/').find(|part| is_guid(part));
        return Ok(AppCheck {
            tenant_id: tenant_id.map(str::to_owned),
            credentials: CredentialCheck::Proven,
            sentence: format!(
                "Microsoft knows the directory {tenant} and accepts the app's id and credentials."
            ),
        });
    }
    // Nobody accepts the made-up token; if somebody did, the app would be accepted too.
    if let Err(problem) = refresh(http, app, NOT_A_TOKEN, Resource::Exchange, now)
        && !is_about_the_token(&problem)
    {
        return Err(problem);
    }
    Ok(AppCheck {
        tenant_id: None,
        credentials: CredentialCheck::NotRefused,
        sentence: format!(
            "Microsoft did not refuse the app's id and credentials. With AZURE_TENANT_ID set to {tenant}, which names no single organisation, only the first sign-in can prove them."
        ),
    })
}

/// Whether the made-up token was refused, and not the app that presented it.
fn is_about_the_token(problem: &Problem) -> bool {
    let code = problem.code.as_str();
    !ABOUT_THE_APP.contains(&code)
        && (problem.disposition == Disposition::NeedsSignIn || ABOUT_THE_TOKEN.contains(&code))
}
