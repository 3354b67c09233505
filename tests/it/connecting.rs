//! Connecting mailboxes in all the ways there are, and what each refusal says.

use std::collections::BTreeSet;

use mailhatch::clock::Clock;
use mailhatch::model::{DeliveryState, MailboxStatus, TakeFrom, View, WayOut};
use mailhatch::oauth::is_guid;
use mailhatch::problem::Problem;
use mailhatch::providers::microsoft::Resource;
use mailhatch::store;
use mailhatch::work::connect::{self, Begin, BeginError, Finished};
use mailhatch::work::probe::CheckState;
use mailhatch::work::{PollStep, entra_app};
use mailhatch_simulator::entra::Audience;
use mailhatch_simulator::faults::{Action, Point};
use mailhatch_simulator::world::SmtpAuth;

use crate::support::stage::{NOW, Stage, mail, query, services, sign_in};

const CERTIFICATE: &str = include_str!("../../src/oauth/tests/keys/first.cert.pem");
const KEY: &str = include_str!("../../src/oauth/tests/keys/first.key.pem");

fn clock() -> Clock {
    Clock::hand(NOW)
}

#[test]
fn without_an_app_microsoft_is_not_offered_and_with_one_after_a_restart_it_is() {
    let none = [("AZURE_APP_ID", ""), ("AZURE_APP_SECRET", "")];
    let stage = Stage::with(clock(), &none);
    let state = entra_app::state(&stage.services).unwrap();
    assert!(!state.configured);
    assert_eq!(
        state.reason_not_configured.as_deref(),
        Some("No Entra app has been set up yet.")
    );
    let begin = Begin::Connect {
        mailbox_address: String::new(),
    };
    match connect::begin(&stage.services, &stage.admin, &begin) {
        Err(BeginError::Problem(problem)) => assert_eq!(problem.code, "no_entra_app"),
        other => panic!("{other:?}"),
    }
    let again = services(
        &stage.simulator,
        &stage.demo,
        stage.folder.path(),
        clock(),
        &[],
    );
    let state = entra_app::state(&again).unwrap();
    assert!(state.configured && state.from_environment);
}

#[test]
fn an_app_entered_on_the_page_works_at_once_and_its_secret_is_sealed() {
    let none = [("AZURE_APP_ID", ""), ("AZURE_APP_SECRET", "")];
    let stage = Stage::with(clock(), &none);
    let form = entra_app::AppForm {
        client_id: stage.demo.client_id.clone(),
        secret: stage.demo.client_secret.clone(),
        tenant: stage.demo.tenant_id.clone(),
        cloud: "global".to_owned(),
        secret_expires_on: "2027-02-01".to_owned(),
        certificate: String::new(),
    };
    entra_app::save(&stage.services, &form).unwrap();
    assert!(connect::check_app(&stage.services).is_ok());
    stage.connect();
    let state = entra_app::state(&stage.services).unwrap();
    assert_eq!((state.days_left, state.warning), (Some(17), Some(30)));
    stage.services.store.checkpoint().unwrap();
    let file = std::fs::read(stage.services.store.path()).unwrap();
    let secret = stage.demo.client_secret.as_bytes();
    assert!(!file.windows(secret.len()).any(|window| window == secret));
}

#[test]
fn pasting_the_secrets_id_is_noticed_before_microsoft_is_asked() {
    let stage = Stage::with(clock(), &[("AZURE_APP_ID", ""), ("AZURE_APP_SECRET", "")]);
    assert!(is_guid(&stage.demo.client_secret_id));
    let form = entra_app::AppForm {
        client_id: stage.demo.client_id.clone(),
        secret: stage.demo.client_secret_id.clone(),
        ..entra_app::AppForm::default()
    };
    let error = entra_app::save(&stage.services, &form).unwrap_err();
    assert_eq!(error.field, "secret");
    assert!(error.sentence.contains("Value"));
}

#[test]
fn the_check_tells_a_wrong_secret_an_unknown_app_and_an_unknown_tenant_apart() {
    let codes: BTreeSet<String> = [
        ("AZURE_APP_SECRET", "wrong~secret"),
        ("AZURE_APP_ID", "11111111-2222-3333-4444-555555555555"),
        ("AZURE_TENANT_ID", "nowhere.example"),
    ]
    .into_iter()
    .map(|wrong| {
        let tenant = ("AZURE_TENANT_ID", "6f2c8a54-3b1d-4e77-9a60-5d0c1b7e4f21");
        let stage = Stage::with(clock(), &[tenant, wrong]);
        connect::check_app(&stage.services).unwrap_err().code
    })
    .collect();
    let expected = ["AADSTS700016", "AADSTS7000215", "AADSTS90002"].map(str::to_owned);
    assert_eq!(codes, BTreeSet::from(expected));
}

