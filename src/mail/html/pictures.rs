//! What becomes of the pictures in a message: those that came with it are served, those of other servers
//! wait until a person asks, and those that only tell that the mail was read are never loaded.

use std::collections::BTreeMap;

use url::Url;

/// A transparent picture of one pixel in place of a picture that is not loaded and has no words.
const BLANK: &str =
    "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";
/// Size of a letter in a placeholder.
const LETTER_WIDTH: f32 = 7.0;
const LINE_HEIGHT: f32 = 17.0;

/// Largest picture written into the address itself, in bytes of its text; and all of a message.
const DATA_BYTES_MAX: usize = 3 * 1024 * 1024;
const DATA_BYTES_ALL: usize = 12 * 1024 * 1024;
/// A picture no larger than this in both directions shows nothing to a person.
const TRACKER_SIDE: f32 = 2.0;

/// Decides over the pictures of one message, and counts.
pub(super) struct Pictures<'p> {
    pub(super) remote: bool,
    pub(super) own: &'p dyn Fn(&str) -> Option<String>,
    found: BTreeMap<String, Option<String>>,
    data_bytes: usize,
    /// Pictures of other servers that were left out.
    pub(super) blocked: usize,
    /// Those among them that would only have told that the mail was read.
    pub(super) trackers: usize,
}

/// What an `<img>` becomes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Picture {
    /// It is loaded from here.
    Shown(String),
    /// Its place is kept.
    Waiting,
    /// Nothing is seen of it.
    Gone,
}

impl<'p> Pictures<'p> {
    pub(super) fn new(remote: bool, own: &'p dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            remote,
            own,
            found: BTreeMap::new(),
            data_bytes: 0,
            blocked: 0,
            trackers: 0,
        }
    }

    /// An `<img>` with this address and this look.
    pub(super) fn image(&mut self, source: &str, look: &Look<'_>) -> Picture {
        let source = source.trim();
        if let Some(address) = self.own(source).or_else(|| self.data(source)) {
            return Picture::Shown(address);
        }
        let Some(address) = web_address(source) else {
            return Picture::Waiting;
        };
        if look.is_hidden() || look.is_tiny() {
            self.blocked += 1;
            self.trackers += 1;
            return Picture::Gone;
        }
        if self.remote {
            return Picture::Shown(address);
        }
        self.blocked += 1;
        Picture::Waiting
    }

    /// A picture behind words.
    pub(super) fn background(&mut self, source: &str) -> Option<String> {
        let source = source.trim();
        if let Some(address) = self.own(source).or_else(|| self.data(source)) {
            return Some(address);
        }
        let address = web_address(source)?;
        if self.remote {
            return Some(address);
        }
        self.blocked += 1;
        None
    }

    /// A picture that came with the message: by Content-ID (RFC 2392) or by the address the sender gave
    /// the part (RFC 2557, Content-Location).
    fn own(&mut self, source: &str) -> Option<String> {
        let key = strip_scheme(source, "cid:").map_or_else(|| source.to_owned(), percent_decode);
        if key.is_empty() || key.len() > 1_000 || strip_scheme(&key, "data:").is_some() {
            return None;
        }
        let own = self.own;
        self.found
            .entry(key)
            .or_insert_with_key(|key| own(key))
            .clone()
    }

    fn data(&mut self, source: &str) -> Option<String> {
        let fits = source.len() <= DATA_BYTES_MAX
            && self.data_bytes + source.len() <= DATA_BYTES_ALL
            && is_picture_data(source);
        if !fits {
            return None;
        }
        self.data_bytes += source.len();
        Some(source.to_owned())
    }
}

/// What decides whether a person could see a picture.
#[derive(Debug, Default)]
pub(super) struct Look<'l> {
    pub(super) width: &'l str,
    pub(super) height: &'l str,
    /// The filtered style.
    pub(super) style: &'l str,
}

