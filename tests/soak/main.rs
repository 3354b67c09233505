//! A soak: mailboxes before the pretend Microsoft 365 and before real Dovecot and Postfix, mail arriving in
//! all, replies written in all on the pages, and every few seconds a fault or SIGKILL. In the end the ids are
//! compared one by one.
//!
//! `just soak [seconds] [mailboxes] [seed] [rate]` runs it long; what it counted stands in
//! `docs/RELIABILITY.md`. The same seed chooses the same faults, mail and forms; when they meet is up to the
//! machine.

#[cfg(test)]
mod book;
#[cfg(test)]
mod closing;
#[cfg(test)]
#[expect(dead_code, reason = "made for the other tests, which use more of it")]
#[path = "../interop/mod.rs"]
mod interop;
#[cfg(test)]
mod judge;
#[cfg(test)]
mod letters;
#[cfg(test)]
mod office;
#[cfg(test)]
mod people;
#[cfg(test)]
mod random;
#[cfg(test)]
mod run;
#[cfg(test)]
mod scripted;
#[cfg(test)]
mod side;
#[cfg(test)]
mod storm;
#[cfg(test)]
mod web;
