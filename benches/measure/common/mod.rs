//! What the benchmarks share: the program and its rivals as processes, what the kernel says about
//! them, an HTTP client of few words, mail to receive, and the table at the end.

pub(crate) mod archive;
pub(crate) mod desk;
pub(crate) mod http;
pub(crate) mod mixture;
pub(crate) mod process;
pub(crate) mod program;
pub(crate) mod rival;
pub(crate) mod table;

use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Waits this long.
pub(crate) fn pause(time: Duration) {
    let (_keep, never) = mpsc::channel::<()>();
    let _ = never.recv_timeout(time);
}

/// Looks every few milliseconds until something is so; gives up loudly after ten minutes.
pub(crate) fn wait_until(what: &str, mut so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !so() {
        assert!(
            began.elapsed() < Duration::from_secs(600),
            "ten minutes in vain: {what}"
        );
        pause(Duration::from_millis(5));
    }
}

/// The value below which so many of a hundred measurements lie, by nearest rank.
pub(crate) fn percentile(times: &[Duration], share: usize) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let rank = (share * sorted.len()).div_ceil(100);
    sorted[rank.clamp(1, sorted.len()) - 1]
}

/// In milliseconds, with as many digits as are worth reading.
pub(crate) fn millis(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1_000.0;
    match millis {
        ..10.0 => format!("{millis:.2} ms"),
        10.0..100.0 => format!("{millis:.1} ms"),
        _ => format!("{millis:.0} ms"),
    }
}

/// In megabytes (10⁶ bytes).
pub(crate) fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// How many in a second.
pub(crate) fn rate(count: usize, time: Duration) -> String {
    let rate = count as f64 / time.as_secs_f64();
    if rate < 100.0 {
        format!("{rate:.1}")
    } else {
        format!("{rate:.0}")
    }
}
