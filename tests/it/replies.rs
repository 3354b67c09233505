//! Answering.

use mailhatch::model::{
    Address, ConversationId, Delivery, DeliveryState, Direction, MailboxId, Message, Role, Status,
};
use mailhatch::store;

use crate::support::site::{Answer, Browser, NOW, Site};

const LETTER: &str = "From: Marta Kowalska <marta@example.net>\nTo: support@example.com\nSubject: Broken lamp\nMessage-ID: <a@example.net>\n\nThe lamp is broken.\n";

struct Desk {
    site: Site,
    mailbox: MailboxId,
    id: ConversationId,
    browser: Browser,
    url: String,
}

impl Desk {
    fn new() -> Self {
        let site = Site::empty();
        site.agent("ada@example.com", "Ada Lovelace", Role::Agent);
        let mailbox = site.mailbox("support@example.com", "Support");
        let id = site.conversation(mailbox, &Address::new("Marta", "marta@example.net"), LETTER);
        let browser = site.signed_in("ada@example.com");
        Self {
            site,
            mailbox,
            id,
            browser,
            url: format!("/conversations/{id}"),
        }
    }

    fn send(&mut self, changed: &[(&str, &str)], files: &[(&str, &str, &[u8])]) -> Answer {
        let page = self.browser.get(&self.url);
        self.send_form(&page, changed, files)
    }

    fn send_form(
        &mut self,
        page: &Answer,
        changed: &[(&str, &str)],
        files: &[(&str, &str, &[u8])],
    ) -> Answer {
        let (csrf, key, seen) = (page.hidden("csrf"), page.hidden("key"), page.hidden("seen"));
        let mut fields = vec![
            ("csrf", csrf.as_str()),
            ("key", key.as_str()),
            ("seen", seen.as_str()),
            ("mode", "reply"),
            ("to", "Marta <marta@example.net>"),
            ("subject", "Re: Broken lamp"),
            ("text", "A new one is coming."),
            ("then", "waiting"),
        ];
        for (name, value) in changed {
            fields.retain(|(known, _)| known != name);
            fields.push((name, value));
        }
        self.browser
            .upload(&format!("{}/replies", self.url), &fields, files)
    }

    fn replies(&self) -> Vec<Message> {
        let all = self
            .site
            .store()
            .read(|db| store::messages::list(db, self.id))
            .unwrap();
        all.into_iter()
            .filter(|message| message.direction == Direction::Outgoing)
            .collect()
    }

    fn status(&self) -> Status {
        self.site
            .store()
            .read(|db| store::conversations::find(db, self.id))
            .unwrap()
            .unwrap()
            .status
    }
}

#[test]
fn a_reply_is_queued_with_its_files_and_the_conversation_waits() {
    let mut desk = Desk::new();
    let changes = [
        ("to", "Marta <marta@example.net>; bob@example.org"),
        ("cc", "\"Lovelace, B.\" <b@example.com>"),
        ("bcc", "boss@example.com"),
        ("quote", "1"),
    ];
    let answer = desk.send(
        &changes,
        &[
            ("attachments", "temp/plan.txt", b"plan"),
            ("attachments", "", b""),
        ],
    );
    assert_eq!(answer.status, 303, "{}", answer.body);
    let replies = desk.replies();
    assert_eq!(replies.len(), 1);
    let reply = &replies[0];
    assert_eq!(reply.recipients.to.len(), 2);
    assert_eq!(
        reply.recipients.cc,
        [Address::new("Lovelace, B.", "b@example.com")]
    );
    assert_eq!(reply.recipients.bcc[0].address, "boss@example.com");
    assert_eq!(reply.attachments.len(), 1);
    assert_eq!(reply.attachments[0].filename, "plan.txt");
    assert!(
        reply.text.contains("A new one is coming.") && reply.text.contains("The lamp is broken.")
    );
    let delivery: &Delivery = reply.delivery.as_ref().unwrap();
    assert_eq!(delivery.state, DeliveryState::Queued);
    assert_eq!(desk.status(), Status::Waiting);
    let page = desk.browser.get(&desk.url).body;
    assert!(page.contains("Your reply leaves in 10 s") && page.contains("Leaves in 10 s"));
    let undo = format!("/deliveries/{}/withdrawal", delivery.id);
    assert!(page.contains(&undo) && page.contains("Undo"));
}

