//! Signing in at the pretend Entra: from the consent page to tokens that open mailboxes, and the refusals.

use mailhatch::clock::Clock;
use mailhatch::http::Http;
use mailhatch::oauth::{
    AppCredential, CallbackQuery, ConsentRequest, ConsentStart, CredentialCheck, EntraApp,
    KeyCache, Returned, SignedIn, admin_consent_url, check_app, finish, refresh, start,
    system_random,
};
use mailhatch::problem::{Disposition, Problem};
use mailhatch::providers::microsoft::{Cloud, Endpoints, Overrides, Resource};
use mailhatch_simulator::entra::{Audience, Signer, Twist};
use mailhatch_simulator::faults::{Action, Point};
use mailhatch_simulator::world::User;
use mailhatch_simulator::{Demo, Options, Simulator};

const NOW: i64 = 1_800_000_000;
const REDIRECT_URI: &str = "https://desk.example.com/microsoft/callback";
const CERTIFICATE: &str = include_str!("../../src/oauth/tests/keys/first.cert.pem");
const KEY: &str = include_str!("../../src/oauth/tests/keys/first.key.pem");

/// The simulator with its ready-made tenant, and what the program keeps between requests.
struct Stage {
    simulator: Simulator,
    demo: Demo,
    clock: Clock,
    http: Http,
    keys: KeyCache,
}

impl Stage {
    /// A tenant whose administrator has consented for everyone.
    fn new() -> Self {
        let stage = Self::without_consent();
        stage.change_app(|app| app.admin_consented = true);
        stage
    }

    fn without_consent() -> Self {
        let clock = Clock::hand(NOW);
        let shared = clock.clone();
        let simulator = Simulator::start(Options {
            clock: mailhatch_simulator::clock::Clock::new(move || shared.now()),
            ..Options::default()
        })
        .unwrap();
        let demo = simulator.populate(REDIRECT_URI);
        Self {
            simulator,
            demo,
            clock,
            http: Http::new(None).unwrap(),
            keys: KeyCache::default(),
        }
    }

    fn change_app(&self, change: impl FnOnce(&mut mailhatch_simulator::entra::App)) {
        let entra = self.simulator.entra();
        assert!(entra.update_app(&self.demo.client_id, change));
    }

    fn app(&self, tenant: &str) -> EntraApp {
        let there = self.simulator.endpoints();
        let overrides = Overrides {
            login_url: Some(there.login_url.clone()),
            graph_url: Some(there.graph_url.clone()),
            imap: there.imap.parse().ok(),
            smtp: there.smtp.parse().ok(),
            scope_prefix: Some(there.scope_prefix.clone()),
        };
        EntraApp {
            client_id: self.demo.client_id.clone(),
            credential: AppCredential::Secret(self.demo.client_secret.clone()),
            tenant: tenant.to_owned(),
            endpoints: Endpoints::new(Cloud::Global, &overrides),
            redirect_uri: REDIRECT_URI.to_owned(),
        }
    }

    /// The app of the tenant itself.
    fn own_app(&self) -> EntraApp {
        self.app(&self.demo.tenant_id)
    }

    fn begin(app: &EntraApp) -> ConsentStart {
        start(app, &ConsentRequest::default(), &mut system_random).unwrap()
    }

    /// What a person at the browser brings back who picks this account and accepts.
    fn visit(&self, begun: &ConsentStart, upn: &str) -> CallbackQuery {
        let back = self.simulator.entra().consent(&begun.url, upn).unwrap();
        let query = query_of(&back);
        assert_eq!(query.state.as_deref(), Some(begun.state.as_str()));
        query
    }

    fn finish(
        &self,
        app: &EntraApp,
        begun: &ConsentStart,
        query: &CallbackQuery,
    ) -> Result<SignedIn, Problem> {
        let (verifier, nonce) = (&begun.pkce_verifier, &begun.nonce);
        let now = self.clock.now();
        finish(&self.http, app, query, verifier, nonce, &self.keys, now)
    }

    fn sign_in(&self, app: &EntraApp, upn: &str) -> Result<SignedIn, Problem> {
        let begun = Self::begin(app);
        let query = self.visit(&begun, upn);
        self.finish(app, &begun, &query)
    }

    fn refresh(&self, app: &EntraApp, token: &str) -> Result<String, Problem> {
        let now = self.clock.now();
        refresh(&self.http, app, token, Resource::Exchange, now)
            .map(|tokens| tokens.refresh_token.unwrap())
    }
}

