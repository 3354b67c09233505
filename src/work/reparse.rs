//! Reading stored mail again after an upgrade: a little at a time by the janitor, or all of it by
//! `mailhatch reparse`. Both ask the store what is left, so they may run together and stop anywhere.

use super::Services;
use crate::intake::{DERIVED_VERSION, rebuild};
use crate::store::{self, Db, derived};

/// Messages between two lines of progress.
const LINE_EVERY: i64 = 1_000;

/// Reads a few messages again and says how many are left, when there are any. A failure is logged, and
/// the next try comes with the janitor's next round.
pub(super) fn a_little(services: &Services) -> Option<String> {
    let store = &services.store;
    if let Err(error) = rebuild::notes(store) {
        tracing::error!(%error, "notes could not be indexed for the search");
    }
    let left = rebuild::step(store).and_then(|step| match step.done {
        0 => Ok(0),
        _ => rebuild::left(store),
    });
    match left {
        Ok(0) => None,
        Ok(left) => Some(format!(
            "Reading stored mail again after the upgrade: {} to go.",
            thousands(left)
        )),
        Err(error) => {
            tracing::error!(%error, "stored mail could not be read again");
            None
        }
    }
}

/// Reads on until nothing is left, with `anew` also what this version has read, and tells how far it is.
/// Returns how many messages read otherwise now.
///
/// # Errors
/// Those of the store; what was done until then stays done.
pub fn all(services: &Services, anew: bool, mut tell: impl FnMut(&str)) -> store::Result<i64> {
    let store = &services.store;
    if anew {
        rebuild::mark_all(store)?;
    }
    while rebuild::notes(store)? {}
    let total = store.read(derived::count)?;
    let (mut changed, mut told) = (0, i64::MIN);
    loop {
        let step = rebuild::step(store)?;
        if step.done == 0 {
            return Ok(changed);
        }
        changed += i64::try_from(step.changed).unwrap_or(0);
        let done = total.saturating_sub(rebuild::left(store)?).max(0);
        if done >= told.saturating_add(LINE_EVERY) || done >= total {
            tell(&progress(done, total));
            told = done;
        }
    }
}

/// How many messages an older version has read: the search may not find them yet.
///
/// # Errors
/// Those of the store.
pub fn left(db: &Db) -> store::Result<i64> {
    derived::count_stale(db, DERIVED_VERSION)
}

fn progress(done: i64, total: i64) -> String {
    let percent = done.saturating_mul(100).checked_div(total).unwrap_or(100);
    let (done, total) = (thousands(done), thousands(total));
    format!("{done} of {total} messages, {percent} %")
}

/// A number as people read it: 12,300.
#[must_use]
pub fn thousands(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::from(if number < 0 { "-" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_told_in_numbers_that_can_be_read() {
        assert_eq!(progress(12_300, 88_000), "12,300 of 88,000 messages, 13 %");
        assert_eq!(progress(0, 0), "0 of 0 messages, 100 %");
        for (number, text) in [(7, "7"), (1_000, "1,000"), (-123_456, "-123,456")] {
            assert_eq!(thousands(number), text);
        }
    }
}
