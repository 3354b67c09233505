//! What every page shows around its content: who is signed in, where one is, counts, mailboxes that
//! need attention, and the addresses of assets.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use askama::filters::HtmlSafe;

use super::assets::Assets;
use super::banners::{Banners, needs_attention};
use super::context::Context;
use super::error::Error;
use super::flash::Flash;
use super::format;
use super::live::Revisions;
use super::session::{Visit, Visitor};
use super::waiting::Waiting;
use super::zone::Zone;
use crate::model::{Agent, Alert, Delivery, InboxCounts, Mailbox, MailboxId, View, Word as _};
use crate::store::{self, Db};
use crate::work::entra_app;

/// The cookie that holds a chosen theme.
pub(super) const THEME_COOKIE: &str = "mailhatch_theme";

/// Colours of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Theme {
    /// As the system says.
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// The theme that a browser has chosen here.
    #[must_use]
    pub(super) fn of(request: &HttpRequest) -> Self {
        request
            .cookie(THEME_COOKIE)
            .map_or(Self::System, |cookie| Self::from_word(cookie.value()))
    }

    /// Reads a form's word; anything unknown follows the system.
    #[must_use]
    pub(super) fn from_word(word: &str) -> Self {
        match word {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::System,
        }
    }

    /// The word in cookie, form and attribute.
    #[must_use]
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// Which entry of the side bar is the current one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Here {
    /// `inbox`, `search`, `outbox`, `mailboxes`, `agents`, `app`, `ledger`, `alerts`, `health`.
    pub section: &'static str,
    /// In the inbox: which view.
    pub view: Option<View>,
    /// In the inbox: of which mailbox.
    pub mailbox_id: Option<MailboxId>,
}

impl Here {
    /// A section without a view.
    #[must_use]
    pub(super) fn section(section: &'static str) -> Self {
        Self {
            section,
            ..Self::default()
        }
    }
}

/// Deliveries that are not finished.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct OutboxCounts {
    /// Queued or being sent.
    pub waiting: i64,
    /// Failed, or not known whether it left: a person is needed.
    pub stuck: i64,
}

/// What surrounds the content of every page.
#[derive(Debug, Clone)]
pub(super) struct Page {
    /// Title of the window.
    pub title: String,
    /// Who is signed in; the side bar is shown only then.
    pub agent: Option<Agent>,
    /// Token for every unsafe form.
    pub csrf: String,
    /// Colours.
    pub theme: Theme,
    /// What the request before has to say.
    pub flash: Option<Flash>,
    /// Path and query of this page.
    pub path: String,
    /// When it was made, unix seconds UTC.
    pub now: i64,
    /// The same in milliseconds.
    pub now_ms: i64,
    /// The time zone of who looks.
    pub zone: Zone,
    /// Current entry of the side bar.
    pub here: Here,
    /// Counts of the inbox's views.
    pub counts: InboxCounts,
    /// Deliveries not finished.
    pub outbox: OutboxCounts,
    /// All mailboxes.
    pub mailboxes: Vec<Mailbox>,
    /// Open alerts.
    pub alerts: Vec<Alert>,
    /// For administrators: days until the Entra app's secret ends, once that is near; negative after.
    pub secret_days_left: Option<i64>,
    /// Which state of the store the page shows; [`super::live`] tells what has changed since.
    pub(super) shows: Revisions,
    assets: Assets,
}

