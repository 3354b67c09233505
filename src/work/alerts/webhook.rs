//! The webhook: one signed request for each moment of an alert. docs/ALERTS.md says how it is verified.

use super::channels::Settings;
use super::letter::Letter;
use crate::http::HttpAnswer;
use crate::problem::{Disposition, Problem};
use crate::secret::{hex, hmac_sha256};
use crate::work::Services;

/// Sends one moment; gives how, in words.
pub(super) fn send(
    services: &Services,
    settings: &Settings,
    letter: &Letter,
) -> Result<String, Problem> {
    let Some(secret) = &settings.webhook_secret else {
        return Err(Problem::new(
            "webhook_no_secret",
            Disposition::NeedsAdmin,
            "There is nothing to sign the webhook's requests with.",
            "Enter a secret on the page Alerts.",
        ));
    };
    let body = serde_json::to_vec(&letter.body).unwrap_or_default();
    let timestamp = services.clock.now().to_string();
    // What is signed names its time, so that a request that was caught cannot be played again later.
    let signed = [timestamp.as_bytes(), b".", &body].concat();
    let signature = hex(&hmac_sha256(secret.as_bytes(), &signed));
    let signature = format!("v1={signature}");
    let headers = [
        ("content-type", "application/json"),
        ("mailhatch-timestamp", timestamp.as_str()),
        ("mailhatch-signature", signature.as_str()),
    ];
    let url = &settings.plain.webhook_url;
    let answer = if settings.plain.webhook_inside {
        services.http.post(url, &headers, &body)?
    } else {
        services.http.post_outside(url, &headers, &body)?
    };
    judge(&answer)
}

fn judge(answer: &HttpAnswer) -> Result<String, Problem> {
    let status = answer.status;
    if answer.is_success() {
        return Ok(format!("The receiver answered {status}."));
    }
    let later = Disposition::RetryAfter { seconds: 0 };
    let problem = match status {
        300..=399 => Problem::new(
            "webhook_redirect",
            Disposition::NeedsAdmin,
            format!(
                "The receiver sends us elsewhere (HTTP {status}), and redirects are not followed."
            ),
            "Enter the address it leads to.",
        ),
        401 | 403 => Problem::new(
            "webhook_refused",
            Disposition::NeedsAdmin,
            format!("The receiver does not accept the request (HTTP {status})."),
            "Check that it verifies with the same secret, and that its clock is right.",
        ),
        _ => Problem::new(
            "webhook_failed",
            later,
            format!("The receiver answered HTTP {status}."),
            "Check the address, and the receiver's own log. Mailhatch tries again for a day.",
        ),
    };
    let words: String = String::from_utf8_lossy(&answer.body)
        .chars()
        .take(200)
        .collect();
    Err(problem.with_detail(words))
}
