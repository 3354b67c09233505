//! Older mail on the pages: asked for, announced, begun, watched, paused, continued, cancelled.

use mailhatch::model::{BackfillState, MailboxId, TakeFrom};
use mailhatch::store;
use mailhatch::work::wake::Wake;
use mailhatch::work::{Backfiller, PollStep, Poller, backfill_step, connect, poll_step};
use mailhatch_simulator::faults::{Action, Point};

use super::{DAY, letter};
use crate::support::office::Office;
use crate::support::site::{Answer, Browser, NOW};

/// Two hundred old messages, one each day, and a mailbox that takes only new ones.
fn office() -> (Office, MailboxId) {
    let office = Office::new();
    let address = office.demo.support_address.clone();
    for n in 0..200 {
        let at = NOW - (300 - i64::try_from(n).unwrap()) * DAY;
        office
            .simulator
            .world()
            .deliver_at(&address, &letter(n, at), at);
    }
    let mut admin = office.admin();
    let id = office.connect(&mut admin, "", &office.demo.support_upn);
    let services = &office.site.context.services;
    connect::choose(services, id, TakeFrom::New, 0).unwrap();
    let polled = poll_step(services, &mut Poller::default(), id, &Wake::default());
    assert_eq!(polled, PollStep::Synced(0));
    (office, id)
}

fn day(at: i64) -> String {
    let day = chrono::DateTime::from_timestamp(at, 0).unwrap();
    day.format("%Y-%m-%d").to_string()
}

/// The fields of a form for days `from` to `until` before the connection, all folders.
fn fields(from: &str, until: &str) -> String {
    format!("span=days&from={from}&until={until}&folder=1&folder=2")
}

fn ask(admin: &mut Browser, id: MailboxId, query: &str) -> Answer {
    admin.get(&format!("/mailboxes/{id}/backfills/new?{query}"))
}

fn steps(office: &Office, id: MailboxId, count: usize) {
    let mut backfiller = Backfiller::default();
    for _ in 0..count {
        backfill_step(
            &office.site.context.services,
            &mut backfiller,
            id,
            &Wake::default(),
        );
    }
}

fn state(office: &Office, id: MailboxId) -> BackfillState {
    let found = office
        .site
        .store()
        .read(|db| store::backfills::find_newest(db, id));
    found.unwrap().unwrap().state
}

#[test]
fn older_mail_is_announced_begun_paused_continued_and_ends() {
    let (office, id) = office();
    let mut admin = office.admin();
    let path = format!("/mailboxes/{id}");
    let page = admin.get(&path);
    assert!(
        page.body.contains(&format!("{path}/backfills/new")),
        "{}",
        page.body
    );
    let form = admin.get(&format!("{path}/backfills/new"));
    for words in ["Inbox", "Sent Items", "See what there is", "type=\"date\""] {
        assert!(form.body.contains(words), "{words} in {}", form.body);
    }
    let (from, until) = (day(NOW - 250 * DAY), day(NOW - 151 * DAY));
    let preview = ask(&mut admin, id, &fields(&from, &until));
    assert_eq!(preview.status, 200);
    for words in [
        "100 messages from ",
        "none of them is known yet",
        "estimate",
        "Fetch 100 messages",
    ] {
        assert!(preview.body.contains(words), "{words} in {}", preview.body);
    }
    // Nothing has begun.
    let found = office
        .site
        .store()
        .read(|db| store::backfills::find_newest(db, id));
    assert_eq!(found.unwrap(), None);

    let asked = [
        ("span", "days"),
        ("from", &from),
        ("until", &until),
        ("folder", "1"),
        ("folder", "2"),
    ];
    let begun = admin.post(&format!("{path}/backfills"), &preview, &asked);
    assert_eq!(
        (begun.status, begun.header("location")),
        (303, path.as_str())
    );
    steps(&office, id, 1);
    let page = admin.get(&path);
    assert!(
        page.body
            .contains("25 of 100: 25 messages were new, 0 were known before."),
        "{}",
        page.body
    );
    let again = admin.post(&format!("{path}/backfills"), &preview, &asked);
    assert_eq!(again.status, 303);
    assert!(admin.get(&path).body.contains("is being fetched already"));

    admin.post("/backfills/1/pause", &page, &[]);
    assert_eq!(state(&office, id), BackfillState::Paused);
    steps(&office, id, 3);
    let page = admin.get(&path);
    assert!(page.body.contains("Paused at 25 of 100"), "{}", page.body);
    admin.post("/backfills/1/resumption", &page, &[]);
    steps(&office, id, 10);
    assert_eq!(state(&office, id), BackfillState::Done);
    let page = admin.get(&path);
    assert!(
        page.body
            .contains("Done: 100 messages were new, 0 were known before."),
        "{}",
        page.body
    );
    admin.post("/backfills/1/cancellation", &page, &[]);
    assert!(admin.get(&path).body.contains("This has changed meanwhile"));
    assert_eq!(state(&office, id), BackfillState::Done);

    let preview = ask(&mut admin, id, "span=all&folder=1");
    for words in [
        "200 messages in all",
        "100 of them are known already",
        "Fetch 100 messages",
    ] {
        assert!(preview.body.contains(words), "{words} in {}", preview.body);
    }
}

