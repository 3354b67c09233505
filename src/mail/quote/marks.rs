//! Lines that stand above a quoted or a forwarded message: `-----Original Message-----`.

use std::sync::LazyLock;

use super::words::{MARKS, REPLY_ABOVE};
use super::{bare, list, lower};

/// Bytes of the longest mark.
const BYTES_MAX: usize = 160;

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

/// How a line that may be a mark looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Drawn with dashes: certain by itself.
    Drawn,
    /// It asks to write above it.
    Asking,
    /// With a colon, as a person's heading: a header block must follow.
    Headed,
}

/// Whether a line looks like a mark; cheap, for it is asked of every line.
pub(super) fn look(line: &str) -> Option<Look> {
    let line = bare(line);
    let first = line.chars().next()?;
    let starts = |mark: &str| line.starts_with(mark);
    match first {
        '-' | '_' | '=' | '#' if ["--", "__", "==", "##"].into_iter().any(starts) => {
            Some(Look::Drawn)
        }
        '—' | '–' | '─' => Some(Look::Drawn),
        'r' | 'R' | 'p' | 'P'
            if line.get(..5).is_some_and(|start| {
                start.eq_ignore_ascii_case("reply") || start.eq_ignore_ascii_case("pleas")
            }) =>
        {
            Some(Look::Asking)
        }
        _ => line
            .ends_with([':', '：', '-', '=', '#', '*'])
            .then_some(Look::Headed),
    }
}

/// Reads a line that looks like a mark.
pub(super) fn read(line: &str) -> Option<Mark> {
    let look = look(line)?;
    let inner = bare(line).trim_start_matches(is_drawing);
    // Some programs begin the header block in the same line.
    let inner = inner.split("---").next().unwrap_or_default();
    let inner = inner.trim_end_matches(is_drawing);
    if inner.is_empty() || inner.len() > BYTES_MAX {
        return None;
    }
    let inner = lower(inner);
    let holds = |phrases: &[&str]| phrases.iter().any(|phrase| inner.contains(phrase));
    // “Please sign above this line” is not such a request.
    if holds(REPLY_ABOVE) && (look == Look::Drawn || inner.contains("reply")) {
        return Some(Mark::ReplyAbove);
    }
    if look == Look::Asking {
        return None;
    }
    if holds(&PHRASES.forward) {
        return Some(Mark::Forward);
    }
    let mut original = PHRASES.original.iter();
    original
        .any(|phrase| inner.starts_with(phrase))
        .then_some(Mark::Original)
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
    is_drawn_line(line) && line.trim().chars().count() >= 5
}

/// Whether the line is drawn, be it as short as `---`.
pub(super) fn is_drawn_line(line: &str) -> bool {
    let line = line.trim();
    line.len() >= 3
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
            assert_eq!(
                (read(line), look(line)),
                (Some(mark), Some(Look::Drawn)),
                "{line}"
            );
        }
        let apple = "Début du message réexpédié :";
        assert_eq!(
            (read(apple), look(apple)),
            (Some(Mark::Forward), Some(Look::Headed))
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
