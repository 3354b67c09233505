//! The line above a quotation that says who wrote it: “On 5 May 2024 at 10:00, Ada wrote:”.

use std::sync::LazyLock;

use super::words::{LEADS, OPENERS, PRONOUNS, WROTE, WROTE_ENDINGS};
use super::{bare, is_space, lower, sorted};

/// Bytes of the longest attribution.
const BYTES_MAX: usize = 500;
/// Words of the longest attribution that names no date.
const UNDATED_WORDS_MAX: usize = 12;

/// How surely a text is an attribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Attribution {
    /// It is not.
    No,
    /// When quoted lines follow.
    Weak,
    /// By itself.
    Sure,
}

static VERBS: LazyLock<Vec<&str>> = LazyLock::new(|| sorted(WROTE));
static FIRST_WORDS: LazyLock<Vec<&str>> = LazyLock::new(|| sorted(OPENERS));
static PERSONS: LazyLock<Vec<&str>> = LazyLock::new(|| sorted(PRONOUNS));
static LEADING: LazyLock<Vec<&str>> = LazyLock::new(|| sorted(LEADS));

fn has(words: &[&str], word: &str) -> bool {
    words.binary_search(&word).is_ok()
}

/// What there is in a text that may be an attribution.
#[derive(Default)]
struct Signs {
    verb: bool,
    verb_last: bool,
    /// A person's own sentence: a pronoun beside the verb, or “as …”.
    spoken: bool,
    opener: bool,
    words: usize,
    digits: usize,
    time: bool,
    year: bool,
    address: bool,
    colon: bool,
}

/// Judges a text (one to four lines joined).
pub(super) fn judge(text: &str) -> Attribution {
    let text = undressed(text);
    if text.is_empty() || text.len() > BYTES_MAX {
        return Attribution::No;
    }
    let lower = super::lower(text);
    let signs = signs(&lower);
    if is_iso_line(&lower) {
        return Attribution::Sure;
    }
    let ends = signs.colon || signs.verb_last;
    let placed = signs.time || signs.address;
    let closed = lower.trim_end_matches([':', '：', ' ', '"']);
    let closes_with_address = signs.address && closed.ends_with(['>', ')', ']']);
    match () {
        () if !(ends || closes_with_address && signs.digits >= 5) => Attribution::No,
        () if signs.verb && signs.spoken => {
            if signs.digits >= 5 {
                Attribution::Weak
            } else {
                Attribution::No
            }
        }
        () if signs.verb
            && placed
            && signs.opener
            && (signs.digits >= 5 || signs.address && signs.digits > 0) =>
        {
            Attribution::Sure
        }
        () if signs.verb && placed && signs.digits >= 5 => Attribution::Sure,
        () if signs.verb && signs.address && names_only(&lower, &signs) => Attribution::Sure,
        // `ср, 30 апр. 2025 г. в 15:19, Ada <ada@example.org>:`
        () if signs.colon && closes_with_address && signs.time && signs.year && signs.opener => {
            Attribution::Sure
        }
        () if signs.verb && (signs.digits >= 5 || signs.words <= UNDATED_WORDS_MAX) => {
            Attribution::Weak
        }
        () if closes_with_address && (signs.digits >= 5 || signs.colon) => Attribution::Weak,
        () if signs.address && signs.digits >= 5 && signs.colon => Attribution::Weak,
        () => Attribution::No,
    }
}

/// `ada@example.org wrote:` and `Ada <ada@example.org> wrote:`, and nothing else.
fn names_only(lower: &str, signs: &Signs) -> bool {
    let first = lower.split_whitespace().next().unwrap_or_default();
    let bracketed = lower.contains('<') && lower.contains('>') || lower.contains("&lt;");
    signs.verb_last && signs.words <= UNDATED_WORDS_MAX && (first.contains('@') || bracketed)
}

