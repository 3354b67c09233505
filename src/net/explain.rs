//! Failures of a connection in words: name, refusal, silence, certificate, broken line.

use std::error::Error;
use std::io;

use rustls::CertificateError;

use super::{BudgetSpent, Server};
use crate::problem::{Disposition, Problem};

const PASSING: Disposition = Disposition::RetryAfter { seconds: 0 };

/// An I/O error on an open connection to `server`, as told to a person.
#[must_use]
pub fn problem(error: &io::Error, server: &Server) -> Problem {
    if is::<BudgetSpent>(error) {
        return Problem::new(
            "answer_too_big",
            Disposition::GiveUp,
            format!("{server} sent more than is reasonable for one answer, so the connection was closed."),
            "If this is one very large message, ask its sender for a smaller one; the others are fetched without it. If it is not, the server is misbehaving: tell its operator.",
        )
        .with_detail(error.to_string());
    }
    if let Some(tls) = find::<rustls::Error>(error) {
        return certificate(tls, server);
    }
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Problem::new(
            "answer_timeout",
            PASSING,
            format!("{server} stopped answering in the middle of a conversation."),
            "Usually a passing disturbance of the network or the server. It is tried again by itself.",
        ),
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::NotConnected
        | io::ErrorKind::UnexpectedEof
        | io::ErrorKind::WriteZero => closed(server),
        _ => Problem::new(
            "connection_failed",
            PASSING,
            format!("The connection to {server} failed."),
            "It is tried again by itself. If it stays so, check this machine's network and firewall.",
        ),
    }
    .with_detail(error.to_string())
}

/// The other side (or we ourselves, when stopping) closed the connection.
#[must_use]
pub(crate) fn closed(server: &Server) -> Problem {
    Problem::new(
        "connection_closed",
        PASSING,
        format!("{server} closed the connection."),
        "Servers do so when they restart or have heard nothing for long. A new connection is made by itself.",
    )
}

pub(super) fn resolving(server: &Server, detail: &str) -> Problem {
    Problem::new(
        "dns_failed",
        PASSING,
        format!("The name {} could not be found.", server.host),
        "Check the spelling of the server's name and this machine's name resolution (DNS). It is tried again by itself.",
    )
    .with_detail(detail)
}

pub(super) fn connecting(server: &Server, error: &io::Error) -> Problem {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Problem::new(
            "connect_refused",
            PASSING,
            format!("{server} refused the connection: nothing listens there."),
            "Check the server's name and port. It is tried again by itself.",
        ),
        io::ErrorKind::TimedOut => Problem::new(
            "connect_timeout",
            PASSING,
            format!("{server} did not answer the attempt to connect."),
            "Often a firewall between this machine and the server: outgoing connections to this port must be allowed. It is tried again by itself.",
        ),
        _ => Problem::new(
            "connect_failed",
            PASSING,
            format!("{server} could not be reached."),
            "Check this machine's network. It is tried again by itself.",
        ),
    }
    .with_detail(error.to_string())
}

pub(super) fn shaking_hands(server: &Server, error: &io::Error) -> Problem {
    if let Some(tls) = find::<rustls::Error>(error) {
        return certificate(tls, server);
    }
    if error.kind() == io::ErrorKind::TimedOut {
        return Problem::new(
            "tls_timeout",
            PASSING,
            format!("{server} accepted the connection but did not begin encryption."),
            "Check the port: IMAP wants 993 and SMTP 587. Otherwise the server is overloaded; it is tried again by itself.",
        );
    }
    Problem::new(
        "tls_failed",
        PASSING,
        format!("{server} broke off while encryption was being set up."),
        "It is tried again by itself. If it stays so, a firewall that inspects encrypted traffic may be in the way: let this server pass it.",
    )
    .with_detail(error.to_string())
}

fn certificate(error: &rustls::Error, server: &Server) -> Problem {
    let admin = Disposition::NeedsAdmin;
    let problem = match error {
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => Problem::new(
            "tls_wrong_name",
            admin,
            format!("The certificate of {server} is for another name."),
            "Use the server's name exactly as its provider gives it, not an address or an alias.",
        ),
        rustls::Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        ) => Problem::new(
            "tls_expired",
            admin,
            format!("The certificate of {server} has expired."),
            "Check this machine's clock. If it is right, the server's operator must renew the certificate.",
        ),
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
        ) => Problem::new(
            "tls_not_yet_valid",
            admin,
            format!("The certificate of {server} is not valid yet."),
            "Check this machine's clock: it is probably slow.",
        ),
        rustls::Error::InvalidCertificate(_) => Problem::new(
            "tls_untrusted",
            admin,
            format!(
                "The certificate of {server} is not from an authority this machine trusts, so nothing was sent."
            ),
            "If the server belongs to you, or a firewall inspects encrypted traffic, put its root certificate into the file named by MAILHATCH_CA_FILE.",
        ),
        rustls::Error::InvalidMessage(_) => Problem::new(
            "tls_not_spoken",
            admin,
            format!("What answers at {server} does not speak TLS."),
            "Check the port: IMAP wants 993 (TLS from the start) and SMTP 587 (STARTTLS).",
        ),
        _ => Problem::new(
            "tls_failed",
            PASSING,
            format!("Encryption with {server} could not be agreed on."),
            "It is tried again by itself. If it stays so, the server may be too old: TLS 1.2 is the least we accept.",
        ),
    };
    problem.with_detail(error.to_string())
}

fn is<E: Error + 'static>(error: &io::Error) -> bool {
    find::<E>(error).is_some()
}

/// Looks for an error of type `E` inside `error`, however deep.
fn find<E: Error + 'static>(error: &io::Error) -> Option<&E> {
    let mut cause: Option<&(dyn Error + 'static)> = error.get_ref().map(|e| e as _);
    while let Some(current) = cause {
        if let Some(found) = current.downcast_ref::<E>() {
            return Some(found);
        }
        cause = match current.downcast_ref::<io::Error>() {
            Some(inner) => inner.get_ref().map(|e| e as _),
            None => current.source(),
        };
    }
    None
}

/// A word to stand in a PowerShell command as it is: quoted when it holds anything but what addresses
/// usually hold.
pub(crate) fn for_powershell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '@' | '.' | '_' | '-' | '+');
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    // PowerShell takes the curly quotes for straight ones, so they are doubled too.
    let quote = |c: char| matches!(c, '\'' | '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}');
    let mut quoted = String::from("'");
    for c in word.chars().filter(|c| !c.is_control()) {
        quoted.push(c);
        if quote(c) {
            quoted.push(c);
        }
    }
    quoted.push('\'');
    quoted
}
