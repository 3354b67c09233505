//! Reading mail on one core: all that is derived from a message, beside two parsers that only take it apart.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mailhatch::mail;
use mailhatch::mail::html::Display;

use crate::common::mixture;
use crate::common::table::{Table, progress};

/// Each reader goes over all messages so often; the quickest round counts.
const ROUNDS: usize = 5;
/// Messages of the made-up mixture.
const MADE: usize = 2_000;

/// What is done with the bytes of one message.
type Reader = fn(&[u8]);

pub(crate) fn run() {
    let real = corpus();
    let made: Vec<Vec<u8>> = (0..MADE).map(mixture::message).collect();
    if real.is_empty() {
        progress(
            "There is no folder ../shared/corpus, and TEST_CORPUS names none: only made-up mail is read.",
        );
    }
    let mut table = Table::new(
        "parse",
        &[
            "what is done with each message",
            "real mail",
            "made-up mail",
        ],
    );
    let readers: [(&str, Reader); 7] = [
        ("Mailhatch: taken apart, character sets, files", parse),
        ("… and what kind it is, delivery reports", classify),
        ("… and what is new in it: all that is derived", quote),
        ("… and its HTML made safe to show", shown),
        ("mail-parser alone: taken apart", mail_parser),
        ("mailparse: taken apart, bodies decoded", mailparse),
        ("SHA-256 of the bytes, as a limit", sha256),
    ];
    for (name, reader) in readers {
        progress(name);
        table.row(&[name.to_owned(), rate(&real, reader), rate(&made, reader)]);
    }
    table.print();
}

fn rate(messages: &[Vec<u8>], reader: Reader) -> String {
    let bytes: usize = messages.iter().map(Vec::len).sum();
    if bytes == 0 {
        return "not there".to_owned();
    }
    let round = || {
        let started = Instant::now();
        messages.iter().for_each(|raw| reader(raw));
        started.elapsed()
    };
    let best = (0..ROUNDS).map(|_| round()).min().unwrap_or(Duration::MAX);
    let megabytes = bytes as f64 / 1e6;
    format!("{:.0} MB/s", megabytes / best.as_secs_f64())
}

fn parse(raw: &[u8]) {
    std::hint::black_box(mail::parse(raw));
}

fn classify(raw: &[u8]) {
    let (message, _) = mail::parse(raw);
    std::hint::black_box((mail::classify::kind(&message), mail::bounce::read(&message)));
}

fn quote(raw: &[u8]) {
    let (message, _) = mail::parse(raw);
    std::hint::black_box((mail::classify::kind(&message), mail::bounce::read(&message)));
    let html = message.html.as_deref();
    std::hint::black_box(mail::quote::split(&message.subject, &message.text, html));
}

fn shown(raw: &[u8]) {
    let (message, _) = mail::parse(raw);
    std::hint::black_box((mail::classify::kind(&message), mail::bounce::read(&message)));
    let html = message.html.as_deref();
    std::hint::black_box(mail::quote::split(&message.subject, &message.text, html));
    let display = Display {
        remote_images: false,
        cid_url: &|_| None,
    };
    std::hint::black_box(
        message
            .html
            .as_deref()
            .map(|html| mail::html::sanitize(html, &display)),
    );
}

fn mail_parser(raw: &[u8]) {
    std::hint::black_box(mail_parser::MessageParser::default().parse(raw));
}

fn mailparse(raw: &[u8]) {
    fn bodies(part: &mailparse::ParsedMail<'_>) {
        let _ = std::hint::black_box(part.get_body_raw());
        part.subparts.iter().for_each(bodies);
    }
    if let Ok(message) = mailparse::parse_mail(raw) {
        bodies(&message);
    }
}

fn sha256(raw: &[u8]) {
    use sha2::Digest as _;
    std::hint::black_box(sha2::Sha256::digest(raw));
}

/// The whole messages of the corpora.
fn corpus() -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let named = std::env::var_os("TEST_CORPUS").filter(|name| !name.is_empty());
    let folder = named.map_or_else(|| root.join("../shared/corpus"), |name| root.join(name));
    let files = |folder: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        paths.sort();
        paths
    };
    files(&folder)
        .iter()
        .flat_map(|source| files(source))
        .filter(|path| path.extension().is_some_and(|ending| ending == "eml"))
        .filter_map(|path| std::fs::read(path).ok())
        .collect()
}
