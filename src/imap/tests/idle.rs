//! Waiting for mail, and the ways it ends.

use super::*;

#[test]
fn idle_ends_with_new_mail() {
    let scripted = Scripted::tls(|peer| {
        let_in_and_examine(peer);
        let (tag, command) = peer.command();
        assert_eq!(command, "IDLE");
        // News may come before the continuation.
        peer.say("* 2 EXPUNGE\r\n+ IDLE accepted, awaiting DONE command.\r\n* OK Still here\r\n* 2 EXISTS\r\n* 3 EXISTS\r\n");
        assert_eq!(peer.hear(), "DONE");
        peer.say(&format!("{tag} OK IDLE completed.\r\n"));
        assert_eq!(peer.answer("", "OK done"), "NOOP");
        peer.stay_silent();
    });
    let mut session = open(&scripted);
    session.examine("INBOX").unwrap();
    assert_eq!(
        session.idle(Duration::from_secs(10)).unwrap(),
        IdleEnd::NewMail
    );
    assert_eq!(session.count_all(), 3);
}

#[test]
fn mail_that_comes_while_idle_is_ending_is_not_lost() {
    let scripted = Scripted::tls(|peer| {
        let_in_and_examine(peer);
        let (tag, _) = peer.command();
        peer.say("+ idling\r\n");
        assert_eq!(peer.hear(), "DONE");
        peer.say(&format!("* 4 EXISTS\r\n{tag} OK done\r\n"));
        peer.answer("", "OK done");
        peer.stay_silent();
    });
    let mut session = open(&scripted);
    session.examine("INBOX").unwrap();
    assert_eq!(
        session.idle(Duration::from_millis(200)).unwrap(),
        IdleEnd::NewMail
    );
}

#[test]
fn idle_ends_in_time_even_when_the_server_keeps_chatting() {
    let scripted = Scripted::tls(|peer| {
        let_in_and_examine(peer);
        let (tag, _) = peer.command();
        peer.say("+ idling\r\n");
        let (_never, waiting) = mpsc::channel::<()>();
        for _ in 0..30 {
            peer.say("* OK Still here\r\n");
            let _ = waiting.recv_timeout(Duration::from_millis(20));
        }
        assert_eq!(peer.hear(), "DONE");
        peer.say(&format!("{tag} OK done\r\n"));
        peer.answer("", "OK done");
        peer.stay_silent();
    });
    let mut session = open_with(
        &scripted,
        Deadlines {
            read: Duration::from_secs(5),
            ..SHORT
        },
    )
    .unwrap();
    session.examine("INBOX").unwrap();
    assert_eq!(
        session.idle(Duration::from_millis(300)).unwrap(),
        IdleEnd::Nothing
    );
}

#[test]
fn idle_answered_by_ok_is_a_problem_and_no_panic() {
    let scripted = Scripted::tls(|peer| {
        let_in_and_examine(peer);
        peer.answer("", "OK IDLE completed.");
        let _done = peer.hear();
        peer.say("* BAD what\r\n");
        peer.stay_silent();
    });
    let mut session = open(&scripted);
    session.examine("INBOX").unwrap();
    let problem = session.idle(Duration::from_secs(5)).unwrap_err();
    assert_eq!(problem.code, "imap_out_of_step");
}

#[test]
fn goodbye_in_idle_is_told_as_such() {
    let scripted = Scripted::tls(|peer| {
        let_in_and_examine(peer);
        peer.command();
        peer.say("+ idling\r\n* BYE Connection is closed. 13\r\n");
    });
    let mut session = open(&scripted);
    session.examine("INBOX").unwrap();
    let problem = session.idle(Duration::from_secs(5)).unwrap_err();
    assert_eq!(problem.code, "imap_session_ended");
}

#[test]
fn a_peer_that_died_silently_is_noticed_after_a_stretch_of_idle() {
    let scripted = Scripted::tls(|peer| {
        let_in_and_examine(peer);
        peer.command();
        peer.say("+ idling\r\n");
        peer.stay_silent();
    });
    let mut session = open(&scripted);
    session.examine("INBOX").unwrap();
    let started = Instant::now();
    let problem = session.idle(Duration::from_millis(200)).unwrap_err();
    assert_eq!(problem.code, "answer_timeout");
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn the_closer_ends_idle_from_another_thread_at_once() {
    let scripted = Scripted::tls(|peer| {
        let_in_and_examine(peer);
        peer.command();
        peer.say("+ idling\r\n");
        peer.stay_silent();
    });
    let (give, take) = mpsc::channel::<Closer>();
    let mut session =
        Session::connect_within(&scripted.server, &trust(), &login(), SHORT, |closer| {
            give.send(closer).unwrap();
        })
        .unwrap();
    session.examine("INBOX").unwrap();
    let started = Instant::now();
    let idling = std::thread::spawn(move || session.idle(Duration::from_secs(60)));
    let (_never, waiting) = mpsc::channel::<()>();
    let _ = waiting.recv_timeout(Duration::from_millis(150));
    take.recv().unwrap().close();
    assert_eq!(
        idling.join().unwrap().unwrap_err().code,
        "connection_closed"
    );
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn an_interrupted_idle_ends_soon_and_the_session_goes_on() {
    let scripted = Scripted::tls(|peer| {
        let_in_and_examine(peer);
        let (tag, _) = peer.command();
        peer.say("+ idling\r\n");
        assert_eq!(peer.hear(), "DONE");
        peer.say(&format!("{tag} OK done\r\n"));
        peer.answer("", "OK done");
        peer.answer("* SEARCH 7\r\n", "OK done");
    });
    let mut session = open(&scripted);
    session.examine("INBOX").unwrap();
    let interrupter = session.interrupter();
    let started = Instant::now();
    let idling = std::thread::spawn(move || (session.idle(Duration::from_secs(60)), session));
    let (_never, waiting) = mpsc::channel::<()>();
    let _ = waiting.recv_timeout(Duration::from_millis(150));
    interrupter.interrupt();
    let (end, mut session) = idling.join().unwrap();
    assert_eq!(end.unwrap(), IdleEnd::Nothing);
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(session.uids_from(7).unwrap(), [7]);
}
