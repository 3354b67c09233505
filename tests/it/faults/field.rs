//! A mailbox whose lines to the pretend Microsoft 365 can be spoiled, and what must be true of it in
//! the end.

use std::cell::RefCell;
use std::time::Duration;

use mailhatch::clock::Clock;
use mailhatch::config::Patience;
use mailhatch::mail;
use mailhatch::model::{ConversationId, DeliveryState, MailboxId, View};
use mailhatch::problem::Problem;
use mailhatch::reply::Queued;
use mailhatch::store;
use mailhatch::work::{PollStep, Poller, SendStep, Sender, poll_step, send_step, wake::Wake};
use mailhatch_simulator::faults::{Action, Point};

use crate::interop::proxy::{Plan, Proxy};
use crate::support::stage::{NOW, Stage, mail as write};

/// Long enough for a busy machine.
const PATIENT: Patience = Patience {
    connect: Duration::from_secs(10),
    answer: Duration::from_secs(10),
    verdict: Duration::from_secs(10),
    request: Duration::from_secs(10),
};

/// Short enough for a test that waits for it.
pub(super) const HURRIED: Patience = Patience {
    connect: Duration::from_millis(800),
    answer: Duration::from_millis(800),
    verdict: Duration::from_millis(800),
    request: Duration::from_millis(800),
};

/// A mailbox with its lines.
pub(super) struct Field {
    pub(super) stage: Stage,
    pub(super) imap: Proxy,
    pub(super) smtp: Proxy,
    pub(super) graph: Proxy,
    pub(super) id: MailboxId,
    delivered: RefCell<Vec<String>>,
    queued: RefCell<Vec<Queued>>,
}

/// The port at the end of an address.
pub(super) fn port(address: &str) -> u16 {
    let digits = address.rsplit(':').next().unwrap();
    digits.trim_end_matches("/graph").parse().unwrap()
}

/// The problem shown is the one that happened; it says these words, and what to do.
fn told(shown: &Problem, happened: &Problem, words: &str) {
    assert_eq!(shown, happened);
    let told = format!("{} {}", shown.sentence, shown.remedy);
    assert!(told.contains(words), "{told}");
    assert!(!shown.remedy.is_empty());
}

impl Field {
    /// Connected, its empty inbox read, nothing spoiled yet; time stands still.
    pub(super) fn new() -> Self {
        Self::on(Clock::hand(NOW))
    }

    /// As [`Field::new`], by another clock.
    pub(super) fn on(clock: Clock) -> Self {
        let field = Self::unread(clock);
        field.stage.receives(field.id, 0);
        field
    }

    /// Connected, but not read even once.
    pub(super) fn unread(clock: Clock) -> Self {
        let mut stage = Stage::with(clock, &[]);
        let endpoints = stage.simulator.endpoints().clone();
        let [imap, smtp, graph] = [&endpoints.imap, &endpoints.smtp, &endpoints.graph_url]
            .map(|address| Proxy::before(port(address)));
        stage.reconfigure(|config| {
            config.endpoints.imap = Some(imap.address());
            config.endpoints.smtp = Some(smtp.address());
            config.endpoints.graph_url = Some(format!("http://{}/graph", graph.address()));
            config.patience = PATIENT;
        });
        let id = stage.connect();
        Self {
            stage,
            imap,
            smtp,
            graph,
            id,
            delivered: RefCell::default(),
            queued: RefCell::default(),
        }
    }

    /// Waits for other machines only shortly from now on.
    pub(super) fn hurried(mut self) -> Self {
        self.stage.reconfigure(|config| config.patience = HURRIED);
        self
    }

    /// The address whose mail is read.
    pub(super) fn address(&self) -> &str {
        &self.stage.demo.support_address
    }

    /// Lets a fault strike once.
    pub(super) fn once(&self, point: Point, action: Action) {
        self.stage.simulator.faults().once(point, action);
    }

    /// Lets a server say this once in place of its answer.
    pub(super) fn says(&self, point: Point, words: &str) {
        self.once(point, Action::Reply(words.to_owned()));
    }

