//! Mail that no person wrote.

use super::{Odd, crlf, odd, odd_bytes};
use crate::people::compose::{Checks, plain};

pub(super) fn all(to: &str) -> Vec<Odd> {
    vec![bounce(to), delay(to), away(), list(), receipt(to)]
}

fn report(from: (&str, &str), subject: &str, kind: &str, parts: &[(&str, String)]) -> Odd {
    let mut text =
        format!("Content-Type: multipart/report; report-type={kind};\n\tboundary=\"report\"\n\n");
    for (content_type, body) in parts {
        text.push_str(&format!(
            "--report\nContent-Type: {content_type}\n\n{body}\n"
        ));
    }
    text.push_str("--report--\n");
    odd_bytes(from, subject, &crlf(&text)).field("Auto-Submitted", "auto-replied")
}

/// Postfix's, in the words of a server that has seen better days.
fn bounce(to: &str) -> Odd {
    let words = "This is the mail system at host mx.northpier.example.\n\nI'm sorry to have to inform you that your message could not\nbe delivered to one or more recipients. \
        It's attached below.\n\n<jonas@northpier.example>: host store.northpier.example[192.0.2.44] said: 552 5.2.2\n    Mailbox full (in reply to RCPT TO command)\n".to_owned();
    let status = "Reporting-MTA: dns; mx.northpier.example\nArrival-Date: Fri, 13 Nov 2026 09:00:00 +0000 (UTC)\n\nFinal-Recipient: rfc822; jonas@northpier.example\n\
        Action: failed\nStatus: 5.2.2\nRemote-MTA: dns; store.northpier.example\nDiagnostic-Code: smtp; 552 5.2.2 Mailbox full\n".to_owned();
    let original = format!(
        "From: Harbour Lights <{to}>\nTo: jonas@northpier.example\nSubject: Your repair is ready\nMessage-ID: <repair-ready@harbourlights.example>\nDate: Fri, 13 Nov 2026 09:00:00 +0000\n"
    );
    report(
        ("Mail Delivery System", "MAILER-DAEMON@mx.northpier.example"),
        "Undelivered Mail Returned to Sender",
        "delivery-status",
        &[
            ("text/plain; charset=us-ascii", words),
            ("message/delivery-status", status),
            ("text/rfc822-headers", original),
        ],
    )
}

fn delay(to: &str) -> Odd {
    let words = "This is the mail system at host mx.southpier.example.\n\n####################################################################\n# THIS IS A WARNING ONLY.  YOU DO NOT NEED TO RESEND YOUR MESSAGE. #\n\
        ####################################################################\n\nYour message could not be delivered for more than 4 hour(s).\nIt will be retried until it is 5 day(s) old.\n".to_owned();
    let status = "Reporting-MTA: dns; mx.southpier.example\n\nFinal-Recipient: rfc822; inga@southpier.example\nAction: delayed\nStatus: 4.4.1\nDiagnostic-Code: X-Postfix; connect to\n    southpier.example[192.0.2.45]:25: Connection timed out\nWill-Retry-Until: Wed, 18 Nov 2026 09:00:00 +0000 (UTC)\n".to_owned();
    let original = format!(
        "From: Harbour Lights <{to}>\nTo: inga@southpier.example\nSubject: Your repair is ready\nMessage-ID: <repair-ready-2@harbourlights.example>\n"
    );
    report(
        ("Mail Delivery System", "MAILER-DAEMON@mx.southpier.example"),
        "Delayed Mail (still being retried)",
        "delivery-status",
        &[
            ("text/plain; charset=us-ascii", words),
            ("message/delivery-status", status),
            ("text/rfc822-headers", original),
        ],
    )
}

/// Exchange in Swedish.
fn away() -> Odd {
    odd(
        ("Elsa Nyström", "elsa@nystrom-el.example"),
        "Autosvar: Offert på sex lampor",
        plain("Hej,\n\njag är på semester till och med den 30 november och läser inte min e-post.\nI brådskande fall: Karin, karin@nystrom-el.example.\n\nElsa\n"),
    )
    .field("Auto-Submitted", "auto-generated")
    .field("X-Auto-Response-Suppress", "All")
    .field("X-MS-Exchange-Inbox-Rules-Loop", "elsa@nystrom-el.example")
}

/// A list that changed subject and body, and with them the signature of its sender.
fn list() -> Odd {
    odd(
        ("Wim de Groot via Lampmakers", "wim@degroot.example"),
        "[lampmakers] Re: Which varnish holds on brass?",
        plain(
            "Zapon varnish, two thin coats, and warm the brass first.\n\nWim\n\nOn Thu, 12 Nov 2026, Karel Novák wrote:\n> Which varnish holds on brass? Mine peels after a winter.\n\n\
             _______________________________________________\nLampmakers mailing list\nlampmakers@lists.lampmakers.example\nhttps://lists.lampmakers.example/options\n",
        ),
    )
    .set("To", "lampmakers@lists.lampmakers.example")
    .field("List-Id", "Lampmakers <lampmakers.lists.lampmakers.example>")
    .field("List-Post", "<mailto:lampmakers@lists.lampmakers.example>")
    .field("List-Unsubscribe", "<https://lists.lampmakers.example/options>")
    .field("Precedence", "list")
    .field("Reply-To", "lampmakers@lists.lampmakers.example")
    .after(Checks::Relayed)
}

/// Somebody read something.
fn receipt(to: &str) -> Odd {
    let words = "Your message\n\n   To: Judith Aalto\n   Subject: Your repair is ready\n   Sent: Friday, November 13, 2026 10:00:00 AM\n\nwas read on Friday, November 13, 2026 11:12:00 AM.\n".to_owned();
    let note = format!(
        "Reporting-UA: mail.aalto.example; Microsoft Outlook 16.0\nFinal-Recipient: rfc822;judith@aalto.example\nOriginal-Message-ID: <repair-ready-3@harbourlights.example>\nDisposition: manual-action/MDN-sent-manually; displayed\nX-To: {to}\n"
    );
    report(
        ("Judith Aalto", "judith@aalto.example"),
        "Read: Your repair is ready",
        "disposition-notification",
        &[
            ("text/plain; charset=us-ascii", words),
            ("message/disposition-notification", note),
        ],
    )
}
