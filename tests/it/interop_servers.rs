//! The real servers themselves: what tests that use them may rely on.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::interop::client::{Client, Reply, challenge, xoauth2};
use crate::interop::process::{ProcessId, wait_until};
use crate::interop::requirements;
use crate::interop::servers::{Limits, Options, Servers, answers};
use crate::interop::tokens::{self, Token};

const SUPPORT: &str = "support@harbour.test";
const SALES: &str = "sales@harbour.test";
const SHARED: &str = "shared@harbour.test";
const AIDE: &str = "aide@harbour.test";
const BOSS: &str = "boss@head.test";
const MAIL: &[u8] =
    b"From: Ann <ann@outside.test>\r\nSubject: Moorings\r\n\r\n.dots\r\n..and caf\xe9\r\n";

fn options() -> Options {
    Options {
        keys: vec![tokens::key()],
        issuers: vec![tokens::ISSUER.to_owned()],
        audience: Some(tokens::AUDIENCE.to_owned()),
        users: [SUPPORT, SALES, SHARED, AIDE].map(str::to_owned).to_vec(),
        delegates: [AIDE, BOSS]
            .map(|upn| (upn.to_owned(), SHARED.to_owned()))
            .to_vec(),
        limits: None,
    }
}

fn start() -> Servers {
    Servers::start(options()).unwrap()
}

fn imap(servers: &Servers) -> Client {
    let mut client = Client::tcp(servers.imap_port()).unwrap();
    client.start_tls(servers.ca_pem()).unwrap();
    assert!(client.line().starts_with("* OK "));
    client
}

/// The challenge, when one was sent, and the tagged answer.
fn authenticate(client: &mut Client, user: &str, token: &str) -> (Option<String>, String) {
    let first = client.imap(&format!("AUTHENTICATE XOAUTH2 {}", xoauth2(user, token)));
    let first = first.last().unwrap().clone();
    let Some(base64) = first.strip_prefix('+') else {
        return (None, first);
    };
    client.send("");
    let answer = client.imap_answer().pop().unwrap();
    (Some(challenge(base64)), answer)
}

fn signs_in(servers: &Servers, user: &str, token: &Token) -> bool {
    let (challenge, answer) = authenticate(&mut imap(servers), user, &token.sign());
    match challenge {
        None => assert!(answer.starts_with("t OK "), "{answer}\n{}", servers.log()),
        Some(challenge) => {
            assert_eq!(
                challenge,
                r#"{"status":"401","schemes":"bearer","scope":"mail"}"#
            );
            assert!(
                answer.starts_with("t NO [AUTHENTICATIONFAILED] "),
                "{answer}"
            );
            return false;
        }
    }
    true
}

fn smtp(servers: &Servers) -> Client {
    let mut client = Client::tcp(servers.smtp_port()).unwrap();
    assert_eq!(client.reply().code, 220);
    assert_eq!(client.smtp("EHLO desk.test").code, 250);
    assert_eq!(client.smtp("STARTTLS").code, 220);
    client.start_tls(servers.ca_pem()).unwrap();
    assert_eq!(client.smtp("EHLO desk.test").code, 250);
    client
}

fn signed_in_smtp(servers: &Servers, user: &str, token: &Token) -> Client {
    let mut client = smtp(servers);
    let reply = client.smtp(&format!("AUTH XOAUTH2 {}", xoauth2(user, &token.sign())));
    assert_eq!(reply.code, 235, "{}\n{}", reply.text, servers.log());
    client
}

fn submit(client: &mut Client, sender: &str, recipient: &str, raw: &[u8]) -> Reply {
    for command in [
        format!("MAIL FROM:<{sender}>"),
        format!("RCPT TO:<{recipient}>"),
        "DATA".into(),
    ] {
        let reply = client.smtp(&command);
        if reply.code >= 400 {
            client.smtp("RSET");
            return reply;
        }
    }
    client.send_data(raw);
    client.reply()
}

fn arrives(servers: &Servers, address: &str, folder: &str, count: usize) {
    let arrived = wait_until(|| servers.count(address, folder) == count);
    assert!(arrived, "{folder} of {address}\n{}", servers.log());
}

fn all_gone(processes: &BTreeSet<ProcessId>) -> bool {
    processes.iter().all(|process| !process.is_alive())
}

