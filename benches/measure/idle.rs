//! What five hundred mailboxes cost that wait in IDLE and get no mail: memory, threads and processor time, polls by
//! their cron texts included. They are the pretend Microsoft 365's, which runs in this process.

use std::time::Duration;

use crate::common::desk::Desk;
use crate::common::process::{memory, processor_time};
use crate::common::table::{Table, progress};
use crate::common::{megabytes, pause, wait_until};

const MAILBOXES: usize = 500;
/// One poll of every mailbox falls into it.
const WATCHED: Duration = Duration::from_secs(60);

/// Prints the table.
pub(crate) fn run() {
    let mut table = Table::new("idle", &["", "with 500 mailboxes", "for each"]);
    progress("connecting mailboxes");
    let desk = Desk::pretend(MAILBOXES);
    let program = desk.serve();
    wait_until("all listen", || program.listening() == MAILBOXES);
    progress("all listen");
    // What their start took is behind them.
    pause(Duration::from_secs(5));
    let before = processor_time(program.pid());
    pause(WATCHED);
    let processor = processor_time(program.pid()) - before;
    let memory = memory(program.pid());
    assert_eq!(program.listening(), MAILBOXES);
    let mut bytes = |name: &str, bytes: u64| {
        let each = format!("{:.0} kB", bytes as f64 / 1e3 / MAILBOXES as f64);
        table.row(&[name, &format!("{:.1} MB", megabytes(bytes)), &each]);
    };
    bytes("resident memory", memory.rss_bytes);
    bytes("… of it heap and stacks", memory.anonymous_bytes);
    bytes("… at its highest", memory.peak_bytes);
    let threads = memory.threads.to_string();
    table.row(&["threads", &threads, ""]);
    let seconds = processor.as_secs_f64();
    let each = format!("{:.2} ms", seconds * 1e3 / MAILBOXES as f64);
    let all = format!("{seconds:.2} s");
    table.row(&[
        "processor time in 60 s, a poll of each included",
        &all,
        &each,
    ]);
    table.print();
    program.stop();
}
