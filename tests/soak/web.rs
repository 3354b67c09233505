//! A browser of few words that can be interrupted: a request may be cut in the middle, or its answer
//! left unread.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// No page takes longer; a program under attack may.
const DEADLINE: Duration = Duration::from_secs(60);

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) location: String,
    pub(crate) body: String,
}

/// How a request is spoiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Only half of it is sent.
    Half,
    /// All of it is sent, the answer is not waited for.
    Unread,
}

/// A browser with its cookies.
#[derive(Debug, Clone)]
pub(crate) struct Browser {
    port: u16,
    cookies: BTreeMap<String, String>,
}

fn bad(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

impl Page {
    /// The value of the first field of this name.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        let (_, rest) = self.body.split_once(&format!("name=\"{name}\" value=\""))?;
        let (value, _) = rest.split_once('"')?;
        let mut value = value.to_owned();
        for (code, sign) in [
            ("&#60;", "<"),
            ("&#62;", ">"),
            ("&#34;", "\""),
            ("&#39;", "'"),
            ("&#38;", "&"),
        ] {
            value = value.replace(code, sign);
        }
        Some(value)
    }
}

impl Browser {
    /// Without cookies.
    pub(crate) fn new(port: u16) -> Self {
        Self {
            port,
            cookies: BTreeMap::new(),
        }
    }

    /// Signs in.
    pub(crate) fn sign_in(&mut self, email: &str, password: &str) -> io::Result<()> {
        let form = self.get("/sign-in")?;
        let fields = [("email", email), ("password", password)];
        let answer = self.post("/sign-in", &form, &fields)?;
        if answer.status == 303 {
            Ok(())
        } else {
            Err(bad("the sign-in was refused"))
        }
    }

    /// Asks for a page.
    pub(crate) fn get(&mut self, path: &str) -> io::Result<Page> {
        let request = self.head("GET", path, "");
        self.ask(request.as_bytes())
    }

    /// Sends a form of this page, with its token.
    pub(crate) fn post(
        &mut self,
        path: &str,
        page: &Page,
        fields: &[(&str, &str)],
    ) -> io::Result<Page> {
        let csrf = page.field("csrf").ok_or_else(|| bad("no token"))?;
        let body = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("csrf", &csrf)
            .extend_pairs(fields)
            .finish();
        let more = format!(
            "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
            body.len()
        );
        let request = self.head("POST", path, &more) + &body;
        self.ask(request.as_bytes())
    }

    /// A form with files, ready to be sent once or several times.
    pub(crate) fn form(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        file: Option<(&str, &[u8])>,
    ) -> Vec<u8> {
        let mut body = Vec::new();
        for (name, value) in fields {
            let part = format!(
                "--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            );
            body.extend_from_slice(part.as_bytes());
        }
        if let Some((name, content)) = file {
            let part = format!(
                "--edge\r\nContent-Disposition: form-data; name=\"attachments\"; filename=\"{name}\"\r\n\
                 Content-Type: application/octet-stream\r\n\r\n"
            );
            body.extend_from_slice(part.as_bytes());
            body.extend_from_slice(content);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--edge--\r\n");
        let more = format!(
            "Content-Type: multipart/form-data; boundary=edge\r\nContent-Length: {}\r\n",
            body.len()
        );
        let mut request = self.head("POST", path, &more).into_bytes();
        request.extend_from_slice(&body);
        request
    }

    /// Sends a request and reads its answer.
    pub(crate) fn ask(&mut self, request: &[u8]) -> io::Result<Page> {
        let mut stream = self.call()?;
        stream.write_all(request)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        self.take(&answer)
    }

    /// Sends a request as far as it gets, and hangs up.
    pub(crate) fn ask_cut(&self, request: &[u8], cut: Cut) -> io::Result<()> {
        let mut stream = self.call()?;
        let end = match cut {
            Cut::Half => request.len() * 2 / 3,
            Cut::Unread => request.len(),
        };
        stream.write_all(&request[..end])?;
        stream.shutdown(Shutdown::Both)
    }

    fn call(&self) -> io::Result<TcpStream> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
        stream.set_read_timeout(Some(DEADLINE))?;
        stream.set_write_timeout(Some(DEADLINE))?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    fn head(&self, method: &str, path: &str, more: &str) -> String {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: {}\r\n{more}\r\n",
            cookies.join("; ")
        )
    }

    fn take(&mut self, answer: &[u8]) -> io::Result<Page> {
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.ok_or(io::ErrorKind::UnexpectedEof)?;
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        let body = &answer[end + 4..];
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1));
        let status = status.and_then(|code| code.parse().ok());
        let mut page = Page {
            status: status.ok_or_else(|| bad("no status"))?,
            location: String::new(),
            body: String::from_utf8_lossy(body).into_owned(),
        };
        for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
            match name.to_ascii_lowercase().as_str() {
                "location" => value.clone_into(&mut page.location),
                "content-length" if value.parse() != Ok(body.len()) => {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                "set-cookie" => {
                    let pair = value
                        .split(';')
                        .next()
                        .and_then(|pair| pair.split_once('='));
                    if let Some((name, value)) = pair {
                        self.cookies.insert(name.to_owned(), value.to_owned());
                    }
                }
                _ => {}
            }
        }
        Ok(page)
    }
}
