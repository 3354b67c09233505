//! Test vectors about replies that stand in files of their own form, as units.

use std::fs;
use std::path::Path;

use mailhatch::mail::html::to_text;
use serde_json::{Value, json};

use super::unit::{Unit, wrap};

/// The vectors of one folder.
pub(crate) fn units(source: &Path, folder: &str) -> Vec<Unit> {
    let Ok(entries) = fs::read_dir(source) else {
        return Vec::new();
    };
    let mut paths: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.sort();
    paths
        .iter()
        .filter_map(|path| vector(path, folder))
        .collect()
}

/// A vector of quotequail: a text or an HTML body with the segments that are shown, or with what it
/// unwraps to.
fn vector(path: &Path, folder: &str) -> Option<Unit> {
    let name = path.file_name()?.to_str()?;
    if folder != "quotequail" || !name.ends_with(".json") {
        return None;
    }
    let case: Value = serde_json::from_str(&fs::read_to_string(path).ok()?).ok()?;
    let (body, is_html) = body(&case, path)?;
    let plain = |text: &str| {
        if is_html {
            to_text(text)
        } else {
            text.to_owned()
        }
    };
    let wanted = if case["expected"].is_array() {
        plain(&shown(&case))
    } else {
        unwrapped(&case["expected"], &plain)?
    };
    let whole = plain(&body);
    let forward = case["expected"]["type"] == "forward"
        || case["expected"].is_array() && whole.to_lowercase().contains("forwarded message");
    let mut canon = json!({ "reply_text": wanted });
    if forward {
        // This source calls a reply with a header block a forward, too: either reading is right.
        canon["forward_text"] = json!(whole);
    }
    let kind = if is_html { "text/html" } else { "text/plain" };
    Some(Unit {
        source: folder.to_owned(),
        name: name.to_owned(),
        raw: wrap(body.as_bytes(), kind, "corpus"),
        canon,
        expects: Value::Null,
        oracle: Value::Null,
    })
}

fn body(case: &Value, path: &Path) -> Option<(String, bool)> {
    if let Some(text) = case["text"].as_str() {
        return Some((text.to_owned(), false));
    }
    if let Some(html) = case["html"].as_str() {
        return Some((html.to_owned(), true));
    }
    let file = format!("file-{}", case["file"].as_str()?);
    Some((fs::read_to_string(path.with_file_name(file)).ok()?, true))
}

/// The segments that are shown, the line above the quotation not among them.
fn shown(case: &Value) -> String {
    let key = "expected_quote_intro_line";
    let segments = if case[key].is_array() {
        &case[key]
    } else {
        &case["expected"]
    };
    let segments = segments.as_array().cloned().unwrap_or_default();
    let shown = segments.iter().filter(|segment| segment[0] == true);
    shown
        .filter_map(|segment| segment[1].as_str())
        .collect::<Vec<_>>()
        .join("\n")
}

/// What stands above and below the quotation; a signature below it is none of the reply.
fn unwrapped(expected: &Value, plain: &dyn Fn(&str) -> String) -> Option<String> {
    let part = |side: &str| {
        let text = expected[format!("text_{side}")].as_str();
        let html = expected[format!("html_{side}")].as_str();
        text.or(html).map(plain)
    };
    let top = part("top");
    let bottom = part("bottom").filter(|text| !text.trim_start().starts_with("--"));
    if top.is_none() && bottom.is_none() && expected["type"] != "forward" {
        return None;
    }
    Some(
        [top, bottom]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join("\n"),
    )
}
