//! Random identifiers in the shapes Entra uses.

/// Fills a buffer; a machine without randomness cannot serve TLS either, so zeroes are never seen
/// in practice.
fn bytes<const N: usize>() -> [u8; N] {
    let mut buffer = [0u8; N];
    if let Err(error) = getrandom::fill(&mut buffer) {
        tracing::error!(%error, "the system gives no random bytes");
    }
    buffer
}

/// A version 4 GUID in lower case.
pub(crate) fn guid() -> String {
    let value = u128::from_be_bytes(bytes::<16>());
    let value = (value & !(0xf << 76) & !(0b11 << 62)) | (0x4 << 76) | (0b10 << 62);
    let hex = format!("{value:032x}");
    let mut out = String::with_capacity(36);
    for (index, digit) in hex.chars().enumerate() {
        if matches!(index, 8 | 12 | 16 | 20) {
            out.push('-');
        }
        out.push(digit);
    }
    out
}

/// `length` characters of the base64url alphabet.
pub(crate) fn text(length: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::with_capacity(length);
    while out.len() < length {
        for byte in bytes::<64>().iter().take(length - out.len()) {
            let index = usize::from(*byte & 0x3f);
            out.push(ALPHABET.get(index).copied().map_or('A', char::from));
        }
    }
    out
}

/// A number from `low` to `high`, both included.
pub(crate) fn between(low: i64, high: i64) -> i64 {
    let span = (high - low).max(0) + 1;
    low + i64::from(u32::from_be_bytes(bytes::<4>())) % span
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guid_has_the_version_and_variant_of_rfc_9562() {
        let id = guid();
        assert_eq!(id.len(), 36);
        assert_eq!(id.as_bytes()[14], b'4');
        assert!(
            matches!(id.as_bytes()[19], b'8' | b'9' | b'a' | b'b'),
            "{id}"
        );
        assert_ne!(id, guid());
    }

    #[test]
    fn numbers_stay_in_their_range() {
        for _ in 0..500 {
            assert!((3600..=5400).contains(&between(3600, 5400)));
        }
        assert_eq!(text(700).len(), 700);
    }
}
