//! How mail programs introduce what they quote, in the languages we meet.

/// A field of the header block that Outlook and others put above a quoted message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Label {
    From,
    Date,
    To,
    Cc,
    Subject,
}

const FROM: &[&str] = &[
    "from",
    "من",
    "von",
    "de",
    "da",
    "van",
    "från",
    "fra",
    "lähettäjä",
    "od",
    "от",
    "от кого",
    "feladó",
    "kimden",
    "kimden:",
    "差出人",
    "送信者",
    "发件人",
    "寄件者",
    "寄件人",
    "보낸 사람",
    "보낸사람",
    "από",
    "odesílatel",
    "expéditeur",
    "remitente",
    "mittente",
    "de la",
    "від",
    "saatja",
    "afzender",
    "avsändare",
    "reply-to",
    "expeditor",
];
const DATE: &[&str] = &[
    "sent",
    "تم الإرسال",
    "التاريخ",
    "date",
    "date sent",
    "gesendet",
    "gesendet am",
    "datum",
    "envoyé",
    "envoyé le",
    "enviado",
    "enviado el",
    "enviada",
    "enviada em",
    "enviado em",
    "fecha",
    "data",
    "inviato",
    "data invio",
    "verzonden",
    "skickat",
    "sendt",
    "dato",
    "lähetetty",
    "päivämäärä",
    "wysłano",
    "wysłane",
    "отправлено",
    "дата",
    "elküldve",
    "dátum",
    "küldve",
    "odesláno",
    "odoslané",
    "gönderildi",
    "gönderme tarihi",
    "tarih",
    "送信日時",
    "日時",
    "日付",
    "发送时间",
    "发送日期",
    "日期",
    "寄件日期",
    "傳送時間",
    "보낸 날짜",
    "날짜",
    "ημερομηνία",
    "στάλθηκε",
    "trimis",
    "надіслано",
    "sent at",
];
const TO: &[&str] = &[
    "to",
    "إلى",
    "an",
    "à",
    "a",
    "para",
    "aan",
    "till",
    "til",
    "vastaanottaja",
    "do",
    "кому",
    "címzett",
    "komu",
    "kime",
    "alıcı",
    "宛先",
    "收件人",
    "收件者",
    "받는 사람",
    "받는사람",
    "προς",
    "destinataire",
    "destinatario",
    "pour",
    "către",
    "для",
    "per",
    "empfänger",
    "odbiorca",
];
const CC: &[&str] = &[
    "cc",
    "kopie",
    "kopia",
    "kopi",
    "kopio",
    "dw",
    "копия",
    "másolat",
    "másolatot kap",
    "kopie an",
    "抄送",
    "副本",
    "참조",
    "bilgi",
    "κοιν",
    "co",
    "cópia",
    "copie",
];
const SUBJECT: &[&str] = &[
    "subject",
    "الموضوع",
    "betreff",
    "objet",
    "asunto",
    "oggetto",
    "assunto",
    "onderwerp",
    "ämne",
    "emne",
    "aihe",
    "temat",
    "тема",
    "tárgy",
    "předmět",
    "predmet",
    "konu",
    "件名",
    "主题",
    "主旨",
    "主題",
    "제목",
    "θέμα",
    "subiect",
    "sujet",
    "betrifft",
];

/// Verbs and endings of an attribution line such as “On …, Ada wrote:”.
const WROTE: &[&str] = &[
    "wrote",
    "كتب",
    "writes",
    "schrieb",
    "a écrit",
    "écrit",
    "escribió",
    "escribio",
    "ha scritto",
    "scrisse",
    "schreef",
    "geschreven",
    "skrev",
    "escreveu",
    "napisał",
    "napisała",
    "pisze",
    "kirjoitti",
    "napsal",
    "napísal",
    "írta",
    "ezt írta",
    "написал",
    "написала",
    "пишет",
    "писал",
    "yazdı",
    "şunu yazdı",
    "έγραψε",
    "a scris",
    "wrote on",
    "написав",
    "пише",
    "写道",
    "寫道",
    "书写",
    "のメール",
    "書きました",
    "작성",
    "님이 작성",
    "skrifaði",
    "va escriure",
    "schreven",
    "thus spake",
    "said",
];

