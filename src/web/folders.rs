//! Folders as the pages show them: fates held against the server's own count here; which are watched, and what
//! is written back, in the modules below.

mod choose;
mod listings;
mod write_back;

pub(super) use choose::{index, update, update_sent};
pub(super) use listings::Listings;
pub(super) use write_back::{forget, retry, update_write_back};

use super::error::Error;
use super::mailbox_words as words;
use crate::model::{Fate, Folder, FolderRole, MailboxId};
use crate::store::{self, Db};

/// A folder with what became of the messages in it.
pub(super) struct FolderRow {
    /// The folder.
    pub(super) folder: Folder,
    /// Fates that some message met, with their numbers.
    pub(super) fates: Vec<(Fate, i64)>,
}

impl FolderRow {
    /// The watched folders of a mailbox.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) fn list(db: &Db, id: MailboxId) -> Result<Vec<Self>, Error> {
        store::folders::list(db, id)?
            .into_iter()
            .map(|folder| {
                let fates = store::fates::count(db, folder.id)?;
                let fates = fates.into_iter().map(|row| (row.fate, row.count)).collect();
                Ok(Self { folder, fates })
            })
            .collect()
    }

    /// Messages seen under the present UIDVALIDITY.
    #[must_use]
    pub(super) fn total(&self) -> i64 {
        self.fates.iter().map(|(_, count)| count).sum()
    }

    /// Messages that a person should look at.
    #[must_use]
    pub(super) fn needing_person(&self) -> i64 {
        self.fates
            .iter()
            .filter(|(fate, _)| words::needs_person(fate))
            .map(|(_, count)| count)
            .sum()
    }

    /// What the numbers come to, in words.
    #[must_use]
    pub(super) fn verdict(&self) -> String {
        if !self.folder.watched {
            return "Nothing is read from it any more; what was received stays.".to_owned();
        }
        let Some(server) = self.folder.server_count else {
            return "Not read yet.".to_owned();
        };
        let seen = self.total();
        let wanted_all = self.folder.first_uid <= 1;
        match server - seen {
            0 if server == 0 => "It is empty.".to_owned(),
            0 => "Every message on the server is accounted for.".to_owned(),
            missing if missing > 0 && wanted_all => format!("{missing} still to be looked at."),
            missing if missing > 0 => {
                format!(
                    "{missing} on the server are older than what was chosen; the rest is accounted for."
                )
            }
            gone => {
                let gone = -gone;
                format!(
                    "Everything is accounted for; {gone} seen earlier have since been moved or deleted on the server."
                )
            }
        }
    }

    /// What the folder is for, in words.
    #[must_use]
    pub(super) const fn role(&self) -> &'static str {
        match self.folder.role {
            _ if !self.folder.watched => "Not watched any more",
            FolderRole::Other if self.folder.junk => "Spam",
            FolderRole::Inbox => "Incoming mail",
            FolderRole::Sent => "Replies, also those written in Outlook",
            FolderRole::Other => "Watched",
        }
    }
}
