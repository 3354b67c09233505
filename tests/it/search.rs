//! Searching: what is found, what comes first, and what is said where a question is not understood.

use mailhatch::desk;
use mailhatch::model::search::query::parse;
use mailhatch::model::{
    Address, AgentId, ConversationId, Direction, MailboxId, Role, Status, View,
};
use mailhatch::store::{self, check};
use mailhatch::work::reparse;
use url::form_urlencoded::byte_serialize;

use crate::support::site::{Answer, NOW, Site};
use crate::support::stage::{Stage, mail, until};

const DAY: i64 = 86_400;

struct Desk {
    site: Site,
    ada: AgentId,
    support: MailboxId,
    sales: MailboxId,
}

impl Desk {
    fn new() -> Self {
        let site = Site::empty();
        let ada = site.agent("ada@example.com", "Ada Lovelace", Role::Agent);
        let support = site.mailbox("support@example.com", "Support");
        let sales = site.mailbox("sales@example.com", "Sales");
        Self {
            site,
            ada,
            support,
            sales,
        }
    }

    /// A conversation of one message.
    fn mail(&self, from: &str, subject: &str, text: &str) -> ConversationId {
        self.mail_to(self.support, from, subject, text)
    }

    fn mail_to(&self, mailbox: MailboxId, from: &str, subject: &str, text: &str) -> ConversationId {
        let (parsed, _) = mailhatch::mail::parse(format!("From: {from}\r\n\r\n").as_bytes());
        let who = parsed.from.first().cloned().unwrap_or_default();
        let raw = format!(
            "From: {from}\nTo: support@example.com\nSubject: {subject}\nContent-Type: text/plain; charset=utf-8\n\n{text}\n"
        );
        self.site
            .conversation(mailbox, &Address::new(who.name, who.address), &raw)
    }

    fn ask(&self, question: &str) -> Answer {
        self.ask_more(question, "")
    }

    fn ask_more(&self, question: &str, more: &str) -> Answer {
        let question: String = byte_serialize(question.as_bytes()).collect();
        self.site
            .signed_in("ada@example.com")
            .get(&format!("/search?q={question}{more}"))
    }

    /// The conversations found, in their order; a jump counts as one.
    fn found(&self, question: &str) -> Vec<ConversationId> {
        numbers(&self.ask(question))
    }
}

fn numbers(page: &Answer) -> Vec<ConversationId> {
    let number = |text: &str| {
        let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
        ConversationId(digits.parse().unwrap())
    };
    if page.status == 303 {
        return vec![number(
            page.header("location")
                .strip_prefix("/conversations/")
                .unwrap(),
        )];
    }
    assert_eq!(page.status, 200, "{}", page.body);
    page.body
        .split("class=\"entry-link\" href=\"/conversations/")
        .skip(1)
        .map(number)
        .collect()
}

#[test]
fn words_are_found_in_subject_text_names_addresses_files_and_notes() {
    let desk = Desk::new();
    let agent = desk
        .site
        .store()
        .read(|db| store::agents::find(db, desk.ada))
        .unwrap()
        .unwrap();
    let lamp = desk.mail(
        "Mia Brandt <mia@shop.example>",
        "Lamp broken",
        "It flickers.",
    );
    let chair = desk.mail("Jo Ray <jo@other.example>", "Chair", "One leg is short.");
    let raw = "From: Kim <kim@x.example>\nTo: sales@example.com\nSubject: Papers\nMIME-Version: 1.0\n\
        Content-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: text/plain\n\nAttached.\n\
        --m\nContent-Type: application/pdf; name=\"Rechnung_4711.pdf\"\nContent-Disposition: attachment\n\npdf\n--m--\n";
    let papers = desk
        .site
        .conversation(desk.sales, &Address::new("Kim", "kim@x.example"), raw);
    desk::note(
        desk.site.store(),
        NOW,
        &agent,
        chair,
        "Ask the joiner about it.",
    )
    .unwrap();
    for (question, found) in [
        ("lamp", vec![lamp]),
        ("flickers", vec![lamp]),
        ("lamp flickers", vec![lamp]),
        ("brandt", vec![lamp]),
        ("mia@shop.example", vec![lamp]),
        ("shop.example", vec![lamp]),
        ("short leg", vec![chair]),
        ("joiner", vec![chair]),
        ("rechnung 4711", vec![papers]),
        ("4711.pdf", vec![papers]),
        ("lamp leg", vec![]),
        ("wardrobe", vec![]),
        // Our own address stands in every message and finds none.
        ("support@example.com", vec![]),
    ] {
        assert_eq!(desk.found(question), found, "{question}");
    }
    let note = desk.ask("joiner").body;
    assert!(
        note.contains("Note: ") && note.contains("<mark>joiner</mark>"),
        "{note}"
    );
    assert!(desk.ask("wardrobe").body.contains("Nothing found"));
}

