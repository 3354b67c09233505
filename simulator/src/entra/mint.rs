//! What tokens contain and how they are made: access tokens, id tokens, refresh tokens, codes.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::keys::KeyRing;
use super::scopes::{self, DEFAULT, Scope};
use super::tenant::Authority;
use super::{App, CONSUMER_TENANT, Entra, Grant, Resource, State, random};
use crate::world::{AccountKind, User};

/// Refresh tokens die after this long (Microsoft, "Refresh tokens": 90 days, 24 hours for
/// single-page apps).
pub(super) const REFRESH_SECONDS: i64 = 90 * 86_400;
/// The same for single-page applications.
pub(super) const SPA_REFRESH_SECONDS: i64 = 86_400;
/// Authorization codes live about ten minutes (Microsoft, "Authorization code flow").
pub(super) const CODE_SECONDS: i64 = 600;

/// What the token endpoint hands out.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// For the resource of the first scope.
    pub access_token: String,
    /// Good for every resource consented to.
    pub refresh_token: String,
    /// Seconds until the access token expires.
    pub expires_in: i64,
    /// Who signed in.
    pub id_token: String,
}

/// Changes claims before they are signed.
pub type ChangeClaims = Box<dyn FnOnce(&mut Map<String, Value>) + Send>;

/// A deliberately wrong `id_token`.
pub struct Twist {
    /// Changes the claims before they are signed.
    pub claims: ChangeClaims,
    /// Which key signs.
    pub signer: Signer,
}

/// Whose key signs an `id_token`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signer {
    /// The right one.
    Usual,
    /// The key for personal accounts, which must not vouch for anyone else.
    Personal,
    /// A key no key set lists.
    Unpublished,
}

impl std::fmt::Debug for Twist {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Twist")
            .field("signer", &self.signer)
            .finish_non_exhaustive()
    }
}

/// An authorization code and what it stands for.
#[derive(Debug, Clone)]
pub(super) struct Code {
    pub(super) authority: Authority,
    pub(super) client_id: String,
    pub(super) upn: String,
    pub(super) redirect_uri: String,
    pub(super) scopes: Vec<Scope>,
    pub(super) nonce: Option<String>,
    /// (challenge, whether it is S256)
    pub(super) challenge: Option<(String, bool)>,
    pub(super) issued_at: i64,
    pub(super) redeemed: bool,
}

/// A refresh token and what it stands for: a user and a client, no resource.
#[derive(Debug, Clone)]
pub(super) struct RefreshToken {
    pub(super) client_id: String,
    pub(super) upn: String,
    pub(super) scopes: Vec<Scope>,
    pub(super) issued_at: i64,
    pub(super) spa: bool,
    /// Whether a second factor was shown at the sign-in.
    pub(super) mfa: bool,
    pub(super) revoked_with: Option<u32>,
}

/// For whom and what tokens are made.
pub(super) struct Order<'a> {
    pub(super) user: &'a User,
    pub(super) app: &'a App,
    /// What the access token is for: scopes of at most one resource, and the OpenID Connect ones.
    pub(super) scopes: Vec<Scope>,
    /// What the refresh token remembers.
    pub(super) remembered: Vec<Scope>,
    pub(super) nonce: Option<&'a str>,
    pub(super) mfa: bool,
}

/// Tokens and the `scope` text beside them.
pub(super) struct Minted {
    pub(super) tokens: Tokens,
    pub(super) scope: String,
    pub(super) asked_openid: bool,
    pub(super) asked_offline: bool,
}

impl Entra {
    /// Access and refresh token as the token endpoint would give them, for a user who consented to
    /// `scopes`. Without that user or application the tokens are empty and open nothing.
    pub fn issue(&self, upn: &str, client_id: &str, scopes: &[&str]) -> Tokens {
        let nothing = || Tokens {
            access_token: String::new(),
            refresh_token: String::new(),
            expires_in: 0,
            id_token: String::new(),
        };
        let app = self.state().apps.get(&client_id.to_lowercase()).cloned();
        let (Some(user), Some(app)) = (self.world.user(upn), app) else {
            tracing::warn!("no such user or application");
            return nothing();
        };
        let text = format!("openid profile offline_access {}", scopes.join(" "));
        let Ok(all) = Scope::parse_list(&text, &app.name) else {
            tracing::warn!("no such scope");
            return nothing();
        };
        self.record_consent(&app, &user, &all);
        let wanted = first_resource_only(&all);
        let order = Order {
            user: &user,
            app: &app,
            scopes: wanted,
            remembered: all,
            nonce: None,
            mfa: user.needs_mfa,
        };
        self.mint(&order).tokens
    }

