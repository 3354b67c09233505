//! From the browser's way back to a mailbox that can be served, and who is not believed.

use serde_json::{Value, json};

use super::entra::{CLIENT_ID, NOW, Reply, Server, TENANT_ID, http, id_token, keys, metadata};
use crate::oauth::id_token::verify;
use crate::oauth::{CallbackQuery, EntraApp, Identity, KeyCache, Returned, SignedIn, finish};
use crate::problem::{Disposition, Problem};
use crate::providers::microsoft::PERSONAL_TENANT_ID;

const TEMPLATE: &str = "https://login.microsoftonline.com/{tenantid}/v2.0";

fn issuer(tenant_id: &str) -> String {
    TEMPLATE.replace("{tenantid}", tenant_id)
}

fn claims(tenant_id: &str) -> Value {
    json!({
        "iss": issuer(tenant_id), "aud": CLIENT_ID, "exp": NOW + 3600, "nbf": NOW, "iat": NOW,
        "nonce": "nonce-1", "ver": "2.0", "tid": tenant_id, "oid": "ABCDEF01-0000-4000-8000-000000000001",
        "preferred_username": "support@contoso.onmicrosoft.com", "name": "Support", "email": "boss@victim.example",
    })
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

/// Entra and Graph in one: tokens with this ID token, metadata with this issuer, this answer for `/me`.
fn entra(id_token: String, metadata_issuer: String, me: Value) -> Server {
    Server::start(move |asked| {
        if asked.path.ends_with("/openid-configuration") {
            return metadata(&metadata_issuer);
        }
        if asked.path.ends_with("/keys") {
            return keys(TEMPLATE, &issuer(PERSONAL_TENANT_ID));
        }
        if asked.path.starts_with("/v1.0/me") {
            return if me.is_null() {
                Reply::json(
                    403,
                    &json!({"error": {"code": "Forbidden", "message": "no"}}),
                )
            } else {
                Reply::json(200, &me)
            };
        }
        let form = asked.form();
        let is_graph = form["scope"].contains("graph.microsoft.com");
        Reply::json(
            200,
            &json!({
                "token_type": "Bearer", "expires_in": 3600, "access_token": "access", "id_token": id_token,
                "refresh_token": if is_graph { "refresh-2" } else { "refresh-1" }, "scope": form["scope"],
            }),
        )
    })
}

fn query() -> CallbackQuery {
    CallbackQuery {
        code: Some("code-1".to_owned()),
        state: Some("state-1".to_owned()),
        ..CallbackQuery::default()
    }
}

fn sign_in(server: &Server, app: &EntraApp) -> Result<SignedIn, Problem> {
    assert!(server.asked().is_empty());
    finish(
        &http(),
        app,
        &query(),
        "verifier",
        "nonce-1",
        &KeyCache::default(),
        NOW,
    )
}

#[test]
fn a_sign_in_gives_the_person_the_mailbox_and_the_newest_refresh_token() {
    let me = json!({
        "mail": "support@contoso.com", "userPrincipalName": "support@contoso.onmicrosoft.com",
        "proxyAddresses": ["SMTP:support@contoso.com", "smtp:help@contoso.com", "X500:/o=x"],
    });
    let server = entra(
        id_token("first", &claims(TENANT_ID)),
        TEMPLATE.to_owned(),
        me,
    );
    let signed_in = sign_in(&server, &server.app("organizations")).unwrap();
    assert!(
        signed_in
            .identity
            .is(TENANT_ID, "abcdef01-0000-4000-8000-000000000001")
    );
    assert!(!signed_in.identity.personal);
    assert_eq!(signed_in.auth_user(), "support@contoso.onmicrosoft.com");
    assert_eq!(signed_in.mailbox_address(), "support@contoso.com");
    assert_eq!(signed_in.refresh_token, "refresh-2");
    assert_eq!(signed_in.profile.unwrap().aliases, ["help@contoso.com"]);
    assert_eq!(signed_in.graph_problem, None);
}

#[test]
fn a_mailbox_connects_even_when_graph_will_not_say_who_it_is() {
    let server = entra(
        id_token("first", &claims(TENANT_ID)),
        issuer(TENANT_ID),
        Value::Null,
    );
    let signed_in = sign_in(&server, &server.app(TENANT_ID)).unwrap();
    assert_eq!(
        signed_in.mailbox_address(),
        "support@contoso.onmicrosoft.com"
    );
    assert_eq!(signed_in.refresh_token, "refresh-2");
    assert_eq!(signed_in.graph_problem.unwrap().code, "graph_forbidden");
}

#[test]
fn a_personal_account_is_known_by_its_tenant_and_keeps_its_own_name() {
    let me = json!({"mail": null, "userPrincipalName": "outlook_0123@outlook.com"});
    let claims = with(
        claims(PERSONAL_TENANT_ID),
        "preferred_username",
        json!("jo@outlook.com"),
    );
    let server = entra(id_token("second", &claims), TEMPLATE.to_owned(), me);
    let signed_in = sign_in(&server, &server.app("common")).unwrap();
    assert!(signed_in.identity.personal);
    assert_eq!(signed_in.auth_user(), "jo@outlook.com");
    assert_eq!(signed_in.mailbox_address(), "jo@outlook.com");
}

#[test]
fn a_guest_is_told_that_there_is_no_mailbox() {
    let me = json!({"mail": "jo@fabrikam.com", "userPrincipalName": "jo_fabrikam.com#EXT#@contoso.onmicrosoft.com"});
    let server = entra(id_token("first", &claims(TENANT_ID)), issuer(TENANT_ID), me);
    let problem = sign_in(&server, &server.app(TENANT_ID)).unwrap_err();
    assert_eq!(problem.code, "guest_account");
}

/// Verifies a token at an app of that tenant.
fn look(token: &str, metadata_issuer: &str, tenant: &str) -> Result<Identity, Problem> {
    let server = entra(String::new(), metadata_issuer.to_owned(), Value::Null);
    verify(
        &http(),
        &server.app(tenant),
        token,
        "nonce-1",
        &KeyCache::default(),
        NOW,
    )
}

#[test]
fn a_token_that_does_not_hold_is_refused_with_its_reason() {
    let other = "99999999-bbbb-4ccc-8ddd-eeeeeeeeeeee";
    let good = claims(TENANT_ID);
    let cases = [
        (with(good.clone(), "aud", json!(other)), "another app"),
        (
            with(good.clone(), "iss", json!(issuer(other))),
            "somebody else",
        ),
        (
            with(good.clone(), "tid", json!("contoso.com")),
            "not a GUID",
        ),
        (with(good.clone(), "nonce", json!("old")), "another sign-in"),
        (with(good.clone(), "ver", json!("1.0")), "version 2.0"),
        (with(good.clone(), "oid", json!("")), "who signed in"),
        (with(good.clone(), "exp", json!(NOW - 301)), "clock"),
        (with(good.clone(), "nbf", json!(NOW + 301)), "clock"),
    ];
    for (claims, reason) in cases {
        let problem = look(&id_token("first", &claims), TEMPLATE, "common").unwrap_err();
        assert!(problem.detail.contains(reason), "{reason}: {problem}");
    }
    for (name, value) in [("exp", NOW - 299), ("nbf", NOW + 299)] {
        let token = id_token("first", &with(good.clone(), name, json!(value)));
        look(&token, TEMPLATE, "common").expect("five minutes are granted");
    }
}

#[test]
fn a_token_signed_by_another_key_or_not_at_all_is_refused() {
    let token = id_token("first", &claims(TENANT_ID));
    let foreign = id_token("second", &claims(TENANT_ID)).replace(
        id_token("second", &claims(TENANT_ID))
            .split('.')
            .next()
            .unwrap(),
        token.split('.').next().unwrap(),
    );
    let problem = look(&foreign, TEMPLATE, "common").unwrap_err();
    assert!(problem.detail.contains("signature"), "{problem}");
    let payload = token.split('.').nth(1).unwrap();
    let unsigned = format!("eyJhbGciOiJub25lIiwia2lkIjoiZmlyc3QifQ.{payload}.");
    assert_eq!(
        look(&unsigned, TEMPLATE, "common").unwrap_err().code,
        "id_token_invalid"
    );
    assert_eq!(
        look("nonsense", TEMPLATE, "common").unwrap_err().code,
        "id_token_invalid"
    );
}

#[test]
fn a_key_bound_to_one_issuer_cannot_sign_for_another_tenant() {
    let problem = look(&id_token("second", &claims(TENANT_ID)), TEMPLATE, "common").unwrap_err();
    assert!(problem.detail.contains("another tenant's key"), "{problem}");
}

#[test]
fn a_single_tenant_app_takes_tokens_of_its_own_tenant_only() {
    let other = "99999999-bbbb-4ccc-8ddd-eeeeeeeeeeee";
    look(
        &id_token("first", &claims(TENANT_ID)),
        &issuer(TENANT_ID),
        "contoso.com",
    )
    .unwrap();
    let problem = look(
        &id_token("first", &claims(other)),
        &issuer(TENANT_ID),
        "contoso.com",
    )
    .unwrap_err();
    assert!(problem.detail.contains("somebody else"), "{problem}");
}

#[test]
fn organizations_and_consumers_each_shut_out_the_other_kind_of_account() {
    let personal = id_token("second", &claims(PERSONAL_TENANT_ID));
    let work = id_token("first", &claims(TENANT_ID));
    let refused = look(&personal, TEMPLATE, "organizations").unwrap_err();
    assert_eq!(refused.code, "account_kind");
    look(&personal, &issuer(PERSONAL_TENANT_ID), "consumers").unwrap();
    assert_eq!(
        look(&work, TEMPLATE, "consumers").unwrap_err().code,
        "account_kind"
    );
    look(&work, TEMPLATE, "organizations").unwrap();
}

#[test]
fn keys_are_kept_a_day_and_an_unknown_one_is_asked_for_every_five_minutes_at_most() {
    let server = entra(String::new(), TEMPLATE.to_owned(), Value::Null);
    let app = server.app("common");
    let cache = KeyCache::default();
    let try_at = |kid: &str, now: i64| {
        let claims = with(claims(TENANT_ID), "exp", json!(now + 60));
        verify(
            &http(),
            &app,
            &id_token(kid, &claims),
            "nonce-1",
            &cache,
            now,
        )
    };
    try_at("first", NOW).unwrap();
    try_at("first", NOW + 86_000).unwrap();
    assert_eq!(server.count("/keys"), 1);
    assert_eq!(
        try_at("new", NOW + 86_001).unwrap_err().code,
        "id_token_key"
    );
    assert_eq!(
        try_at("new", NOW + 86_300).unwrap_err().code,
        "id_token_key"
    );
    assert_eq!(server.count("/keys"), 2);
    try_at("new", NOW + 86_301).unwrap_err();
    assert_eq!(server.count("/keys"), 3);
}

#[test]
fn the_last_good_keys_serve_while_entra_cannot_be_asked() {
    let server = entra(String::new(), TEMPLATE.to_owned(), Value::Null);
    let app = server.app("common");
    let cache = KeyCache::default();
    let token = id_token(
        "first",
        &with(claims(TENANT_ID), "exp", json!(NOW + 900_000)),
    );
    verify(&http(), &app, &token, "nonce-1", &cache, NOW).unwrap();
    drop(server);
    verify(&http(), &app, &token, "nonce-1", &cache, NOW + 100_000).unwrap();
    let empty = KeyCache::default();
    let problem = verify(&http(), &app, &token, "nonce-1", &empty, NOW).unwrap_err();
    assert_eq!(problem.code, "http_connect_refused");
}

#[test]
fn what_comes_back_is_told_apart_and_an_error_counts_first() {
    let server = entra(String::new(), TEMPLATE.to_owned(), Value::Null);
    let app = server.app(TENANT_ID);
    let text = |text: &str| Some(text.to_owned());
    let agreed = CallbackQuery {
        admin_consent: text("True"),
        tenant: text(TENANT_ID),
        ..CallbackQuery::default()
    };
    assert!(matches!(agreed.returned(&app), Returned::AdminConsent));
    let refused = CallbackQuery {
        error: text("access_denied"),
        error_description: text(
            "AADSTS65004: User declined to consent to access the app. Trace ID: x",
        ),
        ..agreed
    };
    let Returned::Failed(problem) = refused.returned(&app) else {
        panic!("an error was overlooked");
    };
    assert_eq!(problem.code, "AADSTS65004");
    assert_eq!(problem.disposition, Disposition::NeedsSignIn);
    assert!(matches!(
        CallbackQuery::default().returned(&app),
        Returned::Failed(_)
    ));
    assert!(matches!(query().returned(&app), Returned::Code(code) if code == "code-1"));
    assert!(!format!("{:?}", query()).contains("code-1"));
}

#[test]
fn a_sign_in_without_the_permission_to_read_or_to_renew_is_refused() {
    for (scope, refresh_token, code) in [
        (
            "https://outlook.office.com/SMTP.Send",
            Some("r"),
            "no_imap_permission",
        ),
        (
            "https://outlook.office.com/IMAP.AccessAsUser.All",
            None,
            "no_refresh_token",
        ),
    ] {
        let token = id_token("first", &claims(TENANT_ID));
        let server = Server::start(move |asked| {
            if asked.path.ends_with("/openid-configuration") {
                return metadata(TEMPLATE);
            }
            if asked.path.ends_with("/keys") {
                return keys(TEMPLATE, TEMPLATE);
            }
            let mut tokens = json!({"token_type": "Bearer", "expires_in": 3600, "access_token": "a", "id_token": token, "scope": scope});
            if let Some(refresh_token) = refresh_token {
                tokens["refresh_token"] = json!(refresh_token);
            }
            Reply::json(200, &tokens)
        });
        assert_eq!(
            sign_in(&server, &server.app("common")).unwrap_err().code,
            code
        );
    }
}
