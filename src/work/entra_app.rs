//! The Entra app as configured: from the environment, or entered on the page (then the secret is
//! sealed in the database). The environment wins.

use std::str::FromStr as _;

use chrono::{DateTime, NaiveDate};

use super::Services;
use crate::oauth::{AppCredential, EntraApp, consent};
use crate::problem::{Disposition, Problem};
use crate::providers::HostPort;
use crate::providers::microsoft::{Cloud, Endpoints, Overrides};
use crate::store::{self, settings};

const CLIENT_ID: &str = "entra_client_id";
const SECRET: &str = "entra_secret";
const CERTIFICATE: &str = "entra_certificate";
const TENANT: &str = "entra_tenant";
const CLOUD: &str = "entra_cloud";
const EXPIRES_ON: &str = "entra_secret_expires_on";

/// How many days before the secret's end each warning begins.
pub const WARN_DAYS: [i64; 5] = [60, 30, 14, 7, 1];

/// How the app proves that it is the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialKind {
    /// A client secret.
    Secret,
    /// A certificate.
    Certificate,
}

/// What the pages show of the app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppState {
    /// Microsoft can be offered.
    pub configured: bool,
    /// The id and its credential come from the environment and cannot be edited on the page.
    pub from_environment: bool,
    /// Application (client) id.
    pub client_id: Option<String>,
    /// Tenant: an id, a domain, `common`, `organizations` or `consumers`.
    pub tenant: String,
    /// The tenant is set by the environment.
    pub tenant_from_environment: bool,
    /// `global`, `usgov`, `usgov-dod` or `china`.
    pub cloud: String,
    /// The cloud is set by the environment.
    pub cloud_from_environment: bool,
    /// What is there to prove the app with.
    pub credential: Option<CredentialKind>,
    /// The day the secret or certificate ends, `YYYY-MM-DD`, as the administrator noted it.
    pub secret_expires_on: Option<String>,
    /// Whole days until then; negative when it has passed.
    pub days_left: Option<i64>,
    /// The end is near enough to be warned of: the number of days the warning began at.
    pub warning: Option<i64>,
    /// The redirect URI to register.
    pub redirect_uri: String,
    /// Why Entra would refuse that redirect URI.
    pub redirect_obstacle: Option<Problem>,
    /// Where an administrator of the tenant consents for everyone.
    pub admin_consent_url: Option<String>,
    /// The portal where the app is registered.
    pub portal_url: String,
    /// Why Microsoft is not offered.
    pub reason_not_configured: Option<String>,
}

/// What is entered on the page.
#[derive(Debug, Clone, Default)]
pub struct AppForm {
    /// Application (client) id.
    pub client_id: String,
    /// The secret's Value; empty keeps the stored one.
    pub secret: String,
    /// PEM of certificate and key; empty keeps the stored one.
    pub certificate: String,
    /// Tenant.
    pub tenant: String,
    /// Cloud.
    pub cloud: String,
    /// `YYYY-MM-DD`, or empty.
    pub secret_expires_on: String,
}

/// A field that cannot be taken as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormError {
    /// Which field.
    pub field: &'static str,
    /// What is wrong and what to write instead.
    pub sentence: String,
}

impl FormError {
    /// An error at a field.
    pub fn new(field: &'static str, sentence: impl Into<String>) -> Self {
        Self {
            field,
            sentence: sentence.into(),
        }
    }
}

/// What is stored and set, before it is judged.
#[derive(Default)]
struct Raw {
    client_id: Option<String>,
    secret: Option<String>,
    certificate: Option<String>,
    tenant: Option<String>,
    cloud: Option<String>,
    expires_on: Option<String>,
    from_environment: bool,
}

fn raw(services: &Services) -> store::Result<Raw> {
    let stored = services.store.read(|db| {
        Ok::<_, store::Error>(Raw {
            client_id: settings::find_text(db, CLIENT_ID)?,
            secret: settings::find_secret(db, &services.sealer, SECRET)?,
            certificate: settings::find_secret(db, &services.sealer, CERTIFICATE)?,
            tenant: settings::find_text(db, TENANT)?,
            cloud: settings::find_text(db, CLOUD)?,
            expires_on: settings::find_text(db, EXPIRES_ON)?,
            from_environment: false,
        })
    })?;
    let set = &services.config.app;
    let from_environment =
        set.client_id.is_some() && (set.secret.is_some() || set.certificate.is_some());
    let mut raw = stored;
    if from_environment {
        raw.client_id.clone_from(&set.client_id);
        raw.secret.clone_from(&set.secret);
        raw.certificate.clone_from(&set.certificate);
    }
    raw.from_environment = from_environment;
    raw.tenant = set.tenant.clone().or(raw.tenant);
    raw.cloud = set.cloud.clone().or(raw.cloud);
    Ok(raw)
}

