//! Against real Dovecot and Postfix, with tokens of the pretend Entra.

use mailhatch::clock::Clock;
use mailhatch::model::{
    BackfillState, ConversationId, Days, DeliveryState, Direction, FolderRole, MailboxId,
    MailboxStatus, MoveTarget, Status, TakeFrom, View,
};
use mailhatch::problem::Problem;
use mailhatch::reply::{self, ReplyDraft};
use mailhatch::work::wake::Wake;
use mailhatch::work::{
    BackfillStep, Backfiller, PollStep, WriteBackStep, backfill, backfill_step, connect,
    write_back_step,
};
use mailhatch::{desk, mail, store};
use mailhatch_simulator::world::User;

use crate::interop::servers::{Key, Options, Servers};
use crate::support::stage::{Stage, mail as write, until};

const SUPPORT: &str = "support@harbourlights.example";
const CUSTOMER: &str = "mia@shop.example";

/// The program in front of real servers that believe the pretend Entra's tokens.
struct Real {
    stage: Stage,
    servers: Servers,
    id: MailboxId,
}

impl Real {
    fn new() -> Self {
        let mut stage = Stage::with(Clock::System, &[]);
        let tenant = stage.demo.tenant_id.clone();
        let upn = "desk@harbourlights.example";
        stage
            .simulator
            .world()
            .add_user(User::work(&tenant, upn, "Desk"));
        let keys = stage.simulator.entra().public_keys();
        let keys = keys.into_iter().map(|(kid, public_key_pem)| Key {
            kid,
            public_key_pem,
        });
        let servers = Servers::start(Options {
            keys: keys.collect(),
            issuers: Vec::new(),
            audience: Some("https://outlook.office.com".to_owned()),
            users: vec![upn.to_owned(), SUPPORT.to_owned(), CUSTOMER.to_owned()],
            delegates: vec![(upn.to_owned(), SUPPORT.to_owned())],
            password: false,
            limits: None,
        })
        .unwrap();
        stage.face(
            &format!("localhost:{}", servers.imap_port()),
            &format!("localhost:{}", servers.smtp_port()),
            servers.ca_pem(),
        );
        // A shared mailbox, reached as a delegate.
        let world = stage.simulator.world();
        world.add_user(User::shared(&tenant, SUPPORT, "Support"));
        let id = stage.consent(SUPPORT, upn);
        Self { stage, servers, id }
    }

    fn take_all(&self) {
        connect::choose(
            &self.stage.services,
            self.id,
            mailhatch::model::TakeFrom::All,
            0,
        )
        .unwrap();
    }

    /// All fates of the inbox and the server's own count.
    fn ledger(&self) -> (i64, i64) {
        let counted = self.stage.services.store.read(|db| {
            let inbox = store::folders::find_by_role(db, self.id, FolderRole::Inbox)?.unwrap();
            let fates = store::fates::count(db, inbox.id)?;
            let total: i64 = fates.iter().map(|fate| fate.count).sum();
            Ok::<_, store::Error>((total, inbox.server_count.unwrap()))
        });
        counted.unwrap()
    }

    fn fails(&self) -> Problem {
        match self.stage.poll(self.id) {
            PollStep::Failed(problem) => problem,
            other => panic!("it did not fail: {other:?}"),
        }
    }

    fn only_conversation(&self) -> ConversationId {
        let open = self.stage.conversations(View::Open);
        assert_eq!(open.len(), 1);
        open[0]
    }
}

/// A thousand messages of all kinds: sizes, charsets, attachments, threads, repeats, hostile ones.
fn mixed(n: usize) -> Vec<u8> {
    let id = format!("mixed-{n}@shop.example");
    let from = format!("Customer {n} <customer{}@shop.example>", n % 90);
    match n % 10 {
        0 => write(&from, "=?utf-8?q?Gr=C3=BC=C3=9Fe?=", &id, "", &"Grüße aus Köln. ".repeat(200)),
        1 => write(&from, "Re: thread", &id, &format!("References: <mixed-{}@shop.example>\r\n", n - 1), "Answer"),
        2 => format!(
            "From: {from}\r\nSubject: Files\r\nMessage-ID: <{id}>\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/mixed; boundary=xx\r\n\r\n--xx\r\nContent-Type: text/html\r\n\r\n\
             <p>Hello <b>{n}</b></p>\r\n--xx\r\nContent-Type: application/pdf; name=\"a {n}.pdf\"\r\n\
             Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment\r\n\r\n{}\r\n--xx--\r\n",
            "JVBERi0xLjQKJcfs\r\n".repeat(2_000 + n * 10)
        )
        .into_bytes(),
        3 => format!("Subject: nothing but this {n}\r\n\r\nno sender, no date, no id {n}\r\n").into_bytes(),
        4 => [b"From: x@shop.example\r\nSubject: raw \xfc bytes ".as_slice(), n.to_string().as_bytes(), b"\r\n\r\n\xff\xfe\x00nul\r\n"].concat(),
        5 => write(&from, "Automatic reply", &id, "Auto-Submitted: auto-replied\r\n", "I am away."),
        6 => write(&from, "News", &id, "List-Id: <news.shop.example>\r\nPrecedence: bulk\r\n", "News"),
        7 => write(&from, "Same id twice", &format!("mixed-{}@shop.example", n - 7), "", &format!("another text {n}")),
        8 => write(&from, &"long ".repeat(400), &id, "", "x"),
        _ => write(&from, "Plain", &id, "", &format!("Question {n}")),
    }
}

