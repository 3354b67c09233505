//! What administrators must know of is told once when it begins and once when it is over, whatever happens
//! between.

mod channels;
mod pages;
mod real;
mod receiver;

use mailhatch::mail;
use mailhatch::model::{
    AlertChannel, DeliveryState, Fate, FolderRole, MailboxId, MailboxStatus, NoticeState, TakeFrom,
    View,
};
use mailhatch::store::{self, alerts, settings};
use mailhatch::work::alerts::channels as set;
use mailhatch::work::connect::Begin;
use mailhatch::work::status::{Health, Line, LoopName};
use mailhatch::work::wake::Wake;
use mailhatch::work::{AlertsStep, PollStep, Watch, alerts_step, connect, nightly_backup};
use mailhatch_simulator::faults::{Action, Fault, Point};
use mailhatch_simulator::world::Submission;

use crate::support::stage::{NOW, Stage, mail as write};

/// A stage with two mailboxes that work: support, and orders, which is shared.
struct Desk {
    stage: Stage,
    watch: Watch,
    support: MailboxId,
    orders: MailboxId,
}

impl Desk {
    fn new() -> Self {
        Self::with(&[])
    }

    fn with(settings: &[(&str, &str)]) -> Self {
        let stage = Stage::with(mailhatch::clock::Clock::hand(NOW), settings);
        let watch = Watch::new(&stage.services);
        let support = stage.connect();
        let staff = stage.demo.staff_upns[0].clone();
        let orders = stage.consent(&stage.demo.orders_address.clone(), &staff);
        connect::choose(&stage.services, orders, TakeFrom::New, 0).unwrap();
        let desk = Self {
            stage,
            watch,
            support,
            orders,
        };
        desk.all_receive();
        assert_eq!(desk.look().open, 0);
        desk
    }

    fn all_receive(&self) {
        for id in [self.support, self.orders] {
            let step = self.stage.poll(id);
            assert!(matches!(step, PollStep::Synced(_)), "{step:?}");
        }
    }

    fn look(&self) -> AlertsStep {
        alerts_step(&self.stage.services, self.watch, &Wake::default()).unwrap()
    }

    /// Looks, and expects so many open alerts.
    fn sees(&self, open: usize) {
        assert_eq!(self.look().open, open, "{:?}", self.open());
    }

    /// The keys of the open alerts.
    fn open(&self) -> Vec<String> {
        let open = self.stage.services.store.read(alerts::list_open).unwrap();
        open.into_iter().map(|alert| alert.cause.key).collect()
    }

    /// The mails to administrators that left since the last call: from which mailbox, subject, text, Message-ID.
    fn mails(&self) -> Vec<(String, String, String, String)> {
        let all = self.stage.simulator.world().submissions();
        let to_admins = |one: &&Submission| one.recipients == ["admin@example.com"];
        all.iter()
            .filter(to_admins)
            .map(|one| {
                let (read, _) = mail::parse(&one.raw);
                let id = read.message_id.unwrap();
                (one.mail_from.clone(), read.subject, read.text, id)
            })
            .collect()
    }

    fn subjects(&self) -> Vec<String> {
        self.mails().into_iter().map(|one| one.1).collect()
    }

    /// Makes Entra refuse the support mailbox for good.
    fn revoke(&self) {
        let upn = self.stage.demo.support_upn.clone();
        self.stage.simulator.entra().revoke(&upn, 50173);
        self.stage.clear_tokens(self.support);
        assert!(matches!(self.stage.poll(self.support), PollStep::Failed(_)));
        let status = self.stage.mailbox(self.support).status;
        assert_eq!(status, MailboxStatus::NeedsSignIn);
    }

    /// Its owner signs in again.
    fn sign_in_again(&self) {
        let begin = Begin::Reconnect(self.support);
        let url = connect::begin(&self.stage.services, &self.stage.admin, &begin).unwrap();
        let upn = self.stage.demo.support_upn.clone();
        self.stage.come_back(&url, &upn).unwrap();
        self.stage.receives(self.support, 0);
    }

