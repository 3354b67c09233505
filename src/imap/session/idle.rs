//! Waiting for new mail (RFC 2177), in stretches after each of which the server must show that it is there.

use std::time::{Duration, Instant};

use imap::extensions::idle::WaitOutcome;
use imap::types::UnsolicitedResponse;

use super::{ANSWER_BYTES_MAX, ANSWER_TIME_MAX, IdleEnd, Session};
use crate::net;
use crate::problem::Problem;

/// Most a server may say during one stretch of IDLE.
const IDLE_BYTES_MAX: u64 = 1024 * 1024;
/// Longest stretch of IDLE. RFC 2177 wants it renewed every 29 minutes; Exchange Online has been seen to
/// hang up on quiet sessions earlier.
const IDLE_SLICE: Duration = Duration::from_secs(9 * 60);

impl Session {
    /// Waits up to `max` for new mail in the open folder. Every few minutes the server must show that it is
    /// still there, so a connection that died silently ends as a [`Problem`].
    ///
    /// # Errors
    /// When the server ends the session, does not answer or the connection is closed from another thread.
    pub fn idle(&mut self, max: Duration) -> Result<IdleEnd, Problem> {
        let started = Instant::now();
        loop {
            let left = max.saturating_sub(started.elapsed());
            if left.is_zero() {
                return Ok(IdleEnd::Nothing);
            }
            let slice = left.min(IDLE_SLICE);
            let began = Instant::now();
            self.idle_once(slice)?;
            let early = began.elapsed() < slice;
            if self.noop()? {
                return Ok(IdleEnd::NewMail);
            }
            // Interrupted: the caller wants to go on with something else.
            if early {
                return Ok(IdleEnd::Nothing);
            }
        }
    }

    /// What ends [`Session::idle`] early from another thread, with nothing lost.
    #[must_use]
    pub fn interrupter(&self) -> net::Interrupter {
        self.interrupter.clone()
    }

    /// One stretch of IDLE. What it brought stands in `heard` afterwards.
    fn idle_once(&mut self, slice: Duration) -> Result<(), Problem> {
        let (inner, budget) = (&mut self.inner, self.talk.budget.clone());
        self.talk.heard.notes().continuation_first = true;
        // The budget's time ends the stretch even when the server keeps chatting ("* OK Still here").
        self.talk.run(IDLE_BYTES_MAX, slice, || {
            let mut handle = inner.idle();
            let end = handle
                .timeout(slice)
                .keepalive(false)
                .wait_while(|news| goes_on_after(&news));
            // Dropping the handle sends DONE and reads the answer.
            budget.set(ANSWER_BYTES_MAX, ANSWER_TIME_MAX);
            drop(handle);
            end.map(|outcome| outcome == WaitOutcome::MailboxChanged)
        })?;
        self.talk.goodbye()
    }
}

/// Whether waiting goes on after this piece of news: it ends at new mail and at goodbye.
const fn goes_on_after(news: &UnsolicitedResponse) -> bool {
    !matches!(
        news,
        UnsolicitedResponse::Exists(_) | UnsolicitedResponse::Bye { .. }
    )
}
