//! Status codes: finding them in a text (RFC 3463), and settling on one for a recipient.

use super::BouncedRecipient;
use super::cause::Cause;

/// Bytes of a text that are searched for codes.
const SEARCHED_MAX: usize = 16 * 1024;

/// A code, and how it stands in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Found<'a> {
    code: &'a str,
    /// It follows an SMTP reply, a `#` or a bracket: surely a code and no version number.
    is_marked: bool,
}

/// The first enhanced status code in a text.
pub(super) fn first_code(text: &str) -> Option<String> {
    let found = codes(text);
    let marked = found.iter().find(|found| found.is_marked);
    marked.or(found.first()).map(|found| found.code.to_owned())
}

/// The code that says most: of the refusing server's own where it is as exact as the reporting
/// server's, else the latter; where there is none, the one that the words stand for. `reason` is what the
/// report says of the recipient beside the diagnostic.
pub(super) fn settle(recipient: &BouncedRecipient, reason: &str) -> String {
    let stated = recipient.status.as_str();
    if stated.starts_with('2') || matches!(recipient.action.as_str(), "delivered" | "relayed") {
        return stated.to_owned();
    }
    let in_words = best(&recipient.diagnostic);
    if let Some(code) = in_words
        && (stated.is_empty() || (exactness(code) > 0 && exactness(code) >= exactness(stated)))
    {
        return code.to_owned();
    }
    if exactness(stated) == 0
        && let Some(code) = best(reason)
        && exactness(code) > 0
    {
        return code.to_owned();
    }
    if !stated.is_empty() {
        return stated.to_owned();
    }
    best(reason).map_or_else(|| derived(recipient, reason), str::to_owned)
}

/// The most exact code of a failure in a text; the first of equals, marked ones before others.
fn best(text: &str) -> Option<&str> {
    let mut best: Option<Found<'_>> = None;
    for found in codes(text) {
        let better = best.is_none_or(|known| {
            (found.is_marked, exactness(found.code)) > (known.is_marked, exactness(known.code))
        });
        if !found.code.starts_with('2') && better {
            best = Some(found);
        }
    }
    best.map(|found| found.code)
}

/// How much a code tells: `5.0.0` nothing, `5.2.0` or `4.4.7` (it took too long) a little.
fn exactness(code: &str) -> u8 {
    let mut pieces = code.split('.').skip(1);
    match (pieces.next(), pieces.next()) {
        (Some("0"), Some("0")) | (None, _) | (_, None) => 0,
        (Some("0"), _) | (_, Some("0")) | (Some("4"), Some("7")) => 1,
        _ => 2,
    }
}

/// A code for words that hold none: the class by the SMTP reply or the action, the rest by the cause.
fn derived(recipient: &BouncedRecipient, reason: &str) -> String {
    let reply = reply_code(&recipient.diagnostic);
    let cause = Cause::by_words(&recipient.diagnostic).or_else(|| Cause::by_words(reason));
    // A server that was never reached has not refused for good, even when no more is tried.
    let unanswered = matches!(cause, Some(Cause::NoAnswer | Cause::Expired));
    let class = match reply {
        Some(400..=499) => '4',
        Some(_) => '5',
        None if unanswered || recipient.action == "delayed" => '4',
        None => '5',
    };
    match (cause, reply) {
        (Some(cause), _) => format!("{class}.{}", cause.code()),
        (None, Some(_)) => format!("{class}.0.0"),
        (None, None) => String::new(),
    }
}

/// The first SMTP reply code of a failure in a text: `550`, `421`.
pub(super) fn reply_code(text: &str) -> Option<u16> {
    head(text)
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '@')
        .filter(|word| word.len() == 3)
        .filter_map(|word| word.parse::<u16>().ok())
        .find(|code| matches!(code, 421 | 430..=459 | 471 | 500..=559 | 571))
}

fn head(text: &str) -> &str {
    text.get(..text.floor_char_boundary(SEARCHED_MAX))
        .unwrap_or(text)
}

