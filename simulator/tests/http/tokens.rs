//! Metadata, codes, refresh tokens, id tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mailhatch_simulator::entra::{Resource, Signer, Twist};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::calls::{
    IMAP, SEND, SMTP, all_scopes, assert_refused, code_of, redeem, refresh, verified_claims,
};
use crate::site::{REDIRECT_URI, Site, query_of};

const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters-0123456789";

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
            ("redirect_uri", REDIRECT_URI),
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
