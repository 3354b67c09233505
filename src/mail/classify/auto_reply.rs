//! Answers that a machine wrote: absence notes, receipts of tickets, requests to confirm.
//! RFC 3834 has a field for them; many programs have one of their own, and some only a subject.

use super::super::parse::Parsed;
use super::word;

/// Fields that only automatic answers carry, unless their value is `no`.
const FIELDS: &[&str] = &[
    "x-autoreply",
    "x-autorespond",
    "x-autoresponder",
    "x-auto-responder",
    "x-auto-response",
    "x-autoresponse",
    "x-autoreply-from",
    "x-autoreply-domain",
    "x-mail-autoreply",
    "x-auto-reply",
    "x-auto-reply-from",
    "x-automatic-reply",
    "x-vacation",
    "x-pop-autoreply",
    // Services that hold a message back until its sender confirms it.
    "x-bluebottle-request",
    "x-spamarrest-request",
    "x-choicemail-registration-request",
];

/// Subjects of automatic answers, folded, as Exchange and others begin them.
const SUBJECTS: &[&str] = &[
    "automatic reply",
    "automatic response",
    "auto reply",
    "autoreply",
    "auto-reply",
    "auto response",
    "auto-response",
    "autoresponse",
    "automated reply",
    "automated response",
    "automatically generated reply",
    "out of office",
    "out of the office",
    "out-of-office",
    "[auto-reply]",
    "[autoreply]",
    "(autoreply)",
    "vacation reply",
    "vacation response",
    "away from my mail",
    "on vacation",
    "on leave",
    // German
    "automatische antwort",
    "autom. antwort",
    "autoantwort",
    "abwesenheitsnotiz",
    "abwesenheitsbenachrichtigung",
    "abwesenheitsmeldung",
    "abwesenheitsnachricht",
    "abwesenheit",
    "abwesend",
    "außer haus",
    "nicht im büro",
    "nicht im haus",
    // French
    "réponse automatique",
    "réponse d'absence",
    "reponse automatique",
    "absence du bureau",
    "absent du bureau",
    "message d'absence",
    "notification d'absence",
    "en dehors du bureau",
    // Spanish, Catalan, Galician, Basque
    "respuesta automática",
    "respuesta automatica",
    "fuera de la oficina",
    "fuera de oficina",
    "ausente de la oficina",
    "resposta automàtica",
    "erantzun automatikoa",
    // Italian
    "risposta automatica",
    "fuori sede",
    "fuori ufficio",
    "assente dall'ufficio",
    // Portuguese
    "resposta automática",
    "resposta automatica",
    "fora do escritório",
    "ausência do escritório",
    "ausência temporária",
    // Dutch
    "automatisch antwoord",
    "automatische reactie",
    "automatische beantwoording",
    "afwezigheidsbericht",
    "afwezigheid",
    "afwezig",
    "niet aanwezig",
    "niet op kantoor",
    // Nordic
    "autosvar",
    "automatiskt svar",
    "automatisk svar",
    "frånvaromeddelande",
    "frånvarande",
    "frånvaro",
    "fraværende",
    "fraværsmeddelelse",
    "fraværsmelding",
    "ikke til stede",
    "ikke på kontoret",
    "automaattinen vastaus",
    "poissaoloviesti",
    "poissaolo",
    "poissa",
    "sjálfvirkt svar",
    // Central and eastern Europe
    "odpowiedź automatyczna",
    "automatyczna odpowiedź",
    "autoodpowiedź",
    "poza biurem",
    "nieobecność",
    "automatická odpověď",
    "mimo kancelář",
    "nepřítomnost",
    "automatická odpoveď",
    "automatikus válasz",
    "házon kívül",
    "irodán kívül",
    "răspuns automat",
    "raspuns automat",
    "automatski odgovor",
    "samodejni odgovor",
    "automatinis atsakymas",
    "automātiska atbilde",
    "automātiskā atbilde",
    "automaatvastus",
    "automaatne vastus",
    "αυτόματη απάντηση",
    "автоматический ответ",
    "автоответ",
    "автоматична відповідь",
    "автоматичен отговор",
    "аутоматски одговор",
    // Further
    "otomatik yanıt",
    "otomatik cevap",
    "ofis dışında",
    "מענה אוטומטי",
    "תשובה אוטומטית",
    "رد تلقائي",
    "الرد التلقائي",
    "پاسخ خودکار",
    "स्वचालित उत्तर",
    "ตอบกลับอัตโนมัติ",
    "การตอบกลับอัตโนมัติ",
    "trả lời tự động",
    "thư trả lời tự động",
    "balasan otomatis",
    "balasan automatik",
    "自動応答",
    "自動返信",
    "不在通知",
    "不在のお知らせ",
    "自动答复",
    "自动回复",
    "自動回覆",
    "自動回復",
    "자동 회신",
    "자동 응답",
    "부재 중",
];

/// What Notes writes behind `AUTO: name`.
const NOTES_WORDS: &[&str] = &[
    "out of the office",
    "out of office",
    "returning",
    "außer haus",
    "nicht im büro",
    "abwesend",
    "rückkehr",
    "absent",
    "de retour",
    "fuera de",
    "fuori",
    "fora do",
    "afwezig",
    "不在",
];

/// Whether a message is an automatic answer.
pub(super) fn is_one(message: &Parsed) -> bool {
    let headers = &message.headers;
    let submitted = word(message, "auto-submitted");
    // RFC 3834 section 5.
    if submitted == "auto-replied" {
        return true;
    }
    let by_field = FIELDS.iter().any(|name| {
        headers
            .text(name)
            .is_some_and(|value| !value.trim().eq_ignore_ascii_case("no"))
    });
    if by_field || has_other_mark(message) {
        return true;
    }
    by_subject(message, submitted == "auto-generated") || is_answer_without_sender(message)
}

