//! An HTTP client of few words, so that what is measured is the server.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use super::pause;

const DEADLINE: Duration = Duration::from_secs(60);

/// A connection that is kept open between requests.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    headers: String,
}

impl Connection {
    /// Connects to a port of this machine; `headers` go along with every request, each line ended.
    pub(crate) fn open(port: u16, headers: &str) -> io::Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let stream = TcpStream::connect_timeout(&address, DEADLINE)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        Ok(Self {
            stream: BufReader::new(stream),
            headers: headers.to_owned(),
        })
    }

    /// Asks for a page and reads the head of the answer: status and length of the body.
    pub(crate) fn ask(&mut self, path: &str) -> io::Result<(u16, Option<usize>)> {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\n{}\r\n",
            self.headers
        );
        self.stream.get_mut().write_all(request.as_bytes())?;
        let status = self.line()?;
        let status = status.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.ok_or(io::ErrorKind::InvalidData)?;
        let mut length = None;
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok((status, length));
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().ok();
            }
        }
    }

    /// Asks for a page that says its length, and gives its status and body.
    pub(crate) fn get(&mut self, path: &str) -> io::Result<(u16, Vec<u8>)> {
        let (status, length) = self.ask(path)?;
        let mut body = vec![0; length.ok_or(io::ErrorKind::InvalidData)?];
        self.stream.read_exact(&mut body)?;
        Ok((status, body))
    }

    /// The next line without its end.
    pub(crate) fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        line.truncate(line.trim_end().len());
        Ok(line)
    }
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// Knocks every millisecond until `path` is served; gives the time since `began`.
pub(crate) fn first_answer(port: u16, path: &str, began: Instant) -> Duration {
    loop {
        let answer = Connection::open(port, "").and_then(|mut server| server.get(path));
        match answer {
            Ok((200, _)) => return began.elapsed(),
            Ok((status, _)) => panic!("{path} answers {status}"),
            Err(error) if began.elapsed() > DEADLINE => panic!("{path} is not served: {error}"),
            Err(_) => pause(Duration::from_millis(1)),
        }
    }
}
