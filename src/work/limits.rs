//! What a provider allows a mailbox, kept before the provider has to say so: recipients in a day, the size of a
//! message, and an end to refusals that would get the mailbox blocked.
//!
//! One connection at a time is used for a mailbox's submissions, of the three Exchange Online allows: the others are
//! for Outlook and for other programs of the same mailbox, and one is enough for thirty messages a minute.

use super::{Services, dial};
use crate::model::{DeliveryId, Mailbox, MailboxId, SendLimits, WayOut};
use crate::problem::{Disposition, Problem};
use crate::providers::Limits;
use crate::smtp;
use crate::store;
use crate::store::deliveries::{self, Change, leaving};

/// The time over which recipients are counted (Microsoft, "Exchange Online limits").
const DAY_SECONDS: i64 = 24 * 3_600;
/// Code of the problem of a mailbox or a reply that waits for the day's limit.
const DAY_LIMIT: &str = "recipients_per_day";
/// Code of the problem of a mailbox whose sending was stopped.
const STOPPED: &str = "sending_stopped";

/// Refusals of one kind count together within this time: Exchange's own counts are of hours, and a mailbox that
/// rests a quarter of an hour after each must still be seen to be refused again.
const TOGETHER_SECONDS: i64 = 3_600;
/// Refusals of the mailbox itself that stop it. Microsoft does not say after how many it blocks, and the same cause
/// meets every reply; but a single "send as" denial comes at random now and then, so one more is tried.
const MAILBOX_REFUSALS: usize = 2;
/// Refusals of recipients that stop it, all in a row: each may be a mistake in an address, five of them in an hour
/// with nothing accepted between are a list that is out of date or a form that is misused.
const RECIPIENT_REFUSALS: usize = 5;

/// What a mailbox's way out takes, as far as it is known before trying.
///
/// # Errors
/// Those of the store.
pub fn of(services: &Services, mailbox: &Mailbox) -> Result<SendLimits, Problem> {
    let limits = dial::traits(services, mailbox)?.limits;
    let message_bytes = match mailbox.way_out {
        WayOut::Smtp => {
            let told = mailbox.smtp_size_bytes.map(i64::unsigned_abs);
            // Exchange announces 150 MiB and holds each mailbox to its own, lower limit.
            told.map_or(limits.smtp_message_max_bytes, |told| {
                told.min(limits.smtp_message_max_bytes)
            })
        }
        WayOut::Graph => limits.http_message_max_bytes,
    };
    Ok(SendLimits {
        recipients: usize::try_from(limits.recipients_per_message).unwrap_or(usize::MAX),
        message_bytes,
    })
}

/// How many more recipients may be written to before it must be counted again: what fell out of the day meanwhile
/// only makes it more.
#[derive(Debug, Default)]
pub(super) struct Room(Option<i64>);

/// What the limits say to the next reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    /// It may leave.
    Free,
    /// It waits until it fits; others may go before it.
    PutOff,
    /// Nothing leaves before this time.
    Until(i64),
}

/// What the next due reply wants of the day, and does not get.
struct Lack {
    delivery_id: DeliveryId,
    wanted: i64,
    left: i64,
}

impl Room {
    /// Takes what the next due reply of a mailbox wants; `None` when it fits, or nothing is due.
    fn take(
        &mut self,
        db: &store::Db,
        id: MailboxId,
        limits: &Limits,
        now: i64,
    ) -> store::Result<Option<Lack>> {
        let Some((delivery_id, wanted)) = leaving::find_next_size(db, id, now)? else {
            return Ok(None);
        };
        let most = i64::from(limits.recipients_per_day);
        // One that could never fit is for the server to judge.
        let wanted = wanted.clamp(1, most);
        let left = match self.0 {
            Some(left) if left >= wanted => left,
            _ => {
                let since_at = now.saturating_sub(DAY_SECONDS);
                most.saturating_sub(leaving::count_recipients(db, id, since_at, now)?)
            }
        };
        if left >= wanted {
            self.0 = Some(left - wanted);
            return Ok(None);
        }
        self.0 = None;
        Ok(Some(Lack {
            delivery_id,
            wanted,
            left,
        }))
    }
}