/// Where the configured cloud's services are.
///
/// # Errors
/// Those of the store.
pub fn endpoints(services: &Services) -> store::Result<Endpoints> {
    Ok(endpoints_of(services, raw(services)?.cloud.as_deref()))
}

fn endpoints_of(services: &Services, cloud: Option<&str>) -> Endpoints {
    let cloud = cloud
        .and_then(|name| Cloud::from_str(name).ok())
        .unwrap_or(Cloud::Global);
    let set = &services.config.endpoints;
    let host_port = |text: &Option<String>| {
        let (host, port) = text.as_deref()?.rsplit_once(':')?;
        Some(HostPort::new(host, port.parse().ok()?))
    };
    let overrides = Overrides {
        login_url: set.login_url.clone(),
        graph_url: set.graph_url.clone(),
        imap: host_port(&set.imap),
        smtp: host_port(&set.smtp),
        scope_prefix: set.scope_prefix.clone(),
    };
    Endpoints::new(cloud, &overrides)
}

fn assemble(services: &Services, raw: &Raw) -> Option<EntraApp> {
    let client_id = raw.client_id.clone().filter(|id| !id.is_empty())?;
    // A certificate is the stronger proof and does not end in silence.
    let credential = match (&raw.certificate, &raw.secret) {
        (Some(pem), _) if !pem.is_empty() => AppCredential::Certificate { pem: pem.clone() },
        (_, Some(secret)) if !secret.is_empty() => AppCredential::Secret(secret.clone()),
        _ => return None,
    };
    Some(EntraApp {
        client_id,
        credential,
        tenant: raw.tenant.clone().unwrap_or_else(|| "common".to_owned()),
        endpoints: endpoints_of(services, raw.cloud.as_deref()),
        redirect_uri: services.config.redirect_uri(),
    })
}

/// The app, ready for use.
///
/// # Errors
/// When none is configured, or the store fails.
pub fn find(services: &Services) -> Result<EntraApp, Problem> {
    let raw = raw(services).map_err(|error| error.to_problem())?;
    assemble(services, &raw).ok_or_else(|| {
        Problem::new(
            "no_entra_app",
            Disposition::NeedsAdmin,
            "No Entra app is configured, so Microsoft cannot be asked for anything.",
            "An administrator of Mailhatch sets AZURE_APP_ID and AZURE_APP_SECRET, or enters them under Administration, Microsoft.",
        )
    })
}

/// What the pages show of the app.
///
/// # Errors
/// Those of the store.
pub fn state(services: &Services) -> store::Result<AppState> {
    let raw = raw(services)?;
    let app = assemble(services, &raw);
    let set = &services.config.app;
    let tenant = raw.tenant.clone().unwrap_or_else(|| "common".to_owned());
    let days_left = raw
        .expires_on
        .as_deref()
        .and_then(|day| days_left(day, services.clock.now()));
    let redirect_uri = services.config.redirect_uri();
    Ok(AppState {
        configured: app.is_some(),
        from_environment: raw.from_environment,
        credential: app.as_ref().map(|app| match app.credential {
            AppCredential::Secret(_) => CredentialKind::Secret,
            AppCredential::Certificate { .. } => CredentialKind::Certificate,
        }),
        admin_consent_url: app
            .as_ref()
            .map(|app| consent::admin_consent_url(app, &tenant, "")),
        portal_url: endpoints_of(services, raw.cloud.as_deref()).portal_url,
        reason_not_configured: reason(&raw),
        client_id: raw.client_id,
        tenant,
        tenant_from_environment: set.tenant.is_some(),
        cloud: raw.cloud.unwrap_or_else(|| "global".to_owned()),
        cloud_from_environment: set.cloud.is_some(),
        secret_expires_on: raw.expires_on,
        days_left,
        warning: days_left.and_then(|left| WARN_DAYS.into_iter().rev().find(|day| left <= *day)),
        redirect_obstacle: consent::redirect_uri_obstacle(&redirect_uri),
        redirect_uri,
    })
}

/// Days left of the secret or certificate, once the end is near enough to be warned of; negative when
/// it has passed.
///
/// # Errors
/// Those of the store.
pub fn days_left_to_warn_of(db: &store::Db, now: i64) -> store::Result<Option<i64>> {
    let expires_on = settings::find_text(db, EXPIRES_ON)?;
    let left = expires_on.and_then(|day| days_left(&day, now));
    Ok(left.filter(|left| WARN_DAYS.iter().any(|day| left <= day)))
}

fn reason(raw: &Raw) -> Option<String> {
    let has = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.is_empty());
    let proof = has(&raw.secret) || has(&raw.certificate);
    let sentence = match (has(&raw.client_id), proof) {
        (true, true) => return None,
        (false, false) => "No Entra app has been set up yet.",
        (true, false) => "The Entra app has an id but neither a secret nor a certificate.",
        (false, true) => "The Entra app has a secret but no application id.",
    };
    Some(sentence.to_owned())
}

