//! Messages that break the rules of fields, parts and character sets.

use super::{has_defect, parsed};

#[test]
fn uuencoded_files_in_a_text_are_files() {
    let found = parsed("uuencoded_in_text");
    let files: Vec<_> = found
        .attachments
        .iter()
        .map(|file| (file.filename.as_str(), file.bytes.len()))
        .collect();
    assert_eq!(files, [("prices of May.csv", 99), ("note.txt", 6)]);
    assert_eq!(
        found.text.split_whitespace().collect::<Vec<_>>().join(" "),
        "Please find both below. Ada"
    );
}

#[test]
fn somebody_without_an_address_is_answered_where_they_ask_for_it() {
    let found = parsed("from_without_address");
    let from = found.from.first().expect("a sender");
    assert_eq!(
        (from.name.as_str(), from.address.as_str()),
        ("Ada Byron", "ada@example.org")
    );
    assert!(has_defect("from_without_address", "no usable From"));
}

#[test]
fn addresses_without_brackets_are_found() {
    let found = parsed("address_without_brackets");
    let all: Vec<_> = found
        .from
        .iter()
        .chain(&found.cc)
        .map(|who| (who.name.as_str(), who.address.as_str()))
        .collect();
    assert_eq!(
        all,
        [
            ("Ada Byron", "ada@example.org"),
            ("Charles Babbage", "charles@example.org"),
            ("Some, One", "one@example.org")
        ]
    );
}

#[test]
fn a_wrong_or_missing_character_set_is_seen_through() {
    let name = "charset_label_contradicts_utf8";
    assert_eq!(parsed(name).text, "Счёт оплачен, спасибо.\n");
    assert!(has_defect(name, "windows-1251"));
    let found = parsed("charset_missing_cyrillic");
    assert_eq!(found.subject, "Вопрос о счёте за май");
    assert!(found.text.starts_with("Добрый день! Мы не получили счёт"));
    assert_eq!(
        parsed("subject_charset_of_word_is_wrong").subject,
        "請求書の件"
    );
}

#[test]
fn a_broken_header_section_is_read_to_its_end() {
    let found = parsed("fold_without_indentation");
    assert_eq!(found.subject, "The fold lost its space");
    assert_eq!(found.text, "The text.\n");
    assert_eq!(parsed("date_twice").date_at, Some(1_714_980_600));
}

#[test]
fn a_label_that_is_nonsense_hides_no_text() {
    let found = parsed("base64_label_on_plain_text");
    assert!(
        found
            .text
            .starts_with("Dear team, this text was never encoded")
    );
    assert!(has_defect("base64_label_on_plain_text", "base64"));
    assert_eq!(parsed("content_type_unreadable").text, "Still readable.\n");
    assert_eq!(
        parsed("part_without_blank_line").text,
        "The first words.\n\nThe second."
    );
}

#[test]
fn a_name_cut_inside_a_character_is_put_together() {
    let found = parsed("filename_cut_in_character");
    let names: Vec<_> = found
        .attachments
        .iter()
        .map(|file| &file.filename)
        .collect();
    assert_eq!(names, ["Отчёт.pdf"]);
}

#[test]
fn bare_returns_are_line_ends_and_nul_characters_vanish() {
    assert_eq!(
        parsed("nul_and_bare_returns").text,
        "one\ntwo\n\n\n\nthree\n"
    );
}

#[test]
fn a_picture_the_html_does_not_show_stands_beside_it() {
    let found = parsed("picture_beside_html");
    let inline: Vec<_> = found
        .attachments
        .iter()
        .map(|file| (file.filename.as_str(), file.inline))
        .collect();
    assert_eq!(inline, [("shown.png", true), ("beside.png", false)]);
}

#[test]
fn hostile_structures_end_soon() {
    let unit = |unit: &str| unit.repeat(200_000 / unit.len());
    let fields = [
        "\"\\",
        "(",
        "<\"",
        "a@[",
        "a:",
        "=?utf-8?q?",
        "\"a\"",
        "a@b ",
    ];
    let mut hostile: Vec<String> = fields
        .iter()
        .map(|text| {
            format!(
                "From: {0}\r\nContent-Type: x/y; name={0}\r\n\r\n",
                unit(text)
            )
        })
        .collect();
    hostile.push(format!(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n{}",
        unit("--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n")
    ));
    for coded in ["=", "=4", "\0", "AAA=", "A\n"] {
        let fields = "Content-Type: text/plain\r\nContent-Transfer-Encoding: base64";
        hostile.push(format!("{fields}\r\n\r\n{}", unit(coded)));
    }
    hostile.push(format!("\r\n{}", unit("begin 644 a\r\n#0V%T\r\n")));
    // Two megabytes, on which a quadratic reading would not end.
    for raw in &hostile {
        let (message, _) = crate::mail::parse(raw.as_bytes());
        let found: usize = message
            .attachments
            .iter()
            .map(|file| file.bytes.len())
            .sum();
        assert!(found + message.text.len() <= raw.len() * 3);
    }
}
