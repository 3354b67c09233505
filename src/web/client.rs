//! From where a request comes: forwarded headers are believed only from trusted proxies.

use std::net::IpAddr;

use actix_web::HttpRequest;

use crate::config::Network;

/// The address of the browser: the peer's, or what trusted proxies say, read from the nearest on.
#[must_use]
pub(super) fn address(request: &HttpRequest, trusted: &[Network]) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip().to_canonical();
    let forwarded: Vec<&str> = request
        .headers()
        .get_all("x-forwarded-for")
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    Some(walk(peer, &forwarded, trusted))
}

/// The peer of the connection itself, when no proxy stands between.
#[must_use]
pub(super) fn is_local(request: &HttpRequest) -> bool {
    let loopback = request
        .peer_addr()
        .is_some_and(|peer| peer.ip().to_canonical().is_loopback());
    // A proxy on this machine is on loopback too, and says for whom it asks.
    loopback
        && !request.headers().contains_key("x-forwarded-for")
        && !request.headers().contains_key("forwarded")
        && !request.headers().contains_key("x-real-ip")
}

fn walk(peer: IpAddr, forwarded: &[&str], trusted: &[Network]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut address = peer;
    for entry in forwarded.iter().rev() {
        if !is_trusted(address) {
            break;
        }
        let Some(next) = parse(entry.trim()) else {
            break;
        };
        address = next;
    }
    address
}

/// An address with or without a port, and with or without brackets.
fn parse(text: &str) -> Option<IpAddr> {
    let bare = text.trim_matches(['[', ']']);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Some(address.to_canonical());
    }
    text.parse::<std::net::SocketAddr>()
        .ok()
        .map(|address| address.ip().to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(peer: &str, forwarded: &[&str]) -> String {
        let trusted = [
            Network::parse("127.0.0.0/8").unwrap(),
            Network::parse("10.0.0.0/8").unwrap(),
        ];
        walk(peer.parse().unwrap(), forwarded, &trusted).to_string()
    }

    #[test]
    fn a_stranger_cannot_claim_another_address() {
        assert_eq!(read("203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
    }

    #[test]
    fn a_trusted_proxy_is_believed_up_to_the_first_untrusted_hop() {
        assert_eq!(read("127.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(
            read("127.0.0.1", &["6.6.6.6", " 198.51.100.1", "10.0.0.2"]),
            "198.51.100.1"
        );
        assert_eq!(read("127.0.0.1", &["198.51.100.1:4711"]), "198.51.100.1");
        assert_eq!(read("127.0.0.1", &["[2001:db8::1]:443"]), "2001:db8::1");
    }

    #[test]
    fn an_entry_that_is_no_address_ends_the_walk() {
        assert_eq!(read("127.0.0.1", &["unknown"]), "127.0.0.1");
    }
}
