//! Runs a daemon in the foreground, ends it with all its children, and ends it too when the test
//! itself is killed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How long a start or a stop may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A process told apart from a later one with the same id by its start time (proc(5), `stat`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ProcessId {
    /// The number.
    pub(crate) pid: u32,
    started: u64,
}

impl ProcessId {
    /// Whether it still runs; one that only waits to be collected does not.
    pub(crate) fn is_alive(self) -> bool {
        stat(self.pid).is_some_and(|(_, id)| id == self)
    }
}

/// A server that stays in the foreground as our child.
#[derive(Debug)]
pub(crate) struct Daemon {
    program: &'static str,
    arguments: Vec<String>,
    output: PathBuf,
    child: Option<Child>,
}

impl Daemon {
    /// Not started yet; what it prints goes to the file `output`.
    pub(crate) fn new(program: &'static str, arguments: &[&str], output: PathBuf) -> Self {
        let arguments = arguments.iter().map(|&argument| argument.to_owned());
        Self {
            program,
            arguments: arguments.collect(),
            output,
            child: None,
        }
    }

    /// Starts it and waits until `ready`. Does nothing when it runs already.
    pub(crate) fn start(&mut self, ready: impl Fn() -> bool) -> Result<(), String> {
        if self.child.is_some() {
            return Ok(());
        }
        let file = |_| File::options().create(true).append(true).open(&self.output);
        let failed = |error| format!("Cannot start {}: {error}.", self.program);
        let child = Command::new(self.program)
            .args(&self.arguments)
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .stdin(Stdio::null())
            .stdout(file(()).map_err(failed)?)
            .stderr(file(()).map_err(failed)?)
            .spawn()
            .map_err(failed)?;
        self.child = Some(child);
        let ended = || {
            let child = self.child.as_mut();
            child.is_none_or(|child| !matches!(child.try_wait(), Ok(None)))
        };
        let mut ended = ended;
        let mut dead = false;
        let came_up = wait_until(|| {
            dead = ended();
            dead || ready()
        });
        if came_up && !dead {
            return Ok(());
        }
        let what = if dead {
            "ended at once"
        } else {
            "does not answer"
        };
        self.stop();
        Err(format!("{} {what}.", self.program))
    }

    /// The process and all that descend from it; empty when it is stopped.
    pub(crate) fn processes(&self) -> BTreeSet<ProcessId> {
        self.child
            .as_ref()
            .map_or_else(BTreeSet::new, |child| family(child.id()))
    }

    /// Ends it and waits until no child of it is left. Does nothing when it is stopped.
    ///
    /// The children are told as well: Dovecot's own stop leaves open IMAP sessions ten seconds.
    pub(crate) fn stop(&mut self) {
        let mut left = self.processes();
        let Some(mut child) = self.child.take() else {
            return;
        };
        signal("TERM", &left);
        let ended = wait_until(|| {
            // A child born while we stopped is found through those we know.
            left.extend(families(&left));
            let gone = !matches!(child.try_wait(), Ok(None));
            left.retain(|id| id.is_alive());
            gone && left.is_empty()
        });
        if !ended {
            signal("KILL", &left);
            let _ = child.wait();
            wait_until(|| !left.iter().any(|id| id.is_alive()));
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A shell that outlives a killed test run, ends the servers in its stead and removes their folder.
///
/// It waits for a line on its standard input. The kernel closes that pipe however the test ends, so
/// it notices a kill that leaves the test no time to drop anything.
#[derive(Debug)]
pub(crate) struct Watchdog {
    shell: Child,
}

const WATCH: &str = r#"
read -r word && exit 0
pids=$(cat "$0"/*/master.pid "$0"/queue/pid/master.pid 2>/dev/null)
for pid in $pids; do kill -TERM "$pid" 2>/dev/null; done
for round in 1 2 3 4 5 6 7 8 9 10; do
  alive=
  for pid in $pids; do kill -0 "$pid" 2>/dev/null && alive=yes; done
  [ -n "$alive" ] || break
  sleep 0.2
done
for pid in $pids; do kill -KILL "$pid" 2>/dev/null; done
rm -rf "$0"
"#;

impl Watchdog {
    /// Watches over the servers whose files are in `folder`.
    pub(crate) fn start(folder: &Path) -> Result<Self, String> {
        let shell = Command::new("/bin/sh")
            .arg("-c")
            .arg(WATCH)
            .arg(folder)
            // Its own group: a Ctrl-C meant for the test run must not end it first.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("Cannot start /bin/sh: {error}."))?;
        Ok(Self { shell })
    }

    /// Its own process.
    pub(crate) fn process(&self) -> Option<ProcessId> {
        stat(self.shell.id()).map(|(_, id)| id)
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        if let Some(mut pipe) = self.shell.stdin.take() {
            let _ = pipe.write_all(b"done\n");
        }
        let _ = self.shell.wait();
    }
}

/// Asks `condition` every few milliseconds; false when it did not come true in time.
pub(crate) fn wait_until(mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + PATIENCE;
    let (_held, never) = mpsc::channel::<()>();
    loop {
        if condition() {
            return true;
        }
        if Instant::now() > deadline {
            return false;
        }
        let _ = never.recv_timeout(Duration::from_millis(10));
    }
}

/// The shell's `kill`, for the standard library can only send KILL.
fn signal(name: &str, processes: &BTreeSet<ProcessId>) {
    let _ = Command::new("/bin/sh")
        .args(["-c", "kill -s \"$@\"", "kill", name])
        .args(processes.iter().map(|id| id.pid.to_string()))
        .stderr(Stdio::null())
        .status();
}

/// The process `root` and every one below it that runs now.
pub(crate) fn family(root: u32) -> BTreeSet<ProcessId> {
    families(&stat(root).map(|(_, id)| id).into_iter().collect())
}

/// Those of `roots` that run now and every process below them.
fn families(roots: &BTreeSet<ProcessId>) -> BTreeSet<ProcessId> {
    let mut children: BTreeMap<u32, Vec<ProcessId>> = BTreeMap::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let pid = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        if let Some((parent, id)) = pid.and_then(stat) {
            children.entry(parent).or_default().push(id);
        }
    }
    let mut open: Vec<ProcessId> = roots.iter().copied().filter(|id| id.is_alive()).collect();
    let mut found = BTreeSet::new();
    while let Some(id) = open.pop() {
        if found.insert(id) {
            open.extend(children.remove(&id.pid).unwrap_or_default());
        }
    }
    found
}

/// The parent and identity of a process that runs; none for a zombie.
fn stat(pid: u32) -> Option<(u32, ProcessId)> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in parentheses and may hold anything; state, parent and the rest follow it.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    if matches!(fields.first(), Some(&"Z" | &"X")) {
        return None;
    }
    let parent = fields.get(1)?.parse().ok()?;
    let started = fields.get(19)?.parse().ok()?;
    Some((parent, ProcessId { pid, started }))
}
