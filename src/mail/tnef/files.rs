//! The attachments of a winmail.dat.

use super::attributes::{self, u16_at, u32_at};
use super::properties::Properties;
use super::{DEPTH_MAX, embedded};
use crate::mail::body::Attachment;
use crate::mail::{filename, tnef};

/// The interface of an object that is a message (`IID_IMessage`).
const MESSAGE: [u8; 16] = [
    0x07, 0x03, 0x02, 0x00, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46,
];

/// An attachment as its attributes come in, in any order.
#[derive(Debug, Default)]
pub(super) struct File<'a> {
    data: Option<&'a [u8]>,
    /// `PidTagAttachDataBinary`, or the data of an object with what comes before it.
    object: Option<&'a [u8]>,
    message: Option<&'a [u8]>,
    long_name: Option<String>,
    transport_name: Option<String>,
    short_name: Option<String>,
    title: Option<String>,
    display_name: Option<String>,
    content_type: Option<String>,
    content_id: Option<String>,
    is_in_text: bool,
    is_mac_binary: bool,
}

impl<'a> File<'a> {
    /// Takes in one attribute.
    pub(super) fn attribute(&mut self, id: u16, data: &'a [u8], codepage: u32) {
        let text = || {
            let text = tnef::codepage::decode(data, codepage);
            let text = text.split('\0').next().unwrap_or_default().trim();
            (!text.is_empty()).then(|| text.to_owned())
        };
        match id {
            attributes::ATTACH_REND_DATA => {
                self.is_mac_binary = u32_at(data, 10).is_some_and(|flags| flags & 1 == 1);
            }
            attributes::ATTACH_DATA => self.data = Some(data),
            attributes::ATTACH_TITLE => self.title = text(),
            attributes::ATTACH_TRANSPORT_FILENAME => self.transport_name = text(),
            attributes::ATTACH_PROPERTIES => self.properties(data, codepage),
            _ => {}
        }
    }

    fn properties(&mut self, data: &'a [u8], codepage: u32) {
        for property in Properties::new(data) {
            let text = || property.text(codepage);
            match property.id {
                0x3707 => self.long_name = text(),
                0x3704 => self.short_name = text(),
                0x3001 => self.display_name = text(),
                0x370e => self.content_type = text(),
                0x3712 => self.content_id = text(),
                // Hidden, or what the HTML refers to (MS-OXCMSG section 2.2.2.18).
                0x7ffe => self.is_in_text |= property.number().is_some_and(|on| on & 1 == 1),
                0x3714 => self.is_in_text |= property.number().is_some_and(|flags| flags & 4 != 0),
                0x3701 => match property.object() {
                    Some((interface, inner)) if interface == MESSAGE => self.message = Some(inner),
                    _ => self.object = Some(property.bytes()),
                },
                _ => {}
            }
        }
    }

    /// The attachment.
    pub(super) fn finish(self, number: usize, depth: usize) -> Attachment {
        // Some writers attach the inner winmail.dat as if it were a file.
        let inner = self.message.or(self.data);
        if let Some(inner) = inner.filter(|inner| tnef::is_tnef(inner)) {
            return self.message(inner, depth);
        }
        let data = self.data.filter(|data| !data.is_empty());
        let mut bytes = data.or(self.object).unwrap_or_default();
        let content_type = self.content_type.as_deref().unwrap_or_default();
        let mut given = self.name().unwrap_or_default();
        if self.is_mac_binary
            && let Some((name, fork)) = mac_binary(bytes)
        {
            bytes = fork;
            if given.is_empty() {
                given = tnef::codepage::decode(name, 10000);
            }
        }
        let (mut filename, _) = filename::safe(&given);
        let content_type = if content_type.contains('/') {
            content_type.trim().to_ascii_lowercase()
        } else {
            let guess = mime_guess::from_path(&filename).first_raw();
            guess.unwrap_or("application/octet-stream").to_owned()
        };
        if filename.is_empty() {
            filename = filename::default_name(&content_type, number);
        }
        let content_id = self.content_id;
        let content_id = content_id.map(|id| id.trim_matches(['<', '>', ' ']).to_owned());
        Attachment {
            filename,
            inline: self.is_in_text && content_id.is_some() && content_type.starts_with("image/"),
            content_type,
            bytes: bytes.to_vec(),
            content_id,
        }
    }

    /// The name that the sender saw. The title is often cut down to eight letters and an ending.
    fn name(&self) -> Option<String> {
        let shown = self.display_name.as_ref();
        let has_ending = |name: &&String| {
            let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
            (1..=5).contains(&ending.len()) && ending.bytes().all(|b| b.is_ascii_alphanumeric())
        };
        self.long_name
            .as_ref()
            .or(self.transport_name.as_ref())
            .or(shown.filter(has_ending))
            .or(self.short_name.as_ref())
            .or(self.title.as_ref())
            .or(shown)
            .cloned()
    }

    fn message(&self, inner: &[u8], depth: usize) -> Attachment {
        let shown = self.display_name.clone().unwrap_or_default();
        let opened = if depth < DEPTH_MAX {
            tnef::read(inner, depth + 1)
        } else {
            None
        };
        let Some((message, files, _)) = opened else {
            return Attachment {
                filename: "winmail.dat".to_owned(),
                content_type: "application/ms-tnef".to_owned(),
                bytes: inner.to_vec(),
                inline: false,
                content_id: None,
            };
        };
        let subject = Some(&message.subject).filter(|subject| !subject.is_empty());
        let stem = subject.unwrap_or(&shown).replace(['/', '\\'], "-");
        let (stem, _) = filename::safe(&stem);
        let filename = if stem.is_empty() {
            "message.eml".to_owned()
        } else {
            format!("{stem}.eml")
        };
        Attachment {
            filename,
            content_type: "message/rfc822".to_owned(),
            bytes: embedded::write(&message, &files, depth),
            inline: false,
            content_id: None,
        }
    }
}

/// The name and the data fork of a file from a Macintosh (`MacBinary II`), when it is one.
fn mac_binary(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let header = bytes.get(..128)?;
    let zero = |at: usize| header.get(at) == Some(&0);
    let name = usize::from(*header.get(1)?);
    if !(zero(0) && zero(74) && zero(82) && (1..=63).contains(&name)) {
        return None;
    }
    let high = u16_at(header, 83)?.swap_bytes();
    let low = u16_at(header, 85)?.swap_bytes();
    let length = usize::from(high) << 16 | usize::from(low);
    let fork = bytes.get(128..128_usize.checked_add(length)?)?;
    Some((header.get(2..2 + name)?, fork))
}
