//! Sizes, unfinished work and words that do not belong.

use super::rust::{Kind, sources};
use super::tree::{self, assert_none};

/// Longest file that is written by hand.
const LINES_MAX: usize = 600;

/// Folders with files written by hand.
const OURS: &[&str] = &[
    "src",
    "simulator",
    "tests",
    "templates",
    "static",
    "packaging",
    "migrations",
    "docs",
];

/// Words that say that something is not finished.
const UNFINISHED: &[&str] = &[
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("TO", "DO"),
    concat!("HA", "CK"),
];

/// Words that speak of how the text came about or of somebody's machine, not of the project.
const FOREIGN: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("cla", "ude"),
    concat!("anthro", "pic"),
    concat!("chat", "gpt"),
    concat!("open", "ai"),
    concat!("ai-gene", "rated"),
    concat!("language ", "model"),
];

/// Whether a file is somebody else's, or data that is kept as it came.
fn is_given(path: &str) -> bool {
    path.starts_with("static/vendor/")
        || path.starts_with("tests/corpus/")
        || path.ends_with(".pem")
        || path == "LICENSE"
        || path == "Cargo.lock"
}

#[test]
fn no_file_is_longer_than_six_hundred_lines() {
    let mut breaches = Vec::new();
    for ending in [".rs", ".html", ".css", ".js", ".sh", ".sql"] {
        for file in tree::files_ending(OURS, ending) {
            let lines = file.text.lines().count();
            if lines > LINES_MAX && !is_given(&file.path) && file.path != "docs/schema.sql" {
                breaches.push(format!("{}: {lines} lines", file.path));
            }
        }
    }
    assert_none(
        &breaches,
        "Give each job in it a file of its own; 120 to 350 lines are usual.",
    );
}

#[test]
fn every_source_file_says_first_what_it_is_in_charge_of() {
    let breaches: Vec<String> = sources(&["src", "simulator", "tests"])
        .into_iter()
        .filter(|source| !source.text.starts_with("//! "))
        .map(|source| source.path.clone())
        .collect();
    assert_none(&breaches, "Begin the file with a line `//! …`.");
}

#[test]
fn nothing_unfinished_is_left_in_the_code() {
    let mut breaches = Vec::new();
    for source in sources(&["src", "simulator", "tests"]) {
        for made in ["todo", "unimplemented", "dbg"] {
            for line in source.lines_with(&[made, "!"]) {
                breaches.push(format!("{}:{line}: {made}!", source.path));
            }
        }
    }
    for file in tree::files("")
        .into_iter()
        .filter(|file| !is_given(&file.path))
    {
        for (number, line) in file.text.lines().enumerate() {
            let mut words = line.split(|sign: char| !sign.is_ascii_alphanumeric());
            if let Some(word) = words.find(|word| UNFINISHED.contains(word)) {
                breaches.push(format!("{}:{}: {word}", file.path, number + 1));
            }
        }
    }
    assert_none(
        &breaches,
        "Finish it, or take it out; what will not be done is said in CONTRIBUTING.md.",
    );
}

#[test]
fn no_lint_is_silenced_without_a_reason() {
    let mut breaches = Vec::new();
    for source in sources(&["src", "simulator", "tests"]) {
        for line in source.lines_with(&["[", "allow", "("]) {
            breaches.push(format!("{}:{line}: allow", source.path));
        }
    }
    assert_none(
        &breaches,
        "Mend what the lint says, or write #[expect(lint, reason = \"…\")].",
    );
}

#[test]
fn no_test_is_left_out_unless_another_runs_it() {
    let mut breaches = Vec::new();
    for source in sources(&["src", "simulator", "tests"]) {
        for window in source.words.windows(4) {
            let is_ignored = window[0].text == "[" && window[1].text == "ignore";
            if is_ignored && !window[3].text.starts_with("run ") {
                breaches.push(format!("{}:{}: ignore", source.path, window[1].line));
            }
        }
    }
    assert_none(
        &breaches,
        "A test that does not run proves nothing: make it run, delete it, or say #[ignore = \"run by …\"].",
    );
}

