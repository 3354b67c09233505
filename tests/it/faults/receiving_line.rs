//! The line to the IMAP server fails at each moment of a session.

use std::net::TcpStream;
use std::time::Duration;

use mailhatch::clock::Clock;
use mailhatch::model::MailboxStatus;
use mailhatch::problem::Disposition;
use mailhatch::store::{self, Tx};
use mailhatch::work::Poller;
use mailhatch_simulator::faults::{Action, Point};

use super::field::Field;
use crate::interop::proxy::{End, Plan, Way};
use crate::support::stage::{NOW, until};

/// A field with one message to be received.
fn waiting() -> Field {
    let field = Field::new();
    field.deliver(1);
    field
}

/// The line is spoiled by a plan; afterwards the message comes, once.
fn spoiled(field: &Field, plan: Plan, code: &str, words: &str) {
    field.imap.set(plan);
    let problem = field.fails(code, words);
    assert!(problem.is_transient(), "{problem}");
    field.recovers(1);
    field.everything_once();
}

/// A server fault strikes once; afterwards the message comes, once.
fn struck(field: &Field, point: Point, action: Action, code: &str, words: &str) {
    field.once(point, action);
    let problem = field.fails(code, words);
    assert!(problem.is_transient(), "{problem}");
    field.recovers(1);
    field.everything_once();
}

#[test]
fn a_server_name_that_is_not_found_is_waited_for() {
    let mut field = waiting();
    let address = field.imap.address();
    let imap = |field: &mut Field, to: &str| {
        let to = Some(to.to_owned());
        field.stage.reconfigure(|config| config.endpoints.imap = to);
    };
    imap(&mut field, "no-such-server.invalid:993");
    let problem = field.fails("dns_failed", "no-such-server.invalid could not be found");
    assert!(problem.is_transient());
    imap(&mut field, &address);
    field.recovers(1);
    field.everything_once();
}

#[test]
fn a_server_that_refuses_connections_is_waited_for() {
    spoiled(
        &waiting(),
        Plan::REFUSE,
        "connect_refused",
        "nothing listens there",
    );
}

#[test]
fn a_server_that_does_not_answer_the_call_is_waited_for() {
    // A listener whose queue is full lets further callers wait in vain.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let any: std::net::SocketAddr = "127.0.0.1:0".parse().unwrap();
    socket.bind(&any.into()).unwrap();
    socket.listen(0).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    let mut callers = Vec::new();
    while let Ok(caller) = TcpStream::connect_timeout(&address, Duration::from_millis(100)) {
        callers.push(caller);
    }
    let mut field = waiting().hurried();
    let good = field.imap.address();
    field
        .stage
        .reconfigure(|config| config.endpoints.imap = Some(address.to_string()));
    let problem = field.fails("connect_timeout", "did not answer the attempt to connect");
    assert!(problem.is_transient());
    field
        .stage
        .reconfigure(|config| config.endpoints.imap = Some(good));
    field.recovers(1);
    field.everything_once();
}

#[test]
fn a_connection_that_is_accepted_and_never_answered_is_given_up() {
    spoiled(
        &waiting().hurried(),
        Plan::SILENCE,
        "tls_timeout",
        "did not begin encryption",
    );
}

#[test]
fn a_connection_reset_at_once_is_made_again() {
    spoiled(
        &waiting(),
        Plan::RESET,
        "tls_failed",
        "while encryption was being set up",
    );
}

#[test]
fn a_tls_handshake_cut_in_the_middle_is_begun_again() {
    spoiled(
        &waiting(),
        Plan::cut(Way::ToClient, 100, End::Close),
        "tls_failed",
        "while encryption was being set up",
    );
}

#[test]
fn a_tls_handshake_that_stalls_is_given_up() {
    spoiled(
        &waiting().hurried(),
        Plan::cut(Way::ToClient, 100, End::Stall),
        "tls_timeout",
        "did not begin encryption",
    );
}

