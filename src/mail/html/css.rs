//! Which styles a stranger's mail may bring: how text looks, never where it lies on the screen and
//! never anything that loads, runs or reaches outside its frame.

/// Bytes of style text read of one message.
const SHEET_BYTES_MAX: usize = 256 * 1024;

/// Words that make a value do more than look like something.
const ACTIVE: [&str; 16] = [
    "url(",
    "expression",
    "javascript:",
    "vbscript:",
    "image(",
    "image-set",
    "element(",
    "src(",
    "behavior",
    "binding",
    "var(",
    "env(",
    "attr(",
    "@",
    "cross-fade",
    "paint(",
];

/// Filters the declarations of a `style` attribute or of one rule. Broken and unknown ones go.
pub(super) fn filter_declarations(style: &str) -> String {
    let style = without_comments(style);
    let mut out = String::with_capacity(style.len());
    for declaration in split_outside(&style, ';') {
        let Some((name, value)) = declaration.split_once(':') else {
            continue;
        };
        let name = name.trim().to_ascii_lowercase();
        let value = value.trim();
        let kept = if name == "background" && value.to_ascii_lowercase().contains("url(") {
            background_colour(value).map(|colour| ("background-color".to_owned(), colour))
        } else if is_allowed(&name) && is_harmless(&name, value) {
            Some((name, value.to_owned()))
        } else {
            None
        };
        if let Some((name, value)) = kept {
            if !out.is_empty() {
                out.push(';');
            }
            out.push_str(&name);
            out.push(':');
            out.push_str(&value);
        }
    }
    out
}

/// Filters the text of `<style>` elements: plain rules and rules inside `@media`, nothing else.
pub(super) fn filter_sheet(sheet: &str) -> String {
    let end = sheet
        .char_indices()
        .map(|(at, _)| at)
        .take_while(|at| *at <= SHEET_BYTES_MAX)
        .last()
        .unwrap_or(0);
    let sheet = if sheet.len() > SHEET_BYTES_MAX {
        sheet.get(..end).unwrap_or_default()
    } else {
        sheet
    };
    let sheet = without_comments(sheet)
        .replace("<!--", " ")
        .replace("-->", " ");
    let mut out = String::new();
    rules(&sheet, true, &mut out);
    out
}

fn rules(sheet: &str, media_allowed: bool, out: &mut String) {
    let mut rest = sheet;
    while let Some(at) = rest.find(['{', ';', '}']) {
        let (prelude, after) = rest.split_at_checked(at).unwrap_or((rest, ""));
        let mark = after.chars().next();
        let after = after.get(1..).unwrap_or_default();
        let prelude = prelude.trim();
        if mark != Some('{') {
            // `@import …;` or a stray sign.
            rest = after;
            continue;
        }
        let (block, next) = take_block(after);
        rest = next;
        if let Some(rule) = prelude.strip_prefix('@') {
            let query = rule.strip_prefix("media").filter(|query| is_plain(query));
            if let (true, Some(query)) = (media_allowed, query) {
                let mut inner = String::new();
                rules(block, false, &mut inner);
                if !inner.is_empty() {
                    out.push_str(&format!("@media{query}{{{inner}}}\n"));
                }
            }
        } else if is_plain(prelude) && !prelude.is_empty() {
            let kept = filter_declarations(block);
            if !kept.is_empty() {
                out.push_str(&format!("{prelude}{{{kept}}}\n"));
            }
        }
    }
}

/// The text up to the brace that closes the block, and what follows it.
fn take_block(input: &str) -> (&str, &str) {
    let mut depth = 1usize;
    for (at, c) in input.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            let block = input.get(..at).unwrap_or_default();
            return (block, input.get(at + 1..).unwrap_or_default());
        }
    }
    (input, "")
}

fn is_plain(selector: &str) -> bool {
    selector.len() < 2_000
        && selector.chars().all(|c| {
            c.is_alphanumeric()
                || c.is_whitespace()
                || matches!(
                    c,
                    '.' | '#'
                        | '-'
                        | '_'
                        | ','
                        | '>'
                        | '+'
                        | '~'
                        | '*'
                        | ':'
                        | '('
                        | ')'
                        | '['
                        | ']'
                        | '='
                        | '"'
                        | '\''
                        | '^'
                        | '$'
                        | '|'
                )
        })
}

