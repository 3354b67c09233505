//! What is sent to the token endpoint, and what is made of its answers.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::entra::{
    CLIENT_ID, FIRST_CERTIFICATE, FIRST_KEY, NOW, REDIRECT_URI, Reply, SECOND_KEY, Server,
    TENANT_ID, http,
};
use crate::oauth::{AppCredential, redeem, refresh};
use crate::problem::Disposition;
use crate::providers::microsoft::Resource;

fn tokens() -> Reply {
    Reply::json(
        200,
        &json!({
            "token_type": "Bearer", "expires_in": 4321, "ext_expires_in": 4321,
            "scope": "https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/SMTP.Send",
            "access_token": "access-1", "refresh_token": "refresh-2", "id_token": "a.b.c",
        }),
    )
}

#[test]
fn a_code_is_redeemed_with_the_secret_and_the_verifier_for_exchange_alone() {
    let server = Server::start(|_| tokens());
    let app = server.app(TENANT_ID);
    let set = redeem(&http(), &app, "code-1", "verifier-1", NOW).unwrap();
    assert_eq!(set.access_token, "access-1");
    assert_eq!(set.refresh_token.as_deref(), Some("refresh-2"));
    assert_eq!(set.id_token.as_deref(), Some("a.b.c"));
    assert_eq!(set.expires_at, NOW + 4321);
    assert!(set.allows("smtp.send") && !set.allows("Mail.Send"));
    let asked = server.asked().remove(0);
    assert_eq!(asked.path, format!("/{TENANT_ID}/oauth2/v2.0/token"));
    assert!(!asked.head.to_lowercase().contains("authorization:"));
    let form = asked.form();
    assert_eq!(form["grant_type"], "authorization_code");
    assert_eq!(form["code"], "code-1");
    assert_eq!(form["code_verifier"], "verifier-1");
    assert_eq!(form["client_id"], CLIENT_ID);
    assert_eq!(form["client_secret"], "s3cr~t+/&=");
    assert_eq!(form["redirect_uri"], REDIRECT_URI);
    assert!(form["scope"].contains("offline_access"));
    assert!(!form["scope"].contains("graph.microsoft.com"));
}

#[test]
fn a_renewal_asks_for_one_resource_and_keeps_an_unstated_scope_as_asked() {
    let server = Server::start(|_| {
        Reply::json(
            200,
            &json!({"token_type": "Bearer", "expires_in": 3600, "access_token": "a"}),
        )
    });
    let set = refresh(&http(), &server.app(TENANT_ID), "old", Resource::Graph, NOW).unwrap();
    assert_eq!(set.refresh_token, None);
    assert!(set.allows("Mail.Send"));
    let form = server.asked().remove(0).form();
    assert_eq!(form["grant_type"], "refresh_token");
    assert_eq!(form["refresh_token"], "old");
    assert_eq!(
        form["scope"],
        "https://graph.microsoft.com/Mail.Send https://graph.microsoft.com/User.Read offline_access"
    );
}

/// The claims and header of the statement, its signature verified with the certificate's key.
fn statement(assertion: &str) -> (Value, Value) {
    let mut validation = Validation::new(Algorithm::PS256);
    validation.validate_exp = false;
    validation.validate_aud = false;
    let modulus = include_str!("keys/first.modulus.txt").trim();
    let key = DecodingKey::from_rsa_components(modulus, "AQAB").unwrap();
    let data = jsonwebtoken::decode::<Value>(assertion, &key, &validation).unwrap();
    let header = assertion.split('.').next().unwrap();
    let header = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
    (header, data.claims)
}

#[test]
fn a_certificate_takes_the_place_of_the_secret_as_a_signed_statement() {
    let server = Server::start(|_| tokens());
    let mut app = server.app(TENANT_ID);
    app.credential = AppCredential::Certificate {
        pem: format!("{FIRST_CERTIFICATE}{FIRST_KEY}"),
    };
    for _ in 0..2 {
        refresh(&http(), &app, "old", Resource::Exchange, NOW).unwrap();
    }
    let forms: Vec<_> = server
        .asked()
        .iter()
        .map(super::entra::Asked::form)
        .collect();
    let form = &forms[0];
    assert!(!form.contains_key("client_secret"));
    assert_eq!(form["client_id"], CLIENT_ID);
    assert_eq!(
        form["client_assertion_type"],
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    );
    let (header, claims) = statement(&form["client_assertion"]);
    let der = CertificateDer::from_pem_slice(FIRST_CERTIFICATE.as_bytes()).unwrap();
    assert_eq!(header["alg"], "PS256");
    assert_eq!(header["typ"], "JWT");
    assert_eq!(
        header["x5t#S256"],
        URL_SAFE_NO_PAD.encode(Sha256::digest(&der))
    );
    assert_eq!(claims["aud"], app.token_url());
    assert_eq!(claims["iss"], CLIENT_ID);
    assert_eq!(claims["sub"], CLIENT_ID);
    let (from, to) = (
        claims["nbf"].as_i64().unwrap(),
        claims["exp"].as_i64().unwrap(),
    );
    assert!(from <= NOW && to > NOW && to - NOW <= 600);
    assert_ne!(
        statement(&forms[1]["client_assertion"]).1["jti"],
        claims["jti"]
    );
}

