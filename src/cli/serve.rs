//! `mailhatch serve`: runs the appliance.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use super::output;
use crate::app;
use crate::clock::Clock;
use crate::config::Config;

pub(super) fn run() -> anyhow::Result<()> {
    let config = Config::from_process()?;
    log_to_stderr(&config.log, config.log_json)?;
    let url = config.url.clone();
    let services = app::open(config, Clock::System)?;
    app::run(services, |app| {
        tracing::info!(listen = %app.address, version = env!("CARGO_PKG_VERSION"), "listening");
        output::say(&format!(
            "Mailhatch listens on http://{} and is reached at {url}",
            app.address
        ));
    })
}

/// Sends log lines to standard error, where journald or a terminal takes them.
pub(super) fn log_to_stderr(filter: &str, json: bool) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        anyhow::anyhow!("MAILHATCH_LOG cannot be used: it must be a level or a filter such as info,mailhatch=debug ({error})")
    })?;
    let lines = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if json {
        lines.json().init();
    } else {
        lines.with_target(false).init();
    }
    Ok(())
}
