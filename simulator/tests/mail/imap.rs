//! IMAP as a client sees it.

use std::time::{Duration, Instant};

use mailhatch_simulator::faults::{Action, Fault, Point};
use mailhatch_simulator::world::{Flag, Greeting, ImapDisabled, Language, Role, User};

use crate::support::{ALICE, Bench, CLIENT, MIA, SUPPORT, TENANT, mail, with_mail};

#[test]
fn signing_in_with_a_token_opens_the_mailbox() {
    let bench = with_mail(2);
    let mut client = bench.imap();
    assert!(
        client
            .line()
            .starts_with("* OK The Microsoft Exchange IMAP4 service is ready.")
    );
    let before = client.ask("a CAPABILITY");
    assert!(before.contains("AUTH=XOAUTH2 SASL-IR UIDPLUS MOVE ID UNSELECT CHILDREN IDLE"));
    assert!(!before.contains("CLIENTACCESSRULES"));
    client.send("b AUTHENTICATE XOAUTH2");
    assert_eq!(client.line(), "+ ");
    let payload = bench.payload(ALICE, ALICE);
    client.send(&payload);
    assert_eq!(client.line(), "b OK AUTHENTICATE completed.");
    assert!(client.ask("c CAPABILITY").contains("CLIENTACCESSRULES"));
    let answer = client.ask("d SELECT inbox");
    assert!(answer.contains("* 2 EXISTS\r\n* 0 RECENT\r\n"), "{answer}");
    let flags = "(\\Seen \\Answered \\Flagged \\Deleted \\Draft $MDNSent)";
    assert!(
        answer.contains(&format!("* OK [PERMANENTFLAGS {flags}]")),
        "{answer}"
    );
    assert!(
        answer.contains("[UIDVALIDITY 14]") && answer.contains("[UIDNEXT 3]"),
        "{answer}"
    );
    assert!(
        client
            .ask("e NAMESPACE")
            .contains("* NAMESPACE ((\"\" \"/\")) NIL NIL")
    );
    assert!(client.ask("f ID NIL").contains("* ID ("));
    assert!(client.ask("g LOGOUT").starts_with("* BYE "));
    assert_eq!(client.maybe_line(), None);
}

#[test]
fn a_wrong_token_is_refused_at_once_or_with_the_json_challenge() {
    let bench = Bench::start();
    let mut client = bench.imap();
    client.line();
    assert_eq!(
        client.ask("a AUTHENTICATE XOAUTH2 bm90aGluZw=="),
        "a NO AUTHENTICATE failed.\r\n"
    );
    assert_eq!(client.ask("b LOGIN alice secret"), "b NO LOGIN failed.\r\n");
    let graph = bench
        .entra
        .issue(ALICE, CLIENT, &["https://graph.microsoft.com/Mail.Send"]);
    let payload = format!(
        "user={ALICE}\u{1}auth=Bearer {}\u{1}\u{1}",
        graph.access_token
    );
    let payload = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, payload);
    let answer = client.ask(&format!("c AUTHENTICATE XOAUTH2 {payload}"));
    assert_eq!(answer, "c NO AUTHENTICATE failed.\r\n");
    bench
        .world
        .set_quirks(|quirks| quirks.json_challenge = true);
    client.send("d AUTHENTICATE XOAUTH2 bm90aGluZw==");
    assert!(client.line().starts_with("+ eyJzdGF0dXMiOi"));
    client.send("");
    assert_eq!(client.line(), "d NO AUTHENTICATE failed.");
}

#[test]
fn an_expired_token_is_refused() {
    let bench = Bench::start();
    let payload = bench.payload(ALICE, ALICE);
    bench.pass(6000);
    let mut client = bench.imap();
    client.line();
    let answer = client.ask(&format!("a AUTHENTICATE XOAUTH2 {payload}"));
    assert_eq!(answer, "a NO AUTHENTICATE failed.\r\n");
}

#[test]
fn an_open_session_outlives_its_token_unless_the_service_minds() {
    let bench = Bench::start();
    let mut client = bench.inbox_of(ALICE);
    bench.pass(6000);
    assert_eq!(client.ask("b NOOP"), "b OK NOOP completed.\r\n");
    bench.world.set_quirks(|quirks| quirks.cut_at_expiry = true);
    client.send("c NOOP");
    assert_eq!(client.line(), "* BYE Connection is closed. 13");
    assert_eq!(client.maybe_line(), None);
}

