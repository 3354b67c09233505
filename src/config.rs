//! The environment as a [`Config`]: every setting once, one clear sentence per mistake.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::time::Duration;

use url::Url;

/// Every setting there is; any other `MAILHATCH_` name is a mistake.
const KNOWN: &[&str] = &[
    "AZURE_APP_ID",
    "AZURE_APP_SECRET",
    "AZURE_APP_CERTIFICATE",
    "AZURE_TENANT_ID",
    "AZURE_CLOUD",
    "MAILHATCH_URL",
    "MAILHATCH_LISTEN",
    "MAILHATCH_DATA_DIR",
    "MAILHATCH_SECRET_KEY",
    "MAILHATCH_TLS_CERT",
    "MAILHATCH_TLS_KEY",
    "MAILHATCH_TRUSTED_PROXIES",
    "MAILHATCH_LOG",
    "MAILHATCH_LOG_FORMAT",
    "MAILHATCH_BACKUP_CRON",
    "MAILHATCH_BACKUP_KEEP",
    "MAILHATCH_CA_FILE",
    "MAILHATCH_METRICS_TOKEN",
    "MAILHATCH_MICROSOFT_LOGIN_URL",
    "MAILHATCH_MICROSOFT_GRAPH_URL",
    "MAILHATCH_MICROSOFT_IMAP",
    "MAILHATCH_MICROSOFT_SMTP",
    "MAILHATCH_MICROSOFT_SCOPE_PREFIX",
];

/// A setting that cannot be used; the text says which, why and what to write instead.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

/// The Entra app as the environment gives it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct AppSettings {
    /// `AZURE_APP_ID`.
    pub client_id: Option<String>,
    /// `AZURE_APP_SECRET`.
    pub secret: Option<String>,
    /// `AZURE_APP_CERTIFICATE`: PEM of certificate and key.
    pub certificate: Option<String>,
    /// `AZURE_TENANT_ID`.
    pub tenant: Option<String>,
    /// `AZURE_CLOUD`.
    pub cloud: Option<String>,
}

impl std::fmt::Debug for AppSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AppSettings")
            .field("client_id", &self.client_id)
            .field("tenant", &self.tenant)
            .field("cloud", &self.cloud)
            .finish_non_exhaustive()
    }
}

/// Overrides of single endpoints of the cloud preset.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EndpointOverrides {
    /// `MAILHATCH_MICROSOFT_LOGIN_URL`.
    pub login_url: Option<String>,
    /// `MAILHATCH_MICROSOFT_GRAPH_URL`.
    pub graph_url: Option<String>,
    /// `MAILHATCH_MICROSOFT_IMAP`, `host:port`.
    pub imap: Option<String>,
    /// `MAILHATCH_MICROSOFT_SMTP`, `host:port`.
    pub smtp: Option<String>,
    /// `MAILHATCH_MICROSOFT_SCOPE_PREFIX`.
    pub scope_prefix: Option<String>,
}

/// All settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// Public address, without a trailing slash.
    pub url: Url,
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// Holds `mailhatch.db`.
    pub data_dir: PathBuf,
    /// The sealing key itself, when it is given.
    pub secret_key: Option<SecretText>,
    /// Where the sealing key's file is otherwise.
    pub key_file: PathBuf,
    /// Serve HTTPS with this certificate and key.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Whose forwarded headers are believed.
    pub trusted_proxies: Vec<Network>,
    /// Log filter.
    pub log: String,
    /// Log lines as JSON rather than text.
    pub log_json: bool,
    /// When backups are made: cron text, or empty for never.
    pub backup_cron: String,
    /// How many backups are kept.
    pub backup_keep: usize,
    /// Extra trusted roots, PEM.
    pub extra_roots: Option<Vec<u8>>,
    /// Lets `/metrics` and the addresses in `/readyz` be read from elsewhere than loopback.
    pub metrics_token: Option<SecretText>,
    /// The Entra app.
    pub app: AppSettings,
    /// Single endpoints.
    pub endpoints: EndpointOverrides,
    /// How long other machines are waited for.
    pub patience: Patience,
    /// Messages a mailbox may send in a minute, when not what its provider allows. There is no setting for it;
    /// benchmarks lift the limit.
    pub messages_per_minute: Option<u32>,
}

