//! A bare line client for IMAP, SMTP and LMTP that shows the servers' words as they are.

use std::fmt::Debug;
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// No answer of these servers takes longer.
const DEADLINE: Duration = Duration::from_secs(20);

trait Duplex: Read + Write + Send {}
impl<T: Read + Write + Send> Duplex for T {}

/// One reply of an SMTP or LMTP server.
#[derive(Debug)]
pub(crate) struct Reply {
    /// Its three digits.
    pub(crate) code: u16,
    /// All its lines without the code, joined by newlines.
    pub(crate) text: String,
}

/// One connection.
pub(crate) struct Client {
    stream: BufReader<Box<dyn Duplex>>,
    tcp: Option<TcpStream>,
}

impl Client {
    /// Connects to a Unix socket.
    pub(crate) fn unix(path: &Path) -> io::Result<Self> {
        let stream = UnixStream::connect(path)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        stream.set_write_timeout(Some(DEADLINE))?;
        Ok(Self {
            stream: BufReader::new(Box::new(stream)),
            tcp: None,
        })
    }

    /// Connects to a port on 127.0.0.1, without TLS yet.
    pub(crate) fn tcp(port: u16) -> io::Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let stream = TcpStream::connect_timeout(&address, DEADLINE)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        stream.set_write_timeout(Some(DEADLINE))?;
        stream.set_nodelay(true)?;
        let tcp = Some(stream.try_clone()?);
        Ok(Self {
            stream: BufReader::new(Box::new(stream)),
            tcp,
        })
    }

    /// Turns a TCP connection into TLS with a server that must be `localhost` by this root.
    pub(crate) fn start_tls(&mut self, ca_pem: &str) -> io::Result<()> {
        assert!(
            self.stream.buffer().is_empty(),
            "the server spoke before TLS was agreed"
        );
        let mut roots = RootCertStore::empty();
        let root = CertificateDer::from_pem_slice(ca_pem.as_bytes()).map_err(io::Error::other)?;
        roots.add(root).map_err(io::Error::other)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
        let connection = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
        let tcp = self
            .tcp
            .take()
            .ok_or_else(|| io::Error::other("TLS is on already"))?;
        self.stream = BufReader::new(Box::new(StreamOwned::new(connection, tcp)));
        Ok(())
    }

    /// Sends one line.
    pub(crate) fn send(&mut self, line: &str) {
        let stream = self.stream.get_mut();
        stream.write_all(format!("{line}\r\n").as_bytes()).unwrap();
        stream.flush().unwrap();
    }

    /// Sends a message after 354, its dots doubled (RFC 5321 section 4.5.2), and the final dot.
    pub(crate) fn send_data(&mut self, raw: &[u8]) {
        let mut wire = Vec::with_capacity(raw.len() + 16);
        for line in raw.split_inclusive(|&byte| byte == b'\n') {
            if line.starts_with(b".") {
                wire.push(b'.');
            }
            wire.extend_from_slice(line);
        }
        if !wire.is_empty() && !wire.ends_with(b"\r\n") {
            wire.extend_from_slice(b"\r\n");
        }
        wire.extend_from_slice(b".\r\n");
        let stream = self.stream.get_mut();
        stream.write_all(&wire).unwrap();
        stream.flush().unwrap();
    }

    /// The next line without its end; an error when the server hung up or is silent.
    pub(crate) fn try_line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        if self.stream.read_until(b'\n', &mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(String::from_utf8_lossy(&line)
            .trim_end_matches(['\r', '\n'])
            .to_owned())
    }

    /// The next line.
    pub(crate) fn line(&mut self) -> String {
        self.try_line().unwrap()
    }

    /// The next reply of SMTP or LMTP (RFC 5321 section 4.2.1).
    pub(crate) fn reply(&mut self) -> Reply {
        let mut text = Vec::new();
        loop {
            let line = self.line();
            text.push(line.get(4..).unwrap_or_default().to_owned());
            if line.as_bytes().get(3) != Some(&b'-') {
                let code = line.get(..3).and_then(|code| code.parse().ok());
                let code = code.unwrap_or_else(|| panic!("not a reply: {line}"));
                return Reply {
                    code,
                    text: text.join("\n"),
                };
            }
        }
    }

    /// Sends an SMTP command and waits for its reply.
    pub(crate) fn smtp(&mut self, line: &str) -> Reply {
        self.send(line);
        self.reply()
    }

    /// Sends an IMAP command; all lines of the answer, the tagged one last.
    pub(crate) fn imap(&mut self, command: &str) -> Vec<String> {
        self.send(&format!("t {command}"));
        self.imap_answer()
    }

    /// Reads until the tagged line, or until the server asks for more with `+`.
    pub(crate) fn imap_answer(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let line = self.line();
            let last = line.starts_with("t ") || line.starts_with('+');
            lines.push(line);
            if last {
                return lines;
            }
        }
    }
}

/// The XOAUTH2 initial response in base64.
pub(crate) fn xoauth2(user: &str, token: &str) -> String {
    STANDARD.encode(format!("user={user}\x01auth=Bearer {token}\x01\x01"))
}

/// What a challenge in base64 says.
pub(crate) fn challenge(base64: &str) -> String {
    String::from_utf8(STANDARD.decode(base64.trim()).unwrap()).unwrap()
}
