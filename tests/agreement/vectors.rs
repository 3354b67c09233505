//! Vectors about address lists and parameters as messages that hold one each.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::unit::Unit;

/// The vectors of one folder.
pub(crate) fn units(source: &Path) -> Vec<Unit> {
    let folder = source.file_name().and_then(|name| name.to_str());
    let folder = folder.unwrap_or_default();
    let case: fn(&Value) -> Option<(String, Value)> = match folder {
        "jakarta-mail-vectors" => header_field,
        "isemail-addresses" => address,
        _ => return Vec::new(),
    };
    let text = fs::read_to_string(source.join("cases.jsonl")).unwrap_or_default();
    let cases = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    let unit = |row: Value| -> Option<Unit> {
        let (field, canon) = case(&row)?;
        let raw = format!("From: a@example.org\r\n{field}\r\nMIME-Version: 1.0\r\n\r\ntext\r\n");
        Some(Unit {
            source: folder.to_owned(),
            name: row["case"].as_str().unwrap_or_default().to_owned(),
            raw: raw.into_bytes(),
            canon,
            expects: Value::Null,
            oracle: Value::Null,
        })
    };
    cases.filter_map(unit).collect()
}

/// A list of addresses all of which have a domain (what a word without one is, is a matter of taste), or
/// the name of a file.
fn header_field(row: &Value) -> Option<(String, Value)> {
    let input = row["input"].as_str()?.to_owned();
    let expected: Vec<&str> = row["expect"]
        .as_array()?
        .iter()
        .filter_map(Value::as_str)
        .collect();
    if row["strict"] != "true" && row["kind"] == "address-list" && input.starts_with("To:") {
        let whole = |address: &&str| {
            address
                .split_once('@')
                .is_some_and(|(user, _)| !user.is_empty())
        };
        return expected
            .iter()
            .all(whole)
            .then(|| (input, json!({ "addresses": expected })));
    }
    if row["kind"]
        .as_str()
        .is_some_and(|kind| kind.starts_with("params"))
    {
        let name = expected.iter().find_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            matches!(name, "name" | "filename").then_some(value)
        })?;
        // The value as it stands, with the characters of its source code still escaped.
        let plain = !name.contains(['\\', '?']);
        let field = format!("{input}\r\nContent-Disposition: attachment");
        return plain.then(|| (field, json!({ "attachment_names": [name] })));
    }
    None
}

/// One address of those that the standards allow.
fn address(row: &Value) -> Option<(String, Value)> {
    let text = row["address"].as_str()?;
    let valid = row["category"] != "ISEMAIL_ERR";
    let on_one_line = !text.chars().any(char::is_control) && text.is_ascii();
    (valid && on_one_line).then(|| (format!("To: {text}"), json!({ "address_count": 1 })))
}
