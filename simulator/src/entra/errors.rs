//! Errors as Entra writes them: the OAuth error, the AADSTS number, trace and correlation ids.

use serde_json::{Value, json};

use super::random;
use super::time::timestamp;

/// One refusal.
#[derive(Debug, Clone)]
pub(crate) struct AadError {
    /// HTTP status when the answer is JSON.
    pub(crate) status: u16,
    /// The OAuth error.
    pub(crate) error: String,
    /// The number after `AADSTS`.
    pub(crate) code: u32,
    /// The sentence after the number.
    pub(crate) text: String,
    /// `suberror`, where the code has one.
    pub(crate) suberror: Option<&'static str>,
}

impl AadError {
    /// A refusal.
    pub(crate) fn new(status: u16, error: &str, code: u32, text: impl Into<String>) -> Self {
        Self {
            status,
            error: error.to_owned(),
            code,
            text: text.into(),
            suberror: None,
        }
    }

    /// `invalid_grant` with Microsoft's sentence for `code`, if one is known.
    pub(crate) fn invalid_grant(code: u32) -> Self {
        let suberror = match code {
            50076 | 50079 | 53000 | 53001 | 53003 => Some("basic_action"),
            50173 => Some("bad_token"),
            65001 => Some("consent_required"),
            70043 | 700_082 | 700_084 => Some("token_expired"),
            _ => None,
        };
        Self {
            suberror,
            ..Self::new(400, "invalid_grant", code, sentence(code))
        }
    }

    /// The application does not exist in this directory.
    pub(crate) fn unknown_app(client_id: &str, tenant: &str) -> Self {
        Self::new(
            400,
            "unauthorized_client",
            700_016,
            format!(
                "Application with identifier '{client_id}' was not found in the directory \
                 '{tenant}'. This can happen if the application has not been installed by the \
                 administrator of the tenant or consented to by any user in the tenant. You may \
                 have sent your authentication request to the wrong tenant."
            ),
        )
    }

    /// A form field is absent.
    pub(crate) fn missing(parameter: &str) -> Self {
        Self::new(
            400,
            "invalid_request",
            900_144,
            format!("The request body must contain the following parameter: '{parameter}'."),
        )
    }

    /// The whole `error_description`, with fresh trace and correlation ids.
    pub(crate) fn description(&self, now: i64) -> String {
        self.describe(now, &random::guid(), &random::guid())
    }

    fn describe(&self, now: i64, trace: &str, correlation: &str) -> String {
        format!(
            "AADSTS{}: {} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {}",
            self.code,
            self.text,
            timestamp(now)
        )
    }

    /// Where a person can read what the number means.
    pub(crate) fn uri(&self, login_url: &str) -> String {
        format!("{login_url}/error?code={}", self.code)
    }

    /// The JSON body of the token endpoint and the metadata endpoints. `login_url` is where a
    /// person can look the code up.
    pub(crate) fn body(&self, now: i64, login_url: &str) -> Value {
        let trace = random::guid();
        let correlation = random::guid();
        let mut body = json!({
            "error": self.error,
            "error_description": self.describe(now, &trace, &correlation),
            "error_codes": [self.code],
            "timestamp": timestamp(now),
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": self.uri(login_url),
        });
        if let (Some(suberror), Some(members)) = (self.suberror, body.as_object_mut()) {
            members.insert("suberror".to_owned(), suberror.into());
        }
        body
    }
}

/// What Entra says with the codes a grant can fail with.
pub(crate) fn sentence(code: u32) -> &'static str {
    match code {
        50057 => "The user account is disabled.",
        50076 => {
            "Due to a configuration change made by your administrator, or because you moved to a \
             new location, you must use multi-factor authentication to access the resource."
        }
        50078 | 50079 => {
            "Due to a configuration change made by your administrator, or because you moved to a \
             new location, you must enroll in multi-factor authentication."
        }
        50133 => "Session is invalid due to expiration or recent password change.",
        50173 => {
            "The provided grant has expired due to it being revoked, a fresh auth token is \
             needed. The user might have changed or reset their password."
        }
        53000 => {
            "Device is not in required device state. Conditional Access policy requires a \
             compliant device."
        }
        53003 => {
            "Access has been blocked by Conditional Access policies. The access policy does not \
             allow token issuance."
        }
        54005 => {
            "OAuth2 Authorization code was already redeemed, please retry with a new valid code \
             or use an existing refresh token."
        }
        65001 => {
            "The user or administrator has not consented to use the application. Send an \
             interactive authorization request for this user and resource."
        }
        70000 => {
            "The user could not be authenticated as the grant is expired. The user must sign in \
             again."
        }
        70008 => {
            "The provided authorization code or refresh token has expired due to inactivity. Send \
             a new interactive authorization request for this user and resource."
        }
        70043 => {
            "The refresh token has expired or is invalid due to sign-in frequency checks by \
             conditional access."
        }
        700_005 => {
            "Provided Authorization Code is intended to use against other tenant, thus rejected."
        }
        700_082 => {
            "The refresh token has expired due to inactivity. The token was inactive for \
             90.00:00:00."
        }
        700_084 => {
            "The refresh token was issued to a single page app (SPA), and therefore has a fixed, \
             limited lifetime of 1.00:00:00, which can't be extended."
        }
        501_481 => {
            "The Code_Verifier does not match the code_challenge supplied in the authorization \
             request."
        }
        9_002_313 => "Invalid request. Request is malformed or invalid.",
        _ => "The grant can no longer be used. The user must sign in again.",
    }
}