#[test]
fn a_good_token_opens_its_own_mailbox_over_tls() {
    let servers = start();
    servers.deliver(SUPPORT, MAIL);
    let mut client = imap(&servers);
    let before = client.imap("CAPABILITY").remove(0);
    assert_eq!(
        before,
        "* CAPABILITY IMAP4 IMAP4rev1 SASL-IR UIDPLUS MOVE ID UNSELECT CHILDREN IDLE NAMESPACE LITERAL+ \
         LOGINDISABLED AUTH=XOAUTH2"
    );
    let (challenge, answer) = authenticate(&mut client, SUPPORT, &Token::of(SUPPORT).sign());
    assert_eq!(challenge, None);
    assert!(answer.starts_with("t OK "), "{answer}");
    let after = client.imap("CAPABILITY").remove(0);
    assert!(
        !after.contains("CONDSTORE") && !after.contains("ESEARCH"),
        "{after}"
    );

    let folders = client.imap("LIST \"\" *").join("\n");
    for (name, attribute) in [
        ("\"Sent Items\"", "\\Sent"),
        ("Drafts", "\\Drafts"),
        ("\"Deleted Items\"", "\\Trash"),
        ("\"Junk Email\"", "\\Junk"),
    ] {
        let line = folders.lines().find(|line| line.ends_with(name));
        assert!(
            line.is_some_and(|line| line.contains(attribute)),
            "{folders}"
        );
    }
    assert!(
        client
            .imap("SELECT INBOX")
            .contains(&"* 1 EXISTS".to_owned())
    );
    let fetched = client
        .imap("UID FETCH 1 BODY.PEEK[HEADER.FIELDS (SUBJECT)]")
        .join("\n");
    assert!(fetched.contains("Subject: Moorings"), "{fetched}");
}

#[test]
fn a_token_that_is_bad_in_any_way_is_refused_with_the_json_challenge() {
    let servers = start();
    let good = Token::of(SUPPORT);
    assert!(signs_in(&servers, SUPPORT, &good));
    assert!(signs_in(&servers, "Support@Harbour.test", &good));
    assert!(signs_in(
        &servers,
        SUPPORT,
        &Token {
            padding: 3000,
            ..good.clone()
        }
    ));

    assert!(!signs_in(
        &servers,
        SUPPORT,
        &Token {
            lifetime_seconds: -60,
            ..good.clone()
        }
    ));
    assert!(!signs_in(
        &servers,
        SUPPORT,
        &Token {
            forged: true,
            ..good.clone()
        }
    ));
    assert!(!signs_in(
        &servers,
        SUPPORT,
        &Token {
            kid: "other".into(),
            ..good.clone()
        }
    ));
    assert!(!signs_in(
        &servers,
        SUPPORT,
        &Token {
            issuer: "https://evil.test".into(),
            ..good.clone()
        }
    ));
    let for_graph = Token {
        audience: "https://graph.microsoft.com".into(),
        ..good.clone()
    };
    assert!(!signs_in(&servers, SUPPORT, &for_graph));
    assert!(!signs_in(&servers, SALES, &good));
    let (challenge, answer) = authenticate(&mut imap(&servers), SUPPORT, "not a token");
    assert!(
        challenge.is_some() && answer.starts_with("t NO "),
        "{answer}"
    );
}

#[test]
fn a_delegate_opens_the_shared_mailbox_and_nobody_else_does() {
    let servers = start();
    assert!(signs_in(&servers, SHARED, &Token::of(AIDE)));
    assert!(signs_in(&servers, SHARED, &Token::of(BOSS)));
    assert!(signs_in(&servers, AIDE, &Token::of(AIDE)));
    assert!(!signs_in(&servers, SHARED, &Token::of(SUPPORT)));
    assert!(!signs_in(&servers, AIDE, &Token::of(SHARED)));
    assert!(!signs_in(&servers, AIDE, &Token::of(BOSS)));
    assert!(!signs_in(&servers, SUPPORT, &Token::of(BOSS)));

    let mut client = signed_in_smtp(&servers, SHARED, &Token::of(BOSS));
    assert_eq!(submit(&mut client, SHARED, SALES, MAIL).code, 250);
    arrives(&servers, SHARED, "Sent Items", 1);
}

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
        offered.contains("AUTH XOAUTH2\n") && offered.contains("SIZE 37748736\n"),
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

