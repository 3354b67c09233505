//! What a writer newly wrote, told from what stood there before.

use super::*;

fn reply(text: &str) -> String {
    split("", text, None).reply_text
}

#[test]
fn outlook_header_blocks_end_the_reply_in_ten_languages() {
    for (from, sent, to, subject) in [
        ("From", "Sent", "To", "Subject"),
        ("Von", "Gesendet", "An", "Betreff"),
        ("De", "Envoyé", "À", "Objet"),
        ("De", "Enviado el", "Para", "Asunto"),
        ("Da", "Inviato", "A", "Oggetto"),
        ("Van", "Verzonden", "Aan", "Onderwerp"),
        ("Från", "Skickat", "Till", "Ämne"),
        ("Fra", "Sendt", "Til", "Emne"),
        ("Od", "Wysłano", "Do", "Temat"),
        ("От", "Отправлено", "Кому", "Тема"),
    ] {
        let text = format!(
            "New words.\n\n________________________________\n{from}: Ada <ada@x.org>\n{sent}: Monday\n{to}: Help\n{subject}: Printer\n\nOld words.\n"
        );
        let found = split("", &text, None);
        assert_eq!(
            (found.reply_text.as_str(), found.quoted),
            ("New words.", true),
            "{from}"
        );
    }
}

#[test]
fn gmail_apple_and_thunderbird_attributions_go_with_their_quotation() {
    assert_eq!(
        reply(
            "New\n\nOn Mon, Jan 5, 2015 at 10:00 AM, Ada Lovelace <\nada@x.org> wrote:\n\n> old\n> older\n"
        ),
        "New"
    );
    assert_eq!(
        reply("Neu\n\nAm 05.01.2015 um 10:00 schrieb Ada:\n> alt\n"),
        "Neu"
    );
    assert_eq!(
        reply("> Am 5. Jan. 2015 um 10:00 schrieb Ada <a@x>:\n>\n> alt\n\nNeu darunter\n"),
        "Neu darunter"
    );
}

#[test]
fn answers_between_quoted_lines_are_all_kept() {
    let found = split(
        "",
        "On 5 Jan 2015 10:00, Ada wrote:\n> first?\nyes\n> second?\nno\n",
        None,
    );
    assert_eq!(found.reply_text, "yes\nno");
    assert!(found.quoted);
}

#[test]
fn signatures_are_told_apart() {
    let found = split(
        "",
        "Hello\n\n-- \nAda\nEngines Ltd\n\nOn 5 Jan 2015 10:00, B <b@x.org> wrote:\n> old\n",
        None,
    );
    assert_eq!(
        (found.reply_text.as_str(), found.signature.as_str()),
        ("Hello", "Ada\nEngines Ltd")
    );
    let found = split(
        "",
        "Yes\n\nSent from my iPhone\n\n> On 5 Jan 2015, at 10:00, B <b@x.org> wrote:\n> old\n",
        None,
    );
    assert_eq!(
        (found.reply_text.as_str(), found.signature.as_str()),
        ("Yes", "Sent from my iPhone")
    );
}

#[test]
fn a_mail_that_is_all_quotation_is_shown_whole() {
    let text = "---------- Forwarded message ----------\nFrom: A <a@x>\nDate: today\nSubject: x\nTo: b\n\nbody";
    let found = split("", text, None);
    assert!(found.reply_text.contains("body") && !found.quoted);
}

#[test]
fn ordinary_text_stays_whole() {
    for text in [
        "Dear all,\n\nplease note: the meeting is at 10.\n\nFrom: here on we go up.\n\nBye",
        "As I wrote:\nthe price is 10.\n\nOn 5 May we meet.",
        "He said the original message was lost.\n\n-- that is all --\nBye",
    ] {
        let found = split("", text, None);
        assert_eq!((found.reply_text.as_str(), found.quoted), (text, false));
    }
}

#[test]
fn html_marks_help_where_the_text_has_none() {
    let html = "<div>Nový</div><div class=\"gmail_quote\"><div>Pe 5 ian. Ada a zis</div><blockquote>vechi</blockquote></div>";
    let found = split("", "Nový\n\nPe 5 ian. Ada a zis\n\nvechi\n", Some(html));
    assert_eq!(
        (found.reply_text.as_str(), found.quoted, found.html_split),
        ("Nový", true, Some(16))
    );
}

#[test]
fn html_is_not_folded_when_the_answer_stands_below() {
    let html = "<div class=moz-cite-prefix>On 5 Jan 2015 10:00, Ada wrote:</div><blockquote type=cite>old</blockquote><p>new</p>";
    let found = split(
        "",
        "On 5 Jan 2015 10:00, Ada wrote:\n> old\nnew\n",
        Some(html),
    );
    assert_eq!((found.reply_text.as_str(), found.html_split), ("new", None));
}
