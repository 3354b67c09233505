//! In charge of who has which mailbox and what lies in it: the state that IMAP, SMTP, Graph and the
//! correspondents share.
//!
//! Reading order: [`user`] (people and shared mailboxes), [`folders`] (Exchange's folders and their
//! names), [`mailbox`] (messages, uids), [`submission`] (mail going out), [`quirks`] (which of
//! Exchange's oddities are switched on), [`stop`] (how everything ends).

pub mod folders;
pub mod headers;
pub mod mailbox;
pub mod quirks;
pub mod stop;
pub mod submission;
pub mod user;
pub mod wire;

use std::collections::BTreeMap;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use folders::{Language, Role};
pub use mailbox::{Flag, Folder, Mailbox, Stored};
pub use quirks::{Greeting, ImapDisabled, Quirks, WrongSize};
pub use stop::Stop;
pub use submission::{Outgoing, Submission, Submitted, Via};
pub use user::{AccountKind, SmtpAuth, User};

use crate::clock::Clock;
use crate::faults::{Action, Faults, Point};

/// Everything the pretend service knows; shared as `Arc<World>`.
#[derive(Debug)]
pub struct World {
    clock: Clock,
    state: Mutex<State>,
    changed: Condvar,
}

/// What the lock guards.
#[derive(Debug, Default)]
struct State {
    users: Vec<User>,
    /// By the owner's object id, so that an address may change.
    mailboxes: BTreeMap<String, Mailbox>,
    submissions: Vec<Submission>,
    outgoing: Vec<Outgoing>,
    quirks: Quirks,
    /// Goes up at every change; waiting sessions compare it.
    generation: u64,
    /// Where mail for outside addresses goes when correspondents are at home.
    outside: Option<Sender<Outgoing>>,
    /// Deliveries tried per outside address, for correspondents who refuse at first.
    tries: BTreeMap<String, u32>,
    /// Numbers for ids that must not repeat.
    serial: u64,
}