#[test]
fn a_certificate_nobody_vouches_for_stops_the_mailbox_before_anything_is_said() {
    let mut field = waiting();
    let roots = field.stage.services.config.extra_roots.clone();
    field.stage.reconfigure(|config| config.extra_roots = None);
    let problem = field.fails("tls_untrusted", "nothing was sent");
    assert_eq!(problem.disposition, Disposition::NeedsAdmin);
    assert_eq!(
        field.stage.mailbox(field.id).status,
        MailboxStatus::NeedsAdmin
    );
    field.stage.reconfigure(|config| config.extra_roots = roots);
    field.recovers(1);
    assert_eq!(field.stage.mailbox(field.id).status, MailboxStatus::Active);
    field.everything_once();
}

#[test]
fn a_greeting_that_says_goodbye_is_told_in_the_servers_words() {
    struck(
        &waiting(),
        Point::ImapGreeting,
        Action::Reply("* BYE Connection closed. 14".to_owned()),
        "imap_connection_dropped",
        "usually because of a limit",
    );
}

#[test]
fn a_greeting_that_never_comes_meets_the_deadline() {
    struck(
        &waiting().hurried(),
        Point::ImapGreeting,
        Action::Hang,
        "answer_timeout",
        "stopped answering",
    );
}

#[test]
fn a_hang_up_in_place_of_a_greeting_is_told() {
    struck(
        &waiting(),
        Point::ImapGreeting,
        Action::Close,
        "tls_failed",
        "broke off while encryption was being set up",
    );
}

#[test]
fn a_sign_in_refused_once_is_mended_by_a_new_token_without_a_word() {
    let field = waiting();
    field.says(Point::ImapAuthenticate, "NO AUTHENTICATE failed.");
    field.recovers(1);
    field.everything_once();
}

#[test]
fn a_sign_in_refused_for_good_stops_the_mailbox_until_the_cause_goes() {
    let field = waiting();
    let no = Action::Reply("NO AUTHENTICATE failed.".to_owned());
    let faults = field.stage.simulator.faults();
    faults.always(Point::ImapAuthenticate, no);
    let problem = field.fails("imap_auth_failed", "IMAP");
    assert!(!problem.is_transient());
    assert!(problem.command.is_some(), "an administrator can paste it");
    assert_eq!(
        field.stage.mailbox(field.id).status,
        MailboxStatus::NeedsAdmin
    );
    faults.clear();
    field.recovers(1);
    assert_eq!(field.stage.mailbox(field.id).status, MailboxStatus::Active);
    field.everything_once();
}

#[test]
fn a_hang_up_in_the_middle_of_signing_in_is_told() {
    struck(
        &waiting(),
        Point::ImapAuthenticate,
        Action::Close,
        "connection_closed",
        "closed the connection",
    );
}

#[test]
fn a_mailbox_that_is_not_opened_is_a_matter_for_an_administrator_from_the_third_time_on() {
    let field = waiting();
    let words = "BAD User is authenticated but not connected.\n* BYE Connection closed. 14";
    let faults = field.stage.simulator.faults();
    faults.always(Point::ImapList, Action::Reply(words.to_owned()));
    let mut poller = Poller::default();
    let tells = "did not open the mailbox";
    for _ in 0..2 {
        let problem = field.fails_with(&mut poller, "imap_not_connected", tells);
        assert!(problem.is_transient());
        assert_eq!(field.stage.mailbox(field.id).status, MailboxStatus::Active);
    }
    let problem = field.fails_with(&mut poller, "imap_not_connected", "Full Access");
    assert_eq!(problem.disposition, Disposition::NeedsAdmin);
    faults.clear();
    field.recovers(1);
    field.everything_once();
}

#[test]
fn a_hang_up_while_folders_are_listed_is_told() {
    let field = Field::unread(Clock::hand(NOW));
    field.deliver(1);
    struck(
        &field,
        Point::ImapList,
        Action::Close,
        "connection_closed",
        "closed the connection",
    );
}

#[test]
fn a_folder_that_is_not_available_now_is_opened_later() {
    let field = waiting();
    // The first one is that of Sent Items, which holds up nothing.
    let no = Action::Reply("NO Server Unavailable. 15".to_owned());
    field.once(Point::ImapSelect, no.clone());
    let (code, words) = ("imap_server_unavailable", "not available at the moment");
    struck(&field, Point::ImapSelect, no, code, words);
}