#[test]
fn a_thousand_mixed_messages_each_meet_a_fate_and_the_count_is_the_servers() {
    let real = Real::new();
    real.servers.deliver_many(SUPPORT, (0..1_000).map(mixed));
    real.take_all();
    match real.stage.poll(real.id) {
        PollStep::Synced(_) => {}
        other => panic!("{other:?}"),
    }
    let (fates, server) = real.ledger();
    assert_eq!(fates, 1_000);
    assert_eq!(server, 1_000);
    assert_eq!(real.servers.count(SUPPORT, "INBOX"), 1_000);
}

#[test]
fn mail_that_arrives_while_idle_is_pushed_to_the_store() {
    let real = Real::new();
    real.take_all();
    let running = real.stage.run();
    until("it listens", || {
        let line = real.stage.services.work.activity(real.id).receiving;
        line.sentence.starts_with("Listening")
    });
    real.servers.deliver(SUPPORT, &mixed(9));
    // The cron poll would come within the minute too; only the push is this quick.
    until("the mail is there", || {
        !real.stage.conversations(View::Open).is_empty()
    });
    running.stop();
}

#[test]
fn a_reply_reaches_another_mailbox_and_the_answer_to_it_joins_the_conversation() {
    let real = Real::new();
    let question = write(
        &format!("Mia <{CUSTOMER}>"),
        "A lamp",
        "lamp@shop.example",
        "",
        "In green?",
    );
    real.servers.deliver(SUPPORT, &question);
    real.take_all();
    real.stage.receives(real.id, 1);
    let number = real.only_conversation();
    let queued = real.stage.reply(number, "Yes.");
    real.stage.send_all(real.id);
    assert_eq!(real.stage.state(queued), DeliveryState::Sent);

    until("the reply is delivered", || {
        real.servers.count(CUSTOMER, "INBOX") > 0
    });
    let received = real.servers.messages(CUSTOMER, "INBOX");
    assert_eq!(received.len(), 1);
    let (reply, defects) = mail::parse(&received[0]);
    assert!(defects.is_empty(), "{defects:?}");
    assert_eq!(reply.from[0].address, SUPPORT);
    assert_eq!(reply.subject, "Re: A lamp");
    assert_eq!(reply.in_reply_to, ["lamp@shop.example"]);
    assert!(reply.html.is_some() && reply.text.contains("Yes."));

    let more = format!("In-Reply-To: <{}>\r\n", reply.message_id.unwrap());
    let answer = write(
        CUSTOMER,
        "Re: A lamp",
        "lamp-2@shop.example",
        &more,
        "Thanks",
    );
    real.servers.deliver(SUPPORT, &answer);
    real.stage.receives(real.id, 1);
    let ways: Vec<Direction> = real
        .stage
        .messages(number)
        .iter()
        .map(|message| message.direction)
        .collect();
    assert_eq!(
        ways,
        [
            Direction::Incoming,
            Direction::Outgoing,
            Direction::Incoming
        ]
    );
}

#[test]
fn an_expired_token_is_renewed_and_a_bad_one_is_told_and_mends_by_itself() {
    let real = Real::new();
    real.take_all();
    let spoil = |token: &str, expires_at: i64| {
        let services = &real.stage.services;
        let mut credential = services
            .store
            .read(|db| store::credentials::find(db, &services.sealer, real.id))
            .unwrap()
            .unwrap();
        credential.exchange_token = Some(token.to_owned());
        credential.exchange_expires_at = expires_at;
        services
            .store
            .write(|tx| store::credentials::upsert(tx, &services.sealer, &credential))
            .unwrap();
    };
    let now = real.stage.clock.now();
    // Ended: never shown to the server.
    spoil("ended", now - 10);
    real.stage.receives(real.id, 0);
    // Bad: refused once, renewed, accepted.
    spoil("bad", now + 3_600);
    real.stage.receives(real.id, 0);
    assert_eq!(real.stage.mailbox(real.id).problem, None);
}

