//! Connecting a mailbox: off to Microsoft, back with a code, tests of every way, and the choice of
//! what mail to take. Each call has the deadlines of what it asks; none holds the database meanwhile.

use super::entra_app::{self, FormError};
use super::{Services, probe};
use crate::model::{
    Credential, Mailbox, MailboxId, MailboxStatus, SignedIn as Agent, TakeFrom, WayOut,
};
use crate::oauth::{self, CallbackQuery, ConsentRequest, Returned, admin_consent_url};
use crate::problem::{Disposition, Problem};
use crate::store::oauth_flows::{self, Flow, LIFETIME_SECONDS, Purpose};
use crate::store::{self, Tx};

/// Why somebody is sent to Microsoft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begin {
    /// To connect a mailbox.
    Connect {
        /// A shared mailbox's address; empty for the mailbox of whoever signs in.
        mailbox_address: String,
    },
    /// To sign in again for a mailbox.
    Reconnect(MailboxId),
    /// To consent for the whole organisation.
    AdminConsent,
}

/// Why nobody is sent to Microsoft.
#[derive(Debug)]
pub enum BeginError {
    /// A field cannot be taken as it is.
    Field(FormError),
    /// Something else is in the way.
    Problem(Problem),
}

impl From<Problem> for BeginError {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<store::Error> for BeginError {
    fn from(error: store::Error) -> Self {
        Self::Problem(error.to_problem())
    }
}

/// Where somebody who came back is shown to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finished {
    /// A mailbox was connected, or connected again.
    Mailbox {
        /// Which.
        id: MailboxId,
        /// It is new: its checklist and the choice of mail come next.
        first: bool,
    },
    /// The organisation's administrator consented.
    AdminConsented,
}

/// Why a callback came to nothing.
#[derive(Debug)]
pub struct Refused {
    /// The `state` was expired, used, or another browser's: a bad request, not Microsoft's refusal.
    pub bad_state: bool,
    /// What happened and what to do.
    pub problem: Problem,
    /// The mailbox that was to be connected again.
    pub mailbox_id: Option<MailboxId>,
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self {
            bad_state: false,
            problem,
            mailbox_id: None,
        }
    }
}

impl From<store::Error> for Refused {
    fn from(error: store::Error) -> Self {
        error.to_problem().into()
    }
}

/// Writes a one-time state down and gives the address to send the browser to.
///
/// # Errors
/// A field, a missing app, or the store's failure.
pub fn begin(services: &Services, who: &Agent, what: &Begin) -> Result<String, BeginError> {
    let app = entra_app::find(services)?;
    let now = services.clock.now();
    let (purpose, request) = match what {
        Begin::Connect { mailbox_address } => {
            let mailbox_address = check_address(services, mailbox_address)?;
            (
                Purpose::Connect { mailbox_address },
                ConsentRequest::default(),
            )
        }
        Begin::Reconnect(id) => {
            let mailbox = find_mailbox(services, *id)?;
            let login_hint = Some(mailbox.upn);
            (
                Purpose::Reconnect { mailbox_id: *id },
                ConsentRequest {
                    login_hint,
                    reconnect: true,
                },
            )
        }
        Begin::AdminConsent => (Purpose::AdminConsent, ConsentRequest::default()),
    };
    let start = oauth::start(&app, &request, &mut oauth::system_random)?;
    let flow = Flow {
        purpose,
        session_id: who.session_id,
        nonce: start.nonce,
        pkce_verifier: start.pkce_verifier,
        expires_at: now.saturating_add(LIFETIME_SECONDS),
        used_at: None,
        result_mailbox_id: None,
    };
    services
        .store
        .write(|tx| oauth_flows::insert(tx, &services.sealer, &start.state, &flow, now))?;
    Ok(match flow.purpose {
        Purpose::AdminConsent => admin_consent_url(&app, &app.tenant, &start.state),
        _ => start.url,
    })
}

