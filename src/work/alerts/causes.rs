//! What administrators must know of now, found anew each time: rules over what the store, the disk and the
//! folder of backups hold. Nothing here remembers, tells or changes anything.

use std::collections::{BTreeMap, BTreeSet};

use super::channels::Settings;
use crate::model::{AlertCause, AlertKind, DeliveryState, Differing, Mailbox, MailboxStatus};
use crate::problem::{Disposition, Problem};
use crate::store::{self, Db, alerts, ledger_checks};
use crate::work::status::Health;
use crate::work::{Services, backups, disk, entra_app, schedule};

/// Trouble that passes by itself is told of when it has lasted this long: a flap tells nobody.
pub(super) const LASTING_SECONDS: i64 = 15 * 60;
/// A mailbox that should have been looked into this long ago, and was not, has stopped without a word; so has
/// a backup that should have been made.
const SILENT_SECONDS: i64 = 3_600;
/// How long one look into a mailbox may take before it counts as silence.
const BUSY_SECONDS: i64 = 12 * 3_600;
/// How long rows of the ledger and replies of unknown fate may wait for a person.
const WAITING_SECONDS: i64 = 3_600;
/// So many alerts of one cause are one alert.
const GROUP_FROM: usize = 5;
/// Replies that are looked at.
const DELIVERIES_MAX: u32 = 500;
/// Days before the end of the secret at which is told of it, each once; 0 is when it has ended.
const SECRET_DAYS: [i64; 4] = [0, 1, 7, 30];

/// What is found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// What must be known.
    pub(super) causes: Vec<AlertCause>,
    /// Keys of what is so still, but told by another of the causes.
    pub(super) covered: BTreeSet<String>,
}

/// When a mailbox that says nothing is silent: not before the program began, and not before so long after it
/// should have been looked into.
#[derive(Clone, Copy)]
struct Silence {
    up_since: i64,
    seconds: i64,
}

/// One cause, and which group it belongs to when there are many.
struct One {
    cause: AlertCause,
    group: String,
    /// What the group is called, its number before it, and where it is looked at.
    many: (&'static str, &'static str),
}

/// Looks everywhere. `open` are the keys of open alerts, `up_since` when the program began.
pub(super) fn find(
    services: &Services,
    db: &Db,
    settings: &Settings,
    open: &BTreeSet<String>,
    up_since: i64,
) -> store::Result<Found> {
    let now = services.clock.now();
    let mailboxes = store::mailboxes::list(db)?;
    let mut ones: Vec<One> = mailboxes
        .iter()
        .flat_map(|mailbox| {
            let health = services.work.activity(mailbox.id).receiving.health;
            let silence = Silence {
                up_since,
                // A long import is none.
                seconds: if health == Health::Busy {
                    BUSY_SECONDS
                } else {
                    SILENT_SECONDS
                },
            };
            of_mailbox(mailbox, silence, now)
        })
        .collect();
    ones.extend(of_deliveries(db, &mailboxes, now)?);
    let mut found = gather(ones, open);
    found.causes.extend(of_ledger(db, &mailboxes, now)?);
    found.causes.extend(of_backup(services, db, up_since)?);
    found.causes.extend(of_disk(services, settings, open));
    let left = entra_app::days_left_to_warn_of(db, now)?;
    if let Some(cause) = left.and_then(of_secret) {
        let others = SECRET_DAYS.map(secret_key).into_iter();
        found.covered.extend(others.filter(|key| *key != cause.key));
        found.causes.push(cause);
    }
    Ok(found)
}

/// Many of one group become one; a group that is open stays one until none of it is left.
fn gather(ones: Vec<One>, open: &BTreeSet<String>) -> Found {
    let mut groups: BTreeMap<String, Vec<One>> = BTreeMap::new();
    for one in ones {
        groups.entry(one.group.clone()).or_default().push(one);
    }
    let mut found = Found::default();
    for (key, members) in groups {
        let is_one = members.len() >= GROUP_FROM || open.contains(&key);
        if let Some(first) = members.first().filter(|_| is_one) {
            let (words, place) = first.many;
            found.causes.push(AlertCause {
                key,
                mailbox_id: None,
                title: format!("{} {words}", members.len()),
                place: place.to_owned(),
                ..first.cause.clone()
            });
            let keys = members.into_iter().map(|one| one.cause.key);
            found.covered.extend(keys);
        } else {
            found
                .causes
                .extend(members.into_iter().map(|one| one.cause));
        }
    }
    found
}

