//! `mailhatch check`: the invariants of the database in words.

use std::process::ExitCode;

use super::output::{self, Json};
use crate::store::check;

pub(super) fn run(format: Json) -> anyhow::Result<ExitCode> {
    let services = super::services()?;
    let broken = services.store.read(check::run)?;
    if format.json {
        output::json(&serde_json::json!({ "broken": broken }))?;
    } else if broken.is_empty() {
        output::line("All invariants hold.")?;
    } else {
        broken.iter().try_for_each(|line| output::line(line))?;
        output::say(
            "Restore the newest backup with `mailhatch restore`, and report what is broken.",
        );
    }
    Ok(if broken.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
