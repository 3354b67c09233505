//! Payloads that others have collected against sanitisers, each as a message of its own, on the real page
//! in a real browser: none runs script, asks for anything, or leaves its frame.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::{Value, json};

use crate::desk::{self, tell};
use crate::support::attacker::Attacker;
use crate::support::browser::Browser;
use crate::support::program::Program;

/// Messages in one conversation.
const BATCH: usize = 40;
/// Payloads of the long lists in one message.
const LINES: usize = 8;
/// How long all mail may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(300);

/// A payload.
struct Case {
    name: String,
    html: String,
    /// Also looked at by its frame's own address, with pictures let in.
    alone: bool,
}

impl Case {
    fn new(name: impl Into<String>, html: impl Into<String>, alone: bool) -> Self {
        let (name, html) = (name.into(), html.into());
        Self { name, html, alone }
    }
}

/// The payloads of the corpora, and their whole messages.
fn collected(folder: &Path) -> (Vec<Case>, Vec<Vec<u8>>) {
    let mut cases = Vec::new();
    for (source, field) in [
        ("dompurify", "payload"),
        ("loofah-html5lib-sanitizer", "input"),
        ("bleach", "input"),
        ("html-sanitizer-asserts", "input"),
        ("h5sc-vectors", "input"),
    ] {
        let text = std::fs::read_to_string(folder.join(source).join("cases.jsonl"));
        for line in text.unwrap_or_default().lines() {
            let case: Value = serde_json::from_str(line).unwrap();
            if let Some(html) = case[field].as_str() {
                let alone = source != "html-sanitizer-asserts";
                cases.push(Case::new(format!("{source}/{}", case["case"]), html, alone));
            }
        }
    }
    for path in files(&folder.join("xss-payload-lists"), "txt") {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
        for (number, lines) in lines.chunks(LINES).enumerate() {
            let html = format!("<div>{}</div>", lines.join("</div>\n<div>"));
            cases.push(Case::new(format!("{name}:{number}"), html, false));
        }
    }
    let letters = ["roundcube", "zimbra", "rspamd"]
        .iter()
        .flat_map(|source| files(&folder.join(source), "eml"))
        .map(|path| std::fs::read(path).unwrap())
        .filter(|raw| raw.len() < 2_000_000 && has_html(raw))
        .collect();
    (cases, letters)
}

fn has_html(raw: &[u8]) -> bool {
    let lower = raw.to_ascii_lowercase();
    lower.windows(9).any(|part| part == b"text/html")
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let Ok(found) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = found
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|known| known == extension))
        .collect();
    paths.sort();
    paths
}

