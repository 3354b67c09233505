//! Documents: what they name is there, and what is there is named.

use std::collections::{BTreeMap, BTreeSet};

use super::rust::{Kind, Source, sources};
use super::tree::{self, assert_none};

/// The longest each document may be, in lines.
const LENGTHS: &[(&str, usize)] = &[
    ("README.md", 120),
    ("CONTRIBUTING.md", 100),
    ("SECURITY.md", 50),
    ("docs/ARCHITECTURE.md", 200),
    ("docs/LOGGING.md", 60),
    ("docs/OPERATIONS.md", 240),
    ("docs/TESTING.md", 80),
];

/// Folders whose contents a document may name by their path.
const ROOTS: &[&str] = &[
    "src/",
    "docs/",
    "tests/",
    "templates/",
    "static/",
    "migrations/",
    "simulator/",
    "packaging/",
    "benches/",
    "fuzz/",
];

/// The rows of the first table below a heading; of each cell the words set as code.
pub(crate) fn table(path: &str, heading: &str) -> Vec<Vec<Vec<String>>> {
    let text = tree::file(path).text;
    let below = text.split_once(&format!("{heading}\n"));
    let (_, below) = below.unwrap_or_else(|| panic!("{path} has no heading {heading:?}"));
    let rows = below.lines().skip_while(|line| !line.starts_with('|'));
    let rows: Vec<Vec<Vec<String>>> = rows
        .take_while(|line| line.starts_with('|'))
        .skip(2)
        .map(|line| line.trim_matches('|').split(" | ").map(code).collect())
        .collect();
    assert!(!rows.is_empty(), "{path}: no table below {heading:?}");
    rows
}

/// What a line sets as code.
fn code(line: &str) -> Vec<String> {
    line.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

fn documents() -> Vec<tree::File> {
    tree::files("")
        .into_iter()
        .filter(|file| file.path.ends_with(".md") && !file.path.starts_with("static/"))
        .collect()
}

/// The dependencies of both packages.
fn dependencies() -> BTreeMap<String, &'static str> {
    let mut found = BTreeMap::new();
    for (manifest, code) in [("Cargo.toml", ""), ("simulator/Cargo.toml", "simulator/")] {
        let mut inside = false;
        for line in tree::file(manifest).text.lines() {
            if line.starts_with('[') {
                inside = matches!(line, "[dependencies]" | "[dev-dependencies]");
            } else if inside && !line.starts_with('#') {
                let name = line.split(['=', '.', ' ']).next().unwrap_or_default();
                if !name.is_empty() {
                    found.entry(name.to_owned()).or_insert(code);
                }
            }
        }
    }
    assert!(found.len() > 20, "the manifests could not be read");
    found
}

#[test]
fn every_dependency_is_argued_in_the_architecture() {
    let rows = table("docs/ARCHITECTURE.md", "## Dependencies");
    let argued: BTreeSet<String> = rows.into_iter().flat_map(|row| row[0].clone()).collect();
    let used: BTreeSet<String> = dependencies().into_keys().collect();
    let mut breaches: Vec<String> = used
        .difference(&argued)
        .map(|name| format!("{name} is not argued"))
        .collect();
    breaches.extend(
        argued
            .difference(&used)
            .map(|name| format!("{name} is argued but not used")),
    );
    assert_none(
        &breaches,
        "The table Dependencies in docs/ARCHITECTURE.md says what each is for and what else was considered.",
    );
}

#[test]
fn every_dependency_is_used() {
    let mut named = BTreeSet::new();
    for source in sources(&["src", "tests", "simulator", "benches"]) {
        let words = source.words.iter().filter(|word| word.kind == Kind::Name);
        named.extend(words.map(|word| word.text.clone()));
    }
    let breaches: Vec<String> = dependencies()
        .into_keys()
        .filter(|name| !named.contains(&name.replace('-', "_")))
        .collect();
    assert_none(&breaches, "No source names it: take it out of Cargo.toml.");
}