    /// A reply of the support mailbox.
    fn asks(&self, number: u32) -> mailhatch::reply::Queued {
        let id = format!("q{number}@shop.example");
        let subject = format!("Question {number}");
        let raw = write("Mia <mia@shop.example>", &subject, &id, "", "Well?");
        let world = self.stage.simulator.world();
        world.deliver(&self.stage.demo.support_address, &raw);
        self.stage.receives(self.support, 1);
        self.stage
            .reply(self.stage.conversations(View::Open)[0], "So it is.")
    }

    /// The server takes mail for nobody outside.
    fn refuse_recipients(&self) {
        let words =
            "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient mia@shop.example not found";
        self.stage.simulator.faults().add(Fault {
            point: Point::SmtpRcpt,
            who: Some(self.stage.demo.support_upn.to_lowercase()),
            action: Action::Reply(words.to_owned()),
            times: None,
        });
    }
}

#[test]
fn a_mailbox_that_needs_a_sign_in_is_told_of_at_once_through_another_and_once_more_when_it_is_over()
{
    let mut desk = Desk::new();
    desk.revoke();
    desk.sees(1);
    let told = desk.mails();
    assert_eq!(told.len(), 1);
    let (from, subject, text, _) = &told[0];
    assert_eq!(*from, desk.stage.demo.orders_address);
    assert_eq!(
        *subject,
        format!(
            "[Mailhatch] {} does not receive mail",
            desk.stage.demo.support_address
        )
    );
    let cause = desk.stage.mailbox(desk.support).problem.unwrap();
    assert!(
        text.contains(&cause.sentence) && text.contains(&cause.remedy),
        "{text}"
    );
    assert!(
        text.contains(&format!("/mailboxes/{}", desk.support)),
        "{text}"
    );
    for _ in 0..3 {
        desk.stage.clock.advance(3600);
        desk.stage.restart();
        let _ = desk.stage.poll(desk.support);
        desk.all_but_support();
        desk.sees(1);
    }
    assert_eq!(desk.mails().len(), 1, "it was told once");
    desk.sign_in_again();
    desk.sees(0);
    desk.stage.restart();
    desk.sees(0);
    let told = desk.subjects();
    assert_eq!(told.len(), 2);
    assert!(told[1].starts_with("[Mailhatch] Over: "), "{}", told[1]);
}

#[test]
fn trouble_that_passes_within_a_quarter_of_an_hour_tells_nobody() {
    let desk = Desk::new();
    let faults = desk.stage.simulator.faults();
    let hang_up = || faults.once(Point::ImapGreeting, Action::Close);
    for _ in 0..5 {
        hang_up();
        assert!(matches!(desk.stage.poll(desk.support), PollStep::Failed(_)));
        desk.sees(0);
        desk.stage.clock.advance(14 * 60);
        desk.sees(0);
        desk.all_receive();
    }
    assert!(desk.mails().is_empty());
    hang_up();
    assert!(matches!(desk.stage.poll(desk.support), PollStep::Failed(_)));
    desk.stage.clock.advance(15 * 60);
    desk.sees(1);
    assert_eq!(desk.mails().len(), 1, "what lasts is told");
    desk.stage.receives(desk.support, 0);
    desk.sees(0);
    assert_eq!(desk.mails().len(), 2);
}

#[test]
fn a_mailbox_that_is_no_longer_looked_into_is_told_of_though_nothing_failed() {
    let desk = Desk::new();
    let says = |health| {
        let line = Line::new(health, "");
        let name = LoopName::Poll(desk.support);
        desk.stage.services.work.board().set(name, line);
    };
    desk.stage.clock.advance(3_000);
    desk.sees(0);
    says(Health::Busy);
    desk.stage.clock.advance(1_000);
    desk.stage.receives(desk.orders, 0);
    desk.sees(0); // A long import.
    says(Health::Good);
    desk.stage.receives(desk.orders, 0);
    desk.sees(1);
    assert_eq!(desk.open(), [format!("mailbox:{}:receive", desk.support)]);
    desk.all_receive();
    desk.sees(0);
}

