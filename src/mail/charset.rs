//! Bytes to text: the declared character set when it fits, else the likeliest guess.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, ISO_2022_JP, UTF_8, WINDOWS_1252};
use mail_parser::decoders::charsets::map::charset_decoder;

use super::defect::Defect;

/// Bytes the detector looks at: more make it slower and no surer.
const SAMPLE_MAX: usize = 2 * 1024;
/// So many bytes beyond ASCII tell one Latin set from another.
const FEW: usize = 5;
/// Bytes beyond ASCII that are needed to doubt a label.
const DOUBT_MIN: usize = 5;

/// Decodes a text by its declared `label`; says what was wrong when the label did not help.
///
/// A label is doubted when the bytes are no text in it, when they are valid UTF-8 (which hardly ever comes
/// by chance), or when a Western set is named and most letters lie beyond ASCII, which is
/// true of no Western language. Text without a usable label is guessed.
pub(crate) fn decode_body(bytes: &[u8], label: Option<&str>) -> (String, Option<Defect>) {
    let western = label
        .and_then(|label| encoding(&clean_label(label)))
        .is_some_and(is_western);
    if western && !bytes.is_ascii() && mostly_beyond_ascii(bytes) {
        let other = guess(bytes);
        let label = label.map(clean_label).unwrap_or_default();
        return (other, Some(Defect::BadCharset(label)));
    }
    decode(bytes, label)
}

/// Decodes `bytes` by the label that stands with them, in an encoded word or a parameter: it is doubted only
/// when the bytes are no text in it, or are valid UTF-8.
pub(crate) fn decode(bytes: &[u8], label: Option<&str>) -> (String, Option<Defect>) {
    let label = label.map(clean_label).filter(|name| !name.is_empty());
    let Some(label) = label else {
        return (guess(bytes), None);
    };
    match label.as_str() {
        "us-ascii" | "ascii" | "ansi_x3.4-1968" | "7bit" | "8bit" | "unknown-8bit"
        | "x-unknown" | "unknown" | "default" | "_iso-2022-jp$esc" => (guess(bytes), None),
        "utf-7" | "unicode-1-1-utf-7" if bytes.is_ascii() => (decode_named(bytes, "utf-7"), None),
        "hz-gb-2312" | "hz" if bytes.is_ascii() => (hz(bytes), None),
        "iso-2022-kr" | "csiso2022kr" => (iso_2022_kr(bytes), None),
        "utf-16" | "utf-16le" | "utf-16be" | "utf-32" => (decode_named(bytes, &label), None),
        name => match encoding(name) {
            Some(encoding) => fitting(bytes, encoding, label),
            None => match charset_decoder(dos(name).as_bytes()) {
                Some(decoder) => (decoder(bytes), None),
                None => (guess(bytes), Some(Defect::UnknownCharset(label))),
            },
        },
    }
}

/// Decodes without a label: UTF-8, ISO-2022-JP, or what the bytes look like.
pub(crate) fn guess(bytes: &[u8]) -> String {
    let bytes = match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => rest,
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return decode_named(bytes, "utf-16"),
        _ => bytes,
    };
    match std::str::from_utf8(bytes) {
        Ok(text) => match shifts_to(bytes) {
            Some("iso-2022-kr") => iso_2022_kr(bytes),
            Some(japanese) => decode_named(bytes, japanese),
            None => text.to_owned(),
        },
        Err(error) => mostly_utf8(bytes, error).unwrap_or_else(|| {
            let encoding = detect(bytes);
            encoding.decode_without_bom_handling(bytes).0.into_owned()
        }),
    }
}

/// Decodes text that has no label of its own but stands near text with one: a header field, whose message
/// declares a set for its body.
pub(crate) fn guess_near(bytes: &[u8], label: Option<&str>) -> String {
    let Some(label) = label.map(clean_label) else {
        return guess(bytes);
    };
    if matches!(label.as_str(), "us-ascii" | "ascii" | "7bit" | "8bit") {
        return guess(bytes);
    }
    if label == "utf-7" && bytes.is_ascii() && bytes.contains(&b'+') {
        return decode_named(bytes, "utf-7");
    }
    if std::str::from_utf8(bytes).is_ok() {
        return guess(bytes);
    }
    match encoding(&label) {
        Some(encoding) if encoding != UTF_8 => decode_body(bytes, Some(&label)).0,
        _ => guess(bytes),
    }
}

