//! Messages over IMAP: SEARCH, FETCH, STORE, COPY, MOVE, EXPUNGE, APPEND.

use imap_codec::ResponseCodec;
use imap_codec::decode::Decoder;
use imap_codec::imap_types::response::{Data, Response};
use mailhatch_simulator::people::seed;
use mailhatch_simulator::world::{Flag, WrongSize};

use crate::support::{ALICE, Bench, NOW, mail, with_mail};

#[test]
fn search_understands_what_a_reader_asks() {
    let bench = with_mail(3);
    bench.world.set_flag(ALICE, "INBOX", 2, Flag::Seen, true);
    let old = mail("ivo@elm.example", ALICE, "old@elm.example");
    bench
        .world
        .deliver_at(ALICE, old.as_bytes(), NOW - 40 * 86_400);
    let mut client = bench.inbox_of(ALICE);
    for (asked, found) in [
        ("ALL", " 1 2 3 4"),
        ("UID 2:3", " 2 3"),
        ("UID 9:*", " 4"),
        ("UNSEEN", " 1 3 4"),
        ("SINCE 1-Sep-2026", " 1 2 3"),
        ("BEFORE 1-Sep-2026", " 4"),
        ("HEADER Message-ID <m2@willow.example>", " 2"),
        ("HEADER MESSAGE-ID m9@willow.example", ""),
        ("FROM elm.example", " 4"),
        ("NOT FROM elm.example SUBJECT lamp", " 1 2 3"),
        ("OR UID 1 UID 3", " 1 3"),
        ("BODY hello", " 1 2 3 4"),
        ("CHARSET UTF-8 TEXT \"ivo@\"", " 4"),
    ] {
        let answer = client.ask(&format!("b UID SEARCH {asked}"));
        assert_eq!(
            answer,
            format!("* SEARCH{found}\r\nb OK SEARCH completed.\r\n"),
            "{asked}"
        );
    }
}

#[test]
fn fetch_gives_the_size_before_the_uid_and_sizes_may_be_wrong() {
    let bench = with_mail(3);
    let size = bench.world.folder(ALICE, "INBOX")[0].raw.len();
    let mut client = bench.inbox_of(ALICE);
    let answer = client.ask("b UID FETCH 1:* (UID FLAGS RFC822.SIZE INTERNALDATE)");
    let line = format!(
        "* 1 FETCH (RFC822.SIZE {size} UID 1 FLAGS () INTERNALDATE \"21-Sep-2026 14:13:20 +0000\")"
    );
    assert!(answer.starts_with(&line), "{answer}");
    assert!(
        answer.contains(&format!("* 3 FETCH (RFC822.SIZE {} UID 3", size * 3)),
        "{answer}"
    );
    bench
        .world
        .set_quirks(|quirks| quirks.wrong_size = WrongSize::All { times: 1, by: 3 });
    bench
        .world
        .deliver(ALICE, mail("a@b.example", ALICE, "x@b.example").as_bytes());
    let size = bench.world.folder(ALICE, "INBOX")[3].reported_size_bytes;
    assert!(
        client
            .ask("c UID FETCH 4 RFC822.SIZE")
            .contains(&format!("SIZE {size} UID 4"))
    );
}

#[test]
fn peeking_leaves_a_message_unread_and_reading_marks_it() {
    let bench = with_mail(1);
    let raw = bench.world.folder(ALICE, "INBOX")[0].raw.clone();
    let whole = String::from_utf8(raw.to_vec()).unwrap();
    let mut client = bench.inbox_of(ALICE);
    let answer = client.ask("b UID FETCH 1 BODY.PEEK[]");
    let expected = format!("* 1 FETCH (BODY[] {{{}}}\r\n{whole} UID 1)", whole.len());
    assert!(answer.starts_with(&expected), "{answer}");
    let answer = client.ask("c UID FETCH 1 BODY.PEEK[]<6.10>");
    assert!(
        answer.contains("BODY[]<6> {10}\r\n<kim@willo UID 1)"),
        "{answer}"
    );
    let answer = client.ask("d UID FETCH 1 BODY.PEEK[HEADER.FIELDS (Message-ID Date)]");
    assert!(
        answer.contains("BODY[HEADER.FIELDS (MESSAGE-ID DATE)] {"),
        "{answer}"
    );
    assert!(
        answer.contains("Message-ID: <m1@willow.example>\r\nDate: Mon, 21"),
        "{answer}"
    );
    assert!(!answer.contains("Subject"), "{answer}");
    assert!(
        client
            .ask("e FETCH 1 (BODY.PEEK[TEXT] BODY.PEEK[1])")
            .contains("Hello.\r\n")
    );
    assert!(bench.world.folder(ALICE, "INBOX")[0].flags.is_empty());
    assert!(
        client
            .ask("f UID FETCH 1 BODY[]")
            .contains("FLAGS (\\Seen)")
    );
    assert!(
        bench.world.folder(ALICE, "INBOX")[0]
            .flags
            .contains(&Flag::Seen)
    );
}

