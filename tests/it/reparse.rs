//! Stored mail read again after an upgrade: everything derived comes out as if it had just arrived, and
//! what people did stays.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mailhatch::desk;
use mailhatch::intake::rebuild;
use mailhatch::model::{Message, Status, View};
use mailhatch::store;
use mailhatch::work::reparse;

use crate::support::stage::{Stage, mail, until};

const FILES: &str = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n\
    --m\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nSee the picture.\r\n\r\nOn Mon, 4 Jan 2027, Support wrote:\r\n> Send one.\r\n\
    --m\r\nContent-Type: image/png; name=\"lamp.png\"\r\nContent-Disposition: attachment\r\n\r\npicture\r\n--m--\r\n";

fn stage(count: usize) -> Stage {
    let stage = Stage::new();
    let world = stage.simulator.world();
    for n in 0..count {
        let raw = if n % 2 == 0 {
            let from = format!("Mia Brandt <mia{n}@shop.example>");
            mail(
                &from,
                &format!("Lamp {n}"),
                &format!("{n}@shop.example"),
                "",
                "Broken.",
            )
        } else {
            let before = n - 1;
            format!(
                "From: Mia <mia{n}@shop.example>\r\nSubject: Re: Lamp {before}\r\nMessage-ID: <{n}@shop.example>\r\n\
                 Date: Fri, 15 Jan 2027 08:00:00 +0000\r\nIn-Reply-To: <{before}@shop.example>\r\n{FILES}"
            )
            .into_bytes()
        };
        world.deliver(&stage.demo.support_address, &raw);
    }
    let id = stage.connect();
    stage.receives(id, count as u64);
    stage
}

fn everything(stage: &Stage) -> Vec<Message> {
    let views = [View::Open, View::Waiting, View::Closed];
    let mut all: Vec<Message> = views
        .into_iter()
        .flat_map(|view| stage.conversations(view))
        .flat_map(|id| stage.messages(id))
        .collect();
    all.sort_by_key(|message| message.id);
    for message in &mut all {
        // A file that was not there before gets a new number.
        for file in &mut message.attachments {
            file.id = mailhatch::model::AttachmentId(0);
        }
    }
    all
}

/// As an older version, which read badly, would have left it.
fn spoil(stage: &Stage) {
    let sql = "UPDATE messages SET derived_version = 0, text = 'old', reply_text = '', preview = 'old', subject = 'old',
                kind = 'list', has_html = 1, quoted = 1, defects = '[\"old\"]', from_name = 'old', recipients = '{}'
                WHERE id NOT IN (SELECT message_id FROM deliveries);
        UPDATE conversations SET subject = 'old';
        DELETE FROM attachments;
        DELETE FROM blobs;
        DELETE FROM thread_ids WHERE message_id IS NULL;";
    stage
        .services
        .store
        .write(|tx| -> store::Result<()> { Ok(tx.execute_batch(sql)?) })
        .unwrap();
}

#[test]
fn all_that_is_derived_comes_out_as_new_and_what_people_did_stays() {
    let stage = stage(6);
    let (store, now) = (&stage.services.store, stage.clock.now());
    let agent = &stage.admin.agent;
    let number = stage.conversations(View::Open)[0];
    stage.reply(number, "We look.");
    desk::close(store, now, agent, number).unwrap();
    desk::assign(store, now, agent, number, Some(agent.id)).unwrap();
    let moved = stage.messages(number).remove(1);
    let moved = desk::move_message(store, now, agent, moved.id, None, "Apart").unwrap();
    let before = everything(&stage);
    spoil(&stage);
    assert_ne!(everything(&stage), before);
    let mut told = Vec::new();
    let changed = reparse::all(&stage.services, false, |line| told.push(line.to_owned())).unwrap();
    assert_eq!(changed, 6);
    assert_eq!(told.last().unwrap(), "7 of 7 messages, 100 %");
    assert_eq!(everything(&stage), before);
    let conversation = stage.conversation(number);
    assert_eq!(conversation.status, Status::Closed);
    assert_eq!(conversation.assignee_id, Some(agent.id));
    assert_eq!(stage.messages(moved.to).len(), 1);
    assert!(conversation.subject.starts_with("Lamp"), "{conversation:?}");
    // Once more changes nothing.
    let again = reparse::all(&stage.services, true, |_| ()).unwrap();
    assert_eq!((again, everything(&stage)), (0, before));
}

