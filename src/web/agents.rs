//! The people who sign in: added, given new passwords, disabled and enabled by an administrator.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;

use super::context::Shared;
use super::error::Error;
use super::flash::Flash;
use super::forms::{Fields, Posted};
use super::page::{self, Here, Page, go_saying};
use super::session::{Admin, Visitor};
use super::setup::Mistakes;
use crate::model::{Agent, AgentId, Role};
use crate::secret::random_bytes;
use crate::{password, store};

const PATH: &str = "/admin/agents";

/// Letters and digits that are not mistaken for each other; 32 of them, so five bits each.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

#[derive(Template)]
#[template(path = "agents/index.html")]
struct Index {
    page: Page,
    agents: Vec<Agent>,
    name: String,
    email: String,
    admin: bool,
    mistakes: Mistakes,
    email_taken: bool,
}

impl Index {
    fn is_me(&self, agent: &Agent) -> bool {
        self.page.agent.as_ref().is_some_and(|me| me.id == agent.id)
    }
}

#[derive(Template)]
#[template(path = "agents/password.html")]
struct NewPassword {
    page: Page,
    agent: Agent,
    password: String,
    added: bool,
}

async fn load(context: &Shared, visitor: Visitor) -> Result<Index, Error> {
    let shared = context.clone();
    context
        .read(move |db| {
            let page = Page::load(db, &shared, &visitor, "Agents", Here::section("agents"))?;
            Ok(Index {
                page,
                agents: store::agents::list(db)?,
                name: String::new(),
                email: String::new(),
                admin: false,
                mistakes: Mistakes::default(),
                email_taken: false,
            })
        })
        .await
}

/// `GET /admin/agents`
///
/// # Errors
/// Those of the store.
pub(super) async fn index(context: Shared, admin: Admin) -> Result<HttpResponse, Error> {
    page::show(&load(&context, admin.0).await?)
}

/// A password nobody has to think of: three groups of five, 75 bits.
fn generate() -> String {
    let mut text = String::with_capacity(17);
    for (place, byte) in random_bytes::<15>().into_iter().enumerate() {
        if place == 5 || place == 10 {
            text.push('-');
        }
        let letter = LETTERS.get(usize::from(byte % 32)).copied().unwrap_or(b'x');
        text.push(char::from(letter));
    }
    text
}

/// The password of a form, or a generated one when the field was left empty.
fn chosen_password(fields: &Fields) -> (String, bool) {
    let typed = fields.raw("password");
    if typed.is_empty() {
        (generate(), true)
    } else {
        (typed.to_owned(), false)
    }
}

async fn hash(context: &Shared, password: String) -> Result<String, Error> {
    context
        .hashing(move || password::hash(&password))
        .await?
        .map_err(|error| Error::Internal(format!("a password could not be hashed: {error}")))
}

/// `POST /admin/agents`
///
/// # Errors
/// Those of the store.
pub(super) async fn create(
    context: Shared,
    admin: Admin,
    form: Posted,
) -> Result<HttpResponse, Error> {
    let fields = &form.fields;
    let (name, email) = (
        fields.get("name").to_owned(),
        fields.get("email").to_owned(),
    );
    let role = if fields.is_on("admin") {
        Role::Admin
    } else {
        Role::Agent
    };
    let (password, generated) = chosen_password(fields);
    let mistakes = Mistakes::of(&name, &email, &password, &password);
    let again = |index: Index, mistakes: Mistakes, email_taken: bool| {
        let (name, email) = (name.clone(), email.clone());
        let admin = role == Role::Admin;
        let index = Index {
            name,
            email,
            admin,
            mistakes,
            email_taken,
            ..index
        };
        page::show_as(StatusCode::UNPROCESSABLE_ENTITY, &index)
    };
    if !mistakes.is_empty() {
        return again(load(&context, admin.0).await?, mistakes, false);
    }
    let hash = hash(&context, password.clone()).await?;
    let now = context.now();
    let (insert_name, insert_email) = (name.clone(), email.clone());
    let made = context
        .store(move |store| {
            let made = store.write(|tx| {
                let id = store::agents::insert(tx, &insert_email, &insert_name, role, &hash, now)?;
                store::agents::find(tx, id)
            });
            match made {
                Ok(agent) => Ok(agent),
                Err(error) if error.is_constraint() => Ok(None),
                Err(error) => Err(error),
            }
        })
        .await?;
    let Some(agent) = made else {
        return again(load(&context, admin.0).await?, mistakes, true);
    };
    tracing::info!(
        agent.id = agent.id.0,
        by = admin.agent.id.0,
        "an agent was added"
    );
    if generated {
        return show_password(&context, admin.0, agent, password, true).await;
    }
    let flash = Flash::good(format!(
        "{} can sign in now, with the password you typed.",
        agent.name
    ));
    Ok(go_saying(&context, PATH, &flash))
}

