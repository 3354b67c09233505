//! When a loop looks next: a pure function of cron text, jitter and now. There is no scheduler.

use std::str::FromStr as _;

use chrono::{DateTime, Utc};

/// The first instant after `now` (unix seconds) that the cron text names, moved by `jitter_seconds`
/// so that many mailboxes with the same text do not all dial at once. `None` when the text is not
/// cron or names no instant any more.
#[must_use]
pub fn next(cron: &str, jitter_seconds: i64, now: i64) -> Option<i64> {
    let schedule = cron::Schedule::from_str(cron).ok()?;
    // What was due `jitter` ago is due now.
    let from = DateTime::<Utc>::from_timestamp(now.checked_sub(jitter_seconds)?, 0)?;
    schedule
        .after(&from)
        .next()?
        .timestamp()
        .checked_add(jitter_seconds)
}

/// Whether a text is cron of six or seven fields, seconds first.
#[must_use]
pub fn is_cron(text: &str) -> bool {
    cron::Schedule::from_str(text).is_ok()
}

/// Seconds to wait before try number `tries` (1 after the first failure): 30 s doubling to `longest`,
/// less up to a quarter by `random` so that many that failed together do not return together.
#[must_use]
pub fn back_off(tries: u32, longest: i64, random: u8) -> i64 {
    let doubled = 30_i64
        .saturating_mul(1_i64 << tries.saturating_sub(1).min(20))
        .min(longest);
    doubled - doubled.saturating_mul(i64::from(random)) / 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_minute_is_the_next_full_minute() {
        assert_eq!(next("0 * * * * *", 0, 120), Some(180));
        assert_eq!(next("0 * * * * *", 0, 179), Some(180));
    }

    #[test]
    fn jitter_moves_each_instant_and_loses_none() {
        assert_eq!(next("0 * * * * *", 7, 120), Some(127));
        assert_eq!(next("0 * * * * *", 7, 127), Some(187));
    }

    #[test]
    fn what_is_not_cron_has_no_next_instant() {
        assert_eq!(next("every minute", 0, 0), None);
        assert!(!is_cron("* *"));
        assert!(is_cron("0 */5 * * * *"));
    }

    #[test]
    fn back_off_doubles_to_its_limit() {
        assert_eq!(
            (1..=4).map(|n| back_off(n, 3600, 0)).collect::<Vec<_>>(),
            [30, 60, 120, 240]
        );
        assert_eq!(back_off(60, 3600, 0), 3600);
        assert!(back_off(5, 3600, 255) >= 360);
    }
}
