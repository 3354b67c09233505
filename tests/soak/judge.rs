//! The comparison, id by id: what was put into mailboxes and what is stored, what was asked to leave and
//! what the customers have.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use mailhatch::mail;
use mailhatch::store::{self, Db};
use mailhatch::work::Services;

use crate::book::{Letter, Reply, pause};
use crate::office::Office;
use crate::side::Kind;

/// What was found, and everything that is not as it must be.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// Messages that were put into watched folders, each stored once.
    pub(crate) received: usize,
    /// Replies that the page took.
    pub(crate) accepted: usize,
    /// Replies stored, whether the browser heard of it or not.
    pub(crate) stored: usize,
    /// Copies of them that customers have.
    pub(crate) arrived: usize,
    /// Replies that never reached the page.
    pub(crate) never: usize,
    /// Whether they left cannot be known.
    pub(crate) unknown: Vec<String>,
    /// UIDs on the servers, each with its fate.
    pub(crate) uids: usize,
    /// What is wrong.
    pub(crate) lost_in: Vec<String>,
    pub(crate) doubled_in: Vec<String>,
    pub(crate) lost_out: Vec<String>,
    pub(crate) doubled_out: Vec<String>,
    pub(crate) other: Vec<String>,
}

/// A row of the outbox, finished or not.
struct Row {
    mailbox: String,
    state: String,
    id: String,
    effective: Option<String>,
}

impl Verdict {
    /// Whether all is as it must be.
    pub(crate) fn is_good(&self) -> bool {
        let wrong = [
            &self.lost_in,
            &self.doubled_in,
            &self.lost_out,
            &self.doubled_out,
            &self.other,
        ];
        wrong.iter().all(|list| list.is_empty())
    }

    /// Adds what was found in another office.
    pub(crate) fn add(&mut self, other: Self) {
        self.received += other.received;
        self.accepted += other.accepted;
        self.stored += other.stored;
        self.arrived += other.arrived;
        self.never += other.never;
        self.uids += other.uids;
        self.unknown.extend(other.unknown);
        self.lost_in.extend(other.lost_in);
        self.doubled_in.extend(other.doubled_in);
        self.lost_out.extend(other.lost_out);
        self.doubled_out.extend(other.doubled_out);
        self.other.extend(other.other);
    }
}

/// Compares one office.
pub(crate) fn judge(
    office: &Office,
    services: &Services,
    letters: &[Letter],
    replies: &[Reply],
) -> Verdict {
    let mut verdict = Verdict::default();
    let own: BTreeSet<&str> = office
        .desks
        .iter()
        .map(|desk| desk.address.as_str())
        .collect();
    let letters: Vec<&Letter> = letters
        .iter()
        .filter(|one| own.contains(one.mailbox.as_str()))
        .collect();
    let replies: Vec<&Reply> = replies
        .iter()
        .filter(|one| own.contains(one.mailbox.as_str()))
        .collect();
    incoming(services, &letters, &mut verdict);
    outgoing(office, services, &replies, &mut verdict);
    ledger(office, services, &mut verdict);
    commands(office, &mut verdict);
    verdict
}

/// Proves that the comparison sees: it must name a message and a reply that are only in the book, and a reply
/// that is not in it.
pub(crate) fn prove(office: &Office, services: &Services, letters: &[Letter], replies: &[Reply]) {
    let mailbox = office.desks[0].address.clone();
    let (token, id, key) = (
        "never".to_owned(),
        "never@shop.example".to_owned(),
        "never".to_owned(),
    );
    let mut letters = letters.to_vec();
    letters.push(Letter {
        mailbox: mailbox.clone(),
        token: token.clone(),
        id,
        outlook: false,
    });
    let mut replies = replies.to_vec();
    let hidden = replies
        .iter()
        .position(|reply| reply.mailbox == mailbox && reply.accepted);
    let hidden = hidden.map(|at| replies.remove(at));
    replies.push(Reply {
        mailbox,
        token,
        key,
        recipients: Vec::new(),
        accepted: true,
    });
    let seen = judge(office, services, &letters, &replies);
    assert_eq!(
        (seen.lost_in.len(), seen.lost_out.len()),
        (1, 1),
        "{seen:#?}"
    );
    assert!(hidden.is_none() || !seen.other.is_empty(), "{seen:#?}");
}

