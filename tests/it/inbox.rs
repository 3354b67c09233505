//! The inbox.

use mailhatch::desk;
use mailhatch::model::{Address, AgentId, ConversationId, MailboxId, MailboxStatus, Role};
use mailhatch::problem::{Disposition, Problem};
use mailhatch::store;

use crate::support::site::{NOW, Site};

fn mail(subject: &str) -> String {
    format!(
        "From: Marta <marta@example.net>\nTo: support@example.com\nSubject: {subject}\n\nHello there.\n"
    )
}

struct Desk {
    site: Site,
    ada: AgentId,
    support: MailboxId,
    sales: MailboxId,
}

impl Desk {
    fn new() -> Self {
        let site = Site::empty();
        let ada = site.agent("ada@example.com", "Ada Lovelace", Role::Agent);
        let support = site.mailbox("support@example.com", "Support");
        let sales = site.mailbox("sales@example.com", "Sales");
        Self {
            site,
            ada,
            support,
            sales,
        }
    }

    fn conversation(&self, mailbox: MailboxId, subject: &str) -> ConversationId {
        self.site.conversation(
            mailbox,
            &Address::new("Marta", "marta@example.net"),
            &mail(subject),
        )
    }

    fn list(&self, path: &str) -> String {
        let page = self.site.signed_in("ada@example.com").get(path);
        assert_eq!(page.status, 200, "{path}");
        page.body
    }
}

#[test]
fn each_view_shows_what_it_says() {
    let desk = Desk::new();
    let agent = desk
        .site
        .store()
        .read(|db| store::agents::find(db, desk.ada))
        .unwrap()
        .unwrap();
    let (store, open) = (
        desk.site.store(),
        desk.conversation(desk.support, "Lamp broken"),
    );
    let mine = desk.conversation(desk.support, "Chair late");
    let waiting = desk.conversation(desk.sales, "Quote wanted");
    let closed = desk.conversation(desk.sales, "Thanks again");
    desk::assign(store, NOW, &agent, mine, Some(desk.ada)).unwrap();
    desk::wait(store, NOW, &agent, waiting).unwrap();
    desk::close(store, NOW, &agent, closed).unwrap();
    for (path, shown) in [
        ("/", vec![open, mine]),
        ("/?view=mine", vec![mine]),
        ("/?view=unassigned", vec![open]),
        ("/?view=waiting", vec![waiting]),
        ("/?view=closed", vec![closed]),
        ("/?mailbox=1", vec![open, mine]),
        ("/?view=waiting&mailbox=1", vec![]),
        ("/?view=closed&mailbox=2", vec![closed]),
    ] {
        let body = desk.list(path);
        for id in [open, mine, waiting, closed] {
            let there = body.contains(&format!("id=\"row-{id}\""));
            assert_eq!(there, shown.contains(&id), "{path} and {id}");
        }
    }
    let body = desk.list("/");
    assert!(body.contains("Lamp broken") && body.contains("Hello there."));
    assert!(
        body.contains("2<span class=\"hidden\"> conversations"),
        "{body}"
    );
}

#[test]
fn an_unread_conversation_is_marked_until_it_is_opened() {
    let desk = Desk::new();
    let id = desk.conversation(desk.support, "Lamp broken");
    let mut browser = desk.site.signed_in("ada@example.com");
    assert!(browser.get("/").body.contains("entry unread"));
    assert_eq!(browser.get(&format!("/conversations/{id}")).status, 200);
    assert!(!browser.get("/").body.contains("entry unread"));
}

#[test]
fn older_conversations_follow_page_by_page_without_gap_or_repetition() {
    let desk = Desk::new();
    for number in 0..120 {
        desk.conversation(desk.support, &format!("Matter {number}."));
    }
    let mut browser = desk.site.signed_in("ada@example.com");
    let mut path = "/?mailbox=1".to_owned();
    let mut seen = Vec::new();
    for _ in 0..3 {
        let body = browser.get(&path).body;
        seen.extend(
            body.split("id=\"row-")
                .skip(1)
                .map(|rest| rest.split('"').next().unwrap().to_owned()),
        );
        let older = body
            .split("class=\"button\" href=\"")
            .find(|rest| rest.contains("\">Older"));
        path = older.map_or_else(String::new, |rest| {
            rest.split('"').next().unwrap().replace("&#38;", "&")
        });
    }
    assert!(path.is_empty(), "a fourth page is offered: {path}");
    assert_eq!(seen.len(), 120);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 120);
}

#[test]
fn an_empty_list_says_what_to_do_next() {
    let site = Site::empty();
    site.agent("ada@example.com", "Ada", Role::Admin);
    site.agent("ben@example.com", "Ben", Role::Agent);
    let admin = site.signed_in("ada@example.com").get("/").body;
    assert!(admin.contains("No mailbox yet") && admin.contains("href=\"/mailboxes/new\""));
    let agent = site.signed_in("ben@example.com").get("/").body;
    assert!(agent.contains("An administrator has to connect"), "{agent}");
    assert!(!agent.contains("href=\"/mailboxes/new\"") && !agent.contains("/admin/"));
    site.mailbox("support@example.com", "Support");
    let mut browser = site.signed_in("ben@example.com");
    for (view, words) in [
        ("open", "Everything is answered"),
        ("mine", "Nothing is assigned to you"),
        ("unassigned", "Everything open has someone"),
        ("waiting", "Nobody is being waited for"),
        ("closed", "Nothing is closed yet"),
    ] {
        let page = browser.get(&format!("/?view={view}"));
        assert!(page.body.contains(words), "{view}");
    }
}

#[test]
fn a_mailbox_in_trouble_is_told_on_every_page() {
    let desk = Desk::new();
    let problem = Problem::new(
        "x",
        Disposition::NeedsSignIn,
        "The password was changed.",
        "Sign in again.",
    );
    desk.site
        .store()
        .write(|tx| {
            store::mailboxes::update_status(
                tx,
                desk.sales,
                MailboxStatus::NeedsSignIn,
                Some(&problem),
                NOW,
            )
        })
        .unwrap();
    for path in ["/", "/outbox"] {
        let body = desk.list(path);
        assert!(
            body.contains("sales@example.com") && body.contains("The password was changed."),
            "{path}"
        );
        assert!(body.contains("An administrator can mend this"), "{path}");
    }
}

#[test]
fn what_strangers_wrote_is_text_in_the_list() {
    let desk = Desk::new();
    let who = Address::new("<b>Bold</b>", "x@example.net");
    desk.site
        .conversation(desk.support, &who, &mail("<script>alert(1)</script>"));
    let body = desk.list("/");
    assert!(!body.contains("<script>alert") && !body.contains("<b>Bold"));
}

#[test]
fn a_mailbox_or_page_that_is_not_there_is_not_found_in_words() {
    let desk = Desk::new();
    let mut browser = desk.site.signed_in("ada@example.com");
    for path in [
        "/?mailbox=99",
        "/?mailbox=x",
        "/conversations/99",
        "/conversations/x",
        "/messages/1",
        "/attachments/1",
        "/nowhere",
    ] {
        let page = browser.get(path);
        assert_eq!(page.status, 404, "{path}");
        assert!(
            page.body.contains("There is no such") && page.body.contains("Reference"),
            "{path}"
        );
    }
    assert_eq!(browser.get("/?after=nonsense").status, 200);
}
