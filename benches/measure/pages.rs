//! How fast pages come from a store of 20,000 conversations with 100,000 messages, asked over connections
//! that stay open, by one and by eight readers at a time. Beside it: Python's web server with the same list
//! page as a file.

use std::time::{Duration, Instant};

use crate::common::desk::Desk;
use crate::common::http::Connection;
use crate::common::rival::{self, Rival};
use crate::common::table::{Table, progress};
use crate::common::{megabytes, millis, mixture, percentile, rate};
use mailhatch::intake::{self, Fetched, Source};
use mailhatch::model::{ConversationId, FolderRole, MailboxId};
use mailhatch::{desk as acts, store};

const CONVERSATIONS: usize = 20_000;
const MESSAGES_EACH: usize = 5;
/// One of so many conversations is open; the others are closed.
const OPEN_ONE_OF: usize = 10;
const FOR: Duration = Duration::from_secs(5);

/// Prints the table.
pub(crate) fn run() {
    let columns = [
        "page",
        "readers",
        "pages a second",
        "median",
        "99 of 100 within",
    ];
    let mut table = Table::new("pages", &columns);
    let desk = Desk::pretend(1);
    progress("filling the store");
    fill(&desk);
    let size = megabytes(desk.stage.services.store.size_bytes());
    let index = desk.count("SELECT SUM(LENGTH(block)) FROM message_search_data");
    let index = megabytes(u64::try_from(index).unwrap());
    progress(&format!(
        "a database of {size:.0} MB, {index:.0} MB of it the index of the search"
    ));
    let cookie = desk.cookie();
    let program = desk.serve();
    let mut server = Connection::open(program.port, &cookie).unwrap();
    let older = older(&mut server);
    let list = server.get("/").unwrap().1;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("page.html"), &list).unwrap();
    let (_web_server, port, _) = Rival::web_server(&rival::python(), folder.path());
    let conversation = |n: usize| format!("/conversations/{}", n * 7_919 % CONVERSATIONS + 1);
    for readers in [1, 8] {
        let mut row = |name: &str, port: u16, path: &(dyn Fn(usize) -> String + Sync)| {
            progress(&format!("{name}, {readers}"));
            let (times, time) = ask(port, &cookie, readers, path);
            table.row(&[
                name.to_owned(),
                readers.to_string(),
                rate(times.len(), time),
                millis(percentile(&times, 50)),
                millis(percentile(&times, 99)),
            ]);
        };
        row("list of open conversations", program.port, &|_| {
            "/".to_owned()
        });
        row("… its second page", program.port, &|_| older.clone());
        row("list of closed conversations", program.port, &|_| {
            "/?view=closed".to_owned()
        });
        row("a conversation of 5 messages", program.port, &conversation);
        row("one message's HTML", program.port, &|n| {
            format!("/messages/{}/body", n % 100_000 + 1)
        });
        row("search: a word of every message", program.port, &|_| {
            "/search?q=lamp".to_owned()
        });
        row(
            "search: three words of every message",
            program.port,
            &|_| "/search?q=green+lamp+broken".to_owned(),
        );
        row("search: a common and a rare word", program.port, &|n| {
            format!("/search?q=order+{}", n * 7_919 % CONVERSATIONS)
        });
        row("search: a sender", program.port, &|n| {
            format!("/search?q=from%3Acustomer{}", n * 7_919 % 5_000)
        });
        row("search: a common word in a state", program.port, &|_| {
            "/search?q=lamp+status%3Aopen".to_owned()
        });
        row("search: a phrase", program.port, &|_| {
            "/search?q=%22please+replace%22".to_owned()
        });
        row("search: a word that is nowhere", program.port, &|_| {
            "/search?q=wardrobe".to_owned()
        });
        row("`http.server`: the list as a file", port, &|_| {
            "/page.html".to_owned()
        });
    }
    program.stop();
    table.print();
}

