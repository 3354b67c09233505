//! Reads Rust sources as far as the rules need: words without comments and texts, and the paths that
//! are named, resolved to this crate's modules or to another crate.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::tree::{self, File};

/// What a word is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name or keyword.
    Name,
    /// The content of a text literal.
    Text,
    /// `::` or a single sign.
    Sign,
}

/// One word of a source.
#[derive(Debug, Clone)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) kind: Kind,
    pub(crate) line: usize,
}

/// A path that a source names, resolved.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    /// `crate` first when it is ours, else the other crate's name first.
    pub(crate) path: Vec<String>,
    pub(crate) line: usize,
}

/// A Rust source.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) words: Vec<Word>,
}

/// The sources below these folders.
pub(crate) fn sources(folders: &[&str]) -> Vec<&'static Source> {
    static ALL: LazyLock<Vec<Source>> = LazyLock::new(|| {
        let files = tree::files_ending(&["src", "simulator", "tests", "benches"], ".rs");
        files.into_iter().map(Source::new).collect()
    });
    let is_in = |path: &str| {
        folders
            .iter()
            .any(|folder| path.starts_with(&format!("{folder}/")))
    };
    ALL.iter().filter(|source| is_in(&source.path)).collect()
}

impl Source {
    pub(crate) fn new(file: File) -> Self {
        Self {
            words: words(&file.text),
            path: file.path,
            text: file.text,
        }
    }

    /// The module this file is, from the crate's root: `src/web/inbox.rs` is `web`, `inbox`.
    pub(crate) fn module(&self) -> Vec<String> {
        let path = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let path = path.strip_suffix(".rs").unwrap_or(path);
        let mut parts: Vec<String> = path.split('/').map(str::to_owned).collect();
        let is_root = parts.len() == 1 && matches!(path, "lib" | "main");
        if is_root || parts.last().is_some_and(|last| last == "mod") {
            parts.pop();
        }
        parts
    }

    /// Where these words stand one after the other, by line.
    pub(crate) fn lines_with(&self, sequence: &[&str]) -> Vec<usize> {
        self.words
            .windows(sequence.len())
            .filter(|window| {
                window
                    .iter()
                    .zip(sequence)
                    .all(|(word, wanted)| word.kind != Kind::Text && word.text == **wanted)
            })
            .map(|window| window[0].line)
            .collect()
    }

    /// Every path named in the file.
    pub(crate) fn named(&self) -> Vec<Named> {
        let found = self.paths();
        let own: BTreeSet<&str> = self
            .words
            .windows(2)
            .filter(|pair| pair[0].text == "mod" && pair[1].kind == Kind::Name)
            .map(|pair| pair[1].text.as_str())
            .collect();
        let resolve = |found: &Found, imported: &BTreeMap<String, Vec<String>>| {
            let first = found.path.first().map_or("", String::as_str);
            let mut module = self.module();
            module.extend(found.inside.clone());
            match first {
                "crate" => found.path.clone(),
                "self" | "super" => from_here(&module, &found.path),
                _ if found.absolute => found.path.clone(),
                _ if own.contains(first) => from_here(&self.module(), &found.path),
                _ => match imported.get(first) {
                    Some(start) => [start.as_slice(), &found.path[1..]].concat(),
                    None => found.path.clone(),
                },
            }
        };
        let mut imported = BTreeMap::new();
        for found in found.iter().filter(|found| found.name.is_some()) {
            let path = resolve(found, &imported);
            imported.insert(found.name.clone().unwrap(), path);
        }
        found
            .iter()
            .map(|found| Named {
                path: resolve(found, &imported),
                line: found.line,
            })
            .collect()
    }

