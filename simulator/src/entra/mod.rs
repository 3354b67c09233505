//! The pretend Entra: applications, sign-in and consent, tokens and their refusals.
//!
//! Reading order: [`app`] and [`tenant`] (what is registered), [`scopes`], `authorize` (the
//! browser's way to a code) with `sign_in`, `consent` (who agreed to what), `token` (the program's
//! way to tokens), `client_auth`, `mint` (what a token contains), `metadata`, `keys`, `errors`.

pub mod app;
mod authorize;
mod client_auth;
mod consent;
mod errors;
mod keys;
mod metadata;
mod mint;
pub(crate) mod pages;
pub(crate) mod random;
pub mod scopes;
mod sign_in;
pub mod tenant;
pub(crate) mod time;
mod token;
mod visit;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::Clock;
use crate::faults::Faults;
use crate::http::{Request, Response};
use crate::world::{AccountKind, User, World};

pub use app::{App, Audience, Secret};
pub use mint::{ChangeClaims, Signer, Tokens, Twist};
pub use scopes::Resource;
pub use tenant::{CONSUMER_TENANT, Tenant};

use errors::AadError;
use keys::KeyRing;
use mint::{Code, RefreshToken};
use tenant::Authority;

/// The identity service.
#[derive(Debug)]
pub struct Entra {
    world: Arc<World>,
    faults: Arc<Faults>,
    clock: Clock,
    state: Mutex<State>,
}

/// Everything that changes.
#[derive(Debug)]
struct State {
    login_url: String,
    tenants: Vec<Tenant>,
    apps: BTreeMap<String, App>,
    /// Sign-in names, lower case.
    admins: BTreeSet<String>,
    /// (client id, object id) → scope keys.
    consents: BTreeMap<(String, String), BTreeSet<String>>,
    /// (client id, tenant id) → scope keys.
    tenant_consents: BTreeMap<(String, String), BTreeSet<String>>,
    codes: BTreeMap<String, Code>,
    refresh_tokens: BTreeMap<String, RefreshToken>,
    access_tokens: BTreeMap<String, Grant>,
    /// Browser session → sign-in name.
    sessions: BTreeMap<String, String>,
    token_lifetime_seconds: Option<i64>,
    keys: KeyRing,
    twist: Option<Twist>,
}

/// What an access token allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The directory the account was signed in to.
    pub tenant_id: String,
    /// The account's id in that directory.
    pub object_id: String,
    /// Sign-in name.
    pub upn: String,
    /// The application.
    pub client_id: String,
    /// What it opens.
    pub resource: Resource,
    /// Names without the resource, as `IMAP.AccessAsUser.All`.
    pub scopes: Vec<String>,
    /// Unix seconds UTC.
    pub expires_at: i64,
}

impl Grant {
    /// Whether the scope is among those granted.
    #[must_use]
    pub fn has(&self, scope: &str) -> bool {
        self.scopes
            .iter()
            .any(|granted| granted.eq_ignore_ascii_case(scope))
    }
}

