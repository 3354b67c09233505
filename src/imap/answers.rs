//! What the server's answers say, taken out by name and in any order; what is missing is simply absent.

use std::collections::{BTreeMap, BTreeSet};

use imap_proto::{
    AttributeValue, Capability, MailboxDatum, NameAttribute, Response, ResponseCode, Status,
};

use super::{Fetched, Selected};

/// Longest UID set in one command. Exchange Online refuses commands of roughly 10 kB.
const UID_SET_BYTES_MAX: usize = 7000;
/// Most UIDs believed from one `ESEARCH` answer, whose ranges may claim any number.
const ESEARCH_UIDS_MAX: usize = 2_000_000;

/// One line of LIST.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) raw_name: String,
    pub(super) delimiter: Option<String>,
    pub(super) flags: Vec<String>,
}

/// Reads answer after answer, skipping lines that are none.
fn each<'a>(mut bytes: &'a [u8], mut look: impl FnMut(Response<'a>)) {
    while !bytes.is_empty() {
        if let Ok((rest, answer)) = imap_proto::parser::parse_response(bytes) {
            look(answer);
            bytes = rest;
        } else {
            let next = bytes.iter().position(|&b| b == b'\n');
            bytes = next
                .and_then(|at| bytes.get(at.saturating_add(1)..))
                .unwrap_or_default();
        }
    }
}

/// The capabilities, in capitals.
pub(super) fn capabilities(bytes: &[u8]) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    each(bytes, |answer| {
        if let Response::Capabilities(list) = answer {
            all.extend(list.iter().map(capability));
        }
    });
    all
}

pub(super) fn capability(capability: &Capability<'_>) -> String {
    match capability {
        Capability::Imap4rev1 => "IMAP4REV1".to_owned(),
        Capability::Auth(mechanism) => format!("AUTH={}", mechanism.to_ascii_uppercase()),
        Capability::Atom(name) => name.to_ascii_uppercase(),
    }
}

/// What EXAMINE says of a folder; none when it names no UIDVALIDITY.
pub(super) fn selected(bytes: &[u8]) -> Option<Selected> {
    let (mut uid_validity, mut uid_next, mut exists) = (None, None, 0);
    each(bytes, |answer| match answer {
        Response::MailboxData(MailboxDatum::Exists(count)) => exists = count,
        Response::Data {
            status: Status::Ok,
            code: Some(code),
            ..
        } => match code {
            ResponseCode::UidValidity(value) => uid_validity = Some(value),
            ResponseCode::UidNext(value) => uid_next = Some(value),
            _ => {}
        },
        _ => {}
    });
    Some(Selected {
        uid_validity: uid_validity?,
        uid_next,
        exists,
    })
}

/// The UIDs found by a SEARCH, sorted, each once; also those of an `ESEARCH` line among `aside`.
pub(super) fn found(bytes: &[u8], aside: &[String]) -> Vec<u32> {
    let mut uids = BTreeSet::new();
    each(bytes, |answer| {
        if let Response::MailboxData(MailboxDatum::Search(list)) = answer {
            uids.extend(list);
        }
    });
    for line in aside {
        uids.extend(esearch(line));
    }
    uids.into_iter().collect()
}

/// The UIDs of `* ESEARCH (TAG "a1") UID ALL 1:3,5` (RFC 4731 §3.1).
fn esearch(line: &str) -> Vec<u32> {
    let mut words = line.split_ascii_whitespace();
    let is_esearch = words.next() == Some("*")
        && words
            .next()
            .is_some_and(|word| word.eq_ignore_ascii_case("ESEARCH"));
    let set = words
        .skip_while(|word| !word.eq_ignore_ascii_case("ALL"))
        .nth(1);
    let (true, Some(set)) = (is_esearch, set) else {
        return Vec::new();
    };
    set.split(',')
        .filter_map(|part| {
            let (from, to) = part.split_once(':').unwrap_or((part, part));
            let (from, to) = (from.parse::<u32>().ok()?, to.parse::<u32>().ok()?);
            Some(from.min(to)..=from.max(to))
        })
        .flatten()
        .take(ESEARCH_UIDS_MAX)
        .collect()
}

/// The messages of a FETCH. An answer may come in pieces; a message without UID or body is left out. A body
/// that was kept aside ([`super::wire`]) is named by its number.
pub(super) fn fetched(bytes: &[u8], mut bodies: Vec<Vec<u8>>) -> Vec<Fetched> {
    #[derive(Default)]
    struct Pieces {
        uid: Option<u32>,
        raw: Option<Vec<u8>>,
        internal_date_at: Option<i64>,
        seen: bool,
    }
    let mut all: BTreeMap<u32, Pieces> = BTreeMap::new();
    each(bytes, |answer| {
        let Response::Fetch(number, items) = answer else {
            return;
        };
        let pieces = all.entry(number).or_default();
        for item in items {
            match item {
                AttributeValue::Uid(uid) => pieces.uid = Some(uid),
                AttributeValue::BodySection {
                    section: None,
                    data: Some(raw),
                    ..
                } => {
                    let kept = std::str::from_utf8(&raw)
                        .ok()
                        .and_then(|number| bodies.get_mut(number.parse::<usize>().ok()?));
                    pieces.raw = Some(kept.map_or_else(|| raw.into_owned(), std::mem::take));
                }
                AttributeValue::InternalDate(date) => pieces.internal_date_at = date_at(&date),
                AttributeValue::Flags(flags) => {
                    pieces.seen = flags.iter().any(|f| f.eq_ignore_ascii_case("\\Seen"));
                }
                _ => {}
            }
        }
    });
    all.into_values()
        .filter_map(|pieces| {
            Some(Fetched {
                uid: pieces.uid?,
                raw: pieces.raw?,
                internal_date_at: pieces.internal_date_at,
                seen: pieces.seen,
            })
        })
        .collect()
}

