//! The ways by which administrators are told: a signed webhook, and mail through a server of their own.

use jsonwebtoken::{Algorithm, EncodingKey};
use mailhatch::model::{AlertChannel, NoticeState};
use mailhatch::problem::Problem;
use mailhatch::store::alerts;
use mailhatch::work::alerts::channels::{self, MailForm, WebhookForm};
use mailhatch::work::alerts::test;

use super::Desk;
use super::receiver::{Got, Receiver};
use crate::support::stage::NOW;

const SECRET: &str = "a secret of thirty-two characters";

impl Desk {
    fn hooks(&self, url: &str, inside: bool) {
        let form = WebhookForm {
            url: url.to_owned(),
            secret: SECRET.to_owned(),
            inside,
        };
        channels::save_webhook(&self.stage.services, &form).unwrap();
    }

    fn fills_disk(&self) {
        channels::save_disk(&self.stage.services, "1000000000").unwrap();
    }

    fn makes_room(&self) {
        channels::save_disk(&self.stage.services, "1").unwrap();
    }

    fn mail_off(&self) {
        channels::save_mail(&self.stage.services, &MailForm::default()).unwrap();
    }

    fn waiting(&self) -> (i64, Option<Problem>) {
        let read = |db: &mailhatch::store::Db| alerts::count_due(db, AlertChannel::Webhook);
        self.stage.services.store.read(read).unwrap()
    }
}

/// The signature as a receiver computes it, by another implementation than ours.
fn signature(timestamp: &str, body: &[u8]) -> String {
    use base64::Engine as _;
    let signed = [timestamp.as_bytes(), b".", body].concat();
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    let made = jsonwebtoken::crypto::sign(&signed, &key, Algorithm::HS256).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(made)
        .unwrap();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("v1={hex}")
}

#[test]
fn the_webhook_tells_both_moments_signed_under_one_id() {
    let (desk, receiver) = (Desk::new(), Receiver::new());
    desk.hooks(&receiver.url(), true);
    desk.fills_disk();
    desk.sees(1);
    desk.sees(1);
    desk.stage.clock.advance(60);
    desk.makes_room();
    desk.sees(0);
    let got = receiver.got();
    assert_eq!(got.len(), 2);
    for request in &got {
        let timestamp = request.header("mailhatch-timestamp");
        assert_eq!(
            request.header("mailhatch-signature"),
            signature(timestamp, &request.body)
        );
        assert_eq!(request.header("content-type"), "application/json");
    }
    let (begun, over) = (got[0].json(), got[1].json());
    assert_eq!(begun["id"], over["id"]);
    assert_eq!(
        (&begun["phase"], &over["phase"]),
        (&"opened".into(), &"over".into())
    );
    assert_eq!(
        (&begun["kind"], &begun["subject"]),
        (&"disk".into(), &"disk".into())
    );
    assert_eq!(
        (&over["opened_at"], &over["at"]),
        (&NOW.into(), &(NOW + 60).into())
    );
    for field in ["title", "sentence", "remedy", "code", "link"] {
        assert!(!begun[field].as_str().unwrap().is_empty(), "{field}");
    }
}

#[test]
fn a_receiver_that_is_down_is_tried_again_with_longer_pauses_for_a_day_and_said_so() {
    let (desk, receiver) = (Desk::new(), Receiver::new());
    desk.mail_off();
    desk.hooks(&receiver.url(), true);
    receiver.answers("503 Service Unavailable\r\n");
    desk.fills_disk();
    assert_eq!(desk.look().failed, 1);
    let (count, problem) = desk.waiting();
    assert_eq!(
        (count, problem.unwrap().code.as_str()),
        (1, "webhook_failed")
    );
    assert_eq!(desk.look().failed, 0, "not before its pause is over");
    for _ in 0..24 * 60 {
        desk.stage.clock.advance(60);
        desk.look();
    }
    let about_disk = |got: &&Got| got.json()["subject"] == "disk";
    let tries = receiver.got().iter().filter(about_disk).count();
    assert!((24..45).contains(&tries), "{tries} tries in a day");
    desk.stage.clock.advance(3_700);
    desk.look();
    let given_up = desk.stage.services.store.read(|db| {
        let open = alerts::list_open(db)?;
        let disk = open.iter().find(|alert| alert.cause.key == "disk").unwrap();
        alerts::list_notices(db, disk.id)
    });
    assert_eq!(given_up.unwrap()[0].state, NoticeState::GivenUp);
}

