//! Starts the loops of every mailbox, keeps them running, and stops them in order.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use super::status::{Health, Line, LoopName};
use super::wake::{Wake, Woken};
use super::{Services, alerts, backfill, janitor, poller, sender, settle, write_back};
use crate::store;

/// How often the list of mailboxes is looked at even if nobody rang.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// Enough for a parser on hostile mail; the default of 2 MiB times a thousand loops is not needed.
pub(super) const STACK_BYTES: usize = 1024 * 1024;

/// The running loops. Dropping it stops them.
#[derive(Debug)]
pub struct Running {
    services: Arc<Services>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// Settles what an earlier run left behind and starts the loops.
    ///
    /// # Errors
    /// When the store cannot be written to or a thread cannot be started.
    pub fn start(services: &Arc<Services>) -> store::Result<Self> {
        settle::interrupted(services, None)?;
        let own = Arc::clone(services);
        let thread = spawn("supervisor", move || supervise(&own))?;
        Ok(Self {
            services: Arc::clone(services),
            thread: Some(thread),
        })
    }

    /// Stops all loops and waits for them: IMAP connections are cut, a message that is being sent is
    /// finished first.
    pub fn stop(mut self) {
        self.stop_and_join();
    }

    fn stop_and_join(&mut self) {
        self.services.work.stop_all();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the supervisor ended with a panic");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop_and_join();
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> store::Result<JoinHandle<()>> {
    Builder::new()
        .name(name.to_owned())
        .stack_size(STACK_BYTES)
        .spawn(work)
        .map_err(|source| store::Error::Io {
            what: format!("start the thread {name}"),
            source,
        })
}

fn supervise(services: &Arc<Services>) {
    let bell = services.work.supervisor.clone();
    let mut loops: BTreeMap<LoopName, JoinHandle<()>> = BTreeMap::new();
    loop {
        if let Err(error) = reconcile(services, &mut loops) {
            tracing::error!(%error, "the list of mailboxes could not be read");
        }
        if bell.wait(LOOK_EVERY) == Woken::Stop {
            break;
        }
    }
    // Those whose threads were started after the stop was called.
    services.work.stop_all();
    for (name, thread) in loops {
        if thread.join().is_err() {
            tracing::error!(loop_name = %name, "a loop ended with a panic");
        }
    }
}

/// Starts loops that are missing. A loop whose thread has ended is started again. By itself end only a backfill
/// that has no more to fetch, and a sender that has nothing to send, which is started when it is rung for.
fn reconcile(
    services: &Arc<Services>,
    loops: &mut BTreeMap<LoopName, JoinHandle<()>>,
) -> store::Result<()> {
    let (mailboxes, older, writing_back) = services.store.read(|db| {
        Ok::<_, store::Error>((
            store::mailboxes::list(db)?,
            store::backfills::list_running(db)?,
            store::write_backs::list_on(db)?,
        ))
    })?;
    // What another process has queued (`mailhatch outbox`) rings nobody.
    for mailbox in &mailboxes {
        let bell = services.work.bell(LoopName::Send(mailbox.id));
        let next_due = |db: &store::Db| store::deliveries::next_due_ms(db, mailbox.id);
        if bell.is_resting() && services.store.read(next_due)?.is_some() {
            bell.wake();
        }
    }
    let mut wanted = vec![LoopName::Janitor, LoopName::Alerts];
    for mailbox in &mailboxes {
        wanted.extend([LoopName::Poll(mailbox.id), LoopName::Send(mailbox.id)]);
    }
    wanted.extend(older.into_iter().map(LoopName::Backfill));
    wanted.extend(writing_back.into_iter().map(LoopName::WriteBack));
    for name in wanted {
        let bell = services.work.bell(name);
        let rested = bell.has_rested();
        if bell.is_stopped() || bell.is_resting() {
            continue;
        }
        if let Some(thread) = loops.remove(&name) {
            if !rested && !thread.is_finished() {
                loops.insert(name, thread);
                continue;
            }
            // It is at its very end.
            if thread.join().is_err() {
                tracing::error!(loop_name = %name, "a loop ended with a panic");
            }
        }
        if !rested {
            services
                .work
                .board()
                .set(name, Line::new(Health::Good, "Starting."));
        }
        bell.rise();
        let own = Arc::clone(services);
        let thread = spawn(&name.to_string(), move || run(&own, name, &bell))?;
        loops.insert(name, thread);
    }
    Ok(())
}

fn run(services: &Services, name: LoopName, bell: &Wake) {
    match name {
        LoopName::Poll(id) => poller::run(services, id, bell),
        LoopName::Send(id) => sender::run(services, id, bell),
        LoopName::Backfill(id) => {
            backfill::run(services, id, bell);
            services.work.board().remove(name);
            // It may have been asked for again in this instant.
            services.work.wake_supervisor();
            return;
        }
        LoopName::WriteBack(id) => write_back::run(services, id, bell),
        LoopName::Janitor => janitor::run(services, bell),
        LoopName::Alerts => alerts::run(services, bell),
    }
    if bell.is_stopped() {
        services
            .work
            .board()
            .set(name, Line::new(Health::Stopped, "Stopped."));
    }
}

/// Runs one step; a panic in it is caught, shown and logged, and the loop goes on.
pub(super) fn guarded<T>(
    services: &Services,
    name: LoopName,
    step: impl FnOnce() -> T,
) -> Result<T, ()> {
    catch_unwind(AssertUnwindSafe(step)).map_err(|_| {
        tracing::error!(loop_name = %name, "a step stumbled over a fault in the program; it is tried again");
        let sentence = "Stumbled over a fault in the program; trying again in two minutes.";
        services.work.board().set(name, Line::new(Health::Trouble, sentence));
    })
}
