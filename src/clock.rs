//! The only place that reads the wall clock. Everything else is given a [`Clock`], so that a test owns time.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

/// Where the time comes from.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The machine's wall clock.
    #[default]
    System,
    /// A clock that moves only when a test moves it.
    Hand(Arc<Hand>),
}

/// The hands of a clock set by hand.
#[derive(Debug)]
pub struct Hand {
    wall: AtomicI64,
    steady: AtomicI64,
}

impl Clock {
    /// A clock set by hand to `at` (unix seconds UTC).
    #[must_use]
    pub fn hand(at: i64) -> Self {
        Self::Hand(Arc::new(Hand {
            wall: AtomicI64::new(at),
            steady: AtomicI64::new(0),
        }))
    }

    /// The current time, unix seconds UTC.
    #[must_use]
    pub fn now(&self) -> i64 {
        match self {
            Self::System => system_now_ms().div_euclid(1_000),
            Self::Hand(hand) => hand.wall.load(Ordering::SeqCst),
        }
    }

    /// The current time, unix milliseconds UTC.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        match self {
            Self::System => system_now_ms(),
            Self::Hand(hand) => hand.wall.load(Ordering::SeqCst).saturating_mul(1_000),
        }
    }

    /// Seconds since some moment of this process: what has surely passed, however the wall clock is set
    /// meanwhile.
    #[must_use]
    pub fn steady(&self) -> i64 {
        match self {
            Self::System => steady_now(),
            Self::Hand(hand) => hand.steady.load(Ordering::SeqCst),
        }
    }

    /// Moves a hand-set clock forward; the wall clock stays as it is.
    pub fn advance(&self, seconds: i64) {
        if let Self::Hand(hand) = self {
            hand.steady.fetch_add(seconds, Ordering::SeqCst);
        }
        self.jump(seconds);
    }

    /// Sets a hand-set clock to another time, forward or back, while none passes.
    pub fn jump(&self, seconds: i64) {
        if let Self::Hand(hand) = self {
            hand.wall.fetch_add(seconds, Ordering::SeqCst);
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the wall clock"
)]
fn system_now_ms() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |elapsed| {
            i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
        })
}

fn steady_now() -> i64 {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    let began = BEGAN.get_or_init(Instant::now);
    i64::try_from(began.elapsed().as_secs()).unwrap_or(i64::MAX)
}
