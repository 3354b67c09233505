//! Mailboxes: connected through the pretend Microsoft, checked, chosen for, and looked after.

use mailhatch::model::{MailboxId, MailboxStatus, Role, TakeFrom, WayOut};
use mailhatch::problem::{Disposition, Problem};
use mailhatch::store;
use mailhatch::work::wake::Wake;
use mailhatch::work::{PollStep, Poller, poll_step};
use mailhatch_simulator::world::SmtpAuth;

use crate::support::office::{Office, checked};
use crate::support::site::{NOW, Site};

const MAIL: &[u8] = b"From: Marta <marta@example.net>\r\nTo: support@harbourlights.example\r\nSubject: The lamp\r\nMessage-ID: <one@example.net>\r\n\r\nIt flickers.\r\n";

fn choose(office: &Office, id: MailboxId, fields: &[(&str, &str)]) -> crate::support::site::Answer {
    let mut admin = office.admin();
    let page = checked(&mut admin, id);
    let page = if page.body.contains("name=\"take_from\"") {
        page
    } else {
        panic!("{}", page.body)
    };
    admin.post(&format!("/mailboxes/{id}/choice"), &page, fields)
}

#[test]
fn a_mailbox_is_connected_checked_and_begins_with_all_its_mail() {
    let office = Office::new();
    office
        .simulator
        .world()
        .deliver(&office.demo.support_address, MAIL);
    let mut admin = office.admin();
    let id = office.connect(&mut admin, "", &office.demo.support_upn);
    let page = checked(&mut admin, id);
    for words in [
        "Receive (IMAP)",
        "The inbox can be read; messages in it: 1.",
        "Send (SMTP)",
        "Everything in the inbox",
        "1 message.",
        "Messages in 7 days: 1 ",
    ] {
        assert!(page.body.contains(words), "{words} in {}", page.body);
    }
    let answer = admin.post(
        &format!("/mailboxes/{id}/choice"),
        &page,
        &[("take_from", "all")],
    );
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, &*format!("/mailboxes/{id}"))
    );
    let mailbox = office.mailbox(id).unwrap();
    assert_eq!(
        (mailbox.status, mailbox.take_from),
        (MailboxStatus::Active, TakeFrom::All)
    );
    assert_eq!(mailbox.address, office.demo.support_address);

    let services = &office.site.context.services;
    let stepped = poll_step(services, &mut Poller::default(), id, &Wake::default());
    assert_eq!(stepped, PollStep::Synced(1));
    let page = admin.get(&format!("/mailboxes/{id}"));
    assert!(
        page.body
            .contains("Every message on the server is accounted for."),
        "{}",
        page.body
    );
    assert!(
        page.body.contains("<strong>1</strong> received"),
        "{}",
        page.body
    );
    assert!(admin.get("/").body.contains("The lamp"));
}

