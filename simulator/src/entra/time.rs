//! Unix seconds as the calendar text Entra and Graph print.

/// Year, month, day of a count of days since 1970-01-01 (Gregorian, proleptic). Counts in 400-year
/// eras that start on 1 March, so that the leap day is the last of its year.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

fn parts(at: i64) -> (String, String) {
    let (year, month, day) = civil(at.div_euclid(86_400));
    let second = at.rem_euclid(86_400);
    (
        format!("{year:04}-{month:02}-{day:02}"),
        format!(
            "{:02}:{:02}:{:02}",
            second / 3600,
            second / 60 % 60,
            second % 60
        ),
    )
}

/// `2026-03-01 08:15:00Z`, as in Entra's error bodies.
pub(crate) fn timestamp(at: i64) -> String {
    let (date, time) = parts(at);
    format!("{date} {time}Z")
}

/// `2026-03-01T08:15:00Z`, as in Graph's JSON.
pub(crate) fn rfc3339(at: i64) -> String {
    let (date, time) = parts(at);
    format!("{date}T{time}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_instants_print_as_the_calendar_has_them() {
        assert_eq!(timestamp(0), "1970-01-01 00:00:00Z");
        assert_eq!(timestamp(951_782_400), "2000-02-29 00:00:00Z");
        assert_eq!(rfc3339(1_772_352_900), "2026-03-01T08:15:00Z");
        assert_eq!(timestamp(-1), "1969-12-31 23:59:59Z");
    }
}
