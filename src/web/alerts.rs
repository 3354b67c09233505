//! What administrators must know of and have been told: open alerts, those that are over, and the ways they
//! are told by.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Query;
use askama::Template;
use serde::Deserialize;

use super::context::Shared;
use super::error::Error;
use super::flash::Flash;
use super::forms::Posted;
use super::page::{self, Here, Page, go_saying};
use super::session::Admin;
use crate::model::{Alert, AlertChannel, AlertId, AlertKind, AlertPhase, Notice, NoticeState};
use crate::problem::Problem;
use crate::store::{self, Db, alerts};
use crate::work::alerts as work;
use crate::work::alerts::channels::{self, MailForm, Settings, State, WebhookForm};
use crate::work::entra_app::FormError;

const PATH: &str = "/admin/alerts";
/// Alerts of the past on a page.
const ROWS: u32 = 20;

/// An alert and what was told of it.
struct Entry {
    alert: Alert,
    notices: Vec<Notice>,
}

impl Entry {
    fn load(db: &Db, alert: Alert) -> store::Result<Self> {
        let notices = alerts::list_notices(db, alert.id)?;
        Ok(Self { alert, notices })
    }
}

#[derive(Template)]
#[template(path = "alerts/index.html")]
struct Index {
    page: Page,
    open: Vec<Entry>,
    past: Vec<Entry>,
    older: Option<String>,
    is_first: bool,
    state: State,
    mail: MailForm,
    webhook: WebhookForm,
    disk_min_mb: String,
    has_password: bool,
    has_secret: bool,
    mistake: Option<FormError>,
    /// A test that failed.
    failed: Option<(AlertChannel, Problem)>,
}

impl Index {
    /// What is wrong with a field; empty when nothing is.
    fn mistake(&self, field: &str) -> &str {
        match &self.mistake {
            Some(mistake) if mistake.field == field => &mistake.sentence,
            _ => "",
        }
    }
}

/// Whether mail is held up, or soon will be.
fn is_severe(kind: &AlertKind) -> bool {
    *kind <= AlertKind::AppSecret
}

/// What became of the duty to tell, in words; the time follows.
fn told(notice: &Notice) -> String {
    let channel = match notice.channel {
        AlertChannel::Mail => "Mail",
        AlertChannel::Webhook => "Webhook",
    };
    let phase = match notice.phase {
        AlertPhase::Opened => "that it began",
        AlertPhase::Over => "that it is over",
    };
    match notice.state {
        NoticeState::Told => format!("{channel}: told {phase}. {}", notice.way),
        NoticeState::Due if notice.attempts == 0 => format!("{channel}: about to tell {phase}."),
        NoticeState::Due => format!(
            "{channel}: cannot tell {phase} yet; tried {}.",
            times(notice.attempts)
        ),
        NoticeState::Dropped => {
            format!("{channel}: it was over, or switched off, before it could tell {phase}.")
        }
        NoticeState::GivenUp => format!(
            "{channel}: gave up telling {phase} after {} tries.",
            notice.attempts
        ),
    }
}

fn times(count: i64) -> String {
    if count == 1 {
        "once".to_owned()
    } else {
        format!("{count} times")
    }
}

/// Where the list of the past goes on.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct After {
    /// `END-ID` of the last row shown before.
    #[serde(default)]
    after: String,
}

impl After {
    fn place(&self) -> Option<(i64, AlertId)> {
        let (at, id) = self.after.split_once('-')?;
        Some((at.parse().ok()?, AlertId(id.parse().ok()?)))
    }
}

async fn load(context: &Shared, admin: Admin, after: After) -> Result<Index, Error> {
    let shared = context.clone();
    context
        .read(move |db| {
            let page = Page::load(db, &shared, &admin, "Alerts", Here::section("alerts"))?;
            let sealer = &shared.services.sealer;
            let settings = channels::read(db, sealer)?;
            let mut open = page.alerts.clone();
            open.sort_by_key(|alert| (alert.cause.kind, alert.opened_at));
            let past = alerts::list_closed(db, after.place(), ROWS)?;
            let older = past
                .last()
                .filter(|_| u32::try_from(past.len()).is_ok_and(|count| count >= ROWS))
                .map(|last| {
                    let at = last.closed_at.unwrap_or_default();
                    format!("{PATH}?after={at}-{}#past", last.id)
                });
            let entries = |list: Vec<Alert>| -> store::Result<Vec<Entry>> {
                list.into_iter()
                    .map(|alert| Entry::load(db, alert))
                    .collect()
            };
            Ok(Index {
                open: entries(open)?,
                past: entries(past)?,
                older,
                is_first: after.after.is_empty(),
                state: channels::state(db, sealer)?,
                mail: mail_form(&settings),
                webhook: WebhookForm {
                    url: settings.plain.webhook_url.clone(),
                    secret: String::new(),
                    inside: settings.plain.webhook_inside,
                },
                disk_min_mb: channels::disk_min_mb(&settings.plain).to_string(),
                has_password: settings.has_password(),
                has_secret: settings.has_secret(),
                mistake: None,
                failed: None,
                page,
            })
        })
        .await
}

