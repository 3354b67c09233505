//! Access tokens for a mailbox: from the store while they last, else by refresh, one at a time per
//! credential. A rotated refresh token is stored before the access token is used.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Services, entra_app};
use crate::model::{Credential, MailboxId, MailboxStatus};
use crate::oauth::token;
use crate::problem::{Disposition, Problem};
use crate::providers::microsoft::Resource;
use crate::store;

/// A token is renewed when it has this little left (Microsoft, "Access tokens": 60 to 90 minutes).
const MARGIN_SECONDS: i64 = 300;

/// One lock per credential: whoever comes second finds the token the first one fetched.
#[derive(Debug, Default)]
pub(super) struct SingleFlight(Mutex<BTreeMap<MailboxId, Arc<Mutex<()>>>>);

impl SingleFlight {
    fn lock_of(&self, id: MailboxId) -> Arc<Mutex<()>> {
        let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(locks.entry(id).or_default())
    }
}

/// What a caller knows about the token it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Any token that has not ended will do.
    Stored,
    /// The server refused the stored one: this one, whose end was at the given time, must be replaced.
    Refused {
        /// When the refused token would have ended, as [`AccessToken::expires_at`] said.
        expires_at: i64,
    },
}

/// An access token and its end.
#[derive(Clone)]
pub struct AccessToken {
    /// The token.
    pub token: String,
    /// When it ends.
    pub expires_at: i64,
}

impl std::fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessToken")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// An access token of a mailbox for a resource, refreshed when need be.
///
/// # Errors
/// Entra's refusal, explained; it is also written to the mailbox when a person must act.
pub fn access_token(
    services: &Services,
    id: MailboxId,
    resource: Resource,
    freshness: Freshness,
) -> Result<AccessToken, Problem> {
    if let Some(token) = stored(services, id, resource, freshness)? {
        return Ok(token);
    }
    let lock = services.work.refreshing.lock_of(id);
    let _one_at_a_time = lock.lock().unwrap_or_else(PoisonError::into_inner);
    // Somebody else may have refreshed while we waited.
    if let Some(token) = stored(services, id, resource, freshness)? {
        return Ok(token);
    }
    refresh(services, id, resource)
}

/// Refreshes a credential that has not been used for long, so that it does not die of disuse.
///
/// # Errors
/// As [`access_token`].
pub fn keep_alive(services: &Services, id: MailboxId) -> Result<(), Problem> {
    let lock = services.work.refreshing.lock_of(id);
    let _one_at_a_time = lock.lock().unwrap_or_else(PoisonError::into_inner);
    refresh(services, id, Resource::Exchange).map(|_| ())
}

fn load(services: &Services, id: MailboxId) -> Result<Credential, Problem> {
    services
        .store
        .read(|db| store::credentials::find(db, &services.sealer, id))
        .map_err(|error| error.to_problem())?
        .ok_or_else(|| {
            Problem::new(
                "no_credential",
                Disposition::NeedsSignIn,
                "Nothing is stored to sign in to this mailbox with.",
                "An administrator reconnects the mailbox.",
            )
        })
}

fn stored(
    services: &Services,
    id: MailboxId,
    resource: Resource,
    freshness: Freshness,
) -> Result<Option<AccessToken>, Problem> {
    let credential = load(services, id)?;
    let (token, expires_at) = match resource {
        Resource::Exchange => (credential.exchange_token, credential.exchange_expires_at),
        Resource::Graph => (credential.graph_token, credential.graph_expires_at),
    };
    let refused = matches!(freshness, Freshness::Refused { expires_at: end } if end == expires_at);
    let good = expires_at > services.clock.now().saturating_add(MARGIN_SECONDS) && !refused;
    Ok(token
        .filter(|_| good)
        .map(|token| AccessToken { token, expires_at }))
}

fn refresh(services: &Services, id: MailboxId, resource: Resource) -> Result<AccessToken, Problem> {
    let mut credential = load(services, id)?;
    let app = entra_app::find(services)?;
    let now = services.clock.now();
    let set = token::refresh(
        &services.http,
        &app,
        &credential.refresh_token,
        resource,
        now,
    )
    .inspect_err(|problem| note_refusal(services, id, resource, problem))?;
    let used = credential.refresh_token.clone();
    if let Some(newer) = set.refresh_token {
        credential.refresh_token = newer;
    }
    credential.refreshed_at = now;
    let access = AccessToken {
        token: set.access_token,
        expires_at: set.expires_at,
    };
    match resource {
        Resource::Exchange => {
            credential.exchange_token = Some(access.token.clone());
            credential.exchange_expires_at = access.expires_at;
        }
        Resource::Graph => {
            credential.graph_token = Some(access.token.clone());
            credential.graph_expires_at = access.expires_at;
        }
    }
    // Stored before it is used: Entra may stop taking the old refresh token. Who signed in anew while Entra
    // was asked is not overwritten; the token at hand serves this once.
    services
        .store
        .write(|tx| {
            let now_stored = store::credentials::find(tx, &services.sealer, id)?;
            if now_stored.is_some_and(|stored| stored.refresh_token == used) {
                store::credentials::upsert(tx, &services.sealer, &credential)?;
            }
            Ok(())
        })
        .map_err(|error: store::Error| error.to_problem())?;
    tracing::debug!(mailbox.id = id.0, ?resource, "access token refreshed");
    Ok(access)
}

/// A refusal that only a person can mend shows on the mailbox at once. A missing consent for Graph
/// alone does not stop the mailbox from receiving.
fn note_refusal(services: &Services, id: MailboxId, resource: Resource, problem: &Problem) {
    let status = match problem.disposition {
        Disposition::NeedsSignIn => MailboxStatus::NeedsSignIn,
        Disposition::NeedsAdmin | Disposition::GiveUp => MailboxStatus::NeedsAdmin,
        Disposition::RetryAfter { .. } => return,
    };
    if resource == Resource::Graph {
        return;
    }
    tracing::warn!(mailbox.id = id.0, code = %problem.code, "the mailbox cannot sign in");
    let now = services.clock.now();
    let noted = services
        .store
        .write(|tx| store::mailboxes::update_failed(tx, id, Some(status), problem, now));
    if let Err(error) = noted {
        tracing::error!(mailbox.id = id.0, %error, "the mailbox's state could not be stored");
    }
}
