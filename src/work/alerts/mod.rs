//! Alerts: what an administrator must know of is found anew each half minute, kept in the store, and told once
//! when it begins and once when it is over, by mail and by webhook.
//!
//! The duty to tell is a row, made in the transaction that opens or ends the alert and counted as tried before
//! anything is dialled: whoever dies in between tells again rather than never. A mail told twice carries the
//! same Message-ID, a request of the webhook the same id and phase.

mod causes;
pub mod channels;
mod letter;
mod mail;
mod webhook;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::status::{Health, Line, LoopName};
use super::wake::{Wake, Woken};
use super::{Services, schedule};
use crate::model::{Alert, AlertCause, AlertChannel, AlertKind, Notice, NoticeState};
use crate::net::Closer;
use crate::problem::Problem;
use crate::secret::{random_bytes, random_token};
use crate::store::{self, alerts};
use channels::Settings;

/// How often it looks even if nobody rang.
const ROUND: Duration = Duration::from_secs(30);
/// Longest pause between two tries to tell.
const PAUSE_MAX_SECONDS: i64 = 3_600;
/// The webhook is given up after this time; what it tells of is on the page.
const WEBHOOK_SECONDS: i64 = 24 * 3_600;
/// So is the mail.
const MAIL_SECONDS: i64 = 7 * 24 * 3_600;
/// Notices tried in one step.
const NOTICES_MAX: u32 = 20;
/// No further notice is begun in a step that has taken this long.
const STEP_SECONDS: i64 = 60;

/// What the loop remembers between steps.
#[derive(Debug, Clone, Copy)]
pub struct Watch {
    up_since: i64,
}

impl Watch {
    /// A watch that begins now: what was missed while the program did not run is no silence.
    #[must_use]
    pub fn new(services: &Services) -> Self {
        Self {
            up_since: services.clock.now(),
        }
    }
}

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Open alerts.
    pub open: usize,
    /// Notices that were told.
    pub told: usize,
    /// Notices that could not be told yet.
    pub failed: usize,
}

/// Looks once, and tells what is due.
///
/// # Errors
/// Those of the store.
pub fn step(services: &Services, watch: Watch, wake: &Wake) -> store::Result<Step> {
    let open = look(services, watch)?;
    let (told, failed) = tell(services, wake)?;
    Ok(Step { open, told, failed })
}

/// Opens and ends alerts as things stand; gives how many are open.
fn look(services: &Services, watch: Watch) -> store::Result<usize> {
    let now = services.clock.now();
    let (settings, open, found) = services.store.read(|db| {
        let settings = channels::read(db, &services.sealer)?;
        let open = alerts::list_open(db)?;
        let keys: BTreeSet<String> = open.iter().map(|alert| alert.cause.key.clone()).collect();
        let found = causes::find(services, db, &settings, &keys, watch.up_since)?;
        Ok::<_, store::Error>((settings, open, found))
    })?;
    let changes = Changes::between(open, found);
    if !changes.is_empty() {
        services
            .store
            .write(|tx| changes.write(tx, &settings.channels(), now))?;
        changes.log();
    }
    Ok(changes.still + changes.begun.len())
}

/// What differs between the alerts that are open and what is found.
#[derive(Debug, Default)]
struct Changes {
    begun: Vec<AlertCause>,
    changed: Vec<(Alert, AlertCause)>,
    /// With whether another alert tells of it now.
    ended: Vec<(Alert, bool)>,
    still: usize,
}

impl Changes {
    fn between(open: Vec<Alert>, found: causes::Found) -> Self {
        let mut wanted: BTreeMap<String, AlertCause> = found
            .causes
            .into_iter()
            .map(|cause| (cause.key.clone(), cause))
            .collect();
        let mut changes = Self::default();
        for alert in open {
            match wanted.remove(&alert.cause.key) {
                Some(cause) => {
                    changes.still += 1;
                    if has_changed(&alert.cause, &cause) {
                        changes.changed.push((alert, cause));
                    }
                }
                None => {
                    let covered = found.covered.contains(&alert.cause.key);
                    changes.ended.push((alert, covered));
                }
            }
        }
        let most = usize::try_from(alerts::OPEN_MAX).unwrap_or(usize::MAX);
        let room = most.saturating_sub(changes.still);
        changes.begun = wanted.into_values().collect();
        changes.begun.sort_by_key(|cause| cause.kind);
        changes.begun.truncate(room);
        changes
    }

    fn is_empty(&self) -> bool {
        self.begun.is_empty() && self.changed.is_empty() && self.ended.is_empty()
    }

    fn write(&self, tx: &store::Tx<'_>, channels: &[AlertChannel], now: i64) -> store::Result<()> {
        for (alert, replaced) in &self.ended {
            alerts::update_closed(tx, alert.id, *replaced, now)?;
        }
        for (alert, cause) in &self.changed {
            alerts::update_cause(tx, alert.id, cause)?;
        }
        for cause in &self.begun {
            alerts::insert(tx, cause, &random_token(), channels, now)?;
        }
        if self.begun.is_empty() && self.ended.is_empty() {
            return Ok(());
        }
        // Open pages look again at what stands above them when a mailbox changes.
        match store::mailboxes::list(tx)?.first() {
            Some(mailbox) => store::mailboxes::touch(tx, mailbox.id),
            None => Ok(()),
        }
    }

