//! The one blocking HTTP client: to Entra, to Microsoft Graph, and to the webhook for alerts. It has a
//! deadline for every request, bounds every answer, follows no redirect and tells every failure
//! of the network as a [`Problem`].
//!
//! A status code is not a failure here: what a 401 or a 429 means is for the caller to say.

use std::time::Duration;

use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, Proxy};
use url::Url;

use crate::problem::Problem;

mod failure;
mod reach;

use failure::{bad_proxy_setting, bad_roots, bad_url, explain, inside, is_untrusted};

/// Largest answer read, after decompression.
const ANSWER_MAX_BYTES: u64 = 4 * 1024 * 1024;
/// Kinds of failure that happen before the first byte of a request is written.
const BEFORE_SENDING: [&str; 8] = [
    "http_inside",
    "http_bad_url",
    "http_bad_request",
    "http_dns",
    "http_connect_refused",
    "http_connect_timeout",
    "http_tls_untrusted",
    "http_proxy",
];

/// How long a request may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// Resolving the name; then the connection, with TLS and proxy: each this long.
    pub connect: Duration,
    /// The whole request, answer included.
    pub whole: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            whole: Duration::from_secs(30),
        }
    }
}

/// A blocking HTTP client; clones share their settings.
#[derive(Debug, Clone)]
pub struct Http {
    direct: Route,
    /// Without a proxy, and to public addresses only.
    outside: Route,
    proxied: Option<Route>,
    /// Hosts reached without the proxy, as `NO_PROXY` names them, lower case.
    no_proxy: Vec<String>,
}

/// The same way out twice: trusting the public roots, and trusting the operator's own roots.
///
/// The client library takes either its built-in roots or a list of certificates. A connection the
/// public roots do not vouch for is therefore tried once more against the operator's roots. Nothing is
/// sent before a certificate is trusted, so no request goes out twice.
#[derive(Debug, Clone)]
struct Route {
    public: Agent,
    private: Option<Agent>,
}

/// What a server answered.
#[derive(Debug, Clone)]
pub struct HttpAnswer {
    /// The status code.
    pub status: u16,
    /// The header fields in order; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, decompressed.
    pub body: Vec<u8>,
}

impl HttpAnswer {
    /// The first header field of this name (given in lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(have, _)| have == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether the status is 2xx.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }

    /// Seconds the server asked us to wait, from `Retry-After` (RFC 9110 §10.2.3: seconds or a date).
    #[must_use]
    pub fn retry_after_seconds(&self, now: i64) -> Option<u64> {
        let value = self.header("retry-after")?.trim();
        if let Ok(seconds) = value.parse::<u64>() {
            return Some(seconds);
        }
        let at = chrono::DateTime::parse_from_rfc2822(value)
            .ok()?
            .timestamp();
        Some(u64::try_from(at.saturating_sub(now)).unwrap_or(0))
    }
}

/// Whether this failure happened before anything of the request was sent, so that repeating a
/// request that must not happen twice is safe.
#[must_use]
pub fn nothing_was_sent(problem: &Problem) -> bool {
    BEFORE_SENDING.contains(&problem.code.as_str())
}

impl Http {
    /// A client that trusts the public roots and, if given, the certificates in `extra_roots_pem`. The proxy
    /// comes from `HTTPS_PROXY` and `NO_PROXY`; plain `http` addresses are never sent through it.
    ///
    /// # Errors
    /// When the certificates or the proxy address cannot be read.
    pub fn new(extra_roots_pem: Option<&[u8]>) -> Result<Self, Problem> {
        Self::within(extra_roots_pem, Deadlines::default())
    }

    /// As [`Http::new`], with deadlines of the caller's choice.
    ///
    /// # Errors
    /// As [`Http::new`].
    pub fn within(extra_roots_pem: Option<&[u8]>, deadlines: Deadlines) -> Result<Self, Problem> {
        let proxy = variable(&["HTTPS_PROXY", "https_proxy"]);
        let no_proxy = variable(&["NO_PROXY", "no_proxy"]);
        Self::build(
            extra_roots_pem,
            proxy.as_deref(),
            no_proxy.as_deref(),
            deadlines,
        )
    }

    fn build(
        extra_roots_pem: Option<&[u8]>,
        proxy: Option<&str>,
        no_proxy: Option<&str>,
        deadlines: Deadlines,
    ) -> Result<Self, Problem> {
        let roots = extra_roots_pem.map(read_roots).transpose()?;
        let proxied = proxy
            .map(|address| {
                Proxy::new(address)
                    .map_err(|_| bad_proxy_setting())
                    .map(|proxy| Route::new(roots.as_deref(), Some(&proxy), deadlines, false))
            })
            .transpose()?;
        Ok(Self {
            direct: Route::new(roots.as_deref(), None, deadlines, false),
            outside: Route::new(roots.as_deref(), None, deadlines, true),
            proxied,
            no_proxy: no_proxy
                .unwrap_or_default()
                .split(',')
                .map(|entry| entry.trim().to_ascii_lowercase())
                .filter(|entry| !entry.is_empty())
                .collect(),
        })
    }