#[test]
fn no_document_is_longer_than_it_is_worth_reading() {
    let breaches: Vec<String> = LENGTHS
        .iter()
        .map(|(path, most)| (path, most, tree::file(path).text.lines().count()))
        .filter(|(_, most, lines)| lines > most)
        .map(|(path, most, lines)| format!("{path}: {lines} lines, {most} at most"))
        .collect();
    assert_none(
        &breaches,
        "Take out what the reader does not need, or move it where it belongs.",
    );
}

#[test]
fn what_a_document_names_is_there() {
    let mut breaches = Vec::new();
    for document in documents() {
        let folder = document
            .path
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder);
        for (number, line) in document.text.lines().enumerate() {
            let mut say =
                |path: &str| breaches.push(format!("{}:{}: {path}", document.path, number + 1));
            for path in code(line)
                .iter()
                .filter(|path| ROOTS.iter().any(|root| path.starts_with(root)))
            {
                let is_pattern =
                    path.contains(['<', '*', '…', '{', ' ', ':']) || path.contains("NN");
                if !is_pattern && !tree::exists(path) {
                    say(path);
                }
            }
            for link in line
                .split("](")
                .skip(1)
                .filter_map(|part| Some(part.split_once(')')?.0))
            {
                let path = link.split('#').next().unwrap_or_default();
                let is_file = !path.is_empty() && !link.contains("://") && !link.starts_with('<');
                if is_file && !tree::exists(&format!("{folder}/{path}")) && !tree::exists(path) {
                    say(link);
                }
            }
        }
    }
    assert_none(&breaches, "Correct the name, or write what it promises.");
}

/// The names of all functions in these folders.
fn functions(folders: &[&str]) -> BTreeSet<String> {
    sources(folders)
        .iter()
        .flat_map(|source| source.words.windows(2))
        .filter(|pair| pair[0].text == "fn")
        .map(|pair| pair[1].text.clone())
        .collect()
}

#[test]
fn every_test_that_the_lists_of_quirks_and_faults_name_is_a_test() {
    let tests = functions(&["src", "tests", "simulator"]);
    let mut breaches = Vec::new();
    for path in ["docs/QUIRKS.md", "docs/RELIABILITY.md"] {
        for line in tree::file(path).text.lines() {
            for name in code(line) {
                let is_test = name.matches('_').count() > 2 && !name.contains(['/', ':', ' ']);
                if is_test && !tests.contains(&name) {
                    breaches.push(format!("{path}: {name}"));
                }
            }
        }
    }
    assert_none(
        &breaches,
        "No test is called so: correct the list, or write the test.",
    );
}

#[test]
fn every_test_of_a_fault_is_a_row_of_the_list_of_faults() {
    let list = tree::file("docs/RELIABILITY.md").text;
    let mut breaches = Vec::new();
    let mut count = 0;
    let sources = tree::files("tests/it/faults").into_iter();
    for source in sources.filter(|file| file.path.starts_with("tests/it/faults/")) {
        for test in source.text.split("#[test]\nfn ").skip(1) {
            let name = test.split('(').next().unwrap_or_default();
            count += 1;
            if !list.contains(&format!("| `{name}` |")) {
                breaches.push(format!("{}: {name}", source.path));
            }
        }
    }
    assert!(count >= 60, "only {count} tests of faults");
    assert_none(
        &breaches,
        "Each fault is a row of docs/RELIABILITY.md: what, when, and what then happens.",
    );
}

#[test]
fn every_command_a_document_names_is_a_command() {
    let commands = variants(&Source::new(tree::file("src/cli/mod.rs")), "Command");
    let mut breaches = Vec::new();
    for document in documents() {
        let mut in_block = false;
        for (number, line) in document.text.lines().enumerate() {
            in_block ^= line.trim_start().starts_with("```");
            let snippets = if in_block {
                vec![line.to_owned()]
            } else {
                code(line)
            };
            for snippet in snippets {
                let words: Vec<&str> = snippet.split_whitespace().collect();
                let called = words
                    .windows(2)
                    .filter(|pair| pair[0] == "mh" || pair[0].ends_with("mailhatch"));
                for command in called.map(|pair| pair[1]) {
                    let is_word = command
                        .bytes()
                        .all(|byte| byte.is_ascii_lowercase() || byte == b'-');
                    if is_word && !command.starts_with('-') && !commands.contains(command) {
                        breaches.push(format!("{}:{}: {command}", document.path, number + 1));
                    }
                }
            }
        }
    }
    assert_none(
        &breaches,
        "There is no such command: correct the document, or write the command.",
    );
}

