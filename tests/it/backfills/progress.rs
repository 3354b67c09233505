//! A backfill on its way: interrupted, killed, throttled, overtaken by new mail, with folders that change
//! under it; and in front of a real Dovecot.

use std::time::Duration;

use mailhatch::clock::Clock;
use mailhatch::model::{BackfillFolderState, BackfillState, Days, Fate, FolderRole, View};
use mailhatch::problem::{Disposition, Problem};
use mailhatch::store;
use mailhatch::work::{BackfillStep, Backfiller};
use mailhatch_simulator::faults::{Action, Point};

use super::{Archive, DAY, letter};
use crate::support::child::Serve;
use crate::support::stage::until;

fn set_state(archive: &Archive, from: BackfillState, to: BackfillState) {
    let backfill = archive.backfill();
    let now = archive.stage.clock.now();
    let changed = archive
        .stage
        .services
        .store
        .write(|tx| store::backfills::update_state(tx, &backfill, &[from], to, None, now));
    assert!(changed.unwrap());
}

#[test]
fn the_newest_comes_first() {
    let archive = Archive::new(100);
    archive.ask(None);
    archive.step_until(&mut Backfiller::default(), 25);
    let mut newest: Vec<String> = (75..100).map(|n| format!("old-{n}@shop.example")).collect();
    newest.sort();
    assert_eq!(archive.stored(), newest);
}

#[test]
fn paused_it_rests_and_continued_it_goes_on_where_it_stood() {
    let archive = Archive::new(100);
    archive.ask(None);
    let mut backfiller = Backfiller::default();
    archive.step_until(&mut backfiller, 50);
    set_state(&archive, BackfillState::Running, BackfillState::Paused);
    assert_eq!(archive.step(&mut backfiller), BackfillStep::Nothing);
    assert_eq!(archive.stored().len(), 50);
    set_state(&archive, BackfillState::Paused, BackfillState::Running);
    let backfill = archive.run();
    assert_eq!(
        (backfill.total(), backfill.known(), backfill.received()),
        (100, 0, 100)
    );
    archive.everything_once(100);
}

#[test]
fn it_goes_on_after_a_restart_and_a_lost_session() {
    let mut archive = Archive::new(100);
    archive.ask(None);
    archive.step_until(&mut Backfiller::default(), 25);
    archive.stage.restart();
    let mut backfiller = Backfiller::default();
    archive.step_until(&mut backfiller, 50);
    archive
        .stage
        .simulator
        .faults()
        .once(Point::ImapBody, Action::Close);
    let step = archive.step(&mut backfiller);
    assert!(matches!(step, BackfillStep::Failed(_)), "{step:?}");
    assert!(archive.backfill().problem.is_some());
    let backfill = archive.run();
    assert_eq!(
        (backfill.total(), backfill.known(), backfill.received()),
        (100, 0, 100)
    );
    archive.everything_once(100);
}

#[test]
fn throttling_is_waited_out_and_told() {
    let archive = Archive::new(30);
    archive.ask(None);
    let words = "NO Request is throttled. Suggested Backoff Time: 90000 milliseconds".to_owned();
    let faults = archive.stage.simulator.faults();
    faults.once(Point::ImapBody, Action::Reply(words));
    let mut backfiller = Backfiller::default();
    match archive.step(&mut backfiller) {
        BackfillStep::Failed(problem) => assert_eq!(problem.wait_seconds(), 90),
        other => panic!("{other:?}"),
    }
    assert_eq!(archive.backfill().problem.unwrap().code, "imap_throttled");
    // Reception is not touched by it.
    assert_eq!(archive.stage.mailbox(archive.id).problem, None);
    archive.run();
    archive.everything_once(30);
}

