//! What a folder holds of the days that are asked for, and how much of it is known already.

use std::collections::BTreeSet;

use super::super::Services;
use crate::imap;
use crate::intake::BEFORE_WANTED;
use crate::model::{Days, Folder, FolderId, MailboxId};
use crate::problem::Problem;
use crate::store;

/// The messages of a range in one folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listing {
    /// UIDVALIDITY of the UIDs.
    pub(super) uid_validity: u32,
    /// How many there are.
    pub(super) total: usize,
    /// Those that have no fate yet, oldest first.
    pub(super) wanted: Vec<u32>,
}

/// A watched folder as it is stored now.
pub(super) fn folder(
    services: &Services,
    mailbox_id: MailboxId,
    id: FolderId,
) -> Result<Option<Folder>, Problem> {
    let folders = services
        .store
        .read(|db| store::folders::list(db, mailbox_id))
        .map_err(|error| error.to_problem())?;
    Ok(folders.into_iter().find(|folder| folder.id == id))
}

/// Opens a folder and lists it; `None` while its UIDs are not those that the poller reads by: what is new
/// is read first. What lies beyond the cursor is the poller's.
pub(super) fn list(
    services: &Services,
    session: &mut imap::Session,
    folder: &Folder,
    days: Option<Days>,
) -> Result<Option<Listing>, Problem> {
    let selected = session.examine(&folder.raw_name)?;
    let uid_validity = selected.uid_validity;
    let Some(cursor) = folder
        .cursor
        .filter(|cursor| cursor.uid_validity == uid_validity)
        .filter(|cursor| selected.uid_next.is_none_or(|next| next >= cursor.next_uid))
    else {
        return Ok(None);
    };
    let mut uids = match days {
        Some(days) => session.uids_between(days.from_at, days.until_at)?,
        None => session.uids_from(1)?,
    };
    uids.retain(|uid| *uid < cursor.next_uid);
    let total = uids.len();
    let known = fated(services, folder.id, uid_validity, BEFORE_WANTED)?;
    uids.retain(|uid| !known.contains(uid));
    Ok(Some(Listing {
        uid_validity,
        total,
        wanted: uids,
    }))
}

/// Whether every message that the open folder holds has its fate, those included that were there before.
pub(super) fn is_whole(
    services: &Services,
    session: &mut imap::Session,
    folder: &Folder,
    uid_validity: u32,
) -> Result<bool, Problem> {
    let mut uids = session.uids_from(1)?;
    uids.retain(|uid| *uid < folder.first_uid);
    let known = fated(services, folder.id, uid_validity, "")?;
    Ok(uids.iter().all(|uid| known.contains(uid)))
}

fn fated(
    services: &Services,
    folder: FolderId,
    uid_validity: u32,
    except: &str,
) -> Result<BTreeSet<u32>, Problem> {
    let uids = services
        .store
        .read(|db| store::fates::list_uids(db, folder, uid_validity, except))
        .map_err(|error| error.to_problem())?;
    Ok(uids.into_iter().collect())
}
