//! How far our reading of real mail agrees with what other projects' tests expect of it.
//!
//! The messages are not part of this project: they are read from the folder that `TEST_CORPUS` names,
//! or from `../shared/corpus`; where there is none, the test says so. `just corpus [FOLDER]` prints the
//! table of docs/corpus.md; `TEST_CORPUS_SHOW=AREA` (or `all`) names every difference in that area.

#![expect(
    clippy::print_stdout,
    reason = "the tables are what the test is run for"
)]

#[cfg(test)]
mod judge;
#[cfg(test)]
mod kept;
#[cfg(test)]
mod replies;
#[cfg(test)]
mod report;
#[cfg(test)]
mod reports;
#[cfg(test)]
mod text;
#[cfg(test)]
mod unit;
#[cfg(test)]
mod vectors;
#[cfg(test)]
mod winmail;

use std::time::Instant;

use report::Report;

#[test]
#[ignore = "run by the section corpus of tests/run.sh and by `just corpus`: reads thousands of messages"]
fn real_mail_is_read_as_others_expect_it() {
    let Some(folder) = unit::corpus() else {
        println!(
            "no corpus: there is no folder ../shared/corpus and TEST_CORPUS names none; nothing was compared"
        );
        return;
    };
    let kept = kept::list();
    let mut report = Report::default();
    for source in unit::sources(&folder) {
        let mut units = unit::units(&source);
        units.extend(replies::units(&source, &unit::name_of(&source)));
        units.extend(vectors::units(&source));
        for unit in units {
            let started = Instant::now();
            let reading = unit.read();
            report.time(&unit, started.elapsed());
            for verdict in judge::judge(&unit, &reading) {
                report.count(&unit, verdict, &kept);
            }
        }
    }
    report.print();
    let below = report.below_the_bars();
    assert!(
        below.is_empty(),
        "less agreement than docs/corpus.md states: {below:?}"
    );
}
