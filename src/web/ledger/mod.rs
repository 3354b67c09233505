//! What became of each message the servers hold: fates by folder against the server's own list, the
//! messages that need a person, and what became of one mail.

mod acts;
mod folder;

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;

pub(super) use acts::{check, dismiss, retry};
pub(super) use folder::folder;

use super::context::Shared;
use super::error::Error;
use super::folders::FolderRow;
use super::mailbox_words as words;
use super::page::{self, Here, Page};
use super::session::Admin;
use crate::model::{FateRow, Mailbox, Trace, Traced, bare_message_id};
use crate::store::fates::Needing;
use crate::store::{self, Db};

const PATH: &str = "/admin/ledger";
/// Messages of a folder that are listed here; its own page lists all.
const ROWS: u32 = 10;

/// What the address may carry.
#[derive(Debug, Default, serde::Deserialize)]
pub(super) struct Wish {
    #[serde(default)]
    message_id: String,
}

struct Section {
    mailbox: Mailbox,
    folders: Vec<(FolderRow, Vec<FateRow>)>,
}

impl Section {
    fn load(db: &Db, mailbox: &Mailbox) -> Result<Self, Error> {
        let folders = FolderRow::list(db, mailbox.id)?
            .into_iter()
            .map(|row| {
                let rows = needing_person(db, &row, Needing::default(), ROWS)?;
                Ok((row, rows))
            })
            .collect::<Result<_, Error>>()?;
        Ok(Self {
            mailbox: mailbox.clone(),
            folders,
        })
    }
}

/// Rows of a folder for its table.
fn needing_person(
    db: &Db,
    row: &FolderRow,
    which: Needing,
    limit: u32,
) -> Result<Vec<FateRow>, Error> {
    let Some(cursor) = row.folder.cursor else {
        return Ok(Vec::new());
    };
    let (id, validity) = (row.folder.id, cursor.uid_validity);
    Ok(store::fates::list_needing_person(
        db, id, validity, which, limit,
    )?)
}

/// What is known of a Message-ID.
struct Search {
    id: String,
    traces: Vec<Trace>,
}

#[derive(Template)]
#[template(path = "ledger/index.html")]
struct Index {
    page: Page,
    sections: Vec<Section>,
    search: Option<Search>,
}

impl Index {
    fn needing_person(&self) -> bool {
        self.sections
            .iter()
            .flat_map(|section| &section.folders)
            .any(|(row, _)| row.needing > 0)
    }

    fn is_more(row: &FolderRow, rows: &[FateRow]) -> bool {
        i64::try_from(rows.len()).is_ok_and(|listed| listed < row.needing)
    }
}

/// A try has been asked for and not been made yet.
fn is_asked_for(row: &FateRow, now: &i64) -> bool {
    row.retry_at.is_some_and(|at| at <= *now)
}

/// `GET /admin/ledger`
///
/// # Errors
/// Those of the store.
pub(super) async fn index(
    context: Shared,
    admin: Admin,
    wish: Query<Wish>,
) -> Result<HttpResponse, Error> {
    let id = bare_message_id(&wish.message_id);
    let shared = context.clone();
    let index = context
        .read(move |db| {
            let page = Page::load(db, &shared, &admin, "Ledger", Here::section("ledger"))?;
            let sections = page
                .mailboxes
                .iter()
                .map(|mailbox| Section::load(db, mailbox))
                .collect::<Result<_, Error>>()?;
            let search = match id {
                None => None,
                Some(id) => Some(Search {
                    traces: store::traces::list(db, &id)?,
                    id,
                }),
            };
            Ok(Index {
                page,
                sections,
                search,
            })
        })
        .await?;
    page::show(&index)
}
