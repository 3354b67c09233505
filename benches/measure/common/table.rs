//! The table at the end, in Markdown, ready for `docs/PERFORMANCE.md`.

use std::io::Write as _;

/// A table that grows row by row.
pub(crate) struct Table {
    bench: &'static str,
    load_before: String,
    text: String,
}

impl Table {
    /// A table of this benchmark with these columns.
    pub(crate) fn new(bench: &'static str, columns: &[&str]) -> Self {
        let rule = vec!["---"; columns.len()];
        let mut table = Self {
            bench,
            load_before: load(),
            text: String::new(),
        };
        table.row(columns);
        table.row(&rule);
        table
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: &[impl AsRef<str>]) {
        let cells: Vec<&str> = cells.iter().map(AsRef::as_ref).collect();
        self.text.push_str(&format!("| {} |\n", cells.join(" | ")));
    }

    /// Prints it with how and where it was measured.
    pub(crate) fn print(self) {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
        let kernel: Vec<&str> = kernel.trim().split('.').take(2).collect();
        let text = format!(
            "\n{}\n`just bench {}` · {cores} cores, Linux {} · load average {} before, {} after\n",
            self.text,
            self.bench,
            kernel.join("."),
            self.load_before,
            load(),
        );
        std::io::stdout().write_all(text.as_bytes()).unwrap();
    }
}

/// Says on standard error how far it is.
pub(crate) fn progress(sentence: &str) {
    let _ = writeln!(std::io::stderr(), "{sentence}");
}

/// The load average of the last minute.
fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap();
    text.split(' ').next().unwrap().to_owned()
}
