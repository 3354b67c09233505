//! `mailhatch agent …`: the people who sign in.

use std::io::{BufRead as _, IsTerminal as _};

use anyhow::Context as _;
use clap::Subcommand;

use super::output::{self, Json};
use crate::app;
use crate::clock::Clock;
use crate::config::Config;
use crate::model::{Agent, Role};
use crate::password;
use crate::secret::random_token;
use crate::store::{self, agents};
use crate::work::Services;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add a person; without --password-stdin a password is made and printed once
    Add {
        /// E-mail address to sign in with
        email: String,
        /// Name shown to colleagues and customers
        #[arg(long)]
        name: String,
        /// May also connect mailboxes and manage agents
        #[arg(long)]
        admin: bool,
        /// Read the password from standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// List everyone
    List(Json),
    /// Set a new password and end all sessions of a person
    ResetPassword {
        /// E-mail address
        email: String,
        /// Read the password from standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// Keep a person from signing in and end all their sessions
    Disable {
        /// E-mail address
        email: String,
    },
}

pub(super) fn run(command: Command) -> anyhow::Result<()> {
    // The first agent may be added before the program has ever run.
    let services = app::open(Config::from_process()?, Clock::System)?;
    match command {
        Command::Add {
            email,
            name,
            admin,
            password_stdin,
        } => {
            let role = if admin { Role::Admin } else { Role::Agent };
            add(&services, &email, &name, role, password_stdin)
        }
        Command::List(format) => list(&services, format),
        Command::ResetPassword {
            email,
            password_stdin,
        } => reset_password(&services, &email, password_stdin),
        Command::Disable { email } => disable(&services, &email),
    }
}

fn add(
    services: &Services,
    email: &str,
    name: &str,
    role: Role,
    stdin: bool,
) -> anyhow::Result<()> {
    anyhow::ensure!(
        email.contains('@') && !email.contains(char::is_whitespace),
        "{email} is not an e-mail address; give the address the person signs in with"
    );
    anyhow::ensure!(!name.trim().is_empty(), "--name must not be empty");
    let (password, made) = password(stdin)?;
    let hash = hash(&password)?;
    let now = services.clock.now();
    match services
        .store
        .write(|tx| agents::insert(tx, email, name, role, &hash, now))
    {
        Err(error) if error.is_constraint() => {
            anyhow::bail!(
                "{email} is taken; see `mailhatch agent list`, or use `mailhatch agent reset-password`"
            )
        }
        other => other?,
    };
    output::line(&format!("Added {email} ({role})."))?;
    tell_password(&password, made)
}

fn list(services: &Services, format: Json) -> anyhow::Result<()> {
    let agents = services.store.read(agents::list)?;
    if format.json {
        return output::json(&agents);
    }
    let rows: Vec<Vec<String>> = agents
        .into_iter()
        .map(|agent| {
            let state = if agent.disabled_at.is_some() {
                "disabled"
            } else {
                "active"
            };
            vec![
                agent.email,
                agent.name,
                agent.role.to_string(),
                state.to_owned(),
            ]
        })
        .collect();
    output::table(&["email", "name", "role", "state"], &rows)
}

fn reset_password(services: &Services, email: &str, stdin: bool) -> anyhow::Result<()> {
    let agent = find(services, email)?;
    let (password, made) = password(stdin)?;
    let hash = hash(&password)?;
    services
        .store
        .write(|tx| agents::update_password(tx, agent.id, &hash))?;
    output::line(&format!(
        "{email} has a new password; all sessions were ended."
    ))?;
    tell_password(&password, made)
}

fn disable(services: &Services, email: &str) -> anyhow::Result<()> {
    let agent = find(services, email)?;
    let now = services.clock.now();
    let last = services.store.write(|tx| {
        let last = agent.is_admin() && agents::count_active_admins(tx)? <= 1;
        if !last {
            agents::update_disabled(tx, agent.id, Some(now))?;
        }
        Ok::<_, store::Error>(last)
    })?;
    anyhow::ensure!(
        !last,
        "{email} is the only admin who can sign in; add another one first"
    );
    output::line(&format!(
        "{email} can no longer sign in; all sessions were ended."
    ))
}

fn find(services: &Services, email: &str) -> anyhow::Result<Agent> {
    services
        .store
        .read(|db| agents::find_by_email(db, email))?
        .map(|(agent, _)| agent)
        .with_context(|| format!("there is no agent {email}; see `mailhatch agent list`"))
}

/// The password to set and whether it was made here.
fn password(from_stdin: bool) -> anyhow::Result<(String, bool)> {
    if !from_stdin {
        return Ok((random_token().chars().take(20).collect(), true));
    }
    if std::io::stdin().is_terminal() {
        output::say("Type the password and press Enter:");
    }
    let mut text = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut text)
        .context("cannot read the password")?;
    Ok((text.trim_end_matches(['\r', '\n']).to_owned(), false))
}

fn hash(password: &str) -> anyhow::Result<String> {
    if let Some(mistake) = password::mistake(password) {
        anyhow::bail!("this password cannot be used: {mistake}");
    }
    password::hash(password)
        .map_err(|error| anyhow::anyhow!("the password cannot be hashed: {error}"))
}

fn tell_password(password: &str, made: bool) -> anyhow::Result<()> {
    if made {
        output::line(&format!("Password: {password}"))?;
    }
    Ok(())
}