/// Words with which an attribution begins.
const OPENERS: &[&str] = &[
    "on ",
    "am ",
    "le ",
    "el ",
    "den ",
    "il ",
    "op ",
    "em ",
    "w dniu ",
    "dnia ",
    "dne ",
    "a(z) ",
    "ti ",
    "la ",
    "il giorno ",
    "no dia ",
    "quoting ",
    "в ",
    "at ",
    "at:",
    "om ",
    "på ",
    "pe ",
    "fre",
    "man",
    "tir",
    "ons",
    "tor",
    "tis",
    "lör",
    "sön",
    "lun",
    "mar",
    "mer",
    "jeu",
    "ven",
    "sam",
    "dim",
    "mon",
    "tue",
    "wed",
    "thu",
    "fri",
    "sat",
    "sun",
    "пн",
    "вт",
    "ср",
    "чт",
    "пт",
    "сб",
    "вс",
    "在",
    "於",
    "20",
    "0",
    "1",
    "2",
    "3",
    "von ",
    "σ",
    "stis ",
];

/// Lines that stand above a quoted or forwarded message.
const SEPARATORS: &[&str] = &[
    "original message",
    "original appointment",
    "ursprüngliche nachricht",
    "originalnachricht",
    "original-nachricht",
    "message d'origine",
    "message d’origine",
    "message original",
    "mensaje original",
    "mensagem original",
    "messaggio originale",
    "oorspronkelijk bericht",
    "ursprungligt meddelande",
    "originalmeddelande",
    "oprindelig meddelelse",
    "original besked",
    "opprinnelig melding",
    "alkuperäinen viesti",
    "wiadomość oryginalna",
    "oryginalna wiadomość",
    "исходное сообщение",
    "пересылаемое сообщение",
    "eredeti üzenet",
    "původní zpráva",
    "orijinal mesaj",
    "özgün ileti",
    "元のメッセージ",
    "原始邮件",
    "原始郵件",
    "원본 메시지",
    "αρχικό μήνυμα",
    "forwarded message",
    "weitergeleitete nachricht",
    "message transféré",
    "mensaje reenviado",
    "mensagem encaminhada",
    "messaggio inoltrato",
    "doorgestuurd bericht",
    "vidarebefordrat meddelande",
    "videresendt meddelelse",
    "välitetty viesti",
    "przekazana wiadomość",
    "begin forwarded message",
    "anfang der weitergeleiteten nachricht",
    "début du message réexpédié",
    "inizio messaggio inoltrato",
    "inicio del mensaje reenviado",
    "forwarded by",
    "reply message",
    "original mail",
    "reply above this line",
    "please reply above this line",
];

/// Reads a header label at the start of a line: `From:`, `*Von:*`, `> De :`.
pub(super) fn label(line: &str) -> Option<Label> {
    let line = bare(line);
    let at = line.find([':', '：'])?;
    let name = line.get(..at)?.trim().trim_matches(['*', '_', ' ']);
    if name.is_empty() || name.chars().count() > 24 {
        return None;
    }
    let name = name.to_lowercase();
    let is = |names: &[&str]| names.contains(&name.as_str());
    [
        (FROM, Label::From),
        (DATE, Label::Date),
        (TO, Label::To),
        (SUBJECT, Label::Subject),
        (CC, Label::Cc),
    ]
    .into_iter()
    .find_map(|(names, label)| is(names).then_some(label))
}

/// Whether the line introduces a quoted message as a separator does.
pub(super) fn is_separator(line: &str) -> bool {
    let line = bare(line);
    let words = line.trim_matches(|c: char| {
        matches!(
            c,
            '-' | '_' | '=' | '*' | '~' | '#' | ' ' | '\t' | ':' | '.' | '—' | '–' | '<' | '>'
        )
    });
    if words.is_empty() || words.chars().count() > 60 {
        return false;
    }
    let words = words.to_lowercase();
    // Words alone may be said by a person: they count with dashes around them or a colon behind.
    let dressed = line.starts_with("--")
        || line.starts_with("__")
        || line.starts_with("==")
        || line.trim_end().ends_with(':')
        || line.starts_with("##");
    dressed
        && SEPARATORS
            .iter()
            .any(|separator| words.starts_with(separator))
}

/// Whether the line is nothing but a rule, as Outlook draws above a header block.
pub(super) fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.chars().count() >= 5
        && line
            .chars()
            .all(|c| matches!(c, '_' | '-' | '=' | '─' | '*'))
}

/// How surely a text is an attribution line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Attribution {
    /// It is not.
    No,
    /// When quoted lines follow.
    Weak,
    /// By itself.
    Sure,
}

