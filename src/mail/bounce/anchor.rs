//! Where a report names a recipient: the forms in which servers write the address on a line.

use super::words::{self, fold};

/// An address at the start of a line (Postfix, qmail, Exim, Sendmail, Exchange …), or behind a label
/// such as `Recipient:` or `could not be delivered to:`.
pub(super) fn anchor(line: &str) -> Option<(&str, &str)> {
    // `<<< 550 …` and `>>> RCPT TO` are a transcript.
    if line.trim_start().starts_with("<<<") {
        return None;
    }
    let line = line.trim_start_matches([' ', '\t', '*', '-', '•', '·', '>', '|', '#', '"', '\'']);
    if let Some((inside, rest)) = line.strip_prefix('<').and_then(|l| l.split_once('>'))
        && let Some(address) = bare_address(inside)
    {
        return Some((address, rest));
    }
    if let Some(found) = numbered(line) {
        return Some(found);
    }
    let end = line.find([' ', '\t', ':', '(']).unwrap_or(line.len());
    let (word, rest) = line.split_at_checked(end)?;
    if let Some(address) = bare_address(word) {
        return Some((address, rest));
    }
    labelled(line)
}

/// `550 <ada@example.org>... User unknown`: Sendmail's transcript.
fn numbered(line: &str) -> Option<(&str, &str)> {
    let (_, rest) = line.split_once(' ').filter(|_| is_transcript(line))?;
    let (word, _) = rest.split_once("... ")?;
    let word = word.rsplit(' ').next().unwrap_or(word);
    bare_address(word).map(|address| (address, line))
}

/// Whether a line begins as an SMTP reply that refuses.
pub(super) fn is_transcript(line: &str) -> bool {
    let (code, _) = line.split_once(' ').unwrap_or((line, ""));
    code.len() == 3
        && code.starts_with(['4', '5'])
        && code.chars().all(|c| c.is_ascii_digit())
        && line.contains("... ")
}

fn labelled(line: &str) -> Option<(&str, &str)> {
    let (label, value) = line.split_once(": ").or_else(|| line.split_once(":\t"))?;
    let label = fold(label, 80);
    if !words::holds(&label, words::LABELS) {
        return None;
    }
    let value = value.trim_start();
    let value = value.strip_prefix("[SMTP:").unwrap_or(value);
    let end = value
        .trim_start_matches('<')
        .find([' ', '\t', '>', ']', ';', ','])
        .map_or(value.len(), |end| {
            end + value.len() - value.trim_start_matches('<').len()
        });
    let (word, rest) = value.split_at_checked(end)?;
    bare_address(word).map(|address| (address, rest))
}

/// The address in a word, without brackets and punctuation.
pub(super) fn bare_address(word: &str) -> Option<&str> {
    const EDGES: [char; 17] = [
        '<', '>', '(', ')', '"', '\'', ',', ';', ':', '[', ']', '.', '!', '*', '`', ' ', '…',
    ];
    let word = word.trim_matches(EDGES);
    is_address(word).then_some(word)
}

/// Whether a word has the form of an address.
pub(super) fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let plain = |c: char| {
        !c.is_whitespace()
            && !c.is_control()
            && !matches!(c, '<' | '>' | '(' | ')' | '"' | ',' | ';' | ':')
    };
    !local.is_empty()
        && domain.contains('.')
        && !domain.contains('@')
        && text.len() <= 320
        && text.chars().all(plain)
        && domain
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'))
}