fn query_of(address: &str) -> CallbackQuery {
    let (base, query) = address.split_once('?').unwrap();
    assert_eq!(base, REDIRECT_URI);
    let field = |name: &str| {
        url::form_urlencoded::parse(query.as_bytes())
            .find(|(have, _)| have == name)
            .map(|(_, value)| value.into_owned())
    };
    CallbackQuery {
        code: field("code"),
        state: field("state"),
        error: field("error"),
        error_description: field("error_description"),
        error_subcode: field("error_subcode"),
        admin_consent: field("admin_consent"),
        tenant: field("tenant"),
    }
}

#[test]
fn a_mailbox_signs_in_with_the_secret_and_its_tokens_open_exchange_and_graph() {
    let stage = Stage::new();
    let app = stage.own_app();
    let signed_in = stage.sign_in(&app, &stage.demo.support_upn).unwrap();
    assert_eq!(signed_in.identity.tenant_id, stage.demo.tenant_id);
    assert_eq!(signed_in.auth_user(), stage.demo.support_upn);
    assert_eq!(signed_in.mailbox_address(), stage.demo.support_address);
    assert_eq!(signed_in.graph_problem, None);
    let entra = stage.simulator.entra();
    let grant = entra.check(&signed_in.exchange.access_token).unwrap();
    assert_eq!(grant.upn, stage.demo.support_upn);
    assert!(grant.has("IMAP.AccessAsUser.All") && grant.has("SMTP.Send"));
    assert_eq!(grant.expires_at, signed_in.exchange.expires_at);
    let token = &signed_in.refresh_token;
    let graph = refresh(&stage.http, &app, token, Resource::Graph, NOW).unwrap();
    assert!(entra.check(&graph.access_token).unwrap().has("Mail.Send"));
    assert_ne!(graph.refresh_token.as_deref(), Some(token.as_str()));
}

#[test]
fn a_certificate_serves_as_well_as_the_secret() {
    let stage = Stage::new();
    stage.change_app(|app| {
        app.secrets.clear();
        app.certificates = vec![CERTIFICATE.to_owned()];
    });
    let mut app = stage.own_app();
    app.credential = AppCredential::Certificate {
        pem: format!("{CERTIFICATE}{KEY}"),
    };
    let signed_in = stage.sign_in(&app, &stage.demo.support_upn).unwrap();
    stage.refresh(&app, &signed_in.refresh_token).unwrap();
    let check = check_app(&stage.http, &app, NOW).unwrap();
    assert_eq!(check.credentials, CredentialCheck::Proven);
    stage.change_app(|app| app.certificates.clear());
    let problem = stage.refresh(&app, &signed_in.refresh_token).unwrap_err();
    assert_eq!(problem.code, "AADSTS700027");
    assert_eq!(problem.disposition, Disposition::NeedsAdmin);
}

#[test]
fn a_personal_account_signs_in_at_common_and_at_consumers() {
    let stage = Stage::without_consent();
    for tenant in ["common", "consumers"] {
        let app = stage.app(tenant);
        let signed_in = stage.sign_in(&app, &stage.demo.personal_upn).unwrap();
        assert!(signed_in.identity.personal, "{tenant}");
        assert_eq!(signed_in.auth_user(), stage.demo.personal_upn);
        assert_eq!(signed_in.mailbox_address(), stage.demo.personal_upn);
        stage.refresh(&app, &signed_in.refresh_token).unwrap();
    }
}

#[test]
fn a_work_account_signs_in_at_common_and_at_organizations() {
    let stage = Stage::new();
    for tenant in ["common", "organizations", "harbourlights.example"] {
        let signed_in = stage
            .sign_in(&stage.app(tenant), &stage.demo.support_upn)
            .unwrap();
        assert_eq!(
            signed_in.identity.tenant_id, stage.demo.tenant_id,
            "{tenant}"
        );
    }
}

#[test]
fn a_single_tenant_app_asked_at_common_is_told_to_use_its_tenant() {
    let stage = Stage::new();
    stage.change_app(|app| app.audience = Audience::SingleTenant);
    let problem = check_app(&stage.http, &stage.app("common"), NOW).unwrap_err();
    assert_eq!(problem.code, "AADSTS50194");
    assert_eq!(problem.disposition, Disposition::NeedsAdmin);
    stage
        .sign_in(&stage.own_app(), &stage.demo.support_upn)
        .unwrap();
}

