//! Templates: what is not escaped, what a browser would run, and one word for page, handler and file.

use std::collections::BTreeSet;

use super::rust::{Kind, sources};
use super::tree::{self, File, assert_none};

/// The only places that put text on a page without escaping it, with how often.
const UNESCAPED: &[(&str, usize)] = &[("templates/messages/body.html", 1)];
/// The only types that are HTML already, with why.
const HTML_TYPES: &[&str] = &[
    "src/web/guide.rs: Guide", // docs/microsoft.md, its raw HTML turned into text
    "src/web/page.rs: Icon",   // written by us
    "src/web/page.rs: Html",   // sanitised mail
    "src/web/page.rs: Time",   // written by us
];

fn templates() -> Vec<File> {
    let mut all = tree::files_ending(&["templates"], ".html");
    for file in &mut all {
        file.text = without_comments(&file.text);
    }
    all
}

fn without_comments(text: &str) -> String {
    let mut rest = text;
    let mut kept = String::new();
    while let Some((before, after)) = rest.split_once("{#") {
        kept.push_str(before);
        rest = after.split_once("#}").map_or("", |(_, after)| after);
    }
    kept + rest
}

/// The tags of a template, each from its name to its end, in small letters.
fn tags(text: &str) -> Vec<String> {
    text.split('<')
        .skip(1)
        .filter(|tag| tag.starts_with(|sign: char| sign.is_ascii_alphabetic()))
        .map(|tag| {
            tag.split_once('>')
                .map_or(tag, |(tag, _)| tag)
                .to_lowercase()
        })
        .collect()
}

#[test]
fn text_goes_unescaped_onto_a_page_only_where_it_is_known() {
    let mut breaches = Vec::new();
    for file in templates() {
        let spaceless: String = file
            .text
            .chars()
            .filter(|sign| !sign.is_whitespace())
            .collect();
        let found = spaceless.matches("|safe").count() + spaceless.matches("|escape(").count();
        let known = UNESCAPED
            .iter()
            .find(|(path, _)| *path == file.path)
            .map_or(0, |known| known.1);
        if found != known {
            breaches.push(format!("{}: {found} places, {known} are known", file.path));
        }
    }
    for (path, _) in UNESCAPED {
        if !tree::exists(path) {
            breaches.push(format!("{path} is gone: take it off the list"));
        }
    }
    for source in sources(&["src"]) {
        for window in source.words.windows(3) {
            let [first, middle, last] = window else {
                continue;
            };
            let declared = format!("{}: {}", source.path, last.text);
            let is_html = first.text == "HtmlSafe" && middle.text == "for";
            if is_html && !HTML_TYPES.contains(&declared.as_str()) {
                breaches.push(format!("{declared} is HtmlSafe at line {}", last.line));
            }
            if first.text == "escape" && middle.text == "=" && last.kind == Kind::Text {
                breaches.push(format!(
                    "{}:{}: escape = {:?}",
                    source.path, last.line, last.text
                ));
            }
        }
    }
    assert_none(
        &breaches,
        "Let it be escaped; sanitised mail is shown by messages/body.html alone.",
    );
}

#[test]
fn a_page_holds_no_script_or_style_of_its_own() {
    let mut breaches = Vec::new();
    for file in templates() {
        for tag in tags(&file.text) {
            let name = tag.split_whitespace().next().unwrap_or_default();
            let runs = tag.split([' ', '\n', '\t', '}']).any(|part| {
                let attribute = part.split('=').next().unwrap_or_default();
                let is_event = attribute.len() > 2
                    && attribute.starts_with("on")
                    && attribute.bytes().all(|byte| byte.is_ascii_lowercase())
                    && part.contains('=');
                is_event || attribute == "style" || attribute.starts_with("hx-on")
            });
            let inline = name == "style" || name == "script" && !tag.contains(" src=");
            if runs || inline || tag.contains("javascript:") || tag.contains("js:") {
                breaches.push(format!("{}: <{tag}>", file.path));
            }
        }
    }
    assert_none(
        &breaches,
        "The content policy forbids it: move it into static/app.css or a file of static/.",
    );
}

#[test]
fn every_form_that_changes_something_carries_the_token() {
    let mut breaches = Vec::new();
    for file in templates() {
        for form in file.text.split("<form").skip(1) {
            let form = form.split_once("</form>").map_or(form, |(form, _)| form);
            if form.contains("method=\"post\"") && !form.contains("name=\"csrf\"") {
                let head = form.split_once('>').map_or(form, |(head, _)| head);
                breaches.push(format!("{}: <form{head}>", file.path));
            }
        }
    }
    assert_none(
        &breaches,
        "Put <input type=\"hidden\" name=\"csrf\" value=\"{{ page.csrf }}\"> into the form.",
    );
}

#[test]
fn a_picture_has_words_and_a_link_to_elsewhere_gives_nothing_away() {
    let mut breaches = Vec::new();
    for file in templates() {
        for tag in tags(&file.text) {
            let wordless = tag.starts_with("img ") && !tag.contains(" alt=");
            let open = tag.contains("target=\"_blank\"") && !tag.contains("noopener");
            if wordless || open {
                breaches.push(format!("{}: <{tag}>", file.path));
            }
        }
    }
    assert_none(
        &breaches,
        "An image needs alt (empty when it only adorns), a new window rel=\"noopener noreferrer\".",
    );
}

/// The templates that handlers name: the file and the module of the handler.
fn rendered() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for source in sources(&["src/web"]) {
        let module = source.module().get(1).cloned().unwrap_or_default();
        for window in source.words.windows(3) {
            if let [name, is, path] = window
                && name.text == "path"
                && is.text == "="
                && path.kind == Kind::Text
                && path.text.ends_with(".html")
            {
                found.push((path.text.clone(), module.clone()));
            }
        }
    }
    assert!(
        !found.is_empty(),
        "no handler names a template: this test has lost its subject"
    );
    found
}

#[test]
fn a_handler_and_its_templates_share_one_word() {
    let mut breaches = Vec::new();
    for (path, module) in rendered() {
        let folder = path.split('/').next().unwrap_or_default();
        let is_same = module == folder || module.starts_with(&format!("{folder}_"));
        if !is_same {
            breaches.push(format!("src/web/{module}: templates/{path}"));
        }
    }
    assert_none(
        &breaches,
        "Route, handler, templates and test are called the same: rename one of them.",
    );
}

#[test]
fn every_template_is_used() {
    let mut used: BTreeSet<String> = rendered().into_iter().map(|(path, _)| path).collect();
    for file in templates() {
        for word in ["extends", "include", "import"] {
            for part in file.text.split(&format!("{word} \"")).skip(1) {
                used.extend(part.split_once('"').map(|(path, _)| path.to_owned()));
            }
        }
    }
    let breaches: Vec<String> = templates()
        .into_iter()
        .map(|file| file.path)
        .filter(|path| !used.contains(path.strip_prefix("templates/").unwrap_or_default()))
        .collect();
    assert_none(
        &breaches,
        "No handler and no other template names it: delete it.",
    );
}
