//! The disk is full, read-only or broken, or another program holds the database.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use mailhatch::app;
use mailhatch::clock::Clock;
use mailhatch::config::Config;
use mailhatch::model::DeliveryState;
use mailhatch::store::{self, Store, Tx};
use mailhatch::work::{PollStep, Poller, SendStep, Sender, poll_step, send_step, wake::Wake};

use super::field::Field;
use crate::support::child::{Serve, command};

/// The system's size of a page of memory, by which a file system in memory grows.
const PAGE: u64 = 4096;

/// A disk of its own in memory; needs root, as the real mail servers do.
struct Disk {
    folder: PathBuf,
}

impl Disk {
    fn mount(folder: PathBuf) -> Self {
        std::fs::create_dir(&folder).unwrap();
        let disk = Self { folder };
        disk.call("mount", &["-t", "tmpfs", "-o", "size=64m", "tmpfs"]);
        disk
    }

    fn call(&self, program: &str, arguments: &[&str]) {
        let output = Command::new(program)
            .args(arguments)
            .arg(&self.folder)
            .output()
            .unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program}: {complaint}");
    }

    fn resize(&self, bytes: u64) {
        let option = format!("remount,size={bytes}");
        self.call("mount", &["-o", &option]);
    }

    fn used(&self) -> u64 {
        let found = std::fs::read_dir(&self.folder).unwrap();
        // A sparse file takes what its blocks take.
        use std::os::unix::fs::MetadataExt as _;
        found
            .map(|entry| entry.unwrap().metadata().unwrap().blocks() * 512)
            .sum()
    }

    /// Leaves room for so many pages more than are used now.
    fn leave(&self, pages: u64) {
        self.resize((self.used().div_ceil(PAGE) + pages) * PAGE);
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Files may still be open in a test that fails: detached, it goes with the last of them.
        let _ = Command::new("umount").arg("-l").arg(&self.folder).status();
    }
}

/// A field whose data lies on a disk of its own.
fn on_disk() -> (Field, Disk) {
    let mut field = Field::new();
    let disk = Disk::mount(field.stage.folder.path().join("disk"));
    let store = &field.stage.services.store;
    store.backup(&disk.folder.join("mailhatch.db")).unwrap();
    let folder = disk.folder.clone();
    field.stage.reconfigure(|config| config.data_dir = folder);
    (field, disk)
}

fn poll(field: &Field, poller: &mut Poller) -> PollStep {
    poll_step(&field.stage.services, poller, field.id, &Wake::default())
}

#[test]
fn a_full_disk_at_any_write_of_receiving_loses_and_doubles_nothing() {
    let (field, disk) = on_disk();
    for _ in 0..3 {
        field.deliver_sized(6_000);
    }
    field.stage.clear_tokens(field.id);
    let mut poller = Poller::default();
    let mut fulls = 0;
    for room in 0.. {
        disk.leave(room);
        match poll(&field, &mut poller) {
            PollStep::Synced(_) => break,
            PollStep::Failed(problem) => {
                assert!(
                    ["disk_full", "disk_error"].contains(&problem.code.as_str()),
                    "{problem}"
                );
                assert!(problem.is_transient(), "it goes on by itself");
                let broken = field.stage.services.store.read(store::check::run).unwrap();
                assert_eq!(broken, Vec::<String>::new());
                fulls += 1;
            }
            other => panic!("{other:?}"),
        }
        assert!(room < 400, "it never comes to an end");
    }
    assert!(fulls > 5, "it was full only {fulls} times");
    disk.resize(64 << 20);
    field.everything_once();
}

#[test]
fn a_full_disk_at_any_write_of_sending_loses_and_doubles_nothing() {
    let (field, disk) = on_disk();
    let mut fulls = 0;
    for room in 0..12 {
        let queued = field.asked();
        field.stage.clear_tokens(field.id);
        disk.leave(room);
        let mut sender = Sender::default();
        match send_step(&field.stage.services, &mut sender, field.id) {
            Ok(SendStep::Worked | SendStep::Nothing(_)) => {}
            Err(error) => {
                let problem = error.to_problem();
                assert!(
                    ["disk_full", "disk_error"].contains(&problem.code.as_str()),
                    "{problem}"
                );
            }
        }
        let sent = field.delivery(queued).state == DeliveryState::Sent;
        fulls += u32::from(!sent);
        disk.resize(64 << 20);
        field.all_leave();
        field.everything_once();
    }
    assert!(fulls > 2, "it was full only {fulls} times");
}

#[test]
fn a_full_disk_is_told_with_its_remedy_and_goes_on_by_itself() {
    let (field, disk) = on_disk();
    field.deliver_sized(200_000);
    disk.leave(2);
    let PollStep::Failed(problem) = field.stage.poll(field.id) else {
        panic!("it did not fail");
    };
    assert_eq!(problem.code, "disk_full");
    assert!(problem.sentence.contains("nothing taken is lost"));
    assert!(problem.remedy.contains("Free space"));
    disk.resize(64 << 20);
    field.recovers(1);
    field.everything_once();
}

