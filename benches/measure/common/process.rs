//! What the kernel says about a process, from `/proc` (proc(5)).

use std::time::Duration;

/// What a process holds in memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// Resident, shared pages counted in full.
    pub(crate) rss_bytes: u64,
    /// Resident, shared pages divided among those who share them.
    pub(crate) pss_bytes: u64,
    /// Resident and not backed by a file: heap and stacks.
    pub(crate) anonymous_bytes: u64,
    /// The most that ever was resident.
    pub(crate) peak_bytes: u64,
    /// Threads.
    pub(crate) threads: u64,
}

/// The memory of this process now.
pub(crate) fn memory(pid: u32) -> Memory {
    let read = |file: &str| std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap();
    let (status, rollup) = (read("status"), read("smaps_rollup"));
    Memory {
        rss_bytes: field(&status, "VmRSS:") * 1024,
        pss_bytes: field(&rollup, "Pss:") * 1024,
        anonymous_bytes: field(&status, "RssAnon:") * 1024,
        peak_bytes: field(&status, "VmHWM:") * 1024,
        threads: field(&status, "Threads:"),
    }
}

/// Processor time used so far, by the program and by the kernel for it.
pub(crate) fn processor_time(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The name stands in parentheses and may hold anything; field 3 follows it.
    let (_, rest) = stat.rsplit_once(") ").unwrap();
    let fields: Vec<&str> = rest.split(' ').collect();
    let ticks: u64 = [fields[11], fields[12]]
        .iter()
        .map(|ticks| ticks.parse::<u64>().unwrap())
        .sum();
    // USER_HZ is 100 on every Linux that Rust builds for.
    Duration::from_millis(ticks * 10)
}

fn field(text: &str, name: &str) -> u64 {
    let line = text.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
