//! In charge of commands that change messages: STORE, COPY, MOVE, EXPUNGE, APPEND.

use std::collections::BTreeSet;
use std::io;

use imap_codec::imap_types::datetime::DateTime;
use imap_codec::imap_types::extensions::binary::LiteralOrLiteral8;
use imap_codec::imap_types::flag::{Flag as Word, StoreResponse, StoreType};
use imap_codec::imap_types::mailbox::Mailbox as Name;
use imap_codec::imap_types::sequence::SequenceSet;

use super::folders::name_of;
use super::select::{Tell, flag_list};
use super::session::{Next, Session, Struck};
use crate::faults::Point;
use crate::world::Flag;

/// Exchange refuses to append longer lines, in bytes.
const APPEND_LINE_LIMIT: usize = 10_500;

/// The flags among `words` that Exchange keeps.
fn kept(words: &[Word<'_>]) -> BTreeSet<Flag> {
    words
        .iter()
        .filter_map(|word| Flag::parse(&word.to_string()))
        .collect()
}

impl Session {
    /// STORE and UID STORE.
    pub(super) fn store(
        &mut self,
        tag: &str,
        set: &SequenceSet,
        kind: &StoreType,
        response: &StoreResponse,
        flags: &[Word<'_>],
        uid: bool,
    ) -> io::Result<Next> {
        if let Struck::Answered(next) = self.strike(Point::ImapStore, tag)? {
            return Ok(next);
        }
        let next = self.catch_up(if uid { Tell::All } else { Tell::NoExpunge })?;
        let (Next::Go, Some(selected)) = (next, &self.selected) else {
            return Ok(next);
        };
        if selected.read_only {
            return self.answer(tag, "NO Mailbox is read-only.");
        }
        let flags = kept(flags);
        let folder = selected.folder.clone();
        for (seq, number) in selected.named(set, uid) {
            let changed = self.change(|mailbox| {
                let found = mailbox.find_mut(&folder)?.get_mut(number)?;
                match kind {
                    StoreType::Replace => found.flags.clone_from(&flags),
                    StoreType::Add => found.flags.extend(flags.iter().copied()),
                    StoreType::Remove => found.flags.retain(|flag| !flags.contains(flag)),
                }
                Some(found.clone())
            });
            let Some(stored) = changed.flatten() else {
                continue;
            };
            self.note_flags(number, &stored);
            if *response == StoreResponse::Answer {
                let uid = if uid {
                    format!("UID {number} ")
                } else {
                    String::new()
                };
                let flags = flag_list(&stored.flags);
                self.line(&format!("* {seq} FETCH ({uid}FLAGS {flags})"))?;
            }
        }
        self.ok(tag, "STORE")
    }

    /// COPY and MOVE, with COPYUID (RFC 4315, RFC 6851).
    pub(super) fn copy(
        &mut self,
        tag: &str,
        set: &SequenceSet,
        to: &Name<'_>,
        uid: bool,
        moving: bool,
    ) -> io::Result<Next> {
        if moving && !self.service.world.quirks().offers_move {
            return self.answer(tag, "BAD Command Error. 10");
        }
        if let Struck::Answered(next) = self.strike(Point::ImapMove, tag)? {
            return Ok(next);
        }
        let next = self.catch_up(if uid { Tell::All } else { Tell::NoExpunge })?;
        let (Next::Go, Some(selected)) = (next, &self.selected) else {
            return Ok(next);
        };
        if moving && selected.read_only {
            return self.answer(tag, "NO Mailbox is read-only.");
        }
        let (folder, target) = (selected.folder.clone(), name_of(to));
        let uids: Vec<u32> = selected
            .named(set, uid)
            .into_iter()
            .map(|(_, uid)| uid)
            .collect();
        let copied = self.change(|mailbox| {
            let copied = mailbox.copy(&folder, &uids, &target)?;
            if moving {
                mailbox.find_mut(&folder)?.remove(&uids);
            }
            Some(copied)
        });
        let verb = if moving { "MOVE" } else { "COPY" };
        let Some((validity, pairs)) = copied.flatten() else {
            return self.answer(tag, &format!("NO [TRYCREATE] {target} doesn't exist."));
        };
        if let Struck::Answered(next) = self.strike(Point::ImapMoved, tag)? {
            return Ok(next);
        }
        if pairs.is_empty() {
            return self.ok(tag, verb);
        }
        let joined = |pick: fn(&(u32, u32)) -> u32| {
            pairs
                .iter()
                .map(|pair| pick(pair).to_string())
                .collect::<Vec<_>>()
                .join(",")
        };
        let code = format!(
            "[COPYUID {validity} {} {}]",
            joined(|pair| pair.0),
            joined(|pair| pair.1)
        );
        if !moving {
            return self.answer(tag, &format!("OK {code} {verb} completed."));
        }
        self.line(&format!("* OK {code}"))?;
        match self.catch_up(Tell::All)? {
            Next::Go => self.ok(tag, verb),
            next => Ok(next),
        }
    }

    /// EXPUNGE and UID EXPUNGE.
    pub(super) fn expunge(&mut self, tag: &str, only: Option<&SequenceSet>) -> io::Result<Next> {
        if only.is_some() && !self.service.world.quirks().offers_uidplus {
            return self.answer(tag, "BAD Command Error. 10");
        }
        let Some(selected) = &self.selected else {
            return Ok(Next::Go);
        };
        if selected.read_only {
            return self.answer(tag, "NO Mailbox is read-only.");
        }
        let folder = selected.folder.clone();
        let named: Option<Vec<u32>> = only.map(|set| {
            selected
                .named(set, true)
                .into_iter()
                .map(|(_, uid)| uid)
                .collect()
        });
        self.change(|mailbox| {
            if let Some(folder) = mailbox.find_mut(&folder) {
                folder.messages.retain(|stored| {
                    let asked = named.as_ref().is_none_or(|uids| uids.contains(&stored.uid));
                    !(asked && stored.flags.contains(&Flag::Deleted))
                });
            }
        });
        match self.catch_up(Tell::All)? {
            Next::Go => self.ok(tag, "EXPUNGE"),
            next => Ok(next),
        }
    }

    /// APPEND, with APPENDUID (RFC 4315).
    pub(super) fn append(
        &mut self,
        tag: &str,
        name: &Name<'_>,
        flags: &[Word<'_>],
        date: Option<&DateTime>,
        message: &LiteralOrLiteral8<'_>,
    ) -> io::Result<Next> {
        let LiteralOrLiteral8::Literal(literal) = message else {
            return self.answer(tag, "BAD Command Argument Error. 11");
        };
        let raw: &[u8] = literal.as_ref();
        if raw
            .split(|byte| *byte == b'\n')
            .any(|line| line.len() > APPEND_LINE_LIMIT)
        {
            return self.answer(tag, "BAD Command Argument Error. 11");
        }
        let now = self.service.world.clock().now();
        let at = date.map_or(now, |date| date.as_ref().timestamp());
        let flags: Vec<Flag> = kept(flags).into_iter().collect();
        let target = name_of(name);
        let added = self.change(|mailbox| {
            let folder = mailbox.find_mut(&target)?;
            Some((folder.uid_validity, folder.add(raw, &flags, at)))
        });
        let Some((validity, uid)) = added.flatten() else {
            return self.answer(tag, &format!("NO [TRYCREATE] {target} doesn't exist."));
        };
        match self.catch_up(Tell::All)? {
            Next::Go => self.answer(
                tag,
                &format!("OK [APPENDUID {validity} {uid}] APPEND completed."),
            ),
            next => Ok(next),
        }
    }
}
