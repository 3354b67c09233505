//! The link of an online meeting.

use super::lines::Component;

/// Properties that hold nothing but the link: Outlook's and Exchange's (MS-OXCICAL section 2.1.3.1.1.20),
/// Google's, and RFC 7986's.
const PROPERTIES: [&str; 5] = [
    "X-MICROSOFT-SKYPETEAMSMEETINGURL",
    "X-MICROSOFT-ONLINEMEETINGEXTERNALLINK",
    "X-MICROSOFT-ONLINEMEETINGCONFLINK",
    "X-GOOGLE-CONFERENCE",
    "CONFERENCE",
];

/// How links to a meeting begin or go on, for invitations that have them only in their text.
const PLACES: [&str; 12] = [
    "https://teams.microsoft.com/l/meetup-join/",
    "https://teams.microsoft.com/meet/",
    "https://teams.live.com/meet/",
    "https://gov.teams.microsoft.us/l/meetup-join/",
    "https://dod.teams.microsoft.us/l/meetup-join/",
    "https://meet.google.com/",
    "https://meet.jit.si/",
    ".zoom.us/j/",
    "https://zoom.us/j/",
    ".webex.com/",
    "https://meet.goto.com/",
    "https://whereby.com/",
];

/// The link, when the event takes place online.
pub(super) fn url(event: &Component) -> Option<String> {
    let own = PROPERTIES.iter().map(|name| event.text(name));
    own.into_iter()
        .find(|url| is_web(url))
        .or_else(|| in_text(&event.text("LOCATION")))
        .or_else(|| in_text(&event.text("URL")))
        .or_else(|| in_text(&event.text("DESCRIPTION")))
}

/// The first link in a text that leads to a meeting.
pub(crate) fn in_text(text: &str) -> Option<String> {
    let ends = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '(' | ')' | '[' | ']');
    text.split(ends)
        .find(|word| is_web(word) && PLACES.iter().any(|place| word.contains(place)))
        .map(|word| word.trim_end_matches(['.', ',', ';']).to_owned())
}

fn is_web(url: &str) -> bool {
    let begins = |scheme: &str| {
        url.get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    (begins("https://") || begins("http://")) && !url.contains(char::is_whitespace)
}
