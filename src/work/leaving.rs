//! When a reply leaves: what a person changes about it before, and its Date when it does.

use super::Services;
use crate::intake::identity;
use crate::mail::compose::with_date;
use crate::model::{Agent, Delivery, DeliveryId, DeliveryState, MailboxId, Message, StoppedBy};
use crate::problem::{Disposition, Problem};
use crate::store;
use crate::store::deliveries::{self, leaving};
use crate::store::messages::Packed;

/// The bytes of a reply as they leave. One that was to leave at a time that a person set gets this time as its Date,
/// once, and is stored so before it is handed over: whatever happens then, what is stored is what left.
pub(super) fn dated(
    services: &Services,
    delivery: &Delivery,
    message: &Message,
    raw: Vec<u8>,
) -> store::Result<Vec<u8>> {
    let now = services.clock.now();
    if delivery
        .scheduled_at
        .is_none_or(|at| message.sent_at >= at.min(now))
    {
        return Ok(raw);
    }
    let raw = with_date(&raw, now);
    let packed = Packed::pack(&raw)?;
    let identity = identity(
        &message.internet_message_id,
        &message.from.address,
        Some(now),
        &message.subject,
        &message.text,
    );
    services.store.write(|tx| {
        store::messages::update_sent(tx, message.id, &identity, &packed, now)?;
        store::conversations::refresh(tx, message.conversation_id)
    })?;
    Ok(raw)
}

fn too_late() -> Problem {
    Problem::new(
        "left_already",
        Disposition::GiveUp,
        "It had left already, so it could not be taken back.",
        "If something in it was wrong, write once more.",
    )
}

impl super::Work {
    /// Takes a reply back before it leaves, so that it can be written on; its conversation stands again where it
    /// stood before. One that did not leave for another reason is left as it is.
    ///
    /// # Errors
    /// When it has left or is on its way, or the store fails.
    pub fn withdraw_delivery(
        &self,
        services: &Services,
        id: DeliveryId,
        actor: &Agent,
    ) -> Result<Delivery, Problem> {
        let now = services.clock.now();
        let withdrawn = services.store.write(|tx| {
            let Some(delivery) = deliveries::find(tx, id)? else {
                return Ok(None);
            };
            match delivery.state {
                DeliveryState::Queued => {
                    restore_status(tx, &delivery, actor, now)?;
                    let words = format!("Taken back by {}.", actor.name);
                    leaving::update_cancelled(tx, &delivery, StoppedBy::Undo, &words, now)?;
                    let (of, since_at) = (delivery.conversation_id, delivery.created_at);
                    store::write_backs::delete_seen_since(tx, of, since_at)?;
                    Ok(Some(delivery))
                }
                DeliveryState::Cancelled | DeliveryState::Failed => Ok(Some(delivery)),
                DeliveryState::Sending | DeliveryState::Sent | DeliveryState::Uncertain => {
                    Ok::<_, store::Error>(None)
                }
            }
        });
        let delivery = withdrawn
            .map_err(|error| error.to_problem())?
            .ok_or_else(too_late)?;
        // It sleeps until a time that no longer counts.
        self.wake_sender(delivery.mailbox_id);
        Ok(delivery)
    }

    /// Sets another time for a reply to leave.
    ///
    /// # Errors
    /// When it has left or is on its way, or the store fails.
    pub fn reschedule_delivery(
        &self,
        services: &Services,
        id: DeliveryId,
        at: i64,
        unless_answered: bool,
    ) -> Result<Delivery, Problem> {
        let found = services.store.write(|tx| {
            let waiting =
                deliveries::find(tx, id)?.filter(|found| found.state == DeliveryState::Queued);
            if let Some(delivery) = &waiting {
                leaving::update_time(tx, delivery, Some(at), at, unless_answered)?;
            }
            Ok::<_, store::Error>(waiting)
        });
        let delivery = found
            .map_err(|error| error.to_problem())?
            .ok_or_else(too_late)?;
        self.wake_sender(delivery.mailbox_id);
        Ok(delivery)
    }

    /// Lets a mailbox send again whose sending was stopped.
    ///
    /// # Errors
    /// Those of the store.
    pub fn resume_sending(&self, services: &Services, id: MailboxId) -> store::Result<()> {
        let now = services.clock.now();
        services
            .store
            .write(|tx| store::mailboxes::update_resumed(tx, id, now))?;
        tracing::info!(mailbox.id = id.0, "a person let the mailbox send again");
        self.wake_sender(id);
        Ok(())
    }
}

/// Puts a conversation back to where it stood before a reply that does not leave.
pub(super) fn restore_status(
    tx: &store::Tx<'_>,
    delivery: &Delivery,
    actor: &Agent,
    now: i64,
) -> store::Result<()> {
    let Some(status) = leaving::find_status_to_restore(tx, delivery.id)? else {
        return Ok(());
    };
    if let Some(conversation) = store::conversations::find(tx, delivery.conversation_id)? {
        crate::desk::change_status(tx, now, Some(actor.id), &conversation, status)?;
    }
    Ok(())
}
