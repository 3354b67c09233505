//! Open pages hear of changes.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use mailhatch::desk;
use mailhatch::model::{Address, Role};
use mailhatch::store;

use crate::support::site::{Browser, NOW, Site};

/// A stream of events, read line by line.
struct Stream(BufReader<TcpStream>);

impl Stream {
    fn open(site: &Site, browser: &Browser) -> Self {
        Self::open_at(site, browser, "/live")
    }

    fn open_at(site: &Site, browser: &Browser, path: &str) -> Self {
        let mut socket = TcpStream::connect_timeout(&site.address, Duration::from_secs(5)).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        let cookies: Vec<String> = browser
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\n\r\n",
            site.address,
            cookies.join("; ")
        );
        socket.write_all(head.as_bytes()).unwrap();
        let mut stream = Self(BufReader::new(socket));
        stream.until("retry:");
        stream
    }

    /// The next event about mail. What the loops are doing is told beside it, whenever they change.
    fn event(&mut self) -> String {
        loop {
            let event = self.until("event:");
            if event != "event: loops" {
                return event;
            }
        }
    }

    /// Reads to the first line that begins so; gives it.
    fn until(&mut self, begin: &str) -> String {
        loop {
            let mut line = String::new();
            let read = self.0.read_line(&mut line).expect("a line in time");
            assert!(read > 0, "the stream ended before {begin}");
            if line.starts_with(begin) {
                return line.trim().to_owned();
            }
        }
    }
}

#[test]
fn what_changed_between_a_page_and_its_stream_is_told_at_once() {
    let site = Site::empty();
    site.agent("ada@example.com", "Ada", Role::Agent);
    let mailbox = site.mailbox("support@example.com", "Support");
    let mut browser = site.signed_in("ada@example.com");
    let page = browser.get("/").body;
    let start = page.find("/live?").unwrap();
    let path = page.split_at(start).1.split('"').next().unwrap();
    let path = path.replace("&amp;", "&").replace("&#38;", "&");
    let from = Address::new("Marta", "marta@example.net");
    let raw = "From: marta@example.net\nSubject: Lamp\n\nHi\n";
    let id = site.conversation(mailbox, &from, raw);
    let mut stream = Stream::open_at(&site, &browser, &path);
    assert_eq!(stream.event(), "event: list");
    assert_eq!(stream.event(), format!("event: conversation-{id}"));
}

#[test]
fn a_change_is_told_by_name_and_not_by_content() {
    let site = Site::empty();
    let ada = site.agent("ada@example.com", "Ada", Role::Agent);
    let mailbox = site.mailbox("support@example.com", "Support");
    let from = Address::new("Marta", "marta@example.net");
    let id = site.conversation(
        mailbox,
        &from,
        "From: marta@example.net\nSubject: Lamp\n\nHi\n",
    );
    let browser = site.signed_in("ada@example.com");
    let mut stream = Stream::open(&site, &browser);
    let ada = site
        .store()
        .read(|db| store::agents::find(db, ada))
        .unwrap()
        .unwrap();
    desk::close(site.store(), NOW, &ada, id).unwrap();
    assert_eq!(stream.event(), "event: list");
    assert_eq!(stream.until("data:"), "data:");
    assert_eq!(stream.event(), format!("event: conversation-{id}"));
    site.store()
        .write(|tx| store::mailboxes::touch(tx, mailbox))
        .unwrap();
    assert_eq!(stream.event(), "event: mailboxes");
}

#[test]
fn strangers_hear_nothing() {
    let site = Site::empty();
    site.agent("ada@example.com", "Ada", Role::Agent);
    assert_eq!(site.browser().get("/live").status, 303);
}

#[test]
fn one_agent_has_a_limited_number_of_streams_and_gets_them_back() {
    let site = Site::empty();
    site.agent("ada@example.com", "Ada", Role::Agent);
    let mut browser = site.signed_in("ada@example.com");
    let streams: Vec<Stream> = (0..24).map(|_| Stream::open(&site, &browser)).collect();
    assert_eq!(browser.get("/live").status, 204);
    drop(streams);
    // A closed stream is noticed when something is next written to it.
    let mailbox = site.mailbox("support@example.com", "Support");
    crate::support::stage::until("the places are free again", || {
        site.store()
            .write(|tx| store::mailboxes::touch(tx, mailbox))
            .unwrap();
        let mut socket = TcpStream::connect_timeout(&site.address, Duration::from_secs(5)).unwrap();
        let cookies: Vec<String> = browser
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let head = format!(
            "GET /live HTTP/1.1\r\nHost: x\r\nCookie: {}\r\n\r\n",
            cookies.join("; ")
        );
        socket.write_all(head.as_bytes()).unwrap();
        let mut line = String::new();
        BufReader::new(socket).read_line(&mut line).unwrap();
        line.contains("200")
    });
}