/// The set of a label, also of those that the WHATWG's list lacks.
fn encoding(label: &str) -> Option<&'static Encoding> {
    let name = match label {
        "utf-8-sig" | "utf_8" | "utf-8;" => "utf-8",
        "iso-8859-8-e" => "iso-8859-8",
        "cp932" | "windows-932" | "windows-31j" | "ms932" | "mskanji" => "shift_jis",
        "cp936" | "ms936" | "gb_18030" => "gbk",
        "cp949" | "ms949" | "uhc" | "ks_c_5601" | "ksc5601" => "euc-kr",
        "cp950" | "ms950" => "big5",
        "cp874" | "tis620" => "windows-874",
        other => other,
    };
    // `windows1252`, `cp-1251`, `win-1251`, `iso_8859_15` and the like.
    Encoding::for_label_no_replacement(name.as_bytes()).or_else(|| {
        let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        let number = plain.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        let family = plain.get(..plain.len() - number.len())?;
        let spelled = match family {
            "windows" | "win" | "cp" if number.starts_with("125") => format!("windows-{number}"),
            "iso" if number.starts_with("8859") => {
                format!("iso-8859-{}", number.trim_start_matches("8859"))
            }
            "latin" => format!("latin{number}"),
            _ => return None,
        };
        Encoding::for_label_no_replacement(spelled.as_bytes())
    })
}

/// DOS sets whose letters stand where those of code page 850 do.
fn dos(name: &str) -> &str {
    match name {
        "cp437" | "ibm437" | "437" | "cp858" | "ibm858" | "ibm00858" | "cp865" | "ibm865" => {
            "cp850"
        }
        other => other,
    }
}

fn fitting(bytes: &[u8], encoding: &'static Encoding, label: String) -> (String, Option<Defect>) {
    if encoding == UTF_8 {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        return match std::str::from_utf8(bytes) {
            Ok(text) => (text.to_owned(), None),
            Err(_) => (guess(bytes), Some(Defect::BadCharset(label))),
        };
    }
    if encoding != ISO_2022_JP && bytes.is_ascii() && shifts_to(bytes).is_some() {
        return (guess(bytes), Some(Defect::BadCharset(label)));
    }
    let (text, had_errors) = encoding.decode_without_bom_handling(bytes);
    let is_utf8 = std::str::from_utf8(bytes).is_ok_and(|text| {
        let enough = if is_western(encoding) { 1 } else { 3 };
        text.chars().filter(|c| !c.is_ascii()).take(enough).count() == enough
    });
    if !had_errors && !is_utf8 {
        return (text.into_owned(), None);
    }
    let other = guess(bytes);
    let better = !had_errors || broken(&other) < broken(&text);
    let better = better && other != text;
    if better {
        (other, Some(Defect::BadCharset(label)))
    } else {
        let defect = had_errors.then_some(Defect::BadCharset(label));
        (text.into_owned(), defect)
    }
}

fn broken(text: &str) -> usize {
    text.chars()
        .filter(|c| *c == char::REPLACEMENT_CHARACTER)
        .count()
}

fn is_western(encoding: &'static Encoding) -> bool {
    encoding == WINDOWS_1252 || matches!(encoding.name(), "ISO-8859-15" | "macintosh")
}

/// Whether most letters are beyond ASCII; fewer of them are needed to be sure when no other stands by.
fn mostly_beyond_ascii(bytes: &[u8]) -> bool {
    let beyond = bytes.iter().filter(|b| **b >= 0xa0).count();
    let letters = bytes.iter().filter(|b| b.is_ascii_alphabetic()).count();
    beyond >= DOUBT_MIN && (letters == 0 || beyond > letters + DOUBT_MIN)
}

fn detect(bytes: &[u8]) -> &'static Encoding {
    // The first letters beyond ASCII with what stands around them.
    let start = bytes.iter().position(|b| !b.is_ascii()).unwrap_or(0);
    let rest = bytes.get(start.saturating_sub(64)..).unwrap_or(bytes);
    let sample = rest.get(..SAMPLE_MAX).unwrap_or(rest);
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(sample, true);
    let guess = detector.guess(None, Utf8Detection::Deny);
    // One pound sign or two accents are too little to prefer a set that few use.
    let beyond = sample
        .iter()
        .filter(|b| !b.is_ascii())
        .take(FEW + 1)
        .count();
    let rare_latin = matches!(
        guess.name(),
        "windows-1250"
            | "windows-1254"
            | "windows-1257"
            | "windows-1258"
            | "ISO-8859-2"
            | "ISO-8859-4"
    );
    if rare_latin && beyond <= FEW {
        WINDOWS_1252
    } else {
        guess
    }
}

