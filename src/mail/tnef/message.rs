//! What a winmail.dat says about the message itself.

use super::attributes::{self, u32_at};
use super::codepage;
use super::properties::{APPOINTMENT, MEETING, Properties, Property, rows};
use crate::mail::{html, rtf};

/// Recipients read of one message.
const RECIPIENTS_MAX: usize = 500;

/// A person, by name and address, either of which may be missing.
#[derive(Debug, Default, Clone)]
pub(super) struct Person {
    pub(super) name: String,
    pub(super) address: String,
    /// 1 To, 2 Cc, 3 Bcc (`PidTagRecipientType`).
    pub(super) role: u32,
}

/// The properties of an appointment (MS-OXOCAL section 2.2.1).
#[derive(Debug, Default)]
pub(super) struct Appointment {
    pub(super) start: Option<i64>,
    pub(super) end: Option<i64>,
    pub(super) all_day: bool,
    pub(super) location: String,
    pub(super) zone: String,
    pub(super) sequence: u32,
    pub(super) recurrence: String,
    pub(super) uid: Vec<u8>,
}

/// What was found, still undecoded where the code page may come later.
#[derive(Debug)]
pub(super) struct Message<'a> {
    /// The code page of texts without one of their own (`attOemCodepage`).
    pub(super) codepage: u32,
    pub(super) class: String,
    pub(super) subject: String,
    pub(super) from: Person,
    pub(super) recipients: Vec<Person>,
    pub(super) sent_at: Option<i64>,
    pub(super) message_id: String,
    pub(super) appointment: Appointment,
    plain: Option<String>,
    attribute_body: Option<&'a [u8]>,
    html: Option<Property<'a>>,
    rtf: Option<&'a [u8]>,
    html_codepage: Option<u32>,
}

impl Default for Message<'_> {
    fn default() -> Self {
        Self {
            codepage: 1252,
            class: String::new(),
            subject: String::new(),
            from: Person::default(),
            recipients: Vec::new(),
            sent_at: None,
            message_id: String::new(),
            appointment: Appointment::default(),
            plain: None,
            attribute_body: None,
            html: None,
            rtf: None,
            html_codepage: None,
        }
    }
}

impl<'a> Message<'a> {
    /// Takes in one attribute of the message.
    pub(super) fn attribute(&mut self, id: u16, data: &'a [u8]) {
        match id {
            attributes::OEM_CODEPAGE => {
                self.codepage = u32_at(data, 0).filter(|page| *page != 0).unwrap_or(1252);
            }
            attributes::MESSAGE_CLASS if self.class.is_empty() => self.class = self.text(data),
            attributes::SUBJECT if self.subject.is_empty() => self.subject = self.text(data),
            attributes::BODY => self.attribute_body = Some(data),
            attributes::MESSAGE_PROPERTIES => {
                for property in Properties::new(data) {
                    self.property(&property);
                }
            }
            attributes::RECIPIENTS => {
                let rows = rows(data, RECIPIENTS_MAX);
                self.recipients = rows.iter().map(|row| self.person(row)).collect();
            }
            _ => {}
        }
    }

    fn text(&self, data: &[u8]) -> String {
        let text = codepage::decode(data, self.codepage);
        text.split('\0')
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned()
    }