/// Holds the next due reply back, or the whole mailbox, while the provider's limits are used up.
pub(super) fn hold(
    services: &Services,
    room: &mut Room,
    mailbox: &Mailbox,
    now: i64,
) -> store::Result<Hold> {
    let Ok(traits) = dial::traits(services, mailbox) else {
        return Ok(Hold::Free);
    };
    let (id, limits) = (mailbox.id, &traits.limits);
    let full = services
        .store
        .read(|db| is_minute_full(db, id, limits, now))?;
    if full {
        return Ok(Hold::Until(now + 5));
    }
    day(services, room, id, limits, now)
}

/// Whether the next due reply may follow one that has just been taken, by the same limits. Where it may not,
/// [`hold`] says for how long.
pub(super) fn may_follow(
    tx: &store::Tx<'_>,
    services: &Services,
    room: &mut Room,
    mailbox: &Mailbox,
) -> store::Result<bool> {
    let Ok(traits) = dial::traits(services, mailbox) else {
        return Ok(true);
    };
    let (id, limits, now) = (mailbox.id, &traits.limits, services.clock.now());
    Ok(!is_minute_full(tx, id, limits, now)? && room.take(tx, id, limits, now)?.is_none())
}

/// Whether a mailbox has sent as many messages within a minute as it may.
fn is_minute_full(db: &store::Db, id: MailboxId, limits: &Limits, now: i64) -> store::Result<bool> {
    if limits.messages_per_minute == u32::MAX {
        return Ok(false);
    }
    let sent = deliveries::count_attempts(db, id, now.saturating_sub(60), now)?;
    Ok(sent >= i64::from(limits.messages_per_minute))
}

/// Holds the next due reply back, or the whole mailbox, while it does not fit the recipients of a day.
fn day(
    services: &Services,
    room: &mut Room,
    id: MailboxId,
    limits: &Limits,
    now: i64,
) -> store::Result<Hold> {
    let lack = services.store.read(|db| room.take(db, id, limits, now))?;
    let Some(Lack {
        delivery_id,
        wanted,
        left,
    }) = lack
    else {
        return Ok(Hold::Free);
    };
    let most = i64::from(limits.recipients_per_day);
    let is_full = left < 1;
    let freed = if is_full { 1 - left } else { wanted - left };
    services.store.write(|tx| {
        let since_at = now.saturating_sub(DAY_SECONDS);
        let oldest = leaving::find_accepted_at(tx, id, since_at, now, freed)?;
        let until = oldest.map_or(now + 60, |at| at.saturating_add(DAY_SECONDS));
        if is_full {
            let problem = day_problem(most, "Replies of this mailbox wait");
            store::mailboxes::update_sending(tx, id, Some(&problem), until, now)?;
            return Ok(Hold::Until(until));
        }
        if let Some(delivery) = deliveries::find(tx, delivery_id)? {
            let problem = day_problem(most, "This reply waits");
            let change = Change {
                problem: Some(&problem),
                next_attempt_at: until,
                server_reply: &delivery.server_reply,
                refused: &delivery.refused,
                ..Change::default()
            };
            deliveries::update_state(tx, &delivery, delivery.state, &change, now)?;
        }
        Ok(Hold::PutOff)
    })
}

fn day_problem(most: i64, who: &str) -> Problem {
    Problem::new(
        DAY_LIMIT,
        Disposition::RetryAfter { seconds: 0 },
        format!(
            "{who} until the provider's limit allows: a mailbox may write to {most} recipients in any 24 hours, and that many have been written to."
        ),
        "Nothing to do: it goes on by itself. For mail to very many people use a service made for it.",
    )
}

/// Whether a mailbox's pause for the day's limit is over, so that its reason must no longer be shown.
pub(super) fn is_day_over(mailbox: &Mailbox, now: i64) -> bool {
    mailbox.send_after_at <= now
        && mailbox
            .send_problem
            .as_ref()
            .is_some_and(|problem| problem.code == DAY_LIMIT)
}

