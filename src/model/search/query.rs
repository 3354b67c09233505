//! What a person typed into the search box, and what is asked of the index for it.
//!
//! Whatever is typed, something sensible is searched: an operator that is not known, or whose value is not
//! understood, is told in words ([`Remark`]). Only words as [`super::words`] makes them reach the index, each
//! in quotation marks, so no input is an error there.

use chrono::NaiveDate;

use super::document::Field;
use super::operators::{self, Operator};
use super::words::{self, Shape};
use super::{forms, marks::Pattern};
use crate::model::{ConversationId, Status};

/// Longer questions are cut, in characters.
const TEXT_MAX_CHARS: usize = 400;
/// Words looked for at most; each is a look into the index for every form.
const TERMS_MAX: usize = 12;
/// Shorter beginnings are looked for as whole words: half the index begins so.
const PREFIX_MIN: usize = 3;

/// A question, understood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// What is looked for, and what must not be there.
    pub terms: Vec<Term>,
    /// In which mailboxes, by name or address.
    pub mailboxes: Vec<Wanted<String>>,
    /// Who has the conversation.
    pub assignees: Vec<Wanted<Assignee>>,
    /// Where the conversation stands.
    pub statuses: Vec<Wanted<Status>>,
    /// Only messages with files, or only those without.
    pub has_attachment: Option<bool>,
    /// Only what was sent on this day or later, by the reader's calendar.
    pub after: Option<NaiveDate>,
    /// Only what was sent before this day.
    pub before: Option<NaiveDate>,
    /// What of the question was not understood.
    pub remarks: Vec<Remark>,
}

/// A wish, or with `not` what must not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted<T> {
    /// What.
    pub value: T,
    /// It must not be so.
    pub not: bool,
}

/// Who has a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Assignee {
    /// The person who asks.
    Me,
    /// Nobody.
    Nobody,
    /// An agent, by a part of the name or the address.
    Named(String),
}

/// One word or phrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Where it is looked for.
    pub field: Field,
    /// It must not be there.
    pub not: bool,
    /// As the index has it: one word, or several that follow each other.
    words: Vec<String>,
    /// Other spellings of a single word.
    spellings: Vec<String>,
    /// Other forms of a single word.
    forms: Vec<String>,
    /// Longer words that begin so count too.
    begins: bool,
}

/// Something that was not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Remark {
    /// A word before a colon that is no operator.
    #[error("There is no operator “{0}:”, so it was searched for as a word.")]
    UnknownOperator(String),
    /// An operator with nothing behind it.
    #[error("“{0}:” needs something behind it, such as {1}. It was left out.")]
    NoValue(&'static str, &'static str),
    /// A value that the operator does not know.
    #[error("“{0}:{1}” is not understood; {2}. It was left out.")]
    UnknownValue(&'static str, String, &'static str),
    /// No mailbox is called so.
    #[error("No mailbox is called “{0}”, so nothing is found in it.")]
    NoMailbox(String),
    /// No agent is called so.
    #[error("No agent is called “{0}”, so nobody has what is looked for.")]
    NoAgent(String),
    /// More words than are looked for.
    #[error("Only the first {TERMS_MAX} words were searched for.")]
    TooLong,
}

/// Where a question leads by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Jump {
    /// To the conversation with this number; `sure` when it was written with `#`.
    Number {
        /// Which.
        id: ConversationId,
        /// Nothing else can be meant.
        sure: bool,
    },
    /// To the message with this Message-ID, given without angle brackets.
    MessageId(String),
}

/// Where a question leads by itself, if it is a number or a Message-ID.
#[must_use]
pub fn jump(text: &str) -> Option<Jump> {
    let text = text.trim();
    let (digits, sure) = text
        .strip_prefix('#')
        .map_or((text, false), |rest| (rest, true));
    if (1..=12).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let id = ConversationId(digits.parse().ok()?);
        return Some(Jump::Number { id, sure });
    }
    let header = "message-id:";
    let bare = match text.get(..header.len()) {
        Some(start) if start.eq_ignore_ascii_case(header) => text.get(header.len()..)?.trim(),
        _ => text,
    };
    let id = bare
        .strip_prefix('<')
        .and_then(|rest| rest.strip_suffix('>'))
        .unwrap_or(bare);
    let is_id = id.len() <= 998
        && id.contains('@')
        && !id.contains(['"', '<', '>'])
        && !id.contains(char::is_whitespace);
    is_id.then(|| Jump::MessageId(id.to_owned()))
}

/// Reads a question. `today` is the day where the reader is.
#[must_use]
pub fn parse(text: &str, today: NaiveDate) -> Query {
    let end = text
        .char_indices()
        .nth(TEXT_MAX_CHARS)
        .map_or(text.len(), |(at, _)| at);
    let mut query = Query::default();
    if end < text.len() {
        query.remarks.push(Remark::TooLong);
    }
    for token in operators::tokens(text.get(..end).unwrap_or_default()) {
        query.take(&token, today);
    }
    if query.terms.len() > TERMS_MAX {
        query.terms.truncate(TERMS_MAX);
        query.remarks.push(Remark::TooLong);
    }
    query.remarks.dedup();
    query
}

