//! Replies leave once, whatever happens on the way, and say how they fared.

use mailhatch::mail;
use mailhatch::model::{DeliveryState, Kind, Status, TakeFrom, View, WayOut};
use mailhatch::store;
use mailhatch::work::connect;
use mailhatch_simulator::faults::{Action, Point};
use mailhatch_simulator::world::{SmtpAuth, Via};

use crate::support::stage::{Stage, mail, until};

fn with_one_question() -> (
    Stage,
    mailhatch::model::MailboxId,
    mailhatch::model::ConversationId,
) {
    let stage = Stage::new();
    let raw = mail(
        "Mia Brandt <mia@shop.example>",
        "A lamp",
        "lamp-1@shop.example",
        "Thread-Topic: A lamp\r\n",
        "Does the lamp come in green?",
    );
    stage
        .simulator
        .world()
        .deliver(&stage.demo.support_address, &raw);
    let id = stage.connect();
    stage.receives(id, 1);
    let number = stage.conversations(View::Open)[0];
    (stage, id, number)
}

#[test]
fn a_reply_leaves_with_the_headers_that_keep_the_thread() {
    let (stage, id, number) = with_one_question();
    let queued = stage.reply(number, "Yes, in two greens.");
    assert_eq!(stage.conversation(number).status, Status::Waiting);
    stage.send_all(id);
    assert_eq!(stage.state(queued), DeliveryState::Sent);
    let submissions = stage.simulator.world().submissions();
    assert_eq!(submissions.len(), 1);
    assert_eq!(submissions[0].via, Via::Smtp);
    assert_eq!(submissions[0].mail_from, stage.demo.support_address);
    assert_eq!(submissions[0].recipients, ["mia@shop.example"]);
    let (sent, defects) = mail::parse(&submissions[0].raw);
    assert!(defects.is_empty(), "{defects:?}");
    assert_eq!(sent.subject, "Re: A lamp");
    assert_eq!(sent.in_reply_to, ["lamp-1@shop.example"]);
    assert_eq!(sent.references, ["lamp-1@shop.example"]);
    assert_eq!(sent.thread_topic.as_deref(), Some("A lamp"));
    assert!(sent.thread_index.is_some());
    assert!(sent.html.unwrap().contains("two greens"));
    assert!(
        sent.text.contains("> Does the lamp come in green?"),
        "{}",
        sent.text
    );
}

#[test]
fn the_providers_copy_in_sent_items_is_known_as_ours() {
    let (stage, id, number) = with_one_question();
    stage.reply(number, "Yes.");
    stage.send_all(id);
    stage.receives(id, 0);
    assert_eq!(stage.messages(number).len(), 2);
}

#[test]
fn a_reply_written_in_outlook_joins_its_conversation() {
    let (stage, id, number) = with_one_question();
    let raw = String::from_utf8(mail(
        "Support <support@harbourlights.example>",
        "Re: A lamp",
        "outlook-1@harbourlights.example",
        "In-Reply-To: <lamp-1@shop.example>\r\n",
        "Answered from Outlook.",
    ))
    .unwrap()
    .replace("To: support@harbourlights.example", "To: mia@shop.example");
    let world = stage.simulator.world();
    world
        .append(
            &stage.demo.support_address,
            "Sent Items",
            raw.as_bytes(),
            true,
        )
        .unwrap();
    stage.receives(id, 1);
    assert_eq!(stage.messages(number).len(), 2);
    assert_eq!(stage.conversation(number).status, Status::Waiting);
}

#[test]
fn pressing_send_twice_sends_once() {
    let (stage, id, number) = with_one_question();
    let draft = mailhatch::reply::ReplyDraft {
        conversation_id: number,
        to: vec![mailhatch::model::Address::new("", "mia@shop.example")],
        cc: Vec::new(),
        bcc: Vec::new(),
        subject: String::new(),
        html: None,
        text: "Once.".to_owned(),
        attachments: Vec::new(),
        quote: false,
        idempotency_key: "the-same-form".to_owned(),
        then: Status::Closed,
    };
    let (store, agent) = (&stage.services.store, &stage.admin.agent);
    let ids = &stage.services.ids();
    let first = mailhatch::reply::queue(store, ids, stage.clock.now(), agent, &draft).unwrap();
    let second = mailhatch::reply::queue(store, ids, stage.clock.now(), agent, &draft).unwrap();
    assert_eq!(first, second);
    stage.send_all(id);
    assert_eq!(stage.simulator.world().submissions().len(), 1);
}

