//! The numbers for Prometheus, read from the store and the board when they are asked for, so that
//! nothing is counted twice and a restart loses none.

use std::fmt::Error as WriteError;
use std::sync::atomic::AtomicI64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::Services;
use super::status::Health;
use crate::model::Backfill;
use crate::store::{self, backfills, deliveries, ledger_checks, mailboxes};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MailboxLabel {
    mailbox: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabel {
    state: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PartLabel {
    part: String,
}

type Number = Gauge<i64, AtomicI64>;

/// All numbers in the `OpenMetrics` text format. Mailboxes are named by number, never by address.
///
/// # Errors
/// Those of the store.
pub fn render(services: &Services) -> store::Result<String> {
    let mut registry = Registry::with_prefix("mailhatch");
    mailbox_numbers(services, &mut registry)?;
    delivery_numbers(services, &mut registry)?;
    let parts = Family::<PartLabel, Number>::default();
    for part in services.work.parts() {
        let value = match part.health {
            Health::Good | Health::Busy => 2,
            Health::Trouble => 1,
            Health::Stopped => 0,
        };
        parts
            .get_or_create(&PartLabel { part: part.name })
            .set(value);
    }
    registry.register(
        "part_health",
        "How each loop fares: 2 well, 1 in trouble, 0 stopped",
        parts,
    );
    let size = Number::default();
    size.set(i64::try_from(services.store.size_bytes()).unwrap_or(i64::MAX));
    let differing = Number::default();
    let differ = services.store.read(ledger_checks::list_differing)?.len();
    differing.set(i64::try_from(differ).unwrap_or(i64::MAX));
    registry.register(
        "ledger_differing_folders",
        "Folders whose fates differ from what their server lists",
        differing,
    );
    registry.register(
        "store_size_bytes",
        "Size of the database with its log",
        size,
    );
    let mut text = String::new();
    encode(&mut text, &registry).map_err(|WriteError| {
        store::Error::Value("the metrics cannot be written as text".to_owned())
    })?;
    Ok(text)
}

fn mailbox_numbers(services: &Services, registry: &mut Registry) -> store::Result<()> {
    let now = services.clock.now();
    let lag = Family::<MailboxLabel, Number>::default();
    let working = Family::<MailboxLabel, Number>::default();
    let older = Family::<MailboxLabel, Number>::default();
    for mailbox in services.store.read(mailboxes::list)? {
        let label = MailboxLabel {
            mailbox: mailbox.id.0,
        };
        if let Some(at) = mailbox.last_sync_at {
            lag.get_or_create(&label).set(now.saturating_sub(at));
        }
        let works = mailbox.problem.is_none() && mailbox.send_problem.is_none();
        working.get_or_create(&label).set(i64::from(works));
        let backfill = services
            .store
            .read(|db| backfills::find_newest(db, mailbox.id))?;
        if let Some(backfill) = backfill.filter(Backfill::is_under_way) {
            older.get_or_create(&label).set(backfill.left());
        }
    }
    registry.register(
        "backfill_messages_left",
        "Older messages that are still to be fetched, where that is under way",
        older,
    );
    registry.register(
        "mailbox_lag_seconds",
        "Seconds since the last sync that ended well",
        lag,
    );
    registry.register(
        "mailbox_working",
        "1 while the mailbox has no problem",
        working,
    );
    Ok(())
}

fn delivery_numbers(services: &Services, registry: &mut Registry) -> store::Result<()> {
    let (waiting, failed, uncertain) = services.store.read(deliveries::count_unfinished)?;
    let family = Family::<StateLabel, Number>::default();
    for (state, count) in [
        ("waiting", waiting),
        ("failed", failed),
        ("uncertain", uncertain),
    ] {
        family
            .get_or_create(&StateLabel {
                state: state.to_owned(),
            })
            .set(count);
    }
    registry.register("deliveries", "Replies that have not left, by state", family);
    Ok(())
}
