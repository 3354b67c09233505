//! A stranger's HTML: what comes out is harmless, and harmless again when it is read a second time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailhatch::mail::html::{Display, sanitize, sanitize_outgoing, to_text};

fuzz_target!(|html: &str| {
    let nothing = |_: &str| None;
    let display = Display {
        remote_images: false,
        cid_url: &nothing,
    };
    let once = sanitize(html, &display).html;
    for forbidden in ["<script", "<iframe", "<object", "<embed", "<form", "<svg", "<math", "<base", "<meta", "<link"] {
        assert!(!once.to_ascii_lowercase().contains(forbidden), "{forbidden} came through: {once}");
    }
    let twice = sanitize(&once, &display).html;
    assert_eq!(sanitize(&twice, &display).html, twice, "another reading finds something else");
    let _ = sanitize_outgoing(html);
    let _ = to_text(html);
});
