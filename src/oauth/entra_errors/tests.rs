//! Every number of the table has its own words, and the error's name decides what is done.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::providers::microsoft::{Cloud, Endpoints, Overrides};

fn app() -> EntraApp {
    EntraApp {
        client_id: "0f0f0f0f-1111-4222-8333-444444444444".to_owned(),
        credential: AppCredential::Secret("value~of.the-secret".to_owned()),
        tenant: "contoso.com".to_owned(),
        endpoints: Endpoints::new(Cloud::Global, &Overrides::default()),
        redirect_uri: "https://desk.example.com/microsoft/callback".to_owned(),
    }
}

fn told(name: &str, status: u16, number: u32) -> Problem {
    let error = EntraError {
        error: name.to_owned(),
        error_description: format!("AADSTS{number}: Entra's own words."),
        error_codes: vec![number],
        status,
        ..EntraError::default()
    };
    explain(&error, &app())
}

/// The name and status Entra sends a number with, and what must follow.
const RETRY: Disposition = Disposition::RetryAfter { seconds: 0 };
const SIGN_IN: Disposition = Disposition::NeedsSignIn;
const ADMIN: Disposition = Disposition::NeedsAdmin;
const CASES: [(u32, &str, u16, Disposition); 64] = [
    (16000, "interaction_required", 400, SIGN_IN),
    (28002, "invalid_scope", 400, ADMIN),
    (50000, "server_error", 500, RETRY),
    (500011, "invalid_resource", 400, ADMIN),
    (50005, "interaction_required", 400, SIGN_IN),
    (50011, "invalid_client", 400, ADMIN),
    (50013, "invalid_client", 401, ADMIN),
    (50020, "interaction_required", 400, SIGN_IN),
    (50034, "invalid_grant", 400, SIGN_IN),
    (50053, "invalid_grant", 400, SIGN_IN),
    (50055, "invalid_grant", 400, SIGN_IN),
    (50057, "invalid_grant", 400, SIGN_IN),
    (50059, "invalid_request", 400, ADMIN),
    (50072, "interaction_required", 400, SIGN_IN),
    (50076, "interaction_required", 400, SIGN_IN),
    (50078, "interaction_required", 400, SIGN_IN),
    (50097, "interaction_required", 400, SIGN_IN),
    (50105, "access_denied", 400, SIGN_IN),
    (50128, "invalid_request", 400, ADMIN),
    (50131, "interaction_required", 400, SIGN_IN),
    (50132, "invalid_grant", 400, SIGN_IN),
    (50133, "invalid_grant", 400, SIGN_IN),
    (50173, "invalid_grant", 400, SIGN_IN),
    (50194, "invalid_request", 400, ADMIN),
    (50196, "server_error", 400, RETRY),
    (53000, "interaction_required", 400, SIGN_IN),
    (53001, "interaction_required", 400, SIGN_IN),
    (53003, "interaction_required", 400, SIGN_IN),
    (530032, "access_denied", 400, SIGN_IN),
    (54005, "invalid_grant", 400, SIGN_IN),
    (65001, "invalid_grant", 400, SIGN_IN),
    (65004, "access_denied", 0, SIGN_IN),
    (65005, "invalid_resource", 400, ADMIN),
    (650052, "invalid_resource", 400, ADMIN),
    (650056, "invalid_client", 400, ADMIN),
    (650057, "invalid_resource", 400, ADMIN),
    (70000, "invalid_grant", 400, SIGN_IN),
    (70001, "unauthorized_client", 400, ADMIN),
    (70002, "invalid_client", 401, ADMIN),
    (7000112, "unauthorized_client", 401, ADMIN),
    (7000215, "invalid_client", 401, ADMIN),
    (7000218, "invalid_client", 401, ADMIN),
    (7000222, "invalid_client", 401, ADMIN),
    (700005, "invalid_grant", 400, SIGN_IN),
    (70007, "unsupported_response_type", 0, ADMIN),
    (70008, "invalid_grant", 400, SIGN_IN),
    (700082, "invalid_grant", 400, SIGN_IN),
    (700084, "invalid_grant", 400, SIGN_IN),
    (700016, "unauthorized_client", 400, ADMIN),
    (7000229, "unauthorized_client", 400, ADMIN),
    (70011, "invalid_scope", 400, ADMIN),
    (70012, "server_error", 500, RETRY),
    (700022, "invalid_scope", 400, ADMIN),
    (700025, "invalid_client", 401, ADMIN),
    (700027, "invalid_client", 401, ADMIN),
    (70043, "invalid_grant", 400, SIGN_IN),
    (90002, "invalid_request", 400, ADMIN),
    (900144, "invalid_request", 400, ADMIN),
    (90014, "invalid_request", 400, ADMIN),
    (90033, "temporarily_unavailable", 503, RETRY),
    (90055, "temporarily_unavailable", 429, RETRY),
    (90094, "access_denied", 0, SIGN_IN),
    (90095, "access_denied", 0, SIGN_IN),
    (9002313, "invalid_request", 400, ADMIN),
];

