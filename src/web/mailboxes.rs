//! The addresses we serve: their list, one of them with its settings, and the way to a new one.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;

use super::backfills::Older;
use super::context::Shared;
use super::error::Error;
use super::flash::Flash;
use super::folders::FolderRow;
use super::forms::{Fields, Posted};
use super::mailbox_words::{self as words, Label};
use super::page::{self, Here, Page, go, go_saying};
use super::session::Admin;
use crate::mail::html;
use crate::model::{
    BackfillState, Mailbox, MailboxId, MailboxStatus, WriteBackSettings, WriteBackState,
};
use crate::problem::Problem;
use crate::store::{self, Db};
use crate::work::connect::{self, Begin, BeginError};
use crate::work::entra_app::{self, AppState};
use crate::work::status::{Activity, Health};

/// Longest name of a mailbox, in characters; it stands in From.
const NAME_CHARS: usize = 100;
/// Longest signature, in bytes of HTML.
const SIGNATURE_BYTES: usize = 64 * 1024;

/// Finds a mailbox for a page.
///
/// # Errors
/// [`Error::NotFound`], and those of the store.
pub(super) fn find(db: &Db, id: MailboxId) -> Result<Mailbox, Error> {
    store::mailboxes::find(db, id)?.ok_or(Error::NotFound("mailbox"))
}

/// A mailbox with what its loops are doing.
struct Row {
    mailbox: Mailbox,
    activity: Activity,
}

impl Row {
    /// A mailbox that rests because it was told to is well for its loop, but not green for people.
    fn new(mailbox: Mailbox, mut activity: Activity) -> Self {
        if matches!(
            mailbox.status,
            MailboxStatus::Choosing | MailboxStatus::Paused
        ) {
            activity.receiving.health = Health::Stopped;
        }
        Self { mailbox, activity }
    }

    fn status(&self) -> Label {
        words::status(&self.mailbox)
    }

    /// What keeps it from working: receiving first.
    fn problems(&self) -> Vec<&Problem> {
        [&self.mailbox.problem, &self.mailbox.send_problem]
            .into_iter()
            .flatten()
            .collect()
    }
}

#[derive(Template)]
#[template(path = "mailboxes/index.html")]
struct Index {
    page: Page,
    rows: Vec<Row>,
}

/// `GET /mailboxes`
///
/// # Errors
/// Those of the store.
pub(super) async fn index(context: Shared, admin: Admin) -> Result<HttpResponse, Error> {
    let shared = context.clone();
    let index = context
        .read(move |db| {
            let page = Page::load(db, &shared, &admin, "Mailboxes", Here::section("mailboxes"))?;
            let work = &shared.services.work;
            let rows = page
                .mailboxes
                .iter()
                .map(|mailbox| Row::new(mailbox.clone(), work.activity(mailbox.id)))
                .collect();
            Ok(Index { page, rows })
        })
        .await?;
    page::show(&index)
}

/// What the settings' form holds.
#[derive(Debug, Clone, Default)]
struct Settings {
    name: String,
    signature: String,
    signature_html: String,
    poll_cron: String,
    new_subject_splits: bool,
    name_mistake: &'static str,
    signature_mistake: &'static str,
    cron_mistake: &'static str,
}

impl Settings {
    fn of(mailbox: &Mailbox) -> Self {
        Self {
            name: mailbox.name.clone(),
            signature: html::to_text(&mailbox.signature_html).trim().to_owned(),
            signature_html: mailbox.signature_html.clone(),
            poll_cron: mailbox.poll_cron.clone(),
            new_subject_splits: mailbox.new_subject_splits,
            ..Self::default()
        }
    }

    fn read(fields: &Fields, mailbox: &Mailbox) -> Self {
        let before = Self::of(mailbox);
        let (rich, plain) = (fields.get("html"), fields.get("signature"));
        let signature_html = if fields.get("edited_with") == "editor" {
            html::sanitize_outgoing(rich)
        } else if plain == before.signature {
            // Nobody touched it: what the editor made earlier keeps its form.
            before.signature_html
        } else {
            html::text_to_html(plain)
        };
        let name = fields.get("name").to_owned();
        let poll_cron = fields
            .get("poll_cron")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        Self {
            name_mistake: if name.is_empty() {
                "Say how lists and customers should see this mailbox, such as Harbour Lights Support."
            } else if name.chars().count() > NAME_CHARS || name.chars().any(char::is_control) {
                "Use up to 100 characters on one line."
            } else {
                ""
            },
            cron_mistake: if words::schedule(&poll_cron).is_some() {
                ""
            } else {
                "Write six fields: second, minute, hour, day, month, weekday. 0 */5 * * * * is every 5 minutes."
            },
            signature_mistake: if signature_html.len() > SIGNATURE_BYTES {
                "This is too long for a signature; leave pictures and quoted mail out."
            } else {
                ""
            },
            name,
            signature: plain.to_owned(),
            signature_html,
            poll_cron,
            new_subject_splits: !fields.get("new_subject_splits").is_empty(),
        }
    }

    fn is_fine(&self) -> bool {
        [self.name_mistake, self.signature_mistake, self.cron_mistake]
            .iter()
            .all(|text| text.is_empty())
    }
}

