//! What the receiving server found out about the sender: the Authentication-Results field (RFC 8601).

use serde::Serialize;

use crate::mail::header::{Headers, without_comments};
use crate::mail::parse::Parsed;

/// The names under which Exchange Online writes the field. The empty one stands for none: it
/// usually begins with the first result, which RFC 8601 section 2.2 does not allow.
pub const EXCHANGE: &[&str] = &["", "outlook.com", "office365.com"];

/// The receiving server's verdicts, in its own words (`pass`, `fail`, `none`, `softfail` …).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Authentication {
    /// Whether the sending server may send for the envelope's domain.
    pub spf: Option<String>,
    /// Whether a signature is valid; `pass` when one of several is.
    pub dkim: Option<String>,
    /// Whether the visible From domain agrees with one of the two.
    pub dmarc: Option<String>,
}

/// The verdicts with what else the receiving server wrote beside them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdicts {
    /// SPF, DKIM and DMARC.
    pub authentication: Authentication,
    /// Exchange's own sum of all of them, `compauth`: `pass`, `softpass`, `none`, `fail`.
    pub composite: Option<String>,
    /// What DMARC asked for or what was done: `none`, `quarantine`, `reject`, `oreject` …
    pub action: Option<String>,
}

/// Reads the topmost Authentication-Results field. Only that one was written by the server that keeps
/// the mailbox; those below came with the message and may be invented.
#[must_use]
pub fn authentication(message: &Parsed) -> Option<Authentication> {
    let found = read(&message.headers.text("authentication-results")?).authentication;
    (found != Authentication::default()).then_some(found)
}

/// Reads the topmost Authentication-Results field if it was written by one of `receivers`, names of servers
/// or domains of them; an empty name is a field without one. A server that checks nothing leaves a field
/// on top that the sender may have written.
#[must_use]
pub fn verdicts(headers: &Headers, receivers: &[&str]) -> Option<Verdicts> {
    let text = headers.text("authentication-results")?;
    let name = server_name(&text);
    let is_known = receivers.iter().any(|known| {
        name == *known
            || (!known.is_empty()
                && name
                    .strip_suffix(known)
                    .is_some_and(|head| head.ends_with('.')))
    });
    let found = read(&text);
    (is_known && found != Verdicts::default()).then_some(found)
}

/// The authserv-id: the first word of the first clause, unless that is a result already.
fn server_name(text: &str) -> String {
    let bare = without_comments(text);
    let first = bare.split(';').next().unwrap_or_default();
    let word = first.split_whitespace().next().unwrap_or_default();
    if word.contains('=') {
        String::new()
    } else {
        word.to_ascii_lowercase()
    }
}

fn read(text: &str) -> Verdicts {
    let mut found = Verdicts::default();
    for clause in without_comments(text).split(';') {
        for (place, word) in clause.split_whitespace().enumerate() {
            let Some((name, value)) = word.split_once('=') else {
                continue;
            };
            let name = name
                .split('/')
                .next()
                .unwrap_or_default()
                .to_ascii_lowercase();
            let value: String = value
                .chars()
                .take_while(char::is_ascii_alphanumeric)
                .take(20)
                .collect::<String>()
                .to_ascii_lowercase();
            let is_result = place == 0;
            let slot = match name.as_str() {
                "spf" if is_result => &mut found.authentication.spf,
                "dkim" if is_result => &mut found.authentication.dkim,
                "dmarc" if is_result => &mut found.authentication.dmarc,
                "compauth" => &mut found.composite,
                "action" => &mut found.action,
                _ => continue,
            };
            if !value.is_empty() && (slot.is_none() || value == "pass") {
                *slot = Some(value);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::parse;

    fn read(fields: &str) -> Option<Authentication> {
        authentication(&parse(format!("{fields}\r\n\r\n").as_bytes()).0)
    }

    fn words(spf: &str, dkim: &str, dmarc: &str) -> Option<Authentication> {
        let word = |word: &str| Some(word.to_owned());
        Some(Authentication {
            spf: word(spf),
            dkim: word(dkim),
            dmarc: word(dmarc),
        })
    }

    #[test]
    fn microsofts_form_without_a_server_name_is_read() {
        let field = "Authentication-Results: spf=pass (sender IP is 1.2.3.4; fine)\r\n smtp.mailfrom=x.org; dkim=fail (body\r\n \
                     hash did not verify) header.d=x.org;dmarc=bestguesspass action=none header.from=x.org;compauth=pass reason=109";
        assert_eq!(read(field), words("pass", "fail", "bestguesspass"));
        let (parsed, _) = parse(format!("{field}\r\n\r\n").as_bytes());
        let found = verdicts(&parsed.headers, EXCHANGE).unwrap();
        assert_eq!(
            (found.composite.as_deref(), found.action.as_deref()),
            (Some("pass"), Some("none"))
        );
    }

    #[test]
    fn only_the_topmost_field_counts() {
        let fields = "Authentication-Results: mx.x.org; spf=fail; dkim=none; dkim=pass header.d=y; dmarc=fail\r\n\
                      Authentication-Results: evil; spf=pass; dkim=pass; dmarc=pass";
        assert_eq!(read(fields), words("fail", "pass", "fail"));
    }

    #[test]
    fn a_field_of_a_server_that_is_not_ours_proves_nothing() {
        let of = |field: &str| {
            let (parsed, _) = parse(format!("{field}\r\n\r\n").as_bytes());
            verdicts(&parsed.headers, EXCHANGE).is_some()
        };
        assert!(of("Authentication-Results: dkim=pass; spf=pass"));
        assert!(of(
            "Authentication-Results: mail.protection.outlook.com; dkim=pass"
        ));
        assert!(!of("Authentication-Results: evil.example; dkim=pass"));
        assert!(!of("Authentication-Results: notoutlook.com; dkim=pass"));
        let (parsed, _) = parse(b"Authentication-Results: mx.example.org 1; dmarc=pass\r\n\r\n");
        assert!(verdicts(&parsed.headers, &["example.org"]).is_some());
    }

    #[test]
    fn a_message_without_the_field_has_no_verdicts() {
        assert_eq!(read("Subject: x"), None);
        assert_eq!(read("Authentication-Results: mx.x.org; none"), None);
    }
}
