//! Conversations that a late message shows to be one thread. Folders are read one after the other, and an
//! answer may come in before what it answers; the two then began conversations of their own.

use crate::desk;
use crate::model::{ConversationId, Status};
use crate::store::{self, Tx, conversations};

/// Conversations joined on the word of one message; more is a digest or an attack.
const JOINED_MAX: usize = 5;

/// Joins the conversations that a message's ids lead to, and says where it belongs then. One that people
/// have worked with keeps its messages and its number; only what nobody has touched moves, and what was
/// parted on purpose stays so.
pub(super) fn join(
    tx: &Tx<'_>,
    found: ConversationId,
    others: &[ConversationId],
) -> store::Result<ConversationId> {
    if others.is_empty() || others.len() > JOINED_MAX {
        return Ok(found);
    }
    let mut stays = found;
    for other in others {
        if conversations::is_set_apart(tx, stays)? || conversations::is_set_apart(tx, *other)? {
            continue;
        }
        let can_stay_go = conversations::is_untouched(tx, stays)?;
        let can_other_go = conversations::is_untouched(tx, *other)?;
        let (into, from) = match (can_stay_go, can_other_go) {
            (true, true) => (stays.min(*other), stays.max(*other)),
            (false, true) => (stays, *other),
            (true, false) => (*other, stays),
            (false, false) => continue,
        };
        let may_rename = can_stay_go && can_other_go;
        if !absorb(tx, into, from, may_rename)? {
            continue;
        }
        stays = into;
    }
    Ok(stays)
}

/// Puts one into the other, unless either is gone or they are of two mailboxes.
fn absorb(
    tx: &Tx<'_>,
    into: ConversationId,
    from: ConversationId,
    may_rename: bool,
) -> store::Result<bool> {
    let (Some(one), Some(other)) = (
        conversations::find(tx, into)?,
        conversations::find(tx, from)?,
    ) else {
        return Ok(false);
    };
    if one.mailbox_id != other.mailbox_id || one.status == Status::Spam {
        return Ok(false);
    }
    conversations::absorb(tx, into, from, may_rename)?;
    if other.status == Status::Open {
        let at = one.active_at.max(other.active_at);
        desk::change_status(tx, at, None, &one, Status::Open)?;
    }
    Ok(true)
}
