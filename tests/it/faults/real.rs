//! Through a spoiled line against real Dovecot and Postfix.

use std::time::Duration;

use mailhatch::clock::Clock;
use mailhatch::config::Patience;
use mailhatch::mail;
use mailhatch::model::{ConversationId, DeliveryState, Leaves, MailboxId, TakeFrom, View};
use mailhatch::reply::Queued;
use mailhatch::store;
use mailhatch::work::{
    PollStep, Poller, SendStep, Sender, connect, poll_step, send_step, wake::Wake,
};
use mailhatch_simulator::world::User;

use super::field::HURRIED;
use crate::interop::proxy::{End, Plan, Proxy, Way};
use crate::interop::servers::{Key, Limits, Options, Servers};
use crate::support::stage::{Stage, mail as write, until};

const SUPPORT: &str = "support@harbourlights.example";
const CUSTOMER: &str = "mia@shop.example";

/// The program, real servers that believe the pretend Entra's tokens, and lines between them that can be
/// spoiled. Our clock is set by hand, theirs is the machine's.
struct Real {
    stage: Stage,
    imap: Proxy,
    smtp: Proxy,
    servers: Servers,
    id: MailboxId,
}

impl Real {
    fn new(limits: Option<Limits>) -> Self {
        let mut stage = Stage::with(Clock::hand(Clock::System.now()), &[]);
        let upn = SUPPORT.to_owned();
        let user = User::work(&stage.demo.tenant_id, &upn, "Support");
        stage.simulator.world().add_user(user);
        let keys = stage.simulator.entra().public_keys().into_iter();
        let servers = Servers::start(Options {
            keys: keys
                .map(|(kid, public_key_pem)| Key {
                    kid,
                    public_key_pem,
                })
                .collect(),
            audience: Some("https://outlook.office.com".to_owned()),
            users: vec![upn.clone(), CUSTOMER.to_owned()],
            limits,
            ..Options::default()
        })
        .unwrap();
        let imap = Proxy::before(servers.imap_port());
        let smtp = Proxy::before(servers.smtp_port());
        stage.face(&imap.address(), &smtp.address(), servers.ca_pem());
        let id = stage.consent("", &upn);
        connect::choose(&stage.services, id, TakeFrom::All, 0).unwrap();
        let real = Self {
            stage,
            imap,
            smtp,
            servers,
            id,
        };
        real.stage.receives(id, 0);
        real
    }

    fn patience(&mut self, patience: Patience) {
        self.stage.reconfigure(|config| config.patience = patience);
    }

    /// Delivers messages numbered so.
    fn deliver(&self, numbers: std::ops::Range<usize>) {
        let one = |n: usize| {
            let text =
                "The lamp does not burn, whatever I try with it.\r\n".repeat(20 + n % 7 * 90);
            let id = format!("real-{n}@shop.example");
            write(
                &format!("Mia <{CUSTOMER}>"),
                &format!("Lamp {n}"),
                &id,
                "",
                &text,
            )
        };
        self.servers.deliver_many(SUPPORT, numbers.map(one));
    }

    fn poll(&self, poller: &mut Poller) -> PollStep {
        poll_step(&self.stage.services, poller, self.id, &Wake::default())
    }

    /// Polls on a good line until it goes well.
    fn recovers(&self) {
        self.imap.set(Plan::PASS);
        let mut poller = Poller::default();
        for _ in 0..10 {
            if let PollStep::Synced(_) = self.poll(&mut poller) {
                return;
            }
        }
        panic!("it does not receive again");
    }

    fn ids(&self, direction: &str) -> Vec<String> {
        let ids = self.stage.services.store.read(|db| {
            let mut query = db.prepare(
                "SELECT internet_message_id FROM messages WHERE direction = ?1
                 ORDER BY internet_message_id",
            )?;
            let rows = query.query_map([direction], |row| row.get(0))?;
            Ok::<_, store::Error>(rows.collect::<Result<Vec<String>, _>>()?)
        });
        ids.unwrap()
    }