/// Learns how large a message the server takes.
pub(super) fn learn_size(
    services: &Services,
    mailbox: &Mailbox,
    session: &smtp::Session,
) -> store::Result<()> {
    let told = session.max_bytes();
    let told = told.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
    if told == mailbox.smtp_size_bytes {
        return Ok(());
    }
    services
        .store
        .write(|tx| store::mailboxes::update_smtp_size(tx, mailbox.id, told))
}

/// A kind of permanent refusal for which Exchange blocks a mailbox when it comes again and again (550 5.2.251 to
/// 5.2.255; Microsoft, "Improvements to SMTP submission").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    MailboxFull,
    SendAs,
    Licence,
    TooManyRecipients,
    InvalidRecipients,
}

impl Kind {
    fn of(code: &str) -> Option<Self> {
        Some(match code {
            "smtp_mailbox_full" | "smtp_quota_exceeded" | "graph_mailbox_full" => Self::MailboxFull,
            "smtp_send_as_denied"
            | "smtp_send_as_denied_late"
            | "smtp_sender_refused"
            | "graph_send_as_denied"
            | "graph_no_delegate_right"
            | "graph_access_denied" => Self::SendAs,
            "graph_no_mailbox" => Self::Licence,
            "smtp_too_many_recipients" => Self::TooManyRecipients,
            "smtp_recipient_unknown" | "smtp_recipient_refused" | "graph_invalid_recipients" => {
                Self::InvalidRecipients
            }
            _ => return None,
        })
    }

    const fn most(self) -> usize {
        match self {
            Self::MailboxFull | Self::SendAs | Self::Licence => MAILBOX_REFUSALS,
            Self::TooManyRecipients | Self::InvalidRecipients => RECIPIENT_REFUSALS,
        }
    }

    /// The refused reply itself is right: it waits with the others.
    const fn is_about_mailbox(self) -> bool {
        matches!(self, Self::MailboxFull | Self::SendAs | Self::Licence)
    }

    const fn reason(self) -> &'static str {
        match self {
            Self::MailboxFull => "the mailbox is full",
            Self::SendAs => "it may not send from this address",
            Self::Licence => "it has no valid licence",
            Self::TooManyRecipients => "the messages had too many recipients",
            Self::InvalidRecipients => "the recipients do not exist",
        }
    }
}

/// Why a mailbox's sending stops.
pub(super) struct Stop {
    problem: Problem,
    /// The reply that was refused last waits with the others.
    pub(super) keeps_reply: bool,
}

/// Whether this refusal is one too many of its kind.
pub(super) fn judge(
    services: &Services,
    id: MailboxId,
    problem: &Problem,
    now: i64,
) -> store::Result<Option<Stop>> {
    let Some(kind) = Kind::of(&problem.code) else {
        return Ok(None);
    };
    let since_at = now.saturating_sub(TOGETHER_SECONDS);
    let before = services
        .store
        .read(|db| leaving::list_refusals(db, id, since_at, now))?;
    let same = before.iter().filter(|code| Kind::of(code) == Some(kind));
    let count = same.count() + 1;
    if count < kind.most() {
        return Ok(None);
    }
    let mut stopped = Problem::new(
        STOPPED,
        Disposition::NeedsAdmin,
        format!(
            "Sending from this mailbox is stopped: the server refused {count} times in a row because {}. Trying on would get the mailbox blocked for hours. Replies wait in the outbox.",
            kind.reason()
        ),
        format!(
            "{} Then press “Send again” on the mailbox's page.",
            problem.remedy
        ),
    )
    .with_detail(&problem.detail);
    stopped.command.clone_from(&problem.command);
    stopped.link.clone_from(&problem.link);
    Ok(Some(Stop {
        problem: stopped,
        keeps_reply: kind.is_about_mailbox(),
    }))
}

/// Stops a mailbox's sending, in the transaction that writes down the refusal.
pub(super) fn stop(tx: &store::Tx<'_>, id: MailboxId, stop: &Stop, now: i64) -> store::Result<()> {
    tracing::warn!(
        mailbox.id = id.0,
        code = STOPPED,
        "sending from a mailbox is stopped after repeated refusals"
    );
    store::mailboxes::update_stopped(tx, id, &stop.problem, now)
}
