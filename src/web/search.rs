//! Searching: one box over all mail and notes. What it understands stands in `model::search::query`.

use actix_web::web::Query as Address;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::{Days, NaiveDate, TimeZone as _};
use chrono_tz::Tz;

use super::context::Shared;
use super::error::Error;
use super::format;
use super::page::{self, Here, Page};
use super::session::Visitor;
use crate::model::search::expression::Scope;
use crate::model::search::marks::{Part, Pattern, marked, snippet};
use crate::model::search::query::{self, Assignee, Jump, Query, Remark, Wanted};
use crate::model::{Agent, AgentId, ConversationRow, Mailbox, MailboxId};
use crate::store::results::{self, Ask, Best, Found};
use crate::store::{self, Db};
use crate::work::reparse;

/// Results on a page.
const ROWS: usize = 25;
/// The cookie in which a browser says its time zone.
const ZONE_COOKIE: &str = "mailhatch_zone";

/// What the address may carry.
#[derive(Debug, Default, serde::Deserialize)]
pub(super) struct Wish {
    #[serde(default)]
    q: String,
    #[serde(default)]
    mailbox: String,
    #[serde(default)]
    page: String,
}

#[derive(Template)]
#[template(path = "search/index.html")]
struct Index {
    page: Page,
    question: String,
    /// There was something in the question to search for.
    asked: bool,
    mailbox_id: Option<MailboxId>,
    remarks: Vec<String>,
    lines: Vec<Line>,
    total: usize,
    is_cut: bool,
    /// Of the list, from 1.
    number: usize,
    has_more: bool,
    /// Messages that an upgrade has not read yet.
    unread: i64,
    zone: Option<&'static str>,
}

/// One result.
struct Line {
    row: ConversationRow,
    url: String,
    contact: Vec<Part>,
    subject: Vec<Part>,
    who: String,
    snippet: Vec<Part>,
    is_note: bool,
    at: i64,
}

impl Index {
    fn url(&self, mailbox_id: Option<MailboxId>, number: usize) -> String {
        let mut pairs = url::form_urlencoded::Serializer::new(String::new());
        pairs.append_pair("q", &self.question);
        if let Some(id) = mailbox_id {
            pairs.append_pair("mailbox", &id.to_string());
        }
        if number > 1 {
            pairs.append_pair("page", &number.to_string());
        }
        format!("/search?{}", pairs.finish())
    }

    fn all_url(&self) -> String {
        self.url(None, 1)
    }

    fn mailbox_url(&self, mailbox: &Mailbox) -> String {
        self.url(Some(mailbox.id), 1)
    }

    fn is_here(&self, mailbox: &Mailbox) -> bool {
        self.mailbox_id == Some(mailbox.id)
    }

    fn before_url(&self) -> String {
        self.url(self.mailbox_id, self.number.saturating_sub(1))
    }

    fn after_url(&self) -> String {
        self.url(self.mailbox_id, self.number.saturating_add(1))
    }

    fn count_words(&self) -> String {
        match (self.total, self.is_cut) {
            (1, false) => "1 conversation".to_owned(),
            (total, false) => format!("{total} conversations"),
            (total, true) => format!(
                "More than can be ranked: the best {total} conversations of the newest matches. Add a word or an operator to find older ones."
            ),
        }
    }

    fn unread_words(&self) -> String {
        match self.unread {
            1 => "1 message".to_owned(),
            more => format!("{} messages", reparse::thousands(more)),
        }
    }
}

/// What comes of a question.
enum Answer {
    Page(Box<Index>),
    Elsewhere(String),
}

/// `GET /search`
///
/// # Errors
/// Those of the store, and [`Error::NotFound`] for a mailbox that is not there.
pub(super) async fn index(
    context: Shared,
    visitor: Visitor,
    request: HttpRequest,
    wish: Address<Wish>,
) -> Result<HttpResponse, Error> {
    let zone: Option<Tz> = request
        .cookie(ZONE_COOKIE)
        .and_then(|cookie| cookie.value().parse().ok());
    let wish = wish.into_inner();
    let shared = context.clone();
    let answer = context
        .read(move |db| {
            let page = Page::load(db, &shared, &visitor, "Search", Here::section("search"))?;
            answer(db, page, &visitor.agent, wish, zone)
        })
        .await?;
    match answer {
        Answer::Page(index) => page::show(&*index),
        Answer::Elsewhere(url) => Ok(page::go(&url)),
    }
}

