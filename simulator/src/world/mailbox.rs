//! In charge of one mailbox: its folders, their messages and uids.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::folders::{self, Role};
use super::{User, WrongSize};

/// The flags Exchange stores; it keeps no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flag {
    /// Read.
    Seen,
    /// Answered.
    Answered,
    /// Flagged.
    Flagged,
    /// To be expunged.
    Deleted,
    /// A draft.
    Draft,
    /// A receipt was sent.
    MdnSent,
}

impl Flag {
    /// As written in IMAP.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Seen => "\\Seen",
            Self::Answered => "\\Answered",
            Self::Flagged => "\\Flagged",
            Self::Deleted => "\\Deleted",
            Self::Draft => "\\Draft",
            Self::MdnSent => "$MDNSent",
        }
    }

    /// Reads IMAP's word; `None` for a keyword Exchange would not keep.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [
            Self::Seen,
            Self::Answered,
            Self::Flagged,
            Self::Deleted,
            Self::Draft,
            Self::MdnSent,
        ]
        .into_iter()
        .find(|flag| flag.as_str().eq_ignore_ascii_case(word))
    }
}

/// One message in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its uid in the folder.
    pub uid: u32,
    /// The message.
    pub raw: Arc<[u8]>,
    /// Its flags.
    pub flags: BTreeSet<Flag>,
    /// When it arrived, unix seconds UTC.
    pub internal_date_at: i64,
    /// What RFC822.SIZE says, which may be wrong.
    pub reported_size_bytes: u32,
    /// IMAP serves a substitute in its place.
    pub stub: bool,
    /// SEARCH lists it, FETCH gives nothing.
    pub unfetchable: bool,
    /// The server drops the connection when it is asked for the message.
    pub breaks: bool,
}

/// One folder.
#[derive(Debug, Clone)]
pub struct Folder {
    /// Its full name with `/` between levels, in Unicode.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// UIDVALIDITY.
    pub uid_validity: u32,
    /// UIDNEXT.
    pub next_uid: u32,
    /// In uid order.
    pub messages: Vec<Stored>,
    /// Whether LSUB lists it.
    pub subscribed: bool,
    wrong_size: WrongSize,
}

impl Folder {
    /// Stores a message and returns its uid.
    pub fn add(&mut self, raw: &[u8], flags: &[Flag], internal_date_at: i64) -> u32 {
        let uid = self.next_uid;
        self.next_uid = uid.saturating_add(1);
        let size = u32::try_from(raw.len()).unwrap_or(u32::MAX);
        self.messages.push(Stored {
            uid,
            raw: Arc::from(raw),
            flags: flags.iter().copied().collect(),
            internal_date_at,
            reported_size_bytes: self.wrong_size.of(size, uid),
            stub: false,
            unfetchable: false,
            breaks: false,
        });
        uid
    }

    /// The message with this uid.
    #[must_use]
    pub fn get(&self, uid: u32) -> Option<&Stored> {
        find(&self.messages, uid)
    }

    /// The message with this uid, to change it.
    pub fn get_mut(&mut self, uid: u32) -> Option<&mut Stored> {
        let at = self
            .messages
            .binary_search_by_key(&uid, |stored| stored.uid)
            .ok()?;
        self.messages.get_mut(at)
    }

    /// Removes messages for good; false when none of them was there.
    pub fn remove(&mut self, uids: &[u32]) -> bool {
        let before = self.messages.len();
        self.messages.retain(|stored| !uids.contains(&stored.uid));
        self.messages.len() != before
    }
}

/// The message with this uid among messages in uid order.
pub(crate) fn find(messages: &[Stored], uid: u32) -> Option<&Stored> {
    messages.get(
        messages
            .binary_search_by_key(&uid, |stored| stored.uid)
            .ok()?,
    )
}

impl WrongSize {
    fn of(self, size: u32, uid: u32) -> u32 {
        match self {
            Self::EveryThird if uid.is_multiple_of(3) => size.saturating_mul(3),
            Self::EveryThird | Self::Never => size,
            Self::All { times, by } => size.saturating_mul(times).checked_div(by).unwrap_or(size),
        }
    }
}

/// One mailbox.
#[derive(Debug, Clone)]
pub struct Mailbox {
    folders: Vec<Folder>,
    next_validity: u32,
    pub(super) wrong_size: WrongSize,
    /// Goes up when all open sessions are to end.
    pub(crate) session_epoch: u64,
}

/// Why a folder cannot be made, renamed or removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FolderError {
    /// It is one of Exchange's own.
    Reserved,
    /// The name is taken.
    Exists,
    /// There is none of that name.
    Missing,
}

impl Mailbox {
    pub(super) fn new(user: &User) -> Self {
        let mut mailbox = Self {
            folders: Vec::new(),
            next_validity: 14,
            wrong_size: WrongSize::default(),
            session_epoch: 0,
        };
        for (role, name) in folders::names(user.kind, user.language) {
            mailbox.push(name, role);
        }
        mailbox
    }