/// Gmail in some languages: `2016-03-03 17:21 GMT+01:00 Ada <ada@example.org>:`, the end may lack.
fn is_iso_line(lower: &str) -> bool {
    let mut words = lower.split(' ');
    let date = words.next().unwrap_or_default();
    let time = words.next().unwrap_or_default();
    let zone = words.next().unwrap_or_default();
    date.len() == 10
        && date.starts_with("20")
        && date.chars().all(|c| c.is_ascii_digit() || c == '-')
        && matches!(time.len(), 4 | 5)
        && time.contains(':')
        && zone.starts_with("gmt")
        && words.next().is_some()
}

fn signs(lower: &str) -> Signs {
    let mut signs = Signs {
        colon: lower.ends_with([':', '：']),
        address: lower.contains('@'),
        ..Signs::default()
    };
    signs.opener = is_opener(lower);
    (signs.digits, signs.time, signs.year) = numbers(lower);
    // The two words before: “you wrote”, “vous a écrit”.
    let mut before = ("", "");
    let mut after_verb = false;
    let words = lower.split(|c: char| !c.is_alphanumeric());
    for word in words.filter(|word| !word.is_empty()) {
        if signs.words == 0 {
            signs.spoken = has(&LEADING, word);
        }
        if has(&VERBS, word) {
            signs.verb = true;
            signs.verb_last = true;
            signs.spoken |=
                has(&PERSONS, before.1) || is_auxiliary(before.1) && has(&PERSONS, before.0);
            after_verb = true;
        } else if after_verb {
            signs.spoken |= has(&PERSONS, word);
            // `napsal(a)`, `skrev følgende`: the verb still ends it.
            signs.verb_last = word.len() <= 2 || is_follower(word);
            after_verb = signs.verb_last;
        } else {
            signs.verb_last = false;
        }
        before = (before.1, word);
        signs.words += 1;
    }
    let closed = lower.trim_end_matches([':', '：', ' ', '*', '。']);
    if WROTE_ENDINGS.iter().any(|ending| closed.ends_with(ending)) {
        signs.verb = true;
        signs.verb_last = true;
    }
    signs
}

/// “have” in “vous avez écrit”.
fn is_auxiliary(word: &str) -> bool {
    matches!(
        word,
        "a" | "ai"
            | "as"
            | "avez"
            | "ha"
            | "hai"
            | "has"
            | "have"
            | "had"
            | "hat"
            | "hast"
            | "heeft"
    )
}

/// “the following”, which some programs put behind the verb.
fn is_follower(word: &str) -> bool {
    matches!(
        word,
        "følgende" | "följande" | "folgendes" | "va" | "następujące" | "the" | "following"
    )
}

fn is_opener(lower: &str) -> bool {
    let start = lower.trim_start_matches(['"', '\'', '(', '[', '«', '„', '“']);
    let Some(first) = start.chars().next() else {
        return false;
    };
    if first.is_numeric() || matches!(first, '在' | '於' | '于') {
        return true;
    }
    let end = start
        .find(|c: char| !c.is_alphabetic())
        .unwrap_or(start.len());
    start.get(..end).is_some_and(|word| has(&FIRST_WORDS, word))
}

/// How many digits there are, whether a time of day, whether a year.
fn numbers(text: &str) -> (usize, bool, bool) {
    let (mut digits, mut time, mut year) = (0, false, false);
    // The digits before the last separator, that separator, and the digits since.
    let (mut left, mut mark, mut run, mut value) = (0_usize, ' ', 0_usize, 0_u32);
    for c in text.chars().chain([' ']) {
        if c.is_numeric() {
            digits += 1;
            run += 1;
            value = value
                .saturating_mul(10)
                .saturating_add(c.to_digit(10).unwrap_or(0));
            continue;
        }
        if run > 0 {
            let clock = matches!(mark, ':' | 'h') || mark == '.' && c != '.';
            time |= run == 2 && matches!(left, 1 | 2) && clock;
            // Digits of other scripts count as nought.
            year |= run == 4 && (value == 0 || (1980..2100).contains(&value));
        }
        (left, mark) = if run > 0 && !(mark == '.' && c == '.') {
            (run, c)
        } else {
            (0, c)
        };
        (run, value) = (0, 0);
    }
    (digits, time, year)
}

