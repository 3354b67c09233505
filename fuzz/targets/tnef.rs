//! winmail.dat, as an attachment of a message.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailhatch::mail::parse;

const HEAD: &[u8] = b"From: a@example.org\r\nContent-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: binary\r\n\r\n";
const SIGNATURE: [u8; 4] = [0x78, 0x9f, 0x3e, 0x22];

fuzz_target!(|tnef: &[u8]| {
    let mut raw = HEAD.to_vec();
    if !tnef.starts_with(&SIGNATURE) {
        raw.extend_from_slice(&SIGNATURE);
    }
    raw.extend_from_slice(tnef);
    let (message, _) = parse(&raw);
    let unpacked: usize = message.attachments.iter().map(|file| file.bytes.len()).sum();
    assert!(unpacked < 64 * 1024 * 1024, "{} bytes became {unpacked}", raw.len());
});
