//! Deliveries of which it is not known whether they left: looked for in Sent Items, where the
//! provider files a copy of everything it takes. Found means sent; surely absent means not sent.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::{Services, dial, leaving};
use crate::imap;
use crate::model::{
    Agent, Delivery, DeliveryId, DeliveryState, Mailbox, MailboxId, StoppedBy, WayOut,
};
use crate::problem::{Disposition, Problem};
use crate::providers::SentCopy;
use crate::store;
use crate::store::deliveries::{self, Change, leaving as stored};

/// How often Sent Items is looked into while the copy may yet come, and least time between two looks.
const LOOK_EVERY_SECONDS: i64 = 15;
/// Longest time between two looks.
const LOOK_MAX_SECONDS: i64 = 15 * 60;

/// Since when a delivery has been missed in Sent Items, by the steady clock: a wall clock that is set
/// forward must not make a copy absent that has had no time to appear.
#[derive(Debug, Default)]
pub(super) struct Absences(Mutex<BTreeMap<DeliveryId, (i64, i64)>>);

impl Absences {
    /// Notes that a delivery was missed at its present attempt; returns for how many seconds it has been.
    fn note(&self, delivery: &Delivery, steady: i64) -> i64 {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = known
            .entry(delivery.id)
            .or_insert((delivery.attempts, steady));
        if entry.0 != delivery.attempts {
            *entry = (delivery.attempts, steady);
        }
        steady.saturating_sub(entry.1)
    }

    fn forget(&self, id: DeliveryId) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.remove(&id);
    }
}

/// What was being sent when the program died or stumbled, of one mailbox or of all, may have left or
/// not: it is uncertain from now on.
pub(super) fn interrupted(services: &Services, mailbox_id: Option<MailboxId>) -> store::Result<()> {
    let problem = Problem::new(
        "interrupted",
        Disposition::RetryAfter { seconds: 0 },
        "Mailhatch was stopped while this reply was being handed over, so it is not known whether it left.",
        "Mailhatch looks for it in Sent Items and settles the matter by itself; it is not sent again before that.",
    );
    let now = services.clock.now();
    let count = services
        .store
        .write(|tx| deliveries::update_interrupted(tx, mailbox_id, &problem, now))?;
    if count > 0 {
        tracing::info!(count, "deliveries were interrupted and are looked into");
    }
    Ok(())
}

/// Looks for an uncertain delivery in Sent Items and settles it if that can be done.
pub(super) fn settle(
    services: &Services,
    mailbox: &Mailbox,
    delivery: &Delivery,
) -> store::Result<()> {
    let now = services.clock.now();
    let Some(message) = services
        .store
        .read(|db| store::messages::find(db, delivery.message_id))?
    else {
        return Ok(());
    };
    let looked = look(services, mailbox, &message.internet_message_id);
    let absences = &services.work.absences;
    let (state, change_at, words) = match (&looked, known_after(services, mailbox, delivery)) {
        (Ok(true), _) => (DeliveryState::Sent, now, "Found in Sent Items.".to_owned()),
        (Ok(false), Some(seconds)) => {
            if absences.note(delivery, services.clock.steady()) < seconds {
                let soon = now.saturating_add(LOOK_EVERY_SECONDS);
                (DeliveryState::Uncertain, soon, String::new())
            } else {
                tracing::info!(
                    delivery.id = delivery.id.0,
                    "not in Sent Items: it did not leave and is queued again"
                );
                let words = "Not in Sent Items: it had not left.".to_owned();
                // One that was in a restored backup may be planned for later.
                let at = delivery.scheduled_at.map_or(now, |at| at.max(now));
                (DeliveryState::Queued, at, words)
            }
        }
        (Ok(false), None) => {
            let later = now.saturating_add(pause_seconds(services, delivery, None)?);
            (DeliveryState::Uncertain, later, String::new())
        }
        (Err(problem), _) => {
            let pause = pause_seconds(services, delivery, Some(problem))?;
            let words = format!("Sent Items could not be looked into: {}", problem.sentence);
            (DeliveryState::Uncertain, now.saturating_add(pause), words)
        }
    };
    if state != DeliveryState::Uncertain {
        absences.forget(delivery.id);
    }
    let problem = match state {
        DeliveryState::Uncertain => delivery.problem.clone(),
        _ => None,
    };
    let change = Change {
        problem: problem.as_ref(),
        next_attempt_at: change_at,
        server_reply: &words,
        refused: &delivery.refused,
        ..Change::default()
    };
    services.store.write(|tx| {
        // Looking took its time: a person may have decided meanwhile, or the poller met the copy.
        let untouched = deliveries::find(tx, delivery.id)?.is_some_and(|found| {
            found.state == DeliveryState::Uncertain && found.attempts == delivery.attempts
        });
        if untouched {
            deliveries::update_state(tx, delivery, state, &change, now)?;
        }
        Ok(())
    })
}

