//! The checklist of a mailbox: runs on a thread of its own, is shown line by line as it is found, and
//! for a new mailbox ends in the choice of which mail to take.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;

use super::context::Shared;
use super::error::Error;
use super::flash::Flash;
use super::forms::Posted;
use super::mailboxes::find;
use super::page::{self, Here, Page, go, go_saying};
use super::session::Admin;
use crate::model::{Mailbox, MailboxId, MailboxStatus, TakeFrom, Word as _};
use crate::problem::{Disposition, Problem};
use crate::work::connect::{self, Preview};
use crate::work::probe::{CheckLine, CheckState};

/// Every question has its own deadline of a minute or less; a run that lasts longer than this is
/// shown as given up.
const LONGEST_SECONDS: i64 = 180;
/// Proposed for "the last so many days".
const DAYS: &str = "30";

/// One run of a checklist.
#[derive(Debug, Clone)]
pub(super) struct Run {
    /// When it began, unix seconds UTC.
    pub(super) began_at: i64,
    /// When it ended.
    pub(super) ended_at: Option<i64>,
    /// What has been found so far.
    pub(super) lines: Vec<CheckLine>,
    /// How much mail there is, once counted; or why it cannot be.
    pub(super) preview: Option<Result<Preview, Problem>>,
    /// Why there are no lines at all.
    pub(super) failure: Option<Problem>,
}

/// The last run of each mailbox, kept until the program ends.
#[derive(Debug, Default)]
pub(super) struct Checks(Arc<Mutex<BTreeMap<MailboxId, Run>>>);

impl Checks {
    /// The last run of a mailbox.
    #[must_use]
    pub(super) fn find(&self, id: MailboxId) -> Option<Run> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id)
            .cloned()
    }

    /// Begins a run unless one is under way.
    pub(super) fn begin(context: &Shared, id: MailboxId) {
        let now = context.now();
        {
            let mut runs = context
                .checks
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            if runs.get(&id).is_some_and(|run| run.is_under_way(now)) {
                return;
            }
            let run = Run {
                began_at: now,
                ended_at: None,
                lines: Vec::new(),
                preview: None,
                failure: None,
            };
            runs.insert(id, run);
        }
        let runs = Arc::clone(&context.checks.0);
        let all = Arc::clone(&runs);
        let shared = context.clone();
        actix_web::rt::spawn(async move {
            let ran = shared
                .services(move |services| {
                    let change = |change: &dyn Fn(&mut Run)| {
                        let mut runs = runs.lock().unwrap_or_else(PoisonError::into_inner);
                        if let Some(run) = runs.get_mut(&id).filter(|run| run.began_at == now) {
                            change(run);
                        }
                    };
                    let found = connect::check_each(services, id, &mut |line| {
                        change(&|run| run.lines.push(line.clone()));
                    });
                    match found {
                        Ok(()) => {
                            let preview = connect::preview(services, id);
                            change(&|run| run.preview = Some(preview.clone()));
                        }
                        Err(problem) => change(&|run| run.failure = Some(problem.clone())),
                    }
                    let ended_at = services.clock.now();
                    change(&|run| run.ended_at = Some(ended_at));
                })
                .await;
            if ran.is_err() {
                tracing::error!(
                    mailbox.id = id.0,
                    "the checks were cut short, by the stop or a fault in the program"
                );
                let mut runs = all.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(run) = runs.get_mut(&id).filter(|run| run.began_at == now) {
                    run.failure = Some(cut_short());
                    run.ended_at = Some(shared.now());
                }
            }
        });
    }
}

fn cut_short() -> Problem {
    Problem::new(
        "checks_cut_short",
        Disposition::GiveUp,
        "The checks were cut short by a fault in the program.",
        "Check again. If it stays so, the log of Mailhatch says more.",
    )
}

impl Run {
    /// Whether lines may still come.
    #[must_use]
    pub(super) fn is_under_way(&self, now: i64) -> bool {
        self.ended_at.is_none() && !self.is_given_up(now)
    }

    /// Whether it has lasted too long to be waited for.
    #[must_use]
    pub(super) fn is_given_up(&self, now: i64) -> bool {
        self.ended_at.is_none() && now.saturating_sub(self.began_at) > LONGEST_SECONDS
    }

    /// Whether nothing was found wrong.
    #[must_use]
    pub(super) fn is_good(&self) -> bool {
        self.failure.is_none() && self.lines.iter().all(|line| line.state != CheckState::Bad)
    }
}

