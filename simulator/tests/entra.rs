//! The pretend Entra seen over HTTP: sign-in, consent, tokens, and every refusal a program must survive.

mod web;

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use mailhatch_simulator::entra::{Audience, Resource, Signer, Twist};
use mailhatch_simulator::faults::{Action, Fault, Point};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use web::{Site, query_of};

const IMAP: &str = "https://outlook.office.com/IMAP.AccessAsUser.All";
const SMTP: &str = "https://outlook.office.com/SMTP.Send";
const SEND: &str = "https://graph.microsoft.com/Mail.Send";
const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters-0123456789";

/// Everything a mailbox connection asks for at once.
fn all_scopes() -> String {
    format!("openid profile email offline_access {IMAP} {SMTP} {SEND} User.Read")
}

fn code_of(site: &Site, upn: &str) -> String {
    let location = site
        .entra()
        .consent(&site.authorize_url(&all_scopes(), &[]), upn)
        .unwrap();
    query_of(&location, "code").unwrap()
}

fn redeem(site: &Site, code: &str, more: &[(&str, &str)]) -> (u16, Value) {
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", web::REDIRECT_URI),
        ("client_id", &site.demo.client_id),
        ("client_secret", &site.demo.client_secret),
    ];
    for (name, value) in more {
        form.retain(|(known, _)| known != name);
        if !value.is_empty() {
            form.push((name, value));
        }
    }
    site.token("common", &form)
}

fn refresh(site: &Site, refresh_token: &str, scope: &str) -> (u16, Value) {
    site.token(
        "common",
        &[
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token),
            ("scope", scope),
            ("client_id", &site.demo.client_id),
            ("client_secret", &site.demo.client_secret),
        ],
    )
}

fn assert_refused(answer: &(u16, Value), status: u16, error: &str, code: u32) {
    assert_eq!(
        (answer.0, answer.1["error"].as_str()),
        (status, Some(error)),
        "{}",
        answer.1
    );
    assert_eq!(answer.1["error_codes"], json!([code]), "{}", answer.1);
    let description = answer.1["error_description"].as_str().unwrap();
    assert!(
        description.starts_with(&format!("AADSTS{code}: ")),
        "{description}"
    );
    assert!(
        description.contains(" Trace ID: ") && description.contains(" Timestamp: "),
        "{description}"
    );
    assert!(answer.1["correlation_id"].as_str().unwrap().len() == 36);
}

/// Verifies as a client should: signature by the published key, and that key's issuer.
fn verified_claims(site: &Site, tenant: &str, token: &str) -> Value {
    let (_, keys) = site.get_json(&format!("/{tenant}/discovery/v2.0/keys"));
    let header = jsonwebtoken::decode_header(token).unwrap();
    let key = keys["keys"]
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["kid"] == header.kid.as_deref().unwrap());
    let key = key.expect("the signing key is published").clone();
    let decoding =
        DecodingKey::from_rsa_components(key["n"].as_str().unwrap(), key["e"].as_str().unwrap());
    let mut validation = Validation::new(Algorithm::RS256);
    validation.validate_aud = false;
    validation.validate_exp = false;
    let claims = jsonwebtoken::decode::<Value>(token, &decoding.unwrap(), &validation)
        .unwrap()
        .claims;
    let issuer = key["issuer"]
        .as_str()
        .unwrap()
        .replace("{tenantid}", claims["tid"].as_str().unwrap());
    assert_eq!(claims["iss"], issuer);
    claims
}

#[test]
fn discovery_of_common_has_the_literal_tenantid_and_that_of_a_tenant_its_id() {
    let site = Site::start();
    let login = &site.endpoints().login_url;
    let (status, common) = site.get_json("/common/v2.0/.well-known/openid-configuration");
    assert_eq!(status, 200);
    assert_eq!(common["issuer"], format!("{login}/{{tenantid}}/v2.0"));
    assert_eq!(
        common["token_endpoint"],
        format!("{login}/common/oauth2/v2.0/token")
    );
    let tenant = &site.demo.tenant_id;
    for name in [tenant.as_str(), "harbourlights.example"] {
        let (_, own) = site.get_json(&format!("/{name}/v2.0/.well-known/openid-configuration"));
        assert_eq!(own["issuer"], format!("{login}/{tenant}/v2.0"));
    }
    let answer = site.get_json("/nobody.example/v2.0/.well-known/openid-configuration");
    assert_refused(&answer, 400, "invalid_request", 90002);
}

