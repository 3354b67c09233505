//! The timeline of a conversation: messages, notes and events in the order of time.

use super::letter::{Around, Letter};
use crate::mail::html::text_to_html;
use crate::model::{DeliveryState, Event, EventKind, Message, MessageId, Note, StoppedBy};
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
    /// A reply that did not leave because mail came first.
    Stopped(Stopped),
}

/// A reply that did not leave because mail came first.
#[derive(Debug, Clone)]
pub(super) struct Stopped {
    /// The reply.
    pub(super) message_id: MessageId,
    /// When the mail came.
    pub(super) at: i64,
}

impl Stopped {
    fn of(message: &Message) -> Option<Self> {
        let delivery = message.delivery.as_ref()?;
        let stopped =
            delivery.state == DeliveryState::Cancelled && delivery.stopped_by == StoppedBy::Answer;
        Some(Self {
            message_id: message.id,
            at: delivery.finished_at.filter(|_| stopped)?,
        })
    }
}

impl Entry {
    fn at(&self) -> (i64, u8) {
        match self {
            Self::Event(event) => (event.created_at, 1),
            Self::Stopped(stopped) => (stopped.at, 1),
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

/// Puts messages (with what was read of each), notes and events in the order of time.
pub(super) fn timeline(
    messages: Vec<(Message, Around)>,
    notes: Vec<Note>,
    events: Vec<Event>,
    seen: usize,
) -> Vec<Entry> {
    let count = messages.len();
    let first_open = count.saturating_sub(OPEN_MESSAGES).min(seen);
    let stopped: Vec<Entry> = messages
        .iter()
        .filter_map(|(message, _)| Stopped::of(message).map(Entry::Stopped))
        .collect();
    let mut entries: Vec<Entry> = messages
        .into_iter()
        .enumerate()
        .map(|(place, (message, around))| {
            let stuck = message.delivery.as_ref().is_some_and(|delivery| {
                !matches!(
                    delivery.state,
                    DeliveryState::Sent | DeliveryState::Cancelled
                )
            });
            let open = place >= first_open || stuck;
            Entry::Message(Box::new(Letter::new(message, around, open)))
        })
        .collect();
    entries.extend(notes.into_iter().map(|note| {
        let html = Html::of_text(&note.text);
        Entry::Note(Remark { note, html })
    }));
    entries.extend(events.into_iter().map(Entry::Event));
    entries.extend(stopped);
    entries.sort_by_key(Entry::at);
    entries
}

impl Html {
    /// Text with its addresses made links.
    pub(super) fn of_text(text: &str) -> Self {
        Self::escaped(text_to_html(text.trim()))
    }

    /// The text of a message: the same, with its spaces and lines as they are, for a style that keeps them.
    pub(in crate::web) fn of_mail(text: &str) -> Self {
        let text = text.trim_end().trim_start_matches(['\n', '\r']);
        Self::escaped(text_to_html(text).replace("<br>\n", "\n"))
    }
}
