//! Reading and sending, straight at the pretend Exchange Online: what the protocols do before any loop uses them.

use std::time::{Duration, Instant};

use mailhatch::graph::{self, SendAs};
use mailhatch::http::Http;
use mailhatch::imap::cursor::{Cursor, Plan, Resync, plan};
use mailhatch::imap::{FolderRole, IdleEnd, Session};
use mailhatch::net::xoauth2::Login;
use mailhatch::net::{Server, Trust};
use mailhatch::problem::Problem;
use mailhatch::smtp::{self, Envelope, Outcome, Stage as SmtpStage, Suggestion, Timeouts};
use mailhatch_simulator::faults::{Action, Point};
use mailhatch_simulator::world::{Language, Role, SmtpAuth, User, Via};
use mailhatch_simulator::{Demo, Options, Simulator};

const IMAP: &str = "https://outlook.office.com/IMAP.AccessAsUser.All";
const SMTP: &str = "https://outlook.office.com/SMTP.Send";
const GRAPH: &str = "https://graph.microsoft.com/Mail.Send";

struct Stage {
    simulator: Simulator,
    demo: Demo,
    trust: Trust,
}

impl Stage {
    fn new() -> Self {
        let simulator = Simulator::start(Options::default()).unwrap();
        let demo = simulator.populate("https://desk.example.com/microsoft/callback");
        simulator
            .entra()
            .update_app(&demo.client_id, |app| app.admin_consented = true);
        let trust = Trust::new(Some(simulator.endpoints().ca_pem.as_bytes())).unwrap();
        Self {
            simulator,
            demo,
            trust,
        }
    }

    /// A mailbox of its own with nothing in it.
    fn add_empty(&self, name: &str, language: Language) -> String {
        let upn = format!("{name}@harbourlights.example");
        let user = User::work(&self.demo.tenant_id, &upn, name).with_language(language);
        self.simulator.world().add_user(user);
        upn
    }

    fn login_for(&self, signed_in: &str, mailbox: &str, scopes: &[&str]) -> Login {
        let entra = self.simulator.entra();
        let tokens = entra.issue(signed_in, &self.demo.client_id, scopes);
        Login::new(mailbox, tokens.access_token)
    }

    fn imap_server(&self) -> Server {
        self.simulator.endpoints().imap.parse().unwrap()
    }

    fn smtp_server(&self) -> Server {
        self.simulator.endpoints().smtp.parse().unwrap()
    }

    fn try_read(&self, login: &Login) -> Result<Session, Problem> {
        Session::connect(&self.imap_server(), &self.trust, login, |_| {})
    }

    fn read(&self, upn: &str) -> Session {
        self.try_read(&self.login_for(upn, upn, &[IMAP])).unwrap()
    }

    fn send(&self, login: &Login, from: &str, to: &[&str], raw: &[u8]) -> Outcome {
        let envelope = Envelope {
            mail_from: from.to_owned(),
            recipients: to.iter().map(|&r| r.to_owned()).collect(),
            together: false,
        };
        smtp::send(
            &self.smtp_server(),
            &self.trust,
            login,
            "desk.example.com",
            &envelope,
            raw,
            Timeouts::default(),
        )
    }

    fn fault(&self, point: Point, reply: &str) {
        let faults = self.simulator.faults();
        faults.once(point, Action::Reply(reply.to_owned()));
    }
}

fn mail(from: &str, id: &str) -> Vec<u8> {
    format!(
        "From: {from}\r\nTo: x@shop.example\r\nSubject: {id}\r\nMessage-ID: <{id}@desk.example.com>\r\n\r\n.a line\r\n"
    )
    .into_bytes()
}

fn code<T: std::fmt::Debug>(result: Result<T, Problem>) -> String {
    result.unwrap_err().code
}