    fn log(&self) {
        for cause in &self.begun {
            tracing::warn!(kind = %cause.kind, key = %cause.key, code = %cause.problem.code, "an alert is open");
        }
        for (alert, _) in &self.ended {
            tracing::info!(kind = %alert.cause.kind, key = %alert.cause.key, "an alert is over");
        }
    }
}

/// Whether a cause reads otherwise than it is kept. The number of free megabytes changes all the time.
fn has_changed(kept: &AlertCause, found: &AlertCause) -> bool {
    let words = |cause: &AlertCause| {
        let problem = &cause.problem;
        (problem.sentence.clone(), problem.remedy.clone())
    };
    let reads_otherwise = kept.kind != AlertKind::Disk && words(kept) != words(found);
    reads_otherwise || kept.title != found.title || kept.problem.code != found.problem.code
}

/// Tells what is due; gives how many were told and how many could not be.
fn tell(services: &Services, wake: &Wake) -> store::Result<(usize, usize)> {
    let began = services.clock.steady();
    let (mut told, mut failed) = (0, 0);
    for _ in 0..NOTICES_MAX {
        if wake.is_stopped() || services.clock.steady() - began > STEP_SECONDS {
            break;
        }
        let now = services.clock.now();
        let [random] = random_bytes::<1>();
        let again_at = |tries: i64| {
            let tries = u32::try_from(tries).unwrap_or(u32::MAX);
            now.saturating_add(schedule::back_off(tries, PAUSE_MAX_SECONDS, random))
        };
        let claimed = services.store.write(|tx| {
            let claimed = alerts::claim_due(tx, now, 1, again_at)?;
            Ok::<_, store::Error>((channels::read(tx, &services.sealer)?, claimed))
        });
        let (settings, claimed) = claimed?;
        let Some((alert, notice)) = claimed.into_iter().next() else {
            break;
        };
        let outcome = tell_one(services, &settings, &alert, &notice, wake);
        if outcome.is_ok() {
            told += 1;
        } else {
            failed += 1;
        }
        record(services, notice, outcome)?;
    }
    wake.on_stop(None);
    Ok((told, failed))
}

fn tell_one(
    services: &Services,
    settings: &Settings,
    alert: &Alert,
    notice: &Notice,
    wake: &Wake,
) -> Result<String, Problem> {
    let letter = letter::write(alert, notice.phase, &services.config.url);
    match notice.channel {
        AlertChannel::Mail => {
            let about = alert.cause.mailbox_id;
            mail::send(services, settings, &letter, about, &cutter(wake))
        }
        AlertChannel::Webhook => webhook::send(services, settings, &letter),
    }
}

/// Cuts a connection when the program stops: it is told after the next start.
fn cutter(wake: &Wake) -> impl Fn(Closer) {
    let wake = wake.clone();
    move |closer: Closer| wake.on_stop(Some(Box::new(move || closer.close())))
}

fn record(
    services: &Services,
    mut notice: Notice,
    outcome: Result<String, Problem>,
) -> store::Result<()> {
    let now = services.clock.now();
    let longest = match notice.channel {
        AlertChannel::Mail => MAIL_SECONDS,
        AlertChannel::Webhook => WEBHOOK_SECONDS,
    };
    match outcome {
        Ok(way) => {
            notice.state = NoticeState::Told;
            notice.told_at = Some(now);
            notice.way = way;
            notice.problem = None;
        }
        Err(problem) => {
            tracing::warn!(channel = %notice.channel, code = %problem.code, "administrators could not be told of an alert");
            if now.saturating_sub(notice.created_at) > longest {
                notice.state = NoticeState::GivenUp;
            }
            notice.problem = Some(problem);
        }
    }
    services
        .store
        .write(|tx| alerts::update_notice(tx, &notice))
}

/// Tells a test by one channel; gives how it was told.
///
/// # Errors
/// Why it could not be told.
pub fn test(services: &Services, channel: AlertChannel) -> Result<String, Problem> {
    let settings = services
        .store
        .read(|db| channels::read(db, &services.sealer))
        .map_err(|error| error.to_problem())?;
    let letter = letter::test(&services.config.url, &random_token(), services.clock.now());
    match channel {
        AlertChannel::Mail => mail::send(services, &settings, &letter, None, &|_| {}),
        AlertChannel::Webhook => webhook::send(services, &settings, &letter),
    }
}

/// Runs until the stop.
pub(super) fn run(services: &Services, wake: &Wake) {
    let watch = Watch::new(services);
    loop {
        let stepped =
            super::supervisor::guarded(services, LoopName::Alerts, || step(services, watch, wake));
        let line = match stepped {
            Ok(Ok(Step { failed, .. })) if failed > 0 => {
                let sentence =
                    "Administrators could not be told of an alert; the page Alerts says why.";
                Some(Line::new(Health::Trouble, sentence))
            }
            Ok(Ok(Step { open: 0, .. })) => Some(Line::new(Health::Good, "No alert is open.")),
            Ok(Ok(Step { open, .. })) => {
                let sentence = format!("{open} open; administrators have been told.");
                Some(Line::new(Health::Good, sentence))
            }
            Ok(Err(error)) => {
                tracing::error!(%error, "alerts could not use the database");
                Some(Line::new(Health::Trouble, error.to_problem().sentence))
            }
            Err(()) => None,
        };
        if let Some(line) = line {
            services.work.board().set(LoopName::Alerts, line);
        }
        if wake.wait(ROUND) == Woken::Stop {
            return;
        }
    }
}
