//! In charge of pretending to be Exchange Online's IMAP server.
//!
//! The grammar is imap-codec's; the answers are written by hand because Exchange deviates. Reading
//! order: [`session`] (one connection, one command after another), [`auth`], [`folders`],
//! [`select`] (what a client sees of a folder), [`search`], [`fetch`] with [`structure`], [`change`]
//! (flags, copies, APPEND), [`idle`].

mod auth;
mod change;
mod command;
mod fetch;
mod folders;
mod idle;
mod search;
mod select;
mod session;
mod structure;
mod utf7;

use std::net::TcpListener;
use std::sync::Arc;
use std::thread::JoinHandle;

pub(crate) use auth::{carries, json_challenge, xoauth2};

use crate::entra::Entra;
use crate::faults::Faults;
use crate::world::wire::{Wire, serve_each};
use crate::world::{Stop, World};

/// Serves IMAP over implicit TLS on `listener` until `stop`; the thread ends when all sessions have.
pub fn serve(
    world: Arc<World>,
    entra: Arc<Entra>,
    faults: Arc<Faults>,
    listener: TcpListener,
    tls: Arc<rustls::ServerConfig>,
    stop: Stop,
) -> JoinHandle<()> {
    let watch = stop.clone();
    serve_each("IMAP", listener, stop, move |socket| {
        let started = Wire::new(socket, &watch).and_then(|mut wire| {
            wire.start_tls(Arc::clone(&tls))?;
            Ok(wire)
        });
        let service = session::Service {
            world: Arc::clone(&world),
            entra: Arc::clone(&entra),
            faults: Arc::clone(&faults),
            stop: watch.clone(),
        };
        match started {
            Ok(wire) => session::run(service, wire),
            Err(error) => tracing::debug!(%error, "IMAP connection did not start"),
        }
    })
}