#[test]
fn a_mailbox_is_read_from_its_first_message_to_the_next_new_one() {
    let stage = Stage::new();
    let upn = stage.add_empty("lena", Language::En);
    let world = stage.simulator.world();
    for n in 1..=3 {
        assert!(world.deliver(&upn, &mail("mia@shop.example", &format!("m{n}"))));
    }
    let mut session = stage.read(&upn);
    let folder = session.examine("INBOX").unwrap();
    assert_eq!((folder.exists, session.count_all()), (3, 3));
    let why = Resync::FirstTime;
    assert_eq!(plan(None, &folder), Plan::ResyncAll { why });
    let uids = session.uids_from(1).unwrap();
    let stored = world.folder(&upn, "INBOX");
    let messages = session.fetch(&uids).unwrap();
    assert_eq!(messages.len(), 3);
    for (message, stored) in messages.iter().zip(&stored) {
        assert_eq!(message.raw.as_slice(), &stored.raw[..]);
        assert_eq!((message.uid, message.seen), (stored.uid, false));
        assert_eq!(message.internal_date_at, Some(stored.internal_date_at));
    }
    assert_eq!(session.sizes(&uids).unwrap().len(), 3);
    assert!(
        stored.iter().all(|s| s.flags.is_empty()),
        "reading marks nothing read"
    );

    let mut cursor = Cursor {
        uid_validity: folder.uid_validity,
        next_uid: 1,
    };
    for message in &messages {
        cursor = cursor.past(message.uid);
    }
    let folder = session.examine("INBOX").unwrap();
    assert_eq!(plan(Some(cursor), &folder), Plan::Nothing);
    assert!(session.uids_from(cursor.next_uid).unwrap().is_empty());
    world.deliver(&upn, &mail("mia@shop.example", "m4"));
    let folder = session.examine("INBOX").unwrap();
    assert_eq!(plan(Some(cursor), &folder), Plan::From(cursor.next_uid));
    let new = session.uids_from(cursor.next_uid).unwrap();
    assert_eq!(new, [cursor.next_uid]);
    assert_eq!(
        session.find_message_id("<m4@desk.example.com>").unwrap(),
        new
    );

    world.change_uid_validity(&upn, "INBOX");
    session.logout().unwrap();
    let folder = stage.read(&upn).examine("INBOX").unwrap();
    assert!(matches!(
        plan(Some(cursor), &folder),
        Plan::ResyncAll {
            why: Resync::UidValidityChanged { .. }
        }
    ));
}

#[test]
fn a_message_that_is_listed_but_not_given_is_absent() {
    let stage = Stage::new();
    let upn = stage.add_empty("lena", Language::En);
    let world = stage.simulator.world();
    world.deliver(&upn, &mail("mia@shop.example", "m1"));
    world.deliver(&upn, &mail("mia@shop.example", "m2"));
    let first = world.folder(&upn, "INBOX")[0].uid;
    assert!(world.set_unfetchable(&upn, "INBOX", first, true));
    let mut session = stage.read(&upn);
    session.examine("INBOX").unwrap();
    let uids = session.uids_from(1).unwrap();
    assert_eq!(uids.len(), 2);
    assert_eq!(session.fetch(&uids).unwrap().len(), 1);
}

#[test]
fn localized_folders_are_recognised_with_and_without_flags() {
    let stage = Stage::new();
    for (name, language) in [
        ("en", Language::En),
        ("de", Language::De),
        ("fr", Language::Fr),
    ] {
        for flags in [false, true] {
            let upn = stage.add_empty(&format!("{name}{flags}"), language);
            let world = stage.simulator.world();
            world.update_user(&upn, |user| user.list_flags = flags);
            let folders = stage.read(&upn).list_folders().unwrap();
            let named = |role| {
                let mut all = folders.iter().filter(|f| f.role == Some(role));
                let one = all.next().map(|f| f.name.clone());
                assert_eq!(all.next(), None, "{role:?} twice in {name}");
                one
            };
            assert_eq!(named(FolderRole::Sent), world.folder_name(&upn, Role::Sent));
            assert_eq!(
                named(FolderRole::Drafts),
                world.folder_name(&upn, Role::Drafts)
            );
            assert_eq!(named(FolderRole::Junk), world.folder_name(&upn, Role::Junk));
            assert!(named(FolderRole::Inbox).is_some());
            let not_mail = folders
                .iter()
                .filter(|f| f.role == Some(FolderRole::NotMail));
            assert!(not_mail.count() >= 3, "{folders:?}");
        }
    }
}