/// The names of an enum's variants as clap calls them.
fn variants(source: &Source, name: &str) -> BTreeSet<String> {
    let start = source
        .words
        .windows(3)
        .position(|window| window[0].text == "enum" && window[1].text == name);
    let start = start.unwrap_or_else(|| panic!("{} has no enum {name}", source.path)) + 3;
    let mut depth = 0;
    let mut found = BTreeSet::new();
    let mut after = ",".to_owned();
    for word in &source.words[start..] {
        match word.text.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" if depth == 0 => break,
            "}" | ")" | "]" => depth -= 1,
            text if depth == 0 && (after == "," || after == "]") && text != "#" => {
                let mut kebab = String::new();
                for sign in text.chars() {
                    if sign.is_uppercase() && !kebab.is_empty() {
                        kebab.push('-');
                    }
                    kebab.extend(sign.to_lowercase());
                }
                found.insert(kebab);
            }
            _ => {}
        }
        after.clone_from(&word.text);
    }
    found
}

#[test]
fn every_setting_is_documented_and_every_documented_setting_is_read() {
    let known: BTreeSet<String> = Source::new(tree::file("src/config.rs"))
        .words
        .into_iter()
        .take_while(|word| word.text != "tests")
        .filter(|word| word.kind == Kind::Text && is_setting(&word.text))
        .map(|word| word.text)
        .collect();
    let sample = tree::file("packaging/mailhatch.env").text;
    let mut breaches: Vec<String> = known
        .iter()
        .filter(|name| !sample.contains(*name))
        .map(|name| format!("packaging/mailhatch.env: {name} is missing"))
        .collect();
    let texts = documents().into_iter().chain([
        tree::file("packaging/mailhatch.env"),
        tree::file("install.sh"),
    ]);
    for file in texts {
        for (number, line) in file.text.lines().enumerate() {
            let words = line.split(|sign: char| !sign.is_ascii_alphanumeric() && sign != '_');
            for word in words.filter(|word| is_setting(word)) {
                let name = word
                    .strip_suffix("_FILE")
                    .filter(|name| known.contains(*name))
                    .unwrap_or(word);
                if !known.contains(name) {
                    breaches.push(format!(
                        "{}:{}: {word} is not a setting",
                        file.path,
                        number + 1
                    ));
                }
            }
        }
    }
    assert_none(
        &breaches,
        "Settings are listed in src/config.rs; each stands, explained, in packaging/mailhatch.env.",
    );
}

fn is_setting(word: &str) -> bool {
    let rest = word
        .strip_prefix("MAILHATCH_")
        .or_else(|| word.strip_prefix("AZURE_"));
    rest.is_some_and(|rest| {
        !rest.is_empty()
            && !rest.ends_with('_')
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte == b'_')
    })
}

#[test]
fn every_table_column_and_index_of_the_schema_has_a_comment() {
    let schema = tree::file("docs/schema.sql").text;
    let mut breaches = Vec::new();
    let mut explained = false;
    let mut inside = false;
    for (number, line) in schema.lines().enumerate() {
        let words = line.trim();
        let is_column = inside
            && !words.starts_with(')')
            && words.starts_with(|sign: char| sign.is_ascii_lowercase());
        if (is_column || words.starts_with("CREATE ")) && !explained {
            breaches.push(format!("docs/schema.sql:{}: {words}", number + 1));
        }
        inside = (inside || words.starts_with("CREATE TABLE")) && !words.starts_with(')');
        explained = words
            .strip_prefix("-- ")
            .is_some_and(|comment| !comment.trim().is_empty());
    }
    assert!(
        schema.contains("CREATE TABLE"),
        "docs/schema.sql holds no table"
    );
    assert_none(
        &breaches,
        "Put a line `-- …` above it: what it is, its unit, why a key cascades or restricts.",
    );
}
