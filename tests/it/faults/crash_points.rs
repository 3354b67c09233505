//! The real program is killed at every write of one receive path and one send path, and at every moment
//! of its talk with the servers; or its writes fail from there on. Started again, it ends right.
//!
//! The kernel kills it: `RLIMIT_FSIZE` (setrlimit(2)) ends a process with SIGXFSZ as it writes past a size,
//! and as the write-ahead log only grows, a limit in the middle of its nth page is a kill at the nth write,
//! half of it done. Nothing in the program knows of it, and no write can be missed. With the signal ignored
//! the same write fails instead (EFBIG, an I/O error to SQLite), as do all after it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use mailhatch::clock::Clock;
use mailhatch::model::DeliveryState;
use mailhatch::reply::Queued;
use mailhatch_simulator::faults::{Action, Point};

use super::field::{Field, port};
use crate::interop::proxy::{Plan, Proxy};
use crate::support::child::{Serve, command};
use crate::support::stage::until;

/// A page in the write-ahead log with its header (sqlite.org/fileformat2.html, "The Write-Ahead Log").
const FRAME: u64 = 24 + 4096;
/// The log's own header.
const LOG_HEADER: u64 = 32;

/// How a failed write shows in the log. The failure itself may still find room to be stored.
const TOLD: [&str; 3] = [
    "receiving failed",
    "could not be stored",
    "the sender could not use the database",
];

/// What happens at a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strike {
    Kill,
    Fail,
}