#[test]
fn a_receiver_that_comes_back_is_told_then() {
    let (desk, receiver) = (Desk::new(), Receiver::new());
    desk.hooks(&receiver.url(), true);
    receiver.answers("500 Oh\r\n");
    desk.fills_disk();
    assert_eq!(desk.look().failed, 1);
    assert_eq!(
        desk.mails().len(),
        1,
        "one channel does not wait for the other"
    );
    receiver.answers("200 OK\r\n");
    desk.stage.clock.advance(60);
    assert_eq!(desk.look().told, 1);
    assert_eq!(desk.waiting(), (0, None));
}

#[test]
fn the_webhook_does_not_reach_into_the_own_network_unless_that_is_allowed() {
    let (desk, receiver) = (Desk::new(), Receiver::new());
    let port = receiver.address.port();
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433"] {
        desk.hooks(&format!("https://{host}:{port}/hook"), false);
        let problem = test(&desk.stage.services, AlertChannel::Webhook).unwrap_err();
        assert_eq!(problem.code, "http_inside", "{host}: {problem}");
    }
    assert!(receiver.got().is_empty());
    desk.hooks(&receiver.url(), true);
    test(&desk.stage.services, AlertChannel::Webhook).unwrap();
    assert_eq!(receiver.got()[0].json()["phase"], "test");
}

#[test]
fn the_webhook_follows_no_redirect() {
    let (desk, receiver) = (Desk::new(), Receiver::new());
    let other = Receiver::new();
    desk.hooks(&receiver.url(), true);
    receiver.answers(&format!(
        "307 Temporary Redirect\r\nlocation: {}\r\n",
        other.url()
    ));
    let problem = test(&desk.stage.services, AlertChannel::Webhook).unwrap_err();
    assert_eq!(problem.code, "webhook_redirect");
    assert!(other.got().is_empty());
}

#[test]
fn addresses_and_secrets_that_cannot_work_are_not_taken() {
    let desk = Desk::new();
    let save = |url: &str, secret: &str, inside| {
        let form = WebhookForm {
            url: url.to_owned(),
            secret: secret.to_owned(),
            inside,
        };
        channels::save_webhook(&desk.stage.services, &form)
    };
    for url in [
        "hooks.example.org",
        "ftp://hooks.example.org/",
        "http://hooks.example.org/",
        "https://me:it@hooks.example.org/",
        "file:///etc/passwd",
    ] {
        assert_eq!(save(url, SECRET, false).unwrap_err().field, "url", "{url}");
    }
    let url = "https://hooks.example.org/";
    assert_eq!(save(url, "", false).unwrap_err().field, "secret");
    assert_eq!(save(url, "too short", false).unwrap_err().field, "secret");
    save(url, SECRET, false).unwrap();
    save(url, "", false).unwrap();
    let mail = |change: fn(&mut MailForm)| {
        let mut form = MailForm {
            on: true,
            host: "smtp.example.org".to_owned(),
            security: "starttls".to_owned(),
            from: "mailhatch@example.org".to_owned(),
            ..MailForm::default()
        };
        change(&mut form);
        channels::save_mail(&desk.stage.services, &form).map_err(|error| error.field)
    };
    assert_eq!(mail(|_| {}), Ok(()));
    assert_eq!(mail(|form| form.from.clear()), Err("from"));
    assert_eq!(mail(|form| form.port = "x".to_owned()), Err("port"));
    assert_eq!(mail(|form| form.host = "https://x".to_owned()), Err("host"));
    assert_eq!(
        mail(|form| form.recipients = "a@b.example, nobody".to_owned()),
        Err("recipients")
    );
    assert_eq!(mail(|form| form.user = "u".to_owned()), Err("password"));
    let with_password = |form: &mut MailForm| {
        form.user = "u".to_owned();
        form.password = "p".to_owned();
    };
    assert_eq!(mail(with_password), Ok(()));
    let elsewhere = |form: &mut MailForm| {
        form.user = "u".to_owned();
        form.host = "other.example.org".to_owned();
    };
    assert_eq!(
        mail(elsewhere),
        Err("password"),
        "no password goes to another server"
    );
    let in_clear = |form: &mut MailForm| {
        form.user = "u".to_owned();
        form.security = "none".to_owned();
    };
    assert_eq!(mail(in_clear), Err("security"));
}
