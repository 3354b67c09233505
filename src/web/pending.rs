//! Local stand-ins for `work`, which does not compile without its transports yet. Removed when it does.

use std::sync::Arc;

use crate::clock::Clock;
use crate::config::Config;
use crate::model::{Delivery, DeliveryId, DeliveryState, MailboxId, Agent};
use crate::problem::{Disposition, Problem};
use crate::secret::Sealer;
use crate::store::Store;

#[path = "../work/status.rs"]
pub mod status;

#[derive(Debug)]
pub struct Services {
    pub store: Arc<Store>,
    pub sealer: Sealer,
    pub clock: Clock,
    pub config: Arc<Config>,
    pub work: Work,
}

#[derive(Debug, Default)]
pub struct Work {
    board: status::Board,
}

impl Work {
    pub fn wake_sender(&self, _: MailboxId) {}
    pub fn wake_poller(&self, _: MailboxId) {}
    pub fn board(&self) -> &status::Board {
        &self.board
    }
    pub fn parts(&self) -> Vec<status::Part> {
        self.board.parts()
    }
    pub fn retry_delivery(&self, s: &Services, id: DeliveryId, _: &Agent) -> Result<Delivery, Problem> {
        self.set(s, id, DeliveryState::Queued)
    }
    pub fn cancel_delivery(&self, s: &Services, id: DeliveryId, _: &Agent) -> Result<Delivery, Problem> {
        self.set(s, id, DeliveryState::Cancelled)
    }
    pub fn settle_delivery(&self, s: &Services, id: DeliveryId, was_sent: bool, _: &Agent) -> Result<Delivery, Problem> {
        self.set(s, id, if was_sent { DeliveryState::Sent } else { DeliveryState::Queued })
    }
    fn set(&self, s: &Services, id: DeliveryId, state: DeliveryState) -> Result<Delivery, Problem> {
        use crate::store::deliveries;
        let now = s.clock.now();
        s.store
            .write(|tx| {
                let delivery = deliveries::find(tx, id)?.ok_or(crate::store::Error::Busy)?;
                let change = deliveries::Change { next_attempt_at: now, ..Default::default() };
                deliveries::update_state(tx, &delivery, state, &change, now)?;
                Ok::<_, crate::store::Error>(delivery)
            })
            .map_err(|_| Problem::new("x", Disposition::GiveUp, "It failed.", "Try again."))
    }
}

pub mod metrics {
    pub fn render(_: &crate::store::Store, _: &super::Work) -> String {
        "# EOF\n".to_owned()
    }
}
