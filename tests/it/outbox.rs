//! The outbox and what a person decides about a delivery.

use mailhatch::model::{Address, DeliveryId, DeliveryState, Direction, Role, WayOut};
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