#[derive(Template)]
#[template(path = "mailboxes/show.html")]
struct Show {
    page: Page,
    row: Row,
    folders: Vec<FolderRow>,
    older: Option<Older>,
    settings: Settings,
    writing: WriteBackSettings,
    write_backs: WriteBackState,
}

impl Show {
    fn is(&self, status: MailboxStatus) -> bool {
        self.row.mailbox.status == status
    }

    fn schedule(&self) -> String {
        words::schedule(&self.row.mailbox.poll_cron).unwrap_or_default()
    }

    fn next_looks(&self) -> Vec<i64> {
        words::next_times(&self.row.mailbox.poll_cron, self.page.now, 3)
    }

    fn is_stopped(&self) -> bool {
        self.row.mailbox.sending_stopped_at.is_some()
    }

    fn written_back(&self) -> String {
        words::written_back(&self.writing)
    }

    /// The sender pauses for the provider's sake.
    fn sends_after(&self) -> Option<i64> {
        Some(self.row.mailbox.send_after_at).filter(|at| *at > self.page.now)
    }

    async fn load(context: &Shared, admin: Admin, id: MailboxId) -> Result<Self, Error> {
        let shared = context.clone();
        context
            .read(move |db| {
                let mailbox = find(db, id)?;
                let page = Page::load(
                    db,
                    &shared,
                    &admin,
                    &mailbox.name,
                    Here::section("mailboxes"),
                )?;
                let activity = shared.services.work.activity(id);
                let settings = Settings::of(&mailbox);
                let row = Row::new(mailbox, activity);
                Ok(Self {
                    page,
                    row,
                    folders: FolderRow::list(db, id)?,
                    older: Older::find(db, &shared, id)?,
                    settings,
                    writing: store::write_backs::find_settings(db, id)?,
                    write_backs: store::write_backs::find_state(db, id)?,
                })
            })
            .await
    }
}

/// `GET /mailboxes/{id}`
///
/// # Errors
/// Those of the store.
pub(super) async fn show(
    context: Shared,
    admin: Admin,
    id: Path<i64>,
) -> Result<HttpResponse, Error> {
    let show = Show::load(&context, admin, MailboxId(id.into_inner())).await?;
    page::show(&show)
}

/// `POST /mailboxes/{id}`
///
/// # Errors
/// Those of the store.
pub(super) async fn update(
    context: Shared,
    admin: Admin,
    id: Path<i64>,
    form: Posted,
) -> Result<HttpResponse, Error> {
    let id = MailboxId(id.into_inner());
    let show = Show::load(&context, admin, id).await?;
    let settings = Settings::read(&form.fields, &show.row.mailbox);
    if !settings.is_fine() {
        return page::show_as(StatusCode::UNPROCESSABLE_ENTITY, &Show { settings, ..show });
    }
    context
        .store(move |store| {
            store.write(|tx| {
                let Settings {
                    name,
                    signature_html,
                    poll_cron,
                    new_subject_splits,
                    ..
                } = &settings;
                store::mailboxes::update_settings(
                    tx,
                    id,
                    name,
                    signature_html,
                    poll_cron,
                    *new_subject_splits,
                )
            })
        })
        .await?;
    // The next look is planned anew by the new schedule.
    context.services.work.wake_poller(id);
    Ok(go_saying(
        &context,
        &format!("/mailboxes/{id}"),
        &Flash::good("The settings were saved."),
    ))
}

#[derive(Template)]
#[template(path = "mailboxes/new.html")]
struct New {
    page: Page,
    app: AppState,
    mailbox_address: String,
    mistake: String,
    problem: Option<Problem>,
}

async fn new_page(context: &Shared, admin: Admin) -> Result<New, Error> {
    let app = context.services(entra_app::state).await??;
    let shared = context.clone();
    let page = context
        .read(move |db| {
            Page::load(
                db,
                &shared,
                &admin,
                "Add a mailbox",
                Here::section("mailboxes"),
            )
        })
        .await?;
    Ok(New {
        page,
        app,
        mailbox_address: String::new(),
        mistake: String::new(),
        problem: None,
    })
}

/// `GET /mailboxes/new`
///
/// # Errors
/// Those of the store.
pub(super) async fn new(context: Shared, admin: Admin) -> Result<HttpResponse, Error> {
    page::show(&new_page(&context, admin).await?)
}

/// `POST /mailboxes`
///
/// # Errors
/// Those of the store.
pub(super) async fn create(
    context: Shared,
    admin: Admin,
    form: Posted,
) -> Result<HttpResponse, Error> {
    let mailbox_address = form.fields.get("mailbox_address").to_owned();
    let begin = Begin::Connect {
        mailbox_address: mailbox_address.clone(),
    };
    let signed = admin.signed.clone();
    let begun = context
        .services(move |services| connect::begin(services, &signed, &begin))
        .await?;
    match begun {
        Ok(url) => Ok(go(&url)),
        Err(refusal) => {
            let mut new = New {
                mailbox_address,
                ..new_page(&context, admin).await?
            };
            match refusal {
                BeginError::Field(error) => new.mistake = error.sentence,
                BeginError::Problem(problem) => new.problem = Some(problem),
            }
            page::show_as(StatusCode::UNPROCESSABLE_ENTITY, &new)
        }
    }
}
