//! Failures of the network in words: which part failed, and who can do something about it.

use std::io;

use ureq::Timeout;

use super::reach::Inside;
use crate::problem::{Disposition, Problem};

/// The TLS error inside, if the failure was one; the handshake reports it wrapped in an I/O error.
fn tls_error(error: &ureq::Error) -> Option<&rustls::Error> {
    match error {
        ureq::Error::Rustls(error) => Some(error),
        ureq::Error::Io(error) => error.get_ref()?.downcast_ref::<rustls::Error>(),
        _ => None,
    }
}

/// Whether the server's certificate was refused (and nothing was sent).
pub(super) fn is_untrusted(error: &ureq::Error) -> bool {
    matches!(
        tls_error(error),
        Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented)
    )
}

/// The failure as told to a person; `proxied` says whether a proxy stood between.
pub(super) fn explain(error: &ureq::Error, host: &str, proxied: bool) -> Problem {
    if let ureq::Error::Io(error) = error
        && error.get_ref().is_some_and(|inner| inner.is::<Inside>())
    {
        return inside(host);
    }
    let problem = if let Some(tls) = tls_error(error) {
        explain_tls(tls, host)
    } else {
        match error {
            ureq::Error::ConnectProxyFailed(_) | ureq::Error::InvalidProxyUrl => proxy_failed(host),
            ureq::Error::HostNotFound | ureq::Error::Timeout(Timeout::Resolve) if proxied => {
                proxy_failed(host)
            }
            ureq::Error::Timeout(Timeout::Connect) if proxied => proxy_failed(host),
            ureq::Error::HostNotFound | ureq::Error::Timeout(Timeout::Resolve) => not_found(host),
            ureq::Error::Timeout(Timeout::Connect) => transient(
                "http_connect_timeout",
                format!("{host} did not accept a connection within 10 seconds."),
                "Check that the firewall lets this machine connect to it. Mailhatch tries again by itself.",
            ),
            ureq::Error::Timeout(_) => transient(
                "http_timeout",
                format!("{host} did not answer within 30 seconds."),
                "Nothing needs to be done unless it lasts: Mailhatch tries again by itself.",
            ),
            ureq::Error::Io(error) => explain_io(error, host, proxied),
            ureq::Error::ConnectionFailed => unreachable_host(host),
            ureq::Error::BodyExceedsLimit(_) | ureq::Error::LargeResponseHeader(..) => {
                not_understood(
                    "http_answer_too_big",
                    format!("{host} sent an answer far larger than it should be."),
                )
            }
            ureq::Error::BadUri(_) | ureq::Error::RequireHttpsOnly(_) => {
                bad_url(host, &error.to_string())
            }
            ureq::Error::Http(_) => Problem::new(
                "http_bad_request",
                Disposition::GiveUp,
                format!(
                    "A request to {host} could not be made: a value in it is not allowed in HTTP."
                ),
                "Check the app id, secret and addresses for stray line breaks or control characters.",
            ),
            _ => not_understood(
                "http_protocol",
                format!("What {host} answered is not HTTP as it should be."),
            ),
        }
    };
    problem.with_detail(format!("{host}: {error}"))
}

fn explain_io(error: &io::Error, host: &str, proxied: bool) -> Problem {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::ConnectionRefused if proxied => proxy_failed(host),
        Kind::ConnectionRefused => transient(
            "http_connect_refused",
            format!("{host} refuses connections."),
            "Check the address and port in the settings, and that nothing between blocks it. Mailhatch tries again by itself.",
        ),
        Kind::HostUnreachable
        | Kind::NetworkUnreachable
        | Kind::NetworkDown
        | Kind::AddrNotAvailable => unreachable_host(host),
        Kind::ConnectionReset
        | Kind::ConnectionAborted
        | Kind::BrokenPipe
        | Kind::UnexpectedEof => transient(
            "http_broken_off",
            format!("The connection to {host} broke off before the answer was complete."),
            "Nothing needs to be done unless it lasts: Mailhatch tries again by itself.",
        ),
        // The system's resolver reports "name not known" without a kind of its own.
        _ if error.to_string().contains("lookup address") => {
            if proxied {
                proxy_failed(host)
            } else {
                not_found(host)
            }
        }
        _ => transient(
            "http_network",
            format!("The connection to {host} failed."),
            "Check this machine's network. Mailhatch tries again by itself.",
        ),
    }
}

