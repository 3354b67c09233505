//! What machines ask.

use mailhatch::model::MailboxId;
use mailhatch::work::status::{Health, Line, LoopName};

use crate::support::site::Site;

fn site() -> Site {
    let site = Site::with(&[("MAILHATCH_METRICS_TOKEN", "t0ken")]);
    site.mailbox("support@example.com", "Support");
    let board = site.context.services.work.board();
    board.set(
        LoopName::Poll(MailboxId(1)),
        Line::new(Health::Good, "Watches support@example.com."),
    );
    board.set(
        LoopName::Janitor,
        Line::new(Health::Busy, "Makes a backup."),
    );
    site
}

#[test]
fn healthz_says_ok_while_the_store_answers() {
    let answer = site().browser().get("/healthz");
    assert_eq!((answer.status, answer.body.as_str()), (200, "ok"));
}

#[test]
fn readyz_names_each_part_and_no_address_without_the_token() {
    let site = site();
    let mut browser = site.browser();
    let answer = browser.get("/readyz");
    assert_eq!(answer.status, 200);
    let told: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    let names: Vec<_> = told["parts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| part["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["store", "poll:1", "janitor"]);
    assert_eq!(told["ready"], true);
    assert!(!answer.body.contains("support@"), "{}", answer.body);
    browser.headers = vec![("authorization".to_owned(), "Bearer wrong".to_owned())];
    assert!(!browser.get("/readyz").body.contains("support@"));
    browser.headers = vec![("authorization".to_owned(), "Bearer t0ken".to_owned())];
    assert!(
        browser
            .get("/readyz")
            .body
            .contains("\"mailbox\":\"support@example.com\"")
    );
}

#[test]
fn readyz_is_503_when_a_part_has_stopped() {
    let site = site();
    let board = site.context.services.work.board();
    board.set(
        LoopName::Poll(MailboxId(1)),
        Line::new(Health::Stopped, "Needs a sign-in."),
    );
    let answer = site.browser().get("/readyz");
    assert_eq!(answer.status, 503);
    assert!(
        answer.body.contains("\"ready\":false") && answer.body.contains("\"stopped\""),
        "{}",
        answer.body
    );
}

#[test]
fn metrics_are_for_this_machine_or_with_the_token() {
    let site = site();
    let mut browser = site.browser();
    let local = browser.get("/metrics");
    assert_eq!(local.status, 200);
    assert!(
        local.body.contains("# EOF") && !local.body.contains("support@"),
        "{}",
        local.body
    );
    // A proxy on this machine asks for somebody else.
    let forwarded = ("x-forwarded-for".to_owned(), "203.0.113.5".to_owned());
    browser.headers = vec![forwarded.clone()];
    assert_eq!(browser.get("/metrics").status, 404);
    browser.headers = vec![
        forwarded,
        ("authorization".to_owned(), "Bearer t0ken".to_owned()),
    ];
    assert_eq!(browser.get("/metrics").status, 200);
}