#[test]
fn a_single_tenant_app_connects_with_its_tenant_and_says_so_without() {
    let stage = Stage::with(
        clock(),
        &[("AZURE_TENANT_ID", "6f2c8a54-3b1d-4e77-9a60-5d0c1b7e4f21")],
    );
    let entra = stage.simulator.entra();
    entra.update_app(&stage.demo.client_id, |app| {
        app.audience = Audience::SingleTenant
    });
    let id = stage.connect();
    stage.receives(id, 0);

    let common = Stage::new();
    let entra = common.simulator.entra();
    entra.update_app(&common.demo.client_id, |app| {
        app.audience = Audience::SingleTenant
    });
    let begin = Begin::Connect {
        mailbox_address: String::new(),
    };
    let url = connect::begin(&common.services, &common.admin, &begin).unwrap();
    let shown = entra.consent(&url, &common.demo.support_upn).unwrap_err();
    assert!(shown.contains("AADSTS50194"), "{shown}");
}

#[test]
fn a_certificate_serves_in_place_of_the_secret() {
    let pem = format!("{CERTIFICATE}\n{KEY}");
    let stage = Stage::with(
        clock(),
        &[("AZURE_APP_SECRET", ""), ("AZURE_APP_CERTIFICATE", &pem)],
    );
    stage
        .simulator
        .entra()
        .update_app(&stage.demo.client_id, |app| {
            app.secrets.clear();
            app.certificates.push(CERTIFICATE.to_owned());
        });
    let id = stage.connect();
    stage.simulator.entra().expire_access_tokens();
    stage.receives(id, 0);
}

#[test]
fn a_shared_mailbox_is_read_and_answered_by_a_delegate() {
    let stage = Stage::new();
    let orders = stage.demo.orders_address.clone();
    let raw = mail(
        "mia@shop.example",
        "Order",
        "o1@shop.example",
        "",
        "Where is it?",
    );
    stage.simulator.world().deliver(&orders, &raw);
    let id = stage.consent(&orders, &stage.demo.staff_upns[0]);
    let lines = connect::check(&stage.services, id).unwrap();
    assert!(
        lines.iter().all(|line| line.state != CheckState::Bad),
        "{lines:?}"
    );
    connect::choose(&stage.services, id, TakeFrom::All, 0).unwrap();
    stage.receives(id, 1);
    let mailbox = stage.mailbox(id);
    assert!(mailbox.shared);
    assert_eq!(mailbox.address, orders);
    let queued = stage.reply(stage.conversations(View::Open)[0], "On its way.");
    stage.send_all(id);
    assert_eq!(stage.state(queued), DeliveryState::Sent);
    assert_eq!(stage.simulator.world().submissions()[0].mailbox, orders);
}

#[test]
fn a_shared_mailbox_without_full_access_is_refused_in_words_that_name_the_right() {
    let stage = Stage::new();
    let orders = stage.demo.orders_address.clone();
    let upn = stage.demo.staff_upns[0].clone();
    stage
        .simulator
        .world()
        .update_user(&upn, |user| user.full_access.clear());
    let id = stage.consent(&orders, &upn);
    let lines = connect::check(&stage.services, id).unwrap();
    let bad = lines
        .iter()
        .find(|line| line.state == CheckState::Bad)
        .unwrap();
    let problem = bad.problem.as_ref().unwrap();
    let words = format!("{} {:?}", problem.remedy, problem.command);
    assert!(
        words.contains("Full Access") || words.contains("FullAccess"),
        "{problem}"
    );
}

#[test]
fn the_checklist_chooses_graph_where_smtp_is_switched_off() {
    let stage = Stage::new();
    let upn = stage.demo.support_upn.clone();
    stage
        .simulator
        .world()
        .update_user(&upn, |user| user.smtp_auth = SmtpAuth::DisabledForMailbox);
    let id = stage.consent("", &upn);
    let lines = connect::check(&stage.services, id).unwrap();
    assert!(
        lines.iter().all(|line| line.state != CheckState::Bad),
        "{lines:?}"
    );
    assert_eq!(stage.mailbox(id).way_out, WayOut::Graph);
}

#[test]
fn the_sign_in_name_and_the_address_are_told_apart() {
    let stage = Stage::new();
    let id = stage.connect();
    let mailbox = stage.mailbox(id);
    assert_eq!(mailbox.address, stage.demo.support_address);
    assert_eq!(mailbox.upn, stage.demo.support_upn);
    assert_ne!(mailbox.address, mailbox.upn);
}

