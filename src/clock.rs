//! The only place that reads the wall clock. Everything else is given a [`Clock`], so that a test owns time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Where the time comes from.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The machine's wall clock.
    #[default]
    System,
    /// A clock that moves only when a test moves it.
    Hand(Arc<AtomicI64>),
}

impl Clock {
    /// A clock set by hand to `at` (unix seconds UTC).
    #[must_use]
    pub fn hand(at: i64) -> Self {
        Self::Hand(Arc::new(AtomicI64::new(at)))
    }

    /// The current time, unix seconds UTC.
    #[must_use]
    pub fn now(&self) -> i64 {
        match self {
            Self::System => system_now(),
            Self::Hand(at) => at.load(Ordering::SeqCst),
        }
    }

    /// Moves a hand-set clock forward; the wall clock stays as it is.
    pub fn advance(&self, seconds: i64) {
        if let Self::Hand(at) = self {
            at.fetch_add(seconds, Ordering::SeqCst);
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the wall clock"
)]
fn system_now() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |elapsed| {
            i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX)
        })
}
