//! Telling new text from quoted: nothing is invented.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailhatch::mail::html::to_text;
use mailhatch::mail::quote;

fuzz_target!(|input: (&str, Option<&str>)| {
    let (text, html) = input;
    let split = quote::split(text, html);
    let read = to_text(html.unwrap_or_default());
    for word in split.reply_text.split_whitespace() {
        assert!(text.contains(word) || read.contains(word), "{word} was never written");
    }
    if let (Some(at), Some(html)) = (split.html_split, html) {
        assert!(html.is_char_boundary(at), "the history begins inside a character");
    }
});
