//! The counts, the table, and the bars.

use std::collections::BTreeMap;
use std::time::Duration;

use super::judge::Verdict;
use super::kept::{self, Kept};
use super::unit::Unit;

/// Areas and the least agreement, in hundredths of a per cent, that docs/corpus.md states for them.
const BARS: [(&str, usize); 20] = [
    ("subject", 9_900),
    ("sender address", 9_900),
    ("sender name", 9_900),
    ("date", 9_900),
    ("address list", 9_900),
    ("attachment name", 9_900),
    ("attachment count", 9_900),
    ("attachment size", 9_900),
    ("attachment content", 9_900),
    ("text", 9_900),
    ("winmail.dat", 10_000),
    ("reply equal", 9_500),
    ("reply equal (HTML)", 9_500),
    ("reply without loss", 9_900),
    ("forward kept whole", 10_000),
    ("bounce seen", 9_800),
    ("bounce recipient", 9_600),
    ("bounce status", 9_600),
    ("auto-reply seen", 9_700),
    ("ordinary mail left alone", 9_950),
];

#[derive(Default, Clone, Copy)]
struct Count {
    agreed: usize,
    kept: usize,
    differed: usize,
}

impl Count {
    fn total(self) -> usize {
        self.agreed + self.kept + self.differed
    }

    /// Agreement in hundredths of a per cent, differences kept on purpose left out.
    fn rate(self) -> usize {
        let counted = self.agreed + self.differed;
        (self.agreed * 10_000)
            .checked_div(counted)
            .unwrap_or(10_000)
    }
}

/// What was found.
#[derive(Default)]
pub(crate) struct Report {
    counts: BTreeMap<(&'static str, String), Count>,
    differences: Vec<String>,
    messages: usize,
    bytes: usize,
    spent: Duration,
    slow: Vec<String>,
}

impl Report {
    /// Notes how long one message took. Over 50 ms for each begun megabyte and 50 ms more is slow.
    pub(crate) fn time(&mut self, unit: &Unit, took: Duration) {
        self.messages += 1;
        self.bytes += unit.raw.len();
        self.spent += took;
        let allowed = Duration::from_millis(50) + Duration::from_micros(unit.raw.len() as u64 / 20);
        if took > allowed {
            self.slow.push(format!(
                "{} ({} kB) took {} ms",
                unit.id(),
                unit.raw.len() / 1000,
                took.as_millis()
            ));
        }
    }

    /// Counts one comparison.
    pub(crate) fn count(&mut self, unit: &Unit, verdict: Verdict, kept: &[Kept]) {
        let count = self
            .counts
            .entry((verdict.area, unit.source.clone()))
            .or_default();
        let Some(difference) = verdict.difference else {
            count.agreed += 1;
            return;
        };
        let is_kept = kept::is_kept(kept, &unit.id(), verdict.area);
        if is_kept {
            count.kept += 1;
        } else {
            count.differed += 1;
        }
        let show = std::env::var("TEST_CORPUS_SHOW").unwrap_or_default();
        if show == "all" || show.split(',').any(|area| area == verdict.area) {
            let mark = if is_kept { "kept" } else { "differs" };
            self.differences.push(format!(
                "{mark} {} {}: {difference}",
                verdict.area,
                unit.id()
            ));
        }
    }

    /// Prints the differences asked for, then the tables.
    pub(crate) fn print(&self) {
        for line in &self.differences {
            println!("{line}");
        }
        println!("\n| area | source | agree | kept | differ |\n| --- | --- | --- | --- | --- |");
        for ((area, source), count) in &self.counts {
            println!(
                "| {area} | {source} | {} | {} | {} |",
                count.agreed, count.kept, count.differed
            );
        }
        println!(
            "\n| area | compared | agree | kept on purpose | differ | agreement |\n| --- | --- | --- | --- | --- | --- |"
        );
        for (area, count) in self.areas() {
            let rate = count.rate();
            println!(
                "| {area} | {} | {} | {} | {} | {}.{:02} % |",
                count.total(),
                count.agreed,
                count.kept,
                count.differed,
                rate / 100,
                rate % 100
            );
        }
        println!(
            "\n{} messages, {} kB, read in {} ms; slower than 50 ms and 50 ms a megabyte: {}",
            self.messages,
            self.bytes / 1000,
            self.spent.as_millis(),
            self.slow.len()
        );
        for line in &self.slow {
            println!("slow: {line}");
        }
    }

    fn areas(&self) -> BTreeMap<&'static str, Count> {
        let mut areas: BTreeMap<&'static str, Count> = BTreeMap::new();
        for ((area, _), count) in &self.counts {
            let sum = areas.entry(area).or_default();
            sum.agreed += count.agreed;
            sum.kept += count.kept;
            sum.differed += count.differed;
        }
        areas
    }

    /// Areas that agree less than they are stated to.
    pub(crate) fn below_the_bars(&self) -> Vec<&'static str> {
        let areas = self.areas();
        BARS.iter()
            .filter(|(area, bar)| areas.get(area).is_some_and(|count| count.rate() < *bar))
            .map(|(area, _)| *area)
            .collect()
    }
}
