//! The first administrator.

use mailhatch::model::Role;
use mailhatch::store;

use crate::support::site::{PASSWORD, Site};

const FORM: [(&str, &str); 4] = [
    ("name", "Ada Lovelace"),
    ("email", "ada@example.com"),
    ("password", PASSWORD),
    ("password_again", PASSWORD),
];

#[test]
fn an_empty_installation_leads_to_setup_and_setup_to_the_inbox() {
    let site = Site::empty();
    let mut browser = site.browser();
    assert_eq!(browser.get("/").header("location"), "/setup");
    assert_eq!(browser.get("/sign-in").header("location"), "/setup");
    let page = browser.get("/setup");
    assert_eq!(page.status, 200);
    let made = browser.post("/setup", &page, &FORM);
    assert_eq!((made.status, made.header("location")), (303, "/"));
    let inbox = browser.get("/");
    assert_eq!(inbox.status, 200);
    assert!(inbox.body.contains("Ada Lovelace") && inbox.body.contains("Add a mailbox"));
    let agents = site.store().read(store::agents::list).unwrap();
    assert_eq!((agents.len(), agents[0].role), (1, Role::Admin));
}

#[test]
fn setup_is_gone_once_there_is_an_agent() {
    let site = Site::empty();
    let mut browser = site.browser();
    let page = browser.get("/setup");
    site.agent("first@example.com", "First", Role::Admin);
    assert_eq!(browser.get("/setup").header("location"), "/sign-in");
    assert_eq!(
        browser.post("/setup", &page, &FORM).header("location"),
        "/sign-in"
    );
    assert_eq!(site.store().read(store::agents::count).unwrap(), 1);
}

#[test]
fn of_many_who_set_up_at_once_one_wins() {
    let site = Site::empty();
    std::thread::scope(|scope| {
        for number in 0..6 {
            let site = &site;
            scope.spawn(move || {
                let mut browser = site.browser();
                let page = browser.get("/setup");
                let email = format!("a{number}@example.com");
                let mut form = FORM;
                form[1].1 = &email;
                assert_eq!(browser.post("/setup", &page, &form).status, 303);
            });
        }
    });
    assert_eq!(site.store().read(store::agents::count).unwrap(), 1);
}

#[test]
fn a_mistake_is_told_at_its_field_and_keeps_the_others() {
    let site = Site::empty();
    let mut browser = site.browser();
    let page = browser.get("/setup");
    for (field, value, sentence) in [
        ("name", " ", "Say how colleagues"),
        ("email", "ada", "Write a whole address"),
        ("password", "short", "at least 10 characters"),
        (
            "password_again",
            "another one entirely",
            "not the same password",
        ),
    ] {
        let mut form = FORM;
        form.iter_mut().find(|(name, _)| *name == field).unwrap().1 = value;
        let answer = browser.post("/setup", &page, &form);
        assert_eq!(answer.status, 422, "{field}");
        assert!(answer.body.contains(sentence), "{field}: {}", answer.body);
        assert!(answer.body.contains("aria-invalid=\"true\""));
        assert!(
            !answer.body.contains(PASSWORD),
            "a password was written back"
        );
        if field != "email" {
            assert!(answer.body.contains("value=\"ada@example.com\""), "{field}");
        }
    }
    assert_eq!(site.store().read(store::agents::count).unwrap(), 0);
}

#[test]
fn a_form_without_the_mark_or_from_elsewhere_is_refused() {
    let site = Site::empty();
    let mut browser = site.browser();
    let page = browser.get("/setup");
    assert_eq!(browser.post_bare("/setup", &FORM).status, 403);
    let mut wrong = FORM.to_vec();
    wrong.push(("csrf", "AAAA"));
    assert_eq!(browser.post_bare("/setup", &wrong).status, 403);
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
    ] {
        browser.headers = vec![(name.to_owned(), value.to_owned())];
        let answer = browser.post("/setup", &page, &FORM);
        assert_eq!(answer.status, 403, "{name}: {value}");
        assert!(
            answer.body.contains("Nothing was changed"),
            "{}",
            answer.body
        );
    }
    browser.headers = vec![("origin".to_owned(), format!("http://{}", site.address))];
    assert_eq!(browser.post("/setup", &page, &FORM).status, 303);
}
