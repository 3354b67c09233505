//! In charge of SEARCH and UID SEARCH.

use std::io;

use imap_codec::imap_types::core::{Charset, Vec1};
use imap_codec::imap_types::search::SearchKey;

use super::select::{Selected, Tell, contains};
use super::session::{Next, Session, Struck};
use crate::faults::Point;
use crate::world::{Flag, Stored, headers, mailbox};

/// Seconds in a day.
const DAY: i64 = 86_400;

impl Session {
    /// SEARCH and UID SEARCH.
    pub(super) fn search(
        &mut self,
        tag: &str,
        charset: Option<&Charset<'_>>,
        criteria: &Vec1<SearchKey<'_>>,
        uid: bool,
    ) -> io::Result<Next> {
        if let Struck::Answered(next) = self.strike(Point::ImapFetch, tag)? {
            return Ok(next);
        }
        if let Struck::Answered(next) = self.strike(Point::ImapSearch, tag)? {
            return Ok(next);
        }
        let known = charset.is_none_or(|charset| {
            let name: &str = match charset {
                Charset::Atom(name) => name.as_ref(),
                Charset::Quoted(name) => name.as_ref(),
            };
            name.eq_ignore_ascii_case("UTF-8") || name.eq_ignore_ascii_case("US-ASCII")
        });
        if !known {
            return self.answer(
                tag,
                "NO [BADCHARSET (UTF-8 US-ASCII)] The specified charset is not supported.",
            );
        }
        let next = self.catch_up(if uid { Tell::All } else { Tell::NoExpunge })?;
        if next != Next::Go {
            return Ok(next);
        }
        let found = self.found(criteria, uid);
        let list: Vec<String> = found.iter().map(u32::to_string).collect();
        if self.rev2 {
            let kind = if uid { " UID" } else { "" };
            let all = if list.is_empty() {
                String::new()
            } else {
                format!(" ALL {}", list.join(","))
            };
            self.line(&format!("* ESEARCH (TAG \"{tag}\"){kind}{all}"))?;
        } else if list.is_empty() {
            self.line("* SEARCH")?;
        } else {
            self.line(&format!("* SEARCH {}", list.join(" ")))?;
        }
        self.ok(tag, "SEARCH")
    }

    fn found(&self, criteria: &Vec1<SearchKey<'_>>, uid: bool) -> Vec<u32> {
        let Some(selected) = &self.selected else {
            return Vec::new();
        };
        let messages = self.messages(&selected.folder);
        selected
            .numbered()
            .filter(|(seq, number)| {
                mailbox::find(&messages, *number).is_some_and(|stored| {
                    criteria
                        .as_ref()
                        .iter()
                        .all(|key| matches(key, stored, *seq, selected))
                })
            })
            .map(|(seq, number)| if uid { number } else { seq })
            .collect()
    }

    /// What lies in a folder of the signed-in mailbox.
    pub(super) fn messages(&self, folder: &str) -> Vec<Stored> {
        self.mailbox(|mailbox| mailbox.find(folder).map(|folder| folder.messages.clone()))
            .flatten()
            .unwrap_or_default()
    }
}

