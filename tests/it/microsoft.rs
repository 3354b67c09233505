//! The Entra app's page and the way back from Microsoft, with everything that can come back.

use mailhatch::model::{MailboxStatus, Role};
use mailhatch::store;
use mailhatch_simulator::entra::Audience;
use mailhatch_simulator::faults::{Action, Point};

use crate::support::office::{ADMIN, Office, checked, path_of, text_of};
use crate::support::site::{Answer, NOW, Site};

fn mailboxes(office: &Office) -> usize {
    office
        .site
        .store()
        .read(store::mailboxes::list)
        .unwrap()
        .len()
}

fn is_refused(answer: &Answer, status: u16, words: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert!(answer.body.contains(words), "{words} in {}", answer.body);
    assert!(
        answer.body.contains("Start again") || answer.body.contains("Sign in"),
        "{}",
        answer.body
    );
}

#[test]
fn a_sign_in_that_took_too_long_is_a_bad_request_and_can_be_started_again() {
    let office = Office::new();
    let mut admin = office.admin();
    let url = office.leave(&mut admin, "");
    let back = office.consent(&url, &office.demo.support_upn);
    office.site.clock.advance(601);
    is_refused(&admin.get(&back), 400, "took longer than ten minutes");
    assert_eq!(mailboxes(&office), 0);
}

#[test]
fn an_answer_that_failed_once_cannot_be_replayed() {
    let office = Office::new();
    let mut admin = office.admin();
    let url = office.leave(&mut admin, "");
    let declined = path_of(
        &office
            .simulator
            .entra()
            .decline(&url, &office.demo.support_upn)
            .unwrap(),
    );
    assert_eq!(admin.get(&declined).status, 200);
    is_refused(&admin.get(&declined), 400, "has been used already");
}

#[test]
fn a_state_nobody_began_is_a_bad_request() {
    let office = Office::new();
    let mut admin = office.admin();
    let answer = admin.get("/microsoft/callback?code=abc&state=made-up");
    is_refused(&answer, 400, "that Mailhatch did not begin");
    is_refused(
        &admin.get("/microsoft/callback"),
        400,
        "that Mailhatch did not begin",
    );
}

#[test]
fn another_browsers_state_is_refused() {
    let office = Office::new();
    office.site.agent("eve@example.com", "Eve", Role::Admin);
    let mut admin = office.admin();
    let url = office.leave(&mut admin, "");
    let back = office.consent(&url, &office.demo.support_upn);
    let mut other = office.site.signed_in("eve@example.com");
    is_refused(&other.get(&back), 400, "begun in another browser");
    // The one who began it is not harmed by that.
    assert_eq!(admin.get(&back).status, 303);
    assert_eq!(mailboxes(&office), 1);
}

#[test]
fn a_browser_that_comes_back_signed_out_is_told_so() {
    let office = Office::new();
    let mut admin = office.admin();
    let url = office.leave(&mut admin, "");
    let back = office.consent(&url, &office.demo.support_upn);
    let answer = office.site.browser().get(&back);
    is_refused(&answer, 400, "you are not signed in to Mailhatch");
    assert!(answer.body.contains("href=\"/sign-in"), "{}", answer.body);
    assert_eq!(mailboxes(&office), 0);
}

#[test]
fn who_presses_cancel_at_microsoft_reads_that_nothing_was_connected() {
    let office = Office::new();
    let mut admin = office.admin();
    let url = office.leave(&mut admin, "");
    let back = path_of(
        &office
            .simulator
            .entra()
            .decline(&url, &office.demo.support_upn)
            .unwrap(),
    );
    let answer = admin.get(&back);
    is_refused(&answer, 200, "Not connected");
    assert!(
        answer.body.contains("access_denied") || answer.body.contains("AADSTS65004"),
        "{}",
        answer.body
    );
    assert_eq!(mailboxes(&office), 0);
}