#[test]
fn a_database_held_by_another_program_is_waited_for() {
    let field = Field::new();
    field.deliver(1);
    let wait = |tx: &Tx<'_>| store::Result::Ok(tx.execute_batch("PRAGMA busy_timeout = 100")?);
    let store = &field.stage.services.store;
    store.write(wait).unwrap();
    let other = Store::open(store.path()).unwrap();
    let step = other.write(|_| store::Result::Ok(field.stage.poll(field.id)));
    let PollStep::Failed(problem) = step.unwrap() else {
        panic!("it did not fail");
    };
    assert_eq!(problem.code, "database_busy");
    assert!(problem.is_transient());
    field.recovers(1);
    field.everything_once();
}

#[test]
fn a_database_held_by_another_program_while_a_reply_leaves_sends_it_once() {
    let field = Field::new();
    let queued = field.asked();
    let wait = |tx: &Tx<'_>| store::Result::Ok(tx.execute_batch("PRAGMA busy_timeout = 100")?);
    let store = &field.stage.services.store;
    store.write(wait).unwrap();
    let other = Store::open(store.path()).unwrap();
    let mut sender = Sender::default();
    let mut step = || send_step(&field.stage.services, &mut sender, field.id);
    let held = other.write(|_| store::Result::Ok(step()));
    assert_eq!(
        held.unwrap().unwrap_err().to_problem().code,
        "database_busy"
    );
    assert_eq!(
        field.left(),
        Vec::<String>::new(),
        "nothing leaves unwritten"
    );
    assert_eq!(field.delivery(queued).state, DeliveryState::Queued);
    field.all_leave();
    field.everything_once();
}

/// Why the program does not start over this data.
fn does_not_start(field: &Field, folder: &Path) -> String {
    let mut config = Config::clone(&field.stage.services.config);
    folder.clone_into(&mut config.data_dir);
    let error = app::open(config, Clock::System).unwrap_err();
    format!("{error:#}")
}

#[test]
fn a_read_only_disk_is_told_at_the_start_with_the_path() {
    let field = Field::new();
    let disk = Disk::mount(field.stage.folder.path().join("disk"));
    let database = disk.folder.join("mailhatch.db");
    field.stage.services.store.backup(&database).unwrap();
    disk.call("mount", &["-o", "remount,ro"]);
    let told = does_not_start(&field, &disk.folder);
    assert!(told.contains("mailhatch.db"), "{told}");
    assert!(
        told.contains("readonly") || told.contains("unable to open"),
        "{told}"
    );
}

#[test]
fn a_damaged_database_is_told_at_the_start_and_not_written_to() {
    let field = Field::new();
    let folder = field.stage.folder.path().join("damaged");
    std::fs::create_dir(&folder).unwrap();
    let database = folder.join("mailhatch.db");
    let garbage = b"This is no database.".repeat(1_000);
    std::fs::write(&database, &garbage).unwrap();
    std::fs::set_permissions(&database, std::fs::Permissions::from_mode(0o600)).unwrap();
    let told = does_not_start(&field, &folder);
    assert!(told.contains("not a database"), "{told}");
    assert_eq!(std::fs::read(&database).unwrap(), garbage);
}

#[test]
fn a_backup_that_finds_the_disk_full_leaves_nothing_half_made() {
    let (field, disk) = on_disk();
    let store = &field.stage.services.store;
    let target = disk.folder.join("backup.db");
    disk.leave(5);
    assert!(store.backup(&target).is_err());
    let left: Vec<String> = std::fs::read_dir(&disk.folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.contains("backup") && name != "backups")
        .collect();
    assert_eq!(left, Vec::<String>::new());
    disk.resize(64 << 20);
    store.backup(&target).unwrap();
    field.deliver(1);
    field.recovers(1);
    field.everything_once();
}

/// A backup in an empty folder of its own.
fn backed_up(field: &Field) -> PathBuf {
    let folder = field.stage.folder.path().join("restored");
    std::fs::create_dir(&folder).unwrap();
    let backup = folder.join("backup.db");
    field.stage.services.store.backup(&backup).unwrap();
    backup
}

/// The program goes on with what the backup holds.
fn put_back(field: &mut Field, backup: &Path) {
    let folder = backup.parent().unwrap().to_owned();
    let now = field.stage.clock.now();
    store::backup::restore(backup, &folder.join("mailhatch.db"), now).unwrap();
    field.stage.reconfigure(|config| config.data_dir = folder);
}

#[test]
fn a_reply_that_waited_when_the_backup_was_made_does_not_leave_again_after_a_restore() {
    let mut field = Field::new();
    field.asked();
    let backup = backed_up(&field);
    field.all_leave();
    assert_eq!(field.left().len(), 1);
    put_back(&mut field, &backup);
    field.all_leave();
    field.everything_once();
}

#[test]
fn a_reply_that_had_not_left_before_a_restore_leaves_after_it() {
    let mut field = Field::new();
    field.asked();
    let backup = backed_up(&field);
    put_back(&mut field, &backup);
    field.all_leave();
    field.everything_once();
}

#[test]
fn a_backup_is_not_put_under_a_running_program() {
    let field = Field::on(Clock::System);
    let folder = field.stage.folder.path().to_owned();
    let backup = folder.join("backup.db");
    field.stage.services.store.backup(&backup).unwrap();
    let serving = Serve::start(&field.stage);
    let restore = || {
        let arguments = ["restore", backup.to_str().unwrap()];
        command(&field.stage, &arguments).output().unwrap()
    };
    let refused = restore();
    assert!(!refused.status.success());
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(told.contains("another Mailhatch"), "{told}");
    assert!(serving.terminate().success());
    assert!(restore().status.success());
}