#[test]
fn a_refused_login_stops_the_mailbox_with_its_cause_and_it_recovers_when_the_cause_goes() {
    let real = Real::new();
    real.take_all();
    // The tokens' keys are no longer those the server believes.
    real.stage.simulator.entra().rotate_keys();
    real.stage.simulator.entra().expire_access_tokens();
    real.stage.clear_tokens(real.id);
    let problem = real.fails();
    assert!(
        mailhatch::imap::explain::is_login_refusal(&problem),
        "{problem}"
    );
    assert_eq!(
        real.stage.mailbox(real.id).status,
        MailboxStatus::NeedsAdmin
    );
    let keys = real.stage.simulator.entra().public_keys();
    real.servers.believe(keys.into_iter().map(|(kid, pem)| Key {
        kid,
        public_key_pem: pem,
    }));
    real.stage.receives(real.id, 0);
    assert_eq!(real.stage.mailbox(real.id).status, MailboxStatus::Active);
}

#[test]
fn five_hundred_old_messages_are_fetched_by_day_once_although_the_line_is_cut() {
    let real = Real::new();
    real.servers.deliver_many(SUPPORT, (0..500).map(mixed));
    let (stage, id) = (&real.stage, real.id);
    let now = stage.clock.now();
    // What Dovecot was handed today is older than what is wanted.
    let tomorrow = Some(now + 5 * 86_400);
    let services = &stage.services;
    services
        .store
        .write(|tx| store::mailboxes::update_choice(tx, id, TakeFrom::New, tomorrow))
        .unwrap();
    stage.receives(id, 0);
    assert_eq!(real.ledger(), (0, 500));
    let folders = services.store.read(|db| store::folders::list(db, id));
    let inbox = folders.unwrap()[0].id;
    let days = Some(Days {
        from_at: now - 2 * 86_400,
        until_at: now + 2 * 86_400,
    });
    let announced = backfill::preview(services, id, days, &[inbox]).unwrap();
    assert_eq!((announced.total, announced.known), (500, 0));
    let agent = stage.admin.agent.id;
    services
        .store
        .write(|tx| store::backfills::insert(tx, id, agent, days, &[inbox], now))
        .unwrap();

    let newest = || {
        services
            .store
            .read(|db| store::backfills::find_newest(db, id))
    };
    let mut backfiller = Backfiller::default();
    let wake = Wake::default();
    while newest().unwrap().unwrap().received() < 100 {
        let step = backfill_step(services, &mut backfiller, id, &wake);
        assert!(matches!(step, BackfillStep::Fetched(_)), "{step:?}");
    }
    real.servers.stop_imap();
    let step = backfill_step(services, &mut backfiller, id, &wake);
    assert!(matches!(step, BackfillStep::Failed(_)), "{step:?}");
    real.servers.start_imap();
    while backfill_step(services, &mut backfiller, id, &wake) != BackfillStep::Nothing {}

    let backfill = newest().unwrap().unwrap();
    assert_eq!(backfill.state, BackfillState::Done, "{backfill:?}");
    assert_eq!(
        (backfill.total(), backfill.known(), backfill.left()),
        (500, 0, 0)
    );
    assert_eq!(real.ledger(), (500, 500));
    assert!(stage.conversations(View::Open).is_empty());
    // All of the folder has its fate now.
    let folders = services.store.read(|db| store::folders::list(db, id));
    assert_eq!(folders.unwrap()[0].first_uid, 1);
}

#[test]
fn a_stopped_server_is_waited_for_and_nothing_is_lost() {
    let real = Real::new();
    real.take_all();
    real.stage.receives(real.id, 0);
    real.servers.stop_imap();
    let problem = real.fails();
    assert!(problem.is_transient(), "{problem}");
    assert_eq!(problem.code, "connect_refused");
    real.servers.deliver(SUPPORT, &mixed(9));
    real.servers.start_imap();
    real.stage.receives(real.id, 1);

    let number = real.only_conversation();
    real.servers.stop_smtp();
    let queued = real.stage.reply(number, "Later.");
    real.stage.send_all(real.id);
    assert_eq!(real.stage.state(queued), DeliveryState::Queued);
    assert!(real.stage.mailbox(real.id).send_problem.is_some());
    real.servers.start_smtp();
    let services = &real.stage.services;
    let work = &services.work;
    work.retry_delivery(services, queued.delivery_id, &real.stage.admin.agent)
        .unwrap();
    real.stage.send_all(real.id);
    assert_eq!(real.stage.state(queued), DeliveryState::Sent);
    assert_eq!(real.stage.mailbox(real.id).send_problem, None);
}

