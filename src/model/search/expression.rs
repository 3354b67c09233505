//! A question as FTS5 is asked it: words in quotation marks, AND, OR and NOT, nothing that was typed besides.

use chrono::{Datelike as _, Days, Months, NaiveDate};

use super::document::{HAS_FILE, mailbox_word, month_word, year_word};
use super::query::{Query, Width};
use crate::model::MailboxId;

/// No mail is older.
const FIRST_YEAR: i32 = 1980;

/// Where to look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// In these mailboxes.
    pub mailboxes: Vec<MailboxId>,
    /// They are all there are.
    pub all: bool,
    /// The present day.
    pub today: NaiveDate,
}

/// The expression; `None` when nothing can be found by it.
#[must_use]
pub fn of(query: &Query, scope: &Scope, width: Width) -> Option<String> {
    let mailboxes = any(scope.mailboxes.iter().map(|id| mailbox_word(*id)))?;
    let wanted = query.terms.iter().filter(|term| !term.not);
    let mut all: Vec<String> = wanted.map(|term| term.expression(width)).collect();
    if query.has_attachment == Some(true) {
        all.push(any(std::iter::once(HAS_FILE.to_owned()))?);
    }
    if query.after.is_some() || query.before.is_some() {
        all.push(any(dates(query, scope.today).into_iter())?);
    }
    // Everything has the word of its mailbox: what else but that is asked may be a NOT alone.
    if !scope.all || all.is_empty() {
        all.push(mailboxes);
    }
    let unwanted = query.terms.iter().filter(|term| term.not);
    let mut none: Vec<String> = unwanted.map(|term| term.expression(Width::Exact)).collect();
    if query.has_attachment == Some(false) {
        none.push(any(std::iter::once(HAS_FILE.to_owned()))?);
    }
    let all = all.join(" AND ");
    Some(match none.as_slice() {
        [] => all,
        none => format!("({all}) NOT ({})", none.join(" OR ")),
    })
}

/// One of these words.
fn any(words: impl Iterator<Item = String>) -> Option<String> {
    let words: Vec<String> = words.map(|word| format!("\"{word}\"")).collect();
    (!words.is_empty()).then(|| format!("({})", words.join(" OR ")))
}

/// The months and whole years that the days lie in, with a day to spare for time zones. The exact time is
/// compared afterwards.
fn dates(query: &Query, today: NaiveDate) -> Vec<String> {
    let start = query
        .after
        .and_then(|day| day.checked_sub_days(Days::new(1)));
    let start = start.unwrap_or_default().max(first_day());
    let latest = today.checked_add_months(Months::new(1)).unwrap_or(today);
    let end = query.before.map_or(latest, |day| day.min(latest));
    let end = end.checked_add_days(Days::new(1)).unwrap_or(end);
    let mut words = Vec::new();
    for year in start.year()..=end.year() {
        let first = if year == start.year() {
            start.month()
        } else {
            1
        };
        let last = if year == end.year() { end.month() } else { 12 };
        if (first, last) == (1, 12) {
            words.push(year_word(year));
        } else {
            words.extend((first..=last).map(|month| month_word(year, month)));
        }
    }
    words
}

fn first_day() -> NaiveDate {
    NaiveDate::from_ymd_opt(FIRST_YEAR, 1, 1).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::query::parse;
    use super::*;

    fn day(year: i32, month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, month, day).unwrap()
    }

    fn ask(question: &str, width: Width) -> Option<String> {
        let today = day(2027, 1, 15);
        let scope = Scope {
            mailboxes: vec![MailboxId(1), MailboxId(2)],
            all: true,
            today,
        };
        of(&parse(question, today), &scope, width)
    }

    #[test]
    fn each_part_of_a_question_has_its_place() {
        for (question, width, expression) in [
            ("4711", Width::Exact, "(\"4711\")"),
            (
                "4711",
                Width::Head,
                "(\"s=4711\" OR \"f=4711\" OR \"a=4711\")",
            ),
            ("Müller", Width::Exact, "(\"muller\" OR \"mueller\")"),
            ("INV-7", Width::Exact, "(\"inv 7\")"),
            (
                "from:\"Mia B\" has:attachment",
                Width::Exact,
                "(\"f=mia f=b\") AND (\"h=attachment\")",
            ),
            ("退款单", Width::Exact, "(\"退款 款单\")"),
            ("猫", Width::Exact, "(\"猫\" *)"),
            (
                "a1 -b2 -has:attachment",
                Width::Exact,
                "((\"a1\")) NOT ((\"b2\") OR (\"h=attachment\"))",
            ),
            ("-b2", Width::Exact, "((\"m=1\" OR \"m=2\")) NOT ((\"b2\"))"),
            (
                "after:2026-11-20",
                Width::Exact,
                "(\"d=202611\" OR \"d=202612\" OR \"d=202701\" OR \"d=202702\")",
            ),
            (
                "after:2025 before:2026-02",
                Width::Exact,
                "(\"d=202412\" OR \"y=2025\" OR \"d=202601\" OR \"d=202602\")",
            ),
        ] {
            assert_eq!(
                ask(question, width).as_deref(),
                Some(expression),
                "{question}"
            );
        }
        assert!(ask("lamp", Width::Forms).unwrap().contains("\"lamps\""));
        assert!(!ask("-lamp", Width::Forms).unwrap().contains("\"lamps\""));
        assert!(
            ask("before:2026", Width::Forms)
                .unwrap()
                .contains("\"y=1980\"")
        );
        assert_eq!(ask("after:2030", Width::Forms), None);
    }

    #[test]
    fn only_the_mailboxes_asked_for_are_looked_in() {
        let mut scope = Scope {
            mailboxes: vec![MailboxId(2)],
            all: false,
            today: day(2027, 1, 15),
        };
        let query = parse("4711", scope.today);
        assert_eq!(
            of(&query, &scope, Width::Exact).unwrap(),
            "(\"4711\") AND (\"m=2\")"
        );
        scope.mailboxes.clear();
        assert_eq!(of(&query, &scope, Width::Exact), None);
    }
}
