//! Hands the queued replies of one mailbox over, one at a time. Each attempt is written down before
//! the server is dialled; a message whose answer was lost is never sent again before it has been
//! looked for in Sent Items.

mod row;

use std::time::Duration;

use super::credentials::{Freshness, access_token};
use super::limits::{self, Hold};
use super::status::{Health, Line, LoopName};
use super::wake::Wake;
use super::{Services, entra_app, leaving, schedule, settle};
use crate::graph;
use crate::mail::compose::with_bcc;
use crate::model::{
    Delivery, DeliveryState, Mailbox, MailboxId, MailboxStatus, RefusedRecipient, WayOut,
};
use crate::problem::{Disposition, Problem};
use crate::providers::microsoft::Resource;
use crate::secret::random_bytes;
use crate::smtp::{self, Envelope, Outcome, Refusal, Stage, Suggestion};
use crate::store;
use crate::store::deliveries::{self, AttemptEnd, Change};

/// After this time without success a reply is given up.
const GIVE_UP_SECONDS: i64 = 2 * 24 * 3600;
/// And after no fewer tries than these.
const GIVE_UP_TRIES: i64 = 10;
/// So many tries wait until the server takes a reply for all its recipients at once.
const TOGETHER_TRIES: i64 = 5;
/// Longest pause between tries.
const PAUSE_MAX_SECONDS: i64 = 3_600;
/// Pause of a mailbox whose way out a person must mend.
const PERSON_PAUSE_SECONDS: i64 = 15 * 60;
/// Pause of a mailbox that Microsoft has blocked from sending.
const BLOCK_PAUSE_SECONDS: i64 = 2 * 3_600;
/// No pause is longer: the day's limit asks for the longest.
const LONGEST_PAUSE_SECONDS: i64 = 25 * 3_600;
/// How often it looks even if nobody rang.
const LOOK_EVERY_SECONDS: i64 = 300;

/// A delivery that is `sending`, and the id of its attempt.
type Claimed = (Delivery, i64);

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A delivery was tried or settled, or a few that were due; there may be more.
    Worked,
    /// Nothing is due before this time, unix milliseconds.
    Nothing(Option<i64>),
}

/// What a sender remembers between steps: an open SMTP session, used for several replies in a row, and how many
/// recipients still fit the day.
#[derive(Debug, Default)]
pub struct Sender {
    session: Option<smtp::Session>,
    room: limits::Room,
}

/// Settles one delivery of a mailbox, or tries one that is due and those that follow it.
///
/// # Errors
/// Those of the store.
pub fn step(services: &Services, sender: &mut Sender, id: MailboxId) -> store::Result<Step> {
    let now = services.clock.now();
    let Some(mailbox) = services.store.read(|db| store::mailboxes::find(db, id))? else {
        return Ok(Step::Nothing(None));
    };
    if matches!(mailbox.status, MailboxStatus::Paused) {
        return Ok(Step::Nothing(None));
    }
    if services.store.read(|db| deliveries::has_orphan(db, id))? {
        settle::interrupted(services, Some(id))?;
    }
    let uncertain = services
        .store
        .read(|db| deliveries::find_due_uncertain(db, id, now))?;
    if let Some(delivery) = uncertain {
        settle::settle(services, &mailbox, &delivery)?;
        return Ok(Step::Worked);
    }
    if mailbox.sending_stopped_at.is_some() {
        sender.hang_up();
        return Ok(Step::Nothing(None));
    }
    let due_ms = services.store.read(|db| deliveries::next_due_ms(db, id))?;
    let wait_until_ms = due_ms.map(|at| at.max(mailbox.send_after_at.saturating_mul(1_000)));
    if wait_until_ms.is_none_or(|at| at > services.clock.now_ms()) {
        sender.hang_up();
        if wait_until_ms.is_some() && clock_was_set_back(services, &mailbox, now)? {
            return Ok(Step::Worked);
        }
        return Ok(Step::Nothing(wait_until_ms));
    }
    if limits::is_day_over(&mailbox, now) {
        services
            .store
            .write(|tx| store::mailboxes::update_sending(tx, id, None, 0, now))?;
    }
    match limits::hold(services, &mut sender.room, &mailbox, now)? {
        Hold::Free => {}
        Hold::PutOff => return Ok(Step::Worked),
        Hold::Until(at) => return Ok(Step::Nothing(Some(at.saturating_mul(1_000)))),
    }
    match mailbox.way_out {
        WayOut::Smtp => row::through_smtp(services, sender, &mailbox, now)?,
        WayOut::Graph => through_graph(services, &mailbox, now)?,
    }
    Ok(Step::Worked)
}

