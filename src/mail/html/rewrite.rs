//! The second half of sanitising: the tags that the allow-list left are written anew, each attribute by
//! its own rule. What comes in was serialised from a tree, so its tags are where they seem to be.

use super::colour::{self, Colour, Fate};
use super::css::ID_PREFIX;
use super::declarations::{self, Paint, is_harmless};
use super::pictures::{Look, Picture, Pictures, first_of_set, placeholder, strip_scheme};
use super::scan::{Scanner, Tag, Token, decode_entities};
use super::{escape, links};

/// Characters of a link's words that are looked at.
const WORDS_MAX: usize = 300;

/// Writes tags anew.
pub(super) struct Rewriter<'p> {
    pub(super) pictures: Pictures<'p>,
    /// There are colours that are right on white paper only.
    pub(super) needs_paper: bool,
    /// For other people's eyes: nothing of ours is added.
    is_outgoing: bool,
}

impl<'p> Rewriter<'p> {
    /// For our page.
    pub(super) const fn for_display(pictures: Pictures<'p>) -> Self {
        Self {
            pictures,
            needs_paper: false,
            is_outgoing: false,
        }
    }

    /// Calls `work` with what styles may use.
    pub(super) fn paint<T>(&mut self, work: impl FnOnce(&mut Paint<'_>) -> T) -> T {
        let mut picture = |url: &str| {
            if self.is_outgoing {
                None
            } else {
                self.pictures.background(url)
            }
        };
        let mut paint = Paint {
            picture: &mut picture,
            adapts: !self.is_outgoing,
            needs_paper: false,
        };
        let result = work(&mut paint);
        self.needs_paper |= paint.needs_paper;
        result
    }

    /// Filters a `style` attribute.
    pub(super) fn style(&mut self, style: &str) -> String {
        self.paint(|paint| declarations::filter(style, paint))
    }

    /// Writes a serialised fragment anew.
    pub(super) fn rewrite(&mut self, html: &str, out: &mut String) {
        let mut words = link_words(html).into_iter();
        let mut remark = None;
        for (_, token) in Scanner::new(html) {
            match token {
                Token::Text(text) => out.push_str(&text.replace('<', "&lt;")),
                Token::Open(tag) if tag.name == "img" => self.image(&tag, out),
                Token::Open(tag) if tag.name == "a" => {
                    remark = self.link(&tag, &words.next().unwrap_or_default(), out);
                }
                Token::Open(tag) => self.element(&tag, out),
                Token::Close(name) => {
                    out.push_str("</");
                    out.push_str(&name);
                    out.push('>');
                    if name == "a"
                        && let Some(host) = remark.take()
                    {
                        let host = escape(&host);
                        out.push_str(&format!(
                            " <span class=\"mailhatch-elsewhere\">leads to {host}</span>"
                        ));
                    }
                }
                Token::Comment(_) | Token::Raw(..) => {}
            }
        }
    }

    fn element(&mut self, tag: &Tag<'_>, out: &mut String) {
        out.push('<');
        out.push_str(&tag.name);
        self.attributes(tag, "", out);
        out.push('>');
    }

    /// Writes all attributes that are not the element's own business.
    fn attributes(&mut self, tag: &Tag<'_>, own_class: &str, out: &mut String) {
        let (mut style, mut width) = (String::new(), String::new());
        let mut class = own_class.to_owned();
        for (name, value) in tag.attributes() {
            let value = decode_entities(value);
            match name {
                "href" | "src" | "srcset" => {}
                "title" if tag.name == "a" && !self.is_outgoing => {}
                "style" => {
                    let kept = self.style(&value);
                    add(&mut style, &kept, ';');
                }
                "class" => add(&mut class, &classes(&value), ' '),
                "background" => {
                    let address = self.paint(|paint| (paint.picture)(&value));
                    if let Some(address) = address.filter(|address| is_harmless(address)) {
                        self.needs_paper = true;
                        add(
                            &mut style,
                            &format!("background-image:url(\"{address}\")"),
                            ';',
                        );
                    }
                }
                "color" | "bgcolor" => match self.colour(name, &value) {
                    Some(declaration) => style.insert_str(0, &(declaration + ";")),
                    None => write(out, name, &value),
                },
                _ if is_within_reason(name, &value) => {
                    write(out, name, &value);
                    if name == "width" {
                        width = value;
                    }
                }
                _ => {}
            }
        }
        let look = Look {
            width: &width,
            height: "",
            style: &style,
        };
        let is_box = matches!(tag.name.as_str(), "table" | "td" | "th" | "div");
        if is_box && !self.is_outgoing && look.is_broad() {
            add(&mut class, "mailhatch-broad", ' ');
        }
        if !class.is_empty() {
            write(out, "class", &class);
        }
        let style = style.trim_end_matches(';');
        if !style.is_empty() {
            write(out, "style", style);
        }
    }

    /// The declaration that takes the place of a colour's attribute on a page that may be dark.
    fn colour(&mut self, name: &str, value: &str) -> Option<String> {
        if self.is_outgoing {
            return None;
        }
        let written = colour::with_hash(value);
        let colour = Colour::read(&written)?;
        let (property, fate) = match name {
            "color" => ("color", colour.as_words(&written)),
            _ => ("background-color", colour.as_ground(&written)),
        };
        match fate {
            Fate::Adapted(value) => Some(format!("{property}:{value}")),
            Fate::Paper => {
                self.needs_paper = true;
                None
            }
            Fate::Kept => None,
        }
    }

    fn image(&mut self, tag: &Tag<'_>, out: &mut String) {
        let attribute = |name: &str| tag.attribute(name).unwrap_or_default();
        let mut source = attribute("src");
        if self.is_outgoing {
            out.push_str("<img");
            if is_sent(source.trim()) {
                write(out, "src", source.trim());
            }
            self.attributes(tag, "", out);
            out.push('>');
            return;
        }
        if source.trim().is_empty() {
            source = first_of_set(&attribute("srcset")).to_owned();
        }
        let style = self.style(&attribute("style"));
        let look = Look {
            width: &attribute("width"),
            height: &attribute("height"),
            style: &style,
        };
        match self.pictures.image(&source, &look) {
            Picture::Shown(address) => {
                out.push_str("<img");
                write(out, "src", &address);
                let class = if look.is_line() { "mailhatch-line" } else { "" };
                self.attributes(tag, class, out);
                out.push('>');
            }
            Picture::Waiting => {
                out.push_str("<img");
                let place = placeholder(&attribute("alt"), &look);
                write(out, "src", &place.address);
                for (name, side) in [("width", place.width), ("height", place.height)] {
                    if let Some(side) = side {
                        write(out, name, &side.to_string());
                    }
                }
                self.attributes(tag, "mailhatch-waits", out);
                out.push('>');
            }
            Picture::Gone => {}
        }
    }

    /// Writes a link's start, and returns the host it leads to when its words pretend another.
    fn link(&mut self, tag: &Tag<'_>, words: &str, out: &mut String) -> Option<String> {
        let href = tag.attribute("href").unwrap_or_default();
        // Browsers pass over controls before an address (WHATWG URL section 4.4), so they need not stand there.
        let href = href.trim_matches(|c: char| c <= ' ' || c.is_whitespace());
        out.push_str("<a");
        let mut remark = None;
        if let Some(place) = href.strip_prefix('#').filter(|place| !place.is_empty()) {
            if !self.is_outgoing {
                write(out, "href", &format!("#{ID_PREFIX}{place}"));
            }
        } else if is_link(href) {
            write(out, "href", href);
            let target = (!self.is_outgoing).then(|| links::target(href, words));
            if let Some(target) = target.flatten() {
                write(out, "title", &target.title);
                remark = target.contradicts;
            }
            out.push_str(" target=\"_blank\" rel=\"noopener noreferrer\"");
        }
        self.attributes(tag, "", out);
        out.push('>');
        remark
    }
}

impl Rewriter<'static> {
    /// For a message that is sent.
    pub(super) fn for_sending() -> Self {
        Self {
            pictures: Pictures::new(false, &|_| None),
            needs_paper: false,
            is_outgoing: true,
        }
    }
}

