//! Waiting long for a server to say something, as in IDLE: asleep until it does, the time is over, or somebody
//! here has something else to do.

use std::io;
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Instant;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};

/// Ends a patient wait of a [`Stream`](super::Stream) from another thread: the read times out at once, and the
/// stream stays good.
#[derive(Debug, Clone)]
pub struct Interrupter(Arc<OwnedFd>);

impl Interrupter {
    pub(super) fn new() -> io::Result<Self> {
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self(Arc::new(bell)))
    }

    /// Ends the wait that is going on, or the next one.
    pub fn interrupt(&self) {
        // It fails only when it has been rung very often and never heard; once is enough.
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }

    /// Sleeps until something can be read.
    ///
    /// # Errors
    /// `TimedOut` when the time is over or [`Interrupter::interrupt`] was called.
    pub(super) fn wait(&self, tcp: &TcpStream, until: Instant) -> io::Result<()> {
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let left = Timespec::try_from(left).map_err(io::Error::other)?;
            let mut both = [
                PollFd::new(tcp, PollFlags::IN),
                PollFd::new(&*self.0, PollFlags::IN),
            ];
            match poll(&mut both, Some(&left)) {
                Err(rustix::io::Errno::INTR) => continue,
                other => other?,
            };
            let [tcp, bell] = both.map(|one| !one.revents().is_empty());
            if bell {
                let mut count = [0; 8];
                let _ = rustix::io::read(&self.0, &mut count);
            } else if tcp {
                return Ok(());
            }
            if bell || until <= Instant::now() {
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
    }
}
