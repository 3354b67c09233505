//! Recipients and reasons by a report's words, for servers that do not write RFC 3464.

use super::super::parse::Parsed;
use super::anchor::{anchor, bare_address, is_transcript};
use super::named::{Found, local_names, loose, transcript};
use super::status;
use super::words::{self, fold};
use super::{BouncedRecipient, DIAGNOSTIC_MAX};

/// Lines of a report that are read.
const LINES_MAX: usize = 2_000;
/// Lines of one reason.
const REASON_LINES_MAX: usize = 10;
/// Lines that are searched for words that name a cause.
const CAUSE_LINES_MAX: usize = 200;

/// An address at a place where a report names a recipient.
struct Anchor<'a> {
    line: usize,
    address: &'a str,
    /// What follows on the line.
    rest: &'a str,
}

/// What a report's own words tell.
pub(super) struct Words<'a> {
    lines: Vec<&'a str>,
    named: Vec<(&'a str, String)>,
    /// The reason for all: the first lines that hold a server's reply, or name a known cause.
    general: String,
}

impl<'a> Words<'a> {
    /// Reads the text of a report, without what it returned.
    pub(super) fn read(own: &'a str) -> Self {
        let lines: Vec<&str> = own.lines().take(LINES_MAX).collect();
        let anchors = anchors(&lines);
        let mut named: Vec<(&str, String)> = Vec::new();
        let mut below: Option<(usize, String)> = None;
        for anchor in anchors.iter().rev() {
            let until = below.as_ref().map_or(lines.len(), |(line, _)| *line);
            let mut reason = reason_at(&lines, anchor, until);
            // A list of addresses has its reason below the last.
            if let Some((line, shared)) = &below
                && reason.is_empty()
                && *line == anchor.line + 1
            {
                reason.clone_from(shared);
            }
            below = Some((anchor.line, reason.clone()));
            named.push((anchor.address, reason));
        }
        named.reverse();
        Self {
            named,
            general: general_reason(&lines),
            lines,
        }
    }

    /// The reason given for one address, for reports whose standard part has none; `alone` when they
    /// speak of no other.
    pub(super) fn reason(&self, address: &str, alone: bool) -> &str {
        let own = |(named, reason): &&(&str, String)| {
            named.eq_ignore_ascii_case(address) && !reason.is_empty()
        };
        let own = self.named.iter().find(own);
        own.map_or_else(|| self.general_for(alone), |(_, reason)| reason.as_str())
    }

    /// The reason for all, unless it is the one given for somebody else.
    fn general_for(&self, alone: bool) -> &str {
        let start = |text: &str| text.chars().take(40).collect::<String>();
        let is_anothers = || {
            self.named.iter().any(|(_, reason)| {
                !reason.is_empty()
                    && (self.general.contains(&start(reason))
                        || reason.contains(&start(&self.general)))
            })
        };
        if alone || !is_anothers() {
            &self.general
        } else {
            ""
        }
    }

    /// The recipients that the words name.
    pub(super) fn recipients(
        &self,
        message: &Parsed,
        action: &'static str,
    ) -> Vec<BouncedRecipient> {
        let mut found = Found {
            list: Vec::new(),
            action,
        };
        // Exim and Gmail name them in a field of its own; the reasons stand in the text.
        for list in message.headers.texts("x-failed-recipients") {
            for address in list.split([',', ' ']) {
                found.add(address, "");
            }
        }
        for (address, reason) in &self.named {
            found.add(address, reason);
            if let Some((_, before)) = reason.split_once("xpanded from")
                && let Some(address) = before.split_whitespace().find_map(bare_address)
            {
                found.add(address, reason);
            }
        }
        if found.list.is_empty() {
            transcript(&self.lines, &mut found);
        }
        if found.list.is_empty() {
            loose(message, &self.lines, &mut found);
        }
        if found.list.is_empty() {
            local_names(message, &self.lines, &mut found);
        }
        found.drop_addressees(message);
        let general = self.general_for(found.list.len() == 1);
        for recipient in &mut found.list {
            if !tells(&recipient.diagnostic) && !general.is_empty() {
                general.clone_into(&mut recipient.diagnostic);
            }
        }
        found.list
    }
}

