//! What is new in a reply: the text without quoted history and signature.
//!
//! When in doubt more is shown: text the writer wrote must never disappear, a quotation too many does
//! no harm. The decision is made line by line on the plain text; the marks in the HTML help where the
//! plain text has none, and tell where the HTML can be folded.

mod html;
mod patterns;
mod signature;

use patterns::{Attribution, Label};

use super::html::to_text;

/// Lines judged; what follows is kept as it is.
const LINES_MAX: usize = 50_000;
/// Lines that are judged closely as an attribution; an ordinary mail has a dozen that look like one.
const ATTRIBUTIONS_MAX: usize = 2_000;

/// A message's text taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Split {
    /// What the writer newly wrote.
    pub reply_text: String,
    /// Whether quoted history was taken out.
    pub quoted: bool,
    /// The signature, without its mark; empty when there is none.
    pub signature: String,
    /// Byte offset in the HTML at which the quoted history begins and nothing new follows; the page
    /// folds what lies behind.
    pub html_split: Option<usize>,
}

/// Takes a message's text apart; `html` is its raw HTML when it has one.
#[must_use]
pub fn split(text: &str, html: Option<&str>) -> Split {
    let mut split = split_text(text);
    let Some(html) = html else {
        return split.result;
    };
    let Some(extent) = html::find(html) else {
        return split.result;
    };
    let before = to_text(html.get(..extent.start).unwrap_or_default());
    let after = to_text(html.get(extent.end..).unwrap_or_default());
    let top_posted = after.trim().is_empty() && !before.trim().is_empty();
    if !top_posted {
        return split.result;
    }
    if !split.result.quoted {
        // The plain text shows no quotation, but the HTML does (a language we do not know).
        let by_html = split_text(&before);
        split.result = Split {
            quoted: true,
            ..by_html.result
        };
        split.interleaved = by_html.interleaved;
    }
    if !split.interleaved {
        split.result.html_split = Some(extent.start);
    }
    split.result
}

struct TextSplit {
    result: Split,
    /// New text stands between or under quoted lines.
    interleaved: bool,
}

fn split_text(text: &str) -> TextSplit {
    let lines: Vec<&str> = text.lines().take(LINES_MAX).collect();
    let quoted = quoted_lines(&lines);
    let first_quoted = quoted.iter().position(|quoted| *quoted);
    let last_quoted = quoted.iter().rposition(|quoted| *quoted);
    let mut reply = String::new();
    let mut signature = String::new();
    let mut at = 0;
    while at < lines.len() {
        let is_quoted = |i: usize| quoted.get(i).copied().unwrap_or(false);
        let end = (at..lines.len())
            .find(|i| is_quoted(*i) != is_quoted(at))
            .unwrap_or(lines.len());
        let run = lines.get(at..end).unwrap_or_default();
        if !is_quoted(at) {
            let cut = signature::start(run).unwrap_or(run.len());
            push_lines(&mut reply, run.get(..cut).unwrap_or_default());
            if signature.is_empty() {
                push_signature(&mut signature, run.get(cut..).unwrap_or_default());
            }
        }
        at = end;
    }
    let reply = tidy(&reply);
    if reply.is_empty() {
        // Only a quotation, or a forwarded mail without a word: show it.
        let result = Split {
            reply_text: tidy(text),
            ..Split::default()
        };
        return TextSplit {
            result,
            interleaved: false,
        };
    }
    let interleaved = match (first_quoted, last_quoted) {
        (Some(_), Some(last)) => lines
            .get(last + 1..)
            .unwrap_or_default()
            .iter()
            .chain(between(&lines, &quoted))
            .any(|line| !line.trim().is_empty()),
        _ => false,
    };
    let signature = signature.trim().to_owned();
    TextSplit {
        result: Split {
            reply_text: reply,
            quoted: first_quoted.is_some(),
            signature,
            html_split: None,
        },
        interleaved,
    }
}

