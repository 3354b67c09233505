//! Folders as the servers listed them lately. A page asks a server at most once a minute, few pages at a time.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Semaphore;

use crate::model::MailboxId;
use crate::problem::Problem;
use crate::web::context::Shared;
use crate::web::error::Error;
use crate::work::folders::{self, Listed};

/// How long a listing is shown without asking again, and how long a form made from it may take.
const FRESH_SECONDS: i64 = 60;
const KEPT_SECONDS: i64 = 3_600;
/// Servers asked at a time; each question holds a thread for some seconds.
const QUESTIONS: usize = 2;

/// The last listing of each mailbox, and when it was made; kept until the program ends.
#[derive(Debug)]
pub(crate) struct Listings {
    known: Mutex<BTreeMap<MailboxId, (i64, Vec<Listed>)>>,
    asking: Semaphore,
}

impl Default for Listings {
    fn default() -> Self {
        Self {
            known: Mutex::default(),
            asking: Semaphore::new(QUESTIONS),
        }
    }
}

impl Listings {
    fn known(&self, id: MailboxId, now: i64, seconds: i64) -> Option<Vec<Listed>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .get(&id)
            .filter(|(at, _)| (0..=seconds).contains(&now.saturating_sub(*at)))
            .map(|(_, listed)| listed.clone())
    }

    /// The folders for a page; asks the server when the listing is old, or when told to.
    ///
    /// # Errors
    /// When the program is stopping. Inside: why the server could not be asked.
    pub(super) async fn show(
        context: &Shared,
        id: MailboxId,
        again: bool,
    ) -> Result<Result<Vec<Listed>, Problem>, Error> {
        if let Some(listed) = context.listings.known(id, context.now(), FRESH_SECONDS)
            && !again
        {
            return Ok(Ok(listed));
        }
        let _permit = context
            .listings
            .asking
            .acquire()
            .await
            .map_err(|_| Error::Stopping)?;
        let asked = context
            .services(move |services| folders::list(services, id))
            .await?;
        if let Ok(listed) = &asked {
            let mut known = context
                .listings
                .known
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            known.insert(id, (context.now(), listed.clone()));
        }
        Ok(asked)
    }

    /// The folders that a form may name: those its page showed.
    ///
    /// # Errors
    /// As [`Listings::show`].
    pub(super) async fn shown(
        context: &Shared,
        id: MailboxId,
    ) -> Result<Result<Vec<Listed>, Problem>, Error> {
        match context.listings.known(id, context.now(), KEPT_SECONDS) {
            Some(listed) => Ok(Ok(listed)),
            None => Self::show(context, id, true).await,
        }
    }
}
