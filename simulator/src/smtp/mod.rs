//! In charge of pretending to be Exchange Online's SMTP client submission.
//!
//! Reading order: [`session`] (one connection), [`auth`], [`mail`] (MAIL, RCPT, DATA, BDAT),
//! [`limits`] (what is counted per mailbox across connections).

mod auth;
mod limits;
mod mail;
mod session;

use std::net::TcpListener;
use std::sync::Arc;
use std::thread::JoinHandle;

use crate::entra::Entra;
use crate::faults::Faults;
use crate::world::wire::{Wire, serve_each};
use crate::world::{Stop, World};

/// Serves SMTP submission with STARTTLS on `listener` until `stop`; the thread ends when all
/// sessions have.
pub fn serve(
    world: Arc<World>,
    entra: Arc<Entra>,
    faults: Arc<Faults>,
    listener: TcpListener,
    tls: Arc<rustls::ServerConfig>,
    stop: Stop,
) -> JoinHandle<()> {
    let watch = stop.clone();
    let limits = Arc::new(limits::Limits::default());
    serve_each("SMTP", listener, stop, move |socket| {
        let service = session::Service {
            world: Arc::clone(&world),
            entra: Arc::clone(&entra),
            faults: Arc::clone(&faults),
            limits: Arc::clone(&limits),
            tls: Arc::clone(&tls),
            stop: watch.clone(),
        };
        match Wire::new(socket, &watch) {
            Ok(wire) => session::run(service, wire),
            Err(error) => tracing::debug!(%error, "SMTP connection did not start"),
        }
    })
}