#[test]
fn tokens_live_as_long_as_entra_says_and_an_old_refresh_token_outlives_its_use() {
    let stage = Stage::new();
    let app = stage.own_app();
    let signed_in = stage.sign_in(&app, &stage.demo.support_upn).unwrap();
    let lifetime = signed_in.exchange.expires_at - NOW;
    assert!((3600..=5400).contains(&lifetime), "{lifetime}");
    stage.clock.advance(80 * 86_400);
    let newer = stage.refresh(&app, &signed_in.refresh_token).unwrap();
    stage.refresh(&app, &signed_in.refresh_token).unwrap();
    stage.clock.advance(20 * 86_400);
    stage.refresh(&app, &newer).unwrap();
    let problem = stage.refresh(&app, &signed_in.refresh_token).unwrap_err();
    assert_eq!(problem.code, "AADSTS700082");
    assert_eq!(problem.disposition, Disposition::NeedsSignIn);
}

#[test]
fn a_code_is_good_once_and_only_for_the_browser_that_began() {
    let stage = Stage::new();
    let app = stage.own_app();
    let begun = Stage::begin(&app);
    let query = stage.visit(&begun, &stage.demo.support_upn);
    let other = Stage::begin(&app);
    let problem = stage.finish(&app, &other, &query).unwrap_err();
    assert_eq!(problem.code, "AADSTS501481");
    stage.finish(&app, &begun, &query).unwrap();
    let problem = stage.finish(&app, &begun, &query).unwrap_err();
    assert_eq!(problem.code, "AADSTS54005");
}

#[test]
fn without_an_administrators_consent_nothing_comes_back_and_with_it_the_mailbox_connects() {
    let stage = Stage::without_consent();
    stage.change_app(|app| app.user_may_consent = false);
    let app = stage.own_app();
    let begun = Stage::begin(&app);
    let entra = stage.simulator.entra();
    let shown = entra
        .consent(&begun.url, &stage.demo.support_upn)
        .unwrap_err();
    assert!(shown.to_lowercase().contains("approv"), "{shown}");
    let url = admin_consent_url(&app, &app.tenant, "s1");
    let back = entra.approve_as_admin(&url, &stage.demo.admin_upn).unwrap();
    let query = query_of(&back);
    assert_eq!(query.state.as_deref(), Some("s1"));
    assert!(matches!(query.returned(&app), Returned::AdminConsent));
    stage.sign_in(&app, &stage.demo.support_upn).unwrap();
}

#[test]
fn who_declines_is_told_that_it_was_declined() {
    let stage = Stage::new();
    let app = stage.own_app();
    let begun = Stage::begin(&app);
    let entra = stage.simulator.entra();
    let back = entra.decline(&begun.url, &stage.demo.support_upn).unwrap();
    let problem = stage.finish(&app, &begun, &query_of(&back)).unwrap_err();
    assert_eq!(problem.code, "AADSTS65004");
    assert_eq!(problem.disposition, Disposition::NeedsSignIn);
}

#[test]
fn a_revoked_sign_in_asks_for_a_new_one_and_the_new_one_works() {
    let stage = Stage::new();
    let app = stage.own_app();
    let signed_in = stage.sign_in(&app, &stage.demo.support_upn).unwrap();
    stage
        .simulator
        .entra()
        .revoke(&stage.demo.support_upn, 50173);
    let problem = stage.refresh(&app, &signed_in.refresh_token).unwrap_err();
    assert_eq!(problem.code, "AADSTS50173");
    assert_eq!(problem.disposition, Disposition::NeedsSignIn);
    let again = stage.sign_in(&app, &stage.demo.support_upn).unwrap();
    stage.refresh(&app, &again.refresh_token).unwrap();
}

