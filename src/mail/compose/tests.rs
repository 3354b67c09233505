//! Messages as written, read again.

use super::*;
use crate::mail::parse;

fn address(name: &str, address: &str) -> Address {
    Address {
        name: name.to_owned(),
        address: address.to_owned(),
    }
}

fn letter() -> Outgoing {
    Outgoing {
        from: address("Help Desk", "help@example.com"),
        to: vec![address("Ada Lovelace", "ada@example.org")],
        subject: "Grüße: your printer".to_owned(),
        date_at: 1_714_564_800,
        message_id: "0123@example.com".to_owned(),
        text: "Hello Ada,\nit works.\n".to_owned(),
        ..Outgoing::default()
    }
}

fn written(outgoing: &Outgoing) -> String {
    String::from_utf8(compose(outgoing).unwrap()).unwrap()
}

#[test]
fn what_was_composed_reads_back_the_same() {
    let mut outgoing = letter();
    outgoing.cc = vec![address("Jörg, Müller", "j@example.org")];
    outgoing.reply_to = Some(address("", "answers@example.com"));
    outgoing.html = Some("<p>Hello <b>Ada</b><img src=\"cid:logo\"></p>".to_owned());
    outgoing.in_reply_to = Some("p@x".to_owned());
    outgoing.references = vec!["a@x".to_owned(), "p@x".to_owned()];
    outgoing.thread_index = Some("A".repeat(200));
    outgoing.attachments = vec![
        OutgoingFile {
            filename: "Übersicht.pdf".to_owned(),
            content_type: "application/pdf".to_owned(),
            bytes: vec![0, 1, 2],
            content_id: None,
        },
        OutgoingFile {
            filename: "logo.png".to_owned(),
            content_type: "image/png".to_owned(),
            bytes: vec![9],
            content_id: Some("logo".to_owned()),
        },
    ];
    let (parsed, defects) = parse(&compose(&outgoing).unwrap());
    assert_eq!(defects, []);
    assert_eq!(parsed.subject, outgoing.subject);
    assert_eq!(parsed.from, [outgoing.from]);
    assert_eq!(parsed.cc, outgoing.cc);
    assert_eq!(parsed.reply_to, [address("", "answers@example.com")]);
    assert_eq!(parsed.date_at, Some(1_714_564_800));
    assert_eq!(parsed.message_id.as_deref(), Some("0123@example.com"));
    assert_eq!(parsed.references, outgoing.references);
    assert_eq!(parsed.thread_index, outgoing.thread_index);
    assert_eq!(parsed.text, outgoing.text);
    assert_eq!(parsed.html, outgoing.html);
    let files: Vec<_> = parsed
        .attachments
        .iter()
        .map(|a| (a.filename.as_str(), a.inline, a.bytes.len()))
        .collect();
    assert_eq!(files, [("logo.png", true, 1), ("Übersicht.pdf", false, 3)]);
}

#[test]
fn the_same_message_is_written_the_same_twice() {
    let mut outgoing = letter();
    outgoing.html = Some("<p>x</p>".to_owned());
    assert_eq!(compose(&outgoing).unwrap(), compose(&outgoing).unwrap());
}

#[test]
fn no_value_can_add_a_header() {
    let mut outgoing = letter();
    let evil = "x\r\nBcc: evil@example.net\r\n\r\nbody";
    outgoing.subject = evil.to_owned();
    outgoing.from.name = evil.to_owned();
    outgoing.thread_topic = Some(evil.to_owned());
    outgoing.thread_index = Some(evil.to_owned());
    outgoing.in_reply_to = Some(evil.to_owned());
    outgoing.references = vec![evil.to_owned(), "ok@x".to_owned()];
    outgoing.headers = vec![("X-Test".to_owned(), evil.to_owned())];
    outgoing.attachments = vec![OutgoingFile {
        filename: evil.to_owned(),
        content_type: evil.to_owned(),
        bytes: vec![],
        content_id: None,
    }];
    let (parsed, _) = parse(&compose(&outgoing).unwrap());
    assert_eq!(parsed.bcc, []);
    assert_eq!(parsed.references, ["ok@x"]);
    assert_eq!(parsed.text, outgoing.text);
    assert!(
        !written(&outgoing)
            .lines()
            .any(|line| line.starts_with("Bcc"))
    );
}

