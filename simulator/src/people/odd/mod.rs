//! In charge of the mailbox of odd mail: what a help desk receives once a year, side by side. Everything in it
//! is made up and harmless; the files that look dangerous hold a sentence.

mod files;
mod machines;
mod meetings;
mod pages;
mod protected;
mod replies;
mod scripts;
mod senders;
mod shapes;
mod tnef;

use super::compose::{Checks, Part, Who, arrived_after, encoded, write_part};
use crate::world::World;

/// Seconds between two of them.
const APART: i64 = 2 * 3600;

/// One odd message.
#[derive(Debug, Clone)]
struct Odd {
    /// The envelope sender.
    sender: String,
    /// Header fields in their order; names may repeat.
    fields: Vec<(&'static str, Vec<u8>)>,
    checks: Checks,
    content: Content,
}

/// What follows the fields.
#[derive(Debug, Clone)]
enum Content {
    /// Parts as a mail program writes them.
    Part(Part),
    /// Bytes as they are, Content-Type and what follows.
    Bytes(Vec<u8>),
}

/// A message from somebody.
fn odd((name, address): (&str, &str), subject: &str, content: Part) -> Odd {
    Odd {
        sender: address.to_owned(),
        fields: vec![
            ("From", Who::new(name, address).shown().into_bytes()),
            ("Subject", encoded(subject).into_bytes()),
        ],
        checks: Checks::Pass,
        content: Content::Part(content),
    }
}

/// A message whose body is written byte for byte.
fn odd_bytes(from: (&str, &str), subject: &str, bytes: &[u8]) -> Odd {
    Odd {
        content: Content::Bytes(bytes.to_vec()),
        ..odd(from, subject, Part::Leaf(Vec::new(), Vec::new()))
    }
}

impl Odd {
    /// With one more field.
    fn field(mut self, name: &'static str, value: impl Into<Vec<u8>>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    /// With another value for a field.
    fn set(mut self, name: &'static str, value: impl Into<Vec<u8>>) -> Self {
        self.fields.retain(|(known, _)| *known != name);
        self.field(name, value)
    }

    /// Without a field, also one that every message gets: its value is left empty.
    fn without(self, name: &'static str) -> Self {
        self.set(name, "")
    }

    /// As the checks found it.
    fn after(self, checks: Checks) -> Self {
        Self { checks, ..self }
    }

    fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(known, _)| *known == name)
    }

    /// The message in bytes; `number` tells it from the others.
    fn write(mut self, to: &str, at: i64, number: usize) -> Vec<u8> {
        let domain = crate::world::submission::domain(&self.sender);
        let date = mail_parser::DateTime::from_timestamp(at).to_rfc822();
        let usual = [
            ("To", Who::new("Harbour Lights", to).shown()),
            ("Date", date),
            ("Message-ID", format!("<odd.{number}.{at}@{domain}>")),
            ("MIME-Version", "1.0".to_owned()),
        ];
        for (name, value) in usual {
            if !self.has(name) {
                self.fields.push((name, value.into_bytes()));
            }
        }
        let mut out = Vec::new();
        for (name, value) in self.fields.iter().filter(|(_, value)| !value.is_empty()) {
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value);
            out.extend_from_slice(b"\r\n");
        }
        match &self.content {
            Content::Part(part) => write_part(part, &format!("odd{number}"), &mut 0, &mut out),
            Content::Bytes(bytes) => out.extend_from_slice(bytes),
        }
        out
    }
}

/// Puts the odd messages into the INBOX of `address`, oldest first; returns how many there are.
pub fn seed_odd(world: &World, address: &str) -> usize {
    let now = world.clock().now();
    let all: Vec<Odd> = replies::all()
        .into_iter()
        .chain(pages::all())
        .chain(scripts::all())
        .chain(meetings::all(now))
        .chain(files::all(address))
        .chain(machines::all(address))
        .chain(protected::all())
        .chain(senders::all(address))
        .chain(shapes::all())
        .collect();
    let count = all.len();
    let mut stored = 0;
    for (number, odd) in all.into_iter().enumerate() {
        let before = i64::try_from(count - number).unwrap_or_default();
        let at = now - before * APART;
        let (checks, sender) = (odd.checks, odd.sender.clone());
        let raw = arrived_after(checks, &odd.write(address, at, number), &sender, at);
        stored += usize::from(world.deliver_at(address, &raw, at));
    }
    stored
}

/// Text in a character set of old, and the set's name.
fn in_charset(label: &str, text: &str) -> (Vec<u8>, String) {
    let set = encoding_rs::Encoding::for_label(label.as_bytes()).unwrap_or(encoding_rs::UTF_8);
    let (bytes, _, _) = set.encode(text);
    (bytes.into_owned(), label.to_owned())
}

/// Lines ended as on the network.
fn crlf(text: &str) -> Vec<u8> {
    text.replace('\n', "\r\n").into_bytes()
}