#[test]
fn a_foreign_mailbox_is_authenticated_but_not_connected() {
    let bench = Bench::start();
    let mut client = bench.imap();
    client.line();
    let payload = bench.payload("bob@harbourlights.example", ALICE);
    let answer = client.ask(&format!("a AUTHENTICATE XOAUTH2 {payload}"));
    assert_eq!(answer, "a OK AUTHENTICATE completed.\r\n");
    let answer = client.ask("b SELECT INBOX");
    assert_eq!(answer, "b BAD User is authenticated but not connected.\r\n");
    assert_eq!(client.line(), "* BYE Connection closed. 14");
    assert_eq!(client.maybe_line(), None);
}

#[test]
fn full_access_opens_a_shared_mailbox() {
    let bench = Bench::start();
    bench.world.deliver(
        SUPPORT,
        mail("a@b.example", SUPPORT, "1@b.example").as_bytes(),
    );
    let mut client = bench.imap();
    client.line();
    let payload = bench.payload(SUPPORT, ALICE);
    client.ask(&format!("a AUTHENTICATE XOAUTH2 {payload}"));
    assert!(client.ask("b SELECT INBOX").contains("* 1 EXISTS"));
}

#[test]
fn imap_switched_off_shows_in_either_way() {
    let bench = Bench::start();
    bench
        .world
        .update_user(ALICE, |user| user.imap_enabled = false);
    let mut client = bench.imap_as(ALICE);
    assert!(
        client
            .ask("b LIST \"\" \"*\"")
            .starts_with("b BAD User is authenticated but not")
    );
    bench
        .world
        .set_quirks(|quirks| quirks.imap_disabled = ImapDisabled::AuthenticateFailed);
    let mut client = bench.imap();
    client.line();
    let payload = bench.payload(ALICE, ALICE);
    let answer = client.ask(&format!("a AUTHENTICATE XOAUTH2 {payload}"));
    assert_eq!(answer, "a NO AUTHENTICATE failed.\r\n");
}

#[test]
fn the_newer_front_end_greets_differently_and_disables_login() {
    let bench = Bench::start();
    bench.world.set_quirks(|quirks| {
        quirks.greeting = Greeting::Proxy;
        quirks.login_disabled = true;
        quirks.imap4rev2 = true;
    });
    let mut client = bench.imap();
    assert!(client.line().contains("(tcpproxy/15.21."));
    let before = client.ask("a CAPABILITY");
    assert!(before.contains("AUTH=XOAUTH2 LOGINDISABLED") && !before.contains("AUTH=PLAIN"));
    let payload = bench.payload(ALICE, ALICE);
    client.ask(&format!("b AUTHENTICATE XOAUTH2 {payload}"));
    let after = client.ask("c CAPABILITY");
    assert!(after.contains("ENABLE IMAP4rev2") && !after.contains("LOGINDISABLED"));
    assert_eq!(
        client.ask("d LSUB \"\" \"*\""),
        "d BAD Command Error. 10\r\n"
    );
    assert!(
        client
            .ask("e ENABLE IMAP4rev2")
            .starts_with("* ENABLED IMAP4rev2")
    );
    client.ask("f SELECT INBOX");
    assert!(
        client
            .ask("g UID SEARCH ALL")
            .starts_with("* ESEARCH (TAG \"g\") UID")
    );
}

#[test]
fn folders_have_localized_names_and_flags_only_where_switched_on() {
    let bench = Bench::start();
    let german = User::work(TENANT, "uwe@harbourlights.example", "Uwe").with_language(Language::De);
    bench.world.add_user(german);
    let list = bench
        .imap_as("uwe@harbourlights.example")
        .ask("a3 LIST \"\" \"*\"");
    assert!(
        list.contains("* LIST (\\HasNoChildren) \"/\" INBOX\r\n"),
        "{list}"
    );
    assert!(list.contains("\"Gesendete Elemente\"\r\n") && list.contains(" Entw&APw-rfe\r\n"));
    assert!(!list.contains("\\Sent"), "{list}");
    let list = bench.imap_as(MIA).ask("a3 LIST \"\" \"%\"");
    assert!(
        list.contains("* LIST (\\HasNoChildren \\Sent) \"/\" Sent\r\n"),
        "{list}"
    );
    assert!(list.contains("\\Trash) \"/\" Deleted") && list.contains("\\Junk) \"/\" Junk"));
    let name = bench
        .world
        .folder_name("uwe@harbourlights.example", Role::Sent);
    assert_eq!(name.as_deref(), Some("Gesendete Elemente"));
}

