//! A backup made while mail arrives is whole, and restored elsewhere it holds the same messages.

use mailhatch::clock::Clock;
use mailhatch::model::View;
use mailhatch::store::{Store, check};

use crate::support::child::{self, Serve};
use crate::support::stage::{Stage, mail, until};

#[test]
fn a_backup_during_reception_restores_elsewhere_with_the_same_messages() {
    let stage = Stage::with(Clock::System, &[]);
    let world = stage.simulator.world();
    for n in 0..600 {
        let raw = mail(
            "a@shop.example",
            &format!("No {n}"),
            &format!("b{n}@x.example"),
            "",
            "Text",
        );
        world.deliver(&stage.demo.support_address, &raw);
    }
    stage.connect();
    let serving = Serve::start(&stage);
    until("reception has begun", || {
        stage.conversations(View::Open).len() > 60
    });
    let backup = stage.folder.path().join("copy.db");
    child::run(&stage, &["backup", backup.to_str().unwrap()]);
    until("reception has ended", || {
        stage.conversations(View::Open).len() == 600
    });
    assert!(serving.terminate().success());

    let elsewhere = tempfile::tempdir().unwrap();
    let other = elsewhere.path().to_str().unwrap();
    let restored = child::command(&stage, &["restore", backup.to_str().unwrap()])
        .env("MAILHATCH_DATA_DIR", other)
        .output()
        .unwrap();
    assert!(
        restored.status.success(),
        "{}",
        String::from_utf8_lossy(&restored.stderr)
    );
    let checked = child::command(&stage, &["check"])
        .env("MAILHATCH_DATA_DIR", other)
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&checked.stdout).trim(),
        "All invariants hold."
    );

    let store = Store::open(&elsewhere.path().join("mailhatch.db")).unwrap();
    let there = ids(&store);
    let here = ids(&stage.services.store);
    assert!(
        there.len() > 60 && there.iter().all(|id| here.contains(id)),
        "{}",
        there.len()
    );
}

/// The Message-IDs of all conversations, by the pages' own query.
fn ids(store: &Store) -> std::collections::BTreeSet<String> {
    use mailhatch::model::{AgentId, InboxQuery};
    let query = InboxQuery {
        view: View::Open,
        mailbox_id: None,
        agent_id: AgentId(1),
        after: None,
        limit: 10_000,
    };
    store
        .read(|db| {
            assert!(check::run(db)?.is_empty());
            let page = mailhatch::store::inbox::page(db, &query)?;
            let mut ids = std::collections::BTreeSet::new();
            for row in page.rows {
                for message in mailhatch::store::messages::list(db, row.id)? {
                    ids.insert(message.internet_message_id);
                }
            }
            Ok::<_, mailhatch::store::Error>(ids)
        })
        .unwrap()
}

#[test]
fn a_broken_or_foreign_file_is_not_restored_and_nothing_is_replaced() {
    let stage = Stage::new();
    let before = std::fs::read(stage.services.store.path()).unwrap();
    for (name, content) in [
        ("text.db", b"not a database".to_vec()),
        ("empty.db", Vec::new()),
    ] {
        let file = stage.folder.path().join(name);
        std::fs::write(&file, content).unwrap();
        let output = child::command(&stage, &["restore", file.to_str().unwrap()])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{name}");
    }
    assert_eq!(std::fs::read(stage.services.store.path()).unwrap(), before);
}
