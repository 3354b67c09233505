//! A conversation's page and what is done with it.

use mailhatch::desk;
use mailhatch::model::{Address, Agent, ConversationId, Direction, MailboxId, Role, Status};
use mailhatch::store;

use crate::support::site::{Browser, NOW, Site};

const LETTER: &str = "From: Marta Kowalska <marta@example.net>\nTo: support@example.com\nCc: Carl <carl@example.net>\nSubject: Broken lamp\nMessage-ID: <a@example.net>\n\nHello,\nthe lamp is broken. See https://example.net/photo\n\nOn Mon, 4 Jan 2027 at 10:00, Support <support@example.com> wrote:\n> It was sent.\n";

struct Desk {
    site: Site,
    ada: Agent,
    mailbox: MailboxId,
    id: ConversationId,
    browser: Browser,
    url: String,
}

impl Desk {
    fn new() -> Self {
        let site = Site::empty();
        let ada = site.agent("ada@example.com", "Ada Lovelace", Role::Agent);
        let mailbox = site.mailbox("support@example.com", "Support");
        let id = site.conversation(
            mailbox,
            &Address::new("Marta Kowalska", "marta@example.net"),
            LETTER,
        );
        let browser = site.signed_in("ada@example.com");
        let ada = site
            .store()
            .read(|db| store::agents::find(db, ada))
            .unwrap()
            .unwrap();
        let url = format!("/conversations/{id}");
        Self {
            site,
            ada,
            mailbox,
            id,
            browser,
            url,
        }
    }

    fn act(&mut self, noun: &str, fields: &[(&str, &str)]) -> u16 {
        let page = self.browser.get(&self.url);
        let answer = self
            .browser
            .post(&format!("{}/{noun}", self.url), &page, fields);
        if answer.status == 303 {
            assert!(answer.header("location").starts_with(&self.url));
        }
        answer.status
    }

    fn now(&self) -> mailhatch::model::Conversation {
        self.site
            .store()
            .read(|db| store::conversations::find(db, self.id))
            .unwrap()
            .unwrap()
    }
}

#[test]
fn messages_notes_and_events_stand_in_the_order_of_time() {
    let mut desk = Desk::new();
    let store = desk.site.store();
    desk::note(store, NOW + 10, &desk.ada, desk.id, "Ask the <b>dock</b>").unwrap();
    desk::assign(store, NOW + 20, &desk.ada, desk.id, Some(desk.ada.id)).unwrap();
    desk.site.message(
        desk.mailbox,
        desk.id,
        Direction::Outgoing,
        "From: support@example.com\nTo: marta@example.net\nSubject: Re: Broken lamp\n\nA new one is coming.\n",
        NOW + 30,
    );
    let body = desk.browser.get(&desk.url).body;
    let place = |text: &str| {
        body.find(text)
            .unwrap_or_else(|| panic!("{text} is missing in {body}"))
    };
    assert!(place("the lamp is broken") < place("Ask the &lt;b&gt;dock"));
    assert!(place("Ask the &lt;b&gt;dock") < place("Ada Lovelace took this"));
    assert!(place("Ada Lovelace took this") < place("A new one is coming."));
    assert!(place("Whole message with quoted history") < place("It was sent."));
    assert!(body.contains("href=\"https://example.net/photo\""));
    assert!(body.contains("rel=\"noopener noreferrer"), "{body}");
}

#[test]
fn closing_reopening_waiting_and_assigning_are_resources() {
    let mut desk = Desk::new();
    assert_eq!(desk.act("closure", &[]), 303);
    assert_eq!(desk.now().status, Status::Closed);
    assert!(
        desk.browser
            .get(&desk.url)
            .body
            .contains("New mail in it opens it again")
    );
    assert!(
        !desk
            .browser
            .get(&desk.url)
            .body
            .contains("New mail in it opens it again"),
        "told twice"
    );
    assert_eq!(desk.act("reopening", &[]), 303);
    assert_eq!(desk.now().status, Status::Open);
    assert_eq!(desk.act("waiting", &[]), 303);
    assert_eq!(desk.now().status, Status::Waiting);
    let me = desk.ada.id.to_string();
    assert_eq!(desk.act("assignment", &[("agent", &me)]), 303);
    assert_eq!(desk.now().assignee_id, Some(desk.ada.id));
    assert_eq!(desk.act("assignment", &[("agent", "")]), 303);
    assert_eq!(desk.now().assignee_id, None);
    assert_eq!(desk.act("assignment", &[("agent", "99")]), 303);
    assert!(
        desk.browser
            .get(&desk.url)
            .body
            .contains("cannot be given conversations")
    );
    assert_eq!(desk.act("assignment", &[("agent", "x")]), 404);
}

#[test]
fn an_empty_note_is_refused_at_its_field_and_a_note_is_shown() {
    let mut desk = Desk::new();
    let page = desk.browser.get(&desk.url);
    let path = format!("{}/notes", desk.url);
    let answer = desk.browser.post(&path, &page, &[("text", "  ")]);
    assert_eq!(answer.status, 422);
    assert!(answer.body.contains("A note needs some text."));
    assert_eq!(
        desk.browser
            .post(&path, &page, &[("text", "Call back\r\non Monday")])
            .status,
        303
    );
    let notes = desk
        .site
        .store()
        .read(|db| store::notes::list(db, desk.id))
        .unwrap();
    assert_eq!(notes[0].text, "Call back\non Monday");
    assert!(desk.browser.get(&desk.url).body.contains("Call back<br>"));
}

