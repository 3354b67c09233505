//! The ledger held against the server: what a comparison found, and what became of one mail.

use std::fmt::Write as _;

use serde::Serialize;

use super::folder::{Fate, FateRow};
use super::ids::{ConversationId, DeliveryId, FolderId, MailboxId, MessageId};
use super::message::Direction;
use super::{DeliveryState, WayOut};

/// What a message is of which no row is kept: read from its header fields.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Label {
    /// Message-ID without angle brackets; empty when it is not known.
    pub internet_message_id: String,
    /// Who sent it.
    pub sender: String,
    /// Its subject.
    pub subject: String,
    /// Its Date.
    pub sent_at: Option<i64>,
}

impl Label {
    /// Nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What comparing a folder with its server found. Only messages from `first_uid` up to `next_uid` are
/// compared: what lies before was not wanted, what lies behind is new.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// UIDVALIDITY under which the UIDs count.
    pub uid_validity: u32,
    /// The first UID that was compared.
    pub first_uid: u32,
    /// The first UID that was not compared any more.
    pub next_uid: u32,
    /// Messages the server lists between the two.
    pub server_count: i64,
    /// Messages the server lists before `first_uid`.
    pub outside_count: i64,
    /// Messages the server counts and does not list.
    pub unlisted_count: i64,
    /// Fates whose message is no longer at the server.
    pub gone_count: i64,
    /// Messages at the server without a fate.
    pub missing_count: i64,
    /// Their first UIDs.
    pub missing: Vec<u32>,
}

/// Messages without a fate that were found by a comparison and have been taken since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recovered {
    /// How many.
    pub count: i64,
    /// Their first UIDs.
    pub uids: Vec<u32>,
    /// When the last of them was taken.
    pub at: i64,
}

/// How a folder stands against its server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LedgerCheck {
    /// The folder.
    pub folder_id: FolderId,
    /// When it is compared next.
    pub due_at: i64,
    /// What was found last, and when.
    pub last: Option<(i64, Comparison)>,
    /// Since when it differs.
    pub differs_since_at: Option<i64>,
    /// What a difference brought to light and was taken.
    pub recovered: Option<Recovered>,
}

/// How often a folder is compared with its server.
pub const COMPARED_EVERY_SECONDS: i64 = 86_400;

impl LedgerCheck {
    /// Whether it is to be compared now; also when its time was set by a clock that has been set back since.
    #[must_use]
    pub fn is_due(&self, now: i64) -> bool {
        self.due_at <= now || self.due_at > now.saturating_add(COMPARED_EVERY_SECONDS)
    }
}

impl Comparison {
    /// Every message at the server has its fate.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.missing_count == 0 && self.unlisted_count == 0
    }

    /// The outcome in words, without its time.
    #[must_use]
    pub fn verdict(&self) -> String {
        if self.missing_count > 0 {
            let (has, they) = match self.missing_count {
                1 => ("1 message at the server has no fate".to_owned(), "It is"),
                n => (
                    format!("{} messages at the server have no fate", grouped(n)),
                    "They are",
                ),
            };
            let uids = named(&self.missing, self.missing_count);
            return format!("{has}: {uids}. {they} being fetched.");
        }
        if self.unlisted_count > 0 {
            return format!(
                "The server counts {} more than it lists, so they cannot be named or fetched. Every message it lists has its fate: {}.",
                messages(self.unlisted_count),
                grouped(self.server_count)
            );
        }
        let count = grouped(self.server_count);
        format!("Agrees with the server: {count} of {count}.")
    }

    /// What else there is to know, in words; empty when there is nothing.
    #[must_use]
    pub fn besides(&self) -> String {
        let mut words = String::new();
        if self.gone_count > 0 {
            let has = if self.gone_count == 1 { "has" } else { "have" };
            // Writing to a String does not fail.
            let _ = write!(
                words,
                "{} seen earlier {has} since been moved or deleted there. ",
                messages(self.gone_count)
            );
        }
        if self.outside_count > 0 {
            let (lie, they) = match self.outside_count {
                1 => ("is", "it is"),
                _ => ("are", "they are"),
            };
            let _ = write!(
                words,
                "{} {lie} older than what was chosen when the mailbox was connected (before UID {}); {they} not part of this.",
                messages(self.outside_count),
                self.first_uid
            );
        }
        words.trim_end().to_owned()
    }
}

