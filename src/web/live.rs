//! Open pages hear of changes: server-sent events that name what changed, never what it says. The page
//! then asks for itself again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Query};
use futures_util::stream;
use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::Instant;

use super::context::Shared;
use super::error::Error;
use super::session::Visitor;
use crate::model::AgentId;
use crate::store;

/// Streams one agent may have open; pages in the background close theirs.
const PER_AGENT: usize = 24;
/// Keeps proxies from closing a quiet stream.
const HEARTBEAT: Duration = Duration::from_secs(20);
/// After an event a page is told nothing for this long: changes that come close together are told together.
const REST_MIN: Duration = Duration::from_millis(100);
/// While much changes (an import), a page is told at most this often.
const REST_MAX: Duration = Duration::from_secs(1);
/// What the loops are doing is gathered for this long; nobody waits for it.
const GATHER: Duration = Duration::from_millis(150);

/// Open streams, counted per agent, and the bell that ends them all.
#[derive(Debug)]
pub struct Streams {
    open: Arc<Mutex<BTreeMap<AgentId, usize>>>,
    stop: watch::Sender<bool>,
}

impl Default for Streams {
    fn default() -> Self {
        Self {
            open: Arc::default(),
            stop: watch::Sender::new(false),
        }
    }
}

impl Streams {
    /// Ends all streams, so that the server need not wait for them when it stops.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    fn enter(&self, agent_id: AgentId) -> Option<Ticket> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(agent_id).or_default();
        if *count >= PER_AGENT {
            return None;
        }
        *count += 1;
        drop(open);
        Some(Ticket {
            open: Arc::clone(&self.open),
            agent_id,
        })
    }
}

/// A place among an agent's streams, given back when the stream ends.
struct Ticket {
    open: Arc<Mutex<BTreeMap<AgentId, usize>>>,
    agent_id: AgentId,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.agent_id) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.remove(&self.agent_id);
            }
        }
    }
}

/// A state of the store, as far as pages follow it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Revisions {
    /// Newest change of any conversation.
    pub(super) conversations: i64,
    /// Newest change of any mailbox.
    pub(super) mailboxes: i64,
}

impl Revisions {
    /// The state as this snapshot has it.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) fn read(db: &store::Db) -> Result<Self, Error> {
        Ok(Self {
            conversations: store::conversations::revision(db)?,
            mailboxes: store::mailboxes::revision(db)?,
        })
    }
}

/// What a page shows already: what changed between its making and its stream must be told too.
#[derive(Debug, Deserialize)]
pub(super) struct Shown {
    conversations: Option<i64>,
    mailboxes: Option<i64>,
}

/// When events of one kind are told: the first at once, those that follow close behind it less and less often.
#[derive(Debug)]
struct Pace {
    /// How long to gather before even the first is told.
    gather: Duration,
    /// How long to rest after the next event.
    rest: Duration,
    rests_until: Instant,
    /// When to tell what has been heard of.
    due_at: Option<Instant>,
}

impl Pace {
    fn new(gather: Duration) -> Self {
        Self {
            gather,
            rest: REST_MIN,
            rests_until: Instant::now(),
            due_at: None,
        }
    }

    /// Something has changed.
    fn ring(&mut self) {
        let now = Instant::now();
        self.rest = if now < self.rests_until {
            (self.rest * 2).min(REST_MAX)
        } else {
            REST_MIN
        };
        self.due_at = Some(self.rests_until.max(now + self.gather));
    }

    /// It is looked into now.
    fn look(&mut self) {
        self.due_at = None;
    }

    /// It was told.
    fn told(&mut self) {
        self.rests_until = Instant::now() + self.rest;
    }

    /// Waits until something is to be told.
    async fn due(&self) {
        match self.due_at {
            Some(at) => tokio::time::sleep_until(at).await,
            None => std::future::pending().await,
        }
    }
}

