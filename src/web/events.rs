//! An invitation as a card: what, when in the reader's zone, where, who, and what is asked.

use super::format;
use crate::mail::calendar::{Attendee, Calendar};

/// People shown before the rest is folded.
const PEOPLE_SHOWN: usize = 6;

/// What a page shows of an event.
#[derive(Debug, Clone)]
pub(super) struct Card {
    /// What is asked: `Invitation`, `Cancelled` …
    pub(super) purpose: &'static str,
    /// A word for the style sheet: `good`, `bad`, `warn` or nothing.
    pub(super) tone: &'static str,
    /// The title.
    pub(super) title: String,
    /// When.
    pub(super) when: When,
    /// How it repeats, in words.
    pub(super) repeats: Option<String>,
    /// Where.
    pub(super) place: String,
    /// Where it takes place online.
    pub(super) link: Option<String>,
    /// Who invites.
    pub(super) organizer: String,
    /// Who is invited: the first few.
    pub(super) people: Vec<Person>,
    /// The others.
    pub(super) others: Vec<Person>,
    /// What the calendar says beyond the message's own text.
    pub(super) description: String,
    /// Where the .ics file is.
    pub(super) file_url: Option<String>,
}

/// Somebody invited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    /// Name, or address where there is none.
    pub(super) name: String,
    /// The address.
    pub(super) address: String,
    /// The answer in a word; empty when there is none yet.
    pub(super) answer: &'static str,
}

impl Card {
    /// The card of an event; `text` is what the message shows anyway.
    #[must_use]
    pub(super) fn new(calendar: &Calendar, text: &str, file_url: Option<String>) -> Self {
        let purpose = calendar.purpose();
        let tone = match purpose {
            "Accepted" => "good",
            "Cancelled" | "Declined" => "bad",
            "Updated invitation" | "New time proposed" | "Tentatively accepted" => "warn",
            _ => "",
        };
        let mut people: Vec<Person> = calendar.people.iter().map(Person::new).collect();
        let others = people.split_off(people.len().min(PEOPLE_SHOWN));
        Self {
            purpose,
            tone,
            title: or(&calendar.summary, "(no title)"),
            when: When::new(calendar),
            repeats: calendar.recurrence.clone(),
            place: calendar.location.clone(),
            link: calendar.meeting_url.clone(),
            organizer: named(&calendar.organizer_name, &calendar.organizer),
            people,
            others,
            description: beyond(&calendar.description, text),
            file_url,
        }
    }
}

impl Person {
    fn new(who: &Attendee) -> Self {
        let answer = match who.answer.as_str() {
            "ACCEPTED" => "accepted",
            "DECLINED" => "declined",
            "TENTATIVE" => "maybe",
            "DELEGATED" => "delegated",
            _ => "",
        };
        Self {
            name: or(&who.name, &who.address),
            address: who.address.clone(),
            answer,
        }
    }
}

fn or(text: &str, otherwise: &str) -> String {
    let text = text.trim();
    if text.is_empty() { otherwise } else { text }.to_owned()
}

fn named(name: &str, address: &str) -> String {
    if name.trim().is_empty() || name == address {
        address.to_owned()
    } else if address.is_empty() {
        name.to_owned()
    } else {
        format!("{name} <{address}>")
    }
}

/// The description, unless the message's text holds it already.
fn beyond(description: &str, text: &str) -> String {
    let plain = |text: &str| -> String { text.chars().filter(|c| c.is_alphanumeric()).collect() };
    let wanted = plain(description);
    if plain(text).contains(&wanted) {
        String::new()
    } else {
        description.to_owned()
    }
}

/// When an event takes place: words in the event's own zone, and where it is known exactly, the times that
/// a browser with scripts shows in the reader's zone.
#[derive(Debug, Clone)]
pub(super) struct When {
    /// In the event's own zone, which is named.
    pub(super) words: String,
    /// Start and end for the `datetime` attribute.
    pub(super) exact: Option<(String, String)>,
}

impl When {
    fn new(calendar: &Calendar) -> Self {
        let starts_at = calendar.starts.as_ref().and_then(|moment| moment.at);
        let ends_at = calendar.ends.as_ref().and_then(|moment| moment.at);
        Self {
            words: or(&calendar.when(), "No time given"),
            exact: starts_at.map(|starts_at| {
                let ends_at = ends_at.filter(|at| *at > starts_at).unwrap_or(starts_at);
                (format::iso(starts_at), format::iso(ends_at))
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::calendar;

    #[test]
    fn many_people_are_folded_and_a_known_description_is_not_repeated() {
        let people: String = (0..20)
            .map(|n| format!("ATTENDEE;CN=P{n};PARTSTAT=ACCEPTED:mailto:p{n}@example.org\r\n"))
            .collect();
        let text = format!(
            "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Plan\r\nDTSTART:20240501T090000Z\r\n\
             DTEND:20240501T100000Z\r\nDESCRIPTION:Bring\\nsamples.\r\n{people}END:VEVENT\r\nEND:VCALENDAR\r\n"
        );
        let calendar = calendar::read(&text).unwrap();
        let card = Card::new(&calendar, "Please: bring samples", None);
        assert_eq!((card.people.len(), card.others.len()), (PEOPLE_SHOWN, 14));
        assert_eq!(card.people[0].answer, "accepted");
        assert_eq!(card.description, "Bring\nsamples.");
        assert_eq!(Card::new(&calendar, "Bring samples!", None).description, "");
        assert_eq!(
            card.when.exact,
            Some((
                "2024-05-01T09:00:00Z".to_owned(),
                "2024-05-01T10:00:00Z".to_owned()
            ))
        );
    }
}
