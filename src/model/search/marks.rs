//! What of a result is shown, and which of its words are marked as what was looked for.

use std::collections::BTreeSet;
use std::ops::Range;

use super::document::Field;
use super::words::{self, Shape};

/// Text looked at for a snippet, in bytes; more is not read for one line of a page.
const READ_MAX_BYTES: usize = 128 * 1024;
/// How much of the text stands before the first mark, in bytes.
const BEFORE_BYTES: usize = 48;
/// Length of a snippet, in bytes.
const SNIPPET_BYTES: usize = 220;

/// A piece of text, marked or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The text.
    pub text: String,
    /// It is what was looked for.
    pub marked: bool,
}

/// A word or phrase that was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// Where.
    pub field: Field,
    words: Vec<String>,
    others: BTreeSet<String>,
    begins: bool,
}

/// How well a text has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// Another form or spelling of it.
    Form,
    /// As it was written.
    Exact,
}

type Read = (String, Range<usize>, Shape);

impl Pattern {
    pub(super) fn new<'a>(
        field: Field,
        words: &[String],
        others: impl Iterator<Item = &'a String>,
        begins: bool,
    ) -> Self {
        Self {
            field,
            words: words.to_vec(),
            others: others.cloned().collect(),
            begins,
        }
    }

    /// It as the index has it, for comparing.
    pub(super) fn typed(&self) -> String {
        self.words.join(" ")
    }

    /// Whether it stands at the beginning of these words, how well, and where it ends in the text.
    fn at(&self, text: &str, read: &[Read]) -> Option<(Fit, usize)> {
        let (first, place, shape) = read.first()?;
        if let [word] = self.words.as_slice() {
            if first == word {
                return Some((Fit::Exact, place.end));
            }
            if self.begins && first.starts_with(word.as_str()) {
                // Of a pair only the sign itself.
                let sign = text.get(place.clone()).and_then(|pair| pair.chars().next());
                let end = match (shape, sign) {
                    (Shape::Pair, Some(sign)) => place.start + sign.len_utf8(),
                    _ => place.end,
                };
                return Some((Fit::Exact, end));
            }
            return self
                .others
                .contains(first)
                .then_some((Fit::Form, place.end));
        }
        let follows = read.len() >= self.words.len()
            && read
                .iter()
                .zip(&self.words)
                .all(|((word, _, _), wanted)| word == wanted);
        let last = read.get(self.words.len().checked_sub(1)?)?;
        follows.then_some((Fit::Exact, last.1.end))
    }

    /// How well a text has it, if it does.
    #[must_use]
    pub fn fits(&self, text: &str) -> Option<Fit> {
        let read = words::list(text);
        (0..read.len())
            .filter_map(|at| self.at(text, read.get(at..)?))
            .map(|(fit, _)| fit)
            .max()
    }
}

/// A place that is marked, and the pattern it has.
type Found = (Range<usize>, usize);

fn find(text: &str, patterns: &[Pattern]) -> Vec<Found> {
    let read = words::list(text);
    let mut found: Vec<Found> = Vec::new();
    for (at, (_, place, _)) in read.iter().enumerate() {
        let rest = read.get(at..).unwrap_or_default();
        let best = patterns
            .iter()
            .enumerate()
            .filter_map(|(which, pattern)| Some((pattern.at(text, rest)?.1, which)))
            .max();
        if let Some((end, which)) = best {
            found.push((place.start..end, which));
        }
    }
    found
}

/// A whole text with its marks; for what is short.
#[must_use]
pub fn marked(text: &str, patterns: &[Pattern]) -> Vec<Part> {
    parts(text, 0..text.len(), &find(text, patterns))
}

/// The place of a text that has most of what was looked for, on one line; `None` when it has none of it.
#[must_use]
pub fn snippet(text: &str, patterns: &[Pattern]) -> Option<Vec<Part>> {
    let text = up_to(text, READ_MAX_BYTES);
    let found = find(text, patterns);
    let (mut best, mut most) = (0, 0);
    for (at, (place, _)) in found.iter().enumerate() {
        let near = found.iter().skip(at);
        let near =
            near.take_while(|(other, _)| other.start < place.start + SNIPPET_BYTES - BEFORE_BYTES);
        let kinds: BTreeSet<usize> = near.map(|(_, which)| *which).collect();
        if kinds.len() > most {
            (best, most) = (at, kinds.len());
        }
        if most == patterns.len() {
            break;
        }
    }
    let (first, _) = found.get(best)?;
    let earliest = first.start.saturating_sub(BEFORE_BYTES);
    let start = space_after(text, earliest, first.start);
    let end = up_to(text, start.saturating_add(SNIPPET_BYTES).max(first.end)).len();
    let mut parts = parts(text, start..end, &found);
    let dots = |there: bool| {
        there.then(|| Part {
            text: "…".to_owned(),
            marked: false,
        })
    };
    parts.splice(0..0, dots(start > 0));
    parts.extend(dots(end < text.trim_end().len()));
    Some(parts)
}

