//! Older mail by date range: what is announced comes, once, as history, and new mail never waits for it.

mod history;
mod order;
mod pages;
mod progress;

use mailhatch::clock::Clock;
use mailhatch::model::{
    Backfill, BackfillId, BackfillState, Days, Folder, FolderRole, MailboxId, TakeFrom, View,
};
use mailhatch::store;
use mailhatch::work::wake::Wake;
use mailhatch::work::{BackfillStep, Backfiller, backfill_step, connect};

use crate::support::stage::Stage;

const DAY: i64 = 86_400;

/// A message of its own, sent at this time by a customer of its own.
fn letter(n: usize, at: i64) -> Vec<u8> {
    dated(
        at,
        &format!("Customer {n} <customer{n}@shop.example>"),
        &format!("Question {n}"),
        &format!("old-{n}@shop.example"),
        "",
    )
}

/// A plain message with a Date.
fn dated(at: i64, from: &str, subject: &str, id: &str, more: &str) -> Vec<u8> {
    let date = chrono::DateTime::from_timestamp(at, 0)
        .unwrap()
        .to_rfc2822();
    format!(
        "From: {from}\r\nTo: support@harbourlights.example\r\nSubject: {subject}\r\nDate: {date}\r\n\
         Message-ID: <{id}>\r\n{more}MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n\
         A question about a lamp.\r\n"
    )
    .into_bytes()
}

/// A mailbox with a year of mail, connected for new mail only.
struct Archive {
    stage: Stage,
    id: MailboxId,
    /// When it was connected.
    now: i64,
}

impl Archive {
    /// With so many messages in its inbox, evenly over the year before it was connected.
    fn new(messages: usize) -> Self {
        Self::on(Clock::hand(crate::support::stage::NOW), messages)
    }

    /// As [`Archive::new`], by another clock.
    fn on(clock: Clock, messages: usize) -> Self {
        let stage = Stage::with(clock, &[]);
        let now = stage.clock.now();
        for n in 0..messages {
            let before = i64::try_from(messages - n).unwrap();
            let at = now - before * 365 * DAY / i64::try_from(messages).unwrap();
            stage
                .simulator
                .world()
                .deliver_at(&stage.demo.support_address, &letter(n, at), at);
        }
        let id = stage.consent("", &stage.demo.support_upn);
        connect::choose(&stage.services, id, TakeFrom::New, 0).unwrap();
        stage.receives(id, 0);
        Self { stage, id, now }
    }

    fn folders(&self) -> Vec<Folder> {
        let folders = self
            .stage
            .services
            .store
            .read(|db| store::folders::list(db, self.id));
        folders.unwrap()
    }

    fn folder(&self, role: FolderRole) -> Folder {
        let found = self.folders().into_iter().find(|one| one.role == role);
        found.unwrap()
    }

    /// Asks for older mail of all folders.
    fn ask(&self, days: Option<Days>) -> BackfillId {
        let folders: Vec<_> = self.folders().iter().map(|folder| folder.id).collect();
        let (agent, now) = (self.stage.admin.agent.id, self.stage.clock.now());
        let begun = self
            .stage
            .services
            .store
            .write(|tx| store::backfills::insert(tx, self.id, agent, days, &folders, now));
        begun.unwrap()
    }

    fn backfill(&self) -> Backfill {
        let found = self
            .stage
            .services
            .store
            .read(|db| store::backfills::find_newest(db, self.id));
        found.unwrap().unwrap()
    }

    fn step(&self, backfiller: &mut Backfiller) -> BackfillStep {
        backfill_step(&self.stage.services, backfiller, self.id, &Wake::default())
    }

    /// Steps until this many messages have their fate.
    fn step_until(&self, backfiller: &mut Backfiller, done: i64) {
        for _ in 0..200 {
            if self.backfill().total() > 0
                && self.backfill().total() - self.backfill().left() >= done
            {
                return;
            }
            let step = self.step(backfiller);
            assert!(matches!(step, BackfillStep::Fetched(_)), "{step:?}");
        }
        panic!("it never came so far");
    }

    /// Steps to the end, which must be good.
    fn run(&self) -> Backfill {
        let backfill = self.run_to(BackfillState::Done);
        assert_eq!((backfill.left(), &backfill.problem), (0, &None));
        backfill
    }

    /// Steps to the end; failures on the way are waited out.
    fn run_to(&self, state: BackfillState) -> Backfill {
        let mut backfiller = Backfiller::default();
        for _ in 0..500 {
            match self.step(&mut backfiller) {
                BackfillStep::Nothing => {
                    let backfill = self.backfill();
                    assert_eq!(backfill.state, state, "{backfill:?}");
                    return backfill;
                }
                BackfillStep::GivesWay(reason) => panic!("it waits: {reason}"),
                _ => {}
            }
        }
        panic!("it never ended: {:?}", self.backfill());
    }

    /// The Message-IDs of all messages stored, sorted.
    fn stored(&self) -> Vec<String> {
        let views = [View::Open, View::Waiting, View::Closed];
        let mut ids: Vec<String> = views
            .into_iter()
            .flat_map(|view| self.stage.conversations(view))
            .flat_map(|number| self.stage.messages(number))
            .map(|message| message.internet_message_id)
            .collect();
        ids.sort();
        ids
    }

    /// Every message of the archive is stored once.
    fn everything_once(&self, messages: usize) {
        let mut expected: Vec<String> = (0..messages)
            .map(|n| format!("old-{n}@shop.example"))
            .collect();
        expected.sort();
        assert_eq!(self.stored(), expected);
    }

    /// How many messages of a folder have a fate.
    fn fated(&self, role: FolderRole) -> i64 {
        let id = self.folder(role).id;
        let counted = self
            .stage
            .services
            .store
            .read(|db| store::fates::count(db, id));
        counted.unwrap().iter().map(|row| row.count).sum()
    }
}
