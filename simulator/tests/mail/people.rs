//! Correspondents who answer, bounce and stay away, and the prepared inbox.

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use mail_parser::{Message, MessageParser, MimeHeaders};
use mailhatch_simulator::people::{Options, People, seed, seed_odd};
use mailhatch_simulator::world::{Stored, Submission, Via};

use crate::support::{ALICE, Bench, NOW, SUPPORT, mail};

/// A bench with correspondents who are quicker than usual; they go home with it.
struct Town {
    bench: Bench,
    people: Option<JoinHandle<()>>,
}

impl Town {
    fn new(options: Options) -> Self {
        let bench = Bench::start();
        let quick = Options {
            answer_after: Duration::from_millis(20),
            ..options
        };
        let people = People::start(bench.world.clone(), bench.stop.clone(), quick);
        Self {
            bench,
            people: Some(people),
        }
    }

    fn send(&self, to: &str, raw: &str) {
        let submission = Submission {
            mailbox: ALICE.to_owned(),
            mail_from: ALICE.to_owned(),
            recipients: vec![to.to_owned()],
            raw: raw.as_bytes().to_vec(),
            via: Via::Graph,
            save_to_sent: true,
            at: NOW,
            effective_message_id: String::new(),
        };
        self.bench.world.submit(submission).unwrap();
    }

    /// The inbox once it holds `count` messages.
    fn inbox(&self, count: usize) -> Vec<Stored> {
        let until = Instant::now() + Duration::from_secs(5);
        loop {
            let generation = self.bench.world.generation();
            let inbox = self.bench.world.folder(ALICE, "INBOX");
            if inbox.len() >= count || Instant::now() > until {
                assert_eq!(inbox.len(), count);
                return inbox;
            }
            self.bench
                .world
                .wait_for_change(generation, Duration::from_secs(1));
        }
    }
}

impl Drop for Town {
    fn drop(&mut self) {
        self.bench.stop.stop();
        self.people.take().unwrap().join().unwrap();
    }
}

fn parsed(stored: &Stored) -> Message<'_> {
    MessageParser::default().parse(&*stored.raw).unwrap()
}

#[test]
fn an_answer_quotes_ours_and_joins_the_thread() {
    let town = Town::new(Options::default());
    let to = "answers.kim-lee@willow.example";
    let ours = mail(ALICE, to, "two@harbourlights.example")
        .replace("Date:", "References: <one@willow.example>\r\nDate:");
    town.send(to, &ours);
    let inbox = town.inbox(1);
    let answer = parsed(&inbox[0]);
    assert_eq!(answer.from().unwrap().first().unwrap().address(), Some(to));
    assert_eq!(
        answer.from().unwrap().first().unwrap().name(),
        Some("Kim Lee")
    );
    assert_eq!(answer.subject(), Some("Re: Lamp"));
    assert_eq!(
        answer.in_reply_to().as_text(),
        Some("two@harbourlights.example")
    );
    let references = answer.references().as_text_list().unwrap();
    assert_eq!(
        references,
        ["one@willow.example", "two@harbourlights.example"]
    );
    assert!(answer.body_text(0).unwrap().contains("Hello."));
    assert!(answer.message_id().unwrap().ends_with("@willow.example"));
}

#[test]
fn answers_vary_and_some_bring_a_file() {
    let town = Town::new(Options {
        answer_all: true,
        ..Options::default()
    });
    for n in 0..24 {
        town.send(
            "kim@willow.example",
            &mail(ALICE, "kim@willow.example", &format!("{n}@d.example")),
        );
    }
    town.send(
        "no-reply@willow.example",
        &mail(ALICE, "no-reply@willow.example", "x@d.example"),
    );
    let inbox = town.inbox(24);
    let texts: std::collections::BTreeSet<String> = inbox
        .iter()
        .map(|stored| parsed(stored).body_text(0).unwrap().into_owned())
        .collect();
    assert!(texts.len() >= 5, "{texts:?}");
    let files = inbox
        .iter()
        .filter(|stored| parsed(stored).attachment_count() > 0)
        .count();
    assert!((1..20).contains(&files), "{files}");
    let html = inbox.iter().any(|stored| {
        parsed(stored).html_body_count() > 0
            && String::from_utf8_lossy(&stored.raw).contains("MsoNormal")
    });
    assert!(html);
}