/// The seven-bit set to which an escape in the text shifts (RFC 1468, RFC 1557).
fn shifts_to(bytes: &[u8]) -> Option<&'static str> {
    let mut rest = bytes;
    while let Some(at) = memchr::memchr(0x1b, rest) {
        rest = rest.get(at + 1..).unwrap_or_default();
        match rest {
            [b'$', b'B' | b'@', ..] => return Some("iso-2022-jp"),
            [b'$', b')', b'C', ..] => return Some("iso-2022-kr"),
            _ => {}
        }
    }
    None
}

/// UTF-8 with a few broken places (a cut-off character, a stray byte) stays UTF-8.
fn mostly_utf8(bytes: &[u8], error: std::str::Utf8Error) -> Option<String> {
    // Most other sets show themselves at once.
    let from = error.valid_up_to();
    let near = bytes.get(from..).unwrap_or_default();
    let near = String::from_utf8_lossy(near.get(..SAMPLE_MAX).unwrap_or(near));
    let before = bytes.get(..from).unwrap_or_default();
    if before.is_ascii() && broken(&near) > near.chars().filter(|c| !c.is_ascii()).count() / 3 * 2 {
        return None;
    }
    let text = String::from_utf8_lossy(bytes);
    let only_the_end = error.error_len().is_none() && error.valid_up_to() > 0;
    let good = text
        .chars()
        .filter(|c| !c.is_ascii() && *c != char::REPLACEMENT_CHARACTER)
        .count();
    (only_the_end && good > 0 || good > broken(&text) * 3).then(|| text.into_owned())
}

