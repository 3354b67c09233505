//! winmail.dat written here attribute by attribute, whole and damaged.

use super::*;
use crate::mail::{self, Defect};
use crate::model::Kind;

fn count(number: usize) -> [u8; 4] {
    u32::try_from(number).expect("a small number").to_le_bytes()
}

/// Writes an attribute (MS-OXTNEF section 2.1.3.2).
fn attribute(level: u8, id: u32, data: &[u8]) -> Vec<u8> {
    let mut out = vec![level];
    out.extend_from_slice(&id.to_le_bytes());
    out.extend_from_slice(&count(data.len()));
    out.extend_from_slice(data);
    let sum = data
        .iter()
        .fold(0u16, |sum, byte| sum.wrapping_add(u16::from(*byte)));
    out.extend_from_slice(&sum.to_le_bytes());
    out
}

fn tnef(attributes: &[Vec<u8>]) -> Vec<u8> {
    let mut out = vec![0x78, 0x9f, 0x3e, 0x22, 1, 0];
    out.extend(attribute(1, 0x0008_9006, &[0, 0, 1, 0]));
    out.extend(attribute(1, 0x0006_9007, &[0xe4, 4, 0, 0, 0, 0, 0, 0]));
    out.extend(attributes.concat());
    out
}

enum Value<'v> {
    Number(u32),
    Time(i64),
    Text8(&'v [u8]),
    Text(&'v str),
    Binary(&'v [u8]),
    Message(&'v [u8]),
}

/// Writes one property; an id above 0x8000 is a number in the set of appointments.
fn property(id: u16, value: &Value<'_>) -> Vec<u8> {
    let wide = |text: &str| -> Vec<u8> {
        let units = text.encode_utf16().chain([0]);
        units.flat_map(u16::to_le_bytes).collect()
    };
    let (kind, data, sized) = match value {
        Value::Number(number) => (0x03u16, number.to_le_bytes().to_vec(), false),
        Value::Time(at) => {
            let ticks = (at + 11_644_473_600).cast_unsigned() * 10_000_000;
            (0x40, ticks.to_le_bytes().to_vec(), false)
        }
        Value::Text8(text) => (0x1e, [text, &b"\0"[..]].concat(), true),
        Value::Text(text) => (0x1f, wide(text), true),
        Value::Binary(bytes) => (0x102, bytes.to_vec(), true),
        Value::Message(bytes) => {
            let interface = [7, 3, 2, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46];
            (0x0d, [&interface[..], bytes].concat(), true)
        }
    };
    let mut out = kind.to_le_bytes().to_vec();
    out.extend_from_slice(&id.to_le_bytes());
    if id >= 0x8000 {
        out.extend_from_slice(&properties::APPOINTMENT);
        out.extend_from_slice(&[0, 0, 0, 0]);
        out.extend_from_slice(&u32::from(id).to_le_bytes());
    }
    if sized {
        out.extend_from_slice(&1u32.to_le_bytes());
        out.extend_from_slice(&count(data.len()));
    }
    out.extend_from_slice(&data);
    while sized && out.len() % 4 != 0 {
        out.push(0);
    }
    out
}

fn properties(list: &[(u16, Value<'_>)]) -> Vec<u8> {
    let mut out = count(list.len()).to_vec();
    for (id, value) in list {
        out.extend(property(*id, value));
    }
    out
}

fn message_properties(list: &[(u16, Value<'_>)]) -> Vec<u8> {
    attribute(1, 0x0006_9003, &properties(list))
}

fn begin_file() -> Vec<u8> {
    attribute(2, 0x0006_9002, &[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
}

fn file_properties(list: &[(u16, Value<'_>)]) -> Vec<u8> {
    attribute(2, 0x0006_9005, &properties(list))
}

fn file(title: &[u8], data: &[u8], list: &[(u16, Value<'_>)]) -> Vec<u8> {
    [
        begin_file(),
        attribute(2, 0x0001_8010, &[title, b"\0"].concat()),
        attribute(2, 0x0006_800f, data),
        file_properties(list),
    ]
    .concat()
}

/// A message with a winmail.dat and a text of its own.
fn mail(text: &str, winmail: &[u8]) -> Vec<u8> {
    use base64::Engine as _;
    let coded = base64::engine::general_purpose::STANDARD.encode(winmail);
    format!(
        "From: Ada <ada@example.org>\r\nSubject: x\r\nDate: Wed, 1 May 2024 14:00:00 +0200\r\nMessage-ID: <w@example.org>\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n{text}\r\n--b\r\n\
         Content-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: base64\r\n\r\n{coded}\r\n--b--\r\n"
    )
    .into_bytes()
}

fn names(files: &[Attachment]) -> Vec<&str> {
    files.iter().map(|file| file.filename.as_str()).collect()
}

#[test]
fn files_have_the_names_and_bytes_the_sender_gave_them() {
    let winmail = tnef(&[
        file(
            b"BERICH~1.PDF",
            b"one",
            &[(0x3707, Value::Text("Bericht für Köln.pdf"))],
        ),
        file(
            b"UMLAUT~1.TXT",
            b"two",
            &[(0x3001, Value::Text8(b"Umlaute \xe4\xf6.txt"))],
        ),
        file(b"plain.txt", b"three", &[]),
        file(b"", b"%PDF", &[(0x370e, Value::Text("application/pdf"))]),
    ]);
    let found = open(&winmail).unwrap();
    assert_eq!(
        names(&found.attachments),
        [
            "Bericht für Köln.pdf",
            "Umlaute äö.txt",
            "plain.txt",
            "attachment-4.pdf"
        ]
    );
    let bytes: Vec<&[u8]> = found
        .attachments
        .iter()
        .map(|file| file.bytes.as_slice())
        .collect();
    assert_eq!(bytes, [b"one", b"two", &b"three"[..], b"%PDF"]);
    assert_eq!(found.attachments[0].content_type, "application/pdf");
    assert!(!found.cut_off);
}

#[test]
fn content_may_stand_among_the_properties() {
    let winmail = tnef(&[
        begin_file(),
        file_properties(&[
            (0x3701, Value::Binary(b"inside")),
            (0x3707, Value::Text("a.bin")),
        ]),
    ]);
    assert_eq!(open(&winmail).unwrap().attachments[0].bytes, b"inside");
}

#[test]
fn a_picture_of_the_html_is_inline() {
    let winmail = tnef(&[
        message_properties(&[(0x1013, Value::Binary(b"<p>hi<img src=cid:a@b>"))]),
        file(
            b"a.png",
            b"png",
            &[(0x3712, Value::Text("a@b")), (0x3714, Value::Number(4))],
        ),
    ]);
    let found = open(&winmail).unwrap();
    assert_eq!(found.html.as_deref(), Some("<p>hi<img src=cid:a@b>"));
    let picture = &found.attachments[0];
    assert!(picture.inline);
    assert_eq!(picture.content_id.as_deref(), Some("a@b"));
}

#[test]
fn html_is_read_in_the_code_page_that_is_named_for_it() {
    let winmail = tnef(&[message_properties(&[
        (0x3fde, Value::Number(1251)),
        (0x1013, Value::Binary(b"<p>\xcf\xf0\xe8")),
    ])]);
    assert_eq!(open(&winmail).unwrap().html.as_deref(), Some("<p>При"));
}

#[test]
fn a_body_in_rich_text_is_used_when_there_is_no_other() {
    let rtf = b"{\\rtf1\\ansi\\fromhtml1{\\*\\htmltag <p>}hello}";
    let mut packed = vec![0; 4];
    packed.extend_from_slice(&count(rtf.len()));
    packed.extend_from_slice(b"MELA\0\0\0\0");
    packed.extend_from_slice(rtf);
    let winmail = tnef(&[message_properties(&[(0x1009, Value::Binary(&packed))])]);
    assert_eq!(open(&winmail).unwrap().html.as_deref(), Some("<p>hello"));
}

#[test]
fn a_receipt_inside_is_a_receipt() {
    let winmail = tnef(&[message_properties(&[
        (0x001a, Value::Text("REPORT.IPM.Note.IPNRN")),
        (0x1000, Value::Text("Your message was read.")),
    ])]);
    let (found, _) = mail::parse(&mail("", &winmail));
    assert_eq!(found.outlook_class, "REPORT.IPM.Note.IPNRN");
    assert_eq!(mail::classify::kind(&found), Kind::Notification);
}

#[test]
fn its_text_counts_only_when_the_message_has_none() {
    let winmail = tnef(&[attribute(1, 0x0002_800c, b"from inside\0")]);
    let (found, defects) = mail::parse(&mail("", &winmail));
    assert_eq!(found.text, "from inside");
    assert!(found.attachments.is_empty());
    assert_eq!(defects, []);
    let (found, _) = mail::parse(&mail("from outside", &winmail));
    assert_eq!(found.text.trim(), "from outside");
}

#[test]
fn what_cannot_be_unpacked_stays_the_file_it_is() {
    for broken in [&b"\x89PNG"[..], b"", &[0x78, 0x9f, 0x3e, 0x22, 0, 0]] {
        let (found, defects) = mail::parse(&mail("text", broken));
        assert_eq!(names(&found.attachments), ["winmail.dat"]);
        assert_eq!(found.attachments[0].bytes, broken);
        assert_eq!(defects, [Defect::UnreadableTnef]);
    }
}

#[test]
fn an_attached_message_becomes_one_that_any_program_opens() {
    let inner = tnef(&[
        message_properties(&[
            (0x0037, Value::Text("Über den Preis")),
            (0x0042, Value::Text("Zoë Müller")),
            (0x5d02, Value::Text("zoe@example.org")),
            (0x0039, Value::Time(1_714_564_800)),
            (0x1000, Value::Text("the old text")),
        ]),
        file(b"list.txt", b"a file", &[]),
    ]);
    let winmail = tnef(&[
        begin_file(),
        attribute(
            2,
            0x0006_800f,
            b"This attachment is a MAPI 1.0 embedded message",
        ),
        file_properties(&[(0x3701, Value::Message(&inner))]),
    ]);
    let found = open(&winmail).unwrap();
    assert_eq!(names(&found.attachments), ["Über den Preis.eml"]);
    assert_eq!(found.attachments[0].content_type, "message/rfc822");
    let (message, _) = mail::parse(&found.attachments[0].bytes);
    assert_eq!(message.subject, "Über den Preis");
    assert_eq!(message.from[0].address, "zoe@example.org");
    assert_eq!(message.from[0].name, "Zoë Müller");
    assert_eq!(message.date_at, Some(1_714_564_800));
    assert_eq!(message.text.trim(), "the old text");
    assert_eq!(names(&message.attachments), ["list.txt"]);
    assert_eq!(message.attachments[0].bytes, b"a file");
}

#[test]
fn a_date_beyond_the_year_9999_is_left_out() {
    let inner = tnef(&[message_properties(&[
        (0x0037, Value::Text("later")),
        (0x0039, Value::Time(400_000_000_000)),
    ])]);
    let winmail = tnef(&[
        begin_file(),
        file_properties(&[(0x3701, Value::Message(&inner))]),
    ]);
    let found = open(&winmail).unwrap();
    let (message, _) = mail::parse(&found.attachments[0].bytes);
    assert_eq!((message.subject.as_str(), message.date_at), ("later", None));
}

#[test]
fn messages_in_messages_end_at_the_bound() {
    let mut winmail = tnef(&[message_properties(&[(0x0037, Value::Text("core"))])]);
    for _ in 0..8 {
        winmail = tnef(&[
            begin_file(),
            file_properties(&[(0x3701, Value::Message(&winmail))]),
        ]);
    }
    let mut bytes = open(&winmail).unwrap().attachments.remove(0).bytes;
    let mut levels = 1;
    loop {
        let (mut message, _) = mail::parse(&bytes);
        let Some(file) = message.attachments.pop() else {
            break;
        };
        bytes = file.bytes;
        levels += 1;
        assert!(levels < 20);
    }
    assert!(levels >= 5);
}

#[test]
fn a_meeting_request_becomes_an_event() {
    let winmail = tnef(&[
        attribute(1, 0x0007_8008, b"IPM.Microsoft Schedule.MtgReq\0"),
        message_properties(&[
            (0x001a, Value::Text("IPM.Schedule.Meeting.Request")),
            (0x0037, Value::Text("Planning")),
            (0x0042, Value::Text("Ada")),
            (0x5d02, Value::Text("ada@example.org")),
            (0x820d, Value::Time(1_714_546_800)),
            (0x820e, Value::Time(1_714_550_400)),
            (0x8208, Value::Text("Room 7")),
            (
                0x8234,
                Value::Text("(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna"),
            ),
        ]),
    ]);
    let event = open(&winmail).unwrap().calendar.unwrap();
    assert_eq!(
        (event.method.as_str(), event.summary.as_str()),
        ("REQUEST", "Planning")
    );
    assert_eq!(event.start, "2024-05-01T09:00:00+02:00");
    assert!(
        event
            .when()
            .starts_with("Wednesday 1 May 2024, 09:00 – 10:00 (Europe/")
    );
    assert_eq!(
        (event.location.as_str(), event.organizer.as_str()),
        ("Room 7", "ada@example.org")
    );
    let (found, _) = mail::parse(&mail("see you", &winmail));
    assert_eq!(
        found.calendar.map(|event| event.location),
        Some("Room 7".to_owned())
    );
    let declined = tnef(&[
        attribute(1, 0x0007_8008, b"IPM.Schedule.Meeting.Resp.Neg\0"),
        message_properties(&[(0x0042, Value::Text("Ben"))]),
    ]);
    let reply = open(&declined).unwrap().calendar.unwrap();
    assert_eq!(reply.purpose(), "Declined");
    assert_eq!(reply.people[0].name, "Ben");
}

#[test]
fn an_appointment_that_was_attached_keeps_its_time() {
    let inner = tnef(&[message_properties(&[
        (0x001a, Value::Text("IPM.Appointment")),
        (0x0037, Value::Text("Lunch, outside")),
        (0x820d, Value::Time(1_714_546_800)),
    ])]);
    let winmail = tnef(&[
        begin_file(),
        file_properties(&[(0x3701, Value::Message(&inner))]),
    ]);
    let (message, _) = mail::parse(&open(&winmail).unwrap().attachments[0].bytes);
    let event = message.calendar.unwrap();
    assert_eq!(
        (event.summary.as_str(), event.start.as_str()),
        ("Lunch, outside", "2024-05-01T07:00:00Z")
    );
}

#[test]
fn a_file_that_was_cut_off_is_kept_as_far_as_it_goes() {
    let winmail = tnef(&[
        file(b"a.txt", b"whole", &[]),
        begin_file(),
        attribute(2, 0x0001_8010, b"b.txt\0"),
        attribute(2, 0x0006_800f, b"only a part of it arrived"),
    ]);
    let (found, defects) = mail::parse(&mail("x", &winmail[..winmail.len() - 12]));
    assert_eq!(names(&found.attachments), ["a.txt", "b.txt"]);
    assert_eq!(found.attachments[1].bytes, b"only a part of ");
    assert_eq!(defects, [Defect::CutOffTnef]);
}

#[test]
fn nothing_that_is_cut_or_changed_makes_it_panic_or_grow() {
    let inner = tnef(&[message_properties(&[(0x0037, Value::Text("inner"))])]);
    let winmail = tnef(&[
        message_properties(&[
            (0x1000, Value::Text("text")),
            (0x820d, Value::Time(1_714_546_800)),
        ]),
        attribute(
            1,
            0x0006_9004,
            &[
                1u32.to_le_bytes().to_vec(),
                properties(&[(0x3001, Value::Text("A"))]),
            ]
            .concat(),
        ),
        file(b"a.txt", b"data", &[(0x3701, Value::Message(&inner))]),
    ]);
    for length in 0..winmail.len() {
        let _ = open(&winmail[..length]);
    }
    for at in 0..winmail.len() {
        for value in [0, 1, 0x7f, 0xff] {
            let mut changed = winmail.clone();
            changed[at] = value;
            if let Some(found) = open(&changed) {
                let size: usize = found.attachments.iter().map(|file| file.bytes.len()).sum();
                assert!(size < 10_000);
            }
        }
    }
}
