//! How an application proves itself: secret, Basic, certificate.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use mailhatch_simulator::entra::Audience;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::calls::assert_refused;
use crate::site::Site;

/// A certificate made with `openssl req -x509 -key work-4.pem`, whose key stands in the source
/// tree.
const CERTIFICATE: &str = include_str!("client-certificate.pem");
const CERTIFICATE_KEY: &str = include_str!("../../src/entra/keys/work-4.pem");

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
    let uri = unknown.1["error_uri"].as_str().unwrap();
    assert!(site.get(uri).body.contains("AADSTS700016"));
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
    let header = STANDARD.encode(format!("{}:{encoded}", site.demo.client_id));
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

fn assertion(site: &Site, algorithm: Algorithm, change: impl FnOnce(&mut Value)) -> String {
    let base64: String = CERTIFICATE
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    let der = STANDARD.decode(base64).unwrap();
    let mut header = Header::new(algorithm);
    header.x5t_s256 = Some(URL_SAFE_NO_PAD.encode(Sha256::digest(der)));
    let aud = format!(
        "{}/{}/oauth2/v2.0/token",
        site.endpoints().login_url,
        site.demo.tenant_id
    );
    let now = site.now();
    let mut claims = json!({
        "aud": aud, "iss": site.demo.client_id, "sub": site.demo.client_id, "jti": "1",
        "nbf": now, "iat": now,        "exp": now + 300,
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
