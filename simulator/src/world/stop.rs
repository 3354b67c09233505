//! In charge of ending: one flag that every thread watches, and the sockets and waits it breaks.

use std::collections::BTreeMap;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A cloneable switch. Once stopped it stays stopped.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    state: Mutex<State>,
    stopped: Condvar,
}

#[derive(Debug, Default)]
struct State {
    stopped: bool,
    next_id: u64,
    sockets: BTreeMap<u64, TcpStream>,
    listeners: Vec<SocketAddr>,
}

/// Keeps a socket on the list; dropping it takes the socket off.
#[derive(Debug)]
pub struct Registered {
    stop: Stop,
    id: u64,
}

impl Stop {
    /// A switch that is not yet stopped.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether everything is to end.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.state().stopped
    }

    /// Stops: shuts every registered socket, wakes every accept and every wait.
    pub fn stop(&self) {
        let mut state = self.state();
        state.stopped = true;
        for socket in state.sockets.values() {
            // A socket already gone needs no shutting.
            let _gone = socket.shutdown(Shutdown::Both);
        }
        let listeners = std::mem::take(&mut state.listeners);
        drop(state);
        self.0.stopped.notify_all();
        for address in listeners {
            // Only the knock matters; the accept loop looks at the flag.
            let _knock = TcpStream::connect_timeout(&address, Duration::from_millis(200));
        }
    }

    /// Waits for the stop at most `timeout`; true when stopped.
    pub fn wait(&self, timeout: Duration) -> bool {
        let waited = self
            .0
            .stopped
            .wait_timeout_while(self.state(), timeout, |state| !state.stopped)
            .unwrap_or_else(PoisonError::into_inner);
        waited.0.stopped
    }

    /// Puts a connection on the list of sockets to shut. A connection that comes after the stop is
    /// shut at once.
    pub fn register(&self, socket: &TcpStream) -> std::io::Result<Registered> {
        let copy = socket.try_clone()?;
        let mut state = self.state();
        let id = state.next_id;
        state.next_id = id.wrapping_add(1);
        if state.stopped {
            copy.shutdown(Shutdown::Both)?;
        } else {
            state.sockets.insert(id, copy);
        }
        Ok(Registered {
            stop: self.clone(),
            id,
        })
    }

    /// Promises a knock on this listener at the stop, so that a blocking accept returns.
    pub fn watch(&self, listener: &TcpListener) -> std::io::Result<()> {
        let address = listener.local_addr()?;
        self.state().listeners.push(address);
        Ok(())
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.stop.state().sockets.remove(&self.id);
    }
}