    /// Makes and remembers the tokens of an order whose consent has been checked.
    pub(super) fn mint(&self, order: &Order<'_>) -> Minted {
        let now = self.clock.now();
        let mut state = self.state();
        let lifetime = state
            .token_lifetime_seconds
            .unwrap_or_else(|| random::between(3600, 5400));
        let resource = scopes::resources(&order.scopes)
            .first()
            .copied()
            .unwrap_or(Resource::Graph);
        let granted = granted_on(&state, order, resource);
        let grant = Grant {
            tenant_id: order.user.tenant_id.clone(),
            object_id: order.user.object_id.clone(),
            upn: order.user.upn.clone(),
            client_id: order.app.client_id.clone(),
            resource,
            scopes: granted.iter().map(|scope| scope.name.clone()).collect(),
            expires_at: now + lifetime,
        };
        let access_token = access_token(&state, &grant, order.user, now);
        state.access_tokens.insert(access_token.clone(), grant);
        let refresh_token = refresh_token(order.user);
        let remembered = RefreshToken {
            client_id: order.app.client_id.clone(),
            upn: order.user.upn.clone(),
            scopes: order.remembered.clone(),
            issued_at: now,
            spa: order.app.spa,
            mfa: order.mfa,
            revoked_with: None,
        };
        state
            .refresh_tokens
            .insert(refresh_token.clone(), remembered);
        let id_token = id_token(&mut state, order, now);
        let asked = |name: &str| order.scopes.iter().any(|scope| scope.name == name);
        Minted {
            scope: scope_text(&granted, &order.scopes, resource),
            asked_openid: asked("openid"),
            asked_offline: asked("offline_access"),
            tokens: Tokens {
                access_token,
                refresh_token,
                expires_in: lifetime,
                id_token,
            },
        }
    }

    /// A token for the application itself, as `client_credentials` gives. It opens no mailbox here.
    pub(super) fn mint_for_app(&self, app: &App, tenant_id: &str, audience: &str) -> (String, i64) {
        let now = self.clock.now();
        let state = self.state();
        let lifetime = 3599;
        let claims = json!({
            "aud": audience, "iss": format!("{}/{tenant_id}/v2.0", state.login_url),
            "iat": now - 300, "nbf": now - 300, "exp": now + lifetime,
            "appid": app.client_id, "tid": tenant_id, "idtyp": "app", "uti": random::text(22), "ver": "1.0",
        });
        (state.keys.for_work().sign(&claims), lifetime)
    }
}

/// What remains when only the first resource named is served.
pub(super) fn first_resource_only(all: &[Scope]) -> Vec<Scope> {
    let first = scopes::resources(all).first().copied();
    all.iter()
        .filter(|scope| scope.resource.is_none() || scope.resource == first)
        .cloned()
        .collect()
}

/// The scopes an access token carries: what was asked for and whatever else was consented to on
/// that resource, for Entra puts all of it in.
fn granted_on(state: &State, order: &Order<'_>, resource: Resource) -> Vec<Scope> {
    let known = state.consented_keys(order.app, order.user);
    let mut granted: Vec<Scope> = order
        .scopes
        .iter()
        .filter(|scope| scope.resource == Some(resource) && scope.name != DEFAULT)
        .cloned()
        .collect();
    let mut seen: BTreeSet<String> = granted.iter().map(Scope::key).collect();
    let more = order
        .remembered
        .iter()
        .cloned()
        .chain(scopes::configured(&order.app.permissions, resource));
    for scope in more.filter(|scope| scope.resource == Some(resource) && scope.name != DEFAULT) {
        if known.contains(&scope.key()) && seen.insert(scope.key()) {
            granted.push(scope);
        }
    }
    granted
}

