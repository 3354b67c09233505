//! Mail to administrators: through a server that was set up for it, else through a mailbox that works. It is
//! no delivery of a conversation: it is written anew for each try, under the same Message-ID, and a copy in
//! Sent Items is recognised by it.

use std::time::Duration;

use super::channels::{Settings, SmtpServer};
use super::letter::Letter;
use crate::graph;
use crate::mail::compose::{Outgoing, compose, new_message_id};
use crate::mail::thread::ALERTS;
use crate::model::{Address, Agent, Mailbox, MailboxId, MailboxStatus, WayOut};
use crate::net::{Closer, Server};
use crate::problem::{Disposition, Problem};
use crate::providers::microsoft::Resource;
use crate::secret::sha256;
use crate::smtp::{self, Access, Envelope, Outcome, SignIn, Timeouts};
use crate::store::{self, Db};
use crate::work::Services;
use crate::work::credentials::{Freshness, access_token};
use crate::work::{dial, entra_app};

/// Ways tried one after the other before the next pause.
const WAYS_MAX: usize = 3;
/// Longest wait for a server's word; what it may have taken is sent again under the same Message-ID.
const PATIENCE: Duration = Duration::from_secs(30);

/// A way for the mail.
enum Way<'a> {
    Server(&'a SmtpServer),
    Mailbox(Box<Mailbox>),
}

/// How a try ended.
enum Tried {
    /// The server has it.
    Told,
    /// It did not take it: another way may.
    Refused(Problem),
    /// It may have taken it: another way would tell twice.
    Unknown(Problem),
}

/// Sends a letter; gives how, in words. `about` is the mailbox it speaks of, which is tried last; `cut` is given
/// the means to end a connection from another thread.
pub(super) fn send(
    services: &Services,
    settings: &Settings,
    letter: &Letter,
    about: Option<MailboxId>,
    cut: &dyn Fn(Closer),
) -> Result<String, Problem> {
    let (to, mailboxes) = services
        .store
        .read(|db| Ok::<_, store::Error>((recipients(db, settings)?, store::mailboxes::list(db)?)))
        .map_err(|error| error.to_problem())?;
    if to.is_empty() {
        return Err(no_recipients());
    }
    let mut last = no_way();
    for way in ways(settings, mailboxes, about).into_iter().take(WAYS_MAX) {
        let (tried, by) = match &way {
            Way::Server(server) => {
                let tried = by_server(services, settings, server, letter, &to, cut);
                (tried, format!("Sent through {}.", server.host))
            }
            Way::Mailbox(mailbox) => {
                let tried = by_mailbox(services, mailbox, letter, &to, cut);
                (tried, format!("Sent through {}.", mailbox.address))
            }
        };
        match tried {
            Tried::Told => return Ok(by),
            Tried::Unknown(problem) => return Err(problem),
            Tried::Refused(problem) => last = problem,
        }
    }
    Err(last)
}

/// Why no mail could be sent, if that can be told without trying.
pub(super) fn obstacle(db: &Db, settings: &Settings) -> store::Result<Option<Problem>> {
    if recipients(db, settings)?.is_empty() {
        return Ok(Some(no_recipients()));
    }
    let mailboxes = store::mailboxes::list(db)?;
    Ok(ways(settings, mailboxes, None).is_empty().then(no_way))
}

fn no_way() -> Problem {
    Problem::new(
        "alerts_no_way",
        Disposition::NeedsAdmin,
        "No mail can be sent to administrators: no mailbox works that it could leave through, and no mail server is set up for it.",
        "Enter a mail server on the page Alerts; then alerts also leave when every mailbox has stopped.",
    )
}

fn no_recipients() -> Problem {
    Problem::new(
        "alerts_no_recipients",
        Disposition::NeedsAdmin,
        "There is nobody to mail alerts to.",
        "Enter addresses on the page Alerts.",
    )
}

/// Who gets the mail.
fn recipients(db: &Db, settings: &Settings) -> store::Result<Vec<String>> {
    if !settings.plain.recipients.is_empty() {
        return Ok(settings.plain.recipients.clone());
    }
    let agents = store::agents::list(db)?.into_iter();
    let admins = agents.filter(|agent| Agent::is_admin(agent) && agent.disabled_at.is_none());
    Ok(admins.map(|agent| agent.email).collect())
}

/// The ways in the order they are tried: the server, mailboxes that work, and at last the one that the alert is
/// about, should it still send.
fn ways<'a>(
    settings: &'a Settings,
    mailboxes: Vec<Mailbox>,
    about: Option<MailboxId>,
) -> Vec<Way<'a>> {
    let mut sending: Vec<Mailbox> = mailboxes
        .into_iter()
        .filter(|mailbox| mailbox.status == MailboxStatus::Active && mailbox.send_problem.is_none())
        .collect();
    sending.sort_by_key(|mailbox| {
        let troubled = mailbox.problem.is_some();
        (about == Some(mailbox.id), troubled, mailbox.id)
    });
    let server = settings.plain.smtp.iter().map(Way::Server);
    server
        .chain(sending.into_iter().map(Box::new).map(Way::Mailbox))
        .collect()
}