#[test]
fn a_browser_picks_an_account_reads_the_permissions_accepts_and_comes_back_with_a_code() {
    let site = Site::start();
    let url = site.authorize_url(
        &all_scopes(),
        &[("state", "a b<i>c</i>"), ("prompt", "select_account")],
    );
    let picker = site.get(&url);
    assert_eq!(picker.status, 200);
    assert!(picker.body.contains("Pretend Microsoft 365"));
    assert!(
        picker
            .body
            .contains("name=\"account\" value=\"support@harbourlights.onmicrosoft.example\"")
    );
    assert!(
        !picker
            .body
            .contains("value=\"orders@harbourlights.example\""),
        "nobody signs in as a shared mailbox"
    );
    let consent = site.post(&url, &[("account", &site.demo.support_upn)]);
    assert!(consent.body.contains("id=\"accept\"") && consent.body.contains("id=\"cancel\""));
    assert!(
        consent
            .body
            .contains("Read and write access to your mail via IMAP")
    );
    let back = site.post(
        &url,
        &[("account", &site.demo.support_upn), ("decision", "accept")],
    );
    assert_eq!(back.status, 302);
    let location = back.location.unwrap();
    assert!(
        location.starts_with(&format!("{}?code=", web::REDIRECT_URI)),
        "{location}"
    );
    assert_eq!(query_of(&location, "state").unwrap(), "a bc");
    let again = site.post(&url, &[("account", &site.demo.support_upn)]);
    assert_eq!(again.status, 302, "consent is remembered");
    let forced = site.authorize_url(&all_scopes(), &[("prompt", "consent")]);
    assert!(
        site.post(&forced, &[("account", &site.demo.support_upn)])
            .body
            .contains("id=\"accept\"")
    );
}

#[test]
fn cancelling_comes_back_as_access_denied() {
    let site = Site::start();
    let url = site.authorize_url(&all_scopes(), &[("state", "s1")]);
    let location = site.entra().decline(&url, &site.demo.support_upn).unwrap();
    assert_eq!(query_of(&location, "error").unwrap(), "access_denied");
    assert!(
        query_of(&location, "error_description")
            .unwrap()
            .starts_with("AADSTS65004: ")
    );
    assert_eq!(query_of(&location, "state").unwrap(), "s1");
}

#[test]
fn a_code_gives_tokens_for_one_resource_and_an_id_token_that_verifies() {
    let site = Site::start();
    let url = site.authorize_url(&all_scopes(), &[("nonce", "n-77")]);
    let location = site.entra().consent(&url, &site.demo.support_upn).unwrap();
    let code = query_of(&location, "code").unwrap();
    let (status, body) = redeem(&site, &code, &[("scope", &format!("{IMAP} {SMTP}"))]);
    assert_eq!(status, 200, "{body}");
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(
        body["scope"],
        format!("{IMAP} {SMTP}"),
        "offline_access is not in it"
    );
    assert!((3600..=5400).contains(&body["expires_in"].as_i64().unwrap()));
    let grant = site
        .entra()
        .check(body["access_token"].as_str().unwrap())
        .unwrap();
    assert_eq!(grant.resource, Resource::Exchange);
    assert_eq!(grant.scopes, ["IMAP.AccessAsUser.All", "SMTP.Send"]);
    let claims = verified_claims(&site, "common", body["id_token"].as_str().unwrap());
    assert_eq!(claims["aud"], site.demo.client_id.as_str());
    assert_eq!(claims["tid"], site.demo.tenant_id.as_str());
    assert_eq!(claims["preferred_username"], site.demo.support_upn.as_str());
    assert_eq!(claims["email"], "support@harbourlights.example");
    assert_eq!(claims["nonce"], "n-77");
    assert_eq!(claims["ver"], "2.0");
    let access = verified_claims(&site, "common", body["access_token"].as_str().unwrap());
    assert_eq!(access["aud"], "https://outlook.office.com");
    assert_eq!(access["scp"], "IMAP.AccessAsUser.All SMTP.Send");
}

#[test]
fn the_subject_differs_per_application_and_email_is_absent_unless_asked_for() {
    let site = Site::start();
    let other = site.second_app();
    let subject = |client_id: &str| {
        let tokens = site
            .entra()
            .issue(&site.demo.support_upn, client_id, &[IMAP]);
        let claims = verified_claims(&site, "organizations", &tokens.id_token);
        assert!(claims.get("email").is_none());
        claims["sub"].as_str().unwrap().to_owned()
    };
    assert_ne!(subject(&site.demo.client_id), subject(&other));
}