fn rows<T>(services: &Services, sql: &str, read: impl Fn(&[String]) -> T) -> Vec<T> {
    let found = services.store.read(|db: &Db| {
        let mut query = db.prepare(sql)?;
        let columns = query.column_count();
        let rows = query.query_map([], |row| {
            (0..columns)
                .map(|at| Ok(row.get::<_, Option<String>>(at)?.unwrap_or_default()))
                .collect()
        })?;
        Ok::<_, store::Error>(rows.collect::<Result<Vec<Vec<String>>, _>>()?)
    });
    found.unwrap().iter().map(|row| read(row)).collect()
}

/// The token at the end of a subject.
fn token(subject: &str) -> String {
    let inside = subject
        .rsplit_once('[')
        .and_then(|(_, rest)| rest.split_once(']'));
    inside.map_or_else(String::new, |(token, _)| token.to_owned())
}

fn incoming(services: &Services, letters: &[&Letter], verdict: &mut Verdict) {
    let sql = "SELECT b.address, m.subject, m.internet_message_id, m.direction FROM messages m
         JOIN mailboxes b ON b.id = m.mailbox_id LEFT JOIN deliveries d ON d.message_id = m.id
         WHERE d.id IS NULL";
    let mut stored: BTreeMap<(String, String), Vec<(String, bool)>> = BTreeMap::new();
    for row in rows(services, sql, <[String]>::to_vec) {
        let key = (row[0].clone(), token(&row[1]));
        stored
            .entry(key)
            .or_default()
            .push((row[2].clone(), row[3] == "outgoing"));
    }
    for letter in letters {
        let key = (letter.mailbox.clone(), letter.token.clone());
        let found = stored.remove(&key).unwrap_or_default();
        let name = format!("{} <{}> {}", letter.token, letter.id, letter.mailbox);
        match found.as_slice() {
            [] => verdict.lost_in.push(name),
            [(id, outlook)] if *id == letter.id && *outlook == letter.outlook => {
                verdict.received += 1
            }
            [other] => verdict.other.push(format!("{name} is stored as {other:?}")),
            more => verdict.doubled_in.push(format!("{name}: {more:?}")),
        }
    }
    for (key, found) in stored {
        verdict
            .other
            .push(format!("nobody wrote {key:?}: {found:?}"));
    }
}

fn outgoing(office: &Office, services: &Services, replies: &[&Reply], verdict: &mut Verdict) {
    let sql = "SELECT d.idempotency_key, b.address, d.state, m.internet_message_id, d.effective_message_id
         FROM deliveries d JOIN messages m ON m.id = d.message_id JOIN mailboxes b ON b.id = d.mailbox_id";
    let mut stored: BTreeMap<String, Row> = BTreeMap::new();
    for row in rows(services, sql, <[String]>::to_vec) {
        let effective = Some(row[4].clone()).filter(|id| !id.is_empty());
        let [key, mailbox, state, id] = [0, 1, 2, 3].map(|at: usize| row[at].clone());
        stored.insert(
            key,
            Row {
                mailbox,
                state,
                id,
                effective,
            },
        );
    }
    let due: usize = replies
        .iter()
        .filter(|reply| {
            stored
                .get(&reply.key)
                .is_some_and(|row| row.state == "sent")
        })
        .map(|reply| reply.recipients.len())
        .sum();
    let mut there = arrived(office, due);
    for reply in replies {
        verdict.accepted += usize::from(reply.accepted);
        let mut found = Vec::new();
        for recipient in &reply.recipients {
            let key = (reply.token.clone(), recipient.clone());
            found.push(there.remove(&key).unwrap_or_default());
        }
        verdict.arrived += found.iter().map(Vec::len).sum::<usize>();
        one_reply(office, reply, stored.remove(&reply.key), &found, verdict);
    }
    for (key, row) in stored {
        verdict.other.push(format!(
            "nobody pressed {key}, {} {} {}",
            row.mailbox, row.state, row.id
        ));
    }
    for (key, ids) in there {
        verdict
            .other
            .push(format!("nobody wrote to a customer {key:?}: {ids:?}"));
    }
}

