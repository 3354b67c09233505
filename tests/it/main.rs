//! The program from outside: pages, loops and commands against the pretend Microsoft 365.

#[cfg(test)]
mod oauth;
#[cfg(test)]
mod real_servers;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod backup;
#[cfg(test)]
#[path = "../interop/mod.rs"]
mod interop;
#[cfg(test)]
mod receiving;
#[cfg(test)]
mod sending;
#[cfg(test)]
mod support;