#[test]
fn a_bounce_reports_the_recipient_and_returns_the_message() {
    let town = Town::new(Options::default());
    let to = "bounce@willow.example";
    town.send(to, &mail(ALICE, to, "b@harbourlights.example"));
    let inbox = town.inbox(1);
    let report = parsed(&inbox[0]);
    assert_eq!(report.subject(), Some("Undeliverable: Lamp"));
    let kind = report.content_type().unwrap();
    assert_eq!(
        (kind.ctype(), kind.subtype()),
        ("multipart", Some("report"))
    );
    assert_eq!(kind.attribute("report-type"), Some("delivery-status"));
    let text = String::from_utf8_lossy(&inbox[0].raw);
    assert!(text.contains(&format!(
        "Final-Recipient: rfc822;{to}\r\nAction: failed\r\nStatus: 5.1.10"
    )));
    let returned = report
        .attachments()
        .find_map(|part| part.message())
        .unwrap();
    assert_eq!(returned.message_id(), Some("b@harbourlights.example"));
}

#[test]
fn a_delay_is_reported_before_the_late_answer() {
    let late = Options {
        late_after: Duration::from_millis(300),
        ..Options::default()
    };
    let town = Town::new(late);
    let to = "delay@willow.example";
    town.send(to, &mail(ALICE, to, "d@harbourlights.example"));
    let inbox = town.inbox(2);
    assert_eq!(parsed(&inbox[0]).subject(), Some("Delivery delayed: Lamp"));
    let text = String::from_utf8_lossy(&inbox[0].raw);
    assert!(text.contains("Action: delayed") && text.contains("Will-Retry-Until:"));
    assert_eq!(parsed(&inbox[1]).subject(), Some("Re: Lamp"));
}

#[test]
fn somebody_away_replies_by_machine_and_machines_get_no_answer() {
    let town = Town::new(Options {
        answer_all: true,
        ..Options::default()
    });
    let to = "away.ben@willow.example";
    let ours = mail(ALICE, to, "a@harbourlights.example");
    town.send(
        "kim@willow.example",
        &ours.replace("Date:", "Auto-Submitted: auto-replied\r\nDate:"),
    );
    town.send(to, &ours);
    let inbox = town.inbox(1);
    let text = String::from_utf8_lossy(&inbox[0].raw);
    assert!(
        text.contains("Subject: Automatic reply: Lamp\r\n"),
        "{text}"
    );
    assert!(
        text.contains("Auto-Submitted: auto-generated\r\n"),
        "{text}"
    );
}

#[test]
fn mail_handed_to_graph_for_nobody_here_comes_back() {
    let town = Town::new(Options::default());
    let to = "nobody@harbourlights.example";
    town.send(to, &mail(ALICE, to, "n@harbourlights.example"));
    assert_eq!(
        parsed(&town.inbox(1)[0]).subject(),
        Some("Undeliverable: Lamp")
    );
}

#[test]
fn customers_write_of_their_own_accord_up_to_the_limit() {
    let town = Town::new(Options {
        writes_to: Some(ALICE.to_owned()),
        writes_every: Duration::from_millis(20),
        writes_most: 3,
        ..Options::default()
    });
    let inbox = town.inbox(3);
    town.bench.stop.wait(Duration::from_millis(100));
    assert_eq!(town.bench.world.folder(ALICE, "INBOX").len(), 3);
    let subjects: Vec<_> = inbox
        .iter()
        .map(|one| parsed(one).subject().unwrap().to_owned())
        .collect();
    assert!(
        subjects[0] != subjects[1] && subjects[1] != subjects[2],
        "{subjects:?}"
    );
}

