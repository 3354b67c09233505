//! The reader's time zone: times that people choose and read are theirs. The browser names its zone in a cookie
//! (`static/times.js`); without one, times are in UTC and say so.

use actix_web::HttpRequest;
use chrono::{
    DateTime, Datelike as _, Days, NaiveDateTime, NaiveTime, TimeZone as _, Utc, Weekday,
};
use chrono_tz::Tz;

/// The cookie that names the zone.
const COOKIE: &str = "mailhatch_zone";
/// How a browser writes the value of a field for date and time (WHATWG HTML, "local date and time string").
const FIELD: &str = "%Y-%m-%dT%H:%M";
/// When the day begins for those who answer mail.
const MORNING: (u32, u32) = (9, 0);

/// A time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Zone(Tz);

/// A time that is often chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Preset {
    /// In words.
    pub label: String,
    /// Unix seconds UTC.
    pub at: i64,
}

/// The zone that a browser has named.
#[must_use]
pub(super) fn named(request: &HttpRequest) -> Option<Tz> {
    request.cookie(COOKIE)?.value().parse().ok()
}

impl Zone {
    /// The zone that a browser has named; UTC otherwise.
    #[must_use]
    pub(super) fn of(request: &HttpRequest) -> Self {
        Self(named(request).unwrap_or(Tz::UTC))
    }

    /// Its name as people know it: "Europe/Berlin".
    #[must_use]
    pub(super) fn name(self) -> &'static str {
        self.0.name()
    }

    fn local(self, at: i64) -> DateTime<Tz> {
        DateTime::<Utc>::from_timestamp(at, 0)
            .unwrap_or_default()
            .with_timezone(&self.0)
    }

    /// A time in words: "Tue 24 Nov 2026, 09:00", and "UTC" where the zone is not known.
    #[must_use]
    pub(super) fn words(self, at: i64) -> String {
        let local = self.local(at);
        let zone = if self.0 == Tz::UTC { " UTC" } else { "" };
        format!("{}{zone}", local.format("%a %-d %b %Y, %H:%M"))
    }

    /// A time as the value of a field.
    #[must_use]
    pub(super) fn field(self, at: i64) -> String {
        self.local(at).format(FIELD).to_string()
    }

    /// Reads the value of a field. A time that is left out when clocks go forward means the one an hour later, one
    /// that comes twice the first.
    #[must_use]
    pub(super) fn read(self, text: &str) -> Option<i64> {
        let minutes: String = text.trim().chars().take(16).collect();
        let naive = NaiveDateTime::parse_from_str(&minutes.replace(' ', "T"), FIELD).ok()?;
        self.at(naive)
    }

    /// Reads the time that a reply is to leave at; what is wrong with it otherwise.
    ///
    /// # Errors
    /// The sentence for the form.
    pub(super) fn read_plan(self, text: &str, now: i64) -> Result<i64, &'static str> {
        match self.read(text) {
            None => Err("Choose a day and a time, such as 2027-01-15 09:00."),
            Some(at) => check_plan(at, now),
        }
    }

    fn at(self, naive: NaiveDateTime) -> Option<i64> {
        let later = || naive.checked_add_signed(chrono::TimeDelta::hours(1));
        let found = self.0.from_local_datetime(&naive).earliest();
        let found = found.or_else(|| self.0.from_local_datetime(&later()?).earliest());
        found.map(|at| at.timestamp())
    }

    /// Tomorrow morning, and Monday morning where that is another day.
    #[must_use]
    pub(super) fn presets(self, now: i64) -> Vec<Preset> {
        let today = self.local(now).date_naive();
        let (hour, minute) = MORNING;
        let morning = |days: u64| {
            let day = today.checked_add_days(Days::new(days))?;
            self.at(day.and_time(NaiveTime::from_hms_opt(hour, minute, 0)?))
        };
        let to_monday = match today.weekday() {
            Weekday::Mon => 7,
            day => 7 - u64::from(day.num_days_from_monday()),
        };
        let tomorrow = morning(1).map(|at| Preset {
            label: format!("Tomorrow, {}", self.local(at).format("%a %H:%M")),
            at,
        });
        let monday = morning(to_monday)
            .filter(|_| to_monday > 1)
            .map(|at| Preset {
                label: self.local(at).format("Monday %-d %b, %H:%M").to_string(),
                at,
            });
        tomorrow.into_iter().chain(monday).collect()
    }
}

/// Longest time ahead that a reply can be planned for.
const PLAN_SECONDS: i64 = 366 * 86_400;

/// Checks the time that a reply is to leave at.
///
/// # Errors
/// The sentence for the form.
pub(super) fn check_plan(at: i64, now: i64) -> Result<i64, &'static str> {
    if at <= now {
        Err("This time has passed. Choose a later one, or send now.")
    } else if at > now.saturating_add(PLAN_SECONDS) {
        Err("Choose a time within a year from now.")
    } else {
        Ok(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn berlin() -> Zone {
        Zone(Tz::Europe__Berlin)
    }

    #[test]
    fn a_chosen_time_is_the_readers_and_comes_back_as_it_was_typed() {
        let at = berlin().read("2027-01-15T09:30").unwrap();
        assert_eq!(at, 1_800_001_800);
        assert_eq!(berlin().field(at), "2027-01-15T09:30");
        assert_eq!(berlin().words(at), "Fri 15 Jan 2027, 09:30");
        let utc = Zone(Tz::UTC);
        assert_eq!(utc.words(at), "Fri 15 Jan 2027, 08:30 UTC");
        assert_eq!(utc.read("2027-01-15T08:30:00"), Some(at));
    }

    #[test]
    fn hours_that_do_not_exist_or_come_twice_still_mean_a_time() {
        let gap = berlin().read("2027-03-28T02:30").unwrap();
        assert_eq!(berlin().field(gap), "2027-03-28T03:30");
        let twice = berlin().read("2027-10-31T02:30").unwrap();
        assert_eq!(twice, 1_824_942_600);
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "tomorrow",
            "2027-02-30T09:00",
            "2027-01-15",
            "9999999999",
        ] {
            assert_eq!(berlin().read(text), None, "{text}");
        }
    }

    #[test]
    fn tomorrow_and_monday_are_those_of_the_reader() {
        // Thursday evening at Berlin, already Friday at Auckland.
        let now = 1_799_949_600;
        let labels = |zone: Tz| -> Vec<String> {
            let presets = Zone(zone).presets(now).into_iter();
            presets.map(|preset| preset.label).collect()
        };
        assert_eq!(
            labels(Tz::Europe__Berlin),
            ["Tomorrow, Fri 09:00", "Monday 18 Jan, 09:00"]
        );
        assert_eq!(
            labels(Tz::Pacific__Auckland),
            ["Tomorrow, Sat 09:00", "Monday 18 Jan, 09:00"]
        );
        let sunday = now + 3 * 86_400;
        assert_eq!(berlin().presets(sunday).len(), 1, "tomorrow is Monday");
    }
}
