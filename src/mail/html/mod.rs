//! HTML in mail: shown safely, turned into text, made from text.
//!
//! [`sanitize`] is for what strangers sent, [`sanitize_outgoing`] for what an agent typed in the
//! editor. The sanitised fragment is meant for a frame of its own, sandboxed and with its own
//! content security policy; the caller puts that document together.
//!
//! `sanitize` reduces to allowed elements and attributes, `rewrite` then writes each tag anew: styles by
//! `css` (sheets) and `declarations`, colours for dark pages by `colour`, pictures by `pictures`, where
//! links lead by `links`. `cost` refuses what would take hours, `scan` reads HTML without a tree.

mod colour;
mod cost;
mod css;
mod declarations;
mod links;
mod pictures;
mod rewrite;
mod sanitize;
pub(crate) mod scan;
mod text;

pub use sanitize::{Display, Sanitized, sanitize, sanitize_outgoing};
pub use text::to_text;

use scan::{Scanner, Token};

/// Escapes text for HTML content and attribute values.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

/// Plain text as HTML: escaped, line breaks kept, web and mail addresses made links.
#[must_use]
pub fn text_to_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    let mut first = true;
    for line in text.lines() {
        if !first {
            out.push_str("<br>\n");
        }
        first = false;
        let body = line.trim_start_matches(' ');
        for _ in 0..line.len() - body.len() {
            out.push_str("&nbsp;");
        }
        for word in body.split_inclusive([' ', '\t']) {
            push_word(&mut out, word);
        }
    }
    out
}

fn push_word(out: &mut String, word: &str) {
    let core = word.trim_matches(|c: char| {
        c.is_whitespace() || matches!(c, '<' | '>' | '(' | '[' | '"' | '\'' | '*' | '_')
    });
    let core = core.trim_end_matches(['.', ',', ';', ':', '!', '?', ']']);
    // A closing bracket belongs to the address only when an opening one does.
    let core = if core.contains('(') {
        core
    } else {
        core.trim_end_matches(')')
    };
    let core = core.trim_end_matches(['.', ',', ';', ':', '!', '?', '>', '"', '\'']);
    let target = link_target(core);
    let (Some(target), Some((before, after))) = (target, word.split_once(core)) else {
        out.push_str(&escape(word));
        return;
    };
    out.push_str(&escape(before));
    out.push_str("<a href=\"");
    out.push_str(&escape(&target));
    out.push_str("\" target=\"_blank\" rel=\"noopener noreferrer\">");
    out.push_str(&escape(core));
    out.push_str("</a>");
    out.push_str(&escape(after));
}

fn link_target(word: &str) -> Option<String> {
    let has = |prefix: &str| {
        word.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
            && word.len() > prefix.len()
    };
    if has("http://") || has("https://") || has("mailto:") {
        return Some(word.to_owned());
    }
    if has("www.") && word.matches('.').count() > 1 {
        return Some(format!("https://{word}"));
    }
    let (local, domain) = word.split_once('@')?;
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '+');
    let valid = !local.is_empty()
        && local.chars().all(plain)
        && domain.contains('.')
        && !domain.starts_with('.')
        && domain
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '.' | '-'));
    valid.then(|| format!("mailto:{word}"))
}

/// The start of a text on one line, for lists: white space collapsed, links' addresses and quotation
/// marks left out, cut at a word with an ellipsis.
#[must_use]
pub fn preview(text: &str, max_chars: usize) -> String {
    let mut out = String::new();
    let mut length = 0;
    let lines = text.lines().filter(|line| !line.starts_with('>'));
    for word in lines.flat_map(str::split_whitespace) {
        let is_rule =
            word.chars().count() > 3 && word.chars().all(|c| matches!(c, '_' | '-' | '=' | '*'));
        let is_address = word.starts_with("<http") && word.ends_with('>');
        if is_rule || is_address {
            continue;
        }
        let word: String = word.chars().filter(|c| !c.is_control()).collect();
        let count = word.chars().count();
        if length + count + 1 > max_chars {
            if out.is_empty() {
                out = word.chars().take(max_chars.saturating_sub(1)).collect();
            }
            out.push('…');
            return out;
        }
        if !out.is_empty() {
            out.push(' ');
            length += 1;
        }
        out.push_str(&word);
        length += count;
    }
    out
}

/// The character set an HTML document declares in its head, when its part does not.
pub(crate) fn declared_charset(bytes: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(bytes.get(..4096).unwrap_or(bytes)).into_owned();
    for (_, token) in Scanner::new(&head) {
        let Token::Open(tag) = token else {
            continue;
        };
        if tag.name == "body" {
            return None;
        }
        if tag.name != "meta" {
            continue;
        }
        if let Some(charset) = tag.attribute("charset") {
            return Some(charset);
        }
        let content = tag
            .attribute("content")
            .unwrap_or_default()
            .to_ascii_lowercase();
        if let Some((_, charset)) = content.split_once("charset=") {
            return Some(charset.trim().to_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_becomes_html_with_links_and_line_breaks() {
        assert_eq!(
            text_to_html("a < b\n  see https://x.org/a?b=1&c=2."),
            "a &lt; b<br>\n&nbsp;&nbsp;see <a href=\"https://x.org/a?b=1&amp;c=2\" target=\"_blank\" \
             rel=\"noopener noreferrer\">https://x.org/a?b=1&amp;c=2</a>."
        );
    }

    #[test]
    fn only_web_and_mail_addresses_become_links() {
        assert!(!text_to_html("javascript:alert(1) ftp://x a@b \"<img src=x>\"").contains("<a "));
        assert!(text_to_html("(ada@example.com)").contains("href=\"mailto:ada@example.com\""));
    }

    #[test]
    fn a_preview_is_one_line_without_quotation() {
        assert_eq!(
            preview("Hello\n> old\n\n  there,  Ada", 100),
            "Hello there, Ada"
        );
        assert_eq!(preview("one two three", 9), "one two…");
    }

    #[test]
    fn the_declared_character_set_is_found() {
        assert_eq!(
            declared_charset(
                b"<html><head><meta http-equiv=x content='text/html; charset=koi8-r'>"
            )
            .as_deref(),
            Some("koi8-r")
        );
    }
}
