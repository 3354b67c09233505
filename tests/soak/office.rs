//! One installation of the program: `mailhatch serve` as a process of its own, behind lines that can be
//! spoiled, before servers that are pretended or real.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mailhatch::config::{Config, Environment};
use mailhatch_simulator::{Demo, Simulator};

use crate::book::pause;
use crate::interop::ports::Port;
use crate::interop::process::Watchdog;
use crate::interop::proxy::Proxy;
use crate::side::{Desk, Side};
use crate::web::{Browser, Page};

const PASSWORD: &str = "correct horse battery";
/// How long a start may take on a busy machine.
const START_TIME: Duration = Duration::from_secs(90);
/// How long the program may take to stop in order, with some room for a busy machine.
const STOP_TIME: Duration = Duration::from_secs(90);

/// The installation.
pub(crate) struct Office {
    /// What it is called in reports.
    pub(crate) name: &'static str,
    /// Its servers.
    pub(crate) side: Side,
    /// Its mailboxes, in the order they were connected.
    pub(crate) desks: Vec<Desk>,
    /// The line to IMAP.
    pub(crate) imap: Proxy,
    /// The line to SMTP.
    pub(crate) smtp: Proxy,
    /// The line to Entra and Graph.
    pub(crate) http: Proxy,
    /// How often it was killed.
    pub(crate) kills: AtomicUsize,
    child: Mutex<Option<Child>>,
    port: Port,
    environment: Environment,
    // Told before the folder goes.
    _watchdog: Watchdog,
    folder: tempfile::TempDir,
}

fn port_of(address: &str) -> u16 {
    address.rsplit(':').next().unwrap().parse().unwrap()
}

