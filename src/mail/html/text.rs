//! HTML to plain text, for search, previews, the plain alternative and the finding of quotations.

use super::scan::{Scanner, Tag, Token, decode_entities};

/// Quotation levels marked in the text; deeper ones add nothing for a reader.
const QUOTE_MAX: usize = 20;

/// The text of an HTML document or fragment: paragraphs as lines, list items with `*` or numbers,
/// quotations with `>`, links with their address where it says more than their text.
#[must_use]
pub fn to_text(html: &str) -> String {
    let mut writer = Writer::default();
    for (_, token) in Scanner::new(html) {
        match token {
            Token::Text(text) => writer.text(&decode_entities(text)),
            Token::Open(tag) => writer.open(&tag),
            Token::Close(name) => writer.close(&name),
            Token::Raw(name, text) if name == "textarea" || name == "xmp" => {
                writer.text(&decode_entities(text));
            }
            Token::Comment(_) | Token::Raw(..) => {}
        }
    }
    writer.finish()
}

#[derive(Default)]
struct Writer {
    out: String,
    /// The line being written.
    line: String,
    /// White space seen since the last character.
    space: bool,
    /// Empty lines wanted before the next text.
    gap: usize,
    quote: usize,
    pre: usize,
    /// Numbers of open lists; `None` is a list with bullets.
    lists: Vec<Option<usize>>,
    /// Address of the open link and where its text began in the line.
    link: Option<(String, usize)>,
    /// Cells written in the current table row.
    cells: usize,
    /// Open `sup` elements: their digits are written small, or a footnote's mark would belong to the word.
    raised: usize,
}

impl Writer {
    fn text(&mut self, text: &str) {
        if self.pre > 0 {
            let mut lines = text.split('\n');
            if let Some(first) = lines.next() {
                self.line.push_str(first.trim_end_matches('\r'));
            }
            for next in lines {
                self.end_line();
                self.line.push_str(next.trim_end_matches('\r'));
            }
            return;
        }
        for c in text.chars() {
            if matches!(
                c,
                '\u{200b}' | '\u{feff}' | '\u{ad}' | '\u{34f}' | '\u{200c}'
            ) {
                continue;
            }
            if c.is_ascii_whitespace() {
                self.space = true;
                continue;
            }
            if self.space && !self.line.is_empty() && !self.line.ends_with([' ', '\t']) {
                self.line.push(' ');
            }
            self.space = false;
            self.line.push(match c {
                '\u{a0}' => ' ',
                _ if self.raised > 0 => superscript(c),
                _ => c,
            });
        }
    }

    fn open(&mut self, tag: &Tag<'_>) {
        match tag.name.as_str() {
            "br" => self.end_line_always(),
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "ul" | "ol" | "dl" | "table" => {
                let compact =
                    tag.has_class("MsoNormal") || (is_list(tag) && !self.lists.is_empty());
                self.block(usize::from(!compact));
                match tag.name.as_str() {
                    "ul" => self.lists.push(None),
                    "ol" => self.lists.push(Some(0)),
                    _ => {}
                }
            }
            "pre" => {
                self.block(1);
                self.pre += 1;
            }
            "blockquote" => {
                self.block(1);
                // The empty line before a quotation belongs to what stands around it.
                self.flush_gap();
                if self.quote < QUOTE_MAX {
                    self.quote += 1;
                }
            }
            "li" => self.item(),
            "tr" => {
                self.block(0);
                self.cells = 0;
            }
            "td" | "th" => {
                if self.cells > 0 && !self.line.trim().is_empty() {
                    self.line.push('\t');
                    self.space = false;
                }
                self.cells += 1;
            }
            "hr" => {
                self.block(0);
                self.line.push_str("________________________________");
                self.end_line();
            }
            "img" => self.image(tag),
            "sup" => self.raised += 1,
            "a" => {
                let address = tag.attribute("href").unwrap_or_default();
                self.link = Some((address.trim().to_owned(), self.line.len()));
            }
            name if is_block(name) => self.block(0),
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "p" => self.block(1),
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "table" => self.block(1),
            "ul" | "ol" => {
                self.lists.pop();
                self.block(usize::from(self.lists.is_empty()));
            }
            "pre" => {
                self.block(1);
                self.pre = self.pre.saturating_sub(1);
            }
            "blockquote" => {
                self.block(0);
                self.quote = self.quote.saturating_sub(1);
                self.gap = self.gap.max(1);
            }
            "a" => self.end_link(),
            "sup" => self.raised = self.raised.saturating_sub(1),
            name if is_block(name) => self.block(0),
            _ => {}
        }
    }

    fn item(&mut self) {
        self.block(0);
        let depth = self.lists.len().saturating_sub(1).min(10);
        for _ in 0..depth {
            self.line.push_str("  ");
        }
        match self.lists.last_mut() {
            Some(Some(number)) => {
                *number += 1;
                let mark = format!("{number}. ");
                self.line.push_str(&mark);
            }
            _ => self.line.push_str("* "),
        }
        self.space = false;
    }

