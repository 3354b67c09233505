//! Reports as servers write them, and mail that only looks like one.

use super::*;
use crate::mail::classify::kind;
use crate::mail::parse;
use crate::model::Kind;

/// A report from a mail system, in plain text.
fn from_system(subject: &str, body: &str) -> Parsed {
    let raw = format!(
        "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example.net\r\nTo: us@example.org\r\n\
         Subject: {subject}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}"
    );
    parse(raw.as_bytes()).0
}

/// A report in the standard form, with the given fields of its second part.
fn standard(fields: &str, first: &str) -> Parsed {
    let raw = format!(
        "From: postmaster@mx.example.net\r\nTo: us@example.org\r\nSubject: Report\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\n{first}\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\n{fields}\r\n\
         --b\r\nContent-Type: text/rfc822-headers\r\n\r\n\
         From: us@example.org\r\nTo: Ada <ada@example.com>\r\nSubject: Your printer\r\n\
         Message-ID: <reply@example.org>\r\nReferences: <first@example.com> <second@example.org>\r\n\r\n--b--\r\n"
    );
    parse(raw.as_bytes()).0
}

/// Address, action and status of each recipient.
fn told(message: &Parsed) -> Vec<(String, String, String)> {
    let bounce = read(message).expect("a report");
    bounce
        .recipients
        .into_iter()
        .map(|r| (r.address, r.action, r.status))
        .collect()
}

fn one(address: &str, action: &str, status: &str) -> Vec<(String, String, String)> {
    vec![(address.to_owned(), action.to_owned(), status.to_owned())]
}

#[test]
fn the_standard_part_tells_who_and_why_and_the_returned_fields_what() {
    let message = standard(
        "Reporting-MTA: dns; mx.example.net\r\nOriginal-Envelope-Id: delivery-17\r\n\r\n\
         Original-Recipient: rfc822;ada@example.com\r\nFinal-Recipient: RFC822; ada.l@example.net\r\n\
         Action: failed\r\nStatus: 5.0.0 (permanent failure)\r\n\
         Diagnostic-Code: smtp; 550 5.1.1\r\n <ada.l@example.net> no such user\r\n",
        "It failed.",
    );
    let bounce = read(&message).unwrap();
    assert_eq!(
        bounce.original_message_id.as_deref(),
        Some("reply@example.org")
    );
    assert_eq!(bounce.original.envelope_id.as_deref(), Some("delivery-17"));
    assert_eq!(bounce.original.subject.as_deref(), Some("Your printer"));
    assert_eq!(bounce.original.to[0].address, "ada@example.com");
    assert_eq!(
        bounce.original.thread_ids,
        ["second@example.org", "first@example.com"]
    );
    let recipient = &bounce.recipients[0];
    assert_eq!(recipient.address, "ada@example.com");
    assert_eq!(
        recipient.final_address.as_deref(),
        Some("ada.l@example.net")
    );
    assert_eq!(recipient.status, "5.1.1");
    assert_eq!(
        recipient.diagnostic,
        "550 5.1.1 <ada.l@example.net> no such user"
    );
    assert!(recipient.explanation().contains("no such address"));
}

#[test]
fn recipients_without_empty_lines_between_them_and_fields_behind_stray_ones_are_read() {
    let message = standard(
        "Reporting-MTA: dns; mx.example.net\r\nFinal-Recipient: rfc822;a@example.com\r\nAction: failed\r\n\
         Status: 5.1.1\r\nFinal-Recipient: rfc822;b@example.com\r\nAction: delayed\r\n\r\nStatus: 4.4.1\r\n",
        "",
    );
    assert_eq!(
        told(&message),
        [
            one("a@example.com", "failed", "5.1.1"),
            one("b@example.com", "delayed", "4.4.1")
        ]
        .concat()
    );
}