    fn push(&mut self, name: &str, role: Role) {
        self.folders.push(Folder {
            name: name.to_owned(),
            role,
            uid_validity: self.next_validity,
            next_uid: 1,
            messages: Vec::new(),
            subscribed: true,
            wrong_size: self.wrong_size,
        });
        // Exchange's numbers are small and have gaps.
        self.next_validity = self.next_validity.saturating_add(3);
    }

    /// All folders, INBOX first.
    #[must_use]
    pub fn folders(&self) -> &[Folder] {
        &self.folders
    }

    fn position(&self, name: &str) -> Option<usize> {
        let wanted = name.to_lowercase();
        self.folders
            .iter()
            .position(|folder| folder.name.to_lowercase() == wanted)
    }

    /// Finds a folder by name; Exchange minds no case in any of them.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Folder> {
        self.folders.get(self.position(name)?)
    }

    /// Finds a folder to change it.
    pub fn find_mut(&mut self, name: &str) -> Option<&mut Folder> {
        let at = self.position(name)?;
        let folder = self.folders.get_mut(at)?;
        folder.wrong_size = self.wrong_size;
        Some(folder)
    }

    /// The folder with this role.
    #[must_use]
    pub fn role(&self, role: Role) -> Option<&Folder> {
        self.folders.iter().find(|folder| folder.role == role)
    }

    /// The folder with this role, to change it.
    pub fn role_mut(&mut self, role: Role) -> Option<&mut Folder> {
        let folder = self.folders.iter_mut().find(|folder| folder.role == role)?;
        folder.wrong_size = self.wrong_size;
        Some(folder)
    }

    /// Makes a folder, and those above it.
    pub fn create(&mut self, name: &str) -> Result<(), FolderError> {
        let name = name.trim_end_matches('/');
        if self.position(name).is_some() {
            return Err(FolderError::Exists);
        }
        let mut path = String::new();
        for part in name.split('/') {
            if !path.is_empty() {
                path.push('/');
            }
            path.push_str(part);
            if self.position(&path).is_none() {
                self.push(&path, Role::Own);
            }
        }
        Ok(())
    }

    /// Removes a folder that a user made.
    pub fn delete(&mut self, name: &str) -> Result<(), FolderError> {
        let at = self.own(name)?;
        self.folders.remove(at);
        Ok(())
    }

    /// Renames a folder that a user made, and those below it.
    pub fn rename(&mut self, from: &str, to: &str) -> Result<(), FolderError> {
        let at = self.own(from)?;
        if self.position(to).is_some() {
            return Err(FolderError::Exists);
        }
        let old = self
            .folders
            .get(at)
            .map(|folder| folder.name.clone())
            .unwrap_or_default();
        let below = format!("{old}/");
        for folder in &mut self.folders {
            if folder.name == old {
                to.clone_into(&mut folder.name);
            } else if let Some(rest) = folder.name.strip_prefix(&below) {
                folder.name = format!("{to}/{rest}");
            }
        }
        Ok(())
    }

    /// Renames any folder, Exchange's own too, as a change of the mailbox's language does.
    pub(super) fn rename_any(&mut self, from: &str, to: &str) {
        if let Some(folder) = self.find_mut(from) {
            to.clone_into(&mut folder.name);
        }
    }

    /// Puts a folder back to what it was before the message `from_uid` arrived, under the same
    /// UIDVALIDITY: its uids are given a second time.
    pub(super) fn restore(&mut self, name: &str, from_uid: u32) {
        if let Some(folder) = self.find_mut(name) {
            folder.messages.retain(|stored| stored.uid < from_uid);
            folder.next_uid = from_uid;
        }
    }

    fn own(&self, name: &str) -> Result<usize, FolderError> {
        let at = self.position(name).ok_or(FolderError::Missing)?;
        let role = self.folders.get(at).map(|folder| folder.role);
        if role == Some(Role::Own) {
            Ok(at)
        } else {
            Err(FolderError::Reserved)
        }
    }

    pub(super) fn renumber(&mut self, name: &str) {
        let validity = self.next_validity;
        self.next_validity = validity.saturating_add(3);
        let Some(folder) = self.find_mut(name) else {
            return;
        };
        folder.uid_validity = validity;
        // New numbers start where the old ones ended, so that an old uid never names a new message.
        for stored in &mut folder.messages {
            stored.uid = folder.next_uid;
            folder.next_uid = folder.next_uid.saturating_add(1);
        }
    }

    /// Copies messages into another folder; returns UIDVALIDITY there and pairs of old and new uid.
    /// `None` when the target is missing.
    pub fn copy(&mut self, from: &str, uids: &[u32], to: &str) -> Option<(u32, Vec<(u32, u32)>)> {
        let source = self.find(from)?;
        let found: Vec<Stored> = uids
            .iter()
            .filter_map(|uid| source.get(*uid))
            .cloned()
            .collect();
        let target = self.find_mut(to)?;
        let pairs = found
            .iter()
            .map(|stored| {
                let flags: Vec<Flag> = stored.flags.iter().copied().collect();
                (
                    stored.uid,
                    target.add(&stored.raw, &flags, stored.internal_date_at),
                )
            })
            .collect();
        Some((target.uid_validity, pairs))
    }
}
