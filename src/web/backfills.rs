//! Older mail: which days and folders, what the server says of them, and the fetching itself.

use actix_web::http::StatusCode;
use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::context::Shared;
use super::error::Error;
use super::flash::Flash;
use super::format;
use super::forms::{Fields, Posted};
use super::mailboxes::find;
use super::page::{self, Here, Page, go_saying};
use super::session::Admin;
use crate::model::{
    Backfill, BackfillId, BackfillState, Days, Folder, FolderId, Mailbox, MailboxId, MailboxStatus,
};
use crate::problem::Problem;
use crate::store::{self, Db};
use crate::work::backfill::{self, Preview};
use crate::work::status::Line;

const DAY: i64 = 86_400;
/// E-mail is not older than this: 1 January 1982, when SMTP began.
const FIRST_DAY_AT: i64 = 378_691_200;

/// The newest backfill of a mailbox as its page shows it.
pub(super) struct Older {
    pub(super) backfill: Backfill,
    /// What its loop is doing.
    pub(super) line: Option<Line>,
}

impl Older {
    /// Of this mailbox, if older mail was ever asked for.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) fn find(db: &Db, context: &Shared, id: MailboxId) -> Result<Option<Self>, Error> {
        let found = store::backfills::find_newest(db, id)?;
        Ok(found.map(|backfill| Self {
            line: context
                .services
                .work
                .older(id)
                .filter(|_| backfill.state == BackfillState::Running),
            backfill,
        }))
    }

    pub(super) fn is(&self, state: BackfillState) -> bool {
        self.backfill.state == state
    }

    /// How many messages of the range have their fate, and how many there are.
    fn progress(&self) -> (i64, i64) {
        let total = self.backfill.total();
        (total.saturating_sub(self.backfill.left()), total)
    }

    /// How far it is, in words.
    pub(super) fn words(&self) -> String {
        let backfill = &self.backfill;
        let (done, total) = self.progress();
        let count = format::count;
        let fetched = match backfill.received() {
            1 => "1 message was new".to_owned(),
            received => format!("{} messages were new", count(received)),
        };
        let known = format!("{} were known before", count(backfill.known()));
        match backfill.state {
            BackfillState::Running if total == 0 => "The messages are being listed.".to_owned(),
            BackfillState::Running => {
                format!("{} of {}: {fetched}, {known}.", count(done), count(total))
            }
            BackfillState::Paused => {
                format!(
                    "Paused at {} of {}: {fetched}, {known}.",
                    count(done),
                    count(total)
                )
            }
            BackfillState::Done => format!("Done: {fetched}, {known}."),
            BackfillState::Failed => format!("Ended before its time: {fetched}, {known}."),
            BackfillState::Cancelled => format!("Cancelled. What was fetched stays: {fetched}."),
        }
    }

    /// What was asked for, in words.
    pub(super) fn asked(&self) -> String {
        let days = self.backfill.days.map_or_else(
            || "Everything on the server".to_owned(),
            |days| format!("From {}", span(days)),
        );
        match self.backfill.folders.as_slice() {
            [only] => format!("{days}, “{}” only.", only.name),
            _ => format!("{days}."),
        }
    }
}

/// The first and the last day of a range.
fn span(days: Days) -> String {
    let (from, until) = (days.from_at, days.until_at.saturating_sub(DAY));
    format!("{} to {}", format::day(from), format::day(until))
}

/// What the form holds.
#[derive(Debug, Clone, Default)]
struct Form {
    everything: bool,
    from: String,
    until: String,
    folders: Vec<FolderId>,
    from_mistake: &'static str,
    until_mistake: &'static str,
    folders_mistake: &'static str,
}

/// What a form without a mistake asks for.
#[derive(Debug, Clone)]
struct Asked {
    days: Option<Days>,
    folders: Vec<FolderId>,
}

impl Form {
    /// As it is proposed: the year before the mailbox was connected, all folders.
    fn proposed(mailbox: &Mailbox, folders: &[Folder]) -> Self {
        Self {
            from: format::iso_day(mailbox.created_at.saturating_sub(365 * DAY)),
            until: format::iso_day(mailbox.created_at),
            folders: folders.iter().map(|folder| folder.id).collect(),
            ..Self::default()
        }
    }

    fn read(fields: &Fields, folders: &[Folder], now: i64) -> (Self, Option<Asked>) {
        let chosen = |folder: &&Folder| {
            fields
                .all("folder")
                .iter()
                .any(|id| *id == folder.id.to_string())
        };
        let mut form = Self {
            everything: fields.get("span") == "all",
            from: fields.get("from").to_owned(),
            until: fields.get("until").to_owned(),
            folders: folders.iter().filter(chosen).map(|one| one.id).collect(),
            ..Self::default()
        };
        let days = if form.everything {
            Some(None)
        } else {
            form.days(now).map(Some)
        };
        if form.folders.is_empty() {
            form.folders_mistake = "Choose at least one folder.";
        }
        let asked = days.filter(|_| !form.folders.is_empty()).map(|days| Asked {
            days,
            folders: form.folders.clone(),
        });
        (form, asked)
    }

