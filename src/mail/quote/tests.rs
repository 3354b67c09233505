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
fn quotations_may_carry_initials_or_another_sign() {
    for mark in ["AL>", ")", "|"] {
        let text = format!(
            "Monday, January 5, 2015, 10:00:00 Ada <ada@x.org> wrote:\n\n{mark} first?\n{mark} second?\n\nyes\n\n{mark} third?\n\nno\n"
        );
        assert_eq!(reply(&text), "yes\n\nno", "{mark}");
    }
    let pasted = "I typed\n\nSQL> select 1\n\nand it failed.";
    assert_eq!(reply(pasted), pasted);
}

#[test]
fn forwarded_messages_are_kept_whole() {
    let block = "From: Ada <ada@x.org>\nDate: 5 May 2024 10:00\nSubject: Printer\nTo: Help <h@x.org>\n\nIt is on fire.";
    let apple = format!(
        "> Début du message réexpédié :\n>\n> {}",
        block.replace('\n', "\n> ")
    );
    for (subject, forwarded) in [
        ("Fwd: Printer", block.to_owned()),
        ("[Extern] WG: Printer", block.to_owned()),
        (
            "Printer",
            format!("---------- Weitergeleitete Nachricht ---------\n{block}"),
        ),
        (
            "Printer",
            format!("-------- Preposlaná správa --------\n{block}"),
        ),
        ("Printer", format!("Forwarded message:\n\n{block}")),
        ("Printer", apple),
    ] {
        let text = format!("See below.\n\n{forwarded}\n").replace("> \n", ">\n");
        let found = split(subject, &text, None);
        assert_eq!(
            (found.reply_text.as_str(), found.quoted),
            (text.trim(), false)
        );
    }
    let answered = split("Re: Fwd: Printer", &format!("Yes\n\n{block}"), None);
    assert_eq!(
        (answered.reply_text.as_str(), answered.quoted),
        ("Yes", true)
    );
}

#[test]
fn a_forwarded_message_is_not_folded() {
    let html = "<p>See below.</p><div class=gmail_quote>---------- Forwarded message ---------<br>From: Ada<p>Fire</p></div>";
    let text = "See below.\n\n---------- Forwarded message ---------\nFrom: Ada\n\nFire\n";
    assert_eq!(split("Fwd: x", text, Some(html)).html_split, None);
    assert_eq!(split("x", text, Some(html)).html_split, None);
}

#[test]
fn what_stands_above_a_mark_goes_with_it() {
    assert_eq!(
        reply(
            "Yes\n\nSent from my Phone\n\nAda Lovelace wrote:\n\n\n-- REPLY ABOVE THIS LINE --\nold"
        ),
        "Yes"
    );
    assert_eq!(
        reply(
            "Yes\n\n------------------------------\n\n*From:* A <a@x.org>\n*Sent:* Monday\n*Subject:* x\n\nold"
        ),
        "Yes"
    );
}

#[test]
fn a_huge_mail_is_read_to_its_end() {
    for line in [
        "> old\n",
        "\n",
        "wrote:\n",
        "From: a@x.org\n",
        "--\n",
        "> a\nb\n",
        "On 5 May 2024 10:00 a@x.org\n",
        "-----Original Message-----\n",
    ] {
        // A reading that looked back at every line would not end.
        let text = format!("> a\n{}\nlast words\n", line.repeat(100_000));
        let found = split("", &text, Some(&text));
        let kept = found.reply_text.ends_with("last words");
        assert!(kept || found.quoted, "{line:?}");
    }
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

fn of_message(raw: &[u8]) -> (Split, String) {
    let (message, _) = crate::mail::parse(raw);
    let found = split(&message.subject, &message.text, message.html.as_deref());
    (found, message.html.unwrap_or_default())
}

#[test]
fn a_forward_from_outlook_is_whole_in_text_and_page() {
    let raw = include_bytes!("../../../tests/corpus/forward_with_comment.eml");
    let (found, _) = of_message(raw);
    assert!(found.reply_text.starts_with("Stimmt das so?"));
    assert!(found.reply_text.contains("Bitte zahlen Sie 12 Euro."));
    assert_eq!((found.quoted, found.html_split), (false, None));
}

#[test]
fn a_reply_from_outlook_on_a_phone_folds_signature_and_history() {
    let raw = include_bytes!("../../../tests/corpus/outlook_phone_reply.eml");
    let (found, html) = of_message(raw);
    assert_eq!(
        (found.reply_text.as_str(), found.quoted),
        ("Nu fungerar den, tack.", true)
    );
    assert!(found.signature.contains("Outlook för iOS"));
    let (signature, history) = (found.signature_split.unwrap(), found.html_split.unwrap());
    let (_, from_signature) = html.split_at(signature);
    let (_, from_history) = html.split_at(history);
    assert!(from_signature.starts_with("<div id=\"ms-outlook-mobile-signature\""));
    assert!(from_history.starts_with("<div id=\"mail-editor-reference"));
}
