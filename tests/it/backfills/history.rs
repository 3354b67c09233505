//! What comes by a backfill is history: closed, read, news for nobody, and accounted for.

use mailhatch::model::{
    BackfillState, Days, Fate, FolderRole, InboxQuery, PlacedBy, Status, TakeFrom, View,
};
use mailhatch::store;
use mailhatch::work::{backfill, connect};

use super::{Archive, DAY, dated, letter};
use crate::support::stage::Stage;

fn sent_name(archive: &Archive) -> String {
    archive.folder(FolderRole::Sent).name
}

/// How many rows of a view the administrator has not read.
fn unread(stage: &Stage, view: View) -> usize {
    let query = InboxQuery {
        view,
        mailbox_id: None,
        agent_id: stage.admin.agent.id,
        after: None,
        limit: 1_000,
    };
    let page = stage
        .services
        .store
        .read(|db| store::inbox::page(db, &query));
    page.unwrap().rows.iter().filter(|row| row.unread).count()
}

#[test]
fn what_the_preview_announces_comes_and_what_is_known_is_counted() {
    let archive = Archive::new(365);
    let day = archive.now.div_euclid(DAY) * DAY;
    let spring = Days {
        from_at: day - 300 * DAY,
        until_at: day - 200 * DAY,
    };
    let folders: Vec<_> = archive.folders().iter().map(|folder| folder.id).collect();
    let preview = |days| {
        backfill::preview(&archive.stage.services, archive.id, Some(days), &folders).unwrap()
    };
    let announced = preview(spring);
    assert_eq!((announced.total, announced.known), (100, 0));
    assert!(announced.bytes > 100 * 200, "{announced:?}");
    archive.ask(Some(spring));
    let first = archive.run();
    assert_eq!(
        (first.total(), first.known(), first.received()),
        (100, 0, 100)
    );

    let wider = Days {
        until_at: day - 150 * DAY,
        ..spring
    };
    let announced = preview(wider);
    assert_eq!(
        (announced.total, announced.known, announced.wanted()),
        (150, 100, 50)
    );
    archive.ask(Some(wider));
    let second = archive.run();
    assert_eq!(
        (second.total(), second.known(), second.received()),
        (150, 100, 50)
    );
    assert_eq!(archive.stored().len(), 150);
    assert_eq!(archive.stage.fates(archive.id, Fate::Received), 150);
    // The cursor has not moved, and new mail comes as ever.
    let raw = letter(999, archive.now);
    let world = archive.stage.simulator.world();
    world.deliver(&archive.stage.demo.support_address, &raw);
    archive.stage.receives(archive.id, 1);
}

#[test]
fn history_arrives_closed_and_read_however_young_it_is() {
    let archive = Archive::new(73);
    let world = archive.stage.simulator.world();
    let fresh = letter(500, archive.now);
    world.deliver(&archive.stage.demo.support_address, &fresh);
    archive.stage.receives(archive.id, 1);
    assert_eq!(unread(&archive.stage, View::Open), 1);
    archive.ask(None);
    archive.run();
    assert_eq!(archive.stage.conversations(View::Closed).len(), 73);
    assert_eq!(archive.stage.conversations(View::Open).len(), 1);
    assert!(archive.stage.conversations(View::Waiting).is_empty());
    assert_eq!(unread(&archive.stage, View::Open), 1);
    assert_eq!(unread(&archive.stage, View::Closed), 0);
}

