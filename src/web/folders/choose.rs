//! The page on which an administrator chooses folders: which are watched, and which holds what was sent.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Path, Query};
use askama::Template;
use serde::Deserialize;

use super::Listings;
use super::write_back::is_target;
use crate::model::{
    Folder, FolderRole, Mailbox, MailboxId, MailboxStatus, TakeFrom, Word as _, WriteBackSettings,
    WriteBackState,
};
use crate::problem::Problem;
use crate::store::{self, Tx, folders::Watch};
use crate::web::context::Shared;
use crate::web::error::Error;
use crate::web::flash::Flash;
use crate::web::forms::{Fields, Posted};
use crate::web::mailboxes::find;
use crate::web::page::{self, Here, Page, go, go_saying};
use crate::web::session::Admin;
use crate::work::connect;
use crate::work::folders::{Listed, Purpose};

/// Most further folders of a mailbox: each is looked into at every look for mail.
const WATCHED_MAX: usize = 20;
/// Proposed for "the last so many days".
const DAYS: &str = "30";

/// One folder of the tree.
struct Row {
    listed: Listed,
    /// What we know of it.
    known: Option<Folder>,
    /// Its box is ticked.
    ticked: bool,
}

impl Row {
    /// Read in any case, or never: there is nothing to choose.
    fn fixed(&self) -> Option<&'static str> {
        match (&self.known, self.listed.purpose) {
            (_, Purpose::Inbox) => Some("Always read"),
            (Some(known), _) if known.role == FolderRole::Sent && known.watched => {
                Some("Read for what was sent")
            }
            (_, Purpose::Drafts) => Some("Unfinished mail, never read"),
            _ => None,
        }
    }

    /// How deep it stands, as far as there is room.
    fn depth(&self) -> usize {
        self.listed.depth.min(5)
    }

    fn hint(&self) -> &'static str {
        match self.listed.purpose {
            Purpose::Junk => {
                "What begins here stands under Spam until somebody says otherwise; an answer in an open conversation shows there."
            }
            _ => "",
        }
    }
}

#[derive(Template)]
#[template(path = "folders/index.html")]
pub(super) struct Index {
    page: Page,
    mailbox: Mailbox,
    rows: Vec<Row>,
    /// Watched, and not in the mailbox any more.
    missing: Vec<Folder>,
    sent: Option<Folder>,
    /// Why the server could not be asked.
    problem: Option<Problem>,
    take_from: String,
    days: String,
    mistake: String,
    writing: WriteBackSettings,
    write_backs: WriteBackState,
}

impl Index {
    fn is_chosen(&self, word: &str) -> bool {
        self.take_from == word
    }

    /// The folder for sent mail that somebody chose.
    fn chosen_sent(&self) -> Option<&Folder> {
        self.sent.as_ref().filter(|sent| sent.chosen)
    }

    fn is_sent(&self, row: &Row) -> bool {
        self.chosen_sent()
            .is_some_and(|sent| sent.raw_name == row.listed.raw_name)
    }

    fn is_target(&self, row: &Row) -> bool {
        let target = self.writing.move_to.as_ref();
        target.is_some_and(|target| target.raw_name == row.listed.raw_name)
    }

    /// The folder that closed mail moves to, where the list does not have it.
    fn lost_target(&self) -> Option<&str> {
        let target = self.writing.move_to.as_ref()?;
        let listed = self.rows.iter().any(|row| self.is_target(row));
        (!listed).then_some(target.name.as_str())
    }

    /// Has Exchange file what people send in this mailbox's name where it is read.
    fn copy_command(&self) -> String {
        let quoted = self.mailbox.address.replace('\'', "''");
        format!(
            "Set-Mailbox '{quoted}' -MessageCopyForSentAsEnabled $true -MessageCopyForSendOnBehalfEnabled $true"
        )
    }