#[test]
fn coming_back_twice_leads_to_the_same_mailbox_and_asks_microsoft_once() {
    let stage = Stage::new();
    let begin = Begin::Connect {
        mailbox_address: String::new(),
    };
    let url = connect::begin(&stage.services, &stage.admin, &begin).unwrap();
    let location = stage
        .simulator
        .entra()
        .consent(&url, &stage.demo.support_upn)
        .unwrap();
    let back = || connect::finish(&stage.services, Some(&stage.admin), &query(&location));
    let first = back().unwrap();
    assert!(matches!(first, Finished::Mailbox { first: true, .. }));
    assert_eq!(back().unwrap(), first);
}

#[test]
fn a_state_that_is_foreign_expired_or_made_up_is_a_bad_request() {
    let stage = Stage::new();
    let begin = Begin::Connect {
        mailbox_address: String::new(),
    };
    let url = connect::begin(&stage.services, &stage.admin, &begin).unwrap();
    let location = stage
        .simulator
        .entra()
        .consent(&url, &stage.demo.support_upn)
        .unwrap();
    let other = sign_in(
        &stage.services,
        "other@example.com",
        mailhatch::model::Role::Admin,
    );
    let mut made_up = query(&location);
    made_up.state = Some("made-up".to_owned());
    let refused = |who, query| connect::finish(&stage.services, who, &query).unwrap_err();
    let codes = [
        refused(Some(&other), query(&location)),
        refused(None, query(&location)),
        refused(Some(&stage.admin), made_up),
        {
            stage.clock.advance(601);
            refused(Some(&stage.admin), query(&location))
        },
    ]
    .map(|refused| {
        assert!(refused.bad_state);
        refused.problem.code
    });
    assert_eq!(
        codes,
        [
            "state_foreign",
            "state_foreign",
            "state_unknown",
            "state_expired"
        ]
    );
}

#[test]
fn another_person_cannot_take_a_mailbox_over_by_reconnecting_it() {
    let stage = Stage::new();
    let id = stage.connect();
    let url = connect::begin(&stage.services, &stage.admin, &Begin::Reconnect(id)).unwrap();
    let refused = stage
        .come_back(&url, &stage.demo.staff_upns[0])
        .unwrap_err();
    assert_eq!(refused.problem.code, "another_person");
    assert_eq!(refused.mailbox_id, Some(id));
    stage.receives(id, 0);
}

#[test]
fn declining_at_microsoft_is_told_and_nothing_is_stored() {
    let stage = Stage::new();
    let entra = stage.simulator.entra();
    entra.update_app(&stage.demo.client_id, |app| app.admin_consented = false);
    let begin = Begin::Connect {
        mailbox_address: String::new(),
    };
    let url = connect::begin(&stage.services, &stage.admin, &begin).unwrap();
    let location = entra.decline(&url, &stage.demo.staff_upns[0]).unwrap();
    let refused =
        connect::finish(&stage.services, Some(&stage.admin), &query(&location)).unwrap_err();
    assert!(!refused.bad_state);
    assert!(
        refused.problem.code.contains("65004"),
        "{}",
        refused.problem
    );
    assert!(
        stage
            .services
            .store
            .read(store::mailboxes::list)
            .unwrap()
            .is_empty()
    );
}

#[test]
fn each_cloud_has_its_own_endpoints_and_scopes() {
    let mut seen = BTreeSet::new();
    for (cloud, login, imap) in [
        (
            "global",
            "https://login.microsoftonline.com",
            "outlook.office365.com",
        ),
        (
            "usgov",
            "https://login.microsoftonline.us",
            "outlook.office365.us",
        ),
        (
            "usgov-dod",
            "https://login.microsoftonline.us",
            "outlook-dod.office365.us",
        ),
        (
            "china",
            "https://login.partner.microsoftonline.cn",
            "partner.outlook.cn",
        ),
    ] {
        let own = [
            ("AZURE_CLOUD", cloud),
            ("MAILHATCH_MICROSOFT_LOGIN_URL", ""),
            ("MAILHATCH_MICROSOFT_GRAPH_URL", ""),
            ("MAILHATCH_MICROSOFT_IMAP", ""),
            ("MAILHATCH_MICROSOFT_SMTP", ""),
            ("MAILHATCH_MICROSOFT_SCOPE_PREFIX", ""),
        ];
        let stage = Stage::with(clock(), &own);
        let endpoints = entra_app::endpoints(&stage.services).unwrap();
        assert_eq!(endpoints.login_url, login, "{cloud}");
        assert_eq!(endpoints.imap.host, imap, "{cloud}");
        let scopes = endpoints.scopes(Resource::Exchange);
        assert!(
            scopes
                .iter()
                .any(|scope| scope.ends_with("IMAP.AccessAsUser.All")),
            "{cloud}"
        );
        seen.insert(scopes);
    }
    assert!(seen.len() >= 3, "clouds share scopes: {seen:?}");
}

