//! How the program fares: its parts in words, the database, the last backup, versions.

use actix_web::HttpResponse;
use askama::Template;

use super::context::Shared;
use super::error::Error;
use super::format;
use super::mailbox_words as words;
use super::page::{self, Here, Page};
use super::session::Admin;
use crate::model::Mailbox;
use crate::store;
use crate::work::backups::{self, Backup};
use crate::work::status::{Health, Part};

/// A nightly backup older than this has been missed at least once.
const BACKUP_OLD_SECONDS: i64 = 50 * 3600;

#[derive(Template)]
#[template(path = "admin/health.html")]
struct Show {
    page: Page,
    parts: Vec<Part>,
    store_bytes: i64,
    store_path: String,
    backup: Option<Backup>,
    next_backup_at: Option<i64>,
    sqlite: &'static str,
}

impl Show {
    fn version() -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    fn store_size(&self) -> String {
        format::size(self.store_bytes)
    }

    fn backup_size(&self) -> String {
        self.backup
            .as_ref()
            .map_or_else(String::new, |backup| format::size(backup.size_bytes))
    }

    fn troubled(&self) -> usize {
        self.parts
            .iter()
            .filter(|part| part.health == Health::Trouble)
            .count()
    }

    fn backup_is_old(&self) -> bool {
        self.backup
            .as_ref()
            .is_some_and(|backup| self.page.now - backup.made_at > BACKUP_OLD_SECONDS)
    }
}

/// What a part is called by people: `poll:3` is receiving for the mailbox with that id.
fn part_name(part: &Part, mailboxes: &[Mailbox]) -> String {
    let address = |id: &str| {
        mailboxes
            .iter()
            .find(|mailbox| mailbox.id.to_string() == id)
            .map_or_else(
                || "a mailbox that is gone".to_owned(),
                |mailbox| mailbox.address.clone(),
            )
    };
    match part.name.split_once(':') {
        Some(("poll", id)) => format!("Receiving for {}", address(id)),
        Some(("write-back", id)) => format!("Marking and moving for {}", address(id)),
        Some(("send", id)) => format!("Sending for {}", address(id)),
        _ => match part.name.as_str() {
            "janitor" => "Housekeeping".to_owned(),
            "alerts" => "Alerts".to_owned(),
            "store" => "Database".to_owned(),
            other => other.to_owned(),
        },
    }
}

/// `GET /admin/health`
///
/// # Errors
/// Those of the store.
pub(super) async fn show(context: Shared, admin: Admin) -> Result<HttpResponse, Error> {
    let shared = context.clone();
    let show = context
        .store(move |store| -> Result<Show, Error> {
            let services = &shared.services;
            let size = store.size_bytes();
            let backup = backups::newest(&services.config.data_dir);
            let next_backup_at = backups::next(services);
            store.read(|db| {
                let page = Page::load(db, &shared, &admin, "Health", Here::section("health"))?;
                Ok(Show {
                    page,
                    parts: services.work.parts(),
                    store_bytes: i64::try_from(size).unwrap_or(i64::MAX),
                    store_path: store.path().display().to_string(),
                    backup,
                    next_backup_at,
                    sqlite: store::sqlite_version(),
                })
            })
        })
        .await?;
    page::show(&show)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_named_by_what_they_do() {
        let part = |name: &str| Part {
            name: name.to_owned(),
            health: Health::Good,
            sentence: String::new(),
        };
        assert_eq!(part_name(&part("janitor"), &[]), "Housekeeping");
        assert_eq!(
            part_name(&part("poll:3"), &[]),
            "Receiving for a mailbox that is gone"
        );
    }
}
