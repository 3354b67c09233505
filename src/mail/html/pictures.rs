//! What becomes of the pictures in a message: those that came with it are served, those of other servers
//! wait until a person asks, and those that only tell that the mail was read are never loaded.

use std::collections::BTreeMap;

use url::Url;

/// A transparent picture of one pixel in place of a picture that is not loaded.
pub(super) const BLANK: &str =
    "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

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
        let found = declarations.filter(|(name, _)| *name == wanted).last();
        found.map(|(_, value)| value.trim_end_matches("!important"))
    }
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