    /// The Message-IDs in a folder of the servers, sorted.
    fn on_server(&self, address: &str, folder: &str) -> Vec<String> {
        let mut ids: Vec<String> = self
            .servers
            .messages(address, folder)
            .iter()
            .map(|raw| mail::parse(raw).0.message_id.unwrap())
            .collect();
        ids.sort();
        ids
    }

    /// What Dovecot holds is stored, each once.
    fn received_once(&self) {
        assert_eq!(self.ids("incoming"), self.on_server(SUPPORT, "INBOX"));
        self.stage.receives(self.id, 0);
    }

    fn reply(&self, number: ConversationId) -> Queued {
        self.stage.reply(number, "Try the other switch.")
    }

    /// Goes on until every reply has left; ours is the only clock that moves.
    fn all_leave(&self, replies: &[Queued]) {
        self.imap.set(Plan::PASS);
        self.smtp.set(Plan::PASS);
        let mut sender = Sender::default();
        for _ in 0..600 {
            let left = |queued: &Queued| self.stage.state(*queued) == DeliveryState::Sent;
            if replies.iter().all(left) {
                return;
            }
            match send_step(&self.stage.services, &mut sender, self.id).unwrap() {
                SendStep::Worked => {}
                SendStep::Nothing(_) => self.stage.clock.advance(15),
            }
        }
        panic!("not all replies left");
    }

    /// Each reply reached the customer once, and once Sent Items.
    fn sent_once(&self, count: usize) {
        self.reached(count);
        let ours = self.ids("outgoing");
        assert_eq!(ours.len(), count);
        assert_eq!(self.on_server(CUSTOMER, "INBOX"), ours);
        assert_eq!(self.on_server(SUPPORT, "Sent Items"), ours);
    }

    /// So many have reached the customer.
    fn reached(&self, count: usize) {
        until("all is delivered", || {
            let sent = self.servers.count(SUPPORT, "Sent Items");
            self.servers.count(CUSTOMER, "INBOX") >= count && sent >= count
        });
    }

    fn fails(&self, code: &str) {
        match self.poll(&mut Poller::default()) {
            PollStep::Failed(problem) => {
                assert_eq!(problem.code, code, "{problem}");
                assert!(problem.is_transient(), "{problem}");
            }
            other => panic!("{other:?}"),
        }
    }
}

/// One fault on the line to Dovecot, then a good line.
fn imap_fault(plan: Plan, hurried: bool, code: &str) {
    let mut real = Real::new(None);
    if hurried {
        real.patience(HURRIED);
    }
    real.deliver(0..3);
    real.imap.set(plan);
    real.fails(code);
    real.recovers();
    real.received_once();
}

#[test]
fn dovecot_that_refuses_connections_is_waited_for() {
    imap_fault(Plan::REFUSE, false, "connect_refused");
}

#[test]
fn dovecot_that_never_answers_is_given_up_and_tried_again() {
    imap_fault(Plan::SILENCE, true, "tls_timeout");
}

#[test]
fn dovecot_that_resets_is_tried_again() {
    imap_fault(Plan::RESET, false, "tls_failed");
}

#[test]
fn a_line_to_dovecot_that_stalls_in_the_middle_of_a_message_is_left() {
    let mut real = Real::new(None);
    let text = "All work and no play.\r\n".repeat(20_000);
    let raw = write(CUSTOMER, "Long", "long@shop.example", "", &text);
    real.servers.deliver(SUPPORT, &raw);
    real.patience(HURRIED);
    let plan = Plan::cut(Way::ToClient, 200_000, End::Stall);
    real.imap.set(plan);
    real.fails("answer_timeout");
    real.recovers();
    real.received_once();
}

