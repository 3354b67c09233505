//! Sending by Microsoft Graph: the second way out, for mailboxes that may not use SMTP.
//!
//! The message goes as MIME (Microsoft, "user: sendMail" and "Use MIME format to send Outlook messages"), so that
//! threads, attachments and Message-ID are ours. Graph answers 202 and nothing else: accepted is not delivered,
//! and it files the copy in Sent Items itself. There is no key that makes a repeated request harmless, so an
//! answer that never came leaves the outcome open.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::http::{Http, HttpAnswer, nothing_was_sent};
use crate::net::for_powershell;
use crate::problem::{Disposition, Problem};

/// Largest request body Graph takes here; a bigger one is answered by 413.
const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Wait when Graph is throttling or down and names no time, and the longest wait believed.
const WAIT_DEFAULT_SECONDS: u64 = 30;
const WAIT_MAX_SECONDS: u64 = 3600;

/// Whose mail it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendAs {
    /// The account the access token belongs to.
    Me,
    /// Another mailbox, by its address: a shared one. Needs `Mail.Send.Shared` and the right Send As.
    Mailbox(String),
}

/// How handing over one message ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Microsoft has taken the message.
    Accepted,
    /// It has not; the message may be sent again without fear of a second copy.
    Refused {
        /// Why, and what to do.
        problem: Problem,
        /// Whether a new access token may help (once).
        refresh_token: bool,
    },
    /// The message was handed over, but no answer came: it may or may not have been sent.
    Unknown {
        /// What happened.
        problem: Problem,
    },
}

/// Largest message that fits, in bytes: base64 makes four of three.
#[must_use]
pub const fn message_max_bytes() -> usize {
    BODY_BYTES_MAX / 4 * 3
}

/// Sends the message `raw` (a whole RFC 5322 message; Bcc recipients stand in its Bcc header). `graph_url` is the
/// cloud's Graph address without version, e.g. `https://graph.microsoft.com`.
#[must_use]
pub fn send_mail(
    http: &Http,
    graph_url: &str,
    access_token: &str,
    send_as: &SendAs,
    raw: &[u8],
) -> Outcome {
    if raw.len() > message_max_bytes() {
        return refused(too_big());
    }
    let base = graph_url.trim_end_matches('/');
    let url = match send_as {
        SendAs::Me => format!("{base}/v1.0/me/sendMail"),
        SendAs::Mailbox(address) => format!("{base}/v1.0/users/{}/sendMail", segment(address)),
    };
    let authorization = format!("Bearer {access_token}");
    let headers = [
        ("authorization", authorization.as_str()),
        ("content-type", "text/plain"),
    ];
    match http.post(&url, &headers, STANDARD.encode(raw).as_bytes()) {
        Ok(answer) if answer.is_success() => Outcome::Accepted,
        Ok(answer) => failed(&answer, send_as),
        Err(problem) if nothing_was_sent(&problem) => refused(problem),
        Err(problem) => Outcome::Unknown {
            problem: unknown(&problem.detail),
        },
    }
}

fn refused(problem: Problem) -> Outcome {
    Outcome::Refused {
        problem,
        refresh_token: false,
    }
}

fn failed(answer: &HttpAnswer, send_as: &SendAs) -> Outcome {
    let error = error_of(&answer.body);
    // A gateway that gave up waiting does not know what the server behind it did.
    let behind_gateway = matches!(answer.status, 502 | 504);
    if behind_gateway || (answer.status >= 500 && answer.status != 503 && error.is_none()) {
        return Outcome::Unknown {
            problem: unknown(&format!("HTTP {}", answer.status)),
        };
    }
    let (code, message) = error.unwrap_or_default();
    let mut problem = explain(answer.status, &code, &message, send_as);
    if let Disposition::RetryAfter { seconds } = problem.disposition {
        let wait = wait_seconds(answer).unwrap_or(seconds);
        problem.disposition = Disposition::RetryAfter {
            seconds: wait.clamp(1, WAIT_MAX_SECONDS),
        };
    }
    Outcome::Refused {
        problem,
        refresh_token: answer.status == 401,
    }
}

