//! HTML from strangers made safe to show: an allow-list of elements and attributes (ammonia, which builds
//! a real tree), then our own policy for the values of what is left ([`super::rewrite`]).

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};

use super::colour;
use super::css::{self, ID_PREFIX};
use super::pictures::Pictures;
use super::rewrite::Rewriter;
use super::scan::{Scanner, Tag, Token};
use super::{cost, text, text_to_html};

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

const ATTRIBUTES: [&str; 30] = [
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
    "id",
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

/// Elements whose content goes with them; `xml` is what Office writes for itself.
const REMOVED_WHOLE: [&str; 19] = [
    "xml", "script", "style", "title", "template", "textarea", "select", "svg", "math", "object",
    "applet", "iframe", "frameset", "noembed", "noframes", "xmp", "audio", "video", "canvas",
];

/// How a message is to be shown.
#[derive(Clone, Copy)]
pub struct Display<'a> {
    /// Whether pictures may be loaded from other servers, which tells them that the mail was read.
    pub remote_images: bool,
    /// Gives the address under which the picture with this Content-ID is served; also asked with the
    /// plain address of a picture, which may be a part's Content-Location.
    pub cid_url: &'a dyn Fn(&str) -> Option<String>,
}

/// HTML that is safe to show in a frame.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sanitized {
    /// The fragment; a `<style>` element of filtered rules may stand before it. Its rules are bound to
    /// an element of the class `mailhatch-mail` around the fragment.
    pub html: String,
    /// Classes of the mail's `<body>`, for that element.
    pub body_class: String,
    /// How many remote pictures were left out.
    pub remote_images_blocked: usize,
    /// Those among them that show nothing and only tell that the mail was read. They are left out even
    /// when pictures are let in.
    pub tracking_pixels: usize,
    /// Its colours are right on white paper only; else they follow the page's `color-scheme`.
    pub needs_paper: bool,
}

/// Makes a stranger's HTML safe to show. A page too costly to build is shown as its text.
#[must_use]
pub fn sanitize(html: &str, display: &Display<'_>) -> Sanitized {
    let html = with_pictures_of_office(html);
    if !cost::is_affordable(&html) {
        return Sanitized {
            html: text_to_html(&text::to_text(&html)),
            ..Sanitized::default()
        };
    }
    let clean = SHOWN.clean(&cost::with_short_texts(&html)).to_string();
    let pictures = Pictures::new(display.remote_images, display.cid_url);
    let mut rewriter = Rewriter::for_display(pictures);
    let (body_class, sheet) = head(&html, &mut rewriter);
    let mut out = String::with_capacity(clean.len() + sheet.len());
    if !sheet.is_empty() {
        out.push_str("<style>\n");
        out.push_str(&sheet);
        out.push_str("</style>\n");
    }
    rewriter.rewrite(&clean, &mut out);
    Sanitized {
        html: out,
        body_class,
        remote_images_blocked: rewriter.pictures.blocked,
        tracking_pixels: rewriter.pictures.trackers,
        needs_paper: rewriter.needs_paper,
    }
}

/// Cleans what an agent typed or pasted in the editor, for sending: no classes, no style sheets, and
/// pictures only by Content-ID or from the web.
#[must_use]
pub fn sanitize_outgoing(html: &str) -> String {
    if !cost::is_affordable(html) {
        return text_to_html(&text::to_text(html));
    }
    let clean = SENT.clean(&cost::with_short_texts(html)).to_string();
    let mut out = String::with_capacity(clean.len());
    Rewriter::for_sending().rewrite(&clean, &mut out);
    out
}

fn builder() -> Builder<'static> {
    let mut builder = Builder::empty();
    builder
        .tags(HashSet::from(ELEMENTS))
        .clean_content_tags(HashSet::from(REMOVED_WHOLE))
        .generic_attributes(HashSet::from(ATTRIBUTES))
        .tag_attributes(HashMap::from([
            ("a", HashSet::from(["href"])),
            ("img", HashSet::from(["src", "srcset"])),
            ("table", HashSet::from(["background"])),
            ("tr", HashSet::from(["background"])),
            ("td", HashSet::from(["background"])),
            ("th", HashSet::from(["background"])),
        ]))
        .url_schemes(HashSet::from([
            "http", "https", "mailto", "tel", "sms", "cid", "data",
        ]))
        .url_relative(UrlRelative::PassThrough)
        .link_rel(None)
        .strip_comments(true);
    builder
}

/// What is shown here.
static SHOWN: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = builder();
    builder.id_prefix(Some(ID_PREFIX));
    builder
});

/// What leaves in a message of ours.
static SENT: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = builder();
    builder.rm_generic_attributes(["class", "id"]);
    builder
});

/// Office's drawings (VML) name their picture in an element of their own. Mostly a plain one stands
/// beside it for everybody else; where not, this one is taken.
fn with_pictures_of_office(html: &str) -> Cow<'_, str> {
    if html.contains("<v:imagedata") && !html.contains("[if !vml]") {
        return Cow::Owned(html.replace("<v:imagedata", "<img"));
    }
    Cow::Borrowed(html)
}

/// The classes of the body, and its look with all `<style>` elements as one sheet, filtered; the same
/// sheet twice (each quoted Outlook mail brings its own) counts once.
fn head(html: &str, rewriter: &mut Rewriter<'_>) -> (String, String) {
    let mut seen = BTreeSet::new();
    let mut body: Option<Body> = None;
    let mut sheets = String::new();
    for (_, token) in Scanner::new(html) {
        match token {
            Token::Raw(name, sheet) if name == "style" && seen.len() < 50 && seen.insert(sheet) => {
                sheets.push_str(&rewriter.paint(|paint| css::filter_sheet(sheet, paint)));
            }
            Token::Open(tag) if tag.name == "body" && body.is_none() => {
                body = Some(Body::read(&tag, rewriter));
            }
            _ => {}
        }
    }
    let body = body.unwrap_or_default();
    // Attributes yield to sheets, and those to the element's own style.
    let sheet = format!("{}{}{sheets}{}", body.attributes, body.links, body.style);
    // Nothing of it can end the element; should that ever be untrue, there is no sheet.
    let is_safe = !sheet.contains("</");
    (body.class, if is_safe { sheet } else { String::new() })
}

/// What a mail says of its `<body>`: rules for the element that stands for it.
#[derive(Default)]
struct Body {
    class: String,
    attributes: String,
    /// The colour of links, which a body on dark ground makes light.
    links: String,
    style: String,
}

impl Body {
    fn read(tag: &Tag<'_>, rewriter: &mut Rewriter<'_>) -> Self {
        let mut rule = |selector: &str, style: &str| {
            let kept = rewriter.style(style);
            if kept.is_empty() {
                return kept;
            }
            format!("{selector}{{{kept}}}\n")
        };
        let mut old = String::new();
        for (attribute, property) in [("bgcolor", "background-color"), ("text", "color")] {
            if let Some(colour) = tag.attribute(attribute) {
                old.push_str(&format!("{property}:{};", colour::with_hash(&colour)));
            }
        }
        if let Some(picture) = tag.attribute("background") {
            let picture = picture.replace(['"', '\\', '\n', '\r'], "");
            old.push_str(&format!("background-image:url(\"{picture}\");"));
        }
        let link = colour::with_hash(&tag.attribute("link").unwrap_or_default());
        Self {
            attributes: rule(css::ROOT, &old),
            links: rule(&format!("{} a", css::ROOT), &format!("color:{link}")),
            style: rule(css::ROOT, &tag.attribute("style").unwrap_or_default()),
            class: super::rewrite::classes(&tag.attribute("class").unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests;