/// How long other machines are waited for. There is no setting for it; tests are less patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Finding a name, connecting and shaking hands, each.
    pub connect: Duration,
    /// The next bytes of an answer, or the other side taking the next of ours.
    pub answer: Duration,
    /// SMTP's answer to a whole message. RFC 5321 §4.5.3.2.6 asks for 10 minutes: who waits less
    /// sends twice.
    pub verdict: Duration,
    /// A whole HTTP request.
    pub request: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            answer: Duration::from_secs(60),
            verdict: Duration::from_secs(600),
            request: Duration::from_secs(30),
        }
    }
}

/// Text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(pub String);

impl std::fmt::Debug for SecretText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(secret)")
    }
}

/// An address or a network in CIDR form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// Reads `10.0.0.0/8`, `::1` and the like.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (IpAddr::from_str(address).ok()?, prefix.parse().ok()?),
            None => {
                let address = IpAddr::from_str(text).ok()?;
                (address, if address.is_ipv4() { 32 } else { 128 })
            }
        };
        let widest = if address.is_ipv4() { 32 } else { 128 };
        (prefix <= widest).then_some(Self { address, prefix })
    }

    /// Whether an address lies in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let bits = |address: IpAddr| match address {
            IpAddr::V4(v4) => u128::from(v4.to_bits()) << 96,
            IpAddr::V6(v6) => v6.to_bits(),
        };
        let address = address.to_canonical();
        if address.is_ipv4() != self.address.is_ipv4() {
            return false;
        }
        let shift = 128 - u32::from(self.prefix);
        bits(address).checked_shr(shift).unwrap_or(0)
            == bits(self.address).checked_shr(shift).unwrap_or(0)
    }
}

/// The environment as pairs.
pub type Environment = BTreeMap<String, String>;

/// When backups are made: each night unless it says otherwise; here, unlike elsewhere, empty says
/// something: never.
fn backup_cron(environment: &Environment) -> Result<String, ConfigError> {
    const NAME: &str = "MAILHATCH_BACKUP_CRON";
    let is_empty = environment
        .get(NAME)
        .is_some_and(|text| text.trim().is_empty());
    let set = value(environment, NAME)?;
    let nightly = if is_empty { "" } else { "0 0 3 * * *" };
    Ok(set.unwrap_or_else(|| nightly.to_owned()))
}

impl Config {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// The first setting that cannot be used, in words.
    pub fn from_process() -> Result<Self, ConfigError> {
        Self::from_environment(&std::env::vars().collect())
    }

