//! What is done with a conversation beside answering it: each act is a resource that is made.

use actix_web::HttpResponse;
use actix_web::web::Path;

use super::reply_form::ReplyForm;
use super::{number, show, url};
use crate::desk;
use crate::mail::thread::base_subject;
use crate::model::{Agent, AgentId, ConversationId, MessageId};
use crate::reply;
use crate::store::{self, Store};
use crate::web::context::Shared;
use crate::web::error::Error;
use crate::web::flash::Flash;
use crate::web::forms::Posted;
use crate::web::page::{go, go_saying};
use crate::web::session::Visitor;

type Act = fn(&Store, i64, &Agent, ConversationId) -> Result<(), desk::Error>;

async fn act(
    context: Shared,
    visitor: Visitor,
    path: Path<String>,
    act: Act,
    sentence: &str,
) -> Result<HttpResponse, Error> {
    let id = number(&path)?;
    let now = context.now();
    context
        .store(move |store| act(store, now, &visitor.agent, id))
        .await?;
    Ok(go_saying(&context, &url(id), &Flash::good(sentence)))
}

/// `POST /conversations/{number}/closure`
///
/// # Errors
/// When there is no such conversation, or the store fails.
pub(crate) async fn close(
    context: Shared,
    visitor: Visitor,
    path: Path<String>,
    _form: Posted,
) -> Result<HttpResponse, Error> {
    act(
        context,
        visitor,
        path,
        desk::close,
        "Closed. New mail in it opens it again.",
    )
    .await
}

/// `POST /conversations/{number}/reopening`
///
/// # Errors
/// When there is no such conversation, or the store fails.
pub(crate) async fn reopen(
    context: Shared,
    visitor: Visitor,
    path: Path<String>,
    _form: Posted,
) -> Result<HttpResponse, Error> {
    act(context, visitor, path, desk::reopen, "Opened again.").await
}

/// `POST /conversations/{number}/waiting`
///
/// # Errors
/// When there is no such conversation, or the store fails.
pub(crate) async fn wait(
    context: Shared,
    visitor: Visitor,
    path: Path<String>,
    _form: Posted,
) -> Result<HttpResponse, Error> {
    act(
        context,
        visitor,
        path,
        desk::wait,
        "Waiting for the customer. Their answer opens it again.",
    )
    .await
}

/// `POST /conversations/{number}/assignment`
///
/// # Errors
/// When the conversation or the agent is not there, or the store fails.
pub(crate) async fn assign(
    context: Shared,
    visitor: Visitor,
    path: Path<String>,
    form: Posted,
) -> Result<HttpResponse, Error> {
    let id = number(&path)?;
    let assignee = match form.fields.get("agent") {
        "" => None,
        text => Some(AgentId(text.parse().map_err(|_| Error::NotFound("agent"))?)),
    };
    let now = context.now();
    let outcome = context
        .store(move |store| Ok::<_, Error>(desk::assign(store, now, &visitor.agent, id, assignee)))
        .await?;
    match outcome {
        Ok(()) => Ok(go(&url(id))),
        Err(error @ desk::Error::NoAgent) => {
            Ok(go_saying(&context, &url(id), &Flash::bad(sentence(&error))))
        }
        Err(other) => Err(other.into()),
    }
}

/// `POST /messages/{id}/conversation`: moves a message to the conversation with the given `number`, or to a
/// new one where none is given.
///
/// # Errors
/// When there is no such message, or the store fails.
pub(crate) async fn place(
    context: Shared,
    visitor: Visitor,
    path: Path<String>,
    form: Posted,
) -> Result<HttpResponse, Error> {
    let id = MessageId(path.parse().map_err(|_| Error::NotFound("message"))?);
    let wanted = form.fields.get("number").trim().trim_start_matches('#');
    // What is no number is the number of no conversation.
    let to = (!wanted.is_empty()).then(|| ConversationId(wanted.parse().unwrap_or(0)));
    let (now, actor) = (context.now(), visitor.agent.clone());
    let (from, outcome) = context
        .store(move |store| -> Result<_, Error> {
            let message = store.read(|db| store::messages::find(db, id))?;
            let message = message.ok_or(Error::NotFound("message"))?;
            let subject = base_subject(&message.subject);
            let outcome = desk::move_message(store, now, &actor, id, to, &subject);
            Ok((message.conversation_id, outcome))
        })
        .await?;
    match outcome {
        Ok(moved) if moved.from == moved.to => Ok(go(&url(moved.to))),
        Ok(moved) => {
            let said = format!(
                "The message is here now. To undo it, move it to conversation {}.",
                moved.from
            );
            let there = format!("{}#message-{id}", url(moved.to));
            Ok(go_saying(&context, &there, &Flash::good(said)))
        }
        Err(desk::Error::Store(error)) => Err(error.into()),
        Err(error) => Ok(go_saying(
            &context,
            &url(from),
            &Flash::bad(sentence(&error)),
        )),
    }
}

/// `POST /conversations/{number}/notes`
///
/// # Errors
/// When there is no such conversation, or the store fails.
pub(crate) async fn note(
    context: Shared,
    visitor: Visitor,
    path: Path<String>,
    form: Posted,
) -> Result<HttpResponse, Error> {
    let id = number(&path)?;
    let text = form.fields.get("text").to_owned();
    let (now, actor, written) = (context.now(), visitor.agent.clone(), text.clone());
    let outcome = context
        .store(move |store| Ok::<_, Error>(desk::note(store, now, &actor, id, &written)))
        .await?;
    match outcome {
        Ok(()) => Ok(go(&url(id))),
        Err(error @ (desk::Error::EmptyNote | desk::Error::LongNote)) => {
            let defaults = context
                .read(move |db| {
                    store::conversations::find(db, id)?.ok_or(Error::NotFound("conversation"))?;
                    Ok(reply::defaults(db, id, true)?)
                })
                .await?;
            let form = ReplyForm::note(&text, sentence(&error), &defaults, i64::MAX);
            show::show_again(&context, &visitor, id, form).await
        }
        Err(other) => Err(other.into()),
    }
}

/// An error as a sentence.
fn sentence(error: &desk::Error) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters
        .next()
        .map(|c| c.to_uppercase().to_string())
        .unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}