#[test]
fn a_server_that_offers_imap4rev2_is_still_spoken_to_as_rev1() {
    let stage = Stage::new();
    let upn = stage.add_empty("lena", Language::En);
    stage.simulator.world().set_quirks(|quirks| {
        quirks.imap4rev2 = true;
        quirks.login_disabled = true;
        quirks.size_before_uid = true;
    });
    stage
        .simulator
        .world()
        .deliver(&upn, &mail("mia@shop.example", "m1"));
    let mut session = stage.read(&upn);
    session.examine("INBOX").unwrap();
    let uids = session.uids_from(1).unwrap();
    assert_eq!(session.fetch(&uids).unwrap().len(), 1);
}

#[test]
fn idle_hears_new_mail_within_a_second_and_goodbye_as_well() {
    let stage = Stage::new();
    let upn = stage.add_empty("lena", Language::En);
    let mut session = stage.read(&upn);
    session.examine("INBOX").unwrap();
    assert!(session.has_idle());
    assert_eq!(
        session.idle(Duration::from_millis(200)).unwrap(),
        IdleEnd::Nothing
    );
    let idling = std::thread::spawn(move || {
        let end = session.idle(Duration::from_secs(30));
        (end, session)
    });
    let started = Instant::now();
    stage
        .simulator
        .world()
        .deliver(&upn, &mail("mia@shop.example", "m1"));
    let (end, mut session) = idling.join().unwrap();
    assert_eq!(end.unwrap(), IdleEnd::NewMail);
    assert!(started.elapsed() < Duration::from_secs(5));
    stage.simulator.world().end_sessions(&upn);
    let problem = session.idle(Duration::from_secs(5)).unwrap_err();
    assert!(problem.is_transient(), "{problem}");
}

#[test]
fn sign_in_refusals_are_told_apart() {
    let stage = Stage::new();
    let upn = stage.add_empty("lena", Language::En);
    let wrong = Login::new(&upn, "not-a-token");
    assert_eq!(code(stage.try_read(&wrong)), "imap_auth_failed");
    stage
        .simulator
        .world()
        .set_quirks(|quirks| quirks.json_challenge = true);
    let problem = stage.try_read(&wrong).unwrap_err();
    assert_eq!(problem.code, "imap_auth_failed");
    assert!(problem.detail.contains("status"), "{}", problem.detail);
    let graph_token = stage.login_for(&upn, &upn, &[GRAPH]);
    assert_eq!(code(stage.try_read(&graph_token)), "imap_auth_failed");
    let login = stage.login_for(&upn, &upn, &[IMAP]);
    stage
        .simulator
        .world()
        .update_user(&upn, |user| user.imap_enabled = false);
    assert_eq!(code(stage.try_read(&login)), "imap_not_connected");
}

#[test]
fn a_shared_mailbox_is_opened_by_whoever_has_full_access() {
    let stage = Stage::new();
    let shared = &stage.demo.orders_address;
    let staff = &stage.demo.staff_upns[0];
    let mut session = stage
        .try_read(&stage.login_for(staff, shared, &[IMAP]))
        .unwrap();
    session.examine("INBOX").unwrap();
    let stranger = stage.add_empty("lena", Language::En);
    let refused = stage.try_read(&stage.login_for(&stranger, shared, &[IMAP]));
    assert_eq!(code(refused), "imap_not_connected");
}

