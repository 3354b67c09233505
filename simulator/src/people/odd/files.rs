//! Mail with much beside the text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Odd, crlf, odd, tnef};
use crate::people::compose::{Part, attachment, encoded, html, lamp_picture, pdf, plain};

/// Bytes that one line of 76 letters in base64 holds.
const ROW_BYTES: usize = 57;
/// Rows of the large file: thirty megabytes.
const ROWS: usize = 30_000_000 / ROW_BYTES;

pub(super) fn all(to: &str) -> Vec<Odd> {
    vec![
        winmail(),
        large(),
        many_recipients(to),
        attached_message(),
        many_files(),
    ]
}

/// Outlook's own wrapping (MS-OXTNEF), as it comes from Exchange servers of old.
fn winmail() -> Odd {
    let wrapped = tnef::write(
        "Drawings of the hall",
        "Hello,\r\n\r\nthe drawings are attached. Please tell me if the cable ducts are wide enough.\r\n\r\nGunnar Friis\r\n",
        &[
            ("hall-b-drawing.pdf", &pdf("Hall B, cable ducts")),
            (
                "Überblick.txt",
                "Decke 4,20 m; Kanal 60 x 40 mm\r\n".as_bytes(),
            ),
        ],
    );
    odd(
        ("Gunnar Friis", "gunnar@friis-arkitekter.example"),
        "Drawings of the hall",
        Part::Many(
            "mixed",
            vec![
                plain("Hello,\n\nthe drawings are attached.\n"),
                attachment("winmail.dat", "application/ms-tnef", &wrapped),
            ],
        ),
    )
    .field("X-MS-TNEF-Correlator", "<1F3A@friis-arkitekter.example>")
}

/// Thirty megabytes. Every row is the same, so that it is quickly made and packs well.
fn large() -> Odd {
    let row = format!(
        "{:<width$}\n",
        "2026-11-14T08:00:00Z;hall B;lux;412.5",
        width = ROW_BYTES - 1
    );
    let line = format!("{}\r\n", STANDARD.encode(row));
    let file = Part::Leaf(
        vec![
            (
                "Content-Type",
                "text/csv; name=\"lux-readings-2026.csv\"".to_owned(),
            ),
            (
                "Content-Disposition",
                "attachment; filename=\"lux-readings-2026.csv\"".to_owned(),
            ),
            ("Content-Transfer-Encoding", "base64".to_owned()),
        ],
        line.repeat(ROWS).into_bytes(),
    );
    odd(
        ("Petra Lux", "petra@lightmeter.example"),
        "All readings of this year (30 MB)",
        Part::Many(
            "mixed",
            vec![
                plain(
                    "Hello,\n\nhere are all readings. The interesting ones are in March.\n\nPetra\n",
                ),
                file,
            ],
        ),
    )
}

/// Five hundred in To, and some more in Cc.
fn many_recipients(to: &str) -> Odd {
    let mut list: Vec<String> = (1..500)
        .map(|number| format!("\"Member {number}\" <member{number}@lighthouse-friends.example>"))
        .collect();
    list.insert(2, format!("Harbour Lights <{to}>"));
    let cc: Vec<String> = (1..=12)
        .map(|number| format!("board{number}@lighthouse-friends.example"))
        .collect();
    odd(
        ("Friends of the Lighthouse", "office@lighthouse-friends.example"),
        "Invitation to the lighting of the tree",
        plain("Dear friends,\n\non Sunday at five the tree is lit. There will be soup.\n\nThe office\n(sorry for putting you all into To)\n"),
    )
    .set("To", list.join(",\r\n "))
    .set("Cc", cc.join(",\r\n "))
}

/// A message as a file in a message as a file.
fn attached_message() -> Odd {
    let inner = format!(
        "From: \"Rosa Lindqvist\" <rosa@lindqvist.example>\nTo: carpenter@oakyard.example\nSubject: The shelf for the lamp\nDate: Tue, 10 Nov 2026 08:00:00 +0100\n\
         Message-ID: <shelf@lindqvist.example>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=inner\n\n--inner\nContent-Type: text/plain; charset=utf-8\n\
         Content-Transfer-Encoding: 8bit\n\nHello,\n\nthe shelf must carry four kilograms.\n\nRosa\n--inner\nContent-Type: image/png; name=\"shelf.png\"\n\
         Content-Disposition: attachment; filename=\"shelf.png\"\nContent-Transfer-Encoding: base64\n\n{}\n--inner--\n",
        STANDARD.encode(lamp_picture())
    );
    let middle = format!(
        "From: \"Oakyard Carpentry\" <carpenter@oakyard.example>\nTo: rosa@lindqvist.example\nSubject: Fwd: The shelf for the lamp\nDate: Wed, 11 Nov 2026 09:30:00 +0100\n\
         Message-ID: <fwd@oakyard.example>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=middle\n\n--middle\nContent-Type: text/html; charset=utf-8\n\
         Content-Transfer-Encoding: 8bit\n\n<p>Dear Rosa,</p><p>how heavy is the lamp <b>exactly</b>? Please ask the maker.</p>\n--middle\nContent-Type: message/rfc822\n\
         Content-Disposition: attachment; filename=\"The shelf for the lamp.eml\"\n\n{inner}\n--middle--\n"
    );
    let file = Part::Leaf(
        vec![
            ("Content-Type", "message/rfc822".to_owned()),
            (
                "Content-Disposition",
                "attachment; filename=\"Fwd The shelf for the lamp.eml\"".to_owned(),
            ),
        ],
        crlf(&middle),
    );
    odd(
        ("Rosa Lindqvist", "rosa@lindqvist.example"),
        "How heavy is the Lantern?",
        Part::Many(
            "mixed",
            vec![
                plain(
                    "Hello,\n\nmy carpenter asks, see his mail. How heavy is the Lantern?\n\nRosa Lindqvist\n",
                ),
                file,
            ],
        ),
    )
}

/// Names that were never meant for a header field.
fn many_files() -> Odd {
    let mut parts = vec![html(
        "<p>Hi,</p><p>everything from the shoot, unsorted. Pick what you like.</p><p>Yuki</p>",
    )];
    for number in 1..=9 {
        parts.push(attachment(
            &format!("IMG_{:04}.png", 2040 + number),
            "image/png",
            &lamp_picture(),
        ));
    }
    let named = |disposition: String, kind: &str, bytes: &[u8]| {
        Part::Leaf(
            vec![
                ("Content-Type", kind.to_owned()),
                ("Content-Disposition", disposition),
                ("Content-Transfer-Encoding", "base64".to_owned()),
            ],
            crate::people::compose::wrapped(bytes),
        )
    };
    parts.push(named(
        "attachment;\r\n filename*0*=utf-8''%E6%92%AE%E5%BD%B1%E3%83%AA%E3%82%B9%E3%83%88;\r\n filename*1*=%202026;\r\n filename*2=\".pdf\"".to_owned(),
        "application/pdf",
        &pdf("List"),
    ));
    parts.push(named(
        format!("attachment; filename=\"{}\"", encoded("Preisliste für Fotografen – gültig ab Januar, alle Preise ohne Mehrwertsteuer, Änderungen vorbehalten.pdf")),
        "application/pdf",
        &pdf("Prices"),
    ));
    parts.push(named(
        "attachment".to_owned(),
        "application/octet-stream",
        b"no name at all",
    ));
    odd(
        ("Yuki Arai", "yuki@arai-photo.example"),
        "Pictures of the showroom",
        Part::Many("mixed", parts),
    )
}
