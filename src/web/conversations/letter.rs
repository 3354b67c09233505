//! One message of a conversation as shown: its text and what stands around it.

use crate::mail::html::preview;
use crate::mail::trust::{Assessment, Finding, Severity};
use crate::mail::{Protection, quote};
use crate::model::{Contact, Delivery, Direction, Kind, Message, PlacedBy, Word as _};
use crate::store::Db;
use crate::web::context::Context;
use crate::web::error::Error;
use crate::web::events::Card;
use crate::web::files::{self, File};
use crate::web::format;
use crate::web::page::Html;
use crate::web::readings::{self, Reading};

/// What stands around a message's text, read from its bytes.
#[derive(Debug, Clone, Default)]
pub(super) struct Around {
    /// How far its sender can be believed.
    pub(super) trust: Assessment,
    /// What the receiving server recorded, in words; empty when it recorded nothing.
    pub(super) checks: String,
    /// The event it is about.
    pub(super) event: Option<Card>,
    /// How it is signed or encrypted.
    pub(super) protection: Option<Protection>,
    /// Where its sender lets it be read, when it stays there.
    pub(super) reading_page: Option<String>,
}

impl Around {
    /// Reads what stands around each message of a conversation with this contact.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) fn list(
        db: &Db,
        context: &Context,
        contact: &Contact,
        messages: Vec<Message>,
    ) -> Result<Vec<(Message, Self)>, Error> {
        let readings = context.readings.list(db, &messages)?;
        let known = context.readings.known(db, context.now())?;
        messages
            .into_iter()
            .zip(readings)
            .map(|(message, reading)| {
                let around = Self {
                    trust: readings::assess(db, &message, contact, &reading, &known)?,
                    checks: checks(&reading),
                    event: event(&message, &reading),
                    protection: reading.protection,
                    reading_page: reading.reading_page.clone(),
                };
                Ok((message, around))
            })
            .collect()
    }
}

fn event(message: &Message, reading: &Reading) -> Option<Card> {
    let calendar = reading.calendar.as_ref()?;
    let file = message
        .attachments
        .iter()
        .find(|file| files::is_calendar(file));
    let url = file.map(|file| format!("/attachments/{}", file.id));
    Some(Card::new(calendar, &message.text, url))
}

/// "SPF pass, DKIM pass, DMARC fail": for who wants to know exactly.
fn checks(reading: &Reading) -> String {
    let Some(verdicts) = &reading.evidence.verdicts else {
        return String::new();
    };
    let all = &verdicts.authentication;
    [
        ("SPF", &all.spf),
        ("DKIM", &all.dkim),
        ("DMARC", &all.dmarc),
        ("Microsoft's sum", &verdicts.composite),
    ]
    .into_iter()
    .filter_map(|(name, word)| word.as_ref().map(|word| format!("{name} {word}")))
    .collect::<Vec<_>>()
    .join(", ")
}

/// A message as shown.
#[derive(Debug, Clone)]
pub(super) struct Letter {
    pub(super) message: Message,
    /// Its newest words are shown, not only a line.
    pub(super) open: bool,
    /// What stands around its text.
    pub(super) around: Around,
    /// New text, when the message has no HTML.
    pub(super) text: Html,
    /// The signature under it, when the message has no HTML.
    pub(super) signature: Option<Html>,
    /// The whole text with what it quotes, when that is more.
    pub(super) whole: Option<Html>,
    /// Files beside the text.
    pub(super) files: Vec<File>,
    /// First words, for the folded line.
    pub(super) preview: String,
}

impl Letter {
    pub(super) fn new(message: Message, around: Around, open: bool) -> Self {
        let is_new = !message.reply_text.trim().is_empty();
        let shown = if is_new {
            &message.reply_text
        } else {
            &message.text
        };
        let is_plain = !message.has_html;
        let signature = (is_plain && is_new)
            .then(|| quote::split(&message.subject, &message.text, None).signature)
            .filter(|signature| !signature.trim().is_empty())
            .map(|signature| Html::of_mail(&signature));
        let whole = (is_plain && message.quoted).then(|| Html::of_mail(&message.text));
        let on_card = around.event.as_ref().and_then(|card| card.file_url.clone());
        let files = message
            .attachments
            .iter()
            .filter(|file| !file.inline || is_plain)
            .map(File::stored)
            .filter(|file| Some(&file.url) != on_card.as_ref())
            .collect();
        Self {
            open,
            text: Html::of_mail(shown),
            signature,
            whole,
            files,
            preview: preview(shown, 140),
            around,
            message,
        }
    }

    /// Why its text cannot be read here.
    pub(super) fn locked(&self) -> Option<Protection> {
        self.around
            .protection
            .filter(|protection| !protection.is_readable())
    }

    /// That it is signed.
    pub(super) fn signed(&self) -> Option<Protection> {
        self.around
            .protection
            .filter(|protection| protection.is_readable())
    }

    /// Whether there is nothing to read and nothing to open.
    pub(super) fn is_empty(&self) -> bool {
        !self.message.has_html
            && self.message.text.trim().is_empty()
            && self.around.event.is_none()
            && self.around.protection.is_none()
    }

