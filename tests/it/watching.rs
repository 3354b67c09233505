//! Folders that are watched, and the one that holds what was sent: what happens when people move mail between them,
//! rename, remove and refill them. None of it holds up the inbox.

use mailhatch::model::{Direction, Fate, Folder, FolderRole, MailboxId, Status, TakeFrom, View};
use mailhatch::store;
use mailhatch::work::wake::Wake;
use mailhatch::work::{PollStep, Poller, connect, poll_step};
use mailhatch_simulator::faults::{Action, Point};
use mailhatch_simulator::world::{Language, Role, User};

use crate::support::stage::{NOW, Stage, mail as write};

const DAY: i64 = 86_400;

/// A mailbox with folders of its own, whose inbox has been read.
struct Cabinet {
    stage: Stage,
    id: MailboxId,
}

impl Cabinet {
    fn new() -> Self {
        let stage = Stage::new();
        let id = stage.connect();
        stage.receives(id, 0);
        let cabinet = Self { stage, id };
        for name in ["Orders", "Projects/Lamps"] {
            let world = cabinet.stage.simulator.world();
            assert!(world.create_folder(cabinet.address(), name));
        }
        cabinet
    }

    fn address(&self) -> &str {
        &self.stage.demo.support_address
    }

    fn file(&self, folder: &str, n: usize, more: &str) -> u32 {
        let from = format!("Mia {n} <mia{n}@shop.example>");
        let id = format!("filed-{n}@shop.example");
        let raw = write(&from, &format!("Lamp {n}"), &id, more, "Does it burn?");
        let world = self.stage.simulator.world();
        world.append(self.address(), folder, &raw, false).unwrap()
    }

    fn watch(&self, name: &str, junk: bool, take_since_at: i64) {
        let watch = store::folders::Watch {
            raw_name: name,
            name,
            junk,
            take_since_at,
        };
        let now = self.stage.clock.now();
        let store = &self.stage.services.store;
        let insert = |tx: &store::Tx<'_>| store::folders::insert_watched(tx, self.id, watch, now);
        store.write(insert).unwrap();
    }

    fn folder(&self, name: &str) -> Folder {
        let all = self
            .stage
            .services
            .store
            .read(|db| store::folders::list(db, self.id));
        let found = all.unwrap().into_iter().find(|folder| folder.name == name);
        found.unwrap_or_else(|| panic!("no folder {name}"))
    }

    fn fates(&self, name: &str, fate: Fate) -> i64 {
        let id = self.folder(name).id;
        let counts = self
            .stage
            .services
            .store
            .read(|db| store::fates::count(db, id));
        let found = counts.unwrap().into_iter().find(|row| row.fate == fate);
        found.map_or(0, |row| row.count)
    }

    fn messages(&self) -> i64 {
        let count = |db: &store::Db| {
            Ok::<_, store::Error>(
                db.query_row("SELECT COUNT(*) FROM messages", [], |row| row.get(0))?,
            )
        };
        self.stage.services.store.read(count).unwrap()
    }
}

#[test]
fn a_folder_watched_from_now_on_brings_what_comes_into_it_and_nothing_older() {
    let cabinet = Cabinet::new();
    cabinet.stage.clock.advance(DAY);
    cabinet.file("Orders", 1, "");
    cabinet.stage.clock.advance(DAY);
    cabinet.watch("Orders", false, cabinet.stage.clock.now());
    cabinet.stage.receives(cabinet.id, 0);
    cabinet.file("Orders", 2, "");
    cabinet.stage.receives(cabinet.id, 1);
    assert_eq!(cabinet.stage.conversations(View::Open).len(), 1);
    // Old mail that somebody drags into it is news, for that is why they do it.
    let old = write("old@shop.example", "Old", "old@shop.example", "", "Old");
    let world = cabinet.stage.simulator.world();
    world.deliver_at(cabinet.address(), &old, NOW - 90 * DAY);
    let uid = world.folder(cabinet.address(), "INBOX")[0].uid;
    world.move_message(cabinet.address(), "INBOX", uid, "Orders");
    cabinet.stage.receives(cabinet.id, 1);
    assert_eq!(cabinet.stage.conversations(View::Open).len(), 2);
}