    fn paths(&self) -> Vec<Found> {
        let mut found = Vec::new();
        let mut inside: Vec<(String, usize)> = Vec::new();
        let mut depth = 0;
        let mut at = 0;
        while let Some(word) = self.words.get(at) {
            let next = self.words.get(at + 1).map_or("", |word| word.text.as_str());
            if word.kind == Kind::Text {
                at += 1;
                continue;
            }
            match word.text.as_str() {
                "{" => depth += 1,
                "}" => {
                    depth -= 1;
                    inside.retain(|(_, opened)| *opened <= depth);
                }
                "mod" if self.words.get(at + 2).is_some_and(|word| word.text == "{") => {
                    inside.push((next.to_owned(), depth + 1));
                }
                // `use<'a>` in a return type captures lifetimes and names nothing.
                "use" if next != "<" => {
                    let modules: Vec<String> = inside.iter().map(|one| one.0.clone()).collect();
                    at = self.use_tree(at + 1, &[], &modules, &mut found);
                    continue;
                }
                _ if word.kind == Kind::Name && next == "::" && !self.continues(at) => {
                    let modules: Vec<String> = inside.iter().map(|one| one.0.clone()).collect();
                    at = self.inline_path(at, &modules, &mut found);
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
        found
    }

    fn before(&self, at: usize, back: usize) -> Option<&Word> {
        self.words.get(at.checked_sub(back)?)
    }

    /// Whether the word at `at` continues a path rather than begins one.
    fn continues(&self, at: usize) -> bool {
        self.before(at, 1).is_some_and(|word| word.text == "::")
            && self
                .before(at, 2)
                .is_some_and(|word| word.kind == Kind::Name || word.text == ">")
    }

    fn inline_path(&self, start: usize, inside: &[String], found: &mut Vec<Found>) -> usize {
        let mut at = start;
        let mut path = vec![self.words[at].text.clone()];
        while self.words.get(at + 1).is_some_and(|word| word.text == "::")
            && self
                .words
                .get(at + 2)
                .is_some_and(|word| word.kind == Kind::Name)
        {
            at += 2;
            path.push(self.words[at].text.clone());
        }
        found.push(Found {
            path,
            inside: inside.to_vec(),
            absolute: self.before(start, 1).is_some_and(|word| word.text == "::"),
            name: None,
            line: self.words[start].line,
        });
        at + 1
    }

    /// Reads a `use` tree from `at`; returns where it ends.
    fn use_tree(
        &self,
        mut at: usize,
        start: &[String],
        inside: &[String],
        found: &mut Vec<Found>,
    ) -> usize {
        let mut path = start.to_vec();
        let mut absolute = false;
        let mut name = None;
        let line = self.words[at].line;
        while let Some(word) = self.words.get(at) {
            match word.text.as_str() {
                "::" => absolute |= path.is_empty(),
                "{" => {
                    at += 1;
                    while self.words.get(at).is_some_and(|word| word.text != "}") {
                        at = self.use_tree(at, &path, inside, found);
                        at += usize::from(self.words[at].text == ",");
                    }
                    return at + 1;
                }
                "as" => {
                    name = self.words.get(at + 1).map(|word| word.text.clone());
                    at += 1;
                }
                "," | "}" | ";" => break,
                text => path.push(text.to_owned()),
            }
            at += 1;
        }
        if path.last().is_some_and(|last| last == "self") && path.len() > 1 {
            path.pop();
        }
        let name = name.or_else(|| path.last().cloned());
        found.push(Found {
            path,
            inside: inside.to_vec(),
            absolute,
            name,
            line,
        });
        at
    }
}

/// A path as written.
#[derive(Debug, Default)]
struct Found {
    path: Vec<String>,
    /// The modules written out in the file around it.
    inside: Vec<String>,
    /// It began with `::`.
    absolute: bool,
    /// What the file calls it from here on, when it is imported.
    name: Option<String>,
    line: usize,
}

/// `self` and `super` (and a child's bare name) seen from a module.
fn from_here(module: &[String], path: &[String]) -> Vec<String> {
    let mut here = module.to_vec();
    let mut rest = path;
    while let Some((first, more)) = rest.split_first() {
        match first.as_str() {
            "self" => {}
            "super" => {
                here.pop();
            }
            _ => break,
        }
        rest = more;
    }
    let mut full = vec!["crate".to_owned()];
    full.extend(here);
    full.extend(rest.iter().cloned());
    full
}

fn words(text: &str) -> Vec<Word> {
    let mut reader = Reader {
        signs: text.chars().collect(),
        at: 0,
        line: 1,
        words: Vec::new(),
    };
    while reader.at < reader.signs.len() {
        reader.word();
    }
    reader.words
}

struct Reader {
    signs: Vec<char>,
    at: usize,
    line: usize,
    words: Vec<Word>,
}

impl Reader {
    fn sees(&self, ahead: usize, sign: char) -> bool {
        self.signs.get(self.at + ahead) == Some(&sign)
    }

    fn step(&mut self) -> Option<char> {
        let sign = self.signs.get(self.at).copied();
        self.at += 1;
        self.line += usize::from(sign == Some('\n'));
        sign
    }

    fn push(&mut self, text: String, kind: Kind, line: usize) {
        self.words.push(Word { text, kind, line });
    }

    fn word(&mut self) {
        let line = self.line;
        let sign = self.signs[self.at];
        if sign.is_alphanumeric() || sign == '_' {
            self.name_or_prefixed_text();
        } else if sign == '/' && self.sees(1, '/') {
            while self.at < self.signs.len() && !self.sees(0, '\n') {
                self.step();
            }
        } else if sign == '/' && self.sees(1, '*') {
            self.block_comment();
        } else if sign == '"' {
            self.text(None);
        } else if sign == '\'' {
            self.sign_or_lifetime();
        } else if sign == ':' && self.sees(1, ':') {
            self.at += 2;
            self.push("::".to_owned(), Kind::Sign, line);
        } else {
            self.step();
            if !sign.is_whitespace() {
                self.push(sign.to_string(), Kind::Sign, line);
            }
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        while self.at < self.signs.len() {
            if self.sees(0, '/') && self.sees(1, '*') {
                depth += 1;
                self.at += 2;
            } else if self.sees(0, '*') && self.sees(1, '/') {
                depth -= 1;
                self.at += 2;
                if depth == 0 {
                    return;
                }
            } else {
                self.step();
            }
        }
    }

    fn name_or_prefixed_text(&mut self) {
        let line = self.line;
        let mut name = String::new();
        while let Some(sign) = self.signs.get(self.at)
            && (sign.is_alphanumeric() || *sign == '_')
        {
            name.push(*sign);
            self.at += 1;
        }
        let is_prefix = matches!(name.as_str(), "r" | "b" | "br" | "c" | "cr");
        if is_prefix && self.sees(0, '"') {
            return self.text(name.contains('r').then_some(0));
        }
        if is_prefix && name.contains('r') && self.sees(0, '#') {
            let marks = self.signs[self.at..]
                .iter()
                .take_while(|sign| **sign == '#')
                .count();
            if self.sees(marks, '"') {
                self.at += marks;
                return self.text(Some(marks));
            }
        }
        self.push(name, Kind::Name, line);
    }

    /// A text; `raw` is the count of its `#` when it is a raw one.
    fn text(&mut self, raw: Option<usize>) {
        let line = self.line;
        self.step();
        let mut content = String::new();
        while let Some(sign) = self.step() {
            let closes = (0..raw.unwrap_or(0)).all(|ahead| self.sees(ahead, '#'));
            match sign {
                '"' if closes => {
                    self.at += raw.unwrap_or(0);
                    break;
                }
                '\\' if raw.is_none() => {
                    self.step();
                }
                _ => content.push(sign),
            }
        }
        self.push(content, Kind::Text, line);
    }

    fn sign_or_lifetime(&mut self) {
        if self.sees(1, '\\') {
            self.at += 3;
            while self.step().is_some_and(|sign| sign != '\'') {}
        } else if self.sees(2, '\'') {
            self.step();
            self.step();
            self.step();
        } else {
            self.at += 1;
            while self
                .signs
                .get(self.at)
                .is_some_and(|sign| sign.is_alphanumeric() || *sign == '_')
            {
                self.at += 1;
            }
        }
    }
}

fn source(path: &str, text: &str) -> Source {
    Source::new(File {
        path: path.to_owned(),
        text: text.to_owned(),
    })
}

fn named_in(path: &str, text: &str) -> Vec<String> {
    let named = source(path, text).named();
    named.iter().map(|named| named.path.join("::")).collect()
}

#[test]
fn the_reader_tells_our_modules_from_crates_of_the_same_name() {
    let ours = "use crate::{imap::{self, Session as S}, net};\nfn a() { imap::open(S::new) }";
    assert_eq!(
        named_in("src/work/poller.rs", ours),
        [
            "crate::imap",
            "crate::imap::Session",
            "crate::net",
            "crate::imap::open",
            "crate::imap::Session::new"
        ]
    );
    assert_eq!(
        named_in(
            "src/work/poller.rs",
            "use imap::Client; fn a() { ::imap::b() }"
        ),
        ["imap::Client", "imap::b"]
    );
    assert_eq!(
        named_in(
            "src/web/inbox.rs",
            "mod t { use super::super::page; } use super::page; fn a() { page::b() }"
        ),
        [
            "crate::web::page",
            "crate::web::page",
            "crate::web::page::b"
        ]
    );
}

#[test]
fn the_reader_sees_no_code_in_comments_and_texts() {
    let text = "// a::b\n/* c::d /* */ e::f */ \"g::h\\\" i::j\" r#\"k::\"l\"# 'm' b'\\'' '\"' fn x<'n>() { o::p }";
    assert_eq!(named_in("src/a.rs", text), ["o::p"]);
}
