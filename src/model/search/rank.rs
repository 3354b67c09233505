//! Which result comes first: where the words stand, how well they fit, and how long ago it was.
//!
//! Not BM25: for a common word SQLite would first count every message that has it, which takes as long as
//! reading them all. What tells conversations of a help desk apart is who and what it is about, which stands
//! in names and subjects, and that what is asked for is mostly recent.

use super::document::Field;
use super::marks::{Fit, Pattern};

/// A message or note that was found.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// Its subject.
    pub subject: &'a str,
    /// Names and addresses of who wrote it.
    pub people: &'a str,
    /// Its words stand in it as they were typed.
    pub exact: bool,
    /// When something last happened in its conversation.
    pub active_at: i64,
}

/// After so long newness counts half.
const HALF_SECONDS: f64 = 60.0 * 86_400.0;
/// What the newest is ahead by, where words stand in the subject being worth three.
const NEW: f64 = 1.5;
/// What a subject is ahead by that has all words one after the other, or is nothing else.
const TOGETHER: f64 = 1.5;

/// How much a message is what was meant. Compared only with others of the same question.
#[derive(Debug)]
pub struct Judge {
    patterns: Vec<Pattern>,
    typed: String,
    now: i64,
}

impl Judge {
    /// A judge for a question of these patterns.
    #[must_use]
    pub fn new(patterns: &[Pattern], now: i64) -> Self {
        let free = patterns
            .iter()
            .filter(|pattern| pattern.field == Field::Any);
        let typed: Vec<String> = free.clone().map(Pattern::typed).collect();
        Self {
            patterns: free.cloned().collect(),
            typed: format!(" {} ", typed.join(" ")),
            now,
        }
    }

    /// The worth of one message.
    #[must_use]
    pub fn worth(&self, seen: &Seen<'_>) -> f64 {
        self.words(seen) + self.newness(seen.active_at)
    }

    fn words(&self, seen: &Seen<'_>) -> f64 {
        let Ok(count) = u32::try_from(self.patterns.len()) else {
            return 0.0;
        };
        if count == 0 {
            return 0.0;
        }
        let each = |pattern: &Pattern| {
            let of = |fit: Option<Fit>, exact: f64, form: f64| match fit {
                Some(Fit::Exact) => exact,
                Some(Fit::Form) => form,
                None => 0.0,
            };
            let somewhere = if seen.exact { 1.0 } else { 0.6 };
            of(pattern.fits(seen.subject), 3.0, 2.2)
                .max(of(pattern.fits(seen.people), 2.8, 2.2))
                .max(somewhere)
        };
        let mean = self.patterns.iter().map(each).sum::<f64>() / f64::from(count);
        let mut subject = String::from(" ");
        super::words::each(seen.subject, |word| {
            subject.push_str(word.text);
            subject.push(' ');
        });
        let together = subject.contains(&self.typed);
        let alone = subject == self.typed;
        mean + if together && count > 1 { TOGETHER } else { 0.0 }
            + if alone { TOGETHER } else { 0.0 }
    }

    fn newness(&self, at: i64) -> f64 {
        let age = self.now.saturating_sub(at).max(0);
        #[expect(
            clippy::cast_precision_loss,
            reason = "an age in seconds is far below 2^52"
        )]
        let age = age as f64;
        NEW * HALF_SECONDS / (HALF_SECONDS + age)
    }
}

#[cfg(test)]
mod tests {
    use super::super::query::parse;
    use super::*;

    const DAY: i64 = 86_400;

    /// The subjects in the order they come for a question; each with its people and its age in days.
    fn order<'a>(question: &str, found: &[(&'a str, &str, bool, i64)]) -> Vec<&'a str> {
        let now = 1_800_000_000;
        let judge = Judge::new(
            &parse(question, chrono::NaiveDate::default()).patterns(),
            now,
        );
        let mut rated: Vec<(f64, &str)> = found
            .iter()
            .map(|(subject, people, exact, days)| {
                let seen = Seen {
                    subject,
                    people,
                    exact: *exact,
                    active_at: now - days * DAY,
                };
                (judge.worth(&seen), *subject)
            })
            .collect();
        rated.sort_by(|one, other| other.0.total_cmp(&one.0));
        rated.into_iter().map(|(_, subject)| subject).collect()
    }

    #[test]
    fn subject_and_sender_come_before_text_and_the_word_itself_before_its_forms() {
        let found = [
            ("Hello", "Jo", true, 0),
            ("Two lamps", "Jo", false, 0),
            ("A lamp", "Jo", true, 0),
            ("Hi", "Jo", false, 0),
        ];
        assert_eq!(
            order("lamp", &found),
            ["A lamp", "Two lamps", "Hello", "Hi"]
        );
        let found = [
            ("To Brandt", "Jo", true, 90),
            ("Hello", "Mia Brandt", true, 1),
            ("x", "Jo", true, 0),
        ];
        assert_eq!(order("brandt", &found), ["Hello", "To Brandt", "x"]);
    }

    #[test]
    fn words_together_come_before_words_apart() {
        let found = [
            ("Lamp is not broken but green", "", true, 0),
            ("The broken lamp of 2025", "", true, 400),
            ("Broken lamp", "", true, 400),
        ];
        let expected = [
            "Broken lamp",
            "The broken lamp of 2025",
            "Lamp is not broken but green",
        ];
        assert_eq!(order("broken lamp", &found), expected);
    }

    #[test]
    fn of_equals_the_newest_comes_first_and_without_words_only_that_counts() {
        let found = [
            ("one", "", true, 30),
            ("two", "", true, 2),
            ("three", "", true, 300),
        ];
        assert_eq!(order("x", &found), ["two", "one", "three"]);
        assert_eq!(order("has:attachment", &found), ["two", "one", "three"]);
    }
}