fn codes(text: &str) -> Vec<Found<'_>> {
    let text = head(text);
    let mut found = Vec::new();
    for (at, _) in text.match_indices(['2', '4', '5']) {
        let (before, rest) = text.split_at_checked(at).unwrap_or_default();
        let previous = before.chars().next_back();
        if previous.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '/' | '@')) {
            continue;
        }
        let end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or_default();
        let follows = rest.get(end..).and_then(|rest| rest.chars().next());
        let code = word.strip_suffix('.').unwrap_or(word);
        if is_code(code) && !follows.is_some_and(|c| c.is_alphanumeric()) && !is_version(before) {
            found.push(Found {
                code,
                is_marked: is_marked(before),
            });
        }
    }
    found
}

/// `class.subject.detail` with the subjects of RFC 3463 section 3.
fn is_code(word: &str) -> bool {
    let mut pieces = word.split('.');
    let class = pieces.next().unwrap_or_default();
    let (subject, detail) = (pieces.next(), pieces.next());
    matches!(class, "2" | "4" | "5")
        && matches!(subject, Some("0" | "1" | "2" | "3" | "4" | "5" | "6" | "7"))
        && detail.is_some_and(|d| (1..=3).contains(&d.len()))
        && pieces.next().is_none()
}

fn is_marked(before: &str) -> bool {
    let trimmed = before.trim_end_matches([' ', '-', ':', '\t']);
    if trimmed.is_empty() || trimmed.ends_with(['#', '(', '[', ';', '<']) {
        return true;
    }
    let mut digits = trimmed.chars().rev();
    let reply = digits.by_ref().take(3).all(|c| c.is_ascii_digit());
    reply
        && trimmed.len() >= 3
        && !digits
            .next()
            .is_some_and(|c| c.is_alphanumeric() || c == '.')
}

fn is_version(before: &str) -> bool {
    let word = before.trim_end().rsplit([' ', '(', '\n']).next();
    word.is_some_and(|word| {
        [
            "version", "release", "ver", "v", "postfix", "sendmail", "exim",
        ]
        .iter()
        .any(|name| word.eq_ignore_ascii_case(name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(status: &str, diagnostic: &str) -> String {
        let recipient = BouncedRecipient {
            address: "ada@example.org".to_owned(),
            action: "failed".to_owned(),
            status: status.to_owned(),
            diagnostic: diagnostic.to_owned(),
            final_address: None,
        };
        settle(&recipient, "")
    }

    #[test]
    fn codes_are_found_and_versions_and_addresses_are_not_taken_for_them() {
        let first = |text: &str| first_code(text).unwrap_or_default();
        assert_eq!(first("550 5.1.1 user unknown"), "5.1.1");
        assert_eq!(first("550-5.7.26 not accepted"), "5.7.26");
        assert_eq!(first("sorry, no mailbox here (#5.1.1)"), "5.1.1");
        assert_eq!(first("connect to 10.0.0.5: refused 4.4.1"), "4.4.1");
        assert_eq!(first("host 5.1.1.9 said no"), "");
        assert_eq!(first("Example Mailer version 5.2.1"), "");
        assert_eq!(first("on 4.8.2020"), "");
    }

    #[test]
    fn the_refusing_servers_code_counts_before_a_vaguer_one() {
        assert_eq!(settled("5.0.0", "550 5.1.1 User unknown"), "5.1.1");
        assert_eq!(settled("5.1.1", "550 5.7.1 address is listed"), "5.7.1");
        assert_eq!(settled("4.4.7", "450 4.7.1 no name for 192.0.2.1"), "4.7.1");
        assert_eq!(settled("5.1.1", "554 5.0.0 Service unavailable"), "5.1.1");
        assert_eq!(settled("5.0.0", "rejected"), "5.0.0");
    }

    #[test]
    fn words_without_a_code_get_the_code_they_stand_for() {
        assert_eq!(settled("", "550 No such user here"), "5.1.1");
        assert_eq!(settled("", "452 mailbox is full"), "4.2.2");
        assert_eq!(settled("", "Host unknown"), "5.1.2");
        assert_eq!(settled("", "554 go away"), "5.0.0");
        assert_eq!(settled("", "nothing known"), "");
    }
}