/// Whether a line could end an attribution; cheap, for it is asked of every line.
pub(super) fn may_end(line: &str) -> bool {
    may_end_surely(line) || line.contains('@')
}

/// Whether a line could end an attribution that is one by itself.
pub(super) fn may_end_surely(line: &str) -> bool {
    let line = line.trim_end_matches(|c: char| matches!(c, '-' | '_' | '*') || is_space(c));
    let wrote = || {
        line.len() > 5
            && line
                .get(line.len() - 5..)
                .is_some_and(|end| end.eq_ignore_ascii_case("wrote"))
    };
    line.ends_with([':', '：']) || wrote() || line.starts_with("20") && line.contains("GMT")
}

/// Whether a line begins as an attribution does.
pub(super) fn may_begin(line: &str) -> bool {
    let line = undressed(line);
    line.chars().any(char::is_numeric) && is_opener(&lower(line))
}

/// A line that begins with an attribution to which the first quoted words are glued:
/// `On 5 May 2024 10:00, "Ada" wrote:> old`.
pub(super) fn glued(line: &str) -> bool {
    let line = undressed(line);
    if !line.starts_with(char::is_alphanumeric) {
        return false;
    }
    line.match_indices(':').take(12).any(|(at, _)| {
        let (before, after) = (
            line.get(..=at).unwrap_or_default(),
            line.get(at + 1..).unwrap_or_default(),
        );
        let sticks = after.starts_with(|c: char| c.is_alphabetic() || c == '>');
        let word = before
            .trim_end_matches([':', ' '])
            .rsplit(|c: char| !c.is_alphabetic())
            .next();
        sticks
            && word.is_some_and(|word| has(&VERBS, &lower(word)))
            && is_opener(&lower(line))
            && judge(before) == Attribution::Sure
    })
}