/// The header fields of one message.
pub(super) fn head(bytes: &[u8], wanted: u32) -> Option<Vec<u8>> {
    let mut found = None;
    each(bytes, |answer| {
        let Response::Fetch(_, items) = answer else {
            return;
        };
        let (mut uid, mut head) = (None, None);
        for item in items {
            match item {
                AttributeValue::Uid(value) => uid = Some(value),
                AttributeValue::BodySection {
                    section: Some(_),
                    data: Some(fields),
                    ..
                } => head = Some(fields.into_owned()),
                _ => {}
            }
        }
        if uid == Some(wanted) && head.is_some() {
            found = head;
        }
    });
    found
}

/// UIDs with their RFC822.SIZE.
pub(super) fn sizes(bytes: &[u8]) -> Vec<(u32, u64)> {
    let mut all = Vec::new();
    each(bytes, |answer| {
        let Response::Fetch(_, items) = answer else {
            return;
        };
        let (mut uid, mut size) = (None, None);
        for item in items {
            match item {
                AttributeValue::Uid(value) => uid = Some(value),
                AttributeValue::Rfc822Size(value) => size = Some(u64::from(value)),
                _ => {}
            }
        }
        all.extend(uid.zip(size));
    });
    all
}

/// The folders of a LIST.
pub(super) fn listed(bytes: &[u8]) -> Vec<Listed> {
    let mut all = Vec::new();
    each(bytes, |answer| {
        if let Response::MailboxData(MailboxDatum::List {
            name_attributes,
            delimiter,
            name,
        }) = answer
        {
            all.push(Listed {
                raw_name: unquoted(&name),
                delimiter: delimiter.map(|d| unquoted(&d)),
                flags: name_attributes.iter().map(flag).collect(),
            });
        }
    });
    all
}

fn flag(attribute: &NameAttribute<'_>) -> String {
    match attribute {
        NameAttribute::NoInferiors => "\\Noinferiors",
        NameAttribute::NoSelect => "\\Noselect",
        NameAttribute::Marked => "\\Marked",
        NameAttribute::Unmarked => "\\Unmarked",
        NameAttribute::All => "\\All",
        NameAttribute::Archive => "\\Archive",
        NameAttribute::Drafts => "\\Drafts",
        NameAttribute::Flagged => "\\Flagged",
        NameAttribute::Junk => "\\Junk",
        NameAttribute::Sent => "\\Sent",
        NameAttribute::Trash => "\\Trash",
        NameAttribute::Extension(name) => name.as_ref(),
        _ => "",
    }
    .to_owned()
}

/// Takes the backslashes off a quoted string (RFC 3501 §9 `quoted`), which the parser leaves on.
fn unquoted(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut escaped = false;
    for c in text.chars() {
        if c == '\\' && !escaped {
            escaped = true;
            continue;
        }
        if escaped && c != '\\' && c != '"' {
            plain.push('\\');
        }
        escaped = false;
        plain.push(c);
    }
    if escaped {
        plain.push('\\');
    }
    plain
}

/// An INTERNALDATE (`17-Jul-1996 02:44:25 -0700`, RFC 3501 §9 `date-time`) as unix seconds.
fn date_at(text: &str) -> Option<i64> {
    chrono::DateTime::parse_from_str(text.trim(), "%d-%b-%Y %H:%M:%S %z")
        .ok()
        .map(|date| date.timestamp())
}