#[test]
fn every_operator_narrows_what_is_found() {
    let desk = Desk::new();
    let store = desk.site.store();
    let agent = store
        .read(|db| store::agents::find(db, desk.ada))
        .unwrap()
        .unwrap();
    let one = desk.mail(
        "Mia Brandt <mia@shop.example>",
        "Lamp broken",
        "Please replace the lamp.",
    );
    let two = desk.mail_to(
        desk.sales,
        "Jo Ray <jo@other.example>",
        "Quote",
        "A lamp for Mia.",
    );
    let three = desk.mail("Kim Oh <kim@x.example>", "Old lamp", "It still shines.");
    let answer = "From: support@example.com\nTo: Mia Brandt <mia@shop.example>\nSubject: Re: Lamp broken\n\nA new one is on its way.\n";
    desk.site
        .message(desk.support, one, Direction::Outgoing, answer, NOW - DAY);
    desk::assign(store, NOW, &agent, one, Some(desk.ada)).unwrap();
    desk::close(store, NOW, &agent, three).unwrap();
    let year_ago = "UPDATE messages SET sent_at = sent_at - 31536000 WHERE conversation_id = 3";
    store
        .write(|tx| -> store::Result<()> {
            tx.execute_batch(year_ago)?;
            let id = tx.query_row(
                "SELECT id FROM messages WHERE conversation_id = 3",
                [],
                |row| row.get(0),
            )?;
            store::search::upsert_stored(tx, mailhatch::model::MessageId(id))
        })
        .unwrap();
    for (question, mut found) in [
        ("lamp from:mia", vec![one]),
        ("from:\"Mia Brandt\"", vec![one]),
        ("from: jo", vec![two]),
        ("to:mia", vec![one]),
        ("to:mia way", vec![one]),
        ("subject:lamp", vec![one, three]),
        ("subject:\"lamp broken\"", vec![one]),
        ("lamp mailbox:sales", vec![two]),
        ("lamp mailbox:support@example.com", vec![one, three]),
        ("lamp -mailbox:sales", vec![one, three]),
        ("lamp assignee:me", vec![one]),
        ("lamp assignee:lovelace", vec![one]),
        ("lamp assignee:nobody", vec![two, three]),
        ("lamp status:closed", vec![three]),
        ("lamp -status:closed", vec![one, two]),
        ("status:closed", vec![three]),
        ("status:open assignee:nobody", vec![two]),
        ("assignee:me", vec![one]),
        ("mailbox:sales", vec![two]),
        ("lamp before:2026-06", vec![three]),
        ("lamp after:2026-06", vec![one, two]),
        ("lamp -replace -way", vec![two, three]),
        ("lamp -from:jo -subject:old", vec![one]),
        ("\"the lamp\"", vec![one]),
        ("\"lamp the\"", vec![]),
        ("lam*", vec![one, two, three]),
        ("lamp has:attachment", vec![]),
        ("lamp -has:attachment", vec![one, two, three]),
        ("lamp mailbox:nowhere", vec![]),
        ("lamp assignee:ghost", vec![]),
    ] {
        let mut is = desk.found(question);
        is.sort();
        found.sort();
        assert_eq!(is, found, "{question}");
    }
}

