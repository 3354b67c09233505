//! `mailhatch mailbox …`: the state of mailboxes, and a sync by hand.

use anyhow::Context as _;
use clap::Subcommand;
use serde::Serialize;

use super::output::{self, Json};
use crate::model::{Backfill, FolderRole, Mailbox};
use crate::problem::Problem;
use crate::store::{self, backfills, folders, mailboxes};
use crate::work::wake::Wake;
use crate::work::{PollStep, Poller, Services, poll_step};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List mailboxes: status, cursor, last sync, lag, older mail being fetched, problem
    List(Json),
    /// Look for mail in one mailbox now
    Sync {
        /// The mailbox's address
        address: String,
    },
}

pub(super) fn run(command: &Command) -> anyhow::Result<()> {
    let services = super::services()?;
    match command {
        Command::List(format) => list(&services, *format),
        Command::Sync { address } => sync(&services, address),
    }
}

#[derive(Serialize)]
struct State {
    address: String,
    name: String,
    status: String,
    way_out: String,
    uid_validity: Option<u32>,
    next_uid: Option<u32>,
    last_sync_at: Option<i64>,
    lag_seconds: Option<i64>,
    problem: Option<Problem>,
    send_problem: Option<Problem>,
    backfill: Option<Backfill>,
}

impl State {
    /// The older mail that is being fetched, in few words.
    fn older(&self) -> String {
        self.backfill.as_ref().map_or_else(
            || "-".to_owned(),
            |backfill| {
                let (total, left) = (backfill.total(), backfill.left());
                format!("{} {}/{total}", backfill.state, total.saturating_sub(left))
            },
        )
    }
}

fn state(services: &Services, mailbox: Mailbox) -> store::Result<State> {
    let inbox = services
        .store
        .read(|db| folders::find_by_role(db, mailbox.id, FolderRole::Inbox))?;
    let cursor = inbox.and_then(|folder| folder.cursor);
    let backfill = services
        .store
        .read(|db| backfills::find_newest(db, mailbox.id))?;
    Ok(State {
        backfill: backfill.filter(Backfill::is_under_way),
        status: mailbox.status.to_string(),
        way_out: mailbox.way_out.to_string(),
        uid_validity: cursor.map(|cursor| cursor.uid_validity),
        next_uid: cursor.map(|cursor| cursor.next_uid),
        lag_seconds: mailbox
            .last_sync_at
            .map(|at| services.clock.now().saturating_sub(at)),
        last_sync_at: mailbox.last_sync_at,
        address: mailbox.address,
        name: mailbox.name,
        problem: mailbox.problem,
        send_problem: mailbox.send_problem,
    })
}

fn list(services: &Services, format: Json) -> anyhow::Result<()> {
    let mailboxes = services.store.read(mailboxes::list)?;
    let states: Vec<State> = mailboxes
        .into_iter()
        .map(|mailbox| state(services, mailbox))
        .collect::<store::Result<_>>()?;
    if format.json {
        return output::json(&states);
    }
    let rows: Vec<Vec<String>> = states
        .iter()
        .map(|state| {
            let cursor = match (state.uid_validity, state.next_uid) {
                (Some(validity), Some(next)) => format!("{validity}:{next}"),
                _ => "-".to_owned(),
            };
            let problem = state.problem.as_ref().or(state.send_problem.as_ref());
            vec![
                state.address.clone(),
                state.status.clone(),
                state.way_out.clone(),
                cursor,
                output::time(state.last_sync_at),
                state.older(),
                problem.map_or_else(|| "-".to_owned(), |problem| problem.sentence.clone()),
            ]
        })
        .collect();
    output::table(
        &[
            "address",
            "status",
            "way out",
            "cursor",
            "last sync",
            "older mail",
            "problem",
        ],
        &rows,
    )
}

fn sync(services: &Services, address: &str) -> anyhow::Result<()> {
    let mailbox = services
        .store
        .read(|db| mailboxes::find_by_address(db, address))?
        .with_context(|| format!("there is no mailbox {address}; see `mailhatch mailbox list`"))?;
    output::say(&format!("Looking for mail in {}…", mailbox.address));
    match poll_step(
        services,
        &mut Poller::default(),
        mailbox.id,
        &Wake::default(),
    ) {
        PollStep::Synced(count) => output::line(&format!("{count} new messages.")),
        PollStep::Resting => anyhow::bail!(
            "{address} does not receive now (status {}); finish setting it up, or resume it, on its page",
            mailbox.status
        ),
        PollStep::CutShort => Ok(()),
        PollStep::Failed(problem) => Err(problem.into()),
    }
}