/// Seconds until the next look where looking does not settle the matter: the longer it has been so, the
/// rarer, and never sooner than the server asked.
fn pause_seconds(
    services: &Services,
    delivery: &Delivery,
    problem: Option<&Problem>,
) -> store::Result<i64> {
    let attempts = services
        .store
        .read(|db| deliveries::list_attempts(db, delivery.id))?;
    let began_at = attempts
        .last()
        .map_or(delivery.created_at, |attempt| attempt.started_at);
    let half = services.clock.now().saturating_sub(began_at) / 2;
    let asked = problem.map_or(0, Problem::wait_seconds);
    let asked = i64::try_from(asked).unwrap_or(LOOK_MAX_SECONDS);
    Ok(half.clamp(LOOK_EVERY_SECONDS, LOOK_MAX_SECONDS).max(asked))
}

/// Seconds after an attempt from which on a missing copy means that it did not leave; `None` where
/// nobody files a copy.
fn known_after(services: &Services, mailbox: &Mailbox, delivery: &Delivery) -> Option<i64> {
    let traits = dial::traits(services, mailbox).ok()?;
    let files = traits.sent_copy == SentCopy::Server || delivery.way_out == Some(WayOut::Graph);
    files.then(|| i64::try_from(traits.sent_copy_delay_seconds).unwrap_or(i64::MAX))
}

/// Whether a message with this id is in Sent Items: of the mailbox, and of the person, where what is
/// sent on behalf of a shared mailbox is filed.
fn look(services: &Services, mailbox: &Mailbox, id: &str) -> Result<bool, Problem> {
    let mut users = vec![mailbox.imap_user()];
    if mailbox.shared {
        users.push(&mailbox.upn);
    }
    let chosen = super::folders::chosen_sent(services, mailbox)?.map(|folder| folder.raw_name);
    let mut first_problem = None;
    for (number, user) in users.into_iter().enumerate() {
        let chosen = chosen.as_deref().filter(|_| number == 0);
        match look_as(services, mailbox, user, chosen, id) {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(problem) => first_problem = first_problem.or(Some(problem)),
        }
    }
    // A folder that could not be looked into may hold it.
    first_problem.map_or(Ok(false), Err)
}

fn look_as(
    services: &Services,
    mailbox: &Mailbox,
    user: &str,
    chosen: Option<&str>,
    id: &str,
) -> Result<bool, Problem> {
    let mut session = dial::imap(services, mailbox, user, &|_| {})?;
    let sent = match chosen {
        Some(raw_name) => Some(raw_name.to_owned()),
        None => session
            .list_folders()?
            .into_iter()
            .find(|folder| folder.role == Some(imap::FolderRole::Sent))
            .map(|folder| folder.raw_name),
    };
    let Some(sent) = sent else {
        let _ = session.logout();
        return Err(Problem::new(
            "no_sent_folder",
            Disposition::NeedsAdmin,
            "The mailbox has no folder for sent mail, so it cannot be told whether a reply left.",
            "Ask the customer, or look in the mailbox, and settle the reply by hand.",
        ));
    };
    session.examine(&sent)?;
    let found = !session.find_message_id(id)?.is_empty();
    let _ = session.logout();
    Ok(found)
}