#[test]
fn a_folder_watched_from_a_date_brings_the_mail_since_then() {
    let cabinet = Cabinet::new();
    for n in 1..=3 {
        cabinet.file("Orders", n, "");
        cabinet.stage.clock.advance(10 * DAY);
    }
    cabinet.watch("Orders", false, cabinet.stage.clock.now() - 15 * DAY);
    cabinet.stage.receives(cabinet.id, 1);
    cabinet.stage.receives(cabinet.id, 0);
}

#[test]
fn what_stood_in_a_folder_before_it_was_watched_opens_no_conversation_again() {
    let cabinet = Cabinet::new();
    cabinet.file("INBOX", 1, "");
    cabinet.stage.receives(cabinet.id, 1);
    let number = cabinet.stage.conversations(View::Open)[0];
    let (now, actor) = (cabinet.stage.clock.now(), &cabinet.stage.admin.agent);
    mailhatch::desk::close(&cabinet.stage.services.store, now, actor, number).unwrap();
    cabinet.file("Orders", 2, "In-Reply-To: <filed-1@shop.example>\r\n");
    cabinet.stage.clock.advance(60);
    cabinet.watch("Orders", false, 0);
    cabinet.stage.receives(cabinet.id, 1);
    assert_eq!(cabinet.stage.messages(number).len(), 2, "it joins");
    assert_eq!(cabinet.stage.conversation(number).status, Status::Closed);
    cabinet.file("Orders", 3, "In-Reply-To: <filed-1@shop.example>\r\n");
    cabinet.stage.receives(cabinet.id, 1);
    assert_eq!(cabinet.stage.conversation(number).status, Status::Open);
}

#[test]
fn a_message_moved_between_watched_folders_and_back_is_there_once() {
    let cabinet = Cabinet::new();
    cabinet.watch("Orders", false, 0);
    let uid = cabinet.file("INBOX", 1, "");
    cabinet.stage.receives(cabinet.id, 1);
    let world = cabinet.stage.simulator.world();
    let there = world.move_message(cabinet.address(), "INBOX", uid, "Orders");
    cabinet.stage.receives(cabinet.id, 0);
    world.move_message(cabinet.address(), "Orders", there.unwrap(), "INBOX");
    cabinet.stage.receives(cabinet.id, 0);
    assert_eq!(cabinet.fates("Orders", Fate::Duplicate), 1);
    assert_eq!(cabinet.fates("Inbox", Fate::Duplicate), 1);
    assert_eq!(cabinet.messages(), 1);
}

#[test]
fn a_folder_that_is_not_watched_any_more_keeps_what_was_received_and_is_read_anew_later() {
    let cabinet = Cabinet::new();
    cabinet.watch("Orders", false, 0);
    cabinet.file("Orders", 1, "");
    cabinet.stage.receives(cabinet.id, 1);
    let id = cabinet.folder("Orders").id;
    let store = &cabinet.stage.services.store;
    store
        .write(|tx| store::folders::update_unwatched(tx, cabinet.id, id))
        .unwrap();
    cabinet.file("Orders", 2, "");
    cabinet.stage.receives(cabinet.id, 0);
    assert_eq!(cabinet.messages(), 1);
    cabinet.watch("Orders", false, 0);
    cabinet.stage.receives(cabinet.id, 1);
    assert_eq!(cabinet.messages(), 2);
}

