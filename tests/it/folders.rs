//! The page of folders: which are watched, which holds what was sent, and what is written back.

use mailhatch::model::{FolderRole, MailboxId, TakeFrom, WriteBackSettings};
use mailhatch::store;
use mailhatch::work::wake::Wake;
use mailhatch::work::{PollStep, Poller, connect, poll_step};
use mailhatch_simulator::faults::{Action, Point};

use crate::support::office::Office;
use crate::support::site::{Answer, Browser};

/// The page of folders of a connected mailbox.
struct Pages {
    office: Office,
    admin: Browser,
    id: MailboxId,
    path: String,
}

impl Pages {
    fn new() -> Self {
        let office = Office::new();
        let world = office.simulator.world();
        for name in ["Orders", "Projekte/Größe", "<b>bold</b>"] {
            assert!(world.create_folder(&office.demo.support_address, name));
        }
        let mut admin = office.admin();
        let id = office.connect(&mut admin, "", &office.demo.support_upn);
        let services = &office.site.context.services;
        connect::choose(services, id, TakeFrom::All, 0).unwrap();
        Self {
            path: format!("/mailboxes/{id}/folders"),
            office,
            admin,
            id,
        }
    }

    fn show(&mut self) -> Answer {
        self.admin.get(&self.path)
    }

    fn post(&mut self, to: &str, fields: &[(&str, &str)]) -> Answer {
        let page = self.show();
        self.admin
            .post(&format!("/mailboxes/{}/{to}", self.id), &page, fields)
    }

    fn poll(&self) -> PollStep {
        let services = &self.office.site.context.services;
        poll_step(services, &mut Poller::default(), self.id, &Wake::default())
    }

    fn watched(&self) -> Vec<String> {
        let all = self
            .office
            .site
            .store()
            .read(|db| store::folders::list(db, self.id));
        all.unwrap()
            .into_iter()
            .filter(|folder| folder.watched && folder.role == FolderRole::Other)
            .map(|folder| folder.name)
            .collect()
    }

    fn settings(&self) -> WriteBackSettings {
        let found = self
            .office
            .site
            .store()
            .read(|db| store::write_backs::find_settings(db, self.id));
        found.unwrap()
    }
}

#[test]
fn an_administrator_sees_the_tree_and_chooses_what_is_watched() {
    let mut pages = Pages::new();
    pages.poll();
    let page = pages.show();
    for words in [
        "Orders",
        "Größe",
        "&#60;b&#62;bold&#60;/b&#62;",
        "Always read",
        "Read for what was sent",
        "never read",
        "value=\"Projekte/Gr&#38;APYA3w-e\"",
    ] {
        assert!(page.body.contains(words), "{words} in {}", page.body);
    }
    assert!(!page.body.contains("value=\"Calendar\""), "no mail in it");
    let answer = pages.post(
        "folders",
        &[
            ("watch", "Orders"),
            ("watch", "Projekte/Gr&APYA3w-e"),
            ("take_from", "days"),
            ("days", "30"),
        ],
    );
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, &*pages.path)
    );
    assert_eq!(pages.watched(), ["Orders", "Projekte/Größe"]);
    // One box less: the other stays as it is.
    let answer = pages.post("folders", &[("watch", "Projekte/Gr&APYA3w-e")]);
    assert_eq!(answer.status, 303);
    assert_eq!(pages.watched(), ["Projekte/Größe"]);
    assert!(
        pages
            .show()
            .body
            .contains("What was received from the folder stays.")
    );
    let id = pages.id;
    let mailbox = pages.admin.get(&format!("/mailboxes/{id}"));
    assert!(
        mailbox.body.contains("Not watched any more"),
        "{}",
        mailbox.body
    );
}

#[test]
fn a_mistaken_choice_of_folders_changes_nothing_and_says_why() {
    let mut pages = Pages::new();
    pages.poll();
    for (fields, words) in [
        (
            vec![("watch", "Orders"), ("take_from", "days"), ("days", "none")],
            "number of days between 1 and 3650",
        ),
        (
            vec![("watch", "No such folder")],
            "not in the mailbox any more",
        ),
        (vec![("watch", "Drafts")], "not in the mailbox any more"),
        (
            vec![("watch", "\r\nA1 LOGOUT")],
            "not in the mailbox any more",
        ),
    ] {
        let answer = pages.post("folders", &fields);
        assert_eq!(answer.status, 422, "{fields:?}");
        assert!(answer.body.contains(words), "{words} in {}", answer.body);
        assert!(pages.watched().is_empty());
    }
    for to in ["sent-folder", "write-back"] {
        let answer = pages.post(to, &[("sent", "Nowhere"), ("move_to", "Nowhere")]);
        assert_eq!(answer.status, 303);
        assert!(
            pages.show().body.contains("Look at the list again."),
            "{to}"
        );
    }
    assert_eq!(pages.settings(), WriteBackSettings::default());
}

