//! `POST /conversations/{number}/replies`: a reply with its files.

use actix_web::HttpResponse;
use actix_web::web::Path;

use super::reply_form::{KeptFile, ReplyForm};
use super::show::is_unsent;
use super::{number, show, url};
use crate::model::{
    Agent, AttachmentId, ConversationId, DeliveryState, Direction, Leaves, MessageId, Status,
};
use crate::reply::{self, Queued, ReplyDraft, ReplyFile, Terms};
use crate::store;
use crate::store::deliveries::leaving;
use crate::web::context::Shared;
use crate::web::error::Error;
use crate::web::flash::Flash;
use crate::web::forms::{Fields, File, Uploaded};
use crate::web::page::go_saying;
use crate::web::session::Visitor;
use crate::web::zone::check_plan;
use crate::work::{Services, limits};

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
    let wanted: Vec<AttachmentId> = sent
        .fields
        .all("keep")
        .iter()
        .filter_map(|text| text.parse().ok().map(AttachmentId))
        .collect();
    let (found, kept) = look(&context, id, &form, wanted).await?;
    form.kept_files = found.kept_files;
    if let Some(newest) = found.newest {
        form.seen = newest;
        "A new message came in while you wrote; it stands above now. Read it, then send again if your answer still fits."
            .clone_into(&mut form.warning);
    }
    if let Some(taken_back) = found.taken_back {
        form.begin_anew();
        form.instead_of = taken_back.0;
        "This reply was taken back. Send it again if it should leave after all."
            .clone_into(&mut form.warning);
    }
    let leaves = leaves(&context, &visitor, &sent.fields, found.undo_seconds);
    let leaves = leaves.unwrap_or_else(|sentence| {
        form.refuse("later", sentence);
        Leaves::AtOnce
    });
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
        attachments: kept
            .into_iter()
            .chain(files.iter().map(to_reply_file))
            .collect(),
        quote: form.quote,
        idempotency_key: form.key.clone(),
        then,
    };
    let actor = visitor.agent.clone();
    let queued = context
        .services(move |services| queue(services, &actor, &draft, leaves))
        .await?;
    match queued {
        Ok(queued) => {
            context.services.work.wake_sender(queued.mailbox_id);
            give_up_old(&context, &visitor, id, MessageId(form.instead_of)).await?;
            let flash = Flash::good(said(&visitor, leaves, found.undo_seconds, then));
            let there = format!("{}#message-{}", url(id), queued.message_id);
            Ok(go_saying(&context, &there, &flash))
        }
        Err(reply::Error::Invalid { field, sentence }) => {
            form.refuse(field, sentence);
            again(&context, &visitor, id, form, &files).await
        }
        Err(other) => Err(other.into()),
    }
}

/// Queues the reply, to leave by the limits of its mailbox's way out.
fn queue(
    services: &Services,
    actor: &Agent,
    draft: &ReplyDraft,
    leaves: Leaves,
) -> Result<Queued, reply::Error> {
    let mailbox = services.store.read(|db| {
        let found = store::conversations::find(db, draft.conversation_id)?;
        match found {
            Some(conversation) => store::mailboxes::find(db, conversation.mailbox_id),
            None => Ok(None),
        }
    })?;
    let mut terms = Terms {
        leaves,
        ..Terms::default()
    };
    // A store that does not answer fails the queueing itself.
    if let Some(Ok(limits)) = mailbox.map(|mailbox| limits::of(services, &mailbox)) {
        terms.limits = limits;
    }
    let (store, ids, now) = (&services.store, services.ids(), services.clock.now());
    reply::queue_to_leave(store, &ids, now, actor, draft, terms)
}

