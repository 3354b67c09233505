//! The line above a quotation that says who wrote it: “On 5 May 2024 at 10:00, Ada wrote:”.

use std::sync::LazyLock;

use super::words::{LEADS, OPENERS, PRONOUNS, WROTE, WROTE_ENDINGS};
use super::{bare, list};

/// Bytes of the longest attribution.
const BYTES_MAX: usize = 500;
/// Words of the longest attribution that names no date.
const UNDATED_WORDS_MAX: usize = 12;

/// How surely a text is an attribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Attribution {
    /// It is not.
    No,
    /// When quoted lines follow.
    Weak,
    /// By itself.
    Sure,
}

/// A sorted set of words.
fn sorted(words: &'static str) -> Vec<&'static str> {
    let mut words: Vec<&str> = list(words).collect();
    words.sort_unstable();
    words
}

static VERBS: LazyLock<Vec<&str>> = LazyLock::new(|| sorted(WROTE));
static FIRST_WORDS: LazyLock<Vec<&str>> = LazyLock::new(|| sorted(OPENERS));
static PERSONS: LazyLock<Vec<&str>> = LazyLock::new(|| sorted(PRONOUNS));
static LEADING: LazyLock<Vec<&str>> = LazyLock::new(|| sorted(LEADS));

fn has(words: &[&str], word: &str) -> bool {
    words.binary_search(&word).is_ok()
}

/// What there is in a text that may be an attribution.
#[derive(Default)]
struct Signs {
    verb: bool,
    verb_last: bool,
    /// A person's own sentence: a pronoun beside the verb, or “as …”.
    spoken: bool,
    opener: bool,
    words: usize,
    digits: usize,
    time: bool,
    year: bool,
    address: bool,
    colon: bool,
}

/// Judges a text (one to four lines joined).
pub(super) fn judge(text: &str) -> Attribution {
    let text = undressed(text);
    if text.is_empty() || text.len() > BYTES_MAX {
        return Attribution::No;
    }
    let lower = text.to_lowercase();
    let signs = signs(&lower);
    if is_iso_line(&lower) {
        return Attribution::Sure;
    }
    let ends = signs.colon || signs.verb_last;
    let placed = signs.time || signs.address;
    let closed = lower.trim_end_matches([':', '：', ' ', '"']);
    let closes_with_address = signs.address && closed.ends_with(['>', ')', ']']);
    match () {
        () if !ends && !(closes_with_address && signs.digits >= 5) => Attribution::No,
        () if signs.verb && signs.spoken => {
            if signs.digits >= 5 {
                Attribution::Weak
            } else {
                Attribution::No
            }
        }
        () if signs.verb
            && placed
            && signs.opener
            && (signs.digits >= 5 || signs.address && signs.digits > 0) =>
        {
            Attribution::Sure
        }
        () if signs.verb && placed && signs.digits >= 5 => Attribution::Sure,
        () if signs.verb && signs.address && names_only(&lower, &signs) => Attribution::Sure,
        // `ср, 30 апр. 2025 г. в 15:19, Ada <ada@example.org>:`
        () if signs.colon && closes_with_address && signs.time && signs.year && signs.opener => {
            Attribution::Sure
        }
        () if signs.verb && (signs.digits >= 5 || signs.words <= UNDATED_WORDS_MAX) => {
            Attribution::Weak
        }
        () if closes_with_address && (signs.digits >= 5 || signs.colon) => Attribution::Weak,
        () if signs.address && signs.digits >= 5 && signs.colon => Attribution::Weak,
        () => Attribution::No,
    }
}

/// `ada@example.org wrote:` and `Ada <ada@example.org> wrote:`, and nothing else.
fn names_only(lower: &str, signs: &Signs) -> bool {
    let first = lower.split_whitespace().next().unwrap_or_default();
    let bracketed = lower.contains('<') && lower.contains('>') || lower.contains("&lt;");
    signs.verb_last && signs.words <= UNDATED_WORDS_MAX && (first.contains('@') || bracketed)
}

/// Gmail in some languages: `2016-03-03 17:21 GMT+01:00 Ada <ada@example.org>:`, the end may lack.
fn is_iso_line(lower: &str) -> bool {
    let mut words = lower.split(' ');
    let date = words.next().unwrap_or_default();
    let time = words.next().unwrap_or_default();
    let zone = words.next().unwrap_or_default();
    date.len() == 10
        && date.starts_with("20")
        && date.chars().all(|c| c.is_ascii_digit() || c == '-')
        && matches!(time.len(), 4 | 5)
        && time.contains(':')
        && zone.starts_with("gmt")
        && words.next().is_some()
}

fn signs(lower: &str) -> Signs {
    let mut signs = Signs {
        colon: lower.ends_with([':', '：']),
        address: lower.contains('@'),
        ..Signs::default()
    };
    signs.opener = is_opener(lower);
    (signs.digits, signs.time, signs.year) = numbers(lower);
    let mut before = "";
    let mut after_verb = false;
    for word in lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        let person = has(&PERSONS, word);
        if signs.words == 0 {
            signs.spoken = has(&LEADING, word);
        }
        if has(&VERBS, word) {
            signs.verb = true;
            signs.verb_last = true;
            signs.spoken |= has(&PERSONS, before);
            after_verb = true;
        } else {
            signs.spoken |= after_verb && person;
            // `napsal(a)`, `skrev følgende`: the verb still ends it.
            signs.verb_last &= after_verb && (word.len() <= 2 || is_follower(word));
            after_verb = after_verb && signs.verb_last;
        }
        before = word;
        signs.words += 1;
    }
    let closed = lower.trim_end_matches([':', '：', ' ', '*', '。']);
    if WROTE_ENDINGS.iter().any(|ending| closed.ends_with(ending)) {
        signs.verb = true;
        signs.verb_last = true;
    }
    signs
}

