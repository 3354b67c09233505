//! Who agreed to what: consents of users and of administrators, and the admin consent page.

use std::collections::BTreeSet;

use super::authorize::{Back, checked_redirect};
use super::errors::AadError;
use super::pages::{self, Links};
use super::scopes::{self, DEFAULT, Resource, Scope};
use super::tenant::{Authority, CONSUMER_TENANT};
use super::{App, Entra, State};
use crate::http::{Method, Request, Response};
use crate::world::{AccountKind, User};

impl State {
    /// The keys of every scope this user's tokens for this application may carry.
    pub(super) fn consented_keys(&self, app: &App, user: &User) -> BTreeSet<String> {
        let mut keys = BTreeSet::new();
        if let Some(own) = self
            .consents
            .get(&(app.client_id.clone(), user.object_id.clone()))
        {
            keys.extend(own.iter().cloned());
        }
        if let Some(all) = self
            .tenant_consents
            .get(&(app.client_id.clone(), user.tenant_id.clone()))
        {
            keys.extend(all.iter().cloned());
        }
        if app.admin_consented && user.tenant_id == app.tenant_id {
            keys.extend(everything_configured(app));
        }
        keys
    }
}

/// What "Grant admin consent" in the portal covers, and the sign-in scopes it always implies.
fn everything_configured(app: &App) -> impl Iterator<Item = String> {
    let configured = [Resource::Exchange, Resource::Graph]
        .into_iter()
        .flat_map(|resource| scopes::configured(&app.permissions, resource));
    configured.chain(sign_in_scopes()).map(|scope| scope.key())
}

fn sign_in_scopes() -> Vec<Scope> {
    Scope::parse_list("openid profile email offline_access", "").unwrap_or_default()
}

impl Entra {
    /// Records that a user agreed to `scopes`. Whoever agrees to anything agrees to be signed in.
    pub(super) fn record_consent(&self, app: &App, user: &User, scopes: &[Scope]) {
        let keys = expand(app, scopes);
        let mut state = self.state();
        state
            .consents
            .entry((app.client_id.clone(), user.object_id.clone()))
            .or_default()
            .extend(keys);
    }

    /// Records that an administrator agreed to `scopes` for a directory.
    pub(super) fn record_tenant_consent(&self, app: &App, tenant_id: &str, scopes: &[Scope]) {
        let keys = expand(app, scopes);
        let mut state = self.state();
        state
            .tenant_consents
            .entry((app.client_id.clone(), tenant_id.to_owned()))
            .or_default()
            .extend(keys);
    }

    /// Takes back what a user, and the administrator of the user's directory, agreed to. Access
    /// tokens live on until they expire; the next refresh fails.
    pub fn withdraw_consent(&self, upn: &str, client_id: &str) {
        let Some(user) = self.world.user(upn) else {
            return;
        };
        let client_id = client_id.to_lowercase();
        let mut state = self.state();
        state.consents.remove(&(client_id.clone(), user.object_id));
        state
            .tenant_consents
            .remove(&(client_id.clone(), user.tenant_id));
        if let Some(app) = state.apps.get_mut(&client_id) {
            app.admin_consented = false;
        }
    }

    /// The scopes among `wanted` nobody has agreed to yet.
    pub(super) fn missing_consent(&self, app: &App, user: &User, wanted: &[Scope]) -> Vec<Scope> {
        let state = self.state();
        let known = state.consented_keys(app, user);
        let lacking = |scope: &&Scope| {
            if scope.name == DEFAULT {
                // `.default` prompts only while nothing is granted on that resource.
                let prefix = format!("{}/", scope.resource.map_or("", Resource::audience));
                return !known.iter().any(|key| key.starts_with(&prefix));
            }
            !known.contains(&scope.key())
        };
        wanted.iter().filter(lacking).cloned().collect()
    }

    /// Whether this user may agree to all of `missing` without an administrator.
    pub(super) fn may_consent(&self, app: &App, user: &User, missing: &[Scope]) -> bool {
        if user.kind == AccountKind::Personal || self.is_admin(user) {
            return true;
        }
        if app.assignment_required {
            return false;
        }
        app.user_may_consent || !missing.iter().any(Scope::needs_admin)
    }

    /// Whether the user may consent for the whole directory.
    pub(super) fn is_admin(&self, user: &User) -> bool {
        self.state().admins.contains(&user.upn.to_lowercase())
    }

