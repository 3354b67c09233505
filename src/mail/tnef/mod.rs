//! winmail.dat: what Outlook and Exchange send in place of MIME to those they take for their like
//! (MS-OXTNEF). Written here because the crate `tnef` reads no properties, where long names and all bodies
//! stand, and stops at the first wrong checksum.
//!
//! `attributes` is the outer form, `properties` the inner one; `message` reads what they say about the
//! message and `files` its attachments; `event` makes an invitation of them, and `embedded` writes a
//! message that was attached as a message that any program can read.

mod attributes;
pub(crate) mod codepage;
mod embedded;
mod event;
mod files;
mod message;
mod properties;

use super::body::Attachment;
use super::calendar::Calendar;

/// Messages attached to messages that are followed; deeper ones stay as they are.
const DEPTH_MAX: usize = 4;
/// Attachments read of one winmail.dat.
const FILES_MAX: usize = 1_000;

/// What a winmail.dat held.
#[derive(Debug, Default)]
pub struct Unpacked {
    /// The text.
    pub text: Option<String>,
    /// The HTML.
    pub html: Option<String>,
    /// The files, in their order.
    pub attachments: Vec<Attachment>,
    /// The rich bodies as files.
    pub bodies: Vec<Attachment>,
    /// What Outlook calls a message of this sort (`PidTagMessageClass`), e.g. `REPORT.IPM.Note.IPNRN`.
    pub class: String,
    /// The invitation it was.
    pub calendar: Option<Calendar>,
    /// Whether it ends in the middle of something.
    pub cut_off: bool,
}

/// Whether bytes begin as TNEF does.
pub(crate) fn is_tnef(bytes: &[u8]) -> bool {
    bytes.starts_with(&attributes::SIGNATURE)
}

/// Unpacks a winmail.dat; `None` when it is none or nothing in it can be read.
#[must_use]
pub fn open(bytes: &[u8]) -> Option<Unpacked> {
    let (message, files, cut_off) = read(bytes, 0)?;
    let calendar = event::of(&message);
    let (text, html) = message.bodies();
    Some(Unpacked {
        text,
        html,
        attachments: files,
        bodies: message.body_files(),
        class: message.class,
        calendar,
        cut_off,
    })
}

fn read(bytes: &[u8], depth: usize) -> Option<(message::Message<'_>, Vec<Attachment>, bool)> {
    let mut attributes = attributes::Attributes::new(bytes)?;
    let mut message = message::Message::default();
    let mut files: Vec<files::File<'_>> = Vec::new();
    let mut found = false;
    for attribute in attributes.by_ref() {
        found = true;
        if !attribute.of_attachment {
            message.attribute(attribute.id, attribute.data);
            continue;
        }
        if attribute.id == attributes::ATTACH_REND_DATA || files.is_empty() {
            if files.len() >= FILES_MAX {
                break;
            }
            files.push(files::File::default());
        }
        if let Some(file) = files.last_mut() {
            file.attribute(attribute.id, attribute.data, message.codepage);
        }
    }
    let files = files
        .into_iter()
        .enumerate()
        .map(|(number, file)| file.finish(number + 1, depth))
        .collect();
    found.then_some((message, files, attributes.cut_off))
}

#[cfg(test)]
mod tests;
