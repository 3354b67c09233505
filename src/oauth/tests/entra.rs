//! A server that answers as the test says and remembers what it was asked, and an app that talks to it.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};

use crate::http::Http;
use crate::oauth::{AppCredential, EntraApp};
use crate::providers::microsoft::{Cloud, Endpoints, Overrides};

pub(super) const NOW: i64 = 1_800_000_000;
pub(super) const CLIENT_ID: &str = "0f0f0f0f-1111-4222-8333-444444444444";
pub(super) const TENANT_ID: &str = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";
pub(super) const REDIRECT_URI: &str = "https://desk.example.com/microsoft/callback";
pub(super) const FIRST_KEY: &str = include_str!("keys/first.key.pem");
pub(super) const SECOND_KEY: &str = include_str!("keys/second.key.pem");
pub(super) const FIRST_CERTIFICATE: &str = include_str!("keys/first.cert.pem");
const FIRST_MODULUS: &str = include_str!("keys/first.modulus.txt");
const SECOND_MODULUS: &str = include_str!("keys/second.modulus.txt");

/// One request as the server saw it.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) path: String,
    pub(super) head: String,
    pub(super) body: String,
}

impl Asked {
    /// The fields of a form.
    pub(super) fn form(&self) -> BTreeMap<String, String> {
        url::form_urlencoded::parse(self.body.as_bytes())
            .into_owned()
            .collect()
    }
}

/// One answer.
#[derive(Debug, Clone)]
pub(super) struct Reply(
    pub(super) u16,
    pub(super) Vec<(String, String)>,
    pub(super) String,
);

impl Reply {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        let kind = ("Content-Type".to_owned(), "application/json".to_owned());
        Self(status, vec![kind], body.to_string())
    }

    /// An error as Entra words it.
    pub(super) fn error(status: u16, name: &str, number: u32) -> Self {
        Self::json(
            status,
            &json!({
                "error": name,
                "error_description": format!("AADSTS{number}: Words of Entra. Trace ID: t-1 Correlation ID: c-1 Timestamp: 2027-01-15 08:00:00Z"),
                "error_codes": [number], "timestamp": "2027-01-15 08:00:00Z",
                "trace_id": "t-1", "correlation_id": "c-1",
            }),
        )
    }

    pub(super) fn with_header(mut self, name: &str, value: &str) -> Self {
        self.1.push((name.to_owned(), value.to_owned()));
        self
    }
}

type Handler = Box<dyn Fn(&Asked) -> Reply + Send>;

/// The server; stops when dropped.
pub(super) struct Server {
    pub(super) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(super) fn start(handler: impl Fn(&Asked) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (seen, stopped) = (Arc::clone(&asked), Arc::clone(&stop));
        let handler: Handler = Box::new(handler);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                let mut stream = stream.unwrap();
                let request = read(&mut stream);
                let Reply(status, headers, body) = handler(&request);
                seen.lock().unwrap().push(request);
                let mut text = format!("HTTP/1.1 {status} X\r\nConnection: close\r\n");
                for (name, value) in headers {
                    text.push_str(&format!("{name}: {value}\r\n"));
                }
                text.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
                stream.write_all(text.as_bytes()).unwrap();
            }
        });
        Self {
            url,
            asked,
            stop,
            thread: Some(thread),
        }
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// How often a path that ends so was asked for.
    pub(super) fn count(&self, end: &str) -> usize {
        let all = self.asked();
        all.iter().filter(|asked| asked.path.ends_with(end)).count()
    }

    /// An app with a secret whose Entra and Graph are this server.
    pub(super) fn app(&self, tenant: &str) -> EntraApp {
        let overrides = Overrides {
            login_url: Some(self.url.clone()),
            graph_url: Some(self.url.clone()),
            ..Overrides::default()
        };
        EntraApp {
            client_id: CLIENT_ID.to_owned(),
            credential: AppCredential::Secret("s3cr~t+/&=".to_owned()),
            tenant: tenant.to_owned(),
            endpoints: Endpoints::new(Cloud::Global, &overrides),
            redirect_uri: REDIRECT_URI.to_owned(),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let address = self.url.trim_start_matches("http://").parse().unwrap();
        drop(TcpStream::connect_timeout(&address, Duration::from_secs(1)));
        let outcome = self.thread.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            assert!(matches!(outcome, Some(Ok(()))), "the server thread failed");
        }
    }
}

fn read(stream: &mut TcpStream) -> Asked {
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .to_ascii_lowercase()
                .lines()
                .find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok())
                .unwrap_or(0);
            if body.len() >= length {
                return Asked {
                    path: head.split(' ').nth(1).unwrap().to_owned(),
                    head: head.to_owned(),
                    body: body.to_owned(),
                };
            }
        }
        let count = stream.read(&mut chunk).unwrap();
        bytes.extend_from_slice(&chunk[..count]);
    }
}

pub(super) fn http() -> Http {
    Http::new(None).unwrap()
}

/// The discovery document with the given issuer.
pub(super) fn metadata(issuer: &str) -> Reply {
    Reply::json(200, &json!({ "issuer": issuer }))
}

/// Key `first` for every tenant, and `second` only for one issuer.
pub(super) fn keys(template: &str, second_issuer: &str) -> Reply {
    let key = |kid: &str, modulus: &str, issuer: &str| json!({"kty": "RSA", "use": "sig", "kid": kid, "n": modulus.trim(), "e": "AQAB", "issuer": issuer});
    Reply::json(
        200,
        &json!({"keys": [
            {"kty": "EC", "kid": "other", "crv": "P-256"},
            key("first", FIRST_MODULUS, template),
            key("second", SECOND_MODULUS, second_issuer),
        ]}),
    )
}

/// An ID token signed with that key.
pub(super) fn id_token(kid: &str, claims: &Value) -> String {
    let pem = if kid == "second" {
        SECOND_KEY
    } else {
        FIRST_KEY
    };
    let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::RS256);
    header.kid = Some(kid.to_owned());
    let key = jsonwebtoken::EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap();
    jsonwebtoken::encode(&header, claims, &key).unwrap()
}
