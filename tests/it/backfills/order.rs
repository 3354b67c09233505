//! Threads come out the same whether mail is read as it came or the newest first, folder after folder.

use std::collections::BTreeSet;

use mailhatch::mail::thread::make_thread_index;
use mailhatch::model::{FolderRole, TakeFrom, View};
use mailhatch::work::connect;

use super::{Archive, DAY, dated};
use crate::support::stage::{NOW, Stage};

const US: &str = "support@harbourlights.example";

/// One message of the year.
struct Piece {
    at: i64,
    is_sent: bool,
    raw: Vec<u8>,
}

/// Threads of every kind, spread over a year so that each lies across many batches, with unrelated mail
/// in between.
fn year() -> Vec<Piece> {
    let mut pieces = Vec::new();
    let start = NOW - 360 * DAY;
    for thread in 0..24 {
        let begun = start + i64::try_from(thread).unwrap() * 10 * DAY;
        pieces.extend(one_thread(thread, begun));
    }
    for n in 0..60 {
        let at = start + n * 6 * DAY + 7_000;
        let from = format!("Stranger {n} <stranger{n}@else.example>");
        let raw = dated(
            at,
            &from,
            &format!("Offer {n}"),
            &format!("s{n}@else.example"),
            "",
        );
        pieces.push(Piece {
            at,
            is_sent: false,
            raw,
        });
    }
    pieces.sort_by_key(|piece| piece.at);
    pieces
}

/// One matter of a customer's.
struct Thread {
    number: usize,
    begun: i64,
}

impl Thread {
    fn id(&self, n: usize) -> String {
        format!("t{}-{n}@shop.example", self.number)
    }

    fn who(&self) -> String {
        format!("Mia {0} <mia{0}@shop.example>", self.number)
    }

    fn boss(&self) -> String {
        format!("Boss {0} <boss{0}@shop.example>", self.number)
    }

    fn subject(&self) -> String {
        format!("Lamp number {}", self.number)
    }

    fn again(&self) -> String {
        format!("Re: {}", self.subject())
    }

    /// Header fields that answer the last of these and name them all.
    fn refers(&self, names: &[usize]) -> String {
        let ids: Vec<String> = names.iter().map(|n| format!("<{}>", self.id(*n))).collect();
        let last = ids.last().unwrap();
        format!("In-Reply-To: {last}\r\nReferences: {}\r\n", ids.join(" "))
    }

    fn came(&self, day: i64, from: &str, subject: &str, n: usize, more: &str) -> Piece {
        let at = self.begun + day * DAY;
        Piece {
            at,
            is_sent: false,
            raw: dated(at, from, subject, &self.id(n), more),
        }
    }

    /// Our answer, as Sent Items has it.
    fn sent(&self, day: i64, n: usize, more: &str) -> Piece {
        let us = format!("Support <{US}>");
        let piece = self.came(day, &us, &self.again(), n, more);
        let raw = String::from_utf8(piece.raw).unwrap();
        let to = format!("To: mia{}@shop.example", self.number);
        Piece {
            is_sent: true,
            raw: raw.replace(&format!("To: {US}"), &to).into_bytes(),
            ..piece
        }
    }

    /// Full references, our answers in Sent Items, and a second person at the end.
    fn with_references(&self) -> Vec<Piece> {
        vec![
            self.came(0, &self.who(), &self.subject(), 1, ""),
            self.sent(1, 2, &self.refers(&[1])),
            self.came(12, &self.who(), &self.again(), 3, &self.refers(&[1, 2])),
            self.sent(20, 4, &self.refers(&[1, 2, 3])),
            self.came(
                45,
                &self.boss(),
                &self.again(),
                5,
                &self.refers(&[1, 2, 3, 4]),
            ),
        ]
    }

    /// Each names only the one before; one of them is not in the mailbox.
    fn with_a_gap(&self) -> Vec<Piece> {
        vec![
            self.came(0, &self.who(), &self.subject(), 1, ""),
            self.came(3, &self.who(), &self.again(), 3, &self.refers(&[2])),
            self.came(9, &self.boss(), &self.again(), 4, &self.refers(&[3])),
            self.came(30, &self.who(), &self.again(), 5, &self.refers(&[4, 1])),
        ]
    }

    /// No ids at all: subject and sender. The last comes too late.
    fn by_subject(&self) -> Vec<Piece> {
        [
            (0, self.subject()),
            (10, self.again()),
            (35, self.again()),
            (60, self.again()),
            (100, self.again()),
        ]
        .into_iter()
        .zip(1..)
        .map(|((day, subject), n)| self.came(day, &self.who(), &subject, n, ""))
        .collect()
    }