impl Look<'_> {
    fn is_hidden(&self) -> bool {
        let is = |name: &str, values: &[&str]| {
            self.declared(name)
                .is_some_and(|value| values.contains(&value))
        };
        is("display", &["none"])
            || is("visibility", &["hidden", "collapse"])
            || is("opacity", &["0"])
            || [self.side("max-width", ""), self.side("max-height", "")].contains(&Some(0.0))
    }

    fn is_tiny(&self) -> bool {
        let width = self.side("width", self.width);
        let height = self.side("height", self.height);
        let small = |side: Option<f32>| side.is_some_and(|side| side <= TRACKER_SIDE);
        // With one side given the other follows the picture's shape: a dot stays a dot.
        match (width, height) {
            (Some(_), Some(_)) => {
                (small(width) && small(height)) || width == Some(0.0) || height == Some(0.0)
            }
            _ => small(width) || small(height),
        }
    }

    /// Wider than a telephone: there it may be narrower than the mail says.
    pub(super) fn is_broad(&self) -> bool {
        self.side("width", self.width)
            .is_some_and(|width| width > 340.0)
    }

    /// A dot stretched to a line or a gap: its shape is not the picture's.
    pub(super) fn is_line(&self) -> bool {
        self.side("height", self.height)
            .is_some_and(|height| height < 24.0)
            && self.side("width", self.width) != self.side("height", self.height)
    }

    /// A side in pixels, as its style says or else its attribute.
    fn side(&self, name: &str, attribute: &str) -> Option<f32> {
        let text = self.declared(name).unwrap_or(attribute).trim();
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let number: f32 = digits.parse().ok()?;
        let is_share = text.ends_with('%') || text.ends_with("em");
        (!is_share || number == 0.0).then_some(number)
    }

    fn declared(&self, wanted: &str) -> Option<&str> {
        let declarations = self.style.split(';').filter_map(|one| one.split_once(':'));
        let found = declarations.rev().find(|(name, _)| *name == wanted);
        found.map(|(_, value)| value.trim_end_matches("!important"))
    }
}

/// What stands where a picture waits.
#[derive(Debug, PartialEq)]
pub(super) struct Placeholder {
    /// A drawing with the words for the picture. It is our own, and loads nothing.
    pub(super) address: String,
    /// The sides that the mail does not give.
    pub(super) width: Option<f32>,
    pub(super) height: Option<f32>,
}

/// Keeps the place of a picture with these words. The drawing has no size of its own, so that its letters
/// stay legible however it is stretched.
pub(super) fn placeholder(words: &str, look: &Look<'_>) -> Placeholder {
    let words: String = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let words: String = words
        .chars()
        .filter(|c| !c.is_control())
        .take(160)
        .collect();
    let (width, height) = (
        look.side("width", look.width),
        look.side("height", look.height),
    );
    let is_small =
        width.is_some_and(|width| width < 20.0) || height.is_some_and(|height| height < 12.0);
    if is_small || (words.is_empty() && width.is_none() && height.is_none()) {
        return Placeholder {
            address: BLANK.to_owned(),
            width: None,
            height: None,
        };
    }
    let count = |count: usize| f32::from(u16::try_from(count).unwrap_or(u16::MAX));
    let length = count(words.chars().count()) * LETTER_WIDTH + 16.0;
    let has_width = !look.width.trim().is_empty() || look.declared("width").is_some();
    let assumed = width.unwrap_or_else(|| length.clamp(20.0, 320.0));
    let lines = wrapped(&words, assumed - 12.0);
    let mut drawing = "<svg xmlns=\"http://www.w3.org/2000/svg\">\
        <g font-family=\"sans-serif\" font-size=\"13\" fill=\"#75807b\">"
        .to_owned();
    for (number, line) in lines.iter().enumerate() {
        let top = LINE_HEIGHT * count(number + 1);
        let line = super::escape(line);
        drawing.push_str(&format!("<text x=\"6\" y=\"{top}\">{line}</text>"));
    }
    drawing.push_str("</g></svg>");
    Placeholder {
        address: data_address(&drawing),
        width: (!has_width).then_some(assumed),
        height: height
            .is_none()
            .then(|| count(lines.len()) * LINE_HEIGHT + 8.0),
    }
}

fn data_address(drawing: &str) -> String {
    let mut address = "data:image/svg+xml,".to_owned();
    for byte in drawing.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' => address.push(char::from(byte)),
            _ => address.push_str(&format!("%{byte:02X}")),
        }
    }
    address
}

fn wrapped(words: &str, width: f32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut left = 0.0;
    for word in words.split(' ') {
        let wide = word.chars().map(|c| {
            if c.is_ascii() {
                LETTER_WIDTH
            } else {
                2.0 * LETTER_WIDTH
            }
        });
        let wide: f32 = wide.sum();
        match lines.last_mut() {
            Some(line) if wide + LETTER_WIDTH <= left => {
                line.push(' ');
                line.push_str(word);
                left -= wide + LETTER_WIDTH;
            }
            _ => {
                lines.push(word.to_owned());
                left = width - wide;
            }
        }
    }
    lines
}

/// The first address of a `srcset`.
pub(super) fn first_of_set(set: &str) -> &str {
    let first = set.trim().split([' ', '\n', '\t']).next();
    first.unwrap_or_default().trim_end_matches(',')
}

/// The address of a picture on the web, in its plain form.
fn web_address(source: &str) -> Option<String> {
    let url = if source.starts_with("//") {
        Url::parse(&format!("https:{source}"))
    } else {
        Url::parse(source)
    };
    let url = url.ok()?;
    matches!(url.scheme(), "http" | "https").then(|| url.to_string())
}