/// `scope` of the answer. `offline_access` never stands in it, the other OpenID Connect scopes only
/// beside Graph's, whose permissions they are.
fn scope_text(granted: &[Scope], asked: &[Scope], resource: Resource) -> String {
    let mut words: Vec<String> = granted.iter().map(Scope::to_text).collect();
    if resource == Resource::Graph {
        let oidc = asked
            .iter()
            .filter(|scope| scope.resource.is_none() && scope.name != "offline_access");
        words.extend(oidc.map(Scope::to_text));
    }
    words.join(" ")
}

/// The user's name for one app only: another app sees another.
fn subject(client_id: &str, user: &User) -> String {
    let words = format!("{client_id}|{}|{}", user.tenant_id, user.object_id);
    URL_SAFE_NO_PAD.encode(Sha256::digest(words))
}

fn access_token(state: &State, grant: &Grant, user: &User, now: i64) -> String {
    if user.kind == AccountKind::Personal {
        // Opaque for everybody but Microsoft.
        return format!("EwB{}", random::text(1100));
    }
    let claims = json!({
        "aud": grant.resource.audience(),
        "iss": format!("{}/{}/v2.0", state.login_url, grant.tenant_id),
        "iat": now - 300, "nbf": now - 300, "exp": grant.expires_at,
        "appid": grant.client_id, "app_displayname": "", "idtyp": "user", "name": user.display_name,
        "sub": subject(&grant.client_id, user),
        "oid": grant.object_id, "tid": grant.tenant_id, "upn": user.upn, "unique_name": user.upn,
        "preferred_username": user.upn, "scp": grant.scopes.join(" "), "uti": random::text(22),
        "ver": "1.0",
    });
    state.keys.for_work().sign(&claims)
}

fn refresh_token(user: &User) -> String {
    if user.kind == AccountKind::Personal {
        format!(
            "M.C5{}_BAY.0.U.-{}",
            random::between(10, 99),
            random::text(360)
        )
    } else {
        format!("1.A{}", random::text(1000))
    }
}

/// A code in the shape of the account's kind.
pub(super) fn new_code(user: &User) -> String {
    if user.kind == AccountKind::Personal {
        format!("M.C5{}_BAY.2.U.{}", random::between(10, 99), random::guid())
    } else {
        format!("1.A{}", random::text(700))
    }
}

/// Microsoft, "ID token claims reference". `iat` and `nbf` lie five minutes back, as Entra sets
/// them.
fn id_token(state: &mut State, order: &Order<'_>, now: i64) -> String {
    let user = order.user;
    let asked = |name: &str| {
        order
            .scopes
            .iter()
            .any(|scope| scope.resource.is_none() && scope.name == name)
    };
    let mut claims = Map::new();
    let mut put = |name: &str, value: Value| {
        claims.insert(name.to_owned(), value);
    };
    put("ver", "2.0".into());
    put(
        "iss",
        format!("{}/{}/v2.0", state.login_url, user.tenant_id).into(),
    );
    put("aud", order.app.client_id.as_str().into());
    put("iat", (now - 300).into());
    put("nbf", (now - 300).into());
    put("exp", (now + 3600).into());
    put("sub", subject(&order.app.client_id, user).into());
    put("tid", user.tenant_id.as_str().into());
    put("uti", random::text(22).into());
    if let Some(nonce) = order.nonce {
        put("nonce", nonce.into());
    }
    if asked("profile") {
        put("oid", user.object_id.as_str().into());
        put("name", user.display_name.as_str().into());
        put("preferred_username", user.upn.as_str().into());
    }
    // Guests have it by default; others only when it is asked for and the directory knows one.
    if (asked("email") && !user.address.is_empty()) || user.kind == AccountKind::Guest {
        put("email", user.address.as_str().into());
    }
    let twist = state.twist.take();
    let signer = twist.as_ref().map_or(Signer::Usual, |twist| twist.signer);
    if let Some(twist) = twist {
        (twist.claims)(&mut claims);
    }
    let claims = Value::Object(claims);
    match signer {
        Signer::Unpublished => KeyRing::unpublished().sign(&claims),
        Signer::Usual if user.tenant_id != CONSUMER_TENANT => state.keys.for_work().sign(&claims),
        Signer::Usual | Signer::Personal => state.keys.for_personal().sign(&claims),
    }
}