#[test]
fn the_prepared_inbox_holds_mail_of_every_kind() {
    let bench = Bench::start();
    assert_eq!(seed(&bench.world, SUPPORT), 15);
    let inbox = bench.world.folder(SUPPORT, "INBOX");
    let mails: Vec<Message<'_>> = inbox.iter().map(parsed).collect();
    assert!(inbox.is_sorted_by_key(|stored| stored.internal_date_at));
    assert!(inbox.iter().all(|stored| stored.internal_date_at < NOW));
    for (stored, mail) in inbox.iter().zip(&mails) {
        assert_eq!(mail.date().unwrap().to_timestamp(), stored.internal_date_at);
        assert!(
            mail.parts.iter().all(|part| !part.is_encoding_problem),
            "{:?}",
            mail.subject()
        );
        let text = String::from_utf8_lossy(&stored.raw);
        assert!(text.lines().all(|line| line.len() < 999));
        assert!(
            !stored
                .raw
                .windows(2)
                .any(|pair| pair[1] == b'\n' && pair[0] != b'\r')
        );
    }
    let find = |subject: &str| {
        mails
            .iter()
            .find(|mail| mail.subject().is_some_and(|s| s.contains(subject)))
            .unwrap()
    };
    assert!(
        find("ランプの点滅についてのお問い合わせ")
            .body_text(0)
            .unwrap()
            .contains("佐藤 健")
    );
    assert!(
        find("„Möwe“")
            .body_text(0)
            .unwrap()
            .contains("Fußschalter gebrochen")
    );
    let invoice = find("Wrong amount").attachment(0).unwrap();
    assert_eq!(invoice.attachment_name(), Some("Invoice-2026-1169.pdf"));
    let shade = find("Crack in the shade");
    let cid = shade
        .parts
        .iter()
        .find_map(|part| part.content_id())
        .unwrap();
    assert!(shade.body_html(0).unwrap().contains(&format!("cid:{cid}")));
    let again = find("Re: Order HL-20377");
    let first = mails
        .iter()
        .find(|mail| mail.subject() == Some("Order HL-20377 has not arrived"));
    assert_eq!(again.in_reply_to().as_text(), first.unwrap().message_id());
    assert!(find("long story").body_text(0).unwrap().len() > 4000);
    assert!(find("Site visit").parts.iter().any(|part| {
        part.content_type()
            .is_some_and(|kind| kind.subtype() == Some("calendar"))
    }));
}

#[test]
fn the_odd_mailbox_holds_what_programs_break_on() {
    let bench = Bench::start();
    let count = seed_odd(&bench.world, SUPPORT);
    let inbox = bench.world.folder(SUPPORT, "INBOX");
    assert!(count >= 40 && inbox.len() == count, "{count} messages");
    assert!(inbox.is_sorted_by_key(|stored| stored.internal_date_at));
    assert!(inbox.iter().any(|stored| stored.raw.len() > 30_000_000));
    let mails: Vec<Message<'_>> = inbox.iter().map(parsed).collect();
    let find = |subject: &str| {
        mails
            .iter()
            .find(|mail| mail.subject().is_some_and(|found| found.contains(subject)))
            .unwrap_or_else(|| panic!("no {subject}"))
    };
    for label in ["iso-2022-jp", "gb18030", "koi8-r"] {
        let bytes = label.as_bytes();
        let is_named = |raw: &[u8]| raw.windows(bytes.len()).any(|piece| piece == bytes);
        let seen = inbox
            .iter()
            .any(|stored| is_named(&stored.raw[..stored.raw.len().min(4_000)]));
        assert!(seen, "{label}");
    }
    let hebrew = find("אחריות על מנורת Pier");
    assert!(hebrew.body_text(0).unwrap().contains("האם האחריות"));
    let invited = find("lighting of the tree").to().unwrap();
    assert_eq!(invited.iter().count(), 500);
    assert!(mails.iter().any(|mail| mail.from().is_none()));
}