/// Whether a reason has a code or a cause in it.
fn tells(reason: &str) -> bool {
    status::first_code(reason).is_some()
        || status::reply_code(reason).is_some()
        || super::cause::Cause::by_words(reason).is_some()
}

/// `delayed` when the report only warns, else `failed`.
pub(super) fn action(message: &Parsed, own: &str) -> &'static str {
    let subject = fold(&message.subject, 300);
    let text = fold(own, 3_000);
    let delayed =
        words::holds(&subject, words::DELAY_SUBJECTS) || words::holds(&text, words::DELAY_TEXTS);
    let failed = words::holds(&subject, words::FAILURE_SUBJECTS)
        || words::holds(&text, words::FAILURE_TEXTS);
    if delayed && !failed {
        "delayed"
    } else {
        "failed"
    }
}

fn anchors<'a>(lines: &[&'a str]) -> Vec<Anchor<'a>> {
    let mut anchors = Vec::new();
    for (line, text) in lines.iter().enumerate() {
        if let Some((address, rest)) = anchor(text) {
            anchors.push(Anchor {
                line,
                address,
                rest,
            });
        }
    }
    anchors
}

/// What is said behind an address: the rest of its line and the lines up to an empty one; where
/// nothing stands there, the next paragraph.
fn reason_at(lines: &[&str], anchor: &Anchor<'_>, until: usize) -> String {
    let rest = anchor
        .rest
        .trim_start_matches(['>', ':', ' ', ']', ',', ';', '.', '"', '-', '\t'])
        .trim();
    if is_transcript(rest) {
        return rest.to_owned();
    }
    let mut reason = rest.to_owned();
    let mut taken = usize::from(!rest.is_empty());
    let following = lines.get(anchor.line + 1..until).unwrap_or_default();
    for line in following {
        let line = line.trim();
        if line.is_empty() {
            if taken > 0 {
                break;
            }
            continue;
        }
        if line.starts_with("__")
            || line.starts_with("---")
            || line.starts_with("===")
            || line.starts_with("***")
            || taken >= REASON_LINES_MAX
        {
            break;
        }
        if !reason.is_empty() {
            reason.push(' ');
        }
        reason.push_str(line);
        taken += 1;
    }
    // What the report says of itself is no server's reason.
    if words::holds(&fold(&reason, 200), words::DELAY_TEXTS) && !tells(&reason) {
        return String::new();
    }
    reason
}

/// The first lines that hold a server's reply or a known cause: the reason for all.
fn general_reason(lines: &[&str]) -> String {
    let refused = |line: &&&str| {
        let line = line.trim_start_matches(['<', '>', ' ', '\t']);
        let class = line.chars().next();
        matches!(class, Some('4' | '5'))
            && status::reply_code(line.get(..3).unwrap_or_default()).is_some()
    };
    let has_code = |line: &&&str| {
        status::reply_code(line).is_some()
            && status::first_code(line).is_some_and(|code| !code.starts_with('2'))
    };
    let names_cause = |line: &&&str| {
        super::cause::Cause::by_words(line).is_some()
            && !words::holds(&fold(line, 300), words::DELAY_TEXTS)
    };
    let at = lines
        .iter()
        .position(|line| has_code(&line))
        .or_else(|| lines.iter().position(|line| refused(&line)))
        .or_else(|| {
            let mut first = lines.iter().take(CAUSE_LINES_MAX);
            first.position(|line| names_cause(&line))
        });
    let Some(at) = at else {
        return String::new();
    };
    let paragraph = lines.get(at..).unwrap_or_default().iter();
    let text: Vec<&str> = paragraph
        .map(|line| line.trim())
        .take_while(|line| !line.is_empty())
        .take(4)
        .collect();
    text.join(" ").chars().take(DIAGNOSTIC_MAX).collect()
}
