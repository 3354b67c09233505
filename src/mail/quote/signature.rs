//! Where a signature begins.

use std::sync::LazyLock;

use super::words::{DEVICE_ENDS, DEVICE_STARTS, DEVICES, EXCUSES, MY};
use super::{list, lower};

/// Longest signature after a bare `--`, in lines; `-- ` with its space is certain.
const LOOSE_MAX: usize = 12;
/// Longest signature after `-- `, in lines.
const CERTAIN_MAX: usize = 40;
/// Longest footer of a mailing list, in lines.
const FOOTER_MAX: usize = 8;
/// Bytes and words of the longest line a program writes about itself.
const DEVICE_BYTES_MAX: usize = 300;
const DEVICE_WORDS_MAX: usize = 12;
/// Spaces in such a line, excuses included.
const DEVICE_SPACES_MAX: usize = 40;

struct Words {
    starts: Vec<&'static str>,
    devices: Vec<&'static str>,
    my: Vec<&'static str>,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| Words {
    starts: list(DEVICE_STARTS).collect(),
    devices: list(DEVICES).collect(),
    my: list(MY).collect(),
});

/// Which line of a stretch of new text begins the signature.
pub(super) fn start(lines: &[&str]) -> Option<usize> {
    let marked = marked_start(lines);
    let rest = marked.map_or(lines, |at| lines.get(..at).unwrap_or_default());
    device_lines_start(rest)
        .or(marked)
        .or_else(|| list_footer_start(lines))
}

/// How many lines at the top are a program's own line (some put it there) and the space below it.
pub(super) fn leading(lines: &[&str]) -> usize {
    let first = lines.iter().position(|line| !line.trim().is_empty());
    let Some(first) = first.filter(|at| lines.get(*at).is_some_and(|line| is_device_line(line)))
    else {
        return 0;
    };
    let space = lines
        .get(first + 1)
        .is_some_and(|line| line.trim().is_empty());
    let more = lines
        .iter()
        .skip(first + 1)
        .any(|line| !line.trim().is_empty());
    if space && more { first + 1 } else { 0 }
}

/// The line with the mark.
fn marked_start(lines: &[&str]) -> Option<usize> {
    lines.iter().enumerate().find_map(|(at, line)| {
        if !line
            .trim_start()
            .starts_with(['-', '—', '_', '.', '·', '•', '*'])
        {
            return None;
        }
        let certain = matches!(*line, "-- " | "-- \u{a0}");
        let loose = is_mark(line);
        if !certain && !loose {
            return None;
        }
        let after = lines.get(at + 1..).unwrap_or_default();
        let after = after.iter().filter(|line| !line.trim().is_empty());
        let rest = after.take(CERTAIN_MAX + 1).count();
        let fits = (certain && rest <= CERTAIN_MAX) || (loose && (1..=LOOSE_MAX).contains(&rest));
        fits.then_some(at)
    })
}

/// Whether a line is a signature's mark: the standard one without its space, or a row of dots as some
/// companies draw above their footer.
pub(super) fn is_mark(line: &str) -> bool {
    let line = line.trim();
    if matches!(line, "--" | "—" | "__") {
        return true;
    }
    let dots = line
        .chars()
        .filter(|c| matches!(c, '.' | '·' | '•'))
        .count();
    dots >= 8
        && line.contains(' ')
        && line
            .chars()
            .all(|c| matches!(c, '.' | '·' | '•' | ' ' | '*'))
}

/// The first of the programs' own lines at the end; there may be several.
fn device_lines_start(lines: &[&str]) -> Option<usize> {
    let mut start = None;
    for (at, line) in lines.iter().enumerate().rev() {
        if line.trim().is_empty() {
            continue;
        }
        if !is_device_line(line) {
            break;
        }
        start = Some(at);
    }
    start
}

/// What a mailing list puts below every mail, under a rule.
fn list_footer_start(lines: &[&str]) -> Option<usize> {
    let filled = lines.iter().enumerate().rev();
    let mut filled = filled.filter(|(_, line)| !line.trim_start().is_empty());
    let (rule, _) = filled.by_ref().take(FOOTER_MAX + 1).find(|(_, line)| {
        line.starts_with("____________________") && line.trim_end().bytes().all(|byte| byte == b'_')
    })?;
    let mut footer = lines.iter().skip(rule + 1);
    let of_a_list = footer.any(|line| line.contains("mailing list") || line.contains("/listinfo"));
    of_a_list.then_some(rule)
}

