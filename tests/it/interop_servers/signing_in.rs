//! Whose token opens which mailbox.

use super::{
    AIDE, BOSS, MAIL, SALES, SHARED, SUPPORT, arrives, authenticate, imap, signed_in_smtp,
    signs_in, start, submit,
};
use crate::interop::tokens::Token;

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