impl World {
    /// An empty world that reads its time from `clock`.
    #[must_use]
    pub fn new(clock: Clock) -> Arc<Self> {
        Arc::new(Self {
            clock,
            state: Mutex::default(),
            changed: Condvar::new(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a change and wakes every waiting session.
    fn wake(&self, mut state: MutexGuard<'_, State>) {
        state.generation = state.generation.wrapping_add(1);
        drop(state);
        self.changed.notify_all();
    }

    /// The clock of this world.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Adds a user and makes the mailbox with Exchange's folders in the user's language. A guest
    /// gets none: guests have no mailbox in the resource tenant. A second user of the same sign-in
    /// name takes the place of the first and keeps the mailbox.
    pub fn add_user(&self, user: User) {
        let mut state = self.state();
        if user.kind != AccountKind::Guest {
            state
                .mailboxes
                .entry(user.object_id.clone())
                .or_insert_with(|| Mailbox::new(&user));
        }
        let same = state
            .users
            .iter()
            .position(|known| known.upn.eq_ignore_ascii_case(&user.upn));
        match same.and_then(|at| state.users.get_mut(at)) {
            Some(known) => *known = user,
            None => state.users.push(user),
        }
        self.wake(state);
    }

    /// Finds a user, case-insensitively: by sign-in name first, then by address, then by alias.
    #[must_use]
    pub fn user(&self, upn_or_address: &str) -> Option<User> {
        self.state().user(upn_or_address).cloned()
    }

    /// All users in the order they were added.
    #[must_use]
    pub fn users(&self) -> Vec<User> {
        self.state().users.clone()
    }

    /// Changes the user with this sign-in name; false when there is none.
    pub fn update_user(&self, upn: &str, change: impl FnOnce(&mut User)) -> bool {
        let mut state = self.state();
        let found = state
            .users
            .iter_mut()
            .find(|user| user.upn.eq_ignore_ascii_case(upn));
        let Some(user) = found else { return false };
        change(user);
        self.wake(state);
        true
    }

    /// Whether `upn` may open the mailbox `address`: their own, or one with Full Access.
    #[must_use]
    pub fn may_open(&self, upn: &str, address: &str) -> bool {
        let state = self.state();
        match (state.user(upn), state.user(address)) {
            (Some(user), Some(target)) => {
                user.object_id == target.object_id || target.listed_in(&user.full_access)
            }
            _ => false,
        }
    }

    /// Whether `upn` may write `address` in From: their own address, an alias, or Send As.
    #[must_use]
    pub fn may_send_as(&self, upn: &str, address: &str) -> bool {
        let state = self.state();
        let Some(user) = state.user(upn) else {
            return false;
        };
        user.is_called(address)
            || state.user(address).map_or_else(
                || {
                    user.send_as
                        .iter()
                        .any(|other| other.eq_ignore_ascii_case(address))
                },
                |target| target.listed_in(&user.send_as),
            )
    }

    /// Puts mail into the INBOX of `address` as if it came from outside; false when there is no
    /// such mailbox.
    pub fn deliver(&self, address: &str, raw: &[u8]) -> bool {
        self.append(address, "INBOX", raw, false).is_some()
    }

    /// Like [`World::deliver`] with the internal date given (unix seconds UTC).
    pub fn deliver_at(&self, address: &str, raw: &[u8], internal_date_at: i64) -> bool {
        self.change_mailbox(address, |mailbox| {
            let inbox = mailbox.role_mut(Role::Inbox)?;
            Some(inbox.add(raw, &[], internal_date_at))
        })
        .flatten()
        .is_some()
    }

    /// Stores a message in a folder and returns its uid.
    pub fn append(&self, address: &str, folder: &str, raw: &[u8], seen: bool) -> Option<u32> {
        let now = self.clock.now();
        let flags: &[Flag] = if seen { &[Flag::Seen] } else { &[] };
        self.change_mailbox(address, |mailbox| {
            mailbox
                .find_mut(folder)
                .map(|folder| folder.add(raw, flags, now))
        })?
    }

    /// Like [`World::append`], unread, with the internal date given (unix seconds UTC).
    pub fn append_at(&self, address: &str, folder: &str, raw: &[u8], at: i64) -> Option<u32> {
        self.change_mailbox(address, |mailbox| {
            mailbox
                .find_mut(folder)
                .map(|folder| folder.add(raw, &[], at))
        })?
    }

    /// What lies in a folder, in uid order; empty when there is no such folder.
    #[must_use]
    pub fn folder(&self, address: &str, folder: &str) -> Vec<Stored> {
        self.read_mailbox(address, |mailbox| {
            mailbox.find(folder).map(|folder| folder.messages.clone())
        })
        .flatten()
        .unwrap_or_default()
    }

    /// The name the mailbox has for a well-known folder (`Gesendete Elemente`).
    #[must_use]
    pub fn folder_name(&self, address: &str, role: Role) -> Option<String> {
        self.read_mailbox(address, |mailbox| {
            mailbox.role(role).map(|folder| folder.name.clone())
        })?
    }

    /// Gives a folder a new UIDVALIDITY and all its messages new uids. Open sessions in it end.
    pub fn change_uid_validity(&self, address: &str, folder: &str) {
        self.change_mailbox(address, |mailbox| mailbox.renumber(folder));
    }

    /// Renames a folder, Exchange's own too. Open sessions in it end.
    pub fn rename_folder(&self, address: &str, from: &str, to: &str) {
        self.change_mailbox(address, |mailbox| mailbox.rename_any(from, to));
    }

    /// Makes a folder, and those above it, from another client's hand; false when it is there already.
    pub fn create_folder(&self, address: &str, name: &str) -> bool {
        self.change_mailbox(address, |mailbox| mailbox.create(name).is_ok())
            .unwrap_or(false)
    }

    /// Removes a folder a user made, with all in it; false when there is none. Open sessions in it end.
    pub fn delete_folder(&self, address: &str, name: &str) -> bool {
        self.change_mailbox(address, |mailbox| mailbox.delete(name).is_ok())
            .unwrap_or(false)
    }

    /// Moves a message from another client's hand, as people do in Outlook: it gets a new uid, and keeps when it
    /// arrived. Returns that uid.
    pub fn move_message(&self, address: &str, from: &str, uid: u32, to: &str) -> Option<u32> {
        self.change_mailbox(address, |mailbox| {
            let (_, pairs) = mailbox.copy(from, &[uid], to)?;
            mailbox.find_mut(from)?.remove(&[uid]);
            pairs.first().map(|pair| pair.1)
        })?
    }

    /// Restores a folder from a backup taken before the message `from_uid` arrived: UIDNEXT runs
    /// backwards and uids come again, which RFC 3501 forbids and servers have done.
    pub fn restore_folder(&self, address: &str, folder: &str, from_uid: u32) {
        self.change_mailbox(address, |mailbox| mailbox.restore(folder, from_uid));
    }

    /// Makes the server drop the connection whenever it is asked for this message, or not any more.
    pub fn set_breaks(&self, address: &str, folder: &str, uid: u32, breaks: bool) -> bool {
        self.change_stored(address, folder, uid, |stored| stored.breaks = breaks)
    }

    /// Makes IMAP serve Exchange's "Retrieval using the IMAP4 protocol failed" substitute in place
    /// of this message, or the message again.
    pub fn set_stub(&self, address: &str, folder: &str, uid: u32, stub: bool) -> bool {
        self.change_stored(address, folder, uid, |stored| stored.stub = stub)
    }

    /// Makes SEARCH list this message while FETCH gives nothing for it and still says OK.
    pub fn set_unfetchable(&self, address: &str, folder: &str, uid: u32, value: bool) -> bool {
        self.change_stored(address, folder, uid, |stored| stored.unfetchable = value)
    }

    /// Sets the RFC822.SIZE that IMAP reports for a message, whatever its true size.
    pub fn set_reported_size(&self, address: &str, folder: &str, uid: u32, bytes: u32) -> bool {
        self.change_stored(address, folder, uid, |stored| {
            stored.reported_size_bytes = bytes
        })
    }

    /// Sets or clears a flag from another client's hand.
    pub fn set_flag(&self, address: &str, folder: &str, uid: u32, flag: Flag, on: bool) -> bool {
        self.change_stored(address, folder, uid, |stored| {
            if on {
                stored.flags.insert(flag);
            } else {
                stored.flags.remove(&flag);
            }
        })
    }

    /// Removes a message from another client's hand; false when it was not there.
    pub fn remove(&self, address: &str, folder: &str, uid: u32) -> bool {
        self.change_mailbox(address, |mailbox| {
            mailbox
                .find_mut(folder)
                .is_some_and(|folder| folder.remove(&[uid]))
        })
        .unwrap_or(false)
    }

    fn change_stored(
        &self,
        address: &str,
        folder: &str,
        uid: u32,
        change: impl FnOnce(&mut Stored),
    ) -> bool {
        self.change_mailbox(address, |mailbox| {
            let stored = mailbox
                .find_mut(folder)
                .and_then(|folder| folder.get_mut(uid));
            stored.map(change).is_some()
        })
        .unwrap_or(false)
    }

    /// Ends every open IMAP session of a mailbox with `* BYE Connection is closed. 13`.
    pub fn end_sessions(&self, address: &str) {
        self.change_mailbox(address, |mailbox| mailbox.session_epoch += 1);
    }

    /// Which oddities are switched on.
    #[must_use]
    pub fn quirks(&self) -> Quirks {
        self.state().quirks.clone()
    }

    /// Switches oddities on and off. Sizes change for mail that arrives afterwards.
    pub fn set_quirks(&self, change: impl FnOnce(&mut Quirks)) {
        let mut state = self.state();
        change(&mut state.quirks);
        let wrong_size = state.quirks.wrong_size;
        for mailbox in state.mailboxes.values_mut() {
            mailbox.wrong_size = wrong_size;
        }
        self.wake(state);
    }

    /// Reads a mailbox under the lock.
    pub(crate) fn read_mailbox<T>(
        &self,
        name: &str,
        read: impl FnOnce(&Mailbox) -> T,
    ) -> Option<T> {
        let state = self.state();
        let id = &state.user(name)?.object_id;
        state.mailboxes.get(id).map(read)
    }

    /// Changes a mailbox under the lock and wakes whoever waits.
    pub(crate) fn change_mailbox<T>(
        &self,
        name: &str,
        change: impl FnOnce(&mut Mailbox) -> T,
    ) -> Option<T> {
        let mut state = self.state();
        let id = state.user(name)?.object_id.clone();
        let wrong_size = state.quirks.wrong_size;
        let mailbox = state.mailboxes.get_mut(&id)?;
        mailbox.wrong_size = wrong_size;
        let result = change(mailbox);
        self.wake(state);
        Some(result)
    }

    /// A number that goes up with every change in the world.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.state().generation
    }

    /// Waits until something changed since `generation` or `timeout` passed; returns the new number.
    pub fn wait_for_change(&self, generation: u64, timeout: Duration) -> u64 {
        let waited = self
            .changed
            .wait_timeout_while(self.state(), timeout, |state| {
                state.generation == generation
            })
            .unwrap_or_else(PoisonError::into_inner);
        waited.0.generation
    }

    /// Counts a delivery attempt to an outside address; returns how many there were before.
    pub(crate) fn count_try(&self, address: &str) -> u32 {
        let mut state = self.state();
        let count = state.tries.entry(address.to_lowercase()).or_default();
        let before = *count;
        *count = count.saturating_add(1);
        before
    }

    /// All names under which a fault may be aimed at a session that signs in as `name`, lower case.
    pub(crate) fn names_of(&self, name: &str) -> Vec<String> {
        let mut names = vec![name.to_lowercase()];
        if let Some(user) = self.user(name) {
            for other in [user.upn, user.address] {
                let other = other.to_lowercase();
                if !names.contains(&other) {
                    names.push(other);
                }
            }
        }
        names
    }

    /// Sends mail for outside addresses to `outside` from now on.
    pub(crate) fn attach_outside(&self, outside: Sender<Outgoing>) {
        self.state().outside = Some(outside);
    }
}

/// Takes a fault aimed at one of `names`, or at everyone.
pub(crate) fn take_fault(faults: &Faults, point: Point, names: &[String]) -> Option<Action> {
    if names.is_empty() {
        return faults.take(point, None);
    }
    names.iter().find_map(|name| faults.take(point, Some(name)))
}

impl State {
    fn user(&self, name: &str) -> Option<&User> {
        self.users
            .iter()
            .find(|user| user.upn.eq_ignore_ascii_case(name))
            .or_else(|| {
                self.users
                    .iter()
                    .find(|user| user.address.eq_ignore_ascii_case(name))
            })
            .or_else(|| self.users.iter().find(|user| user.is_called(name)))
    }
}
