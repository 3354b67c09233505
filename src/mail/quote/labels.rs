//! The header block that Outlook and others put above a quoted message: `From: … Sent: … To: …`.

use std::sync::LazyLock;

use super::words::{LABELS, OTHER_LABELS};
use super::{bare, list, lower};

/// Lines a header block may take, long lists of recipients included.
const BLOCK_LINES_MAX: usize = 14;
/// Lines without a label inside a block: recipients that go on, an address below its label.
const BLOCK_GAP_MAX: usize = 3;
/// Characters and spaces of the longest label.
const LABEL_CHARS_MAX: usize = 24;
const LABEL_SPACES_MAX: usize = 3;

/// A field of a header block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Label {
    From,
    Date,
    To,
    Cc,
    Subject,
    /// Reply-To, importance …: goes with a block, proves nothing.
    Other,
}

static NAMES: LazyLock<Vec<(&str, Label)>> = LazyLock::new(|| {
    let kinds = [
        Label::From,
        Label::Date,
        Label::To,
        Label::Cc,
        Label::Subject,
    ];
    let mut names: Vec<(&str, Label)> = LABELS
        .lines()
        .flat_map(|row| row.split('|').skip(1).zip(kinds))
        .flat_map(|(names, label)| list(names).map(move |name| (name, label)))
        .chain(list(OTHER_LABELS).map(|name| (name, Label::Other)))
        .collect();
    names.sort_unstable();
    names.dedup_by_key(|(name, _)| *name);
    names
});

fn named(name: &str) -> Option<Label> {
    let name = name.trim_matches(['*', '_', ' ', '\u{a0}', '\u{200e}', '\u{200f}', '.']);
    if name.is_empty() {
        return None;
    }
    let name = lower(name);
    let at = NAMES
        .binary_search_by(|(known, _)| (*known).cmp(name.as_str()))
        .ok()?;
    NAMES.get(at).map(|(_, label)| *label)
}

/// Reads a label at the start of a line: `From:`, `*Von:*`, `> De :`.
pub(super) fn label(line: &str) -> Option<Label> {
    let line = bare(line);
    let mut spaces = 0;
    for (at, c) in line.char_indices().take(LABEL_CHARS_MAX + 4) {
        match c {
            ':' | '：' => return named(line.get(..at)?),
            ' ' | '\u{a0}' => {
                spaces += 1;
                if spaces > LABEL_SPACES_MAX {
                    return None;
                }
            }
            '0'..='9' | ',' | ';' | '@' | '<' | '>' | '"' | '(' | '!' | '?' => return None,
            _ => {}
        }
    }
    None
}

/// A header block at this line, and the line after it.
///
/// It names a sender and two more, a date or a subject among them; without a subject an address must
/// be there too, or a rule above (`ruled`): who books a journey from A to B on a date writes no header
/// block. Fields of another kind between them are those of a form on a web site.
pub(super) fn block_end(lines: &[&str], at: usize, ruled: bool) -> Option<usize> {
    let first = lines.get(at).and_then(|line| label(line))?;
    if matches!(first, Label::Cc | Label::Other) {
        return None;
    }
    let mut seen = Seen::default();
    let mut end = at + 1;
    let mut gap = 0;
    let mut foreign = false;
    for (i, line) in lines.iter().enumerate().skip(at).take(BLOCK_LINES_MAX) {
        let Some(found) = label(line) else {
            gap += 1;
            foreign |= is_form_field(line);
            if gap > BLOCK_GAP_MAX {
                break;
            }
            continue;
        };
        if foreign && !ruled {
            break;
        }
        seen.add(found);
        seen.all_on_one_line(line);
        seen.address |= line.contains('@');
        end = i + 1;
        gap = 0;
    }
    let complete = seen.has(Label::From)
        && (seen.has(Label::Date) || seen.has(Label::Subject))
        && seen.count >= 3
        && (seen.has(Label::Subject) || seen.address || ruled);
    complete.then_some(end)
}

/// A header block in a language we do not know: below a rule as Outlook draws it, at least three lines
/// of label and value without a gap, one of them with an address or a date.
pub(super) fn unknown_block_end(lines: &[&str], at: usize) -> Option<usize> {
    let fields = lines.iter().skip(at).take(BLOCK_LINES_MAX);
    let fields: Vec<&&str> = fields.take_while(|line| looks_like_field(line)).collect();
    let address = fields.iter().any(|line| line.contains('@'));
    let dated = fields
        .iter()
        .any(|line| line.chars().filter(|c| c.is_numeric()).count() >= 6);
    (fields.len() >= 3 && address && dated).then_some(at + fields.len())
}