#[test]
fn a_certificate_that_cannot_sign_says_what_is_wrong_with_it() {
    let server = Server::start(|_| tokens());
    let mut app = server.app(TENANT_ID);
    let elliptic = rcgen::generate_simple_self_signed(vec!["x".to_owned()]).unwrap();
    let locked =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    for (pem, word) in [
        (SECOND_KEY.to_owned(), "no certificate"),
        (FIRST_CERTIFICATE.to_owned(), "no private key"),
        (format!("{FIRST_CERTIFICATE}{locked}"), "pass phrase"),
        (
            format!(
                "{FIRST_CERTIFICATE}{}",
                elliptic.signing_key.serialize_pem()
            ),
            "not an RSA key",
        ),
    ] {
        app.credential = AppCredential::Certificate { pem };
        let problem = refresh(&http(), &app, "old", Resource::Exchange, NOW).unwrap_err();
        assert_eq!(problem.code, "app_certificate");
        assert!(problem.sentence.contains(word), "{word}: {problem}");
    }
    assert_eq!(server.asked().len(), 0);
    app.credential = AppCredential::Certificate {
        pem: format!("{SECOND_KEY}{FIRST_CERTIFICATE}"),
    };
    refresh(&http(), &app, "old", Resource::Exchange, NOW).expect("PKCS #1, and in any order");
}

#[test]
fn a_refusal_tells_the_owner_to_sign_in_again_and_keeps_the_ids_for_support() {
    let server = Server::start(|_| Reply::error(400, "invalid_grant", 50173));
    let problem = refresh(
        &http(),
        &server.app(TENANT_ID),
        "old",
        Resource::Exchange,
        NOW,
    )
    .unwrap_err();
    assert_eq!(problem.code, "AADSTS50173");
    assert_eq!(problem.disposition, Disposition::NeedsSignIn);
    assert!(
        problem.detail.starts_with("trace t-1; correlation c-1"),
        "{}",
        problem.detail
    );
}

#[test]
fn a_busy_entra_is_given_the_time_it_asks_for() {
    for (status, header, seconds) in [(429, Some("75"), 75), (503, Some("30"), 30), (500, None, 0)]
    {
        let server = Server::start(move |_| {
            let reply = Reply(status, Vec::new(), "<html>busy</html>".to_owned());
            header.map_or(reply.clone(), |wait| reply.with_header("Retry-After", wait))
        });
        let problem = refresh(
            &http(),
            &server.app(TENANT_ID),
            "old",
            Resource::Exchange,
            NOW,
        )
        .unwrap_err();
        assert_eq!(
            problem.disposition,
            Disposition::RetryAfter { seconds },
            "{status}"
        );
    }
}

#[test]
fn a_page_of_a_proxy_is_not_taken_for_tokens() {
    for body in ["<html>Please sign in to the Wi-Fi</html>", "", "{}"] {
        let server = Server::start(move |_| Reply(200, Vec::new(), body.to_owned()));
        let problem = refresh(
            &http(),
            &server.app(TENANT_ID),
            "old",
            Resource::Exchange,
            NOW,
        )
        .unwrap_err();
        assert_eq!(problem.code, "entra_unreadable", "{body}");
        assert!(problem.is_transient());
    }
}

#[test]
fn a_network_failure_comes_through_as_it_is() {
    let app = {
        let server = Server::start(|_| tokens());
        server.app(TENANT_ID)
    };
    let problem = refresh(&http(), &app, "old", Resource::Exchange, NOW).unwrap_err();
    assert_eq!(problem.code, "http_connect_refused");
}

#[test]
fn secrets_do_not_show_in_debug_output() {
    let server = Server::start(|_| tokens());
    let app = server.app(TENANT_ID);
    let set = redeem(&http(), &app, "code-1", "verifier-1", NOW).unwrap();
    let shown = format!("{app:?} {set:?}");
    for secret in ["s3cr", "access-1", "refresh-2", "a.b.c"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    let certificate = AppCredential::Certificate {
        pem: FIRST_KEY.to_owned(),
    };
    assert!(!format!("{certificate:?}").contains("BEGIN"));
}