    fn image(&mut self, tag: &Tag<'_>) {
        let alt = tag.attribute("alt").unwrap_or_default();
        let alt = alt.trim();
        // Names of files and of tracking pictures say nothing to a reader.
        if !alt.is_empty() && alt.chars().count() < 200 {
            let text = format!("[{alt}]");
            self.text(&text);
        }
    }

    fn end_link(&mut self) {
        let Some((address, start)) = self.link.take() else {
            return;
        };
        let shown = self.line.get(start..).unwrap_or_default().trim().to_owned();
        let web = address.starts_with("http://") || address.starts_with("https://");
        let same = |a: &str, b: &str| {
            let bare = |s: &str| {
                let s = s
                    .trim_start_matches("https://")
                    .trim_start_matches("http://");
                s.trim_start_matches("www.")
                    .trim_end_matches('/')
                    .to_ascii_lowercase()
            };
            bare(a) == bare(b)
        };
        if web && !shown.is_empty() && !same(&shown, &address) && address.len() <= 300 {
            self.line.push_str(" <");
            self.line.push_str(&address);
            self.line.push('>');
        }
    }

    /// Ends the line if it holds something, and asks for `gap` empty lines before the next text.
    fn block(&mut self, gap: usize) {
        if !self.line.trim().is_empty() {
            self.end_line();
        } else {
            self.line.clear();
        }
        self.space = false;
        self.gap = self.gap.max(gap);
    }

    fn end_line_always(&mut self) {
        if self.line.trim().is_empty() {
            self.line.clear();
            self.flush_gap();
            self.quote_mark();
            self.trim_line();
            self.out.push('\n');
        } else {
            self.end_line();
        }
        self.space = false;
    }

    fn end_line(&mut self) {
        self.flush_gap();
        self.quote_mark();
        let line = std::mem::take(&mut self.line);
        self.out.push_str(line.trim_end());
        self.trim_line();
        self.out.push('\n');
        if let Some((_, start)) = &mut self.link {
            *start = 0;
        }
    }

    fn flush_gap(&mut self) {
        let gap = std::mem::take(&mut self.gap);
        if self.out.is_empty() || self.out.ends_with("\n\n") {
            return;
        }
        for _ in 0..gap {
            self.quote_mark();
            self.trim_line();
            self.out.push('\n');
        }
    }

    fn quote_mark(&mut self) {
        for _ in 0..self.quote {
            self.out.push('>');
        }
        if self.quote > 0 {
            self.out.push(' ');
        }
    }

    fn trim_line(&mut self) {
        let length = self.out.trim_end_matches(' ').len();
        self.out.truncate(length);
    }

    fn finish(mut self) -> String {
        self.block(0);
        let mut text = String::with_capacity(self.out.len());
        let mut empty = 0;
        for line in self.out.lines() {
            empty = if line.is_empty() { empty + 1 } else { 0 };
            if empty <= 2 {
                text.push_str(line);
                text.push('\n');
            }
        }
        text.trim_start_matches('\n').trim_end().to_owned()
    }
}

const fn superscript(c: char) -> char {
    match c {
        '0' => '⁰',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '4' => '⁴',
        '5' => '⁵',
        '6' => '⁶',
        '7' => '⁷',
        '8' => '⁸',
        '9' => '⁹',
        other => other,
    }
}

fn is_list(tag: &Tag<'_>) -> bool {
    matches!(tag.name.as_str(), "ul" | "ol")
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "div"
            | "section"
            | "article"
            | "header"
            | "footer"
            | "main"
            | "aside"
            | "nav"
            | "form"
            | "fieldset"
            | "address"
            | "center"
            | "dt"
            | "dd"
            | "caption"
            | "tbody"
            | "thead"
            | "tfoot"
            | "tr"
            | "li"
            | "body"
            | "figure"
            | "figcaption"
            | "option"
            | "html"
            | "head"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_lists_and_links_read_as_text() {
        let html = "<p>Hello&nbsp;<b>Ada</b>,</p><p>see <a href='https://x.org/doc'>the paper</a>:</p><ul><li>one<li>two</ul>";
        assert_eq!(
            to_text(html),
            "Hello Ada,\n\nsee the paper <https://x.org/doc>:\n\n* one\n* two"
        );
    }

    #[test]
    fn a_link_that_shows_its_address_is_not_doubled() {
        assert_eq!(to_text("<a href=\"https://x.org/\">x.org</a>"), "x.org");
    }

    #[test]
    fn quotations_are_marked_and_scripts_left_out() {
        let html = "<div>new</div><blockquote>old<br>older<blockquote>oldest</blockquote></blockquote><script>x()</script>";
        assert_eq!(to_text(html), "new\n\n> old\n> older\n>\n>> oldest");
    }

    #[test]
    fn outlook_lines_do_not_double_their_spacing() {
        let html = "<p class=MsoNormal>one</p>\r\n<p class=MsoNormal>two</p>";
        assert!(to_text(html).starts_with("one\n"));
    }

    #[test]
    fn a_raised_number_is_not_taken_for_part_of_the_word() {
        assert_eq!(
            to_text("10 m<sup>2</sup> now<sup>1</sup> 3"),
            "10 m² now¹ 3"
        );
    }

    #[test]
    fn table_cells_stay_apart() {
        assert_eq!(
            to_text("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>"),
            "a\tb\nc"
        );
    }
}
