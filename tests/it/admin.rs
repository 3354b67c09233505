//! The administration: agents, ledger, health, and that it is closed to everybody else.

use mailhatch::model::{Fate, FolderRole, MailboxId, Role};
use mailhatch::store::{self, fates};

use crate::support::office::text_of;
use crate::support::site::{Browser, NOW, PASSWORD, Site};

fn site() -> (Site, Browser) {
    let site = Site::empty();
    site.agent("alex@example.com", "Alex Admin", Role::Admin);
    let admin = site.signed_in("alex@example.com");
    (site, admin)
}

const PAGES: &[&str] = &[
    "/mailboxes",
    "/mailboxes/new",
    "/mailboxes/1",
    "/mailboxes/1/checks",
    "/mailboxes/1/backfills/new",
    "/admin",
    "/admin/agents",
    "/admin/microsoft",
    "/admin/ledger",
    "/admin/alerts",
    "/admin/health",
];

const FORMS: &[&str] = &[
    "/mailboxes",
    "/mailboxes/1",
    "/mailboxes/1/checks",
    "/mailboxes/1/choice",
    "/mailboxes/1/sign-in",
    "/mailboxes/1/sync",
    "/mailboxes/1/pause",
    "/mailboxes/1/resumption",
    "/mailboxes/1/sending",
    "/mailboxes/1/backfills",
    "/backfills/1/pause",
    "/backfills/1/resumption",
    "/backfills/1/cancellation",
    "/admin/agents",
    "/admin/agents/1/password",
    "/admin/agents/1/disablement",
    "/admin/microsoft",
    "/admin/microsoft/check",
    "/admin/microsoft/consent",
    "/admin/ledger/retries",
    "/admin/ledger/dismissals",
    "/admin/ledger/checks",
    "/admin/undo-window",
    "/admin/alerts/mail",
    "/admin/alerts/mail/test",
    "/admin/alerts/webhook",
    "/admin/alerts/webhook/test",
    "/admin/alerts/disk",
];

#[test]
fn agents_who_do_not_administer_are_refused_with_a_sentence() {
    let (site, _) = site();
    site.mailbox("support@example.com", "Support");
    site.agent("ada@example.com", "Ada", Role::Agent);
    let mut ada = site.signed_in("ada@example.com");
    let page = ada.get("/");
    for path in PAGES {
        let answer = ada.get(path);
        assert_eq!(answer.status, 403, "{path}");
        assert!(
            answer.body.contains("This page is for administrators."),
            "{path}: {}",
            answer.body
        );
    }
    for path in FORMS {
        assert_eq!(ada.post(path, &page, &[]).status, 403, "{path}");
    }
}

#[test]
fn every_form_of_the_administration_needs_its_token() {
    let (site, mut admin) = site();
    site.mailbox("support@example.com", "Support");
    for path in FORMS {
        assert_eq!(admin.post_bare(path, &[]).status, 403, "{path}");
    }
    assert_eq!(site.store().read(store::agents::count).unwrap(), 1);
}

#[test]
fn who_is_not_signed_in_is_sent_to_sign_in() {
    let (site, _) = site();
    for path in PAGES {
        let answer = site.browser().get(path);
        assert_eq!(answer.status, 303, "{path}");
        assert!(answer.header("location").starts_with("/sign-in"), "{path}");
    }
}

#[test]
fn every_page_of_the_administration_can_be_shown_to_an_administrator() {
    let (site, mut admin) = site();
    site.mailbox("support@example.com", "Support");
    for path in PAGES {
        let answer = admin.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        assert!(answer.body.contains("<h1>"), "{path}");
        for bad in ["<script>", "style=\"", "onclick="] {
            assert!(!answer.body.contains(bad), "{path} holds {bad}");
        }
    }
}

#[test]
fn an_agent_is_added_with_a_typed_password_and_can_sign_in() {
    let (site, mut admin) = site();
    let page = admin.get("/admin/agents");
    let fields = [
        ("name", "Ada Lovelace"),
        ("email", "ada@example.com"),
        ("password", PASSWORD),
    ];
    assert_eq!(admin.post("/admin/agents", &page, &fields).status, 303);
    let list = admin.get("/admin/agents");
    assert!(
        list.body.contains("Ada Lovelace") && list.body.contains("ada@example.com"),
        "{}",
        list.body
    );
    let mut ada = site.signed_in("ada@example.com");
    assert_eq!(ada.get("/admin").status, 403);
}