#[test]
fn an_unknown_list_option_is_an_argument_error() {
    let bench = Bench::start();
    let mut client = bench.imap_as(ALICE);
    let answer = client.ask("b LIST \"\" \"*\" RETURN (STATUS (MESSAGES))");
    assert_eq!(answer, "b BAD Command Argument Error. 12\r\n");
    assert_eq!(client.ask("c FROBNICATE"), "c BAD Command Error. 10\r\n");
    assert_eq!(
        client.ask("d UID SEARCH ALL"),
        "d BAD Command received in Invalid state.\r\n"
    );
    assert_eq!(
        client.ask("e CREATE \"Sent Items\""),
        "e NO Mailbox already exists.\r\n"
    );
    assert_eq!(
        client.ask("f DELETE Drafts"),
        "f NO Folder name is reserved.\r\n"
    );
}

#[test]
fn a_command_beyond_ten_kilobytes_is_refused() {
    let bench = with_mail(1);
    let mut client = bench.inbox_of(ALICE);
    let uids: Vec<String> = (1..4000).map(|n| n.to_string()).collect();
    let answer = client.ask(&format!("b UID FETCH {} FLAGS", uids.join(",")));
    assert_eq!(answer, "b BAD Command Error. 10\r\n");
    assert_eq!(client.ask("c NOOP"), "c OK NOOP completed.\r\n");
}

#[test]
fn a_message_removed_meanwhile_makes_a_fetch_by_number_partial() {
    let bench = with_mail(2);
    let mut client = bench.inbox_of(ALICE);
    bench.world.remove(ALICE, "INBOX", 1);
    let answer = client.ask("b FETCH 1:2 (UID)");
    let gone = "b NO Some of the requested messages no longer exist.\r\n";
    assert_eq!(answer, format!("* 2 FETCH (UID 2)\r\n{gone}"));
    assert_eq!(
        client.ask("c NOOP"),
        "* 1 EXPUNGE\r\nc OK NOOP completed.\r\n"
    );
}

#[test]
fn new_mail_is_told_at_once_while_idling() {
    let bench = with_mail(1);
    let mut client = bench.inbox_of(ALICE);
    client.send("b IDLE");
    assert!(client.line().starts_with("+ "));
    let start = Instant::now();
    bench
        .world
        .deliver(ALICE, mail("a@b.example", ALICE, "x@b.example").as_bytes());
    assert_eq!(client.line(), "* 2 EXISTS");
    assert!(start.elapsed() < Duration::from_secs(1));
    assert_eq!(client.line(), "* 0 RECENT");
    bench.world.set_flag(ALICE, "INBOX", 1, Flag::Seen, true);
    assert_eq!(client.line(), "* 1 FETCH (FLAGS (\\Seen))");
    bench.world.remove(ALICE, "INBOX", 1);
    assert_eq!(client.line(), "* 1 EXPUNGE");
    client.send("DONE");
    assert_eq!(client.line(), "b OK IDLE completed.");
}

#[test]
fn an_idling_session_can_be_ended_from_the_other_side() {
    let bench = with_mail(1);
    let mut client = bench.inbox_of(ALICE);
    client.send("b IDLE");
    client.line();
    bench.world.end_sessions(ALICE);
    assert_eq!(client.line(), "* BYE Connection is closed. 13");
    assert_eq!(client.maybe_line(), None);
    // A new session is not concerned.
    bench.inbox_of(ALICE);
}

#[test]
fn folders_can_be_made_renamed_and_removed() {
    let bench = Bench::start();
    let mut client = bench.imap_as(ALICE);
    assert_eq!(
        client.ask("b CREATE Orders/2026"),
        "b OK CREATE completed.\r\n"
    );
    assert!(
        client
            .ask("c LIST \"\" Orders*")
            .contains("(\\HasChildren) \"/\" Orders\r\n")
    );
    assert_eq!(
        client.ask("d RENAME Orders Sales"),
        "d OK RENAME completed.\r\n"
    );
    let answer = client.ask("e STATUS Sales/2026 (MESSAGES UIDNEXT UNSEEN)");
    assert!(
        answer.starts_with("* STATUS Sales/2026 (MESSAGES 0 UIDNEXT 1 UNSEEN 0)"),
        "{answer}"
    );
    assert_eq!(
        client.ask("f UNSUBSCRIBE Sales"),
        "f OK UNSUBSCRIBE completed.\r\n"
    );
    assert!(!client.ask("g LSUB \"\" Sales").contains("* LSUB"));
    assert_eq!(
        client.ask("h DELETE Sales/2026"),
        "h OK DELETE completed.\r\n"
    );
    assert!(client.ask("i SELECT Sales/2026").starts_with("i NO "));
}

