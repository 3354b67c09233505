//! Which conversation mail joins, as people see it: answers find theirs, what is made up does not, reports
//! show on their reply, and a person can move what went astray.

use mailhatch::desk;
use mailhatch::model::{
    ConversationId, DeliveryState, Fate, MailboxId, Message, PlacedBy, Status, TakeFrom, View,
};
use mailhatch::reply::{self, Queued, ReplyDraft};
use mailhatch::store;
use mailhatch::work::connect;

use crate::support::stage::{Stage, mail};

const MIA: &str = "Mia Brandt <mia@shop.example>";

struct Case {
    stage: Stage,
    mailbox: MailboxId,
    /// A question of Mia's.
    number: ConversationId,
}

impl Case {
    fn new() -> Self {
        let stage = Stage::new();
        let raw = mail(MIA, "Broken lamp", "lamp-1@shop.example", "", "It broke.");
        let world = stage.simulator.world();
        world.deliver(&stage.demo.support_address, &raw);
        let mailbox = stage.connect();
        stage.receives(mailbox, 1);
        let number = stage.conversations(View::Open)[0];
        Self {
            stage,
            mailbox,
            number,
        }
    }

    /// Takes in one more message and gives it back as stored.
    fn receive(&self, from: &str, subject: &str, id: &str, more: &str) -> Message {
        self.receive_raw(&mail(from, subject, id, more, "Text."))
    }

    /// Of the same customer, In-Reply-To that id.
    fn follow_up(&self, subject: &str, id: &str, parent: &str) -> Message {
        self.receive(MIA, subject, id, &reply_to(parent))
    }

    fn receive_raw(&self, raw: &[u8]) -> Message {
        let address = &self.stage.demo.support_address;
        self.stage.simulator.world().deliver(address, raw);
        self.stage.receives(self.mailbox, 1);
        self.newest()
    }

    fn newest(&self) -> Message {
        let views = [View::Open, View::Waiting, View::Closed];
        let all = views
            .into_iter()
            .flat_map(|view| self.stage.conversations(view))
            .flat_map(|id| self.stage.messages(id));
        all.max_by_key(|message| message.id).unwrap()
    }

    /// Answers, sends, and gives the delivery and the id we gave the answer.
    fn answer(&self) -> (Queued, String) {
        let queued = self.stage.reply(self.number, "We will look.");
        self.stage.send_all(self.mailbox);
        let ours = self.stage.messages(self.number).pop().unwrap();
        (queued, ours.internet_message_id)
    }

    fn close(&self) {
        let (store, now) = (&self.stage.services.store, self.stage.clock.now());
        desk::close(store, now, &self.stage.admin.agent, self.number).unwrap();
    }
}

fn reply_to(id: &str) -> String {
    format!("In-Reply-To: <{id}>\r\n")
}

#[test]
fn an_answer_from_a_second_address_joins_and_says_by_what() {
    let case = Case::new();
    let (_, ours) = case.answer();
    let home = "Mia <mia@home.example>";
    let answer = case.receive(
        home,
        "Re: Broken lamp",
        "home-1@home.example",
        &reply_to(&ours),
    );
    assert_eq!(answer.conversation_id, case.number);
    assert_eq!(answer.placed_by, PlacedBy::OurId);
    let broken = "References: <lamp-1@SHOP.example>,<gone@x.example>\r\n";
    let further = case.receive(MIA, "Re: Broken lamp", "lamp-2@shop.example", broken);
    assert_eq!(further.conversation_id, case.number);
    assert_eq!(further.placed_by, PlacedBy::References);
    let messages = case.stage.messages(case.number);
    assert_eq!(messages[0].placed_by, PlacedBy::New);
    assert!(
        messages
            .iter()
            .any(|one| one.placed_by == PlacedBy::Written)
    );
}