/// An answer sent so that nothing can come back (RFC 3834 section 4): no person's program does that.
/// Answers to invitations are told by their calendar part, Outlook's receipts by saying nothing.
fn is_answer_without_sender(message: &Parsed) -> bool {
    let no_path = message
        .headers
        .text("return-path")
        .is_some_and(|path| path.trim() == "<>");
    no_path
        && !message.in_reply_to.is_empty()
        && message.calendar.is_none()
        && !message.text.trim().is_empty()
}

/// Fields whose value tells.
fn has_other_mark(message: &Parsed) -> bool {
    let says = |name: &str, values: &[&str]| values.contains(&word(message, name).as_str());
    let replies = ["auto_reply", "auto-reply", "autoreply"];
    if says("precedence", &replies) || says("x-precedence", &replies) {
        return true;
    }
    if says("x-autogenerated", &["reply"]) || says("x-apple-action", &["vacation"]) {
        return true;
    }
    let contains = |name: &str, part: &str| {
        message
            .headers
            .text(name)
            .is_some_and(|value| value.to_ascii_lowercase().contains(part))
    };
    if contains("x-post-messageclass", "autoresponder") || contains("delivered-to", "autoresponder")
    {
        return true;
    }
    // Exchange's absence notes, whatever language their subject is in. X-Auto-Response-Suppress
    // alone says nothing: every notification has it.
    contains(
        "x-ms-exchange-generated-message-source",
        "mailbox rules agent",
    ) && word(message, "auto-submitted") == "auto-generated"
        && !message.in_reply_to.is_empty()
}

fn by_subject(message: &Parsed, is_generated: bool) -> bool {
    let subject: String = message
        .subject
        .trim_start()
        .chars()
        .take(200)
        .map(|c| if c == '’' { '\'' } else { c })
        .flat_map(char::to_lowercase)
        .collect();
    // Ticket systems put their number first: `[support #33] AutoReply: …`.
    let untagged = subject
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
        .map(|(_, rest)| rest.trim_start());
    if subject
        .strip_prefix("auto:")
        .is_some_and(|rest| NOTES_WORDS.iter().any(|words| rest.contains(words)))
    {
        return true;
    }
    let begins = |subject: &str, start: &&str| {
        subject.strip_prefix(start).is_some_and(|rest| {
            // `Automatic reply: …`, but not `Auto reply settings do not work`.
            rest.trim().is_empty()
                || rest
                    .trim_start()
                    .starts_with([':', '：', '-', '–', '(', '!', '['])
                || rest.trim_start().starts_with("autoreply:")
                || is_generated
        })
    };
    SUBJECTS.iter().any(|start| {
        begins(&subject, start) || untagged.is_some_and(|subject| begins(subject, start))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::parse;

    fn is_automatic(fields: &str) -> bool {
        let raw = format!("From: ada@example.com\r\n{fields}\r\n\r\nI am away.");
        is_one(&parse(raw.as_bytes()).0)
    }

    #[test]
    fn fields_of_many_programs_mark_automatic_answers() {
        for fields in [
            "Auto-Submitted: auto-replied; owner-email=\"ada@example.com\"",
            "X-Autoreply: yes",
            "Precedence: auto_reply",
            "X-Autogenerated: Reply",
            "X-Apple-Action: VACATION",
            "Delivered-To: Autoresponder",
            "Return-Path: <>\r\nSubject: Re: printer\r\nIn-Reply-To: <ours@example.org>",
            "X-MS-Exchange-Generated-Message-Source: Mailbox Rules Agent\r\nAuto-Submitted: auto-generated\r\nIn-Reply-To: <ours@example.org>",
        ] {
            assert!(is_automatic(fields), "{fields}");
        }
        for fields in [
            "X-Auto-Response-Suppress: All",
            "X-Autoreply: no",
            "Return-Path: <>",
            "Return-Path: <ada@example.com>\r\nIn-Reply-To: <ours@example.org>",
            "Auto-Submitted: auto-generated\r\nIn-Reply-To: <ours@example.org>",
        ] {
            assert!(!is_automatic(fields), "{fields}");
        }
    }

    #[test]
    fn subjects_of_absence_notes_are_known_in_many_languages() {
        for subject in [
            "Automatic reply: Printer",
            "Out of Office AutoReply: Printer",
            "Out of office",
            "AUTO: Ada L is out of the office (returning 05/01/2026)",
            "[support #33] AutoReply: Printer",
            "Automatische Antwort: Drucker",
            "Abwesenheitsnotiz: Drucker",
            "Réponse automatique : imprimante",
            "Respuesta automática: impresora",
            "Automatisch antwoord: printer",
            "Automaattinen vastaus: tulostin",
            "Automatická odpověď: tiskárna",
            "Автоматический ответ: принтер",
            "Otomatik Yanıt: yazıcı",
            "自動応答: プリンター",
            "自动答复: 打印机",
            "자동 회신: 프린터",
        ] {
            assert!(is_automatic(&format!("Subject: {subject}")), "{subject}");
        }
        for subject in [
            "Auto reply settings do not work",
            "AUTO: for sale",
            "Re: Out of office",
            "Abwesenheit von Ada im Kalender eintragen",
            "On vacation rentals in May",
        ] {
            assert!(!is_automatic(&format!("Subject: {subject}")), "{subject}");
        }
    }
}