#[test]
fn a_changed_uidvalidity_ends_the_session_and_renumbers() {
    let bench = with_mail(2);
    let mut client = bench.inbox_of(ALICE);
    bench.world.change_uid_validity(ALICE, "INBOX");
    client.send("b NOOP");
    assert_eq!(client.line(), "* BYE Connection closed. 14");
    let mut client = bench.imap_as(ALICE);
    let answer = client.ask("b SELECT INBOX");
    assert!(
        !answer.contains("[UIDVALIDITY 14]") && answer.contains("[UIDNEXT 5]"),
        "{answer}"
    );
    assert!(
        client
            .ask("c UID SEARCH ALL")
            .starts_with("* SEARCH 3 4\r\n")
    );
}

#[test]
fn scripted_faults_strike_where_they_are_aimed() {
    let bench = with_mail(1);
    let throttle = "NO Request is throttled. Suggested Backoff Time: 1000 milliseconds\n\
        * BYE Connection closed. 14";
    bench.faults.add(Fault {
        point: Point::ImapFetch,
        who: Some(ALICE.to_owned()),
        action: Action::Reply(throttle.to_owned()),
        times: Some(1),
    });
    let mut other = bench.inbox_of("bob@harbourlights.example");
    assert!(other.ask("b UID SEARCH ALL").starts_with("* SEARCH"));
    let mut client = bench.inbox_of(ALICE);
    client.send("b UID SEARCH ALL");
    assert!(client.line().starts_with("b NO Request is throttled."));
    assert_eq!(client.line(), "* BYE Connection closed. 14");
    assert_eq!(client.maybe_line(), None);

    bench.faults.once(
        Point::ImapSelect,
        Action::Reply("Server Unavailable.".to_owned()),
    );
    let mut client = bench.imap_as(ALICE);
    assert!(
        client
            .ask("b SELECT INBOX")
            .starts_with("Server Unavailable.\r\n* 1 EXISTS")
    );

    bench.faults.once(Point::ImapGreeting, Action::Close);
    assert_eq!(bench.imap().maybe_line(), None);

    bench.faults.once(
        Point::ImapGreeting,
        Action::Reply("* BYE Connection closed. 14".to_owned()),
    );
    let mut client = bench.imap();
    assert_eq!(client.line(), "* BYE Connection closed. 14");
    assert_eq!(client.maybe_line(), None);

    bench.faults.once(
        Point::ImapAuthenticate,
        Action::Reply("NO AUTHENTICATE failed.".to_owned()),
    );
    let mut client = bench.imap();
    client.line();
    let payload = bench.payload(ALICE, ALICE);
    assert!(
        client
            .ask(&format!("a AUTHENTICATE XOAUTH2 {payload}"))
            .starts_with("a NO")
    );
    assert!(
        client
            .ask(&format!("b AUTHENTICATE XOAUTH2 {payload}"))
            .starts_with("b OK")
    );

    let mut client = bench.inbox_of(ALICE);
    client.send("b IDLE");
    client.line();
    bench.faults.once(
        Point::ImapIdle,
        Action::Reply("* BYE Connection is closed. 13".to_owned()),
    );
    assert_eq!(client.line(), "* BYE Connection is closed. 13");
}

#[test]
fn stopping_ends_idle_and_hanging_sessions_at_once() {
    let bench = with_mail(1);
    let mut idle = bench.inbox_of(ALICE);
    idle.send("b IDLE");
    idle.line();
    bench.faults.once(Point::ImapSelect, Action::Hang);
    let mut hanging = bench.imap_as(ALICE);
    hanging.send("b SELECT INBOX");
    let start = Instant::now();
    drop(bench);
    assert!(
        start.elapsed() < Duration::from_secs(2),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(idle.maybe_line(), None);
    assert_eq!(hanging.maybe_line(), None);
}
