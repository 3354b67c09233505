//! The browser's way: picker, second factor, consent, and the errors on the way.

use mailhatch_simulator::entra::Audience;

use crate::calls::{SEND, SMTP, all_scopes};
use crate::site::{REDIRECT_URI, Site, query_of};

#[test]
fn a_browser_picks_an_account_reads_the_permissions_accepts_and_comes_back_with_a_code() {
    let site = Site::start();
    let url = site.authorize_url(
        &all_scopes(),
        &[("state", "a b<i>c</i>"), ("prompt", "select_account")],
    );
    let picker = site.get(&url);
    assert_eq!(picker.status, 200);
    assert!(picker.body.contains("Pretend Microsoft 365"));
    assert!(
        picker
            .body
            .contains("name=\"account\" value=\"support@harbourlights.onmicrosoft.example\"")
    );
    assert!(
        !picker
            .body
            .contains("value=\"orders@harbourlights.example\""),
        "nobody signs in as a shared mailbox"
    );
    let consent = site.post(&url, &[("account", &site.demo.support_upn)]);
    assert!(consent.body.contains("id=\"accept\"") && consent.body.contains("id=\"cancel\""));
    assert!(
        consent
            .body
            .contains("Read and write access to your mail via IMAP")
    );
    let back = site.post(
        &url,
        &[("account", &site.demo.support_upn), ("decision", "accept")],
    );
    assert_eq!(back.status, 302);
    let location = back.location.unwrap();
    assert!(
        location.starts_with(&format!("{REDIRECT_URI}?code=")),
        "{location}"
    );
    assert_eq!(query_of(&location, "state").unwrap(), "a bc");
    let again = site.post(&url, &[("account", &site.demo.support_upn)]);
    assert_eq!(again.status, 302, "consent is remembered");
    let forced = site.authorize_url(&all_scopes(), &[("prompt", "consent")]);
    assert!(
        site.post(&forced, &[("account", &site.demo.support_upn)])
            .body
            .contains("id=\"accept\"")
    );
}

#[test]
fn cancelling_comes_back_as_access_denied() {
    let site = Site::start();
    let url = site.authorize_url(&all_scopes(), &[("state", "s1")]);
    let location = site.entra().decline(&url, &site.demo.support_upn).unwrap();
    assert_eq!(query_of(&location, "error").unwrap(), "access_denied");
    assert!(
        query_of(&location, "error_description")
            .unwrap()
            .starts_with("AADSTS65004: ")
    );
    assert_eq!(query_of(&location, "state").unwrap(), "s1");
}

#[test]
fn where_users_may_not_consent_imap_needs_an_administrator() {
    let site = Site::start();
    let (id, upn) = (&site.demo.client_id, &site.demo.support_upn);
    site.entra()
        .update_app(id, |app| app.user_may_consent = false);
    let url = site.authorize_url(&all_scopes(), &[]);
    let page = site.entra().consent(&url, upn).unwrap_err();
    assert!(
        page.contains("Need admin approval") && page.contains("AADSTS90094"),
        "{page}"
    );
    let sending = site.authorize_url(&format!("openid offline_access {SMTP} {SEND}"), &[]);
    assert!(
        site.entra().consent(&sending, upn).is_ok(),
        "sending alone is left to users"
    );
    let consent_url = format!(
        "{}/{}/v2.0/adminconsent?client_id={id}&state=77&redirect_uri={}&scope={}",
        site.endpoints().login_url,
        site.demo.tenant_id,
        REDIRECT_URI,
        all_scopes().replace(' ', "%20"),
    );
    assert!(site.get(&consent_url).body.contains("Pick an account"));
    let refused = site
        .entra()
        .approve_as_admin(&consent_url, upn)
        .unwrap_err();
    assert!(refused.contains("Need admin approval"), "{refused}");
    let location = site
        .entra()
        .approve_as_admin(&consent_url, &site.demo.admin_upn)
        .unwrap();
    assert_eq!(query_of(&location, "admin_consent").unwrap(), "True");
    assert_eq!(query_of(&location, "tenant").unwrap(), site.demo.tenant_id);
    assert_eq!(query_of(&location, "state").unwrap(), "77");
    let at_once = site.post(&url, &[("account", upn)]);
    assert_eq!(
        at_once.status, 302,
        "nobody is asked after an administrator agreed"
    );
    let cancelled = site.post(
        &consent_url,
        &[("account", &site.demo.admin_upn), ("decision", "cancel")],
    );
    let location = cancelled.location.unwrap();
    assert_eq!(query_of(&location, "error").unwrap(), "access_denied");
    assert_eq!(query_of(&location, "admin_consent").unwrap(), "True");
    let common = consent_url.replace(&site.demo.tenant_id, "common");
    assert!(site.get(&common).body.contains("AADSTS90130"));
}

#[test]
fn an_administrator_may_accept_for_everyone_while_signing_in() {
    let site = Site::start();
    site.entra()
        .update_app(&site.demo.client_id, |app| app.user_may_consent = false);
    let url = site.authorize_url(&all_scopes(), &[]);
    let page = site.post(&url, &[("account", &site.demo.admin_upn)]);
    assert!(page.body.contains("id=\"accept-for-all\""));
    let form = [
        ("account", site.demo.admin_upn.as_str()),
        ("decision", "accept_for_all"),
    ];
    assert_eq!(site.post(&url, &form).status, 302);
    assert!(site.entra().consent(&url, &site.demo.support_upn).is_ok());
}