    /// Reads these settings.
    ///
    /// # Errors
    /// The first setting that cannot be used, in words.
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        refuse_unknown(environment)?;
        let get = |name: &str| value(environment, name);
        let root = is_root();
        let data_dir = get("MAILHATCH_DATA_DIR")?.map_or_else(
            || PathBuf::from(if root { "/var/lib/mailhatch" } else { "./data" }),
            PathBuf::from,
        );
        let key_file = if root || Path::new("/etc/mailhatch").is_dir() {
            PathBuf::from("/etc/mailhatch/mailhatch.key")
        } else {
            config_dir(environment).join("mailhatch.key")
        };
        let tls = match (get("MAILHATCH_TLS_CERT")?, get("MAILHATCH_TLS_KEY")?) {
            (Some(cert), Some(key)) => Some((PathBuf::from(cert), PathBuf::from(key))),
            (None, None) => None,
            _ => {
                return Err(mistake(
                    "MAILHATCH_TLS_CERT",
                    "set together with MAILHATCH_TLS_KEY, or neither",
                ));
            }
        };
        let config = Self {
            url: parse_url(get("MAILHATCH_URL")?.as_deref())?,
            listen: parse_listen(get("MAILHATCH_LISTEN")?.as_deref())?,
            data_dir,
            secret_key: get("MAILHATCH_SECRET_KEY")?.map(SecretText),
            key_file,
            tls,
            trusted_proxies: parse_networks(get("MAILHATCH_TRUSTED_PROXIES")?.as_deref())?,
            log: get("MAILHATCH_LOG")?.unwrap_or_else(|| "info".to_owned()),
            log_json: parse_format(get("MAILHATCH_LOG_FORMAT")?.as_deref())?,
            backup_cron: backup_cron(environment)?,
            backup_keep: parse_keep(get("MAILHATCH_BACKUP_KEEP")?.as_deref())?,
            extra_roots: parse_roots(get("MAILHATCH_CA_FILE")?.as_deref())?,
            metrics_token: get("MAILHATCH_METRICS_TOKEN")?.map(SecretText),
            app: AppSettings {
                client_id: get("AZURE_APP_ID")?,
                secret: get("AZURE_APP_SECRET")?,
                certificate: get("AZURE_APP_CERTIFICATE")?,
                tenant: get("AZURE_TENANT_ID")?,
                cloud: get("AZURE_CLOUD")?,
            },
            endpoints: EndpointOverrides {
                login_url: get("MAILHATCH_MICROSOFT_LOGIN_URL")?,
                graph_url: get("MAILHATCH_MICROSOFT_GRAPH_URL")?,
                imap: get("MAILHATCH_MICROSOFT_IMAP")?,
                smtp: get("MAILHATCH_MICROSOFT_SMTP")?,
                scope_prefix: get("MAILHATCH_MICROSOFT_SCOPE_PREFIX")?,
            },
            patience: Patience::default(),
            messages_per_minute: None,
        };
        config.check_cross()?;
        Ok(config)
    }

    fn check_cross(&self) -> Result<(), ConfigError> {
        if !self.backup_cron.is_empty() && cron::Schedule::from_str(&self.backup_cron).is_err() {
            return Err(mistake(
                "MAILHATCH_BACKUP_CRON",
                "six fields, seconds first, such as `0 0 3 * * *` for three o'clock each night, or empty for never",
            ));
        }
        for (name, text) in [
            ("MAILHATCH_MICROSOFT_IMAP", &self.endpoints.imap),
            ("MAILHATCH_MICROSOFT_SMTP", &self.endpoints.smtp),
        ] {
            let good = text.as_deref().is_none_or(|text| {
                text.rsplit_once(':')
                    .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
            });
            if !good {
                return Err(mistake(name, "`host:port`"));
            }
        }
        for (name, text) in [
            ("MAILHATCH_MICROSOFT_LOGIN_URL", &self.endpoints.login_url),
            ("MAILHATCH_MICROSOFT_GRAPH_URL", &self.endpoints.graph_url),
            (
                "MAILHATCH_MICROSOFT_SCOPE_PREFIX",
                &self.endpoints.scope_prefix,
            ),
        ] {
            if text
                .as_deref()
                .is_some_and(|text| Url::parse(text).is_err())
            {
                return Err(mistake(
                    name,
                    "an absolute address such as https://login.example.com",
                ));
            }
        }
        let cloud = self.app.cloud.as_deref().unwrap_or("global");
        if !["global", "usgov", "usgov-dod", "china"].contains(&cloud) {
            return Err(mistake(
                "AZURE_CLOUD",
                "one of global, usgov, usgov-dod, china",
            ));
        }
        Ok(())
    }

    /// Where the database is.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.data_dir.join("mailhatch.db")
    }

    /// The redirect URI to register with Entra.
    #[must_use]
    pub fn redirect_uri(&self) -> String {
        format!(
            "{}/microsoft/callback",
            self.url.as_str().trim_end_matches('/')
        )
    }

    /// Whether Entra accepts the redirect URI: https, or http on localhost
    /// (Microsoft, "Redirect URI (reply URL) restrictions").
    #[must_use]
    pub fn url_fits_entra(&self) -> bool {
        self.url.scheme() == "https" || self.url.host_str() == Some("localhost")
    }

    /// Whether browsers reach us over TLS: cookies are then marked secure.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }
}

fn mistake(name: &str, expected: &str) -> ConfigError {
    ConfigError(format!("{name} cannot be used: it must be {expected}"))
}