/// “the following”, which some programs put behind the verb.
fn is_follower(word: &str) -> bool {
    matches!(
        word,
        "følgende" | "följande" | "folgendes" | "va" | "następujące" | "the" | "following"
    )
}

fn is_opener(lower: &str) -> bool {
    let start = lower.trim_start_matches(['"', '\'', '(', '[', '«', '„', '“']);
    let Some(first) = start.chars().next() else {
        return false;
    };
    if first.is_numeric() || matches!(first, '在' | '於' | '于') {
        return true;
    }
    let end = start
        .find(|c: char| !c.is_alphabetic())
        .unwrap_or(start.len());
    start.get(..end).is_some_and(|word| has(&FIRST_WORDS, word))
}

/// How many digits there are, whether a time of day, whether a year.
fn numbers(text: &str) -> (usize, bool, bool) {
    let (mut digits, mut time, mut year) = (0, false, false);
    // The digits before the last separator, that separator, and the digits since.
    let (mut left, mut mark, mut run, mut value) = (0_usize, ' ', 0_usize, 0_u32);
    for c in text.chars().chain([' ']) {
        if c.is_numeric() {
            digits += 1;
            run += 1;
            value = value
                .saturating_mul(10)
                .saturating_add(c.to_digit(10).unwrap_or(0));
            continue;
        }
        if run > 0 {
            let clock = matches!(mark, ':' | 'h') || mark == '.' && c != '.';
            time |= run == 2 && matches!(left, 1 | 2) && clock;
            year |= run == 4 && (1980..2100).contains(&value) || run == 4 && value == 0;
        }
        (left, mark) = if run > 0 && !(mark == '.' && c == '.') {
            (run, c)
        } else {
            (0, c)
        };
        (run, value) = (0, 0);
    }
    (digits, time, year)
}

/// Whether a line could end an attribution; cheap, for it is asked of every line.
pub(super) fn may_end(line: &str) -> bool {
    let line = line.trim_end_matches([' ', '\t', '\u{a0}', '-', '_', '*']);
    let wrote = line.len() > 5
        && line
            .get(line.len() - 5..)
            .is_some_and(|end| end.eq_ignore_ascii_case("wrote"));
    wrote
        || line.ends_with([':', '：'])
        || line.contains('@')
        || line.starts_with("20") && line.contains("GMT")
}

/// Whether a line begins as an attribution does.
pub(super) fn may_begin(line: &str) -> bool {
    let line = undressed(line);
    line.chars().any(char::is_numeric) && is_opener(&line.to_lowercase())
}

/// A line that begins with an attribution to which the first quoted words are glued:
/// `On 5 May 2024 10:00, "Ada" wrote:> old`.
pub(super) fn glued(line: &str) -> bool {
    let line = undressed(line);
    if !line.starts_with(char::is_alphanumeric) {
        return false;
    }
    line.match_indices(':').take(12).any(|(at, _)| {
        let (before, after) = (
            line.get(..=at).unwrap_or_default(),
            line.get(at + 1..).unwrap_or_default(),
        );
        let sticks = after.starts_with(|c: char| c.is_alphabetic() || c == '>');
        let word = before
            .trim_end_matches([':', ' '])
            .rsplit(|c: char| !c.is_alphabetic())
            .next();
        sticks
            && word.is_some_and(|word| has(&VERBS, &word.to_lowercase()))
            && is_opener(&line.to_lowercase())
            && judge(before) == Attribution::Sure
    })
}

/// Without the dashes and stars some programs put around it.
fn undressed(text: &str) -> &str {
    bare(text)
        .trim_start_matches(['-', '*', ' ', '_', '|'])
        .trim_end_matches(['-', '*', ' ', '_'])
}
