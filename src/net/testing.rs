//! A mail server for tests that says exactly what its script says, over real TLS.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::{Deadlines, Server, Trust};

/// Short enough for a test that waits for it, long enough for a busy machine.
pub(crate) const SHORT: Deadlines = Deadlines {
    connect: Duration::from_secs(5),
    read: Duration::from_millis(400),
    write: Duration::from_secs(5),
};

/// The certificate of `localhost`, and the settings of a server that has it.
struct Identity {
    pem: String,
    config: Arc<ServerConfig>,
}

fn identity() -> &'static Identity {
    static IDENTITY: OnceLock<Identity> = OnceLock::new();
    IDENTITY.get_or_init(|| {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let certificate: CertificateDer<'static> = made.cert.der().clone();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        Identity {
            pem: made.cert.pem(),
            config: Arc::new(config),
        }
    })
}

/// A client's trust in the scripted server.
pub(crate) fn trust() -> Trust {
    Trust::new(Some(identity().pem.as_bytes())).unwrap()
}

enum Wire {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
    Gone,
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
            Self::Gone => Ok(0),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.write(buffer),
            Self::Tls(stream) => stream.write(buffer),
            Self::Gone => Err(std::io::ErrorKind::NotConnected.into()),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Self::Plain(tcp) => tcp.flush(),
            Self::Tls(stream) => stream.flush(),
            Self::Gone => Ok(()),
        }
    }
}

/// The server's end of one connection.
pub(crate) struct Peer {
    wire: BufReader<Wire>,
    /// Everything heard so far, line by line.
    pub(crate) heard: Vec<String>,
}

impl Peer {
    /// Goes on under TLS.
    pub(crate) fn start_tls(&mut self) {
        let Wire::Plain(tcp) = std::mem::replace(self.wire.get_mut(), Wire::Gone) else {
            panic!("TLS twice");
        };
        let connection = ServerConnection::new(Arc::clone(&identity().config)).unwrap();
        *self.wire.get_mut() = Wire::Tls(Box::new(StreamOwned::new(connection, tcp)));
    }

    /// Sends text as it is. A client that has gone already is no failure of the server.
    pub(crate) fn say(&mut self, text: &str) {
        let _ = self.wire.get_mut().write_all(text.as_bytes());
        let _ = self.wire.get_mut().flush();
    }

    /// The next line without its end; empty when the client has gone.
    pub(crate) fn hear(&mut self) -> String {
        let mut line = String::new();
        let _ = self.wire.read_line(&mut line);
        let line = line.trim_end_matches(['\r', '\n']).to_owned();
        self.heard.push(line.clone());
        line
    }

    /// Reads an IMAP command and returns its tag and the rest.
    pub(crate) fn command(&mut self) -> (String, String) {
        let line = self.hear();
        let (tag, rest) = line.split_once(' ').unwrap_or((&line, ""));
        (tag.to_owned(), rest.to_owned())
    }

    /// Reads one IMAP command and answers it: untagged lines first, then the tag with `done`.
    pub(crate) fn answer(&mut self, untagged: &str, done: &str) -> String {
        let (tag, rest) = self.command();
        self.say(&format!("{untagged}{tag} {done}\r\n"));
        rest
    }

    /// Says nothing more until the client goes.
    pub(crate) fn stay_silent(&mut self) {
        let _ = self.wire.read_to_end(&mut Vec::new());
    }
}

/// A server on a port of its own that serves one connection by its script.
pub(crate) struct Scripted {
    pub(crate) server: Server,
    thread: JoinHandle<Vec<String>>,
}

impl Scripted {
    /// A server that speaks TLS from the start.
    pub(crate) fn tls(script: impl FnOnce(&mut Peer) + Send + 'static) -> Self {
        Self::plain(|peer| {
            peer.start_tls();
            script(peer);
        })
    }

    /// A server that begins in clear.
    pub(crate) fn plain(script: impl FnOnce(&mut Peer) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let thread = std::thread::spawn(move || {
            let (tcp, _) = listener.accept().unwrap();
            // A broken script must fail its test, not hang it.
            tcp.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            let mut peer = Peer {
                wire: BufReader::new(Wire::Plain(tcp)),
                heard: Vec::new(),
            };
            script(&mut peer);
            peer.heard
        });
        Self {
            server: Server::new("localhost", port),
            thread,
        }
    }

    /// Waits for the end of the script and returns the lines the server heard.
    pub(crate) fn heard(self) -> Vec<String> {
        self.thread.join().unwrap()
    }
}
