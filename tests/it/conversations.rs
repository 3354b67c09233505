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

const PASS: &str = "Authentication-Results: spf=pass smtp.mailfrom=x; dkim=pass header.d=x;dmarc=pass action=none;compauth=pass reason=100\n";

/// The page of a conversation that begins with this message in a mailbox at example.com.
fn page_of(raw: &str) -> (Desk, String) {
    let mut desk = Desk::new();
    let (parsed, _) = mailhatch::mail::parse(raw.as_bytes());
    let from = parsed.from.first().cloned().unwrap_or_default();
    let id = desk.site.conversation(desk.mailbox, &from, raw);
    let body = desk.browser.get(&format!("/conversations/{id}")).body;
    (desk, body)
}

#[test]
fn a_confirmed_sender_is_told_in_the_details_and_nowhere_else() {
    let (mut desk, first) = page_of(&format!(
        "{PASS}From: Kim <kim@tidepool.example>\nSubject: Hi\n\nHello\n"
    ));
    assert!(first.contains("Confirmed by tidepool.example"), "{first}");
    assert!(first.contains("(SPF pass, DKIM pass, DMARC pass"));
    assert!(first.contains("First message from this sender"));
    assert!(!first.contains("class=\"findings\""), "{first}");
    let again = format!("{PASS}From: Kim <kim@tidepool.example>\nSubject: Two\n\nHello again\n");
    let kim = Address::new("Kim", "kim@tidepool.example");
    let id = desk.site.conversation(desk.mailbox, &kim, &again);
    let second = desk.browser.get(&format!("/conversations/{id}")).body;
    assert!(
        !second.contains("First message from this sender"),
        "{second}"
    );
}

#[test]
fn a_forged_and_a_look_alike_sender_are_warned_of() {
    let forged = "Authentication-Results: spf=fail; dkim=none;dmarc=fail action=oreject;compauth=fail reason=000\nFrom: Bank <info@bank.example>\nSubject: x\n\nPay\n";
    let (_desk, page) = page_of(forged);
    assert!(
        page.contains("finding-bad") && page.contains("Not confirmed by bank.example"),
        "{page}"
    );
    assert!(page.contains(">Suspicious<"));
    // The mailbox is at example.com; this is not.
    let (_desk, page) = page_of(&format!(
        "{PASS}From: Boss <boss@examp1e.com>\nSubject: x\n\nPay\n"
    ));
    assert!(page.contains("made to look like example.com"), "{page}");
    let (_desk, page) = page_of(&format!(
        "{PASS}From: Ada Lovelace <ada@elsewhere.example>\nSubject: x\n\nPay\n"
    ));
    assert!(page.contains("Uses the name of Ada Lovelace"), "{page}");
}

#[test]
fn verdicts_that_the_sender_wrote_are_not_believed() {
    let own = PASS.replace("Results: ", "Results: mx.evil.example; ");
    let (_desk, page) = page_of(&format!(
        "{own}From: Kim <kim@tidepool.example>\nSubject: x\n\nHello\n"
    ));
    assert!(!page.contains("Confirmed by"), "{page}");
}

#[test]
fn an_invitation_is_a_card_with_its_time_and_its_file() {
    let raw = "From: Vera <vera@museo.example>\nSubject: Review\nMIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=a\n\n--a\nContent-Type: text/plain\n\nPlease come.\n--a\nContent-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:1\nSUMMARY:Review <b>\nDTSTART;TZID=Europe/Berlin:20270301T090000\nDTEND;TZID=Europe/Berlin:20270301T100000\nRRULE:FREQ=WEEKLY;COUNT=3\nLOCATION:Hall B\nORGANIZER;CN=Vera:mailto:vera@museo.example\nATTENDEE;CN=Iker;PARTSTAT=ACCEPTED:mailto:iker@museo.example\nEND:VEVENT\nEND:VCALENDAR\n--a--\n";
    let (mut desk, page) = page_of(raw);
    let card = page
        .split("<section class=\"event")
        .nth(1)
        .unwrap()
        .split("</section>")
        .next()
        .unwrap()
        .to_owned();
    for shown in [
        "Invitation",
        "datetime=\"2027-03-01T08:00:00Z\" data-until=\"2027-03-01T09:00:00Z\"",
        "09:00",
        "Europe/Berlin",
        "Hall B",
        "Iker",
        "accepted",
        "Repeats every week",
    ] {
        assert!(card.contains(shown), "{shown} is missing in {card}");
    }
    assert!(!card.contains("Review <b>"));
    let (_, link) = card.split_once("<a href=\"/attachments/").unwrap();
    let link = format!("/attachments/{}", link.split('"').next().unwrap());
    assert!(desk.browser.get(&link).body.starts_with("BEGIN:VCALENDAR"));
}

#[test]
fn many_recipients_are_folded_and_a_signature_too() {
    let list: Vec<String> = (0..500).map(|n| format!("p{n}@example.org")).collect();
    let raw = format!(
        "From: Kim <kim@tidepool.example>\nTo: {}\nSubject: x\n\nHello all,\n\nplease come.\n\n-- \nKim Doyle\nTidepool\n",
        list.join(",\n ")
    );
    let (_desk, page) = page_of(&raw);
    assert!(page.contains("p3@example.org and 496 others"), "{page}");
    assert!(page.contains("<summary>and 492 others</summary>"));
    let (before, after) = page.split_once("<summary>Signature</summary>").unwrap();
    assert!(before.contains("please come.") && after.contains("Tidepool"));
}

#[test]
fn an_encrypted_message_is_explained() {
    let raw = "From: Kim <kim@tidepool.example>\nSubject: secret\nMIME-Version: 1.0\nContent-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=p\n\n--p\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n--p\nContent-Type: application/octet-stream; name=\"encrypted.asc\"\n\n-----BEGIN PGP MESSAGE-----\n\nx\n-----END PGP MESSAGE-----\n--p--\n";
    let (_desk, page) = page_of(raw);
    assert!(
        page.contains("This message is encrypted with PGP."),
        "{page}"
    );
    assert!(page.contains("class=\"locked\""));
}

#[test]
fn names_and_subjects_of_other_directions_stand_apart() {
    let (_desk, page) = page_of(
        "From: =?utf-8?Q?=D7=A9=D7=9C=D7=95=D7=9D?= <s@levi.example>\nSubject: =?utf-8?Q?=D7=A9=D7=9C=D7=95=D7=9D?= 12\n\nx\n",
    );
    assert!(page.contains("<bdi>שלום 12</bdi></h1>"), "{page}");
    assert!(page.contains("<strong><bdi>שלום</bdi></strong>"));
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
        "<bdi>Second lamp</bdi></h1>",
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