/// UIDs as sequence sets (`1:3,5`), each short enough for one command, each with the UIDs it holds.
pub(super) fn uid_sets(uids: &[u32]) -> Vec<(String, Vec<u32>)> {
    let sorted: Vec<u32> = uids
        .iter()
        .copied()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let mut sets: Vec<(String, Vec<u32>)> = Vec::new();
    for run in sorted.chunk_by(|a, b| a.checked_add(1) == Some(*b)) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else {
            continue;
        };
        let part = if first == last {
            first.to_string()
        } else {
            format!("{first}:{last}")
        };
        match sets.last_mut() {
            Some((text, members)) if text.len() + part.len() < UID_SET_BYTES_MAX => {
                text.push(',');
                text.push_str(&part);
                members.extend(run);
            }
            _ => sets.push((part, run.to_vec())),
        }
    }
    sets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fetch_items_are_read_in_any_order_and_in_pieces() {
        let bytes = b"* 2 FETCH (BODY[] {3}\r\nabc FLAGS (\\Seen $MDNSent) INTERNALDATE \" 7-Jul-1996 02:44:25 -0700\" UID 9)\r\n\
* 1 FETCH (FLAGS ())\r\n\
* 1 FETCH (UID 4 BODY[] {2}\r\nxy)\r\n\
* 3 FETCH (UID 11 FLAGS ())\r\n";
        let all = fetched(bytes, Vec::new());
        assert_eq!(all.len(), 2, "a message without a body is absent");
        assert_eq!((all[0].uid, all[0].raw.as_slice()), (4, &b"xy"[..]));
        assert_eq!(all[0].internal_date_at, None);
        assert_eq!((all[1].uid, all[1].seen), (9, true));
        assert_eq!(all[1].internal_date_at, Some(836_732_665));
    }

    #[test]
    fn a_body_kept_aside_is_found_by_its_number_and_one_given_in_quotes_is_taken_as_it_is() {
        let bytes = b"* 1 FETCH (UID 4 BODY[] {1}\r\n1)\r\n* 2 FETCH (UID 5 BODY[] {1}\r\n0)\r\n\
* 3 FETCH (UID 6 BODY[] \"short\")\r\n* 4 FETCH (UID 7 BODY[] {1}\r\n9)\r\n";
        let all = fetched(bytes, vec![b"first".to_vec(), b"second".to_vec()]);
        let raw: Vec<&[u8]> = all.iter().map(|message| message.raw.as_slice()).collect();
        assert_eq!(raw, [&b"second"[..], b"first", b"short", b"9"]);
    }

    #[test]
    fn the_head_of_one_message_is_found_and_no_other_taken_for_it() {
        let bytes = b"* 1 FETCH (FLAGS (\\Seen))\r\n\
* 2 FETCH (BODY[HEADER.FIELDS (MESSAGE-ID FROM SUBJECT DATE)] {14}\r\nSubject: a\r\n\r\n UID 9)\r\n\
* 3 FETCH (UID 10 BODY[HEADER.FIELDS (MESSAGE-ID FROM SUBJECT DATE)] {14}\r\nSubject: b\r\n\r\n)\r\n";
        assert_eq!(head(bytes, 9).as_deref(), Some(&b"Subject: a\r\n\r\n"[..]));
        assert_eq!(head(bytes, 10).as_deref(), Some(&b"Subject: b\r\n\r\n"[..]));
        assert_eq!(head(bytes, 11), None);
        let whole = b"* 2 FETCH (UID 9 BODY[] {2}\r\nxy)\r\n";
        assert_eq!(head(whole, 9), None, "that is the message, not its head");
    }

    #[test]
    fn an_esearch_answer_is_understood_and_its_ranges_are_bounded() {
        let aside = ["* ESEARCH (TAG \"a3\") UID ALL 5,7:9".to_owned()];
        assert_eq!(found(b"", &aside), vec![5, 7, 8, 9]);
        let hostile = ["* ESEARCH UID ALL 1:4294967295".to_owned()];
        assert_eq!(found(b"", &hostile).len(), ESEARCH_UIDS_MAX);
        assert!(found(b"", &["Server Unavailable.".to_owned()]).is_empty());
    }

    #[test]
    fn uid_sets_stay_short_and_hold_every_uid_once() {
        let uids: Vec<u32> = (1..=9000).map(|n| n * 2).chain(30_000..30_500).collect();
        let sets = uid_sets(&uids);
        assert!(sets.len() > 1);
        assert!(
            sets.iter()
                .all(|(text, _)| text.len() < UID_SET_BYTES_MAX + 12)
        );
        let back: Vec<u32> = sets.iter().flat_map(|(_, m)| m.clone()).collect();
        assert_eq!(back, uids);
        assert!(sets.last().unwrap().0.ends_with("30000:30499"));
        assert_eq!(
            uid_sets(&[3, 1, 2, 2]),
            vec![("1:3".to_owned(), vec![1, 2, 3])]
        );
    }

    #[test]
    fn a_folder_without_uidvalidity_is_not_selected() {
        assert_eq!(selected(b"* 4 EXISTS\r\n"), None);
        let bytes = b"* 4 EXISTS\r\n* NO odd\r\n* OK [UIDVALIDITY 14] ok\r\n";
        let folder = selected(bytes).unwrap();
        assert_eq!(
            (folder.uid_validity, folder.uid_next, folder.exists),
            (14, None, 4)
        );
    }

    #[test]
    fn quoted_folder_names_lose_their_backslashes() {
        let listed = listed(b"* LIST (\\HasNoChildren \\Sent) \"/\" \"a\\\\b \\\"c\\\"\"\r\n");
        assert_eq!(listed[0].raw_name, "a\\b \"c\"");
        assert_eq!(listed[0].flags, ["\\HasNoChildren", "\\Sent"]);
    }
}