#[test]
fn what_of_a_question_is_not_understood_is_said_above_the_results() {
    let desk = Desk::new();
    desk.mail("Mia <mia@x.example>", "Lamp", "Broken");
    for (question, said) in [
        ("tag:urgent lamp", "There is no operator “tag:”"),
        ("status:asleep lamp", "open, waiting, snoozed"),
        ("after:soon lamp", "is not understood"),
        ("mailbox:nowhere lamp", "No mailbox is called “nowhere”"),
        ("assignee:ghost lamp", "No agent is called “ghost”"),
        ("from:", "needs something behind it"),
    ] {
        assert!(desk.ask(question).body.contains(said), "{question}");
    }
}

#[test]
fn a_day_begins_where_the_reader_is() {
    let desk = Desk::new();
    let id = desk.mail("Mia <mia@x.example>", "Lamp", "Broken");
    // 2027-01-14 23:30 UTC is the fifteenth in Berlin.
    let late = 1_799_969_400;
    let sql = format!("UPDATE messages SET sent_at = {late}");
    desk.site
        .store()
        .write(|tx| -> store::Result<()> { Ok(tx.execute_batch(&sql)?) })
        .unwrap();
    for (zone, found) in [
        ("", vec![]),
        ("Europe/Berlin", vec![id]),
        ("No/Where", vec![]),
        ("America/New_York", vec![]),
    ] {
        let mut browser = desk.site.signed_in("ada@example.com");
        browser
            .cookies
            .insert("mailhatch_zone".to_owned(), zone.to_owned());
        let page = browser.get("/search?q=lamp+after%3A2027-01-15");
        assert_eq!(numbers(&page), found, "{zone}");
    }
}

#[test]
fn mail_in_any_language_is_found_as_people_type_it() {
    let desk = Desk::new();
    let german = desk.mail(
        "Jürgen Müller <jm@x.example>",
        "Rechnungen für Lampen",
        "Die Größe stimmt nicht, schöne Grüße.",
    );
    let french = desk.mail(
        "Hélène <h@x.example>",
        "Commandes livrées",
        "L'étagère est cassée.",
    );
    let chinese = desk.mail(
        "王小明 <w@x.example>",
        "退款申请",
        "我的订单还没有收到，请尽快处理。",
    );
    let japanese = desk.mail(
        "田中 <t@x.example>",
        "配送状況について",
        "ランプが壊れました。",
    );
    let korean = desk.mail(
        "김민수 <k@x.example>",
        "배송지 변경",
        "주문을 취소하고 싶습니다.",
    );
    let arabic = desk.mail("أحمد <a@x.example>", "فاتورة", "المصباح لا يعمل، شكراً لكم.");
    let thai = desk.mail("สมชาย <s@x.example>", "โคมไฟเสีย", "กรุณาเปลี่ยนสินค้า");
    for (question, found) in [
        ("muller", german),
        ("Mueller", german),
        ("MÜLLER", german),
        ("rechnung", german),
        ("lampe", german),
        ("grosse", german),
        ("commande", french),
        ("livree etagere", french),
        ("退款", chinese),
        ("订单", chinese),
        ("小明", chinese),
        ("退款 订单", chinese),
        ("配送状況", japanese),
        ("ランプ", japanese),
        ("ﾗﾝﾌﾟ", japanese),
        ("壊", japanese),
        ("배송", korean),
        ("주문", korean),
        ("فاتوره", arabic),
        ("شكرا", arabic),
        ("احمد", arabic),
        ("เปลี่ยน", thai),
    ] {
        assert_eq!(desk.found(question), [found], "{question}");
    }
    assert!(
        desk.ask("订单")
            .body
            .contains("我的<mark>订单</mark>还没有")
    );
    assert!(
        desk.found("单还有").is_empty(),
        "signs of a phrase must follow each other"
    );
}

