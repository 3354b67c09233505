//! Copies of the database made while it is in use, and their return.

use std::path::Path;
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};

use super::{Error, Result, Store, check, deliveries, migrate};
use crate::problem::{Disposition, Problem};

/// Pages copied at a step; between steps writers get their turn.
const PAGES_PER_STEP: i32 = 2_000;

/// Copies an open database to a file that must not exist yet, and proves the copy sound.
///
/// # Errors
/// When the file exists or cannot be written, or the copy is not sound (it is then removed).
pub fn copy(from: &Connection, to: &Path) -> Result<()> {
    let io = |what: &str, source| Error::Io {
        what: format!("{what} {}", to.display()),
        source,
    };
    let partial = to.with_extension("partial");
    // Two at once must not write into each other; and nothing that exists is overwritten.
    if to.exists() {
        let source = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
        return Err(io("write the backup", source));
    }
    let result = copy_into(from, &partial).and_then(|()| {
        std::fs::File::open(&partial)
            .and_then(|file| file.sync_all())
            .and_then(|()| std::fs::rename(&partial, to))
            .map_err(|source| io("write the backup", source))
    });
    if result.is_err() && partial.exists() {
        std::fs::remove_file(&partial).map_err(|source| io("remove the broken backup", source))?;
    }
    result
}

fn copy_into(from: &Connection, to: &Path) -> Result<()> {
    crate::secret::write_private(to, b"").map_err(|source| Error::Io {
        what: format!("write {}", to.display()),
        source,
    })?;
    let mut target = Connection::open(to)?;
    {
        let backup = Backup::new(from, &mut target)?;
        backup.run_to_completion(PAGES_PER_STEP, Duration::from_millis(1), None)?;
    }
    // One file, complete in itself.
    target.pragma_update(None, "journal_mode", "DELETE")?;
    verify(&target)
}

/// Proves that a database file is whole and not newer than this program.
fn verify(db: &Connection) -> Result<()> {
    let verdict: String = db.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Err(Error::Value(verdict));
    }
    let found = migrate::found_version(db)?;
    let known = migrate::known_version();
    if found > known {
        return Err(Error::Newer { found, known });
    }
    Ok(())
}

impl Store {
    /// Writes a verified copy of the whole database to a file that must not exist yet, while the
    /// program goes on.
    ///
    /// # Errors
    /// When the file exists or cannot be written, or the copy is not sound.
    pub fn backup(&self, to: &Path) -> Result<()> {
        backup_file(self.path(), to)
    }
}

/// Writes a verified copy of the database file `from`, which may be in use by another process.
///
/// # Errors
/// As [`Store::backup`].
pub fn backup_file(from: &Path, to: &Path) -> Result<()> {
    // A connection of its own: neither the writer nor a page's reader waits.
    let source = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    source.busy_timeout(Duration::from_secs(10))?;
    copy(&source, to)
}

/// Puts a backup in the place of the database at `path`. The replaced file is kept beside it; its new
/// name is returned. The program must not be running. Replies that waited in the backup may have left since:
/// they are looked for before they are sent.
///
/// # Errors
/// When the backup is broken, from a newer version, or breaks an invariant; nothing is replaced then.
pub fn restore(from: &Path, path: &Path, now: i64) -> Result<Option<std::path::PathBuf>> {
    let io = |what: &str, file: &Path, source| Error::Io {
        what: format!("{what} {}", file.display()),
        source,
    };
    let backup = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    verify(&backup)?;
    if migrate::found_version(&backup)? == 0 {
        return Err(Error::Value(format!(
            "{} is not a Mailhatch backup",
            from.display()
        )));
    }
    let broken = check::run(&backup)?;
    if let Some(first) = broken.first() {
        return Err(Error::Value(format!(
            "the backup breaks an invariant: {first}"
        )));
    }
    let incoming = path.with_extension("restoring");
    if incoming.exists() {
        std::fs::remove_file(&incoming).map_err(|source| io("remove", &incoming, source))?;
    }
    copy(&backup, &incoming)?;
    make_uncertain(&incoming, now)?;
    let kept = path
        .exists()
        .then(|| path.with_extension(format!("replaced-{now}.db")));
    if let Some(kept) = &kept {
        // Everything in its log first, so that the kept file is whole by itself.
        Connection::open(path)?.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        std::fs::rename(path, kept).map_err(|source| io("keep the replaced", path, source))?;
    }
    std::fs::rename(&incoming, path).map_err(|source| io("put in place", path, source))?;
    Ok(kept)
}

fn make_uncertain(path: &Path, now: i64) -> Result<()> {
    let problem = Problem::new(
        "restored",
        Disposition::RetryAfter { seconds: 0 },
        "This reply was waiting when the backup was made, so it may have left since.",
        "Mailhatch looks for it in Sent Items and settles the matter by itself; it is not sent again before that.",
    );
    // What follows speaks the present schema; the next start would bring it up to date anyway.
    migrate::migrate(path)?;
    let mut db = Connection::open(path)?;
    let tx = db.transaction()?;
    deliveries::update_restored(&tx, &problem, now)?;
    tx.commit()?;
    Ok(())
}
