//! The addresses a browser is sent to.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::entra::{CLIENT_ID, REDIRECT_URI, Reply, Server, TENANT_ID};
use crate::oauth::consent::redirect_uri_obstacle;
use crate::oauth::{ConsentRequest, admin_consent_url, start, system_random};
use crate::problem::Problem;

/// Bytes that differ at every call.
fn counting() -> impl FnMut() -> Result<[u8; 32], Problem> {
    let mut count = 0;
    move || {
        count += 1;
        Ok([count; 32])
    }
}

fn query(url: &str) -> BTreeMap<String, String> {
    Url::parse(url)
        .unwrap()
        .query_pairs()
        .into_owned()
        .collect()
}

fn app() -> crate::oauth::EntraApp {
    Server::start(|_| Reply::error(404, "unused", 1)).app(TENANT_ID)
}

#[test]
fn a_first_connection_lets_the_owner_choose_the_account_and_asks_for_everything() {
    let app = app();
    let request = ConsentRequest {
        login_hint: Some("someone@contoso.com".to_owned()),
        reconnect: false,
    };
    let begun = start(&app, &request, &mut counting()).unwrap();
    assert!(begun.url.starts_with(&format!(
        "{}/{TENANT_ID}/oauth2/v2.0/authorize?",
        app.endpoints.login_url
    )));
    let query = query(&begun.url);
    assert_eq!(query["client_id"], CLIENT_ID);
    assert_eq!(query["response_type"], "code");
    assert_eq!(query["response_mode"], "query");
    assert_eq!(query["redirect_uri"], REDIRECT_URI);
    assert_eq!(query["prompt"], "select_account");
    assert!(!query.contains_key("login_hint"));
    assert_eq!(query["state"], begun.state);
    assert_eq!(query["nonce"], begun.nonce);
    for scope in [
        "openid",
        "offline_access",
        "https://outlook.office.com/IMAP.AccessAsUser.All",
        "https://outlook.office.com/SMTP.Send",
        "https://graph.microsoft.com/Mail.Send",
    ] {
        assert!(
            query["scope"].split(' ').any(|have| have == scope),
            "{scope}"
        );
    }
}

#[test]
fn a_reconnection_fills_in_the_name_and_offers_no_choice() {
    let request = ConsentRequest {
        login_hint: Some("support@contoso.com".to_owned()),
        reconnect: true,
    };
    let query = query(&start(&app(), &request, &mut counting()).unwrap().url);
    assert_eq!(query["login_hint"], "support@contoso.com");
    assert!(!query.contains_key("prompt"));
}

#[test]
fn the_challenge_is_the_hash_of_the_verifier_and_no_two_secrets_are_the_same() {
    let begun = start(&app(), &ConsentRequest::default(), &mut counting()).unwrap();
    let query = query(&begun.url);
    let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(begun.pkce_verifier.as_bytes()));
    assert_eq!(query["code_challenge"], hash);
    assert_eq!(query["code_challenge_method"], "S256");
    assert_eq!(begun.pkce_verifier.len(), 43);
    assert_ne!(begun.state, begun.nonce);
    assert_ne!(begun.nonce, begun.pkce_verifier);
    assert!(!begun.url.contains(&begun.pkce_verifier));
    assert!(!format!("{begun:?}").contains(&begun.state));
    assert_ne!(system_random().unwrap(), system_random().unwrap());
}

#[test]
fn the_admin_consent_page_is_asked_for_all_permissions_of_the_registration_and_never_at_common() {
    let app = app();
    let url = admin_consent_url(&app, "common", "s1");
    assert!(url.contains("/organizations/v2.0/adminconsent?"), "{url}");
    let fields = query(&url);
    assert_eq!(fields["scope"], "https://graph.microsoft.com/.default");
    assert_eq!(fields["redirect_uri"], REDIRECT_URI);
    assert_eq!(fields["state"], "s1");
    let own = admin_consent_url(&app, TENANT_ID, "");
    assert!(
        own.contains(&format!("/{TENANT_ID}/v2.0/adminconsent?")),
        "{own}"
    );
    assert!(!query(&own).contains_key("state"));
}

#[test]
fn an_odd_tenant_cannot_change_the_path() {
    let url = admin_consent_url(&app(), "x/../y?z", "");
    assert!(url.contains("/x%2F..%2Fy%3Fz/v2.0/adminconsent?"), "{url}");
}

#[test]
fn an_address_entra_will_not_take_is_told_before_anyone_goes_there() {
    assert_eq!(redirect_uri_obstacle(REDIRECT_URI), None);
    assert_eq!(
        redirect_uri_obstacle("http://localhost:8025/microsoft/callback"),
        None
    );
    for bad in [
        "http://desk.lan/microsoft/callback",
        "http://127.0.0.1:8025/x",
        "desk",
    ] {
        let problem = redirect_uri_obstacle(bad).unwrap();
        assert!(problem.remedy.contains("https"), "{bad}: {problem}");
    }
    let long = format!("https://desk.example.com/{}", "x".repeat(300));
    assert!(
        redirect_uri_obstacle(&long)
            .unwrap()
            .sentence
            .contains("256")
    );
}
