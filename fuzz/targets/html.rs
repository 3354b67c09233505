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
    assert_harmless(&once);
    // What a browser makes of it may be read, and written, a second time.
    assert_harmless(&sanitize(&once, &display).html);
    assert_harmless(&sanitize_outgoing(html));
    assert!(!once.to_ascii_lowercase().contains("src=\"http"), "a picture is loaded from elsewhere: {once}");
    let _ = to_text(html);
});

/// No element, attribute or address that does anything is among the tags.
fn assert_harmless(html: &str) {
    for tag in html.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap_or_default().to_ascii_lowercase();
        let name = tag.trim_start_matches('/').split_ascii_whitespace().next().unwrap_or_default();
        let known = name.is_empty() || !ACTIVE.contains(&name);
        assert!(known, "<{name}> came through: {html}");
        let quiet = !tag.contains(" on") || tag.contains('"');
        assert!(quiet, "an attribute without quotes came through: {html}");
        for address in ["href=\"javascript", "href=\"data", "src=\"data:text", "action="] {
            assert!(!tag.contains(address), "{address} came through: {html}");
        }
    }
}
