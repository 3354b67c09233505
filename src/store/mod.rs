//! The only door to the database: one writer, several readers, one SQLite file.
//!
//! `store.write(|tx| …)` and `store.read(|db| …)` are the only ways in. A closure does no I/O of its
//! own, so the writer is never held across a network call. Every committed write rings a bell
//! ([`Store::changes`]); whoever hears it asks the store what is new.

pub mod agents;
pub mod alerts;
pub mod attachments;
pub mod backfills;
pub mod backup;
pub mod check;
pub mod contacts;
pub mod conversations;
pub mod credentials;
pub mod deliveries;
pub mod derived;
mod error;
pub mod events;
pub mod fates;
pub mod folders;
pub mod inbox;
pub mod ledger_checks;
pub mod mailboxes;
pub mod messages;
mod migrate;
pub mod notes;
pub mod oauth_flows;
mod packed;
pub mod picture_senders;
pub mod results;
mod rows;
pub mod search;
pub mod sessions;
pub mod settings;
pub mod sign_in_failures;
pub mod threads;
pub mod traces;
pub mod views;
pub mod write_backs;

use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use tokio::sync::watch;

pub use error::{Error, Result};

/// A connection that may only be read from.
pub type Db = Connection;
/// A write transaction; whatever takes a [`Db`] takes it too.
pub type Tx<'a> = rusqlite::Transaction<'a>;

/// Connections for reading; SQLite readers do not wait for the writer in WAL mode.
const READERS: usize = 4;
/// How long a reader may be waited for.
const READER_WAIT: Duration = Duration::from_secs(10);

/// The open database.
pub struct Store {
    path: PathBuf,
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
    reader_free: Condvar,
    changes: watch::Sender<u64>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the database at `path`, makes it if need be, and brings its schema up to date; before
    /// pending migrations of an existing file a backup is put beside it.
    ///
    /// # Errors
    /// When the file is newer than the program, damaged, or cannot be written.
    pub fn open(path: &Path) -> Result<Self> {
        migrate::migrate(path)?;
        let writer = open_writer(path)?;
        let readers = (0..READERS)
            .map(|_| open_reader(path))
            .collect::<Result<Vec<_>>>()?;
        Ok(Self {
            path: path.to_owned(),
            writer: Mutex::new(writer),
            readers: Mutex::new(readers),
            reader_free: Condvar::new(),
            changes: watch::Sender::new(0),
        })
    }

    /// Where the database file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs `work` in a write transaction: all of it is durable when this returns `Ok`, none of it
    /// happened otherwise.
    ///
    /// # Errors
    /// Those of `work`, and those of SQLite.
    pub fn write<T, E: From<Error>>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let mut connection = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let tx = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(Error::from)?;
        let value = work(&tx)?;
        tx.commit().map_err(Error::from)?;
        drop(connection);
        self.changes
            .send_modify(|count| *count = count.wrapping_add(1));
        Ok(value)
    }

    /// Runs `work` on a reader, which sees the last committed state as of its first query.
    ///
    /// # Errors
    /// Those of `work`, and [`Error::Busy`] when no reader came free in time.
    pub fn read<T, E: From<Error>>(
        &self,
        work: impl FnOnce(&Db) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let reader = self.take_reader()?;
        let lease = Lease {
            store: self,
            reader: Some(reader),
        };
        match lease.reader.as_ref() {
            Some(db) => {
                // One snapshot for all queries of a page.
                db.execute_batch("BEGIN").map_err(Error::from)?;
                work(db)
            }
            None => Err(Error::Busy.into()),
        }
    }

    fn take_reader(&self) -> Result<Connection> {
        let pool = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut pool, _) = self
            .reader_free
            .wait_timeout_while(pool, READER_WAIT, |pool| pool.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        // Last in, first out: the warmest page cache is used most.
        pool.pop().ok_or(Error::Busy)
    }

    /// Rings after every committed write. The number only grows; what changed is in the store.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Folds the write-ahead log into the file, so that copying the one file is a whole backup.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn checkpoint(&self) -> Result<()> {
        let connection = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }

    /// Bytes of the database file with its log.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |found| found.len());
        let mut log = self.path.clone().into_os_string();
        log.push("-wal");
        size(&self.path).saturating_add(size(Path::new(&log)))
    }
}

/// Version of the SQLite that is built in.
#[must_use]
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}

/// Gives a reader back, whatever happened to the closure that had it.
struct Lease<'a> {
    store: &'a Store,
    reader: Option<Connection>,
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if let Some(reader) = self.reader.take() {
            if !reader.is_autocommit() && reader.execute_batch("ROLLBACK").is_err() {
                tracing::warn!("a database reader could not end its snapshot");
            }
            self.store
                .readers
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(reader);
            self.store.reader_free.notify_one();
        }
    }
}

/// Pragmas that hold for every connection.
fn common_pragmas(connection: &Connection) -> Result<()> {
    // Waits rather than fails when another process (a backup command) holds a lock.
    connection.busy_timeout(Duration::from_secs(10))?;
    // Rows are named in foreign keys so that a forgotten clean-up is an error, not a leak.
    connection.pragma_update(None, "foreign_keys", true)?;
    // Sorting never writes to the disk's temporary folder.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -4_000)?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(())
}

fn open_writer(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path)?;
    // Readers go on while we write.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    common_pragmas(&connection)?;
    // The log is cut back after a large import.
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    // 16 MB rather than 4: folding the log in waits for the disk twice each time, and pages that an import
    // changes again and again are written once.
    connection.pragma_update(None, "wal_autocheckpoint", 4_000)?;
    // FULL: once we have told a person "queued", or moved a cursor past a message, a power cut must
    // not undo it. Batches make it cheap.
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(connection)
}

fn open_reader(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    common_pragmas(&connection)?;
    // A page cannot write by mistake.
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

#[cfg(test)]
mod tests;
