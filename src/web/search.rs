//! Searching: one box over all mail and notes. What it understands stands in `model::search::query`.

mod asked;

use actix_web::web::Query as Address;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono_tz::Tz;

use super::context::Shared;
use super::error::Error;
use super::format;
use super::page::{self, Here, Page};
use super::session::Visitor;
use super::zone;
use crate::model::search::marks::{Part, Pattern, marked, snippet};
use crate::model::search::query::{self, Jump};
use crate::model::{Agent, ConversationRow, Mailbox, MailboxId};
use crate::store::results::{self, Ask, Best, Found};
use crate::store::{self, Db};
use crate::work::reparse;

/// Results on a page.
const ROWS: usize = 25;

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
    let zone = zone::named(&request);
    let wish = wish.into_inner();
    let shared = context.clone();
    let answer = context
        .read(move |db| {
            let page = Page::load(db, &shared, &visitor, "Search", Here::section("search"))?;
            answer(db, page, &visitor.agent, &wish, zone)
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
    wish: &Wish,
    zone: Option<Tz>,
) -> Result<Answer, Error> {
    let mailbox_id = match wish.mailbox.as_str() {
        "" => None,
        text => Some(known_mailbox(&page.mailboxes, text)?),
    };
    let question = wish.q.trim().to_owned();
    let all: Vec<MailboxId> = page.mailboxes.iter().map(|mailbox| mailbox.id).collect();
    let pinned = match leads(db, agent, &question, &all)? {
        Lead::To(url) => return Ok(Answer::Elsewhere(url)),
        Lead::Perhaps(row) => Some(*row),
        Lead::Nowhere => None,
    };
    let tz = zone.unwrap_or(Tz::UTC);
    let today = asked::today(page.now, tz);
    let mut query = query::parse(&question, today);
    let asked = !query.is_empty();
    let number = wish.page.parse().unwrap_or(1).clamp(1, 1_000);
    let ask = asked::Asked::new(db, &mut query, &page, agent, mailbox_id, today)?;
    let found = if asked {
        let ask = Ask {
            query: &query,
            scope: &ask.scope,
            assignees: ask.assignees,
            after_at: query.after.map(|day| asked::day_start(day, tz)),
            before_at: query.before.map(|day| asked::day_start(day, tz)),
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
    let pinned = pinned.filter(|_| number == 1);
    let lines = lines(pinned, found.found, &query.patterns());
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

/// Where a question leads by itself.
enum Lead {
    To(String),
    /// To this conversation, if nothing else has its number as a word.
    Perhaps(Box<ConversationRow>),
    Nowhere,
}

fn leads(db: &Db, agent: &Agent, question: &str, mailboxes: &[MailboxId]) -> Result<Lead, Error> {
    Ok(match query::jump(question) {
        Some(Jump::Number { id, sure }) => match store::inbox::find_row(db, agent.id, id)? {
            Some(_) if sure => Lead::To(format!("/conversations/{id}")),
            Some(row) => Lead::Perhaps(Box::new(row)),
            None => Lead::Nowhere,
        },
        Some(Jump::MessageId(id)) => {
            let found = results::find_by_internet_message_id(db, mailboxes, &id)?;
            found.map_or(Lead::Nowhere, |(conversation, message)| {
                Lead::To(format!("/conversations/{conversation}#message-{message}"))
            })
        }
        None => Lead::Nowhere,
    })
}

fn known_mailbox(mailboxes: &[Mailbox], text: &str) -> Result<MailboxId, Error> {
    mailboxes
        .iter()
        .map(|mailbox| mailbox.id)
        .find(|id| id.to_string() == text)
        .ok_or(Error::NotFound("mailbox"))
}

/// The lines of a page, that of the conversation with the number that was asked for first.
fn lines(pinned: Option<ConversationRow>, found: Vec<Found>, patterns: &[Pattern]) -> Vec<Line> {
    let first = pinned.as_ref().map(|row| row.id);
    let rest = found.into_iter().filter(|one| Some(one.row.id) != first);
    let pinned = pinned.map(|row| Found {
        row,
        best: None,
        count: 0,
    });
    pinned
        .into_iter()
        .chain(rest)
        .map(|found| line(found, patterns))
        .collect()
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
        // The contact's name stands above already.
        who: if who == row.contact_label {
            String::new()
        } else {
            who
        },
        snippet: text,
        is_note: best.as_ref().is_some_and(|best| best.message_id.is_none()),
        at: best.map_or(row.active_at, |best| best.at),
        row,
    }
}