impl super::Work {
    /// Queues a delivery again now, as a person asked. One that is uncertain is left alone: it is
    /// settled first.
    ///
    /// # Errors
    /// When its state does not allow it, or the store fails.
    pub fn retry_delivery(
        &self,
        services: &Services,
        id: DeliveryId,
        actor: &Agent,
    ) -> Result<Delivery, Problem> {
        self.decide(services, id, actor, DeliveryState::Queued, |delivery| {
            matches!(
                delivery.state,
                DeliveryState::Failed | DeliveryState::Queued
            )
        })
    }

    /// Stops a delivery before it leaves.
    ///
    /// # Errors
    /// When it is on its way or has left, or the store fails.
    pub fn cancel_delivery(
        &self,
        services: &Services,
        id: DeliveryId,
        actor: &Agent,
    ) -> Result<Delivery, Problem> {
        self.decide(
            services,
            id,
            actor,
            DeliveryState::Cancelled,
            Delivery::can_cancel,
        )
    }

    /// Settles an uncertain delivery by a person's word.
    ///
    /// # Errors
    /// When it is not uncertain any more, or the store fails.
    pub fn settle_delivery(
        &self,
        services: &Services,
        id: DeliveryId,
        was_sent: bool,
        actor: &Agent,
    ) -> Result<Delivery, Problem> {
        let state = if was_sent {
            DeliveryState::Sent
        } else {
            DeliveryState::Queued
        };
        self.decide(services, id, actor, state, |delivery| {
            delivery.state == DeliveryState::Uncertain
        })
    }

    fn decide(
        &self,
        services: &Services,
        id: DeliveryId,
        actor: &Agent,
        state: DeliveryState,
        may: impl Fn(&Delivery) -> bool,
    ) -> Result<Delivery, Problem> {
        let now = services.clock.now();
        let decided = services
            .store
            .write(|tx| {
                let Some(delivery) = deliveries::find(tx, id)?.filter(|found| may(found)) else {
                    return Ok(None);
                };
                let words = format!("Decided by {}.", actor.name);
                if state == DeliveryState::Cancelled {
                    if delivery.state == DeliveryState::Queued {
                        leaving::restore_status(tx, &delivery, actor, now)?;
                    }
                    stored::update_cancelled(tx, &delivery, StoppedBy::Person, &words, now)?;
                    return Ok(Some(delivery));
                }
                let change = Change {
                    next_attempt_at: now,
                    server_reply: &words,
                    refused: &delivery.refused,
                    ..Change::default()
                };
                deliveries::update_state(tx, &delivery, state, &change, now)?;
                if state == DeliveryState::Queued {
                    // What was to leave later, or can be taken back, leaves now and is dated so.
                    let scheduled_at = delivery.scheduled_at.map(|at| at.min(now));
                    let unless = delivery.unless_answered;
                    stored::update_time(tx, &delivery, scheduled_at, now, unless)?;
                    // A person who asks for a try does not want to wait out an old pause.
                    store::mailboxes::update_sending(tx, delivery.mailbox_id, None, 0, now)?;
                }
                Ok::<_, store::Error>(Some(delivery))
            })
            .map_err(|error| error.to_problem())?;
        let delivery = decided.ok_or_else(|| {
            Problem::new(
                "delivery_moved_on",
                Disposition::GiveUp,
                "This reply has moved on in the meantime, so nothing was changed.",
                "Look at its state again.",
            )
        })?;
        self.wake_sender(delivery.mailbox_id);
        Ok(delivery)
    }
}
