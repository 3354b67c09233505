//! Who signed in: the ID token, verified before a word of it is believed.
//!
//! Rules: OpenID Connect Core §3.1.3.7; for the issuer, Microsoft, "Access tokens: validate the issuer". A person is
//! known by tenant id and object id and by nothing else: names and addresses can be set by any tenant's
//! administrator to anything (Microsoft, "Migrate away from using email claims").

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

pub use super::keys::KeyCache;
use super::keys::{Key, KeySet};
use super::{EntraApp, is_guid};
use crate::http::Http;
use crate::problem::{Disposition, Problem};
use crate::providers::microsoft::is_personal;

/// How much clocks may differ.
const SKEW_SECONDS: i64 = 300;
/// What metadata for many tenants says in place of a tenant id.
const TENANT_PLACE: &str = "{tenantid}";

/// Who signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The tenant's id; with `object_id` it is the key of the person.
    pub tenant_id: String,
    /// The user's id in the tenant.
    pub object_id: String,
    /// The sign-in name; may change, and may differ from the mailbox's address.
    pub upn: String,
    /// The display name; may be empty.
    pub name: String,
    /// An address the token names, if any; not verified by anyone.
    pub email: Option<String>,
    /// A personal account (Outlook.com), not one of an organisation.
    pub personal: bool,
}

impl Identity {
    /// Whether this is the same person as the one with these ids.
    #[must_use]
    pub fn is(&self, tenant_id: &str, object_id: &str) -> bool {
        self.tenant_id.eq_ignore_ascii_case(tenant_id)
            && self.object_id.eq_ignore_ascii_case(object_id)
    }
}

#[derive(Debug, Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Claims {
    iss: String,
    aud: String,
    exp: i64,
    nbf: i64,
    nonce: String,
    ver: String,
    tid: String,
    oid: String,
    preferred_username: String,
    upn: String,
    name: String,
    email: String,
}

/// Verifies an ID token and reads who it is about.
///
/// # Errors
/// When it is not a token of Entra for this app and this sign-in, or the keys could not be had.
pub fn verify(
    http: &Http,
    app: &EntraApp,
    token: &str,
    nonce: &str,
    keys: &KeyCache,
    now: i64,
) -> Result<Identity, Problem> {
    let header = jsonwebtoken::decode_header(token).map_err(|error| refused(&error.to_string()))?;
    if header.alg != Algorithm::RS256 {
        return Err(refused("not signed with RS256"));
    }
    let kid = header.kid.ok_or_else(|| refused("names no key"))?;
    let set = keys.with_key(http, app, &kid, now)?;
    let (claims, key) = set
        .find(&kid)
        .find_map(|key| Some((signed_claims(token, key)?, key)))
        .ok_or_else(|| refused("the signature does not fit"))?;
    check_issuer(&claims, &set, key)?;
    check_tenant(&claims, app)?;
    if !claims.aud.eq_ignore_ascii_case(app.client_id.trim()) {
        return Err(refused("made for another app"));
    }
    if claims.ver != "2.0" {
        return Err(refused("not of version 2.0"));
    }
    if claims.nonce != nonce {
        return Err(refused("belongs to another sign-in (nonce)"));
    }
    if claims.exp.saturating_add(SKEW_SECONDS) <= now
        || claims.nbf.saturating_sub(SKEW_SECONDS) > now
    {
        return Err(wrong_time(&claims, now));
    }
    identity(claims)
}

/// What the token says, if this key signed it. The library's own checks of time use the wall clock and its
/// check of the audience minds capitals, so both are done by the caller.
fn signed_claims(token: &str, key: &Key) -> Option<Claims> {
    let key = DecodingKey::from_rsa_components(&key.n, &key.e).ok()?;
    let mut validation = Validation::new(Algorithm::RS256);
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    jsonwebtoken::decode::<Claims>(token, &key, &validation)
        .ok()
        .map(|data| data.claims)
}

/// The issuer must be the one the metadata names, with the token's tenant in place of `{tenantid}`; and a key that is
/// bound to one issuer verifies only that issuer's tokens.
fn check_issuer(claims: &Claims, set: &KeySet, key: &Key) -> Result<(), Problem> {
    if !is_guid(&claims.tid) {
        return Err(refused("its tenant id is not a GUID"));
    }
    let fits = |issuer: &str| issuer.replace(TENANT_PLACE, &claims.tid) == claims.iss;
    if !fits(&set.issuer) {
        return Err(refused("issued by somebody else"));
    }
    if !key.issuer.as_deref().is_none_or(fits) {
        return Err(refused("signed with another tenant's key"));
    }
    Ok(())
}

/// `organizations` and `consumers` each shut out the other kind of account; a tenant id or domain is held by
/// the issuer already.
fn check_tenant(claims: &Claims, app: &EntraApp) -> Result<(), Problem> {
    let personal = is_personal(&claims.tid);
    let tenant = app.tenant.trim().to_ascii_lowercase();
    let (wrong, wanted, got) = match tenant.as_str() {
        "organizations" => (personal, "an account of an organisation", "a personal one"),
        "consumers" => (!personal, "a personal account", "one of an organisation"),
        _ => (false, "", ""),
    };
    if wrong {
        return Err(Problem::new(
            "account_kind",
            Disposition::NeedsSignIn,
            format!("Mailhatch is set up for {wanted}, but {got} signed in."),
            "Connect the mailbox again with the other kind of account; or whoever runs Mailhatch sets AZURE_TENANT_ID to common.",
        ));
    }
    Ok(())
}

fn identity(claims: Claims) -> Result<Identity, Problem> {
    let upn = if claims.preferred_username.is_empty() {
        claims.upn
    } else {
        claims.preferred_username
    };
    if claims.oid.is_empty() || upn.is_empty() {
        return Err(refused("does not say who signed in"));
    }
    Ok(Identity {
        personal: is_personal(&claims.tid),
        tenant_id: claims.tid.to_ascii_lowercase(),
        object_id: claims.oid.to_ascii_lowercase(),
        upn,
        name: claims.name,
        email: Some(claims.email).filter(|email| !email.is_empty()),
    })
}

fn refused(why: &str) -> Problem {
    Problem::new(
        "id_token_invalid",
        Disposition::NeedsSignIn,
        "The proof of who signed in did not hold, so nothing was connected.",
        "Connect the mailbox again, beginning in Mailhatch. If it stays, check that AZURE_APP_ID, AZURE_TENANT_ID and AZURE_CLOUD belong together.",
    )
    .with_detail(format!("ID token: {why}"))
}

fn wrong_time(claims: &Claims, now: i64) -> Problem {
    Problem::new(
        "id_token_time",
        Disposition::NeedsAdmin,
        "The proof of who signed in is not valid at this machine's time, so nothing was connected.",
        "Whoever runs Mailhatch sets the machine's clock right (timedatectl shows whether it is synchronised); then the mailbox is connected again.",
    )
    .with_detail(format!(
        "ID token valid from {} to {}, the clock here says {now}",
        claims.nbf, claims.exp
    ))
}
