//! The checklist of a mailbox: can it be read, and how can it send.

use super::credentials::{Freshness, access_token};
use super::{Services, connect, dial};
use crate::imap;
use crate::model::{Mailbox, WayOut};
use crate::problem::Problem;
use crate::providers::microsoft::Resource;
use crate::smtp;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckState {
    /// As it should be.
    Good,
    /// Not as it should be, and something does not work for it.
    Bad,
    /// Not needed, or not as it should be but something else serves instead.
    Skipped,
}

/// One line of the checklist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckLine {
    /// What was checked.
    pub name: &'static str,
    /// How it came out.
    pub state: CheckState,
    /// In words.
    pub sentence: String,
    /// What is wrong and who can mend it.
    pub problem: Option<Problem>,
}

impl CheckLine {
    fn good(name: &'static str, sentence: impl Into<String>) -> Self {
        Self {
            name,
            state: CheckState::Good,
            sentence: sentence.into(),
            problem: None,
        }
    }

    fn skipped(name: &'static str, sentence: impl Into<String>) -> Self {
        Self {
            name,
            state: CheckState::Skipped,
            sentence: sentence.into(),
            problem: None,
        }
    }

    fn bad(name: &'static str, problem: Problem) -> Self {
        Self {
            name,
            state: CheckState::Bad,
            sentence: problem.sentence.clone(),
            problem: Some(problem),
        }
    }
}

/// A way out, and whether SMTP signs in as the person.
pub type ChosenWay = (WayOut, bool);

/// Tests everything, and tells each line as it is found; says which way out works, if one does.
pub(super) fn all(
    services: &Services,
    mailbox: &Mailbox,
    found: &mut dyn FnMut(&CheckLine),
) -> Option<ChosenWay> {
    found(&sign_in(services, mailbox));
    reading(services, mailbox).iter().for_each(&mut *found);
    let (lines, way_out) = sending(services, mailbox);
    lines.iter().for_each(found);
    way_out
}

fn sign_in(services: &Services, mailbox: &Mailbox) -> CheckLine {
    const NAME: &str = "Sign-in";
    match access_token(services, mailbox.id, Resource::Exchange, Freshness::Stored) {
        Ok(_) if mailbox.upn.eq_ignore_ascii_case(&mailbox.address) => {
            CheckLine::good(NAME, format!("Signed in as {}.", mailbox.upn))
        }
        Ok(_) if mailbox.shared => CheckLine::good(
            NAME,
            format!(
                "Signed in as {} for the shared mailbox {}.",
                mailbox.upn, mailbox.address
            ),
        ),
        Ok(_) => CheckLine::good(
            NAME,
            format!(
                "Signed in as {}; the mailbox's address is {}.",
                mailbox.upn, mailbox.address
            ),
        ),
        Err(problem) => CheckLine::bad(NAME, problem),
    }
}

fn reading(services: &Services, mailbox: &Mailbox) -> Vec<CheckLine> {
    const NAME: &str = "Receive (IMAP)";
    let looked =
        dial::imap(services, mailbox, mailbox.imap_user(), &|_| {}).and_then(|mut session| {
            let inbox = session.examine("INBOX")?;
            let folders = session.list_folders()?;
            let _ = session.logout();
            Ok((inbox.exists, folders))
        });
    match looked {
        Err(problem) => vec![CheckLine::bad(NAME, problem)],
        Ok((exists, folders)) => {
            let chosen = super::folders::chosen_sent(services, mailbox)
                .ok()
                .flatten();
            let found = folders
                .iter()
                .find(|folder| folder.role == Some(imap::FolderRole::Sent));
            let sent = chosen
                .map(|folder| folder.name)
                .or(found.map(|folder| folder.name.clone()));
            vec![
                CheckLine::good(NAME, format!("The inbox can be read; messages in it: {exists}.")),
                sent.map_or_else(
                    || CheckLine::skipped("Sent Items", "No folder for sent mail was found; replies written in Outlook will not show."),
                    |name| CheckLine::good("Sent Items", format!("Replies written in Outlook are read from “{name}”.")),
                ),
            ]
        }
    }
}

fn sending(services: &Services, mailbox: &Mailbox) -> (Vec<CheckLine>, Option<ChosenWay>) {
    const SMTP: &str = "Send (SMTP)";
    const GRAPH: &str = "Send (Graph)";
    let users = [
        (mailbox.address.as_str(), false),
        (mailbox.upn.as_str(), true),
    ];
    let users: &[(&str, bool)] = if mailbox.shared {
        &users
    } else {
        users.get(1..).unwrap_or(&[])
    };
    let mut refusal: Option<smtp::Refusal> = None;
    for (user, as_person) in users {
        match dial::smtp(services, mailbox, user) {
            Ok(session) => {
                session.quit();
                let way = (WayOut::Smtp, *as_person);
                let sentence = connect::way_out_sentence(WayOut::Smtp);
                let graph = CheckLine::skipped(GRAPH, "Not needed while SMTP works.");
                return (vec![CheckLine::good(SMTP, sentence), graph], Some(way));
            }
            Err(refused) => refusal = Some(refused),
        }
    }
    let smtp_problem = refusal.map(|refusal| refusal.problem);
    match access_token(services, mailbox.id, Resource::Graph, Freshness::Stored) {
        Ok(_) => {
            let mut smtp_line = CheckLine::skipped(
                SMTP,
                smtp_problem
                    .as_ref()
                    .map_or_else(String::new, |problem| problem.sentence.clone()),
            );
            smtp_line.problem = smtp_problem;
            let graph = CheckLine::good(GRAPH, connect::way_out_sentence(WayOut::Graph));
            (vec![smtp_line, graph], Some((WayOut::Graph, false)))
        }
        Err(graph_problem) => {
            let mut lines: Vec<CheckLine> = smtp_problem
                .map(|problem| CheckLine::bad(SMTP, problem))
                .into_iter()
                .collect();
            lines.push(CheckLine::bad(GRAPH, graph_problem));
            (lines, None)
        }
    }
}

/// Counts the messages of INBOX, all and those of the last days.
pub(super) fn count(services: &Services, mailbox: &Mailbox) -> Result<connect::Preview, Problem> {
    let mut session = dial::imap(services, mailbox, mailbox.imap_user(), &|_| {})?;
    let inbox = session.examine("INBOX")?;
    let now = services.clock.now();
    let mut days = Vec::new();
    for span in connect::PREVIEW_DAYS {
        let since_at = now.saturating_sub(i64::from(span).saturating_mul(86_400));
        days.push((span, u64::from(session.count_since(since_at)?)));
    }
    let _ = session.logout();
    Ok(connect::Preview {
        all: u64::from(inbox.exists),
        days,
    })
}