#[test]
fn the_envelope_and_the_structure_describe_the_message() {
    let bench = Bench::start();
    let raw = "From: =?utf-8?Q?J=C3=BCrgen?= <j@linden.example>\r\nTo: <alice@harbourlights.example>\r\n\
        Subject: Two parts\r\nMessage-ID: <s@linden.example>\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=b1\r\n\r\n--b1\r\nContent-Type: text/plain\r\n\r\n\
        Hi\r\n--b1\r\nContent-Type: application/pdf; name=a.pdf\r\n\
        Content-Disposition: attachment; filename=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n\
        QUJD\r\n--b1--\r\n";
    bench.world.deliver(ALICE, raw.as_bytes());
    let mut client = bench.inbox_of(ALICE);
    let answer = client.ask("b FETCH 1 (ENVELOPE BODYSTRUCTURE)");
    assert!(answer.contains("\"Two parts\" ((\"=?utf-8?B?SsO8cmdlbg==?=\" NIL \"j\" \"linden"));
    assert!(
        answer.contains("(\"text\" \"plain\" NIL NIL NIL \"7bit\" "),
        "{answer}"
    );
    assert!(answer.contains("(\"application\" \"pdf\" (\"name\" \"a.pdf\") NIL NIL \"base64\" "));
    assert!(
        answer.contains("(\"attachment\" (\"filename\" \"a.pdf\"))"),
        "{answer}"
    );
    assert!(client.ask("c FETCH 1 BODY.PEEK[2]").contains("QUJD"));
    assert!(
        client
            .ask("d FETCH 1 BODY.PEEK[2.MIME]")
            .contains("Content-Disposition: attachment")
    );
    assert!(client.ask("e FETCH 1 BODY.PEEK[7]").contains("BODY[7] NIL"));
}

#[test]
fn asking_for_newer_mail_returns_the_last_message_when_there_is_none() {
    let bench = with_mail(2);
    let mut client = bench.inbox_of(ALICE);
    let answer = client.ask("b UID FETCH 3:* (UID)");
    assert_eq!(answer, "* 2 FETCH (UID 2)\r\nb OK FETCH completed.\r\n");
}

#[test]
fn a_message_may_be_listed_and_yet_not_be_fetched() {
    let bench = with_mail(2);
    assert!(bench.world.set_unfetchable(ALICE, "INBOX", 2, true));
    let mut client = bench.inbox_of(ALICE);
    assert!(
        client
            .ask("b UID SEARCH ALL")
            .starts_with("* SEARCH 1 2\r\n")
    );
    assert_eq!(
        client.ask("c UID FETCH 2 BODY.PEEK[]"),
        "c OK FETCH completed.\r\n"
    );
}

#[test]
fn what_is_said_about_every_kind_of_message_is_sound_grammar() {
    let bench = Bench::start();
    seed(&bench.world, ALICE);
    let mut client = bench.inbox_of(ALICE);
    let answer =
        client.ask("b UID FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE)");
    let (mut rest, mut count) = (answer.as_bytes(), 0);
    while !rest.starts_with(b"b OK") {
        let (after, response) = ResponseCodec::default().decode(rest).unwrap();
        assert!(
            matches!(response, Response::Data(Data::Fetch { .. })),
            "{response:?}"
        );
        rest = after;
        count += 1;
    }
    assert_eq!(count, 15);
}