#[test]
fn a_paused_mailbox_is_nobodys_alert() {
    let desk = Desk::new();
    desk.revoke();
    desk.sees(1);
    let pause = |tx: &store::Tx<'_>| {
        let paused = MailboxStatus::Paused;
        store::mailboxes::update_status(tx, desk.support, paused, None, NOW)
    };
    desk.stage.services.store.write(pause).unwrap();
    desk.sees(0);
}

#[test]
fn a_way_out_that_is_closed_is_told_of_through_the_other_mailbox() {
    let desk = Desk::new();
    let queued = desk.asks(1);
    desk.stage.simulator.faults().add(Fault {
        point: Point::SmtpMail,
        who: Some(desk.stage.demo.support_upn.to_lowercase()),
        action: Action::Reply(
            "554 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException".to_owned(),
        ),
        times: None,
    });
    desk.stage.send_all(desk.support);
    assert!(desk.stage.mailbox(desk.support).send_problem.is_some());
    desk.look();
    let key = format!("mailbox:{}:send", desk.support);
    assert!(desk.open().contains(&key), "{:?}", desk.open());
    assert!(
        desk.mails()
            .iter()
            .all(|one| one.0 == desk.stage.demo.orders_address)
    );
    desk.stage.simulator.faults().clear();
    let admin = desk.stage.admin.agent.clone();
    let services = &desk.stage.services;
    services
        .work
        .retry_delivery(services, queued.delivery_id, &admin)
        .unwrap();
    desk.stage.send_all(desk.support);
    assert_eq!(desk.stage.state(queued), DeliveryState::Sent);
    desk.sees(0);
    let over = desk
        .subjects()
        .iter()
        .filter(|subject| subject.contains("Over"))
        .count();
    assert_eq!(over * 2, desk.mails().len());
}

#[test]
fn a_reply_that_failed_for_good_is_told_of_without_a_word_about_the_customer() {
    let desk = Desk::new();
    let queued = desk.asks(1);
    desk.refuse_recipients();
    desk.stage.send_all(desk.support);
    assert_eq!(desk.stage.state(queued), DeliveryState::Failed);
    desk.sees(1);
    desk.sees(1);
    let told = desk.mails();
    assert_eq!(told.len(), 1);
    let all = format!("{told:?}");
    assert!(!all.contains("mia@") && !all.contains("Question"), "{all}");
    assert!(told[0].2.contains("/outbox"), "{}", told[0].2);
    desk.stage.simulator.faults().clear();
    let admin = desk.stage.admin.agent.clone();
    let services = &desk.stage.services;
    services
        .work
        .cancel_delivery(services, queued.delivery_id, &admin)
        .unwrap();
    desk.sees(0);
    assert_eq!(desk.mails().len(), 2);
}

#[test]
fn many_replies_that_fail_are_one_alert() {
    let desk = Desk::new();
    desk.refuse_recipients();
    for number in 0..12 {
        desk.asks(number);
    }
    desk.stage.send_all(desk.support);
    // After the fifth refusal the mailbox is stopped before Exchange does it, and the others wait.
    desk.sees(2);
    let mut subjects = desk.subjects();
    subjects.sort();
    assert_eq!(subjects.len(), 2, "{subjects:?}");
    assert_eq!(subjects[0], "[Mailhatch] 5 replies could not be sent");
    assert!(subjects[1].ends_with("does not send mail"), "{subjects:?}");
}

#[test]
fn a_folder_that_stays_different_from_its_server_is_told_of_until_it_agrees() {
    let desk = Desk::new();
    desk.asks(1);
    let (store, now) = (&desk.stage.services.store, desk.stage.clock.now());
    store
        .write(|tx| {
            let inbox = store::folders::find_by_role(tx, desk.support, FolderRole::Inbox)?;
            store::ledger_checks::upsert_due(tx, inbox.unwrap().id, now)
        })
        .unwrap();
    let faults = desk.stage.simulator.faults();
    let nothing = Action::Reply("OK SEARCH completed.".to_owned());
    faults.once(Point::ImapSearch, nothing);
    desk.stage.receives(desk.support, 0);
    desk.sees(0);
    desk.stage.clock.advance(3_601);
    desk.all_receive();
    desk.sees(1);
    let open = desk.open();
    assert!(open[0].starts_with("ledger:differs:"), "{open:?}");
    desk.stage.clock.advance(86_400);
    desk.all_receive();
    desk.sees(0);
}

