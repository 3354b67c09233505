//! Dialling the servers of a mailbox with a valid token: the one place that knows which server, which
//! user name and which token, and that a refused token is renewed once before anyone is told.

use std::time::Duration;

use super::credentials::{AccessToken, Freshness, access_token};
use super::{Services, entra_app};
use crate::imap;
use crate::model::Mailbox;
use crate::net::xoauth2::Login;
use crate::net::{Closer, Deadlines};
use crate::problem::Problem;
use crate::providers::microsoft::{Resource, Traits};
use crate::smtp;

/// How the provider treats this mailbox.
///
/// # Errors
/// Those of the store.
pub(super) fn traits(services: &Services, mailbox: &Mailbox) -> Result<Traits, Problem> {
    let endpoints = entra_app::endpoints(services).map_err(|error| error.to_problem())?;
    let mut traits = endpoints.traits(&mailbox.tenant_id);
    if let Some(limit) = services.config.messages_per_minute {
        traits.limits.messages_per_minute = limit;
    }
    Ok(traits)
}

/// Opens an IMAP session as `user`. `on_closer` is given the means to cut it from another thread.
///
/// # Errors
/// Why it could not be opened.
pub(super) fn imap(
    services: &Services,
    mailbox: &Mailbox,
    user: &str,
    on_closer: &dyn Fn(Closer),
) -> Result<imap::Session, Problem> {
    imap_within(services, mailbox, user, Duration::MAX, on_closer)
}

/// As [`imap`], for somebody who waits: no answer may take longer than `longest`.
///
/// # Errors
/// As [`imap`].
pub(super) fn imap_within(
    services: &Services,
    mailbox: &Mailbox,
    user: &str,
    longest: Duration,
    on_closer: &dyn Fn(Closer),
) -> Result<imap::Session, Problem> {
    let traits = traits(services, mailbox)?;
    let server = traits.imap;
    with_fresh_token(
        services,
        mailbox,
        imap::explain::is_login_refusal,
        |token| {
            let login = Login::new(user, token.token.as_str());
            let patience = services.config.patience;
            let deadlines = Deadlines {
                connect: patience.connect.min(longest),
                read: patience.answer.min(longest),
                write: patience.answer.min(longest),
            };
            imap::Session::connect_within(&server, &services.trust, &login, deadlines, on_closer)
        },
    )
}

/// Opens an SMTP session as `user`.
///
/// # Errors
/// Why it could not be opened, and what the refusal suggests.
pub(super) fn smtp(
    services: &Services,
    mailbox: &Mailbox,
    user: &str,
) -> Result<smtp::Session, smtp::Refusal> {
    let patience = services.config.patience;
    let timeouts = smtp::Timeouts {
        connect: patience.connect,
        command: patience.answer,
        final_answer: patience.verdict,
    };
    smtp_within(services, mailbox, user, timeouts)
}

/// As [`smtp`], with a patience of the caller's choice.
///
/// # Errors
/// As [`smtp`].
pub(super) fn smtp_within(
    services: &Services,
    mailbox: &Mailbox,
    user: &str,
    timeouts: smtp::Timeouts,
) -> Result<smtp::Session, smtp::Refusal> {
    let traits = traits(services, mailbox).map_err(smtp::Refusal::from)?;
    let server = traits.smtp;
    let hello = services
        .config
        .url
        .host_str()
        .unwrap_or("localhost")
        .to_owned();
    with_fresh_token(services, mailbox, wants_new_token, |token| {
        let login = Login::new(user, token.token.as_str());
        smtp::Session::open(&server, &services.trust, &login, &hello, timeouts)
    })
    .map_err(|refusal| {
        let helped_not = wants_new_token(&refusal);
        let suggests = refusal.suggests;
        let next = suggests
            .and_then(smtp::Suggestion::next)
            .filter(|_| helped_not);
        smtp::Refusal {
            suggests: next.or(suggests),
            ..refusal
        }
    })
}

fn wants_new_token(refusal: &smtp::Refusal) -> bool {
    refusal.suggests == Some(smtp::Suggestion::RefreshToken)
}

/// Tries with the stored token; when the server refuses the login, once more with a new one, for the
/// reply never says why it was refused.
fn with_fresh_token<T, E: From<Problem>>(
    services: &Services,
    mailbox: &Mailbox,
    is_refusal: impl Fn(&E) -> bool,
    dial: impl Fn(&AccessToken) -> Result<T, E>,
) -> Result<T, E> {
    let token = access_token(services, mailbox.id, Resource::Exchange, Freshness::Stored)?;
    match dial(&token) {
        Err(error) if is_refusal(&error) => {
            let refused = Freshness::Refused {
                expires_at: token.expires_at,
            };
            let newer = access_token(services, mailbox.id, Resource::Exchange, refused)?;
            dial(&newer)
        }
        other => other,
    }
}