/// Shows a generated password, once: it is kept nowhere, so the answer to the form is the page itself.
async fn show_password(
    context: &Shared,
    visitor: Visitor,
    agent: Agent,
    password: String,
    added: bool,
) -> Result<HttpResponse, Error> {
    let shared = context.clone();
    let page = context
        .read(move |db| {
            Page::load(
                db,
                &shared,
                &visitor,
                "A new password",
                Here::section("agents"),
            )
        })
        .await?;
    page::show(&NewPassword {
        page,
        agent,
        password,
        added,
    })
}

async fn find(context: &Shared, id: AgentId) -> Result<Agent, Error> {
    context
        .read(move |db| store::agents::find(db, id)?.ok_or(Error::NotFound("agent")))
        .await
}

/// `POST /admin/agents/{id}/password`
///
/// # Errors
/// Those of the store.
pub(super) async fn reset_password(
    context: Shared,
    admin: Admin,
    id: Path<i64>,
    form: Posted,
) -> Result<HttpResponse, Error> {
    let agent = find(&context, AgentId(id.into_inner())).await?;
    let (password, generated) = chosen_password(&form.fields);
    if let Some(mistake) = password::mistake(&password) {
        let flash = Flash::bad(format!(
            "The password of {} was not changed. {mistake}",
            agent.name
        ));
        return Ok(go_saying(&context, PATH, &flash));
    }
    let hash = hash(&context, password.clone()).await?;
    let id = agent.id;
    context
        .store(move |store| store.write(|tx| store::agents::update_password(tx, id, &hash)))
        .await?;
    tracing::info!(
        agent.id = id.0,
        by = admin.agent.id.0,
        "a password was reset"
    );
    if generated {
        return show_password(&context, admin.0, agent, password, false).await;
    }
    let said = format!("{} signs in with the new password from now on.", agent.name);
    Ok(go_saying(&context, PATH, &Flash::good(said)))
}

/// `POST /admin/agents/{id}/disablement`
///
/// # Errors
/// Those of the store.
pub(super) async fn disable(
    context: Shared,
    admin: Admin,
    id: Path<i64>,
    _form: Posted,
) -> Result<HttpResponse, Error> {
    let agent = find(&context, AgentId(id.into_inner())).await?;
    if agent.id == admin.agent.id {
        let flash = Flash::bad("You cannot disable yourself; another administrator can.");
        return Ok(go_saying(&context, PATH, &flash));
    }
    let (id, now) = (agent.id, context.now());
    let is_admin = agent.is_admin() && agent.disabled_at.is_none();
    let disabled = context
        .store(move |store| {
            store.write(|tx| {
                // Of two administrators who disable each other at the same time, one stays.
                if is_admin && store::agents::count_active_admins(tx)? <= 1 {
                    return Ok::<_, store::Error>(false);
                }
                store::agents::update_disabled(tx, id, Some(now))?;
                Ok(true)
            })
        })
        .await?;
    if !disabled {
        let flash =
            Flash::bad("This is the last administrator who can sign in. Make another one first.");
        return Ok(go_saying(&context, PATH, &flash));
    }
    tracing::info!(
        agent.id = id.0,
        by = admin.agent.id.0,
        "an agent was disabled"
    );
    let said = format!(
        "{} can no longer sign in, and was signed out everywhere.",
        agent.name
    );
    Ok(go_saying(&context, PATH, &Flash::good(said)))
}

/// `POST /admin/agents/{id}/enablement`
///
/// # Errors
/// Those of the store.
pub(super) async fn enable(
    context: Shared,
    admin: Admin,
    id: Path<i64>,
    _form: Posted,
) -> Result<HttpResponse, Error> {
    let agent = find(&context, AgentId(id.into_inner())).await?;
    let id = agent.id;
    context
        .store(move |store| store.write(|tx| store::agents::update_disabled(tx, id, None)))
        .await?;
    tracing::info!(
        agent.id = id.0,
        by = admin.agent.id.0,
        "an agent was enabled"
    );
    let said = format!(
        "{} can sign in again, with the password from before.",
        agent.name
    );
    Ok(go_saying(&context, PATH, &Flash::good(said)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_password_is_taken_and_differs_each_time() {
        let (first, second) = (generate(), generate());
        assert_ne!(first, second);
        assert_eq!(first.len(), 17);
        assert_eq!(password::mistake(&first), None);
    }
}
