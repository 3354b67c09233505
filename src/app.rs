//! The composition root: open the store, start the loops, serve, and stop in order.

use std::fs::{File, TryLockError};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actix_web::rt::signal::unix::{Signal, SignalKind, signal};
use actix_web::web::Data;
use anyhow::Context as _;

use crate::clock::Clock;
use crate::config::Config;
use crate::http::{self, Http};
use crate::net::Trust;
use crate::oauth::KeyCache;
use crate::secret::Sealer;
use crate::store::{self, Store, settings};
use crate::tls;
use crate::web;
use crate::work::{Running, Services, Work};

/// How often systemd is told that we are well; its limit is 60 s.
const WATCHDOG_EVERY: Duration = Duration::from_secs(20);

/// Opens the database and puts together what every part needs; starts nothing.
///
/// # Errors
/// When the data folder, the key or the database cannot be used; the text says what to do.
pub fn open(config: Config, clock: Clock) -> anyhow::Result<Arc<Services>> {
    let folder = &config.data_dir;
    std::fs::create_dir_all(folder).with_context(|| {
        format!(
            "the data folder {} cannot be made; check the path (MAILHATCH_DATA_DIR) and who may write there",
            folder.display()
        )
    })?;
    let database = config.database();
    let is_new = !database.exists();
    let sealer = sealer(&config, is_new)?;
    let store = Store::open(&database)
        .with_context(|| format!("the database {} cannot be opened", database.display()))?;
    store
        .write(|tx| settings::check_key(tx, &sealer, clock.now()))
        .map_err(|error| wrong_key(error, &config))?;
    give_to_owner_of(folder, &database)?;
    let deadlines = http::Deadlines {
        connect: config.patience.connect,
        whole: config.patience.request,
    };
    let http = Http::within(config.extra_roots.as_deref(), deadlines)?;
    let trust = Trust::new(config.extra_roots.as_deref())?;
    Ok(Arc::new(Services {
        store: Arc::new(store),
        sealer,
        clock,
        config: Arc::new(config),
        http,
        trust,
        keys: KeyCache::default(),
        work: Work::default(),
    }))
}

/// The sealing key: given, or from its file; the file is made only for a new database.
fn sealer(config: &Config, is_new: bool) -> anyhow::Result<Sealer> {
    let sealer = match &config.secret_key {
        Some(key) => Sealer::from_base64(&key.0, "in MAILHATCH_SECRET_KEY"),
        None => Sealer::from_file(&config.key_file, is_new),
    };
    sealer.with_context(|| {
        if is_new {
            "the sealing key cannot be used".to_owned()
        } else {
            format!(
                "the sealing key of the existing database {} cannot be used; put its key file back (it is not in the database's backup on purpose)",
                config.database().display()
            )
        }
    })
}

fn wrong_key(error: store::Error, config: &Config) -> anyhow::Error {
    let is_key = matches!(error, store::Error::Secret(_));
    let error = anyhow::Error::new(error);
    if !is_key {
        return error;
    }
    error.context(format!(
        "the sealing key does not belong to the database {}; put back the key it was begun with ({}), or restore the backup that goes with this key",
        config.database().display(),
        config.key_file.display()
    ))
}

/// A command run as root must not leave files that the service's user cannot write.
///
/// # Errors
/// When the owner cannot be set.
pub fn give_to_owner_of(folder: &Path, file: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, chown};
    let owner = std::fs::metadata(folder)?;
    let with = |suffix: &str| {
        let mut name = file.as_os_str().to_owned();
        name.push(suffix);
        std::path::PathBuf::from(name)
    };
    for path in [file.to_owned(), with("-wal"), with("-shm")] {
        let Ok(found) = std::fs::metadata(&path) else {
            continue;
        };
        if found.uid() != owner.uid() {
            chown(&path, Some(owner.uid()), Some(owner.gid()))
                .with_context(|| format!("cannot give {} to the service's user", path.display()))?;
        }
    }
    Ok(())
}

/// The whole program, running.
#[derive(Debug)]
pub struct App {
    /// What every part needs.
    pub services: Arc<Services>,
    /// Where it listens.
    pub address: SocketAddr,
    server: actix_web::dev::ServerHandle,
    pages: Data<web::Context>,
    loops: Option<Running>,
    /// Held as long as the program runs; the system frees it however it ends.
    _lock: File,
}

