//! Several replies handed over in a row through SMTP, over one session.

use std::time::{Duration, Instant};

use super::super::{Services, dial, limits};
use super::{Claimed, Sender, Tried, claim, closed_way, message, record};
use crate::model::{Mailbox, WayOut};
use crate::smtp::{Outcome, Stage};
use crate::store;

/// How long replies are handed over in a row before the sender looks around.
const ROW_TIME: Duration = Duration::from_secs(1);

/// Hands over what is due, one reply after the other for a moment. That one was taken and that the next is
/// about to be handed over is written down together.
pub(super) fn through_smtp(
    services: &Services,
    sender: &mut Sender,
    mailbox: &Mailbox,
    now: i64,
) -> store::Result<()> {
    let kept = sender.session.take();
    let mut was_kept = kept.is_some();
    let mut session = match kept {
        Some(session) => session,
        None => match dial::smtp(services, mailbox, mailbox.smtp_user()) {
            Ok(session) => session,
            Err(refusal) => return closed_way(services, mailbox, &refusal, now),
        },
    };
    limits::learn_size(services, mailbox, &session)?;
    let began = Instant::now();
    let first = |tx: &store::Tx<'_>| claim(tx, services, mailbox.id, WayOut::Smtp);
    let Some(mut claimed) = services.store.write(first)? else {
        session.quit();
        return Ok(());
    };
    loop {
        let (delivery, attempt_id) = &claimed;
        let (envelope, raw, _) = message(services, mailbox, delivery)?;
        let mut outcome = session.send(&envelope, &raw);
        // The server had ended a session we kept: nothing was said about this message yet.
        if was_kept && !session.is_usable() && is_before_recipients(&outcome) {
            outcome = match dial::smtp(services, mailbox, mailbox.smtp_user()) {
                Ok(newer) => {
                    session = newer;
                    session.send(&envelope, &raw)
                }
                Err(refusal) => Outcome::Refused(refusal),
            };
        }
        was_kept = true;
        let goes_on = session.is_usable() && began.elapsed() < ROW_TIME;
        let tried = Tried {
            mailbox,
            delivery,
            attempt_id: *attempt_id,
            way_out: WayOut::Smtp,
        };
        let next = record(services, &tried, outcome, |tx| {
            if goes_on {
                claim_next(tx, services, &mut sender.room, mailbox)
            } else {
                Ok(None)
            }
        })?;
        match next {
            Some(next) => claimed = next,
            None => break,
        }
    }
    if session.is_usable() {
        sender.session = Some(session);
    }
    Ok(())
}

/// Takes the reply that follows, unless the limits hold it back; the next step says why.
fn claim_next(
    tx: &store::Tx<'_>,
    services: &Services,
    room: &mut limits::Room,
    mailbox: &Mailbox,
) -> store::Result<Option<Claimed>> {
    if !limits::may_follow(tx, services, room, mailbox)? {
        return Ok(None);
    }
    claim(tx, services, mailbox.id, WayOut::Smtp)
}

fn is_before_recipients(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Refused(refusal)
        if refusal.stage <= Stage::Sender && refusal.problem.is_transient())
}
