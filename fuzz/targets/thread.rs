//! Ids, subjects and Outlook's index.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailhatch::mail::{parse, thread};

fuzz_target!(|raw: &[u8]| {
    let (message, _) = parse(raw);
    let candidates = thread::candidate_ids(&message);
    assert!(candidates.len() <= 100);
    let base = thread::base_subject(&message.subject);
    assert_eq!(thread::base_subject(&base), base, "the base of a base is another");
    let _ = thread::make_thread_index(message.thread_index.as_deref(), 1_700_000_000, "seed@example.org");
});