fn refuse_unknown(environment: &Environment) -> Result<(), ConfigError> {
    for name in environment
        .keys()
        .filter(|name| name.starts_with("MAILHATCH_"))
    {
        let base = name.strip_suffix("_FILE").unwrap_or(name);
        if !KNOWN.contains(&base) && !KNOWN.contains(&name.as_str()) {
            return Err(ConfigError(format!(
                "{name} is not a setting of Mailhatch; see docs/OPERATIONS.md for the list, and remove or correct it"
            )));
        }
    }
    Ok(())
}

/// A setting's value, from the variable or from the file that `NAME_FILE` points to. Empty is unset.
fn value(environment: &Environment, name: &str) -> Result<Option<String>, ConfigError> {
    let direct = environment.get(name).filter(|text| !text.trim().is_empty());
    let file_name = format!("{name}_FILE");
    // MAILHATCH_CA_FILE is itself a setting and names a file.
    let file = environment
        .get(&file_name)
        .filter(|text| !text.trim().is_empty());
    match (direct, file) {
        (Some(_), Some(_)) => Err(ConfigError(format!(
            "{name} and {file_name} are both set; keep one of them"
        ))),
        (Some(text), None) => Ok(Some(text.trim().to_owned())),
        (None, Some(path)) => match std::fs::read_to_string(path.trim()) {
            Ok(text) => Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty())),
            Err(error) => Err(ConfigError(format!(
                "{file_name} points to {path}, which cannot be read ({error}); check the path and that the service's user may read it"
            ))),
        },
        (None, None) => Ok(None),
    }
}

fn parse_url(text: Option<&str>) -> Result<Url, ConfigError> {
    let text = text.unwrap_or("http://localhost:8025");
    let expected = "the public address, such as https://desk.example.com, without a path";
    let url = Url::parse(text).map_err(|_| mistake("MAILHATCH_URL", expected))?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    if !["http", "https"].contains(&url.scheme()) || url.host_str().is_none() || !bare {
        return Err(mistake("MAILHATCH_URL", expected));
    }
    Ok(url)
}

fn parse_listen(text: Option<&str>) -> Result<SocketAddr, ConfigError> {
    text.unwrap_or("127.0.0.1:8025").parse().map_err(|_| {
        mistake(
            "MAILHATCH_LISTEN",
            "an IP address and port, such as 127.0.0.1:8025 or [::]:8025",
        )
    })
}

fn parse_networks(text: Option<&str>) -> Result<Vec<Network>, ConfigError> {
    text.unwrap_or("127.0.0.0/8,::1")
        .split([',', ' '])
        .filter(|part| !part.is_empty())
        .map(|part| {
            let part = if part == "loopback" {
                "127.0.0.0/8"
            } else {
                part
            };
            Network::parse(part).ok_or_else(|| {
                mistake(
                    "MAILHATCH_TRUSTED_PROXIES",
                    "a list of addresses or networks, such as 10.0.0.5,192.168.0.0/16",
                )
            })
        })
        .collect()
}

fn parse_format(text: Option<&str>) -> Result<bool, ConfigError> {
    match text {
        None | Some("text") => Ok(false),
        Some("json") => Ok(true),
        Some(_) => Err(mistake("MAILHATCH_LOG_FORMAT", "text or json")),
    }
}

fn parse_keep(text: Option<&str>) -> Result<usize, ConfigError> {
    match text.unwrap_or("7").parse() {
        Ok(keep) if keep >= 1 => Ok(keep),
        _ => Err(mistake(
            "MAILHATCH_BACKUP_KEEP",
            "a number of backups, 1 or more",
        )),
    }
}

fn parse_roots(path: Option<&str>) -> Result<Option<Vec<u8>>, ConfigError> {
    let Some(path) = path else { return Ok(None) };
    let bytes = std::fs::read(path).map_err(|error| {
        ConfigError(format!(
            "MAILHATCH_CA_FILE points to {path}, which cannot be read ({error})"
        ))
    })?;
    if !String::from_utf8_lossy(&bytes).contains("-----BEGIN CERTIFICATE-----") {
        return Err(mistake("MAILHATCH_CA_FILE", "a file of PEM certificates"));
    }
    Ok(Some(bytes))
}

fn config_dir(environment: &Environment) -> PathBuf {
    let set = |name: &str| environment.get(name).filter(|text| !text.is_empty());
    if let Some(base) = set("XDG_CONFIG_HOME") {
        return Path::new(base).join("mailhatch");
    }
    set("HOME").map_or_else(
        || PathBuf::from("."),
        |home| Path::new(home).join(".config/mailhatch"),
    )
}

