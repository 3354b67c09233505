//! One TCP stream to a mail server, with TLS by rustls: deadlines for connecting, reading and writing, a byte
//! budget for each answer, and a handle that shuts it from another thread.
//!
//! The protocol crates above read whatever a server sends into memory and wait as long as it takes. What bounds
//! them stands here: a read past its deadline, past the budget or past the time allowed for a whole answer is an
//! I/O error, and [`problem`] turns each into its own sentence.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use rustls::{ClientConnection, StreamOwned};
use rustls_pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};

use crate::problem::Problem;
pub use crate::providers::HostPort as Server;

mod explain;
mod patience;
mod trust;
pub mod xoauth2;

pub use explain::problem;
pub(crate) use explain::{closed, for_powershell};
pub use patience::Interrupter;
pub use trust::Trust;

/// A connection that says nothing is probed after this long, so that a dead peer is noticed in minutes.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(60);
/// Time between two such probes.
const KEEPALIVE_EVERY: Duration = Duration::from_secs(15);
/// Least time one address of several gets to answer.
const ADDRESS_FLOOR: Duration = Duration::from_millis(500);

/// How long each kind of waiting may last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// Resolving the name; then reaching any of its addresses; then the TLS handshake: each this long.
    pub connect: Duration,
    /// The next byte of an answer.
    pub read: Duration,
    /// The other side taking the next bytes.
    pub write: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            read: Duration::from_secs(60),
            write: Duration::from_secs(60),
        }
    }
}

/// How long the rest of what has begun to come in during a patient wait may take.
const REST_DEADLINE: Duration = Duration::from_millis(500);

/// Code of the [`Problem`] of an answer that is longer than allowed.
pub const ANSWER_TOO_BIG: &str = "answer_too_big";

/// How much more, and until when, the other side may send before we stop listening. Clones share it.
#[derive(Debug, Clone)]
pub struct Budget {
    left: Arc<Mutex<Allowance>>,
}

#[derive(Debug, Clone, Copy)]
struct Allowance {
    bytes: u64,
    until: Option<Instant>,
}

/// The other side sent more than the budget allowed; inside an [`io::Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetSpent;

impl std::fmt::Display for BudgetSpent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the answer is longer than allowed")
    }
}

impl std::error::Error for BudgetSpent {}

impl Budget {
    fn new() -> Self {
        Self {
            left: Arc::new(Mutex::new(Allowance {
                bytes: u64::MAX,
                until: None,
            })),
        }
    }

    /// Allows `bytes` from now on, to arrive within `within`.
    pub fn set(&self, bytes: u64, within: Duration) {
        *self.left.lock().unwrap_or_else(PoisonError::into_inner) = Allowance {
            bytes,
            until: Instant::now().checked_add(within),
        };
    }

    /// Refuses when the budget is spent or its time is over.
    fn check(&self) -> io::Result<()> {
        let allowance = *self.left.lock().unwrap_or_else(PoisonError::into_inner);
        if allowance.bytes == 0 {
            return Err(io::Error::other(BudgetSpent));
        }
        if allowance.until.is_some_and(|until| until <= Instant::now()) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(())
    }

    /// When its time is over.
    fn until(&self) -> Option<Instant> {
        self.left
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .until
    }

    fn spend(&self, bytes: usize) {
        let mut allowance = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        allowance.bytes = allowance.bytes.saturating_sub(bytes);
    }
}

/// Shuts a [`Stream`] from another thread: whoever is reading or writing there returns at once.
#[derive(Debug, Clone)]
pub struct Closer {
    tcp: Arc<TcpStream>,
}

impl Closer {
    /// Shuts the socket both ways. Harmless when it is closed already.
    pub fn close(&self) {
        // It fails only when the peer has gone first, which is what we want.
        let _ = self.tcp.shutdown(Shutdown::Both);
    }
}

/// A TCP stream, with TLS or (before STARTTLS) without.
#[derive(Debug)]
pub struct Stream {
    wire: Wire,
    tcp: Arc<TcpStream>,
    server: Server,
    deadlines: Deadlines,
    budget: Budget,
    patience: Option<Duration>,
    interrupter: Interrupter,
}