#[test]
fn it_gives_way_while_new_mail_is_received_and_while_the_mailbox_is_in_trouble() {
    let archive = Archive::new(30);
    archive.ask(None);
    let services = &archive.stage.services;
    let mut backfiller = Backfiller::default();
    let slow = Action::Delay(Duration::from_secs(2));
    archive
        .stage
        .simulator
        .faults()
        .once(Point::ImapSelect, slow);
    std::thread::scope(|scope| {
        let polling = scope.spawn(|| archive.stage.receives(archive.id, 0));
        until("the poller is at work", || {
            archive.stage.simulator.faults().count() == 0
        });
        let step = archive.step(&mut backfiller);
        assert_eq!(step, BackfillStep::GivesWay("Gives way to new mail."));
        polling.join().unwrap();
    });
    let retry = Disposition::RetryAfter { seconds: 60 };
    let problem = Problem::new("imap_throttled", retry, "It is busy.", "Wait.");
    services
        .store
        .write(|tx| store::mailboxes::update_failed(tx, archive.id, None, &problem, archive.now))
        .unwrap();
    let step = archive.step(&mut backfiller);
    assert!(matches!(step, BackfillStep::GivesWay(_)), "{step:?}");
    assert!(archive.stored().is_empty());
    archive.stage.receives(archive.id, 0);
    archive.run();
    archive.everything_once(30);
}

#[test]
fn another_uidvalidity_in_the_middle_makes_it_list_anew_and_brings_nothing_twice() {
    let archive = Archive::new(100);
    archive.ask(None);
    let mut backfiller = Backfiller::default();
    archive.step_until(&mut backfiller, 50);
    let (stage, address) = (&archive.stage, &archive.stage.demo.support_address);
    stage
        .simulator
        .world()
        .change_uid_validity(address, "INBOX");
    let step = archive.step(&mut backfiller);
    assert!(matches!(step, BackfillStep::Failed(_)), "{step:?}");
    // The poller goes first; until then the folder's numbers mean nothing.
    let step = archive.step(&mut backfiller);
    assert!(
        matches!(&step, BackfillStep::Failed(problem) if problem.code == "folder_read_anew"),
        "{step:?}"
    );
    stage.receives(archive.id, 0);
    let backfill = archive.run();
    assert_eq!((backfill.total(), backfill.received()), (100, 100));
    assert_eq!(stage.fates(archive.id, Fate::Duplicate), 50);
    archive.everything_once(100);
}

#[test]
fn a_restored_mailbox_in_the_middle_loses_and_doubles_nothing() {
    let archive = Archive::new(100);
    archive.ask(None);
    let mut backfiller = Backfiller::default();
    archive.step_until(&mut backfiller, 50);
    let (stage, address) = (&archive.stage, &archive.stage.demo.support_address);
    let world = stage.simulator.world();
    world.restore_folder(address, "INBOX", 91);
    let news = letter(100, archive.now);
    world.append_at(address, "INBOX", &news, archive.now);
    stage.receives(archive.id, 1);
    archive.run();
    archive.everything_once(101);
}

#[test]
fn a_message_at_which_the_server_hangs_up_does_not_keep_the_others() {
    let archive = Archive::new(60);
    let address = &archive.stage.demo.support_address;
    let world = archive.stage.simulator.world();
    world.set_breaks(address, "INBOX", 30, true);
    archive.ask(None);
    let backfill = archive.run();
    assert_eq!(backfill.received(), 59);
    assert_eq!(archive.stage.fates(archive.id, Fate::Unreadable), 1);
    world.set_breaks(address, "INBOX", 30, false);
    archive.stage.clock.advance(61);
    archive.stage.receives(archive.id, 1);
    archive.everything_once(60);
}

#[test]
fn sizes_told_far_too_small_make_no_batch_larger_than_the_memory_allows() {
    let archive = Archive::new(0);
    let (stage, address) = (&archive.stage, &archive.stage.demo.support_address);
    let world = stage.simulator.world();
    let at = archive.now - 50 * DAY;
    for n in 0..3 {
        let raw = String::from_utf8(letter(n, at)).unwrap();
        let kind = "application/pdf\r\nContent-Transfer-Encoding: base64";
        let mut raw = raw.replace("text/plain", kind).into_bytes();
        raw.extend(
            format!("{}\r\n", "JVBERi0x".repeat(9))
                .repeat(40_000)
                .bytes(),
        );
        let uid = world.append_at(address, "INBOX", &raw, at).unwrap();
        world.set_reported_size(address, "INBOX", uid, 10);
    }
    stage.receives(archive.id, 0);
    archive.ask(None);
    let mut backfiller = Backfiller::default();
    let step = archive.step(&mut backfiller);
    assert!(
        matches!(&step, BackfillStep::Failed(problem) if problem.code == "answer_too_big"),
        "three of 3 MB in one answer: {step:?}"
    );
    archive.run();
    archive.everything_once(3);
}

