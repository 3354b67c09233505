//! In charge of what a client sees of the folder it has open: sequence numbers, and the untagged
//! lines that keep it up to date.

use std::collections::BTreeSet;
use std::io;

use imap_codec::imap_types::mailbox::Mailbox as Name;
use imap_codec::imap_types::sequence::{SeqOrUid, Sequence, SequenceSet};

use super::folders::name_of;
use super::session::{Next, Session, Struck};
use crate::faults::Point;
use crate::world::{Flag, Stored, mailbox};

/// The open folder as last told to the client.
pub(super) struct Selected {
    /// Its name.
    pub(super) folder: String,
    /// Opened with EXAMINE.
    pub(super) read_only: bool,
    /// UIDVALIDITY when it was opened.
    validity: u32,
    /// Uid and flags by sequence number, the first being number 1.
    pub(super) view: Vec<(u32, BTreeSet<Flag>)>,
}

/// The flags Exchange keeps, as FLAGS and PERMANENTFLAGS list them. No `\*`: keywords are not kept.
const FLAGS: &str = "\\Seen \\Answered \\Flagged \\Deleted \\Draft $MDNSent";

/// Flags as a parenthesised list.
pub(super) fn flag_list(flags: &BTreeSet<Flag>) -> String {
    let words: Vec<&str> = flags.iter().map(|flag| flag.as_str()).collect();
    format!("({})", words.join(" "))
}

/// Whether a set names `number`, when `largest` is what `*` stands for.
pub(super) fn contains(set: &SequenceSet, number: u32, largest: u32) -> bool {
    let value = |end: &SeqOrUid| match end {
        SeqOrUid::Value(value) => value.get(),
        SeqOrUid::Asterisk => largest,
    };
    set.0.as_ref().iter().any(|part| match part {
        Sequence::Single(one) => value(one) == number,
        // `n:*` names the last message even when n is beyond it (RFC 3501 section 6.4.8).
        Sequence::Range(from, to) => {
            let (from, to) = (value(from), value(to));
            (from.min(to)..=from.max(to)).contains(&number)
        }
    })
}

/// How much of what changed may be told now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tell {
    /// Everything.
    All,
    /// Nothing that renumbers: no EXPUNGE during FETCH, STORE and SEARCH (RFC 3501 section 7.4.1).
    NoExpunge,
}

impl Selected {
    /// Sequence numbers and uids named by a set of either.
    pub(super) fn named(&self, set: &SequenceSet, by_uid: bool) -> Vec<(u32, u32)> {
        let last_uid = self.view.last().map_or(0, |(uid, _)| *uid);
        let last_seq = u32::try_from(self.view.len()).unwrap_or(u32::MAX);
        self.numbered()
            .filter(|(seq, uid)| {
                if by_uid {
                    contains(set, *uid, last_uid)
                } else {
                    contains(set, *seq, last_seq)
                }
            })
            .collect()
    }

    /// Every sequence number with its uid.
    pub(super) fn numbered(&self) -> impl Iterator<Item = (u32, u32)> {
        (1_u32..).zip(self.view.iter().map(|(uid, _)| *uid))
    }

    /// Compares with what the folder holds now; returns the untagged lines to send.
    fn catch_up(&mut self, now: &[Stored], tell: Tell) -> Vec<String> {
        let mut lines = Vec::new();
        if tell == Tell::All {
            for at in (0..self.view.len()).rev() {
                let gone = self
                    .view
                    .get(at)
                    .is_some_and(|(uid, _)| mailbox::find(now, *uid).is_none());
                if gone {
                    self.view.remove(at);
                    lines.push(format!("* {} EXPUNGE", at + 1));
                }
            }
        }
        let last = self.view.last().map_or(0, |(uid, _)| *uid);
        let before = self.view.len();
        let fresh = now.iter().filter(|stored| stored.uid > last);
        self.view
            .extend(fresh.map(|stored| (stored.uid, stored.flags.clone())));
        if self.view.len() != before {
            lines.push(format!("* {} EXISTS", self.view.len()));
            lines.push("* 0 RECENT".to_owned());
        }
        for (seq, (uid, flags)) in (1_u32..).zip(self.view.iter_mut()) {
            let current = mailbox::find(now, *uid);
            if let Some(stored) = current.filter(|stored| stored.flags != *flags) {
                flags.clone_from(&stored.flags);
                lines.push(format!("* {seq} FETCH (FLAGS {})", flag_list(flags)));
            }
        }
        lines
    }
}