#[test]
fn a_code_works_once_for_ten_minutes_on_its_own_path_with_its_own_redirect_uri() {
    let site = Site::start();
    let code = code_of(&site, &site.demo.support_upn);
    let secret = ("client_secret", site.demo.client_secret.as_str());
    let elsewhere = site.token(
        &site.demo.tenant_id,
        &[
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", web::REDIRECT_URI),
            ("client_id", &site.demo.client_id),
            secret,
        ],
    );
    assert_refused(&elsewhere, 400, "invalid_grant", 700_005);
    let wrong = redeem(
        &site,
        &code,
        &[("redirect_uri", "http://localhost:8025/other")],
    );
    assert_refused(&wrong, 400, "invalid_client", 50011);
    let both = format!("{IMAP} {SEND}");
    assert_refused(
        &redeem(&site, &code, &[("scope", &both)]),
        400,
        "invalid_scope",
        28000,
    );
    assert_eq!(redeem(&site, &code, &[]).0, 200);
    assert_refused(&redeem(&site, &code, &[]), 400, "invalid_grant", 54005);
    let late = code_of(&site, &site.demo.support_upn);
    site.pass(600);
    assert_refused(&redeem(&site, &late, &[]), 400, "invalid_grant", 70008);
    assert_refused(
        &redeem(&site, "garbage", &[]),
        400,
        "invalid_grant",
        9_002_313,
    );
}

#[test]
fn pkce_is_checked_when_a_challenge_was_given() {
    let site = Site::start();
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let with = |method: &str, challenge: &str| {
        let mut more = vec![("code_challenge", challenge)];
        if !method.is_empty() {
            more.push(("code_challenge_method", method));
        }
        let url = site.authorize_url(&all_scopes(), &more);
        query_of(
            &site.entra().consent(&url, &site.demo.support_upn).unwrap(),
            "code",
        )
        .unwrap()
    };
    let code = with("S256", &challenge);
    assert_refused(&redeem(&site, &code, &[]), 400, "invalid_grant", 501_481);
    let wrong = redeem(
        &site,
        &code,
        &[("code_verifier", &VERIFIER.replace('a', "b"))],
    );
    assert_refused(&wrong, 400, "invalid_grant", 501_481);
    assert_eq!(redeem(&site, &code, &[("code_verifier", VERIFIER)]).0, 200);
    let plain = with("", VERIFIER);
    assert_eq!(redeem(&site, &plain, &[("code_verifier", VERIFIER)]).0, 200);
}

#[test]
fn every_wrong_way_to_prove_the_application_has_its_number() {
    let site = Site::start();
    let probe = |client_id: &str, secret: &str, tenant: &str| {
        let mut form = vec![
            ("grant_type", "client_credentials"),
            ("scope", "https://graph.microsoft.com/.default"),
            ("client_id", client_id),
        ];
        if !secret.is_empty() {
            form.push(("client_secret", secret));
        }
        site.token(tenant, &form)
    };
    let (id, secret, tenant) = (
        &site.demo.client_id,
        &site.demo.client_secret,
        &site.demo.tenant_id,
    );
    assert_eq!(probe(id, secret, tenant).0, 200);
    assert_refused(
        &probe(id, "wrong", tenant),
        401,
        "invalid_client",
        7_000_215,
    );
    let pasted_id = probe(id, &site.demo.client_secret_id, tenant);
    assert_refused(&pasted_id, 401, "invalid_client", 7_000_215);
    assert!(
        pasted_id.1["error_description"]
            .as_str()
            .unwrap()
            .contains("not the client secret ID")
    );
    assert_refused(&probe(id, "", tenant), 401, "invalid_client", 7_000_218);
    let unknown = probe("00000000-1111-2222-3333-444444444444", secret, tenant);
    assert_refused(&unknown, 400, "unauthorized_client", 700_016);
    let nowhere = probe(id, secret, "11111111-1111-1111-1111-111111111111");
    assert_refused(&nowhere, 400, "invalid_request", 90002);
    assert_refused(
        &probe(id, secret, "nonsense"),
        400,
        "invalid_request",
        900_023,
    );
    site.entra()
        .update_app(id, |app| app.audience = Audience::SingleTenant);
    assert_refused(&probe(id, secret, "common"), 400, "invalid_request", 50194);
    site.pass(366 * 86_400);
    assert_refused(&probe(id, secret, tenant), 401, "invalid_client", 7_000_222);
    site.entra().update_app(id, |app| app.public_client = true);
    assert_refused(&probe(id, secret, tenant), 401, "invalid_client", 700_025);
}

