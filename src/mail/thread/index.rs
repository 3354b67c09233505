//! Rules by which a message finds its conversation, and the marks we leave so that others find ours.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::parse::Parsed;

/// Ids tried for one message; a looping list can make References endless.
const CANDIDATES_MAX: usize = 100;
/// Seconds between 1601-01-01 and 1970-01-01, the beginnings of Windows' and Unix' time.
const FILETIME_OFFSET_SECONDS: i64 = 11_644_473_600;
/// Child blocks kept in a Thread-Index; Outlook itself stops growing it.
const CHILD_BLOCKS_MAX: usize = 200;

/// What stands before a subject in replies and forwards, without the colon, in lower case.
const MARKS: [&str; 49] = [
    "re",
    "aw",
    "sv",
    "vs",
    "antw",
    "odp",
    "rif",
    "r",
    "res",
    "ref",
    "ynt",
    "ilt",
    "bls",
    "vb",
    "vl",
    "wg",
    "tr",
    "fw",
    "fwd",
    "rv",
    "enc",
    "pd",
    "i",
    "doorst",
    "antwort",
    "weiterleitung",
    "réf",
    "rép",
    "réponse",
    "transfert",
    "fs",
    "továbbítás",
    "továbbítva",
    "vá",
    "απ",
    "σχετ",
    "πρθ",
    "ha",
    "на",
    "ответ",
    "re2",
    "回复",
    "回覆",
    "答复",
    "转发",
    "轉寄",
    "返信",
    "回信",
    "trs",
];

/// The ids by which a message may belong to an earlier one, the most trustworthy first: In-Reply-To,
/// then References from the end (the nearest ancestor is last, RFC 5322 section 3.6.4).
#[must_use]
pub fn candidate_ids(message: &Parsed) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    let own = message.message_id.as_deref();
    let sources = message
        .in_reply_to
        .iter()
        .chain(message.references.iter().rev());
    for id in sources {
        if ids.len() >= CANDIDATES_MAX {
            break;
        }
        if Some(id.as_str()) != own && !ids.contains(id) {
            ids.push(id.clone());
        }
    }
    ids
}

/// All names under which this message may be referred to or met again: its Message-ID and those it
/// had before Microsoft replaced them.
#[must_use]
pub fn own_ids(message: &Parsed) -> Vec<String> {
    let mut ids: Vec<String> = message.message_id.iter().cloned().collect();
    for id in &message.original_message_ids {
        if !ids.contains(id) {
            ids.push(id.clone());
        }
    }
    ids
}

/// The subject without `Re:`, `AW:`, `Fwd:` and their kin, white space collapsed. Tags in brackets
/// stay, also behind a mark: `Re: [team] Re: x` becomes `[team] x`.
#[must_use]
pub fn base_subject(subject: &str) -> String {
    let collapsed = subject.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut tags = String::new();
    let mut rest = collapsed.as_str();
    loop {
        if let Some(after) = strip_mark(rest) {
            rest = after;
            continue;
        }
        // A tag is passed over only when a mark stands behind it.
        let tagged = rest
            .strip_prefix('[')
            .and_then(|inside| inside.split_once(']'))
            .filter(|(tag, _)| !tag.is_empty() && tag.chars().count() <= 40);
        if let Some((tag, after)) = tagged
            && let Some(stripped) = strip_mark(after.trim_start())
        {
            let tag = format!("[{tag}] ");
            if !tags.contains(&tag) {
                tags.push_str(&tag);
            }
            rest = stripped;
            continue;
        }
        break;
    }
    let base = format!("{tags}{rest}");
    if base.trim().is_empty() {
        collapsed
    } else {
        base.trim().to_owned()
    }
}

/// Whether the subject says that it is an answer or a forward.
#[must_use]
pub fn is_marked_subject(subject: &str) -> bool {
    strip_mark(subject.trim()).is_some()
}

/// Takes one `Re:`, `Re[2]:`, `RE :`, `AW:` from the start.
fn strip_mark(subject: &str) -> Option<&str> {
    let at = subject.find([':', '：'])?;
    let (head, after) = subject.split_at_checked(at)?;
    let after = after.strip_prefix([':', '：'])?;
    let head = head.trim_end();
    let word = head.trim_end_matches(|c: char| {
        c.is_ascii_digit() || matches!(c, '[' | ']' | '(' | ')' | '^' | '*')
    });
    let lower = word.trim_end_matches('.').to_lowercase();
    MARKS.contains(&lower.as_str()).then(|| after.trim_start())
}

/// The Thread-Index of a message sent at `at` (unix seconds UTC), as Exchange makes it (MS-OXOMSG
/// 2.2.1.3, PidTagConversationIndex): 22 bytes for a conversation's first message, and 5 bytes more
/// for each answer. `seed` is the new message's id; it stands in for the random parts, so that the
/// same message always gets the same index.
#[must_use]
pub fn make_thread_index(parent: Option<&str>, at: i64, seed: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(seed.as_bytes()).into();
    let now = filetime(at);
    let parent = parent.and_then(|text| STANDARD.decode(text.trim()).ok());
    let parent = parent.filter(|bytes| bytes.len() >= 22 && (bytes.len() - 22).is_multiple_of(5));
    let Some(mut index) = parent else {
        let [a, b, c, d, e, ..] = now.to_be_bytes();
        let mut index = vec![1, a, b, c, d, e];
        index.extend(digest.iter().take(16));
        return STANDARD.encode(index);
    };
    if index.len() < 22 + CHILD_BLOCKS_MAX * 5 {
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

/// The Thread-Topic of a message with this subject: the subject without its marks.
#[must_use]
pub fn thread_topic(subject: &str) -> String {
    base_subject(subject)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_go_in_many_languages_and_tags_stay() {
        for subject in [
            "Re: x",
            "AW: SV: x",
            "WG: Fwd: x",
            "RE: [team] Re: x",
            "Re[2]: x",
            "Réf : x",
            "回复：x",
            "Odp: x",
        ] {
            let base = base_subject(subject);
            assert!(base == "x" || base == "[team] x", "{subject} gave {base}");
        }
        assert_eq!(
            base_subject("[ticket 7]  Printer: on fire"),
            "[ticket 7] Printer: on fire"
        );
        assert_eq!(base_subject("Re:"), "Re:");
    }

    #[test]
    fn candidates_begin_with_the_direct_parent_and_leave_out_the_message_itself() {
        let message = Parsed {
            message_id: Some("me@x".to_owned()),
            in_reply_to: vec!["c@x".to_owned()],
            references: ["a@x", "b@x", "c@x", "me@x"].map(str::to_owned).to_vec(),
            ..Parsed::default()
        };
        assert_eq!(candidate_ids(&message), ["c@x", "b@x", "a@x"]);
    }

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
}