#[test]
fn mail_in_a_watched_junk_folder_is_spam_until_somebody_says_otherwise() {
    let cabinet = Cabinet::new();
    let world = cabinet.stage.simulator.world();
    let junk = world.folder_name(cabinet.address(), Role::Junk).unwrap();
    cabinet.watch(&junk, true, 0);
    cabinet.file("INBOX", 1, "");
    let spam = cabinet.file(&junk, 2, "");
    // An answer that the provider took for spam shows where it belongs.
    cabinet.file(&junk, 3, "In-Reply-To: <filed-1@shop.example>\r\n");
    cabinet.stage.receives(cabinet.id, 3);
    let open = cabinet.stage.conversations(View::Open);
    assert_eq!(open.len(), 1);
    assert_eq!(cabinet.stage.messages(open[0]).len(), 2);
    assert_eq!(cabinet.stage.conversations(View::Spam).len(), 1);
    // Moved out of Junk in Outlook it is none.
    world.move_message(cabinet.address(), &junk, spam, "INBOX");
    cabinet.stage.receives(cabinet.id, 0);
    assert_eq!(cabinet.stage.conversations(View::Open).len(), 2);
    assert!(cabinet.stage.conversations(View::Spam).is_empty());
}

#[test]
fn a_renamed_folder_is_found_by_what_it_holds() {
    let cabinet = Cabinet::new();
    cabinet.watch("Orders", false, 0);
    cabinet.file("Orders", 1, "");
    cabinet.stage.receives(cabinet.id, 1);
    let world = cabinet.stage.simulator.world();
    world.rename_folder(cabinet.address(), "Orders", "Bestellungen");
    // Another folder took the old place's looks, but not its mail.
    world.create_folder(cabinet.address(), "Orders 2");
    cabinet.file("Bestellungen", 2, "");
    cabinet.file("INBOX", 3, "");
    cabinet.stage.receives(cabinet.id, 2);
    assert_eq!(cabinet.folder("Bestellungen").problem, None);
    assert_eq!(cabinet.fates("Bestellungen", Fate::Received), 2);
    cabinet.stage.receives(cabinet.id, 0);
}

#[test]
fn a_renamed_folder_that_never_held_anything_is_found_by_its_number() {
    let cabinet = Cabinet::new();
    cabinet.watch("Orders", false, 0);
    cabinet.stage.receives(cabinet.id, 0);
    let world = cabinet.stage.simulator.world();
    world.rename_folder(cabinet.address(), "Orders", "Bestellungen");
    cabinet.stage.receives(cabinet.id, 0);
    cabinet.file("Bestellungen", 2, "");
    cabinet.stage.receives(cabinet.id, 1);
}

#[test]
fn a_removed_folder_is_named_with_its_remedy_and_the_inbox_goes_on() {
    let cabinet = Cabinet::new();
    cabinet.watch("Orders", false, 0);
    cabinet.file("Orders", 1, "");
    cabinet.stage.receives(cabinet.id, 1);
    let world = cabinet.stage.simulator.world();
    world.delete_folder(cabinet.address(), "Orders");
    cabinet.file("INBOX", 2, "");
    cabinet.stage.receives(cabinet.id, 1);
    let problem = cabinet.folder("Orders").problem.expect("it says so");
    assert_eq!(problem.code, "folder_gone");
    assert!(problem.sentence.contains("Orders"), "{problem}");
    assert!(problem.remedy.contains("stop watching"), "{problem}");
    assert_eq!(cabinet.stage.mailbox(cabinet.id).problem, None);
    // Made again by the same name it is read again, and what it brings is known.
    world.create_folder(cabinet.address(), "Orders");
    cabinet.file("Orders", 1, "");
    cabinet.file("Orders", 3, "");
    cabinet.stage.receives(cabinet.id, 1);
    assert_eq!(cabinet.folder("Orders").problem, None);
    assert_eq!(cabinet.messages(), 3);
}

