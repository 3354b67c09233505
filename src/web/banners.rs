//! What stands above every page: what administrators must know of, the most severe first, and for everybody
//! which mailboxes do not work, in words fit for them.

use super::microsoft;
use super::page::Page;
use crate::model::{AlertKind, Mailbox, MailboxStatus};

/// Lines shown; the rest is a number.
const LINES: usize = 3;
/// So many mailboxes in trouble are one line.
const TOGETHER_FROM: usize = 4;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Banner {
    rank: AlertKind,
    /// Mail is being held up now.
    pub(super) bad: bool,
    /// Its icon.
    pub(super) icon: &'static str,
    /// What it is about.
    pub(super) title: String,
    /// What happened, or what it means.
    pub(super) sentence: String,
    /// Where it is mended, and what the link is called.
    pub(super) link: Option<(String, &'static str)>,
}

/// All lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Banners {
    /// Those that are shown.
    pub(super) shown: Vec<Banner>,
    /// How many more there are.
    pub(super) more: usize,
}

impl Banners {
    /// What this page's reader has to know.
    #[must_use]
    pub(super) fn of(page: &Page) -> Self {
        let mut lines = mailbox_lines(page);
        if page.is_admin() {
            lines.extend(secret_line(page));
            lines.extend(alert_lines(page));
        }
        lines.sort_by_key(|line| line.rank);
        let more = lines.len().saturating_sub(LINES);
        lines.truncate(LINES);
        Self { shown: lines, more }
    }
}

/// Whether a person has to do something about a mailbox.
pub(super) fn needs_attention(mailbox: &Mailbox) -> bool {
    matches!(
        mailbox.status,
        MailboxStatus::NeedsSignIn | MailboxStatus::NeedsAdmin
    ) || mailbox
        .send_problem
        .as_ref()
        .is_some_and(|problem| !problem.is_transient())
}

/// Mailboxes that do not receive or send: those that need a person at once, and those of which an alert says
/// that their trouble lasts.
fn mailbox_lines(page: &Page) -> Vec<Banner> {
    let is_told = |mailbox: &Mailbox| {
        page.alerts.iter().any(|alert| {
            let about_mail = matches!(alert.cause.kind, AlertKind::Receiving | AlertKind::Sending);
            about_mail && alert.cause.mailbox_id == Some(mailbox.id)
        })
    };
    let troubled: Vec<&Mailbox> = page
        .mailboxes
        .iter()
        .filter(|mailbox| needs_attention(mailbox) || is_told(mailbox))
        .collect();
    if troubled.len() >= TOGETHER_FROM {
        let link = page
            .is_admin()
            .then(|| ("/mailboxes".to_owned(), "See which"));
        return vec![Banner {
            rank: AlertKind::Receiving,
            bad: true,
            icon: "triangle-alert",
            title: format!("{} mailboxes do not work.", troubled.len()),
            sentence: if page.is_admin() {
                "Mail waits at the provider meanwhile.".to_owned()
            } else {
                mendable().to_owned()
            },
            link,
        }];
    }
    troubled
        .into_iter()
        .map(|mailbox| mailbox_line(page, mailbox))
        .collect()
}

const fn mendable() -> &'static str {
    "An administrator can mend this. Nothing is lost meanwhile: mail waits at the provider."
}

fn mailbox_line(page: &Page, mailbox: &Mailbox) -> Banner {
    let (rank, what, problem) = match (&mailbox.problem, &mailbox.send_problem) {
        (None, Some(problem)) => (AlertKind::Sending, "does not send.", Some(problem)),
        (problem, _) => (AlertKind::Receiving, "does not receive.", problem.as_ref()),
    };
    let cause = problem.map_or("Nobody knows why yet.", |problem| problem.sentence.as_str());
    let sentence = if page.is_admin() {
        format!("{what} {cause}")
    } else if rank == AlertKind::Sending {
        format!(
            "{what} {cause} An administrator can mend this. Replies wait, and leave by themselves then."
        )
    } else {
        format!("{what} {cause} {}", mendable())
    };
    Banner {
        rank,
        bad: needs_attention(mailbox),
        icon: "triangle-alert",
        title: mailbox.address.clone(),
        sentence,
        link: page
            .is_admin()
            .then(|| (format!("/mailboxes/{}", mailbox.id), "See what to do")),
    }
}

fn secret_line(page: &Page) -> Option<Banner> {
    let left = page.secret_days_left?;
    let when = microsoft::days_left(left);
    let (verb, meaning) = if left < 0 {
        (
            "ended",
            "Mailboxes stop as soon as their sign-in has to be renewed.",
        )
    } else {
        ("ends", "After that every mailbox stops.")
    };
    Some(Banner {
        rank: AlertKind::AppSecret,
        bad: left <= 7,
        icon: "key-round",
        title: format!("The Entra app's secret {verb} {when}."),
        sentence: meaning.to_owned(),
        link: Some((
            "/admin/microsoft#settings".to_owned(),
            "Enter the new secret",
        )),
    })
}

/// Alerts that no line above speaks of.
fn alert_lines(page: &Page) -> impl Iterator<Item = Banner> {
    let others = page.alerts.iter().filter(|alert| {
        !matches!(
            alert.cause.kind,
            AlertKind::Receiving | AlertKind::Sending | AlertKind::AppSecret
        )
    });
    others.map(|alert| {
        let cause = &alert.cause;
        Banner {
            rank: cause.kind,
            bad: cause.kind == AlertKind::Disk,
            icon: "circle-alert",
            title: format!("{}.", cause.title),
            sentence: cause.problem.sentence.clone(),
            link: Some((cause.place.clone(), "See what to do")),
        }
    })
}