/// Our own, one for each way out that mail readers have had.
fn own() -> Vec<Case> {
    let lines = include_str!("payloads.txt").lines();
    lines
        .filter(|line| !line.is_empty() && !line.starts_with("# "))
        .enumerate()
        .map(|(number, line)| Case::new(format!("own:{number}"), line, true))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_payload_runs_loads_or_leaves_its_frame() {
    prove(&own(), &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by the section corpus of tests/run.sh: it opens thousands of messages"]
async fn no_payload_of_the_sanitiser_corpora_runs_loads_or_leaves_its_frame() {
    let named = std::env::var_os("TEST_CORPUS").filter(|name| !name.is_empty());
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let folder = named.map_or_else(|| root.join("../shared/corpus"), |name| root.join(name));
    let (cases, letters) = collected(&folder);
    if cases.is_empty() {
        tell(
            "no corpus: there is no folder ../shared/corpus and TEST_CORPUS names none; no payload was tried",
        );
        return;
    }
    prove(&cases, &letters).await;
}

/// Delivers everything, opens every page, and fails with all that went wrong.
async fn prove(cases: &[Case], letters: &[Vec<u8>]) {
    let attacker = Attacker::start();
    let browser = Browser::watched(attacker.address).await;
    let source = json!({ "source": WATCH });
    browser
        .cdp("Page.addScriptToEvaluateOnNewDocument", source)
        .await;
    would_be_seen(&browser, &attacker).await;

    let (program, simulator, demo) = Program::serve();
    let before = Instant::now();
    for (number, case) in cases.iter().enumerate() {
        let raw = letter(number, case, &demo.support_address);
        let world = simulator.world();
        assert!(world.deliver(&demo.support_address, raw.as_bytes()));
    }
    for raw in letters {
        let world = simulator.world();
        assert!(world.deliver(&demo.support_address, raw));
    }
    desk::sign_in(&browser, &program).await;
    desk::connect(&browser, &program).await;
    arrived(&browser, cases.len()).await;
    let arrived_in = before.elapsed();

    let before = Instant::now();
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    browser.requests().await;
    for number in 1.. {
        let path = format!("/conversations/{number}");
        if status(&browser, &path).await != 200 {
            break;
        }
        browser.go(&format!("{}{path}", program.url)).await;
        for id in look(&browser, &program, &mut faults).await {
            seen.insert(id);
        }
    }
    let opened_in = before.elapsed();
    assert!(
        seen.len() >= cases.len(),
        "only {} of {} payloads were opened",
        seen.len(),
        cases.len()
    );
    let asked = asked_by_pages(&attacker);
    assert_eq!(asked.len(), 1, "it learnt that it was read: {asked:#?}");
    let before = Instant::now();
    let dangerous = cases.iter().filter(|case| case.alone).count();
    for id in seen.iter().take(cases.len()) {
        // Numbers are given in the order of delivery.
        let index = usize::try_from(*id).unwrap() - 1;
        if cases.get(index).is_some_and(|case| case.alone) {
            alone(&browser, &program, *id, &mut faults).await;
        }
    }
    tell(&format!(
        "{} payloads and {} messages: arrived in {arrived_in:.0?}, opened in {opened_in:.0?}, {dangerous} alone with pictures in {:.0?}",
        cases.len(),
        letters.len(),
        before.elapsed()
    ));
    let mut report = String::new();
    for (id, fault) in &faults {
        let index = usize::try_from(*id).unwrap_or_default().wrapping_sub(1);
        let case = cases.get(index);
        let (name, html) = case.map_or(("a message", ""), |case| (&case.name, &case.html));
        let _ = writeln!(report, "{id} {name}: {fault}\n    {html:.300}");
    }
    assert!(faults.is_empty(), "{} faults:\n{report}", faults.len());
    browser.end().await;
}

/// What the test looks for would be found: a script that runs, and a picture that is asked for.
async fn would_be_seen(browser: &Browser, attacker: &Attacker) {
    browser
        .go("data:text/html,<script>alert(1)</script><img src='http://outside.example/control'>")
        .await;
    let ran = browser.run("return top.ranForTheTest").await;
    assert_eq!(ran, json!(["alert"]));
    let requests = browser.requests().await;
    let control = (
        "Image".to_owned(),
        "http://outside.example/control".to_owned(),
    );
    assert!(requests.contains(&control), "{requests:?}");
    let asked = asked_by_pages(attacker);
    assert!(
        asked.iter().any(|line| line.contains("/control")),
        "{asked:?}"
    );
}

/// Heads of requests that did not come from the browser itself, which asks its makers for the time, for
/// updates and for a page to begin with.
fn asked_by_pages(attacker: &Attacker) -> Vec<String> {
    let own = |head: &String| {
        head.is_empty()
            || ["google", "gvt1.com", "duckduckgo.com"]
                .iter()
                .any(|name| head.contains(name))
    };
    attacker
        .asked()
        .into_iter()
        .filter(|head| !own(head))
        .collect()
}

fn letter(number: usize, case: &Case, to: &str) -> String {
    let (batch, place) = (number / BATCH, number % BATCH);
    let answers = if place == 0 {
        String::new()
    } else {
        format!(
            "In-Reply-To: <{batch}-0@attacker.example>\r\nReferences: <{batch}-0@attacker.example>\r\n"
        )
    };
    let body = base64::engine::general_purpose::STANDARD.encode(&case.html);
    let mut lines = String::new();
    for line in body.as_bytes().chunks(76) {
        lines.push_str(&String::from_utf8_lossy(line));
        lines.push_str("\r\n");
    }
    format!(
        "From: Mallory <mallory@attacker.example>\r\nTo: {to}\r\nSubject: Batch {batch}\r\n\
         Message-ID: <{batch}-{place}@attacker.example>\r\n{answers}MIME-Version: 1.0\r\n\
         Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{lines}"
    )
}

/// Waits until this message is there.
async fn arrived(browser: &Browser, last: usize) {
    let end = Instant::now() + ARRIVAL;
    while status(browser, &format!("/messages/{last}/body")).await != 200 {
        assert!(Instant::now() < end, "not all mail arrived");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// What the program answers to the page that is open.
async fn status(browser: &Browser, path: &str) -> u64 {
    let script = format!("return fetch('{path}').then((answer) => answer.status)");
    browser.run(&script).await.as_u64().unwrap()
}

/// Opens all messages of the conversation in the window, and returns their ids.
async fn look(browser: &Browser, program: &Program, faults: &mut Vec<(i64, String)>) -> Vec<i64> {
    browser.run(OPEN).await;
    let end = Instant::now() + Duration::from_secs(20);
    while browser.run(LOADED).await != json!(true) {
        if Instant::now() > end {
            faults.push((0, format!("{} is not whole", browser.address().await)));
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Nothing tells that nothing will happen: what would run or load has this long to do it.
    tokio::time::sleep(Duration::from_millis(150)).await;
    let found = browser.run(INSPECT).await;
    for fault in found["faults"].as_array().unwrap() {
        let sentence = fault[1].as_str().unwrap().to_owned();
        faults.push((fault[0].as_i64().unwrap(), sentence));
    }
    for (kind, address) in browser.requests().await {
        if !is_ours(&program.url, &address) {
            faults.push((
                0,
                format!("{} asked for {kind} {address}", browser.address().await),
            ));
        }
    }
    let ids = found["ids"].as_array().unwrap();
    ids.iter().filter_map(Value::as_i64).collect()
}

/// Opens a message by its frame's own address, with pictures let in: those may come, and nothing else.
async fn alone(browser: &Browser, program: &Program, id: i64, faults: &mut Vec<(i64, String)>) {
    let address = format!("{}/messages/{id}/body?images=1", program.url);
    browser.go(&address).await;
    let now = browser.address().await;
    if now != address {
        faults.push((id, format!("led to {now}")));
    }
    let ran = browser.run("return top.ranForTheTest ?? null").await;
    if !ran.is_null() {
        faults.push((id, format!("ran {ran}")));
    }
    for (kind, asked) in browser.requests().await {
        let is_picture = kind == "Image" && asked.starts_with("http");
        if !is_picture && !is_ours(&program.url, &asked) {
            faults.push((id, format!("asked for {kind} {asked}")));
        }
    }
}

/// An address that our own pages ask for.
fn is_ours(program: &str, address: &str) -> bool {
    let Some(path) = address.strip_prefix(program) else {
        return false;
    };
    [
        "/conversations/",
        "/static/",
        "/messages/",
        "/live",
        "/favicon.ico",
        // The page before, which may still be asking.
        "/mailboxes/",
    ]
    .iter()
    .any(|known| path.starts_with(known))
}

/// In every document before anything else: calls that payloads make leave a trace.
const WATCH: &str = r"
for (const name of ['alert', 'confirm', 'prompt', 'print']) {
  window[name] = () => { (top.ranForTheTest ??= []).push(name); };
}
";

const OPEN: &str = r"
window.namesBeforeTheTest = new Set(Object.getOwnPropertyNames(window));
window.titleBeforeTheTest = document.title;
for (const letter of document.querySelectorAll('.letter > details')) letter.open = true;
for (const frame of document.querySelectorAll('iframe.mail')) frame.loading = 'eager';
";

const LOADED: &str = r"
return [...document.querySelectorAll('iframe.mail')].every((frame) => {
  const page = frame.contentDocument;
  return page && page.readyState === 'complete' && page.URL !== 'about:blank';
});
";

const INSPECT: &str = r#"
const faults = [];
const ids = [];
const say = (frame, sentence) => faults.push([Number(frame?.name.replace('mail-', '') ?? 0), sentence]);
const known = new Set(`html head meta title link style body a abbr address article b bdi bdo big blockquote br caption
  center cite code col colgroup dd del details dfn div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i
  img ins kbd li main mark ol p pre q s samp section small span strike strong sub summary sup table tbody td tfoot th thead
  tr tt u ul wbr`.split(/\s+/));
const metas = 'charset viewport color-scheme';
const links = /^(https?:|mailto:|tel:|sms:|#m-|\?images=1$)/i;
const pictures = /^(data:image\/(png|jpe?g|gif|webp|bmp);base64,|\/messages\/\d+\/cid\/)/i;
const attribute = (frame, node, { name, value }) => {
  if (/^on/i.test(name)) say(frame, `${node.localName} has ${name}`);
  if (name === 'href' && node.localName === 'a') return links.test(value) || say(frame, `a leads to ${value}`);
  if (name === 'href' && node.localName === 'link') return value.startsWith('/static/') || say(frame, `link to ${value}`);
  if (name === 'src' && node.className.split(' ')[0] === 'mailhatch-waits' && value.startsWith('data:image/svg+xml,%3Csvg%20xmlns')) return;
  if (name === 'src' && node.localName === 'img') return pictures.test(value) || say(frame, `img of ${value}`);
  if (/^(xlink:.*|href|src|srcset|srcdoc|action|formaction|background|data|poster|ping|http-equiv|is|slot|form|lowsrc|dynsrc)$/i.test(name)) {
    say(frame, `${node.localName} has ${name}=${value}`);
  }
};
for (const frame of document.querySelectorAll('iframe.mail')) {
  const page = frame.contentDocument;
  if (!page) { say(frame, 'has left'); continue; }
  if (!/\/messages\/\d+\/body$/.test(page.URL)) say(frame, `is at ${page.URL}`);
  ids.push(Number(frame.name.replace('mail-', '')));
  for (const node of page.querySelectorAll('*')) {
    if (!known.has(node.localName) || node.namespaceURI !== 'http://www.w3.org/1999/xhtml') say(frame, `has <${node.localName}>`);
    if (node.localName === 'meta' && !(node.getAttribute('charset') || metas.includes(node.name))) say(frame, 'has a meta');
    for (const one of node.attributes) attribute(frame, node, one);
    for (const part of [undefined, '::before', '::after']) {
      const style = page.defaultView.getComputedStyle(node, part);
      if (style.position !== 'static' || style.transform !== 'none' || style.animationName !== 'none' || style.filter !== 'none') {
        say(frame, `${node.localName} is ${style.position} ${style.transform} ${style.animationName} ${style.filter}`);
      }
      if (/url\(/.test(style.backgroundImage + style.content + style.listStyleImage + style.cursor + style.borderImageSource)
        && !/url\("(data:image|http:\/\/localhost:\d+\/messages\/\d+\/cid\/)/.test(style.backgroundImage)) {
        say(frame, `${node.localName} loads ${style.backgroundImage} ${style.content}`);
      }
    }
  }
  if (page.querySelectorAll('.mailhatch-mail').length !== 1) say(frame, 'has another root');
  if (page.body.children[page.body.children.length - 1].className.split(' ')[0] !== 'mailhatch-mail') say(frame, 'has something behind its root');
  if (page.documentElement.scrollWidth > frame.clientWidth + 1) say(frame, `is ${page.documentElement.scrollWidth} wide`);
  const box = page.body.getBoundingClientRect();
  if (box.bottom > frame.clientHeight + 2) say(frame, `is ${box.bottom} tall in ${frame.clientHeight}`);
  if (frame.clientHeight > 6000) say(frame, `is ${frame.clientHeight} tall`);
}
if (window.ranForTheTest) say(null, `ran ${window.ranForTheTest}`);
if (document.title !== window.titleBeforeTheTest) say(null, `is called ${document.title}`);
for (const name of Object.getOwnPropertyNames(window)) {
  if (!window.namesBeforeTheTest.has(name) && !/^(\d+|mail-\d+|ret_nodes|namesBeforeTheTest|titleBeforeTheTest)$/.test(name)) say(null, `made ${name}`);
}
return { faults, ids };
"#;