#[test]
fn files_with_reports_are_read_whole() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus");
    let file = |name: &str| {
        let raw = std::fs::read(format!("{folder}/{name}.eml")).expect("the file is there");
        parse(&raw).0
    };
    let plain = file("bounce_without_standard_part");
    assert_eq!(kind(&plain), Kind::Bounce);
    assert_eq!(
        told(&plain),
        [
            one("ada@example.com", "failed", "5.1.1"),
            one("bob@example.com", "failed", "5.2.2")
        ]
        .concat()
    );
    assert_eq!(
        read(&plain).unwrap().original_message_id.as_deref(),
        Some("reply.17@example.org")
    );
    let together = file("bounce_fields_run_together");
    assert_eq!(
        told(&together),
        [
            one("ada@example.com", "failed", "5.7.26"),
            one("bob@example.com", "delayed", "4.4.1")
        ]
        .concat()
    );
}

#[test]
fn what_the_standard_part_lacks_is_taken_from_the_words() {
    let message = standard(
        "Reporting-MTA: dns; mx.example.net\r\n\r\nFinal-Recipient: rfc822; ada@example.com\r\nAction: error\r\nStatus: 5.0.0\r\n",
        "An error occurred:\r\n\r\nada@example.com: 550 5.7.26 not authenticated\r\n",
    );
    assert_eq!(told(&message), one("ada@example.com", "failed", "5.7.26"));
}

#[test]
fn reports_of_success_and_receipts_and_complaints_are_no_bounces() {
    let delivered = standard(
        "Reporting-MTA: dns; mx.example.net\r\n\r\nFinal-Recipient: rfc822;ada@example.com\r\nAction: relayed\r\nStatus: 2.1.5\r\n",
        "",
    );
    assert_eq!(kind(&delivered), Kind::Notification);
    let part = |report: &str, part: &str, fields: &str| {
        format!(
            "From: a@example.org\r\nSubject: Read: hello\r\nAuto-Submitted: auto-replied\r\n\
             Content-Type: multipart/report; report-type={report}; boundary=b\r\n\r\n\
             --b\r\n\r\nx\r\n--b\r\nContent-Type: message/{part}\r\n\r\n{fields}\r\n--b--\r\n"
        )
    };
    let receipt = part(
        "disposition-notification",
        "disposition-notification",
        "Final-Recipient: rfc822;a@example.org\r\nDisposition: manual-action/MDN-sent-manually; displayed",
    );
    assert_eq!(kind(&parse(receipt.as_bytes()).0), Kind::Notification);
    let complaint = part(
        "feedback-report",
        "feedback-report",
        "Feedback-Type: abuse\r\nVersion: 1",
    );
    assert_eq!(kind(&parse(complaint.as_bytes()).0), Kind::Notification);
    let refused = receipt.replace("auto-replied", "auto-replied (rejected)");
    let refused = parse(refused.as_bytes()).0;
    assert_eq!(kind(&refused), Kind::Bounce);
    assert_eq!(
        read(&refused).unwrap().recipients[0].address,
        "a@example.org"
    );
}