    /// Delivers a message of its own with this much text.
    pub(super) fn deliver_sized(&self, bytes: usize) -> u32 {
        let mut delivered = self.delivered.borrow_mut();
        let n = delivered.len();
        let id = format!("message-{n}@shop.example");
        let from = format!("Customer {n} <customer{n}@shop.example>");
        let line = "The lamp does not burn, whatever I try with it.\r\n";
        let text = line.repeat(bytes.div_ceil(line.len()).max(1));
        let raw = write(&from, &format!("Lamp {n}"), &id, "", &text);
        delivered.push(id);
        let world = self.stage.simulator.world();
        assert!(world.deliver(self.address(), &raw));
        world.folder(self.address(), "INBOX").last().unwrap().uid
    }

    /// Delivers a message with an attachment of about this size.
    pub(super) fn deliver_attachment(&self, bytes: usize) {
        let mut delivered = self.delivered.borrow_mut();
        let id = format!("message-{}@shop.example", delivered.len());
        let line = format!("{}\r\n", "JVBERi0x".repeat(9));
        let raw = format!(
            "From: Mia <mia@shop.example>\r\nSubject: Large\r\nMessage-ID: <{id}>\r\n\
             Date: Fri, 15 Jan 2027 08:00:00 +0000\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n\
             See the file.\r\n--b\r\nContent-Type: application/pdf; name=lamp.pdf\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n{}--b--\r\n",
            line.repeat(bytes / line.len())
        );
        delivered.push(id);
        let world = self.stage.simulator.world();
        assert!(world.deliver(self.address(), raw.as_bytes()));
    }

    /// Delivers so many small messages.
    pub(super) fn deliver(&self, count: usize) {
        for _ in 0..count {
            self.deliver_sized(40);
        }
    }

    /// Polls, and expects it to fail with this problem, told on the mailbox in these words.
    pub(super) fn fails(&self, code: &str, words: &str) -> Problem {
        self.fails_with(&mut Poller::default(), code, words)
    }

    /// As [`Field::fails`], by a poller that goes on.
    pub(super) fn fails_with(&self, poller: &mut Poller, code: &str, words: &str) -> Problem {
        let step = poll_step(&self.stage.services, poller, self.id, &Wake::default());
        let PollStep::Failed(problem) = step else {
            panic!("it did not fail: {step:?}");
        };
        assert_eq!(problem.code, code, "{problem}");
        told(
            &self.stage.mailbox(self.id).problem.unwrap(),
            &problem,
            words,
        );
        problem
    }

    /// Polls until it goes well again, which must be soon; so many messages have come then.
    pub(super) fn recovers(&self, count: u64) {
        self.imap.set(Plan::PASS);
        let mut poller = Poller::default();
        let before = self.stored("incoming").len() as u64;
        for _ in 0..10 {
            let step = poll_step(&self.stage.services, &mut poller, self.id, &Wake::default());
            if let PollStep::Synced(_) = step {
                let received = self.stored("incoming").len() as u64 - before;
                assert_eq!(received, count);
                let mailbox = self.stage.mailbox(self.id);
                assert_eq!(mailbox.problem, None, "it is well again and says so");
                return;
            }
        }
        panic!("it does not receive again");
    }

    /// Receives one question and queues its answer.
    pub(super) fn asked(&self) -> Queued {
        self.deliver(1);
        self.stage.receives(self.id, 1);
        self.answer()
    }

    /// Queues an answer to the newest open conversation.
    pub(super) fn answer(&self) -> Queued {
        let number = self.stage.conversations(View::Open)[0];
        self.answer_to(number)
    }

    pub(super) fn answer_to(&self, number: ConversationId) -> Queued {
        let queued = self.stage.reply(number, "Try the other switch.");
        self.queued.borrow_mut().push(queued);
        queued
    }

    /// Queues an answer with an attachment of this size.
    pub(super) fn answer_large(&self, bytes: usize) -> Queued {
        let number = self.stage.conversations(View::Open)[0];
        let file = mailhatch::reply::ReplyFile {
            filename: "plan.bin".to_owned(),
            content_type: "application/octet-stream".to_owned(),
            bytes: vec![7; bytes],
        };
        let queued = self.stage.reply_with(number, "See the plan.", |draft| {
            draft.attachments.push(file);
        });
        self.queued.borrow_mut().push(queued);
        queued
    }

    /// Receives a question whose answer goes to two people.
    pub(super) fn asked_by_two(&self) -> Queued {
        self.deliver(1);
        self.stage.receives(self.id, 1);
        let number = self.stage.conversations(View::Open)[0];
        let queued = self.stage.reply_with(number, "Both of you.", |draft| {
            let other = mailhatch::model::Address::new("", "other@shop.example");
            draft.cc.push(other);
        });
        self.queued.borrow_mut().push(queued);
        queued
    }

