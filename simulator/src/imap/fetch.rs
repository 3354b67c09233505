//! In charge of FETCH and UID FETCH.

use std::io;
use std::num::NonZeroU32;

use imap_codec::imap_types::fetch::{
    Macro, MacroOrMessageDataItemNames, MessageDataItemName as Item, Section,
};
use imap_codec::imap_types::sequence::SequenceSet;

use super::select::{Tell, flag_list};
use super::session::{Next, Session, Struck};
use super::structure;
use crate::faults::Point;
use crate::world::{Flag, Stored, headers};

impl Session {
    /// FETCH and UID FETCH.
    pub(super) fn fetch(
        &mut self,
        tag: &str,
        set: &SequenceSet,
        what: MacroOrMessageDataItemNames<'static>,
        uid: bool,
    ) -> io::Result<Next> {
        if let Struck::Answered(next) = self.strike(Point::ImapFetch, tag)? {
            return Ok(next);
        }
        let mut items = match what {
            MacroOrMessageDataItemNames::Macro(Macro::Fast) => {
                vec![Item::Flags, Item::InternalDate, Item::Rfc822Size]
            }
            MacroOrMessageDataItemNames::Macro(all) => {
                let mut items = vec![
                    Item::Flags,
                    Item::InternalDate,
                    Item::Rfc822Size,
                    Item::Envelope,
                ];
                if all == Macro::Full {
                    items.push(Item::Body);
                }
                items
            }
            MacroOrMessageDataItemNames::MessageDataItemNames(items) => items,
        };
        let point = if items.iter().any(is_message) {
            Point::ImapBody
        } else {
            Point::ImapSizes
        };
        if let Struck::Answered(next) = self.strike(point, tag)? {
            return Ok(next);
        }
        let next = self.catch_up(if uid { Tell::All } else { Tell::NoExpunge })?;
        let (Next::Go, Some(selected)) = (next, &self.selected) else {
            return Ok(next);
        };
        if uid && !items.contains(&Item::Uid) {
            items.push(Item::Uid);
        }
        if items
            .iter()
            .any(|item| matches!(item, Item::Binary { .. } | Item::BinarySize { .. }))
        {
            return self.answer(tag, "BAD Command Argument Error. 11");
        }
        if self.service.world.quirks().size_before_uid {
            items.sort_by_key(|item| !matches!(item, Item::Rfc822Size));
        }
        let named = selected.named(set, uid);
        let (folder, marks) = (
            selected.folder.clone(),
            !selected.read_only && marks_seen(&items),
        );
        let mut complete = true;
        for (seq, number) in named {
            let Some(stored) = self.fetched(&folder, number, marks) else {
                complete = false;
                continue;
            };
            if stored.unfetchable {
                continue;
            }
            if stored.breaks && point == Point::ImapBody {
                return Ok(Next::Drop);
            }
            let mut items = items.clone();
            if marks && !items.contains(&Item::Flags) {
                items.push(Item::Flags);
            }
            self.wire.write(&answer(seq, &stored, &items))?;
            self.note_flags(number, &stored);
        }
        if complete {
            self.ok(tag, "FETCH")
        } else {
            // Somebody removed them and this client has not been told yet.
            self.answer(tag, "NO Some of the requested messages no longer exist.")
        }
    }

    /// The message to answer with, marked as read where asked; none when it is gone.
    fn fetched(&self, folder: &str, uid: u32, marks: bool) -> Option<Stored> {
        let mut stored = self.mailbox(|mailbox| {
            mailbox
                .find(folder)
                .and_then(|folder| folder.get(uid))
                .cloned()
        })??;
        if stored.unfetchable {
            return Some(stored);
        }
        if marks && stored.flags.insert(Flag::Seen) {
            self.change(|mailbox| {
                let found = mailbox
                    .find_mut(folder)
                    .and_then(|folder| folder.get_mut(uid));
                found.map(|found| found.flags.insert(Flag::Seen))
            });
        }
        if stored.stub {
            stored.raw = structure::stub(&stored).into();
        }
        Some(stored)
    }