fn of_mailbox(mailbox: &Mailbox, silence: Silence, now: i64) -> Vec<One> {
    let receiving = not_receiving(mailbox, silence, now);
    let sending = not_sending(mailbox, now)
        // One refused sign-in stops both.
        .filter(|problem| {
            receiving
                .as_ref()
                .is_none_or(|other| other.code != problem.code)
        });
    let one = |kind, what: &str, words: &str, many, problem: Problem| One {
        group: format!("mailboxes:{what}:{}", problem.code),
        cause: AlertCause {
            kind,
            key: format!("mailbox:{}:{what}", mailbox.id),
            mailbox_id: Some(mailbox.id),
            title: format!("{} {words}", mailbox.address),
            problem,
            place: format!("/mailboxes/{}", mailbox.id),
        },
        many: (many, "/mailboxes"),
    };
    let receiving = receiving.map(|problem| {
        let (words, many) = ("does not receive mail", "mailboxes do not receive mail");
        one(AlertKind::Receiving, "receive", words, many, problem)
    });
    let sending = sending.map(|problem| {
        let (words, many) = ("does not send mail", "mailboxes do not send mail");
        one(AlertKind::Sending, "send", words, many, problem)
    });
    receiving.into_iter().chain(sending).collect()
}

fn not_receiving(mailbox: &Mailbox, silence: Silence, now: i64) -> Option<Problem> {
    match mailbox.status {
        MailboxStatus::Choosing | MailboxStatus::Paused => None,
        MailboxStatus::NeedsSignIn | MailboxStatus::NeedsAdmin => mailbox.problem.clone(),
        MailboxStatus::Active => {
            let lasting = mailbox
                .problem_at
                .is_some_and(|at| now - at >= LASTING_SECONDS);
            let problem = mailbox.problem.as_ref();
            let told = problem.filter(|problem| lasting || !problem.is_transient());
            let silent = || problem.is_none() && is_silent(mailbox, silence, now);
            told.cloned().or_else(|| silent().then(no_look))
        }
    }
}

/// Whether a mailbox has not been looked into though it was time, and nobody knows why.
fn is_silent(mailbox: &Mailbox, silence: Silence, now: i64) -> bool {
    // The first import takes as long as it takes, and a time ahead is of a clock that was set back.
    let Some(last) = mailbox.last_sync_at.filter(|at| *at <= now) else {
        return false;
    };
    schedule::next(&mailbox.poll_cron, 0, last.max(silence.up_since))
        .is_some_and(|due| now.saturating_sub(due) > silence.seconds)
}

fn no_look() -> Problem {
    Problem::new(
        "receiving_silent",
        Disposition::NeedsAdmin,
        "The mailbox has not been looked into for more than an hour after it was due, and no reason is known.",
        "Look at the page Health. If nothing there says why, restart Mailhatch and report it; mail waits at the provider.",
    )
}

fn not_sending(mailbox: &Mailbox, now: i64) -> Option<Problem> {
    let can_send = !matches!(
        mailbox.status,
        MailboxStatus::Choosing | MailboxStatus::Paused
    );
    let lasting = mailbox
        .send_problem_at
        .is_some_and(|at| now - at >= LASTING_SECONDS);
    let problem = mailbox.send_problem.as_ref().filter(|_| can_send)?;
    (lasting || !problem.is_transient()).then(|| problem.clone())
}

fn of_deliveries(db: &Db, mailboxes: &[Mailbox], now: i64) -> store::Result<Vec<One>> {
    let troubled = alerts::list_delivery_trouble(db, now - WAITING_SECONDS, DELIVERIES_MAX)?;
    let ones = troubled.into_iter().map(|delivery| {
        let mailbox = mailboxes
            .iter()
            .find(|mailbox| mailbox.id == delivery.mailbox_id);
        let from = mailbox.map_or("a mailbox", |mailbox| mailbox.address.as_str());
        let failed = delivery.state == DeliveryState::Failed;
        let title = if failed {
            format!("A reply from {from} could not be sent")
        } else {
            format!("It is not known whether a reply from {from} was sent")
        };
        One {
            group: format!("deliveries:{}", delivery.mailbox_id),
            cause: AlertCause {
                kind: AlertKind::Delivery,
                key: format!("delivery:{}", delivery.id),
                mailbox_id: Some(delivery.mailbox_id),
                title,
                problem: delivery_problem(delivery.problem, failed),
                place: "/outbox".to_owned(),
            },
            many: ("replies could not be sent", "/outbox"),
        }
    });
    Ok(ones.collect())
}

