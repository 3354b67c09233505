//! The outbox and what a person decides about a delivery.

use mailhatch::model::{
    Address, DeliveryId, DeliveryState, Direction, Leaves, MailboxId, Role, Status, StoppedBy,
    WayOut,
};
use mailhatch::problem::{Disposition, Problem};
use mailhatch::store::{self, deliveries};

use crate::support::site::{Browser, NOW, Site};

fn site(state: DeliveryState) -> (Site, Browser, DeliveryId) {
    let site = Site::empty();
    site.agent("ada@example.com", "Ada", Role::Agent);
    let mailbox = site.mailbox("support@example.com", "Support");
    let from = Address::new("Marta", "marta@example.net");
    let id = site.conversation(
        mailbox,
        &from,
        "From: marta@example.net\nSubject: Lamp\n\nHi\n",
    );
    let reply = "From: support@example.com\nTo: marta@example.net\nSubject: Re: Lamp\n\nHello\n";
    let message = site.message(mailbox, id, Direction::Outgoing, reply, NOW);
    let delivery = site
        .store()
        .write(|tx| -> store::Result<DeliveryId> {
            let id = deliveries::insert(tx, message, "key", NOW, NOW)?;
            let (delivery, attempt) =
                deliveries::claim_next(tx, mailbox, WayOut::Smtp, NOW)?.unwrap();
            deliveries::finish_attempt(
                tx,
                attempt,
                deliveries::AttemptEnd::Refused,
                "550 5.1.10 not found",
                NOW,
            )?;
            let problem = Problem::new(
                "x",
                Disposition::GiveUp,
                "The recipient does not exist.",
                "Check the address.",
            )
            .with_detail("550 5.1.10 RecipientNotFound");
            let change = deliveries::Change {
                problem: Some(&problem),
                next_attempt_at: NOW + 600,
                ..Default::default()
            };
            deliveries::update_state(tx, &delivery, state, &change, NOW)?;
            Ok(id)
        })
        .unwrap();
    let browser = site.signed_in("ada@example.com");
    (site, browser, delivery)
}

fn state(site: &Site, id: DeliveryId) -> DeliveryState {
    site.store()
        .read(|db| deliveries::find(db, id))
        .unwrap()
        .unwrap()
        .state
}

#[test]
fn a_failed_reply_says_why_and_what_to_do_in_its_conversation_and_in_the_outbox() {
    let (site, mut browser, id) = site(DeliveryState::Failed);
    for path in ["/outbox", "/conversations/1"] {
        let body = browser.get(path).body;
        for words in [
            "The recipient does not exist.",
            "Check the address.",
            "550 5.1.10 RecipientNotFound",
            &format!("/deliveries/{id}/retry"),
        ] {
            assert!(body.contains(words), "{path}: {words}");
        }
    }
    assert!(browser.get("/outbox").body.contains("1 try"));
    assert!(browser.get("/").body.contains("Not sent"));
    let page = browser.get("/outbox");
    let answer = browser.post(
        &format!("/deliveries/{id}/retry"),
        &page,
        &[("back", "/outbox")],
    );
    assert_eq!((answer.status, answer.header("location")), (303, "/outbox"));
    assert_eq!(state(&site, id), DeliveryState::Queued);
    let page = browser.get("/outbox");
    assert!(page.body.contains("It is tried again now."));
    let answer = browser.post(&format!("/deliveries/{id}/cancellation"), &page, &[]);
    assert!(
        answer
            .header("location")
            .starts_with("/conversations/1#message-")
    );
    assert_eq!(state(&site, id), DeliveryState::Cancelled);
    assert!(browser.get("/outbox").body.contains("Everything has left"));
}

#[test]
fn an_uncertain_reply_is_settled_by_a_person_s_word() {
    for (word, settled) in [("yes", DeliveryState::Sent), ("no", DeliveryState::Queued)] {
        let (site, mut browser, id) = site(DeliveryState::Uncertain);
        let page = browser.get("/conversations/1");
        assert!(page.body.contains("It was sent") && page.body.contains("It was not sent"));
        let path = format!("/deliveries/{id}/settlement");
        assert_eq!(
            browser
                .post(&path, &page, &[("was_sent", "perhaps")])
                .status,
            400
        );
        assert_eq!(state(&site, id), DeliveryState::Uncertain);
        assert_eq!(
            browser.post(&path, &page, &[("was_sent", word)]).status,
            303
        );
        assert_eq!(state(&site, id), settled);
    }
}

#[test]
fn what_has_left_cannot_be_stopped_and_says_so() {
    let (site, mut browser, id) = site(DeliveryState::Sent);
    let page = browser.get("/outbox");
    let answer = browser.post(
        &format!("/deliveries/{id}/cancellation"),
        &page,
        &[("back", "/outbox")],
    );
    assert_eq!(answer.status, 303);
    assert_eq!(state(&site, id), DeliveryState::Sent);
    assert!(browser.get("/outbox").body.contains("flash-bad"));
}