#[test]
fn days_that_make_no_sense_come_back_with_a_sentence_at_the_field() {
    let (office, id) = office();
    let mut admin = office.admin();
    let (old, older) = (day(NOW - 10 * DAY), day(NOW - 20 * DAY));
    let future = day(NOW + 3 * DAY);
    for (query, words) in [
        (fields(&old, &older), "comes before the first"),
        (
            fields(&old, &future),
            "Today is the last that can be chosen",
        ),
        (fields(&future, &future), "yet to come"),
        (fields("", ""), "Write the first day"),
        (fields("yesterday", &old), "Write the first day"),
        (fields("0001-01-01", &old), "Write the first day"),
        (fields(&old, "99999999-12-31"), "Write the last day"),
        (
            format!("span=days&from={older}&until={old}"),
            "Choose at least one folder",
        ),
        (
            format!("span=days&from={older}&until={old}&folder=77"),
            "Choose at least one folder",
        ),
    ] {
        let answer = ask(&mut admin, id, &query);
        assert_eq!(answer.status, 422, "{query}");
        assert!(answer.body.contains(words), "{words} in {}", answer.body);
        assert!(!answer.body.contains("What there is"));
    }
    let kept = ask(&mut admin, id, &fields("%3Cb%3E", &old));
    assert!(kept.body.contains("value=\"&#60;b&#62;\""), "{}", kept.body);
    let path = format!("/mailboxes/{id}/backfills");
    let wrong = [
        ("span", "days"),
        ("from", old.as_str()),
        ("until", older.as_str()),
        ("folder", "1"),
    ];
    assert_eq!(admin.post(&path, &kept, &wrong).status, 422);
    let found = office
        .site
        .store()
        .read(|db| store::backfills::find_newest(db, id));
    assert_eq!(found.unwrap(), None);
}

#[test]
fn a_server_that_does_not_answer_the_question_is_told_with_the_remedy() {
    let (office, id) = office();
    let mut admin = office.admin();
    office
        .simulator
        .faults()
        .once(Point::ImapSearch, Action::Close);
    let answer = ask(&mut admin, id, "span=all&folder=1");
    assert_eq!(answer.status, 502);
    assert!(
        answer.body.contains("could not be counted"),
        "{}",
        answer.body
    );
    // The form is still there, to ask again.
    let answer = ask(&mut admin, id, "span=all&folder=1");
    assert!(
        answer.body.contains("Fetch 200 messages"),
        "{}",
        answer.body
    );
}

#[test]
fn what_is_not_there_is_not_found_and_an_unfinished_mailbox_is_finished_first() {
    let (office, id) = office();
    let mut admin = office.admin();
    let page = admin.get("/mailboxes");
    assert_eq!(admin.get("/mailboxes/99/backfills/new").status, 404);
    for path in [
        "/mailboxes/99/backfills",
        "/backfills/9/pause",
        "/backfills/9/cancellation",
    ] {
        assert_eq!(admin.post(path, &page, &[]).status, 404, "{path}");
    }
    let other = office.connect(
        &mut admin,
        &office.demo.orders_address,
        &office.demo.staff_upns[0],
    );
    let form = admin.get(&format!("/mailboxes/{other}/backfills/new"));
    assert!(form.body.contains("has been read yet"), "{}", form.body);
    let path = format!("/mailboxes/{other}/backfills");
    assert_eq!(admin.post(&path, &page, &[("span", "all")]).status, 303);
    let shown = admin.get(&format!("/mailboxes/{other}"));
    assert!(
        shown.body.contains("Choose first which mail to take."),
        "{}",
        shown.body
    );
    assert!(!shown.body.contains("Older mail"), "{}", shown.body);
    assert_ne!(id, other);
}
