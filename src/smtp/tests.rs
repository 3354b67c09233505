//! Submissions to servers that answer oddly, refuse or vanish.

mod passwords;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::session::effective_message_id;
use super::*;
use crate::net::Trust;
use crate::net::testing::{Peer, Scripted, trust};
use crate::net::xoauth2::Login;

const SHORT: Timeouts = Timeouts {
    connect: Duration::from_secs(5),
    command: Duration::from_millis(500),
    final_answer: Duration::from_millis(500),
};
const CLEAR: &str =
    "250-AM0PR.outlook.office365.com Hello\r\n250-SIZE 157286400\r\n250 STARTTLS\r\n";
const SECRET: &str = "250-AM0PR.outlook.office365.com Hello\r\n250-SIZE 1000\r\n250-AUTH LOGIN XOAUTH2\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n";
const RAW: &[u8] = b"Subject: x\r\n\r\n.dot\r\nbye";

fn login() -> Login {
    Login::new("support@contoso.example", "token-1")
}

fn envelope(recipients: &[&str]) -> Envelope {
    Envelope {
        mail_from: "support@contoso.example".to_owned(),
        recipients: recipients.iter().map(|&r| r.to_owned()).collect(),
        together: false,
    }
}

fn open(scripted: &Scripted) -> Result<Session, Refusal> {
    Session::open(
        &scripted.server,
        &trust(),
        &login(),
        "desk.contoso.example",
        SHORT,
    )
}

fn deliver(scripted: &Scripted, recipients: &[&str]) -> Outcome {
    send(
        &scripted.server,
        &trust(),
        &login(),
        "desk.contoso.example",
        &envelope(recipients),
        RAW,
        SHORT,
    )
}

