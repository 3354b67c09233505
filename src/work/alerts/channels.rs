//! How administrators are told besides the pages: mail to them, and a webhook. What is set, and how it fares.

use serde::{Deserialize, Serialize};
use url::Url;

use super::mail;
use crate::model::{AlertChannel, Notice};
use crate::problem::Problem;
use crate::secret::Sealer;
use crate::smtp::Security;
use crate::store::{self, Db, Tx, alerts, settings};
use crate::work::Services;
use crate::work::entra_app::FormError;

const PLAIN: &str = "alerts";
const SMTP_PASSWORD: &str = "alerts_smtp_password";
const WEBHOOK_SECRET: &str = "alerts_webhook_secret";
/// Less free space than this is an alert, unless another limit is set.
const DISK_MIN_MB: u64 = 500;
/// Shortest secret that signs.
const SECRET_CHARS_MIN: usize = 16;
/// Most addresses that alerts are mailed to.
const RECIPIENTS_MAX: usize = 20;

/// A mail server that alerts leave through.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SmtpServer {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// `starttls`, `tls` or `none`.
    pub security: String,
    /// Who signs in; empty when nobody has to.
    pub user: String,
    /// The address the mail comes from.
    pub from: String,
}

impl SmtpServer {
    pub(super) fn security(&self) -> Security {
        match self.security.as_str() {
            "tls" => Security::Tls,
            "none" => Security::None,
            _ => Security::StartTls,
        }
    }
}

/// What is set and no secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Plain {
    /// No mail is sent.
    pub mail_off: bool,
    /// Who gets the mail; all administrators when empty.
    pub recipients: Vec<String>,
    /// The server the mail leaves through first; mailboxes come after it.
    pub smtp: Option<SmtpServer>,
    /// Where the webhook goes; empty when there is none.
    pub webhook_url: String,
    /// The webhook may go to an address that is not public.
    pub webhook_inside: bool,
    /// Less free megabytes than this are an alert.
    pub disk_min_mb: Option<u64>,
}

/// All that is set.
pub struct Settings {
    /// What is no secret.
    pub plain: Plain,
    /// The password for the mail server.
    pub(super) smtp_password: Option<String>,
    /// What the webhook is signed with.
    pub(super) webhook_secret: Option<String>,
}

impl Settings {
    /// Less free bytes than this are an alert.
    #[must_use]
    pub fn disk_min_bytes(&self) -> u64 {
        let megabytes = self.plain.disk_min_mb.unwrap_or(DISK_MIN_MB);
        megabytes.saturating_mul(1024 * 1024)
    }

    /// Whether there is a password for the mail server.
    #[must_use]
    pub const fn has_password(&self) -> bool {
        self.smtp_password.is_some()
    }

    /// Whether there is something to sign with.
    #[must_use]
    pub const fn has_secret(&self) -> bool {
        self.webhook_secret.is_some()
    }

    /// The channels that are on.
    pub(super) fn channels(&self) -> Vec<AlertChannel> {
        let mail = (!self.plain.mail_off).then_some(AlertChannel::Mail);
        let hooks = !self.plain.webhook_url.is_empty();
        let webhook = hooks.then_some(AlertChannel::Webhook);
        mail.into_iter().chain(webhook).collect()
    }
}

/// What is set.
///
/// # Errors
/// Those of the store.
pub fn read(db: &Db, sealer: &Sealer) -> store::Result<Settings> {
    let plain = settings::find_text(db, PLAIN)?;
    Ok(Settings {
        plain: plain
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default(),
        smtp_password: settings::find_secret(db, sealer, SMTP_PASSWORD)?,
        webhook_secret: settings::find_secret(db, sealer, WEBHOOK_SECRET)?,
    })
}

/// How a channel fares.
#[derive(Debug, Clone, Default)]
pub struct ChannelState {
    /// It is switched on.
    pub on: bool,
    /// The last notice it told.
    pub last_told: Option<Notice>,
    /// Notices that wait.
    pub due: i64,
    /// What keeps it from telling.
    pub problem: Option<Problem>,
}

/// How alerting fares.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Mail to administrators.
    pub mail: ChannelState,
    /// The webhook.
    pub webhook: ChannelState,
    /// Open alerts.
    pub open: usize,
}

impl State {
    /// The state in one sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let word = |on: bool| if on { "on" } else { "off" };
        let (mail, webhook) = (word(self.mail.on), word(self.webhook.on));
        let open = match self.open {
            0 => "No alert is open".to_owned(),
            1 => "1 alert is open".to_owned(),
            count => format!("{count} alerts are open"),
        };
        format!("{open}; mail to administrators is {mail}, the webhook is {webhook}.")
    }
}