impl Session {
    /// SELECT and EXAMINE.
    pub(super) fn select(
        &mut self,
        tag: &str,
        name: &Name<'_>,
        read_only: bool,
    ) -> io::Result<Next> {
        if let Struck::Answered(next) = self.strike(Point::ImapSelect, tag)? {
            return Ok(next);
        }
        self.selected = None;
        let folder = self
            .mailbox(|mailbox| mailbox.find(&name_of(name)).cloned())
            .flatten();
        let verb = if read_only { "EXAMINE" } else { "SELECT" };
        let Some(folder) = folder else {
            return self.answer(tag, &format!("NO {} doesn't exist.", name_of(name)));
        };
        let view: Vec<_> = folder
            .messages
            .iter()
            .map(|stored| (stored.uid, stored.flags.clone()))
            .collect();
        self.line(&format!("* {} EXISTS", view.len()))?;
        self.line("* 0 RECENT")?;
        self.line(&format!("* FLAGS ({FLAGS})"))?;
        let permanent = if read_only { "" } else { FLAGS };
        self.line(&format!(
            "* OK [PERMANENTFLAGS ({permanent})] Permanent flags"
        ))?;
        if let Some(at) = view
            .iter()
            .position(|(_, flags)| !flags.contains(&Flag::Seen))
        {
            self.line(&format!(
                "* OK [UNSEEN {}] Is the first unseen message",
                at + 1
            ))?;
        }
        self.line(&format!(
            "* OK [UIDVALIDITY {}] UIDVALIDITY value",
            folder.uid_validity
        ))?;
        self.line(&format!(
            "* OK [UIDNEXT {}] The next unique identifier value",
            folder.next_uid
        ))?;
        self.selected = Some(Selected {
            folder: folder.name,
            read_only,
            validity: folder.uid_validity,
            view,
        });
        let mode = if read_only { "READ-ONLY" } else { "READ-WRITE" };
        self.answer(tag, &format!("OK [{mode}] {verb} completed."))
    }

    /// CLOSE: removes what is marked deleted without telling, then leaves the folder.
    pub(super) fn close(&mut self, tag: &str) -> io::Result<Next> {
        if let Some(selected) = self.selected.take()
            && !selected.read_only
        {
            self.change(|mailbox| {
                if let Some(folder) = mailbox.find_mut(&selected.folder) {
                    folder
                        .messages
                        .retain(|stored| !stored.flags.contains(&Flag::Deleted));
                }
            });
        }
        self.ok(tag, "CLOSE")
    }

    /// NOOP and CHECK.
    pub(super) fn noop(&mut self, tag: &str, verb: &str) -> io::Result<Next> {
        match self.catch_up(Tell::All)? {
            Next::Go => self.ok(tag, verb),
            next => Ok(next),
        }
    }

    /// Sends what changed in the open folder. Ends the session when the folder is not the one that
    /// was opened any more.
    pub(super) fn catch_up(&mut self, tell: Tell) -> io::Result<Next> {
        let Some(mut selected) = self.selected.take() else {
            return Ok(Next::Go);
        };
        let now = self.mailbox(|mailbox| {
            mailbox
                .find(&selected.folder)
                .filter(|folder| folder.uid_validity == selected.validity)
                .map(|folder| folder.messages.clone())
        });
        let Some(now) = now.flatten() else {
            self.line("* BYE Connection closed. 14")?;
            return Ok(Next::End);
        };
        for line in selected.catch_up(&now, tell) {
            self.line(&line)?;
        }
        self.selected = Some(selected);
        Ok(Next::Go)
    }

    /// Reads the signed-in mailbox.
    pub(super) fn mailbox<T>(&self, read: impl FnOnce(&crate::world::Mailbox) -> T) -> Option<T> {
        let login = self.login.as_ref()?;
        self.service.world.read_mailbox(&login.mailbox, read)
    }

    /// Changes the signed-in mailbox.
    pub(super) fn change<T>(
        &self,
        change: impl FnOnce(&mut crate::world::Mailbox) -> T,
    ) -> Option<T> {
        let login = self.login.as_ref()?;
        self.service.world.change_mailbox(&login.mailbox, change)
    }
}
