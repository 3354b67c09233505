//! Measures the program: `just bench` prints all tables, `just bench NAME` one of them. What they said on a
//! quiet machine stands in `docs/PERFORMANCE.md`. Nothing here passes or fails by time.
//!
//! One program for all, so that the whole of it is linked once. Figures come from the built
//! `mailhatch serve` as a process of its own wherever that is possible, and each has something beside it
//! that was measured in the same run.

#![cfg(test)]

mod appliance;
mod common;
mod idle;
#[expect(dead_code, reason = "made for the tests, which use more of it")]
#[path = "../../tests/interop/mod.rs"]
mod interop;
mod pages;
mod parse;
mod push;
mod receive;
mod send;
#[expect(dead_code, reason = "made for the tests, which use more of it")]
mod support;

use std::process::ExitCode;

/// What can be measured, in the order of the document.
const ALL: [(&str, fn()); 7] = [
    ("appliance", appliance::run),
    ("receive", receive::run),
    ("push", push::run),
    ("idle", idle::run),
    ("send", send::run),
    ("pages", pages::run),
    ("parse", parse::run),
];

fn main() -> ExitCode {
    // Cargo itself adds `--bench`.
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    let known = |name: &String| ALL.iter().any(|(known, _)| known == name);
    if let Some(unknown) = wanted.iter().find(|name| !known(name)) {
        let names = ALL.map(|(name, _)| name).join(", ");
        common::table::progress(&format!(
            "There is no {unknown} to measure; there are {names}."
        ));
        return ExitCode::FAILURE;
    }
    for (name, run) in ALL {
        if wanted.is_empty() || wanted.iter().any(|word| word == name) {
            run();
        }
    }
    ExitCode::SUCCESS
}