#[test]
fn throttling_and_trouble_behind_the_front_end_are_told() {
    let stage = Stage::new();
    let upn = stage.add_empty("lena", Language::En);
    stage.fault(Point::ImapSelect, "NO Server Unavailable. 15");
    assert_eq!(
        code(stage.read(&upn).examine("INBOX")),
        "imap_server_unavailable"
    );
    stage.fault(
        Point::ImapFetch,
        "BAD Request is throttled. Suggested Backoff Time: 120000 milliseconds",
    );
    let mut session = stage.read(&upn);
    session.examine("INBOX").unwrap();
    assert_eq!(session.uids_from(1).unwrap_err().wait_seconds(), 120);
}

#[test]
fn business_mail_keeps_its_id_and_personal_mail_gets_a_new_one() {
    let stage = Stage::new();
    let (upn, address) = (&stage.demo.support_upn, &stage.demo.support_address);
    let login = stage.login_for(upn, upn, &[IMAP, SMTP]);
    let raw = mail(address, "work-1");
    let outcome = stage.send(&login, address, &["x@shop.example"], &raw);
    let Outcome::Accepted {
        effective_message_id,
        refused_recipients,
        reply,
    } = outcome
    else {
        panic!("{outcome:?}");
    };
    assert_eq!(
        effective_message_id.as_deref(),
        Some("<work-1@desk.example.com>"),
        "{reply}"
    );
    assert_eq!(refused_recipients, []);

    let personal = &stage.demo.personal_upn;
    let login = stage.login_for(personal, personal, &[IMAP, SMTP]);
    let outcome = stage.send(
        &login,
        personal,
        &["x@shop.example"],
        &mail(personal, "home-1"),
    );
    let Outcome::Accepted {
        effective_message_id,
        ..
    } = outcome
    else {
        panic!("{outcome:?}");
    };
    let new_id = effective_message_id.unwrap();
    assert!(
        new_id.to_lowercase().ends_with(".prod.outlook.com>"),
        "{new_id}"
    );

    let mut session = stage.try_read(&login).unwrap();
    let folders = session.list_folders().unwrap();
    let sent = folders
        .iter()
        .find(|f| f.role == Some(FolderRole::Sent))
        .unwrap();
    session.examine(&sent.raw_name).unwrap();
    let by_new = session.find_message_id(&new_id).unwrap();
    assert_eq!(by_new.len(), 1);
    assert_eq!(
        session
            .find_message_id("<home-1@desk.example.com>")
            .unwrap(),
        by_new
    );

    let sent = stage.simulator.world().submissions();
    assert_eq!(
        sent[0]
            .raw
            .windows(9)
            .filter(|w| *w == b"\r\n.a line")
            .count(),
        1
    );
    assert!(sent.iter().all(|s| s.via == Via::Smtp));
}

