//! The nightly backups as files: how they are called, the newest, and when the next is due.

use std::path::{Path, PathBuf};

use super::{Services, schedule};
use crate::problem::{Disposition, Problem};
use crate::store::{self, Db, settings};

/// Begins the name of every nightly backup.
pub(super) const PREFIX: &str = "mailhatch-";

/// A backup that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// Name of its file.
    pub file: String,
    /// When it was made, unix seconds UTC; its name says so.
    pub made_at: i64,
    /// Its size.
    pub size_bytes: i64,
}

/// Where nightly backups are kept.
#[must_use]
pub fn folder(data_dir: &Path) -> PathBuf {
    data_dir.join("backups")
}

/// The newest backup, if there is one.
#[must_use]
pub fn newest(data_dir: &Path) -> Option<Backup> {
    let entries = std::fs::read_dir(folder(data_dir)).ok()?;
    entries
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let file = entry.file_name().to_string_lossy().into_owned();
            let made_at = made_at(&file)?;
            let size_bytes = i64::try_from(entry.metadata().ok()?.len()).ok()?;
            Some(Backup {
                file,
                made_at,
                size_bytes,
            })
        })
        .max_by_key(|backup| backup.made_at)
}

/// When the next one is due; `None` when they are switched off.
#[must_use]
pub fn next(services: &Services) -> Option<i64> {
    schedule::next(&services.config.backup_cron, 0, services.clock.now())
}

/// Where is kept what stopped the last one.
const PROBLEM: &str = "backup_problem";

/// What stopped the last backup, if anything did.
///
/// # Errors
/// Those of the store.
pub(super) fn problem(db: &Db) -> store::Result<Option<Problem>> {
    let text = settings::find_text(db, PROBLEM)?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

/// Writes down how a backup went.
///
/// # Errors
/// Those of the store.
pub(super) fn note(services: &Services, problem: Option<&Problem>) -> store::Result<()> {
    let now = services.clock.now();
    services.store.write(|tx| match problem {
        Some(problem) => {
            let text = serde_json::to_string(problem).unwrap_or_default();
            settings::update_text(tx, PROBLEM, &text, now)
        }
        None => settings::delete(tx, PROBLEM),
    })
}

/// That none was made when it was time.
pub(super) fn missed() -> Problem {
    Problem::new(
        "backup_missed",
        Disposition::NeedsAdmin,
        "No backup was made though it was time for one.",
        "Look at the page Health and at the log; `mailhatch backup` makes one by hand.",
    )
}

/// Reads the time in a name such as `mailhatch-20270115-030000.db`.
fn made_at(file: &str) -> Option<i64> {
    let stamp = file.strip_prefix(PREFIX)?.strip_suffix(".db")?;
    let time = chrono::NaiveDateTime::parse_from_str(stamp, "%Y%m%d-%H%M%S").ok()?;
    Some(time.and_utc().timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_backup_is_found_by_its_name() {
        let data = tempfile::tempdir().unwrap();
        assert_eq!(newest(data.path()), None);
        let backups = folder(data.path());
        std::fs::create_dir(&backups).unwrap();
        for name in [
            "mailhatch-20270114-030000.db",
            "mailhatch-20270115-030000.db",
            "other.db",
        ] {
            std::fs::write(backups.join(name), "12345").unwrap();
        }
        let found = newest(data.path()).unwrap();
        assert_eq!(found.file, "mailhatch-20270115-030000.db");
        assert_eq!((found.made_at, found.size_bytes), (1_799_982_000, 5));
    }
}
