//! What every handler needs: the services behind the pages and a way to use them off the async threads.

use std::sync::Arc;

use actix_web::web::{Data, block};
use tokio::sync::Semaphore;

use super::assets::Assets;
use super::checks::Checks;
use super::error::Error;
use super::folders::Listings;
use super::live::Streams;
use super::readings::Readings;

use crate::config::Config;
use crate::store::{self, Db, Store};
use crate::work::Services;

/// Passwords hashed at a time; each takes 19 MiB and a core for a while.
const HASHES: usize = 2;

/// Behind every page.
#[derive(Debug)]
pub struct Context {
    /// Store, clock, settings and the loops.
    pub services: Arc<Services>,
    /// What is embedded under `/static/`.
    pub assets: Assets,
    /// Open live connections.
    pub streams: Streams,
    /// Checklists of mailboxes.
    pub(super) checks: Checks,
    /// What was read from the bytes of messages that were shown lately.
    pub(super) readings: Readings,
    /// Folders as the servers listed them lately.
    pub(super) listings: Listings,
    hashing: Semaphore,
}

/// How handlers receive it.
pub type Shared = Data<Context>;

impl Context {
    /// A context over these services.
    #[must_use]
    pub fn new(services: Arc<Services>) -> Self {
        Self {
            services,
            assets: Assets::new(),
            streams: Streams::default(),
            checks: Checks::default(),
            readings: Readings::default(),
            listings: Listings::default(),
            hashing: Semaphore::new(HASHES),
        }
    }

    /// Unix seconds UTC.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.services.clock.now()
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.services.config
    }

    /// Runs work that uses the store on a blocking thread.
    ///
    /// # Errors
    /// Those of the work, and when the program is stopping.
    pub async fn store<T, E>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Error>
    where
        T: Send + 'static,
        E: Into<Error> + Send + 'static,
    {
        let store = Arc::clone(&self.services.store);
        block(move || work(&store)).await?.map_err(Into::into)
    }

    /// Reads from one snapshot of the store on a blocking thread.
    ///
    /// # Errors
    /// Those of the work, and when the program is stopping.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Db) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.store(move |store| store.read(work)).await
    }

    /// Runs blocking work that uses other services, such as a question to Entra; the work keeps its
    /// own deadlines.
    ///
    /// # Errors
    /// When the program is stopping.
    pub async fn services<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Services) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let services = Arc::clone(&self.services);
        Ok(block(move || work(&services)).await?)
    }

    /// Runs work that only computes on a blocking thread.
    ///
    /// # Errors
    /// When the program is stopping.
    pub async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        Ok(block(work).await?)
    }

    /// Hashes or checks a password on a blocking thread, few at a time.
    ///
    /// # Errors
    /// When the program is stopping.
    pub async fn hashing<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let _permit = self.hashing.acquire().await.map_err(|_| Error::Stopping)?;
        Ok(block(work).await?)
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

impl From<actix_web::error::BlockingError> for Error {
    fn from(_: actix_web::error::BlockingError) -> Self {
        Self::Stopping
    }
}