#[test]
fn answered_mail_is_marked_closed_mail_moves_and_a_readers_own_flags_stay() {
    let real = Real::new();
    let servers = &real.servers;
    servers.change_folders(SUPPORT, "create", &["Done/Grün"]);
    for n in [9, 19, 29] {
        servers.deliver(SUPPORT, &mixed(n));
    }
    real.take_all();
    real.stage.receives(real.id, 3);
    servers.add_flags(SUPPORT, "INBOX", "\\Flagged");
    let services = &real.stage.services;
    let listed = mailhatch::work::folders::list(services, real.id).unwrap();
    let target = listed
        .iter()
        .find(|folder| folder.name == "Done/Grün")
        .unwrap();
    let target = MoveTarget {
        raw_name: target.raw_name.clone(),
        name: target.name.clone(),
    };
    // Watched as well: what is moved there must not come out as new.
    let (now, watch) = (
        real.stage.clock.now(),
        store::folders::Watch {
            raw_name: &target.raw_name,
            name: &target.name,
            junk: false,
            take_since_at: 0,
        },
    );
    services
        .store
        .write(|tx| {
            store::folders::insert_watched(tx, real.id, watch, now)?;
            store::write_backs::update_settings(tx, real.id, true, Some(&target))
        })
        .unwrap();
    let mut open = real.stage.conversations(View::Open);
    open.sort();
    // Done a while ago, as far as the queue can tell.
    let past = now - 600;
    let (store, admin) = (&services.store, &real.stage.admin.agent);
    desk::close(store, past, admin, open[0]).unwrap();
    let defaults = store
        .read(|db| reply::defaults(db, open[1], false))
        .unwrap();
    let draft = ReplyDraft {
        conversation_id: open[1],
        to: defaults.to,
        cc: Vec::new(),
        bcc: Vec::new(),
        subject: defaults.subject,
        html: None,
        text: "Yes.".to_owned(),
        attachments: Vec::new(),
        quote: false,
        idempotency_key: "once".to_owned(),
        then: Status::Waiting,
    };
    reply::queue(store, &services.ids(), past, admin, &draft).unwrap();
    let done = write_back_step(services, real.id, &Wake::default()).unwrap();
    assert_eq!(done, WriteBackStep::Worked(3));
    assert_eq!(servers.flags(SUPPORT, "Done/Grün"), ["\\Flagged \\Seen"]);
    let inbox = servers.flags(SUPPORT, "INBOX");
    assert_eq!(inbox, ["\\Flagged \\Seen", "\\Flagged"]);
    let moved = servers.messages(SUPPORT, "Done/Grün");
    let (moved, _) = mail::parse(&moved[0]);
    assert_eq!(moved.message_id.as_deref(), Some("mixed-9@shop.example"));
    real.stage.receives(real.id, 0);
    assert_eq!(real.stage.messages(open[0]).len(), 1);
}

#[test]
fn folders_are_watched_renamed_refilled_and_removed_under_a_real_server() {
    let real = Real::new();
    let servers = &real.servers;
    // Made in the same second: they may share their UIDVALIDITY.
    servers.change_folders(SUPPORT, "create", &["Orders", "Other", "Third"]);
    real.take_all();
    real.stage.receives(real.id, 0);
    let services = &real.stage.services;
    let watch = store::folders::Watch {
        raw_name: "Orders",
        name: "Orders",
        junk: false,
        take_since_at: 0,
    };
    let now = real.stage.clock.now();
    services
        .store
        .write(|tx| store::folders::insert_watched(tx, real.id, watch, now))
        .unwrap();
    servers.deliver(SUPPORT, &mixed(9));
    servers.move_all(SUPPORT, "INBOX", "Orders");
    real.stage.receives(real.id, 1);
    servers.change_folders(SUPPORT, "rename", &["Orders", "Bestellungen"]);
    servers.deliver(SUPPORT, &mixed(19));
    servers.move_all(SUPPORT, "INBOX", "Bestellungen");
    servers.deliver(SUPPORT, &mixed(29));
    real.stage.receives(real.id, 2);
    servers.move_all(SUPPORT, "Bestellungen", "INBOX");
    real.stage.receives(real.id, 0);
    servers.change_folders(SUPPORT, "delete", &["Bestellungen"]);
    servers.deliver(SUPPORT, &mixed(39));
    real.stage.receives(real.id, 1);
    let folders = services
        .store
        .read(|db| store::folders::list(db, real.id))
        .unwrap();
    let gone = folders
        .iter()
        .find(|folder| folder.name == "Bestellungen")
        .unwrap();
    assert_eq!(gone.problem.as_ref().unwrap().code, "folder_gone");
    assert_eq!(real.stage.mailbox(real.id).problem, None);
}
