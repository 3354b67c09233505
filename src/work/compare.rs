//! Holds the ledger against the server: once a day, and when somebody asks, every UID the server lists is looked
//! up among the fates. What has none is named and fetched at once; what is gone from the server is counted.

use std::ops::Range;

use super::status::{Health, Line, LoopName};
use super::sync::{Pass, Passed};
use crate::imap;
use crate::model::{COMPARED_EVERY_SECONDS, Comparison, Cursor, Folder, LedgerCheck};
use crate::problem::Problem;
use crate::secret::random_bytes;
use crate::store::{self, fates, ledger_checks};

/// So many UIDs are asked for at once, so that memory stays small whatever the size of the folder.
const WINDOW_UIDS: u32 = 100_000;
/// Where UIDs lie far apart the windows grow: no folder takes more of them.
const WINDOWS_MAX: u32 = 100;
/// Most messages without a fate that are fetched before new mail is looked for again.
const FETCH_MAX: usize = 1_000;
/// A folder's first comparison comes not sooner than this.
const FIRST_SECONDS: i64 = 3_600;

/// Compares the pass's folder if its time has come. New mail has been taken before.
pub(super) fn if_due(
    pass: &mut Pass<'_>,
    session: &mut imap::Session,
    passed: &mut Passed,
) -> Result<(), Problem> {
    let (services, id) = (pass.services, pass.folder.id);
    let now = services.clock.now();
    let store = &services.store;
    let failed = |error: store::Error| error.to_problem();
    let check = store
        .read(|db| ledger_checks::find(db, id))
        .map_err(failed)?;
    let Some(check) = check else {
        // What has just been listed needs no comparing; spread over the day, many folders do not meet.
        let [random] = random_bytes::<1>();
        let spread = (COMPARED_EVERY_SECONDS - FIRST_SECONDS) * i64::from(random) / 256;
        let due_at = now + FIRST_SECONDS + spread;
        return store
            .write(|tx| ledger_checks::upsert_due(tx, id, due_at))
            .map_err(failed);
    };
    let folder = store
        .read(|db| store::folders::list(db, pass.mailbox.id))
        .map_err(failed)?
        .into_iter()
        .find(|folder| folder.id == id);
    let cursor = folder.as_ref().and_then(|folder| folder.cursor);
    let (Some(folder), Some(cursor)) = (folder, cursor) else {
        return Ok(());
    };
    if !check.is_due(now) || cursor.uid_validity != pass.uid_validity {
        return Ok(());
    }
    let sentence = format!("Comparing {} with the server.", folder.name);
    let line = Line::new(Health::Busy, sentence);
    services
        .work
        .board()
        .set(LoopName::Poll(pass.mailbox.id), line);
    let Some(found) = compare(pass, session, &folder, cursor, passed)? else {
        passed.cut_short = true;
        return Ok(());
    };
    mend(pass, session, &check, &found, passed)
}

/// Lists the server's messages a window at a time and looks for them among the fates; `None` when the stop came
/// in between. What has arrived meanwhile is taken.
fn compare(
    pass: &mut Pass<'_>,
    session: &mut imap::Session,
    folder: &Folder,
    cursor: Cursor,
    passed: &mut Passed,
) -> Result<Option<Comparison>, Problem> {
    let mut found = Comparison {
        uid_validity: cursor.uid_validity,
        first_uid: folder.first_uid,
        next_uid: cursor.next_uid,
        server_count: 0,
        outside_count: 0,
        unlisted_count: 0,
        gone_count: 0,
        missing_count: 0,
        missing: Vec::new(),
    };
    for window in windows(cursor.next_uid) {
        if pass.wake.is_stopped() {
            return Ok(None);
        }
        let mut listed = session.uids_within(window.clone())?;
        let before = listed.partition_point(|uid| *uid < folder.first_uid);
        found.outside_count += count(before);
        listed.drain(..before);
        found.server_count += count(listed.len());
        let wanted = window.start.max(folder.first_uid)..window.end;
        let differences = pass
            .services
            .store
            .read(|db| {
                let validity = cursor.uid_validity;
                fates::find_differences(db, folder.id, validity, wanted, &listed)
            })
            .map_err(|error: store::Error| error.to_problem())?;
        found.gone_count += differences.gone_count;
        found.missing_count += count(differences.missing.len());
        let room = (2 * FETCH_MAX).saturating_sub(found.missing.len());
        found
            .missing
            .extend(differences.missing.into_iter().take(room));
    }
    // The server's own count comes after the listing, and the newest messages after it: whatever moves meanwhile
    // only makes the listing longer than the count.
    session.noop()?;
    let exists = i64::from(session.count_all());
    let new = session.uids_from(cursor.next_uid)?;
    let listed = found.outside_count + found.server_count + count(new.len());
    found.unlisted_count = exists.saturating_sub(listed).max(0);
    if !new.is_empty() {
        pass.fetch_all(session, &new, passed)?;
    }
    Ok((!passed.cut_short).then_some(found))
}