#[test]
fn a_stopped_server_cuts_its_sessions_and_comes_back_on_the_same_port() {
    let servers = start();
    servers.deliver(SUPPORT, MAIL);
    let mut reader = imap(&servers);
    authenticate(&mut reader, SUPPORT, &Token::of(SUPPORT).sign());
    let mut writer = signed_in_smtp(&servers, SUPPORT, &Token::of(SUPPORT));

    servers.stop_imap();
    while reader.try_line().is_ok() {}
    assert!(!answers(servers.imap_port()));
    servers.deliver(SUPPORT, MAIL);
    assert_eq!(submit(&mut writer, SUPPORT, SALES, MAIL).code, 250);
    servers.start_imap();
    let mut reader = imap(&servers);
    authenticate(&mut reader, SUPPORT, &Token::of(SUPPORT).sign());
    assert!(
        reader
            .imap("SELECT INBOX")
            .contains(&"* 2 EXISTS".to_owned())
    );

    servers.stop_smtp();
    while writer.try_line().is_ok() {}
    assert!(!answers(servers.smtp_port()));
    servers.start_smtp();
    let mut writer = signed_in_smtp(&servers, SUPPORT, &Token::of(SUPPORT));
    assert_eq!(submit(&mut writer, SUPPORT, SALES, MAIL).code, 250);
    arrives(&servers, SUPPORT, "Sent Items", 2);
}

#[test]
fn two_at_once_do_not_meet_and_a_drop_leaves_nothing_behind() {
    let (first, second) = (start(), start());
    first.deliver(SUPPORT, MAIL);
    assert_eq!(
        (
            first.count(SUPPORT, "INBOX"),
            second.count(SUPPORT, "INBOX")
        ),
        (1, 0)
    );
    let mut idle = imap(&first);
    authenticate(&mut idle, SUPPORT, &Token::of(SUPPORT).sign());
    let processes = first.processes();
    assert!(processes.len() > 10 && processes.is_disjoint(&second.processes()));
    let (folder, ports) = (
        first.folder().to_owned(),
        [first.imap_port(), first.smtp_port()],
    );

    drop(first);
    assert!(all_gone(&processes), "{processes:?}");
    assert!(!folder.exists());
    for port in ports {
        assert!(!answers(port));
        std::net::UdpSocket::bind(("127.0.0.1", port)).unwrap();
    }
    assert!(signs_in(&second, SUPPORT, &Token::of(SUPPORT)));
}

#[test]
fn a_killed_test_run_leaves_nothing_behind_either() {
    let mut run = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "interop_servers::servers_that_wait_to_be_killed",
            "--ignored",
            "--nocapture",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(run.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let folder = lines
        .filter_map(|line| Some(line.split_once("folder=")?.1.to_owned()))
        .next();
    let folder = folder.expect("the other run says where its servers are");
    let processes = crate::interop::process::family(run.id());
    assert!(processes.len() > 10 && Path::new(&folder).exists());
    run.kill().unwrap();
    run.wait().unwrap();
    assert!(
        wait_until(|| all_gone(&processes) && !Path::new(&folder).exists()),
        "{processes:?}"
    );
}

#[test]
#[ignore = "run and killed by a_killed_test_run_leaves_nothing_behind_either"]
#[expect(
    clippy::print_stdout,
    reason = "its parent reads where the servers are"
)]
fn servers_that_wait_to_be_killed() {
    let servers = start();
    println!("folder={}", servers.folder().display());
    wait_until(|| false);
}

#[test]
fn a_machine_without_the_packages_or_rights_is_told_what_to_do() {
    let sentence = requirements::missing(&[("/nowhere/dovecot", "dovecot-core")]).unwrap_err();
    assert!(
        sentence.contains("/nowhere/dovecot from the package dovecot-core"),
        "{sentence}"
    );
    assert!(sentence.contains("apt-get install"), "{sentence}");
    let sentence = requirements::not_root(1000).unwrap_err();
    assert!(
        sentence.contains("must run as root") && sentence.contains("1000"),
        "{sentence}"
    );
    let broken = Options {
        users: vec!["a b@harbour.test".into()],
        ..options()
    };
    assert!(
        Servers::start(broken)
            .unwrap_err()
            .contains("\"a b@harbour.test\"")
    );
}