#[test]
fn what_is_meant_comes_first() {
    let desk = Desk::new();
    let store = desk.site.store();
    let in_text = desk.mail("Jo <jo@x.example>", "Hello", "Is there a lamp?");
    let in_subject = desk.mail("Kim <kim@x.example>", "My lamp", "See above.");
    let other_form = desk.mail("Lee <lee@x.example>", "Lamps", "Two of them.");
    let old = desk.mail("Sam <sam@x.example>", "My lamp", "See above.");
    let sql = format!(
        "UPDATE conversations SET active_at = active_at - {} WHERE id = {old}",
        400 * DAY
    );
    store
        .write(|tx| -> store::Result<()> { Ok(tx.execute_batch(&sql)?) })
        .unwrap();
    assert_eq!(desk.found("lamp"), [in_subject, other_form, old, in_text]);
}

#[test]
fn a_number_or_a_message_id_leads_there_at_once() {
    let desk = Desk::new();
    let raw =
        "From: Mia <mia@x.example>\nSubject: Lamp\nMessage-ID: <one.two@x.example>\n\nBroken\n";
    let id = desk
        .site
        .conversation(desk.support, &Address::new("Mia", "mia@x.example"), raw);
    let message = desk
        .site
        .store()
        .write(|tx| -> store::Result<i64> {
            let message = tx.query_row("SELECT id FROM messages", [], |row| row.get(0))?;
            let of = mailhatch::model::MessageId(message);
            store::threads::insert_own(tx, desk.support, "one.two@x.example", id, of)?;
            Ok(message)
        })
        .unwrap();
    for (question, to) in [
        (format!("#{id}"), format!("/conversations/{id}")),
        (format!("{id}"), format!("/conversations/{id}")),
        (
            "<one.two@x.example>".to_owned(),
            format!("/conversations/{id}#message-{message}"),
        ),
        (
            "Message-ID: one.two@x.example".to_owned(),
            format!("/conversations/{id}#message-{message}"),
        ),
    ] {
        let page = desk.ask(&question);
        assert_eq!(
            (page.status, page.header("location")),
            (303, to.as_str()),
            "{question}"
        );
    }
    // A number that is also a word: its conversation first, then what speaks of it.
    let other = desk.mail("Jo <jo@x.example>", "Order", &format!("About {id} lamps."));
    assert_eq!(desk.found(&id.to_string()), [id, other]);
    assert!(desk.found("#99").is_empty());
    // A question that is no Message-ID of ours is an address.
    assert_eq!(desk.found("jo@x.example"), [other]);
}

#[test]
fn a_result_leads_to_the_message_and_marks_what_was_looked_for_as_text() {
    let desk = Desk::new();
    let id = desk.mail(
        "<b>Eve</b> <eve@x.example>",
        "<script>alert(1)</script>",
        "Some <mark>lamp</mark> & \"more\"",
    );
    let body = desk.ask("lamp").body;
    assert!(
        body.contains(&format!("/conversations/{id}#message-")),
        "{body}"
    );
    assert!(
        body.contains("Some &#60;mark&#62;<mark>lamp</mark>&#60;/mark&#62; &#38;"),
        "{body}"
    );
    assert!(!body.contains("<script>alert") && !body.contains("<b>Eve"));
    let body = desk.ask("\"><script>alert(2)</script>").body;
    assert!(!body.contains("<script>alert"), "{body}");
}

