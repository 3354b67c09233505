//! The real binary: the demonstration, or the program in front of a simulator of the test's own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use mailhatch_simulator::{Demo, Options, Simulator};

use crate::support::process::Process;

/// How long the program may take until it listens; a machine that compiles beside it is slow.
const START: Duration = Duration::from_secs(60);

/// A running program with its pages.
pub(crate) struct Program {
    /// Where its pages are, without a slash at the end.
    pub(crate) url: String,
    /// Who can sign in.
    pub(crate) email: String,
    pub(crate) password: String,
    /// The support mailbox's name at the pretend Microsoft.
    pub(crate) support_upn: String,
    /// The pretend Microsoft's own pages.
    pub(crate) microsoft: String,
    _process: Process,
    /// After the process: it goes when nobody writes into it any more.
    _folder: tempfile::TempDir,
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn mailhatch(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mailhatch"));
    command.env_clear().env("PATH", "/usr/bin:/bin");
    command.env("TMPDIR", folder);
    command
}

/// Reads lines until `last` is in one, then lets the rest flow away.
fn read_until(pipe: impl std::io::Read + Send + 'static, last: &'static str) -> String {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            // Nobody listens after the last line that matters; it is read all the same.
            let _ = sender.send(line);
        }
    });
    let end = Instant::now() + START;
    let mut said = String::new();
    while !said.contains(last) {
        let left = end.saturating_duration_since(Instant::now());
        match receiver.recv_timeout(left) {
            Ok(line) => said.push_str(&format!("{line}\n")),
            Err(error) => panic!("the program did not say {last:?} ({error}), but: {said}"),
        }
    }
    said
}

/// The words after `before` on the line that holds it.
fn after(said: &str, before: &str) -> String {
    let (_, rest) = said
        .split_once(before)
        .unwrap_or_else(|| panic!("{before:?} is not in: {said}"));
    rest.lines().next().unwrap_or_default().trim().to_owned()
}

impl Program {
    /// `mailhatch demo`.
    pub(crate) fn demo() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = format!("127.0.0.1:{}", free_port());
        let mut command = mailhatch(folder.path());
        command
            .args(["demo", "--listen", &address])
            .stderr(Stdio::piped());
        let mut process = Process::start(&mut command, folder.path());
        let said = read_until(
            process.child().stderr.take().unwrap(),
            "Nothing leaves this machine",
        );
        let url = after(&said, "Mailhatch is at ");
        Self {
            url: url.split(' ').next().unwrap().to_owned(),
            email: after(&said, "  Sign in "),
            password: after(&said, "  Password "),
            support_upn: "support@harbourlights.onmicrosoft.example".to_owned(),
            microsoft: after(&said, "see what customers received: "),
            _process: process,
            _folder: folder,
        }
    }

    /// `mailhatch serve` in front of a quiet simulator, to which the test writes itself.
    pub(crate) fn serve() -> (Self, Simulator, Demo) {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let url = format!("http://localhost:{port}");
        let simulator = Simulator::start(Options::default()).unwrap();
        let demo = simulator.populate(&format!("{url}/microsoft/callback"));
        let endpoints = simulator.endpoints();
        let ca = folder.path().join("ca.pem");
        std::fs::write(&ca, &endpoints.ca_pem).unwrap();
        let command = |arguments: &[&str]| {
            let mut command = mailhatch(folder.path());
            command
                .args(arguments)
                .env("MAILHATCH_URL", &url)
                .env("MAILHATCH_LISTEN", format!("127.0.0.1:{port}"))
                .env("MAILHATCH_DATA_DIR", folder.path().join("data"))
                .env(
                    "MAILHATCH_SECRET_KEY",
                    "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=",
                )
                .env("MAILHATCH_BACKUP_CRON", "")
                .env("MAILHATCH_CA_FILE", &ca)
                .env("AZURE_APP_ID", &demo.client_id)
                .env("AZURE_APP_SECRET", &demo.client_secret)
                .env("MAILHATCH_MICROSOFT_LOGIN_URL", &endpoints.login_url)
                .env("MAILHATCH_MICROSOFT_GRAPH_URL", &endpoints.graph_url)
                .env("MAILHATCH_MICROSOFT_IMAP", &endpoints.imap)
                .env("MAILHATCH_MICROSOFT_SMTP", &endpoints.smtp)
                .env("MAILHATCH_MICROSOFT_SCOPE_PREFIX", &endpoints.scope_prefix);
            command
        };
        let (email, password) = ("admin@harbourlights.example", "correct horse battery");
        add_agent(
            command(&[
                "agent",
                "add",
                email,
                "--name",
                "Alex Admin",
                "--admin",
                "--password-stdin",
            ]),
            password,
        );
        let mut process = Process::start(command(&["serve"]).stderr(Stdio::piped()), folder.path());
        read_until(process.child().stderr.take().unwrap(), "listens on");
        let program = Self {
            url,
            email: email.to_owned(),
            password: password.to_owned(),
            support_upn: demo.support_upn.clone(),
            microsoft: endpoints.login_url.clone(),
            _process: process,
            _folder: folder,
        };
        (program, simulator, demo)
    }
}

fn add_agent(mut command: Command, password: &str) {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{password}").unwrap();
    assert!(child.wait().unwrap().success(), "the agent is not added");
}
