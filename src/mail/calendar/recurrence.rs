//! How an event repeats, in words (RFC 5545 section 3.3.10).

use chrono::{Datelike as _, NaiveDate, Weekday};

use super::lines::Component;
use super::moment::{self, Moment};
use super::zone::Zones;

/// Values read of one list in a rule, and dates of one event.
const LIST_MAX: usize = 500;

/// The parts of a rule, names and values in upper case.
pub(super) fn rule(text: &str) -> Vec<(String, String)> {
    text.split(';')
        .take(20)
        .filter_map(|part| part.split_once('='))
        .map(|(key, value)| {
            (
                key.trim().to_ascii_uppercase(),
                value.trim().to_ascii_uppercase(),
            )
        })
        .collect()
}

/// `MO`, `2TU`, `-1SU`: which of its kind, and the day of the week.
pub(super) fn ordinal_day(text: &str) -> Option<(Option<i8>, Weekday)> {
    let text = text.split(',').next()?.trim();
    let (nth, day) = text.split_at_checked(text.len().checked_sub(2)?)?;
    let day = match day {
        "MO" => Weekday::Mon,
        "TU" => Weekday::Tue,
        "WE" => Weekday::Wed,
        "TH" => Weekday::Thu,
        "FR" => Weekday::Fri,
        "SA" => Weekday::Sat,
        "SU" => Weekday::Sun,
        _ => return None,
    };
    if nth.is_empty() {
        return Some((None, day));
    }
    let nth: i8 = nth.trim_start_matches('+').parse().ok()?;
    (nth != 0).then_some((Some(nth), day))
}

/// What goes on from "Repeats"; `None` for an event that happens once.
pub(super) fn words(event: &Component, start: Option<&Moment>, zones: &Zones) -> Option<String> {
    let further = dates(event, "RDATE");
    let mut out = match event.line("RRULE") {
        Some(line) => {
            let rule = rule(&line.value);
            let mut text = Rule(&rule).words(start.map(|start| start.local.date()));
            text.push_str(&end(&rule, start, zones));
            if further > 0 {
                text.push_str(&format!(", and on {}", counted(further, "further date")));
            }
            text
        }
        None if further > 0 => format!("on {}", counted(further, "further date")),
        None => return None,
    };
    let except = dates(event, "EXDATE");
    if except > 0 {
        out.push_str(&format!(", except on {}", counted(except, "date")));
    }
    Some(out)
}

fn dates(event: &Component, name: &str) -> usize {
    let values = event.all(name).flat_map(|line| line.value.split(','));
    values
        .filter(|value| !value.trim().is_empty())
        .take(LIST_MAX)
        .count()
}

fn counted(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

fn end(rule: &[(String, String)], start: Option<&Moment>, zones: &Zones) -> String {
    let rule = Rule(rule);
    if let Some(count) = rule.get("COUNT").and_then(|count| count.parse().ok()) {
        return format!(", {}", counted(count, "time"));
    }
    let Some(until) = rule
        .get("UNTIL")
        .and_then(|until| moment::from_text(until, None, zones))
    else {
        return String::new();
    };
    // UNTIL is in UTC; the last day is that of the event's own zone.
    let shift = start.and_then(|start| start.offset).unwrap_or_default();
    let last = if until.all_day {
        until.local
    } else {
        let shift = chrono::TimeDelta::seconds(i64::from(shift));
        until.local.checked_add_signed(shift).unwrap_or(until.local)
    };
    format!(" until {}", last.format("%-d %B %Y"))
}

struct Rule<'a>(&'a [(String, String)]);

