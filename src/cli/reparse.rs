//! `mailhatch reparse`: reads stored mail again, so that what an upgrade reads better shows at once. The
//! service does the same by itself, a little at a time; both may run together.

use super::output;
use crate::work::reparse::{self, thousands};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Read all mail again, also what this version has read already
    #[arg(long)]
    all: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let services = super::services()?;
    let changed = reparse::all(&services, arguments.all, output::say)?;
    output::line(&match changed {
        0 => "All stored mail is read by this version; nothing changed.".to_owned(),
        1 => "Done: 1 message reads otherwise now.".to_owned(),
        more => format!("Done: {} messages read otherwise now.", thousands(more)),
    })
}
