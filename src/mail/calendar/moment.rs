//! When: DATE and DATE-TIME values with their zones (RFC 5545 section 3.3.4, 3.3.5), and the words for them.

use std::fmt;

use chrono::{Days, NaiveDate, NaiveDateTime, TimeDelta};

use super::lines::Line;
use super::zone::Zones;

/// A day, or a time of a day in its zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// Unix seconds. `None` for a whole day, for a time that belongs to no zone, and when the zone is unknown.
    pub at: Option<i64>,
    /// Day and time as they are there; midnight for a whole day.
    pub local: NaiveDateTime,
    /// Whether only the day counts.
    pub all_day: bool,
    /// The zone's IANA name, `UTC` or `UTC+02:00`; the sender's own name when it means nothing to us; empty when
    /// there is none.
    pub zone: String,
    /// Seconds east of UTC, when known.
    pub offset: Option<i32>,
}

/// Reads the value of a line with its TZID; `None` when it is no date.
pub(super) fn read(line: &Line, zones: &Zones) -> Option<Moment> {
    // A list (RDATE, EXDATE) or period (`start/end`): the first counts.
    let value = line.value.split([',', '/']).next()?.trim();
    from_text(value, line.parameter("TZID"), zones)
}

/// Reads `20240501`, `20240501T090000` or the same with `Z`.
pub(super) fn from_text(value: &str, zone: Option<&str>, zones: &Zones) -> Option<Moment> {
    let (bare, utc) = match value.strip_suffix(['Z', 'z']) {
        Some(bare) => (bare, true),
        None => (value, false),
    };
    // Some programs write the punctuation of ISO 8601.
    let bare: String = bare.chars().filter(|c| !matches!(c, '-' | ':')).collect();
    let (date, time) = bare
        .split_once(['T', 't', ' '])
        .unwrap_or((bare.as_str(), ""));
    let date = NaiveDate::parse_from_str(date, "%Y%m%d").ok()?;
    let digits = |from: usize| time.get(from..from + 2).and_then(|two| two.parse().ok());
    if time.is_empty() {
        return Some(Moment::day(date));
    }
    // A leap second is read as the second before it (RFC 5545 section 3.3.12).
    let second = digits(4).unwrap_or(0).min(59);
    let local = date.and_hms_opt(digits(0)?, digits(2)?, second)?;
    Some(if utc {
        Moment::fixed(local, 0, "UTC")
    } else {
        zones.place(local, zone)
    })
}

impl Moment {
    /// A whole day.
    pub(super) fn day(date: NaiveDate) -> Self {
        Self {
            at: None,
            local: date.and_time(chrono::NaiveTime::MIN),
            all_day: true,
            zone: String::new(),
            offset: None,
        }
    }

    /// Only the day of a time, when the time is midnight.
    pub(crate) fn whole_day(self) -> Self {
        if self.local.time() == chrono::NaiveTime::MIN {
            Self::day(self.local.date())
        } else {
            self
        }
    }

    /// A time whose distance from UTC is known.
    pub(crate) fn fixed(local: NaiveDateTime, offset: i32, zone: &str) -> Self {
        Self {
            at: Some(local.and_utc().timestamp() - i64::from(offset)),
            local,
            all_day: false,
            zone: zone.to_owned(),
            offset: Some(offset),
        }
    }

    /// A time that belongs to no zone, or to one nobody knows.
    pub(super) fn floating(local: NaiveDateTime, zone: &str) -> Self {
        Self {
            at: None,
            local,
            all_day: false,
            zone: zone.to_owned(),
            offset: None,
        }
    }

    /// The moment a DURATION later.
    pub(super) fn plus(&self, duration: &str, zones: &Zones) -> Option<Self> {
        let local = self.local.checked_add_signed(span(duration)?)?;
        Some(if self.all_day {
            Self::day(local.date())
        } else if self.zone == "UTC" {
            Self::fixed(local, 0, "UTC")
        } else {
            zones.place(
                local,
                Some(&self.zone)
                    .filter(|zone| !zone.is_empty())
                    .map(String::as_str),
            )
        })
    }
}

/// `P1DT2H30M`, `PT1H`, `P2W` (section 3.3.6).
fn span(text: &str) -> Option<TimeDelta> {
    let text = text
        .trim()
        .trim_start_matches('+')
        .strip_prefix(['P', 'p'])?;
    let mut seconds = 0i64;
    let mut number = String::new();
    for c in text.chars() {
        let unit = match c.to_ascii_uppercase() {
            '0'..='9' if number.len() < 9 => {
                number.push(c);
                continue;
            }
            'T' => continue,
            'W' => 7 * 86_400,
            'D' => 86_400,
            'H' => 3_600,
            'M' => 60,
            'S' => 1,
            _ => return None,
        };
        seconds = seconds.checked_add(number.parse::<i64>().ok()?.checked_mul(unit)?)?;
        number.clear();
    }
    TimeDelta::try_seconds(seconds)
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.all_day {
            return write!(f, "{}", self.local.format("%Y-%m-%d"));
        }
        write!(f, "{}", self.local.format("%Y-%m-%dT%H:%M:%S"))?;
        match self.offset {
            Some(0) if self.zone == "UTC" => f.write_str("Z"),
            Some(offset) => f.write_str(&hours_and_minutes(offset)),
            None if self.zone.is_empty() => Ok(()),
            None => write!(f, " {}", self.zone),
        }
    }
}

/// `+02:00`.
pub(super) fn hours_and_minutes(offset: i32) -> String {
    let sign = if offset < 0 { '-' } else { '+' };
    let minutes = offset.abs() / 60;
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// From when to when, for people.
pub(super) fn words(start: &Moment, end: Option<&Moment>) -> String {
    let day = |date: NaiveDate| date.format("%A %-d %B %Y").to_string();
    let time = |moment: &Moment| moment.local.format("%H:%M").to_string();
    let zone = |moment: &Moment| match moment.zone.as_str() {
        "" => String::new(),
        name => format!(" ({name})"),
    };
    let first = start.local.date();
    let end = end.filter(|end| end.local > start.local || end.zone != start.zone);
    if start.all_day {
        // The end of a whole-day event is the day after its last (section 3.6.1).
        let last = end
            .and_then(|end| end.local.date().checked_sub_days(Days::new(1)))
            .filter(|last| *last > first);
        return match last {
            Some(last) => format!("{} – {}, all day", day(first), day(last)),
            None => format!("{}, all day", day(first)),
        };
    }
    let begin = format!("{}, {}", day(first), time(start));
    match end {
        None => format!("{begin}{}", zone(start)),
        Some(end) => {
            let own = if end.zone == start.zone {
                String::new()
            } else {
                zone(start)
            };
            let until = if end.local.date() == first {
                time(end)
            } else {
                format!("{}, {}", day(end.local.date()), time(end))
            };
            format!("{begin}{own} – {until}{}", zone(end))
        }
    }
}
