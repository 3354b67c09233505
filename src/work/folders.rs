//! The folders of a mailbox as its server lists them, for a person who chooses among them.

use std::time::Duration;

use super::{Services, dial};
use crate::imap::{self, FolderRole};
use crate::model::{Folder, FolderRole as Role, Mailbox, MailboxId};
use crate::problem::{Disposition, Problem};
use crate::store;

/// Longest wait for one answer of the server's: a person is waiting for the page.
const LONGEST: Duration = Duration::from_secs(10);

/// What a folder is for, as far as its flags and its name tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Where new mail arrives.
    Inbox,
    /// Copies of what was sent.
    Sent,
    /// Unfinished mail.
    Drafts,
    /// Deleted mail.
    Trash,
    /// Spam.
    Junk,
    /// Anything else.
    Plain,
}

/// One folder that can hold mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The name as the server spells it (modified UTF-7).
    pub raw_name: String,
    /// The whole name as people read it.
    pub name: String,
    /// Its last part.
    pub leaf: String,
    /// How many folders it lies below.
    pub depth: usize,
    /// What it is for.
    pub purpose: Purpose,
}

impl Listed {
    fn of(folder: imap::Folder) -> Option<Self> {
        let purpose = match folder.role {
            Some(FolderRole::NotMail) => return None,
            Some(FolderRole::Inbox) => Purpose::Inbox,
            Some(FolderRole::Sent) => Purpose::Sent,
            Some(FolderRole::Drafts) => Purpose::Drafts,
            Some(FolderRole::Trash) => Purpose::Trash,
            Some(FolderRole::Junk) => Purpose::Junk,
            Some(FolderRole::Archive) | None => Purpose::Plain,
        };
        let delimiter = folder.delimiter.filter(|text| !text.is_empty());
        let parts: Vec<&str> = match &delimiter {
            Some(delimiter) => folder.name.split(delimiter.as_str()).collect(),
            None => vec![folder.name.as_str()],
        };
        let leaf = match purpose {
            // Its name in IMAP is no word for people.
            Purpose::Inbox => "Inbox",
            _ => parts.last().copied().unwrap_or_default(),
        };
        Some(Self {
            leaf: leaf.to_owned(),
            depth: parts.len().saturating_sub(1),
            purpose,
            raw_name: folder.raw_name,
            name: folder.name,
        })
    }
}

/// All folders that can hold mail, in the order of a tree: INBOX first.
///
/// # Errors
/// Why the server could not be asked.
pub fn list(services: &Services, id: MailboxId) -> Result<Vec<Listed>, Problem> {
    let mailbox = services
        .store
        .read(|db| store::mailboxes::find(db, id))
        .map_err(|error| error.to_problem())?
        .ok_or_else(|| {
            Problem::new(
                "no_mailbox",
                Disposition::GiveUp,
                "There is no such mailbox any more.",
                "Choose one in the list of mailboxes.",
            )
        })?;
    let user = mailbox.imap_user();
    let mut session = dial::imap_within(services, &mailbox, user, LONGEST, &|_| {})?;
    let folders = session.list_folders()?;
    // A server that has hung up already has said goodbye in its way.
    let _ = session.logout();
    let mut all: Vec<Listed> = folders.into_iter().filter_map(Listed::of).collect();
    all.sort_by_key(|folder| (folder.purpose != Purpose::Inbox, folder.name.to_lowercase()));
    Ok(all)
}

/// The folder an administrator chose for what was sent, where one was chosen.
///
/// # Errors
/// Those of the store.
pub(super) fn chosen_sent(
    services: &Services,
    mailbox: &Mailbox,
) -> Result<Option<Folder>, Problem> {
    let found = services
        .store
        .read(|db| store::folders::find_by_role(db, mailbox.id, Role::Sent))
        .map_err(|error| error.to_problem())?;
    Ok(found.filter(|folder| folder.chosen && folder.watched))
}