#[test]
fn missing_consent_names_the_administrator_and_gives_the_link_to_send() {
    let office = Office::new();
    let mut admin = office.admin();
    let url = office.leave(&mut admin, "");
    let text = "The user or administrator has not consented to use the application.";
    let refusal = Action::Entra(
        302,
        "interaction_required".to_owned(),
        65001,
        text.to_owned(),
    );
    office.simulator.faults().once(Point::Authorize, refusal);
    let answer = admin.get(&office.consent(&url, &office.demo.support_upn));
    is_refused(&answer, 200, "AADSTS65001");
    assert!(
        answer.body.contains("/adminconsent?client_id="),
        "{}",
        answer.body
    );
    assert!(
        answer
            .body
            .contains("For the organisation&#39;s administrator")
            || answer.body.contains("For the organisation's administrator"),
        "{}",
        answer.body
    );
    assert_eq!(mailboxes(&office), 0);
}

#[test]
fn a_wrong_secret_is_explained_when_the_code_is_redeemed() {
    let office = Office::with(&[("AZURE_APP_SECRET", "not-the-right-one-at-all")]);
    let mut admin = office.admin();
    let url = office.leave(&mut admin, "");
    let answer = admin.get(&office.consent(&url, &office.demo.support_upn));
    is_refused(&answer, 200, "AADSTS7000215");
    assert_eq!(mailboxes(&office), 0);
}

#[test]
fn an_administrator_agrees_for_the_organisation_and_comes_back() {
    let office = Office::new();
    office
        .simulator
        .entra()
        .update_app(&office.demo.client_id, |app| app.admin_consented = false);
    let mut admin = office.admin();
    let page = admin.get("/admin/microsoft");
    let answer = admin.post("/admin/microsoft/consent", &page, &[]);
    assert_eq!(answer.status, 303);
    let url = answer.header("location").to_owned();
    assert!(url.contains("/adminconsent?"), "{url}");
    let back = office
        .simulator
        .entra()
        .approve_as_admin(&url, &office.demo.admin_upn)
        .unwrap();
    let answer = admin.get(&path_of(&back));
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, "/mailboxes/new")
    );
    assert!(admin.get("/mailboxes/new").body.contains("has agreed"));
    office.connect(&mut admin, "", &office.demo.support_upn);
}

#[test]
fn an_administrator_who_was_sent_the_link_is_thanked_without_being_anybody_here() {
    let office = Office::new();
    let page = office.admin().get("/admin/microsoft");
    let link = text_of(&page, "consent-url");
    let back = office
        .simulator
        .entra()
        .approve_as_admin(&link, &office.demo.admin_upn)
        .unwrap();
    let answer = office.site.browser().get(&path_of(&back));
    assert_eq!(answer.status, 200);
    assert!(
        answer.body.contains("you can close this page"),
        "{}",
        answer.body
    );
}

#[test]
fn a_mailbox_signs_in_again_and_works_again() {
    let office = Office::new();
    let mut admin = office.admin();
    let id = office.connect(&mut admin, "", &office.demo.support_upn);
    checked(&mut admin, id);
    office
        .site
        .store()
        .write(|tx| store::mailboxes::update_status(tx, id, MailboxStatus::NeedsSignIn, None, NOW))
        .unwrap();
    let page = admin.get(&format!("/mailboxes/{id}"));
    let answer = admin.post(&format!("/mailboxes/{id}/sign-in"), &page, &[]);
    assert_eq!(answer.status, 303);
    let back = office.consent(answer.header("location"), &office.demo.support_upn);
    let answer = admin.get(&back);
    assert_eq!(answer.header("location"), format!("/mailboxes/{id}"));
    assert_eq!(office.mailbox(id).unwrap().status, MailboxStatus::Active);
}

