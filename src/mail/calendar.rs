//! Invitations: the first event of an iCalendar object (RFC 5545), as far as a reader of mail needs it.

use serde::Serialize;

/// Content lines read of one calendar.
const LINES_MAX: usize = 20_000;

/// The first event of a calendar.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Calendar {
    /// `REQUEST`, `REPLY`, `CANCEL` … (RFC 5546), upper case; empty when not given.
    pub method: String,
    /// The title.
    pub summary: String,
    /// Start: a date `2024-05-01`, or a local time `2024-05-01T09:00:00` followed by `Z` for UTC or by a
    /// space and the time zone's name.
    pub start: String,
    /// End, in the same forms; empty when not given.
    pub end: String,
    /// Where.
    pub location: String,
    /// Address of who invites.
    pub organizer: String,
    /// Addresses of who is invited.
    pub attendees: Vec<String>,
    /// The event's identity across updates.
    pub uid: String,
}

/// Reads the first VEVENT; `None` when there is none.
#[must_use]
pub fn read(text: &str) -> Option<Calendar> {
    let mut calendar = Calendar::default();
    let mut open: Vec<String> = Vec::new();
    let mut found = false;
    for line in unfold(text) {
        let Some((name, parameters, value)) = content_line(&line) else {
            continue;
        };
        match name.as_str() {
            "BEGIN" => {
                if open.len() < 20 {
                    open.push(value.trim().to_ascii_uppercase());
                }
                found |= value.trim().eq_ignore_ascii_case("VEVENT");
            }
            "END" if open.pop().as_deref() == Some("VEVENT") => break,
            "END" => {}
            "METHOD" if calendar.method.is_empty() => {
                calendar.method = value.trim().to_ascii_uppercase();
            }
            _ if open.last().is_some_and(|part| part == "VEVENT") => {
                property(&mut calendar, &name, &parameters, value);
            }
            _ => {}
        }
    }
    found.then_some(calendar)
}

fn property(calendar: &mut Calendar, name: &str, parameters: &[(String, String)], value: &str) {
    let zone = parameters
        .iter()
        .find(|(key, _)| key == "TZID")
        .map(|(_, zone)| zone.as_str());
    match name {
        "SUMMARY" if calendar.summary.is_empty() => calendar.summary = unescape(value),
        "LOCATION" if calendar.location.is_empty() => calendar.location = unescape(value),
        "UID" if calendar.uid.is_empty() => value.trim().clone_into(&mut calendar.uid),
        "DTSTART" => calendar.start = moment(value, zone),
        "DTEND" => calendar.end = moment(value, zone),
        "ORGANIZER" => calendar.organizer = address(value),
        "ATTENDEE" if calendar.attendees.len() < 1_000 => calendar.attendees.push(address(value)),
        _ => {}
    }
}

/// Undoes line folding (section 3.1).
fn unfold(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines().take(LINES_MAX) {
        let line = line.trim_end_matches('\r');
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(more), Some(last)) => last.push_str(more),
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}

type Parameters = Vec<(String, String)>;

/// `NAME;PARAM="x:y";P2=z:value`: the colon that ends the parameters is the first outside quotes.
fn content_line(line: &str) -> Option<(String, Parameters, &str)> {
    let mut quoted = false;
    let at = line.char_indices().find_map(|(at, c)| {
        if c == '"' {
            quoted = !quoted;
        }
        (c == ':' && !quoted).then_some(at)
    })?;
    let (head, value) = line.split_at_checked(at)?;
    let value = value.strip_prefix(':')?;
    let mut pieces = head.split(';');
    let name = pieces.next()?.trim().to_ascii_uppercase();
    let parameters = pieces
        .filter_map(|piece| piece.split_once('='))
        .map(|(key, value)| {
            (
                key.trim().to_ascii_uppercase(),
                value.trim_matches('"').to_owned(),
            )
        })
        .collect();
    Some((name, parameters, value))
}

/// Undoes the escapes of text values (section 3.3.11).
fn unescape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some('n' | 'N') => out.push('\n'),
                Some(other) => out.push(other),
                None => {}
            },
            (c, false) => out.push(c),
        }
    }
    out.trim().to_owned()
}

fn address(value: &str) -> String {
    let value = value.trim();
    let bare = value
        .get(..7)
        .filter(|scheme| scheme.eq_ignore_ascii_case("mailto:"))
        .and_then(|_| value.get(7..));
    bare.unwrap_or(value).trim().to_owned()
}

/// `20240501T090000Z` as `2024-05-01T09:00:00Z`; anything else as it stands.
fn moment(value: &str, zone: Option<&str>) -> String {
    let value = value.trim();
    let utc = value.ends_with(['Z', 'z']);
    let digits = value.trim_end_matches(['Z', 'z']);
    let (date, time) = digits.split_once(['T', 't']).unwrap_or((digits, ""));
    let piece =
        |text: &str, from: usize, to: usize| text.get(from..to).unwrap_or_default().to_owned();
    let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if date.len() != 8
        || !all_digits(date)
        || !(time.is_empty() || (time.len() == 6 && all_digits(time)))
    {
        return value.to_owned();
    }
    let mut out = format!(
        "{}-{}-{}",
        piece(date, 0, 4),
        piece(date, 4, 6),
        piece(date, 6, 8)
    );
    if !time.is_empty() {
        out.push_str(&format!(
            "T{}:{}:{}",
            piece(time, 0, 2),
            piece(time, 2, 4),
            piece(time, 4, 6)
        ));
        if utc {
            out.push('Z');
        } else if let Some(zone) = zone {
            out.push(' ');
            out.push_str(zone);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invitation_is_read_with_folded_lines_and_alarms_left_aside() {
        let text = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Plan\\, \r\n then act\r\n\
                    DTSTART;TZID=\"W. Europe Standard Time\":20240501T090000\r\nDTEND:20240501T100000Z\r\n\
                    ORGANIZER;CN=\"Ada: L\":MAILTO:ada@example.com\r\nATTENDEE:mailto:b@example.com\r\n\
                    BEGIN:VALARM\r\nSUMMARY:alarm\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        let calendar = read(text).unwrap();
        assert_eq!(calendar.summary, "Plan, then act");
        assert_eq!(
            calendar.start,
            "2024-05-01T09:00:00 W. Europe Standard Time"
        );
        assert_eq!(calendar.end, "2024-05-01T10:00:00Z");
        assert_eq!(calendar.organizer, "ada@example.com");
        assert_eq!(calendar.attendees, ["b@example.com"]);
        assert_eq!(
            (calendar.method.as_str(), calendar.uid.as_str()),
            ("REQUEST", "1")
        );
    }

    #[test]
    fn a_calendar_without_events_is_none() {
        assert_eq!(read("BEGIN:VCALENDAR\r\nEND:VCALENDAR"), None);
    }
}