/// The words of each link, in order.
fn link_words(html: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut is_inside = false;
    for (_, token) in Scanner::new(html) {
        match token {
            Token::Open(tag) if tag.name == "a" => {
                all.push(String::new());
                is_inside = true;
            }
            Token::Close(name) if name == "a" => is_inside = false,
            Token::Text(text) if is_inside => {
                if let Some(words) = all.last_mut().filter(|words| words.len() < WORDS_MAX) {
                    words.extend(decode_entities(text).chars().take(WORDS_MAX));
                }
            }
            _ => {}
        }
    }
    all
}

fn write(out: &mut String, name: &str, value: &str) {
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
    out.push_str(&escape(value));
    out.push('"');
}

fn add(list: &mut String, more: &str, between: char) {
    if !list.is_empty() && !more.is_empty() {
        list.push(between);
    }
    list.push_str(more);
}

/// Class names, without any that could be ours.
pub(super) fn classes(value: &str) -> String {
    let own = |name: &&str| !name.to_ascii_lowercase().starts_with("mailhatch");
    let names: Vec<&str> = value
        .split_ascii_whitespace()
        .filter(own)
        .take(50)
        .collect();
    names.join(" ")
}

fn is_link(href: &str) -> bool {
    url::Url::parse(href)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https" | "mailto" | "tel" | "sms"))
}

/// A picture's address that may leave in a message of ours.
fn is_sent(source: &str) -> bool {
    let is_web = url::Url::parse(source).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    is_web || strip_scheme(source, "cid:").is_some()
}

/// Numbers in attributes that do not tear the page apart, nor keep the browser busy.
fn is_within_reason(name: &str, value: &str) -> bool {
    let most: f64 = match name {
        "width" | "height" => 5_000.0,
        "colspan" | "rowspan" | "span" => 300.0,
        "border" | "cellpadding" | "cellspacing" | "hspace" | "vspace" | "size" => 100.0,
        _ => return value.len() <= 2_000,
    };
    let digits = value.trim().trim_start_matches(['+', '-']);
    let digits: String = digits
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == '.')
        .collect();
    value.len() <= 20 && digits.parse().is_ok_and(|number: f64| number <= most)
}