#[test]
fn a_made_up_id_of_ours_leads_nowhere_and_a_true_one_even_when_it_is_forgotten() {
    let case = Case::new();
    let (_, ours) = case.answer();
    let forged = {
        let (local, domain) = ours.split_once('@').unwrap();
        let cut = local.rsplit_once('-').unwrap().0;
        format!("{cut}-{}@{domain}", "0".repeat(24))
    };
    let eve = "Eve <eve@other.example>";
    let stranger = case.receive(
        eve,
        "Re: Something",
        "eve-1@other.example",
        &reply_to(&forged),
    );
    assert_ne!(stranger.conversation_id, case.number);
    assert_eq!(stranger.placed_by, PlacedBy::New);
    // Nor does it lead others to the one who made it up.
    let second = case.receive(
        eve,
        "Re: Another",
        "eve-2@other.example",
        &reply_to(&forged),
    );
    assert_ne!(second.conversation_id, stranger.conversation_id);
    // As after a backup was put back: the id is not stored, its hash is right.
    let store = &case.stage.services.store;
    store
        .write(|tx| -> store::Result<()> {
            tx.execute(
                "DELETE FROM thread_ids WHERE internet_message_id = ?1",
                [&ours],
            )?;
            Ok(())
        })
        .unwrap();
    let home = "Mia <mia@home.example>";
    let answer = case.receive(
        home,
        "Re: Broken lamp",
        "home-1@home.example",
        &reply_to(&ours),
    );
    assert_eq!(answer.conversation_id, case.number);
    assert_eq!(answer.placed_by, PlacedBy::OurId);
    store
        .write(|tx| {
            store::threads::insert_own(tx, case.mailbox, &ours, case.number, sent(&case).id)
        })
        .unwrap();
}

fn sent(case: &Case) -> Message {
    let messages = case.stage.messages(case.number);
    let mut ours = messages.into_iter().filter(|one| one.delivery.is_some());
    ours.next().unwrap()
}

#[test]
fn a_message_that_wears_our_id_is_kept_as_a_message() {
    let case = Case::new();
    let (_, ours) = case.answer();
    let worn = case.receive("Eve <eve@other.example>", "Hello", &ours, "");
    assert_eq!(worn.from.address, "eve@other.example");
    assert_eq!(case.stage.fates(case.mailbox, Fate::OwnCopy), 0);
}

#[test]
fn our_own_reply_coming_back_in_copy_is_no_second_message() {
    let case = Case::new();
    let address = case.stage.demo.support_address.clone();
    let draft = ReplyDraft {
        conversation_id: case.number,
        to: vec![mailhatch::model::Address::new("Mia", "mia@shop.example")],
        cc: vec![mailhatch::model::Address::new("", &address)],
        bcc: Vec::new(),
        subject: String::new(),
        html: None,
        text: "Copied to ourselves.".to_owned(),
        attachments: Vec::new(),
        quote: false,
        idempotency_key: "copy".to_owned(),
        then: Status::Waiting,
    };
    let (services, now) = (&case.stage.services, case.stage.clock.now());
    let agent = &case.stage.admin.agent;
    reply::queue(&services.store, &services.ids(), now, agent, &draft).unwrap();
    case.stage.send_all(case.mailbox);
    let raw = case.stage.simulator.world().outgoing()[0].raw.clone();
    case.stage.simulator.world().deliver(&address, &raw);
    case.stage.poll(case.mailbox);
    assert_eq!(case.stage.messages(case.number).len(), 2);
}

#[test]
fn an_old_conversation_is_left_alone_by_a_new_subject_unless_the_mailbox_says_otherwise() {
    for (splits, expected) in [(true, PlacedBy::NewSubject), (false, PlacedBy::InReplyTo)] {
        let case = Case::new();
        let store = &case.stage.services.store;
        store
            .write(|tx| {
                let (name, cron) = ("Support", "0 * * * * *");
                store::mailboxes::update_settings(tx, case.mailbox, name, "", cron, splits)
            })
            .unwrap();
        case.stage.clock.advance(9 * 86_400);
        let raw = format!(
            "From: {MIA}\r\nSubject: Parking permit\r\nDate: Mon, 25 Jan 2027 08:00:00 +0000\r\n\
             Message-ID: <permit@shop.example>\r\nIn-Reply-To: <lamp-1@shop.example>\r\n\r\nNew matter."
        );
        let message = case.receive_raw(raw.as_bytes());
        assert_eq!(message.placed_by, expected);
        assert_eq!(message.conversation_id != case.number, splits);
        // Answers to it stay with it, also those that name the old conversation further back.
        let both = "References: <lamp-1@shop.example> <permit@shop.example>\r\n";
        let next = case.receive(MIA, "Re: Parking permit", "permit-2@shop.example", both);
        assert_eq!(next.conversation_id, message.conversation_id);
        let old = case.stage.messages(case.number).len();
        assert_eq!(old, if splits { 1 } else { 3 });
    }
}

