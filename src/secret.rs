//! Secrets: the sealing key outside the database, sealing of stored tokens, and random values.
//!
//! Sealed values are `XChaCha20-Poly1305(key, nonce, plain, associated data = purpose)` stored as
//! `1 ‖ nonce (24) ‖ ciphertext`; the purpose binds a value to its place, so that a sealed refresh
//! token moved to another row or column does not open.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

const VERSION: u8 = 1;
const NONCE_BYTES: usize = 24;
const KEY_BYTES: usize = 32;

/// Why a secret could not be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The key is not 32 bytes of base64.
    #[error(
        "the sealing key {0} is not 32 bytes in base64; put back the key file that belongs to this database, or make a new one with `head -c 32 /dev/urandom | base64` and reconnect the mailboxes"
    )]
    BadKey(String),
    /// The key file cannot be read or made.
    #[error("the sealing key file {path} cannot be used: {source}")]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A sealed value does not open with this key.
    #[error("a stored secret does not open with this sealing key")]
    DoesNotOpen,
}

/// Seals and opens stored secrets.
#[derive(Clone)]
pub struct Sealer {
    cipher: XChaCha20Poly1305,
    /// What further keys are made of.
    root: Zeroizing<[u8; KEY_BYTES]>,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer")
    }
}

impl Sealer {
    /// A sealer with this key: 32 bytes in base64.
    ///
    /// # Errors
    /// When it is not that.
    pub fn from_base64(text: &str, origin: &str) -> Result<Self, SecretError> {
        let bytes = Zeroizing::new(
            STANDARD
                .decode(text.trim())
                .map_err(|_| SecretError::BadKey(origin.to_owned()))?,
        );
        if bytes.len() != KEY_BYTES {
            return Err(SecretError::BadKey(origin.to_owned()));
        }
        let cipher = XChaCha20Poly1305::new_from_slice(&bytes)
            .map_err(|_| SecretError::BadKey(origin.to_owned()))?;
        let root = Sha256::new()
            .chain_update(b"mailhatch derived keys\0")
            .chain_update(&*bytes)
            .finalize();
        Ok(Self {
            cipher,
            root: Zeroizing::new(root.into()),
        })
    }

    /// Reads the key file, or makes it (mode 0600) when it does not exist and `may_create`.
    ///
    /// # Errors
    /// When the file cannot be read, made, or holds no key.
    pub fn from_file(path: &Path, may_create: bool) -> Result<Self, SecretError> {
        let fail = |source| SecretError::KeyFile {
            path: path.to_owned(),
            source,
        };
        match std::fs::read_to_string(path) {
            Ok(text) => Self::from_base64(&text, &path.display().to_string()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && may_create => {
                let text = Zeroizing::new(STANDARD.encode(random_bytes::<KEY_BYTES>()));
                if let Some(parent) = path.parent() {
                    std::fs::create_dir_all(parent).map_err(fail)?;
                }
                write_private(path, text.as_bytes()).map_err(fail)?;
                Self::from_base64(&text, &path.display().to_string())
            }
            Err(error) => Err(fail(error)),
        }
    }

    /// A key for one other purpose, the same each time. Neither this key nor one for another purpose can
    /// be found from it.
    #[must_use]
    pub fn derive_key(&self, purpose: &str) -> [u8; KEY_BYTES] {
        Sha256::new()
            .chain_update(self.root.as_slice())
            .chain_update(purpose.as_bytes())
            .finalize()
            .into()
    }

    /// Seals `plain` for `purpose`.
    #[must_use]
    pub fn seal(&self, purpose: &str, plain: &[u8]) -> Vec<u8> {
        let nonce = random_bytes::<NONCE_BYTES>();
        let payload = Payload {
            msg: plain,
            aad: purpose.as_bytes(),
        };
        // Encryption fails only for messages of more than 256 GiB.
        let sealed = self
            .cipher
            .encrypt(XNonce::from_slice(&nonce), payload)
            .unwrap_or_default();
        let mut out = Vec::with_capacity(1 + NONCE_BYTES + sealed.len());
        out.push(VERSION);
        out.extend_from_slice(&nonce);
        out.extend_from_slice(&sealed);
        out
    }

    /// Opens what [`Sealer::seal`] made for the same purpose.
    ///
    /// # Errors
    /// When it was sealed with another key or for another purpose, or was changed.
    pub fn open(&self, purpose: &str, sealed: &[u8]) -> Result<Vec<u8>, SecretError> {
        let (version, rest) = sealed.split_first().ok_or(SecretError::DoesNotOpen)?;
        if *version != VERSION {
            return Err(SecretError::DoesNotOpen);
        }
        let (nonce, body) = rest
            .split_at_checked(NONCE_BYTES)
            .ok_or(SecretError::DoesNotOpen)?;
        self.cipher
            .decrypt(
                XNonce::from_slice(nonce),
                Payload {
                    msg: body,
                    aad: purpose.as_bytes(),
                },
            )
            .map_err(|_| SecretError::DoesNotOpen)
    }

    /// Opens a sealed text.
    ///
    /// # Errors
    /// As [`Sealer::open`], and when it is not UTF-8.
    pub fn open_text(&self, purpose: &str, sealed: &[u8]) -> Result<String, SecretError> {
        String::from_utf8(self.open(purpose, sealed)?).map_err(|_| SecretError::DoesNotOpen)
    }
}

/// Makes or replaces a file that only its owner can read.
///
/// # Errors
/// When the file cannot be written.
pub fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Random bytes from the operating system.
///
/// Without a random source nothing here would be safe, so this is the one place that gives up.
#[must_use]
#[expect(
    clippy::expect_used,
    reason = "a system without randomness cannot run this program"
)]
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// A random token of 256 bits, fit for URLs and cookies.
#[must_use]
pub fn random_token() -> String {
    URL_SAFE_NO_PAD.encode(random_bytes::<32>())
}

