//! Where a reader is: which day it is there, and when a day begins.

use chrono::{Days, NaiveDate, TimeZone as _};
use chrono_tz::Tz;

/// A time zone of the IANA database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place(Tz);

impl Default for Place {
    fn default() -> Self {
        Self(Tz::UTC)
    }
}

impl Place {
    /// The zone of this name, such as `Europe/Berlin`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        name.parse().ok().map(Self)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// The day it is there; `now` is unix seconds UTC.
    #[must_use]
    pub fn today(self, now: i64) -> NaiveDate {
        let here = self.0.timestamp_opt(now, 0).earliest();
        here.map_or_else(NaiveDate::default, |now| now.date_naive())
    }

    /// When a day begins there, unix seconds UTC; where clocks are put forward at midnight, an hour later.
    #[must_use]
    pub fn day_start(self, day: NaiveDate) -> i64 {
        let begins = |hour| {
            let at = day.and_hms_opt(hour, 0, 0)?;
            self.0.from_local_datetime(&at).earliest()
        };
        let noon_before = day
            .checked_sub_days(Days::new(1))
            .and_then(|day| day.and_hms_opt(12, 0, 0));
        begins(0).or_else(|| begins(1)).map_or_else(
            || noon_before.map_or(0, |at| at.and_utc().timestamp()),
            |at| at.timestamp(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_by_the_clocks_there_also_when_they_are_put_forward() {
        let day = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).unwrap();
        let at = |name: &str, date| Place::named(name).unwrap().day_start(date);
        assert_eq!(Place::default().day_start(day(2027, 1, 15)), 1_799_971_200);
        assert_eq!(at("Europe/Berlin", day(2027, 1, 15)), 1_799_967_600);
        // Midnight is left out there on that day: it begins at one.
        let gap =
            at("America/Asuncion", day(2023, 10, 1)) - at("America/Asuncion", day(2023, 9, 30));
        assert_eq!(gap, 24 * 3600);
        assert_eq!(
            Place::named("Europe/Berlin").unwrap().today(1_799_969_400),
            day(2027, 1, 15)
        );
        assert_eq!(Place::named("No/Where"), None);
    }
}