#[test]
fn hidden_recipients_are_written_only_when_asked() {
    let mut outgoing = letter();
    outgoing.bcc = vec![address("", "hidden@example.net")];
    assert!(!written(&outgoing).contains("hidden"));
    outgoing.keep_bcc = true;
    assert!(written(&outgoing).contains("Bcc: hidden@example.net\r\n"));
}

#[test]
fn long_references_keep_the_first_and_the_newest_and_every_line_is_short() {
    let mut outgoing = letter();
    outgoing.references = (0..2_000)
        .map(|n| format!("{n}-{}@example.com", "x".repeat(60)))
        .collect();
    let text = written(&outgoing);
    let (parsed, _) = parse(text.as_bytes());
    assert!(parsed.references.first().unwrap().starts_with("0-"));
    assert!(parsed.references.last().unwrap().starts_with("1999-"));
    assert!(parsed.references.len() > 100);
    assert!(text.split("\r\n").all(|line| line.len() < 998));
    let field = text
        .split_once("References: ")
        .unwrap()
        .1
        .split_once("\r\nSubject")
        .map_or("", |(field, _)| field);
    assert!(field.len() < 32_000);
}

#[test]
fn lines_end_with_carriage_return_and_line_feed_throughout() {
    let mut outgoing = letter();
    outgoing.text = "a\nb\r\nc\rd".to_owned();
    outgoing.html = Some("<p>\nx</p>".to_owned());
    let text = written(&outgoing);
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
    assert_eq!(text.matches('\r').count(), text.matches("\r\n").count());
}

#[test]
fn what_cannot_be_sent_is_refused_with_a_reason() {
    let mut outgoing = letter();
    outgoing.to = vec![address("", "not an address")];
    assert_eq!(
        compose(&outgoing),
        Err(ComposeError::BadAddress {
            address: "not an address".to_owned()
        })
    );
    outgoing.to = vec![];
    assert_eq!(compose(&outgoing), Err(ComposeError::NoRecipients));
    outgoing.message_id = "a b".to_owned();
    assert!(matches!(
        compose(&outgoing),
        Err(ComposeError::BadId { .. })
    ));
}

#[test]
fn a_domain_in_another_script_is_written_in_ascii() {
    let mut outgoing = letter();
    outgoing.to = vec![address("", "ada@bücher.example")];
    assert!(written(&outgoing).contains("ada@xn--bcher-kva.example"));
}

#[test]
fn a_message_id_has_a_domain_in_any_case() {
    assert_eq!(new_message_id("Example.com", "a-1"), "a-1@Example.com");
    assert_eq!(new_message_id("", "a-1"), "a-1@localhost.invalid");
}

#[test]
fn the_history_is_quoted_in_both_forms() {
    let quoted = Quoted {
        from: "Ada <ada@x.org>",
        sent: "1 May 2024 14:00",
        to: "help@x.org",
        cc: "",
        subject: "Printer",
        text: "it <burns>\n> old\n",
        html: None,
    };
    let history = quote_history(&quoted);
    assert_eq!(
        history.text,
        "On 1 May 2024 14:00, Ada <ada@x.org> wrote:\n> it <burns>\n>> old\n"
    );
    assert!(
        history
            .html
            .contains("<b>From:</b> Ada &lt;ada@x.org&gt;<br>")
            && history.html.contains("it &lt;burns&gt;")
    );
    assert_eq!(with_signature("Hi\n\n", "Ada"), "Hi\n\n-- \nAda\n");
}
