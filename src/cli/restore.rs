//! `mailhatch restore FILE`: a backup in the place of the database.

use std::path::Path;

use super::output;
use crate::app;
use crate::clock::Clock;
use crate::config::Config;
use crate::store::backup;

pub(super) fn run(file: &Path) -> anyhow::Result<()> {
    let config = Config::from_process()?;
    let database = config.database();
    std::fs::create_dir_all(&config.data_dir)?;
    let _held = app::lock(&config.data_dir)?;
    output::say(&format!("Checking {}…", file.display()));
    let kept = backup::restore(file, &database, Clock::System.now())?;
    app::give_to_owner_of(&config.data_dir, &database)?;
    output::line(&format!(
        "{} is restored from {}.",
        database.display(),
        file.display()
    ))?;
    if let Some(kept) = kept {
        output::line(&format!(
            "The replaced database is kept as {}.",
            kept.display()
        ))?;
    }
    output::say("Start the service now; mail that arrived since the backup is fetched again.");
    Ok(())
}