    async fn load(
        context: &Shared,
        admin: Admin,
        id: MailboxId,
        again: bool,
    ) -> Result<Self, Error> {
        context.read(move |db| find(db, id).map(drop)).await?;
        let (listed, problem) = match Listings::show(context, id, again).await? {
            Ok(listed) => (Some(listed), None),
            Err(problem) => (None, Some(problem)),
        };
        let shared = context.clone();
        context
            .read(move |db| {
                let mailbox = find(db, id)?;
                let here = Here::section("mailboxes");
                let page = Page::load(db, &shared, &admin, "Folders", here)?;
                let known = store::folders::list(db, id)?;
                let is_listed = |folder: &Folder| {
                    let mut all = listed.iter().flatten();
                    all.any(|listed| listed.raw_name == folder.raw_name)
                };
                let missing = known
                    .iter()
                    .filter(|folder| folder.watched && folder.role == FolderRole::Other)
                    .filter(|folder| !is_listed(folder))
                    .cloned()
                    .collect();
                let sent = known
                    .iter()
                    .find(|folder| folder.watched && folder.role == FolderRole::Sent)
                    .cloned();
                let rows = listed
                    .into_iter()
                    .flatten()
                    .map(|listed| {
                        let same = |folder: &&Folder| folder.raw_name == listed.raw_name;
                        let known = known.iter().find(same).cloned();
                        let is_watched =
                            |folder: &Folder| folder.watched && folder.role == FolderRole::Other;
                        Row {
                            ticked: known.as_ref().is_some_and(is_watched),
                            listed,
                            known,
                        }
                    })
                    .collect();
                Ok(Self {
                    page,
                    mailbox,
                    rows,
                    missing,
                    sent,
                    problem,
                    take_from: TakeFrom::New.word().to_owned(),
                    days: DAYS.to_owned(),
                    mistake: String::new(),
                    writing: store::write_backs::find_settings(db, id)?,
                    write_backs: store::write_backs::find_state(db, id)?,
                })
            })
            .await
    }
}

/// Whether a folder may be read for what was sent.
const fn may_hold_sent(folder: &Listed) -> bool {
    !matches!(folder.purpose, Purpose::Inbox | Purpose::Drafts)
}

/// What the page may be asked.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Wish {
    /// Ask the server again.
    #[serde(default)]
    again: String,
}

/// Where the page stands.
pub(super) fn url(id: MailboxId) -> String {
    format!("/mailboxes/{id}/folders")
}

/// `GET /mailboxes/{id}/folders`
///
/// # Errors
/// Those of the store.
pub(crate) async fn index(
    context: Shared,
    admin: Admin,
    id: Path<i64>,
    wish: Query<Wish>,
) -> Result<HttpResponse, Error> {
    let id = MailboxId(id.into_inner());
    let mailbox = context.read(move |db| find(db, id)).await?;
    if mailbox.status == MailboxStatus::Choosing {
        return Ok(go(&format!("/mailboxes/{id}/checks")));
    }
    page::show(&Index::load(&context, admin, id, !wish.again.is_empty()).await?)
}

/// What the form of watched folders comes to.
struct Change {
    added: Vec<Listed>,
    removed: Vec<Folder>,
    since_at: i64,
}

impl Change {
    /// Reads the form; a mistake is a sentence.
    fn read(
        fields: &Fields,
        known: &[Folder],
        listed: &[Listed],
        now: i64,
    ) -> Result<Self, String> {
        let wanted = fields.all("watch");
        let watched: Vec<&Folder> = known
            .iter()
            .filter(|folder| folder.watched && folder.role == FolderRole::Other)
            .collect();
        let is_wanted = |folder: &&Folder| wanted.contains(&folder.raw_name);
        let (kept, removed): (Vec<&Folder>, Vec<&Folder>) =
            watched.into_iter().partition(is_wanted);
        let is_read = |raw_name: &str| {
            known
                .iter()
                .any(|folder| folder.watched && folder.raw_name == raw_name)
        };
        let mut added = Vec::new();
        for raw_name in wanted.iter().filter(|raw_name| !is_read(raw_name)) {
            let folder = listed
                .iter()
                .find(|folder| folder.raw_name == *raw_name)
                .filter(|folder| !matches!(folder.purpose, Purpose::Inbox | Purpose::Drafts))
                .ok_or(
                    "A folder you chose is not in the mailbox any more. Look at the list again.",
                )?;
            added.push(folder.clone());
        }
        if kept.len() + added.len() > WATCHED_MAX {
            return Err(format!(
                "Up to {WATCHED_MAX} further folders can be watched, for each is looked into at every look for mail. A rule in the mailbox can bring the mail of several into one."
            ));
        }
        let take_from = TakeFrom::from_word(fields.get("take_from")).unwrap_or(TakeFrom::New);
        // What is no number is refused as 0 is.
        let days = fields.get("days").parse().unwrap_or(0);
        let since_at = if added.is_empty() {
            None
        } else {
            connect::since_at(take_from, days, now).map_err(|error| error.sentence)?
        };
        Ok(Self {
            added,
            removed: removed.into_iter().cloned().collect(),
            since_at: since_at.unwrap_or(0),
        })
    }