fn check_address(services: &Services, address: &str) -> Result<String, BeginError> {
    let address = address.trim();
    if address.is_empty() {
        return Ok(String::new());
    }
    let refuse = |sentence: String| {
        Err(BeginError::Field(FormError::new(
            "mailbox_address",
            sentence,
        )))
    };
    let plausible = address.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && domain.contains('.') && !address.contains(char::is_whitespace)
    });
    if !plausible {
        return refuse("Write the address of the shared mailbox, such as support@example.com, or leave the field empty.".to_owned());
    }
    if services
        .store
        .read(|db| store::mailboxes::find_by_address(db, address))?
        .is_some()
    {
        return refuse(format!(
            "{address} is connected already; reconnect it on its own page."
        ));
    }
    Ok(address.to_owned())
}

fn find_mailbox(services: &Services, id: MailboxId) -> Result<Mailbox, Problem> {
    services
        .store
        .read(|db| store::mailboxes::find(db, id))
        .map_err(|error| error.to_problem())?
        .ok_or_else(|| {
            Problem::new(
                "no_mailbox",
                Disposition::GiveUp,
                "There is no such mailbox any more.",
                "Choose one in the list of mailboxes.",
            )
        })
}

/// Ends what [`begin`] began. Coming back twice with the same answer (a reload) leads to the same
/// place and redeems nothing again.
///
/// # Errors
/// Why it came to nothing, as told to a person.
pub fn finish(
    services: &Services,
    who: Option<&Agent>,
    query: &CallbackQuery,
) -> Result<Finished, Refused> {
    let now = services.clock.now();
    let state = query.state.as_deref().unwrap_or_default();
    let flow = services
        .store
        .read(|db| oauth_flows::find(db, &services.sealer, state))?
        .ok_or_else(|| bad_state("unknown", "Microsoft sent you back with a request that Mailhatch did not begin, or that is long over."))?;
    if who.is_none_or(|who| who.session_id != flow.session_id) {
        return Err(bad_state(
            "foreign",
            "This sign-in was begun in another browser, or you have signed out of Mailhatch since.",
        ));
    }
    if let Some(id) = flow.result_mailbox_id {
        return Ok(Finished::Mailbox {
            id,
            first: find_mailbox(services, id)?.status == MailboxStatus::Choosing,
        });
    }
    if flow.expires_at <= now {
        return Err(bad_state(
            "expired",
            "The sign-in at Microsoft took longer than ten minutes.",
        ));
    }
    if !services
        .store
        .write(|tx| oauth_flows::claim(tx, state, now))?
    {
        return Err(bad_state(
            "used",
            "This answer from Microsoft has been used already.",
        ));
    }
    let mailbox_id = match &flow.purpose {
        Purpose::Reconnect { mailbox_id } => Some(*mailbox_id),
        _ => None,
    };
    complete(services, query, &flow, state, now).map_err(|refused| Refused {
        mailbox_id,
        ..refused
    })
}

fn bad_state(kind: &str, sentence: &str) -> Refused {
    let problem = Problem::new(
        format!("state_{kind}"),
        Disposition::GiveUp,
        sentence,
        "Start again from the list of mailboxes; nothing has been changed.",
    );
    Refused {
        bad_state: true,
        problem,
        mailbox_id: None,
    }
}

