//! Mailhatch: a shared inbox for Outlook and Microsoft 365 mailboxes.
//!
//! The map, in reading order. `config`, `clock`, `secret` and `problem` are used everywhere.
//! `model` holds plain data and rules; `mail` turns bytes into values and back, and touches
//! nothing else. `store` is the only door to the database. `net`, `http`, `imap`, `smtp`, `graph`
//! and `oauth` speak to the outside and return values or a [`problem::Problem`]; what differs
//! between providers is a table in `providers`. `intake` makes rows of a received message,
//! `reply` makes a message and a delivery of an answer, `desk` is what people do with a
//! conversation. `work` runs the loops, `web` serves the pages, `app` puts all together and
//! `cli` is the command line.

pub mod clock;
pub mod config;
pub mod password;
pub mod problem;
pub mod secret;

pub mod mail;
pub mod model;
pub mod store;

pub mod graph;
pub mod http;
pub mod imap;
pub mod net;
pub mod oauth;
pub mod providers;
pub mod smtp;
pub mod tls;

pub mod desk;
pub mod intake;
pub mod reply;
pub mod work;

pub mod app;
pub mod cli;
pub mod web;