#[test]
fn a_line_to_dovecot_cut_at_any_byte_loses_and_doubles_nothing() {
    let real = Real::new(None);
    real.deliver(0..8);
    let before = real.imap.passed(Way::ToClient);
    real.recovers();
    let whole = real.imap.passed(Way::ToClient) - before;
    let mut failed = 0;
    let cuts = 24;
    for cut in 1..=cuts {
        let first = cut * 8;
        real.deliver(first..first + 8);
        let bytes = whole * cut as u64 / cuts as u64;
        let end = if cut % 2 == 0 { End::Reset } else { End::Close };
        real.imap.set(Plan::cut(Way::ToClient, bytes, end));
        if let PollStep::Failed(problem) = real.poll(&mut Poller::default()) {
            assert!(problem.is_transient(), "{problem}");
            failed += 1;
        }
        real.recovers();
    }
    assert!(failed > cuts / 2, "only {failed} were cut off");
    assert_eq!(real.ids("incoming").len(), (cuts + 1) * 8);
    real.received_once();
}

#[test]
fn commands_to_dovecot_cut_at_any_byte_lose_and_double_nothing() {
    let real = Real::new(None);
    real.deliver(0..8);
    let before = real.imap.passed(Way::ToServer);
    real.recovers();
    let whole = real.imap.passed(Way::ToServer) - before;
    let cuts = 16;
    for cut in 1..=cuts {
        let first = cut * 8;
        real.deliver(first..first + 8);
        let bytes = whole * cut as u64 / cuts as u64;
        real.imap.set(Plan::cut(Way::ToServer, bytes, End::Close));
        let _ = real.poll(&mut Poller::default());
        real.recovers();
    }
    assert_eq!(real.ids("incoming").len(), (cuts + 1) * 8);
    real.received_once();
}

#[test]
fn a_slow_line_to_dovecot_only_takes_longer() {
    let real = Real::new(None);
    real.deliver(0..10);
    real.imap.set(Plan::throttle(Way::ToClient, 60_000));
    real.stage.receives(real.id, 10);
    real.received_once();
}

#[test]
fn too_many_connections_to_dovecot_are_told_and_waited_for() {
    let real = Real::new(None);
    real.deliver(0..1);
    // Dovecot lets one user have sixteen from one address.
    let mut others: Vec<Poller> = (0..16).map(|_| Poller::default()).collect();
    for other in &mut others {
        let _ = real.poll(other);
    }
    let step = real.poll(&mut Poller::default());
    let PollStep::Failed(problem) = step else {
        panic!("{step:?}");
    };
    assert!(problem.is_transient(), "{problem}");
    assert_eq!(problem.code, "imap_limit", "{problem}");
    drop(others);
    until("a place is free", || {
        matches!(real.poll(&mut Poller::default()), PollStep::Synced(_))
    });
    real.received_once();
}

#[test]
fn the_ledger_is_held_against_dovecot_and_what_slipped_through_is_fetched() {
    let real = Real::new(None);
    real.deliver(0..60);
    real.stage.receives(real.id, 60);
    // Rows that somebody deleted, and mail that the cursor jumped over.
    real.deliver(60..65);
    let services = &real.stage.services;
    let inbox = services
        .store
        .write(|tx| {
            let inbox = store::folders::list(tx, real.id)?.remove(0);
            tx.execute("DELETE FROM fates WHERE uid IN (7, 8, 59)", [])?;
            tx.execute("UPDATE folders SET next_uid = 66 WHERE role = 'inbox'", [])?;
            Ok::<_, store::Error>(inbox.id)
        })
        .unwrap();
    real.stage.receives(real.id, 0);
    let look = || {
        let found = services
            .store
            .read(|db| store::ledger_checks::find(db, inbox));
        found.unwrap().unwrap()
    };
    assert_eq!(look().last, None);
    let now = real.stage.clock.now();
    services
        .store
        .write(|tx| store::ledger_checks::upsert_due(tx, inbox, now))
        .unwrap();
    real.stage.receives(real.id, 5);
    let check = look();
    let (_, found) = check.last.unwrap();
    assert!(found.agrees(), "{found:?}");
    assert_eq!((found.server_count, found.gone_count), (65, 0));
    let recovered = check.recovered.unwrap();
    assert_eq!(recovered.uids, [7, 8, 59, 61, 62, 63, 64, 65]);
    real.received_once();
}