/// Lines that are not quoted, after the first quoted one.
fn between<'a>(lines: &'a [&'a str], quoted: &'a [bool]) -> impl Iterator<Item = &'a &'a str> {
    lines
        .iter()
        .zip(quoted)
        .skip_while(|(_, quoted)| !**quoted)
        .filter(|(_, quoted)| !**quoted)
        .map(|(line, _)| line)
}

fn push_lines(out: &mut String, lines: &[&str]) {
    for line in lines {
        out.push_str(line.trim_end());
        out.push('\n');
    }
}

fn push_signature(out: &mut String, lines: &[&str]) {
    let marked = lines
        .first()
        .is_some_and(|line| matches!(line.trim(), "--" | "—" | "__"));
    push_lines(out, lines.get(usize::from(marked)..).unwrap_or_default());
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
    out.trim_matches(['\n', ' ', '\t', '\u{a0}']).to_owned()
}

/// Marks each line as quoted or not.
fn quoted_lines(lines: &[&str]) -> Vec<bool> {
    let mut quoted: Vec<bool> = lines.iter().map(|line| is_marked(line)).collect();
    mark_attributions(lines, &mut quoted);
    if let Some(start) = rest_start(lines, &quoted) {
        for line in quoted.iter_mut().skip(start) {
            *line = true;
        }
    }
    // Empty lines inside a quotation belong to it.
    let mut previous = false;
    for at in 0..lines.len() {
        let blank = lines.get(at).is_some_and(|line| line.trim().is_empty());
        if blank && previous {
            let next = (at + 1..lines.len())
                .find(|i| lines.get(*i).is_some_and(|line| !line.trim().is_empty()));
            let next_quoted = next.is_none_or(|i| quoted.get(i).copied().unwrap_or(false));
            if next_quoted && let Some(line) = quoted.get_mut(at) {
                *line = true;
            }
        }
        previous = quoted.get(at).copied().unwrap_or(false);
    }
    quoted
}

fn is_marked(line: &str) -> bool {
    let start = line.trim_start();
    start.starts_with('>') && !start.starts_with(">From ") || start.starts_with("&gt;")
}

/// Marks the lines above a `>` quotation that say who wrote it.
fn mark_attributions(lines: &[&str], quoted: &mut [bool]) {
    for at in 1..lines.len() {
        let is_quoted = |i: usize| quoted.get(i).copied().unwrap_or(false);
        if !is_quoted(at) || is_quoted(at - 1) {
            continue;
        }
        let blank = |i: usize| lines.get(i).is_none_or(|line| line.trim().is_empty());
        let Some(last) = (0..at).rev().take(3).find(|i| !blank(*i)) else {
            continue;
        };
        // Up to four lines without a gap, the shortest first.
        let starts: Vec<usize> = (0..=last)
            .rev()
            .take(4)
            .take_while(|i| !blank(*i) && !is_quoted(*i))
            .collect();
        if let Some(first) = attribution_above(lines, last, &starts) {
            for line in quoted.iter_mut().take(at).skip(first) {
                *line = true;
            }
        }
    }
}

/// Which of the possible first lines begins the attribution that ends with line `last`.
fn attribution_above(lines: &[&str], last: usize, starts: &[usize]) -> Option<usize> {
    let part = |first: usize| lines.get(first..=last).unwrap_or_default();
    let judged: Vec<(usize, Attribution, bool)> = starts
        .iter()
        .map(|first| {
            let begins = lines
                .get(*first)
                .is_some_and(|line| patterns::may_begin_attribution(line));
            (
                *first,
                patterns::attribution(&part(*first).join(" ")),
                begins,
            )
        })
        .collect();
    let find = |wanted: Attribution, must_begin: bool| {
        let fits = |(_, found, begins): &&(usize, Attribution, bool)| {
            *found == wanted && (*begins || !must_begin)
        };
        judged.iter().find(fits).map(|(first, ..)| *first)
    };
    find(Attribution::Sure, true)
        .or_else(|| find(Attribution::Sure, false))
        .or_else(|| find(Attribution::Weak, true))
        .or_else(|| {
            judged
                .first()
                .filter(|(_, found, _)| *found == Attribution::Weak)
                .map(|(first, ..)| *first)
        })
        .or_else(|| {
            part(last)
                .iter()
                .any(|line| patterns::is_separator(line))
                .then_some(last)
        })
}

