//! An alert in words and as data: the mail's text and the webhook's body. Neither holds the other side's own
//! words, which may name customers.

use serde::Serialize;
use url::Url;

use crate::model::{Alert, AlertCause, AlertKind, AlertPhase};
use crate::problem::{Disposition, Problem};

/// One moment of an alert, to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Letter {
    /// The webhook's body.
    pub(super) body: Body,
    /// The mail's subject.
    pub(super) subject: String,
    /// The mail's text.
    pub(super) text: String,
}

/// What the webhook sends; explained in docs/ALERTS.md.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Body {
    /// The alert's name, the same when it is over.
    pub(super) id: String,
    /// What it is about.
    pub(super) kind: String,
    /// `opened`, `over` or `test`.
    pub(super) phase: &'static str,
    /// The one thing it is about, such as `mailbox:3:receive`.
    pub(super) subject: String,
    /// In a few words.
    pub(super) title: String,
    /// What happened.
    pub(super) sentence: String,
    /// What to do.
    pub(super) remedy: String,
    /// The problem's code.
    pub(super) code: String,
    /// The page where it is mended.
    pub(super) link: String,
    /// When it began.
    pub(super) opened_at: i64,
    /// When what is told happened.
    pub(super) at: i64,
}

/// A moment of an alert in words.
pub(super) fn write(alert: &Alert, phase: AlertPhase, site: &Url) -> Letter {
    let cause = &alert.cause;
    let over_at = alert.closed_at.unwrap_or(alert.opened_at);
    let (word, at) = match phase {
        AlertPhase::Opened => ("opened", alert.opened_at),
        AlertPhase::Over => ("over", over_at),
    };
    let link = page(site, &cause.place);
    let settings = page(site, "/admin/alerts");
    let text = match phase {
        AlertPhase::Opened => format!(
            "{}.\n\nWhat happened: {}\n\nWhat to do: {}\n\nWhere: {link}\nSince: {}\n\nYou are told once, and once more when it is over. Who is told is set at\n{settings}\n",
            cause.title,
            cause.problem.sentence,
            remedy(&cause.problem),
            time(alert.opened_at)
        ),
        AlertPhase::Over => format!(
            "It is over: {}.\n\nWhat had happened: {}\n\nFrom {} to {}. Nothing needs to be done any more.\n\nAll alerts: {settings}\n",
            cause.title,
            cause.problem.sentence,
            time(alert.opened_at),
            time(over_at)
        ),
    };
    let subject = match phase {
        AlertPhase::Opened => format!("[Mailhatch] {}", cause.title),
        AlertPhase::Over => format!("[Mailhatch] Over: {}", cause.title),
    };
    let body = Body {
        id: alert.public_id.clone(),
        kind: cause.kind.to_string(),
        phase: word,
        subject: cause.key.clone(),
        title: cause.title.clone(),
        sentence: cause.problem.sentence.clone(),
        remedy: cause.problem.remedy.clone(),
        code: cause.problem.code.clone(),
        link,
        opened_at: alert.opened_at,
        at,
    };
    Letter {
        body,
        subject,
        text,
    }
}

/// A test, so that a way can be tried before it is needed.
pub(super) fn test(site: &Url, id: &str, now: i64) -> Letter {
    let problem = Problem::new(
        "test",
        Disposition::GiveUp,
        "Nothing: an administrator asked for a test.",
        "Nothing. Alerts will come this way.",
    );
    let alert = Alert {
        id: crate::model::AlertId(0),
        public_id: id.to_owned(),
        cause: AlertCause {
            kind: AlertKind::Backup,
            key: "test".to_owned(),
            mailbox_id: None,
            title: "A test of the alerts".to_owned(),
            problem,
            place: "/admin/alerts".to_owned(),
        },
        opened_at: now,
        closed_at: None,
    };
    let mut letter = write(&alert, AlertPhase::Opened, site);
    letter.body.phase = "test";
    "test".clone_into(&mut letter.body.kind);
    letter
}

fn remedy(problem: &Problem) -> String {
    let more = [&problem.link, &problem.command];
    more.into_iter()
        .flatten()
        .fold(problem.remedy.clone(), |text, more| {
            format!("{text}\n    {more}")
        })
}

/// The address of a page of ours.
fn page(site: &Url, path: &str) -> String {
    format!("{}{path}", site.as_str().trim_end_matches('/'))
}

fn time(at: i64) -> String {
    chrono::DateTime::from_timestamp(at, 0).map_or_else(String::new, |at| {
        at.format("%Y-%m-%d %H:%M UTC").to_string()
    })
}