#[test]
fn an_older_message_joins_its_conversation_without_opening_it_or_making_it_unread() {
    let archive = Archive::new(0);
    let (stage, address) = (&archive.stage, &archive.stage.demo.support_address);
    let world = stage.simulator.world();
    // Two conversations go on now whose beginnings were there before.
    let before = archive.now - 60 * DAY;
    for topic in ["open", "closed"] {
        let first = dated(
            before,
            "Mia <mia@shop.example>",
            topic,
            &format!("{topic}-1@x.example"),
            "",
        );
        world.append_at(address, "INBOX", &first, before);
    }
    // They lie behind the cursor, as if they had been there before it was connected.
    stage.receives(archive.id, 0);
    for topic in ["open", "closed"] {
        let more = format!("In-Reply-To: <{topic}-1@x.example>\r\n");
        let answer = dated(
            archive.now,
            "Mia <mia@shop.example>",
            &format!("Re: {topic}"),
            &format!("{topic}-2@x.example"),
            &more,
        );
        world.append_at(address, "INBOX", &answer, archive.now);
    }
    stage.receives(archive.id, 2);
    let numbers = stage.conversations(View::Open);
    assert_eq!(numbers.len(), 2);
    let admin = &stage.admin.agent;
    for number in &numbers {
        mailhatch::desk::see(&stage.services.store, admin, *number).unwrap();
    }
    let is_closed = |number: &&_| stage.conversation(**number).subject == "closed";
    let closed = *numbers.iter().find(is_closed).unwrap();
    mailhatch::desk::close(&stage.services.store, archive.now, admin, closed).unwrap();

    archive.ask(None);
    assert_eq!(archive.run().received(), 2);
    for number in numbers {
        assert_eq!(stage.messages(number).len(), 2);
        let expected = if number == closed {
            Status::Closed
        } else {
            Status::Open
        };
        assert_eq!(stage.conversation(number).status, expected);
    }
    assert_eq!(
        (unread(stage, View::Open), unread(stage, View::Closed)),
        (0, 0)
    );
    // New mail in it is news again.
    let more = "In-Reply-To: <closed-1@x.example>\r\n";
    let news = dated(
        archive.now,
        "Mia <mia@shop.example>",
        "Re: closed",
        "closed-3@x.example",
        more,
    );
    world.append_at(address, "INBOX", &news, archive.now);
    stage.receives(archive.id, 1);
    assert_eq!(stage.conversation(closed).status, Status::Open);
    assert_eq!(unread(stage, View::Open), 1);
}

#[test]
fn replies_of_then_come_from_sent_items_as_outgoing() {
    let archive = Archive::new(10);
    let world = archive.stage.simulator.world();
    let address = &archive.stage.demo.support_address;
    let at = archive.now - 100 * DAY;
    let reply = format!(
        "From: {address}\r\nTo: customer3@shop.example\r\nSubject: Re: Question 3\r\n\
         In-Reply-To: <old-3@shop.example>\r\nMessage-ID: <reply@harbourlights.example>\r\n\r\nYes.\r\n"
    );
    world.append_at(address, &sent_name(&archive), reply.as_bytes(), at);
    archive.stage.receives(archive.id, 0);
    archive.ask(None);
    assert_eq!(archive.run().received(), 11);
    assert!(archive.stage.conversations(View::Waiting).is_empty());
    let closed = archive.stage.conversations(View::Closed);
    assert_eq!(closed.len(), 10);
    let both = closed
        .iter()
        .filter(|number| archive.stage.messages(**number).len() == 2)
        .count();
    assert_eq!(both, 1);
}

#[test]
fn only_when_every_message_has_its_fate_the_ledger_answers_for_the_whole_folder() {
    let archive = Archive::new(100);
    let first_uid = archive.folder(FolderRole::Inbox).first_uid;
    assert_eq!(first_uid, 101);
    let day = archive.now.div_euclid(DAY) * DAY;
    archive.ask(Some(Days {
        from_at: day - 200 * DAY,
        until_at: day,
    }));
    archive.run();
    assert_eq!(archive.folder(FolderRole::Inbox).first_uid, first_uid);
    // The rest in a second go: together they are everything.
    archive.ask(Some(Days {
        from_at: day - 500 * DAY,
        until_at: day - 199 * DAY,
    }));
    archive.run();
    assert_eq!(archive.fated(FolderRole::Inbox), 100);
    assert_eq!(archive.folder(FolderRole::Inbox).first_uid, 1);
    archive.stage.receives(archive.id, 0);
    archive.everything_once(100);
}

#[test]
fn what_was_passed_over_as_too_old_is_taken_by_a_backfill() {
    let stage = Stage::new();
    let (now, world) = (stage.clock.now(), stage.simulator.world());
    let address = stage.demo.support_address.clone();
    // The server's days are coarse: what arrived on the day before is looked at and left alone.
    for n in 0..3 {
        world.deliver_at(&address, &letter(n, now - 5 * 3_600), now - 5 * 3_600);
    }
    let id = stage.consent("", &stage.demo.support_upn);
    connect::choose(&stage.services, id, TakeFrom::New, 0).unwrap();
    stage.receives(id, 0);
    assert_eq!(stage.fates(id, Fate::Ignored), 3);
    let archive = Archive { stage, id, now };
    archive.ask(None);
    let backfill = archive.run();
    assert_eq!((backfill.known(), backfill.received()), (0, 3));
    assert_eq!(archive.stage.fates(id, Fate::Received), 3);
    archive.everything_once(3);
}

