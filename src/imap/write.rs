//! What changes a mailbox: marking messages as read and moving them. Everything else only reads.
//!
//! [`Session::select`] is the one way to a [`Writable`] folder, and `work::write_back` the one caller.

use super::answers;
use super::{Selected, Session};
use crate::problem::{Disposition, Problem};

/// Code of the problem that a server can neither move messages nor expunge one by itself.
pub const CANNOT_MOVE: &str = "imap_cannot_move";

/// A folder opened for writing (SELECT).
#[derive(Debug)]
pub struct Writable<'a> {
    session: &'a mut Session,
    /// What the folder holds.
    pub selected: Selected,
}

impl Session {
    /// Opens a folder for writing (SELECT).
    ///
    /// # Errors
    /// As [`Session::examine`].
    pub fn select(&mut self, raw_name: &str) -> Result<Writable<'_>, Problem> {
        let selected = self.open("SELECT", raw_name)?;
        Ok(Writable {
            session: self,
            selected,
        })
    }

    /// Whether the server moves messages in one step (RFC 6851).
    #[must_use]
    pub fn has_move(&self) -> bool {
        self.capabilities().contains("MOVE")
    }

    /// Whether the server can expunge chosen messages alone (RFC 4315 §2.1).
    #[must_use]
    pub fn has_uidplus(&self) -> bool {
        self.capabilities().contains("UIDPLUS")
    }
}

impl Writable<'_> {
    /// Marks messages as read; other flags stay as they are. UIDs that are gone are passed over (RFC 3501
    /// §6.4.8).
    ///
    /// # Errors
    /// When the server refuses or the connection fails.
    pub fn mark_seen(&mut self, uids: &[u32]) -> Result<(), Problem> {
        self.store(uids, "\\Seen")
    }

    /// Moves messages into another folder, in one step where the server can (RFC 6851 §3.1), else by COPY,
    /// `\Deleted` and UID EXPUNGE (RFC 4315 §2.1). A bare EXPUNGE, which would also remove what others have
    /// marked as deleted, is never sent. `copied` says that the copies are there already, from a try that was
    /// cut off.
    ///
    /// # Errors
    /// When the server refuses, cannot do it ([`CANNOT_MOVE`]), or the connection fails.
    pub fn move_to(&mut self, uids: &[u32], raw_name: &str, copied: bool) -> Result<(), Problem> {
        let target = self.session.quoted(raw_name)?;
        if self.session.has_move() {
            return self.each(uids, |set| format!("UID MOVE {set} {target}"));
        }
        if !self.session.has_uidplus() {
            return Err(cannot_move());
        }
        if !copied {
            self.each(uids, |set| format!("UID COPY {set} {target}"))?;
        }
        self.store(uids, "\\Deleted")?;
        self.each(uids, |set| format!("UID EXPUNGE {set}"))
    }

    /// Which of these UIDs the folder still lists.
    ///
    /// # Errors
    /// As [`Session::still_listed`].
    pub fn still_listed(
        &mut self,
        uids: &[u32],
    ) -> Result<std::collections::BTreeSet<u32>, Problem> {
        self.session.still_listed(uids)
    }

    fn store(&mut self, uids: &[u32], flag: &str) -> Result<(), Problem> {
        self.each(uids, |set| {
            format!("UID STORE {set} +FLAGS.SILENT ({flag})")
        })
    }

    fn each(&mut self, uids: &[u32], command: impl Fn(&str) -> String) -> Result<(), Problem> {
        for (set, _) in answers::uid_sets(uids) {
            self.session.command(&command(&set))?;
        }
        Ok(())
    }
}

fn cannot_move() -> Problem {
    Problem::new(
        CANNOT_MOVE,
        Disposition::NeedsAdmin,
        "The mail server offers neither MOVE nor UIDPLUS, so a message cannot be moved without touching others.",
        "Moving has been switched off for this mailbox. Let a rule in the mailbox move its mail instead.",
    )
}
