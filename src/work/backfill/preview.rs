//! What a backfill would bring, asked of the server before anything is begun.

use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use super::super::{Services, dial};
use super::listing;
use crate::imap;
use crate::model::{Days, Folder, FolderId, Mailbox, MailboxId};
use crate::net::Closer;
use crate::problem::{Disposition, Problem};
use crate::store;

/// Longest time a person waits for the answer.
const DEADLINE: Duration = Duration::from_secs(45);
/// Sizes of more messages than this are estimated from so many of them.
const SIZES_MAX: usize = 4_000;

/// What a backfill would bring.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preview {
    /// Messages of the range.
    pub total: u64,
    /// How many of them are known already.
    pub known: u64,
    /// Size of the others by the server's estimates, which can be far off.
    pub bytes: u64,
    /// Name and number of messages of each folder.
    pub folders: Vec<(String, u64)>,
}

impl Preview {
    /// How many would be fetched.
    #[must_use]
    pub const fn wanted(&self) -> u64 {
        self.total.saturating_sub(self.known)
    }
}

/// Asks the server how many messages of these folders arrived in these days, and holds that against the
/// ledger. Takes less than a minute, or fails.
///
/// # Errors
/// Why it cannot be told.
pub fn preview(
    services: &Services,
    id: MailboxId,
    days: Option<Days>,
    folders: &[FolderId],
) -> Result<Preview, Problem> {
    let mailbox = services
        .store
        .read(|db| store::mailboxes::find(db, id))
        .map_err(|error| error.to_problem())?
        .ok_or_else(super::no_mailbox)?;
    let known = services
        .store
        .read(|db| store::folders::list(db, id))
        .map_err(|error| error.to_problem())?;
    let chosen: Vec<Folder> = known
        .into_iter()
        .filter(|folder| folders.contains(&folder.id))
        .collect();
    within(DEADLINE, |on_closer| {
        count(services, &mailbox, days, &chosen, on_closer)
    })
}

fn count(
    services: &Services,
    mailbox: &Mailbox,
    days: Option<Days>,
    folders: &[Folder],
    on_closer: &dyn Fn(Closer),
) -> Result<Preview, Problem> {
    let mut session = dial::imap(services, mailbox, mailbox.imap_user(), on_closer)?;
    let mut preview = Preview::default();
    for folder in folders {
        let Some(listing) = listing::list(services, &mut session, folder, days)? else {
            services.work.wake_poller(mailbox.id);
            return Err(being_read(&folder.name));
        };
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let total = number(listing.total);
        preview.total += total;
        preview.known += total.saturating_sub(number(listing.wanted.len()));
        preview.bytes += bytes(&mut session, &listing.wanted)?;
        preview.folders.push((folder.name.clone(), total));
    }
    let _ = session.logout();
    Ok(preview)
}

/// The size of these messages, from a sample where they are many.
fn bytes(session: &mut imap::Session, uids: &[u32]) -> Result<u64, Problem> {
    let step = uids.len().div_ceil(SIZES_MAX).max(1);
    let sample: Vec<u32> = uids.iter().copied().step_by(step).collect();
    let mut sum: u64 = 0;
    for stretch in sample.chunks(1_000) {
        let sizes = session.sizes(stretch)?;
        sum += sizes.iter().map(|(_, size)| size).sum::<u64>();
    }
    Ok(sum.saturating_mul(u64::try_from(step).unwrap_or(1)))
}

fn being_read(folder: &str) -> Problem {
    Problem::new(
        "folder_not_read_yet",
        Disposition::RetryAfter { seconds: 60 },
        format!(
            "“{folder}” is being read for the first time, or anew, so it is not clear yet what is known of it."
        ),
        "New mail comes first. Look again in a minute.",
    )
}

/// Runs work that talks to a server, and cuts its connection when the time is over.
fn within<T: Send>(
    time: Duration,
    work: impl FnOnce(&dyn Fn(Closer)) -> Result<T, Problem>,
) -> Result<T, Problem> {
    let connection: &Mutex<Option<Closer>> = &Mutex::default();
    let (done, waiting) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let watch = scope.spawn(move || {
            let is_late = waiting.recv_timeout(time) == Err(mpsc::RecvTimeoutError::Timeout);
            if is_late
                && let Some(closer) = &*connection.lock().unwrap_or_else(PoisonError::into_inner)
            {
                closer.close();
            }
            is_late
        });
        let result = work(&|closer| {
            *connection.lock().unwrap_or_else(PoisonError::into_inner) = Some(closer);
        });
        drop(done);
        let is_late = watch.join().unwrap_or(false);
        result.map_err(|problem| if is_late { too_late() } else { problem })
    })
}

fn too_late() -> Problem {
    Problem::new(
        "preview_too_late",
        Disposition::RetryAfter { seconds: 60 },
        "The mail server did not list its messages in 45 seconds.",
        "Choose fewer days or fewer folders, or try again when the server is less busy.",
    )
}
