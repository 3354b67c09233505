//! HTML from strangers made safe to show: an allow-list of elements and attributes (ammonia), our own
//! policy for styles, links and pictures.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ammonia::{Builder, UrlRelative};
use url::Url;

use super::scan::{Scanner, Token};
use super::{cost, css, text, text_to_html};

/// A transparent picture of one pixel in place of a picture that is not loaded.
const BLANK_PICTURE: &str =
    "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

const ELEMENTS: [&str; 66] = [
    "a",
    "abbr",
    "address",
    "article",
    "b",
    "bdi",
    "bdo",
    "big",
    "blockquote",
    "br",
    "caption",
    "center",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "font",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "main",
    "mark",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "samp",
    "section",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "tt",
    "u",
    "ul",
    "wbr",
];

const ATTRIBUTES: [&str; 29] = [
    "align",
    "alt",
    "bgcolor",
    "border",
    "cellpadding",
    "cellspacing",
    "class",
    "color",
    "colspan",
    "dir",
    "face",
    "height",
    "hspace",
    "lang",
    "noshade",
    "nowrap",
    "reversed",
    "rowspan",
    "scope",
    "size",
    "span",
    "start",
    "style",
    "title",
    "type",
    "valign",
    "value",
    "vspace",
    "width",
];

/// Elements whose content goes with them.
const REMOVED_WHOLE: [&str; 18] = [
    "script", "style", "title", "template", "textarea", "select", "svg", "math", "object",
    "applet", "iframe", "frameset", "noembed", "noframes", "xmp", "audio", "video", "canvas",
];

/// How a message is to be shown.
#[derive(Clone, Copy)]
pub struct Display<'a> {
    /// Whether pictures may be loaded from other servers, which tells them that the mail was read.
    pub remote_images: bool,
    /// Gives the address under which the picture with this Content-ID is served.
    pub cid_url: &'a dyn Fn(&str) -> Option<String>,
}

/// HTML that is safe to show in a frame.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sanitized {
    /// The fragment; a `<style>` element of filtered rules may stand before it.
    pub html: String,
    /// How many remote pictures were left out.
    pub remote_images_blocked: usize,
}

/// Makes a stranger's HTML safe to show. A page too costly to build is shown as its text.
#[must_use]
pub fn sanitize(html: &str, display: &Display<'_>) -> Sanitized {
    if !cost::is_affordable(html) {
        let html = text_to_html(&text::to_text(html));
        return Sanitized {
            html,
            remote_images_blocked: 0,
        };
    }
    let blocked = Arc::new(AtomicUsize::new(0));
    let pictures = Pictures {
        remote: display.remote_images,
        own: own_pictures(html, display.cid_url),
        blocked: Arc::clone(&blocked),
    };
    let mut builder = builder();
    builder.attribute_filter(move |element, attribute, value| {
        let kept = match (element, attribute) {
            (_, "style") => Some(css::filter_declarations(value)).filter(|style| !style.is_empty()),
            ("a", "href") => link(value),
            ("img", "src") => Some(pictures.source(value)),
            (_, "background") => pictures.background(value),
            (_, "href" | "src") => None,
            _ => Some(value.to_owned()),
        };
        kept.map(Into::into)
    });
    let body = builder.clean(&cost::with_short_texts(html)).to_string();
    let sheet = style_sheet(html);
    let html = if sheet.is_empty() {
        body
    } else {
        format!("<style>\n{sheet}</style>\n{body}")
    };
    Sanitized {
        html,
        remote_images_blocked: blocked.load(Ordering::Relaxed),
    }
}

