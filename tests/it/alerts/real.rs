//! Mail to administrators through a mail server of their own: real Postfix, with a password.

use std::io::Write;
use std::sync::{Arc, Mutex};

use mailhatch::mail;
use mailhatch::model::AlertChannel;
use mailhatch::work::alerts::channels::{self, MailForm};
use mailhatch::work::alerts::test;

use super::Desk;
use crate::interop::servers::{Options, PASSWORD, Servers};

const FROM: &str = "mailhatch@office.example";
const TO: &str = "ops@office.example";

fn postfix() -> Servers {
    Servers::start(Options {
        keys: Vec::new(),
        issuers: Vec::new(),
        audience: None,
        users: vec![FROM.to_owned(), TO.to_owned()],
        delegates: Vec::new(),
        password: false,
        limits: None,
    })
    .unwrap()
}

impl Desk {
    /// Believes this server's certificate, and sends alerts through it with this password.
    fn mails_through(&mut self, servers: &Servers, password: &str) {
        let more = servers.ca_pem().to_owned();
        self.stage.reconfigure(|config| {
            let roots = config.extra_roots.take().unwrap_or_default();
            config.extra_roots = Some([roots.as_slice(), b"\n", more.as_bytes()].concat());
        });
        let form = MailForm {
            on: true,
            recipients: TO.to_owned(),
            host: "localhost".to_owned(),
            port: servers.smtp_port().to_string(),
            security: "starttls".to_owned(),
            user: FROM.to_owned(),
            password: password.to_owned(),
            from: FROM.to_owned(),
        };
        channels::save_mail(&self.stage.services, &form).unwrap();
    }
}

#[test]
fn when_every_mailbox_has_stopped_alerts_leave_through_a_mail_server_of_ones_own() {
    let (mut desk, servers) = (Desk::new(), postfix());
    desk.mails_through(&servers, PASSWORD);
    let staff = desk.stage.demo.staff_upns[0].clone();
    desk.stage.simulator.entra().revoke(&staff, 50173);
    desk.stage.clear_tokens(desk.orders);
    let _ = desk.stage.poll(desk.orders);
    desk.revoke();
    desk.sees(2);
    assert!(desk.mails().is_empty(), "no mailbox could have taken it");
    crate::support::stage::until("both mails", || servers.count(TO, "INBOX") == 2);
    let got = servers.messages(TO, "INBOX");
    let (read, defects) = mail::parse(&got[0]);
    assert!(defects.is_empty(), "{defects:?}");
    assert_eq!(read.from[0].address, FROM);
    assert!(read.subject.starts_with("[Mailhatch] "), "{}", read.subject);
    assert_eq!(
        read.headers.text("auto-submitted").as_deref(),
        Some("auto-generated")
    );
    desk.sign_in_again();
    desk.sees(1);
    crate::support::stage::until("the end of one", || servers.count(TO, "INBOX") == 3);
}

/// A log in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_wrong_password_is_said_and_stands_in_no_log() {
    let (mut desk, servers) = (Desk::new(), postfix());
    desk.mails_through(&servers, "wrong-password-hunter2");
    let log = Log::default();
    let kept = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || kept.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        desk.stage.simulator.faults().always(
            mailhatch_simulator::faults::Point::SmtpGreeting,
            mailhatch_simulator::faults::Action::Close,
        );
        desk.revoke();
        assert_eq!(desk.look().failed, 1);
        let problem = test(&desk.stage.services, AlertChannel::Mail).unwrap_err();
        assert!(!problem.to_string().contains("hunter2"));
    });
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("administrators could not be told"), "{log}");
    let secrets = ["hunter2", TO, "admin@example.com"];
    for secret in secrets {
        let ours = log.lines().filter(|line| line.contains("mailhatch::"));
        assert_eq!(
            ours.filter(|line| line.contains(secret)).count(),
            0,
            "{secret}"
        );
    }
    let encoded = {
        use base64::Engine as _;
        let proof = format!("\0{FROM}\0wrong-password-hunter2");
        base64::engine::general_purpose::STANDARD.encode(proof)
    };
    assert!(!log.contains(&encoded) && !log.contains("hunter2"));
    // Without the mailboxes the server's own refusal is what is said.
    let nobody = |tx: &mailhatch::store::Tx<'_>| {
        let paused = mailhatch::model::MailboxStatus::Paused;
        mailhatch::store::mailboxes::update_status(tx, desk.orders, paused, None, 0)
    };
    desk.stage.services.store.write(nobody).unwrap();
    let problem = test(&desk.stage.services, AlertChannel::Mail).unwrap_err();
    assert_eq!(problem.code, "alerts_smtp_sign_in", "{problem}");
}