/// The bytes to send.
fn written(
    services: &Services,
    letter: &Letter,
    from: &str,
    to: &[String],
) -> Result<Vec<u8>, Problem> {
    // The same for every try at this moment, whatever its way.
    let seed = sha256(format!("{}/{}", letter.body.id, letter.body.phase).as_bytes());
    let [a, b, c, d, e, f, g, h, ..] = seed;
    let local = services.ids().make(&ALERTS, [a, b, c, d, e, f, g, h]);
    let host = services.config.url.host_str().unwrap_or("localhost");
    let outgoing = Outgoing {
        from: Address::new("Mailhatch", from),
        to: to.iter().map(|who| Address::new("", who)).collect(),
        subject: letter.subject.clone(),
        date_at: letter.body.at,
        message_id: new_message_id(host, &local),
        text: letter.text.clone(),
        headers: vec![
            // Nobody's absence is announced to a machine (RFC 3834 §5).
            ("Auto-Submitted".to_owned(), "auto-generated".to_owned()),
            ("X-Auto-Response-Suppress".to_owned(), "All".to_owned()),
        ],
        ..Outgoing::default()
    };
    compose(&outgoing).map_err(|error| {
        Problem::new(
            "alerts_not_written",
            Disposition::NeedsAdmin,
            "The mail to administrators cannot be written: an address cannot be used.",
            "Check the addresses on the page Alerts.",
        )
        .with_detail(error.to_string())
    })
}

fn timeouts(services: &Services) -> Timeouts {
    let patience = services.config.patience;
    Timeouts {
        connect: patience.connect,
        command: patience.answer.min(PATIENCE),
        final_answer: patience.verdict.min(PATIENCE),
    }
}

fn by_server(
    services: &Services,
    settings: &Settings,
    server: &SmtpServer,
    letter: &Letter,
    to: &[String],
    cut: &dyn Fn(Closer),
) -> Tried {
    let raw = match written(services, letter, &server.from, to) {
        Ok(raw) => raw,
        Err(problem) => return Tried::Refused(problem),
    };
    let password = settings.smtp_password.as_deref().unwrap_or_default();
    let sign_in = if server.user.is_empty() {
        SignIn::Nobody
    } else {
        let user = &server.user;
        SignIn::Password { user, password }
    };
    let access = Access {
        security: server.security(),
        sign_in,
    };
    let hello = services.config.url.host_str().unwrap_or("localhost");
    let at = Server::new(&server.host, server.port);
    let opened = smtp::Session::open_as(&at, &services.trust, &access, hello, timeouts(services));
    match opened {
        Ok(session) => hand_over(session, &server.from, to, &raw, cut),
        // The remedies of sign-in are written for mailboxes.
        Err(refusal) if refusal.stage == smtp::Stage::SignIn && !is_ours(&refusal.problem) => {
            let problem = Problem::new(
                "alerts_smtp_sign_in",
                Disposition::NeedsAdmin,
                format!("{} refused the sign-in for sending alerts.", server.host),
                "Check name and password on the page Alerts; the server's own words are shown here.",
            );
            Tried::Refused(problem.with_detail(refusal.problem.detail))
        }
        Err(refusal) => Tried::Refused(refusal.problem),
    }
}

fn is_ours(problem: &Problem) -> bool {
    problem.is_transient()
        || problem.code.starts_with("smtp_no_")
        || problem.code == "smtp_password_in_clear"
}

fn by_mailbox(
    services: &Services,
    mailbox: &Mailbox,
    letter: &Letter,
    to: &[String],
    cut: &dyn Fn(Closer),
) -> Tried {
    let raw = match written(services, letter, &mailbox.address, to) {
        Ok(raw) => raw,
        Err(problem) => return Tried::Refused(problem),
    };
    match mailbox.way_out {
        WayOut::Smtp => {
            let user = mailbox.smtp_user();
            match dial::smtp_within(services, mailbox, user, timeouts(services)) {
                Ok(session) => hand_over(session, &mailbox.address, to, &raw, cut),
                Err(refusal) => Tried::Refused(refusal.problem),
            }
        }
        WayOut::Graph => by_graph(services, mailbox, &raw),
    }
}

fn hand_over(
    mut session: smtp::Session,
    from: &str,
    to: &[String],
    raw: &[u8],
    cut: &dyn Fn(Closer),
) -> Tried {
    cut(session.closer());
    let envelope = Envelope {
        mail_from: from.to_owned(),
        recipients: to.to_vec(),
        together: false,
    };
    let outcome = session.send(&envelope, raw);
    session.quit();
    match outcome {
        Outcome::Accepted { .. } => Tried::Told,
        Outcome::Refused(refusal) => Tried::Refused(refusal.problem),
        Outcome::Unknown { problem } => Tried::Unknown(problem),
    }
}

fn by_graph(services: &Services, mailbox: &Mailbox, raw: &[u8]) -> Tried {
    let send_as = if mailbox.shared {
        graph::SendAs::Mailbox(mailbox.address.clone())
    } else {
        graph::SendAs::Me
    };
    let url = match entra_app::endpoints(services) {
        Ok(endpoints) => endpoints.graph_url,
        Err(error) => return Tried::Refused(error.to_problem()),
    };
    let mut freshness = Freshness::Stored;
    loop {
        let token = match access_token(services, mailbox.id, Resource::Graph, freshness) {
            Ok(token) => token,
            Err(problem) => return Tried::Refused(problem),
        };
        let refused_once = matches!(freshness, Freshness::Refused { .. });
        match graph::send_mail(&services.http, &url, &token.token, &send_as, raw) {
            graph::Outcome::Accepted => return Tried::Told,
            graph::Outcome::Refused {
                refresh_token: true,
                ..
            } if !refused_once => {
                freshness = Freshness::Refused {
                    expires_at: token.expires_at,
                };
            }
            graph::Outcome::Refused { problem, .. } => return Tried::Refused(problem),
            graph::Outcome::Unknown { problem } => return Tried::Unknown(problem),
        }
    }
}
