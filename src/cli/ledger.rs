//! `mailhatch ledger`: fates counted per folder against the server's own count.

use std::process::ExitCode;

use serde::Serialize;

use super::output;
use crate::model::{FateCount, FateRow, Folder, Mailbox};
use crate::store::{self, Db, fates, folders, mailboxes};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Only this mailbox
    address: Option<String>,
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
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let services = super::services()?;
    let ledgers = services
        .store
        .read(|db| collect(db, arguments.address.as_deref()))?;
    if let Some(address) = &arguments.address {
        anyhow::ensure!(
            !ledgers.is_empty(),
            "there is no ledger of a mailbox {address} yet"
        );
    }
    if arguments.format.json {
        output::json(&ledgers)?;
    } else {
        print(&ledgers)?;
    }
    let clean = ledgers.iter().all(|ledger| ledger.needs_person.is_empty());
    Ok(if clean {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
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
    Ok(FolderLedger {
        mailbox: mailbox.address.clone(),
        uid_validity: folder.cursor.map(|cursor| cursor.uid_validity),
        next_uid: folder.cursor.map(|cursor| cursor.next_uid),
        first_uid: folder.first_uid,
        server_count: folder.server_count,
        fates: fates::count(db, folder.id)?,
        needs_person: fates::list_needing_person(db, folder.id, 100)?,
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
        for row in &ledger.needs_person {
            output::line(&format!("  UID {}: {}. {}", row.uid, row.fate, row.detail))?;
        }
    }
    Ok(())
}