    /// Whether there is text to show, when there is no HTML.
    pub(super) fn has_text(&self) -> bool {
        !self.message.text.trim().is_empty()
    }

    /// Whether its columns stand only in letters of one width.
    pub(super) fn is_tabular(&self) -> bool {
        is_tabular(&self.message.text)
    }

    /// Findings that must not be overlooked.
    pub(super) fn warnings(&self) -> Vec<&Finding> {
        let loud = |finding: &&Finding| finding.severity > Severity::Info;
        self.around.trust.findings.iter().filter(loud).collect()
    }

    /// Findings that are only good to know.
    pub(super) fn remarks(&self) -> Vec<&Finding> {
        let quiet = |finding: &&Finding| finding.severity == Severity::Info;
        self.around.trust.findings.iter().filter(quiet).collect()
    }

    /// Whether the folded line must warn as well.
    pub(super) fn is_suspicious(&self) -> bool {
        let loudest = self.around.trust.findings.first();
        loudest.is_some_and(|finding| finding.severity == Severity::Danger)
    }

    /// Changes when the message must be drawn again.
    pub(super) fn version(&self) -> String {
        let delivery = self
            .message
            .delivery
            .as_ref()
            .map_or_else(String::new, |delivery| {
                let (state, attempts) = (delivery.state.word(), delivery.attempts);
                let problem = delivery
                    .problem
                    .as_ref()
                    .map_or("", |problem| problem.code.as_str());
                let (at, unless) = (delivery.next_attempt_at, delivery.unless_answered);
                let by = delivery.stopped_by.word();
                format!("{state}-{attempts}-{at}-{unless}-{by}-{problem}")
            });
        let placed = self.message.placed_by.word();
        format!(
            "{}-{}-{placed}-{delivery}",
            self.message.id,
            u8::from(self.open)
        )
    }

    pub(super) fn who(&self) -> &str {
        match (&self.message.agent_name, self.message.from.name.as_str()) {
            (Some(name), _) => name,
            (None, "") if self.message.from.address.is_empty() => "Unknown sender",
            (None, "") => &self.message.from.address,
            (None, name) => name,
        }
    }

    /// How tall its frame is until the page has measured it: where no script runs, for good.
    pub(super) fn frame_height(&self) -> usize {
        const CHARS_OF_A_LINE: usize = 90;
        let lines = self.message.text.lines();
        let lines: usize = lines
            .map(|line| line.chars().count() / CHARS_OF_A_LINE + 1)
            .sum();
        (60 + lines * 24).clamp(140, 900)
    }

    pub(super) fn initials(&self) -> String {
        format::initials(self.who())
    }

    pub(super) fn tint(&self) -> u32 {
        format::tint(self.who())
    }

    pub(super) fn is_ours(&self) -> bool {
        self.message.direction == Direction::Outgoing
    }

    /// A word on what wrote it, when that was not a person.
    pub(super) fn kind_label(&self) -> Option<&'static str> {
        match self.message.kind {
            Kind::Message => None,
            Kind::AutoReply => Some("Automatic reply"),
            Kind::Bounce => Some("Delivery report"),
            Kind::List => Some("Mailing list"),
            Kind::Notification => Some("Automatic message"),
        }
    }

    /// Why it is in this conversation, in words.
    pub(super) fn placed(&self) -> &'static str {
        match self.message.placed_by {
            PlacedBy::Unknown => "",
            PlacedBy::Written => "Written in this conversation.",
            PlacedBy::OwnId => "Earlier messages here speak of it.",
            PlacedBy::OurId => "It answers a message of ours (by its Message-ID).",
            PlacedBy::InReplyTo => "It answers a message here (In-Reply-To).",
            PlacedBy::References => "It names earlier messages here (References).",
            PlacedBy::Report => "It is a report about a reply in this conversation.",
            PlacedBy::ThreadIndex => "Outlook counts it to this conversation (Thread-Index).",
            PlacedBy::Subject => {
                "Same sender and subject as shortly before; it names no message here."
            }
            PlacedBy::NewSubject => {
                "It answers an older conversation under a new subject, so it began this one."
            }
            PlacedBy::New => {
                "It answers nothing that is known here, so it began this conversation."
            }
            PlacedBy::Moved => "A colleague moved it here.",
        }
    }

    pub(super) fn delivery(&self) -> Option<&Delivery> {
        self.message.delivery.as_ref()
    }
}

/// Lines with columns that make a table.
const TABLE_LINES: usize = 3;

/// Whether a text draws a table by spaces: several lines with wide gaps inside.
fn is_tabular(text: &str) -> bool {
    let has_gap = |line: &&str| {
        let line = line.trim();
        line.contains("   ") || line.contains('\t') || line.matches(" | ").count() > 1
    };
    text.lines().filter(has_gap).take(TABLE_LINES).count() == TABLE_LINES
}

#[cfg(test)]
mod tests {
    use super::is_tabular;

    #[test]
    fn a_table_drawn_by_spaces_is_seen_and_ordinary_text_is_not() {
        assert!(is_tabular("node   state\n   1   ok\n   2   lost\n"));
        assert!(!is_tabular(
            "Hello,\n\n    this is indented\n    and so is this\n    and this\n"
        ));
    }
}