impl Entra {
    /// An Entra without applications for the people of `world`.
    #[must_use]
    pub fn new(world: Arc<World>, faults: Arc<Faults>, clock: Clock) -> Arc<Self> {
        let state = State {
            login_url: "https://login.microsoftonline.com".to_owned(),
            tenants: Vec::new(),
            apps: BTreeMap::new(),
            admins: BTreeSet::new(),
            consents: BTreeMap::new(),
            tenant_consents: BTreeMap::new(),
            codes: BTreeMap::new(),
            refresh_tokens: BTreeMap::new(),
            access_tokens: BTreeMap::new(),
            sessions: BTreeMap::new(),
            token_lifetime_seconds: None,
            keys: KeyRing::new(),
            twist: None,
        };
        Arc::new(Self {
            world,
            faults,
            clock,
            state: Mutex::new(state),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The address it is reached at, without a slash at the end; part of every issuer.
    pub fn set_login_url(&self, url: &str) {
        self.state().login_url = url.trim_end_matches('/').to_owned();
    }

    /// Adds or replaces a directory. Directories of registered applications and of users exist
    /// without it; this gives them a name and domains.
    pub fn add_tenant(&self, tenant: Tenant) {
        let mut state = self.state();
        state.tenants.retain(|known| known.id != tenant.id);
        state.tenants.push(tenant);
    }

    /// Gives a user the role that may consent for the whole directory.
    pub fn make_admin(&self, upn: &str) {
        self.state().admins.insert(upn.to_lowercase());
    }

    /// Registers an application.
    pub fn register_app(&self, app: App) {
        self.state().apps.insert(app.client_id.to_lowercase(), app);
    }

    /// Changes a registration; false when there is none.
    pub fn update_app(&self, client_id: &str, change: impl FnOnce(&mut App)) -> bool {
        let mut state = self.state();
        state
            .apps
            .get_mut(&client_id.to_lowercase())
            .map(change)
            .is_some()
    }

    /// What an access token allows, while it has neither expired nor been revoked.
    #[must_use]
    pub fn check(&self, access_token: &str) -> Option<Grant> {
        let now = self.clock.now();
        let grant = self.state().access_tokens.get(access_token).cloned();
        grant.filter(|grant| grant.expires_at > now)
    }

    /// Ends every session, access token and refresh token of a user: refreshing answers
    /// `invalid_grant` with this number from now on. A new sign-in works.
    pub fn revoke(&self, upn: &str, code: u32) {
        let mut state = self.state();
        let same = |other: &str| other.eq_ignore_ascii_case(upn);
        for token in state
            .refresh_tokens
            .values_mut()
            .filter(|token| same(&token.upn))
        {
            token.revoked_with = Some(code);
        }
        state.access_tokens.retain(|_, grant| !same(&grant.upn));
        state.sessions.retain(|_, signed_in| !same(signed_in));
    }

    /// Every access token handed out so far has expired.
    pub fn expire_access_tokens(&self) {
        self.state().access_tokens.clear();
    }

    /// Signs with a new key from now on, as Entra does without warning.
    pub fn rotate_keys(&self) {
        self.state().keys.rotate();
    }

    /// The published keys as (key id, PEM public key).
    #[must_use]
    pub fn public_keys(&self) -> Vec<(String, String)> {
        let state = self.state();
        let keys = state.keys.published();
        keys.iter()
            .map(|key| (key.kid.clone(), key.public_pem().to_owned()))
            .collect()
    }

    /// How long access tokens live; `None` for Entra's random 60 to 90 minutes.
    pub fn set_token_lifetime(&self, seconds: Option<i64>) {
        self.state().token_lifetime_seconds = seconds;
    }

    /// Makes the next `id_token` wrong in a chosen way, to see whether it is refused.
    pub fn twist_next_id_token(&self, twist: Twist) {
        self.state().twist = Some(twist);
    }

    /// The user a name in the path or form stands for, by sign-in name only.
    fn account(&self, upn: &str) -> Option<User> {
        self.world
            .user(upn)
            .filter(|user| user.upn.eq_ignore_ascii_case(upn))
    }

    /// Every directory there is: the named ones and those of applications and users.
    fn tenants(&self) -> Vec<Tenant> {
        let users = self.world.users();
        let state = self.state();
        let mut tenants = state.tenants.clone();
        let mut ensure = |id: &str, domain: Option<&str>| {
            if id == CONSUMER_TENANT {
                return;
            }
            let known = tenants.iter_mut().find(|tenant| tenant.id == id);
            match (known, domain.map(str::to_lowercase)) {
                (Some(tenant), Some(domain)) if !tenant.domains.contains(&domain) => {
                    tenant.domains.push(domain);
                }
                (Some(_), _) => {}
                (None, domain) => tenants.push(Tenant {
                    id: id.to_owned(),
                    name: domain.clone().unwrap_or_else(|| id.to_owned()),
                    domains: domain.into_iter().collect(),
                }),
            }
        };
        for user in users.iter().filter(|user| user.kind != AccountKind::Guest) {
            ensure(
                &user.tenant_id,
                user.upn.rsplit_once('@').map(|(_, domain)| domain),
            );
        }
        for app in state.apps.values() {
            ensure(&app.tenant_id, None);
        }
        tenants
    }

    /// The registration and the authority of a request, or what Entra says when they do not fit.
    fn app_for(&self, authority: &Authority, client_id: &str) -> Result<App, AadError> {
        let place = match authority {
            Authority::Tenant(id) => id.clone(),
            Authority::Consumers => CONSUMER_TENANT.to_owned(),
            Authority::Common | Authority::Organizations => "Microsoft".to_owned(),
        };
        let app = self.state().apps.get(&client_id.to_lowercase()).cloned();
        let app = app.ok_or_else(|| AadError::unknown_app(client_id, &place))?;
        authority.admit_app(&app)?;
        Ok(app)
    }

    /// Answers one HTTP request under the login address; `None` when no such path exists.
    pub(crate) fn answer(&self, request: &Request) -> Option<Response> {
        let segments: Vec<&str> = request.path.trim_matches('/').split('/').collect();
        let (tenant, rest) = segments.split_first()?;
        match rest {
            [] if *tenant == "error" => Some(Self::explain(request)),
            ["v2.0", ".well-known", "openid-configuration"] => Some(self.discovery(tenant)),
            ["discovery", "v2.0", "keys"] => Some(self.key_set(tenant)),
            ["oauth2", "v2.0", "authorize"] => Some(self.authorize(tenant, request)),
            ["oauth2", "v2.0", "token"] => Some(self.token(tenant, request)),
            ["oauth2", "v2.0", "logout"] => Some(self.logout(tenant, request)),
            ["v2.0", "adminconsent"] => Some(self.admin_consent(tenant, request)),
            _ => None,
        }
    }
}