#[test]
fn a_reply_taken_back_stands_in_the_form_again_with_text_people_and_files() {
    let mut desk = Desk::new();
    let changes = [
        ("cc", "bob@example.org"),
        ("bcc", "boss@example.com"),
        ("html", "<div>A <b>new</b> one.</div>"),
        ("then", "closed"),
    ];
    desk.send(&changes, &[("attachments", "plan.txt", b"the plan")]);
    assert_eq!(desk.status(), Status::Closed);
    let reply = desk.replies().remove(0);
    let path = format!("/deliveries/{}/withdrawal", reply.delivery.unwrap().id);
    let page = desk.browser.get(&desk.url);
    // Pressed twice, it is taken back once.
    for _ in 0..2 {
        let answer = desk.browser.post(&path, &page, &[]);
        let form = format!("{}?edit={}#write", desk.url, reply.id);
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, form.as_str())
        );
    }
    assert_eq!(desk.status(), Status::Open, "as it stood before");
    let form = desk.browser.get(&format!("{}?edit={}", desk.url, reply.id));
    for words in [
        "Taken back: it has not left.",
        "A &#60;b&#62;new&#60;/b&#62; one.",
        "bob@example.org",
        "boss@example.com",
        "plan.txt",
        "taken back before it left",
    ] {
        assert!(form.body.contains(words), "{words}: {}", form.body);
    }
    let (keep, old) = (form.hidden("keep"), form.hidden("instead_of"));
    let again = [("keep", keep.as_str()), ("instead_of", old.as_str())];
    assert_eq!(desk.send_form(&form, &again, &[]).status, 303);
    let replies = desk.replies();
    assert_eq!(replies.len(), 2);
    let sent = replies.last().unwrap();
    assert_eq!(sent.attachments[0].filename, "plan.txt");
    let file = sent.attachments[0].id;
    let stored = desk
        .site
        .store()
        .read(|db| store::attachments::find(db, file))
        .unwrap();
    assert_eq!(stored.unwrap().2, b"the plan");
    let shown = desk.browser.get(&desk.url).body;
    assert!(
        !shown.contains("taken back before it left"),
        "it was replaced"
    );
}

#[test]
fn files_of_other_messages_are_not_sent_along_by_a_made_up_form() {
    let mut desk = Desk::new();
    desk.send(&[], &[("attachments", "secret.txt", b"secret")]);
    let other = desk.replies().remove(0);
    let file = other.attachments[0].id.to_string();
    desk.send(&[("keep", &file)], &[]);
    desk.send(&[("keep", &file), ("instead_of", "1")], &[]);
    let replies = desk.replies();
    assert_eq!(replies.len(), 3);
    assert!(
        replies[1..]
            .iter()
            .all(|reply| reply.attachments.is_empty())
    );
}

#[test]
fn a_form_sent_again_after_its_reply_was_taken_back_asks_first() {
    let mut desk = Desk::new();
    let page = desk.browser.get(&desk.url);
    desk.send_form(&page, &[], &[]);
    let delivery = desk.replies().remove(0).delivery.unwrap().id;
    let path = format!("/deliveries/{delivery}/withdrawal");
    desk.browser.post(&path, &page, &[]);
    let asked = desk.send_form(&page, &[], &[]);
    assert_eq!(asked.status, 422);
    assert!(asked.body.contains("This reply was taken back."));
    assert_eq!(desk.replies().len(), 1);
    assert_eq!(desk.send_form(&asked, &[], &[]).status, 303);
    assert_eq!(desk.replies().len(), 2);
}