/// Takes the next due reply, if there still is one: it may have been taken back to the last moment.
fn claim(
    tx: &store::Tx<'_>,
    services: &Services,
    id: MailboxId,
    way_out: WayOut,
) -> store::Result<Option<Claimed>> {
    let now_ms = services.clock.now_ms();
    if deliveries::next_due_ms(tx, id)?.is_none_or(|at| at > now_ms) {
        return Ok(None);
    }
    deliveries::claim_next(tx, id, way_out, now_ms.div_euclid(1_000))
}

impl Sender {
    fn hang_up(&mut self) {
        if let Some(session) = self.session.take() {
            session.quit();
        }
    }
}

/// Ends pauses that began by a clock which has been set back since: they would last until that time comes
/// again. Says whether there were any.
fn clock_was_set_back(services: &Services, mailbox: &Mailbox, now: i64) -> store::Result<bool> {
    let id = mailbox.id;
    let pause = mailbox.send_after_at > now.saturating_add(LONGEST_PAUSE_SECONDS)
        || (mailbox.send_after_at > now && mailbox.send_problem_at.is_some_and(|at| at > now));
    let waits = services
        .store
        .read(|db| deliveries::has_from_future(db, id, now))?;
    if !pause && !waits {
        return Ok(false);
    }
    tracing::warn!(
        mailbox.id = id.0,
        "the clock was set back; nothing waits for the old time"
    );
    services.store.write(|tx| {
        deliveries::update_from_future(tx, id, now)?;
        if pause {
            store::mailboxes::update_sending(tx, id, None, 0, now)?;
        }
        Ok(true)
    })
}

fn through_graph(services: &Services, mailbox: &Mailbox, now: i64) -> store::Result<()> {
    let token = match access_token(services, mailbox.id, Resource::Graph, Freshness::Stored) {
        Ok(token) => token,
        Err(problem) => return closed_way(services, mailbox, &Refusal::from(problem), now),
    };
    let claim = |tx: &store::Tx<'_>| claim(tx, services, mailbox.id, WayOut::Graph);
    let Some((delivery, attempt_id)) = services.store.write(claim)? else {
        return Ok(());
    };
    let (_, raw, bcc) = message(services, mailbox, &delivery)?;
    let raw = match with_bcc(&raw, &bcc) {
        Ok(raw) => raw,
        Err(error) => return Err(store::Error::Value(error.to_string())),
    };
    let sender = if mailbox.shared {
        graph::SendAs::Mailbox(mailbox.address.clone())
    } else {
        graph::SendAs::Me
    };
    let url = entra_app::endpoints(services)?.graph_url;
    let send = |token: &str| graph::send_mail(&services.http, &url, token, &sender, &raw);
    let mut outcome = send(&token.token);
    if matches!(
        outcome,
        graph::Outcome::Refused {
            refresh_token: true,
            ..
        }
    ) {
        let refused = Freshness::Refused {
            expires_at: token.expires_at,
        };
        outcome = match access_token(services, mailbox.id, Resource::Graph, refused) {
            Ok(newer) => send(&newer.token),
            Err(problem) => graph::Outcome::Refused {
                problem,
                refresh_token: true,
            },
        };
    }
    let outcome = outcome_of(outcome);
    let tried = Tried {
        mailbox,
        delivery: &delivery,
        attempt_id,
        way_out: WayOut::Graph,
    };
    record(services, &tried, outcome, |_| Ok(None)).map(|_| ())
}

