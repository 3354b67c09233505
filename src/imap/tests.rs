//! Sessions with servers that say odd things.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::net::testing::{Peer, SHORT, Scripted, trust};
use crate::net::xoauth2::Login;
use crate::net::{Closer, Deadlines};
use crate::problem::{Disposition, Problem};

mod idle;

const BEFORE: &str =
    "* CAPABILITY IMAP4 IMAP4rev1 AUTH=XOAUTH2 LOGINDISABLED SASL-IR UIDPLUS IDLE LITERAL+\r\n";
const AFTER: &str =
    "* CAPABILITY IMAP4 IMAP4rev1 AUTH=XOAUTH2 SASL-IR UIDPLUS IDLE ENABLE IMAP4rev2\r\n";

fn login() -> Login {
    Login::new("support@contoso.example", "token-1")
}

fn open_with(scripted: &Scripted, deadlines: Deadlines) -> Result<Session, Problem> {
    Session::connect_within(&scripted.server, &trust(), &login(), deadlines, |_| {})
}

fn open(scripted: &Scripted) -> Session {
    open_with(scripted, SHORT).unwrap()
}

fn refused(scripted: &Scripted) -> Problem {
    open_with(scripted, SHORT).unwrap_err()
}

/// Greets as Exchange Online does and lets the client in.
fn let_in(peer: &mut Peer) {
    peer.say("* OK The Microsoft Exchange IMAP4 service is ready. [QQBNAA==]\r\n");
    assert_eq!(
        peer.answer(BEFORE, "OK CAPABILITY completed."),
        "CAPABILITY"
    );
    let sent = peer.answer("", "OK AUTHENTICATE completed.");
    let payload = sent.strip_prefix("AUTHENTICATE XOAUTH2 ").unwrap();
    let expected = "user=support@contoso.example\x01auth=Bearer token-1\x01\x01";
    assert_eq!(STANDARD.decode(payload).unwrap(), expected.as_bytes());
    peer.answer(AFTER, "OK CAPABILITY completed.");
    be_connected(peer);
}

/// Answers the question that shows whether the mailbox is open.
fn be_connected(peer: &mut Peer) {
    let root = "* LIST (\\Noselect) \"/\" \"\"\r\n";
    assert_eq!(peer.answer(root, "OK LIST completed."), "LIST \"\" \"\"");
}

fn let_in_and_examine(peer: &mut Peer) {
    let_in(peer);
    let folder = "* 3 EXISTS\r\n* 0 RECENT\r\n* FLAGS (\\Seen $MDNSent)\r\n\
                  * OK [PERMANENTFLAGS (\\Seen)] Permanent flags\r\n\
                  * OK [UIDVALIDITY 14] UIDVALIDITY value\r\n* OK [UIDNEXT 8] The next\r\n";
    let command = peer.answer(folder, "OK [READ-ONLY] EXAMINE completed.");
    assert_eq!(command, "EXAMINE \"INBOX\"");
}

#[test]
fn a_session_signs_in_in_one_line_and_never_enables_anything() {
    let scripted = Scripted::tls(|peer| {
        let_in(peer);
        peer.answer("* BYE bye\r\n", "OK LOGOUT completed.");
    });
    let session = open(&scripted);
    assert!(session.has_idle());
    assert!(session.capabilities().contains("IMAP4REV2"));
    session.logout().unwrap();
    let heard = scripted.heard();
    let verbs: Vec<&str> = heard.iter().filter_map(|l| l.split(' ').nth(1)).collect();
    let all = ["CAPABILITY", "AUTHENTICATE", "CAPABILITY", "LIST", "LOGOUT"];
    assert_eq!(verbs, all);
}

#[test]
fn without_sasl_ir_the_token_waits_for_the_server_to_ask() {
    let scripted = Scripted::tls(|peer| {
        peer.say("* OK ready\r\n");
        peer.answer("* CAPABILITY IMAP4rev1 AUTH=XOAUTH2\r\n", "OK done");
        let (tag, command) = peer.command();
        assert_eq!(command, "AUTHENTICATE XOAUTH2");
        peer.say("+ \r\n");
        assert_eq!(peer.hear(), login().payload_base64());
        peer.say(&format!("{tag} OK in\r\n"));
        peer.answer(AFTER, "OK done");
        be_connected(peer);
    });
    open(&scripted);
}