impl Page {
    /// A page of a signed-in agent.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) fn load(
        db: &Db,
        context: &Context,
        visitor: &Visitor,
        title: &str,
        here: Here,
    ) -> Result<Self, Error> {
        let mut page = Self::bare(context, &visitor.visit, title);
        let (waiting, failed, uncertain) = store::deliveries::count_unfinished(db)?;
        page.here = here;
        page.counts = store::inbox::counts(db, visitor.agent.id, here.mailbox_id)?;
        page.outbox = OutboxCounts {
            waiting,
            stuck: failed + uncertain,
        };
        page.mailboxes = store::mailboxes::list(db)?;
        page.alerts = store::alerts::list_open(db)?;
        if visitor.agent.is_admin() {
            page.secret_days_left = entra_app::days_left_to_warn_of(db, page.now)?;
        }
        page.shows = Revisions::read(db)?;
        page.agent = Some(visitor.agent.clone());
        Ok(page)
    }

    /// A page without a side bar, made without asking the store.
    #[must_use]
    pub(super) fn bare(context: &Context, visit: &Visit, title: &str) -> Self {
        Self {
            title: title.to_owned(),
            agent: None,
            csrf: visit.csrf.clone(),
            theme: visit.theme,
            flash: visit.flash.clone(),
            path: visit.path.clone(),
            now: context.now(),
            now_ms: context.services.clock.now_ms(),
            zone: visit.zone,
            here: Here::default(),
            counts: InboxCounts::default(),
            outbox: OutboxCounts::default(),
            mailboxes: Vec::new(),
            alerts: Vec::new(),
            secret_days_left: None,
            shows: Revisions::default(),
            assets: context.assets.clone(),
        }
    }

    /// The address of an embedded file.
    #[must_use]
    pub(super) fn asset(&self, name: &str) -> String {
        self.assets.url(name)
    }

    /// An icon of the sprite; for the eye only, words stand beside it.
    #[must_use]
    pub(super) fn icon(&self, name: &'static str) -> Icon {
        Icon {
            sprite: self.asset("vendor/lucide/icons.svg"),
            name,
        }
    }

    /// A time as a short distance from now, with the whole time for the pointer.
    #[must_use]
    pub(super) fn time(&self, at: &i64) -> Time {
        Time {
            at: *at,
            text: format::ago(*at, self.now),
            exact: false,
        }
    }

    /// A time in full.
    #[must_use]
    #[expect(clippy::unused_self, reason = "stands beside `time` in templates")]
    pub(super) fn full_time(&self, at: &i64) -> Time {
        Time {
            at: *at,
            text: format::absolute(*at),
            exact: true,
        }
    }

    /// A time in full in the zone of who looks, for what is planned.
    #[must_use]
    pub(super) fn plan_time(&self, at: &i64) -> Time {
        Time {
            at: *at,
            text: self.zone.words(*at),
            exact: false,
        }
    }

    /// A time as the value of a field, in the zone of who looks.
    #[must_use]
    pub(super) fn field_time(&self, at: &i64) -> String {
        self.zone.field(*at)
    }

    /// What a queued reply waits for.
    #[must_use]
    pub(super) fn waiting(&self, delivery: &Delivery) -> Waiting {
        let mailbox = self
            .mailboxes
            .iter()
            .find(|mailbox| mailbox.id == delivery.mailbox_id);
        Waiting::of(delivery, mailbox, self.now_ms)
    }

    /// How long until a time.
    #[must_use]
    pub(super) fn within(&self, at: &i64) -> String {
        format::within(*at, self.now)
    }

    /// Whether the signed-in agent administers.
    #[must_use]
    pub(super) fn is_admin(&self) -> bool {
        self.agent.as_ref().is_some_and(Agent::is_admin)
    }

    /// Whether a section of the side bar is the current one.
    #[must_use]
    pub(super) fn is_in(&self, section: &str) -> bool {
        self.here.section == section
    }

    /// Views of the inbox with their counts, for the side bar.
    #[must_use]
    pub(super) fn views(&self) -> Vec<ViewLink> {
        let icon = |view: View| match view {
            View::Open => "inbox",
            View::Mine => "circle-user",
            View::Unassigned => "user-x",
            View::Waiting => "hourglass",
            View::Closed => "circle-check",
            View::Spam => "shield-check",
        };
        [
            (View::Open, "Open", Some(self.counts.open)),
            (View::Mine, "Mine", Some(self.counts.mine)),
            (View::Unassigned, "Unassigned", Some(self.counts.unassigned)),
            (View::Waiting, "Waiting", Some(self.counts.waiting)),
            (View::Closed, "Closed", None),
            (View::Spam, "Spam", Some(self.counts.spam)),
        ]
        .into_iter()
        // Few watch a Junk folder.
        .filter(|(view, ..)| {
            *view != View::Spam || self.counts.spam > 0 || self.here.view == Some(View::Spam)
        })
        .map(|(view, label, count)| ViewLink {
            label,
            icon: icon(view),
            count: count.filter(|count| *count > 0),
            url: inbox_url(view, self.here.mailbox_id),
            current: self.here.view == Some(view),
        })
        .collect()
    }

    /// Mailboxes for the side bar.
    #[must_use]
    pub(super) fn mailbox_links(&self) -> Vec<MailboxLink<'_>> {
        let view = self.here.view.unwrap_or(View::Open);
        self.mailboxes
            .iter()
            .map(|mailbox| MailboxLink {
                mailbox,
                url: inbox_url(view, Some(mailbox.id)),
                current: self.here.mailbox_id == Some(mailbox.id),
                troubled: needs_attention(mailbox),
            })
            .collect()
    }

    /// The address of the current view over all mailboxes.
    #[must_use]
    pub(super) fn all_mailboxes_url(&self) -> String {
        inbox_url(self.here.view.unwrap_or(View::Open), None)
    }

    /// What stands above the content.
    #[must_use]
    pub(super) fn banners(&self) -> Banners {
        Banners::of(self)
    }

    /// Mailboxes that do not receive or do not send and need a person.
    #[must_use]
    pub(super) fn troubled_mailboxes(&self) -> Vec<&Mailbox> {
        self.mailboxes
            .iter()
            .filter(|mailbox| needs_attention(mailbox))
            .collect()
    }
}

