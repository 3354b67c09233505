//! The files of the project, and how a broken rule is told.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders that are made, not written.
const MADE: &[&str] = &["target", ".git", "data", "out"];

/// A file of the project as text.
#[derive(Debug)]
pub(crate) struct File {
    /// Path from the project's root, with forward slashes.
    pub(crate) path: String,
    /// Its text; bytes that are not UTF-8 are replaced. Empty for a picture.
    pub(crate) text: String,
}

/// The project's root.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Whether there is a file or folder at this path from the root.
pub(crate) fn exists(path: &str) -> bool {
    root().join(path).exists()
}

/// One file that must be there.
pub(crate) fn file(path: &str) -> File {
    let text = fs::read_to_string(root().join(path))
        .unwrap_or_else(|error| panic!("{path} cannot be read ({error}): it must be there"));
    File {
        path: path.to_owned(),
        text,
    }
}

/// All files below a folder (`""` is the root), by path.
pub(crate) fn files(folder: &str) -> Vec<File> {
    let mut found = Vec::new();
    walk(&root().join(folder), &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!found.is_empty(), "no files below {folder:?}");
    found
}

/// All files below these folders whose names end so.
pub(crate) fn files_ending(folders: &[&str], ending: &str) -> Vec<File> {
    folders
        .iter()
        .flat_map(|folder| files(folder))
        .filter(|file| file.path.ends_with(ending))
        .collect()
}

fn walk(folder: &Path, found: &mut Vec<File>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !MADE.contains(&name.as_str()) {
                walk(&path, found);
            }
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        let from_root = path.strip_prefix(root()).unwrap();
        // A picture holds no words.
        let words = if bytes.contains(&0) {
            &[]
        } else {
            bytes.as_slice()
        };
        found.push(File {
            path: from_root.to_string_lossy().replace('\\', "/"),
            text: String::from_utf8_lossy(words).into_owned(),
        });
    }
}

/// Fails with all breaches of a rule and what to do about them.
pub(crate) fn assert_none(breaches: &[String], what_to_do: &str) {
    assert!(
        breaches.is_empty(),
        "\n{}\n{} in all. {what_to_do}",
        breaches.join("\n"),
        breaches.len()
    );
}