#[test]
fn no_question_is_an_error() {
    let desk = Desk::new();
    desk.mail("Mia <mia@x.example>", "Lamp", "Broken");
    let long = "lamp ".repeat(2_000);
    for question in [
        "",
        " ",
        "\"",
        "\"\"",
        "a\"b",
        "NEAR(lamp broken)",
        "lamp AND",
        "OR",
        "NOT lamp",
        "{words}: lamp",
        "^lamp",
        "words:lamp",
        "lamp + broken",
        "((((",
        "'; DROP TABLE messages; --",
        "-",
        "-lamp",
        "--",
        "from:\"",
        "*",
        "lamp*",
        "**",
        "l*",
        "\u{202e}lamp",
        "😀",
        "m=1",
        "s=lamp",
        "%",
        "\\",
        "猫",
        "-猫",
        "lamp -\"",
        "before:9999-12-31",
        "after:1970",
        "status:open -status:open",
        &long,
    ] {
        let page = desk.ask(question);
        assert!(
            matches!(page.status, 200 | 303),
            "{question}: {}",
            page.status
        );
    }
    let mut browser = desk.site.signed_in("ada@example.com");
    for path in [
        "/search",
        "/search?q=%00",
        "/search?q=%FF%FE",
        "/search?q=lamp&page=x",
        "/search?q=lamp&page=99999999999",
        "/search?q=lamp&page=0",
    ] {
        assert_eq!(browser.get(path).status, 200, "{path}");
    }
    assert_eq!(browser.get("/search?q=lamp&mailbox=99").status, 404);
    assert!(
        browser
            .get("/search")
            .body
            .contains("What can be searched for")
    );
    let signed_out = desk.site.browser().get("/search?q=lamp");
    assert_eq!(signed_out.status, 303);
    assert!(signed_out.header("location").starts_with("/sign-in"));
}

#[test]
fn results_come_page_by_page_and_of_one_mailbox_when_asked() {
    let desk = Desk::new();
    for n in 0..60 {
        let mailbox = if n % 2 == 0 { desk.support } else { desk.sales };
        desk.mail_to(
            mailbox,
            "Mia <mia@x.example>",
            &format!("Lamp no {n}a"),
            "Broken",
        );
    }
    let mut all = Vec::new();
    for page in 1..=3 {
        all.extend(numbers(&desk.ask_more("lamp", &format!("&page={page}"))));
    }
    assert_eq!(all.len(), 60);
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 60);
    let first = desk.ask("lamp");
    assert!(first.body.contains("60 conversations") && first.body.contains("page=2"));
    assert!(!desk.ask_more("lamp", "&page=3").body.contains("page=4"));
    let sales = desk.ask_more("lamp", "&mailbox=2");
    assert!(sales.body.contains("30 conversations"), "{}", sales.body);
}

#[test]
fn common_words_rank_the_newest_and_say_that_there_are_more() {
    let desk = Desk::new();
    let store = desk.site.store();
    let id = desk.mail("Mia <mia@x.example>", "Lamp", "Broken");
    // Further messages of further conversations, as the store would hold them.
    let sql = format!("
        WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 900)
        INSERT INTO conversations (id, mailbox_id, contact_id, subject, status, active_at, created_at, message_count)
            SELECT i, mailbox_id, contact_id, 'x', 'open', active_at, created_at, 1 FROM n, conversations WHERE id = {id};
        INSERT INTO messages (id, mailbox_id, conversation_id, direction, kind, internet_message_id, identity, text,
                reply_text, sent_at, created_at, derived_version)
            SELECT c.id, c.mailbox_id, c.id, 'incoming', 'message', '', CAST('i' || c.id AS BLOB), 'A common thing',
                'A common thing', c.active_at, 1, 2 FROM conversations c WHERE c.id > 1;
        INSERT INTO message_search (rowid, words)
            SELECT id, 'm=1 y=2027 d=202701 a common thing' FROM messages WHERE id > 1;");
    store
        .write(|tx| -> store::Result<()> { Ok(tx.execute_batch(&sql)?) })
        .unwrap();
    let page = desk.ask("common");
    assert!(
        page.body.contains("the best 400 conversations"),
        "{}",
        page.body
    );
    assert_eq!(numbers(&page).first(), Some(&ConversationId(900)));
    assert!(desk.ask("common -thing").body.contains("Nothing found"));
}