fn complete(
    services: &Services,
    query: &CallbackQuery,
    flow: &Flow,
    state: &str,
    now: i64,
) -> Result<Finished, Refused> {
    let app = entra_app::find(services)?;
    match query.returned(&app) {
        Returned::Failed(problem) => return Err(problem.into()),
        Returned::AdminConsent => return Ok(Finished::AdminConsented),
        Returned::Code(_) => {}
    }
    let (http, keys) = (&services.http, &services.keys);
    let signed_in = oauth::finish(
        http,
        &app,
        query,
        &flow.pkce_verifier,
        &flow.nonce,
        keys,
        now,
    )?;
    let credential = |mailbox_id| Credential {
        mailbox_id,
        tenant_id: signed_in.identity.tenant_id.clone(),
        object_id: signed_in.identity.object_id.clone(),
        upn: signed_in.auth_user().to_owned(),
        person_name: signed_in.identity.name.clone(),
        refresh_token: signed_in.refresh_token.clone(),
        refreshed_at: now,
        exchange_token: Some(signed_in.exchange.access_token.clone()),
        exchange_expires_at: signed_in.exchange.expires_at,
        graph_token: None,
        graph_expires_at: 0,
    };
    let finished = match &flow.purpose {
        Purpose::Reconnect { mailbox_id } => {
            let id = *mailbox_id;
            refuse_another_person(services, id, &signed_in.identity)?;
            services.store.write(|tx| {
                store::credentials::upsert(tx, &services.sealer, &credential(id))?;
                back_to_work(tx, id, now)?;
                oauth_flows::update_result(tx, state, id)
            })?;
            Finished::Mailbox { id, first: false }
        }
        Purpose::Connect { mailbox_address } => {
            let own = signed_in.mailbox_address();
            let delegate =
                !mailbox_address.is_empty() && !mailbox_address.eq_ignore_ascii_case(own);
            let address = if delegate {
                mailbox_address.as_str()
            } else {
                own
            };
            let name = if delegate {
                address
            } else {
                first_of(&signed_in.identity.name, address)
            };
            let id = services
                .store
                .write(|tx| {
                    let id = store::mailboxes::insert(tx, address, name, delegate, now)?;
                    store::credentials::upsert(tx, &services.sealer, &credential(id))?;
                    oauth_flows::update_result(tx, state, id)?;
                    Ok::<_, store::Error>(id)
                })
                .map_err(|error| taken_or(&error, address))?;
            Finished::Mailbox { id, first: true }
        }
        Purpose::AdminConsent => Finished::AdminConsented,
    };
    services.work.wake_supervisor();
    if let Finished::Mailbox { id, .. } = finished {
        services.work.wake_poller(id);
        services.work.wake_sender(id);
    }
    Ok(finished)
}

fn first_of<'a>(name: &'a str, address: &'a str) -> &'a str {
    if name.trim().is_empty() {
        address
    } else {
        name
    }
}

fn taken_or(error: &store::Error, address: &str) -> Problem {
    if !error.is_constraint() {
        return error.to_problem();
    }
    Problem::new(
        "mailbox_taken",
        Disposition::GiveUp,
        format!("The mailbox {address} is connected already."),
        "To renew its sign-in use Reconnect on its page. To connect another mailbox, sign in as that mailbox's person, or enter the shared mailbox's address.",
    )
}

fn back_to_work(tx: &Tx<'_>, id: MailboxId, now: i64) -> store::Result<()> {
    let Some(mailbox) = store::mailboxes::find(tx, id)? else {
        return Ok(());
    };
    let status = match mailbox.status {
        MailboxStatus::NeedsSignIn | MailboxStatus::NeedsAdmin => MailboxStatus::Active,
        other => other,
    };
    store::mailboxes::update_status(tx, id, status, None, now)?;
    store::mailboxes::update_sending(tx, id, None, 0, now)
}

fn refuse_another_person(
    services: &Services,
    id: MailboxId,
    identity: &oauth::Identity,
) -> Result<(), Problem> {
    let stored = services
        .store
        .read(|db| store::credentials::find(db, &services.sealer, id))
        .map_err(|error| error.to_problem())?;
    match stored {
        Some(stored) if !identity.is(&stored.tenant_id, &stored.object_id) => Err(Problem::new(
            "another_person",
            Disposition::NeedsSignIn,
            format!(
                "{} signed in, but this mailbox was connected by {}. Nothing has been changed.",
                identity.upn, stored.upn
            ),
            format!(
                "Sign in as {}, or connect the mailbox anew as another person after removing it.",
                stored.upn
            ),
        )),
        _ => Ok(()),
    }
}

