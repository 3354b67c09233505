//! A line that can be spoiled: a TCP proxy between the program and a server. TLS passes through it
//! untouched. What it does to the line is a [`Plan`], which may be changed at any time and then holds
//! for open connections too.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::ports::Port;

/// How often a thread that waits for bytes looks whether its line was cut.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// A direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// What the program says.
    ToServer,
    /// What the server says.
    ToClient,
}

/// How a line ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// In order, as if the other side had closed it (FIN).
    Close,
    /// By a reset (RST).
    Reset,
    /// Not at all: nothing more passes in either direction and nobody is told (half-open).
    Stall,
}

/// What happens to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Accept {
    /// It is made.
    Pass,
    /// Nobody listens.
    Refuse,
    /// It is accepted and then nothing is said, ever.
    Silence,
    /// It is accepted and reset at once.
    Reset,
}

/// What is done to the line. The counts begin when the plan is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Plan {
    accept: Accept,
    /// After so many bytes of a connection in this direction it ends so.
    cut: Option<(Way, u64, End)>,
    /// No more than so many bytes a second in this direction.
    throttle: Option<(Way, u64)>,
    /// Each piece waits so long, in both directions.
    delay: Duration,
}

impl Plan {
    /// A good line.
    pub(crate) const PASS: Self = Self {
        accept: Accept::Pass,
        cut: None,
        throttle: None,
        delay: Duration::ZERO,
    };
    /// Nobody listens.
    pub(crate) const REFUSE: Self = Self {
        accept: Accept::Refuse,
        ..Self::PASS
    };
    /// New connections are accepted and then hear nothing.
    pub(crate) const SILENCE: Self = Self {
        accept: Accept::Silence,
        ..Self::PASS
    };
    /// New connections are reset at once.
    pub(crate) const RESET: Self = Self {
        accept: Accept::Reset,
        ..Self::PASS
    };

    /// Each connection ends after `bytes` more in one direction.
    pub(crate) const fn cut(way: Way, bytes: u64, end: End) -> Self {
        Self {
            cut: Some((way, bytes, end)),
            ..Self::PASS
        }
    }

    /// A slow line.
    pub(crate) const fn throttle(way: Way, bytes_per_second: u64) -> Self {
        Self {
            throttle: Some((way, bytes_per_second)),
            ..Self::PASS
        }
    }

    /// A long line.
    pub(crate) const fn delay(delay: Duration) -> Self {
        Self {
            delay,
            ..Self::PASS
        }
    }
}

#[derive(Debug)]
struct State {
    plan: Plan,
    /// Counts the plans.
    epoch: u64,
    ended: bool,
    lines: Vec<Weak<Line>>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    connections: AtomicU64,
    passed: [AtomicU64; 2],
}

/// One connection: both sockets, and whether it is over.
#[derive(Debug)]
struct Line {
    client: TcpStream,
    server: TcpStream,
    over: AtomicBool,
    /// The plan, counted from one, under which nothing passes any more.
    stalled_in: AtomicU64,
}

/// The proxy. Dropping it ends its threads and all connections.
#[derive(Debug)]
pub(crate) struct Proxy {
    port: Port,
    server: u16,
    shared: Arc<Shared>,
    listening: Mutex<Option<JoinHandle<Vec<JoinHandle<()>>>>>,
    pumps: Mutex<Vec<JoinHandle<()>>>,
}

