//! What a winmail.dat held, compared with what another unpacker wrote to files.

use mailhatch::mail::{self, Attachment, Parsed};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::text::short;

/// Says what is missing of one file the source lists; `None` when it is there.
///
/// The sources' files went through a repository that turned CRLF into LF in what it took for text, and
/// their unpacker replaced unusual characters in names; both are undone here. A body listed as a file counts
/// when it is the text or HTML of the message, where it belongs.
pub(crate) fn difference(raw: &[u8], wanted: &Value) -> Option<String> {
    let (parsed, _) = mail::parse(raw);
    let name = wanted["name"].as_str().unwrap_or_default();
    let hash = wanted["sha256"].as_str().unwrap_or_default();
    let found = match name {
        "message.html" => parsed
            .html
            .as_deref()
            .is_some_and(|html| is_html(html, hash)),
        // What Rich Text becomes has no bytes in common with it.
        "message.rtf" | "message.txt" => !parsed.text.trim().is_empty(),
        _ if is_embedded(name) => has_message(&parsed),
        _ => parsed
            .attachments
            .iter()
            .any(|file| same_name(&file.filename, name) && has_hash(&file.bytes, hash)),
    };
    if found {
        return None;
    }
    let describe =
        |file: &Attachment| format!("{} {} {}", file.filename, file.bytes.len(), file.sha256());
    let files: Vec<String> = parsed.attachments.iter().map(describe).collect();
    Some(format!(
        "wanted {wanted}, found {files:?}, «{}»",
        short(&parsed.text)
    ))
}

fn has_hash(bytes: &[u8], hash: &str) -> bool {
    let mut unix = Vec::with_capacity(bytes.len());
    for (at, byte) in bytes.iter().enumerate() {
        if *byte != b'\r' || bytes.get(at + 1) != Some(&b'\n') {
            unix.push(*byte);
        }
    }
    [bytes, unix.as_slice()]
        .iter()
        .any(|bytes| hex(bytes) == hash)
}

fn hex(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether the HTML is that of the file; characters beyond Latin-1 leave no bytes to compare with.
fn is_html(html: &str, hash: &str) -> bool {
    let western: Option<Vec<u8>> = html
        .chars()
        .map(|c| u8::try_from(u32::from(c)).ok())
        .collect();
    hex(html.as_bytes()) == hash || western.is_none_or(|bytes| hex(&bytes) == hash)
}

fn same_name(found: &str, wanted: &str) -> bool {
    let plain = |name: &str| -> String {
        let keep = |c: char| {
            if c.is_alphanumeric() || c == '.' {
                c
            } else {
                '_'
            }
        };
        name.chars().map(keep).collect()
    };
    plain(found) == plain(wanted)
}

/// That unpacker writes an attached message as two numbered files, a note that it is one and a winmail.dat
/// of its own; here it is a message.
fn is_embedded(name: &str) -> bool {
    let number = name.strip_prefix("Untitled Attachment.");
    number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn has_message(parsed: &Parsed) -> bool {
    let mut files = parsed.attachments.iter();
    files.any(|file| {
        file.content_type == "message/rfc822" && !mail::parse(&file.bytes).0.subject.is_empty()
    })
}
