//! In charge of writing a winmail.dat (MS-OXTNEF): a message with a text and files, and nothing else.

/// TNEF signature (MS-OXTNEF section 2.1.3.2).
const SIGNATURE: u32 = 0x223e_9f78;
/// Level of an attribute: of the message, of an attachment.
const MESSAGE: u8 = 1;
const ATTACHMENT: u8 = 2;

const VERSION: u32 = 0x0008_9006;
const CODEPAGE: u32 = 0x0006_9007;
const CLASS: u32 = 0x0007_8008;
const SUBJECT: u32 = 0x0001_8004;
const PROPERTIES: u32 = 0x0006_9003;
const RENDERING: u32 = 0x0006_9002;
const TITLE: u32 = 0x0001_8010;
const DATA: u32 = 0x0006_800f;
const FILE_PROPERTIES: u32 = 0x0006_9005;

/// `PidTagBody` and `PidTagAttachLongFilename` as Unicode strings.
const BODY: u32 = 0x1000_001f;
const LONG_NAME: u32 = 0x3707_001f;

/// Writes the wrapping.
pub(super) fn write(subject: &str, text: &str, files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = SIGNATURE.to_le_bytes().to_vec();
    out.extend(1_u16.to_le_bytes());
    attribute(&mut out, MESSAGE, VERSION, &0x0001_0000_u32.to_le_bytes());
    let mut codepage = 1252_u32.to_le_bytes().to_vec();
    codepage.extend([0; 4]);
    attribute(&mut out, MESSAGE, CODEPAGE, &codepage);
    attribute(&mut out, MESSAGE, CLASS, b"IPM.Microsoft Mail.Note\0");
    attribute(&mut out, MESSAGE, SUBJECT, &terminated(subject));
    attribute(&mut out, MESSAGE, PROPERTIES, &property(BODY, text));
    for (name, bytes) in files {
        // A file, no position in the text, no picture for it.
        let mut rendering = 1_u16.to_le_bytes().to_vec();
        rendering.extend(0xffff_ffff_u32.to_le_bytes());
        rendering.extend([0; 8]);
        attribute(&mut out, ATTACHMENT, RENDERING, &rendering);
        attribute(&mut out, ATTACHMENT, TITLE, &terminated(&short(name)));
        attribute(&mut out, ATTACHMENT, DATA, bytes);
        attribute(
            &mut out,
            ATTACHMENT,
            FILE_PROPERTIES,
            &property(LONG_NAME, name),
        );
    }
    out
}

/// The name as a system of 1990 would have it.
fn short(name: &str) -> String {
    name.chars()
        .map(|c| if c.is_ascii() { c } else { '_' })
        .collect()
}

fn terminated(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.push(0);
    bytes
}

fn attribute(out: &mut Vec<u8>, level: u8, id: u32, data: &[u8]) {
    out.push(level);
    out.extend(id.to_le_bytes());
    out.extend(u32::try_from(data.len()).unwrap_or_default().to_le_bytes());
    out.extend_from_slice(data);
    let sum = data
        .iter()
        .fold(0_u16, |sum, byte| sum.wrapping_add(u16::from(*byte)));
    out.extend(sum.to_le_bytes());
}

/// One Unicode string as a list of MAPI properties (section 2.1.3.4).
fn property(tag: u32, text: &str) -> Vec<u8> {
    let mut value: Vec<u8> = text
        .encode_utf16()
        .chain([0])
        .flat_map(u16::to_le_bytes)
        .collect();
    let size = u32::try_from(value.len()).unwrap_or_default();
    while !value.len().is_multiple_of(4) {
        value.push(0);
    }
    let mut out = 1_u32.to_le_bytes().to_vec();
    out.extend(tag.to_le_bytes());
    out.extend(1_u32.to_le_bytes());
    out.extend(size.to_le_bytes());
    out.extend(value);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_attribute_ends_with_the_sum_of_its_bytes() {
        let bytes = write("s", "text", &[("ä.txt", b"\xff\xff")]);
        let mut rest = bytes.get(6..).unwrap();
        let mut levels = Vec::new();
        while let Some((head, after)) = rest.split_at_checked(9) {
            let length = u32::from_le_bytes(head[5..9].try_into().unwrap()) as usize;
            let sum: u16 = after[..length].iter().map(|byte| u16::from(*byte)).sum();
            assert_eq!(after[length..length + 2], sum.to_le_bytes());
            levels.push(head[0]);
            rest = &after[length + 2..];
        }
        assert_eq!((levels, rest.len()), (vec![1, 1, 1, 1, 1, 2, 2, 2, 2], 0));
    }
}