fn answer(
    db: &Db,
    page: Page,
    agent: &Agent,
    wish: Wish,
    zone: Option<Tz>,
) -> Result<Answer, Error> {
    let mailbox_id = match wish.mailbox.as_str() {
        "" => None,
        text => Some(known_mailbox(&page.mailboxes, text)?),
    };
    let question = wish.q.trim().to_owned();
    let all: Vec<MailboxId> = page.mailboxes.iter().map(|mailbox| mailbox.id).collect();
    let mut pinned = None;
    match query::jump(&question) {
        Some(Jump::Number { id, sure }) => {
            pinned = store::inbox::find_row(db, agent.id, id)?;
            if sure && pinned.is_some() {
                return Ok(Answer::Elsewhere(format!("/conversations/{id}")));
            }
        }
        Some(Jump::MessageId(id)) => {
            if let Some((conversation, message)) =
                results::find_by_internet_message_id(db, &all, &id)?
            {
                let url = format!("/conversations/{conversation}#message-{message}");
                return Ok(Answer::Elsewhere(url));
            }
        }
        None => {}
    }
    let tz = zone.unwrap_or(Tz::UTC);
    let today = tz
        .timestamp_opt(page.now, 0)
        .earliest()
        .map_or_else(NaiveDate::default, |now| now.date_naive());
    let mut query = query::parse(&question, today);
    let asked = !query.is_empty();
    let number = wish.page.parse().unwrap_or(1).clamp(1, 1_000);
    let ask = Asked::new(db, &mut query, &page, agent, mailbox_id, today)?;
    let found = if asked {
        let ask = Ask {
            query: &query,
            scope: &ask.scope,
            assignees: ask.assignees,
            after_at: query.after.map(|day| day_start(day, tz)),
            before_at: query.before.map(|day| day_start(day, tz)),
            agent_id: agent.id,
            now: page.now,
            skip: (number - 1) * ROWS,
            limit: ROWS,
        };
        results::find(db, &ask)?
    } else {
        results::Results::default()
    };
    let others = found
        .found
        .iter()
        .any(|one| pinned.as_ref().is_none_or(|row| row.id != one.row.id));
    if let Some(row) = pinned.as_ref().filter(|_| !others && number == 1) {
        return Ok(Answer::Elsewhere(format!("/conversations/{}", row.id)));
    }
    let patterns = query.patterns();
    let pinned = pinned.filter(|_| number == 1);
    let first = pinned.iter().map(|row| row.id).next();
    let rest = found
        .found
        .into_iter()
        .filter(|one| Some(one.row.id) != first);
    let lines = pinned
        .into_iter()
        .map(|row| Found {
            row,
            best: None,
            count: 0,
        })
        .chain(rest)
        .map(|found| line(found, &patterns))
        .collect();
    Ok(Answer::Page(Box::new(Index {
        unread: reparse::left(db)?,
        asked,
        mailbox_id,
        remarks: query.remarks.iter().map(ToString::to_string).collect(),
        lines,
        total: found.total,
        is_cut: found.is_cut,
        number,
        has_more: found.total > number * ROWS,
        zone: zone.map(Tz::name),
        question,
        page,
    })))
}

fn known_mailbox(mailboxes: &[Mailbox], text: &str) -> Result<MailboxId, Error> {
    mailboxes
        .iter()
        .map(|mailbox| mailbox.id)
        .find(|id| id.to_string() == text)
        .ok_or(Error::NotFound("mailbox"))
}

/// Names in a question, looked up.
struct Asked {
    scope: Scope,
    assignees: Vec<Wanted<Option<AgentId>>>,
}

