//! The quoted history under an answer, and the signature above it.

use crate::mail::html::{escape, text_to_html};

/// Longest history quoted, in characters; the earlier mails are in the conversation anyway.
const QUOTED_MAX: usize = 200_000;

/// The message that is answered, as far as it is quoted.
#[derive(Debug, Clone, Copy)]
pub struct Quoted<'a> {
    /// Who wrote it, e.g. `Ada Lovelace <ada@example.com>`.
    pub from: &'a str,
    /// When, in words for the reader, e.g. `1 May 2024 14:00`.
    pub sent: &'a str,
    /// To whom.
    pub to: &'a str,
    /// Who got a copy; empty when nobody.
    pub cc: &'a str,
    /// Its subject.
    pub subject: &'a str,
    /// Its plain text.
    pub text: &'a str,
    /// Its HTML, already sanitised for sending; made from the text when absent.
    pub html: Option<&'a str>,
}

/// A quotation in both forms, to be put under an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// With `> ` before each line.
    pub text: String,
    /// With a header block as Outlook's above it.
    pub html: String,
}

/// Quotes a message: an attribution and `> ` lines in the text; in the HTML a rule and the
/// From/Sent/To/Subject block that Outlook writes and other programs recognise.
#[must_use]
pub fn quote_history(quoted: &Quoted<'_>) -> History {
    let mut text = format!("On {}, {} wrote:\n", quoted.sent, quoted.from);
    for line in quoted
        .text
        .chars()
        .take(QUOTED_MAX)
        .collect::<String>()
        .lines()
    {
        text.push('>');
        if !line.is_empty() && !line.starts_with('>') {
            text.push(' ');
        }
        text.push_str(line);
        text.push('\n');
    }
    let mut block = String::new();
    let rows = [
        ("From", quoted.from),
        ("Sent", quoted.sent),
        ("To", quoted.to),
        ("Cc", quoted.cc),
        ("Subject", quoted.subject),
    ];
    for (label, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
        block.push_str(&format!("<b>{label}:</b> {}<br>\n", escape(value)));
    }
    let body = quoted
        .html
        .filter(|html| html.len() <= QUOTED_MAX)
        .map_or_else(
            || text_to_html(&quoted.text.chars().take(QUOTED_MAX).collect::<String>()),
            str::to_owned,
        );
    let html = format!(
        "<hr style=\"display:inline-block;width:98%\">\n<div id=\"divRplyFwdMsg\" dir=\"ltr\" \
         style=\"font-family:Calibri,sans-serif;font-size:11pt\">\n{block}</div>\n\
         <blockquote type=\"cite\" style=\"margin:8px 0 0 0;padding:0 0 0 10px;border-left:2px solid #ccc\">\n{body}\n</blockquote>\n"
    );
    History { text, html }
}

/// Puts a signature under a text, behind the `-- ` line by which mail programs recognise it
/// (RFC 3676 section 4.3).
#[must_use]
pub fn with_signature(text: &str, signature: &str) -> String {
    let signature = signature.trim();
    if signature.is_empty() {
        return text.to_owned();
    }
    format!("{}\n\n-- \n{signature}\n", text.trim_end())
}
