//! The inner form: lists of MAPI properties (MS-OXTNEF section 2.1.3.4, MS-OXCDATA section 2.11).

use super::attributes::{u16_at, u32_at};
use super::codepage;

/// Property types, without the flag of those with several values.
const TYPE_STRING8: u16 = 0x001e;
const TYPE_UNICODE: u16 = 0x001f;
const TYPE_OBJECT: u16 = 0x000d;
const TYPE_BINARY: u16 = 0x0102;
/// Properties read of one recipient.
const COLUMNS_MAX: usize = 200;
/// The flag of types with several values.
const MULTIPLE: u16 = 0x1000;

/// `PSETID_Appointment`, `PSETID_Meeting` (MS-OXPROPS section 1.3.2).
pub(super) const APPOINTMENT: [u8; 16] = [
    0x02, 0x20, 0x06, 0x00, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46,
];
pub(super) const MEETING: [u8; 16] = [
    0x90, 0xda, 0xd8, 0x6e, 0x0b, 0x45, 0x1b, 0x10, 0x98, 0xda, 0x00, 0xaa, 0x00, 0x3f, 0x13, 0x05,
];

/// One property with its first value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Property<'a> {
    /// Its id; above 0x8000 only `named` says what it is.
    pub(super) id: u16,
    /// Property set and number of a property without a fixed id.
    pub(super) named: Option<([u8; 16], u32)>,
    kind: u16,
    data: &'a [u8],
}

impl<'a> Property<'a> {
    /// Text, or `None` when it is empty or no text.
    pub(super) fn text(&self, codepage: u32) -> Option<String> {
        let text = match self.kind {
            TYPE_UNICODE => utf16(self.data),
            TYPE_STRING8 => codepage::decode(self.data, codepage),
            _ => return None,
        };
        let text = text.split('\0').next().unwrap_or_default().trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// The bytes of a binary value.
    pub(super) fn binary(&self) -> Option<&'a [u8]> {
        (self.kind == TYPE_BINARY).then_some(self.data)
    }

    /// The bytes of an object, behind the identifier of its interface.
    pub(super) fn object(&self) -> Option<(&'a [u8], &'a [u8])> {
        (self.kind == TYPE_OBJECT)
            .then(|| self.data.split_at_checked(16))
            .flatten()
    }

    /// The bytes as they stand.
    pub(super) fn bytes(&self) -> &'a [u8] {
        self.data
    }

    /// A number or truth value.
    pub(super) fn number(&self) -> Option<u32> {
        u32_at(self.data, 0)
    }

    /// A time (tenths of microseconds since 1601) as unix seconds.
    pub(super) fn time(&self) -> Option<i64> {
        let low = u64::from(u32_at(self.data, 0)?);
        let high = u64::from(u32_at(self.data, 4)?);
        let seconds = i64::try_from(((high << 32) | low) / 10_000_000).ok()?;
        Some(seconds - 11_644_473_600).filter(|at| *at != -11_644_473_600)
    }
}

fn utf16(bytes: &[u8]) -> String {
    let units = bytes
        .chunks_exact(2)
        .filter_map(|pair| Some(u16::from_le_bytes(pair.try_into().ok()?)));
    char::decode_utf16(units)
        .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

/// Goes through a list of properties; ends where it makes no sense any more.
pub(super) struct Properties<'a> {
    rest: &'a [u8],
    left: u32,
}

impl<'a> Properties<'a> {
    /// The properties of a message or attachment.
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self {
            left: u32_at(data, 0).unwrap_or_default(),
            rest: data.get(4..).unwrap_or_default(),
        }
    }

    fn cut(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    fn cut_u32(&mut self) -> Option<u32> {
        u32_at(self.cut(4)?, 0)
    }

    /// Bytes with their length before and padding to four behind.
    fn cut_sized(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.cut_u32()?).ok()?;
        let value = self.cut(length)?;
        let padding = length.wrapping_neg() & 3;
        self.rest = self.rest.get(padding..).unwrap_or_default();
        Some(value)
    }

    fn name(&mut self) -> Option<Option<([u8; 16], u32)>> {
        let set: [u8; 16] = self.cut(16)?.try_into().ok()?;
        if self.cut_u32()? == 0 {
            return Some(Some((set, self.cut_u32()?)));
        }
        self.cut_sized()?;
        Some(None)
    }

    fn read(&mut self) -> Option<Property<'a>> {
        let head = self.cut(4)?;
        let (kind, id) = (u16_at(head, 0)?, u16_at(head, 2)?);
        let named = if id >= 0x8000 { self.name()? } else { None };
        let base = kind & !MULTIPLE;
        let fixed = match base {
            0x0000 | 0x0001 => Some(0),
            0x0002..=0x0004 | 0x000a | 0x000b => Some(4),
            0x0005..=0x0007 | 0x0014 | 0x0040 => Some(8),
            0x0048 => Some(16),
            TYPE_STRING8 | TYPE_UNICODE | TYPE_OBJECT | TYPE_BINARY => None,
            _ => return None,
        };
        let several = kind & MULTIPLE != 0 || fixed.is_none();
        let stated = if several { self.cut_u32()? } else { 1 };
        // Every value but an empty one has a length.
        let count = if fixed == Some(0) { 0 } else { stated };
        let mut data: &[u8] = &[];
        for number in 0..count {
            let value = match fixed {
                Some(length) => self.cut(length)?,
                None => self.cut_sized()?,
            };
            if number == 0 {
                data = value;
            }
            if self.rest.is_empty() {
                break;
            }
        }
        Some(Property {
            id,
            named,
            kind: base,
            data,
        })
    }
}

impl<'a> Iterator for Properties<'a> {
    type Item = Property<'a>;

    fn next(&mut self) -> Option<Property<'a>> {
        self.left = self.left.checked_sub(1)?;
        let property = self.read();
        if property.is_none() {
            self.left = 0;
        }
        property
    }
}

/// The rows of a recipient table (section 2.1.3.5.1), each a list of properties.
pub(super) fn rows(data: &[u8], rows_max: usize) -> Vec<Vec<Property<'_>>> {
    let count = u32_at(data, 0).unwrap_or_default();
    let mut rest = data.get(4..).unwrap_or_default();
    let mut rows = Vec::new();
    for _ in 0..count {
        if rest.len() < 4 || rows.len() >= rows_max {
            break;
        }
        let mut properties = Properties::new(rest);
        rows.push(properties.by_ref().take(COLUMNS_MAX).collect());
        rest = properties.rest;
    }
    rows
}