#[test]
fn messages_of_the_ledger_that_wait_for_a_person_are_told_of_until_they_are_taken() {
    let desk = Desk::new();
    let world = desk.stage.simulator.world();
    let support = desk.stage.demo.support_address.clone();
    world.deliver(
        &support,
        &write("a@b.example", "Odd", "odd@b.example", "", "x"),
    );
    let uid = world.folder(&support, "INBOX")[0].uid;
    world.set_unfetchable(&support, "INBOX", uid, true);
    let mut told = Vec::new();
    for wait in [0, 61, 601, 3_601] {
        desk.stage.clock.advance(wait);
        desk.all_receive();
        told.push(desk.look().open);
    }
    assert_eq!(told, [0, 0, 0, 1], "after an hour of asking");
    assert!(
        desk.open()[0].starts_with("ledger:folder:"),
        "{:?}",
        desk.open()
    );
    world.set_unfetchable(&support, "INBOX", uid, false);
    desk.stage.clock.advance(21_601);
    desk.all_receive();
    assert_eq!(desk.stage.fates(desk.support, Fate::Absent), 0);
    desk.sees(0);
    assert_eq!(desk.mails().len(), 2);
}

#[test]
fn a_backup_that_fails_is_told_of_and_one_that_is_made_ends_it() {
    let desk = Desk::with(&[("MAILHATCH_BACKUP_CRON", "0 0 3 * * *")]);
    let folder = desk.stage.folder.path().join("backups");
    std::fs::write(&folder, "in the way").unwrap();
    assert!(!nightly_backup(&desk.stage.services, NOW));
    desk.sees(1);
    desk.sees(1);
    assert_eq!(desk.subjects(), ["[Mailhatch] The nightly backup failed"]);
    std::fs::remove_file(&folder).unwrap();
    assert!(nightly_backup(&desk.stage.services, NOW));
    desk.sees(0);
    assert_eq!(desk.mails().len(), 2);
    // One that is not even tried.
    desk.stage.clock.advance(25 * 3600);
    desk.all_receive();
    desk.sees(1);
    assert_eq!(desk.open(), ["backup"]);
}

#[test]
fn a_disk_that_fills_is_told_of_until_there_is_room() {
    let desk = Desk::new();
    set::save_disk(&desk.stage.services, "1000000000").unwrap();
    desk.sees(1);
    desk.sees(1);
    assert_eq!(desk.subjects(), ["[Mailhatch] The disk is nearly full"]);
    set::save_disk(&desk.stage.services, "1").unwrap();
    desk.sees(0);
    assert_eq!(desk.mails().len(), 2);
}

#[test]
fn the_end_of_the_apps_secret_is_told_thirty_days_before_seven_one_and_when_it_has_come() {
    let desk = Desk::new();
    let note = |day: &str| {
        let services = &desk.stage.services;
        services
            .store
            .write(|tx| settings::update_text(tx, "entra_secret_expires_on", day, NOW))
            .unwrap();
    };
    note("2027-03-01"); // The clock stands at 2027-01-15.
    let mut counts = Vec::new();
    for days in [0, 15, 10, 13, 6, 2, 30] {
        desk.stage.clock.advance(days * 86_400);
        desk.all_receive();
        let _ = desk.look();
        let _ = desk.look();
        counts.push(desk.mails().len());
    }
    // 45, 30, 20, 7, 1, -1 and -31 days before the end.
    assert_eq!(counts, [0, 1, 1, 2, 3, 4, 4]);
    assert!(desk.subjects().iter().all(|one| !one.contains("Over")));
    note("2029-01-01");
    desk.sees(0);
    assert!(desk.subjects().last().unwrap().contains("Over"));
    assert_eq!(desk.mails().len(), 5);
}

