//! Real Dovecot and Postfix, started for one test and gone after it.
//!
//! `servers` is what a test uses: it lays out a folder, starts both and stops them. `dovecot` and
//! `postfix` write the configuration files, `process` runs and ends daemons, `ports` hands out
//! ports no other test uses, `client` is a bare line client for IMAP, SMTP and LMTP, `tokens`
//! signs access tokens for tests that have no Entra at hand, and `proxy` spoils the line in between.
//!
//! The Debian 12 packages dovecot-core, dovecot-imapd, dovecot-lmtpd and postfix must be installed
//! and the tests must run as root; without that they fail and say so. Nothing of the machine's own
//! configuration is read or changed.

pub(crate) mod client;
pub(crate) mod dovecot;
pub(crate) mod ports;
mod postfix;
pub(crate) mod process;
pub(crate) mod proxy;
pub(crate) mod requirements;
pub(crate) mod servers;
pub(crate) mod tokens;