    fn store(&self, tx: &Tx<'_>, id: MailboxId, now: i64) -> store::Result<()> {
        for folder in &self.removed {
            store::folders::update_unwatched(tx, id, folder.id)?;
        }
        for folder in &self.added {
            let watch = Watch {
                raw_name: &folder.raw_name,
                name: &folder.name,
                junk: folder.purpose == Purpose::Junk,
                take_since_at: self.since_at,
            };
            store::folders::insert_watched(tx, id, watch, now)?;
        }
        Ok(())
    }

    const fn sentence(&self) -> &'static str {
        match (self.added.is_empty(), self.removed.is_empty()) {
            (true, true) => "Nothing was changed.",
            (false, _) => "Saved. Mailhatch looks into the new folders now.",
            (true, false) => "Saved. What was received from the folder stays.",
        }
    }
}

/// `POST /mailboxes/{id}/folders`: watches the ticked folders, and no others.
///
/// # Errors
/// Those of the store.
pub(crate) async fn update(
    context: Shared,
    admin: Admin,
    id: Path<i64>,
    form: Posted,
) -> Result<HttpResponse, Error> {
    let id = MailboxId(id.into_inner());
    let known = context
        .read(move |db| {
            find(db, id)?;
            Ok(store::folders::list(db, id)?)
        })
        .await?;
    // Unwatching needs no server.
    let listed = Listings::shown(&context, id).await?.unwrap_or_default();
    let now = context.now();
    match Change::read(&form.fields, &known, &listed, now) {
        Ok(change) => {
            let sentence = change.sentence();
            tracing::info!(
                mailbox.id = id.0,
                agent.id = admin.agent.id.0,
                added = change.added.len(),
                removed = change.removed.len(),
                "other folders are watched"
            );
            context
                .store(move |store| store.write(|tx| change.store(tx, id, now)))
                .await?;
            context.services.work.wake_poller(id);
            Ok(go_saying(&context, &url(id), &Flash::good(sentence)))
        }
        Err(mistake) => {
            let mut index = Index::load(&context, admin, id, false).await?;
            let wanted = form.fields.all("watch");
            for row in &mut index.rows {
                row.ticked = wanted.contains(&row.listed.raw_name);
            }
            let [take_from, days] = ["take_from", "days"].map(|name| form.fields.get(name));
            let index = Index {
                take_from: take_from.to_owned(),
                days: days.to_owned(),
                mistake,
                ..index
            };
            page::show_as(StatusCode::UNPROCESSABLE_ENTITY, &index)
        }
    }
}

/// `POST /mailboxes/{id}/sent-folder`: where what was sent is read from; empty leaves it to be found.
///
/// # Errors
/// Those of the store.
pub(crate) async fn update_sent(
    context: Shared,
    admin: Admin,
    id: Path<i64>,
    form: Posted,
) -> Result<HttpResponse, Error> {
    let id = MailboxId(id.into_inner());
    context.read(move |db| find(db, id).map(drop)).await?;
    let raw_name = form.fields.raw("sent").to_owned();
    let chosen = if raw_name.is_empty() {
        None
    } else {
        let listed = Listings::shown(&context, id).await?.unwrap_or_default();
        let is_one = |folder: &Listed| folder.raw_name == raw_name && may_hold_sent(folder);
        let Some(folder) = listed.into_iter().find(is_one) else {
            let said = "That folder cannot be read for what was sent. Look at the list again.";
            return Ok(go_saying(&context, &url(id), &Flash::bad(said)));
        };
        Some(folder)
    };
    let said = chosen.as_ref().map_or_else(
        || "The folder for sent mail is found by itself from now on.".to_owned(),
        |folder| {
            format!(
                "Replies written in Outlook are read from “{}”.",
                folder.name
            )
        },
    );
    context
        .store(move |store| {
            store.write(|tx| match &chosen {
                Some(folder) => store::folders::update_sent(tx, id, &folder.raw_name, &folder.name),
                None => store::folders::delete_sent_choice(tx, id, ""),
            })
        })
        .await?;
    tracing::info!(
        mailbox.id = id.0,
        agent.id = admin.agent.id.0,
        "the folder for sent mail was chosen"
    );
    context.services.work.wake_poller(id);
    Ok(go_saying(&context, &url(id), &Flash::good(said)))
}
