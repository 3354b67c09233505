//! All messages of one folder that need a person, a page at a time.

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;

use super::super::context::Shared;
use super::super::error::Error;
use super::super::folders::FolderRow;
use super::super::mailbox_words as words;
use super::super::page::{self, Here, Page};
use super::super::session::Admin;
use super::{is_asked_for, needing_person};
use crate::model::{FateRow, FolderId, Mailbox, MailboxId};
use crate::store::fates::Needing;

/// Rows on a page.
const ROWS: u32 = 50;

/// What the address must and may carry.
#[derive(Debug, serde::Deserialize)]
pub(in crate::web) struct Wish {
    mailbox: i64,
    folder: i64,
    /// `dismissed`: those of which a person has said that they are fine.
    #[serde(default)]
    show: String,
    /// The UID of the last row of the page before.
    #[serde(default)]
    below: Option<u32>,
}

#[derive(Template)]
#[template(path = "ledger/folder.html")]
struct Show {
    page: Page,
    mailbox: Mailbox,
    row: FolderRow,
    rows: Vec<FateRow>,
    which: Needing,
}

impl Show {
    fn address(&self, more: &str) -> String {
        let (mailbox, folder) = (self.mailbox.id, self.row.folder.id);
        format!("/admin/ledger/folder?mailbox={mailbox}&folder={folder}{more}")
    }

    fn older(&self) -> Option<String> {
        let is_full = u32::try_from(self.rows.len()).is_ok_and(|count| count >= ROWS);
        let last = self.rows.last().filter(|_| is_full)?;
        let show = if self.which.dismissed {
            "&show=dismissed"
        } else {
            ""
        };
        Some(self.address(&format!("{show}&below={}", last.uid)))
    }
}

/// `GET /admin/ledger/folder`
///
/// # Errors
/// Those of the store, and [`Error::NotFound`] for a folder that is not there.
pub(in crate::web) async fn folder(
    context: Shared,
    admin: Admin,
    wish: Query<Wish>,
) -> Result<HttpResponse, Error> {
    let shared = context.clone();
    let show = context
        .read(move |db| {
            let page = Page::load(db, &shared, &admin, "Ledger", Here::section("ledger"))?;
            let id = MailboxId(wish.mailbox);
            let mailbox = page.mailboxes.iter().find(|mailbox| mailbox.id == id);
            let mailbox = mailbox.cloned().ok_or(Error::NotFound("mailbox"))?;
            let row = FolderRow::list(db, id)?
                .into_iter()
                .find(|row| row.folder.id == FolderId(wish.folder))
                .ok_or(Error::NotFound("folder"))?;
            let which = Needing {
                dismissed: wish.show == "dismissed",
                below_uid: wish.below,
            };
            let rows = needing_person(db, &row, which, ROWS)?;
            Ok(Show {
                page,
                mailbox,
                row,
                rows,
                which,
            })
        })
        .await?;
    page::show(&show)
}
