//! Signing in by name and password, as servers for alerts ask for it.

use super::*;

fn open_as(
    scripted: &Scripted,
    security: Security,
    sign_in: SignIn<'_>,
) -> Result<Session, Refusal> {
    let access = Access { security, sign_in };
    Session::open_as(
        &scripted.server,
        &trust(),
        &access,
        "desk.contoso.example",
        SHORT,
    )
}

const ADA: SignIn<'_> = SignIn::Password {
    user: "ada",
    password: "right",
};

#[test]
fn a_server_that_speaks_tls_from_the_first_byte_is_signed_in_to_by_plain() {
    let scripted = Scripted::plain(|peer| {
        peer.start_tls();
        peer.say("220 smtp.example.org\r\n");
        exchange(peer, "EHLO", "250-smtp\r\n250 AUTH LOGIN PLAIN\r\n");
        let proof = STANDARD.encode("\0ada\0right");
        exchange(peer, &format!("AUTH PLAIN {proof}"), "235 2.7.0 ok\r\n");
        exchange(peer, "QUIT", "221 bye\r\n");
    });
    open_as(&scripted, Security::Tls, ADA).unwrap().quit();
}

#[test]
fn a_server_that_knows_only_login_is_answered_word_by_word() {
    let scripted = Scripted::plain(|peer| {
        up_to_auth(peer, "250-smtp\r\n250 AUTH LOGIN\r\n");
        exchange(peer, "AUTH LOGIN", "334 VXNlcm5hbWU6\r\n");
        exchange(peer, &STANDARD.encode("ada"), "334 UGFzc3dvcmQ6\r\n");
        exchange(peer, &STANDARD.encode("right"), "235 2.7.0 ok\r\n");
        exchange(peer, "QUIT", "221 bye\r\n");
    });
    open_as(&scripted, Security::StartTls, ADA).unwrap().quit();
}

#[test]
fn a_server_without_passwords_is_told_of() {
    let scripted = Scripted::plain(|peer| up_to_auth(peer, "250-smtp\r\n250 AUTH XOAUTH2\r\n"));
    let refused = open_as(&scripted, Security::StartTls, ADA).unwrap_err();
    assert_eq!(refused.problem.code, "smtp_no_password");
}

#[test]
fn a_password_is_not_said_in_clear() {
    let scripted = Scripted::plain(|peer| {
        peer.say("220 smtp.example.org\r\n");
        exchange(peer, "EHLO", "250-smtp\r\n250 AUTH PLAIN\r\n");
        assert_eq!(peer.hear(), "", "nothing more is said");
    });
    let refused = open_as(&scripted, Security::None, ADA).unwrap_err();
    assert_eq!(refused.problem.code, "smtp_password_in_clear");
}

#[test]
fn a_server_on_the_same_machine_takes_mail_without_signing_in() {
    let scripted = Scripted::plain(|peer| {
        peer.say("220 localhost\r\n");
        exchange(peer, "EHLO", "250 localhost\r\n");
        exchange(peer, "MAIL FROM:", "250 ok\r\n");
        exchange(peer, "RCPT TO:", "250 ok\r\n");
        exchange(peer, "DATA", "354 go on\r\n");
        take_message(peer);
        peer.say("250 2.0.0 kept\r\n");
        exchange(peer, "QUIT", "221 bye\r\n");
    });
    let mut session = open_as(&scripted, Security::None, SignIn::Nobody).unwrap();
    let outcome = session.send(&envelope(&["ops@office.example"]), RAW);
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    session.quit();
}
