//! The command line: one file per subcommand. Results go to standard output, all else to standard
//! error. Exit status: 0 done, 1 failed, 2 bad usage or bad configuration.

mod agent;
mod backup;
mod check;
mod demo;
mod doctor;
mod ledger;
mod mailbox;
mod outbox;
mod output;
mod parse;
mod reparse;
mod restore;
mod serve;
mod version;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};

use crate::app;
use crate::clock::Clock;
use crate::config::{Config, ConfigError};
use crate::work::Services;

pub use parse::reading_as_json;

/// A shared inbox for Outlook and Microsoft 365 mailboxes.
#[derive(Debug, Parser)]
#[command(name = "mailhatch", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the appliance: pages, pollers, senders, housekeeping
    Serve,
    /// Run the whole appliance against a built-in pretend Microsoft 365, without configuration
    Demo(demo::Arguments),
    /// Make every check an operator would make by hand; each failing line says the remedy
    Doctor(output::Json),
    /// Manage the people who sign in
    #[command(subcommand)]
    Agent(agent::Command),
    /// Show and look after mailboxes
    #[command(subcommand)]
    Mailbox(mailbox::Command),
    /// Count what became of each message against the server's own count
    Ledger(ledger::Arguments),
    /// List the replies that have not left, with the server's words
    Outbox(output::Json),
    /// Print how the program reads one message, as JSON
    Parse {
        /// The message, as a file
        file: PathBuf,
    },
    /// Read stored mail again where an older version read it; the service may run meanwhile
    Reparse(reparse::Arguments),
    /// Check the invariants of the database
    Check(output::Json),
    /// Write a verified copy of the database to a new file, while the program runs
    Backup {
        /// The file to write; it must not exist
        file: PathBuf,
    },
    /// Put a backup in the place of the database; the replaced file is kept. Stop the service first
    Restore {
        /// The backup
        file: PathBuf,
    },
    /// Print version, commit and SQLite version
    Version,
}

/// Runs the command that the process's arguments name.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are answers, not mistakes.
            let code = if error.use_stderr() { 2 } else { 0 };
            return match error.print() {
                Ok(()) => ExitCode::from(code),
                Err(_) => ExitCode::FAILURE,
            };
        }
    };
    match run(arguments.command) {
        Ok(code) => code,
        Err(error) => {
            output::error(&error);
            let configuration = error.downcast_ref::<ConfigError>().is_some();
            ExitCode::from(if configuration { 2 } else { 1 })
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    let done = |()| ExitCode::SUCCESS;
    match command {
        Command::Serve => serve::run().map(done),
        Command::Demo(arguments) => demo::run(&arguments).map(done),
        Command::Doctor(format) => doctor::run(format),
        Command::Agent(command) => agent::run(command).map(done),
        Command::Mailbox(command) => mailbox::run(&command).map(done),
        Command::Ledger(arguments) => ledger::run(&arguments),
        Command::Outbox(format) => outbox::run(format).map(done),
        Command::Parse { file } => parse::run(&file).map(done),
        Command::Reparse(arguments) => reparse::run(&arguments).map(done),
        Command::Check(format) => check::run(format),
        Command::Backup { file } => backup::run(&file).map(done),
        Command::Restore { file } => restore::run(&file).map(done),
        Command::Version => version::run().map(done),
    }
}

/// The services, for a command that works on the same database as the running program.
fn services() -> anyhow::Result<Arc<Services>> {
    let config = Config::from_process()?;
    let database = config.database();
    anyhow::ensure!(
        database.exists(),
        "there is no database at {}; start the service once, or set MAILHATCH_DATA_DIR",
        database.display()
    );
    app::open(config, Clock::System)
}
