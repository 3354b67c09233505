//! A pretend Microsoft 365 for demonstrations and tests: Entra sign-in and tokens, Exchange Online's
//! IMAP and SMTP submission, Graph sendMail, and correspondents who answer.
//!
//! It is written against the protocols and Exchange's recorded behaviour and knows nothing of the
//! program it serves. Reading order: [`world`] (who has which mailbox, what is in it), [`entra`]
//! (sign-in, consent, tokens), [`imap`], [`smtp`], [`graph`], [`people`] (correspondents),
//! [`faults`] (what goes wrong on demand).

pub mod clock;
pub mod entra;
pub mod faults;
pub mod graph;
pub mod imap;
pub mod people;
pub mod smtp;
pub mod world;