impl Recovered {
    /// What happened, in words, without its time.
    #[must_use]
    pub fn words(&self) -> String {
        let (had, it) = match self.count {
            1 => ("1 message".to_owned(), "It has"),
            n => (messages(n), "They have"),
        };
        let uids = named(&self.uids, self.count);
        format!("{had} without a fate had been found: {uids}. {it} been fetched.")
    }
}

fn messages(count: i64) -> String {
    match count {
        1 => "1 message".to_owned(),
        n => format!("{} messages", grouped(n)),
    }
}

/// `UID 17, 18 and 3 more`
fn named(uids: &[u32], count: i64) -> String {
    const SHOWN: usize = 20;
    let shown: Vec<String> = uids.iter().take(SHOWN).map(u32::to_string).collect();
    let more = count.saturating_sub(i64::try_from(shown.len()).unwrap_or(i64::MAX));
    let list = shown.join(", ");
    if more > 0 {
        format!("UID {list} and {} more", grouped(more))
    } else {
        format!("UID {list}")
    }
}

/// A number with a comma at each thousand.
fn grouped(number: i64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        let left = digits.len().saturating_sub(at);
        if at > 0 && left.is_multiple_of(3) && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Longest Message-ID that is searched for (RFC 5322 §2.1.1: no line is longer).
const ID_BYTES_MAX: usize = 998;

/// A Message-ID as people paste it, without the field's name, angle brackets and space; `None` when nothing is
/// left that could be one.
#[must_use]
pub fn bare_message_id(text: &str) -> Option<String> {
    let text = text.trim();
    let text = match text.split_once(':') {
        Some((name, rest)) if name.eq_ignore_ascii_case("message-id") => rest,
        _ => text,
    };
    let text = text.split_once('<').map_or(text, |(_, inside)| inside);
    let text = text.split_once('>').map_or(text, |(inside, _)| inside);
    let id = text.trim();
    (!id.is_empty() && id.len() <= ID_BYTES_MAX).then(|| id.to_owned())
}

/// A folder that differs from its server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differing {
    /// Whose folder it is.
    pub mailbox_id: MailboxId,
    /// The mailbox's address.
    pub mailbox: String,
    /// The folder's name as people read it.
    pub folder: String,
    /// How it stands.
    pub check: LedgerCheck,
}

/// One thing that is known of a Message-ID in one mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trace {
    /// The mailbox's address.
    pub mailbox: String,
    /// What is known.
    #[serde(flatten)]
    pub what: Traced,
}

/// What a search by Message-ID came upon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Traced {
    /// A stored message.
    Message(TracedMessage),
    /// A fate without a stored message.
    Fate {
        /// In which folder.
        folder: String,
        /// The fate.
        row: FateRow,
    },
    /// The message itself was not seen; others speak of it.
    Mentioned {
        /// In which conversation they are.
        conversation_id: ConversationId,
    },
}

/// A stored message with all that happened to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TracedMessage {
    /// The message.
    pub id: MessageId,
    /// Where it is shown.
    pub conversation_id: ConversationId,
    /// Its Message-ID as stored.
    pub internet_message_id: String,
    /// Which way it went.
    pub direction: Direction,
    /// Its subject.
    pub subject: String,
    /// Its Date.
    pub sent_at: i64,
    /// When it was stored.
    pub created_at: i64,
    /// How it left, if it was written here.
    pub delivery: Option<TracedDelivery>,
    /// Where it was seen.
    pub sightings: Vec<Sighting>,
}

/// How a message that was written here left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TracedDelivery {
    /// The delivery.
    pub id: DeliveryId,
    /// Where it stands.
    pub state: DeliveryState,
    /// By which way.
    pub way_out: Option<WayOut>,
    /// The Message-ID the provider gave it in place of ours.
    pub effective_message_id: Option<String>,
    /// When it was sent, failed or was cancelled.
    pub finished_at: Option<i64>,
}

/// Where a stored message was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sighting {
    /// What became of it there.
    pub fate: Fate,
    /// In which folder.
    pub folder: String,
    /// UIDVALIDITY it was seen under.
    pub uid_validity: u32,
    /// Its UID there.
    pub uid: u32,
    /// When.
    pub seen_at: i64,
}

impl TracedMessage {
    /// What became of it, in a sentence.
    #[must_use]
    pub fn words(&self) -> String {
        match (&self.delivery, self.direction) {
            (Some(delivery), _) => delivery.words(),
            (None, Direction::Incoming) => "Received as a message.".to_owned(),
            (None, Direction::Outgoing) => {
                "Sent from another program, such as Outlook, and taken from its copy.".to_owned()
            }
        }
    }
}