#[test]
fn a_stub_stands_in_for_a_message_that_could_not_be_converted() {
    let bench = with_mail(1);
    bench.world.set_stub(ALICE, "INBOX", 1, true);
    let mut client = bench.inbox_of(ALICE);
    let subject = "Retrieval using the IMAP4 protocol failed for the following message: 1";
    assert!(
        client
            .ask("b UID FETCH 1 BODY.PEEK[]")
            .contains(&format!("Subject: {subject}\r\n"))
    );
    bench.world.set_stub(ALICE, "INBOX", 1, false);
    assert!(
        client
            .ask("c UID FETCH 1 BODY.PEEK[]")
            .contains("Subject: Lamp")
    );
}

#[test]
fn flags_are_stored_and_keywords_are_not() {
    let bench = with_mail(2);
    let mut client = bench.inbox_of(ALICE);
    let answer = client.ask("b UID STORE 1 +FLAGS (\\Answered \\Flagged $Label1)");
    assert!(
        answer.starts_with("* 1 FETCH (UID 1 FLAGS (\\Answered \\Flagged))"),
        "{answer}"
    );
    let answer = client.ask("c STORE 1 -FLAGS.SILENT (\\Flagged)");
    assert_eq!(answer, "c OK STORE completed.\r\n");
    let flags = bench.world.folder(ALICE, "INBOX")[0].flags.clone();
    assert_eq!(flags.into_iter().collect::<Vec<_>>(), [Flag::Answered]);
    let mut other = bench.imap_as(ALICE);
    other.ask("b EXAMINE INBOX");
    assert!(
        other
            .ask("c UID STORE 1 FLAGS (\\Seen)")
            .starts_with("c NO ")
    );
}

#[test]
fn copies_and_moves_tell_the_new_uids() {
    let bench = with_mail(3);
    let mut client = bench.inbox_of(ALICE);
    let validity = 14 + 3 * 5;
    let answer = client.ask("b UID COPY 1:2 Archive");
    assert_eq!(
        answer,
        format!("b OK [COPYUID {validity} 1,2 1,2] COPY completed.\r\n")
    );
    let answer = client.ask("c UID MOVE 2 Archive");
    assert!(answer.starts_with(&format!("* OK [COPYUID {validity} 2 3]\r\n* 2 EXPUNGE\r\n")));
    assert_eq!(bench.world.folder(ALICE, "INBOX").len(), 2);
    assert_eq!(bench.world.folder(ALICE, "Archive").len(), 3);
    assert!(
        client
            .ask("d UID COPY 1 Nowhere")
            .starts_with("d NO [TRYCREATE]")
    );
}

#[test]
fn expunge_removes_only_what_is_marked() {
    let bench = with_mail(3);
    let mut client = bench.inbox_of(ALICE);
    client.ask("b UID STORE 1,3 +FLAGS.SILENT (\\Deleted)");
    let answer = client.ask("c UID EXPUNGE 3");
    assert_eq!(answer, "* 3 EXPUNGE\r\nc OK EXPUNGE completed.\r\n");
    assert!(client.ask("d EXPUNGE").starts_with("* 1 EXPUNGE\r\n"));
    assert_eq!(bench.world.folder(ALICE, "INBOX")[0].uid, 2);
}

#[test]
fn append_takes_both_kinds_of_literal() {
    let bench = Bench::start();
    let mut client = bench.imap_as(ALICE);
    let raw = mail(ALICE, "kim@willow.example", "own@harbourlights.example");
    client.send(&format!(
        "b APPEND \"Sent Items\" (\\Seen) {{{}}}",
        raw.len()
    ));
    assert!(client.line().starts_with("+ "));
    client.send(&raw);
    assert_eq!(client.line(), "b OK [APPENDUID 17 1] APPEND completed.");
    client.send(&format!(
        "c APPEND \"Sent Items\" {{{}+}}\r\n{raw}",
        raw.len()
    ));
    assert_eq!(client.line(), "c OK [APPENDUID 17 2] APPEND completed.");
    let stored = bench.world.folder(ALICE, "Sent Items");
    assert_eq!(&*stored[1].raw, raw.as_bytes());
    assert!(stored[0].flags.contains(&Flag::Seen) && stored[1].flags.is_empty());
    let long = format!("X: {}\r\n\r\n", "y".repeat(11_000));
    client.send(&format!("d APPEND Drafts {{{}+}}\r\n{long}", long.len()));
    assert_eq!(client.line(), "d BAD Command Argument Error. 11");
}