/// `Phone: 123` and the like: one or two words, a colon, and a value behind a space.
pub(super) fn is_form_field(line: &str) -> bool {
    bare(line).split_once(':').is_some_and(|(name, value)| {
        let words = name.split_whitespace().count();
        (1..=2).contains(&words)
            && name.len() <= LABEL_CHARS_MAX
            && name.starts_with(char::is_uppercase)
            && name.chars().all(|c| c.is_alphabetic() || c == ' ')
            && (value.is_empty() || value.starts_with(' '))
    })
}

fn looks_like_field(line: &str) -> bool {
    let line = bare(line);
    line.split_once([':', '：']).is_some_and(|(name, value)| {
        let name = name.trim();
        !name.is_empty()
            && name.chars().count() <= LABEL_CHARS_MAX
            && name.split_whitespace().count() <= LABEL_SPACES_MAX
            && !value.trim().is_empty()
    })
}

#[derive(Default)]
struct Seen {
    labels: Vec<Label>,
    count: usize,
    address: bool,
}

impl Seen {
    fn has(&self, label: Label) -> bool {
        self.labels.contains(&label)
    }

    fn add(&mut self, label: Label) {
        if label != Label::Other && !self.has(label) {
            self.labels.push(label);
            self.count += 1;
        }
    }

    /// Some webmails run the whole block together: `Subject: x 2023-01-17From: a@b To: c`.
    fn all_on_one_line(&mut self, line: &str) {
        if line.len() > 600 {
            return;
        }
        for (at, _) in line.match_indices(':').skip(1).take(12) {
            let before = line.get(..at).unwrap_or_default().trim_end();
            let word = before
                .rsplit(|c: char| !c.is_alphabetic())
                .next()
                .unwrap_or_default();
            if let Some(label) = named(word) {
                self.add(label);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_known_with_their_ornaments() {
        assert_eq!(label("*Von:* Ada"), Some(Label::From));
        assert_eq!(label("> Objet : x"), Some(Label::Subject));
        assert_eq!(label("** De : Ada **"), Some(Label::From));
        assert_eq!(label("发件人：Ada"), Some(Label::From));
        assert_eq!(label("\u{200f}\u{200f}تم الإرسال: x"), Some(Label::Date));
        assert_eq!(label("Note: x"), None);
        assert_eq!(label("10:00 from here"), None);
    }

    #[test]
    fn every_language_has_all_its_labels() {
        for row in LABELS.lines() {
            let columns: Vec<&str> = row.split('|').collect();
            assert_eq!(columns.len(), 6, "{row}");
            let first = |column: usize| list(columns[column]).next().unwrap();
            let block = format!(
                "{}: Ada <a@x.org>\n{}: 5.5.2024 10:00\n{}: b@x.org\n{}: x",
                first(1),
                first(2),
                first(3),
                first(5)
            );
            let lines: Vec<&str> = block.lines().collect();
            assert_eq!(block_end(&lines, 0, false), Some(4), "{row}");
        }
    }

    #[test]
    fn a_journey_is_no_header_block() {
        let journey = ["From: Berlin", "To: Paris", "Date: 5 May 2024"];
        assert_eq!(block_end(&journey, 0, false), None);
        let mail = ["From: a@x.org", "To: b@x.org", "Date: 5 May 2024"];
        assert_eq!(block_end(&mail, 0, false), Some(3));
    }

    #[test]
    fn a_form_from_a_web_site_is_no_header_block() {
        let form = ["From: a@x.org", "Phone: 123", "Subject: x", "Date: 5 May"];
        assert_eq!(block_end(&form, 0, false), None);
        let mail = ["From: a@x.org", "Importance: High", "Subject: x", "To: b"];
        assert_eq!(block_end(&mail, 0, false), Some(4));
    }

    #[test]
    fn a_block_run_together_in_one_line_is_known() {
        let line = "Temat: RE: X 2023-01-17 13:46Nadawca: \"a\" a@x.org Adresat:";
        assert_eq!(block_end(&[line, "old"], 0, false), Some(1));
    }

    #[test]
    fn a_block_in_an_unknown_language_needs_an_address_and_a_date() {
        let block = ["Xu: Ada <a@x.org>", "Xa: 5/1/2015 10:00", "Xo: b@x.org", ""];
        assert_eq!(unknown_block_end(&block, 0), Some(3));
        let list = ["One: apples", "Two: pears", "Three: plums"];
        assert_eq!(unknown_block_end(&list, 0), None);
    }
}