#[test]
fn the_secret_is_taken_from_a_basic_header_form_encoded() {
    let site = Site::start();
    site.entra().update_app(&site.demo.client_id, |app| {
        app.secrets[0].value = "a+b/c=~&%d".into()
    });
    let encoded: String = url::form_urlencoded::byte_serialize(b"a+b/c=~&%d").collect();
    let header = base64::engine::general_purpose::STANDARD
        .encode(format!("{}:{encoded}", site.demo.client_id));
    let form = [
        ("grant_type", "client_credentials"),
        ("scope", "https://graph.microsoft.com/.default"),
    ];
    let (status, body) = site.token_with(
        &site.demo.tenant_id,
        &form,
        &[("authorization", &format!("Basic {header}"))],
    );
    assert_eq!(status, 200, "{body}");
}

/// A certificate made with `openssl req -x509 -key work-4.pem`, whose key stands in the source tree.
const CERTIFICATE: &str = include_str!("client-certificate.pem");
const CERTIFICATE_KEY: &str = include_str!("../src/entra/keys/work-4.pem");

fn assertion(site: &Site, algorithm: Algorithm, change: impl FnOnce(&mut Value)) -> String {
    let base64: String = CERTIFICATE
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    let der = base64::engine::general_purpose::STANDARD
        .decode(base64)
        .unwrap();
    let mut header = Header::new(algorithm);
    header.x5t_s256 = Some(URL_SAFE_NO_PAD.encode(Sha256::digest(der)));
    let aud = format!(
        "{}/{}/oauth2/v2.0/token",
        site.endpoints().login_url,
        site.demo.tenant_id
    );
    let now = site.now();
    let mut claims = json!({
        "aud": aud, "iss": site.demo.client_id, "sub": site.demo.client_id, "jti": "1", "nbf": now, "iat": now,
        "exp": now + 300,
    });
    change(&mut claims);
    jsonwebtoken::encode(
        &header,
        &claims,
        &EncodingKey::from_rsa_pem(CERTIFICATE_KEY.as_bytes()).unwrap(),
    )
    .unwrap()
}

#[test]
fn a_signed_assertion_replaces_the_secret() {
    let site = Site::start();
    let prove = |assertion: &str| {
        site.token(
            &site.demo.tenant_id,
            &[
                ("grant_type", "client_credentials"),
                ("scope", "https://graph.microsoft.com/.default"),
                ("client_id", &site.demo.client_id),
                (
                    "client_assertion_type",
                    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                ),
                ("client_assertion", assertion),
            ],
        )
    };
    let good = assertion(&site, Algorithm::PS256, |_| {});
    assert_refused(&prove(&good), 401, "invalid_client", 700_027);
    site.entra().update_app(&site.demo.client_id, |app| {
        app.certificates.push(CERTIFICATE.into())
    });
    assert_eq!(prove(&good).0, 200);
    assert_eq!(prove(&assertion(&site, Algorithm::RS256, |_| {})).0, 200);
    let mut broken = good.clone();
    broken.replace_range(good.len() - 8.., "AAAAAAAA");
    assert_refused(&prove(&broken), 401, "invalid_client", 700_027);
    let foreign = assertion(&site, Algorithm::PS256, |claims| {
        claims["aud"] = "https://elsewhere".into()
    });
    assert_refused(&prove(&foreign), 401, "invalid_client", 700_023);
    let someone = assertion(&site, Algorithm::PS256, |claims| {
        claims["iss"] = "someone".into()
    });
    assert_refused(&prove(&someone), 401, "invalid_client", 700_021);
    let old = assertion(&site, Algorithm::PS256, |claims| {
        claims["exp"] = 1000.into()
    });
    assert_refused(&prove(&old), 401, "invalid_client", 700_024);
}

