//! Waiting that ends at once when there is something to do or when the program stops.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Why a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Woken {
    /// The program stops.
    Stop,
    /// Somebody said "look now".
    Wake,
    /// The time was up.
    Timeout,
}

#[derive(Default)]
struct State {
    woken: bool,
    stopped: bool,
    /// The loop has ended and is started again by a ring.
    resting: bool,
    on_wake: Option<Box<dyn Fn() + Send>>,
    on_stop: Option<Box<dyn Fn() + Send>>,
}

/// A bell for one loop. Many rings before it is heard count as one.
#[derive(Clone, Default)]
pub struct Wake(Arc<(Mutex<State>, Condvar)>);

impl std::fmt::Debug for Wake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wake")
    }
}

impl Wake {
    /// Says "look now"; tells whether the loop is at rest and must be started first.
    pub fn wake(&self) -> bool {
        let mut state = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.woken = true;
        if let Some(interrupt) = &state.on_wake {
            interrupt();
        }
        let resting = state.resting;
        drop(state);
        self.0.1.notify_all();
        resting
    }

    /// Whether a loop that has nothing to do may end until it is rung for; not when a ring is waiting.
    #[must_use]
    pub fn rest(&self) -> bool {
        let mut state = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.resting = !state.woken && !state.stopped;
        state.resting
    }

    /// Whether the loop is at rest and has not been rung for.
    #[must_use]
    pub fn is_resting(&self) -> bool {
        let state = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.resting && !state.woken
    }

    /// Whether the loop has ended to rest, rung for or not.
    #[must_use]
    pub fn has_rested(&self) -> bool {
        let state = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.resting
    }

    /// The loop is started again.
    pub fn rise(&self) {
        let mut state = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.resting = false;
    }

    /// Says "stop"; for good.
    pub fn stop(&self) {
        let mut state = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.stopped = true;
        for interrupt in [&state.on_wake, &state.on_stop].into_iter().flatten() {
            interrupt();
        }
        drop(state);
        self.0.1.notify_all();
    }

    /// Whether the loop is to stop.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.0
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .stopped
    }

    /// What else to do on a ring, for a loop that waits elsewhere (an IMAP session in IDLE waits on
    /// its socket). `None` takes it away. Rung at once if a ring is waiting already.
    pub fn on_wake(&self, interrupt: Option<Box<dyn Fn() + Send>>) {
        let mut state = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.on_wake = interrupt;
        if (state.woken || state.stopped)
            && let Some(interrupt) = &state.on_wake
        {
            interrupt();
        }
    }

    /// What else to do on the stop, for a loop that may be in the middle of a conversation with a
    /// server. Done at once if the stop has come already.
    pub fn on_stop(&self, interrupt: Option<Box<dyn Fn() + Send>>) {
        let mut state = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.on_stop = interrupt;
        if state.stopped
            && let Some(interrupt) = &state.on_stop
        {
            interrupt();
        }
    }

    /// Takes a ring that is waiting, without waiting for one.
    #[must_use]
    pub fn take(&self) -> bool {
        let mut state = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut state.woken)
    }

    /// Waits for a ring, the stop, or the time.
    #[must_use]
    pub fn wait(&self, time: Duration) -> Woken {
        let state = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut state, _) = self
            .0
            .1
            .wait_timeout_while(state, time, |state| !state.woken && !state.stopped)
            .unwrap_or_else(PoisonError::into_inner);
        if state.stopped {
            return Woken::Stop;
        }
        if std::mem::take(&mut state.woken) {
            Woken::Wake
        } else {
            Woken::Timeout
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_rings_are_heard_once() {
        let wake = Wake::default();
        wake.wake();
        wake.wake();
        assert_eq!(wake.wait(Duration::from_secs(5)), Woken::Wake);
        assert_eq!(wake.wait(Duration::from_millis(1)), Woken::Timeout);
    }

    #[test]
    fn a_loop_rests_only_when_nobody_has_rung_and_a_ring_says_that_it_must_be_started() {
        let wake = Wake::default();
        assert!(!wake.wake(), "it runs");
        assert!(!wake.rest() && !wake.is_resting(), "a ring is waiting");
        assert!(wake.take());
        assert!(wake.rest() && wake.is_resting());
        assert!(wake.wake());
        assert!(!wake.is_resting(), "it is to be started");
        wake.rise();
        assert!(!wake.wake());
        wake.stop();
        assert!(!wake.rest());
    }

    #[test]
    fn a_stop_is_heard_by_everyone_who_waits_now_or_later() {
        let wake = Wake::default();
        let other = wake.clone();
        let waiting = std::thread::spawn(move || other.wait(Duration::from_secs(30)));
        wake.stop();
        assert_eq!(waiting.join().unwrap(), Woken::Stop);
        assert_eq!(wake.wait(Duration::from_secs(30)), Woken::Stop);
    }
}