fn decode_named(bytes: &[u8], name: &str) -> String {
    match charset_decoder(name.as_bytes()) {
        Some(decoder) => decoder(bytes),
        None => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// HZ (RFC 1843): GB 2312 in seven bits between `~{` and `~}`.
fn hz(bytes: &[u8]) -> String {
    let mut out = Vec::with_capacity(bytes.len());
    let mut chinese = false;
    let mut rest = bytes;
    loop {
        rest = match rest {
            [] => break,
            [b'~', b'{', after @ ..] => {
                chinese = true;
                after
            }
            [b'~', b'}', after @ ..] => {
                chinese = false;
                after
            }
            [b'~', b'~', after @ ..] if !chinese => {
                out.push(b'~');
                after
            }
            [byte @ 0x21..=0x7e, after @ ..] if chinese => {
                out.push(byte | 0x80);
                after
            }
            [byte, after @ ..] => {
                out.push(*byte);
                after
            }
        };
    }
    decode_named(&out, "gbk")
}

/// ISO-2022-KR (RFC 1557): KS C 5601 in seven bits between shift-out and shift-in.
fn iso_2022_kr(bytes: &[u8]) -> String {
    let mut out = Vec::with_capacity(bytes.len());
    let mut korean = false;
    let mut rest = bytes;
    loop {
        rest = match rest {
            [] => break,
            [0x1b, b'$', b')', b'C', after @ ..] => after,
            [0x0e, after @ ..] => {
                korean = true;
                after
            }
            [0x0f, after @ ..] => {
                korean = false;
                after
            }
            [byte, after @ ..] => {
                out.push(if korean && *byte > 0x20 {
                    byte | 0x80
                } else {
                    *byte
                });
                after
            }
        };
    }
    decode_named(&out, "euc-kr")
}

fn clean_label(label: &str) -> String {
    label
        .trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ';' | ',' | '='))
        .trim_start_matches("charset=")
        .trim_start_matches(['"', '\''])
        .chars()
        .take_while(|c| !c.is_control() && !c.is_whitespace() && !matches!(c, '"' | ';'))
        .take(40)
        .collect::<String>()
        .to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_without_a_label_is_utf8_when_it_can_be() {
        assert_eq!(guess("Grüße".as_bytes()), "Grüße");
        assert_eq!(guess(b"Gr\xfc\xdfe"), "Grüße");
        assert_eq!(guess(b"\x1b$B%O%m!<\x1b(B"), "ハロー");
    }

    #[test]
    fn text_labelled_utf8_that_is_windows_1252_is_read_as_such() {
        let (text, defect) = decode(b"Gr\xfc\xdfe", Some("UTF-8"));
        assert_eq!(text, "Grüße");
        assert_eq!(defect, Some(Defect::BadCharset("utf-8".to_owned())));
    }

    #[test]
    fn a_cut_off_last_character_does_not_spoil_the_rest() {
        let (text, _) = decode(b"Gr\xc3\xbc\xc3\x9fe \xc3", Some("utf-8"));
        assert_eq!(text, "Grüße \u{fffd}");
    }

    #[test]
    fn east_asian_sets_are_known() {
        let (text, defect) = decode(b"\xc4\xe3\xba\xc3", Some("gb2312"));
        assert_eq!((text.as_str(), defect), ("你好", None));
        let (text, _) = decode(b"\x83n\x83\x8D\x81[", Some("Shift_JIS"));
        assert_eq!(text, "ハロー");
    }

    #[test]
    fn an_unknown_label_is_named_and_the_text_guessed() {
        let (text, defect) = decode(b"plain", Some("x-klingon"));
        assert_eq!(text, "plain");
        assert_eq!(defect, Some(Defect::UnknownCharset("x-klingon".to_owned())));
    }

    #[test]
    fn what_has_no_label_is_read_as_what_it_looks_like() {
        assert_eq!(guess(b"a \xa380m deal"), "a £80m deal");
        let (russian, _, _) = encoding_rs::WINDOWS_1251.encode("Подтверждение заказа");
        assert_eq!(guess(&russian), "Подтверждение заказа");
        let (chinese, _, _) = encoding_rs::GBK.encode("关于贵公司的订单确认");
        assert_eq!(guess(&chinese), "关于贵公司的订单确认");
    }

    #[test]
    fn a_western_label_on_another_language_is_not_believed() {
        let (russian, _, _) = encoding_rs::KOI8_R.encode("Добрый день, коллеги! Заказ готов.");
        let (text, defect) = decode_body(&russian, Some("iso-8859-1"));
        assert_eq!(text, "Добрый день, коллеги! Заказ готов.");
        assert_eq!(defect, Some(Defect::BadCharset("iso-8859-1".to_owned())));
        assert_eq!(decode("Grüße".as_bytes(), Some("iso-8859-1")).0, "Grüße");
        assert_eq!(decode("Счет".as_bytes(), Some("windows-1251")).0, "Счет");
        assert_eq!(
            decode_body(b"d\xe9j\xe0 re\xe7u", Some("iso-8859-1")).0,
            "déjà reçu"
        );
    }

    #[test]
    fn a_label_that_does_not_fit_gives_way_to_what_fits() {
        let (japanese, _, _) = encoding_rs::SHIFT_JIS.encode("注文の確認をお願いします");
        assert_eq!(
            decode(&japanese, Some("iso-2022-jp")).0,
            "注文の確認をお願いします"
        );
        assert_eq!(
            guess_near(&japanese, Some("iso-2022-jp")),
            "注文の確認をお願いします"
        );
        assert_eq!(guess_near(b"Gr+APwA3w-e", Some("utf-7")), "Grüße");
    }

    #[test]
    fn seven_bit_chinese_and_korean_are_read() {
        assert_eq!(decode(b"a ~{Dc:C~} b", Some("hz-gb-2312")).0, "a 你好 b");
        assert_eq!(
            decode(b"\x1b$)C\x0eGQ19\x0f!", Some("iso-2022-kr")).0,
            "한국!"
        );
    }

    #[test]
    fn an_escape_into_another_set_is_followed_whatever_the_label() {
        assert_eq!(
            decode(b"\x1b$B%O%m!<\x1b(B", Some("iso-8859-1")).0,
            "ハロー"
        );
        assert_eq!(guess(b"\x1b$)C\x0eGQ19\x0f!"), "한국!");
        assert_eq!(decode(b"Gr\x81\xe1e", Some("cp437")).0, "Grüße");
    }

    #[test]
    fn misspelled_labels_are_understood() {
        for label in ["windows1251", "cp-1251", "win-1251", "WINDOWS_1251"] {
            assert_eq!(decode(b"\xcf\xf0", Some(label)).0, "Пр", "{label}");
        }
        assert_eq!(decode(b"\xa4", Some("ISO_8859_15")).0, "€");
    }
}
