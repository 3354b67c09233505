//! The Entra app that lets people sign in at Microsoft: what is configured, its form, its check, the
//! consent of an organisation, and the guide.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::context::Shared;
use super::error::Error;
use super::flash::Flash;
use super::forms::{Fields, Posted};
use super::guide::Guide;
use super::page::{self, Here, Page, go, go_saying};
use super::session::Admin;
use crate::problem::Problem;
use crate::work::connect::{self, Begin, BeginError};
use crate::work::entra_app::{self, AppForm, AppState, CredentialKind, FormError};

const PATH: &str = "/admin/microsoft";

/// A cloud and how it is called.
const CLOUDS: [(&str, &str); 4] = [
    ("global", "Worldwide, GCC"),
    ("usgov", "US Government GCC High"),
    ("usgov-dod", "US Department of Defense"),
    ("china", "China (21Vianet)"),
];

#[derive(Template)]
#[template(path = "microsoft/show.html")]
struct Show {
    page: Page,
    app: AppState,
    form: AppForm,
    mistake: Option<FormError>,
    problem: Option<Problem>,
    guide: Guide,
}

impl Show {
    /// What is wrong with a field; empty when nothing is.
    fn mistake(&self, field: &str) -> &str {
        match &self.mistake {
            Some(mistake) if mistake.field == field => &mistake.sentence,
            _ => "",
        }
    }

    fn has_secret(&self) -> bool {
        self.app.credential == Some(CredentialKind::Secret)
    }

    fn has_certificate(&self) -> bool {
        self.app.credential == Some(CredentialKind::Certificate)
    }

    fn cloud_name(&self) -> &str {
        CLOUDS
            .iter()
            .find(|(word, _)| *word == self.app.cloud)
            .map_or(self.app.cloud.as_str(), |(_, name)| name)
    }

    /// How long the secret or certificate is still good, in words.
    fn expiry(&self) -> Option<String> {
        self.app.days_left.map(days_left)
    }
}

/// "in 12 days", from the number of days left.
#[must_use]
pub(super) fn days_left(days: i64) -> String {
    match days {
        ..=-2 => format!("{} days ago", -days),
        -1 => "yesterday".to_owned(),
        0 => "today".to_owned(),
        1 => "tomorrow".to_owned(),
        _ => format!("in {days} days"),
    }
}

async fn load(context: &Shared, admin: Admin) -> Result<Show, Error> {
    let app = context.services(entra_app::state).await??;
    let shared = context.clone();
    let page = context
        .read(move |db| Page::load(db, &shared, &admin, "Entra app", Here::section("app")))
        .await?;
    let form = AppForm {
        client_id: app.client_id.clone().unwrap_or_default(),
        tenant: app.tenant.clone(),
        cloud: app.cloud.clone(),
        secret_expires_on: app.secret_expires_on.clone().unwrap_or_default(),
        ..AppForm::default()
    };
    let guide = Guide::new(&app);
    Ok(Show {
        page,
        app,
        form,
        mistake: None,
        problem: None,
        guide,
    })
}

/// `GET /admin/microsoft`
///
/// # Errors
/// Those of the store.
pub(super) async fn show(context: Shared, admin: Admin) -> Result<HttpResponse, Error> {
    page::show(&load(&context, admin).await?)
}

fn read_form(fields: &Fields) -> AppForm {
    let text = |name: &str| fields.get(name).to_owned();
    AppForm {
        client_id: text("client_id"),
        secret: text("secret"),
        certificate: text("certificate"),
        tenant: text("tenant"),
        cloud: text("cloud"),
        secret_expires_on: text("secret_expires_on"),
    }
}

/// `POST /admin/microsoft`
///
/// # Errors
/// Those of the store.
pub(super) async fn update(
    context: Shared,
    admin: Admin,
    form: Posted,
) -> Result<HttpResponse, Error> {
    let form = read_form(&form.fields);
    let entered = form.clone();
    let saved = context
        .services(move |services| entra_app::save(services, &entered))
        .await?;
    match saved {
        Ok(()) => {
            tracing::info!(
                agent.id = admin.agent.id.0,
                "the Entra app's settings were changed"
            );
            let flash = Flash::good("Saved. Press Check to ask Microsoft whether it is right.");
            Ok(go_saying(&context, PATH, &flash))
        }
        Err(mistake) => {
            let show = load(&context, admin).await?;
            // A secret is not sent back to the browser: it is typed again.
            let form = AppForm {
                secret: String::new(),
                certificate: String::new(),
                ..form
            };
            let show = Show {
                form,
                mistake: Some(mistake),
                ..show
            };
            page::show_as(StatusCode::UNPROCESSABLE_ENTITY, &show)
        }
    }
}

/// `POST /admin/microsoft/check`
///
/// # Errors
/// Those of the store.
pub(super) async fn check(
    context: Shared,
    admin: Admin,
    _form: Posted,
) -> Result<HttpResponse, Error> {
    match context.services(connect::check_app).await? {
        Ok(sentence) => Ok(go_saying(&context, PATH, &Flash::good(sentence))),
        Err(problem) => {
            let show = Show {
                problem: Some(problem),
                ..load(&context, admin).await?
            };
            page::show_as(StatusCode::UNPROCESSABLE_ENTITY, &show)
        }
    }
}

/// `POST /admin/microsoft/consent`: off to Microsoft, to consent for the whole organisation.
///
/// # Errors
/// Those of the store.
pub(super) async fn consent(
    context: Shared,
    admin: Admin,
    _form: Posted,
) -> Result<HttpResponse, Error> {
    let signed = admin.signed.clone();
    let begun = context
        .services(move |services| connect::begin(services, &signed, &Begin::AdminConsent))
        .await?;
    match begun {
        Ok(url) => Ok(go(&url)),
        Err(BeginError::Problem(problem)) => {
            let show = Show {
                problem: Some(problem),
                ..load(&context, admin).await?
            };
            page::show_as(StatusCode::UNPROCESSABLE_ENTITY, &show)
        }
        Err(BeginError::Field(error)) => Err(Error::BadRequest(error.sentence)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_told_as_people_would() {
        assert_eq!(
            [-3, -1, 0, 1, 30].map(days_left),
            ["3 days ago", "yesterday", "today", "tomorrow", "in 30 days"]
        );
    }
}