impl Query {
    fn take(&mut self, token: &operators::Token<'_>, today: NaiveDate) {
        let not = token.not;
        let value = token.value.trim();
        let Some(name) = token.operator else {
            self.add(Field::Any, value, token.quoted, not);
            return;
        };
        let Some(operator) = Operator::from_name(name) else {
            self.remarks.push(Remark::UnknownOperator(name.to_owned()));
            self.add(Field::Any, &format!("{name} {value}"), true, not);
            return;
        };
        if value.is_empty() {
            self.remarks
                .push(Remark::NoValue(operator.name(), operator.example()));
            return;
        }
        let understood = match operator {
            Operator::From => self.add(Field::From, value, token.quoted, not),
            Operator::To => self.add(Field::To, value, token.quoted, not),
            Operator::Subject => self.add(Field::Subject, value, token.quoted, not),
            Operator::Mailbox => {
                let value = value.to_owned();
                self.mailboxes.push(Wanted { value, not });
                true
            }
            Operator::Assignee => {
                let value = operators::assignee(value);
                self.assignees.push(Wanted { value, not });
                true
            }
            Operator::Status => operators::status(value)
                .map(|value| self.statuses.push(Wanted { value, not }))
                .is_some(),
            Operator::Has => operators::is_attachment(value)
                .then(|| self.has_attachment = Some(!not))
                .is_some(),
            Operator::Before => operators::date(value, today)
                .map(|day| self.before = Some(day))
                .is_some(),
            Operator::After => operators::date(value, today)
                .map(|day| self.after = Some(day))
                .is_some(),
        };
        if !understood {
            let remark = Remark::UnknownValue(operator.name(), value.to_owned(), operator.knows());
            self.remarks.push(remark);
        }
    }

    /// Adds a word or phrase; whether there is anything in it that can be looked for.
    fn add(&mut self, field: Field, text: &str, quoted: bool, not: bool) -> bool {
        let mut read = words::list(text);
        // The last sign of a run stands in its last pair too.
        if read
            .last()
            .is_some_and(|(_, _, shape)| *shape == Shape::Last)
        {
            read.pop();
        }
        let alone = matches!(read.as_slice(), [(_, _, Shape::Single)]);
        let words: Vec<String> = read.into_iter().map(|(word, _, _)| word).collect();
        let [first, ..] = words.as_slice() else {
            return false;
        };
        let is_word = words.len() == 1 && !quoted && !alone;
        let wants_longer = is_word && text.ends_with('*') && first.chars().count() >= PREFIX_MIN;
        let spellings: Vec<String> = if is_word && !wants_longer {
            forms::umlauts(text, first).into_iter().collect()
        } else {
            Vec::new()
        };
        let has_forms =
            is_word && !wants_longer && !not && matches!(field, Field::Any | Field::Subject);
        let forms = if has_forms {
            let spelt = std::iter::once(first).chain(&spellings);
            spelt
                .flat_map(|word| forms::of(word))
                .filter(|form| form != first && !spellings.contains(form))
                .collect()
        } else {
            Vec::new()
        };
        self.terms.push(Term {
            field,
            not,
            spellings,
            forms,
            begins: alone || wants_longer,
            words,
        });
        true
    }

    /// Whether nothing is asked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
            && self.mailboxes.is_empty()
            && self.assignees.is_empty()
            && self.statuses.is_empty()
            && self.has_attachment.is_none()
            && self.after.is_none()
            && self.before.is_none()
    }

    /// Whether a word or phrase is looked for anywhere.
    #[must_use]
    pub fn has_free_words(&self) -> bool {
        self.terms
            .iter()
            .any(|term| !term.not && term.field == Field::Any)
    }

    /// What to mark in results.
    #[must_use]
    pub fn patterns(&self) -> Vec<Pattern> {
        let wanted = self.terms.iter().filter(|term| !term.not);
        wanted
            .map(|term| {
                let others = term.spellings.iter().chain(&term.forms);
                Pattern::new(term.field, &term.words, others, term.begins)
            })
            .collect()
    }
}

/// How widely words are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// In subjects, senders and file names, in all forms.
    Head,
    /// Anywhere, as they are written.
    Exact,
    /// Anywhere, in all forms.
    Forms,
}

impl Term {
    /// The expression of FTS5 for it.
    pub(super) fn expression(&self, width: Width) -> String {
        let marks: &[&str] = match (width, self.field, self.not) {
            (Width::Head, Field::Any, false) => &[
                Field::Subject.mark(),
                Field::From.mark(),
                Field::File.mark(),
            ],
            _ => &[self.field.mark()],
        };
        let star = if self.begins { " *" } else { "" };
        let mut ways = Vec::new();
        for mark in marks {
            let phrase: Vec<String> = self
                .words
                .iter()
                .map(|word| format!("{mark}{word}"))
                .collect();
            ways.push(format!("\"{}\"{star}", phrase.join(" ")));
            let spellings = self.spellings.iter();
            let forms = self.forms.iter().filter(|_| width != Width::Exact);
            ways.extend(
                spellings
                    .chain(forms)
                    .map(|word| format!("\"{mark}{word}\"")),
            );
        }
        format!("({})", ways.join(" OR "))
    }
}

#[cfg(test)]
mod tests;