    fn property(&mut self, property: &Property<'a>) {
        let text = || property.text(self.codepage);
        match property.id {
            // The class inside is the true one; that of the attribute has an old name for it.
            0x001a => self.class = text().unwrap_or_default(),
            0x0037 => self.subject = text().unwrap_or_default(),
            0x0039 => self.sent_at = property.time(),
            0x0e06 => self.sent_at = self.sent_at.or_else(|| property.time()),
            // Who it is from counts before who sent it for them.
            0x0042 => self.from.name = text().unwrap_or_default(),
            0x0c1a if self.from.name.is_empty() => self.from.name = text().unwrap_or_default(),
            0x5d02 => self.from.address = text().unwrap_or_default(),
            0x0065 | 0x0c1f | 0x5d01 if !self.from.address.contains('@') => {
                self.from.address = text().unwrap_or_default();
            }
            0x1035 => self.message_id = text().unwrap_or_default(),
            0x1000 | 0x1001 => self.plain = text().or_else(|| self.plain.take()),
            0x1009 => self.rtf = property.binary().filter(|data| !data.is_empty()),
            0x1013 => self.html = Some(*property),
            0x3fde => self.html_codepage = property.number(),
            _ => {
                if let Some((set, number)) = property.named {
                    self.appointment
                        .property(set, number, property, self.codepage);
                }
            }
        }
    }

    fn person(&self, row: &[Property<'_>]) -> Person {
        let mut person = Person::default();
        for property in row {
            let text = || property.text(self.codepage).unwrap_or_default();
            match property.id {
                0x3001 => person.name = text(),
                0x39fe => person.address = text(),
                0x3003 if !person.address.contains('@') => person.address = text(),
                0x0c15 => person.role = property.number().unwrap_or_default(),
                _ => {}
            }
        }
        person
    }

    /// The text and the HTML, from whichever of five places has them.
    pub(super) fn bodies(&self) -> (Option<String>, Option<String>) {
        let attribute_body = self.attribute_body.map(|data| self.text(data));
        let plain = self.plain.clone().or(attribute_body);
        let mut plain = plain.filter(|text| !text.trim().is_empty());
        let mut rich = self.html_text();
        if rich.is_none()
            && let Some(rtf) = self.rtf.and_then(rtf::decompress)
        {
            match rtf::read(&rtf) {
                rtf::Document::Html(html) => rich = Some(html),
                rtf::Document::Text(text) => plain = plain.or(Some(text)),
            }
        }
        let tidy = |text: String| text.replace("\r\n", "\n").replace(['\r', '\0'], "\n");
        (
            plain.map(tidy).filter(|text| !text.trim().is_empty()),
            rich.map(tidy).filter(|html| !html.trim().is_empty()),
        )
    }

    fn html_text(&self) -> Option<String> {
        let property = self.html?;
        if let Some(text) = property.text(self.codepage) {
            return Some(text);
        }
        let bytes = property.binary().filter(|bytes| !bytes.is_empty())?;
        if bytes.starts_with(b"\xff\xfe") {
            return Some(codepage::decode(bytes, 1200));
        }
        // PidTagInternetCodepage says how the HTML is written (MS-OXBBODY section 2.1.5), unless it is the
        // seven-bit set of one who did not know.
        let page = self
            .html_codepage
            .filter(|page| *page != 20127 && *page != 0);
        Some(match page {
            Some(page) => codepage::decode(bytes, page),
            None => match html::declared_charset(bytes) {
                Some(label) => crate::mail::charset::decode(bytes, Some(&label)).0,
                None => codepage::decode(bytes, self.codepage),
            },
        })
    }
}

impl Appointment {
    fn property(&mut self, set: [u8; 16], number: u32, property: &Property<'_>, codepage: u32) {
        let text = || property.text(codepage).unwrap_or_default();
        match (set, number) {
            (APPOINTMENT, 0x820d) => self.start = property.time(),
            (APPOINTMENT, 0x820e) => self.end = property.time(),
            (APPOINTMENT, 0x8215) => self.all_day = property.number().is_some_and(|on| on & 1 == 1),
            (APPOINTMENT, 0x8208) => self.location = text(),
            (APPOINTMENT, 0x8234) => self.zone = text(),
            (APPOINTMENT, 0x8201) => self.sequence = property.number().unwrap_or_default(),
            (APPOINTMENT, 0x8232) => self.recurrence = text(),
            (MEETING, 0x0003 | 0x0023) if self.uid.is_empty() => {
                self.uid = property.binary().unwrap_or_default().to_vec();
            }
            _ => {}
        }
    }
}
