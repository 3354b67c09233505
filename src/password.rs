//! Passwords of agents: what is acceptable, how they are kept (argon2id) and how one is checked.

use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};

use crate::secret::random_bytes;

/// Fewest characters of a new password (NIST SP 800-63B §3.1.1.2 asks for 8 or more; length is what helps).
pub const MIN_CHARS: usize = 10;
/// Longest password taken, in bytes, so that hashing one stays cheap to refuse.
pub const MAX_BYTES: usize = 1024;

/// A hash that no password has: checked when there is no such agent, so that the answer takes as long.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5bm9ib2R5bm9ib2R5$nYjJvmS5IvZ9v4Y0Y0kWyp4bV5gH2dDXZf1n1xS5b0I";

/// Says what is wrong with a new password, if anything.
#[must_use]
pub fn mistake(password: &str) -> Option<&'static str> {
    if password.len() > MAX_BYTES {
        return Some("Use at most 1,000 characters.");
    }
    (password.chars().count() < MIN_CHARS).then_some(
        "Use at least 10 characters; three or four words that do not belong together are good.",
    )
}

/// Hashes a password with a fresh salt. Takes tens of milliseconds and 19 MiB on purpose.
///
/// # Errors
/// When there is no memory for it.
pub fn hash(password: &str) -> Result<String, argon2::password_hash::Error> {
    let salt = SaltString::encode_b64(&random_bytes::<16>())?;
    Ok(Argon2::default()
        .hash_password(password.as_bytes(), &salt)?
        .to_string())
}

/// Whether a password belongs to a hash. `None` stands for an agent that does not exist: the work is
/// done all the same and the answer is no.
#[must_use]
pub fn verify(password: &str, hash: Option<&str>) -> bool {
    if password.len() > MAX_BYTES {
        return false;
    }
    let Ok(parsed) = PasswordHash::new(hash.unwrap_or(NOBODY)) else {
        return false;
    };
    let same = Argon2::default()
        .verify_password(password.as_bytes(), &parsed)
        .is_ok();
    same && hash.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_opens_its_own_hash_and_no_other() {
        let kept = hash("correct horse battery").unwrap();
        assert!(kept.starts_with("$argon2id$"));
        assert!(verify("correct horse battery", Some(&kept)));
        assert!(!verify("correct horse battery!", Some(&kept)));
    }

    #[test]
    fn the_stand_in_for_nobody_costs_a_real_check_and_never_opens() {
        let parsed = PasswordHash::new(NOBODY).unwrap();
        assert_eq!(parsed.params.get_decimal("m"), Some(19_456));
        assert!(parsed.hash.is_some());
        assert!(!verify("anything at all", None));
    }

    #[test]
    fn a_short_password_is_refused_with_a_sentence() {
        assert!(mistake("short").is_some());
        assert!(mistake("long enough now").is_none());
    }
}
