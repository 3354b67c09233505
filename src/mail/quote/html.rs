//! Where quotation and signature lie in HTML, by the marks mail programs leave.

use std::collections::VecDeque;

use super::attribution::{self, Attribution};
use super::html_marks::{self, Mark};
use super::labels::{self, Label};
use crate::mail::html::scan::{Scanner, Tag, Token};
use crate::mail::html::to_text;

/// Pieces of text a header block may take after its first label.
const BLOCK_PIECES_MAX: usize = 40;

/// Pieces of text an attribution may be made of.
const ATTRIBUTION_PIECES_MAX: usize = 8;
/// Bytes of HTML an attribution may take.
const ATTRIBUTION_BYTES_MAX: usize = 2_000;
/// Pieces of a header block that may stand before the mark of the quotation.
const SPLIT_BLOCK_PIECES_MAX: usize = 6;

/// What was found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) quotation: Option<Extent>,
    /// Where the signature begins.
    pub(super) signature: Option<usize>,
}

/// A quotation in HTML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    /// Its first byte.
    pub(super) start: usize,
    /// Whether something can be read before it, and behind it.
    pub(super) text_before: bool,
    pub(super) text_after: bool,
}

/// Finds the first quotation and the signature before it.
pub(super) fn find(html: &str) -> Found {
    let mut finder = Finder {
        html,
        ..Finder::default()
    };
    for (at, token) in Scanner::new(html) {
        match token {
            Token::Open(tag) => finder.open(at, &tag),
            Token::Close(name) => finder.close(&name),
            Token::Text(text) if !is_blank(text) => finder.text(at, text),
            _ => {}
        }
        if finder.done {
            break;
        }
    }
    finder.found()
}

fn is_blank(text: &str) -> bool {
    let text = text.trim();
    text.is_empty()
        || text
            .split(['&', ';'])
            .all(|piece| matches!(piece.trim(), "" | "nbsp" | "#160" | "zwnj" | "#8203"))
}

/// An open element whose end is awaited.
struct Element {
    name: String,
    depth: usize,
}

impl Element {
    fn new(tag: &Tag<'_>) -> Self {
        Self {
            name: tag.name.clone(),
            depth: 1,
        }
    }

    fn open(&mut self, name: &str) {
        self.depth += usize::from(self.name == name);
    }

    /// Whether this ends the element.
    fn close(&mut self, name: &str) -> bool {
        self.depth -= usize::from(self.name == name);
        self.depth == 0
    }
}

/// A header block that may have begun.
struct Block {
    start: usize,
    seen: Vec<Label>,
    pieces: usize,
}

#[derive(Default)]
struct Finder<'a> {
    html: &'a str,
    /// Where the first text and the last pieces of it began.
    first_text: Option<usize>,
    pieces: VecDeque<usize>,
    /// Whether text was seen, and the quotation's extent once it is known.
    text_before: bool,
    extent: Option<Extent>,
    /// The element that holds the quotation.
    holder: Option<Element>,
    /// Where the line above a quotation begins.
    above: Option<usize>,
    /// The last rule or border, and the last paragraph that began: a header block may start there.
    rule: Option<usize>,
    paragraph: usize,
    block: Option<Block>,
    signature: Option<usize>,
    in_signature: Option<Element>,
    done: bool,
}

