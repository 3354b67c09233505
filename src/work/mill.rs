//! What has been fetched is read (taken apart, compressed) and stored while the next is being fetched: two
//! threads that live as long as a pass with more than one batch. Batches are stored in the order they came.

use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::{Builder, Scope, ScopedJoinHandle};

use super::room::Place;
use super::supervisor::STACK_BYTES;
use super::sync::Target;
use crate::intake::{self, Fetched, Ready};
use crate::problem::Problem;
use crate::store;

/// Batches that wait before a thread, besides the one it works at.
const WAITING: usize = 1;

/// A batch on its way, with its place in memory.
pub(super) struct Batch<'a> {
    pub(super) messages: Vec<Fetched>,
    pub(super) next_uid: u32,
    pub(super) place: Place<'a>,
}

/// The two threads.
pub(super) struct Mill<'scope, 'a> {
    batches: SyncSender<Batch<'a>>,
    reader: ScopedJoinHandle<'scope, ()>,
    writer: ScopedJoinHandle<'scope, Result<u64, Problem>>,
}

impl<'scope, 'a: 'scope> Mill<'scope, 'a> {
    /// Starts them.
    ///
    /// # Errors
    /// When the system has no more threads.
    pub(super) fn start<'env>(
        scope: &'scope Scope<'scope, 'env>,
        target: Target<'a>,
    ) -> Result<Self, Problem> {
        let (batches, to_read) = mpsc::sync_channel::<Batch<'a>>(WAITING);
        let (read, to_store) = mpsc::sync_channel::<(Ready, Place<'a>)>(WAITING);
        let thread = |name: &str| {
            Builder::new()
                .name(format!("{name}:{}", target.source.mailbox.id))
                .stack_size(STACK_BYTES)
        };
        let reader = thread("read")
            .spawn_scoped(scope, move || read_all(target, &to_read, &read))
            .map_err(no_thread)?;
        let writer = thread("store")
            .spawn_scoped(scope, move || store_all(target, &to_store))
            .map_err(no_thread)?;
        Ok(Self {
            batches,
            reader,
            writer,
        })
    }

    /// Hands a batch over, once there is room for it. `false` when something could not be stored:
    /// [`Mill::finish`] says what.
    pub(super) fn give(&self, batch: Batch<'a>) -> bool {
        self.batches.send(batch).is_ok()
    }

    /// Waits until all is stored; how many messages were new.
    ///
    /// # Errors
    /// Why a batch could not be stored; none behind it was.
    pub(super) fn finish(self) -> Result<u64, Problem> {
        drop(self.batches);
        if let Err(panic) = self.reader.join() {
            std::panic::resume_unwind(panic);
        }
        match self.writer.join() {
            Ok(stored) => stored,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

fn read_all<'a>(
    target: Target<'a>,
    batches: &Receiver<Batch<'a>>,
    read: &SyncSender<(Ready, Place<'a>)>,
) {
    for batch in batches {
        let ready = intake::read(target.source, batch.messages, batch.next_uid);
        if read.send((ready, batch.place)).is_err() {
            return;
        }
    }
}

fn store_all(target: Target<'_>, read: &Receiver<(Ready, Place<'_>)>) -> Result<u64, Problem> {
    let mut received = 0;
    for (ready, _place) in read {
        received += target.store(&ready)?;
    }
    Ok(received)
}

fn no_thread(source: std::io::Error) -> Problem {
    let what = "start a thread that stores mail".to_owned();
    store::Error::Io { what, source }.to_problem()
}