impl Rule<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        let mut parts = self.0.iter();
        parts
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    fn numbers(&self, name: &str) -> Vec<i32> {
        let list = self.get(name).unwrap_or_default().split(',');
        list.take(LIST_MAX)
            .filter_map(|number| number.trim().parse().ok())
            .collect()
    }

    fn days(&self) -> Vec<(Option<i8>, Weekday)> {
        let list = self.get("BYDAY").unwrap_or_default().split(',');
        list.take(LIST_MAX).filter_map(ordinal_day).collect()
    }

    fn words(&self, start: Option<NaiveDate>) -> String {
        let interval = self
            .get("INTERVAL")
            .and_then(|interval| interval.parse().ok())
            .unwrap_or(1u32);
        let unit = match self.get("FREQ") {
            Some("SECONDLY") => "second",
            Some("MINUTELY") => "minute",
            Some("HOURLY") => "hour",
            Some("DAILY") => "day",
            Some("WEEKLY") => "week",
            Some("MONTHLY") => "month",
            Some("YEARLY") => "year",
            _ => return "in a way that cannot be told here".to_owned(),
        };
        let days = self.days();
        if interval <= 1 && matches!(unit, "day" | "week") && is_workweek(&days) {
            return "every weekday".to_owned();
        }
        let mut out = match interval {
            0 | 1 => format!("every {unit}"),
            2 => format!("every second {unit}"),
            more => format!("every {more} {unit}s"),
        };
        let on = match unit {
            "week" => week(&days, start),
            "month" => self.month(&days, start),
            "year" => self.year(&days, start),
            _ if days.is_empty() => String::new(),
            _ => format!(" on {}", listed(days.iter().map(|day| day_name(*day)))),
        };
        out.push_str(&on);
        out
    }

    fn month(&self, days: &[(Option<i8>, Weekday)], start: Option<NaiveDate>) -> String {
        if !days.is_empty() {
            return format!(" on {}", self.positioned(days));
        }
        let mut numbers = self.numbers("BYMONTHDAY");
        if numbers.is_empty() {
            numbers.extend(start.and_then(|start| i32::try_from(start.day()).ok()));
        }
        if numbers.is_empty() {
            return String::new();
        }
        let names = numbers.iter().map(|number| month_day(*number));
        format!(" on {}", listed(names))
    }

    fn year(&self, days: &[(Option<i8>, Weekday)], start: Option<NaiveDate>) -> String {
        let numbers = self.numbers("BYMONTH");
        let mut months: Vec<&str> = numbers
            .iter()
            .filter_map(|number| month_name(*number))
            .collect();
        let own = start.and_then(|start| month_name(i32::try_from(start.month()).ok()?));
        if months.is_empty() {
            months.extend(own);
        }
        if self.get("BYYEARDAY").is_some() || self.get("BYWEEKNO").is_some() || months.is_empty() {
            return String::new();
        }
        let months = listed(months.into_iter().map(str::to_owned));
        if !days.is_empty() {
            return format!(" on {} of {months}", self.positioned(days));
        }
        let mut dates = self.numbers("BYMONTHDAY");
        if dates.is_empty() {
            dates.extend(start.and_then(|start| i32::try_from(start.day()).ok()));
        }
        match dates.as_slice() {
            [day] if *day > 0 => format!(" on {day} {months}"),
            [] => format!(" in {months}"),
            many => {
                let names = many.iter().map(|number| month_day(*number));
                format!(" on {} of {months}", listed(names))
            }
        }
    }

    /// `the second Tuesday`, also when BYSETPOS says which of several days.
    fn positioned(&self, days: &[(Option<i8>, Weekday)]) -> String {
        let position = self.numbers("BYSETPOS");
        let [position] = position.as_slice() else {
            return listed(days.iter().map(|day| day_name(*day)));
        };
        let nth = ordinal(*position);
        match days {
            [(_, day)] => format!("the {nth} {}", weekday_name(*day)),
            _ if is_workweek(days) => format!("the {nth} weekday"),
            _ if days.len() == 7 => format!("the {nth} day"),
            _ => {
                let names = days.iter().map(|(_, day)| weekday_name(*day).to_owned());
                format!("the {nth} of {}", listed(names))
            }
        }
    }
}

fn week(days: &[(Option<i8>, Weekday)], start: Option<NaiveDate>) -> String {
    let names: Vec<String> = match start {
        Some(start) if days.is_empty() => vec![start.format("%A").to_string()],
        _ => days.iter().map(|day| day_name(*day)).collect(),
    };
    if names.is_empty() {
        return String::new();
    }
    format!(" on {}", listed(names.into_iter()))
}

fn is_workweek(days: &[(Option<i8>, Weekday)]) -> bool {
    days.len() == 5
        && days
            .iter()
            .all(|(nth, day)| nth.is_none() && !matches!(day, Weekday::Sat | Weekday::Sun))
}

fn weekday_name(day: Weekday) -> &'static str {
    match day {
        Weekday::Mon => "Monday",
        Weekday::Tue => "Tuesday",
        Weekday::Wed => "Wednesday",
        Weekday::Thu => "Thursday",
        Weekday::Fri => "Friday",
        Weekday::Sat => "Saturday",
        Weekday::Sun => "Sunday",
    }
}

fn day_name((nth, day): (Option<i8>, Weekday)) -> String {
    match nth {
        None => weekday_name(day).to_owned(),
        Some(nth) => format!("the {} {}", ordinal(i32::from(nth)), weekday_name(day)),
    }
}

fn month_name(month: i32) -> Option<&'static str> {
    const NAMES: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let at = usize::try_from(month.checked_sub(1)?).ok()?;
    NAMES.get(at).copied()
}

fn month_day(number: i32) -> String {
    match number {
        -1 => "the last day".to_owned(),
        back if back < 0 => format!("the {} day", ordinal(back)),
        day => format!("day {day}"),
    }
}

fn ordinal(number: i32) -> String {
    let name = match number.unsigned_abs() {
        1 => "first",
        2 => "second",
        3 => "third",
        4 => "fourth",
        5 => "fifth",
        more => {
            let back = if number < 0 { " from the end" } else { "" };
            return format!("{more}th{back}");
        }
    };
    match number {
        -1 => "last".to_owned(),
        back if back < 0 => format!("{name} from the end"),
        _ => name.to_owned(),
    }
}

/// `a, b and c`.
fn listed(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.collect();
    match names.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}