#[test]
fn a_generated_password_is_shown_once_and_works() {
    let (site, mut admin) = site();
    let page = admin.get("/admin/agents");
    let fields = [
        ("name", "Ada"),
        ("email", "ada@example.com"),
        ("password", ""),
        ("admin", "yes"),
    ];
    let answer = admin.post("/admin/agents", &page, &fields);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let password = text_of(&answer, "new-password");
    assert_eq!(password.len(), 17, "{password}");
    assert!(!admin.get("/admin/agents").body.contains(&password));
    let mut ada = site.browser();
    let form = ada.get("/sign-in");
    let signed = ada.post(
        "/sign-in",
        &form,
        &[("email", "ada@example.com"), ("password", &password)],
    );
    assert_eq!(signed.status, 303, "{}", signed.body);
    assert_eq!(ada.get("/admin").status, 200);
}

#[test]
fn mistakes_in_an_agents_form_stand_at_their_fields() {
    let (site, mut admin) = site();
    let page = admin.get("/admin/agents");
    for (mark, fields) in [
        (
            "name-mistake",
            [
                ("name", ""),
                ("email", "ada@example.com"),
                ("password", PASSWORD),
            ],
        ),
        (
            "email-mistake",
            [("name", "Ada"), ("email", "ada"), ("password", PASSWORD)],
        ),
        (
            "password-mistake",
            [
                ("name", "Ada"),
                ("email", "ada@example.com"),
                ("password", "short"),
            ],
        ),
        (
            "Somebody signs in with this address already",
            [
                ("name", "Al"),
                ("email", "ALEX@example.com"),
                ("password", PASSWORD),
            ],
        ),
    ] {
        let answer = admin.post("/admin/agents", &page, &fields);
        assert_eq!(answer.status, 422, "{mark}");
        assert!(answer.body.contains(mark), "{mark} in {}", answer.body);
    }
    assert_eq!(site.store().read(store::agents::count).unwrap(), 1);
}

#[test]
fn a_new_password_signs_the_agent_out_everywhere() {
    let (site, mut admin) = site();
    let ada_id = site.agent("ada@example.com", "Ada", Role::Agent);
    let mut ada = site.signed_in("ada@example.com");
    let page = admin.get("/admin/agents");
    let path = format!("/admin/agents/{ada_id}/password");
    assert_eq!(
        admin.post(&path, &page, &[("password", "short")]).status,
        303
    );
    assert!(admin.get("/admin/agents").body.contains("was not changed"));
    assert_eq!(ada.get("/").status, 200);
    assert_eq!(
        admin
            .post(&path, &page, &[("password", "another horse battery")])
            .status,
        303
    );
    assert_eq!(ada.get("/").status, 303);
}

#[test]
fn a_disabled_agent_is_out_at_once_and_can_be_let_in_again() {
    let (site, mut admin) = site();
    let ada_id = site.agent("ada@example.com", "Ada", Role::Agent);
    let mut ada = site.signed_in("ada@example.com");
    let page = admin.get("/admin/agents");
    admin.post(&format!("/admin/agents/{ada_id}/disablement"), &page, &[]);
    assert_eq!(ada.get("/").status, 303);
    assert!(admin.get("/admin/agents").body.contains("Disabled"));
    admin.post(&format!("/admin/agents/{ada_id}/enablement"), &page, &[]);
    let mut ada = site.signed_in("ada@example.com");
    assert_eq!(ada.get("/").status, 200);
}

#[test]
fn an_administrator_cannot_disable_the_last_one_who_is_left() {
    let (site, mut admin) = site();
    let page = admin.get("/admin/agents");
    admin.post("/admin/agents/1/disablement", &page, &[]);
    assert!(
        admin
            .get("/admin/agents")
            .body
            .contains("You cannot disable yourself")
    );
    let other = site.agent("ida@example.com", "Ida", Role::Admin);
    admin.post(&format!("/admin/agents/{other}/disablement"), &page, &[]);
    assert_eq!(
        site.store()
            .read(store::agents::count_active_admins)
            .unwrap(),
        1
    );
    assert_eq!(admin.get("/admin").status, 200);
}

