//! In charge of looking at and changing single header fields of a raw message without touching the
//! rest of its bytes.

/// The value of the first field of this name, unfolded and trimmed.
#[must_use]
pub fn get(raw: &[u8], name: &str) -> Option<String> {
    let field = fields(raw)
        .into_iter()
        .find(|field| is_named(field, name))?;
    let at = field.iter().position(|byte| *byte == b':')?;
    let value = String::from_utf8_lossy(field.get(at + 1..)?)
        .replace("\r\n", "")
        .replace('\n', "");
    Some(value.trim().to_owned())
}

/// The message without any field of this name.
#[must_use]
pub fn without(raw: &[u8], name: &str) -> Vec<u8> {
    let head: usize = fields(raw).iter().map(|field| field.len()).sum();
    let mut out: Vec<u8> = fields(raw)
        .into_iter()
        .filter(|field| !is_named(field, name))
        .flatten()
        .copied()
        .collect();
    out.extend_from_slice(raw.get(head..).unwrap_or_default());
    out
}

/// The message with one more field on top.
#[must_use]
pub fn with_first(raw: &[u8], name: &str, value: &str) -> Vec<u8> {
    let mut out = format!("{name}: {value}\r\n").into_bytes();
    out.extend_from_slice(raw);
    out
}

/// Where the header ends: just behind the empty line, or the whole when there is none.
#[must_use]
pub fn header_length(raw: &[u8]) -> usize {
    let head: usize = fields(raw).iter().map(|field| field.len()).sum();
    match raw.get(head..) {
        Some([b'\r', b'\n', ..]) => head + 2,
        Some([b'\n', ..]) => head + 1,
        _ => head,
    }
}

/// All fields as they stand, each with its folded lines and its line end.
#[must_use]
pub fn fields(raw: &[u8]) -> Vec<&[u8]> {
    let mut fields: Vec<&[u8]> = Vec::new();
    let (mut start, mut at) = (0, 0);
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        let folded = matches!(line.first(), Some(b' ' | b'\t')) && at > start;
        if !folded {
            if at > start {
                fields.extend(raw.get(start..at));
            }
            start = at;
        }
        if matches!(line, b"\r\n" | b"\n") {
            return fields;
        }
        at += line.len();
    }
    if at > start {
        fields.extend(raw.get(start..at));
    }
    fields
}

/// Whether a field as returned by [`fields`] has this name.
#[must_use]
pub fn is_named(field: &[u8], name: &str) -> bool {
    let at = field.iter().position(|byte| *byte == b':');
    at.and_then(|at| field.get(..at))
        .is_some_and(|found| found.trim_ascii().eq_ignore_ascii_case(name.as_bytes()))
}

/// All addresses in the fields of this name, in the order they stand.
#[must_use]
pub fn addresses(raw: &[u8], name: &str) -> Vec<String> {
    let only: Vec<u8> = fields(raw)
        .into_iter()
        .filter(|field| is_named(field, name))
        .flatten()
        .copied()
        .collect();
    // The parser knows address lists only under their own names.
    let value = String::from_utf8_lossy(&only).into_owned();
    let list = value
        .split_once(':')
        .map_or("", |(_, rest)| rest)
        .to_owned();
    let mini = format!("To:{list}\r\n\r\n");
    let parsed = mail_parser::MessageParser::default().parse(mini.as_bytes());
    let found = parsed
        .as_ref()
        .and_then(|message| message.to())
        .map(|list| {
            list.iter()
                .filter_map(|one| one.address().map(str::to_owned))
                .collect::<Vec<_>>()
        });
    found.unwrap_or_default()
}