/// Without the server's own words, which may name the customer.
fn delivery_problem(known: Option<Problem>, failed: bool) -> Problem {
    let fallback = || {
        Problem::new(
            "delivery_failed",
            Disposition::GiveUp,
            "The server did not take it.",
            "Look at it in the outbox.",
        )
    };
    let mut problem = known.unwrap_or_else(fallback);
    problem.detail = String::new();
    let end = if failed {
        "It is not tried again by itself."
    } else {
        "It is not sent again before a person has decided."
    };
    problem.sentence = format!("{} {end}", problem.sentence);
    problem.remedy = format!("{} The outbox shows the reply.", problem.remedy);
    problem
}

fn of_ledger(db: &Db, mailboxes: &[Mailbox], now: i64) -> store::Result<Vec<AlertCause>> {
    let troubled = alerts::list_ledger_trouble(db, now - WAITING_SECONDS)?.into_iter();
    let causes = troubled.map(|(folder_id, folder, mailbox_id, count)| {
        let mailbox = mailboxes.iter().find(|mailbox| mailbox.id == mailbox_id);
        let address = mailbox.map_or("a mailbox", |mailbox| mailbox.address.as_str());
        let (words, them) = if count == 1 {
            ("1 message".to_owned(), "it")
        } else {
            (format!("{count} messages"), "them")
        };
        AlertCause {
            kind: AlertKind::Ledger,
            key: format!("ledger:folder:{folder_id}"),
            mailbox_id: Some(mailbox_id),
            title: format!("Messages of {address} need a look"),
            problem: Problem::new(
                "ledger_needs_person",
                Disposition::NeedsAdmin,
                format!("{words} in the folder {folder} of {address} could not be taken as the server gave {them}, also not later."),
                "The ledger names each with its reason. Open it in Outlook, then ask for it again from the ledger.",
            ),
            place: "/admin/ledger".to_owned(),
        }
    });
    let differing = ledger_checks::list_differing(db)?.into_iter();
    let long = differing.filter(|folder| {
        let since = folder.check.differs_since_at;
        since.is_some_and(|at| at <= now - WAITING_SECONDS)
    });
    Ok(causes
        .chain(long.map(|folder| of_difference(&folder)))
        .collect())
}

fn of_difference(folder: &Differing) -> AlertCause {
    let (address, name) = (&folder.mailbox, &folder.folder);
    let verdict = folder.check.last.as_ref().map(|(_, found)| found.verdict());
    AlertCause {
        kind: AlertKind::Ledger,
        key: format!("ledger:differs:{}", folder.check.folder_id),
        mailbox_id: Some(folder.mailbox_id),
        title: format!("The ledger of {address} differs from the server"),
        problem: Problem::new(
            "ledger_differs",
            Disposition::NeedsAdmin,
            format!(
                "The folder {name} of {address} has differed from the ledger for an hour. {}",
                verdict.unwrap_or_default()
            ),
            "The ledger names what is missing. Press Compare now there; where it stays, look for the messages in Outlook.",
        ),
        place: "/admin/ledger".to_owned(),
    }
}

fn of_backup(services: &Services, db: &Db, up_since: i64) -> store::Result<Option<AlertCause>> {
    let now = services.clock.now();
    let is_off = backups::next(services).is_none();
    let missed = || {
        let newest = backups::newest(&services.config.data_dir).map_or(0, |backup| backup.made_at);
        let from = newest.max(up_since);
        schedule::next(&services.config.backup_cron, 0, from)
            .is_some_and(|due| now.saturating_sub(due) > SILENT_SECONDS)
    };
    let problem = if is_off {
        None
    } else {
        backups::problem(db)?.or_else(|| missed().then(backups::missed))
    };
    Ok(problem.map(|problem| AlertCause {
        kind: AlertKind::Backup,
        key: "backup".to_owned(),
        mailbox_id: None,
        title: "The nightly backup failed".to_owned(),
        problem,
        place: "/admin/health".to_owned(),
    }))
}

