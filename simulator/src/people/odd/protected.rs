//! Signed and encrypted mail. The signatures and ciphers are noise: nobody has a key to them.

use super::{Odd, crlf, odd, odd_bytes};
use crate::people::compose::{Part, attachment, html, plain};

pub(super) fn all() -> Vec<Odd> {
    vec![signed(), opaque(), pgp(), rights_managed(), pgp_in_text()]
}

/// Bytes that look like a cipher.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_u32;
    (0..count)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state.to_le_bytes()[0]
        })
        .collect()
}

/// The outermost layers of an enveloped-data content (RFC 5652 section 6.1), with noise for a cipher.
fn enveloped() -> Vec<u8> {
    let wrap = |tag: u8, content: Vec<u8>| {
        let [high, low] = u16::try_from(content.len())
            .unwrap_or_default()
            .to_be_bytes();
        let mut out = vec![tag, 0x82, high, low];
        out.extend(content);
        out
    };
    let mut inner = vec![0x02, 0x01, 0x00];
    inner.extend(wrap(0x04, noise(2_000)));
    let mut content = vec![
        0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x03,
    ];
    content.extend(wrap(0xa0, wrap(0x30, inner)));
    wrap(0x30, content)
}

/// S/MIME with the text in the clear: it reads like any other.
fn signed() -> Odd {
    odd(
        ("Dr. Ute Stahl", "stahl@stahl-recht.example"),
        "Vertrag über die Lieferung von 40 Leuchten",
        Part::Many(
            "signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256",
            vec![
                plain(
                    "Sehr geehrte Damen und Herren,\n\nanbei bestätige ich den Vertrag. Diese Nachricht ist signiert.\n\nDr. Ute Stahl\n",
                ),
                attachment("smime.p7s", "application/pkcs7-signature", &noise(900)),
            ],
        ),
    )
}

/// S/MIME as one cipher.
fn opaque() -> Odd {
    odd(
        ("Dr. Ute Stahl", "stahl@stahl-recht.example"),
        "Vertraulich",
        attachment(
            "smime.p7m",
            "application/pkcs7-mime; smime-type=enveloped-data",
            &enveloped(),
        ),
    )
}

fn pgp() -> Odd {
    let text = "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\";\n boundary=\"pgp\"\n\nThis is an OpenPGP/MIME encrypted message (RFC 4880 and 3156)\n--pgp\n\
        Content-Type: application/pgp-encrypted\nContent-Description: PGP/MIME version identification\n\nVersion: 1\n\n--pgp\nContent-Type: application/octet-stream; name=\"encrypted.asc\"\n\
        Content-Disposition: inline; filename=\"encrypted.asc\"\n\n-----BEGIN PGP MESSAGE-----\n\nhQEMA0000000000000AQf/WmFua3VuZmFzc2JhciwgZGFzcyBkYXMgamVtYW5kIGxpZXN0\nbm9pc2Ugbm9pc2Ugbm9pc2Ugbm9pc2Ugbm9pc2Ugbm9pc2U=\n=AbCd\n-----END PGP MESSAGE-----\n\n--pgp--\n";
    odd_bytes(("Linus Holm", "linus@holm.example"), "...", &crlf(text))
}

/// Microsoft's rights management for those outside.
fn rights_managed() -> Odd {
    let page = "<html><body><p>Nadia Rahman (nadia@rahman-legal.example) has sent you a protected message.</p><p><img src=\"https://outlook.office365.example/lock.png\" width=\"40\" height=\"40\" alt=\"\"></p>\
        <p><a href=\"https://outlook.office365.example/Encryption/retrieve.ashx?id=1\">Read the message</a></p><p>Learn about messages protected by Microsoft Purview Message Encryption.</p></body></html>\n";
    odd(
        ("Nadia Rahman", "nadia@rahman-legal.example"),
        "Draft settlement",
        Part::Many(
            "mixed",
            vec![
                html(page),
                attachment(
                    "message_v4.rpmsg",
                    "application/x-microsoft-rpmsg-message",
                    &noise(3_000),
                ),
            ],
        ),
    )
    .field("X-MS-Exchange-Organization-RightsProtectMessage", "true")
    .field("Content-Class", "rpmsg.message")
}

fn pgp_in_text() -> Odd {
    odd(
        ("Linus Holm", "linus@holm.example"),
        "my address",
        plain(
            "-----BEGIN PGP MESSAGE-----\nVersion: GnuPG v2\n\nhQEMA0000000000000AQf/bm9pc2Ugbm9pc2Ugbm9pc2Ugbm9pc2Ugbm9pc2Ugbm9p\nc2Ugbm9pc2U=\n=EfGh\n-----END PGP MESSAGE-----\n",
        ),
    )
}
