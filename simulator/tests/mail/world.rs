//! The world itself: who may do what, and where mail goes.

use std::sync::Arc;

use mailhatch_simulator::clock::Clock;
use mailhatch_simulator::world::{Submission, User, Via, World, headers};

use crate::support::{ALICE, MIA, NOW, SUPPORT, TENANT, mail};

fn world() -> Arc<World> {
    let world = World::new(Clock::new(|| NOW));
    world.add_user(User::work(TENANT, ALICE, "Alice").with_access_to(SUPPORT));
    world.add_user(
        User::shared(TENANT, SUPPORT, "Support").with_alias("help@harbourlights.example"),
    );
    world.add_user(User::personal(MIA, "Mia"));
    world.add_user(User::guest(TENANT, "gus@far.example", "Gus"));
    world
}

fn submission(mailbox: &str, to: &str, via: Via, raw: &str) -> Submission {
    Submission {
        mailbox: mailbox.to_owned(),
        mail_from: mailbox.to_owned(),
        recipients: vec![to.to_owned()],
        raw: raw.as_bytes().to_vec(),
        via,
        save_to_sent: true,
        at: NOW,
        effective_message_id: String::new(),
    }
}

#[test]
fn rights_follow_the_lists() {
    let world = world();
    assert!(world.may_open("ALICE@harbourlights.example", ALICE) && world.may_open(ALICE, SUPPORT));
    assert!(!world.may_open(SUPPORT, ALICE) && !world.may_open(MIA, SUPPORT));
    assert!(world.may_send_as(ALICE, "help@harbourlights.example"));
    assert!(!world.may_send_as(MIA, SUPPORT) && !world.may_send_as(ALICE, "x@else.example"));
    assert!(!world.deliver("gus@far.example", b"Subject: x\r\n\r\n"));
    assert!(world.deliver("HELP@harbourlights.example", b"Subject: x\r\n\r\n"));
    assert_eq!(world.folder(SUPPORT, "inbox").len(), 1);
}

#[test]
fn graph_keeps_the_message_id_unless_told_otherwise() {
    let world = world();
    let raw = mail(MIA, ALICE, "g@desk.example");
    let kept = world
        .submit(submission(MIA, ALICE, Via::Graph, &raw))
        .unwrap();
    assert_eq!(kept.effective_message_id, "<g@desk.example>");
    world.set_quirks(|quirks| quirks.graph_rewrites_message_id = true);
    let new = world
        .submit(submission(MIA, ALICE, Via::Graph, &raw))
        .unwrap();
    assert_ne!(new.effective_message_id, "<g@desk.example>");
    let inbox = world.folder(ALICE, "INBOX");
    assert_eq!(inbox.len(), 2);
    let old = headers::get(&inbox[1].raw, "X-Microsoft-Original-Message-ID");
    assert_eq!(old.as_deref(), Some("<g@desk.example>"));
    let plain = submission(
        MIA,
        ALICE,
        Via::Graph,
        "From: <mia@outlook.example>\r\n\r\nHi\r\n",
    );
    let id = world.submit(plain).unwrap().effective_message_id;
    assert!(
        id.starts_with('<') && id.to_lowercase().ends_with(".prod.outlook.com>"),
        "{id}"
    );
    assert!(
        world
            .submit(submission("no@where.example", ALICE, Via::Smtp, &raw))
            .is_err()
    );
}

#[test]
fn header_fields_are_read_and_removed_with_their_folded_lines() {
    let raw = b"A: 1\r\nBcc: <x@y.example>,\r\n <z@y.example>\r\nC:\r\n two\r\n\r\nBcc: body\r\n";
    assert_eq!(
        headers::addresses(raw, "Bcc"),
        ["x@y.example", "z@y.example"]
    );
    assert_eq!(headers::get(raw, "c").as_deref(), Some("two"));
    assert_eq!(
        headers::without(raw, "bcc"),
        b"A: 1\r\nC:\r\n two\r\n\r\nBcc: body\r\n"
    );
    assert_eq!(headers::header_length(b"A: 1\r\n\r\nB"), 8);
    assert_eq!(headers::header_length(b"A: 1\r\n"), 6);
}
