//! Delivery reports: which reply of ours they speak of, and what they mean for it.

use super::Source;
use super::prepare::Mail;
use crate::mail::bounce::{Bounce, BouncedRecipient};
use crate::model::{Delivery, DeliveryState, EventKind, RefusedRecipient};
use crate::problem::{Disposition, Problem};
use crate::store::deliveries::{self, Change};
use crate::store::{self, Tx};

/// How long after a reply a report that names no message may still be about it. Servers give up after
/// two to five days.
const REPORT_SECONDS: i64 = 5 * 86_400;

/// The reply that a report is about: by the original's Message-ID, by an id of ours anywhere in what was
/// returned, by what the report answers; else the only one that went to this recipient lately.
pub(super) fn find_reply(
    tx: &Tx<'_>,
    source: Source<'_>,
    mail: &Mail,
    at: i64,
) -> store::Result<Option<Delivery>> {
    let Some(bounce) = &mail.bounce else {
        return Ok(None);
    };
    let named = bounce.original_message_id.iter();
    for id in named.chain(&mail.returned_ids).chain(&mail.thread_ids) {
        let known = store::threads::find(tx, source.mailbox.id, id)?;
        if let Some(message_id) = known.and_then(|known| known.message_id)
            && let Some(delivery) = deliveries::find_by_message(tx, message_id)?
        {
            return Ok(Some(delivery));
        }
    }
    let mut only: Option<Delivery> = None;
    for who in bounce.recipients.iter().take(10) {
        let since = at.saturating_sub(REPORT_SECONDS);
        let sent = deliveries::list_sent_to(tx, source.mailbox.id, &who.address, since, at)?;
        for delivery in sent {
            match &only {
                Some(other) if other.id != delivery.id => return Ok(None),
                _ => only = Some(delivery),
            }
        }
    }
    Ok(only)
}

/// Whether a report says only that the server goes on trying.
pub(super) fn is_only_delay(bounce: &Bounce) -> bool {
    !bounce.recipients.is_empty() && !bounce.recipients.iter().any(has_failed)
}

fn has_failed(who: &BouncedRecipient) -> bool {
    who.action.eq_ignore_ascii_case("failed")
}

/// Writes down what a report means: the addresses are marked, and the reply shows as failed, as refused
/// for some, or as held up.
pub(super) fn note(
    tx: &Tx<'_>,
    bounce: &Bounce,
    reply: Option<&Delivery>,
    now: i64,
) -> store::Result<()> {
    let failed: Vec<&BouncedRecipient> = bounce
        .recipients
        .iter()
        .filter(|who| has_failed(who))
        .collect();
    for who in &failed {
        store::contacts::update_bounced(tx, &who.address, now)?;
    }
    // One that a person has stopped or is sending again is not touched by an old report.
    let sent = |reply: &&Delivery| {
        matches!(
            reply.state,
            DeliveryState::Sent | DeliveryState::Uncertain | DeliveryState::Failed
        )
    };
    let Some(reply) = reply.filter(sent) else {
        return Ok(());
    };
    if is_only_delay(bounce) {
        return note_delay(tx, bounce, reply, now);
    }
    let recipients = recipients_of(tx, reply)?;
    let has_come_back = |address: &String| {
        failed
            .iter()
            .any(|who| who.address.eq_ignore_ascii_case(address))
    };
    let names = addresses(&failed);
    if recipients.len() > 1 && !failed.is_empty() && !recipients.iter().all(has_come_back) {
        let mut refused = reply.refused.clone();
        refused.retain(|known| !has_come_back(&known.address));
        refused.extend(failed.iter().map(|who| RefusedRecipient {
            address: who.address.clone(),
            problem: explain(&[*who], &who.address),
        }));
        deliveries::update_report(tx, reply, None, &refused)?;
    } else {
        let all = recipients.join(", ");
        let whom = if names.is_empty() { &all } else { &names };
        let problem = explain(&failed, whom);
        let change = Change {
            problem: Some(&problem),
            server_reply: &reply.server_reply,
            refused: &reply.refused,
            ..Change::default()
        };
        deliveries::update_state(tx, reply, DeliveryState::Failed, &change, now)?;
    }
    let (conversation, kind) = (reply.conversation_id, EventKind::Bounced);
    store::events::insert(tx, conversation, None, kind, &names, now)
}

fn note_delay(tx: &Tx<'_>, bounce: &Bounce, reply: &Delivery, now: i64) -> store::Result<()> {
    if reply.state == DeliveryState::Failed {
        return Ok(());
    }
    let held: Vec<&BouncedRecipient> = bounce.recipients.iter().collect();
    let names = addresses(&held);
    let problem = Problem::new(
        "delayed",
        Disposition::RetryAfter { seconds: 86_400 },
        format!(
            "The reply has not reached {names} yet; the mail servers go on trying by themselves."
        ),
        "Nothing needs to be done now. A report comes if they give up, usually within two days.",
    )
    .with_detail(details(&held));
    deliveries::update_report(tx, reply, Some(&problem), &reply.refused)?;
    let (conversation, kind) = (reply.conversation_id, EventKind::Delayed);
    store::events::insert(tx, conversation, None, kind, &names, now)
}

/// What happened to a reply that came back, in a sentence with its remedy.
fn explain(failed: &[&BouncedRecipient], whom: &str) -> Problem {
    Problem::new(
        "bounced",
        Disposition::GiveUp,
        format!("The reply was accepted, but came back: it could not be delivered to {whom}."),
        remedy(failed),
    )
    .with_detail(details(failed))
}

/// What each report's words mean and ask for; said once where they mean the same.
fn remedy(failed: &[&BouncedRecipient]) -> String {
    let mut sentences: Vec<&str> = failed.iter().map(|who| who.explanation()).collect();
    sentences.sort_unstable();
    sentences.dedup();
    match sentences.as_slice() {
        [] => "Check the address with the customer, correct it, and send again.".to_owned(),
        [one] => (*one).to_owned(),
        _ => {
            let each = failed
                .iter()
                .take(10)
                .map(|who| format!("{}: {}", who.address, who.explanation()));
            each.collect::<Vec<_>>().join(" ")
        }
    }
}

fn details(who: &[&BouncedRecipient]) -> String {
    let lines: Vec<String> = who
        .iter()
        .map(|who| format!("{} {}", who.status, who.diagnostic))
        .collect();
    lines.join("; ")
}

fn addresses(who: &[&BouncedRecipient]) -> String {
    let all: Vec<&str> = who.iter().map(|who| who.address.as_str()).collect();
    all.join(", ")
}

fn recipients_of(tx: &Tx<'_>, reply: &Delivery) -> store::Result<Vec<String>> {
    let message = store::messages::find(tx, reply.message_id)?;
    let who = message
        .map(|message| message.recipients)
        .unwrap_or_default();
    let all = who.to.into_iter().chain(who.cc).chain(who.bcc);
    Ok(all.map(|who| who.address).collect())
}
