//! Signing in and out.

use mailhatch::model::Role;
use mailhatch::store;

use crate::support::site::{PASSWORD, Site};

fn site() -> Site {
    let site = Site::empty();
    site.agent("ada@example.com", "Ada Lovelace", Role::Admin);
    site
}

#[test]
fn a_visitor_is_sent_to_sign_in_and_then_where_they_wanted() {
    let site = site();
    let mut browser = site.browser();
    let asked = browser.get("/outbox?x=1");
    assert_eq!(
        (asked.status, asked.header("location")),
        (303, "/sign-in?next=%2Foutbox%3Fx%3D1")
    );
    let form = browser.get(asked.header("location"));
    assert_eq!(form.hidden("next"), "/outbox?x=1");
    let answer = browser.post(
        "/sign-in",
        &form,
        &[
            ("email", "ADA@example.com"),
            ("password", PASSWORD),
            ("next", "/outbox?x=1"),
        ],
    );
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, "/outbox?x=1")
    );
    let cookie = answer.header("set-cookie");
    assert!(
        cookie.starts_with("mailhatch_session=") && cookie.contains("HttpOnly"),
        "{cookie}"
    );
    assert!(
        cookie.contains("SameSite=Lax") && !cookie.contains("Secure"),
        "{cookie}"
    );
    assert_eq!(browser.get("/outbox").status, 200);
}

#[test]
fn over_https_the_cookie_is_bound_to_the_host() {
    let site = Site::with(&[("MAILHATCH_URL", "https://desk.example.com")]);
    site.agent("ada@example.com", "Ada", Role::Admin);
    let mut browser = site.browser();
    let form = browser.get("/sign-in");
    assert!(form.header("strict-transport-security").contains("max-age"));
    let answer = browser.post(
        "/sign-in",
        &form,
        &[("email", "ada@example.com"), ("password", PASSWORD)],
    );
    let cookie = answer.header("set-cookie");
    assert!(
        cookie.starts_with("__Host-mailhatch_session=") && cookie.contains("Secure"),
        "{cookie}"
    );
    assert!(
        cookie.contains("Path=/") && !cookie.contains("Domain"),
        "{cookie}"
    );
}

#[test]
fn nobody_is_led_to_another_site() {
    let site = site();
    for next in ["https://evil.example/", "//evil.example", "/\\evil.example"] {
        let mut browser = site.browser();
        let form = browser.get("/sign-in");
        let fields = [
            ("email", "ada@example.com"),
            ("password", PASSWORD),
            ("next", next),
        ];
        assert_eq!(
            browser.post("/sign-in", &form, &fields).header("location"),
            "/",
            "{next}"
        );
    }
}

#[test]
fn a_wrong_password_and_an_unknown_address_get_the_same_answer() {
    let site = site();
    let mut browser = site.browser();
    let form = browser.get("/sign-in");
    let mut answers = Vec::new();
    for email in ["ada@example.com", "nobody@example.com"] {
        let answer = browser.post(
            "/sign-in",
            &form,
            &[("email", email), ("password", "not the password")],
        );
        assert_eq!(answer.status, 422);
        assert!(answer.body.contains(&format!("value=\"{email}\"")));
        let start = answer.body.find("class=\"mistake\"").unwrap();
        answers.push(
            answer
                .body
                .split_at(start)
                .1
                .split("</p>")
                .next()
                .unwrap()
                .to_owned(),
        );
    }
    assert_eq!(answers[0], answers[1]);
    assert!(answers[0].contains("do not belong together"));
}

#[test]
fn after_five_failures_even_the_right_password_waits_a_quarter_of_an_hour() {
    let site = site();
    let mut browser = site.browser();
    let form = browser.get("/sign-in");
    for _ in 0..5 {
        let fields = [
            ("email", "ada@example.com"),
            ("password", "not the password"),
        ];
        assert_eq!(browser.post("/sign-in", &form, &fields).status, 422);
    }
    let right = [("email", "Ada@Example.com"), ("password", PASSWORD)];
    let refused = browser.post("/sign-in", &form, &right);
    assert_eq!(refused.status, 429);
    assert!(refused.body.contains("Wait 15 minutes"));
    site.clock.advance(15 * 60 + 1);
    assert_eq!(browser.post("/sign-in", &form, &right).status, 303);
}