pub(super) fn strip_scheme<'a>(value: &'a str, scheme: &str) -> Option<&'a str> {
    let (start, rest) = value.split_at_checked(scheme.len())?;
    start.eq_ignore_ascii_case(scheme).then_some(rest)
}

/// Bitmaps only: SVG can hold scripts and load other files.
fn is_picture_data(value: &str) -> bool {
    let kinds = ["png", "jpeg", "jpg", "gif", "webp", "bmp"];
    let content = kinds
        .iter()
        .find_map(|kind| strip_scheme(value, &format!("data:image/{kind};base64,")));
    content.is_some_and(|content| {
        content.bytes().all(|b| {
            b.is_ascii_alphanumeric()
                || b.is_ascii_whitespace()
                || matches!(b, b'+' | b'/' | b'=' | b'%')
        })
    })
}

pub(super) fn percent_decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte == b'%'
            && let [high, low, after @ ..] = tail
            && let (Some(high), Some(low)) = (
                crate::mail::transfer::hex(*high),
                crate::mail::transfer::hex(*low),
            )
        {
            out.push(high << 4 | low);
            rest = after;
        } else {
            out.push(byte);
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look<'l>(width: &'l str, height: &'l str, style: &'l str) -> Look<'l> {
        Look {
            width,
            height,
            style,
        }
    }

    #[test]
    fn pictures_that_show_nothing_are_tracking_pixels() {
        for hidden in [
            look("1", "1", ""),
            look("2", "1", ""),
            look("0", "40", ""),
            look("1", "", ""),
            look("", "1px", ""),
            look("600", "200", "display:none!important"),
            look("", "", "width:1px;height:1px"),
            look("", "", "max-height:0"),
            look("10", "10", "opacity:0"),
        ] {
            let mut pictures = Pictures::new(true, &|_| None);
            assert_eq!(
                pictures.image("https://x.example/p.gif", &hidden),
                Picture::Gone,
                "{hidden:?}"
            );
            assert_eq!((pictures.blocked, pictures.trackers), (1, 1));
        }
        for seen in [
            look("600", "1", ""),
            look("", "", ""),
            look("100%", "", ""),
            look("1", "1", "width:20px;height:20px"),
        ] {
            let mut pictures = Pictures::new(true, &|_| None);
            let found = pictures.image("//x.example/p.gif", &seen);
            assert_eq!(
                found,
                Picture::Shown("https://x.example/p.gif".to_owned()),
                "{seen:?}"
            );
        }
    }

    #[test]
    fn own_pictures_come_by_content_id_or_by_their_location() {
        let own = |key: &str| {
            ["a@x", "http://x.example/b.gif", "c.gif"]
                .contains(&key)
                .then(|| "/own".to_owned())
        };
        let mut pictures = Pictures::new(false, &own);
        for source in ["cid:a%40x", "CID:a@x", "http://x.example/b.gif", "c.gif"] {
            assert_eq!(
                pictures.image(source, &look("1", "1", "")),
                Picture::Shown("/own".to_owned()),
                "{source}"
            );
        }
        assert_eq!(
            pictures.image("cid:other", &Look::default()),
            Picture::Waiting
        );
        assert_eq!(pictures.blocked, 0);
    }

    #[test]
    fn a_picture_that_waits_shows_its_words_and_keeps_its_place() {
        let drawn = placeholder(
            "Our <b>shop</b>\n in \"spring\"",
            &look("90", "", "height:200px"),
        );
        let text = percent_decode(&drawn.address);
        assert!(text.starts_with("data:image/svg+xml,<svg xmlns="), "{text}");
        assert!(text.contains(">Our</text><text"), "{text}");
        assert!(
            text.contains("&lt;b&gt;shop&lt;/b&gt;") && text.contains("in &quot;spring&quot;"),
            "{text}"
        );
        assert_eq!((drawn.width, drawn.height), (None, None));
        let drawn = placeholder("Logo", &look("", "", ""));
        assert_eq!((drawn.width, drawn.height), (Some(44.0), Some(25.0)));
        for small in [look("16", "16", ""), look("", "1", "")] {
            assert_eq!(placeholder("Logo", &small).address, BLANK);
        }
        assert_eq!(placeholder("", &look("", "", "")).address, BLANK);
    }

    #[test]
    fn only_bitmaps_come_as_data() {
        let mut pictures = Pictures::new(true, &|_| None);
        let good = "data:image/PNG;base64,AAAA";
        assert_eq!(pictures.background(good).as_deref(), Some(good));
        for bad in [
            "data:image/svg+xml;base64,AAAA",
            "data:text/html,<p>",
            "data:image/png,AAAA",
            "data:image/png;base64,AA\"onload=",
            "javascript:x",
            "blob:x",
        ] {
            assert_eq!(pictures.background(bad), None, "{bad}");
        }
    }
}
