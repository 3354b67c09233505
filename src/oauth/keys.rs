//! The public keys with which Entra signs ID tokens, and the issuer it names for a tenant, kept between
//! sign-ins.
//!
//! Keys change without notice and several are valid at once, so a key is found by its id and an
//! unknown id makes us ask again (Microsoft, "Signing key rollover").

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Deserialize;

use super::EntraApp;
use super::entra_errors::{self, EntraError};
use crate::http::Http;
use crate::problem::{Disposition, Problem};

/// How long keys are used without asking again.
const FRESH_SECONDS: i64 = 24 * 3600;
/// How often at most an unknown key id makes us ask.
const ASK_EVERY_SECONDS: i64 = 300;

/// Entra's keys by tenant; share one for the whole program.
#[derive(Debug, Default)]
pub struct KeyCache {
    known: Mutex<BTreeMap<String, Entry>>,
}

#[derive(Debug, Clone, Default)]
struct Entry {
    keys: Option<Arc<KeySet>>,
    fetched_at: i64,
    tried_at: i64,
}

/// The keys of one tenant address.
#[derive(Debug)]
pub(super) struct KeySet {
    /// The issuer its metadata names; for `common` and `organizations` it holds the text `{tenantid}`.
    pub(super) issuer: String,
    keys: Vec<Key>,
}

/// One RSA key (RFC 7517 §4, RFC 7518 §6.3).
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Key {
    kid: String,
    #[serde(default)]
    kty: String,
    #[serde(default, rename = "use")]
    usage: Option<String>,
    #[serde(default)]
    pub(super) n: String,
    #[serde(default)]
    pub(super) e: String,
    /// Entra's addition: the only issuer whose tokens this key may verify, or the template.
    #[serde(default)]
    pub(super) issuer: Option<String>,
}

impl KeySet {
    /// The keys of that id.
    pub(super) fn find(&self, kid: &str) -> impl Iterator<Item = &Key> {
        self.keys.iter().filter(move |key| {
            key.kid == kid
                && key.kty == "RSA"
                && key.usage.as_deref().is_none_or(|usage| usage == "sig")
        })
    }
}

/// What Entra says about itself at one tenant address (OpenID Connect Discovery §4).
#[derive(Debug, Deserialize)]
pub(super) struct Metadata {
    /// Who issues tokens there.
    pub(super) issuer: String,
}

#[derive(Deserialize)]
struct JsonWebKeySet {
    keys: Vec<serde_json::Value>,
}

impl KeyCache {
    /// The key set that holds `kid`, asking Entra when it is not known or old. When asking fails and an old
    /// set holds the key, the old set serves.
    pub(super) fn with_key(
        &self,
        http: &Http,
        app: &EntraApp,
        kid: &str,
        now: i64,
    ) -> Result<Arc<KeySet>, Problem> {
        let address = app.tenant_url("");
        let entry = self.lock().get(&address).cloned().unwrap_or_default();
        let held = entry.keys.filter(|keys| keys.find(kid).next().is_some());
        let is_fresh = now.saturating_sub(entry.fetched_at) < FRESH_SECONDS;
        if let Some(keys) = held.as_ref().filter(|_| is_fresh) {
            return Ok(Arc::clone(keys));
        }
        if now.saturating_sub(entry.tried_at) < ASK_EVERY_SECONDS {
            return held.ok_or_else(|| unknown_key(kid));
        }
        self.lock().entry(address.clone()).or_default().tried_at = now;
        match fetch(http, app, now) {
            Ok(keys) => {
                let keys = Arc::new(keys);
                let mut known = self.lock();
                let entry = known.entry(address).or_default();
                entry.keys = Some(Arc::clone(&keys));
                entry.fetched_at = now;
                drop(known);
                if keys.find(kid).next().is_some() {
                    Ok(keys)
                } else {
                    Err(unknown_key(kid))
                }
            }
            Err(problem) => held.ok_or(problem),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        // A panic elsewhere leaves at worst an older key set behind.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn fetch(http: &Http, app: &EntraApp, now: i64) -> Result<KeySet, Problem> {
    let metadata = discover(http, app, now)?;
    let set: JsonWebKeySet = get(http, app, &app.tenant_url("/discovery/v2.0/keys"), now)?;
    Ok(KeySet {
        issuer: metadata.issuer,
        // A key of a kind we do not know must not hide the others.
        keys: set
            .keys
            .into_iter()
            .filter_map(|key| serde_json::from_value(key).ok())
            .collect(),
    })
}

/// Asks Entra about the app's tenant; it refuses when there is no such tenant.
pub(super) fn discover(http: &Http, app: &EntraApp, now: i64) -> Result<Metadata, Problem> {
    let url = app.tenant_url("/v2.0/.well-known/openid-configuration");
    get(http, app, &url, now)
}

fn get<T: serde::de::DeserializeOwned>(
    http: &Http,
    app: &EntraApp,
    url: &str,
    now: i64,
) -> Result<T, Problem> {
    let answer = http.get(url, &[("Accept", "application/json")])?;
    if !answer.is_success() {
        return Err(entra_errors::explain(
            &EntraError::from_answer(&answer, now),
            app,
        ));
    }
    serde_json::from_slice(&answer.body).map_err(|error| {
        Problem::new(
            "entra_unreadable",
            Disposition::RetryAfter { seconds: 0 },
            "What Microsoft's sign-in service says about itself cannot be read.",
            "Check whether a proxy answers in its place, and MAILHATCH_MICROSOFT_LOGIN_URL. Mailhatch tries again by itself.",
        )
        .with_detail(format!("{url}: {error}"))
    })
}

fn unknown_key(kid: &str) -> Problem {
    Problem::new(
        "id_token_key",
        Disposition::NeedsSignIn,
        "The sign-in is signed with a key Microsoft does not publish.",
        "Connect the mailbox again in a few minutes. If it stays, check that AZURE_CLOUD and AZURE_TENANT_ID are right.",
    )
    .with_detail(format!("key id {kid}"))
}