#[test]
fn a_bad_token_is_refused_with_the_json_challenge() {
    let scripted = Scripted::tls(|peer| {
        peer.say("* OK ready\r\n");
        peer.answer(BEFORE, "OK done");
        let (tag, _) = peer.command();
        let json = STANDARD.encode("{\"status\":\"401\",\"schemes\":\"bearer\"}");
        peer.say(&format!("+ {json}\r\n"));
        assert_eq!(
            peer.hear(),
            "",
            "the challenge is answered with an empty line"
        );
        peer.say(&format!("{tag} NO AUTHENTICATE failed.\r\n"));
    });
    let problem = refused(&scripted);
    assert_eq!(problem.code, "imap_auth_failed");
    assert!(
        problem.detail.contains("\"status\":\"401\""),
        "{}",
        problem.detail
    );
}

#[test]
fn an_immediate_refusal_is_told_without_the_token() {
    let scripted = Scripted::tls(|peer| {
        peer.say("* OK ready\r\n");
        peer.answer(BEFORE, "OK done");
        peer.answer("", "NO AUTHENTICATE failed.");
    });
    let problem = refused(&scripted);
    assert_eq!(problem.code, "imap_auth_failed");
    assert_eq!(problem.disposition, Disposition::NeedsAdmin);
    assert!(!format!("{problem:?}").contains("token-1"));
}

#[test]
fn authenticated_but_not_connected_is_a_problem_of_its_own() {
    for at_capability in [true, false] {
        let scripted = Scripted::tls(move |peer| {
            peer.say("* OK ready\r\n");
            peer.answer(BEFORE, "OK done");
            peer.answer("", "OK AUTHENTICATE completed.");
            if !at_capability {
                peer.answer(AFTER, "OK done");
            }
            peer.answer("", "BAD User is authenticated but not connected.");
            peer.say("* BYE Connection closed. 14\r\n");
        });
        let problem = refused(&scripted);
        assert_eq!(problem.code, "imap_not_connected");
        assert!(problem.is_transient());
    }
}

#[test]
fn greetings_that_are_none_and_servers_without_xoauth2_are_told() {
    let goodbye = Scripted::tls(|peer| peer.say("* BYE [UNAVAILABLE] Server busy\r\n"));
    assert_eq!(refused(&goodbye).code, "imap_unavailable");
    let other = Scripted::tls(|peer| {
        peer.say("220 mail.example ESMTP\r\n");
        peer.stay_silent();
    });
    assert_eq!(refused(&other).code, "connection_failed");
    let no_oauth = Scripted::tls(|peer| {
        peer.say("* OK ready\r\n");
        peer.answer("* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n", "OK done");
    });
    assert_eq!(refused(&no_oauth).code, "imap_no_xoauth2");
}

#[test]
fn a_silent_server_meets_the_deadline() {
    let scripted = Scripted::tls(Peer::stay_silent);
    let started = Instant::now();
    assert_eq!(refused(&scripted).code, "answer_timeout");
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn an_oversized_literal_hits_the_budget() {
    let scripted = Scripted::tls(|peer| {
        let_in_and_examine(peer);
        peer.command();
        peer.say("* 1 FETCH (UID 5 BODY[] {4000000000}\r\n");
        for _ in 0..40 {
            peer.say(&"x".repeat(10_000));
        }
        peer.stay_silent();
    });
    let mut session = open(&scripted);
    session.examine("INBOX").unwrap();
    session.set_fetch_bytes_max(100_000);
    assert_eq!(session.fetch(&[5]).unwrap_err().code, "answer_too_big");
}

#[test]
fn messages_are_fetched_with_their_bytes_untouched() {
    let raw = "Subject: a\r\n\r\n* BYE not an answer\r\na3 OK neither\r\n}{5}\r\n";
    let scripted = Scripted::tls(move |peer| {
        let_in_and_examine(peer);
        let fetch = format!(
            "* 2 FETCH (BODY[] {{{}}}\r\n{raw} INTERNALDATE \"24-Nov-2026 10:00:00 +0100\" FLAGS (\\Seen) UID 6)\r\n\
             * 9 FETCH (UID 99 FLAGS ())\r\n* 3 FETCH (UID 7 BODY[] {{0}}\r\n)\r\n",
            raw.len()
        );
        let command = peer.answer(&fetch, "OK FETCH completed.");
        assert_eq!(
            command,
            "UID FETCH 5:7 (UID FLAGS INTERNALDATE BODY.PEEK[])"
        );
        peer.answer("", "OK done");
    });
    let mut session = open(&scripted);
    let folder = session.examine("INBOX").unwrap();
    assert_eq!(
        (folder.uid_validity, folder.uid_next, folder.exists),
        (14, Some(8), 3)
    );
    assert_eq!(session.count_all(), 3);
    let all = session.fetch(&[5, 6, 7]).unwrap();
    let uids: Vec<u32> = all.iter().map(|m| m.uid).collect();
    assert_eq!(uids, [6, 7], "5 was listed but not given");
    assert_eq!(all[0].raw, raw.as_bytes());
    assert_eq!(
        (all[0].seen, all[0].internal_date_at),
        (true, Some(1_795_510_800))
    );
    assert_eq!(all[1].raw, b"");
    session.noop().unwrap();
}

#[test]
fn when_some_messages_are_gone_the_others_are_fetched_one_by_one() {
    let scripted = Scripted::tls(|peer| {
        let_in_and_examine(peer);
        let gone = "NO Some of the requested messages no longer exist.";
        peer.answer("* 1 FETCH (UID 5 BODY[] {1}\r\na)\r\n", gone);
        assert!(
            peer.answer("* 1 FETCH (UID 5 BODY[] {1}\r\na)\r\n", "OK done")
                .starts_with("UID FETCH 5 (")
        );
        peer.answer("", gone);
    });
    let mut session = open(&scripted);
    session.examine("INBOX").unwrap();
    let all = session.fetch(&[5, 6]).unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].uid, 5);
}

