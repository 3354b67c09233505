//! How commands speak: tables for people, one JSON document for programs, errors in three lines.

use std::io::{self, Write as _};

use anyhow::Context as _;
use clap::Args;

/// Whether to print for a person or a program.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Json {
    /// Print one JSON document
    #[arg(long)]
    pub(super) json: bool,
}

/// Prints a line to standard output.
pub(super) fn line(text: &str) -> anyhow::Result<()> {
    writeln!(io::stdout().lock(), "{text}").context("cannot write to standard output")
}

/// Prints a value as JSON to standard output.
pub(super) fn json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    line(&serde_json::to_string_pretty(value)?)
}

/// Prints rows in columns as wide as their widest cell.
pub(super) fn table(head: &[&str], rows: &[Vec<String>]) -> anyhow::Result<()> {
    let mut widths: Vec<usize> = head.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let print = |cells: &[String]| {
        let padded: Vec<String> = cells
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        line(padded.join("  ").trim_end())
    };
    print(
        &head
            .iter()
            .map(|cell| (*cell).to_uppercase())
            .collect::<Vec<_>>(),
    )?;
    rows.iter().try_for_each(|row| print(row))
}

/// A line for the person at the terminal, on standard error.
pub(super) fn say(text: &str) {
    // Nobody to tell when standard error is gone.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// What failed and why, on standard error.
pub(super) fn error(error: &anyhow::Error) {
    let mut causes = error.chain();
    if let Some(first) = causes.next() {
        say(&format!("mailhatch: {first}"));
    }
    for cause in causes {
        say(&format!("  because: {cause}"));
    }
}

/// A time as people at a terminal read it, or `never`.
pub(super) fn time(at: Option<i64>) -> String {
    at.and_then(|at| chrono::DateTime::from_timestamp(at, 0))
        .map_or_else(
            || "never".to_owned(),
            |at| at.format("%Y-%m-%d %H:%M:%S UTC").to_string(),
        )
}