#[derive(Template)]
#[template(path = "checks/index.html")]
struct Index {
    page: Page,
    mailbox: Mailbox,
    run: Option<Run>,
    chosen: String,
    days: String,
    mistake: String,
}

impl Index {
    fn is_under_way(&self) -> bool {
        self.run
            .as_ref()
            .is_some_and(|run| run.is_under_way(self.page.now))
    }

    fn is_given_up(&self) -> bool {
        self.run
            .as_ref()
            .is_some_and(|run| run.is_given_up(self.page.now))
    }

    fn is_new(&self) -> bool {
        self.mailbox.status == MailboxStatus::Choosing
    }

    fn is_chosen(&self, word: &str) -> bool {
        self.chosen == word
    }

    fn preview(&self) -> Option<&Preview> {
        self.run.as_ref()?.preview.as_ref()?.as_ref().ok()
    }

    /// Why the mail could not be counted, unless a line says so already.
    fn preview_problem(&self) -> Option<&Problem> {
        let run = self.run.as_ref()?;
        run.preview
            .as_ref()?
            .as_ref()
            .err()
            .filter(|_| run.is_good())
    }
}

fn look(state: &CheckState) -> (&'static str, &'static str, &'static str) {
    match state {
        CheckState::Good => ("good", "circle-check", "Works: "),
        CheckState::Bad => ("bad", "circle-alert", "Does not work: "),
        CheckState::Skipped => ("skipped", "info", "Not used: "),
    }
}

fn messages(count: &u64) -> String {
    if *count == 1 {
        "1 message".to_owned()
    } else {
        format!("{count} messages")
    }
}

/// `GET /mailboxes/{id}/checks`
///
/// # Errors
/// Those of the store.
pub(super) async fn index(
    context: Shared,
    admin: Admin,
    id: Path<i64>,
) -> Result<HttpResponse, Error> {
    let index = load(&context, admin, MailboxId(id.into_inner())).await?;
    page::show(&index)
}

async fn load(context: &Shared, admin: Admin, id: MailboxId) -> Result<Index, Error> {
    let shared = context.clone();
    context
        .read(move |db| {
            let mailbox = find(db, id)?;
            let page = Page::load(db, &shared, &admin, "Checks", Here::section("mailboxes"))?;
            let run = shared.checks.find(id);
            let (chosen, days) = ("new".to_owned(), DAYS.to_owned());
            Ok(Index {
                page,
                mailbox,
                run,
                chosen,
                days,
                mistake: String::new(),
            })
        })
        .await
}

/// `POST /mailboxes/{id}/checks`
///
/// # Errors
/// Those of the store.
pub(super) async fn create(
    context: Shared,
    _admin: Admin,
    id: Path<i64>,
    _form: Posted,
) -> Result<HttpResponse, Error> {
    let id = MailboxId(id.into_inner());
    context.read(move |db| find(db, id)).await?;
    Checks::begin(&context, id);
    Ok(go(&format!("/mailboxes/{id}/checks")))
}

/// `POST /mailboxes/{id}/choice`
///
/// # Errors
/// Those of the store.
pub(super) async fn choose(
    context: Shared,
    admin: Admin,
    id: Path<i64>,
    form: Posted,
) -> Result<HttpResponse, Error> {
    let id = MailboxId(id.into_inner());
    let mailbox = context.read(move |db| find(db, id)).await?;
    if mailbox.status != MailboxStatus::Choosing {
        let said = Flash::bad("Which mail is taken was chosen already and stays as it is.");
        return Ok(go_saying(&context, &format!("/mailboxes/{id}"), &said));
    }
    let (chosen, days) = (
        form.fields.get("take_from").to_owned(),
        form.fields.get("days").to_owned(),
    );
    let outcome = match TakeFrom::from_word(&chosen) {
        None => Err("Choose one of the three.".to_owned()),
        Some(take_from) => {
            // What is no number is refused as 0 is.
            let count = days.parse().unwrap_or(0);
            context
                .services(move |services| connect::choose(services, id, take_from, count))
                .await?
                .map_err(|error| error.sentence)
        }
    };
    match outcome {
        Ok(()) => {
            let said = Flash::good(
                "Mailhatch now takes the mail of this mailbox. It shows up in the inbox as it comes.",
            );
            Ok(go_saying(&context, &format!("/mailboxes/{id}"), &said))
        }
        Err(mistake) => {
            let index = load(&context, admin, id).await?;
            page::show_as(
                StatusCode::UNPROCESSABLE_ENTITY,
                &Index {
                    chosen,
                    days,
                    mistake,
                    ..index
                },
            )
        }
    }
}