#[test]
fn refresh_tokens_are_replaced_at_every_use_and_the_old_ones_live_on() {
    let site = Site::start();
    let first = site.entra().issue(
        &site.demo.support_upn,
        &site.demo.client_id,
        &[IMAP, SMTP, SEND],
    );
    let (status, body) = refresh(&site, &first.refresh_token, IMAP);
    assert_eq!(status, 200, "{body}");
    let second = body["refresh_token"].as_str().unwrap().to_owned();
    assert_ne!(second, first.refresh_token);
    assert_eq!(refresh(&site, &first.refresh_token, IMAP).0, 200);
    let (_, graph) = refresh(&site, &second, SEND);
    let grant = site
        .entra()
        .check(graph["access_token"].as_str().unwrap())
        .unwrap();
    assert_eq!(grant.resource, Resource::Graph);
    let (_, mixed) = refresh(&site, &second, &format!("{SEND} {IMAP}"));
    let grant = site
        .entra()
        .check(mixed["access_token"].as_str().unwrap())
        .unwrap();
    assert_eq!(grant.resource, Resource::Graph, "the first resource wins");
    let unasked = refresh(&site, &second, "https://graph.microsoft.com/Mail.Read");
    assert_refused(&unasked, 400, "invalid_grant", 65001);
    assert_eq!(unasked.1["suberror"], "consent_required");
    site.pass(89 * 86_400);
    let (_, young) = refresh(&site, &second, IMAP);
    site.pass(2 * 86_400);
    assert_refused(
        &refresh(&site, &second, IMAP),
        400,
        "invalid_grant",
        700_082,
    );
    assert_eq!(
        refresh(&site, young["refresh_token"].as_str().unwrap(), IMAP).0,
        200
    );
}

#[test]
fn access_tokens_end_by_time_by_revocation_and_on_demand() {
    let site = Site::start();
    let issue = || {
        site.entra()
            .issue(&site.demo.support_upn, &site.demo.client_id, &[IMAP])
    };
    site.entra().set_token_lifetime(Some(600));
    let tokens = issue();
    assert_eq!(tokens.expires_in, 600);
    assert!(site.entra().check(&tokens.access_token).is_some());
    site.pass(600);
    assert!(site.entra().check(&tokens.access_token).is_none());
    let tokens = issue();
    site.entra().expire_access_tokens();
    assert!(site.entra().check(&tokens.access_token).is_none());
    assert_eq!(refresh(&site, &tokens.refresh_token, IMAP).0, 200);
    let tokens = issue();
    site.entra().revoke(&site.demo.support_upn, 50173);
    assert!(site.entra().check(&tokens.access_token).is_none());
    assert_refused(
        &refresh(&site, &tokens.refresh_token, IMAP),
        400,
        "invalid_grant",
        50173,
    );
    assert_eq!(
        redeem(&site, &code_of(&site, &site.demo.support_upn), &[]).0,
        200,
        "a new sign-in works"
    );
}

#[test]
fn what_happens_to_the_account_shows_at_the_next_refresh() {
    let site = Site::start();
    let upn = &site.demo.support_upn;
    let tokens = site.entra().issue(upn, &site.demo.client_id, &[IMAP]);
    site.world().update_user(upn, |user| user.needs_mfa = true);
    assert_refused(
        &refresh(&site, &tokens.refresh_token, IMAP),
        400,
        "invalid_grant",
        50076,
    );
    let (_, body) = redeem(&site, &code_of(&site, upn), &[]);
    let renewed = body["refresh_token"].as_str().unwrap().to_owned();
    assert_eq!(
        refresh(&site, &renewed, IMAP).0,
        200,
        "signed in with the second factor"
    );
    site.entra().withdraw_consent(upn, &site.demo.client_id);
    assert_refused(&refresh(&site, &renewed, IMAP), 400, "invalid_grant", 65001);
    site.world().update_user(upn, |user| user.disabled = true);
    assert_refused(&refresh(&site, &renewed, IMAP), 400, "invalid_grant", 50057);
}

