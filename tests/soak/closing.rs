//! The end of the storm: what is left to be done is done, by the running program as long as there is time,
//! then in this process, where time can be moved past the pauses.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mailhatch::app;
use mailhatch::clock::Clock;
use mailhatch::model::{DeliveryState, MailboxId};
use mailhatch::store::{self, Db};
use mailhatch::work::wake::Wake;
use mailhatch::work::{PollStep, Poller, SendStep, Sender, Services, poll_step, send_step};

use crate::book::pause;
use crate::office::Office;
use crate::side::Kind;

/// Lets the running program do what is left, for so long at most; a person tries again what failed. Returns
/// how many replies have not left then.
pub(crate) fn wait(office: &Office, time: Duration) -> usize {
    let began = Instant::now();
    loop {
        let output = office.run(&["outbox", "--json"]);
        let rows: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let rows = rows.as_array().unwrap();
        let failed = rows.iter().filter(|row| row["state"] == "failed");
        for row in failed {
            let _ = try_again(office, row["delivery"].as_i64().unwrap());
        }
        if rows.is_empty() || began.elapsed() > time {
            return rows.len();
        }
        pause(Duration::from_secs(2));
    }
}

fn try_again(office: &Office, delivery: i64) -> std::io::Result<()> {
    let mut browser = office.browser();
    let page = browser.get("/outbox")?;
    browser.post(&format!("/deliveries/{delivery}/retry"), &page, &[])?;
    Ok(())
}

/// Goes on in this process until nothing is left to do; whether a reply left that its provider gives no way
/// to know stays for a person.
pub(crate) fn finish(office: &Office) -> Arc<Services> {
    let clock = Clock::hand(Clock::System.now());
    let services = app::open(office.config(), clock.clone()).unwrap();
    let mut loops: Vec<(MailboxId, Sender, Poller)> = (1..=office.desks.len())
        .map(|n| (MailboxId(n as i64), Sender::default(), Poller::default()))
        .collect();
    // Passing troubles of the machine pass; a day of pauses is more than any of them. A real server files the copy
    // of what was sent a moment after it took it: nothing is left when two rounds in a row brought nothing.
    let mut calm = 0;
    for _ in 0..400 {
        let mut brought = false;
        for (id, sender, poller) in &mut loops {
            for _ in 0..500 {
                let step = send_step(&services, sender, *id);
                if !matches!(step, Ok(SendStep::Worked)) {
                    break;
                }
                brought = true;
            }
            let before = fates(&services);
            let polled = poll_step(&services, poller, *id, &Wake::default());
            brought |= !matches!(polled, PollStep::Synced(_)) || fates(&services) != before;
        }
        let (replies, messages) = left(office, &services);
        if replies == 0 && messages == 0 {
            calm = if brought { 0 } else { calm + 1 };
            if calm == 2 {
                break;
            }
            pause(Duration::from_millis(300));
            continue;
        }
        calm = 0;
        clock.advance(if replies > 0 { 20 } else { 3_600 });
    }
    services
}

/// How many messages were seen.
fn fates(services: &Services) -> usize {
    number(services, "SELECT COUNT(*) FROM fates")
}

/// How many replies have yet to leave, and how many messages to be asked for again.
fn left(office: &Office, services: &Services) -> (usize, usize) {
    let rows = services
        .store
        .read(|db| store::deliveries::list_outbox(db, 100_000))
        .unwrap();
    let kinds: BTreeMap<&str, Kind> = office
        .desks
        .iter()
        .map(|desk| (desk.address.as_str(), desk.kind))
        .collect();
    let actor = services.store.read(store::agents::list).unwrap().remove(0);
    let mut replies = 0;
    for row in rows {
        let open = row.delivery.state == DeliveryState::Uncertain;
        if open && kinds[row.mailbox_address.as_str()] == Kind::NoCopy && waited(services, &row) {
            continue;
        }
        replies += 1;
        if row.delivery.state == DeliveryState::Failed {
            let _ = services
                .work
                .retry_delivery(services, row.delivery.id, &actor);
        }
    }
    (
        replies,
        number(
            services,
            "SELECT COUNT(*) FROM fates WHERE retry_at IS NOT NULL",
        ),
    )
}

/// Whether it had all the time that a copy may take.
fn waited(services: &Services, row: &mailhatch::model::OutboxRow) -> bool {
    let since = row.tries.iter().map(|attempt| attempt.started_at).max();
    since.is_some_and(|at| services.clock.now() > at + 900)
}

fn number(services: &Services, sql: &str) -> usize {
    let read = |db: &Db| {
        db.query_row(sql, [], |row| row.get(0))
            .map_err(store::Error::from)
    };
    let count: i64 = services.store.read(read).unwrap();
    usize::try_from(count).unwrap()
}