/// Whether the effective user is root; asked of the file system, which needs no unsafe call.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|found| found.uid() == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let pairs = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::from_environment(&pairs.collect())
    }

    #[test]
    fn nothing_set_gives_the_documented_defaults() {
        let config = read(&[]).unwrap();
        assert_eq!(
            config.redirect_uri(),
            "http://localhost:8025/microsoft/callback"
        );
        assert_eq!(config.listen.to_string(), "127.0.0.1:8025");
        assert!(config.url_fits_entra());
        assert_eq!(config.backup_keep, 7);
    }

    #[test]
    fn an_unknown_setting_is_named() {
        let error = read(&[("MAILHATCH_LISTENN", "x")]).unwrap_err().to_string();
        assert!(error.contains("MAILHATCH_LISTENN"), "{error}");
    }

    #[test]
    fn each_wrong_value_is_named_with_what_it_must_be() {
        for (name, value) in [
            ("MAILHATCH_URL", "desk.example.com"),
            ("MAILHATCH_URL", "https://desk.example.com/path"),
            ("MAILHATCH_LISTEN", "8025"),
            ("MAILHATCH_BACKUP_CRON", "every night"),
            ("MAILHATCH_BACKUP_KEEP", "0"),
            ("MAILHATCH_LOG_FORMAT", "xml"),
            ("MAILHATCH_TRUSTED_PROXIES", "proxy.example.com"),
            ("MAILHATCH_MICROSOFT_IMAP", "outlook.office365.com"),
            ("MAILHATCH_MICROSOFT_LOGIN_URL", "login"),
            ("MAILHATCH_TLS_CERT", "/x"),
            ("MAILHATCH_CA_FILE", "/nowhere"),
            ("AZURE_CLOUD", "mars"),
        ] {
            let error = read(&[(name, value)]).unwrap_err().to_string();
            assert!(error.starts_with(name), "{name}={value}: {error}");
        }
    }

    #[test]
    fn a_secret_can_come_from_a_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "value\n").unwrap();
        let path = file.path().to_str().unwrap();
        let config = read(&[("AZURE_APP_SECRET_FILE", path)]).unwrap();
        assert_eq!(config.app.secret.as_deref(), Some("value"));
        assert!(read(&[("AZURE_APP_SECRET_FILE", path), ("AZURE_APP_SECRET", "x")]).is_err());
    }

    #[test]
    fn plain_http_fits_entra_only_on_localhost() {
        let fits = |url: &str| read(&[("MAILHATCH_URL", url)]).unwrap().url_fits_entra();
        assert!(fits("https://desk.example.com"));
        assert!(fits("http://localhost:9000"));
        assert!(!fits("http://desk.example.com"));
        assert!(!fits("http://127.0.0.1:8025"));
    }

    #[test]
    fn networks_contain_their_own_addresses_and_no_others() {
        let network = Network::parse("10.1.0.0/16").unwrap();
        assert!(network.contains("10.1.2.3".parse().unwrap()));
        assert!(!network.contains("10.2.0.1".parse().unwrap()));
        assert!(network.contains("::ffff:10.1.2.3".parse().unwrap()));
        assert!(
            Network::parse("::1")
                .unwrap()
                .contains("::1".parse().unwrap())
        );
        assert!(
            Network::parse("0.0.0.0/0")
                .unwrap()
                .contains("8.8.8.8".parse().unwrap())
        );
        assert!(Network::parse("10.0.0.0/33").is_none());
    }

    #[test]
    fn an_empty_schedule_switches_backups_off() {
        let of = |text: Option<&str>| {
            let set = text.map(|text| ("MAILHATCH_BACKUP_CRON".to_owned(), text.to_owned()));
            let environment: Environment = set.into_iter().collect();
            Config::from_environment(&environment).unwrap().backup_cron
        };
        assert_eq!(of(None), "0 0 3 * * *");
        assert_eq!(of(Some(" ")), "");
        assert_eq!(of(Some("0 0 4 * * *")), "0 0 4 * * *");
    }
}
