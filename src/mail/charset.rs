//! Bytes to text: the declared character set when it fits, else the likeliest guess.

use mail_parser::decoders::charsets::map::charset_decoder;

use super::defect::Defect;

/// Decodes `bytes` by the declared `label`; says what was wrong when the label did not help.
///
/// Text without a label, or labelled US-ASCII, is UTF-8 when it is valid UTF-8, ISO-2022-JP when it
/// shows that set's escapes, and otherwise Windows-1252, which is what browsers do (WHATWG Encoding,
/// where `us-ascii` and `iso-8859-1` are names of Windows-1252).
pub(crate) fn decode(bytes: &[u8], label: Option<&str>) -> (String, Option<Defect>) {
    let label = label.map(clean_label).filter(|name| !name.is_empty());
    let Some(label) = label else {
        return (guess(bytes), None);
    };
    match label.as_str() {
        "us-ascii" | "ascii" | "ansi_x3.4-1968" | "7bit" | "8bit" => (guess(bytes), None),
        "utf-8" | "utf8" | "utf-8-sig" => decode_utf8(bytes, &label),
        "unicode-1-1-utf-7" | "utf-7" => (decode_named(bytes, "utf-7"), None),
        "unknown-8bit" | "x-unknown" | "unknown" | "default" | "_iso-2022-jp$esc" => {
            (guess(bytes), None)
        }
        "iso-8859-8-i" | "iso-8859-8-e" => (decode_named(bytes, "iso-8859-8"), None),
        name => match charset_decoder(name.as_bytes()) {
            Some(decoder) => (decoder(bytes), None),
            None => (guess(bytes), Some(Defect::UnknownCharset(label))),
        },
    }
}

/// Decodes without a label: UTF-8, ISO-2022-JP or Windows-1252, whichever fits first.
pub(crate) fn guess(bytes: &[u8]) -> String {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.is_ascii() {
        let japanese = bytes
            .windows(3)
            .any(|w| matches!(w, [0x1b, b'$', b'B' | b'@']));
        if japanese {
            return decode_named(bytes, "iso-2022-jp");
        }
        return String::from_utf8_lossy(bytes).into_owned();
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(error) => {
            mostly_utf8(bytes, error).unwrap_or_else(|| decode_named(bytes, "windows-1252"))
        }
    }
}

fn decode_utf8(bytes: &[u8], label: &str) -> (String, Option<Defect>) {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => (text.to_owned(), None),
        Err(error) => {
            let text =
                mostly_utf8(bytes, error).unwrap_or_else(|| decode_named(bytes, "windows-1252"));
            (text, Some(Defect::BadCharset(label.to_owned())))
        }
    }
}

/// UTF-8 with a few broken places (a cut-off character, a stray byte) stays UTF-8.
fn mostly_utf8(bytes: &[u8], error: std::str::Utf8Error) -> Option<String> {
    if error.error_len().is_none() && error.valid_up_to() > 0 {
        // Only the last character is cut off.
        return Some(String::from_utf8_lossy(bytes).into_owned());
    }
    let text = String::from_utf8_lossy(bytes).into_owned();
    let broken = text.chars().filter(|c| *c == '\u{fffd}').count();
    let good = text
        .chars()
        .filter(|c| !c.is_ascii() && *c != '\u{fffd}')
        .count();
    (good > broken * 3).then_some(text)
}

fn decode_named(bytes: &[u8], name: &str) -> String {
    match charset_decoder(name.as_bytes()) {
        Some(decoder) => decoder(bytes),
        None => String::from_utf8_lossy(bytes).into_owned(),
    }
}

fn clean_label(label: &str) -> String {
    label
        .trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ';' | ',' | '='))
        .trim_start_matches("charset=")
        .chars()
        .filter(|c| !c.is_control())
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
}