#[test]
fn decisions_need_the_form_s_mark_and_a_delivery() {
    let (site, mut browser, id) = site(DeliveryState::Failed);
    let page = browser.get("/outbox");
    for noun in ["retry", "cancellation", "settlement"] {
        let path = format!("/deliveries/{id}/{noun}");
        assert_eq!(
            browser.post_bare(&path, &[("was_sent", "yes")]).status,
            403,
            "{noun}"
        );
        let answer = browser.post(
            &format!("/deliveries/99/{noun}"),
            &page,
            &[("was_sent", "yes")],
        );
        assert_eq!(answer.status, 404, "{noun}");
    }
    assert_eq!(state(&site, id), DeliveryState::Failed);
    assert_eq!(site.browser().get("/outbox").status, 303);
}

#[test]
fn a_failed_reply_can_be_put_right_and_sent_in_its_place() {
    let (site, mut browser, id) = site(DeliveryState::Failed);
    assert!(
        browser
            .get("/conversations/1")
            .body
            .contains("?edit=2#write")
    );
    let page = browser.get("/conversations/1?edit=2");
    assert_eq!(page.hidden("instead_of"), "2");
    assert!(
        page.body.contains(">Hello</textarea>")
            && page.body.contains("value=\"marta@example.net\"")
    );
    let (csrf, key, seen) = (page.hidden("csrf"), page.hidden("key"), page.hidden("seen"));
    let fields = [
        ("csrf", csrf.as_str()),
        ("key", key.as_str()),
        ("seen", seen.as_str()),
        ("instead_of", "2"),
        ("to", "marta@example.org"),
        ("text", "Hello again"),
    ];
    let answer = browser.upload("/conversations/1/replies", &fields, &[]);
    assert_eq!(answer.status, 303, "{}", answer.body);
    assert_eq!(state(&site, id), DeliveryState::Cancelled);
    let outbox = site
        .store()
        .read(|db| deliveries::list_outbox(db, 10))
        .unwrap();
    assert_eq!(outbox.len(), 1);
    assert_eq!(outbox[0].delivery.state, DeliveryState::Queued);
    assert_eq!(browser.get("/conversations/1?edit=1").status, 404);
}

/// A reply that is planned for an hour from now, not to leave when the customer writes first.
fn planned() -> (Site, Browser, DeliveryId) {
    let (site, browser, first) = site(DeliveryState::Sent);
    let draft = mailhatch::reply::ReplyDraft {
        conversation_id: mailhatch::model::ConversationId(1),
        to: vec![Address::new("Marta", "marta@example.net")],
        cc: Vec::new(),
        bcc: Vec::new(),
        subject: String::new(),
        html: None,
        text: "Later.".to_owned(),
        attachments: Vec::new(),
        quote: false,
        idempotency_key: "later".to_owned(),
        then: Status::Waiting,
    };
    let terms = mailhatch::reply::Terms {
        leaves: Leaves::At {
            at: NOW + 3_600,
            unless_answered: true,
        },
        ..Default::default()
    };
    let ids = site.context.services.ids();
    let agent = site
        .store()
        .read(|db| store::agents::find_by_email(db, "ada@example.com"))
        .unwrap()
        .unwrap()
        .0;
    let queued =
        mailhatch::reply::queue_to_leave(site.store(), &ids, NOW, &agent, &draft, terms).unwrap();
    assert_ne!(queued.delivery_id, first);
    (site, browser, queued.delivery_id)
}

fn delivery(site: &Site, id: DeliveryId) -> mailhatch::model::Delivery {
    site.store()
        .read(|db| deliveries::find(db, id))
        .unwrap()
        .unwrap()
}

#[test]
fn a_planned_reply_is_changed_sent_now_and_cancelled_from_the_outbox() {
    let (site, mut browser, id) = planned();
    let page = browser.get("/outbox");
    for words in [
        "Planned",
        "Fri 15 Jan 2027, 09:00 UTC",
        "Send now",
        "Change the time",
    ] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    let time = format!("/deliveries/{id}/time");
    let back = ("back", "/outbox");
    for (at, words) in [
        ("2027-01-15T07:00", "This time has passed."),
        ("soon", "Choose a day and a time"),
    ] {
        let answer = browser.post(&time, &page, &[("leave_at", at), back]);
        assert_eq!((answer.status, answer.header("location")), (303, "/outbox"));
        assert!(browser.get("/outbox").body.contains(words));
        assert_eq!(delivery(&site, id).scheduled_at, Some(NOW + 3_600));
    }
    browser.post(&time, &page, &[("leave_at", "2027-01-15T11:00"), back]);
    let changed = delivery(&site, id);
    assert_eq!(changed.scheduled_at, Some(NOW + 3 * 3_600));
    assert_eq!(changed.next_attempt_at, NOW + 3 * 3_600);
    assert!(!changed.unless_answered, "the box was not ticked");
    browser.post(&format!("/deliveries/{id}/retry"), &page, &[back]);
    assert!(browser.get("/outbox").body.contains("It leaves now."));
    let hurried = delivery(&site, id);
    assert_eq!(
        (hurried.next_attempt_at, hurried.scheduled_at),
        (NOW, Some(NOW))
    );
    browser.post(&format!("/deliveries/{id}/cancellation"), &page, &[back]);
    let cancelled = delivery(&site, id);
    assert_eq!(cancelled.state, DeliveryState::Cancelled);
    assert_eq!(cancelled.stopped_by, StoppedBy::Person);
    let status = site
        .store()
        .read(|db| store::conversations::find(db, cancelled.conversation_id))
        .unwrap()
        .unwrap()
        .status;
    assert_eq!(status, Status::Open, "nobody has answered");
    // What does not wait any more cannot be given another time.
    browser.post(&time, &page, &[("leave_at", "2027-01-15T12:00"), back]);
    assert!(browser.get("/outbox").body.contains("flash-bad"));
}

