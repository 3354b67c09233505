//! Whether an app registration is judged rightly without anyone signing in.

use serde_json::json;

use super::entra::{NOW, Reply, Server, TENANT_ID, http, metadata};
use crate::oauth::{AppCheck, CredentialCheck, check_app};
use crate::problem::{Disposition, Problem};

/// Checks an app of that tenant at an Entra whose token endpoint answers so.
fn check(tenant: &str, token: Reply) -> (Result<AppCheck, Problem>, Vec<super::entra::Asked>) {
    let server = Server::start(move |asked| {
        if asked.path.ends_with("/openid-configuration") {
            metadata(&format!(
                "https://login.microsoftonline.com/{TENANT_ID}/v2.0"
            ))
        } else {
            token.clone()
        }
    });
    let result = check_app(&http(), &server.app(tenant), NOW);
    (result, server.asked())
}

#[test]
fn with_a_concrete_tenant_a_token_for_the_app_itself_proves_everything() {
    let token = json!({"token_type": "Bearer", "expires_in": 3599, "access_token": "x"});
    let (result, asked) = check("contoso.com", Reply::json(200, &token));
    let check = result.unwrap();
    assert_eq!(check.credentials, CredentialCheck::Proven);
    assert_eq!(check.tenant_id.as_deref(), Some(TENANT_ID));
    assert_eq!(asked.len(), 2);
    let form = asked[1].form();
    assert_eq!(form["grant_type"], "client_credentials");
    assert_eq!(form["scope"], "https://graph.microsoft.com/.default");
    assert!(form.contains_key("client_secret"));
}

#[test]
fn wrong_credentials_are_refused_for_every_kind_of_tenant() {
    for tenant in [TENANT_ID, "common", "organizations", "consumers"] {
        for (name, number) in [
            ("invalid_client", 7_000_215),
            ("invalid_client", 7_000_222),
            ("unauthorized_client", 700_016),
            ("invalid_client", 700_027),
            ("invalid_grant", 70_002),
        ] {
            let problem = check(tenant, Reply::error(401, name, number))
                .0
                .unwrap_err();
            assert_eq!(problem.code, format!("AADSTS{number}"), "{tenant}");
        }
    }
}

#[test]
fn at_common_a_refusal_of_the_made_up_token_is_not_a_refusal_of_the_app() {
    for (name, number) in [
        ("invalid_grant", 70_000),
        ("invalid_grant", 9_002_313),
        ("invalid_request", 9_002_313),
        ("invalid_grant", 54_005),
        ("invalid_grant", 1_234_567),
    ] {
        let check = check("common", Reply::error(400, name, number)).0.unwrap();
        assert_eq!(check.credentials, CredentialCheck::NotRefused, "{number}");
        assert!(
            check.sentence.contains("first sign-in"),
            "{}",
            check.sentence
        );
    }
}

#[test]
fn a_busy_entra_is_no_verdict() {
    let busy = Reply::error(503, "temporarily_unavailable", 90_033).with_header("Retry-After", "9");
    let problem = check("common", busy).0.unwrap_err();
    assert_eq!(problem.disposition, Disposition::RetryAfter { seconds: 9 });
}

#[test]
fn an_unknown_tenant_is_told_before_any_credential_is_sent() {
    let server = Server::start(|_| Reply::error(400, "invalid_tenant", 90_002));
    let problem = check_app(&http(), &server.app("contso.com"), NOW).unwrap_err();
    assert_eq!(problem.code, "AADSTS90002");
    assert!(problem.sentence.contains("contso.com"), "{problem}");
    assert_eq!(server.asked().len(), 1);
    assert_eq!(server.asked()[0].body, "");
}
