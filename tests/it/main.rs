//! The program from outside: pages, loops and commands against the pretend Microsoft 365 and real
//! servers. A module is named after the resource or the flow it proves.

#[cfg(test)]
mod admin;
#[cfg(test)]
mod alerts;
#[cfg(test)]
mod attachments;
#[cfg(test)]
mod backfills;
#[cfg(test)]
mod backup;
#[cfg(test)]
mod connecting;
#[cfg(test)]
mod conversations;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod folders;
#[cfg(test)]
mod health;
#[cfg(test)]
mod inbox;
#[cfg(test)]
#[path = "../interop/mod.rs"]
mod interop;
#[cfg(test)]
mod interop_servers;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod live;
#[cfg(test)]
mod mailboxes;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod microsoft;
#[cfg(test)]
mod oauth;
#[cfg(test)]
mod outbox;
#[cfg(test)]
mod real_servers;
#[cfg(test)]
mod receiving;
#[cfg(test)]
mod reparse;
#[cfg(test)]
mod replies;
#[cfg(test)]
mod search;
#[cfg(test)]
mod sending;
#[cfg(test)]
mod setup;
#[cfg(test)]
mod sign_in;
#[cfg(test)]
mod support;
#[cfg(test)]
mod threads;
#[cfg(test)]
mod transport;
#[cfg(test)]
mod watching;
#[cfg(test)]
mod write_back;