#[test]
fn what_the_server_did_not_give_comes_later_and_is_history_then_too() {
    let archive = Archive::new(30);
    let (stage, address) = (&archive.stage, &archive.stage.demo.support_address);
    let world = stage.simulator.world();
    world.set_unfetchable(address, "INBOX", 7, true);
    world.set_stub(address, "INBOX", 9, true);
    archive.ask(None);
    let backfill = archive.run();
    assert_eq!((backfill.total(), backfill.received()), (30, 28));
    assert_eq!(
        (
            stage.fates(archive.id, Fate::Absent),
            stage.fates(archive.id, Fate::Stub)
        ),
        (1, 1)
    );
    world.set_unfetchable(address, "INBOX", 7, false);
    world.set_stub(address, "INBOX", 9, false);
    stage.clock.advance(61);
    stage.receives(archive.id, 2);
    archive.everything_once(30);
    assert!(stage.conversations(View::Open).is_empty());
    assert_eq!(unread(stage, View::Closed), 0);
}

#[test]
fn old_names_and_old_bounces_do_not_count_as_new() {
    let archive = Archive::new(0);
    let (stage, address) = (&archive.stage, &archive.stage.demo.support_address);
    let world = stage.simulator.world();
    let before = archive.now - 90 * DAY;
    let old = dated(
        before,
        "Mia Maiden <mia@shop.example>",
        "Then",
        "then@shop.example",
        "",
    );
    world.append_at(address, "INBOX", &old, before);
    let report = "From: postmaster@shop.example\r\nTo: support@harbourlights.example\r\n\
        Subject: Undeliverable: Then\r\nMessage-ID: <report@shop.example>\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
        --b\r\nContent-Type: text/plain\r\n\r\nIt failed.\r\n\
        --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; shop.example\r\n\r\n\
        Final-Recipient: rfc822; mia@shop.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n";
    world.append_at(address, "INBOX", report.as_bytes(), before + 60);
    stage.receives(archive.id, 0);
    let new = dated(
        archive.now,
        "Mia Married <mia@shop.example>",
        "Now",
        "now@shop.example",
        "",
    );
    world.append_at(address, "INBOX", &new, archive.now);
    stage.receives(archive.id, 1);
    archive.ask(None);
    assert_eq!(archive.run().received(), 2);
    let now = stage.conversation(stage.conversations(View::Open)[0]);
    assert_eq!(now.contact.name, "Mia Married");
    assert_eq!(now.contact.bounced_at, None);
}

#[test]
fn a_conversation_takes_its_beginning_from_the_message_that_began_it() {
    let archive = Archive::new(0);
    let (stage, address) = (&archive.stage, &archive.stage.demo.support_address);
    let world = stage.simulator.world();
    let before = archive.now - 40 * DAY;
    let first = dated(
        before,
        "Ann <ann@shop.example>",
        "Two lamps",
        "a@x.example",
        "",
    );
    world.append_at(address, "INBOX", &first, before);
    stage.receives(archive.id, 0);
    let more = "In-Reply-To: <a@x.example>\r\n";
    let answer = dated(
        archive.now,
        "Ben <ben@shop.example>",
        "Re: Two lamps please",
        "b@x.example",
        more,
    );
    world.append_at(address, "INBOX", &answer, archive.now);
    stage.receives(archive.id, 1);
    archive.ask(None);
    archive.run();
    let number = stage.conversations(View::Open)[0];
    let conversation = stage.conversation(number);
    assert_eq!(conversation.contact.address, "ann@shop.example");
    assert_eq!(
        (conversation.subject.as_str(), conversation.created_at),
        ("Two lamps", before)
    );
    let placed: Vec<PlacedBy> = stage
        .messages(number)
        .iter()
        .map(|one| one.placed_by)
        .collect();
    assert_eq!(placed, [PlacedBy::OwnId, PlacedBy::New]);
}

#[test]
fn a_cancelled_backfill_leaves_what_it_has_brought_and_brings_no_more() {
    let archive = Archive::new(60);
    archive.ask(None);
    archive.step_until(&mut mailhatch::work::Backfiller::default(), 25);
    let backfill = archive.backfill();
    let running = [BackfillState::Running];
    let now = archive.now;
    let cancelled = archive.stage.services.store.write(|tx| {
        let cancelled = BackfillState::Cancelled;
        store::backfills::update_state(tx, &backfill, &running, cancelled, None, now)
    });
    assert!(cancelled.unwrap());
    archive.run_to(BackfillState::Cancelled);
    assert_eq!(archive.stored().len(), 25);
    // It can be asked for again, and what is known is not fetched twice.
    archive.ask(None);
    let again = archive.run();
    assert_eq!((again.known(), again.received()), (25, 35));
    archive.everything_once(60);
}