#[derive(Debug)]
enum Wire {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Wire {
    /// Whether something has come in already that nobody has read.
    fn holds_more(&mut self) -> bool {
        match self {
            Self::Plain(_) => false,
            // An error is for the read to find.
            Self::Tls(stream) => stream.conn.process_new_packets().map_or(true, |state| {
                state.plaintext_bytes_to_read() > 0 || state.peer_has_closed()
            }),
        }
    }
}

/// Resolves the server's name, tries all its addresses and connects, without TLS yet.
///
/// # Errors
/// When the name is unknown or no address answers within the deadline.
pub fn connect(server: &Server, deadlines: Deadlines) -> Result<Stream, Problem> {
    let addresses = resolve(server, deadlines.connect)?;
    let tcp = dial(&addresses, deadlines.connect).map_err(|e| explain::connecting(server, &e))?;
    let (handle, interrupter) = prepare(&tcp, deadlines)
        .and_then(|()| Ok((tcp.try_clone()?, Interrupter::new()?)))
        .map_err(|e| problem(&e, server))?;
    Ok(Stream {
        wire: Wire::Plain(tcp),
        tcp: Arc::new(handle),
        server: server.clone(),
        deadlines,
        budget: Budget::new(),
        patience: None,
        interrupter,
    })
}

/// Connects and shakes hands for TLS.
///
/// # Errors
/// As [`connect`] and [`Stream::start_tls`].
pub fn connect_tls(
    server: &Server,
    trust: &Trust,
    deadlines: Deadlines,
) -> Result<Stream, Problem> {
    connect(server, deadlines)?.start_tls(trust)
}

impl Stream {
    /// Shakes hands for TLS and checks the server's certificate against its name.
    ///
    /// # Errors
    /// When the certificate is not trusted or the handshake fails or takes too long.
    pub fn start_tls(self, trust: &Trust) -> Result<Self, Problem> {
        let Self {
            wire,
            tcp: handle,
            server,
            deadlines,
            budget,
            patience,
            interrupter,
        } = self;
        let wire = match wire {
            Wire::Plain(tcp) => shake_hands(tcp, &server, trust, deadlines)
                .map_err(|e| explain::shaking_hands(&server, &timed(e)))?,
            Wire::Tls(stream) => Wire::Tls(stream),
        };
        Ok(Self {
            wire,
            tcp: handle,
            server,
            deadlines,
            budget,
            patience,
            interrupter,
        })
    }

    /// The handle that shuts this stream from another thread.
    #[must_use]
    pub fn closer(&self) -> Closer {
        Closer {
            tcp: Arc::clone(&self.tcp),
        }
    }

    /// The byte and time budget of this stream, to be set before each answer.
    #[must_use]
    pub fn budget(&self) -> Budget {
        self.budget.clone()
    }

    /// Allows `bytes` more from now on, to arrive within `within`.
    pub fn set_budget(&self, bytes: u64, within: Duration) {
        self.budget.set(bytes, within);
    }

    /// How long a read may wait from now on; `None` means the deadline given when connecting. A wait
    /// with a deadline of its own is patient: nothing is due, and [`Interrupter::interrupt`] ends it.
    ///
    /// # Errors
    /// When the socket is gone.
    pub fn set_read_deadline(&mut self, deadline: Option<Duration>) -> io::Result<()> {
        self.patience = deadline;
        let slice = deadline.map_or(self.deadlines.read, |deadline| deadline.min(REST_DEADLINE));
        self.tcp
            .set_read_timeout(Some(slice.max(Duration::from_millis(1))))
    }

    /// What ends a patient wait from another thread.
    #[must_use]
    pub fn interrupter(&self) -> Interrupter {
        self.interrupter.clone()
    }

    /// Reads once; a patient wait sleeps until something comes, its time is over or it is interrupted.
    fn read_wire(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let until = self
            .patience
            .and_then(|patience| Instant::now().checked_add(patience));
        loop {
            if let Some(until) = until
                && !self.wire.holds_more()
            {
                let until = self.budget.until().map_or(until, |end| end.min(until));
                self.interrupter.wait(&self.tcp, until)?;
            }
            let got = match &mut self.wire {
                Wire::Plain(tcp) => tcp.read(buffer),
                Wire::Tls(stream) => stream.read(buffer),
            };
            // What came was the beginning of something.
            let goes_on = until.is_some() && matches!(&got, Err(e) if timed_out(e));
            if !goes_on {
                return got;
            }
            self.budget.check()?;
        }
    }

