//! Graph as a small server of our own tells it.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::thread::JoinHandle;

use super::*;

/// Answers one request with `answer` (nothing: hangs up), and returns head and body of the request.
fn serve(answer: &'static str) -> (String, JoinHandle<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(reader.read_line(&mut head).unwrap(), 0, "request cut short");
        }
        let length = head
            .lines()
            .find_map(|line| {
                line.to_lowercase()
                    .strip_prefix("content-length: ")?
                    .parse()
                    .ok()
            })
            .unwrap();
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        reader.get_mut().write_all(answer.as_bytes()).unwrap();
        (head, body)
    });
    (url, thread)
}

fn send(answer: &'static str, send_as: &SendAs) -> (Outcome, String, Vec<u8>) {
    let (url, thread) = serve(answer);
    let http = Http::new(None).unwrap();
    let outcome = send_mail(
        &http,
        &url,
        "token",
        send_as,
        b"Subject: x\r\n\r\nhello\r\n",
    );
    let (head, body) = thread.join().unwrap();
    (outcome, head, body)
}

fn problem_of(outcome: Outcome) -> Problem {
    match outcome {
        Outcome::Refused { problem, .. } => problem,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_message_goes_as_base64_mime_and_202_means_accepted() {
    let (outcome, head, body) = send(
        "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n",
        &SendAs::Me,
    );
    assert_eq!(outcome, Outcome::Accepted);
    assert!(head.starts_with("POST /v1.0/me/sendMail "));
    assert!(head.contains("content-type: text/plain"));
    assert!(head.contains("authorization: Bearer token"));
    assert_eq!(
        STANDARD.decode(body).unwrap(),
        b"Subject: x\r\n\r\nhello\r\n"
    );
}

#[test]
fn a_shared_mailbox_is_named_in_the_path_and_in_the_command() {
    let shared = SendAs::Mailbox("sup/port@contoso.example".to_owned());
    let (outcome, head, _) = send(
        "HTTP/1.1 403 Forbidden\r\ncontent-length: 58\r\n\r\n{\"error\":{\"code\":\"ErrorSendAsDenied\",\"message\":\"refused\"}}",
        &shared,
    );
    assert!(head.starts_with("POST /v1.0/users/sup%2Fport@contoso.example/sendMail "));
    let problem = problem_of(outcome);
    assert_eq!(problem.code, "graph_send_as_denied");
    assert!(
        problem
            .command
            .unwrap()
            .contains("'sup/port@contoso.example'")
    );
}

#[test]
fn throttling_waits_as_long_as_asked_in_seconds_or_until_a_date() {
    let (outcome, ..) = send(
        "HTTP/1.1 429 x\r\nretry-after: 17\r\ncontent-length: 0\r\n\r\n",
        &SendAs::Me,
    );
    assert_eq!(problem_of(outcome).wait_seconds(), 17);
    let (outcome, ..) = send(
        "HTTP/1.1 503 x\r\ndate: Wed, 21 Oct 2026 07:28:00 GMT\r\nretry-after: Wed, 21 Oct 2026 07:30:00 GMT\r\ncontent-length: 0\r\n\r\n",
        &SendAs::Me,
    );
    assert_eq!(problem_of(outcome).wait_seconds(), 120);
    let (outcome, ..) = send("HTTP/1.1 429 x\r\ncontent-length: 0\r\n\r\n", &SendAs::Me);
    assert_eq!(problem_of(outcome).wait_seconds(), WAIT_DEFAULT_SECONDS);
}

#[test]
fn a_refused_token_asks_for_a_new_one() {
    let (outcome, ..) = send("HTTP/1.1 401 x\r\ncontent-length: 0\r\n\r\n", &SendAs::Me);
    let Outcome::Refused {
        problem,
        refresh_token,
    } = outcome
    else {
        panic!("{outcome:?}");
    };
    assert!(refresh_token);
    assert_eq!(problem.code, "graph_token_refused");
}

#[test]
fn an_answer_that_never_came_leaves_the_outcome_open() {
    for answer in [
        "",
        "HTTP/1.1 504 x\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 500 x\r\ncontent-length: 0\r\n\r\n",
    ] {
        let (outcome, ..) = send(answer, &SendAs::Me);
        assert!(
            matches!(outcome, Outcome::Unknown { .. }),
            "{answer:?} gave {outcome:?}"
        );
    }
}

#[test]
fn a_server_that_is_not_there_has_taken_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let outcome = send_mail(&Http::new(None).unwrap(), &url, "token", &SendAs::Me, b"x");
    assert!(problem_of(outcome).is_transient());
}

#[test]
fn a_message_too_big_is_not_even_tried() {
    let raw = vec![b'a'; message_max_bytes() + 1];
    let outcome = send_mail(
        &Http::new(None).unwrap(),
        "http://unused.invalid",
        "t",
        &SendAs::Me,
        &raw,
    );
    assert_eq!(problem_of(outcome).code, "graph_too_big");
}

#[test]
fn every_kind_of_refusal_has_its_own_code_and_sentence() {
    let (mut codes, mut sentences) = (BTreeSet::new(), BTreeSet::new());
    for row in ROWS {
        let problem = explain(403, row.needle, "", &SendAs::Me);
        assert_eq!(problem.code, row.code, "a row above hides it");
        assert!(codes.insert(problem.code) && sentences.insert(problem.sentence));
    }
    for status in [400, 401, 403, 404, 413, 429, 500] {
        let problem = explain(status, "", "", &SendAs::Me);
        assert!(codes.insert(problem.code), "{status}");
        assert!(sentences.insert(problem.sentence), "{status}");
    }
    let real = [
        (403, "ErrorAccessDenied", "graph_access_denied"),
        (404, "MailboxNotEnabledForRESTAPI", "graph_no_mailbox"),
        (404, "ErrorMailboxNotEnabledForRESTAPI", "graph_no_mailbox"),
        (
            400,
            "ErrorMimeContentInvalidBase64String",
            "graph_mime_refused",
        ),
        (413, "ErrorMessageSizeExceeded", "graph_message_over_limit"),
        (507, "ErrorQuotaExceeded", "graph_mailbox_full"),
        (429, "ErrorQuotaExceeded", "graph_throttled"),
    ];
    for (status, code, expected) in real {
        assert_eq!(explain(status, code, "", &SendAs::Me).code, expected);
    }
    let message = "Default folder Root not found.";
    let problem = explain(404, "ErrorItemNotFound", message, &SendAs::Me);
    assert_eq!(problem.code, "graph_no_delegate_right");
}
