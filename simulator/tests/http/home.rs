//! The page at `/`.

use std::time::{Duration, Instant};

use mailhatch_simulator::world::{Submission, Via, headers};
use mailhatch_simulator::{Options, Simulator};

use crate::site::Site;

#[test]
fn a_customers_letter_lands_in_the_inbox_and_the_page_lists_the_accounts() {
    let site = Site::start();
    let home = site.get(&format!("{}/", site.endpoints().login_url));
    assert_eq!(home.status, 200);
    assert!(
        home.body.contains("Pretend Microsoft 365") && home.body.contains(&site.demo.support_upn)
    );
    let before = site
        .world()
        .folder("support@harbourlights.example", "INBOX")
        .len();
    let letters = format!("{}/letters", site.endpoints().login_url);
    let form = [
        ("name", "Zo\u{eb} Field"),
        ("from", "zoe@customer.example"),
        ("to", "support@harbourlights.example"),
        ("subject", "Broken\r\nBcc: x@y.example"),
        ("body", "The lamp is <b>dark</b>."),
    ];
    assert!(site.post(&letters, &form).body.contains("Sent."));
    let inbox = site
        .world()
        .folder("support@harbourlights.example", "INBOX");
    assert_eq!(inbox.len(), before + 1);
    let raw = &inbox.last().unwrap().raw;
    let parsed = mail_parser::MessageParser::default()
        .parse(raw.as_ref())
        .unwrap();
    assert_eq!(
        parsed.from().unwrap().first().unwrap().name(),
        Some("Zo\u{eb} Field")
    );
    assert!(
        parsed.bcc().is_none(),
        "a subject cannot smuggle in a header"
    );
    let wrong = [
        ("from", "no address"),
        ("to", "support@harbourlights.example"),
    ];
    assert!(
        site.post(&letters, &wrong)
            .body
            .contains("Nothing was sent")
    );
}

#[test]
fn paths_that_do_not_exist_are_not_found() {
    let site = Site::start();
    for path in ["/x", "/common/oauth2/token", "/graphs"] {
        assert_eq!(
            site.get(&format!("{}{path}", site.endpoints().login_url))
                .status,
            404,
            "{path}"
        );
    }
}

#[test]
fn with_people_the_support_mailbox_has_mail_and_replies_are_answered() {
    let simulator = Simulator::start(Options {
        people: true,
        ..Options::default()
    })
    .unwrap();
    let demo = simulator.populate("http://localhost:8025/microsoft/callback");
    let inbox = || simulator.world().folder(&demo.support_address, "INBOX");
    let before = inbox();
    assert!(!before.is_empty());
    let raw = format!(
        "From: {0}\r\nTo: nora@customer.example\r\nSubject: Re: lamp\r\nMessage-ID: <r@x.example>\r\n\r\nHi\r\n",
        demo.support_address
    );
    let submission = Submission {
        mailbox: demo.support_address.clone(),
        mail_from: demo.support_address.clone(),
        recipients: vec!["nora@customer.example".into()],
        raw: raw.into_bytes(),
        via: Via::Smtp,
        save_to_sent: true,
        at: simulator.world().clock().now(),
        effective_message_id: String::new(),
    };
    simulator.world().submit(submission).unwrap();
    let deadline = Instant::now() + Duration::from_secs(15);
    let answered = || {
        inbox()
            .iter()
            .any(|mail| headers::get(&mail.raw, "In-Reply-To").as_deref() == Some("<r@x.example>"))
    };
    while !answered() {
        assert!(Instant::now() < deadline, "nobody answered");
        simulator
            .world()
            .wait_for_change(simulator.world().generation(), Duration::from_millis(200));
    }
}
