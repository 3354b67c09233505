//! The signed statement by which an app with a certificate proves to Entra who it is (`private_key_jwt`).
//!
//! Form: Microsoft, "Microsoft identity platform application authentication certificate credentials"; RFC 7523 §3.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{EntraApp, system_random};
use crate::problem::{Disposition, Problem};

/// Value of `client_assertion_type` (RFC 7523 §2.2).
pub(super) const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How long a statement holds; Microsoft advises five to ten minutes.
const VALID_SECONDS: i64 = 600;
/// How far it is dated back, for clocks that differ a little.
const SKEW_SECONDS: i64 = 60;

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    iss: &'a str,
    sub: &'a str,
    jti: String,
    nbf: i64,
    iat: i64,
    exp: i64,
}

/// Signs a fresh statement for one request to the token endpoint.
pub(super) fn sign(app: &EntraApp, pem: &str, now: i64) -> Result<String, Problem> {
    let certificate = CertificateDer::from_pem_slice(pem.as_bytes())
        .map_err(|error| unreadable("It holds no certificate.", &error.to_string()))?;
    let key = signing_key(pem)?;
    let mut header = Header::new(Algorithm::PS256);
    header.x5t_s256 = Some(URL_SAFE_NO_PAD.encode(Sha256::digest(&certificate)));
    let audience = app.token_url();
    let claims = Claims {
        aud: &audience,
        iss: &app.client_id,
        sub: &app.client_id,
        jti: guid(system_random()?),
        nbf: now - SKEW_SECONDS,
        iat: now - SKEW_SECONDS,
        exp: now + VALID_SECONDS,
    };
    jsonwebtoken::encode(&header, &claims, &key)
        .map_err(|error| unreadable("Its key cannot sign.", &error.to_string()))
}

/// The private key among the PEM blocks, which may hold the certificate before it.
fn signing_key(pem: &str) -> Result<EncodingKey, Problem> {
    let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|error| {
        let why = if pem.contains("ENCRYPTED") {
            "Its private key is locked with a pass phrase."
        } else {
            "It holds no private key."
        };
        unreadable(why, &error.to_string())
    })?;
    match key {
        PrivateKeyDer::Pkcs1(der) => Ok(EncodingKey::from_rsa_der(der.secret_pkcs1_der())),
        PrivateKeyDer::Pkcs8(der) => {
            // The library reads PKCS #8 from PEM only, and only when nothing stands before it.
            let block = format!(
                "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
                STANDARD.encode(der.secret_pkcs8_der())
            );
            EncodingKey::from_rsa_pem(block.as_bytes())
                .map_err(|error| unreadable("Its key is not an RSA key.", &error.to_string()))
        }
        _ => Err(unreadable("Its key is not an RSA key.", "")),
    }
}

/// Sixteen of the bytes in the form of a version 4 GUID (RFC 9562 §5.4).
fn guid(random: [u8; 32]) -> String {
    let mut text = String::with_capacity(36);
    for (index, byte) in random.into_iter().take(16).enumerate() {
        let byte = match index {
            6 => (byte & 0x0f) | 0x40,
            8 => (byte & 0x3f) | 0x80,
            _ => byte,
        };
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

fn unreadable(why: &str, detail: &str) -> Problem {
    Problem::new(
        "app_certificate",
        Disposition::NeedsAdmin,
        format!("The certificate of the app cannot be used. {why}"),
        "Whoever runs Mailhatch sets AZURE_APP_CERTIFICATE to a PEM with the certificate and its RSA private key, without a pass phrase; the set-up guide has the command that makes both.",
    )
    .with_detail(detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_a_statement_has_the_form_of_a_version_4_guid() {
        assert_eq!(guid([0xff; 32]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert!(super::super::is_guid(&guid([0; 32])));
    }
}