/// When the reply is to leave, by the button that was pressed.
fn leaves(
    context: &Shared,
    visitor: &Visitor,
    fields: &Fields,
    undo_seconds: i64,
) -> Result<Leaves, &'static str> {
    let now = context.now();
    let at = match fields.get("later") {
        "" if undo_seconds == 0 => return Ok(Leaves::AtOnce),
        "" => {
            let now_ms = context.services.clock.now_ms();
            return Ok(Leaves::AfterUndo {
                until_ms: now_ms.saturating_add(undo_seconds * 1_000),
            });
        }
        "chosen" => visitor.visit.zone.read_plan(fields.get("leave_at"), now)?,
        preset => check_plan(preset.parse().unwrap_or(0), now)?,
    };
    Ok(Leaves::At {
        at,
        unless_answered: fields.is_on("unless_answered"),
    })
}

/// What is said when a reply was queued.
fn said(visitor: &Visitor, leaves: Leaves, undo_seconds: i64, then: Status) -> String {
    let closed = match then {
        Status::Closed => " The conversation is closed.",
        _ => "",
    };
    match leaves {
        Leaves::AtOnce => format!("Your reply is on its way.{closed}"),
        Leaves::AfterUndo { .. } => format!(
            "Your reply leaves in {undo_seconds} s; until then you can undo it below.{closed}"
        ),
        Leaves::At { at, .. } => {
            format!("Your reply leaves {}.", visitor.visit.zone.words(at))
        }
    }
}

/// What the new message was sent in place of is no longer shown; where it had failed it is given up.
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
            let unsent =
                found.filter(|message| message.conversation_id == id && is_unsent(message));
            let Some(delivery) = unsent.and_then(|message| message.delivery) else {
                return Ok(());
            };
            if delivery.state == DeliveryState::Failed {
                services
                    .work
                    .cancel_delivery(services, delivery.id, &actor)?;
            }
            let now = services.clock.now();
            // What came back was read by others perhaps; it stays to be seen.
            if !delivery.has_come_back() {
                services
                    .store
                    .write(|tx| leaving::update_replaced(tx, &delivery, now))?;
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

/// What the store knows that a sent form must be judged by.
struct Found {
    /// The newest message, when it came in after the form was made and the form was not sent before.
    newest: Option<i64>,
    /// The reply that the same form made, when that was taken back.
    taken_back: Option<MessageId>,
    /// The files of the message that this one is sent in place of.
    kept_files: Vec<KeptFile>,
    /// How long a reply can be taken back.
    undo_seconds: i64,
}

/// Looks that up, and gets those files that are to be sent along again.
async fn look(
    context: &Shared,
    id: ConversationId,
    form: &ReplyForm,
    wanted: Vec<AttachmentId>,
) -> Result<(Found, Vec<ReplyFile>), Error> {
    let mut form = form.clone();
    context
        .read(move |db| {
            let before = store::deliveries::find_by_idempotency_key(db, &form.key)?;
            let was_sent = before.is_some();
            let messages = store::messages::list(db, id)?;
            let newest = messages
                .iter()
                .filter(|message| message.direction == Direction::Incoming)
                .map(|message| message.id.0)
                .max()
                .filter(|newest| !was_sent && *newest > form.seen);
            let taken_back = before
                .filter(|delivery| delivery.state == DeliveryState::Cancelled)
                .map(|delivery| delivery.message_id);
            let old = taken_back.map_or(form.instead_of, |id| id.0);
            let old = messages
                .iter()
                .find(|message| message.id.0 == old && message.delivery.is_some());
            let files = old.map_or(&[][..], |message| message.attachments.as_slice());
            form.keep(files, |file| taken_back.is_some() || wanted.contains(&file));
            let mut kept = Vec::new();
            for file in form.kept_files.iter().filter(|file| file.kept) {
                if let Some((file, _, bytes)) = store::attachments::find(db, file.id)? {
                    kept.push(ReplyFile {
                        filename: file.filename,
                        content_type: file.content_type,
                        bytes,
                    });
                }
            }
            let found = Found {
                newest,
                taken_back,
                kept_files: form.kept_files,
                undo_seconds: store::settings::find_undo_seconds(db)?,
            };
            Ok((found, kept))
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