fn without_comments(css: &str) -> String {
    let mut out = String::with_capacity(css.len());
    let mut rest = css;
    while let Some((before, after)) = rest.split_once("/*") {
        out.push_str(before);
        out.push(' ');
        rest = after.split_once("*/").map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    out
}

/// Splits at `mark` outside quotes and brackets.
fn split_outside(text: &str, mark: char) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut quote, mut depth, mut start) = (None, 0usize, 0usize);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.saturating_sub(1),
            (None, _) if c == mark && depth == 0 => {
                pieces.push(text.get(start..at).unwrap_or_default());
                start = at + c.len_utf8();
            }
            (None, _) => {}
        }
    }
    pieces.push(text.get(start..).unwrap_or_default());
    pieces
}

fn is_harmless(name: &str, value: &str) -> bool {
    let lower: String = value
        .to_ascii_lowercase()
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect();
    let balanced = |quote: char| value.matches(quote).count().is_multiple_of(2);
    let pulls = name.starts_with("margin")
        && (lower.contains("calc(") || lower.starts_with('-') || value.contains(" -"));
    !value.is_empty()
        && value.len() <= 500
        && !value.contains(['\\', '<', '{', '}'])
        && !value.chars().any(char::is_control)
        && balanced('"')
        && balanced('\'')
        && value.matches('(').count() == value.matches(')').count()
        && !pulls
        && !ACTIVE.iter().any(|word| lower.contains(word))
}

/// The colour of a `background` whose picture is not allowed.
fn background_colour(value: &str) -> Option<String> {
    let first = value.split_whitespace().next()?;
    let hex = first
        .strip_prefix('#')
        .is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    let named = first.bytes().all(|b| b.is_ascii_alphabetic());
    (hex || named).then(|| first.to_owned())
}

fn is_allowed(name: &str) -> bool {
    const FAMILIES: [&str; 6] = [
        "border",
        "margin",
        "padding",
        "font",
        "text-",
        "list-style-",
    ];
    if matches!(
        name,
        "border-image" | "border-image-source" | "list-style-image"
    ) {
        return false;
    }
    let in_family = FAMILIES.iter().any(|family| name.starts_with(family));
    (in_family && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'))
        || matches!(
            name,
            "background"
                | "background-color"
                | "box-sizing"
                | "caption-side"
                | "clear"
                | "color"
                | "direction"
                | "display"
                | "empty-cells"
                | "float"
                | "height"
                | "hyphens"
                | "letter-spacing"
                | "line-height"
                | "list-style"
                | "max-height"
                | "max-width"
                | "min-height"
                | "min-width"
                | "opacity"
                | "overflow"
                | "overflow-wrap"
                | "overflow-x"
                | "overflow-y"
                | "quotes"
                | "tab-size"
                | "table-layout"
                | "unicode-bidi"
                | "vertical-align"
                | "visibility"
                | "white-space"
                | "width"
                | "word-break"
                | "word-spacing"
                | "word-wrap"
                | "-webkit-text-size-adjust"
                | "object-fit"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_stay_and_tricks_go() {
        assert_eq!(
            filter_declarations(
                "color:red; position:fixed; top:0; margin:0 auto;background:url(http://x)"
            ),
            "color:red;margin:0 auto"
        );
        assert_eq!(filter_declarations("width:expression(alert(1))"), "");
        assert_eq!(
            filter_declarations("margin:-900px;margin-left:calc(0px - 9px)"),
            ""
        );
        assert_eq!(
            filter_declarations("color:r\\65 d;background:#fff u/**/rl(x)"),
            ""
        );
    }

    #[test]
    fn a_semicolon_in_quotes_does_not_split() {
        assert_eq!(
            filter_declarations("font-family:'a;b',serif;color:blue"),
            "font-family:'a;b',serif;color:blue"
        );
    }

    #[test]
    fn the_colour_of_a_background_survives_its_picture() {
        assert_eq!(
            filter_declarations("background:#eee url(http://x/y.png) no-repeat"),
            "background-color:#eee"
        );
    }

    #[test]
    fn sheets_keep_plain_rules_and_media_queries() {
        let sheet = "@import url(x); <!-- p.MsoNormal{margin:0cm;mso-x:1} --> @font-face{src:url(x)} \
                     @media (max-width:600px){.a{width:100%;position:absolute}} a[href^=\"x\"]{color:red}";
        assert_eq!(
            filter_sheet(sheet),
            "p.MsoNormal{margin:0cm}\n@media (max-width:600px){.a{width:100%}\n}\na[href^=\"x\"]{color:red}\n"
        );
    }

    #[test]
    fn a_sheet_cannot_end_its_element() {
        assert_eq!(
            filter_sheet("a{color:red}</style><script>x{y:z}</script>"),
            "a{color:red}\n"
        );
    }
}