#[test]
fn dovecot_says_what_a_message_is_that_is_too_big() {
    let real = Real::new(None);
    real.deliver(0..1);
    real.stage.receives(real.id, 1);
    let services = &real.stage.services;
    services
        .store
        .write(|tx| {
            let sql = "UPDATE fates SET fate = 'too_big', message_id = NULL";
            Ok::<_, store::Error>(tx.execute(sql, [])?)
        })
        .unwrap();
    real.stage.receives(real.id, 0);
    let found = services
        .store
        .read(|db| store::fates::list_by_internet_message_id(db, "REAL-0@shop.example", 9));
    let row = found.unwrap().remove(0);
    assert_eq!(row.label.subject, "Lamp 0");
    assert_eq!(row.label.sender, CUSTOMER);
}

#[test]
fn dovecot_cut_off_while_idle_is_dialled_again_and_the_mail_comes() {
    let real = Real::new(None);
    let running = real.stage.run();
    until("it listens", || {
        let line = real.stage.services.work.activity(real.id).receiving;
        line.sentence.starts_with("Listening")
    });
    real.imap.end_all(End::Reset);
    real.deliver(0..1);
    until("the mail is there", || real.ids("incoming").len() == 1);
    running.stop();
    real.received_once();
}

/// A question and its queued answer for each number.
fn asked(real: &Real, numbers: std::ops::Range<usize>) -> Vec<Queued> {
    let count = numbers.len();
    real.deliver(numbers);
    real.stage.receives(real.id, count as u64);
    let open = real.stage.conversations(View::Open);
    assert_eq!(open.len(), count);
    open.into_iter().map(|number| real.reply(number)).collect()
}

/// One fault on the line to Postfix, then a good line.
fn smtp_fault(plan: Plan, hurried: bool, code: &str) {
    let mut real = Real::new(None);
    let replies = asked(&real, 0..1);
    if hurried {
        real.patience(HURRIED);
    }
    real.smtp.set(plan);
    let mut sender = Sender::default();
    let _ = send_step(&real.stage.services, &mut sender, real.id).unwrap();
    let told = real.stage.mailbox(real.id).send_problem.unwrap();
    assert_eq!(told.code, code, "{told}");
    assert_eq!(real.stage.state(replies[0]), DeliveryState::Queued);
    real.all_leave(&replies);
    real.sent_once(1);
}

#[test]
fn postfix_that_refuses_connections_is_waited_for() {
    smtp_fault(Plan::REFUSE, false, "connect_refused");
}

#[test]
fn postfix_that_never_answers_is_given_up_and_tried_again() {
    smtp_fault(Plan::SILENCE, true, "answer_timeout");
}

#[test]
fn postfix_cut_in_its_greeting_is_tried_again() {
    let plan = Plan::cut(Way::ToClient, 10, End::Close);
    smtp_fault(plan, false, "connection_closed");
}

/// Replies on lines to Postfix cut at ever more bytes, each reply on its own; every one leaves once.
fn cut_everywhere(way: Way, end: End, cuts: usize) {
    let mut real = Real::new(None);
    let replies = asked(&real, 0..cuts + 1);
    let mut sender = Sender::default();
    let mut step = |real: &Real| {
        let step = send_step(&real.stage.services, &mut sender, real.id).unwrap();
        sender = Sender::default();
        step
    };
    let before = real.smtp.passed(way);
    step(&real);
    let whole = real.smtp.passed(way) - before;
    if end == End::Stall {
        real.patience(HURRIED);
    }
    for cut in 1..=cuts {
        let bytes = whole * cut as u64 / cuts as u64;
        real.smtp.set(Plan::cut(way, bytes.saturating_sub(3), end));
        step(&real);
        // Past the pause after a closed way out, not past the wait for Sent Items.
        real.stage.clock.advance(31);
        let clear = |tx: &store::Tx<'_>| store::mailboxes::update_sending(tx, real.id, None, 0, 0);
        real.stage.services.store.write(clear).unwrap();
    }
    real.all_leave(&replies);
    real.sent_once(replies.len());
}

