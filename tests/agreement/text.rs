//! How texts are compared: by their words, not by their line ends.

/// White space collapsed.
pub(crate) fn folded(text: &str) -> String {
    text.replace('\u{a0}', " ")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// All white space gone.
pub(crate) fn packed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// The words of `wanted` that `found` lacks.
pub(crate) fn missing_words(wanted: &str, found: &str) -> Vec<String> {
    let words = |text: &str| -> Vec<String> {
        apart(text)
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let mut left = words(found);
    let mut missing = Vec::new();
    for word in words(wanted) {
        match left.iter().position(|known| *known == word) {
            Some(at) => {
                left.swap_remove(at);
            }
            None => missing.push(word),
        }
    }
    missing
}

/// Chinese and Japanese signs set apart from letters and digits, between which some programs put a space.
fn apart(text: &str) -> String {
    let sign = |c: char| c >= '\u{2e80}';
    let mut out = String::with_capacity(text.len());
    let mut last = ' ';
    for c in text.chars() {
        if sign(c) != sign(last) {
            out.push(' ');
        }
        out.push(c);
        last = c;
    }
    out
}

/// The start of a text, for one line of a report.
pub(crate) fn short(text: &str) -> String {
    let text = folded(text);
    let mut out: String = text.chars().take(160).collect();
    if out.len() < text.len() {
        out.push('…');
    }
    out
}
