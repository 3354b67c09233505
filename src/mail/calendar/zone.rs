//! What a TZID means: an IANA name, a Windows name, or the rules of a VTIMEZONE (RFC 5545 section 3.6.5).

use chrono::{
    DateTime, Datelike as _, Days, MappedLocalTime, NaiveDate, NaiveDateTime, Offset as _,
    TimeZone as _, Weekday,
};
use chrono_tz::{TZ_VARIANTS, Tz};
use windows_timezones::WindowsTimezone;

use super::lines::{Component, Line};
use super::moment::{self, Moment};
use super::recurrence::{ordinal_day, rule};

/// Zones a calendar defines that are read, and changes of the clock in each.
const ZONES_MAX: usize = 50;

/// The zones of one calendar.
#[derive(Debug, Default)]
pub(super) struct Zones {
    defined: Vec<Defined>,
    /// X-WR-TIMEZONE: where times without a zone belong, as Google and Apple export them.
    usual: Option<Tz>,
}

#[derive(Debug)]
struct Defined {
    id: String,
    /// A name of the IANA database that the sender gives beside (libical's X-LIC-LOCATION).
    location: Option<Tz>,
    changes: Vec<Change>,
}

/// One STANDARD or DAYLIGHT: from when on, yearly or once, the clock is how far from UTC.
#[derive(Debug)]
struct Change {
    start: NaiveDateTime,
    before: i32,
    after: i32,
    yearly: Option<Yearly>,
}

#[derive(Debug)]
struct Yearly {
    month: u32,
    /// `-1` and Sunday for the last Sunday.
    weekday: Option<(i8, Weekday)>,
    day: u32,
    until: Option<NaiveDateTime>,
}

impl Zones {
    /// The zones that a calendar defines.
    pub(super) fn of(root: &Component) -> Self {
        let mut components = Vec::new();
        root.collect("VTIMEZONE", &mut components);
        let defined = components.into_iter().take(ZONES_MAX).map(|zone| Defined {
            id: zone.text("TZID"),
            location: named(&zone.text("X-LIC-LOCATION")),
            changes: zone
                .inner()
                .iter()
                .take(ZONES_MAX)
                .filter_map(change)
                .collect(),
        });
        Self {
            defined: defined.collect(),
            usual: named(&root.first("X-WR-TIMEZONE")),
        }
    }

    /// A local time in the zone that the sender names.
    pub(super) fn place(&self, local: NaiveDateTime, zone: Option<&str>) -> Moment {
        let Some(id) = zone.map(str::trim).filter(|id| !id.is_empty()) else {
            return match self.usual {
                Some(tz) => in_tz(local, tz),
                None => Moment::floating(local, ""),
            };
        };
        let defined = self.defined.iter().find(|zone| zone.id == id);
        let known = named(id).or_else(|| defined.and_then(|zone| zone.location));
        if let Some(tz) = known {
            return in_tz(local, tz);
        }
        let rules = defined.filter(|zone| !zone.changes.is_empty());
        let offset = rules.map_or_else(|| written_offset(id), |zone| Some(zone.offset(local)));
        match offset {
            Some(0) => Moment::fixed(local, 0, "UTC"),
            Some(offset) => {
                let name = format!("UTC{}", moment::hours_and_minutes(offset));
                Moment::fixed(local, offset, &name)
            }
            None => Moment::floating(local, id),
        }
    }
}

fn in_tz(local: NaiveDateTime, tz: Tz) -> Moment {
    let offset = match tz.offset_from_local_datetime(&local) {
        // A time that happens twice is the first (section 3.3.5).
        MappedLocalTime::Single(offset) | MappedLocalTime::Ambiguous(offset, _) => offset.fix(),
        // One that never happens is counted by the clock before the change.
        MappedLocalTime::None => {
            let before = local.checked_sub_days(Days::new(1)).unwrap_or(local);
            tz.offset_from_utc_datetime(&before).fix()
        }
    };
    let name = match tz {
        Tz::UTC | Tz::Etc__UTC | Tz::GMT | Tz::Etc__GMT | Tz::Zulu => "UTC",
        _ => tz.name(),
    };
    Moment::fixed(local, offset.local_minus_utc(), name)
}

/// An instant in a zone by whatever name it has; UTC when nobody knows it.
pub(crate) fn instant(at: i64, zone: &str) -> Option<Moment> {
    let utc = DateTime::from_timestamp(at, 0)?;
    Some(match named(zone) {
        Some(tz) => in_tz(utc.with_timezone(&tz).naive_local(), tz),
        None => Moment::fixed(utc.naive_utc(), 0, "UTC"),
    })
}

