//! Signing keys: which ones are published, which one signs, and rotation.
//!
//! The key pairs in `keys/` are for the pretend service only. Entra publishes several keys at any
//! time and gives each an extra `issuer` member: the template for its own keys, the consumer
//! tenant's issuer for the keys that sign for personal accounts (Microsoft, "Access tokens",
//! validating the issuer).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::tenant::{Authority, CONSUMER_TENANT};

/// One key pair: private and public PEM.
type Pair = (&'static str, &'static str);

const WORK: [Pair; 4] = [
    (
        include_str!("keys/work-1.pem"),
        include_str!("keys/work-1.pub.pem"),
    ),
    (
        include_str!("keys/work-2.pem"),
        include_str!("keys/work-2.pub.pem"),
    ),
    (
        include_str!("keys/work-3.pem"),
        include_str!("keys/work-3.pub.pem"),
    ),
    (
        include_str!("keys/work-4.pem"),
        include_str!("keys/work-4.pub.pem"),
    ),
];
const PERSONAL: [Pair; 2] = [
    (
        include_str!("keys/personal-1.pem"),
        include_str!("keys/personal-1.pub.pem"),
    ),
    (
        include_str!("keys/personal-2.pem"),
        include_str!("keys/personal-2.pub.pem"),
    ),
];

/// A key pair under the name it is published with.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    /// The `kid` header; new at every rotation, also when the pair is used again.
    pub(crate) kid: String,
    pair: Pair,
}

impl Key {
    fn new(pair: Pair, generation: u32) -> Self {
        let mut hash = Sha256::new();
        hash.update(pair.1.as_bytes());
        hash.update(generation.to_be_bytes());
        let kid: String = URL_SAFE_NO_PAD
            .encode(hash.finalize())
            .chars()
            .take(27)
            .collect();
        Self { kid, pair }
    }

    /// Signs `claims` as an RS256 JWT.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(self.kid.clone());
        EncodingKey::from_rsa_pem(self.pair.0.as_bytes())
            .and_then(|key| jsonwebtoken::encode(&header, claims, &key))
            .unwrap_or_else(|error| {
                tracing::error!(%error, "a built-in key does not sign");
                String::new()
            })
    }

    /// The public half as PEM.
    pub(crate) fn public_pem(&self) -> &'static str {
        self.pair.1
    }

    /// The public half as a JSON Web Key with Microsoft's `issuer` member.
    fn to_jwk(&self, issuer: &str) -> Value {
        json!({
            "kty": "RSA", "use": "sig", "kid": self.kid, "x5t": self.kid,
            "n": URL_SAFE_NO_PAD.encode(modulus(self.pair.1)), "e": "AQAB", "issuer": issuer,
        })
    }
}

/// The modulus of a 2048-bit RSA key with exponent 65537. Its `SubjectPublicKeyInfo` (RFC 5280
/// §4.1.2.7) has one layout only: 33 bytes of headers and a leading zero, 256 bytes of modulus, 5
/// bytes of exponent.
fn modulus(public_pem: &str) -> Vec<u8> {
    let base64: String = public_pem
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .collect();
    let der = STANDARD.decode(base64).unwrap_or_default();
    der.get(33..289).map(<[u8]>::to_vec).unwrap_or_default()
}

/// The keys of the moment: per kind the former one and the one that signs.
#[derive(Debug)]
pub(crate) struct KeyRing {
    generation: u32,
    work: (Key, Key),
    personal: (Key, Key),
}

impl KeyRing {
    /// The ring at the start.
    pub(crate) fn new() -> Self {
        Self {
            generation: 1,
            work: (Key::new(WORK[0], 0), Key::new(WORK[1], 1)),
            personal: (Key::new(PERSONAL[0], 0), Key::new(PERSONAL[1], 1)),
        }
    }

    /// A key never published before signs from now on; the one it replaces stays published, the
    /// older goes.
    pub(crate) fn rotate(&mut self) {
        self.generation += 1;
        let pick = |pairs: &[Pair], generation: u32| {
            let index = usize::try_from(generation).unwrap_or(0) % pairs.len();
            pairs.get(index).copied().unwrap_or(WORK[0])
        };
        let work = Key::new(pick(&WORK, self.generation), self.generation);
        let personal = Key::new(pick(&PERSONAL, self.generation), self.generation);
        self.work = (std::mem::replace(&mut self.work.1, work.clone()), work);
        self.personal = (
            std::mem::replace(&mut self.personal.1, personal.clone()),
            personal,
        );
    }

    /// The key that signs for work or school accounts.
    pub(crate) fn for_work(&self) -> &Key {
        &self.work.1
    }

    /// The key that signs for personal accounts.
    pub(crate) fn for_personal(&self) -> &Key {
        &self.personal.1
    }

    /// A key that no key set lists.
    pub(crate) fn unpublished() -> Key {
        Key::new(WORK[3], u32::MAX)
    }

    /// All published keys.
    pub(crate) fn published(&self) -> [&Key; 4] {
        [
            &self.work.0,
            &self.work.1,
            &self.personal.0,
            &self.personal.1,
        ]
    }

    /// The JSON Web Key Set one authority publishes.
    pub(crate) fn key_set(&self, login_url: &str, authority: &Authority) -> Value {
        let template = format!("{login_url}/{{tenantid}}/v2.0");
        let consumer = format!("{login_url}/{CONSUMER_TENANT}/v2.0");
        let work = [self.work.1.to_jwk(&template), self.work.0.to_jwk(&template)];
        let personal = [
            self.personal.0.to_jwk(&consumer),
            self.personal.1.to_jwk(&consumer),
        ];
        let keys: Vec<Value> = match authority {
            Authority::Common => personal.into_iter().chain(work).collect(),
            Authority::Consumers => personal.into_iter().collect(),
            Authority::Organizations | Authority::Tenant(_) => work.into_iter().collect(),
        };
        json!({ "keys": keys })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonwebtoken::{DecodingKey, Validation};

    #[test]
    fn a_published_key_verifies_what_the_ring_signs() {
        let ring = KeyRing::new();
        let token = ring
            .for_work()
            .sign(&json!({"aud": "x", "exp": 4_000_000_000_i64}));
        let set = ring.key_set("http://localhost", &Authority::Organizations);
        let kid = jsonwebtoken::decode_header(&token).unwrap().kid.unwrap();
        let keys = set["keys"].as_array().unwrap();
        assert_eq!(keys.len(), 2);
        let key = keys.iter().find(|key| key["kid"] == kid.as_str()).unwrap();
        assert_eq!(key["issuer"], "http://localhost/{tenantid}/v2.0");
        let decoding = DecodingKey::from_rsa_components(
            key["n"].as_str().unwrap(),
            key["e"].as_str().unwrap(),
        );
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_audience(&["x"]);
        jsonwebtoken::decode::<Value>(&token, &decoding.unwrap(), &validation).unwrap();
    }

    #[test]
    fn rotation_signs_with_a_key_nobody_has_seen_and_keeps_the_former_published() {
        let mut ring = KeyRing::new();
        for _ in 0..9 {
            let before: Vec<String> = ring.published().iter().map(|key| key.kid.clone()).collect();
            let former = ring.for_work().kid.clone();
            ring.rotate();
            assert!(!before.contains(&ring.for_work().kid));
            assert!(ring.published().iter().any(|key| key.kid == former));
        }
    }
}
