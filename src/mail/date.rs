//! The Date field (RFC 5322 section 3.3), read as loosely as it is written: full month names, two-digit
//! years, missing seconds, zone names.

use super::header::without_comments;

/// Reads a date to unix seconds UTC; `None` when day, month, year or time is missing.
pub(crate) fn read(text: &str) -> Option<i64> {
    let text = without_comments(text);
    let text = text.replace(',', " ").replace(" :", ":").replace(": ", ":");
    let (mut day, mut month, mut year, mut seconds, mut zone) = (None, None, None, None, None);
    for word in text.split_whitespace().take(20) {
        if seconds.is_none() && word.contains(':') {
            // `14:00:00+0200`
            let end = word.find(['+', '-', 'Z']).unwrap_or(word.len());
            let (clock, rest) = word.split_at_checked(end)?;
            seconds = Some(time(clock)?);
            zone = (!rest.is_empty()).then(|| zone_seconds(rest)).flatten();
        } else if let Some(found) = month_number(word) {
            month = month.or(Some(found));
        } else if word.bytes().all(|b| b.is_ascii_digit()) && word.len() <= 4 {
            let number: i64 = word.parse().ok()?;
            if day.is_none() && year.is_none() && word.len() <= 3 {
                day = Some(number);
            } else if year.is_none() {
                year = Some(full_year(number, word.len()));
            }
        } else if seconds.is_some() && zone.is_none() {
            zone = zone_seconds(word);
        }
    }
    let (day, month, year, seconds) = (day?, month?, year?, seconds?);
    if !(1..=31).contains(&day) || !(1900..=9999).contains(&year) {
        return None;
    }
    Some(days_from_civil(year, month, day) * 86_400 + seconds - zone.unwrap_or(0))
}

/// Section 4.3: 00 to 49 are 2000 to 2049, other two- and three-digit years count from 1900.
const fn full_year(number: i64, digits: usize) -> i64 {
    match digits {
        1 | 2 if number < 50 => 2000 + number,
        1..=3 => 1900 + number,
        _ => number,
    }
}

fn time(word: &str) -> Option<i64> {
    let mut numbers = word
        .split([':', '.'])
        .map(|piece| piece.parse::<i64>().ok());
    let hour = numbers.next()??;
    let minute = numbers.next()??;
    let second = numbers.next().unwrap_or(Some(0))?;
    let valid = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..=60).contains(&second);
    valid.then(|| hour * 3600 + minute * 60 + second)
}

fn month_number(word: &str) -> Option<i64> {
    const MONTHS: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let start = word.get(..3)?.to_ascii_lowercase();
    let at = MONTHS.iter().position(|month| *month == start)?;
    i64::try_from(at + 1).ok()
}

/// `+0130`, `-600`, `GMT`, `EST`; an unknown name means UTC (section 4.3).
fn zone_seconds(word: &str) -> Option<i64> {
    let word = word
        .strip_prefix("GMT")
        .or_else(|| word.strip_prefix("UTC"))
        .unwrap_or(word);
    if let Some(digits) = word.strip_prefix(['+', '-']) {
        let digits = digits.replace(':', "");
        let number: i64 = digits.get(..digits.len().min(4))?.parse().ok()?;
        let (hours, minutes) = if digits.len() <= 2 {
            (number, 0)
        } else {
            (number / 100, number % 100)
        };
        let seconds = hours.min(14) * 3600 + minutes * 60;
        return Some(if word.starts_with('-') {
            -seconds
        } else {
            seconds
        });
    }
    let hours = match word.to_ascii_uppercase().as_str() {
        "EST" | "CDT" => -5,
        "EDT" => -4,
        "CST" | "MDT" => -6,
        "MST" | "PDT" => -7,
        "PST" => -8,
        "CET" | "MEZ" | "BST" => 1,
        "CEST" | "MESZ" | "EET" => 2,
        "MSK" => 3,
        "JST" => 9,
        "" | "GMT" | "UTC" | "UT" | "Z" => 0,
        _ => return None,
    };
    Some(hours * 3600)
}

/// Days since 1970-01-01 in the Gregorian calendar; March is the first month, so that leap days come last.
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_length_are_no_time() {
        let endless = "Wed, 1 May 2024 14:00444444444444444444:00 +0200";
        assert_eq!(read(endless), None);
        assert_eq!(read("Wed, 1 May 99999999999999999999 14:00 +0200"), None);
    }

    #[test]
    fn dates_are_read_however_they_are_written() {
        let at = 1_714_564_800; // 2024-05-01 12:00:00 UTC
        for text in [
            "Wed, 1 May 2024 14:00:00 +0200",
            "Wed, 01 May 2024 12:00:00 GMT",
            "1 May 24 12:00 UT",
            "Wed May 1 08:00:00 EDT 2024",
            "Wed, 1 MAY 2024 14:00:00 +0200 (CEST)",
            "Wednesday, 1 May 2024 06:00:00 -600",
            "1 May 2024 14:00+0200",
            "Wed, 1 May 2024 12:00:00Z",
            "Wed, 1 May 2024 08:00:00 (EDT) -0400",
        ] {
            assert_eq!(read(text), Some(at), "{text}");
        }
        assert_eq!(read("Sun, 7 Jun 92 14:02 CDT"), Some(707_943_720));
        assert_eq!(read("Thu, 29 Feb 2024 00:00:00 +0000"), Some(1_709_164_800));
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "yesterday",
            "Wed, 1 May 2024",
            "99 Foo 2024 12:00:00",
            "1 May 2024 25:00:00",
            "1 May 2024 12:00:x",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