/// What goes wrong and where it shows.
enum Trouble {
    /// Entra refuses to renew the token: `error` and AADSTS number.
    Refresh(&'static str, u32),
    /// IMAP answers so.
    Imap(Point, &'static str),
    /// SMTP answers so.
    Smtp(Point, &'static str),
}

const TROUBLES: &[Trouble] = &[
    Trouble::Refresh("invalid_grant", 50173),
    Trouble::Refresh("invalid_grant", 700_082),
    Trouble::Refresh("invalid_grant", 50057),
    Trouble::Refresh("invalid_grant", 50076),
    Trouble::Refresh("invalid_grant", 53003),
    Trouble::Refresh("invalid_grant", 50105),
    Trouble::Refresh("invalid_grant", 65001),
    Trouble::Refresh("invalid_grant", 70043),
    Trouble::Refresh("interaction_required", 53000),
    Trouble::Refresh("invalid_client", 7_000_215),
    Trouble::Refresh("invalid_client", 7_000_222),
    Trouble::Refresh("unauthorized_client", 700_016),
    Trouble::Refresh("invalid_request", 90002),
    Trouble::Refresh("invalid_request", 50194),
    Trouble::Refresh("temporarily_unavailable", 90033),
    Trouble::Imap(Point::ImapAuthenticate, "NO AUTHENTICATE failed."),
    Trouble::Imap(
        Point::ImapSelect,
        "NO Request is throttled. Suggested Backoff Time: 9000 milliseconds",
    ),
    Trouble::Imap(Point::ImapSelect, "NO Server Unavailable. 15"),
    Trouble::Imap(
        Point::ImapSelect,
        "BAD User is authenticated but not connected.",
    ),
    Trouble::Smtp(
        Point::SmtpMail,
        "550 5.7.60 SMTP; Client does not have permissions to send as this sender",
    ),
    Trouble::Smtp(Point::SmtpMail, "550 5.2.252 SMTP AUTH blocked"),
    Trouble::Smtp(
        Point::SmtpData,
        "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException",
    ),
    Trouble::Smtp(
        Point::SmtpMail,
        "432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending",
    ),
    Trouble::Smtp(
        Point::SmtpRcpt,
        "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found",
    ),
    Trouble::Smtp(
        Point::SmtpMail,
        "550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP",
    ),
    Trouble::Smtp(
        Point::SmtpMail,
        "550 5.1.8 Access denied, bad outbound sender",
    ),
    Trouble::Smtp(
        Point::SmtpMail,
        "451 4.7.0 Temporary server error. Please try again later. PRX2",
    ),
];

#[test]
fn every_trouble_gives_its_own_explanation_with_a_remedy() {
    let mut sentences = BTreeSet::new();
    for trouble in TROUBLES {
        let problem = meet(trouble);
        assert!(
            !problem.sentence.is_empty() && !problem.remedy.is_empty(),
            "{problem}"
        );
        let is_new = sentences.insert(problem.sentence.clone());
        assert!(is_new, "two troubles say the same: {problem}");
    }
    assert!(sentences.len() >= 25);
}

fn meet(trouble: &Trouble) -> Problem {
    let stage = Stage::new();
    let raw = mail("mia@shop.example", "Hi", "hi@shop.example", "", "Hi");
    stage
        .simulator
        .world()
        .deliver(&stage.demo.support_address, &raw);
    let id = stage.connect();
    stage.receives(id, 1);
    let faults = stage.simulator.faults();
    match trouble {
        Trouble::Refresh(error, code) => {
            stage.clear_tokens(id);
            let (error, words) = ((*error).to_owned(), "As Microsoft words it.".to_owned());
            faults.always(Point::TokenRefresh, Action::Entra(400, error, *code, words));
            failed(&stage, id)
        }
        Trouble::Imap(point, words) => {
            faults.always(*point, Action::Reply((*words).to_owned()));
            failed(&stage, id)
        }
        Trouble::Smtp(point, words) => {
            faults.always(*point, Action::Reply((*words).to_owned()));
            let queued = stage.reply(stage.conversations(View::Open)[0], "Hello");
            stage.send_all(id);
            let delivery = stage
                .services
                .store
                .read(|db| store::deliveries::find(db, queued.delivery_id))
                .unwrap()
                .unwrap();
            delivery.problem.expect("the reply says why")
        }
    }
}

fn failed(stage: &Stage, id: mailhatch::model::MailboxId) -> Problem {
    match stage.poll(id) {
        PollStep::Failed(problem) => {
            let mailbox = stage.mailbox(id);
            if !problem.is_transient() {
                assert_ne!(mailbox.status, MailboxStatus::Active);
            }
            assert_eq!(mailbox.problem.as_ref(), Some(&problem));
            problem
        }
        other => panic!("{other:?}"),
    }
}
