//! A stranger's HTML: what comes out is harmless, and harmless again when it is read a second time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailhatch::mail::html::{Display, sanitize, sanitize_outgoing, to_text};

/// Elements that load, run or leave the frame.
const ACTIVE: [&str; 16] = [
    "script", "iframe", "object", "embed", "form", "input", "svg", "math", "base", "meta", "link", "video", "audio",
    "frame", "applet", "template",
];

fuzz_target!(|html: &str| {
    let nothing = |_: &str| None;
    let display = Display {
        remote_images: false,
        cid_url: &nothing,
    };
    let once = sanitize(html, &display).html;
    assert_harmless(&once, false);
    // What a browser makes of it may be read, and written, a second time.
    assert_harmless(&sanitize(&once, &display).html, false);
    // An agent may write a picture of the web into a reply.
    assert_harmless(&sanitize_outgoing(html), true);
    let _ = to_text(html);
});

/// No element, attribute or address that does anything is among the tags. What is written quotes every
/// value and escapes quotation marks and angle brackets, so that tags can be told apart this simply.
fn assert_harmless(html: &str, web_pictures: bool) {
    let mut rest = html;
    while let Some((_, after)) = rest.split_once('<') {
        let mut quoted = false;
        let end = after.find(|c| {
            quoted ^= c == '"';
            c == '>' && !quoted
        });
        let (tag, next) = after.split_at(end.unwrap_or(after.len()));
        rest = next;
        let mut pieces = tag.split('"');
        let mut before = pieces.next().unwrap_or_default();
        let name = before.trim_start_matches('/').split_ascii_whitespace().next().unwrap_or_default();
        assert!(!ACTIVE.contains(&name.to_ascii_lowercase().as_str()), "<{name}> came through: {html}");
        while let Some(value) = pieces.next() {
            let attribute = before.trim().trim_end_matches('=').rsplit(' ').next().unwrap_or_default();
            let (attribute, value) = (attribute.to_ascii_lowercase(), value.to_ascii_lowercase());
            assert!(is_quiet(&attribute, &value, web_pictures), "{attribute}={value} came through: {html}");
            before = pieces.next().unwrap_or_default();
        }
    }
}

fn is_quiet(attribute: &str, value: &str, web_pictures: bool) -> bool {
    // Browsers leave out line ends and tabs wherever they stand in an address (WHATWG URL section 4.4).
    let value = value.replace(['\t', '\n', '\r'], "");
    let value = value.trim_start();
    let begins = |schemes: &[&str]| schemes.iter().any(|scheme| value.starts_with(scheme));
    match attribute {
        "href" => begins(&["http:", "https:", "mailto:", "tel:", "sms:", "#m-"]),
        "src" | "background" => begins(&["data:image/", "cid:"]) || (web_pictures && begins(&["http:", "https:"])),
        "action" | "formaction" | "srcdoc" | "srcset" | "ping" | "is" => false,
        _ => !attribute.starts_with("on"),
    }
}