#[test]
fn a_reload_of_the_callback_leads_to_the_same_mailbox() {
    let office = Office::new();
    let mut admin = office.admin();
    let url = office.leave(&mut admin, "");
    let back = office.consent(&url, &office.demo.support_upn);
    let first = admin.get(&back);
    let second = admin.get(&back);
    assert_eq!((first.status, second.status), (303, 303));
    assert_eq!(first.header("location"), second.header("location"));
    assert_eq!(
        office
            .site
            .store()
            .read(store::mailboxes::list)
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn a_shared_mailbox_is_opened_by_a_person_who_may() {
    let office = Office::new();
    let mut admin = office.admin();
    let person = office.demo.staff_upns[0].clone();
    let id = office.connect(&mut admin, &office.demo.orders_address, &person);
    let mailbox = office.mailbox(id).unwrap();
    assert_eq!(
        (mailbox.shared, mailbox.upn.as_str()),
        (true, person.as_str())
    );
    let page = checked(&mut admin, id);
    assert!(
        page.body
            .contains(&format!("Signed in as {person} for the shared mailbox")),
        "{}",
        page.body
    );
    let list = admin.get("/mailboxes");
    assert!(
        list.body.contains(&format!("shared, opened by {person}")),
        "{}",
        list.body
    );
    assert!(list.body.contains("Not finished"), "{}", list.body);
}

#[test]
fn a_mailbox_without_smtp_sends_through_graph_and_says_so() {
    let office = Office::new();
    office
        .simulator
        .world()
        .update_user(&office.demo.support_upn, |user| {
            user.smtp_auth = SmtpAuth::DisabledForMailbox;
        });
    let mut admin = office.admin();
    let id = office.connect(&mut admin, "", &office.demo.support_upn);
    let page = checked(&mut admin, id);
    assert!(page.body.contains("Send (Graph)"), "{}", page.body);
    assert_eq!(office.mailbox(id).unwrap().way_out, WayOut::Graph);
    let page = admin.get(&format!("/mailboxes/{id}"));
    assert!(
        page.body.contains("Replies leave through Microsoft Graph"),
        "{}",
        page.body
    );
}

#[test]
fn a_mailbox_that_cannot_be_read_says_what_to_do_and_can_be_checked_again() {
    let office = Office::new();
    office
        .simulator
        .world()
        .update_user(&office.demo.support_upn, |user| user.imap_enabled = false);
    let mut admin = office.admin();
    let id = office.connect(&mut admin, "", &office.demo.support_upn);
    let page = checked(&mut admin, id);
    assert!(page.body.contains("check-bad"), "{}", page.body);
    assert!(
        page.body.contains("Set-CASMailbox") || page.body.contains("ImapEnabled"),
        "{}",
        page.body
    );

    office
        .simulator
        .world()
        .update_user(&office.demo.support_upn, |user| user.imap_enabled = true);
    let again = admin.post(&format!("/mailboxes/{id}/checks"), &page, &[]);
    assert_eq!(again.header("location"), format!("/mailboxes/{id}/checks"));
    let page = checked(&mut admin, id);
    assert!(!page.body.contains("check-bad"), "{}", page.body);
}

#[test]
fn a_number_of_days_that_makes_no_sense_is_refused_at_the_choice() {
    let office = Office::new();
    let mut admin = office.admin();
    let id = office.connect(&mut admin, "", &office.demo.support_upn);
    for (fields, sentence) in [
        (
            &[("take_from", "days"), ("days", "0")][..],
            "between 1 and 3650",
        ),
        (
            &[("take_from", "days"), ("days", "many")],
            "between 1 and 3650",
        ),
        (&[], "Choose one of the three."),
    ] {
        let answer = choose(&office, id, fields);
        assert_eq!(answer.status, 422);
        assert!(answer.body.contains(sentence), "{}", answer.body);
        assert_eq!(office.mailbox(id).unwrap().status, MailboxStatus::Choosing);
    }
    let answer = choose(&office, id, &[("take_from", "days"), ("days", "30")]);
    assert_eq!(answer.status, 303);
    let mailbox = office.mailbox(id).unwrap();
    assert_eq!(mailbox.take_since_at, Some(NOW - 30 * 86_400));
}

#[test]
fn a_mistyped_shared_address_comes_back_with_a_sentence_at_the_field() {
    let office = Office::new();
    let mut admin = office.admin();
    let page = admin.get("/mailboxes/new");
    let answer = admin.post("/mailboxes", &page, &[("mailbox_address", "orders")]);
    assert_eq!(answer.status, 422);
    assert!(
        answer
            .body
            .contains("Write the address of the shared mailbox"),
        "{}",
        answer.body
    );
    assert!(answer.body.contains("value=\"orders\""), "{}", answer.body);
}

#[test]
fn without_an_entra_app_microsoft_is_shown_disabled_with_the_reason() {
    let office = Office::with(&[("AZURE_APP_ID", ""), ("AZURE_APP_SECRET", "")]);
    let mut admin = office.admin();
    let page = admin.get("/mailboxes/new");
    for words in [
        "No Entra app has been set up yet.",
        "disabled",
        "href=\"/admin/microsoft\"",
    ] {
        assert!(page.body.contains(words), "{words} in {}", page.body);
    }
    assert!(
        !page.body.contains("action=\"/mailboxes\""),
        "{}",
        page.body
    );
    let answer = admin.post("/mailboxes", &page, &[("mailbox_address", "")]);
    assert_eq!(answer.status, 422);
    assert!(
        answer.body.contains("No Entra app is configured"),
        "{}",
        answer.body
    );
}

#[test]
fn a_paused_mailbox_stays_paused_until_it_is_resumed() {
    let site = Site::empty();
    site.agent("alex@example.com", "Alex", Role::Admin);
    let id = site.mailbox("support@example.com", "Support");
    let mut admin = site.signed_in("alex@example.com");
    let path = format!("/mailboxes/{id}");
    let status = |site: &Site| {
        site.store()
            .read(|db| store::mailboxes::find(db, id))
            .unwrap()
            .unwrap()
            .status
    };
    let page = admin.get(&path);
    assert_eq!(admin.post(&format!("{path}/pause"), &page, &[]).status, 303);
    assert_eq!(status(&site), MailboxStatus::Paused);
    let page = admin.get(&path);
    assert!(
        page.body.contains("Mail waits at the provider"),
        "{}",
        page.body
    );
    admin.post(&format!("{path}/sync"), &page, &[]);
    assert!(
        admin
            .get(&path)
            .body
            .contains("This mailbox is paused. Resume it first.")
    );
    assert_eq!(
        admin.post(&format!("{path}/resumption"), &page, &[]).status,
        303
    );
    assert_eq!(status(&site), MailboxStatus::Active);
}

#[test]
fn settings_are_saved_and_a_signature_is_cleaned() {
    let site = Site::empty();
    site.agent("alex@example.com", "Alex", Role::Admin);
    let id = site.mailbox("support@example.com", "Support");
    let mut admin = site.signed_in("alex@example.com");
    let path = format!("/mailboxes/{id}");
    let stored = |site: &Site| {
        site.store()
            .read(|db| store::mailboxes::find(db, id))
            .unwrap()
            .unwrap()
    };
    let page = admin.get(&path);
    let fields = [
        ("name", "Harbour Lights"),
        ("poll_cron", "0 */5 * * * *"),
        ("signature", "Harbour Lights"),
        (
            "html",
            "<div><b>Harbour</b> Lights<script>alert(1)</script></div>",
        ),
        ("edited_with", "editor"),
    ];
    assert_eq!(admin.post(&path, &page, &fields).status, 303);
    let mailbox = stored(&site);
    assert_eq!(
        (mailbox.name.as_str(), mailbox.poll_cron.as_str()),
        ("Harbour Lights", "0 */5 * * * *")
    );
    assert!(
        mailbox.signature_html.contains("<b>Harbour</b>"),
        "{}",
        mailbox.signature_html
    );
    assert!(
        !mailbox.signature_html.contains("script"),
        "{}",
        mailbox.signature_html
    );
    let page = admin.get(&path);
    assert!(page.body.contains("Every 5 minutes."), "{}", page.body);
    // A box that is not ticked sends nothing.
    assert!(!mailbox.new_subject_splits);
    let splits = "name=\"new_subject_splits\" value=\"yes\"";
    assert!(page.body.contains(splits), "{}", page.body);
    let ticked = [&fields[..], &[("new_subject_splits", "yes")]].concat();
    admin.post(&path, &page, &ticked);
    assert!(stored(&site).new_subject_splits);

    // Without the editor: untouched text keeps its form, typed text is taken as it is.
    let plain = [
        ("name", "Harbour Lights"),
        ("poll_cron", "0 * * * * *"),
        ("signature", "Harbour Lights"),
    ];
    admin.post(&path, &page, &plain);
    assert!(stored(&site).signature_html.contains("<b>Harbour</b>"));
    let plain = [
        ("name", "Harbour Lights"),
        ("poll_cron", "0 * * * * *"),
        ("signature", "Ann & Ben\nHarbour Lights"),
    ];
    admin.post(&path, &page, &plain);
    assert_eq!(
        stored(&site).signature_html,
        "Ann &amp; Ben<br>\nHarbour Lights"
    );
}

#[test]
fn wrong_settings_come_back_with_a_sentence_at_the_field_and_change_nothing() {
    let site = Site::empty();
    site.agent("alex@example.com", "Alex", Role::Admin);
    let id = site.mailbox("support@example.com", "Support");
    let mut admin = site.signed_in("alex@example.com");
    let path = format!("/mailboxes/{id}");
    let page = admin.get(&path);
    let answer = admin.post(
        &path,
        &page,
        &[
            ("name", ""),
            ("poll_cron", "each minute"),
            ("signature", ""),
        ],
    );
    assert_eq!(answer.status, 422);
    for words in [
        "id=\"name-mistake\"",
        "id=\"cron-mistake\"",
        "value=\"each minute\"",
    ] {
        assert!(answer.body.contains(words), "{words} in {}", answer.body);
    }
    let kept = site
        .store()
        .read(|db| store::mailboxes::find(db, id))
        .unwrap()
        .unwrap();
    assert_eq!(
        (kept.name.as_str(), kept.poll_cron.as_str()),
        ("Support", "0 * * * * *")
    );
}

#[test]
fn a_problem_is_shown_with_remedy_link_and_command() {
    let site = Site::empty();
    site.agent("alex@example.com", "Alex", Role::Admin);
    let id = site.mailbox("support@example.com", "Support");
    let problem = Problem::new(
        "AADSTS50173",
        Disposition::NeedsSignIn,
        "The password was <reset>.",
        "Sign in again.",
    )
    .with_link("https://example.com/help")
    .with_command("Get-CASMailbox support@example.com");
    site.store()
        .write(|tx| {
            let status = MailboxStatus::NeedsSignIn;
            store::mailboxes::update_status(tx, id, status, Some(&problem), NOW)
        })
        .unwrap();
    let mut admin = site.signed_in("alex@example.com");
    for path in ["/mailboxes".to_owned(), format!("/mailboxes/{id}")] {
        let page = admin.get(&path);
        for words in [
            "Sign in again",
            "The password was &#60;reset&#62;.",
            "https://example.com/help",
            "Get-CASMailbox support@example.com",
        ] {
            assert!(page.body.contains(words), "{words} in {}", page.body);
        }
    }
}

#[test]
fn a_mailbox_that_is_not_there_is_not_found() {
    let site = Site::empty();
    site.agent("alex@example.com", "Alex", Role::Admin);
    let mut admin = site.signed_in("alex@example.com");
    let page = admin.get("/mailboxes");
    for path in ["/mailboxes/99", "/mailboxes/99/checks", "/mailboxes/ninety"] {
        assert_eq!(admin.get(path).status, 404, "{path}");
    }
    for act in [
        "",
        "/checks",
        "/choice",
        "/sign-in",
        "/sync",
        "/pause",
        "/resumption",
    ] {
        assert_eq!(
            admin
                .post(&format!("/mailboxes/99{act}"), &page, &[])
                .status,
            404,
            "{act}"
        );
    }
}