#[test]
fn a_watched_folder_that_fails_at_each_moment_holds_up_no_mail() {
    for point in [Point::ImapSearch, Point::ImapSizes, Point::ImapBody] {
        let cabinet = Cabinet::new();
        cabinet.watch("Orders", false, 0);
        cabinet.stage.receives(cabinet.id, 0);
        cabinet.file("Orders", 1, "");
        let no = Action::Reply("NO Server Unavailable. 15".to_owned());
        cabinet.stage.simulator.faults().once(point, no);
        let step = cabinet.stage.poll(cabinet.id);
        // A refusal while messages are fetched ends the session, which begins again at once.
        if let PollStep::Failed(problem) = step {
            assert!(problem.is_transient(), "{problem}");
        }
        cabinet.file("INBOX", 2, "");
        let mut poller = Poller::default();
        for _ in 0..3 {
            let services = &cabinet.stage.services;
            let _ = poll_step(services, &mut poller, cabinet.id, &Wake::default());
        }
        assert_eq!(cabinet.messages(), 2, "{point:?}");
        assert_eq!(cabinet.folder("Orders").problem, None);
    }
}

#[test]
fn a_reply_written_in_outlook_joins_as_outgoing_and_the_conversation_waits() {
    let cabinet = Cabinet::new();
    cabinet.file("INBOX", 1, "");
    cabinet.stage.receives(cabinet.id, 1);
    let number = cabinet.stage.conversations(View::Open)[0];
    answered(&cabinet, "", "1");
    cabinet.stage.receives(cabinet.id, 1);
    let messages = cabinet.stage.messages(number);
    assert_eq!(messages[1].direction, Direction::Outgoing);
    assert_eq!(cabinet.stage.conversation(number).status, Status::Waiting);
}

/// Files an answer to message `n` in the folder for sent mail, as Outlook does.
fn answered(cabinet: &Cabinet, from: &str, n: &str) {
    let from = if from.is_empty() {
        "Support <support@harbourlights.example>"
    } else {
        from
    };
    let raw = format!(
        "{from_field}From: {from}\r\nTo: mia{n}@shop.example\r\nSubject: RE: Lamp {n}\r\n\
         Date: Fri, 15 Jan 2027 08:02:00 +0000\r\nMessage-ID: <answer-{n}@outlook.example>\r\n\
         In-Reply-To: <filed-{n}@shop.example>\r\nReferences: <filed-{n}@shop.example>\r\n\r\nYes.\r\n",
        from_field = "X-Mailer: Outlook\r\n"
    );
    let world = cabinet.stage.simulator.world();
    let sent = world.folder_name(cabinet.address(), Role::Sent).unwrap();
    world
        .append(cabinet.address(), &sent, raw.as_bytes(), true)
        .unwrap();
}

#[test]
fn a_question_that_was_answered_in_outlook_before_it_was_read_here_is_not_open() {
    let cabinet = Cabinet::new();
    cabinet.file("INBOX", 1, "");
    cabinet.stage.clock.advance(120);
    // Sent mail is read first.
    answered(&cabinet, "", "1");
    cabinet.stage.receives(cabinet.id, 2);
    assert!(cabinet.stage.conversations(View::Open).is_empty());
    let number = cabinet.stage.conversations(View::Waiting)[0];
    let ways: Vec<_> = cabinet
        .stage
        .messages(number)
        .iter()
        .map(|m| m.direction)
        .collect();
    assert_eq!(ways.len(), 2);
    assert!(ways.contains(&Direction::Incoming) && ways.contains(&Direction::Outgoing));
    // The customer writes again: that is news.
    cabinet.file("INBOX", 2, "In-Reply-To: <answer-1@outlook.example>\r\n");
    cabinet.stage.receives(cabinet.id, 1);
    assert_eq!(cabinet.stage.conversation(number).status, Status::Open);
}

