//! What the tests stand on.

pub mod site;

use std::sync::Arc;

use mailhatch::clock::Clock;
use mailhatch::config::Config;
use mailhatch::secret::Sealer;
use mailhatch::store::Store;
use mailhatch::web::pending::{Services, Work};

/// The services behind the pages, with loops that do not run.
pub fn services(store: Arc<Store>, sealer: Sealer, clock: Clock, config: Arc<Config>) -> Services {
    Services { store, sealer, clock, config, work: Work::default() }
}