#[test]
fn throttling_is_waited_out_as_long_as_the_server_says() {
    let field = waiting();
    let words = "BAD Request is throttled. Suggested Backoff Time: 120000 milliseconds";
    field.says(Point::ImapSelect, words);
    let problem = field.fails("imap_throttled", "");
    assert_eq!(problem.wait_seconds(), 120);
    field.recovers(1);
    field.everything_once();
}

#[test]
fn a_hang_up_while_uids_are_listed_is_told() {
    struck(
        &waiting(),
        Point::ImapSearch,
        Action::Close,
        "connection_closed",
        "closed the connection",
    );
}

#[test]
fn a_listing_of_uids_that_never_comes_meets_the_deadline() {
    struck(
        &waiting().hurried(),
        Point::ImapSearch,
        Action::Hang,
        "answer_timeout",
        "stopped answering",
    );
}

#[test]
fn a_hang_up_while_sizes_are_asked_for_is_told() {
    struck(
        &waiting(),
        Point::ImapSizes,
        Action::Close,
        "connection_closed",
        "closed the connection",
    );
}

/// A message of 300 kB whose literal is interrupted after 100 kB.
fn interrupted(field: &Field, end: End, code: &str, words: &str) {
    field.deliver_sized(300_000);
    field.imap.set(Plan::cut(Way::ToClient, 100_000, end));
    let problem = field.fails(code, words);
    assert!(problem.is_transient(), "{problem}");
    assert_eq!(field.stored("incoming").len(), 0, "half a message is none");
    field.recovers(1);
    field.everything_once();
}

#[test]
fn a_message_cut_in_the_middle_is_fetched_again_whole() {
    let words = "closed the connection";
    interrupted(&Field::new(), End::Close, "connection_closed", words);
}

#[test]
fn a_message_reset_in_the_middle_is_fetched_again_whole() {
    let words = "closed the connection";
    interrupted(&Field::new(), End::Reset, "connection_closed", words);
}

#[test]
fn a_message_that_stalls_in_the_middle_is_fetched_again_whole() {
    let words = "stopped answering";
    interrupted(&Field::new().hurried(), End::Stall, "answer_timeout", words);
}

#[test]
fn a_cut_between_batches_keeps_what_was_stored_and_fetches_the_rest() {
    let field = Field::new();
    field.deliver(120);
    let plan = Plan::cut(Way::ToClient, 30_000, End::Close);
    field.imap.set(plan);
    field.fails("connection_closed", "closed the connection");
    let kept = field.stored("incoming").len();
    assert!(kept > 0 && kept < 120, "{kept}");
    let before = field.imap.passed(Way::ToClient);
    field.recovers(120 - kept as u64);
    let again = field.imap.passed(Way::ToClient) - before;
    assert!(
        again < 60_000,
        "what is stored is not fetched again: {again}"
    );
    field.everything_once();
}

#[test]
fn a_slow_line_only_takes_longer() {
    let field = Field::new();
    field.deliver(20);
    field.imap.set(Plan::throttle(Way::ToClient, 40_000));
    field.stage.receives(field.id, 20);
    field.everything_once();
}

#[test]
fn a_long_line_only_takes_longer() {
    let field = Field::new();
    field.deliver(20);
    field.imap.set(Plan::delay(Duration::from_millis(30)));
    field.stage.receives(field.id, 20);
    field.everything_once();
}

#[test]
fn a_mailbox_paused_while_it_fails_stays_paused() {
    let field = waiting().hurried();
    field.once(Point::ImapSearch, Action::Hang);
    let store = &field.stage.services.store;
    std::thread::scope(|scope| {
        let (stage, id) = (&field.stage, field.id);
        let polling = scope.spawn(move || stage.poll(id));
        until("it waits in vain", || {
            field.stage.simulator.faults().count() == 0
        });
        let pause = |tx: &Tx<'_>| {
            store::mailboxes::update_status(tx, field.id, MailboxStatus::Paused, None, NOW)
        };
        store.write(pause).unwrap();
        polling.join().unwrap();
    });
    assert_eq!(field.stage.mailbox(field.id).status, MailboxStatus::Paused);
    let resume = |tx: &Tx<'_>| {
        store::mailboxes::update_status(tx, field.id, MailboxStatus::Active, None, NOW)
    };
    store.write(resume).unwrap();
    field.recovers(1);
    field.everything_once();
}
