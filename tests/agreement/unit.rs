//! The corpora as units: one message with what its source expects of it.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// One message and what is expected of it.
pub(crate) struct Unit {
    /// The folder it is from.
    pub(crate) source: String,
    /// Its file's name, with a number behind it when the file holds several.
    pub(crate) name: String,
    /// Its bytes.
    pub(crate) raw: Vec<u8>,
    /// Facts its source's tests state, in the vocabulary of the manifest; null when none.
    pub(crate) canon: Value,
    /// The same in the source's own words.
    pub(crate) expects: Value,
    /// What another reader (Python's) saw; null when it was not asked.
    pub(crate) oracle: Value,
}

impl Unit {
    /// `folder/file`, as `kept.txt` names it.
    pub(crate) fn id(&self) -> String {
        format!("{}/{}", self.source, self.name)
    }

    /// What `mailhatch parse` prints.
    pub(crate) fn read(&self) -> Value {
        mailhatch::cli::reading_as_json(&self.raw)
    }
}

/// The folder with the corpora, when there is one.
pub(crate) fn corpus() -> Option<PathBuf> {
    let named = std::env::var_os("TEST_CORPUS").filter(|name| !name.is_empty());
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let folder = named.map_or_else(|| root.join("../shared/corpus"), |name| root.join(name));
    folder.is_dir().then_some(folder)
}

/// The folders of the corpora, in their order.
pub(crate) fn sources(folder: &Path) -> Vec<PathBuf> {
    sorted(folder)
        .into_iter()
        .filter(|path| path.is_dir())
        .collect()
}

/// The units of one folder.
pub(crate) fn units(source: &Path) -> Vec<Unit> {
    let folder = name_of(source);
    let oracle = oracle(source);
    let mut units = Vec::new();
    for path in sorted(source) {
        let name = name_of(&path);
        let ending = path
            .extension()
            .and_then(|e| e.to_str())
            .unwrap_or_default();
        let messages = match ending {
            "eml" => vec![fs::read(&path).expect("the corpus can be read")],
            "mbox" => split_mbox(&fs::read(&path).expect("the corpus can be read")),
            "txt" | "html" if is_body(source, &path) => vec![as_message(&path, ending)],
            "tnef" => vec![as_winmail(&path)],
            "ics" => vec![as_calendar(&path)],
            _ => continue,
        };
        let expect = expectation(&path);
        let several = messages.len() > 1;
        for (number, raw) in messages.into_iter().enumerate() {
            let name = if several {
                format!("{name}#{number}")
            } else {
                name.clone()
            };
            units.push(Unit {
                source: folder.clone(),
                raw,
                canon: expect["canon"].clone(),
                expects: expect["expects"].clone(),
                oracle: oracle
                    .iter()
                    .find(|row| row["file"] == name)
                    .cloned()
                    .unwrap_or(Value::Null),
                name,
            });
        }
    }
    units.extend(stripping_cases(source, &folder));
    units.extend(subject_cases(source, &folder));
    units
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder can be read");
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.sort();
    paths
}

/// The last part of a path.
pub(crate) fn name_of(path: &Path) -> String {
    path.file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default()
        .to_owned()
}

fn expectation(path: &Path) -> Value {
    let text = fs::read_to_string(path.with_extension("expect.json")).unwrap_or_default();
    let value: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
    // Two forms of one message may share a stem; the expectation names the one it is about.
    if value["file"].is_null() || value["file"] == name_of(path) {
        value
    } else {
        Value::Null
    }
}

