//! The inbox: conversations of one or all mailboxes in five views.

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;

use super::context::Shared;
use super::error::Error;
use super::format;
use super::page::{self, Here, Page, inbox_url};
use super::session::Visitor;
use crate::model::{
    ConversationId, ConversationRow, Direction, InboxPage, InboxQuery, Mailbox, MailboxId, Status,
    View, Word as _,
};
use crate::store;

/// Rows on a page.
const ROWS: u32 = 50;

/// What the address of a list may carry.
#[derive(Debug, Default, serde::Deserialize)]
pub(super) struct Wish {
    #[serde(default)]
    view: String,
    #[serde(default)]
    mailbox: String,
    /// `active_at-id` of the last row of the page before.
    #[serde(default)]
    after: String,
}

#[derive(Template)]
#[template(path = "inbox/index.html")]
struct Index {
    page: Page,
    view: View,
    mailbox: Option<Mailbox>,
    list: InboxPage,
    older: Option<String>,
    first_page: bool,
}

impl Index {
    fn heading(&self) -> &'static str {
        match self.view {
            View::Open => "Open",
            View::Mine => "Mine",
            View::Unassigned => "Unassigned",
            View::Waiting => "Waiting",
            View::Closed => "Closed",
            View::Spam => "Spam",
        }
    }

    fn first_url(&self) -> String {
        inbox_url(self.view, self.page.here.mailbox_id)
    }

    fn view_url(&self, view: View) -> String {
        inbox_url(view, self.page.here.mailbox_id)
    }

    /// Changes when the row must be drawn again.
    fn version(&self, row: &ConversationRow) -> String {
        format!(
            "{}-{}-{}-{}-{}-{}-{}",
            row.active_at,
            row.message_count,
            row.status.word(),
            u8::from(row.unread),
            row.failed_count,
            row.assignee_name.as_deref().unwrap_or_default(),
            format::ago(row.active_at, self.page.now),
        )
    }

    /// Where a row of the open view stands is clear from the view.
    fn shows_status(&self, row: &ConversationRow) -> bool {
        row.status != Status::Open
            && !matches!(self.view, View::Closed | View::Waiting | View::Spam)
    }
}

fn is_ours_last(row: &ConversationRow) -> bool {
    row.last_direction == Direction::Outgoing
}

/// `GET /`
///
/// # Errors
/// Those of the store, and [`Error::NotFound`] for a mailbox that is not there.
pub(super) async fn index(
    context: Shared,
    visitor: Option<Visitor>,
    wish: Query<Wish>,
) -> Result<HttpResponse, Error> {
    let Some(visitor) = visitor else {
        let empty = context
            .read(|db| Ok(store::agents::count(db)? == 0))
            .await?;
        return Err(if empty {
            Error::SeeOther("/setup".to_owned())
        } else {
            Error::SignIn(String::new())
        });
    };
    let view = View::from_word(&wish.view).unwrap_or(View::Open);
    let mailbox_id = match wish.mailbox.as_str() {
        "" => None,
        text => Some(MailboxId(
            text.parse().map_err(|_| Error::NotFound("mailbox"))?,
        )),
    };
    let after = cursor(&wish.after);
    let shared = context.clone();
    let index = context
        .read(move |db| {
            let here = Here {
                section: "inbox",
                view: Some(view),
                mailbox_id,
            };
            let page = Page::load(db, &shared, &visitor, "Inbox", here)?;
            let query = InboxQuery {
                view,
                mailbox_id,
                agent_id: visitor.agent.id,
                after,
                limit: ROWS,
            };
            let mailbox = match mailbox_id {
                Some(id) => Some(
                    page.mailboxes
                        .iter()
                        .find(|mailbox| mailbox.id == id)
                        .cloned()
                        .ok_or(Error::NotFound("mailbox"))?,
                ),
                None => None,
            };
            let list = store::inbox::page(db, &query)?;
            let older = list.next.map(|(at, id)| {
                let base = inbox_url(view, mailbox_id);
                let joint = if base.contains('?') { '&' } else { '?' };
                format!("{base}{joint}after={at}-{id}")
            });
            Ok(Index {
                page,
                view,
                mailbox,
                list,
                older,
                first_page: after.is_none(),
            })
        })
        .await?;
    page::show(&index)
}

fn cursor(text: &str) -> Option<(i64, ConversationId)> {
    let (at, id) = text.split_once('-')?;
    Some((at.parse().ok()?, ConversationId(id.parse().ok()?)))
}
