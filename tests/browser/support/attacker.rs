//! A web server that belongs to whoever wrote a hostile message.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// A web server of the attacker, which writes down what it is asked for.
pub(crate) struct Attacker {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    thread: Option<JoinHandle<()>>,
}

/// One transparent pixel.
const GIF: &[u8] =
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\
\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";

impl Attacker {
    /// Starts it on a free port.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let list = Arc::clone(&asked);
        let thread = std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let mut bytes = [0; 2048];
                let limit = Some(Duration::from_secs(5));
                stream.set_read_timeout(limit).unwrap();
                // A browser may open a connection it then does not use, or speak TLS.
                let length = stream.read(&mut bytes).unwrap_or_default();
                let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
                if text.starts_with("STOP") {
                    return;
                }
                list.lock().unwrap().push(text);
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: image/gif\r\nContent-Length: {}\r\n\
                     Connection: close\r\n\r\n",
                    GIF.len()
                );
                let _ = stream.write_all(head.as_bytes());
                let _ = stream.write_all(GIF);
            }
        });
        Self {
            address,
            asked,
            thread: Some(thread),
        }
    }

    /// The heads of the requests it got.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Attacker {
    fn drop(&mut self) {
        let limit = Duration::from_secs(5);
        let mut stream = TcpStream::connect_timeout(&self.address, limit).unwrap();
        stream.write_all(b"STOP\r\n").unwrap();
        self.thread.take().unwrap().join().unwrap();
    }
}