#[test]
fn where_smtp_is_switched_off_replies_leave_through_graph() {
    let (stage, id, number) = with_one_question();
    let upn = stage.demo.support_upn.clone();
    stage
        .simulator
        .world()
        .update_user(&upn, |user| user.smtp_auth = SmtpAuth::DisabledForTenant);
    let queued = stage.reply(number, "Through Graph.");
    stage.send_all(id);
    assert_eq!(stage.state(queued), DeliveryState::Sent);
    assert_eq!(stage.simulator.world().submissions()[0].via, Via::Graph);
    assert_eq!(stage.mailbox(id).way_out, WayOut::Graph);
}

#[test]
fn a_blind_copy_reaches_its_reader_and_nobody_sees_it_on_either_way() {
    for smtp in [SmtpAuth::Enabled, SmtpAuth::DisabledForMailbox] {
        let (stage, id, number) = with_one_question();
        let upn = stage.demo.support_upn.clone();
        stage
            .simulator
            .world()
            .update_user(&upn, |user| user.smtp_auth = smtp);
        let draft = mailhatch::reply::ReplyDraft {
            conversation_id: number,
            to: vec![mailhatch::model::Address::new("Mia", "mia@shop.example")],
            cc: Vec::new(),
            bcc: vec![mailhatch::model::Address::new("", "boss@shop.example")],
            subject: String::new(),
            html: None,
            text: "Hello.".to_owned(),
            attachments: Vec::new(),
            quote: false,
            idempotency_key: "k".to_owned(),
            then: Status::Waiting,
        };
        let (store, agent) = (&stage.services.store, &stage.admin.agent);
        let ids = &stage.services.ids();
        mailhatch::reply::queue(store, ids, stage.clock.now(), agent, &draft).unwrap();
        stage.send_all(id);
        let outgoing = stage.simulator.world().outgoing();
        let seen: Vec<&str> = outgoing
            .iter()
            .flat_map(|mail| mail.recipients.iter().map(String::as_str))
            .collect();
        assert!(seen.contains(&"boss@shop.example"), "{smtp:?}: {seen:?}");
        assert!(
            outgoing
                .iter()
                .all(|mail| mail::parse(&mail.raw).0.bcc.is_empty())
        );
    }
}

#[test]
fn a_passing_refusal_is_tried_again_and_a_final_one_is_not() {
    let (stage, id, number) = with_one_question();
    let busy = "451 4.7.0 Temporary server error. Please try again later. PRX4".to_owned();
    stage
        .simulator
        .faults()
        .once(Point::SmtpMail, Action::Reply(busy));
    let queued = stage.reply(number, "Again.");
    stage.send_all(id);
    assert_eq!(stage.state(queued), DeliveryState::Queued);
    stage.clock.advance(3_600);
    stage.send_all(id);
    assert_eq!(stage.state(queued), DeliveryState::Sent);

    let unknown = "550 5.1.10 RESOLVER.ADR.RecipientNotFound".to_owned();
    stage
        .simulator
        .faults()
        .once(Point::SmtpRcpt, Action::Reply(unknown));
    let queued = stage.reply(number, "Never.");
    stage.send_all(id);
    assert_eq!(stage.state(queued), DeliveryState::Failed);
    stage.clock.advance(3_600);
    stage.send_all(id);
    assert_eq!(stage.simulator.world().submissions().len(), 1);
}

#[test]
fn an_answer_lost_after_the_last_byte_is_looked_up_and_not_sent_twice() {
    let (stage, id, number) = with_one_question();
    stage
        .simulator
        .faults()
        .once(Point::SmtpAccepted, Action::Close);
    let queued = stage.reply(number, "Did it leave?");
    stage.send_all(id);
    assert_eq!(stage.state(queued), DeliveryState::Uncertain);
    stage.clock.advance(30);
    stage.send_all(id);
    assert_eq!(stage.state(queued), DeliveryState::Sent);
    assert_eq!(stage.simulator.world().submissions().len(), 1);
}

#[test]
fn a_reply_interrupted_before_it_left_is_sent_once_it_is_surely_absent() {
    let (mut stage, id, number) = with_one_question();
    let queued = stage.reply(number, "Interrupted.");
    let now = stage.clock.now();
    let claimed = stage
        .services
        .store
        .write(|tx| store::deliveries::claim_next(tx, id, WayOut::Smtp, now))
        .unwrap();
    assert!(claimed.is_some());
    stage.restart();
    stage.send_all(id);
    assert_eq!(stage.state(queued), DeliveryState::Uncertain);
    stage.clock.advance(301);
    stage.send_all(id);
    assert_eq!(stage.state(queued), DeliveryState::Sent);
    assert_eq!(stage.simulator.world().submissions().len(), 1);
}