/// Cleans what an agent typed or pasted in the editor, for sending: no classes, no style sheets, and
/// pictures only by Content-ID or from the web.
#[must_use]
pub fn sanitize_outgoing(html: &str) -> String {
    if !cost::is_affordable(html) {
        return text_to_html(&text::to_text(html));
    }
    let mut builder = builder();
    builder.rm_generic_attributes(["class"]);
    builder.attribute_filter(|element, attribute, value| {
        let kept = match (element, attribute) {
            (_, "style") => Some(css::filter_declarations(value)).filter(|style| !style.is_empty()),
            ("a", "href") => link(value),
            ("img", "src") => outgoing_picture(value),
            (_, "href" | "src" | "background") => None,
            _ => Some(value.to_owned()),
        };
        kept.map(Into::into)
    });
    builder.clean(&cost::with_short_texts(html)).to_string()
}

fn builder() -> Builder<'static> {
    let mut builder = Builder::empty();
    builder
        .tags(HashSet::from(ELEMENTS))
        .clean_content_tags(HashSet::from(REMOVED_WHOLE))
        .generic_attributes(HashSet::from(ATTRIBUTES))
        .tag_attributes(HashMap::from([
            ("a", HashSet::from(["href"])),
            ("img", HashSet::from(["src"])),
            ("table", HashSet::from(["background"])),
            ("td", HashSet::from(["background"])),
        ]))
        .url_schemes(HashSet::from([
            "http", "https", "mailto", "tel", "sms", "cid", "data",
        ]))
        .url_relative(UrlRelative::PassThrough)
        .set_tag_attribute_value("a", "target", "_blank")
        .link_rel(Some("noopener noreferrer"))
        .strip_comments(true);
    builder
}

fn link(value: &str) -> Option<String> {
    let value = value.trim();
    let url = Url::parse(value).ok()?;
    matches!(url.scheme(), "http" | "https" | "mailto" | "tel" | "sms").then(|| value.to_owned())
}

/// What becomes of pictures. The sanitiser's filter must own all it uses, so the addresses of the
/// message's own pictures are looked up before.
struct Pictures {
    remote: bool,
    own: BTreeMap<String, String>,
    blocked: Arc<AtomicUsize>,
}

impl Pictures {
    fn source(&self, value: &str) -> String {
        let value = value.trim();
        if is_picture_data(value) {
            return value.to_owned();
        }
        self.background(value)
            .unwrap_or_else(|| BLANK_PICTURE.to_owned())
    }

    fn background(&self, value: &str) -> Option<String> {
        let value = value.trim();
        if let Some(id) = strip_scheme(value, "cid:") {
            return self.own.get(&percent_decode(id)).cloned();
        }
        self.web(value)
    }

    /// The address of a remote picture when those are allowed; counts it when not.
    fn web(&self, value: &str) -> Option<String> {
        let address = if value.starts_with("//") {
            format!("https:{value}")
        } else {
            value.to_owned()
        };
        let url = Url::parse(&address).ok()?;
        if !matches!(url.scheme(), "http" | "https") {
            return None;
        }
        if self.remote {
            return Some(url.to_string());
        }
        self.blocked.fetch_add(1, Ordering::Relaxed);
        None
    }
}

fn own_pictures(html: &str, cid_url: &dyn Fn(&str) -> Option<String>) -> BTreeMap<String, String> {
    let mut own = BTreeMap::new();
    for (_, token) in Scanner::new(html) {
        let Token::Open(tag) = token else {
            continue;
        };
        for name in ["src", "background"] {
            let Some(value) = tag.attribute(name) else {
                continue;
            };
            if let Some(id) = strip_scheme(value.trim(), "cid:") {
                let id = percent_decode(id);
                if let Some(url) = cid_url(&id) {
                    own.insert(id, url);
                }
            }
        }
    }
    own
}

fn outgoing_picture(value: &str) -> Option<String> {
    let value = value.trim();
    let web = Url::parse(value).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    (web || strip_scheme(value, "cid:").is_some()).then(|| value.to_owned())
}

fn strip_scheme<'a>(value: &'a str, scheme: &str) -> Option<&'a str> {
    let (start, rest) = value.split_at_checked(scheme.len())?;
    start.eq_ignore_ascii_case(scheme).then_some(rest)
}