    /// The days, or the mistakes in them.
    fn days(&mut self, now: i64) -> Option<Days> {
        let day = |text: &str| format::parse_day(text).filter(|at| *at >= FIRST_DAY_AT);
        let (from, until) = (day(&self.from), day(&self.until));
        if from.is_none() {
            self.from_mistake = "Write the first day as year-month-day, such as 2026-03-01.";
        } else if from.is_some_and(|at| at > now) {
            self.from_mistake = "This day is yet to come. Choose one that has been.";
        }
        if until.is_none() {
            self.until_mistake = "Write the last day as year-month-day, such as 2026-06-30.";
        } else if until.is_some_and(|at| at > now) {
            self.until_mistake = "This day is yet to come. Today is the last that can be chosen.";
        }
        let (from_at, last_at) = from.zip(until)?;
        if !self.from_mistake.is_empty() || !self.until_mistake.is_empty() {
            return None;
        }
        if last_at < from_at {
            self.until_mistake = "The last day comes before the first. Exchange them.";
            return None;
        }
        Some(Days {
            from_at,
            until_at: last_at.saturating_add(DAY),
        })
    }

    fn has(&self, folder: &FolderId) -> bool {
        self.folders.contains(folder)
    }
}

#[derive(Template)]
#[template(path = "backfills/new.html")]
struct New {
    page: Page,
    mailbox: Mailbox,
    folders: Vec<Folder>,
    form: Form,
    asked: Option<Asked>,
    preview: Option<Preview>,
    problem: Option<Problem>,
}

impl New {
    /// The page, with the form as it is proposed.
    async fn load(context: &Shared, admin: Admin, id: MailboxId) -> Result<Self, Error> {
        let shared = context.clone();
        context
            .read(move |db| {
                let mailbox = find(db, id)?;
                let here = Here::section("mailboxes");
                let page = Page::load(db, &shared, &admin, "Fetch older mail", here)?;
                let mut folders = store::folders::list(db, id)?;
                folders.retain(|folder| folder.watched && folder.cursor.is_some());
                let form = Form::proposed(&mailbox, &folders);
                Ok(Self {
                    page,
                    mailbox,
                    folders,
                    form,
                    asked: None,
                    preview: None,
                    problem: None,
                })
            })
            .await
    }

    /// The preview in a sentence.
    fn found(&self, preview: &Preview) -> String {
        let messages = match preview.total {
            1 => "1 message".to_owned(),
            total => format!("{} messages", number(&total)),
        };
        let days = self.asked.as_ref().and_then(|asked| asked.days);
        let span = days.map_or_else(
            || "in all".to_owned(),
            |days| format!("from {}", span(days)),
        );
        let known = match preview.known {
            0 => "none of them is known yet".to_owned(),
            1 => "1 of them is known already".to_owned(),
            known => format!("{} of them are known already", number(&known)),
        };
        format!("{messages} {span}; {known}.")
    }
}

fn number(count: &u64) -> String {
    format::count(i64::try_from(*count).unwrap_or(i64::MAX))
}

/// The size of what would be fetched, in a sentence.
fn size(preview: &Preview) -> String {
    let size = format::size(i64::try_from(preview.bytes).unwrap_or(i64::MAX));
    let which = if preview.known == 0 {
        "Together they are"
    } else {
        "The others are together"
    };
    format!("{which} about {size}, by the server’s own estimate, which can be far off.")
}

/// What the button says.
fn fetch(preview: &Preview) -> String {
    match preview.wanted() {
        1 => "Fetch 1 message".to_owned(),
        wanted => format!("Fetch {} messages", number(&wanted)),
    }
}

/// `GET /mailboxes/{id}/backfills/new`: the form, and with its fields in the query what they come to.
///
/// # Errors
/// Those of the store.
pub(super) async fn new(
    context: Shared,
    admin: Admin,
    id: Path<i64>,
    request: HttpRequest,
) -> Result<HttpResponse, Error> {
    let id = MailboxId(id.into_inner());
    let mut new = New::load(&context, admin, id).await?;
    let fields = Fields::parse(request.query_string().as_bytes());
    if fields.get("span").is_empty() {
        return page::show(&new);
    }
    let (form, asked) = Form::read(&fields, &new.folders, new.page.now);
    new.form = form;
    let Some(asked) = asked else {
        return page::show_as(StatusCode::UNPROCESSABLE_ENTITY, &new);
    };
    let (days, folders) = (asked.days, asked.folders.clone());
    let found = context
        .services(move |services| backfill::preview(services, id, days, &folders))
        .await?;
    new.asked = Some(asked);
    match found {
        Ok(preview) => {
            new.preview = Some(preview);
            page::show(&new)
        }
        Err(problem) => {
            tracing::warn!(mailbox.id = id.0, code = %problem.code, "older mail could not be counted");
            new.problem = Some(problem);
            page::show_as(StatusCode::BAD_GATEWAY, &new)
        }
    }
}

