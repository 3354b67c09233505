//! What the pages show of alerts, and to whom.

use mailhatch::model::{MailboxId, MailboxStatus, Role};
use mailhatch::problem::{Disposition, Problem};
use mailhatch::store::{self, alerts};
use mailhatch::work::wake::Wake;
use mailhatch::work::{Watch, alerts_step};

use super::receiver::Receiver;
use crate::support::site::{Browser, NOW, Site};

const PATH: &str = "/admin/alerts";

struct Desk {
    site: Site,
    admin: Browser,
    agent: Browser,
    support: MailboxId,
}

impl Desk {
    fn new() -> Self {
        let site = Site::empty();
        site.agent("alex@example.com", "Alex", Role::Admin);
        site.agent("ada@example.com", "Ada", Role::Agent);
        let support = site.mailbox("support@example.com", "Support");
        Self {
            admin: site.signed_in("alex@example.com"),
            agent: site.signed_in("ada@example.com"),
            site,
            support,
        }
    }

    fn stop(&self, id: MailboxId) {
        let problem = Problem::new(
            "AADSTS50173",
            Disposition::NeedsSignIn,
            "The password was changed.",
            "Sign in again.",
        );
        let stop = |tx: &store::Tx<'_>| {
            store::mailboxes::update_status(tx, id, MailboxStatus::NeedsSignIn, Some(&problem), NOW)
        };
        self.site.store().write(stop).unwrap();
    }

    fn start(&self, id: MailboxId) {
        let start = |tx: &store::Tx<'_>| store::mailboxes::update_synced(tx, id, 0, NOW);
        self.site.store().write(start).unwrap();
    }

    fn look(&self) {
        let services = &self.site.context.services;
        alerts_step(services, Watch::new(services), &Wake::default()).unwrap();
    }

    fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> crate::support::site::Answer {
        let page = self.admin.get(PATH);
        self.admin.post(path, &page, fields)
    }
}

#[test]
fn administrators_alone_see_alerts_and_how_they_are_told() {
    let mut desk = Desk::new();
    let page = desk.admin.get(PATH);
    assert_eq!(page.status, 200);
    assert!(page.body.contains("All is well") && page.body.contains("Nothing has happened yet"));
    assert_eq!(desk.agent.get(PATH).status, 403);
    assert_eq!(desk.site.browser().get(PATH).status, 303);
    let form = desk.agent.get("/");
    for path in ["mail", "mail/test", "webhook", "webhook/test", "disk"] {
        let answer = desk.agent.post(&format!("{PATH}/{path}"), &form, &[]);
        assert_eq!(answer.status, 403, "{path}");
    }
}

#[test]
fn an_open_alert_stands_above_every_page_for_administrators_and_on_its_own_page_with_its_remedy() {
    let mut desk = Desk::new();
    let saved = desk.post("/admin/alerts/disk", &[("disk_min_mb", "1000000000")]);
    assert_eq!(saved.status, 303, "{}", saved.body);
    desk.look();
    for path in ["/", "/outbox", "/admin/agents"] {
        let body = desk.admin.get(path).body;
        assert!(
            body.contains("The disk is nearly full.") && body.contains("/admin/health"),
            "{path}"
        );
    }
    assert!(!desk.agent.get("/").body.contains("The disk is nearly full"));
    let page = desk.admin.get(PATH).body;
    assert!(page.contains("Free some space"), "{page}");
    let saved = desk.post("/admin/alerts/disk", &[("disk_min_mb", "1")]);
    assert_eq!(saved.status, 303);
    desk.look();
    assert!(!desk.admin.get("/").body.contains("The disk is nearly full"));
    assert!(
        desk.admin
            .get(PATH)
            .body
            .contains("The disk is nearly full"),
        "it stays in the past"
    );
}

#[test]
fn many_banners_are_three_lines_and_a_number_and_many_mailboxes_are_one_line() {
    let mut desk = Desk::new();
    desk.post("/admin/alerts/disk", &[("disk_min_mb", "1000000000")]);
    desk.look();
    let two = ["a@example.com", "b@example.com"].map(|one| desk.site.mailbox(one, one));
    for id in [desk.support].into_iter().chain(two) {
        desk.stop(id);
    }
    let body = desk.admin.get("/").body;
    assert_eq!(
        body.matches("class=\"banner ").count() + body.matches("class=\"banner\"").count(),
        3
    );
    assert!(body.contains(">1 more</a>"), "{body}");
    let first = body.find("The disk is nearly full").unwrap();
    assert!(
        first < body.find("The password was changed").unwrap(),
        "the most severe first"
    );
    let more = ["c@example.com", "d@example.com"].map(|one| desk.site.mailbox(one, one));
    for id in more {
        desk.stop(id);
    }
    let body = desk.admin.get("/").body;
    assert!(body.contains("5 mailboxes do not work."), "{body}");
    assert!(
        desk.agent
            .get("/")
            .body
            .contains("5 mailboxes do not work.")
    );
}

