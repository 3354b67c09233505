//! What becomes of mail that is delivered or submitted.

use super::{MAIL, SALES, SHARED, SUPPORT, arrives, options, signed_in_smtp, smtp, start, submit};
use crate::interop::client::{Client, challenge, xoauth2};
use crate::interop::servers::{Limits, Options, Servers};
use crate::interop::tokens::Token;

#[test]
fn a_delivered_message_comes_back_byte_for_byte_below_its_return_path() {
    let servers = start();
    servers.deliver(SUPPORT, MAIL);
    servers.deliver(
        SUPPORT,
        b"Return-Path: <>\r\nFrom: daemon@outside.test\r\n\r\nNo.\r\n",
    );
    let expected = [
        [b"Return-Path: <ann@outside.test>\r\n", MAIL].concat(),
        b"Return-Path: <>\r\nFrom: daemon@outside.test\r\n\r\nNo.\r\n".to_vec(),
    ];
    assert_eq!(servers.messages(SUPPORT, "INBOX"), expected);
    assert_eq!(servers.messages(SUPPORT, "Drafts"), Vec::<Vec<u8>>::new());
}

#[test]
fn many_messages_are_delivered_over_one_connection() {
    let servers = start();
    let message =
        |n| format!("From: ann@outside.test\r\nSubject: {n}\r\n\r\nText\r\n").into_bytes();
    servers.deliver_many(SUPPORT, (0..500).map(message));
    assert_eq!(servers.count(SUPPORT, "INBOX"), 500);
    assert!(servers.messages(SUPPORT, "INBOX")[499].ends_with(&message(499)));
}

#[test]
fn a_submission_reaches_the_other_mailbox_and_is_filed_in_sent_items() {
    let servers = start();
    let mut client = signed_in_smtp(
        &servers,
        SUPPORT,
        &Token {
            padding: 3000,
            ..Token::of(SUPPORT)
        },
    );
    let raw = b"From: support@harbour.test\r\nTo: sales@harbour.test\r\nMessage-ID: <1@desk.test>\r\n\r\nHello\r\n";
    let reply = submit(&mut client, SUPPORT, SALES, raw);
    assert_eq!(reply.code, 250, "{}", reply.text);
    for (address, folder) in [(SALES, "INBOX"), (SUPPORT, "Sent Items")] {
        arrives(&servers, address, folder, 1);
        let message = String::from_utf8(servers.messages(address, folder).remove(0)).unwrap();
        assert!(
            message.contains("\r\nMessage-ID: <1@desk.test>\r\n"),
            "{message}"
        );
        assert!(message.ends_with("\r\n\r\nHello\r\n"), "{message}");
    }
    assert_eq!(servers.count(SALES, "Sent Items"), 0);
}

#[test]
fn submission_wants_starttls_then_a_good_token_then_the_own_address() {
    let servers = start();
    let mut plain = Client::tcp(servers.smtp_port()).unwrap();
    assert_eq!(plain.reply().code, 220);
    let offered = plain.smtp("EHLO desk.test").text;
    assert!(
        offered.contains("STARTTLS") && !offered.contains("AUTH"),
        "{offered}"
    );
    assert_eq!(plain.smtp("AUTH XOAUTH2 eA==").code, 503);

    let mut client = smtp(&servers);
    let offered = client.smtp("EHLO desk.test").text;
    assert!(
        offered.contains("AUTH XOAUTH2 PLAIN LOGIN\n") && offered.contains("SIZE 37748736\n"),
        "{offered}"
    );
    assert_eq!(submit(&mut client, SUPPORT, SALES, MAIL).code, 553);
    let expired = Token {
        lifetime_seconds: -60,
        ..Token::of(SUPPORT)
    }
    .sign();
    let reply = client.smtp(&format!("AUTH XOAUTH2 {}", xoauth2(SUPPORT, &expired)));
    assert_eq!(reply.code, 334);
    assert!(challenge(&reply.text).contains(r#""status":"401""#));
    assert_eq!(client.smtp("").code, 535);

    let mut client = signed_in_smtp(&servers, SUPPORT, &Token::of(SUPPORT));
    assert_eq!(submit(&mut client, SALES, SHARED, MAIL).code, 553);
    assert_eq!(
        submit(&mut client, SUPPORT, "ann@outside.test", MAIL).code,
        550
    );
    assert_eq!(
        client
            .smtp(&format!("MAIL FROM:<{SUPPORT}> SIZE=37748737"))
            .code,
        552
    );
    assert_eq!(servers.count(SUPPORT, "Sent Items"), 0);
}

#[test]
fn an_unknown_recipient_of_a_known_domain_comes_back_as_a_bounce() {
    let servers = start();
    let mut client = signed_in_smtp(&servers, SUPPORT, &Token::of(SUPPORT));
    assert_eq!(
        submit(&mut client, SUPPORT, "nobody@harbour.test", MAIL).code,
        250
    );
    arrives(&servers, SUPPORT, "INBOX", 1);
    let bounce = String::from_utf8_lossy(&servers.messages(SUPPORT, "INBOX")[0]).into_owned();
    assert!(bounce.starts_with("Return-Path: <>\r\n"), "{bounce}");
    assert!(
        bounce.contains("Final-Recipient: rfc822; nobody@harbour.test\r\n"),
        "{bounce}"
    );
    assert!(bounce.contains("Status: 5.1.1\r\n"), "{bounce}");
}

#[test]
fn one_connection_or_message_too_many_is_put_off() {
    let limits = Limits {
        messages_per_minute: 2,
        ..Limits::default()
    };
    let servers = Servers::start(Options {
        limits: Some(limits),
        ..options()
    })
    .unwrap();
    let mut clients: Vec<Client> = (0..3)
        .map(|_| signed_in_smtp(&servers, SUPPORT, &Token::of(SUPPORT)))
        .collect();
    assert_eq!(Client::tcp(servers.smtp_port()).unwrap().reply().code, 421);
    let client = &mut clients[0];
    assert_eq!(submit(client, SUPPORT, SALES, MAIL).code, 250);
    assert_eq!(submit(client, SUPPORT, SALES, MAIL).code, 250);
    assert_eq!(submit(client, SUPPORT, SALES, MAIL).code, 450);
}
