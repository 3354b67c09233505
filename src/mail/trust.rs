//! What the receiving server found out about the sender: the Authentication-Results field (RFC 8601).

use serde::Serialize;

use super::parse::Parsed;

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

/// Reads the topmost Authentication-Results field. Only that one was written by the server that keeps
/// the mailbox; those below came with the message and may be invented.
#[must_use]
pub fn authentication(message: &Parsed) -> Option<Authentication> {
    let text = message.headers.text("authentication-results")?;
    let mut found = Authentication::default();
    for clause in without_comments(&text).split(';') {
        let Some(result) = clause.split_whitespace().next() else {
            continue;
        };
        let Some((method, verdict)) = result.split_once('=') else {
            continue;
        };
        let method = method
            .split('/')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let verdict: String = verdict
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .take(20)
            .collect::<String>()
            .to_ascii_lowercase();
        let slot = match method.as_str() {
            "spf" => &mut found.spf,
            "dkim" => &mut found.dkim,
            "dmarc" => &mut found.dmarc,
            _ => continue,
        };
        if !verdict.is_empty() && (slot.is_none() || verdict == "pass") {
            *slot = Some(verdict);
        }
    }
    (found != Authentication::default()).then_some(found)
}

fn without_comments(text: &str) -> String {
    let mut depth = 0usize;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::parse;

    fn read(fields: &str) -> Option<Authentication> {
        authentication(&parse(format!("{fields}\r\n\r\n").as_bytes()).0)
    }

    fn verdicts(spf: &str, dkim: &str, dmarc: &str) -> Option<Authentication> {
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
        assert_eq!(read(field), verdicts("pass", "fail", "bestguesspass"));
    }

    #[test]
    fn only_the_topmost_field_counts() {
        let fields = "Authentication-Results: mx.x.org; spf=fail; dkim=none; dkim=pass header.d=y; dmarc=fail\r\n\
                      Authentication-Results: evil; spf=pass; dkim=pass; dmarc=pass";
        assert_eq!(read(fields), verdicts("fail", "pass", "fail"));
    }

    #[test]
    fn a_message_without_the_field_has_no_verdicts() {
        assert_eq!(read("Subject: x"), None);
        assert_eq!(read("Authentication-Results: mx.x.org; none"), None);
    }
}
