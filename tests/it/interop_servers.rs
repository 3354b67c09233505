//! The real servers themselves: what tests that use them may rely on.

mod signing_in;
mod stopping;
mod submitting;

use crate::interop::client::{Client, Reply, challenge, xoauth2};
use crate::interop::process::wait_until;
use crate::interop::servers::{Options, Servers};
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
        password: false,
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
