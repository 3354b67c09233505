//! The loops and their supervision: one poller and one sender per mailbox, one more while older mail is
//! fetched and one where something is written back, a janitor, and the alerts.
//!
//! Every loop asks the store what to do next; a [`wake::Wake`] only says "look now". A step is a
//! plain bounded function, so tests call it and never sleep.

pub mod alerts;
pub mod backfill;
pub mod backups;
mod compare;
pub mod connect;
pub mod credentials;
mod dial;
pub mod disk;
pub mod entra_app;
pub mod folders;
mod janitor;
mod labels;
mod leaving;
pub mod limits;
pub mod metrics;
mod mill;
mod pace;
mod poller;
pub mod probe;
mod refind;
pub mod reparse;
mod room;
pub mod schedule;
mod sender;
mod settle;
pub mod status;
mod supervisor;
mod sync;
pub mod wake;
mod write_back;

use std::collections::{BTreeMap, BTreeSet};
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
use status::{Activity, Board, Line, LoopName, Part};
use wake::Wake;

pub use alerts::{Step as AlertsStep, Watch, step as alerts_step};
pub use backfill::{Backfiller, Step as BackfillStep, step as backfill_step};
pub use janitor::nightly_backup;
pub use poller::{Poller, Step as PollStep, step as poll_step};
pub use sender::{Sender, Step as SendStep, step as send_step};
pub use supervisor::Running;
pub use write_back::{Step as WriteBackStep, step as write_back_step};

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
    /// Whose turn it is to store older mail.
    backfill_turn: Mutex<()>,
    /// The mailboxes whose pollers are at work, which older mail gives way to.
    receiving: Mutex<BTreeSet<MailboxId>>,
}

/// A poller is at work until this is dropped.
struct Receiving<'a> {
    work: &'a Work,
    id: MailboxId,
}

impl Drop for Receiving<'_> {
    fn drop(&mut self) {
        let mut all = self
            .work
            .receiving
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        all.remove(&self.id);
    }
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

    /// Says to the loop that fetches older mail of a mailbox, or to the supervisor to start it, that its
    /// state was changed.
    pub fn wake_backfill(&self, id: MailboxId) {
        self.wake(LoopName::Backfill(id));
        self.wake_supervisor();
    }

    /// Says that what is written back to a mailbox has changed; its loop is started if need be.
    pub fn wake_write_back(&self, id: MailboxId) {
        self.wake_supervisor();
        self.wake(LoopName::WriteBack(id));
    }

    /// Says to the supervisor that mailboxes were added or changed.
    pub fn wake_supervisor(&self) {
        self.supervisor.wake();
    }

    /// Says that something has changed that administrators may have to be told of.
    pub fn wake_alerts(&self) {
        self.wake(LoopName::Alerts);
    }

    /// Says that the poller of a mailbox is at work.
    fn receive(&self, id: MailboxId) -> Receiving<'_> {
        let mut all = self
            .receiving
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        all.insert(id);
        drop(all);
        Receiving { work: self, id }
    }

    fn is_receiving(&self, id: MailboxId) -> bool {
        let all = self
            .receiving
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        all.contains(&id)
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

    /// What the loop that fetches older mail of a mailbox is doing; `None` while there is none.
    #[must_use]
    pub fn older(&self, id: MailboxId) -> Option<Line> {
        self.board.find(LoopName::Backfill(id))
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