#[test]
fn the_last_message_below_the_first_uid_is_not_new() {
    let scripted = Scripted::tls(|peer| {
        let_in_and_examine(peer);
        assert_eq!(
            peer.answer("* SEARCH 7\r\n", "OK done"),
            "UID SEARCH UID 8:*"
        );
        peer.answer("* ESEARCH (TAG \"a5\") UID ALL 8:9,12\r\n", "OK done");
        peer.answer("Server Unavailable.\r\n* SEARCH 9 8\r\n", "OK done");
        peer.answer("", "OK done");
    });
    let mut session = open(&scripted);
    session.examine("INBOX").unwrap();
    assert_eq!(session.uids_from(8).unwrap(), Vec::<u32>::new());
    assert_eq!(
        session.uids_from(8).unwrap(),
        [8, 9, 12],
        "an ESEARCH nobody asked for"
    );
    assert_eq!(
        session.uids_from(8).unwrap(),
        [8, 9],
        "a bare line in between"
    );
    assert_eq!(
        session.uids_from(8).unwrap(),
        Vec::<u32>::new(),
        "no answer but OK"
    );
}

#[test]
fn searches_name_day_and_message_id_and_look_for_the_replaced_id_too() {
    let scripted = Scripted::tls(|peer| {
        let_in_and_examine(peer);
        assert_eq!(
            peer.answer("* SEARCH 5\r\n", "OK x"),
            "UID SEARCH SINCE 1-Jan-2026"
        );
        assert_eq!(
            peer.answer("* SEARCH\r\n", "OK x"),
            "UID SEARCH HEADER Message-ID \"<a\\\"b@contoso.example>\""
        );
        assert_eq!(
            peer.answer("* SEARCH 6\r\n", "OK x"),
            "UID SEARCH HEADER X-Microsoft-Original-Message-ID \"<a\\\"b@contoso.example>\""
        );
        peer.stay_silent();
    });
    let mut session = open(&scripted);
    session.examine("INBOX").unwrap();
    let second_of_january = 1_767_355_200;
    assert_eq!(session.count_since(second_of_january).unwrap(), 1);
    assert_eq!(
        session.find_message_id("a\"b@contoso.example").unwrap(),
        [6]
    );
    let injected = session.find_message_id("a\r\nA1 DELETE INBOX");
    assert_eq!(injected.unwrap_err().code, "imap_bad_name");
}

#[test]
fn commands_stay_below_eight_kilobytes() {
    let scripted = Scripted::tls(|peer| {
        let_in_and_examine(peer);
        loop {
            let (tag, command) = peer.command();
            if command.is_empty() {
                break;
            }
            assert!(command.len() < 8000, "{} bytes", command.len());
            peer.say(&format!(
                "* 1 FETCH (RFC822.SIZE 10 UID 2)\r\n{tag} OK done\r\n"
            ));
        }
    });
    let mut session = open(&scripted);
    session.examine("INBOX").unwrap();
    let uids: Vec<u32> = (1..20_000).map(|n| n * 2).collect();
    assert_eq!(session.sizes(&uids).unwrap(), [(2, 10)]);
}

