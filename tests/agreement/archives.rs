//! Whether the threads of mailing-list archives come out as the conversations they are: each archive goes
//! through the real intake into a store of its own, by date and in a shuffled order, and the pairs of
//! messages that share a conversation are compared with those that share a tree of References.
//!
//! As with the other comparison the messages are read from `TEST_CORPUS` or `../shared/corpus`.
//! `TEST_CORPUS_SHOW=threads` names the pairs that differ.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use mailhatch::intake::{self, Fetched, Source};
use mailhatch::mail::{self, thread::IdKey};
use mailhatch::model::{Credential, FolderRole, Mailbox, MailboxId};
use mailhatch::secret::Sealer;
use mailhatch::store::{self, Store, check};
use serde_json::Value;

use super::{kept, unit};

/// When the archives are taken in; all of it is history by then.
const NOW: i64 = 1_800_000_000;
/// The least precision and recall, in hundredths of a per cent, by date.
const BARS: (usize, usize) = (9_950, 9_800);

/// One message of an archive.
struct Post {
    name: String,
    raw: Vec<u8>,
    sent_at: i64,
}

/// What became of the pairs.
#[derive(Default, Clone, Copy)]
struct Pairs {
    /// Together in both.
    found: usize,
    /// Together in a conversation, in no tree.
    wrong: usize,
    /// Together in a tree, in no conversation.
    missed: usize,
    /// Of the wrong ones, stood by: `kept.txt` says why.
    kept_wrong: usize,
    /// Of the missed ones.
    kept_missed: usize,
}

impl Pairs {
    fn add(&mut self, other: Self) {
        self.found += other.found;
        self.wrong += other.wrong;
        self.missed += other.missed;
        self.kept_wrong += other.kept_wrong;
        self.kept_missed += other.kept_missed;
    }

    /// In hundredths of a per cent, whatever is stood by.
    fn precision(self) -> usize {
        share(self.found, self.wrong)
    }

    fn recall(self) -> usize {
        share(self.found, self.missed)
    }
}

fn share(found: usize, lost: usize) -> usize {
    (found * 10_000).checked_div(found + lost).unwrap_or(10_000)
}

fn per_cent(hundredths: usize) -> String {
    format!("{}.{:02} %", hundredths / 100, hundredths % 100)
}

#[test]
#[ignore = "run by the section corpus of tests/run.sh and `just corpus`: it takes in thousands of messages"]
fn threads_of_archives_become_conversations() {
    let Some(folder) = unit::corpus() else {
        println!("no corpus: there is no folder ../shared/corpus and TEST_CORPUS names none");
        return;
    };
    println!(
        "\n| archive | order | messages | pairs | wrongly joined | … kept on purpose | missed | … kept on purpose | precision | recall |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    );
    let mut sums = BTreeMap::new();
    for source in unit::sources(&folder) {
        let mut trees = trees(&source);
        if trees.is_empty() {
            continue;
        }
        join_bare_ids(&posts(&source, &trees), &mut trees);
        for order in ["by date", "shuffled"] {
            let mut posts = posts(&source, &trees);
            match order {
                "by date" => posts.sort_by(|a, b| (a.sent_at, &a.name).cmp(&(b.sent_at, &b.name))),
                _ => posts.sort_by_key(|post| mailhatch::secret::sha256(post.name.as_bytes())),
            }
            let count = posts.len();
            let name = source.file_name().unwrap_or_default().to_string_lossy();
            let pairs = compare(&name, &trees, &take_in(posts));
            print(&name, order, count, pairs);
            let sum: &mut (usize, Pairs) = sums.entry(order).or_default();
            sum.0 += count;
            sum.1.add(pairs);
        }
    }
    for (order, (count, pairs)) in &sums {
        print("all", order, *count, *pairs);
    }
    if let Some((_, pairs)) = sums.get("by date") {
        assert!(
            pairs.precision() >= BARS.0 && pairs.recall() >= BARS.1,
            "conversations are not the threads of the archives: see the table"
        );
    }
}

fn print(archive: &str, order: &str, count: usize, pairs: Pairs) {
    println!(
        "| {archive} | {order} | {count} | {} | {} | {} | {} | {} | {} | {} |",
        pairs.found + pairs.missed,
        pairs.wrong,
        pairs.kept_wrong,
        pairs.missed,
        pairs.kept_missed,
        per_cent(pairs.precision()),
        per_cent(pairs.recall())
    );
}

/// The tree of each message of an archive, by the number of its line.
fn trees(source: &Path) -> BTreeMap<String, usize> {
    let text = std::fs::read_to_string(source.join("_threads.jsonl")).unwrap_or_default();
    let mut trees = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let tree: Value = serde_json::from_str(line).expect("a line is a tree");
        for row in tree["rows"].as_array().into_iter().flatten() {
            let file = row["file"].as_str().unwrap_or_default();
            trees.insert(file.to_owned(), number);
        }
    }
    trees
}

/// Joins the trees of messages that name one another by a bare id. The trees were made of ids in angle
/// brackets; the threads of an archive that writes none are threads all the same.
fn join_bare_ids(posts: &[Post], trees: &mut BTreeMap<String, usize>) {
    let mut names = BTreeMap::new();
    for post in posts {
        if let Some(id) = bare_id(&post.raw, "message-id:") {
            names.insert(id, &post.name);
        }
    }
    for post in posts {
        let Some(parent) = bare_id(&post.raw, "in-reply-to:") else {
            continue;
        };
        // Of a parent that is not in the archive, the first answer stands for it.
        let parent = *names.entry(parent).or_insert(&post.name);
        let (joined, into) = (trees[&post.name], trees[parent]);
        for number in trees.values_mut().filter(|number| **number == joined) {
            *number = into;
        }
    }
}

