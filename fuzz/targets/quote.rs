//! Telling new text from quoted: nothing is invented.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailhatch::mail::html::to_text;
use mailhatch::mail::quote;

fuzz_target!(|input: (&str, &str, Option<&str>)| {
    let (subject, text, html) = input;
    let split = quote::split(subject, text, html);
    let read = to_text(html.unwrap_or_default());
    for word in split.reply_text.split_whitespace() {
        assert!(text.contains(word) || read.contains(word), "{word} was never written");
    }
    for at in [split.html_split, split.signature_split].into_iter().flatten() {
        assert!(html.is_some_and(|html| html.is_char_boundary(at)), "a fold inside a character");
    }
});