fn explain_tls(error: &rustls::Error, host: &str) -> Problem {
    use rustls::CertificateError as Bad;
    match error {
        rustls::Error::InvalidCertificate(Bad::Expired | Bad::ExpiredContext { .. }) => {
            Problem::new(
                "http_tls_untrusted",
                Disposition::NeedsAdmin,
                format!("The certificate of {host} has expired."),
                "Check this machine's date and time. If they are right, whoever runs the server or the proxy between must renew the certificate.",
            )
        }
        rustls::Error::InvalidCertificate(
            Bad::NotValidForName | Bad::NotValidForNameContext { .. },
        ) => Problem::new(
            "http_tls_untrusted",
            Disposition::NeedsAdmin,
            format!("The server that answers for {host} shows a certificate for another name."),
            "Check the address in the settings, and whether a proxy or firewall answers in its place.",
        ),
        rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => {
            Problem::new(
                "http_tls_untrusted",
                Disposition::NeedsAdmin,
                format!("The certificate of {host} is signed by nobody this machine trusts."),
                "If a firewall inspects TLS or the server uses a private certificate authority, put its root certificate in the file MAILHATCH_CA_FILE names.",
            )
        }
        _ => transient(
            "http_tls",
            format!("A secure connection to {host} could not be agreed on."),
            "If it lasts, check whether a proxy or firewall interferes with TLS. Mailhatch tries again by itself.",
        ),
    }
}

fn transient(code: &str, sentence: String, remedy: &str) -> Problem {
    Problem::new(
        code,
        Disposition::RetryAfter { seconds: 0 },
        sentence,
        remedy,
    )
}

fn not_understood(code: &str, sentence: String) -> Problem {
    transient(
        code,
        sentence,
        "Check the address in the settings, and whether a proxy answers in its place. Mailhatch tries again by itself.",
    )
}

fn not_found(host: &str) -> Problem {
    transient(
        "http_dns",
        format!("The name {host} could not be resolved."),
        "Check the name in the settings and this machine's DNS. Mailhatch tries again by itself.",
    )
}

fn unreachable_host(host: &str) -> Problem {
    transient(
        "http_unreachable",
        format!("There is no network route to {host}."),
        "Check this machine's network connection. Mailhatch tries again by itself.",
    )
}

fn proxy_failed(host: &str) -> Problem {
    transient(
        "http_proxy",
        format!("The proxy could not be reached or did not connect us to {host}."),
        "Check HTTPS_PROXY, and that the proxy allows this host; NO_PROXY lists the hosts that need no proxy. Mailhatch tries again by itself.",
    )
}

pub(super) fn inside(host: &str) -> Problem {
    Problem::new(
        "http_inside",
        Disposition::NeedsAdmin,
        format!("{host} is not a public address, so nothing was sent there."),
        "Enter an address in the public internet, or allow internal addresses beside it if the receiver really stands in your own network.",
    )
}

pub(super) fn bad_proxy_setting() -> Problem {
    Problem::new(
        "http_proxy_setting",
        Disposition::NeedsAdmin,
        "HTTPS_PROXY is not the address of a proxy.",
        "Give it as http://host:port, with user:password@ before the host if the proxy asks for it.",
    )
}

pub(super) fn bad_roots(detail: &str) -> Problem {
    Problem::new(
        "http_ca_file",
        Disposition::NeedsAdmin,
        "The file with extra root certificates cannot be read as certificates.",
        "MAILHATCH_CA_FILE must be a PEM file with at least one block that begins with -----BEGIN CERTIFICATE-----.",
    )
    .with_detail(detail)
}

pub(super) fn bad_url(url: &str, detail: &str) -> Problem {
    Problem::new(
        "http_bad_url",
        Disposition::NeedsAdmin,
        "An address in the settings is not a valid URL.",
        "Check the MAILHATCH_MICROSOFT_… settings; an address begins with https://.",
    )
    .with_detail(format!("{url}: {detail}"))
}