struct Listener {
    context: Shared,
    changes: watch::Receiver<u64>,
    /// What the loops of the mailboxes are doing.
    board: watch::Receiver<u64>,
    stop: watch::Receiver<bool>,
    /// Up to where this stream has told.
    told: Revisions,
    pace: Pace,
    loops_pace: Pace,
    /// When something was written last.
    written_at: Instant,
    greeted: bool,
    _ticket: Ticket,
}

impl Listener {
    /// The next bytes of the stream; `None` ends it.
    async fn next(mut self) -> Option<(Result<Bytes, Error>, Self)> {
        if !self.greeted {
            self.greeted = true;
            // How long a browser waits before it comes back after a loss.
            return Some((Ok(Bytes::from_static(b"retry: 3000\n\n")), self));
        }
        let said = self.wait().await?;
        self.written_at = Instant::now();
        Some((Ok(said), self))
    }

    async fn wait(&mut self) -> Option<Bytes> {
        loop {
            if *self.stop.borrow() {
                return None;
            }
            tokio::select! {
                _ = self.stop.changed() => return None,
                changed = self.changes.changed(), if self.pace.due_at.is_none() => {
                    changed.ok()?;
                    self.pace.ring();
                }
                changed = self.board.changed(), if self.loops_pace.due_at.is_none() => {
                    changed.ok()?;
                    self.loops_pace.ring();
                }
                () = self.pace.due() => {
                    self.pace.look();
                    self.changes.mark_unchanged();
                    let events = self.gather().await.ok()?;
                    if !events.is_empty() {
                        self.pace.told();
                        return Some(Bytes::from(events));
                    }
                }
                () = self.loops_pace.due() => {
                    self.loops_pace.look();
                    self.board.mark_unchanged();
                    self.loops_pace.told();
                    return Some(Bytes::from_static(b"event: loops\ndata:\n\n"));
                }
                () = tokio::time::sleep_until(self.written_at + HEARTBEAT) => {
                    return Some(Bytes::from_static(b": still here\n\n"));
                }
            }
        }
    }

    async fn gather(&mut self) -> Result<String, Error> {
        let told = self.told;
        let (now, changed) = self
            .context
            .read(move |db| {
                let now = Revisions::read(db)?;
                let changed = store::conversations::list_changed(db, told.conversations)?;
                Ok((now, changed))
            })
            .await?;
        self.told = now;
        let mut events = String::new();
        let mut event = |name: &str| {
            events.push_str("event: ");
            events.push_str(name);
            events.push_str("\ndata:\n\n");
        };
        if !changed.is_empty() {
            event("list");
        }
        for id in changed {
            event(&format!("conversation-{id}"));
        }
        if now.mailboxes > told.mailboxes {
            event("mailboxes");
        }
        Ok(events)
    }
}

/// `GET /live`
///
/// # Errors
/// When the store fails.
pub(super) async fn show(
    context: Shared,
    visitor: Visitor,
    shown: Query<Shown>,
) -> Result<HttpResponse, Error> {
    let Some(ticket) = context.streams.enter(visitor.agent.id) else {
        // 204 tells an EventSource not to come back (WHATWG HTML §9.2.3).
        return Ok(HttpResponse::build(StatusCode::NO_CONTENT).finish());
    };
    // Listens before it reads, so that nothing falls between.
    let mut changes = context.services.store.changes();
    changes.mark_unchanged();
    let mut board = context.services.work.board().changes();
    // The board keeps no history, so a page hears of it once at the start.
    board.mark_changed();
    let now = context.read(Revisions::read).await?;
    let told = Revisions {
        conversations: shown.conversations.unwrap_or(now.conversations),
        mailboxes: shown.mailboxes.unwrap_or(now.mailboxes),
    };
    if told != now {
        changes.mark_changed();
    }
    let stop = context.streams.stop.subscribe();
    let listener = Listener {
        context,
        changes,
        board,
        stop,
        told,
        pace: Pace::new(Duration::ZERO),
        loops_pace: Pace::new(GATHER),
        written_at: Instant::now(),
        greeted: false,
        _ticket: ticket,
    };
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        // For proxies that gather answers (nginx).
        .insert_header(("x-accel-buffering", "no"))
        .streaming(stream::unfold(listener, Listener::next)))
}