/// “Sent from my iPhone”, “Get Outlook for Android”.
fn is_device_line(line: &str) -> bool {
    let spaces = line.bytes().filter(|byte| *byte == b' ').count();
    if line.len() > DEVICE_BYTES_MAX || spaces > DEVICE_SPACES_MAX {
        return false;
    }
    let line = lower(&without_links(line));
    let line = line.trim_matches(|c: char| !c.is_alphanumeric());
    let words: Vec<&str> = line
        .split(|c: char| !c.is_alphanumeric() && c != '-')
        .filter(|word| !word.is_empty())
        .collect();
    if words.is_empty() {
        return false;
    }
    let device = || {
        WORDS.devices.iter().any(|device| {
            if device.len() >= 4 {
                line.contains(device)
            } else {
                words.contains(device)
            }
        })
    };
    let own = || words.iter().any(|word| WORDS.my.contains(word));
    let outlook = || {
        words.iter().any(|word| word.starts_with("outlook"))
            && words.iter().any(|word| {
                ["ios", "android", "mac"]
                    .iter()
                    .any(|system| word.starts_with(system))
            })
    };
    let starts = WORDS.starts.iter().any(|start| begins(line, start));
    let ends = || DEVICE_ENDS.iter().any(|end| line.ends_with(end));
    let named = outlook() || starts && (own() || device()) || ends() && device();
    named && ends_there(line, words.len())
}

fn begins(line: &str, start: &str) -> bool {
    // Comparing first bytes first spares most of a hundred calls.
    let same = line.as_bytes().first() == start.as_bytes().first();
    same && line.strip_prefix(start).is_some_and(|rest| {
        !start.is_ascii() || !rest.starts_with(|c: char| c.is_ascii_alphanumeric())
    })
}

/// Whether nothing follows but an excuse: “Sent from my desk, it is quieter” is a person's sentence.
fn ends_there(line: &str, words: usize) -> bool {
    let more = line.split_once(", ").or_else(|| line.split_once(". "));
    let excused = EXCUSES.iter().any(|excuse| line.contains(excuse));
    match more {
        Some((_, more)) => {
            let device = ["phone", "device", "tablet"]
                .iter()
                .any(|end| more.ends_with(end));
            excused || more.starts_with("an ") || more.starts_with("a ") || device && words <= 8
        }
        None => words <= DEVICE_WORDS_MAX || excused,
    }
}

/// The words of a line without the addresses behind them.
fn without_links(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for word in line.split_whitespace() {
        let shown = word.split("http").next().unwrap_or_default();
        let shown = shown.trim_matches(['[', ']', '(', ')', '<', '>', '*', '_']);
        if !shown.is_empty() {
            out.push_str(shown);
            out.push(' ');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_mark_begins_a_signature() {
        assert_eq!(start(&["Hi", "-- ", "Ada"]), Some(1));
        assert_eq!(start(&["Hi", "", "--", "Ada"]), Some(2));
        assert_eq!(start(&["a", "--"]), None);
        assert_eq!(start(&["Hi", ". . . . . . . .", "Engines Ltd"]), Some(1));
        assert_eq!(start(&["Hi", "* * *", "Part two"]), None);
    }

    #[test]
    fn a_programs_own_line_is_a_signature_at_the_end() {
        assert_eq!(start(&["Hi", "", "Sent from my iPhone", ""]), Some(2));
        assert_eq!(start(&["Hi", "Von meinem iPhone gesendet"]), Some(1));
        assert_eq!(start(&["Sent from my iPhone", "", "But wait"]), None);
        assert_eq!(leading(&["Sent from my iPhone", "", "But wait"]), 1);
        assert_eq!(start(&["Hi", "Sent from my iPad", "-- ", "Ada"]), Some(1));
    }

    #[test]
    fn programs_name_themselves_in_many_languages() {
        for line in [
            "Get [Outlook for Android](https://example.org/a)",
            "Holen Sie sich Outlook für iOS<https://example.org>",
            "Sent from my Samsung Galaxy smartphone.",
            "Sent via the Samsung Galaxy S20 5G, an AT&T 5G smartphone",
            "Sent from my phone, please excuse typos",
            "Envoyé de mon iPad",
            "Provenance : Courrier pour Windows",
            "Enviado desde mi iPhone",
            "Enviado do meu telemóvel Huawei",
            "Inviato da Posta per Windows",
            "Verzonden vanuit Outlook voor iOS",
            "Skickat från min iPhone",
            "Sendt fra min iPad",
            "Lähetetty iPhonesta",
            "Wysłane z iPhone'a",
            "Odesláno z iPhonu",
            "Az iPhone-omról küldve",
            "Trimis de pe iPhone‑ul meu",
            "Отправлено с iPhone",
            "Надіслано з мого iPhone",
            "iPhone'umdan gönderildi",
            "iPhoneから送信",
            "나의 iPhone에서 보냄",
            "从我的 iPhone 发送",
            "أُرسلت من الـ iPhone",
            "<<sent by galaxy>>",
            "(sent from a phone)",
        ] {
            assert!(is_device_line(line), "{line}");
        }
    }

    #[test]
    fn sentences_of_people_are_no_device_lines() {
        for line in [
            "Sent from my desk, it is much quieter than my mobile phone.",
            "Sent from Berlin",
            "The picture was sent from my iPhone",
            "Sent by courier to your office",
            "Mon",
        ] {
            assert!(!is_device_line(line), "{line}");
        }
    }

    #[test]
    fn a_mailing_lists_footer_is_a_signature() {
        let rule = "_".repeat(47);
        assert_eq!(
            start(&["Hi", "", &rule, "users mailing list", "users@example.org"]),
            Some(2)
        );
        assert_eq!(start(&["Hi", "", &rule, "Section two"]), None);
    }
}
