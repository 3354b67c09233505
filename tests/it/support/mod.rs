//! What the tests stand on.

pub mod child;
pub mod site;
pub mod stage;

use std::sync::Arc;

use mailhatch::clock::Clock;
use mailhatch::config::Config;
use mailhatch::http::Http;
use mailhatch::net::Trust;
use mailhatch::oauth::KeyCache;
use mailhatch::secret::Sealer;
use mailhatch::store::Store;
use mailhatch::work::{Services, Work};

/// The services behind the pages, with loops that do not run.
pub fn services(store: Arc<Store>, sealer: Sealer, clock: Clock, config: Arc<Config>) -> Services {
    let roots = config.extra_roots.clone();
    Services {
        store,
        sealer,
        clock,
        config,
        http: Http::new(roots.as_deref()).unwrap(),
        trust: Trust::new(roots.as_deref()).unwrap(),
        keys: KeyCache::default(),
        work: Work::default(),
    }
}