fn oracle(source: &Path) -> Vec<Value> {
    let text = fs::read_to_string(source.join("_oracle.jsonl")).unwrap_or_default();
    text.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

/// Whether a file is the body of a message rather than the expected outcome for another.
fn is_body(source: &Path, path: &Path) -> bool {
    let index = fs::read_to_string(source.join("_index.jsonl")).unwrap_or_default();
    let name = name_of(path);
    index
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .any(|row| {
            matches!(
                row["files"][&name].as_str(),
                Some("body_text" | "body_html")
            )
        })
}

/// A body as a whole message.
fn as_message(path: &Path, ending: &str) -> Vec<u8> {
    let body = fs::read(path).expect("the corpus can be read");
    let kind = if ending == "html" {
        "text/html"
    } else {
        "text/plain"
    };
    wrap(&body, kind, &subject_of(path))
}

/// The subject that goes with a body: some sources keep it in a file beside it.
fn subject_of(path: &Path) -> String {
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    let start = format!("{}.subject.", stem.unwrap_or_default());
    let beside = sorted(path.parent().unwrap_or(path))
        .into_iter()
        .find(|path| name_of(path).starts_with(&start));
    let subject = beside.and_then(|path| fs::read_to_string(path).ok());
    subject.map_or_else(|| "corpus".to_owned(), |subject| subject.trim().to_owned())
}

/// A message around a body.
pub(crate) fn wrap(body: &[u8], content_type: &str, subject: &str) -> Vec<u8> {
    let mut raw = format!(
        "From: a@example.org\r\nTo: b@example.org\r\nSubject: {subject}\r\nDate: Wed, 1 May 2024 14:00:00 +0200\r\n\
         Message-ID: <corpus@example.org>\r\nContent-Type: {content_type}; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    )
    .into_bytes();
    raw.extend_from_slice(body);
    raw
}

fn as_winmail(path: &Path) -> Vec<u8> {
    attached(path, "application/ms-tnef; name=winmail.dat")
}

fn as_calendar(path: &Path) -> Vec<u8> {
    wrap(
        &fs::read(path).expect("the corpus can be read"),
        "text/calendar",
        "corpus",
    )
}

fn attached(path: &Path, content_type: &str) -> Vec<u8> {
    use base64::Engine as _;
    let body = fs::read(path).expect("the corpus can be read");
    let coded = base64::engine::general_purpose::STANDARD.encode(body);
    let lines: Vec<&str> = coded
        .as_bytes()
        .chunks(76)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!(
        "From: a@example.org\r\nSubject: corpus\r\nMIME-Version: 1.0\r\nContent-Type: {content_type}\r\n\
         Content-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n",
        lines.join("\r\n")
    )
    .into_bytes()
}

/// Splits an mbox at its `From ` lines, with `>From ` unquoted.
pub(crate) fn split_mbox(raw: &[u8]) -> Vec<Vec<u8>> {
    let mut messages: Vec<Vec<u8>> = Vec::new();
    let mut after_blank = true;
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        if after_blank && line.starts_with(b"From ") {
            messages.push(Vec::new());
        } else if let Some(message) = messages.last_mut() {
            let quoted = line.iter().take_while(|byte| **byte == b'>').count();
            let unquoted = quoted > 0 && line[quoted..].starts_with(b"From ");
            message.extend_from_slice(&line[usize::from(unquoted)..]);
        }
        after_blank = line.iter().all(u8::is_ascii_whitespace);
    }
    messages
}

/// HTML bodies whose expectation is the body without its quotation, in a file of its own.
fn stripping_cases(source: &Path, folder: &str) -> Vec<Unit> {
    let mut units = Vec::new();
    for path in sorted(source) {
        let name = name_of(&path);
        let Some(stem) = name.strip_suffix("_stripped.html") else {
            continue;
        };
        let body = source.join(format!("{stem}.html"));
        let (Ok(body), Ok(stripped)) = (fs::read(body), fs::read_to_string(&path)) else {
            continue;
        };
        units.push(Unit {
            source: folder.to_owned(),
            name: format!("{stem}.html#stripped"),
            raw: wrap(&body, "text/html", "corpus"),
            canon: json!({ "reply_of_html": stripped }),
            expects: Value::Null,
            oracle: Value::Null,
        });
    }
    units
}

/// Subjects with what is left of them without `Re:` and its kin, one a line.
fn subject_cases(source: &Path, folder: &str) -> Vec<Unit> {
    let text = fs::read_to_string(source.join("cases.jsonl")).unwrap_or_default();
    let rows = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    rows.filter_map(|row| {
        let subject = row["original_subject"].as_str()?;
        Some(Unit {
            source: folder.to_owned(),
            name: format!("cases.jsonl#{}", row["case"].as_str().unwrap_or_default()),
            raw: format!("From: a@example.org\r\nSubject: {subject}\r\n\r\n\r\n").into_bytes(),
            canon: json!({ "base_subject": row["stripped_subject"] }),
            expects: Value::Null,
            oracle: Value::Null,
        })
    })
    .collect()
}