/// How alerting fares.
///
/// # Errors
/// Those of the store.
pub fn state(db: &Db, sealer: &Sealer) -> store::Result<State> {
    let set = read(db, sealer)?;
    let channels = set.channels();
    let of = |channel: AlertChannel| -> store::Result<ChannelState> {
        let (due, problem) = alerts::count_due(db, channel)?;
        let on = channels.contains(&channel);
        let obstacle = if on && channel == AlertChannel::Mail {
            mail::obstacle(db, &set)?
        } else {
            None
        };
        Ok(ChannelState {
            on,
            last_told: alerts::find_last_told(db, channel)?,
            due,
            problem: obstacle.or(problem),
        })
    };
    Ok(State {
        mail: of(AlertChannel::Mail)?,
        webhook: of(AlertChannel::Webhook)?,
        open: alerts::list_open(db)?.len(),
    })
}

/// What is entered for mail.
#[derive(Debug, Clone, Default)]
pub struct MailForm {
    /// Mail is sent.
    pub on: bool,
    /// Addresses, separated by commas, spaces or lines; empty for all administrators.
    pub recipients: String,
    /// The server's name; empty for none.
    pub host: String,
    /// Its port.
    pub port: String,
    /// `starttls`, `tls` or `none`.
    pub security: String,
    /// Who signs in.
    pub user: String,
    /// The password; empty keeps the stored one.
    pub password: String,
    /// The sender's address.
    pub from: String,
}

/// Stores what was entered for mail.
///
/// # Errors
/// A field that cannot be taken.
pub fn save_mail(services: &Services, form: &MailForm) -> Result<(), FormError> {
    let recipients = recipients(&form.recipients)?;
    let smtp = smtp_server(form)?;
    let now = services.clock.now();
    let stored = services.store.write(|tx| {
        let mut set = read(tx, &services.sealer)?;
        let old = set.plain.smtp.take().unwrap_or_default();
        let new = smtp.clone().unwrap_or_default();
        // What was entered for one server is not handed to another.
        let moved = old.host != new.host || new.user.is_empty();
        if !form.password.is_empty() && !new.user.is_empty() {
            settings::update_secret(tx, &services.sealer, SMTP_PASSWORD, &form.password, now)?;
        } else if moved {
            settings::delete(tx, SMTP_PASSWORD)?;
        }
        let missing = !new.user.is_empty()
            && form.password.is_empty()
            && (moved || set.smtp_password.is_none());
        if missing {
            let sentence = "Enter the password that goes with this server and name.";
            return Err(Failed::Field(FormError::new("password", sentence)));
        }
        set.plain.mail_off = !form.on;
        set.plain.recipients = recipients;
        set.plain.smtp = smtp;
        if set.plain.mail_off {
            alerts::update_dropped(tx, AlertChannel::Mail)?;
        }
        update(tx, &set.plain, now).map_err(Failed::from)
    });
    done(services, stored)
}

/// What is entered for the webhook.
#[derive(Debug, Clone, Default)]
pub struct WebhookForm {
    /// Where it goes; empty for none.
    pub url: String,
    /// What it is signed with; empty keeps the stored one.
    pub secret: String,
    /// It may go to an address that is not public.
    pub inside: bool,
}

/// Stores what was entered for the webhook.
///
/// # Errors
/// A field that cannot be taken.
pub fn save_webhook(services: &Services, form: &WebhookForm) -> Result<(), FormError> {
    let url = form.url.trim();
    check_url(url, form.inside)?;
    let secret = form.secret.trim();
    let wrong = |sentence: &str| FormError::new("secret", sentence);
    if !secret.is_empty() && secret.chars().count() < SECRET_CHARS_MIN {
        return Err(wrong(
            "Use at least 16 characters, such as what `openssl rand -hex 32` prints.",
        ));
    }
    let now = services.clock.now();
    let stored = services.store.write(|tx| {
        let mut set = read(tx, &services.sealer)?;
        if url.is_empty() {
            settings::delete(tx, WEBHOOK_SECRET)?;
            alerts::update_dropped(tx, AlertChannel::Webhook)?;
        } else if !secret.is_empty() {
            settings::update_secret(tx, &services.sealer, WEBHOOK_SECRET, secret, now)?;
        } else if set.webhook_secret.is_none() {
            let sentence = "Enter what the requests are signed with, such as what `openssl rand -hex 32` prints.";
            return Err(Failed::Field(wrong(sentence)));
        }
        url.clone_into(&mut set.plain.webhook_url);
        set.plain.webhook_inside = form.inside;
        update(tx, &set.plain, now).map_err(Failed::from)
    });
    done(services, stored)
}

