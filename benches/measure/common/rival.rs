//! What the program is measured beside: small Python programs that do only the part in question.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use super::http;

/// A rival, running; killed when dropped.
pub(crate) struct Rival {
    child: Child,
    lines: Option<Lines<BufReader<ChildStdout>>>,
}

/// The interpreter itself, not a wrapper that looks for it: its start is measured.
pub(crate) fn python() -> PathBuf {
    let output = Command::new("python3")
        .args(["-c", "import sys; print(sys.executable)"])
        .output()
        .expect("python3 is needed for the programs to compare with");
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
}

impl Rival {
    /// Starts `rivals/NAME.py` and gives it a JSON document.
    pub(crate) fn start(name: &str, input: &serde_json::Value) -> Self {
        let script = format!(
            "{}/benches/measure/rivals/{name}.py",
            env!("CARGO_MANIFEST_DIR")
        );
        let mut child = Command::new(python())
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.to_string().as_bytes()).unwrap();
        drop(stdin);
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self {
            child,
            lines: Some(lines),
        }
    }

    /// Python's own web server over a folder, and the time to its first answer.
    pub(crate) fn web_server(
        python: &std::path::Path,
        folder: &std::path::Path,
    ) -> (Self, u16, Duration) {
        let port = http::free_port();
        let began = Instant::now();
        let child = Command::new(python)
            .args(["-m", "http.server", "--protocol", "HTTP/1.1"])
            .args(["--bind", "127.0.0.1", "--directory"])
            .arg(folder)
            .arg(port.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let rival = Self { child, lines: None };
        let started_in = http::first_answer(port, "/page.html", began);
        (rival, port, started_in)
    }

    /// Its number.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next line it prints.
    pub(crate) fn line(&mut self) -> String {
        self.next().expect("the rival ended too early")
    }

    /// All lines it will print.
    pub(crate) fn take_lines(&mut self) -> impl Iterator<Item = String> + use<> {
        let lines = self.lines.take();
        lines.into_iter().flatten().map_while(Result::ok)
    }

    fn next(&mut self) -> Option<String> {
        self.lines.as_mut()?.next()?.ok()
    }
}

impl Drop for Rival {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
