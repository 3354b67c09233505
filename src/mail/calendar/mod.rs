//! Invitations: an event of an iCalendar object (RFC 5545, RFC 5546), as far as a reader of mail needs it.
//!
//! `lines` reads the content lines, `zone` finds out what a TZID means, `moment` says when, `recurrence`
//! puts a rule into words, and `meeting` finds the link of an online meeting.

mod lines;
mod meeting;
mod moment;
mod place;
mod recurrence;
mod zone;

use serde::Serialize;

use lines::{Component, Line};
pub(crate) use meeting::in_text as meeting_link;
pub use moment::Moment;
pub use place::Place;
use zone::Zones;
pub(crate) use zone::instant;

/// Attendees read of one event.
const ATTENDEES_MAX: usize = 1_000;
/// Longest description kept, in characters.
const TEXT_MAX: usize = 20_000;

/// An event and what is asked about it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Calendar {
    /// `REQUEST`, `REPLY`, `CANCEL` … (RFC 5546), upper case; empty when not given.
    pub method: String,
    /// The title.
    pub summary: String,
    /// Start: a date `2024-05-01`, or RFC 3339 with the offset of the event's own zone. A time that belongs
    /// to no zone has no offset; one whose zone is unknown is followed by a space and the zone's name.
    pub start: String,
    /// End, in the same forms; empty when not given. The end of a whole-day event is the day after it.
    pub end: String,
    /// Where.
    pub location: String,
    /// Address of who invites.
    pub organizer: String,
    /// Addresses of who is invited.
    pub attendees: Vec<String>,
    /// The event's identity across updates.
    pub uid: String,
    /// Name of who invites, when given.
    pub organizer_name: String,
    /// Who is invited, with names and answers; in the order of `attendees`.
    pub people: Vec<Attendee>,
    /// How often the event was changed; above 0 a request is an update (RFC 5546 section 2.1.4).
    pub sequence: u32,
    /// `CONFIRMED`, `TENTATIVE` or `CANCELLED`; empty when not given.
    pub status: String,
    /// How it repeats, as words that go on from "Repeats": `every week on Monday until 3 May 2025`.
    pub recurrence: Option<String>,
    /// What the organizer, or who answers, wrote.
    pub description: String,
    /// Where the meeting takes place online; always `http://` or `https://`.
    pub meeting_url: Option<String>,
    /// The start, to compute with.
    #[serde(skip)]
    pub starts: Option<Moment>,
    /// The end, to compute with.
    #[serde(skip)]
    pub ends: Option<Moment>,
    /// The one occurrence of a repeating event that this is about (RECURRENCE-ID).
    #[serde(skip)]
    pub occurrence: Option<Moment>,
}

/// Somebody invited.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Attendee {
    /// Name, when given.
    pub name: String,
    /// Address.
    pub address: String,
    /// The answer, PARTSTAT in upper case (`ACCEPTED`, `DECLINED`, `TENTATIVE`, `NEEDS-ACTION`); empty when
    /// not given.
    pub answer: String,
    /// ROLE in upper case (`REQ-PARTICIPANT`, `OPT-PARTICIPANT` …); empty when not given.
    pub role: String,
}

impl Calendar {
    /// When, in words and in the event's own zone: `Wednesday 1 May 2024, 09:00 – 10:00 (Europe/Berlin)`.
    /// What could not be read stands as the sender wrote it; empty when there is no start.
    #[must_use]
    pub fn when(&self) -> String {
        match &self.starts {
            Some(start) => moment::words(start, self.ends.as_ref()),
            None => self.start.clone(),
        }
    }

    /// What is asked, in a few words: `Invitation`, `Updated invitation`, `Cancelled`, `Accepted` …
    #[must_use]
    pub fn purpose(&self) -> &'static str {
        match self.method.as_str() {
            _ if self.status == "CANCELLED" => "Cancelled",
            "CANCEL" => "Cancelled",
            "REQUEST" if self.sequence > 0 => "Updated invitation",
            "REQUEST" => "Invitation",
            "COUNTER" => "New time proposed",
            "DECLINECOUNTER" => "Proposed time declined",
            "REFRESH" => "Asks for the latest version",
            "REPLY" => match self.people.first().map(|who| who.answer.as_str()) {
                Some("ACCEPTED") => "Accepted",
                Some("DECLINED") => "Declined",
                Some("TENTATIVE") => "Tentatively accepted",
                Some("DELEGATED") => "Delegated",
                _ => "Answer to an invitation",
            },
            _ => "Event",
        }
    }
}