    /// Asks for `url`.
    ///
    /// # Errors
    /// When no answer came: the name, the connection, TLS, the proxy, a deadline or the answer's size.
    pub fn get(&self, url: &str, headers: &[(&str, &str)]) -> Result<HttpAnswer, Problem> {
        self.send(url, headers, None, false)
    }

    /// Posts `body` to `url`; the caller names its content type among the headers.
    ///
    /// # Errors
    /// As [`Http::get`]. [`nothing_was_sent`] tells whether the server may have got the request.
    pub fn post(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<HttpAnswer, Problem> {
        self.send(url, headers, Some(body), false)
    }

    /// As [`Http::post`], but only to a public address: for a URL that somebody typed in.
    ///
    /// # Errors
    /// As [`Http::post`]; `http_inside` when the URL leads into the network the program stands in.
    pub fn post_outside(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<HttpAnswer, Problem> {
        self.send(url, headers, Some(body), true)
    }

    fn send(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
        public_only: bool,
    ) -> Result<HttpAnswer, Problem> {
        let parsed = Url::parse(url).map_err(|error| bad_url(url, &error.to_string()))?;
        let host = parsed
            .host_str()
            .ok_or_else(|| bad_url(url, "no host"))?
            .to_ascii_lowercase();
        let proxied = self
            .proxied
            .as_ref()
            .filter(|_| parsed.scheme() == "https" && !is_exempt(&self.no_proxy, &host));
        if public_only && proxied.is_some() && !reach::may_ask_proxy(&host) {
            return Err(inside(&host));
        }
        let direct = if public_only {
            &self.outside
        } else {
            &self.direct
        };
        let route = proxied.unwrap_or(direct);
        let mut outcome = call(&route.public, url, headers, body);
        if let (Some(private), Err(error)) = (&route.private, &outcome)
            && is_untrusted(error)
        {
            outcome = call(private, url, headers, body);
        }
        outcome.map_err(|error| explain(&error, &host, proxied.is_some()))
    }
}

impl Route {
    fn new(
        roots: Option<&[Certificate<'static>]>,
        proxy: Option<&Proxy>,
        deadlines: Deadlines,
        public_only: bool,
    ) -> Self {
        let agent = |roots| agent(roots, proxy, deadlines, public_only);
        let private = |roots| agent(RootCerts::new_with_certs(roots));
        Self {
            public: agent(RootCerts::WebPki),
            private: roots.map(private),
        }
    }
}

/// One agent. Connections are not kept: requests are minutes apart, and a request that meets a
/// connection the server has just closed would fail without telling whether it arrived.
fn agent(
    roots: RootCerts,
    proxy: Option<&Proxy>,
    deadlines: Deadlines,
    public_only: bool,
) -> Agent {
    let config = Agent::config_builder()
        .tls_config(TlsConfig::builder().root_certs(roots).build())
        .proxy(proxy.cloned())
        .user_agent("mailhatch")
        .http_status_as_error(false)
        .max_redirects(0)
        .max_idle_connections(0)
        .timeout_resolve(Some(deadlines.connect))
        .timeout_connect(Some(deadlines.connect))
        .timeout_global(Some(deadlines.whole))
        .build();
    if public_only {
        Agent::with_parts(
            config,
            DefaultConnector::default(),
            reach::PublicOnly::default(),
        )
    } else {
        config.new_agent()
    }
}

fn call(
    agent: &Agent,
    url: &str,
    headers: &[(&str, &str)],
    body: Option<&[u8]>,
) -> Result<HttpAnswer, ureq::Error> {
    let mut response = match body {
        Some(body) => {
            let request = headers
                .iter()
                .fold(agent.post(url), |request, (name, value)| {
                    request.header(*name, *value)
                });
            request.send(body)?
        }
        None => headers
            .iter()
            .fold(agent.get(url), |request, (name, value)| {
                request.header(*name, *value)
            })
            .call()?,
    };
    let status = response.status().as_u16();
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        })
        .collect();
    let body = response
        .body_mut()
        .with_config()
        .limit(ANSWER_MAX_BYTES)
        .read_to_vec()?;
    Ok(HttpAnswer {
        status,
        headers,
        body,
    })
}

fn variable(names: &[&str]) -> Option<String> {
    names
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.trim().is_empty())
}

fn read_roots(pem: &[u8]) -> Result<Vec<Certificate<'static>>, Problem> {
    let mut roots = Vec::new();
    for item in parse_pem(pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => roots.push(certificate),
            Ok(_) => {}
            Err(error) => return Err(bad_roots(&error.to_string())),
        }
    }
    if roots.is_empty() {
        return Err(bad_roots("no CERTIFICATE block found"));
    }
    Ok(roots)
}

/// Whether `NO_PROXY` names this host: `*`, the host itself, or a domain it lies under (with or without
/// a leading dot or `*.`), as curl reads it.
fn is_exempt(no_proxy: &[String], host: &str) -> bool {
    no_proxy.iter().any(|entry| {
        let domain = entry.trim_start_matches('*').trim_start_matches('.');
        entry == "*"
            || host == domain
            || host
                .strip_suffix(domain)
                .is_some_and(|rest| !domain.is_empty() && rest.ends_with('.'))
    })
}

#[cfg(test)]
mod tests;