#[test]
fn no_act_is_taken_without_the_form_s_mark_nor_without_signing_in() {
    let mut desk = Desk::new();
    for noun in ["closure", "reopening", "waiting", "assignment", "notes"] {
        let path = format!("{}/{noun}", desk.url);
        assert_eq!(
            desk.browser.post_bare(&path, &[("text", "x")]).status,
            403,
            "{noun}"
        );
        let stranger = desk.site.browser().post_bare(&path, &[]);
        assert_eq!(
            (stranger.status, stranger.header("location")),
            (303, "/sign-in"),
            "{noun}"
        );
        assert_eq!(desk.browser.get(&path).status, 405, "{noun}");
    }
    assert_eq!(
        desk.browser
            .upload(&format!("{}/replies", desk.url), &[("text", "x")], &[])
            .status,
        403
    );
    assert_eq!(desk.now().status, Status::Open);
    for noun in ["closure", "reopening", "waiting", "assignment", "notes"] {
        let page = desk.browser.get(&desk.url);
        let answer = desk.browser.post(
            &format!("/conversations/99/{noun}"),
            &page,
            &[("text", "x")],
        );
        assert_eq!(answer.status, 404, "{noun}");
    }
}

#[test]
fn the_contact_s_other_conversations_stand_beside() {
    let mut desk = Desk::new();
    let other = desk.site.conversation(
        desk.mailbox,
        &Address::new("Marta Kowalska", "MARTA@example.net"),
        "From: marta@example.net\nSubject: Invoice missing\n\nHi\n",
    );
    let body = desk.browser.get(&desk.url).body;
    assert!(
        body.contains("Invoice missing")
            && body.contains(&format!("href=\"/conversations/{other}\""))
    );
}

#[test]
fn replying_to_all_is_the_default_when_there_are_others_and_leaves_us_out() {
    let mut desk = Desk::new();
    let all = desk.browser.get(&desk.url);
    assert_eq!(all.hidden("mode"), "all");
    assert!(
        all.body.contains("value=\"Carl &lt;carl@example.net&gt;\"")
            || all.body.contains("Carl &#60;carl@example.net&#62;")
    );
    let one = desk.browser.get(&format!("{}?write=reply", desk.url));
    assert_eq!(one.hidden("mode"), "reply");
    assert!(!one.body.contains("id=\"cc\" name=\"cc\" value=\"Carl"));
    let note = desk.browser.get(&format!("{}?write=note", desk.url));
    assert!(note.body.contains("Only colleagues see this"));
}

#[test]
fn a_message_says_why_it_is_here_and_moves_to_where_it_belongs() {
    let mut desk = Desk::new();
    let second = LETTER
        .replace("a@example.net", "b@example.net")
        .replace("Broken lamp", "Re: Second lamp");
    let moved = desk.site.message(
        desk.mailbox,
        desk.id,
        Direction::Incoming,
        &second,
        NOW + 60,
    );
    let page = desk.browser.get(&desk.url);
    assert!(
        page.body.contains("It answers nothing that is known here"),
        "{}",
        page.body
    );
    let path = format!("/messages/{moved}/conversation");
    let answer = desk.browser.post(&path, &page, &[("number", "")]);
    let there = answer.header("location").to_owned();
    assert_eq!(answer.status, 303);
    assert!(there.starts_with("/conversations/2"), "{there}");
    let new = desk.browser.get("/conversations/2");
    for words in [
        "The message is here now. To undo it, move it to conversation 1.",
        "A colleague moved it here.",
        "Ada Lovelace moved a message here from conversation 1",
        "<h1>Second lamp</h1>",
    ] {
        assert!(new.body.contains(words), "no “{words}” in {}", new.body);
    }
    let old = desk.browser.get(&desk.url);
    assert!(old.body.contains("moved a message to conversation 2"));
    assert!(!old.body.contains("b@example.net"));
    // Alone already, elsewhere, nowhere: nothing moves, and the page says why.
    let other = desk.site.mailbox("sales@example.com", "Sales");
    let stranger = Address::new("Eve", "eve@example.net");
    let elsewhere = desk.site.conversation(other, &stranger, LETTER);
    for (number, words) in [
        (String::new(), "has a conversation of its own already"),
        (elsewhere.to_string(), "belongs to another mailbox"),
        ("77".to_owned(), "no conversation with this number"),
        ("x".to_owned(), "no conversation with this number"),
    ] {
        let page = desk.browser.get("/conversations/2");
        desk.browser.post(&path, &page, &[("number", &number)]);
        let told = desk.browser.get("/conversations/2");
        assert!(told.body.contains(words), "no “{words}” in {}", told.body);
    }
    let page = desk.browser.get("/conversations/2");
    desk.browser.post(&path, &page, &[("number", "#1")]);
    assert_eq!(desk.now().message_count, 2);
    let answer = desk.browser.post("/messages/999/conversation", &page, &[]);
    assert_eq!(answer.status, 404);
    let mut stranger = desk.site.browser();
    assert_ne!(stranger.post_bare(&path, &[("number", "2")]).status, 200);
    assert_eq!(desk.now().message_count, 2);
}
