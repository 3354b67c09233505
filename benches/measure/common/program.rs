//! `mailhatch serve` as a process of its own.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::http;
use crate::support::child;
use crate::support::stage::Stage;

/// The token that opens `/readyz`.
const TOKEN: &str = "the token of the benchmarks";

/// The program, serving; killed when dropped.
pub(crate) struct Program {
    child: Child,
    /// Where its pages are.
    pub(crate) port: u16,
    /// From its start to its first page.
    pub(crate) started_in: Duration,
}

impl Program {
    /// Starts it over a stage's database, with these settings besides the stage's, and waits for the
    /// first page. Nobody else may write to the database while it runs.
    pub(crate) fn serve(stage: &Stage, settings: &[(String, String)]) -> Self {
        let port = http::free_port();
        let log = File::create(stage.folder.path().join("serve.log")).unwrap();
        let mut command = child::command(stage, &["serve"]);
        command
            .env("MAILHATCH_LISTEN", format!("127.0.0.1:{port}"))
            .env("MAILHATCH_METRICS_TOKEN", TOKEN)
            .envs(settings.iter().cloned())
            .stdout(Stdio::null())
            .stderr(log);
        let began = Instant::now();
        let child = command.spawn().unwrap();
        let started_in = http::first_answer(port, "/sign-in", began);
        Self {
            child,
            port,
            started_in,
        }
    }

    /// Its number.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How many mailboxes wait in IDLE.
    pub(crate) fn listening(&self) -> usize {
        let headers = format!("Authorization: Bearer {TOKEN}\r\n");
        let mut server = http::Connection::open(self.port, &headers).unwrap();
        let (_, body) = server.get("/readyz").unwrap();
        String::from_utf8(body)
            .unwrap()
            .matches("Listening")
            .count()
    }

    /// Ends it in order.
    pub(crate) fn stop(mut self) {
        let pid = self.pid().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .unwrap()
                .success()
        );
        assert!(self.child.wait().unwrap().success());
    }

    /// The file that is measured.
    pub(crate) fn file() -> &'static Path {
        Path::new(env!("CARGO_BIN_EXE_mailhatch"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Gone already after `stop`.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