#[test]
fn smtp_auth_switched_off_suggests_graph_and_graph_sends() {
    let stage = Stage::new();
    let (upn, address) = (&stage.demo.support_upn, &stage.demo.support_address);
    let world = stage.simulator.world();
    let login = stage.login_for(upn, upn, &[IMAP, SMTP]);
    let server = stage.smtp_server();
    let probe = || {
        smtp::verify(
            &server,
            &stage.trust,
            &login,
            "desk.example.com",
            Timeouts::default(),
        )
    };
    probe().unwrap();
    for (state, expected) in [
        (SmtpAuth::DisabledForTenant, "smtp_auth_disabled_tenant"),
        (SmtpAuth::DisabledForMailbox, "smtp_auth_disabled_mailbox"),
    ] {
        world.update_user(upn, |user| user.smtp_auth = state);
        let refusal = probe().unwrap_err();
        assert_eq!(refusal.suggests, Some(Suggestion::UseGraph));
        assert_eq!(refusal.problem.code, expected);
    }
    let token = stage.login_for(upn, upn, &[GRAPH]).access_token;
    let graph_url = &stage.simulator.endpoints().graph_url;
    let http = Http::new(None).unwrap();
    let raw = mail(address, "graph-1");
    let outcome = graph::send_mail(&http, graph_url, &token, &SendAs::Me, &raw);
    assert_eq!(outcome, graph::Outcome::Accepted);
    let sent = world.submissions();
    assert_eq!(sent.last().unwrap().via, Via::Graph);

    let other = SendAs::Mailbox(stage.demo.orders_address.clone());
    let stranger = stage.add_empty("lena", Language::En);
    let theirs = stage.login_for(&stranger, &stranger, &[GRAPH]).access_token;
    let outcome = graph::send_mail(&http, graph_url, &theirs, &other, &raw);
    assert!(
        matches!(outcome, graph::Outcome::Refused { .. }),
        "{outcome:?}"
    );
    let outcome = graph::send_mail(&http, graph_url, "bad", &SendAs::Me, &raw);
    assert!(matches!(
        outcome,
        graph::Outcome::Refused {
            refresh_token: true,
            ..
        }
    ));
    let gone = |action| stage.simulator.faults().once(Point::Graph, action);
    gone(Action::Close);
    let outcome = graph::send_mail(&http, graph_url, &token, &SendAs::Me, &raw);
    assert!(
        matches!(outcome, graph::Outcome::Unknown { .. }),
        "{outcome:?}"
    );
}

#[test]
fn refusals_at_every_stage_are_told_and_a_lost_answer_is_unknown() {
    let stage = Stage::new();
    let (upn, address) = (&stage.demo.support_upn, &stage.demo.support_address);
    let login = stage.login_for(upn, upn, &[IMAP, SMTP]);
    let raw = mail(address, "r-1");
    let attempt = || stage.send(&login, address, &["x@shop.example"], &raw);
    let cases = [
        (
            Point::SmtpGreeting,
            "421 4.3.2 Service not active",
            SmtpStage::Connect,
            "smtp_service_unavailable",
        ),
        (
            Point::SmtpAuth,
            "535 5.7.3 Authentication unsuccessful",
            SmtpStage::SignIn,
            "smtp_auth_failed",
        ),
        (
            Point::SmtpMail,
            "550 5.7.60 SMTP; Client does not have permissions to send as this sender",
            SmtpStage::Sender,
            "smtp_send_as_denied",
        ),
        (
            Point::SmtpRcpt,
            "550 5.1.10 RESOLVER.ADR.RecipientNotFound",
            SmtpStage::Recipients,
            "smtp_recipient_unknown",
        ),
        (
            Point::SmtpData,
            "554 5.2.2 mailbox full",
            SmtpStage::Content,
            "smtp_mailbox_full",
        ),
    ];
    for (point, reply, at, expected) in cases {
        stage.fault(point, reply);
        let Outcome::Refused(refusal) = attempt() else {
            panic!("accepted in spite of {reply}");
        };
        assert_eq!(
            (refusal.stage, refusal.problem.code.as_str()),
            (at, expected)
        );
    }
    let before = stage.simulator.world().submissions().len();
    stage
        .simulator
        .faults()
        .once(Point::SmtpAccepted, Action::Close);
    let outcome = attempt();
    assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
    let after = stage.simulator.world().submissions().len();
    assert_eq!(after, before + 1, "and it had been sent indeed");
    assert!(matches!(attempt(), Outcome::Accepted { .. }));
}

#[test]
fn sending_as_somebody_else_is_refused() {
    let stage = Stage::new();
    let upn = stage.add_empty("lena", Language::En);
    let login = stage.login_for(&upn, &upn, &[IMAP, SMTP]);
    let from = &stage.demo.orders_address;
    let Outcome::Refused(refusal) =
        stage.send(&login, from, &["x@shop.example"], &mail(from, "s-1"))
    else {
        panic!("accepted");
    };
    assert_eq!(refusal.problem.code, "smtp_send_as_denied");
    assert!(refusal.problem.command.unwrap().contains(from.as_str()));
}