impl TracedDelivery {
    fn words(&self) -> String {
        let how = match self.state {
            DeliveryState::Queued => "it waits to be handed over",
            DeliveryState::Sending => "it is being handed over",
            DeliveryState::Sent => "the server has taken it",
            DeliveryState::Failed => "it failed, and a person must decide",
            DeliveryState::Uncertain => "it is not known yet whether it left",
            DeliveryState::Cancelled => "it was stopped before it left",
        };
        let renamed = self
            .effective_message_id
            .as_deref()
            .map_or_else(String::new, |id| {
                format!(
                    " The provider gave it the Message-ID {id}; the other side knows it by that."
                )
            });
        format!("Written here, delivery {}: {how}.{renamed}", self.id)
    }
}

impl Sighting {
    /// Where it was seen, in a sentence.
    #[must_use]
    pub fn words(&self) -> String {
        let at = format!("{}, UID {}", self.folder, self.uid);
        match self.fate {
            Fate::Duplicate => format!("Seen again in {at}: known already, not stored twice."),
            Fate::OwnCopy => format!("Our own copy seen in {at}."),
            _ => format!("Seen in {at}."),
        }
    }
}

impl FateRow {
    /// What became of a message that was not stored, in a sentence; the reason follows.
    #[must_use]
    pub const fn words(&self) -> &'static str {
        match self.fate {
            Fate::Received | Fate::Duplicate | Fate::OwnCopy => "Stored once; the message is gone.",
            Fate::Ignored => "Seen and left alone.",
            Fate::TooBig => "Seen, and too big to be taken.",
            Fate::Unreadable => "Seen, and set aside as unreadable.",
            Fate::Stub => "Seen; Exchange has not given it out yet.",
            Fate::Absent => "Listed by the server, which gives nothing for it.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(server: i64, missing: &[u32]) -> Comparison {
        Comparison {
            uid_validity: 7,
            first_uid: 1,
            next_uid: 9_000,
            server_count: server,
            outside_count: 0,
            unlisted_count: 0,
            gone_count: 0,
            missing_count: missing.len() as i64,
            missing: missing.to_vec(),
        }
    }

    #[test]
    fn a_comparison_is_told_in_words() {
        let agrees = found(4_312, &[]);
        assert!(agrees.agrees());
        assert_eq!(agrees.verdict(), "Agrees with the server: 4,312 of 4,312.");
        assert_eq!(agrees.besides(), "");
        let two = found(9, &[17, 18]);
        assert!(!two.agrees());
        assert_eq!(
            two.verdict(),
            "2 messages at the server have no fate: UID 17, 18. They are being fetched."
        );
        assert_eq!(
            found(9, &[17]).verdict(),
            "1 message at the server has no fate: UID 17. It is being fetched."
        );
        let many: Vec<u32> = (1..=1_030).collect();
        assert!(found(9, &many).verdict().contains(" 20 and 1,010 more."));
    }

    #[test]
    fn what_lies_outside_and_what_is_gone_is_said() {
        let mut some = found(9, &[]);
        some.gone_count = 12;
        some.outside_count = 1;
        some.first_uid = 512;
        let words = some.besides();
        assert!(
            words.contains("12 messages seen earlier have since been moved"),
            "{words}"
        );
        assert!(words.contains("1 message is older"), "{words}");
        assert!(words.contains("before UID 512"), "{words}");
        some.unlisted_count = 2;
        assert!(!some.agrees());
        assert!(
            some.verdict().contains("2 messages more than it lists"),
            "{}",
            some.verdict()
        );
    }

    #[test]
    fn a_message_id_is_understood_however_it_is_pasted() {
        for pasted in [
            "a@x",
            "<a@x>",
            "  <a@x> \r\n",
            "Message-ID: <a@x>",
            "message-id:a@x",
            "<a@x",
        ] {
            assert_eq!(bare_message_id(pasted).as_deref(), Some("a@x"), "{pasted}");
        }
        assert_eq!(bare_message_id("urn:a@x").as_deref(), Some("urn:a@x"));
        for nothing in ["", "  ", "<>", "Message-ID:"] {
            assert_eq!(bare_message_id(nothing), None, "{nothing}");
        }
        assert_eq!(bare_message_id(&"x".repeat(999)), None);
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        let all = [0, 999, 1_000, 12_345, 1_234_567, -1_000].map(grouped);
        assert_eq!(all, ["0", "999", "1,000", "12,345", "1,234,567", "-1,000"]);
    }
}