impl Proxy {
    /// Stands before the server at this port on loopback.
    pub(crate) fn before(server: u16) -> Self {
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                plan: Plan::PASS,
                epoch: 0,
                ended: false,
                lines: Vec::new(),
            }),
            changed: Condvar::new(),
            connections: AtomicU64::new(0),
            passed: [AtomicU64::new(0), AtomicU64::new(0)],
        });
        let proxy = Self {
            port: Port::claim().unwrap(),
            server,
            shared,
            listening: Mutex::new(None),
            pumps: Mutex::default(),
        };
        proxy.listen();
        proxy
    }

    /// Where it is reached, as a setting.
    pub(crate) fn address(&self) -> String {
        format!("localhost:{}", self.port.number())
    }

    /// Does this to the line from now on.
    pub(crate) fn set(&self, plan: Plan) {
        let mut state = self.shared.lock();
        let was = std::mem::replace(&mut state.plan, plan);
        state.epoch += 1;
        drop(state);
        self.shared.changed.notify_all();
        match (was.accept == Accept::Refuse, plan.accept == Accept::Refuse) {
            (false, true) => self.hang_up(),
            (true, false) => self.listen(),
            _ => {}
        }
    }

    /// Ends all open connections; new ones are made as the plan has it.
    pub(crate) fn end_all(&self, end: End) {
        let lines = std::mem::take(&mut self.shared.lock().lines);
        for line in lines.iter().filter_map(Weak::upgrade) {
            line.end(end);
        }
    }

    /// Connections made so far.
    pub(crate) fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Bytes passed so far in one direction, all connections together.
    pub(crate) fn passed(&self, way: Way) -> u64 {
        self.shared.passed[way as usize].load(Ordering::SeqCst)
    }

    fn listen(&self) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, self.port.number())).unwrap();
        let (shared, server) = (Arc::clone(&self.shared), self.server);
        let thread = std::thread::spawn(move || accept(&listener, &shared, server));
        *self.listening.lock().unwrap() = Some(thread);
    }

    /// Stops listening; the accepting thread wakes up to see it.
    fn hang_up(&self) {
        let Some(thread) = self.listening.lock().unwrap().take() else {
            return;
        };
        let _ = call(self.port.number());
        self.pumps.lock().unwrap().extend(thread.join().unwrap());
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.lock().ended = true;
        self.shared.changed.notify_all();
        self.end_all(End::Close);
        self.hang_up();
        for pump in std::mem::take(&mut *self.pumps.lock().unwrap()) {
            let _ = pump.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the time is up, the plan is another, or all ends.
    fn wait(&self, epoch: u64, time: Duration) {
        let _state = self.changed.wait_timeout_while(self.lock(), time, |state| {
            state.epoch == epoch && !state.ended
        });
    }
}

impl Line {
    fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    fn end(&self, end: End) {
        if end == End::Reset {
            // With nothing to linger for, closing resets (socket(7), SO_LINGER).
            let _ = socket2::SockRef::from(&self.client).set_linger(Some(Duration::ZERO));
        } else {
            let _ = self.client.shutdown(Shutdown::Both);
        }
        let _ = self.server.shutdown(Shutdown::Both);
        self.over.store(true, Ordering::SeqCst);
    }
}

fn call(port: u16) -> std::io::Result<TcpStream> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpStream::connect_timeout(&address, Duration::from_secs(5))
}

/// Accepts until it is to stop; returns the threads of the connections.
fn accept(listener: &TcpListener, shared: &Arc<Shared>, server: u16) -> Vec<JoinHandle<()>> {
    let mut pumps = Vec::new();
    loop {
        let client = listener.accept().unwrap().0;
        let (accept, ended) = {
            let state = shared.lock();
            (state.plan.accept, state.ended)
        };
        if ended || accept == Accept::Refuse {
            return pumps;
        }
        shared.connections.fetch_add(1, Ordering::SeqCst);
        let Ok(upstream) = call(server) else {
            continue;
        };
        let line = Arc::new(Line {
            client,
            server: upstream,
            over: AtomicBool::new(false),
            stalled_in: AtomicU64::new(0),
        });
        for socket in [&line.client, &line.server] {
            socket.set_nodelay(true).unwrap();
            socket.set_read_timeout(Some(LOOK_EVERY)).unwrap();
        }
        if accept == Accept::Reset {
            // The caller shall see its call answered first.
            let _ = (&line.client).read(&mut [0]);
            line.end(End::Reset);
            continue;
        }
        let mut state = shared.lock();
        state.lines.retain(|line| line.strong_count() > 0);
        state.lines.push(Arc::downgrade(&line));
        drop(state);
        for way in [Way::ToServer, Way::ToClient] {
            let (shared, line) = (Arc::clone(shared), Arc::clone(&line));
            pumps.push(std::thread::spawn(move || pump(&shared, &line, way)));
        }
    }
}

