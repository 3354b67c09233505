//! Folders as the pages show them: fates held against the server's own count here; which are watched, and what
//! is written back, in the modules below.

mod choose;
mod listings;
mod write_back;

pub(super) use choose::{index, update, update_sent};
pub(super) use listings::Listings;
pub(super) use write_back::{forget, retry, update_write_back};

use super::error::Error;
use crate::model::{Comparison, Fate, Folder, FolderRole, LedgerCheck, MailboxId};
use crate::store::{self, Db};

/// A folder with what became of the messages in it.
pub(super) struct FolderRow {
    /// The folder.
    pub(super) folder: Folder,
    /// Fates that some message met, with their numbers.
    pub(super) fates: Vec<(Fate, i64)>,
    /// Messages that wait for a person.
    pub(super) needing: i64,
    /// Messages of which a person has said that they are fine.
    pub(super) dismissed: i64,
    /// How it stands against the server.
    pub(super) check: Option<LedgerCheck>,
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
                let (needing, dismissed) = store::fates::count_needing_person(db, folder.id)?;
                let check = store::ledger_checks::find(db, folder.id)?;
                Ok(Self {
                    folder,
                    fates,
                    needing,
                    dismissed,
                    check,
                })
            })
            .collect()
    }

    /// Messages seen under the present UIDVALIDITY.
    #[must_use]
    pub(super) fn total(&self) -> i64 {
        self.fates.iter().map(|(_, count)| count).sum()
    }

    /// What the last comparison with the server found, and when; `None` when its UIDs have changed meaning since.
    #[must_use]
    pub(super) fn compared(&self) -> Option<(&i64, &Comparison)> {
        let (at, found) = self.check.as_ref()?.last.as_ref()?;
        let validity = self.folder.cursor.map(|cursor| cursor.uid_validity);
        (validity == Some(found.uid_validity)).then_some((at, found))
    }

    /// A comparison has been asked for, or its time has come.
    #[must_use]
    pub(super) fn is_being_compared(&self, now: &i64) -> bool {
        self.check.as_ref().is_some_and(|check| check.is_due(*now))
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