    /// Remembers that the client knows these flags now.
    pub(super) fn note_flags(&mut self, uid: u32, stored: &Stored) {
        let Some(selected) = &mut self.selected else {
            return;
        };
        let at = selected
            .view
            .binary_search_by_key(&uid, |(known, _)| *known);
        if let Some((_, flags)) = at.ok().and_then(|at| selected.view.get_mut(at)) {
            flags.clone_from(&stored.flags);
        }
    }
}

/// Whether fetching these marks the message as read.
fn marks_seen(items: &[Item<'_>]) -> bool {
    items.iter().any(|item| {
        matches!(
            item,
            Item::Rfc822 | Item::Rfc822Text | Item::BodyExt { peek: false, .. }
        )
    })
}

/// Whether an item is a message or a part of one.
fn is_message(item: &Item<'_>) -> bool {
    matches!(
        item,
        Item::Rfc822 | Item::Rfc822Text | Item::Rfc822Header | Item::BodyExt { .. }
    )
}

/// One untagged FETCH.
fn answer(seq: u32, stored: &Stored, items: &[Item<'_>]) -> Vec<u8> {
    let mut out = format!("* {seq} FETCH (").into_bytes();
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        write_item(&mut out, stored, item);
    }
    out.extend_from_slice(b")\r\n");
    out
}

fn write_item(out: &mut Vec<u8>, stored: &Stored, item: &Item<'_>) {
    let raw: &[u8] = &stored.raw;
    let head = headers::header_length(raw);
    match item {
        Item::Uid => out.extend(format!("UID {}", stored.uid).bytes()),
        Item::Flags => out.extend(format!("FLAGS {}", flag_list(&stored.flags)).bytes()),
        Item::InternalDate => {
            out.extend(format!("INTERNALDATE \"{}\"", date_time(stored.internal_date_at)).bytes());
        }
        Item::Rfc822Size => {
            out.extend(format!("RFC822.SIZE {}", stored.reported_size_bytes).bytes());
        }
        Item::Envelope => out.extend(format!("ENVELOPE {}", structure::envelope(raw)).bytes()),
        Item::Body => out.extend(format!("BODY {}", structure::body(raw, false)).bytes()),
        Item::BodyStructure => {
            out.extend(format!("BODYSTRUCTURE {}", structure::body(raw, true)).bytes());
        }
        Item::Rfc822 => literal(out, "RFC822", Some(raw)),
        Item::Rfc822Header => literal(out, "RFC822.HEADER", raw.get(..head)),
        Item::Rfc822Text => literal(out, "RFC822.TEXT", raw.get(head..)),
        Item::BodyExt {
            section, partial, ..
        } => write_section(out, raw, section.as_ref(), *partial),
        // Refused before.
        Item::Binary { .. } | Item::BinarySize { .. } => {}
    }
}

fn write_section(
    out: &mut Vec<u8>,
    raw: &[u8],
    section: Option<&Section<'_>>,
    partial: Option<(u32, NonZeroU32)>,
) {
    let (mut name, content) = match section {
        None => ("BODY[]".to_owned(), Some(raw.to_vec())),
        Some(section) => structure::section(raw, section),
    };
    let content = match partial {
        None => content,
        Some((from, count)) => {
            name.push_str(&format!("<{from}>"));
            let from = usize::try_from(from).unwrap_or(usize::MAX);
            let count = usize::try_from(count.get()).unwrap_or(usize::MAX);
            content.map(|bytes| bytes.into_iter().skip(from).take(count).collect())
        }
    };
    literal(out, &name, content.as_deref());
}

fn literal(out: &mut Vec<u8>, name: &str, content: Option<&[u8]>) {
    match content {
        Some(bytes) => {
            out.extend(format!("{name} {{{}}}\r\n", bytes.len()).bytes());
            out.extend_from_slice(bytes);
        }
        None => out.extend(format!("{name} NIL").bytes()),
    }
}

/// `24-Nov-2026 10:00:00 +0000`
fn date_time(at: i64) -> String {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let date = mail_parser::DateTime::from_timestamp(at);
    let month = MONTHS
        .get(usize::from(date.month).saturating_sub(1))
        .copied()
        .unwrap_or("Jan");
    format!(
        "{:02}-{month}-{:04} {:02}:{:02}:{:02} +0000",
        date.day, date.year, date.hour, date.minute, date.second
    )
}
