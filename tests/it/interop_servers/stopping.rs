//! Stopping, coming back, and leaving nothing behind.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use super::{
    MAIL, SALES, SUPPORT, arrives, authenticate, imap, options, signed_in_smtp, signs_in, start,
    submit,
};
use crate::interop::process::{ProcessId, family, wait_until};
use crate::interop::requirements;
use crate::interop::servers::{Options, Servers, answers};
use crate::interop::tokens::Token;

fn all_gone(processes: &BTreeSet<ProcessId>) -> bool {
    processes.iter().all(|process| !process.is_alive())
}

#[test]
fn a_stopped_server_cuts_its_sessions_and_comes_back_on_the_same_port() {
    let servers = start();
    servers.deliver(SUPPORT, MAIL);
    let mut reader = imap(&servers);
    authenticate(&mut reader, SUPPORT, &Token::of(SUPPORT).sign());
    let mut writer = signed_in_smtp(&servers, SUPPORT, &Token::of(SUPPORT));

    servers.stop_imap();
    while reader.try_line().is_ok() {}
    assert!(!answers(servers.imap_port()));
    servers.deliver(SUPPORT, MAIL);
    assert_eq!(submit(&mut writer, SUPPORT, SALES, MAIL).code, 250);
    servers.start_imap();
    let mut reader = imap(&servers);
    authenticate(&mut reader, SUPPORT, &Token::of(SUPPORT).sign());
    assert!(
        reader
            .imap("SELECT INBOX")
            .contains(&"* 2 EXISTS".to_owned())
    );

    servers.stop_smtp();
    while writer.try_line().is_ok() {}
    assert!(!answers(servers.smtp_port()));
    servers.start_smtp();
    let mut writer = signed_in_smtp(&servers, SUPPORT, &Token::of(SUPPORT));
    assert_eq!(submit(&mut writer, SUPPORT, SALES, MAIL).code, 250);
    arrives(&servers, SUPPORT, "Sent Items", 2);
}

#[test]
fn two_at_once_do_not_meet_and_a_drop_leaves_nothing_behind() {
    let (first, second) = (start(), start());
    first.deliver(SUPPORT, MAIL);
    assert_eq!(
        (
            first.count(SUPPORT, "INBOX"),
            second.count(SUPPORT, "INBOX")
        ),
        (1, 0)
    );
    let mut idle = imap(&first);
    authenticate(&mut idle, SUPPORT, &Token::of(SUPPORT).sign());
    let processes = first.processes();
    assert!(processes.len() > 10 && processes.is_disjoint(&second.processes()));
    let (folder, ports) = (
        first.folder().to_owned(),
        [first.imap_port(), first.smtp_port()],
    );

    drop(first);
    assert!(all_gone(&processes), "{processes:?}");
    assert!(!folder.exists());
    for port in ports {
        assert!(!answers(port));
        std::net::UdpSocket::bind(("127.0.0.1", port)).unwrap();
    }
    assert!(signs_in(&second, SUPPORT, &Token::of(SUPPORT)));
}

#[test]
fn a_killed_test_run_leaves_nothing_behind_either() {
    let mut run = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "interop_servers::stopping::servers_that_wait_to_be_killed",
            "--ignored",
            "--nocapture",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(run.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let folder = lines
        .filter_map(|line| Some(line.split_once("folder=")?.1.to_owned()))
        .next();
    let folder = folder.expect("the other run says where its servers are");
    let processes = family(run.id());
    assert!(processes.len() > 10 && Path::new(&folder).exists());
    run.kill().unwrap();
    run.wait().unwrap();
    assert!(
        wait_until(|| all_gone(&processes) && !Path::new(&folder).exists()),
        "{processes:?}"
    );
}

#[test]
#[ignore = "run and killed by a_killed_test_run_leaves_nothing_behind_either"]
#[expect(
    clippy::print_stdout,
    reason = "its parent reads where the servers are"
)]
fn servers_that_wait_to_be_killed() {
    let servers = start();
    println!("folder={}", servers.folder().display());
    wait_until(|| false);
}

#[test]
fn a_machine_without_the_packages_or_rights_is_told_what_to_do() {
    let sentence = requirements::missing(&[("/nowhere/dovecot", "dovecot-core")]).unwrap_err();
    assert!(
        sentence.contains("/nowhere/dovecot from the package dovecot-core"),
        "{sentence}"
    );
    assert!(sentence.contains("apt-get install"), "{sentence}");
    let sentence = requirements::not_root(1000).unwrap_err();
    assert!(
        sentence.contains("must run as root") && sentence.contains("1000"),
        "{sentence}"
    );
    let broken = Options {
        users: vec!["a b@harbour.test".into()],
        ..options()
    };
    assert!(
        Servers::start(broken)
            .unwrap_err()
            .contains("\"a b@harbour.test\"")
    );
}
