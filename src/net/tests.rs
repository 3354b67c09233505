//! Connections that go wrong, against servers that make them go wrong.

use std::net::TcpListener;

use super::testing::{Peer, SHORT, Scripted, trust};
use super::*;
use crate::problem::Disposition;

fn code_of<T: std::fmt::Debug>(result: Result<T, Problem>) -> String {
    result.unwrap_err().code
}

fn connect_to(scripted: &Scripted) -> Stream {
    connect_tls(&scripted.server, &trust(), SHORT).unwrap()
}

fn read_failure(stream: &mut Stream) -> Problem {
    let mut all = Vec::new();
    let error = stream.read_to_end(&mut all).unwrap_err();
    problem(&error, stream.server())
}

#[test]
fn bytes_travel_both_ways_under_tls() {
    let scripted = Scripted::tls(|peer| {
        assert_eq!(peer.hear(), "hello");
        peer.say("welcome");
    });
    let mut stream = connect_to(&scripted);
    stream.write_all(b"hello\r\n").unwrap();
    stream.flush().unwrap();
    let mut answer = [0_u8; 7];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"welcome");
    assert_eq!(scripted.heard(), ["hello"]);
}

#[test]
fn a_refused_connection_an_unknown_name_and_a_wrong_port_are_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = Server::new("localhost", listener.local_addr().unwrap().port());
    drop(listener);
    assert_eq!(code_of(connect(&server, SHORT)), "connect_refused");
    let nowhere = Server::new("no-such-host.invalid", 993);
    assert_eq!(code_of(connect(&nowhere, SHORT)), "dns_failed");
    let scripted = Scripted::plain(|peer| {
        peer.say("220 this is no TLS\r\n");
        peer.stay_silent();
    });
    let result = connect_tls(&scripted.server, &trust(), SHORT);
    assert_eq!(code_of(result), "tls_not_spoken");
}

#[test]
fn a_certificate_from_nobody_we_know_is_refused_before_anything_is_sent() {
    let scripted = Scripted::tls(Peer::stay_silent);
    let public_only = Trust::new(None).unwrap();
    let problem = connect_tls(&scripted.server, &public_only, SHORT).unwrap_err();
    assert_eq!(problem.code, "tls_untrusted");
    assert_eq!(problem.disposition, Disposition::NeedsAdmin);
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let scripted = Scripted::tls(Peer::stay_silent);
    let by_address = Server::new("127.0.0.1", scripted.server.port);
    let result = connect_tls(&by_address, &trust(), SHORT);
    assert_eq!(code_of(result), "tls_wrong_name");
}

#[test]
fn a_server_that_never_shakes_hands_meets_the_deadline() {
    let scripted = Scripted::plain(Peer::stay_silent);
    let deadlines = Deadlines {
        connect: SHORT.read,
        ..SHORT
    };
    let result = connect_tls(&scripted.server, &trust(), deadlines);
    assert_eq!(code_of(result), "tls_timeout");
}

#[test]
fn a_silent_server_meets_the_read_deadline() {
    let scripted = Scripted::tls(Peer::stay_silent);
    let mut stream = connect_to(&scripted);
    let started = Instant::now();
    assert_eq!(read_failure(&mut stream).code, "answer_timeout");
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_server_that_drips_meets_the_time_allowed_for_the_whole_answer() {
    let scripted = Scripted::tls(|peer| {
        let (never, waiting) = mpsc::channel::<()>();
        for _ in 0..200 {
            peer.say("x");
            let _ = waiting.recv_timeout(Duration::from_millis(20));
        }
        drop(never);
    });
    let mut stream = connect_to(&scripted);
    stream.set_budget(1_000_000, Duration::from_millis(300));
    let started = Instant::now();
    assert_eq!(read_failure(&mut stream).code, "answer_timeout");
    assert!(started.elapsed() < Duration::from_secs(3));
}

#[test]
fn more_than_the_budget_is_a_problem_of_its_own() {
    let scripted = Scripted::tls(|peer| {
        peer.say(&"y".repeat(100_000));
        peer.stay_silent();
    });
    let mut stream = connect_to(&scripted);
    stream.set_budget(50_000, Duration::from_secs(5));
    assert_eq!(read_failure(&mut stream).code, "answer_too_big");
}

#[test]
fn the_closer_ends_a_read_from_another_thread_at_once() {
    let scripted = Scripted::tls(Peer::stay_silent);
    let deadlines = Deadlines {
        read: Duration::from_secs(20),
        ..SHORT
    };
    let mut stream = connect_tls(&scripted.server, &trust(), deadlines).unwrap();
    let closer = stream.closer();
    let started = Instant::now();
    let reading = std::thread::spawn(move || stream.read(&mut [0_u8; 8]));
    let (_never, waiting) = mpsc::channel::<()>();
    let _ = waiting.recv_timeout(Duration::from_millis(100));
    closer.close();
    closer.close();
    assert!(matches!(reading.join().unwrap(), Ok(0) | Err(_)));
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn roots_that_cannot_be_read_are_told() {
    for pem in [
        "",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        assert_eq!(
            code_of(Trust::new(Some(pem.as_bytes()))),
            "ca_file_unreadable"
        );
    }
}

#[test]
fn a_login_shows_no_token_and_lets_no_field_be_smuggled_in() {
    let login = xoauth2::Login::new("a@b\x01auth=Bearer x", "secret");
    assert!(!format!("{login:?}").contains("secret"));
    assert_eq!(
        login.payload(),
        "user=a@bauth=Bearer x\x01auth=Bearer secret\x01\x01"
    );
}

#[test]
fn a_challenge_is_decoded_or_shown_as_it_is() {
    assert_eq!(
        xoauth2::challenge_words("eyJzIjoiNDAxIn0="),
        "{\"s\":\"401\"}"
    );
    assert_eq!(xoauth2::challenge_words(" not base64! "), "not base64!");
}
