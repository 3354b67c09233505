//! Brings a database file up to the schema this program knows: forward only, never half.
//!
//! refinery runs each migration in a transaction, where `PRAGMA foreign_keys` has no effect, and a
//! table rebuilt with foreign keys on would cascade into its children. So migrations run on a
//! connection opened for them with foreign keys off, and the keys are checked afterwards.

use std::path::{Path, PathBuf};

use refinery::Runner;
use rusqlite::{Connection, OptionalExtension as _};

use super::{Error, Result};

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// All migrations of this program.
pub(super) fn runner() -> Runner {
    embedded::migrations::runner()
}

/// Newest schema this program knows.
pub(super) fn known_version() -> i64 {
    newest(&runner())
}

fn newest(runner: &Runner) -> i64 {
    runner
        .get_migrations()
        .iter()
        .map(|migration| i64::from(migration.version()))
        .max()
        .unwrap_or(0)
}

/// Schema version of an open file; 0 when it has none.
pub(super) fn found_version(connection: &Connection) -> Result<i64> {
    let has_history: bool = connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'refinery_schema_history')",
        [],
        |row| row.get(0),
    )?;
    if !has_history {
        return Ok(0);
    }
    let found: Option<i64> = connection
        .query_row(
            "SELECT MAX(version) FROM refinery_schema_history",
            [],
            |row| row.get(0),
        )
        .optional()?
        .flatten();
    Ok(found.unwrap_or(0))
}

/// Applies the pending migrations to the file at `path`, after a backup of an existing one.
pub(super) fn migrate(path: &Path) -> Result<()> {
    migrate_with(path, runner())
}

/// The same with other migrations than the program's own.
pub(super) fn migrate_with(path: &Path, runner: Runner) -> Result<()> {
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    connection.pragma_update(None, "foreign_keys", false)?;
    let found = found_version(&connection)?;
    let known = newest(&runner);
    if found > known {
        return Err(Error::Newer { found, known });
    }
    if found == known {
        return Ok(());
    }
    if found > 0 {
        let copy = backup_path(path, found);
        super::backup::copy(&connection, &copy)?;
        tracing::info!(
            from = found,
            to = known,
            "a backup was made before the migration"
        );
    }
    runner
        .set_abort_divergent(true)
        .set_abort_missing(true)
        .run(&mut connection)
        .map_err(|error| Error::Migration(error.to_string()))?;
    let broken: Option<String> = connection
        .query_row("PRAGMA foreign_key_check", [], |row| row.get(0))
        .optional()?;
    match broken {
        Some(table) => Err(Error::Migration(format!("rows of {table} point nowhere"))),
        None => Ok(()),
    }
}

fn backup_path(path: &Path, version: i64) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_os_string();
    name.push(format!("-before-migration-from-{version}.db"));
    path.with_file_name(name)
}
