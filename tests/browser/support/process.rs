//! Processes that a test starts, and how they end with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A process that ends when this goes away, with everything it started.
pub(crate) struct Process {
    child: Child,
    /// Everything it and its children write is in here; its path is in their arguments.
    folder: PathBuf,
    watchdog: Child,
}

/// Waits for a line, or for the end of the test run however it comes; then ends what names the folder.
const WATCH: &str = r#"
read -r word && exit 0
for round in 1 2 3; do
  for line in /proc/[0-9]*/cmdline; do
    id=${line#/proc/}; id=${id%/cmdline}
    [ "$id" != $$ ] && grep -qsF "$0" "$line" && kill -KILL "$id" 2>/dev/null
  done
  sleep 0.2
done
kill -KILL "$1" 2>/dev/null
rm -rf "$0"
"#;

impl Process {
    /// Starts `command`, whose home and temporary files are put into `folder`.
    pub(crate) fn start(command: &mut Command, folder: &Path) -> Self {
        let child = command
            .env("HOME", folder)
            .env("TMPDIR", folder)
            .env("XDG_CONFIG_HOME", folder.join("config"))
            .env("XDG_CACHE_HOME", folder.join("cache"))
            .stdin(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        let watchdog = Command::new("/bin/sh")
            .args(["-c", WATCH])
            .arg(folder)
            .arg(child.id().to_string())
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            child,
            folder: folder.to_owned(),
            watchdog,
        }
    }

    /// The child, for its pipes.
    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Those alive that descend from the child or name its folder.
    fn alive(&self) -> Vec<Found> {
        let all = list();
        let mut family = vec![self.child.id()];
        let mut known = 0;
        while known < family.len() {
            known = family.len();
            for found in &all {
                if family.contains(&found.parent) && !family.contains(&found.id) {
                    family.push(found.id);
                }
            }
        }
        let folder = self.folder.display().to_string();
        all.into_iter()
            .filter(|found| family.contains(&found.id) || found.words.contains(&folder))
            .filter(|found| found.id != self.watchdog.id() && found.id != std::process::id())
            .collect()
    }

    /// Asks the child to end, and after a while everything that is left, less kindly.
    fn stop(&mut self) -> Vec<Found> {
        let mut left = self.alive();
        signal("-TERM", self.child.id());
        let gone = |left: &mut Vec<Found>, child: &mut Child| {
            let _ = child.try_wait();
            left.retain(Found::is_alive);
            left.is_empty()
        };
        if !within(Duration::from_secs(10), || gone(&mut left, &mut self.child)) {
            for found in &left {
                signal("-KILL", found.id);
            }
        }
        within(Duration::from_secs(5), || {
            let _ = self.child.try_wait();
            for found in self.alive() {
                signal("-KILL", found.id);
            }
            self.alive().is_empty()
        });
        self.alive()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let left = self.stop();
        if let Some(pipe) = self.watchdog.stdin.as_mut() {
            let _ = std::io::Write::write_all(pipe, b"done\n");
        }
        let _ = self.watchdog.wait();
        if !std::thread::panicking() {
            assert!(left.is_empty(), "processes are left behind: {left:?}");
        }
    }
}

/// A process of this machine.
#[derive(Debug)]
struct Found {
    id: u32,
    parent: u32,
    /// Its arguments.
    words: String,
}

impl Found {
    fn read(id: u32) -> Option<Self> {
        let words = fs::read(format!("/proc/{id}/cmdline")).ok()?;
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        // The name in parentheses may hold anything; state and parent follow the last one (proc(5)).
        let mut rest = stat.rsplit_once(')')?.1.split_whitespace();
        let state = rest.next()?;
        let parent = rest.next()?.parse().ok()?;
        let words = String::from_utf8_lossy(&words).replace('\0', " ");
        (state != "Z").then_some(Self { id, parent, words })
    }

    /// Still there, and not another one under the same id.
    fn is_alive(&self) -> bool {
        Self::read(self.id).is_some_and(|now| now.words == self.words)
    }
}

fn list() -> Vec<Found> {
    fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(Found::read)
        .collect()
}

fn signal(name: &str, id: u32) {
    let _ = Command::new("/bin/kill")
        .args([name, &id.to_string()])
        .stderr(Stdio::null())
        .status();
}

/// Whether something comes true in time.
fn within(limit: Duration, mut is_true: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    while !is_true() {
        if Instant::now() > end {
            return false;
        }
        std::thread::park_timeout(Duration::from_millis(20));
    }
    true
}