/// The beginning of a text, at most so many bytes.
fn up_to(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// Where the first word begins behind `from`, or `until` when none does before.
fn space_after(text: &str, from: usize, until: usize) -> usize {
    if from == 0 {
        return 0;
    }
    let mut from = from;
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let before = text.get(from..until).unwrap_or_default();
    match before.find(char::is_whitespace) {
        Some(at) => from + at,
        // A script without spaces, or one long word.
        None => from,
    }
}

fn parts(text: &str, shown: Range<usize>, found: &[Found]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut add = |range: Range<usize>, marked: bool| {
        let text = one_line(text.get(range).unwrap_or_default());
        if text.is_empty() {
            return;
        }
        match parts.last_mut() {
            Some(last) if last.marked == marked => last.text.push_str(&text),
            _ => parts.push(Part { text, marked }),
        }
    };
    let mut at = shown.start;
    for (place, _) in found {
        let (start, end) = (place.start.max(at), place.end.min(shown.end));
        if start >= end {
            continue;
        }
        add(at..start, false);
        add(start..end, true);
        at = end;
    }
    add(at..shown.end, false);
    parts
}

/// Line ends and rows of spaces as one space.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for sign in text.chars() {
        if !sign.is_whitespace() && !sign.is_control() {
            line.push(sign);
        } else if !line.ends_with(' ') {
            line.push(' ');
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::super::query::parse;
    use super::*;

    fn patterns(question: &str) -> Vec<Pattern> {
        parse(question, chrono::NaiveDate::default()).patterns()
    }

    fn show(parts: &[Part]) -> String {
        parts
            .iter()
            .map(|part| {
                if part.marked {
                    format!("[{}]", part.text)
                } else {
                    part.text.clone()
                }
            })
            .collect()
    }

    #[test]
    fn what_was_looked_for_is_marked_as_it_was_written() {
        for (question, text, shown) in [
            ("muller", "Herr Müller, MULLER!", "Herr [Müller], [MULLER]!"),
            (
                "lamp",
                "Two lamps\r\n  were   broken",
                "Two [lamps] were broken",
            ),
            (
                "\"big lamp\"",
                "a big lamp, a lamp, big",
                "a [big lamp], a lamp, big",
            ),
            ("退款", "我要退款单退", "我要[退款]单退"),
            ("退款单", "我要退款单退", "我要[退款单]退"),
            ("猫", "黒猫と猫", "黒[猫]と[猫]"),
            ("inv-7", "See INV-7, not 7", "See [INV-7], not 7"),
            ("lam*", "lampshade", "[lampshade]"),
            ("-lamp chair", "lamp chair", "lamp [chair]"),
        ] {
            assert_eq!(
                show(&marked(text, &patterns(question))),
                shown,
                "{question}"
            );
        }
    }

    #[test]
    fn a_snippet_shows_the_place_with_most_of_it() {
        let text = format!(
            "lamp {}the broken lamp at last {}",
            "word ".repeat(200),
            "more ".repeat(200)
        );
        let parts = snippet(&text, &patterns("broken lamp")).unwrap();
        let line = show(&parts);
        assert!(line.starts_with('…') && line.ends_with('…'), "{line}");
        assert!(line.contains("the [broken] [lamp] at last"), "{line}");
        assert!(line.len() < SNIPPET_BYTES + 20);
        assert_eq!(snippet("nothing of it", &patterns("lamp")), None);
    }

    #[test]
    fn snippets_of_any_text_and_question_end() {
        for text in [
            "",
            "猫".repeat(500).as_str(),
            "a\u{301}".repeat(300).as_str(),
            "ひ\u{3099}ひ 🙂",
        ] {
            for question in ["猫", "a", "ひ", "\"", "び"] {
                let parts = snippet(text, &patterns(question)).unwrap_or_default();
                assert!(parts.iter().all(|part| !part.text.is_empty()));
            }
        }
    }
}