/// Carries one direction of a connection to its end.
fn pump(shared: &Shared, line: &Line, way: Way) {
    let (mut from, mut to) = match way {
        Way::ToServer => (&line.client, &line.server),
        Way::ToClient => (&line.server, &line.client),
    };
    let mut buffer = [0_u8; 16 * 1024];
    let mut count = Count::default();
    while !line.is_over() {
        let read = match from.read(&mut buffer) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                continue;
            }
            Ok(0) | Err(_) => {
                // A half-open line tells nobody that the other side has gone.
                if gate(shared, line, way, &mut count) != Gate::Shut {
                    line.end(End::Close);
                }
                return;
            }
            Ok(read) => read,
        };
        let mut rest = &buffer[..read];
        while !rest.is_empty() && !line.is_over() {
            let most = match gate(shared, line, way, &mut count) {
                Gate::Open(most) => slowed(shared, way, most),
                Gate::Shut => {
                    shared.wait(count.epoch, Duration::from_secs(60));
                    continue;
                }
                Gate::Ended => return,
            };
            let (now, later) = rest.split_at(most.min(rest.len()));
            if to.write_all(now).is_err() {
                line.end(End::Close);
                return;
            }
            count.bytes += now.len() as u64;
            shared.passed[way as usize].fetch_add(now.len() as u64, Ordering::SeqCst);
            rest = later;
        }
        // A cut strikes as soon as the last byte before it has passed.
        let _ = gate(shared, line, way, &mut count);
    }
}

/// Bytes passed in one direction of a connection since a plan was set.
#[derive(Debug, Default)]
struct Count {
    epoch: u64,
    bytes: u64,
}

/// What a connection may do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gate {
    /// Pass at most so many bytes.
    Open(usize),
    /// Wait for another plan.
    Shut,
    /// Nothing; it is over.
    Ended,
}

fn gate(shared: &Shared, line: &Line, way: Way, count: &mut Count) -> Gate {
    let state = shared.lock();
    if state.ended {
        line.end(End::Close);
        return Gate::Ended;
    }
    if count.epoch != state.epoch {
        *count = Count {
            epoch: state.epoch,
            bytes: 0,
        };
    }
    if state.plan.accept == Accept::Silence
        || line.stalled_in.load(Ordering::SeqCst) == state.epoch + 1
    {
        return Gate::Shut;
    }
    let Some((_, bytes, end)) = state.plan.cut.filter(|cut| cut.0 == way) else {
        return Gate::Open(usize::MAX);
    };
    match (bytes.saturating_sub(count.bytes), end) {
        (0, End::Stall) => {
            line.stalled_in.store(state.epoch + 1, Ordering::SeqCst);
            Gate::Shut
        }
        (0, end) => {
            line.end(end);
            Gate::Ended
        }
        (left, _) => Gate::Open(usize::try_from(left).unwrap()),
    }
}

/// Waits as a slow or long line does; says how much passes then.
fn slowed(shared: &Shared, way: Way, most: usize) -> usize {
    let (plan, epoch) = {
        let state = shared.lock();
        (state.plan, state.epoch)
    };
    if !plan.delay.is_zero() {
        shared.wait(epoch, plan.delay);
    }
    let Some((_, per_second)) = plan.throttle.filter(|slow| slow.0 == way) else {
        return most;
    };
    let began = Instant::now();
    shared.wait(epoch, Duration::from_millis(50));
    let share = u128::from(per_second) * began.elapsed().as_millis() / 1000;
    most.min(usize::try_from(share.max(1)).unwrap())
}