#[test]
fn a_renamed_sent_folder_is_found_and_one_that_is_gone_ends_it_with_a_remedy() {
    let archive = Archive::new(30);
    let (stage, address) = (&archive.stage, &archive.stage.demo.support_address);
    let world = stage.simulator.world();
    let sent = archive.folder(FolderRole::Sent).name;
    let at = archive.now - 20 * DAY;
    world.append_at(address, &sent, &letter(30, at), at);
    stage.receives(archive.id, 0);
    world.rename_folder(address, &sent, "Gesendete Elemente");
    archive.ask(None);
    archive.run();
    archive.everything_once(31);
    assert_eq!(archive.folder(FolderRole::Sent).name, "Gesendete Elemente");

    let gone = stage.services.store.write(|tx| {
        let other = FolderRole::Other;
        store::folders::insert(tx, archive.id, "Projects", "Projects", other)
    });
    gone.unwrap();
    archive.ask(None);
    let backfill = archive.run_to(BackfillState::Failed);
    let problem = backfill.problem.unwrap();
    assert_eq!(problem.code, "folder_gone");
    assert!(problem.sentence.contains("Projects") && !problem.remedy.is_empty());
    let states: Vec<_> = backfill.folders.iter().map(|one| one.state).collect();
    let (done, gone) = (BackfillFolderState::Done, BackfillFolderState::Gone);
    assert_eq!(
        states,
        [done, done, gone],
        "the others are read to their end"
    );
}

#[test]
fn new_mail_is_there_at_once_while_older_mail_is_fetched() {
    let archive = Archive::on(Clock::System, 500);
    let (stage, address) = (&archive.stage, &archive.stage.demo.support_address);
    let slow = Action::Delay(Duration::from_millis(40));
    stage.simulator.faults().always(Point::ImapSizes, slow);
    archive.ask(None);
    let running = stage.run();
    until("older mail comes", || archive.backfill().received() > 0);
    for n in 500..503 {
        let raw = letter(n, stage.clock.now());
        stage.simulator.world().deliver(address, &raw);
        until("the new mail is there", || {
            stage.conversations(View::Open).len() == n - 499
        });
        if n == 500 {
            assert_eq!(archive.backfill().state, BackfillState::Running);
        }
    }
    until("all of it has come", || {
        archive.backfill().state == BackfillState::Done
    });
    until("its loop has gone", || {
        stage.services.work.older(archive.id).is_none()
    });
    running.stop();
    archive.everything_once(503);
}

#[test]
fn killed_again_and_again_in_the_middle_it_ends_with_everything_once() {
    let archive = Archive::on(Clock::System, 400);
    archive.ask(None);
    let mut seen = 0;
    for _ in 0..6 {
        let serving = Serve::start(&archive.stage);
        until("it goes on", || {
            let backfill = archive.backfill();
            backfill.received() > seen || !backfill.is_under_way()
        });
        serving.kill();
        seen = archive.backfill().received();
    }
    archive.run();
    let backfill = archive.backfill();
    assert_eq!((backfill.known(), backfill.received()), (0, 400));
    archive.everything_once(400);
}

#[test]
fn the_commands_and_the_metrics_tell_of_it() {
    let archive = Archive::new(100);
    archive.ask(Some(Days {
        from_at: archive.now - 400 * DAY,
        until_at: archive.now,
    }));
    archive.step_until(&mut Backfiller::default(), 25);
    let table = crate::support::child::run(&archive.stage, &["mailbox", "list"]);
    assert!(table.contains("running 25/100"), "{table}");
    let json = crate::support::child::run(&archive.stage, &["mailbox", "list", "--json"]);
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value[0]["backfill"]["state"], "running");
    let metrics = mailhatch::work::metrics::render(&archive.stage.services).unwrap();
    let line = "mailhatch_backfill_messages_left{mailbox=\"1\"} 75";
    assert!(metrics.contains(line), "{metrics}");
    archive.run();
    let metrics = mailhatch::work::metrics::render(&archive.stage.services).unwrap();
    assert!(!metrics.contains("backfill_messages_left{"), "{metrics}");
}