#[test]
fn throttling_in_the_middle_tells_how_long_to_wait() {
    let scripted = Scripted::tls(|peer| {
        let_in_and_examine(peer);
        peer.answer(
            "",
            "BAD Request is throttled. Suggested Backoff Time: 90500 milliseconds",
        );
        peer.say("* BYE Connection closed. 14\r\n");
    });
    let mut session = open(&scripted);
    session.examine("INBOX").unwrap();
    let problem = session.fetch(&[5]).unwrap_err();
    assert_eq!(
        (problem.code.as_str(), problem.wait_seconds()),
        ("imap_throttled", 91)
    );
}

#[test]
fn a_bare_line_before_silence_or_hang_up_is_the_reason_told() {
    let hangs_up = Scripted::tls(|peer| {
        let_in(peer);
        peer.command();
        peer.say("Server Unavailable.\r\n");
    });
    let problem = open(&hangs_up).examine("INBOX").unwrap_err();
    assert_eq!(problem.code, "imap_server_unavailable");
    let silent = Scripted::tls(|peer| {
        let_in(peer);
        peer.command();
        peer.say("Server Unavailable.\r\n");
        peer.stay_silent();
    });
    let problem = open(&silent).examine("INBOX").unwrap_err();
    assert_eq!(problem.code, "imap_server_unavailable");
}

#[test]
fn a_localised_refusal_is_still_a_refusal() {
    let scripted = Scripted::tls(|peer| {
        let_in(peer);
        peer.answer("", "NO Ordner nicht verf\u{fc}gbar");
        peer.answer("", "OK done");
    });
    let mut session = open(&scripted);
    let problem = session.examine("INBOX").unwrap_err();
    assert_eq!(problem.code, "imap_refused");
    assert!(problem.detail.contains("nicht verfügbar"));
    session.noop().unwrap();
}

#[test]
fn a_copy_is_filed_and_a_refused_one_keeps_the_session() {
    let scripted = Scripted::tls(|peer| {
        let_in_and_examine(peer);
        let (tag, command) = peer.command();
        assert_eq!(command, "APPEND \"Sent \\\"x\\\"\" (\\Seen) {10}");
        peer.say("* 3 EXISTS\r\n+ Ready\r\n");
        assert_eq!(peer.hear(), "a: b");
        assert_eq!(peer.hear(), "");
        assert_eq!(peer.hear(), "hi");
        peer.say(&format!("{tag} OK [APPENDUID 3 9] done\r\n"));
        peer.answer("* 4 EXISTS\r\n", "NO [OVERQUOTA] full");
        peer.answer("", "OK done");
    });
    let mut session = open(&scripted);
    session.examine("INBOX").unwrap();
    session
        .append("Sent \"x\"", b"a: b\r\n\r\nhi", true)
        .unwrap();
    let problem = session.append("Sent", b"a", false).unwrap_err();
    assert_eq!(problem.code, "imap_over_quota");
    assert!(
        session.noop().unwrap(),
        "the news that came with the refusal is kept"
    );
}

#[test]
fn a_parser_that_panics_ends_the_session_and_nothing_else() {
    let scripted = Scripted::tls(|peer| {
        let_in_and_examine(peer);
        peer.answer(
            "* 1 FETCH (UID 5 INTERNALDATE NIL BODY[] {1}\r\na)\r\n",
            "OK done",
        );
    });
    let mut session = open(&scripted);
    session.examine("INBOX").unwrap();
    assert_eq!(
        session.fetch(&[5]).unwrap_err().code,
        "imap_unexpected_answer"
    );
}

#[test]
fn folders_come_with_names_people_can_read() {
    let scripted = Scripted::tls(|peer| {
        let_in(peer);
        let list = "* LIST (\\HasNoChildren) \"/\" Inbox\r\n\
                    * LIST (\\HasNoChildren \\Drafts) \"/\" \"Entw&APw-rfe\"\r\n\
                    * LIST (\\HasChildren) \"/\" {8}\r\nKalender\r\n\
                    * LIST (\\HasNoChildren) \"/\" \"Gesendete Elemente\"\r\n";
        assert_eq!(peer.answer(list, "OK LIST completed."), "LIST \"\" \"*\"");
    });
    let folders = open(&scripted).list_folders().unwrap();
    let seen: Vec<(&str, Option<FolderRole>)> =
        folders.iter().map(|f| (f.name.as_str(), f.role)).collect();
    assert_eq!(
        seen,
        [
            ("INBOX", Some(FolderRole::Inbox)),
            ("Entwürfe", Some(FolderRole::Drafts)),
            ("Kalender", Some(FolderRole::NotMail)),
            ("Gesendete Elemente", Some(FolderRole::Sent)),
        ]
    );
    assert_eq!(folders[1].raw_name, "Entw&APw-rfe");
}