/// The line from which on everything is history: a header block, a separator, or an attribution that
/// no `>` lines follow.
fn rest_start(lines: &[&str], quoted: &[bool]) -> Option<usize> {
    let mut judged = 0;
    for at in 0..lines.len() {
        let Some(line) = lines.get(at) else {
            break;
        };
        if line.trim().is_empty() || quoted.get(at).copied().unwrap_or(false) {
            continue;
        }
        let next_quoted = |from: usize| {
            let next =
                (from..lines.len()).find(|i| lines.get(*i).is_some_and(|l| !l.trim().is_empty()));
            next.is_some_and(|i| quoted.get(i).copied().unwrap_or(false))
        };
        if let Some(end) = header_block(lines, at)
            && !next_quoted(end)
        {
            return Some(above_block(lines, at));
        }
        if patterns::is_separator(line) && !next_quoted(at + 1) && something_follows(lines, at) {
            return Some(at);
        }
        let may_be = judged < ATTRIBUTIONS_MAX && patterns::may_hold_attribution(line);
        judged += usize::from(may_be);
        if may_be
            && let Some((start, end)) = attribution_at(lines, at)
            && !next_quoted(end)
        {
            return Some(start);
        }
    }
    None
}

/// An attribution that begins at this line or up to three lines later and is sure by itself: its
/// first line and the line after it.
fn attribution_at(lines: &[&str], at: usize) -> Option<(usize, usize)> {
    let sure = |from: usize, to: usize| {
        let part = lines.get(from..to).unwrap_or_default();
        !part.iter().any(|line| line.trim().is_empty())
            && !part.is_empty()
            && patterns::attribution(&part.join(" ")) == Attribution::Sure
    };
    let end = (at + 1..=at + 4).find(|end| *end <= lines.len() && sure(at, *end))?;
    if lines
        .get(at)
        .is_some_and(|line| patterns::may_begin_attribution(line))
    {
        return Some((at, end));
    }
    // The line above may be the writer's own: the shortest attribution counts.
    let start = (at..end).rev().find(|start| sure(*start, end))?;
    Some((start, end))
}

fn something_follows(lines: &[&str], at: usize) -> bool {
    lines
        .get(at + 1..)
        .unwrap_or_default()
        .iter()
        .any(|line| !line.trim().is_empty())
}

/// A header block at this line: From and at least two of Sent, To, Subject close together. Gives the
/// line after it.
fn header_block(lines: &[&str], at: usize) -> Option<usize> {
    let first = lines.get(at).and_then(|line| patterns::label(line))?;
    if !matches!(
        first,
        Label::From | Label::Date | Label::Subject | Label::To
    ) {
        return None;
    }
    let mut seen = vec![first];
    let mut end = at + 1;
    let mut other = 0;
    for (i, line) in lines.iter().enumerate().skip(at + 1).take(14) {
        match patterns::label(line) {
            Some(label) => {
                if !seen.contains(&label) {
                    seen.push(label);
                }
                end = i + 1;
                other = 0;
            }
            // A long list of recipients goes on in the next lines; an address may stand below its label.
            None => {
                other += 1;
                if other > 3 {
                    break;
                }
            }
        }
    }
    let complete = seen.contains(&Label::From)
        && (seen.contains(&Label::Date) || seen.contains(&Label::Subject))
        && seen.len() >= 3;
    complete.then_some(end)
}

/// The separator or rule above a header block belongs to it.
fn above_block(lines: &[&str], at: usize) -> usize {
    let mut start = at;
    for i in (0..at).rev().take(3) {
        let Some(line) = lines.get(i) else {
            break;
        };
        if patterns::is_separator(line) || patterns::is_rule(line) {
            start = i;
        } else if !line.trim().is_empty() {
            break;
        }
    }
    start
}

#[cfg(test)]
mod tests;
