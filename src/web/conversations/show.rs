//! `GET /conversations/{number}`: everything of a conversation and the form to answer.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Path, Query};
use askama::Template;

use super::entries::{self, Entry};
use super::letter::{Around, Letter};
use super::number;
use super::reply_form::{Mode, ReplyForm};
use crate::desk;
use crate::model::{
    Agent, Conversation, ConversationId, DeliveryState, MailboxId, Message, MessageId, Status,
    StoppedBy, View,
};
use crate::reply;
use crate::store::{self, Db};
use crate::web::context::{Context, Shared};
use crate::web::error::Error;
use crate::web::files;
use crate::web::format;
use crate::web::page::{self, Here, Page};
use crate::web::session::Visitor;
use crate::web::waiting::Waiting;
use crate::web::zone::Preset;

/// Other conversations of the contact that are shown.
const OTHERS: u32 = 8;

/// What the address of the page may carry.
#[derive(Debug, Default, serde::Deserialize)]
pub(crate) struct Wish {
    /// `reply`, `all` or `note`.
    #[serde(default)]
    write: String,
    /// A message of ours that did not leave, to be put right.
    #[serde(default)]
    edit: String,
}

/// The page of a conversation.
#[derive(Template)]
#[template(path = "conversations/show.html")]
pub(super) struct Show {
    page: Page,
    conversation: Conversation,
    entries: Vec<Entry>,
    agents: Vec<Agent>,
    others: Vec<Conversation>,
    form: ReplyForm,
    /// Pictures of the contact's mail are shown without asking.
    pictures_chosen: bool,
}

impl Show {
    /// Reads everything the page shows; `form` is what to show in it, or nothing for a fresh one.
    pub(super) fn load(
        db: &Db,
        context: &Context,
        visitor: &Visitor,
        id: ConversationId,
        form: FormWish,
    ) -> Result<Self, Error> {
        let conversation =
            store::conversations::find(db, id)?.ok_or(Error::NotFound("conversation"))?;
        let title = if conversation.subject.is_empty() {
            "(no subject)"
        } else {
            &conversation.subject
        };
        let mut page = Page::load(db, context, visitor, title, Here::default())?;
        page.path = super::url(id);
        let mut messages = store::messages::list(db, id)?;
        messages.retain(|message| !is_replaced(message));
        let newest = messages
            .iter()
            .map(|message| message.id.0)
            .max()
            .unwrap_or(0);
        let form = match form {
            FormWish::Kept(form) => *form,
            FormWish::Edit(wanted) => {
                let message = messages
                    .iter()
                    .find(|message| message.id == wanted && is_unsent(message));
                let message = message.ok_or(Error::NotFound("reply to edit"))?;
                let draft_html = store::deliveries::leaving::find_draft_html(db, message.id)?;
                ReplyForm::edit(message, draft_html, newest)
            }
            FormWish::Fresh(mode) => {
                let all = reply::defaults(db, id, true)?;
                let mode = mode.unwrap_or(if all.cc.is_empty() {
                    Mode::Reply
                } else {
                    Mode::All
                });
                let defaults = if mode == Mode::Reply {
                    reply::defaults(db, id, false)?
                } else {
                    all
                };
                ReplyForm::fresh(mode, &defaults, newest)
            }
        };
        let seen = first_unseen(db, visitor, &conversation, &messages)?;
        let notes = store::notes::list(db, id)?;
        let events = store::events::list(db, id)?;
        let mut agents = store::agents::list(db)?;
        agents.retain(|agent| agent.disabled_at.is_none());
        let others =
            store::conversations::list_of_contact(db, conversation.contact.id, id, OTHERS)?;
        let messages = Around::list(db, context, &conversation.contact, messages)?;
        let pictures_chosen = store::picture_senders::is_chosen(db, &conversation.contact.address)?;
        let entries = entries::timeline(messages, notes, events, seen);
        Ok(Self {
            page,
            conversation,
            entries,
            agents,
            others,
            form,
            pictures_chosen,
        })
    }