    /// Our own address on this connection.
    #[must_use]
    pub fn local_ip(&self) -> Option<IpAddr> {
        self.tcp.local_addr().ok().map(|address| address.ip())
    }

    /// The server this stream leads to.
    #[must_use]
    pub const fn server(&self) -> &Server {
        &self.server
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.budget.check()?;
        match self.read_wire(buffer) {
            Ok(count) => {
                self.budget.spend(count);
                Ok(count)
            }
            // Many servers close the socket without TLS's own goodbye. IMAP and SMTP answers carry their own
            // end, so a cut one is noticed anyway.
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
            Err(e) => Err(timed(e)),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match &mut self.wire {
            Wire::Plain(tcp) => tcp.write(buffer),
            Wire::Tls(stream) => stream.write(buffer),
        }
        .map_err(timed)
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.wire {
            Wire::Plain(tcp) => tcp.flush(),
            Wire::Tls(stream) => stream.flush(),
        }
        .map_err(timed)
    }
}

fn shake_hands(
    mut tcp: TcpStream,
    server: &Server,
    trust: &Trust,
    deadlines: Deadlines,
) -> io::Result<Wire> {
    let name = ServerName::try_from(server.host.clone()).map_err(io::Error::other)?;
    let mut connection = ClientConnection::new(trust.config(), name).map_err(io::Error::other)?;
    tcp.set_read_timeout(Some(deadlines.connect))?;
    let began = Instant::now();
    // It returns early, and with no error, when it had to wait after the first bytes.
    while connection.is_handshaking() {
        if began.elapsed() > deadlines.connect {
            return Err(io::ErrorKind::TimedOut.into());
        }
        connection.complete_io(&mut tcp)?;
    }
    tcp.set_read_timeout(Some(deadlines.read))?;
    Ok(Wire::Tls(Box::new(StreamOwned::new(connection, tcp))))
}

/// Resolves on a thread of its own: the system's resolver has no deadline of ours.
fn resolve(server: &Server, deadline: Duration) -> Result<Vec<SocketAddr>, Problem> {
    let (answer, answered) = mpsc::channel();
    let (host, port) = (server.host.clone(), server.port);
    std::thread::Builder::new()
        .name("resolve".to_owned())
        .spawn(move || {
            let found = (host.as_str(), port)
                .to_socket_addrs()
                .map(Iterator::collect::<Vec<_>>);
            // Nobody listens any more once the deadline has passed.
            let _ = answer.send(found);
        })
        .map_err(|e| explain::resolving(server, &e.to_string()))?;
    match answered.recv_timeout(deadline) {
        Ok(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
        Ok(Ok(_)) => Err(explain::resolving(server, "the name has no address")),
        Ok(Err(e)) => Err(explain::resolving(server, &e.to_string())),
        Err(_) => Err(explain::resolving(server, "the name server did not answer")),
    }
}

/// Tries every address; together they get the deadline, each its share of what is left.
fn dial(addresses: &[SocketAddr], deadline: Duration) -> io::Result<TcpStream> {
    let started = Instant::now();
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for (index, address) in addresses.iter().enumerate() {
        let still = u32::try_from(addresses.len().saturating_sub(index)).unwrap_or(u32::MAX);
        let left = deadline.saturating_sub(started.elapsed());
        let share = left.checked_div(still).unwrap_or(left).max(ADDRESS_FLOOR);
        match TcpStream::connect_timeout(address, share) {
            Ok(tcp) => return Ok(tcp),
            Err(e) => last = e,
        }
    }
    Err(timed(last))
}

fn prepare(tcp: &TcpStream, deadlines: Deadlines) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    tcp.set_read_timeout(Some(deadlines.read))?;
    tcp.set_write_timeout(Some(deadlines.write))?;
    SockRef::from(tcp).set_tcp_keepalive(
        &TcpKeepalive::new()
            .with_time(KEEPALIVE_AFTER)
            .with_interval(KEEPALIVE_EVERY),
    )
}

fn timed_out(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}

/// Unix reports a socket's read timeout as "would block"; everyone above means "timed out".
fn timed(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::WouldBlock {
        io::ErrorKind::TimedOut.into()
    } else {
        error
    }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