#[test]
fn where_users_may_not_consent_imap_needs_an_administrator() {
    let site = Site::start();
    let (id, upn) = (&site.demo.client_id, &site.demo.support_upn);
    site.entra()
        .update_app(id, |app| app.user_may_consent = false);
    let url = site.authorize_url(&all_scopes(), &[]);
    let page = site.entra().consent(&url, upn).unwrap_err();
    assert!(
        page.contains("Need admin approval") && page.contains("AADSTS90094"),
        "{page}"
    );
    let sending = site.authorize_url(&format!("openid offline_access {SMTP} {SEND}"), &[]);
    assert!(
        site.entra().consent(&sending, upn).is_ok(),
        "sending alone is left to users"
    );
    let consent_url = format!(
        "{}/{}/v2.0/adminconsent?client_id={id}&state=77&redirect_uri={}&scope={}",
        site.endpoints().login_url,
        site.demo.tenant_id,
        web::REDIRECT_URI,
        all_scopes().replace(' ', "%20"),
    );
    assert!(site.get(&consent_url).body.contains("Pick an account"));
    let refused = site
        .entra()
        .approve_as_admin(&consent_url, upn)
        .unwrap_err();
    assert!(refused.contains("Need admin approval"), "{refused}");
    let location = site
        .entra()
        .approve_as_admin(&consent_url, &site.demo.admin_upn)
        .unwrap();
    assert_eq!(query_of(&location, "admin_consent").unwrap(), "True");
    assert_eq!(query_of(&location, "tenant").unwrap(), site.demo.tenant_id);
    assert_eq!(query_of(&location, "state").unwrap(), "77");
    let at_once = site.post(&url, &[("account", upn)]);
    assert_eq!(
        at_once.status, 302,
        "nobody is asked after an administrator agreed"
    );
    let cancelled = site.post(
        &consent_url,
        &[("account", &site.demo.admin_upn), ("decision", "cancel")],
    );
    let location = cancelled.location.unwrap();
    assert_eq!(query_of(&location, "error").unwrap(), "access_denied");
    assert_eq!(query_of(&location, "admin_consent").unwrap(), "True");
    let common = consent_url.replace(&site.demo.tenant_id, "common");
    assert!(site.get(&common).body.contains("AADSTS90130"));
}

#[test]
fn an_administrator_may_accept_for_everyone_while_signing_in() {
    let site = Site::start();
    site.entra()
        .update_app(&site.demo.client_id, |app| app.user_may_consent = false);
    let url = site.authorize_url(&all_scopes(), &[]);
    let page = site.post(&url, &[("account", &site.demo.admin_upn)]);
    assert!(page.body.contains("id=\"accept-for-all\""));
    let form = [
        ("account", site.demo.admin_upn.as_str()),
        ("decision", "accept_for_all"),
    ];
    assert_eq!(site.post(&url, &form).status, 302);
    assert!(site.entra().consent(&url, &site.demo.support_upn).is_ok());
}

#[test]
fn errors_that_make_the_redirect_doubtful_stay_on_the_page() {
    let site = Site::start();
    let login = &site.endpoints().login_url;
    let good = site.authorize_url(&all_scopes(), &[]);
    let shows = |url: &str, code: &str| {
        let answer = site.get(url);
        assert_eq!((answer.status, answer.location), (200, None), "{url}");
        assert!(
            answer.body.contains(&format!("id=\"error-code\">{code}<")),
            "{code} {}",
            answer.body
        );
    };
    shows(&good.replace("callback", "elsewhere"), "AADSTS50011");
    shows(
        &good.replace(&site.demo.client_id, "11111111-2222-3333-4444-555555555555"),
        "AADSTS700016",
    );
    shows(
        &good.replace(
            &format!("{login}/common/"),
            &format!("{login}/nobody.example/"),
        ),
        "AADSTS90002",
    );
    shows(&good.replace("client_id", "client"), "AADSTS900144");
    site.entra().update_app(&site.demo.client_id, |app| {
        app.audience = Audience::SingleTenant
    });
    shows(&good, "AADSTS50194");
    shows(&good.replace("/common/", "/consumers/"), "AADSTS9002332");
    site.entra().update_app(&site.demo.client_id, |app| {
        app.audience = Audience::PersonalOnly
    });
    shows(&good, "AADSTS9002331");
}

#[test]
fn all_other_errors_go_back_to_the_application() {
    let site = Site::start();
    let good = site.authorize_url(&all_scopes(), &[("state", "s")]);
    let goes_back = |url: &str, error: &str, code: &str| {
        let location = site
            .get(url)
            .location
            .unwrap_or_else(|| panic!("{url} does not go back"));
        assert_eq!(query_of(&location, "error").unwrap(), error);
        assert!(
            query_of(&location, "error_description")
                .unwrap()
                .starts_with(code),
            "{location}"
        );
        assert_eq!(query_of(&location, "state").unwrap(), "s");
    };
    goes_back(
        &good.replace("response_type=code", "response_type=id_token"),
        "unsupported_response_type",
        "AADSTS700054: ",
    );
    goes_back(
        &good.replace("outlook.office.com", "outlook.office365.us"),
        "invalid_resource",
        "AADSTS500011: ",
    );
    goes_back(
        &good.replace("SMTP.Send", "Smtp.Sned"),
        "invalid_client",
        "AADSTS650053: ",
    );
    goes_back(
        &good.replace("User.Read", ".default"),
        "invalid_scope",
        "AADSTS70011: ",
    );
    goes_back(
        &format!("{good}&prompt=none"),
        "login_required",
        "AADSTS50058: ",
    );
}

