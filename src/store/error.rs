//! What can go wrong with the database, and what it means.

use crate::problem::{Disposition, Problem};
use crate::secret::SecretError;

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// SQLite refused.
    #[error("database: {0}")]
    Sql(#[from] rusqlite::Error),
    /// A stored secret does not open.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The file was written by a newer program.
    #[error(
        "the database has schema {found}, this program knows up to {known}: it was written by a newer version. Install that version again, or restore a backup made with this one"
    )]
    Newer {
        /// Schema of the file.
        found: i64,
        /// Newest schema this program knows.
        known: i64,
    },
    /// A migration could not be applied.
    #[error("the database could not be brought up to date: {0}")]
    Migration(String),
    /// A stored value is not what the program writes.
    #[error("the database holds an unexpected value: {0}")]
    Value(String),
    /// All readers stayed busy.
    #[error("the database did not answer in time")]
    Busy,
    /// A file beside the database could not be used.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
}

/// Result of store functions.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Whether a unique or check constraint refused the change.
    #[must_use]
    pub fn is_constraint(&self) -> bool {
        matches!(self, Self::Sql(rusqlite::Error::SqliteFailure(cause, _))
            if cause.code == rusqlite::ErrorCode::ConstraintViolation)
    }

    /// Whether the database or its disk is at fault, so that the same work may succeed later, rather
    /// than something in the work itself.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        use rusqlite::ErrorCode as Code;
        match self {
            Self::Sql(rusqlite::Error::SqliteFailure(cause, _)) => matches!(
                cause.code,
                Code::DatabaseBusy
                    | Code::DatabaseLocked
                    | Code::DatabaseCorrupt
                    | Code::DiskFull
                    | Code::ReadOnly
                    | Code::SystemIoFailure
                    | Code::CannotOpen
                    | Code::NotADatabase
                    | Code::OutOfMemory
                    | Code::PermissionDenied
            ),
            Self::Busy | Self::Io { .. } | Self::Newer { .. } | Self::Migration(_) => true,
            Self::Sql(_) | Self::Secret(_) | Self::Value(_) => false,
        }
    }

    /// The failure as told to a person.
    #[must_use]
    pub fn to_problem(&self) -> Problem {
        use rusqlite::ErrorCode::{
            DatabaseBusy, DatabaseCorrupt, DiskFull, NotADatabase, ReadOnly, SystemIoFailure,
        };
        let code = match self {
            Self::Sql(rusqlite::Error::SqliteFailure(cause, _)) => Some(cause.code),
            _ => None,
        };
        let retry = Disposition::RetryAfter { seconds: 30 };
        let problem = match code {
            Some(DiskFull) => Problem::new(
                "disk_full",
                retry,
                "The disk is full. No new mail is taken until there is room; nothing taken is lost.",
                "Free space on the disk that holds the data folder; work goes on by itself.",
            ),
            Some(ReadOnly) => Problem::new(
                "database_read_only",
                retry,
                "The database cannot be written to.",
                "Check the owner and the mount of the data folder: the service's user must be able to write there.",
            ),
            Some(DatabaseCorrupt | NotADatabase) => Problem::new(
                "database_corrupt",
                Disposition::NeedsAdmin,
                "The database file is damaged.",
                "Stop the service and restore the newest backup with `mailhatch restore`; mail since then is fetched again.",
            ),
            Some(SystemIoFailure) => Problem::new(
                "disk_error",
                retry,
                "The disk reported an error while the database was used.",
                "Look at the system log for disk errors; move the data folder if the disk is failing.",
            ),
            Some(DatabaseBusy) => Problem::new(
                "database_busy",
                retry,
                "The database was busy for too long.",
                "Nothing, unless it lasts: then see whether another program has the database open.",
            ),
            _ => Problem::new(
                "database_error",
                retry,
                "The database refused a change.",
                "It is tried again; if it stays, run `mailhatch doctor` and report what it says.",
            ),
        };
        problem.with_detail(self.to_string())
    }
}
