//! Who may name whom: modules by the table in `docs/ARCHITECTURE.md`, crates and a few calls by place.

use std::collections::{BTreeMap, BTreeSet};

use super::documents::table;
use super::rust::{Kind, Source, sources};
use super::tree::assert_none;

/// A crate, or a part of one, and the only places that may name it.
const CRATES: &[(&str, &[&str])] = &[
    ("actix_multipart", &["src/web/"]),
    ("actix_web", &["src/web/", "src/app.rs"]),
    ("ammonia", &["src/mail/"]),
    ("argon2", &["src/password.rs"]),
    ("askama", &["src/web/"]),
    ("chacha20poly1305", &["src/secret.rs"]),
    ("chrono_tz", &["src/mail/calendar/", "src/web/zone.rs"]),
    ("clap", &["src/cli/"]),
    ("imap", &["src/imap/"]),
    ("imap_proto", &["src/imap/"]),
    (
        "lettre",
        &[
            "src/mail/compose.rs",
            "src/mail/compose/",
            "src/smtp.rs",
            "src/smtp/",
        ],
    ),
    ("lettre::transport", &["src/smtp.rs", "src/smtp/"]),
    ("lettre::SmtpTransport", &["src/smtp.rs", "src/smtp/"]),
    ("lettre::Transport", &["src/smtp.rs", "src/smtp/"]),
    ("mail_parser", &["src/mail/"]),
    ("mailhatch_simulator", &["src/cli/demo.rs"]),
    ("oauth2", &["src/oauth/"]),
    ("refinery", &["src/store/"]),
    ("rusqlite", &["src/store/"]),
    ("ureq", &["src/http.rs", "src/http/"]),
    ("windows_timezones", &["src/mail/calendar/"]),
    ("zstd", &["src/store/"]),
];

/// What nobody may call, and what to do instead.
const FORBIDDEN: &[(&str, &[&str], &str)] = &[
    (
        "thread::sleep",
        &[],
        "wait on a channel with a deadline, so that a stop is prompt",
    ),
    (
        "TcpStream::connect",
        &[],
        "it has no deadline: use connect_timeout, or net's stream",
    ),
    (
        "imap::ClientBuilder",
        &[],
        "it connects without a deadline: give imap::Client our stream",
    ),
    (
        "SystemTime::now",
        &["src/clock.rs", "simulator/src/clock.rs"],
        "ask the clock you were given",
    ),
    ("Utc::now", &[], "ask the clock you were given"),
    ("Local::now", &[], "ask the clock you were given"),
];

/// How SQL begins.
const SQL: &[&str] = &[
    "SELECT ",
    "INSERT ",
    "UPDATE ",
    "DELETE FROM ",
    "CREATE ",
    "DROP ",
    "ALTER ",
    "PRAGMA ",
    "BEGIN IMMEDIATE",
    "WITH ",
];

fn is_at(path: &str, places: &[&str]) -> bool {
    places
        .iter()
        .any(|place| path == *place || place.ends_with('/') && path.starts_with(place))
}

fn breach(source: &Source, line: usize, what: &str) -> String {
    format!("{}:{line}: {what}", source.path)
}