impl Office {
    /// Installed, with an administrator and no mailbox; not started.
    pub(crate) fn new(
        name: &'static str,
        simulator: &Simulator,
        demo: &Demo,
        side: Side,
        desks: Vec<Desk>,
    ) -> Self {
        let there = simulator.endpoints();
        let folder = tempfile::Builder::new().prefix("soak-").tempdir().unwrap();
        std::fs::create_dir(folder.path().join("serve")).unwrap();
        let (imap, smtp, ca) = match &side {
            Side::Pretend(_) => (
                port_of(&there.imap),
                port_of(&there.smtp),
                there.ca_pem.clone(),
            ),
            Side::Real(servers) => {
                let ca = format!("{}\n{}", there.ca_pem, servers.ca_pem());
                (servers.imap_port(), servers.smtp_port(), ca)
            }
        };
        let ca_file = folder.path().join("ca.pem");
        std::fs::write(&ca_file, ca).unwrap();
        let (imap, smtp) = (Proxy::before(imap), Proxy::before(smtp));
        let http = Proxy::before(port_of(&there.login_url));
        let port = Port::claim().unwrap();
        let environment = [
            (
                "MAILHATCH_DATA_DIR",
                folder.path().join("data").display().to_string(),
            ),
            (
                "MAILHATCH_SECRET_KEY",
                "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=".to_owned(),
            ),
            ("MAILHATCH_LISTEN", format!("127.0.0.1:{}", port.number())),
            ("MAILHATCH_BACKUP_CRON", String::new()),
            ("MAILHATCH_LOG", "info".to_owned()),
            ("MAILHATCH_CA_FILE", ca_file.display().to_string()),
            ("AZURE_APP_ID", demo.client_id.clone()),
            ("AZURE_APP_SECRET", demo.client_secret.clone()),
            (
                "MAILHATCH_MICROSOFT_LOGIN_URL",
                format!("http://{}", http.address()),
            ),
            (
                "MAILHATCH_MICROSOFT_GRAPH_URL",
                format!("http://{}/graph", http.address()),
            ),
            ("MAILHATCH_MICROSOFT_IMAP", imap.address()),
            ("MAILHATCH_MICROSOFT_SMTP", smtp.address()),
            (
                "MAILHATCH_MICROSOFT_SCOPE_PREFIX",
                there.scope_prefix.clone(),
            ),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value));
        let office = Self {
            name,
            side,
            desks,
            imap,
            smtp,
            http,
            kills: AtomicUsize::new(0),
            child: Mutex::new(None),
            port,
            environment: Environment::from(environment),
            _watchdog: Watchdog::start(folder.path()).unwrap(),
            folder,
        };
        for agent in ["ann", "ben"] {
            office.add_agent(&format!("{agent}@harbourlights.example"));
        }
        office
    }

    fn add_agent(&self, email: &str) {
        let mut command = self.command(&[
            "agent",
            "add",
            email,
            "--name",
            "Agent",
            "--admin",
            "--password-stdin",
        ]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        writeln!(child.stdin.take().unwrap(), "{PASSWORD}").unwrap();
        assert!(child.wait().unwrap().success());
    }

    fn command(&self, arguments: &[&str]) -> Command {
        // What is written past a size fails, rather than ending the program.
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", "ulimit -c 0; trap '' XFSZ; exec \"$@\"", "sh"])
            .arg(env!("CARGO_BIN_EXE_mailhatch"))
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .envs(&self.environment)
            .stdin(Stdio::null());
        command
    }

    /// Runs a command of the program to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Its settings, for services in this process.
    pub(crate) fn config(&self) -> Config {
        Config::from_environment(&self.environment).unwrap()
    }

    fn child(&self) -> MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the program and waits for its first page.
    pub(crate) fn start(&self) {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log_file())
            .unwrap();
        let child = self
            .command(&["serve"])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let pid = child.id().to_string();
        std::fs::write(self.folder.path().join("serve/master.pid"), pid).unwrap();
        *self.child() = Some(child);
        let began = Instant::now();
        while Browser::new(self.port.number()).get("/healthz").is_err() {
            assert!(
                !self.has_died(),
                "{} ended while it started:\n{}",
                self.name,
                self.log_end()
            );
            assert!(
                began.elapsed() < START_TIME,
                "{} does not start:\n{}",
                self.name,
                self.log_end()
            );
            pause(Duration::from_millis(50));
        }
    }

    /// Whether the program ended by itself.
    pub(crate) fn has_died(&self) -> bool {
        let mut child = self.child();
        child
            .as_mut()
            .is_some_and(|child| !matches!(child.try_wait(), Ok(None)))
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(&self) {
        if let Some(mut child) = self.child().take() {
            self.kills.fetch_add(1, Ordering::SeqCst);
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Asks it to end, which it does in order.
    pub(crate) fn stop_in_order(&self) {
        let status = self.stop();
        let (name, log) = (self.name, self.log_end());
        assert!(
            status.success(),
            "{name} did not stop in order: {status}\n{log}"
        );
    }

    fn stop(&self) -> ExitStatus {
        let mut child = self.child().take().unwrap();
        let pid = child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(told.unwrap().success());
        let began = Instant::now();
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                return status;
            }
            if began.elapsed() > STOP_TIME {
                child.kill().unwrap();
                child.wait().unwrap();
                panic!("{} does not stop in order:\n{}", self.name, self.log_end());
            }
            pause(Duration::from_millis(50));
        }
    }

    /// Lets no file of the program grow past a size any more; `unlimited` takes that back.
    pub(crate) fn limit(&self, bytes: &str) {
        let pid = self.child().as_ref().map(Child::id);
        if let Some(pid) = pid {
            let pid = pid.to_string();
            let limit = format!("--fsize={bytes}:unlimited");
            let status = Command::new("prlimit")
                .args(["--pid", &pid, &limit])
                .status();
            assert!(status.unwrap().success());
        }
    }

    /// How large the largest of its files is.
    pub(crate) fn largest_file(&self) -> u64 {
        let files = std::fs::read_dir(self.folder.path().join("data")).unwrap();
        let sizes = files.map(|file| file.unwrap().metadata().map_or(0, |found| found.len()));
        sizes.max().unwrap_or(0)
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("serve.log")
    }

    /// Everything it has logged.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.log_file()).unwrap_or_default()).into_owned()
    }

    fn log_end(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// A browser of somebody who has signed in.
    pub(crate) fn browser(&self) -> Browser {
        let mut browser = Browser::new(self.port.number());
        browser
            .sign_in("ann@harbourlights.example", PASSWORD)
            .unwrap();
        browser
    }

    /// Connects all mailboxes as an administrator does, each taking all its mail.
    pub(crate) fn connect_all(&self, simulator: &Simulator) {
        let mut browser = self.browser();
        for (at, one) in self.desks.iter().enumerate() {
            let address = if one.upn == one.address {
                ""
            } else {
                &one.address
            };
            let page = browser.get("/mailboxes/new").unwrap();
            let fields = [("mailbox_address", address)];
            let leave = browser.post("/mailboxes", &page, &fields).unwrap();
            assert_eq!(leave.status, 303, "{}", leave.body);
            let back = simulator
                .entra()
                .consent(&leave.location, &one.upn)
                .unwrap();
            let back = url::Url::parse(&back).unwrap();
            let path = format!("{}?{}", back.path(), back.query().unwrap_or_default());
            let checks = browser.get(&path).unwrap().location;
            assert_eq!(
                checks,
                format!("/mailboxes/{}/checks", at + 1),
                "{}",
                one.address
            );
            let page = self.checked(&mut browser, &checks);
            let choice = format!("/mailboxes/{}/choice", at + 1);
            let chosen = browser
                .post(&choice, &page, &[("take_from", "all")])
                .unwrap();
            assert_eq!(chosen.status, 303, "{}", chosen.body);
        }
    }

    fn checked(&self, browser: &mut Browser, path: &str) -> Page {
        let began = Instant::now();
        loop {
            let page = browser.get(path).unwrap();
            if !page.body.contains("Trying every way") {
                return page;
            }
            assert!(
                began.elapsed() < START_TIME,
                "{}: {path} does not end",
                self.name
            );
            pause(Duration::from_millis(100));
        }
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        if let Some(mut child) = self.child().take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
