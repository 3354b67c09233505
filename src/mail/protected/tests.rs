//! Each kind of protection, in files written here byte by byte.

use super::*;
use crate::mail;

/// A value of BER with its length.
fn ber(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("a short content");
    let [high, low] = length.to_be_bytes();
    let mut out = vec![tag, 0x82, high, low];
    out.extend_from_slice(content);
    out
}

/// The same without a length, ended by two zero bytes.
fn endless(tag: u8, content: &[u8]) -> Vec<u8> {
    [&[tag, 0x80], content, &[0, 0]].concat()
}

fn object(last: &[u8]) -> Vec<u8> {
    let bytes = [&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1][..], last].concat();
    let length = u8::try_from(bytes.len()).expect("a short name");
    [&[6, length], bytes.as_slice()].concat()
}

fn signed(octets: &[u8], wrap: fn(u8, &[u8]) -> Vec<u8>) -> Vec<u8> {
    let info = wrap(0x30, &[object(&[7, 1]), wrap(0xa0, octets)].concat());
    let data = [vec![2, 1, 1], ber(0x31, &[]), info, ber(0x31, &[])].concat();
    wrap(
        0x30,
        &[object(&[7, 2]), wrap(0xa0, &wrap(0x30, &data))].concat(),
    )
}

fn message(content_type: &str, body: &[u8]) -> Parsed {
    use base64::Engine as _;
    let coded = base64::engine::general_purpose::STANDARD.encode(body);
    let raw = format!(
        "From: a@example.org\r\nContent-Type: {content_type}\r\nContent-Transfer-Encoding: base64\r\n\r\n{coded}\r\n"
    );
    mail::parse(raw.as_bytes()).0
}

#[test]
fn a_signed_message_in_one_file_is_opened_however_it_is_written() {
    let inner = b"Content-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\n\r\nthe text\r\n--i\r\n\
                  Content-Disposition: attachment; filename=a.txt\r\n\r\nfile\r\n--i--\r\n";
    let pieces: Vec<u8> = inner.chunks(20).flat_map(|piece| ber(4, piece)).collect();
    for file in [
        signed(&ber(4, inner), ber),
        signed(&endless(0x24, &pieces), endless),
    ] {
        let found = message(
            "application/pkcs7-mime; smime-type=signed-data; name=smime.p7m",
            &file,
        );
        assert_eq!(found.text.trim(), "the text");
        assert_eq!(found.attachments.len(), 1);
        assert_eq!(found.attachments[0].filename, "a.txt");
        assert_eq!(found.protection, Some(Protection::SmimeSigned));
    }
}

#[test]
fn an_encrypted_message_stays_a_file_and_says_why() {
    let file = ber(0x30, &[object(&[7, 3]), ber(0xa0, b"secret")].concat());
    let found = message("application/x-pkcs7-mime; name=smime.p7m", &file);
    assert_eq!(found.protection, Some(Protection::SmimeEncrypted));
    assert_eq!(found.attachments[0].bytes, file);
    let cut = message("application/x-pkcs7-mime; name=smime.p7m", &file[..24]);
    assert_eq!(cut.protection, Some(Protection::SmimeEncrypted));
    assert!(!Protection::SmimeEncrypted.is_readable());
    assert!(
        Protection::SmimeEncrypted
            .remedy()
            .starts_with("Ask the sender")
    );
}

#[test]
fn a_file_that_only_has_the_name_is_nothing_special() {
    let found = message(
        "application/octet-stream; name=smime.p7m",
        b"not CMS at all",
    );
    assert_eq!(found.protection, None);
    assert_eq!(found.attachments[0].bytes, b"not CMS at all");
}

#[test]
fn a_document_that_is_signed_as_a_file_stays_a_file() {
    let file = signed(&ber(4, b"%PDF-1.7"), ber);
    for name in ["invoice.pdf.p7m", "smime.p7m"] {
        let found = message(&format!("application/pkcs7-mime; name={name}"), &file);
        assert_eq!(found.attachments[0].filename, name);
        assert_eq!(found.attachments[0].bytes, file);
    }
}

#[test]
fn signatures_in_messages_in_files_end_at_a_bound() {
    let mut file = signed(&ber(4, b"\r\nthe core"), ber);
    for _ in 0..6 {
        use base64::Engine as _;
        let coded = base64::engine::general_purpose::STANDARD.encode(&file);
        let inner = format!(
            "Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\n{coded}"
        );
        file = signed(&ber(4, inner.as_bytes()), ber);
    }
    let found = message("application/pkcs7-mime", &file);
    assert_eq!(found.attachments.len(), 1);
}

#[test]
fn parts_of_mime_say_how_a_message_is_protected() {
    let with = |kind: &str, name: &str| {
        let raw = format!(
            "From: a@example.org\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\n\
             Content-Type: {kind}; name={name}\r\n\r\nx\r\n--b--\r\n"
        );
        mail::parse(raw.as_bytes()).0.protection
    };
    assert_eq!(
        with("application/pgp-encrypted", "x"),
        Some(Protection::PgpEncrypted)
    );
    assert_eq!(
        with("application/pgp-signature", "signature.asc"),
        Some(Protection::PgpSigned)
    );
    assert_eq!(
        with("application/pkcs7-signature", "smime.p7s"),
        Some(Protection::SmimeSigned)
    );
    assert_eq!(
        with("application/x-microsoft-rpmsg-message", "message.rpmsg"),
        Some(Protection::Microsoft)
    );
    assert_eq!(
        with("application/octet-stream", "message_v2.rpmsg"),
        Some(Protection::Microsoft)
    );
    assert_eq!(with("application/pdf", "a.pdf"), None);
}

#[test]
fn armour_in_the_text_counts_only_at_the_start_of_a_line() {
    let armour = "-----BEGIN PGP MESSAGE-----\n\nhQE\n-----END PGP MESSAGE-----";
    assert_eq!(in_text(armour), Some(Protection::PgpEncrypted));
    assert_eq!(
        in_text(&format!("> {}", armour.replace('\n', "\n> "))),
        None
    );
    assert_eq!(in_text("What does -----BEGIN PGP MESSAGE----- mean?"), None);
    assert_eq!(
        in_text(
            "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nhi\n-----BEGIN PGP SIGNATURE-----\nx\n-----END PGP SIGNATURE-----"
        ),
        Some(Protection::PgpSigned)
    );
}

#[test]
fn the_page_to_read_a_message_that_microsoft_keeps_is_found() {
    let raw = b"From: a@example.org\r\nContent-Type: text/html\r\n\r\n<a href=\"https://outlook.office365.com/Encryption/retrieve.ashx?a=1&amp;b=2\">Read the message</a>";
    assert_eq!(
        reading_page(&mail::parse(raw).0).as_deref(),
        Some("https://outlook.office365.com/Encryption/retrieve.ashx?a=1&b=2")
    );
}

#[test]
fn broken_shapes_are_none_and_deep_ones_end() {
    let file = signed(&ber(4, b"x"), endless);
    for length in 0..file.len() {
        let _ = cms::read(&file[..length]);
    }
    assert_eq!(cms::read(&[0x30, 0x80].repeat(100_000)), None);
    assert_eq!(
        cms::read(&[0x30, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        None
    );
}