fn refusal(outcome: Outcome) -> Refusal {
    match outcome {
        Outcome::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

/// Hears one line and answers it.
fn exchange(peer: &mut Peer, expected: &str, answer: &str) {
    let line = peer.hear();
    assert!(
        line.starts_with(expected),
        "heard {line:?}, not {expected:?}"
    );
    peer.say(answer);
}

fn up_to_auth(peer: &mut Peer, features: &str) {
    peer.say("220 AM0PR.outlook.office365.com Microsoft ESMTP MAIL Service ready\r\n");
    exchange(peer, "EHLO desk.contoso.example", CLEAR);
    exchange(peer, "STARTTLS", "220 2.0.0 SMTP server ready\r\n");
    peer.start_tls();
    exchange(peer, "EHLO desk.contoso.example", features);
}

fn let_in(peer: &mut Peer) {
    up_to_auth(peer, SECRET);
    exchange(peer, "AUTH XOAUTH2", "334 \r\n");
    let payload = STANDARD.decode(peer.hear()).unwrap();
    let expected = "user=support@contoso.example\x01auth=Bearer token-1\x01\x01";
    assert_eq!(payload, expected.as_bytes());
    peer.say("235 2.7.0 Authentication successful\r\n");
}

/// Reads a message up to the dot and gives it back without.
fn take_message(peer: &mut Peer) -> String {
    let mut message = String::new();
    loop {
        let line = peer.hear();
        if line == "." {
            return message;
        }
        message.push_str(&line);
        message.push('\n');
    }
}

#[test]
fn a_message_is_handed_over_and_the_new_message_id_is_read() {
    let scripted = Scripted::plain(|peer| {
        let_in(peer);
        exchange(
            peer,
            "MAIL FROM:<support@contoso.example> SIZE=26",
            "250 2.1.0 Sender OK\r\n",
        );
        exchange(peer, "RCPT TO:<a@b.example>", "250 2.1.5 Recipient OK\r\n");
        exchange(peer, "DATA", "354 Start mail input\r\n");
        assert_eq!(take_message(peer), "Subject: x\n\n..dot\nbye\n");
        peer.say("250 2.0.0 OK <AM0@AM0PR.PROD.OUTLOOK.COM> [Hostname=AM0PR.prod.outlook.com]\r\n");
        exchange(peer, "QUIT", "221 2.0.0 bye\r\n");
    });
    let expected = Outcome::Accepted {
        reply: "250 2.0.0 OK <AM0@AM0PR.PROD.OUTLOOK.COM> [Hostname=AM0PR.prod.outlook.com]"
            .to_owned(),
        effective_message_id: Some("<AM0@AM0PR.PROD.OUTLOOK.COM>".to_owned()),
        refused_recipients: vec![],
    };
    assert_eq!(deliver(&scripted, &["a@b.example"]), expected);
    scripted.heard();
}

#[test]
fn only_an_id_in_exchange_s_place_is_taken_for_one() {
    let taken = |text: &str| effective_message_id(text);
    assert_eq!(
        taken("2.0.0 OK <a@b.prod.outlook.com> [x]").as_deref(),
        Some("<a@b.prod.outlook.com>")
    );
    assert_eq!(taken("2.0.0 Ok <A@B>").as_deref(), Some("<A@B>"));
    for none in [
        "2.0.0 Ok: queued as 4XyZ",
        "2.0.0 OK 17 abc - gsmtp",
        "2.6.0 <a@b> queued",
        "OK <>",
        "OK <a b@c>",
        "",
    ] {
        assert_eq!(taken(none), None, "{none}");
    }
}

#[test]
fn a_334_challenge_is_answered_and_the_535_behind_it_is_told() {
    let scripted = Scripted::plain(|peer| {
        up_to_auth(peer, SECRET);
        exchange(peer, "AUTH XOAUTH2", "334 \r\n");
        let json = STANDARD.encode("{\"status\":\"401\"}");
        exchange(peer, "", &format!("334 {json}\r\n"));
        assert_eq!(peer.hear(), "");
        peer.say("535 5.7.3 Authentication unsuccessful [AM0PR.prod.outlook.com]\r\n");
    });
    let refusal = open(&scripted).unwrap_err();
    assert_eq!(
        (refusal.stage, refusal.suggests),
        (Stage::SignIn, Some(Suggestion::RefreshToken))
    );
    assert_eq!(refusal.problem.code, "smtp_auth_failed");
    assert!(
        refusal
            .problem
            .detail
            .contains("5.7.3 Authentication unsuccessful")
    );
    assert!(refusal.problem.detail.contains("\"status\":\"401\""));
    assert!(!format!("{refusal:?}").contains("token-1"));
}

#[test]
fn smtp_auth_switched_off_suggests_graph_and_shows_the_command() {
    let scripted = Scripted::plain(|peer| {
        up_to_auth(peer, SECRET);
        exchange(peer, "AUTH XOAUTH2", "334 \r\n");
        exchange(
            peer,
            "",
            "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled for more information. [x]\r\n",
        );
    });
    let refusal = verify(
        &scripted.server,
        &trust(),
        &login(),
        "desk.contoso.example",
        SHORT,
    )
    .unwrap_err();
    assert_eq!(refusal.suggests, Some(Suggestion::UseGraph));
    assert_eq!(
        refusal.problem.command.as_deref(),
        Some(
            "Set-CASMailbox -Identity support@contoso.example -SmtpClientAuthenticationDisabled $false"
        )
    );
}

#[test]
fn a_probe_signs_in_and_leaves() {
    let scripted = Scripted::plain(|peer| {
        let_in(peer);
        exchange(peer, "QUIT", "221 bye\r\n");
    });
    verify(
        &scripted.server,
        &trust(),
        &login(),
        "desk.contoso.example",
        SHORT,
    )
    .unwrap();
    assert_eq!(scripted.heard().last().unwrap(), "QUIT");
}

#[test]
fn without_starttls_no_word_of_the_sign_in_is_said() {
    let scripted = Scripted::plain(|peer| {
        peer.say("220 ready\r\n");
        exchange(peer, "EHLO", "250-x\r\n250 AUTH XOAUTH2\r\n");
        peer.stay_silent();
    });
    let refusal = open(&scripted).unwrap_err();
    assert_eq!(
        (refusal.stage, refusal.problem.code.as_str()),
        (Stage::Encrypt, "smtp_no_starttls")
    );
}

#[test]
fn answers_slipped_in_before_encryption_are_noticed() {
    let scripted = Scripted::plain(|peer| {
        peer.say("220 ready\r\n");
        exchange(peer, "EHLO", CLEAR);
        exchange(peer, "STARTTLS", "220 go\r\n250-x\r\n250 AUTH XOAUTH2\r\n");
        peer.stay_silent();
    });
    let refusal = open(&scripted).unwrap_err();
    assert_eq!(refusal.problem.code, "smtp_tampered");
}

#[test]
fn an_untrusted_certificate_ends_it_before_the_sign_in() {
    let scripted = Scripted::plain(|peer| {
        peer.say("220 ready\r\n");
        exchange(peer, "EHLO", CLEAR);
        exchange(peer, "STARTTLS", "220 go\r\n");
        peer.start_tls();
        peer.stay_silent();
    });
    let public_only = Trust::new(None).unwrap();
    let refusal =
        Session::open(&scripted.server, &public_only, &login(), "x.example", SHORT).unwrap_err();
    assert_eq!(
        (refusal.stage, refusal.problem.code.as_str()),
        (Stage::Encrypt, "tls_untrusted")
    );
}

#[test]
fn a_server_that_is_none_and_one_that_is_silent_are_told() {
    let imap = Scripted::plain(|peer| {
        peer.say("* OK IMAP4 ready\r\n");
        peer.stay_silent();
    });
    assert_eq!(
        open(&imap).unwrap_err().problem.code,
        "smtp_unexpected_answer"
    );
    let silent = Scripted::plain(Peer::stay_silent);
    assert_eq!(open(&silent).unwrap_err().problem.code, "answer_timeout");
    let endless = Scripted::plain(|peer| {
        for _ in 0..100 {
            peer.say(&"220".repeat(1000));
        }
        peer.stay_silent();
    });
    assert_eq!(open(&endless).unwrap_err().problem.code, "answer_too_big");
}

#[test]
fn a_connection_dropped_after_the_final_dot_leaves_the_outcome_open() {
    for last_words in ["", "250-2.0.0 O", "hm\r\n"] {
        let scripted = Scripted::plain(move |peer| {
            let_in(peer);
            exchange(peer, "MAIL", "250 ok\r\n");
            exchange(peer, "RCPT", "250 ok\r\n");
            exchange(peer, "DATA", "354 go\r\n");
            take_message(peer);
            peer.say(last_words);
        });
        let outcome = deliver(&scripted, &["a@b.example"]);
        let Outcome::Unknown { problem } = outcome else {
            panic!("{outcome:?} after {last_words:?}");
        };
        assert_eq!(problem.code, "smtp_outcome_unknown");
        assert!(!problem.is_transient(), "never sent twice by itself");
    }
}

#[test]
fn silence_after_the_final_dot_leaves_the_outcome_open_too() {
    let scripted = Scripted::plain(|peer| {
        let_in(peer);
        exchange(peer, "MAIL", "250 ok\r\n");
        exchange(peer, "RCPT", "250 ok\r\n");
        exchange(peer, "DATA", "354 go\r\n");
        take_message(peer);
        peer.stay_silent();
    });
    let outcome = deliver(&scripted, &["a@b.example"]);
    assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
}

#[test]
fn a_connection_dropped_before_the_final_dot_means_not_sent() {
    let scripted = Scripted::plain(|peer| {
        let_in(peer);
        exchange(peer, "MAIL", "250 ok\r\n");
        exchange(peer, "RCPT", "250 ok\r\n");
        peer.hear();
    });
    let refusal = refusal(deliver(&scripted, &["a@b.example"]));
    assert_eq!(refusal.stage, Stage::Content);
    assert!(refusal.problem.is_transient());
}

#[test]
fn recipients_are_refused_one_by_one() {
    let scripted = Scripted::plain(|peer| {
        let_in(peer);
        exchange(peer, "MAIL", "250 ok\r\n");
        exchange(
            peer,
            "RCPT TO:<gone@b.example>",
            "550 5.1.10 RESOLVER.ADR.RecipientNotFound\r\n",
        );
        exchange(peer, "RCPT TO:<a@b.example>", "250 ok\r\n");
        exchange(peer, "RCPT TO:<busy@b.example>", "450 4.2.1 busy\r\n");
        exchange(peer, "DATA", "354 go\r\n");
        take_message(peer);
        peer.say("250 2.0.0 Ok: queued as 1\r\n");
        exchange(peer, "QUIT", "221 bye\r\n");
    });
    let outcome = deliver(
        &scripted,
        &[
            "gone@b.example",
            "no address",
            "a@b.example",
            "busy@b.example",
        ],
    );
    let Outcome::Accepted {
        refused_recipients,
        effective_message_id,
        ..
    } = outcome
    else {
        panic!("{outcome:?}");
    };
    assert_eq!(effective_message_id, None);
    let told: Vec<(&str, &str)> = refused_recipients
        .iter()
        .map(|(recipient, problem)| (recipient.as_str(), problem.code.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("gone@b.example", "smtp_recipient_unknown"),
            ("no address", "smtp_bad_address"),
            ("busy@b.example", "smtp_recipient_later"),
        ]
    );
}

#[test]
fn when_all_recipients_are_refused_so_is_the_message_and_the_session_goes_on() {
    let scripted = Scripted::plain(|peer| {
        let_in(peer);
        exchange(peer, "MAIL", "250 ok\r\n");
        exchange(peer, "RCPT", "550 5.1.1 unknown\r\n");
        exchange(peer, "RCPT", "451 4.3.0 later\r\n");
        exchange(peer, "RSET", "250 ok\r\n");
        exchange(peer, "MAIL", "250 ok\r\n");
        exchange(peer, "RCPT", "250 ok\r\n");
        exchange(peer, "DATA", "354 go\r\n");
        take_message(peer);
        peer.say("554 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied\r\n");
        exchange(peer, "RSET", "250 ok\r\n");
        exchange(peer, "QUIT", "221 bye\r\n");
    });
    let mut session = open(&scripted).unwrap();
    let first = refusal(session.send(&envelope(&["gone@b.example", "busy@b.example"]), RAW));
    assert_eq!(first.stage, Stage::Recipients);
    assert!(
        first.problem.is_transient(),
        "one of them may be reached later"
    );
    assert!(session.is_usable());
    let second = refusal(session.send(&envelope(&["a@b.example"]), RAW));
    assert_eq!(
        (second.stage, second.problem.code.as_str()),
        (Stage::Content, "smtp_send_as_denied_late")
    );
    session.quit();
    assert_eq!(scripted.heard().last().unwrap(), "QUIT");
}

#[test]
fn what_the_server_cannot_take_is_not_even_tried() {
    let scripted = Scripted::plain(|peer| {
        up_to_auth(peer, "250-x\r\n250-SIZE 1000\r\n250 AUTH XOAUTH2\r\n");
        exchange(peer, "AUTH", "334 \r\n");
        exchange(peer, "", "235 ok\r\n");
        for _ in 0..5 {
            exchange(peer, "RSET", "250 ok\r\n");
        }
        peer.stay_silent();
    });
    let mut session = open(&scripted).unwrap();
    let to = |address: &str| envelope(&[address]);
    let mut code =
        |envelope: &Envelope, raw: &[u8]| refusal(session.send(envelope, raw)).problem.code;
    assert_eq!(code(&to("a@b.example"), &[b'a'; 1200]), "smtp_too_big");
    assert_eq!(code(&to("ä@b.example"), RAW), "smtp_no_utf8");
    assert_eq!(
        code(&to("a@b.example"), "Subject: ü\r\n".as_bytes()),
        "smtp_no_8bit"
    );
    let mut injected = to("a@b.example");
    injected.mail_from = "a@b.example>\r\nRSET".to_owned();
    assert_eq!(code(&injected, RAW), "smtp_bad_address");
}

#[test]
fn addresses_and_text_outside_ascii_are_announced() {
    let scripted = Scripted::plain(|peer| {
        let_in(peer);
        let mail = peer.hear();
        assert!(mail.ends_with(" SMTPUTF8 BODY=8BITMIME"), "{mail}");
        peer.say("250 ok\r\n");
        exchange(peer, "RCPT TO:<jürgen@b.example>", "250 ok\r\n");
        exchange(peer, "DATA", "354 go\r\n");
        take_message(peer);
        peer.say("250 ok\r\n");
    });
    let mut session = open(&scripted).unwrap();
    let outcome = session.send(
        &envelope(&["jürgen@b.example"]),
        "Subject: ü\r\n\r\n".as_bytes(),
    );
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
}

#[test]
fn after_421_the_session_is_over() {
    let scripted = Scripted::plain(|peer| {
        let_in(peer);
        exchange(peer, "MAIL", "421 4.3.2 Service not active\r\n");
    });
    let mut session = open(&scripted).unwrap();
    let first = refusal(session.send(&envelope(&["a@b.example"]), RAW));
    assert_eq!(first.problem.code, "smtp_service_unavailable");
    assert!(!session.is_usable());
    let second = refusal(session.send(&envelope(&["a@b.example"]), RAW));
    assert_eq!(
        (second.stage, second.problem.code.as_str()),
        (Stage::Connect, "connection_closed")
    );
}

#[test]
fn a_positive_answer_out_of_place_is_not_believed() {
    let scripted = Scripted::plain(|peer| {
        up_to_auth(peer, SECRET);
        exchange(peer, "AUTH XOAUTH2", "250 ok\r\n");
        peer.stay_silent();
    });
    let refusal = open(&scripted).unwrap_err();
    assert_eq!(refusal.problem.code, "smtp_unexpected_answer");
}

#[test]
fn an_odd_machine_name_is_replaced_by_the_address() {
    let scripted = Scripted::plain(|peer| {
        peer.say("220 ready\r\n");
        let hello = peer.hear();
        assert!(
            hello == "EHLO [127.0.0.1]" || hello == "EHLO [IPv6:::1]",
            "{hello}"
        );
        peer.say("501 5.5.4 Invalid domain name\r\n");
    });
    let refusal = Session::open(
        &scripted.server,
        &trust(),
        &login(),
        "f3a9_container",
        SHORT,
    )
    .unwrap_err();
    assert_eq!(refusal.problem.code, "smtp_hello_refused");
    scripted.heard();
}

#[test]
fn suggestions_come_one_after_the_other() {
    let mut next = Some(Suggestion::RefreshToken);
    let mut all = Vec::new();
    while let Some(suggestion) = next {
        all.push(suggestion);
        next = suggestion.next();
    }
    assert_eq!(
        all,
        [
            Suggestion::RefreshToken,
            Suggestion::TryUpn,
            Suggestion::UseGraph
        ]
    );
}
