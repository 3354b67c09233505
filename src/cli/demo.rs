//! `mailhatch demo`: the whole appliance against the built-in pretend Microsoft 365.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use mailhatch_simulator::{Demo, Options, Simulator};

use super::{output, serve};
use crate::app;
use crate::clock::Clock;
use crate::config::{AppSettings, Config, EndpointOverrides, Environment};
use crate::model::Role;
use crate::password;
use crate::secret::random_token;
use crate::store::{self, agents};
use crate::work::Services;

const EMAIL: &str = "admin@harbourlights.example";
/// Good enough where only this machine can reach the pages.
const LOCAL_PASSWORD: &str = "harbour lights demo";

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Address and port to listen on
    #[arg(long, default_value = "127.0.0.1:8025")]
    listen: SocketAddr,
    /// Keep the data in this folder instead of throwing it away
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    serve::log_to_stderr("warn", false)?;
    let throw_away = match arguments.keep {
        Some(_) => None,
        None => Some(tempfile::tempdir().context("cannot make a temporary folder")?),
    };
    let folder = match (&arguments.keep, &throw_away) {
        (Some(folder), _) => folder.clone(),
        (None, Some(temporary)) => temporary.path().to_owned(),
        (None, None) => anyhow::bail!("there is no folder to keep the data in"),
    };
    output::say("Starting the pretend Microsoft 365…");
    let simulator = Simulator::start(Options {
        people: true,
        ..Options::default()
    })
    .context("the pretend Microsoft 365 cannot start")?;
    let url = format!("http://localhost:{}", arguments.listen.port());
    let demo = simulator.populate(&format!("{url}/microsoft/callback"));
    let config = config(arguments, &folder, &url, &simulator, &demo)?;
    let services = app::open(config, Clock::System)?;
    let password = admin(&services, arguments.listen)?;
    app::run(services, |app| {
        output::say(&welcome(&url, app.address, &password, &simulator, &demo));
    })
}

fn config(
    arguments: &Arguments,
    folder: &Path,
    url: &str,
    simulator: &Simulator,
    demo: &Demo,
) -> anyhow::Result<Config> {
    let environment = Environment::from([
        ("MAILHATCH_URL".to_owned(), url.to_owned()),
        ("MAILHATCH_LISTEN".to_owned(), arguments.listen.to_string()),
        (
            "MAILHATCH_DATA_DIR".to_owned(),
            folder.display().to_string(),
        ),
        ("MAILHATCH_BACKUP_CRON".to_owned(), String::new()),
    ]);
    let endpoints = simulator.endpoints();
    Ok(Config {
        key_file: folder.join("mailhatch.key"),
        extra_roots: Some(endpoints.ca_pem.clone().into_bytes()),
        app: AppSettings {
            client_id: Some(demo.client_id.clone()),
            secret: Some(demo.client_secret.clone()),
            certificate: None,
            tenant: None,
            cloud: None,
        },
        endpoints: EndpointOverrides {
            login_url: Some(endpoints.login_url.clone()),
            graph_url: Some(endpoints.graph_url.clone()),
            imap: Some(endpoints.imap.clone()),
            smtp: Some(endpoints.smtp.clone()),
            scope_prefix: Some(endpoints.scope_prefix.clone()),
        },
        ..Config::from_environment(&environment)?
    })
}

/// The administrator of the demonstration, and the password: a fixed one where only this machine can
/// reach the pages.
fn admin(services: &Services, listen: SocketAddr) -> anyhow::Result<String> {
    let password = if listen.ip().is_loopback() {
        LOCAL_PASSWORD.to_owned()
    } else {
        random_token().chars().take(20).collect()
    };
    let hash = password::hash(&password)
        .map_err(|error| anyhow::anyhow!("the password cannot be hashed: {error}"))?;
    let now = services.clock.now();
    services
        .store
        .write(|tx| match agents::find_by_email(tx, EMAIL)? {
            Some((agent, _)) => agents::update_password(tx, agent.id, &hash),
            None => agents::insert(tx, EMAIL, "Alex Admin", Role::Admin, &hash, now).map(|_| ()),
        })
        .map_err(|error: store::Error| error.into())
        .map(|()| password)
}

fn welcome(
    url: &str,
    address: SocketAddr,
    password: &str,
    simulator: &Simulator,
    demo: &Demo,
) -> String {
    let microsoft = &simulator.endpoints().login_url;
    let (orders, odd) = (&demo.orders_address, &demo.odd_address);
    let person = demo.staff_upns.first().map_or("", String::as_str);
    format!(
        "
Mailhatch is at {url} (listening on {address}).

  Sign in    {EMAIL}
  Password   {password}

What to try:
  1. Mailboxes, Add a mailbox, Microsoft: choose Harbour Lights Support at the pretend Microsoft and accept.
     Choose what mail to take; conversations appear within seconds.
  2. Answer one, with a file. The customer writes back, and the page shows it by itself.
  3. Connect the shared mailbox {orders} as {person}.
  4. Write as a customer, see what customers received: {microsoft}
     Mail to answers@, bounce@, delay@, away@, refuse@ or busy@ at any outside domain behaves as its name says.
  5. Connect {odd}: fifty messages of the kind that programs break on.

Nothing leaves this machine. Stop with Ctrl+C."
    )
}