fn of_disk(
    services: &Services,
    settings: &Settings,
    open: &BTreeSet<String>,
) -> Option<AlertCause> {
    let free = disk::free_bytes(&services.config.data_dir);
    let problem = match free {
        Ok(free) if is_low(free, settings.disk_min_bytes(), open.contains("disk")) => {
            disk::too_full(free)
        }
        Ok(_) => return None,
        Err(problem) => problem,
    };
    Some(AlertCause {
        kind: AlertKind::Disk,
        key: "disk".to_owned(),
        mailbox_id: None,
        title: "The disk is nearly full".to_owned(),
        problem,
        place: "/admin/health".to_owned(),
    })
}

/// What is low stays low until there is a fifth more than the limit: a disk at its limit tells once.
const fn is_low(free: u64, limit: u64, was_low: bool) -> bool {
    let enough = if was_low {
        limit.saturating_add(limit / 5)
    } else {
        limit
    };
    free < enough
}

fn secret_key(days: i64) -> String {
    format!("app_secret:{days}")
}

fn of_secret(left: i64) -> Option<AlertCause> {
    // On its last day it still works.
    let stage = SECRET_DAYS
        .into_iter()
        .find(|days| left <= *days && (*days > 0 || left < 0))?;
    let (title, sentence) = if stage == 0 {
        let title = "The Entra app's secret has ended";
        (
            title,
            "Mailboxes stop as soon as their sign-in has to be renewed.".to_owned(),
        )
    } else {
        let when = match left {
            ..=0 => "today".to_owned(),
            1 => "tomorrow".to_owned(),
            days => format!("in {days} days"),
        };
        let sentence =
            format!("The secret or certificate ends {when}; after that every mailbox stops.");
        ("The Entra app's secret ends soon", sentence)
    };
    Some(AlertCause {
        kind: AlertKind::AppSecret,
        key: secret_key(stage),
        mailbox_id: None,
        title: title.to_owned(),
        problem: Problem::new(
            "app_secret_ends",
            Disposition::NeedsAdmin,
            sentence,
            "Make a new one at Microsoft and enter it with its last day; nobody has to sign in again.",
        ),
        place: "/admin/microsoft#settings".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(number: usize) -> One {
        let problem = Problem::new("x", Disposition::NeedsAdmin, "", "");
        One {
            cause: AlertCause {
                kind: AlertKind::Receiving,
                key: format!("mailbox:{number}:receive"),
                mailbox_id: None,
                title: String::new(),
                problem,
                place: String::new(),
            },
            group: "mailboxes:receive:x".to_owned(),
            many: ("mailboxes do not receive mail", "/mailboxes"),
        }
    }

    #[test]
    fn what_stops_many_mailboxes_is_told_once_until_the_last_of_them_is_well() {
        let open = BTreeSet::new();
        assert_eq!(gather((0..4).map(one).collect(), &open).causes.len(), 4);
        let found = gather((0..500).map(one).collect(), &open);
        assert_eq!(found.causes.len(), 1);
        assert_eq!(found.causes[0].title, "500 mailboxes do not receive mail");
        assert!(found.covered.contains("mailbox:3:receive"));
        let open = BTreeSet::from([found.causes[0].key.clone()]);
        let later = gather((0..2).map(one).collect(), &open);
        assert_eq!(later.causes[0].key, found.causes[0].key);
        assert!(gather(Vec::new(), &open).causes.is_empty());
    }

    #[test]
    fn the_end_of_a_secret_is_told_at_thirty_days_at_seven_at_one_and_when_it_has_come() {
        let key = |left| of_secret(left).map(|cause| cause.key);
        assert_eq!(key(31), None);
        for (left, stage) in [
            (30, 30),
            (8, 30),
            (7, 7),
            (2, 7),
            (1, 1),
            (0, 1),
            (-1, 0),
            (-90, 0),
        ] {
            assert_eq!(key(left), Some(secret_key(stage)), "{left}");
        }
    }

    #[test]
    fn a_disk_at_its_limit_is_told_of_once() {
        assert!(is_low(499, 500, false));
        assert!(!is_low(501, 500, false));
        assert!(is_low(501, 500, true));
        assert!(!is_low(601, 500, true));
    }
}