/// The value of a header line that holds nothing but an id without angle brackets.
fn bare_id(raw: &[u8], field: &str) -> Option<String> {
    let text = String::from_utf8_lossy(raw);
    let mut head = text.lines().take_while(|line| !line.is_empty());
    let line = head.find(|line| line.to_ascii_lowercase().starts_with(field))?;
    let value = line.split_once(':')?.1.trim();
    let is_bare = value.contains('@') && !value.contains(['<', ' ', '"']);
    is_bare.then(|| value.to_owned())
}

fn posts(source: &Path, trees: &BTreeMap<String, usize>) -> Vec<Post> {
    let known = |name: &str| trees.contains_key(name);
    let units = unit::units(source).into_iter();
    units
        .filter_map(|unit| {
            // A box of one message is named with its number in the trees, and without it as a unit.
            let numbered = format!("{}#0", unit.name);
            let name = if known(&unit.name) {
                unit.name
            } else {
                numbered
            };
            known(&name).then(|| Post {
                sent_at: mail::parse(&unit.raw).0.date_at.unwrap_or(0),
                raw: unit.raw,
                name,
            })
        })
        .collect()
}

/// Takes an archive in, in this order, and says which conversation each message came to be in.
fn take_in(posts: Vec<Post>) -> BTreeMap<String, i64> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = Store::open(&folder.path().join("mailhatch.db")).expect("a store");
    let mailbox = mailbox(&store);
    let inbox = store
        .write(|tx| {
            store::folders::insert(tx, mailbox.id, "INBOX", "Inbox", FolderRole::Inbox)?;
            store::folders::find_by_role(tx, mailbox.id, FolderRole::Inbox)
        })
        .expect("a folder")
        .expect("a folder");
    let source = Source {
        mailbox: &mailbox,
        folder: &inbox,
        uid_validity: 1,
        backfill: None,
    };
    let ids = IdKey::new([1; 32]);
    let names: Vec<String> = posts.iter().map(|post| post.name.clone()).collect();
    let mut uid = 0;
    let mut posts = posts.into_iter().peekable();
    while posts.peek().is_some() {
        let batch: Vec<Fetched> = posts
            .by_ref()
            .take(50)
            .map(|post| {
                uid += 1;
                Fetched {
                    uid,
                    raw: Some(post.raw),
                    internal_date_at: Some(post.sent_at),
                }
            })
            .collect();
        let ready = intake::read(source, batch, uid + 1);
        intake::receive(&store, &ids, source, &ready, NOW).expect("mail is taken in");
    }
    store
        .read(|db| {
            let mut found = BTreeMap::new();
            for (uid, name) in (1_u32..).zip(names) {
                let fate = store::fates::find(db, inbox.id, 1, uid)?;
                let id = fate.and_then(|fate| fate.message_id);
                if let Some(message) = id.map(|id| store::messages::find(db, id)).transpose()? {
                    let message = message.expect("a fate's message is there");
                    found.insert(name, message.conversation_id.0);
                }
            }
            assert_eq!(check::run(db)?, Vec::<String>::new());
            Ok::<_, store::Error>(found)
        })
        .expect("the store is read")
}

fn mailbox(store: &Store) -> Mailbox {
    let sealer = Sealer::from_base64("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "a test")
        .expect("a key");
    store
        .write(|tx| {
            let id: MailboxId =
                store::mailboxes::insert(tx, "list@example.org", "List", false, NOW)?;
            let credential = Credential {
                mailbox_id: id,
                tenant_id: String::new(),
                object_id: String::new(),
                upn: "list@example.org".to_owned(),
                person_name: String::new(),
                refresh_token: String::new(),
                refreshed_at: NOW,
                exchange_token: None,
                exchange_expires_at: 0,
                graph_token: None,
                graph_expires_at: 0,
            };
            store::credentials::upsert(tx, &sealer, &credential)?;
            store::mailboxes::find(tx, id)
        })
        .expect("a mailbox")
        .expect("a mailbox")
}

/// Every pair of messages that is together in a tree or in a conversation.
fn compare(
    archive: &str,
    trees: &BTreeMap<String, usize>,
    conversations: &BTreeMap<String, i64>,
) -> Pairs {
    let kept = kept::list();
    let mut pairs = Pairs::default();
    let mut differing = BTreeSet::new();
    let both: Vec<(&String, usize, i64, bool)> = conversations
        .iter()
        .filter_map(|(name, conversation)| {
            let is_kept = kept::is_kept(&kept, &format!("{archive}/{name}"), "threads");
            Some((name, *trees.get(name)?, *conversation, is_kept))
        })
        .collect();
    for (place, (name, tree, conversation, one_kept)) in both.iter().enumerate() {
        for (other, other_tree, other_conversation, other_kept) in both.iter().skip(place + 1) {
            let is_kept = *one_kept || *other_kept;
            let what = match (tree == other_tree, conversation == other_conversation) {
                (true, true) => {
                    pairs.found += 1;
                    continue;
                }
                (false, false) => continue,
                (false, true) => {
                    pairs.wrong += 1;
                    pairs.kept_wrong += usize::from(is_kept);
                    "wrongly joined"
                }
                (true, false) => {
                    pairs.missed += 1;
                    pairs.kept_missed += usize::from(is_kept);
                    "missed"
                }
            };
            if is_kept {
                continue;
            }
            differing.insert(format!("{what}: {name} and {other}"));
        }
    }
    if std::env::var("TEST_CORPUS_SHOW").is_ok_and(|show| show == "threads") {
        for line in differing.iter().take(400) {
            println!("{line}");
        }
    }
    pairs
}