/// How much mail there is to take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// Messages in INBOX.
    pub all: u64,
    /// Messages of the last so many days: 7, 30, 90, 365.
    pub days: Vec<(u32, u64)>,
}

/// The spans that are counted.
pub const PREVIEW_DAYS: [u32; 4] = [7, 30, 90, 365];

/// Counts what there is to take.
///
/// # Errors
/// Why the mailbox cannot be read.
pub fn preview(services: &Services, id: MailboxId) -> Result<Preview, Problem> {
    let mailbox = find_mailbox(services, id)?;
    probe::count(services, &mailbox)
}

/// Sets which mail is taken; the mailbox begins to receive.
///
/// # Errors
/// A number of days that makes no sense, or the store's failure.
pub fn choose(
    services: &Services,
    id: MailboxId,
    take_from: TakeFrom,
    days: u32,
) -> Result<(), FormError> {
    let since_at = since_at(take_from, days, services.clock.now())?;
    services
        .store
        .write(|tx| store::mailboxes::update_choice(tx, id, take_from, since_at))
        .map_err(|error| FormError::new("", error.to_problem().to_string()))?;
    services.work.wake_supervisor();
    services.work.wake_poller(id);
    Ok(())
}

/// From when on mail is taken; `None` takes all.
///
/// # Errors
/// A number of days that makes no sense.
pub fn since_at(take_from: TakeFrom, days: u32, now: i64) -> Result<Option<i64>, FormError> {
    Ok(match take_from {
        TakeFrom::All => None,
        // The server's clock may be behind ours; a message of the last minutes too many does no harm,
        // one too few would be lost.
        TakeFrom::New => Some(now.saturating_sub(600)),
        TakeFrom::Days if (1..=3650).contains(&days) => {
            Some(now.saturating_sub(i64::from(days).saturating_mul(86_400)))
        }
        TakeFrom::Days => {
            return Err(FormError::new(
                "days",
                "Enter a number of days between 1 and 3650.",
            ));
        }
    })
}

/// Asks Entra whether the app is valid, without signing anyone in.
///
/// # Errors
/// What Entra says is wrong.
pub fn check_app(services: &Services) -> Result<String, Problem> {
    let app = entra_app::find(services)?;
    Ok(oauth::check_app(&services.http, &app, services.clock.now())?.sentence)
}

/// Tests every way to the mailbox and settles how replies leave.
///
/// # Errors
/// When the mailbox is not there.
pub fn check(services: &Services, id: MailboxId) -> Result<Vec<probe::CheckLine>, Problem> {
    let mut lines = Vec::new();
    check_each(services, id, &mut |line| lines.push(line.clone()))?;
    Ok(lines)
}

/// [`check`] for somebody who waits: tells each line as it is found.
///
/// # Errors
/// When the mailbox is not there.
pub fn check_each(
    services: &Services,
    id: MailboxId,
    found: &mut dyn FnMut(&probe::CheckLine),
) -> Result<(), Problem> {
    let mailbox = find_mailbox(services, id)?;
    let way_out = probe::all(services, &mailbox, found);
    if let Some((way_out, send_as_upn)) = way_out
        && (way_out, send_as_upn) != (mailbox.way_out, mailbox.send_as_upn)
    {
        services
            .store
            .write(|tx| store::mailboxes::update_way_out(tx, id, way_out, send_as_upn))
            .map_err(|error| error.to_problem())?;
        tracing::info!(mailbox.id = id.0, way = %way_out, "the way out was settled by a test");
    }
    Ok(())
}

/// How replies leave, in words.
#[must_use]
pub const fn way_out_sentence(way_out: WayOut) -> &'static str {
    match way_out {
        WayOut::Smtp => "Replies leave through SMTP submission.",
        WayOut::Graph => {
            "Replies leave through Microsoft Graph, since SMTP AUTH is switched off for this mailbox."
        }
    }
}