/// Whether a line holds a word that is not the middle of another.
fn stands_in(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        !line
            .split_at(at)
            .0
            .ends_with(|sign: char| sign.is_ascii_alphanumeric())
    })
}

#[test]
fn the_project_speaks_only_of_itself() {
    let mut breaches = Vec::new();
    for file in tree::files("")
        .into_iter()
        .filter(|file| file.path != "Cargo.lock")
    {
        if file.path.starts_with("static/vendor/") {
            continue;
        }
        for (number, line) in file.text.lines().enumerate() {
            let lower = line.to_lowercase();
            if let Some(word) = FOREIGN.iter().find(|word| stands_in(&lower, word)) {
                breaches.push(format!("{}:{}: {word}", file.path, number + 1));
            }
        }
    }
    assert_none(
        &breaches,
        "Say it without the machine or the tool it was made with.",
    );
}

#[test]
fn every_vendored_library_stands_with_its_licence_and_origin() {
    let read_me = tree::file("static/vendor/README.md").text;
    let mut breaches = Vec::new();
    let mut folders: Vec<String> = tree::files("static/vendor")
        .iter()
        .filter_map(|file| {
            Some(
                file.path
                    .strip_prefix("static/vendor/")?
                    .split_once('/')?
                    .0
                    .to_owned(),
            )
        })
        .collect();
    folders.dedup();
    for folder in &folders {
        if !tree::exists(&format!("static/vendor/{folder}/LICENSE")) {
            breaches.push(format!("static/vendor/{folder}: no LICENSE"));
        }
    }
    for file in tree::files("static/vendor") {
        let name = file.path.strip_prefix("static/vendor/").unwrap_or_default();
        let is_licence = name.contains("/LICENSE") || name == "README.md";
        if !is_licence && !read_me.contains(&format!("| `{name}` |")) {
            breaches.push(format!("{}: not in static/vendor/README.md", file.path));
        }
    }
    assert!(
        !folders.is_empty(),
        "static/vendor is empty: this test has lost its subject"
    );
    assert_none(
        &breaches,
        "Put the licence beside it and its origin and version into static/vendor/README.md.",
    );
}

/// Names of values that must not be in the log.
const PRIVATE: &[&str] = &[
    "access_token",
    "body",
    "cookie",
    "detail",
    "email",
    "filename",
    "from_address",
    "html",
    "password",
    "preview",
    "raw",
    "recipients",
    "refresh_token",
    "remedy",
    "secret",
    "sentence",
    "subject",
    "text",
    "token",
    "upn",
];

#[test]
fn no_log_line_names_what_is_private() {
    let mut breaches = Vec::new();
    for source in sources(&["src"]) {
        let words = &source.words;
        let starts = words.windows(4).enumerate().filter(|(_, window)| {
            let level =
                ["error", "warn", "info", "debug", "trace"].contains(&window[2].text.as_str());
            window[0].text == "tracing" && window[1].text == "::" && level && window[3].text == "!"
        });
        for (start, _) in starts {
            let mut depth = 0;
            for at in start + 4..words.len() {
                let word = &words[at];
                match word.text.as_str() {
                    "(" | "{" | "[" => depth += 1,
                    ")" | "}" | "]" => depth -= 1,
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
                let is_address = word.text == "address" && words[at - 2].text != "app";
                let is_private = is_address || PRIVATE.contains(&word.text.as_str());
                if word.kind == Kind::Name && is_private {
                    breaches.push(format!("{}:{}: {}", source.path, word.line, word.text));
                }
            }
        }
    }
    assert_none(
        &breaches,
        "Log the row's id and the Problem's code instead; docs/LOGGING.md says why.",
    );
}
