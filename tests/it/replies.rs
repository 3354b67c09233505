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
    assert!(page.contains("Your reply is on its way.") && page.contains("Do not send"));
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
