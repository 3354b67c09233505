//! What the tests stand on: a browser, the program, and processes that leave nothing behind.

pub(crate) mod attacker;
pub(crate) mod browser;
pub(crate) mod cdp;
pub(crate) mod looks;
pub(crate) mod process;
pub(crate) mod program;