#[test]
fn twenty_failures_of_one_client_stop_it_for_every_address() {
    let site = site();
    site.store()
        .write(|tx| -> store::Result<()> {
            for number in 0..20 {
                let email = format!("a{number}@example.com");
                store::sign_in_failures::insert(tx, &email, "198.51.100.7", site.clock.now())?;
            }
            Ok(())
        })
        .unwrap();
    let right = [("email", "ada@example.com"), ("password", PASSWORD)];
    let mut browser = site.browser();
    let form = browser.get("/sign-in");
    // The proxy on this machine is believed, and says who asks.
    browser.headers = vec![("x-forwarded-for".to_owned(), "198.51.100.7".to_owned())];
    assert_eq!(browser.post("/sign-in", &form, &right).status, 429);
    browser.headers = vec![("x-forwarded-for".to_owned(), "198.51.100.8".to_owned())];
    assert_eq!(browser.post("/sign-in", &form, &right).status, 303);
}

#[test]
fn signing_out_ends_the_session_on_the_server_too() {
    let site = site();
    let mut browser = site.signed_in("ada@example.com");
    let kept = browser.cookies.clone();
    let page = browser.get("/");
    assert_eq!(browser.post_bare("/sign-out", &[]).status, 403);
    let answer = browser.post("/sign-out", &page, &[]);
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, "/sign-in")
    );
    browser.cookies = kept;
    assert_eq!(browser.get("/outbox").status, 303);
}

#[test]
fn a_disabled_agent_is_out_at_once_and_cannot_come_back() {
    let site = site();
    let id = site.agent("ben@example.com", "Ben", Role::Agent);
    let mut browser = site.signed_in("ben@example.com");
    assert_eq!(browser.get("/").status, 200);
    site.store()
        .write(|tx| store::agents::update_disabled(tx, id, Some(1)))
        .unwrap();
    assert_eq!(browser.get("/outbox").status, 303);
    let form = browser.get("/sign-in");
    let fields = [("email", "ben@example.com"), ("password", PASSWORD)];
    assert_eq!(browser.post("/sign-in", &form, &fields).status, 422);
}

#[test]
fn a_form_of_another_session_is_refused() {
    let site = site();
    site.agent("ben@example.com", "Ben", Role::Agent);
    let theirs = site.signed_in("ben@example.com").get("/");
    let mut browser = site.signed_in("ada@example.com");
    assert_eq!(browser.post("/sign-out", &theirs, &[]).status, 403);
    assert_eq!(browser.get("/outbox").status, 200);
}

#[test]
fn every_page_forbids_what_it_does_not_need() {
    let site = site();
    let mut browser = site.signed_in("ada@example.com");
    for path in ["/", "/sign-in", "/outbox", "/nowhere"] {
        let page = browser.get(path);
        let policy = page.header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("form-action 'self'"),
            "{path}: {policy}"
        );
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert_eq!(page.header("x-frame-options"), "DENY");
        assert_eq!(page.header("cache-control"), "no-store");
        assert!(
            !page.body.contains("<style") && !page.body.contains(" style="),
            "{path}"
        );
        assert!(
            !page.body.contains(" onclick=") && !page.body.contains("<script>"),
            "{path}"
        );
    }
}

#[test]
fn a_chosen_theme_stays_and_leads_back() {
    let site = site();
    let mut browser = site.browser();
    let page = browser.get("/sign-in");
    let answer = browser.post("/theme", &page, &[("theme", "dark"), ("back", "/sign-in")]);
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, "/sign-in")
    );
    assert!(browser.get("/sign-in").body.contains("data-theme=\"dark\""));
}

#[test]
fn assets_are_kept_for_ever_under_their_own_hash_only() {
    let site = site();
    let mut browser = site.browser();
    let page = browser.get("/sign-in");
    let start = page.body.find("/static/").unwrap();
    let url = page
        .body
        .split_at(start)
        .1
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    let asset = browser.get(&url);
    assert_eq!(asset.status, 200);
    assert!(asset.header("cache-control").contains("immutable"));
    let old = browser.get("/static/000000000000/app.css");
    assert_eq!((old.status, old.header("cache-control")), (200, "no-cache"));
    assert!(old.header("content-type").starts_with("text/css"));
    assert_eq!(browser.get("/static/0/../Cargo.toml").status, 404);
    assert_eq!(browser.get("/static/0/missing.css").status, 404);
}
