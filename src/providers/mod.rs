//! What differs between mail providers, as data: addresses, scopes, limits and habits.
//!
//! A provider is a table here and never a branch elsewhere: code asks "who files the Sent copy?", not
//! "is this Microsoft?".

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub mod microsoft;

/// Whose mailboxes we serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// Exchange Online (Microsoft 365) and Outlook.com.
    Microsoft,
}

impl Provider {
    /// The name kept in the database and used in URLs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Microsoft => "microsoft",
        }
    }

    /// The provider of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "microsoft" => Some(Self::Microsoft),
            _ => None,
        }
    }
}

/// A host name and a port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostPort {
    /// A DNS name or an address; an IPv6 address without brackets.
    pub host: String,
    /// The TCP port.
    pub port: u16,
}

impl HostPort {
    /// A host and a port.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
        }
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl FromStr for HostPort {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong =
            || format!("\"{text}\" is not host:port, for example outlook.office365.com:993");
        let (host, port) = text.trim().rsplit_once(':').ok_or_else(wrong)?;
        let host = host
            .strip_prefix('[')
            .and_then(|inner| inner.strip_suffix(']'))
            .unwrap_or(host);
        let port = port.parse().map_err(|_| wrong())?;
        let odd = |c: char| c.is_whitespace() || c == '/' || c == '[' || c == ']';
        if host.is_empty() || port == 0 || host.contains(odd) {
            return Err(wrong());
        }
        Ok(Self::new(host, port))
    }
}

impl Serialize for HostPort {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HostPort {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// What a provider's servers allow one mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Messages submitted per minute.
    pub messages_per_minute: u32,
    /// Submitting connections at the same time the server allows.
    pub connections_allowed: u32,
    /// Submitting connections at the same time we use.
    pub connections_used: u32,
    /// Recipients of one message.
    pub recipients_per_message: u32,
    /// Recipients in any 24 hours.
    pub recipients_per_day: u32,
    /// Largest message for SMTP unless an administrator set another size, as sent.
    pub smtp_message_max_bytes: u64,
    /// Largest message for the provider's HTTP interface, before it is encoded for it.
    pub http_message_max_bytes: u64,
}

/// Who puts the copy of a sent message into the Sent folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SentCopy {
    /// The server, by itself; we must not append another.
    Server,
    /// Nobody; we append it.
    Us,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_and_port_survive_writing_and_reading() {
        for text in ["outlook.office365.com:993", "[::1]:1143", "127.0.0.1:25"] {
            assert_eq!(text.parse::<HostPort>().unwrap().to_string(), text);
        }
        assert_eq!("[::1]:1".parse::<HostPort>().unwrap().host, "::1");
    }

    #[test]
    fn what_is_not_a_host_and_port_is_refused_with_an_example() {
        for text in [
            "",
            "host",
            ":993",
            "host:0",
            "host:70000",
            "imaps://host:993",
            "a b:1",
        ] {
            let error = text.parse::<HostPort>().unwrap_err();
            assert!(
                error.contains("outlook.office365.com:993"),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn a_provider_is_found_by_the_name_it_gives() {
        let provider = Provider::Microsoft;
        assert_eq!(Provider::from_name(provider.as_str()), Some(provider));
        assert_eq!(Provider::from_name("fidonet"), None);
    }
}