impl Finder<'_> {
    fn found(self) -> Found {
        Found {
            signature: self
                .signature
                .filter(|_| self.extent.is_none_or(|extent| !extent.text_after)),
            quotation: self.extent,
        }
    }

    fn begin(&mut self, start: usize) {
        let split_block = self
            .block
            .as_ref()
            .filter(|block| block.pieces <= SPLIT_BLOCK_PIECES_MAX);
        let text_before = |start: &usize| self.first_text.is_some_and(|first| first < *start);
        let start = self
            .above
            .or(split_block.map(|block| block.start))
            .or_else(|| self.attribution_before(start))
            .filter(text_before)
            .unwrap_or(start);
        self.extent = Some(Extent {
            start,
            text_before: text_before(&start),
            text_after: false,
        });
    }

    /// Where the line begins that says who wrote what is quoted here, when the last text is one.
    fn attribution_before(&self, at: usize) -> Option<usize> {
        let near = |from: &&usize| **from + ATTRIBUTION_BYTES_MAX > at;
        let starts = self.pieces.iter().rev().take_while(near);
        let texts = starts.map(|from| {
            let text = to_text(self.html.get(*from..at).unwrap_or_default());
            (text.trim().to_owned(), *from)
        });
        // It is a line of its own: what stands above is the writer's.
        texts
            .take_while(|(text, _)| !text.contains('\n'))
            .map(|(text, from)| (attribution::judge(&text), from))
            .filter(|(found, _)| *found > Attribution::No)
            .max_by_key(|(found, from)| (*found, std::cmp::Reverse(*from)))
            .map(|(_, from)| from)
    }

    /// All that follows belongs to the quotation.
    fn begin_rest(&mut self, start: usize) {
        self.begin(start);
        self.done = true;
    }

    fn open(&mut self, at: usize, tag: &Tag<'_>) {
        if let Some(holder) = &mut self.holder {
            holder.open(&tag.name);
            return;
        }
        if self.extent.is_some() {
            return;
        }
        if let Some(signature) = &mut self.in_signature {
            signature.open(&tag.name);
        }
        let name = tag.name.as_str();
        match name {
            "hr" => {
                self.rule = Some(at);
                self.paragraph = at;
            }
            "div" | "p" | "pre" | "table" | "tr" | "li" | "blockquote" | "section"
                if self.block.is_none() =>
            {
                self.paragraph = at
            }
            _ => {}
        }
        if !html_marks::may_carry(name) {
            return;
        }
        match html_marks::read(tag) {
            Some(Mark::Heads) => self.begin_rest(self.rule.unwrap_or(at)),
            Some(Mark::Border) => self.rule = self.rule.or(Some(at)),
            Some(Mark::Above) if self.text_before => self.above = self.above.or(Some(at)),
            // A wrapper that begins before anything was written may hold the new text as well.
            Some(Mark::Holds) if self.text_before || name == "blockquote" => {
                self.begin(at);
                self.holder = Some(Element::new(tag));
            }
            Some(Mark::Signature) if self.text_before && self.signature.is_none() => {
                self.signature = Some(at);
                self.in_signature = Some(Element::new(tag));
            }
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        if let Some(holder) = &mut self.holder {
            if holder.close(name) {
                self.holder = None;
            }
        } else if let Some(signature) = &mut self.in_signature
            && signature.close(name)
        {
            self.in_signature = None;
        }
    }

    /// Text that can be read.
    fn text(&mut self, at: usize, text: &str) {
        if self.holder.is_some() {
            return;
        }
        self.first_text.get_or_insert(at);
        if let Some(extent) = &mut self.extent {
            extent.text_after = true;
            self.done = true;
            return;
        }
        if self.header_block(text) {
            return;
        }
        self.pieces.push_back(at);
        if self.pieces.len() > ATTRIBUTION_PIECES_MAX {
            self.pieces.pop_front();
        }
        self.rule = None;
        if self.above.is_none() && self.block.is_none() {
            self.text_before = true;
            if self.in_signature.is_none() {
                self.signature = None;
            }
        }
    }

    /// Whether the text belongs to what may be a header block.
    fn header_block(&mut self, text: &str) -> bool {
        let label = labels::label(text);
        if self.block.is_none() {
            if label != Some(Label::From) {
                return false;
            }
            self.block = Some(Block {
                start: self.rule.unwrap_or(self.paragraph),
                seen: Vec::new(),
                pieces: 0,
            });
        }
        let ruled = self.rule.is_some();
        let Some(block) = &mut self.block else {
            return false;
        };
        block.pieces += 1;
        if let Some(label) = label
            && label != Label::Other
            && !block.seen.contains(&label)
        {
            block.seen.push(label);
        }
        let has = |label| block.seen.contains(&label);
        let complete = has(Label::From)
            && (has(Label::Subject) || ruled && has(Label::Date))
            && block.seen.len() >= 3;
        if complete {
            let start = block.start;
            self.block = None;
            self.begin_rest(start);
            return true;
        }
        let foreign =
            label.is_none() && text.trim_end().ends_with(':') && labels::is_form_field(text);
        if foreign && !ruled || block.pieces > BLOCK_PIECES_MAX {
            self.block = None;
            self.text_before = true;
            self.signature = None;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn before(html: &str) -> &str {
        html.get(..find(html).quotation.unwrap().start).unwrap()
    }

    #[test]
    fn the_marks_of_the_common_programs_are_found() {
        for quotation in [
            "<hr tabindex=-1><div id=\"x_divRplyFwdMsg\"><b>From:</b> Ada</div>",
            "<div id=\"appendonsend\"></div><hr><div id=\"divRplyFwdMsg\"><b>Från:</b> Ada</div>",
            "<div id=\"mail-editor-reference-message-container\">old</div>",
            "<div class=\"gmail_quote gmail_quote_container\">On …<blockquote>old</blockquote></div>",
            "<div class=moz-cite-prefix>On</div><blockquote type=cite>old</blockquote>",
            "<blockquote cite=\"mid:a@x.org\">old</blockquote>",
            "<blockquote style=\"border-left:1px solid #0857A6\">old</blockquote>",
            "<div id=\"yahoo_quoted_123\"><div>On …</div>old</div>",
            "<div class=\"zmail_extra\">---- On …</div>",
            "<div class=\"protonmail_quote\">On …</div>",
            "<div name=\"quote\" style=\"padding: 1px\">old</div>",
            "<hr id=\"zwchr\" data-marker=\"__DIVIDER__\"><div>From: Ada</div>",
        ] {
            let html = format!("<p>new</p>{quotation}");
            assert_eq!(before(&html), "<p>new</p>", "{quotation}");
        }
    }

    #[test]
    fn outlooks_header_block_is_found_in_any_language_we_know() {
        for (from, sent, subject) in [
            ("From", "Sent", "Subject"),
            ("Von", "Gesendet", "Betreff"),
            ("差出人", "送信日時", "件名"),
        ] {
            let html = format!(
                "<p>new</p><div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0in 0in 0in'>\
                 <p><b>{from}:</b> Ada<br><b>{sent}:</b> Monday<br><b>{subject}:</b> x</p></div><p>old</p>"
            );
            assert_eq!(before(&html), "<p>new</p>");
        }
        let without_border =
            "<p>new</p><p><b>From:</b> Ada<br><b>Sent:</b> Monday<br><b>Subject:</b> x</p>";
        assert_eq!(before(without_border), "<p>new</p>");
        assert_eq!(
            find("<p>a</p><div style='border-top:1px solid red'>b</div>").quotation,
            None
        );
    }

    #[test]
    fn the_line_above_a_quotation_goes_with_it() {
        let html = "<p>new</p><br>On 5 May 2024 10:00, Ada &lt;<a href=x>ada@x.org</a>&gt; wrote:<br><blockquote style='border-left:1px'>old</blockquote>";
        assert_eq!(before(html), "<p>new</p><br>");
        let html = "<p>See what he says:</p><blockquote type=cite>old</blockquote>";
        assert_eq!(before(html), "<p>See what he says:</p>");
    }

    #[test]
    fn what_stands_behind_a_quotation_is_seen() {
        let html = "a<blockquote type=cite>b<blockquote>c</blockquote></blockquote>d";
        assert!(find(html).quotation.unwrap().text_after);
        let html = "a<blockquote type=cite>b</blockquote><br>&nbsp;</body>";
        assert!(!find(html).quotation.unwrap().text_after);
    }

    #[test]
    fn a_wrapper_around_the_whole_mail_is_not_the_quotation() {
        let html = "<div class=gmail_quote><div>new</div><blockquote class=gmail_quote>old</blockquote></div>";
        assert_eq!(before(html), "<div class=gmail_quote><div>new</div>");
    }

    #[test]
    fn a_quotation_somebody_typed_is_none() {
        assert_eq!(
            find("<p>He said</p><blockquote>so</blockquote>").quotation,
            None
        );
    }

    #[test]
    fn a_named_signature_is_found_when_nothing_new_follows() {
        let html =
            "<p>new</p><div id=\"x_Signature\"><p>Ada</p></div><div id=appendonsend></div>old";
        assert_eq!(find(html).signature, Some(10));
        let html = "<p>new</p><div class=gmail_signature>Ada</div>";
        assert_eq!(find(html).signature, Some(10));
        let html = "<p>new</p><div class=gmail_signature>Ada</div><p>and more</p>";
        assert_eq!(find(html).signature, None);
        let html = "<div id=Signature><p>All was written in here</p></div>";
        assert_eq!(find(html).signature, None);
    }
}
