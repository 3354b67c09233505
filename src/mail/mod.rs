//! Mail as bytes and as values. Pure: nothing here opens a file, a socket or the database.
//!
//! Reading: [`parse`] turns the bytes of a message into a [`Parsed`] and a list of [`Defect`]s; it
//! never fails. Under it lie `header` (fields), `address`, `parameter` and `words` (what stands in them),
//! `mime` (the tree of parts), `body` (which part is text, which a file), `transfer`, `charset`, `date`,
//! `flowed`, `uuencode` and `filename`; what an Outlook wrapped in winmail.dat is unpacked by `tnef` and
//! `rtf`. On a [`Parsed`] work [`classify`] (what kind of message), [`bounce`] (delivery reports),
//! [`calendar`] (invitations), [`protected`] (signed and encrypted messages),
//! [`trust`] (how far the sender and a file can be believed), [`thread`] (which conversation it may
//! belong to) and [`quote`] (what is new in a reply).
//!
//! Showing: [`html`] sanitises, and converts between HTML and text; [`outline()`] lists the parts of the source.
//!
//! Writing: [`compose`] makes the bytes of a message to send.

mod address;
mod body;
pub mod bounce;
pub mod calendar;
mod charset;
pub mod classify;
pub mod compose;
mod date;
mod defect;
mod filename;
mod flowed;
mod header;
pub mod html;
mod mime;
mod outline;
mod parameter;
mod parse;
pub mod protected;
pub mod quote;
mod rtf;
pub mod thread;
pub mod tnef;
mod transfer;
pub mod trust;
mod uuencode;
mod words;

pub use body::Attachment;
pub use bounce::Bounce;
pub use calendar::Calendar;
pub use defect::Defect;
pub use header::{Field, Headers};
pub use outline::{Piece, outline};
pub use parse::{Parsed, parse};
pub use protected::Protection;
pub use trust::Authentication;

#[cfg(test)]
mod tests;
