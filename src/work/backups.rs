//! The nightly backups as files: how they are called, the newest, and when the next is due.

use std::path::{Path, PathBuf};

use super::{Services, schedule};

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