#[test]
fn each_servers_own_form_names_recipient_and_reason() {
    let cases = [
        (
            "failure notice",
            "Hi. This is the mail program.\n\n<ada@example.com>:\n192.0.2.1 does not like recipient.\n\
             Remote host said: 550 5.1.1 no such user\nGiving up on 192.0.2.1.\n\n--- Below this line is a copy of the message.\n",
            "5.1.1",
        ),
        (
            "Undelivered Mail Returned to Sender",
            "<ada@example.com>: host mx.example.com[192.0.2.1] said: 552 5.2.2 Over quota (in\n    reply to RCPT TO command)\n",
            "5.2.2",
        ),
        (
            "Mail delivery failed",
            "The following address(es) failed:\n\n  ada@example.com\n    host mx.example.com [192.0.2.1]\n    550 5.7.1 blocked\n",
            "5.7.1",
        ),
        (
            "Returned mail: Host unknown",
            "   ----- Transcript of session follows -----\n550 <ada@example.com>... Host unknown\n",
            "5.1.2",
        ),
        (
            "Undeliverable: Your printer",
            "Your message did not reach some of its recipients.\n\n      ada@example.com on 1/2/2024 9:00\n\
                         The recipient name is not recognized\n",
            "5.1.1",
        ),
        (
            "Delivery Status Notification (Failure)",
            "Delivery to the following recipient failed permanently:\n\n     ada@example.com\n\n\
             Technical details of permanent failure:\nThe server said: 550 5.2.1 disabled\n",
            "5.2.1",
        ),
        (
            "Message could not be delivered",
            "Some recipients were not reached:\n\n\tRecipient: [SMTP:ada@example.com]\n\tReason: mailbox full\n",
            "5.2.2",
        ),
        (
            "配信エラー",
            "次の宛先へのメールは配信できませんでした。\n\n>>> RCPT TO:<ada@example.com>\n<<< 550 5.1.1 Unknown user\n",
            "5.1.1",
        ),
        (
            "Не доставлено",
            "Письмо не может быть доставлено:\n\n  ada@example.com\n    SMTP error: 550 Mailbox full\n",
            "5.2.2",
        ),
        (
            "Mail Delivery Problem",
            "Your mail to the following recipients could not be delivered:\n\tada\n",
            "",
        ),
    ];
    for (subject, body, status) in cases {
        let message = from_system(subject, body);
        let address = if body.contains("@example.com") {
            "ada@example.com"
        } else {
            "ada@mx.example.net"
        };
        assert_eq!(kind(&message), Kind::Bounce, "{subject}");
        assert_eq!(told(&message), one(address, "failed", status), "{subject}");
    }
}

#[test]
fn each_of_several_recipients_gets_its_own_reason() {
    let message = from_system(
        "Mail delivery failed",
        "could not be delivered:\n\n\"ada@example.com\":\nhost: mx.example.com\n5.1.1 User unknown\n\
         \"bob@example.com\":\nhost: mx.example.com\n5.2.2 Mailbox full\n",
    );
    assert_eq!(
        told(&message),
        [
            one("ada@example.com", "failed", "5.1.1"),
            one("bob@example.com", "failed", "5.2.2")
        ]
        .concat()
    );
}

#[test]
fn a_warning_is_a_delay_until_it_says_that_it_was_the_last() {
    let warning = from_system(
        "Warning: message delayed 24 hours",
        "A message has not yet been delivered to:\n\n  ada@example.com\n    Connection timed out\n",
    );
    assert_eq!(told(&warning), one("ada@example.com", "delayed", "4.4.1"));
    assert!(
        read(&warning).unwrap().recipients[0]
            .explanation()
            .contains("keep trying")
    );
    let last = from_system(
        "Returned mail: could not send message for past 5 days",
        "  ada@example.com\n    Connection timed out\nMessage will be deleted from queue\n",
    );
    assert_eq!(told(&last), one("ada@example.com", "failed", "4.4.1"));
}

#[test]
fn a_report_wrapped_by_a_scanner_is_opened() {
    let raw = "From: postmaster@mx.example.net\r\nSubject: Delivery Status Notification (Failure)\r\n\
        Content-Type: multipart/mixed; report-type=delivery-status; boundary=o\r\nReturn-Path: <>\r\n\r\n\
        --o\r\nContent-Type: message/rfc822\r\n\r\n\
        From: postmaster@mx.example.net\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=i\r\n\r\n\
        --i\r\n\r\nfailed\r\n--i\r\nContent-Type: message/delivery-status\r\n\r\n\
        Reporting-MTA: dns;x\r\n\r\nFinal-Recipient: rfc822;ada@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--i--\r\n--o--\r\n";
    assert_eq!(
        told(&parse(raw.as_bytes()).0),
        one("ada@example.com", "failed", "5.1.1")
    );
}

