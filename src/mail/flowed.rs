//! Flowed text (RFC 3676): soft line breaks are taken out, so that a paragraph is one line again.

/// Joins the lines of a `format=flowed` text; `delsp` says that the space before a break goes too.
pub(crate) fn join(text: &str, delsp: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut open: Option<usize> = None;
    for line in text.lines() {
        let content = line.trim_start_matches('>');
        let depth = line.len() - content.len();
        // Space-stuffing (section 4.4) is undone.
        let content = content.strip_prefix(' ').unwrap_or(content);
        let is_signature = content == "-- ";
        match open {
            Some(previous) if previous == depth && !is_signature => {}
            Some(_) => {
                out.push('\n');
                quote(&mut out, depth);
            }
            None => quote(&mut out, depth),
        }
        let flows = content.ends_with(' ') && !is_signature;
        let shown = match (flows, delsp) {
            (true, true) => content.strip_suffix(' ').unwrap_or(content),
            _ => content,
        };
        out.push_str(shown);
        if flows {
            open = Some(depth);
        } else {
            out.push('\n');
            open = None;
        }
    }
    if open.is_some() {
        out.push('\n');
    }
    out
}

fn quote(out: &mut String, depth: usize) {
    for _ in 0..depth {
        out.push('>');
    }
    if depth > 0 {
        out.push(' ');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn soft_breaks_join_and_hard_breaks_stay() {
        assert_eq!(join("one \ntwo\nthree\n", false), "one two\nthree\n");
        assert_eq!(join("one \ntwo\n", true), "onetwo\n");
    }

    #[test]
    fn quotes_join_only_within_their_depth() {
        assert_eq!(join("> a \n> b\n>> c \nd\n", false), "> a b\n>> c \nd\n");
    }

    #[test]
    fn the_signature_mark_is_not_a_soft_break() {
        assert_eq!(join("bye\n-- \nAda\n", false), "bye\n-- \nAda\n");
    }
}