/// Judges a text (one to four lines joined) as an attribution line.
pub(super) fn attribution(text: &str) -> Attribution {
    let text = bare(text);
    let address = text.contains('@');
    let could = address || text.ends_with([':', '：', 'e', 'E', '*']);
    if text.is_empty() || !could || text.chars().count() > 400 {
        return Attribution::No;
    }
    let lower = text.to_lowercase();
    let ends = text.ends_with([':', '：']) || lower.ends_with("wrote") || lower.ends_with(":*");
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let wrote = WROTE.iter().any(|verb| contains_word(&lower, verb));
    let start = lower.trim_start_matches(['-', '*', ' ', '_', '>']);
    let opener = OPENERS.iter().any(|opener| start.starts_with(opener));
    let dated = digits >= 5;
    match () {
        () if ends && wrote && opener && (dated || (address && digits > 0)) => Attribution::Sure,
        // `Ada <ada@x.org> schrieb am Di., 16. Aug. 2016 um 12:52 Uhr:`
        () if ends && wrote && (digits >= 7 || (address && dated)) => Attribution::Sure,
        () if ends && wrote => Attribution::Weak,
        () if address && dated && (ends || text.ends_with('>')) => Attribution::Weak,
        () if ends && address => Attribution::Weak,
        () => Attribution::No,
    }
}

/// Whether a line could be an attribution, or begin one that goes on in the next line.
pub(super) fn may_hold_attribution(line: &str) -> bool {
    may_begin_attribution(line) || line.contains('@') || line.trim_end().ends_with([':', '：'])
}

/// Whether a line begins as an attribution does.
pub(super) fn may_begin_attribution(line: &str) -> bool {
    let lower = bare(line).to_lowercase();
    let start = lower.trim_start_matches(['-', '*', ' ', '_']);
    OPENERS.iter().any(|opener| start.starts_with(opener))
        && start.chars().any(|c| c.is_ascii_digit())
}

fn contains_word(text: &str, word: &str) -> bool {
    let ascii = word.is_ascii();
    text.match_indices(word).any(|(at, _)| {
        let before = text.get(..at).and_then(|t| t.chars().next_back());
        let after = text.get(at + word.len()..).and_then(|t| t.chars().next());
        !ascii
            || (!before.is_some_and(char::is_alphanumeric)
                && !after.is_some_and(char::is_alphanumeric))
    })
}

/// A line without quotation marks, direction marks and white space around it.
fn bare(line: &str) -> &str {
    line.trim_start_matches([
        '>', ' ', '\t', '*', '\u{a0}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202b}',
    ])
    .trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributions_are_known_in_many_languages() {
        for line in [
            "On Mon, Jan 5, 2015 at 10:00 AM, Ada <ada@x.org> wrote:",
            "Am 05.01.2015 um 10:00 schrieb Ada Lovelace:",
            "Le 5 janv. 2015 à 10:00, Ada <ada@x.org> a écrit :",
            "El 5 ene 2015, a las 10:00, Ada <ada@x.org> escribió:",
            "Den 5 jan. 2015 kl. 10:00 skrev Ada <ada@x.org>:",
            "Il giorno 05/gen/2015, alle ore 10:00, Ada ha scritto:",
            "Op 5 jan. 2015 10:00 schreef Ada <ada@x.org>:",
            "W dniu 5.01.2015 o 10:00 Ada pisze:",
            "Em 5 de janeiro de 2015 10:00, Ada escreveu:",
            "2015-01-05 10:00 GMT+01:00 Ada <ada@x.org> wrote:",
        ] {
            assert_eq!(attribution(line), Attribution::Sure, "{line}");
        }
    }

    #[test]
    fn ordinary_sentences_are_no_attribution() {
        for line in [
            "As Ada once wrote:",
            "In 2019 he wrote:",
            "Please call on 5 January 2015 at 10:00",
            "The options are:",
        ] {
            assert!(attribution(line) < Attribution::Sure, "{line}");
        }
    }

    #[test]
    fn labels_and_separators_are_known() {
        assert_eq!(label("*Von:* Ada"), Some(Label::From));
        assert_eq!(label("> Objet : x"), Some(Label::Subject));
        assert_eq!(label("发件人：Ada"), Some(Label::From));
        assert_eq!(label("Note: x"), None);
        assert!(
            is_separator("-----Ursprüngliche Nachricht-----")
                && is_separator("Begin forwarded message:")
        );
        assert!(!is_separator("The original message was lost"));
    }
}
