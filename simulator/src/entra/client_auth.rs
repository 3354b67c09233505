//! How an application proves itself at the token endpoint: secret in the form, HTTP Basic, or a
//! signed assertion.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::app::App;
use super::errors::AadError;
use crate::http::{Request, decode_component};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Name and secret of an HTTP Basic header, each form-url-encoded inside (RFC 6749 §2.3.1).
pub(super) fn basic(request: &Request) -> Option<(String, String)> {
    let value = request.header("authorization")?;
    let (scheme, rest) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(rest.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((decode_component(id), decode_component(secret)))
}

/// Checks the proof in `request` for `app`. `token_url` is the address asked, which an assertion
/// must name.
pub(super) fn check(
    app: &App,
    request: &Request,
    token_url: &str,
    now: i64,
) -> Result<(), AadError> {
    let form = &request.form;
    let basic = basic(request);
    let secret = form
        .get("client_secret")
        .or_else(|| basic.as_ref().map(|(_, secret)| secret.as_str()));
    let assertion = form.get("client_assertion");
    if app.public_client || app.spa {
        return if secret.is_some() || assertion.is_some() {
            Err(AadError::new(
                401,
                "invalid_client",
                700_025,
                "Client is public so neither 'client_assertion' nor 'client_secret' should be \
                 presented.",
            ))
        } else {
            Ok(())
        };
    }
    match (assertion, secret) {
        (Some(assertion), _) => {
            if form.get("client_assertion_type") != Some(ASSERTION_TYPE) {
                return Err(AadError::missing("client_assertion_type"));
            }
            check_assertion(app, assertion, token_url, now)
        }
        (None, Some(secret)) => check_secret(app, secret, now),
        (None, None) => Err(AadError::new(
            401,
            "invalid_client",
            7_000_218,
            "The request body must contain the following parameter: 'client_assertion' or \
             'client_secret'.",
        )),
    }
}

fn check_secret(app: &App, secret: &str, now: i64) -> Result<(), AadError> {
    match app.secrets.iter().find(|known| known.value == secret) {
        Some(known) if known.expires_at > now => Ok(()),
        Some(_) => Err(AadError::new(
            401,
            "invalid_client",
            7_000_222,
            format!(
                "The provided client secret keys for app '{}' are expired. Visit the Azure portal \
                 to create new keys for your app: https://aka.ms/NewClientSecret, or consider \
                 using certificate credentials for added security: https://aka.ms/certCreds.",
                app.client_id
            ),
        )),
        None => Err(AadError::new(
            401,
            "invalid_client",
            7_000_215,
            format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is \
                 the client secret value, not the client secret ID, for a secret added to app \
                 '{}'.",
                app.client_id
            ),
        )),
    }
}

#[derive(Deserialize)]
struct Assertion {
    iss: String,
    sub: String,
    aud: String,
    exp: i64,
    nbf: Option<i64>,
}

/// Microsoft, "Certificate credentials".
fn check_assertion(app: &App, assertion: &str, token_url: &str, now: i64) -> Result<(), AadError> {
    let refuse = |code: u32, text: &str| Err(AadError::new(401, "invalid_client", code, text));
    let Ok(header) = jsonwebtoken::decode_header(assertion) else {
        return refuse(50027, "JWT token is invalid or malformed.");
    };
    if !matches!(header.alg, Algorithm::PS256 | Algorithm::RS256) {
        return refuse(
            5_002_738,
            "Invalid JWT token. The 'alg' of the header is not supported.",
        );
    }
    let thumbprint = header.x5t_s256.or(header.x5t).unwrap_or_default();
    let certificate = app.certificates.iter().find(|pem| {
        let der = der_of(pem);
        !der.is_empty() && URL_SAFE_NO_PAD.encode(Sha256::digest(&der)) == thumbprint
    });
    let Some(certificate) = certificate else {
        return refuse(
            700_027,
            &format!(
                "The certificate with identifier used to sign the client assertion is not \
                 registered on application. [Reason - The key was not found., Thumbprint of key \
                 used by client: '{thumbprint}']"
            ),
        );
    };
    let mut validation = Validation::new(header.alg);
    // Times and audience are checked below against the simulator's own clock, each with its own
    // number.
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let decoded = DecodingKey::from_rsa_pem(certificate.as_bytes())
        .and_then(|key| jsonwebtoken::decode::<Assertion>(assertion, &key, &validation));
    let Ok(decoded) = decoded else {
        return refuse(
            700_027,
            &format!(
                "The certificate with identifier used to sign the client assertion is not \
                 registered on application. [Reason - The key was found, but use of the key to \
                 verify the signature failed., Thumbprint of key used by client: '{thumbprint}']"
            ),
        );
    };
    let claims = decoded.claims;
    if claims.iss != claims.sub || !claims.sub.eq_ignore_ascii_case(&app.client_id) {
        return refuse(
            700_021,
            "Client assertion application identifier doesn't match 'client_id' parameter.",
        );
    }
    if claims.aud != token_url {
        return refuse(
            700_023,
            "Client assertion audience claim does not match Realm issuer.",
        );
    }
    // Entra allows five minutes of skew.
    if claims.exp + 300 < now || claims.nbf.is_some_and(|from| from - 300 > now) {
        return refuse(
            700_024,
            "Client assertion is not within its valid time range.",
        );
    }
    Ok(())
}

/// The bytes of the first PEM block.
fn der_of(pem: &str) -> Vec<u8> {
    let inside = pem.split("-----BEGIN CERTIFICATE-----").nth(1);
    let inside = inside.and_then(|rest| rest.split("-----END CERTIFICATE-----").next());
    let base64: String = inside.unwrap_or_default().split_whitespace().collect();
    STANDARD.decode(base64).unwrap_or_default()
}