#[test]
fn mail_that_comes_out_of_its_order_ends_in_one_conversation() {
    let case = Case::new();
    let last = case.follow_up("Re: Desk", "d3@shop.example", "d2@shop.example");
    let first = case.receive(MIA, "Desk", "d1@shop.example", "");
    assert_ne!(last.conversation_id, first.conversation_id);
    let middle = case.follow_up("Re: Desk", "d2@shop.example", "d1@shop.example");
    let messages = case.stage.messages(middle.conversation_id);
    assert_eq!(messages.len(), 3);
    let conversation = case.stage.conversation(middle.conversation_id);
    assert_eq!(conversation.subject, "Desk");
}

#[test]
fn what_people_have_worked_with_is_not_joined_by_mail() {
    let case = Case::new();
    let (store, now) = (&case.stage.services.store, case.stage.clock.now());
    let agent = &case.stage.admin.agent;
    let last = case.follow_up("Re: Desk", "d3@shop.example", "d2@shop.example");
    let first = case.receive(MIA, "Desk", "d1@shop.example", "");
    for one in [&last, &first] {
        desk::note(store, now, agent, one.conversation_id, "Looked at.").unwrap();
    }
    case.follow_up("Re: Desk", "d2@shop.example", "d1@shop.example");
    assert_eq!(case.stage.messages(first.conversation_id).len(), 1);
    assert_eq!(case.stage.messages(last.conversation_id).len(), 2);
}

#[test]
fn mail_to_two_of_our_mailboxes_is_in_both() {
    let case = Case::new();
    let upn = case.stage.demo.personal_upn.clone();
    let other = case.stage.consent("", &upn);
    connect::choose(&case.stage.services, other, TakeFrom::All, 0).unwrap();
    let raw = mail(MIA, "To both", "both@shop.example", "", "Both.");
    let world = case.stage.simulator.world();
    world.deliver(&case.stage.demo.support_address, &raw);
    world.deliver(&upn, &raw);
    case.stage.receives(case.mailbox, 1);
    case.stage.receives(other, 1);
}

fn report(action: &str, recipient: &str, returned: &str) -> Vec<u8> {
    format!(
        "From: postmaster@shop.example\r\nTo: support@harbourlights.example\r\n\
         Subject: Delivery Status Notification\r\nMessage-ID: <report-{action}@shop.example>\r\n\
         Date: Fri, 15 Jan 2027 08:00:00 +0000\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nAbout your message. {returned}\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns;shop.example\r\n\r\n\
         Final-Recipient: rfc822;{recipient}\r\nAction: {action}\r\nStatus: 4.4.1\r\n\r\n--b--\r\n"
    )
    .into_bytes()
}

#[test]
fn a_report_without_the_original_finds_its_reply_by_our_id_or_by_the_only_recipient() {
    for by_id in [true, false] {
        let case = Case::new();
        let (queued, ours) = case.answer();
        // Another who got mail lately.
        let raw = mail("ben@other.example", "Chair", "chair@other.example", "", "?");
        let other = case.receive_raw(&raw);
        case.stage.reply(other.conversation_id, "Yes.");
        case.stage.send_all(case.mailbox);
        let (recipient, returned) = if by_id {
            ("forwarded@else.example", ours.as_str())
        } else {
            ("mia@shop.example", "")
        };
        case.close();
        let stored = case.receive_raw(&report("failed", recipient, returned));
        assert_eq!(stored.conversation_id, case.number);
        assert_eq!(stored.placed_by, PlacedBy::Report);
        assert_eq!(case.stage.state(queued), DeliveryState::Failed);
        let conversation = case.stage.conversation(case.number);
        assert_eq!(conversation.status, Status::Open);
        assert_eq!(conversation.contact.bounced_at.is_some(), !by_id);
    }
}

#[test]
fn a_report_that_two_replies_could_mean_fails_neither() {
    let case = Case::new();
    let (first, _) = case.answer();
    let (second, _) = case.answer();
    case.receive_raw(&report("failed", "mia@shop.example", ""));
    for queued in [first, second] {
        assert_eq!(case.stage.state(queued), DeliveryState::Sent);
    }
}

