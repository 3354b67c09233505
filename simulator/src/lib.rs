//! A pretend Microsoft 365 for demonstrations and tests: Entra sign-in and tokens, Exchange
//! Online's IMAP and SMTP submission, Graph sendMail, and correspondents who answer.
//!
//! It is written against the protocols and Exchange's recorded behaviour and knows nothing of the
//! program it serves. Reading order: [`world`] (who has which mailbox, what is in it), [`entra`]
//! (sign-in, consent, tokens), [`imap`], [`smtp`], [`graph`], [`people`] (correspondents),
//! [`faults`] (what goes wrong on demand), `server` (the web server in front of Entra and Graph).

pub mod clock;
mod demo;
pub mod entra;
pub mod faults;
pub mod graph;
mod home;
mod http;
pub mod imap;
pub mod people;
mod server;
pub mod smtp;
mod tls;
pub mod world;

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use clock::Clock;
pub use demo::Demo;
use entra::Entra;
use faults::Faults;
use people::People;
use server::{Server, Services};
use world::{Stop, World};

/// How to start.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the time comes from.
    pub clock: Clock,
    /// Port of Entra and Graph on the loopback address; 0 for any free one.
    pub http_port: u16,
    /// Port of IMAP; 0 for any free one.
    pub imap_port: u16,
    /// Port of SMTP submission; 0 for any free one.
    pub smtp_port: u16,
    /// Whether customers write and answer once [`Simulator::populate`] has made the mailboxes.
    pub people: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            clock: Clock::system(),
            http_port: 0,
            imap_port: 0,
            smtp_port: 0,
            people: false,
        }
    }
}

/// Where the running simulator is reached.
#[derive(Debug, Clone)]
pub struct Endpoints {
    /// In place of `https://login.microsoftonline.com`.
    pub login_url: String,
    /// In place of `https://graph.microsoft.com`.
    pub graph_url: String,
    /// Host and port, TLS from the first byte.
    pub imap: String,
    /// Host and port, STARTTLS.
    pub smtp: String,
    /// What mail scopes start with.
    pub scope_prefix: String,
    /// The root that signed the certificate of IMAP and SMTP, PEM.
    pub ca_pem: String,
}

/// How both mail servers are started.
type ServeMail = fn(
    Arc<World>,
    Arc<Entra>,
    Arc<Faults>,
    TcpListener,
    Arc<rustls::ServerConfig>,
    Stop,
) -> JoinHandle<()>;

/// A running pretend Microsoft 365. Dropping it stops every thread and frees the ports.
pub struct Simulator {
    endpoints: Endpoints,
    services: Services,
    stop: Stop,
    server: Option<Server>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    people: bool,
}

impl Simulator {
    /// Binds the ports and starts everything, empty of people; see [`Simulator::populate`].
    ///
    /// # Errors
    /// When a port is taken or a thread cannot be made.
    pub fn start(options: Options) -> io::Result<Self> {
        let bind = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
        let (http, imap, smtp) = (
            bind(options.http_port)?,
            bind(options.imap_port)?,
            bind(options.smtp_port)?,
        );
        let tls = tls::create()?;
        let login_url = format!("http://localhost:{}", http.local_addr()?.port());
        let endpoints = Endpoints {
            graph_url: format!("{login_url}/graph"),
            login_url,
            imap: format!("localhost:{}", imap.local_addr()?.port()),
            smtp: format!("localhost:{}", smtp.local_addr()?.port()),
            scope_prefix: "https://outlook.office.com/".to_owned(),
            ca_pem: tls.ca_pem,
        };
        let faults = Arc::new(Faults::default());
        let world = World::new(options.clock.clone());
        let entra = Entra::new(Arc::clone(&world), Arc::clone(&faults), options.clock);
        entra.set_login_url(&endpoints.login_url);
        let services = Services {
            world,
            entra,
            faults,
        };
        let stop = Stop::new();
        let server = Server::start(services.clone(), http, stop.clone())?;
        let mail = |serve: ServeMail, listener: TcpListener| {
            let (world, entra) = (Arc::clone(&services.world), Arc::clone(&services.entra));
            let faults = Arc::clone(&services.faults);
            serve(
                world,
                entra,
                faults,
                listener,
                Arc::clone(&tls.config),
                stop.clone(),
            )
        };
        let threads = vec![mail(imap::serve, imap), mail(smtp::serve, smtp)];
        Ok(Self {
            endpoints,
            services,
            stop,
            server: Some(server),
            threads: Mutex::new(threads),
            people: options.people,
        })
    }

    /// Where it is reached.
    #[must_use]
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// The mailboxes and their owners.
    #[must_use]
    pub fn world(&self) -> &Arc<World> {
        &self.services.world
    }

    /// Applications, sign-ins and tokens.
    #[must_use]
    pub fn entra(&self) -> &Arc<Entra> {
        &self.services.entra
    }

    /// What goes wrong on demand.
    #[must_use]
    pub fn faults(&self) -> &Arc<Faults> {
        &self.services.faults
    }

    /// Makes a tenant with people and mailboxes, and an application registered with
    /// `redirect_uri`. With [`Options::people`] there is mail in the support mailbox, customers
    /// write to it and answer; without, all mailboxes are empty and quiet.
    pub fn populate(&self, redirect_uri: &str) -> Demo {
        let demo = demo::populate(&self.services, redirect_uri);
        if self.people {
            people::seed(&self.services.world, &demo.support_address);
            people::seed_odd(&self.services.world, &demo.odd_address);
            let options = people::Options {
                answer_all: true,
                writes_to: Some(demo.support_address.clone()),
                ..people::Options::default()
            };
            let world = Arc::clone(&self.services.world);
            let thread = People::start(world, self.stop.clone(), options);
            let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
            threads.push(thread);
        }
        demo
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.stop.stop();
        self.server.take();
        let threads = self
            .threads
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        for thread in threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the simulator panicked");
            }
        }
    }
}
