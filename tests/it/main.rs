//! The program from outside: pages, loops and commands against the pretend Microsoft 365.

#[cfg(test)]
mod oauth;
#[cfg(test)]
mod receiving;
#[cfg(test)]
mod support;
