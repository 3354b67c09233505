//! Compressed RTF (MS-OXRTFCP). Written here because the crate `compressed-rtf` panics on input that is too
//! short and ends the text at the first damage with nothing.

/// What the dictionary holds at the start (section 2.1.2.1).
const INITIAL: &[u8] = b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
/// Size of the dictionary, a ring.
const RING: usize = 4096;
/// Longest output. Compression saves at most seven eighths, so only a huge message reaches it.
const OUTPUT_MAX: usize = 32 * 1024 * 1024;

/// Unpacks what `PidTagRtfCompressed` holds. What is damaged ends the text, and what came before is kept;
/// `None` when this is no compressed RTF at all.
pub(crate) fn decompress(data: &[u8]) -> Option<Vec<u8>> {
    let kind = data.get(8..12)?;
    let body = data.get(16..)?;
    let size = u32::from_le_bytes(data.get(4..8)?.try_into().ok()?);
    let size = usize::try_from(size).ok()?.min(OUTPUT_MAX);
    match kind {
        b"MELA" => Some(body.get(..size).unwrap_or(body).to_vec()),
        b"LZFu" => Some(unpack(body, size)),
        _ => None,
    }
}

fn unpack(mut input: &[u8], size: usize) -> Vec<u8> {
    let mut ring = [b' '; RING];
    for (slot, byte) in ring.iter_mut().zip(INITIAL) {
        *slot = *byte;
    }
    let mut at = INITIAL.len();
    let mut out = Vec::with_capacity(size.min(input.len() * 9));
    let mut put = |byte: u8, ring: &mut [u8; RING], at: &mut usize| {
        if let Some(slot) = ring.get_mut(*at) {
            *slot = byte;
        }
        *at = (*at + 1) % RING;
        out.push(byte);
        out.len() < size
    };
    while let Some((control, rest)) = input.split_first() {
        input = rest;
        for bit in 0..8 {
            if control & (1 << bit) == 0 {
                let Some((byte, rest)) = input.split_first() else {
                    return out;
                };
                input = rest;
                if !put(*byte, &mut ring, &mut at) {
                    return out;
                }
                continue;
            }
            let Some(([high, low], rest)) = input.split_first_chunk::<2>() else {
                return out;
            };
            input = rest;
            // Twelve bits of place, four of length less two.
            let from = usize::from(*high) << 4 | usize::from(low >> 4);
            if from == at {
                return out;
            }
            for step in 0..usize::from(low & 0x0f) + 2 {
                let byte = ring.get((from + step) % RING).copied().unwrap_or(b' ');
                if !put(byte, &mut ring, &mut at) {
                    return out;
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(kind: &[u8; 4], size: u32, body: &[u8]) -> Vec<u8> {
        let mut data = vec![0, 0, 0, 0];
        data.extend_from_slice(&size.to_le_bytes());
        data.extend_from_slice(kind);
        data.extend_from_slice(&[0; 4]);
        data.extend_from_slice(body);
        data
    }

    #[test]
    fn references_into_the_dictionary_and_over_its_own_end_are_followed() {
        // "{\rtf1" from the dictionary, " ab", then six more bytes from there on, then the end.
        let body = [0b0001_0001, 0x00, 0x04, b' ', b'a', b'b', 0x0d, 0x64];
        let out = decompress(&packed(b"LZFu", 100, &body)).unwrap();
        assert_eq!(out, b"{\\rtf1 abababab");
    }

    #[test]
    fn what_is_not_compressed_is_copied_and_what_is_neither_is_none() {
        assert_eq!(decompress(&packed(b"MELA", 3, b"{\\rtf")).unwrap(), b"{\\r");
        assert_eq!(decompress(&packed(b"none", 3, b"abc")), None);
        assert_eq!(decompress(b"short"), None);
    }

    #[test]
    fn no_input_makes_more_than_it_states() {
        let mut seed = 1u32;
        for _ in 0..200 {
            let body: Vec<u8> = (0..200)
                .map(|_| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    seed.to_be_bytes()[0]
                })
                .collect();
            assert!(decompress(&packed(b"LZFu", 500, &body)).unwrap().len() <= 500);
        }
    }
}