#[test]
fn replies_by_a_delegate_join_as_outgoing_however_outlook_signs_them() {
    for from in [
        "Support <support@harbourlights.example>\r\nSender: Dana <dana@harbourlights.example>",
        "Dana <dana@harbourlights.example>",
    ] {
        let cabinet = Cabinet::new();
        cabinet.file("INBOX", 1, "");
        cabinet.stage.receives(cabinet.id, 1);
        let number = cabinet.stage.conversations(View::Open)[0];
        answered(&cabinet, from, "1");
        cabinet.stage.receives(cabinet.id, 1);
        let messages = cabinet.stage.messages(number);
        assert_eq!(messages[1].direction, Direction::Outgoing, "{from}");
        assert_eq!(cabinet.stage.conversation(number).status, Status::Waiting);
    }
}

#[test]
fn a_folder_for_sent_mail_in_another_language_is_read_by_choice_and_our_copies_are_known() {
    let stage = Stage::new();
    let world = stage.simulator.world();
    let (tenant, upn) = (stage.demo.tenant_id.clone(), "ayse@harbourlights.example");
    let mut user = User::work(&tenant, upn, "Ayşe");
    user.language = Language::Tr;
    user.list_flags = false;
    world.add_user(user);
    // A name no table has, as after somebody renamed it.
    let found = world.folder_name(upn, Role::Sent).unwrap();
    world.rename_folder(upn, &found, "Giden Yazışmalar");
    let id = stage.consent("", upn);
    connect::choose(&stage.services, id, TakeFrom::All, 0).unwrap();
    let raw = write("mia@shop.example", "Lamp", "lamp@shop.example", "", "?");
    world.deliver(upn, &raw);
    stage.receives(id, 1);
    let sent = |stage: &Stage| {
        let found = stage
            .services
            .store
            .read(|db| store::folders::find_by_role(db, id, FolderRole::Sent));
        found.unwrap()
    };
    assert_eq!(sent(&stage), None, "not found by itself");
    let listed = mailhatch::work::folders::list(&stage.services, id).unwrap();
    let one = listed
        .iter()
        .find(|folder| folder.name == "Giden Yazışmalar")
        .unwrap();
    stage
        .services
        .store
        .write(|tx| store::folders::update_sent(tx, id, &one.raw_name, &one.name))
        .unwrap();
    let number = stage.conversations(View::Open)[0];
    let queued = stage.reply(number, "Yes.");
    stage.send_all(id);
    stage.receives(id, 0);
    assert_eq!(stage.state(queued), mailhatch::model::DeliveryState::Sent);
    let folder = sent(&stage).unwrap();
    let counts = stage
        .services
        .store
        .read(|db| store::fates::count(db, folder.id));
    let counts = counts.unwrap();
    assert_eq!((counts[0].fate, counts[0].count), (Fate::OwnCopy, 1));
    let answer = write(
        upn,
        "RE: Lamp",
        "outlook@harbourlights.example",
        "In-Reply-To: <lamp@shop.example>\r\n",
        "And more.",
    );
    world.append(upn, "Giden Yazışmalar", &answer, true);
    stage.receives(id, 1);
    assert_eq!(stage.messages(number)[2].direction, Direction::Outgoing);
}

#[test]
fn a_folder_that_nobody_watches_any_more_is_no_longer_said_to_differ() {
    let cabinet = Cabinet::new();
    cabinet.file("Orders", 1, "");
    cabinet.watch("Orders", false, 0);
    cabinet.stage.receives(cabinet.id, 1);
    let (store, now) = (&cabinet.stage.services.store, cabinet.stage.clock.now());
    let folder = cabinet.folder("Orders").id;
    store
        .write(|tx| store::ledger_checks::upsert_due(tx, folder, now))
        .unwrap();
    let nothing = Action::Reply("OK SEARCH completed.".to_owned());
    cabinet
        .stage
        .simulator
        .faults()
        .once(Point::ImapSearch, nothing);
    cabinet.stage.receives(cabinet.id, 0);
    let differing = || store.read(store::ledger_checks::list_differing).unwrap();
    assert_eq!(differing().len(), 1);
    store
        .write(|tx| store::folders::update_unwatched(tx, cabinet.id, folder))
        .unwrap();
    assert_eq!(differing().len(), 0);
}
