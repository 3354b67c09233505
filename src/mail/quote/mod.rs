//! What is new in a reply: the text without quoted history and signature.
//!
//! When in doubt more is shown: text the writer wrote must never disappear, a quotation too many does
//! no harm. The decision is made line by line on the plain text; the marks in the HTML help where the
//! plain text has none, and tell where the HTML can be folded. A forwarded message is what its sender
//! wants us to read: it is kept whole.
//!
//! `history` finds the quoted lines with the help of `attribution`, `labels` (header blocks) and
//! `marks`; `words` holds what programs write in each language.

mod attribution;
mod history;
mod html;
mod html_marks;
mod labels;
mod marks;
mod signature;
mod words;

use std::sync::LazyLock;

use super::html::to_text;

static FORWARDS: LazyLock<Vec<&str>> = LazyLock::new(|| sorted(words::FORWARD_PREFIXES));

/// A message's text taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Split {
    /// What the writer newly wrote, and what he forwarded.
    pub reply_text: String,
    /// Whether quoted history was taken out.
    pub quoted: bool,
    /// The signature, without its mark; empty when there is none.
    pub signature: String,
    /// Byte offset in the HTML at which the quoted history begins and nothing new follows; the page
    /// folds what lies behind.
    pub html_split: Option<usize>,
    /// Byte offset in the HTML at which an element begins that the sender's program names a signature,
    /// when new text stands before it and nothing but the quoted history behind it.
    pub signature_split: Option<usize>,
}

/// Takes a message's text apart; `html` is its raw HTML when it has one. The subject tells a forward
/// from a reply where the texts are alike.
#[must_use]
pub fn split(subject: &str, text: &str, html: Option<&str>) -> Split {
    let is_forward = is_forward(subject);
    let mut split = split_text(text, is_forward);
    let Some(html) = html else {
        return split.result;
    };
    let found = html::find(html);
    split.result.signature_split = found.signature;
    let Some(extent) = found.quotation else {
        return split.result;
    };
    if split.forward || is_forward || !extent.text_before || extent.text_after {
        return split.result;
    }
    if !split.result.quoted {
        // The plain text shows no quotation, but the HTML does (a language we do not know).
        let before = to_text(html.get(..extent.start).unwrap_or_default());
        let by_html = split_text(&before, false);
        split.result = Split {
            quoted: true,
            signature_split: split.result.signature_split,
            ..by_html.result
        };
        split.interleaved = by_html.interleaved;
    }
    if !split.interleaved {
        split.result.html_split = Some(extent.start);
    }
    split.result
}

/// Whether a subject says that the mail is forwarded: the first of its prefixes counts, for an answer
/// to a forward is `Re: Fwd:`.
fn is_forward(subject: &str) -> bool {
    let mut subject = subject.trim_start();
    while let Some((_, rest)) = subject.strip_prefix('[').and_then(|s| s.split_once(']')) {
        subject = rest.trim_start();
    }
    let Some((prefix, _)) = subject.split_once([':', '：']) else {
        return false;
    };
    if prefix.len() > 40 {
        return false;
    }
    // `Fwd[2]:` counts how often.
    let prefix = lower(prefix);
    let prefix = prefix.trim_end_matches(|c: char| {
        c.is_whitespace() || c.is_ascii_digit() || matches!(c, '[' | ']' | '(' | ')' | '^')
    });
    FORWARDS.binary_search(&prefix.trim_start()).is_ok()
}

struct TextSplit {
    result: Split,
    /// New text stands between or under quoted lines.
    interleaved: bool,
    /// A forwarded message was found.
    forward: bool,
}