/// Graph's answer in the words of SMTP.
fn outcome_of(outcome: graph::Outcome) -> Outcome {
    match outcome {
        graph::Outcome::Accepted => Outcome::Accepted {
            reply: "Accepted by Microsoft Graph.".to_owned(),
            effective_message_id: None,
            refused_recipients: Vec::new(),
        },
        graph::Outcome::Refused {
            problem,
            refresh_token,
        } => {
            let stage = if refresh_token {
                Stage::SignIn
            } else {
                Stage::Content
            };
            Outcome::Refused(Refusal {
                stage,
                problem,
                suggests: None,
            })
        }
        graph::Outcome::Unknown { problem } => Outcome::Unknown { problem },
    }
}

/// Envelope, bytes and Bcc of a delivery's message.
fn message(
    services: &Services,
    mailbox: &Mailbox,
    delivery: &Delivery,
) -> store::Result<(Envelope, Vec<u8>, Vec<String>)> {
    let (message, raw) = services.store.read(|db| {
        let message = store::messages::find(db, delivery.message_id)?;
        let raw = store::messages::find_raw(db, delivery.message_id)?;
        Ok::<_, store::Error>((message, raw))
    })?;
    let gone = || store::Error::Value(format!("message {} is gone", delivery.message_id));
    let message = message.ok_or_else(gone)?;
    let raw = leaving::dated(services, delivery, &message, raw.ok_or_else(gone)?)?;
    let who = &message.recipients;
    let recipients = who.to.iter().chain(&who.cc).chain(&who.bcc);
    let envelope = Envelope {
        mail_from: mailbox.address.clone(),
        recipients: recipients.map(|who| who.address.clone()).collect(),
        together: delivery.attempts <= TOGETHER_TRIES,
    };
    let bcc = who.bcc.iter().map(|who| who.address.clone()).collect();
    Ok((envelope, raw, bcc))
}

/// The server would not let us in, or could not be reached: a matter of the mailbox, not of a reply.
/// Nothing was claimed; the queue waits, or goes the other way out.
fn closed_way(
    services: &Services,
    mailbox: &Mailbox,
    refusal: &Refusal,
    now: i64,
) -> store::Result<()> {
    if try_another_way(services, mailbox, refusal)? {
        return Ok(());
    }
    let problem = &refusal.problem;
    let failures = mailbox.send_problem_at.map_or(1, |since| {
        u32::try_from((now - since) / 60)
            .unwrap_or(0)
            .checked_ilog2()
            .unwrap_or(0)
            + 2
    });
    let pause = pause_seconds(problem, failures);
    tracing::warn!(mailbox.id = mailbox.id.0, code = %problem.code, pause, "the way out is closed");
    services.store.write(|tx| {
        store::mailboxes::update_sending(tx, mailbox.id, Some(problem), now + pause, now)
    })
}

/// Changes how a mailbox sends when the refusal says that another way may work.
fn try_another_way(
    services: &Services,
    mailbox: &Mailbox,
    refusal: &Refusal,
) -> store::Result<bool> {
    let other = match refusal.suggests {
        Some(Suggestion::TryUpn) if mailbox.shared && !mailbox.send_as_upn => (WayOut::Smtp, true),
        Some(Suggestion::UseGraph | Suggestion::TryUpn) if mailbox.way_out == WayOut::Smtp => {
            match access_token(services, mailbox.id, Resource::Graph, Freshness::Stored) {
                Ok(_) => (WayOut::Graph, false),
                Err(_) => return Ok(false),
            }
        }
        _ => return Ok(false),
    };
    tracing::warn!(mailbox.id = mailbox.id.0, code = %refusal.problem.code, way = %other.0,
        "the way out is changed");
    services.store.write(|tx| {
        store::mailboxes::update_way_out(tx, mailbox.id, other.0, other.1)?;
        store::mailboxes::update_sending(tx, mailbox.id, None, 0, services.clock.now())
    })?;
    Ok(true)
}

struct Tried<'a> {
    mailbox: &'a Mailbox,
    delivery: &'a Delivery,
    attempt_id: i64,
    way_out: WayOut,
}