/// An inbox with two messages on the server: one received, one that could not be read.
fn ledger(site: &Site) -> (MailboxId, i64) {
    let id = site.mailbox("support@example.com", "Support");
    let folder_id = site
        .store()
        .write(|tx| {
            store::folders::insert(tx, id, "INBOX", "Inbox", FolderRole::Inbox)?;
            let folder = store::folders::find_by_role(tx, id, FolderRole::Inbox)?.unwrap();
            store::folders::update_start(tx, folder.id, 7, 1)?;
            for (uid, fate, detail) in [
                (1, Fate::Received, ""),
                (2, Fate::Unreadable, "It was cut off."),
            ] {
                let verdict = fates::Verdict {
                    fate,
                    message_id: None,
                    detail: detail.to_owned(),
                    retry_at: None,
                };
                fates::upsert(tx, folder.id, 7, uid, &verdict, NOW)?;
            }
            store::folders::update_synced(tx, folder.id, 3, NOW)?;
            Ok::<_, store::Error>(folder.id.0)
        })
        .unwrap();
    (id, folder_id)
}

#[test]
fn the_ledger_holds_fates_against_the_servers_count() {
    let (site, mut admin) = site();
    ledger(&site);
    let page = admin.get("/admin/ledger");
    for words in [
        "<strong>3</strong> on the server",
        "<strong>2</strong> seen",
        "1 still to be looked at.",
        "UID 2",
        "It was cut off.",
    ] {
        assert!(page.body.contains(words), "{words} in {}", page.body);
    }
    assert!(admin.get("/admin").body.contains("1 message needs a look."));
}

#[test]
fn a_message_that_could_not_be_read_is_tried_again_on_request() {
    let (site, mut admin) = site();
    let (mailbox_id, folder_id) = ledger(&site);
    let page = admin.get("/admin/ledger");
    let (mailbox, folder) = (mailbox_id.to_string(), folder_id.to_string());
    let fields = [
        ("mailbox", mailbox.as_str()),
        ("folder", &folder),
        ("uid_validity", "7"),
        ("uid", "2"),
    ];
    assert_eq!(
        admin.post("/admin/ledger/retries", &page, &fields).status,
        303
    );
    let due = site
        .store()
        .read(|db| fates::list_due(db, mailhatch::model::FolderId(folder_id), 7, NOW))
        .unwrap();
    assert_eq!(due.iter().map(|row| row.uid).collect::<Vec<_>>(), [2]);
    assert!(admin.get("/admin/ledger").body.contains("Being tried"));
    // A message that needs no try, and a folder of no such mailbox.
    let received = [
        ("mailbox", mailbox.as_str()),
        ("folder", &folder),
        ("uid_validity", "7"),
        ("uid", "1"),
    ];
    admin.post("/admin/ledger/retries", &page, &received);
    assert!(
        admin
            .get("/admin/ledger")
            .body
            .contains("no longer needs a try")
    );
    let foreign = [("mailbox", "99"), ("folder", folder.as_str())];
    assert_eq!(
        admin.post("/admin/ledger/retries", &page, &foreign).status,
        404
    );
    assert_eq!(admin.post("/admin/ledger/retries", &page, &[]).status, 400);
}

#[test]
fn health_tells_of_database_backup_and_versions() {
    let data = tempfile::tempdir().unwrap();
    let site = Site::with(&[("MAILHATCH_DATA_DIR", data.path().to_str().unwrap())]);
    site.agent("alex@example.com", "Alex", Role::Admin);
    let mut admin = site.signed_in("alex@example.com");
    assert!(admin.get("/admin/health").body.contains("none yet"));
    std::fs::create_dir(data.path().join("backups")).unwrap();
    std::fs::write(
        data.path().join("backups/mailhatch-20270110-030000.db"),
        "12345",
    )
    .unwrap();
    let page = admin.get("/admin/health");
    for words in [
        "mailhatch-20270110-030000.db",
        "5 bytes",
        "more than two days ago",
        env!("CARGO_PKG_VERSION"),
        store::sqlite_version(),
    ] {
        assert!(page.body.contains(words), "{words} in {}", page.body);
    }
}
