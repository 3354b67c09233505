//! Messages with one defect each, read as a person would expect them to be read.

mod parsing;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::mail::{self, Parsed, Protection};
use crate::model::Kind;

fn corpus() -> BTreeMap<String, Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    fs::read_dir(folder)
        .expect("the corpus is there")
        .map(|entry| entry.expect("its entries can be read").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "eml"))
        .map(|path| {
            let name = path
                .file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            (name, fs::read(&path).expect("a file"))
        })
        .collect()
}

fn read(name: &str) -> (Parsed, Vec<String>) {
    let raw = corpus()
        .remove(name)
        .unwrap_or_else(|| panic!("no {name}.eml"));
    let (parsed, defects) = mail::parse(&raw);
    (parsed, defects.iter().map(ToString::to_string).collect())
}

fn parsed(name: &str) -> Parsed {
    read(name).0
}

fn has_defect(name: &str, words: &str) -> bool {
    read(name).1.iter().any(|defect| defect.contains(words))
}

#[test]
fn every_beginning_of_every_message_is_read_without_a_panic() {
    for (name, raw) in corpus() {
        for end in 0..=raw.len() {
            let (parsed, _) = mail::parse(raw.get(..end).expect("within the file"));
            let split = mail::quote::split(&parsed.subject, &parsed.text, parsed.html.as_deref());
            assert!(
                split.html_split.is_none_or(|at| parsed
                    .html
                    .as_deref()
                    .is_some_and(|h| h.is_char_boundary(at))),
                "{name} cut at {end}"
            );
            let _ = mail::classify::kind(&parsed);
        }
    }
}

#[test]
fn every_message_with_one_byte_changed_is_read_without_a_panic() {
    for (_, raw) in corpus() {
        for (at, byte) in [b'\0', b'\n', b'=', b'<', b'"', 0xff]
            .into_iter()
            .enumerate()
        {
            for position in (at..raw.len()).step_by(7) {
                let mut changed = raw.clone();
                if let Some(slot) = changed.get_mut(position) {
                    *slot = byte;
                }
                let (parsed, _) = mail::parse(&changed);
                let _ = mail::bounce::read(&parsed);
                let _ = mail::trust::authentication(&parsed);
            }
        }
    }
}

#[test]
fn a_sound_message_has_no_defects() {
    let (parsed, defects) = read("plain");
    assert_eq!(
        (parsed.text.as_str(), parsed.date_at),
        ("Grüße aus Wien\n", Some(1_714_564_800))
    );
    assert_eq!(defects, Vec::<String>::new());
}

#[test]
fn text_is_readable_whatever_its_label_says() {
    assert_eq!(parsed("charset_wrong_label").text, "Grüße aus Köln\n");
    assert_eq!(parsed("charset_unknown_label").text, "Hello\n");
    assert_eq!(
        parsed("charset_missing_label").text,
        "Plain text, no content type.\n"
    );
    assert_eq!(parsed("subject_raw_eight_bit").subject, "Grüße");
    assert_eq!(parsed("subject_word_cut_in_character").subject, "Grüße");
    assert_eq!(parsed("null_bytes").text, "ab\n");
    assert!(has_defect("charset_wrong_label", "character set utf-8"));
    assert!(has_defect("charset_unknown_label", "x-nobody-knows"));
}

#[test]
fn damaged_encodings_cost_only_what_is_damaged() {
    assert_eq!(parsed("base64_damaged").text, "Hello world");
    assert_eq!(
        parsed("quoted_printable_damaged").text,
        "Grüße, 50=% off today\n"
    );
    assert_eq!(parsed("transfer_encoding_unknown").text, "as it is\n");
    assert!(has_defect("base64_damaged", "base64"));
    assert!(has_defect("quoted_printable_damaged", "quoted-printable"));
    assert!(has_defect("transfer_encoding_unknown", "x-own"));
}

#[test]
fn broken_structure_loses_no_text() {
    assert_eq!(
        parsed("header_without_blank_line").text,
        "Dear all,\nthis body began too early.\n"
    );
    assert_eq!(parsed("boundary_never_occurs").text, "Just text.\n");
    assert_eq!(parsed("carriage_returns_only").text, "first\nsecond\n");
    assert_eq!(parsed("mbox_line_first").subject, "from a mailbox file");
    let found = parsed("boundary_missing");
    assert_eq!((found.text.trim(), found.attachments.len()), ("first", 1));
    let cut = parsed("multipart_cut_off");
    assert_eq!(
        cut.attachments.first().map(|a| a.bytes.as_slice()),
        Some(b"second, cut o".as_slice())
    );
    assert!(has_defect("multipart_cut_off", "cut off"));
    assert!(has_defect("empty", "no header fields"));
}

#[test]
fn header_fields_are_read_with_care() {
    let found = parsed("references_without_spaces");
    assert_eq!(
        found.references,
        ["a@example.org", "b@example.org", "p@example.org"]
    );
    assert_eq!(
        mail::thread::candidate_ids(&found),
        ["p@example.org", "b@example.org", "a@example.org"]
    );
    let twice = parsed("from_twice");
    assert_eq!(
        twice
            .from
            .iter()
            .map(|a| a.address.as_str())
            .collect::<Vec<_>>(),
        ["ada@example.com"]
    );
    assert!(has_defect("from_twice", "from occurs several times"));
    assert_eq!(parsed("date_unreadable").date_at, None);
    assert!(has_defect("date_unreadable", "Date field"));
}

