//! The ledger as people see it: how it stands against the server, rows that need a person, and what became of
//! one mail, on the page and by the command.

use mailhatch::model::{Comparison, Fate, FolderId, FolderRole, MailboxId, Role, TakeFrom, View};
use mailhatch::store::{self, fates, ledger_checks};
use mailhatch::work::connect;

use crate::support::child;
use crate::support::site::{Answer, Browser, NOW, Site};
use crate::support::stage::{Stage, mail};

fn deliver(stage: &Stage, id: &str, more: &str) {
    let raw = mail("Mia <mia@shop.example>", "A lamp", id, more, "In green?");
    let world = stage.simulator.world();
    assert!(world.deliver(&stage.demo.support_address, &raw));
}

/// What the command says of a Message-ID, and whether it knows it.
fn search(stage: &Stage, id: &str) -> (String, bool) {
    let arguments = ["ledger", "--message-id", id];
    let output = child::command(stage, &arguments).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    (said, output.status.success())
}

#[test]
fn the_command_tells_what_became_of_a_received_mail_however_its_id_is_written() {
    let stage = Stage::new();
    deliver(
        &stage,
        "Lamp-1@shop.example",
        "References: <lost@shop.example>\r\n",
    );
    let id = stage.connect();
    stage.receives(id, 1);
    let world = stage.simulator.world();
    world.change_uid_validity(&stage.demo.support_address, "INBOX");
    stage.receives(id, 0);
    for written in [
        "Lamp-1@shop.example",
        "<lamp-1@SHOP.EXAMPLE>",
        "Message-ID: <LAMP-1@shop.example>",
    ] {
        let (said, known) = search(&stage, written);
        assert!(known, "{written}: {said}");
        for words in [
            "support@harbourlights.example: Received as a message.",
            "conversation 1",
            "Seen in Inbox, UID",
            "Seen again in Inbox, UID",
            "not stored twice",
        ] {
            assert!(said.contains(words), "{words} in {said}");
        }
    }
    let (said, known) = search(&stage, "lost@shop.example");
    assert!(
        known && said.contains("messages of conversation 1 refer to it"),
        "{said}"
    );
}

#[test]
fn a_search_for_our_reply_names_its_delivery_and_its_copy() {
    let stage = Stage::new();
    deliver(&stage, "lamp-1@shop.example", "");
    let id = stage.connect();
    stage.receives(id, 1);
    let number = stage.conversations(View::Open)[0];
    let queued = stage.reply(number, "Yes.");
    let ours = stage.messages(number)[1].internet_message_id.clone();
    let (said, _) = search(&stage, &ours);
    assert!(said.contains("it waits to be handed over"), "{said}");
    stage.send_all(id);
    stage.receives(id, 0);
    let (said, known) = search(&stage, &format!("<{ours}>"));
    assert!(known);
    let delivery = format!("delivery {}: the server has taken it.", queued.delivery_id);
    for words in [delivery.as_str(), "Our own copy seen in Sent Items, UID"] {
        assert!(said.contains(words), "{words} in {said}");
    }
}

#[test]
fn a_reply_that_the_provider_gave_another_id_is_found_by_both() {
    let stage = Stage::new();
    deliver(&stage, "lamp-1@shop.example", "");
    let id = stage.connect();
    stage.receives(id, 1);
    let number = stage.conversations(View::Open)[0];
    let queued = stage.reply(number, "Yes.");
    stage.send_all(id);
    let ours = stage.messages(number)[1].internet_message_id.clone();
    stage
        .services
        .store
        .write(|tx| {
            let sql = "UPDATE deliveries SET effective_message_id = 'theirs@prod.outlook.com' WHERE id = ?1";
            tx.execute(sql, [queued.delivery_id.0])?;
            let message = store::deliveries::find(tx, queued.delivery_id)?.unwrap().message_id;
            store::threads::insert_own(tx, id, "theirs@prod.outlook.com", number, message)
        })
        .unwrap();
    for known_as in [ours.as_str(), "<Theirs@PROD.outlook.com>"] {
        let (said, known) = search(&stage, known_as);
        assert!(known, "{known_as}: {said}");
        assert!(
            said.contains("gave it the Message-ID theirs@prod.outlook.com"),
            "{said}"
        );
        assert_eq!(said.matches("Written here").count(), 1, "{said}");
    }
}

