//! In charge of lines over a socket, plain or TLS: deadlines, the accept loop, and orderly ends.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::stop::{Registered, Stop};

/// How long a write may take.
const WRITE_DEADLINE: Duration = Duration::from_secs(30);

/// How long we listen for the other side to close after we said goodbye.
const LINGER: Duration = Duration::from_millis(500);

/// One connection from a client.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: Stream,
    buffer: Vec<u8>,
    _registered: Registered,
}

#[derive(Debug)]
enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
    /// Only while TLS is being started.
    Gone,
}

/// One line as read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// With its line end.
    Whole(Vec<u8>),
    /// It was longer than allowed; this is its start, the rest was thrown away.
    TooLong(Vec<u8>),
}

impl Wire {
    /// Takes over an accepted socket.
    pub(crate) fn new(socket: TcpStream, stop: &Stop) -> io::Result<Self> {
        let registered = stop.register(&socket)?;
        socket.set_nodelay(true)?;
        socket.set_write_timeout(Some(WRITE_DEADLINE))?;
        Ok(Self {
            stream: Stream::Plain(socket),
            buffer: Vec::new(),
            _registered: registered,
        })
    }

    /// Goes over to TLS. Bytes sent early in the clear are thrown away (RFC 3207 section 4.2).
    pub(crate) fn start_tls(&mut self, config: Arc<ServerConfig>) -> io::Result<()> {
        self.buffer.clear();
        let Stream::Plain(socket) = std::mem::replace(&mut self.stream, Stream::Gone) else {
            return Err(io::Error::other("TLS twice"));
        };
        let connection = ServerConnection::new(config).map_err(io::Error::other)?;
        self.stream = Stream::Tls(Box::new(StreamOwned::new(connection, socket)));
        Ok(())
    }

    fn socket(&self) -> io::Result<&TcpStream> {
        match &self.stream {
            Stream::Plain(socket) => Ok(socket),
            Stream::Tls(tls) => Ok(&tls.sock),
            Stream::Gone => Err(io::Error::from(ErrorKind::NotConnected)),
        }
    }

    /// Sends all of it.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.stream {
            Stream::Plain(socket) => socket.write_all(bytes),
            Stream::Tls(tls) => tls.write_all(bytes).and_then(|()| tls.flush()),
            Stream::Gone => Err(io::Error::from(ErrorKind::NotConnected)),
        }
    }

    /// Reads what is there into the buffer, waiting until `until` at most.
    fn fill(&mut self, until: Instant) -> io::Result<()> {
        let left = until.saturating_duration_since(Instant::now());
        // A zero timeout would mean none at all.
        self.socket()?
            .set_read_timeout(Some(left.max(Duration::from_millis(1))))?;
        let mut chunk = [0_u8; 16 * 1024];
        let read = match &mut self.stream {
            Stream::Plain(socket) => socket.read(&mut chunk),
            Stream::Tls(tls) => tls.read(&mut chunk),
            Stream::Gone => Err(io::Error::from(ErrorKind::NotConnected)),
        };
        match read {
            Ok(0) => Err(io::Error::from(ErrorKind::UnexpectedEof)),
            Ok(count) => {
                self.buffer
                    .extend_from_slice(chunk.get(..count).unwrap_or_default());
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                Err(io::Error::from(ErrorKind::TimedOut))
            }
            Err(error) => Err(error),
        }
    }

    /// Reads a line of at most `limit` bytes; the error kind is `TimedOut` when `wait` passes first.
    pub(crate) fn line(&mut self, limit: usize, wait: Duration) -> io::Result<Line> {
        let until = Instant::now() + wait;
        let mut searched = 0;
        let mut start_of_long: Option<Vec<u8>> = None;
        loop {
            let fresh = self.buffer.get(searched..).unwrap_or_default();
            if let Some(at) = fresh.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=searched + at).collect();
                return Ok(match start_of_long {
                    Some(start) => Line::TooLong(start),
                    None if line.len() > limit => Line::TooLong(line),
                    None => Line::Whole(line),
                });
            }
            searched = self.buffer.len();
            if searched > limit {
                let dropped = std::mem::take(&mut self.buffer);
                start_of_long.get_or_insert(dropped);
                searched = 0;
            }
            self.fill(until)?;
        }
    }

    /// Reads exactly `count` bytes.
    pub(crate) fn bytes(&mut self, count: usize, wait: Duration) -> io::Result<Vec<u8>> {
        let until = Instant::now() + wait;
        while self.buffer.len() < count {
            self.fill(until)?;
        }
        Ok(self.buffer.drain(..count).collect())
    }

    /// Holds the connection without a word until the other side or the stop closes it.
    pub(crate) fn hang(&mut self) {
        loop {
            self.buffer.clear();
            match self.fill(Instant::now() + Duration::from_secs(3600)) {
                Err(error) if error.kind() != ErrorKind::TimedOut => return,
                _ => {}
            }
        }
    }

    /// Says goodbye properly, so that what was written last is not lost to a reset.
    pub(crate) fn finish(mut self) {
        if let Stream::Tls(tls) = &mut self.stream {
            tls.conn.send_close_notify();
            // The other side may be gone already; then there is nobody to tell.
            let _gone = tls.flush();
        }
        if self
            .socket()
            .and_then(|socket| socket.shutdown(Shutdown::Write))
            .is_err()
        {
            return;
        }
        let until = Instant::now() + LINGER;
        while Instant::now() < until && self.fill(until).is_ok() {
            self.buffer.clear();
        }
    }
}

/// Accepts connections until the stop, each on a thread of its own, and joins them all at the end.
pub(crate) fn serve_each(
    name: &'static str,
    listener: TcpListener,
    stop: Stop,
    session: impl Fn(TcpStream) + Send + Sync + 'static,
) -> JoinHandle<()> {
    let session = Arc::new(session);
    if let Err(error) = stop.watch(&listener) {
        tracing::error!(%error, "the {name} listener has no address");
    }
    std::thread::spawn(move || {
        let mut running: Vec<JoinHandle<()>> = Vec::new();
        while !stop.is_stopped() {
            let Ok((socket, _)) = listener.accept() else {
                // Out of descriptors, most likely: give others time to close theirs.
                if stop.wait(Duration::from_millis(50)) {
                    break;
                }
                continue;
            };
            if stop.is_stopped() {
                break;
            }
            running.retain(|handle| !handle.is_finished());
            let session = Arc::clone(&session);
            running.push(std::thread::spawn(move || session(socket)));
        }
        drop(listener);
        for handle in running {
            if handle.join().is_err() {
                tracing::error!("a {name} session panicked");
            }
        }
    })
}