#[test]
fn a_report_that_names_nobody_means_the_one_addressee_of_the_returned_message() {
    let message = from_system(
        "Returned mail",
        "It could not be delivered.\n\n--- Original message follows ---\n\nFrom: us@example.org\nTo: ada@example.com\n\
         Subject: Hello\nMessage-ID: <one@example.org>\n\ntext\n",
    );
    let bounce = read(&message).unwrap();
    assert_eq!(bounce.recipients[0].address, "ada@example.com");
    assert_eq!(
        bounce.original_message_id.as_deref(),
        Some("one@example.org")
    );
}

#[test]
fn people_who_write_about_reports_write_messages() {
    let person = |subject: &str, body: &str| {
        let raw = format!(
            "From: ada@example.com\r\nTo: us@example.org\r\nSubject: {subject}\r\n\r\n{body}"
        );
        kind(&parse(raw.as_bytes()).0)
    };
    assert_eq!(
        person("Delivery failure of my parcel", "where is it?"),
        Kind::Message
    );
    assert_eq!(
        person(
            "Fwd: Undelivered Mail Returned to Sender",
            "Look what I got.\n\n> your message could not be delivered\n> <bob@example.net>: 550 5.1.1 unknown\n"
        ),
        Kind::Message
    );
    assert_eq!(
        person(
            "Undeliverable parcel",
            "The courier says it was returned to sender.\nPlease send it again to my office.\n"
        ),
        Kind::Message
    );
    assert_eq!(
        person(
            "AW: Unzustellbar: Angebot",
            "Diese Nachricht wurde nicht zugestellt, warum?"
        ),
        Kind::Message
    );
}

#[test]
fn a_list_manager_that_refuses_a_post_reports_a_failure() {
    let raw = "From: list-admin@example.net\r\nSubject: You ada are not member (list)\r\nX-MLServer: manager\r\n\r\n\
        You are not a member of this mailing list <list@example.net>.\r\n";
    assert_eq!(kind(&parse(raw.as_bytes()).0), Kind::Bounce);
}

#[test]
fn notices_of_amazons_are_read() {
    let notice = |kind: &str, rest: &str| {
        let raw = format!(
            "From: no-reply@sns.example.com\r\nSubject: AWS Notification Message\r\nx-amz-sns-message-id: 1\r\n\r\n\
             {{\"notificationType\":\"{kind}\",{rest},\"mail\":{{\"commonHeaders\":{{\"messageId\":\"<m@example.org>\",\r\n\"subject\":\"Hi\"}}}}}}\r\n\r\n--\r\nunsubscribe\r\n"
        );
        parse(raw.as_bytes()).0
    };
    let bounce = notice(
        "Bounce",
        "\"bounce\":{\"bouncedRecipients\":[{\"emailAddress\":\"ada@example.com\",\"action\":\"failed\",\"status\":\"5.1.1\",\"diagnosticCode\":\"smtp; 550 5.1.1 no\"}]}",
    );
    assert_eq!(told(&bounce), one("ada@example.com", "failed", "5.1.1"));
    assert_eq!(
        read(&bounce).unwrap().original_message_id.as_deref(),
        Some("m@example.org")
    );
    let delivered = notice(
        "Delivery",
        "\"delivery\":{\"recipients\":[\"ada@example.com\"]}",
    );
    assert_eq!(kind(&delivered), Kind::Notification);
}

#[test]
fn hostile_reports_are_read_in_bounds() {
    let mut body = String::new();
    for number in 0..5_000 {
        body.push_str(&format!("<a{number}@example.com>:\n5.5.5 4 4 2.2.\n\n"));
    }
    let bounce = read(&from_system("failure notice", &body)).unwrap();
    assert_eq!(bounce.recipients.len(), RECIPIENTS_MAX);
    assert!(
        bounce
            .recipients
            .iter()
            .all(|r| r.diagnostic.chars().count() <= DIAGNOSTIC_MAX)
    );
}