#[test]
fn a_reply_is_planned_for_a_time_of_the_reader_and_says_so() {
    let mut desk = Desk::new();
    let utc = desk.browser.get(&desk.url).body;
    assert!(utc.contains("(UTC time)"));
    desk.browser
        .cookies
        .insert("mailhatch_zone".to_owned(), "Europe/Berlin".to_owned());
    let page = desk.browser.get(&desk.url);
    // It is Friday, nine o'clock in Berlin.
    assert!(
        page.body.contains("Tomorrow, Sat 09:00") && page.body.contains("Monday 18 Jan, 09:00")
    );
    let (day, year) = (NOW + 86_400, NOW + 367 * 86_400);
    for (later, at, words) in [
        ("chosen", "2027-01-15T08:59", "This time has passed"),
        ("chosen", "2028-01-18T09:00", "within a year"),
        ("chosen", "next week", "Choose a day and a time"),
        ("chosen", "", "Choose a day and a time"),
        (&(NOW - 1).to_string(), "", "This time has passed"),
        (&year.to_string(), "", "within a year"),
        ("tomorrow", "", "This time has passed"),
    ] {
        let answer = desk.send(&[("later", later), ("leave_at", at)], &[]);
        assert_eq!(answer.status, 422, "{later} {at}");
        assert!(answer.body.contains(words), "{later} {at}: {}", answer.body);
        assert!(answer.body.contains("A new one is coming."));
    }
    assert!(desk.replies().is_empty());
    desk.send(&[("later", &day.to_string())], &[]);
    let chosen = [
        ("later", "chosen"),
        ("leave_at", "2027-01-19T10:30"),
        ("unless_answered", "1"),
    ];
    desk.send(&chosen, &[]);
    let found: Vec<(Option<i64>, bool)> = desk
        .replies()
        .iter()
        .map(|reply| {
            let delivery = reply.delivery.as_ref().unwrap();
            (delivery.scheduled_at, delivery.unless_answered)
        })
        .collect();
    let tuesday = NOW + 4 * 86_400 + 5_400;
    assert_eq!(found, [(Some(day), false), (Some(tuesday), true)]);
    let page = desk.browser.get(&desk.url).body;
    for words in [
        "Tue 19 Jan 2027, 10:30",
        "Not if the customer writes first.",
        "Send now",
        "Change the time",
        "Planned",
    ] {
        assert!(page.contains(words), "{words}");
    }
    assert!(!page.contains("UTC time"));
}

#[test]
fn a_reply_too_large_for_its_way_out_is_refused_with_by_how_much() {
    let mut desk = Desk::new();
    let small =
        |tx: &store::Tx<'_>| store::mailboxes::update_smtp_size(tx, desk.mailbox, Some(1_000_000));
    desk.site.store().write(small).unwrap();
    let file = vec![7; 1_500_000];
    let answer = desk.send(&[], &[("attachments", "plan.bin", &file)]);
    assert_eq!(answer.status, 422);
    let words = "1.1 MB more than this mailbox can send (1.0 MB)";
    assert!(answer.body.contains(words), "{}", answer.body);
    assert!(answer.body.contains("A new one is coming."));
    assert!(desk.replies().is_empty());
}

#[test]
fn what_waits_is_not_quoted_nor_referred_to_by_the_next_reply() {
    let mut desk = Desk::new();
    let day = (NOW + 86_400).to_string();
    desk.send(&[("later", &day), ("text", "For tomorrow only.")], &[]);
    desk.send(&[("text", "For today."), ("quote", "1")], &[]);
    let replies = desk.replies();
    let planned = &replies[0].internet_message_id;
    let raw = desk
        .site
        .store()
        .read(|db| store::messages::find_raw(db, replies[1].id))
        .unwrap();
    let raw = String::from_utf8_lossy(&raw.unwrap()).into_owned();
    assert!(raw.contains("The lamp is broken"), "{raw}");
    assert!(!raw.contains("For tomorrow only") && !raw.contains(planned.as_str()));
}

