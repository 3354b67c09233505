//! Which lines of a text are quoted history, and where a forwarded message begins.

use super::attribution::{self, Attribution};
use super::labels;
use super::marks::{self, Look, Mark};

/// Lines that are judged closely as an attribution; an ordinary mail has a dozen that look like one.
const ATTRIBUTIONS_MAX: usize = 2_000;
/// Lines an attribution may be broken into.
const ATTRIBUTION_LINES_MAX: usize = 4;
/// Empty lines (and rules) between an attribution or a mark and what it introduces.
const GAP_MAX: usize = 3;
/// Lines below an attribution that show how it is quoted.
const OWN_WAY_WITHIN: usize = 6;
/// Lines above a mark that are searched for what belongs to it.
const ABOVE_MAX: usize = 10;

/// What was found.
pub(super) struct History {
    /// For each line, whether it is quoted.
    pub(super) quoted: Vec<bool>,
    /// The line at which a forwarded message begins; all from there on is kept.
    pub(super) forward: Option<usize>,
}

/// What begins at a line that is not quoted itself.
enum Start {
    Nothing,
    Forward,
    /// Lines up to this one introduce the `>` lines that follow.
    Intro(usize),
    /// From this line on everything is history.
    Rest(usize),
}

/// Finds the quoted lines; `is_forward` when the subject says that the mail is a forward.
pub(super) fn find(lines: &[&str], is_forward: bool) -> History {
    let quoted = lines.iter().map(|line| is_marked(line)).collect();
    let mut finder = Finder {
        lines,
        quoted,
        judged: 0,
    };
    finder.mark_attributions();
    let mut forward = finder.walk();
    if is_forward && let Some(first) = finder.quoted.iter().position(|quoted| *quoted) {
        forward = Some(forward.map_or(first, |at| at.min(first)));
    }
    if let Some(at) = forward {
        finder.set(at, lines.len(), false);
    }
    finder.join_blank_lines();
    History {
        quoted: finder.quoted,
        forward,
    }
}

struct Finder<'a> {
    lines: &'a [&'a str],
    quoted: Vec<bool>,
    judged: usize,
}