#[test]
fn a_search_finds_what_was_left_alone_and_what_could_not_be_stored() {
    let stage = Stage::new();
    let world = stage.simulator.world();
    let old = mail("a@shop.example", "Old", "old@shop.example", "", "old");
    let half_an_hour = stage.clock.now() - 1_800;
    world.deliver_at(&stage.demo.support_address, &old, half_an_hour);
    let id = stage.consent("", &stage.demo.support_upn);
    connect::choose(&stage.services, id, TakeFrom::New, 0).unwrap();
    stage.clock.advance(60);
    deliver(&stage, "bad@shop.example", "");
    let trigger =
        "CREATE TRIGGER no_message BEFORE INSERT ON messages BEGIN SELECT RAISE(ABORT, 'no'); END";
    let store = &stage.services.store;
    store
        .write(|tx| Ok::<_, store::Error>(tx.execute_batch(trigger)?))
        .unwrap();
    stage.receives(id, 0);
    store
        .write(|tx| Ok::<_, store::Error>(tx.execute_batch("DROP TRIGGER no_message")?))
        .unwrap();
    let (said, known) = search(&stage, "<OLD@shop.example>");
    assert!(
        known && said.contains("Seen and left alone. It arrived before"),
        "{said}"
    );
    let (said, known) = search(&stage, "bad@shop.example");
    assert!(
        known && said.contains("set aside as unreadable. It could not be stored"),
        "{said}"
    );
    // Taken after all, it is a message and nothing else.
    stage.clock.advance(61);
    stage.receives(id, 1);
    let (said, _) = search(&stage, "bad@shop.example");
    assert!(
        said.contains("Received as a message.") && !said.contains("set aside"),
        "{said}"
    );
}

#[test]
fn a_mail_that_nobody_saw_is_told_with_when_the_folders_were_compared() {
    let stage = Stage::new();
    deliver(&stage, "lamp-1@shop.example", "");
    let id = stage.connect();
    stage.receives(id, 1);
    let (said, known) = search(&stage, "never@shop.example");
    assert!(!known);
    assert!(
        said.contains("Nobody saw a mail with this Message-ID here."),
        "{said}"
    );
    assert!(
        said.contains(
            "/ Inbox: Not compared with the server by UID yet. Next comparison 2027-01-1"
        ),
        "{said}"
    );
    stage.clock.advance(86_400);
    stage.receives(id, 0);
    let (said, _) = search(&stage, "never@shop.example");
    assert!(
        said.contains("/ Inbox: Agrees with the server: 1 of 1. Compared 2027-01-16 08:00:00 UTC."),
        "{said}"
    );
    let (_, known) = search(&stage, " <> ");
    assert!(!known, "that is no Message-ID");
    let json = child::command(&stage, &["ledger", "--message-id", "x@x", "--json"]).output();
    assert_eq!(json.unwrap().stdout, b"[]\n");
}

