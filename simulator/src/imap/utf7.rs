//! In charge of folder names on the wire: modified UTF-7 (RFC 3501 section 5.1.3).

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Base64 with `,` for `/` and no padding.
const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &alphabet::IMAP_MUTF7,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// Writes a name.
pub(super) fn encode(name: &str) -> String {
    let mut out = String::new();
    let mut pending: Vec<u8> = Vec::new();
    for letter in name.chars() {
        if matches!(letter, ' '..='~') {
            flush(&mut pending, &mut out);
            out.push(letter);
            if letter == '&' {
                out.push('-');
            }
        } else {
            let mut units = [0_u16; 2];
            for unit in letter.encode_utf16(&mut units) {
                pending.extend(unit.to_be_bytes());
            }
        }
    }
    flush(&mut pending, &mut out);
    out
}

fn flush(pending: &mut Vec<u8>, out: &mut String) {
    if !pending.is_empty() {
        out.push('&');
        out.push_str(&ENGINE.encode(pending.as_slice()));
        out.push('-');
        pending.clear();
    }
}

/// Reads a name; what cannot be read stays as it is.
pub(super) fn decode(wire: &str) -> String {
    let mut out = String::new();
    let mut rest = wire;
    while let Some((plain, shifted)) = rest.split_once('&') {
        out.push_str(plain);
        let Some((inside, after)) = shifted.split_once('-') else {
            out.push('&');
            rest = shifted;
            continue;
        };
        if inside.is_empty() {
            out.push('&');
        } else {
            match ENGINE.decode(inside).ok().and_then(|bytes| utf16(&bytes)) {
                Some(text) => out.push_str(&text),
                None => {
                    out.push('&');
                    out.push_str(inside);
                    out.push('-');
                }
            }
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

fn utf16(bytes: &[u8]) -> Option<String> {
    let units: Vec<u16> = bytes
        .chunks_exact(2)
        .filter_map(|pair| <[u8; 2]>::try_from(pair).ok().map(u16::from_be_bytes))
        .collect();
    String::from_utf16(&units).ok()
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn names_in_every_language_survive_the_wire() {
        for name in [
            "INBOX",
            "Entwürfe",
            "送信済みアイテム",
            "Post & Co",
            "Boîte d'envoi",
            "a😀b",
        ] {
            assert_eq!(decode(&encode(name)), name);
        }
        assert_eq!(encode("Entwürfe"), "Entw&APw-rfe");
        assert_eq!(encode("R&D"), "R&-D");
    }
}
