//! The outer form of winmail.dat: a signature and a stream of attributes (MS-OXTNEF section 2.1.3).

/// The first four bytes (section 2.1.3.1).
pub(super) const SIGNATURE: [u8; 4] = [0x78, 0x9f, 0x3e, 0x22];

/// Attributes of the message.
pub(super) const MESSAGE_CLASS: u16 = 0x8008;
pub(super) const BODY: u16 = 0x800c;
pub(super) const SUBJECT: u16 = 0x8004;
pub(super) const MESSAGE_PROPERTIES: u16 = 0x9003;
pub(super) const RECIPIENTS: u16 = 0x9004;
pub(super) const OEM_CODEPAGE: u16 = 0x9007;
/// Attributes of an attachment; the first begins the next one.
pub(super) const ATTACH_REND_DATA: u16 = 0x9002;
pub(super) const ATTACH_DATA: u16 = 0x800f;
pub(super) const ATTACH_TITLE: u16 = 0x8010;
pub(super) const ATTACH_TRANSPORT_FILENAME: u16 = 0x9001;
pub(super) const ATTACH_PROPERTIES: u16 = 0x9005;

/// One attribute.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attribute<'a> {
    /// Whether it belongs to an attachment rather than to the message.
    pub(super) of_attachment: bool,
    /// Its name: the lower half of the identifier. The upper half, the type, says nothing more, and some
    /// programs leave it zero.
    pub(super) id: u16,
    /// Its content.
    pub(super) data: &'a [u8],
}

/// Goes through the attributes. Checksums are not asked: there are writers that get them wrong, and
/// what a message holds is worth more than that.
pub(super) struct Attributes<'a> {
    rest: &'a [u8],
    /// Whether the stream ended in the middle of something.
    pub(super) cut_off: bool,
}

impl<'a> Attributes<'a> {
    /// `None` when this is no TNEF.
    pub(super) fn new(bytes: &'a [u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(&SIGNATURE)?;
        // A key that only Exchange's own stores use.
        let rest = rest.get(2..)?;
        Some(Self {
            rest,
            cut_off: false,
        })
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Attribute<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let (level, rest) = self.rest.split_first()?;
        let head = u32_at(rest, 0).zip(u32_at(rest, 4));
        let Some((id, length)) = head.filter(|_| matches!(level, 1 | 2)) else {
            // What stands behind the last attribute (line ends of a mailer, padding) is no damage.
            self.cut_off |= self.rest.len() > 16 && matches!(level, 1 | 2);
            self.rest = &[];
            return None;
        };
        let id = u16::try_from(id & 0xffff).unwrap_or_default();
        let body = rest.get(8..)?;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let data = if let Some(data) = body.get(..length) {
            self.rest = body.get(length + 2..).unwrap_or_default();
            data
        } else {
            self.cut_off = true;
            self.rest = &[];
            // Half of a file is better than none of it; half of anything else is nothing.
            if id != ATTACH_DATA || length > body.len().saturating_mul(1_000) {
                return None;
            }
            body
        };
        Some(Attribute {
            of_attachment: *level == 2,
            id,
            data,
        })
    }
}

/// A little-endian number.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(four.try_into().ok()?))
}

/// A little-endian number.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let two = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_le_bytes(two.try_into().ok()?))
}
