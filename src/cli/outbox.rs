//! `mailhatch outbox`: deliveries that are not finished.

use serde::Serialize;

use super::output::{self, Json};
use crate::model::{Attempt, OutboxRow};
use crate::problem::Problem;
use crate::store::deliveries;

#[derive(Serialize)]
struct Row {
    delivery: i64,
    conversation: i64,
    mailbox: String,
    state: String,
    attempts: i64,
    next_attempt_at: i64,
    scheduled_at: Option<i64>,
    server_reply: String,
    problem: Option<Problem>,
    tries: Vec<Attempt>,
}

impl From<OutboxRow> for Row {
    fn from(row: OutboxRow) -> Self {
        Self {
            delivery: row.delivery.id.0,
            conversation: row.delivery.conversation_id.0,
            mailbox: row.mailbox_address,
            state: row.delivery.state.to_string(),
            attempts: row.delivery.attempts,
            next_attempt_at: row.delivery.next_attempt_at,
            scheduled_at: row.delivery.scheduled_at,
            server_reply: row.delivery.server_reply,
            problem: row.delivery.problem,
            tries: row.tries,
        }
    }
}

pub(super) fn run(format: Json) -> anyhow::Result<()> {
    let services = super::services()?;
    let rows = services
        .store
        .read(|db| deliveries::list_outbox(db, 10_000))?;
    let rows: Vec<Row> = rows.into_iter().map(Row::from).collect();
    if format.json {
        return output::json(&rows);
    }
    if rows.is_empty() {
        return output::line("Everything has left.");
    }
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            vec![
                row.delivery.to_string(),
                row.conversation.to_string(),
                row.mailbox.clone(),
                row.state.clone(),
                row.attempts.to_string(),
                output::time(Some(row.next_attempt_at)),
                row.problem
                    .as_ref()
                    .map_or_else(String::new, |problem| problem.sentence.clone()),
            ]
        })
        .collect();
    let head = [
        "delivery",
        "conversation",
        "mailbox",
        "state",
        "tries",
        "next try",
        "problem",
    ];
    output::table(&head, &cells)
}
