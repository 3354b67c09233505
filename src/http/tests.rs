//! What the client does against servers that behave and servers that do not.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;

use super::*;
use crate::problem::Disposition;

/// Answers one connection with `answer` and gives back what was asked.
fn serve_once(answer: Vec<u8>) -> (u16, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let asked = read_request(&mut stream);
        stream.write_all(&answer).unwrap();
        asked
    });
    (port, server)
}

fn read_request(stream: &mut TcpStream) -> String {
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let mut request = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .to_ascii_lowercase()
                .lines()
                .find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok())
                .unwrap_or(0);
            if body.len() >= length {
                return text;
            }
        }
        let count = stream.read(&mut chunk).unwrap();
        assert_ne!(count, 0, "the client hung up early");
        request.extend_from_slice(&chunk[..count]);
    }
}

fn plain() -> Http {
    Http::build(None, None, None, Deadlines::default()).unwrap()
}

#[test]
fn a_request_carries_its_headers_and_body_and_a_400_is_an_answer() {
    let (port, server) = serve_once(
        b"HTTP/1.1 400 Bad Request\r\nX-Trace: Abc\r\nContent-Length: 2\r\n\r\nno".to_vec(),
    );
    let answer = plain()
        .post(
            &format!("http://127.0.0.1:{port}/token"),
            &[
                ("Content-Type", "text/plain"),
                ("Authorization", "Bearer x"),
            ],
            b"hello",
        )
        .unwrap();
    assert_eq!(answer.status, 400);
    assert_eq!(answer.body, b"no");
    assert_eq!(answer.header("x-trace"), Some("Abc"));
    let asked = server.join().unwrap();
    assert!(asked.starts_with("POST /token HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains("user-agent: mailhatch\r\n"), "{asked}");
    assert!(asked.to_lowercase().contains("authorization: bearer x\r\n"));
    assert!(asked.ends_with("\r\n\r\nhello"), "{asked}");
}

#[test]
fn a_redirect_is_handed_back_and_not_followed() {
    let (port, _server) = serve_once(
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
            .to_vec(),
    );
    let answer = plain()
        .get(&format!("http://127.0.0.1:{port}/"), &[])
        .unwrap();
    assert_eq!(answer.status, 302);
}

#[test]
fn an_answer_over_four_megabytes_is_refused() {
    let mut big = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
    big.resize(big.len() + 4 * 1024 * 1024 + 1, b'x');
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        read_request(&mut stream);
        // The client hangs up as soon as it has seen enough.
        drop(stream.write_all(&big));
    });
    let problem = plain()
        .get(&format!("http://127.0.0.1:{port}/"), &[])
        .unwrap_err();
    assert_eq!(problem.code, "http_answer_too_big");
    server.join().unwrap();
}

#[test]
fn a_closed_port_and_an_unknown_name_have_their_own_sentences() {
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let refused = plain()
        .get(&format!("http://127.0.0.1:{port}/"), &[])
        .unwrap_err();
    assert_eq!(refused.code, "http_connect_refused");
    assert!(nothing_was_sent(&refused));
    assert!(refused.is_transient());
    let unknown = plain().get("http://nobody.invalid/", &[]).unwrap_err();
    assert_eq!(unknown.code, "http_dns", "{unknown}");
    assert!(unknown.sentence.contains("nobody.invalid"));
    assert!(nothing_was_sent(&unknown));
}

#[test]
fn a_connection_that_breaks_off_may_have_delivered_the_request() {
    let (port, _server) = serve_once(Vec::new());
    let problem = plain()
        .post(&format!("http://127.0.0.1:{port}/"), &[], b"x")
        .unwrap_err();
    assert_eq!(problem.code, "http_broken_off", "{problem}");
    assert!(!nothing_was_sent(&problem));
}

#[test]
fn a_proxy_that_is_not_there_is_named_and_exempt_hosts_do_not_use_it() {
    let dead = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let http = Http::build(
        None,
        Some(&format!("http://{dead}")),
        Some("example.com, .local"),
        Deadlines::default(),
    )
    .unwrap();
    let problem = http.get("https://login.example.net/", &[]).unwrap_err();
    assert_eq!(problem.code, "http_proxy", "{problem}");
    assert!(is_exempt(&http.no_proxy, "example.com"));
    assert!(is_exempt(&http.no_proxy, "login.example.com"));
    assert!(is_exempt(&http.no_proxy, "box.local"));
    assert!(!is_exempt(&http.no_proxy, "notexample.com"));
    assert!(!is_exempt(&http.no_proxy, "login.example.net"));
}

#[test]
fn a_bad_proxy_setting_and_a_file_without_certificates_are_refused_at_the_start() {
    let proxy = Http::build(None, Some("http://"), None, Deadlines::default()).unwrap_err();
    assert_eq!(proxy.code, "http_proxy_setting");
    let roots = Http::build(Some(b"hello"), None, None, Deadlines::default()).unwrap_err();
    assert_eq!(roots.code, "http_ca_file");
}

/// A TLS server with a self-signed certificate that answers every connection until dropped.
fn tls_server() -> (u16, String) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let pem = made.cert.pem();
    let key = rustls_pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(
        rustls::crypto::ring::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .unwrap()
    .with_no_client_auth()
    .with_single_cert(vec![made.cert.der().clone()], key)
    .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().take(3) {
            let mut stream = stream.unwrap();
            let mut tls = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut both = rustls::Stream::new(&mut tls, &mut stream);
            let mut asked = [0; 1024];
            if both.read(&mut asked).is_ok() {
                drop(both.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
                tls.send_close_notify();
                drop(tls.complete_io(&mut stream));
            }
        }
    });
    (port, pem)
}

#[test]
fn a_private_root_is_trusted_when_given_and_refused_when_not() {
    let (port, pem) = tls_server();
    let url = format!("https://localhost:{port}/");
    let problem = plain().get(&url, &[]).unwrap_err();
    assert_eq!(problem.code, "http_tls_untrusted", "{problem}");
    assert_eq!(problem.disposition, Disposition::NeedsAdmin);
    assert!(problem.remedy.contains("MAILHATCH_CA_FILE"));
    let http = Http::build(Some(pem.as_bytes()), None, None, Deadlines::default()).unwrap();
    assert_eq!(http.get(&url, &[]).unwrap().body, b"ok");
}

#[test]
fn retry_after_is_read_as_seconds_and_as_a_date() {
    let answer = |value: &str| HttpAnswer {
        status: 429,
        headers: vec![("retry-after".to_owned(), value.to_owned())],
        body: Vec::new(),
    };
    let now = 784_111_777; // Sun, 06 Nov 1994 08:49:37 GMT
    assert_eq!(answer("17").retry_after_seconds(now), Some(17));
    assert_eq!(
        answer("Sun, 06 Nov 1994 08:50:07 GMT").retry_after_seconds(now),
        Some(30)
    );
    assert_eq!(
        answer("Sun, 06 Nov 1994 08:00:00 GMT").retry_after_seconds(now),
        Some(0)
    );
    assert_eq!(answer("soon").retry_after_seconds(now), None);
}
