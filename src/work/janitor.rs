//! Housekeeping: sessions and sign-ins that have ended, tokens that would die of disuse, backups, and
//! stored mail that an upgrade reads better.
//! Each task stands alone; one that fails does not keep the others from running.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::status::{Health, Line, LoopName};
use super::wake::{Wake, Woken};
use super::{Services, backups, credentials, reparse};
use crate::store;

/// How often it looks around.
const ROUND: Duration = Duration::from_secs(60);
/// How long it rests while stored mail is read again, so that pages and pollers come first.
const BREATH: Duration = Duration::from_millis(200);
/// A refresh token unused for 90 days dies (Microsoft, "Refresh tokens"); one unused for a week is
/// used.
const IDLE_TOKEN_SECONDS: i64 = 7 * 24 * 3600;

pub(super) fn run(services: &Services, wake: &Wake) {
    let mut next_backup = backups::next(services);
    loop {
        let mut reading = None;
        let rounds = super::supervisor::guarded(services, LoopName::Janitor, || {
            round(services, &mut next_backup);
            reading = reparse::a_little(services);
        });
        let pause = if reading.is_some() { BREATH } else { ROUND };
        if let Some(sentence) = reading {
            let line = Line::new(Health::Busy, sentence);
            services.work.board().set(LoopName::Janitor, line);
        } else if rounds.is_ok() {
            let sentence = next_backup.map_or_else(
                || "Keeping house; backups are switched off.".to_owned(),
                |at| format!("Keeping house; next backup {}.", date(at)),
            );
            services
                .work
                .board()
                .set(LoopName::Janitor, Line::new(Health::Good, sentence));
        }
        if wake.wait(pause) == Woken::Stop {
            return;
        }
    }
}

fn round(services: &Services, next_backup_at: &mut Option<i64>) {
    let now = services.clock.now();
    // A clock that was set back must not put the next backup off.
    *next_backup_at = backups::next(services)
        .into_iter()
        .chain(*next_backup_at)
        .min();
    forget_old(services, now);
    keep_tokens_alive(services, now);
    if next_backup_at.is_some_and(|at| at <= now) {
        services.work.board().set(
            LoopName::Janitor,
            Line::new(Health::Busy, "Making the nightly backup."),
        );
        nightly_backup(services, now);
        *next_backup_at = backups::next(services);
    }
}

fn forget_old(services: &Services, now: i64) {
    let forgotten = services
        .store
        .read(|db| store::sessions::count_expired(db, now));
    if forgotten.is_ok_and(|count| count == 0) {
        return;
    }
    let result = services.store.write(|tx| {
        store::sessions::delete_expired(tx, now)?;
        store::oauth_flows::delete_old(tx, now)
    });
    if let Err(error) = result {
        tracing::error!(%error, "old sessions could not be removed");
    }
}

fn keep_tokens_alive(services: &Services, now: i64) {
    let stale = services
        .store
        .read(|db| store::credentials::list_stale(db, now.saturating_sub(IDLE_TOKEN_SECONDS)));
    for id in stale.unwrap_or_default() {
        if let Err(problem) = credentials::keep_alive(services, id) {
            tracing::warn!(mailbox.id = id.0, code = %problem.code, "an idle token could not be renewed");
        }
    }
}

fn date(at: i64) -> String {
    chrono::DateTime::from_timestamp(at, 0).map_or_else(String::new, |at| {
        at.format("%Y-%m-%d %H:%M UTC").to_string()
    })
}

/// Makes the nightly backup, and writes down how it went; gives whether it was made.
pub fn nightly_backup(services: &Services, now: i64) -> bool {
    let made = back_up(services, now);
    let problem = made.as_ref().err().map(store::Error::to_problem);
    if let Err(error) = backups::note(services, problem.as_ref()) {
        tracing::error!(%error, "how the backup went could not be stored");
    }
    match &made {
        Ok(path) => tracing::info!(path = %path.display(), "backup made and verified"),
        Err(error) => tracing::error!(%error, "the backup failed"),
    }
    services.work.wake_alerts();
    made.is_ok()
}

/// Makes a verified backup in `<data dir>/backups` and removes the oldest ones.
fn back_up(services: &Services, now: i64) -> store::Result<PathBuf> {
    let folder = backups::folder(&services.config.data_dir);
    let io = |what: &str| {
        let what = what.to_owned();
        move |source| store::Error::Io { what, source }
    };
    std::fs::create_dir_all(&folder).map_err(io("make the backup folder"))?;
    for unfinished in unfinished(&folder).map_err(io("list unfinished backups"))? {
        std::fs::remove_file(&unfinished).map_err(io("remove an unfinished backup"))?;
    }
    let stamp = chrono::DateTime::from_timestamp(now, 0)
        .map_or_else(String::new, |at| at.format("%Y%m%d-%H%M%S").to_string());
    let path = folder.join(format!("{}{stamp}.db", backups::PREFIX));
    services.store.backup(&path)?;
    for old in surplus(&folder, services.config.backup_keep).map_err(io("list old backups"))? {
        std::fs::remove_file(&old).map_err(io("remove an old backup"))?;
    }
    Ok(path)
}

/// What is left of nightly backups in which the program was killed.
fn unfinished(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let files = std::fs::read_dir(folder)?.filter_map(Result::ok);
    let is_ours = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(backups::PREFIX) && name.ends_with(".partial")
    };
    Ok(files.map(|entry| entry.path()).filter(is_ours).collect())
}

/// The nightly backups beyond the newest `keep`. Their names sort by time.
fn surplus(folder: &Path, keep: usize) -> std::io::Result<Vec<PathBuf>> {
    let mut backups: Vec<PathBuf> = std::fs::read_dir(folder)?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with(backups::PREFIX) && name.ends_with(".db")
        })
        .collect();
    backups.sort();
    backups.truncate(backups.len().saturating_sub(keep));
    Ok(backups)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_backup_left_is_found_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let names = [
            "mailhatch-20270115-030000.db",
            "mailhatch-20270116-030000.partial",
            "mine.partial",
        ];
        for name in names {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let found = unfinished(folder.path()).unwrap();
        assert_eq!(found, [folder.path().join(names[1])]);
    }
}