/// Makes sure that no other program serves this data while the returned file is held: the loops of one would
/// take what those of the other are just sending for something left behind.
///
/// # Errors
/// When another program serves it, or the lock's file cannot be used.
pub fn lock(folder: &Path) -> anyhow::Result<File> {
    let path = folder.join("mailhatch.lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .with_context(|| format!("cannot open {}; check who may write there", path.display()))?;
    give_to_owner_of(folder, &path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => anyhow::bail!(
            "another Mailhatch already serves the data in {}; stop it first, or give this one a folder of its own (MAILHATCH_DATA_DIR)",
            folder.display()
        ),
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("{} cannot be locked", path.display()))
        }
    }
}

impl App {
    /// Binds, starts the loops and begins to serve; must be called inside an actix runtime. The second
    /// value runs the pages when awaited.
    ///
    /// # Errors
    /// When the address is taken, the certificate cannot be used, or the store cannot be written to.
    pub fn start(services: Arc<Services>) -> anyhow::Result<(Self, actix_web::dev::Server)> {
        let held = lock(&services.config.data_dir)?;
        let listen = services.config.listen;
        let listener = TcpListener::bind(listen).with_context(|| {
            format!(
                "cannot listen on {listen}; see what else uses the port, or set MAILHATCH_LISTEN"
            )
        })?;
        let address = listener.local_addr()?;
        let tls = services.config.tls.as_ref();
        let tls = tls
            .map(|(cert, key)| tls::server_config(cert, key))
            .transpose()?;
        let pages = Data::new(web::Context::new(Arc::clone(&services)));
        let serving = web::server(pages.clone(), listener, tls)?;
        let loops = Some(Running::start(&services)?);
        let server = serving.handle();
        Ok((
            Self {
                services,
                address,
                server,
                pages,
                loops,
                _lock: held,
            },
            serving,
        ))
    }

    /// Stops in order: no new requests, loops, then the log is folded into the database file.
    ///
    /// # Errors
    /// When the database cannot be written to at the end.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.pages.streams.stop();
        self.server.stop(true).await;
        let loops = self.loops.take();
        // Joining threads may take until a message has been handed over.
        actix_web::web::block(move || loops.map(Running::stop)).await?;
        self.services.store.checkpoint()?;
        Ok(())
    }
}

/// Serves until SIGTERM or SIGINT. `ready` is called once it listens.
///
/// # Errors
/// When it cannot start, or not stop in order.
pub fn run(services: Arc<Services>, ready: impl FnOnce(&App)) -> anyhow::Result<()> {
    actix_web::rt::System::new().block_on(async move {
        // Before anything begins, so that whoever hears "ready" may also say "stop".
        let mut signals = Signals::listen()?;
        let (app, serving) = App::start(services)?;
        let serving = actix_web::rt::spawn(serving);
        ready(&app);
        tell_systemd(&[sd_notify::NotifyState::Ready]);
        let watchdog = actix_web::rt::spawn(pat_the_dog(Arc::clone(&app.services)));
        signals.wait().await;
        tracing::info!("stopping");
        tell_systemd(&[sd_notify::NotifyState::Stopping]);
        watchdog.abort();
        app.stop().await?;
        serving.await??;
        tracing::info!("stopped");
        Ok(())
    })
}

/// The signals that ask the program to stop.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// From now on they no longer end the process at once.
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn wait(&mut self) {
        let terminated = self.terminate.recv();
        let interrupted = self.interrupt.recv();
        futures_util::pin_mut!(terminated, interrupted);
        futures_util::future::select(terminated, interrupted).await;
    }
}

/// Tells systemd that we are well, as long as the store answers.
async fn pat_the_dog(services: Arc<Services>) {
    loop {
        tokio::time::sleep(WATCHDOG_EVERY).await;
        let store = Arc::clone(&services.store);
        let answers = actix_web::web::block(move || store.read(store::agents::count)).await;
        if matches!(answers, Ok(Ok(_))) {
            tell_systemd(&[sd_notify::NotifyState::Watchdog]);
        }
    }
}

fn tell_systemd(state: &[sd_notify::NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "systemd was not told");
    }
}