/// `Retry-After`; a date in it is measured against the server's own clock.
fn wait_seconds(answer: &HttpAnswer) -> Option<u64> {
    let server_now = answer
        .header("date")
        .and_then(|date| chrono::DateTime::parse_from_rfc2822(date).ok())
        .map(|date| date.timestamp());
    match (server_now, answer.header("retry-after")) {
        (Some(now), Some(_)) => answer.retry_after_seconds(now),
        (None, Some(text)) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Code and message of Graph's error body: `{"error": {"code": …, "message": …}}`.
fn error_of(body: &[u8]) -> Option<(String, String)> {
    #[derive(Deserialize)]
    struct Body {
        error: Told,
    }
    #[derive(Deserialize)]
    struct Told {
        code: String,
        #[serde(default)]
        message: String,
    }
    let body: Body = serde_json::from_slice(body).ok()?;
    Some((body.error.code, body.error.message))
}

/// One kind of refusal.
struct Row {
    /// Graph's error code, or part of it, in lower case.
    needle: &'static str,
    code: &'static str,
    disposition: Disposition,
    sentence: &'static str,
    remedy: &'static str,
    command: Option<&'static str>,
}

const fn row(
    needle: &'static str,
    code: &'static str,
    disposition: Disposition,
    sentence: &'static str,
    remedy: &'static str,
    command: Option<&'static str>,
) -> Row {
    Row {
        needle,
        code,
        disposition,
        sentence,
        remedy,
        command,
    }
}

const ADMIN: Disposition = Disposition::NeedsAdmin;
const GIVE_UP: Disposition = Disposition::GiveUp;
const LATER: Disposition = Disposition::RetryAfter {
    seconds: WAIT_DEFAULT_SECONDS,
};

static ROWS: &[Row] = &[
    row(
        "errorsendasdenied",
        "graph_send_as_denied",
        ADMIN,
        "The account that signed in may not send as this mailbox.",
        "An administrator grants Send As for it. The right takes up to an hour to work.",
        Some(
            "Add-RecipientPermission -Identity {mailbox} -AccessRights SendAs -Trustee <the account that signed in>",
        ),
    ),
    row(
        "root not found",
        "graph_no_delegate_right",
        ADMIN,
        "The account that signed in has no right on this shared mailbox.",
        "An administrator grants Full Access and Send As for it.",
        Some(
            "Add-MailboxPermission -Identity {mailbox} -User <the account that signed in> -AccessRights FullAccess",
        ),
    ),
    row(
        "mailboxnotenabledforrestapi",
        "graph_no_mailbox",
        ADMIN,
        "This account has no mailbox that Microsoft Graph can use.",
        "An administrator checks that it has an Exchange Online licence and that the mailbox is neither deleted nor kept on the organisation's own servers.",
        Some("Get-EXOMailbox -Identity {mailbox}"),
    ),
    row(
        "errorinvaliduser",
        "graph_wrong_mailbox",
        ADMIN,
        "Microsoft does not know the mailbox the message should be sent from.",
        "Check the address of the shared mailbox in the mailbox's settings.",
        None,
    ),
    row(
        "erroraccessdenied",
        "graph_access_denied",
        ADMIN,
        "The app may not send mail for this mailbox.",
        "An administrator grants the app the permission Mail.Send (for a shared mailbox Mail.Send.Shared). Then reconnect the mailbox.",
        None,
    ),
    row(
        "errorquotaexceeded",
        "graph_mailbox_full",
        ADMIN,
        "The mailbox that sends is full; Sent Items counts too.",
        "Delete or archive mail in it, or ask an administrator for more room.",
        None,
    ),
    row(
        "errormessagesizeexceeded",
        "graph_message_over_limit",
        GIVE_UP,
        "The message is bigger than this mailbox may send.",
        "Send fewer or smaller attachments, or ask an administrator to raise the limit.",
        None,
    ),
    row(
        "errorinvalidrecipients",
        "graph_invalid_recipients",
        GIVE_UP,
        "One of the recipients' addresses is not valid.",
        "Correct the address and send again.",
        None,
    ),
    row(
        "errormimecontentinvalid",
        "graph_mime_refused",
        GIVE_UP,
        "Microsoft could not read the message.",
        "This is a fault in Mailhatch. Please report it with the details shown here.",
        None,
    ),
    row(
        "erroritemnotfound",
        "graph_item_not_found",
        ADMIN,
        "Microsoft did not find the mailbox or its folders.",
        "Open the mailbox once in Outlook on the web, then try again.",
        None,
    ),
    row(
        "submissionquotaexceeded",
        "graph_daily_limit",
        Disposition::RetryAfter { seconds: 3600 },
        "This mailbox has reached the number of recipients Microsoft allows in a day.",
        "It is tried again by itself over the next 24 hours.",
        None,
    ),
];

/// What a refusal by Graph means: HTTP status, the error's code and message in, a [`Problem`] out. The wait named
/// by `Retry-After` is for the caller to add.
#[must_use]
pub fn explain(status: u16, code: &str, message: &str, send_as: &SendAs) -> Problem {
    let lower = format!("{code} {message}").to_lowercase();
    let detail = format!("HTTP {status} {code} {message}");
    let told = ROWS.iter().find(|row| lower.contains(row.needle));
    if let (Some(row), false) = (told, status == 401 || status == 429) {
        let problem = Problem::new(row.code, row.disposition, row.sentence, row.remedy);
        let problem = match row.command {
            Some(command) => problem.with_command(command.replace("{mailbox}", &named(send_as))),
            None => problem,
        };
        return problem.with_detail(detail);
    }
    let (code, disposition, sentence, remedy) = match status {
        401 => (
            "graph_token_refused",
            Disposition::NeedsSignIn,
            "Microsoft did not accept the sign-in for sending by Graph.",
            "A new access token is tried first. If that does not help, reconnect the mailbox.",
        ),
        403 => (
            "graph_forbidden",
            ADMIN,
            "Microsoft does not permit this mailbox to send by Graph.",
            "An administrator checks the app's permissions and the organisation's policies; Microsoft's own words are shown here.",
        ),
        404 => (
            "graph_not_found",
            ADMIN,
            "Microsoft Graph does not know this mailbox.",
            "Check the mailbox's address. A mailbox on the organisation's own servers cannot send by Graph.",
        ),
        413 => (
            "graph_request_too_big",
            GIVE_UP,
            "The message is bigger than Microsoft Graph takes in one request.",
            "Send fewer or smaller attachments, or let this mailbox send by SMTP.",
        ),
        429 => (
            "graph_throttled",
            LATER,
            "Microsoft asks for a pause: too much was sent in a short time.",
            "Nothing to do. It is tried again by itself after the pause.",
        ),
        500.. => (
            "graph_unavailable",
            LATER,
            "Microsoft Graph is not available at the moment.",
            "Nothing to do. It is tried again by itself.",
        ),
        _ => (
            "graph_refused",
            GIVE_UP,
            "Microsoft Graph refused the message.",
            "Microsoft's own words are shown here. Change the message and send it again.",
        ),
    };
    Problem::new(code, disposition, sentence, remedy).with_detail(detail)
}

fn named(send_as: &SendAs) -> String {
    match send_as {
        SendAs::Me => "<this mailbox>".to_owned(),
        SendAs::Mailbox(address) => for_powershell(address),
    }
}

/// An address as one segment of a path (RFC 3986 §3.3).
fn segment(address: &str) -> String {
    let mut text = String::with_capacity(address.len());
    for byte in address.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'@' | b'.' | b'_' | b'-' | b'~') {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

fn too_big() -> Problem {
    Problem::new(
        "graph_too_big",
        GIVE_UP,
        format!(
            "Sending by Microsoft Graph takes messages up to {} MB, attachments included; this one is bigger.",
            message_max_bytes() / 1_000_000
        ),
        "Send fewer or smaller attachments, or let this mailbox send by SMTP.",
    )
}

fn unknown(detail: &str) -> Problem {
    Problem::new(
        "graph_outcome_unknown",
        // Never by itself: a second copy may be worse than a question.
        GIVE_UP,
        "The message was handed to Microsoft Graph, but no answer came that says whether it was taken.",
        "Mailhatch looks for the message in Sent Items. If it is not there, send it again.",
    )
    .with_detail(detail)
}

#[cfg(test)]
mod tests;