/// Without the dashes and stars some programs put around it.
fn undressed(text: &str) -> &str {
    bare(text)
        .trim_start_matches(['-', '*', ' ', '_', '|'])
        .trim_end_matches(['-', '*', ' ', '_'])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Gmail, Apple Mail, Thunderbird and others write them.
    const ATTRIBUTIONS: &[&str] = &[
        "On Mon, Jan 5, 2015 at 10:00 AM Ada <ada@x.org> wrote:",
        "On Jan 5, 2015, at 10:00 AM, Ada wrote:",
        "On 05.01.2015 10:00, Ada wrote:",
        "On Wed, 14 Nov 2018 08:14:43 -0200 Ada <ada@x.org> wrote",
        "---- On Wed, 24 Feb 2021 14:02:50 +0530 ada@x.org wrote ----",
        "Am Mo., 5. Jan. 2015 um 10:00 Uhr schrieb Ada <ada@x.org>:",
        "Ada <ada@x.org> schrieb am Mo., 5. Jan. 2015, 10:00:",
        "Am 05.01.2015 um 10:00 schrieb Ada Lovelace:",
        "Le lun. 5 janv. 2015 à 10:00, Ada <ada@x.org> a écrit :",
        "Le 05/01/2015 à 10:00, Ada a écrit :",
        "El lun, 5 ene 2015 a las 10:00, Ada (<ada@x.org>) escribió:",
        "El 5/1/15 a las 10:00, Ada escribió:",
        "Em seg., 5 de jan. de 2015 às 10:00, Ada <ada@x.org> escreveu:",
        "Ada <ada@x.org> escreveu no dia segunda, 5/01/2015 à(s) 10:00:",
        "No dia 05/01/2015, às 10:00, Ada <ada@x.org> escreveu:",
        "Às 10:00 de 05/01/2015, Ada escreveu:",
        "Il giorno lun 5 gen 2015 alle ore 10:00 Ada <ada@x.org> ha scritto:",
        "Il 05/01/2015 10:00, Ada ha scritto:",
        "Op ma 5 jan. 2015 om 10:00 schreef Ada <ada@x.org>:",
        "Op 5 jan. 2015, om 10:00 heeft Ada <ada@x.org> het volgende geschreven:",
        "Den mån 5 jan. 2015 kl 10:00 skrev Ada <ada@x.org>:",
        "5 jan. 2015 kl. 10:00 skrev Ada <ada@x.org>:",
        "Den 2015-01-05 kl. 10:00, skrev Ada:",
        "Den man. 5. jan. 2015 kl. 10.00 skrev Ada <ada@x.org>:",
        "Ada skrev 05.01.2015 10:00:",
        "man. 5. jan. 2015 kl. 10:00 skrev Ada <ada@x.org>:",
        "ma 5. tammik. 2015 klo 10.00 Ada (ada@x.org) kirjoitti:",
        "Ada <ada@x.org> kirjoitti 5.1.2015 kello 10.00:",
        "mán., 5. jan. 2015 kl. 10:00 skrifaði Ada <ada@x.org>:",
        "pon., 5 sty 2015 o 10:00 Ada <ada@x.org> napisał(a):",
        "Wiadomość napisana przez Ada <ada@x.org> w dniu 05.01.2015, o godz. 10:00:",
        "W dniu 05.01.2015 o 10:00, Ada pisze:",
        "Dnia 05/01/2015, 10:00 użytkownik „Ada” <ada@x.org> napisał:",
        "po 5. 1. 2015 v 10:00 odesílatel Ada <ada@x.org> napsal:",
        "5. 1. 2015 v 10:00, Ada <ada@x.org>:",
        "Dne 5.1.2015 v 10:00 Ada napsal(a):",
        "po 5. 1. 2015 o 10:00 Ada <ada@x.org> napísal(a):",
        "Ada <ada@x.org> ezt írta (időpont: 2015. jan. 5., H, 10:00):",
        "2015. 01. 05. dátummal, 10:00 időpontban Ada <ada@x.org> írta:",
        "În lun., 5 ian. 2015 la 10:00, Ada <ada@x.org> a scris:",
        "Pe 5 ian. 2015, la 10:00, Ada <ada@x.org> a scris:",
        "На пн, 5.01.2015 г. в 10:00 Ada <ada@x.org> написа:",
        "пн, 5 янв. 2015 г. в 10:00, Ada <ada@x.org>:",
        "5 янв. 2015 г., в 10:00, Ada <ada@x.org> написал(а):",
        "05.01.2015 10:00, Ada пишет:",
        "пн, 5 січ. 2015 р. о 10:00 Ada <ada@x.org> пише:",
        "пон, 5. јан 2015. у 10:00 Ada <ada@x.org> је написао/ла:",
        "pon, 5. sij 2015. u 10:00 Ada <ada@x.org> napisao je:",
        "Dana 5.1.2015. u 10:00, Ada je napisao/la:",
        "V V pon., 5. jan. 2015 ob 10:00 je oseba Ada <ada@x.org> napisala:",
        "Στις Δευ 5 Ιαν 2015 στις 10:00 π.μ., ο χρήστης Ada <ada@x.org> έγραψε:",
        "Ada <ada@x.org>, 5 Oca 2015 Pzt, 10:00 tarihinde şunu yazdı:",
        "Ada <ada@x.org> şunları yazdı (5 Oca 2015 10:00):",
        "Kuupäev E, 5. jaanuar 2015 kell 10:00 kirjutas kasutaja Ada <ada@x.org>:",
        "pirmd., 2015. g. 5. janv., plkst. 10:00 — lietotājs Ada (<ada@x.org>) rakstīja:",
        "2015-01-05, pr, 10:00 Ada <ada@x.org> rašė:",
        "Missatge de Ada <ada@x.org> del dia dl., 5 de gen. 2015 a les 10:00:",
        "El 5 gen 2015, a les 10:00, Ada <ada@x.org> va escriure:",
        "O luns, 5 xan. 2015 ás 10:00, Ada (<ada@x.org>) escribiu:",
        "Ada (<ada@x.org>) igorleak hau idatzi zuen (2015 urt. 5, al. (10:00)):",
        "Op Ma. 05 Jan. 2015 om 10:00 het Ada <ada@x.org> geskryf:",
        "\u{202b}בתאריך יום ב׳, 5 בינו׳ 2015 ב-10:00 מאת \u{202a}Ada\u{202c}\u{200f} <\u{202a}ada@x.org\u{202c}\u{200f}>:\u{202c}",
        "ב-5 בינו׳ 2015, בשעה 10:00, \u{200f}Ada \u{200f}<ada@x.org> כתב/ה:",
        "في الاثنين، 5 يناير 2015 في 10:00 ص تمت كتابة ما يلي بواسطة Ada <ada@x.org>:",
        "في ٥ يناير ٢٠١٥، الساعة ١٠:٠٠، كتب/كتبت Ada <ada@x.org>:",
        "در تاریخ دوشنبه ۵ ژانویهٔ ۲۰۱۵،\u{200f} ۱۰:۰۰ Ada <ada@x.org> نوشت:",
        "सोम, 5 जन॰ 2015 को 10:00 am बजे को Ada <ada@x.org> ने लिखा:",
        "ในวันที่ จ. 5 ม.ค. 2015 เวลา 10:00 Ada <ada@x.org> เขียนว่า:",
        "Vào Th 2, 5 thg 1, 2015 vào lúc 10:00 Ada <ada@x.org> đã viết:",
        "Pada Sen, 5 Jan 2015 pukul 10.00 Ada <ada@x.org> menulis:",
        "2015年1月5日(月) 10:00 Ada <ada@x.org>:",
        "2015/01/05 10:00、Ada <ada@x.org>のメール:",
        "2015년 1월 5일 (월) 오전 10:00, Ada <ada@x.org>님이 작성:",
        "2015-01-05 오전 10:00에 Ada 이(가) 쓴 글:",
        "Ada <ada@x.org> 于2015年1月5日周一 10:00写道：",
        "Ada <ada@x.org> 於 2015年1月5日 週一 上午10:00寫道：",
        "在 2015年1月5日，下午10:00，Ada <ada@x.org> 写道：",
        "11:00 AM, November 17, 2021, \"Ada\" <ada@x.org>:",
        "2015-01-05 10:00 GMT+01:00 Ada <ada@x.org>:",
        "ada@x.org wrote:",
        "Ada Lovelace <ada@x.org> wrote:",
    ];

    #[test]
    fn attributions_are_known_in_many_languages() {
        for line in ATTRIBUTIONS {
            assert_eq!(judge(line), Attribution::Sure, "{line}");
        }
    }

    #[test]
    fn ordinary_sentences_are_no_attribution() {
        for line in [
            "As Ada once wrote:",
            "In 2019 he wrote:",
            "On 5 May 2024 the customer wrote:",
            "On Monday at 10:00 you wrote:",
            "As I wrote on 05.05.2024 at 10:00:",
            "Am 05.05.2024 um 10:00 schrieb mir Ihr Kollege:",
            "El 5 de mayo de 2024 a las 10:00 me escribió su colega:",
            "On 5 May 2024 at 10:00 Ada wrote to me:",
            "Please call on 5 January 2015 at 10:00",
            "Please write to help@x.org before 5.5.2024 10:00:",
            "The options are:",
            "Meeting on 5 May 2024, 10:00:",
        ] {
            assert!(judge(line) < Attribution::Sure, "{line}");
        }
    }

    #[test]
    fn the_first_quoted_words_may_stick_to_it() {
        assert!(glued(
            "On 03/19/2013 at 9:19 AM, \"Ada\"  wrote:Email Notification"
        ));
        assert!(glued("On Wed, Jan 4, 2023 12:34 AM, ada@x.org wrote:> old"));
        assert!(!glued("On 5 May 2024 at 10:00 I came home:great"));
    }
}
