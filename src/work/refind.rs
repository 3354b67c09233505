//! A watched folder that is not there under its name any more: people rename folders and remove them, and
//! Exchange renames its own when a mailbox changes its language.

use crate::imap;
use crate::model::{Folder, FolderRole};
use crate::problem::{Disposition, Problem};
use crate::store;

use super::Services;

/// Code of the problem that a folder is gone.
const FOLDER_GONE: &str = "folder_gone";
/// Most folders looked into for one that was renamed.
const CANDIDATES_MAX: usize = 50;
/// How often a folder that is gone is looked for under other names.
const LOOK_EVERY_SECONDS: i64 = 3_600;

/// What became of a folder that could not be read.
pub(super) enum Found {
    /// It goes by another name now, which is stored.
    Renamed(Folder),
    /// It is there; something else was wrong.
    StillThere,
    /// It is not there any more.
    Gone(Problem),
}

/// Looks for a folder that could not be read.
///
/// # Errors
/// The session's failure or the store's.
pub(super) fn find(
    services: &Services,
    session: &mut imap::Session,
    watched: &[Folder],
    folder: &Folder,
) -> Result<Found, Problem> {
    let on_server = session.list_folders()?;
    if on_server.iter().any(|now| now.raw_name == folder.raw_name) {
        return Ok(Found::StillThere);
    }
    let now = services.clock.now();
    let looked_lately = folder.problem.as_ref().is_some_and(|problem| {
        let since = folder
            .problem_at
            .map_or(i64::MAX, |at| now.saturating_sub(at));
        problem.code == FOLDER_GONE && (0..LOOK_EVERY_SECONDS).contains(&since)
    });
    if let (Some(problem), true) = (&folder.problem, looked_lately) {
        return Ok(Found::Gone(problem.clone()));
    }
    let by_itself = folder.role == FolderRole::Sent && !folder.chosen;
    let renamed = if by_itself {
        let is_sent = |now: &&imap::Folder| now.role == Some(imap::FolderRole::Sent);
        on_server.iter().find(is_sent).cloned()
    } else {
        let others: Vec<imap::Folder> = on_server
            .into_iter()
            .filter(|now| !watched.iter().any(|known| known.raw_name == now.raw_name))
            .filter(|now| now.role != Some(imap::FolderRole::NotMail))
            .take(CANDIDATES_MAX)
            .collect();
        same_content(services, session, folder, others)?
    };
    let Some(renamed) = renamed else {
        return Ok(Found::Gone(gone(folder)));
    };
    let (raw, name) = (&renamed.raw_name, &renamed.name);
    services
        .store
        .write(|tx| {
            store::folders::delete_unwatched(tx, folder.mailbox_id, raw)?;
            store::folders::update_name(tx, folder.id, raw, name)
        })
        .map_err(|error: store::Error| error.to_problem())?;
    tracing::info!(
        mailbox.id = folder.mailbox_id.0,
        folder.id = folder.id.0,
        "a folder was found under another name"
    );
    Ok(Found::Renamed(Folder {
        raw_name: renamed.raw_name,
        name: renamed.name,
        ..folder.clone()
    }))
}

/// The folder that holds what we read in the one that is missing: it has its UIDVALIDITY, which a rename keeps
/// (RFC 9051 §6.3.6 speaks of it for INBOX's heirs; servers do for all), and its newest message under the same
/// UID. UIDVALIDITY alone proves nothing: folders made in the same second share it on many servers. A folder
/// in which nothing was ever seen is known by that number and UIDNEXT, if only one has both.
fn same_content(
    services: &Services,
    session: &mut imap::Session,
    folder: &Folder,
    candidates: Vec<imap::Folder>,
) -> Result<Option<imap::Folder>, Problem> {
    let Some(cursor) = folder.cursor else {
        return Ok(None);
    };
    let known = services
        .store
        .read(|db| store::fates::list_newest(db, folder.id, cursor.uid_validity, 5))
        .map_err(|error| error.to_problem())?;
    let mut by_number = Vec::new();
    for candidate in candidates {
        let Ok(selected) = session.examine(&candidate.raw_name) else {
            // One that cannot be opened is not the one, unless the session is what failed.
            session.noop()?;
            continue;
        };
        if selected.uid_validity != cursor.uid_validity {
            continue;
        }
        for (uid, id) in &known {
            if session.find_message_id(id)?.contains(uid) {
                return Ok(Some(candidate));
            }
        }
        if known.is_empty() && selected.uid_next == Some(cursor.next_uid) {
            by_number.push(candidate);
        }
    }
    Ok(by_number.pop().filter(|_| by_number.is_empty()))
}

fn gone(folder: &Folder) -> Problem {
    let sent = folder.role == FolderRole::Sent;
    let remedy = if sent {
        "Choose the folder for sent mail on the mailbox's folder page. Until then replies written in Outlook do not show; the inbox is not affected."
    } else {
        "If it was renamed and emptied, choose it again on the mailbox's folder page; if it is not needed any more, stop watching it there. The inbox is not affected, and what was received from the folder stays."
    };
    Problem::new(
        FOLDER_GONE,
        Disposition::NeedsAdmin,
        format!(
            "The folder “{}” is not in the mailbox any more, under this name or another.",
            folder.name
        ),
        remedy,
    )
}