/// Bitmaps only: SVG can hold scripts and load other files.
fn is_picture_data(value: &str) -> bool {
    ["png", "jpeg", "jpg", "gif", "webp", "bmp"]
        .iter()
        .any(|kind| strip_scheme(value, &format!("data:image/{kind};base64,")).is_some())
}

fn percent_decode(text: &str) -> String {
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

/// All `<style>` elements, filtered; the same sheet twice (each quoted Outlook mail brings its own)
/// counts once.
fn style_sheet(html: &str) -> String {
    let mut seen = BTreeSet::new();
    let mut out = String::new();
    for (_, token) in Scanner::new(html) {
        if let Token::Raw(name, sheet) = token
            && name == "style"
            && seen.insert(sheet)
            && seen.len() <= 50
        {
            out.push_str(&css::filter_sheet(sheet));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(html: &str) -> Sanitized {
        let cid_url = |id: &str| (id == "logo@x").then(|| "/files/1".to_owned());
        sanitize(
            html,
            &Display {
                remote_images: false,
                cid_url: &cid_url,
            },
        )
    }

    #[test]
    fn nothing_active_survives() {
        let html = "<p onclick=x()>a</p><script>b</script><form action=x><input name=y>c</form><svg onload=x><a>d</a></svg>\
                    <iframe src=x></iframe><meta http-equiv=refresh content=0><base href=x><link rel=stylesheet href=x>\
                    <a href=\"java\tscript:alert(1)\">e</a><math><mtext></mtext></math><object data=x>f</object>";
        assert_eq!(
            shown(html).html,
            "<p>a</p>c<a target=\"_blank\" rel=\"noopener noreferrer\">e</a>"
        );
    }

    #[test]
    fn remote_pictures_wait_and_own_ones_are_served() {
        let html = "<img src=\"https://track.example/p.gif\"><img src=\"cid:logo%40x\"><img src=\"//cdn.example/y.png\">\
                    <td background=\"http://x/z\"></td>";
        let result = shown(html);
        assert_eq!(result.remote_images_blocked, 2);
        assert!(result.html.contains("src=\"/files/1\"") && !result.html.contains("example"));
    }

    #[test]
    fn remote_pictures_are_loaded_when_allowed() {
        let display = Display {
            remote_images: true,
            cid_url: &|_| None,
        };
        let result = sanitize("<img src=\"//cdn.example/y.png\">", &display);
        assert_eq!(
            result,
            Sanitized {
                html: "<img src=\"https://cdn.example/y.png\">".to_owned(),
                remote_images_blocked: 0
            }
        );
    }

    #[test]
    fn links_open_outside_and_tell_nothing() {
        assert_eq!(
            shown("<a href='https://x.org' target=_top>y</a>").html,
            "<a href=\"https://x.org\" target=\"_blank\" rel=\"noopener noreferrer\">y</a>"
        );
    }

    #[test]
    fn style_sheets_are_filtered_and_put_first() {
        let result =
            shown("<style>p{color:red;position:fixed}</style><p style=\"top:0;color:blue\">x</p>");
        assert_eq!(
            result.html,
            "<style>\np{color:red}\n</style>\n<p style=\"color:blue\">x</p>"
        );
    }

    #[test]
    fn a_page_made_to_cost_hours_is_shown_as_text() {
        let html = format!("{}deep", "<div>".repeat(200_000));
        assert_eq!(shown(&html).html, "deep");
    }

    #[test]
    fn what_an_agent_typed_keeps_its_look_but_no_classes() {
        assert_eq!(
            sanitize_outgoing(
                "<div class=x style=\"color:red\">a<img src=\"cid:1\"><img src=\"data:image/png;base64,AA\"></div>"
            ),
            "<div style=\"color:red\">a<img src=\"cid:1\"><img></div>"
        );
    }
}
