//! The timeline of a conversation: messages, notes and events in the order of time.

use crate::mail::html::{preview, text_to_html};
use crate::model::{
    Address, Attachment, Delivery, DeliveryState, Direction, Event, EventKind, Kind, Message, Note,
    PlacedBy, Word as _,
};
use crate::web::format;
use crate::web::page::Html;

/// Messages shown open; older ones are folded to a line.
const OPEN_MESSAGES: usize = 3;

/// One thing in the timeline.
#[derive(Debug, Clone)]
pub(super) enum Entry {
    /// A message.
    Message(Box<Letter>),
    /// An internal remark.
    Note(Remark),
    /// A logged change.
    Event(Event),
}

impl Entry {
    fn at(&self) -> (i64, u8) {
        match self {
            Self::Event(event) => (event.created_at, 1),
            Self::Message(letter) => (letter.message.sent_at, 0),
            Self::Note(remark) => (remark.note.created_at, 2),
        }
    }
}

/// A note as shown.
#[derive(Debug, Clone)]
pub(super) struct Remark {
    pub(super) note: Note,
    pub(super) html: Html,
}

/// A message as shown.
#[derive(Debug, Clone)]
pub(super) struct Letter {
    pub(super) message: Message,
    /// Its newest words are shown, not only a line.
    pub(super) open: bool,
    /// New text, when the message has no HTML.
    pub(super) text: Html,
    /// The whole text with what it quotes, when that is more.
    pub(super) whole: Option<Html>,
    /// Files beside the text.
    pub(super) files: Vec<Attachment>,
    /// First words, for the folded line.
    pub(super) preview: String,
}

impl Letter {
    fn new(message: Message, open: bool) -> Self {
        let shown = if message.reply_text.trim().is_empty() {
            &message.text
        } else {
            &message.reply_text
        };
        let whole = (!message.has_html && message.quoted).then(|| Html::of_text(&message.text));
        let files = message
            .attachments
            .iter()
            .filter(|file| !file.inline || !message.has_html)
            .cloned()
            .collect();
        Self {
            open,
            text: Html::of_text(shown),
            whole,
            files,
            preview: preview(shown, 140),
            message,
        }
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
                format!("{state}-{attempts}-{}-{problem}", delivery.next_attempt_at)
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

/// Addresses in a row.
pub(super) fn people(list: &[Address]) -> String {
    let label = |who: &Address| {
        if who.name.is_empty() {
            who.address.clone()
        } else {
            who.name.clone()
        }
    };
    list.iter().map(label).collect::<Vec<_>>().join(", ")
}

/// Addresses in a row, in full.
pub(super) fn addresses(list: &[Address]) -> String {
    list.iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

/// An event in words.
pub(super) fn words(event: &Event) -> String {
    let who = event.agent_name.as_deref();
    match (event.kind, who) {
        (EventKind::Assigned, Some(who)) if who == event.detail => format!("{who} took this"),
        (EventKind::Assigned, Some(who)) => format!("{who} gave this to {}", event.detail),
        (EventKind::Assigned, None) => format!("Given to {}", event.detail),
        (EventKind::Unassigned, Some(who)) => format!("{who} took this from everyone"),
        (EventKind::Unassigned, None) => "Taken from everyone".to_owned(),
        (EventKind::Closed, Some(who)) => format!("{who} closed this"),
        (EventKind::Closed, None) => "Closed".to_owned(),
        (EventKind::Reopened, Some(who)) => format!("{who} opened this again"),
        (EventKind::Reopened, None) => "New mail opened this again".to_owned(),
        (EventKind::Waiting, Some(who)) => format!("{who} set this to waiting for an answer"),
        (EventKind::Waiting, None) => "Waiting for an answer".to_owned(),
        (EventKind::Bounced, _) => format!("A reply came back: {}", event.detail),
        (EventKind::Delayed, _) => format!("A reply is held up on its way: {}", event.detail),
        (EventKind::MovedIn, who) => format!(
            "{} moved a message here from conversation {}",
            who.unwrap_or("A former agent"),
            event.detail
        ),
        (EventKind::MovedOut, who) => format!(
            "{} moved a message to conversation {}",
            who.unwrap_or("A former agent"),
            event.detail
        ),
    }
}

/// The icon of an event.
pub(super) fn icon(event: &Event) -> &'static str {
    match event.kind {
        EventKind::Assigned => "circle-user",
        EventKind::Unassigned => "user-x",
        EventKind::Closed => "circle-check",
        EventKind::Reopened => "rotate-ccw",
        EventKind::Waiting => "hourglass",
        EventKind::Bounced => "triangle-alert",
        EventKind::Delayed => "hourglass",
        EventKind::MovedIn | EventKind::MovedOut => "arrow-left",
    }
}

/// A delivery's state in words.
pub(in crate::web) fn state_label(state: &DeliveryState) -> &'static str {
    match state {
        DeliveryState::Queued => "Queued",
        DeliveryState::Sending => "Sending",
        DeliveryState::Sent => "Sent",
        DeliveryState::Failed => "Not sent",
        DeliveryState::Uncertain => "Uncertain",
        DeliveryState::Cancelled => "Cancelled",
    }
}

/// Puts messages, notes and events in the order of time.
pub(super) fn timeline(
    messages: Vec<Message>,
    notes: Vec<Note>,
    events: Vec<Event>,
    seen: usize,
) -> Vec<Entry> {
    let count = messages.len();
    let first_open = count.saturating_sub(OPEN_MESSAGES).min(seen);
    let mut entries: Vec<Entry> = messages
        .into_iter()
        .enumerate()
        .map(|(place, message)| {
            let stuck = message.delivery.as_ref().is_some_and(|delivery| {
                !matches!(
                    delivery.state,
                    DeliveryState::Sent | DeliveryState::Cancelled
                )
            });
            Entry::Message(Box::new(Letter::new(message, place >= first_open || stuck)))
        })
        .collect();
    entries.extend(notes.into_iter().map(|note| {
        let html = Html::of_text(&note.text);
        Entry::Note(Remark { note, html })
    }));
    entries.extend(events.into_iter().map(Entry::Event));
    entries.sort_by_key(Entry::at);
    entries
}

impl Html {
    /// Text with its addresses made links.
    pub(super) fn of_text(text: &str) -> Self {
        Self::escaped(text_to_html(text.trim()))
    }
}