#[test]
fn the_command_counts_fates_and_its_status_says_whether_a_person_is_needed() {
    let stage = Stage::new();
    deliver(&stage, "lamp-1@shop.example", "");
    let id = stage.connect();
    stage.receives(id, 1);
    let said = child::run(&stage, &["ledger"]);
    assert!(
        said.contains("/ Inbox: 1 messages seen from UID 1 on"),
        "{said}"
    );
    let json: serde_json::Value =
        serde_json::from_str(&child::run(&stage, &["ledger", "--json"])).unwrap();
    assert!(json[0]["check"]["due_at"].as_i64().unwrap() > stage.clock.now());
    let found = Comparison {
        missing_count: 1,
        missing: vec![9],
        server_count: 2,
        ..agreeing()
    };
    stage
        .services
        .store
        .write(|tx| {
            let inbox = store::folders::find_by_role(tx, id, FolderRole::Inbox)?.unwrap();
            let found = Comparison {
                uid_validity: inbox.cursor.unwrap().uid_validity,
                ..found
            };
            ledger_checks::update_last(tx, inbox.id, &found, NOW, NOW)
        })
        .unwrap();
    let output = child::command(&stage, &["ledger"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.contains("1 message at the server has no fate: UID 9. It is being fetched."),
        "{said}"
    );
}

fn agreeing() -> Comparison {
    Comparison {
        uid_validity: 7,
        first_uid: 1,
        next_uid: 100,
        server_count: 70,
        outside_count: 0,
        unlisted_count: 0,
        gone_count: 0,
        missing_count: 0,
        missing: Vec::new(),
    }
}

struct Desk {
    site: Site,
    admin: Browser,
    mailbox: MailboxId,
    folder: FolderId,
}

impl Desk {
    /// An inbox with so many messages that could not be read.
    fn new(unreadable: u32) -> Self {
        let site = Site::empty();
        site.agent("alex@example.com", "Alex", Role::Admin);
        let admin = site.signed_in("alex@example.com");
        let mailbox = site.mailbox("support@example.com", "Support");
        let folder = site
            .store()
            .write(|tx| {
                store::folders::insert(tx, mailbox, "INBOX", "Inbox", FolderRole::Inbox)?;
                let folder = store::folders::find_by_role(tx, mailbox, FolderRole::Inbox)?.unwrap();
                store::folders::update_start(tx, folder.id, 7, 1)?;
                for uid in 1..=unreadable {
                    let verdict = fates::Verdict {
                        fate: Fate::Unreadable,
                        message_id: None,
                        detail: "It was cut off.".to_owned(),
                        retry_at: None,
                    };
                    fates::upsert(tx, folder.id, 7, uid, &verdict, NOW)?;
                }
                store::folders::update_synced(tx, folder.id, 3, NOW)?;
                Ok::<_, store::Error>(folder.id)
            })
            .unwrap();
        Self {
            site,
            admin,
            mailbox,
            folder,
        }
    }

    fn post(&mut self, path: &str, more: &[(&str, &str)]) -> Answer {
        let page = self.admin.get("/admin/ledger");
        let (mailbox, folder) = (self.mailbox.to_string(), self.folder.to_string());
        let mut fields = vec![("mailbox", mailbox.as_str()), ("folder", folder.as_str())];
        fields.extend(more);
        self.admin.post(path, &page, &fields)
    }

    fn needing(&self) -> (i64, i64) {
        let count = self
            .site
            .store()
            .read(|db| fates::count_needing_person(db, self.folder));
        count.unwrap()
    }

    fn page_of_folder(&mut self, more: &str) -> Answer {
        let (mailbox, folder) = (self.mailbox, self.folder);
        let path = format!("/admin/ledger/folder?mailbox={mailbox}&folder={folder}{more}");
        self.admin.get(&path)
    }
}

#[test]
fn many_rows_that_need_a_person_are_shown_a_page_at_a_time() {
    let mut desk = Desk::new(75);
    let index = desk.admin.get("/admin/ledger");
    assert!(index.body.contains("75 messages need a look"));
    assert!(index.body.contains("see all 75"));
    assert!(index.body.contains("UID 66<") && !index.body.contains("UID 65<"));
    let first = desk.page_of_folder("");
    assert!(first.body.contains("UID 75<") && first.body.contains("UID 26<"));
    assert!(!first.body.contains("UID 25<"));
    assert!(
        first.body.contains("&amp;below=26") || first.body.contains("&#38;below=26"),
        "{}",
        first.body
    );
    let second = desk.page_of_folder("&below=26");
    assert!(second.body.contains("UID 25<") && second.body.contains("UID 1<"));
    assert!(!second.body.contains(">Older<"), "it is the last");
    let (mailbox, folder) = (desk.mailbox, desk.folder);
    for nowhere in [
        format!("/admin/ledger/folder?mailbox={mailbox}&folder=99"),
        format!("/admin/ledger/folder?mailbox=99&folder={folder}"),
    ] {
        assert_eq!(desk.admin.get(&nowhere).status, 404, "{nowhere}");
    }
    assert_eq!(desk.admin.get("/admin/ledger/folder").status, 400);
    desk.site.agent("ada@example.com", "Ada", Role::Agent);
    let mut ada = desk.site.signed_in("ada@example.com");
    let path = format!("/admin/ledger/folder?mailbox={mailbox}&folder={folder}");
    assert_eq!(ada.get(&path).status, 403);
}

#[test]
fn a_message_said_to_be_fine_leaves_the_list_and_stays_in_the_ledger() {
    let mut desk = Desk::new(3);
    let one = [("uid_validity", "7"), ("uid", "2")];
    assert_eq!(desk.post("/admin/ledger/dismissals", &one).status, 303);
    let page = desk.admin.get("/admin/ledger");
    assert!(page.body.contains("This message has left the list."));
    assert!(!page.body.contains("UID 2<") && page.body.contains("1 said to be fine"));
    assert_eq!(desk.needing(), (2, 1));
    let fine = desk.page_of_folder("&show=dismissed");
    assert!(fine.body.contains("UID 2<") && !fine.body.contains("UID 3<"));
    // Trying all leaves it alone; trying it brings it back.
    desk.post("/admin/ledger/retries", &[]);
    assert_eq!(desk.needing(), (2, 1));
    desk.post("/admin/ledger/retries", &one);
    assert_eq!(desk.needing(), (3, 0));
    desk.post("/admin/ledger/dismissals", &[]);
    assert_eq!(desk.needing(), (0, 3));
    let due = desk
        .site
        .store()
        .read(|db| fates::list_due(db, desk.folder, 7, NOW + 9));
    assert!(due.unwrap().is_empty(), "what is fine is not tried again");
    let page = desk.admin.get("/admin/ledger");
    assert!(page.body.contains("No message needs a person."));
    // Its UIDs mean other messages since.
    let old = [("uid_validity", "6"), ("uid", "2")];
    desk.post("/admin/ledger/retries", &old);
    assert_eq!(desk.needing(), (0, 3));
    for path in ["retries", "dismissals", "checks"] {
        let path = format!("/admin/ledger/{path}");
        let page = desk.admin.get("/admin/ledger");
        assert_eq!(desk.admin.post(&path, &page, &[]).status, 400, "{path}");
        let nonsense = [("mailbox", "1"), ("uid", "many")];
        assert_eq!(
            desk.admin.post(&path, &page, &nonsense).status,
            400,
            "{path}"
        );
        let foreign = [("mailbox", "99")];
        assert_eq!(
            desk.admin.post(&path, &page, &foreign).status,
            404,
            "{path}"
        );
    }
}

#[test]
fn the_page_says_how_each_folder_stands_against_its_server() {
    let mut desk = Desk::new(0);
    let folder = desk.folder;
    let write = |desk: &Desk, found: &Comparison, due_at: i64| {
        desk.site
            .store()
            .write(|tx| {
                ledger_checks::upsert_due(tx, folder, due_at)?;
                ledger_checks::update_last(tx, folder, found, due_at, NOW)
            })
            .unwrap();
    };
    write(&desk, &agreeing(), NOW + 7_200);
    let page = desk.admin.get("/admin/ledger");
    for words in [
        "Agrees with the server: 70 of 70.",
        "next in 2 h",
        "Compare now",
    ] {
        assert!(page.body.contains(words), "{words} in {}", page.body);
    }
    let two = Comparison {
        missing_count: 2,
        missing: vec![17, 18],
        ..agreeing()
    };
    write(&desk, &two, NOW);
    let page = desk.admin.get("/admin/ledger");
    let words = "2 messages at the server have no fate: UID 17, 18. They are being fetched.";
    assert!(page.body.contains(words), "{}", page.body);
    assert!(page.body.contains("Being compared"));
    assert!(
        desk.admin
            .get("/admin")
            .body
            .contains("1 folder differs from its server.")
    );
    let numbers = desk.admin.get("/metrics").body;
    assert!(
        numbers.contains("mailhatch_ledger_differing_folders 1"),
        "{numbers}"
    );
    write(&desk, &agreeing(), NOW + 7_200);
    desk.site
        .store()
        .write(|tx| ledger_checks::update_recovered(tx, folder, &[17, 18], false, NOW))
        .unwrap();
    let page = desk.admin.get("/admin/ledger");
    let words = "2 messages without a fate had been found: UID 17, 18. They have been fetched.";
    assert!(page.body.contains(words), "{}", page.body);
    // Asked for by hand.
    assert_eq!(desk.post("/admin/ledger/checks", &[]).status, 303);
    let check = desk.site.store().read(|db| ledger_checks::find(db, folder));
    assert_eq!(check.unwrap().unwrap().due_at, NOW);
    assert!(
        desk.admin
            .get("/admin/ledger")
            .body
            .contains("is being compared with the server")
    );
    // Its UIDs have changed meaning: the old outcome says nothing any more.
    desk.site
        .store()
        .write(|tx| store::folders::update_start(tx, folder, 8, 1))
        .unwrap();
    let page = desk.admin.get("/admin/ledger");
    assert!(!page.body.contains("Agrees with the server"));
}

#[test]
fn the_page_tells_what_became_of_a_mail_and_escapes_what_it_was_asked() {
    let mut desk = Desk::new(1);
    let customer = mailhatch::model::Address::new("Mia", "mia@shop.example");
    let raw = "From: Mia <mia@shop.example>\nSubject: A <b>lamp</b>\nMessage-ID: <lamp@shop.example>\n\nHello\n";
    let number = desk.site.conversation(desk.mailbox, &customer, raw);
    let label = mailhatch::model::Label {
        internet_message_id: "Cut@shop.example".to_owned(),
        sender: "mia@shop.example".to_owned(),
        subject: "Too <i>long".to_owned(),
        sent_at: Some(NOW),
    };
    desk.site
        .store()
        .write(|tx| fates::update_label(tx, desk.folder, 7, 1, &label))
        .unwrap();
    let page = desk
        .admin
        .get("/admin/ledger?message_id=%3Clamp%40shop.example%3E");
    assert!(
        page.body.contains("Received as a message."),
        "{}",
        page.body
    );
    assert!(page.body.contains(&format!("/conversations/{number}")));
    assert!(!page.body.contains("<b>lamp"), "subjects are escaped");
    let page = desk
        .admin
        .get("/admin/ledger?message_id=cut%40SHOP.example");
    assert!(
        page.body
            .contains("Seen, and set aside as unreadable. It was cut off."),
        "{}",
        page.body
    );
    assert!(!page.body.contains("<i>long"));
    let page = desk
        .admin
        .get("/admin/ledger?message_id=%22%3E%3Cscript%3Ex");
    assert_eq!(page.status, 200);
    assert!(!page.body.contains("<script>x"), "{}", page.body);
    let page = desk
        .admin
        .get("/admin/ledger?message_id=never%40shop.example");
    assert!(
        page.body
            .contains("Nobody saw a mail with this Message-ID here.")
    );
    assert!(
        page.body
            .contains("Inbox of support@example.com: not compared with the server yet.")
    );
    let page = desk.admin.get("/admin/ledger?message_id=%20%3C%3E");
    assert!(!page.body.contains("Nobody saw"), "nothing was asked");
}