/// Writes down what came of an attempt. When the message was taken, `claim_next` may take the next one in the
/// same transaction.
fn record(
    services: &Services,
    tried: &Tried<'_>,
    outcome: Outcome,
    claim_next: impl FnOnce(&store::Tx<'_>) -> store::Result<Option<Claimed>>,
) -> store::Result<Option<Claimed>> {
    match outcome {
        Outcome::Accepted {
            reply,
            effective_message_id,
            refused_recipients,
        } => {
            let effective = effective_message_id.as_deref();
            let effective = effective.map(|id| id.trim_start_matches('<').trim_end_matches('>'));
            services.store.write(|tx| {
                accepted(tx, services, tried, &reply, effective, refused_recipients)?;
                claim_next(tx)
            })
        }
        Outcome::Refused(refusal) => refused(services, tried, &refusal).map(|()| None),
        Outcome::Unknown { problem } => unknown(services, tried, &problem).map(|()| None),
    }
}

fn accepted(
    tx: &store::Tx<'_>,
    services: &Services,
    tried: &Tried<'_>,
    reply: &str,
    effective: Option<&str>,
    refused: Vec<(String, Problem)>,
) -> store::Result<()> {
    let now = services.clock.now();
    let Tried {
        mailbox,
        delivery,
        attempt_id,
        ..
    } = tried;
    let refused: Vec<RefusedRecipient> = refused
        .into_iter()
        .map(|(address, problem)| RefusedRecipient { address, problem })
        .collect();
    deliveries::finish_attempt(tx, *attempt_id, AttemptEnd::Accepted, reply, now)?;
    let change = Change {
        server_reply: reply,
        refused: &refused,
        effective_message_id: effective,
        ..Change::default()
    };
    deliveries::update_state(tx, delivery, DeliveryState::Sent, &change, now)?;
    if let Some(id) = effective {
        let (conversation, message) = (delivery.conversation_id, delivery.message_id);
        store::threads::insert_own(tx, mailbox.id, id, conversation, message)?;
    }
    if mailbox.send_problem.is_some() {
        store::mailboxes::update_sending(tx, mailbox.id, None, 0, now)?;
    }
    Ok(())
}

fn refused(services: &Services, tried: &Tried<'_>, refusal: &Refusal) -> store::Result<()> {
    let now = services.clock.now();
    let Tried {
        mailbox,
        delivery,
        attempt_id,
        way_out,
    } = tried;
    let problem = &refusal.problem;
    let other_way = *way_out == mailbox.way_out && try_another_way(services, mailbox, refusal)?;
    // The age alone says little: the machine may have been off, or the clock set forward.
    let due_at = delivery
        .scheduled_at
        .map_or(delivery.created_at, |at| at.max(delivery.created_at));
    let too_old =
        now.saturating_sub(due_at) > GIVE_UP_SECONDS && delivery.attempts >= GIVE_UP_TRIES;
    // Before MAIL FROM nothing has been said about this message: the mailbox is meant.
    let before_message = refusal.stage <= Stage::SignIn;
    // A block lifts by itself after hours, and trying meanwhile lengthens it (Microsoft, "Continuous
    // error throttling").
    let blocked = problem.code.starts_with("smtp_blocked");
    let about_mailbox = before_message || blocked || problem.disposition == Disposition::NeedsAdmin;
    let stop = if other_way {
        None
    } else {
        limits::judge(services, mailbox.id, problem, now)?
    };
    let keeps = stop.as_ref().is_some_and(|stop| stop.keeps_reply);
    let again = other_way || problem.is_transient() || before_message || blocked || keeps;
    let (state, next_attempt_at) = if again && !too_old {
        let tries = u32::try_from(delivery.attempts).unwrap_or(u32::MAX);
        let pause = if other_way || keeps {
            0
        } else {
            pause_seconds(problem, tries)
        };
        (DeliveryState::Queued, now.saturating_add(pause))
    } else {
        (DeliveryState::Failed, now)
    };
    tracing::warn!(delivery.id = delivery.id.0, code = %problem.code, ?state, "a delivery was refused");
    services.store.write(|tx| {
        let words = if problem.detail.is_empty() {
            &problem.sentence
        } else {
            &problem.detail
        };
        deliveries::finish_attempt(tx, *attempt_id, AttemptEnd::Refused, words, now)?;
        deliveries::leaving::update_attempt_code(tx, *attempt_id, &problem.code)?;
        let change = Change {
            problem: Some(problem),
            next_attempt_at,
            server_reply: words,
            ..Change::default()
        };
        deliveries::update_state(tx, delivery, state, &change, now)?;
        if let Some(stop) = &stop {
            return limits::stop(tx, mailbox.id, stop, now);
        }
        if about_mailbox && !other_way {
            let tries = u32::try_from(delivery.attempts).unwrap_or(u32::MAX);
            let pause = if blocked {
                BLOCK_PAUSE_SECONDS
            } else {
                pause_seconds(problem, tries)
            };
            let until = now.saturating_add(pause);
            store::mailboxes::update_sending(tx, mailbox.id, Some(problem), until, now)?;
        }
        Ok(())
    })
}

fn unknown(services: &Services, tried: &Tried<'_>, problem: &Problem) -> store::Result<()> {
    let now = services.clock.now();
    let Tried {
        delivery,
        attempt_id,
        ..
    } = tried;
    tracing::warn!(delivery.id = delivery.id.0, code = %problem.code, "it is not known whether a delivery left");
    services.store.write(|tx| {
        deliveries::finish_attempt(tx, *attempt_id, AttemptEnd::Unknown, &problem.detail, now)?;
        let change = Change {
            problem: Some(problem),
            next_attempt_at: now + 5,
            ..Change::default()
        };
        deliveries::update_state(tx, delivery, DeliveryState::Uncertain, &change, now)
    })
}

fn pause_seconds(problem: &Problem, tries: u32) -> i64 {
    let asked = i64::try_from(problem.wait_seconds()).unwrap_or(PAUSE_MAX_SECONDS);
    let [random] = random_bytes::<1>();
    match problem.disposition {
        Disposition::RetryAfter { .. } if asked > 0 => asked,
        Disposition::RetryAfter { .. } => schedule::back_off(tries, PAUSE_MAX_SECONDS, random),
        _ => PERSON_PAUSE_SECONDS,
    }
}

/// Runs until the stop, or until there is nothing to send; a ring starts it again.
pub(super) fn run(services: &Services, id: MailboxId, wake: &Wake) {
    let mut sender = Sender::default();
    while !wake.is_stopped() {
        let stepped = super::supervisor::guarded(services, LoopName::Send(id), || {
            step(services, &mut sender, id)
        });
        let pause_ms = match stepped {
            Ok(Ok(Step::Worked)) => {
                let line = Line::new(Health::Busy, "Sending replies.");
                services.work.board().set(LoopName::Send(id), line);
                continue;
            }
            Ok(Ok(Step::Nothing(next))) => {
                say(services, id);
                match next {
                    Some(at) => (at - services.clock.now_ms()).clamp(1, LOOK_EVERY_SECONDS * 1_000),
                    // Five hundred quiet mailboxes need no five hundred threads.
                    None if wake.rest() => break,
                    None => 0,
                }
            }
            Ok(Err(error)) => {
                tracing::error!(mailbox.id = id.0, %error, "the sender could not use the database");
                let problem = error.to_problem();
                let line = Line::new(Health::Trouble, problem.sentence);
                services.work.board().set(LoopName::Send(id), line);
                30_000
            }
            Err(()) => {
                sender = Sender::default();
                120_000
            }
        };
        let _ = wake.wait(Duration::from_millis(u64::try_from(pause_ms).unwrap_or(1)));
    }
    sender.hang_up();
}

fn say(services: &Services, id: MailboxId) {
    let found = services.store.read(|db| store::mailboxes::find(db, id));
    let line = match found {
        Ok(Some(mailbox)) => match &mailbox.send_problem {
            Some(problem) => Line::new(Health::Trouble, problem.sentence.clone()),
            None => Line::new(
                Health::Good,
                super::connect::way_out_sentence(mailbox.way_out),
            ),
        },
        _ => Line::new(Health::Good, "Nothing to send."),
    };
    services.work.board().set(LoopName::Send(id), line);
}
