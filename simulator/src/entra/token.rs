//! `/{T}/oauth2/v2.0/token`: codes and refresh tokens into tokens, and the refusals.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::client_auth;
use super::consent::is_consumer;
use super::errors::AadError;
use super::mint::{
    CODE_SECONDS, Code, Minted, Order, REFRESH_SECONDS, RefreshToken, SPA_REFRESH_SECONDS,
    first_resource_only,
};
use super::scopes::{self, DEFAULT, Scope};
use super::tenant::Authority;
use super::{App, Entra};
use crate::faults::Point;
use crate::http::{Method, Request, Response};
use crate::world::User;

/// The directory of Microsoft's own services, where `client_credentials` at `common` lands.
const SERVICES_TENANT: &str = "f8cdef31-a31e-4b4a-93e4-5f571e91255a";

impl Entra {
    /// Answers the token endpoint.
    pub(super) fn token(&self, tenant: &str, request: &Request) -> Response {
        let answer = if request.method == Method::Post {
            self.token_answer(tenant, request)
        } else {
            Err(AadError::new(
                400,
                "invalid_request",
                900_561,
                format!(
                    "The endpoint only accepts POST requests. Received a {} request.",
                    request.method.as_str()
                ),
            ))
        };
        let response = match answer {
            Ok(body) => Response::json(200, &body),
            Err(error) => {
                let body = error.body(self.clock.now(), &self.state().login_url);
                Response::json(error.status, &body)
            }
        };
        response
            .with_header("Cache-Control", "no-store, no-cache")
            .with_header("Pragma", "no-cache")
    }

    /// Which scripted fault a token request meets, and whom it concerns: sign-in name and address.
    pub(crate) fn token_point(&self, request: &Request) -> Option<(Point, Vec<String>)> {
        let form = &request.form;
        let (point, upn) = match form.get("grant_type")? {
            "authorization_code" => {
                let code = form
                    .get("code")
                    .and_then(|code| self.state().codes.get(code).cloned());
                (Point::TokenCode, code.map(|code| code.upn))
            }
            "refresh_token" => {
                let token = form.get("refresh_token");
                let token = token.and_then(|token| self.state().refresh_tokens.get(token).cloned());
                (Point::TokenRefresh, token.map(|token| token.upn))
            }
            "client_credentials" => (Point::TokenClient, None),
            _ => return None,
        };
        Some((
            point,
            upn.map(|upn| self.names_of(&upn)).unwrap_or_default(),
        ))
    }

    /// Sign-in name and address of a user, for faults that concern one person.
    pub(crate) fn names_of(&self, upn: &str) -> Vec<String> {
        let address = self.world.user(upn).map(|user| user.address);
        let mut names = vec![upn.to_owned()];
        names.extend(address.filter(|address| !address.eq_ignore_ascii_case(upn)));
        names
    }

    fn token_answer(&self, tenant: &str, request: &Request) -> Result<Value, AadError> {
        let form = &request.form;
        let authority = Authority::parse(tenant, &self.tenants())?;
        let grant_type = form
            .get("grant_type")
            .ok_or_else(|| AadError::missing("grant_type"))?;
        let basic = client_auth::basic(request);
        let client_id = form
            .get("client_id")
            .or_else(|| basic.as_ref().map(|(id, _)| id.as_str()));
        let client_id = client_id.ok_or_else(|| AadError::missing("client_id"))?;
        let app = self.app_for(&authority, client_id)?;
        let token_url = format!("{}/{tenant}/oauth2/v2.0/token", self.state().login_url);
        client_auth::check(&app, request, &token_url, self.clock.now())?;
        match grant_type {
            "authorization_code" => self.redeem(&authority, &app, request),
            "refresh_token" => self.refresh(&authority, &app, request),
            "client_credentials" => self.client_credentials(&authority, &app, request),
            other => Err(AadError::new(
                400,
                "unsupported_grant_type",
                70003,
                format!("The app requested an unsupported grant type '{other}'."),
            )),
        }
    }

