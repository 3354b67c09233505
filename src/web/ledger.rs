//! What became of each message the servers hold: fates by folder against the server's own count, and
//! the messages that need a person.

use actix_web::HttpResponse;
use askama::Template;

use super::context::Shared;
use super::error::Error;
use super::flash::Flash;
use super::folders::FolderRow;
use super::forms::Posted;
use super::mailbox_words as words;
use super::page::{self, Here, Page, go_saying};
use super::session::Admin;
use crate::model::{FateRow, FolderId, Mailbox, MailboxId};
use crate::store::{self, Db};

const PATH: &str = "/admin/ledger";
/// Most messages listed of one folder.
const ROWS: u32 = 100;

struct Section {
    mailbox: Mailbox,
    folders: Vec<(FolderRow, Vec<FateRow>)>,
}

impl Section {
    fn load(db: &Db, mailbox: &Mailbox) -> Result<Self, Error> {
        let folders = FolderRow::list(db, mailbox.id)?
            .into_iter()
            .map(|row| {
                let mut rows = store::fates::list_needing_person(db, row.folder.id, ROWS)?;
                // After its UIDs have changed meaning, a folder cannot be asked for the old ones.
                let validity = row.folder.cursor.map(|cursor| cursor.uid_validity);
                rows.retain(|fate| Some(fate.uid_validity) == validity);
                Ok((row, rows))
            })
            .collect::<Result<_, Error>>()?;
        Ok(Self {
            mailbox: mailbox.clone(),
            folders,
        })
    }
}

#[derive(Template)]
#[template(path = "ledger/index.html")]
struct Index {
    page: Page,
    sections: Vec<Section>,
}

impl Index {
    fn needing_person(&self) -> bool {
        self.sections
            .iter()
            .flat_map(|section| &section.folders)
            .any(|(_, rows)| !rows.is_empty())
    }

    /// A try has been asked for and not been made yet.
    fn is_asked_for(&self, row: &FateRow) -> bool {
        row.retry_at.is_some_and(|at| at <= self.page.now)
    }

    fn is_cut_off(rows: &[FateRow]) -> bool {
        u32::try_from(rows.len()).is_ok_and(|count| count >= ROWS)
    }
}

/// `GET /admin/ledger`
///
/// # Errors
/// Those of the store.
pub(super) async fn index(context: Shared, admin: Admin) -> Result<HttpResponse, Error> {
    let shared = context.clone();
    let index = context
        .read(move |db| {
            let page = Page::load(db, &shared, &admin, "Ledger", Here::section("ledger"))?;
            let sections = page
                .mailboxes
                .iter()
                .map(|mailbox| Section::load(db, mailbox))
                .collect::<Result<_, Error>>()?;
            Ok(Index { page, sections })
        })
        .await?;
    page::show(&index)
}

/// `POST /admin/ledger/retries`: asks the server again for one message, or without a UID for all that
/// need a person in a folder.
///
/// # Errors
/// Those of the store.
pub(super) async fn retry(
    context: Shared,
    admin: Admin,
    form: Posted,
) -> Result<HttpResponse, Error> {
    let number = |name: &str| form.fields.get(name).parse::<i64>().ok();
    let missing =
        || Error::BadRequest("The form does not say which message to try again.".to_owned());
    let folder_id = FolderId(number("folder").ok_or_else(missing)?);
    let mailbox_id = MailboxId(number("mailbox").ok_or_else(missing)?);
    let one = match (number("uid_validity"), number("uid")) {
        (Some(validity), Some(uid)) => Some((
            u32::try_from(validity).map_err(|_| missing())?,
            u32::try_from(uid).map_err(|_| missing())?,
        )),
        _ => None,
    };
    let now = context.now();
    let asked = context
        .store(move |store| {
            store.write(|tx| {
                let folders = store::folders::list(tx, mailbox_id)?;
                if !folders.iter().any(|folder| folder.id == folder_id) {
                    return Err(Error::NotFound("folder"));
                }
                let rows = store::fates::list_needing_person(tx, folder_id, ROWS)?;
                let wanted = rows
                    .iter()
                    .filter(|row| one.is_none_or(|one| one == (row.uid_validity, row.uid)));
                let mut asked = 0;
                for row in wanted {
                    store::fates::update_retry(tx, folder_id, row.uid_validity, row.uid, now)?;
                    asked += 1;
                }
                Ok(asked)
            })
        })
        .await?;
    let flash = match asked {
        0 => Flash::bad("This message no longer needs a try: it has been taken meanwhile."),
        1 => Flash::good("The server is asked for this message again."),
        count => Flash::good(format!(
            "The server is asked for these {count} messages again."
        )),
    };
    tracing::info!(
        agent.id = admin.agent.id.0,
        folder.id = folder_id.0,
        asked,
        "messages are tried again"
    );
    context.services.work.wake_poller(mailbox_id);
    Ok(go_saying(&context, PATH, &flash))
}