/// SHA-256, for looking a token up without storing it.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// HMAC-SHA-256 (RFC 2104): who knows the key has seen this text.
#[must_use]
pub fn hmac_sha256(key: &[u8], text: &[u8]) -> [u8; 32] {
    let hashed;
    let key = if key.len() > 64 {
        hashed = sha256(key);
        hashed.as_slice()
    } else {
        key
    };
    let pad = |with: u8| {
        let mut block = [with; 64];
        for (byte, key) in block.iter_mut().zip(key) {
            *byte ^= key;
        }
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(text);
    let outer = Sha256::new().chain_update(pad(0x5c));
    outer.chain_update(inner.finalize()).finalize().into()
}

/// Bytes in lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether two secrets are equal, in constant time.
#[must_use]
pub fn same_secret(a: &str, b: &str) -> bool {
    use subtle::ConstantTimeEq as _;
    a.as_bytes().ct_eq(b.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer() -> Sealer {
        Sealer::from_base64(&STANDARD.encode([7; 32]), "test").unwrap()
    }

    #[test]
    fn a_sealed_value_opens_only_for_its_own_purpose() {
        let sealed = sealer().seal("token:1", b"secret");
        assert_eq!(sealer().open("token:1", &sealed).unwrap(), b"secret");
        assert!(sealer().open("token:2", &sealed).is_err());
    }

    #[test]
    fn a_derived_key_depends_on_the_key_and_the_purpose() {
        let other = Sealer::from_base64(&STANDARD.encode([8; 32]), "test").unwrap();
        let key = sealer().derive_key("a");
        assert_eq!(key, sealer().derive_key("a"));
        assert_ne!(key, sealer().derive_key("b"));
        assert_ne!(key, other.derive_key("a"));
    }

    #[test]
    fn a_changed_or_cut_value_does_not_open() {
        let sealed = sealer().seal("p", b"secret");
        for i in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[i] ^= 1;
            assert!(sealer().open("p", &changed).is_err(), "byte {i}");
            assert!(sealer().open("p", &sealed[..i]).is_err(), "cut at {i}");
        }
    }

    #[test]
    fn the_key_file_is_made_once_and_is_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("etc/mailhatch.key");
        let sealed = Sealer::from_file(&path, true).unwrap().seal("p", b"x");
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(
            Sealer::from_file(&path, true)
                .unwrap()
                .open("p", &sealed)
                .unwrap(),
            b"x"
        );
    }

    #[test]
    fn a_missing_key_is_not_made_when_secrets_exist_already() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Sealer::from_file(&folder.path().join("k"), false).is_err());
    }

    /// RFC 4231, test cases 2 (a short key) and 6 (one longer than a block).
    #[test]
    fn an_hmac_is_that_of_the_published_vectors() {
        let made = hex(&hmac_sha256(b"Jefe", b"what do ya want for nothing?"));
        let known = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(made, known);
        let text = b"Test Using Larger Than Block-Size Key - Hash Key First";
        let made = hex(&hmac_sha256(&[0xaa; 131], text));
        let known = "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54";
        assert_eq!(made, known);
    }
}