fn mail_form(settings: &Settings) -> MailForm {
    let server = settings.plain.smtp.clone();
    let port = server
        .as_ref()
        .map_or_else(String::new, |server| server.port.to_string());
    let server = server.unwrap_or_default();
    MailForm {
        on: !settings.plain.mail_off,
        recipients: settings.plain.recipients.join("\n"),
        host: server.host,
        port,
        security: if server.security.is_empty() {
            "starttls".to_owned()
        } else {
            server.security
        },
        user: server.user,
        password: String::new(),
        from: server.from,
    }
}

/// `GET /admin/alerts`
///
/// # Errors
/// Those of the store.
pub(super) async fn index(
    context: Shared,
    admin: Admin,
    after: Query<After>,
) -> Result<HttpResponse, Error> {
    page::show(&load(&context, admin, after.into_inner()).await?)
}

/// `POST /admin/alerts/mail`: who is mailed to, and through which server.
///
/// # Errors
/// Those of the store.
pub(super) async fn mail(
    context: Shared,
    admin: Admin,
    form: Posted,
) -> Result<HttpResponse, Error> {
    let text = |name: &str| form.fields.get(name).to_owned();
    let entered = MailForm {
        on: form.fields.is_on("on"),
        recipients: text("recipients"),
        host: text("host"),
        port: text("port"),
        security: text("security"),
        user: text("user"),
        password: form.fields.raw("password").to_owned(),
        from: text("from"),
    };
    let kept = MailForm {
        password: String::new(),
        ..entered.clone()
    };
    let saved = context
        .services(move |services| channels::save_mail(services, &entered))
        .await?;
    answer(&context, admin, saved, |index| index.mail = kept).await
}

/// `POST /admin/alerts/webhook`: where requests go, and what signs them.
///
/// # Errors
/// Those of the store.
pub(super) async fn webhook(
    context: Shared,
    admin: Admin,
    form: Posted,
) -> Result<HttpResponse, Error> {
    let entered = WebhookForm {
        url: form.fields.get("url").to_owned(),
        secret: form.fields.get("secret").to_owned(),
        inside: form.fields.is_on("inside"),
    };
    let kept = WebhookForm {
        secret: String::new(),
        ..entered.clone()
    };
    let saved = context
        .services(move |services| channels::save_webhook(services, &entered))
        .await?;
    answer(&context, admin, saved, |index| index.webhook = kept).await
}

/// `POST /admin/alerts/disk`: how much space should stay free.
///
/// # Errors
/// Those of the store.
pub(super) async fn disk(
    context: Shared,
    admin: Admin,
    form: Posted,
) -> Result<HttpResponse, Error> {
    let entered = form.fields.get("disk_min_mb").to_owned();
    let kept = entered.clone();
    let saved = context
        .services(move |services| channels::save_disk(services, &entered))
        .await?;
    answer(&context, admin, saved, |index| index.disk_min_mb = kept).await
}

async fn answer(
    context: &Shared,
    admin: Admin,
    saved: Result<(), FormError>,
    keep: impl FnOnce(&mut Index),
) -> Result<HttpResponse, Error> {
    let Err(mistake) = saved else {
        tracing::info!(
            agent.id = admin.agent.id.0,
            "the settings of alerts were changed"
        );
        let flash = Flash::good("Saved. Send a test to see that it arrives.");
        return Ok(go_saying(context, PATH, &flash));
    };
    let mut index = load(context, admin, After::default()).await?;
    keep(&mut index);
    index.mistake = Some(mistake);
    page::show_as(StatusCode::UNPROCESSABLE_ENTITY, &index)
}

/// `POST /admin/alerts/mail/test`
///
/// # Errors
/// Those of the store.
pub(super) async fn test_mail(
    context: Shared,
    admin: Admin,
    _form: Posted,
) -> Result<HttpResponse, Error> {
    test(&context, admin, AlertChannel::Mail).await
}

/// `POST /admin/alerts/webhook/test`
///
/// # Errors
/// Those of the store.
pub(super) async fn test_webhook(
    context: Shared,
    admin: Admin,
    _form: Posted,
) -> Result<HttpResponse, Error> {
    test(&context, admin, AlertChannel::Webhook).await
}

async fn test(
    context: &Shared,
    admin: Admin,
    channel: AlertChannel,
) -> Result<HttpResponse, Error> {
    let tested = context
        .services(move |services| work::test(services, channel))
        .await?;
    match tested {
        Ok(way) => {
            let flash = Flash::good(format!("The test was sent. {way}"));
            Ok(go_saying(context, PATH, &flash))
        }
        Err(problem) => {
            let mut index = load(context, admin, After::default()).await?;
            index.failed = Some((channel, problem));
            page::show_as(StatusCode::UNPROCESSABLE_ENTITY, &index)
        }
    }
}
