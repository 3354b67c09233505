//! A running IMAP and SMTP service with its own clock, and a client that speaks in lines.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mailhatch_simulator::clock::Clock;
use mailhatch_simulator::entra::{App, Audience, Entra};
use mailhatch_simulator::faults::Faults;
use mailhatch_simulator::world::{Stop, User, World};
use mailhatch_simulator::{imap, smtp};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, StreamOwned};

pub(crate) const TENANT: &str = "11111111-2222-3333-4444-555555555555";
pub(crate) const CLIENT: &str = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";
pub(crate) const ALICE: &str = "alice@harbourlights.example";
pub(crate) const SUPPORT: &str = "support@harbourlights.example";
pub(crate) const MIA: &str = "mia@outlook.example";
pub(crate) const NOW: i64 = 1_790_000_000;

/// The service under test. Dropping it stops every thread.
pub(crate) struct Bench {
    pub(crate) world: Arc<World>,
    pub(crate) entra: Arc<Entra>,
    pub(crate) faults: Arc<Faults>,
    pub(crate) stop: Stop,
    pub(crate) now: Arc<AtomicI64>,
    pub(crate) imap: SocketAddr,
    pub(crate) smtp: SocketAddr,
    trust: Arc<ClientConfig>,
    threads: Vec<JoinHandle<()>>,
}

impl Bench {
    pub(crate) fn start() -> Self {
        let now = Arc::new(AtomicI64::new(NOW));
        let hand = Arc::clone(&now);
        let clock = Clock::new(move || hand.load(Ordering::SeqCst));
        let world = World::new(clock.clone());
        world.add_user(User::work(TENANT, ALICE, "Alice Reed").with_access_to(SUPPORT));
        world.add_user(User::work(TENANT, "bob@harbourlights.example", "Bob Lane"));
        world.add_user(User::shared(TENANT, SUPPORT, "Harbour Lights Support"));
        world.add_user(User::personal(MIA, "Mia Stone"));
        let faults = Arc::new(Faults::default());
        let entra = Entra::new(Arc::clone(&world), Arc::clone(&faults), clock);
        entra.register_app(app());
        let (server, trust) = tls();
        let stop = Stop::new();
        let (imap_listener, smtp_listener) = (listener(), listener());
        let imap = imap_listener.local_addr().unwrap();
        let smtp = smtp_listener.local_addr().unwrap();
        let copies = || (Arc::clone(&world), Arc::clone(&entra), Arc::clone(&faults));
        let (w, e, f) = copies();
        let first = imap::serve(w, e, f, imap_listener, Arc::clone(&server), stop.clone());
        let (w, e, f) = copies();
        let second = smtp::serve(w, e, f, smtp_listener, server, stop.clone());
        let threads = vec![first, second];
        Self {
            world,
            entra,
            faults,
            stop,
            now,
            imap,
            smtp,
            trust,
            threads,
        }
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.now.fetch_add(seconds, Ordering::SeqCst);
    }

    /// An access token for IMAP and SMTP.
    pub(crate) fn token(&self, upn: &str) -> String {
        let scopes = [
            "https://outlook.office.com/IMAP.AccessAsUser.All",
            "https://outlook.office.com/SMTP.Send",
        ];
        self.entra.issue(upn, CLIENT, &scopes).access_token
    }

    /// The base64 XOAUTH2 payload with which `upn` opens the mailbox `user`.
    pub(crate) fn payload(&self, user: &str, upn: &str) -> String {
        STANDARD.encode(format!(
            "user={user}\u{1}auth=Bearer {}\u{1}\u{1}",
            self.token(upn)
        ))
    }

    /// A TLS connection to IMAP, greeting unread.
    pub(crate) fn imap(&self) -> Client {
        let mut client = Client::plain(self.imap);
        client.start_tls(&self.trust);
        client
    }

    /// An IMAP connection signed in to `user`'s own mailbox.
    pub(crate) fn imap_as(&self, user: &str) -> Client {
        let mut client = self.imap();
        client.line();
        let payload = self.payload(user, user);
        client.send(&format!("a1 AUTHENTICATE XOAUTH2 {payload}"));
        assert_eq!(client.line(), "a1 OK AUTHENTICATE completed.");
        client
    }

    /// An IMAP connection with INBOX open.
    pub(crate) fn inbox_of(&self, user: &str) -> Client {
        let mut client = self.imap_as(user);
        let answer = client.ask("a2 SELECT INBOX");
        assert!(
            answer.ends_with("a2 OK [READ-WRITE] SELECT completed.\r\n"),
            "{answer}"
        );
        client
    }

    /// An SMTP connection, greeting read.
    pub(crate) fn smtp(&self) -> Client {
        let mut client = Client::plain(self.smtp);
        assert!(client.line().starts_with("220 "));
        client
    }

    /// An SMTP connection inside TLS after EHLO.
    pub(crate) fn secure_smtp(&self) -> Client {
        let mut client = self.smtp();
        client.reply_to("EHLO desk.example");
        assert!(client.reply_to("STARTTLS").starts_with("220 2.0.0"));
        client.start_tls(&self.trust);
        client.reply_to("EHLO desk.example");
        client
    }