impl Asked {
    fn new(
        db: &Db,
        query: &mut Query,
        page: &Page,
        agent: &Agent,
        mailbox_id: Option<MailboxId>,
        today: NaiveDate,
    ) -> Result<Self, Error> {
        let mut remarks = Vec::new();
        let mut wanted: Option<Vec<MailboxId>> = None;
        let mut unwanted = Vec::new();
        for wish in &query.mailboxes {
            let found = named(
                &wish.value,
                page.mailboxes
                    .iter()
                    .map(|one| (one.id, one.name.as_str(), one.address.as_str())),
            );
            if found.is_empty() {
                remarks.push(Remark::NoMailbox(wish.value.clone()));
            }
            if wish.not {
                unwanted.extend(found);
            } else {
                wanted.get_or_insert_default().extend(found);
            }
        }
        let is_searched = |id: &MailboxId| {
            mailbox_id.is_none_or(|only| only == *id)
                && wanted.as_ref().is_none_or(|wanted| wanted.contains(id))
                && !unwanted.contains(id)
        };
        let mailboxes: Vec<MailboxId> = page
            .mailboxes
            .iter()
            .map(|one| one.id)
            .filter(is_searched)
            .collect();
        let all = mailboxes.len() == page.mailboxes.len();
        let mut assignees = Vec::new();
        if !query.assignees.is_empty() {
            let agents = store::agents::list(db)?;
            for wish in &query.assignees {
                let found = match &wish.value {
                    Assignee::Me => vec![Some(agent.id)],
                    Assignee::Nobody => vec![None],
                    Assignee::Named(name) => {
                        let found = named(
                            name,
                            agents
                                .iter()
                                .map(|one| (one.id, one.name.as_str(), one.email.as_str())),
                        );
                        found.into_iter().map(Some).collect()
                    }
                };
                if let (Assignee::Named(name), []) = (&wish.value, found.as_slice()) {
                    remarks.push(Remark::NoAgent(name.clone()));
                    // Nobody has this id.
                    assignees.push(Wanted {
                        value: Some(AgentId(0)),
                        not: wish.not,
                    });
                }
                assignees.extend(found.into_iter().map(|value| Wanted {
                    value,
                    not: wish.not,
                }));
            }
        }
        query.remarks.extend(remarks);
        Ok(Self {
            scope: Scope {
                mailboxes,
                all,
                today,
            },
            assignees,
        })
    }
}

/// Those that are called so; where none is, those whose name or address has it as a part.
fn named<'a, Id: Copy>(
    wanted: &str,
    all: impl Iterator<Item = (Id, &'a str, &'a str)> + Clone,
) -> Vec<Id> {
    let wanted = wanted.to_lowercase();
    let is_called = |text: &str| {
        let text = text.to_lowercase();
        text == wanted
            || text
                .split_once('@')
                .is_some_and(|(local, _)| local == wanted)
    };
    let has = |text: &str| text.to_lowercase().contains(&wanted);
    let exact = all
        .clone()
        .filter(|(_, name, address)| is_called(name) || is_called(address));
    let exact: Vec<Id> = exact.map(|(id, _, _)| id).collect();
    if !exact.is_empty() {
        return exact;
    }
    let parts = all.filter(|(_, name, address)| has(name) || has(address));
    parts.map(|(id, _, _)| id).collect()
}

/// When a day begins somewhere; where clocks are put forward at midnight, an hour later.
fn day_start(day: NaiveDate, zone: Tz) -> i64 {
    let begins = |hour| {
        let at = day.and_hms_opt(hour, 0, 0)?;
        zone.from_local_datetime(&at).earliest()
    };
    let noon_before = day
        .checked_sub_days(Days::new(1))
        .and_then(|day| day.and_hms_opt(12, 0, 0));
    begins(0).or_else(|| begins(1)).map_or_else(
        || noon_before.map_or(0, |at| at.and_utc().timestamp()),
        |at| at.timestamp(),
    )
}

fn line(found: Found, patterns: &[Pattern]) -> Line {
    let Found { row, best, .. } = found;
    let anchor = match &best {
        Some(Best {
            message_id: Some(id),
            ..
        }) => format!("#message-{id}"),
        _ => String::new(),
    };
    let shown = best.as_ref().and_then(|best| {
        snippet(&best.new_text, patterns).or_else(|| snippet(&best.text, patterns))
    });
    let preview = || {
        vec![Part {
            text: row.preview.clone(),
            marked: false,
        }]
    };
    let (who, text) = match (&best, shown) {
        (Some(best), Some(parts)) => (best.who.clone(), parts),
        // It is in the subject, a name or a file: the first words of what has it.
        (Some(best), None) => {
            let words = crate::mail::html::preview(&best.new_text, 160);
            (
                best.who.clone(),
                vec![Part {
                    text: words,
                    marked: false,
                }],
            )
        }
        (None, _) => (String::new(), preview()),
    };
    Line {
        url: format!("/conversations/{}{anchor}", row.id),
        contact: marked(&row.contact_label, patterns),
        subject: marked(&row.subject, patterns),
        who,
        snippet: text,
        is_note: best.as_ref().is_some_and(|best| best.message_id.is_none()),
        at: best.map_or(row.active_at, |best| best.at),
        row,
    }
}