#[test]
fn errors_that_make_the_redirect_doubtful_stay_on_the_page() {
    let site = Site::start();
    let login = &site.endpoints().login_url;
    let good = site.authorize_url(&all_scopes(), &[]);
    let shows = |url: &str, code: &str| {
        let answer = site.get(url);
        assert_eq!((answer.status, answer.location), (200, None), "{url}");
        assert!(
            answer.body.contains(&format!("id=\"error-code\">{code}<")),
            "{code} {}",
            answer.body
        );
    };
    shows(&good.replace("callback", "elsewhere"), "AADSTS50011");
    shows(
        &good.replace(&site.demo.client_id, "11111111-2222-3333-4444-555555555555"),
        "AADSTS700016",
    );
    shows(
        &good.replace(
            &format!("{login}/common/"),
            &format!("{login}/nobody.example/"),
        ),
        "AADSTS90002",
    );
    shows(&good.replace("client_id", "client"), "AADSTS900144");
    site.entra().update_app(&site.demo.client_id, |app| {
        app.audience = Audience::SingleTenant
    });
    shows(&good, "AADSTS50194");
    shows(&good.replace("/common/", "/consumers/"), "AADSTS9002332");
    site.entra().update_app(&site.demo.client_id, |app| {
        app.audience = Audience::PersonalOnly
    });
    shows(&good, "AADSTS9002331");
}

#[test]
fn all_other_errors_go_back_to_the_application() {
    let site = Site::start();
    let good = site.authorize_url(&all_scopes(), &[("state", "s")]);
    let goes_back = |url: &str, error: &str, code: &str| {
        let location = site
            .get(url)
            .location
            .unwrap_or_else(|| panic!("{url} does not go back"));
        assert_eq!(query_of(&location, "error").unwrap(), error);
        assert!(
            query_of(&location, "error_description")
                .unwrap()
                .starts_with(code),
            "{location}"
        );
        assert_eq!(query_of(&location, "state").unwrap(), "s");
    };
    goes_back(
        &good.replace("response_type=code", "response_type=id_token"),
        "unsupported_response_type",
        "AADSTS700054: ",
    );
    goes_back(
        &good.replace("outlook.office.com", "outlook.office365.us"),
        "invalid_resource",
        "AADSTS500011: ",
    );
    goes_back(
        &good.replace("SMTP.Send", "Smtp.Sned"),
        "invalid_client",
        "AADSTS650053: ",
    );
    goes_back(
        &good.replace("User.Read", ".default"),
        "invalid_scope",
        "AADSTS70011: ",
    );
    goes_back(
        &format!("{good}&prompt=none"),
        "login_required",
        "AADSTS50058: ",
    );
}

#[test]
fn accounts_that_may_not_sign_in_are_told_why() {
    let site = Site::start();
    let url = site.authorize_url(&all_scopes(), &[]);
    let told = |url: &str, name: &str, code: &str| {
        let page = site.post(url, &[("account", name)]);
        assert!(
            page.body.contains(&format!("id=\"error-code\">{code}<")),
            "{code}: {}",
            page.body
        );
    };
    told(&url, "nobody@harbourlights.example", "AADSTS50034");
    told(&url, &site.demo.orders_address, "AADSTS50057");
    told(
        &url.replace("/common/", "/organizations/"),
        &site.demo.personal_upn,
        "AADSTS500208",
    );
    told(
        &url.replace("/common/", "/consumers/"),
        &site.demo.support_upn,
        "AADSTS50020",
    );
    site.entra()
        .update_app(&site.demo.client_id, |app| app.assignment_required = true);
    told(&url, &site.demo.support_upn, "AADSTS50105");
}

#[test]
fn the_answer_comes_as_a_form_without_script_when_asked() {
    let site = Site::start();
    let url = site.authorize_url(
        &all_scopes(),
        &[("response_mode", "form_post"), ("state", "s")],
    );
    let form = [
        ("account", site.demo.support_upn.as_str()),
        ("decision", "accept"),
    ];
    let page = site.post(&url, &form);
    assert_eq!(page.status, 200);
    assert!(
        page.body
            .contains(&format!("<form method=\"post\" action=\"{REDIRECT_URI}\">"))
    );
    assert!(page.body.contains("name=\"code\"") && page.body.contains("id=\"continue\""));
    assert!(!page.body.contains("<script"));
    let location = site.entra().consent(&url, &site.demo.support_upn).unwrap();
    assert!(query_of(&location, "code").is_some() && query_of(&location, "state").is_some());
}

#[test]
fn a_browser_that_is_signed_in_goes_straight_through_until_it_signs_out() {
    let site = Site::start();
    let url = site.authorize_url(&all_scopes(), &[]);
    let first = site.post(
        &url,
        &[
            ("account", site.demo.support_upn.as_str()),
            ("decision", "accept"),
        ],
    );
    let cookie = first.cookie.unwrap();
    let with_cookie = |url: &str| site.get_with(url, &[("cookie", &cookie)]);
    assert_eq!(with_cookie(&url).status, 302);
    assert_eq!(with_cookie(&format!("{url}&prompt=none")).status, 302);
    assert_eq!(
        with_cookie(&format!("{url}&prompt=select_account")).status,
        200
    );
    assert_eq!(
        with_cookie(&format!("{url}&login_hint=ann.berg@harbourlights.example")).status,
        200
    );
    let logout = format!("{}/common/oauth2/v2.0/logout", site.endpoints().login_url);
    let registered = with_cookie(&format!("{logout}?post_logout_redirect_uri={REDIRECT_URI}"));
    assert_eq!(registered.location.as_deref(), Some(REDIRECT_URI));
    assert_eq!(with_cookie(&url).status, 200, "signed out");
    let foreign = with_cookie(&format!(
        "{logout}?post_logout_redirect_uri=https://evil.example/"
    ));
    assert_eq!((foreign.status, foreign.location), (200, None));
}