    /// An SMTP connection signed in.
    pub(crate) fn smtp_as(&self, user: &str) -> Client {
        let mut client = self.secure_smtp();
        let payload = self.payload(user, user);
        let reply = client.reply_to(&format!("AUTH XOAUTH2 {payload}"));
        assert_eq!(reply, "235 2.7.0 Authentication successful\r\n");
        client
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.stop.stop();
        for thread in self.threads.drain(..) {
            thread.join().unwrap();
        }
    }
}

fn app() -> App {
    App {
        client_id: CLIENT.to_owned(),
        tenant_id: TENANT.to_owned(),
        audience: Audience::AnyDirectoryAndPersonal,
        name: "Mail test".to_owned(),
        secrets: Vec::new(),
        certificates: Vec::new(),
        redirect_uris: Vec::new(),
        permissions: vec!["IMAP.AccessAsUser.All".to_owned(), "SMTP.Send".to_owned()],
        public_client: false,
        spa: false,
        assignment_required: false,
        assigned: Vec::new(),
        user_may_consent: true,
        admin_consented: true,
        verified_publisher: false,
    }
}

fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

fn tls() -> (Arc<ServerConfig>, Arc<ClientConfig>) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (Arc::new(server), Arc::new(client))
}

trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

/// One connection, spoken to line by line. Every read gives up after ten seconds.
pub(crate) struct Client {
    socket: TcpStream,
    stream: BufReader<Box<dyn Stream>>,
}

impl Client {
    fn plain(address: SocketAddr) -> Self {
        let socket = TcpStream::connect_timeout(&address, Duration::from_secs(5)).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        let boxed: Box<dyn Stream> = Box::new(socket.try_clone().unwrap());
        Self {
            socket,
            stream: BufReader::new(boxed),
        }
    }

    pub(crate) fn start_tls(&mut self, trust: &Arc<ClientConfig>) {
        let name = ServerName::try_from("localhost").unwrap();
        let connection = ClientConnection::new(Arc::clone(trust), name).unwrap();
        let stream = StreamOwned::new(connection, self.socket.try_clone().unwrap());
        self.stream = BufReader::new(Box::new(stream));
    }

    pub(crate) fn send_raw(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).unwrap();
        self.stream.get_mut().flush().unwrap();
    }

    pub(crate) fn send(&mut self, line: &str) {
        self.send_raw(format!("{line}\r\n").as_bytes());
    }

    /// The next line without its end.
    pub(crate) fn line(&mut self) -> String {
        self.maybe_line().expect("the connection ended")
    }

    /// The next line, or none when the other side closed.
    pub(crate) fn maybe_line(&mut self) -> Option<String> {
        let mut bytes = Vec::new();
        match self.stream.read_until(b'\n', &mut bytes) {
            Ok(0) => None,
            Ok(_) => Some(
                String::from_utf8_lossy(&bytes)
                    .trim_end_matches("\r\n")
                    .to_owned(),
            ),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                panic!("nothing came within ten seconds")
            }
            Err(_) => None,
        }
    }

    /// Sends an IMAP command and returns everything up to its tagged answer.
    pub(crate) fn ask(&mut self, command: &str) -> String {
        self.send(command);
        self.until(command.split(' ').next().unwrap())
    }

    /// Everything up to the tagged answer.
    pub(crate) fn until(&mut self, tag: &str) -> String {
        let mut all = String::new();
        loop {
            let line = self.line();
            all.push_str(&line);
            all.push_str("\r\n");
            if line.starts_with(&format!("{tag} ")) {
                return all;
            }
        }
    }

    /// Reads one SMTP reply, all its lines.
    pub(crate) fn reply(&mut self) -> String {
        let mut all = String::new();
        loop {
            let line = self.line();
            let more = line.as_bytes().get(3) == Some(&b'-');
            all.push_str(&line);
            all.push_str("\r\n");
            if !more {
                return all;
            }
        }
    }

    /// Sends an SMTP command and returns its reply.
    pub(crate) fn reply_to(&mut self, command: &str) -> String {
        self.send(command);
        self.reply()
    }

    /// Sends a whole message and returns the last reply.
    pub(crate) fn submit(&mut self, from: &str, to: &str, raw: &str) -> String {
        assert_eq!(
            self.reply_to(&format!("MAIL FROM:<{from}>")),
            "250 2.1.0 Sender OK\r\n"
        );
        assert_eq!(
            self.reply_to(&format!("RCPT TO:<{to}>")),
            "250 2.1.5 Recipient OK\r\n"
        );
        assert!(self.reply_to("DATA").starts_with("354 "));
        self.send_raw(raw.as_bytes());
        self.reply_to(".")
    }
}

/// A small message.
pub(crate) fn mail(from: &str, to: &str, id: &str) -> String {
    format!(
        "From: <{from}>\r\nTo: <{to}>\r\nSubject: Lamp\r\nMessage-ID: <{id}>\r\n\
         Date: Mon, 21 Sep 2026 14:13:20 +0000\r\n\r\nHello.\r\n"
    )
}

/// A bench whose Alice has this many messages, `<m1@willow.example>` and so on.
pub(crate) fn with_mail(count: usize) -> Bench {
    let bench = Bench::start();
    for n in 1..=count {
        let raw = mail("kim@willow.example", ALICE, &format!("m{n}@willow.example"));
        assert!(bench.world.deliver(ALICE, raw.as_bytes()));
    }
    bench
}
