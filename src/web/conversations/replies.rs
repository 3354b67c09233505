//! `POST /conversations/{number}/replies`: a reply with its files.

use actix_web::HttpResponse;
use actix_web::web::Path;

use super::reply_form::ReplyForm;
use super::{number, show, url};
use crate::model::{ConversationId, DeliveryState, Direction, MessageId, Status};
use crate::reply::{self, ReplyDraft, ReplyFile};
use crate::store;
use crate::web::context::Shared;
use crate::web::error::Error;
use crate::web::flash::Flash;
use crate::web::forms::{File, Uploaded};
use crate::web::page::go_saying;
use crate::web::session::Visitor;

/// Longest file name kept, in characters.
const NAME_CHARS: usize = 150;

/// `POST /conversations/{number}/replies`
///
/// # Errors
/// When there is no such conversation, or the store fails.
pub(crate) async fn create(
    context: Shared,
    visitor: Visitor,
    path: Path<String>,
    sent: Uploaded,
) -> Result<HttpResponse, Error> {
    let id = number(&path)?;
    let mut form = ReplyForm::read(&sent.fields);
    let [to, cc, bcc] = form.recipients();
    if sent.files_too_large {
        form.refuse("attachments", "The files are more than 25 MB together, which is more than mail takes. Send fewer, or a link to them. Choose the files again.");
    }
    let newest = newest(&context, id, form.seen, form.key.clone()).await?;
    if let Some(newest) = newest {
        form.seen = newest;
        "A new message came in while you wrote; it stands above now. Read it, then send again if your answer still fits."
            .clone_into(&mut form.warning);
    }
    if form.is_wrong() {
        return again(&context, &visitor, id, form, &sent.files).await;
    }
    let then = match sent.fields.get("then") {
        "closed" => Status::Closed,
        "open" => Status::Open,
        _ => Status::Waiting,
    };
    let files: Vec<File> = sent.files;
    let draft = ReplyDraft {
        conversation_id: id,
        to,
        cc,
        bcc,
        subject: form.subject.clone(),
        html: Some(form.html.clone()).filter(|html| !html.is_empty()),
        text: form.text.clone(),
        attachments: files.iter().map(to_reply_file).collect(),
        quote: form.quote,
        idempotency_key: form.key.clone(),
        then,
    };
    let (now, actor) = (context.now(), visitor.agent.clone());
    let ids = context.services.ids();
    let outcome = context
        .store(move |store| Ok::<_, Error>(reply::queue(store, &ids, now, &actor, &draft)))
        .await?;
    match outcome {
        Ok(queued) => {
            context.services.work.wake_sender(queued.mailbox_id);
            give_up_old(&context, &visitor, id, MessageId(form.instead_of)).await?;
            let sentence = match then {
                Status::Closed => "Your reply is on its way, and the conversation is closed.",
                _ => "Your reply is on its way.",
            };
            Ok(go_saying(&context, &url(id), &Flash::good(sentence)))
        }
        Err(reply::Error::Invalid { field, sentence }) => {
            form.refuse(field, sentence);
            again(&context, &visitor, id, form, &files).await
        }
        Err(other) => Err(other.into()),
    }
}

/// Gives up the failed message that the new one was sent in place of.
async fn give_up_old(
    context: &Shared,
    visitor: &Visitor,
    id: ConversationId,
    old: MessageId,
) -> Result<(), Error> {
    let actor = visitor.agent.clone();
    context
        .services(move |services| -> Result<(), Error> {
            let found = services.store.read(|db| store::messages::find(db, old))?;
            let failed = found
                .filter(|message| message.conversation_id == id)
                .and_then(|message| message.delivery)
                .filter(|delivery| delivery.state == DeliveryState::Failed);
            if let Some(delivery) = failed {
                services
                    .work
                    .cancel_delivery(services, delivery.id, &actor)?;
            }
            Ok(())
        })
        .await?
}

async fn again(
    context: &Shared,
    visitor: &Visitor,
    id: ConversationId,
    mut form: ReplyForm,
    files: &[File],
) -> Result<HttpResponse, Error> {
    if !files.is_empty() && form.mistake("attachments").is_empty() {
        // A page cannot put files back into its form.
        form.refuse(
            "attachments",
            "Choose the files again; browsers do not let a page keep them.",
        );
    }
    show::show_again(context, visitor, id, form).await
}

/// The newest message, when it came in after the form was made and the form was not sent before.
async fn newest(
    context: &Shared,
    id: ConversationId,
    seen: i64,
    key: String,
) -> Result<Option<i64>, Error> {
    context
        .read(move |db| {
            if store::deliveries::find_by_idempotency_key(db, &key)?.is_some() {
                return Ok(None);
            }
            let messages = store::messages::list(db, id)?;
            let newer = messages
                .iter()
                .filter(|message| message.direction == Direction::Incoming)
                .map(|message| message.id.0)
                .max();
            Ok(newer.filter(|newest| *newest > seen))
        })
        .await
}

/// A file as it is sent on: its name without folders, its type guessed when the browser named none.
fn to_reply_file(file: &File) -> ReplyFile {
    let base = file.filename.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = base
        .chars()
        .filter(|c| !c.is_control())
        .take(NAME_CHARS)
        .collect();
    let filename = if name.trim().is_empty() {
        "file".to_owned()
    } else {
        name
    };
    let content_type = if file.content_type.is_empty() {
        mime_guess::from_path(&filename)
            .first_or_octet_stream()
            .to_string()
    } else {
        file.content_type.clone()
    };
    ReplyFile {
        filename,
        content_type,
        bytes: file.bytes.clone(),
    }
}