/// What each module may import, from the table of the document.
fn allowed() -> BTreeMap<String, BTreeSet<String>> {
    table("docs/ARCHITECTURE.md", "## Who may import whom")
        .into_iter()
        .flat_map(|row| {
            let may = row[1].clone();
            row[0]
                .iter()
                .map(|module| (module.clone(), may.iter().cloned().collect()))
                .collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn a_module_imports_only_what_the_table_of_the_architecture_allows() {
    let allowed = allowed();
    let mut breaches = Vec::new();
    for source in sources(&["src"]) {
        let Some(module) = source.module().first().cloned() else {
            continue;
        };
        let Some(may) = allowed.get(&module) else {
            breaches.push(format!(
                "{}: the module {module} is not in the table",
                source.path
            ));
            continue;
        };
        for named in source
            .named()
            .iter()
            .filter(|named| named.path[0] == "crate")
        {
            let Some(other) = named.path.get(1).filter(|other| **other != module) else {
                continue;
            };
            if !may.contains(other) && !may.contains("*") {
                breaches.push(breach(
                    source,
                    named.line,
                    &format!("{module} imports {other}"),
                ));
            }
        }
    }
    assert_none(
        &breaches,
        "Pass the value in, or move the code to the module that may; if the rule itself is wrong, \
         change the table in docs/ARCHITECTURE.md and argue it there.",
    );
}

#[test]
fn no_two_modules_may_import_each_other() {
    let allowed = allowed();
    let mut breaches = Vec::new();
    for (module, may) in allowed.iter().filter(|(_, may)| !may.contains("*")) {
        let mut reached: BTreeSet<&String> = may.iter().collect();
        loop {
            let further: Vec<&String> = reached
                .iter()
                .filter_map(|one| allowed.get(*one))
                .flatten()
                .collect();
            let before = reached.len();
            reached.extend(further);
            if reached.len() == before {
                break;
            }
        }
        if reached.contains(module) {
            breaches.push(format!("{module} may reach itself"));
        }
    }
    assert_none(
        &breaches,
        "Take one direction out of the table in docs/ARCHITECTURE.md.",
    );
}

#[test]
fn each_outside_crate_is_named_only_where_it_belongs() {
    let mut breaches = Vec::new();
    for source in sources(&["src"]) {
        for named in source.named() {
            let full = named.path.join("::");
            for (name, places) in CRATES {
                let is_it = full == *name || full.starts_with(&format!("{name}::"));
                if is_it && !is_at(&source.path, places) {
                    breaches.push(breach(
                        source,
                        named.line,
                        &format!("names {full}; only {places:?} may"),
                    ));
                }
            }
        }
    }
    assert_none(
        &breaches,
        "Ask the module that owns the crate for a function that returns our own values.",
    );
}

#[test]
fn only_the_web_edge_is_async() {
    let mut breaches = Vec::new();
    for source in sources(&["src"])
        .iter()
        .filter(|source| !is_at(&source.path, &["src/web/", "src/app.rs"]))
    {
        for line in source.lines_with(&["async"]) {
            breaches.push(breach(source, line, "async"));
        }
    }
    assert_none(
        &breaches,
        "The core is synchronous: write a plain function; a page calls it off the async thread.",
    );
}

#[test]
fn nothing_waits_without_a_deadline_and_time_is_asked_of_the_clock() {
    let mut breaches = Vec::new();
    for source in sources(&["src", "simulator", "tests"]) {
        for named in source.named() {
            let full = named.path.join("::");
            for (call, places, instead) in FORBIDDEN {
                let is_it = full == *call || full.ends_with(&format!("::{call}"));
                if is_it && !is_at(&source.path, places) {
                    breaches.push(breach(source, named.line, &format!("{call}: {instead}")));
                }
            }
        }
    }
    assert_none(&breaches, "The reason stands behind each.");
}

#[test]
fn the_imap_crate_never_prints_what_it_sends() {
    let mut breaches = Vec::new();
    for source in sources(&["src/imap"]) {
        for line in source.lines_with(&[".", "debug", "="]) {
            breaches.push(breach(source, line, "sets debug"));
        }
    }
    assert_none(
        &breaches,
        "It would print access tokens to standard error: take it out.",
    );
}

#[test]
fn sql_stands_only_in_the_store() {
    let mut breaches = Vec::new();
    for source in sources(&["src"])
        .iter()
        .filter(|source| !source.path.starts_with("src/store/"))
    {
        for word in source.words.iter().filter(|word| word.kind == Kind::Text) {
            let text = word.text.trim_start();
            if SQL.iter().any(|start| text.starts_with(start)) {
                breaches.push(breach(
                    source,
                    word.line,
                    text.lines().next().unwrap_or_default(),
                ));
            }
        }
    }
    assert_none(
        &breaches,
        "Move the query into the store's file for its table and call that function.",
    );
}

#[test]
fn the_table_of_the_architecture_allows_nothing_that_is_not_used() {
    let mut used: BTreeSet<(String, String)> = BTreeSet::new();
    for source in sources(&["src"]) {
        let Some(module) = source.module().first().cloned() else {
            continue;
        };
        let ours = source
            .named()
            .into_iter()
            .filter(|named| named.path[0] == "crate");
        used.extend(ours.filter_map(|named| Some((module.clone(), named.path.get(1)?.clone()))));
    }
    let breaches: Vec<String> = allowed()
        .into_iter()
        .flat_map(|(module, may)| may.into_iter().map(move |other| (module.clone(), other)))
        .filter(|edge| !used.contains(edge))
        .map(|(module, other)| format!("{module} does not import {other}"))
        .collect();
    assert_none(
        &breaches,
        "Take it out of the table in docs/ARCHITECTURE.md, so that the table stays true.",
    );
}