fn one_reply(
    office: &Office,
    reply: &Reply,
    row: Option<Row>,
    found: &[Vec<String>],
    verdict: &mut Verdict,
) {
    let most = found.iter().map(Vec::len).max().unwrap_or(0);
    let least = found.iter().map(Vec::len).min().unwrap_or(0);
    let name = |row: &Row| format!("{} <{}> {} {}", reply.token, row.id, row.mailbox, row.state);
    let Some(row) = row else {
        let name = format!("{} {}", reply.token, reply.mailbox);
        match (reply.accepted, most) {
            (true, _) => verdict
                .lost_out
                .push(format!("{name} was taken by the page and is not stored")),
            (false, 0) => verdict.never += 1,
            (false, _) => verdict
                .other
                .push(format!("{name} left without being stored")),
        }
        return;
    };
    verdict.stored += 1;
    if most > 1 {
        verdict
            .doubled_out
            .push(format!("{}: {found:?}", name(&row)));
        return;
    }
    let kind = office
        .desks
        .iter()
        .find(|desk| desk.address == row.mailbox)
        .map(|desk| desk.kind);
    match row.state.as_str() {
        "sent" if least == 0 => verdict.lost_out.push(format!(
            "{} did not reach all of {:?}",
            name(&row),
            reply.recipients
        )),
        "sent" => {}
        "uncertain" if kind == Some(Kind::NoCopy) => {
            verdict.unknown.push(format!(
                "{} ({})",
                name(&row),
                if most == 1 {
                    "it had left"
                } else {
                    "it had not"
                }
            ));
        }
        _ => verdict.lost_out.push(format!("{} never left", name(&row))),
    }
    for id in found.iter().flatten() {
        let known = *id == row.id || row.effective.as_ref() == Some(id);
        if !known {
            verdict.other.push(format!(
                "{} is known to the customer as <{id}>, here as {:?}",
                name(&row),
                row.effective
            ));
        }
    }
}

/// What customers have: by the token that stands first in the text and by recipient, the Message-IDs. Waits
/// for what the server has taken and not yet delivered.
fn arrived(office: &Office, due: usize) -> BTreeMap<(String, String), Vec<String>> {
    let began = Instant::now();
    loop {
        let received = office.side.received();
        let late = received.len() < due && began.elapsed() < Duration::from_secs(60);
        if late {
            pause(Duration::from_millis(500));
            continue;
        }
        let mut there: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
        for (recipient, raw) in received {
            let (message, _) = mail::parse(&raw);
            let token = message
                .text
                .split_whitespace()
                .next()
                .unwrap_or_default()
                .to_owned();
            let id = message.message_id.unwrap_or_default();
            there.entry((token, recipient)).or_default().push(id);
        }
        return there;
    }
}

/// Every UID that a server has in a watched folder has a fate by which it is settled.
fn ledger(office: &Office, services: &Services, verdict: &mut Verdict) {
    let sql = "SELECT b.address, f.role, CAST(t.uid AS TEXT) FROM fates t JOIN folders f ON f.id = t.folder_id
         JOIN mailboxes b ON b.id = f.mailbox_id
         WHERE t.uid_validity = f.uid_validity AND t.fate IN ('received', 'duplicate', 'own_copy')";
    let settled: BTreeSet<(String, String, u32)> = rows(services, sql, |row| {
        (row[0].clone(), row[1].clone(), row[2].parse().unwrap())
    })
    .into_iter()
    .collect();
    for desk in &office.desks {
        for (role, folder) in [("inbox", "INBOX"), ("sent", desk.sent.as_str())] {
            for uid in office.side.uids(desk, folder) {
                verdict.uids += 1;
                let key = (desk.address.clone(), role.to_owned(), uid);
                if !settled.contains(&key) {
                    verdict.other.push(format!(
                        "{key:?} is on the server and not settled in the ledger"
                    ));
                }
            }
        }
    }
}

/// What the program itself says, and what it logged.
fn commands(office: &Office, verdict: &mut Verdict) {
    for command in ["check", "ledger"] {
        let output = office.run(&[command]);
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            verdict.other.push(format!(
                "{}: `mailhatch {command}` is not content: {said}",
                office.name
            ));
        }
    }
    let log = office.log();
    for line in log
        .lines()
        .filter(|line| line.contains("fault in the program") || line.contains("panicked"))
    {
        verdict.other.push(format!("{}: {line}", office.name));
    }
}
