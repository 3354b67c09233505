//! What is indexed of a message.
//!
//! One list of words. A word of the text stands as it is; a word of the subject, of an address or of a file's
//! name stands as it is and once more behind a mark (`s=lamp`), so that an operator is a look at one entry
//! of the index and not a filter over all that has the word. Mailbox and month are such words too.

use std::fmt::Write as _;

use chrono::{DateTime, Datelike as _};

use super::words;
use crate::model::{Address, MailboxId, Recipients};

/// Where a word stands; the mark it has in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// Anywhere.
    Any,
    /// In the subject.
    Subject,
    /// In the sender's or the note's writer's name or address.
    From,
    /// In a recipient's name or address.
    To,
    /// In a file's name.
    File,
}

impl Field {
    /// What stands before its words in the index.
    #[must_use]
    pub(super) fn mark(self) -> &'static str {
        match self {
            Self::Any => "",
            Self::Subject => "s=",
            Self::From => "f=",
            Self::To => "t=",
            Self::File => "a=",
        }
    }
}

/// The word of everything in a mailbox.
pub(super) fn mailbox_word(id: MailboxId) -> String {
    format!("m={id}")
}

/// The word of a message with files.
pub(super) const HAS_FILE: &str = "h=attachment";

/// The words of the year and of the month, UTC.
pub(super) fn year_word(year: i32) -> String {
    format!("y={year}")
}

/// The word of a month.
pub(super) fn month_word(year: i32, month: u32) -> String {
    format!("d={year}{month:02}")
}

/// A message as it is to be found.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The address of its mailbox, which stands in nearly every message there and so says nothing.
    pub own_address: &'a str,
    /// Its subject.
    pub subject: &'a str,
    /// Its sender.
    pub from: &'a Address,
    /// Its recipients.
    pub recipients: &'a Recipients,
    /// All its text.
    pub text: &'a str,
    /// What its writer newly wrote, with the signature.
    pub new_text: &'a str,
    /// It carries quoted history.
    pub quoted: bool,
}

/// The words of a message, or of a note.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    /// Of subject, people and files.
    head: String,
    /// Of what was newly written.
    new: String,
    /// Of all its text, where that is more.
    whole: Option<String>,
}

impl Document {
    /// Reads the words of a message; of each file its name, and whether it is shown within the text. Done before a transaction, so that the writer is not held meanwhile.
    #[must_use]
    pub fn of_message<'a>(
        source: Source<'_>,
        files: impl Iterator<Item = (&'a str, bool)>,
    ) -> Self {
        let mut head = String::new();
        let mut add = |field: Field, text: &str, plain: bool| {
            if plain {
                add_words(&mut head, "", text);
            }
            add_words(&mut head, field.mark(), text);
        };
        add(Field::Subject, source.subject, true);
        let senders = std::iter::once(source.from).chain(&source.recipients.reply_to);
        for who in senders {
            add(Field::From, &who.name, true);
            add(Field::From, &who.address, true);
        }
        let others = &source.recipients;
        for who in others.to.iter().chain(&others.cc).chain(&others.bcc) {
            let is_own = who.address.eq_ignore_ascii_case(source.own_address);
            add(Field::To, &who.name, !is_own);
            add(Field::To, &who.address, !is_own);
        }
        let mut has_file = false;
        for (name, inline) in files {
            has_file |= !inline;
            add(Field::File, name, true);
        }
        if has_file {
            push(&mut head, HAS_FILE, "");
        }
        let has_new = !source.new_text.trim().is_empty();
        let (new, whole) = match (source.quoted, has_new) {
            (true, true) => (source.new_text, Some(source.text)),
            _ => (source.text, None),
        };
        Self {
            head,
            new: all_words(new),
            whole: whole.map(all_words),
        }
    }

    /// Reads the words of a note.
    #[must_use]
    pub fn of_note(writer: &str, text: &str) -> Self {
        let mut head = String::new();
        add_words(&mut head, Field::From.mark(), writer);
        Self {
            head,
            new: all_words(text),
            whole: None,
        }
    }

    /// The list for the index. History that a message repeats is found by the message it was; `whole` keeps
    /// it where that message never came here.
    #[must_use]
    pub fn words(&self, mailbox_id: MailboxId, at: i64, whole: bool) -> String {
        let text = self.whole.as_ref().filter(|_| whole).unwrap_or(&self.new);
        let date = DateTime::from_timestamp(at, 0).unwrap_or_default();
        let (year, month) = (date.year(), date.month());
        let mut list = String::with_capacity(self.head.len() + text.len() + 32);
        for part in [
            &mailbox_word(mailbox_id),
            &year_word(year),
            &month_word(year, month),
            &self.head,
            text,
        ] {
            push(&mut list, part, "");
        }
        list
    }
}

fn all_words(text: &str) -> String {
    let mut list = String::with_capacity(text.len() + 8);
    add_words(&mut list, "", text);
    list
}

fn add_words(list: &mut String, mark: &str, text: &str) {
    words::each(text, |word| push(list, mark, word.text));
}

fn push(list: &mut String, mark: &str, word: &str) {
    if !list.is_empty() {
        list.push(' ');
    }
    // Writing to a text cannot fail.
    let _ = write!(list, "{mark}{word}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str, new_text: &str, quoted: bool) -> Document {
        let source = Source {
            own_address: "support@harbour.example",
            subject: "Lampe kaputt",
            from: &Address::new("Mia Brandt", "mia@shop.example"),
            recipients: &Recipients {
                to: vec![
                    Address::new("", "Support@harbour.example"),
                    Address::new("Jo", "jo@x.example"),
                ],
                ..Recipients::default()
            },
            text,
            new_text,
            quoted,
        };
        Document::of_message(source, [("foto.jpg", false)].into_iter())
    }

    #[test]
    fn every_part_has_its_mark_and_the_own_address_only_that() {
        let words = document("Hello", "Hello", false).words(MailboxId(3), 1_800_000_000, false);
        let words: Vec<&str> = words.split(' ').collect();
        for wanted in [
            "m=3",
            "y=2027",
            "d=202701",
            "lampe",
            "s=kaputt",
            "mia",
            "f=mia",
            "f=shop",
            "t=support",
            "jo",
            "t=jo",
            "foto",
            "a=jpg",
            "h=attachment",
            "hello",
        ] {
            assert!(words.contains(&wanted), "{wanted} in {words:?}");
        }
        assert!(!words.contains(&"support"), "{words:?}");
    }

    #[test]
    fn history_is_indexed_only_where_it_is_asked_for() {
        let answer = document("Yes.\n> Is it blue?", "Yes.", true);
        let of = |whole| answer.words(MailboxId(1), 0, whole);
        assert!(!of(false).contains("blue") && of(true).contains("blue"));
        // Nothing new: then the history is all there is.
        let bare = document("> Is it blue?", " ", true);
        assert!(bare.words(MailboxId(1), 0, false).contains("blue"));
    }

    #[test]
    fn nothing_that_is_written_can_wear_a_mark() {
        let forged = document("m=9 h=attachment f=boss", "m=9 h=attachment f=boss", false);
        let words = forged.words(MailboxId(1), 0, false);
        assert!(
            !words.contains("m=9") && !words.contains("f=boss"),
            "{words}"
        );
    }
}
