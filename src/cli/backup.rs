//! `mailhatch backup FILE`: a verified copy of the database while the program runs.

use std::path::Path;

use super::output;
use crate::config::Config;
use crate::store::backup;

pub(super) fn run(file: &Path) -> anyhow::Result<()> {
    let config = Config::from_process()?;
    let database = config.database();
    anyhow::ensure!(
        database.exists(),
        "there is no database at {}; set MAILHATCH_DATA_DIR",
        database.display()
    );
    output::say(&format!(
        "Copying {} and checking the copy…",
        database.display()
    ));
    backup::backup_file(&database, file)?;
    let size = std::fs::metadata(file)?.len();
    output::line(&format!("Wrote {} ({size} bytes).", file.display()))?;
    output::say(&format!(
        "Keep the sealing key as well, apart from the backup: {}.",
        config.key_file.display()
    ));
    Ok(())
}
