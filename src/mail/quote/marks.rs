//! Lines that stand above a quoted or a forwarded message: `-----Original Message-----`.

use std::sync::LazyLock;

use super::words::{MARKS, REPLY_ABOVE};
use super::{bare, list};

/// Characters of the longest mark.
const CHARS_MAX: usize = 80;

/// What a line announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// The message that is answered.
    Original,
    /// A forwarded message.
    Forward,
    /// A help desk's request to write above it.
    ReplyAbove,
}

struct Phrases {
    original: Vec<&'static str>,
    forward: Vec<&'static str>,
}

static PHRASES: LazyLock<Phrases> = LazyLock::new(|| {
    let column = |number: usize| {
        MARKS
            .lines()
            .filter_map(move |row| row.split('|').nth(number))
            .flat_map(list)
            .collect()
    };
    Phrases {
        original: column(1),
        forward: column(2),
    }
});

/// Reads a line as a mark, and whether it is drawn as one, with dashes. One that is not may as well be
/// a person's heading: a header block must follow it.
pub(super) fn read(line: &str) -> Option<(Mark, bool)> {
    let line = bare(line);
    let drawn = line.starts_with("--")
        || line.starts_with("__")
        || line.starts_with("==")
        || line.starts_with("##")
        || line.starts_with(['—', '–', '─']);
    let asks = line.get(..5).is_some_and(|start| {
        start.eq_ignore_ascii_case("reply") || start.eq_ignore_ascii_case("pleas")
    });
    if !drawn && !asks && !line.ends_with([':', '：', '-', '=', '#', '*']) {
        return None;
    }
    let inner = line.trim_start_matches(is_drawing);
    // Some programs begin the header block in the same line.
    let inner = inner.split("---").next().unwrap_or_default();
    let inner = inner.trim_end_matches(is_drawing);
    if inner.is_empty() || inner.chars().count() > CHARS_MAX {
        return None;
    }
    let inner = inner.to_lowercase();
    let holds = |phrases: &[&str]| phrases.iter().any(|phrase| inner.contains(phrase));
    let starts = |phrases: &[&str]| phrases.iter().any(|phrase| inner.starts_with(phrase));
    // “Please sign above this line” is not such a request.
    if holds(REPLY_ABOVE) && (drawn || inner.contains("reply")) {
        return Some((Mark::ReplyAbove, true));
    }
    if holds(&PHRASES.forward) {
        return Some((Mark::Forward, drawn));
    }
    starts(&PHRASES.original).then_some((Mark::Original, drawn))
}

fn is_drawing(c: char) -> bool {
    matches!(
        c,
        '-' | '_'
            | '='
            | '*'
            | '~'
            | '#'
            | ' '
            | '\t'
            | ':'
            | '：'
            | '.'
            | '—'
            | '–'
            | '─'
            | '<'
            | '>'
    )
}

/// Whether the line is nothing but a rule, as Outlook draws above a header block.
pub(super) fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.len() >= 5
        && line.chars().count() >= 5
        && line
            .chars()
            .all(|c| matches!(c, '_' | '-' | '=' | '─' | '—' | '*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_known_in_many_languages() {
        for (line, mark) in [
            ("-----Ursprüngliche Nachricht-----", Mark::Original),
            ("-------- Message d'origine --------De : A", Mark::Original),
            ("----- 원본 메시지 -----", Mark::Original),
            ("---------- Forwarded message ---------", Mark::Forward),
            ("-------- Přeposlaná zpráva --------", Mark::Forward),
            (
                "-------- Перенаправленное сообщение --------",
                Mark::Forward,
            ),
            (
                "##- Please type your reply above this line -##",
                Mark::ReplyAbove,
            ),
        ] {
            assert_eq!(read(line), Some((mark, true)), "{line}");
        }
        assert_eq!(
            read("Début du message réexpédié :"),
            Some((Mark::Forward, false))
        );
    }

    #[test]
    fn sentences_are_no_marks() {
        for line in [
            "The original message was lost",
            "---- Key points ----",
            "-- that is all --",
            "Thanks:",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }
}
