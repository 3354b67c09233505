//! The real program as a process of its own.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::support::stage::Stage;

/// `mailhatch serve`, killed on drop.
pub(crate) struct Serve {
    child: Child,
}

/// A command of the program over a stage's database.
pub(crate) fn command(stage: &Stage, arguments: &[&str]) -> Command {
    let ca = stage.folder.path().join("ca.pem");
    let endpoints = stage.simulator.endpoints();
    std::fs::write(&ca, &endpoints.ca_pem).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_mailhatch"));
    command
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("MAILHATCH_DATA_DIR", stage.folder.path())
        .env(
            "MAILHATCH_SECRET_KEY",
            "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=",
        )
        .env("MAILHATCH_LISTEN", "127.0.0.1:0")
        .env("MAILHATCH_BACKUP_CRON", "")
        .env("MAILHATCH_LOG", "warn")
        .env("MAILHATCH_CA_FILE", ca)
        .env("AZURE_APP_ID", &stage.demo.client_id)
        .env("AZURE_APP_SECRET", &stage.demo.client_secret)
        .env("MAILHATCH_MICROSOFT_LOGIN_URL", &endpoints.login_url)
        .env("MAILHATCH_MICROSOFT_GRAPH_URL", &endpoints.graph_url)
        .env("MAILHATCH_MICROSOFT_IMAP", &endpoints.imap)
        .env("MAILHATCH_MICROSOFT_SMTP", &endpoints.smtp)
        .env("MAILHATCH_MICROSOFT_SCOPE_PREFIX", &endpoints.scope_prefix)
        .stdin(Stdio::null());
    command
}

/// Runs a command to its end; gives standard output, or panics with standard error.
pub(crate) fn run(stage: &Stage, arguments: &[&str]) -> String {
    let output = command(stage, arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?} failed: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

impl Serve {
    /// Starts the program and waits until it listens.
    pub(crate) fn start(stage: &Stage) -> Self {
        let mut child = command(stage, &["serve"])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (sender, receiver) = mpsc::channel();
        // Reads to the end, so that the program never waits for somebody to read its log.
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if line.contains("listens on http://") {
                    let _ = sender.send(());
                }
            }
        });
        receiver
            .recv_timeout(Duration::from_secs(30))
            .expect("it listens");
        Self { child }
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end, and returns its status.
    pub(crate) fn terminate(mut self) -> std::process::ExitStatus {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .unwrap()
                .success()
        );
        self.child.wait().unwrap()
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        // Gone already after `kill` and `terminate`.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