/// All UIDs below the cursor, cut into windows.
fn windows(next_uid: u32) -> impl Iterator<Item = Range<u32>> {
    let step = WINDOW_UIDS.max(next_uid / WINDOWS_MAX);
    let after = move |from: u32| from.saturating_add(step).min(next_uid);
    let first = 1..after(1);
    std::iter::successors(Some(first), move |window| {
        Some(window.end..after(window.end))
    })
    .take_while(|window| !window.is_empty())
}

/// Writes down what was found, and fetches what has no fate. Until all of it has one the folder stays due, so
/// that neither a crash nor a broken session ends the search.
fn mend(
    pass: &mut Pass<'_>,
    session: &mut imap::Session,
    check: &LedgerCheck,
    found: &Comparison,
    passed: &mut Passed,
) -> Result<(), Problem> {
    let services = pass.services;
    let (id, now) = (pass.folder.id, services.clock.now());
    let [random] = random_bytes::<1>();
    // A little sooner by chance, so that folders that once met do not meet for ever.
    let next_at = now + COMPARED_EVERY_SECONDS - i64::from(random) * 10;
    let whole = found.missing_count == 0;
    let due_at = if whole { next_at } else { now };
    services
        .store
        .write(|tx| ledger_checks::update_last(tx, id, found, due_at, now))
        .map_err(|error: store::Error| error.to_problem())?;
    if !found.agrees() {
        tracing::warn!(
            mailbox.id = pass.mailbox.id.0,
            folder.id = id.0,
            missing = found.missing_count,
            unlisted = found.unlisted_count,
            "the ledger differs from the server"
        );
    }
    if whole {
        return Ok(());
    }
    let now_fetched = found.missing.len().min(FETCH_MAX);
    let (taken, left) = found
        .missing
        .split_at_checked(now_fetched)
        .unwrap_or_default();
    pass.fetch_all(session, taken, passed)?;
    if passed.cut_short {
        return Ok(());
    }
    let after = Comparison {
        missing_count: found.missing_count - count(taken.len()),
        missing: left.to_vec(),
        ..found.clone()
    };
    let now = services.clock.now();
    let due_at = if after.missing_count == 0 {
        next_at
    } else {
        now
    };
    let same = check.differs_since_at.is_some();
    services
        .store
        .write(|tx| {
            ledger_checks::update_last(tx, id, &after, due_at, now)?;
            ledger_checks::update_recovered(tx, id, taken, same, now)
        })
        .map_err(|error: store::Error| error.to_problem())
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_hold_every_uid_below_the_cursor_once_and_are_few() {
        for next_uid in [0, 1, 2, 99_999, 100_001, 250_000, 30_000_000, u32::MAX] {
            let all: Vec<Range<u32>> = windows(next_uid).collect();
            assert!(all.len() <= 101, "{next_uid}: {}", all.len());
            let ends = all.iter().map(|window| window.end);
            let begins = all.iter().skip(1).map(|window| window.start);
            assert!(begins.zip(ends).all(|(begin, end)| begin == end));
            let whole = all.first().map(|w| w.start).zip(all.last().map(|w| w.end));
            assert_eq!(whole, (next_uid > 1).then_some((1, next_uid)));
        }
    }
}