    /// What a queued reply waits for, as a word.
    fn waiting_word(&self, letter: &Letter) -> Option<&'static str> {
        let delivery = letter.delivery()?;
        (delivery.state == DeliveryState::Queued).then(|| self.page.waiting(delivery).word())
    }

    /// Times that a reply is often planned for.
    fn presets(&self) -> Vec<Preset> {
        self.page.zone.presets(self.page.now)
    }

    fn url(&self) -> String {
        super::url(self.conversation.id)
    }

    fn subject(&self) -> &str {
        if self.conversation.subject.is_empty() {
            "(no subject)"
        } else {
            &self.conversation.subject
        }
    }

    fn is_closed(&self) -> bool {
        matches!(self.conversation.status, Status::Closed | Status::Spam)
    }

    fn is_open(&self) -> bool {
        self.conversation.status == Status::Open
    }

    fn is_mine(&self) -> bool {
        let me = self.page.agent.as_ref().map(|agent| agent.id);
        me.is_some() && me == self.conversation.assignee_id
    }

    fn is_assignee(&self, agent: &Agent) -> bool {
        self.conversation.assignee_id == Some(agent.id)
    }

    fn my_id(&self) -> i64 {
        self.page.agent.as_ref().map_or(0, |agent| agent.id.0)
    }

    fn status_label(&self) -> &'static str {
        status_label(&self.conversation.status)
    }

    fn initials(&self) -> String {
        format::initials(self.conversation.contact.label())
    }

    fn tint(&self) -> u32 {
        format::tint(self.conversation.contact.label())
    }

    fn mode_url(&self, mode: &str) -> String {
        format!("{}?write={mode}#write", self.url())
    }
}

fn mailbox_url(id: &MailboxId) -> String {
    page::inbox_url(View::Open, Some(*id))
}

fn status_label(status: &Status) -> &'static str {
    match status {
        Status::Open => "Open",
        Status::Waiting => "Waiting",
        Status::Snoozed => "Snoozed",
        Status::Closed => "Closed",
        Status::Spam => "Spam",
    }
}

/// Which form the page shows.
pub(super) enum FormWish {
    /// One filled with a message of ours that did not leave.
    Edit(MessageId),
    /// A fresh one.
    Fresh(Option<Mode>),
    /// One that was sent and needs correcting.
    Kept(Box<ReplyForm>),
}

/// Whether another was sent in place of a message of ours that did not leave.
fn is_replaced(message: &Message) -> bool {
    let delivery = message.delivery.as_ref();
    delivery.is_some_and(|delivery| delivery.replaced && delivery.state == DeliveryState::Cancelled)
}

/// Whether a message of ours did not leave and will not by itself.
pub(super) fn is_unsent(message: &Message) -> bool {
    message.delivery.as_ref().is_some_and(|delivery| {
        matches!(
            delivery.state,
            DeliveryState::Failed | DeliveryState::Cancelled
        )
    })
}

/// The place of the first message this agent has not seen; those from there on are shown open. What came by
/// a backfill is news for nobody.
fn first_unseen(
    db: &Db,
    visitor: &Visitor,
    conversation: &Conversation,
    messages: &[Message],
) -> Result<usize, Error> {
    let seen = store::views::find_seen(db, visitor.agent.id, conversation.id)?;
    let history = store::backfills::list_messages(db, conversation.id)?;
    Ok(messages
        .iter()
        .position(|message| message.id.0 > seen && !history.contains(&message.id))
        .unwrap_or(messages.len()))
}

/// `GET /conversations/{number}`
///
/// # Errors
/// When there is none, or the store fails.
pub(crate) async fn show(
    context: Shared,
    visitor: Visitor,
    path: Path<String>,
    wish: Query<Wish>,
) -> Result<HttpResponse, Error> {
    let id = number(&path)?;
    let form = match wish.edit.parse() {
        Ok(message) => FormWish::Edit(MessageId(message)),
        Err(_) => FormWish::Fresh(Mode::from_word(&wish.write)),
    };
    let shared = context.clone();
    let view = context
        .store(move |store| -> Result<Show, Error> {
            let view = store.read(|db| Show::load(db, &shared, &visitor, id, form))?;
            desk::see(store, &visitor.agent, id)?;
            Ok(view)
        })
        .await?;
    page::show(&view)
}

/// The page again with a form that needs correcting.
pub(super) async fn show_again(
    context: &Shared,
    visitor: &Visitor,
    id: ConversationId,
    form: ReplyForm,
) -> Result<HttpResponse, Error> {
    let (shared, visitor) = (context.clone(), visitor.clone());
    let view = context
        .read(move |db| Show::load(db, &shared, &visitor, id, FormWish::Kept(Box::new(form))))
        .await?;
    page::show_as(StatusCode::UNPROCESSABLE_ENTITY, &view)
}
