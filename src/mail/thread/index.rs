//! Outlook's Thread-Index: made for what we send, and read for what all messages of a thread share
//! (MS-OXOMSG 2.2.1.3, `PidTagConversationIndex`).

use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use base64::engine::{DecodePaddingMode, Engine as _};
use sha2::{Digest as _, Sha256};

/// Seconds between 1601-01-01 and 1970-01-01, the beginnings of Windows' and Unix' time.
const FILETIME_OFFSET_SECONDS: i64 = 11_644_473_600;
/// Child blocks kept in a Thread-Index; Outlook itself stops growing it.
const CHILD_BLOCKS_MAX: usize = 200;
/// Bytes of the header that a thread's first message has alone.
const HEADER_BYTES: usize = 22;
/// The same in base64.
const HEADER_CHARS: usize = 30;
/// Reads the beginning of a longer text.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The Thread-Index of a message sent at `at` (unix seconds UTC), as Exchange makes it (MS-OXOMSG
/// 2.2.1.3, PidTagConversationIndex): 22 bytes for a conversation's first message, and 5 bytes more
/// for each answer. `seed` is the new message's id; it stands in for the random parts, so that the
/// same message always gets the same index.
#[must_use]
pub fn make_thread_index(parent: Option<&str>, at: i64, seed: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(seed.as_bytes()).into();
    let now = filetime(at);
    let parent = parent.and_then(|text| STANDARD.decode(text.trim()).ok());
    let parent = parent.filter(|bytes| {
        bytes.len() >= HEADER_BYTES && (bytes.len() - HEADER_BYTES).is_multiple_of(5)
    });
    let Some(mut index) = parent else {
        let [a, b, c, d, e, ..] = now.to_be_bytes();
        let mut index = vec![1, a, b, c, d, e];
        index.extend(digest.iter().take(16));
        return STANDARD.encode(index);
    };
    if index.len() < HEADER_BYTES + CHILD_BLOCKS_MAX * 5 {
        let random = digest.first().copied().unwrap_or_default();
        let block = child_block(begun_at(&index), now, random);
        index.extend_from_slice(&block);
    }
    STANDARD.encode(index)
}

/// 100-nanosecond steps since 1601.
fn filetime(at: i64) -> u64 {
    let seconds = at.saturating_add(FILETIME_OFFSET_SECONDS);
    u64::try_from(seconds)
        .unwrap_or(0)
        .saturating_mul(10_000_000)
}

/// When the conversation began, as steps since 1601. Exchange writes a 1 and the upper five bytes of
/// the time; Outlook and older servers leave out the time's own leading 1 and write one byte more of
/// its lower end.
fn begun_at(index: &[u8]) -> u64 {
    let number = |bytes: &[u8]| {
        bytes
            .iter()
            .fold(0, |sum: u64, byte| (sum << 8) | u64::from(*byte))
    };
    match index {
        [1, time @ ..] if time.first() == Some(&1) => {
            number(time.get(..5).unwrap_or_default()) << 24
        }
        _ => number(index.get(..6).unwrap_or_default()) << 16,
    }
}

/// One answer: a bit that tells the scale, 31 bits of the time since the conversation began (in steps
/// of 2^18, or 2^23 beyond 1.7 years), and one random byte.
fn child_block(begun: u64, now: u64, random: u8) -> [u8; 5] {
    let difference = now.saturating_sub(begun);
    let long = difference & 0x00fe_0000_0000_0000 != 0;
    let shift = if long { 23 } else { 18 };
    let bits = u32::try_from((difference >> shift) & 0x7fff_ffff).unwrap_or(0);
    let coded = if long { bits | 0x8000_0000 } else { bits };
    let [a, b, c, d] = coded.to_be_bytes();
    [a, b, c, d, random]
}

/// The part that all messages of an Outlook thread share: the GUID in bytes 6 to 22. `None` when it is no
/// index, or an empty one that some programs write into every message.
#[must_use]
pub fn thread_guid(index: &str) -> Option<[u8; 16]> {
    // What stands behind, and whether it is whole, does not matter.
    let header = index.trim().get(..HEADER_CHARS)?;
    let bytes = LENIENT.decode(header).ok()?;
    let guid: [u8; 16] = bytes.get(6..HEADER_BYTES)?.try_into().ok()?;
    let first = guid.first().copied().unwrap_or_default();
    guid.iter().any(|byte| *byte != first).then_some(guid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_index_begins_with_the_time_and_grows_by_five_bytes() {
        let first = make_thread_index(None, 1_714_564_800, "<a@x>");
        assert!(first.starts_with("AQHa"), "{first}");
        let bytes = STANDARD.decode(&first).unwrap();
        assert_eq!(bytes.len(), 22);
        let seconds =
            i64::try_from(begun_at(&bytes) / 10_000_000).unwrap() - FILETIME_OFFSET_SECONDS;
        assert!((1_714_564_798..=1_714_564_800).contains(&seconds));
        let second = make_thread_index(Some(&first), 1_714_568_400, "<b@x>");
        let second = STANDARD.decode(second).unwrap();
        assert_eq!((second.len(), &second[..22]), (27, &bytes[..]));
        let steps = u64::from(u32::from_be_bytes([
            second[22], second[23], second[24], second[25],
        ]));
        assert!((3600..=3602).contains(&((steps << 18) / 10_000_000)));
    }

    #[test]
    fn an_index_made_by_outlook_is_read_on() {
        // Begun on 2010-02-03 by Outlook 2007.
        let parent = "Acqk5977mpeiKVKATNKyqH3tQ8hGnA==";
        let begun = begun_at(&STANDARD.decode(parent).unwrap()) / 10_000_000;
        let begun = i64::try_from(begun).unwrap() - FILETIME_OFFSET_SECONDS;
        assert_eq!(begun / 86_400, 14_643);
    }

    #[test]
    fn a_broken_parent_index_begins_a_new_one() {
        let index = make_thread_index(Some("AQ=="), 0, "x");
        assert_eq!(STANDARD.decode(index).unwrap().len(), 22);
    }

    #[test]
    fn the_messages_of_an_outlook_thread_share_a_guid() {
        let first = make_thread_index(None, 1_714_564_800, "<a@x>");
        let answer = make_thread_index(Some(&first), 1_714_568_400, "<b@x>");
        let other = make_thread_index(None, 1_714_564_800, "<c@x>");
        assert!(thread_guid(&first).is_some());
        assert_eq!(thread_guid(&first), thread_guid(&answer));
        assert_ne!(thread_guid(&first), thread_guid(&other));
        assert_eq!(
            thread_guid("Acqk5977mpeiKVKATNKyqH3tQ8hGnA"),
            thread_guid("Acqk5977mpeiKVKATNKyqH3tQ8hGnA==")
        );
        for none in ["", "AQ==", "not base64", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="] {
            assert_eq!(thread_guid(none), None, "{none}");
        }
    }
}
