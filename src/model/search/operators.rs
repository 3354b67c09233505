//! The operators of the search box, and how a question falls into its parts.

use chrono::{Datelike as _, Days, NaiveDate};

use super::query::Assignee;
use crate::model::{Status, Word as _};

/// A part of a question: a word, a phrase, or an operator with its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    /// It stands behind a minus.
    pub not: bool,
    /// What stands before a colon.
    pub operator: Option<&'a str>,
    /// The word, or what stands in quotation marks.
    pub value: &'a str,
    /// It stood in quotation marks.
    pub quoted: bool,
}

/// An operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    From,
    To,
    Subject,
    Mailbox,
    Assignee,
    Status,
    Has,
    Before,
    After,
}

impl Operator {
    const ALL: [Self; 9] = [
        Self::From,
        Self::To,
        Self::Subject,
        Self::Mailbox,
        Self::Assignee,
        Self::Status,
        Self::Has,
        Self::Before,
        Self::After,
    ];

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|one| one.name().eq_ignore_ascii_case(name))
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::From => "from",
            Self::To => "to",
            Self::Subject => "subject",
            Self::Mailbox => "mailbox",
            Self::Assignee => "assignee",
            Self::Status => "status",
            Self::Has => "has",
            Self::Before => "before",
            Self::After => "after",
        }
    }

    /// How it is used.
    pub(super) fn example(self) -> &'static str {
        match self {
            Self::From => "from:mia",
            Self::To => "to:jonas@example.org",
            Self::Subject => "subject:invoice",
            Self::Mailbox => "mailbox:support",
            Self::Assignee => "assignee:me",
            Self::Status => "status:open",
            Self::Has => "has:attachment",
            Self::Before => "before:2027-01-31",
            Self::After => "after:2027-01-01",
        }
    }

    /// Which values it knows.
    pub(super) fn knows(self) -> &'static str {
        match self {
            Self::Status => "it can be open, waiting, snoozed, closed or spam",
            Self::Has => "it can be attachment",
            Self::Before | Self::After => {
                "write a day as 2027-01-31, a month as 2027-01, a year, today or yesterday"
            }
            _ => "it needs a word or a name",
        }
    }
}

/// Where a conversation stands.
pub(super) fn status(value: &str) -> Option<Status> {
    Status::from_word(&value.to_lowercase())
}

/// Who has a conversation.
pub(super) fn assignee(value: &str) -> Assignee {
    match value.to_lowercase().as_str() {
        "me" => Assignee::Me,
        "nobody" | "none" | "noone" | "unassigned" => Assignee::Nobody,
        _ => Assignee::Named(value.to_owned()),
    }
}

pub(super) fn is_attachment(value: &str) -> bool {
    ["attachment", "attachments", "file", "files"].contains(&value.to_lowercase().as_str())
}

/// The first day of what is named: `2027-01-31`, `31.1.2027`, `2027-01`, `2027`, `today`, `yesterday`.
pub(super) fn date(value: &str, today: NaiveDate) -> Option<NaiveDate> {
    match value.to_lowercase().as_str() {
        "today" => return Some(today),
        "yesterday" => return today.checked_sub_days(Days::new(1)),
        _ => {}
    }
    let number = |text: &str| -> Option<u32> {
        let is_number =
            (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse().ok()).flatten()
    };
    let is_year = |text: &str| text.len() == 4;
    let parts: Vec<&str> = value.split(['-', '.', '/']).collect();
    let (year, month, day) = match parts.as_slice() {
        [year] if is_year(year) => (number(year)?, 1, 1),
        [year, month] if is_year(year) => (number(year)?, number(month)?, 1),
        [year, month, day] if is_year(year) => (number(year)?, number(month)?, number(day)?),
        // With points the day comes first; with strokes nobody can tell.
        [day, month, year] if is_year(year) && value.contains('.') => {
            (number(year)?, number(month)?, number(day)?)
        }
        _ => return None,
    };
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    (1970..=9999).contains(&date.year()).then_some(date)
}

/// Takes a question apart.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (token, after) = next(rest);
        if token.operator.is_some() || !token.value.is_empty() {
            tokens.push(token);
        }
        rest = after.trim_start();
    }
    tokens
}

fn next(text: &str) -> (Token<'_>, &str) {
    let (not, text) = match text.strip_prefix(['-', '−', '–']) {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (operator, mut text) = match name(text) {
        Some((name, rest)) => (Some(name), rest),
        None => (None, text),
    };
    if operator.is_some_and(|name| Operator::from_name(name).is_some()) {
        // `from: mia` is meant as `from:mia`.
        text = text.trim_start();
    }
    let (value, quoted, rest) = value(text);
    let token = Token {
        not,
        operator,
        value,
        quoted,
    };
    (token, rest)
}

/// A name before a colon. What follows an unknown one must stand close to it, and must not be an address
/// of the web: `Re: lamp` and `https://…` are words.
fn name(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.split_once([':', '：'])?;
    let is_name =
        (2..=20).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphabetic());
    let is_known = is_name && Operator::from_name(name).is_some();
    let is_close =
        !rest.is_empty() && !rest.starts_with(char::is_whitespace) && !rest.starts_with("//");
    (is_known || (is_name && is_close)).then_some((name, rest))
}

/// The next word, or what stands in quotation marks of any country.
fn value(text: &str) -> (&str, bool, &str) {
    const QUOTES: [char; 7] = ['"', '“', '”', '„', '«', '»', '＂'];
    if let Some(inner) = text.strip_prefix(QUOTES) {
        return match inner.split_once(QUOTES) {
            Some((value, rest)) => (value, true, rest),
            None => (inner, true, ""),
        };
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (value, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    (value, false, rest)
}
