//! Invitations.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailhatch::mail::calendar;

fuzz_target!(|text: &str| {
    let _ = calendar::read(text);
    let _ = calendar::read(&format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n{text}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"));
});
