//! Requests to addresses that people type in must not reach into the network the program stands in, such as
//! a cloud's metadata service or a router's page.
//!
//! The check stands where names become addresses: the addresses it lets pass are the very ones that are
//! dialled, so a name that changes between the check and the call (DNS rebinding) gains nothing. Redirects
//! are not followed at all.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// A name that leads, or an address that lies, inside; within an [`io::Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Inside;

impl std::fmt::Display for Inside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the address is not a public one")
    }
}

impl std::error::Error for Inside {}

/// Finds addresses as usual and gives them out only when all of them are public.
#[derive(Debug, Default)]
pub(super) struct PublicOnly(Usual);

#[derive(Default)]
struct Usual(DefaultResolver);

impl std::fmt::Debug for Usual {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Usual")
    }
}

impl Resolver for PublicOnly {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.0.0.resolve(uri, config, timeout)?;
        if found.iter().all(|address| is_public(address.ip())) {
            Ok(found)
        } else {
            Err(ureq::Error::Io(io::Error::other(Inside)))
        }
    }
}

/// Whether a host may be asked of a proxy, which finds the address itself and decides by its own rules what
/// it reaches: no address that is not public, and no name that only a network inside knows.
pub(super) fn may_ask_proxy(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches([']', '.']);
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return is_public(ip);
    }
    let is_local = ["localhost", "local", "internal", "lan", "home.arpa"]
        .iter()
        .any(|end| bare == *end || bare.ends_with(&format!(".{end}")));
    bare.contains('.') && !is_local
}

/// Whether an address lies in the public internet (IANA's special-purpose registries, RFC 6890).
pub(super) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let special = ip.is_unspecified()
        || ip.is_loopback()
        || ip.is_private()
        || ip.is_link_local()
        || ip.is_documentation()
        || ip.is_multicast();
    let special = special
        || a == 0
        || a >= 240
        // Behind a provider's translation (RFC 6598).
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        // Benchmarks (RFC 2544).
        || (a == 198 && (b == 18 || b == 19));
    !special
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    if let Some(inner) = ip.to_ipv4_mapped() {
        return is_public_v4(inner);
    }
    let [first, second, third, .., high, low] = ip.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match (first, second) {
        // An IPv4 address by translation (RFC 6052) and by 6to4 (RFC 3056).
        (0x64, 0xff9b) => third == 0 && embedded(high, low),
        (0x2002, _) => embedded(second, third),
        // Teredo and the other special ones; documentation.
        (0x2001, 0..=0x1ff | 0xdb8) | (0x3fff, 0..=0xfff) => false,
        // All of the global unicast space that has been given out.
        (0x2000..=0x3fff, _) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_inside_are_told_from_public_ones() {
        for inside in [
            "127.0.0.1",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "2002:7f00:1::",
            "2001:db8::1",
            "2001::1",
        ] {
            assert!(!is_public(inside.parse().unwrap()), "{inside}");
            assert!(!may_ask_proxy(inside), "{inside}");
        }
        for outside in [
            "93.184.216.34",
            "8.8.8.8",
            "2606:2800:220:1:248:1893:25c8:1946",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
        ] {
            assert!(is_public(outside.parse().unwrap()), "{outside}");
        }
    }

    #[test]
    fn a_proxy_is_not_asked_for_names_that_only_a_network_inside_knows() {
        for inside in [
            "localhost",
            "printer",
            "metadata.google.internal",
            "nas.local.",
            "[::1]",
        ] {
            assert!(!may_ask_proxy(inside), "{inside}");
        }
        assert!(may_ask_proxy("hooks.example.org"));
    }
}