fn split_text(text: &str, is_forward: bool) -> TextSplit {
    let lines: Vec<&str> = text.lines().collect();
    let history = history::find(&lines, is_forward);
    let end = history.forward.unwrap_or(lines.len());
    let mut parts = Parts::default();
    let mut at = 0;
    while at < end {
        let is_quoted = |i: usize| history.quoted.get(i).copied().unwrap_or(false);
        let until = (at..end)
            .find(|i| is_quoted(*i) != is_quoted(at))
            .unwrap_or(end);
        if !is_quoted(at) {
            parts.add(lines.get(at..until).unwrap_or_default(), at == 0);
        }
        at = until;
    }
    let forwarded = lines.get(end..).unwrap_or_default();
    if forwarded.is_empty() {
        parts.reply.truncate(without_rules(&parts.reply).len());
    }
    push_lines(&mut parts.reply, forwarded);
    let reply = tidy(&parts.reply);
    let first_quoted = history.quoted.iter().position(|quoted| *quoted);
    if reply.is_empty() {
        // Only a quotation: show it.
        let result = Split {
            reply_text: tidy(text),
            ..Split::default()
        };
        return TextSplit {
            result,
            interleaved: false,
            forward: false,
        };
    }
    let interleaved = first_quoted.is_some_and(|first| {
        let mut behind = lines.iter().zip(&history.quoted).skip(first);
        behind.any(|(line, quoted)| !quoted && !line.trim().is_empty())
    });
    TextSplit {
        result: Split {
            reply_text: reply,
            quoted: first_quoted.is_some(),
            signature: parts.signature.trim().to_owned(),
            ..Split::default()
        },
        interleaved,
        forward: history.forward.is_some(),
    }
}

#[derive(Default)]
struct Parts {
    reply: String,
    signature: String,
}

impl Parts {
    /// Adds a stretch of new text; `first` when the mail begins with it.
    fn add(&mut self, lines: &[&str], first: bool) {
        let top = if first { signature::leading(lines) } else { 0 };
        let (above, lines) = lines.split_at_checked(top).unwrap_or((&[], lines));
        let cut = signature::start(lines).unwrap_or(lines.len());
        let (new, below) = lines.split_at_checked(cut).unwrap_or((lines, &[]));
        push_lines(&mut self.reply, new);
        if self.signature.is_empty() {
            let marked = below.first().is_some_and(|line| signature::is_mark(line));
            push_lines(&mut self.signature, above);
            push_lines(
                &mut self.signature,
                below.get(usize::from(marked)..).unwrap_or_default(),
            );
        }
    }
}

fn push_lines(out: &mut String, lines: &[&str]) {
    for line in lines {
        out.push_str(line.trim_end());
        out.push('\n');
    }
}

/// Without the rules at the end, under which quotation or signature stood.
fn without_rules(text: &str) -> &str {
    let is_drawn =
        |c: char| c.is_whitespace() || matches!(c, '-' | '_' | '=' | '~' | '*' | '#' | '—' | '─');
    let kept = text.trim_end_matches(is_drawn);
    let rest = text.get(kept.len()..).unwrap_or_default();
    // What belongs to the last line stays with it.
    let line = rest.find('\n').map_or(text.len(), |at| kept.len() + at);
    text.get(..line).unwrap_or(text)
}

/// Trims, and leaves at most one empty line between paragraphs.
fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut empty = 0;
    for line in text.lines() {
        empty = if line.trim().is_empty() { empty + 1 } else { 0 };
        if empty <= 1 {
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
    out.trim_matches(['\n', ' ', '\t', '\u{a0}', '\u{feff}', '\u{200b}'])
        .to_owned()
}

/// A line without quotation marks, direction marks and white space around it.
fn bare(line: &str) -> &str {
    let (first, last) = (line.as_bytes().first(), line.as_bytes().last());
    if first.is_some_and(u8::is_ascii_alphanumeric) && last.is_some_and(u8::is_ascii_graphic) {
        return line;
    }
    line.trim_start_matches(|c: char| matches!(c, '>' | '*') || is_space(c))
        .trim_end_matches(is_space)
}

/// White space, and what cannot be seen: direction marks, byte order marks.
fn is_space(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// In lower case, the Turkish İ as a plain i: Unicode would leave its dot behind as a sign of its own.
fn lower(text: &str) -> String {
    let lower = text.to_lowercase();
    if lower.contains('\u{307}') {
        lower.replace('\u{307}', "")
    } else {
        lower
    }
}

/// The words of a table, between commas.
fn list(words: &'static str) -> impl Iterator<Item = &'static str> {
    words
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
}

/// The words of a table as a sorted set.
fn sorted(words: &'static str) -> Vec<&'static str> {
    let mut words: Vec<&str> = list(words).collect();
    words.sort_unstable();
    words
}

#[cfg(test)]
mod tests;
