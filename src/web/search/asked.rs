//! The names and days in a question, looked up: mailboxes, agents, and when a day begins for the reader.

use chrono::{Days, NaiveDate, TimeZone as _};
use chrono_tz::Tz;

use crate::model::search::expression::Scope;
use crate::model::search::query::{Assignee, Query, Remark, Wanted};
use crate::model::{Agent, AgentId, MailboxId};
use crate::store::{self, Db};
use crate::web::error::Error;
use crate::web::page::Page;

/// Names in a question, looked up.
pub(super) struct Asked {
    /// Which mailboxes.
    pub scope: Scope,
    /// Who may have the conversation.
    pub assignees: Vec<Wanted<Option<AgentId>>>,
}

impl Asked {
    /// Looks them up; what is not there is remarked in the query.
    pub(super) fn new(
        db: &Db,
        query: &mut Query,
        page: &Page,
        agent: &Agent,
        mailbox_id: Option<MailboxId>,
        today: NaiveDate,
    ) -> Result<Self, Error> {
        let mut remarks = Vec::new();
        let mut wanted: Option<Vec<MailboxId>> = None;
        let mut unwanted = Vec::new();
        for wish in &query.mailboxes {
            let found = named(
                &wish.value,
                page.mailboxes
                    .iter()
                    .map(|one| (one.id, one.name.as_str(), one.address.as_str())),
            );
            if found.is_empty() {
                remarks.push(Remark::NoMailbox(wish.value.clone()));
            }
            if wish.not {
                unwanted.extend(found);
            } else {
                wanted.get_or_insert_default().extend(found);
            }
        }
        let is_searched = |id: &MailboxId| {
            mailbox_id.is_none_or(|only| only == *id)
                && wanted.as_ref().is_none_or(|wanted| wanted.contains(id))
                && !unwanted.contains(id)
        };
        let mailboxes: Vec<MailboxId> = page
            .mailboxes
            .iter()
            .map(|one| one.id)
            .filter(is_searched)
            .collect();
        let all = mailboxes.len() == page.mailboxes.len();
        let mut assignees = Vec::new();
        if !query.assignees.is_empty() {
            let agents = store::agents::list(db)?;
            for wish in &query.assignees {
                let found = match &wish.value {
                    Assignee::Me => vec![Some(agent.id)],
                    Assignee::Nobody => vec![None],
                    Assignee::Named(name) => {
                        let found = named(
                            name,
                            agents
                                .iter()
                                .map(|one| (one.id, one.name.as_str(), one.email.as_str())),
                        );
                        found.into_iter().map(Some).collect()
                    }
                };
                if let (Assignee::Named(name), []) = (&wish.value, found.as_slice()) {
                    remarks.push(Remark::NoAgent(name.clone()));
                    // Nobody has this id.
                    assignees.push(Wanted {
                        value: Some(AgentId(0)),
                        not: wish.not,
                    });
                }
                assignees.extend(found.into_iter().map(|value| Wanted {
                    value,
                    not: wish.not,
                }));
            }
        }
        query.remarks.extend(remarks);
        Ok(Self {
            scope: Scope {
                mailboxes,
                all,
                today,
            },
            assignees,
        })
    }
}

/// Those that are called so; where none is, those whose name or address has it as a part.
fn named<'a, Id: Copy>(
    wanted: &str,
    all: impl Iterator<Item = (Id, &'a str, &'a str)> + Clone,
) -> Vec<Id> {
    let wanted = wanted.to_lowercase();
    let is_called = |text: &str| {
        let text = text.to_lowercase();
        text == wanted
            || text
                .split_once('@')
                .is_some_and(|(local, _)| local == wanted)
    };
    let has = |text: &str| text.to_lowercase().contains(&wanted);
    let exact = all
        .clone()
        .filter(|(_, name, address)| is_called(name) || is_called(address));
    let exact: Vec<Id> = exact.map(|(id, _, _)| id).collect();
    if !exact.is_empty() {
        return exact;
    }
    let parts = all.filter(|(_, name, address)| has(name) || has(address));
    parts.map(|(id, _, _)| id).collect()
}

/// When a day begins somewhere; where clocks are put forward at midnight, an hour later.
pub(super) fn day_start(day: NaiveDate, zone: Tz) -> i64 {
    let begins = |hour| {
        let at = day.and_hms_opt(hour, 0, 0)?;
        zone.from_local_datetime(&at).earliest()
    };
    let noon_before = day
        .checked_sub_days(Days::new(1))
        .and_then(|day| day.and_hms_opt(12, 0, 0));
    begins(0).or_else(|| begins(1)).map_or_else(
        || noon_before.map_or(0, |at| at.and_utc().timestamp()),
        |at| at.timestamp(),
    )
}

/// The day it is somewhere.
pub(super) fn today(now: i64, zone: Tz) -> NaiveDate {
    let here = zone.timestamp_opt(now, 0).earliest();
    here.map_or_else(NaiveDate::default, |now| now.date_naive())
}