/// The conversations that a question finds, by the store.
fn found(stage: &Stage, question: &str) -> Vec<ConversationId> {
    let today = chrono::NaiveDate::from_ymd_opt(2027, 1, 15).unwrap();
    let query = parse(question, today);
    let found = stage.services.store.read(|db| {
        let mailboxes = store::mailboxes::list(db)?;
        let scope = mailhatch::model::search::expression::Scope {
            mailboxes: mailboxes.into_iter().map(|mailbox| mailbox.id).collect(),
            all: true,
            today,
        };
        let ask = store::results::Ask {
            query: &query,
            scope: &scope,
            assignees: Vec::new(),
            after_at: None,
            before_at: None,
            agent_id: stage.admin.agent.id,
            now: stage.clock.now(),
            skip: 0,
            limit: 100,
        };
        store::results::find(db, &ask)
    });
    found
        .unwrap()
        .found
        .into_iter()
        .map(|one| one.row.id)
        .collect()
}

fn delivered(messages: &[Vec<u8>]) -> Stage {
    let stage = Stage::new();
    for raw in messages {
        assert!(
            stage
                .simulator
                .world()
                .deliver(&stage.demo.support_address, raw)
        );
    }
    let id = stage.connect();
    stage.receives(id, messages.len() as u64);
    stage
}

#[test]
fn received_mail_is_found_with_its_signature_and_the_history_only_where_it_came_from() {
    let quoted = |history: &str| {
        format!(
            "Yes please.\r\n\r\n-- \r\nMia, tel 0171 555 1234\r\n\r\nOn Mon, 4 Jan 2027 at 08:00, Support <support@harbourlights.example> wrote:\r\n> {history}"
        )
    };
    let stage = delivered(&[
        mail(
            "Mia <mia@shop.example>",
            "Sconce",
            "1@x",
            "",
            "The porcelain one.",
        ),
        mail(
            "Mia <mia@shop.example>",
            "Re: Sconce",
            "2@x",
            "In-Reply-To: <1@x>\r\n",
            &quoted("The porcelain one."),
        ),
        mail(
            "Jo <jo@shop.example>",
            "Re: Chandelier",
            "3@x",
            "In-Reply-To: <unknown@x>\r\n",
            &quoted("The crystal one."),
        ),
    ]);
    let first = found(&stage, "sconce");
    let other = found(&stage, "chandelier");
    assert_eq!((first.len(), other.len()), (1, 1));
    assert_eq!(found(&stage, "porcelain"), first);
    assert_eq!(
        found(&stage, "from:jo crystal"),
        other,
        "the message that was quoted never came here"
    );
    assert!(
        found(&stage, "please porcelain").is_empty(),
        "the answer only repeats it"
    );
    assert_eq!(found(&stage, "\"0171 555 1234\"").len(), 2);
    assert_eq!(
        stage.services.store.read(check::run).unwrap(),
        Vec::<String>::new()
    );
}

