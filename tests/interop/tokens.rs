//! Signs access tokens as Entra does, for tests that have no Entra at hand.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use mailhatch::clock::Clock;
use serde_json::json;

use super::servers::Key;

/// The `iss` of every token unless a test changes it.
pub(crate) const ISSUER: &str = "https://login.harbour.test/tenant/v2.0";
/// The `aud` of every token unless a test changes it.
pub(crate) const AUDIENCE: &str = "https://outlook.office.com";
/// The `kid` of the key the servers are told of.
pub(crate) const KEY_ID: &str = "signing-1";

/// The public half of the key that signs, for `Options::keys`.
pub(crate) fn key() -> Key {
    Key {
        kid: KEY_ID.to_owned(),
        public_key_pem: include_str!("keys/signing-1.pub.pem").to_owned(),
    }
}

/// What a token says, to be changed by a test before it is signed.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    /// `preferred_username`.
    pub(crate) upn: String,
    /// `iss`.
    pub(crate) issuer: String,
    /// `aud`.
    pub(crate) audience: String,
    /// `exp`, counted from now; negative: expired.
    pub(crate) lifetime_seconds: i64,
    /// The `kid` header.
    pub(crate) kid: String,
    /// Signed by a key the servers do not know.
    pub(crate) forged: bool,
    /// Bytes of padding, to make it as long as a real one or longer.
    pub(crate) padding: usize,
}

impl Token {
    /// A good token of this person, valid for an hour.
    pub(crate) fn of(upn: &str) -> Self {
        Self {
            upn: upn.to_owned(),
            issuer: ISSUER.to_owned(),
            audience: AUDIENCE.to_owned(),
            lifetime_seconds: 3600,
            kid: KEY_ID.to_owned(),
            forged: false,
            padding: 0,
        }
    }

    /// The signed JWT.
    pub(crate) fn sign(&self) -> String {
        let pem = if self.forged {
            include_str!("keys/signing-2.pem")
        } else {
            include_str!("keys/signing-1.pem")
        };
        let now = Clock::System.now();
        let claims = json!({
            "iss": self.issuer, "aud": self.audience, "preferred_username": self.upn, "upn": self.upn, "sub": self.upn,
            "iat": now - 300, "nbf": now - 300, "exp": now + self.lifetime_seconds,
            "scp": "IMAP.AccessAsUser.All SMTP.Send", "uti": "x".repeat(self.padding), "ver": "1.0",
        });
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(self.kid.clone());
        let key = EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap();
        jsonwebtoken::encode(&header, &claims, &key).unwrap()
    }
}