    /// `/{tenant}/v2.0/adminconsent`.
    pub(super) fn admin_consent(&self, tenant: &str, request: &Request) -> Response {
        let asked = match self.admin_request(tenant, request) {
            Ok(asked) => asked,
            Err(error) => return pages::error(&error, self.clock.now()),
        };
        let links = Links::of(request);
        let form = &request.form;
        if request.method != Method::Post {
            return pages::picker(
                &links,
                &asked.app.name,
                &self.pickable(&asked.authority),
                None,
                None,
            );
        }
        if form.get("decision") == Some("cancel") {
            return asked.refuse(self.clock.now());
        }
        let name = form.get("account").unwrap_or_default();
        let user = match self.sign_in(&asked.authority, &asked.app, name) {
            Ok(user) => user,
            Err(error) => {
                let users = self.pickable(&asked.authority);
                let problem = (error, self.clock.now());
                return pages::picker(&links, &asked.app.name, &users, None, Some(&problem));
            }
        };
        if !self.is_admin(&user) {
            return pages::needs_admin(&links, &asked.app, &user, &asked.scopes, false);
        }
        if form.get("decision") != Some("accept") {
            return pages::admin_consent(&links, &asked.app, &user, &asked.scopes);
        }
        self.record_tenant_consent(&asked.app, &user.tenant_id, &asked.scopes);
        asked.accept(&user.tenant_id)
    }

    /// What an administrator's click on the admin consent page leads to: the address the browser is
    /// sent to.
    ///
    /// # Errors
    /// The text of the page shown instead.
    pub fn approve_as_admin(&self, admin_consent_url: &str, upn: &str) -> Result<String, String> {
        let form = [("account", upn), ("decision", "accept")];
        let request = Request::posted_to(admin_consent_url, &form).ok_or("not an address")?;
        let response = self.answer(&request).ok_or("no such page")?;
        response.location().ok_or_else(|| response.text())
    }

    fn admin_request(&self, tenant: &str, request: &Request) -> Result<AdminRequest, AadError> {
        let authority = Authority::parse(tenant, &self.tenants())?;
        let need = |name: &str| {
            request
                .query
                .get(name)
                .ok_or_else(|| AadError::missing(name))
        };
        let client_id = need("client_id")?;
        if matches!(authority, Authority::Common | Authority::Consumers) {
            return Err(AadError::new(
                400,
                "invalid_request",
                90130,
                format!(
                    "Application '{client_id}' is not supported over the /common or /consumers \
                     endpoints. Please use the /organizations or tenant-specific endpoint."
                ),
            ));
        }
        let app = match self.app_for(&authority, client_id) {
            // A single-tenant application may be consented to at /organizations by its own
            // administrator.
            Err(error) if error.code == 50194 => {
                let app = self.state().apps.get(&client_id.to_lowercase()).cloned();
                app.ok_or(error)?
            }
            other => other?,
        };
        let redirect_uri = checked_redirect(&app, Some(need("redirect_uri")?))?;
        let text = need("scope")?;
        let scopes = Scope::parse_list(text, &app.name)?;
        let state = request
            .query
            .get("state")
            .map(super::authorize::without_markup);
        Ok(AdminRequest {
            authority,
            app,
            redirect_uri,
            scopes,
            scope: text.to_owned(),
            state,
        })
    }
}

/// A well-formed request for admin consent.
struct AdminRequest {
    authority: Authority,
    app: App,
    redirect_uri: String,
    scopes: Vec<Scope>,
    scope: String,
    state: Option<String>,
}

impl AdminRequest {
    fn back(&self, mut params: Vec<(String, String)>) -> Response {
        if let Some(state) = &self.state {
            params.push(("state".to_owned(), state.clone()));
        }
        Back {
            redirect_uri: self.redirect_uri.clone(),
            mode: super::authorize::Mode::Query,
            params,
        }
        .respond()
    }

    fn accept(&self, tenant_id: &str) -> Response {
        self.back(vec![
            ("admin_consent".to_owned(), "True".to_owned()),
            ("tenant".to_owned(), tenant_id.to_owned()),
            ("scope".to_owned(), self.scope.clone()),
        ])
    }

    /// `admin_consent=True` stands beside the error, as Microsoft documents it.
    fn refuse(&self, now: i64) -> Response {
        let error = AadError::new(
            400,
            "access_denied",
            65004,
            "User declined to consent to access the app.",
        );
        self.back(vec![
            ("error".to_owned(), error.error.clone()),
            ("error_subcode".to_owned(), "cancel".to_owned()),
            ("error_description".to_owned(), error.description(now)),
            ("admin_consent".to_owned(), "True".to_owned()),
        ])
    }
}

/// The keys a consent to `scopes` covers. `.default` of Graph covers the whole registration.
fn expand(app: &App, scopes: &[Scope]) -> Vec<String> {
    let mut keys: Vec<String> = sign_in_scopes().iter().map(Scope::key).collect();
    for scope in scopes {
        match (scope.name.as_str(), scope.resource) {
            (DEFAULT, Some(Resource::Graph)) => keys.extend(everything_configured(app)),
            (DEFAULT, Some(resource)) => {
                keys.extend(
                    scopes::configured(&app.permissions, resource)
                        .iter()
                        .map(Scope::key),
                );
            }
            _ => keys.push(scope.key()),
        }
    }
    keys
}

/// Whether an account belongs to the directory of all personal accounts.
pub(super) fn is_consumer(user: &User) -> bool {
    user.kind == AccountKind::Personal || user.tenant_id == CONSUMER_TENANT
}