#[test]
fn more_folders_than_can_be_looked_into_each_time_are_refused_with_a_way_out() {
    let mut pages = Pages::new();
    let names: Vec<String> = (0..21).map(|n| format!("Folder {n}")).collect();
    let world = pages.office.simulator.world();
    for name in &names {
        world.create_folder(&pages.office.demo.support_address, name);
    }
    let fields: Vec<(&str, &str)> = names.iter().map(|name| ("watch", name.as_str())).collect();
    let answer = pages.post("folders", &fields);
    assert_eq!(answer.status, 422);
    assert!(
        answer.body.contains("Up to 20 further folders"),
        "{}",
        answer.body
    );
    assert_eq!(pages.post("folders", &fields[..20]).status, 303);
    assert_eq!(pages.watched().len(), 20);
}

#[test]
fn the_folder_for_sent_mail_is_chosen_and_left_to_be_found_again() {
    let mut pages = Pages::new();
    pages.poll();
    let sent = |pages: &Pages| {
        let found = pages
            .office
            .site
            .store()
            .read(|db| store::folders::find_by_role(db, pages.id, FolderRole::Sent));
        found
            .unwrap()
            .map(|folder| (folder.name, folder.chosen, folder.watched))
    };
    assert_eq!(sent(&pages), Some(("Sent Items".to_owned(), false, true)));
    pages.post("sent-folder", &[("sent", "Orders")]);
    assert_eq!(sent(&pages), Some(("Orders".to_owned(), true, true)));
    pages.poll();
    assert_eq!(
        sent(&pages),
        Some(("Orders".to_owned(), true, true)),
        "it stays"
    );
    pages.post("sent-folder", &[("sent", "")]);
    pages.poll();
    assert_eq!(sent(&pages), Some(("Sent Items".to_owned(), false, true)));
}

#[test]
fn what_is_written_back_is_set_and_shown() {
    let mut pages = Pages::new();
    pages.poll();
    let answer = pages.post(
        "write-back",
        &[("mark_read", "yes"), ("move_to", "Projekte/Gr&APYA3w-e")],
    );
    assert_eq!(answer.status, 303);
    let settings = pages.settings();
    assert!(settings.mark_read);
    assert_eq!(settings.move_to.unwrap().name, "Projekte/Größe");
    let id = pages.id;
    let mailbox = pages.admin.get(&format!("/mailboxes/{id}"));
    let words = "Read marks; closed mail moves to Projekte/Größe";
    assert!(mailbox.body.contains(words), "{}", mailbox.body);
    // A target that is gone meanwhile stays chosen until somebody chooses otherwise.
    let world = pages.office.simulator.world();
    world.delete_folder(&pages.office.demo.support_address, "Projekte/Größe");
    let again = format!("{}?again=yes", pages.path);
    let page = pages.admin.get(&again);
    assert!(page.body.contains("(not in the mailbox)"), "{}", page.body);
    pages.post("write-back", &[("move_to", "Projekte/Gr&APYA3w-e")]);
    assert!(!pages.settings().mark_read && pages.settings().move_to.is_some());
    pages.post("write-back", &[("move_to", "")]);
    assert_eq!(pages.settings(), WriteBackSettings::default());
    for to in ["write-back/retries", "write-back/removal"] {
        assert_eq!(pages.post(to, &[]).status, 303);
    }
}

#[test]
fn a_server_that_cannot_be_asked_leaves_what_is_known_and_lets_people_stop_watching() {
    let mut pages = Pages::new();
    pages.poll();
    pages.post("folders", &[("watch", "Orders")]);
    let faults = pages.office.simulator.faults();
    faults.always(
        Point::ImapList,
        Action::Reply("NO Server Unavailable. 15".to_owned()),
    );
    let again = format!("{}?again=yes", pages.path);
    let page = pages.admin.get(&again);
    assert_eq!(page.status, 200);
    assert!(
        page.body.contains("could not be asked for its folders"),
        "{}",
        page.body
    );
    assert!(
        page.body.contains("value=\"Orders\" checked"),
        "{}",
        page.body
    );
    let (path, none) = (pages.path.clone(), [("take_from", "new")]);
    assert_eq!(pages.admin.post(&path, &page, &none).status, 303);
    assert!(pages.watched().is_empty());
}

#[test]
fn only_administrators_choose_folders() {
    let mut pages = Pages::new();
    pages
        .office
        .site
        .agent("bo@example.com", "Bo", mailhatch::model::Role::Agent);
    let mut agent = pages.office.site.signed_in("bo@example.com");
    assert_eq!(agent.get(&pages.path).status, 403);
    let page = pages.show();
    let mut stranger = pages.office.site.browser();
    assert_eq!(stranger.get(&pages.path).status, 303);
    assert_ne!(
        stranger
            .post(&pages.path, &page, &[("watch", "Orders")])
            .status,
        200
    );
    assert!(pages.watched().is_empty());
}