#[test]
fn it_may_stop_anywhere_and_goes_on_where_it_stopped() {
    let mut stage = stage(50);
    let before = everything(&stage);
    spoil(&stage);
    let step = rebuild::step(&stage.services.store).unwrap();
    assert!(step.done > 0 && step.done < 50, "{step:?}");
    stage.restart();
    let left = rebuild::left(&stage.services.store).unwrap();
    assert_eq!(left, 50 - i64::try_from(step.done).unwrap());
    let changed = reparse::all(&stage.services, false, |_| ()).unwrap();
    assert_eq!(changed, left);
    assert_eq!(everything(&stage), before);
}

#[test]
fn the_service_does_it_by_itself_while_mail_comes_and_a_command_helps() {
    let stage = Stage::with(mailhatch::clock::Clock::System, &[]);
    let world = stage.simulator.world();
    let address = &stage.demo.support_address;
    let deliver = |n: usize| {
        let (subject, id) = (format!("Lamp {n}"), format!("{n}@shop.example"));
        let raw = mail("mia@shop.example", &subject, &id, "", "Broken.");
        assert!(world.deliver(address, &raw));
    };
    (0..60).for_each(deliver);
    let id = stage.connect();
    stage.receives(id, 60);
    spoil(&stage);
    let running = stage.run();
    (60..70).for_each(deliver);
    reparse::all(&stage.services, false, |_| ()).unwrap();
    until("all mail is there and read", || {
        let all = everything(&stage);
        all.len() == 70 && all.iter().all(|one| one.subject.starts_with("Lamp"))
    });
    assert_eq!(rebuild::left(&stage.services.store).unwrap(), 0);
    running.stop();
}

#[test]
fn the_bytes_of_a_message_stay_whole_whatever_its_files_are_read_to_be() {
    let stage = Stage::new();
    let file: Vec<u8> = (0..5_000_u32).map(|n| (n * n).to_be_bytes()[2]).collect();
    let lines: Vec<String> = file.chunks(57).map(|line| STANDARD.encode(line)).collect();
    let lines = lines.join("\r\n");
    let ids = [1, 2].map(|n| {
        let raw = format!(
            "From: Mia <mia@shop.example>\r\nSubject: Plan {n}\r\nMessage-ID: <plan.{n}@shop.example>\r\n\
             Date: Fri, 15 Jan 2027 08:00:00 +0000\r\nContent-Type: application/pdf; name=plan.pdf\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n{lines}\r\n"
        );
        let world = stage.simulator.world();
        world.deliver(&stage.demo.support_address, raw.as_bytes());
        format!("plan.{n}@shop.example")
    });
    let mailbox = stage.connect();
    stage.receives(mailbox, 2);
    let store = &stage.services.store;
    let number = |sql: &str| {
        let found =
            store.read(|db| Ok::<i64, store::Error>(db.query_row(sql, [], |row| row.get(0))?));
        found.unwrap()
    };
    assert_eq!(
        number("SELECT COUNT(*) FROM blobs"),
        1,
        "the file is kept once"
    );
    assert!(number("SELECT MAX(length(zstd)) FROM raw_messages") < 1_000);
    let ids = ids.map(|id| {
        let known = store.read(|db| store::threads::find(db, mailbox, &id));
        known.unwrap().unwrap().message_id.unwrap()
    });
    let raw = |id| {
        store
            .read(|db| store::messages::find_raw(db, id))
            .unwrap()
            .unwrap()
    };
    let before = ids.map(raw);
    for bytes in &before {
        assert!(String::from_utf8_lossy(bytes).ends_with(&format!("{lines}\r\n")));
    }
    for id in ids {
        store
            .write(|tx| store::attachments::replace_all(tx, id, &[]))
            .unwrap();
        assert!(ids.map(raw) == before, "no byte is lost with a file");
    }
    assert_eq!(number("SELECT COUNT(*) FROM blobs"), 0);
}