    /// One step, after which the reply is queued and unblamed; says why.
    pub(super) fn send_step_closed(&self, queued: Queued) -> Problem {
        let _ = self.send_step();
        assert_eq!(self.delivery(queued).attempts, 0);
        self.stage.mailbox(self.id).send_problem.unwrap()
    }

    /// One step of a new sender.
    pub(super) fn send_step(&self) -> SendStep {
        send_step(&self.stage.services, &mut Sender::default(), self.id).unwrap()
    }

    /// The delivery of a reply.
    pub(super) fn delivery(&self, queued: Queued) -> mailhatch::model::Delivery {
        let found = self
            .stage
            .services
            .store
            .read(|db| store::deliveries::find(db, queued.delivery_id));
        found.unwrap().unwrap()
    }

    /// One step, after which the reply is in this state and says why.
    pub(super) fn tries(
        &self,
        queued: Queued,
        state: DeliveryState,
        code: &str,
        words: &str,
    ) -> Problem {
        let _ = self.send_step();
        let delivery = self.delivery(queued);
        assert_eq!(delivery.state, state, "{delivery:?}");
        let problem = delivery.problem.expect("it says why");
        assert_eq!(problem.code, code, "{problem}");
        told(&problem, &problem, words);
        problem
    }

    /// One step, after which the reply is still queued, untouched, and the mailbox says why it does not
    /// send.
    pub(super) fn way_out_closed(&self, queued: Queued, code: &str, words: &str) -> Problem {
        let _ = self.send_step();
        let delivery = self.delivery(queued);
        assert_eq!(delivery.state, DeliveryState::Queued, "{delivery:?}");
        assert_eq!(delivery.attempts, 0, "no reply is blamed for the mailbox");
        let problem = self
            .stage
            .mailbox(self.id)
            .send_problem
            .expect("it says why");
        assert_eq!(problem.code, code, "{problem}");
        told(&problem, &problem, words);
        problem
    }

    /// Goes on until every reply has left; time passes as need be.
    pub(super) fn all_leave(&self) {
        self.smtp.set(Plan::PASS);
        self.graph.set(Plan::PASS);
        self.imap.set(Plan::PASS);
        let mut sender = Sender::default();
        let left = |queued: &Queued| self.stage.state(*queued) == DeliveryState::Sent;
        for _ in 0..600 {
            if self.queued.borrow().iter().all(left) {
                return;
            }
            match send_step(&self.stage.services, &mut sender, self.id).unwrap() {
                SendStep::Worked => {}
                SendStep::Nothing(_) => self.stage.clock.advance(15),
            }
        }
        panic!("not all replies left");
    }

    /// The Message-IDs of one direction in the store, sorted.
    pub(super) fn stored(&self, direction: &str) -> Vec<String> {
        let ids = self.stage.services.store.read(|db| {
            let mut query = db.prepare(
                "SELECT internet_message_id FROM messages WHERE direction = ?1 AND mailbox_id = ?2
                 ORDER BY internet_message_id",
            )?;
            let rows = query.query_map((direction, self.id.0), |row| row.get(0))?;
            Ok::<_, store::Error>(rows.collect::<Result<Vec<String>, _>>()?)
        });
        ids.unwrap()
    }

    /// The Message-IDs that left through the pretend Exchange, sorted.
    pub(super) fn left(&self) -> Vec<String> {
        let mut ids: Vec<String> = self
            .stage
            .simulator
            .world()
            .submissions()
            .iter()
            .map(|submission| mail::parse(&submission.raw).0.message_id.unwrap())
            .collect();
        ids.sort();
        ids
    }

    /// What was delivered is stored, each once; what was queued left, each once; the store is sound.
    pub(super) fn everything_once(&self) {
        let mut delivered = self.delivered.borrow().clone();
        delivered.sort();
        assert_eq!(self.stored("incoming"), delivered, "received");
        assert_eq!(self.left(), self.stored("outgoing"), "sent");
        let unfinished = self
            .queued
            .borrow()
            .iter()
            .filter(|queued| self.stage.state(**queued) != DeliveryState::Sent)
            .count();
        assert_eq!(unfinished, 0, "replies not sent");
        // A further pass brings nothing and recognises our own copies.
        self.stage.receives(self.id, 0);
        let broken = self.stage.services.store.read(store::check::run).unwrap();
        assert_eq!(broken, Vec::<String>::new());
    }
}