    /// Outlook's Thread-Index, with a subject that changes on the way.
    fn of_outlook(&self) -> Vec<Piece> {
        let first = make_thread_index(None, self.begun, &self.id(0));
        let second = make_thread_index(Some(&first), self.begun + 15 * DAY, "second");
        let index = |text: &str| format!("Thread-Index: {text}\r\n");
        let mut all = vec![
            self.came(0, &self.who(), &self.subject(), 1, &index(&first)),
            self.came(50, &self.who(), "Re: the other one", 3, &index(&second)),
        ];
        if (self.number / 6).is_multiple_of(2) {
            all.push(self.came(15, &self.boss(), &self.again(), 2, &index(&second)));
        }
        all
    }

    /// The customer answers old mail to write about something else.
    fn about_something_else(&self) -> Vec<Piece> {
        let other = "Re: Parking permit";
        vec![
            self.came(0, &self.who(), &self.subject(), 1, ""),
            self.came(2, &self.who(), &self.again(), 2, &self.refers(&[1])),
            self.came(40, &self.who(), "Parking permit", 3, &self.refers(&[1])),
            self.came(42, &self.who(), other, 4, &self.refers(&[3])),
            self.came(44, &self.who(), other, 5, &self.refers(&[1, 3, 4])),
        ]
    }

    /// Many answers to one, an automatic answer, and a list.
    fn with_many_answers(&self) -> Vec<Piece> {
        let away = format!("{}Auto-Submitted: auto-replied\r\n", self.refers(&[1]));
        let (ann, list) = ("Ann <ann@shop.example>", "News <news@else.example>");
        vec![
            self.came(0, &self.who(), &self.subject(), 1, ""),
            self.came(5, &self.boss(), &self.again(), 2, &self.refers(&[1])),
            self.came(6, ann, &self.again(), 3, &self.refers(&[1])),
            self.came(8, &self.who(), "Automatic reply: away", 4, &away),
            self.came(9, list, &self.again(), 5, "List-Id: <l.else.example>\r\n"),
        ]
    }
}

fn one_thread(number: usize, begun: i64) -> Vec<Piece> {
    let thread = Thread { number, begun };
    match number % 6 {
        0 => thread.with_references(),
        1 => thread.with_a_gap(),
        2 => thread.by_subject(),
        3 => thread.of_outlook(),
        4 => thread.about_something_else(),
        _ => thread.with_many_answers(),
    }
}

/// A conversation as people know it: subject, contact, beginning, and what is in it.
type Told = (String, String, i64, Vec<String>);

fn told(stage: &Stage) -> BTreeSet<Told> {
    [View::Open, View::Waiting, View::Closed]
        .into_iter()
        .flat_map(|view| stage.conversations(view))
        .map(|number| {
            let conversation = stage.conversation(number);
            let messages = stage.messages(number);
            let ids = messages.iter().map(|one| one.internet_message_id.clone());
            (
                conversation.subject,
                conversation.contact.address,
                conversation.created_at,
                ids.collect(),
            )
        })
        .collect()
}

fn put(stage: &Stage, piece: &Piece) {
    let address = &stage.demo.support_address;
    let folder = if piece.is_sent { "Sent Items" } else { "INBOX" };
    let put = stage
        .simulator
        .world()
        .append_at(address, folder, &piece.raw, piece.at);
    assert!(put.is_some());
}

#[test]
fn conversations_are_the_same_whichever_way_the_mail_was_read() {
    let pieces = year();
    let as_it_came = Stage::new();
    let id = as_it_came.consent("", &as_it_came.demo.support_upn);
    connect::choose(&as_it_came.services, id, TakeFrom::All, 0).unwrap();
    as_it_came.receives(id, 0);
    for piece in &pieces {
        put(&as_it_came, piece);
        as_it_came.receives(id, 1);
    }

    let stage = Stage::new();
    for piece in &pieces {
        put(&stage, piece);
    }
    let id = stage.consent("", &stage.demo.support_upn);
    connect::choose(&stage.services, id, TakeFrom::New, 0).unwrap();
    stage.receives(id, 0);
    let newest_first = Archive {
        stage,
        id,
        now: NOW,
    };
    assert!(newest_first.folder(FolderRole::Sent).first_uid > 1);
    newest_first.ask(None);
    let backfill = newest_first.run();
    assert_eq!(usize::try_from(backfill.received()).unwrap(), pieces.len());

    let (expected, found) = (told(&as_it_came), told(&newest_first.stage));
    let missing: Vec<_> = expected.difference(&found).collect();
    let instead: Vec<_> = found.difference(&expected).collect();
    assert!(
        missing.is_empty(),
        "not so: {missing:#?}\ninstead: {instead:#?}"
    );
    assert_eq!(expected.len(), found.len());
}
