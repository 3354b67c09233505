//! The program as a person has it: a real Chromium in front of the real binary.
//!
//! Pictures of the steps go to the folder named by `TEST_SCREENS`, or to `target/screens`.

#[cfg(test)]
mod desk;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod letters;
#[cfg(test)]
mod live;
#[cfg(test)]
mod payloads;
#[cfg(test)]
mod phone;
#[cfg(test)]
mod plain;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tour;