#[test]
fn answers_of_postfix_cut_at_any_byte_lose_and_double_nothing() {
    cut_everywhere(Way::ToClient, End::Close, 16);
}

#[test]
fn messages_to_postfix_cut_at_any_byte_are_not_lost_and_not_doubled() {
    cut_everywhere(Way::ToServer, End::Close, 16);
}

#[test]
fn messages_to_postfix_reset_at_any_byte_are_not_lost_and_not_doubled() {
    cut_everywhere(Way::ToServer, End::Reset, 8);
}

#[test]
fn messages_to_postfix_stalled_at_any_byte_are_not_lost_and_not_doubled() {
    cut_everywhere(Way::ToServer, End::Stall, 5);
}

#[test]
fn a_long_line_to_postfix_only_takes_longer() {
    let real = Real::new(None);
    let replies = asked(&real, 0..2);
    real.smtp.set(Plan::delay(Duration::from_millis(30)));
    let mut sender = Sender::default();
    for _ in 0..2 {
        let _ = send_step(&real.stage.services, &mut sender, real.id).unwrap();
    }
    assert!(
        replies
            .iter()
            .all(|queued| real.stage.state(*queued) == DeliveryState::Sent)
    );
    drop(sender);
    real.sent_once(2);
}

#[test]
fn postfix_that_has_enough_of_this_minute_is_waited_for() {
    let limits = Limits {
        connections: 3,
        messages_per_minute: 2,
    };
    let real = Real::new(Some(limits));
    let replies = asked(&real, 0..3);
    let mut sender = Sender::default();
    for _ in 0..3 {
        let _ = send_step(&real.stage.services, &mut sender, real.id).unwrap();
    }
    let states: Vec<DeliveryState> = replies
        .iter()
        .map(|queued| real.stage.state(*queued))
        .collect();
    let queued = states
        .iter()
        .filter(|state| **state == DeliveryState::Queued)
        .count();
    assert_eq!(queued, 1, "{states:?}");
    real.reached(2);
    assert_eq!(real.servers.count(CUSTOMER, "INBOX"), 2);
}

#[test]
fn a_reply_reaches_postfix_after_its_undo_window_once_and_one_taken_back_never() {
    let real = Real::new(None);
    let now_ms = real.stage.clock.now_ms();
    real.deliver(0..2);
    real.stage.receives(real.id, 2);
    let leaves = Leaves::AfterUndo {
        until_ms: now_ms + 10_000,
    };
    let queued: Vec<Queued> = real
        .stage
        .conversations(View::Open)
        .into_iter()
        .map(|number| {
            let text = "Try the other switch.";
            real.stage.reply_to_leave(number, text, leaves, |_| {})
        })
        .collect();
    let mut sender = Sender::default();
    let mut step = || send_step(&real.stage.services, &mut sender, real.id).unwrap();
    assert_eq!(step(), SendStep::Nothing(Some(now_ms + 10_000)));
    let (services, agent) = (&real.stage.services, &real.stage.admin.agent);
    services
        .work
        .withdraw_delivery(services, queued[0].delivery_id, agent)
        .unwrap();
    assert_eq!(step(), SendStep::Nothing(Some(now_ms + 10_000)));
    real.stage.clock.advance(10);
    real.all_leave(&queued[1..]);
    real.reached(1);
    let left = real.on_server(CUSTOMER, "INBOX");
    let message = services
        .store
        .read(|db| store::messages::find(db, queued[1].message_id));
    assert_eq!(left, [message.unwrap().unwrap().internet_message_id]);
    assert_eq!(real.on_server(SUPPORT, "Sent Items"), left);
}