#[test]
fn the_page_says_when_there_is_no_way_to_tell_anybody() {
    let mut desk = Desk::new();
    desk.stop(desk.support);
    desk.look();
    let page = desk.admin.get(PATH).body;
    assert!(
        page.contains("No mail can be sent to administrators"),
        "{page}"
    );
    assert!(page.contains("Enter a mail server"), "{page}");
    let tested = desk.post("/admin/alerts/mail/test", &[]);
    assert_eq!(tested.status, 422);
    assert!(
        tested.body.contains("The test mail did not arrive"),
        "{}",
        tested.body
    );
    desk.start(desk.support);
    desk.look();
    assert!(!desk.admin.get(PATH).body.contains("Enter a mail server"));
}

#[test]
fn a_webhook_is_set_up_tested_and_its_failure_shown_without_its_secret() {
    let mut desk = Desk::new();
    let receiver = Receiver::new();
    let secret = "a secret of thirty-two characters";
    let url = receiver.url();
    let refused = desk.post(
        "/admin/alerts/webhook",
        &[("url", &url), ("secret", secret)],
    );
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("Use https://") && refused.body.contains(&url));
    assert!(!refused.body.contains(secret));
    let fields = [("url", url.as_str()), ("secret", secret), ("inside", "yes")];
    assert_eq!(desk.post("/admin/alerts/webhook", &fields).status, 303);
    assert_eq!(desk.post("/admin/alerts/webhook/test", &[]).status, 303);
    let page = desk.admin.get(PATH).body;
    assert!(page.contains("The receiver answered 204"), "{page}");
    assert!(page.contains(&url) && !page.contains(secret));
    receiver.answers("500 Broken\r\n");
    let failed = desk.post("/admin/alerts/webhook/test", &[]);
    assert_eq!(failed.status, 422);
    assert!(
        failed.body.contains("The test request did not arrive") && failed.body.contains("HTTP 500")
    );
    desk.post("/admin/alerts/disk", &[("disk_min_mb", "1000000000")]);
    desk.look();
    let page = desk.admin.get(PATH).body;
    assert!(
        page.contains("Does not arrive") && page.contains("HTTP 500"),
        "{page}"
    );
    assert_eq!(
        desk.post("/admin/alerts/webhook", &[("url", "")]).status,
        303
    );
    let sealed = |db: &store::Db| {
        let sealer = &desk.site.context.services.sealer;
        store::settings::find_secret(db, sealer, "alerts_webhook_secret")
    };
    assert_eq!(
        desk.site.store().read(sealed).unwrap(),
        None,
        "what is not used is forgotten"
    );
}

#[test]
fn a_mistake_in_the_form_is_said_beside_its_field_and_nothing_typed_is_lost() {
    let mut desk = Desk::new();
    let fields = [
        ("on", "yes"),
        ("recipients", "ops@example.com nobody"),
        ("host", "smtp.example.com"),
        ("security", "starttls"),
        ("password", "hunter2"),
        ("from", "a@example.com"),
    ];
    let answer = desk.post("/admin/alerts/mail", &fields);
    assert_eq!(answer.status, 422);
    assert!(
        answer.body.contains("“nobody” is no mail address."),
        "{}",
        answer.body
    );
    assert!(answer.body.contains("smtp.example.com") && !answer.body.contains("hunter2"));
}

#[test]
fn the_past_is_read_page_by_page() {
    let mut desk = Desk::new();
    for number in 0..25_i64 {
        let problem = Problem::new("x", Disposition::NeedsAdmin, "It was so.", "Do.");
        let cause = mailhatch::model::AlertCause {
            kind: mailhatch::model::AlertKind::Backup,
            key: format!("k{number}"),
            mailbox_id: None,
            title: format!("Number {number} happened"),
            problem,
            place: "/".to_owned(),
        };
        let write = |tx: &store::Tx<'_>| {
            let id = alerts::insert(tx, &cause, &format!("p{number}"), &[], NOW)?;
            // Several end in the same second.
            alerts::update_closed(tx, id, false, NOW + number / 10)
        };
        desk.site.store().write(write).unwrap();
    }
    let first = desk.admin.get(PATH).body;
    let seen = |body: &str, number: i64| body.contains(&format!("Number {number} happened"));
    assert!((5..25).all(|number| seen(&first, number)) && !seen(&first, 4));
    let (_, link) = first.split_once("href=\"/admin/alerts?after=").unwrap();
    let after = link.split(['#', '"']).next().unwrap();
    let second = desk.admin.get(&format!("{PATH}?after={after}")).body;
    assert!((0..5).all(|number| seen(&second, number)) && !seen(&second, 5));
    assert_eq!(
        desk.admin.get(&format!("{PATH}?after=nonsense")).status,
        200
    );
}