/// Asks for pages for a while, by so many readers at a time; gives the times of all answers.
fn ask(
    port: u16,
    cookie: &str,
    readers: usize,
    path: &(dyn Fn(usize) -> String + Sync),
) -> (Vec<Duration>, Duration) {
    let began = Instant::now();
    let reader = |number: usize| {
        let mut server = Connection::open(port, cookie).unwrap();
        let mut times = Vec::new();
        while began.elapsed() < FOR {
            let path = path(times.len() * readers + number);
            let asked = Instant::now();
            let (status, body) = server.get(&path).unwrap();
            times.push(asked.elapsed());
            assert!(status == 200 && !body.is_empty(), "{path} answers {status}");
        }
        times
    };
    let times = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..readers)
            .map(|number| scope.spawn(move || reader(number)))
            .collect();
        readers
            .into_iter()
            .flat_map(|reader| reader.join().unwrap())
            .collect()
    });
    (times, began.elapsed())
}

/// Where the list page's link to older conversations leads.
fn older(server: &mut Connection) -> String {
    let (_, body) = server.get("/").unwrap();
    let body = String::from_utf8(body).unwrap();
    let (before, rest) = body
        .split_once("after=")
        .expect("the list has a second page");
    let start = before.rsplit_once('"').unwrap().1;
    let end = rest.split_once('"').unwrap().0;
    format!("{start}after={end}")
        .replace("&amp;", "&")
        .replace("&#38;", "&")
}

/// Takes in the messages as if they had come from a server, and opens some conversations again.
fn fill(desk: &Desk) {
    let services = &desk.stage.services;
    let store = &services.store;
    let id: MailboxId = desk.mailboxes[0].0;
    let mailbox = desk.stage.mailbox(id);
    let folder = store
        .write(|tx| {
            store::folders::insert(tx, id, "INBOX", "Inbox", FolderRole::Inbox)?;
            store::folders::find_by_role(tx, id, FolderRole::Inbox)
        })
        .unwrap()
        .unwrap();
    let source = Source {
        mailbox: &mailbox,
        folder: &folder,
        uid_validity: 1,
        backfill: None,
    };
    let now = services.clock.now();
    let total = CONVERSATIONS * MESSAGES_EACH;
    for start in (0..total).step_by(500) {
        let batch = (start..start + 500).map(|n| Fetched {
            uid: u32::try_from(n + 1).unwrap(),
            raw: Some(follow_up(n)),
            internal_date_at: Some(now - 90 * 86_400 + n as i64 * 60),
        });
        let next_uid = u32::try_from(start + 501).unwrap();
        let ready = intake::read(source, batch.collect(), next_uid);
        let report = intake::receive(store, &services.ids(), source, &ready, now).unwrap();
        assert_eq!(report.received, 500);
    }
    assert_eq!(
        desk.count("SELECT COUNT(*) FROM conversations"),
        CONVERSATIONS
    );
    // Mail of so long ago comes in closed.
    for n in (1..=CONVERSATIONS).filter(|n| n % OPEN_ONE_OF == 0) {
        let conversation = ConversationId(i64::try_from(n).unwrap());
        acts::reopen(store, now, &desk.stage.admin.agent, conversation).unwrap();
    }
}

/// Message `n` of all: the first 20,000 begin the conversations, the others answer in turn. A third is HTML.
fn follow_up(n: usize) -> Vec<u8> {
    let begins = n % CONVERSATIONS;
    // Numbers of the mixture that have no attachment.
    let like = (n / 3) * 40 + if n.is_multiple_of(3) { 24 } else { 0 };
    let text = String::from_utf8(mixture::message(like)).unwrap();
    let (_, body) = text.split_once("MIME-Version").unwrap();
    let answers = if n == begins {
        String::new()
    } else {
        format!("References: <start-{begins}@shop.example>\r\n")
    };
    let id = if n == begins {
        format!("start-{n}")
    } else {
        format!("answer-{n}")
    };
    format!(
        "From: Customer {begins} <customer{}@shop.example>\r\nTo: desk0@harbourlights.example\r\n\
         Subject: Order {begins} and what became of it\r\nDate: Fri, 15 Jan 2027 08:00:00 +0000\r\n\
         Message-ID: <{id}@shop.example>\r\n{answers}MIME-Version{body}",
        begins % 5_000
    )
    .into_bytes()
}