#[test]
fn who_dies_while_telling_tells_after_the_restart_under_the_same_message_id() {
    let mut desk = Desk::new();
    desk.revoke();
    // The mail leaves, its answer is lost, and the program dies before it has written anything down.
    desk.stage
        .simulator
        .faults()
        .once(Point::SmtpAccepted, Action::Close);
    let step = desk.look();
    assert_eq!((step.told, step.failed), (0, 1));
    assert_eq!(desk.mails().len(), 1);
    desk.stage.restart();
    assert_eq!(desk.look().told, 0, "not before its pause is over");
    desk.stage.clock.advance(60);
    assert_eq!(desk.look().told, 1);
    let told = desk.mails();
    assert_eq!(told.len(), 2);
    assert_eq!(told[0].3, told[1].3, "one message for whoever gets both");
    desk.stage.clock.advance(3_600);
    desk.all_but_support();
    assert_eq!(desk.look().told, 0);
    // Claimed, and then nothing more was heard of it.
    desk.sign_in_again();
    desk.stage
        .simulator
        .faults()
        .always(Point::SmtpHello, Action::Close);
    let _ = desk.look();
    desk.stage.simulator.faults().clear();
    let due = |tx: &store::Tx<'_>| alerts::claim_due(tx, NOW + 100_000, 9, |_| NOW);
    assert_eq!(desk.stage.services.store.write(due).unwrap().len(), 1);
    desk.stage.restart();
    assert_eq!(desk.look().told, 1);
    assert!(desk.subjects().last().unwrap().contains("Over"));
}

impl Desk {
    fn all_but_support(&self) {
        self.stage.receives(self.orders, 0);
    }
}

#[test]
fn an_alert_that_nobody_could_be_told_of_in_time_is_told_of_once_when_it_is_over() {
    let desk = Desk::new();
    desk.stage
        .simulator
        .faults()
        .always(Point::SmtpGreeting, Action::Close);
    desk.revoke();
    assert_eq!(desk.look().failed, 1);
    let find = |db: &store::Db| alerts::count_due(db, AlertChannel::Mail);
    let (count, problem) = desk.stage.services.store.read(find).unwrap();
    assert_eq!(count, 1);
    assert!(problem.is_some(), "the page says why");
    desk.stage.simulator.faults().clear();
    desk.sign_in_again();
    desk.sees(0);
    let told = desk.mails();
    assert_eq!(told.len(), 1);
    assert!(told[0].2.contains("It is over") && told[0].2.contains("What had happened"));
    let closed = desk.stage.services.store.read(|db| {
        let past = alerts::list_closed(db, None, 9)?;
        alerts::list_notices(db, past[0].id)
    });
    let states: Vec<NoticeState> = closed.unwrap().into_iter().map(|one| one.state).collect();
    assert_eq!(states, [NoticeState::Dropped, NoticeState::Told]);
}

#[test]
fn the_copy_of_an_alert_in_sent_items_is_no_conversation() {
    let desk = Desk::new();
    desk.revoke();
    desk.sees(1);
    assert_eq!(desk.mails().len(), 1);
    let orders = &desk.stage.demo.orders_address;
    let staff = &desk.stage.demo.staff_upns[0];
    let world = desk.stage.simulator.world();
    let filed = [orders, staff].map(|who| world.folder(who, "Sent Items").len());
    assert!(filed.contains(&1), "a copy is filed: {filed:?}");
    let before = desk.stage.conversations(View::Waiting).len();
    desk.stage.receives(desk.orders, 0);
    assert_eq!(desk.stage.conversations(View::Waiting).len(), before);
}

#[test]
fn alerts_leave_by_graph_where_the_mailbox_does() {
    let desk = Desk::new();
    let by_graph = |tx: &store::Tx<'_>| {
        let graph = mailhatch::model::WayOut::Graph;
        store::mailboxes::update_way_out(tx, desk.orders, graph, false)
    };
    desk.stage.services.store.write(by_graph).unwrap();
    desk.revoke();
    desk.sees(1);
    let all = desk.stage.simulator.world().submissions();
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].via, mailhatch_simulator::world::Via::Graph);
    assert_eq!(all[0].recipients, ["admin@example.com"]);
}