#[test]
fn accounts_that_may_not_sign_in_are_told_why() {
    let site = Site::start();
    let url = site.authorize_url(&all_scopes(), &[]);
    let told = |url: &str, name: &str, code: &str| {
        let page = site.post(url, &[("account", name)]);
        assert!(
            page.body.contains(&format!("id=\"error-code\">{code}<")),
            "{code}: {}",
            page.body
        );
    };
    told(&url, "nobody@harbourlights.example", "AADSTS50034");
    told(&url, &site.demo.orders_address, "AADSTS50057");
    told(
        &url.replace("/common/", "/organizations/"),
        &site.demo.personal_upn,
        "AADSTS500208",
    );
    told(
        &url.replace("/common/", "/consumers/"),
        &site.demo.support_upn,
        "AADSTS50020",
    );
    site.entra()
        .update_app(&site.demo.client_id, |app| app.assignment_required = true);
    told(&url, &site.demo.support_upn, "AADSTS50105");
}

#[test]
fn a_personal_account_gets_opaque_tokens_and_the_consumer_issuer() {
    let site = Site::start();
    let (status, body) = redeem(
        &site,
        &code_of(&site, &site.demo.personal_upn),
        &[("scope", IMAP)],
    );
    assert_eq!(status, 200, "{body}");
    assert!(body["access_token"].as_str().unwrap().starts_with("EwB"));
    let claims = verified_claims(&site, "common", body["id_token"].as_str().unwrap());
    assert_eq!(claims["tid"], "9188040d-6c67-4c5b-b112-36a304b66dad");
    let (_, keys) = site.get_json("/organizations/discovery/v2.0/keys");
    let issuers = keys["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["issuer"].as_str().unwrap());
    assert!(
        issuers
            .into_iter()
            .all(|issuer| issuer.ends_with("/{tenantid}/v2.0"))
    );
}

#[test]
fn rotated_keys_are_published_and_twisted_id_tokens_are_made_on_request() {
    let site = Site::start();
    let issue = || {
        site.entra()
            .issue(&site.demo.support_upn, &site.demo.client_id, &[IMAP])
            .id_token
    };
    let kid = |token: &str| jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
    let before = issue();
    site.entra().rotate_keys();
    let after = issue();
    assert_ne!(kid(&before), kid(&after));
    verified_claims(&site, "common", &before);
    verified_claims(&site, "common", &after);
    assert!(
        site.entra()
            .public_keys()
            .iter()
            .any(|(id, pem)| *id == kid(&after) && pem.contains("PUBLIC KEY"))
    );
    site.entra().twist_next_id_token(Twist {
        claims: Box::new(|claims| {
            claims.insert("aud".into(), "someone else".into());
        }),
        signer: Signer::Unpublished,
    });
    let twisted = issue();
    assert!(
        site.entra()
            .public_keys()
            .iter()
            .all(|(id, _)| *id != kid(&twisted))
    );
    let claims = twisted.split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    assert_eq!(claims["aud"], "someone else");
}

#[test]
fn the_answer_comes_as_a_form_without_script_when_asked() {
    let site = Site::start();
    let url = site.authorize_url(
        &all_scopes(),
        &[("response_mode", "form_post"), ("state", "s")],
    );
    let form = [
        ("account", site.demo.support_upn.as_str()),
        ("decision", "accept"),
    ];
    let page = site.post(&url, &form);
    assert_eq!(page.status, 200);
    assert!(page.body.contains(&format!(
        "<form method=\"post\" action=\"{}\">",
        web::REDIRECT_URI
    )));
    assert!(page.body.contains("name=\"code\"") && page.body.contains("id=\"continue\""));
    assert!(!page.body.contains("<script"));
    let location = site.entra().consent(&url, &site.demo.support_upn).unwrap();
    assert!(query_of(&location, "code").is_some() && query_of(&location, "state").is_some());
}

#[test]
fn a_browser_that_is_signed_in_goes_straight_through_until_it_signs_out() {
    let site = Site::start();
    let url = site.authorize_url(&all_scopes(), &[]);
    let first = site.post(
        &url,
        &[
            ("account", site.demo.support_upn.as_str()),
            ("decision", "accept"),
        ],
    );
    let cookie = first.cookie.unwrap();
    let with_cookie = |url: &str| site.get_with(url, &[("cookie", &cookie)]);
    assert_eq!(with_cookie(&url).status, 302);
    assert_eq!(with_cookie(&format!("{url}&prompt=none")).status, 302);
    assert_eq!(
        with_cookie(&format!("{url}&prompt=select_account")).status,
        200
    );
    assert_eq!(
        with_cookie(&format!("{url}&login_hint=ann.berg@harbourlights.example")).status,
        200
    );
    let logout = format!("{}/common/oauth2/v2.0/logout", site.endpoints().login_url);
    let registered = with_cookie(&format!(
        "{logout}?post_logout_redirect_uri={}",
        web::REDIRECT_URI
    ));
    assert_eq!(registered.location.as_deref(), Some(web::REDIRECT_URI));
    assert_eq!(with_cookie(&url).status, 200, "signed out");
    let foreign = with_cookie(&format!(
        "{logout}?post_logout_redirect_uri=https://evil.example/"
    ));
    assert_eq!((foreign.status, foreign.location), (200, None));
}

#[test]
fn scripted_faults_strike_at_their_point_and_person() {
    let site = Site::start();
    let tokens = site
        .entra()
        .issue(&site.demo.support_upn, &site.demo.client_id, &[IMAP]);
    site.faults().once(
        Point::TokenRefresh,
        Action::Http(503, vec![("Retry-After".into(), "7".into())], "busy".into()),
    );
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens.refresh_token.as_str()),
    ];
    let busy = site.post(
        &format!("{}/common/oauth2/v2.0/token", site.endpoints().login_url),
        &form,
    );
    assert_eq!((busy.status, busy.retry_after.as_deref()), (503, Some("7")));
    site.faults().add(Fault {
        point: Point::TokenRefresh,
        who: Some("support@harbourlights.example".into()),
        action: Action::Entra(
            400,
            "interaction_required".into(),
            50076,
            "Multi-factor.".into(),
        ),
        times: Some(1),
    });
    let other = site
        .entra()
        .issue(&site.demo.staff_upns[0], &site.demo.client_id, &[IMAP]);
    assert_eq!(
        refresh(&site, &other.refresh_token, IMAP).0,
        200,
        "another person is spared"
    );
    assert_refused(
        &refresh(&site, &tokens.refresh_token, IMAP),
        400,
        "interaction_required",
        50076,
    );
    assert_eq!(refresh(&site, &tokens.refresh_token, IMAP).0, 200);
    site.faults().once(Point::Keys, Action::Close);
    assert!(
        site.try_get("/common/discovery/v2.0/keys", Duration::from_secs(5))
            .is_err()
    );
    site.faults().once(Point::Discovery, Action::Hang);
    assert!(
        site.try_get(
            "/common/v2.0/.well-known/openid-configuration",
            Duration::from_millis(300)
        )
        .is_err()
    );
    let from = Instant::now();
    site.faults()
        .once(Point::Keys, Action::Delay(Duration::from_millis(200)));
    assert_eq!(site.get_json("/common/discovery/v2.0/keys").0, 200);
    assert!(from.elapsed() >= Duration::from_millis(200));
    let refusal = |status| {
        Action::Entra(
            status,
            "access_denied".into(),
            53003,
            "Blocked by policy.".into(),
        )
    };
    site.faults().once(Point::Authorize, refusal(302));
    let url = site.authorize_url(&all_scopes(), &[]);
    assert!(site.get(&url).location.unwrap().contains("AADSTS53003"));
    site.faults().once(Point::Authorize, refusal(200));
    assert!(
        site.entra()
            .consent(&url, &site.demo.support_upn)
            .unwrap_err()
            .contains("AADSTS53003")
    );
}

#[test]
fn stopping_is_prompt_even_while_a_request_hangs() {
    let site = Site::start();
    site.faults().always(Point::Discovery, Action::Hang);
    let address = format!(
        "{}/common/v2.0/.well-known/openid-configuration",
        site.endpoints().login_url
    );
    let waiting = std::thread::spawn(move || ureq::get(&address).call().is_err());
    assert!(
        site.try_get(
            "/common/v2.0/.well-known/openid-configuration",
            Duration::from_millis(300)
        )
        .is_err()
    );
    let from = Instant::now();
    drop(site);
    assert!(waiting.join().unwrap());
    assert!(
        from.elapsed() < Duration::from_secs(3),
        "{:?}",
        from.elapsed()
    );
}