#[test]
fn a_reply_overtaken_by_the_customer_says_so_and_can_be_taken_up_again() {
    let (site, mut browser, id) = planned();
    let waiting = delivery(&site, id);
    site.store()
        .write(|tx| {
            let (by, words) = (StoppedBy::Answer, "New mail came first.");
            deliveries::leaving::update_cancelled(tx, &waiting, by, words, NOW + 60)
        })
        .unwrap();
    let body = browser.get("/conversations/1").body;
    for words in [
        "New mail came first, so the planned reply did not leave",
        "Not sent: the customer wrote first.",
        "Take up again",
    ] {
        assert!(body.contains(words), "{words}");
    }
    let edit = format!("/conversations/1?edit={}", waiting.message_id);
    assert!(browser.get(&edit).body.contains(">Later.</textarea>"));
}

#[test]
fn a_reply_that_has_left_cannot_be_taken_back_and_says_so() {
    for state in [DeliveryState::Sent, DeliveryState::Uncertain] {
        let (site, mut browser, id) = site(state);
        let page = browser.get("/outbox");
        let answer = browser.post(&format!("/deliveries/{id}/withdrawal"), &page, &[]);
        let home = answer.header("location").to_owned();
        assert!(home.starts_with("/conversations/1#message-"), "{home}");
        assert!(
            browser
                .get("/conversations/1")
                .body
                .contains("It had left already")
        );
        assert_eq!(delivery(&site, id).state, state);
    }
}

#[test]
fn the_undo_window_is_set_by_an_administrator_within_bounds() {
    let (site, mut agent, _) = site(DeliveryState::Failed);
    site.agent("root@example.com", "Root", Role::Admin);
    let mut admin = site.signed_in("root@example.com");
    let page = agent.get("/outbox");
    assert!(!page.body.contains("Undo window"));
    let answer = agent.post("/admin/undo-window", &page, &[("seconds", "0")]);
    assert_eq!(answer.status, 403);
    let page = admin.get("/outbox");
    assert!(page.body.contains("Undo window") && page.body.contains("value=\"10\""));
    let find = || {
        site.store()
            .read(store::settings::find_undo_seconds)
            .unwrap()
    };
    for wrong in ["61", "-1", "", "ten"] {
        admin.post("/admin/undo-window", &page, &[("seconds", wrong)]);
        assert!(admin.get("/outbox").body.contains("Nothing was changed."));
        assert_eq!(find(), 10);
    }
    admin.post("/admin/undo-window", &page, &[("seconds", "0")]);
    assert!(admin.get("/outbox").body.contains("Replies leave at once"));
    assert_eq!(find(), 0);
}

#[test]
fn a_stopped_mailbox_holds_its_replies_in_plain_sight_until_an_administrator_lets_it_send_again() {
    let (site, mut browser, id) = planned();
    site.agent("root@example.com", "Root", Role::Admin);
    let mailbox = MailboxId(1);
    let problem = Problem::new(
        "sending_stopped",
        Disposition::NeedsAdmin,
        "Sending from this mailbox is stopped: it is full.",
        "Make room.",
    );
    site.store()
        .write(|tx| store::mailboxes::update_stopped(tx, mailbox, &problem, NOW))
        .unwrap();
    let page = browser.get("/outbox");
    browser.post(
        &format!("/deliveries/{id}/retry"),
        &page,
        &[("back", "/outbox")],
    );
    let page = browser.get("/outbox");
    for words in [
        "Held: its mailbox does not send.",
        "as soon as an administrator lets",
    ] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    assert!(
        browser
            .get("/conversations/1")
            .body
            .contains("Held: its mailbox")
    );
    let path = "/mailboxes/1/sending";
    assert_eq!(browser.post(path, &page, &[]).status, 403);
    let mut admin = site.signed_in("root@example.com");
    let page = admin.get("/mailboxes/1");
    assert!(page.body.contains("Send again") && page.body.contains("it is full"));
    assert_eq!(admin.post(path, &page, &[]).status, 303);
    let page = admin.get("/mailboxes/1");
    assert!(page.body.contains("Replies of this mailbox leave again."));
    assert!(!page.body.contains("it is full"));
    assert_eq!(admin.post(path, &page, &[]).status, 303);
    assert!(admin.get("/mailboxes/1").body.contains("is not stopped"));
}
