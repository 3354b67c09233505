//! Scripted faults over HTTP, and the prompt stop.

use std::time::{Duration, Instant};

use mailhatch_simulator::faults::{Action, Fault, Point};
use mailhatch_simulator::{Options, Simulator};

use crate::calls::{IMAP, all_scopes, assert_refused, refresh};
use crate::site::Site;

#[test]
fn scripted_faults_strike_at_their_point_and_person() {
    let site = Site::start();
    let tokens = site
        .entra()
        .issue(&site.demo.support_upn, &site.demo.client_id, &[IMAP]);
    site.faults().once(
        Point::TokenRefresh,
        Action::Http(503, vec![("Retry-After".into(), "7".into())], "busy".into()),
    );
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens.refresh_token.as_str()),
    ];
    let busy = site.post(
        &format!("{}/common/oauth2/v2.0/token", site.endpoints().login_url),
        &form,
    );
    assert_eq!((busy.status, busy.retry_after.as_deref()), (503, Some("7")));
    site.faults().add(Fault {
        point: Point::TokenRefresh,
        who: Some("support@harbourlights.example".into()),
        action: Action::Entra(
            400,
            "interaction_required".into(),
            50076,
            "Multi-factor.".into(),
        ),
        times: Some(1),
    });
    let other = site
        .entra()
        .issue(&site.demo.staff_upns[0], &site.demo.client_id, &[IMAP]);
    assert_eq!(
        refresh(&site, &other.refresh_token, IMAP).0,
        200,
        "another person is spared"
    );
    assert_refused(
        &refresh(&site, &tokens.refresh_token, IMAP),
        400,
        "interaction_required",
        50076,
    );
    assert_eq!(refresh(&site, &tokens.refresh_token, IMAP).0, 200);
    site.faults().once(Point::Keys, Action::Close);
    assert!(
        site.try_get("/common/discovery/v2.0/keys", Duration::from_secs(5))
            .is_err()
    );
    site.faults().once(Point::Discovery, Action::Hang);
    assert!(
        site.try_get(
            "/common/v2.0/.well-known/openid-configuration",
            Duration::from_millis(300)
        )
        .is_err()
    );
    let from = Instant::now();
    site.faults()
        .once(Point::Keys, Action::Delay(Duration::from_millis(200)));
    assert_eq!(site.get_json("/common/discovery/v2.0/keys").0, 200);
    assert!(from.elapsed() >= Duration::from_millis(200));
    let refusal = |status| {
        Action::Entra(
            status,
            "access_denied".into(),
            53003,
            "Blocked by policy.".into(),
        )
    };
    site.faults().once(Point::Authorize, refusal(302));
    let url = site.authorize_url(&all_scopes(), &[]);
    assert!(site.get(&url).location.unwrap().contains("AADSTS53003"));
    site.faults().once(Point::Authorize, refusal(200));
    assert!(
        site.entra()
            .consent(&url, &site.demo.support_upn)
            .unwrap_err()
            .contains("AADSTS53003")
    );
}

#[test]
fn stopping_is_prompt_even_while_a_request_hangs() {
    let site = Site::start();
    site.faults().always(Point::Discovery, Action::Hang);
    let address = format!(
        "{}/common/v2.0/.well-known/openid-configuration",
        site.endpoints().login_url
    );
    let waiting = std::thread::spawn(move || ureq::get(&address).call().is_err());
    assert!(
        site.try_get(
            "/common/v2.0/.well-known/openid-configuration",
            Duration::from_millis(300)
        )
        .is_err()
    );
    let from = Instant::now();
    drop(site);
    assert!(waiting.join().unwrap());
    assert!(
        from.elapsed() < Duration::from_secs(3),
        "{:?}",
        from.elapsed()
    );
}

#[test]
fn a_stopped_simulator_leaves_its_ports_free() {
    let site = Site::start();
    let port = |text: &str| text.rsplit(':').next().unwrap().parse::<u16>().unwrap();
    let endpoints = site.endpoints().clone();
    drop(site);
    let again = Simulator::start(Options {
        http_port: port(&endpoints.login_url),
        imap_port: port(&endpoints.imap),
        smtp_port: port(&endpoints.smtp),
        ..Options::default()
    });
    assert_eq!(again.unwrap().endpoints().login_url, endpoints.login_url);
}