    fn redeem(
        &self,
        authority: &Authority,
        app: &App,
        request: &Request,
    ) -> Result<Value, AadError> {
        let form = &request.form;
        let text = form.get("code").ok_or_else(|| AadError::missing("code"))?;
        let code = self.state().codes.get(text).cloned();
        let code = code.ok_or_else(|| AadError::invalid_grant(9_002_313))?;
        self.check_code(&code, authority, app, request)?;
        let user = self.user_of(&code.upn)?;
        let wanted = match form.get("scope") {
            None => first_resource_only(&code.scopes),
            Some(text) => single_resource(Scope::parse_list(text, &app.name)?, text)?,
        };
        self.consented(app, &user, &wanted)?;
        {
            let mut state = self.state();
            match state.codes.get_mut(text) {
                Some(code) if !code.redeemed => code.redeemed = true,
                _ => return Err(AadError::invalid_grant(54005)),
            }
        }
        let nonce = code.nonce.as_deref();
        let mfa = user.needs_mfa;
        // Redeeming without `openid` in `scope` still gives the id_token that was asked for at the
        // beginning.
        let wanted = with_oidc_of(wanted, &code.scopes);
        let order = Order {
            user: &user,
            app,
            scopes: wanted,
            remembered: code.scopes.clone(),
            nonce,
            mfa,
        };
        Ok(answer(&self.mint(&order), false))
    }

    fn check_code(
        &self,
        code: &Code,
        authority: &Authority,
        app: &App,
        request: &Request,
    ) -> Result<(), AadError> {
        let form = &request.form;
        if code.client_id != app.client_id {
            return Err(AadError::new(
                400,
                "invalid_grant",
                70000,
                "Provided grant is invalid or malformed.",
            ));
        }
        if code.authority != *authority {
            return Err(AadError::invalid_grant(700_005));
        }
        if code.redeemed {
            return Err(AadError::invalid_grant(54005));
        }
        if self.clock.now() >= code.issued_at + CODE_SECONDS {
            return Err(AadError::invalid_grant(70008));
        }
        let redirect_uri = form
            .get("redirect_uri")
            .ok_or_else(|| AadError::missing("redirect_uri"))?;
        if redirect_uri != code.redirect_uri {
            return Err(AadError::new(
                400,
                "invalid_client",
                50011,
                format!(
                    "The reply address '{redirect_uri}' does not match the reply address '{}' \
                     provided when requesting Authorization code.",
                    code.redirect_uri
                ),
            ));
        }
        if app.spa && request.header("origin").is_none() {
            return Err(AadError::new(
                400,
                "invalid_request",
                9_002_327,
                "Tokens issued for the 'Single-Page Application' client-type may only be redeemed \
                 via cross-origin requests.",
            ));
        }
        match (&code.challenge, form.get("code_verifier")) {
            (None, None) => Ok(()),
            (Some(_), None) => Err(AadError::new(
                400,
                "invalid_grant",
                501_481,
                "The Code_Verifier is missing.",
            )),
            (Some((challenge, true)), Some(verifier))
                if URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == *challenge =>
            {
                Ok(())
            }
            (Some((challenge, false)), Some(verifier)) if challenge == verifier => Ok(()),
            _ => Err(AadError::invalid_grant(501_481)),
        }
    }

    fn refresh(
        &self,
        authority: &Authority,
        app: &App,
        request: &Request,
    ) -> Result<Value, AadError> {
        let form = &request.form;
        let text = form
            .get("refresh_token")
            .ok_or_else(|| AadError::missing("refresh_token"))?;
        let token = self.state().refresh_tokens.get(text).cloned();
        let token = token.ok_or_else(|| AadError::invalid_grant(9_002_313))?;
        if token.client_id != app.client_id {
            return Err(AadError::new(
                400,
                "invalid_grant",
                70000,
                "Provided grant is invalid or malformed.",
            ));
        }
        let user = self.user_of(&token.upn)?;
        self.check_refresh(&token, authority, &user)?;
        let asked = match form.get("scope") {
            None => token.scopes.clone(),
            Some(text) => Scope::parse_list(text, &app.name)?,
        };
        // Several resources are tolerated here: the first one wins (Microsoft, "Refresh the access
        // token").
        let wanted = first_resource_only(&asked);
        self.consented(app, &user, &wanted)?;
        let mfa = token.mfa;
        let remembered = token.scopes;
        let order = Order {
            user: &user,
            app,
            scopes: wanted,
            remembered,
            nonce: None,
            mfa,
        };
        Ok(answer(&self.mint(&order), true))
    }

    fn check_refresh(
        &self,
        token: &RefreshToken,
        authority: &Authority,
        user: &User,
    ) -> Result<(), AadError> {
        if let Some(code) = token.revoked_with {
            return Err(AadError::invalid_grant(code));
        }
        let age = self.clock.now() - token.issued_at;
        if token.spa && age >= SPA_REFRESH_SECONDS {
            return Err(AadError::invalid_grant(700_084));
        }
        if age >= REFRESH_SECONDS {
            // Personal accounts answer in general terms.
            return Err(AadError::invalid_grant(if is_consumer(user) {
                70000
            } else {
                700_082
            }));
        }
        if !self
            .pickable(authority)
            .iter()
            .any(|known| known.upn == user.upn)
        {
            return Err(AadError::new(
                400,
                "invalid_grant",
                50020,
                format!(
                    "User account '{}' does not exist in this tenant and cannot access the \
                     application in that tenant.",
                    user.upn
                ),
            ));
        }
        if user.needs_mfa && !token.mfa {
            return Err(AadError::invalid_grant(50076));
        }
        Ok(())
    }