#[test]
fn file_names_are_safe_and_never_missing() {
    let name = |file: &str| {
        parsed(file)
            .attachments
            .first()
            .map(|a| a.filename.clone())
            .unwrap_or_default()
    };
    assert_eq!(name("filename_path"), "passwd");
    assert_eq!(name("filename_bidi"), "invoicefdp.exe");
    assert_eq!(name("filename_in_pieces"), "Übersicht 2024.pdf");
    assert_eq!(name("filename_encoded_word"), "Übersicht 2024.pdf");
    let names: Vec<String> = parsed("filename_missing")
        .attachments
        .into_iter()
        .map(|a| a.filename)
        .collect();
    assert_eq!(names, ["The forwarded one.eml", "image-2.png"]);
    assert!(
        has_defect("filename_path", "unsafe file name")
            && has_defect("filename_bidi", "unsafe file name")
    );
}

#[test]
fn a_reply_from_outlook_shows_only_what_is_new() {
    let found = parsed("outlook_reply");
    let split = mail::quote::split(&found.subject, &found.text, found.html.as_deref());
    assert_eq!(
        (split.reply_text.as_str(), split.quoted),
        ("It works now, thank you.", true)
    );
    let html = found.html.unwrap_or_default();
    let (new, _) = html.split_at(split.html_split.expect("a place to fold"));
    assert!(new.ends_with("thank you.</div>"));
}

#[test]
fn flowed_lines_are_joined() {
    assert_eq!(
        parsed("flowed_text").text,
        "This line goes on here.\n> quoted text\n"
    );
}

#[test]
fn pictures_inside_the_text_are_inline_and_foreign_ones_wait() {
    let found = parsed("related_picture");
    let logo = found.attachments.first().expect("the picture");
    assert!(logo.inline && logo.content_id.as_deref() == Some("logo@x"));
    let cid_url = |id: &str| (id == "logo@x").then(|| format!("/pictures/{id}"));
    let display = mail::html::Display {
        remote_images: false,
        cid_url: &cid_url,
    };
    let shown = mail::html::sanitize(&found.html.unwrap_or_default(), &display);
    assert_eq!(shown.remote_images_blocked, 1);
    assert!(shown.html.contains("/pictures/logo@x") && !shown.html.contains("track.example.net"));
}

#[test]
fn machines_are_recognised() {
    let ndr = parsed("exchange_ndr");
    assert_eq!(mail::classify::kind(&ndr), Kind::Bounce);
    let bounce = mail::bounce::read(&ndr).expect("a report");
    assert_eq!(
        bounce.original_message_id.as_deref(),
        Some("original@example.org")
    );
    let recipient = bounce.recipients.first().expect("a recipient");
    assert_eq!(
        (
            recipient.address.as_str(),
            recipient.action.as_str(),
            recipient.status.as_str()
        ),
        ("ada@example.com", "failed", "5.1.10")
    );
    assert!(recipient.diagnostic.contains("RecipientNotFound"));
    assert_eq!(
        mail::classify::kind(&parsed("absence_note")),
        Kind::AutoReply
    );
    assert_eq!(
        mail::classify::kind(&parsed("outlook_reply")),
        Kind::Message
    );
    assert!(mail::classify::is_retrieval_stub(&parsed("retrieval_stub")));
    assert!(!mail::classify::is_retrieval_stub(&parsed("plain")));
}

#[test]
fn an_invitation_brings_its_event() {
    let found = parsed("calendar_request");
    let event = found.calendar.expect("an event");
    assert_eq!(
        (
            event.method.as_str(),
            event.summary.as_str(),
            event.start.as_str()
        ),
        ("REQUEST", "Printer, again", "2024-05-01T12:00:00Z")
    );
    assert_eq!(found.text.trim(), "Meeting");
}

#[test]
fn an_invitation_says_when_in_its_own_zone_and_how_it_repeats() {
    let event = parsed("calendar_windows_zone").calendar.expect("an event");
    assert_eq!(event.start, "2024-05-01T09:00:00+02:00");
    assert_eq!(
        event.when(),
        "Wednesday 1 May 2024, 09:00 – 09:30 (Europe/Berlin)"
    );
    assert_eq!(
        event.recurrence.as_deref(),
        Some("every week on Monday and Wednesday until 3 July 2024, except on 1 date")
    );
    assert_eq!(event.purpose(), "Updated invitation");
}

#[test]
fn what_winmail_dat_held_stands_in_its_place() {
    let (found, defects) = read("winmail_dat");
    assert_eq!(defects, [""; 0]);
    assert_eq!(found.text.trim(), "Grüße from the old server");
    assert!(found.html.is_some_and(|html| html.contains("<b>Grüße</b>")));
    let names: Vec<&str> = found
        .attachments
        .iter()
        .map(|a| a.filename.as_str())
        .collect();
    assert_eq!(names, ["Bericht für März.txt", "message.rtf"]);
    assert!(found.attachments[1].inline, "its HTML is shown anyway");
    assert_eq!(found.attachments[0].bytes, b"first line\r\nsecond line\r\n");
    assert!(has_defect("winmail_dat_broken", "winmail.dat"));
    assert_eq!(
        parsed("winmail_dat_broken").attachments[0].filename,
        "winmail.dat"
    );
}

#[test]
fn protected_messages_say_what_they_are() {
    let kind = |name: &str| parsed(name).protection;
    let signed = parsed("smime_signed_in_one_file");
    assert_eq!(signed.text.trim(), "signed, and still to be read");
    assert_eq!(signed.protection, Some(Protection::SmimeSigned));
    assert_eq!(kind("smime_encrypted"), Some(Protection::SmimeEncrypted));
    assert_eq!(kind("pgp_in_the_text"), Some(Protection::PgpEncrypted));
    assert_eq!(kind("rpmsg"), Some(Protection::Microsoft));
    assert!(mail::protected::reading_page(&parsed("rpmsg")).is_some());
    assert_eq!(kind("plain"), None);
}