/// `POST /mailboxes/{id}/backfills`
///
/// # Errors
/// Those of the store.
pub(super) async fn create(
    context: Shared,
    admin: Admin,
    id: Path<i64>,
    form: Posted,
) -> Result<HttpResponse, Error> {
    let id = MailboxId(id.into_inner());
    let agent_id = admin.agent.id;
    let new = New::load(&context, admin, id).await?;
    let to = format!("/mailboxes/{id}");
    if new.mailbox.status == MailboxStatus::Choosing {
        let said = Flash::bad("Choose first which mail to take.");
        return Ok(go_saying(&context, &to, &said));
    }
    let (form, asked) = Form::read(&form.fields, &new.folders, new.page.now);
    let Some(Asked { days, folders }) = asked else {
        return page::show_as(StatusCode::UNPROCESSABLE_ENTITY, &New { form, ..new });
    };
    let now = context.now();
    let begun = context
        .store(move |store| -> Result<_, store::Error> {
            let begun =
                store.write(|tx| store::backfills::insert(tx, id, agent_id, days, &folders, now));
            match begun {
                Err(error) if error.is_constraint() => Ok(None),
                other => other.map(Some),
            }
        })
        .await?;
    let said = match begun {
        None => Flash::bad(
            "Older mail of this mailbox is being fetched already. Let it end, or cancel it first.",
        ),
        Some(backfill) => {
            tracing::info!(
                mailbox.id = id.0,
                backfill.id = backfill.0,
                agent.id = agent_id.0,
                "fetching older mail begins"
            );
            context.services.work.wake_backfill(id);
            Flash::good("Older mail is being fetched, the newest first. New mail goes before it.")
        }
    };
    Ok(go_saying(&context, &to, &said))
}

/// Moves a backfill to another state, as a person has said, and tells its loop.
async fn change(
    context: Shared,
    admin: Admin,
    id: i64,
    from: &'static [BackfillState],
    to: BackfillState,
    good: &'static str,
) -> Result<HttpResponse, Error> {
    let id = BackfillId(id);
    let now = context.now();
    let (mailbox_id, changed) = context
        .store(move |store| {
            store.write(|tx| {
                let backfill =
                    store::backfills::find(tx, id)?.ok_or(Error::NotFound("fetching of mail"))?;
                let changed = store::backfills::update_state(tx, &backfill, from, to, None, now)?;
                Ok::<_, Error>((backfill.mailbox_id, changed))
            })
        })
        .await?;
    let said = if changed {
        tracing::info!(mailbox.id = mailbox_id.0, backfill.id = id.0, agent.id = admin.agent.id.0,
            state = %to, "fetching older mail was changed");
        context.services.work.wake_backfill(mailbox_id);
        Flash::good(good)
    } else {
        Flash::bad("This has changed meanwhile; see how it stands now.")
    };
    Ok(go_saying(
        &context,
        &format!("/mailboxes/{mailbox_id}"),
        &said,
    ))
}

/// `POST /backfills/{id}/pause`
///
/// # Errors
/// Those of the store.
pub(super) async fn pause(
    context: Shared,
    admin: Admin,
    id: Path<i64>,
    _form: Posted,
) -> Result<HttpResponse, Error> {
    let (from, to) = (&[BackfillState::Running], BackfillState::Paused);
    let good = "Paused. What was fetched stays, and new mail comes as ever.";
    change(context, admin, id.into_inner(), from, to, good).await
}

/// `POST /backfills/{id}/resumption`
///
/// # Errors
/// Those of the store.
pub(super) async fn resume(
    context: Shared,
    admin: Admin,
    id: Path<i64>,
    _form: Posted,
) -> Result<HttpResponse, Error> {
    let (from, to) = (&[BackfillState::Paused], BackfillState::Running);
    let good = "Continued where it stopped.";
    change(context, admin, id.into_inner(), from, to, good).await
}

/// `POST /backfills/{id}/cancellation`
///
/// # Errors
/// Those of the store.
pub(super) async fn cancel(
    context: Shared,
    admin: Admin,
    id: Path<i64>,
    _form: Posted,
) -> Result<HttpResponse, Error> {
    let from = &[BackfillState::Running, BackfillState::Paused];
    let good = "Cancelled. What was fetched stays.";
    change(
        context,
        admin,
        id.into_inner(),
        from,
        BackfillState::Cancelled,
        good,
    )
    .await
}
