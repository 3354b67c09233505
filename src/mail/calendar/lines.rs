//! Content lines and the components they stand in (RFC 5545 section 3.1, 3.6), read leniently.

/// Content lines read of one calendar.
const LINES_MAX: usize = 20_000;
/// Components inside components that are followed.
const DEPTH_MAX: usize = 12;

/// `NAME;PARAMETER=x:value`, the value as it stands.
#[derive(Debug, Default)]
pub(super) struct Line {
    name: String,
    parameters: Vec<(String, String)>,
    /// The value with its escapes.
    pub(super) value: String,
}

impl Line {
    /// A parameter by its name in upper case.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let mut all = self.parameters.iter();
        all.find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Lines between BEGIN and END; the outermost one has no name.
#[derive(Debug, Default)]
pub(super) struct Component {
    name: String,
    lines: Vec<Line>,
    inner: Vec<Component>,
}

impl Component {
    /// The first line with a name that has a value.
    pub(super) fn line(&self, name: &str) -> Option<&Line> {
        self.lines
            .iter()
            .find(|line| line.name == name && !line.value.trim().is_empty())
    }

    /// All lines with a name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Line> {
        self.lines.iter().filter(move |line| line.name == name)
    }

    /// A text value, its escapes undone; empty when there is none.
    pub(super) fn text(&self, name: &str) -> String {
        self.line(name)
            .map(|line| unescape(&line.value))
            .unwrap_or_default()
    }

    /// The text of the first such line here or in what is inside.
    pub(super) fn first(&self, name: &str) -> String {
        let own = self.text(name);
        if !own.is_empty() {
            return own;
        }
        let mut inner = self.inner.iter().map(|component| component.first(name));
        inner.find(|text| !text.is_empty()).unwrap_or_default()
    }

    /// All components with a name, in their order.
    pub(super) fn collect<'a>(&'a self, name: &str, out: &mut Vec<&'a Component>) {
        for component in &self.inner {
            if component.name == name {
                out.push(component);
            }
            component.collect(name, out);
        }
    }

    /// What stands directly inside.
    pub(super) fn inner(&self) -> &[Component] {
        &self.inner
    }
}

/// Reads the components of a calendar. An END without its BEGIN is passed over, a BEGIN without its END
/// ends with the text.
pub(super) fn components(text: &str) -> Component {
    let mut open = vec![Component::default()];
    for line in unfold(text) {
        let Some(line) = content_line(&line) else {
            continue;
        };
        match line.name.as_str() {
            "BEGIN" if open.len() < DEPTH_MAX => open.push(Component {
                name: line.value.trim().to_ascii_uppercase(),
                ..Component::default()
            }),
            "END" => {
                let name = line.value.trim().to_ascii_uppercase();
                if let Some(at) = open.iter().rposition(|component| component.name == name) {
                    close(&mut open, at.max(1));
                }
            }
            _ => {
                if let Some(component) = open.last_mut() {
                    component.lines.push(line);
                }
            }
        }
    }
    close(&mut open, 1);
    open.pop().unwrap_or_default()
}

/// Puts everything from `at` on into what it stands in.
fn close(open: &mut Vec<Component>, at: usize) {
    while open.len() > at {
        let Some(done) = open.pop() else { return };
        if let Some(outer) = open.last_mut() {
            outer.inner.push(done);
        }
    }
}

/// Undoes line folding (section 3.1). A line that cannot begin a property goes on with the one before:
/// some programs write line breaks into a description.
fn unfold(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let text = text.trim_start_matches('\u{feff}');
    let pieces = text.split(['\n', '\r']).filter(|line| !line.is_empty());
    let mut pieces = pieces.take(LINES_MAX * 2).peekable();
    while let Some(line) = pieces.next() {
        let folded = line.strip_prefix([' ', '\t']);
        // A name alone begins a property when its colon was folded away.
        let cut = |next: &&str| matches!(next.get(..2), Some(" :" | " ;" | "\t:" | "\t;"));
        let mut begins =
            || begins_property(line) || (is_name(line) && pieces.peek().is_some_and(cut));
        match (folded, lines.last_mut()) {
            (Some(more), Some(last)) => last.push_str(more),
            (None, Some(last)) if !begins() => {
                last.push_str("\\n");
                last.push_str(line);
            }
            _ => lines.push(line.to_owned()),
        }
        if lines.len() >= LINES_MAX {
            break;
        }
    }
    lines
}

/// Whether a line begins with a property's name; a link in a broken description does not.
fn begins_property(line: &str) -> bool {
    let Some((name, rest)) = line.split_once([':', ';']) else {
        return false;
    };
    is_name(name.trim()) && !rest.starts_with("//")
}

fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    !text.is_empty() && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// The colon that ends the parameters is the first outside quotes, likewise each semicolon.
fn content_line(line: &str) -> Option<Line> {
    let mut quoted = false;
    let mut pieces: Vec<String> = vec![String::new()];
    let mut chars = line.chars();
    let mut found = false;
    for c in chars.by_ref() {
        match c {
            '"' => quoted = !quoted,
            ':' if !quoted => {
                found = true;
                break;
            }
            ';' if !quoted => pieces.push(String::new()),
            _ => {
                if let Some(piece) = pieces.last_mut() {
                    piece.push(c);
                }
            }
        }
    }
    let mut value = chars.as_str();
    let mut name = pieces.first()?.trim().to_ascii_uppercase();
    if !found {
        // A quote that is never closed: the first colon counts after all.
        let (head, rest) = line.split_once(':')?;
        name = head.split(';').next()?.trim().to_ascii_uppercase();
        pieces = head.split(';').map(str::to_owned).collect();
        value = rest;
    }
    let mut parameters: Vec<(String, String)> = pieces
        .iter()
        .skip(1)
        .filter_map(|piece| piece.split_once('='))
        .map(|(key, value)| {
            let value = value.trim().trim_matches('"');
            (key.trim().to_ascii_uppercase(), uncaret(value))
        })
        .collect();
    // A zone's name with a colon that should have been quoted: `TZID=(UTC+01:00) Berlin:20240501T090000`.
    if let Some((key, zone)) = parameters.last_mut()
        && key == "TZID"
        && let Some((more, bare)) = value.rsplit_once(':')
    {
        zone.push(':');
        zone.push_str(more);
        value = bare;
    }
    // RFC 5545 knows no groups, but programs that also write vCards use them.
    if let Some((_, bare)) = name.rsplit_once('.') {
        name = bare.to_owned();
    }
    Some(Line {
        name,
        parameters,
        value: value.to_owned(),
    })
}

/// Undoes the escapes of parameters (RFC 6868).
fn uncaret(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars().peekable();
    while let Some(c) = chars.next() {
        let plain = match (c, chars.peek()) {
            ('^', Some('n')) => '\n',
            ('^', Some('\'')) => '"',
            ('^', Some('^')) => '^',
            _ => {
                out.push(c);
                continue;
            }
        };
        chars.next();
        out.push(plain);
    }
    out
}

/// Undoes the escapes of text values (section 3.3.11).
pub(super) fn unescape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n' | 'N') => out.push('\n'),
            Some(other) => out.push(other),
            None => {}
        }
    }
    out.trim().to_owned()
}