#[test]
fn replies_moved_and_deleted_messages_are_found_where_they_are() {
    let stage = delivered(&[
        mail(
            "Mia <mia@shop.example>",
            "Sconce",
            "1@x",
            "",
            "The porcelain one.",
        ),
        mail(
            "Mia <mia@shop.example>",
            "Re: Sconce",
            "2@x",
            "In-Reply-To: <1@x>\r\n",
            "And a chandelier.",
        ),
    ]);
    let store = &stage.services.store;
    let id = found(&stage, "sconce")[0];
    stage.reply(id, "We send a replacement tomorrow.");
    assert_eq!(found(&stage, "replacement"), [id]);
    assert_eq!(found(&stage, "to:mia replacement"), [id]);
    let second = stage.messages(id)[1].id;
    let moved =
        desk::move_message(store, NOW, &stage.admin.agent, second, None, "Chandelier").unwrap();
    assert_eq!(found(&stage, "and chandelier"), [moved.to]);
    assert!(!found(&stage, "porcelain").contains(&moved.to));
    let sql = format!("DELETE FROM fates; DELETE FROM thread_ids WHERE message_id = {second};
        DELETE FROM raw_messages WHERE message_id = {second}; DELETE FROM messages WHERE id = {second};
        DELETE FROM views WHERE conversation_id = {to}; DELETE FROM events WHERE conversation_id = {to};
        DELETE FROM conversations WHERE id = {to};", to = moved.to);
    store
        .write(|tx| -> store::Result<()> { Ok(tx.execute_batch(&sql)?) })
        .unwrap();
    assert!(found(&stage, "and chandelier").is_empty());
}

#[test]
fn mail_and_notes_of_before_the_search_are_indexed_by_the_service_and_the_page_says_so_meanwhile() {
    let messages: Vec<Vec<u8>> = (0..30)
        .map(|n| {
            mail(
                "Mia <mia@shop.example>",
                &format!("Sconce {n}"),
                &format!("{n}@x"),
                "",
                "The porcelain one.",
            )
        })
        .collect();
    let mut stage = delivered(&messages);
    let store = &stage.services.store;
    let id = stage.conversations(View::Open)[0];
    desk::note(store, NOW, &stage.admin.agent, id, "Ask the joiner.").unwrap();
    stage.reply(id, "We send a replacement.");
    // As the version before the search left it.
    let sql = "UPDATE messages SET derived_version = 1; UPDATE notes SET indexed = 0;
        INSERT INTO message_search (message_search) VALUES ('delete-all');
        INSERT INTO note_search (note_search) VALUES ('delete-all');";
    store
        .write(|tx| -> store::Result<()> { Ok(tx.execute_batch(sql)?) })
        .unwrap();
    assert!(found(&stage, "porcelain").is_empty() && found(&stage, "joiner").is_empty());
    assert_eq!(store.read(reparse::left).unwrap(), 31);
    stage.restart();
    let running = stage.run();
    until("everything is found", || {
        found(&stage, "porcelain").len() == 30
            && found(&stage, "joiner") == [id]
            && found(&stage, "replacement") == [id]
    });
    running.stop();
    assert_eq!(stage.services.store.read(reparse::left).unwrap(), 0);
}

#[test]
fn the_page_says_that_older_mail_is_not_indexed_yet() {
    let desk = Desk::new();
    desk.mail("Mia <mia@x.example>", "Lamp", "Broken");
    assert!(!desk.ask("lamp").body.contains("is being read again"));
    let sql = "UPDATE messages SET derived_version = 1";
    desk.site
        .store()
        .write(|tx| -> store::Result<()> { Ok(tx.execute_batch(sql)?) })
        .unwrap();
    let body = desk.ask("lamp").body;
    assert!(
        body.contains("is being read again after an upgrade, 1 message to go"),
        "{body}"
    );
}

#[test]
fn a_check_names_what_the_index_lacks_or_has_too_much() {
    let stage = delivered(&[mail(
        "Mia <mia@shop.example>",
        "Sconce",
        "1@x",
        "",
        "The porcelain one.",
    )]);
    let store = &stage.services.store;
    let run = |sql: &str| {
        store
            .write(|tx| -> store::Result<()> { Ok(tx.execute_batch(sql)?) })
            .unwrap();
        store.read(check::run).unwrap().join("\n")
    };
    assert!(
        run("DELETE FROM message_search WHERE rowid = 1")
            .contains("a message is not in the index of the search")
    );
    assert!(
        run("INSERT INTO message_search (rowid, words) VALUES (77, 'ghost')")
            .contains("a message that is gone")
    );
    assert!(
        run("INSERT INTO note_search (rowid, words) VALUES (77, 'ghost')")
            .contains("a note that is gone")
    );
    let broken = run("UPDATE message_search_data SET block = x'00010203' WHERE id > 1000");
    assert!(broken.contains("damaged"), "{broken}");
    // Whatever has become of the index, it can be made anew from the mail.
    let sql = "INSERT INTO message_search (message_search) VALUES ('delete-all');
        INSERT INTO note_search (note_search) VALUES ('delete-all');";
    store
        .write(|tx| -> store::Result<()> { Ok(tx.execute_batch(sql)?) })
        .unwrap();
    reparse::all(&stage.services, true, |_| ()).unwrap();
    assert_eq!(found(&stage, "porcelain").len(), 1);
    assert_eq!(
        stage.conversation(found(&stage, "sconce")[0]).status,
        Status::Open
    );
}