#[test]
fn another_person_cannot_take_over_a_mailbox_by_signing_in_again() {
    let office = Office::new();
    let mut admin = office.admin();
    let id = office.connect(&mut admin, "", &office.demo.support_upn);
    let page = checked(&mut admin, id);
    let answer = admin.post(&format!("/mailboxes/{id}/sign-in"), &page, &[]);
    let stranger = office.demo.staff_upns[0].clone();
    let answer = admin.get(&office.consent(answer.header("location"), &stranger));
    is_refused(
        &answer,
        200,
        &format!("{stranger} signed in, but this mailbox was connected by"),
    );
    assert!(
        answer
            .body
            .contains(&format!("action=\"/mailboxes/{id}/sign-in\"")),
        "{}",
        answer.body
    );
    assert_eq!(office.mailbox(id).unwrap().upn, office.demo.support_upn);
}

#[test]
fn the_page_shows_the_guide_with_this_installations_addresses() {
    let office = Office::with(&[("MAILHATCH_URL", "https://desk.example.com")]);
    let page = office.admin().get("/admin/microsoft");
    for words in [
        "https://desk.example.com/microsoft/callback",
        "guide-1-give-mailhatch-an-address-microsoft-accepts",
        "from the environment; they win over this page",
        "Grant admin consent",
    ] {
        assert!(page.body.contains(words), "{words} in {}", page.body);
    }
    assert!(
        !page.body.contains("MAILHATCH_URL&gt;/microsoft"),
        "{}",
        page.body
    );
    assert!(!page.body.contains("ADMIN_CONSENT_URL"), "{}", page.body);
    assert!(
        !page.body.contains("First give Mailhatch an address"),
        "{}",
        page.body
    );
}

#[test]
fn a_plain_http_address_is_warned_of_before_the_visit_to_entra() {
    for (url, warned) in [
        ("http://desk.example.com", true),
        ("http://127.0.0.1:8025", true),
        ("http://localhost:8025", false),
        ("https://desk.example.com", false),
    ] {
        let site = Site::with(&[("MAILHATCH_URL", url)]);
        site.agent(ADMIN, "Alex", Role::Admin);
        let mut admin = site.signed_in(ADMIN);
        let page = admin.get("/admin/microsoft");
        let has = page
            .body
            .contains("First give Mailhatch an address Microsoft accepts");
        assert_eq!(has, warned, "{url}: {}", page.body);
    }
}

#[test]
fn the_app_is_entered_on_the_page_and_checked_at_microsoft() {
    let office = Office::with(&[("AZURE_APP_ID", ""), ("AZURE_APP_SECRET", "")]);
    let demo = &office.demo;
    let mut admin = office.admin();
    let page = admin.get("/admin/microsoft");
    let fields = [
        ("client_id", demo.client_id.as_str()),
        ("secret", demo.client_secret.as_str()),
        ("tenant", demo.tenant_id.as_str()),
        ("cloud", "global"),
        ("secret_expires_on", ""),
    ];
    let answer = admin.post("/admin/microsoft", &page, &fields);
    assert_eq!(answer.status, 303, "{}", answer.body);
    let page = admin.get("/admin/microsoft");
    assert!(page.body.contains("Set up"), "{}", page.body);
    assert!(
        !page.body.contains(&demo.client_secret),
        "the secret is shown"
    );
    assert_eq!(admin.post("/admin/microsoft/check", &page, &[]).status, 303);
    assert!(
        admin
            .get("/mailboxes/new")
            .body
            .contains("action=\"/mailboxes\"")
    );

    // An empty secret keeps the stored one; a wrong one is found by the check.
    let kept = [
        ("client_id", demo.client_id.as_str()),
        ("tenant", demo.tenant_id.as_str()),
        ("cloud", "global"),
    ];
    admin.post("/admin/microsoft", &page, &kept);
    assert_eq!(admin.post("/admin/microsoft/check", &page, &[]).status, 303);
    let wrong = [
        ("client_id", demo.client_id.as_str()),
        ("secret", "wrong~secret"),
        ("tenant", demo.tenant_id.as_str()),
        ("cloud", "global"),
    ];
    admin.post("/admin/microsoft", &page, &wrong);
    let answer = admin.post("/admin/microsoft/check", &page, &[]);
    assert_eq!(answer.status, 422);
    assert!(
        answer.body.contains("Microsoft does not accept it"),
        "{}",
        answer.body
    );
    assert!(answer.body.contains("AADSTS7000215"), "{}", answer.body);
}

