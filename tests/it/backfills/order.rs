//! Threads come out the same whether mail is read as it came or the newest first, folder after folder.

use std::collections::BTreeSet;

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

fn one_thread(thread: usize, begun: i64) -> Vec<Piece> {
    let who = format!("Mia {thread} <mia{thread}@shop.example>");
    let boss = format!("Boss {thread} <boss{thread}@shop.example>");
    let id = |n: usize| format!("t{thread}-{n}@shop.example");
    let refers = |names: &[usize]| {
        let last = names
            .last()
            .map(|n| format!("In-Reply-To: <{}>\r\n", id(*n)));
        let all: Vec<String> = names.iter().map(|n| format!("<{}>", id(*n))).collect();
        format!(
            "{}References: {}\r\n",
            last.unwrap_or_default(),
            all.join(" ")
        )
    };
    let subject = format!("Lamp number {thread}");
    let again = format!("Re: {subject}");
    let from_us = format!("Support <{US}>");
    let came = |day: i64, from: &str, subject: &str, n: usize, more: &str| Piece {
        at: begun + day * DAY,
        is_sent: false,
        raw: dated(begun + day * DAY, from, subject, &id(n), more),
    };
    let sent = |day: i64, n: usize, more: &str| Piece {
        at: begun + day * DAY,
        is_sent: true,
        raw: String::from_utf8(dated(begun + day * DAY, &from_us, &again, &id(n), more))
            .unwrap()
            .replace(
                &format!("To: {US}"),
                &format!("To: mia{thread}@shop.example"),
            )
            .into_bytes(),
    };
    match thread % 6 {
        // A conversation with full references, our answers in Sent Items, and a second person at the end.
        0 => vec![
            came(0, &who, &subject, 1, ""),
            sent(1, 2, &refers(&[1])),
            came(12, &who, &again, 3, &refers(&[1, 2])),
            sent(20, 4, &refers(&[1, 2, 3])),
            came(45, &boss, &again, 5, &refers(&[1, 2, 3, 4])),
        ],
        // Each names only the one before; one of them is not in the mailbox.
        1 => vec![
            came(0, &who, &subject, 1, ""),
            came(3, &who, &again, 3, &refers(&[2])),
            came(9, &boss, &again, 4, &refers(&[3])),
            came(30, &who, &again, 5, &refers(&[4, 1])),
        ],
        // No ids at all: subject and sender.
        2 => vec![
            came(0, &who, &subject, 1, ""),
            came(10, &who, &again, 2, ""),
            came(35, &who, &again, 3, ""),
            came(60, &who, &again, 4, ""),
            // Too late.
            came(100, &who, &again, 5, ""),
        ],
        // Outlook's Thread-Index.
        3 => {
            let index = |tail: &str| {
                let guid = format!("AdZ{:0>4}AAAAAAAAAAAAAAAAAAAAAA", thread);
                let bytes = format!("{guid:A<28}");
                format!("Thread-Index: {}{tail}\r\n", &bytes[..28])
            };
            vec![
                came(0, &who, &subject, 1, &index("")),
                came(15, &who, &again, 2, &index("AAAAA==")),
                came(50, &boss, &again, 3, &index("AAAAAAAAAAA=")),
            ]
        }
        // The customer answers old mail to write about something else.
        4 => vec![
            came(0, &who, &subject, 1, ""),
            came(2, &who, &again, 2, &refers(&[1])),
            came(40, &who, "Parking permit", 3, &refers(&[1])),
            came(42, &who, "Re: Parking permit", 4, &refers(&[3])),
            came(44, &who, "Re: Parking permit", 5, &refers(&[1, 3, 4])),
        ],
        // Many answers to one, an automatic answer, and a list.
        _ => vec![
            came(0, &who, &subject, 1, ""),
            came(5, &boss, &again, 2, &refers(&[1])),
            came(6, "Ann <ann@shop.example>", &again, 3, &refers(&[1])),
            came(7, "Ben <ben@shop.example>", &again, 4, &refers(&[1])),
            came(
                8,
                &who,
                "Automatic reply: away",
                5,
                &format!("{}Auto-Submitted: auto-replied\r\n", refers(&[1])),
            ),
            came(
                9,
                "News <news@else.example>",
                &again,
                6,
                "List-Id: <l.else.example>\r\n",
            ),
        ],
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
