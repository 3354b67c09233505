//! The outer shape of S/MIME content (CMS, RFC 5652), in BER or DER: what it is, and what a signature
//! without encryption encloses. Nothing is verified.
//!
//! Written here because mailers write BER of indefinite length in pieces, which strict readers of DER refuse.

/// Values inside values that are followed.
const DEPTH_MAX: usize = 24;

/// What a `.p7m` file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// Signed, with the content inside.
    Signed(Vec<u8>),
    /// Encrypted.
    Encrypted,
    /// Compressed, certificates alone, or something newer.
    Other,
}

/// The root of S/MIME's object identifiers, then `id-signedData`, `id-envelopedData` and its relatives, as
/// they stand behind their tag and length.
const RSADSI: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d];
const SIGNED: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
const ENVELOPED: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 3];
const ENCRYPTED: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 6];
const AUTH_ENVELOPED: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 1, 23];

const OCTETS: u8 = 0x04;
const OBJECT: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const EXPLICIT: u8 = 0xa0;
const CONSTRUCTED: u8 = 0x20;

/// Reads the outer shape; `None` when this is no CMS.
pub(crate) fn read(bytes: &[u8]) -> Option<Content> {
    let (info, _) = value(bytes, 0)?;
    let mut inside = inside(info.of(SEQUENCE)?);
    let kind = inside.next()?.of(OBJECT)?;
    match kind {
        ENVELOPED | ENCRYPTED | AUTH_ENVELOPED => return Some(Content::Encrypted),
        SIGNED => {}
        // Other object identifiers of S/MIME; anything else is another file by that name.
        _ if kind.starts_with(RSADSI) => return Some(Content::Other),
        _ => return None,
    }
    let signed = inside.next()?.of(EXPLICIT)?;
    Some(enclosed(signed).map_or(Content::Other, Content::Signed))
}

/// `SignedData ::= { version, digestAlgorithms, encapContentInfo { type, [0] content }, … }`.
fn enclosed(signed: &[u8]) -> Option<Vec<u8>> {
    let (data, _) = value(signed, 0)?;
    let info = inside(data.of(SEQUENCE)?).nth(2)?.of(SEQUENCE)?;
    let content = inside(info).nth(1)?.of(EXPLICIT)?;
    let (octets, _) = value(content, 0)?;
    let mut out = Vec::new();
    octets.collect(&mut out, 0)?;
    Some(out)
}

#[derive(Debug, Clone, Copy)]
struct Value<'a> {
    tag: u8,
    content: &'a [u8],
}

impl<'a> Value<'a> {
    fn of(&self, tag: u8) -> Option<&'a [u8]> {
        (self.tag == tag).then_some(self.content)
    }

    /// The bytes of a string, which may come in pieces.
    fn collect(&self, out: &mut Vec<u8>, depth: usize) -> Option<()> {
        if self.tag == OCTETS {
            out.extend_from_slice(self.content);
        } else if self.tag == OCTETS | CONSTRUCTED && depth < DEPTH_MAX {
            for piece in inside(self.content) {
                piece.collect(out, depth + 1)?;
            }
        } else {
            return None;
        }
        Some(())
    }
}

fn inside(content: &[u8]) -> impl Iterator<Item = Value<'_>> {
    let mut rest = content;
    std::iter::from_fn(move || {
        let (value, after) = value(rest, 0)?;
        rest = after;
        Some(value)
    })
}

/// The first value and what follows it.
fn value(bytes: &[u8], depth: usize) -> Option<(Value<'_>, &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    if tag & 0x1f == 0x1f || depth > DEPTH_MAX {
        return None;
    }
    if first == 0x80 {
        // Indefinite: ends with two zero bytes behind the last value inside.
        let mut after = rest;
        while !after.starts_with(&[0, 0]) {
            (_, after) = value(after, depth + 1)?;
        }
        let content = rest.get(..rest.len() - after.len())?;
        return Some((Value { tag, content }, after.get(2..)?));
    }
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        let mut length = 0usize;
        for digit in digits {
            length = length.checked_mul(256)?.checked_add(usize::from(*digit))?;
        }
        (length, rest)
    };
    // What was cut off on its way still says what it is.
    let is_cut = rest.len() < length && tag & CONSTRUCTED != 0;
    let length = if is_cut { rest.len() } else { length };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((Value { tag, content }, rest))
}