#[test]
fn a_mistake_in_the_form_stands_at_its_field_and_stores_nothing() {
    let office = Office::with(&[("AZURE_APP_ID", ""), ("AZURE_APP_SECRET", "")]);
    let good = office.demo.client_id.clone();
    let id_for_secret = office.demo.client_secret_id.clone();
    let mut admin = office.admin();
    let page = admin.get("/admin/microsoft");
    for (field, fields) in [
        (
            "client_id",
            vec![("client_id", "mailhatch"), ("secret", "x")],
        ),
        (
            "secret",
            vec![
                ("client_id", good.as_str()),
                ("secret", id_for_secret.as_str()),
            ],
        ),
        ("secret", vec![("client_id", good.as_str())]),
        (
            "certificate",
            vec![
                ("client_id", good.as_str()),
                ("certificate", "-----BEGIN CERTIFICATE-----"),
            ],
        ),
        (
            "tenant",
            vec![
                ("client_id", good.as_str()),
                ("secret", "x"),
                ("tenant", "a tenant"),
            ],
        ),
        (
            "cloud",
            vec![
                ("client_id", good.as_str()),
                ("secret", "x"),
                ("cloud", "mars"),
            ],
        ),
        (
            "expires",
            vec![
                ("client_id", good.as_str()),
                ("secret", "x"),
                ("secret_expires_on", "soon"),
            ],
        ),
    ] {
        let answer = admin.post("/admin/microsoft", &page, &fields);
        assert_eq!(answer.status, 422, "{field}");
        assert!(
            answer.body.contains(&format!("id=\"{field}-mistake\"")),
            "{field}: {}",
            answer.body
        );
    }
    assert!(
        admin
            .get("/mailboxes/new")
            .body
            .contains("No Entra app has been set up yet.")
    );
}

#[test]
fn the_end_of_the_secret_is_told_to_administrators_from_sixty_days_on() {
    let office = Office::new();
    office.site.agent("ada@example.com", "Ada", Role::Agent);
    let mut admin = office.admin();
    let page = admin.get("/admin/microsoft");
    // The clock stands at 2027-01-15.
    for (day, words) in [
        ("2027-03-17", None),
        ("2027-03-16", Some("ends in 60 days")),
        ("2027-01-16", Some("ends tomorrow")),
        ("2027-01-10", Some("ended 5 days ago")),
    ] {
        let saved = admin.post(
            "/admin/microsoft",
            &page,
            &[
                ("tenant", "common"),
                ("cloud", "global"),
                ("secret_expires_on", day),
            ],
        );
        assert_eq!(saved.status, 303, "{}", saved.body);
        admin.get("/admin/microsoft");
        let inbox = admin.get("/");
        match words {
            Some(words) => assert!(inbox.body.contains(words), "{day}: {}", inbox.body),
            None => assert!(
                !inbox.body.contains("The Entra app"),
                "{day}: {}",
                inbox.body
            ),
        }
    }
    let agent = office.site.signed_in("ada@example.com").get("/");
    assert!(!agent.body.contains("secret ended"), "{}", agent.body);
}

#[test]
fn a_single_tenant_app_asked_at_common_is_explained_by_the_check() {
    let office = Office::new();
    office
        .simulator
        .entra()
        .update_app(&office.demo.client_id, |app| {
            app.audience = Audience::SingleTenant
        });
    let mut admin = office.admin();
    let url = office.leave(&mut admin, "");
    // Entra shows this on its own page: the browser never comes back, and the guide says so.
    let shown = office
        .simulator
        .entra()
        .consent(&url, &office.demo.support_upn)
        .unwrap_err();
    assert!(shown.contains("AADSTS50194"), "{shown}");
    assert!(admin.get("/admin/microsoft").body.contains("AADSTS50194"));
}