fn matches(key: &SearchKey<'_>, stored: &Stored, seq: u32, selected: &Selected) -> bool {
    let has = |flag| stored.flags.contains(&flag);
    let again = |key: &SearchKey<'_>| matches(key, stored, seq, selected);
    let header = |name: &str, wanted: &[u8]| header_has(&stored.raw, name, wanted);
    let day = stored.internal_date_at.div_euclid(DAY);
    match key {
        SearchKey::And(keys) => keys.as_ref().iter().all(again),
        SearchKey::Or(one, other) => again(one) || again(other),
        SearchKey::Not(key) => !again(key),
        SearchKey::All | SearchKey::Old => true,
        // Nothing is ever recent here: another session always saw it first.
        SearchKey::New | SearchKey::Recent => false,
        SearchKey::SequenceSet(set) => contains(
            set,
            seq,
            u32::try_from(selected.view.len()).unwrap_or(u32::MAX),
        ),
        SearchKey::Uid(set) => contains(
            set,
            stored.uid,
            selected.view.last().map_or(0, |(uid, _)| *uid),
        ),
        SearchKey::Answered => has(Flag::Answered),
        SearchKey::Deleted => has(Flag::Deleted),
        SearchKey::Draft => has(Flag::Draft),
        SearchKey::Flagged => has(Flag::Flagged),
        SearchKey::Seen => has(Flag::Seen),
        SearchKey::Unanswered => !has(Flag::Answered),
        SearchKey::Undeleted => !has(Flag::Deleted),
        SearchKey::Undraft => !has(Flag::Draft),
        SearchKey::Unflagged => !has(Flag::Flagged),
        SearchKey::Unseen => !has(Flag::Seen),
        SearchKey::Keyword(word) => Flag::parse(word.as_ref()).is_some_and(has),
        SearchKey::Unkeyword(word) => !Flag::parse(word.as_ref()).is_some_and(has),
        SearchKey::Before(date) => day < day_of(date),
        SearchKey::On(date) => day == day_of(date),
        SearchKey::Since(date) => day >= day_of(date),
        SearchKey::SentBefore(date) => sent_day(&stored.raw).is_some_and(|day| day < day_of(date)),
        SearchKey::SentOn(date) => sent_day(&stored.raw).is_some_and(|day| day == day_of(date)),
        SearchKey::SentSince(date) => sent_day(&stored.raw).is_some_and(|day| day >= day_of(date)),
        SearchKey::Larger(size) => stored.reported_size_bytes > *size,
        SearchKey::Smaller(size) => stored.reported_size_bytes < *size,
        SearchKey::Header(name, wanted) => {
            header(&String::from_utf8_lossy(name.as_ref()), wanted.as_ref())
        }
        SearchKey::From(wanted) => header("From", wanted.as_ref()),
        SearchKey::To(wanted) => header("To", wanted.as_ref()),
        SearchKey::Cc(wanted) => header("Cc", wanted.as_ref()),
        SearchKey::Bcc(wanted) => header("Bcc", wanted.as_ref()),
        SearchKey::Subject(wanted) => header("Subject", wanted.as_ref()),
        SearchKey::Body(wanted) => body_has(&stored.raw, wanted.as_ref()),
        SearchKey::Text(wanted) => {
            let head = stored
                .raw
                .get(..headers::header_length(&stored.raw))
                .unwrap_or_default();
            holds(&String::from_utf8_lossy(head), wanted.as_ref())
                || body_has(&stored.raw, wanted.as_ref())
        }
    }
}

/// Whether any field of this name holds the text; an empty text asks for the field's presence.
fn header_has(raw: &[u8], name: &str, wanted: &[u8]) -> bool {
    headers::fields(raw)
        .into_iter()
        .filter(|field| headers::is_named(field, name))
        .any(|field| {
            let mut lone = field.to_vec();
            lone.extend_from_slice(b"\r\n");
            let plain = headers::get(&lone, name).unwrap_or_default();
            holds(&plain, wanted) || holds(&decoded(&lone), wanted)
        })
}

/// A field with its encoded words read.
fn decoded(field: &[u8]) -> String {
    let text = String::from_utf8_lossy(field);
    let value = text.split_once(':').map_or("", |(_, value)| value);
    let subject = format!("Subject:{value}");
    let parsed = mail_parser::MessageParser::default().parse(subject.as_bytes());
    parsed
        .as_ref()
        .and_then(|message| message.subject())
        .unwrap_or_default()
        .to_owned()
}

fn body_has(raw: &[u8], wanted: &[u8]) -> bool {
    let Some(message) = mail_parser::MessageParser::default().parse(raw) else {
        return false;
    };
    message
        .parts
        .iter()
        .any(|part| part.text_contents().is_some_and(|text| holds(text, wanted)))
}

fn holds(text: &str, wanted: &[u8]) -> bool {
    text.to_lowercase()
        .contains(&String::from_utf8_lossy(wanted).to_lowercase())
}

fn sent_day(raw: &[u8]) -> Option<i64> {
    let message = mail_parser::MessageParser::default().parse_headers(raw)?;
    message
        .date()
        .map(|date| date.to_timestamp().div_euclid(DAY))
}

fn day_of(date: &imap_codec::imap_types::datetime::NaiveDate) -> i64 {
    date.as_ref()
        .and_hms_opt(0, 0, 0)
        .map_or(0, |time| time.and_utc().timestamp().div_euclid(DAY))
}