#[test]
fn a_token_that_lies_about_who_it_is_for_connects_nothing() {
    let stage = Stage::new();
    let app = stage.app("common");
    let lies: [(&str, &str); 4] = [
        ("aud", "00000000-0000-4000-8000-000000000000"),
        ("tid", "00000000-0000-4000-8000-000000000000"),
        ("nonce", "another"),
        ("iss", "https://evil.example/v2.0"),
    ];
    let mut twists: Vec<Twist> = lies
        .into_iter()
        .map(|(name, value)| Twist {
            claims: Box::new(move |claims| {
                claims.insert(name.to_owned(), value.into());
            }),
            signer: Signer::Usual,
        })
        .collect();
    for signer in [Signer::Personal, Signer::Unpublished] {
        twists.push(Twist {
            claims: Box::new(|_| {}),
            signer,
        });
    }
    for twist in twists {
        let what = format!("{twist:?}");
        stage.simulator.entra().twist_next_id_token(twist);
        let problem = stage.sign_in(&app, &stage.demo.support_upn).unwrap_err();
        assert!(problem.code.starts_with("id_token"), "{what}: {problem}");
    }
    stage.sign_in(&app, &stage.demo.support_upn).unwrap();
}

#[test]
fn keys_changed_without_warning_are_learnt() {
    let stage = Stage::new();
    let app = stage.own_app();
    stage.sign_in(&app, &stage.demo.support_upn).unwrap();
    stage.clock.advance(301);
    stage.simulator.entra().rotate_keys();
    stage.sign_in(&app, &stage.demo.support_upn).unwrap();
}

#[test]
fn a_guest_is_turned_away_with_the_reason() {
    let stage = Stage::new();
    let upn = "jo_fabrikam.example#EXT#@harbourlights.onmicrosoft.example";
    let guest = User::guest(&stage.demo.tenant_id, upn, "Jo from outside");
    stage.simulator.world().add_user(guest);
    let problem = stage.sign_in(&stage.own_app(), upn).unwrap_err();
    assert_eq!(problem.code, "guest_account");
}

#[test]
fn a_registration_is_judged_without_anyone_signing_in() {
    let stage = Stage::new();
    let good = check_app(&stage.http, &stage.own_app(), NOW).unwrap();
    assert_eq!(good.credentials, CredentialCheck::Proven);
    assert_eq!(
        good.tenant_id.as_deref(),
        Some(stage.demo.tenant_id.as_str())
    );
    let common = check_app(&stage.http, &stage.app("common"), NOW).unwrap();
    assert_eq!(common.credentials, CredentialCheck::NotRefused);
    for tenant in [stage.demo.tenant_id.as_str(), "common", "consumers"] {
        let mut wrong = stage.app(tenant);
        wrong.credential = AppCredential::Secret(stage.demo.client_secret_id.clone());
        let problem = check_app(&stage.http, &wrong, NOW).unwrap_err();
        assert_eq!(problem.code, "AADSTS7000215", "{tenant}");
        assert!(problem.remedy.contains("form of a Secret ID"), "{problem}");
        let mut unknown = stage.app(tenant);
        unknown.client_id = "00000000-0000-4000-8000-000000000000".to_owned();
        let problem = check_app(&stage.http, &unknown, NOW).unwrap_err();
        assert_eq!(problem.code, "AADSTS700016", "{tenant}");
    }
    let problem = check_app(&stage.http, &stage.app("nowhere.example"), NOW).unwrap_err();
    assert_eq!(problem.code, "AADSTS90002");
    stage.clock.advance(2 * 365 * 86_400);
    let later = stage.clock.now();
    let problem = check_app(&stage.http, &stage.own_app(), later).unwrap_err();
    assert_eq!(problem.code, "AADSTS7000222");
}

#[test]
fn a_busy_entra_is_given_its_time_and_works_again_after() {
    let stage = Stage::new();
    let app = stage.own_app();
    let signed_in = stage.sign_in(&app, &stage.demo.support_upn).unwrap();
    let wait = vec![("Retry-After".to_owned(), "42".to_owned())];
    let busy = Action::Http(429, wait, "{}".to_owned());
    stage.simulator.faults().once(Point::TokenRefresh, busy);
    let problem = stage.refresh(&app, &signed_in.refresh_token).unwrap_err();
    assert_eq!(problem.disposition, Disposition::RetryAfter { seconds: 42 });
    stage.refresh(&app, &signed_in.refresh_token).unwrap();
}

#[test]
fn a_mailbox_connects_while_graph_is_down() {
    let stage = Stage::new();
    let down = Action::Http(503, Vec::new(), String::new());
    stage.simulator.faults().always(Point::Graph, down);
    let signed_in = stage
        .sign_in(&stage.own_app(), &stage.demo.support_upn)
        .unwrap();
    assert_eq!(signed_in.mailbox_address(), stage.demo.support_upn);
    assert!(signed_in.graph_problem.unwrap().is_transient());
}