impl<'a> Finder<'a> {
    fn line(&self, at: usize) -> &'a str {
        self.lines.get(at).copied().unwrap_or_default()
    }

    fn is_blank(&self, at: usize) -> bool {
        self.line(at).trim_start().is_empty()
    }

    fn is_quoted(&self, at: usize) -> bool {
        self.quoted.get(at).copied().unwrap_or(false)
    }

    fn set(&mut self, from: usize, to: usize, quoted: bool) {
        for line in self.quoted.iter_mut().take(to).skip(from) {
            *line = quoted;
        }
    }

    /// The next line that is not empty, from this one on.
    fn next(&self, from: usize) -> Option<usize> {
        (from..self.lines.len()).find(|at| !self.is_blank(*at))
    }

    fn next_is_quoted(&self, from: usize) -> bool {
        self.next(from).is_some_and(|at| self.is_quoted(at))
    }

    /// Marks the lines above a `>` quotation that say who wrote it.
    fn mark_attributions(&mut self) {
        for at in 1..self.lines.len() {
            if !self.is_quoted(at) || self.is_quoted(at - 1) {
                continue;
            }
            let Some(last) = (0..at).rev().take(GAP_MAX).find(|i| !self.is_blank(*i)) else {
                continue;
            };
            if self.is_quoted(last) || !attribution::may_end(self.line(last)) {
                continue;
            }
            if let Some(first) = self.attribution(last, Attribution::Weak) {
                self.set(first, at, true);
            }
        }
    }

    /// The first line of the attribution that ends with line `last`, at least so sure.
    ///
    /// The shortest that begins like one is taken: the line above it may be the writer's own.
    fn attribution(&self, last: usize, least: Attribution) -> Option<usize> {
        let mut text = String::new();
        let mut found = None;
        for first in (0..=last).rev().take(ATTRIBUTION_LINES_MAX) {
            if self.is_blank(first) || self.is_quoted(first) {
                break;
            }
            text.insert(0, ' ');
            text.insert_str(0, self.line(first));
            let judged = attribution::judge(&text);
            if judged < least {
                continue;
            }
            let begins = attribution::may_begin(self.line(first));
            if judged == Attribution::Sure && begins {
                return Some(first);
            }
            // A weak one that does not begin like one is taken only as a line of its own.
            let rank = match (judged, begins) {
                (Attribution::Sure, _) => 3,
                (_, true) => 2,
                _ if first == last => 1,
                _ => continue,
            };
            if found.is_none_or(|(known, _)| rank > known) {
                found = Some((rank, first));
            }
        }
        found.map(|(_, first)| first)
    }

    /// Goes through the lines until everything that follows is history or a forwarded message. Gives
    /// the line at which a forwarded message begins.
    fn walk(&mut self) -> Option<usize> {
        let mut in_quotation = false;
        let mut at = 0;
        while at < self.lines.len() {
            if self.is_blank(at) {
                at += 1;
                continue;
            }
            if self.is_quoted(at) {
                if !in_quotation && is_marked(self.line(at)) && self.quotes_a_forward(at) {
                    return Some(at);
                }
                in_quotation = true;
                at += 1;
                continue;
            }
            in_quotation = false;
            match self.start(at) {
                Start::Nothing => at += 1,
                Start::Forward => return Some(at),
                Start::Intro(end) => {
                    self.set(at, end, true);
                    in_quotation = true;
                    at = end;
                }
                Start::Rest(first) => {
                    self.set(first, self.lines.len(), true);
                    return None;
                }
            }
        }
        None
    }

    fn start(&mut self, at: usize) -> Start {
        let line = self.line(at);
        let ruled = at > 0 && marks::is_rule(self.line(at - 1));
        let drawn_above = || at > 0 && marks::is_drawn_line(self.line(at - 1));
        let certain = marks::look(line).is_some_and(|look| {
            look != Look::Headed || drawn_above() || self.label_follows(at + 1)
        });
        match certain.then(|| marks::read(line)).flatten() {
            Some(Mark::Forward) => return Start::Forward,
            Some(Mark::Original | Mark::ReplyAbove) if self.next(at + 1).is_some() => {
                return if self.next_is_quoted(at + 1) {
                    Start::Intro(at + 1)
                } else {
                    Start::Rest(self.above(at))
                };
            }
            _ => {}
        }
        let block = labels::block_end(self.lines, at, ruled).or_else(|| {
            (ruled && is_outlook_rule(self.line(at - 1)))
                .then(|| labels::unknown_block_end(self.lines, at))
                .flatten()
        });
        if let Some(end) = block {
            return if self.next_is_quoted(end) {
                Start::Intro(end)
            } else {
                Start::Rest(self.above(at))
            };
        }
        if self.judged < ATTRIBUTIONS_MAX && attribution::may_end_surely(line) {
            self.judged += 1;
            if !self.next_is_quoted(at + 1)
                && let Some(first) = self.attribution(at, Attribution::Sure)
            {
                if self.mark_own_way(at + 1) {
                    self.set(first, at, true);
                    return Start::Intro(at + 1);
                }
                return Start::Rest(first);
            }
            if attribution::glued(line) {
                return Start::Rest(at);
            }
        } else if self.judged < ATTRIBUTIONS_MAX && line.contains(':') && attribution::glued(line) {
            return Start::Rest(at);
        }
        Start::Nothing
    }

    /// Marks lines quoted in a way of their own, as the first ones below an attribution show it: with
    /// initials (`AL> old`) or a sign (`| old`). Elsewhere such lines may be what a customer pasted.
    fn mark_own_way(&mut self, from: usize) -> bool {
        let below = self.lines.iter().skip(from).take(OWN_WAY_WITHIN);
        let below = below.copied().filter(|line| !line.trim().is_empty());
        let first = below.clone().next().and_then(sign);
        let Some(own) = first.or_else(|| below.clone().find_map(initials)) else {
            return false;
        };
        for (line, quoted) in self.lines.iter().zip(&mut self.quoted).skip(from) {
            *quoted |= line.trim_start().starts_with(own)
                && (initials(line) == Some(own) || sign(line) == Some(own));
        }
        true
    }

    /// Whether the next line that says something is a field of a header block, quoted or not.
    fn label_follows(&self, from: usize) -> bool {
        self.next(from)
            .is_some_and(|at| at < from + GAP_MAX && labels::label(self.line(at)).is_some())
    }

    /// Whether a quotation that nobody is named for holds a forwarded message: Apple Mail and some
    /// webmails put `>` before what they forward.
    fn quotes_a_forward(&self, at: usize) -> bool {
        let block = |from: usize| {
            let next = (from..self.lines.len())
                .take(GAP_MAX)
                .find(|i| !super::bare(self.line(*i)).is_empty());
            next.is_some_and(|i| labels::label(self.line(i)).is_some())
        };
        let line = self.line(at);
        match marks::read(line) {
            Some(Mark::Forward) => marks::look(line) == Some(Look::Drawn) || block(at + 1),
            // Open-Xchange forwards so; Outlook's answers have five dashes.
            Some(Mark::Original) => line.contains("--------") && block(at + 1),
            Some(Mark::ReplyAbove) => false,
            None => labels::block_end(self.lines, at, false)
                .is_some_and(|end| (at..end).all(|i| self.is_quoted(i))),
        }
    }

    /// The rule, mark or attribution above a line belongs to it.
    fn above(&self, at: usize) -> usize {
        let mut start = at;
        for i in (0..at).rev().take(ABOVE_MAX) {
            let line = self.line(i);
            let drawn = || marks::look(line) == Some(Look::Drawn) && marks::read(line).is_some();
            if marks::is_drawn_line(line) || drawn() {
                start = i;
                continue;
            }
            if line.trim().is_empty() {
                continue;
            }
            // “Ada wrote:”, alone in its paragraph.
            let alone = i == 0 || self.is_blank(i - 1);
            if alone && attribution::may_end(line) && attribution::judge(line) > Attribution::No {
                start = i;
            }
            break;
        }
        start
    }

    /// Empty lines inside a quotation, and at the end below it, belong to it.
    fn join_blank_lines(&mut self) {
        let mut at = 0;
        while at < self.lines.len() {
            if !self.is_blank(at) || self.is_quoted(at) {
                at += 1;
                continue;
            }
            let end = self.next(at).unwrap_or(self.lines.len());
            let before = at > 0 && self.is_quoted(at - 1);
            let after = end == self.lines.len() || self.is_quoted(end);
            if before && after {
                self.set(at, end, true);
            }
            at = end;
        }
    }
}

/// Whether a line carries the mark of a quotation.
fn is_marked(line: &str) -> bool {
    let start = line.trim_start();
    start.starts_with('>') && !start.starts_with(">From ") || start.starts_with("&gt;")
}

/// The initials before a line's `>`.
fn initials(line: &str) -> Option<&str> {
    let (name, rest) = line.trim_start().split_once('>')?;
    let short = (1..=4).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_uppercase());
    (short && (rest.is_empty() || rest.starts_with([' ', '>']))).then_some(name)
}

/// The sign before a line, when it stands there as `>` does.
fn sign(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let (sign, rest) = line.split_at_checked(1)?;
    let fits = matches!(sign, "|" | ":" | ")" | "}" | "%" | "#" | "+" | "=");
    (fits && (rest.is_empty() || rest.starts_with(' '))).then_some(sign)
}

/// Outlook's rule has 32 characters.
fn is_outlook_rule(line: &str) -> bool {
    let line = line.trim();
    line.len() == 32 && line.bytes().all(|byte| byte == b'_')
}
