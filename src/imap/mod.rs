//! Reading a mailbox over IMAP; the only place that knows the `imap` crate.
//!
//! [`Session`] is one authenticated connection, [`folders`] finds out what each folder is for, [`cursor`]
//! decides what to fetch next (pure), [`explain`] turns a server's refusal into a [`crate::problem::Problem`].
//! `wire` stands between the crate and the stream, for the crate gives up at any line it cannot read.
//!
//! Rules kept here: a folder is opened with EXAMINE and read with `BODY.PEEK[]`, so nothing in the mailbox
//! changes; the session stays with `IMAP4rev1` (RFC 3501) whatever the server offers, never sends ENABLE,
//! `SEARCH RETURN` or LSUB; no command is longer than 8 kB.

mod answers;
pub mod cursor;
pub mod explain;
mod folder_names;
pub mod folders;
mod session;
mod wire;

pub use folders::{Folder, FolderRole};
pub use session::{Fetched, IdleEnd, Selected, Session};

#[cfg(test)]
mod tests;
