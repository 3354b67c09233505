//! A whole message, and everything that is derived from it.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|raw: &[u8]| {
    let reading = mailhatch::cli::reading_as_json(raw);
    assert!(reading["defects"].is_array());
});