/// The address of a list.
#[must_use]
pub(super) fn inbox_url(view: View, mailbox_id: Option<MailboxId>) -> String {
    let view = if view == View::Open {
        String::new()
    } else {
        format!("view={}", view.word())
    };
    let mailbox = mailbox_id.map_or_else(String::new, |id| format!("mailbox={id}"));
    let query: Vec<String> = [view, mailbox]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    if query.is_empty() {
        "/".to_owned()
    } else {
        format!("/?{}", query.join("&"))
    }
}

/// A view in the side bar.
#[derive(Debug, Clone)]
pub(super) struct ViewLink {
    /// Its name.
    pub label: &'static str,
    /// Its icon.
    pub icon: &'static str,
    /// How many conversations, if it says so.
    pub count: Option<i64>,
    /// Where it is.
    pub url: String,
    /// It is shown now.
    pub current: bool,
}

/// A mailbox in the side bar.
#[derive(Debug, Clone)]
pub(super) struct MailboxLink<'a> {
    /// Which.
    pub mailbox: &'a Mailbox,
    /// Its list.
    pub url: String,
    /// It is shown now.
    pub current: bool,
    /// It needs a person.
    pub troubled: bool,
}

/// An icon as SVG.
#[derive(Debug, Clone)]
pub(super) struct Icon {
    sprite: String,
    name: &'static str,
}

impl fmt::Display for Icon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            r##"<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>"##,
            self.sprite, self.name
        )
    }
}

// Both parts are constants of this program.
impl HtmlSafe for Icon {}

/// HTML made here from text, everything in it escaped.
#[derive(Debug, Clone)]
pub(super) struct Html(String);

impl Html {
    /// Takes what [`crate::mail::html::text_to_html`] made.
    pub(super) fn escaped(html: String) -> Self {
        Self(html)
    }
}

impl fmt::Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// Made only from escaped text.
impl HtmlSafe for Html {}

/// A time as an element that the browser turns into its own time zone.
#[derive(Debug, Clone)]
pub(super) struct Time {
    at: i64,
    text: String,
    exact: bool,
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (iso, full) = (format::iso(self.at), format::absolute(self.at));
        let exact = if self.exact { " data-exact" } else { "" };
        write!(
            f,
            r#"<time datetime="{iso}" title="{full}"{exact}>{}</time>"#,
            self.text
        )
    }
}

// Made of digits and the names of months.
impl HtmlSafe for Time {}

/// A page as the answer.
///
/// # Errors
/// When the template fails.
pub(super) fn show(template: &impl Template) -> Result<HttpResponse, Error> {
    show_as(StatusCode::OK, template)
}

/// A page as the answer with another status, such as 422 for a form to be corrected.
///
/// # Errors
/// When the template fails.
pub(super) fn show_as(status: StatusCode, template: &impl Template) -> Result<HttpResponse, Error> {
    let html = template.render()?;
    Ok(HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .body(html))
}

/// Where to go after a form was taken.
#[must_use]
pub(super) fn go(to: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header(("location", to))
        .finish()
}

/// Where to go after a form was taken, with a sentence to show there.
#[must_use]
pub(super) fn go_saying(context: &Context, to: &str, flash: &Flash) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header(("location", to))
        .cookie(flash.to_cookie(context.config().is_https()))
        .finish()
}

/// A path of this site, or `fallback` when the text could lead elsewhere.
#[must_use]
pub(super) fn local_path<'a>(text: &'a str, fallback: &'a str) -> &'a str {
    let fine = text.starts_with('/')
        && !text.starts_with("//")
        && !text.starts_with("/\\")
        && !text.chars().any(char::is_control);
    if fine { text } else { fallback }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_site_are_gone_to() {
        assert_eq!(
            local_path("/conversations/7?images=1", "/"),
            "/conversations/7?images=1"
        );
        for bad in [
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "",
            "x",
            "/a\r\nb",
        ] {
            assert_eq!(local_path(bad, "/"), "/");
        }
    }

    #[test]
    fn addresses_of_lists_leave_out_what_is_usual() {
        assert_eq!(inbox_url(View::Open, None), "/");
        assert_eq!(
            inbox_url(View::Mine, Some(MailboxId(3))),
            "/?view=mine&mailbox=3"
        );
    }
}
