//! `mailhatch ledger`: fates counted per folder against the server's own list, and what became of one mail.

use std::process::ExitCode;

use serde::Serialize;

use super::output;
use crate::model::{
    FateCount, FateRow, Folder, LedgerCheck, Mailbox, Trace, Traced, bare_message_id,
};
use crate::store::fates::Needing;
use crate::store::{self, Db, fates, folders, ledger_checks, mailboxes, traces};

/// Most rows that need a person printed of one folder.
const ROWS: u32 = 100;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Only this mailbox
    address: Option<String>,
    /// Say what became of the mail with this Message-ID instead
    #[arg(long, value_name = "ID")]
    message_id: Option<String>,
    #[command(flatten)]
    format: output::Json,
}

#[derive(Serialize)]
struct FolderLedger {
    mailbox: String,
    folder: String,
    uid_validity: Option<u32>,
    first_uid: u32,
    next_uid: Option<u32>,
    server_count: Option<i64>,
    fates: Vec<FateCount>,
    needs_person: Vec<FateRow>,
    needs_person_count: i64,
    check: Option<LedgerCheck>,
}

impl FolderLedger {
    /// What the last comparison found; none when its UIDs have changed meaning since.
    fn compared(&self) -> Option<(i64, &crate::model::Comparison)> {
        let (at, found) = self.check.as_ref()?.last.as_ref()?;
        (self.uid_validity == Some(found.uid_validity)).then_some((*at, found))
    }

    fn is_clean(&self) -> bool {
        let agrees = self.compared().is_none_or(|(_, found)| found.agrees());
        self.needs_person_count == 0 && agrees
    }
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let services = super::services()?;
    let address = arguments.address.as_deref();
    let ledgers = services.store.read(|db| collect(db, address))?;
    if let Some(address) = address {
        anyhow::ensure!(
            !ledgers.is_empty(),
            "there is no ledger of a mailbox {address} yet"
        );
    }
    if let Some(text) = &arguments.message_id {
        let Some(id) = bare_message_id(text) else {
            anyhow::bail!("{text:?} is no Message-ID; it looks like 1234@mail.example");
        };
        let mut found = services.store.read(|db| traces::list(db, &id))?;
        found.retain(|trace| address.is_none_or(|a| a.eq_ignore_ascii_case(&trace.mailbox)));
        return tell(&found, &ledgers, arguments.format.json);
    }
    if arguments.format.json {
        output::json(&ledgers)?;
    } else {
        print(&ledgers)?;
    }
    Ok(status(ledgers.iter().all(FolderLedger::is_clean)))
}

fn status(good: bool) -> ExitCode {
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn collect(db: &Db, address: Option<&str>) -> store::Result<Vec<FolderLedger>> {
    let wanted =
        |mailbox: &Mailbox| address.is_none_or(|a| a.eq_ignore_ascii_case(&mailbox.address));
    let mut ledgers = Vec::new();
    for mailbox in mailboxes::list(db)?.into_iter().filter(wanted) {
        for folder in folders::list(db, mailbox.id)? {
            ledgers.push(ledger(db, &mailbox, folder)?);
        }
    }
    Ok(ledgers)
}

fn ledger(db: &Db, mailbox: &Mailbox, folder: Folder) -> store::Result<FolderLedger> {
    let uid_validity = folder.cursor.map(|cursor| cursor.uid_validity);
    let needs_person = match uid_validity {
        None => Vec::new(),
        Some(validity) => {
            fates::list_needing_person(db, folder.id, validity, Needing::default(), ROWS)?
        }
    };
    Ok(FolderLedger {
        mailbox: mailbox.address.clone(),
        uid_validity,
        next_uid: folder.cursor.map(|cursor| cursor.next_uid),
        first_uid: folder.first_uid,
        server_count: folder.server_count,
        fates: fates::count(db, folder.id)?,
        needs_person,
        needs_person_count: fates::count_needing_person(db, folder.id)?.0,
        check: ledger_checks::find(db, folder.id)?,
        folder: folder.name,
    })
}

fn print(ledgers: &[FolderLedger]) -> anyhow::Result<()> {
    for ledger in ledgers {
        let total: i64 = ledger.fates.iter().map(|fate| fate.count).sum();
        let server = ledger
            .server_count
            .map_or_else(|| "unknown".to_owned(), |n| n.to_string());
        output::line(&format!(
            "{} / {}: {total} messages seen from UID {} on, the server counted {server}",
            ledger.mailbox, ledger.folder, ledger.first_uid
        ))?;
        for fate in &ledger.fates {
            output::line(&format!("  {:>8}  {}", fate.count, fate.fate))?;
        }
        output::line(&format!("  {}", compared(ledger)))?;
        if let Some(recovered) = ledger.check.as_ref().and_then(|c| c.recovered.as_ref()) {
            let at = output::time(Some(recovered.at));
            output::line(&format!("  {} {at}", recovered.words()))?;
        }
        for row in &ledger.needs_person {
            output::line(&format!("  UID {}: {}. {}", row.uid, row.fate, row.detail))?;
        }
        if ledger.needs_person_count > i64::from(ROWS) {
            let all = ledger.needs_person_count;
            output::line(&format!("  … {all} messages need a person in all"))?;
        }
    }
    Ok(())
}

/// How a folder stands against its server, as it was found last, and when it is looked at next.
fn compared(ledger: &FolderLedger) -> String {
    let next = ledger.check.as_ref().map_or_else(String::new, |check| {
        format!(" Next comparison {}.", output::time(Some(check.due_at)))
    });
    match ledger.compared() {
        None => format!("Not compared with the server by UID yet.{next}"),
        Some((at, found)) => {
            let at = output::time(Some(at));
            let words = format!("{} {}", found.verdict(), found.besides());
            format!("{} Compared {at}.{next}", words.trim_end())
        }
    }
}

/// What became of one mail.
fn tell(found: &[Trace], ledgers: &[FolderLedger], json: bool) -> anyhow::Result<ExitCode> {
    if json {
        output::json(&found)?;
        return Ok(status(!found.is_empty()));
    }
    for trace in found {
        for line in lines(trace) {
            output::line(&format!("{}: {line}", trace.mailbox))?;
        }
    }
    if found.is_empty() {
        output::line("Nobody saw a mail with this Message-ID here.")?;
        for ledger in ledgers {
            let (mailbox, folder) = (&ledger.mailbox, &ledger.folder);
            output::line(&format!("{mailbox} / {folder}: {}", compared(ledger)))?;
        }
        output::line(
            "If a folder agrees with its server, the mail has not reached it: look in Junk Email and the other folders, or run a message trace in Exchange.",
        )?;
    }
    Ok(status(!found.is_empty()))
}

fn lines(trace: &Trace) -> Vec<String> {
    match &trace.what {
        Traced::Message(message) => {
            let finished = message.delivery.as_ref().and_then(|d| d.finished_at);
            let at = output::time(Some(finished.unwrap_or(message.created_at)));
            let number = message.conversation_id;
            let mut lines = vec![format!("{} {at}, conversation {number}", message.words())];
            for seen in &message.sightings {
                lines.push(format!(
                    "{} {}",
                    seen.words(),
                    output::time(Some(seen.seen_at))
                ));
            }
            lines
        }
        Traced::Fate { folder, row } => vec![format!(
            "{} {} {folder}, UID {}, {}",
            row.words(),
            row.detail,
            row.uid,
            output::time(Some(row.seen_at))
        )],
        Traced::Mentioned { conversation_id } => vec![format!(
            "The mail itself was not seen here; messages of conversation {conversation_id} refer to it."
        )],
    }
}
