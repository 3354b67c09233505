//! Reading a mailbox over IMAP; the only place that knows the `imap` crate.
//!
//! [`Session`] is one authenticated connection, [`folders`] finds out what each folder is for, [`cursor`]
//! decides what to fetch next (pure), [`explain`] turns a server's refusal into a [`crate::problem::Problem`].
//! `wire` stands between the crate and the stream, for the crate gives up at any line it cannot read.
//!
//! Rules kept here: a folder is read with EXAMINE and `BODY.PEEK[]`, so reading changes nothing in the mailbox;
//! only [`mod@write`] selects, and it sets no flag but `\Seen` (and `\Deleted` on what it moves); the session stays
//! with `IMAP4rev1` (RFC 3501) whatever the server offers, never sends ENABLE, `SEARCH RETURN` or LSUB; no command is
//! longer than 8 kB.

mod answers;
pub mod cursor;
pub mod explain;
mod folder_names;
pub mod folders;
mod session;
mod wire;
pub mod write;

pub use folders::{Folder, FolderRole};
pub use session::{Fetched, IdleEnd, Selected, Session};

#[cfg(test)]
mod tests;