#[test]
fn what_the_rich_editor_made_is_sent_sanitised() {
    let mut desk = Desk::new();
    let html = "<div>Hello <b>Marta</b><script>alert(1)</script></div>";
    assert_eq!(
        desk.send(&[("html", html), ("then", "closed")], &[]).status,
        303
    );
    let reply = &desk.replies()[0];
    let raw = desk
        .site
        .store()
        .read(|db| store::messages::find_raw(db, reply.id))
        .unwrap()
        .unwrap();
    let raw = String::from_utf8_lossy(&raw).into_owned();
    assert!(
        raw.contains("<b>Marta</b>") && !raw.contains("<script"),
        "{raw}"
    );
    assert_eq!(desk.status(), Status::Closed);
}

#[test]
fn a_mistake_keeps_everything_typed_and_sends_nothing() {
    let mut desk = Desk::new();
    for (field, value, sentence) in [
        ("to", "marta", "is not an address"),
        ("cc", "a@example.com, b@", "“b@” is not an address"),
        ("bcc", "nobody", "is not an address"),
        ("to", " ", "at least one recipient"),
        ("text", "", "Write something"),
    ] {
        let answer = desk.send(&[(field, value)], &[]);
        assert_eq!(answer.status, 422, "{field} {value}");
        assert!(
            answer.body.contains(sentence),
            "{field} {value}: {}",
            answer.body
        );
        assert!(answer.body.contains("aria-invalid=\"true\""), "{field}");
        assert!(
            field == "text" || answer.body.contains("A new one is coming."),
            "{field}"
        );
    }
    let lost = desk.send(&[("to", "marta")], &[("attachments", "plan.txt", b"plan")]);
    assert!(lost.body.contains("Choose the files again"));
    assert!(desk.replies().is_empty());
}

#[test]
fn a_second_press_of_the_button_sends_nothing_twice() {
    let mut desk = Desk::new();
    let page = desk.browser.get(&desk.url);
    for _ in 0..2 {
        assert_eq!(desk.send_form(&page, &[], &[]).status, 303);
    }
    assert_eq!(desk.replies().len(), 1);
}

#[test]
fn files_of_more_than_25_megabytes_are_refused_in_words_and_the_text_is_kept() {
    let mut desk = Desk::new();
    let big = vec![0_u8; 13_000_000];
    let files: [(&str, &str, &[u8]); 2] = [
        ("attachments", "a.bin", &big),
        ("attachments", "b.bin", &big),
    ];
    let answer = desk.send(&[("text", "See the files.")], &files);
    assert_eq!(answer.status, 422);
    assert!(
        answer.body.contains("more than 25 MB together") && answer.body.contains("See the files.")
    );
    assert!(desk.replies().is_empty());
    let fits = desk.send(&[], &[("attachments", "a.bin", &big)]);
    assert_eq!(fits.status, 303);
}

#[test]
fn mail_that_came_in_meanwhile_is_shown_before_the_reply_leaves() {
    let mut desk = Desk::new();
    let page = desk.browser.get(&desk.url);
    let more = "From: marta@example.net\nTo: support@example.com\nSubject: Re: Broken lamp\n\nIt works again!\n";
    desk.site
        .message(desk.mailbox, desk.id, Direction::Incoming, more, NOW + 5);
    let first = desk.send_form(&page, &[], &[]);
    assert_eq!(first.status, 422);
    assert!(
        first.body.contains("A new message came in while you wrote")
            && first.body.contains("It works again!")
    );
    assert!(first.body.contains("A new one is coming."));
    assert!(desk.replies().is_empty());
    assert_eq!(desk.send_form(&first, &[], &[]).status, 303);
    assert_eq!(desk.replies().len(), 1);
}
