//! The pretend mail service, driven over real sockets line by line.

#[cfg(test)]
mod imap;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod people;
#[cfg(test)]
mod smtp;
#[cfg(test)]
mod support;
#[cfg(test)]
mod world;