/// Stores how many megabytes should stay free.
///
/// # Errors
/// When it is no number.
pub fn save_disk(services: &Services, text: &str) -> Result<(), FormError> {
    let wrong = |_| FormError::new("disk_min_mb", "Write a number of megabytes, such as 500.");
    let megabytes: u64 = text.trim().parse().map_err(wrong)?;
    let now = services.clock.now();
    let stored = services.store.write(|tx| {
        let mut set = read(tx, &services.sealer)?;
        set.plain.disk_min_mb = Some(megabytes);
        update(tx, &set.plain, now).map_err(Failed::from)
    });
    done(services, stored)
}

/// How many megabytes should stay free.
#[must_use]
pub fn disk_min_mb(plain: &Plain) -> u64 {
    plain.disk_min_mb.unwrap_or(DISK_MIN_MB)
}

enum Failed {
    Field(FormError),
    Store(store::Error),
}

impl From<store::Error> for Failed {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

fn update(tx: &Tx<'_>, plain: &Plain, now: i64) -> store::Result<()> {
    let text = serde_json::to_string(plain).unwrap_or_default();
    settings::update_text(tx, PLAIN, &text, now)
}

fn done(services: &Services, stored: Result<(), Failed>) -> Result<(), FormError> {
    stored.map_err(|failed| match failed {
        Failed::Field(error) => error,
        Failed::Store(error) => FormError::new("", error.to_problem().to_string()),
    })?;
    services.work.wake_alerts();
    Ok(())
}

/// Whether mail can be sent to, or come from, this address: one plain address.
fn is_address(text: &str) -> bool {
    let well_formed = text
        .rsplit_once('@')
        .is_some_and(|(local, domain)| !local.is_empty() && domain.len() > 1);
    well_formed && text.len() <= 254 && !text.contains(['<', '>', '"', ' ', ',', ';'])
}

fn recipients(text: &str) -> Result<Vec<String>, FormError> {
    let wrong = |sentence: String| FormError::new("recipients", sentence);
    let found: Vec<String> = text
        .split([',', ';', ' ', '\n', '\t'])
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    if let Some(bad) = found.iter().find(|word| !is_address(word)) {
        return Err(wrong(format!("“{bad}” is no mail address.")));
    }
    if found.len() > RECIPIENTS_MAX {
        let most = RECIPIENTS_MAX;
        return Err(wrong(format!(
            "At most {most} addresses; a list's address reaches more."
        )));
    }
    Ok(found)
}

fn smtp_server(form: &MailForm) -> Result<Option<SmtpServer>, FormError> {
    let host = form.host.trim();
    if host.is_empty() {
        return Ok(None);
    }
    let is_host = host.len() <= 253 && !host.contains([' ', '/', '@', ':']);
    if !is_host {
        let sentence = "Write the server's name alone, such as smtp.example.org.";
        return Err(FormError::new("host", sentence));
    }
    let port = match form.port.trim() {
        "" if form.security == "tls" => 465,
        "" => 587,
        text => text
            .parse()
            .ok()
            .filter(|port| *port > 0)
            .ok_or_else(|| FormError::new("port", "Write a number, such as 587."))?,
    };
    if !["starttls", "tls", "none"].contains(&form.security.as_str()) {
        return Err(FormError::new("security", "Choose one of the list."));
    }
    let (user, from) = (form.user.trim(), form.from.trim());
    if !user.is_empty() && form.security == "none" {
        let sentence = "A password is not sent without encryption. Choose STARTTLS or TLS, or leave name and password empty.";
        return Err(FormError::new("security", sentence));
    }
    if !is_address(from) {
        let sentence = "Enter the address the mail comes from; the server must let it be used.";
        return Err(FormError::new("from", sentence));
    }
    Ok(Some(SmtpServer {
        host: host.to_owned(),
        port,
        security: form.security.clone(),
        user: user.to_owned(),
        from: from.to_owned(),
    }))
}

fn check_url(url: &str, inside: bool) -> Result<(), FormError> {
    let wrong = |sentence: &str| Err(FormError::new("url", sentence));
    if url.is_empty() {
        return Ok(());
    }
    let Ok(parsed) = Url::parse(url) else {
        return wrong("Enter a whole address that begins with https://.");
    };
    match parsed.scheme() {
        "https" => {}
        "http" if inside => {}
        "http" => {
            return wrong(
                "Use https://: without it, anybody between could read and keep what is sent.",
            );
        }
        _ => return wrong("Enter an address that begins with https://."),
    }
    if parsed.host_str().is_none() || !parsed.username().is_empty() || parsed.password().is_some() {
        return wrong("Enter an address with a host, and without a name or password in it.");
    }
    Ok(())
}