    /// `client_credentials`: a token for the application itself.
    fn client_credentials(
        &self,
        authority: &Authority,
        app: &App,
        request: &Request,
    ) -> Result<Value, AadError> {
        let scope = request
            .form
            .get("scope")
            .ok_or_else(|| AadError::missing("scope"))?;
        if app.public_client || app.spa {
            return Err(AadError::new(
                401,
                "invalid_client",
                700_025,
                "Client is public so neither 'client_assertion' nor 'client_secret' should be \
                 presented.",
            ));
        }
        let wanted = Scope::parse_list(scope, &app.name)?;
        let resource = scopes::resources(&wanted).first().copied();
        let (Some(resource), true) = (resource, wanted.iter().all(|scope| scope.name == DEFAULT))
        else {
            return Err(AadError::new(
                400,
                "invalid_scope",
                1_002_012,
                format!(
                    "The provided value for scope {scope} is not valid. Client credential flows \
                     must have a scope value with /.default suffixed to the resource identifier \
                     (application ID URI)."
                ),
            ));
        };
        let tenant_id = match authority {
            Authority::Tenant(id) => id.as_str(),
            Authority::Common | Authority::Organizations => SERVICES_TENANT,
            Authority::Consumers => {
                return Err(AadError::new(
                    400,
                    "invalid_request",
                    9_001_023,
                    "The grant type is not supported over the /common or /consumers endpoints. \
                     Please use the /organizations or tenant-specific endpoint.",
                ));
            }
        };
        let (token, expires_in) = self.mint_for_app(app, tenant_id, resource.audience());
        Ok(json!({
            "token_type": "Bearer", "expires_in": expires_in, "ext_expires_in": expires_in,
            "access_token": token,
        }))
    }

    /// The person a grant belongs to, unless the account has been disabled or deleted.
    fn user_of(&self, upn: &str) -> Result<User, AadError> {
        let user = self.world.user(upn).ok_or_else(|| {
            AadError::new(
                400,
                "invalid_grant",
                50034,
                format!("The user account {upn} does not exist in the directory."),
            )
        })?;
        if user.disabled {
            Err(AadError::invalid_grant(50057))
        } else {
            Ok(user)
        }
    }

    fn consented(&self, app: &App, user: &User, wanted: &[Scope]) -> Result<(), AadError> {
        let missing = self.missing_consent(app, user, wanted);
        if missing.iter().any(|scope| scope.resource.is_some()) {
            let mut error = AadError::invalid_grant(65001);
            error.text = format!(
                "The user or administrator has not consented to use the application with ID '{}' \
                 named '{}'. Send an interactive authorization request for this user and resource.",
                app.client_id, app.name
            );
            return Err(error);
        }
        Ok(())
    }
}

/// A code may be redeemed for one resource only.
fn single_resource(wanted: Vec<Scope>, text: &str) -> Result<Vec<Scope>, AadError> {
    if scopes::resources(&wanted).len() > 1 {
        return Err(AadError::new(
            400,
            "invalid_scope",
            28000,
            format!(
                "Provided value for the input parameter scope is not valid because it contains \
                 more than one resource. Scope {text} is not valid."
            ),
        ));
    }
    Ok(wanted)
}

fn with_oidc_of(mut wanted: Vec<Scope>, original: &[Scope]) -> Vec<Scope> {
    for scope in original.iter().filter(|scope| scope.resource.is_none()) {
        if !wanted.contains(scope) {
            wanted.push(scope.clone());
        }
    }
    wanted
}

/// The JSON body. A refresh always brings a new refresh token; a code only when `offline_access`
/// was asked for.
fn answer(minted: &Minted, refreshed: bool) -> Value {
    let tokens = &minted.tokens;
    let mut body = json!({
        "token_type": "Bearer", "scope": minted.scope, "expires_in": tokens.expires_in,
        "ext_expires_in": tokens.expires_in, "access_token": tokens.access_token,
    });
    if let Some(members) = body.as_object_mut() {
        if refreshed || minted.asked_offline {
            members.insert(
                "refresh_token".to_owned(),
                tokens.refresh_token.as_str().into(),
            );
        }
        if minted.asked_openid {
            members.insert("id_token".to_owned(), tokens.id_token.as_str().into());
        }
    }
    body
}