#[test]
fn sixty_numbers_each_have_a_sentence_of_their_own_and_the_right_disposition() {
    let mut sentences = BTreeMap::new();
    for (number, name, status, disposition) in CASES {
        let problem = told(name, status, number);
        assert_eq!(problem.code, format!("AADSTS{number}"));
        assert_eq!(problem.disposition, disposition, "{number}");
        assert!(problem.detail.contains("Entra's own words"), "{number}");
        assert!(problem.link.is_some(), "{number}");
        if let Some(other) = sentences.insert(problem.sentence, number) {
            panic!("{number} says the same as {other}");
        }
    }
}

#[test]
fn the_table_can_be_read_to_its_last_line_and_holds_every_number_once() {
    let mut numbers = BTreeSet::new();
    let mut sentences = BTreeSet::new();
    for block in blocks() {
        assert_eq!(block.trim().lines().count(), 3, "{block}");
        let rows = read_block(block).unwrap_or_else(|| panic!("not understood: {block}"));
        let (_, row) = rows[0];
        assert!(
            sentences.insert(row.sentence),
            "said twice: {}",
            row.sentence
        );
        for text in [row.sentence, row.remedy] {
            assert!(text.ends_with('.'), "{text}");
            let filled = fill(text, &app());
            assert!(!filled.contains(['{', '}']), "{filled}");
        }
        for (number, _) in rows {
            assert!(numbers.insert(number), "{number} stands twice");
        }
    }
    assert_eq!(numbers.len(), TABLE.len());
    assert!(numbers.len() > 150, "{}", numbers.len());
}

#[test]
fn without_a_known_name_the_number_decides() {
    assert_eq!(told("", 400, 90033).disposition, RETRY);
    assert_eq!(told("bad_token", 400, 50173).disposition, SIGN_IN);
    assert_eq!(told("", 400, 53003).disposition, ADMIN);
    assert_eq!(told("", 400, 50011).disposition, ADMIN);
}

#[test]
fn an_unknown_number_is_explained_by_the_name_and_linked_to_microsofts_page() {
    let mut sentences = BTreeSet::new();
    for (name, status, disposition) in [
        ("invalid_grant", 400, SIGN_IN),
        ("interaction_required", 400, SIGN_IN),
        ("consent_required", 400, SIGN_IN),
        ("access_denied", 0, SIGN_IN),
        ("invalid_client", 401, ADMIN),
        ("unauthorized_client", 400, ADMIN),
        ("invalid_scope", 400, ADMIN),
        ("invalid_request", 400, ADMIN),
        ("server_error", 400, RETRY),
        ("", 429, RETRY),
        ("", 404, ADMIN),
    ] {
        let problem = told(name, status, 1_234_567);
        assert_eq!(problem.disposition, disposition, "{name}");
        assert_eq!(problem.code, "AADSTS1234567");
        let page = "https://login.microsoftonline.com/error?code=1234567";
        assert_eq!(problem.link.as_deref(), Some(page));
        assert!(sentences.insert(problem.sentence), "{name}");
    }
}

#[test]
fn a_status_that_says_wait_wins_over_every_name() {
    let error = EntraError {
        error: "invalid_grant".to_owned(),
        status: 503,
        retry_after_seconds: Some(40),
        ..EntraError::default()
    };
    let problem = explain(&error, &app());
    assert_eq!(problem.disposition, Disposition::RetryAfter { seconds: 40 });
    assert_eq!(problem.code, "entra_invalid_grant");
}

#[test]
fn the_number_is_found_in_the_words_and_the_one_we_know_is_taken() {
    let error = EntraError {
        error: "invalid_client".to_owned(),
        error_description:
            "AADSTS1234567: Outer. AADSTS7000222: The provided client secret keys are expired."
                .to_owned(),
        ..EntraError::default()
    };
    assert_eq!(error.numbers(), [1_234_567, 7_000_222]);
    assert_eq!(explain(&error, &app()).code, "AADSTS7000222");
}

#[test]
fn a_pasted_secret_id_is_recognised() {
    let mut app = app();
    let error = EntraError {
        error: "invalid_client".to_owned(),
        error_codes: vec![7_000_215],
        status: 401,
        ..EntraError::default()
    };
    let plain = explain(&error, &app);
    app.credential = AppCredential::Secret("4cb0a1de-1111-4222-8333-444444444444".to_owned());
    let pasted = explain(&error, &app);
    assert_ne!(pasted.remedy, plain.remedy);
    assert!(pasted.remedy.contains("form of a Secret ID"), "{pasted}");
}

#[test]
fn remedies_carry_what_must_be_copied_and_link_to_the_place_in_the_apps_own_cloud() {
    let mut app = app();
    app.endpoints = Endpoints::new(Cloud::UsGov, &Overrides::default());
    let error = |number| EntraError {
        error: "invalid_client".to_owned(),
        error_codes: vec![number],
        ..EntraError::default()
    };
    let redirect = explain(&error(50011), &app);
    assert!(redirect.remedy.contains(&app.redirect_uri), "{redirect}");
    let link = redirect.link.unwrap();
    assert!(link.starts_with("https://portal.azure.us/#view/"), "{link}");
    assert!(link.contains("~/Authentication/appId/0f0f0f0f"), "{link}");
    let consent = explain(&error(90094), &app).link.unwrap();
    assert!(consent.starts_with("https://login.microsoftonline.us/contoso.com/v2.0/adminconsent?"));
}