/// The zone a name stands for: IANA, with whatever folder an old program puts before it
/// (`/mozilla.org/20050126_1/Europe/Berlin`), Windows (`W. Europe Standard Time`), or what Windows shows
/// people (`(UTC+01:00) Amsterdam, Berlin, …`).
fn named(id: &str) -> Option<Tz> {
    let id = id.trim().trim_matches('"');
    if id.is_empty() || id.len() > 200 {
        return None;
    }
    if let Ok(tz) = id.parse::<Tz>() {
        return Some(tz);
    }
    // Some programs leave the last two words of a Windows name away.
    let full = format!("{id} Standard Time");
    if let Ok(windows) = id.parse::<WindowsTimezone>().or_else(|_| full.parse()) {
        return Some(windows.into());
    }
    if matches!(
        id,
        "tzone://Microsoft/Utc" | "Z" | "Coordinated Universal Time"
    ) {
        return Some(Tz::UTC);
    }
    let pieces: Vec<&str> = id.split('/').collect();
    for length in [3, 2] {
        let from = pieces.len().saturating_sub(length);
        let tail = pieces.get(from..).unwrap_or_default().join("/");
        if from > 0
            && let Ok(tz) = tail.parse::<Tz>()
        {
            return Some(tz);
        }
    }
    let place = |text: &str| -> String {
        let bare = text.rsplit_once(") ").map_or(text, |(_, place)| place);
        bare.trim().to_ascii_lowercase()
    };
    let shown = place(id);
    TZ_VARIANTS.iter().find_map(|tz| {
        if tz.name().eq_ignore_ascii_case(id) {
            return Some(*tz);
        }
        let windows = WindowsTimezone::try_from(*tz).ok()?;
        let is_shown = id.starts_with('(') && place(windows.description()) == shown;
        (is_shown || windows.name().eq_ignore_ascii_case(id)).then(|| windows.into())
    })
}

/// `UTC+02:00`, `GMT-5`, `+0530`: a distance and nothing else.
fn written_offset(id: &str) -> Option<i32> {
    let bare = id
        .trim_start_matches("UTC")
        .trim_start_matches("GMT")
        .trim();
    let (sign, digits) = match bare.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let digits: String = digits.chars().filter(|c| *c != ':').collect();
    let number: i32 = digits.parse().ok().filter(|number| *number >= 0)?;
    let seconds = match digits.len() {
        1 | 2 => number * 3_600,
        4 => number / 100 * 3_600 + number % 100 * 60,
        _ => return None,
    };
    (seconds <= 15 * 3_600).then_some(sign * seconds)
}

fn change(component: &Component) -> Option<Change> {
    let start = component.line("DTSTART")?;
    let start = moment::from_text(start.value.trim(), None, &Zones::default())?.local;
    let offset = |name: &str| component.line(name).and_then(utc_offset);
    let after = offset("TZOFFSETTO")?;
    Some(Change {
        start,
        before: offset("TZOFFSETFROM").unwrap_or(after),
        after,
        yearly: component
            .line("RRULE")
            .and_then(|line| yearly(&line.value, start)),
    })
}

/// `+0100`, `-043000` (section 3.3.14).
fn utc_offset(line: &Line) -> Option<i32> {
    let text = line.value.trim();
    written_offset(text.get(..5).unwrap_or(text))
}

fn yearly(text: &str, start: NaiveDateTime) -> Option<Yearly> {
    let rule = rule(text);
    let get = |name: &str| {
        let mut parts = rule.iter();
        parts
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    if get("FREQ") != Some("YEARLY") {
        return None;
    }
    Some(Yearly {
        month: get("BYMONTH")
            .and_then(|month| month.parse().ok())
            .unwrap_or_else(|| start.month()),
        weekday: get("BYDAY")
            .and_then(ordinal_day)
            .map(|(nth, day)| (nth.unwrap_or(1), day)),
        day: get("BYMONTHDAY")
            .and_then(|days| days.split(',').next()?.parse().ok())
            .unwrap_or_else(|| start.day()),
        until: get("UNTIL")
            .and_then(|until| moment::from_text(until, None, &Zones::default()))
            .map(|until| until.local),
    })
}

impl Defined {
    /// The last change that came before a local time holds.
    fn offset(&self, local: NaiveDateTime) -> i32 {
        let mut last: Option<(NaiveDateTime, i32)> = None;
        for change in &self.changes {
            let Some(onset) = change.onset(local) else {
                continue;
            };
            if last.is_none_or(|(known, _)| onset > known) {
                last = Some((onset, change.after));
            }
        }
        let first = self.changes.iter().min_by_key(|change| change.start);
        last.map(|(_, offset)| offset)
            .or_else(|| first.map(|change| change.before))
            .unwrap_or_default()
    }
}

impl Change {
    fn onset(&self, local: NaiveDateTime) -> Option<NaiveDateTime> {
        if self.start > local {
            return None;
        }
        let Some(yearly) = &self.yearly else {
            return Some(self.start);
        };
        let years = [local.year(), local.year() - 1];
        let mut onsets = years.into_iter().filter_map(|year| {
            let date = yearly.in_year(year)?;
            let onset = date.and_time(self.start.time());
            let holds = onset <= local
                && onset >= self.start
                && yearly.until.is_none_or(|until| onset <= until);
            holds.then_some(onset)
        });
        // After its UNTIL, and before its second year, what the rule did last still holds.
        let last = yearly.until.and_then(|until| {
            let date = yearly.in_year(until.year())?;
            Some(date.and_time(self.start.time())).filter(|onset| *onset <= local)
        });
        onsets.next().or(last).or(Some(self.start))
    }
}

impl Yearly {
    fn in_year(&self, year: i32) -> Option<NaiveDate> {
        match self.weekday {
            None => NaiveDate::from_ymd_opt(year, self.month, self.day),
            Some((nth, day)) if nth > 0 => {
                NaiveDate::from_weekday_of_month_opt(year, self.month, day, nth.unsigned_abs())
            }
            Some((_, day)) => (4..=5)
                .rev()
                .find_map(|nth| NaiveDate::from_weekday_of_month_opt(year, self.month, day, nth)),
        }
    }
}