#[test]
fn a_bounce_shows_on_the_reply_it_speaks_of() {
    let (stage, id, number) = with_one_question();
    let queued = stage.reply(number, "Hello?");
    stage.send_all(id);
    let sent = stage.messages(number).pop().unwrap();
    let report = format!(
        "From: postmaster@shop.example\r\nTo: support@harbourlights.example\r\n\
         Subject: Undeliverable: Re: A lamp\r\nMessage-ID: <ndr-1@shop.example>\r\n\
         Date: Fri, 15 Jan 2027 08:00:00 +0000\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nYour message could not be delivered.\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns;shop.example\r\n\r\n\
         Final-Recipient: rfc822;mia@shop.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\
         Diagnostic-Code: smtp;550 5.1.1 unknown\r\n\r\n\
         --b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <{}>\r\nSubject: Re: A lamp\r\n\r\n\r\n--b--\r\n",
        sent.internet_message_id
    );
    stage
        .simulator
        .world()
        .deliver(&stage.demo.support_address, report.as_bytes());
    stage.receives(id, 1);
    assert_eq!(stage.state(queued), DeliveryState::Failed);
    let messages = stage.messages(number);
    assert_eq!(messages.len(), 3);
    assert!(messages.iter().any(|message| message.kind == Kind::Bounce));
    let problem = messages[1]
        .delivery
        .as_ref()
        .unwrap()
        .problem
        .clone()
        .unwrap();
    assert!(problem.sentence.contains("mia@shop.example"), "{problem}");
}

#[test]
fn a_personal_accounts_new_message_id_is_learnt_and_answers_to_it_are_joined() {
    let stage = Stage::new();
    let upn = stage.demo.personal_upn.clone();
    let raw = mail("mia@shop.example", "Hi", "hi@shop.example", "", "Hi");
    stage.simulator.world().deliver(&upn, &raw);
    let id = stage.consent("", &upn);
    mailhatch::work::connect::choose(&stage.services, id, mailhatch::model::TakeFrom::All, 0)
        .unwrap();
    stage.receives(id, 1);
    let number = stage.conversations(View::Open)[0];
    stage.reply(number, "Hello.");
    stage.send_all(id);
    let outgoing = stage.simulator.world().outgoing();
    let new_id = mail::parse(&outgoing[0].raw).0.message_id.unwrap();
    let ours = stage.messages(number)[1].internet_message_id.clone();
    assert_ne!(new_id, ours);
    let more = format!("In-Reply-To: <{new_id}>\r\n");
    let answer = mail(
        "mia@shop.example",
        "Re: Hi",
        "hi-2@shop.example",
        &more,
        "Thanks",
    );
    stage.simulator.world().deliver(&upn, &answer);
    stage.receives(id, 1);
    assert_eq!(stage.messages(number).len(), 3);
}

#[test]
fn the_id_that_outlook_com_gave_is_learnt_from_the_copy_also_when_looking_it_up_settled_the_reply()
{
    let stage = Stage::new();
    let upn = stage.demo.personal_upn.clone();
    let id = stage.consent("", &upn);
    connect::choose(&stage.services, id, TakeFrom::All, 0).unwrap();
    let world = stage.simulator.world();
    let raw = mail(
        "Mia <mia@shop.example>",
        "Lamp",
        "l@shop.example",
        "",
        "It is dark.",
    );
    assert!(world.deliver(&upn, &raw));
    stage.receives(id, 1);
    let queued = stage.reply(stage.conversations(View::Open)[0], "Try the other switch.");
    let faults = stage.simulator.faults();
    faults.once(Point::SmtpAccepted, Action::Close);
    stage.send_all(id);
    stage.clock.advance(10);
    stage.send_all(id);
    assert_eq!(stage.state(queued), DeliveryState::Sent);
    let _ = stage.poll(id);
    let given = world.submissions()[0].effective_message_id.clone();
    let learnt = stage.services.store.read(|db| {
        let sql = "SELECT '<' || effective_message_id || '>' FROM deliveries WHERE id = ?1";
        let id = db.query_row(sql, [queued.delivery_id.0], |row| row.get(0));
        Ok::<Option<String>, store::Error>(id?)
    });
    assert_eq!(learnt.unwrap(), Some(given));
}

#[test]
fn a_mailbox_with_nothing_to_send_has_no_thread_for_it_until_a_reply_is_queued() {
    let (stage, id, number) = with_one_question();
    let running = stage.run();
    let name = format!("send:{}\n", id.0);
    let has_thread = || {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap();
        let names = tasks
            .filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).ok());
        // Other tests of this process may have a mailbox of the same number.
        names.filter(|found| *found == name).count() > 0
    };
    for text in ["Yes, in two greens.", "And in blue."] {
        let queued = stage.reply(number, text);
        stage.services.work.wake_sender(id);
        until("the reply has left", || {
            stage.state(queued) == DeliveryState::Sent
        });
        until("the sender rests", || !has_thread());
    }
    running.stop();
}
