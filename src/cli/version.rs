//! `mailhatch version`.

use super::output;
use crate::store;

pub(super) fn run() -> anyhow::Result<()> {
    output::line(&format!(
        "mailhatch {}\ncommit {}\nSQLite {}",
        env!("CARGO_PKG_VERSION"),
        option_env!("MAILHATCH_COMMIT").unwrap_or("unknown"),
        store::sqlite_version()
    ))
}
