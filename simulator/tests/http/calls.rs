//! The calls a program makes, and what a refusal must look like.

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};

use crate::site::{REDIRECT_URI, Site, query_of};

pub(crate) const IMAP: &str = "https://outlook.office.com/IMAP.AccessAsUser.All";
pub(crate) const SMTP: &str = "https://outlook.office.com/SMTP.Send";
pub(crate) const SEND: &str = "https://graph.microsoft.com/Mail.Send";

/// Everything a mailbox connection asks for at once.
pub(crate) fn all_scopes() -> String {
    format!("openid profile email offline_access {IMAP} {SMTP} {SEND} User.Read")
}

pub(crate) fn code_of(site: &Site, upn: &str) -> String {
    let location = site
        .entra()
        .consent(&site.authorize_url(&all_scopes(), &[]), upn)
        .unwrap();
    query_of(&location, "code").unwrap()
}

pub(crate) fn redeem(site: &Site, code: &str, more: &[(&str, &str)]) -> (u16, Value) {
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT_URI),
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

pub(crate) fn refresh(site: &Site, refresh_token: &str, scope: &str) -> (u16, Value) {
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

pub(crate) fn assert_refused(answer: &(u16, Value), status: u16, error: &str, code: u32) {
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
pub(crate) fn verified_claims(site: &Site, tenant: &str, token: &str) -> Value {
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
