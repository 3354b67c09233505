//! The marks of an address list: quoted strings, comments, brackets.

/// The inside of a quoted string whose opening mark was taken, escapes undone, and what follows it.
pub(super) fn quoted_string(input: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut out = Vec::new();
    let mut rest = input;
    while let Some((&byte, after)) = rest.split_first() {
        rest = match (byte, after.split_first()) {
            (b'"', _) => return Some((out, after)),
            (b'\\', Some((&escaped, after))) => {
                out.push(escaped);
                after
            }
            _ => {
                out.push(byte);
                after
            }
        };
    }
    None
}

/// The inside of a comment whose opening bracket was taken, and what follows it.
pub(super) fn comment(input: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut out = Vec::new();
    let mut depth = 0usize;
    let mut rest = input;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b')' if depth == 0 => return Some((out, after)),
            b')' => depth -= 1,
            b'(' => depth += 1,
            b'\\' => {
                if let Some((&escaped, after)) = after.split_first() {
                    out.push(escaped);
                    rest = after;
                }
                continue;
            }
            _ => {}
        }
        out.push(byte);
    }
    None
}

/// What stands in angle brackets, the innermost of nested ones, and what follows.
pub(super) fn in_brackets(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut start = 0;
    let mut in_quotes = false;
    let mut escaped = false;
    for (at, byte) in input.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_quotes,
            b'"' => in_quotes = !in_quotes,
            _ if in_quotes => {}
            b'<' => start = at + 1,
            b'>' => {
                return Some((input.get(start..at)?, input.get(at + 1..)?));
            }
            _ => {}
        }
    }
    None
}

/// What stands behind a bracket that nothing closes.
pub(super) fn up_to_separator(input: &[u8]) -> (&[u8], &[u8]) {
    let end = input
        .iter()
        .position(|b| matches!(b, b'>' | b',' | b';' | b'<'))
        .unwrap_or(input.len());
    input.split_at(end)
}

/// A value with its comments taken out.
pub(super) fn without_comments(raw: &[u8]) -> Vec<u8> {
    if !raw.contains(&b'(') {
        return raw.to_vec();
    }
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    let mut in_quotes = false;
    let mut unclosed = false;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'"' => in_quotes = !in_quotes,
            b'(' if !in_quotes && !unclosed => {
                if let Some((_, after)) = comment(after) {
                    rest = after;
                    continue;
                }
                unclosed = true;
            }
            _ => {}
        }
        out.push(byte);
    }
    out
}

/// A text without the quotes that stand around all of it.
pub(super) fn unwrapped(text: &str) -> &str {
    for mark in ['"', '\''] {
        let inside = text
            .strip_prefix(mark)
            .and_then(|text| text.strip_suffix(mark));
        if let Some(inside) = inside
            && !inside.contains(mark)
            && !inside.is_empty()
        {
            return inside.trim();
        }
    }
    text
}

/// An address without spaces around its dots and sign; of several words the one that is an address.
pub(super) fn closed(text: &str) -> String {
    if !text.contains(char::is_whitespace) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        let touches = |c: char| matches!(c, '@' | '.');
        if !out.is_empty() && !out.ends_with(touches) && !word.starts_with(touches) {
            out.push(' ');
        }
        out.push_str(word);
    }
    let address = out.split(' ').find(|word| word.contains('@'));
    address.map_or(out.clone(), str::to_owned)
}

/// A text with all white space taken out.
pub(super) fn without_spaces(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// A quoted string with this inside.
pub(super) fn quote(text: &[u8]) -> Vec<u8> {
    let mut out = vec![b'"'];
    for byte in text {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out.push(b'"');
    out
}
