//! Times, sizes and names as people read them.

use chrono::{DateTime, Datelike as _, Utc};

use crate::model::Address;

fn date(at: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(at, 0).unwrap_or_default()
}

/// For the `datetime` attribute; the browser shows it in its own time zone.
#[must_use]
pub(super) fn iso(at: i64) -> String {
    date(at).format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Date and time in UTC, in full.
#[must_use]
pub(super) fn absolute(at: i64) -> String {
    date(at).format("%-d %B %Y, %H:%M UTC").to_string()
}

/// How long ago, short: "now", "5 min", "3 h", "2 d", "14 Mar", "14 Mar 2023".
#[must_use]
pub(super) fn ago(at: i64, now: i64) -> String {
    let seconds = now - at;
    match seconds {
        ..=-60 => within(at, now),
        -59..=44 => "now".to_owned(),
        45..=3_569 => format!("{} min", (seconds + 30) / 60),
        3_570..=84_599 => format!("{} h", (seconds + 1_800) / 3_600),
        84_600..=561_599 => format!("{} d", (seconds + 43_200) / 86_400),
        _ if date(at).year() == date(now).year() => date(at).format("%-d %b").to_string(),
        _ => date(at).format("%-d %b %Y").to_string(),
    }
}

/// How long until, short: "in 5 min".
#[must_use]
pub(super) fn within(at: i64, now: i64) -> String {
    let seconds = at - now;
    match seconds {
        ..=0 => "now".to_owned(),
        1..=59 => format!("in {seconds} s"),
        60..=3_569 => format!("in {} min", (seconds + 30) / 60),
        3_570..=84_599 => format!("in {} h", (seconds + 1_800) / 3_600),
        _ => format!("on {}", date(at).format("%-d %b")),
    }
}

/// A size: "812 bytes", "1.4 kB", "23 MB".
#[must_use]
pub(super) fn size(bytes: i64) -> String {
    let tenths = |unit: i64| {
        let tenths = bytes.saturating_mul(10).saturating_add(unit / 2) / unit;
        if tenths >= 100 {
            format!("{}", (tenths + 5) / 10)
        } else {
            format!("{}.{}", tenths / 10, tenths % 10)
        }
    };
    match bytes {
        ..=999 => format!("{bytes} bytes"),
        1_000..=999_499 => format!("{} kB", tenths(1_000)),
        _ => format!("{} MB", tenths(1_000_000)),
    }
}

/// A number with its thousands set apart: "4,312".
#[must_use]
pub(super) fn count(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
}

/// A day in full: "1 March 2026".
#[must_use]
pub(super) fn day(at: i64) -> String {
    date(at).format("%-d %B %Y").to_string()
}

/// A day as a field for dates holds it: "2026-03-01".
#[must_use]
pub(super) fn iso_day(at: i64) -> String {
    date(at).format("%Y-%m-%d").to_string()
}

/// The first second (UTC) of a day in a field for dates.
#[must_use]
pub(super) fn parse_day(text: &str) -> Option<i64> {
    let day = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(day.and_hms_opt(0, 0, 0)?.and_utc().timestamp())
}

/// Two letters that stand for a person.
#[must_use]
pub(super) fn initials(name: &str) -> String {
    let mut words = name
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    let first = words.next().and_then(|word| word.chars().next());
    let last = words.next_back().and_then(|word| word.chars().next());
    [first, last]
        .into_iter()
        .flatten()
        .flat_map(char::to_uppercase)
        .collect()
}

/// One of eight tints, always the same for the same person.
#[must_use]
pub(super) fn tint(name: &str) -> u32 {
    name.bytes().fold(7_u32, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(u32::from(byte))
    }) % 8
}

/// Who is named in a row before the rest is counted.
const PEOPLE_SHOWN: usize = 4;

/// The first few by name, and how many more there are.
#[must_use]
pub(super) fn people(list: &[Address]) -> String {
    let label = |who: &Address| {
        if who.name.is_empty() {
            who.address.clone()
        } else {
            who.name.clone()
        }
    };
    let (shown, others) = shown(list, PEOPLE_SHOWN);
    let mut words = shown.iter().map(label).collect::<Vec<_>>().join(", ");
    if !others.is_empty() {
        words.push_str(&format!(" and {} others", others.len()));
    }
    words
}

/// Those shown at once and those folded; a single one is not worth folding.
fn shown(list: &[Address], most: usize) -> (&[Address], &[Address]) {
    if list.len() <= most + 1 {
        (list, &[])
    } else {
        list.split_at_checked(most).unwrap_or((list, &[]))
    }
}

/// Addresses in full before the rest is folded.
const ADDRESSES_SHOWN: usize = 8;

/// The first addresses in full.
#[must_use]
pub(super) fn addresses(list: &[Address]) -> &[Address] {
    shown(list, ADDRESSES_SHOWN).0
}

/// The addresses after those.
#[must_use]
pub(super) fn more_addresses(list: &[Address]) -> &[Address] {
    shown(list, ADDRESSES_SHOWN).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_as_people_would() {
        let now = 1_780_000_000;
        for (seconds, told) in [
            (0, "now"),
            (44, "now"),
            (60, "1 min"),
            (3_500, "58 min"),
            (3_600, "1 h"),
            (86_400, "1 d"),
            (6 * 86_400, "6 d"),
        ] {
            assert_eq!(ago(now - seconds, now), told);
        }
        assert_eq!(ago(now - 400 * 86_400, now), "23 Apr 2025");
        assert_eq!(within(now + 90, now), "in 2 min");
        assert_eq!(iso(0), "1970-01-01T00:00:00Z");
    }

    #[test]
    fn sizes_have_at_most_one_decimal() {
        for (bytes, told) in [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1_440, "1.4 kB"),
            (23_400_000, "23 MB"),
            (999_600, "1.0 MB"),
        ] {
            assert_eq!(size(bytes), told);
        }
    }

    #[test]
    fn many_recipients_are_counted_rather_than_named() {
        let list: Vec<Address> = (0..500)
            .map(|n| Address::new("", format!("p{n}@example.org")))
            .collect();
        assert!(people(&list).ends_with("p3@example.org and 496 others"));
        assert_eq!(
            (addresses(&list).len(), more_addresses(&list).len()),
            (8, 492)
        );
        assert_eq!(people(&list[..5]).matches('@').count(), 5);
    }

    #[test]
    fn initials_are_of_the_first_and_the_last_word() {
        assert_eq!(initials("Ada Byron Lovelace"), "AL");
        assert_eq!(initials("support@example.com"), "SC");
        assert_eq!(initials("…"), "");
    }
}
