//! Hands out ports on 127.0.0.1 that no other test, in this process or another, is given.
//!
//! A server stopped and started again must find its port free, so a port stays claimed while
//! nothing listens on it. The claim is the UDP port of the same number: the kernel gives it to one
//! owner only, frees it when the owner dies, and it leaves no lock file behind.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};

/// Below Linux's ephemeral ports (from 32768 on), so that no outgoing connection takes one.
const FIRST: u16 = 20_000;
const COUNT: u16 = 10_000;

/// A TCP port of ours until this is dropped.
#[derive(Debug)]
pub(crate) struct Port {
    number: u16,
    _claim: UdpSocket,
}

impl Port {
    /// Claims a free port.
    pub(crate) fn claim() -> Result<Self, String> {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        // Processes start at different places, so that they seldom try the same port.
        let start = u16::try_from(std::process::id() * 37 % u32::from(COUNT)).unwrap_or(0);
        for _ in 0..COUNT {
            let step = NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
            let number = FIRST + (start + step) % COUNT;
            let Ok(claim) = UdpSocket::bind((Ipv4Addr::LOCALHOST, number)) else {
                continue;
            };
            if TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_ok() {
                return Ok(Self {
                    number,
                    _claim: claim,
                });
            }
        }
        Err(format!(
            "No port between {FIRST} and {} is free on 127.0.0.1.",
            FIRST + COUNT
        ))
    }

    /// The port's number.
    pub(crate) fn number(&self) -> u16 {
        self.number
    }
}
