//! Discovery document, signing keys, sign-out.

use serde_json::json;

use super::authorize::SESSION_COOKIE;
use super::errors::AadError;
use super::tenant::Authority;
use super::{Entra, pages};
use crate::http::{Request, Response};

impl Entra {
    /// `/{T}/v2.0/.well-known/openid-configuration`.
    pub(super) fn discovery(&self, tenant: &str) -> Response {
        let authority = match Authority::parse(tenant, &self.tenants()) {
            Ok(authority) => authority,
            Err(error) => return self.json_error(&error),
        };
        let login = self.state().login_url.clone();
        let base = format!("{login}/{tenant}");
        Response::json(
            200,
            &json!({
                "token_endpoint": format!("{base}/oauth2/v2.0/token"),
                "token_endpoint_auth_methods_supported":
                    ["client_secret_post", "private_key_jwt", "client_secret_basic"],
                "jwks_uri": format!("{base}/discovery/v2.0/keys"),
                "response_modes_supported": ["query", "fragment", "form_post"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
                "scopes_supported": ["openid", "profile", "email", "offline_access"],
                "issuer": authority.metadata_issuer(&login),
                "request_uri_parameter_supported": false,
                "userinfo_endpoint": "https://graph.microsoft.com/oidc/userinfo",
                "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
                "device_authorization_endpoint": format!("{base}/oauth2/v2.0/devicecode"),
                "http_logout_supported": true,
                "frontchannel_logout_supported": true,
                "end_session_endpoint": format!("{base}/oauth2/v2.0/logout"),
                "claims_supported": ["sub", "iss", "cloud_instance_name", "aud", "exp", "iat",
                    "nonce", "preferred_username", "name", "tid", "ver", "email"],
                "tenant_region_scope": null,
                "cloud_instance_name": "microsoftonline.com",
            }),
        )
    }

    /// `/{T}/discovery/v2.0/keys`.
    pub(super) fn key_set(&self, tenant: &str) -> Response {
        match Authority::parse(tenant, &self.tenants()) {
            Ok(authority) => {
                let state = self.state();
                Response::json(200, &state.keys.key_set(&state.login_url, &authority))
            }
            Err(error) => self.json_error(&error),
        }
    }

    /// `/{T}/oauth2/v2.0/logout`: ends the browser session and goes back only to a registered
    /// address.
    pub(super) fn logout(&self, tenant: &str, request: &Request) -> Response {
        if let Err(error) = Authority::parse(tenant, &self.tenants()) {
            return pages::error(&error, self.clock.now());
        }
        if let Some(session) = request.cookie(SESSION_COOKIE) {
            self.state().sessions.remove(session);
        }
        let asked = request.query.get("post_logout_redirect_uri");
        let asked = asked.or_else(|| request.form.get("post_logout_redirect_uri"));
        let registered = asked.filter(|uri| {
            self.state()
                .apps
                .values()
                .any(|app| app.allows_redirect(uri))
        });
        let response = registered.map_or_else(pages::signed_out, Response::redirect);
        response.with_cookie(SESSION_COOKIE, "")
    }

    /// `/error?code=…`: what a number means, as far as it is known here.
    pub(super) fn explain(request: &Request) -> Response {
        let code = request.query.get("code").and_then(|text| text.parse().ok());
        pages::meaning(code)
    }

    fn json_error(&self, error: &AadError) -> Response {
        let body = error.body(self.clock.now(), &self.state().login_url);
        Response::json(error.status, &body)
    }
}
