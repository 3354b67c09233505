//! A meeting request in winmail.dat as an event (MS-OXOCAL).

use super::message::Message;
use crate::mail::calendar::{self, Attendee, Calendar, Moment};

/// The event, when the message is about one.
pub(super) fn of(message: &Message<'_>) -> Option<Calendar> {
    let class = message.class.to_ascii_lowercase();
    let (method, answer) = method(&class)?;
    let appointment = &message.appointment;
    let moment = |at: Option<i64>| {
        let moment = calendar::instant(at?, &appointment.zone)?;
        Some(if appointment.all_day {
            moment.whole_day()
        } else {
            moment
        })
    };
    let (starts, ends) = (moment(appointment.start), moment(appointment.end));
    // A request or cancellation comes from the organizer, an answer from somebody invited.
    let from = &message.from;
    let mut found = Calendar {
        method: method.to_owned(),
        summary: message.subject.clone(),
        start: starts.as_ref().map(ToString::to_string).unwrap_or_default(),
        end: ends.as_ref().map(ToString::to_string).unwrap_or_default(),
        location: appointment.location.clone(),
        uid: uid(&appointment.uid),
        sequence: appointment.sequence,
        recurrence: Some(appointment.recurrence.clone()).filter(|words| !words.is_empty()),
        meeting_url: meeting_url(message),
        starts,
        ends,
        ..Calendar::default()
    };
    let address = if from.address.contains('@') {
        from.address.clone()
    } else {
        String::new()
    };
    if method == "REPLY" {
        found.attendees = vec![address.clone()];
        found.people = vec![Attendee {
            name: from.name.clone(),
            address,
            answer: answer.to_owned(),
            role: String::new(),
        }];
    } else {
        found.organizer = address;
        found.organizer_name = from.name.clone();
        let invited = message.recipients.iter().filter(|who| who.role != 0);
        found.people = invited
            .map(|who| Attendee {
                name: who.name.clone(),
                address: who.address.clone(),
                ..Attendee::default()
            })
            .collect();
        found.attendees = found.people.iter().map(|who| who.address.clone()).collect();
    }
    Some(found)
}

fn meeting_url(message: &Message<'_>) -> Option<String> {
    let (text, html) = message.bodies();
    let link = |body: String| calendar::meeting_link(&body);
    let in_html = || Some(html.and_then(link)?.replace("&amp;", "&"));
    text.and_then(link).or_else(in_html)
}

/// What a message class asks, under its own and its old name (MS-OXTNEF section 2.1.3.3.7).
fn method(class: &str) -> Option<(&'static str, &'static str)> {
    let ends = |end: &str| class.ends_with(end);
    if class == "ipm.appointment" || class.starts_with("ipm.appointment.") {
        return Some(("PUBLISH", ""));
    }
    if class.starts_with("ipm.schedule.meeting.") {
        return Some(match class {
            _ if ends(".request") => ("REQUEST", ""),
            _ if ends(".canceled") => ("CANCEL", ""),
            _ if ends(".resp.pos") => ("REPLY", "ACCEPTED"),
            _ if ends(".resp.neg") => ("REPLY", "DECLINED"),
            _ if ends(".resp.tent") => ("REPLY", "TENTATIVE"),
            _ => ("", ""),
        });
    }
    Some(match class.strip_prefix("ipm.microsoft schedule.")? {
        "mtgreq" => ("REQUEST", ""),
        "mtgcncl" => ("CANCEL", ""),
        "mtgrespp" => ("REPLY", "ACCEPTED"),
        "mtgrespn" => ("REPLY", "DECLINED"),
        "mtgrespa" => ("REPLY", "TENTATIVE"),
        _ => ("", ""),
    })
}

/// The event as a calendar that other programs read (RFC 5545); empty when nobody knows when it is.
pub(super) fn as_calendar(event: &Calendar) -> String {
    let time = |name: &str, moment: Option<&Moment>| -> String {
        let Some(moment) = moment else {
            return String::new();
        };
        let utc = moment
            .at
            .and_then(|at| chrono::DateTime::from_timestamp(at, 0));
        match utc {
            Some(utc) => format!("{name}:{}\r\n", utc.format("%Y%m%dT%H%M%SZ")),
            None => format!("{name};VALUE=DATE:{}\r\n", moment.local.format("%Y%m%d")),
        }
    };
    let text = |name: &str, text: &str| -> String {
        let escaped = text
            .replace('\\', "\\\\")
            .replace(',', "\\,")
            .replace(';', "\\;");
        let line: String = escaped.chars().filter(|c| !c.is_control()).collect();
        format!("{name}:{line}\r\n")
    };
    let start = time("DTSTART", event.starts.as_ref());
    if start.is_empty() {
        return String::new();
    }
    let end = time("DTEND", event.ends.as_ref());
    let summary = text("SUMMARY", &event.summary);
    let location = text("LOCATION", &event.location);
    let uid = text("UID", &event.uid);
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Mailhatch//winmail.dat//EN\r\nMETHOD:{}\r\nBEGIN:VEVENT\r\n\
         {uid}{start}{end}{summary}{location}END:VEVENT\r\nEND:VCALENDAR\r\n",
        event.method
    )
}

/// The identity as iCalendar writes it (MS-OXOCAL section 2.2.1.27): what came from a calendar holds its
/// text, anything else is written in hexadecimal.
fn uid(id: &[u8]) -> String {
    const FOREIGN: &[u8] = b"vCal-Uid\x01\0\0\0";
    if let Some(at) = id.windows(FOREIGN.len()).position(|part| part == FOREIGN) {
        let text = id.get(at + FOREIGN.len()..).unwrap_or_default();
        let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
        return String::from_utf8_lossy(text).into_owned();
    }
    let digits = id.iter().take(500).map(|byte| format!("{byte:02X}"));
    digits.collect()
}