/// Reads the event a calendar is about; `None` when it holds none.
///
/// Of several, the one that stands for the whole series counts, else the first.
#[must_use]
pub fn read(text: &str) -> Option<Calendar> {
    let root = lines::components(text);
    let mut events = Vec::new();
    root.collect("VEVENT", &mut events);
    let first = events.first()?;
    let uid = first.text("UID");
    let master = events.iter().find(|event| {
        event.text("UID") == uid && event.line("RECURRENCE-ID").is_none() && !uid.is_empty()
    });
    let zones = Zones::of(&root);
    let mut calendar = event(master.unwrap_or(first), &zones);
    calendar.method = root.first("METHOD").to_ascii_uppercase();
    Some(calendar)
}

fn event(event: &Component, zones: &Zones) -> Calendar {
    let mut starts = event
        .line("DTSTART")
        .and_then(|line| moment::read(line, zones));
    let mut ends = match (event.line("DTEND"), event.line("DURATION")) {
        (Some(line), _) => moment::read(line, zones),
        (None, Some(line)) => starts
            .as_ref()
            .and_then(|start| start.plus(&line.value, zones)),
        (None, None) => None,
    };
    // Outlook writes whole days as times from midnight to midnight (MS-OXCICAL section 2.1.3.1.1.20.1).
    if event
        .text("X-MICROSOFT-CDO-ALLDAYEVENT")
        .eq_ignore_ascii_case("TRUE")
    {
        starts = starts.map(Moment::whole_day);
        ends = ends.map(Moment::whole_day);
    }
    let as_text = |name: &str, moment: Option<&Moment>| match moment {
        Some(moment) => moment.to_string(),
        None => event.text(name),
    };
    let organizer = event.line("ORGANIZER").map(attendee).unwrap_or_default();
    let people: Vec<Attendee> = event
        .all("ATTENDEE")
        .take(ATTENDEES_MAX)
        .map(attendee)
        .collect();
    let comment = [event.text("COMMENT"), event.text("DESCRIPTION")];
    let description = comment
        .into_iter()
        .find(|text| !text.is_empty())
        .unwrap_or_default();
    Calendar {
        method: String::new(),
        summary: event.text("SUMMARY"),
        start: as_text("DTSTART", starts.as_ref()),
        end: as_text("DTEND", ends.as_ref()),
        location: event.text("LOCATION").replace('\n', ", "),
        organizer: organizer.address,
        attendees: people.iter().map(|who| who.address.clone()).collect(),
        uid: event.text("UID"),
        organizer_name: organizer.name,
        people,
        sequence: event.text("SEQUENCE").parse().unwrap_or_default(),
        status: event.text("STATUS").to_ascii_uppercase(),
        recurrence: recurrence::words(event, starts.as_ref(), zones),
        meeting_url: meeting::url(event),
        description: description.chars().take(TEXT_MAX).collect(),
        occurrence: event
            .line("RECURRENCE-ID")
            .and_then(|line| moment::read(line, zones)),
        starts,
        ends,
    }
}

fn attendee(line: &Line) -> Attendee {
    let upper = |name: &str| {
        line.parameter(name)
            .unwrap_or_default()
            .to_ascii_uppercase()
    };
    let written = address(&line.value);
    // Where the value is a server's own name for somebody, EMAIL has the usual address (RFC 7986 section 6.2).
    let address = match line.parameter("EMAIL") {
        Some(email) if !written.contains('@') || written.ends_with("@imip.me.com") => {
            email.trim().to_owned()
        }
        _ => written,
    };
    // Parameters have no such escapes, but many programs write them.
    let name = lines::unescape(line.parameter("CN").unwrap_or_default());
    Attendee {
        name: if name.eq_ignore_ascii_case(&address) {
            String::new()
        } else {
            name
        },
        address,
        answer: upper("PARTSTAT"),
        role: upper("ROLE"),
    }
}

fn address(value: &str) -> String {
    let value = value.trim();
    let bare = value
        .get(..7)
        .filter(|scheme| scheme.eq_ignore_ascii_case("mailto:"))
        .and_then(|_| value.get(7..));
    bare.unwrap_or(value).trim().to_owned()
}

#[cfg(test)]
mod tests;
