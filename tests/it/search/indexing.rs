//! The index follows the mail: received, answered, moved, deleted, and what was there before it.

use mailhatch::desk;
use mailhatch::model::search::query::parse;
use mailhatch::model::{ConversationId, Status, View};
use mailhatch::store::{self, check};
use mailhatch::work::reparse;

use crate::support::site::NOW;
use crate::support::stage::{Stage, mail, until};

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
