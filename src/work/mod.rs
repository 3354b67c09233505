//! The loops and their supervision: one poller and one sender per mailbox, and a janitor.
//!
//! Every loop asks the store what to do next; a [`wake::Wake`] only says "look now". A step is a
//! plain bounded function, so tests call it and never sleep.

pub mod backups;
pub mod connect;
pub mod credentials;
mod dial;
pub mod entra_app;
mod janitor;
pub mod metrics;
mod mill;
mod pace;
mod poller;
pub mod probe;
pub mod reparse;
mod room;
pub mod schedule;
mod sender;
mod settle;
pub mod status;
mod supervisor;
mod sync;
pub mod wake;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::Clock;
use crate::config::Config;
use crate::http::Http;
use crate::mail::thread::IdKey;
use crate::model::MailboxId;
use crate::net::Trust;
use crate::oauth::KeyCache;
use crate::secret::Sealer;
use crate::store::Store;
use status::{Activity, Board, LoopName, Part};
use wake::Wake;

pub use poller::{Poller, Step as PollStep, step as poll_step};
pub use sender::{Sender, Step as SendStep, step as send_step};
pub use supervisor::Running;

/// What every part of the program that works with the outside needs. Cheap to share.
#[derive(Debug)]
pub struct Services {
    /// The database.
    pub store: Arc<Store>,
    /// Seals and opens stored tokens.
    pub sealer: Sealer,
    /// The time.
    pub clock: Clock,
    /// The settings.
    pub config: Arc<Config>,
    /// HTTP to Entra and Graph.
    pub http: Http,
    /// Whose certificates are trusted for IMAP and SMTP.
    pub trust: Trust,
    /// Entra's signing keys.
    pub keys: KeyCache,
    /// The loops.
    pub work: Work,
}

impl Services {
    /// Knows the Message-IDs that we gave.
    #[must_use]
    pub fn ids(&self) -> IdKey {
        IdKey::new(self.sealer.derive_key("message ids"))
    }
}

/// A handle on the loops: rings their bells and reads their board.
#[derive(Debug, Default)]
pub struct Work {
    board: Board,
    bells: Mutex<BTreeMap<LoopName, Wake>>,
    supervisor: Wake,
    refreshing: credentials::SingleFlight,
    absences: settle::Absences,
    room: room::Room,
}

impl Work {
    /// Says to the sender of a mailbox that something is queued.
    pub fn wake_sender(&self, id: MailboxId) {
        self.wake(LoopName::Send(id));
    }

    /// Says to the poller of a mailbox to look for mail now.
    pub fn wake_poller(&self, id: MailboxId) {
        self.wake(LoopName::Poll(id));
    }

    /// Says to the supervisor that mailboxes were added or changed.
    pub fn wake_supervisor(&self) {
        self.supervisor.wake();
    }

    fn wake(&self, name: LoopName) {
        let bells = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
        if bells.get(&name).is_some_and(Wake::wake) {
            self.supervisor.wake();
        }
    }

    /// The bell of a loop, made when it is first asked for.
    fn bell(&self, name: LoopName) -> Wake {
        let mut bells = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
        bells.entry(name).or_default().clone()
    }

    fn stop_all(&self) {
        let bells = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
        for bell in bells.values() {
            bell.stop();
        }
        drop(bells);
        self.supervisor.stop();
    }

    /// The board that says what each loop is doing.
    #[must_use]
    pub const fn board(&self) -> &Board {
        &self.board
    }

    /// What the loops of a mailbox are doing.
    #[must_use]
    pub fn activity(&self, id: MailboxId) -> Activity {
        Activity {
            receiving: self.board.line(LoopName::Poll(id)),
            sending: self.board.line(LoopName::Send(id)),
        }
    }

    /// How each loop fares.
    #[must_use]
    pub fn parts(&self) -> Vec<Part> {
        self.board.parts()
    }
}
