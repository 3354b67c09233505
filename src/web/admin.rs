//! The front page of the administration: what there is to look at, and what needs a look.

use actix_web::HttpResponse;
use askama::Template;

use super::context::Shared;
use super::error::Error;
use super::folders::FolderRow;
use super::microsoft::days_left;
use super::page::{self, Here, Page};
use super::session::Admin;
use crate::model::Agent;
use crate::store;
use crate::work::entra_app::{self, AppState};
use crate::work::status::{Health, Part};

#[derive(Template)]
#[template(path = "admin/index.html")]
struct Index {
    page: Page,
    app: AppState,
    agents: Vec<Agent>,
    parts: Vec<Part>,
    needing_person: i64,
    differing: usize,
}

impl Index {
    fn active_agents(&self) -> usize {
        self.agents
            .iter()
            .filter(|agent| agent.disabled_at.is_none())
            .count()
    }

    fn troubled_parts(&self) -> usize {
        self.parts
            .iter()
            .filter(|part| part.health == Health::Trouble)
            .count()
    }

    fn troubled_mailboxes(&self) -> usize {
        self.page.troubled_mailboxes().len()
    }

    fn expiry(&self) -> Option<String> {
        self.app
            .days_left
            .filter(|_| self.app.warning.is_some())
            .map(days_left)
    }
}

/// `GET /admin`
///
/// # Errors
/// Those of the store.
pub(super) async fn index(context: Shared, admin: Admin) -> Result<HttpResponse, Error> {
    let app = context.services(entra_app::state).await??;
    let shared = context.clone();
    let index = context
        .read(move |db| {
            let page = Page::load(
                db,
                &shared,
                &admin,
                "Administration",
                Here::section("admin"),
            )?;
            let mut needing_person = 0;
            for mailbox in &page.mailboxes {
                let folders = FolderRow::list(db, mailbox.id)?;
                needing_person += folders.iter().map(|row| row.needing).sum::<i64>();
            }
            let agents = store::agents::list(db)?;
            let parts = shared.services.work.parts();
            Ok(Index {
                page,
                app,
                agents,
                parts,
                needing_person,
                differing: store::ledger_checks::list_differing(db)?.len(),
            })
        })
        .await?;
    page::show(&index)
}