/// The program over a copy of a field's data, held back at Entra's door.
struct Run {
    child: Child,
    folder: PathBuf,
    log: Receiver<String>,
    login: Proxy,
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Run {
    fn start(field: &Field, name: &str, strike: Strike) -> Self {
        let stage = &field.stage;
        let folder = stage.folder.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        let database = folder.join("mailhatch.db");
        stage.services.store.backup(&database).unwrap();
        let login = Proxy::before(port(&stage.simulator.endpoints().login_url));
        login.set(Plan::SILENCE);
        let plain = command(stage, &["serve"]);
        let trap = match strike {
            Strike::Kill => "exec \"$@\"",
            Strike::Fail => "trap '' XFSZ; exec \"$@\"",
        };
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", &format!("ulimit -c 0; {trap}"), "sh"]);
        shell.arg(plain.get_program()).args(plain.get_args());
        shell.env_clear();
        for (name, value) in plain.get_envs() {
            shell.env(name, value.unwrap());
        }
        let mut child = shell
            .env("MAILHATCH_DATA_DIR", &folder)
            .env("MAILHATCH_MICROSOFT_IMAP", field.imap.address())
            .env("MAILHATCH_MICROSOFT_SMTP", field.smtp.address())
            .env(
                "MAILHATCH_MICROSOFT_LOGIN_URL",
                format!("http://{}", login.address()),
            )
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (sender, log) = channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let run = Self {
            child,
            folder,
            log,
            login,
        };
        until("it asks for a token", || run.login.connections() > 0);
        run
    }

    fn limit(&self, bytes: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("prlimit")
            .args(["--pid", &pid, &format!("--fsize={bytes}")])
            .status();
        assert!(status.unwrap().success());
    }

    /// Lets it go on until the write number `write` of the log.
    fn strike_at(&self, write: u64) {
        let log = self.folder.join("mailhatch.db-wal");
        let length = std::fs::metadata(log).map_or(0, |found| found.len());
        let limit = length.max(LOG_HEADER) + write * FRAME + FRAME / 2;
        self.limit(&limit.to_string());
        self.login.set(Plan::PASS);
    }

    fn is_over(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Whether it has written one of these to its log.
    fn has_said(&self, words: &[&str]) -> bool {
        let told = |line: &String| words.iter().any(|words| line.contains(words));
        self.log.try_iter().any(|line| told(&line))
    }
}

/// Goes on in this process, over what the program left behind.
fn go_on(field: &mut Field, folder: &Path) {
    let folder = folder.to_owned();
    field.stage.reconfigure(|config| config.data_dir = folder);
}

/// Strikes at write after write of receiving until one run comes through; says how many there were.
fn receiving(strike: Strike) -> u64 {
    let mut field = Field::unread(Clock::System);
    for _ in 0..3 {
        field.deliver_sized(3_000);
    }
    field.stage.clear_tokens(field.id);
    let base = field.stage.services.config.data_dir.clone();
    for write in 0.. {
        let name = format!("write-{write}");
        let mut run = Run::start(&field, &name, strike);
        field.once(Point::ImapIdle, Action::Delay(std::time::Duration::ZERO));
        run.strike_at(write);
        let mut came_through = false;
        until("it was struck or came through", || {
            came_through = field.stage.simulator.faults().count() == 0;
            let failed = strike == Strike::Fail && run.has_said(&TOLD);
            came_through || run.is_over() || failed
        });
        field.stage.simulator.faults().clear();
        if strike == Strike::Fail && !came_through {
            assert!(!run.is_over(), "a failed write does not end the program");
        }
        let folder = run.folder.clone();
        drop(run);
        go_on(&mut field, &folder);
        let _ = field.stage.poll(field.id);
        field.everything_once();
        go_on(&mut field, &base);
        std::fs::remove_dir_all(folder).unwrap();
        if came_through {
            return write;
        }
        assert!(write < 500, "it never comes through");
    }
    unreachable!("the loop has no end of its own");
}

#[test]
fn killed_at_any_write_of_receiving_it_ends_right() {
    let writes = receiving(Strike::Kill);
    assert!(writes > 20, "only {writes} writes");
}

#[test]
fn with_any_write_of_receiving_failing_it_ends_right() {
    let writes = receiving(Strike::Fail);
    assert!(writes > 20, "only {writes} writes");
}

/// A field with two replies queued, of which the second is claimed as the first is accepted, the token ended, and IMAP held back so that only the sender writes.
fn queued() -> (Field, Queued) {
    let field = Field::on(Clock::System);
    field.asked();
    let queued = field.asked();
    field.stage.clear_tokens(field.id);
    field.imap.set(Plan::SILENCE);
    (field, queued)
}

/// Time is moved by hand from now on, past the wait for Sent Items.
fn by_hand(field: &mut Field) {
    field.stage.clock = Clock::hand(field.stage.clock.now());
}

/// What was begun ends right: the reply left once.
fn sends_once(mut field: Field, queued: Queued, folder: &Path) {
    by_hand(&mut field);
    go_on(&mut field, folder);
    field.all_leave();
    assert_eq!(field.stage.state(queued), DeliveryState::Sent);
    field.everything_once();
}

fn sending(strike: Strike) -> u64 {
    for write in 0.. {
        let (field, reply) = queued();
        let mut run = Run::start(&field, "child", strike);
        field.once(Point::SmtpQuit, Action::Delay(std::time::Duration::ZERO));
        run.strike_at(write);
        let mut came_through = false;
        until("it was struck or came through", || {
            came_through = field.stage.simulator.faults().count() == 0;
            let failed = strike == Strike::Fail && run.has_said(&TOLD);
            came_through || run.is_over() || failed
        });
        field.stage.simulator.faults().clear();
        let folder = run.folder.clone();
        drop(run);
        sends_once(field, reply, &folder);
        if came_through {
            return write;
        }
        assert!(write < 500, "it never comes through");
    }
    unreachable!("the loop has no end of its own");
}

#[test]
fn killed_at_any_write_of_sending_it_ends_right() {
    let writes = sending(Strike::Kill);
    assert!(writes > 5, "only {writes} writes");
}

#[test]
fn with_any_write_of_sending_failing_it_ends_right() {
    let writes = sending(Strike::Fail);
    assert!(writes > 5, "only {writes} writes");
}

/// Killed while a server has this command and has not answered it.
fn killed_at(point: Point, receiving: bool) {
    let (mut field, reply) = if receiving {
        let field = Field::unread(Clock::System);
        field.deliver(3);
        field.stage.clear_tokens(field.id);
        (field, None)
    } else {
        let (field, reply) = queued();
        (field, Some(reply))
    };
    field.once(point, Action::Hang);
    let run = Run::start(&field, "child", Strike::Kill);
    run.login.set(Plan::PASS);
    until("the server has the command", || {
        field.stage.simulator.faults().count() == 0
    });
    let folder = run.folder.clone();
    drop(run);
    match reply {
        Some(reply) => sends_once(field, reply, &folder),
        None => {
            go_on(&mut field, &folder);
            let _ = field.stage.poll(field.id);
            field.everything_once();
        }
    }
}

#[test]
fn killed_at_any_command_of_receiving_it_ends_right() {
    let points = [
        Point::ImapGreeting,
        Point::ImapAuthenticate,
        Point::ImapList,
        Point::ImapSelect,
        Point::ImapSearch,
        Point::ImapSizes,
        Point::ImapBody,
        Point::ImapIdle,
    ];
    for point in points {
        killed_at(point, true);
    }
}

#[test]
fn killed_at_any_command_of_sending_it_ends_right() {
    let points = [
        Point::SmtpGreeting,
        Point::SmtpHello,
        Point::SmtpStartTls,
        Point::SmtpAuth,
        Point::SmtpMail,
        Point::SmtpRcpt,
        Point::SmtpData,
        Point::SmtpAccepted,
        Point::SmtpQuit,
    ];
    for point in points {
        killed_at(point, false);
    }
}

#[test]
fn killed_between_the_new_token_and_its_use_it_ends_right() {
    killed_at(Point::TokenIssued, true);
    killed_at(Point::TokenIssued, false);
}

#[test]
fn two_programs_do_not_serve_the_same_data() {
    let field = Field::on(Clock::System);
    let folder = field.stage.folder.path();
    let first = Serve::start(&field.stage);
    let output = command(&field.stage, &["serve"]).output().unwrap();
    assert!(!output.status.success());
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("another Mailhatch"), "{told}");
    assert!(told.contains(&folder.display().to_string()), "{told}");
    // A killed one leaves nothing behind that keeps the next from starting.
    first.kill();
    let second = Serve::start(&field.stage);
    assert!(second.terminate().success());
}