/// Whole days from `now` until the end of the day written `YYYY-MM-DD`.
fn days_left(day: &str, now: i64) -> Option<i64> {
    let end = NaiveDate::from_str(day.trim()).ok()?;
    let today = DateTime::from_timestamp(now, 0)?.date_naive();
    Some(end.signed_duration_since(today).num_days())
}

/// Stores what was entered on the page.
///
/// # Errors
/// A field that cannot be taken.
pub fn save(services: &Services, form: &AppForm) -> Result<(), FormError> {
    let failed = |error: store::Error| FormError::new("", error.to_problem().to_string());
    let now_stored = raw(services).map_err(failed)?;
    check_form(form, &now_stored)?;
    let now = services.clock.now();
    services
        .store
        .write(|tx| {
            let sealer = &services.sealer;
            if !now_stored.from_environment {
                settings::update_text(tx, CLIENT_ID, form.client_id.trim(), now)?;
                if !form.secret.trim().is_empty() {
                    settings::update_secret(tx, sealer, SECRET, form.secret.trim(), now)?;
                    settings::delete(tx, CERTIFICATE)?;
                }
                if !form.certificate.trim().is_empty() {
                    settings::update_secret(tx, sealer, CERTIFICATE, form.certificate.trim(), now)?;
                }
            }
            if services.config.app.tenant.is_none() {
                let tenant = form.tenant.trim();
                let tenant = if tenant.is_empty() { "common" } else { tenant };
                settings::update_text(tx, TENANT, tenant, now)?;
            }
            if services.config.app.cloud.is_none() {
                settings::update_text(tx, CLOUD, form.cloud.trim(), now)?;
            }
            settings::update_text(tx, EXPIRES_ON, form.secret_expires_on.trim(), now)
        })
        .map_err(failed)?;
    services.work.wake_supervisor();
    Ok(())
}

fn check_form(form: &AppForm, stored: &Raw) -> Result<(), FormError> {
    if !stored.from_environment {
        check_credentials(form, stored)?;
    }
    let tenant = form.tenant.trim();
    if tenant.contains(['/', ' ', '?', '#', '@']) {
        return Err(FormError::new(
            "tenant",
            "Enter the directory (tenant) id, one of its domains, or common, organizations or consumers.",
        ));
    }
    if !form.cloud.trim().is_empty() && Cloud::from_str(form.cloud.trim()).is_err() {
        return Err(FormError::new(
            "cloud",
            "Choose one of the clouds in the list.",
        ));
    }
    let day = form.secret_expires_on.trim();
    if !day.is_empty() && NaiveDate::from_str(day).is_err() {
        return Err(FormError::new(
            "secret_expires_on",
            "Write the day as year-month-day, such as 2027-05-31.",
        ));
    }
    Ok(())
}

fn check_credentials(form: &AppForm, stored: &Raw) -> Result<(), FormError> {
    let is_guid = crate::oauth::is_guid;
    if !is_guid(form.client_id.trim()) {
        return Err(FormError::new(
            "client_id",
            "The application (client) id is a GUID, such as 11111111-2222-3333-4444-555555555555; it stands on the app's Overview page.",
        ));
    }
    let secret = form.secret.trim();
    if is_guid(secret) {
        return Err(FormError::new(
            "secret",
            "This looks like the secret's ID. Paste the Value; if it is no longer shown, make a new secret.",
        ));
    }
    let certificate = form.certificate.trim();
    let whole = certificate.contains("BEGIN CERTIFICATE") && certificate.contains("PRIVATE KEY");
    if !certificate.is_empty() && !whole {
        return Err(FormError::new(
            "certificate",
            "Paste both the certificate and its private key, as PEM.",
        ));
    }
    let kept = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.is_empty());
    if secret.is_empty()
        && certificate.is_empty()
        && !kept(&stored.secret)
        && !kept(&stored.certificate)
    {
        return Err(FormError::new(
            "secret",
            "Enter the secret's Value, or a certificate below.",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_to_the_day_the_secret_ends() {
        let noon = 1_800_000_000; // 2027-01-15 08:00 UTC
        assert_eq!(days_left("2027-01-15", noon), Some(0));
        assert_eq!(days_left("2027-02-14", noon), Some(30));
        assert_eq!(days_left("2027-01-14", noon), Some(-1));
        assert_eq!(days_left("soon", noon), None);
    }

    #[test]
    fn an_unfinished_app_says_what_is_missing() {
        let raw = |id: Option<&str>, secret: Option<&str>| Raw {
            client_id: id.map(str::to_owned),
            secret: secret.map(str::to_owned),
            ..Raw::default()
        };
        assert!(reason(&raw(None, None)).unwrap().contains("No Entra app"));
        assert!(
            reason(&raw(Some("x"), None))
                .unwrap()
                .contains("neither a secret")
        );
        assert!(
            reason(&raw(None, Some("x")))
                .unwrap()
                .contains("no application id")
        );
        assert_eq!(reason(&raw(Some("x"), Some("y"))), None);
    }
}