#[test]
fn a_delay_fails_nothing_and_opens_nothing() {
    let case = Case::new();
    let (queued, ours) = case.answer();
    case.close();
    case.receive_raw(&report("delayed", "mia@shop.example", &ours));
    assert_eq!(case.stage.state(queued), DeliveryState::Sent);
    assert_eq!(case.stage.conversation(case.number).status, Status::Closed);
    let problem = sent(&case).delivery.unwrap().problem.unwrap();
    assert_eq!(problem.code, "delayed");
}

#[test]
fn a_machines_answer_joins_but_opens_nothing_while_mail_through_a_list_does() {
    let case = Case::new();
    let (_, ours) = case.answer();
    case.close();
    let more = format!("{}Auto-Submitted: auto-replied\r\n", reply_to(&ours));
    let absent = case.receive(
        MIA,
        "Automatic reply: Broken lamp",
        "ooo@shop.example",
        &more,
    );
    assert_eq!(absent.conversation_id, case.number);
    assert_eq!(case.stage.conversation(case.number).status, Status::Closed);
    let more = format!("{}List-Id: <team.shop.example>\r\n", reply_to(&ours));
    case.receive(MIA, "Re: Broken lamp", "list@shop.example", &more);
    assert_eq!(case.stage.conversation(case.number).status, Status::Open);
}

#[test]
fn a_moved_message_takes_later_answers_with_it_and_can_be_moved_back() {
    let case = Case::new();
    let (store, now) = (&case.stage.services.store, case.stage.clock.now());
    let agent = &case.stage.admin.agent;
    let astray = case.follow_up("Re: Broken lamp", "m@shop.example", "lamp-1@shop.example");
    let moved = desk::move_message(store, now, agent, astray.id, None, "Lamp two").unwrap();
    assert_eq!(moved.from, case.number);
    assert_eq!(case.stage.conversation(moved.to).subject, "Lamp two");
    let next = case.follow_up("Re: Broken lamp", "n@shop.example", "m@shop.example");
    assert_eq!(next.conversation_id, moved.to);
    for one in [&astray, &next] {
        desk::move_message(store, now, agent, one.id, Some(case.number), "").unwrap();
    }
    assert_eq!(case.stage.messages(case.number).len(), 3);
    // Nothing is left there, and it does not lie open.
    assert_eq!(case.stage.conversation(moved.to).status, Status::Closed);
    let events = store
        .read(|db| store::events::list(db, case.number))
        .unwrap();
    assert!(
        events
            .iter()
            .any(|event| event.detail == moved.to.to_string())
    );
    let only = desk::move_message(store, now, agent, astray.id, Some(moved.to), "").unwrap();
    assert_eq!(case.stage.conversation(only.to).status, Status::Open);
}

#[test]
fn outlooks_thread_index_and_then_subject_and_sender_join_what_names_no_message() {
    let case = Case::new();
    let index = "AdqhWJ+fbEh5N0xRQF6y8CzQ0mE5pQ==";
    let with = |index: &str| format!("Thread-Index: {index}\r\n");
    let first = case.receive(MIA, "Desk order", "o1@shop.example", &with(index));
    let ben = "Ben <ben@shop.example>";
    let longer = "AdqhWJ+fbEh5N0xRQF6y8CzQ0mE5pQAAAAAA";
    let second = case.receive(ben, "AW: Desk order", "o2@shop.example", &with(longer));
    assert_eq!(second.conversation_id, first.conversation_id);
    assert_eq!(second.placed_by, PlacedBy::ThreadIndex);
    let copied = case.receive(ben, "Another matter", "o3@shop.example", &with(longer));
    assert_ne!(copied.conversation_id, first.conversation_id);
    let bare = case.receive(MIA, "Re: desk order", "o4@shop.example", "");
    assert_eq!(bare.conversation_id, first.conversation_id);
    assert_eq!(bare.placed_by, PlacedBy::Subject);
    let list = "List-Id: <team.shop.example>\r\n";
    let listed = case.receive(MIA, "Re: desk order", "o5@shop.example", list);
    assert_eq!(listed.placed_by, PlacedBy::New);
}
